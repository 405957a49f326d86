//! A service for tests: rules that refuse where a resource says so, and indexes of every kind of part.

use jiff::Timestamp;
use milepost_proto::access::v1::Grant;
use milepost_proto::event::v1::MilestoneOutlookChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::{Batch, Organization, Phase, Portfolio, Project, Site, project};
use milepost_proto::resource::TopLevel;
use milepost_proto::tracker::v1::Milestone;
use milepost_proto::tracker::v1::milestone::State;
use milepost_types::filter::CurrentDate;
use milepost_types::{DamagedRow, Rejection, Violations};

use crate::{
    By, Change, Checked, Dates, EventKind, Index, Name, Rows, Rules, Scope, Show, Table, Under, Unreadable,
    Upgrade, When, date_message,
};

/// The service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Office;

impl Dates for Office {
    /// That of UTC, in a portfolio that is there.
    fn current_date(
        rows: &Rows<'_, Self>,
        portfolio: &Name<Portfolio>,
        now: Timestamp,
    ) -> Result<Option<CurrentDate>, DamagedRow> {
        Ok(rows.get(portfolio)?.map(|_| CurrentDate::utc(now)))
    }
}

/// Its tables.
pub(super) const TABLES: [Table; 7] = [
    Table::of::<Office, Portfolio>(),
    Table::of::<Office, Organization>(),
    Table::of::<Office, Project>(),
    Table::of::<Office, Phase>(),
    Table::of::<Office, Batch>(),
    Table::of::<Office, Milestone>(),
    Table::of::<Office, Grant>(),
];

const fn index(tag: u8, under: usize, by: &'static [By]) -> Index {
    Index { tag, under, by, live: false, when: &[], orders: true }
}

impl Rules<Office> for Portfolio {
    type Above = TopLevel;

    const TABLE: u8 = 1;
    const TABLE_NAME: &'static str = "office.portfolios";
    const ID_PREFIX: char = 'p';
    const INDEXES: &'static [Index] = &[index(16, 0, &[By::Field("display_name")])];

    /// A field of output is as of the read.
    const SHOW: Option<Show<Office, Self>> = Some(|_, now, _, portfolio| {
        let date = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        portfolio.current_date = Some(date_message(date));
        Ok(true)
    });
}

impl Rules<Office> for Organization {
    type Above = TopLevel;

    const TABLE: u8 = 2;
    const TABLE_NAME: &'static str = "office.organizations";
    const ID_PREFIX: char = 'o';
    const INDEXES: &'static [Index] =
        &[Index { live: true, orders: false, ..index(17, 0, &[By::Field("kind")]) }];
}

/// The grants of each principal.
pub(super) const BY_PRINCIPAL: Index =
    Index { live: true, orders: false, ..index(30, 0, &[By::Field("principal")]) };

impl Rules<Office> for Grant {
    type Above = TopLevel;

    const TABLE: u8 = 7;
    const TABLE_NAME: &'static str = "office.grants";
    const ID_PREFIX: char = 'g';
    const INDEXES: &'static [Index] = &[BY_PRINCIPAL];
}

/// The projects of each portfolio by their status.
pub(super) const BY_STATUS: Index =
    Index { live: true, orders: false, ..index(20, 1, &[By::Field("status")]) };

/// The parts of projects.
pub(super) const PARTS: Index = Index { tag: 21, by: &[By::Field("parent_project")], ..BY_STATUS };

/// The projects of each portfolio by the organizations that are parties to them.
pub(super) const PARTIES: Index =
    Index { orders: false, ..index(31, 1, &[By::Path(&["parties", "organization"])]) };

/// The projects of each portfolio by their names and when they are planned to end.
pub(super) const PLANNED_END: Index = Index {
    orders: false,
    ..index(33, 1, &[By::Field("display_name"), By::Path(&["planned_period", "end_date"])])
};

impl Rules<Office> for Project {
    type Above = Under<Portfolio>;

    const TABLE: u8 = 3;
    const TABLE_NAME: &'static str = "office.projects";
    const ID_PREFIX: char = 'p';
    const INDEXES: &'static [Index] = &[
        BY_STATUS,
        PARTS,
        index(18, 1, &[By::Field("display_name")]),
        index(24, 1, &[By::Field("update_time")]),
        PARTIES,
        PLANNED_END,
    ];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        if field == "sector" && self.sector == "none" {
            violations.push("sector", "NO_SECTOR", "none is no sector");
        }
    }

    fn check_parts(&self, field: &str, violations: &mut Violations) {
        if let ("site", Some(Site { latitude: Some(_), longitude: None, .. })) = (field, &self.site) {
            violations.push("site.longitude", "REQUIRED", "give both coordinates or neither");
        }
    }

    fn check(&self, violations: &mut Violations) {
        if !self.scale.is_empty() && self.scale == self.purpose {
            violations.push("scale", "REPEATS", "the scale says what the purpose says");
        }
    }

    fn check_stored(&self) -> Result<(), Unreadable> {
        if self.status > 7 { Err(Unreadable::of("status", "is unknown")) } else { Ok(()) }
    }

    fn begin(&mut self) {
        self.set_status(project::Status::Proposed);
    }

    fn admit(
        _: &Scope<'_, Office>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        refuse(after, if before.is_some() { "no-more" } else { "no-new" })
    }

    fn release(_: &Scope<'_, Office>, project: &Checked<Self>) -> Result<(), Rejection> {
        refuse(project, "no-less")
    }

    /// Says what happened.
    fn complete(
        _: &Scope<'_, Office>,
        kind: &EventKind,
        _: &Name<Self>,
        before: Option<&Checked<Self>>,
        project: &mut Self,
    ) -> Result<(), Rejection> {
        project.status_reason = format!("{kind:?} {}", before.map_or("", |before| &before.etag));
        Ok(())
    }
}

fn refuse(project: &Checked<Project>, label: &str) -> Result<(), Rejection> {
    if project.labels.contains_key(label) {
        return Err(Rejection::precondition("REFUSED", project.name().to_string(), label));
    }
    Ok(())
}

impl Rules<Office> for Phase {
    type Above = Under<Project>;

    const TABLE: u8 = 4;
    const TABLE_NAME: &'static str = "office.phases";
    const ID_PREFIX: char = 'h';
    const INDEXES: &'static [Index] = &[
        index(22, 2, &[By::Field("order"), By::Deleted]),
        index(25, 1, &[By::Field("order"), By::Deleted]),
        index(26, 1, &[By::Field("display_name"), By::Field("create_time")]),
    ];
}

/// The batches of each portfolio by their members.
pub(super) const MEMBERS: Index = Index { orders: false, ..index(32, 1, &[By::Path(&["members"])]) };

impl Rules<Office> for Batch {
    type Above = Under<Portfolio>;

    const TABLE: u8 = 5;
    const TABLE_NAME: &'static str = "office.batches";
    const ID_PREFIX: char = 'b';
    const INDEXES: &'static [Index] = &[index(23, 0, &[By::Field("start_date")]), MEMBERS];
}

/// The milestones of each portfolio by forecast, or by baseline where there is none.
pub(super) const DUE: Index = index(27, 1, &[By::FirstDate(&["forecast_date", "baseline_date"])]);

/// The planned ones that have a baseline, by it.
pub(super) const PLANNED: Index = Index {
    live: true,
    when: &[When::Is("state", State::Planned as i32), When::Has("baseline_date")],
    orders: false,
    ..index(28, 1, &[By::Field("baseline_date")])
};

impl Rules<Office> for Milestone {
    type Above = Under<Project>;

    const TABLE: u8 = 6;
    const TABLE_NAME: &'static str = "office.milestones";
    const ID_PREFIX: char = 'm';
    const INDEXES: &'static [Index] =
        &[DUE, PLANNED, Index { live: false, ..index(29, 0, &[By::Field("display_name")]) }];

    /// What was stored without a type is of this one.
    const UPGRADE: Option<Upgrade<Self>> = Some(|milestone| {
        let old = milestone.r#type.is_empty();
        if old {
            milestone.r#type = "old".to_owned();
        }
        Ok(old)
    });

    fn begin(&mut self) {
        self.set_state(State::Planned);
    }

    /// A remark is announced besides.
    fn describe(
        _: &Scope<'_, Office>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        if after.remarks.is_empty() {
            return Ok(change);
        }
        let payload = Payload::MilestoneOutlookChanged(MilestoneOutlookChanged::default());
        let kind = EventKind::custom("milepost.milestone.outlook_changed", payload);
        Ok(change.announcing(Some(Change::of(kind, before, after.clone()).naming(vec!["remarks"]))))
    }
}

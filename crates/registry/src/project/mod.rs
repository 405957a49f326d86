//! Projects: what is built.
//!
//! Invariants: a project's status changes only by the method named after the change; every amount is
//! exact and its lists add up to something that can be held; what is said of the past is not after
//! today. `status` has the machine, `references` what a project refers to, `plan` the adjustment of plans, `history` what
//! was reported before.

pub(crate) mod investment;
pub(crate) mod plan;
pub(crate) mod references;
pub(crate) mod status;

use std::collections::BTreeSet;

use milepost_proto::registry::v1::{Period, Portfolio, Project, Site, project};
use milepost_resource::{
    By, Change, Checked, Created, Index, Name, PutBesides, Rules, Under, Unreadable, date,
};
use milepost_types::{Precondition, ProjectCode, Rejection, ResourceName, Violations, limits};

use crate::collection::completed_by;
use crate::liaison::check_return;
use crate::portfolio::{check_not_after, today};
use crate::tables::{Registry, Scope, history};
use status::{Stage, Status, wrong_state};

/// The projects of each portfolio by their status.
pub(crate) const BY_STATUS: Index =
    Index { tag: 20, under: 1, by: &[By::Field("status")], live: true, when: &[], orders: false };

/// The projects of all portfolios by the organizations that take part in them.
pub(crate) const BY_PARTY: Index =
    Index { tag: 71, under: 0, by: &[By::Path(&["parties", "organization"])], ..BY_STATUS };

/// The parts of projects.
const PARTS: Index = Index { tag: 21, by: &[By::Field("parent_project")], ..BY_STATUS };

/// The scheme whose codes have a shape.
const NATIONAL_SCHEME: &str = "GB/T 40058";

impl Rules<Registry> for Project {
    type Above = Under<Portfolio>;

    const TABLE: u8 = 3;
    const TABLE_NAME: &'static str = "registry.projects";
    const ID_PREFIX: char = 'p';
    const INDEXES: &'static [Index] = &[
        BY_STATUS,
        PARTS,
        Index { tag: 18, by: &[By::Field("display_name")], live: false, orders: true, ..BY_STATUS },
        BY_PARTY,
        Index { tag: 24, by: &[By::Field("update_time")], live: false, orders: true, ..BY_STATUS },
    ];

    const PUT_BESIDES: Option<PutBesides> = Some(history::put);

    fn check_parts(&self, field: &str, violations: &mut Violations) {
        let missing = match (field, &self.site) {
            ("site", Some(Site { latitude: Some(_), longitude: None, .. })) => "longitude",
            ("site", Some(Site { latitude: None, longitude: Some(_), .. })) => "latitude",
            _ => return,
        };
        violations.push(format!("site.{missing}"), "REQUIRED", "give both coordinates or neither");
    }

    fn check(&self, violations: &mut Violations) {
        let mut seen = BTreeSet::new();
        for (i, code) in self.codes.iter().enumerate() {
            if !seen.insert(&code.scheme) {
                let description = "a project has one code of a scheme";
                violations.push(format!("codes[{i}].scheme"), "DUPLICATE", description);
            }
            if code.scheme == NATIONAL_SCHEME {
                violations.check(format!("codes[{i}].code"), code.code.parse::<ProjectCode>());
            }
        }
        investment::check(self, violations);
    }

    fn check_stored(&self) -> Result<(), Unreadable> {
        Status::of(self).map(|_| ())
    }

    fn begin(&mut self) {
        self.set_status(project::Status::Proposed);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        check_days(scope, before, after)?;
        references::check(scope, before, after)?;
        if before.is_some_and(|before| before.is_deleted()) {
            check_return(scope, after.name())?;
        }
        Ok(())
    }

    fn admit_created(scope: &Scope<'_>, created: &[Created<Self>]) -> Result<(), Rejection> {
        let mut violations = Violations::new();
        if let Some(first) = created.first() {
            let today = today(scope, &first.resource.name().parent())?;
            for Created { field, resource } in created {
                find_future(field, resource.actual_period, today, &mut violations);
                investment::find_future(field, resource, today, &mut violations);
            }
        }
        violations.into_result(())?;
        references::check_created(scope, created)
    }

    fn release(scope: &Scope<'_>, project: &Checked<Self>) -> Result<(), Rejection> {
        let construction = Status::At(Stage::Construction);
        if Status::of(project).ok() == Some(construction) {
            let allowed = Status::ALL.into_iter().filter(|status| *status != construction);
            return Err(wrong_state(project, "delete", allowed));
        }
        let parent = [project.name().id().as_str().as_bytes(), &[0]].concat();
        let parts = scope.rows.names::<Project>(PARTS, project.name().parent_ids(), &parent);
        let condition = |part: Name<Project>| {
            let (subject, description) = if references::may_read(scope, &part) {
                (part.to_string(), "it names the project as its parent_project; delete or change it first")
            } else {
                (project.name().to_string(), "a project that you may not read names it as its parent_project")
            };
            Precondition { kind: "HAS_PARTS", subject, description: description.to_owned() }
        };
        let conditions: Vec<_> = parts.take(limits::PARTS_NAMED).map(condition).collect();
        Rejection::unless_met(conditions)
    }

    /// Announces what becomes complete by it.
    fn describe(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        Ok(change.announcing(completed_by(scope, before, after)?))
    }
}

/// Refuses new days of what has happened, or was reported, that are after today: all of them.
fn check_days(
    scope: &Scope<'_>,
    before: Option<&Checked<Project>>,
    after: &Checked<Project>,
) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    let is_new = after.actual_period.is_some()
        && before.map(|before| before.actual_period) != Some(after.actual_period);
    let has_new = investment::has_new_days(before.map(|before| &**before), after);
    if is_new || has_new {
        let today = today(scope, &after.name().parent())?;
        let period = after.actual_period.filter(|_| is_new);
        find_future("project", period, today, &mut violations);
        if has_new {
            investment::find_future("project", after, today, &mut violations);
        }
    }
    Ok(violations.into_result(())?)
}

/// Refuses an actual period that changed and reaches past today, in the resource at this field of the request.
pub(crate) fn check_actual_period(
    scope: &Scope<'_>,
    portfolio: &Name<Portfolio>,
    field: &str,
    before: Option<Option<Period>>,
    after: Option<Period>,
) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    if after.is_some() && before != Some(after) {
        find_future(field, after, today(scope, portfolio)?, &mut violations);
    }
    Ok(violations.into_result(())?)
}

fn find_future(field: &str, period: Option<Period>, today: jiff::civil::Date, violations: &mut Violations) {
    let Period { start_date, end_date } = period.unwrap_or_default();
    for (end, given) in [("start_date", start_date), ("end_date", end_date)] {
        let (field, given) = (format!("{field}.actual_period.{end}"), date(given.as_ref()));
        check_not_after(&field, given, today, "plans belong into planned_period", violations);
    }
}

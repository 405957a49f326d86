//! The tables of the registry's store, on one page.
//!
//! A key begins with its table's tag; ids are ASCII without a zero, so a zero byte ends what is not last
//! and keys order as names do. Numbers are big-endian, signed ones with the sign bit flipped. The value
//! of a resource's row is its encoded public message, the bytes of the event that put it; what else can be
//! found by it stands in index tables without values, whose keys end with the resource's id. What a resource said before
//! stands in a history, which is only added to.
//!
//! Changing a layout means a new [`STORE_VERSION`]: stores are rebuilt. A tag is persisted, and never used
//! again for something else.
//!
//! | table | tag | key after the tag | value |
//! |---|---|---|---|
//! | portfolios | 1 | portfolio | `registry.v1.Portfolio` |
//! | organizations | 2 | organization | `registry.v1.Organization` |
//! | projects | 3 | portfolio 0 project | `registry.v1.Project` |
//! | phases | 4 | portfolio 0 project 0 phase | `registry.v1.Phase` |
//! | batches | 5 | portfolio 0 batch | `registry.v1.Batch` |
//! | grants | 6 | grant, or portfolio 0 grant, or portfolio 0 project 0 grant | `access.v1.Grant` |
//! | service accounts | 7 | service account | `access.v1.ServiceAccount` |
//! | API tokens | 8 | API token | `access.v1.ApiToken` |
//! | portfolios by display name | 16 | display name 0 portfolio | – |
//! | organizations by display name | 17 | display name 0 organization | – |
//! | projects by display name | 18 | portfolio 0 display name 0 project | – |
//! | retired: projects by minute of update | 19 | | |
//! | projects by status, not deleted | 20 | portfolio 0 status (u8) project | – |
//! | parts by parent, not deleted | 21 | portfolio 0 parent 0 project | – |
//! | phases by order | 22 | portfolio 0 project 0 order (u32) deleted (u8) phase | – |
//! | batches by start date | 23 | portfolio 0 year (u16) month (u8) day (u8) batch | – |
//! | projects by time of update | 24 | portfolio 0 seconds (i64) nanoseconds (u32) project | – |
//! | phases by order across projects | 25 | portfolio 0 order (u32) deleted (u8) project 0 phase | – |
//! | grants by principal, not revoked | 26 | principal 0, then as the key of the grant | – |
//! | annual lists | 27 | portfolio 0 year | `registry.v1.AnnualList` |
//! | what was reported of projects, of a year or of none (0) | 28 | portfolio 0 year (u16) project 0 number (u32) | facts, see crate `milepost-figures` |
//! | collections | 35 | portfolio 0 collection | `registry.v1.Collection` |
//! | indicators | 36 | portfolio 0 indicator | `registry.v1.Indicator` |
//! | observations | 37 | portfolio 0 indicator 0 observation | `registry.v1.Observation` |
//! | collections by display name | 38 | portfolio 0 display name 0 collection | – |
//! | collections by member | 39 | portfolio 0 project 0 collection | – |
//! | collections by contributing project | 40 | portfolio 0 project 0 collection | – |
//! | indicators by display name | 41 | portfolio 0 display name 0 indicator | – |
//! | indicators by what they are a part of, not deleted | 42 | portfolio 0 indicator 0 indicator | – |
//! | observations by series and period | 43 | portfolio 0 indicator 0 series 0 end: year (u16) month (u8) day (u8), start: the same, observation | – |
//! | assignments | 50 | portfolio 0 project 0 assignment | `registry.v1.Assignment` |
//! | assignments by person | 51 | portfolio 0 person 0 project 0 assignment | – |
//! | alliances | 52 | portfolio 0 alliance | `registry.v1.Alliance` |
//! | alliances by display name | 53 | portfolio 0 display name 0 alliance | – |
//! | activities | 54 | portfolio 0 alliance 0 activity | `registry.v1.Activity` |
//! | activities by date | 55 | portfolio 0 alliance 0 year (u16) month (u8) day (u8) activity | – |
//! | activities by date across alliances | 56 | portfolio 0 year (u16) month (u8) day (u8) alliance 0 activity | – |
//! | policy programmes | 65 | programme | `registry.v1.PolicyProgramme` |
//! | policies | 66 | programme 0 policy | `registry.v1.Policy` |
//! | policy programmes by display name | 67 | display name 0 programme | – |
//! | policies by display name | 68 | programme 0 display name 0 policy | – |
//! | policies by group, not deleted | 69 | programme 0 group 0 policy | – |
//! | policies by state, not deleted | 70 | state (u8) programme 0 policy | – |
//! | projects by party, not deleted | 71 | organization 0 portfolio 0 project | – |
//! | matches | 72 | programme 0 policy 0 organization 0, then portfolio 0 project 0 or nothing | – |
//! | matches by project | 73 | portfolio 0 project 0 organization 0 programme 0 policy 0 | – |
//! | pending rematches | 74 | name | the event's id, and how far it was followed |

pub(crate) mod history;
pub(crate) mod matches;

use jiff::Timestamp;
use milepost_ledger::{Context, Decision, Domain, Entry, Read, Unusable, Write};
use milepost_proto::access::v1::{ApiToken, Grant, ServiceAccount};
use milepost_proto::registry::v1::{
    Activity, Alliance, AnnualList, Assignment, Batch, Collection, Indicator, Observation, Organization,
    Phase, Policy, PolicyProgramme, Portfolio, Project,
};
use milepost_resource::{Checked, Command, Dates, Name, Table};
use milepost_types::filter::CurrentDate;
use milepost_types::{DamagedRow, LedgerKind, Rejection, TimeZoneId};

use crate::policy::expression::Expressions;
use crate::portfolio::current_date;
use std::sync::Arc;

/// Raised when a table or `apply` changes: stores of another version are rebuilt.
pub(crate) const STORE_VERSION: u32 = 6;

impl Dates for Registry {
    fn current_date(
        rows: &Rows<'_>,
        name: &Name<Portfolio>,
        now: Timestamp,
    ) -> Result<Option<CurrentDate>, DamagedRow> {
        let dated = |portfolio: Checked<Portfolio>| {
            let zone = TimeZoneId::stored(portfolio.time_zone.clone());
            CurrentDate::new(current_date(&portfolio, now), &zone)
        };
        Ok(rows.get(name)?.map(dated))
    }
}

/// What a decision of the registry depends on.
pub(crate) type Scope<'a> = milepost_resource::Scope<'a, Registry>;

/// The rows of the registry.
pub(crate) type Rows<'a> = milepost_resource::Rows<'a, Registry>;

/// The resources of the registry.
pub(crate) const TABLES: &[Table] = &[
    Table::of::<Registry, Portfolio>(),
    Table::of::<Registry, Organization>(),
    Table::of::<Registry, Project>(),
    Table::of::<Registry, Phase>(),
    Table::of::<Registry, Batch>(),
    Table::of::<Registry, Grant>(),
    Table::of::<Registry, ServiceAccount>(),
    Table::of::<Registry, ApiToken>(),
    Table::of::<Registry, Collection>(),
    Table::of::<Registry, Indicator>(),
    Table::of::<Registry, Observation>(),
    Table::of::<Registry, Assignment>(),
    Table::of::<Registry, Alliance>(),
    Table::of::<Registry, Activity>(),
    Table::of::<Registry, PolicyProgramme>(),
    Table::of::<Registry, Policy>(),
    Table::of::<Registry, AnnualList>(),
];

/// The rules of the registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    /// The expressions of policies, as they were compiled.
    pub(crate) expressions: Arc<Expressions>,
}

impl Domain for Registry {
    type Command = Arc<Command<Self>>;
    type Rejection = Rejection;

    const STORE_VERSION: u32 = STORE_VERSION;

    fn decide(
        &self,
        rows: &dyn Read,
        command: &Arc<Command<Self>>,
        context: &Context,
    ) -> Result<Decision, Rejection> {
        milepost_resource::decide(self, LedgerKind::Registry, rows, command, context)
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        milepost_resource::apply(rows, entry, LedgerKind::Registry, TABLES)?;
        matches::apply(rows, entry)
    }
}

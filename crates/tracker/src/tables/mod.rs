//! The tracker's rows, all on one page.
//!
//! | tag | table | key after the tag | value |
//! |---|---|---|---|
//! | 1 | milestone | portfolio `0` project `0` milestone | the encoded `tracker.v1.Milestone` |
//! | 2 | due | portfolio `0` due date, project `0` milestone | nothing |
//! | 3 | baseline | portfolio `0` baseline date, project `0` milestone | nothing |
//! | 4 | portfolio | portfolio | the encoded `event.v1.FollowedPortfolio` |
//! | 5 | project | portfolio `0` project | the encoded `event.v1.FollowedProject` |
//! | 6 | date | portfolio | the portfolio's current date, and which entry announced it |
//! | 7 | source | the followed ledger's kind | the position that was followed to |
//! | 8 | advancing | portfolio | how far the sweep of the next day has come, if it has begun |
//! | 9 | partly | the followed ledger's kind | how much of the next entry was taken over, if a part was |
//! | 10 | later_logs | log id, log id of a later log | the sequence and hash of the last entry that both have |
//! | 11 | timeline_entry | portfolio `0` entry | the encoded `tracker.v1.TimelineEntry` |
//! | 12 | timeline | portfolio `0` published date, rank in the day (i32), entry | nothing |
//! | 13 | entries by date | portfolio `0` date, entry | nothing |
//! | 14 | entries by merge key | portfolio `0` merge key `0` entry | nothing |
//! | 15 | timeline_rule | portfolio `0` rule | the encoded `tracker.v1.TimelineRule` |
//! | 16 | rules by event type | event type `0` portfolio `0` rule | nothing |
//! | 30 | service_request | portfolio `0` project `0` service request | the encoded `tracker.v1.ServiceRequest` |
//! | 31 | by due date | portfolio `0` due date, project `0` service request | nothing |
//! | 32 | next rise | portfolio `0` date, project `0` service request | nothing |
//! | 33 | assignment | portfolio `0` project `0` assignment | the encoded `event.v1.FollowedAssignment` |
//! | 34 | assignment_day | portfolio `0` date, project `0` assignment | nothing |
//! | 35 | mirror_version | the followed ledger's kind | which version of the mirror is complete |
//! | 36 | by state | portfolio `0` state, project `0` service request | nothing |
//! | 37 | project_history | portfolio `0` year (u16) project `0` number (u32) | facts, see crate `milepost-figures` |
//! | 38 | milestone_outcome | portfolio `0` project `0` milestone | its outcomes, each with when it was reported |
//! | 39 | passed_over_start | portfolio `0` project `0` milestone | the day of the start that passed it over |
//! | 40 | inspection | portfolio `0` project `0` inspection | the encoded `tracker.v1.Inspection` |
//! | 41 | by date | portfolio `0` date, project `0` inspection | nothing |
//! | 42 | follow-ups | portfolio `0` project `0` followed inspection `0` inspection | nothing |
//! | 43 | finding | portfolio `0` project `0` finding | the encoded `tracker.v1.Finding` |
//! | 44 | by date | portfolio `0` date, project `0` finding | nothing |
//! | 46 | rectification_order | portfolio `0` project `0` order | the encoded `tracker.v1.RectificationOrder` |
//! | 47 | next change | portfolio `0` date, project `0` order | nothing |
//! | 48 | by due date | portfolio `0` due date, project `0` order | nothing |
//! | 49 | by responsible | portfolio `0` organization `0` project `0` order | nothing |
//! | 50 | by light | portfolio `0` light, project `0` order | nothing |
//! | 51 | by state | portfolio `0` state, project `0` order | nothing |
//! | 55 | template | portfolio `0` template | the encoded `tracker.v1.Template` |
//! | 56 | template_version | portfolio `0` template `0` version | the encoded `tracker.v1.TemplateVersion` |
//! | 57 | versions by day | portfolio `0` template `0` date, version | nothing |
//! | 58 | by coupling | portfolio `0` project `0` coupling `0` milestone | nothing |
//! | 59 | by requirement | portfolio `0` project `0` code `0` milestone | nothing |
//! | 60 | by type | portfolio `0` project `0` type `0` milestone | nothing |
//! | 61 | next expiry | portfolio `0` date, project `0` milestone | nothing |
//! | 62 | by until type | portfolio `0` project `0` type `0` milestone | nothing |
//! | 63 | by gate member | portfolio `0` project `0` id of the member `0` milestone | nothing |
//! | 64 | file by | portfolio `0` date, project `0` milestone | nothing |
//! | 70 | campaign | portfolio `0` campaign | the encoded `tracker.v1.Campaign` |
//! | 71 | campaigns by first day | portfolio `0` date, campaign | nothing |
//! | 72 | open campaigns by first day | portfolio `0` date, campaign | nothing |
//! | 73 | daily_standings | portfolio `0` campaign `0` date | the encoded `tracker.v1.CampaignStandings` |
//! | 74 | frozen_standings | portfolio `0` campaign `0` number (u32) of the sign-off | the same |
//! | 85 | warning_policy | portfolio `0` policy | the encoded `tracker.v1.WarningPolicy` |
//! | 86 | next evaluation | portfolio `0` date, policy | nothing |
//! | 87 | warning | portfolio `0` project `0` warning | the encoded `tracker.v1.Warning` |
//! | 88 | by period | portfolio `0` project `0` policy `0` period end, revision (i32), warning | nothing |
//! | 89 | warnings by end | portfolio `0` period end, project `0` warning | nothing |
//! | 90 | excuse | portfolio `0` project `0` excuse | the encoded `tracker.v1.Excuse` |
//! | 91 | granted | portfolio `0` policy `0` project `0` excuse | nothing |
//!
//! In 58 to 64 are only milestones that a template made.
//!
//! Ids are as in names; they have no byte `0`, so keys order as names do. Dates are four bytes that order
//! as dates do; none comes after all of them. Tables of resources are listed in [`TABLES`]: their rules say
//! what they, and their indexes, hold.
//! Tags are persisted and never reused. Every row is derived from the journal; raise `STORE_VERSION`
//! when a key, a value or what makes a row changes.
//! Invariants: each milestone, deleted or not, has exactly one row in `due`; it has one in `baseline`
//! exactly while it is PLANNED, has a baseline and is not deleted. A row that cannot be decoded is damage:
//! named, for whatever needs it.

pub(crate) mod advancing;
pub(crate) mod assignment;
pub(crate) mod date;
pub(crate) mod key;
pub(crate) mod later_logs;
pub(crate) mod mirror_version;
pub(crate) mod outcome;
pub(crate) mod partly;
pub(crate) mod passed_over_start;
pub(crate) mod portfolio;
pub(crate) mod project;
pub(crate) mod source;
pub(crate) mod standings;
pub(crate) mod supervised;

use milepost_proto::tracker::v1::{
    Campaign, Excuse, Finding, Inspection, Milestone, RectificationOrder, ServiceRequest, Template,
    TemplateVersion, TimelineEntry, TimelineRule, Warning, WarningPolicy,
};
use milepost_types::DamagedRow;

use crate::decide::Tracker;

/// Raised whenever `apply` or a table changes.
pub(crate) const STORE_VERSION: u32 = 12;

/// The resources of the tracker. The first are found first: most events are of milestones.
pub(crate) const TABLES: &[milepost_resource::Table] = &[
    milepost_resource::Table::of::<Tracker, Milestone>(),
    milepost_resource::Table::of::<Tracker, ServiceRequest>(),
    milepost_resource::Table::of::<Tracker, TimelineEntry>(),
    milepost_resource::Table::of::<Tracker, TimelineRule>(),
    milepost_resource::Table::of::<Tracker, Inspection>(),
    milepost_resource::Table::of::<Tracker, Finding>(),
    milepost_resource::Table::of::<Tracker, RectificationOrder>(),
    milepost_resource::Table::of::<Tracker, Template>(),
    milepost_resource::Table::of::<Tracker, TemplateVersion>(),
    milepost_resource::Table::of::<Tracker, WarningPolicy>(),
    milepost_resource::Table::of::<Tracker, Warning>(),
    milepost_resource::Table::of::<Tracker, Excuse>(),
    milepost_resource::Table::of::<Tracker, Campaign>(),
];

/// The tag of each table but those of resources. Persisted; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Table {
    Portfolio = 4,
    Project = 5,
    Date = 6,
    Source = 7,
    Advancing = 8,
    Partly = 9,
    LaterLogs = 10,
    Assignment = 33,
    AssignmentDay = 34,
    MirrorVersion = 35,
    ProjectHistory = 37,
    MilestoneOutcome = 38,
    PassedOverStart = 39,
    DailyStandings = 73,
    FrozenStandings = 74,
}

impl Table {
    /// The row of this table that cannot be decoded.
    pub(crate) fn damaged(self, key: &[u8], what: impl std::fmt::Display) -> DamagedRow {
        let name = match self {
            Table::Portfolio => "tracker.portfolio",
            Table::Project => "tracker.project",
            Table::Date => "tracker.date",
            Table::Source => "tracker.source",
            Table::Advancing => "tracker.advancing",
            Table::Partly => "tracker.partly",
            Table::LaterLogs => "tracker.later_logs",
            Table::Assignment => "tracker.assignment",
            Table::AssignmentDay => "tracker.assignment_day",
            Table::MirrorVersion => "tracker.mirror_version",
            Table::MilestoneOutcome => "tracker.milestone_outcome",
            Table::PassedOverStart => "tracker.passed_over_start",
            Table::DailyStandings => "tracker.daily_standings",
            Table::FrozenStandings => "tracker.frozen_standings",
            Table::ProjectHistory => "tracker.project_history",
        };
        DamagedRow::new(name, key, what)
    }
}

impl From<Table> for u8 {
    fn from(table: Table) -> u8 {
        table as u8
    }
}

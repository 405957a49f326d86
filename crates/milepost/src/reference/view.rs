//! What the page shows: read through the API, drawn without it.
//!
//! A section that is `None` is left out: an older server does not have it. So are campaigns, warnings, orders and templates
//! of a portfolio that has none.
//!
//! Invariants: what is absent is `None` or empty, and never zero. What was declared and what is registered stand in
//! fields of their own. Texts are as people wrote them: whoever draws them escapes them.

use jiff::civil::Date;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::tracker::v1::campaign::State as CampaignState;
use milepost_proto::tracker::v1::campaign_criterion::Kind as CriterionKind;

use super::words::Words;
use crate::output::plan::Plan;
use crate::output::standings::Standing;
use crate::output::wall::Wall;

/// A portfolio on a day.
#[derive(Debug, Clone)]
pub struct View {
    /// The language of what is written around the data.
    pub words: Words,
    /// The BCP 47 tag that the page has.
    pub language: String,
    /// `portfolios/{portfolio}`
    pub name: String,
    /// What it is called in the language of the page.
    pub title: String,
    /// What else it is called.
    pub other_titles: Vec<String>,
    pub description: String,
    pub time_zone: String,
    pub currency: String,
    /// The day that the page is of.
    pub date: Date,
    /// The year of its rates.
    pub year: i32,
    /// Whether that day is today. If not, what is known only as of today says so.
    pub is_today: bool,
    pub projects: Projects,
    /// The number of milestones in each state, in the order of [`MilestoneState`], without states that have none.
    pub milestones: Vec<(MilestoneState, u64)>,
    pub lists: Option<Vec<List>>,
    /// In the order of their days.
    pub batches: Vec<Batch>,
    /// Days on which registered projects started, in order, with how many did.
    pub starts: Vec<(Date, u64)>,
    pub rates: Option<Rates>,
    pub collections: Option<Vec<Collection>>,
    /// Each part right after the whole that it is a part of.
    pub indicators: Option<Vec<Indicator>>,
    pub campaigns: Vec<Campaign>,
    pub warnings: Vec<Warnings>,
    pub orders: Option<Orders>,
    pub templates: Vec<Template>,
    pub timeline: Option<Vec<Entry>>,
}

/// The projects of a portfolio, as they are today.
#[derive(Debug, Clone, Default)]
pub struct Projects {
    /// How many there are.
    pub count: u64,
    /// How many of them are said to be key projects.
    pub key: u64,
    /// How many have each status, in the order of the statuses.
    pub by_status: Vec<(Status, u64)>,
}

/// How a milestone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MilestoneState {
    Achieved,
    PartiallyAchieved,
    OnTrack,
    DueSoon,
    AtRisk,
    Late,
    Overdue,
    /// It is to come, and has no date.
    Undated,
    NotMet,
    Cancelled,
}

/// An exact amount of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// The code of ISO 4217.
    pub currency: String,
    /// A decimal number.
    pub number: String,
}

/// How many, and how much.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// Absent: not said.
    pub count: Option<i64>,
    /// One a currency. Empty: not said.
    pub amounts: Vec<Amount>,
    /// How many are in the count and have no amount.
    pub without_amount: i64,
}

/// The list of a year.
#[derive(Debug, Clone)]
pub struct List {
    pub year: String,
    pub description: String,
    pub rows: Vec<ListRow>,
}

/// A category of the list of a year.
#[derive(Debug, Clone)]
pub struct ListRow {
    /// As the list names it.
    pub category: String,
    pub declared: Sum,
    pub registered: Sum,
}

/// A concentrated start.
#[derive(Debug, Clone)]
pub struct Batch {
    pub title: String,
    pub date: Option<Date>,
    /// Whether it happened.
    pub is_started: bool,
    pub declared: Sum,
    pub registered: Sum,
}

/// A computed figure, with what it rests on.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    /// Absent: it cannot be computed.
    pub value: Option<String>,
    /// Exact decimal numbers; empty: there is none.
    pub numerator: String,
    pub denominator: String,
    pub counted: i64,
    /// Whether what is missing could only make it greater.
    pub is_lower_bound: bool,
    /// What is missing, by why.
    pub missing: Vec<Missing>,
    /// How many are missing, named or not.
    pub missing_count: i64,
}

/// What is missing in a figure for one reason.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The reason, as in `NOT_REPORTED`.
    pub why: String,
    /// How many are named for it.
    pub count: usize,
    /// What the first of them are called.
    pub titles: Vec<String>,
}

/// The rates of a year.
#[derive(Debug, Clone)]
pub struct Rates {
    /// How many projects are counted as listed, and as split.
    pub listed_count: i64,
    pub split_count: i64,
    /// Whether the list of the year says how projects are listed.
    pub has_list: bool,
    pub currency: String,
    pub rates: Vec<(RateKind, Figure)>,
    /// What was completed without a plan, which is in no rate.
    pub unplanned: Option<Amount>,
}

/// Which rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateKind {
    Start,
    Investment,
    Completion,
    Funds,
    Enrolment,
    TimeProgress,
    Ahead,
}

/// A set or network of projects, and how far it is built.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    pub title: String,
    /// As people name it: `ring`, `grid`.
    pub kind: String,
    pub description: String,
    pub unit: String,
    pub whole: Progress,
    /// Without what is in no group.
    pub groups: Vec<Progress>,
    pub elements: Vec<Element>,
    pub member_count: i64,
    pub members_by_status: Vec<(Status, u64)>,
}

/// How far several elements of a collection are built.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Empty: the whole collection.
    pub group: String,
    pub registered_count: i64,
    /// Absent: not said.
    pub declared_count: Option<i64>,
    /// Decimal numbers in the collection's unit; empty: not said.
    pub planned: String,
    pub built: String,
    /// The built share of the plans, in percent.
    pub share: Figure,
    pub complete_count: i64,
}

/// One part of a collection.
#[derive(Debug, Clone, Default)]
pub struct Element {
    pub title: String,
    pub group: String,
    /// Decimal numbers in the collection's unit; empty: not said.
    pub planned: String,
    pub built: String,
    pub is_complete: bool,
}

/// What an office counts.
#[derive(Debug, Clone, Default)]
pub struct Indicator {
    pub title: String,
    /// How many wholes it is a part of, one in the other.
    pub depth: usize,
    pub unit: String,
    pub scope: String,
    pub value: Value,
    /// Where the value is from.
    pub sources: Vec<String>,
    /// What its parts add up to, if that is computed.
    pub sum_of_parts: Option<(Qualifier, Figure)>,
    pub targets: Vec<Target>,
    pub contradictions: Vec<Contradiction>,
    /// How many contradictions there are, also those that are not named.
    pub contradiction_count: i64,
}

/// The value of an indicator.
#[derive(Debug, Clone, Default)]
pub struct Value {
    pub number: Option<String>,
    pub qualifier: Qualifier,
    /// The first and the last day that it is of.
    pub period: Option<(Date, Date)>,
    /// Whether there is none because observations contradict each other.
    pub is_contradicted: bool,
}

/// How exact a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Qualifier {
    #[default]
    Exact,
    AtLeast,
    AtMost,
    About,
}

/// What an indicator is to come to.
#[derive(Debug, Clone)]
pub struct Target {
    /// A year, or a day.
    pub due: String,
    pub number: String,
    pub verdict: Verdict,
}

/// Whether an indicator comes to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Reached,
    Missed,
    Open,
    Unknown,
}

/// Values that cannot all be.
#[derive(Debug, Clone)]
pub struct Contradiction {
    pub clash: Clash,
    /// The last day that it is of.
    pub date: Option<Date>,
    /// Whose each is, and what it is.
    pub values: Vec<(String, Qualifier, String)>,
    /// How many further values there are.
    pub more: usize,
}

/// How values contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    Observations,
    ExceedsWhole,
    ExceededByPart,
    ExceededBySum,
}

/// An entry of the timeline.
#[derive(Debug, Clone)]
pub struct Entry {
    pub date: Option<Date>,
    /// What it is about, in the language of the page.
    pub kind: String,
    pub headline: String,
    /// The language of the headline, if the one of the page is not served by it; so for the others.
    pub headline_language: String,
    pub text: String,
    pub text_language: String,
    pub figures: Vec<EntryFigure>,
}

/// A figure of an entry.
#[derive(Debug, Clone)]
pub struct EntryFigure {
    pub label: String,
    pub label_language: String,
    pub value: String,
    pub is_declared: bool,
}

/// A campaign, and how its members stand.
#[derive(Debug, Clone, Default)]
pub struct Campaign {
    pub title: String,
    pub description: String,
    pub state: CampaignState,
    pub start: Option<Date>,
    pub end: Option<Date>,
    /// The day of the standings, and the number of the sign-off that froze them; 0: none did.
    pub date: Option<Date>,
    pub sign_off: i32,
    pub criteria: Vec<Criterion>,
    /// The first members.
    pub standings: Vec<Standing>,
    /// How many further members there are, and how many of them have no rank.
    pub more: usize,
    pub more_unranked: usize,
}

/// What members of a campaign are judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    pub id: String,
    pub kind: CriterionKind,
    /// How many ten-thousandths it counts.
    pub weight_bp: i32,
}

/// What a warning policy found.
#[derive(Debug, Clone, Default)]
pub struct Warnings {
    pub title: String,
    pub description: String,
    /// The last periods, and the projects with the worst lights.
    pub wall: Wall,
}

/// Rectification orders that are not done.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Only kinds that there are, in their order.
    pub groups: Vec<OrderGroup>,
    /// Whose orders are overdue, and how many, the most first.
    pub overdue: Vec<(String, u64)>,
    /// How many further organizations have overdue orders, and how many orders these are.
    pub more_overdue: (u64, u64),
}

/// Orders of one kind.
#[derive(Debug, Clone)]
pub struct OrderGroup {
    pub kind: OrderKind,
    pub count: u64,
    /// Those that are due first; of what is not due soon none.
    pub first: Vec<Order>,
}

/// What an order waits for, and how it stands to its due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderKind {
    Red,
    Yellow,
    Blue,
    Waiting,
    Open,
}

/// A rectification order.
#[derive(Debug, Clone, Default)]
pub struct Order {
    pub title: String,
    pub project: String,
    pub responsible: String,
    pub due: Option<Date>,
    /// How far it escalated.
    pub level: i32,
    pub is_stop_work: bool,
}

/// A template, and what its version in force consists of.
#[derive(Debug, Clone, Default)]
pub struct Template {
    pub title: String,
    pub description: String,
    /// What the version is called, and from when on it is in force.
    pub version: String,
    pub in_force_from: Option<Date>,
    pub plan: Plan,
}

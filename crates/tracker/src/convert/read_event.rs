//! The parts of stored events that are read back: for rows, for answers, for the history of forecasts.
//!
//! Invariant: what is read is read without the rest, and a resource or a fact stays the very bytes that were
//! written. A part that is not there is no fault: events of types that this version does not know have
//! none of them.

use std::str::FromStr;

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::position_from_proto;
use milepost_proto::access::v1::{ApiToken, Grant, ServiceAccount};
use milepost_proto::event::v1 as proto;
use milepost_proto::journal::v1::Position as PositionMessage;
use milepost_proto::tracker::v1 as tracker;
use milepost_proto::wire::{Value, fields};
use milepost_resource::{Table, Unreadable};
use milepost_service::{source_reset, value};
use milepost_types::{GoOn, LedgerKind, NameError, Position};
use prost::Message;

use super::mirror::{assignment_from_stored, portfolio_from_stored, project_is_deleted};
use crate::convert::mirror::AccessFacts;
use crate::names::{AssignmentName, MilestoneName, PortfolioName, ProjectName};
use crate::tables::advancing::Advancing;
use crate::tables::date::Current;
use crate::tables::partly::Partly;
use crate::tables::{self, TABLES};

/// The parts of an event that rows come of, but for a resource.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct EffectView {
    #[prost(uint64, tag = "3")]
    sequence: u64,
    #[prost(string, tag = "4")]
    subject: String,
    #[prost(message, optional, tag = "135")]
    date_advanced: Option<proto::DateAdvanced>,
    #[prost(message, optional, tag = "136")]
    date_advancing: Option<proto::DateAdvancing>,
    #[prost(message, optional, tag = "150")]
    followed: Option<Followed>,
    #[prost(message, optional, tag = "151")]
    skipped: Option<proto::SourceSkipped>,
    #[prost(message, optional, tag = "152")]
    reset: Option<proto::SourceReset>,
    #[prost(message, optional, tag = "153")]
    partly_followed: Option<Followed>,
    #[prost(message, optional, tag = "190")]
    refollowed: Option<Refollowed>,
    #[prost(message, optional, tag = "253")]
    standings_computed: Option<StandingsComputed>,
}

/// A `CampaignStandingsComputed` whose standings stay the bytes that were written.
#[derive(Clone, PartialEq, prost::Message)]
struct StandingsComputed {
    #[prost(bytes = "bytes", tag = "1")]
    standings: Bytes,
}

/// A `SourceFollowed` or `SourcePartlyFollowed` whose facts stay the bytes that were written.
#[derive(Clone, PartialEq, prost::Message)]
struct Followed {
    #[prost(message, optional, tag = "1")]
    position: Option<PositionMessage>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    portfolios: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    projects: Vec<Bytes>,
    #[prost(uint64, tag = "4")]
    fact_count: u64,
    #[prost(uint64, tag = "5")]
    event_count: u64,
    #[prost(string, tag = "6")]
    through: String,
    #[prost(message, repeated, tag = "10")]
    grants: Vec<Grant>,
    #[prost(message, repeated, tag = "11")]
    service_accounts: Vec<ServiceAccount>,
    #[prost(message, repeated, tag = "12")]
    api_tokens: Vec<ApiToken>,
    #[prost(bytes = "bytes", repeated, tag = "20")]
    assignments: Vec<Bytes>,
    #[prost(uint32, tag = "21")]
    mirror_version: u32,
}

/// A `SourceRefollowed` whose facts stay the bytes that were written.
#[derive(Clone, PartialEq, prost::Message)]
struct Refollowed {
    #[prost(uint32, tag = "2")]
    mirror_version: u32,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    assignments: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    portfolios: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    projects: Vec<Bytes>,
}

/// The name of a fact.
#[derive(Clone, PartialEq, prost::Message)]
struct NameView {
    #[prost(string, tag = "1")]
    name: String,
}

/// What an event does to rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// A resource of the tracker is now this.
    Resource {
        /// The number of its field in the event, which says what kind of resource it is.
        field: u32,
        /// The encoded message.
        row: Bytes,
    },
    /// This is now the portfolio's current date.
    Date(PortfolioName, Current),
    /// A day is about to be the portfolio's current date.
    Advancing(PortfolioName, Advancing),
    /// The registry was followed up to here, and said this.
    Followed {
        /// The position.
        position: Position,
        /// What it said.
        facts: Facts,
        /// What it said of access.
        access: AccessFacts,
        /// How much the version that took it over kept.
        mirror_version: u32,
    },
    /// Of the registry's next entry a part was taken over, and said this.
    PartlyFollowed {
        /// Which entry, and which part.
        partly: Partly,
        /// What it said.
        facts: Facts,
    },
    /// Entries of the registry were read again, and said this of what had not been kept.
    Refollowed {
        /// What they said.
        facts: Facts,
        /// How much is kept of all of them now; 0: more are to come.
        mirror_version: u32,
    },
    /// The members of a campaign stood so: the encoded standings.
    Standings(Bytes),
    /// The start of a project on this day passed these milestones over.
    PassedOverStart(Date, Vec<MilestoneName>),
    /// The registry is followed from another position on, after it was followed to the first, if it was.
    Reset(Option<Position>, GoOn),
    /// Nothing.
    Nothing,
}

/// What the registry said: encoded messages, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Facts {
    /// Of portfolios.
    pub(crate) portfolios: Vec<(PortfolioName, Bytes)>,
    /// Of projects.
    pub(crate) projects: Vec<(ProjectName, Bytes)>,
    /// Of assignments.
    pub(crate) assignments: Vec<(AssignmentName, Bytes)>,
}

/// What a stored event of the tracker does to rows. What goes into rows can be decoded there.
///
/// # Errors
/// If it is not the tracker's, or cannot be read.
pub(crate) fn effect(event: &Bytes) -> Result<Effect, Unreadable> {
    let HeaderView { source, resource, .. } = header(event)?;
    if source != LedgerKind::Tracker.as_str().as_bytes() {
        let source = milepost_types::quoted(&String::from_utf8_lossy(source));
        return Err(Unreadable::new(format_args!("an event of {source}, not of the tracker")));
    }
    if let Some((field, table, resource)) = resource {
        table.check(&resource)?;
        // A copy: a slice would keep the whole entry in memory for as long as the row.
        return Ok(Effect::Resource { field, row: Bytes::copy_from_slice(&resource) });
    }
    let view = EffectView::decode(event.clone())?;
    let sequence = view.sequence;
    if let Some(advanced) = view.date_advanced {
        let date = required_date(advanced.current_date.as_ref())?;
        let sequence = advanced.previous_sequence.map(|_| sequence);
        let portfolio = view.subject.parse().map_err(Unreadable::new)?;
        let passed_over = advanced.passed_over;
        return Ok(Effect::Date(portfolio, Current { date, sequence, passed_over }));
    }
    if let Some(part) = view.date_advancing {
        let day = required_date(part.date.as_ref())?;
        let through = through(&part.through)?;
        let (due_soon, overdue) = (part.due_soon_count.cast_unsigned(), part.overdue_count.cast_unsigned());
        let portfolio = view.subject.parse().map_err(Unreadable::new)?;
        let passed_over = part.passed_over;
        let advancing = Advancing { day, sequence, due_soon, overdue, passed_over, through };
        return Ok(Effect::Advancing(portfolio, advancing));
    }
    if let Some(followed) = view.followed {
        let position = stored_position(followed.position)?;
        let mirror_version = followed.mirror_version;
        let facts = facts(followed.portfolios, followed.projects, followed.assignments)?;
        let Followed { grants, service_accounts, api_tokens, .. } = followed;
        let access = AccessFacts { grants, service_accounts, api_tokens };
        return Ok(Effect::Followed { position, facts, access, mirror_version });
    }
    if let Some(part) = view.partly_followed {
        let through = through(&part.through)?;
        let position = stored_position(part.position)?;
        let partly = Partly { position, facts: part.fact_count, reactions: part.event_count, through };
        let facts = facts(part.portfolios, part.projects, part.assignments)?;
        return Ok(Effect::PartlyFollowed { partly, facts });
    }
    if let Some(Refollowed { mirror_version, assignments, portfolios, projects }) = view.refollowed {
        return Ok(Effect::Refollowed { facts: facts(portfolios, projects, assignments)?, mirror_version });
    }
    if let Some(StandingsComputed { standings }) = view.standings_computed {
        tables::standings::check(&standings)?;
        // A copy: a slice would keep the whole entry in memory.
        return Ok(Effect::Standings(Bytes::copy_from_slice(&standings)));
    }
    if let Some(skipped) = view.skipped {
        return passed_over_start(&skipped);
    }
    match view.reset {
        Some(reset) => {
            let read = source_reset::from_proto(&reset);
            let (previous, to) = read.ok_or_else(|| Unreadable::new("a position that is none"))?;
            Ok(Effect::Reset(previous, to))
        }
        None => Ok(Effect::Nothing),
    }
}

fn passed_over_start(skipped: &proto::SourceSkipped) -> Result<Effect, Unreadable> {
    if skipped.milestones.is_empty() {
        return Ok(Effect::Nothing);
    }
    let day = required_date(skipped.start_date.as_ref())?;
    let names = skipped.milestones.iter().map(|name| name.parse().map_err(Unreadable::new));
    Ok(Effect::PassedOverStart(day, names.collect::<Result<_, _>>()?))
}

fn required_date(message: Option<&milepost_proto::google::r#type::Date>) -> Result<Date, Unreadable> {
    let date = message.copied().map(value::date).transpose().map_err(Unreadable::new)?;
    date.ok_or_else(|| Unreadable::new("a date that must be there is not"))
}

/// The milestone that a part ended with; none if it is empty.
fn through<T: FromStr<Err = NameError>>(name: &str) -> Result<Option<T>, Unreadable> {
    let named = Some(name).filter(|name| !name.is_empty());
    named.map(str::parse).transpose().map_err(Unreadable::new)
}

fn facts(portfolios: Vec<Bytes>, projects: Vec<Bytes>, assignments: Vec<Bytes>) -> Result<Facts, Unreadable> {
    Ok(Facts {
        portfolios: named(portfolios, |fact| portfolio_from_stored(fact).map(drop))?,
        projects: named(projects, |fact| project_is_deleted(fact).map(drop))?,
        assignments: named(assignments, |fact| assignment_from_stored(fact).map(drop))?,
    })
}

fn stored_position(message: Option<PositionMessage>) -> Result<Position, Unreadable> {
    message
        .and_then(|message| position_from_proto(&message))
        .ok_or_else(|| Unreadable::new("a position that is none"))
}

fn named<N>(
    facts: Vec<Bytes>,
    check: impl Fn(&Bytes) -> Result<(), Unreadable>,
) -> Result<Vec<(N, Bytes)>, Unreadable>
where
    N: std::str::FromStr<Err = milepost_types::NameError>,
{
    facts
        .into_iter()
        .map(|fact| {
            check(&fact)?;
            let name = NameView::decode(fact.clone())?.name.parse().map_err(Unreadable::new)?;
            // A copy: a slice would keep the whole entry in memory.
            Ok((name, Bytes::copy_from_slice(&fact)))
        })
        .collect()
}

/// `milepost.event.v1.Event.source`
const SOURCE: u32 = 2;
/// `milepost.event.v1.Event.subject`
const SUBJECT: u32 = 4;

/// Whose an event is, what it is about, and the resource of the tracker that it carries: the number of its field,
/// its table, its bytes.
struct HeaderView<'a> {
    source: &'a [u8],
    subject: &'a [u8],
    resource: Option<(u32, &'static Table, Bytes)>,
}

/// Read without the rest, since every write does so twice.
fn header(event: &Bytes) -> Result<HeaderView<'_>, Unreadable> {
    let mut header = HeaderView { source: &[], subject: &[], resource: None };
    for field in fields(event) {
        match field? {
            (SOURCE, Value::Run(run)) => header.source = run,
            (SUBJECT, Value::Run(run)) => header.subject = run,
            (field, Value::Run(run)) => {
                if let Some(table) = Table::of_event(TABLES, field) {
                    header.resource = Some((field, table, event.slice_ref(run)));
                }
            }
            _ => {}
        }
    }
    Ok(header)
}

/// What an entry says of a portfolio's date: the days that it swept to their end, and the entry before that said
/// something of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Days {
    /// The days, and how many milestones became due soon and overdue by each; in order.
    pub(crate) advanced: Vec<(Date, i32, i32)>,
    /// The entry before that says something of the date; 0 if there is none.
    pub(crate) previous_sequence: u64,
}

/// What the events of an entry say of a portfolio's date; none if nothing.
pub(crate) fn days(events: &[Bytes], portfolio: &PortfolioName) -> Result<Option<Days>, Unreadable> {
    let (mut advanced, mut previous) = (Vec::new(), None);
    let portfolio = portfolio.to_string();
    for event in events {
        // Most events are of milestones, and not read.
        if header(event)?.subject != portfolio.as_bytes() {
            continue;
        }
        let view = EffectView::decode(event.clone())?;
        if let Some(part) = view.date_advancing {
            previous.get_or_insert(part.previous_sequence);
        }
        if let Some(day) = view.date_advanced {
            previous.get_or_insert(day.previous_sequence.unwrap_or_default());
            let date = required_date(day.current_date.as_ref())?;
            advanced.push((date, day.due_soon_count, day.overdue_count));
        }
    }
    Ok(previous.map(|previous_sequence| Days { advanced, previous_sequence }))
}

/// Whether the events of an entry take over only a part of another ledger's entry.
pub(crate) fn is_part(events: &[Bytes]) -> Result<bool, Unreadable> {
    let Some(first) = events.first() else { return Ok(false) };
    Ok(EffectView::decode(first.clone())?.partly_followed.is_some())
}

/// The parts of an event that report a forecast.
#[derive(Clone, PartialEq, prost::Message)]
struct ForecastView {
    #[prost(string, tag = "1")]
    event_id: String,
    #[prost(message, optional, tag = "8")]
    commit_time: Option<prost_types::Timestamp>,
    #[prost(message, optional, tag = "55")]
    milestone: Option<tracker::Milestone>,
    #[prost(message, optional, tag = "100")]
    created: Option<proto::Created>,
    #[prost(message, optional, tag = "130")]
    reforecast: Option<proto::MilestoneReforecast>,
}

/// The forecast that an event reports of this milestone, and the sequence at which the one before was
/// reported, 0 for none; `None` if the event reports none of it.
pub(crate) fn forecast(event: &Bytes, name: &str) -> Result<Option<(tracker::Forecast, u64)>, Unreadable> {
    // An entry may hold thousands of events of others; theirs are not read whole.
    if header(event)?.subject != name.as_bytes() {
        return Ok(None);
    }
    let ForecastView { event_id, commit_time, milestone, created, reforecast, .. } =
        ForecastView::decode(event.clone())?;
    // One that a milestone begins with slips against the baseline: that is its variance.
    let first = created
        .and(milestone)
        .and_then(|milestone| Some((milestone.forecast_date?, milestone.variance_working_days)));
    let (forecast, previous) = match (reforecast, first) {
        (Some(reported), _) => {
            let forecast = tracker::Forecast {
                forecast_date: reported.forecast_date,
                previous_date: reported.previous_date,
                slip_working_days: reported.slip_working_days,
                reason: reported.reason,
                reported_date: reported.reported_date,
                ..tracker::Forecast::default()
            };
            (forecast, reported.previous_sequence)
        }
        (None, Some((date, slip_working_days))) => {
            let forecast_date = Some(date);
            (tracker::Forecast { forecast_date, slip_working_days, ..tracker::Forecast::default() }, 0)
        }
        (None, None) => return Ok(None),
    };
    Ok(Some((tracker::Forecast { report_time: commit_time, event_id, ..forecast }, previous)))
}

//! The parts of stored events that are read back: for rows, for answers, for the history of forecasts.
//!
//! Invariant: what is read is read without the rest, and a milestone or a fact stays the very bytes that were
//! written. A part that is not there is no fault: events of types that this version does not know have
//! none of them.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::position_from_proto;
use milepost_proto::event::v1 as proto;
use milepost_proto::journal::v1::Position as PositionMessage;
use milepost_proto::tracker::v1 as tracker;
use milepost_proto::wire::{Value, fields};
use milepost_types::{MilestoneName, PortfolioName, Position, ProjectName};
use prost::Message;

use super::Unreadable;
use super::values::stored_date;

/// The parts of an event that rows come of, but for a milestone.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Effects {
    #[prost(string, tag = "4")]
    subject: String,
    #[prost(message, optional, tag = "135")]
    date_advanced: Option<proto::DateAdvanced>,
    #[prost(message, optional, tag = "150")]
    followed: Option<Followed>,
    #[prost(message, optional, tag = "152")]
    reset: Option<proto::SourceReset>,
}

/// A `SourceFollowed` whose facts stay the bytes that were written.
#[derive(Clone, PartialEq, prost::Message)]
struct Followed {
    #[prost(message, optional, tag = "1")]
    position: Option<PositionMessage>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    portfolios: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    projects: Vec<Bytes>,
}

/// The name of a fact.
#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

/// What an event does to rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// A milestone is now this: the encoded message.
    Milestone(MilestoneName, Bytes),
    /// This is now the portfolio's current date.
    Date(PortfolioName, Date),
    /// The registry was followed up to here, and these are the facts that it told: encoded messages.
    Followed {
        /// The position.
        position: Position,
        /// By name.
        portfolios: Vec<(PortfolioName, Bytes)>,
        /// By name.
        projects: Vec<(ProjectName, Bytes)>,
    },
    /// The registry is followed from here on.
    Reset(Position),
    /// Nothing.
    Nothing,
}

/// What a stored event of the tracker does to rows.
pub(crate) fn effect(event: &Bytes) -> Result<Effect, Unreadable> {
    if let (subject, Some(milestone)) = subject_and_milestone(event)? {
        let subject = std::str::from_utf8(subject).map_err(Unreadable::new)?;
        return Ok(Effect::Milestone(subject.parse().map_err(Unreadable::new)?, milestone));
    }
    let effects = Effects::decode(event.clone())?;
    if let Some(advanced) = effects.date_advanced {
        let date = stored_date(advanced.current_date.as_ref())?;
        let date = date.ok_or_else(|| Unreadable::new("a date advanced to none"))?;
        return Ok(Effect::Date(effects.subject.parse().map_err(Unreadable::new)?, date));
    }
    if let Some(followed) = effects.followed {
        return Ok(Effect::Followed {
            position: stored_position(followed.position)?,
            portfolios: named(followed.portfolios)?,
            projects: named(followed.projects)?,
        });
    }
    match effects.reset {
        Some(reset) => Ok(Effect::Reset(stored_position(reset.position)?)),
        None => Ok(Effect::Nothing),
    }
}

fn stored_position(message: Option<PositionMessage>) -> Result<Position, Unreadable> {
    message
        .and_then(|message| position_from_proto(&message))
        .ok_or_else(|| Unreadable::new("a position that is none"))
}

fn named<N>(facts: Vec<Bytes>) -> Result<Vec<(N, Bytes)>, Unreadable>
where
    N: std::str::FromStr<Err = milepost_types::NameError>,
{
    facts
        .into_iter()
        .map(|fact| {
            let name = Named::decode(fact.clone())?.name.parse().map_err(Unreadable::new)?;
            // A copy: a slice would keep the whole entry in memory.
            Ok((name, Bytes::copy_from_slice(&fact)))
        })
        .collect()
}

/// The milestone that an event carries, as the bytes that were written; none if it carries none.
pub(crate) fn carried(event: &Bytes) -> Result<Option<Bytes>, Unreadable> {
    Ok(subject_and_milestone(event)?.1)
}

/// `milepost.event.v1.Event.subject`
const SUBJECT: u32 = 4;
/// `milepost.event.v1.Event.milestone_resource`
const MILESTONE: u32 = 55;

/// What an event is about, and the milestone that it carries; read without the rest, since every write does so
/// twice.
fn subject_and_milestone(event: &Bytes) -> Result<(&[u8], Option<Bytes>), Unreadable> {
    let (mut subject, mut milestone) = (&[][..], None);
    for field in fields(event) {
        match field? {
            (SUBJECT, Value::Run(run)) => subject = run,
            (MILESTONE, Value::Run(run)) => milestone = Some(event.slice_ref(run)),
            _ => {}
        }
    }
    Ok((subject, milestone))
}

/// The milestones that events carry, in their order.
pub(crate) fn milestones(events: &[Bytes]) -> Result<Vec<tracker::Milestone>, Unreadable> {
    let mut found = Vec::with_capacity(events.len());
    for event in events {
        found.extend(carried(event)?.map(tracker::Milestone::decode).transpose()?);
    }
    Ok(found)
}

/// The days that events advanced a portfolio by.
pub(crate) fn dates_advanced(events: &[Bytes]) -> Result<Vec<proto::DateAdvanced>, Unreadable> {
    let mut found = Vec::new();
    for event in events {
        found.extend(Effects::decode(event.clone())?.date_advanced);
    }
    Ok(found)
}

/// The parts of an event that a forecast is told from.
#[derive(Clone, PartialEq, prost::Message)]
struct Reported {
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
    if subject_and_milestone(event)?.0 != name.as_bytes() {
        return Ok(None);
    }
    let Reported { event_id, commit_time, milestone, created, reforecast, .. } =
        Reported::decode(event.clone())?;
    let first = created.and(milestone).and_then(|milestone| milestone.forecast_date);
    let (forecast, previous) = match (reforecast, first) {
        (Some(told), _) => {
            // The slip is told between due dates; of forecasts only where both are there.
            let both = told.previous_date.is_some() && told.forecast_date.is_some();
            let forecast = tracker::Forecast {
                forecast_date: told.forecast_date,
                previous_date: told.previous_date,
                slip_working_days: told.slip_working_days.filter(|_| both),
                reason: told.reason,
                ..tracker::Forecast::default()
            };
            (forecast, told.previous_sequence)
        }
        (None, Some(date)) => {
            (tracker::Forecast { forecast_date: Some(date), ..tracker::Forecast::default() }, 0)
        }
        (None, None) => return Ok(None),
    };
    Ok(Some((tracker::Forecast { report_time: commit_time, event_id, ..forecast }, previous)))
}

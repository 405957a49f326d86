//! Events: how they are written, and the parts of them that are read back.
//!
//! Invariants: an event is the encoded public `event.v1.Event` and carries the resource after the
//! change; the events of one entry are numbered in the order they are told. What is read back is read
//! without the rest: a milestone stays the very bytes that were written.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::{CommandId, Context, actor_to_proto, position_to_proto};
use milepost_proto::event::v1 as proto;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::journal::v1::Position as PositionMessage;
use milepost_proto::tracker::v1 as tracker;
use milepost_types::{EventId, LedgerKind, MilestoneName, PortfolioName, Position};
use prost::Message;

use super::milestone::{evidence_to_proto, outlook_to_proto, state_to_proto, to_proto};
use super::values::{date_to_proto, time_to_proto};
use super::{Unreadable, facts};
use crate::milestone::{Change, Happening};
use crate::source::{Arrival, Skipped};

/// `milepost.portfolio.date_advanced`
pub(crate) const DATE_ADVANCED: &str = "milepost.portfolio.date_advanced";
/// `milepost.source.followed`
pub(crate) const SOURCE_FOLLOWED: &str = "milepost.source.followed";
/// `milepost.source.skipped`
pub(crate) const SOURCE_SKIPPED: &str = "milepost.source.skipped";
/// `milepost.source.reset`
pub(crate) const SOURCE_RESET: &str = "milepost.source.reset";

/// The events of one entry in the making.
pub(crate) struct Events<'a> {
    context: &'a Context,
    traceparent: &'a str,
    told: Vec<Bytes>,
}

impl<'a> Events<'a> {
    /// None yet.
    pub(crate) fn new(context: &'a Context, traceparent: &'a str) -> Self {
        Self { context, traceparent, told: Vec::new() }
    }

    /// All of them, encoded.
    pub(crate) fn finish(self) -> Vec<Bytes> {
        self.told
    }

    /// Something happened to a milestone; `caused_by` is the id of the event that it follows from, or
    /// empty.
    pub(crate) fn milestone(&mut self, change: Change, caused_by: &str) {
        let kind = change.happening.event_type();
        let event = proto::Event {
            subject: change.milestone.name.to_string(),
            portfolio: change.milestone.name.portfolio().to_string(),
            project: change.milestone.name.project().to_string(),
            event_date: change.date.map(date_to_proto),
            caused_by: caused_by.to_owned(),
            changed_fields: change.fields.into_iter().map(str::to_owned).collect(),
            payload: Some(payload(change.happening)),
            resource: Some(Resource::MilestoneResource(to_proto(change.milestone))),
            ..proto::Event::default()
        };
        self.tell(kind, event);
    }

    /// A day became a portfolio's current date.
    pub(crate) fn date_advanced(
        &mut self,
        portfolio: &PortfolioName,
        previous: Option<Date>,
        current: Date,
        due_soon_count: i32,
        overdue_count: i32,
    ) {
        let advanced = proto::DateAdvanced {
            previous_date: previous.map(date_to_proto),
            current_date: Some(date_to_proto(current)),
            due_soon_count,
            overdue_count,
        };
        let event = proto::Event {
            subject: portfolio.to_string(),
            portfolio: portfolio.to_string(),
            event_date: Some(date_to_proto(current)),
            payload: Some(Payload::DateAdvanced(advanced)),
            ..proto::Event::default()
        };
        self.tell(DATE_ADVANCED, event);
    }

    /// An entry of the registry was taken over.
    pub(crate) fn followed(&mut self, arrival: &Arrival) {
        let followed = proto::SourceFollowed {
            position: Some(position_to_proto(&arrival.position)),
            portfolios: arrival.portfolios.iter().map(facts::portfolio_to_proto).collect(),
            projects: arrival.projects.iter().map(facts::project_to_proto).collect(),
        };
        let payload = Some(Payload::SourceFollowed(followed));
        let portfolio = portfolio_text(&arrival.portfolio);
        self.tell(SOURCE_FOLLOWED, proto::Event { portfolio, payload, ..proto::Event::default() });
    }

    /// Nothing came of an event of the registry.
    pub(crate) fn skipped(&mut self, arrival: &Arrival, skipped: Skipped) {
        let Skipped { event_id, kind, reason } = skipped;
        let event = proto::Event {
            portfolio: portfolio_text(&arrival.portfolio),
            caused_by: event_id.clone(),
            payload: Some(Payload::SourceSkipped(proto::SourceSkipped { event_id, r#type: kind, reason })),
            ..proto::Event::default()
        };
        self.tell(SOURCE_SKIPPED, event);
    }

    /// The registry is followed from another position on.
    pub(crate) fn reset(&mut self, previous: Option<Position>, to: Position, reason: &str) {
        let reset = proto::SourceReset {
            previous_position: previous.as_ref().map(position_to_proto),
            position: Some(position_to_proto(&to)),
            reason: reason.to_owned(),
        };
        let payload = Some(Payload::SourceReset(reset));
        self.tell(SOURCE_RESET, proto::Event { payload, ..proto::Event::default() });
    }

    /// Numbers an event, says who and when, and encodes it.
    fn tell(&mut self, kind: &str, event: proto::Event) {
        let Context { log, sequence, commit_time, actor, command_id, .. } = self.context;
        let index = u32::try_from(self.told.len()).unwrap_or(u32::MAX);
        let event = proto::Event {
            event_id: EventId { log: *log, sequence: *sequence, index }.to_string(),
            source: LedgerKind::Tracker.to_string(),
            sequence: *sequence,
            r#type: kind.to_owned(),
            commit_time: Some(time_to_proto(*commit_time)),
            actor: Some(actor_to_proto(actor)),
            request_id: match command_id {
                CommandId::Request { id, .. } => id.clone(),
                CommandId::Server(_) | CommandId::Source(_) => String::new(),
            },
            traceparent: self.traceparent.to_owned(),
            ..event
        };
        self.told.push(event.encode_to_vec().into());
    }
}

/// The name of the portfolio with this id; empty for none.
fn portfolio_text(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("portfolios/{id}") }
}

fn payload(happening: Happening) -> Payload {
    match happening {
        Happening::Created => Payload::Created(proto::Created {}),
        Happening::Updated => Payload::Updated(proto::Updated {}),
        Happening::Deleted => Payload::Deleted(proto::Deleted {}),
        Happening::Undeleted => Payload::Undeleted(proto::Undeleted {}),
        Happening::Reforecast { previous, forecast, slip, reason, previous_sequence } => {
            Payload::MilestoneReforecast(proto::MilestoneReforecast {
                previous_date: previous.map(date_to_proto),
                forecast_date: forecast.map(date_to_proto),
                slip_working_days: slip,
                reason,
                previous_sequence,
            })
        }
        Happening::Rebaselined { previous, baseline, slip, reason } => {
            Payload::MilestoneRebaselined(proto::MilestoneRebaselined {
                previous_date: previous.map(date_to_proto),
                baseline_date: Some(date_to_proto(baseline)),
                slip_working_days: slip,
                reason,
            })
        }
        Happening::StateChanged { previous, state, reason } => {
            Payload::MilestoneStateChanged(proto::MilestoneStateChanged {
                previous_state: state_to_proto(previous).into(),
                state: state_to_proto(state).into(),
                reason,
            })
        }
        Happening::EvidenceAdded(evidence) => {
            Payload::MilestoneEvidenceAdded(proto::MilestoneEvidenceAdded {
                evidence: Some(evidence_to_proto(evidence)),
            })
        }
        Happening::OutlookChanged { previous, outlook, current_date } => {
            Payload::MilestoneOutlookChanged(proto::MilestoneOutlookChanged {
                previous_outlook: outlook_to_proto(previous).into(),
                outlook: outlook_to_proto(Some(outlook)).into(),
                current_date: Some(date_to_proto(current_date)),
            })
        }
    }
}

/// The parts of an event that rows come of.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Effects {
    #[prost(string, tag = "4")]
    subject: String,
    #[prost(bytes = "bytes", optional, tag = "55")]
    milestone: Option<Bytes>,
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
        projects: Vec<(milepost_types::ProjectName, Bytes)>,
    },
    /// The registry is followed from here on.
    Reset(Position),
    /// Nothing.
    Nothing,
}

/// What a stored event of the tracker does to rows.
pub(crate) fn effect(event: &Bytes) -> Result<Effect, Unreadable> {
    let effects = Effects::decode(event.clone())?;
    if let Some(milestone) = effects.milestone {
        return Ok(Effect::Milestone(effects.subject.parse().map_err(Unreadable::new)?, milestone));
    }
    if let Some(advanced) = effects.date_advanced {
        let date = super::values::stored_date(advanced.current_date.as_ref())?;
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
        .and_then(|message| milepost_ledger::position_from_proto(&message))
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

/// The milestone that an event carries, for answers.
#[derive(Clone, PartialEq, prost::Message)]
struct Carried {
    #[prost(message, optional, tag = "55")]
    milestone: Option<tracker::Milestone>,
}

/// The milestones that events carry, in their order.
pub(crate) fn milestones(events: &[Bytes]) -> Result<Vec<tracker::Milestone>, Unreadable> {
    let mut found = Vec::with_capacity(events.len());
    for event in events {
        found.extend(Carried::decode(event.clone())?.milestone);
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
    #[prost(string, tag = "4")]
    subject: String,
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
    if About::decode(event.clone())?.subject != name {
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

/// The subject of an event.
#[derive(Clone, PartialEq, prost::Message)]
struct About {
    #[prost(string, tag = "4")]
    subject: String,
}

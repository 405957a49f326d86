//! Events: how what happened is written. How it is read back is in `told`.
//!
//! Invariants: an event is the encoded public `event.v1.Event` and carries the resource after the
//! change; the events of one entry are numbered in the order they are told.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::{CommandId, Context, actor_to_proto, position_to_proto};
use milepost_proto::event::v1 as proto;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_service::value;
use milepost_types::{EventId, LedgerKind, PortfolioName, Position, event_type};
use prost::Message;

use super::facts;
use super::milestone::{evidence_to_proto, outlook_to_proto, state_to_proto, to_proto};
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
            event_date: change.date.map(value::date_message),
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
            previous_date: previous.map(value::date_message),
            current_date: Some(value::date_message(current)),
            due_soon_count,
            overdue_count,
        };
        let event = proto::Event {
            subject: portfolio.to_string(),
            portfolio: portfolio.to_string(),
            event_date: Some(value::date_message(current)),
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
            fork: None,
        };
        let payload = Some(Payload::SourceReset(reset));
        self.tell(SOURCE_RESET, proto::Event { payload, ..proto::Event::default() });
    }

    /// Numbers an event, says who and when, and encodes it.
    fn tell(&mut self, kind: &str, event: proto::Event) {
        debug_assert!(event_type::is_known(kind), "{kind} is not in the list of types");
        let Context { log, sequence, commit_time, actor, command_id, .. } = self.context;
        let index = u32::try_from(self.told.len()).unwrap_or(u32::MAX);
        let event = proto::Event {
            event_id: EventId { log: *log, sequence: *sequence, index }.to_string(),
            source: LedgerKind::Tracker.to_string(),
            sequence: *sequence,
            r#type: kind.to_owned(),
            commit_time: Some(value::instant_message(*commit_time)),
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
                previous_date: previous.map(value::date_message),
                forecast_date: forecast.map(value::date_message),
                slip_working_days: slip,
                reason,
                previous_sequence,
            })
        }
        Happening::Rebaselined { previous, baseline, slip, reason } => {
            Payload::MilestoneRebaselined(proto::MilestoneRebaselined {
                previous_date: previous.map(value::date_message),
                baseline_date: Some(value::date_message(baseline)),
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
                current_date: Some(value::date_message(current_date)),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_ledger::{Actor, Authentication};
    use milepost_types::{Etag, Hash, HashPrefix, LogId};
    use proto::event::{Payload, Resource};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::convert::milestone::from_stored;
    use crate::convert::told::{Effect, effect};
    use crate::facts::{PortfolioFact, ProjectFact};
    use crate::milestone::samples::{BASELINE, TODAY, evidence, milestone, moment};
    use crate::milestone::{Action, Outlook, act};

    fn context() -> Context {
        Context {
            log: LogId::from_bytes([9; 16]),
            sequence: 9,
            commit_time: "2021-05-13T02:00:00Z".parse().unwrap(),
            now: "2021-05-13T02:00:00Z".parse().unwrap(),
            actor: Actor {
                principal: "office".into(),
                authentication: Authentication::Claimed,
                on_behalf_of: String::new(),
            },
            command_id: CommandId::Request { id: "r-1".into(), body: Hash::ZERO },
            seed: 0,
        }
    }

    fn position(sequence: u64) -> Position {
        Position { log: LogId::from_bytes([3; 16]), sequence, hash: HashPrefix::from_bytes([5; 8]) }
    }

    fn arrival() -> Arrival {
        Arrival {
            position: position(8),
            previous: position(7),
            portfolio: "wsc".into(),
            portfolios: vec![PortfolioFact {
                name: "portfolios/wsc".parse().unwrap(),
                time_zone: "Asia/Shanghai".into(),
                working_days: None,
                deleted: false,
            }],
            projects: vec![ProjectFact {
                name: "portfolios/wsc/projects/road".parse().unwrap(),
                status: 3,
                deleted: false,
            }],
            lessons: Vec::new(),
        }
    }

    /// One event of each kind.
    fn all() -> Vec<Bytes> {
        let context = context();
        let mut events = Events::new(&context, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let reason = || "said".to_owned();
        for action in [
            Action::Delete,
            Action::Reforecast { forecast: Some(date(2021, 6, 10)), reason: reason() },
            Action::Rebaseline { baseline: date(2021, 6, 10), reason: reason() },
            Action::Achieve { actual: None, reason: reason() },
            Action::Miss { reason: reason() },
            Action::AddEvidence(evidence("permit")),
        ] {
            events.milestone(act(&milestone(), Some(Etag(3)), &action, &moment()).unwrap().unwrap(), "");
        }
        let due_soon = Outlook::DueSoon;
        events.milestone(Change::of_outlook(milestone(), None, due_soon, TODAY, &moment()), "cause");
        let wsc = "portfolios/wsc".parse().unwrap();
        events.date_advanced(&wsc, TODAY.yesterday().ok(), TODAY, 1, 2);
        events.followed(&arrival());
        let skipped = Skipped { event_id: "e".into(), kind: "k".into(), reason: reason() };
        events.skipped(&arrival(), skipped);
        events.reset(Some(position(8)), position(5), "restored");
        events.finish()
    }

    /// Persisted for ever: if this fails, events of one kind have two encodings.
    #[test]
    fn the_bytes_of_events_never_change() {
        let mut digest = Sha256::new();
        all().iter().for_each(|event| digest.update(event));
        let digest: [u8; 32] = digest.finalize().into();
        assert_eq!(Hash::from_bytes(digest).to_string(), GOLDEN);
    }

    const GOLDEN: &str = "265cfee75a9d81756f39e7ce2f7ac4e0b9eacd60caa791d20fabcd671b1f10f0";

    #[test]
    fn an_event_tells_who_did_what_and_when() {
        for (index, bytes) in all().iter().enumerate() {
            let event = proto::Event::decode(bytes.clone()).unwrap();
            assert_eq!(event.event_id, format!("{}/9/{index}", context().log));
            assert_eq!((event.source.as_str(), event.sequence), ("tracker", 9));
            assert_eq!(event.request_id, "r-1");
            assert_eq!(event.actor.unwrap().principal, "office");
            assert_eq!(event.commit_time.unwrap().seconds, context().commit_time.as_second());
            assert_eq!(event.traceparent.len(), 55);
            let verb = event.r#type.rsplit('.').next().unwrap();
            let fits = match event.payload.unwrap() {
                Payload::Deleted(_) => verb == "deleted",
                Payload::MilestoneReforecast(_) => verb == "reforecast",
                Payload::MilestoneRebaselined(_) => verb == "rebaselined",
                Payload::MilestoneStateChanged(_) => verb == "achieved" || verb == "not_met",
                Payload::MilestoneEvidenceAdded(_) => verb == "evidence_added",
                Payload::MilestoneOutlookChanged(_) => verb == "due_soon" && event.caused_by == "cause",
                Payload::DateAdvanced(_) => verb == "date_advanced",
                Payload::SourceFollowed(_) => verb == "followed",
                Payload::SourceSkipped(_) => verb == "skipped" && event.caused_by == "e",
                Payload::SourceReset(_) => verb == "reset",
                _ => false,
            };
            assert!(fits, "{}", event.r#type);
            let of_milestone = event.r#type.starts_with("milepost.milestone.");
            assert_eq!(matches!(event.resource, Some(Resource::MilestoneResource(_))), of_milestone);
        }
    }

    #[test]
    fn the_effect_of_an_event_is_what_it_told() {
        let effects: Vec<_> = all().iter().map(|event| effect(event).unwrap()).collect();
        let Effect::Milestone(name, bytes) = &effects[1] else { panic!("{:?}", effects[1]) };
        let stored = from_stored(bytes).unwrap();
        assert_eq!(
            (name, stored.forecast, stored.baseline),
            (&stored.name, Some(date(2021, 6, 10)), Some(BASELINE))
        );
        assert_eq!(effects[7], Effect::Date("portfolios/wsc".parse().unwrap(), TODAY));
        let Effect::Followed { position: at, portfolios, projects } = &effects[8] else { panic!() };
        assert_eq!(*at, position(8));
        assert_eq!(facts::portfolio_from_stored(&portfolios[0].1), Ok(arrival().portfolios.remove(0)));
        assert_eq!(projects[0].0, arrival().projects[0].name);
        assert_eq!(effects[9..], [Effect::Nothing, Effect::Reset(position(5))]);
        // Of a type that this version does not know.
        let unknown = proto::Event { r#type: "milepost.milestone.foreseen".into(), ..Default::default() };
        assert_eq!(effect(&unknown.encode_to_vec().into()), Ok(Effect::Nothing));
        assert!(effect(&Bytes::from_static(b"\xff")).is_err());
    }
}

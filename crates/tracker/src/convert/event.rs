//! Events that are written together: of days, and of what is followed. How they are read back is in
//! `read_event`.
//!
//! Invariants: an event is the encoded public `event.v1.Event`; the events of one entry are numbered in the order
//! in which they are added. What begins an entry that may be one of several parts is written last, at an index
//! that was reserved for it: it says what the entry holds.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::{Context, position_to_proto};
use milepost_proto::event::v1 as proto;
use milepost_proto::event::v1::event::Payload;
use milepost_resource::{Change, date_message};
use milepost_service::source_reset::{self, SOURCE_RESET};
use milepost_types::{GoOn, LedgerKind, Position};

use super::mirror;
use crate::mirror::{AssignmentFact, PortfolioFact, ProjectFact};
use crate::names::{MilestoneName, PortfolioName};
use crate::source::{Skipped, SourceEntry, Through};
use crate::tables::mirror_version::MIRROR_VERSION;

/// `milepost.portfolio.date_advanced`
pub(crate) const DATE_ADVANCED: &str = "milepost.portfolio.date_advanced";
/// `milepost.portfolio.date_advancing`
pub(crate) const DATE_ADVANCING: &str = "milepost.portfolio.date_advancing";
/// `milepost.source.followed`
pub(crate) const SOURCE_FOLLOWED: &str = "milepost.source.followed";
/// `milepost.source.partly_followed`
pub(crate) const SOURCE_PARTLY_FOLLOWED: &str = "milepost.source.partly_followed";
/// `milepost.source.refollowed`
pub(crate) const SOURCE_REFOLLOWED: &str = "milepost.source.refollowed";
/// `milepost.source.skipped`
pub(crate) const SOURCE_SKIPPED: &str = "milepost.source.skipped";

/// The events of one entry in the making.
pub(crate) struct Events<'a> {
    context: &'a Context,
    traceparent: &'a str,
    encoded: Vec<Bytes>,
    bytes: usize,
}

/// An index that is reserved for an event of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reserved {
    index: usize,
    bytes: usize,
}

/// What an entry says of a day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DayCounts {
    /// The current date before; none if there was none.
    pub(crate) previous: Option<Date>,
    /// The day.
    pub(crate) day: Date,
    /// How many milestones it made due soon so far.
    pub(crate) due_soon: u32,
    /// How many it made overdue so far.
    pub(crate) overdue: u32,
    /// The entry before that says something of the portfolio's date; 0 if there is none.
    pub(crate) previous_sequence: u64,
    /// Whether it passed over a milestone that could not be read, so far.
    pub(crate) passed_over: bool,
}

/// What an entry takes over of portfolios, projects and assignments of the registry.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MirrorUpdate<'a> {
    /// Of these portfolios.
    pub(crate) portfolios: &'a [PortfolioFact],
    /// Of these projects.
    pub(crate) projects: &'a [ProjectFact],
    /// Of these assignments.
    pub(crate) assignments: &'a [AssignmentFact],
}

impl MirrorUpdate<'_> {
    /// How many facts it has.
    pub(crate) fn len(&self) -> usize {
        self.portfolios.len() + self.projects.len() + self.assignments.len()
    }
}

impl<'a> Events<'a> {
    /// None yet.
    pub(crate) fn new(context: &'a Context, traceparent: &'a str) -> Self {
        Self { context, traceparent, encoded: Vec::new(), bytes: 0 }
    }

    /// After these, which are encoded.
    pub(crate) fn after(context: &'a Context, traceparent: &'a str, encoded: Vec<Bytes>) -> Self {
        let bytes = encoded.iter().map(Bytes::len).sum();
        Self { context, traceparent, encoded, bytes }
    }

    /// The event with this index, encoded; empty if there is none.
    pub(crate) fn get(&self, index: usize) -> Bytes {
        self.encoded.get(index).cloned().unwrap_or_default()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.encoded.len()
    }

    /// How many bytes they take, with those that indices are reserved for.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reserves the next index for an event that will take about so many bytes.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Reserved {
        self.encoded.push(Bytes::new());
        self.bytes += bytes;
        Reserved { index: self.encoded.len() - 1, bytes }
    }

    /// Takes back all but the first `len`, none of which is reserved.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes -= self.encoded.drain(len..).map(|event| event.len()).sum::<usize>();
    }

    /// All of them, encoded.
    pub(crate) fn finish(self) -> Vec<Bytes> {
        self.encoded
    }

    /// A day became a portfolio's current date.
    pub(crate) fn date_advanced(&mut self, reserved: Reserved, portfolio: &PortfolioName, counts: DayCounts) {
        let advanced = proto::DateAdvanced {
            previous_date: counts.previous.map(date_message),
            current_date: Some(date_message(counts.day)),
            due_soon_count: count(counts.due_soon),
            overdue_count: count(counts.overdue),
            previous_sequence: Some(counts.previous_sequence),
            passed_over: counts.passed_over,
        };
        self.fill(reserved, day_event(DATE_ADVANCED, portfolio, counts.day, Payload::DateAdvanced(advanced)));
    }

    /// A part of a day was swept, up to this milestone; none: no milestone yet.
    pub(crate) fn date_advancing(
        &mut self,
        reserved: Reserved,
        portfolio: &PortfolioName,
        counts: DayCounts,
        through: Option<&MilestoneName>,
    ) {
        let advancing = proto::DateAdvancing {
            previous_date: counts.previous.map(date_message),
            date: Some(date_message(counts.day)),
            due_soon_count: count(counts.due_soon),
            overdue_count: count(counts.overdue),
            through: through.map(ToString::to_string).unwrap_or_default(),
            previous_sequence: counts.previous_sequence,
            passed_over: counts.passed_over,
        };
        self.fill(
            reserved,
            day_event(DATE_ADVANCING, portfolio, counts.day, Payload::DateAdvancing(advancing)),
        );
    }

    /// An entry of the registry was taken over; this is what of it was not taken over yet.
    pub(crate) fn followed(
        &mut self,
        reserved: Reserved,
        source_entry: &SourceEntry,
        update: MirrorUpdate<'_>,
    ) {
        let followed = proto::SourceFollowed {
            position: Some(position_to_proto(&source_entry.position)),
            portfolios: update.portfolios.iter().map(mirror::portfolio_to_proto).collect(),
            projects: update.projects.iter().map(mirror::project_to_proto).collect(),
            // Few: each is of a request of its own.
            grants: source_entry.access.grants.clone(),
            service_accounts: source_entry.access.service_accounts.clone(),
            api_tokens: source_entry.access.api_tokens.clone(),
            assignments: update.assignments.iter().map(mirror::assignment_to_proto).collect(),
            mirror_version: MIRROR_VERSION,
        };
        self.fill(reserved, source_event(SOURCE_FOLLOWED, source_entry, Payload::SourceFollowed(followed)));
    }

    /// A part of an entry of the registry was taken over: this is what it says, so many facts and reactions are
    /// done by now, and of the reaction after them what concerns milestones, or rules, up to this one.
    pub(crate) fn partly_followed(
        &mut self,
        reserved: Reserved,
        source_entry: &SourceEntry,
        update: MirrorUpdate<'_>,
        (fact_count, event_count): (u64, u64),
        through: Option<&Through>,
    ) {
        let followed = proto::SourcePartlyFollowed {
            position: Some(position_to_proto(&source_entry.position)),
            portfolios: update.portfolios.iter().map(mirror::portfolio_to_proto).collect(),
            projects: update.projects.iter().map(mirror::project_to_proto).collect(),
            fact_count,
            event_count,
            through: through.map(ToString::to_string).unwrap_or_default(),
            assignments: update.assignments.iter().map(mirror::assignment_to_proto).collect(),
        };
        let payload = Payload::SourcePartlyFollowed(followed);
        self.fill(reserved, source_event(SOURCE_PARTLY_FOLLOWED, source_entry, payload));
    }

    /// Entries of the registry up to a position were read again, for what this version keeps of them. So much is kept of
    /// all of them now; 0 if more are to come.
    pub(crate) fn refollowed(
        &mut self,
        reserved: Reserved,
        position: &Position,
        update: MirrorUpdate<'_>,
        mirror_version: u32,
    ) {
        let refollowed = proto::SourceRefollowed {
            position: Some(position_to_proto(position)),
            mirror_version,
            assignments: update.assignments.iter().map(mirror::assignment_to_proto).collect(),
            portfolios: update.portfolios.iter().map(mirror::portfolio_to_proto).collect(),
            projects: update.projects.iter().map(mirror::project_to_proto).collect(),
        };
        self.fill(
            reserved,
            Change::without_resource(SOURCE_REFOLLOWED, Payload::SourceRefollowed(refollowed)),
        );
    }

    /// Nothing came of an event of the registry.
    pub(crate) fn skipped(&mut self, source_entry: &SourceEntry, skipped: Skipped) {
        self.start_passed_over(source_entry, skipped, None);
    }

    /// The same, of the start of a project on a day that passed milestones over.
    pub(crate) fn start_passed_over(
        &mut self,
        source_entry: &SourceEntry,
        skipped: Skipped,
        passed_over: Option<(Date, Vec<MilestoneName>)>,
    ) {
        let Skipped { event_id, kind, reason } = skipped;
        let (cause, (day, names)) = (event_id.clone(), passed_over.unzip());
        let payload = Payload::SourceSkipped(proto::SourceSkipped {
            event_id,
            r#type: kind,
            reason,
            milestones: names.unwrap_or_default().iter().map(ToString::to_string).collect(),
            start_date: day.map(date_message),
        });
        self.add(source_event(SOURCE_SKIPPED, source_entry, payload).caused_by(&cause));
    }

    /// The registry is followed from another position on.
    pub(crate) fn reset(&mut self, previous: Option<Position>, to: &GoOn, reason: &str) {
        let payload = Payload::SourceReset(source_reset::to_proto(previous, to, reason));
        self.add(Change::without_resource(SOURCE_RESET, payload));
    }

    /// Adds an event, and what it announces.
    pub(crate) fn add(&mut self, change: Change) {
        let before = self.encoded.len();
        change.add_to(&mut self.encoded, LedgerKind::Tracker, self.context, self.traceparent);
        self.bytes += self.encoded.iter().skip(before).map(Bytes::len).sum::<usize>();
    }

    /// Sets an event at the index that was reserved for it.
    fn fill(&mut self, reserved: Reserved, change: Change) {
        let index = u32::try_from(reserved.index).unwrap_or(u32::MAX);
        let event = change.event(LedgerKind::Tracker, index, self.context, self.traceparent);
        self.bytes = self.bytes - reserved.bytes + event.len();
        if let Some(kept) = self.encoded.get_mut(reserved.index) {
            *kept = event;
        }
    }
}

fn day_event(event_type: &str, portfolio: &PortfolioName, day: Date, payload: Payload) -> Change {
    let (subject, portfolio) = (portfolio.to_string(), portfolio.to_string());
    Change::without_resource(event_type, payload).concerning(subject, portfolio, String::new()).on(Some(day))
}

/// An event about what an entry of the registry brings; its portfolio is that of the entry.
fn source_event(event_type: &str, source_entry: &SourceEntry, payload: Payload) -> Change {
    let id = &source_entry.portfolio;
    let portfolio = if id.is_empty() { String::new() } else { format!("portfolios/{id}") };
    Change::without_resource(event_type, payload).concerning(String::new(), portfolio, String::new())
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_ledger::{Actor, Authentication, CommandId};
    use milepost_proto::tracker::v1::Milestone;
    use milepost_proto::tracker::v1::milestone::{Nearness, Slippage};
    use milepost_resource::Rows;
    use milepost_service::access::Permit;
    use milepost_types::{Etag, Hash, HashPrefix, LogId};
    use prost::Message;
    use proto::event::Resource;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::command::Command;
    use crate::convert::mirror::AccessFacts;
    use crate::convert::read_event::{Effect, effect};
    use crate::decide::Scope;
    use crate::milestone::{Timeliness, day_change};
    use crate::tables::advancing::Advancing;
    use crate::tables::date::Current;
    use crate::tables::partly::Partly;
    use crate::tests::World;
    use crate::tests::samples::{BASELINE, NAME, TODAY, evidence, milestone};
    use crate::tests::world::Action;

    fn context() -> Context {
        Context {
            log: LogId::from_bytes([9; 16]),
            sequence: 9,
            commit_time: "2021-05-13T02:00:00Z".parse().unwrap(),
            now: "2021-05-13T02:00:00Z".parse().unwrap(),
            actor: Actor {
                principal: "office".into(),
                authentication: Authentication::Claimed,
                ..Actor::default()
            },
            command_id: CommandId::Request { id: "r-1".into(), body: Hash::ZERO },
            seed: 0,
        }
    }

    fn position(sequence: u64) -> Position {
        Position { log: LogId::from_bytes([3; 16]), sequence, hash: HashPrefix::from_bytes([5; 8]) }
    }

    fn source_entry() -> SourceEntry {
        SourceEntry {
            position: position(8),
            previous: position(7),
            portfolio: "wsc".into(),
            portfolios: vec![PortfolioFact {
                name: "portfolios/wsc".parse().unwrap(),
                time_zone: "Asia/Shanghai".into(),
                working_days: None,
                deleted: false,
                language: String::new(),
                required_languages: Vec::new(),
                publish_needs_another_person: false,
                reporting_currency: String::new(),
            }],
            projects: vec![ProjectFact {
                name: "portfolios/wsc/projects/road".parse().unwrap(),
                status: 3,
                deleted: false,
                project: None,
                cancelled: None,
            }],
            assignments: Vec::new(),
            access: AccessFacts::default(),
            reactions: Vec::new(),
            events: Vec::new(),
        }
    }

    fn day_told() -> DayCounts {
        let previous = TODAY.yesterday().ok();
        DayCounts { previous, day: TODAY, due_soon: 1, overdue: 2, previous_sequence: 7, passed_over: false }
    }

    /// One event of each kind.
    fn all() -> Vec<Bytes> {
        let context = context();
        let mut events = Events::new(&context, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let (mut world, _) = World::with_projects(&["science-avenue"]);
        world.store(&milestone());
        let (service, rows, permit) = (&world.domain, Rows::new(&world.rows), &Permit::of_system());
        let scope = Scope { service, rows, context: &context, permit };
        let (reason, name) = (|| "said".to_owned(), NAME.parse().unwrap());
        for action in [
            Action::Delete,
            Action::Reforecast { forecast: Some(date(2021, 6, 10)), reason: reason() },
            Action::Rebaseline { baseline: date(2021, 6, 10), reason: reason() },
            Action::Achieve { actual: None, reason: reason() },
            Action::Miss { reason: reason() },
            Action::AddEvidence(evidence("permit")),
        ] {
            let Command::Resources(command) = action.on(NAME, Some(Etag(3))) else { panic!() };
            command.act.decide(&scope).unwrap().changes.into_iter().for_each(|change| events.add(change));
        }
        let due_soon = Timeliness { nearness: Nearness::DueSoon, slippage: Slippage::None };
        let before = scope.rows.find(&name).unwrap();
        let change = day_change(&scope, &before, (Timeliness::default(), due_soon), TODAY);
        events.add(change.caused_by("cause"));
        let wsc = "portfolios/wsc".parse().unwrap();
        let reserved = events.reserve(0);
        events.date_advanced(reserved, &wsc, day_told());
        let reserved = events.reserve(0);
        let source_entry = source_entry();
        let update = MirrorUpdate {
            portfolios: &source_entry.portfolios,
            projects: &source_entry.projects,
            ..MirrorUpdate::default()
        };
        events.followed(reserved, &source_entry, update);
        let skipped = Skipped { event_id: "e".into(), kind: "k".into(), reason: reason() };
        events.skipped(&source_entry, skipped);
        events.reset(Some(position(8)), &GoOn::after(position(5)), "restored");
        let reserved = events.reserve(0);
        events.date_advancing(reserved, &wsc, day_told(), Some(&name));
        let reserved = events.reserve(0);
        events.partly_followed(reserved, &source_entry, update, (2, 1), Some(&Through::Milestone(name)));
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

    const GOLDEN: &str = "8eef9a882a9fbe0731e2f53c97ba04cca29fc4f4519b8bb8b962e501b011c2b6";

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
                Payload::DateAdvancing(_) => verb == "date_advancing",
                Payload::SourceFollowed(_) => verb == "followed",
                Payload::SourcePartlyFollowed(_) => verb == "partly_followed",
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
        let Effect::Resource { row: bytes, .. } = &effects[1] else { panic!("{:?}", effects[1]) };
        let stored = Milestone::decode(bytes.clone()).unwrap();
        let dates = [date(2021, 6, 10), BASELINE].map(|date| Some(date_message(date)));
        assert_eq!((stored.name.as_str(), [stored.forecast_date, stored.baseline_date]), (NAME, dates));
        let wsc: PortfolioName = "portfolios/wsc".parse().unwrap();
        assert_eq!(
            effects[7],
            Effect::Date(wsc.clone(), Current { date: TODAY, sequence: Some(9), passed_over: false })
        );
        let Effect::Followed { position: at, facts, .. } = &effects[8] else { panic!() };
        assert_eq!(*at, position(8));
        let stored = &facts.portfolios[0].1;
        assert_eq!(super::mirror::portfolio_from_stored(stored), Ok(source_entry().portfolios.remove(0)));
        assert_eq!(facts.projects[0].0, source_entry().projects[0].name);
        let reset = Effect::Reset(Some(position(8)), GoOn::after(position(5)));
        assert_eq!(effects[9..11], [Effect::Nothing, reset]);
        let through: MilestoneName = NAME.parse().unwrap();
        let advancing = Advancing {
            day: TODAY,
            sequence: 9,
            due_soon: 1,
            overdue: 2,
            passed_over: false,
            through: Some(through.clone()),
        };
        assert_eq!(effects[11], Effect::Advancing(wsc, advancing));
        let partly = Partly {
            position: position(8),
            facts: 2,
            reactions: 1,
            through: Some(Through::Milestone(through)),
        };
        assert_eq!(effects[12], Effect::PartlyFollowed { partly, facts: facts.clone() });
        // Of a type that this version does not know.
        let (kind, source) = ("milepost.milestone.foreseen".into(), "tracker".into());
        let unknown = proto::Event { r#type: kind, source, ..Default::default() };
        assert_eq!(effect(&unknown.encode_to_vec().into()), Ok(Effect::Nothing));
        assert!(effect(&Bytes::from_static(b"\xff")).is_err());
    }
}

//! What every handler takes from a request besides its own fields: who asks, until when, under which id,
//! and which revisions must be there first.
//!
//! Invariant: a principal from the outside is only claimed, and is marked so. A request's digest covers
//! every field but its request id, so that the same id with another body is noticed.

use std::time::{Duration, Instant};

use milepost_ledger::{Actor, Authentication, CommandId, Domain, Ledger, Submission, WaitError, chain};
use milepost_types::{Hash, LedgerKind, Rejection, RequestId, Revision, Violations, limits};
use prost::Message;
use tonic::{Extensions, metadata::MetadataMap};

use crate::host::Deadline;

/// The metadata key by which a caller says who it is.
pub const PRINCIPAL: &str = "x-milepost-principal";

/// The longest principal, in characters.
const PRINCIPAL_CHARS: usize = 200;

/// Calls that did not come through the host (in tests) get this long.
const UNHOSTED: Duration = Duration::from_secs(30);

/// The caller of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who asks.
    pub actor: Actor,
    /// Until when an answer is of use.
    pub deadline: Instant,
    /// The W3C trace context; empty if none was given, or what was given has not the shape of one.
    pub traceparent: String,
}

impl Caller {
    /// The caller that metadata and extensions of a request tell of.
    ///
    /// # Errors
    /// If a principal is given that is none.
    pub fn of(metadata: &MetadataMap, extensions: &Extensions) -> Result<Self, Rejection> {
        let deadline =
            extensions.get::<Deadline>().map_or_else(|| Instant::now() + UNHOSTED, |deadline| deadline.0);
        let traceparent = metadata.get("traceparent").and_then(|value| value.to_str().ok());
        let traceparent = traceparent.filter(|text| is_traceparent(text)).unwrap_or_default().to_owned();
        let actor = match metadata.get(PRINCIPAL) {
            None => Actor::default(),
            Some(value) => Actor {
                principal: principal(value.to_str().unwrap_or_default())?,
                authentication: Authentication::Claimed,
                on_behalf_of: String::new(),
            },
        };
        Ok(Self { actor, deadline, traceparent })
    }

    /// A command of this caller, as `submit` takes it. `body` is the request with its request id
    /// cleared.
    pub fn submission<C>(
        &self,
        command: C,
        request_id: Option<RequestId>,
        body: &impl Message,
        validate_only: bool,
    ) -> Submission<C> {
        let command_id = request_id.map(|id| CommandId::Request {
            id: id.as_str().to_owned(),
            body: chain(&Hash::ZERO, &body.encode_to_vec()),
        });
        Submission {
            command,
            actor: self.actor.clone(),
            command_id,
            validate_only,
            deadline: Some(self.deadline),
        }
    }
}

fn principal(text: &str) -> Result<String, Rejection> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || !visible || text.len() > PRINCIPAL_CHARS {
        let description = format!("a principal is an id of 1 to {PRINCIPAL_CHARS} visible ASCII characters");
        return Err(Rejection::invalid(PRINCIPAL, "INVALID_PRINCIPAL", description));
    }
    Ok(text.to_owned())
}

/// Whether it has the shape of a trace context (W3C Trace Context, version 00): events keep it for ever,
/// and there is no room for anything else.
fn is_traceparent(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.split('-').map(str::len).eq([2, 32, 16, 2]) && text.chars().all(|c| c == '-' || hex(c))
}

/// Waits until a ledger has what a read asks for; revisions of other ledgers are refused.
///
/// # Errors
/// If a revision is none, is of another ledger or history, or does not come in time.
pub async fn reach<D: Domain>(
    ledger: &Ledger<D>,
    kind: LedgerKind,
    min_revisions: &[String],
    deadline: Instant,
) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    violations.check_count("min_revisions", min_revisions.len(), limits::MIN_REVISIONS);
    violations.into_result(())?;
    for text in min_revisions {
        let revision: Revision = text.parse().map_err(Rejection::RevisionInvalid)?;
        if revision.ledger != kind {
            return Err(Rejection::RevisionElsewhere { ledger: revision.ledger });
        }
        wait(ledger, kind, revision, deadline).await?;
    }
    Ok(())
}

async fn wait<D: Domain>(
    ledger: &Ledger<D>,
    kind: LedgerKind,
    revision: Revision,
    deadline: Instant,
) -> Result<(), Rejection> {
    let position = revision.position;
    ledger.wait_for(position, deadline).await.map_err(|error| {
        match error {
            WaitError::Diverged { asked, have } => return Rejection::LogDiverged { given: asked, own: have },
            WaitError::Journal { reason } => {
                tracing::error!(reason, %position, "whether a revision was reached cannot be told");
            }
            WaitError::TimedOut { .. } | WaitError::Closing => {}
        }
        Rejection::RevisionNotReached {
            ledger: kind,
            asked: position.sequence,
            have: ledger.position().sequence,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use milepost_ledger::journal::memory::MemoryJournal;
    use milepost_ledger::{Context, Decision, Entry, Options, Read, Write};
    use milepost_proto::registry::v1::DeletePortfolioRequest;
    use milepost_types::{HashPrefix, LogId, Position, SystemClock};

    use super::*;

    #[test]
    fn a_principal_is_claimed_and_nonsense_is_refused() {
        let mut metadata = MetadataMap::new();
        let nobody = Caller::of(&metadata, &Extensions::new()).unwrap();
        assert_eq!(nobody.actor, Actor::default());
        metadata.insert(PRINCIPAL, "office".parse().unwrap());
        let office = Caller::of(&metadata, &Extensions::new()).unwrap();
        assert_eq!(office.actor.authentication, Authentication::Claimed);
        for nonsense in ["", "a b", &"x".repeat(201)] {
            metadata.insert(PRINCIPAL, nonsense.parse().unwrap());
            assert!(Caller::of(&metadata, &Extensions::new()).is_err(), "{nonsense:?}");
        }
    }

    #[test]
    fn a_trace_context_is_passed_on_and_nothing_else_is() {
        let traceparent = |given: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("traceparent", given.parse().unwrap());
            Caller::of(&metadata, &Extensions::new()).unwrap().traceparent
        };
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(good), good);
        for bad in ["", "00", &good.to_uppercase(), &good.replace('-', "_"), &good.repeat(200)] {
            assert_eq!(traceparent(bad), "");
        }
        assert_eq!(Caller::of(&MetadataMap::new(), &Extensions::new()).unwrap().traceparent, "");
    }

    #[test]
    fn the_same_request_has_the_same_digest_and_another_has_not() {
        let caller = Caller::of(&MetadataMap::new(), &Extensions::new()).unwrap();
        let id = |name: &str| {
            let body = DeletePortfolioRequest { name: name.into(), ..Default::default() };
            let request_id = RequestId::from_field("r-1").unwrap();
            caller.submission((), request_id, &body, false).command_id.unwrap()
        };
        assert_eq!(id("portfolios/a"), id("portfolios/a"));
        assert_ne!(id("portfolios/a"), id("portfolios/b"));
    }

    struct Nothing;

    impl Domain for Nothing {
        type Command = ();
        type Rejection = ();
        const STORE_VERSION: u32 = 1;

        fn decide(&self, _: &dyn Read, (): &(), _: &Context) -> Result<Decision, ()> {
            Ok(Decision { events: vec![bytes::Bytes::from_static(b"event")], ..Decision::default() })
        }

        fn apply(&self, _: &mut dyn Write, _: &Entry) {}
    }

    #[tokio::test]
    async fn a_read_waits_for_the_revisions_it_names_and_no_longer_than_it_has_time() {
        let store = tempfile::tempdir().unwrap();
        let journal = Arc::new(MemoryJournal::new(LogId::generate()));
        let clock = Arc::new(SystemClock);
        let ledger =
            Ledger::open("test", store.path(), journal, Arc::new(Nothing), clock, Options::default())
                .unwrap();
        let position = ledger.submit(Submission::system("test", ())).await.unwrap().position;
        let revision = |ledger, position| Revision { ledger, position }.to_string();
        let here = revision(LedgerKind::Registry, position);
        let later = revision(LedgerKind::Registry, Position { sequence: 2, ..position });
        let soon = Instant::now() + Duration::from_millis(30);
        let ask = |revisions: Vec<String>, deadline| {
            let ledger = ledger.clone();
            async move { reach(&ledger, LedgerKind::Registry, &revisions, deadline).await }
        };
        assert_eq!(ask(vec![], soon).await, Ok(()));
        assert_eq!(ask(vec![here.clone(), here.clone()], soon).await, Ok(()));
        let missed = Rejection::RevisionNotReached { ledger: LedgerKind::Registry, asked: 2, have: 1 };
        assert_eq!(ask(vec![here.clone(), later.clone()], soon).await, Err(missed));
        let elsewhere = ask(vec![revision(LedgerKind::Tracker, position)], soon).await;
        assert_eq!(elsewhere, Err(Rejection::RevisionElsewhere { ledger: LedgerKind::Tracker }));
        let other =
            revision(LedgerKind::Registry, Position { hash: HashPrefix::from_bytes([9; 8]), ..position });
        assert!(matches!(ask(vec![other], soon).await, Err(Rejection::LogDiverged { .. })));
        assert!(matches!(ask(vec!["nonsense".into()], soon).await, Err(Rejection::RevisionInvalid(_))));
        let many = vec![here; limits::MIN_REVISIONS + 1];
        assert!(matches!(ask(many, soon).await, Err(Rejection::Invalid(_))));

        let patient = Instant::now() + Duration::from_secs(20);
        let (reached, written) =
            tokio::join!(ask(vec![later], patient), ledger.submit(Submission::system("test", ())));
        let sequence = written.unwrap().position.sequence;
        // The hash of what was waited for was made up, which is noticed as soon as the entry is there.
        assert!(matches!(reached, Err(Rejection::LogDiverged { .. })) && sequence == 2, "{reached:?}");
    }
}

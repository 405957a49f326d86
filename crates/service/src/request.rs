//! The parts of a request that every handler reads: its principal, deadline, request id, and the revisions that it
//! waits for.
//!
//! Invariant: a principal from the outside is only claimed, and is marked so. A request's digest covers
//! every field but its request id, so that the same id with another body is noticed.

use std::time::{Duration, Instant};

use milepost_ledger::{Actor, Authentication, CommandId, Domain, Ledger, Submission, WaitError, chain};
use milepost_proto::WriteRequest;
use milepost_types::{Hash, LedgerKind, Rejection, RequestId, Revision, Violations, limits};
use tonic::Request;
use tonic::metadata::MetadataMap;

use crate::access::{Authority, Permitted};
use crate::host::Deadline;
use crate::identity::single;

/// The metadata key by which a caller says who it is.
pub const PRINCIPAL: &str = milepost_proto::PRINCIPAL_METADATA;
/// The metadata key by which it says for whom it acts.
const ON_BEHALF_OF: &str = milepost_proto::ON_BEHALF_OF_METADATA;

/// Why a header names no principal.
const INVALID_PRINCIPAL: &str = "INVALID_PRINCIPAL";

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
    /// The caller of a request that was allowed.
    ///
    /// # Errors
    /// If a principal is malformed.
    pub fn of_permitted<R>(request: &Permitted<R>) -> Result<Self, Rejection> {
        Self::of(request.request())
    }

    /// The caller that metadata and extensions of a request tell of.
    ///
    /// # Errors
    /// If a principal is malformed.
    pub fn of<R>(request: &Request<R>) -> Result<Self, Rejection> {
        let deadline = request.extensions().get::<Deadline>();
        let deadline = deadline.map_or_else(|| Instant::now() + UNHOSTED, |deadline| deadline.0);
        let metadata = request.metadata();
        let traceparent = metadata.get("traceparent").and_then(|value| value.to_str().ok());
        let traceparent = traceparent.filter(|text| is_traceparent(text)).unwrap_or_default().to_owned();
        let holder = request.extensions().get::<Authority>().and_then(Authority::holder);
        let actor = match holder {
            Some(holder) => holder.actor.clone(),
            None => claimed(metadata)?,
        };
        Ok(Self { actor, deadline, traceparent })
    }

    /// The command that a request of this caller is read to, as `submit` takes it, and what is wrong with the request: if
    /// there is something, the command is not to have an effect. None: it cannot be read.
    pub fn submission<R: WriteRequest, C>(
        &self,
        mut request: R,
        read: impl FnOnce(R, &mut Violations) -> Option<C>,
    ) -> (Option<Submission<C>>, Violations) {
        let mut violations = Violations::new();
        let id = std::mem::take(request.request_id_mut());
        let id = violations.check("request_id", RequestId::from_field(&id)).flatten();
        let command_id = id.map(|id| CommandId::Request {
            id: id.as_str().to_owned(),
            body: chain(&Hash::ZERO, &request.encode_to_vec()),
        });
        let validate_only = request.validate_only();
        let submission = read(request, &mut violations).map(|command| Submission {
            command,
            actor: self.actor.clone(),
            command_id,
            validate_only,
            deadline: Some(self.deadline),
        });
        (submission, violations)
    }
}

/// Finds what a request within another may not say for itself, because it is said of the whole request.
pub fn check_nested<R: WriteRequest>(request: &mut R, violations: &mut Violations) {
    if !request.request_id_mut().is_empty() {
        let description = "the whole request has one request id; leave it empty here";
        violations.push("request_id", "NOT_ALLOWED", description);
    }
    if request.validate_only() {
        violations.push("validate_only", "NOT_ALLOWED", "it is for the whole request; leave it out here");
    }
}

/// Who the caller says to be, and to act for, where nothing has to be proved.
fn claimed(metadata: &MetadataMap) -> Result<Actor, Rejection> {
    let mut violations = Violations::new();
    let mut principal = |key| principal(metadata, key, &mut violations);
    let (principal, on_behalf_of) = (principal(PRINCIPAL), principal(ON_BEHALF_OF));
    if principal.is_none() && on_behalf_of.is_some() {
        let description = format!("who makes the call is not said; give {PRINCIPAL}, too");
        violations.push(ON_BEHALF_OF, INVALID_PRINCIPAL, description);
    }
    violations.into_result(())?;
    let actor = |principal| Actor {
        principal,
        on_behalf_of: on_behalf_of.unwrap_or_default(),
        authentication: Authentication::Claimed,
        ..Actor::default()
    };
    Ok(principal.map(actor).unwrap_or_default())
}

/// The principal that a header names, if it is given.
fn principal(metadata: &MetadataMap, key: &'static str, violations: &mut Violations) -> Option<String> {
    let value = match single(metadata.as_ref(), key) {
        Ok(value) => value?,
        Err(repeated) => {
            violations.push(key, INVALID_PRINCIPAL, format!("{repeated}; give it once"));
            return None;
        }
    };
    let text = value.to_str().unwrap_or_default();
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || !visible || text.len() > limits::PRINCIPAL_CHARS {
        let most = limits::PRINCIPAL_CHARS;
        let description = format!("a principal is an id of 1 to {most} visible ASCII characters");
        violations.push(key, INVALID_PRINCIPAL, description);
    }
    Some(text.to_owned())
}

/// Whether it has the shape of a trace context (W3C Trace Context, version 00). Events keep it permanently, so
/// nothing else is accepted.
fn is_traceparent(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.split('-').map(str::len).eq([2, 32, 16, 2]) && text.chars().all(|c| c == '-' || hex(c))
}

/// The revisions that a read asks to wait for.
///
/// # Errors
/// If they are too many, or one is malformed.
pub fn revisions(given: &[String]) -> Result<Vec<Revision>, Rejection> {
    let mut violations = Violations::new();
    violations.check_count("min_revisions", given.len(), limits::MIN_REVISIONS);
    violations.into_result(())?;
    given.iter().map(|text| text.parse().map_err(Rejection::RevisionInvalid)).collect()
}

/// Waits until a ledger has reached a revision; one of another ledger is refused.
///
/// # Errors
/// If it is of another ledger or history, or is not reached in time.
pub async fn wait_for_revision<D: Domain>(
    ledger: &Ledger<D>,
    kind: LedgerKind,
    revision: Revision,
    deadline: Instant,
) -> Result<(), Rejection> {
    if revision.ledger != kind {
        return Err(Rejection::RevisionElsewhere { ledger: revision.ledger });
    }
    let position = revision.position;
    ledger.wait_for(position, deadline).await.map_err(|error| {
        match error {
            WaitError::Diverged { asked, have } => return Rejection::LogDiverged { given: asked, own: have },
            WaitError::Journal { reason } => {
                tracing::error!(reason, %position, "the journal cannot be read to check a revision");
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
    use milepost_ledger::{Context, Decision, Entry, Options, Read, Unusable, Write};
    use milepost_proto::registry::v1::DeletePortfolioRequest;
    use milepost_types::{HashPrefix, LogId, Position, SystemClock};

    use super::*;

    fn request(key: &'static str, value: &str) -> Request<()> {
        let mut request = Request::new(());
        request.metadata_mut().insert(key, value.parse().unwrap());
        request
    }

    #[test]
    fn a_principal_is_claimed_and_nonsense_is_refused() {
        let nobody = Caller::of(&Request::new(())).unwrap();
        assert_eq!(nobody.actor, Actor::default());
        let office = Caller::of(&request(PRINCIPAL, "office")).unwrap();
        assert_eq!(office.actor.authentication, Authentication::Claimed);
        for nonsense in ["", "a b", &"x".repeat(201)] {
            assert!(Caller::of(&request(PRINCIPAL, nonsense)).is_err(), "{nonsense:?}");
        }
    }

    #[test]
    fn for_whom_a_caller_acts_is_claimed_beside_who_it_is() {
        let for_office = |other: &str| {
            let mut request = request(PRINCIPAL, "assistant");
            request.metadata_mut().insert(ON_BEHALF_OF, other.parse().unwrap());
            Caller::of(&request).map(|caller| caller.actor)
        };
        let actor = for_office("office").unwrap();
        assert_eq!((actor.principal.as_str(), actor.on_behalf_of.as_str()), ("assistant", "office"));
        for nonsense in ["", "a b", &"x".repeat(201)] {
            assert!(for_office(nonsense).is_err(), "{nonsense:?}");
        }
        let nobody = Caller::of(&request(ON_BEHALF_OF, "office")).unwrap_err();
        assert!(nobody.to_string().contains("give x-milepost-principal"), "{nobody}");
    }

    #[test]
    fn what_is_wrong_with_both_principals_is_said_at_once_and_one_given_twice_is_not_read_in_part() {
        let mut request = request(PRINCIPAL, "a b");
        for other in ["office", "finance"] {
            request.metadata_mut().append(ON_BEHALF_OF, other.parse().unwrap());
        }
        let Err(Rejection::Invalid(found)) = Caller::of(&request) else { panic!("both are faulty") };
        let fields: Vec<_> = found.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, [PRINCIPAL, ON_BEHALF_OF]);
        assert!(
            found.iter().any(|violation| violation.description.ends_with("is given 2 times; give it once"))
        );
    }

    #[test]
    fn a_trace_context_is_passed_on_and_nothing_else_is() {
        let traceparent = |given: &str| Caller::of(&request("traceparent", given)).unwrap().traceparent;
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(good), good);
        for bad in ["", "00", &good.to_uppercase(), &good.replace('-', "_"), &good.repeat(200)] {
            assert_eq!(traceparent(bad), "");
        }
        assert_eq!(Caller::of(&Request::new(())).unwrap().traceparent, "");
    }

    #[test]
    fn the_same_request_has_the_same_digest_and_another_has_not() {
        let id = |name: &str, request_id: &str| {
            let request_id = request_id.to_owned();
            let request = DeletePortfolioRequest { name: name.into(), request_id, ..Default::default() };
            let caller = Caller::of(&Request::new(())).unwrap();
            caller.submission(request, |_, _| Some(())).0.unwrap().command_id
        };
        let CommandId::Request { body, .. } = id("portfolios/a", "r-1").unwrap() else { panic!("an id") };
        let again = CommandId::Request { id: "r-2".into(), body };
        assert_eq!(id("portfolios/a", "r-2"), Some(again.clone()));
        assert_ne!(id("portfolios/b", "r-2"), Some(again));
        assert_eq!(id("portfolios/a", ""), None);
    }

    #[test]
    fn all_that_is_wrong_with_a_write_is_told_at_once() {
        let caller = Caller::of(&Request::new(())).unwrap();
        let request = DeletePortfolioRequest { request_id: "a b".into(), ..Default::default() };
        let (read, violations) = caller.submission(request, |request, violations| {
            assert_eq!(request.request_id, "");
            violations.require::<()>("name", None)
        });
        assert!(read.is_none());
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["request_id", "name"]);
    }

    struct Nothing;

    impl Domain for Nothing {
        type Command = ();
        type Rejection = ();
        const STORE_VERSION: u32 = 1;

        fn decide(&self, _: &dyn Read, (): &(), _: &Context) -> Result<Decision, ()> {
            Ok(Decision { events: vec![bytes::Bytes::from_static(b"event")], ..Decision::default() })
        }

        fn apply(&self, _: &mut dyn Write, _: &Entry) -> Result<(), Unusable> {
            Ok(())
        }
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
            async move {
                for revision in super::revisions(&revisions)? {
                    wait_for_revision(&ledger, LedgerKind::Registry, revision, deadline).await?;
                }
                Ok(())
            }
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

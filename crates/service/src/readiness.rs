//! Whether a server may be sent traffic: named checks that its components report into.
//!
//! Invariant: a check is not ready until its component says so, and not ready again once the component has dropped it;
//! a server is ready when no check is unready and it is not draining. A component that works but is behind
//! (a follower whose source cannot be reached) is *degraded*: it reports why and stays ready, because
//! taking it out of rotation would not help: its reads still work.

use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The state of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It works.
    Ready,
    /// It works, but not as well as it should; the reason is for people.
    Degraded(String),
    /// It cannot be used; the reason is for people.
    NotReady(String),
}

impl State {
    /// The words of all states.
    pub const ALL: [&str; 3] = ["ready", "degraded", "not_ready"];

    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ready => Self::ALL[0],
            Self::Degraded(_) => Self::ALL[1],
            Self::NotReady(_) => Self::ALL[2],
        }
    }

    /// Why it is not simply ready; empty if it is.
    pub fn reason(&self) -> &str {
        match self {
            Self::Ready => "",
            Self::Degraded(reason) | Self::NotReady(reason) => reason,
        }
    }
}

/// All checks at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether the server is stopping.
    pub draining: bool,
    /// Each check by its name, such as `registry.ledger`.
    pub checks: BTreeMap<String, State>,
}

impl Report {
    /// Whether the server may be sent traffic.
    pub fn ready(&self) -> bool {
        self.ready_within("")
    }

    /// Whether the component with this name may be: whether its checks, `{component}.…`, allow it.
    pub fn component_ready(&self, component: &str) -> bool {
        self.ready_within(&format!("{component}."))
    }

    fn ready_within(&self, prefix: &str) -> bool {
        let unready = |(name, state): (&String, &State)| {
            name.starts_with(prefix) && matches!(state, State::NotReady(_))
        };
        !self.draining && !self.checks.iter().any(unready)
    }
}

/// The checks of a server; clones share them.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<watch::Sender<Report>>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Report::default())))
    }
}

impl Readiness {
    /// No checks yet, so ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new check, unready until its component reports otherwise. Name it `{component}.{what}`.
    pub fn check(&self, name: impl Into<String>) -> Check {
        let check = Check { name: name.into(), readiness: self.clone() };
        check.not_ready("starting");
        check
    }

    /// The server is stopping: it is not ready any more, whatever its components say.
    pub fn drain(&self) {
        self.0.send_modify(|report| report.draining = true);
    }

    /// All checks now.
    pub fn report(&self) -> Report {
        self.0.borrow().clone()
    }

    /// The checks, to wait for a change.
    pub fn watch(&self) -> watch::Receiver<Report> {
        self.0.subscribe()
    }
}

/// A component's handle on its check. Dropping it says that the component is gone: unready.
#[derive(Debug)]
pub struct Check {
    name: String,
    readiness: Readiness,
}

impl Check {
    /// The component works.
    pub fn ready(&self) {
        self.set(State::Ready);
    }

    /// The component works, but not as well as it should.
    pub fn degraded(&self, reason: impl Into<String>) {
        self.set(State::Degraded(reason.into()));
    }

    /// The component cannot be used.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(State::NotReady(reason.into()));
    }

    fn set(&self, state: State) {
        self.readiness.0.send_if_modified(|report| {
            let changed = report.checks.get(&self.name) != Some(&state);
            if changed {
                report.checks.insert(self.name.clone(), state);
            }
            changed
        });
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        self.not_ready("stopped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_every_check_allows_it() {
        let readiness = Readiness::new();
        assert!(readiness.report().ready());
        let ledger = readiness.check("registry.ledger");
        let follow = readiness.check("tracker.follow(registry)");
        assert!(!readiness.report().ready());
        ledger.ready();
        assert!(!readiness.report().ready());
        assert!(readiness.report().component_ready("registry"));
        assert!(!readiness.report().component_ready("tracker"));
        follow.degraded("registry unreachable");
        assert!(readiness.report().ready());
        drop(ledger);
        assert!(!readiness.report().component_ready("registry"));
        assert_eq!(readiness.report().checks["registry.ledger"].reason(), "stopped");
    }

    #[test]
    fn a_draining_server_is_not_ready_whatever_its_parts_say() {
        let readiness = Readiness::new();
        let check = readiness.check("registry.ledger");
        check.ready();
        readiness.drain();
        check.ready();
        assert!(!readiness.report().ready());
        assert!(!readiness.report().component_ready("registry"));
    }

    #[test]
    fn watchers_hear_of_changes_only() {
        let readiness = Readiness::new();
        let check = readiness.check("registry.ledger");
        let mut watch = readiness.watch();
        watch.mark_unchanged();
        check.not_ready("starting");
        assert!(!watch.has_changed().unwrap());
        check.ready();
        assert!(watch.has_changed().unwrap());
    }
}

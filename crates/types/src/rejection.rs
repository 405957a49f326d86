//! What a command or a read may be refused for, with the data to act on it.
//!
//! Invariant: a variant says what is so and its text says what to do. Which gRPC code and which
//! details a variant becomes is decided in one place, in crate `service`; this knows no transport.

use jiff::civil::Date;

use crate::cursor::Cursor;
use crate::damaged_row::DamagedRow;
use crate::etag::Etag;
use crate::filter::FilterError;
use crate::kind::ResourceKind;
use crate::limits;
use crate::name::ResourceName;
use crate::permission::{Permission, Role};
use crate::position::Position;
use crate::quote::quoted;
use crate::request::RequestId;
use crate::revision::LedgerKind;
use crate::token::TokenError;
use crate::violation::{Fault, Violations};

/// One condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// What kind of condition, for programs: `UPPER_SNAKE_CASE`.
    pub kind: &'static str,
    /// The resource it does not hold for.
    pub subject: String,
    /// What does not hold and what to do, for people.
    pub description: String,
}

/// Why a command or a read was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Fields of the request are faulty.
    #[error("the request is not valid: {0}")]
    Invalid(Violations),
    /// There is no such resource, or the caller may not know of it.
    #[error("there is no {kind} {name}; check the name", name = quoted(.name))]
    NotFound {
        /// What was asked for.
        kind: ResourceKind,
        /// Its name.
        name: String,
    },
    /// The caller lacks a permission, whether or not there is such a resource (AIP-211).
    #[error(
        "permission {permission} denied on {place} (or it might not exist); it takes one of the roles {roles} there",
        place = quoted(.place)
    )]
    Denied {
        /// The permission; of several that would do, the first.
        permission: Permission,
        /// The resource that it was asked for on, or `everything`.
        place: String,
        /// The roles that have it, joined by a comma.
        roles: String,
    },
    /// A resource has this name already.
    #[error("the {kind} {name} exists already{}", instead(.deleted, .is_fixed), name = quoted(.name))]
    AlreadyExists {
        /// What was to be created.
        kind: ResourceKind,
        /// Its name.
        name: String,
        /// Whether it is deleted.
        deleted: bool,
        /// Whether resources of its kind are neither updated nor undeleted, so that only another name helps.
        is_fixed: bool,
    },
    /// The resource was to be undeleted and is not deleted.
    #[error("the {kind} {name} is not deleted, so there is nothing to undelete", name = quoted(.name))]
    NotDeleted {
        /// What was to be undeleted.
        kind: ResourceKind,
        /// Its name.
        name: String,
    },
    /// The resource was deleted softly: it can be read and undeleted, not changed.
    #[error("the {kind} {name} is deleted; undelete it first", name = quoted(.name))]
    Deleted {
        /// What was to be changed or referred to.
        kind: ResourceKind,
        /// Its name.
        name: String,
    },
    /// The resource was changed since the caller read it.
    #[error("{name} was changed since: its etag is {current}, not {given}; read it again and decide anew", name = quoted(.name))]
    StaleEtag {
        /// The resource.
        name: String,
        /// The etag in the request.
        given: Etag,
        /// The etag it has.
        current: Etag,
    },
    /// The resource's state does not allow what was asked.
    #[error("{name} is {}{}", word(.state), ways_out(.action, .allowed), name = quoted(.name))]
    WrongState {
        /// The resource.
        name: String,
        /// What was to be done, as a verb for people: `start`.
        action: &'static str,
        /// The state it has, as the API spells it.
        state: String,
        /// The states that would allow it.
        allowed: Vec<String>,
    },
    /// Conditions about this or other resources do not hold: all of them, not the first.
    #[error("{}", conditions(.0))]
    Preconditions(Vec<Precondition>),
    /// The request id was used for another request.
    #[error("the request id {request_id} was used for another request; use a new id for a new request")]
    RequestIdReused {
        /// The id.
        request_id: RequestId,
    },
    /// A limit of the whole.
    #[error("{what} would be more than the limit of {limit}; give fewer, or remove some first")]
    LimitExceeded {
        /// What is limited, for people, in the plural: `milestones of one project`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The answer to a batch would be larger than what clients take. `asked` is how many there are in the
    /// batch.
    #[error(
        "an answer holds at most {limit} bytes of {what}: {fit} of the {asked} fit; ask for at most {fit} at once",
        limit = limits::ANSWER_ITEM_BYTES
    )]
    AnswerTooLarge {
        /// What the answer holds, for people, in the plural: `projects`.
        what: &'static str,
        /// How many were asked for.
        asked: usize,
        /// How many of them, from the first on, fit one answer.
        fit: usize,
    },
    /// The date to advance to is too far from the last one: a clock is wrong.
    #[error(
        "the date would go from {from} to {to}, more than {limit_days} days; check the clocks, or advance in steps if this is meant"
    )]
    ClockRefused {
        /// The date it stands at.
        from: Date,
        /// The date that was asked for.
        to: Date,
        /// How many days one step may have.
        limit_days: u32,
    },
    /// The filter cannot be read, or does not fit the resource.
    #[error("{field}, {error}")]
    Filter {
        /// The field of the request that holds the filter.
        field: &'static str,
        /// What is wrong, and at which column.
        error: FilterError,
    },
    /// The cursor cannot be read.
    #[error("{error}")]
    CursorInvalid {
        /// Why not.
        error: TokenError,
        /// The earliest cursor that can be read from.
        earliest: Cursor,
    },
    /// The cursor is of a log that this one does not descend from.
    #[error(
        "the cursor is of the log {}, and this is the log {}: give it to the server that answered it, or start again from the earliest cursor",
        .given.log, .own.log
    )]
    CursorOfOtherLog {
        /// Where the cursor is.
        given: Position,
        /// The last position of this log.
        own: Position,
        /// The earliest cursor that can be read from.
        earliest: Cursor,
    },
    /// The cursor is of this log and past its end.
    #[error(
        "the cursor is at sequence {} and this log ends at {}: either another copy of the log answered it, or this one lost its end; ask the operator which, or start again from the earliest cursor",
        .given.sequence, .own.sequence
    )]
    CursorAhead {
        /// Where the cursor is.
        given: Position,
        /// The last position of this log.
        own: Position,
        /// The earliest cursor that can be read from.
        earliest: Cursor,
    },
    /// The cursor is of another history than this log.
    #[error(
        "the cursor is at {given}, where this log has another history ({own}), as after a restore to an older state: events that were read before it may not be in this log; start again from the earliest cursor"
    )]
    CursorDiverged {
        /// Where the cursor is.
        given: Position,
        /// The position of this log at the same sequence if there is one, else its last.
        own: Position,
        /// The earliest cursor that can be read from.
        earliest: Cursor,
    },
    /// What follows the cursor is no longer kept.
    #[error("the cursor is older than what the log keeps; start again from the earliest cursor")]
    CursorExpired {
        /// The earliest cursor that can be read from.
        earliest: Cursor,
    },
    /// The position is of another log, of another history of this log, or ahead of it.
    #[error(
        "the position {given} is not in this log, which is at {own}: it is of another log, or of another history of this one, as before a restore; ask without it, or give one that this server answered"
    )]
    LogDiverged {
        /// The position in the request.
        given: Position,
        /// The position of this log: at the same sequence if there is one, else the last.
        own: Position,
    },
    /// The revision cannot be read.
    #[error("{0}")]
    RevisionInvalid(TokenError),
    /// The revision is of a ledger that is not here.
    #[error("the revision is of a {ledger}, which this server cannot wait for; leave it out, or ask another")]
    RevisionElsewhere {
        /// The ledger it names.
        ledger: LedgerKind,
    },
    /// A revision did not arrive within the deadline.
    #[error(
        "the {ledger} is at {have} here and has not reached {asked} within the deadline; try again, or give the call more time"
    )]
    RevisionNotReached {
        /// The ledger.
        ledger: LedgerKind,
        /// The sequence asked for.
        asked: u64,
        /// The sequence there is.
        have: u64,
    },
    /// The page token is damaged or belongs to another request.
    #[error("{0}")]
    PageToken(TokenError),
    /// A stored row that this needs cannot be decoded.
    #[error("{0}; nothing else is affected, and its operator can rebuild the store from the journal")]
    DamagedRow(DamagedRow),
}

impl Rejection {
    /// The refusal for want of one of these permissions on the resource of this name; an empty one is everything.
    pub fn denied(permissions: &[Permission], name: &str) -> Self {
        let roles = Role::ALL.into_iter().filter(|role| permissions.iter().any(|needed| role.has(*needed)));
        Self::Denied {
            permission: permissions.first().copied().unwrap_or(Permission::ContentRead),
            place: if name.is_empty() { "everything".to_owned() } else { name.to_owned() },
            roles: roles.map(Role::as_str).collect::<Vec<_>>().join(", "),
        }
    }

    /// One faulty field.
    pub fn invalid(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        Rejection::Invalid(Violations::one(field, reason, description))
    }

    /// One field that holds a fault.
    pub fn fault(field: impl Into<String>, fault: impl Fault) -> Self {
        let mut violations = Violations::new();
        fault.record(field.into(), &mut violations);
        Rejection::Invalid(violations)
    }

    /// There is no such resource.
    pub fn not_found<N: ResourceName>(name: &N) -> Self {
        Rejection::NotFound { kind: N::KIND, name: name.to_string() }
    }

    /// A resource has this name already; if it is `deleted`, it can be undeleted.
    pub fn already_exists<N: ResourceName>(name: &N, deleted: bool) -> Self {
        Rejection::AlreadyExists { kind: N::KIND, name: name.to_string(), deleted, is_fixed: false }
    }

    /// A resource has this name already, of a kind that is neither updated nor undeleted.
    pub fn already_exists_fixed<N: ResourceName>(name: &N, deleted: bool) -> Self {
        Rejection::AlreadyExists { kind: N::KIND, name: name.to_string(), deleted, is_fixed: true }
    }

    /// The resource was to be undeleted and is not deleted.
    pub fn not_deleted<N: ResourceName>(name: &N) -> Self {
        Rejection::NotDeleted { kind: N::KIND, name: name.to_string() }
    }

    /// The resource was deleted softly.
    pub fn deleted<N: ResourceName>(name: &N) -> Self {
        Rejection::Deleted { kind: N::KIND, name: name.to_string() }
    }

    /// One condition that does not hold.
    pub fn precondition(
        kind: &'static str,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Rejection::Preconditions(vec![Precondition {
            kind,
            subject: subject.into(),
            description: description.into(),
        }])
    }

    /// Refuses if conditions do not hold: all of these.
    ///
    /// # Errors
    /// If there is one.
    pub fn unless_met(conditions: Vec<Precondition>) -> Result<(), Self> {
        if conditions.is_empty() { Ok(()) } else { Err(Rejection::Preconditions(conditions)) }
    }

    /// Refuses a stale etag; no etag given is no check.
    pub fn check_etag(name: &impl std::fmt::Display, given: Option<Etag>, current: Etag) -> Result<(), Self> {
        match given {
            Some(given) if given != current => {
                Err(Rejection::StaleEtag { name: name.to_string(), given, current })
            }
            _ => Ok(()),
        }
    }
}

impl From<DamagedRow> for Rejection {
    fn from(row: DamagedRow) -> Self {
        Rejection::DamagedRow(row)
    }
}

impl From<Violations> for Rejection {
    fn from(violations: Violations) -> Self {
        Rejection::Invalid(violations)
    }
}

fn instead(deleted: &bool, is_fixed: &bool) -> &'static str {
    match (deleted, is_fixed) {
        (false, false) => "; choose another id, or update it",
        (true, false) => " and is deleted; undelete it, or choose another id",
        (false, true) => "; choose another id",
        (true, true) => " and is deleted, which cannot be undone; choose another id",
    }
}

fn ways_out(action: &str, states: &[String]) -> String {
    match states {
        [] => format!(" and cannot {action} any more"),
        [one] => format!("; to {action} it must be {}", word(one)),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|state| word(state)).collect();
            format!("; to {action} it must be {} or {}", first.join(", "), word(last))
        }
    }
}

/// A state as people read it: `CANCELLED`, where the API spells it `STATUS_CANCELLED`.
fn word(state: &str) -> &str {
    ["STATUS_", "STATE_"].iter().find_map(|prefix| state.strip_prefix(prefix)).unwrap_or(state)
}

fn conditions(list: &[Precondition]) -> String {
    const SHOWN: usize = 5;
    let mut text = String::from("the request cannot be done now: ");
    for (i, condition) in list.iter().take(SHOWN).enumerate() {
        if i > 0 {
            text.push_str("; ");
        }
        if !condition.subject.is_empty() {
            text.push_str(&condition.subject);
            text.push_str(": ");
        }
        text.push_str(&condition.description);
    }
    if list.len() > SHOWN {
        text.push_str(&format!("; and {} more", list.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogId;

    const PROJECT: &str = "portfolios/wsc/projects/science-avenue";

    fn portfolio(refused: fn(ResourceKind, String) -> Rejection) -> Rejection {
        refused(ResourceKind::new("milepost.dev/Portfolio", "portfolio"), "portfolios/wsc".to_owned())
    }

    #[test]
    fn texts_say_what_is_so_and_what_to_do() {
        let states = |list: &[&str]| list.iter().map(|state| state.to_string()).collect();
        let wrong_state = |allowed: &[&str]| Rejection::WrongState {
            name: PROJECT.to_owned(),
            action: "start",
            state: "STATUS_CANCELLED".into(),
            allowed: states(allowed),
        };
        for (rejection, text) in [
            (
                Rejection::NotFound {
                    kind: ResourceKind::new("milepost.dev/Project", "project"),
                    name: PROJECT.to_owned(),
                },
                "there is no project \"portfolios/wsc/projects/science-avenue\"; check the name",
            ),
            (
                portfolio(|kind, name| Rejection::AlreadyExists {
                    kind,
                    name,
                    deleted: false,
                    is_fixed: false,
                }),
                "the portfolio \"portfolios/wsc\" exists already; choose another id, or update it",
            ),
            (
                portfolio(|kind, name| Rejection::AlreadyExists {
                    kind,
                    name,
                    deleted: true,
                    is_fixed: false,
                }),
                "the portfolio \"portfolios/wsc\" exists already and is deleted; undelete it, or choose another id",
            ),
            (
                portfolio(|kind, name| Rejection::NotDeleted { kind, name }),
                "the portfolio \"portfolios/wsc\" is not deleted, so there is nothing to undelete",
            ),
            (
                wrong_state(&["STATUS_PROPOSED", "STATUS_PREPARATION", "STATE_SUSPENDED"]),
                "\"portfolios/wsc/projects/science-avenue\" is CANCELLED; to start it must be PROPOSED, PREPARATION or SUSPENDED",
            ),
            (
                wrong_state(&[]),
                "\"portfolios/wsc/projects/science-avenue\" is CANCELLED and cannot start any more",
            ),
            (
                Rejection::AnswerTooLarge { what: "projects", asked: 400, fit: 312 },
                "an answer holds at most 4128768 bytes of projects: 312 of the 400 fit; ask for at most 312 at once",
            ),
            (
                Rejection::invalid("project.display_name", "REQUIRED", "the text is empty"),
                "the request is not valid: project.display_name: the text is empty",
            ),
            (
                Rejection::fault("project_id", "Ä".parse::<crate::ResourceId>().unwrap_err()),
                "the request is not valid: project_id: the id \"Ä\" has the character 'Ä'; use only a to z, 0 to 9 and hyphen",
            ),
        ] {
            assert_eq!(rejection.to_string(), text);
        }
    }

    #[test]
    fn preconditions_are_all_kept_and_the_first_ones_shown() {
        let list: Vec<_> = (0..7)
            .map(|i| Precondition {
                kind: "PROJECT_STATE",
                subject: format!("p{i}"),
                description: "is CANCELLED".into(),
            })
            .collect();
        let text = Rejection::Preconditions(list).to_string();
        assert!(
            text.contains("p0: is CANCELLED; p1") && text.ends_with("p4: is CANCELLED; and 2 more"),
            "{text}"
        );
    }

    #[test]
    fn an_etag_is_checked_only_if_given() {
        assert_eq!(Rejection::check_etag(&PROJECT, None, Etag(7)), Ok(()));
        assert_eq!(Rejection::check_etag(&PROJECT, Some(Etag(7)), Etag(7)), Ok(()));
        let stale = Rejection::check_etag(&PROJECT, Some(Etag(6)), Etag(7)).unwrap_err();
        assert!(matches!(stale, Rejection::StaleEtag { given: Etag(6), current: Etag(7), .. }));
        assert!(stale.to_string().contains("its etag is 7, not 6"));
    }

    #[test]
    fn a_cursor_past_the_end_does_not_claim_a_restore() {
        let log = LogId::from_bytes([1; 16]);
        let at = |sequence| Position { log, sequence, hash: crate::HashPrefix::from_bytes([0xaa; 8]) };
        let earliest = Cursor::after(Position::start(log));
        let text = Rejection::CursorAhead { given: at(523), own: at(503), earliest }.to_string();
        assert!(text.contains("at sequence 523") && text.contains("ends at 503"), "{text}");
        assert!(!text.contains("restore"), "{text}");
    }

    #[test]
    fn positions_of_two_histories_are_both_named() {
        let log = LogId::from_bytes([1; 16]);
        let given = Position { log, sequence: 9, hash: crate::HashPrefix::from_bytes([0xaa; 8]) };
        let own = Position { log, sequence: 9, hash: crate::HashPrefix::from_bytes([0xbb; 8]) };
        let text = Rejection::LogDiverged { given, own }.to_string();
        assert!(text.contains(&given.to_string()) && text.contains(&own.to_string()), "{text}");
    }
}

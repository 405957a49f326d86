//! Who may do what: grants of roles, service accounts, and their API tokens.
//!
//! Invariants: what names a service account names one that is there and not deleted, when it is created; what ends by
//! itself ends later than it begins. Who is allowed a call by them is not decided here.

pub(crate) mod api_token;
mod grant;
mod service_account;

use jiff::Timestamp;
use milepost_proto::access::v1::ServiceAccount;
use milepost_resource::{Name, Presence};
use milepost_types::Rejection;

use crate::tables::Scope;

/// Refuses a service account that is not there, or is deleted, in this field of the request.
fn check_service_account(
    scope: &Scope<'_>,
    field: &str,
    name: &Name<ServiceAccount>,
) -> Result<(), Rejection> {
    let (kind, what) = match scope.rows.presence(name)? {
        Presence::Present => return Ok(()),
        Presence::Missing => {
            ("REFERENCE_NOT_FOUND", "there is no such service account; create it first, or name another")
        }
        Presence::Deleted => {
            ("REFERENCE_DELETED", "the service account is deleted; undelete it, or name another")
        }
    };
    Err(Rejection::precondition(kind, name.to_string(), format!("{field}: {what}")))
}

/// Refuses a time at which something is to end by itself that is not later than now, in this field of the request.
fn check_expire_time(
    scope: &Scope<'_>,
    field: &'static str,
    time: Option<Timestamp>,
) -> Result<(), Rejection> {
    let now = scope.context.now;
    match time.filter(|time| *time <= now) {
        None => Ok(()),
        Some(time) => {
            let description = format!("{time} is not later than now, {now}; give a later time");
            Err(Rejection::invalid(field, "TIME_NOT_IN_FUTURE", description))
        }
    }
}

//! States: which one a resource has, and which ones allow an action.
//!
//! Invariant: a refusal names the state that there is and all those that would do. Which states allow an action is for
//! the rules of a resource to say.

use milepost_proto::resource::{Resource, Stateful};
use milepost_types::Rejection;

use crate::Checked;
use crate::row::Unreadable;

/// The state of a stored resource.
///
/// # Errors
/// If this version does not know it: what may be done to a resource depends on its state.
pub fn known_state<R: Stateful>(resource: &R) -> Result<R::State, Unreadable> {
    let number = resource.state_number();
    let state = R::State::try_from(number).ok().filter(|state| *state != R::State::default());
    state.ok_or_else(|| Unreadable::of("state", format_args!("{number} is no state that this version knows")))
}

/// Refuses an action that the state of a resource does not allow.
///
/// # Errors
/// If it has none of the `allowed` states.
pub fn check_state<R: Stateful>(
    resource: &Checked<R>,
    action: &'static str,
    allowed: &[R::State],
) -> Result<(), Rejection> {
    let state = R::State::try_from(resource.state_number()).unwrap_or_default();
    if allowed.contains(&state) {
        return Ok(());
    }
    let allowed = allowed.iter().map(|state| R::state_name(*state));
    Err(wrong_state(resource, action, R::state_name(state), allowed))
}

/// The refusal of an action that needs another state.
pub fn wrong_state<R: Resource>(
    resource: &Checked<R>,
    action: &'static str,
    state: &'static str,
    allowed: impl IntoIterator<Item = &'static str>,
) -> Rejection {
    Rejection::WrongState {
        name: resource.name().to_string(),
        action,
        state: state.to_owned(),
        allowed: allowed.into_iter().map(str::to_owned).collect(),
    }
}

//! What resources newly refer to must be there, and in their portfolio if they are in one.
//!
//! Invariant: only what is named newly is looked up: what was referred to before may stay, for references are soft.

use milepost_proto::registry::v1::Portfolio;
use milepost_proto::resource::Resource;
use milepost_resource::{Name, Presence, Rules};
use milepost_types::{DamagedRow, Precondition, ResourceName, Violations};

use crate::tables::{Registry, Scope};

/// Finds what is named at a field of a request and is not in this portfolio.
pub(crate) fn check_portfolio<R: Resource<Parent = Portfolio>>(
    field: impl FnOnce() -> String,
    name: &Name<R>,
    portfolio: &Name<Portfolio>,
    violations: &mut Violations,
) {
    if name.parent() != *portfolio {
        let description = format!("{name} is in another portfolio; name one of {portfolio}");
        violations.push(field(), "OTHER_PORTFOLIO", description);
    }
}

/// Adds to `conditions` what is named at a field of a request and is not there. A text that is not a name is ignored:
/// the check of fields reports it.
pub(crate) fn check<R: Rules<Registry>>(
    scope: &Scope<'_>,
    field: &str,
    name: &str,
    conditions: &mut Vec<Precondition>,
) -> Result<(), DamagedRow> {
    if let Ok(name) = name.parse::<Name<R>>() {
        conditions.extend(condition(&name, scope.rows.presence(&name)?, field));
    }
    Ok(())
}

/// What does not hold of a name at a field of a request, if it is not there.
pub(crate) fn condition<N: ResourceName>(name: &N, presence: Presence, field: &str) -> Option<Precondition> {
    let (kind, what) = match presence {
        Presence::Present => return None,
        Presence::Missing => ("REFERENCE_NOT_FOUND", format!("there is no such {}; name another", N::KIND)),
        Presence::Deleted => ("REFERENCE_DELETED", format!("the {} is deleted; undelete it", N::KIND)),
    };
    Some(Precondition {
        kind,
        subject: name.to_string(),
        description: format!("{field}: {what}, or leave it out"),
    })
}

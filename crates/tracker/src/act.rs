//! Acts: their civil days, which are when something was done, as whoever did it says; and the conditions that they break.
//!
//! Invariant: no act is on a day that has not come, or before the first day that it may be on. Which day is the first is
//! for the rules of a resource to say.

use jiff::civil::Date;
use milepost_types::{Precondition, Rejection, Violations};

/// The day of an act: the current one if none is given. `what` says which day `first` is.
///
/// # Errors
/// If it has not come, or is before the first.
pub(crate) fn act_day(
    current: Date,
    first: Option<Date>,
    given: Option<Date>,
    what: &str,
) -> Result<Date, Rejection> {
    let day = given.unwrap_or(current);
    let mut violations = Violations::new();
    check_day("date", day, (first, current), what, &mut violations);
    Ok(violations.into_result(day)?)
}

/// Records a day that has not come, or is before the first that it may be: `what` says which day that is.
pub(crate) fn check_day(
    field: &str,
    day: Date,
    (first, current): (Option<Date>, Date),
    what: &str,
    violations: &mut Violations,
) {
    if day > current {
        let description = format!(
            "{day} is after {current}, the portfolio's current date; say that it happened when it has, and that day has \
             begun"
        );
        violations.push(field, "DATE_IN_FUTURE", description);
    } else if let Some(first) = first.filter(|first| day < *first) {
        let description = format!("{day} is before {first}, {what}; give that day or a later one");
        violations.push(field, "DATE_TOO_EARLY", description);
    }
}

/// A value, or none after its conditions that are not met were added to the others, so that all are named at once.
///
/// # Errors
/// If something else is wrong.
pub(crate) fn unmet<T>(
    result: Result<T, Rejection>,
    conditions: &mut Vec<Precondition>,
) -> Result<Option<T>, Rejection> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Rejection::Preconditions(found)) => {
            conditions.extend(found);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

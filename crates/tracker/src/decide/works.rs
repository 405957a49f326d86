//! What a day brings to resources besides milestones, kind by kind: the works of the daily sweep.
//!
//! Invariant: what was done of a day needs nothing more of it: a work finds what is left by the rows alone, so a day
//! that takes several entries, or is begun again after a crash, does each thing once. A resource keeps the next day on
//! which something is due in a field with an index; so a day on which nothing is due costs one look at each index,
//! however large the portfolio is. In which entries things are written is the sweep's, not known here.

use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_resource::{Change, Index, Name, Rules, date};
use milepost_types::DamagedRow;

use super::{Scope, Tracker};
use crate::names::PortfolioName;
use crate::{campaign, service_request, supervision, template, warning};

/// What becomes of one resource after another. What is empty changes nothing.
pub(crate) type Changes<'a> = Box<dyn Iterator<Item = Result<Vec<Change>, DamagedRow>> + 'a>;

/// What the beginning of a day makes of the resources of a portfolio.
pub(crate) type Work = for<'a> fn(&'a Scope<'a>, &'a PortfolioName, Date) -> Result<Changes<'a>, DamagedRow>;

/// The works of a day, in their order.
pub(crate) const WORKS: &[Work] = &[
    service_request::days::changes,
    supervision::days::changes,
    template::days::changes,
    campaign::days::changes,
    warning::changes,
];

/// The works that may become due of days that have begun already, as where a warning policy is adopted for the past.
pub(crate) const LATE_WORKS: &[Work] = &[warning::changes];

/// The resources of a portfolio on which something is due by a day, as an index by that date has them: the earliest
/// first.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn due<R: Rules<Tracker>>(
    scope: &Scope<'_>,
    index: Index,
    portfolio: &PortfolioName,
    due_date: fn(&R) -> Option<gtype::Date>,
    day: Date,
) -> Result<Vec<Name<R>>, DamagedRow> {
    let mut due = Vec::new();
    for name in scope.rows.names::<R>(index, portfolio.ids(), &[]) {
        let resource = scope.rows.get(&name)?;
        if resource.and_then(|resource| date(due_date(&resource).as_ref())).is_none_or(|next| next > day) {
            break;
        }
        due.push(name);
    }
    Ok(due)
}

//! What a day brings to resources besides milestones, kind by kind: the works of the daily sweep.
//!
//! Invariant: what was done of a day needs nothing more of it: a work finds what is left by the rows alone, so a day
//! that takes several entries, or is begun again after a crash, does each thing once. A resource keeps the next day on
//! which something is due in a field with an index; so a day on which nothing is due costs one look at each index,
//! however large the portfolio is. Campaigns that are open have no such day: each day brings them standings. In which
//! entries things are written is the sweep's, not known here.

use jiff::civil::Date;
use milepost_ledger::key::ordered_date;
use milepost_resource::{Change, Index, Name, Rows, Rules};
use milepost_types::DamagedRow;

use super::{Scope, Tracker};
use crate::names::PortfolioName;
use crate::{campaign, service_request, supervision, template, warning};

/// What becomes of one resource after another. What is empty changes nothing.
pub(crate) type Changes<'a> = Box<dyn Iterator<Item = Result<Vec<Change>, DamagedRow>> + 'a>;

/// What the beginning of a day makes of the resources of a portfolio.
pub(crate) type Work = for<'a> fn(&'a Scope<'a>, &'a PortfolioName, Date) -> Result<Changes<'a>, DamagedRow>;

/// The works of a day, in their order. A row that cannot be decoded is in the way of nothing but what needs it: a work says
/// so in its place and goes on.
pub(crate) const WORKS: &[Work] = &[
    service_request::days::changes,
    supervision::days::changes,
    template::days::changes,
    campaign::days::changes,
    warning::changes,
];

/// The works that may become due of days that have begun already, as where a warning policy is adopted for the past.
pub(crate) const LATE_WORKS: &[Work] = &[warning::changes];

/// The resources of a portfolio on which something is due by a day, as an index that begins with that date has them: the
/// earliest first. Their rows are not read.
pub(crate) fn due<'a, R: Rules<Tracker>>(
    rows: &Rows<'a, Tracker>,
    index: Index,
    portfolio: &PortfolioName,
    day: Date,
) -> impl Iterator<Item = Name<R>> + use<'a, R> {
    let last = ordered_date(day);
    let names = rows.names_from::<R>(index, portfolio.ids(), &[], false);
    names
        .take_while(move |(key, _)| key.get(..last.len()).is_some_and(|due| due <= &last[..]))
        .map(|(_, name)| name)
}

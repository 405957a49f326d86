//! Which day it is for the rows of one page: what `today()` in a filter means.
//!
//! Invariant: all rows of a page that are in one portfolio have one date, which is looked up when a filter
//! first asks for it. A portfolio whose row cannot be decoded has no date, and the page fails.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use milepost_proto::registry::v1::Portfolio;
use milepost_types::DamagedRow;
use milepost_types::filter::CurrentDate;

use crate::Name;
use crate::rules::Rows;

/// A service that knows which day it is in a portfolio.
pub trait Dates: Sized {
    /// The current date of a portfolio; none if it is not there.
    ///
    /// # Errors
    /// If its row cannot be decoded.
    fn current_date(
        rows: &Rows<'_, Self>,
        portfolio: &Name<Portfolio>,
        now: Timestamp,
    ) -> Result<Option<CurrentDate>, DamagedRow>;
}

/// The dates of portfolios, as far as they were asked for.
pub(crate) struct Days<'a, D> {
    rows: &'a Rows<'a, D>,
    now: Timestamp,
    known: RefCell<HashMap<String, Option<CurrentDate>>>,
    damaged: RefCell<Option<DamagedRow>>,
}

impl<'a, D: Dates> Days<'a, D> {
    /// Of a request that came `now`.
    pub(crate) fn new(rows: &'a Rows<'a, D>, now: Timestamp) -> Self {
        Self { rows, now, known: RefCell::default(), damaged: RefCell::default() }
    }

    /// When the request came.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The current date of the portfolio that a resource is in, or that it is; in UTC if it is in none.
    pub(crate) fn of(&self, name: &str) -> Option<CurrentDate> {
        let Some(portfolio) = portfolio(name) else { return Some(CurrentDate::utc(self.now)) };
        if let Some(date) = self.known.borrow().get(portfolio) {
            return date.clone();
        }
        let look_up = |name| D::current_date(self.rows, &name, self.now);
        let date = portfolio.parse().ok().and_then(|name| match look_up(name) {
            Ok(date) => date,
            Err(damaged) => {
                self.damaged.borrow_mut().get_or_insert(damaged);
                None
            }
        });
        self.known.borrow_mut().insert(portfolio.to_owned(), date.clone());
        date
    }

    /// Fails with the row that could not be decoded, if there was one.
    pub(crate) fn check(self) -> Result<(), DamagedRow> {
        self.damaged.into_inner().map_or(Ok(()), Err)
    }
}

/// The name of the portfolio at the beginning of a name.
fn portfolio(name: &str) -> Option<&str> {
    let id = name.strip_prefix("portfolios/")?;
    let end = id.find('/').unwrap_or(id.len());
    Some(&name[.."portfolios/".len() + end])
}

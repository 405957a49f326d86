//! Which day it is for the milestones of one page: what `today()` in a filter means.
//!
//! Invariant: all milestones of a page that are in one portfolio have one date, that of `GetCurrentDate`,
//! which is looked up when a filter first asks for it. A portfolio whose rows cannot be decoded has no date,
//! and the page fails.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use milepost_ledger::Read;
use milepost_types::filter::{CurrentDate, Fields, Value};
use milepost_types::{DamagedRow, PortfolioName};

use super::Field;
use crate::decide::Today;
use crate::facts::Portfolio;
use crate::tables;

/// The dates of portfolios, as far as they were asked for.
pub(super) struct Days<'a> {
    rows: &'a dyn Read,
    now: Timestamp,
    known: RefCell<HashMap<String, Option<CurrentDate>>>,
    damaged: RefCell<Option<DamagedRow>>,
}

impl<'a> Days<'a> {
    /// Of a request that came `now`.
    pub(super) fn new(rows: &'a dyn Read, now: Timestamp) -> Self {
        Self { rows, now, known: RefCell::default(), damaged: RefCell::default() }
    }

    /// The current date of the portfolio that a milestone is in.
    pub(super) fn of(&self, milestone: &impl Fields<Field>) -> Option<CurrentDate> {
        let Value::Text(name) = milestone.value(Field::Portfolio) else { return None };
        if let Some(date) = self.known.borrow().get(&*name) {
            return date.clone();
        }
        let date = name.parse().ok().and_then(|name| match self.look_up(&name) {
            Ok(date) => Some(date),
            Err(damaged) => {
                self.damaged.borrow_mut().get_or_insert(damaged);
                None
            }
        });
        self.known.borrow_mut().insert(name.into_owned(), date.clone());
        date
    }

    /// The row that could not be decoded, if there was one.
    pub(super) fn check(self) -> Result<(), DamagedRow> {
        self.damaged.into_inner().map_or(Ok(()), Err)
    }

    fn look_up(&self, name: &PortfolioName) -> Result<CurrentDate, DamagedRow> {
        let portfolio = match tables::portfolio::get_stored(self.rows, name) {
            Some(stored) => Portfolio::from(&tables::portfolio::read(name, &stored)?),
            None => Portfolio::unknown(),
        };
        let today = Today::of(self.rows, name, &portfolio, self.now)?;
        Ok(CurrentDate::new(today.current, &portfolio.zone))
    }
}

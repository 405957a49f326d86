//! The calls about a portfolio's date.
//!
//! A day may take several entries. Invariants: the request id of AdvanceDate stands in the first entry that the
//! request leads to, so that one that ended early goes on from there; what all its entries say is added up by
//! going back from the newest to the first: each knows the one before. Nothing is added up twice, and
//! the same request id adds up the same again.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_ledger::journal::ReadLimit;
use milepost_ledger::{Entry, Receipt, Submission, View};
use milepost_proto::tracker::v1::*;
use milepost_resource::Api;
use milepost_service::access::Permitted;
use milepost_service::host::BoxError;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_service::status::internal;
use milepost_service::value::{date, date_message};
use milepost_types::{DamagedRow, Position, Rejection, Violations};
use tonic::{Response, Status};

use crate::command::{AdvanceDate, Command};
use crate::convert::read_event::{Days, days};
use crate::decide::{Today, Tracker};
use crate::names::PortfolioName;
use crate::tables;

/// Makes a day a portfolio's current date.
pub(super) async fn advance(
    api: Arc<Api<Tracker>>,
    request: Permitted<AdvanceDateRequest>,
) -> Result<Response<AdvanceDateResponse>, Status> {
    let caller = Caller::of_permitted(&request).map_err(refused)?;
    let permit = request.permit().clone();
    let (submission, violations) = caller.submission(request.into_inner(), |request, violations| {
        let portfolio = violations.check("portfolio", request.portfolio.parse());
        let date =
            violations.require("date", request.date).and_then(|day| violations.check("date", date(day)));
        let (preview, traceparent) = (request.validate_only, caller.traceparent.clone());
        Some(Arc::new(AdvanceDate { portfolio: portfolio?, date: date?, preview, traceparent, permit }))
    });
    let submission = violations.finish(submission).map_err(|violations| refused(violations.into()))?;
    let asked = Arc::clone(&submission.command);
    let Submission { actor, command_id, validate_only, deadline, .. } = submission;
    let command = Command::AdvanceDate(Arc::clone(&asked));
    let submission = Submission { command, actor, command_id, validate_only, deadline };
    // As with the days that begin by themselves: see the sweep.
    api.catch_up(caller.deadline).await?;
    let first = api.submit(submission, caller.deadline).await?;
    Ok(Response::new(Advance { api: &api, caller: &caller, asked }.answer(&first).await?))
}

/// Says which day it is.
pub(super) async fn current(
    api: Arc<Api<Tracker>>,
    request: Permitted<GetCurrentDateRequest>,
) -> Result<Response<GetCurrentDateResponse>, Status> {
    let mut violations = Violations::new();
    let name = violations.check("portfolio", request.get_ref().portfolio.parse());
    let name: PortfolioName = violations.finish(name).map_err(|found| refused(found.into()))?;
    api.wait_for_revisions(&request, &request.get_ref().min_revisions).await?;
    let now = api.clock.now();
    let read = move |view: &View<'_>| {
        let portfolio = tables::portfolio::get(view, &name)?.ok_or_else(|| Rejection::not_found(&name))?;
        Ok((Today::of(view, &name, &portfolio, now)?, view.position()))
    };
    // It may have been registered a moment ago.
    let deadline = Caller::of_permitted(&request).map_err(refused)?.deadline;
    let (Today { current, advancing }, position) = api.read_settled(deadline, read).await?;
    Ok(Response::new(GetCurrentDateResponse {
        current_date: Some(date_message(current)),
        advancing_date: advancing.map(date_message),
        revision: api.revision(position),
    }))
}

/// What the days that a request had begin add up to.
struct Sum {
    due_soon: i32,
    overdue: i32,
    /// The entry that announced the last of them.
    end: Position,
}

/// A request to make a day the current date.
struct Advance<'a> {
    api: &'a Api<Tracker>,
    caller: &'a Caller,
    asked: Arc<AdvanceDate>,
}

impl Advance<'_> {
    /// Goes on from the first entry that the request led to until its date is the current one, and says what all of
    /// them announced.
    async fn answer(&self, first: &Receipt) -> Result<AdvanceDateResponse, Status> {
        let AdvanceDate { portfolio, date, preview, .. } = &*self.asked;
        let Some(own) = announced(first, portfolio)? else {
            // It was that date, or a later one, before.
            let current = tables::date::get(&self.api.ledger.view(), portfolio).map_err(damaged)?;
            let current_date = current.map(|current| date_message(current.date));
            let revision = self.api.revision(first.position);
            return Ok(AdvanceDateResponse { current_date, revision, ..AdvanceDateResponse::default() });
        };
        if !preview {
            while !self.is_current(portfolio, *date)? {
                let again = Submission {
                    command: Command::AdvanceDate(Arc::clone(&self.asked)),
                    actor: self.caller.actor.clone(),
                    command_id: None,
                    validate_only: false,
                    deadline: Some(self.caller.deadline),
                };
                self.api.submit(again, self.caller.deadline).await?;
            }
        }
        let sum = self.sum(portfolio, *date, first, &own).await?;
        Ok(AdvanceDateResponse {
            current_date: Some(date_message(*date)),
            due_soon_count: sum.due_soon,
            overdue_count: sum.overdue,
            revision: self.api.revision(sum.end),
        })
    }

    fn is_current(&self, portfolio: &PortfolioName, date: Date) -> Result<bool, Status> {
        let current = tables::date::get(&self.api.ledger.view(), portfolio).map_err(damaged)?;
        Ok(current.is_some_and(|current| current.date >= date))
    }

    /// Adds up what was announced of the days up to `date` since the first entry of a request.
    async fn sum(
        &self,
        portfolio: &PortfolioName,
        date: Date,
        first: &Receipt,
        own: &Days,
    ) -> Result<Sum, Status> {
        let mut sum = Sum { due_soon: 0, overdue: 0, end: first.position };
        if own.advanced.last().is_none_or(|(last, ..)| *last < date) {
            let mut sequence = self.newest(portfolio)?;
            while sequence > first.position.sequence {
                let (days, position) = self.days_at(portfolio, sequence).await?;
                if days.advanced.iter().any(|(day, ..)| *day == date) {
                    sum.end = position;
                }
                sum.add(&days, date);
                if days.previous_sequence >= sequence {
                    return Err(broken(sequence));
                }
                sequence = days.previous_sequence;
            }
            if sequence < first.position.sequence {
                return Err(broken(sequence));
            }
        }
        sum.add(own, date);
        Ok(sum)
    }

    /// The sequence of the newest entry about a portfolio's date.
    fn newest(&self, portfolio: &PortfolioName) -> Result<u64, Status> {
        let view = self.api.ledger.view();
        if let Some(advancing) = tables::advancing::get(&view, portfolio).map_err(damaged)? {
            return Ok(advancing.sequence);
        }
        let current = tables::date::get(&view, portfolio).map_err(damaged)?;
        Ok(current.and_then(|current| current.sequence).unwrap_or_default())
    }

    /// What an entry says of a portfolio's date.
    async fn days_at(&self, portfolio: &PortfolioName, sequence: u64) -> Result<(Days, Position), Status> {
        let limit = ReadLimit { entries: 1, bytes: 1 };
        let entries = self.api.ledger.source().read_after(sequence - 1, limit).await;
        let entries = entries.map_err(unreadable)?;
        let stored = entries.first().filter(|stored| stored.sequence == sequence);
        let stored = stored.ok_or_else(|| broken(sequence))?;
        let entry = Entry::decode(stored).map_err(unreadable)?;
        let found = days(&entry.events, portfolio).map_err(unreadable)?;
        let position = Position::after(self.api.ledger.position().log, sequence, &stored.hash);
        Ok((found.ok_or_else(|| broken(sequence))?, position))
    }
}

impl Sum {
    fn add(&mut self, days: &Days, until: Date) {
        for (_, due_soon, overdue) in days.advanced.iter().filter(|(day, ..)| *day <= until) {
            self.due_soon = self.due_soon.saturating_add(*due_soon);
            self.overdue = self.overdue.saturating_add(*overdue);
        }
    }
}

/// What the entry of a receipt says of a portfolio's date.
fn announced(receipt: &Receipt, portfolio: &PortfolioName) -> Result<Option<Days>, Status> {
    days(&receipt.events, portfolio).map_err(unreadable)
}

fn broken(sequence: u64) -> Status {
    unreadable(format!("entry {sequence} says nothing of the date, though a later one refers to it for that"))
}

fn unreadable(error: impl Into<BoxError>) -> Status {
    internal("the history of a date cannot be read", error.into().as_ref())
}

fn damaged(row: DamagedRow) -> Status {
    refused(row.into())
}

fn refused(rejection: Rejection) -> Status {
    refusal::status(&rejection)
}

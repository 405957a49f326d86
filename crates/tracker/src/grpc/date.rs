//! The calls about a portfolio's date.
//!
//! A day may take several entries. Invariants: the request id of AdvanceDate stands in the first entry that the
//! request leads to, so that one that ended early goes on from there; what all its entries say is added up by
//! going back from the newest to the first: each knows the one before. Nothing is added up twice, and
//! the same request id adds up the same again.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_ledger::journal::ReadLimit;
use milepost_ledger::{Entry, Receipt, Submission};
use milepost_proto::tracker::v1::*;
use milepost_service::request::Caller;
use milepost_service::value::date_message;
use milepost_types::{PortfolioName, Position, Rejection, ResourceKind};
use tonic::{Request, Response, Status};

use super::{Api, Outcome, nothing_done, revision, unreadable};
use crate::command::Command;
use crate::convert::read;
use crate::convert::read_event::{Days, days};
use crate::decide::Today;
use crate::error::Failure;
use crate::mirror::Portfolio;
use crate::tables;

pub(super) async fn advance_date(
    api: Arc<Api>,
    request: Request<AdvanceDateRequest>,
) -> Result<Response<AdvanceDateResponse>, Status> {
    let caller = Caller::of(&request).map_err(Failure::from)?;
    let first = api.write(request).await?;
    Ok(Response::new(api.advanced(&caller, &first).await?))
}

pub(super) async fn get_current_date(
    api: Arc<Api>,
    request: Request<GetCurrentDateRequest>,
) -> Result<Response<GetCurrentDateResponse>, Status> {
    let name = read::current_date(request.get_ref()).map_err(Failure::from)?;
    api.arrive(&request, &request.get_ref().min_revisions).await?;
    let today = match api.today(&name)? {
        Some(today) => today,
        // It may have been registered a at ago.
        None => {
            api.upstream.catch_up(Caller::of(&request).map_err(Failure::from)?.deadline).await?;
            let unknown = || Rejection::NotFound { kind: ResourceKind::PORTFOLIO, name: name.to_string() };
            api.today(&name)?.ok_or_else(unknown).map_err(Failure::from)?
        }
    };
    let (Today { current, advancing }, position) = today;
    Ok(Response::new(GetCurrentDateResponse {
        current_date: Some(date_message(current)),
        advancing_date: advancing.map(date_message),
        revision: revision(position),
    }))
}

/// What the days that a request had begin add up to.
struct Sum {
    due_soon: i32,
    overdue: i32,
    /// The entry that announced the last of them.
    end: Position,
}

impl Api {
    /// Which day it is in a portfolio, and as of which entry; none if it is not known.
    fn today(&self, name: &PortfolioName) -> Result<Option<(Today, Position)>, Failure> {
        let view = self.ledger.view();
        let Some(stored) = tables::portfolio::get_stored(&view, name) else { return Ok(None) };
        let portfolio = Portfolio::from(&tables::portfolio::read(name, &stored)?);
        Ok(Some((Today::of(&view, name, &portfolio, self.clock.now())?, view.position())))
    }

    /// Goes on from the first entry that a request led to until its date is the current one, and says what all of
    /// them announced.
    async fn advanced(&self, caller: &Caller, first: &Outcome) -> Result<AdvanceDateResponse, Failure> {
        let Command::AdvanceDate { portfolio, date, preview } = &first.command.command else {
            return Err(nothing_done(&first.command.command));
        };
        let Some(own) = announced(&first.receipt, portfolio)? else {
            // It was that date, or a later one, before.
            let current = tables::date::get(&self.ledger.view(), portfolio)?.map(|current| current.date);
            let (current_date, revision) = (current.map(date_message), first.revision.clone());
            return Ok(AdvanceDateResponse { current_date, revision, ..AdvanceDateResponse::default() });
        };
        if !preview {
            while !self.is_current(portfolio, *date)? {
                let again = Submission {
                    command: Arc::clone(&first.command),
                    actor: caller.actor.clone(),
                    command_id: None,
                    validate_only: false,
                    deadline: Some(caller.deadline),
                };
                self.submit(again, caller.deadline).await?;
            }
        }
        let sum = self.sum(portfolio, *date, &first.receipt, &own).await?;
        Ok(AdvanceDateResponse {
            current_date: Some(date_message(*date)),
            due_soon_count: sum.due_soon,
            overdue_count: sum.overdue,
            revision: revision(sum.end),
        })
    }

    fn is_current(&self, portfolio: &PortfolioName, date: Date) -> Result<bool, Failure> {
        let current = tables::date::get(&self.ledger.view(), portfolio)?;
        Ok(current.is_some_and(|current| current.date >= date))
    }

    /// Adds up what was announced of the days up to `date` since the first entry of a request.
    async fn sum(
        &self,
        portfolio: &PortfolioName,
        date: Date,
        first: &Receipt,
        own: &Days,
    ) -> Result<Sum, Failure> {
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
    fn newest(&self, portfolio: &PortfolioName) -> Result<u64, Failure> {
        let view = self.ledger.view();
        if let Some(advancing) = tables::advancing::get(&view, portfolio)? {
            return Ok(advancing.sequence);
        }
        let current = tables::date::get(&view, portfolio)?;
        Ok(current.and_then(|current| current.sequence).unwrap_or_default())
    }

    /// What an entry says of a portfolio's date.
    async fn days_at(&self, portfolio: &PortfolioName, sequence: u64) -> Result<(Days, Position), Failure> {
        let limit = ReadLimit { entries: 1, bytes: 1 };
        let internal = |error| Failure::Internal { what: "the history of a date cannot be read", error };
        let entries = self.ledger.source().read_after(sequence - 1, limit).await;
        let entries = entries.map_err(|error| internal(error.into()))?;
        let stored = entries.first().filter(|stored| stored.sequence == sequence);
        let stored = stored.ok_or_else(|| broken(sequence))?;
        let entry = Entry::decode(stored).map_err(|error| internal(error.into()))?;
        let found = days(&entry.events, portfolio).map_err(|error| unreadable(error.into()))?;
        let position = Position::after(self.ledger.position().log, sequence, &stored.hash);
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
fn announced(receipt: &Receipt, portfolio: &PortfolioName) -> Result<Option<Days>, Failure> {
    days(&receipt.events, portfolio).map_err(|error| unreadable(error.into()))
}

fn broken(sequence: u64) -> Failure {
    let error =
        format!("entry {sequence} says nothing of the date, though a later one refers to it for that").into();
    Failure::Internal { what: "the history of a date cannot be read", error }
}

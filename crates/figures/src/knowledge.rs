//! What counts as known of a project on a day: what it says now, or what had been reported, or committed, by then.
//!
//! Invariants: of what was reported for the same days, the later commit holds; so what is known on the day of the last
//! report is what the project says now. Nothing here adds anything up.

use milepost_proto::figure::v1::Knowledge;
use milepost_proto::wire::{self, Value};
use prost::DecodeError;

use crate::encoded::{Day, Plan, ReportedAmount, period_of};
use crate::history::{Fact, Kind};

/// What a project says, now or as it was known on a day.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The plan of the year.
    pub plan: Option<Plan>,
    /// Completed investment.
    pub completed: Vec<ReportedAmount>,
    /// Received funds.
    pub received: Vec<ReportedAmount>,
    /// The day on which it started.
    pub start: Day,
    /// The day on which it ended.
    pub end: Day,
    /// The day on which it was enrolled.
    pub enrolment: Day,
}

/// The numbers of a project's fields.
mod field {
    pub(super) const ANNUAL_PLANS: u32 = 15;
    pub(super) const COMPLETED_INVESTMENTS: u32 = 16;
    pub(super) const ACTUAL_PERIOD: u32 = 19;
    pub(super) const RECEIVED_FUNDS: u32 = 22;
    pub(super) const ENROLMENT_DATE: u32 = 23;
}

impl Snapshot {
    /// What a project's row says now: of plans that of this year alone, of reports those that may touch these days.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub fn now(row: &[u8], year: i32, days: Option<(Day, Day)>) -> Result<Self, DecodeError> {
        let mut known = Self::default();
        for field in wire::fields(row) {
            if let (number, Value::Run(run)) = field? {
                known.take(number, run, year, days)?;
            }
        }
        Ok(known)
    }

    /// The same of one field of the row, for those who walk over it for other fields too.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub fn take(
        &mut self,
        number: u32,
        run: &[u8],
        year: i32,
        days: Option<(Day, Day)>,
    ) -> Result<(), DecodeError> {
        let may_touch = || days.is_some_and(|days| ReportedAmount::may_touch(run, days));
        match number {
            field::ANNUAL_PLANS if Plan::year_of(run)? == i64::from(year) => {
                self.plan = Some(Plan::read(run)?);
            }
            field::COMPLETED_INVESTMENTS if may_touch() => self.completed.push(ReportedAmount::read(run)?),
            field::RECEIVED_FUNDS if may_touch() => self.received.push(ReportedAmount::read(run)?),
            field::ACTUAL_PERIOD => (self.start, self.end) = period_of(run)?,
            field::ENROLMENT_DATE => self.enrolment = Day::read(run)?,
            _ => {}
        }
        Ok(())
    }

    /// What of it was known on a day, by the facts of the project in the order of their commits. The plan is the last that
    /// was known of all years that the facts are of.
    ///
    /// # Errors
    /// If a fact cannot be decoded.
    pub fn then<'a>(
        mut self,
        facts: impl IntoIterator<Item = Result<Fact<'a>, DecodeError>>,
        day: Day,
        knowledge: Knowledge,
    ) -> Result<Self, DecodeError> {
        let strict = knowledge == Knowledge::ThenStrict;
        let (mut completed, mut received) = (Reports::default(), Reports::default());
        self.plan = None;
        if strict {
            (self.start, self.end, self.enrolment) = Default::default();
        }
        for fact in facts {
            let fact = fact?;
            let known = |reported: Option<Day>| match strict {
                true => fact.committed <= day,
                // What was taken out was so until then.
                false => reported.filter(|_| !fact.removed).unwrap_or(fact.committed) <= day,
            };
            match fact.kind {
                Kind::Plan => {
                    let plan = Plan::read(fact.said)?;
                    if known(plan.reported) {
                        self.plan = (!fact.removed).then_some(plan);
                    }
                }
                Kind::Completed => completed.add(&fact, known)?,
                Kind::Received => received.add(&fact, known)?,
                Kind::Start if strict && known(None) => self.start = day_of(&fact)?,
                Kind::End if strict && known(None) => self.end = day_of(&fact)?,
                Kind::Enrolment if strict && known(None) => self.enrolment = day_of(&fact)?,
                _ => {}
            }
        }
        (self.completed, self.received) = (completed.0, received.0);
        Ok(self)
    }
}

/// The day that a fact says; none if it was taken out.
fn day_of(fact: &Fact<'_>) -> Result<Day, DecodeError> {
    if fact.removed { Ok(Day::default()) } else { Day::read(fact.said) }
}

/// Reports that are known, in the order of their days: no two have a day in common.
#[derive(Default)]
struct Reports(Vec<ReportedAmount>);

impl Reports {
    /// Adds a fact that is known, in place of all that was said of its days.
    fn add(&mut self, fact: &Fact<'_>, known: impl Fn(Option<Day>) -> bool) -> Result<(), DecodeError> {
        let report = ReportedAmount::read(fact.said)?;
        if !known(report.reported) {
            return Ok(());
        }
        let first = self.0.partition_point(|held| held.end < report.start);
        let touched = self.0[first..].iter().take_while(|held| held.start <= report.end).count();
        let touched = first..first + touched;
        if !fact.removed {
            self.0.splice(touched, [report]);
        } else if let [held] = self.0[touched]
            && (held.start, held.end) == (report.start, report.end)
        {
            self.0.remove(first);
        }
        Ok(())
    }
}

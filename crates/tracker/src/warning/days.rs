//! What a day brings: the periods of policies that are evaluated on it, project by project.
//!
//! Invariants: a project that has a warning of a period needs nothing more of it, so an evaluation that takes several
//! entries goes on with those that are left, and compares them with the same peers; the policy goes to its next period
//! last. One period of a policy is evaluated at a time: the next one goes by the warnings of it. As long as not all is
//! known that this version keeps of projects, nothing is evaluated. A day on which no policy evaluates costs one look
//! at an index.

use std::collections::HashMap;
use std::rc::Rc;

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_ledger::Read;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::{Excuse, WarningPolicy};
use milepost_resource::{Change, Checked, EventKind, Rows, date, date_message};
use milepost_types::{DamagedRow, ResourceName as _};

use super::PolicyName;
use super::evaluation::{Evaluator, Occasion};
use super::excuse::GRANTED;
use super::known::AsOf;
use super::measure::Peers;
use super::order::Orders;
use super::outcome::{before, carried, first, follow, kind, made, name_of, of_period, peers_of, set_steps};
use super::policy::{NEXT_EVALUATION, next_evaluation, rule_of};
use crate::decide::works::{Changes, due};
use crate::decide::{Scope, Tracker};
use crate::names::{PortfolioName, ProjectName};
use crate::tables;

/// What the beginning of a day, or a policy that is adopted for the past, makes of warnings.
pub(crate) fn changes<'a>(
    scope: &'a Scope<'a>,
    portfolio: &'a PortfolioName,
    day: Date,
) -> Result<Changes<'a>, DamagedRow> {
    if !tables::mirror_version::is_complete(scope.rows.read) {
        return Ok(Box::new(std::iter::empty()));
    }
    let policies = due(&scope.rows, NEXT_EVALUATION, portfolio, day);
    Ok(Box::new(policies.flat_map(move |policy| -> Changes<'a> {
        match Evaluation::of(scope, portfolio, &policy, day) {
            Ok(evaluation) => Box::new(evaluation.into_iter().flat_map(Evaluation::changes)),
            Err(row) => Box::new(std::iter::once(Err(row))),
        }
    })))
}

/// An evaluation of a policy.
struct Evaluation<'a> {
    scope: &'a Scope<'a>,
    policy: Checked<WarningPolicy>,
    evaluator: Evaluator<'a>,
    occasion: Occasion,
    /// The day on which it is done: that of the occasion, or a later one.
    today: Date,
    peers: Vec<Peers>,
    excuses: Excuses,
}

impl<'a> Evaluation<'a> {
    /// Of a policy that evaluates a period by this day; none if it does not.
    fn of(
        scope: &'a Scope<'a>,
        portfolio: &PortfolioName,
        name: &PolicyName,
        today: Date,
    ) -> Result<Option<Self>, DamagedRow> {
        let Some(policy) = scope.rows.get(name)? else { return Ok(None) };
        let rule = rule_of(&policy)?;
        let next = date(policy.next_evaluation_date.as_ref()).filter(|next| *next <= today);
        let Some(day) = next else { return Ok(None) };
        let end = day.saturating_sub(policy.evaluate_after_days.days());
        let period = rule.periods.ending_on(end).ok_or_else(|| name.damaged("it evaluates no period"))?;
        let as_of = AsOf { day, knowledge: Knowledge::Then };
        let occasion = Occasion { period, as_of };
        let known = scope.service.portfolio_or_unknown(scope.rows.read, portfolio)?;
        let evaluator = Evaluator::new(scope.rows.read, rule, portfolio.clone(), known);
        // What the registry says between two entries of an evaluation does not change them.
        let is_compared = evaluator.rule.compares_with_peers();
        let said = is_compared.then(|| peers_of(&scope.rows, name, end, &evaluator.rule.tests)).flatten();
        let peers = said.unwrap_or_else(|| evaluator.peers(occasion));
        let excuses = Excuses::of(&scope.rows, (name, &policy), end);
        Ok(Some(Self { scope, policy, evaluator, occasion, today, peers, excuses }))
    }

    /// The warnings that are left to be made, and then the policy's next period.
    fn changes(self) -> Changes<'a> {
        let projects = tables::project::names(self.scope.rows.read, &self.policy.name().parent());
        let this = Rc::new(self);
        let last = Rc::clone(&this);
        let warnings = projects.into_iter().map(move |project| this.of_project(&project?));
        Box::new(warnings.chain(std::iter::once_with(move || Ok(vec![last.next_period()]))))
    }

    /// The warning of a project, with the orders that it opens, if there is none of the period yet.
    fn of_project(&self, project: &ProjectName) -> Result<Vec<Change>, DamagedRow> {
        let (rows, policy) = (&self.scope.rows, self.policy.name());
        let Occasion { period, as_of } = self.occasion;
        if of_period(rows, project, policy, period.end)?.is_some() {
            return Ok(Vec::new());
        }
        let Some(candidate) = self.evaluator.candidate_of(project, self.occasion)? else {
            return Ok(Vec::new());
        };
        let previous = before(rows, project, policy, period.end)?;
        let held = previous.as_ref().map(|previous| &previous.tests[..]).unwrap_or_default();
        let tests = self.evaluator.evaluate(&candidate, self.occasion, &self.peers, held)?;
        let excuse = self.excuses.of_project(project)?;
        let mut warning = first(policy, self.occasion, tests, excuse);
        let reached = follow(&mut warning, &self.evaluator.rule.progression, previous.as_deref());
        let name = name_of(project, policy, period.end, 1);
        let mut orders = Orders::of(self.scope, &self.policy, project, self.today);
        let (steps, opened) = orders.reached((&name, as_of.day), &reached, &[], |_| None)?;
        set_steps(&mut warning, steps);
        let kind = kind(carried(previous.as_deref()).shown, &warning);
        Ok(vec![made(self.scope, name, &warning, kind, as_of.day).announcing(opened)])
    }

    /// The policy goes to its next period, if there is one.
    fn next_period(&self) -> Change {
        let Occasion { period, as_of } = self.occasion;
        let next = self.evaluator.rule.periods.after(period.end);
        let after = self.policy.changed(self.scope, |policy| {
            policy.next_evaluation_date = next_evaluation(policy, next);
        });
        Change::of(EventKind::Updated, Some(&self.policy), after).on(Some(as_of.day))
    }
}

/// The granted excuses of a period of a policy, by their projects: none of one that excuses nothing, as where it did while
/// it was a draft. One that cannot be read is in the way of its own project.
#[derive(Default)]
pub(super) struct Excuses(HashMap<ProjectName, Result<String, DamagedRow>>);

impl Excuses {
    /// Of a policy and the period that ends on a day.
    pub(super) fn of(
        rows: &Rows<'_, Tracker>,
        (name, policy): (&PolicyName, &WarningPolicy),
        end: Date,
    ) -> Self {
        let mut excuses = HashMap::new();
        if !policy.excusable {
            return Self(excuses);
        }
        let fields = [name.id().as_str().as_bytes(), &[0]].concat();
        for name in rows.names::<Excuse>(GRANTED, name.parent_ids(), &fields) {
            let project = name.parent();
            match rows.get(&name) {
                Ok(Some(excuse)) if excuse.period_ends.contains(&date_message(end)) => {
                    let said = excuses.entry(project).or_insert_with(|| Ok(name.to_string()));
                    // Whatever another one says, it is excused.
                    if said.is_err() {
                        *said = Ok(name.to_string());
                    }
                }
                Ok(_) => {}
                Err(row) => _ = excuses.entry(project).or_insert(Err(row)),
            }
        }
        Self(excuses)
    }

    /// The excuse of a project; empty: it has none.
    ///
    /// # Errors
    /// If one that may be of the period cannot be read.
    pub(super) fn of_project(&self, project: &ProjectName) -> Result<String, DamagedRow> {
        self.0.get(project).cloned().unwrap_or_else(|| Ok(String::new()))
    }
}

/// Whether a policy of a portfolio evaluates a period by a day, so that the sweep is to go on.
pub(crate) fn is_due(read: &dyn Read, portfolio: &PortfolioName, day: Date) -> bool {
    tables::mirror_version::is_complete(read)
        && due::<WarningPolicy>(&Rows::new(read), NEXT_EVALUATION, portfolio, day).next().is_some()
}

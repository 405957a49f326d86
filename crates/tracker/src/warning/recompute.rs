//! Computing a period of a policy again, by all that is known now.
//!
//! Invariants: what is computed again was evaluated, and is compared with what was, whatever the filter of the policy finds
//! now, and whether it was cancelled since; what is deleted counts for nothing. A project that has no warning of the period
//! gets its first one only if it is named, as one that could not be read on the day; what cannot be read now is in no
//! other project's way.

use jiff::civil::Date;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::WarningPolicy;
use milepost_resource::{Act, Change, Checked, Decided, Rows, date, encoded_len};
use milepost_types::{DamagedRow, Rejection, Violations, check_batch};

use super::PolicyName;
use super::correction::{Correction, corrections};
use super::days::Excuses;
use super::evaluation::{Candidate, Evaluator, Occasion, candidate};
use super::known::AsOf;
use super::measure::Peers;
use super::outcome::{before, first, is_evaluated};
use super::period::Period;
use super::policy::{current_date, evaluation_date, rule_of};
use super::rule::Rule;
use crate::act::check_day;
use crate::decide::{Scope, Tracker};
use crate::names::ProjectName;
use crate::parent::{check_portfolio, incomplete};
use crate::tables;

/// What the answer holds.
const WARNINGS: &str = "warnings";

/// A request to compute a period of a policy again.
pub(crate) struct Recompute {
    pub(crate) policy: PolicyName,
    /// The last day of the period.
    pub(crate) end: Date,
    /// Only of this project; none: of all.
    pub(crate) project: Option<ProjectName>,
    pub(crate) reason: String,
    /// The day on which it is; none: the current date.
    pub(crate) date: Option<Date>,
}

impl Act<Tracker> for Recompute {
    fn decide(&self, scope: &Scope<'_>) -> Result<Decided, Rejection> {
        let policy = scope.rows.find(&self.policy)?;
        if policy.is_deleted() {
            return Err(Rejection::deleted(&self.policy));
        }
        check_portfolio(&scope.rows, self.policy.parent_ids())?;
        Rejection::unless_met(incomplete(scope.rows.read, &self.policy).into_iter().collect())?;
        if let Some(project) = &self.project
            && tables::project::is_deleted(scope.rows.read, project.ids())? == Some(true)
        {
            return Err(Rejection::deleted(project));
        }
        let portfolio = self.policy.parent();
        let known = scope.service.portfolio_or_unknown(scope.rows.read, &portfolio)?;
        let evaluator = Evaluator::new(scope.rows.read, rule_of(&policy)?, portfolio.clone(), known);
        let mut violations = Violations::new();
        let period = self.period(scope, &policy, &evaluator.rule, &mut violations);
        let current = current_date(scope, &portfolio)?;
        let day = self.date.unwrap_or(current);
        let first = period.map(|period| evaluation_date(&policy, period));
        let what = "the day on which the period is evaluated";
        check_day("date", day, (first, current), what, &mut violations);
        let occasion = |period| Occasion { period, as_of: AsOf { day, knowledge: Knowledge::Latest } };
        let occasion = period.map(occasion);
        let named = self.project.as_ref().zip(occasion);
        let named = named
            .map(|(project, occasion)| self.named(scope, &evaluator, project, occasion, &mut violations));
        let named = named.transpose()?.flatten();
        let occasion = violations.finish(occasion)?;
        let peers = self.peers(scope, &evaluator, occasion);
        let again = Again { scope, policy: &policy, evaluator, occasion, peers, request: self };
        if let Some(candidate) = named {
            return again.of_named(&candidate).map(Into::into);
        }
        let (mut changes, mut sizes) = (Vec::new(), Vec::new());
        for project in tables::project::names(scope.rows.read, &portfolio) {
            match project.and_then(|project| again.of_evaluated(&project)) {
                Ok(corrected) => {
                    sizes.extend(corrected.iter().flat_map(Change::resources).filter_map(warning_bytes));
                    // What one answer does not hold is refused as soon as that is known.
                    check_batch(WARNINGS, sizes.iter().copied())?;
                    changes.extend(corrected);
                }
                Err(row) => {
                    tracing::error!(%portfolio, %row, "a project is not computed again that cannot be decoded")
                }
            }
        }
        Ok(changes.into())
    }

    fn subject(&self, _: &Rows<'_, Tracker>, _: jiff::Timestamp) -> Result<Option<bytes::Bytes>, Rejection> {
        Ok(None)
    }

    fn answers_with_all(&self) -> Option<&'static str> {
        Some(WARNINGS)
    }
}

impl Recompute {
    /// What the projects together have that were evaluated, and the one that is named.
    fn peers(&self, scope: &Scope<'_>, evaluator: &Evaluator<'_>, occasion: Occasion) -> Vec<Peers> {
        let is_peer = |project: &ProjectName| {
            self.project.as_ref() == Some(project)
                || is_evaluated(&scope.rows, project, &self.policy, self.end)
        };
        let projects = tables::project::names(scope.rows.read, &self.policy.parent()).into_iter();
        let peers = projects.filter(|project| project.as_ref().map_or(true, is_peer));
        let read = |project: Result<ProjectName, DamagedRow>| candidate(&scope.rows, &project?);
        evaluator.peers_among(peers.filter_map(|project| read(project).transpose()), occasion)
    }

    /// The period, if it was evaluated; none if not, which is recorded.
    fn period(
        &self,
        scope: &Scope<'_>,
        policy: &Checked<WarningPolicy>,
        rule: &Rule,
        violations: &mut Violations,
    ) -> Option<Period> {
        let Some(period) = rule.periods.ending_on(self.end) else {
            let description =
                format!("no period of the policy ends on {}; give the last day of one", self.end);
            violations.push("period_end", "NO_PERIOD", description);
            return None;
        };
        let is_of_policy = date(policy.adopted_date.as_ref()).is_some_and(|adopted| adopted <= self.end);
        let next = date(policy.next_evaluation_date.as_ref());
        let is_to_come = match next {
            Some(next) => next <= evaluation_date(policy, period),
            // It is retired. What was due by that day it had evaluated; of what was due later, it may have what earlier
            // versions left, or what it had begun.
            None => {
                let retired = date(policy.retired_date.as_ref());
                retired.is_some_and(|retired| retired < evaluation_date(policy, period))
                    && !self.has_warnings(scope)
            }
        };
        if !is_of_policy || is_to_come {
            let description = format!("the policy has not evaluated the period that ends on {}", self.end);
            violations.push("period_end", "NOT_EVALUATED", description);
            return None;
        }
        Some(period)
    }

    /// The project that is named: it was evaluated, or is to get its first warning; none if neither, which is recorded.
    fn named(
        &self,
        scope: &Scope<'_>,
        evaluator: &Evaluator<'_>,
        project: &ProjectName,
        occasion: Occasion,
        violations: &mut Violations,
    ) -> Result<Option<Candidate>, DamagedRow> {
        let found = match is_evaluated(&scope.rows, project, &self.policy, self.end) {
            // Whether the filter finds it now does not matter: it did.
            true => candidate(&scope.rows, project)?,
            false => evaluator.candidate_of(project, occasion)?,
        };
        if found.is_none() {
            let description = format!(
                "{project} has no warning of the period that ends on {}, and the policy finds no such project",
                self.end
            );
            violations.push("project", "NO_WARNING", description);
        }
        Ok(found)
    }

    /// Whether any project has a warning of the period, also one that cannot be decoded.
    fn has_warnings(&self, scope: &Scope<'_>) -> bool {
        let mut projects =
            tables::project::names(scope.rows.read, &self.policy.parent()).into_iter().flatten();
        projects.any(|project| is_evaluated(&scope.rows, &project, &self.policy, self.end))
    }
}

/// The bytes of a warning that is answered.
fn warning_bytes(resource: &Resource) -> Option<usize> {
    match resource {
        Resource::WarningResource(warning) => Some(encoded_len(warning)),
        _ => None,
    }
}

/// A period that is computed again.
struct Again<'a> {
    scope: &'a Scope<'a>,
    policy: &'a Checked<WarningPolicy>,
    evaluator: Evaluator<'a>,
    occasion: Occasion,
    peers: Vec<Peers>,
    request: &'a Recompute,
}

impl Again<'_> {
    /// The corrections of a project; none if it was not evaluated, or is deleted.
    fn of_evaluated(&self, project: &ProjectName) -> Result<Vec<Change>, DamagedRow> {
        if !self.is_evaluated(project) {
            return Ok(Vec::new());
        }
        let found = candidate(&self.scope.rows, project)?;
        found.map_or(Ok(Vec::new()), |candidate| self.corrected(&candidate, String::new()))
    }

    /// The corrections of a project that is named, or its first warning of the period.
    fn of_named(&self, candidate: &Candidate) -> Result<Vec<Change>, Rejection> {
        let excuse = if self.is_evaluated(&candidate.name) {
            String::new()
        } else {
            let (rows, end) = (&self.scope.rows, self.request.end);
            Excuses::of(rows, (self.policy.name(), self.policy), end).of_project(&candidate.name)?
        };
        Ok(self.corrected(candidate, excuse)?)
    }

    fn is_evaluated(&self, project: &ProjectName) -> bool {
        is_evaluated(&self.scope.rows, project, self.policy.name(), self.request.end)
    }

    fn corrected(&self, candidate: &Candidate, excuse: String) -> Result<Vec<Change>, DamagedRow> {
        let (project, policy) = (&candidate.name, self.policy.name());
        let previous = before(&self.scope.rows, project, policy, self.request.end)?;
        let held = previous.as_ref().map(|previous| &previous.tests[..]).unwrap_or_default();
        let tests = self.evaluator.evaluate(candidate, self.occasion, &self.peers, held)?;
        let correction = Correction {
            reason: &self.request.reason,
            day: self.occasion.as_of.day,
            excused: (&[], ""),
            found: Some(first(policy, self.occasion, tests, excuse)),
        };
        corrections(self.scope, self.policy, project, &correction)
    }
}

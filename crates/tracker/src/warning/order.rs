//! Rectification orders that steps of policies open.
//!
//! Invariants: an order is opened in the entry of the warning that reached the step, and its name follows from the
//! warning's, so that none is opened twice; while an order of a step is not over, no other one of that step is opened in
//! the project. What becomes of an order later is that of any order, and not known here.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_proto::registry::v1::Project;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::tracker::v1::warning_policy::State;
use milepost_proto::tracker::v1::warning_step::Action;
use milepost_proto::tracker::v1::{ReachedStep, RectificationOrder, Warning, WarningPolicy, WarningStep};
use milepost_resource::{Change, Checked, Rows, Rules, date, date_message};
use milepost_types::{DamagedRow, ResourceId, ResourceName as _};
use sha2::{Digest, Sha256};

use super::evaluation::candidate;
use super::outcome::from;
use super::{PolicyName, WarningName};
use crate::decide::{Scope, Tracker};
use crate::names::ProjectName;
use crate::supervision::{OrderName, is_final, opened};

/// The orders of a policy's steps in a project, as warnings come one after another.
pub(super) struct Orders<'a> {
    scope: &'a Scope<'a>,
    policy: &'a Checked<WarningPolicy>,
    project: &'a ProjectName,
    /// The day on which orders are issued.
    day: Date,
    /// Those that are not over, by their steps; none until they are asked for.
    open: Option<BTreeMap<i32, Open>>,
}

/// An order that is not over.
struct Open {
    name: String,
    /// The warning for which it was opened.
    warning: String,
}

impl<'a> Orders<'a> {
    pub(super) fn of(
        scope: &'a Scope<'a>,
        policy: &'a Checked<WarningPolicy>,
        project: &'a ProjectName,
        day: Date,
    ) -> Self {
        Self { scope, policy, project, day, open: None }
    }

    /// The steps with these places, which a warning of this name reaches that is evaluated on a day, with their orders;
    /// and the orders that are opened. A step that the warning in whose place it is reached before stays as it was; one
    /// that was reached before in the same run keeps what that had for an order. Where that was none, no order is opened
    /// for what is long past.
    ///
    /// # Errors
    /// If a row cannot be decoded; so with all that reads.
    pub(super) fn reached(
        &mut self,
        (warning, evaluated): (&WarningName, Date),
        places: &[usize],
        before: &[ReachedStep],
        of_run: impl Fn(i32) -> Option<String>,
    ) -> Result<(Vec<ReachedStep>, Vec<Change>), DamagedRow> {
        let (mut steps, mut opened) = (reached_steps(self.policy, places, evaluated), Vec::new());
        for step in &mut steps {
            if let Some(own) = before.iter().find(|before| before.index == step.index) {
                step.clone_from(own);
            } else if step.action() == Action::OpenOrder {
                step.order = match of_run(step.index) {
                    Some(order) => order,
                    None => self.order_of(warning, step.index, &mut opened)?,
                };
            }
        }
        Ok((steps, opened))
    }

    /// The order of a step: the one that is open, or one that is opened; empty if the project is deleted or cancelled, or
    /// the policy is not in force any more.
    fn order_of(
        &mut self,
        warning: &WarningName,
        index: i32,
        opened: &mut Vec<Change>,
    ) -> Result<String, DamagedRow> {
        if let Some(open) = self.open()?.get(&index) {
            return Ok(open.name.clone());
        }
        if self.policy.state() != State::Adopted {
            return Ok(String::new());
        }
        let project = candidate(&self.scope.rows, self.project)?;
        let project = project.filter(|project| project.project.status() != Status::Cancelled);
        let step = usize::try_from(index).ok().and_then(|place| self.policy.steps.get(place));
        let (Some(project), Some(step)) = (project, step) else { return Ok(String::new()) };
        let (name, change) = self.opening((warning, index), step, &project.project)?;
        opened.push(change);
        let open = Open { name: name.to_string(), warning: warning.to_string() };
        self.open()?.insert(index, open);
        Ok(name.to_string())
    }

    fn opening(
        &self,
        (warning, index): (&WarningName, i32),
        step: &WarningStep,
        project: &Project,
    ) -> Result<(OrderName, Change), DamagedRow> {
        let known = self.scope.service.portfolio_or_unknown(self.scope.rows.read, &self.project.parent())?;
        let due = known.calendar.add_working_days(self.day, step.due_working_days);
        let order = RectificationOrder {
            title: self.policy.display_name.clone(),
            responsible: responsible(step, project).to_owned(),
            issue_date: Some(date_message(self.day)),
            due_date: Some(date_message(due.unwrap_or(Date::MAX))),
            warning: warning.to_string(),
            warning_policy: self.policy.name().to_string(),
            warning_step: index,
            ..RectificationOrder::default()
        };
        let name = name_of(self.project, warning, index);
        let change = opened(self.scope, name.clone(), order, &known.calendar, self.day);
        Ok((name, change))
    }

    /// The orders that are not over, by their steps.
    fn open(&mut self) -> Result<&mut BTreeMap<i32, Open>, DamagedRow> {
        let open = match self.open.take() {
            Some(open) => open,
            None => found(&self.scope.rows, self.policy.name(), self.project)?,
        };
        Ok(self.open.insert(open))
    }

    /// Of the orders of these steps those that are not over, and that no warning which counts names of a period that ends
    /// before a day.
    pub(super) fn open_since(&mut self, steps: &[ReachedStep], end: Date) -> Result<Vec<String>, DamagedRow> {
        let mut since = Vec::new();
        for step in steps.iter().filter(|step| !step.order.is_empty()) {
            let Some(open) = self.open()?.get(&step.index).filter(|open| open.name == step.order) else {
                continue;
            };
            let warning = open.warning.parse::<WarningName>();
            let warning = warning.map_err(|error| self.policy.name().damaged(error))?;
            let warning: Option<Checked<Warning>> = self.scope.rows.get(&warning)?;
            let Some(begin) = warning.and_then(|warning| date(warning.period_end.as_ref())) else { continue };
            let before = from(&self.scope.rows, self.project, self.policy.name(), begin)?.into_iter();
            let mut before = before.filter(|warning| date(warning.period_end.as_ref()) < Some(end));
            if !before.any(|warning| warning.steps.iter().any(|own| own.order == step.order)) {
                since.push(step.order.clone());
            }
        }
        Ok(since)
    }
}

/// The steps of a policy with these places, as a warning of a day says them.
fn reached_steps(policy: &WarningPolicy, places: &[usize], day: Date) -> Vec<ReachedStep> {
    let reached = places.iter().filter_map(|place| {
        let step = policy.steps.get(*place)?;
        let is_review = step.action() == Action::Review;
        Some(ReachedStep {
            index: i32::try_from(*place).unwrap_or(i32::MAX),
            action: step.action,
            role: step.role.clone(),
            review_date: is_review.then(|| date_message(day.saturating_add(step.months.months()))),
            order: String::new(),
        })
    });
    reached.collect()
}

/// The orders of a policy's steps in a project that are not over.
fn found(
    rows: &Rows<'_, Tracker>,
    policy: &PolicyName,
    project: &ProjectName,
) -> Result<BTreeMap<i32, Open>, DamagedRow> {
    let (mut open, policy) = (BTreeMap::new(), policy.to_string());
    for found in rows.under::<RectificationOrder>(project.ids(), None) {
        let (name, row) = found?;
        let order = rows.read(&name, row)?;
        if order.warning_policy == policy && !is_final(&order) && !order.is_deleted() {
            open.insert(order.warning_step, Open { name: name.to_string(), warning: order.warning.clone() });
        }
    }
    Ok(open)
}

/// Who answers the order of a step in a project.
fn responsible<'a>(step: &'a WarningStep, project: &'a Project) -> &'a str {
    let mut parties = project.parties.iter();
    let found =
        parties.find(|party| !party.organization.is_empty() && party.roles.contains(&step.responsible_role));
    found.map_or(&step.responsible, |party| &party.organization)
}

/// The name of the order that a step opens for a warning.
fn name_of(project: &ProjectName, warning: &WarningName, index: i32) -> OrderName {
    let mut digest = Sha256::new();
    digest.update(warning.id().as_str().as_bytes());
    digest.update([0]);
    digest.update(index.to_be_bytes());
    let digest: [u8; 32] = digest.finalize().into();
    let mut seed = [0; 16];
    seed.copy_from_slice(&digest[..16]);
    let prefix = <RectificationOrder as Rules<Tracker>>::ID_PREFIX;
    OrderName::under(project.ids(), ResourceId::from_seed(prefix, seed))
}

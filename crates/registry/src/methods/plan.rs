//! The request that adjusts the plan of a year.
//!
//! Invariant: reading it finds every fault of it at once.

use milepost_proto::registry::v1::{AdjustAnnualPlanRequest, Project};
use milepost_resource::{Act, Custom, check_message, optional_date, required_text, target};
use milepost_types::Violations;

use crate::project::plan::{Adjust, adjust, check_plan};
use crate::tables::Registry;

pub(super) fn adjust_annual_plan(
    mut request: AdjustAnnualPlanRequest,
    violations: &mut Violations,
) -> Option<Box<dyn Act<Registry>>> {
    let target = target::<Project>(&request, violations);
    let reason = required_text("reason", &request.reason, violations);
    let plan = violations.require("annual_plan", request.annual_plan.take()).map(|mut plan| {
        let mut found = Violations::new();
        check_message(&mut plan, &mut found);
        // What is wrong between fields is found where each is right.
        if found.is_empty() {
            check_plan(&plan, "", &mut found);
        }
        let is_right = found.is_empty();
        violations.nest("annual_plan", found);
        is_right.then_some(plan)
    });
    let date = optional_date("date", request.date, violations);
    let arguments = Adjust { plan: plan.flatten()?, reason, date: date? };
    Some(Custom::act(target?, arguments, adjust))
}

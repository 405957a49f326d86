//! Warnings: rules that an office adopts by which projects that are behind are shown in yellow or red.
//!
//! `policy` is the resource of a rule, and `rule` what it says, read; `period`, `measure`, `band` and `light` are the
//! arithmetic of an evaluation, on plain values; `known` finds these values, and `evaluation` puts them together. `days`
//! evaluates what a day brings, `outcome` is the resource that comes of it, `order` opens the rectification orders that
//! follow, `excuse`, `recompute` and `correction` are what may become of it later, and `replay` evaluates without writing. Invariant: an
//! evaluation depends on the policy, on what is known of the projects and on the evaluation before alone; it can be done
//! again at any time.

mod band;
mod correction;
mod days;
mod evaluation;
mod excuse;
mod known;
mod light;
mod measure;
mod order;
mod outcome;
mod period;
mod policy;
mod recompute;
mod replay;
mod rule;

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
pub(crate) use tests::published::published;

pub(crate) use days::{changes, is_due};
pub(crate) use excuse::{grant, refuse};
pub(crate) use policy::{adopt, retire};
pub(crate) use recompute::Recompute;
pub(crate) use replay::{ReplayRequest, Replayed, answer as replay};

use milepost_proto::tracker::v1::{Excuse, Warning, WarningPolicy};
use milepost_resource::Name;
use milepost_types::Violations;

/// `portfolios/{portfolio}/warningPolicies/{warning_policy}`
pub(crate) type PolicyName = Name<WarningPolicy>;
/// `portfolios/{portfolio}/projects/{project}/warnings/{warning}`
pub(crate) type WarningName = Name<Warning>;
/// `portfolios/{portfolio}/projects/{project}/excuses/{excuse}`
pub(crate) type ExcuseName = Name<Excuse>;

/// Finds what is wrong with a policy beyond its schema.
pub(crate) fn check_policy(policy: &WarningPolicy, violations: &mut Violations) {
    rule::read(policy, violations);
}

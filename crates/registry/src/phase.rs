//! Phases: the parts in which a project is built, one after another.
//!
//! Invariant: no two phases of a project that are not deleted have the same place in the order.

use std::collections::BTreeMap;

use milepost_types::{LanguageTag, Money, Period, PhaseName, ProjectName, Rejection};

use crate::details::{Rules, details};
use crate::record::{Create, Record, Target, Update};

/// A phase.
pub(crate) type Phase = Record<PhaseName, Details>;

details! {
    display_name: String,
    translations: BTreeMap<LanguageTag, String>,
    /// From 1.
    order: u32,
    planned_period: Period,
    actual_period: Period,
    /// `None`: not said, which is not zero.
    investment: Option<Money>,
    scale: String,
}

impl Rules for Details {
    const NOUN: &'static str = "phase";
}

/// What may be asked of phases.
#[derive(Debug)]
pub(crate) enum Command {
    /// Create one.
    Create(Create<ProjectName, Details>),
    /// Change fields of one.
    Update(Update<PhaseName, Patch>),
    /// Delete one softly.
    Delete(Target<PhaseName>),
    /// Take a deletion back.
    Undelete(Target<PhaseName>),
}

/// Refuses a place in the order that another phase has, `holder`.
pub(crate) fn check_order(phase: &Phase, holder: Option<PhaseName>) -> Result<(), Rejection> {
    match holder {
        Some(holder) if holder != phase.name => Err(Rejection::precondition(
            "ORDER_TAKEN",
            holder.to_string(),
            format!(
                "phase.order: this phase of the project is number {} already; give another number",
                phase.details.order
            ),
        )),
        _ => Ok(()),
    }
}

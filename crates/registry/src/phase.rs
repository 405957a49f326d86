//! Phases: the parts in which a project is built, one after another.
//!
//! Invariant: no two phases of a project that are not deleted have the same order.

use milepost_proto::registry::v1::{Phase, Project};
use milepost_resource::{By, Checked, Index, Rules, Under};
use milepost_types::Rejection;

use crate::project::check_actual_period;
use crate::tables::{Registry, Scope};

/// The phases of each project by their order.
const BY_ORDER: Index =
    Index { tag: 22, under: 2, by: &[By::Field("order"), By::Deleted], live: false, when: &[], orders: true };

impl Rules<Registry> for Phase {
    type Above = Under<Project>;

    const TABLE: u8 = 4;
    const TABLE_NAME: &'static str = "registry.phases";
    const ID_PREFIX: char = 'h';
    const INDEXES: &'static [Index] = &[BY_ORDER, Index { tag: 25, under: 1, ..BY_ORDER }];

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let period = |phase: &Checked<Phase>| phase.actual_period;
        let portfolio = after.name().parent().parent();
        check_actual_period(scope, &portfolio, "phase", before.map(period), period(after))?;
        let fields = [&after.order.to_be_bytes()[..], &[0]].concat();
        let holder = scope.rows.names::<Phase>(BY_ORDER, after.name().parent_ids(), &fields).next();
        match holder.filter(|holder| holder != after.name()) {
            None => Ok(()),
            Some(holder) => Err(Rejection::precondition(
                "ORDER_TAKEN",
                holder.to_string(),
                format!(
                    "phase.order: this phase of the project is number {} already; give another number",
                    after.order
                ),
            )),
        }
    }
}

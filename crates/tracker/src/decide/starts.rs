//! What the start of a project makes of its milestones: at once, as the registry says it, and on a later day of those that
//! could not be read then. A day that is corrected moves what the start achieved.
//!
//! Invariants: a milestone that cannot be read, or whose change needs a row that cannot be, is in no other one's way; what is
//! passed over is said, so that each day looks for it until it can be read. Nothing is achieved twice.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::Read;
use milepost_proto::tracker::v1::Milestone;
use milepost_resource::{Change, Checked, Rows, Unreadable};
use milepost_types::DamagedRow;

use super::works::Changes;
use super::{Scope, Tracker};
use crate::convert::milestone::{awaits_start, has_other_start};
use crate::milestone::{ChangeContext, achieve_started};
use crate::names::{MilestoneName, PortfolioName, ProjectName};
use crate::tables;

/// What a start brings.
#[derive(Default)]
pub(super) struct Started {
    /// The milestones that it achieves, in the order of names.
    pub(super) achieved: Vec<(MilestoneName, Change)>,
    /// Those that may await it, and are passed over, in the same order.
    pub(super) passed_over: Vec<MilestoneName>,
    /// The first row that cannot be read.
    pub(super) damage: Option<DamagedRow>,
}

impl Started {
    fn pass_over(&mut self, name: MilestoneName, row: DamagedRow) {
        self.passed_over.push(name);
        self.damage.get_or_insert(row);
    }
}

/// What the start of a project on a day brings to all its milestones; the context, too, may be what cannot be read.
pub(super) fn of_project(
    scope: &Scope<'_>,
    project: &ProjectName,
    date: Date,
    context: Result<ChangeContext, DamagedRow>,
) -> Started {
    of_milestones(scope, scope.rows.under(project.ids(), None), (date, &awaits_start), context)
}

/// What the correction of its day to this one brings to those that the start achieved.
pub(super) fn corrected(
    scope: &Scope<'_>,
    project: &ProjectName,
    date: Date,
    context: Result<ChangeContext, DamagedRow>,
) -> Started {
    let has_other = |row: &Bytes| has_other_start(row, date);
    of_milestones(scope, scope.rows.under(project.ids(), None), (date, &has_other), context)
}

/// Whether it concerns the milestone of a row.
type Concerns<'a> = &'a dyn Fn(&Bytes) -> Result<bool, Unreadable>;

/// What it brings to those of these that it concerns.
fn of_milestones(
    scope: &Scope<'_>,
    milestones: impl Iterator<Item = Result<(MilestoneName, Bytes), DamagedRow>>,
    (date, concerns): (Date, Concerns<'_>),
    context: Result<ChangeContext, DamagedRow>,
) -> Started {
    let (mut started, mut awaiting) = (Started::default(), Vec::new());
    for found in milestones {
        let (name, row) = match found {
            Ok(found) => found,
            Err(row) => {
                started.damage.get_or_insert(row);
                continue;
            }
        };
        let read = match concerns(&row) {
            Ok(false) => continue,
            Ok(true) => scope.rows.read(&name, row),
            Err(error) => Err(name.damaged(error)),
        };
        match (read, &context) {
            (Ok(milestone), Ok(_)) => awaiting.push(milestone),
            (Err(row), _) => started.pass_over(name, row),
            (Ok(_), Err(row)) => started.pass_over(name, row.clone()),
        }
    }
    if let Ok(context) = context {
        achieve(scope, awaiting, date, &context, &mut started);
    }
    started.passed_over.sort_unstable();
    started
}

/// Achieves milestones together, but for those whose change needs a row that cannot be read: what they would have brought to
/// the others does not come now.
fn achieve(
    scope: &Scope<'_>,
    awaiting: Vec<Checked<Milestone>>,
    date: Date,
    context: &ChangeContext,
    started: &mut Started,
) {
    let achieved = |of: &[&Checked<Milestone>]| achieve_started(scope, of, date, context);
    let mut all: Vec<_> = awaiting.iter().collect();
    let mut changes = achieved(&all);
    if changes.is_err() {
        all.retain(|milestone| match achieved(&[milestone]) {
            Ok(_) => true,
            Err(row) => {
                started.pass_over(milestone.name().clone(), row);
                false
            }
        });
        changes = achieved(&all);
    }
    match changes {
        Ok(changes) => {
            started.achieved = all.iter().map(|milestone| milestone.name().clone()).zip(changes).collect();
        }
        Err(row) => all.iter().for_each(|one| started.pass_over(one.name().clone(), row.clone())),
    }
}

/// Whether a milestone of a portfolio that a start passed over awaits it still, or cannot be read.
pub(crate) fn awaits_passed_over_start(read: &dyn Read, portfolio: &PortfolioName) -> bool {
    let rows = Rows::<Tracker>::new(read);
    let awaits = |name| rows.row(&name).is_some_and(|row| !matches!(awaits_start(&row), Ok(false)));
    tables::passed_over_start::under(read, portfolio)
        .any(|found| found.map_or(true, |(name, _)| awaits(name)))
}

/// What a day makes of the milestones that starts passed over, start by start.
pub(super) fn changes<'a>(
    scope: &'a Scope<'a>,
    portfolio: &'a PortfolioName,
    day: Date,
) -> Result<Changes<'a>, DamagedRow> {
    let (mut passed_over, mut damaged) = (BTreeMap::new(), Vec::new());
    for found in tables::passed_over_start::under(scope.rows.read, portfolio) {
        match found {
            Ok((name, date)) => {
                passed_over.entry((name.parent(), date)).or_insert_with(Vec::new).push(name);
            }
            Err(row) => damaged.push(Err(row)),
        }
    }
    let of_starts = passed_over.into_iter().flat_map(move |((_, date), names)| {
        let known = scope.service.portfolio_or_unknown(scope.rows.read, portfolio);
        let context = known.map(|portfolio| ChangeContext { current_date: day, portfolio });
        let rows = names.into_iter().filter_map(|name| scope.rows.row(&name).map(|row| Ok((name, row))));
        let Started { achieved, damage, .. } = of_milestones(scope, rows, (date, &awaits_start), context);
        let achieved = achieved.into_iter().map(|(_, change)| Ok(vec![change]));
        achieved.chain(damage.map(Err))
    });
    Ok(Box::new(damaged.into_iter().chain(of_starts)))
}

//! Decisions about phases.

use milepost_ledger::Read;
use milepost_proto::registry::v1 as proto;
use milepost_types::{PhaseName, ProjectName, Rejection, Violations};

use super::{Decided, delete, found, free, id, undelete, update};
use crate::change::Change;
use crate::phase::{Command, Phase, check_order};
use crate::project::check_actual_period;
use crate::project::references::Presence;
use crate::record::Moment;
use crate::tables::portfolios::Head;
use crate::tables::{phases, phases_by_order, portfolios, projects};

pub(super) fn decide(rows: &dyn Read, command: &Command, seed: u128, moment: &Moment) -> Decided {
    let load = |name: &PhaseName| found(name, phases::get(rows, name)?);
    // What must hold of a phase that is there after the command.
    let check = |portfolio: &Head, before: Option<&Phase>, phase: &Phase| {
        check_dates(portfolio, before, phase, moment)?;
        check_order(phase, phases_by_order::holder(rows, phase.name.project(), phase.details.order))
    };
    let (project, changes) = match command {
        Command::Create(create) => {
            let portfolio = open(rows, &create.parent)?;
            let name = PhaseName::new(create.parent.clone(), id(create.id.as_ref(), 'h', seed));
            free::<proto::Phase, _>(rows, &name, &phases::key(&name))?;
            let phase = Phase::create(name, create.details.clone(), (), moment);
            check(&portfolio, None, &phase)?;
            (&create.parent, vec![Change::created(phase)])
        }
        Command::Update(wish) => {
            let before = load(&wish.name)?;
            let portfolio = open(rows, wish.name.project())?;
            (
                wish.name.project(),
                update(&before, wish, moment, |after| check(&portfolio, Some(&before), after))?,
            )
        }
        Command::Delete(target) => {
            let phase = load(&target.name)?;
            open(rows, target.name.project())?;
            (target.name.project(), delete(phase.delete(target.etag, moment)?))
        }
        Command::Undelete(target) => {
            let before = load(&target.name)?;
            let portfolio = open(rows, target.name.project())?;
            let check = |after: &Phase| check(&portfolio, Some(&before), after);
            (target.name.project(), undelete(&before, target, moment, check)?)
        }
    };
    Ok((project.portfolio().id().to_string(), changes))
}

/// The portfolio of a project, where both are there and not deleted.
fn open(rows: &dyn Read, project: &ProjectName) -> Result<Head, Rejection> {
    let portfolio = portfolios::open(rows, project.portfolio())?;
    match projects::presence(rows, project)? {
        Presence::Missing => Err(Rejection::not_found(project)),
        Presence::Deleted => Err(Rejection::deleted(project)),
        Presence::Present => Ok(portfolio),
    }
}

fn check_dates(
    portfolio: &Head,
    before: Option<&Phase>,
    phase: &Phase,
    moment: &Moment,
) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    let period = &phase.details.actual_period;
    if !period.is_empty() && before.is_none_or(|before| before.details.actual_period != *period) {
        check_actual_period("phase", period, portfolio.current_date(moment.now), &mut violations);
    }
    violations.into_result(()).map_err(Rejection::Invalid)
}

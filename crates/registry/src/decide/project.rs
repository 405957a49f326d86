//! Decisions about projects.

use milepost_ledger::Read;
use milepost_proto::registry::v1 as proto;
use milepost_types::{OrganizationName, PortfolioName, ProjectName, Rejection, Violations};

use super::{Decided, delete, found, free, id, undelete, update};
use crate::change::{Change, Happening};
use crate::project::references::{Directory, Presence, check_creation, check_undeletion, check_update};
use crate::project::status::{self, Moved};
use crate::project::{self, Command, Details, Project, Standing, check_actual_period};
use crate::record::{Create, Moment};
use crate::tables::portfolios::Head;
use crate::tables::{organizations, parts, portfolios, projects};

/// Parts that a refusal to delete names at most.
const PARTS_NAMED: usize = 10;

pub(super) fn decide(rows: &dyn Read, command: &Command, seed: u128, moment: &Moment) -> Decided {
    let load = |name: &ProjectName| found(name, projects::get(rows, name)?);
    let (portfolio, changes) = match command {
        Command::Create(wish) => {
            let wishes = std::iter::once(("project".to_owned(), wish));
            (&wish.parent, create(rows, &wish.parent, wishes, seed, moment)?)
        }
        Command::CreateSeveral(wishes) => {
            let Some(first) = wishes.first() else { return Ok((String::new(), Vec::new())) };
            let wishes = wishes.iter().enumerate();
            let wishes = wishes.map(|(i, wish)| (format!("requests[{i}].project"), wish));
            (&first.parent, create(rows, &first.parent, wishes, seed, moment)?)
        }
        Command::Update(wish) => {
            let before = load(&wish.name)?;
            let portfolio = portfolios::open(rows, wish.name.portfolio())?;
            let check = |after: &Project| {
                let mut violations = Violations::new();
                let details = Some(&before.details);
                check_dates(&portfolio, "project", details, &after.details, moment, &mut violations);
                violations.into_result(())?;
                check_update(&before, after, &Rows(rows))
            };
            (wish.name.portfolio(), update(&before, wish, moment, check)?)
        }
        Command::Delete(target) => {
            let before = load(&target.name)?;
            portfolios::open(rows, target.name.portfolio())?;
            let parts = parts::first(rows, &target.name, PARTS_NAMED);
            (target.name.portfolio(), delete(project::delete(&before, target, parts, moment)?))
        }
        Command::Undelete(target) => {
            let before = load(&target.name)?;
            portfolios::open(rows, target.name.portfolio())?;
            let check = |after: &Project| check_undeletion(after, &Rows(rows));
            (target.name.portfolio(), undelete(&before, target, moment, check)?)
        }
        Command::Move(target, step, reason) => {
            let before = load(&target.name)?;
            let portfolio = portfolios::open(rows, target.name.portfolio())?;
            let today = portfolio.current_date(moment.now);
            let moved = status::advance(&before, target, *step, reason, today, moment)?;
            (target.name.portfolio(), vec![change(moved, false)])
        }
    };
    Ok((portfolio.id().to_string(), changes))
}

/// What became of a project that was moved, be it by a batch or by itself.
pub(super) fn change(moved: Moved, by_batch: bool) -> Change {
    let Moved { project, previous, date, changed } = moved;
    let happening = Happening::Moved {
        previous,
        status: project.standing.status,
        reason: project.standing.status_reason.clone(),
        batch: project.standing.batch.clone().filter(|_| by_batch),
    };
    Change::new(project, happening, changed).on(date)
}

/// Creates projects of one portfolio, each from a wish at a field of the request.
fn create<'a>(
    rows: &dyn Read,
    parent: &PortfolioName,
    wishes: impl Iterator<Item = (String, &'a Create<PortfolioName, Details>)>,
    seed: u128,
    moment: &Moment,
) -> Result<Vec<Change>, Rejection> {
    let portfolio = portfolios::open(rows, parent)?;
    let mut violations = Violations::new();
    let mut created = Vec::new();
    for (i, (field, wish)) in (0..).zip(wishes) {
        let name = ProjectName::new(parent.clone(), id(wish.id.as_ref(), 'p', seed.wrapping_add(i)));
        free::<proto::Project, _>(rows, &name, &projects::key(&name))?;
        check_dates(&portfolio, &field, None, &wish.details, moment, &mut violations);
        created.push((field, Project::create(name, wish.details.clone(), Standing::default(), moment)));
    }
    violations.into_result(())?;
    check_creation(&created, &Rows(rows))?;
    Ok(created.into_iter().map(|(_, project)| Change::created(project)).collect())
}

fn check_dates(
    portfolio: &Head,
    field: &str,
    before: Option<&Details>,
    after: &Details,
    moment: &Moment,
    violations: &mut Violations,
) {
    let period = &after.actual_period;
    let same = before.is_some_and(|before| before.actual_period == *period);
    if !period.is_empty() && !same {
        check_actual_period(field, period, portfolio.current_date(moment.now), violations);
    }
}

/// What projects refer to, as rows.
pub(super) struct Rows<'a>(pub(super) &'a dyn Read);

impl Directory for Rows<'_> {
    fn organization(&self, name: &OrganizationName) -> Result<Presence, Rejection> {
        Ok(organizations::presence(self.0, name)?)
    }

    fn project(&self, name: &ProjectName) -> Result<Presence, Rejection> {
        Ok(projects::presence(self.0, name)?)
    }

    fn parent(&self, name: &ProjectName) -> Result<Option<ProjectName>, Rejection> {
        Ok(projects::head(self.0, name)?.and_then(|head| head.parent))
    }
}

//! Decisions about portfolios.

use milepost_ledger::Read;
use milepost_proto::registry::v1 as proto;
use milepost_types::{PortfolioName, Rejection};

use super::{Decided, delete, found, free, id, undelete, update};
use crate::change::{Change, Resource};
use crate::portfolio::{self, Command, Portfolio};
use crate::record::Moment;
use crate::tables::{portfolios, projects};

pub(super) fn decide(rows: &dyn Read, command: &Command, seed: u128, moment: &Moment) -> Decided {
    let load = |name: &PortfolioName| -> Result<Portfolio, Rejection> {
        Ok(found(name, portfolios::get(rows, name)?)?.dated(moment.now))
    };
    let (name, mut changes) = match command {
        Command::Create(create) => {
            let name = PortfolioName::new(id(create.id.as_ref(), 'p', seed));
            free::<proto::Portfolio, _>(rows, &name, &portfolios::key(&name))?;
            let portfolio = Portfolio::create(name.clone(), create.details.clone(), None, moment);
            (name, vec![Change::created(portfolio)])
        }
        Command::Update(wish) => (wish.name.clone(), update(&load(&wish.name)?, wish, moment, |_| Ok(()))?),
        Command::Delete(target) => {
            let project = projects::any(rows, &target.name);
            let deleted = portfolio::delete(&load(&target.name)?, target, project, moment)?;
            (target.name.clone(), delete(deleted))
        }
        Command::Undelete(target) => {
            (target.name.clone(), undelete(&load(&target.name)?, target, moment, |_| Ok(()))?)
        }
    };
    for change in &mut changes {
        if let Resource::Portfolio(portfolio) = &mut change.resource {
            // In the time zone that it has now.
            **portfolio = (**portfolio).clone().dated(moment.now);
        }
    }
    Ok((name.id().to_string(), changes))
}

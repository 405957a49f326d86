//! Decisions about organizations. They concern no portfolio.

use milepost_ledger::Read;
use milepost_proto::registry::v1 as proto;
use milepost_types::OrganizationName;

use super::{Decided, delete, found, free, id, undelete, update};
use crate::change::Change;
use crate::organization::{Command, Organization};
use crate::record::Moment;
use crate::tables::organizations;

pub(super) fn decide(rows: &dyn Read, command: &Command, seed: u128, moment: &Moment) -> Decided {
    let load = |name: &OrganizationName| found(name, organizations::get(rows, name)?);
    let changes = match command {
        Command::Create(create) => {
            let name = OrganizationName::new(id(create.id.as_ref(), 'o', seed));
            free::<proto::Organization, _>(rows, &name, &organizations::key(&name))?;
            vec![Change::created(Organization::create(name, create.details.clone(), (), moment))]
        }
        Command::Update(wish) => update(&load(&wish.name)?, wish, moment, |_| Ok(()))?,
        Command::Delete(target) => delete(load(&target.name)?.delete(target.etag, moment)?),
        Command::Undelete(target) => undelete(&load(&target.name)?, target, moment, |_| Ok(()))?,
    };
    Ok((String::new(), changes))
}

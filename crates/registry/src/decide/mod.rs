//! Deciding a command: load what it is about, ask the pure rules, write down what they say.
//!
//! Invariant: nothing is decided here that a noun's own rules could decide; and a decision reads only
//! the rows that it needs.

mod batch;
mod organization;
mod phase;
mod portfolio;
mod project;

use milepost_ledger::{Context, Decision, Domain, Entry, Read, Unusable, Write};
use milepost_types::{Rejection, ResourceId, ResourceName, check_batch};

use crate::change::{Change, Happening, Resource};
use crate::command::{Command, Wish};
use crate::convert::request::Resource as Message;
use crate::details::Details;
use crate::record::{Moment, Record, Target, Update, Updated};
use crate::{apply, convert, tables};

/// The rules of the registry.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Registry;

impl Domain for Registry {
    type Command = Command;
    type Rejection = Rejection;

    const STORE_VERSION: u32 = tables::STORE_VERSION;

    fn decide(&self, rows: &dyn Read, command: &Command, context: &Context) -> Result<Decision, Rejection> {
        let moment = Moment::of(context);
        let (portfolio, changes) = match &command.wish {
            Wish::Portfolio(wish) => portfolio::decide(rows, wish, context.seed, &moment)?,
            Wish::Organization(wish) => organization::decide(rows, wish, context.seed, &moment)?,
            Wish::Project(wish) => project::decide(rows, wish, context.seed, &moment)?,
            Wish::Phase(wish) => phase::decide(rows, wish, context.seed, &moment)?,
            Wish::Batch(wish) => batch::decide(rows, wish, context.seed, &moment)?,
        };
        let events = convert::event::encoded(&changes, context, &command.traceparent);
        if command.wish.answers_with_all() {
            check_batch("projects", events.iter().map(|event| apply::resource(event).len()))?;
        }
        Ok(Decision { portfolio, decided_on: Vec::new(), events })
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        apply::apply(rows, entry)
    }
}

/// What a decision says: the id of the portfolio concerned, empty for none, and what changes.
type Decided = Result<(String, Vec<Change>), Rejection>;

/// The id that was asked for, or one made from the seed: the same when the command is decided again.
fn id(asked: Option<&ResourceId>, prefix: char, seed: u128) -> ResourceId {
    asked.cloned().unwrap_or_else(|| ResourceId::from_seed(prefix, seed.to_be_bytes()))
}

/// A resource that must be there, or else there is none of that name.
fn found<N: ResourceName, T>(name: &N, resource: Option<T>) -> Result<T, Rejection> {
    resource.ok_or_else(|| Rejection::not_found(name))
}

/// A name that must be free, with the key that a resource of the message `M` would have by it.
fn free<M: Message, N: ResourceName>(rows: &dyn Read, name: &N, key: &[u8]) -> Result<(), Rejection> {
    match tables::is_deleted::<M>(rows, key)? {
        Some(deleted) => Err(Rejection::already_exists(name, deleted)),
        None => Ok(()),
    }
}

/// What an update changes; `check` sees the resource before and after it.
fn update<N, D, S>(
    record: &Record<N, D, S>,
    update: &Update<N, D::Patch>,
    moment: &Moment,
    check: impl FnOnce(&Record<N, D, S>) -> Result<(), Rejection>,
) -> Result<Vec<Change>, Rejection>
where
    N: ResourceName,
    D: Details,
    S: Clone,
    Record<N, D, S>: Into<Resource>,
{
    let Some(Updated { record, changed }) = record.update(update, moment)? else { return Ok(Vec::new()) };
    check(&record)?;
    Ok(vec![Change::new(record, Happening::Updated, changed)])
}

/// What an undeletion changes; `check` sees the resource after it.
fn undelete<N, D, S>(
    record: &Record<N, D, S>,
    target: &Target<N>,
    moment: &Moment,
    check: impl FnOnce(&Record<N, D, S>) -> Result<(), Rejection>,
) -> Result<Vec<Change>, Rejection>
where
    N: ResourceName,
    D: Details,
    S: Clone,
    Record<N, D, S>: Into<Resource>,
{
    let record = record.undelete(target.etag, moment)?;
    check(&record)?;
    Ok(vec![Change::undeleted(record)])
}

/// What a deletion changes, if anything.
fn delete(deleted: Option<impl Into<Resource>>) -> Vec<Change> {
    deleted.into_iter().map(Change::deleted).collect()
}

#[cfg(test)]
mod tests;

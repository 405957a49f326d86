//! What an entry does to rows.
//!
//! Invariants: rows come of events alone, and live rows and rebuilt ones are equal; events of types that
//! this version does not know do nothing, and an event that cannot be read, or is not the tracker's, is damage.

use milepost_ledger::{Entry, Unusable, Write};
use milepost_resource::{Table, Unreadable};
use milepost_service::access::table;
use milepost_types::Position;

use crate::convert::mirror::AccessFacts;
use crate::convert::read_event::{Effect, Facts, effect};
use crate::tables::{self, TABLES};

/// Brings the rows from before an entry to after it.
///
/// # Errors
/// If an event cannot be read, or is not the tracker's.
pub(crate) fn apply(rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
    for (index, event) in entry.events.iter().enumerate() {
        let applied = effect(event).and_then(|effect| apply_effect(rows, effect));
        applied.map_err(|error| Unusable::new(error).in_event(index))?;
    }
    Ok(())
}

fn apply_effect(rows: &mut dyn Write, effect: Effect) -> Result<(), Unreadable> {
    match effect {
        Effect::Resource { field, row } => {
            if let Some(table) = Table::of_event(TABLES, field) {
                table.put(rows, row)?;
            }
        }
        Effect::Date(portfolio, current) => {
            tables::date::put(rows, &portfolio, current);
            tables::advancing::remove(rows, &portfolio);
        }
        Effect::Advancing(portfolio, advancing) => tables::advancing::put(rows, &portfolio, &advancing),
        Effect::Followed { position, facts, access, mirror_version } => {
            // What is followed for the first time, is by this version; else what was not kept before is still missing.
            let is_first = tables::source::get(rows).is_none();
            let complete = tables::mirror_version::get(rows).min(mirror_version);
            tables::mirror_version::put(rows, if is_first { mirror_version } else { complete });
            apply_facts(rows, facts)?;
            apply_access(rows, &access);
            tables::source::put(rows, &position);
            tables::partly::remove(rows);
        }
        Effect::Refollowed { mut facts, mirror_version } => {
            for (name, value) in std::mem::take(&mut facts.projects) {
                tables::project::complete(rows, &name, &value)?;
            }
            apply_facts(rows, facts)?;
            if mirror_version > 0 {
                tables::mirror_version::put(rows, mirror_version);
            }
        }
        Effect::PartlyFollowed { partly, facts } => {
            apply_facts(rows, facts)?;
            tables::partly::put(rows, &partly);
        }
        Effect::Reset(previous, to) => {
            let position = to.after;
            table::forget_after(rows, position.sequence);
            // What was kept is of entries that are followed again; until all of them were, it is not complete.
            if position.sequence == 0 {
                tables::portfolio::clear(rows);
                tables::project::clear(rows);
                tables::assignment::clear(rows);
                tables::mirror_version::put(rows, 0);
            }
            for (log, fork) in to.in_common(previous) {
                tables::later_logs::put(rows, log, &fork);
            }
            // A log that was restored has the same next entry, of which the same part was taken over.
            let stands = |at: &Position| (at.sequence, at.hash) == (position.sequence, position.hash);
            if position.sequence == 0 || !previous.as_ref().is_some_and(stands) {
                tables::partly::remove(rows);
            }
            tables::source::put(rows, &position);
        }
        Effect::PassedOverStart(day, names) => {
            names.iter().for_each(|name| tables::passed_over_start::put(rows, name, day));
        }
        Effect::Standings(standings) => tables::standings::put(rows, standings)?,
        Effect::Nothing => {}
    }
    Ok(())
}

fn apply_access(rows: &mut dyn Write, access: &AccessFacts) {
    access.grants.iter().for_each(|grant| table::put_grant(rows, grant));
    access.service_accounts.iter().for_each(|account| table::put_service_account(rows, account));
    access.api_tokens.iter().for_each(|token| table::put_token(rows, token));
}

fn apply_facts(rows: &mut dyn Write, facts: Facts) -> Result<(), Unreadable> {
    for (name, value) in facts.portfolios {
        tables::portfolio::put(rows, &name, value);
    }
    for (name, value) in facts.projects {
        tables::project::put(rows, &name, value)?;
    }
    facts.assignments.into_iter().try_for_each(|(name, value)| tables::assignment::put(rows, &name, value))
}

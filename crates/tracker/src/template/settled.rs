//! What follows from an act for milestones that a template made: for those that it changes, for those that they keep, and for
//! those that are to satisfy the same requirements.
//!
//! An achieved milestone satisfies a requirement if it was achieved on a day on which no other one of the project satisfied
//! it; of several of one day a MERGED gate comes last, and the others in the order of names. What was satisfied on its day
//! it does not satisfy later. Invariants: who satisfies what depends on the days and terms of all these milestones as they
//! are known, and not on the order in which they were entered; on each day one at most satisfies a requirement. What is made
//! use of in time does not end.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use milepost_proto::tracker::v1::Milestone;
use milepost_proto::tracker::v1::milestone::{Gate, State};
use milepost_proto::tracker::v1::milestone_requirement::State as Requirement;
use milepost_resource::{Change, Checked, EventKind, date};
use milepost_types::DamagedRow;

use super::made::{
    BY_REQUIREMENT, BY_TYPE, BY_UNTIL_TYPE, achieved_on, is_made, others, others_of_template, template_of,
};
use super::validity::{announcements, clear, settle, term};
use crate::decide::Scope;
use crate::milestone::ChangeContext;
use crate::names::MilestoneName;

/// A milestone as it was, and as an act leaves it.
pub(crate) struct Settled {
    pub(crate) before: Checked<Milestone>,
    pub(crate) after: Milestone,
}

impl Settled {
    /// Whether it is achieved on another day than before, or by now, or no longer.
    fn has_other_day(&self) -> bool {
        achieved_on(&self.before) != achieved_on(&self.after)
    }

    fn differs(&self) -> bool {
        *self.before != self.after
    }
}

/// Takes back what a milestone brought, before it comes to another state.
pub(crate) fn take_back(milestone: &mut Milestone) {
    milestone.dropped_by_upgrade &= milestone.state() == State::Cancelled;
    clear(milestone);
}

/// Settles milestones that one act changes, all at once, and finds the others that change because of it.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn settle_all(
    scope: &Scope<'_>,
    acted: Vec<Settled>,
    context: &ChangeContext,
) -> Result<(Vec<Settled>, Vec<Settled>), DamagedRow> {
    let (count, mut all) = (acted.len(), acted);
    let (calendar, today) = (&context.portfolio.calendar, context.current_date);
    add_kept(scope, &mut all)?;
    let used = used(scope, &all)?;
    for (Settled { after, .. }, used) in all.iter_mut().zip(used) {
        settle(after, used, calendar, today);
    }
    retain_changed(&mut all, count);
    let codes = codes(&all);
    add_satisfying(scope, &codes, &mut all)?;
    for code in &codes {
        satisfy(code, &mut all);
    }
    for Settled { after, .. } in &mut all {
        let used = date(after.used_date.as_ref());
        settle(after, used, calendar, today);
    }
    retain_changed(&mut all, count);
    let others = all.split_off(count);
    Ok((all, others))
}

/// Those that the act changes, which are the first, and others that differ.
fn retain_changed(all: &mut Vec<Settled>, count: usize) {
    let others = all.split_off(count);
    all.extend(others.into_iter().filter(Settled::differs));
}

fn is_among(all: &[Settled], name: &MilestoneName) -> bool {
    all.iter().any(|one| one.before.name() == name)
}

/// Adds those of these that are not there yet, as they are.
fn add(all: &mut Vec<Settled>, found: Vec<Checked<Milestone>>) {
    for before in found {
        if !is_among(all, before.name()) {
            let after = (*before).clone();
            all.push(Settled { before, after });
        }
    }
}

/// Adds the achieved ones that those keep of which the day differs.
fn add_kept(scope: &Scope<'_>, all: &mut Vec<Settled>) -> Result<(), DamagedRow> {
    let mut found = Vec::new();
    let mut types = BTreeSet::new();
    for Settled { before, .. } in all.iter().filter(|acted| acted.has_other_day()) {
        if !before.r#type.is_empty() && is_made(before) && types.insert((template_of(before), &before.r#type))
        {
            found.extend(others_of_template(scope, BY_UNTIL_TYPE, &before.r#type, before)?);
        }
    }
    found.retain(|kept| kept.state() == State::Achieved);
    add(all, found);
    Ok(())
}

/// The day on which what keeps each of them happened: the first on which another one of that type, of its template, did.
fn used(scope: &Scope<'_>, all: &[Settled]) -> Result<Vec<Option<Date>>, DamagedRow> {
    let mut happened = BTreeMap::new();
    let mut used = Vec::with_capacity(all.len());
    for Settled { before, after } in all {
        let until_type = after.validity.as_ref().map_or("", |validity| validity.until_type.as_str());
        if until_type.is_empty() || achieved_on(after).is_none() {
            used.push(None);
            continue;
        }
        let days: &Vec<_> = match happened.entry((template_of(before), until_type)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(days(scope, until_type, before, all)?),
        };
        let others = days.iter().filter(|(name, _)| name != before.name());
        used.push(others.map(|(_, day)| *day).min());
    }
    Ok(used)
}

/// The days on which those of a type and of the template of a milestone were achieved, as the act leaves them.
fn days(
    scope: &Scope<'_>,
    of_type: &str,
    milestone: &Checked<Milestone>,
    all: &[Settled],
) -> Result<Vec<(MilestoneName, Date)>, DamagedRow> {
    let mut found = others_of_template(scope, BY_TYPE, of_type, milestone)?;
    found.retain(|other| !is_among(all, other.name()));
    let found = found.iter().map(|other| (other.name(), achieved_on(other)));
    let is_of_type =
        |after: &Milestone| after.r#type == of_type && template_of(after) == template_of(milestone);
    let own = all.iter().filter(|own| is_of_type(&own.after));
    let own = own.map(|own| (own.before.name(), achieved_on(&own.after)));
    Ok(found.chain(own).filter_map(|(name, day)| Some((name.clone(), day?))).collect())
}

/// The requirements that any of them is to satisfy, if it is achieved or was.
fn codes(all: &[Settled]) -> BTreeSet<String> {
    let achieved = |one: &&Settled| achieved_on(&one.before).or(achieved_on(&one.after)).is_some();
    let requirements = all.iter().filter(achieved).flat_map(|one| &one.after.requirements);
    requirements.map(|requirement| requirement.code.clone()).collect()
}

/// Adds the achieved ones that are to satisfy these requirements, too.
fn add_satisfying(
    scope: &Scope<'_>,
    codes: &BTreeSet<String>,
    all: &mut Vec<Settled>,
) -> Result<(), DamagedRow> {
    let Some(first) = all.first().map(|first| first.before.name().clone()) else { return Ok(()) };
    for code in codes {
        let mut found = others(scope, BY_REQUIREMENT, code, &first)?;
        found.retain(|other| other.state() == State::Achieved);
        add(all, found);
    }
    Ok(())
}

/// Decides which of them satisfy a requirement.
fn satisfy(code: &str, all: &mut [Settled]) {
    let mut terms = Vec::new();
    for Settled { before, after } in all {
        let requirement = after.requirements.iter().position(|requirement| requirement.code == code);
        let Some(requirement) = requirement else { continue };
        if let Some((from, until)) = term(after, &after.requirements[requirement]) {
            let place = (from, after.gate() == Gate::Merged, before.name());
            terms.push((place, until, &mut after.requirements[requirement]));
        }
    }
    terms.sort_by_key(|(place, ..)| *place);
    // The last day of the one before that satisfies it; that has none if it does not end.
    let mut last: Option<Option<Date>> = None;
    for ((from, ..), until, requirement) in terms {
        if last.is_some_and(|last| last.is_none_or(|last| from <= last)) {
            requirement.set_state(Requirement::NotNeeded);
            requirement.valid_until = None;
        } else {
            requirement.set_state(Requirement::Satisfied);
            last = Some(until);
        }
    }
}

/// What is said of those that change besides the act, which is of a day: that they do, and what comes of it.
pub(crate) fn settled_besides(
    scope: &Scope<'_>,
    others: Vec<Settled>,
    day: Date,
    context: &ChangeContext,
) -> Vec<Change> {
    let updated = |Settled { before, after }: Settled| {
        let after = before.changed(scope, |milestone| *milestone = after);
        let announced = announcements(&before, &after, (day, context.current_date));
        Change::of(EventKind::Updated, Some(&before), after).announcing(announced)
    };
    others.into_iter().map(updated).collect()
}

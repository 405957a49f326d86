//! Tables 33 and 34: what is kept of each assignment of the registry, and on which days assignments begin and end.
//!
//! Keys: see [`super`]. Value of the first: the encoded `event.v1.FollowedAssignment`, as in the event that took it over;
//! of the second nothing. An assignment that is not deleted has a row in the second for its first day, and one for the
//! day after its last. Put by `milepost.source.followed` and `milepost.source.refollowed`; dropped when the registry is
//! followed anew.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::{Key, Parts, ordered_date};
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_resource::Unreadable;
use milepost_types::DamagedRow;

use super::Table;
use super::key;
use crate::convert::mirror;
use crate::mirror::AssignmentFact;
use crate::names::{AssignmentName, PortfolioName, ProjectName};

/// The assignments of a project, deleted ones too, without these, which are not read.
pub(crate) fn of_project(
    rows: &dyn Read,
    project: &ProjectName,
    without: &[AssignmentFact],
) -> impl Iterator<Item = Result<AssignmentFact, DamagedRow>> {
    let under = project.ids().iter().fold(Key::of(Table::Assignment), Key::under).done();
    let without: BTreeSet<_> =
        without.iter().map(|fact| key::of(Table::Assignment, fact.name.ids())).collect();
    let found = rows.scan(&KeyRange::prefix(&under), Direction::Forward);
    found.filter(move |(key, _)| !without.contains(&key[..])).map(|(key, value)| {
        mirror::assignment_from_stored(&value).map_err(|error| Table::Assignment.damaged(&key, error))
    })
}

/// The projects of a portfolio with an assignment that begins on a day, or ended the day before, each as often as it has
/// one.
pub(crate) fn projects_on(
    rows: &dyn Read,
    portfolio: &PortfolioName,
    day: Date,
) -> impl Iterator<Item = Result<ProjectName, DamagedRow>> {
    let under = portfolio.ids().iter().fold(Key::of(Table::AssignmentDay), Key::under);
    let under = under.bytes(&ordered_date(day)).done();
    let project = |key: &[u8]| -> Option<ProjectName> {
        let mut parts = Parts::of(key, Table::AssignmentDay)?;
        let portfolio = parts.parent()?;
        parts.bytes(4)?;
        ProjectName::of(vec![portfolio, parts.parent()?])
    };
    rows.scan(&KeyRange::prefix(&under), Direction::Forward).map(move |(key, _)| {
        project(&key).ok_or_else(|| Table::AssignmentDay.damaged(&key, "its key names no project"))
    })
}

/// Sets what is kept of an assignment.
///
/// # Errors
/// If it cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, name: &AssignmentName, value: Bytes) -> Result<(), Unreadable> {
    let own = key::of(Table::Assignment, name.ids());
    if let Some(before) = rows.get(&own) {
        let before = mirror::assignment_from_stored(&before);
        let days = before.map_or_else(|_| days_found(&*rows, name), |before| days(&before));
        days.iter().for_each(|key| rows.delete(key));
    }
    for key in days(&mirror::assignment_from_stored(&value)?) {
        rows.put(key, Bytes::new());
    }
    rows.put(own, value);
    Ok(())
}

/// The keys of the days of an assignment.
fn days(fact: &AssignmentFact) -> Vec<Vec<u8>> {
    if fact.deleted {
        return Vec::new();
    }
    let days = [Some(fact.start), fact.end.and_then(|end| end.tomorrow().ok())];
    let key = |day: Date| match fact.name.ids() {
        [portfolio, project, assignment] => {
            let key = Key::of(Table::AssignmentDay).under(portfolio).bytes(&ordered_date(day));
            key.under(project).id(assignment)
        }
        _ => Vec::new(),
    };
    days.into_iter().flatten().map(key).collect()
}

/// The keys of the days of an assignment whose own row cannot be decoded: there are no others of its project that end so.
fn days_found(rows: &dyn Read, name: &AssignmentName) -> Vec<Vec<u8>> {
    let [portfolio, project, assignment] = name.ids() else { return Vec::new() };
    let end = Key::of(0_u8).under(project).id(assignment);
    let range = KeyRange::prefix(&Key::of(Table::AssignmentDay).under(portfolio).done());
    let at = range.start.len() + ordered_date(Date::MIN).len();
    let keys = rows.scan(&range, Direction::Forward).map(|(key, _)| key.to_vec());
    keys.filter(|key| key.get(at..) == end.get(1..)).collect()
}

/// Drops what is kept of all assignments.
pub(crate) fn clear(rows: &mut dyn Write) {
    for table in [Table::Assignment, Table::AssignmentDay] {
        let range = KeyRange::prefix(&Key::of(table).done());
        let keys: Vec<_> = rows.scan(&range, Direction::Forward).map(|(key, _)| key).collect();
        keys.iter().for_each(|key| rows.delete(key));
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use prost::Message;

    use super::*;
    use crate::tests::world::Rows;

    fn fact(start: Date, end: Option<Date>, deleted: bool) -> AssignmentFact {
        let name = "portfolios/wsc/projects/road/assignments/a".parse().unwrap();
        AssignmentFact { name, person: "u".into(), lead: true, start, end, deleted }
    }

    fn set(rows: &mut Rows, fact: &AssignmentFact) {
        let value = mirror::assignment_to_proto(fact).encode_to_vec().into();
        put(rows, &fact.name, value).unwrap();
    }

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_keys_never_change() {
        let mut rows = Rows::default();
        set(&mut rows, &fact(date(2021, 5, 27), Some(date(2021, 5, 31)), false));
        let keys: Vec<_> = rows.0.keys().map(|key| &key[..]).collect();
        let days: [&[u8]; 2] = [b"\x22wsc\0\x07\xe5\x05\x1broad\0a", b"\x22wsc\0\x07\xe5\x06\x01road\0a"];
        assert_eq!(keys, [&b"\x21wsc\0road\0a"[..], days[0], days[1]]);
    }

    #[test]
    fn days_follow_what_is_said_of_an_assignment() {
        let (mut rows, wsc) = (Rows::default(), "portfolios/wsc".parse().unwrap());
        let has = |rows: &Rows, day| projects_on(rows, &wsc, day).next().is_some();
        let (first, last) = (date(2021, 5, 27), date(2021, 5, 31));
        set(&mut rows, &fact(first, Some(last), false));
        assert!(has(&rows, first) && !has(&rows, last) && has(&rows, date(2021, 6, 1)));
        set(&mut rows, &fact(last, None, false));
        assert!(!has(&rows, first) && has(&rows, last) && !has(&rows, date(2021, 6, 1)));
        set(&mut rows, &fact(last, None, true));
        assert!(!has(&rows, last));
        assert_eq!(rows.0.len(), 1);
        clear(&mut rows);
        assert_eq!(rows, Rows::default());
    }
}

//! Tables 5 and 37: what is kept of each project of the registry, and what was reported of it before.
//!
//! Keys: see [`super`]. Value of the first: the encoded `event.v1.FollowedProject`, as in the event that took it over, but
//! that the day on which it was cancelled stays as long as it is; of the second see `milepost-figures`, which makes it of the
//! first as each is put. Put by `milepost.source.followed`, and by `milepost.source.refollowed` where an earlier version did
//! not keep the project; dropped when the registry is followed anew.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_figures::{Ask, History, KnownProject};
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_proto::registry::v1::Project;
use milepost_proto::registry::v1::project::Status;
use milepost_resource::{Unreadable, date};
use milepost_types::{DamagedRow, ResourceId};
use prost::Message;

use super::Table;
use super::key;
use crate::convert::mirror::{self, StoredProject};
use crate::names::{PortfolioName, ProjectName};

/// What was reported of projects.
const HISTORY: History = History { tag: Table::ProjectHistory as u8, table_name: "tracker.project_history" };

/// Whether the project with these ids is deleted; none if it is not known.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn is_deleted(rows: &dyn Read, ids: &[ResourceId]) -> Result<Option<bool>, DamagedRow> {
    let key = key::of(Table::Project, ids);
    let deleted = rows.get(&key).map(|value| mirror::project_is_deleted(&value)).transpose();
    deleted.map_err(|error| Table::Project.damaged(&key, error))
}

/// Sets what is kept of a project.
///
/// # Errors
/// If it, or what was kept before, cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, name: &ProjectName, value: Bytes) -> Result<(), Unreadable> {
    let own = key::of_project(Table::Project, name);
    let before = rows.get(&own).map(StoredProject::decode).transpose()?;
    let after = StoredProject::decode(value.clone())?;
    if let Some(project) = &after.project {
        report(rows, before.as_ref().and_then(|before| before.project.as_ref()), project)?;
    }
    let cancelled_date = before.and_then(|before| before.cancelled_date);
    let stays = after.cancelled_date.is_none() && after.status == i32::from(Status::Cancelled);
    let value = match cancelled_date.filter(|_| stays) {
        Some(day) => StoredProject { cancelled_date: Some(day), ..after }.encode_to_vec().into(),
        None => value,
    };
    rows.put(own, value);
    Ok(())
}

/// Adds what the registry said of a project and an earlier version did not keep, as one of its entries left it. Whether it
/// is deleted stays; of an entry that is not after what is kept nothing is taken.
///
/// # Errors
/// If it, or what is kept, cannot be decoded.
pub(crate) fn complete(rows: &mut dyn Write, name: &ProjectName, value: &Bytes) -> Result<(), Unreadable> {
    let own = key::of_project(Table::Project, name);
    let mut said = StoredProject::decode(value.clone())?;
    let Some(after) = said.project.take() else { return Ok(()) };
    let cancelled_date = said.cancelled_date;
    let kept = rows.get(&own).map(StoredProject::decode).transpose()?.unwrap_or(said);
    if let Some(before) = &kept.project
        && sequence(&after)? <= sequence(before)?
    {
        return Ok(());
    }
    report(rows, kept.project.as_ref(), &after)?;
    // What says it again is of the same day.
    let cancelled_date = cancelled_date.or(kept.cancelled_date);
    rows.put(own, StoredProject { project: Some(after), cancelled_date, ..kept }.encode_to_vec().into());
    Ok(())
}

/// The sequence of the entry that left a project so.
fn sequence(project: &Bytes) -> Result<u64, Unreadable> {
    Ok(EtagView::decode(project.clone())?.etag.parse().unwrap_or_default())
}

/// The field of a project that says which entry left it so.
#[derive(Clone, PartialEq, prost::Message)]
struct EtagView {
    #[prost(string, tag = "43")]
    etag: String,
}

/// Adds to what was reported.
fn report(rows: &mut dyn Write, before: Option<&Bytes>, after: &Bytes) -> Result<(), Unreadable> {
    HISTORY.put(rows, before.map(|before| &before[..]), after, |rows, portfolio, time| {
        let portfolio = super::portfolio::get(rows, portfolio).ok().flatten();
        portfolio.map(|portfolio| portfolio.clock_date(time))
    })
}

/// Drops what is kept of all projects.
pub(crate) fn clear(rows: &mut dyn Write) {
    let range = KeyRange::prefix(&Key::of(Table::Project).done());
    let keys: Vec<_> = rows.scan(&range, Direction::Forward).map(|(key, _)| key).collect();
    keys.iter().for_each(|key| rows.delete(key));
    HISTORY.clear(rows);
}

/// The names of the projects of a portfolio, deleted ones too.
pub(crate) fn names(rows: &dyn Read, portfolio: &PortfolioName) -> Vec<Result<ProjectName, DamagedRow>> {
    let found = rows.scan(&KeyRange::prefix(&under_portfolio(portfolio)), Direction::Forward);
    found.map(|(key, _)| name_of(&key)).collect()
}

/// A project as the registry said it.
pub(crate) struct Mirrored {
    /// Encoded.
    pub(crate) project: Bytes,
    /// The day on which it was cancelled; none: it was not, or it is not known on which day.
    pub(crate) cancelled: Option<Date>,
}

/// The projects of a portfolio, from the one after this on; none of one that is deleted, or that an earlier version did
/// not keep.
pub(crate) fn under<'a>(
    rows: &'a dyn Read,
    portfolio: &PortfolioName,
    after: Option<&ProjectName>,
) -> impl Iterator<Item = Result<(ProjectName, Option<Mirrored>), DamagedRow>> + use<'a> {
    let after = after.map(|after| key::of_project(Table::Project, after));
    let range = KeyRange::prefix(&under_portfolio(portfolio));
    let found = rows.scan(&range.beyond(after.as_deref(), Direction::Forward), Direction::Forward);
    found.map(|(key, value)| Ok((name_of(&key)?, mirrored_in(&key, value)?)))
}

/// A project, encoded; none if it is not there, deleted, or an earlier version did not keep it.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn mirrored(rows: &dyn Read, name: &ProjectName) -> Result<Option<Bytes>, DamagedRow> {
    Ok(get(rows, name)?.map(|mirrored| mirrored.project))
}

/// A project; none if it is not there, deleted, or an earlier version did not keep it.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn get(rows: &dyn Read, name: &ProjectName) -> Result<Option<Mirrored>, DamagedRow> {
    let own = key::of_project(Table::Project, name);
    rows.get(&own).map(|value| mirrored_in(&own, value)).transpose().map(Option::flatten)
}

/// What is known of a project, which the registry said so last.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn known_of(
    rows: &dyn Read,
    name: &ProjectName,
    project: Bytes,
    ask: &Ask,
) -> Result<KnownProject, DamagedRow> {
    HISTORY.known(rows, name, project, ask)
}

/// A project that was mirrored, as a message.
///
/// # Errors
/// If it cannot be decoded.
pub(crate) fn decoded(name: &ProjectName, project: &Bytes) -> Result<Project, DamagedRow> {
    Project::decode(project.clone()).map_err(|error| damaged(name, error))
}

/// The row of a project that cannot be read.
fn damaged(name: &ProjectName, what: impl std::fmt::Display) -> DamagedRow {
    Table::Project.damaged(&key::of_project(Table::Project, name), what)
}

fn under_portfolio(portfolio: &PortfolioName) -> Vec<u8> {
    portfolio.ids().iter().fold(Key::of(Table::Project), Key::under).done()
}

fn name_of(key: &[u8]) -> Result<ProjectName, DamagedRow> {
    let name = key.split_first().and_then(|(_, ids)| key::name_of(ids));
    name.ok_or_else(|| Table::Project.damaged(key, "its key names no project"))
}

fn mirrored_in(key: &[u8], value: Bytes) -> Result<Option<Mirrored>, DamagedRow> {
    let stored = StoredProject::decode(value).map_err(|error| Table::Project.damaged(key, error))?;
    let cancelled = date(stored.cancelled_date.as_ref());
    Ok(stored.project.filter(|_| !stored.deleted).map(|project| Mirrored { project, cancelled }))
}

/// What the registry said of a project, as far as it counts as known; none if it is not there, or an earlier version did
/// not keep it.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn known(
    rows: &dyn Read,
    name: &ProjectName,
    ask: &Ask,
) -> Result<Option<KnownProject>, DamagedRow> {
    let own = key::of_project(Table::Project, name);
    let Some(value) = rows.get(&own) else { return Ok(None) };
    let stored = StoredProject::decode(value).map_err(|error| Table::Project.damaged(&own, error))?;
    stored.project.map(|project| HISTORY.known(rows, name, project, ask)).transpose()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};
    use milepost_proto::event::v1::Event;
    use milepost_proto::event::v1::event::Resource;
    use milepost_proto::figure::v1::Knowledge;
    use milepost_proto::google::r#type::Money;
    use milepost_proto::registry::v1::{AnnualPlan, CompletedInvestment, Period};
    use milepost_resource::date_message;
    use milepost_types::CurrencyCode;

    use super::*;
    use crate::command::Command;
    use crate::mirror::ProjectFact;
    use crate::source::SourceEntry;
    use crate::tests::registry::deleted;
    use crate::tests::{Registry, World};

    const ROAD: &str = "portfolios/wsc/projects/road";

    fn cny(units: i64) -> Option<Money> {
        Some(Money { currency_code: "CNY".into(), units, nanos: 0 })
    }

    /// As an entry of the registry leaves the project: what it completed in months of 2021, each with the day on which that
    /// was reported.
    fn road(sequence: u64, commit: &str, completed: &[(i8, i64, Option<Date>)]) -> Project {
        let completed = completed.iter().map(|(month, units, reported)| {
            let first = date(2021, *month, 1);
            let period = Period {
                start_date: Some(date_message(first)),
                end_date: Some(date_message(first.last_of_month())),
            };
            let reported_date = reported.map(date_message);
            CompletedInvestment { period: Some(period), amount: cny(*units), reported_date }
        });
        let time: jiff::Timestamp = commit.parse().unwrap();
        Project {
            name: ROAD.into(),
            purpose: "a long text".into(),
            annual_plans: vec![AnnualPlan {
                year: 2021,
                investment: cny(100),
                content: "another".into(),
                ..AnnualPlan::default()
            }],
            completed_investments: completed.collect(),
            update_time: Some(prost_types::Timestamp { seconds: time.as_second(), nanos: 0 }),
            etag: sequence.to_string(),
            ..Project::default()
        }
    }

    /// January was reported as 10 at once, and corrected to 12 in June; February was reported late, of which is said that it
    /// was in March.
    fn story() -> Vec<Project> {
        vec![
            road(2, "2021-02-01T01:00:00Z", &[(1, 10, None)]),
            // In Shanghai it is the 11th already.
            road(3, "2021-05-10T17:00:00Z", &[(1, 10, None), (2, 7, Some(date(2021, 3, 5)))]),
            road(4, "2021-06-01T01:00:00Z", &[(1, 12, None), (2, 7, Some(date(2021, 3, 5)))]),
        ]
    }

    fn followed() -> (World, Registry) {
        let (mut world, mut registry) = World::with_projects(&[]);
        for project in story() {
            let resource = Some(Resource::ProjectResource(project));
            world.ingest(registry.append(vec![("milepost.project.updated", resource)])).unwrap();
        }
        (world, registry)
    }

    fn completed(world: &World, knowledge: Knowledge, day: Date) -> i128 {
        let days = (date(2021, 1, 1), date(2021, 6, 30));
        let ask = Ask { day, knowledge, plan_year: 2021, days };
        let known = known(&world.rows, &ROAD.parse().unwrap(), &ask).unwrap().unwrap();
        let currency = CurrencyCode::stored("CNY").unwrap();
        known.completed(days, currency).nanos / 1_000_000_000
    }

    fn answers(world: &World) -> Vec<i128> {
        let of = |knowledge, month, day| completed(world, knowledge, date(2021, month, day));
        vec![
            of(Knowledge::Then, 1, 31),
            of(Knowledge::Then, 2, 1),
            of(Knowledge::Then, 3, 5),
            of(Knowledge::Then, 6, 1),
            of(Knowledge::ThenStrict, 3, 5),
            of(Knowledge::ThenStrict, 5, 10),
            of(Knowledge::ThenStrict, 5, 11),
            of(Knowledge::Latest, 1, 1),
        ]
    }

    /// office.md, section 0, Knowledge: THEN by reported dates, strict by commits, LATEST all; a commit has the day of
    /// the portfolio's zone.
    #[test]
    fn what_is_known_of_a_project_depends_on_the_day_and_the_knowledge() {
        let (world, _) = followed();
        assert_eq!(answers(&world), [0, 10, 17, 19, 10, 10, 17, 19]);
        let ask = Ask {
            day: date(2021, 2, 1),
            knowledge: Knowledge::Then,
            plan_year: 2021,
            days: (date(2021, 1, 1), date(2021, 12, 31)),
        };
        let known = known(&world.rows, &ROAD.parse().unwrap(), &ask).unwrap().unwrap();
        let currency = CurrencyCode::stored("CNY").unwrap();
        let plans = known.plans(date(2021, 12, 31), currency);
        assert_eq!(plans.investment, milepost_figures::Planned::Amount(100_000_000_000));
        let name: ProjectName = ROAD.parse().unwrap();
        let latest = decoded(&name, &mirrored(&world.rows, &name).unwrap().unwrap()).unwrap();
        assert_eq!((latest.purpose.as_str(), latest.annual_plans[0].content.as_str()), ("", ""));
        assert_eq!((known.start(), known.end(), known.enrolment()), (None, None, None));
        let straddling = known.completed((date(2021, 1, 15), date(2021, 12, 31)), currency);
        assert_eq!((straddling.nanos, straddling.straddling), (0, 1), "STRADDLES, never split");
        assert_eq!(world.rebuilt(), world.rows);
    }

    /// office.md, section 0: a tracker with an older journal follows the registry again from 0.
    #[test]
    fn what_was_reported_before_an_upgrade_is_known_as_if_it_had_been_followed() {
        let (world, mut registry) = followed();
        let gone = deleted(Resource::ProjectResource(Project { etag: "5".into(), ..story().remove(2) }));
        let mut old = World::with_projects(&[]).0;
        let last = registry.append(vec![("milepost.project.deleted", Some(gone))]);
        let mut said: Vec<_> =
            (2..=4).flat_map(|sequence| registry.source_entry(sequence).projects).collect();
        said.extend(last.projects.clone());
        for sequence in 2..=5 {
            let mut entry = registry.source_entry(sequence);
            entry.projects.iter_mut().for_each(|fact| fact.project = None);
            old.ingest(entry).unwrap();
        }
        let ask = Ask {
            day: date(2021, 6, 1),
            knowledge: Knowledge::Latest,
            plan_year: 2021,
            days: (date(2021, 1, 1), date(2021, 6, 30)),
        };
        let name: ProjectName = ROAD.parse().unwrap();
        assert!(known(&old.rows, &name, &ask).unwrap().is_none());
        mirror_version_of_before(&mut old);
        let refollow = |projects: Vec<_>| Command::UpgradeMirror {
            position: registry.tail(),
            portfolios: Vec::new().into(),
            projects: projects.into(),
            assignments: Vec::new().into(),
            is_last: false,
        };
        // It is interrupted, and begins again.
        old.submit(refollow(said[..2].to_vec())).unwrap();
        assert_eq!(is_deleted(&old.rows, name.ids()).unwrap(), Some(true), "it never is as it was once");
        let rows = old.rows.clone();
        old.submit(refollow(said[..2].to_vec())).unwrap();
        assert_eq!(old.rows, rows);
        old.submit(refollow(said)).unwrap();
        assert_eq!(answers(&old), answers(&world));
        assert_eq!(is_deleted(&old.rows, name.ids()).unwrap(), Some(true));
    }

    /// A later entry does not say it again, and an earlier version of the tracker did not keep it.
    #[test]
    fn the_day_on_which_a_project_was_cancelled_stays_and_is_known_after_an_upgrade() {
        let (mut world, mut registry) = World::with_projects(&[]);
        let mut old = World::with_projects(&[]).0;
        let day = date(2021, 6, 20);
        let cancelled = |sequence| Project {
            status: Status::Cancelled.into(),
            ..road(sequence, "2021-07-01T01:00:00Z", &[(1, 12, None)])
        };
        let mut said = Vec::new();
        for (kind, project, event_date) in [
            ("milepost.project.updated", road(2, "2021-02-01T01:00:00Z", &[(1, 10, None)]), None),
            ("milepost.project.cancelled", cancelled(3), Some(date_message(day))),
            ("milepost.project.updated", cancelled(4), None),
        ] {
            let resource = Some(Resource::ProjectResource(project));
            let event = Event { r#type: kind.to_owned(), event_date, resource, ..Event::default() };
            let entry = registry.append_events(vec![event]);
            said.extend(entry.projects.clone());
            world.ingest(entry.clone()).unwrap();
            let as_before =
                |fact: &ProjectFact| ProjectFact { project: None, cancelled: None, ..fact.clone() };
            let projects = entry.projects.iter().map(as_before).collect();
            old.ingest(SourceEntry { projects, ..entry }).unwrap();
        }
        let name: ProjectName = ROAD.parse().unwrap();
        let day_of = |world: &World| get(&world.rows, &name).unwrap().map(|kept| kept.cancelled);
        assert_eq!((day_of(&world), day_of(&old)), (Some(Some(day)), None));
        mirror_version_of_before(&mut old);
        old.submit(Command::UpgradeMirror {
            position: registry.tail(),
            portfolios: Vec::new().into(),
            projects: said.into(),
            assignments: Vec::new().into(),
            is_last: false,
        })
        .unwrap();
        assert_eq!(day_of(&old), Some(Some(day)));
        assert_eq!(world.rebuilt(), world.rows);
    }

    /// As an earlier version of the tracker left the rows.
    fn mirror_version_of_before(world: &mut World) {
        crate::tables::mirror_version::put(&mut world.rows, 2);
    }
}

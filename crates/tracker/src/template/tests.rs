//! Templates and their versions: what may be drafted, what is published, and what is refused, all at once; what they make
//! stands in the rooms.

mod applying;
mod coupled;
mod ending;
mod fixed;
mod joining;
mod late;
mod settled;
mod together;

use jiff::civil::{Date, date};
use milepost_proto::event::v1::Event;
use milepost_proto::tracker::v1::milestone::Gate;
use milepost_proto::tracker::v1::template_item::Anchor;
use milepost_proto::tracker::v1::template_offset::Unit;
use milepost_proto::tracker::v1::template_version::State;
use milepost_proto::tracker::v1::{
    CreateTemplateRequest, CreateTemplateVersionRequest, Milestone, MilestoneValidity, Template,
    TemplateItem, TemplateOffset, TemplateRequirement, TemplateVersion, UpdateTemplateVersionRequest,
};
use milepost_resource::{Custom, Name, Run, Standard, Target, date_message, read_create, read_update};
use milepost_types::{Rejection, Violations};

use super::*;
use crate::milestone::{StateChange, StateReport, change_state};
use crate::names::{MilestoneName, ProjectName};
use crate::tests::world::{Action, World, command, kinds};

/// Before the reform that joins three approvals, and the day of it.
const OLD: Date = date(2019, 1, 1);
const REFORM: Date = date(2020, 7, 1);

/// When the project `road` is planned to start and to end.
const DAYS: ProjectDays =
    ProjectDays { start: None, planned_start: Some(date(2021, 3, 1)), planned_end: Some(date(2022, 2, 28)) };
/// What a request says that gives these.
const GIVEN: Dates = Dates { days: DAYS, allow_undated: false };

fn road() -> ProjectName {
    "portfolios/wsc/projects/road".parse().unwrap()
}

/// The milestone of the project `road` that an item is.
fn made(id: &str) -> MilestoneName {
    format!("portfolios/wsc/projects/road/milestones/{id}").parse().unwrap()
}

/// The kinds and the last of the subjects of events.
fn said(events: &[Event]) -> Vec<(&str, &str)> {
    let subject = |event: &'_ Event| event.subject.rsplit_once('/').map_or(0, |(before, _)| before.len() + 1);
    kinds(events).into_iter().zip(events.iter().map(|event| &event.subject[subject(event)..])).collect()
}

fn template() -> Name<Template> {
    "portfolios/wsc/templates/gov".parse().unwrap()
}

fn version(id: &str) -> Name<TemplateVersion> {
    format!("portfolios/wsc/templates/gov/versions/{id}").parse().unwrap()
}

pub(super) fn item(id: &str) -> TemplateItem {
    TemplateItem { id: id.into(), display_name: id.into(), ..TemplateItem::default() }
}

pub(super) fn satisfying(id: &str, codes: &[&str]) -> TemplateItem {
    let requirement = |code: &&str| TemplateRequirement { code: code.to_string(), validity_months: 0 };
    TemplateItem { satisfies: codes.iter().map(requirement).collect(), ..item(id) }
}

/// An item whose date is so far from an anchor.
pub(super) fn dated(item: TemplateItem, anchor: Anchor, n: i32, unit: Unit) -> TemplateItem {
    let offset = Some(TemplateOffset { n, unit: unit.into() });
    TemplateItem { anchor: anchor.into(), offset, ..item }
}

/// An item whose date is so far from another item's.
pub(super) fn after(item: TemplateItem, other: &str, n: i32, unit: Unit) -> TemplateItem {
    TemplateItem { anchor_item: other.into(), ..dated(item, Anchor::Item, n, unit) }
}

fn from(day: Date, items: Vec<TemplateItem>) -> TemplateVersion {
    TemplateVersion {
        display_name: "版本".into(),
        in_force_from: Some(date_message(day)),
        items,
        ..TemplateVersion::default()
    }
}

/// The fields and reasons of what is refused as invalid.
fn faults(rejection: Rejection) -> Vec<(String, &'static str)> {
    let Rejection::Invalid(violations) = rejection else { panic!("{rejection}") };
    violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

/// The kinds and subjects of the conditions that do not hold.
fn unmet(rejection: Rejection) -> Vec<(&'static str, String)> {
    let Rejection::Preconditions(conditions) = rejection else { panic!("{rejection}") };
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    conditions.iter().map(|condition| (condition.kind, last(&condition.subject))).collect()
}

impl World {
    /// One with the project `road` and the template `gov`, on 13 May 2021.
    fn with_template() -> Self {
        let (mut world, _) = World::with_projects(&["road", "tower"]);
        world.create_template("gov").unwrap();
        world
    }

    fn create_template(&mut self, id: &str) -> Result<Vec<Event>, Rejection> {
        let request = CreateTemplateRequest {
            parent: "portfolios/wsc".into(),
            template_id: id.into(),
            template: Some(Template { display_name: "政府投资项目".into(), ..Template::default() }),
            ..CreateTemplateRequest::default()
        };
        self.read_and_submit(|violations| {
            read_create::<Tracker, Template>(request, violations, Violations::new())
        })
    }

    fn draft_version(&mut self, id: &str, given: TemplateVersion) -> Result<Vec<Event>, Rejection> {
        let request = CreateTemplateVersionRequest {
            parent: template().to_string(),
            template_version_id: id.into(),
            template_version: Some(given),
            ..CreateTemplateVersionRequest::default()
        };
        self.read_and_submit(|violations| {
            read_create::<Tracker, TemplateVersion>(request, violations, Violations::new())
        })
    }

    fn publish_version(&mut self, id: &str, day: Option<Date>) -> Result<Vec<Event>, Rejection> {
        let target = Target { name: version(id), etag: None };
        self.submit(command(Custom::act(target, day, publish as Run<_, _, _>)))
    }

    /// A version that is in force from a day on.
    fn version_in_force(&mut self, id: &str, day: Date, items: Vec<TemplateItem>) {
        self.draft_version(id, from(day, items)).unwrap();
        self.publish_version(id, None).unwrap();
    }

    /// Applies the template to the project `road`, which is planned to start on 1 March 2021 and to end a year later.
    fn apply(&mut self, day: Option<Date>) -> Result<Vec<Event>, Rejection> {
        self.apply_by(day, GIVEN)
    }

    /// The same, on these dates.
    fn apply_by(&mut self, day: Option<Date>, dates: Dates) -> Result<Vec<Event>, Rejection> {
        let application = Application { project: road(), which: day, dates };
        let target = Target { name: template(), etag: None };
        self.submit(command(Custom::act(target, application, apply as Run<_, _, _>)))
    }

    /// Brings the project `road` up to a version.
    fn upgrade(&mut self, id: &str) -> Result<Vec<Event>, Rejection> {
        self.upgrade_by(id, GIVEN)
    }

    /// The same, on these dates.
    fn upgrade_by(&mut self, id: &str, dates: Dates) -> Result<Vec<Event>, Rejection> {
        self.upgrade_on(id, None, dates)
    }

    /// The same, on a day.
    fn upgrade_on(&mut self, id: &str, date: Option<Date>, dates: Dates) -> Result<Vec<Event>, Rejection> {
        let which = Which { version: version(id), date, reported: None };
        let application = Application { project: road(), which, dates };
        let target = Target { name: template(), etag: None };
        self.submit(command(Custom::act(target, application, upgrade as Run<_, _, _>)))
    }

    /// The milestone of the project `road` that an item is.
    fn made(&self, id: &str) -> Milestone {
        self.milestone(&made(id))
    }

    /// Has a milestone be achieved on a day.
    fn achieve(&mut self, id: &str, day: Date) -> Result<Vec<Event>, Rejection> {
        self.act(made(id), Action::Achieve { actual: Some(day), reason: String::new() })
    }

    fn reopen(&mut self, id: &str) -> Result<Vec<Event>, Rejection> {
        self.act(made(id), Action::Reopen { reason: "有误".into() })
    }

    /// Each requirement of the project `road` that is satisfied on a day: by which milestone, and until when.
    fn satisfied(&self, day: Option<Date>) -> Vec<(String, String, Option<Date>)> {
        let query = RequirementQuery { project: road(), date: day, size: 1_000, after: None };
        let rows = milepost_resource::Rows::<Tracker>::new(&self.rows);
        let (found, next) = page(&rows, self.now, &query).unwrap();
        assert_eq!(next, None);
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let satisfied = found.iter().filter(|found| found.satisfied);
        satisfied
            .map(|found| {
                (
                    found.code.clone(),
                    last(&found.milestone),
                    milepost_resource::date(found.valid_until.as_ref()),
                )
            })
            .collect()
    }

    /// The codes that a milestone satisfies now.
    fn codes(&self, id: &str) -> Vec<String> {
        let satisfied = |code: &(String, String, Option<Date>)| (code.1 == id).then(|| code.0.clone());
        self.satisfied(None).iter().filter_map(satisfied).collect()
    }

    fn stored_version(&self, id: &str) -> TemplateVersion {
        milepost_resource::Rows::<Tracker>::new(&self.rows).get(&version(id)).unwrap().unwrap().into_inner()
    }
}

#[test]
fn a_version_is_drafted_changed_published_and_then_fixed() {
    let mut world = World::with_template();
    let created = world.draft_version("v1", from(OLD, vec![item("eia")])).unwrap();
    assert_eq!(kinds(&created), ["template_version.created"]);
    let update = |display_name: &str| UpdateTemplateVersionRequest {
        template_version: Some(TemplateVersion {
            name: version("v1").to_string(),
            display_name: display_name.into(),
            ..TemplateVersion::default()
        }),
        ..UpdateTemplateVersionRequest::default()
    };
    let read = |request| {
        move |violations: &mut Violations| read_update::<Tracker, TemplateVersion>(request, violations)
    };
    world.read_and_submit(read(update("初版"))).unwrap();
    let future = world.publish_version("v1", Some(date(2021, 5, 14))).unwrap_err();
    assert_eq!(faults(future), [("publish_date".to_owned(), "DATE_IN_FUTURE")]);
    let published = world.publish_version("v1", Some(date(2021, 5, 1))).unwrap();
    assert_eq!(kinds(&published), ["template.version_published"]);
    let stored = world.stored_version("v1");
    assert_eq!(
        (stored.state(), stored.publish_date),
        (State::Published, Some(date_message(date(2021, 5, 1))))
    );
    for refused in [
        world.read_and_submit(read(update("改"))).unwrap_err(),
        world.publish_version("v1", None).unwrap_err(),
        world
            .submit(command(Box::new(Standard::<TemplateVersion>::Delete(Target {
                name: version("v1"),
                etag: None,
            }))))
            .unwrap_err(),
    ] {
        assert!(matches!(refused, Rejection::WrongState { .. }), "{refused}");
    }
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_day_is_taken_once_in_a_template_and_free_again_with_a_deletion() {
    let mut world = World::with_template();
    world.draft_version("v1", from(OLD, vec![item("eia")])).unwrap();
    let taken = world.draft_version("v2", from(OLD, vec![item("eia")])).unwrap_err();
    assert_eq!(unmet(taken), [("IN_FORCE_FROM_TAKEN", "v1".to_owned())]);
    let target = || Target { name: version("v1"), etag: None };
    let template_target = || Target { name: template(), etag: None };
    let used = world.submit(command(Box::new(Standard::Delete(template_target())))).unwrap_err();
    assert_eq!(unmet(used), [("HAS_VERSIONS", "v1".to_owned())]);
    world.submit(command(Box::new(Standard::Delete(target())))).unwrap();
    world.draft_version("v2", from(OLD, vec![item("eia")])).unwrap();
    let taken = world.submit(command(Box::new(Standard::Undelete(target())))).unwrap_err();
    assert_eq!(unmet(taken), [("IN_FORCE_FROM_TAKEN", "v2".to_owned())]);
}

#[test]
fn every_fault_of_the_items_is_named_at_once_and_nothing_is_drafted() {
    let mut world = World::with_template();
    let days = Unit::CalendarDays;
    let validity =
        MilestoneValidity { until_type: "never".into(), extensions: 1, ..MilestoneValidity::default() };
    let items = vec![
        after(item("a"), "b", 1, days),
        after(item("b"), "c", 1, days),
        after(item("c"), "a", 1, days),
        after(item("d"), "nobody", 1, days),
        item("a"),
        item("Upper"),
        TemplateItem { gate: Gate::Bundled.into(), members: vec!["a".into()], ..item("e") },
        TemplateItem { gate: Gate::Merged.into(), members: vec!["a".into()], ..satisfying("f", &["x"]) },
        TemplateItem { coupling: "alone".into(), ..item("g") },
        TemplateItem {
            coupling: "land".into(),
            ..dated(satisfying("h", &["x"]), Anchor::PlannedStart, 1, days)
        },
        TemplateItem {
            coupling: "land".into(),
            ..dated(satisfying("i", &["x"]), Anchor::PlannedStart, 2, days)
        },
        TemplateItem { validity: Some(validity), ..item("j") },
        dated(item("k"), Anchor::Unspecified, 1, Unit::Months),
        dated(item("l"), Anchor::PlannedEnd, 1_201, Unit::Months),
        TemplateItem { anchor: Anchor::Item.into(), ..satisfying("m", &["x", "x", "No code"]) },
        TemplateItem { gate: Gate::Bundled.into(), members: vec!["e".into(), "z".into()], ..item("n") },
    ];
    let rows = world.rows.clone();
    let mut found = faults(world.draft_version("v1", from(OLD, items)).unwrap_err());
    found.sort();
    let mut expected = [
        ("items[0].anchor_item", "ANCHOR_CYCLE"),
        ("items[1].anchor_item", "ANCHOR_CYCLE"),
        ("items[2].anchor_item", "ANCHOR_CYCLE"),
        ("items[3].anchor_item", "UNKNOWN_ITEM"),
        ("items[4].id", "DUPLICATE"),
        ("items[5].id", "INVALID_ID"),
        ("items[6].members", "TOO_FEW"),
        ("items[7].satisfies", "TOO_FEW"),
        ("items[7].members", "NOT_ALLOWED"),
        ("items[8].coupling", "TOO_FEW"),
        ("items[10].coupling", "COUPLED_APART"),
        ("items[10].coupling", "DUPLICATE"),
        ("items[11].validity.until_type", "UNKNOWN_TYPE"),
        ("items[11].validity.months", "REQUIRED"),
        ("items[11].validity.extension_months", "REQUIRED"),
        ("items[12].offset", "NOT_ALLOWED"),
        ("items[13].offset.n", "OUT_OF_RANGE"),
        ("items[14].anchor_item", "REQUIRED"),
        ("items[14].satisfies[1].code", "DUPLICATE"),
        ("items[14].satisfies[2].code", "INVALID_ID"),
        ("items[15].members[0]", "GATE_AS_MEMBER"),
        ("items[15].members[1]", "UNKNOWN_ITEM"),
    ]
    .map(|(field, reason)| (format!("template_version.{field}"), reason));
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(world.rows, rows);
}

#[test]
fn a_circle_is_said_with_its_way_and_what_leads_into_it_is_not_in_it() {
    let mut violations = Violations::new();
    let days = Unit::WorkingDays;
    let items =
        [after(item("x"), "a", 1, days), after(item("a"), "b", 1, days), after(item("b"), "a", 1, days)];
    super::items::check_items(&items, &mut violations);
    let said: Vec<_> =
        violations.iter().map(|found| (found.field.as_str(), found.description.as_str())).collect();
    let circle = "a -> b -> a is a circle; count one of them from something else";
    assert_eq!(said, [("items[1].anchor_item", circle), ("items[2].anchor_item", circle)]);
    let mut violations = Violations::new();
    super::items::check_items(&[after(item("a"), "a", 0, days)], &mut violations);
    assert_eq!(violations.iter().map(|found| found.reason).collect::<Vec<_>>(), ["ANCHOR_CYCLE"]);
}

#[test]
fn the_start_of_a_project_is_neither_coupled_nor_a_licence_for_others() {
    let mut violations = Violations::new();
    let start = |id: &str| TemplateItem { r#type: "constructionStart".into(), ..item(id) };
    let items = [
        TemplateItem { coupling: "land".into(), ..start("a") },
        TemplateItem { coupling: "land".into(), ..item("b") },
        TemplateItem { gate: Gate::Bundled.into(), members: vec!["a".into(), "b".into()], ..start("c") },
    ];
    super::items::check_items(&items, &mut violations);
    let found: Vec<_> = violations.iter().map(|found| (found.field.as_str(), found.reason)).collect();
    assert_eq!(
        found,
        [("items[2].gate", "STARTED_BY_REGISTRY"), ("items[0].coupling", "STARTED_BY_REGISTRY")]
    );
}

#[test]
fn items_are_as_many_and_as_large_as_fit() {
    let mut world = World::with_template();
    let all: Vec<_> = (0..500).map(|i| item(&format!("i{i}"))).collect();
    world.draft_version("v1", from(OLD, all.clone())).unwrap();
    let more = [all.clone(), vec![item("more")]].concat();
    let refused = faults(world.draft_version("v2", from(REFORM, more)).unwrap_err());
    assert!(refused.iter().any(|(field, _)| field == "template_version.items"), "{refused:?}");
    let title = |n: usize| format!("{n:03}{}", "证".repeat(190));
    let large = |mut item: TemplateItem| {
        item.required_evidence = (0..3).map(title).collect();
        item
    };
    let large: Vec<_> = all.into_iter().map(large).collect();
    let refused = faults(world.draft_version("v2", from(REFORM, large)).unwrap_err());
    assert_eq!(refused, [("template_version.items".to_owned(), "TOO_LARGE")]);
    let refused = faults(world.draft_version("v2", from(REFORM, Vec::new())).unwrap_err());
    assert_eq!(refused, [("template_version.items".to_owned(), "REQUIRED")]);
}

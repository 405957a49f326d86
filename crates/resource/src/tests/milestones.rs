//! What milestones ask of the crate: an order by the first date there is, conditional indexes, fields that methods
//! change, announcements, and rows of an earlier version.

use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::Project;
use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::*;
use milepost_types::limits;
use proptest::prelude::*;

use super::lists::{model, stored};
use super::office::{DUE, Office, PLANNED};
use super::world::{World, faults, instant, page, pages, project};
use crate::date;
use crate::index::RowView;

const PROJECT: &str = "portfolios/a/projects/x";

fn day(day: i32) -> gtype::Date {
    gtype::Date { year: 2021, month: 5, day }
}

pub(super) fn milestone(project: &str, id: &str, baseline: Option<i32>, forecast: Option<i32>) -> Milestone {
    Milestone {
        name: format!("{project}/milestones/{id}"),
        display_name: "n".to_owned(),
        baseline_date: baseline.map(day),
        forecast_date: forecast.map(day),
        state: State::Planned.into(),
        r#type: "t".to_owned(),
        create_time: instant(0),
        ..Milestone::default()
    }
}

fn request(milestone: Milestone) -> CreateMilestoneRequest {
    CreateMilestoneRequest {
        parent: PROJECT.to_owned(),
        milestone_id: "m".to_owned(),
        milestone: Some(milestone),
        ..CreateMilestoneRequest::default()
    }
}

fn update(milestone: Milestone, paths: &[&str]) -> UpdateMilestoneRequest {
    let paths = paths.iter().map(ToString::to_string).collect();
    UpdateMilestoneRequest {
        milestone: Some(milestone),
        update_mask: Some(prost_types::FieldMask { paths }),
        ..UpdateMilestoneRequest::default()
    }
}

/// The first date there is; what has none comes last.
fn due(milestone: &Milestone) -> (bool, Option<Date>) {
    let due = date(milestone.forecast_date.as_ref()).or_else(|| date(milestone.baseline_date.as_ref()));
    (due.is_none(), due)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn pages_by_the_first_date_there_is_are_the_list(
        some in prop::collection::vec(
            (0..2usize, 0..2usize, 0..4usize, prop::option::of(1..4i32), prop::option::of(1..4i32)),
            0..20,
        ),
        (parent, under) in prop::sample::select(vec![
            (PROJECT, "portfolios/a/projects/x/"),
            ("portfolios/a/projects/-", "portfolios/a/"),
            ("portfolios/-/projects/-", ""),
        ]),
        (order, descending) in (prop::sample::select(vec!["forecast_date", "display_name"]), any::<bool>()),
        page_size in 1..6i32,
    ) {
        let mut world = stored(&[project("a", "x")]);
        for (portfolio, project, id, baseline, forecast) in some {
            let project = format!("portfolios/{}/projects/{}", ["a", "a-b"][portfolio], ["x", "x-y"][project]);
            let display_name = ["n", "nn", "o"][(baseline.unwrap_or(0) % 3) as usize].to_owned();
            let put = milestone(&project, ["a", "a-b", "b", "ab"][id], baseline, forecast);
            world.put(&Milestone { display_name, ..put });
        }
        let listed = pages::<Milestone>(&world.rows, |page_token| ListMilestonesRequest {
            parent: parent.to_owned(),
            order_by: format!("{order}{}", if descending { " desc" } else { "" }),
            page_size,
            page_token,
            ..ListMilestonesRequest::default()
        });
        let order_of = |one: &Milestone| match order {
            "display_name" => (String::clone(&one.display_name), (false, None)),
            _ => (String::new(), due(one)),
        };
        prop_assert_eq!(listed, model(&world.rows, under, |_: &Milestone| true, order_of, descending));
    }
}

#[test]
fn a_list_goes_on_in_its_order_when_its_parent_gets_too_large_to_be_sorted() {
    let mut world = stored(&[project("a", "x"), project("a", "y")]);
    let put = |world: &mut World, ids: std::ops::Range<usize>| {
        for i in ids {
            let id = format!("m{i:05}");
            world.put(&milestone(PROJECT, &id, Some((i % 28) as i32 + 1), None));
        }
    };
    put(&mut world, 0..limits::PAGE_ROWS);
    world.put(&milestone("portfolios/a/projects/y", "between", Some(1), None));
    let mut request = ListMilestonesRequest {
        parent: PROJECT.to_owned(),
        order_by: "forecast_date".to_owned(),
        page_size: 1000,
        ..ListMilestonesRequest::default()
    };
    let (first, token) = page::<Milestone>(&world.rows, &request).unwrap();
    assert_eq!((first.resources.len(), first.scanned), (1000, 1000), "it was sorted");
    put(&mut world, limits::PAGE_ROWS..limits::PAGE_ROWS + 50);
    request.page_token = token;
    let mut names: Vec<String> = first.resources.iter().map(named).collect();
    while !request.page_token.is_empty() {
        let (next, token) = page::<Milestone>(&world.rows, &request).unwrap();
        names.extend(next.resources.iter().map(named));
        request.page_token = token;
    }
    let all = std::collections::BTreeSet::from_iter(&names);
    assert_eq!(all.len(), names.len(), "none twice");
    assert!(names.len() > limits::PAGE_ROWS, "{}", names.len());
    assert!(names.iter().all(|name| name.starts_with(PROJECT)));
}

pub(super) fn named(row: &bytes::Bytes) -> String {
    <Milestone as prost::Message>::decode(row.clone()).unwrap().name
}

#[test]
fn keys_by_the_first_date_and_under_conditions_are_these_bytes() {
    let keys = |milestone: &Milestone| {
        let row = prost::Message::encode_to_vec(milestone);
        RowView::of(&row).unwrap().keys::<Office, Milestone>(&milestone.name.parse().unwrap()).unwrap()
    };
    let planned = milestone(PROJECT, "m", Some(27), None);
    assert_eq!(keys(&planned)[..2], [&b"\x1ba\0\x07\xe5\x05\x1bx\0m"[..], b"\x1ca\0\x07\xe5\x05\x1bx\0m"]);
    let late = milestone(PROJECT, "m", Some(27), Some(30));
    assert_eq!(keys(&late)[..2], [&b"\x1ba\0\x07\xe5\x05\x1ex\0m"[..], b"\x1ca\0\x07\xe5\x05\x1bx\0m"]);
    let bare = milestone(PROJECT, "m", None, None);
    assert_eq!(keys(&bare)[0], b"\x1ba\0\xff\xff\xff\xffx\0m");
    let tags = |milestone: &Milestone| keys(milestone).iter().map(|key| key[0]).collect::<Vec<_>>();
    let [due, planned_by_baseline] = [DUE.tag, PLANNED.tag];
    assert_eq!(tags(&planned), [due, planned_by_baseline, 29]);
    assert_eq!(tags(&bare), [due, 29], "without a baseline");
    assert_eq!(
        tags(&Milestone { state: State::Achieved.into(), ..planned.clone() }),
        [due, 29],
        "not planned"
    );
    assert_eq!(tags(&Milestone { delete_time: instant(1), ..planned }), [due, 29], "deleted");
}

#[test]
fn what_methods_change_is_checked_at_creation_before_the_rest_and_only_repeated_by_an_update() {
    let mut world = World::with_project();
    let wrong =
        Milestone { baseline_date: Some(day(32)), forecast_date: Some(day(0)), ..Milestone::default() };
    let found = faults(world.create::<Milestone>(request(wrong.clone())));
    let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["milestone.baseline_date", "milestone.forecast_date", "milestone.display_name"]);

    world.create::<Milestone>(request(milestone(PROJECT, "m", Some(27), None))).unwrap();
    let name = format!("{PROJECT}/milestones/m");
    let named = |baseline, forecast| milestone(PROJECT, "m", baseline, forecast);
    let found = faults(world.update::<Milestone>(update(Milestone { name: name.clone(), ..wrong }, &["*"])));
    let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["milestone.display_name", "milestone.baseline_date", "milestone.forecast_date"]);
    let changed = update(named(Some(28), Some(29)), &[]);
    assert_eq!(
        faults(world.update::<Milestone>(changed)),
        [
            ("milestone.baseline_date".to_owned(), "CHANGED_BY_METHOD"),
            ("milestone.forecast_date".to_owned(), "CHANGED_BY_METHOD"),
        ]
    );
    // What it repeats is no change, what the mask leaves out is not looked at, and what is absent stays.
    assert_eq!(world.update::<Milestone>(update(named(Some(27), None), &[])).unwrap(), []);
    let other = Milestone { code: "c".to_owned(), ..named(Some(28), Some(32)) };
    assert_eq!(world.update::<Milestone>(update(other, &["code"])).unwrap()[0].changed_fields, ["code"]);
    let cleared = Milestone { baseline_date: None, ..named(None, None) };
    world.update::<Milestone>(update(cleared, &["*"])).unwrap();
    assert_eq!(world.get::<Milestone>(&name).unwrap().baseline_date, Some(day(27)));
}

#[test]
fn numbers_have_bounds_and_members_that_are_unique_are_given_once() {
    let mut world = World::with_project();
    let titles = ["", "x", "x", " y"].map(str::to_owned).into();
    let wrong = Milestone {
        weight: Some(-1),
        required_evidence: titles,
        duration_working_days: 10_001,
        ..milestone(PROJECT, "m", None, None)
    };
    let found = faults(world.create::<Milestone>(request(wrong)));
    assert_eq!(
        found,
        [
            ("milestone.weight".to_owned(), "OUT_OF_RANGE"),
            ("milestone.required_evidence[0]".to_owned(), "REQUIRED"),
            ("milestone.required_evidence[2]".to_owned(), "DUPLICATE"),
            ("milestone.required_evidence[3]".to_owned(), "SURROUNDING_BLANK"),
            ("milestone.duration_working_days".to_owned(), "OUT_OF_RANGE"),
        ]
    );
    let most = Milestone {
        weight: Some(1_000_000),
        duration_working_days: 10_000,
        ..milestone(PROJECT, "m", None, None)
    };
    world.create::<Milestone>(request(most)).unwrap();
}

#[test]
fn an_announcement_comes_right_after_its_change_names_it_and_is_not_answered_twice() {
    let mut world = World::with_project();
    let remarked = Milestone { remarks: "r".to_owned(), ..milestone(PROJECT, "m", None, None) };
    let events = world.create::<Milestone>(request(remarked)).unwrap();
    let types: Vec<_> = events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, ["milepost.milestone.created", "milepost.milestone.outlook_changed"]);
    assert_eq!(events[1].caused_by, events[0].event_id);
    assert_eq!(events[1].changed_fields, ["remarks"]);
    assert_eq!(events[0].resource, events[1].resource);
    let encoded: Vec<bytes::Bytes> =
        events.iter().map(|event| prost::Message::encode_to_vec(event).into()).collect();
    assert_eq!(crate::event::resources_of(&encoded).len(), 1);
    // What follows of another kind is no answer.
    let other = milepost_proto::event::v1::Event {
        resource: Some(milepost_proto::resource::Resource::into_event(super::world::portfolio("a"))),
        ..Default::default()
    };
    let encoded = [encoded, vec![prost::Message::encode_to_vec(&other).into()]].concat();
    assert_eq!(crate::event::resources_of(&encoded).len(), 1);
}

#[test]
fn what_an_earlier_version_stored_is_read_filtered_and_changed_as_this_one_has_it() {
    let mut world = World::with_project();
    let name = format!("{PROJECT}/milestones/m");
    world.put(&Milestone {
        r#type: String::new(),
        etag: "1".to_owned(),
        ..milestone(PROJECT, "m", None, None)
    });
    assert_eq!(world.get::<Milestone>(&name).unwrap().r#type, "old");
    let listed = |filter: &str| {
        pages::<Milestone>(&world.rows, |page_token| ListMilestonesRequest {
            parent: PROJECT.to_owned(),
            filter: filter.to_owned(),
            page_token,
            ..ListMilestonesRequest::default()
        })
    };
    assert_eq!(listed("type = old").iter().map(|one| one.r#type.as_str()).collect::<Vec<_>>(), ["old"]);
    assert_eq!(listed("type = t"), []);
    let shown = crate::command::shown::<Office, Milestone>(
        &crate::Rows::new(&world.rows),
        super::world::now(),
        &name.parse().unwrap(),
    );
    let shown = <Milestone as prost::Message>::decode(shown.unwrap().unwrap()).unwrap();
    assert_eq!(shown.r#type, "old");
    let code = Milestone { code: "c".to_owned(), ..milestone(PROJECT, "m", None, None) };
    let events = world.update::<Milestone>(update(code, &["code"])).unwrap();
    assert_eq!(events[0].changed_fields, ["code"], "that it was completed is no change");
}

#[test]
fn what_is_under_a_parent_is_read_from_a_name_on() {
    let mut world = World::with_project();
    for id in ["a", "b", "c"] {
        world.put(&milestone(PROJECT, id, None, None));
    }
    world.put(&milestone("portfolios/a/projects/x-y", "a", None, None));
    let rows = crate::Rows::<Office>::new(&world.rows);
    let ids = |under: &[&str], after: Option<&str>| {
        let under: Vec<_> = under.iter().map(|id| id.parse().unwrap()).collect();
        let after = after.map(|id| format!("{PROJECT}/milestones/{id}").parse().unwrap());
        let found = rows.under::<Milestone>(&under, after.as_ref());
        found.map(|one| one.unwrap().0.to_string().replace("portfolios/a/projects/", "")).collect::<Vec<_>>()
    };
    assert_eq!(ids(&["a", "x"], None), ["x/milestones/a", "x/milestones/b", "x/milestones/c"]);
    assert_eq!(ids(&["a", "x"], Some("a")), ["x/milestones/b", "x/milestones/c"]);
    assert_eq!(ids(&["a"], Some("c")), ["x-y/milestones/a"]);
    assert_eq!(rows.under::<Project>(&[], None).count(), 1);
}

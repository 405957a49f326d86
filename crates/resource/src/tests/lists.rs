//! Every list against a plain model: the same resources, chosen and sorted by hand.

use milepost_proto::registry::v1::*;
use proptest::prelude::*;

use super::rows::Rows;
use super::world::{World, batch, instant, name, pages, phase, portfolio, project};
use crate::{Rules, date};

const PORTFOLIOS: [&str; 3] = ["a", "a-b", "b"];
const IDS: [&str; 5] = ["x", "x-y", "y", "y1", "z"];
const NAMES: [&str; 5] = ["名", "名称", "n", "na", "nb"];

/// A filter, as text and as what it means.
#[derive(Debug, Clone)]
pub(super) enum Choice {
    Status(i32),
    OtherStatus(i32),
    DisplayName(&'static str),
    NameBegins(&'static str),
    Called(&'static str),
    Begins(&'static str),
    PartOf(&'static str),
    Key,
    Since(i64),
    Not(Box<Choice>),
    All(Vec<Choice>),
    Any(Vec<Choice>),
}

const STATUSES: [&str; 4] = ["", "STATUS_PROPOSED", "STATUS_PREPARATION", "STATUS_CONSTRUCTION"];

impl Choice {
    pub(super) fn text(&self) -> String {
        let joined = |all: &[Choice], word: &str| {
            let each: Vec<_> = all.iter().map(Choice::text).collect();
            format!("({})", each.join(word))
        };
        match self {
            Choice::Status(status) => format!("status = {}", STATUSES[usize::try_from(*status).unwrap()]),
            Choice::OtherStatus(status) => {
                format!("status != {}", STATUSES[usize::try_from(*status).unwrap()])
            }
            Choice::DisplayName(name) => format!("display_name = \"{name}\""),
            Choice::NameBegins(name) => format!("display_name = \"{name}*\""),
            Choice::Called(name) => format!("name = \"{name}\""),
            Choice::Begins(name) => format!("name = \"{name}*\""),
            Choice::PartOf(name) => format!("parent_project = \"{name}\""),
            Choice::Key => "key = true".to_owned(),
            Choice::Since(seconds) => {
                format!("update_time >= \"{}\"", jiff::Timestamp::from_second(*seconds).unwrap())
            }
            Choice::Not(choice) => format!("NOT ({})", choice.text()),
            Choice::All(all) => joined(all, " AND "),
            Choice::Any(all) => joined(all, " OR "),
        }
    }

    pub(super) fn takes(&self, project: &Project) -> bool {
        match self {
            Choice::Status(status) => project.status == *status,
            Choice::OtherStatus(status) => project.status != *status,
            Choice::DisplayName(name) => project.display_name == *name,
            Choice::NameBegins(name) => project.display_name.starts_with(name),
            Choice::Called(name) => project.name == *name,
            Choice::Begins(name) => project.name.starts_with(name),
            Choice::PartOf(name) => project.parent_project == *name,
            Choice::Key => project.key == Some(true),
            Choice::Since(seconds) => project.update_time.unwrap().seconds >= *seconds,
            Choice::Not(choice) => !choice.takes(project),
            Choice::All(all) => all.iter().all(|choice| choice.takes(project)),
            Choice::Any(all) => all.iter().any(|choice| choice.takes(project)),
        }
    }
}

pub(super) fn some_choice() -> impl Strategy<Value = Choice> {
    let paths = ["portfolios/a/projects/x", "portfolios/a-b/projects/y", "portfolios/b/projects/x-y"];
    let leaf = prop_oneof![
        (1..4i32).prop_map(Choice::Status),
        (1..4i32).prop_map(Choice::OtherStatus),
        prop::sample::select(NAMES.to_vec()).prop_map(Choice::DisplayName),
        prop::sample::select(vec!["n", "名", "nb"]).prop_map(Choice::NameBegins),
        prop::sample::select(paths.to_vec()).prop_map(Choice::Called),
        prop::sample::select(vec!["portfolios/a", "portfolios/a/projects/x", "portfolios/b/projects/y"])
            .prop_map(Choice::Begins),
        prop::sample::select(paths.to_vec()).prop_map(Choice::PartOf),
        Just(Choice::Key),
        prop::sample::select(vec![0i64, 3_600, 90_000]).prop_map(Choice::Since),
    ];
    leaf.prop_recursive(3, 12, 3, |choice| {
        prop_oneof![
            choice.clone().prop_map(|choice| Choice::Not(Box::new(choice))),
            prop::collection::vec(choice.clone(), 2..4).prop_map(Choice::All),
            prop::collection::vec(choice, 2..4).prop_map(Choice::Any),
        ]
    })
}

pub(super) fn some_project() -> impl Strategy<Value = Project> {
    let times = prop::sample::select(vec![0i64, 1, 3_599, 3_600, 3_601, 90_000]);
    let one = |all: &'static [&'static str]| prop::sample::select(all);
    let parents = prop::option::of((one(&PORTFOLIOS), one(&IDS)));
    (one(&PORTFOLIOS), one(&IDS), one(&NAMES), times, 1..4i32, any::<(bool, bool)>(), parents).prop_map(
        |(portfolio, id, display_name, updated, status, (key, deleted), parent)| Project {
            display_name: display_name.to_owned(),
            update_time: instant(updated),
            status,
            key: key.then_some(true),
            delete_time: instant(5).filter(|_| deleted),
            parent_project: parent
                .map(|(portfolio, id)| format!("portfolios/{portfolio}/projects/{id}"))
                .unwrap_or_default(),
            ..project(portfolio, id)
        },
    )
}

/// Several of one name are one project that changed.
pub(super) fn stored(projects: &[Project]) -> World {
    let mut world = World::default();
    PORTFOLIOS.iter().for_each(|id| world.put(&portfolio(id)));
    projects.iter().for_each(|project| world.put(project));
    world
}

/// What a list of `R` must answer, by hand: those under a name that begins so, in this order.
pub(super) fn model<R: Rules<super::office::Office>, O: Ord>(
    rows: &Rows,
    under: &str,
    takes: impl Fn(&R) -> bool,
    order: impl Fn(&R) -> O,
    descending: bool,
) -> Vec<R> {
    let all = rows.rows.iter().filter(|(key, _)| key[0] == R::TABLE);
    let mut all: Vec<R> = all.map(|(_, row)| R::decode(row.clone()).unwrap()).collect();
    all.retain(|one| one.name().starts_with(under) && takes(one));
    all.sort_by_cached_key(|one| (order(one), name::<R>(one.name())));
    if descending {
        all.reverse();
    }
    all
}

/// A parent of projects, and how the names under it begin.
pub(super) fn some_parent() -> impl Strategy<Value = (String, String)> {
    prop::sample::select(vec!["a", "a-b", "-"]).prop_map(|id| {
        let under = if id == "-" { String::new() } else { format!("portfolios/{id}/") };
        (format!("portfolios/{id}"), under)
    })
}

pub(super) const ORDERS: [&str; 3] = ["name", "display_name", "update_time"];

pub(super) fn order_of(order: &'static str) -> impl Fn(&Project) -> (String, i64) {
    move |project| match order {
        "display_name" => (project.display_name.clone(), 0),
        "update_time" => (String::new(), project.update_time.unwrap().seconds),
        _ => (String::new(), 0),
    }
}

fn spelled(order: &str, descending: bool) -> String {
    format!("{order}{}", if descending { " desc" } else { "" })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn pages_of_projects_together_are_the_list(
        projects in prop::collection::vec(some_project(), 0..24),
        (parent, under) in some_parent(),
        choice in prop::option::of(some_choice()),
        order in prop::sample::select(&ORDERS[..]),
        (descending, show_deleted) in any::<(bool, bool)>(),
        page_size in 1..6i32,
    ) {
        let world = stored(&projects);
        let listed = pages::<Project>(&world.rows, |page_token| ListProjectsRequest {
            parent: parent.clone(),
            filter: choice.as_ref().map(Choice::text).unwrap_or_default(),
            order_by: spelled(order, descending),
            show_deleted,
            page_size,
            page_token,
            ..ListProjectsRequest::default()
        });
        let takes = |project: &Project| {
            (show_deleted || project.delete_time.is_none())
                && choice.as_ref().is_none_or(|choice| choice.takes(project))
        };
        prop_assert_eq!(listed, model(&world.rows, &under, takes, order_of(order), descending));
    }

    #[test]
    fn pages_of_phases_together_are_the_list(
        phases in prop::collection::vec((0..3usize, 0..3usize, 0..5usize, 1..4i32, any::<bool>(), 0..3usize), 0..24),
        (parent, under) in prop::sample::select(vec![
            ("portfolios/a/projects/x", "portfolios/a/projects/x/"),
            ("portfolios/a/projects/-", "portfolios/a/"),
            ("portfolios/-/projects/-", ""),
        ]),
        order in prop::sample::select(vec!["name", "order", "display_name"]),
        (descending, show_deleted) in any::<(bool, bool)>(),
        page_size in 1..6i32,
    ) {
        let mut world = stored(&[project("a", "x")]);
        for (portfolio, project, id, order, deleted, name) in phases {
            let project = format!("portfolios/{}/projects/{}", PORTFOLIOS[portfolio], IDS[project]);
            let delete_time = instant(1).filter(|_| deleted);
            let display_name = NAMES[name].to_owned();
            world.put(&Phase { delete_time, display_name, ..phase(&project, IDS[id], order) });
        }
        let listed = pages::<Phase>(&world.rows, |page_token| ListPhasesRequest {
            parent: parent.to_owned(),
            order_by: spelled(order, descending),
            show_deleted,
            page_size,
            page_token,
            ..ListPhasesRequest::default()
        });
        let takes = |phase: &Phase| show_deleted || phase.delete_time.is_none();
        let order = |phase: &Phase| match order {
            "order" => (phase.order, phase.delete_time.is_some(), String::new()),
            "display_name" => (0, false, phase.display_name.clone()),
            _ => (0, false, String::new()),
        };
        prop_assert_eq!(listed, model(&world.rows, under, takes, order, descending));
    }

    #[test]
    fn pages_of_batches_and_organizations_together_are_the_list(
        batches in prop::collection::vec((0..3usize, 0..5usize, 1..5i32), 0..16),
        kinds in prop::collection::vec((0..4i32, any::<bool>()), 0..8),
        (parent, under) in some_parent(),
        (descending, by_date, show_deleted) in any::<(bool, bool, bool)>(),
        (page_size, day, kind) in (1..6i32, 1..5i32, 1..4i32),
    ) {
        let mut world = stored(&[]);
        batches.iter().for_each(|(at, id, day)| world.put(&batch(PORTFOLIOS[*at], IDS[*id], *day)));
        for (i, (kind, deleted)) in kinds.iter().enumerate() {
            let (name, delete_time) = (format!("organizations/o{i}"), instant(1).filter(|_| *deleted));
            world.put(&Organization { name, kind: *kind, delete_time, ..Organization::default() });
        }
        let listed = pages::<Batch>(&world.rows, |page_token| ListBatchesRequest {
            parent: parent.clone(),
            filter: format!("start_date >= 2021-05-0{day}"),
            order_by: spelled(if by_date { "start_date" } else { "name" }, descending),
            page_size,
            page_token,
            ..ListBatchesRequest::default()
        });
        let takes = |batch: &Batch| batch.start_date.unwrap().day >= day;
        let order = |batch: &Batch| by_date.then(|| date(batch.start_date.as_ref()));
        prop_assert_eq!(listed, model(&world.rows, &under, takes, order, descending));

        let kind_name = organization::Kind::try_from(kind).unwrap().as_str_name();
        let listed = pages::<Organization>(&world.rows, |page_token| ListOrganizationsRequest {
            filter: format!("kind = {kind_name}"),
            order_by: spelled("name", descending),
            show_deleted,
            page_size,
            page_token,
            ..ListOrganizationsRequest::default()
        });
        let takes = |one: &Organization| one.kind == kind && (show_deleted || one.delete_time.is_none());
        prop_assert_eq!(listed, model(&world.rows, "", takes, |_| (), descending));
    }
}

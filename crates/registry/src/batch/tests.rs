//! The rules of batches, one by one.

use jiff::civil::date;
use milepost_types::{Etag, Violations};

use super::start::{Started, start};
use super::*;
use crate::details::Details as _;
use crate::project::status::{Stage, Status};
use crate::project::{self, Project};

fn moment() -> Moment {
    let time = "2021-05-27T12:00:00Z".parse().unwrap();
    Moment { time, etag: Etag(9), now: time }
}

fn name(id: &str) -> ProjectName {
    format!("portfolios/p/projects/{id}").parse().unwrap()
}

fn batch(members: &[&str]) -> Batch {
    let details = Details {
        display_name: "b".to_owned(),
        translations: BTreeMap::new(),
        start_date: date(2021, 5, 20),
        place: String::new(),
        declared_count: None,
        declared_investment: None,
        description: String::new(),
        labels: BTreeMap::new(),
    };
    let members = members.iter().map(|id| name(id)).collect();
    let standing = Standing { state: State::Planned, members, registered: Figures::default() };
    Batch::create("portfolios/p/batches/b".parse().unwrap(), details, standing, &moment())
}

fn in_state(state: State) -> Batch {
    let mut batch = batch(&["x"]);
    batch.standing.state = state;
    batch
}

fn target() -> Target<BatchName> {
    Target { name: "portfolios/p/batches/b".parse().unwrap(), etag: None }
}

/// A project whose investment is so many CNY, if it is known.
fn member(id: &str, investment: Option<i64>) -> Project {
    let mut found = Violations::new();
    let message = milepost_proto::registry::v1::Project {
        display_name: id.to_owned(),
        ..milepost_proto::registry::v1::Project::default()
    };
    let patch = crate::convert::project::patch(message, &milepost_service::mask::Mask::All, &mut found);
    let mut details = project::Details::create(patch).unwrap().unwrap();
    details.investment =
        investment.map(|units| Money::new(milepost_types::CurrencyCode::CNY, units, 0).unwrap());
    Project::create(name(id), details, project::Standing::default(), &moment())
}

fn begin(batch: &Batch, members: &[Project]) -> Result<Started, Rejection> {
    let find = |name: &ProjectName| Ok(members.iter().find(|member| member.name == *name).cloned());
    start(batch, &target(), date(2021, 5, 27), find, &moment())
}

#[test]
fn a_batch_starts_all_its_members_on_its_day_and_registers_what_they_add_up_to() {
    let members = [member("x", Some(5)), member("y", None), member("z", Some(7))];
    let started = begin(&batch(&["x", "y", "z"]), &members).unwrap();
    assert_eq!(started.batch.standing.state, State::Started);
    let figures = &started.batch.standing.registered;
    assert_eq!((figures.count, figures.without_investment), (3, 1));
    assert_eq!(figures.investments.iter().map(ToString::to_string).collect::<Vec<_>>(), ["CNY 12.00"]);
    assert!(started.members.iter().all(|moved| moved.date == Some(date(2021, 5, 20))));
    assert_eq!(
        started.changed,
        ["registered_count", "registered_investments", "registered_without_investment_count", "state"]
    );
}

#[test]
fn every_member_that_refuses_is_told_and_none_starts() {
    let mut built = member("y", None);
    built.standing.status = Status::At(Stage::Completed);
    let refused = begin(&batch(&["x", "y", "z"]), &[member("x", None), built]).unwrap_err();
    let Rejection::Preconditions(conditions) = refused else { panic!("{refused}") };
    let told: Vec<_> = conditions.iter().map(|refusal| (refusal.kind, refusal.subject.clone())).collect();
    assert_eq!(
        told,
        [("MEMBER_IN_WRONG_STATE", name("y").to_string()), ("MEMBER_NOT_FOUND", name("z").to_string())]
    );
}

#[test]
fn a_batch_does_not_start_before_its_day() {
    let mut early = batch(&[]);
    early.details.start_date = date(2021, 5, 28);
    let refused = begin(&early, &[]).unwrap_err();
    assert!(matches!(refused, Rejection::Preconditions(list) if list[0].kind == "START_DATE_IN_FUTURE"));
    assert!(begin(&batch(&[]), &[]).is_ok(), "a batch whose members are not known starts too");
}

#[test]
fn what_cannot_be_held_together_is_refused() {
    let members = [member("x", Some(i64::MAX)), member("y", Some(1))];
    let refused = begin(&batch(&["x", "y"]), &members).unwrap_err();
    assert!(matches!(refused, Rejection::Preconditions(list) if list[0].kind == "MONEY_OVERFLOW"));
}

#[test]
fn members_come_and_go_once_and_keep_their_order() {
    let added =
        add(&batch(&["x"]), &target(), &[name("z"), name("x"), name("y"), name("z")], unasked, &moment());
    let added = added.unwrap().unwrap();
    assert_eq!(added.added, [name("z"), name("y")]);
    assert_eq!(added.batch.standing.members, [name("x"), name("z"), name("y")]);
    assert!(add(&batch(&["x"]), &target(), &[name("x")], unasked, &moment()).unwrap().is_none());
    let removed = remove(&added.batch, &target(), &[name("never"), name("z")], &moment()).unwrap().unwrap();
    assert_eq!(
        (removed.removed, removed.batch.standing.members),
        (vec![name("z")], vec![name("x"), name("y")])
    );
    assert!(remove(&batch(&["x"]), &target(), &[name("y")], &moment()).unwrap().is_none());
}

/// A project that no rule needs to look up.
fn unasked(name: &ProjectName) -> Result<Option<Project>, Rejection> {
    panic!("{name} was looked up")
}

/// A batch that started with `x`, which cost 5 then.
fn started_with_x() -> Batch {
    begin(&batch(&["x"]), &[member("x", Some(5))]).unwrap().batch
}

fn join(batch: &Batch, ids: &[&str], projects: &[Project]) -> Result<Option<Regrouped>, Rejection> {
    let members: Vec<_> = ids.iter().map(|id| name(id)).collect();
    let find = |name: &ProjectName| Ok(projects.iter().find(|project| project.name == *name).cloned());
    add(batch, &target(), &members, find, &moment())
}

#[test]
fn what_joins_a_started_batch_starts_on_its_day_and_adds_to_what_is_registered() {
    let before = started_with_x();
    let projects = [member("y", None), member("z", Some(7))];
    let joined = join(&before, &["x", "z", "y", "z"], &projects).unwrap().unwrap();
    assert_eq!((&joined.added, &joined.removed), (&vec![name("z"), name("y")], &vec![]));
    assert_eq!(joined.batch.standing.members, [name("x"), name("z"), name("y")]);
    assert_eq!(joined.batch.standing.state, State::Started);
    let figures = &joined.batch.standing.registered;
    assert_eq!((figures.count, figures.without_investment), (3, 1));
    assert_eq!(figures.investments.iter().map(ToString::to_string).collect::<Vec<_>>(), ["CNY 12.00"]);
    assert_eq!(
        joined.changed,
        ["members", "registered_count", "registered_investments", "registered_without_investment_count"]
    );
    assert_eq!(joined.started.len(), 2);
    for (moved, added) in joined.started.iter().zip(&joined.added) {
        assert_eq!((&moved.project.name, moved.date), (added, Some(date(2021, 5, 20))));
        assert_eq!(moved.project.standing.batch.as_ref(), Some(&before.name));
        assert_eq!(moved.project.details.actual_period.start(), Some(date(2021, 5, 20)));
    }
    assert!(join(&before, &["x"], &[]).unwrap().is_none(), "all are members already");
}

#[test]
fn all_that_refuse_to_join_a_started_batch_are_told_and_none_joins() {
    let by_hand = |id: &str, day| {
        let mut project = member(id, None);
        project.standing.status = Status::At(Stage::Construction);
        project.details.actual_period = milepost_types::Period::new(Some(day), None).unwrap();
        project
    };
    let mut elsewhere = by_hand("elsewhere", date(2021, 5, 20));
    elsewhere.standing.batch = Some("portfolios/p/batches/other".parse().unwrap());
    let mut built = member("built", None);
    built.details.actual_period = milepost_types::Period::new(None, Some(date(2021, 5, 19))).unwrap();
    let deleted = member("deleted", None).delete(None, &moment()).unwrap().unwrap();
    let projects = [
        member("good", Some(1)),
        by_hand("same-day", date(2021, 5, 20)),
        by_hand("before", date(2021, 5, 1)),
        elsewhere,
        built,
        deleted,
    ];
    let ids = ["good", "same-day", "before", "elsewhere", "built", "deleted", "never"];
    let Err(Rejection::Preconditions(refusals)) = join(&started_with_x(), &ids, &projects) else {
        panic!("it joined")
    };
    let wrong = "MEMBER_IN_WRONG_STATE";
    let told: Vec<_> = refusals.iter().map(|refusal| (refusal.kind, refusal.subject.clone())).collect();
    let expected = [
        (wrong, "same-day"),
        (wrong, "before"),
        (wrong, "elsewhere"),
        ("MEMBER_ENDS_BEFORE_START", "built"),
        ("MEMBER_DELETED", "deleted"),
        ("MEMBER_NOT_FOUND", "never"),
    ];
    assert_eq!(told, expected.map(|(kind, id)| (kind, name(id).to_string())));
    for (refusal, says) in refusals.iter().zip([
        "started on 2021-05-20 by itself",
        "started on 2021-05-01 by itself",
        "started on 2021-05-20 by portfolios/p/batches/other",
    ]) {
        assert!(refusal.description.contains(says), "{}", refusal.description);
    }
}

#[test]
fn what_cannot_be_held_together_does_not_join() {
    let refused = join(&started_with_x(), &["y"], &[member("y", Some(i64::MAX))]).unwrap_err();
    assert!(matches!(refused, Rejection::Preconditions(list) if list[0].kind == "MONEY_OVERFLOW"));
}

#[test]
fn a_batch_has_ten_thousand_members_and_no_more() {
    let members: Vec<_> = (0..10_000).map(|i| name(&format!("p{i}"))).collect();
    let mut full = add(&batch(&[]), &target(), &members, unasked, &moment()).unwrap().unwrap().batch;
    for state in [State::Planned, State::Started] {
        full.standing.state = state;
        assert!(add(&full, &target(), &members, unasked, &moment()).unwrap().is_none());
        let refused = add(&full, &target(), &[name("one-more")], unasked, &moment()).unwrap_err();
        assert!(matches!(refused, Rejection::LimitExceeded { limit: 10_000, .. }));
    }
}

#[test]
fn only_a_planned_batch_loses_members_and_changes_its_day_and_its_mind() {
    for state in [State::Started, State::Cancelled] {
        let batch = in_state(state);
        let mut moved = batch.clone();
        moved.details.start_date = date(2021, 5, 21);
        let refusals = [
            remove(&batch, &target(), &[name("x")], &moment()).err(),
            begin(&batch, &[member("x", None)]).err(),
            cancel(&batch, &target(), &moment()).err(),
            check_update(&batch, &moved).err(),
        ];
        for refused in refusals {
            assert!(matches!(refused, Some(Rejection::WrongState { .. })), "{state:?}: {refused:?}");
        }
        assert_eq!(check_update(&batch, &batch), Ok(()));
    }
    let refused = add(&in_state(State::Cancelled), &target(), &[name("y")], unasked, &moment());
    assert!(matches!(refused, Err(Rejection::WrongState { allowed, .. }) if allowed.len() == 2));
    assert_eq!(
        cancel(&in_state(State::Planned), &target(), &moment()).unwrap().standing.state,
        State::Cancelled
    );
}

#[test]
fn a_started_batch_is_not_deleted() {
    let refused = delete(&in_state(State::Started), &target(), &moment());
    assert!(matches!(refused, Err(Rejection::WrongState { .. })));
    for state in [State::Planned, State::Cancelled] {
        assert!(delete(&in_state(state), &target(), &moment()).unwrap().unwrap().is_deleted());
    }
}

#[test]
fn every_member_that_is_not_there_is_told() {
    let names = ["x", "y", "z"].map(name);
    let presence = |name: &ProjectName| match name.id().as_str() {
        "x" => Ok(Presence::Missing),
        "y" => Ok(Presence::Present),
        _ => Ok(Presence::Deleted),
    };
    let Err(Rejection::Preconditions(conditions)) = check_members(&names, presence) else {
        panic!("two are not there")
    };
    assert_eq!(
        conditions.iter().map(|found| found.kind).collect::<Vec<_>>(),
        ["MEMBER_NOT_FOUND", "MEMBER_DELETED"]
    );
}

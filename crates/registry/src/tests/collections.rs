//! Collections: their members, how far they are built on a day, and what is announced of their elements. The numbers are
//! those of office.md, section 2, and of the facts of the Western Science City.

use std::collections::BTreeMap;

use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use tonic::{Code, Status};

use super::events::events_after;
use super::office::{Office, conditions, faults, named, project_name, refusal};

pub(super) fn name(id: &str) -> String {
    format!("portfolios/wsc/collections/{id}")
}

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn contribution(project: &str, measure: &str, built_measure: &str) -> CollectionContribution {
    let (project, measure) = (project_name(project), measure.to_owned());
    CollectionContribution { project, measure, built_measure: built_measure.to_owned() }
}

fn element(
    id: &str,
    group: &str,
    planned: &str,
    contributions: &[CollectionContribution],
) -> CollectionElement {
    CollectionElement {
        id: id.to_owned(),
        group: group.to_owned(),
        planned_measure: planned.to_owned(),
        contributions: contributions.to_vec(),
        ..CollectionElement::default()
    }
}

pub(super) fn of(elements: &[CollectionElement]) -> Collection {
    let display_name = "路网".to_owned();
    Collection { display_name, unit: "km".to_owned(), elements: elements.to_vec(), ..Collection::default() }
}

pub(super) fn create(id: &str, collection: Collection) -> CreateCollectionRequest {
    CreateCollectionRequest {
        parent: "portfolios/wsc".to_owned(),
        collection_id: id.to_owned(),
        collection: Some(collection),
        ..CreateCollectionRequest::default()
    }
}

pub(super) async fn created(office: &Office, id: &str, collection: Collection) -> Result<Collection, Status> {
    let created = office.collections().create_collection(create(id, collection)).await?;
    Ok(created.into_inner().collection.unwrap())
}

async fn updated(office: &Office, id: &str, change: Collection) -> Result<Collection, Status> {
    let collection = Some(Collection { name: name(id), ..change });
    let request = UpdateCollectionRequest { collection, ..UpdateCollectionRequest::default() };
    Ok(office.collections().update_collection(request).await?.into_inner().collection.unwrap())
}

pub(super) async fn rollup(
    office: &Office,
    id: &str,
    date: Option<Date>,
) -> Result<CollectionRollup, Status> {
    let request = GetCollectionRollupRequest { name: name(id), date, ..Default::default() };
    Ok(office.collections().get_collection_rollup(request).await?.into_inner().rollup.unwrap())
}

/// A project that was completed on a day of May 2021.
pub(super) async fn built(office: &Office, id: &str, day: i32) {
    office.project(id, named(id)).await;
    let start_date = Some(Date { year: 2021, month: 5, day: 1 });
    let request = StartProjectRequest { name: project_name(id), start_date, ..Default::default() };
    office.projects().start_project(request).await.unwrap();
    let completion_date = Some(Date { year: 2021, month: 5, day });
    let request = CompleteProjectRequest { name: project_name(id), completion_date, ..Default::default() };
    office.projects().complete_project(request).await.unwrap();
}

async fn complete(office: &Office, id: &str) -> Vec<Event> {
    let sequence = office.sequence();
    let request = CompleteProjectRequest { name: project_name(id), ..Default::default() };
    office.projects().complete_project(request).await.unwrap();
    events_after(office, sequence).await
}

/// The collections, and of each the elements, that events say became complete.
fn completed(events: &[Event]) -> Vec<(String, Vec<String>)> {
    let of = |event: &Event| match &event.payload {
        Some(Payload::CollectionElementCompleted(completed)) => {
            assert_eq!(event.r#type, "milepost.collection.element_completed");
            let elements = completed.elements.iter().map(|element| element.id.clone());
            Some((event.subject.clone(), elements.collect()))
        }
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// That these elements of a collection became complete.
fn said(id: &str, elements: &[&str]) -> (String, Vec<String>) {
    (name(id), elements.iter().map(ToString::to_string).collect())
}

/// office.md, section 2: 40 km, 25 done, 4 of 10 built: 72.5 %.
#[tokio::test]
async fn forty_kilometres_of_which_25_are_done_and_4_of_10_are_built_72_5_percent() {
    let office = Office::with_portfolio().await;
    built(&office, "done", 20).await;
    office.project("half", named("half")).await;
    let ring =
        element("inner", "两环", "40", &[contribution("done", "25", ""), contribution("half", "10", "4")]);
    created(&office, "rings", of(&[ring])).await.unwrap();
    let rollup = rollup(&office, "rings", None).await.unwrap();
    assert_eq!((rollup.date, rollup.unit.as_str()), (day(2021, 5, 27), "km"));
    let whole = rollup.whole.unwrap();
    assert_eq!((whole.planned_measure.as_str(), whole.built_measure.as_str()), ("40", "29"));
    let length = whole.length.unwrap();
    assert_eq!(length.value.as_deref(), Some("72.5"));
    assert_eq!((length.numerator.as_str(), length.denominator.as_str()), ("29", "40"));
    assert_eq!((length.counted, length.missing_count, length.lower_bound), (1, 0, false));
    assert_eq!((whole.element_count, whole.complete_count), (1, 0));
    let group = &rollup.groups[0];
    assert_eq!(
        (group.group.as_str(), group.length.clone().unwrap().value.as_deref()),
        ("两环", Some("72.5"))
    );
}

/// office.md, section 2: of each element at most its plan counts; complete is what has a plan that whole
/// contributions reach.
#[tokio::test]
async fn nothing_makes_up_for_another_element_and_what_is_not_said_is_not_zero() {
    let office = Office::with_portfolio().await;
    built(&office, "done", 20).await;
    for id in ["open", "silent"] {
        office.project(id, named(id)).await;
    }
    let elements = [
        // More than planned: 10 count, and it is complete.
        element("over", "a", "10", &[contribution("done", "12.5", "")]),
        // Whole, but less than planned.
        element("short", "a", "10", &[contribution("done", "8", "")]),
        // Whole by what is said.
        element("said", "a", "5", &[contribution("open", "5.0", "5")]),
        element("silent", "b", "5", &[contribution("silent", "5", ""), contribution("open", "1", "0.5")]),
        element("no-plan", "b", "", &[contribution("done", "3", "")]),
        element("nothing", "", "0", &[]),
    ];
    created(&office, "c", of(&elements)).await.unwrap();
    let rollup = rollup(&office, "c", None).await.unwrap();
    let whole = rollup.whole.unwrap();
    let length = whole.length.unwrap();
    // 10 + 8 + 5 + 0.5 of 30.
    assert_eq!((length.numerator.as_str(), length.denominator.as_str()), ("23.5", "30"));
    assert_eq!(length.value.as_deref(), Some("78.3"));
    assert!(!length.lower_bound, "what has no plan may lower it");
    let missing: Vec<_> = length.missing.iter().map(|one| (one.subject.as_str(), one.why.as_str())).collect();
    let silent = project_name("silent");
    assert_eq!(missing, [(silent.as_str(), "NO_BUILT_MEASURE"), ("no-plan", "NO_PLAN")]);
    assert_eq!((length.counted, length.missing_count), (5, 2));
    assert_eq!((whole.element_count, whole.complete_count), (6, 2));
    assert_eq!((whole.planned_measure.as_str(), whole.built_measure.as_str()), ("30", "29"));
    let complete: Vec<_> = rollup.elements.iter().map(|one| (one.id.as_str(), one.complete)).collect();
    let expected = [
        ("over", true),
        ("short", false),
        ("said", true),
        ("silent", false),
        ("no-plan", false),
        ("nothing", false),
    ];
    assert_eq!(complete, expected);
    assert_eq!(rollup.elements[5].built_measure, "", "nobody says what is built of it");
    let groups: Vec<_> = rollup.groups.iter().map(|one| one.group.as_str()).collect();
    assert_eq!(groups, ["a", "b"]);
    let b = rollup.groups[1].length.clone().unwrap();
    assert_eq!((b.value.as_deref(), b.missing.len(), b.missing_count), (Some("10.0"), 0, 2));
}

/// The road plan of the science city: two rings, six roads by six, and nothing measured.
#[tokio::test]
async fn a_grid_of_which_nothing_is_measured_has_no_share_and_keeps_what_was_declared() {
    let office = Office::with_portfolio().await;
    let roads = |group: &str, prefix: &str, count: i32| -> Vec<CollectionElement> {
        (1..=count).map(|i| element(&format!("{prefix}{i}"), group, "", &[])).collect()
    };
    let elements = [roads("两环", "ring", 2), roads("六横", "east-west", 6), roads("六纵", "north-south", 5)];
    let declared = [("两环", 2), ("六横", 6), ("六纵", 6), ("", 14), ("轨道交通", 0)];
    let declared = declared
        .map(|(group, count)| CollectionDeclaredCount { group: group.to_owned(), count: Some(count) });
    let kind = "grid".to_owned();
    let collection = Collection { kind, declared: declared.to_vec(), ..of(&elements.concat()) };
    created(&office, "roads", collection).await.unwrap();
    let rollup = rollup(&office, "roads", None).await.unwrap();
    let counts = |one: &CollectionProgress| (one.group.clone(), one.element_count, one.declared_count);
    let groups: Vec<_> = rollup.groups.iter().map(counts).collect();
    let expected = [("两环", 2, 2), ("六横", 6, 6), ("六纵", 5, 6), ("轨道交通", 0, 0)];
    assert_eq!(groups, expected.map(|(group, is, said)| (group.to_owned(), is, Some(said))));
    let whole = rollup.whole.unwrap();
    assert_eq!((whole.element_count, whole.declared_count, whole.complete_count), (13, Some(14), 0));
    assert_eq!((whole.planned_measure.as_str(), whole.built_measure.as_str()), ("", ""));
    let length = whole.length.unwrap();
    assert_eq!((length.value, length.counted, length.missing_count), (None, 0, 13));
    assert!(!length.lower_bound && length.missing.iter().all(|one| one.why == "NO_PLAN"));
    assert_eq!(length.missing[0].subject, "ring1");
}

/// office.md, section 0: lists have at most 1,000 members.
#[tokio::test]
async fn a_collection_has_at_most_1000_elements_and_declared_counts_and_an_element_1000_contributions() {
    let office = Office::with_portfolio().await;
    let elements =
        |count: usize| (0..count).map(|i| element(&format!("e{i}"), "", "", &[])).collect::<Vec<_>>();
    assert_eq!(created(&office, "full", of(&elements(1_000))).await.unwrap().elements.len(), 1_000);
    let declared = |count: i32| {
        let one = |i: i32| CollectionDeclaredCount { group: format!("g{i}"), count: Some(i) };
        Collection { declared: (0..count).map(one).collect(), ..of(&[]) }
    };
    assert_eq!(created(&office, "declared", declared(1_000)).await.unwrap().declared.len(), 1_000);
    let contributions: Vec<_> = (0..1_001).map(|i| contribution(&format!("p{i}"), "1", "")).collect();
    for (collection, field) in [
        (of(&elements(1_001)), "elements"),
        (declared(1_001), "declared"),
        (of(&[element("e", "", "", &contributions)]), "elements[0].contributions"),
    ] {
        let status = created(&office, "more", collection).await.unwrap_err();
        assert_eq!(faults(&status), [(format!("collection.{field}"), "TOO_MANY".to_owned())]);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_elements_is_named_at_once_and_changes_nothing() {
    let office = Office::with_portfolio().await;
    office.project("x", named("x")).await;
    let most = "999999999999999";
    let elements = [
        element("Ring 1", "", "-1", &[]),
        element("a", "", most, &[contribution("x", "5", "5.000001"), contribution("x", "-2", "")]),
        element("a", "", "0.000001", &[contribution("x", "1", "-0.5"), contribution("x", "x", "1")]),
        element("", "", "", &[]),
    ];
    let declared = vec![
        CollectionDeclaredCount { group: "g".to_owned(), count: Some(-1) },
        CollectionDeclaredCount { group: "g".to_owned(), count: None },
    ];
    let sequence = office.sequence();
    let wrong = Collection { declared, ..of(&elements) };
    let status = created(&office, "c", wrong.clone()).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FIELDS".into()));
    let found: BTreeMap<String, String> = faults(&status).into_iter().collect();
    let expected = [
        ("collection.declared[0].count", "OUT_OF_RANGE"),
        ("collection.declared[1].count", "REQUIRED"),
        ("collection.declared[1].group", "DUPLICATE"),
        ("collection.elements[0].id", "INVALID_ID"),
        ("collection.elements[0].planned_measure", "NEGATIVE"),
        ("collection.elements[1].contributions[0].built_measure", "BUILT_EXCEEDS_MEASURE"),
        ("collection.elements[1].contributions[1].measure", "NEGATIVE"),
        ("collection.elements[1].contributions[1].project", "DUPLICATE"),
        ("collection.elements[2].contributions[0].built_measure", "NEGATIVE"),
        ("collection.elements[2].contributions[1].measure", "INVALID_DECIMAL"),
        ("collection.elements[2].contributions[1].project", "DUPLICATE"),
        ("collection.elements[2].id", "DUPLICATE"),
        ("collection.elements[3].id", "REQUIRED"),
    ];
    let expected = expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));
    assert_eq!(office.sequence(), sequence);

    // The same by an update.
    created(&office, "c", of(&[])).await.unwrap();
    let sequence = office.sequence();
    let status = updated(&office, "c", wrong).await.unwrap_err();
    assert_eq!(faults(&status).len(), 13);
    assert_eq!(office.sequence(), sequence);
}

#[tokio::test]
async fn measures_that_cannot_be_added_up_are_refused() {
    let office = Office::with_portfolio().await;
    for id in ["x", "y"] {
        office.project(id, named(id)).await;
    }
    let most = "999999999999999";
    let overflow = ("collection.elements".to_owned(), "SUM_OVERFLOW".to_owned());
    let planned = [element("a", "", most, &[]), element("b", "", "1", &[])];
    let built = [element("a", "", "", &[contribution("x", most, ""), contribution("y", "1", "")])];
    for elements in [&planned[..], &built] {
        let status = created(&office, "c", of(elements)).await.unwrap_err();
        assert_eq!(faults(&status), std::slice::from_ref(&overflow));
    }
    let fits =
        element("a", "", most, &[contribution("x", "999999999999998", ""), contribution("y", "1", "")]);
    created(&office, "c", of(&[fits])).await.unwrap();
    assert_eq!(rollup(&office, "c", None).await.unwrap().whole.unwrap().planned_measure, most);
}

#[tokio::test]
async fn what_contributes_is_there_and_in_the_portfolio_and_all_that_is_not_is_named() {
    let office = Office::with_portfolio().await;
    office.portfolio("other").await;
    for id in ["x", "gone"] {
        office.project(id, named(id)).await;
    }
    let delete = DeleteProjectRequest { name: project_name("gone"), ..Default::default() };
    office.projects().delete_project(delete).await.unwrap();
    let contributions = ["x", "never", "gone"].map(|id| contribution(id, "1", ""));
    let members = ["x", "never", "gone"].map(project_name).to_vec();
    let collection = Collection { members, ..of(&[element("a", "", "", &contributions)]) };
    let sequence = office.sequence();
    let status = created(&office, "c", collection).await.unwrap_err();
    let mut found = conditions(&status);
    found.sort();
    let expected = [
        ("MEMBER_DELETED".to_owned(), project_name("gone")),
        ("MEMBER_NOT_FOUND".to_owned(), project_name("never")),
        ("REFERENCE_DELETED".to_owned(), project_name("gone")),
        ("REFERENCE_NOT_FOUND".to_owned(), project_name("never")),
    ];
    assert_eq!(found, expected);
    let elsewhere = CollectionContribution {
        project: "portfolios/other/projects/x".to_owned(),
        ..contribution("x", "1", "")
    };
    let status = created(&office, "c", of(&[element("a", "", "", &[elsewhere])])).await.unwrap_err();
    let field = "collection.elements[0].contributions[0].project";
    assert_eq!(faults(&status), [(field.to_owned(), "OTHER_PORTFOLIO".to_owned())]);
    assert_eq!(office.sequence(), sequence);
    // What contributes may be deleted later, and stays.
    created(&office, "c", of(&[element("a", "", "2", &[contribution("x", "1", "0.5")])])).await.unwrap();
    let delete = DeleteProjectRequest { name: project_name("x"), ..Default::default() };
    office.projects().delete_project(delete).await.unwrap();
    updated(&office, "c", Collection { kind: "ring".to_owned(), ..Collection::default() }).await.unwrap();
    let length = rollup(&office, "c", None).await.unwrap().whole.unwrap().length.unwrap();
    assert_eq!(length.value.as_deref(), Some("25.0"));
}

/// On a day: by actual ends, where there are any.
#[tokio::test]
async fn a_rollup_of_an_earlier_day_counts_what_was_completed_by_then() {
    let office = Office::with_portfolio().await;
    built(&office, "x", 20).await;
    // Completed, and nobody knows when.
    built(&office, "undated", 21).await;
    let mask = prost_types::FieldMask { paths: vec!["actual_period.end_date".to_owned()] };
    let project = Some(Project { name: project_name("undated"), ..Project::default() });
    let request =
        UpdateProjectRequest { project, update_mask: Some(mask), ..UpdateProjectRequest::default() };
    office.projects().update_project(request).await.unwrap();
    let elements = [
        element("a", "", "10", &[contribution("x", "10", "3")]),
        element("b", "", "10", &[contribution("undated", "10", "")]),
    ];
    created(&office, "c", of(&elements)).await.unwrap();
    let value = async |date| rollup(&office, "c", date).await.unwrap().whole.unwrap().length.unwrap().value;
    assert_eq!(value(day(2021, 5, 20)).await.as_deref(), Some("100.0"));
    assert_eq!(value(day(2021, 5, 19)).await.as_deref(), Some("65.0"));
    let status = rollup(&office, "c", day(2021, 5, 28)).await.unwrap_err();
    assert_eq!(faults(&status), [("date".to_owned(), "DATE_IN_FUTURE".to_owned())]);
    let status = rollup(&office, "none", None).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::NotFound, "RESOURCE_NOT_FOUND".into()));
    let request = GetCollectionRollupRequest {
        date: Some(Date { year: 2021, month: 2, day: 30 }),
        ..Default::default()
    };
    let status = office.collections().get_collection_rollup(request).await.unwrap_err();
    let found: Vec<_> = faults(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(found, ["name", "date"], "everything that is wrong");
}

#[tokio::test]
async fn an_element_is_announced_when_it_becomes_complete_in_the_entry_that_made_it_so() {
    let office = Office::with_portfolio().await;
    for id in ["x", "y"] {
        office.project(id, named(id)).await;
        office.start(id).await.unwrap();
    }
    let elements = [
        element("shared", "g", "5", &[contribution("x", "3", ""), contribution("y", "2", "")]),
        element("own", "", "1", &[contribution("x", "1", "")]),
        element("short", "", "2", &[contribution("x", "1", "")]),
    ];
    created(&office, "first", of(&elements)).await.unwrap();
    created(&office, "second", of(&elements[1..2])).await.unwrap();
    created(&office, "deleted", of(&elements[1..2])).await.unwrap();
    let delete = DeleteCollectionRequest { name: name("deleted"), ..Default::default() };
    office.collections().delete_collection(delete).await.unwrap();

    let events = complete(&office, "x").await;
    assert_eq!(events[0].r#type, "milepost.project.completed");
    assert_eq!(completed(&events), [said("first", &["own"]), said("second", &["own"])]);
    assert_eq!(events.len(), 3, "one entry");
    for event in &events[1..] {
        assert_eq!(event.caused_by, events[0].event_id);
        assert_eq!((event.portfolio.as_str(), event.project.as_str()), ("portfolios/wsc", ""));
        assert_eq!((event.event_date, event.resource.is_none()), (day(2021, 5, 27), true));
    }
    let events = complete(&office, "y").await;
    assert_eq!(completed(&events), [said("first", &["shared"])]);
    // It was complete already.
    let sequence = office.sequence();
    let commission = CommissionProjectRequest { name: project_name("x"), ..Default::default() };
    office.projects().commission_project(commission).await.unwrap();
    assert_eq!(events_after(&office, sequence).await.len(), 1);

    // By an update of the collection: the plan shrinks, and an element is new.
    let sequence = office.sequence();
    let new = element("new", "", "1", &[contribution("y", "1", "")]);
    let short = element("short", "", "1", &elements[2].contributions);
    let elements = [elements[0].clone(), elements[1].clone(), short, new];
    updated(&office, "first", of(&elements)).await.unwrap();
    let events = events_after(&office, sequence).await;
    assert_eq!(events[0].r#type, "milepost.collection.updated");
    assert_eq!(completed(&events), [said("first", &["short", "new"])]);
    assert_eq!(events[1].caused_by, events[0].event_id);
    // What does not concern the elements announces nothing.
    let sequence = office.sequence();
    updated(&office, "first", Collection { kind: "ring".to_owned(), ..Collection::default() }).await.unwrap();
    assert_eq!(events_after(&office, sequence).await.len(), 1);
    // What is undeleted says all of them.
    let sequence = office.sequence();
    let undelete = UndeleteCollectionRequest { name: name("deleted"), ..Default::default() };
    office.collections().undelete_collection(undelete).await.unwrap();
    assert_eq!(completed(&events_after(&office, sequence).await), [said("deleted", &["own"])]);
}

#[tokio::test]
async fn a_project_contributes_to_a_hundred_collections_and_no_more() {
    let office = Office::with_portfolio().await;
    office.project("x", named("x")).await;
    office.start("x").await.unwrap();
    let ring = of(&[element("a", "", "1", &[contribution("x", "1", "")])]);
    for i in 0..100 {
        created(&office, &format!("c{i:03}"), ring.clone()).await.unwrap();
    }
    let status = created(&office, "one-more", ring.clone()).await.unwrap_err();
    assert_eq!(conditions(&status), [("TOO_MANY_COLLECTIONS".to_owned(), project_name("x"))]);
    updated(&office, "c000", Collection { kind: "ring".to_owned(), ..ring }).await.unwrap();
    assert_eq!(completed(&complete(&office, "x").await).len(), 100);
}

#[tokio::test]
async fn what_is_only_tried_changes_nothing() {
    let office = Office::with_portfolio().await;
    built(&office, "x", 20).await;
    created(&office, "c", of(&[])).await.unwrap();
    let (sequence, rows) = (office.sequence(), office.rows());
    let ring = of(&[element("a", "", "1", &[contribution("x", "1", "")])]);
    let tried = CreateCollectionRequest { validate_only: true, ..create("new", ring.clone()) };
    let tried = office.collections().create_collection(tried).await.unwrap().into_inner().collection.unwrap();
    assert_eq!(tried.elements, ring.elements);
    let collection = Some(Collection { name: name("c"), ..ring });
    let request = UpdateCollectionRequest { collection, validate_only: true, ..Default::default() };
    office.collections().update_collection(request).await.unwrap();
    let request = AddCollectionMembersRequest {
        name: name("c"),
        members: vec![project_name("x")],
        validate_only: true,
        ..AddCollectionMembersRequest::default()
    };
    let tried = office.collections().add_collection_members(request).await.unwrap();
    assert_eq!(tried.into_inner().collection.unwrap().members, [project_name("x")]);
    assert_eq!((office.sequence(), office.rows()), (sequence, rows));
}

//! Liaison officers: who serves which project when, who leads, and who serves too many.

use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::assignment::{Kind, State};
use milepost_proto::registry::v1::*;
use prost_types::FieldMask;
use tonic::{Code, Status};

use super::events::events_after;
use super::office::{Office, conditions, faults, named, organization_name, project_name, refusal};

/// A day of May 2021. Today is the 27th.
fn may(day: i32) -> Option<Date> {
    Some(Date { year: 2021, month: 5, day })
}

fn serving(person: &str, from: i32, to: Option<i32>) -> Assignment {
    let (start_date, end_date) = (may(from), to.and_then(may));
    Assignment { person: person.into(), start_date, end_date, ..Assignment::default() }
}

fn leading(person: &str, from: i32, to: Option<i32>) -> Assignment {
    Assignment { lead: true, ..serving(person, from, to) }
}

fn name(project: &str, id: &str) -> String {
    format!("{}/assignments/{id}", project_name(project))
}

async fn office(projects: &[&str]) -> Office {
    let office = Office::with_portfolio().await;
    for id in projects {
        office.project(id, named(id)).await;
    }
    office
}

async fn assign(
    office: &Office,
    project: &str,
    id: &str,
    assignment: Assignment,
) -> Result<Assignment, Status> {
    let request = CreateAssignmentRequest {
        parent: project_name(project),
        assignment_id: id.into(),
        assignment: Some(assignment),
        ..CreateAssignmentRequest::default()
    };
    let response = office.assignments().create_assignment(request).await?;
    Ok(response.into_inner().assignment.unwrap())
}

async fn get(office: &Office, project: &str, id: &str) -> Assignment {
    let request = GetAssignmentRequest { name: name(project, id), ..GetAssignmentRequest::default() };
    office.assignments().get_assignment(request).await.unwrap().into_inner().assignment.unwrap()
}

async fn update(office: &Office, assignment: Assignment, paths: &[&str]) -> Result<Assignment, Status> {
    let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    let assignment = Some(assignment);
    let request = UpdateAssignmentRequest { assignment, update_mask, ..UpdateAssignmentRequest::default() };
    Ok(office.assignments().update_assignment(request).await?.into_inner().assignment.unwrap())
}

fn hand_over(project: &str, id: &str, person: &str, date: Option<Date>) -> HandOverAssignmentRequest {
    HandOverAssignmentRequest {
        name: name(project, id),
        person: person.into(),
        date,
        reason: "轮岗".into(),
        successor_id: format!("{id}-next"),
        ..HandOverAssignmentRequest::default()
    }
}

async fn handed_over(office: &Office, request: HandOverAssignmentRequest) -> Result<Assignment, Status> {
    Ok(office.assignments().hand_over_assignment(request).await?.into_inner().assignment.unwrap())
}

async fn limit(office: &Office, max_projects_per_officer: Option<i32>) -> Result<Portfolio, Status> {
    let name = "portfolios/wsc".to_owned();
    let portfolio = Some(Portfolio { name, max_projects_per_officer, ..Portfolio::default() });
    let update_mask = Some(FieldMask { paths: vec!["max_projects_per_officer".into()] });
    let request = UpdatePortfolioRequest { portfolio, update_mask, ..UpdatePortfolioRequest::default() };
    Ok(office.portfolios().update_portfolio(request).await?.into_inner().portfolio.unwrap())
}

fn condition(kind: &str, subject: &str) -> (String, String) {
    (kind.to_owned(), subject.to_owned())
}

/// office.md, section 2: ONE_TO_ONE and MANY_TO_ONE.
#[tokio::test]
async fn one_officer_is_one_to_one_and_a_second_makes_it_many_to_one() {
    let office = office(&["x"]).await;
    let a = assign(&office, "x", "a", leading("user:corp/a", 1, None)).await.unwrap();
    assert_eq!((a.state(), a.kind()), (State::Assigned, Kind::Unspecified), "events do not say the kind");
    assert_eq!(get(&office, "x", "a").await.kind(), Kind::OneToOne);
    assign(&office, "x", "b", serving("user:corp/b", 10, None)).await.unwrap();
    assert_eq!(get(&office, "x", "a").await.kind(), Kind::ManyToOne);
    // One that is to come is not active yet, and has no kind.
    assign(&office, "x", "c", serving("user:corp/c", 28, None)).await.unwrap();
    assert_eq!(get(&office, "x", "c").await.kind(), Kind::Unspecified);
}

#[tokio::test]
async fn without_a_day_an_assignment_begins_today() {
    let office = office(&["x"]).await;
    let assignment = Assignment { person: "u".into(), ..Assignment::default() };
    let created = assign(&office, "x", "a", assignment.clone()).await.unwrap();
    assert_eq!(created.start_date, may(27));
    let ended = Assignment { end_date: may(26), person: "v".into(), ..assignment };
    let status = assign(&office, "x", "b", ended).await.unwrap_err();
    assert_eq!(faults(&status), [("assignment.end_date".into(), "INVALID_PERIOD".into())]);
}

#[tokio::test]
async fn a_first_day_that_is_none_is_not_taken_for_today() {
    let office = office(&["road"]).await;
    let wrong = Assignment { start_date: may(32), ..serving("zhang", 1, Some(2)) };
    let status = assign(&office, "road", "a", wrong).await.unwrap_err();
    assert_eq!(faults(&status), [("assignment.start_date".into(), "INVALID_DATE".into())]);
    assign(&office, "road", "a", serving("zhang", 20, None)).await.unwrap();
    let wrong = Assignment { start_date: may(32), ..serving("zhang", 1, Some(2)) };
    let wrong = Assignment { name: name("road", "a"), ..wrong };
    let status = update(&office, wrong, &["start_date", "end_date"]).await.unwrap_err();
    assert_eq!(faults(&status), [("assignment.start_date".into(), "INVALID_DATE".into())]);
}

/// office.md, section 2: one active is ONE_TO_ONE; more are MANY_TO_ONE with exactly one lead.
#[tokio::test]
async fn of_several_exactly_one_leads_on_every_day() {
    let office = office(&["x"]).await;
    let lead = [condition("LEAD", &project_name("x"))];
    assign(&office, "x", "a", serving("a", 1, None)).await.unwrap();
    let status = assign(&office, "x", "b", serving("b", 10, None)).await.unwrap_err();
    assert_eq!(conditions(&status), lead, "nobody leads");
    assert!(status.message().contains("on 2021-05-10 nobody would lead"), "{}", status.message());
    assign(&office, "x", "b", leading("b", 10, Some(20))).await.unwrap();
    let status = assign(&office, "x", "c", leading("c", 20, None)).await.unwrap_err();
    assert_eq!(conditions(&status), lead, "two lead on the 20th");
    assert!(status.message().contains("on 2021-05-20 2 would lead"), "{}", status.message());
    // From the 21st on, `a` is alone again; so one that does not lead cannot come.
    let status = assign(&office, "x", "c", serving("c", 15, None)).await.unwrap_err();
    assert_eq!(conditions(&status), lead);
    assert!(status.message().contains("on 2021-05-21 nobody would lead"), "{}", status.message());
    assign(&office, "x", "c", serving("c", 15, Some(20))).await.unwrap();
    // Who leads does not go, and does not become an ordinary one, while there are others.
    let delete = DeleteAssignmentRequest { name: name("x", "b"), ..DeleteAssignmentRequest::default() };
    let status = office.assignments().delete_assignment(delete).await.unwrap_err();
    assert_eq!(conditions(&status), lead);
    let b = Assignment { name: name("x", "b"), ..Assignment::default() };
    assert_eq!(conditions(&update(&office, b, &["lead"]).await.unwrap_err()), lead);
    let ends = Assignment { name: name("x", "b"), end_date: may(12), ..Assignment::default() };
    assert_eq!(conditions(&update(&office, ends, &["end_date"]).await.unwrap_err()), lead);
}

/// office.md, section 2: the same person twice at once is OVERLAP.
#[tokio::test]
async fn nobody_serves_a_project_twice_at_once() {
    let office = office(&["x", "y"]).await;
    assign(&office, "x", "a", leading("u", 1, Some(10))).await.unwrap();
    let status = assign(&office, "x", "b", serving("u", 10, None)).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("OVERLAP", &name("x", "a"))]);
    assign(&office, "x", "b", serving("u", 11, None)).await.unwrap();
    assign(&office, "y", "a", serving("u", 1, None)).await.unwrap();
    let longer = Assignment { name: name("x", "a"), end_date: may(11), ..Assignment::default() };
    let status = update(&office, longer, &["end_date"]).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("OVERLAP", &name("x", "b"))]);
    // Deleted, it stands in nobody's way; and it does not come back into another's.
    let delete = DeleteAssignmentRequest { name: name("x", "a"), ..DeleteAssignmentRequest::default() };
    office.assignments().delete_assignment(delete).await.unwrap();
    let earlier = Assignment { name: name("x", "b"), start_date: may(5), ..Assignment::default() };
    update(&office, earlier, &["start_date"]).await.unwrap();
    let undelete = UndeleteAssignmentRequest { name: name("x", "a"), ..UndeleteAssignmentRequest::default() };
    let status = office.assignments().undelete_assignment(undelete).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("OVERLAP", &name("x", "b"))]);
}

/// office.md, section 2: the published limit is 3 projects an officer.
#[tokio::test]
async fn an_officer_serves_no_more_projects_at_once_than_the_portfolio_allows() {
    let office = office(&["p", "q", "r", "s"]).await;
    assert_eq!(limit(&office, Some(3)).await.unwrap().max_projects_per_officer, Some(3));
    for (project, to) in [("p", None), ("q", Some(20)), ("r", None)] {
        assign(&office, project, "a", serving("u", 1, to)).await.unwrap();
    }
    let status = assign(&office, "s", "a", serving("u", 15, None)).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("WORKLOAD", "u")]);
    assert!(status.message().contains("on 2021-05-15"), "{}", status.message());
    let open = assign(&office, "s", "a", serving("u", 21, None)).await.unwrap();
    let earlier = Assignment { name: open.name.clone(), start_date: may(20), ..Assignment::default() };
    let status = update(&office, earlier, &["start_date"]).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("WORKLOAD", "u")]);
    // A lower limit leaves what there is, and what makes it less.
    limit(&office, Some(1)).await.unwrap();
    let shorter = Assignment { name: open.name.clone(), end_date: may(31), ..Assignment::default() };
    update(&office, shorter, &["end_date"]).await.unwrap();
    let longer = Assignment { name: open.name, ..Assignment::default() };
    let status = update(&office, longer, &["end_date"]).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("WORKLOAD", "u")]);
    let handed = hand_over("s", "a", "v", may(25));
    handed_over(&office, handed).await.unwrap();
    // What a deleted project has does not count.
    limit(&office, Some(2)).await.unwrap();
    office.project("t", named("t")).await;
    let status = assign(&office, "t", "a", serving("u", 27, None)).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("WORKLOAD", "u")]);
    let delete = DeleteProjectRequest { name: project_name("p"), ..DeleteProjectRequest::default() };
    office.projects().delete_project(delete).await.unwrap();
    assign(&office, "t", "a", serving("u", 27, None)).await.unwrap();
    assert_eq!(faults(&limit(&office, Some(0)).await.unwrap_err())[0].1, "OUT_OF_RANGE");
    limit(&office, None).await.unwrap();
    assign(&office, "s", "b", serving("u", 27, None)).await.unwrap_err();
    let status = assign(&office, "s", "b", leading("u", 27, None)).await.unwrap();
    assert_eq!(status.person, "u", "without a limit, only the lead is asked for");
}

/// office.md, section 2: the old one ends the day before; the second hand-over is WRONG_STATE.
#[tokio::test]
async fn what_is_handed_over_ends_the_day_before_with_the_same_lead() {
    let office = office(&["x"]).await;
    office.organization("cqu").await;
    assign(&office, "x", "a", leading("u", 1, Some(31))).await.unwrap();
    assign(&office, "x", "b", serving("w", 1, Some(31))).await.unwrap();
    let sequence = office.sequence();
    let request = HandOverAssignmentRequest {
        organization: organization_name("cqu"),
        ..hand_over("x", "a", "v", may(20))
    };
    let old = handed_over(&office, request).await.unwrap();
    assert_eq!((old.state(), old.end_date, old.state_reason.as_str()), (State::HandedOver, may(19), "轮岗"));
    let new = get(&office, "x", "a-next").await;
    assert_eq!((&old.successor, &new.predecessor), (&new.name, &old.name));
    assert_eq!((new.person.as_str(), new.lead, new.start_date, new.end_date), ("v", true, may(20), may(31)));
    assert_eq!(
        (new.organization, new.etag, office.sequence()),
        (organization_name("cqu"), old.etag, sequence + 1)
    );
    let events: Vec<Event> = events_after(&office, sequence).await;
    let kinds: Vec<_> = events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(kinds, ["milepost.assignment.handed_over", "milepost.assignment.created"]);
    assert_eq!(events[1].caused_by, events[0].event_id);
    assert_eq!(events[0].event_date, may(20));
    assert!(matches!(&events[0].payload, Some(Payload::AssignmentHandedOver(said)) if said.person == "v"));
    // The second of two at once: it is in another state, or, under an etag, was changed.
    let status = handed_over(&office, hand_over("x", "a", "z", may(21))).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let stale = HandOverAssignmentRequest { etag: "3".into(), ..hand_over("x", "a", "z", may(21)) };
    let status = handed_over(&office, stale).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::Aborted, "ETAG_MISMATCH".into()));
}

/// office.md, section 2: the second of two hand-overs is WRONG_STATE.
#[tokio::test]
async fn of_two_hand_overs_at_once_one_happens() {
    let office = office(&["x"]).await;
    assign(&office, "x", "a", serving("u", 1, None)).await.unwrap();
    let to = |person: &str| HandOverAssignmentRequest {
        successor_id: String::new(),
        ..hand_over("x", "a", person, None)
    };
    let (one, other) = tokio::join!(handed_over(&office, to("v")), handed_over(&office, to("w")));
    let (done, refused) = match (one, other) {
        (Ok(done), Err(refused)) | (Err(refused), Ok(done)) => (done, refused),
        both => panic!("{both:?}"),
    };
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "WRONG_STATE".into()));
    assert_eq!(done.end_date, may(26), "without a day it is today");
    let list = ListAssignmentsRequest { parent: project_name("x"), ..ListAssignmentsRequest::default() };
    let listed = office.assignments().list_assignments(list).await.unwrap().into_inner().assignments;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|assignment| assignment.name == done.successor));
}

#[tokio::test]
async fn a_hand_over_that_cannot_be_says_everything_that_is_wrong_and_changes_nothing() {
    let office = office(&["x"]).await;
    assign(&office, "x", "a", leading("u", 10, Some(20))).await.unwrap();
    let sequence = office.sequence();
    let request = HandOverAssignmentRequest {
        name: "x".into(),
        person: "王 芳".into(),
        organization: "cqu".into(),
        date: Some(Date { year: 2021, month: 2, day: 30 }),
        successor_id: "X".into(),
        ..HandOverAssignmentRequest::default()
    };
    let fields: Vec<_> = faults(&handed_over(&office, request).await.unwrap_err());
    let expected = [
        ("name", "INVALID_NAME"),
        ("person", "INVALID_PERSON"),
        ("organization", "INVALID_NAME"),
        ("date", "INVALID_DATE"),
        ("reason", "REQUIRED"),
        ("successor_id", "INVALID_ID"),
    ];
    assert_eq!(fields, expected.map(|(field, reason)| (field.to_owned(), reason.to_owned())));
    for (person, day, expected) in [
        ("u", 15, vec![("person", "SAME_OFFICER")]),
        ("u", 10, vec![("date", "DATE_TOO_EARLY"), ("person", "SAME_OFFICER")]),
        ("v", 21, vec![("date", "DATE_TOO_LATE")]),
        ("v", 28, vec![("date", "DATE_IN_FUTURE"), ("date", "DATE_TOO_LATE")]),
        ("u", 28, vec![("date", "DATE_IN_FUTURE"), ("date", "DATE_TOO_LATE"), ("person", "SAME_OFFICER")]),
    ] {
        let status = handed_over(&office, hand_over("x", "a", person, may(day))).await.unwrap_err();
        let found = faults(&status);
        let found: Vec<_> = found.iter().map(|(field, reason)| (&**field, &**reason)).collect();
        assert_eq!(found, expected, "{person} on {day}");
    }
    let missing = HandOverAssignmentRequest {
        organization: organization_name("never"),
        ..hand_over("x", "a", "v", may(15))
    };
    let status = handed_over(&office, missing).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("REFERENCE_NOT_FOUND", &organization_name("never"))]);
    let taken = HandOverAssignmentRequest { successor_id: "a".into(), ..hand_over("x", "a", "v", may(15)) };
    assert_eq!(handed_over(&office, taken).await.unwrap_err().code(), Code::AlreadyExists);
    assert_eq!(office.sequence(), sequence);
}

/// office.md, section 2: `milepost.assignment.ended`; LEAD holds when one ends.
#[tokio::test]
async fn what_ends_is_over_after_its_day() {
    let office = office(&["x"]).await;
    assign(&office, "x", "a", leading("u", 1, None)).await.unwrap();
    assign(&office, "x", "b", serving("v", 1, None)).await.unwrap();
    assign(&office, "x", "c", serving("w", 1, Some(22))).await.unwrap();
    let end = async |id: &str, date| {
        let (name, reason) = (name("x", id), "调离".to_owned());
        let request = EndAssignmentRequest { name, date, reason, ..EndAssignmentRequest::default() };
        office
            .assignments()
            .end_assignment(request)
            .await
            .map(|response| response.into_inner().assignment.unwrap())
    };
    let status = end("a", may(20)).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("LEAD", &project_name("x"))], "two are left, and none leads");
    // One that is left alone need not lead.
    let ended = end("a", may(22)).await.unwrap();
    assert_eq!((ended.state(), ended.end_date, ended.state_reason.as_str()), (State::Ended, may(22), "调离"));
    let event = events_after(&office, office.sequence() - 1).await.remove(0);
    assert_eq!((event.r#type.as_str(), event.event_date), ("milepost.assignment.ended", may(22)));
    let status = end("a", None).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
    assert_eq!(
        handed_over(&office, hand_over("x", "a", "z", None)).await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    let reason = |status: Status| faults(&status).into_iter().map(|(_, reason)| reason).collect::<Vec<_>>();
    assert_eq!(reason(end("c", may(23)).await.unwrap_err()), ["DATE_TOO_LATE"]);
    assert_eq!(reason(end("b", may(28)).await.unwrap_err()), ["DATE_IN_FUTURE"]);
    assert_eq!(
        reason(end("b", Some(Date { year: 2021, month: 4, day: 30 })).await.unwrap_err()),
        ["DATE_TOO_EARLY"]
    );
    assert_eq!(end("b", None).await.unwrap().end_date, may(27), "without a day it is today");
    let ended = end("c", None).await.unwrap();
    assert_eq!((ended.state(), ended.end_date), (State::Ended, may(22)), "or the last day that it has");
}

#[tokio::test]
async fn an_officer_is_an_id_and_nothing_that_names_a_person() {
    let office = office(&["x"]).await;
    for (person, reason) in [
        ("", "REQUIRED"),
        ("王芳", "INVALID_PERSON"),
        ("wang@example.com", "INVALID_PERSON"),
        ("group:corp/officers", "INVALID_PERSON"),
    ] {
        let status = assign(&office, "x", "a", serving(person, 1, None)).await.unwrap_err();
        assert_eq!(faults(&status), [("assignment.person".into(), reason.into())], "{person}");
    }
    let status = assign(&office, "x", "a", serving("u", 10, Some(9))).await.unwrap_err();
    assert_eq!(faults(&status), [("assignment.end_date".into(), "INVALID_PERIOD".into())]);
    let from = Assignment { organization: organization_name("cqu"), ..serving("u", 1, None) };
    let status = assign(&office, "x", "a", from.clone()).await.unwrap_err();
    assert_eq!(conditions(&status), [condition("REFERENCE_NOT_FOUND", &organization_name("cqu"))]);
    office.organization("cqu").await;
    assign(&office, "x", "a", from).await.unwrap();
}

async fn officers(office: &Office, request: ListOfficersRequest) -> ListOfficersResponse {
    let portfolio = "portfolios/wsc".to_owned();
    let request = ListOfficersRequest { portfolio, ..request };
    office.assignments().list_officers(request).await.unwrap().into_inner()
}

/// office.md, section 2, lists: officers by workload.
#[tokio::test]
async fn officers_are_listed_by_workload_on_a_day() {
    let office = office(&["p", "q", "r"]).await;
    for (project, id, assignment) in [
        ("p", "a", leading("u", 1, None)),
        ("p", "b", serving("w", 1, Some(20))),
        ("q", "a", serving("v", 1, Some(20))),
        ("r", "a", serving("u", 25, None)),
    ] {
        assign(&office, project, id, assignment).await.unwrap();
    }
    let summary = |response: &ListOfficersResponse| -> Vec<(String, i32, i32)> {
        let officers = response.officers.iter();
        officers.map(|officer| (officer.person.clone(), officer.project_count, officer.lead_count)).collect()
    };
    let today = officers(&office, ListOfficersRequest::default()).await;
    assert_eq!(summary(&today), [("u".into(), 2, 2)]);
    let projects = &today.officers[0].projects;
    let said: Vec<_> = projects.iter().map(|at| (at.project.as_str(), at.lead, at.kind())).collect();
    let names = [project_name("p"), project_name("r")];
    assert_eq!(said, [(names[0].as_str(), true, Kind::OneToOne), (names[1].as_str(), true, Kind::OneToOne)]);
    let then = ListOfficersRequest { date: may(20), ..ListOfficersRequest::default() };
    let all = officers(&office, then.clone()).await;
    assert_eq!(summary(&all), [("u".into(), 1, 1), ("v".into(), 1, 1), ("w".into(), 1, 0)]);
    assert_eq!(all.officers[2].projects[0].kind(), Kind::ManyToOne);
    // Page by page they are the same, and a token is good for its list only.
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let page = officers(&office, ListOfficersRequest { page_size: 1, page_token, ..then.clone() }).await;
        paged.extend(page.officers.clone());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all.officers);
    let page = officers(&office, ListOfficersRequest { page_size: 1, ..then }).await;
    let other = ListOfficersRequest {
        portfolio: "portfolios/wsc".into(),
        page_token: page.next_page_token,
        ..ListOfficersRequest::default()
    };
    let status = office.assignments().list_officers(other).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
    // A deleted project is served by nobody.
    let delete = DeleteProjectRequest { name: project_name("r"), ..DeleteProjectRequest::default() };
    office.projects().delete_project(delete).await.unwrap();
    assert_eq!(summary(&officers(&office, ListOfficersRequest::default()).await), [("u".into(), 1, 1)]);
    let missing =
        ListOfficersRequest { portfolio: "portfolios/never".into(), ..ListOfficersRequest::default() };
    assert_eq!(office.assignments().list_officers(missing).await.unwrap_err().code(), Code::NotFound);
}

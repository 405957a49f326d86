//! Alliances and their activities, office.md, section 2, with the party-building alliance of Science Avenue: one lead,
//! who is a member on a day (NOT_MEMBER), and the four kinds of activities, held on no day to come: joint organization,
//! shared resources, joint activities, shared training.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::activity::{Kind, State};
use milepost_proto::registry::v1::*;
use prost_types::FieldMask;
use tonic::{Code, Status};

use super::events::events_after;
use super::office::{Office, conditions, faults, named, organization_name, project_name, refusal};

const ALLIANCE: &str = "portfolios/wsc/alliances/science-avenue";

/// A day of May 2021. Today is the 27th.
fn may(day: i32) -> Option<Date> {
    Some(Date { year: 2021, month: 5, day })
}

fn member(id: &str, lead: bool, from: i32, to: Option<i32>) -> AllianceMember {
    AllianceMember { organization: organization_name(id), lead, joined: may(from), left: to.and_then(may) }
}

/// As the office says it: the organizations on the project, what they share, and that the builder leads.
fn science_avenue() -> Alliance {
    Alliance {
        display_name: "科学大道党建联盟".into(),
        translations: [("en".to_owned(), "Science Avenue alliance".to_owned())].into(),
        projects: vec![project_name("science-avenue")],
        members: vec![member("builder", true, 1, None), member("designer", false, 1, None)],
        shared_resources: vec!["会议室".into(), "培训讲师".into()],
        ..Alliance::default()
    }
}

async fn office() -> Office {
    let office = Office::with_portfolio().await;
    office.project("science-avenue", named("科学大道")).await;
    for id in ["builder", "designer", "supervisor"] {
        office.organization(id).await;
    }
    office
}

async fn create(office: &Office, alliance: Alliance) -> Result<Alliance, Status> {
    let request = CreateAllianceRequest {
        parent: "portfolios/wsc".into(),
        alliance_id: "science-avenue".into(),
        alliance: Some(alliance),
        ..CreateAllianceRequest::default()
    };
    Ok(office.alliances().create_alliance(request).await?.into_inner().alliance.unwrap())
}

fn changes(
    joining: &[&str],
    leaving: &[&str],
    lead: &str,
    date: Option<Date>,
) -> ChangeAllianceMembersRequest {
    let names = |ids: &[&str]| ids.iter().map(|id| organization_name(id)).collect();
    ChangeAllianceMembersRequest {
        name: ALLIANCE.into(),
        joining: names(joining),
        leaving: names(leaving),
        lead: if lead.is_empty() { String::new() } else { organization_name(lead) },
        date,
        reason: "调整".into(),
        ..ChangeAllianceMembersRequest::default()
    }
}

async fn change(office: &Office, request: ChangeAllianceMembersRequest) -> Result<Alliance, Status> {
    Ok(office.alliances().change_alliance_members(request).await?.into_inner().alliance.unwrap())
}

fn condition(kind: &str, subject: &str) -> (String, String) {
    (kind.to_owned(), subject.to_owned())
}

#[tokio::test]
async fn an_alliance_holds_what_is_said_of_it() {
    let office = office().await;
    let created = create(&office, science_avenue()).await.unwrap();
    assert_eq!(created.members, science_avenue().members);
    let request = ListAlliancesRequest {
        parent: "portfolios/wsc".into(),
        filter: format!(
            "members.organization:\"{}\" AND shared_resources:\"会议室\"",
            organization_name("designer")
        ),
        order_by: "display_name desc".into(),
        ..ListAlliancesRequest::default()
    };
    let listed = office.alliances().list_alliances(request).await.unwrap().into_inner().alliances;
    assert_eq!(listed, [created]);
    let alliance = Alliance { name: ALLIANCE.into(), members: Vec::new(), ..Alliance::default() };
    let update_mask = Some(FieldMask { paths: vec!["members".into()] });
    let request = UpdateAllianceRequest { alliance: Some(alliance), update_mask, ..Default::default() };
    let status = office.alliances().update_alliance(request).await.unwrap_err();
    assert_eq!(faults(&status), [("update_mask.paths[0]".into(), "CHANGED_BY_METHOD".into())]);
}

#[tokio::test]
async fn what_an_alliance_names_is_there_and_its_rules_hold_on_every_day() {
    let office = office().await;
    office.portfolio("other").await;
    let wrong = Alliance {
        projects: vec![project_name("never")],
        members: vec![member("builder", true, 1, Some(9)), member("never", false, 5, None)],
        ..science_avenue()
    };
    let status = create(&office, wrong).await.unwrap_err();
    let expected = [
        condition("REFERENCE_NOT_FOUND", &project_name("never")),
        condition("REFERENCE_NOT_FOUND", &organization_name("never")),
        condition("LEAD", ALLIANCE),
    ];
    assert_eq!(conditions(&status), expected);
    assert!(status.message().contains("on 2021-05-10 nobody would lead"), "{}", status.message());
    let twice = vec![member("builder", true, 1, Some(9)), member("builder", false, 9, None)];
    let status = create(&office, Alliance { members: twice, ..science_avenue() }).await.unwrap_err();
    let overlap = condition("OVERLAP", &organization_name("builder"));
    assert_eq!(conditions(&status), [overlap, condition("LEAD", ALLIANCE)]);
    let backwards = AllianceMember { left: may(1), ..member("builder", true, 5, None) };
    let nowhere = AllianceMember { joined: None, ..member("x", false, 1, None) };
    let elsewhere = vec!["portfolios/other/projects/x".into(), "x".into(), "x".into()];
    let alliance =
        Alliance { members: vec![backwards.clone(), nowhere], projects: elsewhere, ..science_avenue() };
    let expected = [
        ("alliance.members[1].joined", "REQUIRED"),
        ("alliance.projects[1]", "INVALID_NAME"),
        ("alliance.projects[2]", "DUPLICATE"),
    ];
    let found = faults(&create(&office, alliance).await.unwrap_err());
    assert_eq!(found, expected.map(|(field, reason)| (field.to_owned(), reason.to_owned())));
    let status =
        create(&office, Alliance { members: vec![backwards], ..science_avenue() }).await.unwrap_err();
    assert_eq!(faults(&status), [("alliance.members[0].left".into(), "INVALID_PERIOD".into())]);
    let elsewhere = Alliance { projects: vec!["portfolios/other/projects/x".into()], ..science_avenue() };
    let status = create(&office, elsewhere).await.unwrap_err();
    assert_eq!(faults(&status), [("alliance.projects[0]".into(), "OTHER_PORTFOLIO".into())]);
}

/// office.md, section 0: lists have at most 1,000 members unless said, as of shared resources 100; texts at most 4,096
/// characters, titles 200.
#[tokio::test]
async fn an_alliance_has_at_most_1000_projects_and_members_100_resources_and_texts_of_4096_characters() {
    let office = office().await;
    let ids = |count: usize| (0..count).map(|i| format!("x{i}"));
    let members = ids(1_001).enumerate().map(|(i, id)| member(&id, i == 0, 1, None)).collect();
    for (alliance, field, reason) in [
        (
            Alliance { projects: ids(1_001).map(|id| project_name(&id)).collect(), ..science_avenue() },
            "projects",
            "TOO_MANY",
        ),
        (Alliance { members, ..science_avenue() }, "members", "TOO_MANY"),
        (
            Alliance { shared_resources: ids(101).collect(), ..science_avenue() },
            "shared_resources",
            "TOO_MANY",
        ),
        (Alliance { description: "字".repeat(4_097), ..science_avenue() }, "description", "TOO_LONG"),
        (Alliance { display_name: "字".repeat(201), ..science_avenue() }, "display_name", "TOO_LONG"),
    ] {
        let status = create(&office, alliance).await.unwrap_err();
        assert_eq!(faults(&status), [(format!("alliance.{field}"), reason.to_owned())]);
    }
    let full = Alliance {
        shared_resources: ids(100).collect(),
        description: "字".repeat(4_096),
        display_name: "字".repeat(200),
        ..science_avenue()
    };
    assert_eq!(create(&office, full).await.unwrap().shared_resources.len(), 100);
}

#[tokio::test]
async fn members_join_leave_and_lead_from_a_day_on() {
    let office = office().await;
    create(&office, science_avenue()).await.unwrap();
    let changed = change(&office, changes(&["supervisor"], &["builder"], "designer", may(20))).await.unwrap();
    let expected = [
        member("builder", true, 1, Some(19)),
        member("designer", false, 1, Some(19)),
        member("designer", true, 20, None),
        member("supervisor", false, 20, None),
    ];
    assert_eq!(changed.members, expected);
    let event = events_after(&office, office.sequence() - 1).await.remove(0);
    assert_eq!((event.r#type.as_str(), event.event_date), ("milepost.alliance.members_changed", may(20)));
    let Some(Payload::AllianceMembersChanged(said)) = event.payload else { panic!() };
    assert_eq!(
        (said.joined, said.left),
        (vec![organization_name("supervisor")], vec![organization_name("builder")])
    );
    assert_eq!((said.lead, said.reason.as_str()), (organization_name("designer"), "调整"));
    let sequence = office.sequence();
    change(&office, changes(&[], &[], "designer", may(21))).await.unwrap();
    assert_eq!(office.sequence(), sequence, "who leads already");
    for (request, expected) in [
        (changes(&[], &["designer"], "", may(25)), condition("LEAD", ALLIANCE)),
        (changes(&[], &["builder"], "", may(25)), condition("NOT_MEMBER", &organization_name("builder"))),
        (changes(&["designer"], &[], "", may(25)), condition("OVERLAP", &organization_name("designer"))),
        (
            changes(&["never"], &[], "", may(25)),
            condition("REFERENCE_NOT_FOUND", &organization_name("never")),
        ),
    ] {
        assert_eq!(conditions(&change(&office, request).await.unwrap_err()), [expected]);
    }
    for (request, expected) in [
        (changes(&[], &[], "", None), vec![("joining", "NOTHING_CHANGES")]),
        (changes(&[], &["designer"], "designer", None), vec![("lead", "CONTRADICTION")]),
        (
            changes(&["builder", "builder"], &["builder"], "", None),
            vec![("joining[1]", "DUPLICATE"), ("leaving[0]", "CONTRADICTION")],
        ),
        (changes(&["builder"], &[], "", may(28)), vec![("date", "DATE_IN_FUTURE")]),
    ] {
        let found = faults(&change(&office, request).await.unwrap_err());
        let found: Vec<_> = found.iter().map(|(field, reason)| (&**field, &**reason)).collect();
        assert_eq!(found, expected);
    }
    assert_eq!(office.sequence(), sequence);
    // All leave together, and one comes back.
    change(&office, changes(&[], &["designer", "supervisor"], "", may(25))).await.unwrap();
    let back = change(&office, changes(&["designer"], &[], "designer", may(26))).await.unwrap();
    assert_eq!(back.members.last(), Some(&member("designer", true, 26, None)));
}

fn activity(kind: Kind, title: &str, day: i32, participants: &[&str]) -> Activity {
    Activity {
        kind: kind.into(),
        title: title.into(),
        date: may(day),
        participants: participants.iter().map(|id| organization_name(id)).collect(),
        ..Activity::default()
    }
}

async fn plan(office: &Office, id: &str, activity: Activity) -> Result<Activity, Status> {
    let request = CreateActivityRequest {
        parent: ALLIANCE.into(),
        activity_id: id.into(),
        activity: Some(activity),
        ..CreateActivityRequest::default()
    };
    Ok(office.activities().create_activity(request).await?.into_inner().activity.unwrap())
}

async fn hold(office: &Office, id: &str, date: Option<Date>) -> Result<Activity, Status> {
    let request =
        HoldActivityRequest { name: format!("{ALLIANCE}/activities/{id}"), date, ..Default::default() };
    Ok(office.activities().hold_activity(request).await?.into_inner().activity.unwrap())
}

async fn cancel(office: &Office, id: &str) -> Result<Activity, Status> {
    let (name, reason) = (format!("{ALLIANCE}/activities/{id}"), "下雨".into());
    let request = CancelActivityRequest { name, reason, ..CancelActivityRequest::default() };
    Ok(office.activities().cancel_activity(request).await?.into_inner().activity.unwrap())
}

#[tokio::test]
async fn the_four_practices_of_the_alliance_are_planned_held_and_found() {
    let office = office().await;
    create(&office, science_avenue()).await.unwrap();
    for (id, kind, day) in [
        ("founding", Kind::JointOrganization, 1),
        ("rooms", Kind::SharedResource, 10),
        ("volunteers", Kind::JointActivity, 20),
        ("training", Kind::SharedTraining, 31),
    ] {
        plan(&office, id, activity(kind, id, day, &["builder", "designer"])).await.unwrap();
    }
    let held = hold(&office, "volunteers", may(21)).await.unwrap();
    assert_eq!((held.state(), held.date, held.held_date), (State::Held, may(20), may(21)));
    let event = events_after(&office, office.sequence() - 1).await.remove(0);
    assert_eq!((event.r#type.as_str(), event.event_date), ("milepost.activity.held", may(21)));
    assert_eq!(hold(&office, "rooms", None).await.unwrap().held_date, may(27), "without a day it is today");
    let status = hold(&office, "training", may(31)).await.unwrap_err();
    assert_eq!(faults(&status), [("date".into(), "DATE_IN_FUTURE".into())]);
    let cancelled = cancel(&office, "training").await.unwrap();
    assert_eq!((cancelled.state(), cancelled.state_reason.as_str()), (State::Cancelled, "下雨"));
    let event = events_after(&office, office.sequence() - 1).await.remove(0);
    assert_eq!(event.r#type, "milepost.activity.cancelled");
    let wrong = (Code::FailedPrecondition, "WRONG_STATE".to_owned());
    assert_eq!(refusal(&hold(&office, "training", None).await.unwrap_err()), wrong);
    assert_eq!(refusal(&cancel(&office, "rooms").await.unwrap_err()), wrong);
    let list = ListActivitiesRequest {
        parent: "portfolios/wsc/alliances/-".into(),
        filter: "state = STATE_HELD".into(),
        order_by: "date desc".into(),
        ..ListActivitiesRequest::default()
    };
    let listed = office.activities().list_activities(list).await.unwrap().into_inner().activities;
    let titles: Vec<_> = listed.iter().map(|activity| activity.title.as_str()).collect();
    assert_eq!(titles, ["volunteers", "rooms"]);
}

#[tokio::test]
async fn who_takes_part_is_a_member_on_the_day() {
    let office = office().await;
    create(&office, science_avenue()).await.unwrap();
    change(&office, changes(&["supervisor"], &["designer"], "", may(20))).await.unwrap();
    let not_member = |id: &str| condition("NOT_MEMBER", &organization_name(id));
    let all = ["builder", "designer", "supervisor"];
    let status = plan(&office, "a", activity(Kind::JointActivity, "a", 19, &all)).await.unwrap_err();
    assert_eq!(conditions(&status), [not_member("supervisor")]);
    let status = plan(&office, "a", activity(Kind::JointActivity, "a", 20, &all)).await.unwrap_err();
    assert_eq!(conditions(&status), [not_member("designer")]);
    plan(&office, "a", activity(Kind::JointActivity, "a", 19, &["builder", "designer"])).await.unwrap();
    // Held later than it was planned, one of them is a member no longer.
    assert_eq!(conditions(&hold(&office, "a", may(20)).await.unwrap_err()), [not_member("designer")]);
    hold(&office, "a", may(19)).await.unwrap();
    let name = format!("{ALLIANCE}/activities/a");
    let update = async |activity: Activity, path: &str| {
        let (activity, update_mask) =
            (Some(Activity { name: name.clone(), ..activity }), Some(FieldMask { paths: vec![path.into()] }));
        let request = UpdateActivityRequest { activity, update_mask, ..UpdateActivityRequest::default() };
        office.activities().update_activity(request).await
    };
    let later = Activity { date: may(21), ..Activity::default() };
    let status = update(later, "date").await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let described = Activity { description: "四公里".into(), ..Activity::default() };
    update(described, "description").await.unwrap();
    let delete = DeleteActivityRequest { name: name.clone(), ..DeleteActivityRequest::default() };
    assert_eq!(
        office.activities().delete_activity(delete).await.unwrap_err().code(),
        Code::FailedPrecondition
    );
}

#[tokio::test]
async fn documents_show_that_an_activity_took_place() {
    let office = office().await;
    create(&office, science_avenue()).await.unwrap();
    plan(&office, "a", activity(Kind::SharedTraining, "a", 20, &[])).await.unwrap();
    plan(&office, "b", activity(Kind::SharedTraining, "b", 20, &[])).await.unwrap();
    let add = async |id: &str, sha256: Vec<u8>| {
        let (title, uri) = ("签到表".to_owned(), "https://example.com/list.pdf".to_owned());
        let evidence = Some(ActivityEvidence { title, uri, sha256, create_time: None });
        let name = format!("{ALLIANCE}/activities/{id}");
        let request = AddActivityEvidenceRequest { name, evidence, ..AddActivityEvidenceRequest::default() };
        office
            .activities()
            .add_activity_evidence(request)
            .await
            .map(|response| response.into_inner().activity.unwrap())
    };
    let added = add("a", vec![7; 32]).await.unwrap();
    assert_eq!(added.evidence.len(), 1);
    assert!(added.evidence[0].create_time.is_some());
    let sequence = office.sequence();
    assert_eq!(add("a", vec![7; 32]).await.unwrap(), added);
    assert_eq!(office.sequence(), sequence, "it is there already");
    let status = add("a", vec![7; 31]).await.unwrap_err();
    assert_eq!(faults(&status), [("evidence.sha256".into(), "INVALID_LENGTH".into())]);
    cancel(&office, "b").await.unwrap();
    let status = add("b", vec![7; 32]).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
}

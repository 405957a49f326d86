//! office.md, section 0: every act has a civil date: today in the portfolio's time zone unless it is given, and never a
//! later one. It is the date of the event.

use jiff::SignedDuration;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use tonic::Status;

use super::events::last_event;
use super::office::{
    Office, batch, batch_name, create_batch, faults, named, organization_name, project_name,
};
use super::reporting::list_name;

const COLLECTION: &str = "portfolios/wsc/collections/all";
const ALLIANCE: &str = "portfolios/wsc/alliances/all";

/// A day of May 2021. In Chongqing it is the 28th, in UTC still the 27th.
const fn may(day: i32) -> Option<Date> {
    Some(Date { year: 2021, month: 5, day })
}

async fn office() -> Office {
    let office = Office::with_portfolio().await;
    office.clock.advance(SignedDuration::from_hours(13));
    office.organization("all").await;
    office.batch("all", &[]).await;
    let parent = || "portfolios/wsc".to_owned();
    macro_rules! create {
        ($client:ident.$call:ident($Request:ident { $($field:tt)* })) => {
            let request = $Request { parent: parent(), $($field)*, ..$Request::default() };
            office.$client().$call(request).await.unwrap();
        };
    }
    create!(collections.create_collection(CreateCollectionRequest {
        collection_id: "all".into(),
        collection: Some(Collection { display_name: "全部".into(), ..Collection::default() })
    }));
    create!(annual_lists.create_annual_list(CreateAnnualListRequest {
        annual_list_id: "2021".into(),
        annual_list: Some(AnnualList::default())
    }));
    let lead = organization_name("all");
    let members = vec![AllianceMember { organization: lead, lead: true, joined: may(1), left: None }];
    create!(alliances.create_alliance(CreateAllianceRequest {
        alliance_id: "all".into(),
        alliance: Some(Alliance { display_name: "联盟".into(), members, ..Alliance::default() })
    }));
    office
}

/// Acts, and the events that say what they did.
const ACTS: [(&str, &str); 12] = [
    ("prepare", "project.prepared"),
    ("suspend", "project.suspended"),
    ("resume", "project.resumed"),
    ("cancel", "project.cancelled"),
    ("cancel-batch", "batch.cancelled"),
    ("cancel-activity", "activity.cancelled"),
    ("add-to-batch", "batch.members_changed"),
    ("remove-from-batch", "batch.members_changed"),
    ("add-to-collection", "collection.members_changed"),
    ("remove-from-collection", "collection.members_changed"),
    ("add-to-list", "annual_list.members_changed"),
    ("remove-from-list", "annual_list.members_changed"),
];

/// Makes what an act is done to.
async fn make(office: &Office, act: &str, id: &str) {
    match act {
        "cancel-batch" => {
            office.batches().create_batch(create_batch(id, batch(2021, 5, 27))).await.unwrap();
        }
        "cancel-activity" => {
            let activity = Activity {
                kind: activity::Kind::JointActivity.into(),
                title: "植树".into(),
                date: may(27),
                participants: vec![organization_name("all")],
                ..Activity::default()
            };
            let (parent, activity_id) = (ALLIANCE.to_owned(), id.to_owned());
            let request =
                CreateActivityRequest { parent, activity_id, activity: Some(activity), ..Default::default() };
            office.activities().create_activity(request).await.unwrap();
        }
        _ => drop(office.project(id, named(id)).await),
    }
    let first = match act {
        "resume" => "suspend",
        "remove-from-batch" => "add-to-batch",
        "remove-from-collection" => "add-to-collection",
        "remove-from-list" => "add-to-list",
        _ => return,
    };
    done(office, first, id, None, false).await.unwrap();
}

/// Does an act on a day, or only validates it.
async fn done(
    office: &Office,
    act: &str,
    id: &str,
    date: Option<Date>,
    validate_only: bool,
) -> Result<(), Status> {
    let reason = || "因为".to_owned();
    macro_rules! call {
        ($client:ident.$call:ident($Request:ident { $($field:tt)* })) => {{
            let request = $Request { $($field)*, date, validate_only, ..$Request::default() };
            office.$client().$call(request).await?;
        }};
    }
    let (name, members) = (project_name(id), vec![project_name(id)]);
    match act {
        "prepare" => call!(projects.prepare_project(PrepareProjectRequest { name })),
        "suspend" => call!(projects.suspend_project(SuspendProjectRequest { name, reason: reason() })),
        "resume" => call!(projects.resume_project(ResumeProjectRequest { name, reason: reason() })),
        "cancel" => call!(projects.cancel_project(CancelProjectRequest { name, reason: reason() })),
        "cancel-batch" => {
            call!(batches.cancel_batch(CancelBatchRequest { name: batch_name(id), reason: reason() }));
        }
        "cancel-activity" => {
            let name = format!("{ALLIANCE}/activities/{id}");
            call!(activities.cancel_activity(CancelActivityRequest { name, reason: reason() }));
        }
        "add-to-batch" => {
            let name = batch_name("all");
            call!(batches.add_batch_members(AddBatchMembersRequest { name, members }));
        }
        "remove-from-batch" => {
            let name = batch_name("all");
            call!(batches.remove_batch_members(RemoveBatchMembersRequest { name, members }));
        }
        "add-to-collection" => {
            let name = COLLECTION.to_owned();
            call!(collections.add_collection_members(AddCollectionMembersRequest { name, members }));
        }
        "remove-from-collection" => {
            let name = COLLECTION.to_owned();
            call!(collections.remove_collection_members(RemoveCollectionMembersRequest { name, members }));
        }
        "add-to-list" => {
            let name = list_name("2021");
            call!(annual_lists.add_annual_list_members(AddAnnualListMembersRequest { name, members }));
        }
        "remove-from-list" => {
            let name = list_name("2021");
            call!(annual_lists.remove_annual_list_members(RemoveAnnualListMembersRequest { name, members }));
        }
        other => panic!("{other}"),
    }
    Ok(())
}

#[tokio::test]
async fn the_event_of_an_act_is_of_its_day_which_is_today_unless_it_is_given() {
    let office = office().await;
    for (act, event_type) in ACTS {
        for (given, day) in [(None, may(28)), (may(28), may(28)), (may(20), may(20))] {
            let id = format!("{act}-{}", given.map_or(0, |given| given.day));
            make(&office, act, &id).await;
            done(&office, act, &id, given, false).await.unwrap();
            let event = last_event(&office).await;
            assert_eq!((event.r#type, event.event_date), (format!("milepost.{event_type}"), day), "{act}");
        }
    }
}

#[tokio::test]
async fn no_act_is_of_a_day_that_has_not_come() {
    let office = office().await;
    for (act, _) in ACTS {
        make(&office, act, act).await;
        let rows = office.rows();
        for validate_only in [true, false] {
            for (date, reason) in
                [(may(29), "DATE_IN_FUTURE"), (Some(Date { month: 2, ..may(30).unwrap() }), "INVALID_DATE")]
            {
                let refused = done(&office, act, act, date, validate_only).await.unwrap_err();
                assert_eq!(faults(&refused), [("date".to_owned(), reason.to_owned())], "{act}");
            }
        }
        done(&office, act, act, may(20), true).await.unwrap();
        assert_eq!(office.rows(), rows, "{act} changed something");
    }
}

#[tokio::test]
async fn what_is_in_construction_was_not_stopped_resumed_or_given_up_before_it_started() {
    let office = office().await;
    let refused = async |act: &str, id: &str| {
        let refused = done(&office, act, id, may(9), false).await.unwrap_err();
        assert_eq!(faults(&refused), [("date".to_owned(), "DATE_TOO_EARLY".to_owned())], "{act}");
    };
    office.project("x", named("x")).await;
    // Before it starts, no day is too early.
    done(&office, "suspend", "x", may(9), false).await.unwrap();
    done(&office, "resume", "x", may(9), false).await.unwrap();
    let start = StartProjectRequest { name: project_name("x"), start_date: may(10), ..Default::default() };
    office.projects().start_project(start).await.unwrap();
    refused("suspend", "x").await;
    refused("cancel", "x").await;
    done(&office, "suspend", "x", may(10), false).await.unwrap();
    refused("resume", "x").await;
    refused("cancel", "x").await;
    done(&office, "resume", "x", may(10), false).await.unwrap();
    done(&office, "cancel", "x", may(10), false).await.unwrap();
}

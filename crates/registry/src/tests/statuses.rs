//! The machine of statuses: every move from every status.

use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::project::Status::{self, *};
use milepost_proto::registry::v1::*;
use tonic::Code;
use tonic_types::StatusExt;

use super::office::{Office, faults, named, project_name, refusal};

const MOVES: [&str; 7] = ["prepare", "start", "complete", "commission", "suspend", "resume", "cancel"];

/// Moves a project, for a reason, on this day if the move is of a day.
async fn go(office: &Office, id: &str, step: &str, day: Option<i32>) -> Result<Project, tonic::Status> {
    let (mut client, name, reason) = (office.projects(), project_name(id), "因为".to_owned());
    let date = day.map(|day| Date { year: 2021, month: 5, day });
    macro_rules! ask {
        ($call:ident, $Request:ident $(, $date:ident)?) => {{
            let request = $Request { name, reason, $($date: date,)? ..$Request::default() };
            client.$call(request).await?.into_inner().project.unwrap()
        }};
    }
    Ok(match step {
        "prepare" => ask!(prepare_project, PrepareProjectRequest),
        "start" => ask!(start_project, StartProjectRequest, start_date),
        "complete" => ask!(complete_project, CompleteProjectRequest, completion_date),
        "commission" => ask!(commission_project, CommissionProjectRequest, commission_date),
        "suspend" => ask!(suspend_project, SuspendProjectRequest),
        "resume" => ask!(resume_project, ResumeProjectRequest),
        _ => ask!(cancel_project, CancelProjectRequest),
    })
}

/// A new project on which these moves were made.
async fn after(office: &Office, id: &str, steps: &[&str]) -> Project {
    let mut project = office.project(id, named(id)).await;
    for step in steps {
        project = go(office, id, step, None).await.unwrap();
    }
    project
}

/// How to get to a status, which it is, and to which one each move leads from it.
type Way = (&'static [&'static str], Status, &'static [(&'static str, Status)]);

/// Every status.
const WAYS: [Way; 9] = [
    (
        &[],
        Proposed,
        &[("prepare", Preparation), ("start", Construction), ("suspend", Suspended), ("cancel", Cancelled)],
    ),
    (&["prepare"], Preparation, &[("start", Construction), ("suspend", Suspended), ("cancel", Cancelled)]),
    (&["start"], Construction, &[("complete", Completed), ("suspend", Suspended), ("cancel", Cancelled)]),
    (&["start", "complete"], Completed, &[("commission", InService)]),
    (&["start", "complete", "commission"], InService, &[]),
    (&["suspend"], Suspended, &[("resume", Proposed), ("cancel", Cancelled)]),
    (&["prepare", "suspend"], Suspended, &[("resume", Preparation), ("cancel", Cancelled)]),
    (&["start", "suspend"], Suspended, &[("resume", Construction), ("cancel", Cancelled)]),
    (&["cancel"], Cancelled, &[]),
];

#[tokio::test]
async fn each_move_leads_from_these_statuses_to_that_one_and_from_no_other() {
    let office = Office::with_portfolio().await;
    for (i, (steps, status, leads)) in WAYS.into_iter().enumerate() {
        for step in MOVES {
            let id = format!("p{i}-{step}");
            let before = after(&office, &id, steps).await;
            assert_eq!(before.status(), status);
            let to = leads.iter().find(|(known, _)| *known == step).map(|(_, to)| *to);
            match (go(&office, &id, step, None).await, to) {
                (Ok(moved), Some(to)) => {
                    assert_eq!((moved.status(), moved.status_reason.as_str()), (to, "因为"), "{id}");
                    let resumes_at = if to == Suspended { status } else { Unspecified };
                    assert_eq!(moved.suspended_status(), resumes_at, "{id}");
                }
                (Err(refused), None) => {
                    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "WRONG_STATE".into()), "{id}");
                    assert_eq!(
                        refused.get_details_error_info().unwrap().metadata["state"],
                        status.as_str_name()
                    );
                    assert_eq!(office.get_project(&id).await, before, "{id}");
                }
                (outcome, to) => panic!("{id}: {outcome:?} and not {to:?}"),
            }
        }
    }
}

#[tokio::test]
async fn start_and_completion_are_the_actual_period() {
    let office = Office::with_portfolio().await;
    after(&office, "x", &[]).await;
    let day = |day| Some(Date { year: 2021, month: 5, day });
    let period = |project: &Project| project.actual_period.map(|period| (period.start_date, period.end_date));
    let started = go(&office, "x", "start", Some(20)).await.unwrap();
    assert_eq!(period(&started), Some((day(20), None)));
    let early = go(&office, "x", "complete", Some(19)).await.unwrap_err();
    assert_eq!(faults(&early), [("completion_date".into(), "INVALID_PERIOD".into())]);
    let done = go(&office, "x", "complete", Some(21)).await.unwrap();
    assert_eq!(period(&done), Some((day(20), day(21))));
    let used = go(&office, "x", "commission", None).await.unwrap();
    assert_eq!(period(&used), period(&done), "it says nothing of the building");
    // Without a day it is today.
    let today = after(&office, "y", &["start", "complete"]).await;
    assert_eq!(period(&today), Some((day(27), day(27))));
}

/// office.md, section 0: every act carries a civil date.
#[tokio::test]
async fn what_is_completed_is_in_service_from_a_day_on_that_is_not_before() {
    let office = Office::with_portfolio().await;
    let day = |day| Some(Date { year: 2021, month: 5, day });
    for (id, used) in [("same", 21), ("later", 24)] {
        after(&office, id, &[]).await;
        go(&office, id, "start", Some(20)).await.unwrap();
        let done = go(&office, id, "complete", Some(21)).await.unwrap();
        let early = go(&office, id, "commission", Some(20)).await.unwrap_err();
        assert_eq!(faults(&early), [("commission_date".into(), "DATE_TOO_EARLY".into())]);
        assert_eq!(office.get_project(id).await, done);
        let in_service = go(&office, id, "commission", Some(used)).await.unwrap();
        assert_eq!((in_service.status(), in_service.actual_period), (InService, done.actual_period));
        let event = super::events::last_event(&office).await;
        assert_eq!((event.r#type.as_str(), event.event_date), ("milepost.project.commissioned", day(used)));
    }
}

#[tokio::test]
async fn no_move_is_of_tomorrow() {
    let office = Office::with_portfolio().await;
    let cases: [(&[&str], &str, &str); 3] = [
        (&[], "start", "start_date"),
        (&["start"], "complete", "completion_date"),
        (&["start", "complete"], "commission", "commission_date"),
    ];
    for (steps, step, field) in cases {
        let before = after(&office, step, steps).await;
        let refused = go(&office, step, step, Some(28)).await.unwrap_err();
        assert_eq!(faults(&refused), [(field.into(), "DATE_IN_FUTURE".into())]);
        assert_eq!(office.get_project(step).await, before);
    }
}

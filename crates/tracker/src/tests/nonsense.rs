//! What no caller should send, and what each gets for it.

use tonic::Code;
use tonic_types::StatusExt;

use super::*;
use crate::tests::running::reason;

#[tokio::test]
async fn every_faulty_field_is_named_at_once() {
    let (_registry, mut tracker) = road().await;
    let request = CreateMilestoneRequest {
        parent: "road".into(),
        milestone_id: "UP".into(),
        milestone: Some(Milestone {
            display_name: "x".repeat(10_000_000),
            baseline_date: Some(DateMessage { year: 2021, month: 2, day: 30 }),
            ..Milestone::default()
        }),
        request_id: "a b".into(),
        validate_only: false,
    };
    let refused = tracker.client.create_milestone(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    let details = refused.get_error_details();
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|found| found.field.as_str()).collect();
    assert_eq!(
        fields,
        ["request_id", "parent", "milestone_id", "milestone.baseline_date", "milestone.display_name"]
    );
    tracker.stop().await;
}

#[tokio::test]
async fn nonsense_is_refused_by_every_method_with_the_same_form() {
    let (_registry, mut tracker) = road().await;
    tracker.created(create("start")).await;
    let name = "portfolios/wsc/projects/road/milestones/../start".to_owned();
    let get = GetMilestoneRequest { name: name.clone(), ..Default::default() };
    let list = ListMilestonesRequest { parent: "portfolios/-/projects/road".into(), ..Default::default() };
    let filter = ListMilestonesRequest {
        parent: "portfolios/-/projects/-".into(),
        filter: "state = STATE_PLANNED OR code".into(),
        ..Default::default()
    };
    let token = ListMilestonesRequest {
        parent: "portfolios/-/projects/-".into(),
        page_token: "科学城".repeat(100_000),
        ..Default::default()
    };
    let forecasts = ListMilestoneForecastsRequest { name: name.clone(), ..Default::default() };
    let achieve = AchieveMilestoneRequest { name: name.clone(), etag: "yes".into(), ..Default::default() };
    let miss = MissMilestoneRequest { name: name.clone(), ..Default::default() };
    let advance = AdvanceDateRequest { portfolio: "wsc".into(), ..Default::default() };
    let answers = [
        (tracker.client.get_milestone(get).await.unwrap_err(), "INVALID_FIELDS"),
        (tracker.client.list_milestones(list).await.unwrap_err(), "INVALID_FIELDS"),
        (tracker.client.list_milestones(filter).await.unwrap_err(), "INVALID_FILTER"),
        (tracker.client.list_milestones(token).await.unwrap_err(), "PAGE_TOKEN_INVALID"),
        (tracker.client.list_milestone_forecasts(forecasts).await.unwrap_err(), "INVALID_FIELDS"),
        (tracker.client.achieve_milestone(achieve).await.unwrap_err(), "INVALID_FIELDS"),
        (tracker.client.miss_milestone(miss).await.unwrap_err(), "INVALID_FIELDS"),
        (tracker.client.advance_date(advance).await.unwrap_err(), "INVALID_FIELDS"),
    ];
    for (status, wanted) in answers {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, wanted), "{status:?}");
    }
    let many = BatchCreateMilestonesRequest {
        parent: PROJECT.into(),
        requests: vec![create(""); 1001],
        ..Default::default()
    };
    let refused = tracker.client.batch_create_milestones(many).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let missing = GetMilestoneRequest { name: format!("{PROJECT}/milestones/end"), ..Default::default() };
    let missing = tracker.client.get_milestone(missing).await.unwrap_err();
    assert_eq!((missing.code(), reason(&missing).as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
    tracker.stop().await;
}

#[tokio::test]
async fn a_page_token_of_another_request_is_refused() {
    let (_registry, mut tracker) = road().await;
    for id in ["a", "b", "c"] {
        tracker.created(create(id)).await;
    }
    let list = ListMilestonesRequest {
        parent: PROJECT.into(),
        page_size: 2,
        order_by: "forecast_date".into(),
        ..Default::default()
    };
    let first = tracker.client.list_milestones(list.clone()).await.unwrap().into_inner();
    assert_eq!(first.milestones.len(), 2);
    let rest = ListMilestonesRequest { page_token: first.next_page_token, ..list };
    let last = tracker.client.list_milestones(rest.clone()).await.unwrap().into_inner();
    assert_eq!((last.milestones.len(), last.next_page_token.as_str()), (1, ""));
    let other = ListMilestonesRequest { order_by: String::new(), ..rest };
    let refused = tracker.client.list_milestones(other).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "PAGE_TOKEN_INVALID"));
    tracker.stop().await;
}

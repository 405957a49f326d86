//! Supervision through the wire: scenario 4 of the office, word for word, but for who acts on behalf of somebody else: that
//! takes credentials, which nothing here checks (see `supervision::tests` and the end-to-end cases).

use milepost_proto::tracker::v1::finding_service_client::FindingServiceClient;
use milepost_proto::tracker::v1::inspection_service_client::InspectionServiceClient;
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_proto::tracker::v1::rectification_order_service_client::RectificationOrderServiceClient;
use milepost_proto::tracker::v1::review_rectification_order_request::Verdict;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use super::*;

const ORDER: &str = "portfolios/wsc/projects/road/rectificationOrders/order";

/// A Monday.
const DUE: Date = jiff::civil::date(2021, 5, 10);

/// A request of somebody.
fn by<M>(principal: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    if !principal.is_empty() {
        request.metadata_mut().insert("x-milepost-principal", principal.parse().unwrap());
    }
    request
}

/// The kinds of the conditions that a call did not meet.
fn unmet(status: Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations =
        details.precondition_failure().unwrap_or_else(|| panic!("{status:?}")).violations.clone();
    violations.into_iter().map(|violation| violation.r#type).collect()
}

fn answer() -> AnswerRectificationOrderRequest {
    AnswerRectificationOrderRequest { name: ORDER.into(), text: "已整改".into(), ..Default::default() }
}

fn review(verdict: Verdict) -> ReviewRectificationOrderRequest {
    let (name, reason) = (ORDER.to_owned(), "不完整".to_owned());
    ReviewRectificationOrderRequest { name, verdict: verdict.into(), reason, ..Default::default() }
}

/// A finding that is MAJOR, of an inspection of 20 April, and an order of 26 April to put it right by 10 May.
async fn order(channel: &Channel) -> RectificationOrder {
    let mut inspections = InspectionServiceClient::new(channel.clone());
    let inspection = Inspection {
        title: "巡查".into(),
        kind: inspection::Kind::Daily.into(),
        aspects: vec![Aspect::Safety.into()],
        ..Inspection::default()
    };
    let request = CreateInspectionRequest {
        parent: PROJECT.into(),
        inspection_id: "inspection".into(),
        inspection: Some(inspection),
        ..Default::default()
    };
    let created = inspections.create_inspection(by("user:corp/i", request)).await.unwrap().into_inner();
    let inspection = created.inspection.unwrap().name;
    let date = day(jiff::civil::date(2021, 4, 20));
    let request = CompleteInspectionRequest { name: inspection.clone(), date, ..Default::default() };
    inspections.complete_inspection(by("user:corp/i", request)).await.unwrap();
    let finding = Finding {
        inspection,
        title: "临边防护缺失".into(),
        aspect: Aspect::Safety.into(),
        severity: finding::Severity::Major.into(),
        ..Finding::default()
    };
    let request =
        CreateFindingRequest { parent: PROJECT.into(), finding: Some(finding), ..Default::default() };
    let mut findings = FindingServiceClient::new(channel.clone());
    let created = findings.create_finding(by("user:corp/i", request)).await.unwrap().into_inner();
    let order = RectificationOrder {
        title: "限期整改".into(),
        findings: vec![created.finding.unwrap().name],
        responsible: "organizations/builder".into(),
        due_date: day(DUE),
        issue_date: day(jiff::civil::date(2021, 4, 26)),
        ..RectificationOrder::default()
    };
    let request = CreateRectificationOrderRequest {
        parent: PROJECT.into(),
        rectification_order_id: "order".into(),
        rectification_order: Some(order),
        ..Default::default()
    };
    let mut orders = RectificationOrderServiceClient::new(channel.clone());
    let created = orders.create_rectification_order(by("user:corp/i", request)).await.unwrap().into_inner();
    created.rectification_order.unwrap()
}

impl Running {
    /// Lets a day begin, at its noon.
    async fn begin(&mut self, day: Date) {
        self.clock.set(format!("{day}T04:00:00Z").parse().unwrap());
        let (portfolio, date) = ("portfolios/wsc".to_owned(), super::day(day));
        let request = AdvanceDateRequest { portfolio, date, ..Default::default() };
        self.client.advance_date(request).await.unwrap();
    }
}

/// office.md, section 9, scenario 4: Due 2021-05-10, answered that day by A. A, and B on behalf of A, cannot review
/// (`SAME_PERSON`), nor can nobody (`ACTOR_UNKNOWN`). C returns it 05-11: RED at once. A answers; C accepting a MAJOR
/// without follow-up: `FOLLOW_UP`.
#[tokio::test]
async fn scenario_4_order() {
    let (_registry, mut tracker) = road().await;
    tracker.begin(DUE).await;
    let issued = order(&tracker.channel).await;
    assert_eq!((issued.state(), issued.light(), issued.due_date), (State::Issued, Light::Blue, day(DUE)));
    let mut orders = RectificationOrderServiceClient::new(tracker.channel.clone());
    orders.answer_rectification_order(by("user:corp/a", answer())).await.unwrap();
    for verdict in [Verdict::Accept, Verdict::Return] {
        let refused =
            orders.review_rectification_order(by("user:corp/a", review(verdict))).await.unwrap_err();
        assert!(unmet(refused).contains(&"SAME_PERSON".to_owned()));
        let refused = orders.review_rectification_order(by("", review(verdict))).await.unwrap_err();
        assert!(unmet(refused).contains(&"ACTOR_UNKNOWN".to_owned()));
    }
    tracker.begin(jiff::civil::date(2021, 5, 11)).await;
    let returned =
        orders.review_rectification_order(by("user:corp/c", review(Verdict::Return))).await.unwrap();
    let returned = returned.into_inner().rectification_order.unwrap();
    assert_eq!((returned.state(), returned.light()), (State::Returned, Light::Red));
    orders.answer_rectification_order(by("user:corp/a", answer())).await.unwrap();
    let refused =
        orders.review_rectification_order(by("user:corp/c", review(Verdict::Accept))).await.unwrap_err();
    assert_eq!(unmet(refused), ["FOLLOW_UP"]);
    let story = tracker.story().join(" ");
    let orders: Vec<_> = story.split(' ').filter(|kind| kind.starts_with("rectification_order.")).collect();
    let expected = [
        "rectification_order.created",
        "rectification_order.light_changed",
        "rectification_order.answered",
        "rectification_order.light_changed",
        "rectification_order.returned",
        "rectification_order.light_changed",
        "rectification_order.answered",
        "rectification_order.light_changed",
    ];
    assert_eq!(orders, expected);
    tracker.stop().await;
}

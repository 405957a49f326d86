//! Another person, on a real server that knows its callers: whoever did something does not approve it, nor does anybody for
//! them, nor do they for others; and nobody, which only a server without access can hear, is no person.

use milepost_client::Client;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::campaign_criterion::Kind as Criterion;
use milepost_proto::tracker::v1::finding::Severity;
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_proto::tracker::v1::review_rectification_order_request::Verdict;
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::*;
use milepost_tests::Role;
use milepost_tests::protected::Protected;
use tonic::Status;
use tonic_types::StatusExt;

const PORTFOLIO: &str = "portfolios/wsc";
const PROJECT: &str = "portfolios/wsc/projects/road";
const ORDER: &str = "portfolios/wsc/projects/road/rectificationOrders/order";
const CAMPAIGN: &str = "portfolios/wsc/campaigns/spring";
const EXCUSE: &str = "portfolios/wsc/projects/road/excuses/flood";

fn on(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// A day of May 2021.
fn may(day: i32) -> Option<Date> {
    on(2021, 5, day)
}

/// The principal of a name.
fn id(name: &str) -> String {
    format!("cert:urn:office:{name}")
}

/// The kinds of the conditions that a call did not meet, each of what it names.
#[track_caller]
fn unmet<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<(String, String)> {
    let status = answer.expect_err("it is refused");
    let details = status.get_error_details();
    let failure = details.precondition_failure().unwrap_or_else(|| panic!("{status:?}"));
    let violations = failure.violations.iter();
    violations.map(|found| (found.r#type.clone(), found.subject.clone())).collect()
}

#[track_caller]
fn assert_unmet<T: std::fmt::Debug>(answer: Result<T, Status>, kind: &str, subject: &str) {
    assert_eq!(unmet(answer), [(kind.to_owned(), subject.to_owned())]);
}

/// A server with the people `inspector`, `a`, `b` and `c`, all of whom may do whatever there is to do, and `b` for others; and
/// the project `road`.
async fn office() -> Protected {
    let names = ["inspector", "a", "b", "c"];
    let office = Protected::start(&names, &[]).await;
    office.portfolio("wsc").await;
    for name in names {
        for role in ["manager", "planner", "inspector", "approver"] {
            office.grant(&format!("grants/{name}-{role}"), &id(name), role).await;
        }
    }
    office.grant("grants/b-delegate", &id("b"), "delegate").await;
    let project = registry::CreateProjectRequest {
        parent: PORTFOLIO.into(),
        project_id: "road".into(),
        project: Some(registry::Project { display_name: "路".into(), ..Default::default() }),
        ..Default::default()
    };
    office.client(Some("inspector")).projects().create_project(project).await.expect("a project");
    office
}

/// B, on behalf of somebody.
fn b_for(office: &Protected, name: &str) -> Client {
    office.client(Some("b")).with_on_behalf_of(&id(name)).expect("an id")
}

/// An inspection of 20 April 2021 that found a MAJOR fault, and the order of 26 April to put it right by 10 May.
async fn order(inspector: &Client, due_date: Option<Date>) -> RectificationOrder {
    inspect(inspector, "walk", inspection::Kind::Daily, "", on(2021, 4, 20)).await;
    let finding = CreateFindingRequest {
        parent: PROJECT.into(),
        finding_id: "rail".into(),
        finding: Some(Finding {
            inspection: format!("{PROJECT}/inspections/walk"),
            title: "护栏缺失".into(),
            aspect: Aspect::Safety.into(),
            severity: Severity::Major.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    inspector.findings().create_finding(finding).await.expect("a finding");
    let order = CreateRectificationOrderRequest {
        parent: PROJECT.into(),
        rectification_order_id: "order".into(),
        rectification_order: Some(RectificationOrder {
            title: "补设护栏".into(),
            findings: vec![format!("{PROJECT}/findings/rail")],
            responsible: "organizations/builder".into(),
            issue_date: on(2021, 4, 26),
            due_date,
            ..Default::default()
        }),
        ..Default::default()
    };
    let created = inspector.rectification_orders().create_rectification_order(order).await;
    created.expect("an order").into_inner().rectification_order.expect("the order")
}

/// An inspection that took place on a day.
async fn inspect(by: &Client, id: &str, kind: inspection::Kind, follows: &str, date: Option<Date>) {
    let inspection = CreateInspectionRequest {
        parent: PROJECT.into(),
        inspection_id: id.into(),
        inspection: Some(Inspection {
            title: "巡查".into(),
            kind: kind.into(),
            aspects: vec![Aspect::Safety.into()],
            follows: follows.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    by.inspections().create_inspection(inspection).await.expect("an inspection");
    let name = format!("{PROJECT}/inspections/{id}");
    let done = CompleteInspectionRequest { name, date, ..Default::default() };
    by.inspections().complete_inspection(done).await.expect("it is done");
}

async fn answer(by: &Client, date: Option<Date>) -> Result<RectificationOrder, Status> {
    let request = AnswerRectificationOrderRequest {
        name: ORDER.into(),
        text: "已整改".into(),
        date,
        ..Default::default()
    };
    let answer = by.rectification_orders().answer_rectification_order(request).await?;
    Ok(answer.into_inner().rectification_order.expect("the order"))
}

async fn review(by: &Client, verdict: Verdict, date: Option<Date>) -> Result<RectificationOrder, Status> {
    let (name, reason) = (ORDER.to_owned(), "不完整".to_owned());
    let verdict = verdict.into();
    let request = ReviewRectificationOrderRequest { name, verdict, reason, date, ..Default::default() };
    let answer = by.rectification_orders().review_rectification_order(request).await?;
    Ok(answer.into_inner().rectification_order.expect("the order"))
}

/// office.md, section 9, scenario 4: due 2021-05-10, answered that day by A. A, and B on behalf of A, cannot review
/// (`SAME_PERSON`), nor can nobody (`ACTOR_UNKNOWN`). C returns it 05-11: RED at once. A answers; C accepting a MAJOR without
/// follow-up: `FOLLOW_UP`. After a follow-up that is DONE it closes.
#[tokio::test(flavor = "multi_thread")]
async fn office_scenario_4_whole_on_a_server_that_knows_its_callers() {
    let mut office = office().await;
    let [inspector, a, b, c] = ["inspector", "a", "b", "c"].map(|name| office.client(Some(name)));
    let b_for_a = b_for(&office, "a");
    let issued = order(&inspector, may(10)).await;
    assert_eq!((issued.state(), issued.due_date), (State::Issued, may(10)));
    let answered = answer(&a, may(10)).await.expect("it is answered");
    assert_eq!((answered.state(), answered.light()), (State::Answered, Light::None));
    let person = answered.answers[0].answered_by.clone().expect("a person");
    assert_eq!((person.principal, person.on_behalf_of), (id("a"), String::new()));
    for verdict in [Verdict::Accept, Verdict::Return] {
        // Whoever accepts it hears of the follow-up at once, too.
        let missing = |kind: &str| match verdict {
            Verdict::Accept => vec![(kind.to_owned(), ORDER.to_owned()), follow_up()],
            _ => vec![(kind.to_owned(), ORDER.to_owned())],
        };
        assert_eq!(unmet(review(&a, verdict, may(11)).await), missing("SAME_PERSON"));
        assert_eq!(unmet(review(&b_for_a, verdict, may(11)).await), missing("SAME_PERSON"));
    }
    // The same office without access, where callers need not say who they are.
    let protection = open_to_all(&mut office).await;
    let nobody = office.cluster.client(1);
    assert_unmet(review(&nobody, Verdict::Return, may(11)).await, "ACTOR_UNKNOWN", ORDER);
    let claimed = |name: &str| nobody.clone().with_principal(&id(name)).expect("an id");
    let claimed_for_a = claimed("b").with_on_behalf_of(&id("a")).expect("an id");
    for same in [claimed("a"), claimed_for_a] {
        assert_unmet(review(&same, Verdict::Return, may(11)).await, "SAME_PERSON", ORDER);
    }
    protect(&mut office, protection).await;

    let returned = review(&c, Verdict::Return, may(11)).await.expect("C is another person");
    assert_eq!((returned.state(), returned.light()), (State::Returned, Light::Red), "at once");
    let review_date = returned.answers[0].review_date;
    assert_eq!((review_date, returned.answers[0].return_reason.as_str()), (may(11), "不完整"));
    answer(&a, may(12)).await.expect("it is answered again");
    assert_eq!(unmet(review(&c, Verdict::Accept, may(13)).await), [follow_up()]);
    let walk = format!("{PROJECT}/inspections/walk");
    // What took place before the last answer did not look at it, and what is planned did not take place.
    inspect(&inspector, "early", inspection::Kind::FollowUp, &walk, may(11)).await;
    assert_eq!(unmet(review(&c, Verdict::Accept, may(13)).await), [follow_up()]);
    inspect(&inspector, "late", inspection::Kind::FollowUp, &walk, may(13)).await;
    assert_unmet(review(&a, Verdict::Accept, may(13)).await, "SAME_PERSON", ORDER);
    assert_unmet(review(&b_for_a, Verdict::Accept, may(13)).await, "SAME_PERSON", ORDER);
    let closed = review(&c, Verdict::Accept, may(13)).await.expect("it is accepted");
    assert_eq!((closed.state(), closed.light()), (State::Closed, Light::None));
    assert_eq!(closed.on_time, Some(false), "the accepted answer came two days late");
    let get = GetFindingRequest { name: format!("{PROJECT}/findings/rail"), ..Default::default() };
    let finding = b.findings().get_finding(get).await.expect("the finding").into_inner().finding;
    assert_eq!(finding.expect("the finding").state(), finding::State::Closed);
}

/// The condition that a MAJOR finding of the order was not followed up.
fn follow_up() -> (String, String) {
    ("FOLLOW_UP".to_owned(), format!("{PROJECT}/findings/rail"))
}

/// Starts the server without access; says what it was started with before.
async fn open_to_all(office: &mut Protected) -> Vec<(String, String)> {
    assert!(office.cluster.stop(Role::All).await.success(), "it stops in order");
    let before = office.cluster.launch(Role::All).set.clone();
    office
        .cluster
        .launch(Role::All)
        .set
        .retain(|(key, _)| !key.starts_with("tls.") && !key.starts_with("access."));
    office.cluster.start_one(Role::All).await;
    before
}

/// Starts it again as it was.
async fn protect(office: &mut Protected, set: Vec<(String, String)>) {
    assert!(office.cluster.stop(Role::All).await.success(), "it stops in order");
    office.cluster.launch(Role::All).set = set;
    office.cluster.start_one(Role::All).await;
}

/// office.md, sections 0 and 6: Extend is granted by another person than asked for it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_for_an_extension_does_not_grant_it_also_not_through_a_delegate() {
    let office = office().await;
    let [inspector, a, b, c] = ["inspector", "a", "b", "c"].map(|name| office.client(Some(name)));
    let (b_for_a, b_for_c) = (b_for(&office, "a"), b_for(&office, "c"));
    order(&inspector, may(10)).await;
    let ask = async |by: &Client| {
        let request = RequestRectificationOrderExtensionRequest {
            name: ORDER.into(),
            due_date: may(20),
            reason: "雨天".into(),
            date: may(7),
            ..Default::default()
        };
        by.rectification_orders()
            .request_rectification_order_extension(request)
            .await
            .expect("it is asked for");
    };
    let extend = async |by: &Client| -> Result<RectificationOrder, Status> {
        let (name, reason) = (ORDER.to_owned(), "同意".to_owned());
        let request = ExtendRectificationOrderRequest { name, reason, date: may(8), ..Default::default() };
        let answer = by.rectification_orders().extend_rectification_order(request).await?;
        Ok(answer.into_inner().rectification_order.expect("the order"))
    };
    ask(&a).await;
    for by in [&a, &b_for_a] {
        assert_unmet(extend(by).await, "SAME_PERSON", ORDER);
    }
    // Asked for by B on behalf of A, it is granted by neither.
    ask(&b_for_a).await;
    for by in [&a, &b, &b_for_a, &b_for_c] {
        assert_unmet(extend(by).await, "SAME_PERSON", ORDER);
    }
    let extended = extend(&c).await.expect("C is another person");
    assert_eq!(extended.due_date, may(20));
    assert_eq!(extended.extension.expect("an extension").previous_due_date, may(10));
}

/// office.md, sections 0 and 4: an excuse is granted or refused by another person than asked for it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_for_an_excuse_does_not_grant_it_also_not_for_whom_it_was_asked() {
    let office = office().await;
    let [a, b, c] = ["a", "b", "c"].map(|name| office.client(Some(name)));
    let (b_for_a, b_for_c) = (b_for(&office, "a"), b_for(&office, "c"));
    let band = WarningBand { light: WarningLight::Red.into(), low: "30".into(), ..Default::default() };
    let policy = WarningPolicy {
        display_name: "进度".into(),
        period: warning_policy::Period::Quarter.into(),
        tests: vec![WarningTest {
            metric: Metric::Investment.into(),
            comparison: Comparison::PointGap.into(),
            bands: vec![band],
        }],
        excusable: true,
        ..Default::default()
    };
    let create = CreateWarningPolicyRequest {
        parent: PORTFOLIO.into(),
        warning_policy_id: "gap".into(),
        warning_policy: Some(policy),
        ..Default::default()
    };
    c.warning_policies().create_warning_policy(create).await.expect("a policy");
    let name = format!("{PORTFOLIO}/warningPolicies/gap");
    let adopt = AdoptWarningPolicyRequest { name: name.clone(), date: may(1), ..Default::default() };
    a.warning_policies().adopt_warning_policy(adopt).await.expect("it is adopted");
    let excuse = CreateExcuseRequest {
        parent: PROJECT.into(),
        excuse_id: "flood".into(),
        excuse: Some(Excuse {
            policy: name,
            period_ends: vec![on(2021, 6, 30).expect("a day")],
            text: "洪水".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    b_for_a.excuses().create_excuse(excuse).await.expect("it is asked for");
    for by in [&a, &b, &b_for_a, &b_for_c] {
        let grant = GrantExcuseRequest { name: EXCUSE.into(), reason: "属实".into(), ..Default::default() };
        assert_unmet(by.excuses().grant_excuse(grant).await, "SAME_PERSON", EXCUSE);
        let refuse =
            RefuseExcuseRequest { name: EXCUSE.into(), reason: "不实".into(), ..Default::default() };
        assert_unmet(by.excuses().refuse_excuse(refuse).await, "SAME_PERSON", EXCUSE);
    }
    let grant = GrantExcuseRequest { name: EXCUSE.into(), reason: "属实".into(), ..Default::default() };
    let granted = c.excuses().grant_excuse(grant).await.expect("C is another person").into_inner();
    let granted = granted.excuse.expect("the excuse");
    assert_eq!(granted.state(), excuse::State::Granted);
    let requesters = granted.requesters.into_iter().map(|person| (person.principal, person.on_behalf_of));
    assert_eq!(requesters.collect::<Vec<_>>(), [(id("b"), id("a"))]);
}

/// office.md, sections 0 and 5: a campaign is signed off, and revised, by another person than opened it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_opened_a_campaign_neither_signs_it_off_nor_revises_it_also_not_through_a_delegate() {
    let office = office().await;
    let [a, b, c] = ["a", "b", "c"].map(|name| office.client(Some(name)));
    let b_for_a = b_for(&office, "a");
    let criterion = CampaignCriterion {
        id: "quality".into(),
        kind: Criterion::Quality.into(),
        weight_bp: 10_000,
        ..Default::default()
    };
    let project = PROJECT.to_owned();
    let campaign = Campaign {
        display_name: "三比一争".into(),
        start_date: on(2021, 3, 1),
        end_date: on(2021, 6, 8),
        members: vec![CampaignMember { project: project.clone(), ..Default::default() }],
        criteria: vec![criterion],
        ..Default::default()
    };
    let create = CreateCampaignRequest {
        parent: PORTFOLIO.into(),
        campaign_id: "spring".into(),
        campaign: Some(campaign),
        ..Default::default()
    };
    c.campaigns().create_campaign(create).await.expect("a campaign");
    let open = OpenCampaignRequest { name: CAMPAIGN.into(), date: on(2021, 3, 1), ..Default::default() };
    a.campaigns().open_campaign(open).await.expect("it is open");
    let close = CloseCampaignRequest { name: CAMPAIGN.into(), date: on(2021, 6, 9), ..Default::default() };
    a.campaigns().close_campaign(close).await.expect("it is closed");
    let exclusions = vec![CampaignExclusion { project, reason: "未检查".into() }];
    let sign = async |by: &Client| {
        let (name, exclusions) = (CAMPAIGN.to_owned(), exclusions.clone());
        let date = on(2021, 6, 10);
        let request = SignOffCampaignRequest { name, date, exclusions, ..Default::default() };
        by.campaigns().sign_off_campaign(request).await
    };
    let revise = async |by: &Client| {
        let (name, reason, exclusions) = (CAMPAIGN.to_owned(), "补报".to_owned(), exclusions.clone());
        let date = on(2021, 6, 11);
        let request = ReviseCampaignRequest { name, date, reason, exclusions, ..Default::default() };
        by.campaigns().revise_campaign(request).await
    };
    for by in [&a, &b_for_a] {
        assert_unmet(sign(by).await, "SAME_PERSON", CAMPAIGN);
    }
    sign(&c).await.expect("C is another person");
    for by in [&a, &b_for_a] {
        assert_unmet(revise(by).await, "SAME_PERSON", CAMPAIGN);
    }
    let revised = revise(&b).await.expect("B for himself is another person").into_inner();
    let sign_offs = revised.campaign.expect("the campaign").sign_offs;
    let signed_by = sign_offs.into_iter().flat_map(|sign_off| sign_off.signed_by);
    assert_eq!(signed_by.map(|person| person.principal).collect::<Vec<_>>(), [id("c"), id("b")]);
}

//! Days that are caught up with after downtime: a server that is killed in the middle of them, over and over, brings what one
//! brings that nobody kills.
//!
//! What days bring is a matter of the journal alone, so both begin on the same one: offices as they were eighty days ago,
//! whose orders, requests, milestones, campaigns and policies have something due on most days since.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use milepost_client::Client;
use milepost_proto::event::v1::Event;
use milepost_proto::google::r#type::{self as gtype, Money};
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::campaign_criterion::Kind as Criterion;
use milepost_proto::tracker::v1::finding::Severity;
use milepost_proto::tracker::v1::warning_policy::Period;
use milepost_proto::tracker::v1::warning_step::Action;
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::*;
use milepost_tests::promises::Record;
use milepost_tests::random::seeded;
use milepost_tests::wait::{at_once, until};
use milepost_tests::{Cluster, Role, files, past, store};
use milepost_types::{Clock, SystemClock};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, Value};

const PATIENCE: Duration = Duration::from_secs(120);
const KILLS: u64 = 50;
/// The portfolio of many projects, whose days take several entries.
const LARGE: &str = "p0";
const PROJECTS: usize = 400;
const PORTFOLIOS: [&str; 7] = [LARGE, "p1", "p2", "p3", "p4", "p5", "p6"];
/// The members of a campaign.
const MEMBERS: usize = 20;

/// Small segments, so that crashes meet the making of new ones.
const SET: &[(&str, &str)] = &[("journal.segment_bytes", "1MiB")];

/// Where it is noon, or close to it: no day begins there while this runs.
struct Noon {
    zone: String,
    today: Date,
    /// So many days before today nobody was there any more; all of them are caught up with.
    days: i64,
}

impl Noon {
    fn now() -> Self {
        let now = SystemClock.now();
        let ahead = 12 - now.to_zoned(TimeZone::UTC).hour();
        // These names count the other way.
        let zone = if ahead == 0 { "Etc/GMT".to_owned() } else { format!("Etc/GMT{:+}", -ahead) };
        let today = (now + SignedDuration::from_hours(ahead.into())).to_zoned(TimeZone::UTC).date();
        // No month ends on the first day: what is adopted on it evaluates nothing at once.
        let first = today.saturating_sub(80.days());
        Self { zone, today, days: if first == first.last_of_month() { 79 } else { 80 } }
    }

    /// A day so many after the first.
    fn day(&self, days: i64) -> Date {
        self.today.saturating_add((days - self.days).days())
    }

    fn message(&self, days: i64) -> Option<gtype::Date> {
        message(self.day(days))
    }
}

fn message(date: Date) -> Option<gtype::Date> {
    Some(gtype::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_in_the_middle_of_missed_days_bring_what_no_kill_brings_each_once() {
    let mut rng = seeded("days");
    let noon = Noon::now();
    let [mut whole, mut killed] = [Cluster::all(SET), Cluster::all(SET)];
    let began = SystemClock.now() - SignedDuration::from_hours(24 * noon.days);
    past::write(&whole.data(Role::All), began, async |client| write(client, &noon).await).await;
    files::copy(&whole.data(Role::All), &killed.data(Role::All));

    let first = sequence(&whole.data(Role::All));
    whole.start().await;
    caught_up(&whole, &noon).await;
    let expected = Record::read(&whole.client(1)).await;
    let last = sequence(&whole.data(Role::All));
    assert!(whole.stop(Role::All).await.success(), "it stops in order");
    check(&expected, first, &noon);

    let data = killed.data(Role::All);
    for kill in 0..KILLS {
        let before = sequence(&data);
        // Spread over what is left.
        let share = (last - before) / (KILLS - kill + 3);
        let goal = (before + 1 + rng.below(2 * share.max(1) as usize) as u64).min(last - 1);
        killed.spawn(Role::All);
        at_once(PATIENCE, format!("entry {goal} of {last}"), async || match sequence(&data) {
            now if now >= goal => Ok(()),
            now => Err(format!("{now}")),
        })
        .await;
        killed.kill(Role::All).await;
        let now = sequence(&data);
        assert!(before < now && now < last, "kill {kill} was not in the middle: {before}, {now} of {last}");
    }
    killed.start().await;
    caught_up(&killed, &noon).await;
    let found = Record::read(&killed.client(1)).await;
    assert!(killed.stop(Role::All).await.success(), "it stops in order");
    found.assert_streams();
    assert_same(&found, &expected);
    store::assert_equals_rebuild(&data).await;
}

/// The sequence of the last entry that stands in the tracker's journal, whether or not anybody heard of it.
fn sequence(data: &Path) -> u64 {
    let segments = files::segments_if_any(data, "tracker");
    let frames = segments.iter().rev().map(|path| files::frames(&fs::read(path).unwrap_or_default()));
    frames.filter_map(|frames| frames.last().map(|frame| frame.last)).next().unwrap_or_default()
}

/// Waits until it is today in every portfolio, and nothing is left of the days before.
async fn caught_up(cluster: &Cluster, noon: &Noon) {
    let client = cluster.client(1);
    for id in PORTFOLIOS {
        until(PATIENCE, format!("{} in {id}", noon.today), async || {
            let request =
                GetCurrentDateRequest { portfolio: format!("portfolios/{id}"), ..Default::default() };
            let answer = client.milestones().get_current_date(request).await.expect("the date").into_inner();
            if answer.current_date == message(noon.today) { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .await;
    }
}

/// What days are to bring is counted here by the calendar alone: that both servers bring the same would not be enough.
fn check(record: &Record, first: u64, noon: &Noon) {
    let log: Vec<_> =
        record.log.iter().filter(|event| event.source == "tracker" && event.sequence > first).collect();
    for id in PORTFOLIOS {
        let portfolio = format!("portfolios/{id}");
        let own: Vec<_> = log.iter().filter(|event| event.portfolio == portfolio).collect();
        let days = |kind: &str, subject: &str| -> Vec<Date> {
            let wanted = own.iter().filter(|event| event.r#type == format!("milepost.{kind}"));
            wanted
                .filter(|event| event.subject.ends_with(subject))
                .filter_map(|event| day_of(event))
                .collect()
        };
        let all: Vec<_> = (1..=noon.days).map(|day| noon.day(day)).collect();
        assert_eq!(days("portfolio.date_advanced", ""), all, "{id}: each day once, in order");
        let passed: Vec<_> = (0..noon.days).map(|day| noon.day(day)).collect();
        assert_eq!(
            days("campaign.standings_computed", "campaigns/whole"),
            passed,
            "{id}: each passed day once"
        );
        assert_eq!(days("campaign.standings_computed", "campaigns/half").len(), 41, "{id}");
        assert_eq!(days("campaign.closed", ""), [noon.day(41)], "{id}");
        let due = noon.day(20);
        assert_eq!(days("rectification_order.light_changed", "/o").len(), 2, "{id}: BLUE and RED");
        assert_eq!(
            days("rectification_order.light_changed", "/o")[1],
            due.tomorrow().expect("a day"),
            "{id}"
        );
        assert_eq!(days("rectification_order.escalated", "/o").len(), 3, "{id}");
        assert_eq!(days("service_request.overdue", ""), [noon.day(11)], "{id}");
        assert_eq!(days("service_request.escalated", "").len(), 2, "{id}");
        assert_eq!(days("milestone.overdue", "/milestones/late"), [noon.day(31)], "{id}");
        assert_eq!(days("milestone.expiring", "/milestones/approval").len(), 1, "{id}");
        assert_eq!(days("milestone.expired", "/milestones/approval").len(), 1, "{id}");
        assert_eq!(days("requirement.unsatisfied", "/milestones/approval").len(), 1, "{id}");
        assert_eq!(days("timeline_entry.created", "").len(), 1, "{id}");
        // Both policies evaluate on the last of a month, or five days later.
        let ends = |after: i64| {
            let days = (1..=noon.days - after).map(|day| noon.day(day));
            days.filter(|day| *day == day.last_of_month()).count()
        };
        let projects = if id == LARGE { PROJECTS } else { MEMBERS };
        let mut warnings = BTreeMap::<(&str, &str), usize>::new();
        for event in own.iter().filter(|event| event.r#type.starts_with("milepost.warning.")) {
            *warnings.entry((&event.subject, &event.r#type)).or_default() += 1;
        }
        assert_eq!(warnings.len(), projects * (ends(0) + ends(5)), "{id}");
        assert!(warnings.values().all(|count| *count == 1), "{id}: each warning once");
        let opened = own.iter().filter(|event| {
            event.r#type == "milepost.rectification_order.created" && !event.subject.ends_with("/o")
        });
        let of: Vec<_> =
            opened.filter_map(|event| event.subject.split("/rectificationOrders/").next()).collect();
        let once: BTreeSet<_> = of.iter().collect();
        assert_eq!(of.len(), once.len(), "{id}: an order of a step is not opened again while it is open");
        assert!(ends(5) < 2 || !of.is_empty(), "{id}: two yellow lights in a row open one");
        let kinds: BTreeSet<_> =
            own.iter().map(|event| event.r#type.trim_start_matches("milepost.")).collect();
        for kind in kinds {
            assert!(days(kind, "").is_sorted(), "{id}: the days of {kind} do not go back");
        }
    }
}

fn day_of(event: &Event) -> Option<Date> {
    let gtype::Date { year, month, day } = event.event_date?;
    Some(Date::new(year as i16, month as i8, day as i8).expect("a date"))
}

/// Both journals have the same entries with the same events, but for when they were written.
fn assert_same(found: &Record, expected: &Record) {
    let pool = DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).expect("the schemas");
    let event = pool.get_message_by_name("milepost.event.v1.Event").expect("the event");
    let content = |record: &Record| -> Vec<(u64, DynamicMessage)> {
        let entries = record.tracker.iter();
        let events = entries.flat_map(|entry| entry.events.iter().map(|event| (entry.entry.sequence, event)));
        events.map(|(sequence, of)| (sequence, timeless(&event, of))).collect()
    };
    let (found, expected) = (content(found), content(expected));
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "a server that was killed says another thing");
    }
    assert_eq!(found.len(), expected.len(), "a server that was killed says more, or less");
}

/// An event without the times at which things were written, and without the ids that the server makes of requests.
fn timeless(descriptor: &MessageDescriptor, event: &Event) -> DynamicMessage {
    let event = Event { request_id: String::new(), ..event.clone() };
    let mut message =
        DynamicMessage::decode(descriptor.clone(), &event.encode_to_vec()[..]).expect("an event");
    clear_times(&mut message);
    message
}

fn clear_times(message: &mut DynamicMessage) {
    let is_time =
        |kind: &Kind| matches!(kind, Kind::Message(of) if of.full_name() == "google.protobuf.Timestamp");
    let fields: Vec<_> = message.fields().map(|(field, _)| field).collect();
    for field in fields {
        if is_time(&field.kind()) {
            message.clear_field(&field);
            continue;
        }
        match message.get_field_mut(&field) {
            Value::Message(inner) => clear_times(inner),
            Value::List(list) => list.iter_mut().filter_map(Value::as_message_mut).for_each(clear_times),
            _ => {}
        }
    }
}

/// The office as it is on its first day.
async fn write(client: &Client, noon: &Noon) {
    for id in PORTFOLIOS {
        let portfolio = registry::CreatePortfolioRequest {
            portfolio_id: id.into(),
            portfolio: Some(registry::Portfolio {
                display_name: id.into(),
                time_zone: noon.zone.clone(),
                reporting_currency_code: "CNY".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        client.portfolios().create_portfolio(portfolio).await.expect("a portfolio");
        let name = format!("portfolios/{id}");
        projects(client, noon, &name, if id == LARGE { PROJECTS } else { MEMBERS }).await;
        let first =
            AdvanceDateRequest { portfolio: name.clone(), date: noon.message(0), ..Default::default() };
        client.milestones().advance_date(first).await.expect("its first day");
        let project = format!("{name}/projects/x000");
        supervision(client, noon, &project).await;
        milestones(client, noon, &name, &project).await;
        campaigns(client, noon, &name).await;
        policies(client, noon, &name).await;
    }
}

/// Projects that are behind their plans, each by its own share.
async fn projects(client: &Client, noon: &Noon, parent: &str, count: usize) {
    let money = |units| Some(Money { currency_code: "CNY".into(), units, nanos: 0 });
    let year = i32::from(noon.day(0).year());
    let plan = |year| registry::AnnualPlan {
        year,
        investment: money(1_200),
        reported_date: noon.message(0),
        ..Default::default()
    };
    let completed = |(first, last): (i64, i64), units| registry::CompletedInvestment {
        period: Some(registry::Period { start_date: noon.message(first), end_date: noon.message(last) }),
        amount: money(units),
        reported_date: noon.message(0),
    };
    let request = |i: usize| registry::CreateProjectRequest {
        parent: parent.to_owned(),
        project_id: format!("x{i:03}"),
        project: Some(registry::Project {
            display_name: format!("项目 {i}"),
            annual_plans: vec![plan(year), plan(year + 1)],
            completed_investments: vec![
                completed((-3, -1), i as i64 % 7 * 200),
                completed((0, 0), i as i64 % 5),
            ],
            ..Default::default()
        }),
        ..Default::default()
    };
    for from in (0..count).step_by(100) {
        let requests = (from..count.min(from + 100)).map(request).collect();
        let batch = registry::BatchCreateProjectsRequest {
            parent: parent.to_owned(),
            requests,
            ..Default::default()
        };
        client.projects().batch_create_projects(batch).await.expect("projects");
    }
}

/// An order that is due on the twentieth day, and a request that is due on the tenth.
async fn supervision(client: &Client, noon: &Noon, project: &str) {
    let parent = || project.to_owned();
    let inspection = CreateInspectionRequest {
        parent: parent(),
        inspection_id: "i".into(),
        inspection: Some(Inspection {
            title: "巡查".into(),
            kind: inspection::Kind::Daily.into(),
            aspects: vec![Aspect::Quality.into(), Aspect::Safety.into()],
            planned_date: noon.message(0),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.inspections().create_inspection(inspection).await.expect("an inspection");
    let name = format!("{project}/inspections/i");
    let done = CompleteInspectionRequest { name: name.clone(), ..Default::default() };
    client.inspections().complete_inspection(done).await.expect("it is done");
    let finding = CreateFindingRequest {
        parent: parent(),
        finding_id: "f".into(),
        finding: Some(Finding {
            inspection: name,
            title: "临边防护缺失".into(),
            aspect: Aspect::Safety.into(),
            severity: Severity::Minor.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.findings().create_finding(finding).await.expect("a finding");
    let order = CreateRectificationOrderRequest {
        parent: parent(),
        rectification_order_id: "o".into(),
        rectification_order: Some(RectificationOrder {
            title: "限期整改".into(),
            findings: vec![format!("{project}/findings/f")],
            responsible: "organizations/builder".into(),
            due_date: noon.message(20),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.rectification_orders().create_rectification_order(order).await.expect("an order");
    let request = CreateServiceRequestRequest {
        parent: parent(),
        service_request_id: "r".into(),
        service_request: Some(ServiceRequest {
            title: "临时用电".into(),
            requester: "user:corp/unit".into(),
            due_date: noon.message(10),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.service_requests().create_service_request(request).await.expect("a request");
}

/// A milestone that is late from the thirty-first day on, which a timeline tells of, and an approval that ends after three
/// months, of which one has passed.
async fn milestones(client: &Client, noon: &Noon, portfolio: &str, project: &str) {
    let rule = CreateTimelineRuleRequest {
        parent: portfolio.to_owned(),
        timeline_rule_id: "late".into(),
        timeline_rule: Some(TimelineRule {
            display_name: "逾期".into(),
            event_type: "milepost.milestone.overdue".into(),
            kind: timeline_entry::Kind::Milestone.into(),
            headline: "{display_name}".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.timeline_rules().create_timeline_rule(rule).await.expect("a rule");
    let late = CreateMilestoneRequest {
        parent: project.to_owned(),
        milestone_id: "late".into(),
        milestone: Some(Milestone {
            display_name: "开工".into(),
            baseline_date: noon.message(30),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.milestones().create_milestone(late).await.expect("a milestone");
    let template = CreateTemplateRequest {
        parent: portfolio.to_owned(),
        template_id: "t".into(),
        template: Some(Template { display_name: "政府投资项目".into(), ..Default::default() }),
        ..Default::default()
    };
    client.templates().create_template(template).await.expect("a template");
    let name = format!("{portfolio}/templates/t");
    let version = CreateTemplateVersionRequest {
        parent: name.clone(),
        template_version_id: "v".into(),
        template_version: Some(TemplateVersion {
            display_name: "版本".into(),
            in_force_from: noon.message(-100),
            items: vec![TemplateItem {
                id: "approval".into(),
                display_name: "批准".into(),
                satisfies: vec![TemplateRequirement { code: "approval".into(), validity_months: 0 }],
                validity: Some(MilestoneValidity { months: 3, ..Default::default() }),
                ..Default::default()
            }],
            ..Default::default()
        }),
        ..Default::default()
    };
    client.template_versions().create_template_version(version).await.expect("a version");
    let publish = PublishTemplateVersionRequest { name: format!("{name}/versions/v"), ..Default::default() };
    client.template_versions().publish_template_version(publish).await.expect("it is published");
    let apply = ApplyTemplateRequest { name, project: project.to_owned(), ..Default::default() };
    client.templates().apply_template(apply).await.expect("it is applied");
    let achieve = AchieveMilestoneRequest {
        name: format!("{project}/milestones/approval"),
        actual_date: noon.message(-30),
        ..Default::default()
    };
    client.milestones().achieve_milestone(achieve).await.expect("it is achieved");
}

/// A campaign that goes on, and one that ends on the fortieth day.
async fn campaigns(client: &Client, noon: &Noon, portfolio: &str) {
    for (id, last) in [("whole", 300), ("half", 40)] {
        let member = |i| CampaignMember {
            project: format!("{portfolio}/projects/x{i:03}"),
            investment_target: Some(Money { currency_code: "CNY".into(), units: 100, nanos: 0 }),
            ..Default::default()
        };
        let criterion = |id: &str, kind: Criterion, weight_bp| CampaignCriterion {
            id: id.into(),
            kind: kind.into(),
            weight_bp,
            ..Default::default()
        };
        let campaign = CreateCampaignRequest {
            parent: portfolio.to_owned(),
            campaign_id: id.into(),
            campaign: Some(Campaign {
                display_name: "三比一争".into(),
                start_date: noon.message(0),
                end_date: noon.message(last),
                members: (0..MEMBERS).map(member).collect(),
                criteria: vec![
                    criterion("safety", Criterion::Safety, 3_000),
                    criterion("quality", Criterion::Quality, 3_000),
                    criterion("progress", Criterion::Progress, 4_000),
                ],
                ..Default::default()
            }),
            ..Default::default()
        };
        client.campaigns().create_campaign(campaign).await.expect("a campaign");
        let open = OpenCampaignRequest { name: format!("{portfolio}/campaigns/{id}"), ..Default::default() };
        client.campaigns().open_campaign(open).await.expect("it is open");
    }
}

/// Who hears of the first yellow light, and what follows from two in a row.
fn steps() -> Vec<WarningStep> {
    let yellow = |consecutive, action: Action| WarningStep {
        at_light: WarningLight::Yellow.into(),
        consecutive,
        action: action.into(),
        ..Default::default()
    };
    vec![
        WarningStep { role: "deputy-mayor".into(), ..yellow(1, Action::Notify) },
        WarningStep {
            raise_to: WarningLight::Red.into(),
            due_working_days: 5,
            responsible: "organizations/builder".into(),
            ..yellow(2, Action::OpenOrder)
        },
    ]
}

/// Two policies that evaluate each month, one on its last day and one five days later, which opens orders.
async fn policies(client: &Client, noon: &Noon, portfolio: &str) {
    for (id, evaluate_after_days) in [("at-once", 0), ("later", 5)] {
        let band = |light: WarningLight, low: &str, high: &str| WarningBand {
            light: light.into(),
            low: low.into(),
            low_inclusive: false,
            high: high.into(),
            high_inclusive: !high.is_empty(),
        };
        let policy = CreateWarningPolicyRequest {
            parent: portfolio.to_owned(),
            warning_policy_id: id.into(),
            warning_policy: Some(WarningPolicy {
                display_name: "进度".into(),
                period: Period::Month.into(),
                evaluate_after_days,
                tests: vec![WarningTest {
                    metric: Metric::Investment.into(),
                    comparison: Comparison::PointGap.into(),
                    bands: vec![
                        band(WarningLight::Green, "", "10"),
                        band(WarningLight::Yellow, "10", "30"),
                        band(WarningLight::Red, "30", ""),
                    ],
                }],
                steps: if id == "later" { steps() } else { Vec::new() },
                ..Default::default()
            }),
            ..Default::default()
        };
        client.warning_policies().create_warning_policy(policy).await.expect("a policy");
        let name = format!("{portfolio}/warningPolicies/{id}");
        let adopt = AdoptWarningPolicyRequest { name, date: noon.message(0), ..Default::default() };
        client.warning_policies().adopt_warning_policy(adopt).await.expect("it is adopted");
    }
}

//! Warning policies through the wire: what an office adopts is evaluated by the task that lets days begin.

use milepost_proto::event::v1::event::Resource;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::warning_policy_service_client::WarningPolicyServiceClient;
use milepost_proto::tracker::v1::warning_service_client::WarningServiceClient;

use super::*;
use crate::warning::published;

const FEN: i64 = 10_000_000;

/// A project with a plan of 1,200, and this completed in October, less so many billionths.
fn project(id: &str, units: i64, less: i64) -> Resource {
    let october = |day| Some(DateMessage { year: 2021, month: 10, day });
    let nanos = units * 1_000_000_000 - less;
    let amount = |nanos: i64| {
        let (units, nanos) = (nanos / 1_000_000_000, i32::try_from(nanos % 1_000_000_000).unwrap());
        Some(Money { currency_code: "CNY".into(), units, nanos })
    };
    Resource::ProjectResource(registry::Project {
        name: format!("portfolios/wsc/projects/{id}"),
        annual_plans: vec![registry::AnnualPlan {
            year: 2021,
            investment: amount(1_200_000_000_000),
            ..registry::AnnualPlan::default()
        }],
        completed_investments: vec![registry::CompletedInvestment {
            period: Some(registry::Period { start_date: october(1), end_date: october(31) }),
            amount: amount(nanos),
            reported_date: october(31),
        }],
        ..registry::Project::default()
    })
}

/// office.md, section 9, scenario 2: the five projects of section 4 under YC, WH and SY give its lights; one fen less
/// than 640 turns YC red.
#[tokio::test]
async fn office_scenario_2_through_the_wire() {
    let mut recorded = Registry::new(3);
    let mut portfolio = crate::tests::registry::portfolio("wsc");
    if let Resource::PortfolioResource(portfolio) = &mut portfolio {
        portfolio.reporting_currency_code = "CNY".into();
    }
    recorded.append(vec![("milepost.portfolio.created", Some(portfolio))]);
    let projects = [("p500", 500), ("p640", 640), ("p880", 880), ("p800", 800), ("p600", 600)];
    for (id, units) in projects {
        recorded.append(vec![("milepost.project.created", Some(project(id, units, 0)))]);
    }
    recorded.append(vec![("milepost.project.created", Some(project("less", 640, FEN)))]);
    let registry = RegistryServer::running(recorded);
    let mut tracker = Running::idle(&registry);
    tracker.clock.set("2021-11-01T04:00:00Z".parse().unwrap());
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    tracker.watch_days();
    let mut policies = WarningPolicyServiceClient::new(tracker.channel.clone());
    let rules = ["yc-progress", "wh-ratio", "sy-shortfall"];
    for id in rules {
        let create = CreateWarningPolicyRequest {
            parent: "portfolios/wsc".into(),
            warning_policy_id: id.into(),
            warning_policy: Some(published(id)),
            ..CreateWarningPolicyRequest::default()
        };
        policies.create_warning_policy(create).await.unwrap();
        let adopt = AdoptWarningPolicyRequest {
            name: format!("portfolios/wsc/warningPolicies/{id}"),
            date: Some(DateMessage { year: 2021, month: 10, day: 1 }),
            ..AdoptWarningPolicyRequest::default()
        };
        policies.adopt_warning_policy(adopt).await.unwrap();
    }
    // October is evaluated at once.
    let mut positions = tracker.service.api.ledger.positions();
    let evaluated = async {
        for id in rules {
            let name = format!("portfolios/wsc/warningPolicies/{id}");
            loop {
                let get =
                    GetWarningPolicyRequest { name: name.clone(), ..GetWarningPolicyRequest::default() };
                let policy =
                    policies.get_warning_policy(get).await.unwrap().into_inner().warning_policy.unwrap();
                if policy.next_evaluation_date == Some(DateMessage { year: 2021, month: 11, day: 30 }) {
                    break;
                }
                positions.changed().await.unwrap();
            }
        }
    };
    tokio::time::timeout(crate::tests::running::PATIENCE, evaluated).await.expect("October is evaluated");
    let mut warnings = WarningServiceClient::new(tracker.channel.clone());
    let mut of = async |rule: &str| -> Vec<(String, WarningLight)> {
        let list = ListWarningsRequest {
            parent: "portfolios/wsc/projects/-".into(),
            filter: format!(
                "policy = \"portfolios/wsc/warningPolicies/{rule}\" AND period_end = 2021-10-31 AND NOT superseded_by:*"
            ),
            ..ListWarningsRequest::default()
        };
        let listed = warnings.list_warnings(list).await.unwrap().into_inner().warnings;
        listed
            .iter()
            .map(|warning| {
                let project = warning.name.split('/').nth(3).unwrap().to_owned();
                (project, warning.shown_light())
            })
            .collect()
    };
    use WarningLight::{Green, Red, Yellow};
    let expected = |lights: [WarningLight; 6]| -> Vec<(String, WarningLight)> {
        ["less", "p500", "p600", "p640", "p800", "p880"].map(str::to_owned).into_iter().zip(lights).collect()
    };
    assert_eq!(of("yc-progress").await, expected([Red, Red, Red, Yellow, Yellow, Yellow]));
    assert_eq!(of("wh-ratio").await, expected([Yellow, Red, Yellow, Yellow, Green, Green]));
    assert_eq!(of("sy-shortfall").await, expected([Yellow; 6]));
    drop(registry);
    tracker.stop().await;
}

/// A registry of so many projects that reported each month of five years, and a tracker that knows of them.
async fn five_years(projects: usize) -> (RegistryServer, Running) {
    let mut recorded = Registry::new(3);
    let mut portfolio = crate::tests::registry::portfolio("wsc");
    if let Resource::PortfolioResource(portfolio) = &mut portfolio {
        portfolio.reporting_currency_code = "CNY".into();
    }
    recorded.append(vec![("milepost.portfolio.created", Some(portfolio))]);
    let money = |units| Some(Money { currency_code: "CNY".into(), units, nanos: 0 });
    let months = (2016..=2021).flat_map(|year| (1..=12).map(move |month| jiff::civil::date(year, month, 1)));
    let months: Vec<_> = months.filter(|first| *first < jiff::civil::date(2021, 11, 1)).collect();
    for i in 0..projects {
        let completed = months.iter().enumerate().map(|(month, first)| registry::CompletedInvestment {
            period: Some(registry::Period { start_date: day(*first), end_date: day(first.last_of_month()) }),
            amount: money(60 + ((i + month) % 5 * 20) as i64),
            reported_date: day(first.last_of_month()),
        });
        let plan =
            |year| registry::AnnualPlan { year, investment: money(1_200), ..registry::AnnualPlan::default() };
        let project = Resource::ProjectResource(registry::Project {
            name: format!("portfolios/wsc/projects/x{i:03}"),
            annual_plans: (2016..=2021).map(plan).collect(),
            completed_investments: completed.collect(),
            ..registry::Project::default()
        });
        recorded.append(vec![("milepost.project.created", Some(project))]);
    }
    let registry = RegistryServer::running(recorded);
    let mut tracker = Running::idle(&registry);
    tracker.clock.set("2021-11-01T04:00:00Z".parse().unwrap());
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    (registry, tracker)
}

fn sixty_months(page_size: i32, page_token: String) -> ReplayWarningPolicyRequest {
    ReplayWarningPolicyRequest {
        parent: "portfolios/wsc".into(),
        // It compares with all projects together, which is found once for all pages.
        warning_policy: Some(published("tj-worst")),
        from_date: day(jiff::civil::date(2016, 11, 1)),
        to_date: day(jiff::civil::date(2021, 10, 31)),
        knowledge: milepost_proto::figure::v1::Knowledge::Then.into(),
        page_size,
        page_token,
        ..ReplayWarningPolicyRequest::default()
    }
}

/// Bytes that a client takes in one answer, unless it says otherwise.
const ANSWER_BYTES: usize = 4 << 20;
/// The most projects that a page has.
const LARGEST_PAGE: usize = 1_000;

/// office.md, section 4: ReplayWarningPolicy over 60 periods, paged by project; writes and emits nothing.
#[tokio::test]
async fn a_replay_of_sixty_months_goes_page_by_page_with_writers_between_and_writes_nothing() {
    use prost::Message;
    let (registry, mut tracker) = five_years(25).await;
    let policies = WarningPolicyServiceClient::new(tracker.channel.clone());
    let replay = async |request| policies.clone().replay_warning_policy(request).await.unwrap().into_inner();
    let whole = replay(sixty_months(1_000, String::new())).await;
    assert_eq!((whole.projects.len(), whole.counts.len(), whole.next_page_token.as_str()), (25, 60, ""));
    assert!(whole.projects.iter().all(|project| project.periods.len() == 60));
    // The counts are one for each period, however many projects there are.
    let each = whole.encoded_len() / whole.projects.len();
    assert!(each * LARGEST_PAGE < ANSWER_BYTES, "{each} bytes for a project");

    let (mut projects, mut page_token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let before = tracker.service.position();
        let page = replay(sixty_months(10, page_token)).await;
        assert_eq!(tracker.service.position(), before, "a replay writes nothing");
        assert!(page.projects.len() <= 10);
        projects.extend(page.projects);
        (page_token, pages) = (page.next_page_token, pages + 1);
        if page_token.is_empty() {
            break;
        }
        // Others write meanwhile, and know of it.
        let request = CreateMilestoneRequest {
            parent: "portfolios/wsc/projects/x000".into(),
            ..create(&format!("m{pages}"))
        };
        tracker.created(request).await;
        assert!(tracker.service.position().sequence > before.sequence);
    }
    assert_eq!((pages, projects), (3, whole.projects), "and what they wrote does not concern it");
    drop(registry);
    tracker.stop().await;
}

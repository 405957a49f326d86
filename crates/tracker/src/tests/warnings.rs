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

/// office.md, scenario 2: the five projects of section 4 under YC, WH and SY give its lights; one fen less than 640 turns YC
/// red.
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

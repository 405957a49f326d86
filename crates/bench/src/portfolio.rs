//! The portfolio that the load is written to: created through the public API, on an empty server.

use milepost_client::{Client, Error};
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1 as tracker;

/// Milestones per project; an office has a few dozen.
const PER_PROJECT: usize = 20;
/// What one batch call may create.
const BATCH: usize = 1000;

const PORTFOLIO: &str = "portfolios/bench";

/// Makes a portfolio with `count` milestones, and names them. An administrator makes the portfolio itself.
pub async fn load(administrator: &Client, client: &Client, count: usize) -> Result<Vec<String>, Error> {
    let projects = count.div_ceil(PER_PROJECT);
    let names = (0..count).map(|number| name(number / PER_PROJECT, number % PER_PROJECT)).collect();
    create_portfolio(administrator).await?;
    for first in (0..projects).step_by(BATCH) {
        let numbers = first..projects.min(first + BATCH);
        let requests = numbers.map(project).collect();
        let request =
            registry::BatchCreateProjectsRequest { parent: PORTFOLIO.into(), requests, ..Default::default() };
        client.projects().batch_create_projects(request).await?;
    }
    for first in (0..count).step_by(BATCH) {
        let numbers = first..count.min(first + BATCH);
        let requests = numbers.map(milestone).collect();
        let parent = format!("{PORTFOLIO}/projects/-");
        let request = tracker::BatchCreateMilestonesRequest { parent, requests, ..Default::default() };
        client.milestones().batch_create_milestones(request).await?;
    }
    Ok(names)
}

async fn create_portfolio(client: &Client) -> Result<(), Error> {
    let portfolio = registry::Portfolio {
        display_name: "Bench".into(),
        time_zone: "Asia/Shanghai".into(),
        reporting_currency_code: "CNY".into(),
        ..Default::default()
    };
    let request = registry::CreatePortfolioRequest {
        portfolio_id: "bench".into(),
        portfolio: Some(portfolio),
        ..Default::default()
    };
    client.portfolios().create_portfolio(request).await?;
    Ok(())
}

fn name(project: usize, milestone: usize) -> String {
    format!("{PORTFOLIO}/projects/p{project}/milestones/m{milestone}")
}

fn project(number: usize) -> registry::CreateProjectRequest {
    let project = registry::Project {
        display_name: format!("重点项目 {number}"),
        sector: "transport.road".into(),
        key: Some(number.is_multiple_of(2)),
        ..Default::default()
    };
    registry::CreateProjectRequest {
        project_id: format!("p{number}"),
        project: Some(project),
        ..Default::default()
    }
}

fn milestone(number: usize) -> tracker::CreateMilestoneRequest {
    let (project, number) = (number / PER_PROJECT, number % PER_PROJECT);
    let milestone = tracker::Milestone {
        display_name: format!("里程碑 {number}"),
        r#type: "delivery".into(),
        baseline_date: Some(Date { year: 2099, month: 6, day: 1 + (number % 28) as i32 }),
        ..Default::default()
    };
    tracker::CreateMilestoneRequest {
        parent: format!("{PORTFOLIO}/projects/p{project}"),
        milestone_id: format!("m{number}"),
        milestone: Some(milestone),
        ..Default::default()
    }
}

//! The portfolio that load is put on: made through the public API, and left as it is if it is there.

use indicatif::ProgressBar;
use milepost_client::{Client, Error};
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1 as tracker;
use tonic::Code;

/// Milestones per project; an office has a few dozen.
const PER_PROJECT: usize = 20;
/// What one batch call may create.
const BATCH: usize = 1000;

const PORTFOLIO: &str = "portfolios/bench";

/// Makes sure of a portfolio with `count` milestones, and names them.
pub async fn load(client: &Client, count: usize) -> Result<Vec<String>, Error> {
    let projects = count.div_ceil(PER_PROJECT);
    let names = (0..count).map(|number| name(number / PER_PROJECT, number % PER_PROJECT)).collect();
    create_portfolio(client).await?;
    let progress = ProgressBar::new((projects + count) as u64).with_message("loading");
    for first in (0..projects).step_by(BATCH) {
        let numbers = first..projects.min(first + BATCH);
        progress.inc(numbers.len() as u64);
        let requests = numbers.map(project).collect();
        let request =
            registry::BatchCreateProjectsRequest { parent: PORTFOLIO.into(), requests, ..Default::default() };
        let done = client.projects().batch_create_projects(request).await;
        unless_there(done.map(drop))?;
    }
    for first in (0..count).step_by(BATCH) {
        let numbers = first..count.min(first + BATCH);
        progress.inc(numbers.len() as u64);
        let requests = numbers.map(milestone).collect();
        let parent = format!("{PORTFOLIO}/projects/-");
        let request = tracker::BatchCreateMilestonesRequest { parent, requests, ..Default::default() };
        let done = client.milestones().batch_create_milestones(request).await;
        unless_there(done.map(drop))?;
    }
    progress.finish_and_clear();
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
    unless_there(client.portfolios().create_portfolio(request).await.map(drop))
}

fn unless_there(outcome: Result<(), tonic::Status>) -> Result<(), Error> {
    match outcome {
        Err(status) if status.code() != Code::AlreadyExists => Err(status.into()),
        _ => Ok(()),
    }
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

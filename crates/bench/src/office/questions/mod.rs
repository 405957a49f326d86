//! The questions of an office: typical filters and orders of every noun, near and deep, of one parent and across all.
//!
//! To add a noun: its list, and the questions that people ask of it.

mod figures;
mod service;

use milepost_proto::registry::v1::{BatchGetProjectsRequest, GetProjectRequest};
use milepost_proto::tracker::v1::{GetMilestoneRequest, ListMilestoneForecastsRequest};
use milepost_types::LedgerKind;

use super::query::{List, Query};
use crate::generate::World;

/// A page as a screen shows it, and the largest there is.
const SMALL: usize = 50;
const LARGE: usize = 1000;

const fn registry(noun: &'static str, method: &'static str) -> List {
    List { noun, ledger: LedgerKind::Registry, method }
}

const fn tracker(noun: &'static str, method: &'static str) -> List {
    List { noun, ledger: LedgerKind::Tracker, method }
}

const PORTFOLIOS: List = registry("portfolios", "/milepost.registry.v1.PortfolioService/ListPortfolios");
const PROJECTS: List = registry("projects", "/milepost.registry.v1.ProjectService/ListProjects");
const PROJECT: List = registry("projects", "/milepost.registry.v1.ProjectService/GetProject");
const SEVERAL: List = registry("projects", "/milepost.registry.v1.ProjectService/BatchGetProjects");
const PHASES: List = registry("phases", "/milepost.registry.v1.PhaseService/ListPhases");
const BATCHES: List = registry("batches", "/milepost.registry.v1.BatchService/ListBatches");
const ORGANIZATIONS: List =
    registry("organizations", "/milepost.registry.v1.OrganizationService/ListOrganizations");
const MILESTONES: List = tracker("milestones", "/milepost.tracker.v1.MilestoneService/ListMilestones");
const MILESTONE: List = tracker("milestones", "/milepost.tracker.v1.MilestoneService/GetMilestone");
const FORECASTS: List = tracker("milestones", "/milepost.tracker.v1.MilestoneService/ListMilestoneForecasts");

/// All of them, in the order of the table.
pub fn all(world: &World) -> Vec<Query> {
    let mut all = vec![PORTFOLIOS.page("", "", "", SMALL)];
    all.extend(projects(world));
    all.extend(milestones(world));
    all.extend(organizations(world));
    all.extend(small_nouns(world));
    all.extend(figures::all(world));
    all.extend(service::all(world));
    all
}

fn projects(world: &World) -> Vec<Query> {
    let parent = world.portfolio();
    let page = |filter: &str, order: &str, size| PROJECTS.page(&parent, filter, order, size);
    let half = world.projects.len() / 2;
    let names: Vec<String> = (0..world.projects.len().min(SMALL)).map(|it| world.project_name(it)).collect();
    let get = GetProjectRequest { name: world.project_name(half), ..Default::default() };
    let several = BatchGetProjectsRequest { parent: parent.clone(), names, ..Default::default() };
    vec![
        Query::answer(PROJECT, "one", &get),
        Query::answer(SEVERAL, "fifty by name", &several),
        page("", "", SMALL),
        page("", "", LARGE),
        page("", "", SMALL).deep(half),
        page("", "", LARGE).deep(half),
        page("", "update_time desc", SMALL),
        page("", "display_name", SMALL),
        page("", "display_name", SMALL).deep(half),
        page("status = CONSTRUCTION AND key = true", "", SMALL),
        page("status = CONSTRUCTION AND key = true", "update_time desc", SMALL),
        page("sector = transport.road AND level = MUNICIPAL", "", LARGE),
        page("investment > 1000000000 AND planned_period.end_date < days(365)", "", SMALL),
        page("site.division_code = 500106 OR labels.campaign = spring", "", SMALL),
        page("display_name:\"隧道\"", "", SMALL),
        page(&format!("parties.organization:\"{}\"", world.organization_name(0)), "", SMALL),
        PROJECTS.page("portfolios/-", "listing = NEW_START", "", SMALL),
        PROJECTS.page("portfolios/-", "status = SUSPENDED", "", LARGE),
    ]
}

fn milestones(world: &World) -> Vec<Query> {
    let across = format!("{}/projects/-", world.portfolio());
    let half = world.projects.len() / 2;
    let one = world.project_name(half);
    let page = |filter: &str, order: &str, size| MILESTONES.page(&across, filter, order, size);
    let deep = world.projects.len() * 15;
    let name = format!("{one}/milestones/completion");
    let get = GetMilestoneRequest { name: name.clone(), ..Default::default() };
    let forecasts = ListMilestoneForecastsRequest { name, ..Default::default() };
    vec![
        Query::answer(MILESTONE, "one", &get),
        Query::answer(FORECASTS, "forecasts of one", &forecasts),
        MILESTONES.page(&one, "", "", SMALL),
        MILESTONES.page(&one, "state = PLANNED", "forecast_date", SMALL),
        page("", "", SMALL),
        page("", "", LARGE),
        page("", "", SMALL).deep(deep),
        page("", "", LARGE).deep(deep),
        page("", "forecast_date", SMALL),
        page("", "forecast_date desc", LARGE),
        page("", "forecast_date", SMALL).deep(deep),
        page("state = PLANNED AND forecast_date < days(30)", "forecast_date", SMALL),
        page("outlook = OVERDUE", "", SMALL),
        page("outlook = OVERDUE", "forecast_date", LARGE),
        page("nearness = DUE_SOON", "", SMALL),
        page("type = constructionEnd AND slippage = LATE", "", SMALL),
        page(&format!("owner = \"{}\"", world.organization_name(half)), "", SMALL),
        page("actual_date >= days(-90) AND variance_working_days > 20", "", SMALL),
        MILESTONES.page("portfolios/-/projects/-", "outlook = AT_RISK", "", SMALL),
    ]
}

fn organizations(world: &World) -> Vec<Query> {
    let page = |filter: &str, order: &str, size| ORGANIZATIONS.page("", filter, order, size);
    vec![
        page("", "", SMALL),
        page("", "", LARGE),
        page("", "display_name", SMALL),
        page("", "", SMALL).deep(world.organizations / 2),
        page("kind = ENTERPRISE AND attributes.hightech = true", "", SMALL),
        page("attributes.field = biomedicine AND NOT attributes:employees", "", LARGE),
    ]
}

fn small_nouns(world: &World) -> Vec<Query> {
    let (portfolio, projects) = (world.portfolio(), format!("{}/projects/-", world.portfolio()));
    vec![
        PHASES.page(&projects, "", "", SMALL),
        PHASES.page(&projects, "planned_period.end_date < days(90)", "", LARGE),
        BATCHES.page(&portfolio, "", "start_date desc", SMALL),
        BATCHES.page(&portfolio, "state = STARTED AND declared_count > 20", "", SMALL),
    ]
}

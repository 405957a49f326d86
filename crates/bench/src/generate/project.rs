//! Projects as they are created: with what was known of plans and of money by the last day.

use std::collections::BTreeMap;

use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::project::{Level, Listing};
use milepost_proto::registry::v1::{
    BatchCreateProjectsRequest, CreateProjectRequest, FundingSource, InvestmentItem, Party,
    Project as Message, ProjectCode, Site,
};

use super::draw::Draw;
use super::money;
use super::step::{Stage, Step};
use super::value::{date, days, english, marked, money as amount, period};
use super::words::NAMES;
use super::world::{Outcome, Project, World, project_id};

/// Projects of one request: their answer is well below the limit.
const EACH: usize = 200;

const ROLES: [&str; 4] = ["supplier", "designer", "supervisor", "funder"];

/// The steps that make those that have parts.
pub fn bundles(world: &World) -> impl Iterator<Item = Step> {
    let bundles: Vec<usize> = numbers(world, |project| !project.parts.is_empty());
    steps(world, Stage::Bundles, bundles)
}

/// The steps that make all others.
pub fn others(world: &World) -> impl Iterator<Item = Step> {
    let others: Vec<usize> = numbers(world, |project| project.parts.is_empty());
    steps(world, Stage::Projects, others)
}

fn numbers(world: &World, is: impl Fn(&Project) -> bool) -> Vec<usize> {
    world.projects.iter().filter(|project| is(project)).map(|project| project.number).collect()
}

fn steps(world: &World, stage: Stage, numbers: Vec<usize>) -> impl Iterator<Item = Step> {
    let count = numbers.len().div_ceil(EACH);
    (0..count).map(move |place| {
        let chunk = &numbers[place * EACH..numbers.len().min((place + 1) * EACH)];
        let noun = if stage == Stage::Bundles { "bundles" } else { "projects" };
        let mut step = Step::new(stage, &world.id, noun, place as u64);
        step.resources = chunk.len() as u64;
        let create = |number: &usize| CreateProjectRequest {
            project_id: project_id(*number),
            project: Some(message(world, &world.projects[*number])),
            ..Default::default()
        };
        step.registry(
            "/milepost.registry.v1.ProjectService/BatchCreateProjects",
            BatchCreateProjectsRequest {
                parent: world.portfolio(),
                requests: chunk.iter().map(create).collect(),
                ..Default::default()
            },
        );
        step
    })
}

fn message(world: &World, project: &Project) -> Message {
    let mut draw = world.draw("words", project.number);
    let (zh, en) = name(world, project);
    let history = money::history(world, project);
    Message {
        display_name: marked(&zh),
        translations: english(&en),
        codes: codes(project),
        sector: project.sector.code.into(),
        level: level(&mut draw, project).into(),
        key: (!draw.happens(8)).then(|| project.is_large()),
        listing: listing(world, project).into(),
        site: Some(site(project, &mut draw)),
        purpose: format!("完善{}城市功能，补齐短板。", project.district.zh),
        scale: format!(
            "{}{}{}",
            project.sector.scale.0,
            draw.between(1, project.sector.most),
            project.sector.scale.1
        ),
        investment: project.investment.map(amount),
        breakdown: breakdown(project),
        funding: funding(world, project, &mut draw),
        annual_plans: money::plans(world, &history),
        received_funds: money::received_funds(&history),
        enrolment_date: enrolment(world, project, &mut draw),
        completed_investments: money::completed_investments(&history, false),
        parties: parties(world, project, &mut draw),
        planned_period: Some(period(project.planned.start, project.planned.end)),
        parent_project: project.bundle.map(|bundle| world.project_name(bundle)).unwrap_or_default(),
        labels: labels(project, &mut draw),
        ..Default::default()
    }
}

/// The parts of a bundle share its name.
fn name(world: &World, project: &Project) -> (String, String) {
    let mut draw = world.draw("name", project.bundle.unwrap_or(project.number));
    let ((zh, en), (work_zh, work_en)) = (draw.pick(&NAMES), draw.pick(&project.sector.works));
    let district = project.district;
    let (zh, en) = (format!("{}{zh}{work_zh}", district.zh), format!("{} {en} {work_en}", district.en));
    match project.bundle {
        Some(bundle) => {
            let part = project.number - bundle;
            (format!("{zh}（第{part}标段）"), format!("{en}, section {part}"))
        }
        None if !project.parts.is_empty() => (format!("{zh}项目包"), format!("{en} bundle")),
        None => (zh, en),
    }
}

/// In the shape of GB/T 40058; the check digit is not computed.
fn codes(project: &Project) -> Vec<ProjectCode> {
    let code = format!(
        "{}-{}-48-01-{:05}0",
        project.planned.start.year(),
        project.district.code,
        project.number % 100_000
    );
    vec![ProjectCode { scheme: "GB/T 40058".into(), code }]
}

fn level(draw: &mut Draw, project: &Project) -> Level {
    match (draw.below(100), project.investment) {
        (0..5, _) => Level::Unspecified,
        (_, Some(800_000..)) => Level::National,
        (5..20, _) | (_, Some(200_000..)) => Level::Provincial,
        (20..60, _) => Level::Municipal,
        _ => Level::District,
    }
}

/// What the list of the last year says of it.
pub fn listing(world: &World, project: &Project) -> Listing {
    let year = world.plan.until.year();
    match project.outcome {
        Outcome::Cancelled | Outcome::InService => Listing::Unspecified,
        Outcome::Proposed => Listing::Reserve,
        _ if project.planned.end.year() <= year => Listing::Completed,
        _ if project.planned.start.year() < year => Listing::Continued,
        _ if project.planned.start.year() == year => Listing::NewStart,
        _ => Listing::Reserve,
    }
}

fn site(project: &Project, draw: &mut Draw) -> Site {
    let district = project.district;
    let mut near = |thousandths: i32| {
        (f64::from(thousandths) * 1000.0 + draw.between(-40_000, 40_000) as f64) / 1_000_000.0
    };
    let (latitude, longitude) = (near(district.at.0), near(district.at.1));
    let street = NAMES[project.number % NAMES.len()].0;
    Site {
        address: format!("重庆市{}{street}街道", district.zh),
        division_code: district.code.into(),
        latitude: Some(latitude),
        longitude: Some(longitude),
    }
}

/// Works, equipment and other costs, which add up to the whole.
fn breakdown(project: &Project) -> Vec<InvestmentItem> {
    let Some(total) = project.investment else { return Vec::new() };
    let (equipment, other) = (total * 22 / 100, total * 11 / 100);
    let items = [("works", total - equipment - other), ("equipment", equipment), ("other", other)];
    let item = |(category, wan): (&str, i64)| InvestmentItem {
        category: category.into(),
        amount: Some(amount(wan)),
    };
    items.into_iter().map(item).collect()
}

fn funding(world: &World, project: &Project, draw: &mut Draw) -> Vec<FundingSource> {
    let Some(total) = project.investment else { return Vec::new() };
    let own = total * draw.between(20, 60) / 100;
    let lender = draw.below(world.organizations as u64) as usize;
    vec![
        FundingSource { source: "own funds".into(), organization: String::new(), amount: Some(amount(own)) },
        FundingSource {
            source: "bank loan".into(),
            organization: world.organization_name(lender),
            amount: Some(amount(total - own)),
        },
    ]
}

/// An owner, and a few who work for it; one may have several roles.
fn parties(world: &World, project: &Project, draw: &mut Draw) -> Vec<Party> {
    let mut roles: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut add = |organization: u64, role: &str| {
        roles.entry(organization as usize).or_default().push(role.to_owned());
    };
    let count = world.organizations as u64;
    // Every organization takes part in something.
    add(project.number as u64 % count, "buyer");
    for role in ROLES.into_iter().take(draw.between(1, 4) as usize) {
        add(draw.below(count), role);
    }
    let party = |(organization, roles)| Party { organization: world.organization_name(organization), roles };
    roles.into_iter().map(party).collect()
}

/// Most are enrolled in the statistics weeks after they started, some later or not at all.
fn enrolment(world: &World, project: &Project, draw: &mut Draw) -> Option<Date> {
    let late = if draw.happens(15) { draw.between(60, 400) } else { draw.between(5, 45) };
    let day = days(project.expected.start, late);
    (project.is_started() && day <= world.plan.until && !draw.happens(6)).then(|| date(day))
}

fn labels(project: &Project, draw: &mut Draw) -> BTreeMap<String, String> {
    let mut labels = super::value::labels([("synthetic", "true"), ("district", project.district.code)]);
    if draw.happens(30) {
        labels.insert("campaign".to_owned(), draw.pick(&["spring", "summer", "autumn"]).to_owned());
    }
    labels
}

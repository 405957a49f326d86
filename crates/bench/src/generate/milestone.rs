//! Milestones: about thirty a project, from the proposal to use, and what became of each.
//!
//! Invariants: a world has thirty milestones for each of its projects, exactly. Within a project, baselines and what is
//! expected are in the order of the work.

use jiff::civil::Date;
use milepost_proto::tracker::v1::{BatchCreateMilestonesRequest, CreateMilestoneRequest, Milestone};

use super::step::{Stage, Step};
use super::value::{date, days, days_between, english, marked};
use super::world::{Outcome, Project, World};

/// Projects of one request, which takes at most 1,000 milestones.
const EACH: usize = 25;
/// Milestones for each project of a world.
pub const PER_PROJECT: usize = 30;
/// A project has at most so many more or fewer.
const SPREAD: i64 = 6;

/// A milestone that projects may have.
#[derive(Debug)]
struct Template {
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    kind: &'static str,
    /// Days before the start if negative; else thousandths of the time of construction.
    at: i64,
    /// Every project has it.
    essential: bool,
    evidence: &'static str,
}

const fn template(
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    at: i64,
    kind: &'static str,
    evidence: &'static str,
) -> Template {
    Template { id, zh, en, kind, at, essential: true, evidence }
}

const fn optional(id: &'static str, zh: &'static str, en: &'static str, at: i64) -> Template {
    Template { id, zh, en, kind: "delivery", at, essential: false, evidence: "" }
}

const TEMPLATES: [Template; 36] = [
    template("proposal", "项目建议书批复", "Proposal approved", -420, "approval", "批复文件"),
    optional("site-opinion", "用地预审与选址意见书", "Site opinion", -380),
    optional("soil-water", "水土保持方案批复", "Soil and water plan approved", -340),
    template("eia", "环境影响评价批复", "Environmental assessment approved", -320, "approval", "批复文件"),
    template("feasibility", "可行性研究批复", "Feasibility study approved", -280, "approval", ""),
    optional("survey", "地质勘察完成", "Ground survey done", -250),
    optional("land-permit", "建设用地规划许可证", "Land use permit", -220),
    template("design", "初步设计批复", "Preliminary design approved", -180, "approval", ""),
    optional("land-handover", "土地移交", "Land handed over", -150),
    optional("works-permit", "建设工程规划许可证", "Planning permit", -120),
    optional("drawings", "施工图审查合格", "Drawings checked", -90),
    template("tender", "施工招标完成", "Works tendered", -60, "procurement", ""),
    template("permit", "施工许可证", "Construction permit", -15, "approval", "许可证"),
    template("start", "开工", "Construction starts", 0, "constructionStart", ""),
    optional("site-setup", "临建完成", "Site set up", 40),
    optional("clearing", "场地平整完成", "Site cleared", 80),
    optional("utilities", "管线迁改完成", "Utilities diverted", 110),
    optional("first-pile", "首桩施工", "First pile", 140),
    template("piles", "桩基完成", "Piles done", 220, "delivery", ""),
    optional("pit", "基坑验收", "Pit accepted", 270),
    template("foundation", "基础完成", "Foundation done", 330, "delivery", ""),
    optional("underground", "地下结构完成", "Underground structure done", 390),
    optional("structure-quarter", "主体完成四分之一", "Quarter of the structure", 440),
    optional("structure-half", "主体完成一半", "Half of the structure", 500),
    optional("structure-most", "主体完成四分之三", "Three quarters of the structure", 560),
    template("topping-out", "主体封顶", "Topped out", 620, "delivery", ""),
    optional("envelope", "围护结构完成", "Envelope closed", 680),
    optional("equipment", "主要设备进场", "Main equipment delivered", 720),
    optional("installation", "机电安装完成", "Installation done", 780),
    optional("power", "正式受电", "Power connected", 820),
    optional("water", "正式通水", "Water connected", 840),
    optional("landscape", "景观绿化完成", "Landscape done", 880),
    optional("trial", "联合调试完成", "Joint trials done", 910),
    optional("fire", "消防验收", "Fire safety accepted", 940),
    optional("archives", "档案验收", "Records accepted", 970),
    template("completion", "竣工验收", "Works accepted", 1000, "constructionEnd", "验收报告"),
];

/// What is true of a milestone.
#[derive(Debug, Clone)]
pub struct Fact {
    template: &'static Template,
    /// As it was approved.
    pub baseline: Date,
    /// The dates that were expected in turn, after the baseline.
    pub forecasts: Vec<Date>,
    /// When it happened.
    pub actual: Option<Date>,
    pub outcome: MilestoneOutcome,
}

/// What became of a milestone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MilestoneOutcome {
    /// To come.
    Planned,
    Achieved,
    PartiallyAchieved,
    Missed,
    /// Given up with its project.
    Cancelled,
    /// The start of construction, which the tracker itself achieves.
    Started,
}

impl Fact {
    pub fn id(&self) -> &'static str {
        self.template.id
    }

    /// What must be shown. Empty: nothing.
    pub fn evidence(&self) -> &'static str {
        self.template.evidence
    }
}

/// The steps that make them.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    world.projects.chunks(EACH).enumerate().map(|(place, projects)| {
        let mut step = Step::new(Stage::Milestones, &world.id, "milestones", place as u64);
        let requests: Vec<_> = projects.iter().flat_map(|project| creates(world, project)).collect();
        step.resources = requests.len() as u64;
        step.tracker(
            "/milepost.tracker.v1.MilestoneService/BatchCreateMilestones",
            BatchCreateMilestonesRequest {
                parent: format!("{}/projects/-", world.portfolio()),
                requests,
                ..Default::default()
            },
        );
        step
    })
}

fn creates(world: &World, project: &Project) -> Vec<CreateMilestoneRequest> {
    let parent = world.project_name(project.number);
    let owner = world.organization_name(project.number % world.organizations);
    let create = |fact: Fact| CreateMilestoneRequest {
        parent: parent.clone(),
        milestone_id: fact.id().into(),
        milestone: Some(message(&fact, &owner)),
        ..Default::default()
    };
    facts(world, project).into_iter().map(create).collect()
}

fn message(fact: &Fact, owner: &str) -> Milestone {
    let template = fact.template;
    Milestone {
        display_name: marked(template.zh),
        translations: english(template.en),
        r#type: template.kind.into(),
        weight: Some(if template.essential { 10 } else { 3 }),
        owner: owner.to_owned(),
        required_evidence: (!template.evidence.is_empty())
            .then(|| template.evidence.to_owned())
            .into_iter()
            .collect(),
        baseline_date: Some(date(fact.baseline)),
        ..Default::default()
    }
}

/// The milestones of a project, in the order of the work.
pub fn facts(world: &World, project: &Project) -> Vec<Fact> {
    let needed = count(world, project.number) - TEMPLATES.iter().filter(|it| it.essential).count();
    let optional = TEMPLATES.iter().filter(|it| !it.essential).count();
    let mut seen = project.number;
    let chosen = TEMPLATES.iter().filter(|template| {
        // Spread evenly over all that there are, another set for each project.
        seen += usize::from(!template.essential);
        template.essential || seen * needed / optional > (seen - 1) * needed / optional
    });
    chosen.map(|template| fact(world, project, template)).collect()
}

/// As many more than thirty in one project as there are fewer in the next.
fn count(world: &World, number: usize) -> usize {
    let pair = number / 2;
    let more = world.draw("milestones", pair).between(-SPREAD, SPREAD);
    let more = match number % 2 {
        0 if number + 1 == world.plan.projects => 0,
        0 => more,
        _ => -more,
    };
    PER_PROJECT.saturating_add_signed(more as isize)
}

fn fact(world: &World, project: &Project, template: &'static Template) -> Fact {
    let place = TEMPLATES.iter().position(|it| it.id == template.id).unwrap_or_default();
    let mut draw = world.draw(template.id, project.number);
    let (baseline, expected) = dates(project, template.at);
    let slip = days_between(baseline, expected);
    // What slipped by more was put off more often.
    let times = if slip > 0 { draw.between(1, 1 + (slip / 30).min(3)) } else { 0 };
    let forecasts = (1..=times).map(|time| days(baseline, slip * time / times)).collect();
    let has_come = expected <= world.plan.until;
    let outcome = match project.outcome {
        _ if template.at == 0 && project.is_started() => MilestoneOutcome::Started,
        _ if template.at == 0 => MilestoneOutcome::Planned,
        // Work stopped somewhere on the way.
        Outcome::Suspended if place >= 20 => MilestoneOutcome::Planned,
        Outcome::Cancelled if place >= 18 => MilestoneOutcome::Cancelled,
        _ if !has_come => MilestoneOutcome::Planned,
        _ if template.essential || !draw.happens(4) => MilestoneOutcome::Achieved,
        _ if draw.happens(50) => MilestoneOutcome::PartiallyAchieved,
        _ => MilestoneOutcome::Missed,
    };
    let happened = matches!(outcome, MilestoneOutcome::Achieved | MilestoneOutcome::PartiallyAchieved);
    Fact { template, baseline, forecasts, actual: happened.then_some(expected), outcome }
}

/// As it was approved, and as it happened or is going to.
fn dates(project: &Project, at: i64) -> (Date, Date) {
    let (planned, expected) = (&project.planned, &project.expected);
    if at < 0 {
        // Preparation slips by as much as the start, the later the more.
        let baseline = days(planned.start, at);
        let slip = days_between(planned.start, expected.start);
        return (baseline, days(baseline, slip * (500 + at) / 500));
    }
    let along =
        |span: &std::ops::Range<Date>| days(span.start, days_between(span.start, span.end) * at / 1000);
    (along(planned), along(expected))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generate::tests::plan;

    #[test]
    fn there_are_thirty_for_each_project_and_each_project_has_its_own_number() {
        for projects in [1, 2, 51] {
            let world = World::new(plan(projects));
            let counts: Vec<_> = world.projects.iter().map(|project| facts(&world, project).len()).collect();
            assert_eq!(counts.iter().sum::<usize>(), projects * PER_PROJECT);
            assert!(projects < 51 || counts.iter().collect::<BTreeSet<_>>().len() > 5, "{counts:?}");
        }
    }

    #[test]
    fn dates_are_in_the_order_of_the_work_and_forecasts_slip_after_the_baseline() {
        let world = World::new(plan(80));
        for project in &world.projects {
            let facts = facts(&world, project);
            let expected = |fact: &Fact| fact.forecasts.last().copied().unwrap_or(fact.baseline);
            assert!(facts.is_sorted_by_key(|fact| fact.baseline), "{project:?}");
            assert!(facts.is_sorted_by_key(expected), "{project:?}: {facts:#?}");
            for fact in &facts {
                assert!(fact.forecasts.first().is_none_or(|first| *first >= fact.baseline), "{fact:?}");
                assert!(fact.forecasts.is_sorted(), "{fact:?}");
                assert!(fact.actual.is_none_or(|actual| actual == expected(fact)), "{fact:?}");
                assert!(fact.actual.is_none_or(|actual| actual <= world.plan.until), "{fact:?}");
            }
        }
    }
}

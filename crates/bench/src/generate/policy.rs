//! Policy programmes: forty measures for firms in four fields, ten for projects, and two positive lists of seven.
//!
//! Conditions ask for what organizations and projects say, or do not say. A few policies are no longer in force, were
//! withdrawn, or take the place of another.

use jiff::civil::Date;
use milepost_proto::registry::v1::policy::{Kind, Subject};
use milepost_proto::registry::v1::{
    CreatePolicyProgrammeRequest, CreatePolicyRequest, Policy, PolicyCondition, PolicyGroup, PolicyProgramme,
    PublishPolicyProgrammeRequest, PublishPolicyRequest, WithdrawPolicyRequest,
};

use super::draw::Draw;
use super::step::{Stage, Step};
use super::value::{date, days, english, labels, marked};
use super::world::World;

/// A programme: the end of its id, its names, what it holds for whom, and its groups with how many policies.
struct Plan {
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    kind: Kind,
    subject: Subject,
    groups: &'static [(&'static str, &'static str, &'static str, usize)],
}

const PROGRAMMES: [Plan; 3] = [
    Plan {
        id: "measures",
        zh: "扶持企业四十条",
        en: "forty measures for firms",
        kind: Kind::Incentive,
        subject: Subject::Organization,
        groups: &[
            ("talent", "人才", "talent", 10),
            ("innovation", "创新", "innovation", 10),
            ("industry", "产业", "industry", 10),
            ("finance", "金融", "finance", 10),
        ],
    },
    Plan {
        id: "projects",
        zh: "项目服务十条",
        en: "ten measures for projects",
        kind: Kind::Measure,
        subject: Subject::Project,
        groups: &[("approval", "审批", "approval", 5), ("land", "用地", "land", 5)],
    },
    Plan {
        id: "lists",
        zh: "双七正面清单",
        en: "two positive lists of seven",
        kind: Kind::PositiveListItem,
        subject: Subject::Organization,
        groups: &[("officials", "干部", "officials", 7), ("firms", "企业", "firms", 7)],
    },
];

/// Conditions on a firm: what is asked in Chinese, and as an expression.
const OF_FIRMS: [(&str, &str); 12] = [
    ("属于企业", "org.kind == \"ENTERPRISE\""),
    ("员工不超过五百人", "num(org.attributes.employees) <= num(\"500\")"),
    ("员工不少于五十人", "num(org.attributes.employees) >= num(\"50\")"),
    ("年营业收入不低于二千万元", "num(org.attributes.revenue) >= num(\"2000\")"),
    ("注册资本不低于五百万元", "num(org.attributes.capital) >= num(\"500\")"),
    ("研发投入占比不低于百分之五", "num(org.attributes.research) >= num(\"5\")"),
    ("成立满三年", "years(org.attributes.founded) >= 3"),
    ("成立不满十年", "years(org.attributes.founded) < 10"),
    ("属于重点领域", "org.attributes.field in [\"biomedicine\", \"software\", \"integrated-circuits\"]"),
    ("高新技术企业", "org.attributes.hightech == \"true\""),
    ("未上市或未登记上市情况", "!has(org.attributes.listed) || org.attributes.listed == \"false\""),
    ("注册在核心区", "org.attributes.district == \"500106\" || org.attributes.district == \"500107\""),
];
const OF_PROJECTS: [(&str, &str); 5] = [
    ("重点项目", "project.key"),
    ("总投资不低于五亿元", "project.investment >= num(\"500000000\")"),
    ("正在建设", "project.status in [\"CONSTRUCTION\", \"PREPARATION\"]"),
    ("市级以上项目", "project.level in [\"NATIONAL\", \"PROVINCIAL\", \"MUNICIPAL\"]"),
    ("参建单位", "\"buyer\" in project.roles || \"supplier\" in project.roles"),
];

/// From one condition of a policy to the next; no number of conditions is a multiple of it.
const STRIDE: usize = 7;

/// The steps that make and publish them.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    PROGRAMMES.iter().enumerate().map(|(number, plan)| step(world, number, plan))
}

/// The name of the programme of forty measures.
pub fn measures(world: &World) -> String {
    name(world, &PROGRAMMES[0])
}

fn name(world: &World, plan: &Plan) -> String {
    format!("policyProgrammes/{}-{}", world.id, plan.id)
}

fn step(world: &World, number: usize, plan: &Plan) -> Step {
    let mut step = Step::new(Stage::Policies, &world.id, "programmes", number as u64);
    let mut draw = world.draw("programme", number);
    let published = days(world.plan.until, -draw.between(100, 500));
    let name = name(world, plan);
    step.resources = 1;
    step.registry(
        "/milepost.registry.v1.PolicyProgrammeService/CreatePolicyProgramme",
        CreatePolicyProgrammeRequest {
            policy_programme_id: format!("{}-{}", world.id, plan.id),
            policy_programme: Some(programme(plan)),
            ..Default::default()
        },
    );
    step.registry(
        "/milepost.registry.v1.PolicyProgrammeService/PublishPolicyProgramme",
        PublishPolicyProgrammeRequest {
            name: name.clone(),
            publish_date: Some(date(published)),
            ..Default::default()
        },
    );
    let groups = plan.groups.iter().flat_map(|(code, _, _, count)| std::iter::repeat_n(*code, *count));
    for (place, group) in groups.enumerate() {
        publish(&name, plan, group, place + 1, published, &mut draw, &mut step);
    }
    step
}

fn programme(plan: &Plan) -> PolicyProgramme {
    let group = |(code, zh, en, count): &(&str, &str, &str, usize)| PolicyGroup {
        code: (*code).to_owned(),
        title: marked(zh),
        translations: english(en),
        declared_count: Some(*count as i32),
    };
    let count: usize = plan.groups.iter().map(|(.., count)| count).sum();
    PolicyProgramme {
        display_name: marked(plan.zh),
        translations: english(plan.en),
        labels: labels([("synthetic", "true"), ("headline", "true")]),
        issuer: "科学新城管理委员会".into(),
        declared_count: Some(count as i32),
        groups: plan.groups.iter().map(group).collect(),
        ..Default::default()
    }
}

fn publish(
    programme: &str,
    plan: &Plan,
    group: &str,
    number: usize,
    published: Date,
    draw: &mut Draw,
    step: &mut Step,
) {
    let id = format!("n{number:02}");
    let name = format!("{programme}/policies/{id}");
    step.resources += 1;
    step.registry(
        "/milepost.registry.v1.PolicyService/CreatePolicy",
        CreatePolicyRequest {
            parent: programme.to_owned(),
            policy_id: id,
            policy: Some(policy(programme, plan, group, number, published, draw)),
            ..Default::default()
        },
    );
    step.registry(
        "/milepost.registry.v1.PolicyService/PublishPolicy",
        PublishPolicyRequest {
            name: name.clone(),
            publish_date: Some(date(published)),
            ..Default::default()
        },
    );
    if number.is_multiple_of(17) {
        let withdrawal_date = Some(date(days(published, 60)));
        let reason = "政策到期整合".into();
        step.registry(
            "/milepost.registry.v1.PolicyService/WithdrawPolicy",
            WithdrawPolicyRequest { name, reason, withdrawal_date, ..Default::default() },
        );
    }
}

fn policy(
    programme: &str,
    plan: &Plan,
    group: &str,
    number: usize,
    published: Date,
    draw: &mut Draw,
) -> Policy {
    let conditions = match plan.kind {
        Kind::PositiveListItem => Vec::new(),
        _ => conditions(plan.subject, draw),
    };
    let supersedes = if number.is_multiple_of(13) {
        format!("{programme}/policies/n{:02}", number - 1)
    } else {
        String::new()
    };
    Policy {
        display_name: marked(&format!("{}第{number}条", plan.zh)),
        translations: english(&format!("{}, no. {number}", plan.en)),
        description: "由种子生成的政策条文。".into(),
        group: group.to_owned(),
        number: number.to_string(),
        kind: plan.kind.into(),
        valid_from: Some(date(published)),
        valid_until: draw.happens(15).then(|| date(days(published, 90 * draw.between(1, 12)))),
        subject: plan.subject.into(),
        conditions,
        supersedes,
        ..Default::default()
    }
}

/// One to four different ones; of the last two, either is enough now and then.
fn conditions(subject: Subject, draw: &mut Draw) -> Vec<PolicyCondition> {
    let of: &[(&str, &str)] = if subject == Subject::Project { &OF_PROJECTS } else { &OF_FIRMS };
    let (first, count) = (draw.below(of.len() as u64) as usize, draw.between(1, 4) as usize);
    let either = count > 2 && draw.happens(25);
    let condition = |place: usize| {
        let (title, expression) = of[(first + place * STRIDE) % of.len()];
        PolicyCondition {
            id: format!("c{}", place + 1),
            title: title.to_owned(),
            expression: expression.to_owned(),
            alternative: if either && place + 2 >= count { "either".into() } else { String::new() },
        }
    };
    (0..count).map(condition).collect()
}

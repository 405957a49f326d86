//! Alliances of organizations around a few projects, who joins and leaves them, and what they do together.

use jiff::civil::Date;
use milepost_proto::registry::v1::activity::Kind;
use milepost_proto::registry::v1::{
    Activity, ActivityEvidence, AddActivityEvidenceRequest, Alliance, AllianceMember, CancelActivityRequest,
    CreateActivityRequest, CreateAllianceRequest, HoldActivityRequest,
};

use super::draw::Draw;
use super::step::{Stage, Step};
use super::value::{date, days, days_between, english, marked};
use super::words::{DISTRICTS, NAMES};
use super::world::World;

/// One alliance for so many projects.
const EACH: usize = 50;
const SHARED: [&str; 5] = ["党员活动室", "实训基地", "劳务培训师资", "混凝土检测设备", "临时用电设施"];
/// What is done together, in Chinese.
const ACTIVITIES: [(Kind, &str); 4] = [
    (Kind::JointOrganization, "联合党支部会议"),
    (Kind::SharedResource, "检测设备共享"),
    (Kind::JointActivity, "劳动竞赛"),
    (Kind::SharedTraining, "安全培训"),
];

/// A member, and from when to when it is one.
struct Member {
    organization: usize,
    joined: Date,
    left: Option<Date>,
}

/// The steps that make them.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    (0..world.projects.len().div_ceil(EACH)).map(|number| step(world, number))
}

fn step(world: &World, number: usize) -> Step {
    let mut draw = world.draw("alliance", number);
    let mut step = Step::new(Stage::Alliances, &world.id, "alliances", number as u64);
    let id = format!("a{number:04}");
    let members = members(world, &mut draw);
    let (district, place) = (draw.pick(&DISTRICTS), draw.pick(&NAMES));
    let count = draw.between(1, 5) as usize;
    let projects = (0..count).map(|more| (number * EACH + more * 7) % world.projects.len());
    let projects: std::collections::BTreeSet<usize> = projects.collect();
    let alliance = Alliance {
        display_name: marked(&format!("{}{}党建联盟", district.zh, place.0)),
        translations: english(&format!("{} {} alliance", district.en, place.1)),
        projects: projects.iter().map(|project| world.project_name(*project)).collect(),
        members: members
            .iter()
            .enumerate()
            .map(|(place, member)| member.message(world, place == 0))
            .collect(),
        shared_resources: SHARED[..draw.between(1, 5) as usize].iter().map(|it| (*it).to_owned()).collect(),
        ..Default::default()
    };
    step.resources = 1;
    step.registry(
        "/milepost.registry.v1.AllianceService/CreateAlliance",
        CreateAllianceRequest {
            parent: world.portfolio(),
            alliance_id: id.clone(),
            alliance: Some(alliance),
            ..Default::default()
        },
    );
    let name = format!("{}/alliances/{id}", world.portfolio());
    for activity in 0..draw.between(3, 8) {
        act(world, &name, activity, &members, &mut draw, &mut step);
    }
    step
}

/// The first leads from the first day on; others come later, and some leave.
fn members(world: &World, draw: &mut Draw) -> Vec<Member> {
    let span = days_between(world.first_day(), world.plan.until);
    let founded = days(world.first_day(), draw.between(0, span * 2 / 3));
    let first = draw.below(world.organizations as u64) as usize;
    let count = draw.between(3, 8) as usize;
    let member = |place: usize| {
        let joined = if place < 3 { founded } else { days(founded, draw.between(30, 300)) };
        let left = (place > 3 && draw.happens(30)).then(|| days(joined, draw.between(90, 600)));
        Member { organization: (first + place) % world.organizations, joined, left }
    };
    (0..count).map(member).collect()
}

impl Member {
    fn message(&self, world: &World, lead: bool) -> AllianceMember {
        AllianceMember {
            organization: world.organization_name(self.organization),
            lead,
            joined: Some(date(self.joined)),
            left: self.left.map(date),
        }
    }

    fn is_on(&self, day: Date) -> bool {
        self.joined <= day && self.left.is_none_or(|left| day <= left)
    }
}

/// An activity: held with evidence, given up, or to come.
fn act(world: &World, alliance: &str, number: i64, members: &[Member], draw: &mut Draw, step: &mut Step) {
    let founded = members.first().map_or(world.plan.until, |lead| lead.joined);
    let day = days(founded, draw.between(10, days_between(founded, world.plan.until) + 60));
    let (kind, title) = draw.pick(&ACTIVITIES);
    let there = members.iter().filter(|member| member.is_on(day));
    let activity = Activity {
        kind: kind.into(),
        title: marked(title),
        date: Some(date(day)),
        participants: there.map(|member| world.organization_name(member.organization)).collect(),
        ..Default::default()
    };
    let id = format!("y{number}");
    step.resources += 1;
    step.registry(
        "/milepost.registry.v1.ActivityService/CreateActivity",
        CreateActivityRequest {
            parent: alliance.to_owned(),
            activity_id: id.clone(),
            activity: Some(activity),
            ..Default::default()
        },
    );
    let name = format!("{alliance}/activities/{id}");
    if draw.happens(6) {
        let request = CancelActivityRequest { name, reason: "场地冲突".into(), ..Default::default() };
        step.registry("/milepost.registry.v1.ActivityService/CancelActivity", request);
    } else if day <= world.plan.until {
        let evidence = ActivityEvidence {
            title: "活动记录".into(),
            uri: format!("https://documents.example/{name}"),
            sha256: draw.hash(),
            create_time: None,
        };
        let request =
            AddActivityEvidenceRequest { name: name.clone(), evidence: Some(evidence), ..Default::default() };
        step.registry("/milepost.registry.v1.ActivityService/AddActivityEvidence", request);
        let request = HoldActivityRequest { name, date: Some(date(day)), ..Default::default() };
        step.registry("/milepost.registry.v1.ActivityService/HoldActivity", request);
    }
}

//! A campaign over the last hundred days of the history, of as many projects under construction as it may have.

use milepost_proto::tracker::v1::campaign_criterion::Kind;
use milepost_proto::tracker::v1::{
    Campaign, CampaignCriterion, CampaignMember, CreateCampaignRequest, OpenCampaignRequest,
};

use super::step::{Stage, Step};
use super::value::{date, days, english, labels, marked, money};
use super::world::{Outcome, World};

/// As many as a campaign may have.
const MEMBERS: usize = 1_000;
/// Its days, the last one included.
const DAYS: i64 = 100;

/// The name of the campaign.
pub fn name(world: &World) -> String {
    format!("{}/campaigns/hundred-days", world.portfolio())
}

/// The step that makes it, and opens it; none if nothing is under construction.
pub fn step(world: &World) -> Option<Step> {
    let mut step = Step::new(Stage::Campaigns, &world.id, "campaign", 0);
    let building = world.projects.iter().filter(|project| project.outcome == Outcome::Construction);
    let member = |project: &super::world::Project| CampaignMember {
        project: world.project_name(project.number),
        investment_target: project.investment.map(|wan| money(wan / 10 + 1)),
        ..Default::default()
    };
    let members: Vec<_> = building.map(member).take(MEMBERS).collect();
    if members.is_empty() {
        return None;
    }
    let criterion = |(id, kind, weight_bp): (&str, Kind, i32)| CampaignCriterion {
        id: id.into(),
        kind: kind.into(),
        weight_bp,
        ..Default::default()
    };
    let criteria = [
        ("quality", Kind::Quality, 3_000),
        ("safety", Kind::Safety, 3_000),
        ("progress", Kind::Progress, 4_000),
    ];
    let campaign = Campaign {
        display_name: marked("百日攻坚"),
        translations: english("hundred days"),
        start_date: Some(date(days(world.plan.until, 1 - DAYS))),
        end_date: Some(date(world.plan.until)),
        members,
        criteria: criteria.map(criterion).into(),
        tie_breakers: vec!["safety".into()],
        labels: labels([("synthetic", "true")]),
        ..Default::default()
    };
    let create = CreateCampaignRequest {
        parent: world.portfolio(),
        campaign_id: "hundred-days".into(),
        campaign: Some(campaign),
        ..Default::default()
    };
    step.resources = 1;
    step.tracker("/milepost.tracker.v1.CampaignService/CreateCampaign", create);
    let open = OpenCampaignRequest {
        name: name(world),
        date: Some(date(days(world.plan.until, 1 - DAYS))),
        ..Default::default()
    };
    step.tracker("/milepost.tracker.v1.CampaignService/OpenCampaign", open);
    Some(step)
}

//! How large the standings of a campaign may become: those of a day are in one answer, and in one event, that clients take.
//!
//! Invariant: what [`longest`] says of a campaign is never less than what its standings of a day take, whatever happens.

use milepost_proto::figure::v1::{Figure, MissingFigure};
use milepost_proto::google::r#type::Date;
use milepost_proto::tracker::v1::campaign_criterion::Kind;
use milepost_proto::tracker::v1::{
    Campaign, CampaignCriterion, CampaignScore, CampaignStanding, CampaignStandings, CampaignVersion,
};
use milepost_resource::encoded_len;
use milepost_types::{Rejection, limits};

use super::score::OTHER_CURRENCY;
use crate::names::CampaignName;

/// What is named as missing of progress at most: why there is no score, and each kind of reports that are left out.
const MISSING: usize = 4;
/// The digits of the weight of all milestones of a target.
const WEIGHT: &str = "10000000000";
/// The highest score.
const SCORE: &str = "100.00";

/// Refuses a campaign whose standings of a day, or whose versions, may take more than there is room for.
pub(super) fn check(name: &CampaignName, campaign: &Campaign) -> Result<(), Rejection> {
    let refuse = |what, limit: usize| Err(Rejection::LimitExceeded { what, limit: limit as u64 });
    if campaign.versions.iter().map(encoded_len).sum::<usize>() > limits::CAMPAIGN_VERSION_BYTES {
        return refuse("bytes of the versions of one campaign", limits::CAMPAIGN_VERSION_BYTES);
    }
    if longest(name, campaign) > limits::CAMPAIGN_STANDINGS_BYTES {
        return refuse("bytes that the standings of one day may take", limits::CAMPAIGN_STANDINGS_BYTES);
    }
    Ok(())
}

/// How many bytes the standings of a day take at most, by the criteria that hold from now on.
pub(super) fn longest(name: &CampaignName, campaign: &Campaign) -> usize {
    let scores =
        |project: &str| campaign.criteria.iter().map(|criterion| score(criterion, project)).collect();
    let tie_breaker = campaign.tie_breakers.iter().max_by_key(|id| id.len());
    let finding = |project: &str| format!("{project}/findings/{}", "f".repeat(limits::ID_CHARS));
    let vetoes = if campaign.veto.is_some() { limits::STANDING_VETOES } else { 0 };
    let standing = |project: &String| CampaignStanding {
        project: project.clone(),
        rank: Some(i32::MAX),
        total: Some(SCORE.to_owned()),
        decided_by: tie_breaker.cloned().unwrap_or_default(),
        scores: scores(project),
        member_days: i32::MAX,
        vetoed_by: vec![finding(project); vetoes],
        veto_count: i32::MAX,
        total_missing: "TOO_LARGE".to_owned(),
    };
    let standings = CampaignStandings {
        campaign: name.to_string(),
        date: Some(Date { year: 9999, month: 12, day: 31 }),
        knowledge: i32::MAX,
        stored: true,
        sign_off: i32::MAX,
        version: Some(longest_version(campaign)),
        standings: campaign.members.iter().map(|member| standing(&member.project)).collect(),
    };
    encoded_len(&standings)
}

/// What the days from now on are judged by, if it has the longest reason so far.
fn longest_version(campaign: &Campaign) -> CampaignVersion {
    let reasons = campaign.versions.iter().map(|version| &version.reason);
    CampaignVersion {
        start_date: Some(Date { year: 9999, month: 12, day: 31 }),
        criteria: campaign.criteria.clone(),
        tie_breakers: campaign.tie_breakers.clone(),
        reason: reasons.max_by_key(|reason| reason.len()).cloned().unwrap_or_default(),
    }
}

/// A score of a project that takes as many bytes as one by this criterion may.
fn score(criterion: &CampaignCriterion, project: &str) -> CampaignScore {
    let why = || MissingFigure { subject: project.to_owned(), why: OTHER_CURRENCY.to_owned() };
    let figure = |missing: usize, weight: &str| Figure {
        value: Some(SCORE.to_owned()),
        numerator: weight.to_owned(),
        denominator: weight.to_owned(),
        counted: i32::MAX,
        lower_bound: true,
        missing: vec![why(); missing],
        missing_count: i32::MAX,
    };
    let is_progress = criterion.kind() == Kind::Progress;
    CampaignScore {
        criterion: criterion.id.clone(),
        score: Some(figure(if is_progress { MISSING } else { 1 }, "")),
        milestones: is_progress.then(|| figure(1, WEIGHT)),
        investment: is_progress.then(|| figure(MISSING, "")),
    }
}

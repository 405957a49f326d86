//! Standings: how the members of a campaign stand on a day, put together of facts, scores and ranks.
//!
//! Invariants: each member is read by itself, through indexes; whatever cannot be evaluated says why; totals are exact and
//! rounded once, and ranks go by the rounded ones.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_figures::Reported;
use milepost_proto::event::v1::CampaignStandingsComputed;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::figure::v1::{Figure, Knowledge, MissingFigure};
use milepost_proto::tracker::v1::campaign::State;
use milepost_proto::tracker::v1::campaign_criterion::Kind;
use milepost_proto::tracker::v1::{
    Aspect, Campaign, CampaignCriterion, CampaignDeductions, CampaignScore, CampaignStanding,
    CampaignStandings, CampaignVersion,
};
use milepost_resource::{Change, Rows, date, date_message, in_parts, wrong_state};
use milepost_types::{DamagedRow, Fraction, Rejection, limits};

use super::facts::{self, Window};
use super::inspected::{Inspected, Supervision};
use super::rank::{Ranked, places};
use super::score::{self, Deductions, OTHER_CURRENCY, Part, Why};
use super::{days_of, join_day, project_of, takes_part};
use crate::decide::{Today, Tracker, between};
use crate::mirror::Portfolio;
use crate::names::CampaignName;
use crate::parent::incomplete;
use crate::tables;

/// A report that crosses the first or the last of the days.
const STRADDLES: &str = "STRADDLES";
/// So many members are read in one go.
const MEMBERS_AT_ONCE: usize = 100;
/// The highest score, in hundredths.
const ALL: i64 = 10_000;
/// A report of days that another one is of, too.
const OVERLAPS: &str = "OVERLAPS";

/// How the members of a campaign stand on a day of it.
///
/// # Errors
/// If a row that is needed cannot be decoded.
pub(crate) fn compute(
    rows: &Rows<'_, Tracker>,
    name: &CampaignName,
    campaign: &Campaign,
    day: Date,
    knowledge: Knowledge,
) -> Result<CampaignStandings, DamagedRow> {
    let (start, end) = days_of(name, campaign)?;
    let version = version_on(campaign, day);
    let portfolio = tables::portfolio::get(rows.read, &name.parent())?.unwrap_or_else(Portfolio::unknown);
    let mut taking_part: Vec<_> = campaign.members.iter().enumerate().collect();
    taking_part.retain(|(_, member)| takes_part(member, start, day));
    // In the order of their rows: neighbours are read at one go.
    taking_part.sort_by_key(|(_, member)| &member.project);
    let parts = in_parts(taking_part.into_iter(), MEMBERS_AT_ONCE, |members| -> Result<_, DamagedRow> {
        let mut supervision = Supervision::new(rows, &portfolio.calendar);
        let mut standings = Vec::with_capacity(members.len());
        for (i, member) in members {
            let project = project_of(name, &member.project)?;
            let (join, target) = (join_day(member, start), campaign.targets.get(i));
            let window = Window { project: &project, member, target, join, day, end, knowledge };
            standings.push(standing(rows, &mut supervision, campaign, &version, &window)?);
        }
        Ok(standings)
    });
    let (mut ranked, mut members) = (Vec::new(), Vec::new());
    for part in parts {
        for (place, standing) in part? {
            ranked.push(place);
            members.push(standing);
        }
    }
    let standings = places(&ranked).into_iter().map(|place| CampaignStanding {
        rank: place.rank.map(count),
        decided_by: place.decided_by.map(|i| version.tie_breakers[i].clone()).unwrap_or_default(),
        ..std::mem::take(&mut members[place.index])
    });
    Ok(CampaignStandings {
        campaign: name.to_string(),
        date: Some(date_message(day)),
        knowledge: knowledge.into(),
        standings: standings.collect(),
        version: Some(version),
        ..CampaignStandings::default()
    })
}

/// How a member stands, and what its rank goes by.
fn standing(
    rows: &Rows<'_, Tracker>,
    supervision: &mut Supervision<'_>,
    campaign: &Campaign,
    version: &CampaignVersion,
    window: &Window<'_>,
) -> Result<(Ranked, CampaignStanding), DamagedRow> {
    let inspected = supervision.of(window)?;
    let mut scores = Vec::with_capacity(version.criteria.len());
    for criterion in &version.criteria {
        scores.push(scored(rows, window, &inspected, criterion)?);
    }
    let (total, total_missing) = match total(&version.criteria, &scores) {
        Ok(total) => (total, String::new()),
        Err(why) => (None, why.to_owned()),
    };
    let in_hundredths = |id: &String| {
        let at = version.criteria.iter().position(|criterion| criterion.id == *id);
        at.and_then(|at| scores[at].0).map_or(0, score::hundredths)
    };
    let project = &window.member.project;
    let mut vetoed_by = inspected.vetoes(campaign.veto.as_ref(), project);
    let veto_count = vetoed_by.len();
    vetoed_by.truncate(limits::STANDING_VETOES);
    let ranked = Ranked {
        project: project.clone(),
        total: total.map(score::hundredths),
        is_vetoed: veto_count > 0,
        tie_breakers: version.tie_breakers.iter().map(in_hundredths).collect(),
    };
    let standing = CampaignStanding {
        project: project.clone(),
        total: total.map(|total| total.rounded(1, 2)),
        scores: scores.into_iter().map(|(_, score)| score).collect(),
        member_days: count(between(window.join, window.day) + 1),
        vetoed_by,
        veto_count: i32::try_from(veto_count).unwrap_or(i32::MAX),
        total_missing,
        ..CampaignStanding::default()
    };
    Ok((ranked, standing))
}

/// Whose standings are asked for, and of when.
#[derive(Debug)]
pub(crate) struct StandingsRequest {
    pub(crate) name: CampaignName,
    /// None: the current date, or the last day of the campaign if that has passed.
    pub(crate) date: Option<Date>,
    pub(crate) knowledge: Knowledge,
    /// The sign-off that froze them; 0: none did.
    pub(crate) sign_off: u32,
}

/// The standings that are asked for: as they were found or frozen if they are kept, else computed.
///
/// # Errors
/// If the campaign is not there, was not opened, or has no such day or sign-off; if the registry is followed anew, and not
/// all of it was; or if a row cannot be decoded.
pub(crate) fn answer(
    rows: &Rows<'_, Tracker>,
    now: Timestamp,
    request: &StandingsRequest,
) -> Result<CampaignStandings, Rejection> {
    let name = &request.name;
    let campaign = rows.find(name)?;
    if campaign.versions.is_empty() {
        let opened = [State::Open, State::Closed, State::Final].map(|state| state.as_str_name());
        return Err(wrong_state(&campaign, "read the standings of", campaign.state().as_str_name(), opened));
    }
    if request.sign_off > 0 {
        let frozen = tables::standings::of_sign_off(rows.read, name, request.sign_off)?;
        return frozen.ok_or_else(|| {
            let description = format!("there is no sign-off {} of {name}", request.sign_off);
            Rejection::invalid("sign_off", "OUT_OF_RANGE", description)
        });
    }
    let portfolio = tables::portfolio::get(rows.read, &name.parent())?.unwrap_or_else(Portfolio::unknown);
    let today = Today::of(rows.read, &name.parent(), &portfolio, now)?.current;
    let (start, end) = days_of(name, &campaign)?;
    let day = request.date.unwrap_or_else(|| today.min(end));
    if day > today {
        let description = format!("{day} is after {today}, the portfolio's current date");
        return Err(Rejection::invalid("date", "DATE_IN_FUTURE", description));
    }
    if day < start || day > end {
        let description = format!("{day} is no day of the campaign, from {start} to {end}");
        return Err(Rejection::invalid("date", "OUT_OF_RANGE", description));
    }
    let knowledge = match request.knowledge {
        Knowledge::Then => Knowledge::Then,
        _ => Knowledge::Latest,
    };
    if knowledge == Knowledge::Then
        && let Some(found) = tables::standings::of_day(rows.read, name, day)?
    {
        return Ok(found);
    }
    Rejection::unless_met(incomplete(rows.read, name).into_iter().collect())?;
    Ok(compute(rows, name, &campaign, day, knowledge)?)
}

/// The version in force on a day.
fn version_on(campaign: &Campaign, day: Date) -> CampaignVersion {
    let starts_by =
        |version: &&CampaignVersion| date(version.start_date.as_ref()).is_some_and(|from| from <= day);
    let found = campaign.versions.iter().rfind(starts_by);
    found.or(campaign.versions.first()).cloned().unwrap_or_default()
}

/// The weighted scores as one; none if one is missing.
///
/// # Errors
/// Why there is none though no score is missing.
fn total(
    criteria: &[CampaignCriterion],
    scores: &[(Option<Fraction>, CampaignScore)],
) -> Result<Option<Fraction>, Why> {
    let weighted =
        criteria.iter().zip(scores).map(|(criterion, (score, _))| Some((criterion.weight_bp, (*score)?)));
    weighted.collect::<Option<Vec<_>>>().map(score::total).transpose()
}

/// What a member has by a criterion: the score, exact, and as it is said.
fn scored(
    rows: &Rows<'_, Tracker>,
    window: &Window<'_>,
    inspected: &Inspected,
    criterion: &CampaignCriterion,
) -> Result<(Option<Fraction>, CampaignScore), DamagedRow> {
    let said = CampaignScore { criterion: criterion.id.clone(), ..CampaignScore::default() };
    match criterion.kind() {
        Kind::Progress => progress(rows, window, said),
        Kind::Quality | Kind::Safety | Kind::Unspecified => {
            let aspect = if criterion.kind() == Kind::Safety { Aspect::Safety } else { Aspect::Quality };
            let facts = inspected.aspect(aspect);
            let found = score::of_aspect(&facts, &deductions(criterion.deductions.as_ref()));
            let counted = facts.findings.iter().sum();
            Ok((found.ok(), CampaignScore { score: Some(figure(window, found, 2, counted)), ..said }))
        }
    }
}

/// The progress of a member, with what it is made of.
fn progress(
    rows: &Rows<'_, Tracker>,
    window: &Window<'_>,
    said: CampaignScore,
) -> Result<(Option<Fraction>, CampaignScore), DamagedRow> {
    let milestones = score::milestones(&facts::milestones(rows, window)?);
    let (facts, reported) = facts::investment(rows, window)?;
    let investment = score::investment(&facts).and_then(Part::percent);
    let achieved = milestones.and_then(|part| part.map(Part::percent).transpose());
    let found = achieved.and_then(|achieved| score::progress(achieved, investment?));
    let (left_out, left_out_count) = left_out(window, &reported);
    let could_be_more =
        |value: Result<Fraction, Why>| value.is_ok_and(|value| score::hundredths(value) < ALL);
    let with = |figure: Figure, value: Result<Fraction, Why>| {
        let missing = figure.missing.into_iter().chain(left_out.clone()).collect();
        let missing_count = figure.missing_count.saturating_add(count(left_out_count));
        let lower_bound = left_out_count > 0 && could_be_more(value);
        Figure { missing, missing_count, lower_bound, ..figure }
    };
    let of_milestones = match milestones {
        Ok(None) => None,
        Ok(Some(part)) => Some(Figure {
            numerator: part.part.to_string(),
            denominator: part.whole.to_string(),
            ..figure(window, part.percent(), 1, part.counted)
        }),
        Err(why) => Some(figure(window, Err(why), 1, 0)),
    };
    let of_investment = with(figure(window, investment, 1, reported.inside), investment);
    let score = with(figure(window, found, 2, reported.inside), found);
    let said = CampaignScore {
        score: Some(score),
        milestones: of_milestones,
        investment: Some(of_investment),
        ..said
    };
    Ok((found.ok(), said))
}

/// The reports that are left out, each kind of them named once, and how many they are.
fn left_out(window: &Window<'_>, reported: &Reported) -> (Vec<MissingFigure>, u32) {
    // Of one in another currency alone, the score says it already.
    let elsewhere = if reported.inside > 0 { reported.elsewhere } else { 0 };
    let kinds =
        [(reported.straddling, STRADDLES), (reported.overlapping, OVERLAPS), (elsewhere, OTHER_CURRENCY)];
    let named = kinds.iter().filter(|(count, _)| *count > 0).map(|(_, why)| missing(window, why));
    (named.collect(), kinds.iter().map(|(count, _)| count).sum())
}

fn missing(window: &Window<'_>, why: Why) -> MissingFigure {
    MissingFigure { subject: window.member.project.clone(), why: why.to_owned() }
}

/// A figure of a value, or of why there is none.
fn figure(window: &Window<'_>, value: Result<Fraction, Why>, places: u32, counted: u32) -> Figure {
    let missing: Vec<_> = value.err().map(|why| missing(window, why)).into_iter().collect();
    Figure {
        value: value.ok().map(|value| value.rounded(1, places)),
        counted: count(counted),
        missing_count: i32::from(!missing.is_empty()),
        missing,
        ..Figure::default()
    }
}

fn deductions(given: Option<&CampaignDeductions>) -> Deductions {
    let default = Deductions::default();
    let Some(given) = given else { return default };
    let [observation, minor, major, critical] = default.findings;
    Deductions {
        findings: [
            given.observation.unwrap_or(observation),
            given.minor.unwrap_or(minor),
            given.major.unwrap_or(major),
            given.critical.unwrap_or(critical),
        ],
        overdue_day: given.overdue_day.unwrap_or(default.overdue_day),
        overdue_limit: given.overdue_limit.unwrap_or(default.overdue_limit),
    }
}

/// Why a score is missing, with its criterion; none if it is there.
pub(super) fn why_not(score: &CampaignScore) -> Option<String> {
    let figure = score.score.as_ref().filter(|figure| figure.value.is_none())?;
    let why = figure.missing.first().map(|missing| missing.why.as_str()).unwrap_or_default();
    Some(format!("{}: {why}", score.criterion))
}

/// That the members stood so on a day.
pub(super) fn computed(name: &CampaignName, standings: CampaignStandings, day: Date) -> Change {
    let payload = CampaignStandingsComputed { standings: Some(standings) };
    let payload = Payload::CampaignStandingsComputed(payload);
    of_campaign("milepost.campaign.standings_computed", payload, name).on(Some(day))
}

/// What happened of a campaign that does not change it.
pub(super) fn of_campaign(event_type: &'static str, payload: Payload, name: &CampaignName) -> Change {
    let (subject, portfolio) = (name.to_string(), name.parent().to_string());
    Change::without_resource(event_type, payload).concerning(subject, portfolio, String::new())
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

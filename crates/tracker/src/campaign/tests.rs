//! Campaigns: the worked numbers of office.md, section 5, what is frozen, what days bring, and how they end.

mod acts;
mod bounds;
mod orders;
mod passing;
mod room;
mod signing;

use jiff::civil::date;
use milepost_ledger::{Actor, Authentication};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::{CompletedInvestment, Period, Project};
use milepost_proto::tracker::v1::{
    Aspect, CampaignExclusion, CampaignPioneerRule, CampaignStandings, CampaignVeto, CreateCampaignRequest,
    Finding, Inspection, RectificationOrder, UpdateCampaignRequest, finding, inspection, rectification_order,
};
use milepost_resource::{Custom, Run, Target, read_create, read_update};

use super::standings::{StandingsRequest, answer};
use super::*;
use crate::command::Command;
use crate::names::CampaignName;
use crate::tests::Registry;
use crate::tests::world::{Action, Counted, World, command, create, draft, kinds};

/// The 100 days of office.md, section 5, and the 50th.
const START: Date = date(2021, 3, 1);
const END: Date = date(2021, 6, 8);
const DAY_50: Date = date(2021, 4, 19);
/// The portfolio's current date when a world begins.
const TODAY: Date = date(2021, 5, 13);

fn name() -> CampaignName {
    "portfolios/wsc/campaigns/spring".parse().unwrap()
}

fn project(id: &str) -> String {
    format!("portfolios/wsc/projects/{id}")
}

fn cny(units: i64, nanos: i32) -> Option<Money> {
    Some(Money { currency_code: "CNY".into(), units, nanos })
}

fn person(principal: &str) -> Actor {
    Actor { principal: principal.into(), authentication: Authentication::Claimed, ..Actor::default() }
}

fn criterion(id: &str, kind: Kind, weight_bp: i32) -> CampaignCriterion {
    CampaignCriterion { id: id.into(), kind: kind.into(), weight_bp, deductions: None }
}

fn member(id: &str, target: i64) -> CampaignMember {
    CampaignMember { project: project(id), investment_target: cny(target, 0), ..CampaignMember::default() }
}

/// Judged by progress alone.
fn campaign(members: Vec<CampaignMember>) -> Campaign {
    Campaign {
        display_name: "三比一争".into(),
        start_date: Some(date_message(START)),
        end_date: Some(date_message(END)),
        members,
        criteria: vec![criterion("progress", Kind::Progress, 10_000)],
        ..Campaign::default()
    }
}

/// Completed investment of days, as it was reported on another.
fn completed(
    first: Date,
    last: Date,
    (units, nanos): (i64, i32),
    reported: Option<Date>,
) -> CompletedInvestment {
    let period = Period { start_date: Some(date_message(first)), end_date: Some(date_message(last)) };
    let reported_date = reported.map(date_message);
    CompletedInvestment { period: Some(period), amount: cny(units, nanos), reported_date }
}

impl World {
    /// Has the registry say what a project completed.
    fn completes(&mut self, registry: &mut Registry, id: &str, reports: Vec<CompletedInvestment>) {
        let sequence = registry.entries.len() + 1;
        let project = Project {
            name: project(id),
            completed_investments: reports,
            etag: sequence.to_string(),
            update_time: Some(milepost_resource::instant_message(self.now)),
            ..Project::default()
        };
        let resource = Some(Resource::ProjectResource(project));
        self.ingest(registry.append(vec![("milepost.project.updated", resource)])).unwrap();
    }

    /// A milestone with a weight and a baseline, achieved on a day, and reported on the same.
    fn add_milestone(&mut self, of: &str, id: &str, weight: i32, baseline: Date, achieved: Option<Date>) {
        let mut request = draft(of, Some(id), Some(baseline));
        request.milestone.as_mut().unwrap().weight = (weight > 0).then_some(weight);
        self.submit(create(vec![request])).unwrap();
        if let Some(day) = achieved {
            let name = format!("{}/milestones/{id}", project(of));
            self.achieve_reported(&name, day, Some(day));
        }
    }

    fn plan_campaign(&mut self, campaign: Campaign) -> Result<Vec<Event>, Rejection> {
        let request = CreateCampaignRequest {
            parent: "portfolios/wsc".into(),
            campaign_id: "spring".into(),
            campaign: Some(campaign),
            ..CreateCampaignRequest::default()
        };
        let mut violations = Violations::new();
        let act = read_create::<Tracker, Campaign>(request, &mut violations, Violations::new());
        self.submit(command(violations.finish(act).map_err(Rejection::from)?))
    }

    fn act_on<A: Send + Sync + 'static>(
        &mut self,
        arguments: A,
        run: Run<Tracker, Campaign, A>,
    ) -> Result<Vec<Event>, Rejection> {
        self.submit(command(Custom::act(Target { name: name(), etag: None }, arguments, run)))
    }

    fn opened(&mut self, campaign: Campaign) {
        self.plan_campaign(campaign).unwrap();
        self.actor = person("user:corp/opener");
        self.act_on(None, open as Run<_, _, _>).unwrap();
    }

    fn campaign(&self) -> Campaign {
        milepost_resource::Rows::<Tracker>::new(&self.rows).get(&name()).unwrap().unwrap().into_inner()
    }

    fn standings(&self, day: Date, knowledge: Knowledge) -> CampaignStandings {
        self.try_standings(&StandingsRequest { name: name(), date: Some(day), knowledge, sign_off: 0 })
            .unwrap()
    }

    fn try_standings(&self, request: &StandingsRequest) -> Result<CampaignStandings, Rejection> {
        answer(&milepost_resource::Rows::<Tracker>::new(&self.rows), self.now, request)
    }
}

/// The ids of projects with their ranks and totals.
fn table(standings: &CampaignStandings) -> Vec<(String, Option<i32>, Option<String>)> {
    let line = |standing: &milepost_proto::tracker::v1::CampaignStanding| {
        let id = standing.project.rsplit('/').next().unwrap_or_default().to_owned();
        (id, standing.rank, standing.total.clone())
    };
    standings.standings.iter().map(line).collect()
}

/// The same; 0 and nothing are said of those without a rank and a total.
fn lines(lines: &[(&str, i32, &str)]) -> Vec<(String, Option<i32>, Option<String>)> {
    let total = |total: &str| Some(total.to_owned()).filter(|total| !total.is_empty());
    lines
        .iter()
        .map(|(id, rank, of)| ((*id).to_owned(), Some(*rank).filter(|rank| *rank > 0), total(of)))
        .collect()
}

/// A, B and C with what they achieved and completed by day 50, as office.md, section 5 has it.
fn world() -> (World, Registry) {
    let (mut world, mut registry) = World::with_projects(&["a", "b", "c", "d"]);
    let (due, later) = (date(2021, 4, 1), date(2021, 5, 20));
    for (id, achieved, missed) in [("a", 32, 8), ("b", 20, 10), ("c", 30, 10)] {
        world.add_milestone(id, "done", achieved, due, Some(date(2021, 3, 30)));
        world.add_milestone(id, "missed", missed, DAY_50, None);
        world.add_milestone(id, "later", 60, later, None);
    }
    for (id, amount) in [("a", (95, 650_000_000)), ("b", (80, 0)), ("c", (100, 0))] {
        world.completes(&mut registry, id, vec![completed(START, DAY_50, amount, Some(DAY_50))]);
    }
    (world, registry)
}

fn members() -> Vec<CampaignMember> {
    vec![member("a", 200), member("b", 150), member("c", 200)]
}

/// office.md, section 5, day 50: M and I of A, B and C, and what comes of them.
#[test]
fn progress_on_day_50_is_that_of_the_specification() {
    let (mut world, _) = world();
    world.opened(campaign(members()));
    for knowledge in [Knowledge::Latest, Knowledge::Then] {
        let found = world.standings(DAY_50, knowledge);
        assert_eq!(table(&found), lines(&[("a", 1, "87.83"), ("c", 2, "87.50"), ("b", 3, "83.33")]));
        let parts: Vec<_> = found.standings.iter().map(|standing| &standing.scores[0]).collect();
        let value = |figure: &Option<milepost_proto::figure::v1::Figure>| {
            let figure = figure.clone().unwrap();
            (figure.value.unwrap(), format!("{}/{}", figure.numerator, figure.denominator))
        };
        let milestones: Vec<_> = parts.iter().map(|score| value(&score.milestones)).collect();
        let expected = [("80.0", "32/40"), ("75.0", "30/40"), ("66.7", "20/30")];
        assert_eq!(milestones, expected.map(|(value, parts)| (value.to_owned(), parts.to_owned())));
        let investment: Vec<_> = parts.iter().map(|score| value(&score.investment).0).collect();
        assert_eq!(investment, ["95.7", "100.0", "100.0"]);
        assert_eq!(found.standings[0].member_days, 50);
    }
    // What was reported on day 50 was not known on the day before.
    let then = world.standings(date(2021, 4, 18), Knowledge::Then);
    let missing = &then.standings[0].scores[0].score.as_ref().unwrap().missing;
    assert_eq!((then.standings[0].rank, missing[0].why.as_str()), (None, "NO_REPORT"));
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 5: 2021-03-01…06-08 is 100 days.
#[test]
fn a_campaign_counts_its_first_and_its_last_day() {
    let (mut world, _) = world();
    world.opened(campaign(members()));
    world.now = "2021-07-01T04:00:00Z".parse().unwrap();
    let request = StandingsRequest { name: name(), date: None, knowledge: Knowledge::Latest, sign_off: 0 };
    let found = world.try_standings(&request).unwrap();
    assert_eq!((found.date, found.standings[0].member_days), (Some(date_message(END)), 100));
    for (day, faulty) in [(END.tomorrow().unwrap(), "OUT_OF_RANGE"), (date(2021, 7, 2), "DATE_IN_FUTURE")] {
        let refused = world.try_standings(&StandingsRequest { date: Some(day), ..at(DAY_50) }).unwrap_err();
        assert!(
            matches!(&refused, Rejection::Invalid(found) if found.iter().any(|found| found.reason == faulty)),
            "{refused:?}"
        );
    }
}

fn at(day: Date) -> StandingsRequest {
    StandingsRequest { name: name(), date: Some(day), knowledge: Knowledge::Latest, sign_off: 0 }
}

/// office.md, section 5: no inspection of the aspect in the window: NOT_EVALUATED, never 100; unranked, with why.
#[test]
fn without_an_inspection_there_is_no_score_and_no_rank() {
    let (mut world, _) = world();
    let mut given = campaign(members());
    given.criteria =
        vec![criterion("quality", Kind::Quality, 3_000), criterion("progress", Kind::Progress, 7_000)];
    world.opened(given);
    let found = world.standings(DAY_50, Knowledge::Latest);
    assert_eq!(table(&found), lines(&[("a", 0, ""), ("b", 0, ""), ("c", 0, "")]));
    let quality = found.standings[0].scores[0].score.clone().unwrap();
    assert_eq!((quality.value, quality.missing[0].why.as_str()), (None, "NO_INSPECTION"));
    assert_eq!(found.standings[0].scores[1].score.clone().unwrap().value.as_deref(), Some("87.83"));
}

/// office.md, section 5: targets freeze at opening; later rebaselining or cancelling changes nothing.
#[test]
fn what_targets_are_made_of_is_frozen_when_a_campaign_opens() {
    let (mut world, _) = world();
    world.opened(campaign(members()));
    let before = world.standings(DAY_50, Knowledge::Latest);
    let of = |id: &str| format!("{}/milestones/{id}", project("a"));
    world.act(of("missed"), Action::Cancel { reason: "not wanted".into() }).unwrap();
    world
        .act(of("later"), Action::Rebaseline { baseline: date(2021, 4, 2), reason: "sooner".into() })
        .unwrap();
    world.add_milestone("a", "new", 50, date(2021, 4, 3), None);
    assert_eq!(world.standings(DAY_50, Knowledge::Latest), before);
    let targets = world.campaign().targets;
    let ids: Vec<_> = targets[0].milestones.iter().map(|milestone| milestone.id.as_str()).collect();
    assert_eq!((targets.len(), ids), (3, vec!["done", "later", "missed"]));
}

/// office.md, section 5: AmendCampaign changes members or weights from tomorrow; each day uses its own version for the
/// whole window.
#[test]
fn an_amendment_holds_from_the_day_after_and_days_before_keep_their_version() {
    let (mut world, mut registry) = world();
    world.completes(&mut registry, "d", vec![completed(date(2021, 4, 21), date(2021, 4, 30), (10, 0), None)]);
    let mut given = campaign(members());
    given.criteria =
        vec![criterion("progress", Kind::Progress, 10_000), criterion("safety", Kind::Safety, 0)];
    world.plan_campaign(given.clone()).unwrap();
    world.actor = person("user:corp/opener");
    world.act_on(Some(START), open as Run<_, _, _>).unwrap();
    // By a weight of 0, what cannot be evaluated still leaves a member without a rank.
    assert_eq!(world.standings(DAY_50, Knowledge::Latest).standings[0].rank, None);
    let amendment = |criteria: Vec<CampaignCriterion>| Amendment {
        reason: "重新分工".into(),
        date: Some(date(2021, 4, 20)),
        add: vec![member("d", 49)],
        remove: vec![project("b")],
        criteria,
        tie_breakers: Vec::new(),
    };
    let events =
        world.act_on(amendment(vec![criterion("progress", Kind::Progress, 10_000)]), amend as Run<_, _, _>);
    assert_eq!(kinds(&events.unwrap()), ["campaign.members_changed", "campaign.amended"]);
    let ids = |day| table(&world.standings(day, Knowledge::Latest));
    assert_eq!(ids(date(2021, 4, 20)), lines(&[("a", 0, ""), ("b", 0, ""), ("c", 0, "")]));
    // D joined on 21 April: 10 completed of 49 × 10 ÷ 49 days.
    let after = ids(date(2021, 4, 30));
    assert_eq!((after.len(), &after[..1]), (3, &lines(&[("d", 1, "100.00")])[..]));
    let again = world.act_on(amendment(Vec::new()), amend as Run<_, _, _>).unwrap_err();
    let reasons = |refused: &Rejection| match refused {
        Rejection::Invalid(found) => found.iter().map(|found| found.reason).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reasons(&again), ["NOT_MEMBER", "OVERLAP"]);
    let refused = world.act_on(Some(date(2021, 4, 19)), close as Run<_, _, _>).unwrap_err();
    assert_eq!(reasons(&refused), ["DATE_TOO_EARLY"], "days of acts do not go back");
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 5: THEN stays as the sweep stored it that day; LATEST has what came later.
#[test]
fn a_day_that_passes_keeps_its_standings_and_what_comes_later_changes_the_latest_alone() {
    let (mut world, mut registry) = world();
    world.opened(campaign(members()));
    world.advance(TODAY).unwrap();
    world.now = "2021-05-14T04:00:00Z".parse().unwrap();
    let events = world.advance(date(2021, 5, 14)).unwrap();
    let stored = kinds(&events).into_iter().filter(|kind| kind.starts_with("campaign")).count();
    assert_eq!(stored, 1, "{:?}", kinds(&events));
    let then = world.standings(TODAY, Knowledge::Then);
    assert!(
        then.stored && !world.standings(DAY_50, Knowledge::Then).stored,
        "without a sweep it is computed"
    );
    world.completes(&mut registry, "c", vec![completed(START, DAY_50, (20, 0), Some(DAY_50))]);
    assert_eq!(world.standings(TODAY, Knowledge::Then), then);
    assert_ne!(table(&world.standings(TODAY, Knowledge::Latest)), table(&then));
    assert_eq!(world.advance(date(2021, 5, 14)).unwrap(), []);
    // Another one leads.
    world.add_milestone("b", "jump", 0, date(2021, 5, 1), None);
    world.completes(&mut registry, "a", vec![completed(START, DAY_50, (1, 0), Some(DAY_50))]);
    world.now = "2021-05-15T04:00:00Z".parse().unwrap();
    let events = world.advance(date(2021, 5, 15)).unwrap();
    let of_campaign: Vec<_> =
        kinds(&events).into_iter().filter(|kind| kind.starts_with("campaign")).collect();
    assert_eq!(of_campaign, ["campaign.standings_computed", "campaign.lead_changed"]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 5: DRAFT→OPEN→CLOSED (after end).
#[test]
fn the_day_after_the_last_finds_its_standings_and_closes_the_campaign_once() {
    let (mut world, _) = world();
    world.opened(campaign(members()));
    world.now = "2021-06-20T04:00:00Z".parse().unwrap();
    world.advance(END).unwrap();
    let early = world.act_on(None, close as Run<_, _, _>).unwrap_err();
    assert!(matches!(&early, Rejection::Preconditions(found) if found[0].kind == "NOT_ENDED"), "{early:?}");
    let events = world.advance(END.tomorrow().unwrap()).unwrap();
    let of_campaign: Vec<_> =
        kinds(&events).into_iter().filter(|kind| kind.starts_with("campaign")).collect();
    assert_eq!(of_campaign, ["campaign.standings_computed", "campaign.closed"]);
    assert_eq!(world.campaign().state(), State::Closed);
    let events = world.advance(date(2021, 6, 20)).unwrap();
    assert!(!kinds(&events).iter().any(|kind| kind.starts_with("campaign")), "{:?}", kinds(&events));
    assert_eq!(world.rebuilt(), world.rows);
}

fn signed(pioneers: &[&str], excluded: &[&str]) -> SignOff {
    let exclusion = |id: &&str| CampaignExclusion { project: project(id), reason: "no report".into() };
    SignOff {
        reason: String::new(),
        date: None,
        pioneers: pioneers.iter().map(|id| project(id)).collect(),
        exclusions: excluded.iter().map(exclusion).collect(),
    }
}

fn violations_of(refused: Result<Vec<Event>, Rejection>) -> Vec<(&'static str, String)> {
    match refused.unwrap_err() {
        Rejection::Preconditions(found) => found
            .into_iter()
            .map(|found| (found.kind, found.subject.rsplit('/').next().unwrap().to_owned()))
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// office.md, section 5: SignOffCampaign by another person than opened it freezes LATEST; NOT_ELIGIBLE; NOT_EVALUATED
/// unless excluded; then only a new revision.
#[test]
fn a_campaign_is_signed_off_by_another_person_and_then_only_revised() {
    let (mut world, mut registry) = world();
    let mut given = campaign([members(), vec![member("d", 10)]].concat());
    let min_score = "85".into();
    given.pioneer_rule = Some(CampaignPioneerRule { max: 1, min_score, min_days: 101 });
    world.opened(given);
    world.now = "2021-06-20T04:00:00Z".parse().unwrap();
    world.act_on(None, close as Run<_, _, _>).unwrap();
    let sign = |world: &mut World, given: SignOff| world.act_on(given, sign_off as Run<_, _, _>);
    assert_eq!(violations_of(sign(&mut world, signed(&[], &[])))[0].0, "SAME_PERSON");
    world.actor = Actor::default();
    assert_eq!(violations_of(sign(&mut world, signed(&[], &[])))[0].0, "ACTOR_UNKNOWN");
    world.actor = person("user:corp/signer");
    let expected = [
        ("NOT_ELIGIBLE", "a"),
        ("NOT_ELIGIBLE", "d"),
        ("TOO_MANY_PIONEERS", "spring"),
        ("NOT_EVALUATED", "d"),
    ];
    let expected = expected.map(|(kind, subject)| (kind, subject.to_owned())).to_vec();
    assert_eq!(violations_of(sign(&mut world, signed(&["a", "d"], &[]))), expected);
    let missing = signed(&[], &["d", "x"]);
    assert_eq!(violations_of(sign(&mut world, missing)), [("NOT_MEMBER", "x".to_owned())]);
    let events = sign(&mut world, signed(&[], &["d"])).unwrap();
    assert_eq!(kinds(&events), ["campaign.signed_off", "campaign.standings_computed"]);
    assert_eq!(events[1].caused_by, events[0].event_id);
    let frozen = |world: &World, sign_off| world.try_standings(&StandingsRequest { sign_off, ..at(END) });
    let first = frozen(&world, 1).unwrap();
    assert!(first.stored && first.sign_off == 1);
    world.completes(&mut registry, "d", vec![completed(START, DAY_50, (5, 0), None)]);
    assert_eq!(frozen(&world, 1).unwrap(), first);
    let again = sign(&mut world, signed(&[], &[])).unwrap_err();
    assert!(matches!(again, Rejection::WrongState { .. }), "{again:?}");
    let given = SignOff { reason: "补报".into(), ..signed(&[], &[]) };
    let events = world.act_on(given, revise as Run<_, _, _>).unwrap();
    assert_eq!(kinds(&events), ["campaign.revised", "campaign.standings_computed"]);
    assert_eq!(frozen(&world, 2).unwrap().standings.last().unwrap().rank, Some(4));
    assert!(frozen(&world, 3).is_err());
    let campaign = world.campaign();
    assert_eq!((campaign.state(), campaign.sign_offs.len()), (State::Final, 2));
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 5: weights add up to 10,000, else INVALID_FIELDS; all faults at once, and nothing changes.
#[test]
fn what_is_wrong_with_a_campaign_is_found_at_once() {
    let (mut world, _) = world();
    let rows = world.rows.clone();
    let found = |world: &mut World, given: Campaign| match world.plan_campaign(given).unwrap_err() {
        Rejection::Invalid(found) => {
            found.iter().map(|found| format!("{} {}", found.field, found.reason)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let mut given = campaign(members());
    given.criteria = vec![
        criterion("A b", Kind::Quality, 3_000),
        criterion("x", Kind::Unspecified, 3_000),
        CampaignCriterion { deductions: Some(Default::default()), ..criterion("x", Kind::Progress, 10_001) },
    ];
    // Which criteria there are is not known, so not which may break a tie.
    given.tie_breakers = vec!["safety".into()];
    let expected = [
        "campaign.criteria[1].kind REQUIRED",
        "campaign.criteria[2].weight_bp OUT_OF_RANGE",
        "campaign.criteria[0].id INVALID_ID",
        "campaign.criteria[2].id DUPLICATE",
        "campaign.criteria[2].deductions NOT_ALLOWED",
        "campaign.criteria WRONG_SUM",
    ];
    assert_eq!(found(&mut world, given), expected);
    let stay = |join: Option<Date>, leave: Option<Date>| CampaignMember {
        join_date: join.map(date_message),
        leave_date: leave.map(date_message),
        ..member("a", 1)
    };
    let mut given = campaign(vec![
        stay(None, Some(DAY_50)),
        stay(Some(date(2021, 4, 18)), None),
        stay(Some(date(2021, 2, 28)), Some(date(2021, 2, 27))),
    ]);
    given.tie_breakers = vec!["safety".into()];
    let expected = [
        "campaign.tie_breakers[0] UNKNOWN_CRITERION",
        "campaign.members[2].join_date OUT_OF_RANGE",
        "campaign.members[2].leave_date INVALID_PERIOD",
        "campaign.members[1].project OVERLAP",
    ];
    assert_eq!(found(&mut world, given), expected);
    let other = CampaignMember { project: "portfolios/lj/projects/a".into(), ..member("a", 1) };
    assert_eq!(found(&mut world, campaign(vec![other])), ["campaign.members[0].project OTHER_PARENT"]);
    let unknown = world.plan_campaign(campaign(vec![member("z", 1), member("a", 1), member("y", 1)]));
    let missing = ["z", "y"].map(|id| ("MEMBER_NOT_FOUND", id.to_owned()));
    assert_eq!(violations_of(unknown), missing);
    assert_eq!(world.rows, rows);
    world.plan_campaign(campaign(Vec::new())).unwrap();
    let refused = violations_of(world.act_on(None, open as Run<_, _, _>));
    assert_eq!(refused, ["ACTOR_UNKNOWN", "NO_MEMBERS"].map(|kind| (kind, "spring".to_owned())));
}

/// Once it is opened, what is judged by changes by its methods alone.
#[test]
fn an_open_campaign_is_updated_in_its_names_alone() {
    let (mut world, _) = world();
    world.opened(campaign(members()));
    let update = |given: Campaign, path: &str| -> Command {
        let request = UpdateCampaignRequest {
            campaign: Some(Campaign { name: name().to_string(), ..given }),
            update_mask: Some(prost_types::FieldMask { paths: vec![path.to_owned()] }),
            ..UpdateCampaignRequest::default()
        };
        let mut violations = Violations::new();
        let act = read_update::<Tracker, Campaign>(request, &mut violations);
        command(violations.finish(act).unwrap())
    };
    let members = campaign(vec![member("d", 1)]);
    let refused = world.submit(update(members, "members")).unwrap_err();
    assert!(matches!(refused, Rejection::WrongState { .. }), "{refused:?}");
    let named = Campaign { display_name: "春季".into(), ..Campaign::default() };
    world.submit(update(named, "display_name")).unwrap();
    assert_eq!(world.campaign().display_name, "春季");
    let events = world.act_on(("停办".to_owned(), None), cancel as Run<_, _, _>).unwrap();
    assert_eq!((kinds(&events), world.campaign().state()), (vec!["campaign.cancelled"], State::Cancelled));
}

#[test]
fn the_milestones_of_a_target_count_however_many_there_are() {
    for count in [1, facts::LOOKED_UP, facts::LOOKED_UP + 1, 2 * facts::LOOKED_UP] {
        let (mut world, _) = World::with_projects(&["a"]);
        let due = date(2021, 4, 1);
        for i in 0..count {
            world.add_milestone("a", &format!("m{i}"), 0, due, (i % 2 == 0).then_some(due));
        }
        world.opened(campaign(vec![member("a", 100)]));
        let found = world.standings(DAY_50, Knowledge::Latest);
        let milestones = found.standings[0].scores[0].milestones.clone().unwrap();
        let expected = (count.div_ceil(2).to_string(), count.to_string());
        assert_eq!((milestones.numerator, milestones.denominator), expected);
    }
}

/// A campaign of 1,000 members answers at once: each is read by index, by itself, and nothing is read for pairs of them.
#[test]
fn what_a_member_costs_does_not_depend_on_how_many_there_are() {
    let reads = |count: usize| {
        let ids: Vec<String> = (0..count).map(|i| format!("p{i}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (mut world, mut registry) = World::with_projects(&ids);
        for id in &ids {
            world.add_milestone(id, "done", 1, date(2021, 4, 1), Some(date(2021, 4, 1)));
            world.completes(&mut registry, id, vec![completed(START, DAY_50, (50, 0), Some(DAY_50))]);
        }
        world.opened(campaign(ids.iter().map(|id| member(id, 100)).collect()));
        let counted = Counted::new(&world.rows);
        let rows = milepost_resource::Rows::<Tracker>::new(&counted);
        let request = StandingsRequest { knowledge: Knowledge::Then, ..at(DAY_50) };
        let found = answer(&rows, world.now, &request).unwrap();
        assert!(
            found
                .standings
                .iter()
                .all(|standing| (standing.rank, standing.total.as_deref()) == (Some(1), Some("100.00")))
        );
        counted.reads()
    };
    let [few, twice, thrice] = [20, 40, 60].map(reads);
    assert_eq!(twice - few, thrice - twice);
    assert!((twice - few) / 20 <= 10, "{} reads for a member", (twice - few) / 20);
}

/// Has a row be this, whatever made it so.
fn store<R: Rules<Tracker>>(world: &mut World, resource: &R) {
    let table = milepost_resource::Table::of::<Tracker, R>();
    table.put(&mut world.rows, prost::Message::encode_to_vec(resource).into()).unwrap();
}

fn inspected(world: &mut World, of: &str, aspects: &[Aspect], day: Date, reported: Date) {
    let id = format!("i{}{}", aspects.len(), day.day());
    let inspection = Inspection {
        name: format!("{}/inspections/{id}", project(of)),
        title: "巡查".into(),
        kind: inspection::Kind::Daily.into(),
        aspects: aspects.iter().map(|aspect| (*aspect).into()).collect(),
        state: inspection::State::Done.into(),
        inspection_date: Some(date_message(day)),
        reported_date: Some(date_message(reported)),
        create_time: Some(milepost_resource::instant_message(world.now)),
        update_time: Some(milepost_resource::instant_message(world.now)),
        etag: "1".into(),
        ..Inspection::default()
    };
    store(world, &inspection);
}

fn found(
    world: &mut World,
    of: &str,
    id: &str,
    (aspect, severity): (Aspect, finding::Severity),
    state: (finding::State, Date),
) {
    let day = date(2021, 3, 20);
    let finding = Finding {
        name: format!("{}/findings/{id}", project(of)),
        inspection: format!("{}/inspections/i2{}", project(of), day.day()),
        title: "问题".into(),
        aspect: aspect.into(),
        severity: severity.into(),
        finding_date: Some(date_message(day)),
        reported_date: Some(date_message(day)),
        state: state.0.into(),
        state_date: Some(date_message(state.1)),
        create_time: Some(milepost_resource::instant_message(world.now)),
        update_time: Some(milepost_resource::instant_message(world.now)),
        etag: "1".into(),
        ..Finding::default()
    };
    store(world, &finding);
}

/// A, B and C as office.md, section 5 has them on day 50: B has an order of a safety finding that is overdue by four working
/// days, and C was not inspected for safety.
fn inspected_world() -> World {
    let (mut world, _) = world();
    let both = [Aspect::Quality, Aspect::Safety];
    let day = date(2021, 3, 20);
    inspected(&mut world, "a", &both, day, day);
    inspected(&mut world, "b", &both, day, day);
    inspected(&mut world, "c", &[Aspect::Quality], day, day);
    let open = (finding::State::Open, day);
    let minor = |aspect| (aspect, finding::Severity::Minor);
    for (project, id, of) in [
        ("a", "q1", Aspect::Quality),
        ("a", "q2", Aspect::Quality),
        ("a", "s1", Aspect::Safety),
        ("a", "s2", Aspect::Safety),
        ("a", "s3", Aspect::Safety),
        ("a", "s4", Aspect::Safety),
        ("b", "s1", Aspect::Safety),
        ("c", "q1", Aspect::Quality),
    ] {
        found(&mut world, project, id, minor(of), open);
    }
    found(
        &mut world,
        "a",
        "w",
        (Aspect::Safety, finding::Severity::Critical),
        (finding::State::Withdrawn, day),
    );
    found(&mut world, "a", "o", (Aspect::Safety, finding::Severity::Observation), open);
    let order = RectificationOrder {
        name: format!("{}/rectificationOrders/r", project("b")),
        title: "整改".into(),
        findings: vec![format!("{}/findings/s1", project("b"))],
        responsible: "organizations/builder".into(),
        // A Tuesday: the four working days to Monday, day 50, are overdue.
        due_date: Some(date_message(date(2021, 4, 13))),
        issue_date: Some(date_message(day)),
        act_date: Some(date_message(day)),
        state: rectification_order::State::Issued.into(),
        create_time: Some(milepost_resource::instant_message(world.now)),
        update_time: Some(milepost_resource::instant_message(world.now)),
        etag: "1".into(),
        ..RectificationOrder::default()
    };
    store(&mut world, &order);
    let mut given = campaign(members());
    given.criteria = vec![
        criterion("quality", Kind::Quality, 3_000),
        criterion("safety", Kind::Safety, 3_000),
        criterion("progress", Kind::Progress, 4_000),
    ];
    given.tie_breakers = vec!["safety".into()];
    given.veto = Some(CampaignVeto { min_severity: finding::Severity::Critical.into(), aspects: Vec::new() });
    world.opened(given);
    world
}

/// office.md, section 5: the whole table of day 50, weights 30/30/40, tie-breaker safety.
#[test]
fn the_standings_of_day_50_are_those_of_the_specification() {
    let world = inspected_world();
    for knowledge in [Knowledge::Latest, Knowledge::Then] {
        let found = world.standings(DAY_50, knowledge);
        assert_eq!(table(&found), lines(&[("b", 1, "91.53"), ("a", 2, "91.53"), ("c", 0, "")]));
        let decided: Vec<_> = found.standings.iter().map(|standing| standing.decided_by.as_str()).collect();
        assert_eq!(decided, ["safety", "", ""]);
        let scores = |i: usize| {
            let scores = found.standings[i].scores.iter();
            let shown = scores.map(|score| score.score.clone().unwrap());
            shown.map(|score| score.value.unwrap_or_else(|| score.missing[0].why.clone())).collect::<Vec<_>>()
        };
        assert_eq!(scores(0), ["100.00", "94.00", "83.33"]);
        assert_eq!(scores(1), ["96.00", "92.00", "87.83"]);
        assert_eq!(scores(2), ["98.00", "NO_INSPECTION", "87.50"]);
    }
}

/// office.md, section 5: on day 52 C's clean inspection of day 48 arrives: LATEST has C first, 94.40; THEN stays.
#[test]
fn a_late_inspection_changes_the_latest_standings_and_not_those_of_then() {
    let mut world = inspected_world();
    let then = world.standings(DAY_50, Knowledge::Then);
    inspected(&mut world, "c", &[Aspect::Safety], date(2021, 4, 17), date(2021, 4, 21));
    let latest = world.standings(DAY_50, Knowledge::Latest);
    assert_eq!(table(&latest), lines(&[("c", 1, "94.40"), ("b", 2, "91.53"), ("a", 3, "91.53")]));
    assert_eq!(world.standings(DAY_50, Knowledge::Then), then);
    assert_eq!(
        world.standings(date(2021, 4, 16), Knowledge::Latest).standings[2].rank,
        None,
        "it is of a later day"
    );
}

/// office.md, section 5: vetoed after all others; a finding that was withdrawn vetoes nothing, but did until then.
#[test]
fn a_grave_finding_vetoes_a_member() {
    let mut world = inspected_world();
    let grave = (Aspect::Safety, finding::Severity::Critical);
    let day = date(2021, 3, 20);
    found(&mut world, "b", "grave", grave, (finding::State::Open, day));
    let latest = world.standings(DAY_50, Knowledge::Latest);
    assert_eq!(table(&latest), lines(&[("a", 1, "91.53"), ("b", 2, "82.53"), ("c", 0, "")]));
    assert_eq!(latest.standings[1].vetoed_by, [format!("{}/findings/grave", project("b"))]);
    found(&mut world, "b", "grave", grave, (finding::State::Withdrawn, date(2021, 4, 25)));
    assert_eq!(world.standings(DAY_50, Knowledge::Latest).standings[0].decided_by, "safety");
    assert_eq!(world.standings(DAY_50, Knowledge::Then).standings[1].vetoed_by.len(), 1);
}

/// A campaign, or a member of one, that cannot be read keeps no other campaign from its standings.
#[test]
fn what_cannot_be_read_keeps_no_other_campaign_from_its_standings() {
    let (mut world, _) = world();
    world.opened(campaign(members()));
    let row = world.rows.0.get(&b"\x46wsc\0spring"[..]).unwrap().clone();
    // The same under other names, as the index has them.
    let table = milepost_resource::Table::of::<Tracker, Campaign>();
    for id in ["autumn", "winter"] {
        let mut other = world.campaign();
        other.name = format!("portfolios/wsc/campaigns/{id}");
        if id == "winter" {
            other.members = vec![member("d", 1)];
            other.targets.truncate(1);
        }
        table.put(&mut world.rows, prost::Message::encode_to_vec(&other).into()).unwrap();
    }
    world.damage(&"portfolios/wsc/campaigns/autumn".parse::<CampaignName>().unwrap());
    let key = crate::tables::key::of_project(crate::tables::Table::Project, &project("a").parse().unwrap());
    let fact = world.rows.0.get(&key[..]).unwrap().clone();
    world.rows.0.insert(key.clone().into(), [&fact[..], b"\x0a\x05x"].concat().into());
    world.advance(TODAY).unwrap();
    world.now = "2021-05-14T04:00:00Z".parse().unwrap();
    let events = world.advance(date(2021, 5, 14)).unwrap();
    let found: Vec<_> = events.iter().filter(|event| event.r#type.starts_with("milepost.campaign")).collect();
    let subjects: Vec<_> = found.iter().map(|event| event.subject.as_str()).collect();
    assert_eq!(subjects, ["portfolios/wsc/campaigns/winter"], "spring has a member that cannot be read");
    // When all can be read again, the day that was passed over is found first.
    world.rows.0.insert(key.into(), fact);
    assert_eq!(world.rows.0.get(&b"\x46wsc\0spring"[..]), Some(&row));
    world.now = "2021-05-15T04:00:00Z".parse().unwrap();
    let events = world.advance(date(2021, 5, 15)).unwrap();
    let subjects: Vec<_> =
        events.iter().filter(|event| event.r#type.ends_with("standings_computed")).collect();
    assert_eq!(subjects.len(), 3);
    let then = world.standings(TODAY, Knowledge::Then);
    assert!(then.stored && then.standings.len() == 3);
}

/// Standings that cannot be read are those of their day alone: of the day after it is only not known whether others lead.
#[test]
fn standings_that_cannot_be_read_keep_no_later_day_from_having_its_own() {
    let (mut world, _) = world();
    world.opened(campaign(members()));
    world.advance(TODAY).unwrap();
    let computed = |world: &mut World, day: Date| {
        world.now = format!("{day}T04:00:00Z").parse().unwrap();
        let events = world.advance(day).unwrap();
        kinds(&events).into_iter().filter(|kind| *kind == "campaign.standings_computed").count()
    };
    assert_eq!(computed(&mut world, date(2021, 5, 14)), 1);
    let of_day = world.rows.0.keys().rfind(|key| key.starts_with(b"\x49wsc\0spring")).unwrap().clone();
    let row = world.rows.0.insert(of_day.clone(), bytes::Bytes::from_static(b"\x0a\x05x")).unwrap();
    assert_eq!(computed(&mut world, date(2021, 5, 16)), 2, "of the 14th and the 15th");
    world.rows.0.insert(of_day, row);
    assert_eq!(world.rebuilt(), world.rows);
}

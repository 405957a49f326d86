//! Evaluations: what days make of adopted policies, project by project.

use bytes::Bytes;
use jiff::civil::{Date, date};
use milepost_ledger::{Actor, Authentication};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::google::r#type::{self as gtype, Money};
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::{AnnualPlan, CompletedInvestment, Period, Project};
use milepost_proto::tracker::v1::warning_policy::Missing;
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::{
    CreateExcuseRequest, Excuse, Warning, WarningLight, WarningPolicy, WarningStep, WarningTest, excuse,
    warning_step,
};
use milepost_resource::{Custom, Rows, Run, Target, date_message, read_create};
use milepost_types::{Rejection, Violations};

use super::policies::{act, creation, faults, name};
use super::published::published;
use crate::decide::Tracker;
use crate::names::ProjectName;
use crate::tests::Registry;
use crate::tests::registry::portfolio;
use crate::tests::world::{Action, World, command, create, draft, kinds};
use crate::warning::outcome::{from, of_period};
use crate::warning::{ExcuseName, Recompute, adopt, grant, refuse, retire};
use WarningLight::{Green, NoLight, Red, Yellow};

/// One fen.
pub(super) const FEN: i128 = 10_000_000;
pub(super) const UNIT: i128 = 1_000_000_000;

pub(super) fn cny(nanos: i128) -> Option<Money> {
    Some(Money {
        currency_code: "CNY".into(),
        units: i64::try_from(nanos / UNIT).unwrap(),
        nanos: i32::try_from(nanos % UNIT).unwrap(),
    })
}

/// Completed in a month of 2021, as reported on a day.
pub(super) fn completed(month: i8, nanos: i128, reported: Option<Date>) -> CompletedInvestment {
    let first = date(2021, month, 1);
    let period =
        Period { start_date: Some(date_message(first)), end_date: Some(date_message(first.last_of_month())) };
    CompletedInvestment {
        period: Some(period),
        amount: cny(nanos),
        reported_date: reported.map(date_message),
    }
}

/// A project with a plan of 1,200 for 2021, and what it completed.
pub(super) fn planned(completed: Vec<CompletedInvestment>) -> Project {
    let plan = AnnualPlan {
        year: 2021,
        investment: cny(1_200 * UNIT),
        reported_date: Some(date_message(date(2021, 1, 1))),
        ..AnnualPlan::default()
    };
    Project { annual_plans: vec![plan], completed_investments: completed, ..Project::default() }
}

/// What the registry keeps of an office, and the tracker that follows it.
pub(super) struct Office {
    pub(super) world: World,
    pub(super) registry: Registry,
    sequence: u64,
}

impl Office {
    /// An office that reports in yuan, on a day of 2021.
    pub(super) fn on(today: Date) -> Self {
        let (mut world, mut registry) = World::with_projects(&[]);
        let mut said = portfolio("wsc");
        if let Resource::PortfolioResource(portfolio) = &mut said {
            portfolio.reporting_currency_code = "CNY".into();
        }
        world.ingest(registry.append(vec![("milepost.portfolio.updated", Some(said))])).unwrap();
        let mut office = Self { world, registry, sequence: 10 };
        office.wait(today);
        office
    }

    /// It is noon of a day, and the days up to it have begun.
    pub(super) fn wait(&mut self, day: Date) -> Vec<Event> {
        self.world.now = format!("{day}T04:00:00Z").parse().unwrap();
        self.world.advance(day).unwrap()
    }

    /// The registry says a project.
    pub(super) fn say(&mut self, id: &str, project: Project) {
        self.announce("milepost.project.updated", None, id, project);
    }

    /// A project is cancelled on a day.
    pub(super) fn cancel(&mut self, id: &str, project: Project, day: Date) {
        let project = Project { status: Status::Cancelled.into(), ..project };
        self.announce("milepost.project.cancelled", Some(date_message(day)), id, project);
    }

    fn announce(&mut self, kind: &str, event_date: Option<gtype::Date>, id: &str, project: Project) {
        self.sequence += 1;
        let project = Project {
            name: format!("portfolios/wsc/projects/{id}"),
            display_name: id.into(),
            update_time: Some(prost_types::Timestamp { seconds: self.world.now.as_second(), nanos: 0 }),
            etag: self.sequence.to_string(),
            ..project
        };
        let resource = Some(Resource::ProjectResource(project));
        let event = Event { r#type: kind.to_owned(), event_date, resource, ..Event::default() };
        self.world.ingest(self.registry.append_events(vec![event])).unwrap();
    }

    /// A project with a plan of 1,200 for 2021, and what it completed.
    pub(super) fn project(&mut self, id: &str, completed: Vec<CompletedInvestment>) {
        self.say(id, planned(completed));
    }

    /// A policy in force from a day on; what it evaluates of the past is evaluated.
    pub(super) fn adopt(&mut self, id: &str, policy: WarningPolicy, from: Date) -> Vec<Event> {
        self.world.submit(creation(id, policy).unwrap()).unwrap();
        self.world.submit(act(id, Some(from), adopt as Run<_, _, _>)).unwrap();
        let today = self.world.today().current;
        self.world.advance(today).unwrap()
    }

    fn project_name(id: &str) -> ProjectName {
        format!("portfolios/wsc/projects/{id}").parse().unwrap()
    }

    /// The warning that counts.
    pub(super) fn warning(&self, policy: &str, project: &str, end: Date) -> Option<Warning> {
        let rows = Rows::<Tracker>::new(&self.world.rows);
        let found = of_period(&rows, &Self::project_name(project), &name(policy), end).unwrap();
        found.map(milepost_resource::Checked::into_inner)
    }

    /// The light of a period, and what is shown.
    pub(super) fn lights(&self, policy: &str, project: &str, end: Date) -> (WarningLight, WarningLight) {
        let warning = self.warning(policy, project, end).unwrap();
        (warning.light(), warning.shown_light())
    }

    /// What is shown of each period from a day on.
    fn shown(&self, policy: &str, project: &str, since: Date) -> Vec<WarningLight> {
        let rows = Rows::<Tracker>::new(&self.world.rows);
        let found = from(&rows, &Self::project_name(project), &name(policy), since).unwrap();
        found.iter().map(|warning| warning.shown_light()).collect()
    }

    fn key(project: &str) -> Bytes {
        crate::tables::key::of_project(crate::tables::Table::Project, &Self::project_name(project)).into()
    }

    /// Has what is kept of a project be nothing that can be decoded; says what it was.
    pub(super) fn damage(&mut self, project: &str) -> Bytes {
        let key = Self::key(project);
        let fact = self.world.rows.0.get(&key).unwrap().clone();
        self.world.rows.0.insert(key, [&fact[..], b"\x0a\x05x"].concat().into());
        fact
    }

    /// Has it be this again.
    pub(super) fn mend(&mut self, project: &str, fact: Bytes) {
        self.world.rows.0.insert(Self::key(project), fact);
    }

    pub(super) fn by(&mut self, principal: &str) {
        self.world.actor = Actor {
            principal: principal.into(),
            authentication: Authentication::Jwt,
            on_behalf_of: String::new(),
            credential: "jwt:1".into(),
        };
    }

    pub(super) fn ask_excuse(
        &mut self,
        id: &str,
        policy: &str,
        ends: &[Date],
    ) -> Result<Vec<Event>, Rejection> {
        let request = CreateExcuseRequest {
            parent: "portfolios/wsc/projects/road".into(),
            excuse_id: id.into(),
            excuse: Some(Excuse {
                policy: name(policy).to_string(),
                period_ends: ends.iter().copied().map(date_message).collect(),
                text: "洪水".into(),
                ..Excuse::default()
            }),
            ..CreateExcuseRequest::default()
        };
        let mut violations = Violations::new();
        let act = read_create::<Tracker, Excuse>(request, &mut violations, Violations::new());
        self.world.submit(command(violations.finish(act)?))
    }

    pub(super) fn decide_excuse(
        &mut self,
        id: &str,
        run: Run<Tracker, Excuse, (String, Option<Date>)>,
    ) -> Result<Vec<Event>, Rejection> {
        let excuse: ExcuseName = format!("portfolios/wsc/projects/road/excuses/{id}").parse().unwrap();
        let target = Target { name: excuse, etag: None };
        self.world.submit(command(Custom::act(target, ("属实".to_owned(), None), run)))
    }

    pub(super) fn recompute(&mut self, policy: &str, end: Date) -> Result<Vec<Event>, Rejection> {
        self.recompute_of(policy, end, None, None)
    }

    /// Computes a period of a project, or of all, again, on a day.
    pub(super) fn recompute_of(
        &mut self,
        policy: &str,
        end: Date,
        project: Option<&str>,
        date: Option<Date>,
    ) -> Result<Vec<Event>, Rejection> {
        let (policy, project) = (name(policy), project.map(Self::project_name));
        let recompute = Recompute { policy, end, project, reason: "补报".to_owned(), date };
        self.world.submit(command(Box::new(recompute)))
    }
}

const OCTOBER: Date = date(2021, 10, 31);

/// office.md, section 9, scenario 2: the five projects of section 4 under YC, WH and SY; one fen less than 640 turns YC
/// red.
#[test]
fn office_scenario_2_five_projects_under_three_published_rules() {
    let mut office = Office::on(date(2021, 10, 1));
    let projects = [
        ("p500", 500 * UNIT),
        ("p640", 640 * UNIT),
        ("p880", 880 * UNIT),
        ("p800", 800 * UNIT),
        ("p600", 600 * UNIT),
    ];
    let less = ("less", 640 * UNIT - FEN);
    for (id, nanos) in projects.iter().chain([&less]) {
        office.project(id, vec![completed(10, *nanos, None)]);
    }
    for id in ["yc-progress", "wh-ratio", "sy-shortfall"] {
        let events = office.adopt(id, published(id), date(2021, 10, 1));
        assert_eq!(events, [], "nothing is evaluated before its day");
    }
    let events = office.wait(OCTOBER);
    let warnings = events.iter().filter(|event| event.r#type.starts_with("milepost.warning."));
    assert_eq!(warnings.count(), 3 * 6);
    for (project, yc, wh, sy) in [
        ("p500", Red, Red, Yellow),
        ("p640", Yellow, Yellow, Yellow),
        ("less", Red, Yellow, Yellow),
        ("p880", Yellow, Green, Yellow),
        ("p800", Yellow, Green, Yellow),
        ("p600", Red, Yellow, Yellow),
    ] {
        let light = |policy| office.lights(policy, project, OCTOBER);
        assert_eq!(light("yc-progress"), (yc, yc), "{project} under YC");
        assert_eq!(light("wh-ratio"), (wh, wh), "{project} under WH");
        assert_eq!(light("sy-shortfall"), (sy, sy), "{project} under SY");
    }
    let gap = office.warning("yc-progress", "p640", OCTOBER).unwrap();
    let test = &gap.tests[0];
    assert_eq!(
        (test.numerator.as_str(), test.denominator.as_str(), test.value.as_str()),
        ("3", "10", "30.0")
    );
    assert_eq!(gap.evaluation_date, Some(date_message(OCTOBER)));
    assert_eq!(
        office.world.policy("yc-progress").next_evaluation_date,
        Some(date_message(date(2021, 11, 30)))
    );
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// The yellow third time is red.
pub(super) fn three_times(policy: WarningPolicy) -> WarningPolicy {
    let step = WarningStep {
        at_light: Yellow.into(),
        consecutive: 3,
        raise_to: Red.into(),
        action: warning_step::Action::Review.into(),
        months: 6,
        ..WarningStep::default()
    };
    WarningPolicy { steps: vec![step], ..policy }
}

/// A project that is 20 points behind at the end of each of these months: a plan of 1,200 by months.
pub(super) fn twenty_points_behind(months: &[i8]) -> Vec<CompletedInvestment> {
    let mut before = 0;
    months
        .iter()
        .map(|month| {
            let by_now = (100 * i128::from(*month) - 240) * UNIT;
            let reported = completed(*month, by_now - before, Some(date(2021, *month, 1).last_of_month()));
            before = by_now;
            reported
        })
        .collect()
}

/// office.md, section 4: March and April yellow, May excused, June yellow: run 3, so red.
#[test]
fn office_4_an_excuse_that_another_person_grants_neither_counts_nor_resets() {
    let (march, april, may, june) =
        (date(2021, 3, 31), date(2021, 4, 30), date(2021, 5, 31), date(2021, 6, 30));
    let mut office = Office::on(date(2021, 3, 1));
    office.project("road", twenty_points_behind(&[3, 4, 5, 6]));
    office.adopt("w", three_times(published("yc-progress")), date(2021, 3, 1));
    let raised = office.wait(march);
    assert!(kinds(&raised).contains(&"warning.raised"), "{:?}", kinds(&raised));
    office.wait(april);
    office.by("user:corp/a");
    office.ask_excuse("flood", "w", &[may]).unwrap();
    let refused = office.decide_excuse("flood", grant).unwrap_err();
    assert!(refused.to_string().contains("user:corp/a asked for it"), "{refused}");
    assert!(format!("{refused:?}").contains("SAME_PERSON"), "{refused:?}");
    office.by("");
    let nobody = office.decide_excuse("flood", grant).unwrap_err();
    assert!(format!("{nobody:?}").contains("ACTOR_UNKNOWN"), "{nobody}");
    office.by("user:corp/b");
    assert_eq!(kinds(&office.decide_excuse("flood", grant).unwrap()), ["excuse.granted"]);
    let excused = office.wait(may);
    assert!(kinds(&excused).contains(&"warning.excused"), "{:?}", kinds(&excused));
    let warning = office.warning("w", "road", may).unwrap();
    assert_eq!((warning.light(), warning.shown_light()), (Yellow, Yellow));
    assert_eq!(warning.excuse, "portfolios/wsc/projects/road/excuses/flood");
    let escalated = office.wait(june);
    assert!(kinds(&escalated).contains(&"warning.escalated"), "{:?}", kinds(&escalated));
    let warning = office.warning("w", "road", june).unwrap();
    assert_eq!((warning.light(), warning.shown_light()), (Yellow, Red));
    assert_eq!((warning.runs.unwrap().yellow, warning.steps.len()), (3, 1));
    assert_eq!(warning.review_date, Some(date_message(date(2021, 12, 30))), "6 months later");
    assert_eq!(office.shown("w", "road", march), [Yellow, Yellow, Yellow, Red]);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// The same where the excuse comes late: warnings of the next revision stand beside the old ones.
#[test]
fn an_excuse_that_is_granted_late_corrects_its_period_and_those_after_it() {
    let (march, may, june) = (date(2021, 3, 31), date(2021, 5, 31), date(2021, 6, 30));
    let mut office = Office::on(date(2021, 7, 1));
    office.project("road", twenty_points_behind(&[3, 4, 5, 6]));
    office.adopt("w", three_times(published("yc-progress")), date(2021, 3, 1));
    assert_eq!(office.shown("w", "road", march), [Yellow, Yellow, Red, Red]);
    office.by("user:corp/a");
    office.ask_excuse("flood", "w", &[may]).unwrap();
    office.by("user:corp/b");
    let events = office.decide_excuse("flood", grant).unwrap();
    let expected = [
        "excuse.granted",
        "warning.excused",
        "warning.superseded",
        "warning.corrected",
        "warning.superseded",
    ];
    assert_eq!(kinds(&events), expected);
    assert!(events[1..].iter().all(|event| !event.caused_by.is_empty()));
    assert_eq!(office.shown("w", "road", march), [Yellow, Yellow, Yellow, Red]);
    let corrected = office.warning("w", "road", june).unwrap();
    assert_eq!((corrected.revision, corrected.steps.len(), corrected.runs.unwrap().yellow), (2, 1, 3));
    let refused = office.decide_excuse("flood", refuse).unwrap_err();
    assert!(matches!(refused, Rejection::WrongState { .. }), "{refused}");
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

#[test]
fn an_excuse_is_of_a_policy_that_excuses_and_of_its_periods() {
    let mut office = Office::on(date(2021, 7, 1));
    office.project("road", Vec::new());
    office.by("user:corp/a");
    office.adopt("wh", published("wh-ratio"), date(2021, 7, 1));
    let refused = office.ask_excuse("e", "wh", &[date(2021, 5, 31)]).unwrap_err();
    assert!(format!("{refused:?}").contains("NOT_EXCUSABLE"), "{refused}");
    let refused = office.ask_excuse("e", "wh", &[date(2021, 6, 29)]).unwrap_err();
    assert_eq!(faults(refused), [("excuse.period_ends[0]".to_owned(), "NO_PERIOD")], "fields come first");
    office.adopt("yc", published("yc-progress"), date(2021, 7, 1));
    let refused = office.ask_excuse("e", "yc", &[date(2021, 5, 31), date(2021, 6, 29)]).unwrap_err();
    assert_eq!(faults(refused), [("excuse.period_ends[1]".to_owned(), "NO_PERIOD")]);
    let refused = office.ask_excuse("e", "none", &[date(2021, 5, 31)]).unwrap_err();
    assert_eq!(faults(refused), [("excuse.policy".to_owned(), "NOT_FOUND")]);
    office.ask_excuse("e", "yc", &[date(2021, 5, 31)]).unwrap();
    office.by("user:corp/b");
    let events = office.decide_excuse("e", refuse).unwrap();
    assert_eq!(kinds(&events), ["excuse.refused"]);
    let rows = Rows::<Tracker>::new(&office.world.rows);
    let name: ExcuseName = "portfolios/wsc/projects/road/excuses/e".parse().unwrap();
    assert_eq!(rows.get(&name).unwrap().unwrap().state(), excuse::State::Refused);
}

/// office.md, section 4: late data alone changes nothing; RecomputeWarnings writes corrections beside the old.
#[test]
fn office_4_late_data_changes_nothing_until_it_is_asked_for() {
    let (september, october) = (date(2021, 9, 30), OCTOBER);
    let mut office = Office::on(date(2021, 11, 5));
    let early = completed(9, 500 * UNIT, Some(september));
    office.project("road", vec![early.clone()]);
    office.project("rail", vec![completed(9, 900 * UNIT, Some(september))]);
    office.adopt("w", published("wh-ratio"), date(2021, 9, 1));
    assert_eq!(office.shown("w", "road", september), [Red, Red]);
    office.project("road", vec![early, completed(10, 500 * UNIT, Some(date(2021, 11, 5)))]);
    let before = office.world.rows.clone();
    assert_eq!(office.world.advance(date(2021, 11, 5)).unwrap(), []);
    assert_eq!(office.world.rows, before);
    let events = office.recompute("w", october).unwrap();
    assert_eq!(kinds(&events), ["warning.corrected", "warning.superseded"]);
    let Some(Payload::WarningCorrected(corrected)) = &events[0].payload else { panic!() };
    assert_eq!(corrected.reason, "补报");
    assert_eq!(corrected.corrects, events[1].subject);
    assert_eq!(office.shown("w", "road", september), [Red, Green]);
    let Some(Resource::WarningResource(old)) = &events[1].resource else { panic!() };
    assert_eq!((old.shown_light(), old.superseded_by.as_str()), (Red, events[0].subject.as_str()));
    assert_eq!(office.recompute("w", october).unwrap(), [], "nothing differs any more");
    // September knew nothing of October, so nothing of it differs, and October follows from it as before.
    assert_eq!(office.recompute("w", september).unwrap(), []);
    let refused = office.recompute("w", date(2021, 10, 30)).unwrap_err();
    assert_eq!(faults(refused), [("period_end".to_owned(), "NO_PERIOD")]);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// office.md, section 4: `evaluate_after_days` uses what is known then about the period.
#[test]
fn what_is_known_on_the_day_of_the_evaluation_counts() {
    let mut office = Office::on(date(2021, 11, 20));
    office.project("in-time", vec![completed(10, 1_000 * UNIT, Some(date(2021, 11, 5)))]);
    office.project("late", vec![completed(10, 1_000 * UNIT, Some(date(2021, 11, 6)))]);
    let policy =
        WarningPolicy { evaluate_after_days: 5, missing: Missing::Red.into(), ..published("wh-ratio") };
    office.adopt("w", policy, date(2021, 10, 1));
    assert_eq!(office.lights("w", "in-time", OCTOBER), (Green, Green));
    assert_eq!(office.lights("w", "late", OCTOBER), (Red, Red));
    let late = office.warning("w", "late", OCTOBER).unwrap();
    assert_eq!(
        (&late.tests[0].why[..], late.evaluation_date),
        (&["NOT_REPORTED".to_owned()][..], Some(date_message(date(2021, 11, 5))))
    );
}

#[test]
fn what_is_missing_has_no_light_or_keeps_the_one_before() {
    let (september, november) = (date(2021, 9, 30), date(2021, 11, 30));
    let mut office = Office::on(date(2021, 12, 1));
    let reported = |month, units| completed(month, units * UNIT, Some(date(2021, month, 1).last_of_month()));
    office.project("road", vec![reported(9, 500)]);
    office.project("plain", Vec::new());
    office.say("bare", Project::default());
    for (id, missing) in [("none", Missing::Unspecified), ("hold", Missing::Hold), ("red", Missing::Red)] {
        office.adopt(id, WarningPolicy { missing: missing.into(), ..published("wh-ratio") }, september);
    }
    assert_eq!(office.lights("none", "plain", september), (NoLight, NoLight));
    assert_eq!(office.lights("red", "plain", november), (Red, Red));
    assert_eq!(office.warning("none", "bare", november).unwrap().tests[0].why, ["NO_PLAN"]);
    assert_eq!(office.shown("hold", "plain", september), [NoLight, NoLight, NoLight]);
}

/// office.md, section 4: of runs only computed lights count; a light that is kept where nothing is known is none.
#[test]
fn office_4_a_light_that_is_held_neither_counts_nor_ends_a_run() {
    let ends = [3, 4, 5, 6].map(|month| date(2021, month, 1).last_of_month());
    let mut office = Office::on(date(2021, 3, 1));
    let mut reported = twenty_points_behind(&[3, 4, 5, 6]);
    // In April the plan is said in another currency.
    let in_currency = |office: &mut Office, code: &str, reported: Vec<CompletedInvestment>| {
        let mut investment = cny(1_200 * UNIT);
        investment.as_mut().unwrap().currency_code = code.into();
        let plan = AnnualPlan { year: 2021, investment, ..AnnualPlan::default() };
        let project =
            Project { annual_plans: vec![plan], completed_investments: reported, ..Project::default() };
        office.say("road", project);
    };
    let june = reported.split_off(3);
    in_currency(&mut office, "CNY", reported.clone());
    let policy = WarningPolicy { missing: Missing::Hold.into(), ..three_times(published("yc-progress")) };
    office.adopt("w", policy, date(2021, 3, 1));
    office.wait(ends[0]);
    in_currency(&mut office, "USD", reported.clone());
    office.wait(ends[1]);
    let april = office.warning("w", "road", ends[1]).unwrap();
    assert_eq!((april.light(), april.shown_light()), (Yellow, Yellow));
    assert_eq!(
        (&april.tests[0].why[..], april.runs.unwrap().yellow),
        (&["HELD".to_owned(), "OTHER_CURRENCY".into()][..], 1)
    );
    in_currency(&mut office, "CNY", reported.clone());
    office.wait(ends[2]);
    reported.extend(june);
    in_currency(&mut office, "CNY", reported);
    office.wait(ends[3]);
    assert_eq!(
        office.shown("w", "road", ends[0]),
        [Yellow, Yellow, Yellow, Red],
        "the third that is computed"
    );
}

/// A correction of the light that is kept goes on through the periods that keep it.
#[test]
fn what_is_held_follows_the_correction_of_the_period_before() {
    let (september, november) = (date(2021, 9, 30), date(2021, 11, 30));
    let mut office = Office::on(date(2021, 10, 1));
    let reported = |units: i128| vec![completed(9, units * UNIT, Some(september))];
    office.say("road", Project::default());
    let policy = WarningPolicy { missing: Missing::Hold.into(), ..published("wh-ratio") };
    office.adopt("w", policy, september);
    assert_eq!(office.lights("w", "road", september), (NoLight, NoLight));
    office.wait(november);
    assert_eq!(office.warning("w", "road", november).unwrap().tests[0].why, ["NO_PLAN"]);
    office.project("road", reported(500));
    assert_eq!(office.recompute("w", september).unwrap().len(), 2 * 3, "and those that keep it");
    let held = office.warning("w", "road", november).unwrap();
    assert_eq!((held.light(), held.shown_light()), (Red, Red));
    assert_eq!(held.tests[0].why, ["HELD", "NO_PLAN"]);
    // And back to none.
    office.say("road", Project::default());
    office.recompute("w", september).unwrap();
    let none = office.warning("w", "road", november).unwrap();
    assert_eq!((none.light(), none.tests[0].why.clone()), (NoLight, vec!["NO_PLAN".to_owned()]));
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// office.md, sections 0 and 4: what is known of milestones counts by the day of the report. Three milestones of weights
/// 50, 30 and 20; by the end of May 50 and 30 are due. The first was achieved on 10 May and reported on 12 May, the
/// second on 20 May and reported on 3 June: on 31 May 50 ÷ 80 is 62.5 %, on 5 June 80 ÷ 80.
#[test]
fn office_4_milestones_count_from_the_day_of_their_report() {
    let mut office = Office::on(date(2021, 4, 30));
    office.say("road", Project::default());
    let milestone = |id: &str, weight, day| {
        let mut request = draft("road", Some(id), Some(day));
        request.milestone.as_mut().unwrap().weight = Some(weight);
        create(vec![request])
    };
    let weights = [("a", 50, date(2021, 5, 10)), ("b", 30, date(2021, 5, 20)), ("c", 20, date(2021, 6, 20))];
    for (id, weight, day) in weights {
        office.world.submit(milestone(id, weight, day)).unwrap();
    }
    let bands = published("wh-ratio").tests.remove(0).bands;
    let test = WarningTest { metric: Metric::Milestones.into(), comparison: Comparison::Ratio.into(), bands };
    let policy = |days| WarningPolicy {
        tests: vec![test.clone()],
        evaluate_after_days: days,
        ..published("wh-ratio")
    };
    office.wait(date(2021, 6, 10));
    for (id, actual, reported) in
        [("a", date(2021, 5, 10), date(2021, 5, 12)), ("b", date(2021, 5, 20), date(2021, 6, 3))]
    {
        let name = crate::tests::world::name("road", id);
        office.world.achieve_reported(&name.to_string(), actual, Some(reported));
    }
    let may = date(2021, 5, 31);
    for (id, days, light, value) in [("now", 0, Yellow, "62.5"), ("later", 5, Green, "100.0")] {
        office.adopt(id, policy(days), may);
        let warning = office.warning(id, "road", may).unwrap();
        assert_eq!((warning.light(), warning.tests[0].value.as_str()), (light, value), "{id}");
    }
    // Computed again by all that is known now, both count.
    let events = office.recompute("now", may).unwrap();
    assert_eq!(kinds(&events), ["warning.corrected", "warning.superseded"]);
    assert_eq!(office.lights("now", "road", may), (Green, Green));
    // What is cancelled later is not due any more, but was.
    let c = crate::tests::world::name("road", "c");
    office.world.act(&c, Action::Cancel { reason: "并入二期".into() }).unwrap();
    assert_eq!(office.recompute("now", may).unwrap(), [], "it was not due in May");
}

#[test]
fn only_what_was_evaluated_is_computed_again() {
    let mut office = Office::on(date(2021, 11, 5));
    office.project("road", vec![completed(10, 500 * UNIT, None)]);
    let recompute =
        |office: &mut Office, end, project: Option<&str>| office.recompute_of("w", end, project, None);
    office.world.submit(creation("w", published("wh-ratio")).unwrap()).unwrap();
    let period_end = || [("period_end".to_owned(), "NOT_EVALUATED")];
    assert_eq!(faults(recompute(&mut office, OCTOBER, None).unwrap_err()), period_end(), "a draft");
    office.world.submit(act("w", Some(OCTOBER), adopt as Run<_, _, _>)).unwrap();
    assert_eq!(faults(recompute(&mut office, OCTOBER, None).unwrap_err()), period_end(), "not yet");
    office.world.advance(date(2021, 11, 5)).unwrap();
    assert!(recompute(&mut office, OCTOBER, None).is_ok());
    for end in [date(2021, 9, 30), date(2021, 11, 30)] {
        assert_eq!(faults(recompute(&mut office, end, None).unwrap_err()), period_end(), "{end}");
    }
    let missing = recompute(&mut office, OCTOBER, Some("never")).unwrap_err();
    assert_eq!(faults(missing), [("project".to_owned(), "NO_WARNING")]);
    assert!(recompute(&mut office, OCTOBER, Some("road")).is_ok());
}

#[test]
fn an_evaluation_that_takes_several_entries_makes_every_warning_once() {
    let mut office = Office::on(date(2021, 10, 1));
    let ids: Vec<String> = (0..40).map(|i| format!("p{i:02}")).collect();
    for id in &ids {
        office.project(id, vec![completed(10, 500 * UNIT, None)]);
    }
    office.adopt("w", published("yc-progress"), date(2021, 10, 1));
    office.adopt("v", published("tj-worst"), date(2021, 10, 1));
    office.world.domain.part_bytes = 4_000;
    let before = office.world.entries.len();
    let events = office.wait(OCTOBER);
    assert!(office.world.entries.len() - before > 10, "{} entries", office.world.entries.len() - before);
    let of = |policy: &str| -> Vec<String> {
        let warnings = events.iter().filter_map(|event| match &event.resource {
            Some(Resource::WarningResource(warning)) if warning.policy.ends_with(policy) => Some(warning),
            _ => None,
        });
        warnings.map(|warning| warning.name.split('/').nth(3).unwrap().to_owned()).collect()
    };
    for policy in ["w", "v"] {
        assert_eq!(of(policy), ids, "{policy}");
    }
    assert_eq!(office.world.rebuilt(), office.world.rows);
    // In the midst of it rows can be made anew, and it goes on.
    let mut other = Office::on(date(2021, 10, 1));
    ids.iter().for_each(|id| other.project(id, vec![completed(10, 500 * UNIT, None)]));
    other.adopt("w", published("yc-progress"), date(2021, 10, 1));
    other.world.domain.part_bytes = 4_000;
    other.world.now = office.world.now;
    let mut all = Vec::new();
    loop {
        let events = other.world.submit(crate::tests::world::advance(OCTOBER)).unwrap();
        if events.is_empty() {
            break;
        }
        other.world.rows = other.world.rebuilt();
        all.extend(events);
    }
    assert_eq!(all.iter().filter(|event| event.r#type == "milepost.warning.raised").count(), 40);
}

#[test]
fn past_periods_are_evaluated_at_once_one_after_another_and_days_go_on() {
    let mut office = Office::on(date(2021, 7, 10));
    office.project("road", twenty_points_behind(&[3, 4, 5, 6]));
    let events = office.adopt("w", three_times(published("yc-progress")), date(2021, 1, 1));
    let warnings: Vec<_> = kinds(&events).into_iter().filter(|kind| kind.starts_with("warning.")).collect();
    let expected = [
        "warning.created",
        "warning.created",
        "warning.raised",
        "warning.created",
        "warning.escalated",
        "warning.created",
    ];
    assert_eq!(warnings, expected);
    assert_eq!(office.world.advance(date(2021, 7, 10)).unwrap(), [], "once");
    assert_eq!(office.world.policy("w").next_evaluation_date, Some(date_message(date(2021, 7, 31))));
    let events = office.wait(date(2021, 7, 11));
    assert_eq!(kinds(&events), ["portfolio.date_advanced"]);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

#[test]
fn only_projects_that_the_filter_finds_are_evaluated() {
    let mut office = Office::on(date(2021, 11, 1));
    office.say("key", Project { key: Some(true), ..Project::default() });
    office.say("other", Project::default());
    office.cancel("cancelled", Project { key: Some(true), ..Project::default() }, date(2021, 10, 31));
    let policy = WarningPolicy { filter: "key = true".into(), ..published("wh-ratio") };
    office.adopt("w", policy, date(2021, 10, 1));
    let has = |id| office.warning("w", id, OCTOBER).is_some();
    assert_eq!([has("key"), has("other"), has("cancelled")], [true, false, false]);
}

#[test]
fn a_warning_that_goes_out_is_cleared() {
    let mut office = Office::on(date(2021, 9, 1));
    let reported =
        |month, units: i128| completed(month, units * UNIT, Some(date(2021, month, 1).last_of_month()));
    office.project("road", vec![reported(9, 500), reported(10, 500)]);
    office.adopt("w", published("wh-ratio"), date(2021, 9, 1));
    office.wait(date(2021, 9, 30));
    let events = office.wait(OCTOBER);
    let cleared = events.iter().find(|event| event.r#type == "milepost.warning.cleared").unwrap();
    let Some(Payload::WarningLightChanged(changed)) = &cleared.payload else { panic!() };
    assert_eq!((changed.previous_light(), changed.light()), (Red, Green));
    assert_eq!(
        (cleared.event_date, cleared.project.as_str()),
        (Some(date_message(OCTOBER)), "portfolios/wsc/projects/road")
    );
}

/// A project, or a policy, that cannot be read is in no other's way; no policy stands still because of it.
#[test]
fn what_cannot_be_read_keeps_no_other_project_and_no_other_policy_from_being_evaluated() {
    let mut office = Office::on(date(2021, 10, 1));
    for id in ["a", "b", "c"] {
        office.project(id, vec![completed(10, 500 * UNIT, None)]);
    }
    for id in ["yc-progress", "wh-ratio", "tj-worst"] {
        office.adopt(id, published(id), date(2021, 10, 1));
    }
    let policy = office.world.damage(&name("wh-ratio"));
    let fact = office.damage("b");
    let events = office.wait(OCTOBER);
    let raised = events.iter().filter(|event| event.r#type == "milepost.warning.raised");
    let projects: Vec<_> = raised.map(|event| event.project.as_str()).collect();
    // Also by TJ, which compares with all projects together that can be read.
    assert_eq!(projects, ["a", "c", "a", "c"].map(|id| format!("portfolios/wsc/projects/{id}")));
    for id in ["yc-progress", "tj-worst"] {
        let next = office.world.policy(id).next_evaluation_date;
        assert_eq!(next, Some(date_message(date(2021, 11, 30))), "{id}");
    }
    assert_eq!(office.world.advance(OCTOBER).unwrap(), [], "and nothing goes round in circles");
    // What waited is evaluated, as of the day that it was for, when it can be read again.
    office.mend("b", fact);
    office.world.put_row(&name("wh-ratio"), policy);
    let events = office.wait(date(2021, 11, 1));
    let late: Vec<_> = events.iter().filter(|event| event.r#type.starts_with("milepost.warning.")).collect();
    assert_eq!(late.len(), 3, "{:?}", kinds(&events));
    assert!(late.iter().all(|event| event.event_date == Some(date_message(OCTOBER))));
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// What a warning says of the peers that its project was compared with.
pub(super) fn peers(warning: &Warning) -> Vec<(&str, &str)> {
    let tests = warning.tests.iter().filter(|test| test.comparison() == Comparison::PeerGap);
    tests.map(|test| (test.peers_numerator.as_str(), test.peers_denominator.as_str())).collect()
}

/// office.md, section 4: PEER_GAP compares with all that are evaluated, of one period with the same.
#[test]
fn office_4_an_evaluation_that_takes_several_entries_compares_all_projects_with_the_same_peers() {
    let mut office = Office::on(date(2021, 10, 31));
    for (id, units) in [("a", 500), ("b", 640), ("c", 880)] {
        office.project(id, vec![completed(10, units * UNIT, Some(OCTOBER))]);
    }
    office.say("bare", Project::default());
    office.world.submit(creation("w", published("tj-worst")).unwrap()).unwrap();
    office.world.submit(act("w", Some(OCTOBER), adopt as Run<_, _, _>)).unwrap();
    office.world.domain.part_bytes = 1;
    let first = office.world.submit(crate::tests::world::advance(OCTOBER)).unwrap();
    assert_eq!(first.len(), 1, "{:?}", kinds(&first));
    // The registry says something between two entries of it.
    office.project("c", vec![completed(10, 1_100 * UNIT, Some(OCTOBER))]);
    office.project("d", vec![completed(10, 100 * UNIT, Some(OCTOBER))]);
    office.world.advance(OCTOBER).unwrap();
    let all = (2_020 * UNIT).to_string();
    let planned = (3_600 * UNIT).to_string();
    for id in ["a", "b", "bare", "c", "d"] {
        let warning = office.warning("w", id, OCTOBER).unwrap();
        assert_eq!(peers(&warning), [(all.as_str(), planned.as_str())], "{id}");
        let others = warning.tests.iter().filter(|test| test.comparison() != Comparison::PeerGap);
        assert!(others.into_iter().all(|test| test.peers_numerator.is_empty()));
    }
    let none = office.warning("w", "bare", OCTOBER).unwrap();
    assert!(none.tests.iter().all(|test| test.value.is_empty()), "{none:?}");
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// A project that cannot be read is in no other's way where all are compared with, either.
#[test]
fn a_project_that_cannot_be_read_is_no_peer_and_the_others_are_evaluated() {
    let mut office = Office::on(date(2021, 10, 1));
    for (id, units) in [("a", 500), ("b", 640), ("c", 880)] {
        office.project(id, vec![completed(10, units * UNIT, Some(OCTOBER))]);
    }
    office.adopt("w", published("tj-worst"), date(2021, 10, 1));
    office.damage("b");
    office.wait(OCTOBER);
    let (all, planned) = ((1_380 * UNIT).to_string(), (2_400 * UNIT).to_string());
    for id in ["a", "c"] {
        let warning = office.warning("w", id, OCTOBER).unwrap();
        assert_eq!(peers(&warning), [(all.as_str(), planned.as_str())], "{id}");
    }
    assert_eq!(office.warning("w", "b", OCTOBER), None);
    assert_eq!(
        office.world.policy("w").next_evaluation_date,
        Some(date_message(date(2021, 11, 30))),
        "it goes on"
    );
}

/// What is due when a policy is put out of force is evaluated still: its period ended while it was in force.
#[test]
fn what_is_due_of_a_policy_that_is_retired_is_evaluated_to_its_end() {
    let (september, retired) = (date(2021, 9, 30), date(2021, 11, 1));
    let mut office = Office::on(date(2021, 11, 1));
    for id in ["a", "b", "c"] {
        office.project(id, vec![completed(9, 500 * UNIT, Some(september))]);
    }
    office.world.submit(creation("w", published("wh-ratio")).unwrap()).unwrap();
    office.world.submit(act("w", Some(september), adopt as Run<_, _, _>)).unwrap();
    office.world.domain.part_bytes = 1;
    office.world.submit(crate::tests::world::advance(retired)).unwrap();
    assert!(office.warning("w", "a", september).is_some() && office.warning("w", "b", september).is_none());
    office.world.submit(act("w", (String::new(), Some(retired)), retire as Run<_, _, _>)).unwrap();
    assert_eq!(office.world.policy("w").next_evaluation_date, Some(date_message(september)));
    for end in [september, OCTOBER] {
        let refused = office.recompute("w", end).unwrap_err();
        assert_eq!(faults(refused), [("period_end".to_owned(), "NOT_EVALUATED")], "{end} is not over");
    }
    office.world.advance(retired).unwrap();
    for (id, end) in [("a", september), ("c", september), ("a", OCTOBER), ("c", OCTOBER)] {
        assert!(office.warning("w", id, end).is_some(), "{id} {end}");
    }
    assert_eq!(office.world.policy("w").next_evaluation_date, None, "of November nothing is evaluated");
    assert!(office.recompute("w", OCTOBER).is_ok());
    office.wait(date(2021, 12, 1));
    assert_eq!(office.warning("w", "a", date(2021, 11, 30)), None);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// The period that it is retired in is not evaluated, and neither is one that ends later.
#[test]
fn a_policy_that_is_retired_before_its_period_ends_does_not_evaluate_it() {
    let mut office = Office::on(date(2021, 10, 31));
    office.project("a", vec![completed(10, 500 * UNIT, Some(OCTOBER))]);
    let policy = WarningPolicy { evaluate_after_days: 5, ..published("wh-ratio") };
    office.adopt("w", policy, OCTOBER);
    let retire_on = |day| act("w", (String::new(), Some(day)), retire as Run<_, _, _>);
    office.world.submit(retire_on(OCTOBER)).unwrap();
    assert_eq!(
        office.world.policy("w").next_evaluation_date,
        Some(date_message(date(2021, 11, 5))),
        "it ended on that day"
    );
    office.adopt("v", published("wh-ratio"), OCTOBER);
    office.wait(date(2021, 11, 10));
    assert!(office.warning("w", "a", OCTOBER).is_some());
    let v = act("v", (String::new(), Some(date(2021, 11, 9))), retire as Run<_, _, _>);
    office.world.submit(v).unwrap();
    assert_eq!(office.world.policy("v").next_evaluation_date, None);
}

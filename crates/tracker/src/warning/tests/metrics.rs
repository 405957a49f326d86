//! Metrics and comparisons, evaluated: of projects whose values are known the lights, the values, and why there is none.

use jiff::civil::{Date, date};
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::query_statistics_request::TimeBasis;
use milepost_proto::registry::v1::{
    AnnualPlan, CompletedInvestment, Period, PlanStep, Project, ReceivedFunds,
};
use milepost_proto::tracker::v1::warning_policy::Period as Every;
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::{WarningLight, WarningPolicy, WarningResult, WarningTest};
use milepost_resource::date_message;

use super::band;
use super::evaluations::{FEN, Office, UNIT, cny, completed};
use super::policies::name;
use super::published::published;
use crate::tests::world::{Action, create, draft};
use Comparison::{Age, PeerGap, PointGap, Ratio, RelativeShortfall, Value};
use WarningLight::{Green, NoLight, Red, Yellow};

const FIRST: Date = date(2021, 1, 1);
const OCTOBER: Date = date(2021, 10, 31);

/// Of so many yuan.
fn yuan(units: i128) -> Option<Money> {
    cny(units * UNIT)
}

fn period(start: Date, end: Date) -> Option<Period> {
    Some(Period { start_date: Some(date_message(start)), end_date: Some(date_message(end)) })
}

/// Completed between two days, and reported on the last of them.
fn spent(start: Date, end: Date, units: i128) -> CompletedInvestment {
    CompletedInvestment {
        period: period(start, end),
        amount: yuan(units),
        reported_date: Some(date_message(end)),
    }
}

fn scheduled(day: Date, units: i128) -> PlanStep {
    PlanStep { date: Some(date_message(day)), cumulative: yuan(units) }
}

/// A plan of 2021, with what is to be completed by which days.
fn plan(units: i128, schedule: &[(Date, i128)]) -> AnnualPlan {
    AnnualPlan {
        year: 2021,
        investment: yuan(units),
        reported_date: Some(date_message(FIRST)),
        schedule: schedule.iter().map(|(day, units)| scheduled(*day, *units)).collect(),
        ..AnnualPlan::default()
    }
}

fn project(plan: AnnualPlan, completed: Vec<CompletedInvestment>) -> Project {
    Project { annual_plans: vec![plan], completed_investments: completed, ..Project::default() }
}

/// A policy that measures this, month by month, with these bands.
fn measuring(metric: Metric, comparisons: &[Comparison], bands: &[&str]) -> WarningPolicy {
    let test = |comparison: &Comparison| WarningTest {
        metric: metric.into(),
        comparison: (*comparison).into(),
        bands: bands.iter().map(|text| band(text)).collect(),
    };
    WarningPolicy { tests: comparisons.iter().map(test).collect(), ..published("wh-ratio") }
}

impl Office {
    /// What the tests of a policy found of a project in a period.
    fn found(&self, policy: &str, project: &str, end: Date) -> Vec<WarningResult> {
        self.warning(policy, project, end).unwrap().tests
    }

    /// The values that they found.
    fn values(&self, policy: &str, project: &str, end: Date) -> Vec<String> {
        self.found(policy, project, end).into_iter().map(|test| test.value).collect()
    }

    /// The light, the value, and why there is none, of the only test of a policy.
    fn only(&self, policy: &str, project: &str, end: Date) -> (WarningLight, String, Vec<String>) {
        let mut found = self.found(policy, project, end);
        assert_eq!(found.len(), 1);
        let test = found.remove(0);
        (test.light(), test.value, test.why)
    }
}

fn only(light: WarningLight, value: &str, why: &[&str]) -> (WarningLight, String, Vec<String>) {
    (light, value.to_owned(), why.iter().map(ToString::to_string).collect())
}

/// All four ways to compare a rate; the fifth is of several projects.
const RATE: [Comparison; 4] = [PointGap, Ratio, RelativeShortfall, Value];

/// office.md, section 9, scenario 2: the values of section 4 under the rules that ship; one fen less than 640 is red.
#[test]
fn office_scenario_2_the_values_of_five_projects_under_the_published_rules() {
    let mut office = Office::on(date(2021, 10, 1));
    let projects = [
        ("p500", 500, 0),
        ("p640", 640, 0),
        ("less", 640, FEN),
        ("p880", 880, 0),
        ("p800", 800, 0),
        ("p600", 600, 0),
    ];
    for (id, units, less) in projects {
        office.project(id, vec![completed(10, units * UNIT - less, None)]);
    }
    for id in ["yc-progress", "wh-ratio", "sy-shortfall"] {
        office.adopt(id, published(id), date(2021, 10, 1));
    }
    office.wait(OCTOBER);
    for (policy, project, light, value) in [
        ("yc-progress", "p500", Red, "41.7"),
        ("wh-ratio", "p500", Red, "50.0"),
        ("sy-shortfall", "p500", Yellow, "50.0"),
        ("yc-progress", "p640", Yellow, "30.0"),
        ("yc-progress", "less", Red, "30.0"),
        ("yc-progress", "p880", Yellow, "10.0"),
        ("wh-ratio", "p800", Green, "80.0"),
        ("wh-ratio", "p600", Yellow, "60.0"),
    ] {
        assert_eq!(office.only(policy, project, OCTOBER), only(light, value, &[]), "{policy} of {project}");
    }
    let less = office.found("yc-progress", "less", OCTOBER).remove(0);
    assert_eq!((less.numerator.as_str(), less.denominator.as_str()), ("36001", "120000"), "exactly");
}

/// office.md, section 4: investment, compared in each way; a value in no band has no light, and says so.
#[test]
fn office_4_investment_is_compared_in_every_way_and_between_bands_nothing_is_stated() {
    let mut office = Office::on(date(2021, 11, 1));
    office.project("road", vec![completed(10, 500 * UNIT, Some(OCTOBER))]);
    office.project("near", vec![completed(10, 900 * UNIT, Some(OCTOBER))]);
    office.adopt("w", measuring(Metric::Investment, &RATE, &["red [0.."]), OCTOBER);
    assert_eq!(office.values("w", "road", OCTOBER), ["41.7", "50.0", "50.0", "41.7"]);
    assert_eq!(office.values("w", "near", OCTOBER), ["8.3", "90.0", "10.0", "75.0"]);
    office.adopt("yc", published("yc-progress"), OCTOBER);
    assert_eq!(office.only("yc", "near", OCTOBER), only(NoLight, "8.3", &["NOT_STATED"]));
    assert_eq!(office.lights("yc", "near", OCTOBER), (NoLight, NoLight));
}

/// office.md, sections 1 and 4: a plan without a report stays in the denominator of all. 600 and nothing of 1,200 each are
/// 25 %; one without a plan, and one in another currency, is in no sum.
#[test]
fn office_4_peers_are_all_that_have_a_plan_also_without_a_report() {
    let mut office = Office::on(date(2021, 11, 1));
    office.project("a", vec![completed(10, 600 * UNIT, Some(OCTOBER))]);
    office.project("b", Vec::new());
    office.say(
        "c",
        Project { completed_investments: vec![completed(10, 9 * UNIT, Some(OCTOBER))], ..Project::default() },
    );
    let mut elsewhere = plan(1_200, &[]);
    elsewhere.investment.as_mut().unwrap().currency_code = "USD".into();
    office.say("d", project(elsewhere, vec![completed(10, 9 * UNIT, Some(OCTOBER))]));
    let policy = measuring(Metric::Investment, &[PeerGap], &["green ..0]", "yellow (0.."]);
    office.adopt("w", policy.clone(), OCTOBER);
    assert_eq!(office.only("w", "a", OCTOBER), only(Green, "-25.0", &[]));
    for (id, why) in [("b", "NOT_REPORTED"), ("c", "NO_PLAN"), ("d", "OTHER_CURRENCY")] {
        assert_eq!(office.only("w", id, OCTOBER), only(NoLight, "", &[why]), "{id}");
    }
    // With 120 of the second both have 30 %.
    office.project("b", vec![completed(10, 120 * UNIT, Some(OCTOBER))]);
    office.adopt("v", policy, OCTOBER);
    assert_eq!(office.only("v", "a", OCTOBER), only(Green, "-20.0", &[]));
    assert_eq!(office.only("v", "b", OCTOBER), only(Yellow, "20.0", &[]));
}

/// office.md, section 4: the funds received ÷ the funds planned; expected is how far the year has come.
#[test]
fn office_4_funds_are_compared_with_time_or_with_the_schedule() {
    let mut office = Office::on(date(2021, 11, 1));
    let received = ReceivedFunds {
        period: period(date(2021, 10, 1), OCTOBER),
        amount: yuan(500),
        reported_date: Some(date_message(OCTOBER)),
    };
    let planned =
        AnnualPlan { funds: yuan(800), ..plan(1_200, &[(OCTOBER, 600), (date(2021, 12, 31), 1_200)]) };
    let funded = |planned| Project {
        annual_plans: vec![planned],
        received_funds: vec![received.clone()],
        ..Project::default()
    };
    office.say("road", funded(planned));
    office.say("bare", funded(plan(1_200, &[])));
    let policy = measuring(Metric::Funds, &RATE, &["red [0.."]);
    office.adopt("months", policy.clone(), OCTOBER);
    // 666.7 of 800 are expected.
    assert_eq!(office.values("months", "road", OCTOBER), ["20.8", "75.0", "25.0", "62.5"]);
    assert_eq!(office.found("months", "bare", OCTOBER)[0].why, ["NO_PLAN"]);
    // Half of the investment is to be completed, so half of the funds are expected.
    let scheduled = WarningPolicy { time_basis: TimeBasis::Schedule.into(), ..policy };
    office.adopt("schedule", scheduled, OCTOBER);
    assert_eq!(office.values("schedule", "road", OCTOBER), ["-12.5", "125.0", "-25.0", "62.5"]);
}

/// office.md, section 4: weight achieved ÷ all weight; expected is the weight that was due by baselines.
#[test]
fn office_4_milestones_are_compared_in_every_way() {
    let mut office = Office::on(date(2021, 4, 30));
    office.say("road", Project::default());
    office.say("bare", Project::default());
    for (id, weight, day) in
        [("a", 50, date(2021, 5, 10)), ("b", 30, date(2021, 5, 20)), ("c", 20, date(2021, 6, 20))]
    {
        let mut request = draft("road", Some(id), Some(day));
        request.milestone.as_mut().unwrap().weight = Some(weight);
        office.world.submit(create(vec![request])).unwrap();
    }
    office.wait(date(2021, 6, 1));
    let a = crate::tests::world::name("road", "a");
    office.world.achieve_reported(&a.to_string(), date(2021, 5, 10), Some(date(2021, 5, 12)));
    let may = date(2021, 5, 31);
    office.adopt("w", measuring(Metric::Milestones, &RATE, &["red [0.."]), may);
    assert_eq!(office.values("w", "road", may), ["30.0", "62.5", "37.5", "50.0"]);
    assert_eq!(office.found("w", "bare", may)[0].why, ["NO_MILESTONES"]);
}

/// What is cancelled after a period was wanted in it, also where the period is computed again later.
#[test]
fn a_milestone_that_was_cancelled_after_a_period_counts_in_it_however_often_it_is_computed() {
    let (may, june) = (date(2021, 5, 31), date(2021, 6, 30));
    let mut office = Office::on(date(2021, 5, 10));
    office.say("road", Project::default());
    for id in ["a", "b"] {
        office.world.submit(create(vec![draft("road", Some(id), Some(date(2021, 5, 10)))])).unwrap();
    }
    let [a, b] = ["a", "b"].map(|id| crate::tests::world::name("road", id).to_string());
    office.world.achieve_reported(&a, date(2021, 5, 10), None);
    office.wait(date(2021, 6, 10));
    office.adopt("w", measuring(Metric::Milestones, &RATE, &["red [0.."]), may);
    assert_eq!(office.values("w", "road", may)[3], "50.0");
    office.world.act(&b, Action::Cancel { reason: "no".into() }).unwrap();
    office.wait(june);
    assert_eq!(office.recompute("w", may).unwrap(), [], "in May it was wanted");
    assert_eq!(office.values("w", "road", june)[3], "100.0", "in June it was not");
}

/// office.md, section 4: completed in the period; expected is what the schedule grows by in it.
#[test]
fn office_4_a_task_of_a_period_is_what_the_schedule_grows_by() {
    let (september, december) = (date(2021, 9, 30), date(2021, 12, 31));
    let mut office = Office::on(date(2022, 1, 1));
    let schedule = [(date(2021, 1, 31), 80), (september, 700), (OCTOBER, 1_000), (december, 1_200)];
    let reports = vec![
        spent(FIRST, date(2021, 1, 31), 100),
        spent(date(2021, 9, 16), date(2021, 9, 30), 350),
        spent(date(2021, 10, 1), OCTOBER, 150),
        spent(date(2021, 11, 1), december, 250),
    ];
    office.say("road", project(plan(1_200, &schedule), reports.clone()));
    office.say("bare", project(plan(1_200, &[]), reports));
    let crossing = vec![
        spent(date(2021, 9, 16), date(2021, 10, 15), 90),
        spent(date(2021, 10, 16), OCTOBER, 60),
        spent(date(2021, 11, 1), date(2021, 11, 30), 30),
    ];
    office.say("crossing", project(plan(1_200, &schedule), crossing));
    let policy = measuring(Metric::PeriodTask, &RATE, &["red [0.."]);
    office.adopt("w", policy.clone(), FIRST);
    assert_eq!(office.values("w", "road", OCTOBER), ["12.5", "50.0", "50.0", "12.5"], "150 of 300");
    assert_eq!(office.values("w", "road", date(2021, 1, 31)), ["-1.7", "125.0", "-25.0", "8.3"], "100 of 80");
    // In November nothing is to be completed.
    let november = office.found("w", "crossing", date(2021, 11, 30));
    assert_eq!(
        (november[0].value.as_str(), november[1].why.join(" ")),
        ("-2.5", "NOTHING_EXPECTED".to_owned())
    );
    assert_eq!(office.found("w", "road", date(2021, 11, 30))[0].why, ["NOT_REPORTED"]);
    let bare = office.found("w", "bare", OCTOBER);
    assert_eq!((bare[0].why.join(" "), bare[3].value.as_str()), ("NO_SCHEDULE".to_owned(), "12.5"));
    let crossing = office.found("w", "crossing", OCTOBER).remove(1);
    assert_eq!(
        (crossing.value.as_str(), crossing.lower_bound, &crossing.why[..]),
        ("20.0", true, &["STRADDLES".to_owned()][..])
    );
    // The fourth quarter: 400 of 500.
    office.adopt("q", WarningPolicy { period: Every::Quarter.into(), ..policy }, FIRST);
    assert_eq!(office.values("q", "road", december), ["8.3", "80.0", "20.0", "33.3"]);
    assert_eq!(
        office.warning("q", "road", december).unwrap().period_start,
        Some(date_message(date(2021, 10, 1)))
    );
    assert!(office.warning("q", "road", OCTOBER).is_none());
}

/// office.md, section 4: more than in the same days of the year before, ÷ that.
#[test]
fn office_4_growth_is_on_the_same_days_of_the_year_before() {
    let mut office = Office::on(date(2021, 11, 1));
    let grown = |before: &[CompletedInvestment], now| {
        let now = spent(date(2021, 10, 1), OCTOBER, now);
        let reports = before.iter().cloned().chain([now]).collect();
        Project { completed_investments: reports, ..Project::default() }
    };
    let base =
        [spent(date(2020, 10, 1), date(2020, 10, 31), 400), spent(date(2020, 11, 1), date(2020, 11, 30), 77)];
    office.say("more", grown(&base, 500));
    office.say("same", grown(&base, 400));
    office.say("less", grown(&base, 399));
    office.say("new", grown(&base[1..], 500));
    let november_too = [spent(date(2020, 10, 1), date(2020, 11, 30), 400)];
    office.say("crossing", grown(&november_too, 500));
    let mut in_dollars = base.to_vec();
    in_dollars.iter_mut().filter_map(|spent| spent.amount.as_mut()).for_each(|amount| {
        amount.currency_code = "USD".into();
    });
    office.say("dollars", grown(&in_dollars, 500));
    office.say("silent", Project { completed_investments: base.to_vec(), ..Project::default() });
    office.adopt("w", measuring(Metric::Growth, &[Value], &["red ..0)", "green (0.."]), OCTOBER);
    for (id, light, value, why) in [
        ("more", Green, "25.0", &[][..]),
        ("same", NoLight, "0.0", &["NOT_STATED"]),
        ("less", Red, "-0.3", &[]),
        ("new", NoLight, "", &["NO_BASE"]),
        ("crossing", NoLight, "", &["NO_BASE", "STRADDLES"]),
        ("dollars", NoLight, "", &["NO_BASE", "OTHER_CURRENCY"]),
        ("silent", NoLight, "", &["NOT_REPORTED"]),
    ] {
        assert_eq!(office.only("w", id, OCTOBER), only(light, value, why), "{id}");
    }
    // The last day of February is that of the year before, too.
    let leap = Project {
        completed_investments: vec![
            spent(date(2020, 2, 29), date(2020, 2, 29), 10),
            spent(date(2021, 2, 1), date(2021, 2, 28), 12),
        ],
        ..Project::default()
    };
    office.say("leap", leap);
    let february = date(2021, 2, 28);
    office.adopt("v", measuring(Metric::Growth, &[Value], &["red ..0)", "green (0.."]), february);
    assert_eq!(office.only("v", "leap", february), only(Green, "20.0", &[]));
}

/// A project that is to start on a day.
fn to_start(planned: Date) -> Project {
    Project { planned_period: period(planned, date(2022, 12, 31)), ..Project::default() }
}

/// It has started, if it is said when.
fn started(project: Project, day: Option<Date>) -> Project {
    let actual_period = day.map(|day| Period { start_date: Some(date_message(day)), end_date: None });
    Project { status: Status::Construction.into(), actual_period, ..project }
}

/// office.md, section 4, [YC]: the planned month has ended, and the project has not started: yellow; the third time in a
/// row: red. By the rule that ships.
#[test]
fn office_4_yc_start_is_yellow_when_the_month_has_ended_and_red_the_third_time() {
    let ends = [2, 3, 4, 5, 6].map(|month| date(2021, month, 1).last_of_month());
    let mut office = Office::on(date(2021, 2, 1));
    let late = to_start(date(2021, 3, 15));
    office.say("late", late.clone());
    office.say("later", to_start(date(2021, 6, 30)));
    office.say("unplanned", Project::default());
    office.say("undated", started(Project::default(), None));
    office.adopt("w", published("yc-start"), date(2021, 2, 1));
    ends[..4].iter().for_each(|end| _ = office.wait(*end));
    office.wait(date(2021, 6, 20));
    office.say("late", started(late, Some(date(2021, 6, 10))));
    office.wait(ends[4]);
    let expected = [
        (Green, Green, "", &["NOT_DUE"][..]),
        (Yellow, Yellow, "0", &[]),
        (Yellow, Yellow, "1", &[]),
        (Yellow, Red, "2", &[]),
        (Green, Green, "", &["DONE"]),
    ];
    for (end, (light, shown, value, why)) in ends.into_iter().zip(expected) {
        assert_eq!(office.only("w", "late", end), only(light, value, why), "{end}");
        assert_eq!(office.lights("w", "late", end), (light, shown), "{end}");
    }
    let since = office.found("w", "late", ends[2]).remove(0).since_date;
    assert_eq!(since, Some(date_message(date(2021, 3, 31))), "the end of the month");
    let june = |id| office.only("w", id, ends[4]);
    assert_eq!(june("later"), only(Yellow, "0", &[]), "its month has ended");
    assert_eq!(office.only("w", "later", ends[3]), only(Green, "", &["NOT_DUE"]));
    assert_eq!(june("unplanned"), only(NoLight, "", &["NO_PLANNED_START"]));
    assert_eq!(june("undated"), only(Green, "", &["DONE"]));
}

/// office.md, section 4, [YC]: enrolment, age ≥ 1 month yellow, > 2 months red; by dates. By the rule that ships.
#[test]
fn office_4_yc_enrolment_is_by_dates_from_the_start_on() {
    let ends = [2, 3, 4, 5, 6].map(|month| date(2021, month, 1).last_of_month());
    let mut office = Office::on(date(2021, 2, 1));
    let road = started(Project::default(), Some(date(2021, 3, 15)));
    office.say("road", road.clone());
    office.say("undated", started(Project::default(), None));
    office.adopt("w", published("yc-enrolment"), date(2021, 2, 1));
    ends[..4].iter().for_each(|end| _ = office.wait(*end));
    office.wait(date(2021, 6, 20));
    office.say("road", Project { enrolment_date: Some(date_message(date(2021, 6, 20))), ..road });
    office.wait(ends[4]);
    let expected = [
        (Green, "", &["NOT_DUE"][..]),
        (NoLight, "0", &["NOT_STATED"]),
        (Yellow, "1", &[]),
        (Red, "2", &[]),
        (Green, "", &["DONE"]),
    ];
    for (end, (light, value, why)) in ends.into_iter().zip(expected) {
        assert_eq!(office.only("w", "road", end), only(light, value, why), "{end}");
    }
    assert_eq!(office.only("w", "undated", ends[4]), only(NoLight, "", &["NO_DATE"]));
}

/// A bound that was stored before it was refused: no date is so far, and the evaluation goes on.
#[test]
fn an_age_is_evaluated_by_a_stored_bound_that_no_date_reaches() {
    use prost::Message;
    let may = date(2021, 5, 31);
    let mut office = Office::on(date(2021, 5, 1));
    office.say("road", started(Project::default(), Some(date(2021, 3, 15))));
    office.adopt("w", measuring(Metric::EnrolmentAge, &[Age], &["yellow [1.."]), date(2021, 5, 1));
    let mut policy = office.world.policy("w");
    policy.tests[0].bands = vec![band("yellow [1..999999999999999]"), band("red (999999999999999..")];
    office.world.put_row(&name("w"), policy.encode_to_vec().into());
    office.wait(may);
    assert_eq!(office.only("w", "road", may), only(Yellow, "2", &[]));
}

/// office.md, section 1: time-progress is by months that have ended, by days, or by the last step of the schedule.
#[test]
fn office_1_time_progress_is_by_months_by_days_or_by_the_schedule() {
    let mut office = Office::on(date(2021, 11, 1));
    let reports = vec![spent(date(2021, 10, 1), OCTOBER, 304)];
    let schedule = [(date(2021, 9, 30), 380), (date(2021, 11, 30), 700)];
    office.say("road", project(plan(730, &schedule), reports.clone()));
    office.say("bare", project(plan(730, &[]), reports));
    // 304 of 365 days have passed, so 608 are expected; by months 608.3; and 380 by the step of September.
    for (id, basis, value) in [
        ("unsaid", TimeBasis::Unspecified, "49.97"),
        ("months", TimeBasis::Months, "49.97"),
        ("days", TimeBasis::Days, "50"),
        ("schedule", TimeBasis::Schedule, "80"),
    ] {
        let policy = measuring(Metric::Investment, &[Ratio], &["red [0.."]);
        office.adopt(id, WarningPolicy { time_basis: basis.into(), ..policy }, OCTOBER);
        let found = office.found(id, "road", OCTOBER).remove(0);
        let [above, below] =
            [&found.numerator, &found.denominator].map(|number| number.parse::<f64>().unwrap());
        let exact = format!("{:.2}", 100.0 * above / below);
        assert_eq!(exact.trim_end_matches(".00"), value, "{id}");
    }
    assert_eq!(office.only("schedule", "bare", OCTOBER), only(NoLight, "", &["NO_SCHEDULE"]));
}

/// office.md, section 4: periods are MONTH, QUARTER or DATES, and each counts from 1 January on.
#[test]
fn office_4_quarters_and_given_dates_are_evaluated_at_their_ends() {
    let (may, october) = (date(2021, 5, 15), date(2021, 10, 20));
    let mut office = Office::on(date(2021, 12, 1));
    let reports = vec![
        spent(FIRST, date(2021, 4, 30), 200),
        spent(date(2021, 5, 1), date(2021, 5, 31), 70),
        spent(date(2021, 6, 1), date(2021, 9, 30), 330),
    ];
    office.say("road", project(plan(1_200, &[]), reports));
    let policy = measuring(Metric::Investment, &[Ratio], &["red [0.."]);
    let dates = vec![date_message(may), date_message(october)];
    let of_dates = WarningPolicy { period: Every::Dates.into(), dates, ..policy.clone() };
    office.adopt("dates", of_dates, FIRST);
    office.adopt("quarters", WarningPolicy { period: Every::Quarter.into(), ..policy }, FIRST);
    assert_eq!(
        office.only("dates", "road", may),
        only(Red, "50.0", &[]),
        "200 of 400: four months have ended"
    );
    assert_eq!(office.only("dates", "road", october), only(Red, "66.7", &[]), "600 of 900");
    let starts = [may, october].map(|end| office.warning("dates", "road", end).unwrap().period_start);
    assert_eq!(starts, [FIRST, date(2021, 5, 16)].map(|day| Some(date_message(day))));
    for (end, value) in [(date(2021, 6, 30), "45.0"), (date(2021, 9, 30), "66.7")] {
        assert_eq!(office.values("quarters", "road", end), [value], "{end}");
    }
    for policy in ["dates", "quarters"] {
        assert!(office.warning(policy, "road", date(2021, 5, 31)).is_none(), "{policy}");
    }
}

/// office.md, section 4, [TJ]: the worst of growth < 0 red, gap > 0 yellow, peer gap > 0 yellow. By the rule that ships.
#[test]
fn office_4_tj_is_the_worst_light_of_growth_gap_and_peers() {
    let mut office = Office::on(date(2021, 11, 1));
    for (id, before, now) in [("less", 1_001, 1_000), ("behind", 900, 950), ("ahead", 900, 1_100)] {
        let reports = vec![
            spent(date(2020, 10, 1), date(2020, 10, 31), before),
            spent(date(2021, 10, 1), OCTOBER, now),
        ];
        office.say(id, project(plan(1_200, &[]), reports));
    }
    office.adopt("tj", published("tj-worst"), OCTOBER);
    // 1,000 are expected of each; all together have 3,050 of 3,600, 84.7 %.
    for (id, worst, lights, values) in [
        ("less", Red, [Red, NoLight, Yellow], ["-0.1", "0.0", "1.4"]),
        ("behind", Yellow, [NoLight, Yellow, Yellow], ["5.6", "4.2", "5.6"]),
        ("ahead", NoLight, [NoLight, NoLight, NoLight], ["22.2", "-8.3", "-6.9"]),
    ] {
        let found = office.found("tj", id, OCTOBER);
        let own: Vec<_> = found.iter().map(|test| test.light()).collect();
        assert_eq!((&own[..], office.lights("tj", id, OCTOBER).0), (&lights[..], worst), "{id}");
        assert_eq!(office.values("tj", id, OCTOBER), values, "{id}");
        let unstated = found.iter().filter(|test| test.light() == NoLight);
        assert!(unstated.clone().all(|test| test.why == ["NOT_STATED"]), "{id}: {found:?}");
    }
}

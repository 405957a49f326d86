//! The life of a policy, and what is refused of it.

use jiff::civil::{Date, date};
use milepost_proto::event::v1::Event;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::{AnnualPlan, Project};
use milepost_proto::resource::Resource;
use milepost_proto::tracker::v1::warning_policy::{Period, State};
use milepost_proto::tracker::v1::warning_step::Action;
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::{
    CreateWarningPolicyRequest, UpdateWarningPolicyRequest, WarningBand, WarningLight, WarningPolicy,
    WarningStep, WarningTest,
};
use milepost_resource::{Custom, FilterRow, Run, Standard, Target, date_message, read_create, read_update};
use milepost_types::filter::Schema;
use milepost_types::{Filter, Rejection, Violations};
use prost::Message;

use super::band;
use super::published::published;
use crate::command::Command;
use crate::convert::mirror::of_project;
use crate::decide::Tracker;
use crate::tests::world::{World, command, kinds};
use crate::warning::{PolicyName, adopt, retire, rule};

/// A Thursday: the portfolio's current date when a world begins.
const TODAY: Date = date(2021, 5, 13);

pub(super) fn name(id: &str) -> PolicyName {
    format!("portfolios/wsc/warningPolicies/{id}").parse().unwrap()
}

pub(crate) fn creation(id: &str, policy: WarningPolicy) -> Result<Command, Violations> {
    let request = CreateWarningPolicyRequest {
        parent: "portfolios/wsc".into(),
        warning_policy_id: id.into(),
        warning_policy: Some(policy),
        ..CreateWarningPolicyRequest::default()
    };
    let mut violations = Violations::new();
    let act = read_create::<Tracker, WarningPolicy>(request, &mut violations, Violations::new());
    violations.finish(act).map(command)
}

pub(crate) fn act<A: Send + Sync + 'static>(
    id: &str,
    arguments: A,
    run: Run<Tracker, WarningPolicy, A>,
) -> Command {
    command(Custom::act(Target { name: name(id), etag: None }, arguments, run))
}

pub(super) fn update(policy: WarningPolicy, paths: &[&str]) -> Command {
    let paths = paths.iter().map(ToString::to_string).collect();
    let request = UpdateWarningPolicyRequest {
        warning_policy: Some(policy),
        update_mask: Some(prost_types::FieldMask { paths }),
        ..UpdateWarningPolicyRequest::default()
    };
    let mut violations = Violations::new();
    let act = read_update::<Tracker, WarningPolicy>(request, &mut violations);
    command(violations.finish(act).unwrap())
}

fn world() -> World {
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance(TODAY).unwrap();
    world
}

impl World {
    fn draft(&mut self, id: &str, policy: WarningPolicy) -> Vec<Event> {
        self.submit(creation(id, policy).unwrap()).unwrap()
    }

    pub(super) fn policy(&self, id: &str) -> WarningPolicy {
        milepost_resource::Rows::<Tracker>::new(&self.rows).get(&name(id)).unwrap().unwrap().into_inner()
    }
}

pub(super) fn faults(rejection: Rejection) -> Vec<(String, &'static str)> {
    let Rejection::Invalid(violations) = rejection else { panic!("{rejection}") };
    violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

/// office.md, section 4: DRAFT, ADOPTED from a date, RETIRED; fixed once adopted.
#[test]
fn office_4_a_policy_is_drafted_adopted_and_retired_and_fixed_once_adopted() {
    let mut world = world();
    let created = world.draft("w", published("yc-progress"));
    assert_eq!(kinds(&created), ["warning_policy.created"]);
    assert_eq!((world.policy("w").state(), world.policy("w").next_evaluation_date), (State::Draft, None));
    let renamed =
        WarningPolicy { name: name("w").to_string(), display_name: "x".into(), ..published("yc-progress") };
    world.submit(update(renamed.clone(), &["display_name"])).unwrap();
    let adopted = world.submit(act("w", Some(date(2021, 5, 1)), adopt as Run<_, _, _>)).unwrap();
    assert_eq!(kinds(&adopted), ["warning_policy.adopted"]);
    assert_eq!(adopted[0].event_date, Some(date_message(date(2021, 5, 1))));
    let policy = world.policy("w");
    assert_eq!((policy.state(), policy.adopted_date), (State::Adopted, Some(date_message(date(2021, 5, 1)))));
    assert_eq!(policy.next_evaluation_date, Some(date_message(date(2021, 5, 31))));
    let refused = world.submit(update(renamed.clone(), &["tests"]));
    assert!(refused.is_ok(), "nothing changes");
    let other = WarningPolicy { raise_after: 3, ..renamed.clone() };
    let refused = world.submit(update(other, &["raise_after"])).unwrap_err();
    assert!(matches!(refused, Rejection::WrongState { .. }), "{refused}");
    let labelled = WarningPolicy { labels: [("k".to_owned(), "v".to_owned())].into(), ..renamed };
    world.submit(update(labelled, &["labels"])).unwrap();
    let delete =
        || command(Box::new(Standard::<WarningPolicy>::Delete(Target { name: name("w"), etag: None })));
    assert!(matches!(world.submit(delete()).unwrap_err(), Rejection::WrongState { .. }));
    assert!(matches!(
        world.submit(act("w", None, adopt as Run<_, _, _>)).unwrap_err(),
        Rejection::WrongState { .. }
    ));
    let retired = world.submit(act("w", ("已有新规".to_owned(), None), retire as Run<_, _, _>)).unwrap();
    assert_eq!(kinds(&retired), ["warning_policy.retired"]);
    let policy = world.policy("w");
    assert_eq!((policy.state(), policy.next_evaluation_date), (State::Retired, None));
    assert_eq!((policy.retired_date, policy.state_reason.as_str()), (Some(date_message(TODAY)), "已有新规"));
    world.submit(delete()).unwrap();
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn days_of_adoption_and_retirement_are_not_to_come_and_not_too_far_back() {
    let mut world = world();
    world.draft("w", published("wh-ratio"));
    let mut adopted = |day| world.submit(act("w", Some(day), adopt as Run<_, _, _>));
    assert_eq!(faults(adopted(date(2021, 5, 14)).unwrap_err()), [("date".to_owned(), "DATE_IN_FUTURE")]);
    assert_eq!(faults(adopted(date(2016, 4, 30)).unwrap_err()), [("date".to_owned(), "DATE_TOO_EARLY")]);
    adopted(date(2016, 5, 1)).unwrap();
    assert_eq!(
        world.policy("w").next_evaluation_date,
        Some(date_message(date(2016, 5, 31))),
        "60 months ago"
    );
    let mut retired = |day| world.submit(act("w", (String::new(), Some(day)), retire as Run<_, _, _>));
    assert_eq!(faults(retired(date(2021, 5, 14)).unwrap_err()), [("date".to_owned(), "DATE_IN_FUTURE")]);
    assert_eq!(faults(retired(date(2016, 4, 30)).unwrap_err()), [("date".to_owned(), "DATE_TOO_EARLY")]);
    retired(date(2016, 5, 1)).unwrap();
}

#[test]
fn a_policy_of_given_dates_that_are_over_evaluates_nothing() {
    let mut world = world();
    let dates = vec![date_message(date(2021, 3, 31))];
    let policy = WarningPolicy { period: Period::Dates.into(), dates, ..published("wh-ratio") };
    world.draft("w", policy);
    world.submit(act("w", None, adopt as Run<_, _, _>)).unwrap();
    assert_eq!((world.policy("w").state(), world.policy("w").next_evaluation_date), (State::Adopted, None));
}

/// Everything that is wrong with a policy is found at once.
#[test]
fn every_fault_of_a_policy_is_named_at_once() {
    let red = WarningLight::Red.into();
    let policy = WarningPolicy {
        filter: "nothing = 1".into(),
        period: Period::Month.into(),
        dates: vec![date_message(TODAY)],
        evaluate_after_days: 32,
        raise_after: -1,
        clear_after: 25,
        tests: vec![
            WarningTest {
                metric: Metric::Growth.into(),
                comparison: Comparison::Ratio.into(),
                bands: vec![band("red .."), band("yellow 5..1")],
            },
            WarningTest {
                bands: vec![band("red [1.."), band("yellow ..1]")],
                ..published("wh-ratio").tests.remove(0)
            },
            WarningTest {
                metric: Metric::StartDelay.into(),
                comparison: Comparison::Age.into(),
                bands: vec![WarningBand { low: "x".into(), ..band("red ..") }, band("yellow ..1201]")],
            },
        ],
        steps: vec![
            WarningStep { at_light: WarningLight::Green.into(), ..WarningStep::default() },
            WarningStep { at_light: red, raise_to: red, consecutive: 25, ..WarningStep::default() },
            WarningStep { at_light: red, action: Action::Notify.into(), months: 3, ..WarningStep::default() },
            WarningStep {
                at_light: red,
                action: Action::Review.into(),
                role: "x".into(),
                ..WarningStep::default()
            },
            WarningStep {
                at_light: red,
                action: Action::OpenOrder.into(),
                role: "x".into(),
                ..WarningStep::default()
            },
            WarningStep {
                at_light: red,
                raise_to: WarningLight::Unspecified.into(),
                action: Action::OpenOrder.into(),
                due_working_days: 251,
                responsible: "x".into(),
                ..WarningStep::default()
            },
            WarningStep {
                at_light: red,
                action: Action::Review.into(),
                months: 6,
                due_working_days: 1,
                responsible: "organizations/x".into(),
                responsible_role: "x".into(),
                ..WarningStep::default()
            },
        ],
        ..published("wh-ratio")
    };
    let found = creation("w", policy).unwrap_err();
    let mut found: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
    found.sort_unstable();
    let mut expected = [
        ("clear_after", "OUT_OF_RANGE"),
        ("dates", "NOT_DATES"),
        ("evaluate_after_days", "OUT_OF_RANGE"),
        ("filter", "INVALID_FILTER"),
        ("raise_after", "OUT_OF_RANGE"),
        ("steps[0].action", "REQUIRED"),
        ("steps[0].at_light", "INVALID_LIGHT"),
        ("steps[1].consecutive", "OUT_OF_RANGE"),
        ("steps[1].raise_to", "NOT_WORSE"),
        ("steps[2].months", "OTHER_ACTION"),
        ("steps[2].role", "REQUIRED"),
        ("steps[3].months", "REQUIRED"),
        ("steps[3].role", "OTHER_ACTION"),
        ("steps[4].due_working_days", "REQUIRED"),
        ("steps[4].responsible", "REQUIRED"),
        ("steps[4].role", "OTHER_ACTION"),
        ("steps[5].due_working_days", "OUT_OF_RANGE"),
        ("steps[5].responsible", "INVALID_NAME"),
        ("steps[6].due_working_days", "OTHER_ACTION"),
        ("steps[6].responsible", "OTHER_ACTION"),
        ("steps[6].responsible_role", "OTHER_ACTION"),
        ("tests[0].bands[1]", "EMPTY_BAND"),
        ("tests[0].comparison", "COMPARISON_UNFIT"),
        ("tests[1].bands[1]", "OVERLAP"),
        ("tests[2].bands[0].low", "INVALID_DECIMAL"),
        ("tests[2].bands[1].high", "OUT_OF_RANGE"),
    ]
    .map(|(field, reason)| (format!("warning_policy.{field}"), reason));
    expected.sort_unstable();
    let expected: Vec<_> = expected.iter().map(|(field, reason)| (field.as_str(), *reason)).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_a_policy_must_have_is_asked_for() {
    let found = creation("w", WarningPolicy::default()).unwrap_err();
    let found: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
    for field in ["display_name", "period", "tests"] {
        assert!(found.iter().any(|(own, _)| *own == format!("warning_policy.{field}")), "{field}: {found:?}");
    }
    let dates = WarningPolicy { period: Period::Dates.into(), ..published("wh-ratio") };
    let found = creation("w", dates).unwrap_err();
    let found: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
    assert_eq!(found, [("warning_policy.dates", "REQUIRED")]);
}

#[test]
fn a_day_that_is_none_is_not_said_to_be_missing_too() {
    let dates = vec![gtype::Date { year: 2026, month: 2, day: 30 }];
    let policy = WarningPolicy { period: Period::Dates.into(), dates, ..published("wh-ratio") };
    let found = creation("w", policy).unwrap_err();
    let found: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
    assert_eq!(found, [("warning_policy.dates[0]", "INVALID_DATE")]);
}

/// office.md, section 4: what a rate, an age or a growth cannot be; and what it can be, just.
#[test]
fn a_band_below_the_least_that_a_value_can_be_is_refused_and_what_was_stored_is_read() {
    use Comparison::{Age, PeerGap, PointGap, Ratio, RelativeShortfall, Value};

    let policy = |metric: Metric, comparison: Comparison, text| {
        let bands = vec![band(text)];
        let test = WarningTest { metric: metric.into(), comparison: comparison.into(), bands };
        WarningPolicy { tests: vec![test], ..published("wh-ratio") }
    };
    for (metric, comparison, empty, least) in [
        (Metric::StartDelay, Age, "red ..0)", "red ..0]"),
        (Metric::EnrolmentAge, Age, "red ..0)", "red ..1)"),
        (Metric::Investment, Ratio, "red ..0)", "red ..0]"),
        (Metric::Funds, Ratio, "red [-5..-1]", "red [-5..0]"),
        (Metric::Milestones, Value, "red ..-0.000001]", "red ..0.000001)"),
        (Metric::Growth, Value, "red ..-100)", "red ..-100]"),
    ] {
        let faulty = policy(metric, comparison, empty);
        let found = creation("w", faulty.clone()).unwrap_err();
        let found: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
        assert_eq!(found, [("warning_policy.tests[0].bands[0]", "EMPTY_BAND")], "{metric:?} {empty}");
        assert!(rule::read(&faulty, &mut Violations::new()).is_some(), "{metric:?} {empty}");
        assert!(creation("w", policy(metric, comparison, least)).is_ok(), "{metric:?} {least}");
    }
    for comparison in [PointGap, RelativeShortfall, PeerGap] {
        let ahead = policy(Metric::Investment, comparison, "green ..-250)");
        assert!(creation("w", ahead).is_ok(), "{comparison:?}: one may be ahead by any amount");
    }
}

/// They are not kept here: a filter by them would find nothing, and say nothing.
#[test]
fn a_filter_by_long_texts_of_projects_is_refused_and_says_which() {
    let by = |filter: &str| WarningPolicy { filter: filter.into(), ..published("wh-ratio") };
    let filter = "purpose:\"x\" AND (scale:* OR NOT status_reason:*) AND annual_plans.content:\"x\" AND display_name = \"x\"";
    let found = creation("w", by(filter)).unwrap_err();
    let mut named = ["`annual_plans.content`", "`purpose`", "`scale`", "`status_reason`"].to_vec();
    for fault in found.iter() {
        assert_eq!((fault.field.as_str(), fault.reason), ("warning_policy.filter", "INVALID_FILTER"));
        named.retain(|named| !fault.description.starts_with(named));
    }
    assert_eq!((found.iter().count(), &named[..]), (4, &[""; 0][..]), "{found:?}");
    assert!(creation("w", by("display_name = \"x\" AND annual_plans.year:2021")).is_ok());
    // What was stored before is read.
    assert!(rule::read(&by(filter), &mut Violations::new()).is_some());
    // Each is what the mirror leaves out.
    let content = AnnualPlan { content: "x".into(), ..AnnualPlan::default() };
    let said = Project {
        name: "portfolios/wsc/projects/road".into(),
        display_name: "x".into(),
        purpose: "x".into(),
        scale: "x".into(),
        status_reason: "x".into(),
        annual_plans: vec![content],
        ..Project::default()
    };
    let kept = Project::decode(of_project(&said, None).unwrap().project.unwrap()).unwrap();
    let is_found = |project: &Project, field: &str| {
        let filter = Filter::parse(&format!("{field}:\"x\""), &Schema::new(Project::FILTER)).unwrap();
        filter.matches(&FilterRow::of(project, &|| None))
    };
    for field in ["annual_plans.content", "purpose", "scale", "status_reason"] {
        assert!(is_found(&said, field) && !is_found(&kept, field), "{field}");
    }
    assert!(is_found(&kept, "display_name"));
}

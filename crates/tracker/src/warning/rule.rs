//! What a policy says, read: from its message to what evaluations use.
//!
//! Invariant: what is read is sound: every metric is compared with what it can be, bands do not overlap, each step does
//! something. All that is wrong is found at once.

use milepost_proto::registry::v1::Project;
use milepost_proto::registry::v1::query_statistics_request::TimeBasis;
use milepost_proto::resource::Resource;
use milepost_proto::tracker::v1::warning_policy::{Missing as MissingMessage, Period as PeriodMessage};
use milepost_proto::tracker::v1::warning_step::Action;
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::{WarningPolicy, WarningStep, WarningTest};
use milepost_resource::date;
use milepost_types::filter::Schema;
use milepost_types::{Decimal, Filter, Violations};

use super::band::{self, Band};
use super::light::{Light, Progression, Step};
use super::measure::Missing;
use super::period::Periods;

/// A test, read.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) metric: Metric,
    pub(crate) comparison: Comparison,
    pub(crate) bands: Vec<Band>,
}

/// A policy, read.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) filter: Filter<usize>,
    pub(crate) periods: Periods,
    pub(crate) time_basis: TimeBasis,
    pub(crate) tests: Vec<Test>,
    pub(crate) progression: Progression,
    pub(crate) missing: Missing,
}

impl Rule {
    /// Whether a test compares with what all projects together have.
    pub(crate) fn compares_with_peers(&self) -> bool {
        self.tests.iter().any(|test| test.comparison == Comparison::PeerGap)
    }
}

/// Finds what is wrong with one field of a policy.
pub(crate) fn check_field(policy: &WarningPolicy, field: &str, violations: &mut Violations) {
    match field {
        "filter" => _ = filter(policy, violations),
        "dates" => _ = periods(policy, violations),
        "tests" => _ = tests(policy, violations),
        "steps" => _ = steps(policy, violations),
        _ => {}
    }
}

/// Reads a policy; none if something is wrong, which is recorded.
pub(crate) fn read(policy: &WarningPolicy, violations: &mut Violations) -> Option<Rule> {
    let (filter, periods) = (filter(policy, violations), periods(policy, violations));
    let (tests, steps) = (tests(policy, violations), steps(policy, violations));
    let missing = match policy.missing() {
        MissingMessage::Unspecified | MissingMessage::NoLight => Missing::NoLight,
        MissingMessage::Hold => Missing::Hold,
        MissingMessage::Green => Missing::Light(Light::Green),
        MissingMessage::Yellow => Missing::Light(Light::Yellow),
        MissingMessage::Red => Missing::Light(Light::Red),
    };
    Some(Rule {
        filter: filter?,
        periods: periods?,
        time_basis: policy.time_basis(),
        tests: tests?,
        progression: Progression {
            raise_after: policy.raise_after.max(1),
            clear_after: policy.clear_after.max(1),
            steps: steps?,
        },
        missing,
    })
}

/// The long texts of projects, which are not kept here: a filter by them would find nothing.
const LONG_TEXTS: [&str; 4] = ["annual_plans.content", "purpose", "scale", "status_reason"];

/// What was stored when filters by long texts were taken is read all the same.
fn filter(policy: &WarningPolicy, violations: &mut Violations) -> Option<Filter<usize>> {
    let filter = violations.check("filter", Filter::parse(&policy.filter, &Schema::new(Project::FILTER)))?;
    for field in Project::FILTER.iter().filter(|field| LONG_TEXTS.contains(&field.path())) {
        if filter.any_comparison(|comparison| comparison.field() == field.id()) {
            let description = format!(
                "`{}` is a long text, which is not kept where projects are evaluated: the filter would find none by it; \
                 leave it out",
                field.path()
            );
            violations.push("filter", "INVALID_FILTER", description);
        }
    }
    Some(filter)
}

fn tests(policy: &WarningPolicy, violations: &mut Violations) -> Option<Vec<Test>> {
    each("tests", &policy.tests, test, violations)
}

fn steps(policy: &WarningPolicy, violations: &mut Violations) -> Option<Vec<Step>> {
    each("steps", &policy.steps, step, violations)
}

/// Reads each member of a list; none if something is wrong with one.
fn each<M, T>(
    field: &str,
    given: &[M],
    read: fn(&M, &mut Violations) -> Option<T>,
    violations: &mut Violations,
) -> Option<Vec<T>> {
    let mut all = Vec::with_capacity(given.len());
    for (i, member) in given.iter().enumerate() {
        let mut found = Violations::new();
        all.push(read(member, &mut found));
        violations.nest(&format!("{field}[{i}]"), found);
    }
    all.into_iter().collect()
}

fn periods(policy: &WarningPolicy, violations: &mut Violations) -> Option<Periods> {
    let days: Vec<_> = policy.dates.iter().filter_map(|day| date(Some(day))).collect();
    if violations.are_of("period") {
        return None;
    }
    if policy.period() != PeriodMessage::Dates && !policy.dates.is_empty() {
        violations.push("dates", "NOT_DATES", "the days are of PERIOD_DATES alone; leave them out");
        return None;
    }
    match policy.period() {
        PeriodMessage::Unspecified => None,
        PeriodMessage::Month => Some(Periods::Months),
        PeriodMessage::Quarter => Some(Periods::Quarters),
        PeriodMessage::Dates if policy.dates.is_empty() => violations.require("dates", None),
        // What is no date is found by the schema.
        PeriodMessage::Dates => (days.len() == policy.dates.len()).then_some(Periods::EndingOn(days)),
    }
}

/// What a metric can be compared with.
fn comparisons(metric: Metric) -> &'static [Comparison] {
    match metric {
        Metric::Unspecified => &[],
        Metric::Investment | Metric::Milestones | Metric::PeriodTask | Metric::Funds => &[
            Comparison::PointGap,
            Comparison::Ratio,
            Comparison::RelativeShortfall,
            Comparison::PeerGap,
            Comparison::Value,
        ],
        Metric::Growth => &[Comparison::Value],
        Metric::StartDelay | Metric::EnrolmentAge => &[Comparison::Age],
    }
}

/// The least that a value can be, in the unit of its bounds; none: there is no such.
fn least(metric: Metric, comparison: Comparison) -> Option<Decimal> {
    let least = match (comparison, metric) {
        (Comparison::Age | Comparison::Ratio, _) => "0",
        // Nothing is left of what was completed in the year before.
        (Comparison::Value, Metric::Growth) => "-100",
        (Comparison::Value, _) => "0",
        _ => return None,
    };
    least.parse().ok()
}

fn test(given: &WarningTest, violations: &mut Violations) -> Option<Test> {
    let (metric, comparison) = (given.metric(), given.comparison());
    let able = comparisons(metric);
    if metric != Metric::Unspecified && comparison != Comparison::Unspecified && !able.contains(&comparison) {
        let names: Vec<_> = able.iter().map(Comparison::as_str_name).collect();
        let description =
            format!("{} is not compared so; give one of {}", metric.as_str_name(), names.join(", "));
        violations.push("comparison", "COMPARISON_UNFIT", description);
    }
    let bands =
        band::read(&given.bands, comparison == Comparison::Age, least(metric, comparison), violations);
    Some(Test { metric, comparison, bands: bands? })
}

fn step(given: &WarningStep, violations: &mut Violations) -> Option<Step> {
    let behind = |field: &str, number: i32, violations: &mut Violations| match Light::of(number) {
        Some(light @ (Light::Yellow | Light::Red)) => Some(light),
        // That it is missing is found by the schema.
        _ if number == 0 => None,
        _ => {
            violations.push(field, "INVALID_LIGHT", "give yellow or red: nothing follows from another light");
            None
        }
    };
    let at_light = behind("at_light", given.at_light, violations);
    let raise_to = behind("raise_to", given.raise_to, violations);
    if let (Some(at), Some(to)) = (at_light, raise_to)
        && to <= at
    {
        violations.push("raise_to", "NOT_WORSE", "the light that is raised to is worse than `at_light`");
    }
    let action = given.action();
    if action == Action::Unspecified && given.raise_to == 0 {
        let description = "the step does nothing; give an action, or the light that it raises to";
        violations.push("action", "REQUIRED", description);
    }
    let mut only_with = |field: &str, own: Action, is_given: bool| match (action == own, is_given) {
        (true, false) => {
            violations.push(field, "REQUIRED", format!("{} needs it", own.as_str_name()));
        }
        (false, true) => {
            let description = format!("it is of {} alone; leave it out", own.as_str_name());
            violations.push(field, "OTHER_ACTION", description);
        }
        _ => {}
    };
    only_with("role", Action::Notify, !given.role.is_empty());
    only_with("months", Action::Review, given.months != 0);
    only_with("due_working_days", Action::OpenOrder, given.due_working_days != 0);
    only_with("responsible", Action::OpenOrder, !given.responsible.is_empty());
    if action != Action::OpenOrder {
        only_with("responsible_role", Action::OpenOrder, !given.responsible_role.is_empty());
    }
    Some(Step { at_light: at_light?, consecutive: given.consecutive.max(1), raise_to })
}

//! Money over the years: plans, what was completed by month, what was received by quarter, and when each was reported.
//!
//! Some months are never reported, some late, and some are corrected. Invariants: what is completed of a project is never
//! more than its investment; nothing is reported before its period ends, nor after the last day; what a bundle
//! reports is the sum of its parts.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::registry::v1::{AnnualPlan, CompletedInvestment, PlanStep, ReceivedFunds};

use super::draw::Draw;
use super::value::{date, day, days, money, next_month, period};
use super::world::{Project, World};

/// What is known of a project's money, in 10,000 CNY.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The investment planned for a year.
    pub plans: BTreeMap<i16, i64>,
    /// By the first day of their period.
    pub completed: BTreeMap<Date, Fact>,
    pub received: BTreeMap<Date, Fact>,
}

/// An amount of a period, as it was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// The last day of the period.
    pub end: Date,
    pub amount: i64,
    pub reported: Date,
    /// What it was corrected to, and when.
    pub correction: Option<(i64, Date)>,
}

/// What is known on the last day.
pub fn history(world: &World, project: &Project) -> History {
    if project.parts.is_empty() {
        return alone(world, project);
    }
    let mut sum = History::default();
    for part in &world.projects[project.parts.clone()] {
        let part = alone(world, part);
        for (year, amount) in part.plans {
            *sum.plans.entry(year).or_default() += amount;
        }
        add(&mut sum.completed, part.completed);
        add(&mut sum.received, part.received);
    }
    sum
}

fn add(sum: &mut BTreeMap<Date, Fact>, part: BTreeMap<Date, Fact>) {
    for (start, fact) in part {
        sum.entry(start).and_modify(|known| *known = known.with(fact)).or_insert(fact);
    }
}

impl Fact {
    /// The sum of two projects' facts of one period.
    fn with(self, other: Self) -> Self {
        let latest = [self, other].into_iter().filter_map(|fact| fact.correction).map(|(_, at)| at).max();
        let reported = self.reported.max(other.reported);
        Self {
            end: self.end,
            amount: self.amount + other.amount,
            reported,
            correction: latest.map(|at| (self.last() + other.last(), at.max(reported))),
        }
    }

    /// The amount that holds in the end.
    pub fn last(self) -> i64 {
        self.correction.map_or(self.amount, |(amount, _)| amount)
    }
}

fn alone(world: &World, project: &Project) -> History {
    let Some(total) = project.investment else { return History::default() };
    let mut draw = world.draw("money", project.number);
    let mut history = History { plans: planned(world, project, total, &mut draw), ..History::default() };
    if project.is_started() {
        history.completed = completed(world, project, total, &mut draw);
        history.received = received(world, &history.completed, &mut draw);
    }
    history
}

/// A share of the investment for each year of the planned period up to the next year; some years have no plan.
fn planned(world: &World, project: &Project, total: i64, draw: &mut Draw) -> BTreeMap<i16, i64> {
    let (start, end) = (project.planned.start, project.planned.end);
    let months = |from: Date, to: Date| {
        i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month()) + 1
    };
    let last = world.plan.until.year() + 1;
    let mut plans = BTreeMap::new();
    for year in start.year()..=end.year().min(last) {
        let in_year = months(start.max(day(year, 1, 1)), end.min(day(year, 12, 31)));
        if !draw.happens(4) {
            plans.insert(year, total * in_year / months(start, end) / 10 * 10);
        }
    }
    plans
}

/// Month by month from that of the actual start on, slower or faster than an even pace.
fn completed(world: &World, project: &Project, total: i64, draw: &mut Draw) -> BTreeMap<Date, Fact> {
    let (start, end) = (project.expected.start, project.expected.end.min(world.plan.until));
    let even = total * 30 / super::value::days_between(start, project.expected.end).max(30);
    let mut facts = BTreeMap::new();
    let (mut from, mut left) = (start.first_of_month(), total);
    while from <= end {
        let last = from.last_of_month();
        let amount = (even * draw.between(55, 145) / 100).min(left);
        let reported = reported(last, draw);
        let corrected = amount * draw.between(85, 110) / 100;
        let again = days(reported, draw.between(10, 75));
        let is_corrected = draw.happens(3) && corrected <= left && again <= world.plan.until;
        if reported <= world.plan.until && !draw.happens(5) {
            let correction = is_corrected.then_some((corrected, again));
            let fact = Fact { end: last, amount, reported, correction };
            left -= fact.amount.max(fact.last());
            facts.insert(from, fact);
        }
        from = next_month(from);
    }
    facts
}

/// Most reports come in the days after a period ends, some months later.
fn reported(end: Date, draw: &mut Draw) -> Date {
    let late = if draw.happens(8) { draw.between(35, 95) } else { draw.between(3, 12) };
    days(end, late)
}

/// Quarter by quarter, around what was completed in it.
fn received(world: &World, completed: &BTreeMap<Date, Fact>, draw: &mut Draw) -> BTreeMap<Date, Fact> {
    let mut quarters: BTreeMap<Date, i64> = BTreeMap::new();
    for (start, fact) in completed {
        let quarter = day(start.year(), (start.month() - 1) / 3 * 3 + 1, 1);
        *quarters.entry(quarter).or_default() += fact.last();
    }
    let fact = |(start, sum): (Date, i64)| {
        let end = day(start.year(), start.month() + 2, 1).last_of_month();
        let reported = reported(end, draw);
        let amount = sum * draw.between(70, 105) / 100;
        (reported <= world.plan.until).then_some((start, Fact { end, amount, reported, correction: None }))
    };
    quarters.into_iter().filter_map(fact).collect()
}

/// Plans that were adjusted in their year: the year, when, and to what. Those of bundles are not.
pub fn adjusted(world: &World, project: &Project) -> Vec<(i16, Date, i64)> {
    let mut draw = world.draw("adjusted", project.number);
    let history = if project.parts.is_empty() { alone(world, project) } else { History::default() };
    let total = project.investment.unwrap_or_default();
    let others = history.plans.values().sum::<i64>();
    let adjust = |(year, wan): (i16, i64)| {
        let (month, share) = (draw.between(6, 9) as i8, draw.between(70, 120));
        let on = day(year, month, draw.between(1, 28) as i8);
        let to = (wan * share / 100 / 10 * 10).min(total - (others - wan)).max(0);
        (draw.happens(5) && on <= world.plan.until).then_some((year, on, to))
    };
    history.plans.clone().into_iter().filter_map(adjust).collect()
}

/// Plans by year, for the API; they are reported in the January of their year.
pub fn plans(world: &World, history: &History) -> Vec<AnnualPlan> {
    let plan = |(year, wan): (&i16, &i64)| {
        let reported = days(day(*year, 1, 10), i64::from(*year) % 12);
        plan(*year, *wan, reported.min(world.plan.until))
    };
    history.plans.iter().map(plan).collect()
}

/// The plan of a year: of each quarter's end, how much is to be done by then.
pub fn plan(year: i16, wan: i64, reported: Date) -> AnnualPlan {
    let quarters = [(3, 12), (6, 40), (9, 70), (12, 100)];
    let step = |(month, share): (i8, i64)| PlanStep {
        date: Some(date(day(year, month, 1).last_of_month())),
        cumulative: Some(money(wan * share / 100)),
    };
    AnnualPlan {
        year: i32::from(year),
        investment: Some(money(wan)),
        content: "按年度计划推进。".into(),
        schedule: quarters.into_iter().map(step).collect(),
        funds: Some(money(wan * 9 / 10)),
        reported_date: Some(date(reported)),
    }
}

/// What was completed, for the API: as it was reported first, or as it holds in the end.
pub fn completed_investments(history: &History, corrected: bool) -> Vec<CompletedInvestment> {
    let fact = |(start, fact): (&Date, &Fact)| CompletedInvestment {
        period: Some(period(*start, fact.end)),
        amount: Some(money(if corrected { fact.last() } else { fact.amount })),
        reported_date: Some(date(match fact.correction {
            Some((_, at)) if corrected => at,
            _ => fact.reported,
        })),
    };
    history.completed.iter().map(fact).collect()
}

/// What was received, for the API.
pub fn received_funds(history: &History) -> Vec<ReceivedFunds> {
    let fact = |(start, fact): (&Date, &Fact)| ReceivedFunds {
        period: Some(period(*start, fact.end)),
        amount: Some(money(fact.amount)),
        reported_date: Some(date(fact.reported)),
    };
    history.received.iter().map(fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::plan;

    fn histories() -> (World, Vec<History>) {
        let world = World::new(plan(400));
        let histories = world.projects.iter().map(|project| history(&world, project)).collect();
        (world, histories)
    }

    #[test]
    fn no_project_completes_or_plans_more_than_its_investment() {
        let (world, histories) = histories();
        for (project, history) in world.projects.iter().zip(&histories) {
            let total = project.investment.unwrap_or_default();
            assert!(history.completed.values().map(|fact| fact.last()).sum::<i64>() <= total);
            assert!(history.completed.values().map(|fact| fact.amount).sum::<i64>() <= total);
            assert!(history.plans.values().sum::<i64>() <= total);
        }
    }

    #[test]
    fn reports_come_after_their_period_and_have_gaps_delays_and_corrections() {
        let (world, histories) = histories();
        let (mut late, mut gaps, mut corrections) = (0, 0, 0);
        for history in &histories {
            let facts: Vec<_> = history.completed.iter().chain(&history.received).collect();
            for (start, fact) in &facts {
                assert!(**start <= fact.end && fact.end < fact.reported, "{fact:?}");
                assert!(fact.reported <= world.plan.until, "{fact:?}");
                assert!(fact.correction.is_none_or(|(_, at)| fact.reported <= at && at <= world.plan.until));
                late += usize::from(days(fact.end, 30) < fact.reported);
                corrections += usize::from(fact.correction.is_some());
            }
            let starts: Vec<_> = history.completed.iter().collect();
            assert!(starts.windows(2).all(|pair| pair[0].1.end < *pair[1].0), "{starts:?}");
            gaps += starts.windows(2).filter(|pair| days(pair[0].1.end, 1) < *pair[1].0).count();
        }
        assert!(
            late > 50 && gaps > 50 && corrections > 50,
            "{late} late, {gaps} gaps, {corrections} corrected"
        );
    }

    #[test]
    fn a_bundle_reports_what_its_parts_report() {
        let (world, histories) = histories();
        for bundle in world.projects.iter().filter(|project| !project.parts.is_empty()) {
            let sum = |history: &History| history.completed.values().map(|fact| fact.last()).sum::<i64>();
            let parts: i64 = histories[bundle.parts.clone()].iter().map(sum).sum();
            assert_eq!(sum(&histories[bundle.number]), parts);
        }
    }
}

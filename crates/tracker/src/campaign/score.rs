//! Scores of the members of a campaign, from 0 to 100, as exact fractions of plain values.
//!
//! Invariants: what cannot be evaluated has no score and says why; it is never taken for 0 or for 100. Nothing is rounded
//! here but by [`hundredths`], once, of what is shown and ranked by.

use milepost_types::Fraction;

/// No inspection of the aspect took place in the window.
pub(super) const NO_INSPECTION: &str = "NO_INSPECTION";
/// No investment is to be completed.
pub(super) const NO_TARGET: &str = "NO_TARGET";
/// No investment was reported for days of the window.
pub(super) const NO_REPORT: &str = "NO_REPORT";
/// It is in another currency than the target.
pub(super) const OTHER_CURRENCY: &str = "OTHER_CURRENCY";
/// Only some of the milestones have weights.
pub(super) const SOME_WEIGHTS: &str = "SOME_WEIGHTS";
/// Its numbers are beyond what is computed exactly.
pub(super) const TOO_LARGE: &str = "TOO_LARGE";

/// Why something could not be evaluated.
pub(super) type Why = &'static str;

/// How much is taken from 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deductions {
    /// For a finding, by its severity, the least first.
    pub(super) findings: [i32; SEVERITIES],
    /// For each working day by which an order is overdue.
    pub(super) overdue_day: i32,
    /// For the days of one order at most.
    pub(super) overdue_limit: i32,
}

/// Observations, minor, major and critical findings.
pub(super) const SEVERITIES: usize = 4;

impl Default for Deductions {
    fn default() -> Self {
        Self { findings: [0, 2, 10, 30], overdue_day: 1, overdue_limit: 10 }
    }
}

/// What supervision says of one aspect of a member in its window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct AspectFacts {
    /// Whether an inspection looked at it.
    pub(super) is_inspected: bool,
    /// How many findings there are that were not withdrawn, by their severity, the least first.
    pub(super) findings: [u32; SEVERITIES],
    /// By how many working days each order was overdue.
    pub(super) overdue_days: Vec<u32>,
}

/// The score of an aspect: 100 without what findings and overdue orders take, and not below 0.
pub(super) fn of_aspect(facts: &AspectFacts, deductions: &Deductions) -> Result<Fraction, Why> {
    if !facts.is_inspected {
        return Err(NO_INSPECTION);
    }
    let findings = facts.findings.iter().zip(deductions.findings);
    let findings: i64 = findings.map(|(count, each)| i64::from(*count) * i64::from(each)).sum();
    let of_order = |days: &u32| {
        (i64::from(*days) * i64::from(deductions.overdue_day)).min(deductions.overdue_limit.into())
    };
    let overdue: i64 = facts.overdue_days.iter().map(of_order).sum();
    whole((100 - findings - overdue).max(0).into()).ok_or(TOO_LARGE)
}

/// A milestone of a frozen target, on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TargetMilestone {
    pub(super) weight: Option<i32>,
    /// Whether its baseline is not after the day.
    pub(super) is_due: bool,
    /// Whether it was achieved by the day.
    pub(super) is_achieved: bool,
}

/// A part of a whole, before it is made percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) part: i128,
    pub(super) whole: i128,
    /// How many things it is made of.
    pub(super) counted: u32,
}

impl Part {
    /// In percent, at most 100.
    pub(super) fn percent(self) -> Result<Fraction, Why> {
        let part = Fraction::new(self.part, self.whole).ok_or(TOO_LARGE)?;
        Ok(whole(100).and_then(|percent| part.checked_mul(percent)).ok_or(TOO_LARGE)?.at_most(100))
    }
}

/// The weight achieved, and the weight due; none if nothing was due yet.
pub(super) fn milestones(target: &[TargetMilestone]) -> Result<Option<Part>, Why> {
    let weighted = target.iter().filter(|milestone| milestone.weight.is_some()).count();
    if weighted != 0 && weighted != target.len() {
        return Err(SOME_WEIGHTS);
    }
    let sum = |counts: fn(&TargetMilestone) -> bool| -> i128 {
        let counted = target.iter().filter(|milestone| counts(milestone));
        counted.map(|milestone| i128::from(milestone.weight.unwrap_or(1))).sum()
    };
    let due = sum(|milestone| milestone.is_due);
    let counted = target.iter().filter(|milestone| milestone.is_due).count();
    let counted = u32::try_from(counted).unwrap_or(u32::MAX);
    Ok((due > 0).then(|| Part { part: sum(|milestone| milestone.is_achieved), whole: due, counted }))
}

/// What was completed of the share of the target that falls on the days up to the end of the last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvestmentFacts {
    /// In billionths; none: there is no target.
    pub(super) target: Option<i128>,
    /// In billionths, in the currency of the target, of periods that are inside.
    pub(super) completed: i128,
    /// How many those are.
    pub(super) reports: u32,
    /// How many are in another currency.
    pub(super) elsewhere: u32,
    /// Days from the first of the window to the end of the last report.
    pub(super) reported_days: u32,
    /// Days from the first of the window to the end of the campaign.
    pub(super) all_days: u32,
}

/// The investment completed, and the share of the target.
pub(super) fn investment(facts: &InvestmentFacts) -> Result<Part, Why> {
    let Some(target) = facts.target.filter(|target| *target > 0) else { return Err(NO_TARGET) };
    if facts.reports == 0 {
        return Err(if facts.elsewhere > 0 { OTHER_CURRENCY } else { NO_REPORT });
    }
    let part = facts.completed.checked_mul(facts.all_days.into()).ok_or(TOO_LARGE)?;
    let whole = target.checked_mul(facts.reported_days.into()).ok_or(TOO_LARGE)?;
    Ok(Part { part, whole, counted: facts.reports })
}

/// The mean of both, or the investment alone if nothing was due yet.
pub(super) fn progress(milestones: Option<Fraction>, investment: Fraction) -> Result<Fraction, Why> {
    let Some(milestones) = milestones else { return Ok(investment) };
    let half = Fraction::new(1, 2).ok_or(TOO_LARGE)?;
    milestones.checked_add(investment).and_then(|sum| sum.checked_mul(half)).ok_or(TOO_LARGE)
}

/// The weighted scores as one; weights are in ten-thousandths.
pub(super) fn total(scores: impl IntoIterator<Item = (i32, Fraction)>) -> Result<Fraction, Why> {
    const ALL: i128 = 10_000;
    let mut total = whole(0).ok_or(TOO_LARGE)?;
    for (weight, score) in scores {
        let weight = Fraction::new(weight.into(), ALL).ok_or(TOO_LARGE)?;
        total = score.checked_mul(weight).and_then(|share| total.checked_add(share)).ok_or(TOO_LARGE)?;
    }
    Ok(total)
}

/// A score in hundredths, rounded once, half away from zero.
pub(super) fn hundredths(score: Fraction) -> i64 {
    // Of a score, which is from 0 to 100: all its digits are there.
    score.rounded(1, 2).replace('.', "").parse().unwrap_or_default()
}

fn whole(number: i128) -> Option<Fraction> {
    Fraction::new(number, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(score: Result<Fraction, Why>) -> String {
        score.map_or_else(str::to_owned, |score| score.rounded(1, 2))
    }

    fn facts(findings: [u32; SEVERITIES], overdue_days: &[u32]) -> AspectFacts {
        AspectFacts { is_inspected: true, findings, overdue_days: overdue_days.to_vec() }
    }

    /// office.md, section 5: 100 − findings (0, 2, 10, 30) − 1 per working day overdue, at most 10 an order; floor 0;
    /// without an inspection NOT_EVALUATED, never 100.
    #[test]
    fn an_aspect_is_100_without_what_findings_and_overdue_orders_take() {
        let score = |facts: AspectFacts| shown(of_aspect(&facts, &Deductions::default()));
        assert_eq!(score(facts([9, 0, 0, 0], &[])), "100.00");
        assert_eq!(score(facts([0, 2, 0, 0], &[])), "96.00");
        assert_eq!(score(facts([0, 3, 1, 1], &[])), "54.00");
        assert_eq!(score(facts([0, 0, 0, 0], &[6])), "94.00");
        assert_eq!(score(facts([0, 0, 0, 0], &[10, 11, 3])), "77.00");
        assert_eq!(score(facts([0, 0, 0, 3], &[99; 9])), "0.00");
        assert_eq!(score(AspectFacts { is_inspected: false, ..facts([0; 4], &[]) }), NO_INSPECTION);
        let own = Deductions { findings: [1, 5, 20, 100], overdue_day: 2, overdue_limit: 4 };
        assert_eq!(shown(of_aspect(&facts([1, 1, 1, 0], &[1, 9]), &own)), "68.00");
    }

    fn target(weights: &[(i32, bool, bool)]) -> Vec<TargetMilestone> {
        let one = |(weight, is_due, is_achieved): &(i32, bool, bool)| TargetMilestone {
            weight: (*weight > 0).then_some(*weight),
            is_due: *is_due,
            is_achieved: *is_achieved,
        };
        weights.iter().map(one).collect()
    }

    /// office.md, section 5: M = Σ weight achieved by D ÷ Σ weight due by D; no weights: 1 each; only some:
    /// NOT_EVALUATED; nothing due yet: I alone.
    #[test]
    fn milestones_count_by_weight_and_each_as_one_without_weights() {
        let of = |given: &[(i32, bool, bool)]| milestones(&target(given));
        let part = |part, whole, counted| Ok(Some(Part { part, whole, counted }));
        assert_eq!(of(&[(32, true, true), (8, true, false), (60, false, false)]), part(32, 40, 2));
        assert_eq!(of(&[(0, true, true), (0, true, false), (0, false, true)]), part(2, 2, 2));
        assert_eq!(of(&[(3, true, true), (0, false, false)]), Err(SOME_WEIGHTS));
        assert_eq!((of(&[(5, false, true)]), of(&[])), (Ok(None), Ok(None)));
        let over = Part { part: 3, whole: 2, counted: 2 };
        assert_eq!(shown(over.percent()), "100.00", "at most");
    }

    /// office.md, section 5: I = completed ÷ (target × days joined…E ÷ days joined…end); no target or report:
    /// NOT_EVALUATED.
    #[test]
    fn investment_is_measured_by_the_share_of_the_target_up_to_the_last_report() {
        let given = InvestmentFacts {
            target: Some(150),
            completed: 80,
            reports: 1,
            elsewhere: 0,
            reported_days: 50,
            all_days: 100,
        };
        let of = |facts: InvestmentFacts| shown(investment(&facts).and_then(Part::percent));
        assert_eq!(of(given), "100.00", "80/75");
        assert_eq!(of(InvestmentFacts { completed: 60, ..given }), "80.00");
        assert_eq!(of(InvestmentFacts { reported_days: 31, completed: 31, ..given }), "66.67");
        assert_eq!(of(InvestmentFacts { target: None, ..given }), NO_TARGET);
        assert_eq!(of(InvestmentFacts { target: Some(0), ..given }), NO_TARGET);
        let none = InvestmentFacts { reports: 0, completed: 0, ..given };
        assert_eq!(
            (of(none), of(InvestmentFacts { elsewhere: 2, ..none })),
            (NO_REPORT.into(), OTHER_CURRENCY.into())
        );
        assert_eq!(of(InvestmentFacts { target: Some(i128::MAX), ..given }), TOO_LARGE);
    }

    fn percent(part: i128, whole: i128) -> Fraction {
        Part { part, whole, counted: 1 }.percent().unwrap()
    }

    /// office.md, section 5, day 50: progress 83.33, 87.825 and 87.5; totals 91.533 and 91.53, both 91.53.
    #[test]
    fn the_day_50_of_the_specification() {
        let hundred = percent(1, 1);
        let b = progress(Some(percent(20, 30)), percent(80, 75)).unwrap();
        let a = progress(Some(percent(32, 40)), percent(9_565, 10_000)).unwrap();
        let c = progress(Some(percent(30, 40)), hundred).unwrap();
        assert_eq!([a, b, c].map(|score| score.rounded(1, 3)), ["87.825", "83.333", "87.500"]);
        let of = |quality: i128, safety: i128, progress| {
            let score = |points| Fraction::new(points, 1).unwrap();
            total([(3_000, score(quality)), (3_000, score(safety)), (4_000, progress)]).unwrap()
        };
        let (a, b) = (of(96, 92, a), of(100, 94, b));
        assert_eq!([a, b].map(|total| total.rounded(1, 3)), ["91.530", "91.533"]);
        assert_eq!([a, b].map(hundredths), [9_153, 9_153], "by the rounded total they are equal");
        // With its late inspection, which found nothing.
        assert_eq!(of(98, 100, c).rounded(1, 2), "94.40");
        assert_eq!(progress(None, percent(1, 2)), Ok(percent(1, 2)), "nothing was due yet");
    }

    /// Scores are of the same amounts, and have denominators in common.
    #[test]
    fn scores_of_large_denominators_are_added() {
        let score = Fraction::new(10_i128.pow(26) + 1, 10_i128.pow(24) * 3).unwrap();
        let twice = total([(5_000, score), (5_000, score)]);
        assert_eq!(twice, Ok(score));
    }
}

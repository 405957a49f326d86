//! Answers of the registry: how far a collection is built, the values of an indicator, and why policies do not fit.
//!
//! Invariant: what was declared and what is registered have columns of their own; a lower bound says that it is one.

use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::unmet_condition::Result as ConditionResult;
use milepost_proto::registry::v1::{
    CollectionProgress, CollectionRollup, IndicatorContradiction, IndicatorSeries, IndicatorValue,
    PolicyMatch, TargetVerdict, UnmetCondition, indicator,
};

use super::{Sheet, counted, word};
use crate::output::table::{Room, card};
use crate::output::value::period;
use crate::output::{Output, text};
use crate::report::{missing, number, value};

/// Why policies do not fit, or are not known to: the conditions of each match that explains itself.
pub(super) fn why(matches: &[PolicyMatch], output: &Output) -> String {
    let explained = matches.iter().filter(|found| !found.unmet_conditions.is_empty()).map(|found| {
        let whom = [&found.organization, &found.project].map(|name| text::ids(name));
        let whom: Vec<_> = whom.into_iter().filter(|ids| !ids.is_empty()).collect();
        let outcome = word(found.outcome().as_str_name(), Outcome::Unspecified.as_str_name());
        let lines: Vec<_> = found.unmet_conditions.iter().map(unmet).collect();
        let conditions = card(&lines, output.columns, output.colour);
        format!("\n{} for {}: {outcome}\n{conditions}", text::ids(&found.policy), whom.join(", "))
    });
    explained.collect()
}

/// The title of a condition that does not hold, and why it does not.
fn unmet(condition: &UnmetCondition) -> (String, String) {
    let UnmetCondition { title, expression, alternative, values, absent_keys, error, .. } = condition;
    let mut lines = vec![match condition.result() {
        ConditionResult::False => format!("fails: {expression}"),
        _ if error.is_empty() => format!("not known: {expression}"),
        _ => format!("not known: {expression}: {error}"),
    }];
    lines.extend(values.iter().map(|used| format!("{} is {}", used.key, used.value)));
    if !absent_keys.is_empty() {
        lines.push(format!("to know, supply: {}", absent_keys.join(", ")));
    }
    if !alternative.is_empty() {
        lines.push(format!("one condition of the alternatives {alternative} is enough"));
    }
    (title.clone(), lines.join("\n"))
}

impl Sheet<'_> {
    pub(super) fn rollup(&mut self, rollup: &CollectionRollup) {
        let (collection, date) = (text::ids(&rollup.collection), text::date(rollup.date.as_ref()));
        let unit = if rollup.unit.is_empty() { String::new() } else { format!(", in {}", rollup.unit) };
        self.line(&format!("{collection}, as of {date}{unit}: {}", members(rollup)));
        let rows: Vec<&CollectionProgress> = rollup.groups.iter().chain(&rollup.whole).collect();
        self.table(
            &rows,
            &[
                ("GROUP", Room::Name, |row| if row.group.is_empty() { "all" } else { &row.group }.to_owned()),
                ("DECLARED", Room::Number, |row| row.declared_count.map_or(text::ABSENT.to_owned(), counted)),
                ("REGISTERED", Room::Number, |row| counted(row.element_count)),
                ("COMPLETE", Room::Number, |row| counted(row.complete_count)),
                ("SHARE BUILT", Room::Number, |row| value(&row.length.clone().unwrap_or_default(), "%")),
                ("PLANNED", Room::Number, |row| number(&row.planned_measure)),
                ("BUILT", Room::Number, |row| number(&row.built_measure)),
                ("MISSING", Room::Text, |row| missing(&row.length.clone().unwrap_or_default())),
            ],
        );
        self.table(
            &rollup.elements,
            &[
                ("ELEMENT", Room::Name, |row| row.id.clone()),
                ("COMPLETE", Room::Whole, |row| if row.complete { "yes" } else { "no" }.to_owned()),
                ("PLANNED", Room::Number, |row| number(&row.planned_measure)),
                ("BUILT", Room::Number, |row| number(&row.built_measure)),
                ("GROUP", Room::Text, |row| text::or_absent(&row.group)),
            ],
        );
    }

    pub(super) fn series(&mut self, series: &IndicatorSeries) {
        let (indicator, date) = (text::ids(&series.indicator), text::date(series.date.as_ref()));
        let current = series.current.clone().unwrap_or_default();
        let dimensions: Vec<_> = series.dimensions.iter().map(|(key, of)| format!(", {key}={of}")).collect();
        self.line(&format!("{indicator}, as of {date}{}: {}", dimensions.concat(), said(&current)));
        if let Some(sum) = &series.sum_of_parts {
            let missing = if sum.missing_count > 0 { format!("; {}", missing(sum)) } else { String::new() };
            let counted = text::count(u64::try_from(sum.counted).unwrap_or_default(), "part", "parts");
            self.line(&format!("{counted} together: {}{missing}", value(sum, "").trim_end()));
        }
        if let Some(sum) = &series.sum_over_time {
            let span = sum.period.as_ref().map_or(text::ABSENT.to_owned(), period);
            self.line(&format!("{span} together: {}", said(sum)));
        }
        if series.has_earlier {
            self.line("there are earlier values: --date shows those up to a day");
        }
        self.table(
            &series.points,
            &[
                ("PERIOD", Room::Whole, |row| row.period.as_ref().map_or(text::ABSENT.to_owned(), period)),
                ("VALUE", Room::Number, |row| number(&row.value)),
                ("QUALIFIER", Room::Whole, |row| text::or_absent(exactness(row))),
                ("OBSERVATIONS", Room::Number, |row| counted(row.counted)),
                ("OBSERVATION", Room::Id, |row| {
                    text::or_absent(row.observation.rsplit('/').next().unwrap_or_default())
                }),
            ],
        );
        self.verdicts(series);
    }

    /// What an indicator comes to, and what contradicts it.
    fn verdicts(&mut self, series: &IndicatorSeries) {
        self.table(
            &series.targets,
            &[
                ("TARGET DUE", Room::Whole, due),
                ("TARGET", Room::Number, |row| number(&row.value)),
                ("VERDICT", Room::Whole, |row| {
                    word(row.verdict().as_str_name(), Verdict::Unspecified.as_str_name()).to_owned()
                }),
                ("JUDGED", Room::Text, |row| row.judged_value.as_ref().map_or(text::ABSENT.to_owned(), said)),
            ],
        );
        self.table(
            &series.thresholds,
            &[
                ("THRESHOLD", Room::Number, |row| number(&row.threshold.clone().unwrap_or_default().value)),
                ("REACHED", Room::Whole, |row| {
                    row.reached.map_or(text::ABSENT, |reached| if reached { "yes" } else { "no" }).to_owned()
                }),
                ("LABEL", Room::Text, |row| {
                    text::or_absent(&row.threshold.clone().unwrap_or_default().label)
                }),
            ],
        );
        self.table(
            &series.contradictions,
            &[
                ("CONTRADICTION", Room::Whole, |row| {
                    word(row.flag().as_str_name(), indicator::Flag::Unspecified.as_str_name()).to_owned()
                }),
                ("PERIOD", Room::Whole, |row| row.period.as_ref().map_or(text::ABSENT.to_owned(), period)),
                ("VALUES", Room::Text, contradicting),
            ],
        );
        let more = usize::try_from(series.contradiction_count).unwrap_or_default();
        if more > series.contradictions.len() {
            self.line(&format!("{more} contradictions in all"));
        }
    }
}

/// How many members there are, by status: `3 members: 2 CONSTRUCTION, 1 PROPOSED`.
fn members(rollup: &CollectionRollup) -> String {
    let count = text::count(u64::try_from(rollup.member_count).unwrap_or_default(), "member", "members");
    let status = |status: Status| word(status.as_str_name(), Status::Unspecified.as_str_name());
    let of =
        rollup.members_by_status.iter().map(|of| format!("{} {}", counted(of.count), status(of.status())));
    let deleted =
        (rollup.deleted_member_count > 0).then(|| format!("{} deleted", rollup.deleted_member_count));
    let parts: Vec<_> = of.chain(deleted).collect();
    if parts.is_empty() { count } else { format!("{count} ({})", parts.join(", ")) }
}

/// A value with how exact it is, or why there is none.
fn said(found: &IndicatorValue) -> String {
    match found.value.as_str() {
        "" => format!("no value, {}", exactness(found)),
        digits => format!("{} {}", number(digits), exactness(found)),
    }
}

/// How exact a value is, or why there is none.
fn exactness(found: &IndicatorValue) -> &'static str {
    match found.absence() {
        Absence::Unspecified => word(found.qualifier().as_str_name(), Qualifier::Unspecified.as_str_name()),
        absence => word(absence.as_str_name(), Absence::Unspecified.as_str_name()),
    }
}

/// When a target is due: `2023`, or a day.
fn due(target: &TargetVerdict) -> String {
    if target.year > 0 { target.year.to_string() } else { text::date(target.due_date.as_ref()) }
}

/// What contradicts each other: `a 16, b 17`.
fn contradicting(found: &IndicatorContradiction) -> String {
    let one =
        |id: &str, digits: &str| format!("{} {}", id.rsplit('/').next().unwrap_or_default(), number(digits));
    found.values.iter().map(|of| one(&of.name, &of.value)).collect::<Vec<_>>().join(", ")
}

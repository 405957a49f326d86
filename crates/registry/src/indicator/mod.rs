//! Indicators: what an office counts of its portfolio; their values are observations.
//!
//! Invariants: none is a part of itself, at any remove; one that sums its parts is no rate, and its parts have its kind
//! and its unit. How many contradictions there are is counted where observations change, and nowhere else.

mod effects;
mod facts;
pub(crate) mod observation;
mod parts;
pub(crate) mod series;
mod sums;
mod value;
mod verdicts;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::indicator::{Flag, Kind};
use milepost_proto::registry::v1::{Indicator, IndicatorSeries, Portfolio};
use milepost_resource::{By, Checked, Created, Index, Name, Rules, Show, Under};
use milepost_types::{Decimal, Precondition, Rejection, TimeZoneId, Violations, limits};

use crate::portfolio::zone_and_today;
use crate::tables::{Registry, Rows, Scope};
pub(crate) use facts::Span;
use facts::{AsOf, Reader};
use parts::{PARTS, has_sum, parts, whole};
pub(crate) use series::SeriesRequest;
use series::{no_value, series};

impl Rules<Registry> for Indicator {
    type Above = Under<Portfolio>;

    const TABLE: u8 = 36;
    const TABLE_NAME: &'static str = "registry.indicators";
    const ID_PREFIX: char = 'i';
    const READS_OTHERS: bool = true;
    const INDEXES: &'static [Index] =
        &[PARTS, Index { tag: 41, by: &[By::Field("display_name")], live: false, orders: true, ..PARTS }];

    const SHOW: Option<Show<Registry, Self>> = Some(show);

    fn check_field(&self, field: &str, violations: &mut Violations) {
        match field {
            "targets" => check_targets(self, violations),
            "thresholds" => {
                let mut seen = BTreeSet::new();
                for (i, threshold) in self.thresholds.iter().enumerate() {
                    let value = threshold.value.parse::<Decimal>().ok();
                    if value.is_some_and(|value| !seen.insert(value)) {
                        let description = "another threshold has this value; give it once";
                        violations.push(format!("thresholds[{i}].value"), "DUPLICATE", description);
                    }
                }
            }
            _ => {}
        }
    }

    fn check(&self, violations: &mut Violations) {
        if has_sum(self) && self.kind() == Kind::Rate {
            let description = "a rate is never summed; leave the rollup out, or give another kind";
            violations.push("rollup", "RATE_NEVER_SUMS", description);
        }
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        parts::check(scope, before, after)
    }

    fn admit_created(scope: &Scope<'_>, created: &[Created<Self>]) -> Result<(), Rejection> {
        created.iter().try_for_each(|created| parts::check(scope, None, &created.resource))
    }

    fn release(scope: &Scope<'_>, indicator: &Checked<Self>) -> Result<(), Rejection> {
        let condition = |part: Name<Self>| Precondition {
            kind: "HAS_PARTS",
            subject: part.to_string(),
            description: "it names the indicator as its part_of; delete or change it first".to_owned(),
        };
        let conditions: Vec<_> =
            parts(&scope.rows, indicator.name()).take(limits::PARTS_NAMED).map(condition).collect();
        Rejection::unless_met(conditions)
    }
}

/// Sets its value and what contradicts it today.
fn show(
    rows: &Rows<'_>,
    now: Timestamp,
    name: &Name<Indicator>,
    indicator: &mut Indicator,
) -> Result<bool, Rejection> {
    let stored = rows.find(name)?;
    let (zone, today) = zone_and_today(rows, &name.parent(), now)?;
    let as_of = AsOf { date: today, knowledge: Knowledge::Latest, zone };
    let reader = Reader { rows, as_of, until: today };
    let shown = current(&reader, name, indicator).and_then(|()| flags(&reader, &stored, indicator));
    match shown {
        // Its series names the row; what is known besides is shown.
        Err(Rejection::DamagedRow(damage)) => {
            tracing::error!(%name, %damage, "the value of an indicator, or what contradicts it, is not shown");
        }
        shown => shown?,
    }
    Ok(true)
}

/// Sets the value of an indicator.
fn current(
    reader: &Reader<'_, '_>,
    name: &Name<Indicator>,
    indicator: &mut Indicator,
) -> Result<(), Rejection> {
    let last = reader.last(name, "")?;
    indicator.current = Some(last.map_or_else(no_value, |(span, resolved)| resolved.message(span)));
    Ok(())
}

/// Sets what contradicts the value of an indicator.
fn flags(
    reader: &Reader<'_, '_>,
    stored: &Checked<Indicator>,
    indicator: &mut Indicator,
) -> Result<(), Rejection> {
    let flags: BTreeSet<i32> =
        verdicts::contradictions(reader, stored)?.iter().map(|found| found.flag).collect();
    indicator.flags = flags.into_iter().filter(|flag| *flag != i32::from(Flag::Unspecified)).collect();
    Ok(())
}

/// Finds what is wrong with the targets of a request.
fn check_targets(indicator: &Indicator, violations: &mut Violations) {
    let mut seen = BTreeSet::new();
    for (i, target) in indicator.targets.iter().enumerate() {
        let path = format!("targets[{i}]");
        match (&target.date, target.year) {
            (None, 0) => violations.push(format!("{path}.date"), "REQUIRED", "give a date or a year"),
            (Some(_), year) if year != 0 => {
                let description = "give a date or a year, and not both";
                violations.push(format!("{path}.year"), "CONTRADICTION", description);
            }
            _ => {
                if verdicts::due(target).is_some_and(|due| !seen.insert(due)) {
                    let description = "another target is due on the same day; give one a day";
                    violations.push(path, "DUPLICATE", description);
                }
            }
        }
    }
}

/// The series of an indicator up to a day, as known when.
///
/// # Errors
/// If a row that it needs cannot be decoded.
pub(crate) fn answer(
    rows: &Rows<'_>,
    indicator: &Checked<Indicator>,
    date: Date,
    request: &SeriesRequest,
) -> Result<IndicatorSeries, Rejection> {
    let portfolio = rows.find(&indicator.name().parent())?;
    let zone = TimeZoneId::stored(portfolio.time_zone.clone());
    let knowledge = match request.knowledge {
        Knowledge::Unspecified => Knowledge::Latest,
        knowledge => knowledge,
    };
    let reader = Reader { rows, as_of: AsOf { date, knowledge, zone }, until: date };
    series(&reader, indicator, request)
}

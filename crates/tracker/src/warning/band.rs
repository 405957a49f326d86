//! Bands: which light a value has, with exact bounds that belong to a band or do not.
//!
//! Invariants: values are exact and compared exactly; nothing is rounded. Ages are compared by dates. Of the bands of a
//! test no two have a value in common, which is checked when they are read, and the two are named.

use std::cmp::Ordering;
use std::fmt;

use jiff::Span;
use jiff::civil::Date;
use milepost_proto::tracker::v1::WarningBand;
use milepost_types::{Decimal, Fraction, Violations};

use super::light::Light;

/// Millionths of a percent in one.
const MICROS_OF_ONE: i128 = 100_000_000;
/// Millionths in one month.
const MICROS_OF_MONTH: i128 = 1_000_000;
/// The longest age that a bound may be, in months: nobody waits for longer.
const MOST_MONTHS: i128 = 1_200;

/// What bands compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// A part of one: bounds are in percent, or in percentage points.
    Share(Fraction),
    /// A time: bounds are in months.
    Age { since: Date, until: Date },
}

impl Value {
    /// How it compares with a bound.
    fn compare(self, bound: Decimal) -> Ordering {
        match self {
            // A bound has at most 22 digits.
            Self::Share(value) => match Fraction::new(bound.micros(), MICROS_OF_ONE) {
                Some(bound) => value.cmp(&bound),
                None => 0.cmp(&bound.micros()),
            },
            Self::Age { since, until } => {
                let months = i64::try_from(bound.micros() / MICROS_OF_MONTH).unwrap_or(i64::MAX);
                until.cmp(&after(since, months).unwrap_or(Date::MAX))
            }
        }
    }

    /// The whole months of an age.
    pub(crate) fn whole_months(since: Date, until: Date) -> i64 {
        let years = i64::from(until.year()) - i64::from(since.year());
        let months = years * 12 + i64::from(until.month()) - i64::from(since.month());
        // The same day of the month, or the last one where there is no such day.
        let early = after(since, months).is_some_and(|day| day > until);
        months - i64::from(early)
    }
}

/// The day so many months after another one; none if there is none.
fn after(since: Date, months: i64) -> Option<Date> {
    let months = Span::new().try_months(months).ok()?;
    since.checked_add(months).ok()
}

/// An end of a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    at: Decimal,
    inclusive: bool,
}

/// The values that have one light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) light: Light,
    low: Option<Bound>,
    high: Option<Bound>,
}

impl Band {
    /// Whether a value is in it.
    fn holds(&self, value: Value) -> bool {
        let above = self.low.is_none_or(|low| match value.compare(low.at) {
            Ordering::Greater => true,
            Ordering::Equal => low.inclusive,
            Ordering::Less => false,
        });
        above
            && self.high.is_none_or(|high| match value.compare(high.at) {
                Ordering::Less => true,
                Ordering::Equal => high.inclusive,
                Ordering::Greater => false,
            })
    }

    /// Whether no value can be in it.
    fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Some(low), Some(high)) => !reaches(low, high),
            _ => false,
        }
    }

    /// Whether all that is in it is below a value.
    fn is_below(&self, least: Decimal) -> bool {
        self.high.is_some_and(|high| !reaches(Bound { at: least, inclusive: true }, high))
    }

    /// Whether a value is in both.
    fn overlaps(&self, other: &Self) -> bool {
        let begins_before_end = |low: Option<Bound>, high: Option<Bound>| match (low, high) {
            (Some(low), Some(high)) => reaches(low, high),
            _ => true,
        };
        begins_before_end(self.low, other.high) && begins_before_end(other.low, self.high)
    }
}

/// Whether there is a value between two bounds, or on both.
fn reaches(low: Bound, high: Bound) -> bool {
    low.at < high.at || low.at == high.at && low.inclusive && high.inclusive
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let light = match self.light {
            Light::Green => "green",
            Light::Yellow => "yellow",
            Light::Red => "red",
        };
        match self.low {
            Some(low) => write!(f, "{light} {}{}", if low.inclusive { '[' } else { '(' }, low.at)?,
            None => write!(f, "{light} (−∞")?,
        }
        match self.high {
            Some(high) => write!(f, ", {}{}", high.at, if high.inclusive { ']' } else { ')' }),
            None => f.write_str(", ∞)"),
        }
    }
}

/// The light of a value; none if it is in no band.
pub(crate) fn light_of(bands: &[Band], value: Value) -> Option<Light> {
    bands.iter().find(|band| band.holds(value)).map(|band| band.light)
}

/// Reads the bands of a test, of months if they are of ages, whose values are not below the least if there is one. Faults
/// are recorded under paths that are relative to the test.
pub(crate) fn read(
    given: &[WarningBand],
    of_months: bool,
    least: Option<Decimal>,
    violations: &mut Violations,
) -> Option<Vec<Band>> {
    let mut bands = Vec::with_capacity(given.len());
    for (i, band) in given.iter().enumerate() {
        let path = format!("bands[{i}]");
        let band = read_band(band, &path, of_months, violations);
        // What was stored when such bands were taken is read all the same.
        if let (Some(least), Some(band)) = (least, &band)
            && band.is_below(least)
        {
            let description =
                format!("no value is in {band}: none is below {least}; correct the upper bound");
            violations.push(path, "EMPTY_BAND", description);
        }
        bands.push(band);
    }
    for (i, band) in bands.iter().enumerate() {
        let Some(band) = band else { continue };
        let overlapping = bands[..i].iter().enumerate().filter_map(|(j, other)| Some((j, other.as_ref()?)));
        for (j, other) in overlapping.filter(|(_, other)| band.overlaps(other)) {
            let description = format!(
                "bands[{j}] is {other} and bands[{i}] is {band}: they have values in common, whose light would be \
                 either; change a bound, or which of them it belongs to"
            );
            violations.push(format!("bands[{i}]"), "OVERLAP", description);
        }
    }
    bands.into_iter().collect()
}

fn read_band(given: &WarningBand, path: &str, of_months: bool, violations: &mut Violations) -> Option<Band> {
    let light = Light::of(given.light);
    if light.is_none() && given.light != 0 {
        let description = "a band is green, yellow or red; what is in no band has no light";
        violations.push(format!("{path}.light"), "INVALID_LIGHT", description);
    }
    let mut bound = |field: &str, text: &str, inclusive: bool| -> Option<Option<Bound>> {
        let path = format!("{path}.{field}");
        if text.is_empty() {
            if inclusive {
                let description =
                    "there is no bound that could belong to the band; give one, or leave this out";
                violations.push(format!("{path}_inclusive"), "NO_BOUND", description);
            }
            return Some(None);
        }
        // What is no decimal number is found by the schema.
        let at = text.parse::<Decimal>().ok()?;
        if of_months && (at.is_negative() || at.micros() % MICROS_OF_MONTH != 0) {
            violations.push(path, "OUT_OF_RANGE", "an age is compared in whole months, from 0");
            return None;
        }
        // What was stored when longer ones were taken is read all the same.
        if of_months && at.micros() / MICROS_OF_MONTH > MOST_MONTHS {
            let description = format!("an age is compared with at most {MOST_MONTHS} months");
            violations.push(path, "OUT_OF_RANGE", description);
        }
        Some(Some(Bound { at, inclusive }))
    };
    let low = bound("low", &given.low, given.low_inclusive);
    let high = bound("high", &given.high, given.high_inclusive);
    let band = Band { light: light?, low: low?, high: high? };
    if band.is_empty() {
        violations.push(
            path,
            "EMPTY_BAND",
            format!("no value is in {band}; exchange the bounds or correct one"),
        );
        return None;
    }
    Some(band)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::warning::tests::band;

    fn share(numerator: i128, denominator: i128) -> Value {
        Value::Share(Fraction::new(numerator, denominator).unwrap())
    }

    fn faults(given: &[WarningBand], of_months: bool) -> Vec<(String, &'static str, String)> {
        let mut violations = Violations::new();
        read(given, of_months, None, &mut violations);
        violations
            .iter()
            .map(|found| (found.field.clone(), found.reason, found.description.clone()))
            .collect()
    }

    /// office.md, section 4, [YC]: gap ≤ 0 green; 10–30 inclusive yellow; > 30 red; 0–10 not stated.
    #[test]
    fn office_4_a_bound_belongs_to_a_band_or_does_not_exactly() {
        let bands = read(
            &[band("green ..0]"), band("yellow [10..30]"), band("red (30..")],
            false,
            None,
            &mut Violations::new(),
        )
        .unwrap();
        for (value, light) in [
            (share(-1, 1_000), Some(Light::Green)),
            (share(0, 1), Some(Light::Green)),
            (share(1, 1_000_000_000), None),
            (share(1, 10), Some(Light::Yellow)),
            (share(999_999_999, 10_000_000_000), None),
            (share(3, 10), Some(Light::Yellow)),
            (share(300_000_000_001, 1_000_000_000_000), Some(Light::Red)),
        ] {
            assert_eq!(light_of(&bands, value), light, "{value:?}");
        }
    }

    /// office.md, section 4: overlap is refused.
    #[test]
    fn office_4_bands_that_overlap_are_refused_and_both_are_named() {
        let found = faults(&[band("yellow [10..30]"), band("red [30.."), band("green ..10)")], false);
        let [(field, reason, description)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((field.as_str(), *reason), ("bands[1]", "OVERLAP"));
        for named in ["bands[0] is yellow [10, 30]", "bands[1] is red [30, ∞)"] {
            assert!(description.contains(named), "{description}");
        }
        let three = faults(&[band("green .."), band("yellow ..5]"), band("red (4..")], false);
        assert_eq!(three.len(), 3, "each pair: {three:?}");
        assert_eq!(faults(&[band("yellow [10..30)"), band("red [30..")], false), []);
        assert_eq!(faults(&[band("yellow [10..30)"), band("red (30..")], false), [], "a gap is not stated");
    }

    #[test]
    fn bands_in_which_no_value_can_be_are_refused() {
        for empty in ["yellow [30..10]", "yellow (10..10]", "yellow [10..10)"] {
            assert_eq!(faults(&[band(empty)], false)[0].1, "EMPTY_BAND", "{empty}");
        }
        assert_eq!(faults(&[band("yellow [10..10]")], false), [], "one value");
        let open = WarningBand { low_inclusive: true, high_inclusive: true, ..band("red ..") };
        let found = faults(&[open], false);
        let fields: Vec<_> = found.iter().map(|(field, reason, _)| (field.as_str(), *reason)).collect();
        assert_eq!(
            fields,
            [("bands[0].low_inclusive", "NO_BOUND"), ("bands[0].high_inclusive", "NO_BOUND"),]
        );
        let dark = WarningBand { light: 1, ..band("red ..") };
        assert_eq!(faults(&[dark], false)[0].1, "INVALID_LIGHT");
    }

    /// office.md, section 4, [YC] enrolment: age ≥ 1 month yellow, > 2 red; by dates.
    #[test]
    fn office_4_an_age_is_compared_by_dates() {
        let bands =
            read(&[band("yellow [1..2]"), band("red (2..")], true, None, &mut Violations::new()).unwrap();
        let light = |since, until| light_of(&bands, Value::Age { since, until });
        let start = date(2021, 1, 31);
        for (until, expected) in [
            (date(2021, 2, 27), None),
            (date(2021, 2, 28), Some(Light::Yellow)),
            (date(2021, 3, 31), Some(Light::Yellow)),
            (date(2021, 4, 1), Some(Light::Red)),
        ] {
            assert_eq!(light(start, until), expected, "{until}");
        }
        assert_eq!(Value::whole_months(start, date(2021, 2, 27)), 0);
        assert_eq!(Value::whole_months(start, date(2021, 2, 28)), 1);
        assert_eq!(Value::whole_months(start, date(2021, 3, 30)), 1);
        assert_eq!(Value::whole_months(start, date(2022, 1, 31)), 12);
        let found = faults(&[band("yellow [0.5..2]"), band("red [-1..0]")], true);
        let fields: Vec<_> = found.iter().map(|(field, reason, _)| (field.as_str(), *reason)).collect();
        assert_eq!(fields, [("bands[0].low", "OUT_OF_RANGE"), ("bands[1].low", "OUT_OF_RANGE")]);
    }

    /// No date is so far from another one.
    #[test]
    fn an_age_is_less_than_a_bound_that_no_date_reaches() {
        for months in ["239976", "239977", "999999999999999"] {
            let given = [band(&format!("yellow ..{months})")), band(&format!("red [{months}.."))];
            let bands = read(&given, true, None, &mut Violations::new()).unwrap();
            let age = Value::Age { since: date(1, 1, 1), until: date(9999, 12, 30) };
            assert_eq!(light_of(&bands, age), Some(Light::Yellow), "{months}");
        }
        assert_eq!(Value::whole_months(Date::MIN, Date::MAX), 12 * 19_999 - 1);
    }

    /// What was stored before they were refused is still read.
    #[test]
    fn ages_beyond_1_200_months_are_refused_and_can_be_read() {
        let given = [band("yellow (1..1200]"), band("red (1201..999999999999999]")];
        let found = faults(&given, true);
        let fields: Vec<_> = found.iter().map(|(field, reason, _)| (field.as_str(), *reason)).collect();
        assert_eq!(fields, [("bands[1].low", "OUT_OF_RANGE"), ("bands[1].high", "OUT_OF_RANGE")]);
        assert!(read(&given, true, None, &mut Violations::new()).is_some());
        assert_eq!(faults(&given, false), [], "a percentage may be large");
    }

    proptest! {
        /// What overlaps has a value in common, and what does not has none: looked for on and between the bounds.
        #[test]
        fn two_bands_overlap_exactly_if_a_value_is_in_both(
            ends in prop::array::uniform4(prop::option::of(-3i64..4)),
            inclusive in prop::array::uniform4(any::<bool>()),
        ) {
            let bound = |i: usize| ends[i].map(|at| Bound {
                at: at.to_string().parse().unwrap(),
                inclusive: inclusive[i],
            });
            let a = Band { light: Light::Red, low: bound(0), high: bound(1) };
            let b = Band { light: Light::Green, low: bound(2), high: bound(3) };
            prop_assume!(!a.is_empty() && !b.is_empty());
            let common = (-10..=10).any(|half| {
                let value = share(half, 200);
                a.holds(value) && b.holds(value)
            });
            prop_assert_eq!(a.overlaps(&b), common, "{} and {}", a, b);
        }
    }
}

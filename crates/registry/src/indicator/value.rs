//! Values with how exact they are: what may be said of them, and what they add up to.
//!
//! Invariant: nothing is said of a value that its qualifier leaves open. What is about a value counts as it.

use milepost_proto::registry::v1::observation::Qualifier;
use milepost_types::Decimal;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct QualifiedValue {
    pub(super) number: Decimal,
    pub(super) qualifier: Qualifier,
}

impl QualifiedValue {
    /// Whether it is on a bound or beyond it: above, or below; none if that is open.
    pub(super) fn reaches(self, bound: Decimal, above: bool) -> Option<bool> {
        // It may be more than its number, or less.
        let (more, less) = (self.qualifier == Qualifier::AtLeast, self.qualifier == Qualifier::AtMost);
        let (reached, may_go_on, may_go_back) = match above {
            true => (self.number >= bound, more, less),
            false => (self.number <= bound, less, more),
        };
        let open = if reached { may_go_back } else { may_go_on };
        (!open).then_some(reached)
    }

    /// Whether it is more than another, whatever the two are exactly.
    pub(super) fn exceeds(self, other: Self) -> bool {
        let open = self.qualifier == Qualifier::AtMost || other.qualifier == Qualifier::AtLeast;
        !open && self.number > other.number
    }

    /// What the two add up to; none if that cannot be held.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let number = self.number.checked_add(other.number).ok()?;
        Some(Self { number, qualifier: mixed(self.qualifier, other.qualifier) })
    }
}

/// How exact a sum is.
fn mixed(one: Qualifier, other: Qualifier) -> Qualifier {
    match (one, other) {
        (one, other) if one == other => one,
        (Qualifier::Exact, Qualifier::AtLeast) | (Qualifier::AtLeast, Qualifier::Exact) => Qualifier::AtLeast,
        _ => Qualifier::About,
    }
}

#[cfg(test)]
mod tests {
    use Qualifier::{About, AtLeast, AtMost, Exact};

    use super::*;

    fn value(number: &str, qualifier: Qualifier) -> QualifiedValue {
        QualifiedValue { number: number.parse().unwrap(), qualifier }
    }

    /// office.md, section 2: equality crosses.
    #[test]
    fn a_bound_is_reached_by_what_is_equal_to_it() {
        let bound = "1775".parse().unwrap();
        for (number, qualifier, above, below) in [
            ("1775.000000", Exact, Some(true), Some(true)),
            ("1774.999999", Exact, Some(false), Some(true)),
            ("1775.000001", Exact, Some(true), Some(false)),
            ("1775", AtLeast, Some(true), None),
            ("1774", AtLeast, None, None),
            ("1776", AtLeast, Some(true), Some(false)),
            ("1775", AtMost, None, Some(true)),
            ("1776", AtMost, None, None),
            ("1774", AtMost, Some(false), Some(true)),
            ("1775", About, Some(true), Some(true)),
            ("-1775", Exact, Some(false), Some(true)),
        ] {
            let value = value(number, qualifier);
            assert_eq!(
                (value.reaches(bound, true), value.reaches(bound, false)),
                (above, below),
                "{value:?}"
            );
        }
    }

    /// office.md, section 2: 16, of which 5; and what is flagged is certain.
    #[test]
    fn a_part_exceeds_its_whole_only_if_that_is_certain() {
        for (part, whole, exceeds) in [
            (value("5", Exact), value("16", Exact), false),
            (value("16", Exact), value("16.0", Exact), false),
            (value("17", Exact), value("16", Exact), true),
            (value("17", AtLeast), value("16", AtMost), true),
            (value("17", AtMost), value("16", Exact), false),
            (value("17", Exact), value("16", AtLeast), false),
            (value("17", About), value("16", About), true),
        ] {
            assert_eq!(part.exceeds(whole), exceeds, "{part:?} {whole:?}");
        }
    }

    /// office.md, section 2: sums of AT_LEAST and EXACT are AT_LEAST, other mixes ABOUT.
    #[test]
    fn a_sum_is_as_exact_as_what_it_is_of() {
        for (one, other, sum) in [
            (Exact, Exact, Exact),
            (Exact, AtLeast, AtLeast),
            (AtLeast, Exact, AtLeast),
            (AtLeast, AtLeast, AtLeast),
            (AtMost, AtMost, AtMost),
            (About, About, About),
            (Exact, AtMost, About),
            (AtLeast, AtMost, About),
            (Exact, About, About),
            (About, AtLeast, About),
        ] {
            assert_eq!(mixed(one, other), sum, "{one:?} {other:?}");
        }
        let sum = value("11", Exact).plus(value("5.5", AtLeast)).unwrap();
        assert_eq!((sum.number.to_string(), sum.qualifier), ("16.5".to_owned(), AtLeast));
        let most = value("999999999999999", Exact);
        assert_eq!(most.plus(value("1", Exact)), None);
    }
}

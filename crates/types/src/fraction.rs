//! Fractions: rates as exact quotients, rounded once, where they are shown.
//!
//! Invariant: the denominator is positive, both numbers are in lowest terms and within ±10^33, and nothing is rounded
//! but by [`Fraction::rounded`].

use std::cmp::Ordering;

/// The greatest numerator and denominator: far beyond sums of money in billionths, and small enough to be rounded
/// without overflow.
const BOUND: u128 = 10_u128.pow(33);

/// An exact quotient of two whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl Fraction {
    /// The quotient; none if the denominator is zero, or if one of them is beyond ±10^33 in lowest terms.
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
        let (above, below) = (numerator.unsigned_abs() / divisor, denominator.unsigned_abs() / divisor);
        if above > BOUND || below > BOUND {
            return None;
        }
        let negative = (numerator < 0) != (denominator < 0);
        let above = above.cast_signed();
        Some(Self { numerator: if negative { -above } else { above }, denominator: below.cast_signed() })
    }

    /// What is divided, in lowest terms.
    pub const fn numerator(self) -> i128 {
        self.numerator
    }

    /// By what it is divided, in lowest terms; positive.
    pub const fn denominator(self) -> i128 {
        self.denominator
    }

    /// The exact difference; none if it cannot be held.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { numerator: -other.numerator, ..other })
    }

    /// The exact sum; none if it cannot be held.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        // By the least common multiple, so that what can be held is not given up on the way.
        let divisor = gcd(self.denominator.unsigned_abs(), other.denominator.unsigned_abs()).cast_signed();
        let (own, others) = (other.denominator / divisor, self.denominator / divisor);
        let left = self.numerator.checked_mul(own)?;
        let right = other.numerator.checked_mul(others)?;
        Self::new(left.checked_add(right)?, self.denominator.checked_mul(own)?)
    }

    /// The exact product; none if it cannot be held.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        // In lowest terms crosswise, so that what can be held is not given up on the way.
        let left = Self::new(self.numerator, other.denominator)?;
        let right = Self::new(other.numerator, self.denominator)?;
        let below = left.denominator.checked_mul(right.denominator)?;
        Self::new(left.numerator.checked_mul(right.numerator)?, below)
    }

    /// The same, or a whole number that it is above.
    #[must_use]
    pub fn at_most(self, whole: u16) -> Self {
        let is_above = self.numerator > i128::from(whole) * self.denominator;
        if is_above { Self { numerator: whole.into(), denominator: 1 } } else { self }
    }

    /// The value times `scale` (100 for percent; at most 10,000), rounded to so many places (at most 6), half away from
    /// zero.
    pub fn rounded(self, scale: u32, places: u32) -> String {
        let below = self.denominator.unsigned_abs();
        let above = self.numerator.unsigned_abs();
        let (whole, rest) = (above / below, above % below * u128::from(scale));
        let (mut whole, mut rest) = (whole * u128::from(scale) + rest / below, rest % below);
        let mut digits = 0;
        for _ in 0..places {
            rest *= 10;
            (digits, rest) = (digits * 10 + rest / below, rest % below);
        }
        if rest * 2 >= below {
            digits += 1;
        }
        let one = 10_u128.pow(places);
        (whole, digits) = (whole + digits / one, digits % one);
        let sign = if self.numerator < 0 && (whole, digits) != (0, 0) { "-" } else { "" };
        if places == 0 {
            return format!("{sign}{whole}");
        }
        format!("{sign}{whole}.{digits:0>width$}", width = places as usize)
    }
}

/// By value, exactly.
impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = self.numerator.checked_mul(other.denominator);
        let right = other.numerator.checked_mul(self.denominator);
        match (left, right) {
            (Some(left), Some(right)) => left.cmp(&right),
            // Whole parts first; what is left of both is from 0 to 1, and is compared upside down.
            _ => compare((self.numerator, self.denominator), (other.numerator, other.denominator)),
        }
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two quotients with positive denominators without multiplying them.
fn compare((a, b): (i128, i128), (c, d): (i128, i128)) -> Ordering {
    let whole = a.div_euclid(b).cmp(&c.div_euclid(d));
    match (whole, a.rem_euclid(b), c.rem_euclid(d)) {
        (Ordering::Equal, 0, 0) => Ordering::Equal,
        (Ordering::Equal, 0, _) => Ordering::Less,
        (Ordering::Equal, _, 0) => Ordering::Greater,
        (Ordering::Equal, left, right) => compare((d, right), (b, left)),
        (whole, ..) => whole,
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fraction(numerator: i128, denominator: i128) -> Fraction {
        Fraction::new(numerator, denominator).unwrap()
    }

    #[test]
    fn office_0_rates_are_rounded_once_and_half_away_from_zero() {
        for (numerator, denominator, percent) in [
            (6_290, 6_474, "97.2"),
            (206, 255, "80.8"),
            (50, 200, "25.0"),
            (1, 2_000, "0.1"),
            (-1, 2_000, "-0.1"),
            (1, 2_001, "0.0"),
            (-1, 2_001, "0.0"),
            (2, 3, "66.7"),
            (1_999, 2_000, "100.0"),
            (5, 1, "500.0"),
        ] {
            assert_eq!(
                fraction(numerator, denominator).rounded(100, 1),
                percent,
                "{numerator}/{denominator}"
            );
        }
        assert_eq!(fraction(91_533, 1_000).rounded(1, 2), "91.53");
        assert_eq!(fraction(5, 2).rounded(1, 0), "3");
    }

    #[test]
    fn office_1_a_difference_is_exact_and_not_of_rounded_parts() {
        let ahead = fraction(6_290, 6_474).checked_sub(fraction(10, 12)).unwrap();
        assert_eq!(ahead.rounded(100, 1), "13.8");
    }

    #[test]
    fn there_is_no_quotient_by_zero_nor_one_that_cannot_be_held() {
        assert_eq!(Fraction::new(1, 0), None);
        assert_eq!(Fraction::new(i128::MAX, 1), None);
        assert_eq!(Fraction::new(i128::MIN, i128::MIN).unwrap(), fraction(1, 1));
        assert_eq!(fraction(3, -6), fraction(-1, 2));
        let most = fraction(BOUND.cast_signed(), BOUND.cast_signed() - 1);
        assert_eq!(most.rounded(10_000, 6), "10000.000000");
        assert_eq!(most.checked_sub(fraction(1, BOUND.cast_signed())), None);
    }

    #[test]
    fn fractions_are_compared_exactly_however_large() {
        let most = BOUND.cast_signed();
        let (near, nearer) = (fraction(most - 2, most - 1), fraction(most - 1, most));
        assert!(near < nearer && nearer < fraction(1, 1) && fraction(-1, 1) < fraction(1 - most, most));
        assert_eq!(fraction(most, most - 1).cmp(&fraction(most, most - 1)), Ordering::Equal);
        assert!(fraction(1, most) < fraction(1, most - 1) && fraction(0, 1) < fraction(1, most));
    }

    #[test]
    fn sums_and_products_are_exact_and_bounded() {
        let half = fraction(1, 2);
        assert_eq!(half.checked_add(fraction(1, 3)), Some(fraction(5, 6)));
        assert_eq!(fraction(-1, 2).checked_add(half), Some(fraction(0, 1)));
        assert_eq!(fraction(2, 3).checked_mul(fraction(9, 4)), Some(fraction(3, 2)));
        let large = fraction(BOUND.cast_signed(), 7);
        assert_eq!(large.checked_mul(fraction(7, BOUND.cast_signed())), Some(fraction(1, 1)));
        assert_eq!(large.checked_mul(fraction(2, 1)), None);
        assert_eq!(large.checked_add(large.checked_sub(fraction(1, 1)).unwrap()), None);
        let small = fraction(1, BOUND.cast_signed());
        assert_eq!(small.checked_add(small), Some(fraction(2, BOUND.cast_signed())));
        assert_eq!(small.checked_sub(small), Some(fraction(0, 1)));
        assert_eq!((fraction(301, 3).at_most(100), half.at_most(100)), (fraction(100, 1), half));
    }

    proptest! {
        #[test]
        fn comparing_without_multiplying_is_comparing_by_cross_multiplication(
            a in any::<i64>(),
            b in 1..i64::MAX,
            c in any::<i64>(),
            d in 1..i64::MAX,
            small in -6_i128..6,
            smaller in 1_i128..6,
        ) {
            let (a, b, c, d) = (i128::from(a), i128::from(b), i128::from(c), i128::from(d));
            for ((a, b), (c, d)) in [((a, b), (c, d)), ((small, smaller), (c, d)), ((small, smaller), (a % 5, b % 5 + 1))] {
                prop_assert_eq!(super::compare((a, b), (c, d)), (a * d).cmp(&(c * b)));
            }
        }

        #[test]
        fn what_is_rounded_is_within_half_of_the_last_place(a in any::<i64>(), b in 1..i64::MAX) {
            let (a, b) = (i128::from(a), i128::from(b));
            let shown = fraction(a, b).rounded(100, 1).replace('.', "").parse::<i128>().unwrap();
            prop_assert!((shown * b - a * 1_000).abs() * 2 <= b);
        }
    }
}

//! Money: exact to the last billionth, never rounded, never mixed.

use proptest::prelude::*;

use super::*;

fn cny(units: i64, nanos: i32) -> Money {
    Money::new(CurrencyCode::CNY, units, nanos).unwrap()
}

#[test]
fn amounts_and_their_texts() {
    for (money, text) in [
        (cny(28_360_000_000, 0), "CNY 28360000000.00"),
        (cny(0, 0), "CNY 0.00"),
        (cny(1, 500_000_000), "CNY 1.50"),
        (cny(0, -10_000_000), "CNY -0.01"),
        (cny(-1, -1), "CNY -1.000000001"),
        (cny(i64::MAX, 999_999_999), "CNY 9223372036854775807.999999999"),
        (cny(i64::MIN, -999_999_999), "CNY -9223372036854775808.999999999"),
    ] {
        assert_eq!(money.to_string(), text);
        assert_eq!(text.parse(), Ok(money));
    }
    assert_eq!("CNY 007".parse(), Ok(cny(7, 0)));
    assert_eq!("CNY -0".parse(), Ok(cny(0, 0)));
    assert_eq!("CNY 0.5".parse(), Ok(cny(0, 500_000_000)));
}

#[test]
fn what_is_no_amount_is_refused() {
    for text in [
        "",
        "CNY",
        "CNY ",
        "CNY -",
        "CNY .",
        "CNY .5",
        "CNY 1.",
        "CNY +1",
        "CNY 1e9",
        "CNY 1,000",
        "CNY  1",
        "CNY 1.0000000001",
        "CNY --1",
        "CNY 1 ",
        "CNY １",
        "CNY 1.-5",
        "CNY 283.6亿",
    ] {
        assert!(matches!(text.parse::<Money>(), Err(MoneyError::Text(_))), "{text}");
    }
    for text in ["cny 1", "CN 1", "CNYY 1", "元 1", " 1"] {
        assert!(matches!(text.parse::<Money>(), Err(MoneyError::Currency(_))), "{text}");
    }
    for text in
        ["CNY 9223372036854775808", "CNY -9223372036854775809", &format!("CNY {}", "9".repeat(1_000_000))]
    {
        assert_eq!(text.parse::<Money>(), Err(MoneyError::Overflow));
    }
}

#[test]
fn signs_and_nanos_follow_the_standard() {
    let new = |units, nanos| Money::new(CurrencyCode::CNY, units, nanos);
    assert_eq!(new(1, -1), Err(MoneyError::Signs));
    assert_eq!(new(-1, 1), Err(MoneyError::Signs));
    assert!(new(0, -999_999_999).is_ok());
    for nanos in [1_000_000_000, -1_000_000_000, i32::MAX, i32::MIN] {
        assert_eq!(new(0, nanos), Err(MoneyError::Nanos(nanos)));
    }
}

#[test]
fn sums_overflow_with_an_error_and_never_mix() {
    assert_eq!(cny(1, 600_000_000).checked_add(&cny(2, 500_000_000)), Ok(cny(4, 100_000_000)));
    assert_eq!(cny(1, 0).checked_sub(&cny(1, 1)), Ok(cny(0, -1)));
    assert_eq!(cny(i64::MAX, 0).checked_add(&cny(1, 0)), Err(MoneyError::Overflow));
    assert_eq!(cny(i64::MIN, 0).checked_sub(&cny(1, 0)), Err(MoneyError::Overflow));
    let usd = Money::new("USD".parse().unwrap(), 1, 0).unwrap();
    assert_eq!(cny(1, 0).checked_add(&usd), Err(MoneyError::Mixed(CurrencyCode::CNY, usd.currency())));
    assert_eq!(cny(1, 0).partial_cmp(&usd), None);
    assert!(cny(-1, -5) < cny(-1, -4));
}

#[test]
fn totals_stand_by_currency_and_survive_an_overflow_on_the_way() {
    let usd = Money::new("USD".parse().unwrap(), 5, 0).unwrap();
    let mut sums = MoneySums::new();
    assert_eq!(sums.totals(), Ok(vec![]));
    sums.add(&usd);
    sums.add(&cny(i64::MAX, 0));
    sums.add(&cny(1, 0));
    assert_eq!(sums.totals(), Err(MoneyError::Overflow));
    sums.subtract(&cny(2, 0));
    assert_eq!(sums.totals(), Ok(vec![cny(i64::MAX - 1, 0), usd]));
}

fn amounts() -> impl Strategy<Value = Money> {
    (any::<i64>(), 0..1_000_000_000_i32)
        .prop_map(|(units, nanos)| cny(units, if units < 0 { -nanos } else { nanos }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_amount_is_read_back(money in amounts()) {
        prop_assert_eq!(money.to_string().parse(), Ok(money));
        prop_assert_eq!(Money::new(money.currency(), money.units(), money.nanos()), Ok(money));
    }

    #[test]
    fn adding_and_taking_away_are_exact(a in amounts(), b in amounts()) {
        if let Ok(sum) = a.checked_add(&b) {
            prop_assert_eq!(sum.checked_sub(&b), Ok(a));
            prop_assert_eq!(Money::new(sum.currency(), sum.units(), sum.nanos()), Ok(sum));
        } else {
            prop_assert_eq!(a.is_negative(), b.is_negative());
        }
    }

    #[test]
    fn nonsense_never_panics(text in "(CNY|USD|-|\\.|[0-9]{0,12}|.){0,6}") {
        if let Ok(money) = text.parse::<Money>() {
            prop_assert_eq!(money.to_string().parse(), Ok(money));
        }
    }
}

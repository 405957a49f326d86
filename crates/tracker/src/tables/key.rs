//! The keys of milestones and of what they are under, and the keys of indexes by date.
//!
//! Invariant: the keys under a parent are those with its prefix.

use jiff::civil::Date;
use milepost_ledger::key::{Key, ordered_date};
use milepost_types::{MilestoneName, PortfolioName, ProjectName, ResourceName};

use super::Table;

/// Bytes of a date in a key.
pub(crate) const DAY_BYTES: usize = 4;

/// The key of a portfolio's row.
pub(crate) fn of_portfolio(table: Table, name: &PortfolioName) -> Vec<u8> {
    Key::of(table).id(name.id())
}

/// The key of a project's row.
pub(crate) fn of_project(table: Table, name: &ProjectName) -> Vec<u8> {
    Key::of(table).under(name.portfolio().id()).id(name.id())
}

/// The key of a milestone's row.
pub(crate) fn of_milestone(table: Table, name: &MilestoneName) -> Vec<u8> {
    let project = name.project();
    Key::of(table).under(project.portfolio().id()).under(project.id()).id(ResourceName::id(name))
}

/// The key of a milestone's row in an index by date, from the key of its own row.
pub(crate) fn of_index(table: Table, milestone_key: &[u8], date: Option<Date>) -> Vec<u8> {
    let (portfolio, rest) = split_portfolio(milestone_key);
    Key::of(table).bytes(portfolio).bytes(&day(date)).bytes(rest).done()
}

/// The key of a milestone's own row, from the key of its row in an index by date.
pub(crate) fn of_indexed(index_key: &[u8]) -> Vec<u8> {
    let (portfolio, rest) = split_portfolio(index_key);
    Key::of(Table::Milestone).bytes(portfolio).bytes(rest.get(DAY_BYTES..).unwrap_or_default()).done()
}

/// The portfolio's part of a key, with its end, and what follows it.
pub(crate) fn split_portfolio(key: &[u8]) -> (&[u8], &[u8]) {
    let key = key.get(1..).unwrap_or_default();
    let end = key.iter().position(|byte| *byte == 0).map_or(key.len(), |at| at + 1);
    key.split_at(end)
}

/// A date as it stands in keys. None comes after all dates.
pub(crate) fn day(date: Option<Date>) -> [u8; DAY_BYTES] {
    date.map_or([0xff; DAY_BYTES], ordered_date)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> MilestoneName {
        format!("portfolios/{}", text.replacen('/', "/projects/", 1).replacen(' ', "/milestones/", 1))
            .parse()
            .unwrap()
    }

    #[test]
    fn keys_order_as_names_do() {
        let mut names: Vec<_> =
            ["p/a b", "p/a-b a", "p/a ba", "p/a b-a", "p-q/a a", "pa/a a", "p/ab a"].map(name).into();
        names.sort();
        let keys: Vec<_> = names.iter().map(|name| of_milestone(Table::Milestone, name)).collect();
        assert!(keys.is_sorted(), "{names:?}");
    }

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_keys_never_change() {
        let name = name("wsc/road start");
        assert_eq!(of_portfolio(Table::Portfolio, name.portfolio()), b"\x04wsc");
        assert_eq!(of_project(Table::Project, name.project()), b"\x05wsc\0road");
        let own = of_milestone(Table::Milestone, &name);
        assert_eq!(own, b"\x01wsc\0road\0start");
        let due = of_index(Table::Due, &own, Some(date(2021, 5, 27)));
        assert_eq!(due, b"\x02wsc\0\x07\xe5\x05\x1broad\0start");
        assert_eq!(of_index(Table::Baseline, &own, None), b"\x03wsc\0\xff\xff\xff\xffroad\0start");
        assert_eq!(of_indexed(&due), own);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn days_order_as_dates_do_and_none_is_last(a in 1i16..=9999, b in 1i16..=9999, m in 1i8..=12, n in 1i8..=12) {
            let (a, b) = (date(a, m, 28), date(b, n, 1));
            prop_assert_eq!(a.cmp(&b), day(Some(a)).cmp(&day(Some(b))));
            prop_assert!(day(Some(a)) < day(None));
        }

        #[test]
        fn an_index_key_leads_back_to_the_row(p in "[a-z]{1,5}", q in "[a-z-]{0,3}z", m in "[a-z]{1,5}", y in 1i16..=9999) {
            let name = name(&format!("{p}/a{q} {m}"));
            let own = of_milestone(Table::Milestone, &name);
            for date in [Some(date(y, 1, 1)), None] {
                prop_assert_eq!(of_indexed(&of_index(Table::Due, &own, date)), own.clone());
            }
        }
    }
}

//! How keys are put together.
//!
//! Invariant: a part that is not the last ends with the byte `0`, which no id has, so that keys order as
//! their parts do, and the keys under a parent are those with its prefix.

use jiff::civil::Date;
use milepost_types::{MilestoneName, PortfolioName, ProjectName, ResourceId, ResourceName};

use super::Table;

/// Bytes of a date in a key.
pub(crate) const DAY_BYTES: usize = 4;

/// A key of this table, or the beginning of one.
#[derive(Debug, Clone)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// Nothing but the tag.
    pub(crate) fn new(table: Table) -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.push(table as u8);
        Self(bytes)
    }

    /// An id that others follow.
    pub(crate) fn under(mut self, id: &ResourceId) -> Self {
        self.0.extend_from_slice(id.as_str().as_bytes());
        self.0.push(0);
        self
    }

    /// The last id.
    pub(crate) fn id(mut self, id: &ResourceId) -> Self {
        self.0.extend_from_slice(id.as_str().as_bytes());
        self
    }

    /// A date.
    pub(crate) fn day(mut self, date: Option<Date>) -> Self {
        self.0.extend_from_slice(&day(date));
        self
    }

    /// Bytes as they are.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The key of a portfolio's row.
pub(crate) fn of_portfolio(table: Table, name: &PortfolioName) -> Vec<u8> {
    Key::new(table).id(name.id()).bytes()
}

/// The key of a project's row.
pub(crate) fn of_project(table: Table, name: &ProjectName) -> Vec<u8> {
    Key::new(table).under(name.portfolio().id()).id(name.id()).bytes()
}

/// The key of a milestone's row.
pub(crate) fn of_milestone(table: Table, name: &MilestoneName) -> Vec<u8> {
    let project = name.project();
    Key::new(table).under(project.portfolio().id()).under(project.id()).id(ResourceName::id(name)).bytes()
}

/// The key of a milestone's row in an index by date, from the key of its own row.
pub(crate) fn of_index(table: Table, milestone_key: &[u8], date: Option<Date>) -> Vec<u8> {
    let (portfolio, rest) = split_portfolio(milestone_key);
    Key::new(table).raw(portfolio).day(date).raw(rest).bytes()
}

/// The key of a milestone's own row, from the key of its row in an index by date.
pub(crate) fn of_indexed(index_key: &[u8]) -> Vec<u8> {
    let (portfolio, rest) = split_portfolio(index_key);
    Key::new(Table::Milestone).raw(portfolio).raw(rest.get(DAY_BYTES..).unwrap_or_default()).bytes()
}

/// The portfolio's part of a key, with its end, and what follows it.
pub(crate) fn split_portfolio(key: &[u8]) -> (&[u8], &[u8]) {
    let key = key.get(1..).unwrap_or_default();
    let end = key.iter().position(|byte| *byte == 0).map_or(key.len(), |at| at + 1);
    key.split_at(end)
}

/// A date as it stands in keys: year, month, day, big end first. None comes after all dates.
pub(crate) fn day(date: Option<Date>) -> [u8; DAY_BYTES] {
    let Some(date) = date else { return [0xff; DAY_BYTES] };
    let [high, low] = date.year().to_be_bytes();
    [high, low, date.month().to_be_bytes()[0], date.day().to_be_bytes()[0]]
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

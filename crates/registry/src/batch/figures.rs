//! Registered figures: what the members of a batch add up to.
//!
//! Invariant: sums are exact and per currency; a member without a known investment is counted as such
//! and never taken for zero. Members that are missing or deleted are not in the figures. What is added to
//! figures leaves what is in them as it was.

use milepost_types::{BatchName, Money, MoneySums, Rejection};

/// What the members of a batch add up to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Figures {
    /// How many there are.
    pub(crate) count: u32,
    /// What those with a known investment add up to, by currency.
    pub(crate) investments: Vec<Money>,
    /// How many have no known investment.
    pub(crate) without_investment: u32,
}

impl Figures {
    /// The figures of these members, each with its investment if that is known.
    pub(crate) fn of(
        batch: &BatchName,
        members: impl Iterator<Item = Option<Money>>,
    ) -> Result<Self, Rejection> {
        Self::default().with(batch, members)
    }

    /// These figures and those of more members.
    pub(crate) fn with(
        &self,
        batch: &BatchName,
        members: impl Iterator<Item = Option<Money>>,
    ) -> Result<Self, Rejection> {
        let mut figures = self.clone();
        let mut sums = MoneySums::new();
        figures.investments.iter().for_each(|sum| sums.add(sum));
        for investment in members {
            figures.count += 1;
            match investment {
                Some(investment) => sums.add(&investment),
                None => figures.without_investment += 1,
            }
        }
        figures.investments = sums.totals().map_err(|error| {
            Rejection::precondition(
                "MONEY_OVERFLOW",
                batch.to_string(),
                format!("the investments of its members together: {error}; correct or remove the largest"),
            )
        })?;
        Ok(figures)
    }

    /// The fields of a batch that tell what differs, sorted.
    pub(crate) fn differing(&self, other: &Self) -> Vec<&'static str> {
        let fields = [
            ("registered_count", self.count != other.count),
            ("registered_investments", self.investments != other.investments),
            ("registered_without_investment_count", self.without_investment != other.without_investment),
        ];
        fields.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
    }
}

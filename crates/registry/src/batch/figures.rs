//! Registered figures: what the members of a batch add up to.
//!
//! Invariant: sums are exact and per currency; a member without a known investment is counted as such
//! and never taken for zero. Members that are missing or deleted, or whose rows cannot be decoded, are not in the figures,
//! and neither is a sum that cannot be held. What is added to figures leaves what is in them as it was.

use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::{Batch, Project};
use milepost_resource::{Name, Presence, money, money_message};
use milepost_types::{Money, MoneyError, MoneySums, Rejection};

use crate::members::check_held;
use crate::tables::Rows;

/// What the members of a batch add up to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Figures {
    /// How many there are.
    count: i32,
    /// What those with a known investment add up to, by currency.
    investments: Vec<Money>,
    /// How many have no known investment.
    without_investment: i32,
}

impl Figures {
    /// The figures of these members, as their rows have them, and the first sum that cannot be held.
    pub(crate) fn registered(
        rows: &Rows<'_>,
        batch: &Name<Batch>,
        members: &[Name<Project>],
    ) -> (Self, Option<MoneyError>) {
        let mut investments = Vec::with_capacity(members.len());
        for member in members {
            match rows.field::<_, gtype::Money>(member, "investment") {
                Ok((Presence::Present, investment)) => investments.push(money(investment.as_ref())),
                Ok(_) => {}
                Err(damage) => {
                    tracing::error!(%batch, %damage, "a member is left out of what a batch adds up to");
                }
            }
        }
        Self::default().added(investments.into_iter())
    }

    /// The figures that a batch has registered.
    pub(crate) fn stored(batch: &Batch) -> Self {
        Self {
            count: batch.registered_count,
            investments: batch.registered_investments.iter().filter_map(|sum| money(Some(sum))).collect(),
            without_investment: batch.registered_without_investment_count,
        }
    }

    /// These figures and those of more members, each with its investment if that is known.
    ///
    /// # Errors
    /// If a sum cannot be held.
    pub(crate) fn with(
        &self,
        batch: &Name<Batch>,
        members: impl Iterator<Item = Option<Money>>,
    ) -> Result<Self, Rejection> {
        let (figures, overflow) = self.added(members);
        check_held(batch, true, overflow)?;
        Ok(figures)
    }

    fn added(&self, members: impl Iterator<Item = Option<Money>>) -> (Self, Option<MoneyError>) {
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
        figures.investments = sums.totals_held();
        (figures, sums.totals().err())
    }

    /// Makes these the registered figures of a batch.
    pub(crate) fn set(&self, batch: &mut Batch) {
        batch.registered_count = self.count;
        batch.registered_investments = self.investments.iter().map(money_message).collect();
        batch.registered_without_investment_count = self.without_investment;
    }
}

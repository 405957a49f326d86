//! Evaluating a policy for a period: every project that it finds, one after another.
//!
//! Invariants: an evaluation depends on rows alone, and on the day as of which they are known; peers are those of the
//! same period and day, but for what cannot be read. Nothing is written here: the daily sweep and replays both evaluate by this.

use std::sync::Arc;

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::Read;
use milepost_proto::registry::v1::Project;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::tracker::v1::WarningResult;
use milepost_proto::tracker::v1::warning_test::Comparison;
use milepost_resource::{FilterRow, Rows};
use milepost_types::filter::CurrentDate;
use milepost_types::{CurrencyCode, DamagedRow};

use super::known::{AsOf, Known, Observed};
use super::light::Light;
use super::measure::{Found, Measured, Peers, Why, compare, find};
use super::outcome::result;
use super::period::Period;
use super::rule::{Rule, Test};
use crate::decide::Tracker;
use crate::mirror::Portfolio;
use crate::names::{PortfolioName, ProjectName};
use crate::tables;
use crate::tables::project::Mirrored;

/// A project of the portfolio, as the registry says it now.
pub(crate) struct Candidate {
    pub(crate) name: ProjectName,
    pub(crate) project: Project,
    /// The same, encoded.
    row: Bytes,
    /// The day on which it was cancelled, if it is known.
    cancelled: Option<Date>,
}

impl Candidate {
    /// Whether it was cancelled by a day; if it is not known when, it was.
    fn is_cancelled_by(&self, day: Date) -> bool {
        self.project.status() == Status::Cancelled && self.cancelled.is_none_or(|cancelled| cancelled <= day)
    }
}

/// The project of this name, also if it is cancelled; none if it is deleted.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn candidate(
    rows: &Rows<'_, Tracker>,
    name: &ProjectName,
) -> Result<Option<Candidate>, DamagedRow> {
    candidate_in(name.clone(), tables::project::get(rows.read, name)?)
}

fn candidate_in(name: ProjectName, mirrored: Option<Mirrored>) -> Result<Option<Candidate>, DamagedRow> {
    let Some(Mirrored { project: row, cancelled }) = mirrored else { return Ok(None) };
    let project = tables::project::decoded(&name, &row)?;
    Ok(Some(Candidate { name, project, row, cancelled }))
}

/// A policy, ready to evaluate in its portfolio.
pub(crate) struct Evaluator<'a> {
    pub(crate) rows: Rows<'a, Tracker>,
    pub(crate) rule: Rule,
    portfolio: PortfolioName,
    known: Arc<Portfolio>,
    currency: Option<CurrencyCode>,
}

/// A period, and as of when it is evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion {
    pub(crate) period: Period,
    pub(crate) as_of: AsOf,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        read: &'a dyn Read,
        rule: Rule,
        portfolio: PortfolioName,
        known: Arc<Portfolio>,
    ) -> Self {
        let currency = CurrencyCode::stored(&known.reporting_currency);
        Self { rows: Rows::new(read), rule, portfolio, known, currency }
    }

    /// The projects of the portfolio that are not deleted, from the one after this on, whether the policy is about them or
    /// not.
    ///
    /// # Errors
    /// If a row cannot be decoded; so with all that reads.
    pub(crate) fn candidates(
        &self,
        after: Option<&ProjectName>,
    ) -> impl Iterator<Item = Result<Candidate, DamagedRow>> + use<'a> {
        let mirrored = tables::project::under(self.rows.read, &self.portfolio, after);
        let candidate = |(name, mirrored)| candidate_in(name, mirrored);
        mirrored.filter_map(move |mirrored| mirrored.and_then(candidate).transpose())
    }

    /// The project of this name, if the policy is about it.
    pub(crate) fn candidate_of(
        &self,
        name: &ProjectName,
        Occasion { period, as_of }: Occasion,
    ) -> Result<Option<Candidate>, DamagedRow> {
        let today = self.current_date(as_of.day);
        Ok(candidate(&self.rows, name)?.filter(|candidate| self.fits(candidate, period, &today)))
    }

    /// What `today()` means in the filter on a day.
    pub(crate) fn current_date(&self, day: Date) -> CurrentDate {
        CurrentDate::new(day, &self.known.zone)
    }

    /// Whether the policy is about a project in a period.
    pub(crate) fn fits(&self, candidate: &Candidate, period: Period, today: &CurrentDate) -> bool {
        let current_date = || Some(today.clone());
        let is_cancelled = candidate.is_cancelled_by(period.end);
        !is_cancelled && self.rule.filter.matches(&FilterRow::of(&candidate.project, &current_date))
    }

    /// What all projects together have that the policy is about, for each test that compares with them.
    pub(crate) fn peers(&self, occasion: Occasion) -> Vec<Peers> {
        let today = self.current_date(occasion.as_of.day);
        let fits = |candidate: &Result<Candidate, DamagedRow>| {
            candidate.as_ref().map_or(true, |candidate| self.fits(candidate, occasion.period, &today))
        };
        self.peers_among(self.candidates(None).filter(fits), occasion)
    }

    /// What these projects together have, whether the policy is about them or not, but for those that cannot be read. They
    /// are asked for if a test compares with them.
    pub(crate) fn peers_among(
        &self,
        candidates: impl Iterator<Item = Result<Candidate, DamagedRow>>,
        occasion: Occasion,
    ) -> Vec<Peers> {
        let mut peers = vec![Peers::default(); self.rule.tests.len()];
        if !self.rule.compares_with_peers() {
            return peers;
        }
        for candidate in candidates {
            match candidate.and_then(|candidate| self.rates(&candidate, occasion)) {
                Ok(rates) => {
                    let rates = peers.iter_mut().zip(rates);
                    rates.for_each(|(peers, rate)| {
                        rate.into_iter().for_each(|(own, whole)| peers.add(own, whole))
                    });
                }
                Err(row) => {
                    let portfolio = &self.portfolio;
                    tracing::error!(%portfolio, %row, "a project that cannot be decoded is compared with none");
                }
            }
        }
        peers
    }

    /// What a project has, and of what whole, for each test that compares with peers.
    fn rates(
        &self,
        candidate: &Candidate,
        occasion: Occasion,
    ) -> Result<Vec<Option<(i128, i128)>>, DamagedRow> {
        let known = self.known(candidate, occasion)?;
        let rate = |test: &Test| {
            let Some(known) = known.as_ref().filter(|_| test.comparison == Comparison::PeerGap) else {
                return Ok(None);
            };
            Ok(match known.observe(test.metric, &candidate.row)?.measured {
                Ok(Measured::Rate { actual, whole, .. }) => Some((actual, whole)),
                // As in reports: what was not reported is nothing of the plan.
                Ok(Measured::Unreported { whole }) => Some((0, whole)),
                _ => None,
            })
        };
        self.rule.tests.iter().map(rate).collect()
    }

    fn known<'b>(
        &'b self,
        candidate: &'b Candidate,
        occasion: Occasion,
    ) -> Result<Option<Known<'b>>, DamagedRow> {
        let Some(currency) = self.currency else { return Ok(None) };
        let Candidate { name, project, row, .. } = candidate;
        let when = (occasion.period, occasion.as_of);
        Known::of(&self.rows, (name, project, row), when, (currency, self.rule.time_basis)).map(Some)
    }

    /// What each test finds of a project, where they found this in the period before.
    pub(crate) fn evaluate(
        &self,
        candidate: &Candidate,
        occasion: Occasion,
        peers: &[Peers],
        before: &[WarningResult],
    ) -> Result<Vec<WarningResult>, DamagedRow> {
        let known = self.known(candidate, occasion)?;
        let mut tests = Vec::with_capacity(self.rule.tests.len());
        for (i, test) in self.rule.tests.iter().enumerate() {
            let observed = match &known {
                Some(known) => known.observe(test.metric, &candidate.row)?,
                None => Observed { measured: Err(Why::NoCurrency), lower_bound: false, missing: Vec::new() },
            };
            let value =
                observed.measured.and_then(|measured| compare(test.comparison, &measured, peers.get(i)));
            let held = before.get(i).and_then(|before| Light::of(before.light));
            let found: Found = find(&test.bands, value, self.rule.missing, held);
            let with = peers.get(i).filter(|_| test.comparison == Comparison::PeerGap);
            tests.push(result(test, &found, with, (observed.lower_bound, &observed.missing)));
        }
        Ok(tests)
    }
}

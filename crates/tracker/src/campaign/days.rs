//! What a day brings to campaigns: the standings of the days that passed are found and kept, and what has ended is closed.
//!
//! Invariants: what was done of a day needs nothing more of it: a day whose standings are there is passed over, and what
//! is closed is open no more. Days are found one after another, each by itself, and a campaign is closed after its last
//! one, also by hand. As long as not all is known that this version keeps of projects, nothing is found or closed: what a
//! day is found by stays. A member that cannot be read keeps the standings of its campaign from being found, which is
//! logged, and nothing else; they are found on the next day on which it can.

use jiff::civil::Date;
use milepost_proto::event::v1::CampaignLeadChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::{Campaign, CampaignStandings};
use milepost_resource::{Change, Checked, date, encoded_len};
use milepost_types::DamagedRow;

use super::{OPEN, actions, days_of, standings};
use crate::decide::Scope;
use crate::decide::works::Changes;
use crate::names::{CampaignName, PortfolioName};
use crate::tables;

/// What the beginning of a day makes of the campaigns of a portfolio.
pub(crate) fn changes<'a>(
    scope: &'a Scope<'a>,
    portfolio: &'a PortfolioName,
    day: Date,
) -> Result<Changes<'a>, DamagedRow> {
    if !tables::mirror_version::is_complete(scope.rows.read) {
        return Ok(Box::new(std::iter::empty()));
    }
    let names: Vec<CampaignName> = scope.rows.names::<Campaign>(OPEN, portfolio.ids(), &[]).collect();
    Ok(Box::new(names.into_iter().flat_map(move |name| of_campaign(scope, &name, day))))
}

/// What it makes of one of them.
fn of_campaign<'a>(scope: &'a Scope<'a>, name: &CampaignName, day: Date) -> Changes<'a> {
    let passing = scope
        .rows
        .get(name)
        .and_then(|campaign| campaign.map(|campaign| Passing::of(scope, campaign, day)).transpose());
    match passing {
        Ok(passing) => {
            Box::new(passing.into_iter().flatten().map(|passed| passed.map(|passed| vec![passed.change])))
        }
        Err(damage) => Box::new(std::iter::once(Err(damage))),
    }
}

/// The days of an open campaign that have passed and were not found, one after another, and then its end. After a day that
/// cannot be found there is nothing more.
pub(super) struct Passing<'a> {
    scope: &'a Scope<'a>,
    campaign: Checked<Campaign>,
    /// The next day to be found; none: there is none left.
    pub(super) next: Option<Date>,
    /// The last one.
    last: Date,
    /// Who had the first rank in the standings before it; none: there are none.
    lead: Option<Vec<String>>,
    /// When the campaign is closed after that; none: it is not.
    closes: Option<Date>,
}

/// One of them.
pub(super) struct Passed {
    pub(super) change: Change,
    /// How many bytes its standings take; 0: it is the end.
    pub(super) bytes: usize,
}

impl<'a> Passing<'a> {
    /// On a day that begins, or on which it is closed.
    pub(super) fn of(
        scope: &'a Scope<'a>,
        campaign: Checked<Campaign>,
        day: Date,
    ) -> Result<Self, DamagedRow> {
        let name = campaign.name();
        let (start, end) = days_of(name, &campaign)?;
        let last = day.yesterday().unwrap_or(Date::MIN).min(end);
        let next = match tables::standings::last_day(scope.rows.read, name, day) {
            Some(found) => found.tomorrow().unwrap_or(Date::MAX),
            // What passed before it was opened is found for nobody, but for the last day.
            None => date(campaign.opening_date.as_ref()).unwrap_or(last).max(start).min(end),
        };
        let (next, closes) = (Some(next).filter(|next| *next <= last), Some(day).filter(|day| *day > end));
        let lead = next.and_then(|next| lead_before(scope, name, next));
        Ok(Self { scope, campaign, next, last, lead, closes })
    }
}

impl Iterator for Passing<'_> {
    type Item = Result<Passed, DamagedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(day) = self.next.take() else {
            let day = self.closes.take()?;
            return Some(Ok(Passed { change: actions::closed(self.scope, &self.campaign, day), bytes: 0 }));
        };
        match find(self.scope, &self.campaign, day, self.lead.take()) {
            Ok((lead, passed)) => {
                self.lead = Some(lead);
                self.next = day.tomorrow().ok().filter(|next| *next <= self.last);
                Some(Ok(passed))
            }
            Err(damage) => {
                self.closes = None;
                Some(Err(damage))
            }
        }
    }
}

/// The standings of a day that has passed, and that others lead than before; with those who do.
fn find(
    scope: &Scope<'_>,
    campaign: &Checked<Campaign>,
    day: Date,
    before: Option<Vec<String>>,
) -> Result<(Vec<String>, Passed), DamagedRow> {
    let name = campaign.name();
    let found = standings::compute(&scope.rows, name, campaign, day, Knowledge::Then)?;
    let found = CampaignStandings { stored: true, ..found };
    let (lead, bytes) = (lead(&found), encoded_len(&found));
    let announcement = before.filter(|before| *before != lead).map(|previous| {
        let payload = Payload::CampaignLeadChanged(CampaignLeadChanged { previous, lead: lead.clone() });
        standings::of_campaign("milepost.campaign.lead_changed", payload, name).on(Some(day))
    });
    let change = standings::computed(name, found, day).announcing(announcement);
    Ok((lead, Passed { change, bytes }))
}

/// Who had the first rank in the last standings before a day; none if there are none, or they cannot be decoded, which is
/// logged: they are those of their day alone.
fn lead_before(scope: &Scope<'_>, name: &CampaignName, day: Date) -> Option<Vec<String>> {
    let before = tables::standings::before(scope.rows.read, name, day).unwrap_or_else(|damage| {
        tracing::error!(%damage, %day, "whether others lead than before is not known");
        None
    });
    before.as_ref().map(lead)
}

/// Who has the first rank.
fn lead(standings: &CampaignStandings) -> Vec<String> {
    let first = standings.standings.iter().filter(|standing| standing.rank == Some(1));
    first.map(|standing| standing.project.clone()).collect()
}

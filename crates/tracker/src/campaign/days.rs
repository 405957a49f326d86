//! What a day brings to campaigns: the standings of the day before are found and kept, and what has ended is closed.
//!
//! Invariant: what was done of a day needs nothing more of it: a day whose standings are there is passed over, and what
//! is closed is open no more. A member that cannot be read keeps the standings of its campaign from being found, which is
//! logged, and nothing else.

use jiff::civil::Date;
use milepost_proto::event::v1::CampaignLeadChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::{Campaign, CampaignStandings};
use milepost_resource::{Change, Checked};
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
    let names: Vec<CampaignName> = scope.rows.names::<Campaign>(OPEN, portfolio.ids(), &[]).collect();
    Ok(Box::new(names.into_iter().map(move |name| {
        let Some(campaign) = scope.rows.get(&name)? else { return Ok(Vec::new()) };
        Ok(of_campaign(scope, &campaign, day))
    })))
}

fn of_campaign(scope: &Scope<'_>, campaign: &Checked<Campaign>, day: Date) -> Vec<Change> {
    let (start, end) = days_of(campaign);
    let mut changes = Vec::new();
    let passed = day.yesterday().unwrap_or(Date::MIN).min(end);
    if passed >= start && !tables::standings::has_day(scope.rows.read, campaign.name(), passed) {
        match found(scope, campaign, passed) {
            Ok(change) => changes.push(change),
            Err(damage) => {
                tracing::error!(%damage, day = %passed, "the standings of a campaign are not found")
            }
        }
    }
    if day > end {
        changes.push(actions::closed(scope, campaign, day));
    }
    changes
}

/// The standings of a day that has passed, and that others lead than before.
fn found(scope: &Scope<'_>, campaign: &Checked<Campaign>, day: Date) -> Result<Change, DamagedRow> {
    let name = campaign.name();
    let before = tables::standings::before(scope.rows.read, name, day).unwrap_or_else(|damage| {
        tracing::error!(%damage, %day, "whether others lead than before is not known");
        None
    });
    let found = standings::compute(&scope.rows, name, campaign, day, Knowledge::Then)?;
    let found = CampaignStandings { stored: true, ..found };
    let announcement =
        before.map(|before| (lead(&before), lead(&found))).filter(|(before, now)| before != now);
    let announcement = announcement.map(|(previous, lead)| {
        let payload = Payload::CampaignLeadChanged(CampaignLeadChanged { previous, lead });
        standings::of_campaign("milepost.campaign.lead_changed", payload, name).on(Some(day))
    });
    Ok(standings::computed(name, found, day).announcing(announcement))
}

/// Who has the first rank.
fn lead(standings: &CampaignStandings) -> Vec<String> {
    let first = standings.standings.iter().filter(|standing| standing.rank == Some(1));
    first.map(|standing| standing.project.clone()).collect()
}

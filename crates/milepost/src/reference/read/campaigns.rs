//! Reads campaigns that were opened, and how their members stand.

use std::collections::HashSet;

use jiff::civil::Date;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::campaign::State;
use milepost_proto::tracker::v1::{
    Campaign as CampaignMessage, CampaignCriterion, CampaignStandings, GetCampaignStandingsRequest,
    GetCampaignStandingsResponse, GetCurrentDateRequest, GetCurrentDateResponse, ListCampaignsRequest,
    ListCampaignsResponse,
};
use milepost_service::value::date_message;

use super::{PAGE, Reader, there};
use crate::cli::rpc;
use crate::error::Error;
use crate::output::standings;
use crate::output::value::civil_date;
use crate::reference::phrases::MEMBERS;
use crate::reference::view::{Campaign, Criterion};

/// Campaigns that have standings.
const OPENED: &str = "state = STATE_OPEN OR state = STATE_CLOSED OR state = STATE_FINAL";

impl Reader<'_> {
    /// Those that had begun by the day of the page, the last one first.
    ///
    /// They stand as of the tracker's date, which follows the registry's: a while after midnight, or for good while it
    /// waits for somebody to confirm a date that is far ahead, it is an earlier day.
    pub(super) async fn campaigns(&self) -> Result<Vec<Campaign>, Error> {
        let request =
            GetCurrentDateRequest { portfolio: self.name.clone(), ..GetCurrentDateRequest::default() };
        let answer: GetCurrentDateResponse = rpc::call(self.session, &request).await?;
        let day = civil_date(answer.current_date).map_or(self.date, |today| today.min(self.date));
        let mut found = Vec::new();
        let request = |page_token| ListCampaignsRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            filter: OPENED.to_owned(),
            ..ListCampaignsRequest::default()
        };
        let split = |page: ListCampaignsResponse| (page.campaigns, page.next_page_token);
        let each = |campaign: CampaignMessage| {
            if civil_date(campaign.start_date).is_some_and(|start| start <= day) {
                found.push(campaign);
            }
        };
        there(self.list("campaigns", request, split, each).await)?;
        found.sort_by_key(|campaign| std::cmp::Reverse(civil_date(campaign.start_date)));
        let mut campaigns = Vec::new();
        for campaign in found {
            let request = standings_of(&campaign, day);
            let answer: GetCampaignStandingsResponse = rpc::call(self.session, &request).await?;
            campaigns.push(self.campaign(&campaign, &answer.standings.unwrap_or_default()));
        }
        Ok(campaigns)
    }

    fn campaign(&self, campaign: &CampaignMessage, found: &CampaignStandings) -> Campaign {
        let signed = campaign.sign_offs.iter().find(|signed| signed.number == found.sign_off);
        let pioneers: HashSet<&String> = signed.into_iter().flat_map(|signed| &signed.pioneers).collect();
        let mut members = standings::of(found);
        let rest = members.split_off(members.len().min(MEMBERS));
        for member in &mut members {
            member.is_pioneer = pioneers.contains(&member.title);
            member.title = self.title_of(&member.title);
        }
        let criteria = found.version.as_ref().map_or(&campaign.criteria, |version| &version.criteria);
        let criterion = |criterion: &CampaignCriterion| Criterion {
            id: criterion.id.clone(),
            kind: criterion.kind(),
            weight_bp: criterion.weight_bp,
        };
        Campaign {
            title: self.title(&campaign.display_name, &campaign.translations),
            description: campaign.description.clone(),
            state: campaign.state(),
            start: civil_date(campaign.start_date),
            end: civil_date(campaign.end_date),
            date: civil_date(found.date),
            sign_off: found.sign_off,
            criteria: criteria.iter().map(criterion).collect(),
            standings: members,
            more: rest.len(),
            more_unranked: rest.iter().filter(|member| member.rank.is_none()).count(),
        }
    }
}

/// Which standings are wanted: those that were signed off by a day, else those on that day.
fn standings_of(campaign: &CampaignMessage, day: Date) -> GetCampaignStandingsRequest {
    let signed = campaign.sign_offs.iter().rev();
    let signed = signed.filter(|signed| civil_date(signed.date).is_some_and(|date| date <= day));
    let sign_off = match campaign.state() {
        State::Final => signed.map(|signed| signed.number).next().unwrap_or_default(),
        _ => 0,
    };
    let day = civil_date(campaign.end_date).map_or(day, |end| end.min(day));
    GetCampaignStandingsRequest {
        name: campaign.name.clone(),
        date: Some(date_message(day)),
        knowledge: Knowledge::Latest.into(),
        sign_off,
        ..GetCampaignStandingsRequest::default()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_proto::tracker::v1::CampaignSignOff;

    use super::*;

    #[test]
    fn standings_are_those_that_were_signed_off_by_the_day_or_of_the_day_or_of_the_last_day() {
        let signed = |number, day| CampaignSignOff {
            number,
            date: Some(date_message(day)),
            ..CampaignSignOff::default()
        };
        let mut campaign = CampaignMessage {
            end_date: Some(date_message(date(2021, 6, 8))),
            sign_offs: vec![signed(1, date(2021, 6, 10)), signed(2, date(2021, 7, 5))],
            state: State::Final.into(),
            ..CampaignMessage::default()
        };
        for (day, of, sign_off) in [
            (date(2021, 5, 1), date(2021, 5, 1), 0),
            (date(2021, 6, 9), date(2021, 6, 8), 0),
            (date(2021, 6, 30), date(2021, 6, 8), 1),
            (date(2021, 7, 5), date(2021, 6, 8), 2),
        ] {
            let wanted = standings_of(&campaign, day);
            assert_eq!((civil_date(wanted.date), wanted.sign_off), (Some(of), sign_off), "{day}");
        }
        campaign.state = State::Open.into();
        assert_eq!(standings_of(&campaign, date(2021, 7, 5)).sign_off, 0);
    }
}

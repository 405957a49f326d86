//! The methods of entries of timelines besides the standard ones: from their requests to what is to be done, or read.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use jiff::civil::Date;
use milepost_proto::tracker::v1::timeline_entry::Kind;
use milepost_proto::tracker::v1::*;
use milepost_resource::{
    Custom, MALFORMED, Method, Paging, Query, act, enum_values, optional_date, query, target, write,
};
use milepost_types::{LanguageTag, Rejection, Violations, page_size, text};

use crate::decide::Tracker;
use crate::names::PortfolioName;
use crate::timeline::{TimelinePage, TimelineQuery, page, publish, revise, withdraw};

/// The methods of entries.
pub(crate) fn of_timeline_entries() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        write("PublishTimelineEntry", |request: PublishTimelineEntryRequest, violations| {
            Some(Custom::act(target::<TimelineEntry>(&request, violations)?, (), publish))
        }),
        write("WithdrawTimelineEntry", |request: WithdrawTimelineEntryRequest, violations| {
            act(&request, withdraw, violations, |violations| {
                violations.check("reason", text::text(&request.reason))
            })
        }),
        write("ReviseTimelineEntry", |request: ReviseTimelineEntryRequest, violations| {
            Some(Custom::act(target::<TimelineEntry>(&request, violations)?, (), revise))
        }),
        query("ListTimeline", read, |request: &ListTimelineRequest| &request.min_revisions, answer),
    ]
}

/// A request for a page of a timeline: its query, and the token of the page.
type TimelineRequest = (TimelineQuery, String);

fn read(request: &ListTimelineRequest, violations: &mut Violations) -> Option<TimelineRequest> {
    let portfolio = violations.check("parent", request.parent.parse::<PortfolioName>());
    let size = violations.check("page_size", page_size(request.page_size));
    let language = Some(&request.language).filter(|language| !language.is_empty());
    let language = violations.check_optional("language", language, |tag| tag.parse::<LanguageTag>());
    let days = days(request, violations);
    let kinds = kinds(&request.kinds, violations);
    let (start, end) = days?;
    let query = TimelineQuery {
        portfolio: portfolio?,
        language: language?.map(|tag| tag.to_string()).unwrap_or_default(),
        start,
        end,
        kinds: kinds?,
        show_withdrawn: request.show_withdrawn,
        size: size?,
        after: None,
    };
    Some((query, request.page_token.clone()))
}

fn answer(query: Query<'_, Tracker, TimelineRequest>) -> Result<ListTimelineResponse, Rejection> {
    const METHOD: &str = "milepost.tracker.v1.TimelineEntryService/ListTimeline";
    let (first, page_token) = query.request;
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let parts = [
        first.portfolio.to_string(),
        first.language.clone(),
        day(first.start),
        day(first.end),
        format!("{:?}", first.kinds),
        first.show_withdrawn.to_string(),
    ];
    let paging = Paging::read(METHOD, parts, page_token)?;
    let asked = TimelineQuery { after: paging.after.clone(), ..first.clone() };
    if !asked.has_sound_token() {
        return Err(MALFORMED);
    }
    let TimelinePage { items, next } = page(&query.rows, &asked)?;
    let next_page_token = paging.next(next, query.position.sequence);
    Ok(ListTimelineResponse { items, next_page_token, revision: query.revision() })
}

fn days(request: &ListTimelineRequest, violations: &mut Violations) -> Option<(Option<Date>, Option<Date>)> {
    let start = optional_date("start_date", request.start_date, violations);
    let end = optional_date("end_date", request.end_date, violations);
    let (start, end) = (start?, end?);
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        let description = format!("{end} is before {start}, the first day; exchange them or correct one");
        violations.push("end_date", "INVALID_PERIOD", description);
        return None;
    }
    Some((start, end))
}

fn kinds(given: &[i32], violations: &mut Violations) -> Option<Vec<i32>> {
    enum_values::<Kind>("kinds", given, violations)?;
    let mut kinds = given.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    Some(kinds)
}

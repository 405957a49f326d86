//! The methods of entries of timelines besides the standard ones: from their requests to what is to be done, or read.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_proto::tracker::v1::timeline_entry::Kind;
use milepost_proto::tracker::v1::*;
use milepost_resource::{Api, Custom, Method, Rows, act, call, enum_values, optional_date, target, write};
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_types::{
    LanguageTag, PageToken, Rejection, RequestDigest, TokenError, TokenKind, Violations, page_size, text,
};
use tonic::{Response, Status};

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
        call("ListTimeline", list),
    ]
}

/// The call: a page of a timeline.
async fn list(
    api: Arc<Api<Tracker>>,
    request: Permitted<ListTimelineRequest>,
) -> Result<Response<ListTimelineResponse>, Status> {
    let refused = |rejection| refusal::status(&rejection);
    let (query, digest, first) = read(request.get_ref()).map_err(refused)?;
    api.wait_for_revisions(&request, &request.get_ref().min_revisions).await?;
    let deadline = Caller::of_permitted(&request).map_err(refused)?.deadline;
    let query = Arc::new(query);
    let found = api
        .read_settled(deadline, move |view| Ok((page(&Rows::new(view), &query)?, view.position())))
        .await?;
    let (TimelinePage { items, next }, position) = found;
    let token = |after| {
        let sequence = first.unwrap_or(position.sequence);
        PageToken { request: digest, sequence, after }.encode()
    };
    Ok(Response::new(ListTimelineResponse {
        items,
        next_page_token: next.map(token).unwrap_or_default(),
        revision: api.revision(position),
    }))
}

/// What is asked for, what its page tokens belong to, and the sequence that the first page was read at.
fn read(request: &ListTimelineRequest) -> Result<(TimelineQuery, RequestDigest, Option<u64>), Rejection> {
    let mut violations = Violations::new();
    let portfolio = violations.check("parent", request.parent.parse::<PortfolioName>());
    let size = violations.check("page_size", page_size(request.page_size));
    let language = Some(&request.language).filter(|language| !language.is_empty());
    let language = violations.check_optional("language", language, |tag| tag.parse::<LanguageTag>());
    let days = days(request, &mut violations);
    let kinds = kinds(&request.kinds, &mut violations);
    let parts = || Some((portfolio?, size?, language?, days?, kinds?));
    let (portfolio, size, language, (start, end), kinds) = violations.finish(parts())?;
    let language = language.map(|tag| tag.to_string()).unwrap_or_default();
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let digest = RequestDigest::of(
        "milepost.tracker.v1.TimelineEntryService/ListTimeline",
        [
            portfolio.to_string(),
            language.clone(),
            day(start),
            day(end),
            format!("{kinds:?}"),
            request.show_withdrawn.to_string(),
        ],
    );
    let token = Some(request.page_token.as_str()).filter(|token| !token.is_empty());
    let token = token.map(|token| PageToken::decode(token, &digest)).transpose();
    let token = token.map_err(Rejection::PageToken)?;
    let first = token.as_ref().map(|token| token.sequence);
    let show_withdrawn = request.show_withdrawn;
    let after = token.map(|token| token.after);
    let query = TimelineQuery { portfolio, language, start, end, kinds, show_withdrawn, size, after };
    if !query.has_sound_token() {
        return Err(Rejection::PageToken(TokenError::Malformed { expected: TokenKind::Page }));
    }
    Ok((query, digest, first))
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

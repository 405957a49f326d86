//! The methods of entries of timelines besides the standard ones: from their requests to what is to be done, or read.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use jiff::civil::Date;
use milepost_proto::tracker::v1::timeline_entry::Kind;
use milepost_proto::tracker::v1::*;
use milepost_resource::{
    MALFORMED, Method, Paging, Query, act, enum_values, optional_date, query, reason_and_day, write,
};
use milepost_types::{LanguageTag, Rejection, Violations, page_size};

use crate::decide::Tracker;
use crate::names::PortfolioName;
use crate::timeline::{TimelinePage, TimelineQuery, page, publish, revise, withdraw};

/// The methods of entries.
pub(crate) fn of_timeline_entries() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        write("PublishTimelineEntry", |request: PublishTimelineEntryRequest, violations| {
            act(&request, publish, violations, |violations| optional_date("date", request.date, violations))
        }),
        write("WithdrawTimelineEntry", |request: WithdrawTimelineEntryRequest, violations| {
            act(&request, withdraw, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
        write("ReviseTimelineEntry", |request: ReviseTimelineEntryRequest, violations| {
            act(&request, revise, violations, |violations| optional_date("date", request.date, violations))
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

/// The query for the page that a token says, and for the pages after it.
fn paged((first, page_token): &TimelineRequest) -> Result<(TimelineQuery, Paging), Rejection> {
    const METHOD: &str = "milepost.tracker.v1.TimelineEntryService/ListTimeline";
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
    let query = TimelineQuery { after: paging.after.clone(), ..first.clone() };
    if query.has_sound_token() { Ok((query, paging)) } else { Err(MALFORMED) }
}

fn answer(query: Query<'_, Tracker, TimelineRequest>) -> Result<ListTimelineResponse, Rejection> {
    let (asked, paging) = paged(query.request)?;
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

#[cfg(test)]
mod tests {
    use milepost_proto::google::r#type::Date as DateMessage;

    use super::*;

    fn request() -> ListTimelineRequest {
        ListTimelineRequest { parent: "portfolios/wsc".into(), ..ListTimelineRequest::default() }
    }

    fn read(request: &ListTimelineRequest) -> Result<(TimelineQuery, Paging), Rejection> {
        let mut violations = Violations::new();
        let read = super::read(request, &mut violations);
        paged(&violations.finish(read).map_err(Rejection::from)?)
    }

    fn on(year: i32, month: i32, day: i32) -> Option<DateMessage> {
        Some(DateMessage { year, month, day })
    }

    #[test]
    fn what_is_asked_for_is_read_in_its_conventional_form() {
        let (query, paging) = read(&ListTimelineRequest {
            language: "ZH-cn".into(),
            start_date: on(2021, 2, 3),
            end_date: on(2021, 2, 3),
            kinds: vec![Kind::Reform.into(), Kind::Batch.into(), Kind::Reform.into()],
            show_withdrawn: true,
            ..request()
        })
        .unwrap();
        assert_eq!((query.language.as_str(), query.kinds), ("zh-CN", vec![1, 2]));
        assert_eq!((query.start, query.start.is_some()), (query.end, true));
        assert!(query.show_withdrawn && query.after.is_none() && paging.after.is_none());
        let (query, ..) = read(&request()).unwrap();
        assert_eq!((query.language.as_str(), query.start, query.end, query.kinds), ("", None, None, vec![]));
        assert_eq!(query.size, milepost_types::limits::PAGE_SIZE_DEFAULT);
    }

    #[test]
    fn every_fault_of_a_request_is_found_at_once() {
        let faulty = ListTimelineRequest {
            parent: "portfolios/-".into(),
            page_size: -1,
            language: "english!".into(),
            start_date: on(2021, 2, 3),
            end_date: on(2021, 2, 2),
            kinds: vec![1, 0, 99],
            ..ListTimelineRequest::default()
        };
        let Err(Rejection::Invalid(found)) = read(&faulty) else { panic!() };
        let fields: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
        assert_eq!(fields.len(), 6, "{fields:?}");
        for expected in [
            ("end_date", "INVALID_PERIOD"),
            ("kinds[1]", "UNKNOWN_ENUM_VALUE"),
            ("kinds[2]", "UNKNOWN_ENUM_VALUE"),
            ("language", "INVALID_LANGUAGE_TAG"),
        ] {
            assert!(fields.contains(&expected), "{expected:?} in {fields:?}");
        }
        for field in ["parent", "page_size"] {
            assert!(fields.iter().any(|(own, _)| *own == field), "{field} in {fields:?}");
        }
    }

    #[test]
    fn kinds_are_bounded() {
        let of = |count: usize| read(&ListTimelineRequest { kinds: vec![1; count], ..request() });
        assert!(of(100).is_ok());
        let Err(Rejection::Invalid(found)) = of(101) else { panic!() };
        let faults: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
        assert_eq!(faults, [("kinds", "TOO_MANY")]);
    }

    #[test]
    fn a_token_goes_on_with_the_request_that_it_was_given_to_and_with_no_other() {
        let (_, paging) = read(&request()).unwrap();
        let token = |after: &[u8]| paging.next(Some(after.to_vec()), 7);
        let sound = token(b"12345678plan");
        let (query, next) = read(&ListTimelineRequest { page_token: sound.clone(), ..request() }).unwrap();
        assert_eq!(query.after.as_deref(), Some(&b"12345678plan"[..]));
        assert_eq!(next.next(query.after, 9), sound, "pages are of the revision that the first is of");
        let of_others = [
            ListTimelineRequest { language: "en".into(), ..request() },
            ListTimelineRequest { parent: "portfolios/other".into(), ..request() },
            ListTimelineRequest { end_date: on(2021, 2, 2), ..request() },
            ListTimelineRequest { start_date: on(2021, 2, 2), ..request() },
            ListTimelineRequest { kinds: vec![1], ..request() },
            ListTimelineRequest { show_withdrawn: true, ..request() },
        ];
        for other in of_others {
            let refused = read(&ListTimelineRequest { page_token: sound.clone(), ..other.clone() });
            assert!(matches!(refused, Err(Rejection::PageToken(_))), "{other:?}");
        }
        for nonsense in [token(b"12345678"), token(b"x"), "nonsense".to_owned()] {
            let refused = read(&ListTimelineRequest { page_token: nonsense.clone(), ..request() });
            assert!(matches!(refused, Err(Rejection::PageToken(_))), "{nonsense}");
        }
        // How many are wanted may change from page to page.
        read(&ListTimelineRequest { page_token: sound, page_size: 3, ..request() }).unwrap();
    }
}

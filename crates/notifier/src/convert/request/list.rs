//! Reads and checks the request of a list, in either order, and makes the tokens of its pages.
//!
//! Invariant: a token is good only for the request that it was made for. A request that names neither order nor time
//! has the digest that it had before there were any, so that tokens of earlier versions stay good.

use jiff::Timestamp;
use milepost_proto::notifier::v1::ListEventsRequest;
use milepost_types::{Cursor, OrderBy, PageToken, Rejection, RequestDigest, Violations, page_size};

use super::{collect, cursor, finish, selection, timestamp};
use crate::audience::Audience;
use crate::selection::Selection;

/// The method's name in page tokens.
const LIST_EVENTS: &str = "milepost.notifier.v1.EventService/ListEvents";
/// What events can be ordered by.
const ORDERS: [(&str, ()); 1] = [("sequence", ())];

/// In which order a list answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// That of the log.
    Ascending,
    /// The newest first.
    Descending,
}

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListStart {
    /// It is the first one of a list of what is after this cursor and entered the log at this time or later.
    First { after: Option<Cursor>, from_time: Option<Timestamp> },
    /// It goes on after this cursor, in the order of the log.
    After(Cursor),
    /// It goes on before this cursor, the newest first, and ends at the other one.
    Before(Cursor, Cursor),
}

/// What a list asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListRequest {
    pub(crate) start: ListStart,
    pub(crate) order: Order,
    pub(crate) selection: Selection,
    pub(crate) page_size: usize,
    digest: RequestDigest,
}

impl ListRequest {
    /// The token of the page after a cursor, of a log that ends at this sequence.
    pub(crate) fn page_token_after(&self, cursor: &Cursor, sequence: u64) -> String {
        PageToken { request: self.digest, sequence, after: cursor.to_string().into_bytes() }.encode()
    }

    /// The token of the page before a cursor, of a list that ends at another.
    pub(crate) fn page_token_before(&self, cursor: &Cursor, end: &Cursor, sequence: u64) -> String {
        let after = format!("{cursor} {end}").into_bytes();
        PageToken { request: self.digest, sequence, after }.encode()
    }
}

/// Reads a list request of this audience, of a log whose earliest cursor is this.
pub(crate) fn list(
    request: &ListEventsRequest,
    earliest: Cursor,
    audience: Audience,
) -> Result<ListRequest, Rejection> {
    let mut violations = Violations::new();
    let page_size = violations.check("page_size", page_size(request.page_size)).unwrap_or_default();
    let selection = collect(selection(request.selection.as_ref(), audience), &mut violations);
    let order = violations.check("order_by", order(&request.order_by)).unwrap_or(Order::Ascending);
    let from_time = request.from_time.as_ref().map(|time| timestamp("from_time", time)).transpose();
    let from_time = collect(from_time, &mut violations).unwrap_or_default();
    // What is faulty is refused whatever its token says.
    let digest = match &selection {
        Ok(selection) if violations.is_empty() => Some(digest(selection, order, from_time)),
        _ => None,
    };
    let first = |after| Ok(ListStart::First { after, from_time });
    let start = match (request.after_cursor.as_str(), request.page_token.as_str()) {
        ("", "") => first(None),
        (text, "") => cursor(text, earliest).and_then(|after| first(Some(after))),
        ("", token) => digest.map_or(first(None), |digest| later_page(token, &digest, order)),
        _ => Err(Rejection::invalid(
            "after_cursor",
            "NOT_WITH_PAGE_TOKEN",
            "a page token says where to go on; leave the cursor out",
        )),
    };
    let start = collect(start, &mut violations);
    let (selection, start) = finish(selection, start, violations)?;
    let digest = digest.unwrap_or(RequestDigest::from_bytes([0; 16]));
    Ok(ListRequest { start, order, selection, page_size, digest })
}

fn order(text: &str) -> Result<Order, milepost_types::OrderError> {
    let order = OrderBy::parse(text, &ORDERS)?;
    let descending = order.terms().first().is_some_and(|term| term.descending);
    Ok(if descending { Order::Descending } else { Order::Ascending })
}

/// What is not given has no part, as before it could be given.
fn digest(selection: &Selection, order: Order, from_time: Option<Timestamp>) -> RequestDigest {
    let order = (order == Order::Descending).then(|| "order_by=sequence desc".to_owned());
    let from_time = from_time.map(|time| format!("from_time={time}"));
    RequestDigest::of(LIST_EVENTS, selection.parts().into_iter().chain(order).chain(from_time))
}

fn later_page(token: &str, digest: &RequestDigest, order: Order) -> Result<ListStart, Rejection> {
    let token = PageToken::decode(token, digest).map_err(Rejection::PageToken)?;
    let text = String::from_utf8(token.after).unwrap_or_default();
    let cursor = |text: &str| text.parse().map_err(Rejection::PageToken);
    if order == Order::Ascending {
        return cursor(&text).map(ListStart::After);
    }
    let (place, end) = text.split_once(' ').unwrap_or_default();
    Ok(ListStart::Before(cursor(place)?, cursor(end)?))
}

#[cfg(test)]
mod tests {
    use milepost_types::{LogId, Position, Violation};

    use super::*;

    /// After the whole of an entry.
    fn place(sequence: u64) -> Cursor {
        Cursor::after(Position { sequence, ..Position::start(LogId::from_bytes([7; 16])) })
    }

    fn read(request: &ListEventsRequest) -> Result<ListRequest, Rejection> {
        list(request, place(0), Audience::all())
    }

    fn ordered(order_by: &str) -> ListEventsRequest {
        ListEventsRequest { order_by: order_by.into(), ..ListEventsRequest::default() }
    }

    fn timed(request: ListEventsRequest, seconds: i64) -> ListEventsRequest {
        ListEventsRequest { from_time: Some(prost_types::Timestamp { seconds, nanos: 0 }), ..request }
    }

    fn next(request: &ListEventsRequest, page_token: &str) -> Result<ListStart, Rejection> {
        let request = ListEventsRequest { page_token: page_token.to_owned(), ..request.clone() };
        read(&request).map(|read| read.start)
    }

    /// Clients keep tokens while a server is upgraded.
    #[test]
    fn a_token_that_was_made_before_there_were_orders_goes_on_in_the_order_of_the_log() {
        const TOKEN: &str = "UAGmF4X_ZhSctl1BTshuiHI7AAAAAAAAAAlRd0VIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hBQUFBQUFBQUFBTUFBQUFB\
                             QUFBQUFBQjhkQlE3j1SV0A";
        let plain = ListEventsRequest::default();
        assert_eq!(read(&plain).unwrap().page_token_after(&place(3), 9), TOKEN);
        for order_by in ["", "sequence", " sequence asc"] {
            assert_eq!(next(&ordered(order_by), TOKEN), Ok(ListStart::After(place(3))));
        }
    }

    #[test]
    fn a_token_belongs_to_its_order_and_its_time() {
        let requests = [
            ListEventsRequest::default(),
            ordered("sequence desc"),
            timed(ListEventsRequest::default(), 5),
            timed(ordered("sequence"), 6),
            timed(ordered("sequence desc"), 5),
        ];
        for request in &requests {
            let asked = read(request).unwrap();
            let (token, expected) = match asked.order {
                Order::Ascending => (asked.page_token_after(&place(3), 9), ListStart::After(place(3))),
                Order::Descending => {
                    (asked.page_token_before(&place(3), &place(1), 9), ListStart::Before(place(3), place(1)))
                }
            };
            for other in &requests {
                let found = next(other, &token);
                if other == request {
                    assert_eq!(found, Ok(expected));
                } else {
                    assert!(matches!(found, Err(Rejection::PageToken(_))), "{request:?} {other:?} {found:?}");
                }
            }
        }
    }

    #[test]
    fn every_faulty_field_is_named_together_with_the_order_and_the_time() {
        let fields = |request: &ListEventsRequest| match read(request) {
            Err(Rejection::Invalid(found)) => {
                found.iter().map(|Violation { field, .. }| field.clone()).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        for order_by in ["commit_time", "sequence, sequence", "sequence descending", "sequence,", "序号 desc"]
        {
            assert_eq!(fields(&ordered(order_by)), ["order_by"], "{order_by}");
        }
        let selection = milepost_proto::notifier::v1::EventSelection {
            filter: "a = ".into(),
            ..milepost_proto::notifier::v1::EventSelection::default()
        };
        let request = ListEventsRequest {
            page_size: -1,
            selection: Some(selection),
            after_cursor: place(1).to_string(),
            page_token: "x".into(),
            ..timed(ordered("newest"), i64::MAX)
        };
        let all = ["page_size", "order_by", "from_time", "after_cursor", "selection.filter"];
        assert_eq!(fields(&request), all);
    }
}

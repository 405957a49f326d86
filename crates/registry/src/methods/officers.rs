//! ListOfficers: who serves how many projects of a portfolio on a day, the busiest first.
//!
//! Invariant: what a page answers is computed of one cut of the rows; the order is total, because a person is listed
//! once. The pages of a list are of one day: a token holds it.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::View;
use milepost_ledger::key::{date_of, ordered_date};
use milepost_proto::registry::v1::{ListOfficersRequest, ListOfficersResponse, Officer, Portfolio};
use milepost_resource::{Api, Name, Rows};
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_service::value::date;
use milepost_types::{
    PageToken, Rejection, RequestDigest, Room, TokenError, TokenKind, Violations, page_size,
};
use prost::Message;
use tonic::{Response, Status};

use crate::liaison::officers::{SortKey, by_workload};
use crate::portfolio::current_date;
use crate::tables::Registry;

const MALFORMED: Rejection = Rejection::PageToken(TokenError::Malformed { expected: TokenKind::Page });

/// What is asked.
#[derive(Clone)]
struct OfficerList {
    portfolio: Name<Portfolio>,
    /// None: today.
    date: Option<Date>,
    size: usize,
    /// Where the page before ended.
    after: Option<SortKey>,
    digest: RequestDigest,
    /// The sequence of the first page, if this is another.
    sequence: Option<u64>,
}

impl OfficerList {
    fn read(request: &ListOfficersRequest) -> Result<Self, Rejection> {
        let mut violations = Violations::new();
        let portfolio = violations.check("portfolio", request.portfolio.parse::<Name<Portfolio>>());
        let given = violations.check_optional("date", request.date, date);
        let size = violations.check("page_size", page_size(request.page_size));
        let all = || Some((portfolio?, given?, size?));
        let (portfolio, given, size) = violations.finish(all())?;
        let method = "milepost.registry.v1.AssignmentService/ListOfficers";
        let day = given.map(|day| day.to_string()).unwrap_or_default();
        let digest = RequestDigest::of(method, [portfolio.to_string(), day]);
        let asked = Self { portfolio, date: given, size, after: None, digest, sequence: None };
        if request.page_token.is_empty() {
            return Ok(asked);
        }
        let token = PageToken::decode(&request.page_token, &digest).map_err(Rejection::PageToken)?;
        let (day, after) = read_after(&token.after).ok_or(MALFORMED)?;
        Ok(Self { date: Some(day), after: Some(after), sequence: Some(token.sequence), ..asked })
    }

    fn next_page_token(&self, day: Date, last: Option<&Officer>, sequence: u64) -> String {
        let token = |last: &Officer| PageToken {
            request: self.digest,
            sequence: self.sequence.unwrap_or(sequence),
            after: [
                &ordered_date(day)[..],
                &last.project_count.cast_unsigned().to_be_bytes(),
                last.person.as_bytes(),
            ]
            .concat(),
        };
        last.map(|last| token(last).encode()).unwrap_or_default()
    }
}

/// The day of a list and where its page ended, from a token.
fn read_after(bytes: &[u8]) -> Option<(Date, SortKey)> {
    let (day, rest) = bytes.split_first_chunk::<4>()?;
    let (count, person) = rest.split_first_chunk::<4>()?;
    let person = std::str::from_utf8(person).ok()?.to_owned();
    Some((date_of(day)?, (Reverse(u32::from_be_bytes(*count)), person)))
}

/// The call.
pub(crate) async fn list(
    api: Arc<Api<Registry>>,
    request: Permitted<ListOfficersRequest>,
) -> Result<Response<ListOfficersResponse>, Status> {
    let refused = |rejection: Rejection| refusal::status(&rejection);
    let asked = Arc::new(OfficerList::read(request.get_ref()).map_err(refused)?);
    api.wait_for_revisions(&request, &request.get_ref().min_revisions).await?;
    let deadline = Caller::of_permitted(&request).map_err(refused)?.deadline;
    let (now, query) = (api.clock.now(), Arc::clone(&asked));
    let read = move |view: &View<'_>| Ok((page(&Rows::new(view), &query, now)?, view.position()));
    let ((day, officers, is_last), position) = api.read_settled(deadline, read).await?;
    let last = officers.last().filter(|_| !is_last);
    Ok(Response::new(ListOfficersResponse {
        next_page_token: asked.next_page_token(day, last, position.sequence),
        officers,
        revision: api.revision(position),
    }))
}

/// The day of a page, its officers, and whether it is the last.
fn page(
    rows: &Rows<'_, Registry>,
    asked: &OfficerList,
    now: Timestamp,
) -> Result<(Date, Vec<Officer>, bool), Rejection> {
    let portfolio = rows.find(&asked.portfolio)?;
    let day = asked.date.unwrap_or_else(|| current_date(&portfolio, now));
    let (mut room, mut officers) = (Room::page(asked.size), Vec::new());
    for (key, officer) in by_workload(rows, &asked.portfolio, day)? {
        if asked.after.as_ref().is_some_and(|after| key <= *after) {
            continue;
        }
        if room.is_full() || !room.admit(officer.encoded_len()) {
            return Ok((day, officers, false));
        }
        officers.push(officer);
    }
    Ok((day, officers, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_page_ended_is_read_back_and_nonsense_is_not() {
        let request = ListOfficersRequest { portfolio: "portfolios/wsc".into(), ..Default::default() };
        let asked = OfficerList::read(&request).unwrap();
        let last = Officer { person: "user:corp/a".into(), project_count: 258, ..Officer::default() };
        let day = Date::constant(2021, 5, 27);
        let page_token = asked.next_page_token(day, Some(&last), 9);
        let next = OfficerList::read(&ListOfficersRequest { page_token, ..request.clone() }).unwrap();
        assert_eq!((next.date, next.sequence), (Some(day), Some(9)));
        assert_eq!(next.after, Some((Reverse(258), "user:corp/a".to_owned())));
        for after in [
            &b""[..],
            b"\x07\xe5\x05\x1b\0\0\0",
            b"\x07\xe5\x02\x1e\0\0\0\x01a",
            b"\x07\xe5\x05\x1b\0\0\0\x01\xff",
        ] {
            let token = PageToken { request: asked.digest, sequence: 9, after: after.to_vec() };
            let wrong = ListOfficersRequest { page_token: token.encode(), ..request.clone() };
            assert!(matches!(OfficerList::read(&wrong), Err(Rejection::PageToken(_))), "{after:?}");
        }
    }
}

//! ListOfficers: who serves how many projects of a portfolio on a day, the busiest first.
//!
//! Invariant: what a page answers is computed of one cut of the rows. The pages of a list are of one day: a token holds
//! it. Who serves whom is for `liaison` to say.

use std::cmp::Reverse;

use jiff::civil::Date;
use milepost_ledger::key::{date_of, ordered_date};
use milepost_proto::registry::v1::{ListOfficersRequest, ListOfficersResponse, Officer, Portfolio};
use milepost_resource::{MALFORMED, Name, Paging, Query, optional_date, query};
use milepost_types::{Rejection, Room, Violations, page_size};
use prost::Message;

use super::Named;
use crate::liaison::officers::{SortKey, by_workload};
use crate::portfolio::current_date;
use crate::tables::Registry;

/// A request for a page, well formed.
struct OfficerList {
    portfolio: Name<Portfolio>,
    /// None: today.
    date: Option<Date>,
    size: usize,
    page_token: String,
}

/// The method.
pub(super) fn list_officers() -> Named {
    query("ListOfficers", read, |request: &ListOfficersRequest| &request.min_revisions, answer)
}

fn read(request: &ListOfficersRequest, violations: &mut Violations) -> Option<OfficerList> {
    let portfolio = violations.check("portfolio", request.portfolio.parse());
    let date = optional_date("date", request.date, violations);
    let size = violations.check("page_size", page_size(request.page_size));
    let page_token = request.page_token.clone();
    Some(OfficerList { portfolio: portfolio?, date: date?, size: size?, page_token })
}

fn answer(query: Query<'_, Registry, OfficerList>) -> Result<ListOfficersResponse, Rejection> {
    const METHOD: &str = "milepost.registry.v1.AssignmentService/ListOfficers";
    let OfficerList { portfolio: name, date, size, page_token } = query.request;
    let day = date.map(|day| day.to_string()).unwrap_or_default();
    let paging = Paging::read(METHOD, [name.to_string(), day], page_token)?;
    let after = paging.after.as_ref().map(|after| read_after(after).ok_or(MALFORMED)).transpose()?;
    let portfolio = query.rows.find(name)?;
    let (day, after) = match after {
        Some((day, after)) => (day, Some(after)),
        None => (date.unwrap_or_else(|| current_date(&portfolio, query.now)), None),
    };
    let (mut room, mut officers, mut is_last) = (Room::page(*size), Vec::new(), true);
    for (key, officer) in by_workload(&query.rows, name, day)? {
        if after.as_ref().is_some_and(|after| key <= *after) {
            continue;
        }
        if room.is_full() || !room.admit(officer.encoded_len()) {
            is_last = false;
            break;
        }
        officers.push(officer);
    }
    let last = officers.last().filter(|_| !is_last).map(|last| after_officer(day, last));
    let next_page_token = paging.next(last, query.position.sequence);
    Ok(ListOfficersResponse { officers, next_page_token, revision: query.revision() })
}

/// Where a page ended, for a token: the day of the list, and the last officer on it.
fn after_officer(day: Date, last: &Officer) -> Vec<u8> {
    let count = last.project_count.cast_unsigned().to_be_bytes();
    [&ordered_date(day)[..], &count, last.person.as_bytes()].concat()
}

/// The day of a list and where its page ended, from a token.
fn read_after(bytes: &[u8]) -> Option<(Date, SortKey)> {
    let (day, rest) = bytes.split_first_chunk::<4>()?;
    let (count, person) = rest.split_first_chunk::<4>()?;
    let person = std::str::from_utf8(person).ok()?.to_owned();
    Some((date_of(day)?, (Reverse(u32::from_be_bytes(*count)), person)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_page_ended_is_read_back_and_nonsense_is_not() {
        let last = Officer { person: "user:corp/a".into(), project_count: 258, ..Officer::default() };
        let day = Date::constant(2021, 5, 27);
        let after = after_officer(day, &last);
        assert_eq!(read_after(&after), Some((day, (Reverse(258), "user:corp/a".to_owned()))));
        for after in [
            &b""[..],
            b"\x07\xe5\x05\x1b\0\0\0",
            b"\x07\xe5\x02\x1e\0\0\0\x01a",
            b"\x07\xe5\x05\x1b\0\0\0\x01\xff",
        ] {
            assert_eq!(read_after(after), None, "{after:?}");
        }
    }
}

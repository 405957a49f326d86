//! Pages of a list: where a page begins, which rows are on it, and the token for the next one (AIP-158).
//!
//! A list is a range of one table, or of an index of it, in one direction; the caller's closure looks at
//! a row and answers with the resource if the filter lets it through. Invariants: pages put together
//! hold every row that was there throughout, once, whatever comes or goes meanwhile; a page looks at
//! a bounded number of rows, so that a filter that lets little through yields short pages with a next
//! token instead of a long wait; a token is of use to the very request that it came from only.

use milepost_ledger::{Direction, KeyRange, Read, Row};
use milepost_types::{PageToken, Rejection, RequestDigest, page_size};

/// How many rows one page looks at, beyond those that it holds.
const EXAMINED_ROWS: usize = 20_000;

/// What a request asks of paging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many resources the page has at most.
    pub size: usize,
    request: RequestDigest,
    token: Option<PageToken>,
}

impl PageRequest {
    /// Reads `page_size` and `page_token`; `request` is the digest of everything else that is asked.
    ///
    /// # Errors
    /// If the size is negative, or the token is damaged or of another request.
    pub fn read(asked_size: i32, token: &str, request: RequestDigest) -> Result<Self, Rejection> {
        let size = page_size(asked_size).map_err(|fault| Rejection::fault("page_size", fault))?;
        let token = match token {
            "" => None,
            token => Some(PageToken::decode(token, &request).map_err(Rejection::PageToken)?),
        };
        Ok(Self { size, request, token })
    }

    /// The key that the page begins after; none for the first page.
    pub fn after(&self) -> Option<&[u8]> {
        self.token.as_ref().map(|token| token.after.as_slice())
    }

    /// The token of the page that begins after `key`. `sequence` is that of the rows this page was read
    /// from; the token keeps that of the first page.
    pub fn next(&self, key: &[u8], sequence: u64) -> String {
        let sequence = self.token.as_ref().map_or(sequence, |token| token.sequence);
        PageToken { request: self.request, sequence, after: key.to_vec() }.encode()
    }
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// For `next_page_token`; empty if this is the last page.
    pub next_page_token: String,
}

/// Reads the page that `request` asks for from the rows of `range`, which are those at `sequence`.
/// `pick` looks at a row and answers with what the page holds of it, or with none to leave it out.
pub fn page<T>(
    rows: &dyn Read,
    sequence: u64,
    range: KeyRange,
    direction: Direction,
    request: &PageRequest,
    pick: impl FnMut(&Row) -> Option<T>,
) -> Page<T> {
    assemble(rows, sequence, range, direction, request, EXAMINED_ROWS, pick)
}

fn assemble<T>(
    rows: &dyn Read,
    sequence: u64,
    range: KeyRange,
    direction: Direction,
    request: &PageRequest,
    examined_rows: usize,
    mut pick: impl FnMut(&Row) -> Option<T>,
) -> Page<T> {
    let range = match (request.after(), direction) {
        (None, _) => range,
        (Some(key), Direction::Forward) => range.after(key),
        (Some(key), Direction::Backward) => range.before(key),
    };
    let mut items = Vec::new();
    let mut last_key = None;
    for (examined, row) in rows.scan(&range, direction).enumerate() {
        // Whether there is a next page is known when the row that begins it is found; a search that
        // takes too long goes on there.
        let picked = pick(&row);
        if picked.is_some() && items.len() == request.size {
            return Page { items, next_page_token: next(request, last_key.as_ref(), sequence) };
        }
        if let Some(item) = picked {
            items.push(item);
        }
        // What the full page left out may be left out of the next one too.
        last_key = Some(row.0);
        if examined + 1 >= examined_rows.saturating_add(items.len()) {
            return Page { items, next_page_token: next(request, last_key.as_ref(), sequence) };
        }
    }
    Page { items, next_page_token: String::new() }
}

fn next(request: &PageRequest, last_key: Option<&bytes::Bytes>, sequence: u64) -> String {
    last_key.map_or_else(String::new, |key| request.next(key, sequence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::collections::BTreeMap;
    use std::ops::Bound;

    struct Rows(BTreeMap<Vec<u8>, Bytes>);

    impl Rows {
        fn of(numbers: impl IntoIterator<Item = u16>) -> Self {
            Self(numbers.into_iter().map(|number| (key(number), Bytes::from(number.to_string()))).collect())
        }
    }

    impl Read for Rows {
        fn get(&self, key: &[u8]) -> Option<Bytes> {
            self.0.get(key).cloned()
        }

        fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> Box<dyn Iterator<Item = Row> + 'a> {
            let end = range.end.clone().map_or(Bound::Unbounded, Bound::Excluded);
            if range.end.as_ref().is_some_and(|end| *end <= range.start) {
                return Box::new(std::iter::empty());
            }
            let rows = self.0.range((Bound::Included(range.start.clone()), end));
            let rows = rows.map(|(key, value)| (Bytes::from(key.clone()), value.clone()));
            match direction {
                Direction::Forward => Box::new(rows),
                Direction::Backward => Box::new(rows.rev()),
            }
        }
    }

    /// In table 3; tables 2 and 4 have rows too, which no list of table 3 may show.
    fn key(number: u16) -> Vec<u8> {
        [&[3_u8][..], &number.to_be_bytes()].concat()
    }

    fn digest(filter: &str) -> RequestDigest {
        RequestDigest::of("List", [filter])
    }

    fn number(row: &Row) -> u16 {
        std::str::from_utf8(&row.1).unwrap().parse().unwrap()
    }

    /// All pages one after the other, and how many there were.
    fn all(
        rows: &mut Rows,
        size: i32,
        direction: Direction,
        examined_rows: usize,
        filter: impl Fn(u16) -> bool,
        mut between: impl FnMut(&mut Rows),
    ) -> (Vec<u16>, usize) {
        let (mut numbers, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let request = PageRequest::read(size, &token, digest("f")).unwrap();
            let pick = |row: &Row| filter(number(row)).then(|| number(row));
            let page = assemble(rows, 7, KeyRange::prefix(&[3]), direction, &request, examined_rows, pick);
            assert!(page.items.len() <= request.size);
            numbers.extend(page.items);
            pages += 1;
            if page.next_page_token.is_empty() {
                return (numbers, pages);
            }
            token = page.next_page_token;
            between(rows);
        }
    }

    #[test]
    fn pages_put_together_are_the_list_in_either_direction() {
        for (count, size, pages) in
            [(0, 10, 1), (9, 10, 1), (10, 10, 1), (11, 10, 2), (100, 7, 15), (100, 1, 100)]
        {
            let mut rows = Rows::of(0..count);
            rows.0.insert(vec![2, 9], Bytes::from_static(b"1"));
            rows.0.insert(vec![4], Bytes::from_static(b"1"));
            let mut expected: Vec<u16> = (0..count).collect();
            let forward = all(&mut rows, size, Direction::Forward, 1_000, |_| true, |_| ());
            assert_eq!(forward, (expected.clone(), pages), "{count} by {size}");
            expected.reverse();
            let backward = all(&mut rows, size, Direction::Backward, 1_000, |_| true, |_| ());
            assert_eq!(backward, (expected, pages), "{count} by {size}");
        }
    }

    #[test]
    fn a_filter_shortens_no_page_but_a_long_search_does_and_goes_on() {
        let mut rows = Rows::of(0..1_000);
        let expected: Vec<u16> = (0..1_000).step_by(100).collect();
        let filter = |number: u16| number.is_multiple_of(100);
        let (numbers, pages) = all(&mut rows, 4, Direction::Forward, 10_000, filter, |_| ());
        assert_eq!((numbers, pages), (expected.clone(), 3));
        let (numbers, pages) = all(&mut rows, 4, Direction::Forward, 30, filter, |_| ());
        assert_eq!(numbers, expected);
        assert!((20..=40).contains(&pages), "{pages}");
        let (numbers, _) = all(&mut rows, 4, Direction::Backward, 1, filter, |_| ());
        assert_eq!(numbers, expected.into_iter().rev().collect::<Vec<_>>());
    }

    #[test]
    fn what_was_there_throughout_is_listed_once_whatever_comes_and_goes() {
        let mut rows = Rows::of((0..100).map(|number| number * 10));
        let mut round = 0;
        let (numbers, _) = all(
            &mut rows,
            3,
            Direction::Forward,
            1_000,
            |_| true,
            |rows| {
                round += 1;
                rows.0.insert(key(round * 7 + 1), Bytes::from((round * 7 + 1).to_string()));
                rows.0.remove(&key(round * 3 * 10 - 10));
            },
        );
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(numbers, sorted);
        assert!((0..100).all(|number| numbers.contains(&(number * 10))), "{numbers:?}");
    }

    #[test]
    fn sizes_and_tokens_are_checked() {
        let read = |size, token: &str| PageRequest::read(size, token, digest("f"));
        assert_eq!(read(0, "").unwrap().size, 50);
        assert_eq!(read(5_000, "").unwrap().size, 1_000);
        assert!(matches!(read(-1, ""), Err(Rejection::Invalid(_))));
        let token = read(3, "").unwrap().next(&key(9), 7);
        assert_eq!(read(3, &token).unwrap().after(), Some(key(9).as_slice()));
        assert!(read(900, &token).is_ok(), "the size may change between pages");
        assert!(matches!(PageRequest::read(3, &token, digest("g")), Err(Rejection::PageToken(_))));
        assert!(matches!(read(3, &token[1..]), Err(Rejection::PageToken(_))));
        let later = read(3, &token).unwrap().next(&key(12), 99);
        assert_eq!(PageToken::decode(&later, &digest("f")).unwrap().sequence, 7);
    }
}

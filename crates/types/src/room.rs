//! The size of an answer: the bound of every page and batch, and how many rows one page scans.
//!
//! Invariants: what a [`Room`] of a page or a batch let in fits one message of
//! [`limits::ANSWER_BYTES`] together with the rest of its answer, unless it is a single item that is larger
//! by itself; a page has at least one item if there is one, and scans at least one row, so that
//! every page makes progress.

use crate::limits;
use crate::rejection::Rejection;

/// What an item takes in its answer besides its own bytes: the field's tag, and a length of up to 256 MiB.
const FRAME_BYTES: usize = 5;

/// The room that is left for the items of one answer.
#[derive(Debug, Clone)]
pub struct Room {
    items: usize,
    bytes: usize,
    empty: bool,
}

impl Room {
    /// Room for so many items, which take so many bytes together.
    pub fn new(items: usize, bytes: usize) -> Self {
        Self { items, bytes, empty: true }
    }

    /// The room of a page of at most `size` items.
    pub fn page(size: usize) -> Self {
        Self::new(size, limits::ANSWER_ITEM_BYTES)
    }

    /// Takes the room for an item of so many encoded bytes; false, and nothing is taken, if there is not
    /// that much left. The first item always has room.
    pub fn admit(&mut self, bytes: usize) -> bool {
        let left = self.bytes.checked_sub(bytes.saturating_add(FRAME_BYTES));
        if self.items == 0 || (left.is_none() && !self.empty) {
            return false;
        }
        *self = Self { items: self.items - 1, bytes: left.unwrap_or(0), empty: false };
        true
    }

    /// How many bytes are left.
    pub fn bytes_left(&self) -> usize {
        self.bytes
    }

    /// Whether it has no room for one more item, however small.
    pub fn is_full(&self) -> bool {
        self.items == 0 || (!self.empty && self.bytes < FRAME_BYTES)
    }
}

/// Refuses a batch whose answer would not fit one message, by the encoded sizes of what it answers with.
/// `what` is that in the plural: `projects`.
///
/// # Errors
/// [`Rejection::AnswerTooLarge`], with how many of the first ones fit.
pub fn check_batch(what: &'static str, sizes: impl IntoIterator<Item = usize>) -> Result<(), Rejection> {
    let mut room = Room::page(limits::BATCH_REQUESTS);
    let (mut asked, mut fit) = (0, 0);
    for bytes in sizes {
        // As soon as one does not fit, what comes after it does not count.
        if fit == asked && room.admit(bytes) {
            fit += 1;
        }
        asked += 1;
    }
    if fit == asked { Ok(()) } else { Err(Rejection::AnswerTooLarge { what, asked, fit }) }
}

/// How many rows a page has scanned, which is bounded: a selective search is cut into pages that may hold few
/// items, even none, and still have a next one.
#[derive(Debug, Clone, Default)]
pub struct Search {
    rows: usize,
    bytes: usize,
}

impl Search {
    /// Counts a row of so many bytes; false, and it is not counted, if the page has scanned enough.
    pub fn count_row(&mut self, bytes: usize) -> bool {
        let enough = self.rows >= limits::PAGE_ROWS || self.bytes >= limits::PAGE_ROW_BYTES;
        if !enough {
            self.rows += 1;
            self.bytes = self.bytes.saturating_add(bytes);
        }
        !enough
    }

    /// How many rows were scanned.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_let_in_while_both_their_number_and_their_bytes_fit() {
        let mut room = Room::new(3, 100);
        assert!(!room.is_full() && room.admit(40) && room.admit(45));
        assert!(!room.admit(6), "with its frame that is more than the rest");
        assert!(!room.is_full() && room.admit(0) && room.is_full() && !room.admit(0));
        let mut few = Room::page(1);
        assert!(few.admit(1) && few.is_full() && !few.admit(1));
        assert!(Room::page(0).is_full() && !Room::page(0).admit(1));
    }

    #[test]
    fn the_first_item_always_has_room_and_then_nothing_has() {
        let mut room = Room::page(10);
        assert!(room.admit(limits::ANSWER_BYTES * 2));
        assert!(room.is_full() && !room.admit(0));
    }

    #[test]
    fn a_full_page_with_its_frames_and_the_longest_token_fits_one_message() {
        for bytes in [0, 1, 200, 5_000, 1_000_000] {
            let mut room = Room::page(limits::PAGE_SIZE_MAX);
            let mut items = 0;
            while room.admit(bytes) {
                items += 1;
            }
            // A length takes a byte for each 7 bits.
            let frame = 1 + (usize::BITS - bytes.leading_zeros()).div_ceil(7).max(1) as usize;
            let rest = 2 * limits::TOKEN_CHARS;
            assert!(items * (bytes + frame) + rest <= limits::ANSWER_BYTES, "{items} of {bytes}");
            assert!(items == limits::PAGE_SIZE_MAX || (items + 1) * (bytes + 5) > limits::ANSWER_ITEM_BYTES);
        }
    }

    #[test]
    fn a_batch_that_does_not_fit_says_how_many_do() {
        let kib = |count: usize| std::iter::repeat_n(10 << 10, count);
        assert_eq!(check_batch("projects", kib(400)), Ok(()));
        let refused = check_batch("projects", kib(500)).unwrap_err();
        let Rejection::AnswerTooLarge { what: "projects", asked: 500, fit } = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(check_batch("projects", kib(fit)), Ok(()));
        assert!(check_batch("projects", kib(fit + 1)).is_err());
        // A small one after one that does not fit does not fit either: the first ones are counted.
        let sizes = [limits::ANSWER_ITEM_BYTES - 100, 1_000, 1];
        let refused = check_batch("projects", sizes).unwrap_err();
        assert_eq!(refused, Rejection::AnswerTooLarge { what: "projects", asked: 3, fit: 1 });
    }

    #[test]
    fn a_page_looks_at_so_many_rows_or_so_many_bytes_of_them() {
        let scanned = |bytes: usize| {
            let mut search = Search::default();
            while search.count_row(bytes) {}
            search.rows()
        };
        assert_eq!(scanned(100), limits::PAGE_ROWS);
        assert_eq!(scanned(1 << 20), limits::PAGE_ROW_BYTES >> 20);
        assert_eq!(scanned(usize::MAX), 1);
    }
}

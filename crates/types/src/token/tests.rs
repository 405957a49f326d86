//! Tokens on the wire: golden texts that never change, and every way a token can be wrong.
//!
//! The golden texts were computed outside this code base. If one of these tests fails, the code is
//! wrong: clients keep cursors for years.

use proptest::prelude::*;

use super::{TokenError, TokenKind, seal};
use crate::{
    Cursor, EntryOffset, HashPrefix, LedgerKind, LogId, PageToken, Position, RequestDigest, Revision,
};

const LOG: &str = "0195f3a0-7c1e-4b6e-9d55-2f1f0a8d3c11";

fn position() -> Position {
    Position {
        log: LOG.parse().unwrap(),
        sequence: 4711,
        hash: HashPrefix::from_bytes([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]),
    }
}

fn request() -> RequestDigest {
    RequestDigest::of("milepost.registry.v1.ProjectService/ListProjects", ["portfolios/wsc", "state = 科"])
}

#[test]
fn golden_cursors() {
    for (cursor, text) in [
        (Cursor::after(position()), "QwEBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAEmcBI0VniavN7wCYJJUK"),
        (Cursor::inside(position(), 7), "QwEBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAEmcBI0VniavN7wEAAAAHBPUaTA"),
        (
            Cursor::after(Position::start(LOG.parse().unwrap())),
            "QwEBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAAAAAAAAAAAAAAAB_Qpbx",
        ),
    ] {
        assert_eq!(cursor.to_string(), text);
        assert_eq!(text.parse(), Ok(cursor));
    }
}

#[test]
fn golden_revisions() {
    for (ledger, text) in [
        (LedgerKind::Registry, "UgEBAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze8xPn-1"),
        (LedgerKind::Tracker, "UgECAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze_fdQLE"),
        (LedgerKind::Notifier, "UgEDAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze-FTCnr"),
    ] {
        let revision = Revision { ledger, position: position() };
        assert_eq!(revision.to_string(), text);
        assert_eq!(text.parse(), Ok(revision));
    }
}

#[test]
fn golden_page_token() {
    let hex: String = request().as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, "4b31f6f1931537ee6320234648accab7");
    let token = PageToken { request: request(), sequence: 4711, after: b"\x02wsc\0science-avenue".to_vec() };
    let text = "UAFLMfbxkxU37mMgI0ZIrMq3AAAAAAAAEmcCd3NjAHNjaWVuY2UtYXZlbnVlSY2ZjQ";
    assert_eq!(token.encode(), text);
    assert_eq!(PageToken::decode(text, &request()), Ok(token));
}

#[test]
fn a_page_token_of_another_request_is_told_apart_from_a_damaged_one() {
    let token = PageToken { request: request(), sequence: 1, after: vec![] };
    let other = RequestDigest::of(
        "milepost.registry.v1.ProjectService/ListProjects",
        ["portfolios/wsc", "state = 学"],
    );
    assert_eq!(PageToken::decode(&token.encode(), &other), Err(TokenError::OtherRequest));
    let damaged = TokenError::Malformed { expected: TokenKind::Page };
    assert_eq!(PageToken::decode("", &request()), Err(damaged));
}

#[test]
fn parts_of_a_digest_do_not_run_into_one_another() {
    let digests = [
        RequestDigest::of("m", ["ab", "c"]),
        RequestDigest::of("m", ["a", "bc"]),
        RequestDigest::of("m", ["abc"]),
        RequestDigest::of("m", ["abc", ""]),
        RequestDigest::of("ma", ["bc"]),
    ];
    for (i, digest) in digests.iter().enumerate() {
        assert!(!digests[..i].contains(digest), "{i}");
    }
}

#[test]
fn another_kind_and_another_version_are_named() {
    let expected = TokenKind::Cursor;
    let revision = Revision { ledger: LedgerKind::Tracker, position: position() };
    assert_eq!(
        revision.to_string().parse::<Cursor>(),
        Err(TokenError::OtherKind { expected, found: TokenKind::Revision })
    );
    // Version 2 of a cursor.
    assert_eq!(
        "QwIBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAEmcBI0VniavN7wAbOQl5".parse::<Cursor>(),
        Err(TokenError::OtherVersion { expected, version: 2 })
    );
    // A good checksum over a kind that never was.
    assert_eq!(
        "WAEBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAEmcBI0VniavN7wDmBmdU".parse::<Cursor>(),
        Err(TokenError::Malformed { expected })
    );
}

#[test]
fn payloads_that_are_none_are_refused_though_their_checksum_is_good() {
    for text in [
        // Inside an entry at the start of the log, where there is no entry.
        "QwEBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAAAAAAAAAAAAAAAEAAAAAt5nfoA",
        // An unknown reach, a byte too many, a byte too few.
        "QwEBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAEmcBI0VniavN7wJ5H-X9",
        "QwEBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAEmcBI0VniavN7wAAOQdf_A",
        "QwEBlfOgfB5Lbp1VLx8KjTwRAAAAAAAAEmcBI0VniavN7_5vXrk",
    ] {
        assert_eq!(
            text.parse::<Cursor>(),
            Err(TokenError::Malformed { expected: TokenKind::Cursor }),
            "{text}"
        );
    }
    for text in [
        // A ledger that is none, a byte too many.
        "UgEEAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze8GD47X",
        "UgEBAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze8A1agL-w",
    ] {
        assert_eq!(
            text.parse::<Revision>(),
            Err(TokenError::Malformed { expected: TokenKind::Revision }),
            "{text}"
        );
    }
}

#[test]
fn a_huge_token_is_refused_unread() {
    let malformed = Err(TokenError::Malformed { expected: TokenKind::Cursor });
    assert_eq!("A".repeat(10_000_000).parse::<Cursor>(), malformed);
    let largest = PageToken { request: request(), sequence: 1, after: vec![0xff; 12_000] };
    assert_eq!(PageToken::decode(&largest.encode(), &request()), Ok(largest));
}

#[test]
fn the_next_event_of_a_cursor() {
    assert_eq!(Cursor::after(position()).next(), (4712, 0));
    assert_eq!(Cursor::inside(position(), 7).next(), (4711, 8));
    assert_eq!(Cursor::inside(position(), u32::MAX).next(), (4712, 0));
    assert!(EntryOffset::Event(u32::MAX) < EntryOffset::Entry);
}

fn positions() -> impl Strategy<Value = Position> {
    (any::<[u8; 16]>(), 1..=u64::MAX, any::<[u8; 8]>()).prop_map(|(log, sequence, hash)| Position {
        log: LogId::from_bytes(log),
        sequence,
        hash: HashPrefix::from_bytes(hash),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_token_is_read_back(
        position in positions(),
        index in any::<Option<u32>>(),
        ledger in prop::sample::select(&LedgerKind::ALL[..]),
        digest in any::<[u8; 16]>(),
        after in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let cursor = Cursor { position, offset: index.map_or(EntryOffset::Entry, EntryOffset::Event) };
        prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        let revision = Revision { ledger, position };
        prop_assert_eq!(revision.to_string().parse(), Ok(revision));
        let request = RequestDigest::from_bytes(digest);
        let page = PageToken { request, sequence: position.sequence, after };
        prop_assert_eq!(PageToken::decode(&page.encode(), &request), Ok(page));
    }

    #[test]
    fn one_changed_character_is_always_noticed(
        position in positions(),
        place in any::<prop::sample::Index>(),
        other in "[A-Za-z0-9_-]",
    ) {
        let text = Cursor::after(position).to_string();
        let place = place.index(text.len());
        let mut changed = text.clone();
        changed.replace_range(place..=place, &other);
        prop_assume!(changed != text);
        prop_assert!(changed.parse::<Cursor>().is_err());
    }

    #[test]
    fn a_cut_or_lengthened_token_is_always_noticed(position in positions(), more in "[A-Za-z0-9_=-]{1,3}") {
        let text = Revision { ledger: LedgerKind::Registry, position }.to_string();
        for end in 0..text.len() {
            prop_assert!(text[..end].parse::<Revision>().is_err());
        }
        let lengthened = text + &more;
        prop_assert!(lengthened.parse::<Revision>().is_err());
    }

    #[test]
    fn nonsense_never_panics(text in ".{0,80}", payload in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = text.parse::<Cursor>();
        let _ = text.parse::<Revision>();
        let request = RequestDigest::from_bytes([0; 16]);
        let _ = PageToken::decode(&text, &request);
        let _ = seal(TokenKind::Cursor, 1, &payload).parse::<Cursor>();
        let _ = seal(TokenKind::Revision, 1, &payload).parse::<Revision>();
        let _ = PageToken::decode(&seal(TokenKind::Page, 1, &payload), &request);
    }
}

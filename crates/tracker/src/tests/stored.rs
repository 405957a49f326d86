//! Bytes in the tracker's journal that are not the tracker's: it opens with an error, and never panics.

use bytes::Bytes;
use jiff::civil::date;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Actor, CommandId, Entry, Options};
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{Event, FollowedPortfolio, SourceFollowed, SourceReset};
use milepost_types::{Hash, LogId};
use prost::Message;

use super::*;
use crate::tests::registry::project;

fn encoded(event: Event) -> Bytes {
    event.encode_to_vec().into()
}

fn tracker(event: Event) -> Bytes {
    encoded(Event { source: "tracker".into(), ..event })
}

fn followed(portfolio: FollowedPortfolio) -> Bytes {
    let position = World::with_projects(&[]).1.tail();
    let position = Some(milepost_ledger::position_to_proto(&position));
    let followed = SourceFollowed { position, portfolios: vec![portfolio], ..SourceFollowed::default() };
    tracker(Event { payload: Some(Payload::SourceFollowed(followed)), ..Event::default() })
}

#[test]
fn entries_that_are_not_the_trackers_open_with_an_error_and_never_a_panic() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.create("start", Some(date(2021, 5, 27)));
    let good = world.entries.last().unwrap().events[0].clone();
    let of_registry =
        Event { source: "registry".into(), resource: Some(project("road")), ..Event::default() };
    // A milestone whose name is no text.
    let broken =
        [&tracker(Event { subject: START.into(), ..Event::default() })[..], b"\xba\x03\x03\x0a\x01\xff"]
            .concat();
    for (event, what) in [
        (encoded(of_registry), "registry"),
        (encoded(Event { source: "notifier".into(), ..Event::default() }), "notifier"),
        (Bytes::from_static(b"\xff"), "event 0"),
        (good.slice(..good.len() - 2), "event 0"),
        (broken.into(), "event 0"),
        (
            tracker(Event {
                payload: Some(Payload::SourceReset(SourceReset::default())),
                ..Event::default()
            }),
            "a position that is none",
        ),
        (followed(FollowedPortfolio { name: "NO NAME".into(), ..FollowedPortfolio::default() }), "event 0"),
    ] {
        let entry = Entry {
            sequence: 1,
            commit_time: jiff::Timestamp::UNIX_EPOCH,
            actor: Actor::default(),
            command_id: CommandId::Server("s".into()),
            decided_on: vec![],
            portfolio: String::new(),
            events: vec![event],
        };
        let stored = entry.encode(&Hash::ZERO);
        let journal = MemoryJournal::with_entries(LogId::from_bytes([1; 16]), None, vec![stored]);
        let dir = tempfile::tempdir().unwrap();
        let refused = crate::rebuild_store(dir.path(), &journal, &Options::default()).unwrap_err();
        let causes = std::iter::successors(Some(&refused as &dyn std::error::Error), |error| error.source());
        let recorded = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        assert!(
            recorded.contains("tracker") && recorded.contains("entry 1") && recorded.contains(what),
            "{what}: {recorded}"
        );
        assert!(!recorded.contains("panic"), "{recorded}");
    }
}

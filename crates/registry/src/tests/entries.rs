//! Bytes in the registry's journal that are not the registry's: it opens with an error, and never panics.

use bytes::Bytes;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Actor, CommandId, Entry, Options};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::registry::v1::Portfolio;
use milepost_types::{Hash, LogId};
use prost::Message;

#[test]
fn entries_that_are_not_the_registrys_open_with_an_error_and_never_a_panic() {
    let event = |source: &str| {
        let portfolio = Portfolio { name: "portfolios/p".into(), ..Portfolio::default() };
        let resource = Some(Resource::PortfolioResource(portfolio));
        let event = Event { source: source.into(), resource, ..Event::default() };
        Bytes::from(event.encode_to_vec())
    };
    let good = event("registry");
    for (events, what) in [
        (vec![event("tracker")], "event 0: an event of \"tracker\""),
        (vec![event("")], "event 0"),
        (vec![Bytes::from_static(b"\xff")], "event 0"),
        (vec![good.slice(..good.len() - 2)], "event 0"),
        (vec![good, event("notifier")], "event 1: an event of \"notifier\""),
    ] {
        let entry = Entry {
            sequence: 1,
            commit_time: jiff::Timestamp::UNIX_EPOCH,
            actor: Actor::default(),
            command_id: CommandId::Server("s".into()),
            decided_on: vec![],
            portfolio: String::new(),
            events,
        };
        let stored = entry.encode(&Hash::ZERO);
        let journal = MemoryJournal::with_entries(LogId::generate(), None, vec![stored]);
        let dir = tempfile::tempdir().unwrap();
        let refused = crate::rebuild_store(dir.path(), &journal, &Options::default()).unwrap_err();
        let causes = std::iter::successors(Some(&refused as &dyn std::error::Error), |error| error.source());
        let found = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        assert!(
            found.contains("registry") && found.contains("entry 1") && found.contains(what),
            "{what}: {found}"
        );
        assert!(!found.contains("panic"), "{found}");
    }
}

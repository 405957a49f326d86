//! The configuration of the notifier.

use std::time::Duration;

use milepost_client::{ConnectOptions, Endpoint, Transport};
use milepost_service::config::{ByteSize, Found, Rules};
use milepost_service::section;
use milepost_types::LedgerKind;

use crate::error::Error;

section! {
    /// The notifier: the event log and its watchers.
    pub struct Config {
        /// Where the registry is, whose journal is followed (http:// or https://); "none": in this process.
        pub registry_url: Option<String> = Some("http://127.0.0.1:7401".to_owned()),
        /// Where the tracker is, whose journal is followed (http:// or https://); "none": in this process.
        pub tracker_url: Option<String> = Some("http://127.0.0.1:7402".to_owned()),
        /// How many bytes of recent events are kept for watchers that are a little behind; those that
        /// are further behind read from the journal.
        pub recent_bytes: ByteSize = ByteSize::mib(64),
        /// How many recent events are kept at most, each counted once for every distinct selection that
        /// matches it.
        pub recent_events: usize = 262_144,
        /// How many watch streams read from the journal at the same time; more wait for their turn.
        pub readers: usize = 16,
        /// About how long clients are asked to wait before they reconnect when the server stops.
        pub reconnect_after: Duration = Duration::from_secs(1),
        /// About how long a watch stream may last before its client is asked to reconnect, or "none".
        pub max_stream_age: Option<Duration> = None,
    }
}

impl Config {
    /// The configured transport to the registry; `None` if it is in this process.
    ///
    /// # Errors
    /// If its URL is malformed, or the options cannot be used with it.
    pub fn registry(&self, options: &ConnectOptions) -> Result<Option<Transport>, Error> {
        transport(LedgerKind::Registry, self.registry_url.as_deref(), options)
    }

    /// The configured transport to the tracker; `None` if it is in this process.
    ///
    /// # Errors
    /// If its URL is malformed, or the options cannot be used with it.
    pub fn tracker(&self, options: &ConnectOptions) -> Result<Option<Transport>, Error> {
        transport(LedgerKind::Tracker, self.tracker_url.as_deref(), options)
    }
}

fn transport(
    source_kind: LedgerKind,
    url: Option<&str>,
    options: &ConnectOptions,
) -> Result<Option<Transport>, Error> {
    let pool = url.map(|url| Endpoint::parse(url)?.pool_with(options, 1)).transpose();
    Ok(pool.map_err(|source| Error::Source { source_kind, source })?.map(Transport::from))
}

impl Rules for Config {
    fn rules(&self, found: &mut Found<'_>) {
        for (key, url) in [("registry_url", &self.registry_url), ("tracker_url", &self.tracker_url)] {
            if let Some(Err(error)) = url.as_deref().map(Endpoint::parse) {
                found.fault(key, error.to_string());
            }
        }
        found.between("recent_bytes", self.recent_bytes, ByteSize::kib(64), ByteSize::mib(16_384));
        found.between("recent_events", self.recent_events, 1, 100_000_000);
        found.between("readers", self.readers, 1, 512);
        found.between("reconnect_after", self.reconnect_after, Duration::ZERO, Duration::from_secs(600));
        if let Some(age) = self.max_stream_age {
            found.between("max_stream_age", age, Duration::from_secs(1), Duration::from_secs(30 * 86_400));
        }
    }
}

//! What can be set of the tracker.

use std::time::Duration;

use milepost_client::{ConnectOptions, Endpoint, Transport};
use milepost_service::config::{Found, Rules};
use milepost_service::section;

use crate::error::Error;

/// How long a registry may be silent before it is noticed that it does not answer a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

section! {
    /// The tracker: milestones.
    pub struct Config {
        /// Where the registry is, whose journal is followed (http:// or https://); "none": in this process.
        pub registry_url: Option<String> = Some("http://127.0.0.1:7401".to_owned()),
        /// How long a call that needs what the registry knows waits for its answer. An unreachable
        /// registry is announced after this at the latest.
        pub registry_timeout: Duration = Duration::from_secs(2),
        /// How many days a portfolio's current date may be behind the clock and still be caught up with by
        /// itself. Beyond it the tracker stops, says so, and waits until somebody confirms the date by
        /// AdvanceDate: a clock that jumps ahead by years is no reason to call everything overdue.
        pub max_catch_up_days: u32 = 92,
        /// The longest time between two checks of the clock; the next midnight is checked besides.
        pub clock_interval: Duration = Duration::from_secs(60),
    }
}

impl Config {
    /// The way to the registry that is configured; `None` if it is in this process.
    ///
    /// # Errors
    /// If its URL is malformed, or the options cannot be used with it.
    pub fn registry(&self, options: &ConnectOptions) -> Result<Option<Transport>, Error> {
        let Some(url) = &self.registry_url else { return Ok(None) };
        let registry = Endpoint::parse(url).map_err(Error::Registry)?.connect_timeout(CONNECT_TIMEOUT);
        // One connection for the stream of entries and one for questions.
        Ok(Some(registry.pool_with(options, 2).map_err(Error::Registry)?.into()))
    }
}

impl Rules for Config {
    fn rules(&self, found: &mut Found<'_>) {
        if let Some(Err(error)) = self.registry_url.as_deref().map(Endpoint::parse) {
            found.fault("registry_url", error.to_string());
        }
        let (least, most) = (Duration::from_millis(10), Duration::from_secs(60));
        found.between("registry_timeout", self.registry_timeout, least, most);
        found.between("max_catch_up_days", self.max_catch_up_days, 1, 36_500);
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(3600));
        found.between("clock_interval", self.clock_interval, least, most);
    }
}

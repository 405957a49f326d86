//! How often callers may call: rates of principals that are known, and of addresses whose credentials are refused.
//!
//! Invariants: nothing is limited by who calls unless that is proved; a principal's rate does not depend on another's, and
//! an address that sends bad credentials still has its good ones taken: only what was refused anyway is answered by the
//! limit. Memory is bounded: at most about [`KEYS`] have a rate of their own; while there are more, all share one.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use milepost_proto::error::v1::Reason;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::sync::Notify;
use tonic::{Code, Status};

use crate::config::server::Limits;
use crate::status::Answer;
use crate::telemetry::Metrics;

/// Calls that a limit refused.
pub const REFUSED_TOTAL: &str = "milepost_limits_refused_total";

/// Principals, or addresses, that have a rate of their own.
const KEYS: usize = 65_536;
/// How long after those were forgotten that need not be remembered, others may be.
const SWEEP: Duration = Duration::from_secs(1);
/// Bits of an IPv6 address that are one customer's.
const IPV6_PREFIX: u32 = 64;

/// The rate of each of many.
struct Rates<K: Eq + Hash + Clone> {
    each: RateLimiter<K, HashMapStateStore<K>, DefaultClock>,
    /// Of all, while there are more than may have one of their own.
    others: DefaultDirectRateLimiter,
    clock: DefaultClock,
    keys: usize,
    /// When those were last forgotten that have not come for long.
    swept: Mutex<Instant>,
}

impl<K: Eq + Hash + Clone> Rates<K> {
    fn new(per_second: u32, burst: u32, keys: usize) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
        let clock = DefaultClock::default();
        Self {
            each: RateLimiter::hashmap_with_clock(quota, clock.clone()),
            others: RateLimiter::direct(quota),
            clock,
            keys,
            swept: Mutex::new(Instant::now()),
        }
    }

    /// Counts one; or how long it is too early.
    fn check(&self, key: &K) -> Result<(), Duration> {
        if self.each.len() >= self.keys {
            self.sweep();
        }
        let early = if self.each.len() < self.keys { self.each.check_key(key) } else { self.others.check() };
        early.map_err(|early| early.wait_time_from(self.clock.now()))
    }
}

impl<K: Eq + Hash + Clone> Rates<K> {
    /// Those that have not come for long have their whole burst again, and need not be remembered. It looks at all of
    /// them, so not often.
    fn sweep(&self) {
        let mut swept = self.swept.lock();
        if swept.elapsed() >= SWEEP {
            self.each.retain_recent();
            *swept = Instant::now();
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    what: &'static str,
}

/// The limits of a port where it is known who calls.
pub(crate) struct Callers {
    limits: Limits,
    calls: Rates<String>,
    refusals: Rates<IpAddr>,
    streams: Arc<Mutex<HashMap<String, usize>>>,
    refused: Family<What, Counter>,
}

impl Callers {
    pub(crate) fn new(limits: &Limits, metrics: &Metrics) -> Self {
        let refused = Family::default();
        metrics.register(REFUSED_TOTAL, "Calls that a limit of their caller refused", refused.clone());
        Self {
            calls: Rates::new(limits.calls_per_second, limits.calls_burst, KEYS),
            refusals: Rates::new(limits.refusals_per_second, limits.refusals_burst, KEYS),
            streams: Arc::default(),
            limits: limits.clone(),
            refused,
        }
    }

    /// Counts a call of a principal.
    ///
    /// # Errors
    /// If it calls too often.
    pub(crate) fn call(&self, principal: &str) -> Result<(), Status> {
        self.calls.check(&principal.to_owned()).map_err(|wait| {
            let limit = self.limits.calls_per_second;
            let message =
                format!("{principal} makes more than {limit} calls a second; send fewer, or try again later");
            self.status("calls_per_second", limit, message, wait)
        })
    }

    /// Counts an open stream of a principal, until what is returned is dropped.
    ///
    /// # Errors
    /// If it has too many.
    pub(crate) fn stream(&self, principal: &str) -> Result<OpenOf, Status> {
        let mut streams = self.streams.lock();
        let open = streams.entry(principal.to_owned()).or_default();
        let limit = self.limits.streams_per_principal;
        if *open >= limit {
            let message = format!("{principal} has {limit} streams open, which is the limit; close some");
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            return Err(self.status("streams_per_principal", limit, message, Duration::from_secs(1)));
        }
        *open += 1;
        Ok(OpenOf { principal: principal.to_owned(), streams: Arc::clone(&self.streams) })
    }

    /// Counts a credential that was refused; the answer to it, unless there were too many: then that.
    pub(crate) fn refusal(&self, address: IpAddr, answer: Status) -> Status {
        match self.refusals.check(&customer(address)) {
            Ok(()) => answer,
            Err(wait) => {
                let limit = self.limits.refusals_per_second;
                let message =
                    "too many credentials from this address were refused; mend them, and try again later";
                self.status("refusals_per_second", limit, message.to_owned(), wait)
            }
        }
    }

    fn status(&self, what: &'static str, limit: u32, message: String, wait: Duration) -> Status {
        self.refused.get_or_create(&What { what }).inc();
        Answer::new(Code::ResourceExhausted, Reason::RateLimited, message)
            .with("what", what)
            .with("limit", limit)
            .retry_after(wait.max(Duration::from_millis(1)))
            .status()
    }
}

/// What addresses have in common that are one customer's.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << (u128::BITS - IPV6_PREFIX);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
        address => address,
    }
}

/// An open stream of a principal.
pub(crate) struct OpenOf {
    principal: String,
    streams: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for OpenOf {
    fn drop(&mut self) {
        let mut streams = self.streams.lock();
        if let Some(open) = streams.get_mut(&self.principal) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.principal);
            }
        }
    }
}

/// The credentials that were refused on a connection. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<(AtomicU32, Notify)>);

impl Refusals {
    /// Counts one; whoever waits for the limit hears of it.
    pub(crate) fn add(&self, limit: u32) {
        let (count, full) = &*self.0;
        if count.fetch_add(1, Ordering::Relaxed) + 1 >= limit {
            full.notify_one();
        }
    }

    /// Returns when there were as many as a connection may have.
    pub(crate) async fn full(&self) {
        self.0.1.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;

    fn callers(change: impl FnOnce(&mut Limits)) -> Callers {
        let mut limits = Limits::default();
        change(&mut limits);
        Callers::new(&limits, &Metrics::new())
    }

    #[test]
    fn a_principal_over_its_rate_hears_when_to_come_again_and_others_go_on() {
        let callers = callers(|limits| (limits.calls_per_second, limits.calls_burst) = (1, 3));
        let refused = (0..10).find_map(|_| callers.call("user:corp/a").err()).expect("a refusal");
        let details = refused.get_error_details();
        let wait = details.retry_info().and_then(|info| info.retry_delay).expect("a delay");
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        let info = details.error_info().expect("its reason");
        assert_eq!(
            (info.reason.as_str(), info.metadata["what"].as_str()),
            ("RATE_LIMITED", "calls_per_second")
        );
        assert!(callers.call("user:corp/b").is_ok());
    }

    #[test]
    fn streams_count_while_they_are_open() {
        let callers = callers(|limits| limits.streams_per_principal = 2);
        let first = callers.stream("user:corp/a").unwrap();
        let _second = callers.stream("user:corp/a").unwrap();
        assert!(callers.stream("user:corp/a").is_err() && callers.stream("user:corp/b").is_ok());
        drop(first);
        assert!(callers.stream("user:corp/a").is_ok());
        drop(_second);
        assert!(callers.streams.lock().is_empty(), "nothing is kept of who has none");
    }

    #[test]
    fn refused_credentials_of_one_customer_are_answered_by_the_limit_and_others_as_ever() {
        let callers = callers(|limits| (limits.refusals_per_second, limits.refusals_burst) = (1, 5));
        let refuse =
            |address: &str| callers.refusal(address.parse().unwrap(), Status::unauthenticated("no")).code();
        let limited =
            (0..50).filter(|i| refuse(&format!("2001:db8::{i:x}")) == Code::ResourceExhausted).count();
        assert!((40..=45).contains(&limited), "{limited}");
        assert_eq!(refuse("2001:db8:0:1::1"), Code::Unauthenticated);
        assert_eq!(refuse("10.0.0.1"), Code::Unauthenticated);
    }

    #[test]
    fn a_million_keys_take_the_memory_of_few() {
        let rates = Rates::new(1, 1, 1000);
        for key in 0..1_000_000_u64 {
            let _ = rates.check(&key);
        }
        assert!(rates.each.len() <= 1000, "{}", rates.each.len());
    }
}

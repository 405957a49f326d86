//! How often callers may call: rates of principals that are known, and of addresses whose credentials are refused.
//!
//! Invariants: nothing is limited by who calls unless that is proved; a principal's rate does not depend on another's, and
//! an address that sends bad credentials still has its good ones taken: only what was refused anyway is answered by the
//! limit. Memory is bounded: at most [`KEYS`] have a rate of their own; those that come while there is no room share one.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};
use milepost_proto::error::v1::Reason;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::sync::Notify;
use tonic::{Code, Status};

use crate::config::ByteSize;
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

/// What was counted of each of many, and of all that came when there was no room for them.
struct Counts<K> {
    each: HashMap<K, Nanos>,
    others: Option<Nanos>,
    keys: usize,
    /// When those were last forgotten that have not come for long.
    swept: Instant,
}

impl<K: Eq + Hash> Counts<K> {
    /// Whether one that is not known has no room, and some may be forgotten for it.
    fn is_to_be_swept(&self) -> bool {
        self.each.len() >= self.keys && self.swept.elapsed() >= SWEEP
    }
}

/// The counts, as the library wants them; clones share them.
#[derive(Clone)]
struct Store<K>(Arc<Mutex<Counts<K>>>);

impl<K: Eq + Hash + Clone> StateStore for Store<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut counts = self.0.lock();
        if let Some(count) = counts.each.get_mut(key) {
            let (outcome, next) = measure(Some(*count))?;
            *count = next;
            return Ok(outcome);
        }
        if counts.each.len() < counts.keys {
            let (outcome, first) = measure(None)?;
            counts.each.insert(key.clone(), first);
            return Ok(outcome);
        }
        let (outcome, next) = measure(counts.others)?;
        counts.others = Some(next);
        Ok(outcome)
    }
}

impl<K: Eq + Hash + Clone> ShrinkableKeyedStateStore<K> for Store<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut counts = self.0.lock();
        counts.each.retain(|_, count| *count >= drop_below);
        counts.swept = Instant::now();
    }

    fn len(&self) -> usize {
        self.0.lock().each.len()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().each.is_empty()
    }
}

/// The rate of each of many.
struct Rates<K: Eq + Hash + Clone> {
    limiter: RateLimiter<K, Store<K>, DefaultClock>,
    store: Store<K>,
    clock: DefaultClock,
}

impl<K: Eq + Hash + Clone> Rates<K> {
    fn new(per_second: u32, burst: u32, keys: usize) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
        let (clock, counts) = (DefaultClock::default(), HashMap::new());
        let counts = Counts { each: counts, others: None, keys, swept: Instant::now() };
        let store = Store(Arc::new(Mutex::new(counts)));
        Self { limiter: RateLimiter::new(quota, store.clone(), clock.clone()), store, clock }
    }

    /// Counts one; or how long it is too early.
    fn check(&self, key: &K) -> Result<(), Duration> {
        self.check_many(key, NonZeroU32::MIN)
    }

    /// Counts so many; or how long it is too early for them. More than the burst is never in time.
    fn check_many(&self, key: &K, many: NonZeroU32) -> Result<(), Duration> {
        let is_to_be_swept = self.store.0.lock().is_to_be_swept();
        if is_to_be_swept {
            // Those that have not come for long have their whole burst again, and need not be remembered. It looks at
            // all of them, so not often.
            self.limiter.retain_recent();
        }
        match self.limiter.check_key_n(key, many) {
            Ok(checked) => checked.map_err(|early| early.wait_time_from(self.clock.now())),
            Err(_) => Err(Duration::from_secs(1)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

/// Calls of a principal.
const CALLS: &str = "calls_per_second";
/// Bytes of the messages of a principal.
const BYTES: &str = "bytes_per_second";
/// Open streams of a principal.
const STREAMS: &str = "streams_per_principal";
/// Refused credentials of an address.
const REFUSALS: &str = "refusals_per_second";

/// The limits of a port where it is known who calls.
pub(crate) struct Callers {
    limits: Limits,
    calls: Rates<String>,
    bytes: Rates<String>,
    refusals: Rates<IpAddr>,
    streams: Arc<Mutex<HashMap<String, usize>>>,
    refused: Family<LimitLabel, Counter>,
}

impl Callers {
    pub(crate) fn new(limits: &Limits, metrics: &Metrics) -> Self {
        let refused = Family::default();
        for limit in [CALLS, BYTES, STREAMS, REFUSALS] {
            let _ = refused.get_or_create(&LimitLabel { limit });
        }
        metrics.register(REFUSED_TOTAL, "Calls that a limit of their caller refused", refused.clone());
        Self {
            calls: Rates::new(limits.calls_per_second, limits.calls_burst, KEYS),
            bytes: Rates::new(length(limits.bytes_per_second), length(limits.bytes_burst), KEYS),
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
    pub(crate) fn call(&self, principal: &String) -> Result<(), Status> {
        self.calls.check(principal).map_err(|wait| {
            let limit = self.limits.calls_per_second;
            let message =
                format!("{principal} makes more than {limit} calls a second; send fewer, or try again later");
            self.status(CALLS, limit, message, wait)
        })
    }

    /// Counts bytes that a principal has sent.
    ///
    /// # Errors
    /// If it sends too many.
    pub(crate) fn bytes(&self, principal: &String, bytes: usize) -> Result<(), Status> {
        let Some(many) = NonZeroU32::new(u32::try_from(bytes).unwrap_or(u32::MAX)) else { return Ok(()) };
        self.bytes.check_many(principal, many).map_err(|wait| {
            let limit = self.limits.bytes_per_second;
            let message =
                format!("{principal} sends more than {limit} a second; send less, or try again later");
            self.status(BYTES, length(limit), message, wait)
        })
    }

    /// Counts an open stream of a principal, until what is returned is dropped.
    ///
    /// # Errors
    /// If it has too many.
    pub(crate) fn stream(&self, principal: &str) -> Result<PrincipalStream, Status> {
        let mut streams = self.streams.lock();
        let open = streams.entry(principal.to_owned()).or_default();
        let limit = self.limits.streams_per_principal;
        if *open >= limit {
            let message = format!("{principal} has {limit} streams open, which is the limit; close some");
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            return Err(self.status(STREAMS, limit, message, Duration::from_secs(1)));
        }
        *open += 1;
        Ok(PrincipalStream { principal: principal.to_owned(), streams: Arc::clone(&self.streams) })
    }

    /// Counts a credential that was refused; the answer to it, unless there were too many: then that.
    pub(crate) fn refusal(&self, address: IpAddr, answer: Status) -> Status {
        match self.refusals.check(&customer(address)) {
            Ok(()) => answer,
            Err(wait) => {
                let limit = self.limits.refusals_per_second;
                let message =
                    "too many credentials from this address were refused; mend them, and try again later";
                self.status(REFUSALS, limit, message.to_owned(), wait)
            }
        }
    }

    fn status(&self, what: &'static str, limit: u32, message: String, wait: Duration) -> Status {
        self.refused.get_or_create(&LimitLabel { limit: what }).inc();
        Answer::new(Code::ResourceExhausted, Reason::RateLimited, message)
            .with("what", what)
            .with("limit", limit)
            .retry_after(wait.max(Duration::from_millis(1)))
            .status()
    }
}

fn length(size: ByteSize) -> u32 {
    u32::try_from(size.0).unwrap_or(u32::MAX)
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
pub(crate) struct PrincipalStream {
    principal: String,
    streams: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for PrincipalStream {
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
        let refused = (0..10).find_map(|_| callers.call(&"user:corp/a".to_owned()).err()).expect("a refusal");
        let details = refused.get_error_details();
        let wait = details.retry_info().and_then(|info| info.retry_delay).expect("a delay");
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        let info = details.error_info().expect("its reason");
        assert_eq!(
            (info.reason.as_str(), info.metadata["what"].as_str()),
            ("RATE_LIMITED", "calls_per_second")
        );
        assert!(callers.call(&"user:corp/b".to_owned()).is_ok());
    }

    #[test]
    fn bytes_count_for_the_principal_that_sends_them_also_more_than_there_could_ever_be() {
        let callers = callers(|limits| {
            (limits.bytes_per_second, limits.bytes_burst) = (ByteSize::kib(1), ByteSize::kib(4));
        });
        let ann = "user:corp/a".to_owned();
        assert!(callers.bytes(&ann, 0).is_ok() && callers.bytes(&ann, 3000).is_ok());
        for too_many in [3000, 1 << 20] {
            let refused = callers.bytes(&ann, too_many).expect_err("a refusal");
            let details = refused.get_error_details();
            assert!(details.retry_info().and_then(|info| info.retry_delay) > Some(Duration::ZERO));
            assert_eq!(details.error_info().expect("its reason").metadata["what"], "bytes_per_second");
        }
        assert!(callers.bytes(&"user:corp/b".to_owned(), 3000).is_ok());
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
    fn a_million_keys_take_the_memory_of_few_and_one_that_was_there_keeps_its_rate() {
        // So much is used of the first one's burst that a sweep forgets it after 3,000 s only: no machine is that slow.
        let (burst, used) = (3600, 3000);
        let rates = Rates::new(1, burst, 1000);
        assert!((0..used).all(|_| rates.check(&0).is_ok()));
        let refused = (1..1_000_000_u64).filter(|key| rates.check(key).is_err()).count();
        // Others are forgotten in a second, so that there may be fewer, and a few hundred more may have a rate of their own.
        assert!(rates.store.len() <= 1000, "{}", rates.store.len());
        assert!(refused > 500_000, "they share one rate: {refused}");
        let left = (0..burst).filter(|_| rates.check(&0).is_ok()).count();
        let own = (burst - used) as usize..burst as usize;
        assert!(own.contains(&left), "the others used up what they share, not what is its own: {left}");
    }
}

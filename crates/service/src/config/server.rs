//! The configuration every Milepost server has, whichever services run in it.
//!
//! A service's own section stands beside these keys in one tree (`[tracker]`, `[notifier]`); see
//! `deploy/config/` for an example of each role. Every key here has one reader, named in its section.

use super::access::Access;
use super::audit::Audit;
use super::backup::Backup;
use super::section::{Found, Rules};
use super::tls::Tls;
use super::traces::Traces;
use super::units::ByteSize;
use super::upstream::Upstream;
use crate::{choice, section};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// What every server has. The host reads the addresses and the drain timeout.
    pub struct Server {
        /// The address and port that serves gRPC; port 0 takes a free one. One that other machines reach
        /// needs TLS and authentication.
        pub listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 7400)),
        /// The address and port of metrics and probes (/metrics, /healthz, /readyz), or "none".
        pub admin_listen: Option<SocketAddr> = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 7410))),
        /// Serves other machines without TLS or without authentication: everyone who reaches the port may
        /// read, and may write in any name. Only for networks in which all are trusted.
        pub insecure_network: bool = false,
        /// The directory of the journals and stores; made if it is missing. One process at a time.
        pub data_dir: PathBuf = PathBuf::from("milepost-data"),
        /// How long a stopping server waits for open calls and streams before it drops them.
        pub drain_timeout: Duration = Duration::from_secs(20),
        /// What is logged, and how. Logs go to standard error.
        pub log: Log = Log::default(),
        /// Traces of calls, for a collector of OpenTelemetry.
        pub traces: Traces = Traces::default(),
        /// The limits of requests.
        pub limits: Limits = Limits::default(),
        /// How connections that went silent are noticed.
        pub keepalive: Keepalive = Keepalive::default(),
        /// TLS of the gRPC port.
        pub tls: Tls = Tls::default(),
        /// How the servers are reached whose journals are followed.
        pub upstream: Upstream = Upstream::default(),
        /// The journals: the truth, in append-only files.
        pub journal: Journal = Journal::default(),
        /// The ledgers: how commands become durable, and the stores derived from the journals.
        pub ledger: Ledger = Ledger::default(),
        /// Who can prove who they are, and how. Without any of it, callers are trusted to say who they are.
        pub access: Access = Access::default(),
        /// What is recorded of refused credentials, denied calls and changes of access.
        pub audit: Audit = Audit::default(),
        /// Backups of the journals.
        pub backup: Backup = Backup::default(),
    }
}

impl Rules for Server {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("drain_timeout", self.drain_timeout, Duration::ZERO, Duration::from_secs(3600));
        let shared = self.listen.port() != 0 && self.admin_listen == Some(self.listen);
        if shared {
            found.fault("admin_listen", format!("{} is the address that gRPC listens on", self.listen));
        }
        self.refuse_open_network(found, self.tls.is_on(), self.has_authentication());
    }
}

impl Server {
    /// Whether other machines may reach the gRPC port although it lacks TLS or authentication.
    pub fn is_open_network(&self) -> bool {
        self.is_open(self.tls.is_on(), self.has_authentication())
    }

    fn has_authentication(&self) -> bool {
        self.access.is_configured()
    }

    fn is_open(&self, tls: bool, authentication: bool) -> bool {
        let is_local = self.listen.ip().to_canonical().is_loopback();
        let is_safe = is_local || (tls && authentication);
        !is_safe
    }

    /// Reports an address that other machines reach without TLS and authentication, unless that is wanted.
    fn refuse_open_network(&self, found: &mut Found<'_>, tls: bool, authentication: bool) {
        if self.insecure_network || !self.is_open(tls, authentication) {
            return;
        }
        let missing = match (tls, authentication) {
            (true, _) => "authentication (section access)",
            (_, true) => "TLS (tls.certificate and tls.key)",
            _ => "TLS (tls.certificate and tls.key) and authentication (section access)",
        };
        let message = format!(
            "other machines may reach {}, which needs {missing}; give that, listen on 127.0.0.1, or set \
             insecure_network = true if everyone in that network may read and write everything",
            self.listen
        );
        found.fault("listen", message);
    }
}

choice! {
    /// The form of log lines.
    pub enum LogFormat {
        /// For people: one line with fields after the message.
        Human = "human",
        /// For machines: one JSON object a line.
        Json = "json",
    }
}

section! {
    /// What is logged, and how. Read by `telemetry`.
    pub struct Log {
        /// The form of the lines: "human" or "json".
        pub format: LogFormat = LogFormat::Human,
        /// Which lines: a level (error, warn, info, debug, trace), or directives such as
        /// "info,milepost_ledger=debug".
        pub filter: String = "info".to_owned(),
    }
}

impl Rules for Log {
    fn rules(&self, found: &mut Found<'_>) {
        if let Err(error) = crate::telemetry::parse_filter(&self.filter) {
            found.fault("filter", format!("{:?} is not a filter: {error}", self.filter));
        }
    }
}

section! {
    /// The limits of requests. Read by the host.
    pub struct Limits {
        /// The largest message that a caller may send.
        pub max_request_bytes: ByteSize = ByteSize::mib(16),
        /// How many calls may be open at once, streams included, over all connections; a call beyond
        /// it is answered RESOURCE_EXHAUSTED. An idle stream takes a few KiB.
        pub max_calls: usize = 20_000,
        /// How many connections may be open at once; one beyond it gets an error and is closed at once.
        pub max_connections: usize = 10_000,
        /// How many calls a principal may make in a second, once its burst is used up; one more is answered
        /// RATE_LIMITED. This and the next six hold where it is configured who can prove who they are.
        pub calls_per_second: u32 = 5_000,
        /// How many calls a principal may make at once after a rest.
        pub calls_burst: u32 = 20_000,
        /// How much a principal may send in a second, once its burst is used up; a message beyond it is answered
        /// RATE_LIMITED, before it is read to its end.
        pub bytes_per_second: ByteSize = ByteSize::mib(32),
        /// How much a principal may send at once after a rest; at least the largest message.
        pub bytes_burst: ByteSize = ByteSize::mib(256),
        /// How many streams a principal may have open; watching is a stream.
        pub streams_per_principal: usize = 1_000,
        /// How many credentials an address (of IPv6: a /64) may send in a second that are refused, once its burst
        /// is used up; one more is answered RATE_LIMITED. Good credentials of the same address are taken.
        pub refusals_per_second: u32 = 10,
        /// How many credentials of an address may be refused at once after a rest.
        pub refusals_burst: u32 = 100,
        /// How many credentials may be refused on a connection before it is closed.
        pub refusals_per_connection: u32 = 100,
        /// The deadline of a unary call whose caller gave none.
        pub unary_timeout: Duration = Duration::from_secs(30),
        /// The longest deadline of a unary call, whatever its caller gave.
        pub unary_timeout_max: Duration = Duration::from_secs(300),
    }
}

impl Rules for Limits {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("max_request_bytes", self.max_request_bytes, ByteSize::kib(64), ByteSize::mib(64));
        found.between("max_calls", self.max_calls, 1, 1_000_000);
        found.between("max_connections", self.max_connections, 1, 1_000_000);
        found.between("calls_per_second", self.calls_per_second, 1, 1_000_000);
        found.between("calls_burst", self.calls_burst, 1, 10_000_000);
        // A byte takes a whole number of nanoseconds: of more than this it would not be true.
        found.between("bytes_per_second", self.bytes_per_second, ByteSize::kib(1), ByteSize::mib(100));
        let most = ByteSize::mib(4095);
        found.between("bytes_burst", self.bytes_burst, self.max_request_bytes.min(most), most);
        found.between("streams_per_principal", self.streams_per_principal, 1, 1_000_000);
        found.between("refusals_per_second", self.refusals_per_second, 1, 1_000_000);
        found.between("refusals_burst", self.refusals_burst, 1, 1_000_000);
        found.between("refusals_per_connection", self.refusals_per_connection, 1, 1_000_000);
        let (least, most) = (Duration::from_millis(1), Duration::from_secs(86_400));
        found.between("unary_timeout", self.unary_timeout, least, most);
        found.between(
            "unary_timeout_max",
            self.unary_timeout_max,
            self.unary_timeout.clamp(least, most),
            most,
        );
    }
}

section! {
    /// How connections that went silent are noticed. Read by the host.
    pub struct Keepalive {
        /// How long a connection may be silent before it is asked for a sign of life (HTTP/2 PING).
        pub interval: Duration = Duration::from_secs(30),
        /// How long that sign may take before the connection is closed. A connection whose other side
        /// takes nothing of what is sent to it for both times together is closed too.
        pub timeout: Duration = Duration::from_secs(20),
        /// How long a new connection may take to say that it speaks HTTP/2 before it is closed.
        pub preface_timeout: Duration = Duration::from_secs(10),
        /// How long a new connection may take to its first call before it is closed. One that has had a
        /// call stays open, however long it is idle.
        pub first_call_timeout: Duration = Duration::from_secs(60),
        /// How long, while the server stops, nothing may move on a connection without a call that is
        /// being answered before it is closed: its other side does not read.
        pub drain_grace: Duration = Duration::from_secs(2),
    }
}

impl Rules for Keepalive {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("interval", self.interval, Duration::from_secs(1), Duration::from_secs(7200));
        found.between("timeout", self.timeout, Duration::from_secs(1), Duration::from_secs(600));
        let (least, most) = (Duration::from_millis(10), Duration::from_secs(3600));
        found.between("preface_timeout", self.preface_timeout, least, most);
        let least = self.preface_timeout.clamp(least, most);
        found.between("first_call_timeout", self.first_call_timeout, least, most);
        let (least, most) = (Duration::from_millis(10), Duration::from_secs(60));
        found.between("drain_grace", self.drain_grace, least, most);
    }
}

section! {
    /// The journals: the truth, in append-only files under `data_dir`. Read by `ledger::file_options`.
    pub struct Journal {
        /// The size of one segment file, which is allocated at once.
        pub segment_bytes: ByteSize = ByteSize::mib(64),
        /// Writes are refused (DISK_LOW) while the disk has less room than this; reads go on.
        pub min_free_bytes: ByteSize = ByteSize::mib(256),
        /// The newest entries kept in memory, of each journal, for followers and watchers.
        pub cache_bytes: ByteSize = ByteSize::mib(8),
    }
}

impl Rules for Journal {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("segment_bytes", self.segment_bytes, ByteSize::mib(1), ByteSize::mib(4096));
        found.between("cache_bytes", self.cache_bytes, ByteSize(0), ByteSize::mib(16_384));
    }
}

section! {
    /// The ledgers: how commands become durable, and the stores derived from the journals. Read by
    /// `ledger::ledger_options`.
    pub struct Ledger {
        /// How many commands one group commit takes at most.
        pub group_size: usize = 1024,
        /// How many commands may wait to be decided. Others wait outside; one that finds no place
        /// before its deadline is answered RESOURCE_EXHAUSTED.
        pub queue_bound: usize = 4096,
        /// With how many rows not yet in the store a checkpoint begins, which writes them; a crash
        /// replays what came after it.
        pub checkpoint_rows: usize = 100_000,
        /// How much may be put into the rows not yet in the store before writers wait for the
        /// checkpoint, which begins at half of it.
        pub memory_table_bytes: ByteSize = ByteSize::mib(64),
        /// The rows of each store kept in memory; the store itself takes as much again.
        pub cache_bytes: ByteSize = ByteSize::mib(64),
        /// The largest entry, which is what one command does.
        pub max_entry_bytes: ByteSize = ByteSize::mib(64),
        /// How many request ids are remembered, so that a call that is sent again has its first
        /// outcome; fewer only if they are older than the window.
        pub max_request_ids: usize = 262_144,
        /// How long a request id is remembered.
        pub request_id_window: Duration = Duration::from_secs(86_400),
    }
}

impl Rules for Ledger {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("group_size", self.group_size, 1, 100_000);
        found.between("queue_bound", self.queue_bound, 1, 1_000_000);
        found.between("checkpoint_rows", self.checkpoint_rows, 1, 10_000_000);
        found.between("memory_table_bytes", self.memory_table_bytes, ByteSize::mib(1), ByteSize::mib(16_384));
        found.between("cache_bytes", self.cache_bytes, ByteSize::mib(1), ByteSize::mib(65_536));
        // What rules of timelines make of one event of a day fits the least. Followers take entries of 256 MiB, and two
        // of them fit in one block of the journal.
        found.between("max_entry_bytes", self.max_entry_bytes, ByteSize::mib(16), ByteSize::mib(256));
        found.between("max_request_ids", self.max_request_ids, 0, 100_000_000);
        found.between(
            "request_id_window",
            self.request_id_window,
            Duration::ZERO,
            Duration::from_secs(30 * 86_400),
        );
    }
}

//! From the files of TLS to what handshakes use.
//!
//! Invariant: what is loaded works: the key is that of the certificate, no certificate of the chain has expired, and
//! others cannot read the key. Every fault is found, each with the key of the configuration that names the file.
//! Where clients show certificates, no session is resumed: a resumed one would not be verified again.

use super::certificate::read;
use super::verify::ClientVerifier;
use crate::config::tls::Tls as Files;
use jiff::Timestamp;
use milepost_types::{Clock, SystemClock, without_number};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// More than any chain of certificates takes.
const FILE_BYTES: u64 = 1 << 20;
/// What others may not do with a key: everything; and its group may not write it.
const FORBIDDEN: u32 = 0o027;

/// Something that is wrong with a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The key of section `tls` that names the file.
    pub(crate) key: &'static str,
    pub(crate) message: String,
}

/// Every fault of the files by the system's clock.
pub(crate) fn faults(files: &Files) -> Vec<Fault> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Contents::read(files).load(files, &clock).err().unwrap_or_default()
}

/// The content of a file, or why it cannot be read or used.
type Content = Result<Vec<u8>, String>;

/// What the files held at one moment.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Content,
    key: Content,
    client_ca: Option<Content>,
}

/// What handshakes use.
pub(super) struct Loaded {
    pub(super) config: Arc<ServerConfig>,
    /// When the first certificate of the chain expires.
    pub(super) not_after: Timestamp,
    /// Verifies client certificates, if they are asked for.
    pub(super) clients: Option<Arc<ClientVerifier>>,
}

impl Contents {
    /// Reads the files. Blocks.
    pub(super) fn read(files: &Files) -> Self {
        let required = |path: &Option<PathBuf>, forbidden| match path {
            Some(path) => content(path, forbidden),
            None => Err("it is not given".to_owned()),
        };
        Self {
            certificate: required(&files.certificate, 0),
            key: required(&files.key, FORBIDDEN),
            client_ca: files.client_ca.as_deref().map(|path| content(path, 0)),
        }
    }

    /// What handshakes use from these on.
    ///
    /// # Errors
    /// Every fault.
    pub(super) fn load(&self, files: &Files, clock: &Arc<dyn Clock>) -> Result<Loaded, Vec<Fault>> {
        let provider = Arc::new(default_provider());
        let chain = self.chain(clock.now());
        let key = self.key.clone().and_then(|pem| key(&pem));
        let clients = self.client_ca.as_ref().map(|content| {
            let authorities = authorities(&content.clone()?)?;
            ClientVerifier::new(authorities, &provider).map(Arc::new).map_err(|error| error.to_string())
        });
        match (chain, key, clients.transpose()) {
            (Ok((chain, not_after)), Ok(key), Ok(clients)) => {
                let config = config(chain, key, clients.clone(), &provider, clock).map_err(|error| {
                    let path = files.certificate.as_deref().unwrap_or(Path::new("")).display();
                    vec![Fault { key: "key", message: format!("it does not fit to {path}: {error}") }]
                })?;
                Ok(Loaded { config: Arc::new(config), not_after, clients })
            }
            (chain, key, clients) => {
                let faults = [("certificate", chain.err()), ("key", key.err()), ("client_ca", clients.err())];
                let fault =
                    |(key, message): (_, Option<String>)| message.map(|message| Fault { key, message });
                Err(faults.into_iter().filter_map(fault).collect())
            }
        }
    }

    /// The chain of certificates, and when the first of them expires.
    fn chain(&self, now: Timestamp) -> Result<(Vec<CertificateDer<'static>>, Timestamp), String> {
        let chain = certificates(&self.certificate.clone()?)?;
        let mut not_after = Timestamp::MAX;
        for certificate in &chain {
            let read = read(certificate)?;
            if read.not_before > now {
                return Err(format!("a certificate in it is not valid before {}", read.not_before));
            }
            if read.not_after < now {
                return Err(format!("a certificate in it expired at {}: renew it", read.not_after));
            }
            not_after = not_after.min(read.not_after);
        }
        Ok((chain, not_after))
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<Arc<ClientVerifier>>,
    provider: &Arc<CryptoProvider>,
    clock: &Arc<dyn Clock>,
) -> Result<ServerConfig, rustls::Error> {
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    let builder = ServerConfig::builder_with_details(Arc::clone(provider), time);
    let builder = builder.with_safe_default_protocol_versions()?;
    let has_clients = clients.is_some();
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    if has_clients {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// The content of a file that others may not do these things with.
fn content(path: &Path, forbidden: u32) -> Content {
    let display = path.display();
    let unreadable =
        |error: io::Error| format!("{display} cannot be read: {}", without_number(&error.to_string()));
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & forbidden != 0 {
        return Err(format!(
            "others may read or change {display}, which has mode {mode:04o}: give it mode 0600, or 0640 for a group"
        ));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 > FILE_BYTES {
        true => Err(format!("{display} has more than {FILE_BYTES} bytes: it is no PEM file")),
        false => Ok(bytes),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("there is no PEM certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("it is no whole PEM file of certificates: {error}")),
    }
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| format!("it is no whole PEM file of a key: {error}"))
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(pem)? {
        authorities
            .add(certificate)
            .map_err(|error| format!("a certificate in it is not usable: {error}"))?;
    }
    Ok(authorities)
}

/// The clock as handshakes ask for the time.
struct ClockTime(Arc<dyn Clock>);

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.now()))
    }
}

/// A time as verifiers take it; those before 1970 are 1970.
pub(super) fn unix_time(time: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, DAY, Home, Usage};
    use super::*;
    use milepost_types::ManualClock;
    use std::fs::{Permissions, set_permissions};

    const NOW_SECONDS: i64 = 1_780_000_000;

    fn load(home: &Home) -> Result<Loaded, Vec<(&'static str, String)>> {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_second(NOW_SECONDS).unwrap()));
        let loaded = Contents::read(&home.files()).load(&home.files(), &clock);
        loaded.map_err(|faults| faults.into_iter().map(|fault| (fault.key, fault.message)).collect())
    }

    /// The faults, of which each is of this key and says this.
    #[track_caller]
    fn assert_faults(home: &Home, expected: &[(&str, &str)]) {
        let faults = load(home).err().unwrap_or_default();
        let is_said =
            |((key, said), (of, part)): (&(&str, String), &(&str, &str))| key == of && said.contains(part);
        assert!(
            faults.len() == expected.len() && faults.iter().zip(expected).all(is_said),
            "{faults:?} is not {expected:?}"
        );
    }

    fn home() -> (Authority, Home) {
        let authority = Authority::new("servers");
        let now = Timestamp::from_second(NOW_SECONDS).unwrap();
        let pair = authority.issue(Usage::Server, &[], now - DAY, now + DAY);
        let home = Home::new(&pair, Some(&authority.pem));
        (authority, home)
    }

    #[test]
    fn whole_files_are_loaded_and_sessions_of_clients_are_not_resumed() {
        let (_, home) = home();
        let loaded = load(&home).map_err(|faults| format!("{faults:?}")).unwrap();
        assert_eq!(loaded.not_after.as_second(), NOW_SECONDS + DAY.as_secs());
        assert!(loaded.clients.is_some());
        assert_eq!(loaded.config.send_tls13_tickets, 0);
        assert!(!loaded.config.session_storage.can_cache() && !loaded.config.ticketer.enabled());
        assert_eq!(loaded.config.alpn_protocols, [b"h2"]);
    }

    #[test]
    fn every_fault_of_the_files_is_named_with_the_key_of_each() {
        let (authority, home) = home();
        let now = Timestamp::from_second(NOW_SECONDS).unwrap();
        home.write("clients.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
        home.write("server.key", "no key");
        home.write("server.pem", "");
        let parts =
            [("certificate", "no PEM certificate"), ("key", "of a key"), ("client_ca", "no whole PEM")];
        assert_faults(&home, &parts);
        home.write("clients.pem", &authority.pem);
        home.put(&authority.issue(Usage::Server, &[], now - DAY * 2, now - DAY));
        assert_faults(&home, &[("certificate", "expired at 2026-05-27")]);
        home.put(&authority.issue(Usage::Server, &[], now + DAY, now + DAY * 2));
        assert_faults(&home, &[("certificate", "not valid before 2026-05-29")]);
        let other = authority.issue(Usage::Server, &[], now - DAY, now + DAY);
        home.write("server.pem", &other.certificate);
        assert_faults(&home, &[("key", "it does not fit to")]);
    }

    #[test]
    fn a_key_that_others_may_read_or_change_is_refused() {
        let (_, home) = home();
        for (mode, is_refused) in
            [(0o600, false), (0o400, false), (0o640, false), (0o644, true), (0o660, true), (0o601, true)]
        {
            set_permissions(home.path("server.key"), Permissions::from_mode(mode)).unwrap();
            match is_refused {
                true => assert_faults(&home, &[("key", &format!("which has mode {mode:04o}"))]),
                false => assert!(load(&home).is_ok(), "{mode:04o}"),
            }
        }
    }
}

//! The configuration of TLS: which files the certificate, its key and the CAs of clients are in.
//!
//! Invariant: files that handshakes could not use are faults of the configuration, found before a server starts.
//! The files themselves are read and watched by `host::tls`; nothing here keeps their content.

use std::path::PathBuf;

use super::section::{Found, Rules};
use crate::host::tls::faults;
use crate::section;

section! {
    /// TLS of the gRPC port. Read by the host, which looks every 5 s, and on SIGHUP, whether the content of a
    /// file has changed. The admin port is never encrypted: let only probes and scrapers reach it.
    pub struct Tls {
        /// The certificate of the server and those that lead to its CA, the server's first (PEM); or "none".
        pub certificate: Option<PathBuf> = None,
        /// The private key of the certificate (PEM), which others may neither read nor write; or "none".
        pub key: Option<PathBuf> = None,
        /// The CAs of client certificates (PEM), best a CA for this alone; or "none". Clients are asked for a
        /// certificate. One that is given must be signed by such a CA for client authentication.
        pub client_ca: Option<PathBuf> = None,
    }
}

impl Tls {
    /// Whether the gRPC port speaks TLS.
    pub fn is_on(&self) -> bool {
        self.certificate.is_some()
    }
}

impl Rules for Tls {
    fn rules(&self, found: &mut Found<'_>) {
        match (&self.certificate, &self.key) {
            (Some(_), Some(_)) => {
                for fault in faults(self) {
                    found.fault(fault.key, fault.message);
                }
            }
            (Some(_), None) => found.fault("key", "is missing: give the private key of tls.certificate"),
            (None, Some(_)) => found.fault("certificate", "is missing: give the certificate of tls.key"),
            (None, None) if self.client_ca.is_some() => {
                found.fault("client_ca", "needs TLS: give tls.certificate and tls.key, too");
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::server::Server;
    use crate::config::{Flag, Layers};
    use crate::host::tls::testing::{Authority, DAY, Home, Usage};
    use milepost_types::{Clock, SystemClock};

    /// The faults of a server with these keys.
    fn faults(set: &[(&str, &str)]) -> Vec<String> {
        let flag = |(key, value): &(&str, &str)| Flag {
            flag: format!("--set {key}"),
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        let layers = Layers { flags: set.iter().map(flag).collect(), ..Layers::default() };
        let loaded = layers.load(Server::default());
        loaded.err().map_or_else(Vec::new, |faults| faults.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn half_of_a_pair_and_a_ca_of_clients_alone_are_faults() {
        for (key, missing) in
            [("tls.certificate", "tls.key: is missing"), ("tls.key", "tls.certificate: is missing")]
        {
            let faults = faults(&[(key, "/no/such/file")]);
            assert!(matches!(&faults[..], [fault] if fault.contains(missing)), "{faults:?}");
        }
        let faults = faults(&[("tls.client_ca", "/no/such/file")]);
        assert!(matches!(&faults[..], [fault] if fault.contains("tls.client_ca: needs TLS")), "{faults:?}");
    }

    #[test]
    fn files_that_cannot_be_used_are_faults_of_their_keys() {
        let all = [("tls.certificate", "/no/a"), ("tls.key", "/no/b"), ("tls.client_ca", "/no/c")];
        let faults = faults(&all);
        assert_eq!(faults.len(), 3, "{faults:?}");
        for (fault, (key, path)) in faults.iter().zip(all) {
            let says = format!("--set {key}: {key}: {path} cannot be read: No such file");
            assert!(fault.starts_with(&says), "{fault}");
        }
    }

    #[test]
    fn an_address_that_others_reach_needs_tls_and_authentication_unless_it_is_wanted_without() {
        let (authority, now) = (Authority::new("servers"), SystemClock.now());
        let home =
            Home::new(&authority.issue(Usage::Server, &[], now - DAY, now + DAY), Some(&authority.pem));
        let path = |name| home.path(name).to_string_lossy().into_owned();
        let (certificate, key) = (path("server.pem"), path("server.key"));
        let tls = [("tls.certificate", certificate.as_str()), ("tls.key", key.as_str())];
        let clients = path("clients.pem");
        let open = |more: &[(&str, &str)]| {
            ["0.0.0.0:7400", "[::]:7400", "192.0.2.1:7400"]
                .map(|listen| faults(&[&[("listen", listen)], more].concat()))
                .concat()
        };
        assert!(open(&[]).iter().all(|fault| fault.contains("needs TLS (tls.certificate and tls.key) and")));
        assert_eq!(open(&[]).len(), 3);
        assert!(open(&tls).iter().all(|fault| fault.contains("needs authentication (section access)")));
        assert_eq!(open(&tls).len(), 3);
        let known = [("tls.client_ca", clients.as_str()), ("access.certificates", "true")];
        assert_eq!(open(&[&tls[..], &known[..1]].concat()).len(), 3, "who is signed by it may do what?");
        assert!(open(&[&tls[..], &known].concat()).is_empty());
        assert!(open(&[("insecure_network", "true")]).is_empty());
        for local in ["127.0.0.1:7400", "[::1]:7400", "[::ffff:127.0.0.1]:7400"] {
            assert!(faults(&[("listen", local)]).is_empty(), "{local}");
        }
    }
}

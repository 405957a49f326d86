//! CAs and the certificates that they sign, as files: what an operator of servers with TLS has.
//!
//! Invariant: keys are readable by their owner only, as servers require. No intermediate CAs and no revocation.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use milepost_types::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};

/// An hour, in seconds.
pub const HOUR: i64 = 3600;

/// A CA, whose own certificate is in a file.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The PEM file of its certificate.
    pub file: PathBuf,
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl Authority {
    /// A new one, whose file is in this directory.
    ///
    /// # Panics
    /// If the file cannot be written; so for `Pair::write`.
    pub fn new(dir: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let file = dir.join(format!("{name}.pem"));
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(&file, certificate.pem()).expect("the file can be written");
        Self { issuer: Issuer::new(params, key), file }
    }

    /// One that is there already, as `{file}.crt` and `{file}.key` of this directory, with this common name.
    ///
    /// # Panics
    /// If its key cannot be read.
    pub fn existing(dir: &Path, file: &str, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = fs::read_to_string(dir.join(format!("{file}.key"))).expect("the key of an authority");
        let key = KeyPair::from_pem(&key).expect("a key");
        Self { issuer: Issuer::new(params, key), file: dir.join(format!("{file}.crt")) }
    }

    /// A certificate of a server on this machine, which expires in so many seconds.
    pub fn server(&self, left_seconds: i64) -> Pair {
        let uris = ["spiffe://office/test"];
        self.issue(&["localhost", "127.0.0.1"], &uris, ExtendedKeyUsagePurpose::ServerAuth, left_seconds)
    }

    /// A certificate of a client, which expires in so many seconds.
    pub fn client(&self, left_seconds: i64) -> Pair {
        self.issue(&[], &["spiffe://office/test"], ExtendedKeyUsagePurpose::ClientAuth, left_seconds)
    }

    /// A certificate of a client with these URIs as alternative names, good for an hour.
    pub fn client_of(&self, uris: &[&str]) -> Pair {
        self.issue(&[], uris, ExtendedKeyUsagePurpose::ClientAuth, HOUR)
    }

    fn issue(
        &self,
        names: &[&str],
        uris: &[&str],
        usage: ExtendedKeyUsagePurpose,
        left_seconds: i64,
    ) -> Pair {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut params = CertificateParams::new(names).expect("names of hosts");
        params.extended_key_usages = vec![usage];
        let uris = uris.iter().map(|uri| SanType::URI((*uri).try_into().expect("a URI")));
        params.subject_alt_names.extend(uris);
        let now = SystemClock.now().as_second();
        let at = |seconds: i64| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.unsigned_abs());
        (params.not_before, params.not_after) = (at(now - 24 * HOUR), at(now + left_seconds));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Pair { certificate, key: key.serialize_pem() }
    }
}

impl Pair {
    /// Writes both into this directory, as `{name}.pem` and `{name}.key`; the two files.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn write(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
        fs::write(&certificate, &self.certificate).expect("the file can be written");
        fs::write(&key, &self.key).expect("the file can be written");
        fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("its mode can be set");
        (certificate, key)
    }
}

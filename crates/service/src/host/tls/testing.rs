//! CAs, certificates and the files that they are in, for tests.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;

use crate::config::tls::Tls as Files;

pub const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    Server,
    Client,
    /// It does not say.
    Any,
}

/// A CA.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub fn certificate_der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()
    }

    /// A certificate of `localhost` with these URIs.
    pub fn issue(&self, usage: Usage, uris: &[&str], from: Timestamp, to: Timestamp) -> Pair {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = match usage {
            Usage::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Usage::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Usage::Any => Vec::new(),
        };
        params.subject_alt_names.extend(uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())));
        let at = |time: Timestamp| {
            date_time_ymd(1970, 1, 1) + Duration::from_secs(time.as_second().unsigned_abs())
        };
        (params.not_before, params.not_after) = (at(from), at(to));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }
}

impl Pair {
    pub fn certificate_der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }
}

/// A directory with the files of a server.
pub struct Home(TempDir);

impl Home {
    pub fn new(pair: &Pair, client_ca: Option<&str>) -> Self {
        let home = Self(TempDir::new().unwrap());
        home.put(pair);
        client_ca.iter().for_each(|pem| home.write("clients.pem", pem));
        home
    }

    pub fn put(&self, pair: &Pair) {
        self.write("server.pem", &pair.certificate);
        self.write("server.key", &pair.key);
    }

    /// Writes a file that only its owner may read, or replaces it: whoever looks sees the one or the other, whole.
    pub fn write(&self, name: &str, text: &str) {
        let written = self.path(&format!("{name}.next"));
        fs::write(&written, text).unwrap();
        fs::set_permissions(&written, Permissions::from_mode(0o600)).unwrap();
        fs::rename(written, self.path(name)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn files(&self) -> Files {
        let path = |name| Some(self.path(name)).filter(|path| path.exists());
        Files { certificate: path("server.pem"), key: path("server.key"), client_ca: path("clients.pem") }
    }
}

//! From files to what handshakes use, for each connection again.
//!
//! Invariant: a file that cannot be used fails the connection with a text that names it; nothing else is used in its
//! place. A session is never resumed, since each connection begins with what the files say now.

use std::io;
use std::path::Path;
use std::sync::Arc;

use milepost_types::without_number;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::Tls;
use super::words::fault;

impl Tls {
    /// What a handshake uses that begins now.
    pub(super) async fn config(&self) -> io::Result<ClientConfig> {
        let trusted = match &self.options.ca {
            Some(path) => Arc::new(authorities(path).await?),
            None => Arc::clone(self.trusted_by_system.get_or_try_init(trusted_by_system).await?),
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        let builder = builder.with_root_certificates(trusted);
        let mut config = match (&self.options.certificate, &self.options.key) {
            (Some(certificate), Some(key)) => {
                let (chain, private) = (certificates(certificate).await?, private_key(key).await?);
                builder.with_client_auth_cert(chain, private).map_err(|error| {
                    let (key, certificate) = (key.display(), certificate.display());
                    fault(format!("{key} is not the key of {certificate}: {error}"))
                })?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

async fn trusted_by_system() -> io::Result<Arc<RootCertStore>> {
    let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
    let found = found.await.map_err(io::Error::other)?;
    let mut trusted = RootCertStore::empty();
    // Some of what systems have is too old to be used by anyone.
    let (used, _) = trusted.add_parsable_certificates(found.certs);
    match used {
        0 => Err(fault("this system trusts no CA: give that of the server by --ca".to_owned())),
        _ => Ok(Arc::new(trusted)),
    }
}

async fn authorities(path: &Path) -> io::Result<RootCertStore> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(path).await? {
        authorities.add(certificate).map_err(|error| unusable(path, &error.to_string()))?;
    }
    Ok(authorities)
}

async fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let pem = content(path).await?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unusable(path, "there is no PEM certificate in it")),
        found => found.map_err(|error| unusable(path, &error.to_string())),
    }
}

async fn private_key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    let pem = content(path).await?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(path, &error.to_string()))
}

async fn content(path: &Path) -> io::Result<Vec<u8>> {
    let read = tokio::fs::read(path).await;
    read.map_err(|error| unusable(path, &without_number(&error.to_string())))
}

fn unusable(path: &Path, why: &str) -> io::Error {
    fault(format!("{} cannot be used for TLS: {why}", path.display()))
}

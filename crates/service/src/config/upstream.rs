//! The configuration of how a server reaches the servers that it follows.
//!
//! Invariant: what is given can be read when the server starts. The files are read again for every new connection, by
//! crate `client`; nothing here keeps their content.

use std::fs::File;
use std::path::PathBuf;

use milepost_types::without_number;

use super::section::{Found, Rules};
use crate::section;

section! {
    /// How the servers are reached whose journals are followed. Read by the services that follow, where a URL begins
    /// with https://, and for every new connection again, so that certificates can be replaced at any time.
    pub struct Upstream {
        /// The CAs that their certificates are signed by (PEM), or "none": those that the system trusts.
        pub ca: Option<PathBuf> = None,
        /// The certificate that this server shows to them (PEM), or "none".
        pub certificate: Option<PathBuf> = None,
        /// The private key of that certificate (PEM), or "none".
        pub key: Option<PathBuf> = None,
        /// A file with the token that this server sends to them, or "none". Goes over https:// or loopback only.
        pub token_file: Option<PathBuf> = None,
    }
}

impl Rules for Upstream {
    fn rules(&self, found: &mut Found<'_>) {
        match (&self.certificate, &self.key) {
            (Some(_), None) => found.fault("key", "is missing: give the private key of upstream.certificate"),
            (None, Some(_)) => found.fault("certificate", "is missing: give the certificate of upstream.key"),
            _ => {}
        }
        for (key, path) in [
            ("ca", &self.ca),
            ("certificate", &self.certificate),
            ("key", &self.key),
            ("token_file", &self.token_file),
        ] {
            if let Some(Err(error)) = path.as_ref().map(File::open) {
                let reason = without_number(&error.to_string());
                found.fault(key, format!("the file cannot be read: {reason}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flag, Layers};

    #[test]
    fn half_of_a_pair_and_files_that_cannot_be_read_are_faults() {
        let flag =
            |key: &str| Flag { flag: key.to_owned(), key: key.to_owned(), value: "/no/such".to_owned() };
        let layers = Layers { flags: ["ca", "key", "token_file"].map(flag).into(), ..Layers::default() };
        let faults = layers.load(Upstream::default()).unwrap_err().to_string();
        for fault in
            ["certificate: is missing", "ca: the file cannot", "key: the file", "token_file: the file"]
        {
            assert!(faults.contains(&format!(" {fault}")), "{fault}: {faults}");
        }
    }
}

//! The configuration of access: who can prove who they are, and how.
//!
//! Invariant: authentication is configured if there is an issuer, a first administrator, or client certificates
//! name principals; no switch could contradict that. What is written here is usable: a principal that nothing
//! configured could prove is a fault. Does not say who may do what.

use super::Named;
use super::section::{Found, Rules};
use crate::identity::url;
use crate::{choice, section};
use milepost_types::{Principal, PrincipalKind};
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Who can prove who they are, and how. Read by `identity`, and by what decides on access.
    pub struct Access {
        /// Principals that are administrators as long as no grant of administrator ever existed, such as
        /// "user:corp/00u1", "group:corp/planning", "serviceaccount:setup" or "cert:spiffe://office/setup".
        pub bootstrap_administrators: Vec<String> = Vec::new(),
        /// How old what a server knows of the grants may be before it refuses every call; at least 5s: an idle registry
        /// says every second that there is nothing new.
        pub max_staleness: Duration = Duration::from_secs(300),
        /// Whether a client certificate names a principal, by its one URI as alternative name. A call that comes
        /// with a token too is then refused, for it would have two principals.
        pub certificates: bool = false,
        /// The issuers whose tokens (JWT, OpenID Connect) are taken, each under an alias that the principals of
        /// its users and groups begin with: user:ALIAS/SUBJECT, group:ALIAS/NAME. An alias once used in grants
        /// must stay with its issuer.
        pub issuers: Named<Issuer> = Named::default(),
    }
}

impl Access {
    /// Whether callers must prove who they are.
    pub fn is_configured(&self) -> bool {
        self.certificates || !self.issuers.is_empty() || !self.bootstrap_administrators.is_empty()
    }

    /// Why nothing that is configured could prove this principal; `None` if something could.
    fn without_proof(&self, principal: &Principal) -> Option<&'static str> {
        let has_issuer = principal.alias().is_some_and(|alias| self.issuers.contains_key(alias));
        match principal.kind() {
            PrincipalKind::User | PrincipalKind::Group if !has_issuer => Some("no issuer has this alias"),
            PrincipalKind::Certificate if !self.certificates => Some("access.certificates is off"),
            PrincipalKind::Plain => Some("it begins with none of user:, group:, serviceaccount: and cert:"),
            _ => None,
        }
    }
}

impl Rules for Access {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("max_staleness", self.max_staleness, Duration::from_secs(5), Duration::from_secs(3600));
        let faults = self.bootstrap_administrators.iter().filter_map(|text| match text.parse() {
            Ok(principal) => {
                self.without_proof(&principal).map(|why| format!("{text:?} could never be proved: {why}"))
            }
            Err(error) => Some(error.to_string()),
        });
        let faults: Vec<String> = faults.collect();
        if !faults.is_empty() {
            found.fault("bootstrap_administrators", faults.join("; "));
        }
        for (alias, issuer) in self.issuers.iter() {
            let first = self.issuers.iter().find(|(_, other)| other.issuer == issuer.issuer);
            if let Some((first, _)) = first.filter(|(first, _)| *first != alias) {
                let message =
                    format!("{:?} is the issuer of {first} already; give it one alias", issuer.issuer);
                found.fault(&format!("issuers.{alias}.issuer"), message);
            }
        }
    }
}

section! {
    /// An issuer of tokens. Read by `identity`.
    pub struct Issuer {
        /// The issuer's URL, exactly as its tokens name it (`iss`): https, or http to this machine itself.
        pub issuer: String = String::new(),
        /// What its tokens for this server name as their audience (`aud`).
        pub audience: String = String::new(),
        /// Where its keys are; "none": where its discovery document says. Certificate authorities are those of
        /// the machine, or of the file that the variable SSL_CERT_FILE names.
        pub jwks_url: Option<String> = None,
        /// The file that its keys are in, in place of an URL; it is read again every 10 minutes, and as soon as
        /// a token names a key that is not in it.
        pub jwks_file: Option<PathBuf> = None,
        /// The claim that lists the groups of a user, or "none". Never an e-mail address: people change them.
        pub groups_claim: Option<String> = Some("groups".to_owned()),
        /// The signatures that are taken.
        pub algorithms: Vec<Algorithm> = Algorithm::ALL.to_vec(),
    }
}

impl Rules for Issuer {
    fn rules(&self, found: &mut Found<'_>) {
        match url::checked(&self.issuer) {
            _ if self.issuer.is_empty() => found.fault("issuer", "is required: the URL of the issuer"),
            Err(message) => found.fault("issuer", message),
            Ok(uri) if uri.query().is_some() => found.fault("issuer", "an issuer's URL has no query"),
            Ok(_) => {}
        }
        if self.audience.is_empty() {
            let message = "is required: tokens that were issued for other servers must not be taken";
            found.fault("audience", message);
        }
        if let Some(Err(message)) = self.jwks_url.as_deref().map(url::checked) {
            found.fault("jwks_url", message);
        }
        if self.jwks_url.is_some() && self.jwks_file.is_some() {
            found.fault("jwks_file", "jwks_url is given too; give one of them");
        }
        match self.groups_claim.as_deref() {
            Some("") => found.fault("groups_claim", "is empty; write \"none\" to take no groups"),
            Some("email") => found.fault("groups_claim", "an e-mail address identifies no group"),
            _ => {}
        }
        if self.algorithms.is_empty() {
            found.fault("algorithms", "no token could be verified; name at least one");
        }
    }
}

choice! {
    /// How a token may be signed: public keys only (RFC 7518, RFC 8037).
    pub enum Algorithm {
        /// RSA PKCS #1 v1.5, SHA-256.
        Rs256 = "RS256",
        /// RSA PKCS #1 v1.5, SHA-384.
        Rs384 = "RS384",
        /// RSA PKCS #1 v1.5, SHA-512.
        Rs512 = "RS512",
        /// RSA PSS, SHA-256.
        Ps256 = "PS256",
        /// RSA PSS, SHA-384.
        Ps384 = "PS384",
        /// RSA PSS, SHA-512.
        Ps512 = "PS512",
        /// ECDSA on P-256, SHA-256.
        Es256 = "ES256",
        /// ECDSA on P-384, SHA-384.
        Es384 = "ES384",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

impl Algorithm {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];
}

#[cfg(test)]
mod tests {
    use super::super::{Layers, reference};
    use super::*;

    section! {
        /// A process.
        struct Process {
            /// Access.
            pub access: Access = Access::default(),
        }
    }

    impl Rules for Process {}

    fn load(text: &str) -> Result<Access, Vec<String>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("milepost.toml");
        std::fs::write(&path, text).unwrap();
        let layers = Layers { file: Some(path), ..Layers::default() };
        let loaded = layers.load(Process::default()).map_err(|faults| faults.0);
        loaded.map(|loaded| loaded.config.access).map_err(|faults| {
            faults
                .iter()
                .map(|fault| format!("{}: {}", fault.key.as_deref().unwrap(), fault.message))
                .collect()
        })
    }

    const CORP: &str = "[access.issuers.corp]\nissuer = 'https://login.example.org'\naudience = 'milepost'\n";

    #[test]
    fn authentication_is_configured_by_whatever_could_prove_a_principal() {
        assert!(!load("").unwrap().is_configured());
        for text in [
            CORP,
            "[access]\ncertificates = true",
            "[access]\nbootstrap_administrators = ['serviceaccount:a']",
        ] {
            assert!(load(text).unwrap().is_configured(), "{text}");
        }
        let access = load(CORP).unwrap();
        assert_eq!(access.issuers["corp"].algorithms.len(), 9);
        assert_eq!(access.issuers["corp"].groups_claim.as_deref(), Some("groups"));
    }

    #[test]
    fn what_would_be_unsafe_or_useless_is_a_fault() {
        let issuer = |line: &str| format!("{CORP}{line}\n");
        let cases = [
            ("[access.issuers.corp]".to_owned(), "access.issuers.corp.issuer: is required"),
            ("[access.issuers.corp]".to_owned(), "access.issuers.corp.audience: is required"),
            (
                CORP.replace("https", "http"),
                "access.issuers.corp.issuer: \"http://login.example.org\" is http",
            ),
            (CORP.replace("org'", "org?a=b'"), "access.issuers.corp.issuer: an issuer's URL has no query"),
            (
                issuer("jwks_url = 'http://10.0.0.1/keys'"),
                "access.issuers.corp.jwks_url: \"http://10.0.0.1/keys\"",
            ),
            (
                issuer("jwks_url = 'http://127.0.0.1/keys'\njwks_file = 'keys.json'"),
                "access.issuers.corp.jwks_file: jwks_url is given too",
            ),
            (issuer("groups_claim = 'email'"), "access.issuers.corp.groups_claim: an e-mail address"),
            (issuer("groups_claim = ''"), "access.issuers.corp.groups_claim: is empty"),
            (issuer("algorithms = []"), "access.issuers.corp.algorithms: no token could be verified"),
            (issuer("algorithms = ['HS256']"), "access.issuers.corp.algorithms: must be one of"),
            (issuer("algorithms = ['none']"), "access.issuers.corp.algorithms: must be one of"),
            (CORP.replace("corp", "Corp"), "access.issuers.Corp: \"Corp\" is no name here"),
            (
                format!("{CORP}{}", CORP.replace("corp", "lab")),
                "access.issuers.lab.issuer: \"https://login.example.org\" is the issuer of corp already",
            ),
            ("[access]\nmax_staleness = '0s'".to_owned(), "access.max_staleness: 0s is not between"),
        ];
        for (text, expected) in cases {
            let faults = load(&text).unwrap_err();
            assert!(faults.iter().any(|fault| fault.starts_with(expected)), "{expected} in {faults:?}");
        }
    }

    #[test]
    fn first_administrators_are_principals_that_can_be_proved() {
        let with = |principal: &str, more: &str| {
            load(&format!("[access]\n{more}\nbootstrap_administrators = ['{principal}']\n{CORP}"))
        };
        for (principal, more) in [
            ("user:corp/00u1", ""),
            ("group:corp/planning", ""),
            ("serviceaccount:setup", ""),
            ("cert:spiffe://office/setup", "certificates = true"),
        ] {
            assert!(with(principal, more).is_ok(), "{principal}");
        }
        for (principal, why) in [
            ("office", "begins with none of"),
            ("user:lab/00u1", "no issuer has this alias"),
            ("cert:spiffe://office/setup", "access.certificates is off"),
            ("user:corp", "lacks a part"),
            ("user:corp/张三", "write \"user:corp/%E5%BC%A0%E4%B8%89\""),
            ("", "visible ASCII"),
        ] {
            let faults = with(principal, "").unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains(why), "{principal}: {faults:?}");
        }
    }

    #[test]
    fn the_reference_shows_how_an_issuer_is_written_without_adding_one() {
        let reference = reference::<Process>();
        assert!(reference.contains("\n# [access.issuers.NAME]\n"), "{reference}");
        assert_eq!(load(&reference), Ok(Access::default()));
    }
}

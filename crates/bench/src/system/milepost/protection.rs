//! How a server is protected: not at all, by TLS, or by the JWTs of an issuer and grants.
//!
//! The CA, the keys and the tokens are made for one run, in its directory, as an operator would have them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use milepost_client::{Client, Endpoint, Endpoints, TlsOptions};
use milepost_proto::access::v1::{CreateGrantRequest, Grant, Role};
use milepost_types::{Clock, SystemClock};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair as CertificateKey};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use crate::system::Error;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "milepost-bench";
const KEY_ID: &str = "k1";

/// How a server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is configured.
    Open,
    /// TLS, and nothing that tells who calls.
    Tls,
    /// Plain connections, and an issuer whose JWTs tell who calls; grants say what that principal may do.
    Jwt,
}

/// What a protected server and its clients are given.
pub struct Protection {
    mode: Mode,
    /// The CA of the server's certificate.
    ca: PathBuf,
    /// The tokens of an administrator and of a manager.
    tokens: [String; 2],
    arguments: Vec<String>,
}

impl Protection {
    /// Makes what this mode needs, in a directory.
    pub fn new(mode: Mode, dir: &Path) -> Result<Self, Error> {
        let mut made =
            Self { mode, ca: dir.join("ca.pem"), tokens: Default::default(), arguments: Vec::new() };
        match mode {
            Mode::Open => {}
            Mode::Tls => made.make_certificate(dir)?,
            Mode::Jwt => made.make_tokens(dir)?,
        }
        Ok(made)
    }

    /// What the server is started with besides.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// A client with one connection to a port, as the manager if there is one.
    pub fn client(&self, port: u16) -> Result<Client, Error> {
        self.client_as(port, 1)
    }

    /// Grants the manager what writers need, and returns the administrator's client for what only that may do.
    pub async fn administrator(&self, port: u16) -> Result<Client, Error> {
        let client = self.client_as(port, 0)?;
        if self.mode == Mode::Jwt {
            let grant = Grant {
                principal: "user:bench/manager".into(),
                role: Role::Manager.into(),
                reason: "bench".into(),
                ..Grant::default()
            };
            let request = CreateGrantRequest { grant: Some(grant), ..CreateGrantRequest::default() };
            client.grants().create_grant(request).await?;
        }
        Ok(client)
    }

    fn client_as(&self, port: u16, who: usize) -> Result<Client, Error> {
        let endpoint = match self.mode {
            Mode::Tls => {
                let tls = TlsOptions { ca: Some(self.ca.clone()), ..TlsOptions::default() };
                Endpoint::parse(&format!("https://localhost:{port}"))?.tls(tls)?
            }
            Mode::Open | Mode::Jwt => Endpoint::parse(&format!("http://127.0.0.1:{port}"))?,
        };
        let client = Client::new(&Endpoints::one(endpoint), 1);
        Ok(if self.mode == Mode::Jwt { client.with_token(&self.tokens[who])? } else { client })
    }

    fn make_certificate(&mut self, dir: &Path) -> Result<(), Error> {
        let (ca_key, key) = (CertificateKey::generate()?, CertificateKey::generate()?);
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(&self.ca, params.self_signed(&ca_key)?.pem())?;
        let issuer = Issuer::new(params, ca_key);
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        let (certificate_file, key_file) = (dir.join("server.pem"), dir.join("server.key"));
        fs::write(&certificate_file, certificate.pem())?;
        fs::write(&key_file, key.serialize_pem())?;
        fs::set_permissions(&key_file, Permissions::from_mode(0o600))?;
        self.arguments = vec![
            format!("--set=tls.certificate={}", certificate_file.display()),
            format!("--set=tls.key={}", key_file.display()),
        ];
        Ok(())
    }

    fn make_tokens(&mut self, dir: &Path) -> Result<(), Error> {
        let random = SystemRandom::new();
        let failed = |_| "no key could be made";
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let document = document.map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        let pair = pair.map_err(|_| "the key that was made cannot be read")?;
        let point = &pair.public_key().as_ref()[1..];
        let [x, y] = [&point[..32], &point[32..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        let keys = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": KEY_ID }] });
        let keys_file = dir.join("keys.json");
        fs::write(&keys_file, keys.to_string())?;
        let now = SystemClock.now().as_second();
        let token = |subject: &str| -> Result<String, Error> {
            let header = json!({ "alg": "ES256", "typ": "JWT", "kid": KEY_ID });
            let claims = json!({
                "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 3500,
            });
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let message = format!("{}.{}", part(&header), part(&claims));
            let signature =
                pair.sign(&random, message.as_bytes()).map_err(|_| "the token cannot be signed")?;
            Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
        };
        self.tokens = [token("administrator")?, token("manager")?];
        self.arguments = vec![
            format!("--set=access.issuers.bench.issuer={ISSUER}"),
            format!("--set=access.issuers.bench.audience={AUDIENCE}"),
            format!("--set=access.issuers.bench.jwks_file={}", keys_file.display()),
            "--set=access.bootstrap_administrators=user:bench/administrator".to_owned(),
            // One principal makes all calls: what a check costs is measured, not how many calls it allows.
            "--set=limits.calls_per_second=1000000".to_owned(),
            "--set=limits.calls_burst=10000000".to_owned(),
        ];
        Ok(())
    }
}

//! The authenticator as a whole: what each credential proves, and what is refused for which reason.

use std::path::PathBuf;

use http::HeaderValue;
use milepost_types::{ApiToken, ManualClock};
use serde_json::{Value, json};

use super::super::outcome::Outcome;
use super::super::testing::{key_set, now, seconds};
use super::super::tokens::TokenRecord;
use super::*;
use crate::config::Named;
use crate::config::access;

mod credentials;
mod keys;
mod tokens;

const ISSUER: &str = "https://login.example.org";

/// The API tokens of tests: one that counts.
struct Issued(ApiToken);

impl Tokens for Issued {
    fn find(&self, id: &str) -> Option<TokenRecord> {
        (id == self.0.id().as_str()).then(|| TokenRecord {
            hash: self.0.hash(),
            service_account: "sync".parse().unwrap(),
            expire_time: now() + seconds(3600),
        })
    }
}

fn api_token() -> ApiToken {
    ApiToken::generate("ci".parse().unwrap(), [7; 32])
}

fn corp(issuer: &str) -> access::Issuer {
    access::Issuer { issuer: issuer.to_owned(), audience: "milepost".to_owned(), ..Default::default() }
}

fn with(issuers: &[(&str, access::Issuer)]) -> Access {
    let issuers = issuers.iter().map(|(alias, issuer)| ((*alias).to_owned(), issuer.clone()));
    Access { issuers: Named::of(issuers), ..Access::default() }
}

/// An authenticator whose keys are kept as long as it lives.
struct Running {
    authenticator: Arc<Authenticator>,
    clock: Arc<ManualClock>,
    metrics: Metrics,
    stop: CancellationToken,
}

impl Running {
    fn start(access: &Access) -> Self {
        let (metrics, clock) = (Metrics::new(), Arc::new(ManualClock::new(now())));
        let tokens = Arc::new(Issued(api_token()));
        let authenticator = Authenticator::new(access, tokens, Arc::clone(&clock) as _, &metrics);
        let this =
            Self { authenticator: Arc::new(authenticator), clock, metrics, stop: CancellationToken::new() };
        let (kept, stop) = (Arc::clone(&this.authenticator), this.stop.clone());
        tokio::spawn(async move { kept.keep_keys(stop).await });
        this
    }

    /// One of this issuer, with its keys in a file.
    async fn with_key_file(config: access::Issuer, keys: &[Value]) -> (Self, KeyFile) {
        let file = KeyFile::new(keys);
        let config = access::Issuer { jwks_file: Some(file.path.clone()), ..config };
        let running = Self::start(&with(&[("corp", config)]));
        running.issuer().wait_for_keys().await;
        (running, file)
    }

    fn issuer(&self) -> &Issuer {
        &self.authenticator.issuers["corp"]
    }

    fn authenticate(&self, token: &str) -> Result<Identity, Refused> {
        self.at(token, now())
    }

    fn at(&self, token: &str, now: Timestamp) -> Result<Identity, Refused> {
        let identity = self.authenticator.authenticate(&bearer(token), None, now);
        identity.map(|identity| identity.expect("a credential was given"))
    }

    async fn or_wait(&self, token: &str) -> Result<Identity, Refused> {
        let identity = self.authenticator.authenticate_or_wait(&bearer(token), None).await;
        identity.map(|identity| identity.expect("a credential was given"))
    }

    fn metric(&self, name: &str) -> i64 {
        let text = self.metrics.encode();
        let prefix = format!("{name}{{issuer=\"corp\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&prefix));
        value.unwrap_or_else(|| panic!("no {prefix} in {text}")).parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct KeyFile {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl KeyFile {
    fn new(keys: &[Value]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let this = Self { path: directory.path().join("keys.json"), _directory: directory };
        this.write(&key_set(keys));
        this
    }

    fn write(&self, json: &str) {
        std::fs::write(&self.path, json).unwrap();
    }
}

fn bearer(token: &str) -> HeaderMap {
    let mut metadata = HeaderMap::new();
    metadata.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    metadata
}

fn claims() -> Value {
    claims_of(ISSUER)
}

fn claims_of(issuer: &str) -> Value {
    let now = now().as_second();
    json!({"iss": issuer, "aud": "milepost", "sub": "00u1", "iat": now, "exp": now + 300})
}

/// The claims with some changed; null removes one.
fn changed(changes: Value) -> Value {
    let mut claims = claims();
    for (claim, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
            value => claims[claim] = value.clone(),
        }
    }
    claims
}

fn header(algorithm: &str, kid: &str) -> Value {
    json!({"alg": algorithm, "typ": "JWT", "kid": kid})
}

/// The variant's name.
fn kind(refused: &Refused) -> String {
    format!("{refused:?}").split([' ', '(']).next().unwrap().to_owned()
}

fn certificate(uris: &[&str]) -> PeerCertificate {
    let uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
    PeerCertificate { uris, fingerprint: [0xab; 32], not_after: now() + seconds(60) }
}

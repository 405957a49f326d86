//! The authenticator as a whole: what each credential proves, and what is refused for which reason.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::StatusCode;
use http::HeaderValue;
use milepost_types::{ApiToken, ManualClock};
use serde_json::{Value, json};

use super::super::jwks::KEYS;
use super::super::refused::Outcome;
use super::super::testing::{KeyServer, SigningKey, key_set, now, seconds, unsigned};
use super::super::tokens::TokenRecord;
use super::super::{JWKS_FETCH_FAILURES_TOTAL, JWKS_FETCH_TIME_SECONDS, ON_BEHALF_OF};
use super::*;
use crate::config::access;
use crate::config::{ByteSize, Named};

const ISSUER: &str = "https://login.example.org";

/// The API tokens of tests: one that counts.
struct Issued(ApiToken);

impl Tokens for Issued {
    fn find(&self, id: &str) -> Option<TokenRecord> {
        (id == self.0.id().as_str()).then(|| TokenRecord {
            hash: self.0.hash(),
            service_account: "sync".parse().unwrap(),
            expire_time: now() + seconds(3600),
            revoked: false,
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

    fn issuer(&self) -> Arc<Issuer> {
        Arc::clone(&self.authenticator.trust().issuers["corp"])
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

#[tokio::test]
async fn without_authentication_configured_nothing_is_looked_at() {
    let running = Running::start(&Access::default());
    let mut metadata = bearer("nonsense");
    metadata.insert(milepost_proto::PRINCIPAL_METADATA, HeaderValue::from_static("office"));
    assert_eq!(running.authenticator.authenticate(&metadata, None, now()), Ok(None));
    assert!(!running.authenticator.is_configured());
}

#[tokio::test]
async fn with_authentication_configured_a_claimed_principal_is_refused_even_beside_a_credential() {
    let access = Access { bootstrap_administrators: vec!["serviceaccount:sync".into()], ..Access::default() };
    let running = Running::start(&access);
    let none = running.authenticator.authenticate(&HeaderMap::new(), None, now());
    assert_eq!(none, Ok(None), "no credential is for the caller to judge");
    for mut metadata in [HeaderMap::new(), bearer(api_token().expose())] {
        metadata.insert(milepost_proto::PRINCIPAL_METADATA, HeaderValue::from_static("serviceaccount:sync"));
        let refused = running.authenticator.authenticate(&metadata, None, now()).unwrap_err();
        assert_eq!((&refused, refused.outcome()), (&Refused::Claimed, Outcome::MetadataNotAllowed));
    }
}

#[tokio::test]
async fn a_token_proves_a_user_and_its_groups() {
    let key = SigningKey::es256();
    let (running, _file) = Running::with_key_file(corp(ISSUER), &[key.jwk("k")]).await;
    let claims = changed(json!({
        "sub": "张三", "jti": "j-1", "email": "zhang@example.org", "aud": ["other", "milepost"],
        "groups": ["planning", "规划", "x".repeat(300)],
    }));
    let identity = running.authenticate(&key.token(&header("ES256", "k"), &claims)).unwrap();
    assert_eq!(identity.principal.as_str(), "user:corp/%E5%BC%A0%E4%B8%89");
    let groups: Vec<_> = identity.groups.iter().map(Principal::as_str).collect();
    assert_eq!(
        groups,
        ["group:corp/planning", "group:corp/%E8%A7%84%E5%88%92"],
        "one is too long for a grant"
    );
    assert_eq!(identity.credential.to_string(), "jwt:j-1");
    assert_eq!(identity.expires, now() + seconds(330));
    assert!(!format!("{identity:?}").contains("zhang@"));

    let identity = running.authenticate(&key.token(&header("ES256", "k"), &self::claims())).unwrap();
    assert!(identity.groups.is_empty());
    assert_eq!(identity.credential.id.len(), 32, "the beginning of its hash: {identity:?}");
    let one = changed(json!({"groups": "planning"}));
    assert_eq!(running.authenticate(&key.token(&header("ES256", "k"), &one)).unwrap().groups.len(), 1);
}

#[tokio::test]
async fn every_allowed_algorithm_verifies_and_only_the_configured_ones_do() {
    let keys = [SigningKey::rsa(), SigningKey::es256(), SigningKey::es384(), SigningKey::ed25519()];
    let jwks: Vec<Value> = keys.iter().zip(["r", "p", "q", "e"]).map(|(key, kid)| key.jwk(kid)).collect();
    let (running, _file) = Running::with_key_file(corp(ISSUER), &jwks).await;
    let narrow = access::Issuer { algorithms: vec![access::Algorithm::EdDsa], ..corp(ISSUER) };
    let (narrow, _narrow_file) = Running::with_key_file(narrow, &jwks).await;
    for (algorithm, key, kid) in [
        ("RS256", 0, "r"),
        ("RS384", 0, "r"),
        ("RS512", 0, "r"),
        ("PS256", 0, "r"),
        ("PS384", 0, "r"),
        ("PS512", 0, "r"),
        ("ES256", 1, "p"),
        ("ES384", 2, "q"),
        ("EdDSA", 3, "e"),
    ] {
        for typ in [json!("JWT"), json!("at+jwt"), json!("application/at+JWT"), Value::Null] {
            let header = json!({"alg": algorithm, "kid": kid, "typ": typ});
            let token = keys[key].token(&header, &claims());
            assert!(running.authenticate(&token).is_ok(), "{header}: {:?}", running.authenticate(&token));
            assert_eq!(narrow.authenticate(&token).is_ok(), algorithm == "EdDSA", "{header}");
        }
    }
}

#[tokio::test]
async fn a_token_without_a_key_id_is_verified_if_only_one_key_is_for_its_algorithm() {
    let (one, two, rsa) = (SigningKey::es256(), SigningKey::es256(), SigningKey::rsa());
    let header = json!({"alg": "ES256"});
    let (running, file) = Running::with_key_file(corp(ISSUER), &[one.jwk("1"), rsa.jwk("r")]).await;
    let token = one.token(&header, &claims());
    assert!(running.authenticate(&token).is_ok());
    file.write(&key_set(&[one.jwk("1"), two.jwk("2")]));
    let _ = running.or_wait(&one.token(&self::header("ES256", "new"), &claims())).await;
    assert!(matches!(running.authenticate(&token), Err(Refused::Malformed(_))));
}

#[tokio::test]
async fn forged_and_unfit_tokens_are_refused_each_for_its_reason() {
    let (key, rsa, other) = (SigningKey::es256(), SigningKey::rsa(), SigningKey::es256());
    let only_rs256 = {
        let mut jwk = rsa.jwk("only-rs256");
        jwk["alg"] = json!("RS256");
        jwk
    };
    let jwks = [key.jwk("k"), rsa.jwk("r"), only_rs256];
    let (running, _file) = Running::with_key_file(corp(ISSUER), &jwks).await;
    let good = key.token(&header("ES256", "k"), &claims());
    assert!(running.authenticate(&good).is_ok());
    let [head, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };

    let hmac = |algorithm: &str, kid: &str, secret: &[u8]| {
        let message = unsigned(&header(algorithm, kid), &claims());
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let tag = ring::hmac::sign(&key, message.as_bytes());
        use base64::Engine as _;
        format!("{message}.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag))
    };
    let public = rsa.jwk("r").to_string();
    let none = |algorithm: &str| format!("{}.", unsigned(&header(algorithm, "k"), &claims()));
    let other_claims = unsigned(&header("ES256", "k"), &changed(json!({"sub": "00u2"})));
    let signed_by = |key: &SigningKey, more: Value| {
        let mut header = header("ES256", "k");
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key.token(&header, &claims())
    };
    let cases = [
        ("none", none("none"), "Algorithm"),
        ("None", none("None"), "Algorithm"),
        ("an empty algorithm", none(""), "Algorithm"),
        ("HMAC with the public key", hmac("HS256", "r", public.as_bytes()), "Algorithm"),
        (
            "HMAC with the modulus",
            hmac("HS384", "r", rsa.jwk("r")["n"].as_str().unwrap().as_bytes()),
            "Algorithm",
        ),
        ("HMAC as RSA", hmac("RS256", "r", public.as_bytes()), "Signature"),
        ("RSA with a key of ECDSA", rsa.token(&header("RS256", "k"), &claims()), "Algorithm"),
        ("PS256 with a key for RS256", rsa.token(&header("PS256", "only-rs256"), &claims()), "Algorithm"),
        ("an unknown algorithm", none("ES256K"), "Algorithm"),
        ("no signature", none("ES256"), "Signature"),
        ("the key of another", other.token(&header("ES256", "k"), &claims()), "Signature"),
        ("the key that it brings along", signed_by(&other, json!({"jwk": other.jwk("k")})), "Signature"),
        ("the claims of another", format!("{other_claims}.{signature}"), "Signature"),
        ("a logout token", signed_by(&key, json!({"typ": "logout+jwt"})), "Type"),
        ("a critical extension", signed_by(&key, json!({"crit": ["b64"], "b64": true})), "Malformed"),
        ("an unencoded payload", signed_by(&key, json!({"b64": false})), "Malformed"),
        ("five parts", format!("{good}.x.y"), "Malformed"),
        ("two parts", format!("{head}.{payload}"), "Malformed"),
        ("no part", "x".to_owned(), "Malformed"),
        ("a header that is no JSON", format!("eA.{payload}.{signature}"), "Malformed"),
        ("claims that are no JSON", format!("{head}.eA.{signature}"), "Malformed"),
        ("padding", format!("{good}=="), "Malformed"),
        ("an unknown key", key.token(&header("ES256", "x"), &claims()), "UnknownKey"),
    ];
    for (what, token, expected) in cases {
        let refused = running.authenticate(&token).expect_err(what);
        assert_eq!(kind(&refused), expected, "{what}: {refused:?}");
    }
    assert_eq!(running.authenticator.cache.count(), 1, "only what was verified is kept");
}

#[tokio::test]
async fn claims_that_are_not_as_they_must_be_are_refused_each_for_its_reason() {
    let key = SigningKey::es256();
    let (running, _file) = Running::with_key_file(corp(ISSUER), &[key.jwk("k")]).await;
    let at = |seconds: i64| json!(now().as_second() + seconds);
    let cases = [
        (json!({"exp": null}), "MissingClaim"),
        (json!({"sub": null}), "MissingClaim"),
        (json!({"aud": null}), "MissingClaim"),
        (json!({"iat": null}), "MissingClaim"),
        (json!({"iss": null}), "Malformed"),
        (json!({"iss": [ISSUER]}), "Malformed"),
        (json!({"iss": format!("{ISSUER}/")}), "UnknownIssuer"),
        (json!({"aud": "other"}), "Audience"),
        (json!({"aud": ["other"]}), "Audience"),
        (json!({"aud": []}), "Audience"),
        (json!({"aud": "milepost2"}), "Audience"),
        (json!({"sub": ""}), "NotPrincipal"),
        (json!({"sub": "x".repeat(200)}), "NotPrincipal"),
        (json!({"sub": 7}), "MissingClaim"),
        (json!({"nbf": at(31)}), "NotYetValid"),
        (json!({"iat": at(31)}), "NotYetValid"),
        (json!({"nbf": "soon"}), "Malformed"),
        (json!({"nbf": -1e300}), "Malformed"),
        (json!({"exp": at(-30)}), "Expired"),
        (json!({"exp": "never"}), "MissingClaim"),
        (json!({"exp": 1e300}), "MissingClaim"),
        (json!({"iat": at(-3630), "exp": at(86_400)}), "TooOld"),
        (json!({"groups": 7}), "Malformed"),
        (json!({"groups": [7]}), "Malformed"),
        (json!({"groups": vec!["x"; 1001]}), "Malformed"),
    ];
    for (changes, expected) in cases {
        let token = key.token(&header("ES256", "k"), &changed(changes.clone()));
        let refused = running.authenticate(&token).expect_err(&changes.to_string());
        assert_eq!(kind(&refused), expected, "{changes}: {refused:?}");
    }
    for changes in [
        json!({"nbf": at(30)}),
        json!({"iat": at(30), "exp": at(60)}),
        json!({"exp": at(-29)}),
        json!({"exp": (now().as_second() + 60) as f64 + 0.5}),
        json!({"iat": at(-3629), "exp": at(86_400)}),
    ] {
        let token = key.token(&header("ES256", "k"), &changed(changes.clone()));
        assert!(running.authenticate(&token).is_ok(), "{changes}: {:?}", running.authenticate(&token));
    }
}

#[tokio::test]
async fn a_token_is_accepted_until_it_expires_and_is_then_not_answered_as_denied() {
    let key = SigningKey::es256();
    let (running, _file) = Running::with_key_file(corp(ISSUER), &[key.jwk("k")]).await;
    let long = changed(json!({"exp": now().as_second() + 86_400}));
    for (claims, lifetime) in [(claims(), 330), (long, 3630)] {
        let token = key.token(&header("ES256", "k"), &claims);
        let expires = running.authenticate(&token).unwrap().expires;
        assert_eq!(expires, now() + seconds(lifetime));
        // Within the lifetime of the cache, too.
        assert!(running.at(&token, expires - seconds(1)).is_ok());
        let refused = running.at(&token, expires).unwrap_err();
        assert_eq!(refused.outcome(), Outcome::Expired, "{refused:?}");
        assert_eq!(refused.outcome().reason(), "CREDENTIAL_EXPIRED");
    }
}

#[tokio::test]
async fn a_new_key_of_an_issuer_is_not_noticed_by_callers_and_a_dropped_one_ends_its_tokens() {
    let (old, new) = (SigningKey::es256(), SigningKey::ed25519());
    let server = KeyServer::start(&[old.jwk("old")]).await;
    let running = Running::start(&with(&[("corp", corp(&server.issuer()))]));
    let by_old = old.token(&header("ES256", "old"), &claims_of(&server.issuer()));
    assert!(running.or_wait(&by_old).await.is_ok(), "the first keys are waited for");
    assert_eq!(server.fetches(), 1);

    server.answer(StatusCode::OK, key_set(&[old.jwk("old"), new.jwk("new")]));
    let by_new = new.token(&header("EdDSA", "new"), &claims_of(&server.issuer()));
    assert!(running.or_wait(&by_new).await.is_ok());
    assert_eq!(server.fetches(), 2);

    server.answer(StatusCode::OK, key_set(&[new.jwk("new")]));
    assert!(running.authenticate(&by_old).is_ok(), "it is in the cache, and its key was not dropped yet");
    fetch_again(&running).await;
    assert!(matches!(running.authenticate(&by_old), Err(Refused::UnknownKey { .. })));
    assert!(running.authenticate(&by_new).is_ok());
}

/// Has the issuer's keys fetched, though no token asks for it.
async fn fetch_again(running: &Running) {
    let issuer = running.issuer();
    issuer.forget_requests();
    issuer.request_keys();
    issuer.wait_for_keys().await;
}

#[tokio::test]
async fn a_flood_of_unknown_keys_causes_one_fetch_and_takes_no_memory() {
    let key = SigningKey::es256();
    let server = KeyServer::start(&[key.jwk("k")]).await;
    let running = Running::start(&with(&[("corp", corp(&server.issuer()))]));
    let good = key.token(&header("ES256", "k"), &claims_of(&server.issuer()));
    assert!(running.or_wait(&good).await.is_ok());
    let [_, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    for i in 0..2_000 {
        let head = unsigned(&header("ES256", &format!("bogus-{i}")), &json!(0));
        let bogus = format!("{}.{payload}.{signature}", head.split('.').next().unwrap());
        let refused = running.or_wait(&bogus).await.unwrap_err();
        assert!(matches!(refused, Refused::UnknownKey { .. }), "{refused:?}");
        let retry_after = refused.retry_after().unwrap();
        assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(30), "{retry_after:?}");
    }
    assert_eq!(server.fetches(), 2, "the first one, and one for all bogus tokens");
    assert_eq!(running.authenticator.cache.count(), 1);
    assert!(running.authenticate(&good).is_ok());
}

#[tokio::test]
async fn an_issuer_that_fails_leaves_known_keys_in_use_and_is_counted() {
    let key = SigningKey::es256();
    let server = KeyServer::start(&[key.jwk("k")]).await;
    let running = Running::start(&with(&[("corp", corp(&server.issuer()))]));
    let token = |id: &str| {
        let mut claims = claims_of(&server.issuer());
        claims["jti"] = json!(id);
        key.token(&header("ES256", "k"), &claims)
    };
    assert!(running.or_wait(&token("0")).await.is_ok());
    assert_eq!(running.metric(JWKS_FETCH_FAILURES_TOTAL), 0);
    assert_eq!(running.metric(JWKS_FETCH_TIME_SECONDS), now().as_second());
    running.clock.advance(seconds(10));

    let unusable = json!({"kty": "oct", "k": "c2VjcmV0", "kid": "k"});
    let too_many = key_set(&vec![key.jwk("k"); KEYS + 1]);
    let too_large = "x".repeat(ByteSize::kib(256).0 as usize + 1);
    let failures = [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        (StatusCode::FOUND, String::new()),
        (StatusCode::OK, String::new()),
        (StatusCode::OK, "{}".to_owned()),
        (StatusCode::OK, key_set(&[])),
        (StatusCode::OK, key_set(&[unusable])),
        (StatusCode::OK, too_many),
        (StatusCode::OK, too_large),
    ];
    for (count, (status, body)) in failures.into_iter().enumerate() {
        server.answer(status, body.clone());
        fetch_again(&running).await;
        let what = body.get(..40).unwrap_or(&body);
        assert_eq!(running.metric(JWKS_FETCH_FAILURES_TOTAL), count as i64 + 1, "{status} {what}");
        assert!(running.authenticate(&token(&count.to_string())).is_ok(), "{status} {what}");
    }
    assert_eq!(running.metric(JWKS_FETCH_TIME_SECONDS), now().as_second(), "the time of the last good fetch");

    server.answer(StatusCode::OK, key_set(&[key.jwk("k")]));
    server.call_itself("http://127.0.0.1:1/office");
    fetch_again(&running).await;
    assert_eq!(running.metric(JWKS_FETCH_FAILURES_TOTAL), 9, "the discovery document is of another issuer");
    server.call_itself(&server.issuer());
    fetch_again(&running).await;
    assert_eq!(running.metric(JWKS_FETCH_TIME_SECONDS), now().as_second() + 10);
}

#[tokio::test]
async fn keys_come_from_a_url_of_their_own_if_one_is_given() {
    let key = SigningKey::es256();
    let server = KeyServer::start(&[key.jwk("k")]).await;
    let config = access::Issuer { jwks_url: Some(server.url("/keys")), ..corp(ISSUER) };
    let running = Running::start(&with(&[("corp", config)]));
    assert!(running.or_wait(&key.token(&header("ES256", "k"), &claims())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn keys_are_read_again_every_ten_minutes_and_after_failures_sooner() {
    let (one, two) = (SigningKey::es256(), SigningKey::es256());
    let (running, file) = Running::with_key_file(corp(ISSUER), &[one.jwk("1")]).await;
    let [by_one, by_two] =
        [(&one, "1"), (&two, "2")].map(|(key, kid)| key.token(&header("ES256", kid), &claims()));
    assert!(running.authenticate(&by_one).is_ok());

    file.write(&key_set(&[two.jwk("2")]));
    tokio::time::sleep(Duration::from_secs(500)).await;
    assert!(running.authenticate(&by_one).is_ok(), "it is not read before nine minutes have passed");
    until(Duration::from_secs(161), || running.authenticate(&by_one).is_err()).await;
    assert!(running.authenticate(&by_two).is_ok());

    file.write("nonsense");
    until(Duration::from_secs(661), || running.metric(JWKS_FETCH_FAILURES_TOTAL) == 1).await;
    until(Duration::from_secs(600), || running.metric(JWKS_FETCH_FAILURES_TOTAL) >= 20).await;
    assert!(running.authenticate(&by_two).is_ok(), "an outage of ten minutes does not matter");
    file.write(&key_set(&[one.jwk("1"), two.jwk("2")]));
    until(Duration::from_secs(31), || running.authenticate(&by_one).is_ok()).await;
}

/// Lets (paused) time pass until it holds.
async fn until(most: Duration, holds: impl Fn() -> bool) {
    let end = tokio::time::Instant::now() + most;
    while !holds() {
        assert!(tokio::time::Instant::now() < end, "it did not hold within {most:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn before_the_first_keys_a_token_is_not_verifiable_rather_than_wrong() {
    let key = SigningKey::es256();
    let server = KeyServer::start(&[key.jwk("k")]).await;
    server.answer(StatusCode::SERVICE_UNAVAILABLE, "");
    let running = Running::start(&with(&[("corp", corp(&server.issuer()))]));
    let token = key.token(&header("ES256", "k"), &claims_of(&server.issuer()));
    let refused = running.or_wait(&token).await.unwrap_err();
    assert!(matches!(refused, Refused::NoKeys { .. }), "{refused:?}");
    assert_eq!(refused.outcome(), Outcome::NotVerifiable);
    assert!(refused.retry_after().unwrap() <= Duration::from_secs(30));
}

#[tokio::test]
async fn on_reload_the_same_issuers_keep_their_keys_and_others_end_their_tokens() {
    let key = SigningKey::es256();
    let file = KeyFile::new(&[key.jwk("k")]);
    let config = access::Issuer { jwks_file: Some(file.path.clone()), ..corp(ISSUER) };
    let lab = access::Issuer { issuer: "https://lab.example.org".to_owned(), ..config.clone() };
    let running = Running::start(&with(&[("corp", config.clone())]));
    running.issuer().wait_for_keys().await;
    let token = key.token(&header("ES256", "k"), &claims());
    assert!(running.authenticate(&token).is_ok());

    running.authenticator.reload(&with(&[("corp", config.clone()), ("lab", lab.clone())]));
    assert!(running.authenticate(&token).is_ok(), "corp is the same");
    let of_lab = key.token(&header("ES256", "k"), &claims_of("https://lab.example.org"));
    assert_eq!(running.or_wait(&of_lab).await.unwrap().principal.as_str(), "user:lab/00u1");

    let other = access::Issuer { audience: "other".to_owned(), ..config.clone() };
    running.authenticator.reload(&with(&[("corp", other)]));
    assert!(matches!(running.or_wait(&token).await, Err(Refused::Audience { .. })));
    assert!(matches!(running.authenticate(&of_lab), Err(Refused::UnknownIssuer(_))));

    running.authenticator.reload(&with(&[("lab", lab)]));
    assert!(matches!(running.authenticate(&token), Err(Refused::UnknownIssuer(_))));
    assert!(!running.metrics.encode().contains("corp"), "{}", running.metrics.encode());
}

fn certificate(uris: &[&str]) -> PeerCertificate {
    let uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
    PeerCertificate { uris, fingerprint: [0xab; 32], not_after: now() + seconds(60) }
}

#[tokio::test]
async fn a_certificate_proves_its_one_uri_and_no_other_number_of_them() {
    let running = Running::start(&Access { certificates: true, ..Access::default() });
    let authenticate = |uris: &[&str], now| {
        running.authenticator.authenticate(&HeaderMap::new(), Some(&certificate(uris)), now)
    };
    let uri = "spiffe://office/sync";
    let identity = authenticate(&[uri], now()).unwrap().unwrap();
    assert_eq!(identity.principal.as_str(), "cert:spiffe://office/sync");
    assert_eq!(identity.credential.to_string(), format!("cert:{}", "ab".repeat(32)));
    assert_eq!(identity.expires, now() + seconds(60));
    for (uris, count) in [(&[][..], 0), (&[uri, uri][..], 2), (&[uri, "spiffe://office/other"][..], 2)] {
        assert_eq!(authenticate(uris, now()), Err(Refused::CertificateUris(count)), "{uris:?}");
    }
    assert!(matches!(authenticate(&["office"], now()), Err(Refused::NotPrincipal(_))));
    assert!(matches!(authenticate(&[uri], now() + seconds(60)), Err(Refused::Expired { .. })));
}

#[tokio::test]
async fn two_credentials_that_name_two_principals_are_refused() {
    let access = Access { certificates: true, ..Access::default() };
    let running = Running::start(&access);
    let peer = certificate(&["spiffe://office/sync"]);
    let metadata = bearer(api_token().expose());
    let both = running.authenticator.authenticate(&metadata, Some(&peer), now()).unwrap_err();
    assert!(matches!(both, Refused::TwoPrincipals { .. }), "{both:?}");
    assert_eq!(both.outcome(), Outcome::Ambiguous);
    let mut twice = bearer(api_token().expose());
    twice.append("authorization", twice["authorization"].clone());
    let twice = running.authenticator.authenticate(&twice, None, now()).unwrap_err();
    assert!(matches!(twice, Refused::RepeatedHeader { count: 2, .. }), "{twice:?}");

    // A certificate that only protects the connection names nothing.
    running.authenticator.reload(&Access {
        bootstrap_administrators: vec!["serviceaccount:sync".into()],
        ..Access::default()
    });
    let identity = running.authenticator.authenticate(&metadata, Some(&peer), now()).unwrap().unwrap();
    assert_eq!(identity.principal.as_str(), "serviceaccount:sync");
    assert_eq!(running.authenticator.authenticate(&HeaderMap::new(), Some(&peer), now()), Ok(None));
}

#[tokio::test]
async fn an_api_token_proves_its_service_account_and_says_for_whom_it_acts() {
    let running = Running::start(&Access { certificates: true, ..Access::default() });
    let mut metadata = bearer(api_token().expose());
    metadata.insert(ON_BEHALF_OF, HeaderValue::from_static("user:corp/00u1"));
    let identity = running.authenticator.authenticate(&metadata, None, now()).unwrap().unwrap();
    assert_eq!(identity.principal.as_str(), "serviceaccount:sync");
    assert_eq!(identity.credential.to_string(), "token:ci");
    assert_eq!(identity.on_behalf_of, Some("user:corp/00u1".parse().unwrap()));
    let typo = api_token().expose().replace("_Bw", "_Cw");
    assert!(matches!(running.authenticate(&typo), Err(Refused::TokenForm(_))));
    metadata.insert(ON_BEHALF_OF, HeaderValue::from_static("user:corp"));
    let refused = running.authenticator.authenticate(&metadata, None, now());
    assert!(matches!(refused, Err(Refused::OnBehalfOf(_))), "{refused:?}");
}

#[tokio::test]
async fn fetching_keys_ends_when_the_server_stops() {
    let running = Running::start(&with(&[("corp", corp("http://127.0.0.1:1"))]));
    running.stop.cancel();
    let ended = running.authenticator.keep_keys(running.stop.clone());
    assert!(is_ready_soon(ended).await);
}

async fn is_ready_soon(future: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(Duration::from_secs(10), future).await.is_ok()
}

//! How keys of issuers come, change and go, as callers notice it.
//!
//! Not tested here: single parts, which have tests of their own.

use std::future::Future;
use std::time::Duration;

use axum::http::StatusCode;

use super::super::super::jwks::KEYS;
use super::super::super::testing::{KeyServer, SigningKey, unsigned};
use super::super::super::{JWKS_FETCH_FAILURES_TOTAL, JWKS_FETCH_TIME_SECONDS};
use super::*;
use crate::config::ByteSize;

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
async fn fetching_keys_ends_when_the_server_stops() {
    let running = Running::start(&with(&[("corp", corp("http://127.0.0.1:1"))]));
    running.stop.cancel();
    let ended = running.authenticator.keep_keys(running.stop.clone());
    assert!(is_ready_soon(ended).await);
}

async fn is_ready_soon(future: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(Duration::from_secs(10), future).await.is_ok()
}

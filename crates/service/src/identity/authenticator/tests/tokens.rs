//! What JWTs prove, and which ones are refused for which reason.
//!
//! Not tested here: single parts, which have tests of their own.

use super::super::super::testing::{SigningKey, unsigned};
use super::*;

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
        assert_eq!(refused.outcome().problem(), "CREDENTIAL_EXPIRED");
    }
}

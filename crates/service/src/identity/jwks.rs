//! A key set (JWKS, RFC 7517): the public keys of an issuer that can verify tokens.
//!
//! Invariant: a key verifies only what it says that it is for (`use`, `key_ops`, `alg`), and only by algorithms of
//! its type; symmetric keys, short RSA keys and keys that are unknown here are left out. At most
//! [`KEYS`] keys are read. Not where key sets come from: `issuer` knows that.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// Bytes of a key set, at most.
pub(super) const KEY_SET_BYTES: usize = 256 << 10;
/// Keys of a key set, at most.
pub(super) const KEYS: usize = 100;
/// Bytes of the modulus of an RSA key: what ring verifies with, 2048 to 8192 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The usable keys of an issuer, at least one.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<Key>,
    jwks: HashSet<Jwk>,
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// Which key verifies a token.
#[derive(Debug)]
pub(super) enum Match<'a> {
    /// This one.
    Key(&'a DecodingKey),
    /// None has the id, or none is for the algorithm of a token that names no key.
    Unknown,
    /// The key with this id is not for the algorithm.
    OtherAlgorithm,
    /// The token names no key, and several are for its algorithm.
    Ambiguous,
}

/// Why a key set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeySetError {
    /// Not the JSON of a key set.
    #[error("it is no key set: {0}")]
    Malformed(String),
    /// More keys than are read.
    #[error("it has {0} keys; at most {KEYS} are read")]
    TooMany(usize),
    /// No key of it can verify a token.
    #[error("none of its {0} keys can verify a token")]
    NoUsableKey(usize),
}

impl KeySet {
    /// Reads a key set; keys that cannot be used are left out.
    pub(super) fn read(json: &[u8]) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<serde_json::Value>,
        }
        let document: Document =
            serde_json::from_slice(json).map_err(|error| KeySetError::Malformed(error.to_string()))?;
        let count = document.keys.len();
        if count > KEYS {
            return Err(KeySetError::TooMany(count));
        }
        let jwks = document.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let (keys, jwks): (Vec<Key>, HashSet<Jwk>) =
            jwks.filter_map(|jwk| Some((Key::of(&jwk)?, jwk))).unzip();
        if keys.is_empty() { Err(KeySetError::NoUsableKey(count)) } else { Ok(Self { keys, jwks }) }
    }

    /// How many keys there are.
    pub(super) fn count(&self) -> usize {
        self.keys.len()
    }

    /// Whether both have the same usable keys, in whatever order.
    pub(super) fn has_same_keys(&self, other: &Self) -> bool {
        self.jwks == other.jwks
    }

    /// The key for a token with this key id and algorithm.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Match<'_> {
        let named = |key: &&Key| id.is_none() || key.id.as_deref() == id;
        let mut candidates = self.keys.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Match::Unknown;
        }
        let mut fitting = candidates.filter(|key| key.algorithms.contains(&algorithm));
        match (fitting.next(), id) {
            (Some(_), None) if fitting.next().is_some() => Match::Ambiguous,
            (Some(key), _) => Match::Key(&key.decoding),
            (None, Some(_)) => Match::OtherAlgorithm,
            (None, None) => Match::Unknown,
        }
    }
}

impl Key {
    /// The key, if it can verify tokens.
    fn of(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let for_signatures = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let operations = common.key_operations.as_ref();
        let verifies = operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        let (algorithms, decoding) = of_type(jwk)?;
        let allowed = algorithms.iter().filter(|algorithm| {
            common.key_algorithm.is_none_or(|own| own == KeyAlgorithm::from(**algorithm))
        });
        let algorithms: Vec<Algorithm> = allowed.copied().collect();
        if !for_signatures || !verifies || algorithms.is_empty() {
            return None;
        }
        Some(Self { id: common.key_id.clone(), algorithms, decoding })
    }
}

/// The key, and the algorithms that one of its type can verify; none for types that are not used here.
fn of_type(jwk: &Jwk) -> Option<(&'static [Algorithm], DecodingKey)> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let algorithms: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let [modulus, exponent] = [bytes(&rsa.n)?, bytes(&rsa.e)?];
            // Some issuers write zero bytes before the modulus, which ring does not take.
            let modulus = &modulus[modulus.iter().position(|byte| *byte != 0)?..];
            let key = DecodingKey::from_rsa_raw_components(modulus, &exponent);
            let algorithms = &[RS256, RS384, RS512, PS256, PS384, PS512];
            return MODULUS_BYTES.contains(&modulus.len()).then_some((algorithms, key));
        }
        AlgorithmParameters::EllipticCurve(point) => match (&point.curve, lengths([&point.x, &point.y])) {
            (EllipticCurve::P256, [Some(32), Some(32)]) => &[ES256],
            (EllipticCurve::P384, [Some(48), Some(48)]) => &[ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(pair) => match (&pair.curve, lengths([&pair.x])) {
            (EllipticCurve::Ed25519, [Some(32)]) => &[EdDSA],
            _ => return None,
        },
        _ => return None,
    };
    Some((algorithms, DecodingKey::from_jwk(jwk).ok()?))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn lengths<const N: usize>(texts: [&str; N]) -> [Option<usize>; N] {
    texts.map(|text| bytes(text).map(|bytes| bytes.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{SigningKey, key_set};
    use super::*;

    fn read(keys: &[Value]) -> Result<KeySet, KeySetError> {
        KeySet::read(key_set(keys).as_bytes())
    }

    fn with(mut jwk: Value, changes: Value) -> Value {
        jwk.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        jwk
    }

    #[test]
    fn keys_that_cannot_verify_tokens_are_left_out() {
        let (rsa, point) = (SigningKey::rsa().jwk("r"), SigningKey::es256().jwk("p"));
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        for unusable in [
            json!({"kty": "oct", "k": "c2VjcmV0", "kid": "k"}),
            json!({"kty": "new", "kid": "k"}),
            json!("no object"),
            json!({}),
            with(rsa.clone(), json!({"use": "enc"})),
            with(rsa.clone(), json!({"key_ops": ["encrypt"]})),
            with(rsa.clone(), json!({"alg": "HS256"})),
            with(rsa.clone(), json!({"alg": "RSA-OAEP"})),
            with(rsa.clone(), json!({"alg": "ES256"})),
            with(rsa.clone(), json!({"n": short})),
            with(rsa.clone(), json!({"n": "*"})),
            with(rsa.clone(), json!({"n": ""})),
            with(point.clone(), json!({"crv": "P-384"})),
            with(point.clone(), json!({"crv": "P-521"})),
            with(point.clone(), json!({"crv": "secp256k1"})),
            with(point.clone(), json!({"x": "AAAA"})),
            with(point.clone(), json!({"alg": "ES384"})),
            with(SigningKey::ed25519().jwk("e"), json!({"crv": "X25519"})),
        ] {
            assert_eq!(
                read(std::slice::from_ref(&unusable)).unwrap_err(),
                KeySetError::NoUsableKey(1),
                "{unusable}"
            );
            assert_eq!(read(&[unusable.clone(), rsa.clone()]).unwrap().count(), 1, "{unusable}");
        }
        for usable in [
            with(rsa.clone(), json!({"use": "sig", "alg": "PS256", "x5c": ["x"]})),
            with(rsa.clone(), json!({"key_ops": ["verify"]})),
            with(rsa.clone(), json!({"n": format!("AAAA{}", rsa["n"].as_str().unwrap())})),
        ] {
            assert_eq!(read(std::slice::from_ref(&usable)).unwrap().count(), 1, "{usable}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_id_and_only_for_its_algorithms() {
        let (one, two) = (SigningKey::es256().jwk("1"), SigningKey::rsa().jwk("2"));
        let only_ps512 = with(SigningKey::rsa().jwk("3"), json!({"alg": "PS512"}));
        let keys = read(&[one, two, only_ps512]).unwrap();
        let found = |id, algorithm| match keys.find(id, algorithm) {
            Match::Key(_) => "key",
            Match::Unknown => "unknown",
            Match::OtherAlgorithm => "other algorithm",
            Match::Ambiguous => "ambiguous",
        };
        for (id, algorithm, expected) in [
            (Some("1"), Algorithm::ES256, "key"),
            (Some("1"), Algorithm::ES384, "other algorithm"),
            (Some("1"), Algorithm::RS256, "other algorithm"),
            (Some("2"), Algorithm::RS256, "key"),
            (Some("3"), Algorithm::PS512, "key"),
            (Some("3"), Algorithm::RS256, "other algorithm"),
            (Some("4"), Algorithm::RS256, "unknown"),
            (Some(""), Algorithm::RS256, "unknown"),
            (None, Algorithm::ES256, "key"),
            (None, Algorithm::RS256, "key"),
            (None, Algorithm::PS512, "ambiguous"),
            (None, Algorithm::EdDSA, "unknown"),
        ] {
            assert_eq!(found(id, algorithm), expected, "{id:?} {algorithm:?}");
        }
    }

    #[test]
    fn the_order_of_keys_does_not_make_another_set() {
        let (one, two) = (SigningKey::es256().jwk("1"), SigningKey::es256().jwk("2"));
        let both = read(&[one.clone(), two.clone()]).unwrap();
        assert!(both.has_same_keys(&read(&[two, one.clone()]).unwrap()));
        assert!(!both.has_same_keys(&read(&[one]).unwrap()));
    }

    #[test]
    fn what_is_no_key_set_or_has_too_many_keys_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys": {}}"#, "<html>"] {
            assert!(matches!(KeySet::read(text.as_bytes()), Err(KeySetError::Malformed(_))), "{text}");
        }
        assert_eq!(read(&[]).unwrap_err(), KeySetError::NoUsableKey(0));
        let key = SigningKey::ed25519().jwk("k");
        assert!(read(&vec![key.clone(); KEYS]).is_ok());
        assert_eq!(read(&vec![key; KEYS + 1]).unwrap_err(), KeySetError::TooMany(KEYS + 1));
    }
}

//! What tests of identity share: keys that sign tokens, and a server of an issuer's keys.
//!
//! Keys are generated, but for the RSA key, which ring cannot generate: that is the published example of RFC 7515,
//! appendix A.2.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair};
use serde_json::{Value, json};

/// The time of tests.
pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(super) fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// A key that signs tokens.
pub(super) enum SigningKey {
    Ecdsa(Box<EcdsaKeyPair>),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl SigningKey {
    pub(super) fn es256() -> Self {
        Self::ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub(super) fn es384() -> Self {
        Self::ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    fn ecdsa(algorithm: &'static signature::EcdsaSigningAlgorithm) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ecdsa(Box::new(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()))
    }

    pub(super) fn ed25519() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub(super) fn rsa() -> Self {
        let [d, p, q, dp, dq, qi] = RSA_PRIVATE.map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
        let public_key = PublicKeyComponents { n: URL_SAFE_NO_PAD.decode(RSA_N).unwrap(), e: vec![1, 0, 1] };
        let components = KeyPairComponents { public_key, d, p, q, dP: dp, dQ: dq, qInv: qi };
        Self::Rsa(Box::new(RsaKeyPair::from_components(&components).unwrap()))
    }

    /// The public key.
    pub(super) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Ecdsa(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
                json!({"kty": "EC", "crv": curve, "x": x, "y": y, "kid": kid})
            }
            Self::Ed25519(pair) => {
                let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid})
            }
            Self::Rsa(_) => json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "kid": kid}),
        }
    }

    /// A token with this header, whose `alg` says how it is signed.
    pub(super) fn token(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature = match self {
            Self::Ecdsa(pair) => {
                pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let encoding: &dyn RsaEncoding = match header["alg"].as_str().unwrap() {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    other => panic!("{other} is not signed with RSA"),
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The signed part of a token.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// The JSON of a key set.
pub(super) fn key_set(keys: &[Value]) -> String {
    json!({"keys": keys}).to_string()
}

/// An issuer's server: its discovery document, and its keys under `/keys`.
pub(super) struct KeyServer {
    address: SocketAddr,
    answers: Arc<Mutex<Answers>>,
    task: tokio::task::JoinHandle<()>,
}

struct Answers {
    issuer: String,
    keys: (StatusCode, String),
    fetches: usize,
}

impl KeyServer {
    pub(super) async fn start(keys: &[Value]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let keys = (StatusCode::OK, key_set(keys));
        let answers = Answers { issuer: format!("http://{address}/office"), keys, fetches: 0 };
        let answers = Arc::new(Mutex::new(answers));
        let routes = axum::Router::new().fallback(answer).with_state(Arc::clone(&answers));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, answers, task }
    }

    pub(super) fn issuer(&self) -> String {
        format!("http://{}/office", self.address)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it says who it is.
    pub(super) fn call_itself(&self, issuer: &str) {
        self.answers.lock().issuer = issuer.to_owned();
    }

    /// What it answers to requests for keys from now on.
    pub(super) fn answer(&self, status: StatusCode, body: impl Into<String>) {
        self.answers.lock().keys = (status, body.into());
    }

    /// How often its keys were fetched.
    pub(super) fn fetches(&self) -> usize {
        self.answers.lock().fetches
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(answers): State<Arc<Mutex<Answers>>>,
    uri: Uri,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let mut answers = answers.lock();
    let (status, body) = match uri.path() {
        "/office/.well-known/openid-configuration" => {
            let keys = format!("{}/keys", answers.issuer.trim_end_matches("/office"));
            (StatusCode::OK, json!({"issuer": answers.issuer, "jwks_uri": keys}).to_string())
        }
        "/keys" => {
            answers.fetches += 1;
            answers.keys.clone()
        }
        _ => (StatusCode::NOT_FOUND, String::new()),
    };
    (status, [("location", "/keys")], body)
}

const RSA_N: &str = concat!(
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF",
    "d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo",
    "7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM",
    "Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ",
);

/// d, p, q, dp, dq and qi.
const RSA_PRIVATE: [&str; 6] = [
    concat!(
        "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46su",
        "i395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4",
        "qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB",
        "4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    ),
    concat!(
        "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8",
        "cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    ),
    concat!(
        "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t",
        "62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    ),
    concat!(
        "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCj",
        "n12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    ),
    concat!(
        "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnw",
        "gjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    ),
    concat!(
        "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93",
        "IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
    ),
];

//! Where the keys of an issuer are: behind its discovery document, at a URL, or in a file.
//!
//! Invariant: keys are taken only if the discovery document is of the issuer that is configured, and only from URLs
//! that are safe. Does not decide when to fetch, or what to do if that fails.

use std::path::PathBuf;

use http::Uri;
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use super::fetch::{Client, FetchError};
use super::jwks::{KEY_SET_BYTES, KeySet, KeySetError};
use super::url;
use crate::config::access;

/// Where keys are.
#[derive(Debug)]
pub(super) enum Source {
    /// Where the discovery document at this URL says.
    Discovery(Uri),
    /// At this URL.
    Url(Uri),
    /// In this file.
    File(PathBuf),
    /// A URL that the configuration should have refused.
    Faulty(String),
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysError {
    #[error("cannot fetch {url}: {error}")]
    Fetch { url: String, error: FetchError },
    #[error("cannot read {}: {}", .path.display(), milepost_types::without_number(&.error.to_string()))]
    File { path: PathBuf, error: std::io::Error },
    #[error("{}: it has more than {KEY_SET_BYTES} bytes", .0.display())]
    FileTooLarge(PathBuf),
    #[error("{url} is no discovery document: {error}")]
    Discovery { url: String, error: serde_json::Error },
    #[error(
        "{url} is the discovery document of {found:?}; the configuration and it must have the same issuer"
    )]
    OtherIssuer { url: String, found: String },
    #[error("keys are not fetched from there: {0}")]
    Url(String),
    #[error("{place}: {error}")]
    KeySet { place: String, error: KeySetError },
}

impl Source {
    /// Where the configuration of an issuer says that its keys are.
    pub(super) fn of(config: &access::Issuer) -> Self {
        if let Some(path) = &config.jwks_file {
            return Self::File(path.clone());
        }
        let url = match &config.jwks_url {
            Some(url) => url::checked(url).map(Self::Url),
            None => {
                // OpenID Connect Discovery 1.0, 4: a final slash of the issuer is left out.
                let issuer = config.issuer.trim_end_matches('/');
                url::checked(&format!("{issuer}/.well-known/openid-configuration")).map(Self::Discovery)
            }
        };
        url.unwrap_or_else(Self::Faulty)
    }

    /// The keys as they are now.
    pub(super) async fn fetch(&self, client: &Client, issuer: &str) -> Result<KeySet, KeysError> {
        match self {
            Self::Url(url) => fetch_keys(client, url).await,
            Self::Discovery(url) => fetch_keys(client, &discover(client, url, issuer).await?).await,
            Self::File(path) => read_keys(path.clone()).await,
            Self::Faulty(message) => Err(KeysError::Url(message.clone())),
        }
    }
}

async fn get(client: &Client, url: &Uri) -> Result<Vec<u8>, KeysError> {
    let fetched = client.get(url, KEY_SET_BYTES).await;
    fetched.map_err(|error| KeysError::Fetch { url: url.to_string(), error })
}

async fn fetch_keys(client: &Client, url: &Uri) -> Result<KeySet, KeysError> {
    let json = get(client, url).await?;
    KeySet::read(&json).map_err(|error| KeysError::KeySet { place: url.to_string(), error })
}

/// Where the keys are, as the discovery document at `url` says.
async fn discover(client: &Client, url: &Uri, issuer: &str) -> Result<Uri, KeysError> {
    #[derive(Deserialize)]
    struct Document {
        issuer: String,
        jwks_uri: String,
    }
    let json = get(client, url).await?;
    let document: Document = serde_json::from_slice(&json)
        .map_err(|error| KeysError::Discovery { url: url.to_string(), error })?;
    if document.issuer != issuer {
        return Err(KeysError::OtherIssuer { url: url.to_string(), found: document.issuer });
    }
    url::checked(&document.jwks_uri).map_err(KeysError::Url)
}

async fn read_keys(path: PathBuf) -> Result<KeySet, KeysError> {
    let mut json = Vec::new();
    let read = async {
        let file = tokio::fs::File::open(&path).await?;
        file.take(KEY_SET_BYTES as u64 + 1).read_to_end(&mut json).await
    };
    if let Err(error) = read.await {
        return Err(KeysError::File { path, error });
    }
    if json.len() > KEY_SET_BYTES {
        return Err(KeysError::FileTooLarge(path));
    }
    KeySet::read(&json).map_err(|error| KeysError::KeySet { place: path.display().to_string(), error })
}

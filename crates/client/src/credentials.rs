//! Who makes the calls of a client, and what proves it: a principal, and a token.
//!
//! Invariants: every call, watch and follower through a channel carries its credentials, unless the call names its own.
//! A token of a file is read again for each call, so that it can be replaced while the process runs. A token is never
//! shown by `Debug`, nor kept in the compression tables of HTTP/2. The server records a principal as claimed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, Response};
use milepost_proto::{ON_BEHALF_OF_METADATA, PRINCIPAL_METADATA};
use milepost_types::{limits, without_number};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::Service;

use crate::error::Error;
use crate::gzip;

/// What the calls of a client carry; clones are cheap.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) principal: Option<HeaderValue>,
    pub(crate) on_behalf_of: Option<HeaderValue>,
    pub(crate) token: Option<Token>,
}

/// Where a token comes from.
#[derive(Debug, Clone)]
pub(crate) enum Token {
    /// As it is sent.
    Given(HeaderValue),
    /// The text of a file, without the white space around it.
    File(Arc<Path>),
}

impl Token {
    /// The token of this text.
    ///
    /// # Errors
    /// If it is no token.
    pub(crate) fn given(text: &str) -> Result<Self, Error> {
        bearer(text).map(Self::Given).map_err(|what| Error::Token { what })
    }

    /// The token in this file.
    ///
    /// # Errors
    /// If there is none in it now.
    pub(crate) fn file(path: PathBuf) -> Result<Self, Error> {
        read(&path).map_err(|what| Error::Token { what })?;
        Ok(Self::File(path.into()))
    }
}

impl Credentials {
    /// Adds them to the headers of a call.
    fn add_to(&self, headers: &mut HeaderMap) -> Result<(), String> {
        for (key, value) in
            [(PRINCIPAL_METADATA, &self.principal), (ON_BEHALF_OF_METADATA, &self.on_behalf_of)]
        {
            if let Some(value) = value {
                headers.entry(key).or_insert_with(|| value.clone());
            }
        }
        if let Some(token) = self.token.as_ref().filter(|_| !headers.contains_key(AUTHORIZATION)) {
            let token = match token {
                Token::Given(value) => value.clone(),
                // Blocks for a moment: the file is small, and in memory from the call before.
                Token::File(path) => read(path)?,
            };
            headers.insert(AUTHORIZATION, token);
        }
        Ok(())
    }
}

/// A principal as metadata.
///
/// # Errors
/// If it is no id of 1 to 200 visible ASCII characters.
pub(crate) fn principal(text: &str) -> Result<HeaderValue, Error> {
    let is_id =
        (1..=limits::PRINCIPAL_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    let value = HeaderValue::from_str(text).ok().filter(|_| is_id);
    value.ok_or_else(|| Error::Principal { text: text.to_owned() })
}

fn read(path: &Path) -> Result<HeaderValue, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("the token file {} cannot be read: {}", path.display(), without_number(&error.to_string()))
    })?;
    bearer(text.trim()).map_err(|what| format!("{}: {what}", path.display()))
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| is_token);
    let mut value =
        value.ok_or("a token is one word of visible ASCII characters: give it as it was issued")?;
    value.set_sensitive(true);
    Ok(value)
}

/// A channel whose calls carry the credentials of a client, and are compressed where they are large.
#[derive(Debug, Clone)]
pub struct CredentialChannel {
    channel: Channel,
    credentials: Credentials,
}

impl CredentialChannel {
    pub(crate) fn new(channel: Channel, credentials: Credentials) -> Self {
        Self { channel, credentials }
    }
}

impl Service<Request<Body>> for CredentialChannel {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future =
        Either<<Channel as Service<Request<Body>>>::Future, Ready<Result<Response<Body>, Self::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.credentials.add_to(request.headers_mut()) {
            Ok(()) => Either::Left(self.channel.call(gzip::compress(request))),
            Err(what) => Either::Right(ready(Ok(Status::unauthenticated(what).into_http()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::registry::v1::GetPortfolioRequest;
    use milepost_types::LedgerKind;
    use tokio::net::TcpListener;
    use tokio_stream::wrappers::TcpListenerStream;
    use tonic::service::{InterceptorLayer, Routes};

    use super::*;
    use crate::testing::soon;
    use crate::{Client, FollowOptions, Selection, Start, WatchOptions};

    #[test]
    fn a_principal_is_an_id_of_visible_characters() {
        assert!(principal("office-1").is_ok());
        assert!(principal(&"x".repeat(200)).is_ok());
        for text in ["", "a b", "李", "a\n", &"x".repeat(201)] {
            let error = principal(text).expect_err(text).to_string();
            assert!(error.contains("1 to 200 visible ASCII characters"), "{error}");
        }
    }

    #[test]
    fn a_token_is_one_word_and_never_shown() {
        let token = Token::given("mp_secret").unwrap();
        assert!(!format!("{token:?}").contains("secret"), "{token:?}");
        for text in ["", "a b", "秘密", "a\n"] {
            let error = Token::given(text).expect_err(text).to_string();
            assert!(error.contains("one word"), "{error}");
        }
    }

    #[test]
    fn a_token_of_a_file_is_read_for_each_call_and_a_call_may_name_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        assert!(Token::file(path.clone()).unwrap_err().to_string().contains("token cannot be read"));
        let sent = |credentials: &Credentials| {
            let mut headers = HeaderMap::new();
            credentials.add_to(&mut headers).map(|()| headers[AUTHORIZATION].clone())
        };
        std::fs::write(&path, " first\n").unwrap();
        let credentials =
            Credentials { token: Some(Token::file(path.clone()).unwrap()), ..Credentials::default() };
        for text in ["first", "second"] {
            std::fs::write(&path, format!("{text}\n")).unwrap();
            let value = sent(&credentials).unwrap();
            assert!(value.is_sensitive());
            assert_eq!(value.to_str().unwrap(), format!("Bearer {text}"));
        }
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer own"))]);
        credentials.add_to(&mut headers).unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer own");
        std::fs::remove_file(&path).unwrap();
        assert!(sent(&credentials).unwrap_err().contains("cannot be read"));
    }

    #[tokio::test]
    async fn every_call_watch_and_follower_carries_the_credentials() {
        let (seen, mut calls) = tokio::sync::mpsc::unbounded_channel();
        let record = move |request: tonic::Request<()>| {
            let header = |name| request.metadata().get(name).map(|value| value.to_str().unwrap().to_owned());
            seen.send((header("authorization"), header(PRINCIPAL_METADATA))).unwrap();
            Err(Status::unimplemented("it is only looked at"))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut server = tonic::transport::Server::builder().layer(InterceptorLayer::new(record));
        let server = server.add_routes(Routes::default());
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        let client =
            Client::connect(&url).unwrap().with_token("mp_1").unwrap().with_principal("office").unwrap();
        let mut expect = async || {
            let sent = soon(calls.recv()).await.unwrap();
            assert_eq!(sent, (Some("Bearer mp_1".to_owned()), Some("office".to_owned())));
        };
        assert!(soon(client.portfolios().get_portfolio(GetPortfolioRequest::default())).await.is_err());
        expect().await;
        let mut watch = client.watch(Start::Latest, Selection::default(), WatchOptions::default());
        assert!(soon(watch.next()).await.unwrap().is_err());
        expect().await;
        let mut follower = client.follow(LedgerKind::Tracker, None, FollowOptions::default());
        tokio::select! {
            batch = follower.next() => panic!("there is nothing to follow: {batch:?}"),
            () = expect() => {}
        }
    }
}

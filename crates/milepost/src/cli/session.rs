//! A connection to a server, and what every noun does with it: call, list, show.
//!
//! Invariant: every call has the deadline of `--timeout`; a server that cannot be reached is tried until then, and a
//! terminal is told at the first attempt. A write whose outcome stays unknown says how to learn it.

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use milepost_client::{Client, Endpoint, Endpoints, Failure, Retry, TlsOptions};
use milepost_proto::registry::v1::GetPortfolioRequest;
use milepost_types::RequestId;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, ReflectMessage, Value};
use tonic::{Code, Request, Response, Status};

use super::flags::{Columns, Limit};
use super::format;
use super::read::duration;
use crate::DEFAULT_ENDPOINT;
use crate::context::{Settings, services};
use crate::error::Error;
use crate::output::table::Rendered;
use crate::output::zone::Zones;
use crate::output::{Output, print, progress, shown, text};
use crate::schema;

/// How long a call may take unless a setting says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Resources on a page: as many as servers answer.
const PAGE: u64 = 1000;
/// How long a portfolio's time zone is waited for, which only makes times easier to read.
const ZONE_PATIENCE: Duration = Duration::from_secs(2);

/// What a command works with.
pub struct Session {
    client: Client,
    endpoint: String,
    output: Output,
    portfolio: Option<String>,
    hinted: Cell<bool>,
    /// Whether an attempt of the call that runs was lost on the way, so that it may have been done.
    lost: Cell<bool>,
}

/// A write under an id. If what became of it stays unknown, also because it is interrupted, that is said.
struct Pending<'a> {
    id: String,
    output: &'a Output,
    is_known: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.is_known {
            let id = &self.id;
            self.output.note(&format!(
                "it may have been done; to learn it, send the same command again with --request-id {id}"
            ));
        }
    }
}

impl Session {
    /// A session as these settings say. Connects when first used.
    ///
    /// # Errors
    /// Which setting is faulty.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let format = format(&settings);
        let tls = settings.tls();
        let timeout = settings.timeout.map_or(Ok(DEFAULT_TIMEOUT), |text| duration(&text));
        let timeout = timeout.map_err(Error::Usage)?;
        let zones = match settings.utc.as_deref() {
            Some("true") => Zones::utc(),
            _ => Zones::local(TimeZone::system()),
        };
        let output = Output::stdout(format, zones);
        let endpoint = settings.endpoint.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let mut client = client(&endpoint, &tls)?;
        if let Some(principal) = settings.principal {
            client = client.with_principal(&principal)?;
        }
        if let Some(other) = settings.on_behalf_of {
            client = client.with_on_behalf_of(&other)?;
        }
        if let Some(file) = settings.token_file {
            client = client.with_token_file(file)?;
        }
        let client = client.with_retry(Retry { timeout, ..Retry::default() });
        let portfolio = settings.portfolio;
        Ok(Self { client, endpoint, output, portfolio, hinted: Cell::new(false), lost: Cell::new(false) })
    }

    /// The same session with this token in its calls.
    ///
    /// # Errors
    /// If it is no token, or others could read it on the way.
    pub fn with_token(self, token: &str) -> Result<Self, Error> {
        let client = self.client.with_token(token)?;
        Ok(Self { client, ..self })
    }

    /// A session like this one whose calls this principal makes.
    ///
    /// # Errors
    /// If it is no principal.
    pub fn with_principal(&self, principal: &str) -> Result<Self, Error> {
        Ok(Self {
            client: self.client.clone().with_principal(principal)?,
            endpoint: self.endpoint.clone(),
            output: self.output.clone(),
            portfolio: self.portfolio.clone(),
            hinted: self.hinted.clone(),
            lost: Cell::default(),
        })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where answers go.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The id of the portfolio that is meant where a name has none.
    pub fn portfolio(&self) -> Option<&str> {
        self.portfolio.as_deref()
    }

    /// Calls a method, as [`read`](Self::read) does: a write under one request id.
    pub async fn call(
        &self,
        method: &MethodDescriptor,
        mut request: DynamicMessage,
    ) -> Result<DynamicMessage, Error> {
        let id = request.get_field_by_name_mut("request_id").and_then(Value::as_string_mut).map(|id| {
            if id.is_empty() {
                *id = RequestId::generate().to_string();
            }
            id.clone()
        });
        let service = method.parent_service();
        let path = format!("/{}/{}", service.full_name(), method.name());
        let path = PathAndQuery::try_from(path).expect("the name of a method is a path");
        let (ledger, request) = (schema::ledger(service), Bytes::from(request.encode_to_vec()));
        let call = |client: Client, request| {
            let path = path.clone();
            async move { client.unary(ledger, path, request).await }
        };
        let mut pending = id.map(|id| Pending { id, output: &self.output, is_known: false });
        self.lost.set(false);
        let answer = self.read(request, call).await;
        if let Some(pending) = &mut pending {
            pending.is_known = answer.as_ref().err().is_none_or(|error| {
                let late = |failure: &Failure| failure.code == Code::DeadlineExceeded && !failure.unreachable;
                !self.lost.get() && !error.failure().is_some_and(late)
            });
        }
        DynamicMessage::decode(method.output(), answer?)
            .map_err(|_| Error::Other("the server's answer is not what the schema says".into()))
    }

    /// Calls until it succeeds, fails for a reason that stays, or the time is over.
    ///
    /// # Errors
    /// Why the last attempt failed.
    pub async fn read<Q: Clone, T, F: Future<Output = Result<Response<T>, Status>>>(
        &self,
        request: Q,
        mut call: impl FnMut(Client, Request<Q>) -> F,
    ) -> Result<T, Error> {
        let retry = self.client.retry();
        let call = |request| {
            let attempt = call(self.client.clone(), request);
            async { attempt.await.inspect_err(|status| self.hint(status)) }
        };
        retry.read(retry.deadline(), request, call).await.map_err(|mut error| {
            if let milepost_client::Error::Call(failure) = &mut error
                && failure.connection
                && failure.code != Code::DeadlineExceeded
            {
                failure.message = format!("{} cannot be reached: {}", self.endpoint, failure.message);
            }
            error.into()
        })
    }

    /// Shows an answer: the resource in it, or all of it. Fails if standard output cannot be written.
    pub async fn one(&self, answer: &DynamicMessage) -> Result<(), Error> {
        if !self.output.is_streamed() {
            self.learn_zones(self.output.zones.portfolio(&shown(answer), "").as_deref()).await;
        }
        print(&self.output.one(answer)?)
    }

    /// Shows several messages that are listed under a parent. Fails if standard output cannot be written.
    pub async fn many(&self, found: &[DynamicMessage], under: &str, columns: &Columns) -> Result<(), Error> {
        let Some(first) = found.first() else {
            self.output.note("nothing matches");
            return Ok(());
        };
        let list = self.output.list(&first.descriptor(), under, columns)?;
        if self.output.needs_zones(&list) {
            let portfolio = |message| self.output.zones.portfolio(message, under);
            let portfolios: Vec<String> = found.iter().filter_map(portfolio).collect();
            self.learn_zones(portfolios.iter().map(String::as_str)).await;
        }
        self.print(&self.output.piece(&list, found), "--wide or --columns shows")
    }

    /// Prints tables, and says which columns had no room and what shows them. Fails if standard output cannot be
    /// written.
    pub fn print(&self, Rendered { text, left_out }: &Rendered, shows: &str) -> Result<(), Error> {
        print(text)?;
        if !left_out.is_empty() {
            self.output.note(&format!("no room for {}; {shows} them", left_out.join(", ")));
        }
        Ok(())
    }

    /// Follows the pages of a list under a parent up to a limit and shows them: as a table all at the end, else
    /// each as it comes. `page` answers what is on one and the token of the next, which is empty after the last.
    ///
    /// # Errors
    /// If a page cannot be read, or standard output cannot be written.
    pub async fn list(
        &self,
        message: &MessageDescriptor,
        limit: &Limit,
        under: &str,
        columns: &Columns,
        mut page: impl AsyncFnMut(i32, String) -> Result<(Vec<DynamicMessage>, String), Error>,
    ) -> Result<(), Error> {
        let list = self.output.list(message, under, columns)?;
        let limit = limit.limit.unwrap_or(u64::MAX);
        let (mut rows, mut listed, mut token) = (Vec::new(), 0_u64, String::new());
        let mut bar = ProgressBar::hidden();
        let more = loop {
            let size = i32::try_from(PAGE.min(limit - listed)).unwrap_or(i32::MAX);
            let (mut items, next) = page(size, std::mem::take(&mut token)).await?;
            items.truncate(usize::try_from(limit - listed).unwrap_or(usize::MAX));
            listed += items.len() as u64;
            bar.set_position(listed);
            if self.output.is_streamed() {
                let text = self.output.piece(&list, &items).text;
                bar.suspend(|| print(&text))?;
            } else {
                rows.append(&mut items);
            }
            if next.is_empty() || listed >= limit {
                break !next.is_empty();
            }
            if bar.is_hidden() {
                bar = progress::spinner("listing");
            }
            token = next;
        };
        bar.finish_and_clear();
        if !self.output.is_streamed() {
            self.many(&rows, under, columns).await?;
        }
        if more {
            self.output.note(&format!("there is more: the first {} shown", text::count(listed, "is", "are")));
        }
        Ok(())
    }

    /// Asks for the time zones of portfolios whose times are about to be shown, each once a command. What cannot be
    /// learnt at once is no fault: times are shown in the system's zone then, with their offset.
    pub async fn learn_zones(&self, portfolios: impl IntoIterator<Item = &str>) {
        let zones = &self.output.zones;
        let patience = self.client.retry().timeout.min(ZONE_PATIENCE);
        for portfolio in portfolios.into_iter().filter(|portfolio| zones.lacks(portfolio)) {
            let request = GetPortfolioRequest { name: portfolio.to_owned(), ..Default::default() };
            let mut request = Request::new(request);
            request.set_timeout(patience);
            let mut portfolios = self.client.portfolios();
            let answer = tokio::time::timeout(patience, portfolios.get_portfolio(request)).await;
            let found = answer.ok().and_then(Result::ok).and_then(|answer| answer.into_inner().portfolio);
            zones.learn(portfolio, &found.map(|portfolio| portfolio.time_zone).unwrap_or_default());
        }
    }

    /// Says once to who waits that the server cannot be reached.
    fn hint(&self, status: &Status) {
        let failure = Failure::from(status.clone());
        if failure.connection && !failure.unreachable {
            self.lost.set(true);
        }
        if failure.connection && io::stderr().is_terminal() && !self.hinted.replace(true) {
            let (endpoint, reason, timeout) = (&self.endpoint, failure.message, self.client.retry().timeout);
            self.output
                .note(&format!("{endpoint} cannot be reached ({reason}); trying for up to {timeout:?}"));
        }
    }
}

/// A client of one server, on one connection, or of the services that an endpoint names.
fn client(endpoint: &str, tls: &TlsOptions) -> Result<Client, milepost_client::Error> {
    let parse = |url: &str| Endpoint::parse(url)?.tls(tls.clone());
    match services(endpoint).as_deref() {
        Some([(_, registry), (_, tracker), (_, notifier)]) => {
            let (registry, tracker, notifier) = (parse(registry)?, parse(tracker)?, parse(notifier)?);
            Ok(Client::new(&Endpoints { registry, tracker, notifier }, 1))
        }
        _ => {
            let pool = parse(endpoint)?.pool(1);
            Ok(Client::with_pools(pool.clone(), pool.clone(), pool))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Session {
        /// A session with a port that nothing listens on.
        pub fn unreachable(timeout: Duration) -> Self {
            let endpoint = Some("http://127.0.0.1:1".to_owned());
            let timeout = Some(format!("{}ms", timeout.as_millis()));
            Self::new(Settings { endpoint, timeout, ..Settings::default() }).unwrap()
        }
    }
}

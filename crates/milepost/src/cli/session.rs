//! A connection to a server, and what every noun does with it: call, list, show.
//!
//! Invariant: every call has the deadline of `--timeout`; if a server cannot be reached, a note on
//! standard error says so at the first attempt, and the client keeps trying.

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use indicatif::ProgressBar;
use milepost_client::{Client, Failure, Retry};
use milepost_proto::registry::v1::{GetPortfolioRequest, Portfolio};
use milepost_types::RequestId;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, ReflectMessage, Value};
use tonic::{Request, Response, Status};

use super::flags::{Columns, Limit};
use super::name::Defaults;
use crate::error::Error;
use crate::output::table::Rendered;
use crate::output::{Output, print, progress, shown, text};
use crate::schema;

/// Resources on a page: as many as servers answer.
const PAGE: u64 = 1000;
/// How long a portfolio's time zone is waited for, which only makes times easier to read.
const ZONE_PATIENCE: Duration = Duration::from_secs(2);

/// What a command works with.
pub struct Session {
    client: Client,
    endpoint: String,
    timeout: Duration,
    output: Output,
    defaults: Defaults,
    hinted: Cell<bool>,
}

/// A page of a list.
pub struct Page {
    /// In order.
    pub items: Vec<DynamicMessage>,
    /// The token of the next page; empty: this is the last.
    pub next: String,
}

impl Session {
    /// A session of a client whose server is called so. Connects when first used.
    pub fn new(
        client: Client,
        endpoint: String,
        timeout: Duration,
        output: Output,
        defaults: Defaults,
    ) -> Self {
        let client = client.with_retry(Retry { timeout, ..Retry::default() });
        Self { client, endpoint, timeout, output, defaults, hinted: Cell::new(false) }
    }

    /// A session with a port that nothing listens on.
    #[cfg(test)]
    pub fn unreachable(timeout: Duration) -> Self {
        let (format, zones) = (crate::output::Format::Table, crate::output::zone::Zones::utc());
        let endpoint = "http://127.0.0.1:1";
        let (client, output) = (Client::connect(endpoint).unwrap(), Output::stdout(format, zones));
        Self::new(client, endpoint.to_owned(), timeout, output, Defaults::default())
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where answers go.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// What names are completed with.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// Calls a method, again if that is of use: a write under one request id.
    ///
    /// # Errors
    /// Why the last attempt failed.
    pub async fn call(
        &self,
        method: &MethodDescriptor,
        mut request: DynamicMessage,
    ) -> Result<DynamicMessage, Error> {
        if let Some(id) = request.get_field_by_name_mut("request_id").and_then(Value::as_string_mut)
            && id.is_empty()
        {
            *id = RequestId::generate().to_string();
        }
        let service = method.parent_service();
        let path = format!("/{}/{}", service.full_name(), method.name());
        let path = PathAndQuery::try_from(path).expect("the name of a method is a path");
        let (ledger, request) = (schema::ledger(service), Bytes::from(request.encode_to_vec()));
        let response = self
            .read(request, |client, request| {
                let path = path.clone();
                async move { client.unary(ledger, path, request).await }
            })
            .await?;
        DynamicMessage::decode(method.output(), response)
            .map_err(|_| Error::Other("the server's answer is not what the schema says".into()))
    }

    /// Reads, again if that is of use.
    ///
    /// # Errors
    /// Why the last attempt failed.
    pub async fn read<Q, T, F>(
        &self,
        request: Q,
        mut call: impl FnMut(Client, Request<Q>) -> F,
    ) -> Result<T, Error>
    where
        Q: Clone,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let retry = self.client.retry();
        let call = |request| self.observed(call(self.client.clone(), request));
        Ok(retry.read(retry.deadline(), request, call).await?)
    }

    /// Shows an answer: the resource in it, or all of it.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub async fn one(&self, answer: &DynamicMessage) -> Result<(), Error> {
        if !self.output.is_streamed() {
            self.learn_zones(self.output.zones.portfolio(&shown(answer), "").as_deref()).await;
        }
        print(&self.output.one(answer)?)
    }

    /// Shows several messages that are listed under a parent.
    ///
    /// # Errors
    /// If standard output cannot be written.
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
        let Rendered { text, left_out } = self.output.piece(&list, found);
        print(&text)?;
        if !left_out.is_empty() {
            self.output.note(&format!("no room for {}; --wide shows everything", left_out.join(", ")));
        }
        Ok(())
    }

    /// Follows the pages of a list under a parent up to a limit and shows them: as a table all at the end, else each as
    /// it comes.
    ///
    /// # Errors
    /// If a page cannot be read, or standard output cannot be written.
    pub async fn list(
        &self,
        message: &MessageDescriptor,
        limit: &Limit,
        under: &str,
        columns: &Columns,
        mut page: impl AsyncFnMut(i32, String) -> Result<Page, Error>,
    ) -> Result<(), Error> {
        let list = self.output.list(message, under, columns)?;
        let limit = limit.limit.unwrap_or(u64::MAX);
        let (mut rows, mut listed, mut token) = (Vec::new(), 0_u64, String::new());
        let mut bar = ProgressBar::hidden();
        let more = loop {
            let size = i32::try_from(PAGE.min(limit - listed)).unwrap_or(i32::MAX);
            let Page { mut items, next } = page(size, std::mem::take(&mut token)).await?;
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

    /// Asks for the time zones of portfolios whose times are about to be shown, each once a command, and only where
    /// times are shown in them. What cannot be learnt at once is no fault: times are shown in the system's zone then,
    /// with their offset.
    pub async fn learn_zones(&self, portfolios: impl IntoIterator<Item = &str>) {
        let zones = &self.output.zones;
        for portfolio in portfolios {
            if zones.lacks(portfolio) {
                let found = self.portfolio(portfolio).await;
                zones.learn(portfolio, &found.map(|portfolio| portfolio.time_zone).unwrap_or_default());
            }
        }
    }

    async fn portfolio(&self, name: &str) -> Option<Portfolio> {
        let mut request = Request::new(GetPortfolioRequest { name: name.to_owned(), ..Default::default() });
        let patience = self.timeout.min(ZONE_PATIENCE);
        request.set_timeout(patience);
        let mut portfolios = self.client.portfolios();
        let answer = tokio::time::timeout(patience, portfolios.get_portfolio(request)).await;
        answer.ok().and_then(Result::ok)?.into_inner().portfolio
    }

    /// Passes an attempt on, and says once if the server cannot be reached.
    async fn observed<T>(
        &self,
        attempt: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<Response<T>, Status> {
        let answer = attempt.await;
        if let Err(status) = &answer {
            let failure = Failure::from(status.clone());
            if failure.connection && !self.hinted.replace(true) {
                self.output.note(&format!(
                    "{} cannot be reached ({}); trying for up to {:?}",
                    self.endpoint, failure.message, self.timeout
                ));
            }
        }
        answer
    }
}

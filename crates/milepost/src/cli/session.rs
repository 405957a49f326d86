//! A connection to a server, and the three things every noun does with it: read, write, list.
//!
//! Invariant: every call has the deadline of `--timeout`; if a server cannot be reached, a note on
//! standard error says so at the first attempt, and the client keeps trying.

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use indicatif::ProgressBar;
use milepost_client::{Client, Failure, Retry};
use milepost_proto::WriteRequest;
use milepost_proto::registry::v1::GetPortfolioRequest;
use tonic::{Request, Response, Status};

use super::flags::Limit;
use crate::error::Error;
use crate::output::resource::Resource;
use crate::output::{Format, Output, note, progress, text};

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
    hinted: Cell<bool>,
}

/// A page of a list.
pub struct Page<R> {
    /// In order.
    pub items: Vec<R>,
    /// The token of the next page; empty: this is the last.
    pub next: String,
}

impl Session {
    /// A session with the server at a URL, on behalf of a principal if one is named. Connects when first
    /// used.
    ///
    /// # Errors
    /// If the URL is malformed, or the principal cannot be sent.
    pub fn open(
        endpoint: &str,
        timeout: Duration,
        output: Output,
        principal: Option<&str>,
    ) -> Result<Self, Error> {
        let mut client = Client::connect(endpoint)?.with_retry(Retry { timeout, ..Retry::default() });
        // An empty environment variable names no principal.
        if let Some(principal) = principal.filter(|principal| !principal.is_empty()) {
            client = client.with_principal(principal)?;
        }
        Ok(Self { client, endpoint: endpoint.to_owned(), timeout, output, hinted: Cell::new(false) })
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where answers go.
    pub fn output(&self) -> &Output {
        &self.output
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

    /// Writes, again under the same request id if that is of use.
    ///
    /// # Errors
    /// Why the last attempt failed.
    pub async fn write<Q, T, F>(
        &self,
        request: Q,
        mut call: impl FnMut(Client, Request<Q>) -> F,
    ) -> Result<T, Error>
    where
        Q: WriteRequest,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let retry = self.client.retry();
        let call = |request| self.observed(call(self.client.clone(), request));
        Ok(retry.write(retry.deadline(), request, call).await?)
    }

    /// Shows the resource of an answer.
    ///
    /// # Errors
    /// If the answer has none, or standard output cannot be written.
    pub async fn show<R: Resource>(&self, resource: Option<R>, revision: &str) -> Result<(), Error> {
        self.one(&resource.ok_or(Error::Answer(R::FIELD))?, ("revision", revision)).await
    }

    /// Shows one resource.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub async fn one<R: Resource>(&self, resource: &R, beside: (&str, &str)) -> Result<(), Error> {
        self.learn_zones(resource.place().portfolio("")).await;
        self.output.one(resource, beside)
    }

    /// Shows several resources that are listed under a parent.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub async fn many<R: Resource>(&self, resources: &[R], under: &str) -> Result<(), Error> {
        if R::TIMES_IN_ROWS {
            self.learn_zones(resources.iter().filter_map(|resource| resource.place().portfolio(under))).await;
        }
        self.output.many(resources, under)
    }

    /// Asks for the time zones of portfolios whose times are about to be shown, each once a command, and only where
    /// times are shown in them. What cannot be learnt at once is no fault: times are shown in the system's zone then,
    /// with their offset.
    pub async fn learn_zones(&self, portfolios: impl IntoIterator<Item = &str>) {
        let zones = &self.output.zones;
        if self.output.format == Format::Json {
            return;
        }
        for portfolio in portfolios {
            if !zones.lacks(portfolio) {
                continue;
            }
            let mut request =
                Request::new(GetPortfolioRequest { name: portfolio.to_owned(), ..Default::default() });
            let patience = self.timeout.min(ZONE_PATIENCE);
            request.set_timeout(patience);
            let mut portfolios = self.client.portfolios();
            let answer = tokio::time::timeout(patience, portfolios.get_portfolio(request)).await;
            let found = answer.ok().and_then(Result::ok).and_then(|answer| answer.into_inner().portfolio);
            zones.learn(portfolio, &found.map(|portfolio| portfolio.time_zone).unwrap_or_default());
        }
    }

    /// Follows the pages of a list under a parent up to a limit and shows them: as JSON each as it comes, as a table all
    /// at the end.
    ///
    /// # Errors
    /// If a page cannot be read, or standard output cannot be written.
    pub async fn list<R: Resource>(
        &self,
        limit: &Limit,
        under: &str,
        mut page: impl AsyncFnMut(i32, String) -> Result<Page<R>, Error>,
    ) -> Result<(), Error> {
        let limit = limit.limit.unwrap_or(u64::MAX);
        let (mut rows, mut listed, mut token) = (Vec::new(), 0_u64, String::new());
        let mut bar = ProgressBar::hidden();
        let more = loop {
            let size = i32::try_from(PAGE.min(limit - listed)).unwrap_or(i32::MAX);
            let Page { mut items, next } = page(size, std::mem::take(&mut token)).await?;
            items.truncate(usize::try_from(limit - listed).unwrap_or(usize::MAX));
            listed += items.len() as u64;
            bar.set_position(listed);
            match self.output.format {
                Format::Json => bar.suspend(|| self.output.many(&items, under))?,
                Format::Table => rows.append(&mut items),
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
        if self.output.format == Format::Table {
            if rows.is_empty() {
                note("nothing matches");
            } else {
                self.many(&rows, under).await?;
            }
        }
        if more {
            note(&format!("there is more: the first {} shown", text::count(listed, "is", "are")));
        }
        Ok(())
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
                note(&format!(
                    "{} cannot be reached ({}); trying for up to {:?}",
                    self.endpoint, failure.message, self.timeout
                ));
            }
        }
        answer
    }
}

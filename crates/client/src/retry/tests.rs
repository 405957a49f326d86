//! Retries against a registry that fails, dies after it took a write, and never answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use milepost_proto::registry::v1::portfolio_service_server::{PortfolioService, PortfolioServiceServer};
use milepost_proto::registry::v1::*;
use tonic::service::Routes;
use tonic_types::{ErrorDetails, StatusExt};

use super::*;
use crate::client::Client;
use crate::testing::{cutting_proxy, pool, quick, serve, soon};

/// What the server saw of a call: the name or request id in it, and its `grpc-timeout`.
type Seen = (String, Option<String>);

/// Fails the first calls in this order; `None` answers. Notes what it saw.
#[derive(Clone, Default)]
struct Registry {
    failures: Arc<Mutex<VecDeque<Option<Status>>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    never_answers: bool,
}

impl Registry {
    fn failing(failures: Vec<Status>) -> Self {
        let failures = failures.into_iter().map(Some).collect();
        Self { failures: Arc::new(Mutex::new(failures)), ..Self::default() }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(what, _)| what.clone()).collect()
    }

    async fn answer<Q, T: Default>(
        &self,
        request: &Request<Q>,
        what: fn(&Q) -> &str,
    ) -> Result<Response<T>, Status> {
        let timeout = request.metadata().get("grpc-timeout").map(|value| value.to_str().unwrap().to_owned());
        self.seen.lock().unwrap().push((what(request.get_ref()).to_owned(), timeout));
        if self.never_answers {
            std::future::pending::<()>().await;
        }
        match self.failures.lock().unwrap().pop_front().flatten() {
            Some(status) => Err(status),
            None => Ok(Response::new(T::default())),
        }
    }
}

macro_rules! unused {
    ($($method:ident: $request:ident -> $response:ident;)+) => {
        #[tonic::async_trait]
        impl PortfolioService for Registry {
            async fn get_portfolio(
                &self,
                request: Request<GetPortfolioRequest>,
            ) -> Result<Response<GetPortfolioResponse>, Status> {
                self.answer(&request, |request| &request.name).await
            }

            async fn create_portfolio(
                &self,
                request: Request<CreatePortfolioRequest>,
            ) -> Result<Response<CreatePortfolioResponse>, Status> {
                self.answer(&request, |request| &request.request_id).await
            }

            $(async fn $method(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                Err(Status::unimplemented(""))
            })+
        }
    };
}

unused! {
    list_portfolios: ListPortfoliosRequest -> ListPortfoliosResponse;
    update_portfolio: UpdatePortfolioRequest -> UpdatePortfolioResponse;
    delete_portfolio: DeletePortfolioRequest -> DeletePortfolioResponse;
    undelete_portfolio: UndeletePortfolioRequest -> UndeletePortfolioResponse;
}

fn client_at(address: std::net::SocketAddr, timeout: Duration) -> Client {
    let pool = pool(address);
    Client::with_pools(pool.clone(), pool.clone(), pool).with_retry(Retry { backoff: quick(), timeout })
}

async fn client(registry: &Registry) -> Client {
    let address = serve(Routes::new(PortfolioServiceServer::new(registry.clone()))).await;
    client_at(address, Duration::from_secs(10))
}

async fn read(client: &Client) -> Result<GetPortfolioResponse, Error> {
    let retry = client.retry();
    let request = GetPortfolioRequest { name: "portfolios/p".into(), ..Default::default() };
    let call = |request| {
        let mut portfolios = client.portfolios();
        async move { portfolios.get_portfolio(request).await }
    };
    soon(retry.read(retry.deadline(), request, call)).await
}

async fn write(client: &Client, request_id: &str) -> Result<CreatePortfolioResponse, Error> {
    let retry = client.retry();
    let request = CreatePortfolioRequest { request_id: request_id.into(), ..Default::default() };
    let call = |request| {
        let mut portfolios = client.portfolios();
        async move { portfolios.create_portfolio(request).await }
    };
    soon(retry.write(retry.deadline(), request, call)).await
}

fn exhausted(reason: &str, delay: Option<Duration>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "milepost.dev", []);
    if delay.is_some() {
        details.set_retry_info(delay);
    }
    Status::with_error_details(Code::ResourceExhausted, "too much", details)
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let busy = exhausted("OVERLOADED", Some(Duration::from_millis(20)));
    let registry =
        Registry::failing(vec![Status::unavailable("starting"), busy, Status::unavailable("again")]);
    let client = client(&registry).await;
    let started = Instant::now();
    read(&client).await.unwrap();
    assert_eq!(registry.seen().len(), 4);
    assert!(started.elapsed() >= Duration::from_millis(20), "the server's delay was not kept");
}

#[tokio::test]
async fn what_another_attempt_does_not_change_is_not_tried_again() {
    for status in [
        Status::aborted("stale"),
        Status::invalid_argument("no"),
        Status::failed_precondition("no"),
        Status::internal("no"),
        Status::deadline_exceeded("no"),
        exhausted("OVERLOADED", None),
        exhausted("LIMIT_EXCEEDED", Some(Duration::from_millis(1))),
    ] {
        let registry = Registry::failing(vec![status.clone()]);
        let error = read(&client(&registry).await).await.unwrap_err();
        assert_eq!(error.failure().unwrap().code, status.code());
        assert_eq!(registry.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn every_attempt_of_a_write_carries_one_request_id() {
    let registry = Registry::failing(vec![Status::unavailable(""), Status::unavailable("")]);
    let client = client(&registry).await;
    write(&client, "").await.unwrap();
    write(&client, "mine").await.unwrap();
    let seen = registry.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen[0].len() == 36 && seen[..3].iter().all(|id| *id == seen[0]), "{seen:?}");
    assert_eq!(seen[3], "mine");
}

#[tokio::test]
async fn a_write_whose_connection_dies_before_the_answer_is_sent_again_under_its_id() {
    let registry = Registry::default();
    let address = serve(Routes::new(PortfolioServiceServer::new(registry.clone()))).await;
    // Enough for the settings of the server; not for its answer.
    let (address, connections) = cutting_proxy(address, vec![60, 65, 70]).await;
    write(&client_at(address, Duration::from_secs(10)), "").await.unwrap();
    let seen = registry.seen();
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 4);
    assert!(seen.len() > 1 && seen.iter().all(|id| *id == seen[0]), "{seen:?}");
}

#[tokio::test]
async fn the_deadline_is_sent_to_the_server_and_kept() {
    let registry = Registry { never_answers: true, ..Registry::default() };
    let address = serve(Routes::new(PortfolioServiceServer::new(registry.clone()))).await;
    let client = client_at(address, Duration::from_millis(100));
    let started = Instant::now();
    let error = read(&client).await.unwrap_err();
    assert_eq!(error.failure().unwrap().code, Code::DeadlineExceeded);
    assert!(started.elapsed() >= Duration::from_millis(99));
    let (_, timeout) = registry.seen.lock().unwrap()[0].clone();
    let left: u64 =
        timeout.expect("a grpc-timeout").trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
    assert!(left > 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_when_the_deadline_comes() {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = read(&client_at(address, Duration::from_millis(50))).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("refused") && text.contains("hint:"), "{text}");
}

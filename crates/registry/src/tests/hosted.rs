//! The registry as a part of a server, on a file journal: over a socket, through the host, and again after
//! a stop.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use milepost_proto::registry::v1::*;
use milepost_service::config::server::Server;
use milepost_service::host::{BoxError, Listeners, ServiceContext, run};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::Channel;

use super::office::{faults, named, portfolio, refusal};
use super::transcript::raw;
use crate::Service;

struct Hosted {
    channel: Channel,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Hosted {
    async fn serve(data: &Path) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let config =
            Server { listen: any, admin_listen: None, data_dir: data.to_owned(), ..Server::default() };
        let listeners = Listeners::bind(&config).await.unwrap();
        let address = listeners.addresses().0.unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            let open = async |context: ServiceContext| {
                let service = Service::open(&context, &config).await?;
                Ok::<_, BoxError>(vec![service.component(&context)])
            };
            let shutdown = async move { stopped.await.unwrap_or_default() };
            run(&config, ServiceContext::new(&config), listeners, open, shutdown).await.unwrap();
        });
        let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
        // The port is bound, and accepts when the registry is open.
        Self { channel: endpoint.connect().await.unwrap(), stop, server }
    }

    async fn end(self) {
        drop(self.channel);
        self.stop.send(()).unwrap();
        self.server.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_stop() {
    let data = tempfile::tempdir().unwrap();
    let hosted = Hosted::serve(data.path()).await;
    let mut client = portfolio_service_client::PortfolioServiceClient::new(hosted.channel.clone());
    let request = CreatePortfolioRequest {
        portfolio_id: "wsc".into(),
        portfolio: Some(portfolio()),
        request_id: "r-1".into(),
        ..CreatePortfolioRequest::default()
    };
    let created = client.create_portfolio(request.clone()).await.unwrap().into_inner();
    drop(client);
    hosted.end().await;

    let hosted = Hosted::serve(data.path()).await;
    let mut client = portfolio_service_client::PortfolioServiceClient::new(hosted.channel.clone());
    let get = GetPortfolioRequest { name: "portfolios/wsc".into(), min_revisions: vec![created.revision] };
    assert_eq!(client.get_portfolio(get).await.unwrap().into_inner().portfolio, created.portfolio);
    let again = client.create_portfolio(request).await.unwrap().into_inner();
    assert_eq!(again.portfolio, created.portfolio, "the request id is remembered");
    drop(client);
    hosted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_or_too_much_of_one_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let hosted = Hosted::serve(data.path()).await;
    let create = "milepost.registry.v1.ProjectService/CreateProject";
    // `parent`, three bytes that are not UTF-8.
    let status =
        raw::call(&hosted.channel, create, Bytes::from_static(b"\x0a\x03\xff\xfe\xfd")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "MALFORMED_MESSAGE".into()));
    let status = raw::call(&hosted.channel, create, Bytes::from_static(b"\x0a\xff")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "MALFORMED_MESSAGE".into()));

    let mut client = project_service_client::ProjectServiceClient::new(hosted.channel.clone());
    let huge = |bytes: usize| CreateProjectRequest {
        parent: "portfolios/wsc".into(),
        project: Some(named(&"科".repeat(bytes / 3))),
        ..CreateProjectRequest::default()
    };
    let status = client.create_project(huge(10 << 20)).await.unwrap_err();
    assert_eq!(faults(&status), [("project.display_name".into(), "TOO_LONG".into())]);
    let status = client.create_project(huge(20 << 20)).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::ResourceExhausted, "LIMIT_EXCEEDED".into()));
    drop(client);
    hosted.end().await;
}

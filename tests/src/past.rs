//! Offices as they were on an earlier day: what a server finds that was down since then.
//!
//! Invariant: registry and tracker are those that a server runs, in this process, by a clock that stands still; what they
//! leave is what a server leaves that was stopped in order.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use milepost_client::{Client, ConnectOptions};
use milepost_service::config::ByteSize;
use milepost_service::config::server::Server;
use milepost_service::host::{self, BoxError, Component, Listeners, ServiceContext};
use milepost_service::journal_service::Journals;
use milepost_types::{LedgerKind, ManualClock};
use tokio::sync::oneshot;

/// Has an office be written at a time, under the directory where its server is to find it.
///
/// # Panics
/// If it cannot be served, or does not end well.
pub async fn write(data: &Path, now: Timestamp, write: impl AsyncFnOnce(&Client)) {
    let mut server = Server {
        data_dir: data.to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        admin_listen: None,
        ..Server::default()
    };
    server.journal.segment_bytes = ByteSize::mib(1);
    let listeners = Listeners::bind(&server).await.expect("an address");
    let url = format!("http://{}", listeners.addresses().0.expect("an address"));
    let context = ServiceContext::with_clock(&server, Arc::new(ManualClock::new(now)));
    let mut readiness = context.readiness.watch();
    let (stop, stopped) = oneshot::channel::<()>();
    let (opened, registry_url) = (server.clone(), url.clone());
    let open = move |context| open(context, opened, registry_url);
    let running = tokio::spawn(async move {
        host::run(&server, context, listeners, open, async { drop(stopped.await) }).await
    });
    let ready = readiness.wait_for(|report| !report.checks.is_empty() && report.ready()).await;
    drop(ready.expect("it is ready"));
    let client = Client::connect(&url).expect("a URL").with_principal("user:corp/office").expect("an id");
    write(&client).await;
    drop(client);
    stop.send(()).expect("it runs");
    running.await.expect("no panic").expect("it ends well");
}

async fn open(context: ServiceContext, server: Server, url: String) -> Result<Vec<Component>, BoxError> {
    let registry = milepost_registry::Service::open(&context, &server).await?;
    let config = milepost_tracker::Config { registry_url: Some(url), ..milepost_tracker::Config::default() };
    let to_registry = config.registry(&ConnectOptions::default())?.ok_or("no registry")?;
    let tracker = milepost_tracker::Service::open(&context, &server, &config, to_registry).await?;
    let journals = Journals::new(&context).with(LedgerKind::Registry, registry.followed(&server));
    let journals = journals.with(LedgerKind::Tracker, tracker.followed(&server));
    let of_process = Component::new("process").service(journals.into_service(&context));
    Ok(vec![of_process, registry.component(&context), tracker.component(&context)])
}

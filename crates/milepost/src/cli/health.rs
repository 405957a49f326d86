//! `milepost health`: whether a server takes traffic, as grpc.health.v1 has it.
//!
//! Invariant: succeeds only if every server that was asked is serving, so that a container's health check needs no
//! shell. Does not say why a server is not serving: `/readyz` on its admin port does.

use bytes::Bytes;
use clap::Args;
use http::uri::PathAndQuery;
use milepost_types::LedgerKind;
use prost::Message;
use serde_json::json;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::session::Session;
use crate::DEFAULT_ENDPOINT;
use crate::context::{Settings, services};
use crate::error::Error;
use crate::output::{self, Format, json};

const CHECK: &str = "/grpc.health.v1.Health/Check";
/// How long a server is tried: less than a health check of a container may take.
const PATIENCE: &str = "3s";

/// Which health is asked for.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The gRPC service that is asked for, as in milepost.registry.v1.ProjectService [default: the whole server]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    service: String,
}

/// Asks every server of the endpoint, and says that they are serving.
///
/// # Errors
/// If one is not serving, does not know the service, or cannot be reached.
pub async fn run(args: &HealthArgs, mut settings: Settings, format: Format) -> Result<(), Error> {
    settings.timeout.get_or_insert_with(|| PATIENCE.to_owned());
    let endpoint = settings.endpoint.clone().unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
    let session = Session::new(settings)?;
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for (ledger, url) in servers(&endpoint, &args.service) {
        match check(&session, ledger, &args.service).await? {
            ServingStatus::Serving => lines.push(line(&url, &args.service, format)),
            status => faults.push(format!("{} is {}", subject(&url, &args.service), words(status))),
        }
    }
    if !faults.is_empty() {
        let why = "`/readyz` on the admin port says why";
        return Err(Error::Other(format!("{}; {why}", faults.join(", ")).into()));
    }
    if format == Format::Csv {
        lines.insert(0, "endpoint,service,status\n".to_owned());
    }
    output::print(&lines.concat())
}

/// The servers to ask: each with a ledger that it has, and its URL. A service of one ledger is asked of its server alone.
fn servers(endpoint: &str, service: &str) -> Vec<(LedgerKind, String)> {
    let Some(urls) = services(endpoint) else { return vec![(LedgerKind::Registry, endpoint.to_owned())] };
    let is_of = |ledger: &LedgerKind| service.starts_with(&format!("milepost.{ledger}."));
    let own = LedgerKind::ALL.into_iter().find(is_of);
    let servers = LedgerKind::ALL.into_iter().filter(|ledger| own.is_none_or(|own| own == *ledger));
    let url =
        |ledger: LedgerKind| urls.iter().find(|(name, _)| *name == ledger.as_str()).map(|(_, url)| *url);
    servers.filter_map(|ledger| Some((ledger, url(ledger)?.to_owned()))).collect()
}

async fn check(session: &Session, ledger: LedgerKind, service: &str) -> Result<ServingStatus, Error> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let call = |client: milepost_client::Client, request| async move {
        client.unary(ledger, PathAndQuery::from_static(CHECK), request).await
    };
    let answer = session.read(Bytes::from(request.encode_to_vec()), call).await?;
    let answer = HealthCheckResponse::decode(answer)
        .map_err(|_| Error::Other("the server's answer is not what grpc.health.v1 says".into()))?;
    Ok(answer.status())
}

/// The line of a server, or of a service of it, that is serving.
fn line(url: &str, service: &str, format: Format) -> String {
    let status = ServingStatus::Serving.as_str_name();
    match format {
        Format::Table => format!("{} is {}\n", subject(url, service), words(ServingStatus::Serving)),
        Format::Json => json::line(&json!({ "endpoint": url, "service": service, "status": status })),
        Format::Csv => format!("{url},{service},{status}\n"),
    }
}

fn subject(url: &str, service: &str) -> String {
    if service.is_empty() { url.to_owned() } else { format!("{service} of {url}") }
}

fn words(status: ServingStatus) -> &'static str {
    match status {
        ServingStatus::Serving => "serving",
        ServingStatus::NotServing => "not serving",
        ServingStatus::Unknown => "of unknown health",
        ServingStatus::ServiceUnknown => "no service there",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_of_an_endpoint_is_asked_and_a_service_only_where_it_is() {
        let asked = |endpoint, service| {
            let servers = servers(endpoint, service);
            servers.into_iter().map(|(ledger, url)| format!("{ledger} {url}")).collect::<Vec<_>>().join(", ")
        };
        let one = "http://a:1";
        let apart = "registry=http://a:1,tracker=http://b:2,notifier=http://c:3";
        assert_eq!(asked(one, ""), "registry http://a:1");
        assert_eq!(asked(one, "milepost.tracker.v1.MilestoneService"), "registry http://a:1");
        assert_eq!(asked(apart, ""), "registry http://a:1, tracker http://b:2, notifier http://c:3");
        assert_eq!(asked(apart, "milepost.tracker.v1.MilestoneService"), "tracker http://b:2");
        assert_eq!(asked(apart, "milepost.journal.v1.JournalService"), asked(apart, ""));
    }

    #[test]
    fn what_serves_has_one_line_in_every_format() {
        let line = |format| line("http://a:1", "s", format);
        assert_eq!(line(Format::Table), "s of http://a:1 is serving\n");
        assert_eq!(
            line(Format::Json),
            "{\"endpoint\":\"http://a:1\",\"service\":\"s\",\"status\":\"SERVING\"}\n"
        );
        assert_eq!(line(Format::Csv), "http://a:1,s,SERVING\n");
    }
}

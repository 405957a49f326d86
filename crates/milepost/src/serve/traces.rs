//! Where a server sends its traces.

use milepost_client::{Endpoint, TlsOptions};
use milepost_service::config::traces::Traces as Config;
use milepost_service::telemetry::Traces;

use crate::error::BoxError;

/// Traces the calls of this service, if a collector is configured; nothing waits for it to be there.
///
/// # Errors
/// If its URL or the CAs cannot be used.
pub(super) fn start(name: &str, config: &Config) -> Result<Option<Traces>, BoxError> {
    let Some(url) = &config.endpoint else { return Ok(None) };
    let tls = TlsOptions { ca: config.ca.clone(), ..TlsOptions::default() };
    let channel = Endpoint::parse(url)?.tls(tls)?.channel();
    Ok(Some(Traces::start(config, name, channel)))
}

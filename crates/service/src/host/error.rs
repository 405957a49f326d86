//! Why a server did not start, or did not run to an orderly end.

use super::context::BoxError;
use std::net::SocketAddr;

/// Why a server did not start, or did not run to an orderly end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// As configured.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// TLS cannot be set up: a file of it changed since the configuration was read.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// A component cannot be opened.
    #[error("cannot start")]
    Open(#[source] BoxError),
    /// The reflection service cannot describe the API: this binary is broken.
    #[error("the API's description cannot be read")]
    Reflection(#[source] BoxError),
    /// A task of a component ended with an error, so the server stopped.
    #[error("{component}: {task} failed")]
    Task {
        /// The component.
        component: &'static str,
        /// The task.
        task: &'static str,
        /// Why.
        source: BoxError,
    },
    /// A component cannot be closed in good order.
    #[error("{component} cannot be closed in good order")]
    Close {
        /// The component.
        component: &'static str,
        /// Why.
        source: BoxError,
    },
}

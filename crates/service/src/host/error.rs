//! Why a server did not start, or did not run to an orderly end.

use super::kit::BoxError;
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
    /// A part cannot be opened.
    #[error("cannot start")]
    Open(#[source] BoxError),
    /// The reflection service cannot describe the API: this binary is broken.
    #[error("the API's description cannot be read")]
    Reflection(#[source] BoxError),
    /// A task of a part ended with an error, so the server stopped.
    #[error("{part}: {task} failed")]
    Task {
        /// The part.
        part: &'static str,
        /// The task.
        task: &'static str,
        /// Why.
        source: BoxError,
    },
    /// A part cannot be closed in good order.
    #[error("{part} cannot be closed in good order")]
    Close {
        /// The part.
        part: &'static str,
        /// Why.
        source: BoxError,
    },
}

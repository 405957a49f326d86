//! The ports of a server, bound before anything else.

use super::error::Error;
use crate::config::server::Server;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The ports of a server, bound.
#[derive(Debug)]
pub struct Listeners {
    /// The gRPC port.
    pub grpc: TcpListener,
    /// The admin port, if there is one.
    pub admin: Option<TcpListener>,
}

impl Listeners {
    /// Binds the configured addresses.
    ///
    /// # Errors
    /// If one cannot be bound.
    pub async fn bind(config: &Server) -> Result<Self, Error> {
        let bind = async |address| {
            TcpListener::bind(address).await.map_err(|source| Error::Bind { address, source })
        };
        let grpc = bind(config.listen).await?;
        let admin = match config.admin_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { grpc, admin })
    }

    /// The addresses that were bound, real ports included: gRPC, admin.
    pub fn addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let address = |listener: &TcpListener| listener.local_addr().ok();
        (address(&self.grpc), self.admin.as_ref().and_then(address))
    }
}

//! Where the demo's services listen, and the one place that starts them.
//!
//! Invariant: a port that was asked for is the port, or the demo does not start; the usual ports give way
//! to free ones if they are in use.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use crate::error::BoxError;
use crate::output::note;
use crate::serve::{self, Embedded, Running};

const GRPC_PORT: u16 = 7400;
const ADMIN_PORT: u16 = 7410;

/// Starts all services of the demo; answers when they are ready.
pub async fn start(
    data_dir: PathBuf,
    port: Option<u16>,
    admin_port: Option<u16>,
) -> Result<Running, BoxError> {
    let listen = address(port, GRPC_PORT);
    let admin_listen = Some(address(admin_port, ADMIN_PORT));
    serve::start(Embedded { data_dir, listen, admin_listen }).await
}

/// The port that was asked for; else the usual one if it is free, else any free one.
fn address(asked: Option<u16>, usual: u16) -> SocketAddr {
    let on = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match asked {
        Some(port) => on(port),
        None if TcpListener::bind(on(usual)).is_ok() => on(usual),
        None => {
            note(&format!("port {usual} is taken; another one is used"));
            on(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_port_that_is_taken_gives_way_and_one_that_was_asked_for_does_not() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_eq!(address(None, port).port(), 0);
        assert_eq!(address(Some(port), port).port(), port);
        drop(taken);
    }
}

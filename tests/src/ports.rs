//! Ports for servers that come back on the port they had.
//!
//! They lie below the range that the kernel takes source ports from: a client that keeps connecting to a
//! port in that range while nobody listens there ends up connected to itself, and keeps the server out.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::random::fresh;

const FIRST: u64 = 12_000;
const COUNT: u64 = 18_000;

/// A port of this machine that nobody listened on a moment ago.
///
/// # Panics
/// If none is found.
pub fn free() -> SocketAddr {
    (0..1000)
        .map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, (FIRST + fresh() % COUNT) as u16)))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a free port")
}

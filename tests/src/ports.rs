//! Ports for servers that come back on the port they had.
//!
//! They lie below the range that the kernel takes source ports from: a client that keeps connecting to a
//! port in that range while nobody listens there ends up connected to itself, and keeps the server out.
//!
//! Invariant: none is given twice, to this test or to one that runs beside it: whoever has one holds the UDP port of the same
//! number, which no server needs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Mutex;

use crate::random::fresh;

const FIRST: u64 = 12_000;
const COUNT: u64 = 18_000;

/// What holds the ports that were given, until the test ends.
static GIVEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A port of this machine that nobody listened on a moment ago.
///
/// # Panics
/// If none is found.
pub fn free() -> SocketAddr {
    let reserved = |address: &SocketAddr| {
        let held = UdpSocket::bind(address).ok()?;
        TcpListener::bind(address).is_ok().then_some(held)
    };
    let (address, held) = (0..1000)
        .map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, (FIRST + fresh() % COUNT) as u16)))
        .find_map(|address| Some((address, reserved(&address)?)))
        .expect("a free port");
    GIVEN.lock().expect("no thread panicked with it").push(held);
    address
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let given: BTreeSet<_> = (0..500).map(|_| free()).collect();
        assert_eq!(given.len(), 500);
    }
}

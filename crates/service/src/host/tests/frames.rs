//! HTTP/2 as bytes: what no client library would send, or leave out.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// A frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The headers of a call: POST, http, then literals: the path, the authority, the content type.
pub(super) fn headers(path: &str) -> Vec<u8> {
    let literal = |name: &[u8], value: &str| [name, &[value.len() as u8], value.as_bytes()].concat();
    [
        vec![0x83, 0x86],
        literal(&[0x04], path),
        literal(&[0x01], "x"),
        literal(&[0x0f, 0x10], "application/grpc"),
    ]
    .concat()
}

/// Reads frames until `enough` of them have this kind.
pub(super) async fn read_frames(socket: &mut TcpStream, kind: u8, enough: usize) {
    let mut seen = 0;
    while seen < enough {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await.expect("the connection goes on");
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        socket.read_exact(&mut payload).await.expect("the connection goes on");
        if kind != GOAWAY {
            assert_ne!(head[3], GOAWAY, "the connection is ended: {}", String::from_utf8_lossy(&payload));
        }
        seen += usize::from(head[3] == kind);
    }
}

/// A connection that has sent these bytes.
pub(super) async fn sent(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    socket
}

/// Waits until the other side has closed the connection; what it said until then.
pub(super) async fn closed(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset closes it, too.
    let _ = soon(socket.read_to_end(&mut bytes)).await;
    bytes
}

//! HTTP/2 frames in the bytes that a traced server read and wrote, with the system call of each.
//!
//! Headers stay compressed: only the kind, the stream and the payload of a frame are read.

use std::collections::BTreeMap;

use crate::strace::Call;

/// The kind of frame that carries messages.
pub const DATA: u8 = 0;
/// The kind that opens an answer, or ends it.
pub const HEADERS: u8 = 1;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame, and which call of the trace brought or took it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What it is.
    pub kind: u8,
    /// Its stream; 0 for the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
    /// The call with its first byte: its place in the trace.
    pub first: usize,
    /// The call with its last byte.
    pub last: usize,
}

/// What a server read from a connection, and what it wrote to it.
#[derive(Debug, Default)]
pub struct Connection {
    /// From the client.
    pub read: Vec<Frame>,
    /// To the client.
    pub written: Vec<Frame>,
}

/// Bytes of one direction, and where each call's begin.
#[derive(Debug, Default)]
struct Bytes {
    bytes: Vec<u8>,
    starts: Vec<(usize, usize)>,
}

impl Bytes {
    fn take(&mut self, call: usize, data: &[u8]) {
        if !data.is_empty() {
            self.starts.push((self.bytes.len(), call));
            self.bytes.extend_from_slice(data);
        }
    }

    fn call(&self, at: usize) -> usize {
        let after = self.starts.partition_point(|(start, _)| *start <= at);
        self.starts[after - 1].1
    }

    fn frames(&self) -> Vec<Frame> {
        let mut at = if self.bytes.starts_with(PREFACE) { PREFACE.len() } else { 0 };
        let mut frames = Vec::new();
        while let Some(head) = self.bytes.get(at..at + 9) {
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let stream = u32::from_be_bytes([head[5] & 0x7F, head[6], head[7], head[8]]);
            let Some(payload) = self.bytes.get(at + 9..at + 9 + length) else { break };
            let (first, last) = (self.call(at), self.call(at + 8 + length));
            frames.push(Frame { kind: head[3], stream, payload: payload.to_vec(), first, last });
            at += 9 + length;
        }
        frames
    }
}

/// The connections that a server accepted on a port, by their addresses.
pub fn connections(calls: &[Call], port: u16) -> BTreeMap<String, Connection> {
    let accepted = format!("TCP:[127.0.0.1:{port}->");
    let mut bytes: BTreeMap<&str, (Bytes, Bytes)> = BTreeMap::new();
    for (index, call) in calls.iter().enumerate() {
        // What is only peeked at is read again.
        let peeked = call.arguments.contains("MSG_PEEK");
        if !call.target.starts_with(&accepted) || call.result <= 0 || peeked {
            continue;
        }
        let (read, written) = bytes.entry(&call.target).or_default();
        match call.name.as_str() {
            "read" | "readv" | "recvfrom" | "recvmsg" => read.take(index, &call.data()),
            "write" | "writev" | "sendto" | "sendmsg" => written.take(index, &call.data()),
            _ => {}
        }
    }
    bytes
        .into_iter()
        .map(|(target, (read, written))| {
            (target.to_owned(), Connection { read: read.frames(), written: written.frames() })
        })
        .collect()
}

/// Whether a text is somewhere in the bytes.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

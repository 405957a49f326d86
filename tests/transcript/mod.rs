//! Transcripts: what a service stores and sends for a list of calls, byte for byte, beside a golden text.
//!
//! Included by the tests of each service (`#[path]`), which say what is called. Nothing here knows a service's
//! inside: requests are made from the schemas, answers are the bytes that were sent, rows and entries are
//! read as every reader of a ledger reads them. Invariant: the same calls give the same text at any time and
//! place: the clock is the transcript's, every write has a request id of its own, and what is made at
//! random all the same is replaced by a word for it (see [`Transcript::made`]).

mod fields;
pub(crate) mod noun;
pub(crate) mod raw;
mod request;
mod text;

use bytes::Bytes;
use jiff::SignedDuration;
use milepost_ledger::journal::StoredEntry;
use milepost_ledger::{CommandId, Entry, Row};
use milepost_proto::event::v1::Event;
use milepost_types::ManualClock;
use prost::Message;
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Request, Status};

use text::Text;

/// A service under test.
pub(crate) trait Subject {
    /// The package of its services: `milepost.registry.v1`.
    const PACKAGE: &'static str;
    /// A revision of a ledger of its kind, and not of its log.
    const REVISION_OF_ANOTHER_LOG: &'static str;
    /// Methods that take another person than one who called before.
    const BY_ANOTHER_PERSON: &'static [&'static str] = &[];

    fn channel(&self) -> &Channel;
    fn clock(&self) -> &ManualClock;
    /// Every row of its ledger.
    fn rows(&self) -> Vec<Row>;
    /// The entries of its journal after this sequence.
    fn entries_after(&self, sequence: u64) -> Vec<StoredEntry>;
    /// Closes its ledger, which writes a checkpoint.
    async fn close(&mut self);
}

/// `package.Service/Method`, where the package is that of the service unless it is said.
fn full<S: Subject>(method: &str) -> String {
    if method.starts_with("milepost.") { method.to_owned() } else { format!("{}.{method}", S::PACKAGE) }
}

/// A service under test, and the text about it.
pub(crate) struct Transcript<S> {
    pub(crate) subject: S,
    text: Text,
    writes: u32,
    sequence: u64,
}

/// An answer to a list, whatever it is a list of.
#[derive(Clone, PartialEq, Message)]
struct Page {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resources: Vec<Bytes>,
    #[prost(string, tag = "2")]
    next_page_token: String,
}

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Written {
    #[prost(string, tag = "2")]
    revision: String,
}

impl<S: Subject> Transcript<S> {
    /// A transcript that begins with what this service has now.
    pub(crate) fn of(subject: S) -> Self {
        let mut transcript = Self { subject, text: Text::default(), writes: 0, sequence: 0 };
        transcript.settle();
        transcript
    }

    /// Goes on with another service, which has nothing to do with the one before.
    pub(crate) fn turn_to(&mut self, subject: S) {
        (self.subject, self.sequence, self.writes) = (subject, 0, 0);
        self.settle();
    }

    pub(crate) fn chapter(&mut self, title: &str) {
        self.text.chapter(title);
    }

    /// Makes a call that must succeed, without a word of it.
    pub(crate) async fn given(&mut self, method: &str, request: Value) -> Bytes {
        let answer = self.send(method, request, false).await;
        self.settle();
        answer.unwrap_or_else(|status| panic!("{method}: {status:?}"))
    }

    /// Makes a call and tells what it stored and what was answered.
    pub(crate) async fn call(&mut self, what: &str, method: &str, request: Value) {
        self.tell(what, method, request, false).await;
    }

    /// The same as a caller who says who it is, with a trace.
    pub(crate) async fn call_signed(&mut self, what: &str, method: &str, request: Value) {
        self.tell(what, method, request, true).await;
    }

    async fn tell(&mut self, what: &str, method: &str, request: Value, signed: bool) {
        self.text.step(&format!("{method}: {what}"));
        let answer = self.send(method, request, signed).await;
        self.stored();
        self.text.answer(&answer);
    }

    /// A creation whose id and request id the server makes: words stand for both, and for the revision, which
    /// depends on them.
    pub(crate) async fn made(&mut self, method: &str, request: Value) {
        let mut request = request;
        request["request_id"] = json!("");
        self.text.step(&format!("{method}: the server makes the id and the request id"));
        let answer = self.send(method, request, false).await.unwrap();
        let entries = self.subject.entries_after(self.sequence);
        let entry = Entry::decode(&entries[0]).unwrap();
        let CommandId::Server(command) = &entry.command_id else { panic!("{:?}", entry.command_id) };
        let subject = Event::decode(entry.events[0].clone()).unwrap().subject;
        let id = subject.rsplit('/').next().unwrap();
        let (id, shape) = (id.to_owned(), format!("made id, {} and {} more", &id[..1], id.len() - 1));
        self.text.word(&shape, id.as_bytes());
        self.text.word("made request id", command.as_bytes());
        let revision = Written::decode(answer.clone()).unwrap().revision;
        self.text.word("revision", revision.as_bytes());
        self.text.stored(self.subject.rows(), &entries);
        self.text.answer(&Ok(answer));
        self.settle();
    }

    /// Every page of a list, one resource each: their names and the tokens between them.
    pub(crate) async fn pages(&mut self, method: &str, mut request: Value) {
        // Whether keys keep their order is a feature of serde_json that depends on what else is built.
        request.sort_all_objects();
        self.text.step(&format!("{method}: pages of {request}"));
        request["page_size"] = json!(1);
        loop {
            let answer = match self.send(method, request.clone(), false).await {
                Ok(answer) => answer,
                refused => return self.text.answer(&refused),
            };
            let page = Page::decode(answer).unwrap();
            for resource in page.resources {
                match Named::decode(resource.clone()) {
                    Ok(Named { name }) => self.text.line(&name),
                    Err(_) => self.text.bytes("without a name", &resource),
                }
            }
            if page.next_page_token.is_empty() {
                return;
            }
            self.text.line(&format!("  then {}", page.next_page_token));
            request["page_token"] = json!(page.next_page_token);
        }
    }

    /// Closes the ledger and tells what its checkpoint adds: the request ids and their digests.
    pub(crate) async fn close(&mut self) {
        self.subject.close().await;
        self.happened("the ledger is closed");
    }

    /// Tells what was stored since, of itself.
    pub(crate) fn happened(&mut self, what: &str) {
        self.text.step(what);
        self.stored();
    }

    fn stored(&mut self) {
        self.text.stored(self.subject.rows(), &self.subject.entries_after(self.sequence));
        self.settle();
    }

    /// Compares all of it with the golden text at this path, which a test of this package keeps.
    pub(crate) fn check(&self, package: &str, path: &std::path::Path) {
        self.text.check(package, path);
    }

    async fn send(&mut self, method: &str, mut request: Value, signed: bool) -> Result<Bytes, Status> {
        let method = full::<S>(method);
        if request::is_write(&method) {
            self.writes += 1;
            self.subject.clock().advance(SignedDuration::new(1, 1));
            if request.get("request_id").is_none() {
                request["request_id"] = json!(format!("request-{}", self.writes));
            }
        }
        let mut request = Request::new(request::encoded(&method, request));
        if S::BY_ANOTHER_PERSON.iter().any(|by| method.ends_with(by)) {
            request.metadata_mut().insert("x-milepost-principal", "approver".parse().unwrap());
        } else if signed {
            let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
            request.metadata_mut().insert("x-milepost-principal", "office".parse().unwrap());
            request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
        }
        raw::call(self.subject.channel(), &method, request).await
    }

    /// Takes what is there now as written already.
    fn settle(&mut self) {
        self.text.settle(self.subject.rows());
        let last = self.subject.entries_after(self.sequence).last().map(|entry| entry.sequence);
        self.sequence = last.unwrap_or(self.sequence);
    }
}

//! `milepost.audit.v1.AuditService`: the records of this process, the newest first.
//!
//! Invariant: a page is read from at most a few files, and goes on before the record that it ended with, also if files
//! were added or removed meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Request;
use jiff::Timestamp;
use milepost_proto::audit::v1::{ListAuditRecordsRequest, ListAuditRecordsResponse};
use milepost_types::{PageToken, Rejection, RequestDigest, TokenError, TokenKind, Violations, page_size};
use prost::Message;
use tonic::Response;
use tonic::body::Body;

use super::Audit;
use super::files::{contents, numbers};
use super::record::Record;
use crate::host::ServiceContext;
use crate::host::raw::{Calls, RawMethods, RawService, ResponseFuture, unary};
use crate::refusal;
use crate::status::internal;

const METHOD: &str = "milepost.audit.v1.AuditService/ListAuditRecords";
/// Files that one page reads at most.
const FILES: usize = 4;

/// The service over the log of this process, for a server's routes.
#[derive(Clone)]
pub struct AuditRoutes {
    directory: Option<Arc<PathBuf>>,
    calls: Calls,
}

impl AuditRoutes {
    /// The gRPC service.
    pub fn service(context: &ServiceContext) -> RawService<Self> {
        let Audit(shared) = &context.audit;
        let directory = shared.as_ref().and_then(|shared| shared.config.directory.clone()).map(Arc::new);
        RawService(Self { directory, calls: Calls::of_process(context) })
    }
}

impl RawMethods for AuditRoutes {
    const NAME: &'static str = "milepost.audit.v1.AuditService";

    fn answer(&self, method: &str, request: Request<Body>) -> Option<ResponseFuture> {
        (method == "ListAuditRecords").then(|| {
            unary(&self.directory, &self.calls, request, |directory, asked| async move {
                let asked: ListAuditRecordsRequest = asked.into_inner();
                let page = Page::read(&asked).map_err(|rejection| refusal::status(&rejection))?;
                // Without a log there is nothing in it.
                let Some(directory) = directory else {
                    return Ok(Response::new(ListAuditRecordsResponse::default()));
                };
                let read = tokio::task::spawn_blocking(move || page.list(&directory, &asked)).await;
                let read = read.map_err(|error| internal("a page of the audit log failed", &error))?;
                read.map(Response::new).map_err(|error| internal("the audit log cannot be read", &error))
            })
        })
    }
}

/// Where a page begins, and how long it is.
struct Page {
    size: usize,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    digest: RequestDigest,
    /// The file, and the place in it, before which it begins.
    before: Option<(u64, u64)>,
}

impl Page {
    fn read(asked: &ListAuditRecordsRequest) -> Result<Self, Rejection> {
        let mut violations = Violations::new();
        let size = violations.check("page_size", page_size(asked.page_size)).unwrap_or_default();
        let mut instant = |field: &str, given: &Option<prost_types::Timestamp>| {
            let given = given.as_ref()?;
            let instant = Timestamp::new(given.seconds, given.nanos).ok();
            if instant.is_none() {
                violations.push(field, "INVALID_INSTANT", "give an instant of the years 1 to 9999");
            }
            instant
        };
        let start = instant("start_time", &asked.start_time);
        let end = instant("end_time", &asked.end_time);
        let rest = ListAuditRecordsRequest { page_size: 0, page_token: String::new(), ..asked.clone() };
        let digest = RequestDigest::of(METHOD, [rest.encode_to_vec()]);
        let before = match asked.page_token.as_str() {
            "" => None,
            token => Some(place(token, &digest).map_err(Rejection::PageToken)?),
        };
        Ok(violations.finish(Some(Self { size, start, end, digest, before }))?)
    }

    fn list(
        &self,
        directory: &Path,
        asked: &ListAuditRecordsRequest,
    ) -> std::io::Result<ListAuditRecordsResponse> {
        let mut numbers = numbers(directory)?;
        if let Some((before, _)) = self.before {
            numbers.retain(|number| *number <= before);
        }
        let mut records = Vec::new();
        for (seen, number) in numbers.iter().rev().enumerate() {
            if seen == FILES {
                return Ok(self.answer(records, Some((*number, u64::MAX))));
            }
            let bytes = contents(directory, *number)?;
            let end = match self.before {
                Some((before, place)) if before == *number => usize::try_from(place).unwrap_or(usize::MAX),
                _ => usize::MAX,
            };
            for (at, record) in backwards(&bytes[..bytes.len().min(end)]) {
                if self.start.is_some_and(|start| record.time < start) {
                    // Records are in the order of their times, but for counts, which end later than they began.
                    continue;
                }
                if self.end.is_some_and(|end| record.time >= end) || !record.is_asked_for(asked) {
                    continue;
                }
                records.push(record.message());
                if records.len() == self.size {
                    let more = at > 0 || numbers.first() != Some(number);
                    return Ok(self.answer(records, more.then_some((*number, at as u64))));
                }
            }
        }
        Ok(self.answer(records, None))
    }

    fn answer(
        &self,
        records: Vec<milepost_proto::audit::v1::AuditRecord>,
        next: Option<(u64, u64)>,
    ) -> ListAuditRecordsResponse {
        let next_page_token = next.map(|(number, place)| {
            let key = [number.to_be_bytes(), place.to_be_bytes()].concat();
            PageToken { request: self.digest, sequence: 0, after: key }.encode()
        });
        ListAuditRecordsResponse { records, next_page_token: next_page_token.unwrap_or_default() }
    }
}

fn place(token: &str, digest: &RequestDigest) -> Result<(u64, u64), TokenError> {
    let key = PageToken::decode(token, digest)?.after;
    let numbers = key.split_first_chunk::<8>().and_then(|(number, place)| {
        Some((u64::from_be_bytes(*number), u64::from_be_bytes(place.try_into().ok()?)))
    });
    numbers.ok_or(TokenError::Malformed { expected: TokenKind::Page })
}

/// The records of whole lines, the last first, each with where it begins.
fn backwards(bytes: &[u8]) -> impl Iterator<Item = (usize, Record)> {
    // What has no end was cut, or is being written.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let mut end = whole;
    std::iter::from_fn(move || {
        let line = bytes[..end].strip_suffix(b"\n")?;
        let at = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
        end = at;
        Some((at, Record::read(&line[at..])))
    })
    .filter_map(|(at, record)| Some((at, record?)))
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::super::record::Kind;
    use super::*;

    fn record(second: i64, principal: &str) -> Record {
        Record {
            principal: principal.into(),
            ..Record::new(Timestamp::from_second(second).unwrap(), Kind::Denied)
        }
    }

    /// The principals of all pages.
    fn listed(directory: &Path, asked: &ListAuditRecordsRequest) -> Vec<String> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let asked = ListAuditRecordsRequest { page_token: token, ..asked.clone() };
            let page = Page::read(&asked).unwrap().list(directory, &asked).unwrap();
            found.extend(page.records.into_iter().map(|record| record.principal));
            token = page.next_page_token;
            if token.is_empty() {
                return found;
            }
        }
    }

    #[test]
    fn pages_have_every_record_once_the_newest_first_over_all_files() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::open(dir.path(), 300, 100).unwrap();
        for i in 0..100 {
            files.append(&record(i, &format!("p{i}")).line()).unwrap();
            if i % 7 == 0 {
                files.append("{\"cut\n").unwrap();
            }
        }
        let expected: Vec<_> = (0..100).rev().map(|i| format!("p{i}")).collect();
        for page_size in [1, 2, 7, 1000] {
            let asked = ListAuditRecordsRequest { page_size, ..Default::default() };
            assert_eq!(listed(dir.path(), &asked), expected, "{page_size}");
        }
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let asked = ListAuditRecordsRequest { start_time: at(10), end_time: at(13), ..Default::default() };
        assert_eq!(listed(dir.path(), &asked), ["p12", "p11", "p10"]);
        let asked = ListAuditRecordsRequest { actor: "p50".into(), ..Default::default() };
        assert_eq!(listed(dir.path(), &asked), ["p50"]);
    }

    #[test]
    fn a_token_of_another_request_and_nonsense_are_refused() {
        let asked = ListAuditRecordsRequest { page_token: "x".into(), ..Default::default() };
        assert!(matches!(Page::read(&asked), Err(Rejection::PageToken(_))));
        let time = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
        let asked = ListAuditRecordsRequest { page_size: -1, start_time: time, ..Default::default() };
        let Err(Rejection::Invalid(found)) = Page::read(&asked) else { panic!("accepted") };
        assert!(found.to_string().contains("page_size") && found.to_string().contains("start_time"));
    }
}

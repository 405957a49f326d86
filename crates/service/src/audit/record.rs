//! A record, its line of JSON, and whether it is asked for.

use jiff::Timestamp;
use milepost_proto::audit::v1 as schema;
use serde::{Deserialize, Serialize};

use crate::value::instant_message;

/// Resources that a record names at most.
const RESOURCES: usize = 20;
/// Characters of a text of a caller, at most.
const CHARS: usize = 300;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A credential was refused.
    CredentialRefused,
    /// A caller asked for what it may not do.
    Denied,
    /// A caller asked for a change of access.
    AccessChanged,
    /// A caller read.
    Read,
    /// Records were left out.
    Dropped,
}

impl Kind {
    fn number(self) -> schema::audit_record::Kind {
        use schema::audit_record::Kind as Number;
        match self {
            Self::CredentialRefused => Number::CredentialRefused,
            Self::Denied => Number::Denied,
            Self::AccessChanged => Number::AccessChanged,
            Self::Read => Number::Read,
            Self::Dropped => Number::Dropped,
        }
    }
}

/// A record. What is empty is not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub time: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// The method that was called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The resources that the request named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Who called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub principal: String,
    /// For whom.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub on_behalf_of: String,
    /// By which credential.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credential: String,
    /// The other end of the connection.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub peer: String,
    /// The code of the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What was wrong.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// How often.
    pub count: u64,
}

impl Record {
    /// One of this kind, of which nothing else is known.
    pub fn new(time: Timestamp, kind: Kind) -> Self {
        Self {
            time,
            kind,
            method: String::new(),
            resources: Vec::new(),
            principal: String::new(),
            on_behalf_of: String::new(),
            credential: String::new(),
            peer: String::new(),
            code: String::new(),
            detail: String::new(),
            count: 1,
        }
    }

    /// The same, about these resources.
    #[must_use]
    pub fn about<'a>(mut self, resources: impl Iterator<Item = &'a str>) -> Self {
        self.resources = resources.filter(|name| !name.is_empty()).take(RESOURCES).map(cut).collect();
        self
    }

    /// Counts another one of the same.
    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        let room = RESOURCES - self.resources.len();
        let new = other.resources.iter().filter(|name| !self.resources.contains(name));
        let new: Vec<_> = new.take(room).cloned().collect();
        self.resources.extend(new);
    }

    /// Its line.
    pub(super) fn line(&self) -> String {
        // Texts, numbers and lists of them are JSON.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }

    /// The record of a line; none if it was cut, or is of a later version.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// Whether it is asked for, but for its time.
    pub(super) fn is_asked_for(&self, asked: &schema::ListAuditRecordsRequest) -> bool {
        let is_of = |actor: &str| {
            [&self.principal, &self.on_behalf_of, &self.credential].iter().any(|of| *of == actor)
        };
        let is_under = |name: &String| {
            name.strip_prefix(&*asked.resource).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        (asked.actor.is_empty() || is_of(&asked.actor))
            && (asked.resource.is_empty() || self.resources.iter().any(is_under))
            && (asked.kind == 0 || asked.kind == self.kind.number() as i32)
    }

    /// As an answer has it.
    pub(super) fn message(self) -> schema::AuditRecord {
        schema::AuditRecord {
            time: Some(instant_message(self.time)),
            kind: self.kind.number().into(),
            method: self.method,
            resources: self.resources,
            principal: self.principal,
            on_behalf_of: self.on_behalf_of,
            credential: self.credential,
            peer: self.peer,
            code: self.code,
            detail: self.detail,
            count: self.count,
        }
    }
}

/// The beginning of a text of a caller.
fn cut(text: &str) -> String {
    text.chars().take(CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            principal: "user:corp/wang".into(),
            credential: "jwt:1".into(),
            detail: "权限\n不足".into(),
            ..Record::new("2021-05-27T04:00:00Z".parse().unwrap(), Kind::Denied)
                .about(["portfolios/wsc/projects/x"].into_iter())
        }
    }

    #[test]
    fn a_line_is_read_back_and_one_that_was_cut_is_not() {
        let line = record().line();
        assert_eq!(line.matches('\n').count(), 1, "one line each: {line}");
        assert_eq!(Record::read(line.trim_end().as_bytes()), Some(record()));
        assert_eq!(Record::read(&line.as_bytes()[..line.len() / 2]), None);
    }

    #[test]
    fn it_is_found_by_actor_resource_and_kind() {
        let asked = |actor: &str, resource: &str, kind: i32| {
            let (actor, resource) = (actor.to_owned(), resource.to_owned());
            record().is_asked_for(&schema::ListAuditRecordsRequest {
                actor,
                resource,
                kind,
                ..Default::default()
            })
        };
        assert!(asked("", "", 0) && asked("user:corp/wang", "portfolios/wsc", 2) && asked("jwt:1", "", 0));
        assert!(!asked("user:corp/wan", "", 0));
        assert!(!asked("", "portfolios/ws", 0), "whole segments");
        assert!(!asked("", "", 1));
    }

    #[test]
    fn long_names_and_many_of_them_are_cut() {
        let long = "x".repeat(100_000);
        let record = record().about(std::iter::repeat_n(long.as_str(), 1000));
        assert_eq!((record.resources.len(), record.resources[0].len()), (RESOURCES, CHARS));
    }
}

//! Which policies fit whom, as it was last found; and what is to be looked at again because it changed.
//!
//! Tables without resources of their own, keys after the tag:
//!
//! | table | tag | key | value |
//! |---|---|---|---|
//! | matches | 72 | programme 0 policy 0 organization 0, then portfolio 0 project 0 or nothing | – |
//! | matches by project | 73 | portfolio 0 project 0 organization 0 programme 0 policy 0 | – |
//! | changes | 74 | the name of a policy, an organization or a project | see [`Pending`] |
//!
//! Invariants: a match is there exactly if the last `milepost.policy.{matched,unmatched}` about it says so. A change is
//! there from the event that made it until `milepost.source.matched` says that it has had its effects; a later event
//! about the same takes its place, and begins anew; so does what `milepost.source.matched` says is to be looked at again.
//! Nothing is kept of what changed while no policy is published.

use std::collections::BTreeSet;

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{Direction, Entry, KeyRange, Read, Unusable, Write};
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{Event, PoliciesMatched};
use milepost_proto::registry::v1::policy::State;
use milepost_proto::registry::v1::{Organization, Policy, Project};
use milepost_proto::resource::Resource;
use milepost_proto::wire::{self, Value};
use milepost_resource::{Name, Unreadable};
use milepost_types::{DamagedRow, ResourceId};
use prost::Message;

use super::Rows;
use crate::policy::rules::BY_STATE;
use crate::project::BY_PARTY;

/// The index of projects by party.
const PARTIES: u8 = BY_PARTY.tag;
const MATCHES: u8 = 72;
const MATCHES_BY_PROJECT: u8 = 73;
const CHANGES: u8 = 74;

/// The type of the event that says that a policy came to fit.
pub(crate) const MATCHED: &str = "milepost.policy.matched";

/// The fields of the payloads of events that are looked at here.
const PAYLOADS: [u32; 4] = [201, 202, 204, 205];

/// What is matched: an organization, or an organization with a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) organization: Name<Organization>,
    pub(crate) project: Option<Name<Project>>,
}

/// What changed, and how far its effects are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The name of what changed.
    pub(crate) name: String,
    /// The id of the event that changed it.
    pub(crate) cause: String,
    /// The last pair that was looked at; none: it is not begun.
    pub(crate) through: Option<Pair>,
}

/// The fields of an organization that policies depend on.
const OF_ORGANIZATIONS: &[&str] = &["attributes", "delete_time", "identifiers", "kind"];
/// Those of a project.
const OF_PROJECTS: &[&str] =
    &["delete_time", "investment", "key", "labels", "level", "listing", "parties", "sector", "status"];

/// The organizations that take part in a project; of one that is deleted, none.
pub(crate) fn parties(project: &Project) -> BTreeSet<Name<Organization>> {
    let parties = project.parties.iter().filter(|_| project.delete_time.is_none());
    parties.filter_map(|party| party.organization.parse().ok()).collect()
}

fn party_key(organization: &Name<Organization>, project: &Name<Project>) -> Vec<u8> {
    let key = Key::of(PARTIES).under(&organization.ids()[0]);
    key.under(&project.ids()[0]).id(&project.ids()[1])
}

/// The organizations that take part in projects, each with each of them, after one such pair: of all organizations, or
/// of one.
pub(crate) fn pairs<'a>(
    rows: &'a dyn Read,
    of: Option<&Name<Organization>>,
    after: Option<&Pair>,
) -> impl Iterator<Item = Pair> + use<'a> {
    let prefix = of.iter().fold(Key::of(PARTIES), |key, of| key.under(&of.ids()[0])).done();
    let after = after.map(|Pair { organization, project }| match project {
        Some(project) => party_key(organization, project),
        // Before all of its projects.
        None => Key::of(PARTIES).under(&organization.ids()[0]).done(),
    });
    let rows = rows
        .scan(&KeyRange::prefix(&prefix).beyond(after.as_deref(), Direction::Forward), Direction::Forward);
    rows.filter_map(|(key, _)| {
        let mut parts = Parts::of(&key, PARTIES)?;
        let organization = Name::of(vec![parts.parent()?])?;
        let project = Name::of(vec![parts.parent()?, parts.id()?])?;
        Some(Pair { organization, project: Some(project) })
    })
}

fn match_key(policy: &Name<Policy>, Pair { organization, project }: &Pair) -> Vec<u8> {
    let ids = policy.ids().iter().chain(organization.ids());
    let ids = ids.chain(project.iter().flat_map(|project| project.ids()));
    ids.fold(Key::of(MATCHES), Key::under).done()
}

fn by_project_key(
    project: &Name<Project>,
    organization: &Name<Organization>,
    policy: &Name<Policy>,
) -> Vec<u8> {
    let ids = project.ids().iter().chain(organization.ids()).chain(policy.ids());
    ids.fold(Key::of(MATCHES_BY_PROJECT), Key::under).done()
}

/// Whether a policy was last found to fit.
pub(crate) fn is_match(rows: &dyn Read, policy: &Name<Policy>, pair: &Pair) -> bool {
    rows.get(&match_key(policy, pair)).is_some()
}

/// Whom a policy was last found to fit.
pub(crate) fn matched<'a>(rows: &'a dyn Read, policy: &Name<Policy>) -> impl Iterator<Item = Pair> + use<'a> {
    let prefix = policy.ids().iter().fold(Key::of(MATCHES), Key::under).done();
    let depth = policy.ids().len();
    rows.scan(&KeyRange::prefix(&prefix), Direction::Forward).filter_map(move |(key, _)| {
        let ids = ids(&key, MATCHES)?;
        let (organization, project) = ids.get(depth..)?.split_first()?;
        let project = if project.is_empty() { None } else { Some(Name::of(project.to_vec())?) };
        Some(Pair { organization: Name::of(vec![organization.clone()])?, project })
    })
}

/// The organizations that a policy was last found to fit with this project.
pub(crate) fn matched_with(rows: &dyn Read, project: &Name<Project>) -> BTreeSet<Name<Organization>> {
    let prefix = project.ids().iter().fold(Key::of(MATCHES_BY_PROJECT), Key::under).done();
    let rows = rows.scan(&KeyRange::prefix(&prefix), Direction::Forward);
    rows.filter_map(|(key, _)| Name::of(vec![ids(&key, MATCHES_BY_PROJECT)?.get(2)?.clone()])).collect()
}

/// The ids in a key in which a zero follows each.
fn ids(key: &[u8], tag: u8) -> Option<Vec<ResourceId>> {
    let mut parts = Parts::of(key, tag)?;
    let mut ids = Vec::new();
    while !parts.rest().is_empty() {
        ids.push(parts.parent()?);
    }
    Some(ids)
}

/// What changed and is to be looked at, in the order of names.
pub(crate) fn changes(rows: &dyn Read) -> impl Iterator<Item = Result<Pending, DamagedRow>> + use<'_> {
    rows.scan(&KeyRange::prefix(&[CHANGES]), Direction::Forward).map(|(key, value)| {
        let damaged = || DamagedRow::new("registry.policy_pending", &key, "it cannot be decoded");
        read_change(&key, &value).ok_or_else(damaged)
    })
}

fn read_change(key: &[u8], value: &[u8]) -> Option<Pending> {
    let name = std::str::from_utf8(Parts::of(key, CHANGES)?.rest()).ok()?.to_owned();
    let mut texts = std::str::from_utf8(value).ok()?.split('\0');
    let (cause, organization, project) = (texts.next()?.to_owned(), texts.next()?, texts.next()?);
    let through = match organization {
        "" => None,
        organization => Some(pair(organization, project).ok()?),
    };
    Some(Pending { name, cause, through })
}

/// Whether something of this name changed and is to be looked at, from its beginning on.
pub(crate) fn is_pending(rows: &dyn Read, name: &str) -> bool {
    let key = change_key(name);
    let change = rows.get(&key).and_then(|row| read_change(&key, &row));
    change.is_some_and(|change| change.through.is_none())
}

/// Puts a change: the id of the event that made it, and how far it is, with a zero between them.
fn put_change(rows: &mut dyn Write, name: &str, cause: &str, organization: &str, project: &str) {
    let value = [cause, organization, project].join("\0");
    rows.put(change_key(name), value.into());
}

fn change_key(name: &str) -> Vec<u8> {
    Key::of(CHANGES).beginning(name).done()
}

/// Whether a policy is published: only then it matters what else changes.
fn any_published(rows: &dyn Read) -> bool {
    let published = Rows::new(rows).names::<Policy>(BY_STATE, &[], &[State::Published as u8]).next();
    published.is_some()
}

/// What of an event decides whether it is looked at here, read without decoding the rest.
#[derive(Default)]
struct Envelope<'a> {
    id: &'a str,
    subject: &'a str,
    changed: Vec<&'a str>,
    /// The fields that policies depend on of what it is about, if that is an organization or a project.
    depends_on: Option<&'static [&'static str]>,
    /// Whether it is about policies.
    is_of_policies: bool,
}

impl<'a> Envelope<'a> {
    fn of(event: &'a [u8]) -> Result<Self, Unreadable> {
        const OF_ORGANIZATION: u32 = <Organization as Resource>::EVENT_FIELD;
        const OF_PROJECT: u32 = <Project as Resource>::EVENT_FIELD;
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).map_err(Unreadable::new);
        let mut found = Self::default();
        for field in wire::fields(event) {
            match field? {
                (1, Value::Run(id)) => found.id = text(id)?,
                (4, Value::Run(subject)) => found.subject = text(subject)?,
                (13, Value::Run(field)) => found.changed.push(text(field)?),
                (OF_ORGANIZATION, _) => found.depends_on = Some(OF_ORGANIZATIONS),
                (OF_PROJECT, _) => found.depends_on = Some(OF_PROJECTS),
                (number, _) => found.is_of_policies |= PAYLOADS.contains(&number),
            }
        }
        Ok(found)
    }

    /// Whether policies may fit otherwise after it.
    fn matters(&self) -> bool {
        let is_new = self.changed.is_empty();
        self.depends_on
            .is_some_and(|fields| is_new || self.changed.iter().any(|field| fields.contains(field)))
    }
}

/// Applies what an entry says of matches, and keeps what it changed that policies depend on.
///
/// # Errors
/// If an event cannot be read.
pub(super) fn apply(rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
    for (index, event) in entry.events.iter().enumerate() {
        apply_event(rows, event).map_err(|error| Unusable::new(error).in_event(index))?;
    }
    Ok(())
}

fn apply_event(rows: &mut dyn Write, bytes: &Bytes) -> Result<(), Unreadable> {
    let envelope = Envelope::of(bytes)?;
    if envelope.matters() && any_published(&*rows) {
        put_change(rows, envelope.subject, envelope.id, "", "");
    }
    if !envelope.is_of_policies {
        return Ok(());
    }
    let event = Event::decode(bytes.clone())?;
    match event.payload {
        Some(Payload::PolicyPublished(_) | Payload::PolicyWithdrawn(_)) => {
            put_change(rows, &event.subject, &event.event_id, "", "");
        }
        Some(Payload::PolicyMatchChanged(changed)) => {
            let policy = event.subject.parse().map_err(|error| Unreadable::of("subject", error))?;
            let pair = pair(&changed.organization, &changed.project)?;
            put_match(rows, &policy, &pair, event.r#type == MATCHED);
        }
        Some(Payload::PoliciesMatched(PoliciesMatched { done, begun, organization, project, again })) => {
            done.iter().for_each(|name| rows.delete(&change_key(name)));
            let key = change_key(&begun);
            if let Some(change) = rows.get(&key).and_then(|row| read_change(&key, &row)) {
                put_change(rows, &begun, &change.cause, &organization, &project);
            }
            again.iter().for_each(|change| put_change(rows, &change.name, &change.cause, "", ""));
        }
        _ => {}
    }
    Ok(())
}

fn pair(organization: &str, project: &str) -> Result<Pair, Unreadable> {
    let organization = organization.parse().map_err(|error| Unreadable::of("organization", error))?;
    let project = Some(project).filter(|project| !project.is_empty());
    let project = project.map(str::parse).transpose().map_err(|error| Unreadable::of("project", error))?;
    Ok(Pair { organization, project })
}

fn put_match(rows: &mut dyn Write, policy: &Name<Policy>, pair: &Pair, is_match: bool) {
    let of_project = pair.project.as_ref().map(|project| by_project_key(project, &pair.organization, policy));
    for key in [match_key(policy, pair)].into_iter().chain(of_project) {
        if is_match { rows.put(key, Bytes::new()) } else { rows.delete(&key) }
    }
}

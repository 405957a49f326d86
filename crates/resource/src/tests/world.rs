//! Rows of the office, how commands change them, and what lists read of them.

use jiff::Timestamp;
use milepost_ledger::{Actor, CommandId, Context, Entry};
use milepost_proto::event::v1::Event;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use milepost_proto::resource::{Creatable, Mutable, Resource};
use milepost_service::access::{Permit, Scopes};
use milepost_types::{LedgerKind, LogId, Rejection, Violations};
use prost::Message;

use super::office::{Office, TABLES};
use super::rows::Rows;
use crate::check::sound;
use crate::command::Standard;
use crate::list::Page;
use crate::request::{read_create, read_list, read_update};
use crate::row::put;
use crate::{Act, Command, Name, Rules, Target, apply, decide};

pub(super) fn now() -> Timestamp {
    "2021-05-27T04:00:00Z".parse().unwrap()
}

/// What happens at this sequence.
pub(super) fn context(sequence: u64) -> Context {
    Context {
        log: LogId::from_bytes([7; 16]),
        sequence,
        commit_time: now(),
        now: now(),
        actor: Actor::default(),
        command_id: CommandId::Server("s".to_owned()),
        seed: 1,
    }
}

/// The office's rows, and how far its ledger is.
#[derive(Default)]
pub(super) struct World {
    pub(super) rows: Rows,
    pub(super) sequence: u64,
}

impl World {
    /// One with `portfolios/a` and its project `x`.
    pub(super) fn with_project() -> Self {
        let mut world = Self { sequence: 1, ..Self::default() };
        world.put(&portfolio("a"));
        world.put(&Project { etag: "1".to_owned(), ..project("a", "x") });
        world
    }

    pub(super) fn put<R: Rules<Office>>(&mut self, resource: &R) {
        put::<Office, R>(&mut self.rows, resource.encode_to_vec().into()).unwrap();
    }

    pub(super) fn get<R: Rules<Office>>(&self, name: &str) -> Option<R> {
        let found = crate::Rows::<Office>::new(&self.rows).get::<R>(&name.parse().unwrap()).unwrap();
        found.map(crate::Checked::into_inner)
    }

    /// Decides what a request is read to, and applies that: the events.
    pub(super) fn ask(
        &mut self,
        read: impl FnOnce(&mut Violations) -> Option<Box<dyn Act<Office>>>,
    ) -> Result<Vec<Event>, Rejection> {
        let context = context(self.sequence + 1);
        let command = Command { act: sound(read)?, traceparent: String::new(), permit: Permit::of_system() };
        let decision = decide(&Office, LedgerKind::Registry, &self.rows, &command, &context)?;
        let events = decision.events.iter().map(|event| Event::decode(event.as_ref()).unwrap()).collect();
        if decision.events.is_empty() {
            return Ok(events);
        }
        self.sequence += 1;
        let entry = Entry {
            sequence: self.sequence,
            commit_time: context.commit_time,
            actor: context.actor,
            command_id: context.command_id,
            decided_on: decision.decided_on,
            portfolio: decision.portfolio,
            events: decision.events,
        };
        apply(&mut self.rows, &entry, LedgerKind::Registry, &TABLES).unwrap();
        Ok(events)
    }

    pub(super) fn create<R: Rules<Office> + Creatable>(
        &mut self,
        request: R::Create,
    ) -> Result<Vec<Event>, Rejection> {
        self.ask(|violations| read_create::<Office, R>(request, violations, Violations::new()))
    }

    pub(super) fn update<R: Rules<Office> + Mutable>(
        &mut self,
        request: R::Update,
    ) -> Result<Vec<Event>, Rejection> {
        self.ask(|violations| read_update::<Office, R>(request, violations))
    }

    pub(super) fn delete<R: Rules<Office>>(&mut self, target: Target<R>) -> Result<Vec<Event>, Rejection> {
        self.ask(|_| Some(Box::new(Standard::Delete(target))))
    }

    pub(super) fn undelete<R: Rules<Office>>(&mut self, target: Target<R>) -> Result<Vec<Event>, Rejection> {
        self.ask(|_| Some(Box::new(Standard::Undelete(target))))
    }
}

pub(super) fn target<R: Resource>(name: &str, etag: Option<u64>) -> Target<R> {
    Target { name: name.parse().unwrap(), etag: etag.map(milepost_types::Etag) }
}

/// One page, and the token of the next.
pub(super) fn page<R: Rules<Office>>(rows: &Rows, request: &R::List) -> Result<(Page<R>, String), Rejection> {
    page_of::<R>(rows, request, &Scopes::everywhere())
}

/// The same for a caller who may see what is in these scopes.
pub(super) fn page_of<R: Rules<Office>>(
    rows: &Rows,
    request: &R::List,
    scopes: &Scopes,
) -> Result<(Page<R>, String), Rejection> {
    let asked = read_list::<Office, R>(request, scopes)?;
    let mut page = asked.page::<Office, R>(&crate::Rows::new(rows), now())?;
    let token = asked.next_page_token(page.next.take(), 1);
    Ok((page, token))
}

/// All pages of a list, one after another.
pub(super) fn pages<R: Rules<Office>>(rows: &Rows, request: impl Fn(String) -> R::List) -> Vec<R> {
    pages_of(rows, &Scopes::everywhere(), request)
}

/// The same for a caller who may see what is in these scopes.
pub(super) fn pages_of<R: Rules<Office>>(
    rows: &Rows,
    scopes: &Scopes,
    request: impl Fn(String) -> R::List,
) -> Vec<R> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (page, next) = page_of::<R>(rows, &request(token), scopes).unwrap();
        all.extend(page.resources.into_iter().map(|resource| R::decode(resource).unwrap()));
        if next.is_empty() {
            return all;
        }
        token = next;
    }
}

pub(super) fn instant(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

pub(super) fn portfolio(id: &str) -> Portfolio {
    Portfolio { name: format!("portfolios/{id}"), display_name: id.to_owned(), ..Portfolio::default() }
}

pub(super) fn project(portfolio: &str, id: &str) -> Project {
    Project {
        name: format!("portfolios/{portfolio}/projects/{id}"),
        display_name: "n".to_owned(),
        status: project::Status::Proposed.into(),
        create_time: instant(0),
        update_time: instant(0),
        ..Project::default()
    }
}

pub(super) fn phase(project: &str, id: &str, order: i32) -> Phase {
    Phase {
        name: format!("{project}/phases/{id}"),
        display_name: "n".to_owned(),
        order,
        create_time: instant(0),
        ..Phase::default()
    }
}

pub(super) fn batch(portfolio: &str, id: &str, day: i32) -> Batch {
    Batch {
        name: format!("portfolios/{portfolio}/batches/{id}"),
        start_date: Some(Date { year: 2021, month: 5, day }),
        ..Batch::default()
    }
}

/// The violations in a refusal: path and reason.
pub(super) fn faults<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> Vec<(String, &'static str)> {
    match refused.unwrap_err() {
        Rejection::Invalid(found) => found.iter().map(|found| (found.field.clone(), found.reason)).collect(),
        other => panic!("{other}"),
    }
}

/// The names of resources, without what comes before their ids.
pub(super) fn ids<R: Resource>(resources: &[R]) -> Vec<&str> {
    resources.iter().map(|resource| resource.name().rsplit('/').next().unwrap()).collect()
}

/// The name of a resource.
pub(super) fn name<R: Resource>(text: &str) -> Name<R> {
    text.parse().unwrap()
}

//! What decisions and applications cost, in rows that they read.

use bytes::Bytes;
use milepost_ledger::{Actor, CommandId, Context, Domain, Entry};
use milepost_proto::registry::v1::*;
use milepost_types::{LogId, Rejection, Violations};

use super::Registry;
use crate::command::{Command, Wish};
use crate::convert::{self, project_request};
use crate::tests::rows::Rows;

/// A registry on rows in a map.
#[derive(Default)]
struct World {
    rows: Rows,
    sequence: u64,
}

impl World {
    /// Decides and applies a wish; how many rows that read.
    fn ask(&mut self, wish: impl FnOnce(&mut Violations) -> Option<Wish>) -> Result<usize, Rejection> {
        let wish = wish(&mut Violations::new()).unwrap();
        let time = "2021-05-27T04:00:00Z".parse().unwrap();
        let context = Context {
            log: LogId::from_bytes([7; 16]),
            sequence: self.sequence + 1,
            commit_time: time,
            now: time,
            actor: Actor::default(),
            command_id: CommandId::Server("s".to_owned()),
            seed: 1,
        };
        self.rows.told.set(0);
        let command = Command { wish, traceparent: String::new() };
        let decision = Registry.decide(&self.rows, &command, &context)?;
        self.sequence += 1;
        let entry = Entry {
            sequence: self.sequence,
            commit_time: time,
            actor: context.actor,
            command_id: context.command_id,
            decided_on: decision.decided_on,
            portfolio: decision.portfolio,
            events: decision.events,
        };
        Registry.apply(&mut self.rows, &entry).unwrap();
        Ok(self.rows.told.get())
    }

    /// A portfolio with so many projects.
    fn with_projects(count: usize) -> Self {
        let mut world = Self::default();
        let portfolio = Some(crate::tests::office::portfolio());
        let request = CreatePortfolioRequest { portfolio_id: "wsc".into(), portfolio, ..Default::default() };
        world.ask(|v| convert::portfolio::create(request, v).map(Wish::Portfolio)).unwrap();
        for first in (0..count).step_by(1000) {
            world.ask(|v| create_several(first..count.min(first + 1000), v)).unwrap();
        }
        world
    }
}

fn create_several(ids: std::ops::Range<usize>, violations: &mut Violations) -> Option<Wish> {
    let create = |i| crate::tests::office::create_project(&format!("p{i}"), crate::tests::office::named("x"));
    let requests = ids.map(create).collect();
    let request =
        BatchCreateProjectsRequest { parent: "portfolios/wsc".into(), requests, ..Default::default() };
    project_request::create_several(request, violations).map(|wish| Wish::Project(Box::new(wish)))
}

fn name() -> String {
    crate::tests::office::project_name("p7")
}

#[test]
fn the_hot_path_reads_the_project_and_its_portfolio_and_no_more() {
    let mut world = World::with_projects(2000);
    let update = UpdateProjectRequest {
        project: Some(Project { name: name(), display_name: "y".into(), ..Default::default() }),
        ..Default::default()
    };
    let read = world.ask(|v| Some(Wish::Project(Box::new(project_request::update(update, v)?)))).unwrap();
    // The project when it is decided and when it is applied, and the portfolio.
    assert_eq!(read, 3);
    let start = StartProjectRequest { name: name(), ..Default::default() };
    let read = world.ask(|v| Some(Wish::Project(Box::new(project_request::start(start, v)?)))).unwrap();
    assert_eq!(read, 3);
}

#[test]
fn whether_a_portfolio_has_projects_is_told_by_one_row() {
    let mut world = World::with_projects(2000);
    let delete = DeletePortfolioRequest { name: "portfolios/wsc".into(), ..Default::default() };
    let refused = world.ask(|v| convert::portfolio::delete(&delete, v).map(Wish::Portfolio));
    assert!(matches!(refused, Err(Rejection::Preconditions(_))));
    assert_eq!(world.rows.told.get(), 2);
}

#[test]
fn creating_many_together_costs_each_the_same() {
    let mut world = World::with_projects(0);
    let few = world.ask(|v| create_several(0..10, v)).unwrap();
    let many = world.ask(|v| create_several(10..1010, v)).unwrap();
    // The portfolio once; of each whether its name is free, when decided and when applied.
    assert_eq!((few, many), (1 + 2 * 10, 1 + 2 * 1000));
}

#[test]
fn an_event_without_a_resource_of_ours_changes_no_row() {
    let mut rows = Rows::default();
    let (source, subject) = ("registry".into(), "x".into());
    let event = milepost_proto::event::v1::Event { source, subject, ..Default::default() };
    let entry = Entry {
        sequence: 1,
        commit_time: jiff::Timestamp::UNIX_EPOCH,
        actor: Actor::default(),
        command_id: CommandId::Server("s".to_owned()),
        decided_on: Vec::new(),
        portfolio: String::new(),
        events: vec![Bytes::from(prost::Message::encode_to_vec(&event))],
    };
    Registry.apply(&mut rows, &entry).unwrap();
    assert!(rows.rows.is_empty());
}

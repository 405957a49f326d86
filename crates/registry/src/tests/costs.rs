//! What decisions and applications cost, in rows that they read; and limits that only many rows come to.

mod assignments;
mod contributors;
mod observations;

use milepost_ledger::{Actor, CommandId, Context, Domain, Entry};
use milepost_proto::registry::v1::*;
use milepost_resource::{Act, Command, Custom, Name, Standard, Target, create, read_create};
use milepost_service::access::Permit;
use milepost_types::{LogId, Rejection, Violations};
use prost::Message;
use std::sync::Arc;

use super::office::{create_project, named, organization_name, portfolio, project_name};
use super::rows::Rows;
use crate::batch::members;
use crate::members::MemberChange;
use crate::project::status::{Advance, Move, advance};
use crate::tables::{Registry, TABLES};

/// A registry on rows in a map.
#[derive(Default)]
struct World {
    rows: Rows,
    sequence: u64,
}

impl World {
    /// Decides a command and applies it; how many rows that reads.
    fn ask(&mut self, act: Box<dyn Act<Registry>>) -> Result<usize, Rejection> {
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
        self.rows.take_count();
        let command = Arc::new(Command { act, traceparent: String::new(), permit: Permit::of_system() });
        let decision = Registry::default().decide(&self.rows, &command, &context)?;
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
        Registry::default().apply(&mut self.rows, &entry).unwrap();
        Ok(self.rows.take_count())
    }

    /// A portfolio with so many projects.
    fn with_projects(count: usize) -> Self {
        let mut world = Self::default();
        let request = CreatePortfolioRequest {
            portfolio_id: "wsc".to_owned(),
            portfolio: Some(portfolio()),
            ..CreatePortfolioRequest::default()
        };
        let act = read_create::<Registry, Portfolio>(request, &mut Violations::new(), Violations::new());
        world.ask(act.unwrap()).unwrap();
        for first in (0..count).step_by(1000) {
            world.ask(several(first..count.min(first + 1000), |_| named("x"))).unwrap();
        }
        world
    }
}

/// The creation of several projects together.
fn several(ids: std::ops::Range<usize>, project: impl Fn(usize) -> Project) -> Box<dyn Act<Registry>> {
    let mut violations = Violations::new();
    let new = ids.map(|i| {
        let mut request = create_project(&format!("p{i}"), project(i));
        let (field, parent) = (format!("requests[{i}].project"), vec!["wsc".parse().unwrap()]);
        create::<Registry, Project>(&mut request, field, Some(parent), &mut violations).unwrap()
    });
    Box::new(Standard::Create { new: new.collect(), answer: Some("projects") })
}

fn target<R: milepost_proto::resource::Resource>(name: &str) -> Target<R> {
    Target { name: name.parse().unwrap(), etag: None }
}

#[test]
fn a_move_reads_the_project_and_its_portfolio_and_no_more() {
    let mut world = World::with_projects(2000);
    let start = Advance { step: Move::Start, date: None, reason: String::new() };
    // The project when it is decided and when it is applied; whether its portfolio is there, and its day; and that of
    // the commit, for what was known when.
    let act = Custom::act(target::<Project>(&project_name("p7")), start, advance);
    assert_eq!(world.ask(act).unwrap(), 5);
}

#[test]
fn whether_a_portfolio_has_projects_is_told_by_one_row() {
    let mut world = World::with_projects(2000);
    let refused = world.ask(Box::new(Standard::Delete(target::<Portfolio>("portfolios/wsc"))));
    assert!(matches!(refused, Err(Rejection::Preconditions(_))));
    assert_eq!(world.rows.take_count(), 2);
}

#[test]
fn creating_many_together_costs_each_the_same() {
    let mut world = World::with_projects(0);
    let few = world.ask(several(0..10, |_| named("x"))).unwrap();
    let many = world.ask(several(10..1010, |_| named("x"))).unwrap();
    // The portfolio and its day; of each whether its name is free, when decided and when applied.
    assert_eq!((few, many), (2 + 2 * 10, 2 + 2 * 1000));
}

#[test]
fn a_thousand_new_projects_in_a_chain_are_walked_once() {
    let mut world = World::with_projects(1);
    let request = CreateOrganizationRequest {
        organization_id: "here".to_owned(),
        organization: Some(Organization { display_name: "o".to_owned(), ..Organization::default() }),
        ..CreateOrganizationRequest::default()
    };
    let act = read_create::<Registry, Organization>(request, &mut Violations::new(), Violations::new());
    world.ask(act.unwrap()).unwrap();
    let chain = several(1..1001, |i| Project {
        parent_project: project_name(&format!("p{}", i - 1)),
        parties: vec![Party { organization: organization_name("here"), roles: vec!["r".to_owned()] }],
        ..named("x")
    });
    // Besides what creating each costs, the organization and the one parent that is not new.
    assert_eq!(world.ask(chain).unwrap(), 2 + 2 * 1000 + 2);
}

#[test]
fn a_batch_has_ten_thousand_members_and_no_more() {
    let mut world = World::with_projects(0);
    let names = |ids: std::ops::Range<usize>| -> Vec<Name<Project>> {
        ids.map(|i| project_name(&format!("p{i}")).parse().unwrap()).collect()
    };
    for state in [batch::State::Planned, batch::State::Started] {
        let full = Batch {
            name: "portfolios/wsc/batches/full".to_owned(),
            state: state.into(),
            members: names(0..10_000).iter().map(ToString::to_string).collect(),
            ..super::office::batch(2021, 5, 27)
        };
        TABLES[4].put(&mut world.rows, full.encode_to_vec().into()).unwrap();
        let mut add = |ids| {
            let change = MemberChange { members: names(ids), date: None };
            let act = Custom::act(target::<Batch>(&full.name), change, members::add);
            world.ask(act)
        };
        let refused = add(9_999..10_001).unwrap_err();
        assert!(matches!(refused, Rejection::LimitExceeded { limit: 10_000, .. }), "{refused}");
        // None of these is new: the batch, whether its portfolio is there, and its day. (An entry of no event changes no
        // row.)
        assert_eq!(add(0..10_000).unwrap(), 3);
    }
}

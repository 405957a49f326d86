//! A command: one wish of a caller, already well formed.
//!
//! Invariant: nothing in a command needs rows to be known to be nonsense; that was refused before.

use crate::tables::{batches, organizations, phases, portfolios, projects};
use crate::{batch, organization, phase, portfolio, project};

/// What is asked, and the trace it is part of.
#[derive(Debug)]
pub(crate) struct Command {
    /// What is asked.
    pub(crate) wish: Wish,
    /// The W3C trace context of the request; empty: none was given.
    pub(crate) traceparent: String,
}

/// What is asked, by noun.
#[derive(Debug)]
pub(crate) enum Wish {
    Portfolio(portfolio::Command),
    Organization(organization::Command),
    Project(Box<project::Command>),
    Phase(phase::Command),
    Batch(batch::Command),
}

impl Wish {
    /// Whether the answer holds the resource of every event, and not of the first alone.
    pub(crate) fn answers_with_all(&self) -> bool {
        matches!(self, Wish::Project(command) if matches!(**command, project::Command::CreateSeveral(_)))
    }

    /// The key of the row that it is about; `None` for what is to be created.
    pub(crate) fn subject(&self) -> Option<Vec<u8>> {
        match self {
            Wish::Portfolio(portfolio::Command::Create(_)) => None,
            Wish::Portfolio(portfolio::Command::Update(update)) => Some(portfolios::key(&update.name)),
            Wish::Portfolio(portfolio::Command::Delete(target) | portfolio::Command::Undelete(target)) => {
                Some(portfolios::key(&target.name))
            }
            Wish::Organization(organization::Command::Create(_)) => None,
            Wish::Organization(organization::Command::Update(update)) => {
                Some(organizations::key(&update.name))
            }
            Wish::Organization(
                organization::Command::Delete(target) | organization::Command::Undelete(target),
            ) => Some(organizations::key(&target.name)),
            Wish::Project(command) => match &**command {
                project::Command::Create(_) | project::Command::CreateSeveral(_) => None,
                project::Command::Update(update) => Some(projects::key(&update.name)),
                project::Command::Delete(target)
                | project::Command::Undelete(target)
                | project::Command::Move(target, ..) => Some(projects::key(&target.name)),
            },
            Wish::Phase(phase::Command::Create(_)) => None,
            Wish::Phase(phase::Command::Update(update)) => Some(phases::key(&update.name)),
            Wish::Phase(phase::Command::Delete(target) | phase::Command::Undelete(target)) => {
                Some(phases::key(&target.name))
            }
            Wish::Batch(command) => match command {
                batch::Command::Create(..) => None,
                batch::Command::Update(update) => Some(batches::key(&update.name)),
                batch::Command::Delete(target)
                | batch::Command::Undelete(target)
                | batch::Command::Add(target, _)
                | batch::Command::Remove(target, _)
                | batch::Command::Start(target)
                | batch::Command::Cancel(target, _) => Some(batches::key(&target.name)),
            },
        }
    }
}

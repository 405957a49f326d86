//! Changes, written as the events that are stored and passed on for ever.
//!
//! Invariant: a change has one encoding; its type, its resource and its payload say the same.

use bytes::Bytes;
use milepost_ledger::{CommandId, Context, actor_to_proto};
use milepost_proto::event::v1 as proto;
use milepost_types::{EventId, ProjectName, event_type};
use prost::Message;
use proto::event::{Payload, Resource as Wire};

use super::{batch, organization, phase, portfolio, project, value};
use crate::change::{Change, Happening, Resource};
use crate::project::status::{Stage, Status};

/// The name of this ledger in events.
const SOURCE: &str = "registry";

/// The encoded events of one command's changes.
pub(crate) fn encoded(changes: &[Change], context: &Context, traceparent: &str) -> Vec<Bytes> {
    let numbered = (0..).zip(changes);
    numbered
        .map(|(index, change)| event(change, index, context, traceparent).encode_to_vec().into())
        .collect()
}

fn event(change: &Change, index: u32, context: &Context, traceparent: &str) -> proto::Event {
    let id = |index| EventId { log: context.log, sequence: context.sequence, index }.to_string();
    let Place { subject, portfolio, project } = place(&change.resource);
    let kind = kind(&change.resource, &change.happening);
    debug_assert!(event_type::is_known(kind), "{kind} is not in the list of types");
    proto::Event {
        event_id: id(index),
        source: SOURCE.to_owned(),
        sequence: context.sequence,
        subject,
        portfolio,
        project,
        r#type: kind.to_owned(),
        commit_time: Some(value::instant_message(context.commit_time)),
        event_date: change.date.map(value::date_message),
        actor: Some(actor_to_proto(&context.actor)),
        request_id: match &context.command_id {
            CommandId::Request { id, .. } => id.clone(),
            CommandId::Server(_) | CommandId::Source(_) => String::new(),
        },
        caused_by: change.cause.map(id).unwrap_or_default(),
        changed_fields: change.changed.iter().map(ToString::to_string).collect(),
        traceparent: traceparent.to_owned(),
        resource: Some(resource(&change.resource)),
        payload: Some(payload(&change.happening)),
    }
}

/// Where a resource is.
struct Place {
    subject: String,
    portfolio: String,
    project: String,
}

fn place(resource: &Resource) -> Place {
    let none = String::new;
    match resource {
        Resource::Portfolio(record) => {
            let subject = record.name.to_string();
            Place { portfolio: subject.clone(), subject, project: none() }
        }
        Resource::Organization(record) => {
            Place { subject: record.name.to_string(), portfolio: none(), project: none() }
        }
        Resource::Project(record) => {
            let subject = record.name.to_string();
            let portfolio = record.name.portfolio().to_string();
            Place { project: subject.clone(), subject, portfolio }
        }
        Resource::Phase(record) => Place {
            subject: record.name.to_string(),
            portfolio: record.name.portfolio().to_string(),
            project: record.name.project().to_string(),
        },
        Resource::Batch(record) => Place {
            subject: record.name.to_string(),
            portfolio: record.name.portfolio().to_string(),
            project: none(),
        },
    }
}

fn resource(resource: &Resource) -> Wire {
    match resource {
        Resource::Portfolio(record) => Wire::PortfolioResource(portfolio::message(record)),
        Resource::Organization(record) => Wire::OrganizationResource(organization::message(record)),
        Resource::Project(record) => Wire::ProjectResource(project::message(record)),
        Resource::Phase(record) => Wire::PhaseResource(phase::message(record)),
        Resource::Batch(record) => Wire::BatchResource(batch::message(record)),
    }
}

/// The type of the event. Public, and the same for ever.
fn kind(resource: &Resource, happening: &Happening) -> &'static str {
    let [created, updated, deleted, undeleted] = life(resource);
    match happening {
        Happening::Created => created,
        Happening::Updated => updated,
        Happening::Deleted => deleted,
        Happening::Undeleted => undeleted,
        // Only projects move, and only batches do what follows.
        Happening::Moved { previous, status, .. } => moved(*previous, *status),
        Happening::Regrouped { .. } => "milepost.batch.members_changed",
        Happening::Started { .. } => "milepost.batch.started",
        Happening::Cancelled { .. } => "milepost.batch.cancelled",
    }
}

/// The types of what can happen to every resource: creation, update, deletion, and taking that back.
fn life(resource: &Resource) -> [&'static str; 4] {
    match resource {
        Resource::Portfolio(_) => [
            "milepost.portfolio.created",
            "milepost.portfolio.updated",
            "milepost.portfolio.deleted",
            "milepost.portfolio.undeleted",
        ],
        Resource::Organization(_) => [
            "milepost.organization.created",
            "milepost.organization.updated",
            "milepost.organization.deleted",
            "milepost.organization.undeleted",
        ],
        Resource::Project(_) => [
            "milepost.project.created",
            "milepost.project.updated",
            "milepost.project.deleted",
            "milepost.project.undeleted",
        ],
        Resource::Phase(_) => [
            "milepost.phase.created",
            "milepost.phase.updated",
            "milepost.phase.deleted",
            "milepost.phase.undeleted",
        ],
        Resource::Batch(_) => [
            "milepost.batch.created",
            "milepost.batch.updated",
            "milepost.batch.deleted",
            "milepost.batch.undeleted",
        ],
    }
}

fn moved(previous: Status, status: Status) -> &'static str {
    match (previous, status) {
        (Status::Suspended(_), Status::At(_)) => "milepost.project.resumed",
        (_, Status::At(Stage::Proposed | Stage::Preparation)) => "milepost.project.prepared",
        (_, Status::At(Stage::Construction)) => "milepost.project.started",
        (_, Status::At(Stage::Completed)) => "milepost.project.completed",
        (_, Status::At(Stage::InService)) => "milepost.project.commissioned",
        (_, Status::Suspended(_)) => "milepost.project.suspended",
        (_, Status::Cancelled) => "milepost.project.cancelled",
    }
}

fn payload(happening: &Happening) -> Payload {
    let names = |projects: &[ProjectName]| projects.iter().map(ToString::to_string).collect();
    match happening {
        Happening::Created => Payload::Created(proto::Created {}),
        Happening::Updated => Payload::Updated(proto::Updated {}),
        Happening::Deleted => Payload::Deleted(proto::Deleted {}),
        Happening::Undeleted => Payload::Undeleted(proto::Undeleted {}),
        Happening::Moved { previous, status, reason, batch } => {
            Payload::ProjectStatusChanged(proto::ProjectStatusChanged {
                previous_status: project::status_message(*previous).into(),
                status: project::status_message(*status).into(),
                reason: reason.clone(),
                batch: batch.as_ref().map(ToString::to_string).unwrap_or_default(),
            })
        }
        Happening::Regrouped { added, removed } => Payload::BatchMembersChanged(proto::BatchMembersChanged {
            added: names(added),
            removed: names(removed),
        }),
        Happening::Started { count } => {
            Payload::BatchStarted(proto::BatchStarted { count: i32::try_from(*count).unwrap_or(i32::MAX) })
        }
        Happening::Cancelled { reason } => {
            Payload::BatchCancelled(proto::BatchCancelled { reason: reason.clone() })
        }
    }
}

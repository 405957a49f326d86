//! Changes, written as the events that are stored and passed on for ever.
//!
//! Invariant: a change has one encoding; its type, its resource and its payload say the same.

use bytes::Bytes;
use milepost_ledger::{CommandId, Context, actor_to_proto};
use milepost_proto::event::v1 as proto;
use milepost_types::{EventId, ProjectName};
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
    let Place { subject, portfolio, project, noun } = place(&change.resource);
    proto::Event {
        event_id: id(index),
        source: SOURCE.to_owned(),
        sequence: context.sequence,
        subject,
        portfolio,
        project,
        r#type: format!("milepost.{noun}.{}", verb(&change.happening)),
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
    noun: &'static str,
}

fn place(resource: &Resource) -> Place {
    let none = String::new;
    match resource {
        Resource::Portfolio(record) => {
            let subject = record.name.to_string();
            Place { portfolio: subject.clone(), subject, project: none(), noun: "portfolio" }
        }
        Resource::Organization(record) => Place {
            subject: record.name.to_string(),
            portfolio: none(),
            project: none(),
            noun: "organization",
        },
        Resource::Project(record) => {
            let subject = record.name.to_string();
            let portfolio = record.name.portfolio().to_string();
            Place { project: subject.clone(), subject, portfolio, noun: "project" }
        }
        Resource::Phase(record) => Place {
            subject: record.name.to_string(),
            portfolio: record.name.portfolio().to_string(),
            project: record.name.project().to_string(),
            noun: "phase",
        },
        Resource::Batch(record) => Place {
            subject: record.name.to_string(),
            portfolio: record.name.portfolio().to_string(),
            project: none(),
            noun: "batch",
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

/// The last part of the type.
fn verb(happening: &Happening) -> &'static str {
    match happening {
        Happening::Created => "created",
        Happening::Updated => "updated",
        Happening::Deleted => "deleted",
        Happening::Undeleted => "undeleted",
        Happening::Moved { previous, status, .. } => move_verb(*previous, *status),
        Happening::Regrouped { .. } => "members_changed",
        Happening::Started { .. } => "started",
        Happening::Cancelled { .. } => "cancelled",
    }
}

fn move_verb(previous: Status, status: Status) -> &'static str {
    match (previous, status) {
        (Status::Suspended(_), Status::At(_)) => "resumed",
        (_, Status::At(Stage::Proposed | Stage::Preparation)) => "prepared",
        (_, Status::At(Stage::Construction)) => "started",
        (_, Status::At(Stage::Completed)) => "completed",
        (_, Status::At(Stage::InService)) => "commissioned",
        (_, Status::Suspended(_)) => "suspended",
        (_, Status::Cancelled) => "cancelled",
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

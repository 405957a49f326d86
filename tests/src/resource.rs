//! Resources of any kind, as replies, rows and events hold them.
//!
//! Invariant: two resources are equal if and only if their encodings are.

use std::collections::BTreeMap;

use milepost_client::Client;
use milepost_proto::event::v1::{Event, event};
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1 as tracker;
use prost::Message;

const PAGE_SIZE: i32 = 1000;

/// One resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Resource {
    /// A portfolio.
    Portfolio(Box<registry::Portfolio>),
    /// An organization.
    Organization(Box<registry::Organization>),
    /// A project.
    Project(Box<registry::Project>),
    /// A phase.
    Phase(Box<registry::Phase>),
    /// A batch.
    Batch(Box<registry::Batch>),
    /// A milestone.
    Milestone(Box<tracker::Milestone>),
}

macro_rules! each {
    ($resource:expr, $inner:ident => $value:expr) => {
        match $resource {
            Resource::Portfolio($inner) => $value,
            Resource::Organization($inner) => $value,
            Resource::Project($inner) => $value,
            Resource::Phase($inner) => $value,
            Resource::Batch($inner) => $value,
            Resource::Milestone($inner) => $value,
        }
    };
}

impl Resource {
    /// Its name.
    pub fn name(&self) -> &str {
        each!(self, inner => &inner.name)
    }

    /// The sequence of its last change.
    ///
    /// # Panics
    /// If its etag is none.
    pub fn sequence(&self) -> u64 {
        each!(self, inner => inner.etag.parse().unwrap_or_else(|_| panic!("{inner:?} has no etag")))
    }

    /// It as bytes.
    pub fn encoded(&self) -> Vec<u8> {
        each!(self, inner => inner.encode_to_vec())
    }

    /// The resource after the change that an event tells of; none in bookkeeping.
    pub fn of_event(event: &Event) -> Option<Self> {
        use event::Resource as In;
        Some(match event.resource.clone()? {
            In::PortfolioResource(inner) => Resource::Portfolio(Box::new(inner)),
            In::OrganizationResource(inner) => Resource::Organization(Box::new(inner)),
            In::ProjectResource(inner) => Resource::Project(Box::new(inner)),
            In::PhaseResource(inner) => Resource::Phase(Box::new(inner)),
            In::BatchResource(inner) => Resource::Batch(Box::new(inner)),
            In::MilestoneResource(inner) => Resource::Milestone(Box::new(inner)),
            // The loads touch nothing else.
            _ => return None,
        })
    }
}

/// Every portfolio, organization, project and milestone that the services list, deleted ones too.
///
/// # Panics
/// If one cannot be listed.
pub async fn rows(client: &Client) -> BTreeMap<String, Resource> {
    let mut rows = BTreeMap::new();
    let mut put = |resource: Resource| {
        let name = resource.name().to_owned();
        assert!(rows.insert(name.clone(), resource).is_none(), "{name} is listed twice");
    };
    macro_rules! list {
        ($stub:ident.$method:ident($request:expr) -> $field:ident as $kind:ident) => {
            let mut request = $request;
            loop {
                let page = client.$stub().$method(request.clone()).await.expect("a page").into_inner();
                page.$field.into_iter().for_each(|inner| put(Resource::$kind(Box::new(inner))));
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
        };
    }
    list!(portfolios.list_portfolios(registry::ListPortfoliosRequest {
        page_size: PAGE_SIZE,
        show_deleted: true,
        ..Default::default()
    }) -> portfolios as Portfolio);
    list!(organizations.list_organizations(registry::ListOrganizationsRequest {
        page_size: PAGE_SIZE,
        show_deleted: true,
        ..Default::default()
    }) -> organizations as Organization);
    list!(projects.list_projects(registry::ListProjectsRequest {
        parent: "portfolios/-".to_owned(),
        page_size: PAGE_SIZE,
        show_deleted: true,
        ..Default::default()
    }) -> projects as Project);
    list!(milestones.list_milestones(tracker::ListMilestonesRequest {
        parent: "portfolios/-/projects/-".to_owned(),
        page_size: PAGE_SIZE,
        show_deleted: true,
        ..Default::default()
    }) -> milestones as Milestone);
    rows
}

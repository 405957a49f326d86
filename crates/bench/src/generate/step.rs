//! Steps: requests that are sent one after another, as encoded messages.
//!
//! Invariant: a request id is made from the plan, the noun, the number and the place in its step, so that a plan always
//! sends the same request under the same id, and no two requests under one.

use bytes::Bytes;
use milepost_proto::WriteRequest;
use milepost_types::LedgerKind;

/// A request of the public API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which service it is for.
    pub ledger: LedgerKind,
    /// Its method, as in `/milepost.registry.v1.ProjectService/GetProject`.
    pub method: &'static str,
    /// The message, encoded.
    pub body: Bytes,
}

impl Request {
    /// A request whose message is what the method takes.
    pub fn new(ledger: LedgerKind, method: &'static str, message: &impl prost::Message) -> Self {
        Self { ledger, method, body: message.encode_to_vec().into() }
    }
}

/// Requests that are sent in this order. Steps of one stage are independent of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Everything of an earlier stage is there before the first request is sent.
    pub stage: Stage,
    /// How many resources it makes.
    pub resources: u64,
    pub requests: Vec<Request>,
    /// What its request ids begin with.
    id: String,
}

/// The stages, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Portfolio,
    Rules,
    Organizations,
    Policies,
    Bundles,
    Projects,
    Phases,
    Milestones,
    Lists,
    Collections,
    Indicators,
    Parts,
    Alliances,
    Batches,
    Histories,
    Inspections,
    Campaigns,
    Entries,
}

impl Stage {
    /// As progress says it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Portfolio => "portfolio",
            Self::Rules => "rules of the timeline",
            Self::Organizations => "organizations",
            Self::Policies => "policies",
            Self::Bundles => "bundles of projects",
            Self::Projects => "projects",
            Self::Phases => "phases",
            Self::Milestones => "milestones",
            Self::Lists => "annual lists",
            Self::Collections => "collections",
            Self::Indicators => "indicators and observations",
            Self::Parts => "indicators that are parts",
            Self::Alliances => "alliances and activities",
            Self::Batches => "batches",
            Self::Histories => "histories of projects",
            Self::Inspections => "inspections, findings and orders",
            Self::Campaigns => "campaign",
            Self::Entries => "entries of the timeline",
        }
    }
}

impl Step {
    /// An empty step; `plan` is what tells the plan from others, `number` its place among those of its noun.
    pub fn new(stage: Stage, plan: &str, noun: &str, number: u64) -> Self {
        Self { stage, resources: 0, requests: Vec::new(), id: format!("{plan}-{noun}-{number}") }
    }

    /// Adds a request to the registry.
    pub fn registry(&mut self, method: &'static str, message: impl WriteRequest) {
        self.push(LedgerKind::Registry, method, message);
    }

    /// Adds a request to the tracker.
    pub fn tracker(&mut self, method: &'static str, message: impl WriteRequest) {
        self.push(LedgerKind::Tracker, method, message);
    }

    fn push(&mut self, ledger: LedgerKind, method: &'static str, mut message: impl WriteRequest) {
        *message.request_id_mut() = format!("{}-{}", self.id, self.requests.len());
        self.requests.push(Request::new(ledger, method, &message));
    }
}

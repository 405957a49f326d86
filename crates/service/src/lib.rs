//! The server framework: configuration, telemetry, hosting, drain, errors, what requests have in common.
//!
//! What the three services share: how a process is configured, observed, served and stopped, and how a refusal is
//! encoded. No rule of the domain is here.

pub mod access;
pub mod admin;
pub mod audit;
pub mod config;
pub mod freshness;
mod generations;
pub mod host;
pub mod identity;
pub mod journal_service;
pub mod ledger;
pub mod limits;
pub mod merge;
pub mod origin;
pub mod readiness;
pub mod refusal;
pub mod request;
mod room;
pub mod source_reset;
pub mod status;
pub mod telemetry;
pub mod value;

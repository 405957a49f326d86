//! The service as callers see it: over an in-process channel, on a real ledger with a journal in memory.

pub(crate) mod full;
pub(crate) mod office;
#[path = "../../../resource/src/tests/rows.rs"]
pub(crate) mod rows;
#[path = "../../../../tests/transcript/mod.rs"]
mod transcript;

mod access;
mod alliances;
mod annual_lists;
mod batches;
mod bounds;
mod civil_dates;
mod collection_lengths;
mod collection_members;
mod collections;
mod costs;
mod days;
mod entries;
mod events;
mod golden;
mod hosted;
mod indicators;
mod indicators_held;
mod liaison;
mod lists;
mod matching;
mod members;
mod nonsense;
mod observations;
mod officers_held;
mod plans;
mod policies;
mod policy_limits;
mod references;
mod replay;
mod replay_office;
mod report_bounds;
mod report_collections;
pub(crate) mod reporting;
mod reports;
mod reports_known_then;
mod required;
mod sizes;
mod slice;
mod soft_delete;
mod standard;
mod statuses;
mod stored;
mod sums_beyond;
mod writes;

//! The service as callers see it: over an in-process channel, on a real ledger with a journal in memory.

pub(crate) mod full;
pub(crate) mod office;
mod raw;
pub(crate) mod rows;

mod batches;
mod days;
mod entries;
mod events;
mod hosted;
mod lists;
mod nonsense;
mod replay;
mod required;
mod sizes;
mod slice;
mod soft_delete;
mod standard;
mod stored;
mod writes;

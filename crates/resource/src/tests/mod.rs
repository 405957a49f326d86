//! The crate on a service of its own: rules that show when each is asked, rows in a map, and no ledger.

mod office;
pub(crate) mod rows;
mod world;

mod commands;
mod content;
mod faults;
mod floating;
mod hidden;
mod keys;
mod lists;
mod lists_in_fields;
mod masks;
mod milestones;
mod names;
mod pages;
mod paths;
mod scans;
mod scopes;
mod stored;
mod updates;

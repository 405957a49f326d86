//! What was reported of projects, what of it counts as known on a day, and what it comes to between two days.
//!
//! The registry answers reports by it, the tracker judges projects of its mirror by it: so both mean the same by THEN,
//! THEN_STRICT and LATEST. Invariants: everything is exact; nothing of a day that does not count is counted. What a
//! report or a score makes of it is theirs, and so is which table a history stands in.

mod amounts;
mod encoded;
mod history;
mod knowledge;
mod project;
mod time;

pub use amounts::{Planned, Plans, Reported};
pub use encoded::{Amount, Day, Plan, ReportedAmount};
pub use history::{Fact, History, Kind, YearHistory};
pub use knowledge::Snapshot;
pub use project::{Ask, KnownProject};
pub use time::{Window, fraction};

//! The report: a table for people, JSON for programs, and a chart.

mod chart;
mod json;
mod table;

pub use chart::chart;
pub use json::json;
pub use table::{machine, table};

//! What was measured, for people, for programs and as a picture.

mod chart;
mod json;
mod table;

pub use chart::chart;
pub use json::json;
pub use table::table;

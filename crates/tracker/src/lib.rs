//! When, and how well: milestones with baseline, forecast and actual dates.

mod milestone;

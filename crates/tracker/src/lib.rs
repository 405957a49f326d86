//! When, and how well: milestones with baseline, forecast and actual dates.

mod apply;
mod command;
mod convert;
mod decide;
mod facts;
mod ingest;
mod list;
mod milestone;
mod source;
mod sweep;
mod tables;
#[cfg(test)]
mod testing;

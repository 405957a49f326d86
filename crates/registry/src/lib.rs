//! Who and what: portfolios, organizations, projects, phases and batches.

mod apply;
mod batch;
mod change;
mod command;
mod convert;
mod decide;
mod details;
mod organization;
mod phase;
mod portfolio;
mod project;
mod record;
mod tables;

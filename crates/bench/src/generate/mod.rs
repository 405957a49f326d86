//! The generator: portfolios of any size with years of history, from a seed, through the public API.
//!
//! A [`World`] says what is true of each project; a module for each noun makes requests of it, lazily and without I/O;
//! [`load`] sends them. To add a noun: one module that makes steps, its stage, its place in [`steps`].
//!
//! Invariants: the same plan makes the same requests, byte for byte. Every display name is marked as synthetic. A
//! request names only what an earlier stage, or an earlier request of its step, has made.

mod alliance;
mod annual_list;
mod arguments;
mod batch;
mod campaign;
mod collection;
mod draw;
mod history;
mod indicator;
mod load;
mod milestone;
mod money;
mod officer;
mod organization;
mod phase;
mod policy;
mod portfolio;
mod project;
mod service_request;
mod step;
mod supervision;
#[cfg(test)]
mod tests;
mod timeline;
mod value;
mod words;
mod world;

pub use arguments::Generate;
pub use campaign::name as campaign_name;
pub use collection::FIRST_GRID;
pub use indicator::first as first_indicator;
pub use load::{Loaded, Progress, StageRate, load};
pub use officer::somebody as some_officer;
pub use policy::measures;
pub use step::Step;
pub use value::{date, days};
pub use world::{Plan, World};

/// What makes the world, in the order of stages.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    std::iter::once(portfolio::step(world))
        .chain(std::iter::once(timeline::rule(world)))
        .chain(organization::steps(world))
        .chain(policy::steps(world))
        .chain(project::bundles(world))
        .chain(project::others(world))
        .chain(phase::steps(world))
        .chain(milestone::steps(world))
        .chain(annual_list::steps(world))
        .chain(collection::steps(world))
        .chain(indicator::steps(world))
        .chain(alliance::steps(world))
        .chain(batch::steps(world))
        .chain(history::steps(world))
        .chain(supervision::steps(world))
        .chain(campaign::step(world))
        .chain(timeline::steps(world))
}

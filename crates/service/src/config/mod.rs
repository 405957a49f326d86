//! Configuration: default → TOML file → environment → flags, into one typed struct per crate.
//!
//! A configuration is a tree of [`Section`]s written with the [`section!`](crate::section) macro:
//! there a field has its doc comment, type and default in one place, and that comment is the rustdoc,
//! the help text and the reference that `--print-config` prints. All of a process's configuration
//! is one tree, so a key has one path in every layer: `journal.segment_bytes` is
//! `[journal] segment_bytes = …` in the file, `MILEPOST_JOURNAL__SEGMENT_BYTES` in the environment
//! and `--set journal.segment_bytes=…` on the command line. Sizes and durations are texts with a
//! unit (`"64MiB"`, `"300us"`, `"10s"`), lists from the environment and flags are comma-separated.
//! A [`Named`] field is a table of sections whose names the configuration chooses.
//!
//! Invariants: a key that no struct has is refused in every layer; every fault of every layer is
//! reported at once with where it came from, also a faulty value that a later layer overrides.
//! Nothing here reads a global: the caller hands over file, environment and flags ([`Layers`]).

mod arguments;
mod fault;
mod file;
mod layers;
mod named;
mod print;
mod section;
mod units;
mod value;
mod variables;

pub mod access;
pub mod audit;
pub mod backup;
pub mod server;
pub mod tls;
pub mod traces;
pub mod upstream;

pub use arguments::ConfigArgs;
pub use fault::{EXIT_CODE, Fault, Faults, Source};
pub use layers::{Flag, Layers, Loaded};
pub use named::Named;
pub use print::reference;
pub use section::{Entries, Field, Flat, Found, Rules, Section, Visitor};
pub use units::ByteSize;
pub use value::{Raw, Slot, Value};
pub use variables::check_variables;

#[cfg(test)]
mod tests;

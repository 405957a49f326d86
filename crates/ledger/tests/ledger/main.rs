//! The ledger as its users see it, on a domain that is small enough to check by hand.

mod checkpoint;
mod domain;
mod faults;
mod group;
mod shared;
mod view;

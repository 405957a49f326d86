//! The journal engines: conformance of each, and what the file journal does when its disk fails it.
//!
//! One binary, one module a concern. Nothing here sleeps or depends on the clock; what is random is
//! drawn from a seed that a failure names.

mod conformance;
mod damage;
mod export;
mod faults;
mod layout;
mod lock;
mod modes;
mod power_cut;
mod support;
mod witness;

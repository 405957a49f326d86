//! The server kit: configuration, telemetry, hosting, drain, errors, paging.

pub mod config;
pub mod telemetry;

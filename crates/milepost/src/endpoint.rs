//! The endpoint that clients use by default and that `serve all` listens on.
//!
//! Apart from both because the command line and the demo's suggestions need it, and neither depends on the other
//! for it.

/// Where `serve all` listens unless its configuration says otherwise.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:7400";

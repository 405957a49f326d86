//! Load and side-by-side measurement.

fn main() {}

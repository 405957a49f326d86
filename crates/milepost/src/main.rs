//! The one binary: serve, demo, operate, and the command-line client.

fn main() {}

//! Random numbers whose seed is printed, so that a failure can be reproduced.
//!
//! Not for secrets. The numbers are those of the ledger's simulated disk.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

pub use milepost_ledger::journal::sim::Rng;

/// Numbers from the seed in the environment (`TESTS_SEED`), or from one that is printed.
///
/// # Panics
/// If `TESTS_SEED` is no number.
pub fn seeded(what: &str) -> Rng {
    let seed = match std::env::var("TESTS_SEED") {
        Ok(text) => text.parse().expect("TESTS_SEED is a number"),
        Err(_) => fresh(),
    };
    eprintln!("{what}: TESTS_SEED={seed}");
    Rng::new(seed)
}

/// A number that is another one each time.
pub fn fresh() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

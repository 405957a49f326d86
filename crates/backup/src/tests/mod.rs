//! Backups of journals in memory to stores in memory and in directories: made, interrupted, verified, restored.

mod damage;
mod interrupted;
mod points;
mod restored;
mod runs;
mod world;

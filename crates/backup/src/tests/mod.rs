//! Backups of journals in memory to stores in memory and in directories: made, interrupted, verified, restored.

mod damage;
mod interrupted;
mod left_out;
mod points;
mod restored;
mod runs;
mod world;

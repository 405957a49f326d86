//! Cases that need the whole house: its sources, or real processes of it.

mod acknowledgement;
mod architecture;
mod batches;
mod bench;
mod command_line;
mod completion;
mod damage;
mod drain;
mod endings;
mod events;
mod follow;
mod foreign;
mod kill;
mod nonsense;
mod offline;
mod on_the_demo;
mod operate;
mod power_cut;
mod programs;
mod requests;
mod resets;
mod restore;
mod streams;
mod terminal;
mod tls;
mod upgrade;

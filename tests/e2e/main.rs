//! Cases that need the whole house: its sources, or real processes of it.

mod acknowledgement;
mod architecture;
mod drain;
mod foreign;
mod nonsense;

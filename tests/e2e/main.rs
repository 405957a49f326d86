//! Cases that need the whole house: its sources, or real processes of it.

mod architecture;

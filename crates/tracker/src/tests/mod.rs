//! The service over an in-process channel, on a ledger in memory, following a registry.

//! Cases that need real processes.

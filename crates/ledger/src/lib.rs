//! The kernel: a journal of what happened and a store of what is now.

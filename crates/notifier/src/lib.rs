//! Who hears of it: the event log in one order, and its watchers.

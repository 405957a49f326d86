//! Working calendars and, later, the milestone network; pure, no I/O.

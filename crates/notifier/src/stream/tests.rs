//! Tests, to come at once.

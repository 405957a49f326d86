//! The watch against servers that die, drain, repeat, and fall silent.

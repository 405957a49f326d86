//! Generated messages and services, and the descriptor set that reflection and JSON read.

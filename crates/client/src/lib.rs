//! The Rust client: channels, safe retries, and watches that resume.

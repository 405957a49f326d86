//! The server kit: configuration, telemetry, hosting, drain, errors, paging.

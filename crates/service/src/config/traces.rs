//! The configuration of traces: where to, and how many.
//!
//! Invariant: without an endpoint nothing is traced. A collector that cannot be reached never keeps a server from starting.

use std::fs::File;
use std::path::PathBuf;

use milepost_types::without_number;

use super::section::{Found, Rules};
use crate::section;

section! {
    /// Traces of calls, for a collector of OpenTelemetry (OTLP over gRPC). Read by `telemetry`.
    pub struct Traces {
        /// Where the collector is, such as "http://localhost:4317", or "none": nothing is traced.
        pub endpoint: Option<String> = None,
        /// The CAs that the certificate of an https:// endpoint is signed by (PEM), or "none": those that the system
        /// trusts.
        pub ca: Option<PathBuf> = None,
        /// One call in so many is traced. A call whose caller says in `traceparent` (W3C Trace Context) whether it is,
        /// is as its caller says.
        pub one_in: u32 = 100,
    }
}

impl Rules for Traces {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("one_in", self.one_in, 1, 1_000_000_000);
        let is_known = |url: &String| ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
        if let Some(url) =
            self.endpoint.as_ref().filter(|url| !is_known(url) || url.parse::<http::Uri>().is_err())
        {
            found.fault("endpoint", format!("{url:?} is not a URL such as \"http://localhost:4317\""));
        }
        if let Some(Err(error)) = self.ca.as_ref().map(File::open) {
            found.fault("ca", format!("the file cannot be read: {}", without_number(&error.to_string())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flag, Layers};

    #[test]
    fn an_endpoint_that_is_no_url_a_rate_of_none_and_a_missing_file_are_faults() {
        let flag =
            |(key, value): (&str, &str)| Flag { flag: key.into(), key: key.into(), value: value.into() };
        let flags = [("endpoint", "collector:4317"), ("one_in", "0"), ("ca", "/no/such")].map(flag);
        let layers = Layers { flags: flags.into(), ..Layers::default() };
        let faults = layers.load(Traces::default()).unwrap_err().to_string();
        for fault in ["endpoint: \"collector:4317\" is not a URL", "one_in: 0 is not between", "ca: the file"]
        {
            assert!(faults.contains(fault), "{fault}: {faults}");
        }
    }
}

//! The configuration of backups: where to, and how often.
//!
//! Invariant: without a target there are none. What a target is beyond its scheme is known to crate `backup`, and looked at
//! when the first backup is made: a store that cannot be reached never keeps a server from starting. Credentials are not
//! here: those of S3 come from the standard variables (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).

use super::section::{Found, Rules};
use crate::section;
use std::time::Duration;

section! {
    /// Backups of the journals of this process. Read by `serve`.
    pub struct Backup {
        /// Where backups are written: "file:///a/directory", "s3://bucket/prefix", or "none". Processes that run
        /// apart need a target each. S3 takes its credentials, region and endpoint from the AWS_ variables.
        pub target: Option<String> = None,
        /// How long after a backup the next one begins, which writes what is new.
        pub interval: Duration = Duration::from_secs(60),
    }
}

impl Rules for Backup {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("interval", self.interval, Duration::from_secs(1), Duration::from_secs(86_400));
        let is_known =
            |target: &String| ["file:///", "s3://"].iter().any(|scheme| target.starts_with(scheme));
        if let Some(target) = self.target.as_ref().filter(|target| !is_known(target)) {
            found.fault("target", format!("{target:?} begins with neither file:/// nor s3://"));
        }
    }
}

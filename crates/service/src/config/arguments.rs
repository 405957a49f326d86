//! The flags that every server takes, for the binary to flatten into its own command line.
//!
//! Does not read the configuration: it turns into the [`Layers`] that do.

use super::layers::{Flag, Layers};
use std::ffi::OsString;
use std::path::PathBuf;

/// The configuration flags of a server.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfigArgs {
    /// The TOML configuration file.
    #[arg(long, value_name = "FILE", env = "MILEPOST_CONFIG")]
    pub config: Option<PathBuf>,

    /// The address and port that serves gRPC; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,

    /// The address and port of metrics and probes, or "none".
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<String>,

    /// The directory of the journals and stores.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,

    /// Sets any configuration key, such as journal.segment_bytes=128MiB; may be given often.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,

    /// Prints the configuration in effect as TOML with its reference, and leaves.
    #[arg(long)]
    pub print_config: bool,
}

impl ConfigArgs {
    /// The layers these flags name, over the given environment.
    pub fn layers(&self, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Layers {
        let named = [
            ("--listen", "listen", &self.listen),
            ("--admin-listen", "admin_listen", &self.admin_listen),
            ("--data-dir", "data_dir", &self.data_dir),
        ];
        let set = self.set.iter().map(|(key, value)| Flag {
            flag: format!("--set {key}"),
            key: key.clone(),
            value: value.clone(),
        });
        let named = named.into_iter().filter_map(|(flag, key, value)| {
            Some(Flag { flag: flag.to_owned(), key: key.to_owned(), value: value.clone()? })
        });
        Layers {
            file: self.config.clone(),
            environment: environment.into_iter().collect(),
            not_configuration: vec!["MILEPOST_CONFIG"],
            flags: set.chain(named).collect(),
        }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as journal.segment_bytes=128MiB".to_owned()),
    }
}

//! Environment variables: which key each sets, and which were meant to set one but do not.
//!
//! Invariant: what a container platform sets by itself is not taken for a misspelt variable.

use super::fault::{Fault, Faults, Source};
use milepost_types::suggest::nearest;
use std::ffi::OsString;

/// What every variable of ours begins with.
pub(super) const PREFIX: &str = "MILEPOST_";

/// The key that a variable sets: `log.format` for `MILEPOST_LOG__FORMAT`.
pub(super) fn key(variable: &str) -> String {
    let words = variable.strip_prefix(PREFIX).unwrap_or(variable);
    words.split("__").map(str::to_ascii_lowercase).collect::<Vec<_>>().join(".")
}

/// The variable that sets a key; only names of entries have a `-`, which no variable can.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").replace('-', "_").to_uppercase())
}

/// What is wrong with a variable that sets nothing, and the key that it was probably meant to set.
pub(super) fn no_such_variable(meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!("there is no such variable; did you mean {}?", variable(meant)),
        None => "there is no such variable".to_owned(),
    }
}

/// Variables that were probably meant to be one of these, and are not: for commands that read these few and leave
/// those of servers alone.
///
/// # Errors
/// Each of them.
pub fn check_variables(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    read: &[&str],
) -> Result<(), Faults> {
    let keys: Vec<String> = read.iter().map(|name| key(name)).collect();
    let misspelt = |(name, value): (OsString, OsString)| {
        let name = name.to_str().filter(|name| name.starts_with(PREFIX) && !read.contains(name))?;
        let given = key(name);
        let meant = nearest(&given, keys.iter().map(String::as_str))?;
        let by_platform = set_by_the_platform(name, &value.to_string_lossy());
        (given != meant && !by_platform).then(|| Fault {
            source: Source::Environment(name.to_owned()),
            key: None,
            message: no_such_variable(Some(meant)),
        })
    };
    let faults: Vec<Fault> = environment.into_iter().filter_map(misspelt).collect();
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

/// Whether Kubernetes sets this variable for a service whose name begins with milepost.
pub(super) fn set_by_the_platform(name: &str, value: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let has = |pair: [&str; 2]| words.windows(2).any(|window| window == pair);
    let after_port = words.iter().position(|word| *word == "PORT").map(|at| &words[at + 1..]);
    match after_port {
        _ if has(["SERVICE", "HOST"]) || has(["SERVICE", "PORT"]) => true,
        Some([]) => value.contains("://"),
        Some([number, "TCP" | "UDP" | "SCTP", ..]) => number.parse::<u16>().is_ok(),
        _ => false,
    }
}

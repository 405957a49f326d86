//! The last output of the demo: where it listens, where its data is, and what to try.
//!
//! Invariant: every command that is suggested parses, and names things that the data set has. That it parses is tested
//! in `cli`, which depends on the demo: the demo does not depend on it.

use std::net::SocketAddr;
use std::path::Path;

use crate::endpoint::DEFAULT_ENDPOINT;

/// The project that is used as an example.
const FACILITY: &str = "ultra-transient-facility";
const PORTFOLIO: &str = "western-science-city";

/// The text that the demo ends its output with.
pub fn text(grpc: SocketAddr, admin: Option<SocketAddr>, data_dir: &Path, temporary: bool) -> String {
    let endpoint = format!("http://{grpc}");
    let mut text = format!("\nListening\n  gRPC     {endpoint} (reflection and health included)\n");
    if let Some(admin) = admin {
        text.push_str(&format!("  admin    http://{admin}/metrics, /healthz, /readyz\n"));
    }
    let kept = if temporary { ", removed at the end; --data DIR keeps it" } else { "" };
    text.push_str(&format!("  data     {}{kept}\n\nTry, in another terminal\n", data_dir.display()));
    let program = program();
    for arguments in suggestions(&endpoint) {
        let words: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        text.push_str(&format!("  {program} {}\n", words.join(" ")));
    }
    text.push_str("\nCtrl-C ends.\n");
    text
}

/// Commands that work on what was loaded.
pub(crate) fn suggestions(endpoint: &str) -> Vec<Vec<String>> {
    let why = "设备交付推迟";
    let commands: [&[&str]; 6] = [
        &["project", "list", PORTFOLIO, "--filter", "key = true"],
        &["batch", "list", PORTFOLIO],
        &["milestone", "list", PORTFOLIO, "-"],
        &["event", "watch", "--resource", "portfolios/western-science-city"],
        &[
            "milestone",
            "create",
            PORTFOLIO,
            FACILITY,
            "acceptance",
            "--display-name",
            "验收",
            "--baseline",
            "2030-06-28",
        ],
        &[
            "milestone",
            "reforecast",
            PORTFOLIO,
            FACILITY,
            "acceptance",
            "--forecast",
            "2030-09-27",
            "--reason",
            why,
        ],
    ];
    let with_endpoint = |command: &[&str]| {
        let mut arguments: Vec<String> = command.iter().map(|argument| (*argument).to_owned()).collect();
        if endpoint != DEFAULT_ENDPOINT {
            arguments.extend(["--endpoint".to_owned(), endpoint.to_owned()]);
        }
        arguments
    };
    commands.into_iter().map(with_endpoint).collect()
}

/// How this program was called, so that the commands work where they are copied to.
fn program() -> String {
    let called = std::env::args().next().filter(|called| called.contains('/'));
    called.map_or_else(|| "milepost".to_owned(), |called| quoted(&called))
}

/// An argument as a shell takes it.
fn quoted(argument: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./:=".contains(character);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::data::DataSet;

    #[test]
    fn the_suggestions_name_what_was_loaded() {
        let set = DataSet::western_science_city().unwrap();
        assert_eq!(set.portfolio.name, format!("portfolios/{PORTFOLIO}"));
        assert!(set.projects.iter().any(|project| project.name.ends_with(&format!("/{FACILITY}"))));
    }

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        assert_eq!(quoted("设备交付推迟"), "设备交付推迟");
        assert_eq!(quoted("key = true"), "'key = true'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_endpoint_is_named_unless_it_is_the_usual_one() {
        let text = |port: u16| {
            text(
                ([127, 0, 0, 1], port).into(),
                Some(([127, 0, 0, 1], 7410).into()),
                Path::new("/tmp/x"),
                true,
            )
        };
        assert!(!text(7400).contains("--endpoint"));
        assert!(text(41234).contains("--endpoint http://127.0.0.1:41234"));
        assert!(text(7400).contains("http://127.0.0.1:7410/metrics"));
    }
}

//! The last output of the demo: where it listens, where its data is, and what to try.
//!
//! Invariant: every command that is suggested parses, and names things that the data set has. That it parses is
//! tested in `cli`, which has the command line.

use std::net::SocketAddr;
use std::path::Path;

use crate::endpoint::DEFAULT_ENDPOINT;

/// Commands that work on what was loaded, as a shell takes them.
const COMMANDS: [&str; 6] = [
    "project list western-science-city --filter 'key = true'",
    "batch list western-science-city",
    "milestone list western-science-city -",
    "event watch --resource portfolios/western-science-city",
    "milestone create western-science-city ultra-transient-facility acceptance \
     --display-name 验收 --baseline 2030-06-28",
    "milestone reforecast western-science-city ultra-transient-facility acceptance \
     --forecast 2030-09-27 --reason 设备交付推迟",
];

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
    for line in lines(&endpoint) {
        text.push_str(&format!("  {program} {line}\n"));
    }
    text.push_str("\nCtrl-C ends.\n");
    text
}

/// The commands for a server, which they name unless it is where they look by themselves.
fn lines(endpoint: &str) -> impl Iterator<Item = String> {
    let at = if endpoint == DEFAULT_ENDPOINT { String::new() } else { format!(" --endpoint {endpoint}") };
    COMMANDS.iter().map(move |line| format!("{line}{at}"))
}

/// How this program was called, so that the commands work where they are copied to.
fn program() -> String {
    match std::env::args().next() {
        Some(called) if called.contains('/') && called.contains(char::is_whitespace) => format!("'{called}'"),
        Some(called) if called.contains('/') => called,
        _ => "milepost".to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::demo::data::DataSet;

    /// The words of the commands.
    pub(crate) fn suggestions(endpoint: &str) -> Vec<Vec<String>> {
        // Every second part stands between quotes.
        let words = |(place, part): (usize, &str)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        };
        lines(endpoint).map(|line| line.split('\'').enumerate().flat_map(words).collect()).collect()
    }

    #[test]
    fn the_suggestions_name_what_was_loaded() {
        let set = DataSet::western_science_city().unwrap();
        let named = |word: &str| set.steps.iter().any(|step| step.name.ends_with(&format!("/{word}")));
        for words in suggestions(DEFAULT_ENDPOINT) {
            assert!(words[2..].iter().any(|word| named(word) || word == &set.portfolio.name), "{words:?}");
        }
        assert!(named("western-science-city") && named("ultra-transient-facility"));
        assert_eq!(suggestions(DEFAULT_ENDPOINT)[0][3..], ["--filter", "key = true"]);
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

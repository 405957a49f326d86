//! A command line that is not understood, as JSON for programs that asked for it.
//!
//! Invariant: what a program asked for holds for every error, also where the rest of its command line is not
//! understood. Reads only `--format` and `MILEPOST_FORMAT`: contexts are looked at only once the command line
//! is understood.

use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;

use crate::error::Error;

/// Whether the last format that these arguments name is JSON, or the environment's where they name none.
pub fn asks_for_json(arguments: impl IntoIterator<Item = OsString>, environment: Option<&OsStr>) -> bool {
    let mut asked = environment.map(|format| format.to_string_lossy().into_owned());
    let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--" => break,
            "--format" | "-o" => asked = arguments.next().or(asked),
            other => {
                let joined = ["--format=", "-o=", "-o"].iter().find_map(|flag| other.strip_prefix(flag));
                asked = joined.map(str::to_owned).or(asked);
            }
        }
    }
    asked.as_deref() == Some("json")
}

/// The fault on one line, with what was meant, and without the usage.
pub fn refusal(error: &clap::Error) -> Error {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Error::Usage("the command is not complete; --help shows how it goes on".to_owned());
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("For more info")).collect();
    let text = lines.join(" ").replace(" tip: ", "; ");
    Error::Usage(text.trim_start_matches("error: ").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    fn asks(arguments: &str, environment: Option<&str>) -> bool {
        asks_for_json(arguments.split_whitespace().map(OsString::from), environment.map(OsStr::new))
    }

    #[test]
    fn the_last_format_counts_and_the_environment_where_there_is_none() {
        for yes in ["--format json", "x -o json y", "--format=json", "-ojson", "-o=json", "-o csv -o json"] {
            assert!(asks(yes, None), "{yes}");
        }
        for no in ["", "json", "-o csv", "--format", "-- -o json", "-o json --format=table"] {
            assert!(!asks(no, None), "{no}");
        }
        assert!(asks("portfolio lst", Some("json")) && !asks("portfolio lst -o table", Some("json")));
    }

    #[test]
    fn a_fault_is_one_line_with_what_was_meant() {
        let said = |line: &str| {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            refusal(&error).to_string()
        };
        assert_eq!(
            said("milepost portfolio lst"),
            "unrecognized subcommand 'lst'; a similar subcommand exists: 'list'"
        );
        assert_eq!(
            said("milepost context delete"),
            "the following required arguments were not provided: <NAME>"
        );
        assert!(said("milepost event").starts_with("the command is not complete"));
    }
}

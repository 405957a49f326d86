//! `milepost completion`: what a shell needs to complete command lines.
//!
//! Invariant: the script is made from the same definitions that parse the command line.

use clap::Args;
use clap_complete::Shell;

use super::definition;
use crate::error::Error;
use crate::output::print;

/// Which shell.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(args: &CompletionArgs) -> Result<(), Error> {
    print(&script(args.shell))
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), "milepost", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn every_shell_gets_a_script_that_knows_nouns_verbs_and_flags() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for word in ["milestone", "reforecast", "forecast-date", "cursor-file"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}

//! `milepost completion`: what a shell needs to complete command lines, and the answers when it asks.
//!
//! Invariant: a shell that asks gets candidates or nothing, never a fault. They come from the definitions that parse the
//! command line, and from the server that the typed line is for. What no shell asks for costs nothing.

mod names;
mod source;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, absolute};
use std::sync::Arc;

use clap::Args;
use clap_complete::Shell;
use clap_complete::env::{EnvCompleter, Fish, Shells};

use crate::error::Error;
use crate::output::print;
use names::Line;

/// The scripts set it to the name of their shell.
const VARIABLE: &str = "COMPLETE";

const AFTER_HELP: &str = "\
To complete command lines in every new shell, add one line to a file that it reads:
  bash        ~/.bashrc                   source <(milepost completion bash)
  zsh         ~/.zshrc, after compinit    source <(milepost completion zsh)
  fish        ~/.config/fish/config.fish  milepost completion fish | source
  elvish      ~/.config/elvish/rc.elv     eval (milepost completion elvish | slurp)
  powershell  $PROFILE                    milepost completion powershell | Out-String | iex

Names are asked for at the server that the typed line, the environment or the context names, for
a second at most; without an answer they are not completed. Flags are offered after a hyphen.";

/// Which shell.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct CompletionArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(args: &CompletionArgs) -> Result<(), Error> {
    print(&script(args.shell, &env::args().next().unwrap_or_default()))
}

/// The candidates, as the script of a shell reads them, if these arguments are of such a script.
pub fn answer(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let (shells, name) = (Shells::builtins(), env::var(VARIABLE).ok()?);
    let shell = shells.completer(&name)?;
    let mut arguments = arguments.into_iter().skip(1);
    // Others may use that variable too; only the scripts begin so.
    let asked = arguments.next().is_some_and(|first| first == "--");
    asked.then(|| candidates(shell, arguments.collect()).unwrap_or_default())
}

fn candidates(shell: &dyn EnvCompleter, mut words: Vec<OsString>) -> io::Result<String> {
    let index = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let index = index.unwrap_or(words.len().saturating_sub(1));
    let word = words.get(index).cloned().unwrap_or_default();
    words.truncate(index);
    if words.is_empty() {
        return Ok(String::new());
    }
    let is_bash = shell.is("bash");
    if is_bash {
        // It breaks words at these signs: a URL comes as several.
        let line = words.join(OsStr::new("\n")).to_string_lossy().replace("\n:\n", ":").replace("\n=\n", "=");
        words = line.split('\n').map(OsString::from).collect();
    }
    let mut command = source::attach(&Arc::new(Line::new(&words)));
    // Flags beside a name would keep the shell from filling it in.
    let is_wanted = |line: &&str| word.as_encoded_bytes().starts_with(b"-") || !line.starts_with('-');
    words.push(word.clone());
    let mut found = Vec::new();
    // The index that bash gives is that of the broken words: fish gives none, and gets what is meant after a tab.
    let shell: &dyn EnvCompleter = if is_bash { &Fish } else { shell };
    shell.write_complete(&mut command, words, env::current_dir().ok().as_deref(), &mut found)?;
    let found = String::from_utf8_lossy(&found);
    let value = |line: &str| line.split('\t').next().filter(|_| is_bash).unwrap_or(line).to_owned();
    let separator = env::var("_CLAP_IFS").ok().filter(|_| is_bash);
    let found: Vec<_> = found.lines().filter(is_wanted).map(value).collect();
    Ok(found.join(separator.as_deref().unwrap_or("\n")))
}

/// The script, which finds the program as it was called, from wherever the shell is by then.
fn script(shell: Shell, called: &str) -> String {
    let (mut script, shells) = (Vec::new(), Shells::builtins());
    let shell = shells.completer(&shell.to_string()).expect("each of these shells can ask");
    let path = absolute(called).ok().filter(|_| Path::new(called).components().count() > 1);
    let program = path.map_or_else(|| "milepost".to_owned(), |path| path.to_string_lossy().into_owned());
    let written = shell.write_registration(VARIABLE, "milepost", "milepost", &program, &mut script);
    written.expect("memory can be written");
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    /// The candidates of a line whose last word is completed.
    fn completed(line: &str) -> Vec<String> {
        let words = std::iter::once("milepost").chain(line.split(' ')).map(OsString::from).collect();
        let lines = candidates(&Fish, words).unwrap();
        lines.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn every_shell_gets_a_script_that_asks_the_program_as_it_was_called() {
        for shell in Shell::value_variants() {
            for (called, program) in [("milepost", "milepost --"), ("/opt/milepost", "/opt/milepost")] {
                let script = script(*shell, called);
                assert!(script.contains(VARIABLE) && script.contains("milepost"), "{shell}: {script}");
                let program = if *shell == Shell::Bash { program.trim_end_matches(" --") } else { program };
                assert!(script.contains(program), "{shell}: {script}");
            }
            assert!(AFTER_HELP.contains(&format!("milepost completion {shell}")), "{shell}");
        }
    }

    #[test]
    fn nouns_verbs_flags_and_values_are_those_of_the_definitions() {
        assert_eq!(completed("pro"), ["project"]);
        assert_eq!(completed("milestone ref"), ["reforecast"]);
        assert_eq!(completed("milestone reforecast --fore"), ["--forecast-date"]);
        assert_eq!(completed("project create --level n"), ["national"]);
        assert_eq!(completed("project create --level=n"), ["--level=national"]);
        assert!(completed("").contains(&"serve".to_owned()));
        assert!(completed("event watch --").contains(&"--cursor-file".to_owned()));
    }

    #[test]
    fn fields_are_those_of_the_schema() {
        assert_eq!(completed("batch list --order-by "), ["name", "start_date"]);
        assert_eq!(completed("project list --columns name,status"), ["name,status", "name,status_reason"]);
        assert_eq!(completed("event list --columns det"), ["detail"]);
        assert_eq!(completed("event watch --type milepost.milestone.ac"), ["milepost.milestone.achieved"]);
    }

    #[test]
    fn flags_are_offered_after_a_hyphen_only() {
        assert_eq!(completed("portfolio list "), [""; 0]);
        assert!(completed("portfolio list -").contains(&"--columns".to_owned()));
    }

    #[test]
    fn without_a_server_or_with_a_line_that_makes_no_sense_there_is_nothing() {
        for line in [
            "-e http://127.0.0.1:1 project get ",
            "--timeout never -e http://127.0.0.1:1 milestone list a b c d e ",
            "project get --help ",
        ] {
            assert_eq!(completed(line), [""; 0], "{line}");
        }
        assert_eq!(candidates(&Fish, Vec::new()).unwrap(), "");
    }
}

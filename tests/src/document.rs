//! What documents show: the shell blocks of their sections, and a shell in which they run as a reader has it.
//!
//! Invariant: a section that is not there is a failure, not a section without commands.

use std::path::Path;

use tokio::process::Command;

use crate::binary;
use crate::cli::CONTEXTS;

/// The text of a document of the repository.
///
/// # Panics
/// If it cannot be read.
pub fn read(path: &str) -> String {
    let path = binary::root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The shell blocks under a heading, such as `## Use it`, up to the next heading of its level or a higher one.
///
/// # Panics
/// If there is no such heading.
pub fn blocks(text: &str, heading: &str) -> Vec<String> {
    let from = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no {heading:?}"));
    let section = &text[from + 1 + heading.len()..];
    let level = heading.bytes().take_while(|byte| *byte == b'#').count();
    let ends = (2..=level).filter_map(|level| section.find(&format!("\n{} ", "#".repeat(level))));
    let section = &section[..ends.min().unwrap_or(section.len())];
    let block = |part: &str| part.split_once("```").map(|(block, _)| block.to_owned());
    section.split("```sh\n").skip(1).filter_map(block).collect()
}

/// The commands of a block: its lines without those that are only a comment, and with what continues them.
pub fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", "");
    let lines = joined.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// A shell in a directory that finds `milepost`, and contexts only in that directory.
///
/// # Panics
/// If the program cannot be built.
pub fn shell(dir: &Path, script: &str) -> Command {
    let programs = binary::milepost().parent().expect("a program is in a directory");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs.to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(dir);
    command.env("PATH", std::env::join_paths(path).expect("paths"));
    command.env(CONTEXTS, dir.join("contexts.toml"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_the_blocks_up_to_the_next_heading_of_its_level() {
        let text = "# A\n\n## B\n```sh\none\n```\n### C\n```sh\n# two\nthree \\\n  four\n```\n## D\n```sh\nfive\n```\n";
        assert_eq!(blocks(text, "## B"), ["one\n", "# two\nthree \\\n  four\n"]);
        assert_eq!(blocks(text, "### C"), ["# two\nthree \\\n  four\n"]);
        assert_eq!(blocks(text, "## D"), ["five\n"]);
        assert_eq!(commands(&blocks(text, "### C")[0]), ["three   four"]);
    }
}

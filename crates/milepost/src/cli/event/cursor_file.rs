//! A file that keeps the cursor of a watch, so that the next run goes on where this one ended.
//!
//! The first line is the cursor, the second the selection that it was kept for, as JSON: a cursor says how far the log
//! was looked through, and what another selection would have matched before it was never printed. Files of versions
//! that kept no selection have one line.
//!
//! Invariants: the file is whole at any time, whatever happens to the process or the machine: it is written beside,
//! synced, and renamed into place. A cursor is kept only after the events before it were handled: after a crash some may
//! come again, none is left out.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use milepost_client::Selection;
use milepost_types::without_number;
use prost_reflect::{DynamicMessage, ReflectMessage};
use tempfile::NamedTempFile;

use super::flags;
use crate::cli::request::bounded_text;
use crate::error::Error;
use crate::output::{json, value};

/// More than a cursor and a selection take.
const LIMIT: u64 = 256 << 10;

/// Where a cursor is kept.
#[derive(Debug)]
pub struct CursorFile {
    path: PathBuf,
    kept: Option<String>,
    selection: Selection,
}

impl CursorFile {
    /// The file for a selection, and what is to be said of it. The cursor of another selection is refused unless it is
    /// to be `changed` to this one.
    ///
    /// # Errors
    /// If it cannot be read or written, is no cursor file, or was kept for another selection.
    pub fn open(path: &Path, selection: &Selection, change: bool) -> Result<(Self, Option<String>), Error> {
        // A link stays one.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(Error::Usage(format!(
                "{} is no regular file; give another --cursor-file",
                path.display()
            )));
        }
        let text = match File::open(path).and_then(|file| bounded_text(file, LIMIT)) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.map_err(Error::read(path))?,
        };
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let kept = lines.next().map(str::to_owned);
        let shown = path.display();
        let unknown = || {
            Error::Usage(format!(
                "the second line of {shown} is no selection; it is no cursor file, or of a later version: give another \
                 --cursor-file"
            ))
        };
        let before = lines.next().map(|line| read(line).ok_or_else(unknown));
        let note = match (&kept, before.transpose()?) {
            (None, _) => None,
            (Some(_), None) => Some(format!(
                "{shown} does not say for which selection its cursor was kept; it is this one's from now on"
            )),
            (Some(_), Some(before)) if before == *selection => None,
            (Some(_), Some(_)) if change => Some(format!("{shown} is for this selection from now on")),
            (Some(_), Some(before)) => {
                let [before, now] = [&before, selection].map(|selection| match flags(selection) {
                    all if all.is_empty() => "all events".to_owned(),
                    flags => flags,
                });
                return Err(Error::Usage(format!(
                    "{shown} keeps the cursor of another selection ({before}) than this one ({now}): what only this one \
                     selects before that cursor would never be printed; give another --cursor-file to start from the \
                     beginning, or --change-selection to go on after that cursor with this selection"
                )));
            }
        };
        let file = Self { path: path.to_owned(), kept, selection: selection.clone() };
        let written = match (&file.kept, &note) {
            // At once: the next run must know, even if this one gets nowhere.
            (Some(cursor), Some(_)) => file.replace(cursor),
            // Before anything is printed that could then not be kept.
            _ => file.beside().map(drop),
        };
        written.map_err(|error| not_writable(path, &error))?;
        Ok((file, note))
    }

    /// The cursor that was kept.
    pub fn cursor(&self) -> Option<&str> {
        self.kept.as_deref()
    }

    /// Keeps a cursor in place of the one before.
    ///
    /// # Errors
    /// If it cannot be written; then the one before is still there.
    pub fn keep(&mut self, cursor: &str) -> Result<(), Error> {
        if self.kept.as_deref() != Some(cursor) {
            self.replace(cursor).map_err(|error| not_writable(&self.path, &error))?;
            self.kept = Some(cursor.to_owned());
        }
        Ok(())
    }

    fn dir(&self) -> &Path {
        let dir = self.path.parent().filter(|dir| *dir != Path::new(""));
        dir.unwrap_or(Path::new("."))
    }

    /// A new file in the same directory, which goes with what is returned.
    fn beside(&self) -> std::io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(".cursor-").tempfile_in(self.dir())
    }

    fn replace(&self, cursor: &str) -> std::io::Result<()> {
        let mut beside = self.beside()?;
        write!(beside, "{cursor}\n{}", json::line(&json::to_value(&self.selection)))?;
        beside.as_file().sync_all()?;
        beside.persist(&self.path).map_err(|error| error.error)?;
        // The rename itself is durable once its directory is.
        File::open(self.dir())?.sync_all()
    }
}

fn read(line: &str) -> Option<Selection> {
    let message = json::dynamic(&Selection::default()).descriptor();
    let mut reader = serde_json::Deserializer::from_str(line);
    value::typed(&DynamicMessage::deserialize(message, &mut reader).ok()?)
}

/// That no cursor can be kept: why, without the name of the file beside, and what to do.
fn not_writable(path: &Path, error: &std::io::Error) -> Error {
    let text = error.to_string();
    let cause = without_number(text.split(" at path ").next().unwrap_or_default());
    let hint = "give --cursor-file a file in a directory that can be written";
    Error::write(path)(std::io::Error::new(error.kind(), format!("{cause}; {hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;

    fn selection(resource: &str, types: &[&str], filter: &str) -> Selection {
        let types = types.iter().map(|kind| (*kind).to_owned()).collect();
        Selection { resource: resource.to_owned(), types, filter: filter.to_owned() }
    }

    fn open(path: &Path) -> Result<CursorFile, Error> {
        CursorFile::open(path, &Selection::default(), false).map(|(file, _)| file)
    }

    #[test]
    fn a_cursor_survives_the_process_and_replaces_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wsc.cursor");
        let mut file = open(&path).unwrap();
        assert_eq!(file.cursor(), None);
        file.keep("one").unwrap();
        file.keep("two").unwrap();
        assert_eq!(open(&path).unwrap().cursor(), Some("two"));
        let left: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["wsc.cursor"], "nothing is left beside it");
    }

    #[test]
    fn a_file_that_cannot_be_written_keeps_what_it_had() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let mut file = open(&inner.join("wsc.cursor")).unwrap();
        std::fs::remove_dir(&inner).unwrap();
        assert!(matches!(file.keep("one"), Err(Error::Write { .. })));
        assert_eq!(file.cursor(), None);
        assert!(matches!(open(dir.path()), Err(Error::Read { .. })));
    }

    #[test]
    fn where_no_cursor_can_be_kept_is_known_before_anything_is_printed_and_said_without_the_file_beside() {
        let dir = tempfile::tempdir().unwrap();
        let said = chain(&open(&dir.path().join("missing/wsc.cursor")).unwrap_err());
        assert!(said.contains("cannot be written: No such file or directory; give --cursor-file"), "{said}");
        assert!(!said.contains("/.cursor-"), "{said}");
    }

    #[test]
    fn an_empty_file_holds_no_cursor() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(open(file.path()).unwrap().cursor(), None);
    }

    #[test]
    fn a_cursor_of_another_selection_is_refused_with_both_and_the_ways_out_until_the_selection_is_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        let milestones = selection("portfolios/wsc", &["milepost.milestone.*"], "");
        CursorFile::open(&path, &milestones, false).unwrap().0.keep("one").unwrap();
        assert_eq!(CursorFile::open(&path, &milestones, false).unwrap().1, None);

        let others = [
            selection("portfolios/wsc", &[], ""),
            selection("", &["milepost.milestone.*"], ""),
            selection("portfolios/wsc", &["milepost.milestone.*"], "event_date:*"),
            Selection::default(),
        ];
        for other in &others {
            let error = CursorFile::open(&path, other, false).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            for part in [
                &*path.display().to_string(),
                "(--resource portfolios/wsc --type 'milepost.milestone.*')",
                &format!(
                    "this one ({})",
                    if *other == others[3] { "all events".into() } else { flags(other) }
                ),
                "another --cursor-file",
                "--change-selection",
            ] {
                assert!(error.to_string().contains(part), "{part}: {error}");
            }
        }
        let (file, note) = CursorFile::open(&path, &others[3], true).unwrap();
        assert_eq!(file.cursor(), Some("one"));
        assert!(note.unwrap().contains("is for this selection from now on"));
        assert_eq!(CursorFile::open(&path, &others[3], false).unwrap().1, None);
        assert!(CursorFile::open(&path, &milestones, false).is_err());
    }

    #[test]
    fn a_file_without_a_selection_is_read_and_has_this_one_from_then_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\n").unwrap();
        let projects = selection("", &["milepost.project.*"], "");
        let (kept, note) = CursorFile::open(file.path(), &projects, false).unwrap();
        assert_eq!(kept.cursor(), Some("one"));
        assert!(note.unwrap().contains("does not say for which selection"));
        assert_eq!(CursorFile::open(file.path(), &projects, false).unwrap().1, None);
        assert!(CursorFile::open(file.path(), &Selection::default(), false).is_err());
    }

    #[test]
    fn a_second_line_that_is_no_selection_is_a_fault() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\n{\"colour\": 1}\n").unwrap();
        let error = open(file.path()).unwrap_err();
        assert!(error.to_string().contains("second line"), "{error}");
    }
}

//! A file that keeps the cursor of a watch, so that the next run goes on where this one ended.
//!
//! The first line is the cursor, the second the selection that it was kept for, as JSON: a cursor says how far the log
//! was looked through, and what another selection would have matched before it was never printed. Files of versions
//! that kept no selection have one line.
//!
//! Invariants: the file is whole at any time, whatever happens to the process or the machine: it is written beside,
//! synced, and renamed into place. A cursor is kept only after the events before it were printed: after a crash some may
//! be printed again, none is left out.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use milepost_client::Selection;
use milepost_types::without_number;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::flags;
use crate::error::Error;

/// Where a cursor is kept.
#[derive(Debug)]
pub struct CursorFile {
    path: PathBuf,
    kept: Option<String>,
    selected: Selected,
    /// The file has another second line than it should.
    outdated: bool,
}

/// What a file's cursor was kept for, compared with what is watched now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is no cursor yet.
    Nothing,
    /// The same selection.
    Same,
    /// No selection: the file is of a version that kept none.
    Unknown,
    /// Another selection, which was to be changed.
    Changed,
}

/// A selection as the file has it: in one form, however it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Selected {
    #[serde(skip_serializing_if = "String::is_empty")]
    resource: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    filter: String,
}

impl Selected {
    fn of(selection: &Selection) -> Self {
        let mut types = selection.types.clone();
        types.sort();
        types.dedup();
        let filter = selection.filter.trim().to_owned();
        Self { resource: selection.resource.clone(), types, filter }
    }

    /// As the flags of the command say it.
    fn text(&self) -> String {
        let Self { resource, types, filter } = self.clone();
        let flags = flags(&Selection { resource, types, filter });
        if flags.is_empty() { "all events".to_owned() } else { flags }
    }
}

impl CursorFile {
    /// The file for a selection, and what was found in it. The cursor of another selection is refused unless it is to
    /// be `changed` to this one.
    ///
    /// # Errors
    /// If it exists but cannot be read, is no cursor file, or was kept for another selection.
    pub fn open(path: &Path, selection: &Selection, change: bool) -> Result<(Self, Found), Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::read(path)(error)),
        };
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let (kept, selected) = (lines.next().map(str::to_owned), lines.next());
        let selected: Option<Selected> = selected
            .map(serde_json::from_str)
            .transpose()
            .map_err(|_| Error::Usage(format!("the second line of {} is no selection; it is no cursor file, or of a later version: give another --cursor-file", path.display())))?;
        let now = Selected::of(selection);
        let found = match (&kept, &selected) {
            (None, _) => Found::Nothing,
            (Some(_), None) => Found::Unknown,
            (Some(_), Some(before)) if *before == now => Found::Same,
            (Some(_), Some(_)) if change => Found::Changed,
            (Some(_), Some(before)) => {
                return Err(Error::Usage(format!(
                    "{} keeps the cursor of another selection ({}) than this one ({}): what only this one selects before \
                     that cursor would never be printed; give another --cursor-file to start from the beginning, or \
                     --change-selection to go on after that cursor with this selection",
                    path.display(),
                    before.text(),
                    now.text()
                )));
            }
        };
        let outdated = matches!(found, Found::Unknown | Found::Changed);
        let mut file = Self { path: path.to_owned(), kept, selected: now, outdated };
        // Before anything is printed that could then not be kept.
        file.beside().map_err(|error| not_writable(path, &error))?;
        // At once: the next run must know, even if this one gets nowhere.
        if let (true, Some(cursor)) = (outdated, file.kept.clone()) {
            file.keep(&cursor)?;
        }
        Ok((file, found))
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
        if self.kept.as_deref() == Some(cursor) && !self.outdated {
            return Ok(());
        }
        self.replace(cursor).map_err(|error| not_writable(&self.path, &error))?;
        self.kept = Some(cursor.to_owned());
        self.outdated = false;
        Ok(())
    }

    fn dir(&self) -> &Path {
        match self.path.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        }
    }

    /// A new file in the same directory, which goes with what is returned.
    fn beside(&self) -> std::io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(".cursor-").tempfile_in(self.dir())
    }

    fn replace(&self, cursor: &str) -> std::io::Result<()> {
        let selected = serde_json::to_string(&self.selected)?;
        let mut beside = self.beside()?;
        writeln!(beside, "{cursor}\n{selected}")?;
        beside.as_file().sync_all()?;
        beside.persist(&self.path).map_err(|error| error.error)?;
        // The rename itself is durable once its directory is.
        File::open(self.dir())?.sync_all()
    }
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
        let same = selection("portfolios/wsc", &["milepost.milestone.*", "milepost.milestone.*"], " ");
        assert_eq!(CursorFile::open(&path, &same, false).unwrap().1, Found::Same);

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
                &format!("this one ({})", Selected::of(other).text()),
                "another --cursor-file",
                "--change-selection",
            ] {
                assert!(error.to_string().contains(part), "{part}: {error}");
            }
        }
        let (file, found) = CursorFile::open(&path, &others[3], true).unwrap();
        assert_eq!((file.cursor(), found), (Some("one"), Found::Changed));
        assert_eq!(CursorFile::open(&path, &others[3], false).unwrap().1, Found::Same);
        assert!(CursorFile::open(&path, &milestones, false).is_err());
    }

    #[test]
    fn a_file_without_a_selection_is_read_and_has_this_one_from_then_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\n").unwrap();
        let projects = selection("", &["milepost.project.*"], "");
        let (kept, found) = CursorFile::open(file.path(), &projects, false).unwrap();
        assert_eq!((kept.cursor(), found), (Some("one"), Found::Unknown));
        assert_eq!(CursorFile::open(file.path(), &projects, false).unwrap().1, Found::Same);
        assert!(CursorFile::open(file.path(), &Selection::default(), false).is_err());
    }

    #[test]
    fn a_second_line_that_is_no_selection_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\n{\"colour\": 1}\n").unwrap();
        let error = open(file.path()).unwrap_err();
        assert!(error.to_string().contains("second line"), "{error}");
    }
}

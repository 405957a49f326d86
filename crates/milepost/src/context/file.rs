//! The file of contexts: where it is, and how it is read and replaced.
//!
//! Invariant: the file is whole at every moment, and nothing is written that could not be read again. Does
//! not see what others write after it was read.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::document::rewritten;
use super::{ContextError, Contexts, Rules};

/// Where the contexts are: `MILEPOST_CONTEXTS`, else `milepost/contexts.toml` in the user's configuration.
///
/// # Errors
/// If no variable says where that is.
pub fn path(lookup: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, ContextError> {
    let set = |name: &str| lookup(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    // A relative one is to be ignored, says the specification of XDG.
    let configuration = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let configuration = configuration.or_else(|| Some(set("HOME")?.join(".config")));
    let path = set("MILEPOST_CONTEXTS").or_else(|| Some(configuration?.join("milepost/contexts.toml")));
    let fault = "HOME is not set; set it, or set MILEPOST_CONTEXTS to the file of contexts";
    path.ok_or_else(|| ContextError::Faults(vec![fault.to_owned()]))
}

/// Reads a file; one that is missing has no contexts.
///
/// # Errors
/// If it cannot be read, and every fault in it.
pub fn read(path: &Path, rules: &Rules) -> Result<Contexts, ContextError> {
    Contexts::parse(&text(path)?, path, rules)
}

/// Changes a file, with no other writer between reading and writing.
///
/// # Errors
/// Those of the change, of reading and of writing; the file is whole all the same.
pub fn update<T>(
    path: &Path,
    rules: &Rules,
    change: impl FnOnce(&mut Contexts) -> Result<T, ContextError>,
) -> Result<T, ContextError> {
    let failed = |source| ContextError::File { path: path.to_owned(), verb: "written", source };
    // A link stays one: some keep such files elsewhere.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let lock = File::open(dir).map_err(failed)?;
    // Where the file system has no locks, the last writer wins; the file is whole all the same.
    let _ = lock.lock();
    let earlier = text(path)?;
    let before = Contexts::parse(&earlier, path, rules)?;
    let mut after = before.clone();
    let done = change(&mut after)?;
    let later = rewritten(&earlier, &before, &after).map_err(failed)?;
    Contexts::parse(&later, path, rules)?;
    let staged = stage(&target, dir, &later).map_err(failed)?;
    staged.persist(&target).map_err(|error| failed(error.error))?;
    lock.sync_all().map_err(failed)?;
    Ok(done)
}

fn text(path: &Path) -> Result<String, ContextError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read.map_err(|source| ContextError::File { path: path.into(), verb: "read", source })?,
    };
    let fault = || vec![format!("{}: it is not UTF-8; save it as UTF-8", path.display())];
    String::from_utf8(bytes).map_err(|_| ContextError::Faults(fault()))
}

/// A file beside the target that is complete, on disk, and not yet in its place.
pub(super) fn stage(target: &Path, dir: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_prefix_in(".contexts-", dir)?;
    file.write_all(text.as_bytes())?;
    // A new one is for its owner only; an earlier one keeps its mode.
    if let Ok(earlier) = fs::metadata(target) {
        file.as_file().set_permissions(earlier.permissions())?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

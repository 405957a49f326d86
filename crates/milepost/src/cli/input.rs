//! Input from files: whole requests as JSON, and documents to be hashed.
//!
//! Invariant: a document is read once, in pieces; its size does not matter.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::output::progress;

const PIECE: usize = 256 * 1024;

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// If it cannot be read, or is no UTF-8.
pub async fn text(path: &Path) -> Result<String, Error> {
    let from = path.to_owned();
    let read = move || {
        if from == Path::new("-") {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(from)
        }
    };
    aside(read).await.map_err(Error::read(path))
}

/// The SHA-256 hash of a document.
///
/// # Errors
/// If it cannot be read.
pub async fn sha256(path: &Path) -> Result<Vec<u8>, Error> {
    let from = path.to_owned();
    let read = move || -> io::Result<Vec<u8>> {
        let mut file = File::open(from)?;
        let bar = progress::bytes("hashing", file.metadata()?.len());
        let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE]);
        loop {
            match file.read(&mut piece)? {
                0 => break,
                read => {
                    hasher.update(&piece[..read]);
                    bar.inc(read as u64);
                }
            }
        }
        bar.finish_and_clear();
        Ok(hasher.finalize().to_vec())
    };
    aside(read).await.map_err(Error::read(path))
}

/// Reads on another thread, so that an interruption is heard while it waits for input.
async fn aside<T: Send + 'static>(read: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_document_is_hashed_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "科学谷".repeat(100_000)).unwrap();
        let expected = Sha256::digest("科学谷".repeat(100_000).as_bytes()).to_vec();
        assert_eq!(sha256(file.path()).await.unwrap(), expected);
        assert!(matches!(sha256(Path::new("/nowhere")).await, Err(Error::Read { .. })));
    }
}

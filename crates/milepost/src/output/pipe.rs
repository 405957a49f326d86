//! Standard output as a pipe: whether its reader is still there, and what it has taken out.
//!
//! Invariant: a line counts as taken only once no byte of it is left in the pipe: what was written is not
//! what was read. What a reader does with what it took is not known here.

use std::io::Stdout;
use std::time::Duration;

use rustix::fs::FileType;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// After how long the pipe is looked at again where the system does not report that it moved: it could not be
/// made small.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Whoever reads standard output.
#[derive(Debug)]
pub struct Reader {
    /// None where the system does not report readers: standard output is a file.
    stdout: Option<AsyncFd<Stdout>>,
}

impl Reader {
    /// Looks at what standard output is.
    #[allow(
        deprecated,
        reason = "what it was deprecated for needs unsafe; standard output stays open, as that asks for"
    )]
    pub fn attach() -> Self {
        // Files have no readers to go away: registering them fails.
        Self { stdout: AsyncFd::with_interest(std::io::stdout(), Interest::ERROR | Interest::WRITABLE).ok() }
    }

    /// Whether what is written waits in a socket.
    pub fn is_socket(&self) -> bool {
        kind() == Ok(FileType::Socket)
    }

    /// Makes a pipe as small as it can be: it is writable again when it is empty, and the system says so.
    /// False if what is written cannot be watched while a reader takes it out: standard output is no pipe.
    pub fn narrow(&self) -> bool {
        let is_pipe = self.stdout.is_some() && kind() == Ok(FileType::Fifo);
        #[cfg(target_os = "linux")]
        if is_pipe {
            // Where it cannot be done, [`Reader::taken`] looks from time to time.
            let _ = rustix::pipe::fcntl_setpipe_size(std::io::stdout(), 1);
        }
        is_pipe
    }

    /// Waits until the reader has taken everything out of the pipe; false if it went away and left something.
    pub async fn taken(&self) -> bool {
        let Some(stdout) = &self.stdout else { return true };
        while !is_empty() {
            match tokio::time::timeout(LOOK_AGAIN, stdout.ready(Interest::ERROR | Interest::WRITABLE)).await {
                Ok(Ok(ready)) if ready.ready().is_error() => return is_empty(),
                // Forgotten before the pipe is looked at again, so that no later change is missed.
                Ok(Ok(mut ready)) => ready.clear_ready(),
                Ok(Err(_)) => return false,
                Err(_) => {}
            }
        }
        true
    }

    /// Waits until the reader goes away. Never returns where the system does not report that.
    ///
    /// Otherwise only a write would show it, and a quiet watch does not write.
    pub async fn gone(&self) {
        if let Some(stdout) = &self.stdout
            && stdout.ready(Interest::ERROR).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

/// What standard output is.
fn kind() -> rustix::io::Result<FileType> {
    rustix::fs::fstat(std::io::stdout()).map(|stat| FileType::from_raw_mode(stat.st_mode))
}

/// Whether nothing is left in the pipe. What cannot be asked counts as taken.
fn is_empty() -> bool {
    rustix::io::ioctl_fionread(std::io::stdout()).unwrap_or(0) == 0
}

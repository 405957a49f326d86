//! Processes of a system: started with their output in a file, measured for their memory, killed at the end.
//!
//! Invariant: the process is dead when its `Process` is dropped, and soon after this program is killed
//! if `setpriv` is installed.

use std::ffi::OsStr;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Error;

/// How long a system may take to answer after its start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running process and its children.
pub struct Process {
    child: Child,
    log: PathBuf,
    /// What ends it and its children at once.
    end: &'static str,
}

impl Process {
    /// Starts a program; `user` is who it runs as if we are root and it must not be. `end` is the signal
    /// that ends it at once, with its children.
    pub fn start<A: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
        user: Option<&str>,
        end: &'static str,
        log: &Path,
    ) -> Result<Self, Error> {
        let mut command = wrapped(program, user, Some(end));
        let out = File::options().create(true).append(true).open(log)?;
        command.args(args).stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Self { child, log: log.to_owned(), end })
    }

    /// Waits until `ready` returns true.
    pub async fn ready(&mut self, mut ready: impl AsyncFnMut() -> bool) -> Result<(), Error> {
        let started = Instant::now();
        while !ready().await {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("ended with {status}:\n{}", self.last_lines()).into());
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("did not answer in {PATIENCE:?}:\n{}", self.last_lines()).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// What it wrote.
    pub fn output(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Resident memory of the process and all below it, shared pages counted in proportion.
    pub fn memory_bytes(&self) -> u64 {
        family(self.child.id()).into_iter().filter_map(proportional_bytes).sum()
    }

    /// Asks it to end in order and waits for it.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.signal("TERM");
        let started = Instant::now();
        while self.child.try_wait()?.is_none() {
            if started.elapsed() > PATIENCE {
                return Err(format!("did not end in {PATIENCE:?}:\n{}", self.last_lines()).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn signal(&self, signal: &str) {
        // A process that is gone needs no signal.
        let _ = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
    }

    fn last_lines(&self) -> String {
        let output = self.output();
        let lines: Vec<_> = output.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal(self.end);
        let _ = self.child.wait();
    }
}

/// Runs a program to its end, as another user if we are root.
pub fn run<A: AsRef<OsStr>>(
    program: &Path,
    args: impl IntoIterator<Item = A>,
    user: Option<&str>,
) -> Result<String, Error> {
    let output = wrapped(program, user, None).args(args).stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}: {text}{said}", program.display(), output.status).into());
    }
    Ok(text)
}

/// Whether we are root, as whom some systems refuse to run.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A free port of loopback.
pub fn free_port() -> Result<u16, Error> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The bytes that the files below a directory take on disk.
pub fn disk_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let size = |path: PathBuf| match std::fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => disk_bytes(&path),
        Ok(found) => found.blocks() * 512,
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(|entry| size(entry.path())).sum()
}

fn wrapped(program: &Path, user: Option<&str>, end: Option<&str>) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    let user = user.filter(|_| is_root());
    if !setpriv.is_file() || (user.is_none() && end.is_none()) {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    if let Some(user) = user {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    if let Some(end) = end {
        command.args(["--pdeathsig", end]);
    }
    command.arg("--").arg(program);
    command
}

/// A process and all below it.
fn family(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        found.extend(
            children.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    found
}

fn proportional_bytes(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

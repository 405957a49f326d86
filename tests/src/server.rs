//! One server process: started, waited for, killed, stopped, asked.
//!
//! Invariant: the process is dead when its `Server` is dropped, or when this process is killed. Its
//! standard output and error go to a file, whose end is shown if the test fails.

use std::ffi::OsString;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::wait::{until, within};
use crate::{binary, http, log};

/// How long a server may take to be ready, or to end. Generous: machines are busy.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of the log that a failing test shows.
const SHOWN_LINES: usize = 40;

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Launch {
    /// What it serves: `all`, `registry`, `tracker` or `notifier`.
    pub role: &'static str,
    /// The address that serves gRPC; port 0 for any.
    pub listen: SocketAddr,
    /// The address of probes and metrics; port 0 for any.
    pub admin: SocketAddr,
    /// The directory of its journals and stores.
    pub data: PathBuf,
    /// Where standard output and error go; appended to.
    pub log: PathBuf,
    /// Configuration keys and values.
    pub set: Vec<(String, String)>,
    /// A program and its arguments that start the server, as `strace -D` does.
    pub wrapper: Vec<OsString>,
}

impl Launch {
    fn command(&self) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        if Path::new("/usr/bin/setpriv").exists() {
            words.extend(["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"].map(OsString::from));
        }
        words.extend(self.wrapper.iter().cloned());
        words.push(binary::milepost().into());
        words.extend(["serve", self.role].map(OsString::from));
        words.extend(["--listen".into(), self.listen.to_string().into()]);
        words.extend(["--admin-listen".into(), self.admin.to_string().into()]);
        words.extend(["--data-dir".into(), self.data.clone().into()]);
        for (key, value) in &self.set {
            words.extend(["--set".into(), format!("{key}={value}").into()]);
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_remove("RUST_BACKTRACE").env_remove("RUST_LOG");
        let out = File::options().create(true).append(true).open(&self.log).expect("a log file");
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a log file")).stderr(out);
        command.kill_on_drop(true);
        command
    }

    /// Starts the process and waits for nothing.
    ///
    /// # Panics
    /// If it cannot be started; a server that ends at once is no failure here.
    pub fn spawn(&self) -> Server {
        let skip = std::fs::metadata(&self.log).map_or(0, |file| file.len());
        let child = self.command().spawn().expect("the server can be started");
        let pid = child.id().and_then(|pid| Pid::from_raw(pid as i32)).expect("it was just started");
        Server { launch: self.clone(), child, pid, skip, addresses: None }
    }

    /// Starts a server and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    pub async fn start(&self) -> Server {
        let mut server = self.spawn();
        server.ready().await;
        server
    }
}

/// A server process.
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    child: Child,
    pid: Pid,
    /// Bytes in the log file before this process.
    skip: u64,
    addresses: Option<(SocketAddr, SocketAddr)>,
}

impl Server {
    /// The address that serves gRPC.
    ///
    /// # Panics
    /// Before it was `listening`; so for `admin`.
    pub fn grpc(&self) -> SocketAddr {
        self.addresses.expect("it is listening").0
    }

    /// The address of probes and metrics.
    pub fn admin(&self) -> SocketAddr {
        self.addresses.expect("it is listening").1
    }

    /// The URL that clients connect to.
    pub fn url(&self) -> String {
        format!("http://{}", self.grpc())
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get() as u32
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        log::read_from(&self.launch.log, self.skip)
    }

    /// Waits until it says which addresses it listens on.
    ///
    /// # Panics
    /// If it ends before, or takes too long.
    pub async fn listening(&mut self) {
        if self.addresses.is_some() {
            return;
        }
        let addresses = until(PATIENCE, "addresses in the log", async || {
            let log = self.log();
            if let Some(status) = self.child.try_wait().expect("its state can be asked") {
                panic!("the {} server ended with {status}:\n{log}", self.launch.role);
            }
            log::addresses(&log).ok_or(log)
        });
        self.addresses = Some(addresses.await);
    }

    /// Waits until it is ready for traffic.
    ///
    /// # Panics
    /// If it ends before, or takes too long.
    pub async fn ready(&mut self) {
        self.listening().await;
        let admin = self.admin();
        until(PATIENCE, "readiness", async || {
            if let Some(status) = self.child.try_wait().expect("its state can be asked") {
                panic!("the {} server ended with {status}:\n{}", self.launch.role, self.log());
            }
            match http::get(admin, "/readyz").await {
                Ok((200, _)) => Ok(()),
                Ok((_, body)) => Err(body),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// What `/readyz` says.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn readiness(&self) -> Value {
        let (_, body) = http::get(self.admin(), "/readyz").await.expect("the admin port answers");
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("this is no JSON: {body}"))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        // A process that has ended meanwhile is no fault of the test's.
        let _ = kill_process(self.pid, signal);
    }

    /// Ends it as a crash does, and waits until it is gone.
    ///
    /// # Panics
    /// If it does not go away.
    pub async fn kill(mut self) {
        self.signal(Signal::KILL);
        within(PATIENCE, "end of a killed process", self.child.wait()).await.expect("it can be waited for");
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Panics
    /// If it does not stop.
    pub async fn stop(self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// If it does not.
    pub async fn ended(mut self) -> ExitStatus {
        within(PATIENCE, "end of the server", self.child.wait()).await.expect("it can be waited for")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (role, path) = (self.launch.role, self.launch.log.display());
            eprintln!("--- the end of the {role} server's log ({path}):");
            eprintln!("{}---", log::last_lines(&self.log(), SHOWN_LINES));
        }
    }
}

//! Signals, in a process of their own: this test binary, started again.

use super::*;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const CHILD: &str = "host::tests::signals::child";

struct Process {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Process {
    fn start(behaviour: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", CHILD, "--ignored", "--nocapture"])
            .env("BEHAVIOUR", behaviour)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self { child, lines };
        process.wait_for("running");
        process
    }

    fn wait_for(&mut self, text: &str) {
        let line = self.lines.find(|line| line.as_ref().is_ok_and(|line| line.ends_with(text)));
        assert!(line.is_some(), "the process ended before it said {text:?}");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn exit_code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

/// Not a test: what the processes of the tests below do.
#[test]
#[allow(clippy::disallowed_methods, reason = "the parent looks at the exit code")]
#[ignore = "the process that the other tests here start"]
fn child() {
    let behaviour = std::env::var("BEHAVIOUR").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let code = runtime.block_on(async {
        let work = |stop: CancellationToken| async move {
            println!("\nrunning");
            stop.cancelled().await;
            println!("\nstopping");
            match behaviour.as_str() {
                "hang" => pending().await,
                // The work blocks its thread; signals are heard all the same.
                "block" => std::thread::park(),
                _ => {}
            }
            7
        };
        with_signals(work).await.unwrap()
    });
    std::process::exit(code);
}

#[test]
fn the_first_signal_asks_and_the_work_ends_by_itself() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut process = Process::start("");
        process.signal(signal);
        process.wait_for("stopping");
        assert_eq!(process.exit_code(), Some(7));
    }
}

#[test]
fn a_hangup_ends_nothing() {
    let mut process = Process::start("");
    process.signal(Signal::HUP);
    process.signal(Signal::TERM);
    process.wait_for("stopping");
    assert_eq!(process.exit_code(), Some(7));
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    for (behaviour, signal, code) in
        [("hang", Signal::TERM, 143), ("hang", Signal::INT, 130), ("block", Signal::INT, 130)]
    {
        let mut process = Process::start(behaviour);
        process.signal(Signal::TERM);
        process.wait_for("stopping");
        process.signal(signal);
        assert_eq!(process.exit_code(), Some(code), "{behaviour}");
    }
}

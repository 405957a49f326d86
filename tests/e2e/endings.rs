//! How commands end that cannot do what was asked: in silence where the reader left, else with one line that
//! says what is wrong and what to do, and never with a panic.

use std::process::Stdio;

use milepost_tests::cli::{Run, assert_no_panic, run_command};
use milepost_tests::demo::{self, shell};
use milepost_tests::{Cluster, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

async fn run(cluster: &Cluster, script: &str) -> Run {
    let run = run_command(shell(cluster, script)).await;
    assert_no_panic(&run.err);
    run
}

/// That a command failed with this exit code and one line of error that says this; a hint may follow.
#[track_caller]
fn assert_ending(line: &str, run: &Run, code: i32, says: &[&str]) {
    assert_eq!(run.code, Some(code), "{line}: {run:?}");
    let goes_with = |line: &&str| {
        // The usage, of a command line that is not understood.
        let beside = ["Usage: ", "For more information", "tip: "];
        line.is_empty() || beside.iter().any(|start| line.trim_start().starts_with(start))
    };
    let errors: Vec<&str> = run.err.lines().filter(|line| !goes_with(line)).collect();
    assert!(matches!(errors[..], [error] if error.starts_with("error: ")), "{line}: {}", run.err);
    for part in says {
        assert!(run.err.contains(part), "{line}: {part:?} is not said:\n{}", run.err);
    }
    for raw in ["os error", "h2 ", "hyper", "transport error", "Broken pipe", ".cursor-"] {
        assert!(!run.err.contains(raw), "{line}: {raw:?} is shown:\n{}", run.err);
    }
}

/// Commands of every kind that print.
const PRINTING: [&str; 10] = [
    "milepost event list",
    "milepost event list --format csv",
    "milepost milestone list western-science-city -",
    "milepost portfolio get western-science-city",
    "milepost ledger info",
    "milepost event watch --count 2",
    "milepost context list",
    "milepost completion bash",
    "milepost journal verify --data-dir data",
    "milepost demo --exit --port 0 --admin-port 0",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_left_is_no_error() {
    let cluster = demo::start().await;
    for line in PRINTING.into_iter().chain(["milepost --help", "milepost portfolio get none 2>&1"]) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = shell(&cluster, line);
        command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().expect("a shell");
        drop(command);
        let ended = within(PATIENCE, line, child.wait_with_output()).await.expect("it ends");
        let code = if line.contains("none") { 3 } else { 0 };
        assert_eq!((ended.status.code(), ended.stderr), (Some(code), Vec::new()), "{line}");
    }
    // A reader that takes one line.
    for list in ["event list", "milestone list western-science-city -"] {
        let script = format!("{{ milepost {list}; echo $? >code; }} | head -1");
        let run = run(&cluster, &script).await.succeeded();
        assert_eq!(run.out.lines().count(), 1, "{run:?}");
        assert!(!run.err.contains("error"), "{run:?}");
        let code = std::fs::read_to_string(cluster.dir().join("code")).expect("an exit code");
        assert_eq!(code.trim(), "0", "{list}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standard_output_that_is_closed_is_no_error_and_one_that_is_full_is() {
    let cluster = demo::start().await;
    for line in PRINTING {
        let closed = run(&cluster, &format!("{line} >&-")).await;
        assert!(closed.code == Some(0) && !closed.err.contains("error"), "{line}: {closed:?}");
        let full = run(&cluster, &format!("{line} >/dev/full")).await;
        assert_ending(line, &full, 1, &["standard output cannot be written: No space left on device"]);
    }
    let silent = run(&cluster, "milepost portfolio get none 2>&-").await;
    assert_eq!((silent.code, silent.out.as_str(), silent.err.as_str()), (Some(3), "", ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_wrongly_says_what_to_give() {
    let cluster = demo::start().await;
    std::fs::write(cluster.dir().join("broken.toml"), "[contexts\n").expect("a file");
    for (line, code, says) in [
        (
            "milepost portfolio list --endpoint ftp://localhost",
            2,
            ["ftp://localhost", "write http://host:port"],
        ),
        (
            "milepost portfolio list --endpoint localhost:7400",
            2,
            ["localhost:7400", "write http://host:port"],
        ),
        (
            "milepost portfolio list --endpoint https://",
            2,
            ["https://", "write http://host:port or https://host:port"],
        ),
        (
            "milepost portfolio list --endpoint registry=http://a:1",
            2,
            ["tracker is missing", "give all three"],
        ),
        ("milepost portfolio list --context nowhere", 3, ["no context \"nowhere\"", "milepost context set"]),
        ("milepost portfolio list --limit many", 2, ["many", "--limit"]),
        ("milepost portfolio lst", 2, ["lst", "'list'"]),
        (
            "milepost event watch --count 1 --cursor-file missing/cursor",
            1,
            ["missing/cursor cannot be written: No such file", "give --cursor-file a file in a directory"],
        ),
        (
            "milepost event watch --count 1 --cursor-file /proc/version-cursor",
            1,
            ["/proc/version-cursor cannot be written", "give --cursor-file a file in a directory"],
        ),
        ("milepost event watch --count 1 --cursor-file data", 2, ["data cannot be read", "Is a directory"]),
        (
            "milepost event watch --count 1 --cursor-file /dev/zero",
            2,
            ["no regular file", "another --cursor-file"],
        ),
        (
            "milepost project create western-science-city x --from-file /dev/zero",
            2,
            ["/dev/zero cannot be read", "67108864 bytes"],
        ),
        ("milepost journal verify --data-dir missing", 1, ["missing holds no ledger", "--data-dir"]),
    ] {
        let run = run(&cluster, line).await;
        assert_ending(line, &run, code, &says);
        assert_eq!(run.out, "", "{line}: nothing is printed before");
    }
    for (file, says) in [("broken.toml", "broken.toml:1:"), (".", ".:1:1: it cannot be read: Is a directory")]
    {
        let faults = run(&cluster, &format!("MILEPOST_CONTEXTS={file} milepost portfolio list")).await;
        assert_eq!(faults.code, Some(64), "{faults:?}");
        assert!(faults.err.contains(says) && faults.err.starts_with("error: 1 fault"), "{faults:?}");
    }
}

/// Something that answers every connection at once, as a web server does.
async fn web_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    format!("http://{address}")
}

/// A server that knows none of our calls, as one of an earlier version would not know the latest.
async fn old_server() -> String {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = incoming.local_addr().expect("an address");
    tokio::spawn(Server::builder().add_routes(Routes::default()).serve_with_incoming(incoming));
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_listens_elsewhere_is_named_as_what_it_may_be() {
    let cluster = demo::start().await;
    let (web, old) = (web_server().await, old_server().await);
    // One of each service. A watch goes on trying, so that it survives a restart of the server.
    for command in ["portfolio list", "milestone get a b c", "event list"] {
        let line = format!("milepost {command} --timeout 500ms --endpoint http://127.0.0.1:1");
        let nothing = run(&cluster, &line).await;
        assert_ending(&line, &nothing, 6, &["nothing listens there", "milepost serve all", "--endpoint"]);

        let line = format!("milepost {command} --timeout 500ms --endpoint {web}");
        let other = run(&cluster, &line).await;
        assert_ending(&line, &other, 6, &["endpoint"]);
    }
    for command in ["portfolio list", "milestone get a b c", "event list", "event watch --count 1"] {
        let line = format!("milepost {command} --endpoint {old}");
        let older = run(&cluster, &line).await;
        assert_ending(
            &line,
            &older,
            1,
            &["it is older than this client", "upgraded", "milepost ledger info"],
        );
        assert_eq!(older.out, "", "{line}");
    }
}

//! What shells get when they ask the program to complete a line: names from the server that the line is for, soon, and
//! nothing where there is none.

use std::time::{Duration, Instant};

use milepost_tests::cli::{Run, run_command};
use milepost_tests::demo::{self, shell};
use milepost_tests::{Cluster, Role, binary};
use milepost_types::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::process::Command;

/// A line as bash asks for it; its last word is completed.
fn bash(line: &str) -> Command {
    let words: Vec<&str> = line.split(' ').collect();
    let mut command = Command::new(binary::milepost());
    command.arg("--").args(&words).env("COMPLETE", "bash");
    command.env("_CLAP_IFS", "\u{b}").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    // What the user of the machine has set is not for here.
    for name in ["ENDPOINT", "PORTFOLIO", "FORMAT", "PRINCIPAL", "CONTEXT"] {
        command.env_remove(format!("MILEPOST_{name}"));
    }
    command.env("MILEPOST_CONTEXTS", "/nowhere/contexts.toml");
    command
}

async fn candidates(command: Command) -> Vec<String> {
    let Run { code, out, err } = run_command(command).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    out.split('\u{b}').filter(|candidate| !candidate.is_empty()).map(str::to_owned).collect()
}

async fn at(cluster: &Cluster, line: &str) -> Vec<String> {
    let mut command = bash(line);
    command.env("MILEPOST_ENDPOINT", cluster.server(Role::All).url());
    candidates(command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_words_are_completed_at_every_position() {
    let cluster = demo::start().await;
    let (sciences, projects) = (
        ["science-avenue", "science-city-tunnel", "science-valley"],
        "portfolios/western-science-city/projects/",
    );
    let full: Vec<String> = sciences.iter().map(|id| format!("{projects}{id}")).collect();
    let full: Vec<&str> = full.iter().map(String::as_str).collect();
    let ends = SystemClock.now() + Duration::from_secs(24 * 3600);
    let grant = "--grant-principal serviceaccount:portal --role viewer --reason x";
    for line in [
        "service-account create portal --display-name 门户".to_owned(),
        format!("api-token create portal-1 --service-account portal --expire-time {ends}"),
        format!("grant create everywhere {grant}"),
        format!("grant create western-science-city viewers {grant}"),
        format!("grant create western-science-city science-avenue reporters {grant}"),
    ] {
        run_command(shell(&cluster, &format!("milepost {line}"))).await.succeeded();
    }
    for (line, expected) in [
        ("project get ", &["western-science-city"][..]),
        ("project get western-science-city sc", &sciences),
        ("project list ", &["western-science-city"]),
        ("project create ", &["western-science-city"]),
        ("project create western-science-city sc", &[]),
        ("project get western-science-city/science-v", &["western-science-city/science-valley"]),
        ("project get portfolios/western-science-city/projects/science-", &full),
        ("milestone get western-science-city science-avenue ", &["construction-start"]),
        ("milestone get western-science-city/science-v", &["western-science-city/science-valley/"]),
        ("milestone get western-science-city - construction-s", &["construction-start"]),
        ("milestone create western-science-city science-avenue x --owner ch", &["chongqing-university"]),
        ("project create western-science-city x --parent-project sc", &sciences),
        ("batch create western-science-city x --member sc", &sciences),
        ("batch add-members western-science-city start-2021-05-27 --member sc", &sciences),
        ("project batch-get western-science-city --project sc", &sciences),
        ("batch start western-science-city start-2020-09", &["start-2020-09-11"]),
        ("project undelete western-science-city ", &[]),
        ("service-account get po", &["portal"]),
        ("service-account get serviceAccounts/", &["serviceAccounts/portal"]),
        ("api-token delete ", &["portal-1"]),
        ("api-token create x --service-account ", &["portal"]),
        ("grant get ev", &["everywhere"]),
        ("grant get grants/", &["grants/everywhere"]),
        ("grant get western-science-city vi", &["viewers"]),
        ("grant delete western-science-city science-avenue re", &["reporters"]),
        ("grant list western-science-city science-a", &["science-avenue"]),
        ("event list --resource organizations/ch", &["organizations/chongqing-university"]),
        ("event watch --resource portfolios/western-science-city/projects/science-", &full),
        ("project create western-science-city x --level n", &["national"]),
        ("milestone list --columns name,baseline", &["name,baseline_date"]),
        ("milestone list --order-by ", &["name", "forecast_date"]),
        ("project get western-science-city science-avenue ", &[]),
    ] {
        assert_eq!(at(&cluster, &format!("milepost {line}")).await, expected, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn descriptions_are_display_names() {
    let cluster = demo::start().await;
    let mut command = bash("milepost project get western-science-city science-a");
    command.env("COMPLETE", "zsh").env("MILEPOST_ENDPOINT", cluster.server(Role::All).url());
    let out = run_command(command).await.succeeded().out;
    assert_eq!(out, "science-avenue:科学大道");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_and_the_defaults_are_those_of_the_line_the_environment_and_the_context() {
    let cluster = demo::start().await;
    let (url, dead) = (cluster.server(Role::All).url(), "http://127.0.0.1:1");
    let contexts = cluster.dir().join("contexts.toml");
    let text = format!(
        "current = \"dead\"\n[contexts.dead]\nendpoint = \"{dead}\"\n[contexts.office]\nendpoint = \"{url}\"\n\
         portfolio = \"western-science-city\"\n"
    );
    std::fs::write(&contexts, text).expect("it is written");
    let asked = async |line: &str, variables: &[(&str, &str)]| {
        let mut command = bash(&format!("milepost {line}"));
        command.env("MILEPOST_CONTEXTS", &contexts).envs(variables.iter().copied());
        candidates(command).await
    };
    let city = ["western-science-city"];
    // As bash breaks it.
    let broken = url.replace(':', " : ");
    for line in [
        format!("project get -e {url} w"),
        format!("-e {url} project get w"),
        format!("--endpoint={url} project get w"),
        format!("-e {broken} project get w"),
        "--context office project list w".to_owned(),
        format!("-e {url} project list -p w"),
    ] {
        assert_eq!(asked(&line, &[]).await, city, "{line}");
    }
    assert_eq!(asked("project list w", &[("MILEPOST_ENDPOINT", &url)]).await, city);
    assert_eq!(asked("project list w", &[("MILEPOST_CONTEXT", "office")]).await, city);
    assert!(asked("project list w", &[]).await.is_empty(), "the current context is of no server");
    // With a default portfolio, its id may be left out.
    assert_eq!(asked("--context office project get science-v", &[]).await, ["science-valley"]);
    assert_eq!(asked("--context office milestone get science-avenue c", &[]).await, ["construction-start"]);
    assert_eq!(
        asked(&format!("-e {url} -p western-science-city project get science-v"), &[]).await,
        ["science-valley"]
    );
    for line in ["project get --context ", "context use ", "context show "] {
        assert_eq!(asked(line, &[]).await, ["dead", "office"], "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_there_is_nothing_and_soon() {
    // It takes connections, but never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    for endpoint in ["http://127.0.0.1:1", "http://nowhere.invalid:7400", "no URL", &silent] {
        let mut command = bash("milepost project get ");
        command.env("MILEPOST_ENDPOINT", endpoint);
        let begun = Instant::now();
        assert!(candidates(command).await.is_empty(), "{endpoint}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{endpoint}: {:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_variable_of_the_scripts_does_not_change_other_commands() {
    for shell in ["bash", "tcsh", "1"] {
        let mut command = Command::new(binary::milepost());
        command.arg("--version").env("COMPLETE", shell);
        let out = run_command(command).await.succeeded().out;
        assert!(out.starts_with("milepost "), "{shell}: {out}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bash_with_the_script_completes_in_its_own_words() {
    let cluster = demo::start().await;
    let ask = r#"
        source <(milepost completion bash)
        complete -p milepost
        ask() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _clap_complete_milepost milepost "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '<%s>' "${COMPREPLY[@]}"; echo
        }
        ask milepost project get western-science-city science-
        ask milepost -e http : "${MILEPOST_ENDPOINT#http:}" project get w
        ask milepost mile
        ask milepost -e http://127.0.0.1:1 project get ''
    "#;
    let mut command = shell(&cluster, "exec bash --norc --noprofile -c \"$ASK\"");
    command.env("ASK", ask);
    let run = run_command(command).await.succeeded();
    assert_eq!(run.err, "");
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines[0].contains("-F _clap_complete_milepost milepost"), "{lines:?}");
    let expected = [
        "<science-avenue><science-city-tunnel><science-valley>",
        "<western-science-city>",
        "<milestone>",
        "<>",
    ];
    assert_eq!(lines[1..], expected);
}

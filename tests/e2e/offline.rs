//! The operators' commands on the files of a stopped server: what they do, and what they print for people and
//! for programs, of good ledgers and of damaged ones; and how every command prints its errors for programs.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use milepost_tests::cli::{self, Run};
use milepost_tests::command::{Command, create_milestone, create_portfolio, create_project};
use milepost_tests::files::{frames, segments};
use milepost_tests::{Cluster, Role, binary, history};
use milepost_types::LedgerKind;
use serde_json::{Value, json};

/// The data of an office with a project and a milestone, stopped in order.
async fn stopped() -> (Cluster, PathBuf) {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    Command::CreateProject(Box::new(create_project("p", "x"))).once(&client).await.expect("a project");
    let milestone = create_milestone("portfolios/p/projects/x", "m");
    Command::CreateMilestone(Box::new(milestone)).once(&client).await.expect("a milestone");
    history::settled(&client).await;
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let data = cluster.data(Role::All);
    (cluster, data)
}

async fn operate(words: &str, data: &Path, file: Option<&Path>) -> Run {
    let mut command = tokio::process::Command::new(binary::milepost());
    command.args(words.split(' ')).arg("--data-dir").arg(data).args(file);
    cli::run_command(command).await
}

/// What is on standard output: objects, one a line, each with its numbers as texts.
#[track_caller]
fn objects(run: &Run) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let objects: Vec<Value> = run.out.lines().map(parse).collect();
    objects.iter().for_each(assert_without_numbers);
    objects
}

#[track_caller]
fn assert_without_numbers(value: &Value) {
    match value {
        Value::Number(number) => panic!("{number} is no text"),
        Value::Array(values) => values.iter().for_each(assert_without_numbers),
        Value::Object(fields) => fields.values().for_each(assert_without_numbers),
        _ => {}
    }
}

/// The error of a run that failed: it is the one line of standard error.
#[track_caller]
fn error(run: &Run, code: i32) -> Value {
    assert_eq!((run.code, run.err.lines().count()), (Some(code), 1), "{run:?}");
    let mut object: Value = serde_json::from_str(&run.err).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    assert_eq!(object["error"]["exitCode"], code, "{run:?}");
    object["error"].take()
}

fn sequence(position: &Value) -> u64 {
    position["sequence"].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{position}"))
}

/// Changes a bit in the body of the first entry, and says in which segment and frame.
fn spoil(data: &Path, ledger: &str) -> Value {
    let segment = segments(data, ledger)[0].clone();
    let mut bytes = std::fs::read(&segment).expect("a segment");
    let frame = frames(&bytes)[0];
    bytes[frame.offset + 70] ^= 1;
    std::fs::write(&segment, bytes).expect("a segment is written");
    json!({ "segment": segment, "offset": frame.offset.to_string(), "sequence": frame.sequence.to_string() })
}

#[track_caller]
fn assert_damage(fault: &Value, place: &Value) {
    assert_eq!(fault["reason"], "DAMAGED", "{fault}");
    for key in ["segment", "offset", "sequence"] {
        assert_eq!(fault["metadata"][key], place[key], "{fault}");
    }
    assert!(fault["metadata"]["damage"].as_str().is_some_and(|what| !what.is_empty()), "{fault}");
    assert!(fault["message"].as_str().is_some_and(|said| said.contains("at byte")), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_good_ledgers_programs_read_all_that_people_do() {
    let (cluster, data) = stopped().await;
    let said = operate("journal verify", &data, None).await.succeeded();
    let verified = objects(&operate("journal verify -o json", &data, None).await.succeeded());
    assert_eq!(verified.len(), 3);
    for (object, ledger) in verified.iter().zip(LedgerKind::ALL) {
        assert_eq!((&object["ledger"], &object["ok"]), (&json!(ledger.as_str()), &json!(true)));
        let text = |key: &str| object[key].as_str().unwrap_or_else(|| panic!("{key}: {object}")).to_owned();
        let line = format!(
            "{ledger}: {} entries, {} bytes in {} segments, chain unbroken to {}/{}@",
            text("entries"),
            text("bytes"),
            text("segments"),
            object["tail"]["logId"].as_str().unwrap_or_default(),
            sequence(&object["tail"]),
        );
        assert!(said.out.contains(&line), "{line}: {}", said.out);
        assert_eq!(text("name"), ledger.as_str());
        assert_eq!((&object["lineage"], &object["torn"]), (&json!([]), &Value::Null));
    }
    // Before the command it means the same.
    let before = operate("--format json journal verify --ledger tracker", &data, None).await.succeeded();
    assert_eq!(objects(&before), verified[1..2]);

    let checked = objects(&operate("store check -o json", &data, None).await.succeeded());
    let rebuilt = objects(&operate("store rebuild -o json", &data, None).await.succeeded());
    assert_eq!(checked, rebuilt, "a store is not what its journal makes of it");
    for (store, journal) in checked.iter().zip(&verified) {
        assert_eq!((&store["position"], &store["empty"]), (&journal["tail"], &json!(false)));
        assert!(store["rows"].as_str().is_some_and(|rows| rows.parse::<u64>().is_ok_and(|rows| rows > 0)));
        assert_eq!(store["digest"].as_str().map(str::len), Some(32), "{store}");
    }

    let (file, restored) = (cluster.dir().join("科学城.export"), cluster.dir().join("restored"));
    let exported = operate("journal export --ledger registry -o json", &data, Some(&file)).await.succeeded();
    let [exported] = &objects(&exported)[..] else { panic!("{exported:?}") };
    assert_eq!((&exported["tail"], &exported["file"]), (&verified[0]["tail"], &json!(file)));
    assert_eq!(exported["entries"], verified[0]["entries"]);
    let length = std::fs::metadata(&file).expect("a file").len();
    assert_eq!(exported["bytes"], length.to_string());
    let imported =
        operate("journal import --ledger registry -o json", &restored, Some(&file)).await.succeeded();
    let [imported] = &objects(&imported)[..] else { panic!("{imported:?}") };
    assert_eq!(
        (&imported["lineage"], &imported["name"]),
        (&json!([verified[0]["tail"]]), &json!("registry"))
    );
    assert_ne!(imported["tail"]["logId"], verified[0]["tail"]["logId"]);
    assert_eq!(imported["tail"]["sequence"], verified[0]["tail"]["sequence"]);
    let empty = objects(&operate("store check -o json", &restored, None).await.succeeded());
    assert_eq!(empty, [json!({ "ledger": "registry", "ok": true, "empty": true })]);

    let back = "follower reset --follower tracker --source registry --sequence 1 --reason again -o json";
    let changed = objects(&operate(back, &data, None).await.succeeded());
    let again = objects(&operate(back, &data, None).await.succeeded());
    for (reset, is_new) in [(&changed[0], true), (&again[0], false)] {
        assert_eq!((&reset["ledger"], &reset["source"]), (&json!("tracker"), &json!("registry")));
        assert_eq!((sequence(&reset["after"]), &reset["changed"]), (1, &json!(is_new)), "{reset}");
        assert_eq!(reset["entry"].is_null(), !is_new, "{reset}");
    }
    assert_eq!(sequence(&changed[0]["entry"]), sequence(&verified[1]["tail"]) + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_ledger_is_data_for_programs_and_keeps_no_other_from_being_looked_at() {
    let (cluster, data) = stopped().await;
    let (whole, file) = (cluster.dir().join("whole.export"), cluster.dir().join("registry.export"));
    operate("journal export --ledger registry", &data, Some(&whole)).await.succeeded();
    let place = spoil(&data, "registry");
    for words in ["journal verify", "store rebuild"] {
        let run = operate(&format!("{words} -o json"), &data, None).await.failed();
        let found = objects(&run);
        let ok: Vec<_> = found.iter().map(|object| object["ok"].clone()).collect();
        assert_eq!(ok, [false, true, true], "{words}: {run:?}");
        assert_damage(&found[0]["fault"], &place);
        assert_eq!(error(&run, 1)["message"], "1 of 3 ledgers failed: registry", "{words}");

        let run = operate(words, &data, None).await.failed();
        assert_eq!(run.code, Some(1));
        assert!(run.err.starts_with("error: registry: ") && run.out.contains("\nnotifier: "), "{run:?}");
        assert!(run.err.ends_with("error: 1 of 3 ledgers failed: registry\n"), "{run:?}");
    }
    let export = operate("journal export --ledger registry -o json", &data, Some(&file)).await.failed();
    assert_damage(&error(&export, 1), &place);
    assert!(export.out.is_empty() && !file.exists(), "a half export is left: {export:?}");
    let reset = "follower reset --follower tracker --source registry --sequence 1 --reason again -o json";
    let reset = operate(reset, &data, None).await.failed();
    assert_damage(&error(&reset, 1), &place);
    assert!(reset.out.is_empty(), "{reset:?}");

    std::fs::write(data.join("tracker/store/conf"), "segment_size: 52428").expect("a store is overwritten");
    let check = operate("store check --ledger tracker -o json", &data, None).await.failed();
    let fault = &objects(&check)[0]["fault"];
    let store = json!(data.join("tracker/store"));
    assert_eq!((&fault["reason"], &fault["metadata"]["directory"]), (&json!("DAMAGED"), &store), "{check:?}");
    assert_eq!(error(&check, 1)["message"], "1 of 1 ledgers failed: tracker");

    let restored = cluster.dir().join("restored");
    let import = operate("journal import --ledger tracker -o json", &restored, Some(&whole)).await.failed();
    let other = error(&import, 1);
    assert_eq!(
        (&other["reason"], &other["metadata"]),
        (&json!("OTHER_LEDGER"), &json!({"found": "registry"}))
    );
    let mut bytes = std::fs::read(&whole).expect("an export");
    bytes.truncate(bytes.len() - 1);
    std::fs::write(&whole, bytes).expect("an export is cut");
    let import = operate("journal import --ledger registry -o json", &restored, Some(&whole)).await.failed();
    let cut = error(&import, 1);
    assert_eq!(cut["reason"], "DAMAGED", "{cut}");
    assert!(cut["metadata"]["offset"].is_string() && import.out.is_empty(), "{import:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_operators_write_is_its_owners_alone_and_where_they_look_is_named() {
    let (cluster, data) = stopped().await;
    let (file, restored) = (cluster.dir().join("registry.export"), cluster.dir().join("restored"));
    operate("journal export --ledger registry", &data, Some(&file)).await.succeeded();
    operate("journal import --ledger registry", &restored, Some(&file)).await.succeeded();
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    for dir in [restored.clone(), restored.join("registry"), restored.join("registry/journal")] {
        assert_eq!(mode(&dir), 0o700, "{}", dir.display());
    }
    // A data directory that cannot be looked into is not one without ledgers.
    let said = operate("journal verify", &file, None).await.failed().err;
    assert!(said.contains(&file.display().to_string()) && !said.contains("holds no ledger"), "{said}");
    let said = operate("journal verify", &restored.join("registry"), None).await.failed().err;
    assert!(said.contains("holds no ledger") && said.contains("--data-dir"), "{said}");
    // A store that cannot be copied says where to, and what to do.
    let said = operate("store check --scratch /nowhere", &data, None).await.failed().err;
    assert!(said.contains("/nowhere") && said.contains("--scratch"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_of_every_command_are_one_line_of_json_where_json_was_asked_for() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let url = cluster.server(Role::All).url();
    let run = async |words: &str| {
        let run = cli::run(words.split(' ')).await.failed();
        assert!(run.out.is_empty(), "{words}: {run:?}");
        run
    };
    let missing = run(&format!("--endpoint {url} portfolio get 科学城 --format json")).await;
    assert_eq!(error(&missing, 4)["code"], "INVALID_ARGUMENT", "{missing:?}");
    let missing = error(&run(&format!("--format json --endpoint {url} portfolio get none")).await, 3);
    assert_eq!(missing["code"], "NOT_FOUND", "{missing}");
    assert!(missing["reason"].is_string() && missing["hint"].is_string(), "{missing}");
    let filter = format!("--endpoint {url} project list none --filter nonsense=1 --format json");
    let filter = error(&run(&filter).await, 4);
    assert_eq!(filter["violations"][0]["field"], "filter", "{filter}");
    // What was said last counts.
    let text = run(&format!("--endpoint {url} --format json portfolio get none --format table")).await;
    assert!(text.err.starts_with("error: "), "{text:?}");
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let gone = format!("--endpoint {url} --timeout 500ms portfolio list --format json");
    let gone = run(&gone).await;
    let last: Value = serde_json::from_str(gone.err.lines().last().unwrap_or_default()).expect("JSON");
    assert_eq!((gone.code, &last["error"]["exitCode"]), (Some(6), &json!(6)), "{gone:?}");
    let faults = error(&run("--format json serve all --listen nowhere --set lisen=1").await, 64);
    assert_eq!(faults["violations"].as_array().map(Vec::len), Some(2), "{faults}");
}

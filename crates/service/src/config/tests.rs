//! The layers together: precedence, every fault at once, and the printed form read back.

use super::server::Server;
use super::*;
use crate::section;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// A service's own keys.
    struct Tracker {
        /// Where the registry is.
        pub registry_url: String = "http://127.0.0.1:7401".to_owned(),
        /// Names to try.
        pub names: Vec<String> = vec!["甲".to_owned(), "b \"quoted\"".to_owned()],
        /// Whether to.
        pub enabled: bool = true,
        /// At most this many, if at all.
        pub most: Option<u32> = None,
    }
}

impl Rules for Tracker {}

section! {
    /// A whole process.
    struct Process {
        /// Not shown: flat.
        pub server: Flat<Server> = Flat::default(),
        /// The tracker.
        pub tracker: Tracker = Tracker::default(),
    }
}

impl Rules for Process {}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("milepost.toml");
    std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    (directory, path)
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn flag(flag: &str, key: &str, value: &str) -> Flag {
    Flag { flag: flag.to_owned(), key: key.to_owned(), value: value.to_owned() }
}

#[test]
fn later_layers_win_and_say_where_they_came_from() {
    let (_directory, path) = file(
        "listen = '127.0.0.1:1'\ndata_dir = 'a'\n[journal]\nsegment_bytes = '128MiB'\n[ledger]\nqueue_bound = 7\nmax_entry_bytes = 33_554_432\n",
    );
    let layers = Layers {
        file: Some(path.clone()),
        environment: environment(&[
            ("MILEPOST_DATA_DIR", "b"),
            ("MILEPOST_JOURNAL__SEGMENT_BYTES", "256MiB"),
            ("MILEPOST_TRACKER__NAMES", "x, y"),
            ("MILEPOST_TRACKER__MOST", "4"),
            ("OTHER_LISTEN", "nonsense"),
        ]),
        not_configuration: vec![],
        flags: vec![flag("--data-dir", "data_dir", "c")],
    };
    let loaded = layers.load(Process::default()).unwrap();
    let config = &loaded.config;
    assert_eq!(config.server.listen.port(), 1);
    assert_eq!(config.server.data_dir, PathBuf::from("c"));
    assert_eq!(config.server.journal.segment_bytes, ByteSize::mib(256));
    assert_eq!(config.server.ledger.queue_bound, 7);
    assert_eq!(config.server.ledger.max_entry_bytes, ByteSize::mib(32));
    assert_eq!(config.tracker.names, ["x", "y"]);
    assert_eq!(config.tracker.most, Some(4));
    assert_eq!(loaded.source("ledger.queue_bound"), &Source::File { path, line: 6, column: 1 });
    assert_eq!(loaded.source("data_dir"), &Source::Flag("--data-dir".to_owned()));
    assert_eq!(
        loaded.source("journal.segment_bytes"),
        &Source::Environment("MILEPOST_JOURNAL__SEGMENT_BYTES".to_owned())
    );
    assert_eq!(loaded.source("log.format"), &Source::Default);
}

#[test]
fn every_fault_of_every_layer_is_reported_at_once() {
    let (_directory, path) = file(concat!(
        "lisen = '127.0.0.1:1'\n",
        "listen = 'somewhere'\n",
        "log = 'info'\n",
        "[journal]\n",
        "segment_bytes = '1KiB'\n",
        "  segment_byte = 1\n",
        "[journals]\n",
        "a = 1\n",
        "b = 2\n",
        "[ledger]\n",
        "queue_bound = -1\n",
        "request_id_window = 300\n",
        "max_entry_bytes = '8MiB'\n",
    ));
    let layers = Layers {
        file: Some(path.clone()),
        environment: environment(&[
            ("MILEPOST_LOG__FORMAT", "xml"),
            ("MILEPOST_LOGFORMAT", "json"),
            ("MILEPOST_LEDGER__QUEUE_BOUND", "10"),
            ("MILEPOST_TRACKER__ENABLED", "yes"),
        ]),
        not_configuration: vec![],
        flags: vec![
            flag("--set journal", "journal", "x"),
            flag("--set limits.max_calls", "limits.max_calls", "0"),
            flag("--set log.filter", "log.filter", "milepost=loud"),
        ],
    };
    let Faults(faults) = layers.load(Process::default()).unwrap_err();
    let name = path.display().to_string();
    let shown: Vec<String> = faults.iter().map(|fault| fault.to_string().replace(&name, "FILE")).collect();
    let expected = [
        "FILE:1:1: lisen: there is no such key; did you mean listen?",
        "FILE:2:1: listen: \"somewhere\" is not an address",
        "FILE:3:1: log: is a section, so it must be a table",
        "FILE:5:1: journal.segment_bytes: 1KiB is not between 1MiB and 4GiB",
        "FILE:6:3: journal.segment_byte: there is no such key; did you mean journal.segment_bytes?",
        "FILE:7:2: journals: there is no such key; did you mean journal?",
        "FILE:11:1: ledger.queue_bound: -1 is not a whole number",
        "FILE:12:1: ledger.request_id_window: 300 is not a duration with its unit",
        "FILE:13:1: ledger.max_entry_bytes: 8MiB is not between 16MiB and 256MiB",
        "MILEPOST_LOG__FORMAT: log.format: must be one of \"human\", \"json\"",
        "MILEPOST_LOGFORMAT: there is no such variable; did you mean MILEPOST_LOG__FORMAT?",
        "MILEPOST_TRACKER__ENABLED: tracker.enabled: \"yes\" is neither true nor false",
        "--set journal: journal: is a section; name one of its keys",
        "--set limits.max_calls: limits.max_calls: 0 is not between 1 and 1000000",
        "--set log.filter: log.filter: \"milepost=loud\" is not a filter",
    ];
    for expected in expected {
        assert_eq!(
            shown.iter().filter(|fault| fault.starts_with(expected)).count(),
            1,
            "{expected} in {shown:#?}"
        );
    }
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
}

#[test]
fn syntax_errors_name_line_and_column_and_hide_no_other_fault() {
    let (_directory, path) = file("listen = \ndata_dir = 'a' 'b'\ncolour = 1\n");
    let layers = Layers { file: Some(path), ..Layers::default() };
    let shown = layers.load(Process::default()).unwrap_err().to_string();
    for expected in [".toml:1:", ".toml:2:", "colour: there is no such key"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault() {
    let layers = Layers { file: Some(PathBuf::from("/nowhere/milepost.toml")), ..Layers::default() };
    let shown = layers.load(Process::default()).unwrap_err().to_string();
    assert!(shown.starts_with("1 fault in the configuration"), "{shown}");
    assert!(shown.contains("/nowhere/milepost.toml:1:1: cannot read the file"), "{shown}");
}

#[test]
fn what_is_printed_reads_back_as_the_same() {
    let layers = Layers {
        environment: environment(&[("MILEPOST_TRACKER__MOST", "9"), ("MILEPOST_ADMIN_LISTEN", "none")]),
        flags: vec![
            flag("--set", "ledger.request_id_window", "1ms"),
            flag("--data-dir", "data_dir", "dir \"q\" \\ 科学"),
        ],
        ..Layers::default()
    };
    let first = layers.load(Process::default()).unwrap();
    let printed = first.print();
    let (_directory, path) = file(&printed);
    let second = Layers { file: Some(path), ..Layers::default() }.load(Process::default()).unwrap();
    assert_eq!(second.config, first.config, "{printed}");
    assert_eq!(first.config.tracker.most, Some(9));
    assert_eq!(first.config.server.admin_listen, None);
}

#[test]
fn what_is_printed_is_the_reference_and_names_sources() {
    let layers = Layers {
        environment: environment(&[("MILEPOST_JOURNAL__SEGMENT_BYTES", "1GiB")]),
        ..Layers::default()
    };
    let printed = layers.load(Process::default()).unwrap().print();
    for expected in [
        "# The size of one segment file, which is allocated at once.\n# From MILEPOST_JOURNAL__SEGMENT_BYTES.\nsegment_bytes = \"1GiB\"\n",
        "# How long a request id is remembered.\nrequest_id_window = \"1d\"\n",
        "# The tracker.\n[tracker]\n",
        "most = \"none\"\n",
    ] {
        assert!(printed.contains(expected), "{expected} in\n{printed}");
    }
    assert!(!printed.contains("Not shown"), "{printed}");
    assert!(reference::<Process>().contains("segment_bytes = \"64MiB\""));
}

#[test]
fn every_key_has_a_doc_comment_and_a_default_that_keeps_the_rules() {
    let loaded = Layers::default().load(Process::default()).unwrap();
    let printed = loaded.print();
    let mut before = "";
    for line in printed.lines() {
        if line.contains(" = ") && !line.starts_with('#') || line.starts_with('[') {
            assert!(before.starts_with("# "), "no doc comment above {line}");
        }
        before = line;
    }
}

#[test]
fn an_unknown_variable_is_a_fault_and_the_one_that_was_meant_is_told_as_it_is_written() {
    let layers = Layers {
        environment: environment(&[
            ("MILEPOST_LOG_FORMAT", "json"),
            ("MILEPOST_JOURNAL_SEGMENT_BYTES", "1GiB"),
            ("MILEPOST_SEGMENT_BYTES", "1GiB"),
            ("MILEPOST_LISEN", "x"),
            ("MILEPOST_TRACKER", "x"),
            ("MILEPOST_ENDPIONT", "x"),
            ("MILEPOST_COLOUR", "x"),
        ]),
        not_configuration: vec!["MILEPOST_ENDPOINT"],
        ..Layers::default()
    };
    let shown = layers.load(Process::default()).unwrap_err().to_string();
    let expected = [
        "MILEPOST_COLOUR: there is no such variable",
        "MILEPOST_ENDPIONT: there is no such variable; did you mean MILEPOST_ENDPOINT?",
        "MILEPOST_JOURNAL_SEGMENT_BYTES: there is no such variable; did you mean MILEPOST_JOURNAL__SEGMENT_BYTES?",
        "MILEPOST_LISEN: there is no such variable; did you mean MILEPOST_LISTEN?",
        "MILEPOST_LOG_FORMAT: there is no such variable; did you mean MILEPOST_LOG__FORMAT?",
        "MILEPOST_SEGMENT_BYTES: there is no such variable; did you mean MILEPOST_JOURNAL__SEGMENT_BYTES?",
        "MILEPOST_TRACKER: is a section; name one of its keys, as in MILEPOST_TRACKER__ENABLED",
    ];
    let mut lines: Vec<&str> = shown.lines().skip(1).map(str::trim).collect();
    lines.sort_unstable();
    assert_eq!(lines, expected);
}

#[test]
fn a_command_that_reads_a_few_variables_refuses_their_misspellings_and_no_others() {
    let check = |pairs: &[(&str, &str)]| {
        check_variables(environment(pairs), &["MILEPOST_ENDPOINT"]).map_err(|faults| faults.to_string())
    };
    for fine in ["MILEPOST_ENDPOINT", "MILEPOST_LOG__FORMAT", "MILEPOST_COLOUR", "ENDPIONT"] {
        assert_eq!(check(&[(fine, "x")]), Ok(()), "{fine}");
    }
    assert_eq!(check(&[("MILEPOST_ENDPOINT_SERVICE_HOST", "10.0.0.1")]), Ok(()));
    for wrong in ["MILEPOST_ENDPIONT", "MILEPOST_ENDPOINTS", "MILEPOST__ENDPOINT", "MILEPOST_END_POINT"] {
        let refused = check(&[(wrong, "x")]).unwrap_err();
        assert!(refused.contains("did you mean MILEPOST_ENDPOINT?"), "{wrong}: {refused}");
    }
}

#[test]
fn what_kubernetes_sets_is_not_a_misspelt_key() {
    let ours = environment(&[
        ("MILEPOST_SERVICE_HOST", "10.0.0.1"),
        ("MILEPOST_SERVICE_PORT_GRPC", "7400"),
        ("MILEPOST_PORT", "tcp://10.0.0.1:7400"),
        ("MILEPOST_REGISTRY_PORT_7401_TCP_ADDR", "10.0.0.1"),
        ("MILEPOST_REGISTRY_PORT_7401_TCP_PORT", "7401"),
    ]);
    assert!(Layers { environment: ours, ..Layers::default() }.load(Process::default()).is_ok());
    for misspelt in ["MILEPOST_LISTEN_PORT", "MILEPOST_PORTS", "MILEPOST_ENDPOINT"] {
        let layers = Layers { environment: environment(&[(misspelt, "7400")]), ..Layers::default() };
        assert!(layers.load(Process::default()).is_err(), "{misspelt}");
    }
    let layers = Layers {
        environment: environment(&[("MILEPOST_ENDPOINT", "x")]),
        not_configuration: vec!["MILEPOST_ENDPOINT"],
        ..Layers::default()
    };
    assert!(layers.load(Process::default()).is_ok());
}

#[test]
fn the_command_line_becomes_flags() {
    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        config: ConfigArgs,
    }
    let parse = |arguments: &[&str]| <Command as clap::Parser>::try_parse_from(arguments);
    let command = parse(&[
        "x",
        "--listen",
        "[::1]:0",
        "--set",
        "ledger.queue_bound=9",
        "--set",
        "ledger.request_id_window=2m",
    ])
    .unwrap();
    let loaded = command.config.layers(Vec::new()).load(Process::default()).unwrap();
    assert_eq!(loaded.config.server.listen.to_string(), "[::1]:0");
    assert_eq!(loaded.config.server.ledger.queue_bound, 9);
    assert_eq!(loaded.config.server.ledger.request_id_window, Duration::from_secs(120));
    assert_eq!(loaded.source("ledger.queue_bound").to_string(), "--set ledger.queue_bound");
    assert!(parse(&["x", "--set", "queue"]).is_err());
}

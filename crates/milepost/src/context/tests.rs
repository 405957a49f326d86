//! Tests of contexts: every rule of the file, of precedence, and of the commands.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory, Parser};
use tempfile::TempDir;

use super::document::rewritten;
use super::file::{stage, update};
use super::*;

/// Suggests the known word with the same first and last character.
const RULES: Rules = Rules {
    formats: &["table", "json", "csv"],
    timeout: |text| match text.strip_suffix('s').is_some_and(|count| count.parse::<u32>().is_ok()) {
        true => Ok(()),
        false => Err(format!("{text:?} is no span of time; write it as in 10s")),
    },
    nearest: |given, known| {
        let ends = |text: &str| (text.chars().next(), text.chars().last());
        known.iter().find(|known| ends(known) == ends(given)).map(|known| (*known).to_owned())
    },
};

const FULL: &str = "\
# mine
current = \"office\" # the usual

# at the desk
[contexts.office]
# fast
endpoint = \"http://127.0.0.1:7400\" # local
portfolio = \"western-science-city\"
format = \"table\"
principal = \"zhang-wei\"
timeout = \"10s\"
utc = true

# outside
[contexts.\"工地\"]
endpoints = { registry = \"http://a:1\", tracker = \"http://b:2\", notifier = \"https://c:3\" }
# the end
";

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: ContextCommand,
}

fn parse(text: &str) -> Result<Contexts, ContextError> {
    Contexts::parse(text, Path::new("c.toml"), &RULES)
}

fn faults(text: &str) -> Vec<String> {
    match parse(text) {
        Err(ContextError::Faults(faults)) => faults,
        other => panic!("{other:?}"),
    }
}

fn each(registry: &str, tracker: &str, notifier: &str) -> EndpointSetting {
    let [registry, tracker, notifier] = [registry, tracker, notifier].map(str::to_owned);
    EndpointSetting::Each { registry, tracker, notifier }
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (key, text) in pairs {
        settings.set(key, text, &RULES).unwrap();
    }
    settings
}

/// A file of contexts in a directory of its own.
struct Home(TempDir);

impl Home {
    fn new(text: &str) -> Self {
        let home = Self(TempDir::new().unwrap());
        fs::write(home.path(), text).unwrap();
        home
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("contexts.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn run(&self, line: &str) -> Result<Outcome, ContextError> {
        let words = ["context"].into_iter().chain(line.split(' '));
        run(&Line::try_parse_from(words).unwrap().command, &self.path(), &RULES)
    }

    /// The rows as name, marked when current, and endpoint; and the notes.
    fn said(&self, line: &str) -> (Vec<String>, Vec<String>) {
        let Outcome { rows, notes } = self.run(line).unwrap();
        let marked = |row: &Row| format!("{}{}", row.name, if row.current { "*" } else { "" });
        (rows.iter().map(marked).collect(), notes)
    }

    fn error(&self, line: &str) -> String {
        self.run(line).unwrap_err().to_string()
    }
}

#[test]
fn a_full_file_is_read() {
    let contexts = parse(FULL).unwrap();
    assert_eq!(contexts.current.as_deref(), Some("office"));
    let office = settings(&[
        ("endpoint", "http://127.0.0.1:7400"),
        ("portfolio", "western-science-city"),
        ("format", "table"),
        ("principal", "zhang-wei"),
        ("timeout", "10s"),
    ]);
    assert_eq!(contexts.all["office"], Settings { utc: Some(true), ..office });
    let site =
        Settings { endpoint: Some(each("http://a:1", "http://b:2", "https://c:3")), ..Settings::default() };
    assert_eq!(contexts.all["工地"], site);
}

#[test]
fn every_key_may_be_absent_and_a_missing_file_is_an_empty_one() {
    assert_eq!(parse("").unwrap(), Contexts::default());
    assert_eq!(parse("[contexts.a]").unwrap().all["a"], Settings::default());
    let dir = TempDir::new().unwrap();
    assert_eq!(read(&dir.path().join("no/such.toml"), &RULES).unwrap(), Contexts::default());
}

#[test]
fn every_fault_of_a_file_is_named_with_its_line() {
    let text = "\
current = \"ofice\"
curent = 1
[contexts.office]
endpont = \"http://a\"
endpoint = \"a:7400\"
endpoints = { registry = \"http://a\", tracer = \"http://b\", notifier = \"http://c\" }
portfolio = \"\"
format = \"jsonn\"
principal = 7
timeout = \"soon\"
utc = \"true\"
[contexts.\"my office\"]
[contexts]
home = 1
";
    let unknown = "there are endpoint, portfolio, format, principal, timeout, utc, endpoints";
    let no_url = "is no URL of a server; write http://host:port";
    let each = "there is no service \"tracer\"; there are registry, tracker, notifier; \
         tracker is missing; give all three";
    let expected = vec![
        "c.toml:1: current: there is no context \"ofice\"; there are home, my office, office; \
         did you mean office?; \
         or remove this line"
            .to_owned(),
        "c.toml:2: there is no key \"curent\"; there are current, contexts; did you mean current?".to_owned(),
        format!(
            "c.toml:4: contexts.office.endpont: there is no setting \"endpont\"; {unknown}; \
             did you mean endpoint?"
        ),
        format!("c.toml:5: contexts.office.endpoint: \"a:7400\" {no_url}"),
        format!("c.toml:6: contexts.office.endpoints: {each}"),
        "c.toml:6: contexts.office: it has endpoint and endpoints; remove one of them".to_owned(),
        "c.toml:7: contexts.office.portfolio: it is empty; give a value, or leave it out".to_owned(),
        "c.toml:8: contexts.office.format: there is no format \"jsonn\"; there are table, json, csv; \
         did you mean json?"
            .to_owned(),
        "c.toml:9: contexts.office.principal: write a text in quotes".to_owned(),
        "c.toml:10: contexts.office.timeout: \"soon\" is no span of time; write it as in 10s".to_owned(),
        "c.toml:11: contexts.office.utc: write true or false, without quotes".to_owned(),
        "c.toml:12: contexts.my office: a name is not empty, has no blanks, and does not begin \
         with -"
            .to_owned(),
        "c.toml:14: contexts.home: write it as in [contexts.home]".to_owned(),
    ];
    assert_eq!(faults(text), expected);
}

#[test]
fn faults_come_by_line_and_are_counted() {
    let text = "[contexts.a]\nutc = 1\nformat = 2\n[contexts.b]\nutc = 3\n";
    let lines = faults(text);
    assert!(lines.is_sorted() && lines.len() == 3, "{lines:?}");
    assert!(
        parse(text)
            .unwrap_err()
            .to_string()
            .starts_with("3 faults in the settings\n  c.toml:2: contexts.a.utc: ")
    );
    assert!(parse("x = 1").unwrap_err().to_string().starts_with("1 fault in the settings\n  c.toml:1: "));
}

#[test]
fn every_fault_of_syntax_is_named_and_what_it_spoils_is_not() {
    let text = "current = \"a\"\nutc = \n[contexts.b]\nformat = \"xml\"\nutc = maybe\nprincipal = \n";
    let found = faults(text);
    let lines: Vec<_> = found.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    assert_eq!(lines, ["c.toml:2", "c.toml:4", "c.toml:5", "c.toml:6"], "{found:#?}");
}

#[test]
fn a_name_twice_and_keys_of_the_wrong_kind_are_refused() {
    assert_eq!(faults("[contexts.a]\n[contexts.a]\n").len(), 1);
    assert_eq!(faults("current = 1"), ["c.toml:1: current: write the name of a context, in quotes"]);
    assert_eq!(faults("contexts = 1"), ["c.toml:1: contexts: write each as in [contexts.office]"]);
    assert_eq!(
        faults("current = \"a\""),
        ["c.toml:1: current: there is no context \"a\", and no other; \
          milepost context set NAME creates one; \
          or remove this line"]
    );
    let urls = "registry = \"http://a\", tracker = \"http://b\", notifier = 3";
    let number = faults(&format!("[contexts.a]\nendpoints = {{ {urls} }}"));
    assert!(number[0].starts_with("c.toml:2: contexts.a.endpoints: notifier: "), "{number:?}");
    let endpoints = "[contexts.a]\nendpoints = \"http://a\"";
    assert!(faults(endpoints)[0].contains("write {registry = URL, "), "{:?}", faults(endpoints));
}

#[test]
fn a_file_that_is_no_text_or_cannot_be_read_is_an_error_that_names_it() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("c.toml");
    fs::write(&path, b"current = \"\xff\"").unwrap();
    let error = read(&path, &RULES).unwrap_err().to_string();
    assert!(error.ends_with("c.toml: it is not UTF-8; save it as UTF-8"), "{error}");
    let error = read(dir.path(), &RULES).unwrap_err().to_string();
    assert!(error.ends_with(" cannot be read"), "{error}");
    let error = update(&path.join("below.toml"), &RULES, |_| Ok(())).unwrap_err().to_string();
    assert!(error.ends_with("below.toml cannot be written"), "{error}");
}

#[test]
fn endpoints_are_one_url_or_one_for_each_service() {
    let one = |text: &str| Ok(EndpointSetting::One(text.to_owned()));
    for text in ["http://host:7400", "https://host", "http://[::1]:7400/x?y=z", "http://主机:7400"] {
        assert_eq!(EndpointSetting::parse(text), one(text));
    }
    let three = "notifier=http://c:3, registry=http://a:1,tracker=http://b:2?x=y";
    let parsed = EndpointSetting::parse(three).unwrap();
    assert_eq!(parsed, each("http://a:1", "http://b:2?x=y", "http://c:3"));
    assert_eq!(EndpointSetting::parse(&parsed.to_string()), Ok(parsed));
    for text in
        ["", "host:7400", "ftp://host", "http://", "http://:7400", "http:///x", "http://a b", "http://a,b"]
    {
        let fault = EndpointSetting::parse(text).unwrap_err();
        assert_eq!(fault, format!("{text:?} is no URL of a server; write http://host:port"));
    }
}

#[test]
fn every_fault_of_endpoints_is_named() {
    let text = "registry=http://a,registry=http://b,tracker=b,log=http://c,x";
    assert_eq!(
        EndpointSetting::parse(text).unwrap_err(),
        "registry is given twice; tracker: \"b\" is no URL of a server; write http://host:port; \
         there is no service \"log\"; there are registry, tracker, notifier; \
         there is no service \"x\"; there are registry, tracker, notifier; \
         notifier is missing; give all three"
    );
}

#[test]
fn flags_win_over_the_environment_over_the_context_over_nothing() {
    let contexts = parse("current = \"a\"\n[contexts.a]\nformat = \"csv\"\nutc = true").unwrap();
    let table = [
        (Some("json"), Some("table"), true, Some("json")),
        (Some("json"), None, true, Some("json")),
        (Some("json"), Some("table"), false, Some("json")),
        (None, Some("table"), true, Some("table")),
        (None, Some("table"), false, Some("table")),
        (None, None, true, Some("csv")),
        (None, None, false, None),
    ];
    for (flag, variable, context, expected) in table {
        let flags = Settings { format: flag.map(str::to_owned), ..Settings::default() };
        let lookup = |name: &str| variable.filter(|_| name == "MILEPOST_FORMAT").map(str::to_owned);
        let environment = Settings::from_environment(lookup, &RULES).unwrap();
        let below =
            if context { contexts.in_use(None, |_| None, &RULES).unwrap() } else { Settings::default() };
        let found = flags.over(environment).over(below);
        assert_eq!(found.format.as_deref(), expected, "{flag:?} {variable:?} {context}");
        assert_eq!(found.utc, context.then_some(true));
    }
}

#[test]
fn each_setting_is_taken_from_the_uppermost_that_has_it() {
    let full = parse(FULL).unwrap().all["office"].clone();
    assert_eq!(full.clone().over(Settings::default()), full);
    assert_eq!(Settings::default().over(full.clone()), full);
    let other = Settings { utc: Some(false), ..settings(&[("portfolio", "p"), ("endpoint", "http://b")]) };
    let merged = other.clone().over(full.clone());
    assert_eq!(
        (&merged.utc, &merged.portfolio, &merged.endpoint),
        (&other.utc, &other.portfolio, &other.endpoint)
    );
    assert_eq!(
        (merged.format, merged.principal, merged.timeout),
        (full.format, full.principal, full.timeout)
    );
}

#[test]
fn the_environment_has_four_settings_and_every_faulty_one_is_named() {
    let all = |name: &str| {
        let values = [
            ("MILEPOST_ENDPOINT", "http://a"),
            ("MILEPOST_PORTFOLIO", "p"),
            ("MILEPOST_FORMAT", "csv"),
            ("MILEPOST_PRINCIPAL", "me"),
            ("MILEPOST_TIMEOUT", "1s"),
        ];
        values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let expected =
        settings(&[("endpoint", "http://a"), ("portfolio", "p"), ("format", "csv"), ("principal", "me")]);
    assert_eq!(Settings::from_environment(all, &RULES).unwrap(), expected);
    let empty = Settings::from_environment(|_| Some(String::new()), &RULES);
    assert_eq!(empty.unwrap(), Settings::default());
    let error = Settings::from_environment(|_| Some("x".to_owned()), &RULES).unwrap_err().to_string();
    assert_eq!(
        error,
        "2 faults in the settings\n  \
         MILEPOST_ENDPOINT: \"x\" is no URL of a server; write http://host:port\n  \
         MILEPOST_FORMAT: there is no format \"x\"; there are table, json, csv"
    );
}

#[test]
fn the_context_in_use_is_that_of_the_flag_else_of_the_environment_else_the_current_one() {
    let text = "current = \"a\"\n[contexts.a]\nprincipal = \"a\"\n[contexts.b]\nprincipal = \"b\"\n\
                [contexts.c]\nprincipal = \"c\"";
    let contexts = parse(text).unwrap();
    let in_use = |flag: Option<&str>, variable: Option<&str>| {
        let lookup = |name: &str| variable.filter(|_| name == "MILEPOST_CONTEXT").map(str::to_owned);
        contexts.in_use(flag, lookup, &RULES).map(|settings| settings.principal.unwrap())
    };
    assert_eq!(in_use(Some("b"), Some("c")).unwrap(), "b");
    assert_eq!(in_use(None, Some("c")).unwrap(), "c");
    assert_eq!(in_use(None, Some("")).unwrap(), "a");
    assert_eq!(in_use(None, None).unwrap(), "a");
    let none = Contexts::default();
    assert_eq!(none.in_use(None, |_| None, &RULES).unwrap(), Settings::default());
    let error = in_use(Some("d"), Some("c")).unwrap_err().to_string();
    assert_eq!(error, "--context: there is no context \"d\"; there are a, b, c");
    let error = in_use(None, Some("d")).unwrap_err().to_string();
    assert_eq!(error, "MILEPOST_CONTEXT: there is no context \"d\"; there are a, b, c");
    let error = none.in_use(Some("d"), |_| None, &RULES).unwrap_err().to_string();
    assert_eq!(
        error,
        "--context: there is no context \"d\", and no other; milepost context set NAME creates one"
    );
}

#[test]
fn a_misspelt_name_gets_the_nearest_suggested() {
    let home = Home::new(FULL);
    for line in ["show ofice", "use ofice", "delete ofice", "rename ofice x"] {
        let error = home.run(line).unwrap_err();
        assert!(matches!(error, ContextError::NotFound(_)));
        assert_eq!(
            error.to_string(),
            "there is no context \"ofice\"; there are office, 工地; did you mean office?",
            "{line}"
        );
    }
    assert_eq!(home.text(), FULL);
}

#[test]
fn the_file_is_where_the_variables_say() {
    let at = |values: &[(&str, &str)]| {
        let found =
            path(|name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()));
        found.map(|path| path.display().to_string()).map_err(|error| error.to_string())
    };
    let all = [("MILEPOST_CONTEXTS", "c.toml"), ("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")];
    assert_eq!(at(&all).as_deref(), Ok("c.toml"));
    assert_eq!(at(&all[1..]).as_deref(), Ok("/x/milepost/contexts.toml"));
    assert_eq!(at(&all[2..]).as_deref(), Ok("/h/.config/milepost/contexts.toml"));
    let empty = [("MILEPOST_CONTEXTS", ""), ("XDG_CONFIG_HOME", ""), ("HOME", "/h")];
    assert_eq!(at(&empty).as_deref(), Ok("/h/.config/milepost/contexts.toml"));
    let relative = [("XDG_CONFIG_HOME", "x"), ("HOME", "/h")];
    assert_eq!(at(&relative).as_deref(), Ok("/h/.config/milepost/contexts.toml"));
    assert!(at(&[("HOME", "")]).unwrap_err().contains("set MILEPOST_CONTEXTS"));
}

#[test]
fn the_first_context_becomes_the_current_one_and_later_ones_do_not() {
    let home = Home(TempDir::new().unwrap());
    let first = home.said("set office --endpoint http://a:1 --utc=true --timeout 5s");
    assert_eq!(
        first,
        (
            vec!["office*".into()],
            vec!["office is created; it is the first, so it is the current context".into()]
        )
    );
    assert_eq!(
        home.text(),
        "current = \"office\"\n\n[contexts.office]\nendpoint = \"http://a:1\"\nutc = true\ntimeout = \"5s\"\n"
    );
    let second = home.said("set 工地 --endpoint registry=http://a,tracker=http://b,notifier=http://c");
    let note = "工地 is created; milepost context use 工地 makes it the current one";
    assert_eq!(second, (vec!["工地".into()], vec![note.into()]));
    assert_eq!(home.said("list"), (vec!["office*".into(), "工地".into()], vec![]));
    assert_eq!(
        home.run("show 工地").unwrap().rows[0].settings.endpoint,
        Some(each("http://a", "http://b", "http://c"))
    );
}

#[test]
fn set_changes_what_is_given_and_clears_what_is_named() {
    let home = Home::new(FULL);
    let before = home.run("show office").unwrap().rows[0].settings.clone();
    let changed = home.run("set office --format json --clear principal --clear utc").unwrap();
    assert_eq!(changed.notes, ["office is changed"]);
    let expected = Settings { format: Some("json".into()), principal: None, utc: None, ..before };
    assert_eq!(changed.rows[0].settings, expected);
    assert_eq!(home.run("show").unwrap().rows, changed.rows, "it is still the current one, and in the file");
    home.run("set office --clear endpoint --clear format --clear timeout --clear portfolio").unwrap();
    assert_eq!(home.run("show").unwrap().rows[0].settings, Settings::default());
    let again = home.run("set office --clear format --format csv").unwrap();
    assert_eq!(
        again.rows[0].settings.format.as_deref(),
        Some("csv"),
        "what is given is set after all is cleared"
    );
}

#[test]
fn one_endpoint_replaces_three_and_three_replace_one() {
    let home = Home::new(
        "[contexts.a.endpoints]\nregistry = \"http://a\"\ntracker = \"http://b\"\nnotifier = \"http://c\"\n",
    );
    home.run("set a --endpoint http://d").unwrap();
    assert_eq!(home.text(), "[contexts.a]\nendpoint = \"http://d\"\n");
    home.run("set a --endpoint registry=http://a,tracker=http://b,notifier=http://c").unwrap();
    assert!(home.text().contains("endpoints = { registry = ") && !home.text().contains("endpoint ="));
}

#[test]
fn every_faulty_flag_of_set_is_named_and_the_file_stays() {
    let home = Home::new(FULL);
    assert_eq!(
        home.error("set office --principal= --portfolio "),
        "2 faults in the settings\n  --portfolio: it is empty; give a value, or leave it out\n  \
         --principal: it is empty; give a value, or leave it out"
    );
    assert_eq!(home.text(), FULL);
    for line in
        ["set x --endpoint y", "set -x", "set ", "rename office ", "set x --clear y", "set x --format xml"]
    {
        let words = ["context"].into_iter().chain(line.split(' '));
        assert!(Line::try_parse_from(words).is_err(), "{line}");
    }
}

#[test]
fn use_makes_a_context_the_current_one() {
    let home = Home::new(FULL);
    assert_eq!(home.said("use 工地"), (vec!["工地*".into()], vec!["工地 is now the current context".into()]));
    assert_eq!(home.said("list").0, ["office", "工地*"]);
}

#[test]
fn to_delete_the_current_context_leaves_none_current_and_says_so() {
    let home = Home::new(FULL);
    assert_eq!(home.said("delete 工地"), (vec!["工地".into()], vec![]));
    let note = "there is no current context now; milepost context use NAME chooses one";
    assert_eq!(home.said("delete office"), (vec!["office*".into()], vec![note.into()]));
    assert_eq!(parse(&home.text()).unwrap(), Contexts::default());
    let error = home.run("show").unwrap_err();
    assert!(matches!(error, ContextError::NotFound(_)));
    assert!(error.to_string().contains("there is no current context; give a name"), "{error}");
}

#[test]
fn rename_keeps_settings_and_what_is_current_and_overwrites_nothing() {
    let home = Home::new(FULL);
    let before = home.run("show office").unwrap().rows[0].settings.clone();
    let renamed = home.run("rename office home").unwrap();
    assert_eq!(renamed.notes, ["office is now called home"]);
    assert_eq!(renamed.rows, [Row { name: "home".into(), current: true, settings: before }]);
    assert_eq!(home.text(), FULL.replace("office", "home"), "comments and order stay");
    let error = home.run("rename 工地 home").unwrap_err();
    assert!(matches!(&error, ContextError::Exists(name) if name == "home"));
    assert!(matches!(home.run("rename home home").unwrap_err(), ContextError::Exists(_)));
    assert_eq!(home.said("list").0, ["home*", "工地"]);
}

#[test]
fn comments_stay_where_they_are() {
    let home = Home::new(FULL);
    home.run("set office --endpoint http://b:2 --format csv").unwrap();
    home.run("use 工地").unwrap();
    let expected = FULL
        .replace("http://127.0.0.1:7400", "http://b:2")
        .replace("format = \"table\"", "format = \"csv\"")
        .replace("current = \"office\"", "current = \"工地\"");
    assert_eq!(home.text(), expected);
    home.run("delete office").unwrap();
    assert!(
        home.text().contains("# mine")
            && home.text().contains("# outside")
            && home.text().ends_with("# the end\n")
    );
}

#[test]
fn a_file_in_any_form_of_toml_can_be_changed() {
    for text in [
        "contexts = { a = { format = \"csv\" }, b = {} }\n",
        "contexts.a.format = 'csv'\ncontexts.b = {}\n",
        "[contexts]\na.format = \"csv\"\nb = {}\n",
        "[contexts]\n[contexts.b]\n[contexts.a]\nformat = \"csv\"",
    ] {
        let home = Home::new(text);
        for line in ["set a --utc=true", "set c --format json", "rename b d", "use d", "delete c"] {
            home.run(line).unwrap_or_else(|error| panic!("{text}: {line}: {error}"));
        }
        let contexts = parse(&home.text()).unwrap();
        assert_eq!(contexts.all.keys().collect::<Vec<_>>(), ["a", "d"], "{text}");
        assert_eq!(contexts.all["a"], Settings { utc: Some(true), ..settings(&[("format", "csv")]) });
        assert_eq!(contexts.current.as_deref(), Some("d"));
    }
}

#[test]
fn nothing_changes_in_the_text_without_a_change() {
    let contexts = parse(FULL).unwrap();
    assert_eq!(rewritten(FULL, &contexts, &contexts).unwrap(), FULL);
}

#[test]
fn a_faulty_file_is_not_written_over() {
    let text = "current = \"x\"\n[contexts.a]\n";
    let home = Home::new(text);
    assert!(home.error("use a").contains("contexts.toml:1: current: "));
    assert_eq!(home.text(), text);
}

#[test]
fn a_writer_that_dies_before_the_rename_leaves_the_old_file() {
    let home = Home::new(FULL);
    let staged = stage(&home.path(), home.0.path(), "current = \"half").unwrap();
    staged.keep().unwrap();
    assert_eq!(
        fs::read_dir(home.0.path()).unwrap().count(),
        2,
        "what it had written is left beside the file"
    );
    assert_eq!(home.text(), FULL);
    home.run("use 工地").unwrap();
    assert_eq!(home.said("list").0, ["office", "工地*"]);
}

#[test]
fn a_writer_that_fails_leaves_nothing_behind() {
    let home = Home::new(FULL);
    let failed = update(&home.path(), &RULES, |contexts| {
        contexts.all.clear();
        Err::<(), _>(ContextError::Exists("x".to_owned()))
    });
    assert!(failed.is_err());
    assert_eq!((home.text().as_str(), fs::read_dir(home.0.path()).unwrap().count()), (FULL, 1));
}

#[test]
fn writers_at_once_neither_tear_the_file_nor_lose_a_change() {
    let home = Home(TempDir::new().unwrap());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                read(&home.path(), &RULES).expect("the file is whole");
            }
        });
        let write = |writer: usize| {
            let home = &home;
            scope.spawn(move || {
                (0..8).for_each(|n| drop(home.run(&format!("set c{writer}-{n} --format csv")).unwrap()))
            })
        };
        let writers: Vec<_> = (0..4).map(write).collect();
        let written: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        assert!(written.iter().all(Result::is_ok));
    });
    assert_eq!(home.said("list").0.len(), 32);
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn a_new_file_is_for_its_owner_only_and_an_earlier_one_keeps_its_mode() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("milepost/contexts.toml");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let touch = || update(&path, &RULES, |_| Ok(())).unwrap();
    touch();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    touch();
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn a_link_to_the_file_stays_a_link() {
    let home = Home::new(FULL);
    let elsewhere = TempDir::new().unwrap();
    let link = elsewhere.path().join("contexts.toml");
    symlink(home.path(), &link).unwrap();
    let choose = |contexts: &mut Contexts| {
        contexts.current = Some("工地".to_owned());
        Ok(())
    };
    update(&link, &RULES, choose).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(home.said("list").0, ["office", "工地*"]);
}

#[test]
fn rows_are_flat_in_json() {
    let outcome = Home::new(FULL).run("list").unwrap();
    let json = serde_json::to_value(&outcome.rows).unwrap();
    assert_eq!(json[0]["name"], "office");
    assert_eq!(json[0]["current"], true);
    assert_eq!(json[0]["endpoint"], "http://127.0.0.1:7400");
    assert_eq!(json[1]["endpoint"]["tracker"], "http://b:2");
    assert_eq!(json[1]["utc"], serde_json::Value::Null);
}

#[test]
fn the_examples_of_the_help_work() {
    Line::command().debug_assert();
    let home = Home(TempDir::new().unwrap());
    let mut line = Line::command();
    let help = line.render_long_help().to_string();
    let examples: Vec<_> = help.lines().filter_map(|line| line.strip_prefix("  milepost context ")).collect();
    assert!(examples.len() > 3, "{help}");
    for example in examples {
        home.run(example).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

//! Tests of contexts: every rule of the file, of precedence, and of the commands.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory, Parser};
use milepost_service::config::{Fault, Faults, Source};
use serde_json::json;
use tempfile::TempDir;
use toml_edit::DocumentMut;

use super::file::{parse as parse_at, update};
use super::*;

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
endpoint = \"registry=http://a:1,tracker=http://b:2,notifier=http://c:3\"
# the end
";

const THREE: &str = "registry=http://a:1,tracker=http://b:2,notifier=http://c:3";

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: ContextCommand,
}

fn parse(text: &str) -> Result<Contexts, Faults> {
    parse_at(text, Path::new("c.toml"))
}

fn faults(text: &str) -> Vec<String> {
    parse(text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    pairs.iter().for_each(|(key, text)| settings.set(key, text).unwrap());
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

    fn run(&self, line: &str) -> Result<(Contexts, Option<String>), Error> {
        let words = ["context"].into_iter().chain(line.split(' '));
        run(&Line::try_parse_from(words).unwrap().command, &self.path())
    }

    /// The contexts that a command is about, the current one marked; and the note.
    fn said(&self, line: &str) -> (Vec<String>, String) {
        let (contexts, note) = self.run(line).unwrap();
        let mark = |name: &String| if contexts.current.as_ref() == Some(name) { "*" } else { "" };
        (contexts.all.keys().map(|name| format!("{name}{}", mark(name))).collect(), note.unwrap_or_default())
    }

    fn shown(&self, name: &str) -> Settings {
        self.run(&format!("show {name}")).unwrap().0.all[name].clone()
    }
}

#[test]
fn a_full_file_is_read_and_a_missing_one_has_no_contexts() {
    let contexts = parse(FULL).unwrap();
    assert_eq!(contexts.current.as_deref(), Some("office"));
    let office = [
        ("endpoint", "http://127.0.0.1:7400"),
        ("portfolio", "western-science-city"),
        ("format", "table"),
        ("principal", "zhang-wei"),
        ("timeout", "10s"),
        ("utc", "true"),
    ];
    assert_eq!(contexts.all["office"], settings(&office));
    assert_eq!(contexts.all["工地"], settings(&[("endpoint", THREE)]));
    assert_eq!(parse("[contexts.a]").unwrap().all["a"], Settings::default());
    let dir = TempDir::new().unwrap();
    assert_eq!(read(&dir.path().join("no/such.toml")).unwrap(), Contexts::default());
}

#[test]
fn every_fault_of_a_file_is_named_with_its_place() {
    let text = r#"
current = "ofice"
curent = 1
[contexts.office]
endpont = "http://a"
endpoint = "a:7400"
portfolio = ""
format = "jsonn"
principal = 7
timeout = "soon"
utc = "true"
[contexts."工 地"]
endpoint = "registry=http://a,tracer=http://b,notifier=c"
[contexts]
home = 1
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
    assert_eq!(faults("current = 1"), ["c.toml:1:1: current: write the name of a context, in quotes"]);
    assert_eq!(faults("contexts = 1"), ["c.toml:1:1: contexts: write each as in [contexts.office]"]);
    assert_eq!(faults("[contexts.a]\n[contexts.a]\n").len(), 1, "a name twice");
}

#[test]
fn every_fault_of_syntax_is_named_and_what_it_spoils_is_not() {
    let text = "current = \"a\"\nutc = \n[contexts.b]\nformat = \"xml\"\nutc = maybe\nprincipal = \n";
    let found = parse(text).unwrap_err().0;
    let line = |fault: &Fault| match fault.source {
        Source::File { line, .. } => line,
        _ => 0,
    };
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), [2, 4, 5, 6], "{found:#?}");
}

#[test]
fn a_file_that_is_no_text_or_cannot_be_read_or_written_is_an_error_that_names_it() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("c.toml");
    fs::write(&path, b"current = \"\xff\"").unwrap();
    for path in [path.as_path(), dir.path()] {
        let error = read(path).unwrap_err().to_string();
        assert!(error.contains(&format!("{}:1:1: it cannot be read: ", path.display())), "{error}");
    }
    let error = update(&path.join("below.toml"), |_, _| Ok(())).unwrap_err().to_string();
    assert!(error.ends_with("below.toml cannot be written"), "{error}");
}

#[test]
fn an_endpoint_is_one_url_or_one_for_each_service() {
    let endpoint = |text: &str| settings(&[("endpoint", text)]).endpoint.unwrap();
    for text in ["http://host:7400", "https://host:7400", "http://[::1]:7400/x?y=z"] {
        assert_eq!((endpoint(text).as_str(), services(text)), (text, None));
    }
    assert_eq!(endpoint("notifier=http://c:3, registry=http://a:1,tracker=http://b:2"), THREE);
    let three = [("registry", "http://a:1"), ("tracker", "http://b:2"), ("notifier", "http://c:3")];
    assert_eq!(services(THREE).as_deref(), Some(&three[..]));
    let fault = |text: &str| Settings::default().set("endpoint", text).unwrap_err();
    for text in ["", "host:7400", "https://", "http://", "http://a b"] {
        assert!(fault(text).starts_with(&format!("{text:?} is no address of a server: ")), "{text}");
    }
    let faults = fault("registry=http://a,registry=http://b,tracker=b,log=http://c");
    let expected = [
        "there is no service \"log\"; there are registry, tracker, notifier; ",
        "registry is given twice; ",
        "tracker: \"b\" is no address of a server: the scheme is missing; write http://host:port or https://host:port; ",
        "notifier is missing; give all three",
    ];
    assert_eq!(faults, expected.concat());
}

#[test]
fn flags_win_over_the_environment_over_the_context() {
    let flags = settings(&[("format", "json")]);
    let lookup = |name: &str| match name {
        "MILEPOST_FORMAT" => Some("table".to_owned()),
        "MILEPOST_PRINCIPAL" => Some("me".to_owned()),
        "MILEPOST_ENDPOINT" => Some(String::new()),
        // No variable sets it.
        "MILEPOST_TIMEOUT" => Some("soon".to_owned()),
        _ => None,
    };
    let environment = Settings::from_environment(lookup).unwrap();
    assert_eq!(environment, settings(&[("format", "table"), ("principal", "me")]), "an empty one is not set");
    let context = parse(FULL).unwrap().all["office"].clone();
    let expected = Settings { format: flags.format.clone(), principal: Some("me".into()), ..context.clone() };
    assert_eq!(flags.over(environment).over(context), expected);
    let error = Settings::from_environment(|_| Some("x".to_owned())).unwrap_err().to_string();
    assert_eq!(
        error,
        "2 faults in the configuration\n  \
         MILEPOST_ENDPOINT: \"x\" is no address of a server: the scheme is missing; write http://host:port or \
         https://host:port\n  \
         MILEPOST_FORMAT: there is no format \"x\"; there are table, json, csv"
    );
}

#[test]
fn the_context_in_use_is_that_of_the_flag_else_of_the_environment_else_the_current_one() {
    let contexts = parse(FULL).unwrap();
    let [office, site] = ["office", "工地"].map(|name| contexts.all[name].clone());
    let in_use = |flag, variable| contexts.in_use(flag, variable).map_err(|error| error.to_string());
    assert_eq!(in_use(Some("工地"), Some("office")).unwrap(), site);
    assert_eq!(in_use(None, Some("工地")).unwrap(), site);
    assert_eq!(in_use(None, Some("")).unwrap(), office);
    assert_eq!(in_use(None, None).unwrap(), office);
    assert_eq!(Contexts::default().in_use(None, None).unwrap(), Settings::default());
    let none = "there is no context \"d\"; there are office, 工地";
    assert_eq!(in_use(Some("d"), None).unwrap_err(), format!("--context: {none}"));
    assert_eq!(in_use(None, Some("d")).unwrap_err(), format!("MILEPOST_CONTEXT: {none}"));
    let error = Contexts::default().in_use(Some("d"), None).unwrap_err().to_string();
    assert!(error.ends_with("and no other; milepost context set NAME creates one"), "{error}");
}

#[test]
fn a_context_that_is_not_there_is_not_found_and_the_nearest_is_suggested() {
    let home = Home::new(FULL);
    for line in ["show ofice", "use ofice", "delete ofice", "rename ofice x"] {
        let error = home.run(line).unwrap_err();
        assert!(matches!(error, Error::NotFound(_)));
        let said = "there is no context \"ofice\"; there are office, 工地; did you mean office?";
        assert_eq!(error.to_string(), said, "{line}");
    }
    assert_eq!(home.text(), FULL);
}

#[test]
fn the_first_context_becomes_the_current_one_and_later_ones_when_they_are_used() {
    let home = Home(TempDir::new().unwrap());
    let note = "office is created; it is the first, so it is the current context";
    let set = home.said("set office --endpoint http://a:1 --utc --timeout 5s");
    assert_eq!(set, (vec!["office*".into()], note.into()));
    assert_eq!(
        home.text(),
        "current = \"office\"\n\n[contexts.office]\nendpoint = \"http://a:1\"\ntimeout = \"5s\"\nutc = true\n"
    );
    let note = "工地 is created; milepost context use 工地 makes it the current one";
    assert_eq!(home.said(&format!("set 工地 --endpoint {THREE}")), (vec!["工地".into()], note.into()));
    assert_eq!(home.shown("工地"), settings(&[("endpoint", THREE)]));
    assert_eq!(home.said("list").0, ["office*", "工地"]);
    assert_eq!(home.said("use 工地"), (vec!["工地*".into()], "工地 is now the current context".into()));
    assert_eq!(home.said("list").0, ["office", "工地*"]);
}

#[test]
fn set_changes_what_is_given_after_it_cleared_what_is_named() {
    let home = Home::new(FULL);
    let before = home.shown("office");
    assert_eq!(home.said("set office --format json --clear principal --clear utc").1, "office is changed");
    let expected = Settings { format: Some("json".into()), principal: None, utc: None, ..before };
    assert_eq!(home.shown("office"), expected);
    home.run("set office --clear endpoint --clear format --clear timeout --clear portfolio").unwrap();
    assert_eq!(home.shown("office"), Settings::default());
    home.run("set 工地 --clear endpoint --format csv --clear format").unwrap();
    assert_eq!(home.shown("工地"), settings(&[("format", "csv")]));
    for line in
        ["x --endpoint y", "-x", "", "x --clear y", "x --format xml", "x --principal=", "x --timeout 0s"]
    {
        let words = ["context", "set"].into_iter().chain(line.split(' '));
        assert!(Line::try_parse_from(words).is_err(), "{line}");
    }
}

#[test]
fn files_are_kept_with_whole_paths_and_tokens_are_not_kept() {
    let home = Home::new("");
    home.run("set office --ca certs/ca.pem --cert /c.pem --cert-key /c.key --token-file token").unwrap();
    let (shown, here) = (home.shown("office"), std::env::current_dir().unwrap());
    assert_eq!(shown.ca, Some(here.join("certs/ca.pem").display().to_string()));
    assert_eq!((shown.cert.as_deref(), shown.cert_key.as_deref()), (Some("/c.pem"), Some("/c.key")));
    assert_eq!(shown.token_file, Some(here.join("token").display().to_string()));
    let words = ["context", "set", "office", "--token", "mp_secret"];
    assert!(Line::try_parse_from(words).is_err());
    assert!(faults("[contexts.a]\ntoken = \"mp_secret\"\n")[0].contains("there is no setting"));
}

#[test]
fn settings_in_json_are_of_their_types_and_null_where_absent() {
    let [office, site] = ["office", "工地"].map(|name| parse(FULL).unwrap().all[name].clone().json());
    assert_eq!((&office["endpoint"], &office["utc"]), (&json!("http://127.0.0.1:7400"), &json!(true)));
    assert_eq!((&site["endpoint"]["tracker"], &site["utc"]), (&json!("http://b:2"), &json!(null)));
    assert!(office.keys().eq(Settings::keys()));
}

#[test]
fn the_file_is_where_the_variables_say() {
    let at = |values: &[(&str, &str)]| {
        let found =
            path(|name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()));
        found.map(|path| path.display().to_string()).map_err(|error| error.to_string())
    };
    let (file, home) = (("MILEPOST_CONTEXTS", "c.toml"), ("HOME", "/h"));
    assert_eq!(at(&[file, ("XDG_CONFIG_HOME", "/x"), home]).as_deref(), Ok("c.toml"));
    assert_eq!(at(&[("XDG_CONFIG_HOME", "/x"), home]).as_deref(), Ok("/x/milepost/contexts.toml"));
    for passed_over in [("MILEPOST_CONTEXTS", ""), ("XDG_CONFIG_HOME", ""), ("XDG_CONFIG_HOME", "relative")] {
        assert_eq!(at(&[passed_over, home]).as_deref(), Ok("/h/.config/milepost/contexts.toml"));
    }
    assert!(at(&[("HOME", "")]).unwrap_err().contains("set MILEPOST_CONTEXTS"));
}

#[test]
fn to_delete_the_current_context_leaves_none_current_and_says_so() {
    let home = Home::new(FULL);
    assert_eq!(home.said("delete 工地"), (vec!["工地".into()], String::new()));
    let note = "there is no current context now; milepost context use NAME chooses one";
    assert_eq!(home.said("delete office"), (vec!["office*".into()], note.into()));
    assert_eq!(parse(&home.text()).unwrap(), Contexts::default());
    let error = home.run("show").unwrap_err();
    assert!(matches!(&error, Error::NotFound(said) if said.contains("give a name")), "{error}");
}

#[test]
fn rename_keeps_settings_and_what_is_current_and_overwrites_nothing() {
    let home = Home::new(FULL);
    let before = home.shown("office");
    assert_eq!(home.said("rename office home"), (vec!["home*".into()], "office is now called home".into()));
    assert_eq!(home.shown("home"), before);
    assert_eq!(home.text(), FULL.replace("office", "home"), "comments and order stay");
    for line in ["rename 工地 home", "rename home home"] {
        assert!(matches!(home.run(line), Err(Error::Exists(name)) if name == "home"));
    }
    assert_eq!(home.said("list").0, ["home*", "工地"]);
    assert!(Line::try_parse_from(["context", "rename", "home", ""]).is_err());
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
    let left = home.text();
    assert!(left.contains("# mine") && left.contains("# outside") && left.ends_with("# the end\n"), "{left}");
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
        assert_eq!(contexts.all["a"], settings(&[("format", "csv"), ("utc", "true")]));
        assert_eq!(contexts.current.as_deref(), Some("d"));
    }
}

#[test]
fn a_file_is_not_written_over_if_it_is_faulty_or_the_change_fails_or_makes_it_faulty() {
    let text = "current = \"x\"\n[contexts.a]\n";
    let faulty = Home::new(text);
    let error = faulty.run("use a").unwrap_err().to_string();
    assert!(error.contains("contexts.toml:1:1: current: "), "{error}");
    assert_eq!(faulty.text(), text);
    let home = Home::new(FULL);
    let fails = |_: &Contexts, document: &mut DocumentMut| {
        document.clear();
        Err::<(), _>(Error::Interrupted)
    };
    assert!(matches!(update(&home.path(), fails), Err(Error::Interrupted)));
    let spoils = |_: &Contexts, document: &mut DocumentMut| {
        document.remove("contexts");
        Ok(())
    };
    assert!(matches!(update(&home.path(), spoils), Err(Error::Environment(_))));
    assert_eq!((home.text().as_str(), fs::read_dir(home.0.path()).unwrap().count()), (FULL, 1));
}

#[test]
fn writers_at_once_neither_tear_the_file_nor_lose_a_change() {
    let home = Home(TempDir::new().unwrap());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                read(&home.path()).expect("the file is whole");
            }
        });
        let write = |writer: usize| {
            let set = |n| drop(home.run(&format!("set c{writer}-{n} --format csv")).unwrap());
            (0..8).for_each(set);
        };
        let writers: Vec<_> = (0..4).map(|writer| scope.spawn(move || write(writer))).collect();
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
    let touch = || update(&path, |_, _| Ok(())).unwrap();
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
    run(&ContextCommand::Use { name: "工地".to_owned() }, &link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(home.said("list").0, ["office", "工地*"]);
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

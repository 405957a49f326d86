//! Golden transcripts of the help, and what the command line makes of arguments.
//!
//! A changed transcript is a changed interface: look twice before accepting it.

use std::path::{Path, PathBuf};

use milepost_service::config::check_variables;
use milepost_types::CurrencyCode;
use prost_reflect::{DynamicMessage, SerializeOptions};

use super::read::Scope;
use super::*;
use crate::DEFAULT_ENDPOINT;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("milepost").chain(line.split_whitespace()))
}

/// What a line sends, as far as that is known without a server: the amounts of `wsc` are in CNY.
fn requested(line: &str) -> Result<DynamicMessage, String> {
    requested_of(split(line))
}

fn requested_of(words: Vec<String>) -> Result<DynamicMessage, String> {
    requested_with(words, None)
}

/// The same, with a file and its text.
fn requested_with(words: Vec<String>, file: Option<(PathBuf, String)>) -> Result<DynamicMessage, String> {
    let words = std::iter::once("milepost".to_owned()).chain(words);
    let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
    let Command::Noun(resource, matches) = cli.command else { panic!("no noun") };
    let (verb, matches) = matches.subcommand().unwrap();
    let verb = resource.verb(verb).unwrap();
    let mut scope = Scope { currency: CurrencyCode::stored("CNY"), ..Scope::default() };
    let given = request::Given { verb: &verb, matches, portfolio: None, file, hash: None, now: None };
    given.request(&mut scope).map_err(|error| error.to_string())
}

fn help(words: &[&str]) -> String {
    let mut command = definition().term_width(100);
    command.build();
    let mut at = &mut command;
    for word in words {
        at = at.find_subcommand_mut(word).unwrap();
    }
    at.render_long_help().to_string()
}

/// Every command with its flags, one line each.
fn tree(command: &clap::Command, path: &str, out: &mut String) {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let path = format!("{path} {}", sub.get_name());
        if sub.has_subcommands() {
            tree(sub, &path, out);
            continue;
        }
        let flags: Vec<String> = sub
            .get_arguments()
            .filter(|argument| argument.get_help_heading() != Some("Client") && argument.get_id() != "help")
            .map(|argument| match argument.get_long() {
                Some(long) => format!("--{long}"),
                None => argument.get_id().to_string().to_uppercase(),
            })
            .collect();
        out.push_str(&format!("{path}: {}\n", flags.join(" ")));
    }
}

#[test]
fn the_definitions_are_sound() {
    definition().debug_assert();
}

#[test]
fn nouns_verbs_and_flags() {
    let mut command = definition();
    command.build();
    let mut out = String::new();
    for noun in ["portfolio", "organization", "project", "phase", "batch", "milestone", "event", "ledger"] {
        tree(command.find_subcommand(noun).unwrap(), noun, &mut out);
    }
    insta::assert_snapshot!(out);
}

#[test]
fn help_of_the_demo() {
    insta::assert_snapshot!(help(&["demo"]));
}

#[test]
fn help_of_project_create() {
    insta::assert_snapshot!(help(&["project", "create"]));
}

#[test]
fn help_of_milestone_reforecast() {
    insta::assert_snapshot!(help(&["milestone", "reforecast"]));
}

#[test]
fn help_of_event_watch() {
    insta::assert_snapshot!(help(&["event", "watch"]));
}

/// Every command of the tree with the words that lead to it.
fn commands(command: &clap::Command, path: &[String], found: &mut Vec<(Vec<String>, clap::Command)>) {
    found.push((path.to_vec(), command.clone()));
    for sub in command.get_subcommands() {
        commands(sub, &[path, &[sub.get_name().to_owned()]].concat(), found);
    }
}

fn all_commands() -> Vec<(Vec<String>, clap::Command)> {
    // So wide that nothing is wrapped.
    let mut root = definition().term_width(10_000);
    root.build();
    let mut found = Vec::new();
    commands(&root, &[], &mut found);
    found
}

/// A command line as a shell splits it, as far as examples go: words, and quotes around some.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (quote, character) {
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == character => quote = None,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    assert_eq!(quote, None, "a quote is not closed: {line}");
    words.extend(word);
    words
}

#[test]
fn every_example_of_the_help_fits_on_its_line_and_parses() {
    let mut examples = 0;
    for (path, mut command) in all_commands() {
        let help = command.render_long_help().to_string();
        if let Some((_, examples)) = help.split_once("\nExamples:\n") {
            let wide = examples.lines().find(|line| crate::output::width::columns(line) > 100);
            assert_eq!(wide, None, "{path:?}: it would be wrapped");
            let shown = format!("  milepost {} ", path.join(" "));
            assert!(examples.contains(&shown), "{path:?}: no example shows it");
        }
        let help = help.replace("\\\n", "");
        for line in help.lines().filter_map(|line| line.strip_prefix("  milepost ")) {
            let words = std::iter::once("milepost".to_owned()).chain(split(line));
            Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{path:?}: {line}: {error}"));
            examples += 1;
        }
    }
    assert!(examples >= 15, "only {examples} examples were found");
}

#[test]
fn every_verb_that_not_every_resource_has_shows_an_example() {
    let standard = ["create", "get", "list", "update", "delete", "undelete", "batch-create", "batch-get"];
    let verbs = schema::resources().iter().flat_map(schema::Resource::verbs);
    for verb in verbs.filter(|verb| !standard.contains(&verb.name.as_str())) {
        assert!(noun::examples(&verb).is_some(), "{} {}", verb.resource.noun, verb.name);
    }
}

#[test]
fn every_value_that_the_help_of_a_flag_gives_as_an_example_is_understood() {
    let mut values = 0;
    for (path, command) in all_commands() {
        for argument in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let Some((_, example)) = help.split_once("as in ") else { continue };
            // Of a field, the schema's own example stands in backticks.
            let of = path.first().and_then(|noun| schema::resource(noun));
            let is_noun = of.zip(path.get(1)).is_some_and(|(of, verb)| of.verb(verb).is_some());
            if is_noun && argument.get_help_heading() == Some("Fields") && !example.starts_with('`') {
                continue;
            }
            let end = if example.starts_with('`') { &[',', '.', ' '][..] } else { &[';', '['][..] };
            let example = example.split(end).next().unwrap_or_default();
            for value in example.split(" or ").flat_map(|value| value.split(", ")) {
                let value = value.split(" for ").next().unwrap_or_default();
                let value = value.trim().trim_end_matches(',').trim_matches('`');
                let value = split(value).join(" ");
                let flag = format!("--{}", argument.get_long().unwrap());
                let words = [&["milepost".to_owned()], &path[..], &[flag.clone(), value.clone()]].concat();
                if is_noun && let Err(fault) = requested_of(words[1..].to_vec()) {
                    assert!(!fault.starts_with(&flag), "{path:?} {flag} {value:?}: {fault}");
                }
                // What else the command needs is missing, and said so only after the values were understood.
                if let Err(error) = Cli::try_parse_from(words) {
                    let kind = error.kind();
                    use clap::error::ErrorKind::{InvalidValue, UnknownArgument, ValueValidation};
                    let refused = matches!(kind, InvalidValue | UnknownArgument | ValueValidation);
                    assert!(!refused, "{path:?} {flag} {value:?}: {error}");
                }
                values += 1;
            }
        }
    }
    assert!(values >= 30, "only {values} values were found");
}

#[test]
fn every_command_that_the_demo_suggests_parses() {
    for endpoint in [DEFAULT_ENDPOINT, "http://127.0.0.1:41234"] {
        for arguments in crate::demo::suggestions(endpoint) {
            let words = std::iter::once("milepost".to_owned()).chain(arguments.clone());
            Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        }
    }
}

#[test]
fn no_help_names_what_the_demo_does_not_have() {
    for (path, mut command) in all_commands() {
        let help = command.render_long_help().to_string();
        for placeholder in ["wsc", "portfolios/p", "projects/x", " p x"] {
            assert!(!help.contains(placeholder), "{path:?}: {placeholder}:\n{help}");
        }
    }
}

#[test]
fn the_root_help_tells_exit_codes_output_and_names() {
    // However its lines are broken.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = help(&[]);
    for part in
        [EXIT_CODES, "canonical proto3 JSON", "MILEPOST_ENDPOINT", "western-science-city science-avenue"]
    {
        assert!(words(&help).contains(&words(part)), "{part}\n{help}");
    }
}

#[test]
fn every_command_that_the_readme_names_is_known() {
    let readme = include_str!("../../../../README.md");
    let mut commands = 0;
    // Between backticks stands code, of a line or of a block.
    for line in readme.split('`').skip(1).step_by(2).flat_map(str::lines) {
        let Some(line) = line.strip_prefix("milepost ") else { continue };
        let line = line.split("  #").next().unwrap_or_default();
        let words = std::iter::once("milepost".to_owned()).chain(split(line));
        if let Err(error) = Cli::try_parse_from(words) {
            // A table need not say every argument.
            assert_eq!(error.kind(), clap::error::ErrorKind::MissingRequiredArgument, "{line}: {error}");
        }
        commands += 1;
    }
    assert!(commands >= 12, "only {commands} commands were found");
}

#[test]
fn commands_as_people_type_them_parse() {
    for line in [
        "portfolio create wsc --display-name 西部科学城 --time-zone Asia/Shanghai --currency CNY",
        "project create wsc avenue --display-name 科学大道 --key",
        "milestone create wsc avenue opening --display-name 通车 --baseline 2023-06-30",
        "milestone reforecast wsc avenue opening --forecast 2023-07-18 --reason 材料到场推迟",
        "milestone reforecast wsc avenue opening --withdraw --reason 材料到场推迟",
        "event watch --resource portfolios/wsc --cursor-file wsc.cursor",
        "--endpoint http://localhost:1 --format json project list portfolios/wsc --limit 3",
        "project list wsc --format json",
        "project create wsc x --display-name y --key=false --site-coordinates -29.6,-106.3",
        "milestone list wsc -",
        "portfolio report wsc --date 2021年6月30日 --year 2021 --language zh-CN --html -",
        "project create wsc --from-file -",
        "ledger info",
        "ledger info tracker",
        "batch add-members wsc b --member x --member y",
        "event watch --latest --type milestone.achieved --type project.* --count 3",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

/// office.md, section 4: the published rules ship as files, each of which is created as it is.
#[test]
fn office_4_the_files_of_published_warning_policies_are_sent_as_they_are() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/warning-policies");
    for id in ["sy-shortfall", "tj-worst", "wh-ratio", "yc-enrolment", "yc-progress", "yc-start"] {
        let file = data.join(format!("{id}.json"));
        let text = std::fs::read_to_string(&file).unwrap();
        let line = format!("warning-policy create wsc {id} --from-file {}", file.display());
        let sent = requested_with(split(&line), Some((file, text.clone()))).unwrap();
        let field = |name: &str| sent.get_field_by_name(name).unwrap().into_owned();
        let name = ["parent", "warning_policy_id"].map(field);
        assert_eq!(name.map(|part| part.as_str().unwrap().to_owned()), ["portfolios/wsc", id]);
        let policy = field("warning_policy");
        let options = SerializeOptions::new().use_proto_field_name(true);
        let policy = policy.as_message().unwrap();
        let policy = policy.serialize_with_options(serde_json::value::Serializer, &options).unwrap();
        let said: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(policy, said, "{id}");
    }
}

#[test]
fn client_flags_stand_before_the_noun_or_anywhere_after_it_and_the_last_has_its_word() {
    let settings = |line: &str| parse(line).unwrap().client.settings;
    for line in [
        "--endpoint http://a --format json --timeout 1s portfolio list",
        "portfolio --endpoint http://a --format json --timeout 1s list",
        "portfolio list -e http://a -o json --timeout 1s",
        "--endpoint http://b portfolio list --format json --timeout 1s --endpoint http://a",
        "-e http://b event list --format json --timeout 1s --endpoint http://a",
    ] {
        let found = settings(line);
        let found = (found.endpoint.as_deref(), found.format.as_deref(), found.timeout.as_deref());
        assert_eq!(found, (Some("http://a"), Some("json"), Some("1s")), "{line}");
    }
    assert_eq!(settings("portfolio list --utc").utc.as_deref(), Some("true"));
    for line in ["serve all --format json", "demo --endpoint http://a", "completion bash --timeout 1s"] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn a_misspelt_variable_is_refused_by_the_commands_that_would_have_read_it() {
    let check = |line: &str, name: &str| {
        let faults = check_variables([(name.into(), "x".into())], parse(line).unwrap().variables());
        faults.map_err(|faults| faults.to_string())
    };
    let refused = check("project list p", "MILEPOST_ENDPIONT").unwrap_err();
    assert!(refused.contains("did you mean MILEPOST_ENDPOINT?"), "{refused}");
    let refused = check("project list p", "MILEPOST_PRINCIPLE").unwrap_err();
    assert!(refused.contains("did you mean MILEPOST_PRINCIPAL?"), "{refused}");
    let refused = check("journal verify", "MILEPOST_DATADIR").unwrap_err();
    assert!(refused.contains("did you mean MILEPOST_DATA_DIR?"), "{refused}");
    for (line, name) in [
        ("project list p", "MILEPOST_ENDPOINT"),
        ("project list p", "MILEPOST_DATADIR"),
        ("journal verify", "MILEPOST_DATA_DIR"),
        ("demo", "MILEPOST_ENDPIONT"),
    ] {
        assert_eq!(check(line, name), Ok(()), "{line} {name}");
    }
}

#[test]
fn what_is_not_understood_is_refused_before_any_call() {
    for line in [
        "",
        "project",
        "project list wsc --limit 0",
        "event watch --change-selection",
        "event watch --after c --latest",
        "event watch --since yesterday",
        "portfolio list --timeout 0s",
        "portfolio list --format yaml",
        "completion tcsh",
        "portfolio report wsc --date soon",
        "portfolio report wsc --year 21",
        "portfolio report wsc --language not_a_tag",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
    for line in [
        "project get",
        "project list",
        "project create wsc x --level galactic",
        "project suspend wsc x",
        "milestone create wsc x y --baseline 2021-02-30",
        "milestone rebaseline wsc x y --reason z",
        "milestone reforecast wsc x y --reason z",
        "milestone reforecast wsc x y --forecast 2021-05-27 --withdraw",
        "milestone add-evidence wsc x y --title t --uri u",
        "milestone add-evidence wsc x y --title t --uri u --sha256 0",
        "project create wsc x --investment 250亿美",
        "project create wsc x --planned-period 2021-05-27",
        "project create wsc x --funding 'central budget=CNY 1'",
        "project create wsc x --site-coordinates 29.6",
        "project create wsc x --code a",
        "batch create wsc x --declared-count many",
    ] {
        assert!(requested(line).is_err(), "{line}");
    }
    let faults = requested("project create wsc x --investment much --planned-period soon").unwrap_err();
    assert!(faults.contains("--investment much: ") && faults.contains("--planned-period soon: "), "{faults}");
}

#[test]
fn values_are_taken_as_people_write_them() {
    let project = requested(
        "project create wsc x --display-name 轻轨 --investment 0.29亿 --planned-period 2026年9月30日.. \
         --code 'GB/T 40058=2021-1' --party cqu=lead,user --parent-project y --label a=b=c --key \
         --funding 'source=central budget; organization=cqu; amount=5万' --breakdown 'equipment=CNY 1' \
         --site-address 大道 --site-coordinates -29.6,106.3 --level municipal --translation en=Rail"
            .replace("\\\n", "")
            .as_str(),
    )
    .unwrap();
    let project = crate::output::shown(&project);
    insta::assert_snapshot!(crate::output::json::pretty(&crate::output::json::of(&project)));
    let portfolio = requested(
        "portfolio update wsc --holiday 2026-10-01..2026-10-03 --holiday 20261008 --weekday Mon,Tue --make-up-day 2026.10.10",
    )
    .unwrap();
    insta::assert_snapshot!(crate::output::json::line(&crate::output::json::of(&portfolio)));
}

#[test]
fn words_of_enumerations_are_in_the_schema() {
    let mut command = definition();
    command.build();
    for (noun, flags) in [("organization", vec!["kind"]), ("project", vec!["level", "listing"])] {
        let create = command.find_subcommand(noun).unwrap().find_subcommand("create").unwrap();
        for flag in flags {
            let argument = create.get_arguments().find(|argument| argument.get_id() == flag).unwrap();
            let values = argument.get_possible_values();
            assert!(values.len() >= 4);
            for value in values {
                let line = format!("{noun} create wsc x --{flag} {}", value.get_name());
                assert!(parse(&line).is_ok(), "{line}");
            }
        }
    }
}

#[test]
fn a_token_of_a_nearer_place_stands_in_for_those_of_later_ones_and_two_of_one_place_are_refused() {
    let text = |given: &str| Some(given.to_owned());
    for (flags, variables, expected) in [
        ((text("a"), false), (text("b"), true), text("a")),
        ((None, true), (text("b"), false), None),
        ((None, false), (text("b"), false), text("b")),
        ((None, false), (None, true), None),
    ] {
        assert_eq!(token(flags, variables).unwrap(), expected);
    }
    assert!(token((text("a"), true), (None, false)).unwrap_err().to_string().contains("--token-file"));
    let both = token((None, false), (text("b"), true)).unwrap_err().to_string();
    assert!(both.contains("MILEPOST_TOKEN_FILE are both given"), "{both}");
}

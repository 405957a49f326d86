//! The walls of the house: which crate may depend on which, who may name what, and that every file opens
//! with a word on what it is. A wall that is in the way is moved here, in the open, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crate → what it may depend on, of ours. Only downward; services never on one another.
const EDGES: &[(&str, &[&str])] = &[
    ("backup", &["ledger", "types"]),
    ("bench", &["client", "proto", "types"]),
    ("client", &["proto", "types"]),
    ("figures", &["ledger", "proto", "resource", "types"]),
    ("ledger", &["proto", "types"]),
    (
        "milepost",
        &["backup", "client", "ledger", "notifier", "proto", "registry", "service", "tracker", "types"],
    ),
    ("notifier", &["client", "ledger", "proto", "service", "types"]),
    ("proto", &["types"]),
    ("registry", &["figures", "ledger", "proto", "resource", "service", "types"]),
    ("resource", &["ledger", "proto", "service", "types"]),
    ("schedule", &["types"]),
    ("service", &["ledger", "proto", "types"]),
    ("tracker", &["client", "figures", "ledger", "proto", "resource", "schedule", "service", "types"]),
    ("types", &[]),
];

/// What a pure module must not name.
const IMPURE: &[&str] =
    &["tonic", "prost", "prost_types", "tokio", "tokio_stream", "tokio_util", "sled", "milepost_proto"];

/// What a file with rules of resources may name of them: their messages, which are resources only inside `Checked`, and
/// those that are computed of them.
const OF_RESOURCES: &[&str] = &["milepost_proto"];

/// The files of the domain that name messages and no resource: values and sums that rules of resources share.
const OF_MESSAGES: &[&str] = &[
    "crates/registry/src/indicator/value.rs",
    "crates/registry/src/policy/expression/names.rs",
    "crates/registry/src/report/statistics.rs",
    "crates/registry/src/report/tally.rs",
    "crates/tracker/src/template/plan.rs",
    "crates/tracker/src/timeline/pattern.rs",
    "crates/tracker/src/warning/band.rs",
    "crates/tracker/src/warning/light.rs",
    "crates/tracker/src/warning/measure.rs",
];

/// Crates that are pure as a whole.
const PURE_CRATES: &[&str] = &["types", "schedule"];

/// The rooms of a service that meet the outside: everything else in it is domain, and pure.
const OUTER_ROOMS: &[&str] = &[
    "apply", "config", "convert", "decide", "error", "follow", "follower", "grpc", "hub", "lib", "methods",
    "metrics", "service", "stream", "sweep", "tables", "tests",
];

/// What is only compiled for tests, and may name whatever it tests with.
const TEST_ROOMS: &[&str] = &["arbitrary", "tests", "testing"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    files(dir, "rs")
}

/// The files under a directory whose names end so.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().unwrap() != "target" {
                    dirs.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A source without its comments and its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |code, line| code + line + "\n")
}

/// Whether `name` stands in the code as a path or a crate, not inside another word.
fn names(code: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_none_or(|c| !word(c));
        let after = &code[at + name.len()..];
        before && (after.starts_with("::") || (code[..at].ends_with("use ") && after.starts_with(';')))
    })
}

#[test]
fn crates_depend_only_downward() {
    let allowed: BTreeMap<_, _> = EDGES.iter().copied().collect();
    let mut seen = Vec::new();
    for dir in fs::read_dir(root().join("crates")).unwrap() {
        let dir = dir.unwrap().path();
        let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest: toml::Table = fs::read_to_string(dir.join("Cargo.toml")).unwrap().parse().unwrap();
        let allowed = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no edges here"));
        let dependencies = manifest["dependencies"].as_table().unwrap();
        for dependency in dependencies.keys().filter_map(|key| key.strip_prefix("milepost-")) {
            assert!(allowed.contains(&dependency), "{name} must not depend on {dependency}");
        }
        seen.push(name);
    }
    seen.sort();
    assert_eq!(seen, EDGES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn sled_is_named_only_in_the_ledger() {
    for dir in ["crates", "tests"] {
        for path in sources(&root().join(dir)) {
            let inside = path.starts_with(root().join("crates/ledger/src/store"));
            assert!(inside || !names(&code(&path), "sled"), "{} names sled", path.display());
        }
    }
    for (name, _) in EDGES {
        let manifest: toml::Table =
            fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap().parse().unwrap();
        let depends = manifest["dependencies"].as_table().unwrap().contains_key("sled");
        assert_eq!(depends, *name == "ledger", "{name}");
    }
}

#[test]
fn domain_modules_are_pure() {
    let mut domain = Vec::new();
    for name in PURE_CRATES {
        domain.extend(sources(&root().join("crates").join(name).join("src")));
    }
    for name in ["registry", "tracker", "notifier"] {
        let src = root().join("crates").join(name).join("src");
        domain.extend(sources(&src).into_iter().filter(|path| {
            let room = path.strip_prefix(&src).unwrap().components().next().unwrap();
            let room = Path::new(room.as_os_str()).with_extension("");
            !OUTER_ROOMS.contains(&room.to_str().unwrap())
        }));
    }
    domain.retain(|path| {
        !path.strip_prefix(root()).unwrap().components().any(|part| {
            TEST_ROOMS.iter().any(|room| Path::new(part.as_os_str()).with_extension("") == Path::new(room))
        })
    });
    assert!(domain.len() > 30, "the domain was found");
    let mut listed: BTreeSet<_> = OF_MESSAGES.iter().copied().collect();
    for path in domain {
        let code = code(&path);
        let is_listed = listed.remove(path.strip_prefix(root()).unwrap().to_str().unwrap());
        let of_resources = names(&code, "milepost_resource") || is_listed;
        for name in IMPURE.iter().filter(|name| !(of_resources && OF_RESOURCES.contains(name))) {
            assert!(!names(&code, name), "{} is domain and names {name}", path.display());
        }
        assert!(!is_listed || names(&code, "milepost_proto"), "{} names no message", path.display());
    }
    assert!(listed.is_empty(), "these are no files of the domain: {listed:?}");
}

/// The event types that stand as whole literals in a code.
fn event_types(code: &str) -> impl Iterator<Item = String> {
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let rests = code.split("\"milepost.").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0));
    let types =
        rests.filter(move |rest| rest.split_once('.').is_some_and(|(noun, verb)| word(noun) && word(verb)));
    types.map(|rest| format!("milepost.{rest}"))
}

#[test]
fn the_list_of_event_types_is_what_the_services_make() {
    // Those that every resource has are generated from the schemas.
    let standard = milepost_proto::resource::STANDARD_EVENT_TYPES;
    let mut made: BTreeSet<_> = standard.iter().map(|kind| (*kind).to_owned()).collect();
    for name in ["registry", "tracker", "notifier", "service"] {
        let paths = sources(&root().join("crates").join(name).join("src"));
        let is_test = |path: &Path| {
            path.strip_prefix(root()).unwrap().components().any(|part| {
                TEST_ROOMS
                    .iter()
                    .any(|room| Path::new(part.as_os_str()).with_extension("") == Path::new(room))
            })
        };
        for path in paths.iter().filter(|path| !is_test(path)) {
            let code = code(path);
            made.extend(event_types(&code));
            assert!(!code.contains("\"milepost.{"), "{} puts a type together", path.display());
        }
    }
    let listed: BTreeSet<_> =
        milepost_types::event_type::EVENT_TYPES.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(made, listed);
}

#[test]
fn every_file_opens_with_what_it_is() {
    for dir in ["crates", "tests"] {
        for path in sources(&root().join(dir)) {
            let text = fs::read_to_string(&path).unwrap();
            let first = text.lines().next().unwrap_or_default();
            let said = first.strip_prefix("//! ").unwrap_or_default();
            assert!(said.split_whitespace().count() >= 3, "{} opens without a word", path.display());
        }
    }
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    let allowed = [
        ".ci",
        ".config",
        ".git",
        ".github",
        ".gitignore",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "clippy.toml",
        "crates",
        "deny.toml",
        "deploy",
        "proto",
        "rust-toolchain.toml",
        "rustfmt.toml",
        "target",
        "tests",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(allowed.contains(&name.to_str().unwrap()), "{name:?} does not belong at the top level");
    }
}

/// Who cites the rules of the office does it in one way, `office.md, section N`, and cites a section that there is.
#[test]
fn what_cites_the_office_names_a_section_of_it() {
    let office = fs::read_to_string(root().join("proto/office.md")).unwrap();
    let is_section = |number: &str| office.contains(&format!("\n## {number} "));
    let mut citing = files(&root().join("proto/milepost"), "proto");
    ["crates", "tests"].iter().for_each(|dir| citing.extend(sources(&root().join(dir))));
    let mut citations = 0;
    for path in citing.iter().filter(|path| !path.ends_with("architecture.rs")) {
        let text = fs::read_to_string(path).unwrap();
        for (_, cited) in text.match_indices("office.md").map(|(at, name)| text.split_at(at + name.len())) {
            // A comment may go on in its next line.
            let words: Vec<_> =
                cited.split_whitespace().filter(|word| !word.starts_with("//")).take(5).collect();
            let number = |word: &str| word.trim_end_matches(|end: char| !end.is_ascii_digit()).to_owned();
            let sections = match words[..] {
                [",", "section", first, ..] => vec![number(first)],
                [",", "sections", first, "and" | "to", last, ..] => vec![number(first), number(last)],
                _ => Vec::new(),
            };
            let is_one = !sections.is_empty() && sections.iter().all(|section| is_section(section));
            assert!(is_one, "{} cites {:?}", path.display(), words.join(" "));
            citations += 1;
        }
        let mut others = text.split("Office ").skip(1).filter_map(|cited| cited.lines().next());
        let other = others.find(|cited| cited.starts_with(|c: char| c.is_ascii_digit()));
        assert_eq!(other, None, "{} cites Office so", path.display());
    }
    assert!(citations > 100, "only {citations} citations are found");
}

#[test]
fn links_of_documents_lead_somewhere() {
    for document in ["README.md", "proto/README.md", "proto/office.md"] {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        // In backticks it may be the end of a pattern: `[a-z]([a-z0-9-]{0,61}[a-z0-9])?`.
        for target in targets.filter(|target| !target.contains("://") && !target.contains('{')) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(file.exists(), "{document} links to {target}");
            if !heading.is_empty() {
                let text = fs::read_to_string(&file).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(headings.any(|of| of == heading), "{document} links to {target}");
            }
        }
    }
}

/// What a heading is linked to by.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

//! Names on a line that is being typed: what they can go on with, as the server that the line is for says.
//!
//! Invariants: what is typed is understood as it will be when it is run; a part that is not is left out. What is offered
//! makes a name that the command reads as the name of what is offered. The server is asked until a deadline only.

use std::collections::HashSet;
use std::ffi::OsString;
use std::time::Duration;

use bytes::Bytes;
use clap::ArgMatches;
use clap_complete::CompletionCandidate;
use http::uri::PathAndQuery;
use prost::Message;
use prost_reflect::{DynamicMessage, Value};
use tokio::runtime::Builder;
use tokio::time::timeout;
use tonic::Request;

use super::super::session::Session;
use super::super::{ClientArgs, definition, flags};
use crate::schema::{self, Resource, resources};

/// How long a shell waits for the server: with the rest, less than a second.
const PATIENCE: Duration = Duration::from_millis(900);
/// How many ids are of use.
const LIMIT: i32 = 100;

/// The words before the one that is completed.
#[derive(Debug)]
pub struct Line(ArgMatches);

impl Line {
    /// The line of these words; the first is the name of the program.
    pub fn new(words: &[OsString]) -> Self {
        Self(definition().ignore_errors(true).try_get_matches_from(words).unwrap_or_default())
    }

    /// The commands on it, from the left, each with what stands after it.
    fn levels(&self) -> impl Iterator<Item = (&str, &ArgMatches)> {
        std::iter::successors(Some(("", &self.0)), |(_, matches)| matches.subcommand())
    }

    /// The names of the commands on it: `project`, `get`.
    pub fn path(&self) -> Vec<&str> {
        self.levels().skip(1).map(|(name, _)| name).collect()
    }

    /// The pieces of the name that a verb is given.
    pub fn pieces(&self) -> Vec<String> {
        self.levels().last().map(|(_, matches)| flags::texts(matches, "name")).unwrap_or_default()
    }

    /// What the server has to offer for a word, by the steps that the session's defaults lead to.
    pub fn ask(&self, word: &str, steps: impl FnOnce(&Session) -> Vec<Step>) -> Vec<CompletionCandidate> {
        let mut found = Vec::new();
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return found };
        let all = async {
            let session = ClientArgs::of(&self.0).session().ok()?;
            for step in steps(&session) {
                found.extend(step.candidates(&session, word).await.into_iter().flatten());
            }
            Some(())
        };
        let _ = runtime.block_on(async { timeout(PATIENCE, all).await });
        // What still waits, for an address say, does not keep the process.
        runtime.shutdown_background();
        // Across parents, the same id is found more than once.
        let mut seen = HashSet::new();
        found.retain(|candidate: &CompletionCandidate| seen.insert(candidate.get_value().to_owned()));
        found
    }
}

/// A part of a name that the server is asked for.
#[derive(Debug)]
pub struct Step {
    /// Whose ids.
    pub resource: &'static Resource,
    /// Under what; empty at the top.
    parent: String,
    /// What stands before an id in its full name.
    full: String,
    /// What stands before it in the same word.
    before: String,
    /// What stands behind it.
    after: &'static str,
}

impl Step {
    /// What a name in these collections can go on with: after the ids that are `known`, or as a full name, which the
    /// word may be in any case. The rest of the name may have to stand in `one_word` with it.
    pub fn new(kind: &[String], known: Option<&[&str]>, word: &str, one_word: bool) -> Option<Self> {
        let (typed, _) = word.rsplit_once('/').unwrap_or(("", word));
        let typed: Vec<&str> = typed.split_terminator('/').collect();
        let is_full = !typed.is_empty() && kind.first().is_some_and(|first| first == typed[0]);
        let known = known.filter(|_| !is_full);
        let ids: Vec<&str> = match known {
            Some(known) => known.iter().chain(&typed).copied().collect(),
            None => typed.chunks_exact(2).map(|pair| pair[1]).collect(),
        };
        let path = kind.get(..=ids.len())?;
        let resource = resources().iter().find(|resource| resource.is_named_in(path))?;
        let above: String = path.iter().zip(&ids).map(|(name, id)| format!("{name}/{id}/")).collect();
        let full = format!("{above}{}/", path.last()?);
        let before = match known {
            Some(_) => word[..word.rfind('/').map_or(0, |slash| slash + 1)].to_owned(),
            None => full.clone(),
        };
        let goes_on = path.len() < kind.len() && (one_word || !before.is_empty());
        let (parent, after) = (above.trim_end_matches('/').to_owned(), if goes_on { "/" } else { "" });
        let fits = word.starts_with(&before) || before.starts_with(word);
        fits.then_some(Self { resource, parent, full, before, after })
    }

    /// What a name of what floats can go on with after the ids that are `known`: its own ids at this depth, or those of
    /// what is above it deeper.
    pub fn floating(resource: &Resource, known: &[&str], word: &str) -> Vec<Self> {
        let depths = 1..=resource.collections.len();
        let kinds = depths.map(|ids| resource.collections_of(ids).cloned().collect::<Vec<_>>());
        let mut steps: Vec<_> = kinds.filter_map(|kind| Self::new(&kind, Some(known), word, false)).collect();
        // Two depths begin alike.
        steps.dedup_by(|next, step| next.full == step.full);
        steps
    }

    /// What the server has for a word; nothing if it does not answer.
    pub async fn candidates(&self, session: &Session, word: &str) -> Option<Vec<CompletionCandidate>> {
        let list = self.resource.verb("list")?;
        let mut request = DynamicMessage::new(list.method.input());
        for (field, value) in [
            ("parent", Value::String(self.parent.clone())),
            ("filter", Value::String(self.filter(word))),
            ("page_size", Value::I32(LIMIT)),
        ] {
            if list.takes(field) {
                request.set_field_by_name(field, value);
            }
        }
        let service = list.method.parent_service();
        let path = PathAndQuery::try_from(format!("/{}/{}", service.full_name(), list.method.name())).ok()?;
        let request = Request::new(Bytes::from(request.encode_to_vec()));
        let response = session.client().unary(schema::ledger(service), path, request).await.ok()?;
        let response = DynamicMessage::decode(list.method.output(), response.into_inner()).ok()?;
        let listed = response.get_field(&list.listed()?);
        let candidate = |message: &DynamicMessage| {
            let text = |field| Some(message.get_field_by_name(field)?.as_str()?.to_owned());
            let name = format!("{}{}{}", self.before, text("name")?.rsplit('/').next()?, self.after);
            let help = text("display_name").map(Into::into);
            name.starts_with(word).then(|| CompletionCandidate::new(name).help(help))
        };
        Some(listed.as_list()?.iter().filter_map(Value::as_message).filter_map(candidate).collect())
    }

    /// The filter for what begins as the word does. Across parents, names begin differently; of what floats, those of
    /// deeper parents are listed too.
    fn filter(&self, word: &str) -> String {
        match word.strip_prefix(&self.before).unwrap_or_default() {
            _ if self.parent.contains("/-") => String::new(),
            "" if !self.resource.floats => String::new(),
            part => format!("name = \"{}{part}*\"", self.full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::resource;

    /// What is asked for: `noun under parent`, with what stands around an id as `before*after`.
    fn shown(step: Option<Step>) -> String {
        let Some(step) = step else { return "nothing".to_owned() };
        format!("{} in {:?} as {}*{}", step.resource.noun, step.parent, step.before, step.after)
    }

    fn name(noun: &str, known: &[&str], word: &str) -> String {
        shown(Step::new(&resource(noun).unwrap().collections, Some(known), word, false))
    }

    #[test]
    fn a_name_goes_on_id_by_id_in_words_or_with_slashes() {
        assert_eq!(name("project", &[], ""), r#"portfolio in "" as *"#);
        assert_eq!(name("project", &["w"], "s"), r#"project in "portfolios/w" as *"#);
        assert_eq!(name("project", &[], "w/s"), r#"project in "portfolios/w" as w/*"#);
        assert_eq!(name("milestone", &["w"], "p/"), r#"milestone in "portfolios/w/projects/p" as p/*"#);
        assert_eq!(name("milestone", &[], "w/p"), r#"project in "portfolios/w" as w/*/"#);
        assert_eq!(name("project", &["w", "p"], ""), "nothing");
        let one_word = Step::new(&resource("project").unwrap().collections, Some(&[]), "", true);
        assert_eq!(shown(one_word), r#"portfolio in "" as */"#);
    }

    #[test]
    fn what_floats_is_asked_for_at_each_depth_and_without_what_is_deeper() {
        let steps = |known: &[&str], word: &str| -> Vec<String> {
            let steps = Step::floating(resource("grant").unwrap(), known, word);
            steps
                .iter()
                .map(|step| format!("{} in {:?} {}", step.resource.noun, step.parent, step.filter(word)))
                .collect()
        };
        assert_eq!(steps(&[], ""), [r#"grant in "" name = "grants/*""#, r#"portfolio in "" "#]);
        let below = [
            r#"grant in "portfolios/w" name = "portfolios/w/grants/v*""#,
            r#"project in "portfolios/w" name = "portfolios/w/projects/v*""#,
        ];
        assert_eq!(steps(&["w"], "v"), below);
        let deepest = r#"grant in "portfolios/w/projects/p" name = "portfolios/w/projects/p/grants/*""#;
        assert_eq!(steps(&["w", "p"], ""), [deepest]);
        assert!(steps(&["w", "p", "g"], "").is_empty());
    }

    #[test]
    fn a_full_name_goes_on_as_one() {
        for word in ["portfolios/w/", "portfolios/w/pro", "portfolios/w/projects/s"] {
            let project = r#"project in "portfolios/w" as portfolios/w/projects/*"#;
            assert_eq!(name("project", &["o"], word), project, "{word}");
        }
        assert_eq!(name("project", &[], "portfolios/"), r#"portfolio in "" as portfolios/*/"#);
        assert_eq!(name("project", &[], "portfolios/w/projects/s/"), "nothing");
        let full = |word| shown(Step::new(&resource("portfolio").unwrap().collections, None, word, true));
        assert_eq!(full("port"), r#"portfolio in "" as portfolios/*"#);
        assert_eq!(full("planets/"), "nothing");
    }

    #[test]
    fn the_server_is_asked_for_what_begins_so_where_a_filter_can_say_it() {
        let filter = |word: &str, known: &[&str]| {
            let step = Step::new(&resource("project").unwrap().collections, Some(known), word, false);
            step.unwrap().filter(word)
        };
        assert_eq!(filter("sc", &["w"]), r#"name = "portfolios/w/projects/sc*""#);
        assert_eq!(filter("w/sc", &[]), r#"name = "portfolios/w/projects/sc*""#);
        assert_eq!(filter("portfolios/w/projects/sc", &[]), r#"name = "portfolios/w/projects/sc*""#);
        for (word, known) in [("", ["w"]), ("s", ["-"])] {
            assert_eq!(filter(word, &known), "", "{word:?}");
        }
    }
}

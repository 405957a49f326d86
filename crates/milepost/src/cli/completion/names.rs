//! What can stand next in a name that is being typed: the ids of resources under a parent.
//!
//! Invariant: what is offered makes a name that the command reads as the name of what is offered.

use bytes::Bytes;
use clap_complete::CompletionCandidate;
use http::uri::PathAndQuery;
use prost::Message;
use prost_reflect::{DynamicMessage, Value};
use tonic::Request;

use super::super::name::PORTFOLIOS;
use super::super::session::Session;
use crate::schema::{self, Resource, resources};

/// A part of a name that the server is asked for.
#[derive(Debug)]
pub struct Step {
    /// What stands before it in the same word.
    pub before: String,
    /// Whose ids.
    pub resource: &'static Resource,
    /// Under what; empty at the top.
    pub parent: String,
    /// What stands behind it.
    pub after: &'static str,
    /// Whether only deleted ones are of use.
    pub deleted: bool,
}

/// What a name in these collections can go on with, after the pieces before the word; also in the default portfolio.
pub fn of_name(kind: &'static [String], pieces: &[String], word: &str, portfolio: Option<&str>) -> Vec<Step> {
    if is_full(kind, word) {
        return of_full(Some(kind), word);
    }
    let pieces: Vec<&str> = pieces.iter().flat_map(|piece| piece.split('/')).collect();
    let default = portfolio.filter(|_| kind.first().is_some_and(|first| first == PORTFOLIOS));
    let within = default.and_then(|portfolio| next_id(kind, &[&[portfolio], &pieces[..]].concat(), word));
    within.into_iter().chain(next_id(kind, &pieces, word)).collect()
}

/// What a reference can go on with; what its ids lack is as in the name that it stands in.
pub fn of_reference(kind: &'static [String], from: &str, word: &str) -> Vec<Step> {
    if is_full(kind, word) {
        return of_full(Some(kind), word);
    }
    let from: Vec<&str> = from.split('/').collect();
    let shared = from.chunks_exact(2).zip(kind).take_while(|(pair, name)| pair[0] == *name);
    let lacking = (kind.len() - 1).saturating_sub(word.matches('/').count());
    let known: Vec<&str> = shared.map(|(pair, _)| pair[1]).take(lacking).collect();
    let step = next_id(kind, &known, word).into_iter();
    step.map(|step| Step { after: "/", ..step }).collect()
}

/// What a full name can go on with: one in these collections, or in any.
pub fn of_full(kind: Option<&'static [String]>, word: &str) -> Vec<Step> {
    let whole = word.matches('/').count() / 2;
    let above: Vec<&str> = word.split('/').take(2 * whole).collect();
    let fits = |resource: &&Resource| {
        let names = resource.collections.iter().zip(above.iter().step_by(2));
        resource.collections.len() == whole + 1
            && kind.is_none_or(|kind| kind.starts_with(&resource.collections))
            && names.into_iter().all(|(name, typed)| name == typed)
    };
    let step = |resource: &'static Resource| {
        let after = if kind.is_some_and(|kind| kind.len() > whole + 1) { "/" } else { "" };
        Step { before: String::new(), resource, parent: above.join("/"), after, deleted: false }.in_full()
    };
    resources().iter().filter(fits).map(step).collect()
}

fn is_full(kind: &[String], word: &str) -> bool {
    word.split_once('/').is_some_and(|(first, _)| kind.first().is_some_and(|name| name == first))
}

/// The id after those that are known and those that are in the word.
fn next_id(kind: &'static [String], known: &[&str], word: &str) -> Option<Step> {
    let before = &word[..word.rfind('/').map_or(0, |slash| slash + 1)];
    let ids: Vec<&str> = known.iter().copied().chain(before.split_terminator('/')).collect();
    let path = kind.get(..=ids.len())?;
    let resource = resources().iter().find(|resource| resource.collections == path)?;
    let parent = path.iter().zip(&ids).map(|(name, id)| format!("{name}/{id}")).collect::<Vec<_>>().join("/");
    let after = if path.len() < kind.len() && !before.is_empty() { "/" } else { "" };
    Some(Step { before: before.to_owned(), resource, parent, after, deleted: false })
}

impl Step {
    /// The same step, with the full name before the id.
    pub fn in_full(self) -> Self {
        let collection = self.resource.collections.last().map(String::as_str).unwrap_or_default();
        let slash = if self.parent.is_empty() { "" } else { "/" };
        Self { before: format!("{}{slash}{collection}/", self.parent), ..self }
    }

    /// What the server has for a word, at most so many.
    pub async fn candidates(
        &self,
        session: &Session,
        word: &str,
        limit: usize,
    ) -> Option<Vec<CompletionCandidate>> {
        let text = |message: &DynamicMessage, field: &str| {
            message
                .get_field_by_name(field)
                .and_then(|text| text.as_str().map(str::to_owned))
                .unwrap_or_default()
        };
        let candidate = |message: &DynamicMessage| {
            let name = text(message, "name");
            let name = format!("{}{}{}", self.before, name.rsplit('/').next()?, self.after);
            name.starts_with(word)
                .then(|| CompletionCandidate::new(name).help(Some(text(message, "display_name").into())))
        };
        let list = self.resource.verb("list")?;
        let mut request = DynamicMessage::new(list.method.input());
        for (field, value) in [
            ("parent", Value::String(self.parent.clone())),
            ("filter", Value::String(self.filter(word))),
            ("show_deleted", Value::Bool(self.deleted)),
            ("page_size", Value::I32(i32::try_from(limit).ok()?)),
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
        Some(listed.as_list()?.iter().filter_map(Value::as_message).filter_map(candidate).collect())
    }

    /// The filter for what begins as the word does.
    fn filter(&self, word: &str) -> String {
        let part = word.strip_prefix(&self.before).unwrap_or_default();
        // Signs of the language of filters are in no id. Across parents, names begin differently.
        let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let named = (is_plain && !part.is_empty() && !self.parent.contains("/-")).then(|| {
            let full = Self { before: String::new(), parent: self.parent.clone(), ..*self }.in_full().before;
            format!("name = \"{full}{part}*\"")
        });
        named
            .into_iter()
            .chain(self.deleted.then(|| "delete_time:*".to_owned()))
            .collect::<Vec<_>>()
            .join(" AND ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::resource;

    /// What is asked for: `noun under parent`, with what stands around an id as `before*after`.
    fn shown(steps: &[Step]) -> Vec<String> {
        let show = |step: &Step| {
            format!("{} in {:?} as {}*{}", step.resource.noun, step.parent, step.before, step.after)
        };
        steps.iter().map(show).collect()
    }

    fn name(noun: &str, pieces: &[&str], word: &str, portfolio: Option<&str>) -> Vec<String> {
        let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        shown(&of_name(&resource(noun).unwrap().collections, &pieces, word, portfolio))
    }

    #[test]
    fn a_name_goes_on_id_by_id_in_words_or_with_slashes() {
        assert_eq!(name("project", &[], "", None), [r#"portfolio in "" as *"#]);
        assert_eq!(name("project", &["w"], "s", None), [r#"project in "portfolios/w" as *"#]);
        assert_eq!(name("project", &[], "w/s", None), [r#"project in "portfolios/w" as w/*"#]);
        assert_eq!(
            name("milestone", &["w"], "p/", None),
            [r#"milestone in "portfolios/w/projects/p" as p/*"#]
        );
        assert_eq!(name("milestone", &[], "w/p", None), [r#"project in "portfolios/w" as w/*/"#]);
        assert!(name("project", &["w", "p"], "", None).is_empty());
    }

    #[test]
    fn a_default_portfolio_stands_before_what_is_typed_too() {
        let both = [r#"project in "portfolios/w" as *"#, r#"portfolio in "" as *"#];
        assert_eq!(name("project", &[], "", Some("w")), both);
        assert_eq!(name("project", &["o"], "", Some("w")), [r#"project in "portfolios/o" as *"#]);
        assert_eq!(name("organization", &[], "", Some("w")), [r#"organization in "" as *"#]);
        assert_eq!(name("portfolio", &[], "", Some("w")), [r#"portfolio in "" as *"#]);
    }

    #[test]
    fn a_full_name_goes_on_as_one() {
        let project = [r#"project in "portfolios/w" as portfolios/w/projects/*"#];
        for word in ["portfolios/w/", "portfolios/w/pro", "portfolios/w/projects/s"] {
            assert_eq!(name("project", &[], word, None), project, "{word}");
        }
        assert_eq!(name("project", &[], "portfolios/", None), [r#"portfolio in "" as portfolios/*/"#]);
        assert!(name("project", &[], "portfolios/w/projects/s/", None).is_empty());
        let any: Vec<_> =
            of_full(None, "portfolios/w/").iter().map(|step| step.resource.noun.clone()).collect();
        assert!(any.contains(&"project".to_owned()) && any.contains(&"batch".to_owned()), "{any:?}");
        assert!(of_full(None, "planets/w/").is_empty());
    }

    #[test]
    fn what_a_reference_lacks_is_known_from_the_name_that_it_stands_in() {
        let to = |noun: &str, from: &str, word: &str| {
            shown(&of_reference(&resource(noun).unwrap().collections, from, word))
        };
        let batch = "portfolios/w/batches/b";
        assert_eq!(to("project", batch, ""), [r#"project in "portfolios/w" as */"#]);
        assert_eq!(to("project", "", ""), [r#"portfolio in "" as */"#]);
        assert_eq!(to("project", batch, "o/"), [r#"project in "portfolios/o" as o/*/"#]);
        assert_eq!(to("organization", batch, ""), [r#"organization in "" as */"#]);
    }

    #[test]
    fn the_server_is_asked_for_what_begins_so_where_a_filter_can_say_it() {
        let filter = |word: &str, pieces: &[&str]| {
            let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
            of_name(&resource("project").unwrap().collections, &pieces, word, None)
                .pop()
                .unwrap()
                .filter(word)
        };
        assert_eq!(filter("sc", &["w"]), r#"name = "portfolios/w/projects/sc*""#);
        assert_eq!(filter("w/sc", &[]), r#"name = "portfolios/w/projects/sc*""#);
        assert_eq!(filter("portfolios/w/projects/sc", &[]), r#"name = "portfolios/w/projects/sc*""#);
        for (word, pieces) in [("", ["w"]), ("s", ["-"]), ("s\"", ["w"])] {
            assert_eq!(filter(word, &pieces), "", "{word:?}");
        }
        let deleted = of_name(&resource("project").unwrap().collections, &["w".to_owned()], "", None).pop();
        let deleted = Step { deleted: true, ..deleted.unwrap() };
        assert_eq!(deleted.filter("s"), r#"name = "portfolios/w/projects/s*" AND delete_time:*"#);
    }
}

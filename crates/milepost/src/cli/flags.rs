//! Flags that many verbs share: what is named, how it is guarded, what is listed, what is read from a file.
//!
//! Invariant: a flag means the same everywhere. A list replaces, it does not add to, what the resource has.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use prost_types::FieldMask;

use super::name::Kind;
use super::{input, value};
use crate::error::Error;
use crate::output::json;
use crate::output::resource::Resource;

/// Which resource.
#[derive(Debug, Clone, Args)]
pub struct Name {
    /// The resource, by its full name or by its ids, as in PORTFOLIO PROJECT or PORTFOLIO/PROJECT
    #[arg(value_name = "NAME", required = true)]
    pub name: Vec<String>,
}

/// The resource to be.
#[derive(Debug, Clone, Args)]
pub struct NewName {
    /// The resource to be, by its full name or by its ids, as in PORTFOLIO PROJECT; without its own id the server makes one
    #[arg(value_name = "NAME")]
    pub name: Vec<String>,
}

/// What to list in.
#[derive(Debug, Clone, Args)]
pub struct Parent {
    /// The parent, by its full name or by its ids; `-` as an id reads across all
    #[arg(value_name = "PARENT", required = true)]
    pub parent: Vec<String>,
}

/// How a write is guarded.
#[derive(Debug, Clone, Default, Args)]
pub struct Writing {
    /// Makes sending the same command again safe: it answers with the first outcome [default: a new one]
    #[arg(long, value_name = "ID", help_heading = "Writing")]
    pub request_id: Option<String>,
    /// Checks everything and answers the outcome, but changes nothing
    #[arg(long, help_heading = "Writing")]
    pub validate_only: bool,
}

impl Writing {
    /// The field of a request.
    pub fn request_id(&self) -> String {
        self.request_id.clone().unwrap_or_default()
    }
}

/// An act on one resource.
#[derive(Debug, Clone, Args)]
pub struct On {
    #[command(flatten)]
    name: Name,
    /// Acts only if this is the current etag
    #[arg(long, help_heading = "Writing")]
    pub etag: Option<String>,
    #[command(flatten)]
    pub writing: Writing,
}

impl On {
    /// The resource's full name.
    ///
    /// # Errors
    /// If the pieces name none.
    pub fn name(&self, kind: &Kind) -> Result<String, Error> {
        kind.name(&self.name.name)
    }

    /// The field of a request.
    pub fn etag(&self) -> String {
        self.etag.clone().unwrap_or_default()
    }
}

/// How a read waits.
#[derive(Debug, Clone, Default, Args)]
pub struct Reading {
    /// Waits until this revision, which a write answered, is here; may be given for each ledger
    #[arg(long, value_name = "REVISION", help_heading = "Reading")]
    pub min_revision: Vec<String>,
}

/// What is listed.
#[derive(Debug, Clone, Args)]
pub struct Listing {
    /// Only those that match, after AIP-160; --help ends with examples
    #[arg(long, default_value = "", hide_default_value = true, help_heading = "Reading")]
    pub filter: String,
    /// By what to order, and `desc` after it for the other way round; --help ends with examples [default: name]
    #[arg(long, default_value = "", hide_default_value = true, help_heading = "Reading")]
    pub order_by: String,
    /// Lists deleted ones too
    #[arg(long, help_heading = "Reading")]
    pub show_deleted: bool,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub reading: Reading,
}

/// How much is listed.
#[derive(Debug, Clone, Args)]
pub struct Limit {
    /// How many at most; pages are followed until then [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Reading")]
    pub limit: Option<u64>,
}

/// A resource from a file; flags have the last word.
#[derive(Debug, Clone, Default, Args)]
pub struct Source {
    /// The resource as proto3 JSON, as `get --format json` prints it; `-` reads standard input
    #[arg(long, value_name = "FILE", help_heading = "Fields")]
    pub from_file: Option<PathBuf>,
}

/// What an update takes over.
#[derive(Debug, Clone, Default, Args)]
pub struct Changing {
    /// Empties this field; may be given often
    #[arg(long, value_name = "FIELD", help_heading = "Fields")]
    pub clear: Vec<String>,
    /// Takes over exactly these fields, joined by commas [default: those that are given]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', help_heading = "Fields")]
    pub update_mask: Vec<String>,
}

/// A display name in all its languages.
#[derive(Debug, Clone, Default, Args)]
pub struct Naming {
    /// What people call it
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    pub display_name: Option<String>,
    /// The display name in another language, as in en="Science Avenue"; may be given often; an update replaces all that there are
    #[arg(long, value_name = "LANGUAGE=TEXT", value_parser = value::pair, help_heading = "Fields")]
    pub translation: Vec<(String, String)>,
}

/// Free labels.
#[derive(Debug, Clone, Default, Args)]
pub struct Labels {
    /// A label; may be given often; an update replaces all that there are
    #[arg(long, value_name = "KEY=VALUE", value_parser = value::pair, help_heading = "Fields")]
    pub label: Vec<(String, String)>,
}

/// A resource in the making, and which of its fields were given.
#[derive(Debug)]
pub struct Draft<R> {
    /// The resource.
    pub resource: R,
    given: Vec<String>,
}

impl<R: Resource> Draft<R> {
    /// What the file holds, or nothing.
    ///
    /// # Errors
    /// If the file cannot be read, or is not the JSON of such a resource.
    pub async fn read(source: &Source) -> Result<Self, Error>
    where
        R: milepost_proto::resource::Resource,
    {
        let Some(path) = &source.from_file else {
            return Ok(Self { resource: R::default(), given: Vec::new() });
        };
        let text = input::text(path).await?;
        let resource: R = json::resource_from_text(R::FIELD, &text).map_err(|source| Error::Json {
            path: path.clone(),
            message: R::MESSAGE,
            source,
        })?;
        let given = json::changeable(&resource);
        Ok(Self { resource, given })
    }

    /// Takes over a value that was given.
    pub fn set<T>(&mut self, field: &str, value: Option<T>, put: impl FnOnce(&mut R, T)) {
        if let Some(value) = value {
            put(&mut self.resource, value);
            self.given.push(field.to_owned());
        }
    }

    /// Takes over several values, if any were given, in place of those of the file.
    pub fn set_all<T>(&mut self, field: &str, values: Vec<T>, put: impl FnOnce(&mut R, Vec<T>)) {
        self.set(field, Some(values).filter(|values| !values.is_empty()), put);
    }

    /// Takes over pairs, if any were given, over those of the file.
    pub fn set_map(
        &mut self,
        field: &str,
        pairs: Vec<(String, String)>,
        map: impl FnOnce(&mut R) -> &mut BTreeMap<String, String>,
    ) {
        self.set_all(field, pairs, |resource, pairs| map(resource).extend(pairs));
    }

    /// Leaves out of an update what the file has but an update does not change.
    pub fn leave_out(&mut self, field: &str) {
        self.given.retain(|given| given != field);
    }

    /// Whether a field, or a part of it, was given.
    fn gives(&self, field: &str) -> bool {
        let part = |given: &String| given.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'));
        self.given.iter().any(|given| given == field || part(given))
    }

    /// The fields that an update takes over.
    ///
    /// # Errors
    /// If there are none.
    pub fn mask(&self, changing: &Changing) -> Result<FieldMask, Error> {
        let mut paths =
            if changing.update_mask.is_empty() { self.given.clone() } else { changing.update_mask.clone() };
        paths.extend(changing.clear.iter().cloned());
        paths.sort();
        paths.dedup();
        // A part goes with its whole.
        let wholes = paths.clone();
        paths.retain(|path| {
            path.split_once('.').is_none_or(|(whole, _)| !wholes.iter().any(|path| path == whole))
        });
        if paths.is_empty() {
            return Err(Error::Usage("nothing to change: give a field, --clear or --from-file".to_owned()));
        }
        if let Some(field) = changing.clear.iter().find(|field| self.gives(field)) {
            return Err(Error::Usage(format!("{field} is both given and cleared")));
        }
        Ok(FieldMask { paths })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_proto::registry::v1::Project;

    fn file(text: &str) -> (tempfile::NamedTempFile, Source) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let source = Source { from_file: Some(file.path().to_owned()) };
        (file, source)
    }

    #[tokio::test]
    async fn flags_have_the_last_word_over_the_file() {
        let (_file, source) =
            file(r#"{"displayName": "科学大道", "purpose": "a road", "labels": {"a": "1"}, "etag": "7"}"#);
        let mut draft = Draft::<Project>::read(&source).await.unwrap();
        draft.set("display_name", Some("科学谷".to_owned()), |project, name| project.display_name = name);
        draft.set("scale", None::<String>, |project, scale| project.scale = scale);
        draft.set_map("labels", vec![("b".into(), "2".into())], |project| &mut project.labels);
        assert_eq!(draft.resource.display_name, "科学谷");
        assert_eq!(draft.resource.labels.len(), 2);
        assert_eq!(draft.resource.etag, "7");
        let mask = draft.mask(&Changing::default()).unwrap();
        assert_eq!(mask.paths, ["display_name", "labels", "purpose"]);
    }

    #[tokio::test]
    async fn fields_are_cleared_by_name_and_never_both_given_and_cleared() {
        let mut draft = Draft::<Project>::read(&Source::default()).await.unwrap();
        let clear = |field: &str| Changing { clear: vec![field.to_owned()], ..Default::default() };
        assert_eq!(draft.mask(&clear("investment")).unwrap().paths, ["investment"]);
        assert!(matches!(draft.mask(&Changing::default()), Err(Error::Usage(_))));
        draft.set("scale", Some(String::new()), |project, scale| project.scale = scale);
        assert_eq!(draft.mask(&Changing::default()).unwrap().paths, ["scale"]);
        assert!(matches!(draft.mask(&clear("scale")), Err(Error::Usage(_))));
        let exactly = Changing { update_mask: vec!["*".to_owned()], ..Default::default() };
        assert_eq!(draft.mask(&exactly).unwrap().paths, ["*"]);
    }

    #[tokio::test]
    async fn a_file_that_is_no_such_resource_is_told_with_its_place() {
        let (_file, source) = file("{\"colour\": 1}");
        let error = Draft::<Project>::read(&source).await.unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().ends_with("is not the JSON of a milepost.registry.v1.Project"), "{error}");
        let missing = Source { from_file: Some("/nowhere/x.json".into()) };
        assert!(matches!(Draft::<Project>::read(&missing).await, Err(Error::Read { .. })));
    }
}

//! Names as people type them: the full name, or the ids one after another.
//!
//! `portfolios/wsc/projects/avenue`, `wsc/avenue` and `wsc avenue` are one project. Whether an id is well
//! formed is checked by the server: its rules are not repeated here.

use crate::error::Error;

/// A kind of resource, by the collections in its name.
#[derive(Debug)]
pub struct Kind {
    /// What it is called.
    noun: &'static str,
    collections: &'static [&'static str],
}

/// `portfolios/{portfolio}`
pub const PORTFOLIO: Kind = Kind { noun: "portfolio", collections: &["portfolios"] };
/// `organizations/{organization}`
pub const ORGANIZATION: Kind = Kind { noun: "organization", collections: &["organizations"] };
/// `portfolios/{portfolio}/projects/{project}`
pub const PROJECT: Kind = Kind { noun: "project", collections: &["portfolios", "projects"] };
/// `portfolios/{portfolio}/projects/{project}/phases/{phase}`
pub const PHASE: Kind = Kind { noun: "phase", collections: &["portfolios", "projects", "phases"] };
/// `portfolios/{portfolio}/batches/{batch}`
pub const BATCH: Kind = Kind { noun: "batch", collections: &["portfolios", "batches"] };
/// `portfolios/{portfolio}/projects/{project}/milestones/{milestone}`
pub const MILESTONE: Kind =
    Kind { noun: "milestone", collections: &["portfolios", "projects", "milestones"] };

impl Kind {
    /// The full name that the pieces say.
    ///
    /// # Errors
    /// If they are too few or too many.
    pub fn name(&self, pieces: &[impl AsRef<str>]) -> Result<String, Error> {
        let segments = self.segments(pieces);
        if segments.len() == 2 * self.collections.len() {
            Ok(segments.join("/"))
        } else {
            Err(self.usage(pieces))
        }
    }

    /// The parent's name and the id of a resource to be; the id is empty if the server is to make one, the
    /// parent if the resource has none.
    ///
    /// # Errors
    /// If the pieces are too few or too many.
    pub fn parent_and_id(&self, pieces: &[impl AsRef<str>]) -> Result<(String, String), Error> {
        let mut segments = self.segments(pieces);
        let all = 2 * self.collections.len();
        let id = match segments.len() {
            with_id if with_id == all => {
                let id = segments.pop();
                segments.pop();
                id.unwrap_or_default()
            }
            without if without + 2 == all => String::new(),
            _ => return Err(self.usage(pieces)),
        };
        Ok((segments.join("/"), id))
    }

    /// The full name of a resource that may be given by its last id alone, under the parent of another.
    pub fn beside(&self, parent: &str, text: &str) -> String {
        match (text.contains('/'), self.collections.last()) {
            (false, Some(collection)) => format!("{parent}/{collection}/{text}"),
            _ => self.segments(&[text]).join("/"),
        }
    }

    /// The segments of the name: as they are if it is a full name, else the ids with their collections.
    fn segments(&self, pieces: &[impl AsRef<str>]) -> Vec<String> {
        let given: Vec<&str> = pieces.iter().flat_map(|piece| piece.as_ref().split('/')).collect();
        if given.len() > 1 && given.first() == self.collections.first() {
            return given.into_iter().map(ToOwned::to_owned).collect();
        }
        let mut collections = self.collections.iter();
        given
            .into_iter()
            .flat_map(|id| [collections.next().copied().unwrap_or_default().to_owned(), id.to_owned()])
            .collect()
    }

    fn usage(&self, pieces: &[impl AsRef<str>]) -> Error {
        let given: Vec<&str> = pieces.iter().map(AsRef::as_ref).collect();
        let singular =
            |collection: &&str| match collection.strip_suffix("es").filter(|stem| stem.ends_with("ch")) {
                Some(stem) => stem.to_owned(),
                None => collection.trim_end_matches('s').to_owned(),
            };
        let ids: Vec<String> = self.collections.iter().map(singular).collect();
        let pattern: Vec<String> = self
            .collections
            .iter()
            .zip(&ids)
            .map(|(collection, id)| format!("{collection}/{{{id}}}"))
            .collect();
        Error::Usage(format!(
            "`{}` names no {}: give its name as {}, or its ids as {}",
            given.join(" "),
            self.noun,
            pattern.join("/"),
            ids.join(" ").to_uppercase()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_and_ids_say_the_same() {
        let name = "portfolios/wsc/projects/avenue";
        for pieces in [vec![name], vec!["wsc/avenue"], vec!["wsc", "avenue"]] {
            assert_eq!(PROJECT.name(&pieces).unwrap(), name, "{pieces:?}");
        }
        assert_eq!(
            MILESTONE.name(&["wsc/-", "opening"]).unwrap(),
            "portfolios/wsc/projects/-/milestones/opening"
        );
        assert_eq!(ORGANIZATION.name(&["cqu"]).unwrap(), "organizations/cqu");
        assert_eq!(PORTFOLIO.name(&["portfolios"]).unwrap(), "portfolios/portfolios");
    }

    #[test]
    fn a_new_resource_may_leave_its_id_to_the_server() {
        let split = |kind: &Kind, pieces: &[&str]| kind.parent_and_id(pieces).unwrap();
        let parts = |parent: &str, id: &str| (parent.to_owned(), id.to_owned());
        assert_eq!(split(&PROJECT, &["wsc", "avenue"]), parts("portfolios/wsc", "avenue"));
        assert_eq!(split(&PROJECT, &["wsc"]), parts("portfolios/wsc", ""));
        assert_eq!(split(&PROJECT, &["portfolios/wsc"]), parts("portfolios/wsc", ""));
        assert_eq!(split(&PORTFOLIO, &["wsc"]), parts("", "wsc"));
        assert_eq!(split(&PORTFOLIO, &[]), parts("", ""));
        assert_eq!(split(&BATCH, &["portfolios/wsc/batches/b"]), parts("portfolios/wsc", "b"));
    }

    #[test]
    fn too_few_and_too_many_pieces_are_told_with_the_right_shape() {
        let error = BATCH.name(&["wsc"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`wsc` names no batch: give its name as portfolios/{portfolio}/batches/{batch}, or its ids as PORTFOLIO BATCH"
        );
        assert_eq!(error.exit_code(), 2);
        assert!(PROJECT.name(&["a", "b", "c"]).is_err());
        assert!(PROJECT.name(&["portfolios/wsc"]).is_err());
        assert!(PROJECT.parent_and_id(&["a", "b", "c"]).is_err());
    }

    #[test]
    fn members_may_be_given_by_their_id_alone() {
        assert_eq!(PROJECT.beside("portfolios/wsc", "avenue"), "portfolios/wsc/projects/avenue");
        assert_eq!(PROJECT.beside("portfolios/wsc", "other/avenue"), "portfolios/other/projects/avenue");
        assert_eq!(PROJECT.beside("portfolios/wsc", "portfolios/o/projects/x"), "portfolios/o/projects/x");
    }
}

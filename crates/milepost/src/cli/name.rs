//! Resource names as they are typed: in full, or by their ids alone.
//!
//! Invariant: pieces name a resource in one way only. Whether the ids are well formed is decided by the
//! server; here only their number is.

use crate::error::Error;
use crate::schema::Resource;

/// What names are completed with.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The id of the portfolio that is meant where none is given.
    pub portfolio: Option<String>,
}

impl Defaults {
    /// The pieces with the default portfolio in front, if they are of a resource in a portfolio and lack one id.
    fn complete(&self, resource: &Resource, pieces: &[String], wanted: usize) -> Vec<String> {
        let mut ids = split(pieces);
        let in_portfolio = resource.collections.first().is_some_and(|first| first == PORTFOLIOS);
        match &self.portfolio {
            Some(portfolio) if in_portfolio && ids.len() + 1 == wanted && !is_full(resource, &ids) => {
                ids.insert(0, portfolio.clone());
                ids
            }
            _ => ids,
        }
    }
}

/// The collection of portfolios.
pub(super) const PORTFOLIOS: &str = "portfolios";

/// The full name that the pieces say.
///
/// # Errors
/// If they are too few or too many.
pub fn full(resource: &Resource, pieces: &[String], defaults: &Defaults) -> Result<String, Error> {
    let wanted = resource.collections.len();
    let segments = segments(resource, &defaults.complete(resource, pieces, wanted));
    if segments.len() == 2 * wanted { Ok(segments.join("/")) } else { Err(usage(resource, pieces)) }
}

/// The parent's name and the id of a resource to be; the id is empty if the server is to make one, the
/// parent if the resource has none. With a default portfolio, ids that lack one are in it.
///
/// # Errors
/// If the pieces are too few or too many.
pub fn parent_and_id(
    resource: &Resource,
    pieces: &[String],
    defaults: &Defaults,
) -> Result<(String, String), Error> {
    let all = 2 * resource.collections.len();
    let none = Defaults::default();
    let defaults = if all == 2 { &none } else { defaults };
    let mut ids = defaults.complete(resource, pieces, resource.collections.len());
    if ids.len() + 2 == resource.collections.len() {
        ids = defaults.complete(resource, pieces, resource.collections.len() - 1);
    }
    let mut segments = segments(resource, &ids);
    let id = match segments.len() {
        with_id if with_id == all => {
            let id = segments.pop();
            segments.pop();
            id.unwrap_or_default()
        }
        without if without + 2 == all => String::new(),
        _ => return Err(usage(resource, pieces)),
    };
    Ok((segments.join("/"), id))
}

/// The full name of a resource that another one refers to: what its ids lack is as in the name of that one.
///
/// # Errors
/// If the ids are too many, or what they lack is not in that name.
pub fn beside(resource: &Resource, from: &str, text: &str) -> Result<String, Error> {
    let given = [text.to_owned()];
    let ids = split(&given);
    if is_full(resource, &ids) {
        return full(resource, &given, &Defaults::default());
    }
    let missing = resource.collections.len().saturating_sub(ids.len());
    let from: Vec<&str> = from.split('/').collect();
    let shared =
        from.chunks(2).zip(&resource.collections).take_while(|(pair, name)| pair[0] == name.as_str());
    let known = shared.filter_map(|(pair, _)| pair.get(1)).map(|id| (*id).to_owned());
    let ids: Vec<String> = known.take(missing).chain(ids).collect();
    full(resource, &ids, &Defaults::default()).map_err(|_| usage(resource, &given))
}

fn split(pieces: &[String]) -> Vec<String> {
    pieces.iter().flat_map(|piece| piece.split('/')).map(str::to_owned).collect()
}

/// Whether the segments begin as a full name does.
fn is_full(resource: &Resource, segments: &[String]) -> bool {
    segments.len() > 1 && segments.first() == resource.collections.first()
}

/// The segments of the name: as they are if it is a full name, else the ids with their collections.
fn segments(resource: &Resource, given: &[String]) -> Vec<String> {
    if is_full(resource, given) {
        return given.to_vec();
    }
    let mut collections = resource.collections.iter();
    given.iter().flat_map(|id| [collections.next().cloned().unwrap_or_default(), id.clone()]).collect()
}

fn usage(resource: &Resource, pieces: &[String]) -> Error {
    let pattern = resource.collections.iter().zip(&resource.ids).map(|(name, id)| format!("{name}/{{{id}}}"));
    let given = if pieces.is_empty() { "no name".to_owned() } else { format!("`{}`", pieces.join(" ")) };
    Error::Usage(format!(
        "{given} names no {}: give its name as {}, or its ids as {}",
        resource.noun,
        pattern.collect::<Vec<_>>().join("/"),
        resource.ids.join(" ").to_uppercase()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::resource;

    fn pieces(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn name_in(portfolio: Option<&str>, noun: &str, line: &str) -> Result<String, String> {
        let defaults = Defaults { portfolio: portfolio.map(str::to_owned) };
        full(resource(noun).unwrap(), &pieces(line), &defaults).map_err(|error| error.to_string())
    }

    fn name(noun: &str, line: &str) -> Result<String, String> {
        name_in(None, noun, line)
    }

    #[test]
    fn full_names_and_ids_say_the_same() {
        let full = "portfolios/wsc/projects/avenue";
        for line in [full, "wsc/avenue", "wsc avenue"] {
            assert_eq!(name("project", line).unwrap(), full, "{line}");
        }
        assert_eq!(
            name("milestone", "wsc/- opening").unwrap(),
            "portfolios/wsc/projects/-/milestones/opening"
        );
        assert_eq!(name("organization", "cqu").unwrap(), "organizations/cqu");
        assert_eq!(name("portfolio", "portfolios").unwrap(), "portfolios/portfolios");
    }

    #[test]
    fn a_default_portfolio_stands_where_its_id_is_missing() {
        let name = |noun: &str, line: &str| name_in(Some("wsc"), noun, line);
        assert_eq!(name("project", "avenue").unwrap(), "portfolios/wsc/projects/avenue");
        assert_eq!(name("project", "other avenue").unwrap(), "portfolios/other/projects/avenue");
        assert_eq!(name("portfolio", "").unwrap(), "portfolios/wsc");
        assert_eq!(name("organization", "cqu").unwrap(), "organizations/cqu");
        assert!(name("organization", "").is_err());
        assert_eq!(
            name("milestone", "avenue opening").unwrap(),
            "portfolios/wsc/projects/avenue/milestones/opening"
        );
    }

    #[test]
    fn a_new_resource_may_leave_its_id_to_the_server() {
        let split = |portfolio: Option<&str>, noun: &str, line: &str| {
            let defaults = Defaults { portfolio: portfolio.map(str::to_owned) };
            parent_and_id(resource(noun).unwrap(), &pieces(line), &defaults).unwrap()
        };
        let parts = |parent: &str, id: &str| (parent.to_owned(), id.to_owned());
        assert_eq!(split(None, "project", "wsc avenue"), parts("portfolios/wsc", "avenue"));
        assert_eq!(split(None, "project", "wsc"), parts("portfolios/wsc", ""));
        assert_eq!(split(None, "project", "portfolios/wsc"), parts("portfolios/wsc", ""));
        assert_eq!(split(None, "portfolio", "wsc"), parts("", "wsc"));
        assert_eq!(split(None, "portfolio", ""), parts("", ""));
        assert_eq!(split(None, "batch", "portfolios/wsc/batches/b"), parts("portfolios/wsc", "b"));
        assert_eq!(split(Some("wsc"), "project", "avenue"), parts("portfolios/wsc", "avenue"));
        assert_eq!(split(Some("wsc"), "project", ""), parts("portfolios/wsc", ""));
        assert_eq!(split(Some("wsc"), "phase", "avenue"), parts("portfolios/wsc/projects/avenue", ""));
        assert_eq!(split(Some("wsc"), "portfolio", "new"), parts("", "new"));
    }

    #[test]
    fn too_few_and_too_many_pieces_are_answered_with_the_right_shape() {
        assert_eq!(
            name("batch", "wsc").unwrap_err(),
            "`wsc` names no batch: give its name as portfolios/{portfolio}/batches/{batch}, or its ids as PORTFOLIO BATCH"
        );
        assert!(name("project", "a b c").is_err());
        assert!(name("project", "portfolios/wsc").is_err());
        assert!(name("project", "").unwrap_err().starts_with("no name names no project"));
    }

    #[test]
    fn what_a_reference_lacks_is_as_in_the_name_that_it_stands_in() {
        let project = resource("project").unwrap();
        let beside = |from: &str, text: &str| beside(project, from, text).map_err(|error| error.to_string());
        assert_eq!(beside("portfolios/wsc", "avenue").unwrap(), "portfolios/wsc/projects/avenue");
        assert_eq!(beside("portfolios/wsc/batches/b", "avenue").unwrap(), "portfolios/wsc/projects/avenue");
        assert_eq!(beside("portfolios/wsc", "other/avenue").unwrap(), "portfolios/other/projects/avenue");
        let full = "portfolios/o/projects/x";
        assert_eq!(beside("portfolios/wsc", full).unwrap(), full);
        assert!(beside("organizations/o", "avenue").is_err());
        let organization = resource("organization").unwrap();
        assert_eq!(super::beside(organization, "portfolios/wsc", "cqu").unwrap(), "organizations/cqu");
    }
}

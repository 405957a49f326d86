//! Resource names as they are typed: in full, or by their ids alone.
//!
//! Invariant: pieces name a resource in one way only. Whether the ids are well formed is decided by the
//! server; here only their number is.

use std::ops::Range;

use crate::error::Error;
use crate::schema::Resource;

/// The collection of portfolios.
pub(super) const PORTFOLIOS: &str = "portfolios";

/// The full name that the pieces say; in this portfolio, if they lack one.
///
/// # Errors
/// If they are too few or too many.
pub fn full(resource: &Resource, pieces: &[String], portfolio: Option<&str>) -> Result<String, Error> {
    let all = resource.collections.len();
    let segments = segments(resource, pieces, portfolio, all - 1..all);
    if names(resource, &segments) { Ok(segments.join("/")) } else { Err(usage(resource, pieces)) }
}

/// Whether the segments are those of a full name.
fn names(resource: &Resource, segments: &[String]) -> bool {
    let count = segments.len() / 2;
    let whole = count == resource.collections.len() || (resource.floats && count > 0);
    whole && segments.len() == 2 * count && segments.iter().step_by(2).eq(resource.collections_of(count))
}

/// The parent's name and the id of a resource to be; the id is empty if the server is to make one, the
/// parent if the resource has none. In this portfolio, if the pieces lack one.
///
/// # Errors
/// If the pieces are too few or too many.
pub fn parent_and_id(
    resource: &Resource,
    pieces: &[String],
    portfolio: Option<&str>,
) -> Result<(String, String), Error> {
    if resource.floats {
        // A parent is given in full, since the ids alone are those of the resource to be.
        let mut given = segments(resource, pieces, None, 0..0);
        let id = if names(resource, &given) { given.pop() } else { None };
        given.truncate(given.len() - usize::from(id.is_some()));
        return Ok((given.join("/"), id.unwrap_or_default()));
    }
    let all = resource.collections.len();
    let portfolio = portfolio.filter(|_| all > 1);
    let mut segments = segments(resource, pieces, portfolio, all.saturating_sub(2)..all);
    let mut id = String::new();
    if segments.len() == 2 * all {
        id = segments.pop().unwrap_or_default();
        segments.pop();
    }
    if segments.len() + 2 == 2 * all { Ok((segments.join("/"), id)) } else { Err(usage(resource, pieces)) }
}

/// The name of what a resource that floats is under, by its full name or by its ids; empty: everything.
pub fn above(resource: &Resource, pieces: &[String]) -> String {
    let ids: Vec<&str> = pieces.iter().flat_map(|piece| piece.split('/')).collect();
    if ids.len() > 1 && ids.first() == resource.collections.first().map(String::as_str).as_ref() {
        return ids.join("/");
    }
    let segments = resource.collections.iter().zip(ids).map(|(collection, id)| format!("{collection}/{id}"));
    segments.collect::<Vec<_>>().join("/")
}

/// The full name of a resource that another one refers to: what its ids lack is as in the name of that one.
///
/// # Errors
/// If the ids are too many, or what they lack is not in that name.
pub fn beside(resource: &Resource, from: &str, text: &str) -> Result<String, Error> {
    let ids: Vec<String> = text.split('/').map(str::to_owned).collect();
    let lacking =
        if is_full(resource, &ids) { 0 } else { resource.collections.len().saturating_sub(ids.len()) };
    let from: Vec<&str> = from.split('/').collect();
    let shared = from.chunks_exact(2).zip(&resource.collections).take_while(|(pair, name)| pair[0] == *name);
    let known = shared.map(|(pair, _)| pair[1].to_owned()).take(lacking);
    let pieces: Vec<String> = known.chain(ids).collect();
    full(resource, &pieces, None).map_err(|_| usage(resource, &[text.to_owned()]))
}

/// Whether the segments begin as a full name does.
fn is_full(resource: &Resource, segments: &[String]) -> bool {
    let ends = [resource.collections.first(), resource.collections.last().filter(|_| resource.floats)];
    segments.len() > 1 && ends.contains(&segments.first())
}

/// The segments of the name: as they are if it is a full name, else the ids with their collections; of a resource in a
/// portfolio, with the default one in front if there are as few ids as may lack it.
fn segments(
    resource: &Resource,
    pieces: &[String],
    portfolio: Option<&str>,
    lacking: Range<usize>,
) -> Vec<String> {
    let mut ids: Vec<String> = pieces.iter().flat_map(|piece| piece.split('/')).map(str::to_owned).collect();
    if is_full(resource, &ids) {
        return ids;
    }
    let in_portfolio = resource.collections[0] == PORTFOLIOS && !resource.floats;
    let portfolio = portfolio.filter(|_| lacking.contains(&ids.len()) && in_portfolio);
    ids.splice(0..0, portfolio.map(str::to_owned));
    let mut collections = resource.collections_of(ids.len());
    ids.into_iter().flat_map(|id| [collections.next().cloned().unwrap_or_default(), id]).collect()
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
        full(resource(noun).unwrap(), &pieces(line), portfolio).map_err(|error| error.to_string())
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
            parent_and_id(resource(noun).unwrap(), &pieces(line), portfolio).unwrap()
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

//! Where a list reads: one parent, or with `-` across a whole collection of parents (AIP-159).
//!
//! Invariant: a pattern goes from a certain beginning to an open end: `portfolios/-/projects/x` is
//! refused, because ids are unique in their portfolio only. A pattern is never a name.

use crate::id::ResourceId;
use crate::name::{NameError, NameShape, Problem, split_last};

/// The ids that a list's parent names, from the left: fewer than `shapes` has where the rest are `-`. `shapes`
/// are those of the parent and of what it is under, from the top.
///
/// # Errors
/// If the text is neither a name of the last shape nor a pattern of it.
pub fn parent_ids(text: &str, shapes: &[NameShape]) -> Result<Vec<ResourceId>, NameError> {
    let Some((shape, above)) = shapes.split_last() else { return Ok(Vec::new()) };
    let collection = shape.collections.last().copied().unwrap_or_default();
    match split_last(text, collection) {
        Ok(("", "-")) if above.is_empty() => Ok(Vec::new()),
        Ok((rest, "-")) if !above.is_empty() => parent_ids(rest, above),
        Ok((rest, _)) if rest.ends_with("/-") => Err(shape.error(text, Problem::DashBeforeId)),
        _ => shape.ids(text),
    }
}

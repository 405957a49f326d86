//! The members of a collection: they come and go, whatever they contribute to its elements.
//!
//! Invariant: none is a member twice; they stand in the order in which they were added. What they build of elements is
//! not known here.

use milepost_proto::event::v1::CollectionMembersChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::{Collection, Project};
use milepost_resource::{Change, Checked, EventKind, Name};
use milepost_types::Rejection;

use crate::members::{self, MemberChange, names_of};
use crate::portfolio::act_date;
use crate::tables::Scope;

/// The members of a collection that was read.
pub(super) fn of(collection: &Checked<Collection>) -> Result<Vec<Name<Project>>, Rejection> {
    Ok(members::stored(&collection.members).map_err(|error| collection.name().damaged(error))?)
}

/// Adds members; those that are members already are left out.
///
/// # Errors
/// If the day is to come, if it would have too many, or if a project is not there.
pub(crate) fn add(
    scope: &Scope<'_>,
    collection: &Checked<Collection>,
    MemberChange { members: given, date }: &MemberChange,
) -> Result<Vec<Change>, Rejection> {
    let day = act_date(scope, &collection.name().parent(), "date", *date)?;
    let added = members::COLLECTION.added(&of(collection)?, given)?;
    if added.is_empty() {
        return Ok(Vec::new());
    }
    Rejection::unless_met(members::missing(scope, &added)?)?;
    let after = collection.changed(scope, |collection| {
        collection.members.extend(names_of(&added));
    });
    Ok(vec![Change::new(scope, changed(&added, &[]), Some(collection), after)?.on(Some(day))])
}

/// Takes members out; those that are none are left out.
///
/// # Errors
/// If the day is to come, or if its row cannot be worked with.
pub(crate) fn remove(
    scope: &Scope<'_>,
    collection: &Checked<Collection>,
    MemberChange { members: given, date }: &MemberChange,
) -> Result<Vec<Change>, Rejection> {
    let day = act_date(scope, &collection.name().parent(), "date", *date)?;
    let (kept, removed) = members::without(of(collection)?, given);
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    let after = collection.changed(scope, |collection| collection.members = names_of(&kept));
    Ok(vec![Change::new(scope, changed(&[], &removed), Some(collection), after)?.on(Some(day))])
}

fn changed(added: &[Name<Project>], removed: &[Name<Project>]) -> EventKind {
    let payload = CollectionMembersChanged { added: names_of(added), removed: names_of(removed) };
    EventKind::custom("milepost.collection.members_changed", Payload::CollectionMembersChanged(payload))
}

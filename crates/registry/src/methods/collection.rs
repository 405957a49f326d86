//! The methods of collections besides the standard ones.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use jiff::civil::Date;
use milepost_proto::registry::v1::*;
use milepost_proto::resource::CreateRequest as _;
use milepost_resource::{Act, Name, Query, optional_date, query, read_create, write};
use milepost_types::{Rejection, Violations};

use super::{Named, changed_members};
use crate::collection::members::{add, remove};
use crate::collection::rollup::rollup;
use crate::members::COLLECTION;
use crate::portfolio::asked_date;
use crate::tables::Registry;

/// The methods of collections.
pub(crate) fn of_collections() -> Vec<Named> {
    vec![
        write("CreateCollection", create),
        write("AddCollectionMembers", |request: AddCollectionMembersRequest, violations| {
            changed_members(&COLLECTION, &request, (&request.members, request.date), add, violations)
        }),
        write("RemoveCollectionMembers", |request: RemoveCollectionMembersRequest, violations| {
            changed_members(&COLLECTION, &request, (&request.members, request.date), remove, violations)
        }),
        query("GetCollectionRollup", read_rollup, |request| &request.min_revisions, answer_rollup),
    ]
}

/// A collection to be created, whose members are checked here.
fn create(request: CreateCollectionRequest, violations: &mut Violations) -> Option<Box<dyn Act<Registry>>> {
    let portfolio = request.parent().parse().ok();
    let given = request.collection.as_ref().map(|collection| collection.members.as_slice());
    // Between the id and the other fields, as the request has them.
    let mut found = Violations::new();
    COLLECTION.check_given(given.unwrap_or_default(), portfolio.as_ref(), &mut found);
    read_create::<Registry, Collection>(request, violations, found)
}

/// The collection whose rollup is asked for, and the day.
fn read_rollup(
    request: &GetCollectionRollupRequest,
    violations: &mut Violations,
) -> Option<(Name<Collection>, Option<Date>)> {
    let name = violations.check("name", request.name.parse());
    let date = optional_date("date", request.date, violations);
    Some((name?, date?))
}

fn answer_rollup(
    query: Query<'_, Registry, (Name<Collection>, Option<Date>)>,
) -> Result<GetCollectionRollupResponse, Rejection> {
    let (name, date) = query.request;
    let collection = query.rows.find(name)?;
    let date = asked_date(&query.rows, &name.parent(), query.now, *date)?;
    let rollup = Some(rollup(&query.rows, &collection, date)?);
    Ok(GetCollectionRollupResponse { rollup, revision: query.revision() })
}

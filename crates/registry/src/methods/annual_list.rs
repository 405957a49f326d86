//! The methods of annual lists besides the standard ones: from their requests to what is to be done.
//!
//! Invariant: reading a request finds every fault of it at once.

use milepost_proto::registry::v1::*;
use milepost_proto::resource::CreateRequest as _;
use milepost_resource::{Act, Custom, enum_value, read_create, write};
use milepost_types::Violations;

use super::{Named, changed_members, read_members};
use crate::annual_list::members::{Add, add, check_given, remove};
use crate::members::ANNUAL_LIST;
use crate::tables::Registry;

/// The methods of annual lists.
pub(crate) fn of_annual_lists() -> Vec<Named> {
    vec![
        write("CreateAnnualList", create),
        write("AddAnnualListMembers", |request: AddAnnualListMembersRequest, violations| {
            let given = (&*request.members, request.date);
            let (target, change) = read_members(&ANNUAL_LIST, &request, given, violations);
            let listing = enum_value("listing", request.listing, violations);
            Some(Custom::act(target?, Add { change: change?, listing: listing? }, add))
        }),
        write("RemoveAnnualListMembers", |request: RemoveAnnualListMembersRequest, violations| {
            changed_members(&ANNUAL_LIST, &request, (&request.members, request.date), remove, violations)
        }),
    ]
}

/// A list to be created, whose members are checked here too.
fn create(request: CreateAnnualListRequest, violations: &mut Violations) -> Option<Box<dyn Act<Registry>>> {
    let portfolio = request.parent().parse().ok();
    let mut found = Violations::new();
    if let Some(list) = &request.annual_list {
        check_given(&list.members, portfolio.as_ref(), &mut found);
    }
    read_create::<Registry, AnnualList>(request, violations, found)
}

//! The methods of annual lists besides the standard ones: from their requests to what is to be done.
//!
//! Invariant: reading a request finds every fault of it at once.

use milepost_proto::registry::v1::*;
use milepost_proto::resource::{CreateRequest as _, TargetRequest};
use milepost_resource::{Act, Custom, Name, Target, read_create, target, write};
use milepost_types::Violations;

use super::Named;
use crate::annual_list::members::{Add, add, check_given, remove};
use crate::members::ANNUAL_LIST;
use crate::tables::Registry;

/// The methods of annual lists.
pub(crate) fn of_annual_lists() -> Vec<Named> {
    vec![
        write("CreateAnnualList", create),
        write("AddAnnualListMembers", |request: AddAnnualListMembersRequest, violations| {
            let (target, members) = changed(&request, &request.members, violations);
            let listing = project::Listing::try_from(request.listing).ok();
            if listing.is_none() {
                let description = format!("there is no value {}; give one of the schema", request.listing);
                violations.push("listing", "UNKNOWN_ENUM_VALUE", description);
            }
            let arguments = Add { members, listing: listing? };
            Some(Custom::act(target?, arguments, add))
        }),
        write("RemoveAnnualListMembers", |request: RemoveAnnualListMembersRequest, violations| {
            let (target, members) = changed(&request, &request.members, violations);
            Some(Custom::act(target?, members, |scope, list, members: &Vec<_>| remove(scope, list, members)))
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

/// The list whose members change, and which.
fn changed(
    request: &impl TargetRequest,
    given: &[String],
    violations: &mut Violations,
) -> (Option<Target<AnnualList>>, Vec<Name<Project>>) {
    let target = target::<AnnualList>(request, violations);
    if given.is_empty() {
        violations.push("members", "REQUIRED", "give at least one project");
    }
    let portfolio = target.as_ref().map(|target| target.name.parent());
    let members = ANNUAL_LIST.read("members", given, portfolio.as_ref(), violations);
    (target, members.into_iter().map(|(_, member)| member).collect())
}

//! The members of an annual list: which projects stand on it, and as what.
//!
//! Invariant: none is a member twice; they stand in the order in which they were added.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use milepost_proto::event::v1::AnnualListMembersChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::project::Listing;
use milepost_proto::registry::v1::{AnnualList, AnnualListMember, Portfolio, Project};
use milepost_resource::{Change, Checked, EventKind, Name};
use milepost_types::{DamagedRow, NameError, Rejection, ResourceId, Violations};

use crate::members::{ANNUAL_LIST, MemberChange, missing, names_of};
use crate::portfolio::act_date;
use crate::reference::check_portfolio;
use crate::tables::{Rows, Scope};

/// The projects of a list that was read.
pub(super) fn of(name: &Name<AnnualList>, list: &AnnualList) -> Result<Vec<Name<Project>>, Rejection> {
    let read = |member: &AnnualListMember| member.project.parse().map_err(|error| damaged(name, error));
    Ok(list.members.iter().map(read).collect::<Result<_, _>>()?)
}

/// The row of a list that has a member that is no name.
pub(super) fn damaged(name: &Name<AnnualList>, error: NameError) -> DamagedRow {
    name.damaged(format_args!("members: {error}"))
}

/// Finds what is wrong between the members of a list that is to be created under this portfolio. What is no name at
/// all is found where fields are checked.
pub(crate) fn check_given(
    given: &[AnnualListMember],
    portfolio: Option<&Name<Portfolio>>,
    violations: &mut Violations,
) {
    let mut seen = HashSet::new();
    for (i, member) in given.iter().enumerate() {
        let Ok(name) = member.project.parse::<Name<Project>>() else { continue };
        let field = || format!("members[{i}].project");
        if let Some(portfolio) = portfolio {
            check_portfolio(field, &name, portfolio, violations);
        }
        if !seen.insert(&member.project) {
            violations.push(field(), "DUPLICATE", format!("{name} is a member already"));
        }
    }
}

/// What is to be added.
pub(crate) struct Add {
    pub(crate) change: MemberChange,
    /// As what; unspecified: as each project says.
    pub(crate) listing: Listing,
}

/// Adds members. One that is a member already is listed as this says from now on.
///
/// # Errors
/// If the day is to come, if the list would have too many, or if a project is not there.
pub(crate) fn add(
    scope: &Scope<'_>,
    list: &Checked<AnnualList>,
    Add { change: MemberChange { members, date }, listing }: &Add,
) -> Result<Vec<Change>, Rejection> {
    let day = act_date(scope, &list.name().parent(), "date", *date)?;
    let mut places: HashMap<String, usize> =
        list.members.iter().enumerate().map(|(i, member)| (member.project.clone(), i)).collect();
    let (mut after, mut added, mut relisted) = (list.members.clone(), Vec::new(), Vec::new());
    for member in members {
        let project = member.to_string();
        match places.get(&project).and_then(|i| after.get_mut(*i)) {
            Some(held) if *listing == Listing::Unspecified || held.listing() == *listing => {}
            Some(held) => {
                held.set_listing(*listing);
                relisted.push(project);
            }
            None => {
                places.insert(project.clone(), after.len());
                after.push(AnnualListMember { project, listing: (*listing).into() });
                added.push(member.clone());
            }
        }
    }
    if added.is_empty() && relisted.is_empty() {
        return Ok(Vec::new());
    }
    ANNUAL_LIST.check_limit(after.len())?;
    Rejection::unless_met(missing(scope, &added)?)?;
    let after = list.changed(scope, |list| list.members = after);
    let added = names_of(&added);
    let changed =
        AnnualListMembersChanged { added, relisted, listing: (*listing).into(), ..Default::default() };
    change(scope, list, after, changed, day)
}

/// Takes members out; those that are none are left out.
///
/// # Errors
/// If the day is to come, or if what the others add up to cannot be held.
pub(crate) fn remove(
    scope: &Scope<'_>,
    list: &Checked<AnnualList>,
    MemberChange { members, date }: &MemberChange,
) -> Result<Vec<Change>, Rejection> {
    let day = act_date(scope, &list.name().parent(), "date", *date)?;
    let leaving: HashSet<String> = members.iter().map(ToString::to_string).collect();
    let (removed, kept): (Vec<_>, Vec<_>) =
        list.members.iter().cloned().partition(|member| leaving.contains(&member.project));
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    let after = list.changed(scope, |list| list.members = kept);
    let removed = removed.into_iter().map(|member| member.project).collect();
    change(scope, list, after, AnnualListMembersChanged { removed, ..Default::default() }, day)
}

fn change(
    scope: &Scope<'_>,
    before: &Checked<AnnualList>,
    after: Checked<AnnualList>,
    changed: AnnualListMembersChanged,
    day: Date,
) -> Result<Vec<Change>, Rejection> {
    let payload = Payload::AnnualListMembersChanged(changed);
    let kind = EventKind::custom("milepost.annual_list.members_changed", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// An annual list: its name, and the listing of each project on it, by the ids of projects.
pub(crate) type Listings = (Name<AnnualList>, HashMap<String, Listing>);

/// The list of a year in a portfolio, if there is one and it is not deleted. The names of the projects of the portfolio
/// begin with `prefix`, before the id.
///
/// # Errors
/// If its row cannot be decoded.
pub(crate) fn listings(
    rows: &Rows<'_>,
    portfolio: &Name<Portfolio>,
    year: i32,
    prefix: &str,
) -> Result<Option<Listings>, Rejection> {
    let Ok(id) = ResourceId::of_year(&year.to_string()) else { return Ok(None) };
    let name = Name::<AnnualList>::under(portfolio.ids(), id);
    let list = rows.get(&name)?.filter(|list| !list.is_deleted());
    let of_members = |list: Checked<AnnualList>| {
        let members = list.into_inner().members.into_iter();
        let by_id = members.filter_map(|mut member| {
            let listing = member.listing();
            member.project.strip_prefix(prefix)?;
            member.project.drain(..prefix.len());
            Some((member.project, listing))
        });
        by_id.collect()
    };
    Ok(list.map(|list| (name, of_members(list))))
}

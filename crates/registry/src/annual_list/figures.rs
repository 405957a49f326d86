//! What the members of a list add up to, by category.
//!
//! Invariant: sums are exact and per currency; a member without a known investment is counted as such and never taken
//! for zero. Members that are missing or deleted, or whose rows cannot be decoded, are not in the figures, and neither is
//! a sum that cannot be held.

use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::project::Listing;
use milepost_proto::registry::v1::{AnnualList, AnnualListMember, Project, RegisteredFigure};
use milepost_proto::wire::{self, Value};
use milepost_resource::{Name, Unreadable, decode, in_parts, money, money_message};
use milepost_types::{DamagedRow, Money, MoneyError, MoneySums, Rejection};

use crate::tables::Rows;

/// So many members are read in one go.
const MEMBERS_AT_ONCE: usize = 500;

/// What of a project is counted.
struct Counted {
    is_key: bool,
    listing: Listing,
    investment: Option<Money>,
}

/// Whether what is counted, listed so, belongs to the category.
type IsOf = fn(&Counted, Listing) -> bool;

/// What may be counted of a member, in the order in which figures stand.
const CATEGORIES: [(&str, IsOf); 6] = [
    ("all", |_, _| true),
    ("key", |counted, _| counted.is_key),
    ("reserve", |_, listing| listing == Listing::Reserve),
    ("new start", |_, listing| listing == Listing::NewStart),
    ("continued", |_, listing| listing == Listing::Continued),
    ("completed", |_, listing| listing == Listing::Completed),
];

/// What members of a category add up to.
#[derive(Default)]
struct Figure {
    count: i32,
    investments: MoneySums,
    without_investment: i32,
}

/// As what a member is listed: as the list says, or else as the project says.
fn listing(member: &AnnualListMember, project: Listing) -> Listing {
    if member.listing() == Listing::Unspecified { project } else { member.listing() }
}

/// Sets what the members of a list add up to, as the projects' rows have them. The first sum that cannot be held.
///
/// # Errors
/// If a member of the list is no name.
pub(super) fn register(
    rows: &Rows<'_>,
    name: &Name<AnnualList>,
    list: &mut AnnualList,
) -> Result<Option<MoneyError>, Rejection> {
    let mut figures: [Figure; CATEGORIES.len()] = Default::default();
    let parts = in_parts(list.members.iter(), MEMBERS_AT_ONCE, |members| {
        let read = members.into_iter().filter_map(|member| member_of(rows, name, member).transpose());
        read.collect::<Result<Vec<_>, _>>()
    });
    let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
    for (counted, listing) in parts.into_iter().flatten() {
        for (figure, (_, is_of)) in figures.iter_mut().zip(CATEGORIES) {
            if is_of(&counted, listing) {
                figure.count += 1;
                match &counted.investment {
                    Some(investment) => figure.investments.add(investment),
                    None => figure.without_investment += 1,
                }
            }
        }
    }
    list.registered_count = figures[0].count;
    let shown = figures.iter().zip(CATEGORIES).enumerate();
    let shown = shown.filter(|(i, (figure, _))| *i == 0 || figure.count > 0);
    list.registered = shown.map(|(_, (figure, (category, _)))| figure.written(category)).collect();
    Ok(figures.iter().find_map(|figure| figure.investments.totals().err()))
}

/// What of a member is counted, and as what it is listed; none if it is not in the figures.
fn member_of(
    rows: &Rows<'_>,
    name: &Name<AnnualList>,
    member: &AnnualListMember,
) -> Result<Option<(Counted, Listing)>, DamagedRow> {
    let project = &member.project;
    let row = rows.row_named::<Project>(project).map_err(|error| super::members::damaged(name, error))?;
    let counted = row.map_or(Ok(None), |row| read(&row)).unwrap_or_else(|error| {
        tracing::error!(list = %name, %project, %error, "a member is left out of what a list adds up to");
        None
    });
    Ok(counted.map(|counted| {
        let listing = listing(member, counted.listing);
        (counted, listing)
    }))
}

/// What of a project is counted, by its row: of ten thousand members nothing else is decoded. None if it is deleted.
fn read(row: &[u8]) -> Result<Option<Counted>, Unreadable> {
    let (mut is_key, mut listing, mut investment) = (false, 0, None);
    for field in wire::fields(row) {
        match field? {
            (7, Value::Number(number)) => is_key = number != 0,
            (8, Value::Number(number)) => listing = number,
            (12, Value::Run(run)) => investment = Some(run),
            (42, _) => return Ok(None),
            _ => {}
        }
    }
    let listing = i32::try_from(listing).ok().and_then(|number| Listing::try_from(number).ok());
    let investment = investment.map(decode::<gtype::Money>).transpose()?;
    Ok(Some(Counted { is_key, listing: listing.unwrap_or_default(), investment: money(investment.as_ref()) }))
}

impl Figure {
    fn written(&self, category: &str) -> RegisteredFigure {
        RegisteredFigure {
            category: category.to_owned(),
            count: self.count,
            investments: self.investments.totals_held().iter().map(money_message).collect(),
            without_investment_count: self.without_investment,
        }
    }
}

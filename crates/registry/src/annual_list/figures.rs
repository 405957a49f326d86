//! What the members of a list add up to, by category.
//!
//! Invariant: sums are exact and per currency; a member without a known investment is counted as such and never taken
//! for zero. Members that are missing or deleted, or whose rows cannot be decoded, are not in the figures, and neither is
//! a sum that cannot be held.

use milepost_proto::registry::v1::project::Listing;
use milepost_proto::registry::v1::{AnnualList, AnnualListMember, Project, RegisteredFigure};
use milepost_resource::{Name, field_numbers, money, money_message, read_fields};
use milepost_types::{MoneyError, MoneySums, Rejection};

use crate::tables::Rows;

/// The fields of a project that are counted.
const COUNTED: &[&str] = &["key", "listing", "investment", "delete_time"];

/// Whether a project with this listing belongs to the category.
type IsOf = fn(&Project, Listing) -> bool;

/// What may be counted of a member, in the order in which figures stand.
const CATEGORIES: [(&str, IsOf); 6] = [
    ("all", |_, _| true),
    ("key", |project, _| project.key == Some(true)),
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
pub(super) fn listing(member: &AnnualListMember, project: Listing) -> Listing {
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
    let members = super::members::of(name, list)?;
    let counted = field_numbers::<Project>(COUNTED);
    for (member, project) in list.members.iter().zip(&members) {
        let Some(row) = rows.row(project) else { continue };
        let found: Project = match read_fields(&row, &counted) {
            Ok(found) => found,
            Err(error) => {
                let damage = project.damaged(error);
                tracing::error!(list = %name, %damage, "a member is left out of what a list adds up to");
                continue;
            }
        };
        if found.delete_time.is_some() {
            continue;
        }
        let listing = listing(member, found.listing());
        let investment = money(found.investment.as_ref());
        for (figure, (_, is_of)) in figures.iter_mut().zip(CATEGORIES) {
            if is_of(&found, listing) {
                figure.count += 1;
                match &investment {
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

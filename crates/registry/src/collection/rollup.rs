//! How far a collection is built on a day, by group and in all.
//!
//! Invariant: shares are exact fractions, rounded once; what is not said is missing, and never taken for zero.

use jiff::civil::Date;
use milepost_proto::figure::v1::{Figure, MissingFigure};
use milepost_proto::registry::v1::{
    Collection, CollectionElement, CollectionProgress, CollectionRollup, ElementProgress, MemberStatusCount,
    Project,
};
use milepost_resource::{Checked, Presence, date_message};
use milepost_types::{Decimal, Fraction, Rejection, limits};

use super::elements::{Built, Contributors, sum};
use super::members;
use crate::tables::Rows;

/// The rollup of a collection on a day.
///
/// # Errors
/// If a row that it needs cannot be decoded.
pub(crate) fn rollup(
    rows: &Rows<'_>,
    collection: &Checked<Collection>,
    date: Date,
) -> Result<CollectionRollup, Rejection> {
    let mut contributors = Contributors::new(rows);
    let mut progress = Vec::with_capacity(collection.elements.len());
    for element in &collection.elements {
        progress.push((element, contributors.built(element, Some(date))?));
    }
    let mut groups: Vec<&str> = Vec::new();
    let declared = collection.declared.iter().map(|declared| declared.group.as_str());
    for group in collection.elements.iter().map(|element| element.group.as_str()).chain(declared) {
        if !group.is_empty() && !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut rollup = CollectionRollup {
        collection: collection.name().to_string(),
        date: Some(date_message(date)),
        unit: collection.unit.clone(),
        whole: Some(of(collection, "", &progress, limits::MISSING_NAMED)),
        groups: groups.into_iter().map(|group| of(collection, group, &progress, 0)).collect(),
        elements: progress.iter().map(|(element, built)| of_element(element, built)).collect(),
        ..CollectionRollup::default()
    };
    count_members(rows, collection, &mut rollup)?;
    Ok(rollup)
}

/// How far the elements of a group are built, or all; of what is missing, so many are named.
fn of(
    collection: &Collection,
    group: &str,
    progress: &[(&CollectionElement, Built<'_>)],
    named: usize,
) -> CollectionProgress {
    let of_group: Vec<_> =
        progress.iter().filter(|(element, _)| group.is_empty() || element.group == group).collect();
    let text = |sum: Option<Decimal>| sum.map(|sum| sum.to_string()).unwrap_or_default();
    let added = |numbers: Vec<Decimal>| if numbers.is_empty() { None } else { sum(numbers.into_iter()) };
    let planned = of_group.iter().filter_map(|(_, built)| built.planned).collect();
    let built = of_group.iter().filter_map(|(_, built)| built.built).collect();
    let declared = collection.declared.iter().find(|declared| declared.group == group);
    CollectionProgress {
        group: group.to_owned(),
        element_count: count(of_group.len()),
        declared_count: declared.and_then(|declared| declared.count),
        planned_measure: text(added(planned)),
        built_measure: text(added(built)),
        length: Some(length(&of_group, named)),
        complete_count: count(of_group.iter().filter(|(_, built)| built.is_complete()).count()),
    }
}

/// What share of the plans is built.
fn length(of_group: &[&(&CollectionElement, Built<'_>)], named: usize) -> Figure {
    let (mut built, mut planned) = (Vec::new(), Vec::new());
    let (mut figure, mut missing_count, mut is_unplanned) = (Figure::default(), 0, false);
    let mut miss = |figure: &mut Figure, subject: &str, why: &str| {
        missing_count += 1;
        if figure.missing.len() < named {
            figure.missing.push(MissingFigure { subject: subject.to_owned(), why: why.to_owned() });
        }
    };
    for (element, progress) in of_group {
        let Some(plan) = progress.planned else {
            miss(&mut figure, &element.id, "NO_PLAN");
            is_unplanned = true;
            continue;
        };
        planned.push(plan);
        built.extend(progress.built.map(|built| built.min(plan)));
        for project in &progress.unsaid {
            figure.lower_bound = true;
            miss(&mut figure, project, "NO_BUILT_MEASURE");
        }
    }
    // What has no plan may make the share less.
    figure.lower_bound &= !is_unplanned;
    figure.counted = count(planned.len());
    figure.missing_count = missing_count;
    let (built, planned) = (sum(built.into_iter()), sum(planned.into_iter()));
    if let (Some(built), Some(planned)) = (built, planned) {
        let share = Fraction::new(built.micros(), planned.micros());
        figure.value = share.map(|share| share.rounded(100, 1));
        (figure.numerator, figure.denominator) = (built.to_string(), planned.to_string());
    }
    figure
}

fn of_element(element: &CollectionElement, built: &Built<'_>) -> ElementProgress {
    ElementProgress {
        id: element.id.clone(),
        group: element.group.clone(),
        planned_measure: element.planned_measure.clone(),
        built_measure: built.built.map(|built| built.to_string()).unwrap_or_default(),
        complete: built.is_complete(),
    }
}

/// Sets how many members there are, and how many have each status.
fn count_members(
    rows: &Rows<'_>,
    collection: &Checked<Collection>,
    rollup: &mut CollectionRollup,
) -> Result<(), Rejection> {
    let mut counts = std::collections::BTreeMap::<i32, i32>::new();
    let members = members::of(collection)?;
    for member in &members {
        match rows.number::<Project>(member, "status")? {
            (Presence::Present, status) => *counts.entry(status).or_default() += 1,
            // What was there once is never gone.
            (Presence::Deleted | Presence::Missing, _) => rollup.deleted_member_count += 1,
        }
    }
    rollup.member_count = count(members.len());
    rollup.members_by_status =
        counts.into_iter().map(|(status, count)| MemberStatusCount { status, count }).collect();
    Ok(())
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

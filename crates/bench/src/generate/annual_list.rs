//! Annual lists: which projects an office counts in a year, with what was declared of them.
//!
//! A list takes at most 10,000 members: of a larger world, those with the lowest numbers are on it.

use milepost_proto::registry::v1::project::Listing;
use milepost_proto::registry::v1::{
    AddAnnualListMembersRequest, AnnualList, AnnualListMember, CreateAnnualListRequest, DeclaredFigure,
};

use super::step::{Stage, Step};
use super::value::{labels, money};
use super::world::{Project, World, YEARS};

/// Members of one list, at most.
const MOST: usize = 10_000;

/// The steps that make them, one a year.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    let first = world.first_day().year();
    (first..first + YEARS).map(|year| step(world, year))
}

fn step(world: &World, year: i16) -> Step {
    let mut draw = world.draw("list", year as usize);
    let mut step = Step::new(Stage::Lists, &world.id, "lists", year as u64);
    let listed = world.projects.iter().filter_map(|project| Some((project, listing(project, year)?)));
    let listed: Vec<(&Project, Listing)> = listed.take(MOST).collect();
    let member = |(project, listing): &(&Project, Listing)| AnnualListMember {
        project: world.project_name(project.number),
        listing: (*listing).into(),
    };
    // New starts that were found late are added one act later.
    let (late, early): (Vec<_>, Vec<_>) =
        listed.iter().partition(|(project, _)| project.number.is_multiple_of(50) && project.number > 0);
    let investment: i64 = listed.iter().filter_map(|(project, _)| project.investment).sum();
    let key = listed.iter().filter(|(project, _)| project.is_large()).count() as i32;
    let list = AnnualList {
        members: early.into_iter().map(member).collect(),
        declared: vec![
            DeclaredFigure {
                category: "all".into(),
                count: Some(listed.len() as i32 + draw.between(0, 5) as i32),
                investment: Some(money(investment / 10_000 * 10_000)),
            },
            DeclaredFigure { category: "key".into(), count: Some(key), investment: None },
        ],
        description: format!("{year}年度项目清单"),
        labels: labels([("synthetic", "true")]),
        ..Default::default()
    };
    step.resources = 1;
    step.registry(
        "/milepost.registry.v1.AnnualListService/CreateAnnualList",
        CreateAnnualListRequest {
            parent: world.portfolio(),
            annual_list_id: year.to_string(),
            annual_list: Some(list),
            ..Default::default()
        },
    );
    for listing in [Listing::NewStart, Listing::Continued, Listing::Completed] {
        let members = late.iter().filter(|(_, of)| *of == listing);
        let members: Vec<_> = members.map(|(project, _)| world.project_name(project.number)).collect();
        if !members.is_empty() {
            step.registry(
                "/milepost.registry.v1.AnnualListService/AddAnnualListMembers",
                AddAnnualListMembersRequest {
                    name: format!("{}/annualLists/{year}", world.portfolio()),
                    members,
                    listing: listing.into(),
                    ..Default::default()
                },
            );
        }
    }
    step
}

/// As what a project is counted in a year, by its approved dates; none if it is not.
fn listing(project: &Project, year: i16) -> Option<Listing> {
    let (start, end) = (project.planned.start.year(), project.planned.end.year());
    match () {
        () if year < start || end < year => None,
        () if end == year => Some(Listing::Completed),
        () if start == year => Some(Listing::NewStart),
        () => Some(Listing::Continued),
    }
}

//! Collections: two rings, a grid of six by six, and a valley for each district, with what projects build of them.
//!
//! Invariant: what is built of a contribution is never more than its measure. Some elements have no plan, and some
//! contributions do not say how much is built.

use milepost_proto::registry::v1::{
    Collection, CollectionContribution, CollectionDeclaredCount, CollectionElement, CreateCollectionRequest,
};

use super::draw::Draw;
use super::step::{Stage, Step};
use super::value::{MARK, english, labels, marked};
use super::words::DISTRICTS;
use super::world::{Project, World};

/// Members of one collection, at most.
const MOST: usize = 10_000;
/// A network for so many projects.
const EACH: usize = 2_000;
/// A project builds something of at most so many networks.
const SHARE: usize = 3;

/// The steps that make them.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    let networks = world.projects.len().div_ceil(EACH);
    let rings = (0..networks).map(|number| network(world, number, &RINGS));
    let grids = (0..networks).map(|number| network(world, number, &GRID));
    let valleys = (0..DISTRICTS.len()).filter_map(|number| valley(world, number));
    rings.chain(grids).chain(valleys).map(|made| step(world, made))
}

/// The id of the first network of a kind.
pub const FIRST_GRID: &str = "grid-000";

struct Network {
    kind: &'static str,
    zh: &'static str,
    en: &'static str,
    /// Groups, and how many elements each has.
    groups: &'static [(&'static str, usize)],
    /// The most kilometres of an element.
    most: i64,
}

const RINGS: Network =
    Network { kind: "ring", zh: "两环", en: "two rings", groups: &[("inner", 8), ("outer", 12)], most: 14 };
const GRID: Network = Network {
    kind: "grid",
    zh: "六横六纵",
    en: "six by six",
    groups: &[("east-west", 6), ("north-south", 6)],
    most: 30,
};

/// An id and the collection.
type Made = (String, Collection);

fn step(world: &World, (id, collection): Made) -> Step {
    let mut step = Step::new(Stage::Collections, &world.id, &id, 0);
    step.resources = 1;
    step.registry(
        "/milepost.registry.v1.CollectionService/CreateCollection",
        CreateCollectionRequest {
            parent: world.portfolio(),
            collection_id: id,
            collection: Some(collection),
            ..Default::default()
        },
    );
    step
}

/// A network of roads, each of which a few projects build together.
fn network(world: &World, number: usize, of: &Network) -> Made {
    let mut draw = world.draw(of.kind, number);
    let range = number * EACH..world.projects.len().min((number + 1) * EACH);
    let is_of_it =
        |project: &&Project| project.sector.code.starts_with("transport") || project.number.is_multiple_of(9);
    let builders: Vec<&Project> = world.projects[range].iter().filter(is_of_it).collect();
    let mut elements = Vec::new();
    for (group, count) in of.groups {
        for place in 0..*count {
            elements.push(element(&mut draw, &builders, group, place, of.most));
        }
    }
    let declared = of.groups.iter().map(|(group, count)| CollectionDeclaredCount {
        group: (*group).to_owned(),
        count: Some(*count as i32),
    });
    let collection = Collection {
        display_name: marked(&format!("{}{}", of.zh, number + 1)),
        translations: english(&format!("{}, no. {}", of.en, number + 1)),
        labels: labels([("synthetic", "true")]),
        kind: of.kind.into(),
        unit: "km".into(),
        members: builders.iter().map(|project| world.project_name(project.number)).collect(),
        declared: declared.collect(),
        elements: elements.into_iter().map(|element| element.message(world)).collect(),
        ..Default::default()
    };
    (format!("{}-{number:03}", of.kind), collection)
}

/// An element before its projects have names; measures are in metres.
#[derive(Debug)]
struct Element {
    id: String,
    group: String,
    planned: Option<i64>,
    /// The project's number, its measure, and what of it is built, if that is said.
    contributions: Vec<(usize, i64, Option<i64>)>,
}

fn element(draw: &mut Draw, builders: &[&Project], group: &str, place: usize, most: i64) -> Element {
    let planned = draw.between(2, most) * 1000 + draw.between(0, 9) * 100;
    let count = builders.len().min(draw.between(1, SHARE as i64) as usize);
    let first = draw.below(builders.len() as u64) as usize;
    let mut left = planned;
    let contribution = |turn: usize| {
        let project = builders[(first + turn) % builders.len()];
        let measure = if turn + 1 == count { left } else { left * draw.between(20, 60) / 100 };
        left -= measure;
        let built = project.is_started().then(|| measure * draw.between(0, 100) / 100);
        let built = built.filter(|_| !draw.happens(10));
        (project.number, measure, built)
    };
    let contributions = (0..count).map(contribution).collect();
    let id = format!("{group}-{}", place + 1);
    Element { id, group: group.to_owned(), planned: (planned % 11 != 0).then_some(planned), contributions }
}

impl Element {
    fn message(self, world: &World) -> CollectionElement {
        let contribution = |(project, measure, built): (usize, i64, Option<i64>)| CollectionContribution {
            project: world.project_name(project),
            measure: kilometres(measure),
            built_measure: built.map(kilometres).unwrap_or_default(),
        };
        CollectionElement {
            display_name: format!("{MARK} {}", self.id),
            id: self.id,
            group: self.group,
            planned_measure: self.planned.map(kilometres).unwrap_or_default(),
            contributions: self.contributions.into_iter().map(contribution).collect(),
        }
    }
}

fn kilometres(metres: i64) -> String {
    format!("{}.{:03}", metres / 1000, metres % 1000)
}

/// The projects of a district, none of which is measured.
fn valley(world: &World, number: usize) -> Option<Made> {
    let district = &DISTRICTS[number];
    let members = world.projects.iter().filter(|project| project.district.code == district.code);
    let members: Vec<_> = members.take(MOST).map(|project| world.project_name(project.number)).collect();
    let collection = Collection {
        display_name: marked(&format!("{}科学谷", district.zh)),
        translations: english(&format!("{} science valley", district.en)),
        labels: labels([("synthetic", "true"), ("district", district.code)]),
        kind: "valley".into(),
        members,
        ..Default::default()
    };
    (!collection.members.is_empty()).then(|| (format!("valley-{}", district.code), collection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::plan;

    #[test]
    fn no_more_is_built_than_a_contribution_is_and_a_project_contributes_once() {
        let world = World::new(plan(2_100));
        let builders: Vec<&Project> = world.projects.iter().collect();
        let (mut unplanned, mut unsaid) = (0, 0);
        for number in 0..200 {
            let element = element(&mut world.draw("test", number), &builders, "outer", number, 14);
            let sum: i64 = element.contributions.iter().map(|(_, measure, _)| measure).sum();
            assert!(element.planned.is_none_or(|planned| planned == sum), "{element:?}");
            let projects: std::collections::BTreeSet<_> =
                element.contributions.iter().map(|it| it.0).collect();
            assert_eq!(projects.len(), element.contributions.len(), "{element:?}");
            for (_, measure, built) in &element.contributions {
                assert!(built.is_none_or(|built| (0..=*measure).contains(&built)), "{element:?}");
                unsaid += usize::from(built.is_none());
            }
            unplanned += usize::from(element.planned.is_none());
        }
        assert!(unplanned > 5 && unsaid > 20, "{unplanned} without a plan, {unsaid} without what is built");
    }
}

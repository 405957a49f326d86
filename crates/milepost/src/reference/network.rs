//! How a collection is drawn: as rings, as a grid of lines, or as bars.
//!
//! Invariant: a line is drawn for each element that is registered, and for each that was only declared, which is drawn as
//! such: it never looks as if something were known of it. Shares are for drawing alone; figures are never read from them.

use super::view::{Collection, Element, Progress};

/// Rings in each other, and lines of each direction, that can still be told apart.
const RINGS: usize = 4;
const LINES: usize = 12;

/// What is drawn of a collection, in this order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Network {
    /// From the inside to the outside.
    pub rings: Vec<Line>,
    /// From north to south.
    pub across: Vec<Line>,
    /// From west to east.
    pub down: Vec<Line>,
}

/// One ring or road.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is called; empty: nobody said.
    pub title: String,
    pub state: State,
}

/// How far a line is built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    /// The built share of its plan, 0 to 1.
    Measured(f64),
    /// It is complete, whatever is planned.
    Complete,
    /// How long it is to be is not known.
    Unmeasured,
    /// It was declared, and is not registered.
    Declared,
}

impl State {
    /// The share that is drawn as built; none where it is not known.
    pub fn share(self) -> Option<f64> {
        match self {
            State::Measured(share) => Some(share),
            State::Complete => Some(1.0),
            State::Unmeasured | State::Declared => None,
        }
    }
}

/// In which way the elements of a group lie.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Ring,
    Across,
    Down,
}

impl Network {
    /// What is drawn of a collection. Nothing of one that is no ring and no grid, or has more lines than can be told
    /// apart: that one has bars.
    pub fn of(collection: &Collection) -> Self {
        let mut network = Self::default();
        let kind = collection.kind.to_lowercase();
        let is_ring = kind.contains("ring") || kind.contains('环');
        let is_grid = kind.contains("grid") || kind.contains("网") || kind.contains('格');
        if is_ring {
            let ungrouped = Progress::default();
            let groups = collection.groups.iter().chain([&ungrouped]);
            network.rings = groups.flat_map(|group| lines(collection, group)).collect();
            fill(&mut network.rings, &collection.whole);
        } else if is_grid {
            for (way, group) in directions(&collection.groups) {
                let lines = lines(collection, group);
                match way {
                    Direction::Ring => network.rings.extend(lines),
                    Direction::Across => network.across.extend(lines),
                    Direction::Down => network.down.extend(lines),
                }
            }
        }
        if network.rings.len() > RINGS {
            network.rings.clear();
        }
        if [&network.across, &network.down].iter().any(|lines| lines.len() > LINES || lines.is_empty()) {
            network.across.clear();
            network.down.clear();
        }
        network
    }

    /// Whether nothing is drawn.
    pub fn is_empty(&self) -> bool {
        self.rings.is_empty() && self.across.is_empty()
    }

    /// Every line.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.rings.iter().chain(&self.across).chain(&self.down)
    }
}

/// The groups of a grid with their directions: as their names say; of the others, the first lies across, the second down.
fn directions(groups: &[Progress]) -> Vec<(Direction, &Progress)> {
    let has = |group: &str, words: &[&str]| words.iter().any(|word| group.to_lowercase().contains(word));
    let named = |group: &Progress| match &*group.group {
        name if has(name, &["环", "ring"]) => Some(Direction::Ring),
        name if has(name, &["横", "east", "west", "horizontal"]) => Some(Direction::Across),
        name if has(name, &["纵", "north", "south", "vertical"]) => Some(Direction::Down),
        _ => None,
    };
    let mut free = vec![Direction::Down, Direction::Across];
    free.retain(|way| groups.iter().all(|group| named(group) != Some(*way)));
    groups.iter().filter_map(|group| Some((named(group).or_else(|| free.pop())?, group))).collect()
}

/// A line for each element of a group, and for each more that was declared of it.
fn lines(collection: &Collection, group: &Progress) -> Vec<Line> {
    let registered = collection.elements.iter().filter(|element| element.group == group.group);
    let line = |element: &Element| Line { title: element.title.clone(), state: state(element) };
    let mut lines: Vec<Line> = registered.map(line).collect();
    fill(&mut lines, group);
    lines
}

/// Adds a line for each that was declared and is not there.
fn fill(lines: &mut Vec<Line>, of: &Progress) {
    // More than can be drawn are not counted out.
    let declared = usize::try_from(of.declared_count.unwrap_or(0)).unwrap_or(0).min(LINES + 1);
    while lines.len() < declared {
        lines.push(Line { title: String::new(), state: State::Declared });
    }
}

/// How far an element is built.
fn state(element: &Element) -> State {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if element.is_complete {
        return State::Complete;
    }
    match (number(&element.planned), number(&element.built)) {
        (Some(planned), built) if planned > 0.0 => {
            State::Measured((built.unwrap_or(0.0) / planned).clamp(0.0, 1.0))
        }
        _ => State::Unmeasured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(group: &str, planned: &str, built: &str) -> Element {
        let [title, group, planned, built] = ["a", group, planned, built].map(str::to_owned);
        Element { title, group, planned, built, is_complete: false }
    }

    fn group(name: &str, declared: Option<i64>) -> Progress {
        Progress { group: name.to_owned(), declared_count: declared, ..Progress::default() }
    }

    fn states(lines: &[Line]) -> Vec<State> {
        lines.iter().map(|line| line.state).collect()
    }

    #[test]
    fn what_was_only_declared_is_drawn_as_such() {
        let collection = Collection {
            kind: "ring".into(),
            whole: group("", Some(2)),
            elements: vec![element("", "40", "25")],
            ..Collection::default()
        };
        let network = Network::of(&collection);
        assert_eq!(states(&network.rings), [State::Measured(0.625), State::Declared]);
        assert!(network.across.is_empty() && !network.is_empty());
    }

    #[test]
    fn a_grid_lies_as_its_groups_are_named_or_else_in_their_order() {
        let grid = |groups: [&str; 3]| Collection {
            kind: "grid".into(),
            groups: groups.map(|name| group(name, Some(6))).into(),
            elements: vec![element(groups[1], "", ""), element(groups[2], "10", "20")],
            ..Collection::default()
        };
        for groups in [["两环", "六横", "六纵"], ["rings", "east–west", "north–south"], ["rings", "a", "b"]]
        {
            let network = Network::of(&grid(groups));
            assert_eq!(network.rings.len(), 0, "six rings cannot be told apart");
            assert_eq!((network.across.len(), network.down.len()), (6, 6), "{groups:?}");
            assert_eq!(network.across[0].state, State::Unmeasured);
            assert_eq!(
                network.down[..2].iter().map(|line| line.state).collect::<Vec<_>>(),
                [State::Measured(1.0), State::Declared]
            );
        }
        let turned = Network::of(&grid(["a", "六纵", "b"]));
        assert_eq!(turned.down[0].state, State::Unmeasured, "纵 lies down although it is not the first");
    }

    #[test]
    fn what_is_no_network_or_has_too_many_lines_is_not_drawn_as_one() {
        let valley = Collection { kind: "valley".into(), ..Collection::default() };
        assert!(Network::of(&valley).is_empty());
        let mut grid = Collection {
            kind: "grid".into(),
            groups: vec![group("六横", Some(6)), group("六纵", Some(2_000_000_000))],
            ..Collection::default()
        };
        assert!(Network::of(&grid).is_empty());
        grid.groups.pop();
        assert!(Network::of(&grid).is_empty(), "lines of one direction make no grid");
    }
}

//! The normal form of a filter: conjunctions of comparisons and alternatives, and so on inwards.
//!
//! Invariant: members are sorted and none stands twice, a group within another has two members or more, and
//! no group is within one of its own kind. So equal filters have equal groups, and matching is one walk that
//! stops early. A filter grows no larger by it: alternatives are never multiplied out.

use std::cmp::Ordering;
use std::fmt;

use super::comparison::Comparison;
use super::fields::Fields;

/// How members are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    /// All must hold.
    All,
    /// One must hold.
    Any,
}

impl Join {
    /// What groups within a group are, and what it is for the opposite (De Morgan).
    pub(super) fn other(self) -> Self {
        match self {
            Join::All => Join::Any,
            Join::Any => Join::All,
        }
    }
}

/// An expression with its types, in which nothing is negated but comparisons.
#[derive(Debug)]
pub(super) enum Node<F> {
    Joined(Join, Vec<Node<F>>),
    One(Comparison<F>),
}

/// Comparisons, and groups that are joined in the other way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Group<F> {
    pub(super) comparisons: Box<[Comparison<F>]>,
    pub(super) groups: Box<[Group<F>]>,
}

impl<F> Group<F> {
    /// Without any member.
    pub(super) fn empty() -> Self {
        Self { comparisons: Box::default(), groups: Box::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.comparisons.is_empty() && self.groups.is_empty()
    }

    fn len(&self) -> usize {
        self.comparisons.len() + self.groups.len()
    }
}

impl<F: Copy + Eq> Group<F> {
    /// The normal form of nodes that are joined so.
    pub(super) fn new(join: Join, nodes: Vec<Node<F>>) -> Self {
        let mut members = Members { join, comparisons: Vec::new(), groups: Vec::new() };
        nodes.into_iter().for_each(|node| members.take(node));
        let Members { mut comparisons, mut groups, .. } = members;
        comparisons.sort_unstable_by(Comparison::canonical_order);
        comparisons.dedup();
        groups.sort_unstable_by(Group::canonical_order);
        groups.dedup();
        Self { comparisons: comparisons.into(), groups: groups.into() }
    }

    fn canonical_order(&self, other: &Self) -> Ordering {
        let comparisons = |group: &Self| group.comparisons.len();
        let mut pairs = self.comparisons.iter().zip(&*other.comparisons);
        let first = pairs.find_map(|(one, two)| Some(one.canonical_order(two)).filter(|order| order.is_ne()));
        let groups = || {
            let mut pairs = self.groups.iter().zip(&*other.groups);
            pairs.find_map(|(one, two)| Some(one.canonical_order(two)).filter(|order| order.is_ne()))
        };
        first
            .unwrap_or_else(|| comparisons(self).cmp(&comparisons(other)))
            .then_with(|| groups().unwrap_or_else(|| self.groups.len().cmp(&other.groups.len())))
    }

    /// Whether every member holds for the row.
    pub(super) fn all<R: Fields<F> + ?Sized>(&self, row: &R) -> bool {
        self.comparisons.iter().all(|comparison| comparison.matches(row))
            && self.groups.iter().all(|group| group.any(row))
    }

    /// Whether one member holds for the row.
    fn any<R: Fields<F> + ?Sized>(&self, row: &R) -> bool {
        self.comparisons.iter().any(|comparison| comparison.matches(row))
            || self.groups.iter().any(|group| group.all(row))
    }

    /// Whether the test holds for one of the comparisons, however deep.
    pub(super) fn any_comparison(&self, test: &mut dyn FnMut(&Comparison<F>) -> bool) -> bool {
        self.comparisons.iter().any(&mut *test) || self.groups.iter().any(|group| group.any_comparison(test))
    }
}

/// The members of a group while it is made.
struct Members<F> {
    join: Join,
    comparisons: Vec<Comparison<F>>,
    groups: Vec<Group<F>>,
}

impl<F: Copy + Eq> Members<F> {
    fn take(&mut self, node: Node<F>) {
        match node {
            Node::One(comparison) => self.comparisons.push(comparison),
            Node::Joined(join, nodes) if join == self.join => {
                nodes.into_iter().for_each(|node| self.take(node));
            }
            Node::Joined(join, nodes) => {
                let group = Group::new(join, nodes);
                if group.len() > 1 {
                    self.groups.push(group);
                } else {
                    // Of one member it does not matter how it is joined; a group of it is joined as this one
                    // is.
                    self.comparisons.extend(group.comparisons);
                    for inner in group.groups {
                        self.comparisons.extend(inner.comparisons);
                        self.groups.extend(inner.groups);
                    }
                }
            }
        }
    }
}

impl<F> Group<F> {
    /// Writes the members of a group that is joined so. Groups within stand in parentheses, also where `OR`
    /// would bind tighter without: that is what people misread.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, join: Join) -> fmt::Result {
        let word = match join {
            Join::All => " AND ",
            Join::Any => " OR ",
        };
        for (i, comparison) in self.comparisons.iter().enumerate() {
            f.write_str(if i > 0 { word } else { "" })?;
            write!(f, "{comparison}")?;
        }
        let other = join.other();
        if let ([], [only]) = (&*self.comparisons, &*self.groups) {
            return only.write(f, other);
        }
        for (i, group) in self.groups.iter().enumerate() {
            f.write_str(if i > 0 || !self.comparisons.is_empty() { word } else { "" })?;
            f.write_str("(")?;
            group.write(f, other)?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

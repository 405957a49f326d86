//! Types a parsed filter: resolves its fields and reads its values.
//!
//! Invariant: the result matches any row of the schema, and only comparisons in it are negated. All comparisons are
//! checked, so that their faults are reported together, up to a number that fits an answer. One comparison is typed
//! in `typed`.

use std::sync::Arc;

use super::comparison::Operator;
use super::error::FaultAt;
use super::group::{Join, Node};
use super::schema::{Field, FieldType, Schema};
use super::syntax::{Arg, Restriction};
use super::tree::Tree;
use super::typed::Typed;
use crate::limits::{FILTER_DEPTH, FILTER_FAULTS};
use crate::quote::quoted;
use crate::suggest::nearest;

/// The expression with its types.
///
/// # Errors
/// With the faults of all comparisons.
pub(super) fn node<F: Copy>(
    tree: &Tree<Restriction>,
    schema: &Schema<F>,
    depth: usize,
) -> Result<Node<F>, Vec<FaultAt>> {
    let mut typing = Typing { schema, faults: Vec::new(), depth };
    let node = typing
        .walk(tree, Place::TOP, &mut |typing, restriction, place| typing.restriction(restriction, place));
    if typing.faults.is_empty() { Ok(node) } else { Err(typing.faults) }
}

/// Where in the normal form a part of the expression comes to stand.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// How it is joined with others.
    join: Join,
    /// How many groups it is in, besides the outermost.
    level: usize,
    /// Whether it is negated.
    negated: bool,
}

impl Place {
    const TOP: Place = Place { join: Join::All, level: 0, negated: false };

    /// Within a group that is joined so.
    fn within(self, join: Join) -> Self {
        // The opposite of a conjunction is the alternatives of the opposites, and the other way round.
        let join = if self.negated { join.other() } else { join };
        Self { join, level: self.level + usize::from(join != self.join), ..self }
    }
}

struct Typing<'a, F: 'static> {
    schema: &'a Schema<F>,
    faults: Vec<FaultAt>,
    depth: usize,
}

impl<F: Copy> Typing<'_, F> {
    fn walk<L>(
        &mut self,
        tree: &Tree<L>,
        place: Place,
        leaf: &mut dyn FnMut(&mut Self, &L, Place) -> Node<F>,
    ) -> Node<F> {
        let (join, members) = match tree {
            Tree::Leaf(found) => return leaf(self, found, place),
            Tree::Not(tree) => return self.walk(tree, Place { negated: !place.negated, ..place }, leaf),
            Tree::All(members) => (Join::All, members),
            Tree::Any(members) => (Join::Any, members),
        };
        let place = place.within(join);
        Node::Joined(place.join, members.iter().map(|member| self.walk(member, place, leaf)).collect())
    }

    /// A comparison, of which each value is one of its own.
    fn restriction(&mut self, restriction: &Restriction, place: Place) -> Node<F> {
        if self.faults.len() >= FILTER_FAULTS {
            return Node::Joined(place.join, Vec::new());
        }
        if let Err(fault) = never_all(restriction) {
            self.faults.push(fault);
        }
        match resolve(restriction, self.schema) {
            Ok((field, key)) => self.walk(&restriction.arg, place, &mut |typing, arg, place| {
                typing.comparison(&Typed { restriction, arg, field }, key.clone(), place)
            }),
            Err(fault) => {
                self.faults.push(fault);
                Node::Joined(place.join, Vec::new())
            }
        }
    }

    fn comparison(&mut self, typed: &Typed<'_, F>, key: Option<Arc<str>>, place: Place) -> Node<F> {
        if self.faults.len() >= FILTER_FAULTS {
            return Node::Joined(place.join, Vec::new());
        }
        if place.level > self.depth {
            let message = format!(
                "AND and OR stand in each other more than {FILTER_DEPTH} deep here; write it flatter"
            );
            self.faults.push(FaultAt::new(typed.arg.offset(), message));
            return Node::Joined(place.join, Vec::new());
        }
        match typed.comparison(key) {
            Ok(comparison) => Node::One(if place.negated { comparison.negated() } else { comparison }),
            Err(fault) => {
                self.faults.push(fault);
                Node::Joined(place.join, Vec::new())
            }
        }
    }
}

/// Refuses `field != (a OR b)`, which would be true of every row: no value equals both.
fn never_all(restriction: &Restriction) -> Result<(), FaultAt> {
    fn has_alternatives(tree: &Tree<Arg>, negated: bool) -> bool {
        match tree {
            Tree::Any(_) if !negated => true,
            Tree::All(_) if negated => true,
            Tree::All(members) | Tree::Any(members) => {
                members.iter().any(|one| has_alternatives(one, negated))
            }
            Tree::Not(tree) => has_alternatives(tree, !negated),
            Tree::Leaf(_) => false,
        }
    }
    if restriction.operator == Operator::NotEqual && has_alternatives(&restriction.arg, false) {
        let path = restriction.path.join(".");
        return Err(FaultAt::new(
            restriction.operator_at,
            format!(
                "!= with alternatives holds for every value; write NOT {path} = (a OR b) for neither of them",
                path = quoted(&path).trim_matches('"')
            ),
        ));
    }
    Ok(())
}

/// The field that a path names, and the key if it goes on into a map.
fn resolve<F: Copy>(
    restriction: &Restriction,
    schema: &Schema<F>,
) -> Result<(&'static Field<F>, Option<Arc<str>>), FaultAt> {
    let path = &restriction.path;
    if let Some(field) = schema.find(&path.join(".")) {
        return Ok((field, None));
    }
    if let Some((key, parents)) = path.split_last()
        && let Some(field) = schema.find(&parents.join("."))
        && field.kind == FieldType::Map
    {
        return Ok((field, Some(key.as_str().into())));
    }
    let (given, known) = (path.join("."), schema.paths().collect::<Vec<_>>());
    let meant = nearest(&given, known.iter().copied());
    let meant = meant.map_or("there are".to_owned(), |meant| format!("did you mean {meant}? There are"));
    let message = format!("there is no field {} to filter by; {meant} {}", quoted(&given), known.join(", "));
    Err(FaultAt::new(restriction.path_at, message))
}

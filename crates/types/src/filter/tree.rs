//! The shape of an expression: alternatives and conjunctions over leaves of one kind.
//!
//! Invariant: no deeper than the parentheses of the text, which the parser bounds, so that walking and
//! dropping a tree by recursion is safe. It has no normal form: that is made when types are known.

/// An expression over comparisons, or over the values of one comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tree<L> {
    /// All of them, two or more.
    All(Vec<Tree<L>>),
    /// Any of them, two or more.
    Any(Vec<Tree<L>>),
    /// The opposite.
    Not(Box<Tree<L>>),
    /// One leaf.
    Leaf(L),
}

impl<L> Tree<L> {
    /// All of the members; the member itself if there is one.
    pub(super) fn all(members: Vec<Self>) -> Self {
        Self::joined(members, Tree::All)
    }

    /// Any of the members; the member itself if there is one.
    pub(super) fn any(members: Vec<Self>) -> Self {
        Self::joined(members, Tree::Any)
    }

    fn joined(mut members: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        match (members.len(), members.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                members.extend(last);
                join(members)
            }
        }
    }
}

//! Where something is allowed: scopes, none of which is within another.
//!
//! Invariant: equal if they allow the same, so that what is asked by many who may see the same is evaluated once.

use std::fmt;

use milepost_types::{Place, Scope};

/// Some scopes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Everywhere.
    pub fn everywhere() -> Self {
        Self(vec![Scope::EVERYWHERE])
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is everywhere.
    pub fn is_everywhere(&self) -> bool {
        self.0.first() == Some(&Scope::EVERYWHERE)
    }

    /// Whether one covers a place.
    pub fn cover(&self, place: Place<'_>) -> bool {
        self.0.iter().any(|scope| scope.place().covers(place))
    }

    /// Those within a place, or the place itself if they cover it.
    pub fn within(&self, place: Place<'_>) -> Self {
        if self.cover(place) {
            return place.scope().into_iter().collect();
        }
        Self(self.0.iter().filter(|scope| place.covers(scope.place())).cloned().collect())
    }

    /// What both allow.
    pub fn in_common(&self, other: &Self) -> Self {
        self.0.iter().flat_map(|scope| other.within(scope.place()).0).collect()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut all: Vec<_> = scopes.into_iter().collect();
        // What covers others comes before them.
        all.sort_unstable();
        let mut kept: Vec<Scope> = Vec::with_capacity(all.len());
        for scope in all {
            if !kept.iter().any(|wider| wider.place().covers(scope.place())) {
                kept.push(scope);
            }
        }
        Self(kept)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes: Vec<_> = self.0.iter().map(Scope::to_string).collect();
        f.write_str(&scopes.join(", "))
    }
}

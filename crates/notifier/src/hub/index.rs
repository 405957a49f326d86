//! Finds the selections that might match an event, without evaluating each.
//!
//! Invariant: every selection that matches an event is found, once. A selection that is found need not match.

use std::collections::HashMap;

use crate::envelope::Envelope;
use crate::selection::{Route, TypePattern};

/// Selections by what an event must have to match them.
#[derive(Debug, Default)]
pub(super) struct Index {
    subjects: HashMap<Box<str>, Vec<u64>>,
    projects: HashMap<Box<str>, Vec<u64>>,
    portfolios: HashMap<Box<str>, Vec<u64>>,
    types: HashMap<Box<str>, Vec<u64>>,
    /// By the text that types begin with, up to a dot.
    types_under: HashMap<Box<str>, Vec<u64>>,
    any: Vec<u64>,
}

impl Index {
    /// Files a selection under its route.
    pub(super) fn add(&mut self, id: u64, route: &Route) {
        match route {
            Route::Subject(name) => self.subjects.entry(name.clone()).or_default().push(id),
            Route::Project(name) => self.projects.entry(name.clone()).or_default().push(id),
            Route::Portfolio(name) => self.portfolios.entry(name.clone()).or_default().push(id),
            Route::Types(patterns) => {
                for pattern in patterns {
                    let (types, text) = self.types_of(pattern);
                    types.entry(text.into()).or_default().push(id);
                }
            }
            Route::Any => self.any.push(id),
        }
    }

    /// Removes a selection.
    pub(super) fn remove(&mut self, id: u64, route: &Route) {
        match route {
            Route::Subject(name) => remove(&mut self.subjects, name, id),
            Route::Project(name) => remove(&mut self.projects, name, id),
            Route::Portfolio(name) => remove(&mut self.portfolios, name, id),
            Route::Types(patterns) => {
                for pattern in patterns {
                    let (types, text) = self.types_of(pattern);
                    remove(types, text, id);
                }
            }
            Route::Any => self.any.retain(|other| *other != id),
        }
    }

    /// The selections that might match an event; `found` is emptied first.
    pub(super) fn find(&self, event: &Envelope<'_>, found: &mut Vec<u64>) {
        found.clear();
        found.extend(&self.any);
        if !self.subjects.is_empty() {
            for name in with_ancestors(event.subject) {
                found.extend(self.subjects.get(name).into_iter().flatten());
            }
        }
        found.extend(self.projects.get(event.project).into_iter().flatten());
        found.extend(self.portfolios.get(event.portfolio).into_iter().flatten());
        let before = found.len();
        let exactly = self.types.get(event.kind).into_iter().flatten();
        let under = dots(event.kind).filter_map(|at| self.types_under.get(&event.kind[..=at])).flatten();
        for id in exactly.chain(under) {
            // One selection may be filed under several patterns.
            if !found[before..].contains(id) {
                found.push(*id);
            }
        }
    }

    fn types_of<'a, 'b>(
        &'a mut self,
        pattern: &'b TypePattern,
    ) -> (&'a mut HashMap<Box<str>, Vec<u64>>, &'b str) {
        match pattern {
            TypePattern::Exactly(kind) => (&mut self.types, kind),
            TypePattern::Under(prefix) => (&mut self.types_under, prefix),
        }
    }
}

fn dots(kind: &str) -> impl Iterator<Item = usize> {
    kind.match_indices('.').map(|(at, _)| at)
}

fn remove(ids: &mut HashMap<Box<str>, Vec<u64>>, key: &str, id: u64) {
    if let Some(filed) = ids.get_mut(key) {
        filed.retain(|other| *other != id);
        if filed.is_empty() {
            ids.remove(key);
        }
    }
}

/// A name, and what it is below: `a/b`, `a`.
fn with_ancestors(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at]).chain([name])
}

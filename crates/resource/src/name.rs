//! The name of a resource, by its ids; and the parent of a list, which may leave ids open.
//!
//! Invariant: a name has an id for each collection of its pattern; of what floats, of one of its patterns. Names order
//! by their ids from the left.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use milepost_proto::resource::{Resource, Type};
use milepost_service::access::Scopes;
use milepost_types::{
    DamagedRow, NameError, Rejection, ResourceId, ResourceKind, ResourceName, Scope, parent_ids,
};

use crate::row;
use crate::rules::{Parent, Rows, Rules};

/// The name of a resource `R`.
pub struct Name<R> {
    ids: Arc<[ResourceId]>,
    resource: PhantomData<fn() -> R>,
}

impl<R: Resource> Name<R> {
    /// The name of the resource with this id, under the resource with these ids.
    pub fn under(parent: &[ResourceId], id: ResourceId) -> Self {
        debug_assert!(R::TYPE.allows(parent.len() + 1));
        let ids = parent.iter().cloned().chain([id]).collect();
        Self { ids, resource: PhantomData }
    }

    /// The name with these ids; `None` if they are not as many as a name has.
    pub fn of(ids: Vec<ResourceId>) -> Option<Self> {
        R::TYPE.allows(ids.len()).then(|| Self { ids: ids.into(), resource: PhantomData })
    }

    /// The ids, from the left.
    pub fn ids(&self) -> &[ResourceId] {
        &self.ids
    }

    /// The ids of what it is under.
    pub fn parent_ids(&self) -> &[ResourceId] {
        &self.ids[..self.ids.len() - 1]
    }

    /// What it is under.
    pub fn parent(&self) -> Name<R::Parent>
    where
        R::Parent: Resource,
    {
        Name { ids: self.parent_ids().into(), resource: PhantomData }
    }

    /// Its row, as one that cannot be worked with.
    pub fn damaged<D>(&self, what: impl fmt::Display) -> DamagedRow
    where
        R: Rules<D>,
    {
        row::damaged::<D, R>(&row::key::<D, R>(self), what)
    }

    /// What it is under at some remove, or itself; `None` if it is under none such.
    pub fn ancestor<A: Resource>(&self) -> Option<Name<A>> {
        let depth = A::TYPE.collections.len();
        self.is_in(A::TYPE).then(|| Name { ids: self.ids[..depth].into(), resource: PhantomData })
    }

    /// Whether it is under a resource of this type, or is one.
    pub(crate) fn is_in(&self, of: &Type) -> bool {
        let collections = R::TYPE.collections_of(self.ids.len());
        collections.take(of.collections.len()).eq(of.collections.iter().copied())
    }
}

impl<R: Resource> ResourceName for Name<R> {
    const KIND: ResourceKind = R::TYPE.shape().kind;
    const PATTERN: &'static str = R::TYPE.pattern;

    fn id(&self) -> &ResourceId {
        &self.ids[self.ids.len() - 1]
    }
}

impl<R: Resource> FromStr for Name<R> {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Ok(Self { ids: R::TYPE.shape().ids(text)?.into(), resource: PhantomData })
    }
}

impl<R: Resource> fmt::Display for Name<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (collection, id)) in R::TYPE.collections_of(self.ids.len()).zip(&*self.ids).enumerate() {
            // In pieces: format strings cost.
            if i > 0 {
                f.write_str("/")?;
            }
            f.write_str(collection)?;
            f.write_str("/")?;
            f.write_str(id.as_str())?;
        }
        Ok(())
    }
}

impl<R: Resource> fmt::Debug for Name<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// Not derived: that would ask the same of `R`.
impl<R> Clone for Name<R> {
    fn clone(&self) -> Self {
        Self { ids: self.ids.clone(), resource: PhantomData }
    }
}

impl<R> PartialEq for Name<R> {
    fn eq(&self, other: &Self) -> bool {
        self.ids == other.ids
    }
}

impl<R> Eq for Name<R> {}

impl<R> PartialOrd for Name<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> Ord for Name<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ids.cmp(&other.ids)
    }
}

impl<R> Hash for Name<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ids.hash(state);
    }
}

/// Under which resources a list of `R` reads: the ids of a parent's name from the left, fewer than it has
/// where the rest are `-` (AIP-159), or where what floats is listed with all that is under the parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentIds(pub Vec<ResourceId>);

impl ParentIds {
    /// The parent of a list of `R`.
    ///
    /// # Errors
    /// If the text names none.
    pub fn read<R: Resource>(text: &str) -> Result<Self, NameError> {
        if R::TYPE.floats {
            return Ok(Self(R::TYPE.parent_ids(text)?));
        }
        let mut shapes = Vec::new();
        let mut above = R::TYPE.parent;
        while let Some(parent) = above {
            shapes.insert(0, parent.shape());
            above = parent.parent;
        }
        Ok(Self(parent_ids(text, &shapes)?))
    }

    /// Refuses to read under what is not there.
    ///
    /// # Errors
    /// What is missing, the highest first.
    pub fn check_there<D, R: Rules<D>>(&self, rows: &Rows<'_, D>) -> Result<(), Rejection> {
        R::Above::check_there(rows, &self.0)
    }

    /// The ids of what of it is in these scopes. What is under no portfolio is in all.
    pub(crate) fn seen<R: Resource>(&self, scopes: &Scopes) -> Vec<Vec<ResourceId>> {
        let collections = R::TYPE.collections;
        if scopes.is_everywhere() || collections[0] != "portfolios" {
            return vec![self.0.clone()];
        }
        let seen = |scope: &Scope| {
            let ids: Vec<_> = scope.ids().cloned().collect();
            // Where projects have no place, what may be seen of one is nothing.
            let applies = ids.len() < 2 || collections.get(1) == Some(&"projects");
            if !applies {
                None
            } else if self.0.starts_with(&ids) {
                Some(self.0.clone())
            } else {
                ids.starts_with(&self.0).then_some(ids)
            }
        };
        scopes.iter().filter_map(seen).collect()
    }

    /// Whether all of it is in these scopes.
    pub(crate) fn is_seen_whole<R: Resource>(&self, scopes: &Scopes) -> bool {
        self.seen::<R>(scopes)[..] == [self.0.clone()]
    }

    /// The text of it, which is empty for what is at the top.
    pub fn text<R: Resource>(&self) -> String {
        let collections = R::TYPE.collections.split_last().map_or(&[][..], |(_, above)| above);
        let segments = collections
            .iter()
            .enumerate()
            .map(|(i, collection)| format!("{collection}/{}", self.0.get(i).map_or("-", ResourceId::as_str)));
        segments.collect::<Vec<_>>().join("/")
    }
}

//! The grants of a holder, as rows had them after one change of access.
//!
//! Invariants: good for rows whose last change of access is the same, and for no others: a decision is never kept, what
//! it is made of is read again as soon as anything about access changes. Whose token was revoked has none.

use std::sync::Arc;

use milepost_ledger::Read;
use parking_lot::Mutex;

use super::held::Holder;
use super::table::{self, Changed, GrantRow};
use crate::generations::Generations;

/// Principals whose grants are kept at most.
const PRINCIPALS: usize = 10_000;

/// The grants of one holder.
#[derive(Debug, Clone)]
pub struct CallerGrants {
    changed: Changed,
    /// Those of the principal, and of each of its groups.
    pub(super) own: Vec<Arc<[GrantRow]>>,
    /// Those of the one that it acts on behalf of.
    pub(super) other: Option<Arc<[GrantRow]>>,
    /// Whether an administrator was ever granted; read only of who would be one else.
    pub(super) had_administrator: bool,
}

impl CallerGrants {
    /// The grants as these rows have them.
    pub fn read(rows: &dyn Read, holder: &Holder) -> Self {
        Self::read_by(rows, holder, table::changed(rows), |principal| {
            table::grants(rows, principal).collect()
        })
    }

    /// The last change of access that this is of.
    pub(super) fn changed(&self) -> Changed {
        self.changed
    }

    /// These grants and no others, of one who acts for itself: to find out what they come to.
    pub(super) fn of_grants(grants: Arc<[GrantRow]>, had_administrator: bool) -> Self {
        Self { changed: Changed::default(), own: vec![grants], other: None, had_administrator }
    }

    /// Whether these rows have the same.
    pub(super) fn is_of(&self, rows: &dyn Read) -> bool {
        self.changed == table::changed(rows)
    }

    /// Of a caller whose credential is revoked: whatever was granted to its principal, this caller may do nothing.
    fn nothing(changed: Changed, holder: &Holder) -> Self {
        let other = holder.other().map(|_| Arc::default());
        Self { changed, own: Vec::new(), other, had_administrator: true }
    }

    fn read_by(
        rows: &dyn Read,
        holder: &Holder,
        changed: Changed,
        mut grants: impl FnMut(&str) -> Arc<[GrantRow]>,
    ) -> Self {
        if holder.token().is_some_and(|id| table::token(rows, id).is_none()) {
            return Self::nothing(changed, holder);
        }
        Self {
            changed,
            own: holder.principals().map(&mut grants).collect(),
            other: holder.other().map(grants),
            had_administrator: holder.is_bootstrap && table::had_administrator(rows),
        }
    }
}

/// The grants of a principal, after a change of access.
type AfterChange = (Changed, Arc<[GrantRow]>);

/// The grants that were read last of the rows of one service.
#[derive(Debug)]
pub(super) struct GrantCache(Mutex<Generations<String, AfterChange>>);

impl Default for GrantCache {
    fn default() -> Self {
        Self(Mutex::new(Generations::new(PRINCIPALS)))
    }
}

impl GrantCache {
    /// Those of a holder. The rows are always those of the same service.
    pub(super) fn known(&self, rows: &dyn Read, holder: &Holder) -> CallerGrants {
        let changed = table::changed(rows);
        CallerGrants::read_by(rows, holder, changed, |principal| self.of(rows, principal, changed))
    }

    fn of(&self, rows: &dyn Read, principal: &str, changed: Changed) -> Arc<[GrantRow]> {
        if let Some((at, grants)) = self.0.lock().get(principal)
            && *at == changed
        {
            return Arc::clone(grants);
        }
        let grants: Arc<[GrantRow]> = table::grants(rows, principal).collect();
        self.0.lock().put(principal.to_owned(), (changed, Arc::clone(&grants)));
        grants
    }
}

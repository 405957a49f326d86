//! Annual lists: which projects an office counts in a year, and as what.
//!
//! Invariants: what was declared of a list and what its members add up to are never mixed; the id of a list is its year,
//! so a year has one list.

mod figures;
pub(crate) mod members;

use std::collections::BTreeSet;

use jiff::Timestamp;
use milepost_proto::registry::v1::{AnnualList, Portfolio};
use milepost_resource::{Checked, Created, EventKind, Name, Rules, Show, Under};
use milepost_types::{Rejection, Violations};

use crate::members::{check_held, missing};
use crate::tables::{Registry, Rows, Scope};

impl Rules<Registry> for AnnualList {
    type Above = Under<Portfolio>;

    const TABLE: u8 = 27;
    const TABLE_NAME: &'static str = "registry.annual_lists";
    // None is made: the id is the year.
    const ID_PREFIX: char = 'y';
    const READS_OTHERS: bool = true;

    const SHOW: Option<Show<Registry, Self>> = Some(show);

    fn check(&self, violations: &mut Violations) {
        let mut seen = BTreeSet::new();
        for (i, figure) in self.declared.iter().enumerate() {
            if !seen.insert(&figure.category) {
                violations.push(format!("declared[{i}].category"), "DUPLICATE", "a category stands once");
            }
        }
    }

    fn admit_created(scope: &Scope<'_>, created: &[Created<Self>]) -> Result<(), Rejection> {
        created.iter().try_for_each(|created| {
            let list = &created.resource;
            Rejection::unless_met(missing(scope, &members::of(list.name(), list)?)?)
        })
    }

    fn complete(
        scope: &Scope<'_>,
        _: &EventKind,
        name: &Name<Self>,
        before: Option<&Checked<Self>>,
        list: &mut Self,
    ) -> Result<(), Rejection> {
        let overflow = figures::register(&scope.rows, name, list)?;
        let held = before.map_or(0, |before| before.members.len());
        check_held(name, list.members.len() > held, overflow)
    }
}

/// Sets what its members add up to.
fn show(
    rows: &Rows<'_>,
    _: Timestamp,
    name: &Name<AnnualList>,
    list: &mut AnnualList,
) -> Result<bool, Rejection> {
    figures::register(rows, name, list)?;
    Ok(true)
}

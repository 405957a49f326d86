//! Collections: named sets of projects, and networks that projects build together.
//!
//! Invariants: what was declared of a collection and what is registered in it are never mixed; what it newly names
//! is there. An element that became complete is announced once, in the entry that made it so; where that needs a row that
//! cannot be decoded, nothing is announced of the collection, and nothing is refused.

mod elements;
pub(crate) mod members;
pub(crate) mod rollup;

use std::collections::BTreeSet;

use milepost_proto::registry::v1::{Collection, Portfolio, Project};
use milepost_resource::{By, Change, Checked, Created, Index, Name, Preview, Rules, Under, Unreadable, date};
use milepost_types::{DamagedRow, Rejection, ResourceName as _, Violations};

use crate::members::{missing, stored};
use crate::tables::{Registry, Rows, Scope};
use elements::Contributors;

/// The collections of each portfolio by the projects that contribute to them.
const CONTRIBUTED: Index = Index {
    tag: 40,
    under: 1,
    by: &[By::Path(&["elements", "contributions", "project"])],
    live: false,
    when: &[],
    orders: false,
};

impl Rules<Registry> for Collection {
    type Above = Under<Portfolio>;

    const TABLE: u8 = 35;
    const TABLE_NAME: &'static str = "registry.collections";
    const ID_PREFIX: char = 'c';
    const INDEXES: &'static [Index] = &[
        Index { tag: 38, by: &[By::Field("display_name")], orders: true, ..CONTRIBUTED },
        Index { tag: 39, by: &[By::Path(&["members"])], ..CONTRIBUTED },
        CONTRIBUTED,
    ];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        match field {
            "declared" => {
                let mut seen = BTreeSet::new();
                for (i, _) in self.declared.iter().enumerate().filter(|(_, of)| !seen.insert(&of.group)) {
                    let description = "the group has a declared count already; give one a group";
                    violations.push(format!("declared[{i}].group"), "DUPLICATE", description);
                }
            }
            "elements" => elements::check(&self.elements, violations),
            _ => {}
        }
    }

    fn check_stored(&self) -> Result<(), Unreadable> {
        stored(&self.members)?;
        elements::check_stored(&self.elements)
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        Rejection::unless_met(elements::missing(scope, before, after)?)
    }

    fn admit_created(scope: &Scope<'_>, created: &[Created<Self>]) -> Result<(), Rejection> {
        let mut conditions = Vec::new();
        for Created { resource, .. } in created {
            conditions.extend(missing(scope, &members::of(resource)?)?);
            conditions.extend(elements::missing(scope, None, resource)?);
        }
        Rejection::unless_met(conditions)
    }

    /// Announces the elements that the change makes complete. An undeleted collection announces every complete element
    /// again: those that became complete while it was deleted were not announced.
    fn describe(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        let before = before.filter(|before| !before.is_deleted());
        if after.is_deleted() || before.is_some_and(|before| before.elements == after.elements) {
            return Ok(change);
        }
        let announcement = announced(after.name(), || {
            let mut contributors = Contributors::new(&scope.rows);
            let mut complete = |of: &Collection| contributors.complete(&of.elements, None);
            let was = before.map(|before| complete(before)).transpose()?.unwrap_or_default();
            let is = complete(after)?;
            let now = after.elements.iter().filter(|of| is.contains(&of.id) && !was.contains(&of.id));
            Ok(elements::completed(after.name(), now))
        });
        Ok(change.announcing(announcement))
    }
}

/// What is announced of a collection besides: nothing if a row that this needs cannot be decoded.
fn announced(
    collection: &Name<Collection>,
    find: impl FnOnce() -> Result<Option<Change>, DamagedRow>,
) -> Option<Change> {
    find().unwrap_or_else(|damage| {
        tracing::error!(%collection, %damage, "what became complete of a collection is not announced");
        None
    })
}

/// What becomes complete by a change of a project: an announcement for each collection that it contributes to.
pub(crate) fn completed_by(
    scope: &Scope<'_>,
    before: Option<&Checked<Project>>,
    after: &Checked<Project>,
) -> Result<Vec<Change>, Rejection> {
    let is_built = |project: &Checked<Project>| !project.is_deleted() && elements::is_built(project.status());
    if !is_built(after) || before.is_some_and(is_built) {
        return Ok(Vec::new());
    }
    let name = after.name();
    let preview = Preview::of(&scope.rows, after)?;
    let rows = Rows::new(&preview);
    let (mut then, mut now) = (Contributors::new(&scope.rows), Contributors::new(&rows));
    let mut announcements = Vec::new();
    for collection in contributed(&scope.rows, name) {
        let date = date(after.actual_period.and_then(|period| period.end_date).as_ref());
        let find = || completed_of(&scope.rows, &collection, name, (&mut then, &mut now));
        announcements.extend(announced(&collection, find).map(|announcement| announcement.on(date)));
    }
    Ok(announcements)
}

/// What becomes complete of a collection by a project that was not built then and is now.
fn completed_of(
    rows: &Rows<'_>,
    collection: &Name<Collection>,
    project: &Name<Project>,
    (then, now): (&mut Contributors<'_, '_>, &mut Contributors<'_, '_>),
) -> Result<Option<Change>, DamagedRow> {
    let Some(found) = rows.get(collection)?.filter(|collection| !collection.is_deleted()) else {
        return Ok(None);
    };
    let (text, mut newly) = (project.to_string(), Vec::new());
    for element in &found.elements {
        if element.contributions.iter().any(|contribution| contribution.project == text)
            && now.built(element, None)?.is_complete()
            && !then.built(element, None)?.is_complete()
        {
            newly.push(element);
        }
    }
    Ok(elements::completed(collection, newly.into_iter()))
}

/// The collections that a project contributes to, deleted ones too.
fn contributed<'a>(
    rows: &Rows<'a>,
    project: &Name<Project>,
) -> impl Iterator<Item = Name<Collection>> + use<'a> {
    let field = [project.id().as_str().as_bytes(), &[0]].concat();
    rows.names::<Collection>(CONTRIBUTED, project.parent_ids(), &field)
}

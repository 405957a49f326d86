//! Milestones that a template made: what they begin with, and how they are found.
//!
//! Invariant: all of it is looked up by indexes that only milestones of templates are in, so that others pay nothing. What
//! their achievement brings stands in [`settled`](super::settled).

use jiff::civil::Date;
use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::milestone_requirement::State as Requirement;
use milepost_proto::tracker::v1::{Milestone, MilestoneRequirement, TemplateItem, TemplateRequirement};
use milepost_resource::{By, Checked, Index, When, date};
use milepost_types::DamagedRow;

use crate::decide::Scope;
use crate::names::MilestoneName;

/// The coupled milestones of each project, by what they are coupled by.
pub(crate) const BY_COUPLING: Index = Index {
    tag: 58,
    under: 2,
    by: &[By::Field("coupling")],
    live: true,
    when: &[When::Has("coupling")],
    orders: false,
};

/// The milestones of each project by the requirements that they are to satisfy.
pub(crate) const BY_REQUIREMENT: Index = Index {
    tag: 59,
    by: &[By::Path(&["requirements", "code"])],
    when: &[When::Has("requirements")],
    ..BY_COUPLING
};

/// The milestones of each project that a template made, by their type.
pub(crate) const BY_TYPE: Index =
    Index { tag: 60, by: &[By::Field("type")], when: &[When::Has("template_version")], ..BY_COUPLING };

/// The milestones of each portfolio by the next day on which something of what they bring ends.
pub(crate) const NEXT_EXPIRY: Index = Index {
    tag: 61,
    under: 1,
    by: &[By::Field("next_expiry_date")],
    when: &[When::Has("next_expiry_date")],
    ..BY_COUPLING
};

/// The milestones of each portfolio by the last day on which an extension may be filed: the working calendar moves it.
pub(crate) const FILE_BY: Index =
    Index { tag: 64, by: &[By::Field("file_by")], when: &[When::Has("file_by")], ..NEXT_EXPIRY };

/// The milestones of each project by the type of what keeps what they bring.
pub(crate) const BY_UNTIL_TYPE: Index = Index {
    tag: 62,
    by: &[By::Path(&["validity", "until_type"])],
    when: &[When::Has("validity")],
    ..BY_COUPLING
};

/// The BUNDLED gates of each project, by the ids of what they join.
pub(crate) const BY_MEMBER: Index =
    Index { tag: 63, by: &[By::Path(&["gate_members"])], when: &[When::Has("gate_members")], ..BY_COUPLING };

/// Whether a template made it.
pub(crate) fn is_made(milestone: &Milestone) -> bool {
    !milestone.template_version.is_empty()
}

/// The template that made a milestone, as names of its versions begin.
pub(super) fn template_of(milestone: &Milestone) -> &str {
    milestone.template_version.rsplit_once('/').map_or("", |(template, _)| template)
}

/// The requirements of an item, as its milestone begins with them.
pub(super) fn requirements(item: &TemplateItem) -> Vec<MilestoneRequirement> {
    let requirement = |given: &TemplateRequirement| MilestoneRequirement {
        code: given.code.clone(),
        validity_months: given.validity_months,
        state: Requirement::Open.into(),
        valid_until: None,
    };
    item.satisfies.iter().map(requirement).collect()
}

/// Whether it is open.
pub(super) fn is_open(milestone: &Milestone) -> bool {
    matches!(milestone.state(), State::Planned | State::PartiallyAchieved)
}

/// The milestones of a project whose key in an index is this text, but for the one of this name.
pub(super) fn others(
    scope: &Scope<'_>,
    index: Index,
    text: &str,
    but: &MilestoneName,
) -> Result<Vec<Checked<Milestone>>, DamagedRow> {
    let key = [text.as_bytes(), &[0]].concat();
    let mut found = Vec::new();
    for name in scope.rows.names::<Milestone>(index, but.parent_ids(), &key).filter(|name| name != but) {
        found.extend(scope.rows.get(&name)?);
    }
    Ok(found)
}

/// The same, of what the template of that one made.
pub(super) fn others_of_template(
    scope: &Scope<'_>,
    index: Index,
    text: &str,
    milestone: &Checked<Milestone>,
) -> Result<Vec<Checked<Milestone>>, DamagedRow> {
    let mut found = others(scope, index, text, milestone.name())?;
    found.retain(|other| template_of(other) == template_of(milestone));
    Ok(found)
}

/// The day on which a milestone was achieved, if it is.
pub(super) fn achieved_on(milestone: &Milestone) -> Option<Date> {
    date(milestone.actual_date.as_ref()).filter(|_| milestone.state() == State::Achieved)
}

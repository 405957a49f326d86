//! Milestones that a template made: how they are found, and what their achievement brings.
//!
//! Invariants: of the milestones of a project one at most satisfies a requirement when it is achieved, also of several that
//! are achieved together; a later one satisfies the rest. What is made use of in time does not end. All of it is looked up
//! by indexes that only milestones of templates are in, so that others pay nothing.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::milestone_requirement::State as Requirement;
use milepost_proto::tracker::v1::{Milestone, MilestoneRequirement, TemplateItem, TemplateRequirement};
use milepost_resource::{By, Change, Checked, EventKind, Index, When, date};
use milepost_types::DamagedRow;

use super::validity::{announcements, settle};
use crate::decide::Scope;
use crate::milestone::ChangeContext;
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
fn template_of(milestone: &Milestone) -> &str {
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

/// A milestone that comes to a state in one act with others, which are in their order before and after it: of the rows, none
/// of these is as it will be.
#[derive(Clone, Copy)]
pub(crate) struct Together<'a> {
    pub(crate) own: &'a Checked<Milestone>,
    earlier: &'a [&'a Checked<Milestone>],
    later: &'a [&'a Checked<Milestone>],
}

impl<'a> Together<'a> {
    /// One without others.
    pub(crate) fn alone(own: &'a Checked<Milestone>) -> Self {
        Self { own, earlier: &[], later: &[] }
    }

    /// Each of several.
    pub(crate) fn each(all: &'a [&'a Checked<Milestone>]) -> impl Iterator<Item = Self> {
        all.iter().enumerate().map(|(i, own)| Self { own, earlier: &all[..i], later: &all[i + 1..] })
    }

    /// The others.
    fn others(self) -> impl Iterator<Item = &'a Checked<Milestone>> {
        self.earlier.iter().chain(self.later).copied()
    }

    /// Whether another one is of this type and of the same template.
    fn has_type(self, of_type: &str, mut others: impl Iterator<Item = &'a Checked<Milestone>>) -> bool {
        others.any(|other| other.r#type == of_type && template_of(other) == template_of(self.own))
    }
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

/// The requirements of a milestone that another one of the project satisfies.
pub(super) fn satisfied_by_others(
    scope: &Scope<'_>,
    milestone: &Milestone,
    name: &MilestoneName,
) -> Result<BTreeSet<String>, DamagedRow> {
    let mut codes = BTreeSet::new();
    for code in milestone.requirements.iter().map(|requirement| &requirement.code) {
        let found = others(scope, BY_REQUIREMENT, code, name)?;
        if found.iter().any(|other| satisfies(other, code)) {
            codes.insert(code.clone());
        }
    }
    Ok(codes)
}

/// Whether a milestone satisfies a requirement.
fn satisfies(milestone: &Milestone, code: &str) -> bool {
    let mut own = milestone.requirements.iter();
    own.any(|own| own.code == code && own.state() == Requirement::Satisfied)
}

/// The first day on which a milestone of a type happened, of those that the template of another made, and of that itself.
fn happened(
    scope: &Scope<'_>,
    until_type: &str,
    milestone: &Checked<Milestone>,
) -> Result<Option<Date>, DamagedRow> {
    if until_type.is_empty() {
        return Ok(None);
    }
    let found = others_of_template(scope, BY_TYPE, until_type, milestone)?;
    Ok(found.iter().filter_map(|other| achieved_on(other)).min())
}

/// The day on which a milestone was achieved, if it is.
pub(super) fn achieved_on(milestone: &Milestone) -> Option<Date> {
    date(milestone.actual_date.as_ref()).filter(|_| milestone.state() == State::Achieved)
}

/// What another state brings to a milestone that a template made, as its rows say before.
pub(crate) struct Consequences {
    /// The requirements that others satisfy.
    needless: BTreeSet<String>,
    /// When what keeps it happened.
    used: Option<Date>,
}

impl Consequences {
    /// Of a change of this milestone to a state.
    ///
    /// # Errors
    /// If a row cannot be decoded; so with all of this.
    pub(crate) fn of(
        scope: &Scope<'_>,
        together: Together<'_>,
        (state, day): (State, Date),
    ) -> Result<Self, DamagedRow> {
        if state != State::Achieved {
            return Ok(Self { needless: BTreeSet::new(), used: None });
        }
        let before = together.own;
        // What an earlier one is to satisfy is satisfied when it is achieved: by it, or by another one.
        let mut needless = satisfied_by_others(scope, before, before.name())?;
        let earlier = together.earlier.iter().flat_map(|earlier| &earlier.requirements);
        needless.extend(earlier.map(|requirement| requirement.code.clone()));
        let until_type = before.validity.as_ref().map_or("", |validity| validity.until_type.as_str());
        let mut used = happened(scope, until_type, before)?;
        if !until_type.is_empty() && together.has_type(until_type, together.others()) {
            used = used.into_iter().chain([day]).min();
        }
        Ok(Self { needless, used })
    }

    /// Gives them to the milestone, whose state is the new one.
    pub(crate) fn set(&self, milestone: &mut Milestone, context: &ChangeContext) {
        // What it brought before is taken back first.
        let fields = (milestone.state, milestone.actual_date);
        milestone.set_state(State::Planned);
        settle(milestone, None, &context.portfolio.calendar, context.current_date);
        (milestone.state, milestone.actual_date) = fields;
        milestone.dropped_by_upgrade &= milestone.state() == State::Cancelled;
        if milestone.state() == State::Achieved {
            for requirement in &mut milestone.requirements {
                let is_needed = !self.needless.contains(&requirement.code);
                requirement.set_state(if is_needed {
                    Requirement::Satisfied
                } else {
                    Requirement::NotNeeded
                });
            }
            settle(milestone, self.used, &context.portfolio.calendar, context.current_date);
        }
    }
}

/// What is announced of the change of a milestone's state: what it satisfies, what ends, and what it keeps or no longer
/// keeps.
pub(crate) fn announced(
    scope: &Scope<'_>,
    together: Together<'_>,
    after: &Checked<Milestone>,
    context: &ChangeContext,
) -> Result<Vec<Change>, DamagedRow> {
    let before = together.own;
    let mut announced = announcements(before, after, context.current_date);
    let of_type = &before.r#type;
    if of_type.is_empty() || achieved_on(before) == achieved_on(after) {
        return Ok(announced);
    }
    // All that are of this type have one day; the first of them says what comes of it.
    if together.has_type(of_type, together.earlier.iter().copied()) {
        return Ok(announced);
    }
    let changes = |name: &MilestoneName| together.others().any(|other| other.name() == name);
    let mut kept = others_of_template(scope, BY_UNTIL_TYPE, of_type, before)?;
    kept.retain(|kept| kept.state() == State::Achieved && !changes(kept.name()));
    if kept.is_empty() {
        return Ok(announced);
    }
    let mut others = others_of_template(scope, BY_TYPE, of_type, before)?;
    others.retain(|other| !changes(other.name()));
    for kept in kept {
        let others = others.iter().filter(|other| other.name() != kept.name());
        let used = others.filter_map(|other| achieved_on(other)).chain(achieved_on(after)).min();
        announced.extend(resettled(scope, &kept, used, context));
    }
    Ok(announced)
}

/// What comes of it for a milestone that what keeps it happened on this day, or did not.
fn resettled(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    used: Option<Date>,
    context: &ChangeContext,
) -> Option<Change> {
    let settled = |milestone: &mut Milestone| {
        settle(milestone, used, &context.portfolio.calendar, context.current_date);
    };
    let mut milestone = (**before).clone();
    settled(&mut milestone);
    if milestone == **before {
        return None;
    }
    let after = before.changed(scope, settled);
    let announced = announcements(before, &after, context.current_date);
    Some(Change::of(EventKind::Updated, Some(before), after).announcing(announced))
}

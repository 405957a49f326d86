//! Making the milestones of a template in a project, and bringing them up to a later version.
//!
//! Invariants: an item of a template is one milestone of a project, whose id is its own, through all versions. What is
//! achieved is never changed by another version, nor is the name or a date of what is open. The same again changes nothing.
//! Which version a project is at is what its milestones say: the latest that one of them is of. A milestone that awaits the
//! start of a project that started already is made, and achieved in the same entry, so that it ends as if it had been there.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use milepost_ledger::key::ordered_date;
use milepost_proto::event::v1::TemplateApplied;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::milestone::{CouplingState, Gate, State};
use milepost_proto::tracker::v1::template_item::Anchor;
use milepost_proto::tracker::v1::template_version::State as VersionState;
use milepost_proto::tracker::v1::{Milestone, Template, TemplateItem, TemplateVersion};
use milepost_resource::{
    Change, Checked, EventKind, Parent, Presence, Rules, check_state, date, date_message, encoded_len,
};
use milepost_types::{DamagedRow, Precondition, Rejection, check_batch};

use super::made::{is_open, requirements};
use super::plan::{Found, ProjectDays, dates};
use super::requirements::is_satisfied;
use super::version::BY_DAY;
use crate::act::unmet;
use crate::decide::{Scope, Tracker};
use crate::milestone::{CONSTRUCTION_START, ChangeContext, To, achieve_started, states_changed};
use crate::names::{MilestoneName, ProjectName, TemplateName, TemplateVersionName};
use crate::parent::Followed;
use crate::tables;

/// The day that a date is counted from is not known: the registry may know it by now.
pub(crate) const DATE_UNKNOWN: &str = "DATE_UNKNOWN";

type Rows<'a> = milepost_resource::Rows<'a, Tracker>;

/// Where a template is applied, by which version, and on which days the project is.
pub(crate) struct Application<W> {
    pub(crate) project: ProjectName,
    pub(crate) which: W,
    pub(crate) dates: Dates,
}

/// What dates are counted from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dates {
    /// The days that the request says: they win over those of the project.
    pub(crate) days: ProjectDays,
    /// Whether an item whose date is not known is made without one.
    pub(crate) allow_undated: bool,
}

/// The milestones of a project that a template made, by name, deleted ones included.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn of_project(
    rows: &Rows<'_>,
    template: &TemplateName,
    project: &ProjectName,
) -> Result<Vec<Checked<Milestone>>, DamagedRow> {
    let versions = format!("{template}/versions/");
    let mut found = Vec::new();
    for milestone in rows.under::<Milestone>(project.ids(), None) {
        let (name, row) = milestone?;
        let milestone = rows.read(&name, row)?;
        if milestone.template_version.starts_with(&versions) {
            found.push(milestone);
        }
    }
    Ok(found)
}

/// The version of a template that is in force on a day, if there is one.
fn in_force(
    rows: &Rows<'_>,
    template: &TemplateName,
    day: Date,
) -> Result<Option<Checked<TemplateVersion>>, DamagedRow> {
    for name in rows.names_from_last::<TemplateVersion>(BY_DAY, template.ids(), &[], &ordered_date(day)) {
        if let Some(version) = rows.get(&name)?
            && version.state() == VersionState::Published
        {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// The version that a project gets on a day, in which nothing is of its template yet.
fn applicable(
    scope: &Scope<'_>,
    template: &TemplateName,
    project: &ProjectName,
    day: Date,
) -> Result<Checked<TemplateVersion>, Rejection> {
    let mut conditions = Vec::new();
    let there = of_project(&scope.rows, template, project)?;
    if let Some(first) = there.iter().find(|milestone| !milestone.is_deleted()) {
        conditions.push(Precondition {
            kind: "ALREADY_APPLIED",
            subject: first.name().to_string(),
            description: format!("it is of {template}; use UpgradeTemplate"),
        });
    }
    let version = in_force(&scope.rows, template, day)?;
    if version.is_none() {
        conditions.push(Precondition {
            kind: "NO_VERSION_IN_FORCE",
            subject: template.to_string(),
            description: format!("it has no version that is published and in force on {day}"),
        });
    }
    version.filter(|_| conditions.is_empty()).ok_or(Rejection::Preconditions(conditions))
}

/// Makes the milestones of the version that is in force on a day; none: today.
///
/// # Errors
/// If the project has milestones of the template, or of the same ids, or if a date is not known or cannot be counted.
pub(crate) fn apply(
    scope: &Scope<'_>,
    template: &Checked<Template>,
    Application { project, which, dates }: &Application<Option<Date>>,
) -> Result<Vec<Change>, Rejection> {
    Followed::<Milestone>::check_open(&scope.rows, project.ids())?;
    let context = ChangeContext::in_portfolio(scope, &project.parent())?;
    let day = context.act_day("application_date", *which)?;
    let version = applicable(scope, template.name(), project, day)?;
    let plan = Plan::of(scope, project, &version, &context)?;
    let made = plan.make(version.items.iter().collect(), dates, &[])?;
    plan.changes("milepost.template.applied", day, Outcome { made, ..Outcome::default() })
}

/// The version that a project is brought up to.
pub(crate) struct Which {
    pub(crate) version: TemplateVersionName,
    /// The day; none: today.
    pub(crate) date: Option<Date>,
    /// The day on which it was reported; none: that of the commit.
    pub(crate) reported: Option<Date>,
}

/// Brings what a template made in a project up to a version.
///
/// # Errors
/// If it made nothing there, if the version is not published, not in force yet, or earlier than what is there, or as
/// [`apply`].
pub(crate) fn upgrade(
    scope: &Scope<'_>,
    template: &Checked<Template>,
    Application { project, which: Which { version, date, reported }, dates }: &Application<Which>,
) -> Result<Vec<Change>, Rejection> {
    Followed::<Milestone>::check_open(&scope.rows, project.ids())?;
    let context = ChangeContext::in_portfolio(scope, &project.parent())?;
    let there = of_project(&scope.rows, template.name(), project)?;
    // What an earlier upgrade cancelled says on which day that was.
    let dropped = there.iter().filter(|milestone| milestone.dropped_by_upgrade);
    let first = dropped.filter_map(|milestone| milepost_resource::date(milestone.state_date.as_ref())).max();
    let first = (first, "the day of an earlier upgrade, which cancelled milestones");
    let (day, reported) = context.outcome_days("date", (*date, first), *reported)?;
    let version = scope.rows.find(version)?;
    if version.is_deleted() {
        return Err(Rejection::deleted(version.name()));
    }
    check_state(&version, "upgrade to", &[VersionState::Published])?;
    let mut conditions = against(scope, template, project, &version, &there, day)?;
    let items: HashMap<&str, &TemplateItem> =
        version.items.iter().map(|item| (item.id.as_str(), item)).collect();
    let plan = Plan::of(scope, project, &version, &context)?;
    let (mut kept, mut cancelled) = (Vec::new(), Vec::new());
    let (mut reopened, mut awaiting) = (Vec::new(), Vec::new());
    for milestone in there.iter().filter(|milestone| !milestone.is_deleted()) {
        match items.get(milestone.template_item.as_str()) {
            None if is_open(milestone) => {
                let reason = format!("{} has no such item", version.name());
                let to = To { state: State::Cancelled, day, reported };
                let drop = |milestone: &mut Milestone| milestone.dropped_by_upgrade = true;
                let changes = states_changed(scope, &[milestone], to, &reason, &context, drop)?;
                cancelled.push((milestone.name().clone(), encoded_len(&**milestone), changes));
            }
            Some(item) if is_open(milestone) => {
                kept.push((milestone.name().clone(), plan.brought_up(milestone, item)));
            }
            Some(item) if milestone.dropped_by_upgrade => {
                let changed = plan.brought_up(milestone, item);
                let before = changed.as_ref().map_or(milestone, |(_, after)| after);
                match plan.days.start.filter(|_| before.r#type == CONSTRUCTION_START) {
                    Some(_) => awaiting.push(before.clone()),
                    None => reopened.extend(plan.reopened(before, day, reported)?),
                }
                kept.push((milestone.name().clone(), changed));
            }
            _ => kept.push((milestone.name().clone(), None)),
        }
    }
    let known: BTreeSet<&str> = there.iter().map(|milestone| milestone.template_item.as_str()).collect();
    let mut new = Vec::new();
    for item in version.items.iter().filter(|item| !known.contains(item.id.as_str())) {
        if plan.is_needed(item, day)? {
            new.push(item);
        }
    }
    let made = unmet(plan.make(new, dates, &there), &mut conditions)?.unwrap_or_default();
    Rejection::unless_met(conditions)?;
    plan.changes("milepost.template.upgraded", day, Outcome { made, kept, cancelled, reopened, awaiting })
}

/// All that speaks against bringing a project up to a version on a day.
fn against(
    scope: &Scope<'_>,
    template: &Checked<Template>,
    project: &ProjectName,
    version: &Checked<TemplateVersion>,
    there: &[Checked<Milestone>],
    day: Date,
) -> Result<Vec<Precondition>, DamagedRow> {
    let mut conditions = Vec::new();
    let mut unmet = |kind, subject: String, description: String| {
        conditions.push(Precondition { kind, subject, description });
    };
    let from = date(version.in_force_from.as_ref());
    if let Some(from) = from.filter(|from| *from > day) {
        let description = format!("it is in force from {from}, which is after {day}, the day of the upgrade");
        unmet("NOT_IN_FORCE", version.name().to_string(), description);
    }
    let live = there.iter().filter(|milestone| !milestone.is_deleted());
    let versions: BTreeSet<&str> = live.map(|milestone| milestone.template_version.as_str()).collect();
    if versions.is_empty() {
        let description = format!("it has no milestone of {}; use ApplyTemplate", template.name());
        unmet("NOT_APPLIED", project.to_string(), description);
    }
    for other in versions.iter().filter_map(|other| other.parse::<TemplateVersionName>().ok()) {
        let other_from = scope.rows.get(&other)?.and_then(|other| date(other.in_force_from.as_ref()));
        if other_from > from {
            let description =
                format!("{project} has milestones of it, and it is later than {}", version.name());
            unmet("NOT_LATER", other.to_string(), description);
        }
    }
    Ok(conditions)
}

/// What a version makes of a project.
struct Plan<'a> {
    scope: &'a Scope<'a>,
    project: &'a ProjectName,
    version: &'a Checked<TemplateVersion>,
    context: &'a ChangeContext,
    /// The days of the project, as the registry said them last.
    days: ProjectDays,
}

/// A milestone as it was, and as it is.
type Changed = (Checked<Milestone>, Checked<Milestone>);

/// What becomes of milestones by a version.
#[derive(Default)]
struct Outcome {
    made: Vec<Checked<Milestone>>,
    /// How they change, if they do.
    kept: Vec<(MilestoneName, Option<Changed>)>,
    /// With their bytes.
    cancelled: Vec<(MilestoneName, usize, Vec<Change>)>,
    /// Of those that are kept.
    reopened: Vec<Change>,
    /// Those of them that are as the start of the project leaves them.
    awaiting: Vec<Checked<Milestone>>,
}

impl<'a> Plan<'a> {
    fn of(
        scope: &'a Scope<'a>,
        project: &'a ProjectName,
        version: &'a Checked<TemplateVersion>,
        context: &'a ChangeContext,
    ) -> Result<Self, DamagedRow> {
        let kept = tables::project::mirrored(scope.rows.read, project)?;
        let kept = kept.map(|row| tables::project::decoded(project, &row)).transpose()?.unwrap_or_default();
        let (planned, actual) =
            (kept.planned_period.unwrap_or_default(), kept.actual_period.unwrap_or_default());
        let days = ProjectDays {
            start: date(actual.start_date.as_ref()),
            planned_start: date(planned.start_date.as_ref()),
            planned_end: date(planned.end_date.as_ref()),
        };
        Ok(Self { scope, project, version, context, days })
    }

    fn name(&self, item: &TemplateItem) -> Option<MilestoneName> {
        Some(MilestoneName::under(self.project.ids(), item.id.parse().ok()?))
    }

    /// Whether a project needs a new item on a day: not if it is a MERGED gate of which nothing is left then, and no other
    /// item has to do with it.
    fn is_needed(&self, item: &TemplateItem, day: Date) -> Result<bool, DamagedRow> {
        let mut items = self.version.items.iter();
        let stands_alone = item.coupling.is_empty() && !items.any(|other| other.members.contains(&item.id));
        if item.gate() != Gate::Merged || !stands_alone {
            return Ok(true);
        }
        for requirement in &item.satisfies {
            if !is_satisfied(&self.scope.rows, self.project, &requirement.code, day)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The milestones of these items, which are counted from those that are there.
    fn make(
        &self,
        new: Vec<&TemplateItem>,
        given: &Dates,
        there: &[Checked<Milestone>],
    ) -> Result<Vec<Checked<Milestone>>, Rejection> {
        let known = there.iter().map(|milestone| {
            let day = milestone.actual_date.as_ref().or(milestone.forecast_date.as_ref());
            (milestone.template_item.as_str(), date(day.or(milestone.baseline_date.as_ref())))
        });
        let days = given.days.or(&self.days);
        let found = dates(&self.version.items, &days, &known.collect(), &self.context.portfolio.calendar);
        let found: HashMap<&str, Found> =
            self.version.items.iter().map(|item| item.id.as_str()).zip(found).collect();
        let (mut made, mut conditions) = (Vec::with_capacity(new.len()), Vec::new());
        for item in new {
            let Some(name) = self.name(item) else { continue };
            if self.scope.rows.presence(&name)? != Presence::Missing {
                conditions.push(Precondition {
                    kind: "MILESTONE_EXISTS",
                    subject: name.to_string(),
                    description:
                        "the template makes a milestone of this name, and there is one, perhaps deleted"
                            .to_owned(),
                });
            }
            let day = match found.get(item.id.as_str()) {
                Some(Found::Beyond) => {
                    conditions.push(Precondition {
                        kind: "DATE_OUT_OF_RANGE",
                        subject: name.to_string(),
                        description: "its date would be beyond the years 1 to 9999".to_owned(),
                    });
                    None
                }
                Some(Found::Unknown(anchor)) if !given.allow_undated => {
                    conditions.push(unknown_date(&name, *anchor));
                    None
                }
                Some(Found::Day(day)) => *day,
                Some(Found::Unknown(_)) | None => None,
            };
            let mut milestone = Milestone {
                display_name: item.display_name.clone(),
                translations: item.translations.clone(),
                weight: item.weight,
                baseline_date: day.map(date_message),
                ..Milestone::default()
            };
            self.define(&mut milestone, item);
            Rules::<Tracker>::begin(&mut milestone);
            made.push(Checked::created(name, &milestone, self.scope));
        }
        Rejection::unless_met(conditions)?;
        Ok(made)
    }

    /// Gives a milestone that is open what an item of the version says, but for what people may have changed.
    fn define(&self, milestone: &mut Milestone, item: &TemplateItem) {
        milestone.template_version = self.version.name().to_string();
        milestone.template_item.clone_from(&item.id);
        milestone.r#type.clone_from(&item.r#type);
        milestone.required_evidence.clone_from(&item.required_evidence);
        milestone.requirements = requirements(item);
        milestone.gate = item.gate;
        milestone.gate_members.clone_from(&item.members);
        let is_same = milestone.coupling == item.coupling;
        milestone.coupling.clone_from(&item.coupling);
        if item.coupling.is_empty() {
            milestone.set_coupling_state(CouplingState::Unspecified);
        } else if !is_same {
            milestone.set_coupling_state(CouplingState::Coupled);
        }
        milestone.validity.clone_from(&item.validity);
    }

    /// An open milestone as it was and as the version has it; none if it is up to it.
    fn brought_up(&self, before: &Checked<Milestone>, item: &TemplateItem) -> Option<Changed> {
        let mut milestone = (**before).clone();
        self.define(&mut milestone, item);
        if milestone == **before {
            return None;
        }
        Some((before.clone(), before.changed(self.scope, |milestone| self.define(milestone, item))))
    }

    /// A milestone that an earlier version dropped, open again.
    fn reopened(
        &self,
        before: &Checked<Milestone>,
        day: Date,
        reported: Option<gtype::Date>,
    ) -> Result<Vec<Change>, DamagedRow> {
        let to = To { state: State::Planned, day, reported };
        let reason = format!("{} has the item again", self.version.name());
        states_changed(self.scope, &[before], to, &reason, self.context, |_| {})
    }

    /// All of it as changes, after one that says so; none if nothing changes.
    fn changes(
        &self,
        event_type: &'static str,
        day: Date,
        Outcome { made, kept, cancelled, reopened, awaiting: mut started }: Outcome,
    ) -> Result<Vec<Change>, Rejection> {
        let sizes = made.iter().map(|milestone| encoded_len(&**milestone));
        check_batch("milestones", sizes.chain(cancelled.iter().map(|(_, bytes, _)| *bytes)))?;
        let payload = Payload::TemplateApplied(TemplateApplied {
            template_version: self.version.name().to_string(),
            made: names(made.iter().map(Checked::name)),
            kept: names(kept.iter().map(|(name, _)| name)),
            cancelled: names(cancelled.iter().map(|(name, ..)| name)),
        });
        let mut changes = Vec::with_capacity(made.len() + kept.len() + cancelled.len());
        let mut awaiting = Vec::new();
        for milestone in made {
            let kind = EventKind::Created;
            awaiting.extend(self.awaits_start(&kind, None, &milestone)?);
            changes.push(Change::new(self.scope, kind, None, milestone)?);
        }
        for (before, after) in kept.into_iter().filter_map(|(_, changed)| changed) {
            let kind = EventKind::Updated;
            awaiting.extend(self.awaits_start(&kind, Some(&before), &after)?);
            changes.push(Change::new(self.scope, kind, Some(&before), after)?);
        }
        changes.extend(cancelled.into_iter().flat_map(|(.., changes)| changes).chain(reopened));
        awaiting.append(&mut started);
        changes.extend(self.starts(&awaiting)?);
        if changes.is_empty() {
            return Ok(changes);
        }
        let (version, portfolio) = (self.version.name().to_string(), self.project.parent().to_string());
        let first = Change::without_resource(event_type, payload);
        let first = first.concerning(version, portfolio, self.project.to_string()).on(Some(day));
        Ok([first].into_iter().chain(changes.into_iter().map(|change| change.because_of(0))).collect())
    }

    /// A milestone as this change leaves it, if it awaits the start of the project by it and did not before. What did, and is
    /// open although the project started, was reopened by somebody.
    fn awaits_start(
        &self,
        kind: &EventKind,
        before: Option<&Checked<Milestone>>,
        after: &Checked<Milestone>,
    ) -> Result<Option<Checked<Milestone>>, Rejection> {
        let is_start = |milestone: &Milestone| milestone.r#type == CONSTRUCTION_START;
        if self.days.start.is_none()
            || before.is_some_and(|before| is_start(before))
            || !is_start(after)
            || after.state() != State::Planned
        {
            return Ok(None);
        }
        let mut completed = Ok(());
        let after = after.changed(self.scope, |milestone| {
            completed = Rules::complete(self.scope, kind, after.name(), before, milestone);
        });
        completed.map(|()| Some(after))
    }

    /// What the start of the project, which the registry said before, makes of milestones that await it by now.
    fn starts(&self, awaiting: &[Checked<Milestone>]) -> Result<Vec<Change>, DamagedRow> {
        let Some(day) = self.days.start else { return Ok(Vec::new()) };
        let all: Vec<_> = awaiting.iter().collect();
        achieve_started(self.scope, &all, day, self.context)
    }
}

/// That the day is not known from which the date of a milestone would be counted.
fn unknown_date(milestone: &MilestoneName, anchor: Anchor) -> Precondition {
    let (day, field) = match anchor {
        Anchor::ProjectStart => ("the project started", "start_date"),
        Anchor::PlannedStart => ("the project is planned to start", "planned_start_date"),
        _ => ("the project is planned to end", "planned_end_date"),
    };
    let description = format!(
        "its date is counted from the day on which {day}, which neither the request nor the project says; give \
         {field}, or allow_undated"
    );
    Precondition { kind: DATE_UNKNOWN, subject: milestone.to_string(), description }
}

fn names<'a>(names: impl Iterator<Item = &'a MilestoneName>) -> Vec<String> {
    names.map(ToString::to_string).collect()
}

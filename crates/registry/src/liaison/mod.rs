//! Assignments: liaison officers who serve the units of projects, each for a period.
//!
//! Invariants: on every day on which a project has several active assignments exactly one of them leads; nobody serves
//! a project twice on a day; nobody is assigned to more projects of a portfolio on a day than it allows; the person is
//! an id. An assignment is handed over or ended once. Whoever is assigned is held against all assignments that the rules
//! ask for; to end or delete one, those that cannot be decoded are left out. `actions` has what is
//! done to one, `officers` who serves how many projects.

mod actions;
pub(crate) mod officers;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::registry::v1::assignment::{Kind, State};
use milepost_proto::registry::v1::{Assignment, Organization, Portfolio, Project};
use milepost_resource::{
    By, Checked, EventKind, Index, Name, Presence, Rules, Show, Under, Unreadable, date, date_message,
    known_state,
};
use milepost_types::{DamagedRow, Period, Precondition, Rejection, Violations, limits};

pub(crate) use actions::{End, HandOver, end, hand_over};

use crate::portfolio::{current_date, today};
use crate::reference;
use crate::stay::{Stay, first_overlap, first_with_as_many, first_without_one_lead, lead_fault};
use crate::tables::{Registry, Rows, Scope};

/// The assignments of each portfolio by person, deleted ones too.
const BY_PERSON: Index =
    Index { tag: 51, under: 1, by: &[By::Field("person")], live: false, when: &[], orders: true };

impl Rules<Registry> for Assignment {
    type Above = Under<Project>;

    const TABLE: u8 = 50;
    const TABLE_NAME: &'static str = "registry.assignments";
    const ID_PREFIX: char = 'a';
    const READS_OTHERS: bool = true;
    const INDEXES: &'static [Index] = &[BY_PERSON];

    const SHOW: Option<Show<Registry, Self>> = Some(show);

    fn check(&self, violations: &mut Violations) {
        let [start, end] = [&self.start_date, &self.end_date].map(|given| date(given.as_ref()));
        violations.check("end_date", Period::new(start, end));
    }

    /// What may be done to one depends on its state, and who leads on its period.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        date(self.start_date.as_ref()).map(drop).ok_or_else(|| Unreadable::of("start_date", "is missing"))
    }

    fn begin(&mut self) {
        self.set_state(State::Assigned);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let today = today(scope, &portfolio(after.name()))?;
        let period = period(after, today);
        let ends = period.end().filter(|end| period.start().is_some_and(|start| *end < start));
        if let Some(end) = ends {
            let description = format!("{end} is before {today}, when it would begin; give a start_date");
            return Err(Rejection::invalid("assignment.end_date", "INVALID_PERIOD", description));
        }
        let mut conditions = Vec::new();
        if before.is_none_or(|before| before.organization != after.organization) {
            let field = "assignment.organization";
            reference::check::<Organization>(scope, field, &after.organization, &mut conditions)?;
        }
        let live = before.filter(|before| !before.is_deleted());
        let terms =
            |assignment: &Self| (assignment.person.clone(), assignment.lead, self::period(assignment, today));
        if live.is_none_or(|before| terms(before) != terms(after)) {
            check_terms(scope, after.name(), &[(live, after)], Damaged::Refused, today, &mut conditions)?;
        }
        Rejection::unless_met(conditions)
    }

    fn release(scope: &Scope<'_>, assignment: &Checked<Self>) -> Result<(), Rejection> {
        let wanted = |name: &Name<Self>| name != assignment.name();
        let others = of_project(scope, &assignment.name().parent(), wanted, Damaged::LeftOut)?;
        let mut conditions = Vec::new();
        check_lead(&assignment.name().parent(), &stays(&others), &mut conditions);
        Rejection::unless_met(conditions)
    }

    /// One that does not say when it begins, begins today.
    fn complete(
        scope: &Scope<'_>,
        _: &EventKind,
        name: &Name<Self>,
        _: Option<&Checked<Self>>,
        assignment: &mut Self,
    ) -> Result<(), Rejection> {
        if assignment.start_date.is_none() {
            assignment.start_date = Some(date_message(today(scope, &portfolio(name))?));
        }
        Ok(())
    }
}

/// Sets the kind, while it is active today.
fn show(
    rows: &Rows<'_>,
    now: Timestamp,
    name: &Name<Assignment>,
    assignment: &mut Assignment,
) -> Result<bool, Rejection> {
    let today = current_date(&*rows.find(&portfolio(name))?, now);
    if assignment.delete_time.is_some() || !period(assignment, today).contains(today) {
        return Ok(false);
    }
    match active(rows, &name.parent(), today) {
        Ok(active) => assignment.set_kind(kind(active)),
        Err(damage) => {
            tracing::error!(%name, %damage, "how many officers a project has is not shown");
        }
    }
    Ok(true)
}

/// How many assignments of a project are active on a day, up to as many as [`kind`] tells apart.
fn active(rows: &Rows<'_>, project: &Name<Project>, day: Date) -> Result<usize, DamagedRow> {
    let mut active = 0;
    for found in rows.under::<Assignment>(project.ids(), None) {
        let (name, row) = found?;
        let other = rows.read(&name, row)?;
        active += usize::from(!other.is_deleted() && period(&other, day).contains(day));
        if active > 1 {
            break;
        }
    }
    Ok(active)
}

/// How many officers a project has, by how many assignments are active.
fn kind(active: usize) -> Kind {
    match active {
        0 => Kind::Unspecified,
        1 => Kind::OneToOne,
        _ => Kind::ManyToOne,
    }
}

/// The portfolio that an assignment is in.
fn portfolio(name: &Name<Assignment>) -> Name<Portfolio> {
    name.parent().parent()
}

/// When an assignment is active. Without a `start_date` it is not stored yet, and begins today.
fn period(assignment: &Assignment, today: Date) -> Period {
    let start = date(assignment.start_date.as_ref()).unwrap_or(today);
    Period::stored(Some(start), date(assignment.end_date.as_ref()))
}

/// An assignment that is not deleted, as far as rules about days ask.
struct Term {
    name: Name<Assignment>,
    person: String,
    lead: bool,
    period: Period,
}

impl Term {
    fn of(assignment: &Checked<Assignment>, today: Date) -> Self {
        Self {
            name: assignment.name().clone(),
            person: assignment.person.clone(),
            lead: assignment.lead,
            period: period(assignment, today),
        }
    }
}

fn stays(terms: &[Term]) -> Vec<Stay<'_>> {
    terms.iter().map(|Term { person, lead, period, .. }| stay(person, *lead, *period)).collect()
}

fn stay(who: &str, lead: bool, period: Period) -> Stay<'_> {
    Stay { who, lead, period }
}

/// What becomes of other assignments that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damaged {
    /// They are needed.
    Refused,
    /// The rules hold for the others.
    LeftOut,
}

/// The assignments of a project that are not deleted and whose names are wanted.
fn of_project(
    scope: &Scope<'_>,
    project: &Name<Project>,
    wanted: impl Fn(&Name<Assignment>) -> bool,
    damaged: Damaged,
) -> Result<Vec<Term>, DamagedRow> {
    let mut terms = Vec::new();
    for found in scope.rows.under::<Assignment>(project.ids(), None) {
        let (name, row) = found?;
        if !wanted(&name) {
            continue;
        }
        match scope.rows.read(&name, row) {
            Ok(assignment) if assignment.is_deleted() => {}
            // Those that are stored say when they begin.
            Ok(assignment) => terms.push(Term::of(&assignment, Date::MAX)),
            Err(damage) if damaged == Damaged::LeftOut => {
                tracing::error!(%damage, "an assignment is left out of what the rules say of its project");
            }
            Err(damage) => return Err(damage),
        }
    }
    Ok(terms)
}

/// Adds to `conditions` which rules about days the assignments of a project would break if these were so, each with what
/// it was before, if it was there.
fn check_terms(
    scope: &Scope<'_>,
    name: &Name<Assignment>,
    changed: &[(Option<&Checked<Assignment>>, &Checked<Assignment>)],
    damaged: Damaged,
    today: Date,
    conditions: &mut Vec<Precondition>,
) -> Result<(), Rejection> {
    let project = name.parent();
    let is_changed = |name: &Name<Assignment>| changed.iter().any(|(_, after)| after.name() == name);
    let mut terms = of_project(scope, &project, |name| !is_changed(name), damaged)?;
    terms.extend(changed.iter().map(|(_, after)| Term::of(after, today)));
    let is_new = changed.iter().any(|(before, _)| before.is_none());
    if is_new && terms.len() > limits::PROJECT_ASSIGNMENTS {
        let limit = limits::PROJECT_ASSIGNMENTS as u64;
        return Err(Rejection::LimitExceeded { what: "assignments of one project", limit });
    }
    let stays = stays(&terms);
    if let Some((one, other)) = first_overlap(&stays) {
        // The one that is there already says more.
        let at = if is_changed(&terms[one].name) { other } else { one };
        let description =
            format!("{} serves the project by this on a day of both; end one before", stays[at].who);
        let subject = terms[at].name.to_string();
        conditions.push(Precondition { kind: "OVERLAP", subject, description });
    }
    check_lead(&project, &stays, conditions);
    for (before, after) in changed {
        check_workload(scope, *before, after, today, conditions)?;
    }
    Ok(())
}

fn check_lead(project: &Name<Project>, stays: &[Stay<'_>], conditions: &mut Vec<Precondition>) {
    if let Some((day, leads)) = first_without_one_lead(stays, 2) {
        let description = format!("of several officers of the project, {}", lead_fault(day, leads));
        conditions.push(Precondition { kind: "LEAD", subject: project.to_string(), description });
    }
}

/// Holds the days that a change adds for a person against how many projects an officer may serve.
fn check_workload(
    scope: &Scope<'_>,
    before: Option<&Checked<Assignment>>,
    after: &Checked<Assignment>,
    today: Date,
    conditions: &mut Vec<Precondition>,
) -> Result<(), Rejection> {
    let portfolio = portfolio(after.name());
    let held = before.filter(|before| before.person == after.person).map(|before| period(before, today));
    if held.is_some_and(|held| covers(held, period(after, today))) {
        return Ok(());
    }
    let Some(most) = scope.rows.find(&portfolio)?.max_projects_per_officer else { return Ok(()) };
    let most = usize::try_from(most).unwrap_or_default();
    let others = of_person(&scope.rows, &portfolio, &after.person, after.name())?;
    let stays: Vec<_> = others.iter().map(|period| stay(&after.person, false, *period)).collect();
    if let Some(day) = first_with_as_many(&stays, most, period(after, today), held) {
        let description = format!(
            "on {day} this officer would serve more than {most} projects of {portfolio}, which it allows by \
             max_projects_per_officer; assign somebody else, or end another assignment before"
        );
        conditions.push(Precondition { kind: "WORKLOAD", subject: after.person.clone(), description });
    }
    Ok(())
}

/// Whether all days of a period, which has a first one, are in another.
fn covers(held: Period, other: Period) -> bool {
    other.start().is_some_and(|start| held.contains(start))
        && held.end().is_none_or(|end| other.end().is_some_and(|other| other <= end))
}

/// Holds the assignments of a project that comes back against how many projects their officers may serve.
pub(crate) fn check_return(scope: &Scope<'_>, project: &Name<Project>) -> Result<(), Rejection> {
    let found = scope.rows.find(&project.parent())?;
    if found.max_projects_per_officer.is_none() {
        return Ok(());
    }
    let today = current_date(&found, scope.context.now);
    let mut conditions = Vec::new();
    for found in scope.rows.under::<Assignment>(project.ids(), None) {
        let (name, row) = found?;
        let assignment = scope.rows.read(&name, row)?;
        if !assignment.is_deleted() {
            check_workload(scope, None, &assignment, today, &mut conditions)?;
        }
    }
    if conditions.is_empty() { Ok(()) } else { Err(Rejection::Preconditions(conditions)) }
}

/// When a person serves the projects of a portfolio that are not deleted, without one assignment.
fn of_person(
    rows: &Rows<'_>,
    portfolio: &Name<Portfolio>,
    person: &str,
    without: &Name<Assignment>,
) -> Result<Vec<Period>, Rejection> {
    let (mut periods, mut present) = (Vec::new(), BTreeMap::new());
    let fields = [person.as_bytes(), &[0]].concat();
    for name in rows.names::<Assignment>(BY_PERSON, portfolio.ids(), &fields) {
        let is_other_project = name.parent() != without.parent();
        let Some(assignment) = rows.get(&name)?.filter(|other| is_other_project && !other.is_deleted())
        else {
            continue;
        };
        if is_present(rows, &name.parent(), &mut present)? {
            periods.push(period(&assignment, Date::MAX));
        }
    }
    Ok(periods)
}

/// Whether a project is there and not deleted; answers are cached in `known`.
fn is_present(
    rows: &Rows<'_>,
    project: &Name<Project>,
    known: &mut BTreeMap<Name<Project>, bool>,
) -> Result<bool, DamagedRow> {
    if let Some(is_present) = known.get(project) {
        return Ok(*is_present);
    }
    let is_present = rows.presence(project)? == Presence::Present;
    known.insert(project.clone(), is_present);
    Ok(is_present)
}

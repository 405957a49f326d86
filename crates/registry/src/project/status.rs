//! The status of a project, and how it gets from one to another.
//!
//! `PROPOSED → PREPARATION → CONSTRUCTION → COMPLETED → IN_SERVICE`, with `SUSPENDED`, which remembers
//! where it resumes, and `CANCELLED`, which is the end. Invariants: every change of status is one of
//! these moves; none speaks of a day after today.

use jiff::civil::Date;
use milepost_proto::event::v1::ProjectStatusChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::{Batch, Period as PeriodMessage, Project, project};
use milepost_resource::{Change, Checked, EventKind, Name, Unreadable, date_message, period};
use milepost_types::{DateError, Period, Precondition, Rejection, Violations};

use crate::portfolio::{check_not_after, today};
use crate::tables::Scope;

/// How far a project has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Proposed,
    Preparation,
    Construction,
    Completed,
    InService,
}

impl Stage {
    fn of(status: project::Status) -> Option<Self> {
        match status {
            project::Status::Proposed => Some(Stage::Proposed),
            project::Status::Preparation => Some(Stage::Preparation),
            project::Status::Construction => Some(Stage::Construction),
            project::Status::Completed => Some(Stage::Completed),
            project::Status::InService => Some(Stage::InService),
            _ => None,
        }
    }

    fn message(self) -> project::Status {
        match self {
            Stage::Proposed => project::Status::Proposed,
            Stage::Preparation => project::Status::Preparation,
            Stage::Construction => project::Status::Construction,
            Stage::Completed => project::Status::Completed,
            Stage::InService => project::Status::InService,
        }
    }
}

/// The status of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// On its way.
    At(Stage),
    /// Stopped for a time; it resumes at this stage.
    Suspended(Stage),
    /// Given up for good.
    Cancelled,
}

impl Status {
    /// One of each, whatever a suspended one resumes at.
    pub(crate) const ALL: [Status; 7] = [
        Status::At(Stage::Proposed),
        Status::At(Stage::Preparation),
        Status::At(Stage::Construction),
        Status::At(Stage::Completed),
        Status::At(Stage::InService),
        Status::Suspended(Stage::Proposed),
        Status::Cancelled,
    ];

    /// The status of a project.
    ///
    /// # Errors
    /// If this version does not know it: what may be done to a project depends on it.
    pub(crate) fn of(project: &Project) -> Result<Self, Unreadable> {
        let unknown = |field, number: i32| {
            Unreadable::of(field, format_args!("{number} is no status that this version knows"))
        };
        let status = project::Status::try_from(project.status);
        match status {
            Ok(project::Status::Cancelled) => Ok(Status::Cancelled),
            Ok(project::Status::Suspended) => {
                let stage = project::Status::try_from(project.suspended_status).ok().and_then(Stage::of);
                stage
                    .map(Status::Suspended)
                    .ok_or_else(|| unknown("suspended_status", project.suspended_status))
            }
            status => {
                let stage = status.ok().and_then(Stage::of);
                stage.map(Status::At).ok_or_else(|| unknown("status", project.status))
            }
        }
    }

    /// The status as the API has it.
    fn message(self) -> project::Status {
        match self {
            Status::At(stage) => stage.message(),
            Status::Suspended(_) => project::Status::Suspended,
            Status::Cancelled => project::Status::Cancelled,
        }
    }

    /// The name that the API has for it.
    pub(crate) fn as_str(self) -> &'static str {
        self.message().as_str_name()
    }

    /// The word that people read: `CANCELLED`.
    fn word(self) -> &'static str {
        let name = self.as_str();
        name.strip_prefix("STATUS_").unwrap_or(name)
    }

    /// The stage to resume at, as the API has it.
    fn suspended(self) -> project::Status {
        match self {
            Status::Suspended(stage) => stage.message(),
            _ => project::Status::Unspecified,
        }
    }
}

/// A move from one status to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Prepare,
    Start,
    Complete,
    Commission,
    Suspend,
    Resume,
    Cancel,
}

impl Move {
    /// The verb for people.
    fn verb(self) -> &'static str {
        match self {
            Move::Prepare => "prepare",
            Move::Start => "start",
            Move::Complete => "complete",
            Move::Commission => "commission",
            Move::Suspend => "suspend",
            Move::Resume => "resume",
            Move::Cancel => "cancel",
        }
    }

    /// The status that a move leads to, if it may be made.
    fn leads_to(self, from: Status) -> Option<Status> {
        use Stage::{Completed, Construction, InService, Preparation, Proposed};
        match (self, from) {
            (Move::Prepare, Status::At(Proposed)) => Some(Status::At(Preparation)),
            (Move::Start, Status::At(Proposed | Preparation)) => Some(Status::At(Construction)),
            (Move::Complete, Status::At(Construction)) => Some(Status::At(Completed)),
            (Move::Commission, Status::At(Completed)) => Some(Status::At(InService)),
            (Move::Suspend, Status::At(stage @ (Proposed | Preparation | Construction))) => {
                Some(Status::Suspended(stage))
            }
            (Move::Resume, Status::Suspended(stage)) => Some(Status::At(stage)),
            (Move::Cancel, Status::At(Proposed | Preparation | Construction) | Status::Suspended(_)) => {
                Some(Status::Cancelled)
            }
            _ => None,
        }
    }

    /// The field of a request that may give the day.
    pub(crate) fn date_field(self) -> &'static str {
        match self {
            Move::Start => "start_date",
            Move::Complete => "completion_date",
            Move::Commission => "commission_date",
            Move::Prepare | Move::Suspend | Move::Resume | Move::Cancel => "date",
        }
    }
}

/// A move, when and why it is made.
pub(crate) struct Advance {
    pub(crate) step: Move,
    /// None: today.
    pub(crate) date: Option<Date>,
    /// Empty: the request did not say.
    pub(crate) reason: String,
}

/// A project that was moved.
pub(crate) struct Moved {
    pub(crate) before: Checked<Project>,
    pub(crate) after: Checked<Project>,
    previous: Status,
    /// The day on which it was.
    date: Date,
}

/// Moves a project, on days of its portfolio's time zone.
///
/// # Errors
/// If its status does not allow the move, or if the day is none for it.
pub(crate) fn advance(
    scope: &Scope<'_>,
    project: &Checked<Project>,
    Advance { step, date: given, reason }: &Advance,
) -> Result<Vec<Change>, Rejection> {
    let today = today(scope, &project.name().parent())?;
    let previous = status(project)?;
    let Some(status) = step.leads_to(previous) else {
        let allowed = Status::ALL.into_iter().filter(|from| step.leads_to(*from).is_some());
        return Err(wrong_state(project, step.verb(), allowed));
    };
    let mut violations = Violations::new();
    let (field, date) = (step.date_field(), given.unwrap_or(today));
    check_not_after(field, *given, today, "tell it when it has happened", &mut violations);
    let actual = period(project.actual_period.as_ref());
    check_not_too_early(*step, previous, actual, date, &mut violations);
    let period = violations.check(field, period_after(*step, actual, date)).unwrap_or(actual);
    violations.into_result(())?;
    let after = project.changed(scope, |project| {
        set(project, status, period);
        project.status_reason.clone_from(reason);
    });
    Ok(vec![change(scope, Moved { before: project.clone(), after, previous, date }, None)?])
}

/// The status of a project that was read.
fn status(project: &Checked<Project>) -> Result<Status, Rejection> {
    Ok(Status::of(project).map_err(|error| project.name().damaged(error))?)
}

fn set(project: &mut Project, status: Status, period: Period) {
    project.set_status(status.message());
    project.set_suspended_status(status.suspended());
    project.actual_period = (!period.is_empty()).then(|| PeriodMessage {
        start_date: period.start().map(date_message),
        end_date: period.end().map(date_message),
    });
}

/// Finds a day on which what is in construction was stopped, resumed or given up before it started, or on which what is
/// completed was commissioned before that.
fn check_not_too_early(step: Move, from: Status, actual: Period, date: Date, violations: &mut Violations) {
    let is_started = matches!(from, Status::At(Stage::Construction) | Status::Suspended(Stage::Construction));
    let (first, what) = match step {
        Move::Suspend | Move::Resume | Move::Cancel if is_started => (actual.start(), "started"),
        Move::Commission => (actual.end(), "was completed"),
        _ => return,
    };
    if let Some(first) = first.filter(|first| date < *first) {
        let description = format!("{date} is before {first}, when it {what}; give that day or a later one");
        violations.push(step.date_field(), "DATE_TOO_EARLY", description);
    }
}

fn period_after(step: Move, period: Period, date: Date) -> Result<Period, DateError> {
    match step {
        Move::Start => Period::new(Some(date), period.end()),
        Move::Complete => Period::new(period.start(), Some(date)),
        _ => Ok(period),
    }
}

/// Starts a project as a member of a batch, on the day of the batch, which is not after today.
///
/// # Errors
/// Why this member refuses, for the list of all that do.
pub(crate) fn start_in_batch(
    scope: &Scope<'_>,
    project: Checked<Project>,
    batch: &Name<Batch>,
    date: Date,
) -> Result<Moved, Precondition> {
    let step = Move::Start;
    let refuse = |kind, description| Precondition { kind, subject: project.name().to_string(), description };
    if project.is_deleted() {
        let description = "the project is deleted; undelete it, or leave it out of the batch".to_owned();
        return Err(refuse("MEMBER_DELETED", description));
    }
    // One that this version does not know was refused when the row was read.
    let previous = Status::of(&project).unwrap_or(Status::Cancelled);
    let Some(status) = step.leads_to(previous) else {
        let description = format!(
            "the project is {}{}; only what is proposed or in preparation can start",
            previous.word(),
            start_so_far(&project)
        );
        return Err(refuse("MEMBER_IN_WRONG_STATE", description));
    };
    let period = period_after(step, period(project.actual_period.as_ref()), date)
        .map_err(|error| refuse("MEMBER_ENDS_BEFORE_START", format!("its actual period: {error}")))?;
    let after = project.changed(scope, |project| {
        set(project, status, period);
        project.status_reason.clear();
        project.batch = batch.to_string();
    });
    Ok(Moved { before: project, after, previous, date })
}

/// When and by what a project started, if it did, as a part of a sentence.
fn start_so_far(project: &Project) -> String {
    let batch = Some(&project.batch).filter(|batch| !batch.is_empty());
    match (batch, period(project.actual_period.as_ref()).start()) {
        (Some(batch), Some(date)) => format!(", started on {date} by {batch}"),
        (None, Some(date)) => format!(", started on {date} by itself"),
        (Some(batch), None) => format!(", started by {batch}"),
        (None, None) => String::new(),
    }
}

/// What became of a project that was moved, by itself or by this batch.
///
/// # Errors
/// None for projects.
pub(crate) fn change(
    scope: &Scope<'_>,
    moved: Moved,
    batch: Option<&Name<Batch>>,
) -> Result<Change, Rejection> {
    let Moved { before, after, previous, date } = moved;
    let status = status(&after)?;
    let payload = Payload::ProjectStatusChanged(ProjectStatusChanged {
        previous_status: previous.message().into(),
        status: status.message().into(),
        reason: after.status_reason.clone(),
        batch: batch.map(ToString::to_string).unwrap_or_default(),
    });
    let kind = EventKind::custom(event_type(previous, status), payload);
    Ok(Change::new(scope, kind, Some(&before), after)?.on(Some(date)))
}

fn event_type(previous: Status, status: Status) -> &'static str {
    match (previous, status) {
        (Status::Suspended(_), Status::At(_)) => "milepost.project.resumed",
        (_, Status::At(Stage::Proposed | Stage::Preparation)) => "milepost.project.prepared",
        (_, Status::At(Stage::Construction)) => "milepost.project.started",
        (_, Status::At(Stage::Completed)) => "milepost.project.completed",
        (_, Status::At(Stage::InService)) => "milepost.project.commissioned",
        (_, Status::Suspended(_)) => "milepost.project.suspended",
        (_, Status::Cancelled) => "milepost.project.cancelled",
    }
}

/// The refusal of an action for the status.
pub(crate) fn wrong_state(
    project: &Checked<Project>,
    action: &'static str,
    allowed: impl Iterator<Item = Status>,
) -> Rejection {
    let state = project.status().as_str_name();
    milepost_resource::wrong_state(project, action, state, allowed.map(Status::as_str))
}

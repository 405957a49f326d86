//! Where a project stands, and how it gets from one status to another.
//!
//! `PROPOSED → PREPARATION → CONSTRUCTION → COMPLETED → IN_SERVICE`, with `SUSPENDED`, which remembers
//! where it resumes, and `CANCELLED`, which is the end. Invariants: every change of status is one of
//! these moves; none tells of a day after today.

use jiff::civil::Date;
use milepost_types::{BatchName, Period, Precondition, ProjectName, Rejection, Violations};

use super::Project;
use crate::record::{Moment, Target};

/// How far a project has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Proposed,
    Preparation,
    Construction,
    Completed,
    InService,
}

/// Where a project stands.
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

    /// The name that the API has for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::At(Stage::Proposed) => "STATUS_PROPOSED",
            Status::At(Stage::Preparation) => "STATUS_PREPARATION",
            Status::At(Stage::Construction) => "STATUS_CONSTRUCTION",
            Status::At(Stage::Completed) => "STATUS_COMPLETED",
            Status::At(Stage::InService) => "STATUS_IN_SERVICE",
            Status::Suspended(_) => "STATUS_SUSPENDED",
            Status::Cancelled => "STATUS_CANCELLED",
        }
    }

    /// The word that people read: `CANCELLED`.
    fn word(self) -> &'static str {
        let name = self.as_str();
        name.strip_prefix("STATUS_").unwrap_or(name)
    }

    /// The stage to resume at.
    pub(crate) fn suspended(self) -> Option<Stage> {
        match self {
            Status::Suspended(stage) => Some(stage),
            _ => None,
        }
    }
}

/// A move from one status to another. A date that is not given is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Prepare,
    Start(Option<Date>),
    Complete(Option<Date>),
    Commission(Option<Date>),
    Suspend,
    Resume,
    Cancel,
}

impl Move {
    /// The verb for people.
    fn verb(self) -> &'static str {
        match self {
            Move::Prepare => "prepare",
            Move::Start(_) => "start",
            Move::Complete(_) => "complete",
            Move::Commission(_) => "commission",
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
            (Move::Start(_), Status::At(Proposed | Preparation)) => Some(Status::At(Construction)),
            (Move::Complete(_), Status::At(Construction)) => Some(Status::At(Completed)),
            (Move::Commission(_), Status::At(Completed)) => Some(Status::At(InService)),
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

    /// The day that the move tells of, and the field of the request that may give it.
    fn day(self, today: Date) -> Option<(Date, &'static str)> {
        match self {
            Move::Start(date) => Some((date.unwrap_or(today), "start_date")),
            Move::Complete(date) => Some((date.unwrap_or(today), "completion_date")),
            Move::Commission(date) => Some((date.unwrap_or(today), "commission_date")),
            _ => None,
        }
    }
}

/// A project that was moved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moved {
    pub(crate) project: Project,
    pub(crate) previous: Status,
    /// The day that it tells of.
    pub(crate) date: Option<Date>,
    /// The fields that changed, sorted.
    pub(crate) changed: Vec<&'static str>,
}

/// Moves a project, where today is a day in its portfolio's time zone.
pub(crate) fn advance(
    project: &Project,
    target: &Target<ProjectName>,
    step: Move,
    reason: &str,
    today: Date,
    moment: &Moment,
) -> Result<Moved, Rejection> {
    project.check_changeable(target.etag)?;
    let Some(status) = step.leads_to(project.standing.status) else {
        let allowed = Status::ALL.into_iter().filter(|from| step.leads_to(*from).is_some());
        return Err(wrong_state(project, step.verb(), allowed));
    };
    let mut violations = Violations::new();
    let mut period = project.details.actual_period;
    if let Some((date, field)) = step.day(today) {
        if date > today {
            violations.push(
                field,
                "DATE_IN_FUTURE",
                format!("{date} is after today, {today} in the portfolio's time zone; tell it when it has happened"),
            );
        }
        period = violations.check(field, period_after(step, period, date)).unwrap_or(period);
    }
    violations.into_result(()).map_err(Rejection::Invalid)?;
    let mut after = project.touched(moment);
    after.standing.status = status;
    after.standing.status_reason = reason.to_owned();
    after.details.actual_period = period;
    Ok(moved(project, after, step.day(today).map(|(date, _)| date)))
}

fn period_after(step: Move, period: Period, date: Date) -> Result<Period, milepost_types::DateError> {
    match step {
        Move::Start(_) => Period::new(Some(date), period.end()),
        Move::Complete(_) => Period::new(period.start(), Some(date)),
        _ => Ok(period),
    }
}

/// Starts a project as a member of a batch, on the day of the batch, which is not after today.
///
/// # Errors
/// Why this member refuses, for the list of all that do.
pub(crate) fn start_in_batch(
    project: &Project,
    batch: &BatchName,
    date: Date,
    moment: &Moment,
) -> Result<Moved, Precondition> {
    let step = Move::Start(Some(date));
    let refuse = |kind, description| Precondition { kind, subject: project.name.to_string(), description };
    if project.is_deleted() {
        let description = "the project is deleted; undelete it, or leave it out of the batch".to_owned();
        return Err(refuse("MEMBER_DELETED", description));
    }
    let Some(status) = step.leads_to(project.standing.status) else {
        let description = format!(
            "the project is {}{}; only what is proposed or in preparation can start",
            project.standing.status.word(),
            start_so_far(project)
        );
        return Err(refuse("MEMBER_IN_WRONG_STATE", description));
    };
    let period = period_after(step, project.details.actual_period, date)
        .map_err(|error| refuse("MEMBER_ENDS_BEFORE_START", format!("its actual period: {error}")))?;
    let mut after = project.touched(moment);
    after.standing.status = status;
    after.standing.status_reason = String::new();
    after.standing.batch = Some(batch.clone());
    after.details.actual_period = period;
    Ok(moved(project, after, Some(date)))
}

/// When and by what a project started, if it did, as a part of a sentence.
fn start_so_far(project: &Project) -> String {
    match (&project.standing.batch, project.details.actual_period.start()) {
        (Some(batch), Some(date)) => format!(", started on {date} by {batch}"),
        (None, Some(date)) => format!(", started on {date} by itself"),
        (Some(batch), None) => format!(", started by {batch}"),
        (None, None) => String::new(),
    }
}

fn moved(before: &Project, after: Project, date: Option<Date>) -> Moved {
    let (old, new) = (&before.standing, &after.standing);
    let fields = [
        ("actual_period", before.details.actual_period != after.details.actual_period),
        ("batch", old.batch != new.batch),
        ("status", old.status.as_str() != new.status.as_str()),
        ("status_reason", old.status_reason != new.status_reason),
        ("suspended_status", old.status.suspended() != new.status.suspended()),
    ];
    let changed = fields.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect();
    Moved { previous: old.status, project: after, date, changed }
}

/// The refusal of an action for the status.
pub(crate) fn wrong_state(
    project: &Project,
    action: &'static str,
    allowed: impl Iterator<Item = Status>,
) -> Rejection {
    Rejection::WrongState {
        name: project.name.to_string(),
        action,
        state: project.standing.status.as_str().to_owned(),
        allowed: allowed.map(|status| status.as_str().to_owned()).collect(),
    }
}

//! What may be done to a service request, and what comes of it.
//!
//! | act | from | to |
//! |---|---|---|
//! | accept | OPEN | ACCEPTED |
//! | answer | ACCEPTED, not paused | ANSWERED |
//! | return | ANSWERED | ACCEPTED |
//! | rate | ANSWERED | CLOSED |
//! | withdraw | OPEN, ACCEPTED, ANSWERED | WITHDRAWN |
//! | pause | OPEN, ACCEPTED, not paused | the same, paused |
//! | resume | paused | the same, not paused |
//!
//! Invariant: each has a day; days of acts do not go back.

use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::service_request::State;
use milepost_proto::tracker::v1::{ServiceAnswer, ServicePause, ServiceRequest};
use milepost_resource::{Change, Checked, EventKind, check_state, date, date_message, wrong_state};
use milepost_types::{Rejection, limits};

use super::context;
use crate::act;
use crate::decide::Scope;
use crate::milestone::ChangeContext;

/// How refusals call a request whose clock stands still by a pause.
const PAUSED: &str = "PAUSED";

/// The refusal of an act because of a pause.
fn paused(before: &Checked<ServiceRequest>, action: &'static str, allowed: &[State]) -> Rejection {
    wrong_state(before, action, PAUSED, allowed.iter().map(State::as_str_name))
}

/// The day of an act: the current date if none is given.
fn act_day(
    context: &ChangeContext,
    before: &Checked<ServiceRequest>,
    given: Option<Date>,
) -> Result<Date, Rejection> {
    let what = "the day of the last act on the request";
    act::act_day(context.current_date, date(before.act_date.as_ref()), given, what)
}

/// What comes of an act on a day: the change, which is complete but for what follows from it.
fn acted(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    kind: EventKind,
    day: Date,
    act: impl FnOnce(&mut ServiceRequest),
) -> Result<Vec<Change>, Rejection> {
    let after = before.changed(scope, |request| {
        act(request);
        request.act_date = Some(date_message(day));
    });
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// The same, to another state.
fn moved(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    (event_type, state): (&'static str, State),
    reason: &str,
    day: Date,
    act: impl FnOnce(&mut ServiceRequest),
) -> Result<Vec<Change>, Rejection> {
    let payload = Payload::ServiceRequestStateChanged(event::ServiceRequestStateChanged {
        previous_state: before.state,
        state: state.into(),
        reason: reason.to_owned(),
    });
    acted(scope, before, EventKind::custom(event_type, payload), day, |request| {
        request.set_state(state);
        reason.clone_into(&mut request.state_reason);
        act(request);
    })
}

/// The officer works on it from a day on.
///
/// # Errors
/// If the state or the day does not allow it; so with all acts.
pub(crate) fn accept(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "accept", &[State::Open])?;
    let day = act_day(&context(scope, before.name())?, before, *given)?;
    let to = ("milepost.service_request.accepted", State::Accepted);
    moved(scope, before, to, "", day, |_| {})
}

/// The officer answers, on a day.
pub(crate) fn answer(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    (text, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "answer", &[State::Accepted])?;
    if before.paused {
        return Err(paused(before, "answer", &[State::Accepted]));
    }
    let day = act_day(&context(scope, before.name())?, before, *given)?;
    if before.answers.len() >= limits::SERVICE_ANSWERS {
        let limit = limits::SERVICE_ANSWERS as u64;
        return Err(Rejection::LimitExceeded { what: "answers to one service request", limit });
    }
    let to = ("milepost.service_request.answered", State::Answered);
    moved(scope, before, to, "", day, |request| {
        let officer = request.officer.clone();
        let answer_date = Some(date_message(day));
        request.answers.push(ServiceAnswer {
            text: text.clone(),
            answer_date,
            officer,
            ..ServiceAnswer::default()
        });
    })
}

/// The answer does not help, for a reason.
pub(crate) fn return_answer(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "return", &[State::Answered])?;
    let day = act_day(&context(scope, before.name())?, before, *given)?;
    let to = ("milepost.service_request.returned", State::Accepted);
    moved(scope, before, to, reason, day, |request| {
        if let Some(answer) = request.answers.last_mut() {
            answer.return_date = Some(date_message(day));
            answer.return_reason.clone_from(reason);
        }
    })
}

/// How satisfied the requester is.
pub(crate) struct Rating {
    /// From 1 to 5.
    pub(crate) rating: i32,
    /// Empty: nothing.
    pub(crate) comment: String,
    pub(crate) date: Option<Date>,
}

/// The requester rates the answer, which closes the request.
pub(crate) fn rate(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    Rating { rating, comment, date }: &Rating,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "rate", &[State::Answered])?;
    let day = act_day(&context(scope, before.name())?, before, *date)?;
    let to = ("milepost.service_request.rated", State::Closed);
    moved(scope, before, to, "", day, |request| {
        request.rating = Some(*rating);
        request.rating_comment.clone_from(comment);
        request.rating_date = Some(date_message(day));
    })
}

/// The requester wants it no longer. A pause ends with it and moves nothing.
pub(crate) fn withdraw(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "withdraw", &[State::Open, State::Accepted, State::Answered])?;
    let day = act_day(&context(scope, before.name())?, before, *given)?;
    let to = ("milepost.service_request.withdrawn", State::Withdrawn);
    moved(scope, before, to, reason, day, |request| {
        request.paused = false;
        if let Some(pause) = request.pauses.last_mut().filter(|pause| pause.end_date.is_none()) {
            pause.end_date = Some(date_message(day));
        }
    })
}

/// Its clock stands still from a day on, for a reason that has a code.
pub(crate) fn pause(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    (reason, code, given): &(String, String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    let allowed = [State::Open, State::Accepted];
    check_state(before, "pause", &allowed)?;
    if before.paused {
        return Err(paused(before, "pause", &allowed));
    }
    let day = act_day(&context(scope, before.name())?, before, *given)?;
    if before.pauses.len() >= limits::SERVICE_PAUSES {
        let limit = limits::SERVICE_PAUSES as u64;
        return Err(Rejection::LimitExceeded { what: "pauses of one service request", limit });
    }
    let payload = event::ServiceRequestPaused { reason: reason.clone(), code: code.clone() };
    let kind = EventKind::custom("milepost.service_request.paused", Payload::ServiceRequestPaused(payload));
    acted(scope, before, kind, day, |request| {
        request.paused = true;
        let start_date = Some(date_message(day));
        request.pauses.push(ServicePause { start_date, code: code.clone(), ..ServicePause::default() });
    })
}

/// Its clock goes on from a day on: the due date moves by the working days of the pause.
pub(crate) fn resume(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    let open = before.pauses.last().filter(|pause| pause.end_date.is_none());
    let Some(start) = open.and_then(|pause| date(pause.start_date.as_ref())) else {
        return Err(wrong_state(before, "resume", before.state().as_str_name(), [PAUSED]));
    };
    let context = context(scope, before.name())?;
    let day = act_day(&context, before, *given)?;
    let calendar = &context.portfolio.calendar;
    let working_days = calendar.working_days_between(start, day);
    let moved = |due| calendar.add_working_days(due, working_days).unwrap_or(Date::MAX);
    let due_date = date(before.due_date.as_ref()).map(|due| date_message(moved(due)));
    let working_days = if due_date.is_some() { working_days } else { 0 };
    let payload = Payload::ServiceRequestResumed(event::ServiceRequestResumed {
        previous_due_date: before.due_date,
        due_date,
        working_days,
    });
    let kind = EventKind::custom("milepost.service_request.resumed", payload);
    acted(scope, before, kind, day, |request| {
        request.paused = false;
        request.due_date = due_date;
        if let Some(pause) = request.pauses.last_mut() {
            pause.end_date = Some(date_message(day));
            pause.working_days = working_days;
            pause.previous_due_date = before.due_date;
            pause.due_date = due_date;
        }
    })
}

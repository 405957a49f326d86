//! Service requests: what the units of a project ask of its liaison officer.
//!
//! Invariants: a request begins OPEN; its level is as of its last change or of the portfolio's current date, whichever is
//! later, and a rise is announced once. It has an officer exactly if its project has one; another one is announced. Acts
//! are dated: none is after the portfolio's current date, none before the act that came before it. `clock` says how far
//! a request has escalated, `officer` who answers for it, `actions` what may be done, `days` what a day brings.

mod actions;
pub(crate) mod clock;
pub(crate) mod days;
pub(crate) mod officer;
pub(crate) mod statistics;

use jiff::civil::Date;
use milepost_proto::event::v1::ServiceRequestEscalated;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::ServiceRequest;
use milepost_proto::tracker::v1::service_request::State;
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Rows, Rules, Unreadable, When, check_state, date, date_message,
    known_state,
};
use milepost_schedule::Calendar;
use milepost_types::{DamagedRow, Rejection, ResourceName as _, Violations};

pub(crate) use actions::{Rating, accept, answer, pause, rate, resume, return_answer, withdraw};

use crate::act::check_day;
use crate::decide::{Scope, Tracker};
use crate::milestone::ChangeContext;
use crate::names::{ProjectName, ServiceRequestName};
use crate::parent::Followed;
use clock::{is_final, level_on, next_rise, runs};

/// The requests of each portfolio by the next day on which their level rises.
pub(crate) const NEXT_RISE: Index = Index {
    tag: 32,
    under: 1,
    by: &[By::Field("escalation_date")],
    live: true,
    when: &[When::Has("escalation_date")],
    orders: false,
};

/// The requests of each portfolio by their state, those of a project one after another.
const BY_STATE: Index =
    Index { tag: 36, under: 1, by: &[By::Field("state")], live: true, when: &[], orders: false };

impl Rules<Tracker> for ServiceRequest {
    type Above = Followed<Self>;

    const TABLE: u8 = 30;
    const TABLE_NAME: &'static str = "tracker.service_request";
    const ID_PREFIX: char = 'r';
    const INDEXES: &'static [Index] = &[
        Index {
            tag: 31,
            under: 1,
            by: &[By::FirstDate(&["due_date"])],
            live: false,
            when: &[],
            orders: true,
        },
        NEXT_RISE,
        BY_STATE,
    ];

    fn check(&self, violations: &mut Violations) {
        let is_said = |field, text: &str| !text.is_empty() || violations.are_of(field);
        if !is_said("requester", &self.requester)
            && !is_said("requester_organization", &self.requester_organization)
        {
            let description =
                "say who asks: a person in requester, or an organization in requester_organization";
            violations.push("requester", "REQUIRED", description);
        }
    }

    /// What may be done to a request, and what a day makes of it, depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        let pauses = self.pauses.iter().map(|pause| &pause.start_date);
        let answers = self.answers.iter().map(|answer| &answer.answer_date);
        if [&self.act_date].into_iter().chain(pauses).chain(answers).any(|day| date(day.as_ref()).is_none()) {
            return Err(Unreadable::new("one of its days is missing"));
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.set_state(State::Open);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let live = before.filter(|before| !before.is_deleted());
        let said = |request: &Self| {
            let Self { title, text, requester, requester_organization, request_date, due_date, .. } = request;
            let who = (requester.clone(), requester_organization.clone());
            (title.clone(), text.clone(), who, *request_date, *due_date)
        };
        if let Some(before) = live.filter(|before| said(before) != said(after)) {
            check_state(before, "update", &[State::Open, State::Accepted, State::Answered])?;
        }
        let context = context(scope, after.name())?;
        let Some(made) = date(after.request_date.as_ref()) else { return Ok(()) };
        let field = "service_request.request_date";
        let mut violations = Violations::new();
        check_day(field, made, (None, context.current_date), "", &mut violations);
        violations.into_result(())?;
        match date(after.act_date.as_ref()).filter(|act| has_acts(after) && made > *act) {
            Some(act) => Err(Rejection::invalid(
                field,
                "DATE_TOO_LATE",
                format!("{made} is after {act}, the day of the last act on the request"),
            )),
            None => Ok(()),
        }
    }

    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        name: &ServiceRequestName,
        before: Option<&Checked<Self>>,
        request: &mut Self,
    ) -> Result<(), Rejection> {
        let context = context(scope, name)?;
        let today = context.current_date;
        if request.request_date.is_none() {
            request.request_date = Some(date_message(today));
        }
        if !has_acts(request) {
            request.act_date = request.request_date;
        }
        // Of one that is there already, another officer is announced by an event of its own.
        if matches!(kind, EventKind::Created | EventKind::Undeleted) && !is_final(request) {
            let lead = officer::lead_of(scope, &name.parent(), &[], today)?;
            officer::set(request, lead.as_ref());
        }
        refresh_derived(request, before.map(|before| &**before), &context.portfolio.calendar, today);
        Ok(())
    }

    /// The date of a creation event is `request_date`. What becomes overdue or escalates by a change is announced.
    fn describe(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        let change = if before.is_none() { change.on(date(after.request_date.as_ref())) } else { change };
        let previous = before.map_or(0, |before| before.level);
        if after.level <= previous {
            return Ok(change);
        }
        let day = context(scope, after.name())?.current_date;
        let kind = escalated(previous, after.level, day);
        let announcement = Change::of(kind, before, after.clone()).naming(vec!["level"]).on(Some(day));
        Ok(change.announcing(Some(announcement)))
    }
}

/// When and where something is done to the request of this name.
fn context(scope: &Scope<'_>, name: &ServiceRequestName) -> Result<ChangeContext, DamagedRow> {
    ChangeContext::in_portfolio(scope, &name.parent().parent())
}

/// Whether something was done to a request since it was made.
fn has_acts(request: &ServiceRequest) -> bool {
    request.state() != State::Open || !request.pauses.is_empty()
}

/// Brings up to date how far a request has escalated, after an act, on a day or by another calendar. A deleted one keeps
/// how far it had.
///
/// What was announced stays so by whatever calendar: the level falls only by what takes overdue days back, as a due date that
/// moves, or an act that is dated back. It rises only while the clock runs.
fn refresh_derived(
    request: &mut ServiceRequest,
    before: Option<&ServiceRequest>,
    calendar: &Calendar,
    today: Date,
) {
    if request.delete_time.is_some() {
        request.escalation_date = None;
        return;
    }
    let level = level_on(request, calendar, today);
    request.level = match before {
        Some(before) if level < level_on(before, calendar, today) => level,
        Some(before) if runs(before) || runs(request) => level.max(before.level),
        Some(before) => before.level,
        None => level,
    };
    let mut next = next_rise(request, calendar, today);
    while let Some(day) = next.filter(|day| level_on(request, calendar, *day) <= request.level) {
        next = next_rise(request, calendar, day);
    }
    request.escalation_date = next.map(date_message);
}

/// The requests of a project that are not final, nor deleted.
pub(crate) fn of_project<'a>(
    rows: &Rows<'a, Tracker>,
    project: &ProjectName,
) -> impl Iterator<Item = ServiceRequestName> + use<'a> {
    let states = [State::Open, State::Accepted, State::Answered];
    let names = states.map(|state| {
        let fields = [&[state as u8], project.id().as_str().as_bytes(), &[0]].concat();
        rows.names::<ServiceRequest>(BY_STATE, project.parent_ids(), &fields)
    });
    names.into_iter().flatten()
}

/// What comes of another working calendar for a request: it rises on another day, or has risen. Whether it is overdue
/// depends on no calendar, and how far it has risen stays.
pub(crate) fn recalendared(
    scope: &Scope<'_>,
    before: &Checked<ServiceRequest>,
    context: &ChangeContext,
) -> Option<Change> {
    if before.level == 0 || is_final(before) || before.is_deleted() {
        return None;
    }
    let today = context.current_date;
    let after = before.changed(scope, |request| {
        refresh_derived(request, Some(before), &context.portfolio.calendar, today);
    });
    if (after.level, after.escalation_date) == (before.level, before.escalation_date) {
        return None;
    }
    let rises = after.level > before.level;
    let kind = if rises { escalated(before.level, after.level, today) } else { EventKind::Updated };
    Some(Change::of(kind, Some(before), after).on(Some(today)))
}

/// That a request had escalated to one level, and now to another.
fn escalated(previous_level: i32, level: i32, day: Date) -> EventKind {
    let event_type = match previous_level {
        0 => "milepost.service_request.overdue",
        _ => "milepost.service_request.escalated",
    };
    let current_date = Some(date_message(day));
    let payload = ServiceRequestEscalated { previous_level, level, current_date };
    EventKind::custom(event_type, Payload::ServiceRequestEscalated(payload))
}

#[cfg(test)]
mod tests;

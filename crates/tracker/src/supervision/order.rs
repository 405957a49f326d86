//! Rectification orders: what holds of them whatever is done.
//!
//! Invariants: an order has findings, unless a warning policy opened it; they are of its project, were OPEN when it was
//! issued, and move with it: ORDERED while it is not over, CLOSED with it, OPEN again if it is withdrawn. Light and level
//! are as of its last change or of the portfolio's current date, whichever is later; a light that changes, and a level
//! that rises, is announced once.

use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{RectificationOrderEscalated, RectificationOrderLightChanged};
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_proto::tracker::v1::{Finding, RectificationOrder, finding};
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Rules, Unreadable, When, check_state, date, date_message,
    known_state,
};
use milepost_schedule::Calendar;
use milepost_types::{DamagedRow, Precondition, Rejection, Violations};

use super::clock::{awaits_answer, level_on, light_on, next_change};
use super::finding::moved;
use super::{FindingName, OrderName, in_project};
use crate::act::check_day;
use crate::decide::{Scope, Tracker};
use crate::milestone::ChangeContext;
use crate::parent::Followed;

/// The orders of each portfolio by the next day on which their light or their level changes.
pub(crate) const NEXT_CHANGE: Index = Index {
    tag: 47,
    under: 1,
    by: &[By::Field("next_change_date")],
    live: true,
    when: &[When::Has("next_change_date")],
    orders: false,
};

/// The orders of each portfolio by due date.
const BY_DUE_DATE: Index =
    Index { tag: 48, under: 1, by: &[By::FirstDate(&["due_date"])], live: false, when: &[], orders: true };

impl Rules<Tracker> for RectificationOrder {
    type Above = Followed<Self>;

    const TABLE: u8 = 46;
    const TABLE_NAME: &'static str = "tracker.rectification_order";
    const ID_PREFIX: char = 'o';
    const INDEXES: &'static [Index] = &[
        NEXT_CHANGE,
        BY_DUE_DATE,
        Index { tag: 49, by: &[By::Field("responsible")], ..BY_DUE_DATE },
        Index { tag: 50, by: &[By::Field("light")], orders: false, ..BY_DUE_DATE },
        Index { tag: 51, by: &[By::Field("state")], orders: false, ..BY_DUE_DATE },
    ];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        if field == "findings" {
            check_findings(self, violations);
        }
    }

    fn check(&self, violations: &mut Violations) {
        check_findings(self, violations);
    }

    /// What may be done to an order, and what a day makes of it, depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        Light::try_from(self.light).map_err(|_| Unreadable::of("light", "is unknown"))?;
        let answers = self.answers.iter().map(|answer| &answer.answer_date);
        let extension = self.extension.iter().map(|extension| &extension.due_date);
        let own = [&self.due_date, &self.issue_date, &self.act_date].into_iter();
        if own.chain(answers).chain(extension).any(|day| date(day.as_ref()).is_none()) {
            return Err(Unreadable::new("one of its days is missing"));
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.set_state(State::Issued);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        match before {
            None => admit_new(scope, after),
            Some(before) if before.is_deleted() => Ok(()),
            Some(before) => admit_change(before, after),
        }
    }

    fn release(_: &Scope<'_>, order: &Checked<Self>) -> Result<(), Rejection> {
        check_state(order, "delete", &[State::Withdrawn])
    }

    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        name: &OrderName,
        before: Option<&Checked<Self>>,
        order: &mut Self,
    ) -> Result<(), Rejection> {
        let context = context(scope, name)?;
        if matches!(kind, EventKind::Created) {
            let today = date_message(context.current_date);
            order.issue_date = order.issue_date.or(Some(today));
            order.act_date = order.issue_date;
        }
        let before = before.map(|before| &**before);
        refresh_derived(order, before, &context.portfolio.calendar, context.current_date);
        Ok(())
    }

    /// The date of a creation event is the day of issue.
    fn describe(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        let change = if before.is_none() { change.on(date(after.issue_date.as_ref())) } else { change };
        let day = context(scope, after.name())?.current_date;
        let findings = moved_findings(scope, before, after)?;
        Ok(change.announcing(findings).announcing(announcements(before, after, day)))
    }
}

/// When and where something is done to the order of this name.
pub(super) fn context(scope: &Scope<'_>, name: &OrderName) -> Result<ChangeContext, DamagedRow> {
    ChangeContext::in_portfolio(scope, &name.parent().parent())
}

/// Finds that an order is for nothing.
fn check_findings(order: &RectificationOrder, violations: &mut Violations) {
    if order.findings.is_empty() && order.warning.is_empty() {
        violations.require::<()>("findings", None);
    }
}

/// An order with these fields that is opened on a day by no act of its own.
pub(crate) fn opened(
    scope: &Scope<'_>,
    name: OrderName,
    fields: RectificationOrder,
    calendar: &Calendar,
    day: Date,
) -> Change {
    let mut order = RectificationOrder { act_date: fields.issue_date, ..fields };
    order.begin();
    refresh_derived(&mut order, None, calendar, day);
    let after = Checked::created(name, &order, scope);
    let announced = announcements(None, &after, day);
    let issued = date(after.issue_date.as_ref());
    Change::of(EventKind::Created, None, after).on(issued).announcing(announced)
}

/// Refuses an order whose findings are not there, or not OPEN, or whose days do not fit them.
fn admit_new(scope: &Scope<'_>, order: &Checked<RectificationOrder>) -> Result<(), Rejection> {
    let current = context(scope, order.name())?.current_date;
    let issued = date(order.issue_date.as_ref()).unwrap_or(current);
    let (mut violations, mut conditions, mut found_on) = (Violations::new(), Vec::new(), None);
    for (i, given) in order.findings.iter().enumerate() {
        let field = format!("rectification_order.findings[{i}]");
        match in_project::<Finding>(&field, given, &order.name().parent()) {
            Ok(name) => match check_open(scope, &name)? {
                Ok(day) => found_on = found_on.max(Some(day)),
                Err(condition) => conditions.push(condition),
            },
            Err(Rejection::Invalid(found)) => violations.extend(found),
            Err(other) => return Err(other),
        }
    }
    let what = "the day since which the last of its findings is open";
    check_day("rectification_order.issue_date", issued, (found_on, current), what, &mut violations);
    if let Some(due) = date(order.due_date.as_ref()).filter(|due| *due < issued) {
        let description = format!("{due} is before {issued}, the day of issue; give that day or a later one");
        violations.push("rectification_order.due_date", "DATE_TOO_EARLY", description);
    }
    violations.into_result(())?;
    Rejection::unless_met(conditions)
}

/// The day since which a finding is OPEN, if it is; else the condition that it does not meet.
fn check_open(scope: &Scope<'_>, name: &FindingName) -> Result<Result<Date, Precondition>, DamagedRow> {
    let unmet = |kind, description: &str| {
        Err(Precondition { kind, subject: name.to_string(), description: description.to_owned() })
    };
    let Some(finding) = scope.rows.get(name)?.filter(|finding| !finding.is_deleted()) else {
        return Ok(unmet("FINDING_NOT_FOUND", "there is no such finding; leave it out of the order"));
    };
    let day = date(finding.finding_date.as_ref()).ok_or_else(|| name.damaged("its date is missing"))?;
    Ok(match finding.state() {
        // It was found on the one day, and let go by another order on the other.
        finding::State::Open => Ok(day.max(date(finding.state_date.as_ref()).unwrap_or(day))),
        finding::State::Ordered => {
            let order = &finding.rectification_order;
            unmet(
                "FINDING_NOT_OPEN",
                &format!("it is ORDERED by {order}; leave it out, or withdraw that order first"),
            )
        }
        state => {
            let state = state.as_str_name().trim_start_matches("STATE_");
            unmet("FINDING_NOT_OPEN", &format!("it is {state}; leave it out of the order"))
        }
    })
}

/// Refuses a change of what is fixed, and of what is over but for its labels.
fn admit_change(
    before: &Checked<RectificationOrder>,
    after: &Checked<RectificationOrder>,
) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    let fixed = "it is fixed once the order is issued; withdraw the order, and issue another one";
    if before.findings != after.findings {
        violations.push("rectification_order.findings", "FIXED", fixed);
    }
    if before.issue_date != after.issue_date {
        violations.push("rectification_order.issue_date", "FIXED", fixed);
    }
    violations.into_result(())?;
    let said = |order: &RectificationOrder| {
        (order.title.clone(), order.text.clone(), order.responsible.clone(), order.stop_work)
    };
    if said(before) == said(after) {
        return Ok(());
    }
    check_state(before, "update", &[State::Issued, State::Answered, State::Returned])
}

/// Brings light, level and the next day up to date, after an act, on a day or by another calendar.
///
/// What was announced stays so by whatever calendar: the level falls only by an act that takes overdue days back, as an
/// extension, or an answer or a withdrawal that is dated back. It rises only while the order waits for an answer.
pub(super) fn refresh_derived(
    order: &mut RectificationOrder,
    before: Option<&RectificationOrder>,
    calendar: &Calendar,
    today: Date,
) {
    let level = level_on(order, calendar, today);
    order.level = match before {
        Some(before) if level < level_on(before, calendar, today) => level,
        Some(before) if awaits_answer(before) || awaits_answer(order) => level.max(before.level),
        Some(before) => before.level,
        None => level,
    };
    order.set_light(light_on(order, calendar, today));
    order.next_change_date = next_change(order, calendar, today).map(date_message);
}

/// The findings of an order: their names.
pub(super) fn findings(order: &Checked<RectificationOrder>) -> Result<Vec<FindingName>, DamagedRow> {
    let names = order.findings.iter().map(|name| name.parse());
    names.map(|name| name.map_err(|error| order.name().damaged(error))).collect()
}

/// What a change of an order's state makes of its findings.
fn moved_findings(
    scope: &Scope<'_>,
    before: Option<&Checked<RectificationOrder>>,
    after: &Checked<RectificationOrder>,
) -> Result<Vec<Change>, Rejection> {
    let to = match after.state() {
        _ if before.is_some_and(|before| before.state == after.state) => return Ok(Vec::new()),
        State::Issued => ("milepost.finding.ordered", finding::State::Ordered),
        State::Closed => ("milepost.finding.closed", finding::State::Closed),
        State::Withdrawn => ("milepost.finding.reopened", finding::State::Open),
        State::Answered | State::Returned | State::Unspecified => return Ok(Vec::new()),
    };
    let (name, day) = (after.name(), date(after.act_date.as_ref()));
    let day = day.ok_or_else(|| name.damaged("the day of its last act is missing"))?;
    let moved = findings(after)?.into_iter().map(|finding| {
        let finding = scope.rows.find(&finding)?;
        Ok(moved(scope, &finding, to, (name.to_string(), &after.state_reason), day))
    });
    moved.collect()
}

/// What is announced of an order beside its change: another light, a higher level.
pub(super) fn announcements(
    before: Option<&Checked<RectificationOrder>>,
    after: &Checked<RectificationOrder>,
    day: Date,
) -> Vec<Change> {
    let previous_light = before.map_or(Light::Unspecified, |before| before.light());
    let previous_level = before.map_or(0, |before| before.level);
    let mut announced = Vec::new();
    let is_first = before.is_none() && after.light() == Light::None;
    if after.light() != previous_light && !is_first {
        let kind = light_changed(previous_light, after.light(), day);
        announced.push(Change::of(kind, before, after.clone()).naming(vec!["light"]).on(Some(day)));
    }
    if after.level > previous_level {
        let kind = escalated(previous_level, after.level, day);
        announced.push(Change::of(kind, before, after.clone()).naming(vec!["level"]).on(Some(day)));
    }
    announced
}

/// That an order had one light, and has another.
fn light_changed(previous: Light, light: Light, day: Date) -> EventKind {
    let payload = RectificationOrderLightChanged {
        previous_light: previous.into(),
        light: light.into(),
        current_date: Some(date_message(day)),
    };
    let payload = Payload::RectificationOrderLightChanged(payload);
    EventKind::custom("milepost.rectification_order.light_changed", payload)
}

/// That an order had escalated to one level, and now to another.
fn escalated(previous_level: i32, level: i32, day: Date) -> EventKind {
    let current_date = Some(date_message(day));
    let payload = RectificationOrderEscalated { previous_level, level, current_date };
    let payload = Payload::RectificationOrderEscalated(payload);
    EventKind::custom("milepost.rectification_order.escalated", payload)
}

//! Batches: one act that starts many projects on a day.
//!
//! Invariants: what was declared of a batch and what its members add up to are never mixed; a batch changes
//! its day and loses members only while it is planned; it starts whole or not at all, and what joins it
//! later starts on its day, whole or not at all.

pub(crate) mod figures;
pub(crate) mod members;
pub(crate) mod start;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::event::v1::BatchCancelled;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::batch::State;
use milepost_proto::registry::v1::{Batch, Portfolio};
use milepost_resource::{
    By, Change, Checked, Created, EventKind, Index, Name, Rules, Show, Under, Unreadable, check_state, date,
    known_state,
};
use milepost_types::{MoneyError, Rejection};

use crate::members::{check_held, missing, stored};
use crate::portfolio::act_date;
use crate::tables::{Registry, Rows, Scope};
use figures::Figures;

/// The type of the event that says that a batch was given up.
const CANCELLED: &str = "milepost.batch.cancelled";

impl Rules<Registry> for Batch {
    type Above = Under<Portfolio>;

    const TABLE: u8 = 5;
    const TABLE_NAME: &'static str = "registry.batches";
    const ID_PREFIX: char = 'b';
    const READS_OTHERS: bool = true;
    const INDEXES: &'static [Index] =
        &[Index { tag: 23, under: 1, by: &[By::Field("start_date")], live: false, when: &[], orders: true }];

    const SHOW: Option<Show<Registry, Self>> = Some(show);

    /// What may be done to a batch depends on its state, so one that is not known here cannot be kept.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        stored(&self.members).map(|_| ())
    }

    fn begin(&mut self) {
        self.set_state(State::Planned);
    }

    /// The day of a batch that is not planned any more does not change.
    fn admit(_: &Scope<'_>, before: Option<&Checked<Self>>, after: &Checked<Self>) -> Result<(), Rejection> {
        match before {
            Some(before) if before.start_date != after.start_date => {
                check_state(before, "change its start_date", &[State::Planned])
            }
            _ => Ok(()),
        }
    }

    fn admit_created(scope: &Scope<'_>, created: &[Created<Self>]) -> Result<(), Rejection> {
        created
            .iter()
            .try_for_each(|created| Rejection::unless_met(missing(scope, &members::of(&created.resource)?)?))
    }

    fn release(_: &Scope<'_>, batch: &Checked<Self>) -> Result<(), Rejection> {
        check_state(batch, "delete", &[State::Planned, State::Cancelled])
    }

    /// While it is to come, and when it is given up, a batch registers what its members add up to now.
    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        name: &Name<Self>,
        before: Option<&Checked<Self>>,
        batch: &mut Self,
    ) -> Result<(), Rejection> {
        let given_up = matches!(kind, EventKind::Custom { event_type: CANCELLED, .. });
        if batch.state() == State::Planned || given_up {
            let overflow = register(&scope.rows, name, batch)?;
            let held = before.map_or(0, |before| before.members.len());
            check_held(name, batch.members.len() > held, overflow)?;
        }
        Ok(())
    }
}

/// Sets what its members add up to while it is PLANNED.
fn show(rows: &Rows<'_>, _: Timestamp, name: &Name<Batch>, batch: &mut Batch) -> Result<bool, Rejection> {
    let planned = batch.state() == State::Planned;
    if planned {
        register(rows, name, batch)?;
    }
    Ok(planned)
}

/// Sets what the members of a batch add up to, as the projects' rows have them. The first sum that cannot be held.
fn register(rows: &Rows<'_>, name: &Name<Batch>, batch: &mut Batch) -> Result<Option<MoneyError>, Rejection> {
    let members = stored(&batch.members).map_err(|error| name.damaged(error))?;
    let (figures, overflow) = Figures::registered(rows, name, &members);
    figures.set(batch);
    Ok(overflow)
}

/// Gives a batch up, for a reason, on `given` or else today; its members are not touched.
///
/// # Errors
/// If it is not planned any more, or if the day is to come.
pub(crate) fn cancel(
    scope: &Scope<'_>,
    batch: &Checked<Batch>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(batch, "cancel", &[State::Planned])?;
    let day = act_date(scope, &batch.name().parent(), "date", *given)?;
    let after = batch.changed(scope, |batch| batch.set_state(State::Cancelled));
    let payload = Payload::BatchCancelled(BatchCancelled { reason: reason.clone() });
    let kind = EventKind::custom(CANCELLED, payload);
    Ok(vec![Change::new(scope, kind, Some(batch), after)?.on(Some(day))])
}

/// The day of a batch.
fn start_date(batch: &Checked<Batch>) -> Result<Date, Rejection> {
    date(batch.start_date.as_ref()).ok_or_else(|| batch.name().damaged("start_date: is missing").into())
}

//! Events as lines for people: when, what, of which resource, and what it means.
//!
//! Invariant: every event has a line, also one of a type that this version does not know. Nothing of an
//! event is interpreted beyond what it says.

use comfy_table::Cell;
use milepost_proto::event::v1::event::{Payload, Resource as Subject};
use milepost_proto::event::v1::{Event, MilestoneRebaselined, MilestoneReforecast};
use milepost_proto::google::r#type::Date;
use milepost_proto::journal::v1::Position;

use super::card::Card;
use super::resource::Resource;
use super::zone::{Place, Zone};
use super::{text, width};

/// Columns that a type takes in a line; the longest known one fits.
const KIND_COLUMNS: usize = 28;

/// One line, without a line break; when it was committed is shown in this zone.
pub fn line(event: &Event, zone: &Zone) -> String {
    let mut line = format!(
        "{}  {}  {}",
        zone.time(event.commit_time.as_ref()),
        width::pad(kind(event), KIND_COLUMNS),
        text::ids(&event.subject)
    );
    for part in [title(event), detail(event)] {
        if !part.is_empty() {
            line.push_str("  ");
            line.push_str(&part);
        }
    }
    if !event.caused_by.is_empty() {
        line.push_str(&format!("  (because of {})", event.caused_by));
    }
    line
}

/// The type without what all types begin with, as in `milestone.achieved`.
pub fn kind(event: &Event) -> &str {
    event.r#type.strip_prefix("milepost.").unwrap_or(&event.r#type)
}

/// What people call the resource.
pub fn title(event: &Event) -> String {
    match &event.resource {
        Some(Subject::PortfolioResource(portfolio)) => portfolio.display_name.clone(),
        Some(Subject::OrganizationResource(organization)) => organization.display_name.clone(),
        Some(Subject::ProjectResource(project)) => project.display_name.clone(),
        Some(Subject::PhaseResource(phase)) => phase.display_name.clone(),
        Some(Subject::BatchResource(batch)) => batch.display_name.clone(),
        Some(Subject::MilestoneResource(milestone)) => milestone.display_name.clone(),
        None => String::new(),
    }
}

/// What happened, as far as the type alone does not say it.
pub fn detail(event: &Event) -> String {
    let with =
        |what: String, reason: &str| if reason.is_empty() { what } else { format!("{what}: {reason}") };
    let on = |what: String| match &event.event_date {
        Some(date) => format!("{what} on {}", text::date(Some(date))),
        None => what,
    };
    let change = |before: &str, now: &str, prefix: &str| {
        format!(
            "{} → {}",
            text::or_absent(&text::code(before, prefix)),
            text::or_absent(&text::code(now, prefix))
        )
    };
    match &event.payload {
        None => String::new(),
        Some(Payload::Created(_) | Payload::Deleted(_) | Payload::Undeleted(_)) => String::new(),
        Some(Payload::Updated(_)) => event.changed_fields.join(", "),
        Some(Payload::ProjectStatusChanged(changed)) => {
            let (before, now) = (changed.previous_status(), changed.status());
            with(on(change(before.as_str_name(), now.as_str_name(), "STATUS")), &changed.reason)
        }
        Some(Payload::BatchMembersChanged(changed)) => {
            format!("{} added, {} removed", changed.added.len(), changed.removed.len())
        }
        Some(Payload::BatchStarted(started)) => {
            on(text::count(u64::try_from(started.count).unwrap_or(0), "project starts", "projects start"))
        }
        Some(Payload::BatchCancelled(cancelled)) => cancelled.reason.clone(),
        Some(Payload::MilestoneReforecast(reforecast)) => {
            let MilestoneReforecast { previous_date, forecast_date, slip_working_days, reason, .. } =
                reforecast;
            with(moved(previous_date.as_ref(), forecast_date.as_ref(), *slip_working_days), reason)
        }
        Some(Payload::MilestoneRebaselined(rebaselined)) => {
            let MilestoneRebaselined { previous_date, baseline_date, slip_working_days, reason } =
                rebaselined;
            with(moved(previous_date.as_ref(), baseline_date.as_ref(), *slip_working_days), reason)
        }
        Some(Payload::MilestoneStateChanged(changed)) => {
            let (before, now) = (changed.previous_state(), changed.state());
            with(on(change(before.as_str_name(), now.as_str_name(), "STATE")), &changed.reason)
        }
        Some(Payload::MilestoneEvidenceAdded(added)) => {
            added.evidence.as_ref().map(|evidence| evidence.title.clone()).unwrap_or_default()
        }
        Some(Payload::MilestoneOutlookChanged(changed)) => {
            let (before, now) = (changed.previous_outlook(), changed.outlook());
            let outlook = change(before.as_str_name(), now.as_str_name(), "OUTLOOK");
            // What slipped keeps its outlook when it comes near.
            let (near_before, near) = (changed.previous_nearness(), changed.nearness());
            let nearness = change(near_before.as_str_name(), near.as_str_name(), "NEARNESS");
            let change = if before == now { nearness } else { outlook };
            format!("{change} as of {}", text::date(changed.current_date.as_ref()))
        }
        Some(Payload::DateAdvanced(advanced)) => format!(
            "{}: {} due soon, {} overdue",
            text::date(advanced.current_date.as_ref()),
            advanced.due_soon_count,
            advanced.overdue_count
        ),
        Some(Payload::DateAdvancing(advancing)) => format!(
            "{}: {} due soon, {} overdue so far",
            text::date(advancing.date.as_ref()),
            advancing.due_soon_count,
            advancing.overdue_count
        ),
        Some(Payload::SourcePartlyFollowed(followed)) => {
            let sequence = followed.position.as_ref().map_or(0, |position| position.sequence);
            format!("a part of sequence {sequence}")
        }
        Some(Payload::SourceFollowed(followed)) => {
            let sequence = followed.position.as_ref().map_or(0, |position| position.sequence);
            format!("to sequence {sequence}")
        }
        Some(Payload::SourceSkipped(skipped)) => {
            with(format!("{} ({})", skipped.event_id, skipped.r#type), &skipped.reason)
        }
        Some(Payload::SourceReset(reset)) => {
            let sequence =
                |position: &Option<Position>| position.as_ref().map_or(0, |position| position.sequence);
            let (before, now) = (sequence(&reset.previous_position), sequence(&reset.position));
            with(format!("from sequence {before} to sequence {now}"), &reset.reason)
        }
    }
}

/// `2023-06-30 → 2023-09-29, 65 working days later`.
fn moved(before: Option<&Date>, now: Option<&Date>, slip: Option<i32>) -> String {
    let dates = format!("{} → {}", text::date(before), text::date(now));
    let days = |days: u32| text::count(days.into(), "working day", "working days");
    match slip {
        None => dates,
        Some(0) => format!("{dates}, no slip"),
        Some(slip) if slip > 0 => format!("{dates}, {} later", days(slip.unsigned_abs())),
        Some(slip) => format!("{dates}, {} earlier", days(slip.unsigned_abs())),
    }
}

impl Resource for Event {
    const FIELD: &'static str = "event";
    const COLUMNS: &'static [&'static str] =
        &["COMMITTED", "TYPE", "SUBJECT", "DISPLAY NAME", "DETAIL", "EVENT"];

    const TIMES_IN_ROWS: bool = true;

    fn place(&self) -> Place<'_> {
        Place::of(&self.portfolio)
    }

    fn row(&self, _under: &str, zone: &Zone) -> Vec<Cell> {
        vec![
            Cell::new(zone.time(self.commit_time.as_ref())),
            Cell::new(kind(self)),
            Cell::new(text::ids(&self.subject)),
            Cell::new(text::or_absent(&title(self))),
            Cell::new(text::or_absent(&detail(self))),
            Cell::new(&self.event_id),
        ]
    }

    fn card(&self, card: &mut Card) {
        let actor = self.actor.as_ref();
        card.text("Event", &self.event_id)
            .text("Type", &self.r#type)
            .text("Subject", &self.subject)
            .text("Display name", title(self))
            .text("Detail", detail(self))
            .time("Committed", self.commit_time.as_ref())
            .date("Event date", self.event_date.as_ref())
            .text("Source", format!("{} {}", self.source, self.sequence))
            .text("Portfolio", &self.portfolio)
            .text("Project", &self.project)
            .text("Actor", actor.map(|actor| actor.principal.clone()).unwrap_or_default())
            .text("On behalf of", actor.map(|actor| actor.on_behalf_of.clone()).unwrap_or_default())
            .text("Request id", &self.request_id)
            .text("Because of", &self.caused_by)
            .text("Changed fields", self.changed_fields.join(", "))
            .text("Trace", &self.traceparent);
    }
}

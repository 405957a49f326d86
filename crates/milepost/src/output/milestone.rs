//! How milestones and their forecasts are shown.
//!
//! Does not compare dates: outlook, nearness, slippage and variance are the tracker's.

use comfy_table::Cell;
use milepost_proto::tracker::v1::{
    AdvanceDateResponse, Evidence, Forecast, GetCurrentDateResponse, Milestone,
};

use super::card::Card;
use super::resource::Resource;
use super::zone::{Place, Zone};
use super::{table, text};

impl Resource for Milestone {
    const FIELD: &'static str = "milestone";
    const COLUMNS: &'static [&'static str] = &[
        "MILESTONE",
        "DISPLAY NAME",
        "STATE",
        "OUTLOOK",
        "NEARNESS",
        "SLIPPAGE",
        "BASELINE",
        "FORECAST",
        "ACTUAL",
        "VARIANCE",
    ];

    fn place(&self) -> Place<'_> {
        Place::of(&self.name)
    }

    fn row(&self, under: &str, _zone: &Zone) -> Vec<Cell> {
        vec![
            Cell::new(text::ids_under(&self.name, under)),
            Cell::new(&self.display_name),
            table::state(&text::code(self.state().as_str_name(), "STATE")),
            table::state(&text::code(self.outlook().as_str_name(), "OUTLOOK")),
            table::state(&text::code(self.nearness().as_str_name(), "NEARNESS")),
            table::state(&text::code(self.slippage().as_str_name(), "SLIPPAGE")),
            Cell::new(text::date(self.baseline_date.as_ref())),
            Cell::new(text::date(self.forecast_date.as_ref())),
            Cell::new(text::date(self.actual_date.as_ref())),
            table::number(working_days(self.variance_working_days)),
        ]
    }

    fn card(&self, card: &mut Card) {
        card.text("Name", &self.name)
            .text("Display name", &self.display_name)
            .map("Translations", &self.translations)
            .text("State", text::code(self.state().as_str_name(), "STATE"))
            .text("State reason", &self.state_reason)
            .text("Outlook", text::code(self.outlook().as_str_name(), "OUTLOOK"))
            .text("Nearness", text::code(self.nearness().as_str_name(), "NEARNESS"))
            .text("Slippage", text::code(self.slippage().as_str_name(), "SLIPPAGE"))
            .text("Type", &self.r#type)
            .text("Code", &self.code)
            .known("Weight", self.weight)
            .text("Owner", &self.owner)
            .date("Baseline", self.baseline_date.as_ref())
            .date("Forecast", self.forecast_date.as_ref())
            .date("Actual", self.actual_date.as_ref())
            .known("Variance in working days", self.variance_working_days)
            .known(
                "Duration in working days",
                (self.duration_working_days != 0).then_some(self.duration_working_days),
            )
            .lines("Required evidence", self.required_evidence.iter().cloned())
            .lines("Evidence", self.evidence.iter().map(evidence))
            .text("Remarks", &self.remarks)
            .map("Labels", &self.labels)
            .history(
                self.create_time.as_ref(),
                self.update_time.as_ref(),
                self.delete_time.as_ref(),
                &self.etag,
            );
    }
}

impl Resource for Forecast {
    const FIELD: &'static str = "forecast";
    const COLUMNS: &'static [&'static str] = &["REPORTED", "FORECAST", "PREVIOUS", "SLIP", "REASON"];

    const TIMES_IN_ROWS: bool = true;

    fn place(&self) -> Place<'_> {
        Place::Parent
    }

    fn row(&self, _under: &str, zone: &Zone) -> Vec<Cell> {
        vec![
            Cell::new(zone.time(self.report_time.as_ref())),
            Cell::new(text::date(self.forecast_date.as_ref())),
            Cell::new(text::date(self.previous_date.as_ref())),
            table::number(working_days(self.slip_working_days)),
            Cell::new(text::or_absent(&self.reason)),
        ]
    }

    fn card(&self, card: &mut Card) {
        card.time("Reported", self.report_time.as_ref())
            .date("Forecast", self.forecast_date.as_ref())
            .date("Previous", self.previous_date.as_ref())
            .known("Slip in working days", self.slip_working_days)
            .text("Reason", &self.reason)
            .text("Event", &self.event_id);
    }
}

/// What a day brought.
pub fn advanced(answer: &AdvanceDateResponse, mut card: Card) -> Card {
    card.date("Current date", answer.current_date.as_ref())
        .known("Became due soon", Some(answer.due_soon_count))
        .known("Became overdue", Some(answer.overdue_count));
    card
}

/// Which day it is.
pub fn current_date(answer: &GetCurrentDateResponse, mut card: Card) -> Card {
    card.date("Current date", answer.current_date.as_ref())
        .date("About to be", answer.advancing_date.as_ref());
    card
}

/// `+3`, `-2`, `0`, or `-` where nothing is known.
fn working_days(days: Option<i32>) -> String {
    days.map_or_else(
        || text::ABSENT.to_owned(),
        |days| if days > 0 { format!("+{days}") } else { days.to_string() },
    )
}

fn evidence(evidence: &Evidence) -> String {
    let hash: String = evidence.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}: {} (sha256 {hash})", evidence.title, evidence.uri)
}

//! How a portfolio is shown.
//!
//! Does not resolve anything: a time zone is shown by its name.

use comfy_table::Cell;
use milepost_proto::registry::v1::{Portfolio, WorkingCalendar};

use super::card::Card;
use super::resource::Resource;
use super::text;
use super::zone::{Place, Zone};

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Resource for Portfolio {
    const FIELD: &'static str = "portfolio";
    const COLUMNS: &'static [&'static str] =
        &["PORTFOLIO", "DISPLAY NAME", "TIME ZONE", "CURRENCY", "UPDATED"];

    const TIMES_IN_ROWS: bool = true;

    fn place(&self) -> Place<'_> {
        Place::Zone(&self.time_zone)
    }

    fn row(&self, under: &str, zone: &Zone) -> Vec<Cell> {
        vec![
            Cell::new(text::ids_under(&self.name, under)),
            Cell::new(&self.display_name),
            Cell::new(&self.time_zone),
            Cell::new(&self.reporting_currency_code),
            Cell::new(zone.time(self.update_time.as_ref())),
        ]
    }

    fn card(&self, card: &mut Card) {
        card.text("Name", &self.name)
            .text("Display name", &self.display_name)
            .map("Translations", &self.translations)
            .text("Time zone", &self.time_zone)
            .date("Current date", self.current_date.as_ref())
            .text("Reporting currency", &self.reporting_currency_code)
            .known("Working calendar", self.working_calendar.as_ref().map(working_calendar))
            .text("Description", &self.description)
            .map("Labels", &self.labels)
            .history(
                self.create_time.as_ref(),
                self.update_time.as_ref(),
                self.delete_time.as_ref(),
                &self.etag,
            );
    }
}

/// `Mon Tue Wed Thu Fri, 11 holidays, 6 make-up days`.
fn working_calendar(calendar: &WorkingCalendar) -> String {
    let week = |days: &[i32]| {
        let name = |day: &i32| usize::try_from(day - 1).ok().and_then(|day| WEEKDAYS.get(day)).copied();
        days.iter().filter_map(name).collect::<Vec<_>>().join(" ")
    };
    let weekdays = if calendar.weekdays.is_empty() {
        "Mon Tue Wed Thu Fri".to_owned()
    } else {
        week(&calendar.weekdays)
    };
    let count = |days: usize, one, many| text::count(u64::try_from(days).unwrap_or(u64::MAX), one, many);
    format!(
        "{weekdays}, {}, {}",
        count(calendar.holidays.len(), "holiday", "holidays"),
        count(calendar.make_up_days.len(), "make-up day", "make-up days")
    )
}

//! How a phase is shown.
//!
//! Does not add anything up: amounts are shown as they were given.

use comfy_table::Cell;
use milepost_proto::registry::v1::Phase;

use super::card::{self, Card};
use super::resource::Resource;
use super::zone::{Place, Zone};
use super::{table, text};

impl Resource for Phase {
    const FIELD: &'static str = "phase";
    const COLUMNS: &'static [&'static str] =
        &["PHASE", "ORDER", "DISPLAY NAME", "PLANNED", "ACTUAL", "INVESTMENT"];

    fn place(&self) -> Place<'_> {
        Place::of(&self.name)
    }

    fn row(&self, under: &str, _zone: &Zone) -> Vec<Cell> {
        let period = |period| Option::map_or(period, text::ABSENT.to_owned(), card::period);
        vec![
            Cell::new(text::ids_under(&self.name, under)),
            table::number(self.order),
            Cell::new(&self.display_name),
            Cell::new(period(self.planned_period.as_ref())),
            Cell::new(period(self.actual_period.as_ref())),
            table::number(text::money(self.investment.as_ref())),
        ]
    }

    fn card(&self, card: &mut Card) {
        card.text("Name", &self.name)
            .text("Display name", &self.display_name)
            .map("Translations", &self.translations)
            .known("Order", Some(self.order))
            .period("Planned period", self.planned_period.as_ref())
            .period("Actual period", self.actual_period.as_ref())
            .money("Investment", self.investment.as_ref())
            .text("Scale", &self.scale)
            .history(
                self.create_time.as_ref(),
                self.update_time.as_ref(),
                self.delete_time.as_ref(),
                &self.etag,
            );
    }
}

//! How a batch is shown.
//!
//! Invariant: declared and registered figures stand apart, and what was not declared is `-`.

use comfy_table::Cell;
use milepost_proto::registry::v1::Batch;

use super::card::Card;
use super::resource::Resource;
use super::zone::{Place, Zone};
use super::{table, text};

impl Resource for Batch {
    const FIELD: &'static str = "batch";
    const COLUMNS: &'static [&'static str] = &[
        "BATCH",
        "DISPLAY NAME",
        "STATE",
        "START",
        "DECLARED",
        "REGISTERED",
        "DECLARED INVESTMENT",
        "REGISTERED INVESTMENT",
    ];

    fn place(&self) -> Place<'_> {
        Place::of(&self.name)
    }

    fn row(&self, under: &str, _zone: &Zone) -> Vec<Cell> {
        vec![
            Cell::new(text::ids_under(&self.name, under)),
            Cell::new(&self.display_name),
            table::state(&text::code(self.state().as_str_name(), "STATE")),
            Cell::new(text::date(self.start_date.as_ref())),
            table::number(self.declared_count.map_or(text::ABSENT.to_owned(), |count| count.to_string())),
            table::number(self.registered_count),
            table::number(text::money(self.declared_investment.as_ref())),
            table::number(registered_investments(self)),
        ]
    }

    fn card(&self, card: &mut Card) {
        card.text("Name", &self.name)
            .text("Display name", &self.display_name)
            .map("Translations", &self.translations)
            .text("State", text::code(self.state().as_str_name(), "STATE"))
            .date("Start date", self.start_date.as_ref())
            .text("Place", &self.place)
            .known("Declared count", self.declared_count)
            .money("Declared investment", self.declared_investment.as_ref())
            .known("Registered count", Some(self.registered_count))
            .text("Registered investments", registered_investments(self))
            .known("Members without investment", Some(self.registered_without_investment_count))
            .lines("Members", self.members.iter().cloned())
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

/// The sum of each currency; `-` while no member's investment is known.
pub fn registered_investments(batch: &Batch) -> String {
    let sums: Vec<String> = batch.registered_investments.iter().map(|sum| text::money(Some(sum))).collect();
    text::or_absent(&sums.join(", "))
}

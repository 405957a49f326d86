//! How an organization is shown.
//!
//! Does not follow references: which organizations take part in a project is shown with the project.

use comfy_table::Cell;
use milepost_proto::registry::v1::Organization;

use super::card::Card;
use super::resource::Resource;
use super::text;
use super::zone::{Place, Zone};

impl Resource for Organization {
    const FIELD: &'static str = "organization";
    const COLUMNS: &'static [&'static str] = &["ORGANIZATION", "DISPLAY NAME", "KIND", "UPDATED"];

    const TIMES_IN_ROWS: bool = true;

    fn place(&self) -> Place<'_> {
        Place::Nowhere
    }

    fn row(&self, under: &str, zone: &Zone) -> Vec<Cell> {
        vec![
            Cell::new(text::ids_under(&self.name, under)),
            Cell::new(&self.display_name),
            Cell::new(text::or_absent(&text::code(self.kind().as_str_name(), "KIND"))),
            Cell::new(zone.time(self.update_time.as_ref())),
        ]
    }

    fn card(&self, card: &mut Card) {
        card.text("Name", &self.name)
            .text("Display name", &self.display_name)
            .map("Translations", &self.translations)
            .text("Kind", text::code(self.kind().as_str_name(), "KIND"))
            .lines(
                "Identifiers",
                self.identifiers.iter().map(|identifier| format!("{}={}", identifier.scheme, identifier.id)),
            )
            .map("Attributes", &self.attributes)
            .history(
                self.create_time.as_ref(),
                self.update_time.as_ref(),
                self.delete_time.as_ref(),
                &self.etag,
            );
    }
}

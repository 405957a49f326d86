//! Cards: one resource, a line for each field that it has.
//!
//! Invariant: a field that is absent or empty has no line, so that absent and zero look different.

use std::collections::BTreeMap;

use comfy_table::{Attribute, Cell};
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::Period;
use prost_types::Timestamp;

use super::zone::Zone;
use super::{Output, table, text};

/// The fields of one resource, in the order in which they are shown.
#[derive(Debug)]
pub struct Card {
    zone: Zone,
    lines: Vec<(&'static str, String)>,
}

impl Card {
    /// No fields yet; times are shown in this zone.
    pub fn new(zone: Zone) -> Self {
        Self { zone, lines: Vec::new() }
    }

    /// A text; nothing if it is empty.
    pub fn text(&mut self, label: &'static str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        if !value.is_empty() {
            self.lines.push((label, value));
        }
        self
    }

    /// Anything that is there.
    pub fn known(&mut self, label: &'static str, value: Option<impl ToString>) -> &mut Self {
        self.text(label, value.map(|value| value.to_string()).unwrap_or_default())
    }

    /// A civil date.
    pub fn date(&mut self, label: &'static str, value: Option<&Date>) -> &mut Self {
        self.known(label, value.map(|value| text::date(Some(value))))
    }

    /// An instant.
    pub fn time(&mut self, label: &'static str, value: Option<&Timestamp>) -> &mut Self {
        let shown = value.map(|value| self.zone.time(Some(value)));
        self.known(label, shown)
    }

    /// An amount.
    pub fn money(&mut self, label: &'static str, value: Option<&Money>) -> &mut Self {
        self.known(label, value.map(|value| text::money(Some(value))))
    }

    /// A span of days.
    pub fn period(&mut self, label: &'static str, value: Option<&Period>) -> &mut Self {
        self.known(label, value.map(period))
    }

    /// One line for each pair of a map.
    pub fn map(&mut self, label: &'static str, map: &BTreeMap<String, String>) -> &mut Self {
        self.lines(label, map.iter().map(|(key, value)| format!("{key}={value}")))
    }

    /// One line for each of several texts.
    pub fn lines(&mut self, label: &'static str, lines: impl IntoIterator<Item = String>) -> &mut Self {
        let lines: Vec<String> = lines.into_iter().collect();
        self.text(label, lines.join("\n"))
    }

    /// The times and the etag that every resource has.
    pub fn history(
        &mut self,
        create: Option<&Timestamp>,
        update: Option<&Timestamp>,
        delete: Option<&Timestamp>,
        etag: &str,
    ) -> &mut Self {
        self.time("Created", create).time("Updated", update).time("Deleted", delete).text("Etag", etag)
    }

    /// The card as text.
    pub fn render(&self, output: &Output) -> String {
        let mut table = table::bare(output);
        for (label, value) in &self.lines {
            table.add_row([Cell::new(label).add_attribute(Attribute::Bold), Cell::new(value)]);
        }
        table::finish(table)
    }
}

/// `2021-05-27 to 2023-12-31`, `from 2021-05-27`, or `until 2023-12-31`.
pub fn period(period: &Period) -> String {
    let (start, end) = (text::date(period.start_date.as_ref()), text::date(period.end_date.as_ref()));
    match (period.start_date, period.end_date) {
        (Some(_), Some(_)) => format!("{start} to {end}"),
        (Some(_), None) => format!("from {start}"),
        (None, Some(_)) => format!("until {end}"),
        (None, None) => text::ABSENT.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_may_be_open() {
        let day = Some(Date { year: 2021, month: 5, day: 27 });
        let text = |start_date, end_date| period(&Period { start_date, end_date });
        assert_eq!(text(day, day), "2021-05-27 to 2021-05-27");
        assert_eq!(text(day, None), "from 2021-05-27");
        assert_eq!(text(None, day), "until 2021-05-27");
        assert_eq!(text(None, None), "-");
    }
}

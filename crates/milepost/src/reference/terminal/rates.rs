//! The rates of a year, each with its bar, its parts and what is missing in it.

use anstyle::Style;

use super::{BOLD, REGISTERED, WARNING, Writer};
use crate::output::chart::{self, FAINT};
use crate::output::width;
use crate::reference::view::{Figure, RateKind};

impl Writer<'_> {
    pub(super) fn rates(&self) -> String {
        let words = self.words;
        let Some(rates) = &self.view.rates else { return String::new() };
        let mut out = self.heading(&words.rates_of(self.view.year));
        let listed = if rates.has_list { words.listed_by_list() } else { words.listed_by_project() };
        let counted = words.counted_as(rates.listed_count, rates.split_count);
        out += &self.block(FAINT, &words.sentences(&counted, listed), 0);
        let label = rates.rates.iter().map(|(kind, _)| width::columns(words.rate_name(*kind))).max();
        let label = label.unwrap_or(0);
        let values: Vec<(String, Style)> = rates.rates.iter().map(|rate| self.rate_value(rate)).collect();
        let widest = values.iter().map(|(value, _)| width::columns(value)).max().unwrap_or(0);
        for ((kind, figure), (value, style)) in rates.rates.iter().zip(values) {
            let name = width::pad(words.rate_name(*kind), label);
            let value = width::pad(&self.paint(style, &value), widest);
            let room = self.columns.saturating_sub(label + widest + 4).min(24);
            let bar = if room >= 8 { self.rate_bar(*kind, figure, room) } else { String::new() };
            out.push_str(format!("{name}  {value}  {bar}").trim_end());
            out.push('\n');
            let rests_on = match words.rests_on(*kind, figure, &rates.currency) {
                text if text.is_empty() => words.rate_meaning(*kind).to_owned(),
                text => text,
            };
            out += &self.block(FAINT, &rests_on, label + 2);
            for missing in words.missing_texts(figure) {
                out += &self.block(WARNING, &format!("! {missing}"), label + 2);
            }
        }
        if let Some(unplanned) = &rates.unplanned {
            out += &self.block(
                FAINT,
                &format!("{}{}{}", words.unplanned(), words.colon(), words.amount(unplanned)),
                0,
            );
        }
        out
    }

    fn rate_value(&self, (kind, figure): &(RateKind, Figure)) -> (String, Style) {
        let style = if figure.value.is_some() { BOLD } else { FAINT };
        (self.words.figure(*kind, figure), style)
    }

    /// A bar of a share; of what may be below zero there is none.
    fn rate_bar(&self, kind: RateKind, figure: &Figure, room: usize) -> String {
        let share = figure.value.as_ref().and_then(|value| value.parse::<f64>().ok());
        let Some(share) = share.filter(|_| kind != RateKind::Ahead) else { return String::new() };
        let bar = chart::bar(share, 100.0, u16::try_from(room).unwrap_or(u16::MAX));
        let rest = "·".repeat(room.saturating_sub(width::columns(&bar)));
        format!("{}{}", self.paint(REGISTERED, &bar), self.paint(FAINT, &rest))
    }
}

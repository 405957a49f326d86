//! Answers that say more than one card or table holds, for people: how far a collection is built, the values of an
//! indicator, how members of a campaign stand, walls of lights, plans of templates, and why policies do not fit.
//!
//! Invariant: figures are shown as the server rounded them, and a lower bound says that it is one; what was declared and
//! what is registered have columns of their own. Programs get the answers themselves: nothing here is for JSON or CSV.

mod registry;
mod tracker;

use milepost_proto::registry::v1::{GetCollectionRollupResponse, GetIndicatorSeriesResponse, PolicyMatch};
use milepost_proto::tracker::v1::{
    GetCampaignStandingsResponse, RectificationOrder, ReplayWarningPolicyResponse, ReplayedProject,
    TemplateVersion, Warning,
};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, ReflectMessage};

use crate::output::table::{Cell, Column, Rendered, Room, render, sentence};
use crate::output::value::typed;
use crate::output::{Format, Output, text};

/// An answer as tables, if it is one of those that have them.
pub fn of(answer: &DynamicMessage, output: &Output) -> Option<Rendered> {
    let mut sheet = Sheet::of(output)?;
    match answer.descriptor().full_name() {
        name if name == GetCollectionRollupResponse::full_name() => {
            sheet.rollup(&typed::<GetCollectionRollupResponse>(answer)?.rollup?);
        }
        name if name == GetIndicatorSeriesResponse::full_name() => {
            sheet.series(&typed::<GetIndicatorSeriesResponse>(answer)?.series?);
        }
        name if name == GetCampaignStandingsResponse::full_name() => {
            sheet.standings(&typed::<GetCampaignStandingsResponse>(answer)?.standings?);
        }
        _ => return None,
    }
    Some(sheet.rendered)
}

/// What stands below the card of a resource: of a version of a template its plan. Nothing for programs, and of anything
/// else.
pub fn below_card(resource: &DynamicMessage, output: &Output) -> String {
    let Some(mut sheet) = Sheet::of(output) else { return String::new() };
    if let Some(version) = as_a::<TemplateVersion>(resource) {
        sheet.plan(&version);
    }
    sheet.rendered.text
}

/// What stands below the table of a list: of matches why policies do not fit, of warnings and of a replay their lights, of
/// a replay and of rectification orders how many have which light. Nothing for programs, and of anything else.
pub struct BelowList<'a> {
    output: &'a Output,
    /// Of what was listed so far.
    matches: String,
    warnings: tracker::Warnings,
    replayed: tracker::Replayed,
    orders: tracker::Orders,
}

impl<'a> BelowList<'a> {
    pub fn new(output: &'a Output) -> Self {
        let (warnings, replayed, orders) = Default::default();
        Self { output, matches: String::new(), warnings, replayed, orders }
    }

    /// Takes what is on a page of the list.
    pub fn add(&mut self, items: &[DynamicMessage]) {
        if self.output.format != Format::Table {
            return;
        }
        let matches: Vec<_> = items.iter().filter_map(as_a::<PolicyMatch>).collect();
        self.matches += &registry::why(&matches, self.output);
        items.iter().filter_map(as_a::<Warning>).for_each(|warning| self.warnings.add(&warning));
        items.iter().filter_map(as_a::<ReplayedProject>).for_each(|project| self.replayed.add(&project));
        items.iter().filter_map(as_a::<RectificationOrder>).for_each(|order| self.orders.add(&order));
    }

    /// Takes what the answer of a page says besides.
    pub fn answered(&mut self, answer: &DynamicMessage) {
        if self.output.format == Format::Table
            && let Some(page) = as_a::<ReplayWarningPolicyResponse>(answer)
        {
            page.counts.iter().for_each(|counts| self.replayed.count(counts));
        }
    }

    /// What is to be shown of all of it.
    pub fn text(self) -> String {
        let Some(mut sheet) = Sheet::of(self.output) else { return String::new() };
        sheet.rendered.text = self.matches;
        sheet.warnings(self.warnings);
        sheet.replay(self.replayed);
        sheet.orders(&self.orders);
        sheet.rendered.text
    }
}

/// The message, if it is of this type.
fn as_a<M: Message + Name + Default>(message: &DynamicMessage) -> Option<M> {
    (message.descriptor().full_name() == M::full_name()).then(|| typed(message))?
}

/// Sentences and tables under each other.
struct Sheet<'a> {
    output: &'a Output,
    rendered: Rendered,
}

impl<'a> Sheet<'a> {
    /// An empty one, for people only.
    fn of(output: &'a Output) -> Option<Self> {
        (output.format == Format::Table).then(|| Self { output, rendered: Rendered::default() })
    }

    fn line(&mut self, line: &str) {
        self.rendered.text += &sentence(line, 0, self.output.columns);
    }

    /// A table after a blank line; nothing without rows.
    fn table<T>(&mut self, rows: &[T], columns: &[Of<T>]) {
        if rows.is_empty() {
            return;
        }
        let column = |(rank, (header, room, cell)): (usize, &Of<T>)| {
            Column::new(header, *room, rank, rows.iter().map(|row| Cell::from(cell(row))))
        };
        self.columns(columns.iter().enumerate().map(column).collect());
    }

    /// The same of columns that are there.
    fn columns(&mut self, columns: Vec<Column>) {
        let Rendered { text, left_out } = render(columns, self.output.columns, self.output.colour);
        self.rendered.text += &format!("\n{text}");
        self.rendered.left_out.extend(left_out);
    }
}

/// A column: its header, what it may lose, and what it shows of a row. What stands to the right goes first.
type Of<T> = (&'static str, Room, fn(&T) -> String);

fn counted(count: i32) -> String {
    text::grouped(&count.to_string())
}

/// A value of an enumeration without what all its values begin with.
fn word(value: &'static str, unspecified: &'static str) -> &'static str {
    let prefix = unspecified.trim_end_matches("UNSPECIFIED");
    if value == unspecified { "" } else { value.trim_start_matches(prefix) }
}

#[cfg(test)]
mod tests;

//! The page in a terminal of so many columns.
//!
//! Invariant: no line is wider than asked for, as long as there are 40 columns, and nothing is left out for want of
//! room but bars. What carries a meaning by its colour carries it by its shape too. No text controls the terminal.

mod networks;
mod office;
mod rates;
mod sections;

use anstyle::{AnsiColor, Style};

use super::phrases::ABSENT;
use super::view::{Sum, View};
use super::words::Words;
use crate::output::chart::{self, FAINT};
use crate::output::table::{self, Cell, Column, clean};
use crate::output::{text, width};

/// The narrowest page, and the widest: longer lines are hard to read.
const NARROW: usize = 40;
const WIDE: usize = 120;
/// Columns of a page where there is no terminal to ask.
pub const COLUMNS: u16 = 80;

const BOLD: Style = Style::new().bold();
/// What was declared, and what is registered or built, as in the pictures of the demo.
const DECLARED: Style = AnsiColor::Cyan.on_default();
const REGISTERED: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();

/// The page.
pub fn draw(view: &View, columns: u16, colour: bool) -> String {
    let writer =
        Writer { view, words: view.words, columns: usize::from(columns).clamp(NARROW, WIDE), colour };
    let parts = [
        writer.head(),
        writer.projects(),
        writer.lists(),
        writer.batches(),
        writer.starts(),
        writer.rates(),
        writer.campaigns(),
        writer.warnings(),
        writer.orders(),
        writer.collections(),
        writer.indicators(),
        writer.templates(),
        writer.timeline(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// What draws.
#[derive(Clone, Copy)]
struct Writer<'a> {
    view: &'a View,
    words: Words,
    columns: usize,
    colour: bool,
}

impl Writer<'_> {
    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() { chart::painted(style, text) } else { text.to_owned() }
    }

    fn heading(&self, text: &str) -> String {
        self.block(BOLD, text, 0)
    }

    /// A text in a style, in lines that are so many columns in.
    fn block(&self, style: Style, text: &str, indent: usize) -> String {
        self.hanging("", indent, style, text)
    }

    /// The same, or nothing without a text.
    fn some(&self, style: Style, text: &str, indent: usize) -> String {
        if text.is_empty() { String::new() } else { self.block(style, text, indent) }
    }

    /// A text beside a label that takes so many columns and a blank; further lines stand under the first.
    fn hanging(&self, label: &str, columns: usize, style: Style, text: &str) -> String {
        let room = self.columns.saturating_sub(columns).max(8);
        let mut out = String::new();
        let mut start = label.to_owned();
        for paragraph in text.trim_end().split('\n') {
            for line in width::wrap(&clean(paragraph), room, true) {
                let line = width::pad(&start, columns) + &self.paint(style, &line);
                out.push_str(line.trim_end());
                out.push('\n');
                start.clear();
            }
        }
        out
    }

    /// A table, with all its columns but those that may go.
    fn table(&self, columns: Vec<Column>) -> String {
        let terminal = u16::try_from(self.columns).unwrap_or(u16::MAX);
        table::render(columns, Some(terminal), self.colour).text
    }

    /// What is said where a section has nothing.
    fn nothing(&self, text: &str) -> String {
        self.block(FAINT, text, 0)
    }

    /// The count of a sum, or that there is none.
    fn count(&self, sum: &Sum) -> Cell {
        match sum.count {
            Some(count) => Cell::from(text::grouped(&count.to_string())),
            None => Cell { text: ABSENT.to_owned(), style: FAINT },
        }
    }

    /// The amounts of a sum, or that there are none.
    fn amounts(&self, sum: &Sum) -> Cell {
        let style = if sum.amounts.is_empty() { FAINT } else { Style::new() };
        Cell { text: self.words.amounts(sum), style }
    }

    /// Columns of bars, where there is room for them.
    fn bar_columns(&self) -> u16 {
        u16::try_from(self.columns / 4).unwrap_or(u16::MAX).clamp(10, 24)
    }

    /// A bar of a count where the most takes all columns.
    fn bar(&self, count: i64, most: i64) -> String {
        chart::bar(chart::share(count, most), 1.0, self.bar_columns())
    }
}

//! Tables of many resources: a header line and a line for each.
//!
//! Invariant: columns line up whatever script their text is in; without a terminal nothing is cut,
//! wrapped or coloured.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, TableStyle, Width};

use super::Output;

/// Blanks between columns.
const GAP: u16 = 2;
/// Columns of free text, which may be wrapped; names, states, dates and amounts stay in one piece.
const WRAPPED: [&str; 3] = ["DISPLAY NAME", "DETAIL", "REASON"];
/// What a wrapped column takes at least, with its gap.
const WRAPPED_COLUMNS: u16 = 14;

/// A table with a header.
pub fn render(headers: &[&str], rows: Vec<Vec<Cell>>, output: &Output) -> String {
    let mut table = bare(output);
    table.set_header(headers.iter().map(|header| Cell::new(header).add_attribute(Attribute::Bold)));
    table.add_rows(rows);
    for (column, header) in table.column_iter_mut().zip(headers) {
        column.set_constraint(if WRAPPED.contains(header) {
            ColumnConstraint::LowerBoundary(Width::Fixed(WRAPPED_COLUMNS))
        } else {
            ColumnConstraint::ContentWidth
        });
    }
    finish(table)
}

/// A table without lines, as wide as the terminal at most.
pub(super) fn bare(output: &Output) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic);
    table.force_no_tty();
    if let Some(columns) = output.columns {
        table.set_width(columns);
    }
    if output.colour {
        table.enforce_styling();
    }
    table
}

/// The text of a table, without blanks at the ends of lines.
pub(super) fn finish(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A state, coloured by whether it is good news.
pub fn state(code: &str) -> Cell {
    let cell = Cell::new(if code.is_empty() { super::text::ABSENT } else { code });
    match code {
        "ACHIEVED" | "COMPLETED" | "IN_SERVICE" | "STARTED" | "ON_TRACK" => cell.fg(Color::Green),
        "CONSTRUCTION" => cell.fg(Color::Cyan),
        "DUE_SOON" | "AT_RISK" | "PARTIALLY_ACHIEVED" | "SUSPENDED" => cell.fg(Color::Yellow),
        "LATE" | "OVERDUE" | "NOT_MET" => cell.fg(Color::Red),
        "CANCELLED" => cell.fg(Color::DarkGrey),
        _ => cell,
    }
}

/// A number, to the right.
pub fn number(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(comfy_table::CellAlignment::Right)
}

//! Tables of many resources, and the card of one, in the columns that the terminal has: 40 or more.
//!
//! Invariant: columns line up whatever script their text is in. No line of a table is wider than the
//! terminal, as long as the `Whole` columns of rank 0 leave 12 columns to each id, 2 to each name or text. No
//! control character of a text gets through, so that data cannot control the terminal. Without a terminal
//! nothing is cut, wrapped or coloured, and only the values of a card are aligned.
//!
//! Does not know resources: which columns there are, and what a cell says, is decided by the caller.

use anstyle::Style;
use console::{Alignment, pad_str};

use super::text::reorders;
use super::width;

/// Blanks between columns.
const GAP: &str = "  ";
/// Columns that an id keeps in any case.
const ID: usize = 12;
/// Columns that a wrapped text keeps as long as another column can go.
const TEXT: usize = 14;
/// Columns that a wrapped text or name keeps in any case: one Chinese character.
const CHARACTER: usize = 2;
/// Columns that the values of a card keep in any case, however long the labels are.
const VALUE: usize = 10;

/// What a column may lose when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Never cut or wrapped: dates, states.
    Whole,
    /// As `Whole`, and stands to the right.
    Number,
    /// An id: shortened in the middle with `…` down to 12 columns, keeping its beginning and its end.
    Id,
    /// What people call something: never cut or wrapped while another column can shrink or go.
    Name,
    /// Free text: wrapped down to 14 columns.
    Text,
}

/// What a row says in one column.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Any text; line breaks and tabs become blanks.
    pub text: String,
    /// How it looks in a terminal with colours.
    pub style: Style,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), style: Style::new() }
    }
}

/// A table as text.
#[derive(Debug, Default)]
pub struct Rendered {
    /// Lines, each with its line break.
    pub text: String,
    /// The headers of the columns that were left out for want of room, from left to right.
    pub left_out: Vec<String>,
}

/// A header line, and a line for each row, or more where cells are wrapped. `terminal` is its width; without
/// one, cells are separated by one tab. The columns have equally many cells.
pub fn render(mut columns: Vec<Column>, terminal: Option<u16>, colour: bool) -> Rendered {
    let height = columns.first().map_or(0, |column| column.cells.len());
    let header = |column: &Column| column.cells[0].text.clone();
    let Some(terminal) = terminal else {
        let line = |line: usize| columns.iter().map(|column| &*column.cells[line].text).collect::<Vec<_>>();
        let text = (0..height).map(|number| line(number).join("\t") + "\n").collect();
        return Rendered { text, left_out: Vec::new() };
    };
    let mut left_out: Vec<String> = columns.iter().map(header).collect();
    arrange(&mut columns, terminal.into());
    // A column without a header belongs to the one beside it.
    left_out
        .retain(|left_out| !left_out.is_empty() && columns.iter().all(|column| header(column) != *left_out));
    let text = (0..height).map(|line| draw(line, &columns, colour)).collect();
    Rendered { text, left_out }
}

/// Label and value lines of one resource; labels bold, values wrapped with a hanging indent. A value with
/// line breaks is several lines. A word that is longer than the room stays in one piece, to be copied.
pub fn card(lines: &[(String, String)], terminal: Option<u16>, colour: bool) -> String {
    let labels: Vec<String> = lines.iter().map(|(label, _)| clean(label)).collect();
    let indent = labels.iter().map(|label| width::columns(label)).max().unwrap_or(0) + GAP.len();
    let room = |terminal: u16| usize::from(terminal).saturating_sub(indent).max(VALUE);
    let room = terminal.map_or(usize::MAX, room);
    let bold = if colour { Style::new().bold() } else { Style::new() };
    let colon = if terminal.is_some() { "" } else { ":" };
    let mut text = String::new();
    for (label, (_, value)) in labels.iter().zip(lines) {
        let mut start = format!("{bold}{label}{bold:#}{colon}");
        let paragraphs = value.trim_end().split('\n').map(|line| clean(line.trim_end()));
        for line in paragraphs.flat_map(|paragraph| width::wrap(&paragraph, room, false)) {
            text.push_str((width::pad(&start, indent) + &line).trim_end());
            text.push('\n');
            start.clear();
        }
    }
    text
}

/// A sentence on as many lines as it takes, those after the first as far from the left as `indent` says.
pub fn sentence(text: &str, indent: usize, terminal: Option<u16>) -> String {
    let text = clean(text);
    let room = terminal.map_or(usize::MAX, |terminal| usize::from(terminal).max(indent + VALUE));
    let first = width::wrap(&text, room, false).swap_remove(0);
    let mut lines = format!("{first}\n");
    let rest = text[first.len()..].trim_start();
    if !rest.is_empty() {
        for line in width::wrap(rest, room - indent, false) {
            lines += &format!("{:indent$}{line}\n", "");
        }
    }
    lines
}

/// A column of a table, with what each row says in it.
#[derive(Debug)]
pub struct Column {
    room: Room,
    rank: usize,
    /// The header, and what each row says.
    cells: Vec<Cell>,
    /// The width that it has; at first, the one that shows everything.
    width: usize,
}

impl Column {
    /// A column under a header, which is cut where the cells are. When there is no room the column of the
    /// highest rank goes first; one of rank 0 stays.
    pub fn new(header: &str, room: Room, rank: usize, cells: impl IntoIterator<Item = Cell>) -> Self {
        let header = Cell { text: header.to_owned(), style: Style::new().bold() };
        let cells = std::iter::once(header).chain(cells);
        let cells = cells.map(|cell| Cell { text: clean(cell.text.trim()), style: cell.style }).collect();
        let mut column = Self { room, rank, cells, width: 0 };
        column.width = column.natural();
        column
    }

    /// The width that shows everything.
    fn natural(&self) -> usize {
        self.cells.iter().map(|cell| width::columns(&cell.text)).max().unwrap_or(0)
    }

    /// Whether no row says anything.
    fn is_empty(&self) -> bool {
        self.cells.iter().skip(1).all(|cell| matches!(&*cell.text, "" | "-"))
    }

    /// The text of one line of the table in the width that there is: one part, or more if it is wrapped.
    fn parts(&self, line: usize) -> Vec<String> {
        let text = &self.cells[line].text;
        match self.room {
            _ if line == 0 => vec![width::fit(text, self.width)],
            Room::Whole | Room::Number => vec![text.clone()],
            Room::Id => vec![width::shorten(text, self.width)],
            Room::Name | Room::Text => width::wrap(text, self.width, true),
        }
    }
}

/// Makes columns narrower, or leaves them out, until they fit.
fn arrange(columns: &mut Vec<Column>, room: usize) {
    while excess(columns, room) > 0 && leave_out(columns, |column| column.is_empty()) {}
    loop {
        shrink(columns, room, &[Room::Id], ID);
        shrink(columns, room, &[Room::Text], TEXT);
        if excess(columns, room) == 0 || !leave_out(columns, |_| true) {
            break;
        }
        columns.iter_mut().for_each(|column| column.width = column.natural());
    }
    // These change nothing if it fits already.
    shrink(columns, room, &[Room::Name, Room::Text], CHARACTER);
}

/// How many columns are missing.
fn excess(columns: &[Column], room: usize) -> usize {
    let gaps = columns.len().saturating_sub(1) * GAP.len();
    (columns.iter().map(|column| column.width).sum::<usize>() + gaps).saturating_sub(room)
}

/// Leaves out the column of the highest rank, of equals the last. False if only those of rank 0 are left.
fn leave_out(columns: &mut Vec<Column>, which: impl Fn(&Column) -> bool) -> bool {
    let candidates = columns.iter().enumerate().filter(|(_, column)| column.rank > 0 && which(column));
    let Some((position, _)) = candidates.max_by_key(|(_, column)| column.rank) else { return false };
    columns.remove(position);
    true
}

/// Takes missing columns from the widest of these kinds, as long as one is wider than `least`.
fn shrink(columns: &mut [Column], room: usize, kinds: &[Room], least: usize) {
    for _ in 0..excess(columns, room) {
        let wide = columns.iter_mut().filter(|column| kinds.contains(&column.room) && column.width > least);
        let Some(widest) = wide.max_by_key(|column| column.width) else { return };
        widest.width -= 1;
    }
}

/// One line of the table, on several where cells are wrapped; no line ends with blanks.
fn draw(line: usize, columns: &[Column], colour: bool) -> String {
    let parts: Vec<Vec<String>> = columns.iter().map(|column| column.parts(line)).collect();
    let height = parts.iter().map(Vec::len).max().unwrap_or(0);
    let drawn = (0..height).map(|number| {
        let cells = columns.iter().zip(&parts).map(|(column, parts)| {
            let part = parts.get(number).map_or("", String::as_str);
            let style = if colour && !part.is_empty() { column.cells[line].style } else { Style::new() };
            let alignment = if column.room == Room::Number { Alignment::Right } else { Alignment::Left };
            pad_str(&format!("{style}{part}{style:#}"), column.width, alignment, None).into_owned()
        });
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned() + "\n"
    });
    drawn.collect()
}

/// The text in one line, without what would control the terminal or reorder the line.
pub fn clean(text: &str) -> String {
    let replace = |c: char| match c {
        '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() || reorders(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(replace).collect()
}

#[cfg(test)]
mod tests;

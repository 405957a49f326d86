//! Collections: rings drawn as rings, grids as grids, everything else as bars.
//!
//! Invariant: a line that is built is thick, one that is planned thin, one whose measure is not known dashed, and one that
//! was only declared dotted: also where there are no colours.

use anstyle::Style;

use super::{BOLD, DECLARED, REGISTERED, WARNING, Writer};
use crate::output::chart::{self, FAINT};
use crate::output::width;
use crate::reference::network::{Line, Network, State};
use crate::reference::phrases::LISTED;
use crate::reference::view::{Collection, Element, Progress};

/// Rows and columns of a picture of rings, each of 4 and 2 dots.
const RING_ROWS: usize = 12;
const RING_COLUMNS: usize = 24;

impl Writer<'_> {
    pub(super) fn collections(&self) -> String {
        let Some(collections) = &self.view.collections else { return String::new() };
        let mut out = self.heading(self.words.collections());
        if collections.is_empty() {
            return out + &self.nothing(self.words.no_collections());
        }
        let drawn: Vec<String> = collections.iter().map(|collection| self.collection(collection)).collect();
        out += &drawn.join("\n");
        out
    }

    fn collection(&self, collection: &Collection) -> String {
        let words = self.words;
        let kind = if collection.kind.is_empty() { String::new() } else { format!(" ({})", collection.kind) };
        let mut out = self.block(BOLD, &format!("{}{kind}", collection.title), 0);
        if !collection.description.trim().is_empty() {
            out += &self.block(FAINT, &collection.description, 0);
        }
        let network = Network::of(collection);
        if !network.rings.is_empty() {
            out += &self.rings(&network.rings);
        }
        if !network.across.is_empty() {
            out += &self.grid(&network.across, &network.down);
        }
        if !network.is_empty() {
            out += &self.legend(&network);
        }
        let groups = collection.groups.iter().map(|group| (group.group.as_str(), group));
        for (title, progress) in groups.chain([(words.whole_collection(), &collection.whole)]) {
            if progress.is_shown() {
                out += &self.progress(title, progress, &collection.unit);
            }
        }
        match collection.elements.len() {
            0..=LISTED => {
                for element in collection.elements.iter().filter(|element| element.is_measured()) {
                    out += &self.element(element, &collection.unit);
                }
                out += &self.some(FAINT, &words.unmeasured_text(&collection.elements), 2);
            }
            more => out += &self.block(FAINT, &words.not_drawn(more), 2),
        }
        if collection.member_count > 0 {
            out += &self.block(FAINT, &words.members_text(collection), 2);
        }
        out
    }

    /// How far a group is built: a bar, and what it rests on.
    fn progress(&self, title: &str, progress: &Progress, unit: &str) -> String {
        let words = self.words;
        let share = progress.share.value.as_deref();
        let bar = share.and_then(|value| value.parse::<f64>().ok()).map(|share| {
            let columns = self.bar_columns();
            let bar = chart::bar(share, 100.0, columns);
            let rest = "·".repeat(usize::from(columns).saturating_sub(width::columns(&bar)));
            format!("{}{}  ", self.paint(REGISTERED, &bar), self.paint(FAINT, &rest))
        });
        let value = words.share(&progress.share);
        let mut out = self.block(Style::new(), title, 0);
        out += &format!("  {}{}\n", bar.unwrap_or_default(), self.paint(BOLD, &value));
        out += &self.block(FAINT, &words.progress_text(progress, unit), 2);
        for missing in words.missing_texts(&progress.share) {
            out += &self.block(WARNING, &format!("! {missing}"), 2);
        }
        out
    }

    fn element(&self, element: &Element, unit: &str) -> String {
        let text = self.words.element_text(element, unit);
        self.block(FAINT, &format!("{}{}{text}", element.title, self.words.colon()), 2)
    }

    /// The kinds of lines that a picture has.
    fn legend(&self, network: &Network) -> String {
        let words = self.words;
        let has = |of: fn(State) -> bool| network.lines().any(|line| of(line.state));
        let kinds = [
            (has(|state| state.share().is_some_and(|share| share > 0.0)), "━━", words.built(), REGISTERED),
            (
                has(|state| state.share().is_some_and(|share| share < 1.0)),
                "──",
                words.planned(),
                Style::new(),
            ),
            (has(|state| state == State::Unmeasured), "╌╌", words.without_measure(), Style::new()),
            (has(|state| state == State::Declared), "··", words.elements_declared_only(), DECLARED),
        ];
        let mut lines = vec![String::new()];
        let mut used = 0;
        for (_, symbol, meaning, style) in kinds.into_iter().filter(|(is_there, ..)| *is_there) {
            let columns = width::columns(meaning) + 5;
            if used > 0 && used + columns > self.columns {
                lines.push(String::new());
                used = 0;
            }
            used += columns;
            let line = lines.last_mut().expect("there is one from the start");
            line.push_str(&format!("{} {meaning}  ", self.paint(style, symbol)));
        }
        lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// Lines that cross each other.
    fn grid(&self, across: &[Line], down: &[Line]) -> String {
        const LABEL: usize = 3;
        let step = (self.columns.saturating_sub(LABEL + 1) / (down.len() + 1)).clamp(2, 5);
        let (wide, high) = (step * (down.len() + 1), 2 * across.len() + 1);
        let mut cells = vec![vec![(' ', Style::new()); wide]; high];
        let stretch = |state: State, at: usize, length: usize| state.stretch(at, length);
        for (i, line) in across.iter().enumerate() {
            for (x, cell) in cells[2 * i + 1].iter_mut().enumerate() {
                *cell = stretch(line.state, x, wide).across();
            }
        }
        for (j, line) in down.iter().enumerate() {
            let x = step * (j + 1) - 1;
            for (y, row) in cells.iter_mut().enumerate() {
                let own = stretch(line.state, y, high);
                let crossing = (y % 2 == 1).then(|| across[y / 2].state).map(|other| stretch(other, x, wide));
                row[x] = crossing.map_or(own.down(), |other| Stretch::crossing(other, own));
            }
        }
        let numbers = (1..=down.len()).map(|number| format!("{number:>step$}"));
        let mut out = format!("{:LABEL$} {}\n", "", self.paint(FAINT, &numbers.collect::<String>()));
        for (y, row) in cells.iter().enumerate() {
            let label = if y % 2 == 1 { (y / 2 + 1).to_string() } else { String::new() };
            let mut line = format!("{} ", self.paint(FAINT, &format!("{label:>LABEL$}")));
            row.chunk_by(|one, next| one.1 == next.1).for_each(|run| {
                let text: String = run.iter().map(|(character, _)| *character).collect();
                line.push_str(&self.paint(run[0].1, &text));
            });
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// Rings in each other, from the top clockwise.
    fn rings(&self, rings: &[Line]) -> String {
        let mut cells = vec![vec![(0_u8, Style::new()); RING_COLUMNS]; RING_ROWS];
        for (i, ring) in rings.iter().enumerate() {
            let radius = 23.0 * fraction(i + 1, rings.len());
            let steps = 720;
            for step in 0..steps {
                let turn = fraction(step, steps);
                let stretch = ring.state.stretch(step, steps);
                let (gap, widths): (bool, &[f64]) = match stretch {
                    Stretch::Built => (false, &[0.0, -1.0, -2.0]),
                    Stretch::Planned => (false, &[0.0]),
                    Stretch::Unmeasured => (step / 24 % 2 == 1, &[0.0]),
                    Stretch::Declared => (step % 30 >= 4, &[0.0]),
                };
                for inset in widths.iter().filter(|_| !gap) {
                    let (sine, cosine) = (turn * std::f64::consts::TAU).sin_cos();
                    dot(
                        &mut cells,
                        23.5 + (radius + inset) * sine,
                        23.5 - (radius + inset) * cosine,
                        stretch.style(),
                    );
                }
            }
        }
        cells
            .iter()
            .map(|row| {
                let mut line = String::new();
                row.chunk_by(|one, next| one.1 == next.1).for_each(|run| {
                    let text: String = run.iter().map(|(dots, _)| braille(*dots)).collect();
                    line.push_str(&self.paint(run[0].1, &text));
                });
                line.trim_end().to_owned() + "\n"
            })
            .collect()
    }
}

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stretch {
    Built,
    Planned,
    Unmeasured,
    Declared,
}

impl State {
    /// What the piece at a place of a line of this length is.
    fn stretch(self, at: usize, length: usize) -> Stretch {
        match self {
            State::Unmeasured => Stretch::Unmeasured,
            State::Declared => Stretch::Declared,
            State::Complete => Stretch::Built,
            State::Measured(share) if fraction(2 * at + 1, 2 * length) < share => Stretch::Built,
            State::Measured(_) => Stretch::Planned,
        }
    }
}

impl Stretch {
    fn style(self) -> Style {
        match self {
            Stretch::Built => REGISTERED,
            Stretch::Planned | Stretch::Unmeasured => Style::new(),
            Stretch::Declared => DECLARED,
        }
    }

    fn across(self) -> (char, Style) {
        let character = match self {
            Stretch::Built => '━',
            Stretch::Planned => '─',
            Stretch::Unmeasured => '╌',
            Stretch::Declared => '·',
        };
        (character, self.style())
    }

    fn down(self) -> (char, Style) {
        let character = match self {
            Stretch::Built => '┃',
            Stretch::Planned => '│',
            Stretch::Unmeasured => '╎',
            Stretch::Declared => '·',
        };
        (character, self.style())
    }

    /// Where one that lies across meets one that lies down.
    fn crossing(across: Self, down: Self) -> (char, Style) {
        match (across, down) {
            (Stretch::Built, Stretch::Built) => ('╋', REGISTERED),
            (Stretch::Built, _) => ('┿', REGISTERED),
            (_, Stretch::Built) => ('╂', REGISTERED),
            (Stretch::Declared, Stretch::Declared) => ('·', DECLARED),
            _ => ('┼', Style::new()),
        }
    }
}

/// Sets a dot of a picture; one that was drawn before gives way to what is built.
fn dot(cells: &mut [Vec<(u8, Style)>], x: f64, y: f64, style: Style) {
    const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    // Places are within the picture: 0 to 47.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (x, y) = (x.round().max(0.0) as usize, y.round().max(0.0) as usize);
    if let Some(cell) = cells.get_mut(y / 4).and_then(|row| row.get_mut(x / 2)) {
        cell.0 |= DOTS[y % 4][x % 2];
        if cell.1 == Style::new() || style == REGISTERED {
            cell.1 = style;
        }
    }
}

fn braille(dots: u8) -> char {
    if dots == 0 { ' ' } else { char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ') }
}

/// A share to draw by.
fn fraction(part: usize, whole: usize) -> f64 {
    // Pictures have few dots.
    #[allow(clippy::cast_precision_loss)]
    let share = part as f64 / whole.max(1) as f64;
    share
}

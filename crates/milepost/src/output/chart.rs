//! Charts for a terminal: events over months, and bars.
//!
//! Invariant: a chart is never wider than asked for, whatever script its labels are in. Asks no server.

use anstyle::{AnsiColor, Style};
use jiff::civil::Date;

use super::width;

/// How what explains a chart looks.
pub const FAINT: Style = AnsiColor::BrightBlack.on_default();
/// Labels take at most this many columns.
const LABEL_COLUMNS: usize = 24;
/// Parts of a column that a bar can end in.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// What a mark stands for. Where several fall on one place, the first of these is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A project started.
    Start,
    /// A milestone was achieved.
    Achieved,
    /// A milestone is expected, or should have been.
    Expected,
}

impl Mark {
    /// The character that is drawn, in its colour.
    pub fn symbol(self) -> String {
        match self {
            Mark::Start => painted(AnsiColor::Cyan.on_default(), "◆"),
            Mark::Achieved => painted(AnsiColor::Green.on_default(), "●"),
            Mark::Expected => painted(AnsiColor::Yellow.on_default(), "○"),
        }
    }
}

/// One line of a chart over time: what it is about, and what happened when.
pub type Row = (String, Vec<(Date, Mark)>);

/// A chart of marks over months, in at most so many columns. Empty without any mark.
pub fn over_months(rows: &[Row], columns: usize) -> String {
    let months = || rows.iter().flat_map(|(_, marks)| marks).map(|(date, _)| month(*date));
    let (Some(first), Some(last)) = (months().min(), months().max()) else { return String::new() };
    let labels = rows.iter().map(|(label, _)| width::columns(label)).max().unwrap_or(0).min(LABEL_COLUMNS);
    let scale = Scale::fitting(first, last, columns.saturating_sub(labels + 1));
    let line = |label: &str, drawn: String| {
        format!("{} {drawn}", width::exactly(label, labels)).trim_end().to_owned() + "\n"
    };
    let heads = [Some(scale.years()), scale.month_numbers()].into_iter().flatten();
    let heads = heads.map(|head| line("", painted(FAINT, &head)));
    heads.chain(rows.iter().map(|(label, marks)| line(label, scale.line(marks)))).collect()
}

/// A bar of `value` where `most` takes all columns.
pub fn bar(value: f64, most: f64, columns: u16) -> String {
    if most <= 0.0 || value <= 0.0 {
        return String::new();
    }
    let eighths = (value / most).min(1.0) * f64::from(columns) * 8.0;
    // What is there shows, however small: at least one eighth. The value is in 0 to 8 × 65535.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let eighths = eighths.round().max(1.0) as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// What part of a whole a count is, 0 to 1, to draw by.
pub fn share(part: i64, whole: i64) -> f64 {
    // Pictures are not exact to 2⁻⁵³.
    #[allow(clippy::cast_precision_loss)]
    let share = part as f64 / whole.max(1) as f64;
    share.clamp(0.0, 1.0)
}

/// The text in a style, with the escape codes of a terminal.
pub fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Months since the year 0. The API has no earlier ones.
fn month(date: Date) -> usize {
    let [year, month] = [date.year(), date.month().into()].map(|part| usize::try_from(part).unwrap_or(0));
    year * 12 + month - 1
}

/// How months fall on columns: some columns a month, or some months a column.
struct Scale {
    first: usize,
    last: usize,
    columns_a_month: usize,
    months_a_column: usize,
}

impl Scale {
    fn fitting(first: usize, last: usize, columns: usize) -> Self {
        let (months, columns) = (last - first + 1, columns.max(1));
        let columns_a_month = (columns / months).clamp(1, 3);
        Self { first, last, columns_a_month, months_a_column: months.div_ceil(columns) }
    }

    /// The column that a month begins in.
    fn column(&self, month: usize) -> usize {
        (month - self.first) * self.columns_a_month / self.months_a_column
    }

    fn width(&self) -> usize {
        self.column(self.last) + self.columns_a_month
    }

    /// Marks stand in the last column of their month, under its number.
    fn line(&self, marks: &[(Date, Mark)]) -> String {
        let mut cells: Vec<Option<Mark>> = vec![None; self.width()];
        for (date, mark) in marks {
            let cell = &mut cells[self.column(month(*date)) + self.columns_a_month - 1];
            *cell = Some(cell.map_or(*mark, |there| there.min(*mark)));
        }
        cells.into_iter().map(|cell| cell.map_or(" ".to_owned(), Mark::symbol)).collect()
    }

    /// Each year where it begins, as far as there is room.
    fn years(&self) -> String {
        let mut line = String::new();
        for month in (self.first..=self.last).filter(|month| *month == self.first || month % 12 == 0) {
            let (column, year) = (self.column(month), format!("{:04}", month / 12));
            if (line.is_empty() || line.len() < column) && column + year.len() <= self.width().max(4) {
                line = format!("{line:column$}{year}");
            }
        }
        line
    }

    /// The number of each month, if a month has room for two digits.
    fn month_numbers(&self) -> Option<String> {
        let number = |month: usize| format!("{:>1$}", month % 12 + 1, self.columns_a_month);
        (self.columns_a_month >= 2).then(|| (self.first..=self.last).map(number).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstream::adapter::strip_str;
    use jiff::civil::date;

    fn rows() -> Vec<Row> {
        let row = |label: &str, marks: &[(Date, Mark)]| (label.to_owned(), marks.to_vec());
        vec![
            row("光大人工智能产业基地", &[(date(2020, 4, 3), Mark::Achieved)]),
            row(
                "科学谷",
                &[
                    (date(2020, 9, 11), Mark::Achieved),
                    (date(2020, 9, 11), Mark::Start),
                    (date(2021, 2, 3), Mark::Achieved),
                ],
            ),
            row("超瞬态实验装置", &[(date(2021, 5, 27), Mark::Start), (date(2021, 6, 1), Mark::Expected)]),
        ]
    }

    #[test]
    fn marks_stand_under_their_month() {
        insta::assert_snapshot!(strip_str(&over_months(&rows(), 80)), @r"
                             2020                       2021
                               4  5  6  7  8  9 10 11 12  1  2  3  4  5  6
        光大人工智能产业基地   ●
        科学谷                                ◆              ●
        超瞬态实验装置                                                ◆  ○
        ");
    }

    #[test]
    fn no_chart_is_wider_than_asked_for() {
        let mut rows = rows();
        for (years, columns) in [(0, 80), (0, 60), (0, 40), (3, 80), (30, 80), (300, 80), (300, 30)] {
            rows[0].1.push((date(2020 + years, 12, 31), Mark::Expected));
            let chart = over_months(&rows, columns);
            for line in chart.lines() {
                assert!(width::columns(line) <= columns, "{years} years in {columns} columns:\n{chart}");
            }
            // Where months share a column, an earlier kind of mark may stand for a later one.
            assert!(chart.matches(['◆', '●', '○']).count() >= 4, "{chart}");
            rows[0].1.pop();
        }
    }

    #[test]
    fn nothing_is_drawn_without_marks() {
        assert_eq!(over_months(&[], 80), "");
        assert_eq!(over_months(&[("科学谷".into(), Vec::new())], 80), "");
    }

    #[test]
    fn bars_are_in_proportion_and_what_is_there_shows() {
        assert_eq!(bar(107.0, 107.0, 10), "██████████");
        assert_eq!(bar(53.5, 107.0, 10), "█████");
        assert_eq!(bar(1.0, 1_000_000.0, 10), "▏");
        assert_eq!(bar(0.0, 107.0, 10), "");
        assert_eq!(bar(3.0, 0.0, 10), "");
        assert_eq!(width::columns(&bar(200.0, 107.0, 10)), 10);
    }
}

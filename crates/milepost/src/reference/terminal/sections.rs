//! The sections of the page that are text, tables and bars.

use anstyle::Style;

use super::{BOLD, DECLARED, REGISTERED, WARNING, Writer};
use crate::output::chart::{FAINT, share};
use crate::output::table::{Cell, Column, Room, clean};
use crate::output::{text, width};
use crate::reference::bins::Bins;
use crate::reference::phrases::{ABSENT, signed};
use crate::reference::view::{Batch, Entry, EntryFigure, Indicator, ListRow, Sum};

/// Columns that a table needs which says what was declared and what is registered.
const TABLE: usize = 64;
/// Rows of a chart over time.
const ROWS: usize = 5;
/// Parts of a row that a bar can end in.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl Writer<'_> {
    pub(super) fn head(&self) -> String {
        let view = self.view;
        let mut out = self.heading(&view.title);
        if !view.other_titles.is_empty() {
            out += &self.block(FAINT, &view.other_titles.join(" · "), 0);
        }
        let facts =
            [self.words.page_of(view.date), view.time_zone.clone(), view.currency.clone(), view.name.clone()];
        out += &self.block(FAINT, &facts.join(" · "), 0);
        if !view.description.trim().is_empty() {
            out.push('\n');
            out += &self.block(Style::new(), &view.description, 0);
        }
        out
    }

    pub(super) fn projects(&self) -> String {
        let (words, projects) = (self.words, &self.view.projects);
        let mut out = self.heading(words.projects());
        if projects.count == 0 {
            out += &self.nothing(words.no_projects());
        } else {
            let count = words.project_count(i64::try_from(projects.count).unwrap_or(i64::MAX));
            out +=
                &self.block(FAINT, &format!("{count}{}{}", words.comma(), words.key_count(projects.key)), 0);
            let most = projects.by_status.iter().map(|(_, count)| *count).max().unwrap_or(0);
            let rows = || projects.by_status.iter();
            let bar = |count: u64| self.bar(signed(count), signed(most));
            out += self
                .table(vec![
                    Column::new("", Room::Name, 0, rows().map(|(status, _)| words.status(*status).into())),
                    Column::new(
                        "",
                        Room::Number,
                        0,
                        rows().map(|(_, count)| text::grouped(&count.to_string()).into()),
                    ),
                    Column::new(
                        "",
                        Room::Whole,
                        1,
                        rows().map(|(_, count)| Cell { text: bar(*count), style: REGISTERED }),
                    ),
                ])
                .trim_start_matches('\n');
        }
        if !self.view.milestones.is_empty() {
            let item = |(state, count): &(_, u64)| words.count_of(*count, words.milestone_state(*state));
            let all: Vec<String> = self.view.milestones.iter().map(item).collect();
            out += &self.block(
                Style::new(),
                &format!("{}{}{}", words.milestones(), words.colon(), all.join(words.comma())),
                0,
            );
        }
        if !self.view.is_today && (projects.count > 0 || !self.view.milestones.is_empty()) {
            out += &self.nothing(words.as_of_today());
        }
        out
    }

    pub(super) fn lists(&self) -> String {
        let words = self.words;
        let Some(lists) = &self.view.lists else { return String::new() };
        let mut out = self.heading(words.lists());
        if lists.is_empty() {
            out += &self.nothing(words.no_lists());
        }
        for list in lists {
            out += &self.block(BOLD, &list.year, 0);
            if !list.description.trim().is_empty() {
                out += &self.block(FAINT, &list.description, 0);
            }
            let rows: Vec<_> = list
                .rows
                .iter()
                .map(|row: &ListRow| {
                    (words.list_category(&row.category).to_owned(), &row.declared, &row.registered)
                })
                .collect();
            out += &self.pairs(words.category(), &rows);
        }
        out
    }

    pub(super) fn batches(&self) -> String {
        let words = self.words;
        let mut out = self.heading(words.batches());
        if self.view.batches.is_empty() {
            return out + &self.nothing(words.no_batches());
        }
        let date = |batch: &Batch| {
            let date = batch.date.map_or(ABSENT.to_owned(), |date| date.to_string());
            if batch.is_started { date } else { format!("{date} ({})", words.to_come()) }
        };
        let rows: Vec<_> =
            self.view.batches.iter().map(|batch| (date(batch), &batch.declared, &batch.registered)).collect();
        out += &self.pairs(words.date(), &rows);
        out
    }

    /// A table with two rows for each thing: what was declared, and what is registered.
    fn pairs(&self, head: &str, rows: &[(String, &Sum, &Sum)]) -> String {
        let words = self.words;
        let lines = || {
            rows.iter().flat_map(|(title, declared, registered)| {
                [(title.as_str(), true, *declared), ("", false, *registered)]
            })
        };
        if self.columns < TABLE {
            return rows.iter().map(|row| self.pair(row)).collect();
        }
        let most = lines().filter_map(|(_, _, sum)| sum.count).max().unwrap_or(0);
        let style = |is_declared| if is_declared { DECLARED } else { REGISTERED };
        let what = |is_declared| if is_declared { words.declared() } else { words.registered() };
        self.table(vec![
            Column::new(head, Room::Name, 0, lines().map(|(title, ..)| title.into())),
            Column::new("", Room::Whole, 0, lines().map(|(_, is_declared, _)| what(is_declared).into())),
            Column::new(words.count(), Room::Number, 0, lines().map(|(.., sum)| self.count(sum))),
            Column::new(
                "",
                Room::Whole,
                1,
                lines().map(|(_, is_declared, sum)| Cell {
                    text: self.bar(sum.count.unwrap_or(0), most),
                    style: style(is_declared),
                }),
            ),
            Column::new(words.investment(), Room::Text, 0, lines().map(|(.., sum)| self.amounts(sum))),
        ])
    }

    /// A thing below its title: what was declared, and what is registered.
    fn pair(&self, (title, declared, registered): &(String, &Sum, &Sum)) -> String {
        let mut out = self.block(Style::new(), title, 0);
        for (what, sum, style) in
            [(self.words.declared(), declared, DECLARED), (self.words.registered(), registered, REGISTERED)]
        {
            let label = width::pad(&format!("  {}", self.paint(style, what)), 13);
            let said = [self.count(sum).text, self.words.amounts(sum)];
            let said: Vec<String> = said.into_iter().filter(|text| !text.is_empty()).collect();
            out += &self.hanging(&label, 14, Style::new(), &said.join(" · "));
        }
        out
    }

    pub(super) fn starts(&self) -> String {
        let words = self.words;
        let mut out = self.heading(words.starts());
        let declared = self.view.declared_starts();
        let days = self.view.starts.iter().chain(&declared).map(|(day, _)| *day);
        let Some(bins) = Bins::of(days) else { return out + &self.nothing(words.no_starts()) };
        for (counts, what, style) in [
            (bins.counts(declared.iter().copied()), words.starts_declared(), DECLARED),
            (bins.counts(self.view.starts.iter().copied()), words.starts_registered(), REGISTERED),
        ] {
            if counts.iter().any(|count| *count > 0) {
                out += &self.block(FAINT, what, 0);
                out += &self.columns(&bins, &counts, style);
            }
        }
        out + &self.axis(&bins)
    }

    /// Columns that a bin takes, and columns before the first one.
    fn bin_columns(&self, bins: &Bins) -> (usize, usize) {
        const SCALE: usize = 7;
        ((self.columns.saturating_sub(SCALE + 1) / bins.count).clamp(1, 5), SCALE)
    }

    /// Upright bars, with the greatest count beside them.
    fn columns(&self, bins: &Bins, counts: &[u64], style: Style) -> String {
        let (columns, scale) = self.bin_columns(bins);
        let most = counts.iter().copied().max().unwrap_or(0);
        // The height is in 0 to 8 × ROWS; what is there shows, however small.
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
        let height = |count: u64| match count {
            0 => 0,
            _ => (share(signed(count), signed(most)) * 8.0 * ROWS as f64).round().max(1.0) as usize,
        };
        let mut out = String::new();
        for row in (0..ROWS).rev() {
            let line: String = counts
                .iter()
                .map(|count| {
                    let part = EIGHTHS[height(*count).saturating_sub(8 * row).min(8)];
                    let filled: String = std::iter::repeat_n(part, columns.max(2) - 1).collect();
                    width::pad(&filled, columns)
                })
                .collect();
            let label = if row + 1 == ROWS { text::grouped(&most.to_string()) } else { String::new() };
            let label = format!("{label:>scale$}");
            out += &format!("{} {}\n", self.paint(FAINT, &label), self.paint(style, line.trim_end()));
        }
        out.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// The years and what is within them, under the bars.
    fn axis(&self, bins: &Bins) -> String {
        let (columns, scale) = self.bin_columns(bins);
        let under = |labels: Vec<String>| {
            let mut line = String::new();
            for (bin, label) in labels.iter().enumerate().filter(|(_, label)| !label.is_empty()) {
                let at = bin * columns;
                if (line.is_empty() || line.len() < at) && at + label.len() <= columns * bins.count.max(4) {
                    line = format!("{line:at$}{label}");
                }
            }
            line
        };
        let parts = bins.parts();
        let widest = parts.iter().map(String::len).max().unwrap_or(0);
        let parts = if widest < columns { under(parts) } else { String::new() };
        let years = under(bins.years().into_iter().map(Option::unwrap_or_default).collect());
        let lines = [parts, years].into_iter().filter(|line| !line.is_empty());
        lines.map(|line| format!("{:scale$} {}\n", "", self.paint(FAINT, &line))).collect()
    }

    pub(super) fn indicators(&self) -> String {
        let words = self.words;
        let Some(indicators) = &self.view.indicators else { return String::new() };
        let mut out = self.heading(words.indicators());
        if indicators.is_empty() {
            return out + &self.nothing(words.no_indicators());
        }
        let title = |indicator: &Indicator| {
            let of_which = if indicator.depth > 0 { format!("{} ", words.of_which()) } else { String::new() };
            let indent = "  ".repeat(indicator.depth.min(4));
            (format!("{indent}{of_which}{}", clean(&indicator.title)), indent.len())
        };
        let widest = indicators.iter().map(|indicator| width::columns(&title(indicator).0)).max();
        let label = widest.unwrap_or(0).min(self.columns / 2 - 2);
        for indicator in indicators {
            let (title, indent) = title(indicator);
            let value = words.indicator_value(indicator);
            let style = match &indicator.value {
                value if value.number.is_some() => BOLD,
                value if value.is_contradicted => WARNING,
                _ => FAINT,
            };
            if width::columns(&title) > label {
                out += &self.block(Style::new(), title.trim_start(), indent);
                out += &self.hanging("", label + 2, style, &value);
            } else {
                out += &self.hanging(&title, label + 2, style, &value);
            }
            for (style, detail) in self.details(indicator) {
                out += &self.block(style, &detail, indent + 2);
            }
        }
        out
    }

    /// What is said below an indicator.
    fn details(&self, indicator: &Indicator) -> Vec<(Style, String)> {
        let words = self.words;
        let mut lines = vec![(FAINT, words.about_value(indicator))];
        lines.extend(words.sum_of_parts_text(indicator).map(|sum| (FAINT, sum)));
        lines.extend(
            indicator.targets.iter().map(|target| (FAINT, words.target_text(target, &indicator.unit))),
        );
        let clashes = words.contradiction_texts(indicator).into_iter();
        lines.extend(clashes.map(|clash| (WARNING, format!("! {clash}"))));
        lines.retain(|(_, line)| !line.is_empty());
        lines
    }

    pub(super) fn timeline(&self) -> String {
        let words = self.words;
        let Some(entries) = &self.view.timeline else { return String::new() };
        let mut out = self.heading(words.timeline());
        if entries.is_empty() {
            return out + &self.nothing(words.no_timeline());
        }
        let said = |tag: &str| if tag.is_empty() { String::new() } else { format!(" ({tag})") };
        for Entry { date, kind, headline, headline_language, figures, .. } in entries {
            let date = date.map_or(ABSENT.to_owned(), |date| date.to_string());
            let line = format!("{kind}{}{headline}{}", words.colon(), said(headline_language));
            out += &self.hanging(&date, 12, Style::new(), &line);
            for EntryFigure { label, label_language, value, is_declared } in figures {
                let declared = if *is_declared { words.declared() } else { "" };
                let (language, declared) = (said(label_language), said(declared));
                out +=
                    &self.block(FAINT, &format!("{label}{language}{}{value}{declared}", words.colon()), 14);
            }
        }
        out
    }
}

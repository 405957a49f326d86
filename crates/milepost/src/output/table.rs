//! Tables of many resources, and the card of one, in the columns that the terminal has.
//!
//! Invariant: columns line up whatever script their text is in. No line of a table is wider than the
//! terminal, as long as the `Whole` columns of rank 0 leave 6 columns to each id, 2 to each name or text.
//! No control character of a text gets through, so that data cannot control the terminal. Without a terminal
//! nothing is cut, wrapped or coloured, and only the values of a card are aligned.
//!
//! Does not know resources: which columns there are, and what a cell says, is decided by the caller.

use anstyle::Style;

use super::{width, wrap};

/// Blanks between columns.
const GAP: usize = 2;
/// Columns that an id keeps as long as another column can go.
const ID: usize = 12;
/// Columns that an id keeps in any case.
const SHORT_ID: usize = 6;
/// Columns that a wrapped text keeps as long as another column can go.
const TEXT: usize = 14;
/// Columns that a wrapped text or name keeps in any case: one Chinese character.
const CHARACTER: usize = 2;
/// Columns that the values of a card keep in any case, however long the labels are.
const VALUE: usize = 10;
/// What a column may lose when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Never cut or wrapped: dates, amounts, states.
    Whole,
    /// An id: shortened in the middle with `…` down to 12 columns, keeping its beginning and its end.
    Id,
    /// What people call something: never cut or wrapped while another column can shrink or go.
    Name,
    /// Free text: wrapped down to 14 columns.
    Text,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// What stands above it; cut where the cells are.
    pub header: String,
    /// What it may lose.
    pub room: Room,
    /// Whether header and cells stand to the right, as numbers do.
    pub right: bool,
    /// 0 stays to the end; the highest rank goes first.
    pub rank: u8,
}

/// What a row says in one column.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Any text; line breaks and tabs become blanks.
    pub text: String,
    /// How it looks in a terminal with colours.
    pub style: Style,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, style: Style::new() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// What the text is shown in.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Its width. A table needs 30 columns, a card 40; with fewer, lines may be wider than this.
    pub columns: u16,
    /// Whether it shows colours and bold text.
    pub colour: bool,
}

/// A table as text.
#[derive(Debug)]
pub struct Rendered {
    /// Lines, each with its line break.
    pub text: String,
    /// The headers of the columns that were left out for want of room, from left to right.
    pub left_out: Vec<String>,
}

/// A header line, and a line for each row, or more where cells are wrapped. Without a terminal cells are
/// separated by one tab. A row may have fewer cells than there are columns; the rest is empty.
pub fn render(columns: &[Column], rows: &[Vec<Cell>], terminal: Option<Terminal>) -> Rendered {
    let bold = Style::new().bold();
    let header = columns.iter().map(|column| Cell { text: column.header.clone(), style: bold }).collect();
    let clean_row = |row: &Vec<Cell>| -> Vec<Cell> {
        row.iter().map(|cell| Cell { text: clean(&cell.text), style: cell.style }).collect()
    };
    let lines: Vec<Vec<Cell>> = std::iter::once(&header).chain(rows).map(clean_row).collect();
    let Some(terminal) = terminal else {
        let join = |line: &Vec<Cell>| {
            line.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("\t") + "\n"
        };
        return Rendered { text: lines.iter().map(join).collect(), left_out: Vec::new() };
    };
    let natural = columns.iter().enumerate().map(|(index, column)| Shown::new(index, column, &lines));
    let shown = arrange(natural.collect(), terminal.columns.into());
    let goes = |index: &usize| shown.iter().all(|shown| shown.index != *index);
    let left_out = (0..columns.len()).filter(goes).map(|index| lines[0][index].text.clone()).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        draw(&mut text, number, line, &shown, terminal.colour);
    }
    Rendered { text, left_out }
}

/// Label and value lines of one resource; labels bold, values wrapped with a hanging indent. A value with
/// line breaks is several lines. A word that is longer than the room stays in one piece, to be copied.
pub fn card(lines: &[(String, String)], terminal: Option<Terminal>) -> String {
    let labels: Vec<String> = lines.iter().map(|(label, _)| clean(label)).collect();
    let indent = labels.iter().map(|label| width::columns(label)).max().unwrap_or(0) + GAP;
    let room = |terminal: Terminal| usize::from(terminal.columns).saturating_sub(indent).max(VALUE);
    let room = terminal.map_or(usize::MAX, room);
    let colour = terminal.is_some_and(|terminal| terminal.colour);
    let style = if colour { Style::new().bold() } else { Style::new() };
    let colon = if terminal.is_some() { "" } else { ":" };
    let mut text = String::new();
    for (label, (_, value)) in labels.iter().zip(lines) {
        let mut start = format!("{style}{label}{style:#}{colon}");
        let paragraphs = value.trim_end().split('\n').map(clean);
        for line in paragraphs.flat_map(|paragraph| wrap::lines(paragraph.trim_end(), room, false)) {
            let blanks = if line.is_empty() { 0 } else { indent - width::columns(&start) };
            text.push_str(&format!("{start}{}{line}\n", " ".repeat(blanks)));
            start.clear();
        }
    }
    text
}

/// A column that is shown.
struct Shown<'a> {
    /// Which cell of a row it shows.
    index: usize,
    column: &'a Column,
    /// The header, and what each row says.
    texts: Vec<&'a str>,
    /// The width that shows everything.
    natural: usize,
    /// The width that it has.
    width: usize,
}

impl<'a> Shown<'a> {
    /// The column in its natural width; the first line is the header.
    fn new(index: usize, column: &'a Column, lines: &'a [Vec<Cell>]) -> Self {
        let text = |line: &'a Vec<Cell>| line.get(index).map_or("", |cell| cell.text.trim());
        let texts: Vec<&str> = lines.iter().map(text).collect();
        let natural = texts.iter().map(|text| width::columns(text)).max().unwrap_or(0);
        Self { index, column, texts, natural, width: natural }
    }

    /// Whether no row says anything.
    fn is_empty(&self) -> bool {
        self.texts.iter().skip(1).all(|text| matches!(*text, "" | "-"))
    }

    /// The text of one line of the table in the width that there is: one part, or more if it is wrapped.
    fn parts(&self, line: usize) -> Vec<String> {
        match (self.texts[line], self.column.room) {
            (header, _) if line == 0 => vec![width::fit(header, self.width)],
            (whole, Room::Whole) => vec![whole.to_owned()],
            (id, Room::Id) => vec![wrap::shorten(id, self.width)],
            (words, Room::Name | Room::Text) => wrap::lines(words, self.width, true),
        }
    }
}

/// Makes columns narrower, or leaves them out, until they fit.
fn arrange(mut shown: Vec<Shown>, room: usize) -> Vec<Shown> {
    while excess(&shown, room) > 0 && leave_out(&mut shown, |shown| shown.is_empty()) {}
    loop {
        shown.iter_mut().for_each(|column| column.width = column.natural);
        shrink(&mut shown, room, &[Room::Id], ID);
        shrink(&mut shown, room, &[Room::Text], TEXT);
        if excess(&shown, room) == 0 || !leave_out(&mut shown, |_| true) {
            break;
        }
    }
    // These change nothing if it fits already.
    shrink(&mut shown, room, &[Room::Id], SHORT_ID);
    shrink(&mut shown, room, &[Room::Name, Room::Text], CHARACTER);
    // Ids get what wrapped lines do not fill.
    for column in &mut shown {
        let parts = (0..column.texts.len()).flat_map(|line| column.parts(line));
        column.width = match column.column.room {
            Room::Name | Room::Text => parts.map(|part| width::columns(&part)).max().unwrap_or(0),
            Room::Id | Room::Whole => column.natural,
        };
    }
    shrink(&mut shown, room, &[Room::Id], SHORT_ID);
    shown
}

/// How many columns are missing.
fn excess(shown: &[Shown], room: usize) -> usize {
    let gaps = shown.len().saturating_sub(1) * GAP;
    (shown.iter().map(|shown| shown.width).sum::<usize>() + gaps).saturating_sub(room)
}

/// Leaves out the column of the highest rank, of equals the last. False if only those of rank 0 are left.
fn leave_out(shown: &mut Vec<Shown>, which: impl Fn(&Shown) -> bool) -> bool {
    let candidates = shown.iter().enumerate().filter(|(_, shown)| shown.column.rank > 0 && which(shown));
    let Some((position, _)) = candidates.max_by_key(|(_, shown)| shown.column.rank) else { return false };
    shown.remove(position);
    true
}

/// Takes missing columns from the widest of these kinds, as long as one is wider than `least`.
fn shrink(shown: &mut [Shown], room: usize, kinds: &[Room], least: usize) {
    for _ in 0..excess(shown, room) {
        let wide = shown.iter_mut().filter(|shown| kinds.contains(&shown.column.room) && shown.width > least);
        let Some(widest) = wide.max_by_key(|shown| shown.width) else { return };
        widest.width -= 1;
    }
}

/// Adds one line of the table. Blanks are written only before a text, so that no line ends with them.
fn draw(text: &mut String, line: usize, cells: &[Cell], shown: &[Shown], colour: bool) {
    let parts: Vec<Vec<String>> = shown.iter().map(|shown| shown.parts(line)).collect();
    for number in 0..parts.iter().map(Vec::len).max().unwrap_or(0) {
        let (mut start, mut end) = (0, 0);
        for (shown, parts) in shown.iter().zip(&parts) {
            let part = parts.get(number).map_or("", String::as_str);
            if !part.is_empty() {
                let spare =
                    if shown.column.right { shown.width.saturating_sub(width::columns(part)) } else { 0 };
                let style = if colour { cells[shown.index].style } else { Style::new() };
                let blanks = (start + spare).saturating_sub(end);
                text.push_str(&format!("{}{style}{part}{style:#}", " ".repeat(blanks)));
                end += blanks + width::columns(part);
            }
            start += shown.width + GAP;
        }
        text.push('\n');
    }
}

/// The text in one line, without what would control the terminal or reorder the line.
fn clean(text: &str) -> String {
    let replace = |c: char| match c {
        '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(replace).collect()
}

#[cfg(test)]
mod tests {
    use anstyle::AnsiColor;

    use super::*;

    fn terminal(columns: u16) -> Option<Terminal> {
        Some(Terminal { columns, colour: false })
    }

    fn column(header: &str, room: Room, rank: u8) -> Column {
        Column { header: header.to_owned(), room, right: false, rank }
    }

    fn cells(texts: &[&str]) -> Vec<Cell> {
        texts.iter().map(|&text| text.into()).collect()
    }

    fn projects() -> (Vec<Column>, Vec<Vec<Cell>>) {
        let columns = vec![
            column("PROJECT", Room::Id, 0),
            column("DISPLAY NAME", Room::Name, 0),
            column("STATUS", Room::Whole, 0),
            column("KEY", Room::Whole, 5),
            Column { right: true, ..column("INVESTMENT", Room::Whole, 1) },
            column("STARTED", Room::Whole, 2),
            column("COMPLETED", Room::Whole, 3),
            column("REASON", Room::Text, 4),
        ];
        let facility = [
            "ultra-transient-facility",
            "重庆超瞬态实验装置",
            "CONSTRUCTION",
            "yes",
            "CNY 28,360,000,000",
            "2021-05-27",
            "-",
            "地基处理比原计划多用了三个月，因为岩溶比勘察报告中描述的更深。",
        ];
        let avenue = [
            "science-avenue",
            "科学大道一期工程",
            "PARTIALLY_ACHIEVED",
            "-",
            "CNY 930.5",
            "2020-09-11",
            "-",
            "The second carriageway waits for the relocation of a gas main.",
        ];
        let school = ["school", "Bashu Science City Secondary School", "PROPOSED", "-", "-", "-", "-", "-"];
        (columns, [&facility[..], &avenue, &school].map(cells).into())
    }

    fn forecasts_in(columns: u16) -> String {
        let all = [
            column("REPORTED", Room::Whole, 3),
            column("FORECAST", Room::Whole, 0),
            column("PREVIOUS", Room::Whole, 2),
            Column { right: true, ..column("SLIP", Room::Whole, 1) },
            column("REASON", Room::Text, 0),
        ];
        let reason = "地基处理比原计划多用了三个月，因为岩溶比勘察报告（2021年版）中描述的更深。";
        let rows = [
            cells(&["2021-06-01 09:30", "2023-12-31", "-", "-", "-"]),
            cells(&["2022-03-15 17:05", "2024-03-29", "2023-12-31", "+62", reason]),
            cells(&[
                "2022-09-02 08:00",
                "2024-03-22",
                "2024-03-29",
                "-5",
                "See https://example.org/minutes/2022-09-01.",
            ]),
        ];
        render(&all, &rows, terminal(columns)).text
    }

    fn projects_in(columns: u16) -> String {
        let (all, rows) = projects();
        let Rendered { text, left_out } = render(&all, &rows, terminal(columns));
        format!("{text}left out: {}", left_out.join(", "))
    }

    /// Random numbers that are the same in each run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % end
        }

        /// Up to this many columns; words have at most 9 letters.
        fn text(&mut self, columns: usize) -> String {
            const PARTS: [&str; 16] = [
                "a",
                "bc",
                "d-e",
                "科",
                "装置",
                "，",
                "。",
                "（",
                "）",
                " ",
                "\t",
                "e\u{301}",
                "👩\u{200d}🔬",
                "👍🏽",
                "\u{1b}[31m",
                "☁\u{fe0f}",
            ];
            let (mut text, mut letters) = (String::new(), 0);
            let room = self.below(columns + 1);
            loop {
                let part = PARTS[self.below(PARTS.len())];
                letters = if width::columns(part) > 1 && !part.is_ascii() { 0 } else { letters + part.len() };
                let part = if letters > 9 { " " } else { part };
                letters = if part == " " { 0 } else { letters };
                if width::columns(&clean(&text)) + width::columns(&clean(part)) > room {
                    return text;
                }
                text.push_str(part);
            }
        }
    }

    #[test]
    fn at_120_columns_ids_are_shortened_and_texts_wrapped() {
        insta::assert_snapshot!(projects_in(120), @r"
        PROJECT       DISPLAY NAME                         STATUS                      INVESTMENT  STARTED     REASON
        ultra-…ility  重庆超瞬态实验装置                   CONSTRUCTION        CNY 28,360,000,000  2021-05-27  地基处理比原计划
                                                                                                               多用了三个月，因
                                                                                                               为岩溶比勘察报告
                                                                                                               中描述的更深。
        scienc…venue  科学大道一期工程                     PARTIALLY_ACHIEVED           CNY 930.5  2020-09-11  The second
                                                                                                               carriageway waits
                                                                                                               for the
                                                                                                               relocation of a
                                                                                                               gas main.
        school        Bashu Science City Secondary School  PROPOSED                             -  -           -
        left out: KEY, COMPLETED
        ");
    }

    #[test]
    fn at_80_columns_ids_get_the_room_of_columns_that_went() {
        insta::assert_snapshot!(projects_in(80), @r"
        PROJECT                  DISPLAY NAME                         STATUS
        ultra-trans…nt-facility  重庆超瞬态实验装置                   CONSTRUCTION
        science-avenue           科学大道一期工程                     PARTIALLY_ACHIEVED
        school                   Bashu Science City Secondary School  PROPOSED
        left out: KEY, INVESTMENT, STARTED, COMPLETED, REASON
        ");
    }

    #[test]
    fn at_60_columns_names_are_wrapped_last() {
        insta::assert_snapshot!(projects_in(60), @r"
        PROJECT     DISPLAY NAME                  STATUS
        ultra…lity  重庆超瞬态实验装置            CONSTRUCTION
        scien…enue  科学大道一期工程              PARTIALLY_ACHIEVED
        school      Bashu Science City Secondary  PROPOSED
                    School
        left out: KEY, INVESTMENT, STARTED, COMPLETED, REASON
        ");
    }

    #[test]
    fn texts_wrap_before_a_column_goes() {
        insta::assert_snapshot!(forecasts_in(80), @r"
        REPORTED          FORECAST    PREVIOUS    SLIP  REASON
        2021-06-01 09:30  2023-12-31  -              -  -
        2022-03-15 17:05  2024-03-29  2023-12-31   +62  地基处理比原计划多用了三个月，因
                                                        为岩溶比勘察报告（2021年版）中描
                                                        述的更深。
        2022-09-02 08:00  2024-03-22  2024-03-29    -5  See https://example.org/minutes/
                                                        2022-09-01.
        ");
    }

    #[test]
    fn texts_get_the_room_of_columns_that_went() {
        insta::assert_snapshot!(forecasts_in(60), @r"
        FORECAST    PREVIOUS    SLIP  REASON
        2023-12-31  -              -  -
        2024-03-29  2023-12-31   +62  地基处理比原计划多用了三个月，
                                      因为岩溶比勘察报告（2021年版）
                                      中描述的更深。
        2024-03-22  2024-03-29    -5  See https://example.org/minute
                                      s/2022-09-01.
        ");
    }

    #[test]
    fn a_pipe_gets_everything_between_tabs() {
        let (columns, rows) = projects();
        let Rendered { text, left_out } = render(&columns, &rows, None);
        assert!(left_out.is_empty());
        insta::assert_snapshot!(text.replace('\t', " → "), @r"
        PROJECT → DISPLAY NAME → STATUS → KEY → INVESTMENT → STARTED → COMPLETED → REASON
        ultra-transient-facility → 重庆超瞬态实验装置 → CONSTRUCTION → yes → CNY 28,360,000,000 → 2021-05-27 → - → 地基处理比原计划多用了三个月，因为岩溶比勘察报告中描述的更深。
        science-avenue → 科学大道一期工程 → PARTIALLY_ACHIEVED → - → CNY 930.5 → 2020-09-11 → - → The second carriageway waits for the relocation of a gas main.
        school → Bashu Science City Secondary School → PROPOSED → - → - → - → - → -
        ");
    }

    #[test]
    fn a_column_that_says_nothing_goes_first_and_only_for_want_of_room() {
        let columns =
            [column("ID", Room::Id, 0), column("ACTUAL", Room::Whole, 1), column("STATE", Room::Whole, 2)];
        let rows = [cells(&["ultra-transient", "-", "PLANNED"]), cells(&["science-avenue", "", "LATE"])];
        let left_out = |width| render(&columns, &rows, terminal(width)).left_out;
        assert!(left_out(32).is_empty());
        assert_eq!(left_out(31), ["ACTUAL"]);
        assert_eq!(
            render(&columns, &rows, terminal(31)).text.lines().nth(1),
            Some("ultra-transient  PLANNED")
        );
    }

    #[test]
    fn of_columns_of_one_rank_the_last_goes_first() {
        let columns = [column("A", Room::Whole, 1), column("B", Room::Whole, 1), column("C", Room::Whole, 0)];
        let rows = [cells(&["2021-05-27", "2021-05-28", "2021-05-29"])];
        assert_eq!(render(&columns, &rows, terminal(33)).left_out, ["B"]);
        // Rank 0 never goes, whatever the width.
        assert_eq!(render(&columns, &rows, terminal(9)).left_out, ["A", "B"]);
    }

    #[test]
    fn what_is_whole_stays_so_even_where_it_does_not_fit() {
        let columns = [column("A", Room::Whole, 0), column("B", Room::Whole, 0)];
        let rows = [cells(&["CNY 28,360,000,000", "CNY 28,360,000,000"])];
        let text = render(&columns, &rows, terminal(30)).text;
        assert_eq!(text.lines().nth(1), Some("CNY 28,360,000,000  CNY 28,360,000,000"));
    }

    #[test]
    fn colour_is_around_the_text_and_not_around_the_blanks() {
        let columns = [column("STATE", Room::Whole, 0), column("NAME", Room::Name, 0)];
        let rows = [vec![Cell { text: "LATE".into(), style: AnsiColor::Red.on_default() }, "科学谷".into()]];
        let coloured = Terminal { columns: 80, colour: true };
        assert_eq!(
            render(&columns, &rows, Some(coloured)).text,
            "\u{1b}[1mSTATE\u{1b}[0m  \u{1b}[1mNAME\u{1b}[0m\n\u{1b}[31mLATE\u{1b}[0m   科学谷\n"
        );
        assert_eq!(render(&columns, &rows, terminal(80)).text, "STATE  NAME\nLATE   科学谷\n");
        assert_eq!(card(&[("Name".into(), "x".into())], Some(coloured)), "\u{1b}[1mName\u{1b}[0m  x\n");
    }

    #[test]
    fn data_cannot_control_the_terminal() {
        let evil = "a\u{1b}[2Jb\u{9b}31mc\rd\ne\tf\u{202e}g\u{7}\r\nh";
        let shown = "a�[2Jb�31mc d e f�g� h";
        let columns = [column(evil, Room::Text, 0), column("B", Room::Whole, 0)];
        let rows = [cells(&[evil, "1"])];
        assert_eq!(render(&columns, &rows, None).text, format!("{shown}\tB\n{shown}\t1\n"));
        assert_eq!(render(&columns, &rows, terminal(80)).text, format!("{shown}  B\n{shown}  1\n"));
        let value = "a�[2Jb�31mc d\n  e f�g�\n  h\n";
        assert_eq!(card(&[("".into(), evil.into())], terminal(80)), format!("  {value}"));
        assert_eq!(card(&[("".into(), evil.into())], None), format!(": {value}"));
    }

    #[test]
    fn a_table_without_rows_or_with_short_rows_is_still_a_table() {
        let columns = [column("A", Room::Id, 0), column("B", Room::Text, 1)];
        assert_eq!(render(&columns, &[], terminal(80)).text, "A  B\n");
        assert_eq!(render(&columns, &[cells(&["x"])], terminal(80)).text, "A  B\nx\n");
    }

    #[test]
    fn any_table_fits_and_names_are_wrapped_last() {
        for width in 30..=200 {
            let mut random = Random(width.into());
            for _ in 0..4 {
                let mut columns = vec![
                    column("ID", Room::Id, 0),
                    column("NAME", Room::Name, 0),
                    column("STATE", Room::Whole, 0),
                ];
                for number in 0..random.below(7) {
                    let room = [Room::Whole, Room::Id, Room::Name, Room::Text][random.below(4)];
                    let rank = u8::try_from(1 + random.below(3)).unwrap();
                    columns
                        .insert(random.below(columns.len() + 1), column(&format!("C{number}"), room, rank));
                }
                let cell = |column: &Column, random: &mut Random| {
                    random.text(if column.rank == 0 && column.room == Room::Whole { 18 } else { 60 }).into()
                };
                let rows: Vec<Vec<Cell>> = (0..1 + random.below(4))
                    .map(|_| columns.iter().map(|column| cell(column, &mut random)).collect())
                    .collect();
                check(&columns, &rows, width);
            }
        }
    }

    fn check(columns: &[Column], rows: &[Vec<Cell>], width: u16) {
        let Rendered { text, left_out } = render(columns, rows, terminal(width));
        for line in text.lines() {
            assert!(
                width::columns(line) <= width.into() && line == line.trim_end(),
                "{width}: {line:?}\n{text}"
            );
        }
        assert!(!text.contains(['\u{1b}', '\t']), "{text}");
        let shown = |column: &&Column| !left_out.contains(&column.header);
        let all_needed = columns.iter().filter(shown).all(|column| column.rank == 0);
        for (index, column) in columns.iter().enumerate().filter(|(_, column)| shown(column)) {
            let whole = match column.room {
                Room::Whole => true,
                Room::Name => !all_needed,
                Room::Id | Room::Text => false,
            };
            for cell in rows.iter().map(|row| clean(&row[index].text)).filter(|_| whole) {
                assert!(text.contains(cell.trim()), "{width}: {cell:?}\n{text}");
            }
        }
        let wider = render(columns, rows, terminal(width + 1)).left_out;
        assert!(
            wider.iter().all(|header| left_out.contains(header)),
            "{width}: {left_out:?}, then {wider:?}"
        );
    }

    fn facility() -> Vec<(String, String)> {
        [
            ("Name", "portfolios/western-science-city/projects/ultra-transient-facility"),
            ("Display name", "重庆超瞬态实验装置"),
            ("Investment", "CNY 28,360,000,000"),
            ("Purpose", "超瞬态实验装置（UTEF）用于研究物质在极端条件下的瞬态过程，由电子加速器、光源和实验站组成。\n\nThe second stage adds four beam lines, which the institutes of the city share."),
            ("Cursor", "eyJzZWdtZW50IjoxMiwib2Zmc2V0IjozNDU2Nzg5MCwiZXBvY2giOiIwMTk4NjQyZSJ9"),
            ("Labels", "owner=铁建二局\nstage=2"),
            ("Etag", ""),
        ]
        .map(|(label, value)| (label.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn a_card_wraps_its_values_under_each_other_and_keeps_what_is_copied() {
        insta::assert_snapshot!(card(&facility(), terminal(60)), @r"
        Name          portfolios/western-science-city/projects/ultra-transient-facility
        Display name  重庆超瞬态实验装置
        Investment    CNY 28,360,000,000
        Purpose       超瞬态实验装置（UTEF）用于研究物质在极端条件下
                      的瞬态过程，由电子加速器、光源和实验站组成。

                      The second stage adds four beam lines, which
                      the institutes of the city share.
        Cursor        eyJzZWdtZW50IjoxMiwib2Zmc2V0IjozNDU2Nzg5MCwiZXBvY2giOiIwMTk4NjQyZSJ9
        Labels        owner=铁建二局
                      stage=2
        Etag
        ");
    }

    #[test]
    fn a_card_in_a_pipe_is_aligned_and_not_wrapped() {
        insta::assert_snapshot!(card(&facility(), None), @r"
        Name:         portfolios/western-science-city/projects/ultra-transient-facility
        Display name: 重庆超瞬态实验装置
        Investment:   CNY 28,360,000,000
        Purpose:      超瞬态实验装置（UTEF）用于研究物质在极端条件下的瞬态过程，由电子加速器、光源和实验站组成。

                      The second stage adds four beam lines, which the institutes of the city share.
        Cursor:       eyJzZWdtZW50IjoxMiwib2Zmc2V0IjozNDU2Nzg5MCwiZXBvY2giOiIwMTk4NjQyZSJ9
        Labels:       owner=铁建二局
                      stage=2
        Etag:
        ");
    }

    #[test]
    fn any_card_fits_and_loses_nothing_but_blanks() {
        for width in 40..=200 {
            let mut random = Random(width.into());
            let lines = [28, 7, 20].map(|label| (random.text(label), random.text(300)));
            let text = card(&lines, terminal(width));
            assert!(text.lines().all(|line| width::columns(line) <= width.into()), "{width}\n{text}");
            assert!(text.lines().all(|line| line == line.trim_end()), "{width}\n{text}");
            let solid = |text: &str| clean(text).replace(' ', "");
            let expected: String =
                lines.iter().flat_map(|(label, value)| [solid(label), solid(value)]).collect();
            assert_eq!(solid(&text.replace('\n', "")), expected, "{width}");
        }
    }
}

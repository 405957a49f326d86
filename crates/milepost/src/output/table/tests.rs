//! Tables and cards at every width: what stays, what shrinks, what goes.

use anstyle::AnsiColor;

use super::*;

struct Head {
    header: String,
    room: Room,
    rank: usize,
}

fn column(header: &str, room: Room, rank: usize) -> Head {
    Head { header: header.to_owned(), room, rank }
}

fn table(heads: &[Head], rows: &[Vec<Cell>], terminal: Option<u16>) -> Rendered {
    let cells = |index: usize| rows.iter().map(move |row| row[index].clone());
    let column = |(index, Head { header, room, rank }): (usize, &Head)| {
        Column::new(header, *room, *rank, cells(index))
    };
    render(heads.iter().enumerate().map(column).collect(), terminal, false)
}

fn cells(texts: &[&str]) -> Vec<Cell> {
    texts.iter().map(|&text| text.into()).collect()
}

fn projects() -> (Vec<Head>, Vec<Vec<Cell>>) {
    let columns = vec![
        column("PROJECT", Room::Id, 0),
        column("DISPLAY NAME", Room::Name, 0),
        column("STATUS", Room::Whole, 0),
        column("KEY", Room::Whole, 5),
        column("INVESTMENT", Room::Number, 1),
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
        column("SLIP", Room::Number, 1),
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
    table(&all, &rows, Some(columns)).text
}

fn projects_in(columns: u16) -> String {
    let (all, rows) = projects();
    let Rendered { text, left_out } = table(&all, &rows, Some(columns));
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
    PROJECT       DISPLAY NAME                STATUS
    ultra-…ility  重庆超瞬态实验装置          CONSTRUCTION
    scienc…venue  科学大道一期工程            PARTIALLY_ACHIEVED
    school        Bashu Science City          PROPOSED
                  Secondary School
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
    2022-09-02 08:00  2024-03-22  2024-03-29    -5  See
                                                    https://example.org/minutes/2022
                                                    -09-01.
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
    2024-03-22  2024-03-29    -5  See
                                  https://example.org/minutes/20
                                  22-09-01.
    ");
}

#[test]
fn a_pipe_gets_everything_between_tabs() {
    let (columns, rows) = projects();
    let Rendered { text, left_out } = table(&columns, &rows, None);
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
    let left_out = |width| table(&columns, &rows, Some(width)).left_out;
    assert!(left_out(32).is_empty());
    assert_eq!(left_out(31), ["ACTUAL"]);
    assert_eq!(table(&columns, &rows, Some(31)).text.lines().nth(1), Some("ultra-transient  PLANNED"));
}

#[test]
fn of_columns_of_one_rank_the_last_goes_first() {
    let columns = [column("A", Room::Whole, 1), column("B", Room::Whole, 1), column("C", Room::Whole, 0)];
    let rows = [cells(&["2021-05-27", "2021-05-28", "2021-05-29"])];
    assert_eq!(table(&columns, &rows, Some(33)).left_out, ["B"]);
    // Rank 0 never goes, whatever the width.
    assert_eq!(table(&columns, &rows, Some(9)).left_out, ["A", "B"]);
}

#[test]
fn what_is_whole_stays_so_even_where_it_does_not_fit() {
    let columns = [column("A", Room::Whole, 0), column("B", Room::Whole, 0)];
    let rows = [cells(&["CNY 28,360,000,000", "CNY 28,360,000,000"])];
    let text = table(&columns, &rows, Some(30)).text;
    assert_eq!(text.lines().nth(1), Some("CNY 28,360,000,000  CNY 28,360,000,000"));
}

#[test]
fn colour_is_around_the_text_and_not_around_the_blanks() {
    let late = Cell { text: "LATE".into(), style: AnsiColor::Red.on_default() };
    let columns = || {
        vec![
            Column::new("STATE", Room::Whole, 0, [late.clone()]),
            Column::new("NAME", Room::Name, 0, ["科学谷".into()]),
        ]
    };
    assert_eq!(
        render(columns(), Some(80), true).text,
        "\u{1b}[1mSTATE\u{1b}[0m  \u{1b}[1mNAME\u{1b}[0m\n\u{1b}[31mLATE\u{1b}[0m   科学谷\n"
    );
    assert_eq!(render(columns(), Some(80), false).text, "STATE  NAME\nLATE   科学谷\n");
    assert_eq!(card(&[("Name".into(), "x".into())], Some(80), true), "\u{1b}[1mName\u{1b}[0m  x\n");
}

#[test]
fn data_cannot_control_the_terminal() {
    let evil = "a\u{1b}[2Jb\u{9b}31mc\rd\ne\tf\u{202e}g\u{7}\r\nh\u{200f}\u{61c}";
    let shown = "a�[2Jb�31mc d e f�g� h��";
    let columns = [column(evil, Room::Text, 0), column("B", Room::Whole, 0)];
    let rows = [cells(&[evil, "1"])];
    assert_eq!(table(&columns, &rows, None).text, format!("{shown}\tB\n{shown}\t1\n"));
    assert_eq!(table(&columns, &rows, Some(80)).text, format!("{shown}  B\n{shown}  1\n"));
    let value = "a�[2Jb�31mc d\n  e f�g�\n  h��\n";
    assert_eq!(card(&[("".into(), evil.into())], Some(80), false), format!("  {value}"));
    assert_eq!(card(&[("".into(), evil.into())], None, false), format!(": {value}"));
}

#[test]
fn a_table_without_rows_is_still_a_table() {
    let columns = [column("A", Room::Id, 0), column("B", Room::Text, 1)];
    assert_eq!(table(&columns, &[], Some(80)).text, "A  B\n");
}

#[test]
fn any_table_fits_and_names_are_wrapped_last() {
    for width in 40..=200 {
        let mut random = Random(width.into());
        for _ in 0..4 {
            let mut columns = vec![
                column("ID", Room::Id, 0),
                column("NAME", Room::Name, 0),
                column("STATE", Room::Whole, 0),
            ];
            for number in 0..random.below(7) {
                let room = [Room::Whole, Room::Id, Room::Name, Room::Text][random.below(4)];
                let rank = 1 + random.below(3);
                columns.insert(random.below(columns.len() + 1), column(&format!("C{number}"), room, rank));
            }
            let cell = |column: &Head, random: &mut Random| {
                random.text(if column.rank == 0 && column.room == Room::Whole { 18 } else { 60 }).into()
            };
            let rows: Vec<Vec<Cell>> = (0..1 + random.below(4))
                .map(|_| columns.iter().map(|column| cell(column, &mut random)).collect())
                .collect();
            check(&columns, &rows, width);
        }
    }
}

fn check(columns: &[Head], rows: &[Vec<Cell>], width: u16) {
    let Rendered { text, left_out } = table(columns, rows, Some(width));
    for line in text.lines() {
        assert!(width::columns(line) <= width.into() && line == line.trim_end(), "{width}: {line:?}\n{text}");
    }
    assert!(!text.contains(['\u{1b}', '\t']), "{text}");
    let shown = |column: &&Head| !left_out.contains(&column.header);
    let all_needed = columns.iter().filter(shown).all(|column| column.rank == 0);
    for (index, column) in columns.iter().enumerate().filter(|(_, column)| shown(column)) {
        let whole = match column.room {
            Room::Whole | Room::Number => true,
            Room::Name => !all_needed,
            Room::Id | Room::Text => false,
        };
        for cell in rows.iter().map(|row| clean(&row[index].text)).filter(|_| whole) {
            assert!(text.contains(cell.trim()), "{width}: {cell:?}\n{text}");
        }
    }
    let wider = table(columns, rows, Some(width + 1)).left_out;
    assert!(wider.iter().all(|header| left_out.contains(header)), "{width}: {left_out:?}, then {wider:?}");
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
    insta::assert_snapshot!(card(&facility(), Some(60), false), @r"
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
    insta::assert_snapshot!(card(&facility(), None, false), @r"
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
        let text = card(&lines, Some(width), false);
        assert!(text.lines().all(|line| width::columns(line) <= width.into()), "{width}\n{text}");
        assert!(text.lines().all(|line| line == line.trim_end()), "{width}\n{text}");
        let solid = |text: &str| clean(text).replace(' ', "");
        let expected: String = lines.iter().flat_map(|(label, value)| [solid(label), solid(value)]).collect();
        assert_eq!(solid(&text.replace('\n', "")), expected, "{width}");
    }
}

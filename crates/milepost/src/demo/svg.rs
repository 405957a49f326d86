//! The text of a terminal as one SVG file, which looks the same on light and on dark pages.
//!
//! Invariant: the same text gives the same bytes. Every word stands at its column and takes the room of its
//! columns, whatever fonts a browser has; bars and marks are shapes. Knows only the escape codes of its styles.

use console::AnsiCodeIterator;

use crate::output::markup::escaped;
use crate::output::width;

/// The width of a column, the height of a line, and the room around the text, in pixels.
const COLUMN: u32 = 9;
const LINE: u32 = 21;
const MARGIN: u32 = 18;
/// Escape codes, and what they look like: bold, green, yellow, cyan, faint.
const STYLES: [(&str, &str); 5] = [
    ("1", "font-weight:bold"),
    ("32", "color:#56d364"),
    ("33", "color:#e3b341"),
    ("36", "color:#39c5cf"),
    ("90", "color:#9198a1"),
];
const STYLE: &str = "svg{color:#e6edf3}*{fill:currentColor}#back{fill:#0d1117;stroke:#3d444d}\
.ring{fill:none;stroke:currentColor;stroke-width:2}text{font:15px ui-monospace,SFMono-Regular,Menlo,Consolas,\
'DejaVu Sans Mono','PingFang SC','Microsoft YaHei','Noto Sans Mono CJK SC',monospace}.wide{font-size:17px}";

/// An SVG file of a text with its escape codes; the title is for readers who do not see it.
pub fn render(title: &str, text: &str) -> String {
    let (mut shapes, mut style, mut columns, mut rows) = (String::new(), String::new(), 0, 0);
    for line in text.lines() {
        let mut column = 0;
        for (piece, is_code) in AnsiCodeIterator::new(line) {
            if is_code {
                let code = piece.trim_matches(|character: char| !character.is_ascii_digit());
                style = if code == "0" { String::new() } else { format!("s{code}") };
                continue;
            }
            let characters: Vec<char> = piece.chars().collect();
            for run in characters.chunk_by(|one, next| kind(*one) == kind(*next) && kind(*one) != Kind::Mark)
            {
                let text: String = run.iter().collect();
                let taken = u32::try_from(width::columns(&text)).unwrap_or(u32::MAX);
                let place = (MARGIN + column * COLUMN, MARGIN + rows * LINE);
                shapes.push_str(&shape(&text, kind(run[0]), place, taken * COLUMN, &style));
                column += taken;
            }
        }
        (columns, rows) = (column.max(columns), rows + 1);
    }
    let (wide, high) = (2 * MARGIN + columns * COLUMN, 2 * MARGIN + rows * LINE);
    let styles: String = STYLES.iter().map(|(code, style)| format!(".s{code}{{{style}}}")).collect();
    let (title, back_wide, back_high) = (escaped(title), wide - 1, high - 1);
    let size = format!(r#"width="{wide}" height="{high}" viewBox="0 0 {wide} {high}""#);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">
<title>{title}</title>
<style>{STYLE}{styles}</style>
<rect id="back" x="0.5" y="0.5" width="{back_wide}" height="{back_high}" rx="8"/>
{shapes}</svg>
"#
    )
}

/// What characters are drawn as.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Blank,
    Mark,
    Bar,
    /// Text of one column a character, or of two: not both in one run, which would be stretched evenly.
    Narrow,
    Wide,
}

fn kind(character: char) -> Kind {
    match character {
        ' ' => Kind::Blank,
        '◆' | '●' | '○' => Kind::Mark,
        '█'..='▏' => Kind::Bar,
        _ if width::columns(character.encode_utf8(&mut [0; 4])) == 2 => Kind::Wide,
        _ => Kind::Narrow,
    }
}

/// What is drawn for characters of one kind, so many pixels wide.
fn shape(text: &str, kind: Kind, (x, y): (u32, u32), wide: u32, style: &str) -> String {
    let (middle, centre) = (x + COLUMN / 2, y + LINE / 2);
    let class = |own: &str| match format!("{own} {style}").trim() {
        "" => String::new(),
        classes => format!(" class=\"{classes}\""),
    };
    let shape = match (kind, text) {
        (Kind::Blank, _) => return String::new(),
        (Kind::Mark, "◆") => format!(r#"path{} d="M{middle} {}l6 6-6 6-6-6z"/"#, class(""), centre - 6),
        (Kind::Mark, "●") => format!(r#"circle{} cx="{middle}" cy="{centre}" r="5"/"#, class("")),
        (Kind::Mark, _) => format!(r#"circle{} cx="{middle}" cy="{centre}" r="4"/"#, class("ring")),
        (Kind::Bar, _) => {
            // U+2588 is a whole column, U+258F an eighth of one.
            let eighths: u32 = text.chars().map(|part| 0x2590 - u32::from(part)).sum();
            let (wide, top, high) = (f64::from(eighths * COLUMN) / 8.0, y + 4, LINE - 8);
            format!(r#"rect{} x="{x}" y="{top}" width="{wide}" height="{high}"/"#, class(""))
        }
        (Kind::Narrow | Kind::Wide, _) => {
            let (class, base) = (class(if kind == Kind::Wide { "wide" } else { "" }), y + 16);
            format!(r#"text{class} x="{x}" y="{base}" textLength="{wide}">{}</text"#, escaped(text))
        }
    };
    format!("<{shape}>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::chart::painted;
    use anstyle::AnsiColor;

    #[test]
    fn every_word_stands_at_its_column_and_takes_the_room_of_its_columns() {
        let svg = render("科学 & 城", "科学谷 a<b\n   c");
        for element in [
            "<title>科学 &amp; 城</title>",
            r#"<text class="wide" x="18" y="34" textLength="54">科学谷</text>"#,
            r#"<text x="81" y="34" textLength="27">a&lt;b</text>"#,
            r#"<text x="45" y="55" textLength="9">c</text>"#,
            r#"width="126" height="78""#,
        ] {
            assert!(svg.contains(element), "{element}\n{svg}");
        }
    }

    #[test]
    fn bars_and_marks_are_shapes_in_their_colours() {
        let text = format!("{} ●○", painted(AnsiColor::Green.on_default(), "█▌"));
        let svg = render("", &text);
        for element in [
            r#"<rect class="s32" x="18" y="22" width="13.5" height="13"/>"#,
            r#"<circle cx="49" cy="28" r="5"/>"#,
            r#"<circle class="ring" cx="58" cy="28" r="4"/>"#,
        ] {
            assert!(svg.contains(element), "{element}\n{svg}");
        }
    }
}

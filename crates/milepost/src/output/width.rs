//! Text in the columns of a terminal, where a Chinese character takes two; escape codes take none.
//!
//! Invariant: a text never takes more columns than asked for. No character is cut in two, and an accent stays
//! on its letter. A line does not begin with a full stop or end with an opening bracket while there is
//! another place to break it. An ambiguous character counts as narrow, as terminals do outside CJK locales.
//! Does not hyphenate, and does not know where Chinese words end.

pub use console::measure_text_width as columns;
use console::{Alignment, pad_str, truncate_str};

/// What does not end a line.
const OPENING: &str = "（【《〈「『“‘([{";
/// What does not begin a line.
const CLOSING: &str = "，。、；：！？）】》〉」』”’…,.;:!?)]}%";

/// Columns of a text that is shown whole.
const SHOWN: usize = 72;
/// Characters before and after the first caret that are shown of a longer text.
const AROUND: usize = 18;

/// The text, filled up with blanks on the right to at least this many columns.
pub fn pad(text: &str, columns: usize) -> String {
    pad_str(text, columns, Alignment::Left, None).into_owned()
}

/// The text, cut to at most this many columns; a cut shows as `…`.
pub fn fit(text: &str, columns: usize) -> String {
    // `truncate_str` adds its tail even where there is no column for it.
    truncate_str(text, columns, if columns == 0 { "" } else { "…" }).into_owned()
}

/// The text in exactly this many columns: cut or filled up.
pub fn exactly(text: &str, columns: usize) -> String {
    pad(&fit(text, columns), columns)
}

/// The beginning and the end of an id, with `…` between them if it is wider than the room.
pub fn shorten(id: &str, room: usize) -> String {
    if columns(id) <= room {
        return id.to_owned();
    }
    let (characters, half) = (characters(id), room.saturating_sub(1) / 2);
    let mut ends = (0..=characters.len()).map(|at| characters[at..].concat());
    let end = ends.find(|end| columns(end) <= half).unwrap_or_default();
    let start = fitting(&characters, room.saturating_sub(1 + columns(&end)));
    format!("{}…{end}", characters[..start].concat())
}

/// Lines of at most this many columns, broken at blanks and beside Chinese characters. A longer word is cut,
/// or stays whole.
pub fn wrap(text: &str, room: usize, cut_words: bool) -> Vec<String> {
    let characters = characters(text);
    let (mut lines, mut rest) = (Vec::new(), &characters[..]);
    loop {
        let fits = fitting(rest, room).max(1);
        if fits >= rest.len() {
            lines.push(rest.concat());
            return lines;
        }
        let breaks = |at: &usize| !stay_together(rest[at - 1], rest[*at]);
        let beside_wide = |at: &usize| columns(rest[at - 1]) > 1 || columns(rest[*at]) > 1;
        let cut = |at: &usize| cut_words || beside_wide(at);
        let end = (1..=fits).rev().find(breaks).or_else(|| (1..=fits).rev().find(cut));
        let end = end.or_else(|| (fits..rest.len()).find(breaks)).unwrap_or(rest.len());
        lines.push(rest[..end].concat().trim_end().to_owned());
        // The line break stands for the blanks.
        let blanks = rest[end..].iter().take_while(|character| **character == " ").count();
        rest = &rest[end + blanks..];
        if rest.is_empty() {
            return lines;
        }
    }
}

/// The text, and a line with carets under the characters of these numbers, from 1, in ascending order; the
/// number after the last is the end of the text. `None` if there is nothing to show or no such character.
pub fn carets(text: &str, characters: &[usize]) -> Option<[String; 2]> {
    let shown: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let taken = |part: &[char]| columns(&String::from_iter(part));
    let places = characters.iter().filter_map(|number| number.checked_sub(1));
    let places: Vec<usize> = places.filter(|caret| *caret <= shown.len()).collect();
    let first = *places.first()?;
    let (from, to) = match taken(&shown) > SHOWN {
        true => (first.saturating_sub(AROUND), shown.len().min(first + AROUND)),
        false => (0, shown.len()),
    };
    let [before, after] = [from > 0, to < shown.len()].map(|cut| if cut { "…" } else { "" });
    let mut line = String::new();
    for caret in places.into_iter().filter(|caret| (from..=to).contains(caret)) {
        line = pad(&line, columns(before) + taken(&shown[from..caret])) + "^";
    }
    Some([format!("{before}{}{after}", String::from_iter(&shown[from..to])), line])
}

/// Whether no line is broken between these two characters.
fn stay_together(before: &str, after: &str) -> bool {
    if before == " " || after == " " {
        return before == after;
    }
    let narrow = |character| columns(character) < 2;
    OPENING.contains(before) || CLOSING.contains(after) || (narrow(before) && narrow(after))
}

/// The characters of a text, each with the accents and joined signs that take no column of their own.
fn characters(text: &str) -> Vec<&str> {
    let (mut characters, mut start) = (Vec::new(), 0);
    for (position, c) in text.char_indices() {
        let (before, end) = (&text[start..position], position + c.len_utf8());
        let takes_none = columns(&text[position..end]) == 0;
        if position > start && !takes_none && columns(&text[start..end]) > columns(before) {
            characters.push(before);
            start = position;
        }
    }
    characters.push(&text[start..]);
    characters
}

/// How many of the first characters fit.
fn fitting(characters: &[&str], room: usize) -> usize {
    let used = characters.iter().scan(0, |used, character| {
        *used += columns(character);
        Some(*used)
    });
    used.take_while(|used| *used <= room).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_characters_take_two_columns() {
        assert_eq!(columns("科学谷"), 6);
        assert_eq!(pad("科学谷", 8), "科学谷  ");
        assert_eq!(pad("科学谷", 3), "科学谷");
    }

    #[test]
    fn a_cut_never_takes_more_columns_than_there_are() {
        let text = "超瞬态实验装置 (ultra-transient)";
        for room in 0..40 {
            let cut = fit(text, room);
            assert!(columns(&cut) <= room, "{cut:?} in {room}");
            assert_eq!(columns(&exactly(text, room)), room);
        }
        assert_eq!(fit("超瞬态实验装置", 7), "超瞬态…");
        assert_eq!(fit("超瞬态实验装置", 6), "超瞬…");
        assert_eq!(fit("科学谷", 6), "科学谷");
    }

    #[test]
    fn lines_break_at_blanks_and_between_chinese_characters() {
        assert_eq!(wrap("Science Avenue", 14, true), ["Science Avenue"]);
        assert_eq!(wrap("Science Avenue", 13, true), ["Science", "Avenue"]);
        assert_eq!(wrap("科学大道一期", 7, true), ["科学大", "道一期"]);
        assert_eq!(wrap("科学大道phase 1", 10, true), ["科学大道", "phase 1"]);
        assert_eq!(wrap("a  b   c", 3, true), ["a", "b", "c"]);
        assert_eq!(wrap("a  b", 4, true), ["a  b"]);
        assert_eq!(wrap("", 4, true), [""]);
    }

    #[test]
    fn punctuation_stays_with_its_word() {
        assert_eq!(wrap("科学，大道", 4, true), ["科", "学，", "大道"]);
        assert_eq!(wrap("科（大）道", 6, true), ["科", "（大）", "道"]);
        assert_eq!(wrap("科学“大”道", 5, true), ["科学", "“大”", "道"]);
        assert_eq!(wrap("，，，，，", 4, false), ["，，", "，，", "，"]);
    }

    #[test]
    fn a_long_word_is_cut_or_whole() {
        assert_eq!(wrap("see abcdefgh", 5, true), ["see", "abcde", "fgh"]);
        assert_eq!(wrap("see abcdefgh, ok", 5, false), ["see", "abcdefgh,", "ok"]);
        assert_eq!(wrap("见abcdefgh。", 5, false), ["见", "abcdefgh。"]);
    }

    #[test]
    fn no_character_is_torn_apart() {
        let text = "e\u{301}a科👩\u{200d}🔬👍🏽☁\u{fe0f}b";
        assert_eq!(characters(text), ["e\u{301}", "a", "科", "👩\u{200d}🔬", "👍🏽", "☁\u{fe0f}", "b"]);
        for room in 2..12 {
            let lines = wrap(text, room, true);
            assert!(lines.iter().all(|line| columns(line) <= room), "{lines:?} in {room}");
            assert_eq!(lines.concat(), text);
        }
    }

    #[test]
    fn an_id_keeps_its_beginning_and_its_end() {
        let id = "ultra-transient-facility";
        assert_eq!(shorten(id, 24), id);
        assert_eq!(shorten(id, 23), "ultra-trans…nt-facility");
        assert_eq!(shorten(id, 12), "ultra-…ility");
        assert_eq!(shorten(id, 6), "ult…ty");
        assert_eq!(shorten("超瞬态装置", 6), "超…置");
        for room in 1..24 {
            assert_eq!(columns(&shorten(id, room)), room);
        }
    }

    #[test]
    fn carets_are_under_their_characters() {
        for (text, characters, expected) in [
            ("state = X", &[9][..], ["state = X", "        ^"]),
            ("state =", &[8], ["state =", "       ^"]),
            ("名称 = 科学 AND x = 1", &[1, 14], ["名称 = 科学 AND x = 1", "^                ^"]),
            ("a\tb\n= 1", &[3], ["a b = 1", "  ^"]),
            ("nope = 1", &[1, 3], ["nope = 1", "^ ^"]),
        ] {
            assert_eq!(carets(text, characters).unwrap(), expected, "{text}");
        }
        assert_eq!(carets("", &[1]), Some([String::new(), "^".to_owned()]));
        assert_eq!(carets("a", &[0, 3]), None);
        assert_eq!(carets("a", &[]), None);
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_caret() {
        for filler in ["ab", "科学"] {
            let text = format!("{}X{}", filler.repeat(400), filler.repeat(400));
            let [line, below] = carets(&text, &[801]).unwrap();
            assert!(columns(&line) <= SHOWN + 2, "{line}");
            let before: String = line.chars().take_while(|c| *c != 'X').collect();
            assert_eq!(columns(&before), columns(&below) - 1, "{line}\n{below}");
            assert!(line.starts_with('…') && line.ends_with('…'));
            let [line, below] = carets(&text, &[1, 1602]).unwrap();
            assert!(!line.starts_with('…') && line.ends_with('…') && below == "^", "{line}\n{below}");
            let [line, below] = carets(&text, &[1602]).unwrap();
            assert!(line.starts_with('…') && !line.ends_with('…'));
            assert_eq!(columns(&line), columns(&below) - 1, "{line}\n{below}");
        }
    }
}

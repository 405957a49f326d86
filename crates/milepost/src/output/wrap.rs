//! Text in fewer columns than it takes: broken into lines, or shortened in the middle.
//!
//! Invariant: a Chinese character is never cut in two, and an accent stays on its letter. A line does not
//! begin with a full stop or end with an opening bracket while there is another place to break it.
//! Does not hyphenate, and does not know where Chinese words end.

use super::width;

/// What does not end a line.
const OPENING: &str = "（【《〈「『“‘([{";
/// What does not begin a line.
const CLOSING: &str = "，。、；：！？）】》〉」』”’…,.;:!?)]}%";

/// Lines of at most this many columns, broken at blanks and beside Chinese characters. A longer word is cut,
/// or is a line of its own.
pub fn lines(text: &str, room: usize, cut_words: bool) -> Vec<String> {
    if width::columns(text) <= room {
        return vec![text.to_owned()];
    }
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for piece in pieces(text) {
        let word = piece.trim_matches(|c| OPENING.contains(c) || CLOSING.contains(c));
        let long_word = word.is_ascii() && width::columns(word) > room;
        let whole = width::columns(piece) <= room || long_word && !cut_words;
        for part in if whole { vec![piece] } else { characters(piece) } {
            let columns = width::columns(part);
            if used > 0 && used + columns > room {
                if part.starts_with(' ') {
                    // The line break stands for the blank.
                    used = room;
                    continue;
                }
                lines.push(line.trim_end().to_owned());
                line.clear();
                used = 0;
            }
            line.push_str(part);
            used += columns;
        }
    }
    lines.push(line);
    lines
}

/// The beginning and the end of an id, with `…` between them if it is wider than the room.
pub fn shorten(id: &str, room: usize) -> String {
    if width::columns(id) <= room {
        return id.to_owned();
    }
    let characters = characters(id);
    let end = prefix(characters.iter().rev(), room.saturating_sub(1) / 2);
    let start = prefix(characters.iter(), room / 2);
    format!("{}…{}", characters[..start].concat(), characters[characters.len() - end..].concat())
}

/// The text in pieces between which a line may be broken; blanks are pieces of their own.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut end, mut before) = (Vec::new(), 0, 0, "");
    for character in characters(text) {
        if end > start && !stay_together(before, character) {
            pieces.push(&text[start..end]);
            start = end;
        }
        end += character.len();
        before = character;
    }
    pieces.push(&text[start..]);
    pieces
}

/// Whether no line is broken between these two characters.
fn stay_together(before: &str, after: &str) -> bool {
    if before == " " || after == " " {
        return before == after;
    }
    let narrow = |character| width::columns(character) < 2;
    OPENING.contains(before) || CLOSING.contains(after) || (narrow(before) && narrow(after))
}

/// The characters of a text, each with the accents and joined signs that take no column of their own.
fn characters(text: &str) -> Vec<&str> {
    let (mut characters, mut start) = (Vec::new(), 0);
    for (position, c) in text.char_indices() {
        let (before, end) = (&text[start..position], position + c.len_utf8());
        let takes_none = width::columns(&text[position..end]) == 0;
        if position > start && !takes_none && width::columns(&text[start..end]) > width::columns(before) {
            characters.push(before);
            start = position;
        }
    }
    characters.push(&text[start..]);
    characters
}

/// How many characters from the first one on fit.
fn prefix<'a>(characters: impl Iterator<Item = &'a &'a str>, room: usize) -> usize {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += width::columns(character);
            used <= room
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_between_chinese_characters() {
        assert_eq!(lines("Science Avenue", 14, true), ["Science Avenue"]);
        assert_eq!(lines("Science Avenue", 13, true), ["Science", "Avenue"]);
        assert_eq!(lines("科学大道一期", 7, true), ["科学大", "道一期"]);
        assert_eq!(lines("科学大道phase 1", 10, true), ["科学大道", "phase 1"]);
        assert_eq!(lines("a  b   c", 3, true), ["a", "b", "c"]);
        assert_eq!(lines("a  b", 4, true), ["a  b"]);
        assert_eq!(lines("", 4, true), [""]);
    }

    #[test]
    fn punctuation_stays_with_its_word() {
        assert_eq!(lines("科学，大道", 4, true), ["科", "学，", "大道"]);
        assert_eq!(lines("科（大）道", 6, true), ["科", "（大）", "道"]);
        assert_eq!(lines("科学“大”道", 5, true), ["科学", "“大”", "道"]);
        assert_eq!(lines("，，，，，", 4, false), ["，，", "，，", "，"]);
    }

    #[test]
    fn a_long_word_is_cut_or_whole() {
        assert_eq!(lines("see abcdefgh", 5, true), ["see a", "bcdef", "gh"]);
        assert_eq!(lines("see abcdefgh, ok", 5, false), ["see", "abcdefgh,", "ok"]);
        assert_eq!(lines("见abcdefgh。", 5, false), ["见", "abcdefgh。"]);
    }

    #[test]
    fn no_character_is_torn_apart() {
        let text = "e\u{301}a科👩\u{200d}🔬👍🏽☁\u{fe0f}b";
        assert_eq!(characters(text), ["e\u{301}", "a", "科", "👩\u{200d}🔬", "👍🏽", "☁\u{fe0f}", "b"]);
        for room in 2..12 {
            let lines = lines(text, room, true);
            assert!(lines.iter().all(|line| width::columns(line) <= room), "{lines:?} in {room}");
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
            assert_eq!(width::columns(&shorten(id, room)), room);
        }
    }
}

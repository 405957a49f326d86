//! A text with carets under some of its columns, as a compiler shows where a fault is.
//!
//! Invariant: a caret is under the character it is for, also after Chinese ones, which take two columns of a
//! terminal. A long text is cut to what is around the first caret; a control character is shown
//! as a blank.

use super::width;

/// Columns of the terminal that are shown of a text.
const SHOWN: usize = 72;
/// Columns before the first caret that a long text keeps.
const BEFORE: usize = 36;

/// The text, and a line with carets under the characters of these numbers, from 1, in ascending order; the
/// number after the last is the end of the text. `None` if there is nothing to show or no such character.
pub fn under(text: &str, characters: &[usize]) -> Option<[String; 2]> {
    let shown: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let width = |c: &char| width::columns(c.encode_utf8(&mut [0; 4]));
    // Where each character begins, and where the text ends.
    let mut columns = vec![0];
    for c in &shown {
        columns.push(columns[columns.len() - 1] + width(c));
    }
    let carets: Vec<usize> =
        characters.iter().filter_map(|&number| columns.get(number.checked_sub(1)?).copied()).collect();
    let (&first, end) = (carets.first()?, columns[shown.len()]);
    let from = if end > SHOWN { first.saturating_sub(BEFORE) } else { 0 };
    let to = from + SHOWN;
    let (mut line, mut start) = (String::new(), None);
    for (c, &column) in shown.iter().zip(&columns) {
        if column >= from && column + width(c) <= to {
            start.get_or_insert(column);
            line.push(*c);
        }
    }
    let start = start.unwrap_or(from);
    let cut = if from > 0 { "…" } else { "" };
    let rest = if end > to { "…" } else { "" };
    let mut under = " ".repeat(cut.chars().count());
    let indent = under.len();
    for caret in carets.into_iter().filter(|caret| (start..=to).contains(caret)) {
        let blanks = (caret - start + indent).saturating_sub(under.chars().count());
        under.push_str(&" ".repeat(blanks));
        under.push('^');
    }
    Some([format!("{cut}{line}{rest}"), under])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::width::columns;

    #[test]
    fn carets_are_under_their_characters() {
        for (text, characters, expected) in [
            ("state = X", &[9][..], ["state = X", "        ^"]),
            ("state =", &[8], ["state =", "       ^"]),
            ("名称 = 科学 AND x = 1", &[1, 14], ["名称 = 科学 AND x = 1", "^                ^"]),
            ("a\tb\n= 1", &[3], ["a b = 1", "  ^"]),
            ("nope = 1", &[1, 3], ["nope = 1", "^ ^"]),
        ] {
            assert_eq!(under(text, characters).unwrap(), expected, "{text}");
        }
        assert_eq!(under("", &[1]), Some([String::new(), "^".to_owned()]));
        assert_eq!(under("a", &[0, 3]), None);
        assert_eq!(under("a", &[]), None);
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_caret() {
        for filler in ["ab", "科学"] {
            let text = format!("{}X{}", filler.repeat(400), filler.repeat(400));
            let [line, carets] = under(&text, &[801]).unwrap();
            assert!(columns(&line) <= SHOWN + 2, "{line}");
            let before: String = line.chars().take_while(|c| *c != 'X').collect();
            assert_eq!(columns(&before), columns(&carets) - 1, "{line}\n{carets}");
            assert!(line.starts_with('…') && line.ends_with('…'));
            let [line, carets] = under(&text, &[1, 1602]).unwrap();
            assert!(!line.starts_with('…') && line.ends_with('…') && carets == "^", "{line}\n{carets}");
            let [line, carets] = under(&text, &[1602]).unwrap();
            assert!(line.starts_with('…') && !line.ends_with('…'));
            assert_eq!(columns(&line), columns(&carets) - 1, "{line}\n{carets}");
        }
    }
}

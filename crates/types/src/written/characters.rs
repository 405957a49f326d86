//! The characters of written values: full-width forms, blanks, Chinese numerals.
//!
//! Invariant: a character that is not listed here stays as it is, so that whoever reads the text refuses it.
//! Letters and currency signs are not changed: `ＣＮＹ` is no currency code.

/// The text without white space around it, in half-width digits and signs, and with every blank a space.
pub(super) fn half_width(text: &str) -> String {
    text.trim().chars().map(half_width_character).collect()
}

/// The text from its first character that is no blank. For texts from [`half_width`].
pub(super) fn after_blanks(text: &str) -> &str {
    text.trim_start_matches(' ')
}

/// The ASCII digits that the text begins with, and the rest.
pub(super) fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// Whether this is a digit in Chinese, in everyday or financial characters. Multipliers such as 百 are none.
pub(super) fn is_chinese_numeral(c: char) -> bool {
    "〇零一二两兩三四五六七八九壹贰貳叁參肆伍陆陸柒捌玖".contains(c)
}

fn half_width_character(c: char) -> char {
    match c {
        '０' => '0',
        '１' => '1',
        '２' => '2',
        '３' => '3',
        '４' => '4',
        '５' => '5',
        '６' => '6',
        '７' => '7',
        '８' => '8',
        '９' => '9',
        '．' => '.',
        '，' => ',',
        '－' => '-',
        '／' => '/',
        '\t' | '\u{a0}' | '\u{3000}' => ' ',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_forms_become_half_width_and_blanks_become_spaces() {
        assert_eq!(half_width("０１２３４５６７８９．，－／"), "0123456789.,-/");
        assert_eq!(half_width("\u{3000}\r\n 1\u{3000}2\t3\u{a0}4 \n"), "1 2 3 4");
    }

    #[test]
    fn other_characters_stay_as_they_are() {
        for text in ["ＣＮＹ", "￥", "＄", "。", "、", "1\n2", "年月日", "\u{2212}1", "٣", "①"] {
            assert_eq!(half_width(text), text);
        }
    }
}

//! Text in HTML and SVG.
//!
//! Invariant: what is escaped is text and nothing else, in an element or in a quoted attribute, also for
//! a parser of XML. Marks that reorder a line are replaced, as they are in tables.

use super::text::reorders;

/// The text in HTML or SVG.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            // A line ends in one way.
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            character if character.is_control() || reorders(character) => {
                out.push(char::REPLACEMENT_CHARACTER)
            }
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup_and_nothing_is_refused_by_a_parser() {
        assert_eq!(escaped(r#"<a href="x">'&</a>"#), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&lt;/a&gt;");
        assert_eq!(
            escaped("科学谷\n一\u{1b}[31m\u{202e}\u{0}\u{200e}\u{200f}\u{61c}"),
            "科学谷\n一\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(escaped("一\r\n二\r三\n四"), "一\n二\n三\n四");
    }
}

//! How an error repeats what a caller sent: in quotes, escaped, and shortened.
//!
//! Invariant: an error's text stays small and on one line whatever was sent, so a name of ten
//! megabytes does not come back as an error of ten megabytes. Not for storing anything.

use crate::limits::QUOTED_CHARS;

/// The text in double quotes, control characters escaped, cut after [`QUOTED_CHARS`] characters.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(4 * QUOTED_CHARS) + 2);
    out.push('"');
    for (i, c) in text.chars().enumerate() {
        if i == QUOTED_CHARS {
            out.push('…');
            break;
        }
        if c.is_control() || c == '"' || c == '\\' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

/// The beginning of a text, for an error to keep: one character more than [`quoted`] shows, so that
/// it still sees that something was cut.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(QUOTED_CHARS + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_by_characters() {
        let text = "科".repeat(1_000_000);
        assert_eq!(quoted(&text), format!("\"{}…\"", "科".repeat(QUOTED_CHARS)));
        assert_eq!(quoted(&"a".repeat(QUOTED_CHARS)).chars().count(), QUOTED_CHARS + 2);
    }

    #[test]
    fn control_characters_and_quotes_are_escaped() {
        assert_eq!(quoted("a\n\"\u{1b}[31m\\"), r#""a\n\"\u{1b}[31m\\""#);
    }
}

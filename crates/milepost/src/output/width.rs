//! The width of text in a terminal, where a Chinese character takes two columns; escape codes take none.
//!
//! Invariant: a text that was fitted or padded takes exactly the columns asked for, never one more. An
//! ambiguous character counts as narrow, as terminals do outside CJK locales.

pub use console::measure_text_width as columns;
use console::{Alignment, pad_str, truncate_str};

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
}

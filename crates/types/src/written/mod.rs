//! Values as people in Chinese and English offices write them: dates, amounts of money, whole numbers.
//!
//! Invariant: what is accepted has one reading, and is read exactly: no floating point, no rounding. What
//! could be misread is refused, with the reason and an example of what is accepted. No locale is asked, no
//! part is guessed. A missing currency comes from the caller's own default or is an error.
//!
//! # Characters
//! Full-width digits and `．`, `，`, `－`, `／` are read as their half-width forms. Blanks are the space, the
//! tab, the no-break space and U+3000. White space of every kind may stand around a value. Chinese numerals
//! (二〇二一) are not read.
//!
//! # Dates
//! `2026-09-30`, `2026/9/30`, `2026.9.30`, `20260930`, `2026年9月30日`, also with `号`. The year stands first
//! and has four digits; month and day have one or two.
//!
//! # Numbers
//! ```text
//! amount     = [ currency ] number [ currency ]
//! number     = [ "-" ] part { part }
//! part       = digits [ multiplier ]
//! digits     = ( digit { digit } | group { "," three digits } ) [ "." digit { digit } ]
//! multiplier = 百 | 千 | 万 | 十万 | 百万 | 千万 | 亿 | 十亿 | 百亿 | 千亿 | 万亿
//! ```
//! Blanks may stand before and after each part, each multiplier and each currency. Multipliers are read in
//! traditional characters too. Of several parts each has a multiplier, the multipliers descend, and each part
//! is smaller than the multiplier before it: `2亿3000万`.

mod amount;
mod characters;
mod date;
mod error;
mod names;
mod number;

pub use amount::{Amount, amount};
pub use date::{date, dates};
pub use error::WrittenError;
pub use number::whole;

#[cfg(test)]
mod tests;

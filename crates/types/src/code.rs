//! Project codes after GB/T 40058: `YYYY-RRRRRR-DD-TT-NNNNNC`.
//!
//! Invariant: the shape is right: year, division code of the approving authority, industry, type,
//! serial number and check digit. The check digit is never verified: published codes exist whose
//! digit does not fit, and the office must be able to hold them.

use std::fmt;
use std::str::FromStr;

use crate::quote::{quoted, shortened};
use crate::violation::Fault;

/// A project's national code.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectCode(Box<str>);

/// Digits of each part; the last is five digits and a check character.
const PARTS: [usize; 5] = [4, 6, 2, 2, 6];

impl ProjectCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The year the project was filed: four digits.
    pub fn year(&self) -> &str {
        &self.0[..4]
    }

    /// The administrative division of the authority (GB/T 2260): six digits.
    pub fn division(&self) -> &str {
        &self.0[5..11]
    }

    /// The industry (GB/T 4754): two digits.
    pub fn industry(&self) -> &str {
        &self.0[12..14]
    }

    /// The type of project: two digits.
    pub fn kind(&self) -> &str {
        &self.0[15..17]
    }

    /// The serial number: five digits.
    pub fn serial(&self) -> &str {
        &self.0[18..23]
    }

    /// The check character, not verified.
    pub fn check(&self) -> &str {
        &self.0[23..]
    }
}

impl fmt::Display for ProjectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProjectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text without the shape of a project code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} has not the shape YYYY-RRRRRR-DD-TT-NNNNNC of GB/T 40058, such as 2019-500107-73-03-066118; give another code under its own scheme", text = quoted(.0))]
pub struct CodeError(String);

impl Fault for CodeError {
    fn reason(&self) -> &'static str {
        "INVALID_PROJECT_CODE"
    }
}

impl FromStr for ProjectCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut parts = text.split('-');
        let shaped = PARTS.iter().enumerate().all(|(i, &length)| {
            parts.next().is_some_and(|part| {
                let (digits, check) = if i + 1 == PARTS.len() {
                    part.split_at_checked(length - 1).unwrap_or((part, "0"))
                } else {
                    (part, "0")
                };
                part.len() == length
                    && digits.bytes().all(|b| b.is_ascii_digit())
                    && check.bytes().all(|b| b.is_ascii_digit() || b == b'X')
            })
        });
        if shaped && parts.next().is_none() { Ok(Self(text.into())) } else { Err(CodeError(shortened(text))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_code() {
        let code: ProjectCode = "2019-500107-73-03-066118".parse().unwrap();
        assert_eq!(code.to_string(), "2019-500107-73-03-066118");
        assert_eq!(
            [code.year(), code.division(), code.industry(), code.kind(), code.serial(), code.check()],
            ["2019", "500107", "73", "03", "06611", "8"]
        );
    }

    #[test]
    fn no_check_character_is_wrong() {
        for check in "0123456789X".chars() {
            assert!(format!("2019-500107-73-03-06611{check}").parse::<ProjectCode>().is_ok());
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in [
            "",
            "2019-500107-73-03-06611",
            "2019-500107-73-03-0661188",
            "2019-500107-73-03-066118-1",
            "2019-50010A-73-03-066118",
            "2019-500107-73-03-06611x",
            "2019-500107-73-03-0661X8",
            "2019500107730306618",
            " 2019-500107-73-03-066118",
            "2019-500107-73-03-科118",
        ] {
            assert!(text.parse::<ProjectCode>().is_err(), "{text}");
        }
    }
}

//! The parser: a filter's text as comparisons whose fields and values have no types yet.
//!
//! Invariant: all of AIP-160's grammar is recognised. What is not supported is refused by name, never
//! taken for something else, so that supporting it later changes no filter that is accepted today.

use super::comparison::Operator;
use super::error::{FilterError, column};
use super::scan::{Literal, Scanner};
use crate::limits::{FILTER_CHARS, FILTER_COMPARISONS};
use crate::quote::quoted;

/// `path operator value`, with the columns to point at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Restriction {
    pub(super) path: Vec<String>,
    pub(super) path_column: usize,
    pub(super) operator: Operator,
    pub(super) operator_column: usize,
    pub(super) value: Literal,
    pub(super) value_column: usize,
}

const KEYWORDS: [&str; 3] = ["AND", "OR", "NOT"];

/// The comparisons of a filter, all of which must hold.
pub(super) fn parse(text: &str) -> Result<Vec<Restriction>, FilterError> {
    if text.chars().nth(FILTER_CHARS).is_some() {
        return Err(FilterError {
            column: FILTER_CHARS + 1,
            message: format!("the filter has more than {FILTER_CHARS} characters; shorten it"),
        });
    }
    let mut scanner = Scanner::new(text);
    let mut restrictions = Vec::new();
    scanner.blanks();
    while scanner.peek().is_some() {
        let start = scanner.at();
        if restrictions.len() == FILTER_COMPARISONS {
            let message = format!("the filter has more than {FILTER_COMPARISONS} comparisons; use fewer");
            return Err(scanner.error(start, message));
        }
        restrictions.push(restriction(&mut scanner, text)?);
        let separated = scanner.blanks();
        if !conjunction(&mut scanner)? && !separated && scanner.peek().is_some() {
            let message = "something else must not follow the value directly; separate comparisons by AND";
            return Err(scanner.error(scanner.at(), message));
        }
    }
    Ok(restrictions)
}

/// Takes an `AND`, and sees that a comparison follows it.
fn conjunction(scanner: &mut Scanner<'_>) -> Result<bool, FilterError> {
    let start = scanner.at();
    let mut ahead = scanner.ahead();
    match ahead.word() {
        "AND" => {}
        "OR" => return Err(scanner.error(start, "OR is not supported yet; list once for each alternative")),
        _ => return Ok(false),
    }
    *scanner = ahead;
    scanner.blanks();
    let missing = match scanner.peek() {
        None => true,
        Some(_) => matches!(scanner.ahead().word(), "AND" | "OR"),
    };
    if missing {
        return Err(scanner.error(scanner.at(), "after AND a comparison must follow"));
    }
    Ok(true)
}

fn restriction(scanner: &mut Scanner<'_>, text: &str) -> Result<Restriction, FilterError> {
    let start = scanner.at();
    let path = path(scanner)?;
    scanner.blanks();
    let operator_at = scanner.at();
    let Some(operator) = scanner.operator()? else {
        return Err(no_operator(scanner, start, &path));
    };
    scanner.blanks();
    let value = value(scanner)?;
    Ok(Restriction {
        path,
        path_column: column(text, start),
        operator,
        operator_column: column(text, operator_at),
        value_column: column(text, value.offset),
        value,
    })
}

/// The names and keys before the sign.
fn path(scanner: &mut Scanner<'_>) -> Result<Vec<String>, FilterError> {
    let start = scanner.at();
    match scanner.peek() {
        Some('(') => {
            return Err(scanner.error(start, "parentheses are not supported yet; join comparisons by AND"));
        }
        Some('-') => {
            return Err(scanner.error(start, "negation by - is not supported yet; use != where it fits"));
        }
        Some('"' | '\'') => {
            return Err(scanner
                .error(start, "a comparison begins with a field, without quotes, as in state = PLANNED"));
        }
        Some('“' | '”' | '‘' | '’') => {
            return Err(scanner.error(start, "a comparison begins with a field, without quotes"));
        }
        _ => {}
    }
    let first = scanner.word();
    match first {
        "" => {
            let found: String = scanner.peek().into_iter().collect();
            return Err(scanner.error(start, format!("a field must stand here, not {}", quoted(&found))));
        }
        "NOT" => return Err(scanner.error(start, "NOT is not supported yet; use != where it fits")),
        "AND" | "OR" => {
            return Err(scanner.error(start, format!("before {first} a comparison must stand")));
        }
        _ => {}
    }
    let mut path = vec![first.to_owned()];
    while scanner.take('.') {
        let at = scanner.at();
        let part = match scanner.quoted_word()? {
            Some(key) => key,
            None => scanner.word().to_owned(),
        };
        if part.is_empty() {
            return Err(scanner.error(at, "after the dot a name must follow"));
        }
        path.push(part);
    }
    Ok(path)
}

/// The value after the sign.
fn value(scanner: &mut Scanner<'_>) -> Result<Literal, FilterError> {
    let start = scanner.at();
    if scanner.peek() == Some('(') {
        return Err(scanner.error(start, "several values in parentheses are not supported yet; give one"));
    }
    let value = scanner.literal()?;
    if !value.quoted && value.text.is_empty() {
        return Err(scanner.error(start, "a value must follow; write \"\" for the empty text"));
    }
    if !value.quoted && KEYWORDS.contains(&value.text.as_str()) {
        return Err(
            scanner.error(start, format!("{} is a keyword; put it in quotes if it is the value", value.text))
        );
    }
    match scanner.peek() {
        Some('(') if !value.quoted => Err(scanner.error(start, "functions are not supported yet")),
        Some(c @ ('(' | ')' | ',')) => Err(scanner.error(
            scanner.at(),
            format!("{c} must not follow a value; put the value in quotes if it is part of it"),
        )),
        _ => Ok(value),
    }
}

/// What stands there instead of a comparison.
fn no_operator(scanner: &Scanner<'_>, start: usize, path: &[String]) -> FilterError {
    if scanner.peek() == Some('(') {
        return scanner.error(start, "functions are not supported yet");
    }
    if let [word] = path {
        let upper = word.to_ascii_uppercase();
        if KEYWORDS.contains(&upper.as_str()) {
            return scanner.error(start, format!("write {upper} in capital letters"));
        }
    }
    match scanner.peek() {
        Some(c) if !c.is_alphanumeric() && !"_-\"'".contains(c) => scanner.error(
            scanner.at(),
            format!(
                "{} must not stand here; one of =, !=, <, <=, >, >=, : must follow the field",
                quoted(&c.to_string())
            ),
        ),
        _ => scanner.error(
            start,
            "a value alone is not supported yet; write field = value, or field:value to search in a text",
        ),
    }
}

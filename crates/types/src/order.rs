//! In which order a list answers: `order_by` after AIP-132.
//!
//! Invariant: every field is one that the list can order by, and none stands twice. The list adds the
//! name as the last resort itself, so that the order is total.

use std::fmt;

use crate::limits::{ORDER_BY_CHARS, ORDER_BY_FIELDS};
use crate::quote::quoted;
use crate::violation::Fault;

/// What is wrong with an `order_by`, at which column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct OrderError {
    /// Where, in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do, for people.
    pub message: String,
}

impl Fault for OrderError {
    fn reason(&self) -> &'static str {
        "INVALID_ORDER_BY"
    }
}

/// A field to order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderTerm<F> {
    /// The field.
    pub field: F,
    /// Whether the greatest comes first.
    pub descending: bool,
    path: &'static str,
}

/// Fields to order by, the first one first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderBy<F> {
    terms: Vec<OrderTerm<F>>,
}

impl<F: Copy + PartialEq> OrderBy<F> {
    /// Reads `field [asc|desc], …`, where the fields are among `allowed`. The empty text has no terms.
    pub fn parse(text: &str, allowed: &[(&'static str, F)]) -> Result<Self, OrderError> {
        if text.chars().nth(ORDER_BY_CHARS).is_some() {
            let message = format!("order_by has more than {ORDER_BY_CHARS} characters; shorten it");
            return Err(OrderError { column: ORDER_BY_CHARS + 1, message });
        }
        let mut terms: Vec<OrderTerm<F>> = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self { terms });
        }
        let mut column = 1;
        for part in text.split(',') {
            let start = column + part.chars().take_while(|c| c.is_whitespace()).count();
            let error = |message: String| OrderError { column: start, message };
            let term = term(part, allowed).map_err(error)?;
            if terms.iter().any(|other| other.field == term.field) {
                return Err(error(format!("{} stands twice; order by it once", term.path)));
            }
            if terms.len() == ORDER_BY_FIELDS {
                return Err(error(format!("order by at most {ORDER_BY_FIELDS} fields")));
            }
            terms.push(term);
            column += part.chars().count() + 1;
        }
        Ok(Self { terms })
    }

    /// The fields, the first one first; none is the list's own order.
    pub fn terms(&self) -> &[OrderTerm<F>] {
        &self.terms
    }
}

fn term<F: Copy>(part: &str, allowed: &[(&'static str, F)]) -> Result<OrderTerm<F>, String> {
    let mut words = part.split_whitespace();
    let Some(path) = words.next() else {
        return Err("a field must stand here".into());
    };
    let Some(&(path, field)) = allowed.iter().find(|(known, _)| *known == path) else {
        let known: Vec<_> = allowed.iter().map(|(path, _)| *path).collect();
        return Err(format!("there is no order by {}; there are {}", quoted(path), known.join(", ")));
    };
    let descending = match words.next() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(other) => {
            return Err(format!("after {path} only asc or desc may follow, not {}", quoted(other)));
        }
    };
    match words.next() {
        None => Ok(OrderTerm { field, descending, path }),
        Some(_) => Err("separate fields by commas".into()),
    }
}

/// The canonical text; it parses to an equal order.
impl<F> fmt::Display for OrderBy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            let (comma, desc) = (if i > 0 { ", " } else { "" }, if term.descending { " desc" } else { "" });
            write!(f, "{comma}{}{desc}", term.path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: [(&str, u8); 3] = [("name", 0), ("display_name", 1), ("period.end", 2)];

    fn parse(text: &str) -> Result<OrderBy<u8>, OrderError> {
        OrderBy::parse(text, &ALLOWED)
    }

    #[test]
    fn fields_and_directions() {
        for (text, canonical) in [
            ("", ""),
            ("  ", ""),
            ("name", "name"),
            ("name asc", "name"),
            (" display_name   desc ,name", "display_name desc, name"),
            ("period.end desc,name asc,display_name", "period.end desc, name, display_name"),
        ] {
            let order = parse(text).unwrap();
            assert_eq!(order.to_string(), canonical);
            assert_eq!(parse(canonical).unwrap(), order);
        }
        let order = parse("display_name desc, name").unwrap();
        let terms: Vec<_> = order.terms().iter().map(|term| (term.field, term.descending)).collect();
        assert_eq!(terms, [(1, true), (0, false)]);
    }

    #[test]
    fn faults_are_pointed_at() {
        for (text, column) in [
            ("nam", 1),
            ("name,", 6),
            (",name", 1),
            ("name, 名称", 7),
            ("name DESC", 1),
            ("name desc desc", 1),
            ("name display_name", 1),
            ("name, display_name desc, name desc", 26),
        ] {
            assert_eq!(parse(text).unwrap_err().column, column, "{text}");
        }
        assert_eq!(parse(&"x".repeat(10_000_000)).unwrap_err().column, ORDER_BY_CHARS + 1);
    }
}

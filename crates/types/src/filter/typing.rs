//! From a comparison of words to one of types: which field, and what its value means.
//!
//! Invariant: every comparison that comes out can be matched against any row of the schema; every
//! error says what the field can be compared with.

use jiff::Timestamp;
use jiff::civil::Date;

use super::comparison::{Comparison, Operand, Operator, Pattern, Shape, Test};
use super::error::FilterError;
use super::scan::Literal;
use super::schema::{Field, FieldType, Schema};
use super::syntax::Restriction;
use crate::event_type::{self, EVENT_TYPES};
use crate::quote::quoted;

/// The comparison with its types.
pub(super) fn comparison<F: Copy>(
    restriction: Restriction,
    schema: &Schema<F>,
) -> Result<Comparison<F>, FilterError> {
    let (field, key) = resolve(&restriction, schema)?;
    let typing = Typing { restriction: &restriction, path: field.path };
    let shape = match field.kind {
        FieldType::List | FieldType::Map => Shape::Many,
        _ => Shape::Scalar,
    };
    let (key, test) = match (field.kind, key) {
        (FieldType::Map, None) => typing.map()?,
        (FieldType::Map, Some(key)) => (Some(key), typing.entry()?),
        (kind, _) => (None, typing.scalar_or_list(kind)?),
    };
    Ok(Comparison::new(field.id, field.path, key, shape, test))
}

/// The field that a path names, and the key if it goes on into a map.
fn resolve<F: Copy>(
    restriction: &Restriction,
    schema: &Schema<F>,
) -> Result<(&'static Field<F>, Option<String>), FilterError> {
    let path = &restriction.path;
    if let Some(field) = schema.find(&path.join(".")) {
        return Ok((field, None));
    }
    if let Some((key, parents)) = path.split_last()
        && let Some(field) = schema.find(&parents.join("."))
        && field.kind == FieldType::Map
    {
        return Ok((field, Some(key.clone())));
    }
    let known: Vec<_> = schema.paths().collect();
    Err(FilterError {
        column: restriction.path_column,
        message: format!(
            "there is no field {} to filter by; there are {}",
            quoted(&path.join(".")),
            known.join(", ")
        ),
    })
}

struct Typing<'a> {
    restriction: &'a Restriction,
    path: &'static str,
}

/// The value that a text names: in full, or without the prefix that all values of the enum share
/// (`STATUS_CONSTRUCTION` or `CONSTRUCTION`).
fn enum_name(names: &[&'static str], text: &str) -> Option<&'static str> {
    let short = |name: &str| {
        let prefix = name.strip_suffix(text).filter(|prefix| prefix.ends_with('_'))?;
        names.iter().all(|other| other.starts_with(prefix)).then_some(())
    };
    names.iter().find(|name| **name == text || short(name).is_some()).copied()
}

/// The values as people read and write them, without the prefix that all of them share: `CONSTRUCTION`.
fn short_names(names: &[&'static str]) -> Vec<&'static str> {
    let first = names.first().copied().unwrap_or_default();
    let shared = first
        .match_indices('_')
        .map(|(at, _)| at + 1)
        .take_while(|&end| names.iter().all(|name| name.starts_with(&first[..end])))
        .last()
        .unwrap_or(0);
    names.iter().map(|name| &name[shared..]).collect()
}

impl Typing<'_> {
    fn scalar_or_list(&self, kind: FieldType) -> Result<Test, FilterError> {
        match (kind, self.presence()) {
            (FieldType::List | FieldType::Map, _) => self.list(),
            (_, Some(test)) => Ok(test),
            (FieldType::Text, None) => self.text(),
            (FieldType::EventType, None) => self.event_type(),
            (FieldType::Name, None) => self.name(),
            (FieldType::Enum(names), None) => self.equality_only(|text| {
                enum_name(names, text)
                    .map(Operand::Enum)
                    .ok_or_else(|| format!("one of {}", short_names(names).join(", ")))
            }),
            (FieldType::Bool, None) => self.equality_only(|text| match text {
                "true" => Ok(Operand::Bool(true)),
                "false" => Ok(Operand::Bool(false)),
                _ => Err("true or false".into()),
            }),
            (FieldType::Int, None) => self.ordered(|text| {
                integer(text).map(Operand::Int).ok_or("a whole number of at most 64 bits, such as 42".into())
            }),
            (FieldType::Date, None) => self.ordered(|text| {
                date(text).map(Operand::Date).ok_or("a date of the calendar, such as 2021-05-27".into())
            }),
            (FieldType::Timestamp, None) => self.ordered(|text| {
                const WANTED: &str =
                    "a time with its offset, such as 2021-05-27T00:00:00Z or 2021-05-27T08:00:00+08:00";
                timestamp(text).map(Operand::Timestamp).ok_or(WANTED.into())
            }),
        }
    }

    /// What a star alone asks, whatever the type: `field:*` and `field = "*"`, `field != "*"`.
    fn presence(&self) -> Option<Test> {
        match self.restriction.operator {
            Operator::Has | Operator::Equal if is_star(&self.restriction.value) => Some(Test::Present),
            Operator::NotEqual if is_star(&self.restriction.value) => Some(Test::Absent),
            _ => None,
        }
    }

    fn text(&self) -> Result<Test, FilterError> {
        match self.restriction.operator {
            Operator::Has => match self.pattern()? {
                Pattern::Whole(part) => {
                    Ok(Test::Compare(Operator::Equal, Operand::Text(Pattern::Inside(part))))
                }
                _ => Err(self.value_error(
                    "\":\" finds a text anywhere inside already; use = with a *, or write \\* for a star",
                )),
            },
            operator => self.text_comparison(operator),
        }
    }

    /// A text that could be the type of an event: what none has is mistyped, and would match nothing, or with
    /// != everything.
    fn event_type(&self) -> Result<Test, FilterError> {
        let test = self.text()?;
        if let Test::Compare(Operator::Equal | Operator::NotEqual, Operand::Text(pattern)) = &test
            && !EVENT_TYPES.iter().any(|kind| pattern.fits(kind))
        {
            return Err(self.value_error(&event_type::unknown(&self.restriction.value.text)));
        }
        Ok(test)
    }

    fn name(&self) -> Result<Test, FilterError> {
        match self.restriction.operator {
            Operator::Has => match self.pattern()? {
                Pattern::Whole(name) if name.is_empty() || name.starts_with('/') || name.ends_with('/') => {
                    Err(self.value_error(
                        "give a resource name without a slash at its ends, such as portfolios/p",
                    ))
                }
                Pattern::Whole(name) => Ok(Test::Under(name)),
                _ => Err(self
                    .value_error("\":\" finds what is under a resource already; give its name without a *")),
            },
            operator => self.text_comparison(operator),
        }
    }

    /// `=`, `!=` and the ordering of texts.
    fn text_comparison(&self, operator: Operator) -> Result<Test, FilterError> {
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        match self.pattern()? {
            Pattern::Whole(text) => Ok(Test::Compare(operator, Operand::Text(Pattern::Whole(text)))),
            pattern if equality => Ok(Test::Compare(operator, Operand::Text(pattern))),
            _ => Err(self.value_error("a * stands for anything only with = and !=; write \\* for a star")),
        }
    }

    /// `list:member` and `list:*`.
    fn list(&self) -> Result<Test, FilterError> {
        match self.restriction.operator {
            Operator::Has if is_star(&self.restriction.value) => Ok(Test::Present),
            Operator::Has => Ok(Test::Holds(self.pattern()?)),
            _ => Err(self.operator_error(&format!(
                "holds several texts; write {}:value to find one of them",
                self.path
            ))),
        }
    }

    /// `labels:key` and `labels:*`.
    fn map(&self) -> Result<(Option<String>, Test), FilterError> {
        if self.restriction.operator != Operator::Has {
            let path = self.path;
            return Err(self.operator_error(&format!(
                "holds texts by key; write {path}.key = \"value\", or {path}:key"
            )));
        }
        match self.pattern()? {
            _ if is_star(&self.restriction.value) => Ok((None, Test::Present)),
            Pattern::Whole(key) if !key.is_empty() => Ok((Some(key.into()), Test::Present)),
            _ => Err(self.value_error("give a key as a whole, without a *")),
        }
    }

    /// `labels.key = "value"`; `:` means the same, or with a star asks for the key.
    fn entry(&self) -> Result<Test, FilterError> {
        match (self.presence(), self.restriction.operator) {
            (Some(test), _) => Ok(test),
            (None, Operator::Has) => self.text_comparison(Operator::Equal),
            (None, operator) => self.text_comparison(operator),
        }
    }

    fn equality_only(&self, read: impl Fn(&str) -> Result<Operand, String>) -> Result<Test, FilterError> {
        match self.restriction.operator {
            Operator::Equal | Operator::NotEqual | Operator::Has => self.ordered(read),
            _ => Err(self.operator_error("has no order; use = or !=")),
        }
    }

    fn ordered(&self, read: impl Fn(&str) -> Result<Operand, String>) -> Result<Test, FilterError> {
        let value = &self.restriction.value;
        let operator = match self.restriction.operator {
            Operator::Has => Operator::Equal,
            operator => operator,
        };
        let operand = read(&value.text).map_err(|wanted| {
            self.value_error(&format!(
                "{} is not what {} holds; give {wanted}",
                quoted(&value.text),
                self.path
            ))
        })?;
        Ok(Test::Compare(operator, operand))
    }

    /// The value as a pattern: stars only at its ends.
    fn pattern(&self) -> Result<Pattern, FilterError> {
        let Literal { text, wildcards, .. } = &self.restriction.value;
        let last = text.len().wrapping_sub(1);
        if wildcards.iter().any(|&at| at != 0 && at != last) {
            return Err(self.value_error("a * stands only at the beginning or the end; write \\* for a star"));
        }
        let (before, after) = (wildcards.contains(&0), text.len() > 1 && wildcards.contains(&last));
        let inner = &text[usize::from(before)..text.len() - usize::from(after)];
        Ok(match (before, after) {
            (false, false) => Pattern::Whole(inner.into()),
            (false, true) => Pattern::Prefix(inner.into()),
            (true, false) => Pattern::Suffix(inner.into()),
            (true, true) => Pattern::Inside(inner.into()),
        })
    }

    fn operator_error(&self, what: &str) -> FilterError {
        let column = self.restriction.operator_column;
        FilterError { column, message: format!("{} {what}", self.path) }
    }

    fn value_error(&self, message: &str) -> FilterError {
        FilterError { column: self.restriction.value_column, message: message.into() }
    }
}

/// `*` or `**`: anything at all.
fn is_star(value: &Literal) -> bool {
    matches!(value.text.as_str(), "*" | "**") && value.wildcards.len() == value.text.len()
}

fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit()).then(|| text.parse().ok())?
}

/// `YYYY-MM-DD` and nothing else.
fn date(text: &str) -> Option<Date> {
    shaped(text, "0000-00-00").then(|| text.parse().ok())?
}

/// RFC 3339 with `T`, and `Z` or an offset.
fn timestamp(text: &str) -> Option<Timestamp> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let fraction =
        rest.strip_prefix('.').map_or(0, |rest| 1 + rest.bytes().take_while(u8::is_ascii_digit).count());
    let zone = &rest[fraction..];
    let zoned = zone == "Z" || shaped(zone, "+00:00") || shaped(zone, "-00:00");
    if !shaped(date_time, "0000-00-00T00:00:00") || fraction == 1 || !zoned {
        return None;
    }
    // Protobuf's timestamps begin with the year 1.
    text.parse().ok().filter(|instant| *instant >= YEAR_ONE)
}

const YEAR_ONE: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// Whether the text is the model with other digits.
fn shaped(text: &str, model: &str) -> bool {
    text.len() == model.len()
        && text.bytes().zip(model.bytes()).all(|(b, m)| if m == b'0' { b.is_ascii_digit() } else { b == m })
}

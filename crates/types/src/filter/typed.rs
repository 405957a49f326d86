//! Types one comparison by the type of its field.
//!
//! Invariant: every resulting test applies to any value of the type; every error says what the field can be
//! compared with.

use std::sync::Arc;

use super::comparison::{Comparison, Operator, Shape, Test};
use super::error::FaultAt;
use super::operand::{Operand, Pattern};
use super::read;
use super::schema::{Field, FieldType};
use super::syntax::{Arg, Call, Restriction};
use crate::event_type::{self, EVENT_TYPES};
use crate::limits::FILTER_DAYS;
use crate::quote::quoted;

/// A field, the sign and one value.
pub(super) struct Typed<'a, F: 'static> {
    pub(super) restriction: &'a Restriction,
    pub(super) arg: &'a Arg,
    pub(super) field: &'static Field<F>,
}

impl<F: Copy> Typed<'_, F> {
    /// The comparison with its types; of a map's entry if there is a key.
    pub(super) fn comparison(&self, key: Option<Arc<str>>) -> Result<Comparison<F>, FaultAt> {
        let Field { kind, id, path } = *self.field;
        let shape = match kind {
            FieldType::Map => Shape::Many,
            kind if kind.element().is_some() => Shape::Many,
            _ => Shape::Scalar,
        };
        let (key, test) = match (kind, key) {
            (FieldType::Map, None) => self.map()?,
            (FieldType::Map, Some(key)) => (Some(key), self.entry()?),
            (kind, _) => (None, self.scalar_or_list(kind)?),
        };
        Ok(Comparison::new(id, path, key, shape, test))
    }

    fn scalar_or_list(&self, kind: FieldType) -> Result<Test, FaultAt> {
        match (kind.element(), self.presence()) {
            (Some(element), _) => self.list(element),
            (None, Some(test)) => Ok(test),
            (None, None) => self.scalar(kind, self.restriction.operator),
        }
    }

    fn scalar(&self, kind: FieldType, operator: Operator) -> Result<Test, FaultAt> {
        match kind {
            FieldType::Text => self.text(operator),
            FieldType::EventType => self.event_type(operator),
            FieldType::Name => self.name(operator),
            FieldType::Message => Err(self.operator_error(&format!(
                "is a message; write {}:* for whether it is set, or compare one of its fields",
                self.field.path
            ))),
            FieldType::Enum(_) | FieldType::Bool
                if !matches!(operator, Operator::Equal | Operator::NotEqual | Operator::Has) =>
            {
                Err(self.operator_error("has no order; use = or !="))
            }
            _ => self.ordered(kind, operator),
        }
    }

    /// What a star alone asks, whatever the type: `field:*` and `field = "*"`, `field != "*"`.
    fn presence(&self) -> Option<Test> {
        match self.restriction.operator {
            Operator::Has | Operator::Equal if self.is_star() => Some(Test::Present),
            Operator::NotEqual if self.is_star() => Some(Test::Absent),
            _ => None,
        }
    }

    fn text(&self, operator: Operator) -> Result<Test, FaultAt> {
        match operator {
            Operator::Has => match self.pattern()? {
                // Every text has the empty one inside.
                Pattern::Whole(part) if part.is_empty() => Ok(Test::Present),
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
    fn event_type(&self, operator: Operator) -> Result<Test, FaultAt> {
        let test = self.text(operator)?;
        if let Test::Compare(Operator::Equal | Operator::NotEqual, Operand::Text(pattern)) = &test
            && !EVENT_TYPES.iter().any(|kind| pattern.fits(kind))
            && let Arg::Value(literal) = self.arg
        {
            return Err(self.value_error(&event_type::unknown(&literal.text)));
        }
        Ok(test)
    }

    fn name(&self, operator: Operator) -> Result<Test, FaultAt> {
        match operator {
            Operator::Has => match self.pattern()? {
                Pattern::Whole(name) => self.under(name),
                _ => Err(self
                    .value_error("\":\" finds what is under a resource already; give its name without a *")),
            },
            operator => self.text_comparison(operator),
        }
    }

    fn under(&self, name: Box<str>) -> Result<Test, FaultAt> {
        if name.is_empty() || name.starts_with('/') || name.ends_with('/') {
            return Err(
                self.value_error("give a resource name without a slash at its ends, such as portfolios/p")
            );
        }
        Ok(Test::Under(name))
    }

    /// `=`, `!=` and the ordering of texts.
    fn text_comparison(&self, operator: Operator) -> Result<Test, FaultAt> {
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        match self.pattern()? {
            Pattern::Whole(text) => Ok(Test::Compare(operator, Operand::Text(Pattern::Whole(text)))),
            pattern if equality => Ok(Test::Compare(operator, Operand::Text(pattern))),
            _ => Err(self.value_error("a * stands for anything only with = and !=; write \\* for a star")),
        }
    }

    /// `list:member` and `list:*`.
    fn list(&self, element: FieldType) -> Result<Test, FaultAt> {
        let path = self.field.path;
        if self.restriction.operator != Operator::Has {
            return Err(
                self.operator_error(&format!("holds several values; write {path}:value to find one of them"))
            );
        }
        if self.is_star() {
            return Ok(Test::Present);
        }
        let test = match element {
            FieldType::Message => {
                let message = format!(
                    "{path} holds messages; write {path}:* for whether there is one, or ask for a field of theirs"
                );
                return Err(self.value_error(&message));
            }
            FieldType::Text => self.text_comparison(Operator::Equal)?,
            FieldType::Name => match self.pattern()? {
                Pattern::Whole(name) => self.under(name)?,
                pattern => Test::Compare(Operator::Equal, Operand::Text(pattern)),
            },
            element => self.scalar(element, Operator::Equal)?,
        };
        Ok(Test::Holds(test.into()))
    }

    /// `labels:key` and `labels:*`.
    fn map(&self) -> Result<(Option<Arc<str>>, Test), FaultAt> {
        if self.restriction.operator != Operator::Has {
            let path = self.field.path;
            return Err(self.operator_error(&format!(
                "holds texts by key; write {path}.key = \"value\", or {path}:key"
            )));
        }
        if self.is_star() {
            return Ok((None, Test::Present));
        }
        match self.pattern()? {
            Pattern::Whole(key) if !key.is_empty() => Ok((Some(key.into()), Test::Present)),
            _ => Err(self.value_error("give a key as a whole, without a *")),
        }
    }

    /// `labels.key = "value"`; `:` means the same, or with a star asks for the key.
    fn entry(&self) -> Result<Test, FaultAt> {
        match (self.presence(), self.restriction.operator) {
            (Some(test), _) => Ok(test),
            (None, Operator::Has) => self.text_comparison(Operator::Equal),
            (None, operator) => self.text_comparison(operator),
        }
    }

    fn ordered(&self, kind: FieldType, operator: Operator) -> Result<Test, FaultAt> {
        let operator = if operator == Operator::Has { Operator::Equal } else { operator };
        let operand = match self.arg {
            Arg::Call(call) => self.day(kind, call)?,
            Arg::Value(literal) => read::operand(kind, &literal.text).map_err(|wanted| {
                let given = quoted(&literal.text);
                self.value_error(&format!("{given} is not what {} holds; give {wanted}", self.field.path))
            })?,
        };
        Ok(Test::Compare(operator, operand))
    }

    /// `today()` and `days(n)`.
    fn day(&self, kind: FieldType, call: &Call) -> Result<Operand, FaultAt> {
        let days = match (call.name.as_str(), call.args.as_slice()) {
            ("today", []) => 0,
            ("today", _) => {
                return Err(self.value_error("today() takes nothing; write days(n) for another day"));
            }
            ("days", [number]) => read::integer(&number.text)
                .and_then(|days| i32::try_from(days).ok())
                .filter(|days| days.abs() <= FILTER_DAYS)
                .ok_or_else(|| {
                    let message = format!(
                        "give a whole number of days from -{FILTER_DAYS} to {FILTER_DAYS}, as in days(30)"
                    );
                    FaultAt::new(number.offset, message)
                })?,
            ("days", _) => {
                return Err(self.value_error("days(n) takes one whole number, as in days(30) or days(-7)"));
            }
            (other, _) => {
                return Err(self.value_error(&format!(
                    "there is no function {}; there are today() and days(n); a text with ( in it stands in quotes",
                    quoted(other)
                )));
            }
        };
        match kind {
            FieldType::Date | FieldType::Timestamp => Ok(Operand::Day(days)),
            _ => Err(self.no_date()),
        }
    }

    fn no_date(&self) -> FaultAt {
        self.value_error(&format!("{} holds no date that today() and days(n) compare with", self.field.path))
    }

    /// The value as a pattern: stars only at its ends.
    fn pattern(&self) -> Result<Pattern, FaultAt> {
        let literal = match self.arg {
            Arg::Value(literal) => literal,
            Arg::Call(call) => {
                return Err(self.day(FieldType::Text, call).err().unwrap_or_else(|| self.no_date()));
            }
        };
        let (text, wildcards) = (&literal.text, &literal.wildcards);
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

    /// Whether the value is `*` or `**`: anything at all.
    fn is_star(&self) -> bool {
        match self.arg {
            Arg::Value(value) => {
                matches!(value.text.as_str(), "*" | "**") && value.wildcards.len() == value.text.len()
            }
            Arg::Call(_) => false,
        }
    }

    fn operator_error(&self, what: &str) -> FaultAt {
        FaultAt::new(self.restriction.operator_at, format!("{} {what}", self.field.path))
    }

    fn value_error(&self, message: &str) -> FaultAt {
        FaultAt::new(self.arg.offset(), message)
    }
}

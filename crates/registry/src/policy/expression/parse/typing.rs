//! Whether the parts of an expression go together by their types, and whether values are compared with what they can be.
//!
//! Invariant: a part that is faulty itself is not found at fault again. This does not read tokens.

use super::super::names::Type;
use super::super::token::{SYNTAX, Symbol, UNKNOWN_NAME, WRONG_TYPE};
use super::{Parser, Part, PartKind, unknown};

impl Parser<'_> {
    pub(super) fn take_count(&mut self, column: usize, name: &str, arguments: &[Part]) {
        if arguments.len() != 1 {
            let description =
                format!("{name} takes one value in its parentheses, and these are {}", arguments.len());
            self.fault(column, SYNTAX, description);
        }
    }

    /// Records a part that is of another type.
    pub(super) fn require(&mut self, part: &Part, ty: Type, what: &str) {
        if part.ty != ty && part.ty != Type::Faulty && ty != Type::Faulty {
            let description = format!("{what}, and this is {}{}", part.ty.noun(), hint(part.ty, ty));
            self.fault(part.column, WRONG_TYPE, description);
        }
    }

    pub(super) fn check_comparison(&mut self, column: usize, operator: Symbol, left: &Part, right: &Part) {
        if left.ty == Type::Faulty || right.ty == Type::Faulty {
            return;
        }
        let is_order = !matches!(operator, Symbol::Equal | Symbol::NotEqual);
        let comparable = match left.ty {
            Type::Text | Type::Int | Type::Number => true,
            Type::Bool => !is_order,
            _ => false,
        };
        if left.ty != right.ty || !comparable {
            let (symbol, left_noun, right_noun) = (operator.as_str(), left.ty.noun(), right.ty.noun());
            let hint = hint(left.ty, right.ty);
            let description = format!("{symbol} cannot compare {left_noun} with {right_noun}{hint}");
            return self.fault(column, WRONG_TYPE, description);
        }
        self.check_word(left, right);
        self.check_word(right, left);
    }

    pub(super) fn check_in(&mut self, column: usize, left: &Part, right: &Part) {
        let fits = match right.ty {
            Type::Faulty => true,
            Type::Map => matches!(left.ty, Type::Text | Type::Faulty),
            ty => left.ty == Type::Faulty || left.ty.list() == Some(ty),
        };
        if !fits {
            let (left_noun, right_noun) = (left.ty.noun(), right.ty.noun());
            return self.fault(column, WRONG_TYPE, format!("{left_noun} is never in {right_noun}"));
        }
        if let PartKind::Of(members) = &right.kind {
            members.iter().for_each(|member| self.check_word(left, member));
        }
    }

    /// Records a text that is compared with a value which can never be it.
    fn check_word(&mut self, value: &Part, literal: &Part) {
        let (PartKind::Read(reference), PartKind::Text(text)) = (&value.kind, &literal.kind) else { return };
        let words = reference.field.words();
        if !words.is_empty() && !words.contains(&text.as_str()) {
            let known = words.iter().copied();
            self.fault(
                literal.column,
                UNKNOWN_NAME,
                unknown(&format!("{reference} is never \"{text}\""), text, known),
            );
        }
    }
}

/// What to do where these are not compared.
fn hint(left: Type, right: Type) -> &'static str {
    match (left, right) {
        (Type::Number, Type::Int) | (Type::Int, Type::Number) => "; write the other as in num(\"100\")",
        (Type::Number | Type::Int, Type::Text) | (Type::Text, Type::Number | Type::Int) => {
            "; make it a number by num(…)"
        }
        _ => "",
    }
}

//! Expressions: the conditions of policies, in a part of CEL, the Common Expression Language.
//!
//! A text is scanned, parsed and typed by us (`token`, `parse`, `names`), which bounds it and finds every fault of it with
//! its column; only what passes is compiled by the library, which evaluates it. Invariants: no text ends the process,
//! whatever it is; nothing is evaluated that is not typed, so the only failures of an evaluation are what is absent and
//! texts that are no number or no day. A result depends on the expression and the facts alone.

pub(crate) mod convert;
mod names;
mod parse;
mod token;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use cel::objects::{Key, Map};
use cel::{Context, ExecutionError, FunctionContext, Program, Value as CelValue};
use jiff::civil::Date;

use self::names::{DATE, ORGANIZATION, PROJECT, short};
use self::parse::{Part, PartKind, parse};
use super::facts::{Facts, Value};

pub(crate) use self::names::{Field, Reference};
pub(crate) use self::token::ExpressionFault;

/// The word of an enum's value: `ENTERPRISE`, where the schema spells it `KIND_ENTERPRISE`.
pub(crate) fn word(name: &str) -> &str {
    short(name)
}

/// What an expression comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Something that it reads is absent, or cannot be used.
    Unknown,
}

/// What must be said, or said otherwise, to know what an expression comes to.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// What is absent.
    pub(crate) absent: BTreeSet<Reference>,
    /// What cannot be used, and why.
    pub(crate) errors: Vec<String>,
}

/// An expression that can be evaluated.
pub(crate) struct Expression {
    text: String,
    root: Part,
    program: Program,
    /// What it reads, in the order in which it names it.
    references: Vec<Reference>,
    /// Programs of parts, by where they begin and end, for saying what is missing.
    parts: Mutex<HashMap<(usize, usize), Arc<Program>>>,
}

impl Expression {
    /// Reads an expression about organizations, or about projects too.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn compile(text: &str, of_projects: bool) -> Result<Self, Vec<ExpressionFault>> {
        let root = parse(text, of_projects)?;
        let program = Program::compile(text).map_err(|error| vec![unforeseen(&error)])?;
        let mut references = Vec::new();
        root.visit(&mut |part| {
            if let PartKind::Read(reference) | PartKind::Has(reference) = &part.kind
                && !references.contains(reference)
            {
                references.push(reference.clone());
            }
        });
        Ok(Self { text: text.to_owned(), root, program, references, parts: Mutex::default() })
    }

    /// What it reads, in the order in which it names it.
    pub(crate) fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The keys of an organization's attributes that it asks for, by themselves or by `in`.
    pub(crate) fn attributes(&self) -> BTreeSet<&str> {
        let mut keys = BTreeSet::new();
        let is_whole =
            |reference: &Reference| reference.field == Field::Attributes && reference.key.is_none();
        self.root.visit(&mut |part| match &part.kind {
            PartKind::Read(reference) | PartKind::Has(reference) if reference.field == Field::Attributes => {
                keys.extend(reference.key.as_deref());
            }
            PartKind::Of(parts) => {
                if let [Part { kind: PartKind::Text(key), .. }, Part { kind: PartKind::Read(of), .. }] =
                    &parts[..]
                    && is_whole(of)
                {
                    keys.insert(key);
                }
            }
            _ => {}
        });
        keys
    }

    /// What it comes to.
    pub(crate) fn evaluate(&self, facts: &Bindings<'_>) -> Truth {
        truth(&self.program, facts)
    }

    /// What is missing to know what it comes to: of the parts of it that are not known themselves.
    pub(crate) fn missing(&self, facts: &Bindings<'_>) -> Missing {
        let mut missing = Missing::default();
        self.find_missing(&self.root, facts, &mut missing);
        missing
    }

    fn find_missing(&self, part: &Part, facts: &Bindings<'_>, missing: &mut Missing) {
        match &part.kind {
            PartKind::Logic(parts) => {
                for part in parts.iter().filter(|part| self.part(part, facts) == Truth::Unknown) {
                    self.find_missing(part, facts, missing);
                }
            }
            PartKind::Choice(parts) => {
                let [condition, then, other] = &**parts;
                let next = match self.part(condition, facts) {
                    Truth::Unknown => condition,
                    Truth::True => then,
                    Truth::False => other,
                };
                self.find_missing(next, facts, missing);
            }
            PartKind::Read(reference) => match facts.facts.shown(reference) {
                Ok(Some(_)) => {}
                Ok(None) => _ = missing.absent.insert(reference.clone()),
                Err(error) => missing.errors.push(error),
            },
            PartKind::Convert(argument) => {
                self.find_missing(argument, facts, missing);
                missing.errors.extend(self.failure(part, facts));
            }
            PartKind::Of(parts) => parts.iter().for_each(|part| self.find_missing(part, facts, missing)),
            PartKind::Text(_) | PartKind::Literal | PartKind::Has(_) | PartKind::Whole(_) => {}
        }
    }

    /// What a part comes to that is true or false.
    fn part(&self, part: &Part, facts: &Bindings<'_>) -> Truth {
        self.program(part).map_or(Truth::Unknown, |program| truth(&program, facts))
    }

    /// Why a part cannot be evaluated, though all that it reads is there.
    fn failure(&self, part: &Part, facts: &Bindings<'_>) -> Option<String> {
        match self.program(part)?.execute(&facts.context) {
            Err(ExecutionError::FunctionError { message, .. }) => Some(message),
            _ => None,
        }
    }

    fn program(&self, part: &Part) -> Option<Arc<Program>> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (part.span.start, part.span.end);
        if let Some(program) = parts.get(&key) {
            return Some(Arc::clone(program));
        }
        let program = Arc::new(Program::compile(self.text.get(part.span.clone())?).ok()?);
        parts.insert(key, Arc::clone(&program));
        Some(program)
    }
}

fn truth(program: &Program, facts: &Bindings<'_>) -> Truth {
    match program.execute(&facts.context) {
        Ok(CelValue::Bool(true)) => Truth::True,
        Ok(CelValue::Bool(false)) => Truth::False,
        _ => Truth::Unknown,
    }
}

/// A fault that only the library finds: what we let through, it should too.
fn unforeseen(error: &dyn std::fmt::Display) -> ExpressionFault {
    ExpressionFault::new(1, token::SYNTAX, format!("the expression cannot be compiled: {error}"))
}

/// The functions of expressions, for one day. Making it is dear, so it is made once for many facts.
pub(crate) struct Language {
    context: Context<'static, 'static>,
}

impl Language {
    /// For this day.
    pub(crate) fn of(on: Date) -> Self {
        let mut context = Context::default();
        let num = context.add_function("num", |ftx: &FunctionContext, text: Arc<String>| {
            convert::number(&text).map_err(|error| ftx.error(error))
        });
        let years = context.add_function("years", move |ftx: &FunctionContext, text: Arc<String>| {
            convert::day(&text).map(|from| convert::years(from, on)).map_err(|error| ftx.error(error))
        });
        debug_assert!(num.is_ok() && years.is_ok(), "the library has no functions of these names");
        Self { context }
    }

    /// What is known of a subject, for any number of expressions.
    pub(crate) fn bind<'a>(&'a self, facts: &'a Facts<'a>) -> Bindings<'a> {
        let mut context = self.context.new_inner_scope();
        context.add_variable_from_value(ORGANIZATION, map(facts, ORGANIZATION));
        context.add_variable_from_value(DATE, facts.date.to_string());
        if facts.project.is_some() {
            context.add_variable_from_value(PROJECT, map(facts, PROJECT));
        }
        Bindings { context, facts }
    }
}

/// What is known of a subject, as the library takes it.
pub(crate) struct Bindings<'a> {
    context: Context<'a, 'static>,
    facts: &'a Facts<'a>,
}

impl<'a> Bindings<'a> {
    /// What is known.
    pub(crate) fn facts(&self) -> &'a Facts<'a> {
        self.facts
    }
}

/// The values of an organization or a project, as far as they are there.
fn map(facts: &Facts<'_>, root: &str) -> CelValue {
    let fields = Field::ALL.into_iter().filter(|field| field.root() == root);
    let values = fields.filter_map(|field| {
        let value = facts.value(field).ok().flatten()?;
        Some((Key::from(field.name()), bound(value)))
    });
    CelValue::Map(Map { map: Arc::new(values.collect()) })
}

fn bound(value: Value) -> CelValue {
    match value {
        Value::Bool(value) => CelValue::Bool(value),
        Value::Text(text) => text.into(),
        Value::Number(number) => CelValue::Int(number),
        Value::Texts(texts) => CelValue::List(Arc::new(texts.into_iter().map(CelValue::from).collect())),
        Value::Map(map) => {
            let pairs = map.into_iter().map(|(key, text)| (Key::from(key), CelValue::from(text)));
            CelValue::Map(Map { map: Arc::new(pairs.collect()) })
        }
    }
}

/// Expressions that were compiled: that takes far longer than evaluating one.
#[derive(Default)]
pub(crate) struct Expressions {
    known: Mutex<HashMap<(bool, String), Arc<Expression>>>,
}

/// Expressions remembered at most.
const REMEMBERED: usize = 8_192;

impl std::fmt::Debug for Expressions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expressions").finish_non_exhaustive()
    }
}

impl Expressions {
    /// An expression of a policy that was accepted.
    ///
    /// # Errors
    /// If it is none that this version knows.
    pub(crate) fn get(&self, text: &str, of_projects: bool) -> Result<Arc<Expression>, Vec<ExpressionFault>> {
        let key = (of_projects, text.to_owned());
        if let Some(found) = self.lock().get(&key) {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(Expression::compile(text, of_projects)?);
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(bool, String), Arc<Expression>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

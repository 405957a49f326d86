//! The syntax and the types of an expression: from tokens to a tree.
//!
//! Invariants: it goes no deeper than [`DEPTH`], whatever it is given, and so does the tree. A tree that is returned
//! has only what the language has, every value in it is known, and its parts go together; so the library that
//! evaluates it meets nothing else. A fault of types or names does not end the reading: all of them are found.

mod typing;

use std::ops::Range;

use milepost_types::suggest::nearest;

use super::convert::{day, number};
use super::names::{DATE, Field, ORGANIZATION, PROJECT, Reference, Type};
use super::token::{
    ExpressionFault, NOT_SUPPORTED, SYNTAX, Symbol, TOO_LARGE, Token, TokenKind, UNKNOWN_NAME, WRONG_TYPE,
    tokens,
};

/// How deep parentheses, lists, functions, `!` and `?:` may be nested in each other.
pub(crate) const DEPTH: usize = 8;
/// Members of a list.
const MEMBERS: usize = 100;

/// A part of an expression.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) kind: PartKind,
    pub(super) ty: Type,
    column: usize,
    /// Where it stands in the text, in bytes.
    pub(super) span: Range<usize>,
}

/// What a part is, as far as it matters for saying why it is not true.
#[derive(Debug)]
pub(super) enum PartKind {
    /// A text, of which this is the value.
    Text(String),
    /// Another literal.
    Literal,
    /// A value that is read.
    Read(Reference),
    /// Whether a value is there.
    Has(Reference),
    /// An organization or a project as a whole.
    Whole(&'static str),
    /// Joined by `&&`, `||` or `!`: each is true or false.
    Logic(Vec<Part>),
    /// `?:`
    Choice(Box<[Part; 3]>),
    /// A function that can fail, and its argument.
    Convert(Box<Part>),
    /// Made of others.
    Of(Vec<Part>),
}

impl Part {
    /// Visits it and all that it is made of, in the order of the text.
    pub(super) fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Part)) {
        visit(self);
        match &self.kind {
            PartKind::Logic(parts) | PartKind::Of(parts) => parts.iter().for_each(|part| part.visit(visit)),
            PartKind::Choice(parts) => parts.iter().for_each(|part| part.visit(visit)),
            PartKind::Convert(part) => part.visit(visit),
            PartKind::Text(_)
            | PartKind::Literal
            | PartKind::Read(_)
            | PartKind::Has(_)
            | PartKind::Whole(_) => {}
        }
    }
}

/// Reads an expression for policies about organizations, or about projects too.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str, of_projects: bool) -> Result<Part, Vec<ExpressionFault>> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens, at: 0, depth: 0, of_projects, faults: Vec::new() };
    match parser.whole() {
        Ok(part) if parser.faults.is_empty() => Ok(part),
        Ok(_) => Err(parser.faults),
        Err(fault) => {
            parser.faults.push(fault);
            Err(parser.faults)
        }
    }
}

type Parsed = Result<Part, ExpressionFault>;

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    of_projects: bool,
    /// Faults that the reading goes on after.
    faults: Vec<ExpressionFault>,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn column(&self) -> usize {
        self.token().column
    }

    fn symbol(&self) -> Option<Symbol> {
        match self.token().kind {
            TokenKind::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Takes a symbol if it is next.
    fn take(&mut self, symbol: Symbol) -> bool {
        let found = self.symbol() == Some(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: Symbol) -> Result<(), ExpressionFault> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("expected {}", symbol.as_str())))
    }

    /// A fault of the next token.
    fn unexpected(&self, what: &str) -> ExpressionFault {
        let token = self.token();
        let found = match token.kind {
            TokenKind::End => "the end".to_owned(),
            _ => self.text[token.start..token.end].chars().take(40).collect(),
        };
        ExpressionFault::new(token.column, SYNTAX, format!("{what}, found {found}"))
    }

    fn fault(&mut self, column: usize, reason: &'static str, description: impl Into<String>) {
        self.faults.push(ExpressionFault::new(column, reason, description));
    }

    /// A part that began at this token and ends before the next.
    fn part(&self, first: usize, kind: PartKind, ty: Type) -> Part {
        let start = self.tokens[first].start;
        let end = self.tokens[self.at.saturating_sub(1).max(first)].end;
        Part { kind, ty, column: self.tokens[first].column, span: start..end }
    }

    /// Reads what is nested, one deeper.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ExpressionFault>,
    ) -> Result<T, ExpressionFault> {
        if self.depth == DEPTH {
            let description = format!("it is nested deeper than {DEPTH}; split it into conditions");
            return Err(ExpressionFault::new(self.column(), TOO_LARGE, description));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn whole(&mut self) -> Parsed {
        let part = self.expression()?;
        if self.token().kind != TokenKind::End {
            return Err(self.unexpected("expected an operator or the end"));
        }
        if !matches!(part.ty, Type::Bool | Type::Faulty) {
            let description =
                format!("a condition is true or false, and this is {}; compare it", part.ty.noun());
            self.fault(part.column, WRONG_TYPE, description);
        }
        Ok(part)
    }

    fn expression(&mut self) -> Parsed {
        let first = self.at;
        let condition = self.either()?;
        if !self.take(Symbol::Question) {
            return Ok(condition);
        }
        self.require(&condition, Type::Bool, "before ? stands a condition");
        let (then, other) = self.nested(|parser| {
            let then = parser.either()?;
            parser.expect(Symbol::Colon)?;
            Ok((then, parser.expression()?))
        })?;
        let ty = if then.ty == Type::Faulty { other.ty } else { then.ty };
        self.require(&other, ty, "both values of ?: are of one type");
        let kind = PartKind::Choice(Box::new([condition, then, other]));
        Ok(self.part(first, kind, ty))
    }

    fn either(&mut self) -> Parsed {
        self.joined(Symbol::Or, |parser| parser.joined(Symbol::And, Self::relation))
    }

    /// Parts with a symbol between them, or one.
    fn joined(&mut self, by: Symbol, mut read: impl FnMut(&mut Self) -> Parsed) -> Parsed {
        let first = self.at;
        let part = read(self)?;
        if self.symbol() != Some(by) {
            return Ok(part);
        }
        let mut parts = vec![part];
        while self.take(by) {
            parts.push(read(self)?);
        }
        let what = format!("{} joins conditions", by.as_str());
        parts.iter().for_each(|part| self.require(part, Type::Bool, &what));
        Ok(self.part(first, PartKind::Logic(parts), Type::Bool))
    }

    fn relation(&mut self) -> Parsed {
        let first = self.at;
        let left = self.unary()?;
        let Some(operator) = self.symbol().filter(|symbol| is_relation(*symbol)) else { return Ok(left) };
        let column = self.column();
        self.advance();
        let right = self.unary()?;
        if self.symbol().is_some_and(is_relation) {
            let description = "a comparison of comparisons; put one of them in parentheses";
            return Err(ExpressionFault::new(self.column(), NOT_SUPPORTED, description));
        }
        match operator {
            Symbol::In => self.check_in(column, &left, &right),
            _ => self.check_comparison(column, operator, &left, &right),
        }
        Ok(self.part(first, PartKind::Of(vec![left, right]), Type::Bool))
    }

    fn unary(&mut self) -> Parsed {
        let first = self.at;
        if !self.take(Symbol::Not) {
            return self.member();
        }
        let part = self.nested(Self::unary)?;
        self.require(&part, Type::Bool, "! stands before a condition");
        Ok(self.part(first, PartKind::Logic(vec![part]), Type::Bool))
    }

    fn member(&mut self) -> Parsed {
        let first = self.at;
        let mut part = self.primary()?;
        loop {
            if self.take(Symbol::Dot) {
                let (column, TokenKind::Word(name)) = (self.column(), self.token().kind.clone()) else {
                    return Err(self.unexpected("expected a name after the dot"));
                };
                self.advance();
                part = if self.symbol() == Some(Symbol::Open) {
                    self.method(first, column, &name, part)?
                } else {
                    self.select(first, column, name, &part)
                };
            } else if self.symbol() == Some(Symbol::OpenList) {
                let column = self.column();
                self.advance();
                let key = self.nested(Self::expression)?;
                self.expect(Symbol::CloseList)?;
                part = self.index(first, column, key, &part);
            } else {
                return Ok(part);
            }
        }
    }

    /// `part.name`
    fn select(&mut self, first: usize, column: usize, name: String, part: &Part) -> Part {
        match &part.kind {
            PartKind::Whole(root) => match Field::of(root, &name) {
                Some(field) => self.part(first, PartKind::Read(Reference { field, key: None }), field.ty()),
                None => {
                    let known = Field::names(root);
                    self.fault(column, UNKNOWN_NAME, unknown(&format!("{root} has no {name}"), &name, known));
                    self.faulty(first)
                }
            },
            PartKind::Read(Reference { field, key: None }) if part.ty == Type::Map => {
                let reference = Reference { field: *field, key: Some(name) };
                self.part(first, PartKind::Read(reference), Type::Text)
            }
            _ => {
                if part.ty != Type::Faulty {
                    let description = format!("{} has nothing called {name}", part.ty.noun());
                    self.fault(column, UNKNOWN_NAME, description);
                }
                self.faulty(first)
            }
        }
    }

    /// `part[key]`
    fn index(&mut self, first: usize, column: usize, key: Part, part: &Part) -> Part {
        match (&part.kind, key.kind) {
            (PartKind::Read(Reference { field, key: None }), PartKind::Text(key)) if part.ty == Type::Map => {
                let reference = Reference { field: *field, key: Some(key) };
                return self.part(first, PartKind::Read(reference), Type::Text);
            }
            (PartKind::Read(_), _) if part.ty == Type::Map => {
                self.fault(column, NOT_SUPPORTED, "a key stands in quotation marks, as in [\"high-tech\"]");
            }
            _ if part.ty != Type::Faulty => {
                let description =
                    format!("{} has no keys; only attributes, identifiers and labels have", part.ty.noun());
                self.fault(column, NOT_SUPPORTED, description);
            }
            _ => {}
        }
        self.faulty(first)
    }

    /// `part.name(…)`
    fn method(&mut self, first: usize, column: usize, name: &str, part: Part) -> Parsed {
        let arguments = self.arguments()?;
        if name != "startsWith" {
            self.fault(column, NOT_SUPPORTED, no_function(name, "startsWith is the one that follows a dot"));
            return Ok(self.faulty(first));
        }
        self.require(&part, Type::Text, "startsWith is asked of a text");
        self.take_count(column, name, &arguments);
        arguments.iter().for_each(|argument| self.require(argument, Type::Text, "startsWith takes a text"));
        let parts = [part].into_iter().chain(arguments).collect();
        Ok(self.part(first, PartKind::Of(parts), Type::Bool))
    }

    /// What stands in parentheses after a name.
    fn arguments(&mut self) -> Result<Vec<Part>, ExpressionFault> {
        self.expect(Symbol::Open)?;
        if self.take(Symbol::Close) {
            return Ok(Vec::new());
        }
        self.nested(|parser| parser.members(Symbol::Close))
    }

    /// Parts with commas between them, up to this symbol.
    fn members(&mut self, end: Symbol) -> Result<Vec<Part>, ExpressionFault> {
        let mut members = Vec::new();
        loop {
            if members.len() == MEMBERS {
                let description = format!("there are more than {MEMBERS} members; split it into conditions");
                return Err(ExpressionFault::new(self.column(), TOO_LARGE, description));
            }
            members.push(self.expression()?);
            if self.take(end) {
                return Ok(members);
            }
            if !self.take(Symbol::Comma) {
                return Err(self.unexpected(&format!("expected , or {}", end.as_str())));
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let first = self.at;
        match self.token().kind.clone() {
            TokenKind::Text(text) => {
                self.advance();
                Ok(self.part(first, PartKind::Text(text), Type::Text))
            }
            TokenKind::Int => {
                self.advance();
                Ok(self.part(first, PartKind::Literal, Type::Int))
            }
            TokenKind::Bool => {
                self.advance();
                Ok(self.part(first, PartKind::Literal, Type::Bool))
            }
            TokenKind::Word(word) => {
                self.advance();
                if self.symbol() == Some(Symbol::Open) {
                    self.function(first, &word)
                } else {
                    Ok(self.root(first, &word))
                }
            }
            TokenKind::Symbol(Symbol::Open) => {
                self.advance();
                let inner = self.nested(Self::expression)?;
                self.expect(Symbol::Close)?;
                // The parentheses belong to it.
                let Part { kind, ty, .. } = inner;
                Ok(self.part(first, kind, ty))
            }
            TokenKind::Symbol(Symbol::OpenList) => {
                self.advance();
                self.list(first)
            }
            _ => Err(self.unexpected("expected a value")),
        }
    }

    fn list(&mut self, first: usize) -> Parsed {
        let column = self.tokens[first].column;
        if self.take(Symbol::CloseList) {
            self.fault(column, NOT_SUPPORTED, "nothing is in an empty list; name its members");
            return Ok(self.faulty(first));
        }
        let members = self.nested(|parser| parser.members(Symbol::CloseList))?;
        let known =
            members.iter().map(|member| member.ty).find(|ty| *ty != Type::Faulty).unwrap_or(Type::Faulty);
        members.iter().for_each(|member| self.require(member, known, "members of a list are of one type"));
        let Some(ty) = known.list() else {
            let description =
                format!("a list holds texts, numbers, true or false, and this is one of {}", known.noun());
            self.fault(column, NOT_SUPPORTED, description);
            return Ok(self.faulty(first));
        };
        Ok(self.part(first, PartKind::Of(members), ty))
    }

    /// A name that stands at the beginning.
    fn root(&mut self, first: usize, word: &str) -> Part {
        let column = self.tokens[first].column;
        match word {
            DATE => self.part(first, PartKind::Read(Reference { field: Field::Date, key: None }), Type::Text),
            ORGANIZATION => self.part(first, PartKind::Whole(ORGANIZATION), Type::Whole),
            PROJECT if self.of_projects => self.part(first, PartKind::Whole(PROJECT), Type::Whole),
            PROJECT => {
                let description =
                    "the policy's subject is ORGANIZATION, so there is no project; make it PROJECT";
                self.fault(column, UNKNOWN_NAME, description);
                self.faulty(first)
            }
            "null" => {
                self.fault(
                    column,
                    NOT_SUPPORTED,
                    "nothing is null; ask whether something is there by has(…)",
                );
                self.faulty(first)
            }
            _ => {
                let known = [ORGANIZATION, PROJECT, DATE].into_iter();
                self.fault(
                    column,
                    UNKNOWN_NAME,
                    unknown(&format!("there is nothing called {word}"), word, known),
                );
                self.faulty(first)
            }
        }
    }

    fn function(&mut self, first: usize, name: &str) -> Parsed {
        let column = self.tokens[first].column;
        let mut arguments = self.arguments()?;
        if !matches!(name, "has" | "size" | "num" | "years") {
            self.fault(column, NOT_SUPPORTED, no_function(name, "there are has, size, num and years"));
            return Ok(self.faulty(first));
        }
        self.take_count(column, name, &arguments);
        let Some(argument) = arguments.pop() else { return Ok(self.faulty(first)) };
        match name {
            "has" => return Ok(self.has(first, column, argument)),
            "size" => {
                if !matches!(argument.ty, Type::Text | Type::Texts | Type::Map | Type::Faulty) {
                    let description =
                        format!("size is of a text, a list or a map, and this is {}", argument.ty.noun());
                    self.fault(argument.column, WRONG_TYPE, description);
                }
                return Ok(self.part(first, PartKind::Of(vec![argument]), Type::Int));
            }
            _ => {}
        }
        self.require(&argument, Type::Text, &format!("{name} takes a text"));
        let (ty, fault) = match (name, &argument.kind) {
            ("num", PartKind::Text(text)) => (Type::Number, number(text).err()),
            ("num", _) => (Type::Number, None),
            (_, PartKind::Text(text)) => (Type::Int, day(text).err()),
            (_, _) => (Type::Int, None),
        };
        if let Some(description) = fault {
            self.fault(argument.column, WRONG_TYPE, description);
        }
        Ok(self.part(first, PartKind::Convert(Box::new(argument)), ty))
    }

    fn has(&mut self, first: usize, column: usize, argument: Part) -> Part {
        let is_select =
            self.text[argument.span.clone()].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        match argument.kind {
            PartKind::Read(reference) if is_select && reference.field != Field::Date => {
                self.part(first, PartKind::Has(reference), Type::Bool)
            }
            _ => {
                if argument.ty != Type::Faulty {
                    let description = "has takes a name with a dot, as in has(org.kind); whether there is another key is \
                                       asked as in \"high-tech\" in org.attributes";
                    self.fault(column, NOT_SUPPORTED, description);
                }
                self.part(first, PartKind::Literal, Type::Bool)
            }
        }
    }

    fn faulty(&self, first: usize) -> Part {
        self.part(first, PartKind::Literal, Type::Faulty)
    }
}

fn is_relation(symbol: Symbol) -> bool {
    use Symbol::{Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, NotEqual};
    matches!(symbol, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual | In)
}

fn no_function(name: &str, there_are: &str) -> String {
    format!("{name} is no function here; {there_are}")
}

/// What to say of a name that is not there.
fn unknown(what: &str, given: &str, known: impl Iterator<Item = &'static str> + Clone) -> String {
    match nearest(given, known.clone()) {
        Some(meant) => format!("{what}; did you mean {meant}?"),
        None => format!("{what}; there are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

//! The parser: a filter's text as an expression whose fields and values have no types yet.
//!
//! Invariant: reads the texts of AIP-160's grammar as it does, and no others. Not supported, and refused by
//! name, are values alone, fields in quotes, and functions of anything but plain values. Every character is
//! read a bounded number of times, and recursion is as deep as parentheses are nested, which is bounded.

use super::comparison::Operator;
use super::error::FaultAt;
use super::scan::{Literal, Scanner};
use super::tree::Tree;
use crate::limits::{FILTER_CHARS, FILTER_COMPARISONS, FILTER_DEPTH};
use crate::quote::quoted;

/// How large a filter may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) chars: usize,
    pub(super) comparisons: usize,
    pub(super) depth: usize,
}

impl Limits {
    /// Those of the API.
    pub(super) const API: Limits =
        Limits { chars: FILTER_CHARS, comparisons: FILTER_COMPARISONS, depth: FILTER_DEPTH };
}

/// `path operator value`, with the bytes to point at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Restriction {
    pub(super) path: Vec<String>,
    pub(super) path_at: usize,
    pub(super) operator: Operator,
    pub(super) operator_at: usize,
    /// One value, or an expression over several.
    pub(super) arg: Tree<Arg>,
}

/// A value of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arg {
    Value(Literal),
    Call(Call),
}

impl Arg {
    pub(super) fn offset(&self) -> usize {
        match self {
            Arg::Value(literal) => literal.offset,
            Arg::Call(call) => call.offset,
        }
    }
}

/// A function and what it is called with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) args: Vec<Literal>,
    pub(super) offset: usize,
}

/// The expression of a filter; `None` of one that is empty.
pub(super) fn parse(text: &str, limits: Limits) -> Result<Option<Tree<Restriction>>, FaultAt> {
    if let Some((offset, _)) = text.char_indices().nth(limits.chars) {
        let message = format!("the filter has more than {} characters; shorten it", limits.chars);
        return Err(FaultAt::new(offset, message));
    }
    Parser::new(text, limits).filter()
}

/// How many characters are looked at for a text.
#[cfg(test)]
pub(super) fn steps(text: &str, limits: Limits) -> usize {
    let mut parser = Parser::new(text, limits);
    let _ = parser.filter();
    parser.scanner.steps()
}

/// What an expression is made of: comparisons, or the values of one.
struct Part<L> {
    noun: &'static str,
    leaf: fn(&mut Parser<'_>) -> Result<L, FaultAt>,
    /// Whether a minus before a digit belongs to a number.
    numbers: bool,
}

const COMPARISONS: Part<Restriction> =
    Part { noun: "comparison", leaf: |parser| parser.restriction(), numbers: false };
const VALUES: Part<Arg> = Part { noun: "value", leaf: |parser| parser.counted_arg(), numbers: true };

struct Parser<'a> {
    scanner: Scanner<'a>,
    limits: Limits,
    /// How many parentheses are open.
    depth: usize,
    comparisons: usize,
    /// Whether there were blanks before what is read next.
    separated: bool,
}

/// `AND`, `OR`, `NOT`: in capital letters, each between blanks.
const KEYWORDS: [&str; 3] = ["AND", "OR", "NOT"];

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: Limits) -> Self {
        Self { scanner: Scanner::new(text), limits, depth: 0, comparisons: 0, separated: true }
    }

    fn filter(&mut self) -> Result<Option<Tree<Restriction>>, FaultAt> {
        self.scanner.blanks();
        if self.scanner.peek().is_none() {
            return Ok(None);
        }
        self.expression(&COMPARISONS).map(Some)
    }

    /// `sequence {AND sequence}`, where a sequence is factors between blanks: both mean that all must hold.
    fn expression<L>(&mut self, part: &Part<L>) -> Result<Tree<L>, FaultAt> {
        let mut members = Vec::new();
        loop {
            members.push(self.factor(part)?);
            match self.scanner.peek() {
                None => break,
                Some(')') if self.depth > 0 => break,
                Some(')') => {
                    return Err(
                        self.error("this ) closes nothing; put the value in quotes if it is part of it")
                    );
                }
                Some(',') => {
                    let message = "a comma stands only between what a function takes; join by AND or OR";
                    return Err(self.error(message));
                }
                _ => {}
            }
            if self.scanner.keyword("AND") {
                self.conjunction("AND", part)?;
            } else if !self.separated {
                let noun = part.noun;
                return Err(self.error(&format!(
                    "something else must not follow the value directly; separate {noun}s by AND or OR"
                )));
            }
        }
        Ok(Tree::all(members))
    }

    /// `term {OR term}`
    fn factor<L>(&mut self, part: &Part<L>) -> Result<Tree<L>, FaultAt> {
        let mut members = Vec::new();
        loop {
            members.push(self.term(part)?);
            self.separated = self.scanner.blanks();
            if !self.scanner.keyword("OR") {
                return Ok(Tree::any(members));
            }
            self.conjunction("OR", part)?;
        }
    }

    /// Takes the word between two operands.
    fn conjunction<L>(&mut self, word: &'static str, part: &Part<L>) -> Result<(), FaultAt> {
        if !self.separated {
            return Err(self.error(&format!("write a blank before {word}")));
        }
        self.take_word(word, part)
    }

    /// Takes a keyword that an operand must follow.
    fn take_word<L>(&mut self, word: &'static str, part: &Part<L>) -> Result<(), FaultAt> {
        self.scanner.skip(word);
        let blanks = self.scanner.blanks();
        let missing = match self.scanner.peek() {
            None | Some(')') => true,
            Some(_) => self.scanner.keyword("AND") || self.scanner.keyword("OR"),
        };
        if missing {
            return Err(self.error(&format!("after {word} a {} must follow", part.noun)));
        }
        if blanks { Ok(()) } else { Err(self.error(&format!("write a blank after {word}"))) }
    }

    /// `[NOT | -] simple`
    fn term<L>(&mut self, part: &Part<L>) -> Result<Tree<L>, FaultAt> {
        if self.scanner.keyword("NOT") {
            self.take_word("NOT", part)?;
        } else if self.scanner.peek() == Some('-') && !(part.numbers && self.scanner.is_number()) {
            self.scanner.skip("-");
            match self.scanner.peek() {
                None => return Err(self.error(&format!("after - a {} must follow", part.noun))),
                Some(c) if c.is_whitespace() => {
                    return Err(self.error("- stands directly before what it negates; or write NOT"));
                }
                Some(_) => {}
            }
        } else {
            return self.simple(part);
        }
        if self.scanner.keyword("NOT") || self.scanner.peek() == Some('-') {
            let message = "what is negated already is negated again only in parentheses; leave out both";
            return Err(self.error(message));
        }
        Ok(Tree::Not(self.simple(part)?.into()))
    }

    /// One leaf, or an expression in parentheses.
    fn simple<L>(&mut self, part: &Part<L>) -> Result<Tree<L>, FaultAt> {
        for word in ["AND", "OR"] {
            if self.scanner.keyword(word) {
                return Err(self.error(&format!("before {word} a {} must stand", part.noun)));
            }
        }
        if self.scanner.peek() == Some('(') {
            self.composite(part)
        } else {
            (part.leaf)(self).map(Tree::Leaf)
        }
    }

    /// `( expression )`
    fn composite<L>(&mut self, part: &Part<L>) -> Result<Tree<L>, FaultAt> {
        let open = self.scanner.at();
        if self.depth == self.limits.depth {
            let message =
                format!("parentheses are nested more than {} deep here; write it flatter", self.limits.depth);
            return Err(self.error(&message));
        }
        self.depth += 1;
        self.scanner.skip("(");
        self.scanner.blanks();
        let unclosed =
            || FaultAt::new(open, "the parenthesis that opens here is not closed; write ) after it");
        match self.scanner.peek() {
            None => return Err(unclosed()),
            Some(')') => return Err(self.error(&format!("a {} must stand between ( and )", part.noun))),
            Some(_) => {}
        }
        let inner = self.expression(part)?;
        self.depth -= 1;
        if self.scanner.take(')') { Ok(inner) } else { Err(unclosed()) }
    }

    fn restriction(&mut self) -> Result<Restriction, FaultAt> {
        let path_at = self.scanner.at();
        self.count(path_at, 0)?;
        let path = self.path()?;
        let called = self.scanner.peek() == Some('(');
        self.scanner.blanks();
        let operator_at = self.scanner.at();
        let Some(operator) = self.scanner.operator()? else {
            return Err(self.no_operator(path_at, &path, called));
        };
        self.scanner.blanks();
        let arg = if self.scanner.peek() == Some('(') {
            self.composite(&VALUES)?
        } else {
            Tree::Leaf(self.counted_arg()?)
        };
        Ok(Restriction { path, path_at, operator, operator_at, arg })
    }

    /// The names and keys before the sign.
    fn path(&mut self) -> Result<Vec<String>, FaultAt> {
        match self.scanner.peek() {
            Some('"' | '\'') => {
                return Err(
                    self.error("a comparison begins with a field, without quotes, as in state = PLANNED")
                );
            }
            Some('“' | '”' | '‘' | '’') => {
                return Err(self.error("a comparison begins with a field, without quotes"));
            }
            Some('（' | '）') => {
                return Err(self.error("this is a full-width parenthesis; write ( or ) instead"));
            }
            _ => {}
        }
        let first = self.scanner.word();
        if first.is_empty() {
            let found: String = self.scanner.peek().into_iter().collect();
            return Err(self.error(&format!("a field must stand here, not {}", quoted(&found))));
        }
        let mut path = vec![first.to_owned()];
        while self.scanner.take('.') {
            let at = self.scanner.at();
            let part = match self.scanner.quoted_word()? {
                Some(key) => key,
                None => self.scanner.word().to_owned(),
            };
            if part.is_empty() {
                return Err(FaultAt::new(at, "after the dot a name must follow"));
            }
            path.push(part);
        }
        Ok(path)
    }

    fn counted_arg(&mut self) -> Result<Arg, FaultAt> {
        let at = self.scanner.at();
        self.count(at, 1)?;
        self.arg()
    }

    /// The value after the sign.
    fn arg(&mut self) -> Result<Arg, FaultAt> {
        let literal = self.value()?;
        if literal.quoted || self.scanner.peek() != Some('(') {
            return Ok(Arg::Value(literal));
        }
        let open = self.scanner.at();
        self.scanner.skip("(");
        let mut args = Vec::new();
        self.scanner.blanks();
        while !self.scanner.take(')') {
            if !args.is_empty() && !self.scanner.take(',') {
                let message = match self.scanner.peek() {
                    None => "the parenthesis that opens here is not closed; write ) after it",
                    Some(_) => "a function takes values with commas between them, as in days(30)",
                };
                return Err(FaultAt::new(open, message));
            }
            self.scanner.blanks();
            args.push(self.value()?);
            self.scanner.blanks();
        }
        Ok(Arg::Call(Call { name: literal.text, args, offset: literal.offset }))
    }

    /// A value that is no keyword.
    fn value(&mut self) -> Result<Literal, FaultAt> {
        let start = self.scanner.at();
        let value = self.scanner.literal()?;
        if !value.quoted && value.text.is_empty() {
            return Err(FaultAt::new(start, "a value must follow; write \"\" for the empty text"));
        }
        if !value.quoted && KEYWORDS.contains(&value.text.as_str()) {
            let message = format!("{} is a keyword; put it in quotes if it is the value", value.text);
            return Err(FaultAt::new(start, message));
        }
        Ok(value)
    }

    /// What stands there instead of a comparison.
    fn no_operator(&self, start: usize, path: &[String], called: bool) -> FaultAt {
        if let [word] = path {
            let upper = word.to_ascii_uppercase();
            if KEYWORDS.contains(&upper.as_str()) {
                return FaultAt::new(start, format!("write {upper} in capital letters"));
            }
        }
        if called {
            let message = "a field stands on the left; the functions today() and days(n) stand on the right, \
                           as in forecast_date < days(30)";
            return FaultAt::new(start, message);
        }
        match self.scanner.peek() {
            Some(c) if !c.is_alphanumeric() && !"_-\"'()".contains(c) => self.error(&format!(
                "{} must not stand here; one of =, !=, <, <=, >, >=, : must follow the field",
                quoted(&c.to_string())
            )),
            _ => FaultAt::new(
                start,
                "a value alone is not searched for; write field = value, or field:value to search in a text",
            ),
        }
    }

    /// Counts so many more comparisons, or refuses one that is too many.
    fn count(&mut self, offset: usize, more: usize) -> Result<(), FaultAt> {
        if self.comparisons == self.limits.comparisons {
            let message = format!("the filter has more than {} comparisons; use fewer", self.comparisons);
            return Err(FaultAt::new(offset, message));
        }
        self.comparisons += more;
        Ok(())
    }

    fn error(&self, message: &str) -> FaultAt {
        FaultAt::new(self.scanner.at(), message)
    }
}

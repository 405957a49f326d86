//! The tokens of an expression, each with its column.
//!
//! Invariants: it reads any text without recursion, in one pass, and finds every fault of it at once; no token is made of
//! what the language does not have. Columns count characters from 1.

use std::fmt;

use milepost_types::{Fault, quoted};

/// Characters of an expression.
pub(crate) const CHARS: usize = 500;
/// Faults of one expression that are named; further ones are found by the next attempt.
const FAULTS: usize = 16;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpressionFault {
    pub(crate) column: usize,
    reason: &'static str,
    description: String,
}

impl ExpressionFault {
    pub(super) fn new(column: usize, reason: &'static str, description: impl Into<String>) -> Self {
        Self { column, reason, description: description.into() }
    }
}

impl fmt::Display for ExpressionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.description)
    }
}

impl Fault for ExpressionFault {
    fn reason(&self) -> &'static str {
        self.reason
    }
}

/// It is not written as the language is.
pub(super) const SYNTAX: &str = "EXPRESSION_SYNTAX";
/// The language as a whole has it, but expressions here do not.
pub(super) const NOT_SUPPORTED: &str = "EXPRESSION_NOT_SUPPORTED";
/// It is too long, too deep, or has a list that is.
pub(super) const TOO_LARGE: &str = "EXPRESSION_TOO_LARGE";
/// There is no such value, or none that it is compared with.
pub(super) const UNKNOWN_NAME: &str = "EXPRESSION_UNKNOWN_NAME";
/// Values do not go together, or the result is not true or false.
pub(super) const WRONG_TYPE: &str = "EXPRESSION_WRONG_TYPE";

/// A symbol or a word that is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    And,
    Or,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Question,
    Colon,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Dot,
}

impl Symbol {
    /// Longer ones first: what begins like another must not be taken for it.
    const ALL: [(Symbol, &'static str); 18] = [
        (Symbol::And, "&&"),
        (Symbol::Or, "||"),
        (Symbol::Equal, "=="),
        (Symbol::NotEqual, "!="),
        (Symbol::LessOrEqual, "<="),
        (Symbol::GreaterOrEqual, ">="),
        (Symbol::Less, "<"),
        (Symbol::Greater, ">"),
        (Symbol::Not, "!"),
        (Symbol::Question, "?"),
        (Symbol::Colon, ":"),
        (Symbol::Open, "("),
        (Symbol::Close, ")"),
        (Symbol::OpenList, "["),
        (Symbol::CloseList, "]"),
        (Symbol::Comma, ","),
        (Symbol::Dot, "."),
        (Symbol::In, "in"),
    ];

    pub(super) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(symbol, _)| *symbol == self).map_or("", |(_, text)| text)
    }
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    Symbol(Symbol),
    Word(String),
    Text(String),
    Int,
    Bool,
    End,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) column: usize,
    /// Where it begins and ends in the text, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The tokens of a text, `End` last.
///
/// # Errors
/// All that is no token, up to a limit.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Vec<ExpressionFault>> {
    if text.chars().nth(CHARS).is_some() {
        let description =
            format!("the expression is longer than {CHARS} characters; split it into conditions");
        return Err(vec![ExpressionFault::new(CHARS + 1, TOO_LARGE, description)]);
    }
    let mut scan =
        Scan { text, chars: text.char_indices().collect(), at: 0, tokens: Vec::new(), faults: Vec::new() };
    while scan.at < scan.chars.len() && scan.faults.len() < FAULTS {
        scan.step();
    }
    let (column, end) = (scan.chars.len() + 1, text.len());
    scan.tokens.push(Token { kind: TokenKind::End, column, start: end, end });
    if scan.faults.is_empty() { Ok(scan.tokens) } else { Err(scan.faults) }
}

/// Whether it changes the direction of writing, which would let a text disguise another.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

struct Scan<'a> {
    text: &'a str,
    chars: Vec<(usize, char)>,
    at: usize,
    tokens: Vec<Token>,
    faults: Vec<ExpressionFault>,
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).map(|(_, c)| *c)
    }

    /// Where the character with this index begins, in bytes.
    fn byte(&self, index: usize) -> usize {
        self.chars.get(index).map_or(self.text.len(), |(at, _)| *at)
    }

    /// Makes a token of what is between `from` and here.
    fn push(&mut self, from: usize, kind: TokenKind) {
        let (start, end) = (self.byte(from), self.byte(self.at));
        self.tokens.push(Token { kind, column: from + 1, start, end });
    }

    fn fault(&mut self, at: usize, reason: &'static str, description: impl Into<String>) {
        self.faults.push(ExpressionFault::new(at + 1, reason, description));
    }

    /// Goes on while characters are such.
    fn skip(&mut self, is_such: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&is_such) {
            self.at += 1;
        }
    }

    fn step(&mut self) {
        let Some(c) = self.peek(0) else { return };
        match c {
            ' ' | '\t' | '\n' | '\r' => self.at += 1,
            '"' | '\'' => self.quoted_text(c),
            '0'..='9' => self.number(self.at),
            '-' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) && !self.follows_value() => {
                self.at += 1;
                self.number(self.at - 1);
            }
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            _ => self.symbol(c),
        }
    }

    /// Whether a value ends right before: what follows it is an operator.
    fn follows_value(&self) -> bool {
        let Some(last) = self.tokens.last() else { return false };
        match last.kind {
            TokenKind::Symbol(symbol) => matches!(symbol, Symbol::Close | Symbol::CloseList),
            _ => true,
        }
    }

    fn word(&mut self) {
        let from = self.at;
        self.skip(|c| c.is_ascii_alphanumeric() || c == '_');
        let word = &self.text[self.byte(from)..self.byte(self.at)];
        let kind = match word {
            "true" | "false" => TokenKind::Bool,
            "in" => TokenKind::Symbol(Symbol::In),
            word => TokenKind::Word(word.to_owned()),
        };
        self.push(from, kind);
    }

    fn number(&mut self, from: usize) {
        self.skip(|c| c.is_ascii_digit());
        let is_decimal = self.peek(0) == Some('.') && self.peek(1).is_some_and(|c| c.is_ascii_digit());
        if is_decimal || self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.skip(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            let given = quoted(&self.text[self.byte(from)..self.byte(self.at)]);
            let description = format!("{given} is no whole number; others are written as in num(\"1.5\")");
            return self.fault(from, NOT_SUPPORTED, description);
        }
        if self.text[self.byte(from)..self.byte(self.at)].parse::<i64>().is_err() {
            return self.fault(from, TOO_LARGE, "the number does not fit 64 bits; give a smaller one");
        }
        self.push(from, TokenKind::Int);
    }

    fn quoted_text(&mut self, quote: char) {
        let from = self.at;
        self.at += 1;
        let (mut value, faults) = (String::new(), self.faults.len());
        while let Some(c) = self.peek(0) {
            self.at += 1;
            match c {
                c if c == quote => {
                    if self.faults.len() == faults {
                        self.push(from, TokenKind::Text(value));
                    }
                    return;
                }
                '\\' => match self.peek(0) {
                    Some(escaped @ ('\\' | '"' | '\'')) => {
                        value.push(escaped);
                        self.at += 1;
                    }
                    _ => {
                        let description =
                            "after \\ stands a quotation mark or another \\; write others as they are";
                        self.fault(self.at - 1, NOT_SUPPORTED, description);
                    }
                },
                c if c.is_control() || is_direction(c) => {
                    let code = u32::from(c);
                    let description = format!("a text has no control characters; leave U+{code:04X} out");
                    self.fault(self.at - 1, SYNTAX, description);
                }
                c => value.push(c),
            }
        }
        self.fault(from, SYNTAX, format!("the text that begins here has no end; end it with {quote}"));
    }

    fn symbol(&mut self, c: char) {
        let rest = &self.text[self.byte(self.at)..];
        // Words are read before: `in` is none that is found here.
        if let Some((symbol, text)) = Symbol::ALL.iter().find(|(_, text)| rest.starts_with(text)) {
            let from = self.at;
            self.at += text.len();
            return self.push(from, TokenKind::Symbol(*symbol));
        }
        let from = self.at;
        let (reason, description) = match c {
            '-' => (
                NOT_SUPPORTED,
                "arithmetic is not supported; a key with a hyphen is written as in org.attributes[\"high-tech\"]"
                    .to_owned(),
            ),
            '+' | '*' | '/' | '%' => (NOT_SUPPORTED, format!("{c}: arithmetic and comments are not supported")),
            '{' | '}' => (NOT_SUPPORTED, "maps and messages cannot be written; ask for one key at a time".to_owned()),
            '=' => (SYNTAX, "values are compared by ==".to_owned()),
            '&' | '|' => (SYNTAX, format!("conditions are joined by {c}{c}")),
            c if c.is_control() => (SYNTAX, "control characters cannot stand here; leave it out".to_owned()),
            c if c.is_ascii() => (SYNTAX, format!("the character {c} means nothing here")),
            _ => {
                let description = "characters other than ASCII stand only in texts, within quotation marks";
                (SYNTAX, description.to_owned())
            }
        };
        self.at += 1;
        if !c.is_ascii() {
            // One fault for all of a word.
            self.skip(|c| !c.is_ascii());
        }
        self.fault(from, reason, description);
    }
}

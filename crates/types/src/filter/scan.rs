//! The lexer: words, quoted texts and signs of a filter, asked for by what may stand next.
//!
//! Invariant: it only moves forward, over whole characters, and every position it gives is the byte
//! where something begins. It is asked for a path or for a value because the same characters mean
//! different things there: `.` and `:` separate in a path and belong to a bare value such as
//! `2021-05-27T00:00:00.5Z`.

use super::comparison::Operator;
use super::error::FaultAt;

/// A text, and which of its stars stand for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    /// The text without quotes and escapes; wildcards are still in it, as `*`.
    pub(super) text: String,
    /// The bytes of `text` where a star is a wildcard.
    pub(super) wildcards: Vec<usize>,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
    /// The byte of the filter where it begins.
    pub(super) offset: usize,
}

/// A filter's text and how far it was read.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    #[cfg(test)]
    steps: std::cell::Cell<usize>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            #[cfg(test)]
            steps: std::cell::Cell::default(),
        }
    }

    /// The byte that is read next.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Skips blanks, the ideographic one too; true if there were any.
    pub(super) fn blanks(&mut self) -> bool {
        let before = self.at;
        self.take_while(char::is_whitespace);
        self.at > before
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.count(1);
        self.rest().chars().next()
    }

    /// Whether a keyword is next, as a whole word.
    pub(super) fn keyword(&self, word: &str) -> bool {
        self.count(word.len() + 1);
        let rest = self.rest().strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(is_of_word))
    }

    /// Whether a negative number is next.
    pub(super) fn is_number(&self) -> bool {
        self.count(2);
        self.rest().strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Takes what was found to be next.
    pub(super) fn skip(&mut self, found: &str) {
        debug_assert!(self.rest().starts_with(found));
        self.at += found.len();
    }

    /// Takes this character if it is next.
    pub(super) fn take(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    /// The longest word of a path that is next; empty if none is.
    pub(super) fn word(&mut self) -> &'a str {
        self.take_while(is_of_word)
    }

    /// The comparison sign that is next, if one is.
    pub(super) fn operator(&mut self) -> Result<Option<Operator>, FaultAt> {
        const SIGNS: [(&str, Operator); 7] = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
            (":", Operator::Has),
        ];
        let start = self.at;
        let Some((sign, operator)) = SIGNS.into_iter().find(|(sign, _)| self.rest().starts_with(sign)) else {
            return match self.peek() {
                Some('!') => Err(FaultAt::new(start, "\"!\" is no sign of its own; write != for not equal")),
                Some('＝' | '＜' | '＞' | '：' | '！') => Err(FaultAt::new(
                    start,
                    "this is a full-width sign; write =, !=, <, <=, >, >= or : instead",
                )),
                _ => Ok(None),
            };
        };
        self.at += sign.len();
        match self.peek() {
            Some('=' | '<' | '>' | '~' | '!') => {
                let next: String = self.peek().into_iter().collect();
                Err(FaultAt::new(
                    start,
                    format!("\"{sign}{next}\" is no comparison; use one of =, !=, <, <=, >, >=, :"),
                ))
            }
            _ => Ok(Some(operator)),
        }
    }

    /// The value that is next: quoted, or a bare word.
    pub(super) fn literal(&mut self) -> Result<Literal, FaultAt> {
        match self.peek() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            Some('“' | '”' | '‘' | '’' | '＂' | '＇') => {
                Err(FaultAt::new(self.at, "put texts between straight quotes, as in \"科学大道\""))
            }
            _ => self.bare(),
        }
    }

    /// A quoted text of a path: no star in it is a wildcard.
    pub(super) fn quoted_word(&mut self) -> Result<Option<String>, FaultAt> {
        match self.peek() {
            Some(quote @ ('"' | '\'')) => {
                let literal = self.quoted(quote)?;
                if literal.wildcards.is_empty() {
                    Ok(Some(literal.text))
                } else {
                    Err(FaultAt::new(literal.offset, "a key is named whole; write \\* for a star in it"))
                }
            }
            _ => Ok(None),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Literal, FaultAt> {
        let offset = self.at;
        let mut literal = Literal { text: String::new(), wildcards: Vec::new(), quoted: true, offset };
        self.at += quote.len_utf8();
        while let Some(c) = self.peek() {
            let start = self.at;
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return Ok(literal),
                '\\' => {
                    let escaped = self.peek();
                    self.at += escaped.map_or(0, char::len_utf8);
                    literal.text.push(match escaped {
                        Some(same @ ('\\' | '"' | '\'' | '*')) => same,
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        _ => {
                            return Err(FaultAt::new(
                                start,
                                "after \\ one of \\ \" ' * n r t must follow; write \\\\ for the character itself",
                            ));
                        }
                    });
                }
                _ => {
                    if c == '*' {
                        literal.wildcards.push(literal.text.len());
                    }
                    literal.text.push(c);
                }
            }
        }
        Err(FaultAt::new(offset, format!("the text that begins here has no closing {quote}")))
    }

    fn bare(&mut self) -> Result<Literal, FaultAt> {
        let offset = self.at;
        let text = self.take_while(|c| !c.is_whitespace() && !"\"'\\(),=<>!".contains(c)).to_owned();
        if let Some(c @ ('"' | '\'' | '\\' | '=' | '<' | '>' | '!')) = self.peek() {
            return Err(FaultAt::new(
                self.at,
                format!("{c} must not stand in a value without quotes; put the value in quotes"),
            ));
        }
        let wildcards = text.match_indices('*').map(|(i, _)| i).collect();
        Ok(Literal { text, wildcards, quoted: false, offset })
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !wanted(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        self.count(taken.len() + 1);
        taken
    }

    /// How many characters were looked at so far.
    #[cfg(test)]
    pub(super) fn steps(&self) -> usize {
        self.steps.get()
    }

    /// Counts characters that are looked at, for the test that they are not looked at again and again.
    fn count(&self, characters: usize) {
        #[cfg(test)]
        self.steps.set(self.steps.get() + characters);
        #[cfg(not(test))]
        let _ = characters;
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

/// Whether a word of a path goes on with the character.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

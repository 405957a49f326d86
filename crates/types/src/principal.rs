//! A principal: who a call is of, as text that grants, entries and audit logs keep.
//!
//! Invariant: one principal has one text of 1 to [`PRINCIPAL_CHARS`] visible ASCII characters, and a text
//! that begins as one of the verified kinds is of that kind or is refused: a plain id, which its caller only
//! claims, cannot look like a principal that was verified. Does not say whether a principal was verified.

use std::fmt;
use std::str::FromStr;

use crate::id::ResourceId;
use crate::limits::PRINCIPAL_CHARS;
use crate::quote::{quoted, shortened};
use crate::violation::Fault;

const USER: &str = "user:";
const GROUP: &str = "group:";
const SERVICE_ACCOUNT: &str = "serviceaccount:";
const CERTIFICATE: &str = "cert:";

/// The characters of an issuer's alias, at most.
const ALIAS_CHARS: usize = 31;

/// A person, a group, a program, or an id that a caller claims.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Box<str>);

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// `user:{alias}/{sub}`: the subject of an issuer's token.
    User,
    /// `group:{alias}/{name}`: a group that an issuer's token names.
    Group,
    /// `serviceaccount:{id}`: a program with API tokens of ours.
    ServiceAccount,
    /// `cert:{uri}`: the holder of a client certificate.
    Certificate,
    /// Any other text: only ever claimed.
    Plain,
}

impl Principal {
    /// The subject of a token of the issuer with this alias. What is not visible ASCII in `sub`, and `%`, is
    /// percent-encoded.
    ///
    /// # Errors
    /// If the alias is malformed, the subject is empty, or the text is longer than [`PRINCIPAL_CHARS`].
    pub fn user(alias: &str, sub: &str) -> Result<Self, PrincipalError> {
        Self::of_issuer(USER, alias, sub)
    }

    /// A group of the issuer with this alias, with the encoding and the errors of [`Principal::user`].
    pub fn group(alias: &str, name: &str) -> Result<Self, PrincipalError> {
        Self::of_issuer(GROUP, alias, name)
    }

    /// The service account with this id.
    pub fn service_account(id: &ResourceId) -> Self {
        Self(format!("{SERVICE_ACCOUNT}{id}").into())
    }

    /// The holder of a certificate with this URI as its alternative name. The URI is kept as it is.
    ///
    /// # Errors
    /// If it is no URI, or is too long.
    pub fn certificate(uri: &str) -> Result<Self, PrincipalError> {
        format!("{CERTIFICATE}{uri}").parse()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the principal is.
    pub fn kind(&self) -> PrincipalKind {
        kind_and_rest(&self.0).0
    }

    /// The alias of the issuer, for users and groups.
    pub fn alias(&self) -> Option<&str> {
        match kind_and_rest(&self.0) {
            (PrincipalKind::User | PrincipalKind::Group, rest) => {
                rest.split_once('/').map(|(alias, _)| alias)
            }
            _ => None,
        }
    }

    fn of_issuer(prefix: &str, alias: &str, name: &str) -> Result<Self, PrincipalError> {
        check_alias(alias)?;
        format!("{prefix}{alias}/{}", encode(name)).parse()
    }
}

/// Checks the alias of an issuer: a lower-case letter, then up to 30 of `a` to `z`, `0` to `9` and `-`.
///
/// # Errors
/// If it is anything else.
pub fn check_alias(alias: &str) -> Result<(), PrincipalError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts = alias.starts_with(|first: char| first.is_ascii_lowercase());
    if starts && alias.len() <= ALIAS_CHARS && alias.bytes().all(allowed) {
        Ok(())
    } else {
        Err(PrincipalError::Alias(shortened(alias)))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why a text is no principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// Empty, too long, or with characters that are not visible ASCII.
    #[error("a principal is an id of 1 to {PRINCIPAL_CHARS} visible ASCII characters")]
    Text,
    /// Not the alias of an issuer.
    #[error("{} is no alias of an issuer: that is a letter a to z, then up to 30 of a to z, 0 to 9 and -", quoted(.0))]
    Alias(String),
    /// A user or a group without its alias or its name.
    #[error("{} lacks a part; write user:ALIAS/SUBJECT or group:ALIAS/NAME", quoted(.0))]
    Incomplete(String),
    /// A name in another encoding than the one of principals.
    #[error("{} is not encoded as principals are; write {}", quoted(.given), quoted(.canonical))]
    Encoding {
        /// As it was given.
        given: String,
        /// As it would be right, if `given` stands for itself.
        canonical: String,
    },
    /// A service account whose id is none.
    #[error("{} is no id of a service account; write serviceaccount:ID", quoted(.0))]
    ServiceAccount(String),
    /// A certificate whose name is no URI.
    #[error("{} is no URI; write cert:SCHEME:REST, such as cert:spiffe://office/sync", quoted(.0))]
    Uri(String),
}

impl Fault for PrincipalError {
    fn reason(&self) -> &'static str {
        "INVALID_PRINCIPAL"
    }
}

impl FromStr for Principal {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        match kind_and_rest(text) {
            (PrincipalKind::User | PrincipalKind::Group, rest) => check_name_of_issuer(text, rest)?,
            (PrincipalKind::ServiceAccount, id) => {
                let id = id.parse::<ResourceId>();
                id.map_err(|_| PrincipalError::ServiceAccount(shortened(text)))?;
            }
            (PrincipalKind::Certificate, uri) if !is_uri(uri) => {
                return Err(PrincipalError::Uri(shortened(text)));
            }
            (PrincipalKind::Certificate | PrincipalKind::Plain, _) => {}
        }
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || !visible || text.len() > PRINCIPAL_CHARS {
            return Err(PrincipalError::Text);
        }
        Ok(Self(text.into()))
    }
}

fn kind_and_rest(text: &str) -> (PrincipalKind, &str) {
    let kinds = [
        (USER, PrincipalKind::User),
        (GROUP, PrincipalKind::Group),
        (SERVICE_ACCOUNT, PrincipalKind::ServiceAccount),
        (CERTIFICATE, PrincipalKind::Certificate),
    ];
    let of = |(prefix, kind)| text.strip_prefix(prefix).map(|rest| (kind, rest));
    kinds.into_iter().find_map(of).unwrap_or((PrincipalKind::Plain, text))
}

fn check_name_of_issuer(text: &str, rest: &str) -> Result<(), PrincipalError> {
    let (alias, name) = rest.split_once('/').unwrap_or((rest, ""));
    check_alias(alias)?;
    if name.is_empty() {
        return Err(PrincipalError::Incomplete(shortened(text)));
    }
    if decode(name).map(|name| encode(&name)).as_deref() == Some(name) {
        return Ok(());
    }
    let prefix = &text[..text.len() - name.len()];
    let canonical = format!("{prefix}{}", encode(&decode(name).unwrap_or_else(|| name.to_owned())));
    Err(PrincipalError::Encoding { given: shortened(text), canonical: shortened(&canonical) })
}

/// Whether it begins with a scheme (RFC 3986, 3.1) and has something after it.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(allowed)
        && !rest.is_empty()
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The text of an encoded one; `None` if an escape is malformed, or the bytes are not UTF-8.
fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        // The parser of numbers would accept a sign.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_is_recognised_by_its_prefix_and_read_back() {
        for (text, kind, alias) in [
            ("user:corp/00u1", PrincipalKind::User, Some("corp")),
            ("user:corp/a/b", PrincipalKind::User, Some("corp")),
            ("group:corp-2//planning/wsc", PrincipalKind::Group, Some("corp-2")),
            ("serviceaccount:ci-7", PrincipalKind::ServiceAccount, None),
            ("cert:spiffe://office/sync%20x", PrincipalKind::Certificate, None),
            ("office", PrincipalKind::Plain, None),
            ("users:x", PrincipalKind::Plain, None),
            ("User:corp/x", PrincipalKind::Plain, None),
        ] {
            let principal: Principal = text.parse().unwrap();
            assert_eq!((principal.kind(), principal.alias()), (kind, alias), "{text}");
            assert_eq!((principal.to_string().as_str(), principal.as_str()), (text, text));
        }
    }

    #[test]
    fn a_text_that_begins_as_a_verified_kind_is_never_a_plain_id() {
        for text in [
            "user:",
            "user:corp",
            "user:corp/",
            "user:/x",
            "user:Corp/x",
            "user:1corp/x",
            "user:c_d/x",
            "group:corp",
            "serviceaccount:",
            "serviceaccount:CI",
            "serviceaccount:a/b",
            "cert:",
            "cert:office",
            "cert::x",
            "cert:9p:x",
            "cert:spiffe:",
        ] {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
        let longest = format!("user:{}/x", "a".repeat(31));
        assert!(longest.parse::<Principal>().is_ok());
        assert!(longest.replace("/x", "a/x").parse::<Principal>().is_err());
    }

    #[test]
    fn what_is_not_visible_ascii_is_encoded_and_has_one_encoding() {
        let chinese = Principal::user("corp", "张三 %").unwrap();
        assert_eq!(chinese.as_str(), "user:corp/%E5%BC%A0%E4%B8%89%20%25");
        assert_eq!(chinese.as_str().parse(), Ok(chinese.clone()));
        for (other, right) in [
            ("user:corp/张三 %", chinese.as_str()),
            ("user:corp/%e5%bc%a0", "user:corp/%E5%BC%A0"),
            ("user:corp/%61", "user:corp/a"),
            ("user:corp/100%", "user:corp/100%25"),
            ("user:corp/%+1", "user:corp/%25+1"),
            ("group:corp/%FF", "group:corp/%25FF"),
        ] {
            let error = other.parse::<Principal>().unwrap_err();
            assert!(error.to_string().contains(&format!("write {}", quoted(right))), "{error}");
        }
    }

    #[test]
    fn empty_invisible_and_long_texts_are_refused() {
        for text in ["", "a b", "甲", "a\u{7f}", &"x".repeat(PRINCIPAL_CHARS + 1), "cert:spiffe://a b"] {
            assert_eq!(text.parse::<Principal>(), Err(PrincipalError::Text), "{text}");
        }
        assert_eq!(Principal::user("corp", &"x".repeat(PRINCIPAL_CHARS)), Err(PrincipalError::Text));
        assert!(matches!(Principal::user("corp", ""), Err(PrincipalError::Incomplete(_))));
        assert!(matches!(Principal::user("corp/x", "y"), Err(PrincipalError::Alias(_))));
        assert!("x".repeat(PRINCIPAL_CHARS).parse::<Principal>().is_ok());
    }

    proptest! {
        #[test]
        fn different_subjects_are_different_principals(a in "\\PC{1,12}", b in "\\PC{1,12}") {
            let (one, other) = (Principal::user("c", &a), Principal::user("c", &b));
            prop_assert_eq!(a == b, one == other);
            if let Ok(one) = one {
                prop_assert_eq!(one.as_str().parse(), Ok(one.clone()));
            }
        }
    }
}

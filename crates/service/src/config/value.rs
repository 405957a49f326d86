//! The values a key can have, read from every layer and printed as TOML.
//!
//! Invariant: `set` of what `show` printed gives the same value again. A value that cannot be read
//! is left as it was, and the message says what would be accepted.

use super::section::{Field, Visitor};
use super::units::{ByteSize, parse_duration, show_duration};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A value as a layer gives it, before its key's type is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// From the environment or a flag: text that stands for any type.
    Text(String),
    /// A TOML string.
    String(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array.
    Array(Vec<Raw>),
    /// A TOML value no key here takes, by the name of its type.
    Other(&'static str),
}

impl Raw {
    /// The text, if this is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What this is, for a message.
    fn describe(&self) -> String {
        match self {
            Self::Text(text) | Self::String(text) => format!("{text:?}"),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(boolean) => boolean.to_string(),
            Self::Array(_) => "an array".to_owned(),
            Self::Other(kind) => format!("a value of type {kind}"),
        }
    }
}

/// A value of a key.
pub trait Value: Sized {
    /// The value that a layer gives.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence fragment for a person.
    fn read(raw: &Raw) -> Result<Self, String>;

    /// The value as TOML.
    fn show(&self) -> String;
}

/// The place of a value of whatever type.
pub trait Slot {
    /// Puts the value that a layer gives here; leaves the one that is here if that cannot be read.
    ///
    /// # Errors
    /// As [`Value::read`].
    fn set(&mut self, raw: &Raw) -> Result<(), String>;

    /// The value as TOML.
    fn show(&self) -> String;
}

impl<T: Value> Slot for T {
    fn set(&mut self, raw: &Raw) -> Result<(), String> {
        *self = T::read(raw)?;
        Ok(())
    }

    fn show(&self) -> String {
        Value::show(self)
    }
}

impl<T: Value> Field for T {
    fn accept(&mut self, name: &'static str, doc: &'static [&'static str], visitor: &mut dyn Visitor) {
        visitor.value(name, doc, self);
    }
}

/// A text as a TOML string.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Declares an enum that is a configuration value: each variant with its doc comment and its text.
#[macro_export]
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $visibility:vis enum $name:ident {
            $(
                $(#[doc = $variant_doc:literal])*
                $variant:ident = $text:literal
            ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visibility enum $name {
            $(
                $(#[doc = $variant_doc])*
                $variant,
            )*
        }

        impl $crate::config::Value for $name {
            fn read(raw: &$crate::config::Raw) -> Result<Self, String> {
                match raw.text() {
                    $(Some($text) => Ok(Self::$variant),)*
                    _ => Err(format!("must be one of {}", [$(concat!("\"", $text, "\"")),*].join(", "))),
                }
            }

            fn show(&self) -> String {
                match self { $(Self::$variant => concat!("\"", $text, "\""),)* }.to_owned()
            }
        }
    };
}

impl Value for bool {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Boolean(boolean) => Ok(*boolean),
            Raw::Text(text) if text == "true" => Ok(true),
            Raw::Text(text) if text == "false" => Ok(false),
            other => Err(format!("{} is neither true nor false", other.describe())),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn read(raw: &Raw) -> Result<Self, String> {
                let number = match raw {
                    Raw::Integer(number) => <$type>::try_from(*number).ok(),
                    Raw::Text(text) => text.parse().ok(),
                    _ => None,
                };
                number.ok_or_else(|| format!("{} is not a whole number from 0 to {}", raw.describe(), <$type>::MAX))
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

whole_number!(u16, u32, u64, usize);

impl Value for String {
    fn read(raw: &Raw) -> Result<Self, String> {
        raw.text().map(str::to_owned).ok_or_else(|| format!("{} is not a text", raw.describe()))
    }

    fn show(&self) -> String {
        quote(self)
    }
}

impl Value for PathBuf {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw.text() {
            Some("") => Err("an empty path".to_owned()),
            Some(text) => Ok(PathBuf::from(text)),
            None => Err(format!("{} is not a path", raw.describe())),
        }
    }

    fn show(&self) -> String {
        quote(&self.to_string_lossy())
    }
}

impl Value for SocketAddr {
    fn read(raw: &Raw) -> Result<Self, String> {
        raw.text().and_then(|text| text.parse().ok()).ok_or_else(|| {
            let given = raw.describe();
            format!("{given} is not an address and port such as \"127.0.0.1:7400\" or \"[::]:7400\"")
        })
    }

    fn show(&self) -> String {
        quote(&self.to_string())
    }
}

impl Value for Duration {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw.text() {
            Some(text) => parse_duration(text),
            None => Err(format!("{} is not a duration with its unit, such as \"10s\"", raw.describe())),
        }
    }

    fn show(&self) -> String {
        quote(&show_duration(*self))
    }
}

impl Value for ByteSize {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(text) | Raw::String(text) => text.parse(),
            Raw::Integer(bytes) if *bytes >= 0 => Ok(ByteSize(bytes.unsigned_abs())),
            other => Err(format!("{} is not a size such as \"64MiB\"", other.describe())),
        }
    }

    fn show(&self) -> String {
        quote(&self.to_string())
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(text) if text.is_empty() => Ok(Vec::new()),
            Raw::Text(text) => {
                text.split(',').map(|item| T::read(&Raw::Text(item.trim().to_owned()))).collect()
            }
            Raw::Array(items) => items.iter().map(T::read).collect(),
            other => Err(format!("{} is not a list", other.describe())),
        }
    }

    fn show(&self) -> String {
        format!("[{}]", self.iter().map(Value::show).collect::<Vec<_>>().join(", "))
    }
}

/// A value that may be switched off: `"none"` in every layer.
impl<T: Value> Value for Option<T> {
    fn read(raw: &Raw) -> Result<Self, String> {
        match raw.text() {
            Some("none") => Ok(None),
            _ => T::read(raw).map(Some).map_err(|message| format!("{message}, nor \"none\"")),
        }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| quote("none"), Value::show)
    }
}

//! Organizations: who takes part in projects. They belong to no portfolio.
//!
//! Invariant: an organization is never lost: projects refer to it softly, so it may be deleted softly
//! at any time, and what refers to it stays readable.

use std::collections::BTreeMap;

use milepost_types::{LanguageTag, OrganizationName};

use crate::details::{Rules, details};
use crate::record::{Create, Record, Target, Update};

/// An organization.
pub(crate) type Organization = Record<OrganizationName, Details>;

details! {
    display_name: String,
    translations: BTreeMap<LanguageTag, String>,
    kind: Option<Kind>,
    identifiers: Vec<Identifier>,
    attributes: BTreeMap<String, String>,
}

impl Rules for Details {
    const NOUN: &'static str = "organization";
}

/// What an organization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Authority,
    Enterprise,
    University,
    Institute,
    Contractor,
    FinancialInstitution,
    Other,
    /// One that another version knew when it was stored. It stays as it is.
    Unknown(i32),
}

/// An identifier in some register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identifier {
    pub(crate) scheme: String,
    pub(crate) id: String,
}

/// What may be asked of organizations.
#[derive(Debug)]
pub(crate) enum Command {
    /// Create one.
    Create(Create<(), Details>),
    /// Change fields of one.
    Update(Update<OrganizationName, Patch>),
    /// Delete one softly.
    Delete(Target<OrganizationName>),
    /// Take a deletion back.
    Undelete(Target<OrganizationName>),
}

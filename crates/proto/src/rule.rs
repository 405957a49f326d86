//! Who may call each method, as the schemas say it, as data. `build` generates it; the server framework enforces it.
//!
//! Invariant: facts only; every method of ours has a rule.

use milepost_types::Permission;
use prost::Message;

/// Who may call a method.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The method's full name, `package.Service/Method`.
    pub method: &'static str,
    /// How a call is allowed.
    pub kind: RuleKind,
    /// One of these is needed.
    pub permissions: &'static [Permission],
    /// The fields of the request that name resources.
    pub paths: &'static [&'static str],
}

impl Rule {
    /// Whether the method reads, and changes nothing.
    pub fn is_read(&self) -> bool {
        let name = self.method.rsplit('/').next().unwrap_or_default();
        let reads = ["Get", "List", "BatchGet", "Watch", "Follow", "WhoAmI", "Explain"];
        reads.iter().any(|verb| name.starts_with(verb))
    }

    /// Whether the method changes who may do what.
    pub fn changes_access(&self) -> bool {
        self.method.starts_with("milepost.access.") && !self.is_read()
    }
}

/// How a call is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// With the permission on every resource that the request names.
    Checked,
    /// With the permission on a part of what the request names; the answer holds only that.
    Filtered,
    /// To whoever is known.
    Authenticated,
    /// To everybody.
    Public,
}

/// A request, and who may send it.
pub trait AccessRequest: Message {
    /// Who may send it.
    const RULE: &'static Rule;

    /// Visits the name of every resource that the rule is about. An empty name stands for everything.
    fn visit_resources<'a>(&'a self, visit: &mut dyn FnMut(&'a str));

    /// Whether it asks only whether it could be done.
    fn is_dry_run(&self) -> bool;
}

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

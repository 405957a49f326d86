//! Documents that are given as evidence.
//!
//! Invariant: a document is known by its title, its address and its hash; when it was added does not matter, and is set
//! then. It is only referred to: nothing here opens one.

use milepost_proto::registry::v1::ActivityEvidence;
use milepost_proto::resource::Node;
use milepost_proto::tracker::v1::Evidence;
use milepost_types::Violations;

use crate::content::check_message;

/// Bytes of a SHA-256.
const SHA256_BYTES: usize = 32;

/// A document.
pub trait Document: Node {
    /// Its title, its address and its SHA-256, which is empty if it was not given.
    fn parts(&self) -> (&str, &str, &[u8]);
}

impl Document for Evidence {
    fn parts(&self) -> (&str, &str, &[u8]) {
        (&self.title, &self.uri, &self.sha256)
    }
}

impl Document for ActivityEvidence {
    fn parts(&self) -> (&str, &str, &[u8]) {
        (&self.title, &self.uri, &self.sha256)
    }
}

/// Whether a document is there already.
pub fn has_document<M: Document>(there: &[M], given: &M) -> bool {
    there.iter().any(|other| other.parts() == given.parts())
}

/// A document that a request gives.
pub fn evidence<M: Document>(given: Option<M>, violations: &mut Violations) -> Option<M> {
    let mut evidence = violations.require("evidence", given)?;
    check_document("evidence", &mut evidence, violations);
    Some(evidence)
}

/// The same, of several documents, at most so many; none is none.
pub fn documents<M: Document>(mut given: Vec<M>, most: usize, violations: &mut Violations) -> Option<Vec<M>> {
    if !violations.check_count("evidence", given.len(), most) {
        return None;
    }
    for (i, document) in given.iter_mut().enumerate() {
        check_document(&format!("evidence[{i}]"), document, violations);
    }
    Some(given)
}

fn check_document(path: &str, document: &mut impl Document, violations: &mut Violations) {
    let mut found = Violations::new();
    check_message(document, &mut found);
    let bytes = document.parts().2.len();
    if bytes > 0 && bytes != SHA256_BYTES {
        found.push("sha256", "INVALID_LENGTH", format!("a SHA-256 has {SHA256_BYTES} bytes, not {bytes}"));
    }
    violations.nest(path, found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_known_by_title_address_and_hash_whenever_it_was_added() {
        let deed =
            Evidence { title: "批复".into(), uri: "x".into(), sha256: vec![7; 32], create_time: None };
        let added = Evidence { create_time: Some(Default::default()), ..deed.clone() };
        assert!(has_document(std::slice::from_ref(&added), &deed));
        for other in [
            Evidence { title: "文".into(), ..deed.clone() },
            Evidence { uri: "y".into(), ..deed.clone() },
            Evidence { sha256: Vec::new(), ..deed.clone() },
        ] {
            assert!(!has_document(std::slice::from_ref(&added), &other), "{other:?}");
        }
    }
}

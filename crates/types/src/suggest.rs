//! The key that a misspelt one was probably meant to be.
//!
//! Invariant: a suggestion is at most a third of the key's length away, counting insertions, deletions,
//! substitutions and swaps of neighbours, or it is a known key whose last word is exactly the one given (the
//! section was forgotten).

/// The known key nearest to `given`, if one is near enough to be meant.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let last = given.rsplit('.').next().unwrap_or(given);
    let mut namesakes = known.iter().filter(|key| key.rsplit('.').next() == Some(last));
    if let (Some(only), None) = (namesakes.next(), namesakes.next()) {
        return Some(only);
    }
    let bound = (given.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|key| (strsim::osa_distance(given, key), key))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["listen", "journal.segment_bytes", "ledger.group_size", "log.format"];

    #[test]
    fn a_misspelt_key_finds_its_neighbour() {
        assert_eq!(nearest("lisetn", KNOWN), Some("listen"));
        assert_eq!(nearest("journal.segment_byte", KNOWN), Some("journal.segment_bytes"));
        assert_eq!(nearest("segment_bytes", KNOWN), Some("journal.segment_bytes"));
        assert_eq!(nearest("server.group_size", KNOWN), Some("ledger.group_size"));
    }

    #[test]
    fn a_key_like_no_other_gets_no_suggestion() {
        assert_eq!(nearest("colour", KNOWN), None);
        assert_eq!(nearest("x", KNOWN), None);
    }
}

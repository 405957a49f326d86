//! The key that a misspelt one was probably meant to be.
//!
//! Does not guess wildly: a suggestion is at most a third of the key's length away, or is a known
//! key whose last word is exactly the one given (the section was forgotten).

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
        .map(|key| (distance(given, key), key))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, key)| key)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut best = (last[j] + usize::from(a[i] != b[j])).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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

    #[test]
    fn distance_counts_edits_and_swaps() {
        for (a, b, edits) in
            [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("listen", "lisetn", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}

//! Words as bash passes them: broken at `:` and `=`, so that a URL comes as several.
//!
//! Invariant: a candidate replaces what bash replaces: what stands after the last break.

use std::ffi::OsString;

use clap_complete::CompletionCandidate;

/// Joins what bash broke. Answers how many bytes of the completed word stand before what bash replaces.
pub fn join(words: &mut Vec<OsString>, index: &mut usize) -> usize {
    let is_break = |word: &OsString| {
        let bytes = word.as_encoded_bytes();
        !bytes.is_empty() && bytes.iter().all(|byte| b":=".contains(byte))
    };
    let (mut joined, mut typed, mut place) = (Vec::<OsString>::new(), 0, *index);
    for (at, word) in words.iter().enumerate() {
        let open = at > 0 && (is_break(word) || is_break(&words[at - 1]));
        if at == *index {
            place = joined.len() - usize::from(open && at > 1);
        }
        match joined.last_mut().filter(|_| open && at > 1) {
            Some(last) => {
                if at == *index {
                    typed = last.len()
                }
                last.push(word);
            }
            None => joined.push(word.clone()),
        }
    }
    (*words, *index) = (joined, place);
    typed
}

/// The candidates, one a line, without what stands before.
pub fn write(candidates: &[CompletionCandidate], typed: usize) -> String {
    let texts = candidates.iter().map(|candidate| candidate.get_value().to_string_lossy());
    texts.filter_map(|text| Some(text.get(typed..)?.to_owned() + "\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(line: &[&str], mut index: usize) -> (Vec<String>, usize, usize) {
        let mut words = line.iter().map(OsString::from).collect();
        let typed = join(&mut words, &mut index);
        (words.into_iter().map(|word| word.into_string().unwrap()).collect(), index, typed)
    }

    fn words(line: &[&str]) -> Vec<String> {
        line.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_url_before_the_completed_word_is_one_word() {
        let line = ["milepost", "-e", "http", ":", "//127.0.0.1", ":", "7400", "project", "get", "w"];
        let whole = words(&["milepost", "-e", "http://127.0.0.1:7400", "project", "get", "w"]);
        assert_eq!(joined(&line, 9), (whole, 5, 0));
        assert_eq!(joined(&["milepost", "http", "::", "1", ""], 4).0, words(&["milepost", "http::1", ""]));
    }

    #[test]
    fn what_stands_before_the_break_in_the_completed_word_is_not_answered_again() {
        let line = ["milepost", "project", "--party", "=", "c"];
        let (whole, index, typed) = joined(&line, 4);
        assert_eq!((&whole[2..], index, typed), (&words(&["--party=c"])[..], 2, "--party=".len()));
        assert_eq!(write(&["--party=cqu=".into(), "--party=csu=".into()], typed), "cqu=\ncsu=\n");
        // The word after the break may still be empty.
        let (whole, index, typed) = joined(&["milepost", "project", "--party", "=", ""], 4);
        assert_eq!((&whole[2..], index, typed), (&words(&["--party="])[..], 2, "--party=".len()));
    }

    #[test]
    fn words_without_breaks_stay_as_they_are() {
        let line = ["milepost", "project", "", "a=b"];
        assert_eq!(joined(&line, 2), (words(&line), 2, 0));
    }
}

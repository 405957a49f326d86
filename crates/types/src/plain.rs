//! Errors of the system in words alone.
//!
//! Does not translate them: what the system says is kept, but for the number that says nothing to people.

/// An error's text without the system's number for it: `Too many open files`, not `Too many open files (os error 24)`.
///
/// For errors of files too: their texts say what is wrong, but for the number.
pub fn without_number(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once(" (os error ") {
        plain.push_str(before);
        rest = match after.split_once(')') {
            Some((number, after)) if number.bytes().all(|byte| byte.is_ascii_digit()) => after,
            _ => {
                plain.push_str(" (os error ");
                after
            }
        };
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_and_everything_else_stays() {
        assert_eq!(without_number("a: x (os error 2): b (os error 111)"), "a: x: b");
        assert_eq!(without_number("it is (os error prone)"), "it is (os error prone)");
        let missing = std::io::Error::from_raw_os_error(2).to_string();
        assert_eq!(without_number(&missing), "No such file or directory");
    }
}

//! Why a command failed, as JSON for programs and as a text for people.
//!
//! Invariant: both are made of the same parts. The JSON has every part that is known, without colours; the text
//! does not repeat what its first line says already. Prints nothing.

use anstyle::{AnsiColor, Style};
use milepost_client::FieldFault;
use milepost_service::config::Fault;
use serde_json::{Value, json};

use super::{COLUMNS, Cause, Error, cause, chain};
use crate::output::width;
use crate::schema::kebab;

/// The object for programs. Parts that are not known are left out.
pub fn json(error: &Error) -> Value {
    let call = error.failure();
    let cause = match error {
        Error::Other(cause) | Error::Serve(cause) | Error::Demo(cause) => cause.as_ref(),
        Error::Backup(cause) => cause,
        error => error,
    };
    let (reason, facts) = cause::facts(cause).unzip();
    let known = call.and_then(|call| call.reason).map(|reason| reason.as_str_name());
    let violations = violations(error).into_iter().map(|fault| {
        present(json!({ "field": fault.field, "description": fault.description, "reason": fault.reason }))
    });
    present(json!({
        "exitCode": error.exit_code(),
        "code": call.map(|call| kebab(&format!("{:?}", call.code)).replace('-', "_").to_uppercase()),
        "reason": known.map(|name| name.trim_start_matches("REASON_")).or(reason),
        "message": message(error),
        "violations": violations.collect::<Vec<_>>(),
        "metadata": call.map(|call| json!(call.metadata)).or(facts),
        "hint": error.hint(),
    }))
}

/// The object for programs about a ledger with which something is wrong.
pub fn of_ledger(error: &Cause) -> Value {
    let (reason, facts) = cause::facts(error).unzip();
    present(json!({ "reason": reason, "message": chain(error), "metadata": facts }))
}

/// An object without its empty parts.
fn present(mut object: Value) -> Value {
    let empty = [Value::Null, json!(""), json!([]), json!({})];
    if let Value::Object(parts) = &mut object {
        parts.retain(|_, part| !empty.contains(part));
    }
    object
}

/// The text for people: what happened, every violation, and a hint.
pub fn text(error: &Error) -> String {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let bold = Style::new().bold();
    let headline = message(error);
    let mut text = format!("{red}error:{red:#} {headline}");
    if let Error::Filter(filter, failure) = error {
        let columns = failure.fact(COLUMNS).unwrap_or_default().split(',');
        let columns: Vec<usize> = columns.filter_map(|column| column.parse().ok()).collect();
        if let Some([line, carets]) = width::carets(filter, &columns) {
            text.push_str(&format!("\n  {line}\n  {red}{carets}{red:#}"));
        }
    }
    for FieldFault { field, description, .. } in violations(error) {
        if !headline.contains(description.trim_end_matches('…')) {
            let field = if field.is_empty() { field } else { format!("{bold}{field}{bold:#}: ") };
            text.push_str(&format!("\n  {field}{description}"));
        }
    }
    if let Some(id) = error.failure().and_then(|failure| failure.fact("fault_id")) {
        text.push_str(&format!("\n  fault id: {id}"));
    }
    if let Some(hint) = error.hint() {
        match text.contains('\n') {
            true => text.push_str(&format!("\n{bold}hint:{bold:#} {hint}")),
            false => text.push_str(&format!("; {hint}")),
        }
    }
    text
}

/// The message with its causes, without the violations that are listed after it, and without the hint.
fn message(error: &Error) -> String {
    let text = match error.failure() {
        Some(failure) if failure.message.is_empty() => failure.code.description().to_owned(),
        Some(failure) => failure.message.clone(),
        None => chain(error),
    };
    let first = violations(error).into_iter().next();
    let listed = first.and_then(|fault| {
        [": ", "\n  "].iter().find_map(|before| text.find(&format!("{before}{}: ", fault.field)))
    });
    text[..listed.unwrap_or(text.len())].to_owned()
}

/// Every faulty field, condition that does not hold, and place of a configuration with a fault.
fn violations(error: &Error) -> Vec<FieldFault> {
    if let Error::Environment(faults) = error {
        let place = |fault: &Fault| FieldFault {
            field: fault.source.to_string(),
            reason: String::new(),
            description: fault.key.iter().map(|key| format!("{key}: ")).collect::<String>() + &fault.message,
        };
        return faults.0.iter().map(place).collect();
    }
    let failure = error.failure().into_iter();
    failure.flat_map(|failure| failure.violations.iter().chain(&failure.preconditions)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_client::Failure;
    use milepost_ledger::Error as LedgerError;
    use milepost_ledger::journal::{Damage, ReadError};
    use std::io;
    use std::path::Path;
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt};

    fn refused(code: Code, said: &str, details: ErrorDetails) -> Error {
        Error::Client(Status::with_error_details(code, said, details).into())
    }

    fn plain(error: &Error) -> String {
        anstream::adapter::strip_str(&text(error)).to_string()
    }

    #[test]
    fn a_refusal_lists_every_violation_for_people_and_for_programs() {
        let empty = "the text is empty; give at least one character";
        let facts = [("asked".to_owned(), "科学城".to_owned())];
        let mut details = ErrorDetails::with_error_info("INVALID_FIELDS", "milepost.dev", facts);
        details.add_bad_request_violation("project.display_name", empty);
        details.add_precondition_failure_violation("STATE", "portfolios/p", "it is deleted");
        let said =
            format!("the request is not valid: project.display_name: {empty}; portfolios/p: it is deleted");
        let error = refused(Code::InvalidArgument, &said, details);
        assert_eq!(
            plain(&error),
            format!(
                "error: the request is not valid\n  project.display_name: {empty}\n  \
                 portfolios/p: it is deleted"
            )
        );
        let object = json!({
            "exitCode": 4,
            "code": "INVALID_ARGUMENT",
            "reason": "INVALID_FIELDS",
            "message": "the request is not valid",
            "violations": [
                {"field": "project.display_name", "description": empty},
                {"field": "portfolios/p", "description": "it is deleted", "reason": "STATE"},
            ],
            "metadata": {"asked": "科学城"},
        });
        assert_eq!(json(&error).to_string(), object.to_string());
    }

    #[test]
    fn parts_that_are_not_there_are_left_out_of_the_json_and_the_hint_is_not() {
        let hint = "the noun's `list` shows what there is";
        let error = refused(Code::NotFound, "no", ErrorDetails::new());
        assert!(plain(&error).ends_with(&format!("; {hint}")));
        assert_eq!(json(&error), json!({"exitCode": 3, "code": "NOT_FOUND", "message": "no", "hint": hint}));
        let usage = Error::Usage("two\nlines".to_owned());
        assert_eq!(json(&usage), json!({"exitCode": 2, "message": "two\nlines"}));
    }

    #[test]
    fn damage_is_in_the_json_with_its_place_wherever_it_is_among_the_causes() {
        let (segment, what) = ("科学城/1.segment", "a wrong checksum".to_owned());
        let damage = Damage { segment: segment.into(), offset: u64::MAX, sequence: 13, what };
        let read = LedgerError::Journal(ReadError::Damaged(damage));
        let facts = json!({
            "segment": segment,
            "offset": u64::MAX.to_string(),
            "sequence": "13",
            "damage": "a wrong checksum",
        });
        assert_eq!(of_ledger(&read)["metadata"], facts);
        let error = json(&Error::Other(read.into()));
        assert_eq!((&error["exitCode"], &error["reason"]), (&json!(1), &json!("DAMAGED")));
        assert_eq!(error["metadata"], facts);
        assert!(
            error["message"].as_str().unwrap().starts_with("the journal cannot be read: a wrong checksum")
        );
    }

    #[test]
    fn a_refused_filter_is_shown_with_carets_under_its_faults_and_what_the_message_says_is_not_said_again() {
        let first = "there is no field \"科\" to filter by; there are name, purpose";
        let facts =
            [("column", "1"), ("columns", "1,15")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut details = ErrorDetails::with_error_info("INVALID_FILTER", "milepost.dev", facts);
        details
            .add_bad_request_violation("filter", "column 1: there is no field \"科\" to filter by; there…");
        details.add_bad_request_violation("filter", "column 15: \"yes\" is not what key holds");
        let said = format!("filter, column 1: {first}");
        let error = refused(Code::InvalidArgument, &said, details).of_filter("科 = 1 OR key = yes");
        assert_eq!(error.exit_code(), 4);
        assert_eq!(
            plain(&error),
            format!(
                "error: {said}\n  科 = 1 OR key = yes\n  ^              ^\n  filter: column 15: \"yes\" is not what key holds"
            )
        );
        let other = refused(Code::NotFound, "no", ErrorDetails::new()).of_filter("key = true");
        assert!(matches!(other, Error::Client(_)), "what was refused for another reason is as it was");
    }

    #[test]
    fn only_where_nothing_listens_the_hint_is_to_start_a_server() {
        let failure = |unreachable| {
            let mut failure = Failure::from(Status::new(Code::Unavailable, "no"));
            (failure.connection, failure.unreachable) = (true, unreachable);
            text(&Error::Client(milepost_client::Error::Call(Box::new(failure))))
        };
        assert!(failure(true).contains("start a server with"));
        let facts = [("what".to_owned(), "connections".to_owned())];
        let details = ErrorDetails::with_error_info("TOO_MANY", "milepost.dev", facts);
        let full = text(&refused(Code::ResourceExhausted, "no", details));
        assert!(full.contains("the server is full") && !full.contains("start a server"), "{full}");
        let broken = failure(false);
        assert!(broken.contains("broke it") && !broken.contains("start a server"), "{broken}");
    }

    #[test]
    fn causes_are_said_without_the_systems_numbers() {
        for (cause, said) in [
            (io::Error::from_raw_os_error(2), "No such file or directory"),
            (io::Error::other("the cat is on it"), "the cat is on it"),
        ] {
            let error = Error::read(Path::new("x.json"))(cause);
            assert_eq!(plain(&error), format!("error: x.json cannot be read: {said}"));
        }
    }
}

//! Why a command failed, and the exit code of the process.
//!
//! Invariant: exit codes are an interface: a code never changes its meaning. Printing happens once, in
//! [`report`], on standard error.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use milepost_proto::error::v1::Reason;
use milepost_service::config::{EXIT_CODE as CONFIGURATION, Faults};
use milepost_types::without_number;
use tonic::Code;

use crate::context::ContextError;
use crate::output::{caret, note};
use crate::serve;

/// What a boxed error of another part of the binary is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The exit codes, for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  anything else, faults of the server among it
    2  the command line is not understood
    3  not found
    4  the request breaks a rule; every faulty field is listed
    5  the state does not allow it: it exists already, an etag is stale, a precondition does
       not hold, a cursor expired
    6  the server cannot be reached, is overloaded, or the deadline passed: try again
   64  the configuration is faulty
  130  interrupted";

const OTHER: u8 = 1;
const USAGE: u8 = 2;
const NOT_FOUND: u8 = 3;
const INVALID: u8 = 4;
const CONFLICT: u8 = 5;
const UNAVAILABLE: u8 = 6;
const INTERRUPTED: u8 = 130;

/// The metadata of a refused filter that says where it is at fault.
const COLUMNS: &str = "columns";

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Client(#[from] milepost_client::Error),
    /// A list or a watch was refused for its filter.
    #[error("{failure}")]
    Filter {
        /// What was given.
        filter: String,
        /// Why it was refused, with the columns.
        failure: Box<milepost_client::Failure>,
    },
    /// The arguments do not make sense together.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which one; `-` is standard input.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A response lacks what every response of its kind has.
    #[error("the server's answer lacks its {0}")]
    Answer(&'static str),
    /// Standard output cannot be written.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
    /// The data set that was compiled in is faulty.
    #[error("the data set is faulty: {0}")]
    DataSet(String),
    /// The demo's services did not start, or did not end in good order.
    #[error("{0}")]
    Services(&'static str, #[source] BoxError),
    /// An environment variable sets nothing, and was meant to.
    #[error(transparent)]
    Environment(#[from] Faults),
    /// Contexts cannot be read or changed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A file that cannot be read.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Error::Read { path, source }
    }

    /// A file that cannot be written.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    }

    /// The error of a call with this filter: shows the filter if it was refused for it.
    pub fn of_filter(self, filter: &str) -> Self {
        match self {
            Error::Client(milepost_client::Error::Call(failure)) if failure.fact(COLUMNS).is_some() => {
                Error::Filter { filter: filter.to_owned(), failure }
            }
            error => error,
        }
    }

    /// The failed call, if it was one.
    fn failure(&self) -> Option<&milepost_client::Failure> {
        match self {
            Error::Client(error) => error.failure(),
            Error::Filter { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Whether the reader of standard output closed it, which is not an error.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Output(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        if let Some(failure) = self.failure() {
            return call_exit_code(failure.code, failure.connection);
        }
        match self {
            Error::Client(
                milepost_client::Error::Endpoint { .. } | milepost_client::Error::Principal { .. },
            )
            | Error::Usage(_) => USAGE,
            Error::Read { .. } | Error::Context(_) => USAGE,
            Error::Environment(_) => CONFIGURATION,
            Error::Interrupted => INTERRUPTED,
            _ => OTHER,
        }
    }

    /// What to do about it, for people.
    fn hint(&self) -> Option<&'static str> {
        let failure = match self {
            Error::Services(_, cause) => return serve::advice(cause.as_ref(), serve::By::Demo),
            error => error.failure()?,
        };
        match (failure.reason, failure.code) {
            _ if failure.unreachable && failure.code != Code::DeadlineExceeded => Some(
                "start a server with `milepost serve all` or `milepost demo`, or give its address with --endpoint",
            ),
            // What the server said of these ends with what to do.
            (Some(Reason::EtagMismatch | Reason::RequestIdReused), _) => None,
            // A cursor was refused: it came with --after or out of the cursor file.
            _ if failure.earliest_cursor().is_some() => Some(
                "to read everything again, remove the cursor file if there is one, and leave --after out or give --earliest",
            ),
            (_, Code::DeadlineExceeded) => {
                Some("give it more time with --timeout, or check that the server is reachable")
            }
            (_, Code::NotFound) => Some("the noun's `list` shows what there is"),
            _ => failure.hint(),
        }
    }
}

/// The exit code for a refused or failed call.
fn call_exit_code(code: Code, connection: bool) -> u8 {
    match code {
        Code::NotFound => NOT_FOUND,
        Code::InvalidArgument => INVALID,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted | Code::OutOfRange => CONFLICT,
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => UNAVAILABLE,
        _ if connection => UNAVAILABLE,
        _ => OTHER,
    }
}

/// Tells a failure on standard error and answers with its exit code.
pub fn report(error: &Error) -> ExitCode {
    if error.is_broken_pipe() {
        return ExitCode::SUCCESS;
    }
    note(&text(error));
    ExitCode::from(error.exit_code())
}

/// The text about a failure: what happened, every violation, and a hint.
fn text(error: &Error) -> String {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let bold = Style::new().bold();
    let headline = message(error);
    let mut text = format!("{red}error:{red:#} {headline}");
    if let Error::Filter { filter, failure } = error
        && let Some([line, carets]) = caret::under(filter, &columns(failure))
    {
        text.push_str(&format!("\n  {line}\n  {red}{carets}{red:#}"));
    }
    if let Some(failure) = error.failure() {
        for fault in failure.violations.iter().chain(&failure.preconditions) {
            if headline.contains(fault.description.trim_end_matches('…')) {
                continue;
            }
            let field = if fault.field.is_empty() {
                String::new()
            } else {
                format!("{bold}{}{bold:#}: ", fault.field)
            };
            text.push_str(&format!("\n  {field}{}", fault.description));
        }
        if let Some(id) = failure.fact("fault_id") {
            text.push_str(&format!("\n  fault id: {id}"));
        }
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\n{bold}hint:{bold:#} {hint}"));
    }
    text
}

/// The message with its causes, without the violations that are listed after it, and without the hint.
fn message(error: &Error) -> String {
    let Some(failure) = error.failure() else { return chain(error) };
    if failure.message.is_empty() {
        return failure.code.description().to_owned();
    }
    let first = failure.violations.iter().chain(&failure.preconditions).next();
    let listed = first.and_then(|fault| failure.message.find(&format!(": {}: ", fault.field)));
    failure.message[..listed.unwrap_or(failure.message.len())].to_owned()
}

/// Where a filter is at fault, in characters from 1.
fn columns(failure: &milepost_client::Failure) -> Vec<usize> {
    let columns = failure.fact(COLUMNS).unwrap_or_default().split(',');
    columns.filter_map(|column| column.parse().ok()).collect()
}

/// An error with its causes, on one line, without the system's numbers.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!(": {source}"));
        cause = source.source();
    }
    without_number(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Status;
    use tonic_types::{ErrorDetails, StatusExt};

    fn refused(code: Code) -> Error {
        Error::Client(Status::new(code, "no").into())
    }

    #[test]
    fn exit_codes_are_stable() {
        use Code::*;
        let codes = [
            (NotFound, 3),
            (InvalidArgument, 4),
            (AlreadyExists, 5),
            (FailedPrecondition, 5),
            (Aborted, 5),
            (OutOfRange, 5),
            (Unavailable, 6),
            (DeadlineExceeded, 6),
            (ResourceExhausted, 6),
            (Internal, 1),
            (DataLoss, 1),
            (Unknown, 1),
            (Unimplemented, 1),
            (PermissionDenied, 1),
            (Unauthenticated, 1),
            (Cancelled, 1),
        ];
        for (code, exit) in codes {
            assert_eq!(refused(code).exit_code(), exit, "{code:?}");
        }
        let endpoint = milepost_client::Endpoint::parse("ftp://x").unwrap_err();
        assert_eq!(Error::Client(endpoint).exit_code(), 2);
        assert_eq!(Error::Usage(String::new()).exit_code(), 2);
        assert_eq!(Error::Environment(Faults(Vec::new())).exit_code(), 64);
        assert_eq!(Error::Interrupted.exit_code(), 130);
        assert_eq!(call_exit_code(Unknown, true), 6);
    }

    #[test]
    fn every_exit_code_is_documented() {
        for code in [OTHER, USAGE, NOT_FOUND, INVALID, CONFLICT, UNAVAILABLE, CONFIGURATION, INTERRUPTED] {
            assert!(EXIT_CODES.contains(&format!("\n{code:>5}  ")), "{code}");
        }
    }

    #[test]
    fn a_broken_pipe_ends_quietly_and_other_faults_of_the_output_do_not() {
        assert!(Error::Output(io::ErrorKind::BrokenPipe.into()).is_broken_pipe());
        assert!(!Error::Output(io::ErrorKind::StorageFull.into()).is_broken_pipe());
        assert_eq!(Error::Output(io::ErrorKind::StorageFull.into()).exit_code(), 1);
    }

    #[test]
    fn a_refusal_lists_every_violation_and_hints() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("INVALID_FIELDS", "milepost.dev", [])
            .add_bad_request_violation(
                "project.display_name",
                "the text is empty; give at least one character",
            )
            .add_bad_request_violation("project.investment", "the amount is negative");
        let said = "the request is not valid: project.display_name: the text is empty; give at least one character; \
                    project.investment: the amount is negative";
        let status = Status::with_error_details(Code::InvalidArgument, said, details);
        let text = anstream::adapter::strip_str(&text(&Error::Client(status.into()))).to_string();
        assert_eq!(
            text,
            "error: the request is not valid\n  \
             project.display_name: the text is empty; give at least one character\n  \
             project.investment: the amount is negative"
        );
        let text = self::text(&refused(Code::NotFound));
        assert!(
            anstream::adapter::strip_str(&text)
                .to_string()
                .ends_with("hint: the noun's `list` shows what there is")
        );
    }

    #[test]
    fn what_the_message_says_already_is_not_said_again() {
        let said = "filter, column 1: there is no field \"nope\" to filter by; there are name, purpose";
        let mut details = ErrorDetails::new();
        details
            .add_bad_request_violation("filter", "column 1: there is no field \"nope\" to filter by; there…");
        let status = Status::with_error_details(Code::InvalidArgument, said, details);
        let text = text(&Error::Client(status.into()));
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), format!("error: {said}"));
    }

    #[test]
    fn a_refused_filter_is_shown_with_carets_under_its_faults() {
        let first = "there is no field \"科\" to filter by; there are name, purpose";
        let facts =
            [("column", "1"), ("columns", "1,15")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut details = ErrorDetails::with_error_info("INVALID_FILTER", "milepost.dev", facts);
        details.add_bad_request_violation("filter", format!("column 1: {first}"));
        details.add_bad_request_violation("filter", "column 15: \"yes\" is not what key holds");
        let said = format!("filter, column 1: {first}");
        let status = Status::with_error_details(Code::InvalidArgument, &said, details);
        let error = Error::Client(status.into()).of_filter("科 = 1 OR key = yes");
        assert_eq!(error.exit_code(), INVALID);
        assert_eq!(
            anstream::adapter::strip_str(&text(&error)).to_string(),
            format!(
                "error: {said}\n  科 = 1 OR key = yes\n  ^              ^\n  filter: column 15: \"yes\" is not what key holds"
            )
        );
        let other = refused(Code::NotFound).of_filter("key = true");
        assert!(matches!(other, Error::Client(_)), "what was refused for another reason is as it was");
    }

    #[test]
    fn only_where_nothing_listens_the_hint_is_to_start_a_server() {
        let failure = |unreachable| {
            let mut failure = milepost_client::Failure::from(Status::new(Code::Unavailable, "no"));
            (failure.connection, failure.unreachable) = (true, unreachable);
            text(&Error::Client(milepost_client::Error::Call(Box::new(failure))))
        };
        assert!(failure(true).contains("start a server with"));
        let facts = [("what".to_owned(), "connections".to_owned())];
        let details = ErrorDetails::with_error_info("TOO_MANY", "milepost.dev", facts);
        let full = Status::with_error_details(Code::ResourceExhausted, "no", details);
        let full = text(&Error::Client(full.into()));
        assert!(full.contains("the server is full") && !full.contains("start a server"), "{full}");
        let broken = failure(false);
        assert!(broken.contains("broke it") && !broken.contains("start a server"), "{broken}");
    }

    #[test]
    fn the_systems_numbers_are_not_told() {
        let error = Error::read(Path::new("x.json"))(io::Error::from_raw_os_error(2));
        assert_eq!(message(&error), "x.json cannot be read: No such file or directory");
    }

    #[test]
    fn causes_are_told() {
        let error = Error::read(Path::new("x.json"))(io::Error::other("the cat is on it"));
        assert_eq!(message(&error), "x.json cannot be read: the cat is on it");
    }
}

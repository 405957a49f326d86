//! Why a command failed, and the exit code of the process.
//!
//! Invariant: exit codes are an interface: a code never changes its meaning. An error is printed once, by [`report`],
//! on standard error. What is printed is made in `fault`.

mod cause;
mod fault;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use milepost_proto::error::v1::Reason;
use milepost_service::config::{EXIT_CODE as CONFIGURATION, Faults};
use milepost_types::without_number;
use tonic::Code;

use crate::output::{Format, note};

pub use fault::of_ledger;

/// What a boxed error of another part of the binary is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What an error is among the causes of another.
pub type Cause = dyn std::error::Error + 'static;

/// The exit codes, for `--help`; [`Error::exit_code`] chooses among them.
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

/// The metadata of a refused filter that says where it is at fault.
const COLUMNS: &str = "columns";

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Client(#[from] milepost_client::Error),
    /// A list or a watch was refused for this filter; the failure has the columns.
    #[error("{1}")]
    Filter(String, Box<milepost_client::Failure>),
    /// The arguments do not make sense together.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read; `-` is standard input.
    #[error("{} cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// A file cannot be written.
    #[error("{} cannot be written", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// Standard output cannot be written.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
    /// The demo's services did not start, failed, or did not end in good order.
    #[error(transparent)]
    Demo(BoxError),
    /// Anything else, such as what is wrong with stored files.
    #[error(transparent)]
    Other(#[from] BoxError),
    /// A backup was not made, not read or not restored.
    #[error(transparent)]
    Backup(#[from] milepost_backup::Error),
    /// The state of what is stored does not allow it.
    #[error("{0}")]
    State(String),
    /// Servers did not start, or failed.
    #[error(transparent)]
    Serve(BoxError),
    /// The configuration is faulty.
    #[error(transparent)]
    Environment(#[from] Faults),
    /// There is no such thing here.
    #[error("{0}")]
    NotFound(String),
    /// There is a context of that name already.
    #[error("there is a context {0:?} already; give another name, or delete that one first")]
    Exists(String),
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A file that cannot be read.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Error::Read(path, source)
    }

    /// A file that cannot be written.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Error::Write(path, source)
    }

    /// The error of a call with this filter: shows the filter if it was refused for it.
    pub fn of_filter(self, filter: &str) -> Self {
        match self {
            Error::Client(milepost_client::Error::Call(failure)) if failure.fact(COLUMNS).is_some() => {
                Error::Filter(filter.to_owned(), failure)
            }
            error => error,
        }
    }

    /// The failed call, if it was one.
    pub fn failure(&self) -> Option<&milepost_client::Failure> {
        match self {
            Error::Client(error) => error.failure(),
            Error::Filter(_, failure) => Some(failure),
            _ => None,
        }
    }

    /// The exit code; 0 if the reader of standard output closed it, which is no error.
    pub fn exit_code(&self) -> u8 {
        let Some(call) = self.failure() else {
            return match self {
                Error::Client(_) | Error::Usage(_) | Error::Read(..) => 2,
                Error::NotFound(_) => 3,
                Error::Exists(_) | Error::State(_) => 5,
                Error::Backup(error) => backup_code(error),
                Error::Environment(_) => CONFIGURATION,
                Error::Interrupted => 130,
                Error::Output(source) if source.kind() == io::ErrorKind::BrokenPipe => 0,
                _ => 1,
            };
        };
        match call.code {
            Code::NotFound => 3,
            Code::InvalidArgument => 4,
            Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted | Code::OutOfRange => 5,
            Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => 6,
            _ if call.connection => 6,
            _ => 1,
        }
    }

    /// What to do about it, for people.
    fn hint(&self) -> Option<String> {
        let failure = match self {
            Error::Demo(cause) => return cause::advice(&**cause, "--data-dir", "--port and --admin-port"),
            Error::Serve(cause) => {
                return cause::advice(&**cause, "--data-dir", "--listen and --admin-listen");
            }
            error => error.failure()?,
        };
        let hint = match (failure.reason, failure.code) {
            _ if failure.unreachable && !failure.tls && failure.code != Code::DeadlineExceeded => Some(
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
        };
        hint.map(str::to_owned)
    }
}

/// The exit code of a backup that failed.
fn backup_code(error: &milepost_backup::Error) -> u8 {
    use milepost_backup::Error as Backup;
    match error {
        Backup::Url { .. } => 2,
        Backup::Empty { .. } | Backup::NoManifest { .. } => 3,
        Backup::Exists { .. } | Backup::Outside { .. } | Backup::Ahead { .. } | Backup::Newer { .. } => 5,
        Backup::Unconditional { .. } | Backup::OtherObject { .. } | Backup::OtherLog { .. } => 5,
        Backup::Exposed { .. } => 5,
        Backup::Raced { .. } | Backup::LedgerElsewhere { .. } | Backup::Diverged { .. } => 5,
        _ => 1,
    }
}

/// Says on standard error why a command failed, unless it is no error; answers with its exit code.
pub fn report(error: &Error, format: Format) -> ExitCode {
    let code = error.exit_code();
    // Who interrupts knows it.
    let is_known = matches!(error, Error::Interrupted) && format != Format::Json;
    if code != 0 && !is_known {
        note(&match format {
            Format::Table | Format::Csv => fault::text(error),
            Format::Json => serde_json::json!({ "error": fault::json(error) }).to_string(),
        });
    }
    ExitCode::from(code)
}

/// An error with its causes, on one line, without the system's numbers.
pub fn chain(error: &Cause) -> String {
    without_number(&causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// An error, what caused it, and so on.
pub fn causes(error: &Cause) -> impl Iterator<Item = &Cause> {
    std::iter::successors(Some(error), |error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Status;

    #[test]
    fn exit_codes_are_stable() {
        use Code::*;
        let codes: [(u8, &[Code]); 5] = [
            (3, &[NotFound]),
            (4, &[InvalidArgument]),
            (5, &[AlreadyExists, FailedPrecondition, Aborted, OutOfRange]),
            (6, &[Unavailable, DeadlineExceeded, ResourceExhausted]),
            (1, &[Internal, DataLoss, Unknown, Unimplemented, PermissionDenied, Unauthenticated, Cancelled]),
        ];
        for (exit, codes) in codes {
            for code in codes {
                assert_eq!(Error::Client(Status::new(*code, "no").into()).exit_code(), exit, "{code:?}");
            }
        }
        let endpoint = milepost_client::Endpoint::parse("ftp://x").unwrap_err();
        assert_eq!(Error::Client(endpoint).exit_code(), 2);
        assert_eq!(Error::Usage(String::new()).exit_code(), 2);
        assert_eq!(Error::Environment(Faults(Vec::new())).exit_code(), 64);
        assert_eq!(Error::Interrupted.exit_code(), 130);
        assert_eq!(Error::Other("no".into()).exit_code(), 1);
        let mut broken = milepost_client::Failure::from(Status::unknown("no"));
        broken.connection = true;
        assert_eq!(Error::Client(Box::new(broken).into()).exit_code(), 6);
    }

    #[test]
    fn every_exit_code_is_documented() {
        for code in [0, 1, 2, 3, 4, 5, 6, CONFIGURATION, 130] {
            assert!(EXIT_CODES.contains(&format!("\n{code:>5}  ")), "{code}");
        }
    }

    #[test]
    fn a_broken_pipe_ends_quietly_and_other_faults_of_the_output_do_not() {
        assert_eq!(Error::Output(io::ErrorKind::BrokenPipe.into()).exit_code(), 0);
        assert_eq!(Error::Output(io::ErrorKind::StorageFull.into()).exit_code(), 1);
    }
}

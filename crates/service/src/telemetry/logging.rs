//! Log lines: human or JSON, on standard error, by a filter; panics among them.
//!
//! Invariant: a panic is one ERROR line with its place. A backtrace is written only if the operator
//! asked for it with RUST_BACKTRACE.

use crate::config::server::{Log, LogFormat};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

use super::Traces;

/// The filter that this text describes: a level, or directives such as `info,milepost_ledger=debug`.
///
/// # Errors
/// If it is neither.
pub fn parse_filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(text)
}

/// Starts logging for the whole process, the logging of panics, and traces if there are any.
///
/// # Errors
/// If logging was started before.
pub fn init(config: &Log, traces: Option<&Traces>) -> Result<(), TryInitError> {
    // The text was checked when the configuration was loaded.
    let filter = parse_filter(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match config.format {
        LogFormat::Human => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let lines = tracing_subscriber::registry().with(lines.with_filter(filter));
    match traces {
        Some(traces) => lines.with(traces.layer()).try_init()?,
        None => lines.try_init()?,
    }
    log_panics();
    Ok(())
}

/// Logs every panic of the process from now on, instead of printing it.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| log_panic(panic, &Backtrace::capture())));
}

fn log_panic(panic: &PanicHookInfo<'_>, backtrace: &Backtrace) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("a panic without a message");
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(%place, thread, %backtrace, "panic: {message}");
    } else {
        tracing::error!(%place, thread, "panic: {message}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::io::Write;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(backtrace: fn() -> Backtrace) -> serde_json::Value {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            std::panic::set_hook(Box::new(move |panic| log_panic(panic, &backtrace())));
            let _ = std::panic::catch_unwind(|| panic!("the sky fell"));
            let _ = std::panic::take_hook();
        });
        let text = String::from_utf8(lines.0.lock().clone()).unwrap();
        serde_json::from_str(text.trim_end()).expect(&text)
    }

    #[test]
    fn a_panic_is_one_line_with_its_place_and_a_backtrace_only_if_asked_for() {
        let line = logged(Backtrace::disabled);
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["fields"]["message"], "panic: the sky fell");
        assert!(line["fields"]["place"].as_str().unwrap().contains("logging.rs:"), "{line}");
        assert!(line["fields"].get("backtrace").is_none(), "{line}");
        assert!(logged(Backtrace::force_capture)["fields"]["backtrace"].is_string());
    }

    #[test]
    fn a_filter_is_a_level_or_directives() {
        for text in ["info", "warn,milepost_ledger=debug", "off"] {
            assert!(parse_filter(text).is_ok(), "{text}");
        }
        for text in ["milepost=loud", "=,="] {
            assert!(parse_filter(text).is_err(), "{text}");
        }
    }
}

//! Progress on long work: bars on standard error, and only if that is a terminal.
//!
//! Invariant: a bar leaves no trace in the output, whatever happens to the work.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

const TICK: Duration = Duration::from_millis(120);

/// A sign of life for work of unknown length; `message` says what it is.
pub fn spinner(message: &str) -> ProgressBar {
    let bar = drawn(None, message, "{spinner} {msg} {human_pos}");
    bar.enable_steady_tick(TICK);
    bar
}

/// A bar for work of known length, counted in pieces.
pub fn bar(message: &str, pieces: u64) -> ProgressBar {
    drawn(Some(pieces), message, "{msg} {wide_bar} {human_pos}/{human_len}")
}

/// A bar for work of known length, counted in bytes.
pub fn bytes(message: &str, length: u64) -> ProgressBar {
    drawn(Some(length), message, "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {eta}")
}

fn drawn(length: Option<u64>, message: &str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the templates above are well formed");
    ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr())
        .with_style(style)
        .with_message(message.to_owned())
        .with_finish(ProgressFinish::AndClear)
}

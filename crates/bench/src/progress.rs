//! The bar that says how far a run is, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many things.
pub fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    // The template is ours; were it wrong, the bar would only be plain.
    if let Ok(style) = ProgressStyle::with_template("{elapsed} {wide_bar} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

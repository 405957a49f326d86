//! The table for people, in Markdown.

use std::fmt::Write;

use comfy_table::{Table, presets};

use crate::compare::{Outcome, Plan};
use crate::figure::{Unit, spread};
use crate::system::Kind;
use crate::target::{bounds, judge};

/// The machine, what was measured and what was not, and a row for each figure: medians, and in brackets
/// the least and the greatest.
pub fn table(plan: &Plan, outcome: &Outcome) -> String {
    let kinds: Vec<Kind> = outcome.versions.iter().map(|(kind, _)| *kind).collect();
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).force_no_tty();
    let titles = kinds.iter().map(ToString::to_string);
    table.set_header([String::new(), String::new()].into_iter().chain(titles).chain(["target".to_owned()]));
    let mut last = None;
    for ((place, unit), values) in &outcome.figures {
        let Some(work) = plan.works.get(*place) else { continue };
        let title = if last == Some(*place) { String::new() } else { work.title() };
        last = Some(*place);
        let cell = |kind: &Kind| values.get(kind).map_or_else(String::new, |values| cell(*unit, values));
        let cells = kinds.iter().map(cell);
        let median = |kind| values.get(&kind).and_then(|values| spread(values)).map(|(median, ..)| median);
        let judged = bounds(*work, *unit).iter().filter_map(|bound| {
            let (text, kept) = judge(*bound, *unit, median(Kind::Milepost)?, median)?;
            Some(format!("{} {text}", if kept { "✓" } else { "✗" }))
        });
        let target = judged.collect::<Vec<_>>().join("; ");
        table.add_row([title, unit.title().to_owned()].into_iter().chain(cells).chain([target]));
    }
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "medians of {} rounds of {} s (least–greatest), payloads of {} bytes, {} subjects, at most {} connections of writers; {}",
        plan.rounds,
        plan.measure.as_secs(),
        outcome.payload_bytes,
        plan.subjects,
        plan.connections,
        machine()
    );
    for (kind, version) in &outcome.versions {
        let _ = writeln!(text, "{kind}: {version}");
    }
    for (kind, why) in &outcome.missing {
        let _ = writeln!(text, "{kind}: not measured: {why}");
    }
    let _ = write!(text, "\n{table}\n");
    for failure in &outcome.failures {
        let _ = writeln!(text, "failed: {failure}");
    }
    text
}

fn cell(unit: Unit, values: &[f64]) -> String {
    let Some((median, least, greatest)) = spread(values) else { return String::new() };
    let print = |value| unit.format(value);
    if values.len() == 1 || least == greatest {
        return print(median);
    }
    format!("{} ({}–{})", print(median), print(least), print(greatest))
}

/// Cores and kernel of this machine.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores, Linux {}", kernel.trim())
}

//! The report: a table for people in Markdown, and JSON for programs.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::days::Days;
use super::{Answer, Outcome, Plan};
use crate::figure::{Unit, spread};
use crate::report::machine;
use crate::work::quantile_ms;

/// The full portfolio's share of the empty one's reforecasts, at least.
const SHARE: f64 = 0.8;
/// What a day with nothing due may take, in milliseconds.
const DAY_MS: f64 = 5.0;

/// What was measured, beside its targets.
pub fn table(plan: &Plan, outcome: &Outcome) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} projects, seed {}, until {}; {} rounds of {} calls; {}",
        plan.projects,
        plan.seed,
        plan.until,
        plan.rounds,
        plan.calls,
        machine()
    );
    let _ = write!(text, "\n{}\n\n{}\n\n{}\n", load(outcome), answers(outcome), reforecasts(outcome));
    let print = |value| Unit::P50Ms.format(value);
    if let Some(days) = outcome.days {
        let Days { count, events, standings, .. } = days;
        let each = print(days.ms_each());
        let _ = writeln!(
            text,
            "\ndays that began: {count}, {each} ms each, {events} events, {standings} of them standings of a campaign"
        );
    }
    if let Some(days) = outcome.quiet_days {
        let (count, each) = (days.count, days.ms_each());
        let (kept, each, target) = (mark(each <= DAY_MS), print(each), print(DAY_MS));
        let _ = writeln!(text, "\ndays with nothing due: {count}, {each} ms each {kept} ≤ {target} ms");
    }
    let _ = writeln!(text, "\nmemory of the full server: {} MiB", outcome.memory_bytes >> 20);
    for failure in &outcome.failures {
        let _ = writeln!(text, "failed: {failure}");
    }
    text
}

fn markdown<const N: usize>(titles: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).force_no_tty();
    table.set_header(titles);
    table
}

fn load(outcome: &Outcome) -> Table {
    let mut table = markdown(["loading", "resources", "requests", "s", "requests/s"]);
    let print = |value: f64| Unit::P50Ms.format(value);
    for rate in &outcome.loaded {
        table.add_row([
            rate.stage.title().to_owned(),
            print(rate.resources as f64),
            print(rate.requests as f64),
            print(rate.took.as_secs_f64()),
            print(rate.requests_per_second()),
        ]);
    }
    table
}

fn answers(outcome: &Outcome) -> Table {
    let mut table = markdown(["noun", "query", "rows", "KiB", "p50 ms", "p99 ms", "target"]);
    let (print, mut last) = (|value: f64| Unit::P50Ms.format(value), "");
    for answer in &outcome.answers {
        let Some((median, p99)) = quantiles(answer) else { continue };
        let noun = if last == answer.query.noun { "" } else { answer.query.noun };
        last = answer.query.noun;
        table.add_row([
            noun.to_owned(),
            answer.query.title.clone(),
            rows(answer),
            print(answer.seen.bytes as f64 / 1024.0),
            print(median),
            print(p99),
            format!("{} ≤ {} ms", mark(is_kept(answer, median)), print(answer.query.target_ms)),
        ]);
    }
    table
}

/// How many there are on the page; with a plus, if the server cut it and there may be more.
fn rows(answer: &Answer) -> String {
    let more = if answer.seen.is_cut { "+" } else { "" };
    answer.seen.rows.map_or_else(String::new, |rows| format!("{rows}{more}"))
}

fn reforecasts(outcome: &Outcome) -> Table {
    let mut table = markdown(["reforecasts, 64 clients", "empty", "full", "full / empty", "target"]);
    let side = |side: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = outcome.reforecasts.iter().map(side).collect();
        spread(&values)
    };
    let cell = |values: Option<(f64, f64, f64)>| {
        let print = |value| Unit::P50Ms.format(value);
        values.map_or_else(String::new, |(median, least, greatest)| {
            format!("{} ({}–{})", print(median), print(least), print(greatest))
        })
    };
    let ratio = side(|(empty, full)| full / empty);
    let kept = ratio.map_or_else(String::new, |(ratio, ..)| format!("{} ≥ {SHARE}×", mark(ratio >= SHARE)));
    table.add_row([
        "writes/s".to_owned(),
        cell(side(|(empty, _)| *empty)),
        cell(side(|(_, full)| *full)),
        cell(ratio),
        kept,
    ]);
    table
}

fn mark(kept: bool) -> &'static str {
    if kept { "✓" } else { "✗" }
}

fn is_kept(answer: &Answer, median: f64) -> bool {
    median <= answer.query.target_ms
}

/// Median and ninety-ninth percentile, in milliseconds.
fn quantiles(answer: &Answer) -> Option<(f64, f64)> {
    let mut times: Vec<Duration> = answer.times.clone();
    times.sort_unstable();
    (!times.is_empty()).then(|| (quantile_ms(&times, 0.5), quantile_ms(&times, 0.99)))
}

/// One object.
pub fn json(plan: &Plan, outcome: &Outcome) -> Value {
    let loaded = outcome.loaded.iter().map(|rate| {
        json!({
            "stage": rate.stage.title(), "resources": rate.resources, "requests": rate.requests,
            "seconds": rate.took.as_secs_f64(),
        })
    });
    let answers = outcome.answers.iter().filter_map(|answer| {
        let (median, p99) = quantiles(answer)?;
        Some(json!({
            "noun": answer.query.noun, "query": answer.query.title, "rows": answer.seen.rows, "cut": answer.seen.is_cut,
            "bytes": answer.seen.bytes,
            "calls": answer.times.len(), "p50_ms": median, "p99_ms": p99,
            "target_ms": answer.query.target_ms, "kept": is_kept(answer, median),
        }))
    });
    let reforecasts = outcome
        .reforecasts
        .iter()
        .map(|(empty, full)| json!({ "empty": empty, "full": full, "ratio": full / empty }));
    json!({
        "machine": machine(),
        "projects": plan.projects,
        "seed": plan.seed,
        "until": plan.until.to_string(),
        "rounds": plan.rounds,
        "loaded": loaded.collect::<Vec<_>>(),
        "answers": answers.collect::<Vec<_>>(),
        "reforecasts": reforecasts.collect::<Vec<_>>(),
        "reforecasts_target": SHARE,
        "days": outcome.days.map(|days| json!({
            "count": days.count, "ms_each": days.ms_each(), "events": days.events, "standings": days.standings,
        })),
        "quiet_days": outcome.quiet_days.map(|days| json!({
            "count": days.count, "ms_each": days.ms_each(), "target_ms": DAY_MS,
        })),
        "memory_bytes": outcome.memory_bytes,
        "failures": outcome.failures,
    })
}

//! The report as JSON: one object with the values of every round.

use serde_json::{Value, json};

use super::table::machine;
use crate::compare::{Outcome, Plan};
use crate::figure::spread;
use crate::target::{bounds, judge};

/// One object; values are in the order of the rounds.
pub fn json(plan: &Plan, outcome: &Outcome) -> Value {
    let figures = outcome.figures.iter().filter_map(|((place, unit), values)| {
        let work = plan.works.get(*place)?;
        let median = |kind| values.get(&kind).and_then(|values: &Vec<f64>| spread(values)).map(|it| it.0);
        let ours = median(crate::system::Kind::Milepost);
        let targets = bounds(*work, *unit).iter().filter_map(|bound| {
            let (text, kept) = judge(*bound, *unit, ours?, median)?;
            Some(json!({ "target": text, "kept": kept }))
        });
        let systems = values.iter().map(|(kind, values)| {
            let value = json!({ "median": median(*kind), "values": values });
            (format!("{kind:?}").to_lowercase(), value)
        });
        Some(json!({
            "work": work.title(),
            "unit": unit,
            "systems": systems.collect::<serde_json::Map<_, _>>(),
            "targets": targets.collect::<Vec<_>>(),
        }))
    });
    let pairs = |pairs: &[(crate::system::Kind, String)]| {
        let entry = |(kind, text): &(_, String)| (format!("{kind:?}").to_lowercase(), json!(text));
        pairs.iter().map(entry).collect::<serde_json::Map<_, _>>()
    };
    json!({
        "machine": machine(),
        "rounds": plan.rounds,
        "seconds": plan.measure.as_secs_f64(),
        "payload_bytes": outcome.payload_bytes,
        "subjects": plan.subjects,
        "connections": plan.connections,
        "versions": pairs(&outcome.versions),
        "missing": pairs(&outcome.missing),
        "figures": figures.collect::<Vec<_>>(),
        "failures": outcome.failures,
    })
}

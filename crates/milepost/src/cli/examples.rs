//! Examples of the help: commands that run as written on what `milepost demo` loads.
//!
//! Invariant: every verb that is no standard one has an example; tests run them all, in the order of the commands.

use crate::schema::Verb;

/// By noun and verb.
const EXAMPLES: &[(&str, &str, &str)] = &[
    (
        "portfolio",
        "list",
        "  milepost portfolio list --filter 'time_zone = \"Asia/Shanghai\"' --order-by display_name",
    ),
    (
        "portfolio",
        "update",
        "  milepost portfolio update western-science-city --holiday 2026-10-01..2026-10-07 \\
    --make-up-day 2026-10-10",
    ),
    (
        "organization",
        "list",
        "  milepost organization list --filter 'display_name:大学' --order-by display_name",
    ),
    (
        "project",
        "create",
        "  milepost project create western-science-city light-rail --display-name 轻轨延伸线 \\
    --investment 25亿 --planned-period 2026-11-01..2029-06-30",
    ),
    (
        "project",
        "list",
        "  milepost project list western-science-city --filter 'status = CONSTRUCTION AND key = true'
  milepost project list western-science-city --filter 'status = (PREPARATION OR CONSTRUCTION)'
  milepost project list western-science-city --filter 'display_name:科学' \\
    --order-by 'update_time desc' --limit 3
  milepost project list western-science-city --columns name,display_name,investment --format csv",
    ),
    (
        "phase",
        "list",
        "  milepost phase list western-science-city ultra-transient-facility --filter 'order < 3' \\
    --order-by order",
    ),
    (
        "batch",
        "list",
        "  milepost batch list western-science-city --filter 'declared_count > 100'
  milepost batch list western-science-city --order-by 'start_date desc' --limit 1",
    ),
    (
        "milestone",
        "list",
        "  milepost milestone list western-science-city - --filter 'actual_date < today()'
  milepost milestone list western-science-city science-valley --order-by 'forecast_date desc'
  milepost milestone list western-science-city - --fields",
    ),
    (
        "milestone",
        "reforecast",
        "  milepost milestone reforecast western-science-city ultra-transient-facility built-and-in-use \\
    --forecast 2030-06-28
  milepost milestone reforecast western-science-city ultra-transient-facility built-and-in-use \\
    --withdraw --reason 'no date is published'",
    ),
];

/// The examples of a verb.
pub fn of(verb: &Verb) -> Option<&'static str> {
    let found = EXAMPLES.iter().find(|(noun, name, _)| *noun == verb.resource.noun && *name == verb.name);
    found.map(|(_, _, examples)| *examples)
}

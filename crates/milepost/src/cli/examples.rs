//! Examples of the help: commands that run as written on what `milepost demo` loads.
//!
//! Invariant: every verb that is no standard one has an example, and each example runs whatever others ran before it;
//! tests run them all, in two orders.

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
    ("project", "prepare", "  milepost project prepare western-science-city genertec-nano-time-grating"),
    (
        "project",
        "start",
        "  milepost project start western-science-city pingshan-avenue --start-date 2026-03-02",
    ),
    (
        "project",
        "suspend",
        "  milepost project suspend western-science-city germplasm-creation-center --reason 用地待批",
    ),
    (
        "project",
        "resume",
        "  milepost project suspend western-science-city peking-university-big-data --reason 用地待批
  milepost project resume western-science-city peking-university-big-data --reason 用地已批",
    ),
    (
        "project",
        "complete",
        "  milepost project complete western-science-city science-avenue --completion-date 2026-06-30",
    ),
    (
        "project",
        "commission",
        "  milepost project complete western-science-city science-valley --completion-date 2026-06-30
  milepost project commission western-science-city science-valley --commission-date 2026-09-01",
    ),
    (
        "project",
        "cancel",
        "  milepost project cancel western-science-city natural-population-biobank --reason 并入二期",
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
        "batch",
        "add-members",
        "  milepost batch create western-science-city spring --display-name 春季集中开工 \\
    --start-date 2027-03-15
  milepost batch add-members western-science-city spring --member cas-chongqing-science-center",
    ),
    (
        "batch",
        "remove-members",
        "  milepost batch create western-science-city summer --display-name 夏季集中开工 \\
    --start-date 2027-06-15 --member everbright-ai-industry-base
  milepost batch remove-members western-science-city summer --member everbright-ai-industry-base",
    ),
    (
        "batch",
        "start",
        "  milepost batch create western-science-city autumn --display-name 秋季集中开工 \\
    --start-date 2026-09-15 --member science-city-tunnel
  milepost batch start western-science-city autumn",
    ),
    (
        "batch",
        "cancel",
        "  milepost batch create western-science-city winter --display-name 冬季集中开工 \\
    --start-date 2026-12-15
  milepost batch cancel western-science-city winter --reason 改到明年春季",
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
    --withdraw --reason '没有公布日期'",
    ),
    (
        "milestone",
        "forecasts",
        "  milepost milestone reforecast western-science-city ultra-transient-facility built-and-in-use \\
    --forecast 2030-09-27 --reason 设备交付推迟
  milepost milestone forecasts western-science-city ultra-transient-facility built-and-in-use",
    ),
    (
        "milestone",
        "rebaseline",
        "  milepost milestone rebaseline western-science-city ultra-transient-facility built-and-in-use \\
    --baseline-date 2030-12-31 --reason '可行性研究已批复'",
    ),
    (
        "milestone",
        "achieve",
        "  milepost milestone create western-science-city science-valley topping-out --display-name 封顶
  milepost milestone achieve western-science-city science-valley topping-out \\
    --actual-date 2026-06-30",
    ),
    (
        "milestone",
        "partially-achieve",
        "  milepost milestone create western-science-city science-valley lighting --display-name 亮灯
  milepost milestone partially-achieve western-science-city science-valley lighting \\
    --actual-date 2026-06-30 --reason 东区尚未接通",
    ),
    (
        "milestone",
        "miss",
        "  milepost milestone create western-science-city science-valley open-day --display-name 开放日
  milepost milestone miss western-science-city science-valley open-day --reason 场地未交付",
    ),
    (
        "milestone",
        "cancel",
        "  milepost milestone create western-science-city science-valley fair --display-name 展会
  milepost milestone cancel western-science-city science-valley fair --reason 改在线上举行",
    ),
    (
        "milestone",
        "reopen",
        "  milepost milestone reopen western-science-city cec-chongqing-software-park construction-start \\
    --reason 开工日期待核实",
    ),
    (
        "milestone",
        "add-evidence",
        "  milepost milestone add-evidence western-science-city science-avenue construction-start \\
    --title 开工令 --uri https://example.org/start-order.pdf \\
    --sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    ("milestone", "current-date", "  milepost milestone current-date western-science-city"),
    ("milestone", "advance-date", "  milepost milestone advance-date western-science-city --date 2026-01-05"),
];

/// The examples of a verb.
pub fn of(verb: &Verb) -> Option<&'static str> {
    let found = EXAMPLES.iter().find(|(noun, name, _)| *noun == verb.resource.noun && *name == verb.name);
    found.map(|(_, _, examples)| *examples)
}

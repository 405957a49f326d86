//! The chart: for each work a bar for each system, as long as its median beside the best of the work, with
//! a line from the least to the greatest.

use std::fmt::Write;

use crate::compare::{Outcome, Plan};
use crate::figure::{Unit, spread};
use crate::system::Kind;

const WIDTH: u32 = 860;
const LEFT: u32 = 210;
const BAR: u32 = 14;
const LANE: u32 = 18;
/// Room for the value behind the longest bar.
const RIGHT: u32 = 170;

/// An SVG document.
pub fn chart(plan: &Plan, outcome: &Outcome) -> String {
    let (mut body, mut y) = (String::new(), 30);
    for ((place, unit), values) in &outcome.figures {
        // A bar of nothing missing says nothing, nor do bytes of one system alone.
        let Some(work) = plan.works.get(*place).filter(|_| *unit != Unit::Missing && values.len() > 1) else {
            continue;
        };
        let rows: Vec<_> =
            Kind::ALL.into_iter().filter_map(|kind| Some((kind, spread(values.get(&kind)?)?))).collect();
        let longest = rows.iter().map(|(_, (_, _, greatest))| *greatest).fold(0.0, f64::max);
        if longest <= 0.0 {
            continue;
        }
        let better = if unit.more_is_better() { "longer is better" } else { "shorter is better" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            body,
            r#"<text x="8" y="{y}" class="work">{}, {} <tspan class="note">{better}</tspan></text>"#,
            work.title(),
            unit.title()
        );
        y += 8;
        for (kind, (median, least, greatest)) in rows {
            let scale = |value: f64| value / longest * f64::from(WIDTH - LEFT - RIGHT);
            let (middle, text) = (y + BAR / 2, y + BAR - 3);
            let class = if kind == Kind::Milepost { "ours" } else { "theirs" };
            let left = f64::from(LEFT);
            let _ = writeln!(
                body,
                r#"<text x="{}" y="{text}" class="name">{kind}</text><rect x="{LEFT}" y="{y}" width="{:.1}" height="{BAR}" class="{class}"/><line x1="{:.1}" y1="{middle}" x2="{:.1}" y2="{middle}" class="spread"/><text x="{:.1}" y="{text}">{}</text>"#,
                LEFT - 8,
                scale(median).max(1.0),
                left + scale(least),
                left + scale(greatest),
                left + scale(greatest) + 6.0,
                unit.format(median),
            );
            y += LANE;
        }
        y += 26;
    }
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}">
<style>
text {{ font: 12px sans-serif; fill: #222 }} .work {{ font-weight: bold }} .note {{ font-weight: normal; fill: #777 }}
.name {{ text-anchor: end }} .ours {{ fill: #1668a8 }} .theirs {{ fill: #b8c4ce }} .spread {{ stroke: #222; stroke-width: 1.5 }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
{body}</svg>
"##
    )
}

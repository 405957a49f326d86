//! Templates: the plan of the version in force as a Gantt, a picture in each row.
//!
//! Invariants: gates differ from other milestones by their shape; how far items are from each other is said in words, too.

use milepost_proto::tracker::v1::milestone::Gate;

use super::{Writer, framed, paragraph};
use crate::output::markup::escaped;
use crate::output::plan::{Axis, Chart, Item};
use crate::reference::view::Template;

/// The height of the picture of a row, and of the numbers above.
const HIGH: u32 = 18;
/// Shares of the width that are kept free for half a mark, or a number, at each end.
const EDGE: f64 = 3.0;

impl Writer<'_> {
    pub(super) fn templates(&self) -> String {
        let templates = &self.view.templates;
        if templates.is_empty() {
            return String::new();
        }
        let content: String = templates.iter().map(|template| self.template(template)).collect();
        self.section("templates", self.words.templates(), &content)
    }

    fn template(&self, template: &Template) -> String {
        let (words, plan) = (self.words, &template.plan);
        let mut out = format!(
            "<article>\n<h3>{}</h3>\n{}{}",
            escaped(&template.title),
            paragraph("note", &words.about_template(template)),
            paragraph("text", &template.description),
        );
        for chart in &plan.charts {
            out += &self.chart(chart);
        }
        if !plan.undated.is_empty() {
            out += &paragraph("note", words.without_day());
            let rows: String = plan.undated.iter().map(|item| self.item(item, None)).collect();
            let heads = format!("<tr><td></td><th scope=\"col\">{}</th><td></td></tr>", words.milestone());
            out +=
                &framed("plan undated", words.without_day(), &heads, &format!("<tbody>\n{rows}</tbody>\n"));
        }
        if plan.more > 0 {
            out += &paragraph("note", &words.more_items(plan.more));
        }
        out += &paragraph("note", &words.plan_key(plan));
        out + "</article>\n"
    }

    fn chart(&self, chart: &Chart) -> String {
        let words = self.words;
        let heading = words.plan_heading(chart);
        let numbers = chart.axis.ticks().into_iter().map(|(number, day)| {
            format!("<text class=\"part\" x=\"{:.2}%\" y=\"13\">{number}</text>", along(&chart.axis, day))
        });
        let head = format!(
            "<tr><td></td><th scope=\"col\">{}</th><td class=\"line\"><svg width=\"100%\" height=\"{HIGH}\" \
             aria-hidden=\"true\">{}</svg></td><th scope=\"col\">{}</th></tr>",
            words.milestone(),
            numbers.collect::<String>(),
            words.distance(),
        );
        let rows: String = chart.items.iter().map(|item| self.item(item, Some(&chart.axis))).collect();
        paragraph("note", &heading) + &framed("plan", &heading, &head, &format!("<tbody>\n{rows}</tbody>\n"))
    }

    /// The row of an item, with its picture if it has a place.
    fn item(&self, item: &Item, axis: Option<&Axis>) -> String {
        let picture =
            axis.map_or(String::new(), |axis| format!("<td class=\"line\">{}</td>", line(item, axis)));
        format!(
            "<tr><td class=\"number\">{}</td><th scope=\"row\">{}</th>{picture}<td>{}</td></tr>\n",
            item.number,
            escaped(&item.title),
            escaped(&self.words.plan_item(item)),
        )
    }
}

/// The line of an item: from where it is counted to its mark.
fn line(item: &Item, axis: &Axis) -> String {
    let ticks = axis.ticks().into_iter().map(|(_, day)| {
        let x = along(axis, day);
        format!("<line class=\"tick\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"0\" y2=\"{HIGH}\"/>")
    });
    let (from, at) = (along(axis, item.from), along(axis, item.at));
    let bar = match (at - from, from - at) {
        (wide, _) if wide > 0.0 => {
            format!("<rect class=\"span\" x=\"{from:.2}%\" y=\"7\" width=\"{wide:.2}%\" height=\"4\"/>")
        }
        // What is counted back is no time that something takes.
        (_, back) if back > 0.0 => {
            format!("<line class=\"back\" x1=\"{at:.2}%\" x2=\"{from:.2}%\" y1=\"9\" y2=\"9\"/>")
        }
        _ => String::new(),
    };
    let mark = match item.gate {
        Gate::Unspecified => "<circle class=\"mark\" r=\"5\"/>",
        Gate::Merged => "<path class=\"mark\" d=\"M0-7 7 0 0 7-7 0Z\"/>",
        Gate::Bundled => "<path class=\"mark\" d=\"M-6-6H6V6H-6Z\"/>",
    };
    format!(
        "<svg width=\"100%\" height=\"{HIGH}\" aria-hidden=\"true\">{}{bar}<svg class=\"at\" x=\"{at:.2}%\" \
         y=\"9\">{mark}</svg></svg>",
        ticks.collect::<String>(),
    )
}

/// How far along the width a day is, in percent.
fn along(axis: &Axis, day: f64) -> f64 {
    EDGE + axis.share(day) * (100.0 - 2.0 * EDGE)
}

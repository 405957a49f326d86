//! Answers of the tracker: how members of a campaign stand, walls of lights, orders by light, and plans of templates.
//!
//! Invariant: ranks and lights are as the server answered them. A light is a letter or a word besides a colour.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::tracker::v1::rectification_order::{Light as OrderLight, State};
use milepost_proto::tracker::v1::{
    CampaignStandings, RectificationOrder, ReplayCounts, ReplayedProject, TemplateVersion, Warning,
    WarningLight,
};

use super::{Sheet, counted, word};
use crate::output::plan::Plan;
use crate::output::standings::{self, Heads, Standing};
use crate::output::table::Column;
use crate::output::value::civil_date;
use crate::output::wall::{LIGHTS, Letters, Light, Wall};
use crate::output::{plan, table, text};
use crate::reference::Words;

/// Lights by warning policy, project and period: those that count.
#[derive(Default)]
pub(super) struct Warnings(BTreeMap<String, Vec<(String, Date, Light)>>);

impl Warnings {
    pub(super) fn add(&mut self, warning: &Warning) {
        let Some(period) = civil_date(warning.period_end) else { return };
        if warning.superseded_by.is_empty() {
            let project = warning.name.split("/warnings/").next().unwrap_or_default().to_owned();
            let light = Light { shown: warning.shown_light(), is_excused: !warning.excuse.is_empty() };
            self.0.entry(warning.policy.clone()).or_default().push((project, period, light));
        }
    }
}

/// What a policy would have shown, how many periods differ, by project, and how many projects have which light, by period.
#[derive(Default)]
pub(super) struct Replayed {
    lights: Vec<(String, Date, Light)>,
    differ: BTreeMap<String, usize>,
    counts: BTreeMap<Date, Counts>,
}

/// How often each light would be shown, the worst first; how many of them differ, and how many orders would be opened.
#[derive(Default, Clone, Copy)]
struct Counts {
    lights: [i64; 4],
    differ: i64,
    orders: i64,
}

impl Counts {
    fn add(&mut self, more: Self) {
        self.lights.iter_mut().zip(more.lights).for_each(|(count, more)| *count += more);
        self.differ += more.differ;
        self.orders += more.orders;
    }
}

impl Replayed {
    pub(super) fn add(&mut self, replayed: &ReplayedProject) {
        let project = &replayed.project;
        for period in &replayed.periods {
            let Some(end) = civil_date(period.period_end) else { continue };
            let light = Light { shown: period.shown_light(), is_excused: period.excused };
            self.lights.push((project.clone(), end, light));
            *self.differ.entry(project.clone()).or_default() += usize::from(period.differs);
        }
    }

    /// Takes what a page counts of a period: the counts of pages add up.
    pub(super) fn count(&mut self, page: &ReplayCounts) {
        let Some(end) = civil_date(page.period_end) else { return };
        let lights = [page.red_count, page.yellow_count, page.no_light_count, page.green_count];
        self.counts.entry(end).or_default().add(Counts {
            lights: lights.map(i64::from),
            differ: page.difference_count.into(),
            orders: page.order_count.into(),
        });
    }
}

/// How many rectification orders have which light, and whose are overdue.
#[derive(Default)]
pub(super) struct Orders {
    by_light: [u64; 3],
    waiting: u64,
    overdue: BTreeMap<String, u64>,
}

/// The lights of orders, the worst first.
const ORDER_LIGHTS: [OrderLight; 3] = [OrderLight::Red, OrderLight::Yellow, OrderLight::Blue];

impl Orders {
    pub(super) fn add(&mut self, order: &RectificationOrder) {
        if let Some(place) = ORDER_LIGHTS.iter().position(|light| *light == order.light()) {
            self.by_light[place] += 1;
        }
        self.waiting += u64::from(order.state() == State::Answered);
        if order.light() == OrderLight::Red {
            *self.overdue.entry(order.responsible.clone()).or_default() += 1;
        }
    }
}

impl Sheet<'_> {
    /// Ranks with totals and scores as bars, and why there is none.
    pub(super) fn standings(&mut self, found: &CampaignStandings) {
        let (campaign, date) = (text::ids(&found.campaign), text::date(found.date.as_ref()));
        let knowledge = word(found.knowledge().as_str_name(), "KNOWLEDGE_UNSPECIFIED");
        let kept = match (found.sign_off, found.stored) {
            (0, false) => String::new(),
            (0, true) => ", as found when the day had passed".to_owned(),
            (number, _) => format!(", as sign-off {number} froze them"),
        };
        self.line(&format!("{campaign} on {date}, {knowledge}{kept}"));
        let mut rows = standings::of(found);
        rows.iter_mut().for_each(|row| row.title = last(&row.title));
        if rows.is_empty() {
            return;
        }
        let criteria = found.standings.first().into_iter().flat_map(|standing| &standing.scores);
        let scores: Vec<String> = criteria.map(|score| score.criterion.to_uppercase()).collect();
        let heads = Heads { rank: "RANK", project: "PROJECT", total: "TOTAL", scores, note: "NOTE" };
        let mut columns = standings::columns(&heads, &rows, str::to_owned, note);
        let days = rows.iter().map(|row| counted(row.member_days).into());
        columns.push(Column::new("DAYS", table::Room::Number, 2, days));
        self.columns(columns);
    }

    /// A wall of lights for each policy.
    pub(super) fn warnings(&mut self, warnings: Warnings) {
        for (policy, lights) in warnings.0 {
            let wall = Wall::of(lights);
            self.rendered.text += "\n";
            self.line(&format!("{}, {}", last(&policy), key(&wall)));
            self.wall(wall);
        }
    }

    /// The lights that a policy would have shown.
    pub(super) fn replay(&mut self, replayed: Replayed) {
        let mut wall = Wall::of(replayed.lights);
        if wall.rows.is_empty() {
            return;
        }
        for row in &mut wall.rows {
            let differ = replayed.differ.get(&row.title).copied().unwrap_or_default();
            row.note = if differ > 0 { format!("{differ} differ") } else { String::new() };
        }
        self.rendered.text += "\n";
        self.line(&key(&wall));
        self.wall(wall);
        self.replay_counts(&replayed.counts);
    }

    /// How many lights there are of each kind: in the last period, and in all.
    fn replay_counts(&mut self, counts: &BTreeMap<Date, Counts>) {
        let Some((end, last)) = counts.last_key_value() else { return };
        let mut all = Counts::default();
        counts.values().for_each(|period| all.add(*period));
        let periods = text::count(counts.len() as u64, "period", "periods");
        self.rendered.text += "\n";
        for (of, Counts { lights, differ, orders }) in
            [(format!("on {end}"), *last), (format!("in {periods}"), all)]
        {
            let light = |(light, count): (&WarningLight, i64)| {
                let word = word(light.as_str_name(), WarningLight::Unspecified.as_str_name());
                (count > 0).then(|| format!("{} {word}", text::grouped(&count.to_string())))
            };
            let lights = LIGHTS.iter().zip(lights).filter_map(light);
            let differ = (differ > 0).then(|| format!("{} differ", text::grouped(&differ.to_string())));
            let orders = (orders > 0).then(|| {
                let orders = text::count(orders.unsigned_abs(), "order", "orders");
                format!("{orders} would be opened")
            });
            let parts: Vec<String> = lights.chain(differ).chain(orders).collect();
            self.line(&format!("{of}: {}", parts.join(", ")));
        }
    }

    fn wall(&mut self, mut wall: Wall) {
        wall.rows.iter_mut().for_each(|row| row.title = last(&row.title));
        let (drawn, hidden) = wall.draw(Letters::ENGLISH, self.output.columns, self.output.colour);
        self.rendered.text += &drawn;
        if hidden > 0 {
            self.line(&format!(
                "no room for {}",
                text::count(hidden as u64, "earlier period", "earlier periods")
            ));
        }
    }

    /// How many orders have which light, and whose are overdue.
    pub(super) fn orders(&mut self, orders: &Orders) {
        let lights = ORDER_LIGHTS.iter().zip(orders.by_light).filter(|(_, count)| *count > 0);
        let light = |(light, count): (&OrderLight, u64)| {
            format!("{count} {}", word(light.as_str_name(), OrderLight::Unspecified.as_str_name()))
        };
        let waiting = (orders.waiting > 0).then(|| format!("{} waiting for review", orders.waiting));
        let parts: Vec<String> = lights.map(light).chain(waiting).collect();
        if !parts.is_empty() {
            self.rendered.text += "\n";
            self.line(&parts.join(", "));
        }
        let whose = |(responsible, count): (&String, &u64)| format!("{} {count}", last(responsible));
        if !orders.overdue.is_empty() {
            let whose: Vec<String> = orders.overdue.iter().map(whose).collect();
            self.line(&format!("overdue: {}", whose.join(", ")));
        }
    }

    /// The plan of a version, drawn.
    pub(super) fn plan(&mut self, version: &TemplateVersion) {
        let words = Words::of("en");
        let found = Plan::of(version, usize::MAX, |item| item.display_name.clone());
        let columns = usize::from(self.output.columns.unwrap_or(COLUMNS));
        let heads = plan::Heads { item: "ITEM", text: "" };
        for chart in &found.charts {
            self.rendered.text += "\n";
            self.line(&words.plan_heading(chart));
            self.columns(plan::columns(chart, columns, &heads, |item| words.plan_item(item)));
        }
        // Where nothing has a day there is nothing to draw: the card says it all.
        if !found.charts.is_empty() && !found.undated.is_empty() {
            self.rendered.text += "\n";
            self.line(words.without_day());
            self.columns(plan::listed(&found.undated, &heads, |item| words.plan_item(item)));
        }
        if !found.charts.is_empty() {
            self.line(&words.plan_key(&found));
        }
    }
}

/// Columns of a drawing where there is no terminal.
const COLUMNS: u16 = 100;

/// What the letters of a wall stand for.
fn key(wall: &Wall) -> String {
    let [first, last] =
        [wall.periods.first(), wall.periods.last()].map(|period| period.copied().unwrap_or_default());
    format!(
        "periods that end on {first} to {last}: R red, Y yellow, G green, {} no light, lower case excused",
        text::ABSENT
    )
}

/// What is to be said of a member besides its scores.
fn note(row: &Standing) -> String {
    let decided = Some(&row.decided_by).filter(|by| !by.is_empty()).map(|by| format!("ahead by {by}"));
    let vetoed = (row.veto_count > 0).then(|| {
        let findings: Vec<String> = row.vetoed_by.iter().map(|finding| last(finding)).collect();
        let more = match row.veto_count.saturating_sub(findings.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("vetoed by {}{more}", findings.join(", "))
    });
    let total = Some(row.total_missing.clone()).filter(|why| !why.is_empty());
    let missing = row.scores.iter().filter(|score| score.value.is_some()).flat_map(|score| score.why.clone());
    decided.into_iter().chain(vetoed).chain(total).chain(missing).collect::<Vec<_>>().join("; ")
}

/// The id of a resource.
fn last(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

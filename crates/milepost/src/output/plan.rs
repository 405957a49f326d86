//! The plan of a template as a Gantt: how far each item is from what it is counted from.
//!
//! Invariants: a plan has no dates, only distances, and those of working days are drawn as if a week had five: dates are
//! for the server to count. No drawing is wider than asked for. What carries a meaning by its place carries it in words,
//! too.

use std::cmp::Ordering;
use std::collections::HashMap;

use milepost_proto::tracker::v1::milestone::Gate;
use milepost_proto::tracker::v1::template_item::Anchor;
use milepost_proto::tracker::v1::template_offset::Unit;
use milepost_proto::tracker::v1::{TemplateItem, TemplateVersion};

use super::table::{Column, Room};

/// Days of a month, and days for each working day, as they are drawn.
const MONTH: f64 = 365.25 / 12.0;
const WORKING_DAY: f64 = 7.0 / 5.0;
/// Numbers on an axis at most.
const TICKS: f64 = 8.0;

/// A plan, by what its items are counted from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    pub charts: Vec<Chart>,
    /// Items that are counted from nothing, and those that are counted from them.
    pub undated: Vec<Item>,
    /// How many further items there are that are in neither.
    pub more: usize,
}

/// Items that are counted from one day in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub root: Root,
    /// By their places, in the order of time.
    pub items: Vec<Item>,
    pub axis: Axis,
}

/// A day of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    Start,
    PlannedStart,
    PlannedEnd,
}

/// A milestone to be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// What others name it by: its place in the drawing, from 1.
    pub number: usize,
    pub title: String,
    /// How far it is from what it is counted from. Absent: nothing is between them.
    pub offset: Option<(i32, Unit)>,
    /// The number of the item that it is counted from. Absent: it is counted from the root.
    pub after: Option<usize>,
    /// Where it is counted from, and where it is, in days from the root as they are drawn.
    pub from: f64,
    pub at: f64,
    pub gate: Gate,
    /// The numbers of the items that a bundled gate joins.
    pub members: Vec<usize>,
    /// What it is coupled by. Empty: it is not.
    pub coupling: String,
    /// For how many months it holds once it is achieved. 0: it says nothing of that.
    pub validity_months: i32,
}

/// What a chart is measured by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// The first and the last day that is drawn.
    pub first: f64,
    pub last: f64,
    /// Whether its numbers are months; if not, days.
    pub is_months: bool,
    /// Units from a number to the next.
    step: i32,
}

impl Plan {
    /// The plan of a version, with so many items at most; `title` says what an item is called.
    pub fn of(version: &TemplateVersion, most: usize, title: impl Fn(&TemplateItem) -> String) -> Self {
        let items = &version.items;
        let places: HashMap<&str, usize> =
            items.iter().enumerate().map(|(place, item)| (item.id.as_str(), place)).collect();
        let mut placed: Vec<(usize, Option<Place>)> =
            (0..items.len()).map(|item| (item, place(items, &places, item))).collect();
        placed.sort_by(|(_, one), (_, other)| in_time(*one, *other));
        let mut numbers = vec![0; items.len()];
        placed.iter().zip(1..).for_each(|((item, _), number)| numbers[*item] = number);
        let number_of = |id: &str| places.get(id).map(|place| numbers[*place]);
        let mut plan = Self { more: placed.len().saturating_sub(most), ..Self::default() };
        for (number, (item, place)) in (1..).zip(placed.into_iter().take(most)) {
            let item = &items[item];
            let drawn = Item {
                number,
                title: title(item),
                offset: item.offset.filter(|offset| offset.n != 0).map(|offset| (offset.n, offset.unit())),
                after: number_of(&item.anchor_item).filter(|_| item.anchor() == Anchor::Item),
                from: place.map_or(0.0, |place| place.from),
                at: place.map_or(0.0, |place| place.at),
                gate: item.gate(),
                members: item.members.iter().filter_map(|id| number_of(id)).collect(),
                coupling: item.coupling.clone(),
                validity_months: item.validity.as_ref().map_or(0, |validity| validity.months),
            };
            plan.add(place, drawn);
        }
        plan.charts.iter_mut().for_each(|chart| chart.axis = Axis::of(&chart.items));
        plan
    }

    /// Adds an item that comes after those that are there.
    fn add(&mut self, place: Option<Place>, item: Item) {
        let Some(Place { root, .. }) = place else { return self.undated.push(item) };
        match self.charts.last_mut().filter(|chart| chart.root == root) {
            Some(chart) => chart.items.push(item),
            None => self.charts.push(Chart { root, items: vec![item], axis: Axis::of(&[]) }),
        }
    }
}

/// The root that an item is counted from in the end, and in days from it where it is counted from and where it is.
#[derive(Debug, Clone, Copy)]
struct Place {
    root: Root,
    from: f64,
    at: f64,
}

/// By root and time, and what has no place last.
fn in_time(one: Option<Place>, other: Option<Place>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.root.cmp(&other.root).then(one.at.total_cmp(&other.at)),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

/// The place of an item. Nothing if it is counted from nothing.
fn place(items: &[TemplateItem], places: &HashMap<&str, usize>, item: usize) -> Option<Place> {
    let (mut chain, mut at) = (vec![item], item);
    let root = loop {
        let item = &items[at];
        match item.anchor() {
            Anchor::Unspecified => return None,
            Anchor::ProjectStart => break Root::Start,
            Anchor::PlannedStart => break Root::PlannedStart,
            Anchor::PlannedEnd => break Root::PlannedEnd,
            Anchor::Item => at = *places.get(item.anchor_item.as_str())?,
        }
        // The server refuses circles; none is followed for ever if it did not.
        if chain.len() > items.len() {
            return None;
        }
        chain.push(at);
    };
    let (from, at) = chain.iter().rev().fold((0.0, 0.0), |(_, at), item| (at, at + days(&items[*item])));
    Some(Place { root, from, at })
}

/// How far an item is from what it is counted from, in days as they are drawn.
fn days(item: &TemplateItem) -> f64 {
    let Some(offset) = &item.offset else { return 0.0 };
    let each = match offset.unit() {
        Unit::WorkingDays => WORKING_DAY,
        Unit::CalendarDays | Unit::Unspecified => 1.0,
        Unit::Months => MONTH,
    };
    f64::from(offset.n) * each
}

impl Axis {
    /// The axis of these items and of the day that they are counted from.
    fn of(items: &[Item]) -> Self {
        let places = || items.iter().flat_map(|item| [item.from, item.at]).chain([0.0]);
        let (first, last) = (places().fold(0.0, f64::min), places().fold(0.0, f64::max));
        let span = (last - first).max(1.0);
        let is_months = span > 3.0 * MONTH;
        let unit = if is_months { MONTH } else { 1.0 };
        let steps: &[i32] =
            if is_months { &[1, 2, 3, 6, 12, 24, 60, 120, 240] } else { &[1, 2, 5, 7, 14, 30] };
        // Items may be counted from each other for thousands of years.
        let centuries = (0..).map_while(|power| 10_i32.checked_pow(power)?.checked_mul(600));
        let longer = centuries.flat_map(|step| [1, 2, 5].map(|times| step.saturating_mul(times)));
        let fits = |step: &i32| span / (f64::from(*step) * unit) <= TICKS;
        let step = steps.iter().copied().chain(longer).find(fits).unwrap_or(i32::MAX);
        Self { first, last: first + span, is_months, step }
    }

    /// How far along a day is, 0 to 1.
    pub fn share(&self, day: f64) -> f64 {
        ((day - self.first) / (self.last - self.first)).clamp(0.0, 1.0)
    }

    /// The numbers on it, each with its day.
    pub fn ticks(&self) -> Vec<(i32, f64)> {
        let each = f64::from(self.step) * if self.is_months { MONTH } else { 1.0 };
        // There are few steps from one end to the other.
        #[allow(clippy::cast_possible_truncation)]
        let (first, last) = ((self.first / each).ceil() as i32, (self.last / each + 0.001).floor() as i32);
        (first..=last).map(|tick| (tick.saturating_mul(self.step), f64::from(tick) * each)).collect()
    }
}

/// The line of an item in so many columns: from where it is counted to its mark, thin if that is earlier.
pub fn line(item: &Item, axis: &Axis, columns: usize) -> String {
    let (from, at) = (column(axis.share(item.from), columns), column(axis.share(item.at), columns));
    let cell = |place: usize| match place {
        _ if place == at => mark(item.gate),
        _ if (from..at).contains(&place) => "━",
        // What is counted back is no time that something takes.
        _ if (at..=from).contains(&place) => "╌",
        _ => "·",
    };
    (0..columns).map(cell).collect()
}

/// The numbers of an axis in so many columns.
pub fn ruler(axis: &Axis, columns: usize) -> String {
    let mut line = String::new();
    for (number, day) in axis.ticks() {
        let (number, at) = (number.to_string(), column(axis.share(day), columns));
        let at = at.min(columns.saturating_sub(number.len()));
        let used = line.chars().count();
        if line.is_empty() || used < at {
            line += &"·".repeat(at.saturating_sub(used));
            line += &number;
        }
    }
    let used = line.chars().count();
    line + &"·".repeat(columns.saturating_sub(used))
}

/// What stands where an item is: merged and bundled gates differ from others by their shape.
pub fn mark(gate: Gate) -> &'static str {
    match gate {
        Gate::Unspecified => "●",
        Gate::Merged => "◆",
        Gate::Bundled => "■",
    }
}

/// What stands above the columns of a plan.
pub struct Heads<'a> {
    pub item: &'a str,
    pub text: &'a str,
}

/// The columns of a table of a chart, for so many columns of a terminal; `text` says an item in words.
pub fn columns(
    chart: &Chart,
    columns: usize,
    heads: &Heads<'_>,
    text: impl Fn(&Item) -> String,
) -> Vec<Column> {
    let room = (columns * 2 / 5).clamp(16, 60);
    let lines = chart.items.iter().map(|item| line(item, &chart.axis, room).into());
    let drawn = Column::new(&ruler(&chart.axis, room), Room::Whole, 1, lines);
    let mut all = listed(&chart.items, heads, text);
    all.insert(2, drawn);
    all
}

/// The columns of a table of items that are not drawn.
pub fn listed(items: &[Item], heads: &Heads<'_>, text: impl Fn(&Item) -> String) -> Vec<Column> {
    vec![
        Column::new("", Room::Number, 0, items.iter().map(|item| item.number.to_string().into())),
        Column::new(heads.item, Room::Text, 0, items.iter().map(|item| item.title.clone().into())),
        Column::new(heads.text, Room::Text, 0, items.iter().map(|item| text(item).into())),
    ]
}

/// The column of a share.
fn column(share: f64, columns: usize) -> usize {
    let last = u32::try_from(columns.saturating_sub(1)).unwrap_or(u32::MAX);
    // The share is in 0 to 1.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let column = (share * f64::from(last)).round() as usize;
    column
}

#[cfg(test)]
mod tests {
    use milepost_proto::tracker::v1::TemplateOffset;

    use super::*;
    use crate::output::width;

    fn item(id: &str, anchor: Anchor, after: &str, offset: Option<(i32, Unit)>) -> TemplateItem {
        TemplateItem {
            id: id.into(),
            display_name: id.to_uppercase(),
            anchor: anchor.into(),
            anchor_item: after.into(),
            offset: offset.map(|(n, unit)| TemplateOffset { n, unit: unit.into() }),
            ..TemplateItem::default()
        }
    }

    fn plan_of(items: Vec<TemplateItem>, most: usize) -> Plan {
        Plan::of(&TemplateVersion { items, ..TemplateVersion::default() }, most, |item| {
            item.display_name.clone()
        })
    }

    /// Items so many months from each other.
    fn chain(items: usize, months: i32) -> Vec<TemplateItem> {
        let link = |number: usize| {
            let (anchor, after) = match number {
                0 => (Anchor::ProjectStart, String::new()),
                _ => (Anchor::Item, format!("i{}", number - 1)),
            };
            item(&format!("i{number}"), anchor, &after, Some((months, Unit::Months)))
        };
        (0..items).map(link).collect()
    }

    fn all() -> Vec<TemplateItem> {
        let mut licence = item("licence", Anchor::Unspecified, "", None);
        licence.gate = Gate::Bundled.into();
        licence.members = vec!["start".into(), "eia".into()];
        vec![
            item("eia", Anchor::Item, "approval", Some((20, Unit::WorkingDays))),
            item("approval", Anchor::PlannedStart, "", Some((-6, Unit::Months))),
            licence,
            item("start", Anchor::PlannedStart, "", None),
            item("handover", Anchor::PlannedEnd, "", Some((10, Unit::CalendarDays))),
            item("after-licence", Anchor::Item, "licence", Some((1, Unit::Months))),
        ]
    }

    #[test]
    fn items_stand_in_the_order_of_time_below_what_they_are_counted_from() {
        let plan = plan_of(all(), 100);
        let titles = |items: &[Item]| items.iter().map(|item| item.title.clone()).collect::<Vec<_>>();
        assert_eq!(
            plan.charts.iter().map(|chart| chart.root).collect::<Vec<_>>(),
            [Root::PlannedStart, Root::PlannedEnd]
        );
        assert_eq!(titles(&plan.charts[0].items), ["APPROVAL", "EIA", "START"]);
        assert_eq!(titles(&plan.undated), ["LICENCE", "AFTER-LICENCE"]);
        let eia = &plan.charts[0].items[1];
        assert_eq!((eia.number, eia.after), (2, Some(1)));
        assert!((eia.from + 6.0 * MONTH).abs() < 0.01 && (eia.at - eia.from - 28.0).abs() < 0.01, "{eia:?}");
        assert_eq!(plan.undated[0].members, [3, 2], "numbers are those of the drawing");
        assert_eq!(plan.undated[1].after, Some(plan.undated[0].number));
    }

    #[test]
    fn a_line_goes_from_where_it_is_counted_to_its_mark() {
        let plan = plan_of(all(), 100);
        let Chart { items, axis, .. } = &plan.charts[0];
        let lines: Vec<String> = items.iter().map(|item| line(item, axis, 31)).collect();
        assert_eq!(ruler(axis, 31), "-6···-5···-4···-3···-2···-1···0");
        assert_eq!(
            lines,
            [
                "●╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌",
                "━━━━━●·························",
                "······························●"
            ]
        );
    }

    #[test]
    fn an_axis_has_days_where_all_is_near_and_few_numbers_however_far_it_is() {
        let near = plan_of(vec![item("a", Anchor::ProjectStart, "", Some((10, Unit::CalendarDays)))], 9);
        assert!(!near.charts[0].axis.is_months);
        assert_eq!(near.charts[0].axis.ticks().last().unwrap().0, 10);
        // A version has 500 items at most, each 1,200 months from the one before at most.
        for (items, months) in
            [(1, 3), (1, 12), (1, 100), (1, 1200), (2, 1200), (7, 1200), (500, 1200), (500, -1200)]
        {
            let far = plan_of(chain(items, months), 500);
            let axis = far.charts[0].axis;
            assert!((2..=9).contains(&axis.ticks().len()), "{items} of {months}: {:?}", axis.ticks());
            for columns in [1, 12, 40, 100] {
                // A number is not cut.
                let least = axis.ticks()[0].0.to_string().len();
                assert_eq!(
                    width::columns(&ruler(&axis, columns)),
                    columns.max(least),
                    "{months} in {columns}"
                );
                assert_eq!(width::columns(&line(&far.charts[0].items[0], &axis, columns)), columns);
            }
        }
    }

    #[test]
    fn what_is_not_drawn_is_counted_and_a_circle_is_not_followed() {
        let circle = vec![
            item("a", Anchor::Item, "b", None),
            item("b", Anchor::Item, "a", None),
            item("c", Anchor::Item, "gone", None),
        ];
        let plan = plan_of(circle, 2);
        assert_eq!((plan.charts.len(), plan.undated.len(), plan.more), (0, 2, 1));
        assert_eq!(plan_of(Vec::new(), 2), Plan::default());
    }
}

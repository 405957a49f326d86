//! What supervision says of a member on a day: inspections, findings and rectification orders of its window.
//!
//! Invariant: a finding that was withdrawn counts for nothing, unless what is asked for is what was known before that; an
//! order counts for every aspect that its findings are about which count, also those from before the window, by the working
//! days of the window on which it was overdue.

use std::collections::BTreeMap;

use milepost_figures::Day;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::{
    Aspect, CampaignVeto, Finding, Inspection, RectificationOrder, finding, inspection,
};
use milepost_resource::{Rows, date, field_numbers, read_fields};
use milepost_schedule::Calendar;
use milepost_types::DamagedRow;

use super::facts::Window;
use super::score::AspectFacts;
use super::walk::Walk;
use crate::decide::Tracker;
use crate::supervision::clock::overdue_working_days;
use crate::tables::supervised::{FindingRow, InspectionRow};

/// The fields that are read of orders.
const OF_ORDERS: &[&str] =
    &["findings", "due_date", "issue_date", "state", "act_date", "answers", "extension", "delete_time"];

/// What stands between the name of a project and the id of its finding in the finding's name.
const FINDINGS: &str = "/findings/";

/// What supervision says of one project after another.
pub(super) struct Supervision<'a> {
    calendar: &'a Calendar,
    inspections: Walk<'a, Inspection, InspectionRow>,
    findings: Walk<'a, Finding, (String, FindingRow)>,
    orders: Walk<'a, RectificationOrder, RectificationOrder>,
}

impl<'a> Supervision<'a> {
    /// With the working days of the portfolio.
    pub(super) fn new(rows: &Rows<'a, Tracker>, calendar: &'a Calendar) -> Self {
        let of_orders = field_numbers::<RectificationOrder>(OF_ORDERS);
        Self {
            calendar,
            inspections: Walk::new(rows, |_, row| InspectionRow::read(row)),
            findings: Walk::new(rows, |id, row| Ok((id.to_owned(), FindingRow::read(row)?))),
            orders: Walk::new(rows, move |_, row| read_fields(row, &of_orders)),
        }
    }

    /// Of a member in its window.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub(super) fn of(&mut self, window: &Window<'_>) -> Result<Inspected, DamagedRow> {
        let mut inspected = Inspected::default();
        for found in self.inspections.under(window.project) {
            inspected.note_inspection(&found?, window);
        }
        let findings = self.findings.under(window.project).collect::<Result<Vec<_>, _>>()?;
        // An order that is of no finding of the project is of no aspect.
        if !findings.is_empty() {
            for found in self.orders.under(window.project) {
                inspected.note_order(found?, &findings, self.calendar, window);
            }
        }
        findings.into_iter().for_each(|(id, finding)| inspected.note_finding(id, &finding, window));
        Ok(inspected)
    }
}

/// What is said of one member, by aspect.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    of: BTreeMap<i32, AspectFacts>,
    /// The aspect and the severity of each finding that counts, by the numbers of the schema, with its id.
    findings: Vec<(String, i32, i32)>,
}

impl Inspected {
    /// Notes the aspects that an inspection looked at.
    fn note_inspection(&mut self, inspection: &InspectionRow, window: &Window<'_>) {
        let is_done = inspection.state == i32::from(inspection::State::Done) && !inspection.is_deleted;
        if is_done && is_inside(window, inspection.day) && is_known(window, inspection.reported) {
            for aspect in &inspection.aspects {
                self.of.entry(*aspect).or_default().is_inspected = true;
            }
        }
    }

    /// Notes a finding of the window, if it counts.
    fn note_finding(&mut self, id: String, finding: &FindingRow, window: &Window<'_>) {
        if !is_inside(window, finding.day) || !counts(finding, window) {
            return;
        }
        let facts = self.of.entry(finding.aspect).or_default();
        let rank = usize::try_from(finding.severity).unwrap_or_default();
        if let Some(count) = rank.checked_sub(1).and_then(|rank| facts.findings.get_mut(rank)) {
            *count += 1;
        }
        self.findings.push((id, finding.aspect, finding.severity));
    }

    /// Notes the days on which an order was overdue, for each aspect of its findings that count, whenever they were found;
    /// those of the project stand in the order of their ids.
    fn note_order(
        &mut self,
        mut order: RectificationOrder,
        findings: &[(String, FindingRow)],
        calendar: &Calendar,
        window: &Window<'_>,
    ) {
        let issued = date(order.issue_date.as_ref()).is_some_and(|issued| issued <= window.day);
        if order.delete_time.is_some() || !issued {
            return;
        }
        // What was extended after the day was due as before then.
        if let Some(extension) = order.extension.take().filter(|_| window.knowledge == Knowledge::Then)
            && date(extension.grant_date.as_ref()).is_some_and(|granted| granted > window.day)
        {
            order.due_date = extension.previous_due_date;
        }
        let before = window.join.yesterday().unwrap_or(window.join);
        let days = overdue_working_days(&order, calendar, window.day)
            - overdue_working_days(&order, calendar, before);
        let Some(days) = u32::try_from(days).ok().filter(|days| *days > 0) else { return };
        let aspect_of = |name: &String| {
            let id = name.strip_prefix(&window.member.project)?.strip_prefix(FINDINGS)?;
            let place = findings.binary_search_by(|(of, _)| of.as_str().cmp(id)).ok()?;
            Some(&findings[place].1).filter(|finding| counts(finding, window)).map(|finding| finding.aspect)
        };
        let mut of: Vec<i32> = order.findings.iter().filter_map(aspect_of).collect();
        of.sort_unstable();
        of.dedup();
        of.into_iter().for_each(|aspect| self.of.entry(aspect).or_default().overdue_days.push(days));
    }

    /// What is said of an aspect.
    pub(super) fn aspect(&self, aspect: Aspect) -> AspectFacts {
        self.of.get(&aspect.into()).cloned().unwrap_or_default()
    }

    /// The findings that veto the member, a project: their names.
    pub(super) fn vetoes(&self, veto: Option<&CampaignVeto>, project: &str) -> Vec<String> {
        let Some(veto) = veto else { return Vec::new() };
        let is_grave = |(_, aspect, severity): &&(String, i32, i32)| {
            let is_of = veto.aspects.is_empty() || veto.aspects.contains(aspect);
            is_of && *severity >= veto.min_severity
        };
        let grave = self.findings.iter().filter(is_grave);
        grave.map(|(id, ..)| [project, FINDINGS, id.as_str()].concat()).collect()
    }
}

/// Whether a finding was one on the day, by what is asked for: whenever it was found.
fn counts(finding: &FindingRow, window: &Window<'_>) -> bool {
    let is_withdrawn = finding.state == i32::from(finding::State::Withdrawn);
    let was_then = window.knowledge == Knowledge::Then && finding.state_day > window.day.into();
    !finding.is_deleted && is_known(window, finding.reported) && (!is_withdrawn || was_then)
}

fn is_inside(window: &Window<'_>, day: Day) -> bool {
    Day::from(window.join) <= day && day <= window.day.into()
}

/// Whether something counts as known that was reported on a day.
fn is_known(window: &Window<'_>, reported: Option<Day>) -> bool {
    window.knowledge != Knowledge::Then || reported.is_none_or(|reported| reported <= window.day.into())
}

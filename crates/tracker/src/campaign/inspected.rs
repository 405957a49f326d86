//! What supervision says of a member on a day: inspections, findings and rectification orders of its window.
//!
//! Invariant: a finding that was withdrawn counts for nothing, unless what is asked for is what was known before that; an
//! order counts for every aspect that its findings are about, by the working days of the window on which it was overdue.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::{
    Aspect, CampaignVeto, Finding, Inspection, RectificationOrder, finding, inspection,
};
use milepost_resource::{Rows, date, field_numbers, read_fields};
use milepost_schedule::Calendar;
use milepost_types::DamagedRow;

use super::facts::Window;
use super::score::AspectFacts;
use crate::decide::Tracker;
use crate::supervision::clock::overdue_working_days;

/// The fields that are read.
const OF_INSPECTIONS: &[&str] = &["aspects", "state", "inspection_date", "reported_date", "delete_time"];
const OF_FINDINGS: &[&str] =
    &["aspect", "severity", "finding_date", "reported_date", "state", "state_date", "delete_time"];
const OF_ORDERS: &[&str] =
    &["findings", "due_date", "issue_date", "state", "act_date", "answers", "delete_time"];

/// What is said of one member, by aspect.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    of: BTreeMap<i32, AspectFacts>,
    /// The aspect and the severity of each finding that counts, with its name.
    findings: Vec<(String, Aspect, finding::Severity)>,
}

impl Inspected {
    /// Of a member in its window, with the working days of the portfolio.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub(super) fn read(
        rows: &Rows<'_, Tracker>,
        calendar: &Calendar,
        window: &Window<'_>,
    ) -> Result<Self, DamagedRow> {
        let mut inspected = Self::default();
        inspected.inspections(rows, window)?;
        let aspects = inspected.findings(rows, window)?;
        let numbers = field_numbers::<RectificationOrder>(OF_ORDERS);
        for found in rows.under::<RectificationOrder>(window.project.ids(), None) {
            let (name, row) = found?;
            let order: RectificationOrder =
                read_fields(&row, &numbers).map_err(|error| name.damaged(error))?;
            let issued = date(order.issue_date.as_ref()).is_some_and(|issued| issued <= window.day);
            if order.delete_time.is_some() || !issued {
                continue;
            }
            let before = window.join.yesterday().unwrap_or(window.join);
            let days = overdue_working_days(&order, calendar, window.day)
                - overdue_working_days(&order, calendar, before);
            let Some(days) = u32::try_from(days).ok().filter(|days| *days > 0) else { continue };
            let mut of: Vec<i32> =
                order.findings.iter().filter_map(|name| aspects.get(name).copied()).collect();
            of.sort_unstable();
            of.dedup();
            of.into_iter().for_each(|aspect| inspected.of.entry(aspect).or_default().overdue_days.push(days));
        }
        Ok(inspected)
    }

    /// Notes the aspects that inspections looked at.
    fn inspections(&mut self, rows: &Rows<'_, Tracker>, window: &Window<'_>) -> Result<(), DamagedRow> {
        let numbers = field_numbers::<Inspection>(OF_INSPECTIONS);
        for found in rows.under::<Inspection>(window.project.ids(), None) {
            let (name, row) = found?;
            let inspection: Inspection = read_fields(&row, &numbers).map_err(|error| name.damaged(error))?;
            let is_done = inspection.state() == inspection::State::Done && inspection.delete_time.is_none();
            let inside = is_inside(window, inspection.inspection_date.as_ref());
            if is_done && inside && is_known(window, inspection.reported_date.as_ref()) {
                for aspect in &inspection.aspects {
                    self.of.entry(*aspect).or_default().is_inspected = true;
                }
            }
        }
        Ok(())
    }

    /// Notes findings, and says the aspect of each, whether it counts or not.
    fn findings(
        &mut self,
        rows: &Rows<'_, Tracker>,
        window: &Window<'_>,
    ) -> Result<BTreeMap<String, i32>, DamagedRow> {
        let numbers = field_numbers::<Finding>(OF_FINDINGS);
        let mut aspects = BTreeMap::new();
        for found in rows.under::<Finding>(window.project.ids(), None) {
            let (name, row) = found?;
            let finding: Finding = read_fields(&row, &numbers).map_err(|error| name.damaged(error))?;
            aspects.insert(name.to_string(), finding.aspect);
            let inside = is_inside(window, finding.finding_date.as_ref());
            if !inside || finding.delete_time.is_some() || !is_known(window, finding.reported_date.as_ref()) {
                continue;
            }
            let is_withdrawn = finding.state() == finding::State::Withdrawn;
            let was_then = window.knowledge == Knowledge::Then
                && date(finding.state_date.as_ref()).is_some_and(|withdrawn| withdrawn > window.day);
            if is_withdrawn && !was_then {
                continue;
            }
            let facts = self.of.entry(finding.aspect).or_default();
            let rank = usize::try_from(finding.severity).unwrap_or_default();
            if let Some(count) = rank.checked_sub(1).and_then(|rank| facts.findings.get_mut(rank)) {
                *count += 1;
            }
            self.findings.push((name.to_string(), finding.aspect(), finding.severity()));
        }
        Ok(aspects)
    }

    /// What is said of an aspect.
    pub(super) fn aspect(&self, aspect: Aspect) -> AspectFacts {
        self.of.get(&aspect.into()).cloned().unwrap_or_default()
    }

    /// The findings that veto the member: their names.
    pub(super) fn vetoes(&self, veto: Option<&CampaignVeto>) -> Vec<String> {
        let Some(veto) = veto else { return Vec::new() };
        let is_grave = |(_, aspect, severity): &&(String, Aspect, finding::Severity)| {
            let is_of = veto.aspects.is_empty() || veto.aspects.contains(&(*aspect).into());
            is_of && i32::from(*severity) >= veto.min_severity
        };
        self.findings.iter().filter(is_grave).map(|(name, ..)| name.clone()).collect()
    }
}

fn is_inside(window: &Window<'_>, day: Option<&gtype::Date>) -> bool {
    date(day).is_some_and(|day: Date| window.join <= day && day <= window.day)
}

/// Whether something counts as known that was reported on a day.
fn is_known(window: &Window<'_>, reported: Option<&gtype::Date>) -> bool {
    window.knowledge != Knowledge::Then || date(reported).is_none_or(|reported| reported <= window.day)
}

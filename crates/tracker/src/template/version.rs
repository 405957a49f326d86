//! Versions of templates: drafted, and published once.
//!
//! Invariants: no two versions of a template that are not deleted are in force from one day; a PUBLISHED one neither
//! changes nor is deleted. Which one is in force on a day depends on their days alone.

use jiff::civil::Date;
use milepost_ledger::key::ordered_date;
use milepost_proto::event::v1::TemplateVersionPublished;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::template_version::State;
use milepost_proto::tracker::v1::{Template, TemplateVersion};
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Presence, Rules, Under, Unreadable, check_state, date,
    date_message, known_state,
};
use milepost_types::{Rejection, Violations};

use super::items::check_items;
use crate::decide::{Scope, Tracker};
use crate::milestone::ChangeContext;

/// The versions of each template by the day from which they are in force.
pub(super) const BY_DAY: Index =
    Index { tag: 57, under: 2, by: &[By::Field("in_force_from")], live: false, when: &[], orders: true };

impl Rules<Tracker> for TemplateVersion {
    type Above = Under<Template>;

    const TABLE: u8 = 56;
    const TABLE_NAME: &'static str = "tracker.template_version";
    const ID_PREFIX: char = 'v';
    const INDEXES: &'static [Index] = &[BY_DAY];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        if field == "items" {
            check_items(&self.items, violations);
        }
    }

    /// What may be done to a version, and when it is in force, depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        match date(self.in_force_from.as_ref()) {
            Some(_) => Ok(()),
            None => Err(Unreadable::of("in_force_from", "is no date")),
        }
    }

    fn begin(&mut self) {
        self.set_state(State::Draft);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        if let Some(before) = before.filter(|before| !before.is_deleted()) {
            check_state(before, "change", &[State::Draft])?;
        }
        let Some(day) = date(after.in_force_from.as_ref()) else { return Ok(()) };
        let (template, name) = (after.name().parent(), after.name());
        for other in scope.rows.names::<Self>(BY_DAY, template.ids(), &ordered_date(day)) {
            if other != *name && scope.rows.presence(&other)? == Presence::Present {
                let description = format!(
                    "template_version.in_force_from: this version of the template is in force from {day}, too; give \
                     another day"
                );
                return Err(Rejection::precondition("IN_FORCE_FROM_TAKEN", other.to_string(), description));
            }
        }
        Ok(())
    }

    fn release(_: &Scope<'_>, version: &Checked<Self>) -> Result<(), Rejection> {
        check_state(version, "delete", &[State::Draft])
    }
}

/// What comes of publishing a version on a day; none: today.
///
/// # Errors
/// If it is no draft, or if the day has not come.
pub(crate) fn publish(
    scope: &Scope<'_>,
    before: &Checked<TemplateVersion>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "publish", &[State::Draft])?;
    let portfolio = before.name().parent().parent();
    let day = ChangeContext::in_portfolio(scope, &portfolio)?.act_day("publish_date", *given)?;
    let after = before.changed(scope, |version| {
        version.set_state(State::Published);
        version.publish_date = Some(date_message(day));
    });
    let payload = TemplateVersionPublished { in_force_from: before.in_force_from };
    let payload = Payload::TemplateVersionPublished(payload);
    let kind = EventKind::custom("milepost.template.version_published", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

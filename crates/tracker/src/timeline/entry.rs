//! Entries: drafted, published, withdrawn, and drafted again.
//!
//! | method | from | to |
//! |---|---|---|
//! | publish | DRAFT, PUBLISHED with changes | PUBLISHED |
//! | withdraw | PUBLISHED | WITHDRAWN |
//! | revise | WITHDRAWN | DRAFT |
//!
//! Invariants: what readers see changes by publishing and withdrawing alone, and each of them raises the sequence; the
//! uid never changes; no two entries of a portfolio that are not deleted have one merge key.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::TimelineEntry;
use milepost_proto::tracker::v1::timeline_entry::State;
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Rules, Unreadable, When, add_drafter_or_nobody, date,
    require_another_person,
};
use milepost_service::value::instant_message;
use milepost_types::{LogId, Rejection, ResourceId, Violations, limits, quoted};
use sha2::{Digest, Sha256};

use super::EntryName;
use super::content::{check_languages, content, differs, has_room};
use crate::act::unmet;
use crate::decide::{Scope, Tracker};
use crate::milestone::ChangeContext;
use crate::mirror::Portfolio;
use crate::parent::Followed;

/// What readers see, or saw, of each portfolio, in their order.
pub(super) const TIMELINE: Index = Index {
    tag: 12,
    under: 1,
    by: &[By::Field("published_date"), By::Field("published_rank_in_day")],
    live: false,
    when: &[When::Has("published_date")],
    orders: false,
};

/// The entries of each portfolio by date.
const BY_DATE: Index =
    Index { tag: 13, under: 1, by: &[By::Field("date")], live: false, when: &[], orders: true };

/// The entries of each portfolio that others join, by their key.
pub(super) const BY_MERGE_KEY: Index = Index {
    tag: 14,
    under: 1,
    by: &[By::Field("merge_key")],
    live: true,
    when: &[When::Has("merge_key")],
    orders: false,
};

impl Rules<Tracker> for TimelineEntry {
    type Above = Followed<Self>;

    const TABLE: u8 = 11;
    const TABLE_NAME: &'static str = "tracker.timeline_entry";
    const ID_PREFIX: char = 'e';
    const INDEXES: &'static [Index] = &[TIMELINE, BY_DATE, BY_MERGE_KEY];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        if field == "subjects" {
            for (i, subject) in self.subjects.iter().enumerate().filter(|(_, name)| !is_resource_name(name)) {
                let description = format!(
                    "{} is not the name of a resource; write it as in portfolios/p/projects/x",
                    quoted(subject)
                );
                violations.push(format!("subjects[{i}]"), "INVALID_NAME", description);
            }
        }
    }

    fn check(&self, violations: &mut Violations) {
        if !has_room(self) {
            let description = format!(
                "what readers see of an entry takes at most {} bytes in all languages; shorten it",
                limits::TIMELINE_CONTENT_BYTES
            );
            violations.push("text_translations", "TOO_LARGE", description);
        }
    }

    /// What may be done to an entry depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        match State::try_from(self.state) {
            Ok(State::Unspecified) | Err(_) => {
                Err(Unreadable::of("state", format_args!("{} is no state", self.state)))
            }
            Ok(_) if self.date.is_some() && date(self.date.as_ref()).is_none() => {
                Err(Unreadable::of("date", "is no date"))
            }
            Ok(_) => Ok(()),
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
        if let Some(before) =
            before.filter(|before| !before.is_deleted() && before.state() == State::Withdrawn)
        {
            return Err(wrong_state(before, "change", &[State::Draft, State::Published]));
        }
        if after.merge_key.is_empty() {
            return Ok(());
        }
        let holder = of_key(scope, after.name().parent_ids(), &after.merge_key);
        match holder.filter(|holder| holder != after.name()) {
            None => Ok(()),
            Some(holder) => Err(Rejection::precondition(
                "MERGE_KEY_TAKEN",
                holder.to_string(),
                "timeline_entry.merge_key: this entry of the portfolio has the same key already; give another one",
            )),
        }
    }

    fn release(_: &Scope<'_>, entry: &Checked<Self>) -> Result<(), Rejection> {
        check_state(entry, "delete", &[State::Draft, State::Withdrawn])
    }

    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        name: &EntryName,
        _: Option<&Checked<Self>>,
        entry: &mut Self,
    ) -> Result<(), Rejection> {
        if matches!(kind, EventKind::Created) {
            entry.uid = uid(scope.context.log, name);
        }
        if matches!(kind, EventKind::Created | EventKind::Updated) {
            add_drafter_or_nobody(&mut entry.drafters, &scope.context.actor)?;
        }
        settle(entry);
        Ok(())
    }
}

/// Brings up to date what follows from the rest.
pub(super) fn settle(entry: &mut TimelineEntry) {
    let published = entry.published.as_ref().filter(|_| entry.state() == State::Published);
    entry.has_changes = published.is_some_and(|published| differs(entry, published));
}

/// The identifier of an entry in exports: of its name and of the log that it is created in.
pub(super) fn uid(log: LogId, name: &EntryName) -> String {
    seeded(&["uid", &log.to_string(), &name.to_string()]).to_string()
}

/// An id that depends on these texts, and on nothing else.
pub(super) fn seeded(parts: &[&str]) -> ResourceId {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let digest: [u8; 32] = digest.finalize().into();
    let mut seed = [0; 16];
    seed.copy_from_slice(&digest[..16]);
    ResourceId::from_seed(<TimelineEntry as Rules<Tracker>>::ID_PREFIX, seed)
}

/// The entry of the portfolio with these ids that has this merge key.
pub(super) fn of_key(scope: &Scope<'_>, portfolio: &[ResourceId], key: &str) -> Option<EntryName> {
    let fields = [key.as_bytes(), &[0]].concat();
    scope.rows.names::<TimelineEntry>(BY_MERGE_KEY, portfolio, &fields).next()
}

/// The portfolio of an entry, as far as it is known, and the day of an act on it: the current date if none is given.
fn portfolio_and_day(
    scope: &Scope<'_>,
    name: &EntryName,
    given: Option<Date>,
) -> Result<(Arc<Portfolio>, Date), Rejection> {
    let context = ChangeContext::in_portfolio(scope, &name.parent())?;
    let day = context.act_day("date", given)?;
    Ok((context.portfolio, day))
}

/// What comes of publishing, on `given` or else on the current date.
pub(crate) fn publish(
    scope: &Scope<'_>,
    before: &Checked<TimelineEntry>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "publish", &[State::Draft, State::Published])?;
    let (portfolio, day) = portfolio_and_day(scope, before.name(), *given)?;
    if before.state() == State::Published && !before.has_changes {
        return Ok(Vec::new());
    }
    let name = before.name().to_string();
    let mut conditions = Vec::new();
    unmet(check_languages(&name, &content(before, &portfolio), &portfolio), &mut conditions)?;
    if portfolio.publish_needs_another_person {
        let another = require_another_person(&name, &scope.context.actor, &before.drafters, "drafted it");
        unmet(another, &mut conditions)?;
    }
    Rejection::unless_met(conditions)?;
    let (after, kind) = published(scope, before, &portfolio, "");
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// The entry as it is published, by a rule or by a caller, and what is said of it.
pub(super) fn published(
    scope: &Scope<'_>,
    before: &Checked<TimelineEntry>,
    portfolio: &Portfolio,
    rule: &str,
) -> (Checked<TimelineEntry>, EventKind) {
    let now = Some(instant_message(scope.context.commit_time));
    let after = before.changed(scope, |entry| {
        let content = content(entry, portfolio);
        entry.published_date = content.date;
        entry.published_rank_in_day = content.rank_in_day;
        entry.published = Some(content);
        entry.set_state(State::Published);
        entry.sequence = entry.sequence.saturating_add(1);
        entry.first_publish_time = entry.first_publish_time.or(now);
        entry.last_publish_time = now;
        entry.drafters.clear();
        entry.rule_note.clear();
        settle(entry);
    });
    let payload = event::TimelineEntryPublished { sequence: after.sequence, rule: rule.to_owned() };
    let payload = Payload::TimelineEntryPublished(payload);
    (after, EventKind::custom("milepost.timeline_entry.published", payload))
}

/// What comes of taking an entry from readers, for a reason, on `given` or else on the current date.
pub(crate) fn withdraw(
    scope: &Scope<'_>,
    before: &Checked<TimelineEntry>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "withdraw", &[State::Published])?;
    let (_, day) = portfolio_and_day(scope, before.name(), *given)?;
    let after = before.changed(scope, |entry| {
        entry.set_state(State::Withdrawn);
        entry.withdrawal_reason.clone_from(reason);
        entry.sequence = entry.sequence.saturating_add(1);
        entry.last_publish_time = Some(instant_message(scope.context.commit_time));
    });
    let payload = event::TimelineEntryWithdrawn { sequence: after.sequence, reason: reason.clone() };
    let payload = Payload::TimelineEntryWithdrawn(payload);
    let kind = EventKind::custom("milepost.timeline_entry.withdrawn", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// What comes of drafting a withdrawn entry again, on `given` or else on the current date.
pub(crate) fn revise(
    scope: &Scope<'_>,
    before: &Checked<TimelineEntry>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "revise", &[State::Withdrawn])?;
    let (_, day) = portfolio_and_day(scope, before.name(), *given)?;
    let after = before.changed(scope, |entry| {
        entry.set_state(State::Draft);
        entry.withdrawal_reason.clear();
    });
    let payload = Payload::TimelineEntryRevised(event::TimelineEntryRevised {});
    let kind = EventKind::custom("milepost.timeline_entry.revised", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

fn check_state(
    entry: &Checked<TimelineEntry>,
    action: &'static str,
    allowed: &[State],
) -> Result<(), Rejection> {
    if allowed.contains(&entry.state()) { Ok(()) } else { Err(wrong_state(entry, action, allowed)) }
}

fn wrong_state(entry: &Checked<TimelineEntry>, action: &'static str, allowed: &[State]) -> Rejection {
    Rejection::WrongState {
        name: entry.name().to_string(),
        action,
        state: entry.state().as_str_name().to_owned(),
        allowed: allowed.iter().map(|state| state.as_str_name().to_owned()).collect(),
    }
}

/// Whether a text has the shape of a resource's name: collections and ids, one after the other.
fn is_resource_name(text: &str) -> bool {
    let segments: Vec<_> = text.split('/').collect();
    let (pairs, rest) = segments.as_chunks::<2>();
    let is_collection = |name: &str| name.starts_with(|c: char| c.is_ascii_lowercase());
    rest.is_empty()
        && !pairs.is_empty()
        && pairs.iter().all(|[collection, id]| {
            is_collection(collection)
                && collection.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && (id.parse::<ResourceId>().is_ok())
        })
}

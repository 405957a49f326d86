//! From events to entries: what the rules of a portfolio make of an event.
//!
//! Invariants: the name of an entry follows from the key that events join by, or else from the rule and the event: what
//! is followed again finds it and makes no other. What is made within one entry of the journal is seen by what follows
//! in it. An event that a rule can make nothing of leaves nothing; a rule whose row cannot be read is damage, which a
//! day, and what is taken over from the registry, pass over. What a rule makes of an event of before it is not
//! published: the portfolio may be known as it was then.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::timeline_entry::State;
use milepost_proto::tracker::v1::{TimelineEntry, TimelineRule};
use milepost_proto::wire::{Value, fields};
use milepost_resource::{Change, Checked, EventKind, date, decode, instant};
use milepost_types::{DamagedRow, Rejection, limits};

use super::content::{content, has_room, missing_translations};
use super::draft::{Draft, draft, key};
use super::entry::{of_key, published, seeded, settle, uid};
use super::rule::{ReadRule, is_public, of_type, read_stored};
use super::{EntryName, RuleName, selection};
use crate::convert::event::Events;
use crate::decide::Scope;
use crate::mirror::{Portfolio, PortfolioFact};
use crate::names::PortfolioName;

/// `milepost.event.v1.Event.portfolio`
const PORTFOLIO: u32 = 5;
/// `milepost.event.v1.Event.type`
const TYPE: u32 = 7;

/// A rule that may concern an event, and the portfolio that it is in.
pub(super) struct LoadedRule {
    pub(super) rule: Checked<TimelineRule>,
    pub(super) read: ReadRule,
    pub(super) portfolio: Arc<Portfolio>,
}

/// What is made of the events of one entry of the journal.
pub(crate) struct Reactions<'a> {
    scope: &'a Scope<'a>,
    /// What portfolios are by the entry that is taken over.
    updated: &'a [PortfolioFact],
    /// The rules for events of a type in a portfolio, as far as they were asked for.
    rules: HashMap<(String, String), Rc<[LoadedRule]>>,
    /// Entries as they were made or changed.
    made: BTreeMap<EntryName, Checked<TimelineEntry>>,
    /// Which of them events join, by portfolio and key.
    made_keys: HashMap<(PortfolioName, String), EntryName>,
    /// Whether a row that cannot be decoded is passed over, with what needs it.
    passes_over: bool,
    /// The rows that were.
    pub(crate) passed_over: Vec<DamagedRow>,
}

/// An entry as a rule makes it of an event, and what is said of that.
struct Made {
    entry: Checked<TimelineEntry>,
    changes: Vec<Change>,
}

impl<'a> Reactions<'a> {
    /// Of a decision that also learns this of portfolios.
    pub(crate) fn new(scope: &'a Scope<'a>, updated: &'a [PortfolioFact]) -> Self {
        Self {
            scope,
            updated,
            rules: HashMap::new(),
            made: BTreeMap::new(),
            made_keys: HashMap::new(),
            passes_over: false,
            passed_over: Vec::new(),
        }
    }

    /// Of what a day brings: it happens whether or not every rule and every entry can be decoded.
    pub(crate) fn of_day(scope: &'a Scope<'a>) -> Self {
        Self { passes_over: true, ..Self::new(scope, &[]) }
    }

    /// Of what an entry of the registry brings, which also says this of portfolios: others go on with it, too.
    pub(crate) fn of_source(scope: &'a Scope<'a>, updated: &'a [PortfolioFact]) -> Self {
        Self { passes_over: true, ..Self::new(scope, updated) }
    }

    /// The first row that was passed over since this was asked.
    pub(crate) fn take_passed_over(&mut self) -> Option<DamagedRow> {
        std::mem::take(&mut self.passed_over).into_iter().next()
    }

    /// What was read; none if it is passed over.
    fn unless_passed_over<T>(&mut self, read: Result<T, DamagedRow>) -> Result<Option<T>, DamagedRow> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(row) if self.passes_over => {
                self.passed_over.push(row);
                Ok(None)
            }
            Err(row) => Err(row),
        }
    }

    /// Adds what follows from the events from this index on, which are the tracker's own.
    ///
    /// # Errors
    /// If a row that is needed cannot be decoded.
    pub(crate) fn follow_up(&mut self, from: usize, events: &mut Events<'_>) -> Result<(), DamagedRow> {
        for index in from..events.len() {
            let event = events.get(index);
            self.react(&event, None, events, &|_, _| false)?;
        }
        Ok(())
    }

    /// Adds what follows from the events of one request of a caller, as far as that is bounded.
    ///
    /// # Errors
    /// If it takes more than [`limits::TIMELINE_REACTION_BYTES`], or a row that is needed cannot be decoded.
    pub(crate) fn follow_request(&mut self, events: &mut Events<'_>) -> Result<(), Rejection> {
        let own = events.bytes();
        for index in 0..events.len() {
            self.react(&events.get(index), None, events, &|_, _| false)?;
            if events.bytes() - own > limits::TIMELINE_REACTION_BYTES {
                let limit = limits::TIMELINE_REACTION_BYTES as u64;
                return Err(Rejection::LimitExceeded {
                    what: "bytes of entries that rules of a timeline make of one request",
                    limit,
                });
            }
        }
        Ok(())
    }

    /// Adds what follows from an event by the rules after this one. Where the events are full before the end, that
    /// is the last rule that had its effect: none, if none had.
    ///
    /// # Errors
    /// If a row that is needed cannot be decoded.
    pub(crate) fn react(
        &mut self,
        event: &Bytes,
        after: Option<&RuleName>,
        events: &mut Events<'_>,
        is_full: &dyn Fn(&Events<'_>, usize) -> bool,
    ) -> Result<Option<Option<RuleName>>, DamagedRow> {
        let Some((kind, portfolio)) = header(event).filter(|(kind, _)| is_public(kind)) else {
            return Ok(None);
        };
        let rules = self.rules(kind, portfolio)?;
        if rules.is_empty() {
            return Ok(None);
        }
        let Ok(event) = decode::<Event>(event) else { return Ok(None) };
        let mut through = after.cloned();
        for loaded in rules.iter().filter(|loaded| after.is_none_or(|after| loaded.rule.name() > after)) {
            let made = self.make(loaded, &event);
            if let Some(Made { entry, changes }) = self.unless_passed_over(made)?.flatten() {
                let mark = events.len();
                changes.into_iter().for_each(|change| events.add(change.caused_by(&event.event_id)));
                if is_full(events, mark) {
                    events.truncate(mark);
                    return Ok(Some(through));
                }
                if !entry.merge_key.is_empty() {
                    let key = (entry.name().parent(), entry.merge_key.clone());
                    self.made_keys.insert(key, entry.name().clone());
                }
                self.made.insert(entry.name().clone(), entry);
            }
            through = Some(loaded.rule.name().clone());
        }
        Ok(None)
    }

    /// The id and the type of an event that there are rules for, or whose rules cannot be read.
    pub(crate) fn awaited(&mut self, event: &Bytes) -> Option<(String, String)> {
        let (kind, portfolio) = header(event).filter(|(kind, _)| is_public(kind))?;
        if self.rules(kind, portfolio).is_ok_and(|rules| rules.is_empty()) {
            return None;
        }
        identity(event)
    }

    /// The rules for events of a type: those of the portfolio that they are in, or of all if they are in none.
    fn rules(&mut self, kind: &str, portfolio: &str) -> Result<Rc<[LoadedRule]>, DamagedRow> {
        let asked = (kind.to_owned(), portfolio.to_owned());
        if let Some(known) = self.rules.get(&asked) {
            return Ok(Rc::clone(known));
        }
        let name: Option<PortfolioName> = portfolio.parse().ok();
        let ids = name.as_ref().map(PortfolioName::ids).unwrap_or_default();
        let mut found = Vec::new();
        if name.is_some() || portfolio.is_empty() {
            for name in of_type(self.scope, kind, ids) {
                let loaded = self.load(&name);
                found.extend(self.unless_passed_over(loaded)?.flatten());
            }
        }
        let found: Rc<[LoadedRule]> = found.into();
        self.rules.insert(asked, Rc::clone(&found));
        Ok(found)
    }

    /// A rule, if it is there and its portfolio is.
    fn load(&self, name: &RuleName) -> Result<Option<LoadedRule>, DamagedRow> {
        let Some(rule) = self.scope.rows.get(name)? else { return Ok(None) };
        let portfolio = self.portfolio(&name.parent())?;
        let read = read_stored(&rule)?;
        Ok((!portfolio.deleted).then_some(LoadedRule { rule, read, portfolio }))
    }

    fn portfolio(&self, name: &PortfolioName) -> Result<Arc<Portfolio>, DamagedRow> {
        if let Some(fact) = self.updated.iter().find(|fact| fact.name == *name) {
            return Ok(Arc::new(Portfolio::from(fact)));
        }
        let known = self.scope.service.portfolio(self.scope.rows.read, name)?;
        Ok(known.unwrap_or_else(|| Arc::new(Portfolio::unknown())))
    }

    /// What a rule makes of an event; none if nothing changes by it.
    fn make(&self, loaded: &LoadedRule, event: &Event) -> Result<Option<Made>, DamagedRow> {
        if starts_in_batch(event) || !selection::matches(&loaded.read.filter, event) {
            return Ok(None);
        }
        let (portfolio, rule) = (loaded.rule.name().parent(), loaded.rule.name().to_string());
        let Some(key) = key(loaded, event) else {
            let parts = ["event", &rule, &event.event_id];
            let (name, before) = self.named(&portfolio, &parts, |entry| entry.rule != rule)?;
            return Ok(before.is_none().then(|| self.create(loaded, event, name, String::new())));
        };
        // An editor may have given another key, or none, to what events with this one joined.
        let mut is_followed_again = false;
        let (own, before) = self.named(&portfolio, &["key", &key], |entry| {
            let is_other = entry.merge_key != key;
            is_followed_again |= is_other && has_joined(event, entry);
            is_other
        })?;
        if is_followed_again {
            return Ok(None);
        }
        let before = match self.of_key(&portfolio, &key) {
            Some(holder) if holder != own => self.entry(&holder)?,
            _ => before,
        };
        match before {
            None => Ok(Some(self.create(loaded, event, own, key))),
            Some(before) if before.is_deleted() => Ok(None),
            Some(before) => Ok(self.join(loaded, event, &before)),
        }
    }

    /// The first name made of these parts that no other entry has, and what has it.
    fn named(
        &self,
        portfolio: &PortfolioName,
        parts: &[&str],
        mut is_other: impl FnMut(&TimelineEntry) -> bool,
    ) -> Result<(EntryName, Option<Checked<TimelineEntry>>), DamagedRow> {
        let (mut id, mut turn) = (seeded(parts), 0_u64);
        loop {
            let name = EntryName::under(portfolio.ids(), id);
            let entry = self.entry(&name)?;
            if !entry.as_ref().is_some_and(|entry| is_other(entry)) {
                return Ok((name, entry));
            }
            turn += 1;
            id = seeded(&[parts, &[&turn.to_string()]].concat());
        }
    }

    /// The entry that events with a key join, of those that were made here or before.
    fn of_key(&self, portfolio: &PortfolioName, key: &str) -> Option<EntryName> {
        let made = self.made_keys.get(&(portfolio.clone(), key.to_owned()));
        made.cloned().or_else(|| of_key(self.scope, portfolio.ids(), key))
    }

    /// An entry, as it is by now.
    fn entry(&self, name: &EntryName) -> Result<Option<Checked<TimelineEntry>>, DamagedRow> {
        match self.made.get(name) {
            Some(entry) => Ok(Some(entry.clone())),
            None => self.scope.rows.get(name),
        }
    }

    fn create(&self, loaded: &LoadedRule, event: &Event, name: EntryName, key: String) -> Made {
        let Draft { mut entry, note } = draft(self.scope, loaded, event);
        entry.merge_key = key;
        entry.uid = uid(self.scope.context.log, &name);
        entry.rule = loaded.rule.name().to_string();
        let why_not = why_not_published(loaded, event, &entry, note);
        entry.rule_note.clone_from(&why_not);
        entry.set_state(State::Draft);
        let created = Checked::created(name, &entry, self.scope);
        let day = date(entry.date.as_ref());
        let mut changes = vec![Change::of(EventKind::Created, None, created.clone()).on(day)];
        if !loaded.rule.auto_publish || !why_not.is_empty() {
            return Made { entry: created, changes };
        }
        let entry = self.publish(loaded, &created, &mut changes);
        Made { entry, changes }
    }

    /// Adds an event's subjects to an entry; none if it has them, or has no room for them and says so.
    fn join(&self, loaded: &LoadedRule, event: &Event, before: &Checked<TimelineEntry>) -> Option<Made> {
        let mut subjects = subjects(event);
        subjects.retain(|subject| !before.subjects.contains(subject));
        if subjects.is_empty() {
            return None;
        }
        let is_clean = before.state() == State::Published && !before.has_changes;
        let mut is_published = false;
        let after = before.changed(self.scope, |entry| {
            for subject in subjects {
                entry.subjects.push(subject);
                if entry.subjects.len() > limits::TIMELINE_JOINED_SUBJECTS || !has_room(entry) {
                    entry.subjects.pop();
                    entry.more_subjects = true;
                }
            }
            settle(entry);
            if loaded.rule.auto_publish && is_clean && entry.has_changes {
                entry.rule_note = why_not_published(loaded, event, entry, String::new());
                is_published = entry.rule_note.is_empty();
            }
        });
        if after.subjects == before.subjects && after.more_subjects == before.more_subjects {
            return None;
        }
        let day = date(after.date.as_ref());
        let mut changes = vec![Change::of(EventKind::Updated, Some(before), after.clone()).on(day)];
        if !is_published {
            return Some(Made { entry: after, changes });
        }
        let entry = self.publish(loaded, &after, &mut changes);
        Some(Made { entry, changes })
    }

    fn publish(
        &self,
        loaded: &LoadedRule,
        before: &Checked<TimelineEntry>,
        changes: &mut Vec<Change>,
    ) -> Checked<TimelineEntry> {
        let rule = loaded.rule.name().to_string();
        let (after, kind) = published(self.scope, before, &loaded.portfolio, &rule);
        changes.push(Change::of(kind, Some(before), after.clone()).on(date(after.date.as_ref())));
        after
    }
}

/// Why a rule that publishes does not publish an entry, for people; what it noted itself if it does not publish.
fn why_not_published(loaded: &LoadedRule, event: &Event, entry: &TimelineEntry, note: String) -> String {
    let mut reasons: Vec<_> = [note].into_iter().filter(|note| !note.is_empty()).collect();
    if loaded.rule.auto_publish {
        reasons.extend(missing_translations(&content(entry, &loaded.portfolio), &loaded.portfolio));
        if loaded.portfolio.publish_needs_another_person {
            reasons.push("the portfolio asks a person to publish".to_owned());
        }
        if is_of_before(event, &loaded.rule) {
            reasons.push("the event is of before the rule was made or last changed".to_owned());
        }
    }
    reasons.join("; ").chars().take(limits::TEXT_CHARS).collect()
}

/// Whether an event is older than what a rule says, so that it is followed again, or late.
fn is_of_before(event: &Event, rule: &TimelineRule) -> bool {
    let [committed, changed] = [event.commit_time, rule.update_time].map(|time| instant(time.as_ref()));
    committed.zip(changed).is_some_and(|(committed, changed)| committed < changed)
}

/// Whether an entry changed since an event of which it has all subjects.
fn has_joined(event: &Event, entry: &TimelineEntry) -> bool {
    instant(event.commit_time.as_ref()) <= instant(entry.update_time.as_ref())
        && subjects(event).iter().all(|subject| entry.subjects.contains(subject))
}

/// Whether an event is the start of a project because its batch starts, which the event of the batch speaks of.
fn starts_in_batch(event: &Event) -> bool {
    matches!(&event.payload, Some(Payload::ProjectStatusChanged(change)) if !change.batch.is_empty())
}

/// What an event is about: its subject, and the project that it concerns.
pub(super) fn subjects(event: &Event) -> Vec<String> {
    let mut subjects = vec![event.subject.clone(), event.project.clone()];
    subjects.retain(|subject| !subject.is_empty());
    subjects.dedup();
    subjects
}

/// The type and the portfolio of an encoded event, read without the rest.
fn header(event: &Bytes) -> Option<(&str, &str)> {
    let (mut kind, mut portfolio) = ("", "");
    for field in fields(event) {
        match field.ok()? {
            (TYPE, Value::Run(run)) => kind = std::str::from_utf8(run).ok()?,
            (PORTFOLIO, Value::Run(run)) => portfolio = std::str::from_utf8(run).ok()?,
            _ => {}
        }
    }
    Some((kind, portfolio))
}

/// The id and the type of an encoded event.
pub(crate) fn identity(event: &Bytes) -> Option<(String, String)> {
    let event = decode::<Event>(event).ok()?;
    Some((event.event_id, event.r#type))
}

/// Whether events of a type may have an effect.
pub(crate) fn may_matter(event_type: &str) -> bool {
    is_public(event_type)
}

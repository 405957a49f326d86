//! Re-matching: after a policy, an organization or a project changed, one command finds a bounded part of the matches that
//! changed.
//!
//! What changed waits in a table (`tables::matches`) and is worked off in the order of names: a policy that was published
//! is looked at for everyone, one that was withdrawn fits nobody, and for an organization or a project that changed all
//! published policies are looked at. A command does as much as an entry holds, and says in a last event how far it is; the
//! next goes on there, after any crash and on any replica. Invariants: what is found is announced if it differs from what
//! was announced last, so nothing is lost and nothing comes twice; it is found from the rows as they are, and names the
//! event for which it was looked at as its cause. What needs a row that cannot be decoded waits until it can, and nothing
//! else does: what was found without it is to be looked at again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{ChangeToMatch, PoliciesMatched, PolicyMatchChanged};
use milepost_proto::registry::v1::policy::State;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::{Organization, Policy, Project};
use milepost_proto::resource::Resource;
use milepost_resource::{Act, Change, Checked, Decided, Name, Rules};
use milepost_types::{DamagedRow, Rejection};

use super::expression::Language;
use super::facts::Facts;
use super::matching::{Extent, Matcher};
use super::rules::BY_STATE;
use super::today;
use crate::tables::matches::{self, MATCHED, Pair, Pending};
use crate::tables::{Registry, Rows, Scope};

/// The type of the event that says how far it is known whom policies fit. Streams leave it out as bookkeeping.
const PROGRESS: &str = "milepost.source.matched";

/// How much one command does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settle {
    /// Policies that are looked at: other writes wait meanwhile.
    pub(crate) looks: usize,
    /// Events that are made: with any names, so many stay below the least `max_entry_bytes` that can be configured.
    pub(crate) events: usize,
    /// What changed that is worked off.
    pub(crate) changes: usize,
}

impl Default for Settle {
    fn default() -> Self {
        Self { looks: 500, events: 500, changes: 200 }
    }
}

impl Act<Registry> for Settle {
    fn decide(&self, scope: &Scope<'_>) -> Result<Decided, Rejection> {
        let mut run = Run::of(scope, *self);
        let mut progress = PoliciesMatched::default();
        for pending in matches::changes(scope.rows.read) {
            if run.is_full() || progress.done.len() >= self.changes {
                break;
            }
            let worked_off = pending.and_then(|pending| Ok((run.work_off(&pending)?, pending)));
            let (progressed, pending) = match worked_off {
                Ok(worked_off) => worked_off,
                // It waits, and those after it do not.
                Err(damage) => {
                    run.damage.get_or_insert(damage);
                    continue;
                }
            };
            match progressed {
                Progress::Done => progress.done.push(pending.name),
                Progress::Through(through) => {
                    let through = through.or(pending.through);
                    progress.begun = pending.name;
                    if let Some(Pair { organization, project }) = through {
                        progress.organization = organization.to_string();
                        progress.project = project.map(|project| project.to_string()).unwrap_or_default();
                    }
                    break;
                }
            }
        }
        if let Some(damage) = run.damage.take_if(|_| progress == PoliciesMatched::default()) {
            return Err(damage.into());
        }
        let mut changes = run.changes;
        let again = run.again.into_iter().map(|(name, cause)| ChangeToMatch { name, cause });
        progress.again = again.collect();
        if progress != PoliciesMatched::default() {
            changes.push(Change::without_resource(PROGRESS, Payload::PoliciesMatched(progress)));
        }
        // Of all portfolios, even if the first event is of one.
        Ok(Decided { portfolio: String::new(), changes })
    }

    fn subject(&self, _: &Rows<'_>, _: Timestamp) -> Result<Option<Bytes>, Rejection> {
        Ok(None)
    }
}

/// How far a change was worked off.
enum Progress {
    /// To its end.
    Done,
    /// Through this pair; none: no further than before.
    Through(Option<Pair>),
}

/// What one command finds.
struct Run<'a> {
    scope: &'a Scope<'a>,
    limits: Settle,
    on: Date,
    language: Language,
    /// The policies that are published, once they are needed.
    published: Option<Vec<Arc<Matcher>>>,
    changes: Vec<Change>,
    looks: usize,
    /// Whether a policy fits a pair, as this command announces it.
    announced: BTreeMap<(Name<Policy>, Pair), bool>,
    /// What could not be read where something else changed, by name, with the event that changed that.
    again: BTreeMap<String, String>,
    /// The first row that could not be.
    damage: Option<DamagedRow>,
}

impl<'a> Run<'a> {
    fn of(scope: &'a Scope<'a>, limits: Settle) -> Self {
        let on = today(scope.context.now);
        Self {
            scope,
            limits,
            on,
            language: Language::of(on),
            published: None,
            changes: Vec::new(),
            looks: 0,
            announced: BTreeMap::new(),
            again: BTreeMap::new(),
            damage: None,
        }
    }

    fn is_full(&self) -> bool {
        self.looks >= self.limits.looks || self.changes.len() >= self.limits.events
    }

    fn rows(&self) -> &'a Rows<'a> {
        &self.scope.rows
    }

    /// # Errors
    /// If the row of what changed cannot be decoded.
    fn work_off(&mut self, pending: &Pending) -> Result<Progress, DamagedRow> {
        let (name, through) = (&pending.name, pending.through.as_ref());
        if let Ok(policy) = name.parse::<Name<Policy>>() {
            return self.policy(&policy, through, &pending.cause);
        }
        if let Ok(organization) = name.parse::<Name<Organization>>() {
            self.rows().get(&organization)?;
            return Ok(self.organization(&organization, through, &pending.cause));
        }
        match name.parse::<Name<Project>>() {
            Ok(project) => self.project(&project, through, &pending.cause),
            // Nothing else is kept: it is passed over rather than waited for.
            Err(_) => Ok(Progress::Done),
        }
    }

    /// A policy that was published or withdrawn.
    fn policy(
        &mut self,
        name: &Name<Policy>,
        through: Option<&Pair>,
        cause: &str,
    ) -> Result<Progress, DamagedRow> {
        let rows = self.rows();
        let matcher = Matcher::get(rows, name, &self.scope.service.expressions)?;
        let is_published =
            |matcher: &Matcher| matcher.policy.state() == State::Published && !matcher.policy.is_deleted();
        let Some(matcher) = matcher.filter(is_published).map(Arc::new) else {
            return Ok(self.withdrawn(name, cause));
        };
        if matcher.is_of_projects() {
            let pairs = matches::pairs(rows.read, None, through);
            return Ok(self.pairs(pairs, &[matcher], cause));
        }
        let after = through.map(|through| &through.organization);
        let organizations = rows.under::<Organization>(&[], after);
        // A key that is no name is of no organization.
        let pairs = organizations.filter_map(|row| Some(Pair { organization: row.ok()?.0, project: None }));
        Ok(self.pairs(pairs, &[matcher], cause))
    }

    /// A policy that fits nobody any more. What was matched is gone from the table when the next command looks.
    fn withdrawn(&mut self, policy: &Name<Policy>, cause: &str) -> Progress {
        for pair in matches::matched(self.scope.rows.read, policy) {
            if self.is_full() {
                return Progress::Through(None);
            }
            self.looks += 1;
            self.announce(policy, &pair, Outcome::NotInForce, cause);
        }
        Progress::Done
    }

    /// An organization that changed: by itself, then with each of its projects.
    fn organization(&mut self, name: &Name<Organization>, through: Option<&Pair>, cause: &str) -> Progress {
        let [of_organizations, of_projects] = self.published(cause);
        let itself = Pair { organization: name.clone(), project: None };
        if through.is_none() {
            self.pair(&itself, &of_organizations, cause);
        }
        if of_projects.is_empty() {
            return Progress::Done;
        }
        let through = through.unwrap_or(&itself);
        let pairs = matches::pairs(self.scope.rows.read, Some(name), Some(through));
        match self.pairs(pairs, &of_projects, cause) {
            Progress::Through(None) => Progress::Through(Some(through.clone())),
            progress => progress,
        }
    }

    /// A project that changed, with each organization that takes part in it, or did.
    fn project(
        &mut self,
        name: &Name<Project>,
        through: Option<&Pair>,
        cause: &str,
    ) -> Result<Progress, DamagedRow> {
        let project = self.scope.rows.get(name)?;
        let [_, of_projects] = self.published(cause);
        let mut organizations: BTreeSet<_> = matches::matched_with(self.scope.rows.read, name);
        organizations.extend(project.iter().flat_map(|project| matches::parties(project)));
        let after = through.map(|through| through.organization.clone());
        let rest = organizations.into_iter().filter(|organization| Some(organization) > after.as_ref());
        let pairs = rest.map(|organization| Pair { organization, project: Some(name.clone()) });
        Ok(self.pairs(pairs, &of_projects, cause))
    }

    /// The policies that are published, for what an event changed: about organizations, and about projects.
    fn published(&mut self, cause: &str) -> [Vec<Arc<Matcher>>; 2] {
        let (rows, known) = (self.rows(), &self.scope.service.expressions);
        if self.published.is_none() {
            let mut matchers = Vec::new();
            for name in rows.names::<Policy>(BY_STATE, &[], &[State::Published as u8]) {
                let matcher = Matcher::get(rows, &name, known);
                matchers.extend(self.read(&name, matcher, cause).flatten().map(Arc::new));
            }
            self.published = Some(matchers);
        }
        let all = self.published.as_deref().unwrap_or_default().iter().cloned();
        let (of_projects, of_organizations) = all.partition(|matcher| matcher.is_of_projects());
        [of_organizations, of_projects]
    }

    /// What was read of this name. If it cannot be decoded, it is to be looked at again as if it had changed with what
    /// it was read for, so that it is once it can.
    fn read<R: Resource, T>(
        &mut self,
        name: &Name<R>,
        read: Result<T, DamagedRow>,
        cause: &str,
    ) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(damage) => {
                let name = name.to_string();
                if !matches::is_pending(self.scope.rows.read, &name) {
                    self.again.insert(name, cause.to_owned());
                }
                self.damage.get_or_insert(damage);
                None
            }
        }
    }

    /// The resource of this name, if there is one and it can be decoded.
    fn get<R: Rules<Registry>>(&mut self, name: &Name<R>, cause: &str) -> Option<Option<Checked<R>>> {
        let read = self.rows().get(name);
        self.read(name, read, cause)
    }

    /// Looks at pairs, as many as there is room for.
    fn pairs(
        &mut self,
        pairs: impl Iterator<Item = Pair>,
        matchers: &[Arc<Matcher>],
        cause: &str,
    ) -> Progress {
        let mut through = None;
        for pair in pairs {
            if self.is_full() {
                return Progress::Through(through);
            }
            self.pair(&pair, matchers, cause);
            through = Some(pair);
        }
        Progress::Done
    }

    /// Looks at policies for one pair, and announces which fit now and did not, or no longer do.
    fn pair(&mut self, pair: &Pair, matchers: &[Arc<Matcher>], cause: &str) {
        self.looks += 1.max(matchers.len());
        let Some(organization) = self.get(&pair.organization, cause) else { return };
        let organization = organization.filter(|organization| !organization.is_deleted());
        let project = pair.project.as_ref().map_or(Some(None), |project| self.get(project, cause));
        let Some(project) = project else { return };
        let project = project.filter(|project| matches::parties(project).contains(&pair.organization));
        let is_there = organization.is_some() && project.is_some() == pair.project.is_some();
        let facts = organization.as_ref().filter(|_| is_there).map(|organization| Facts {
            organization,
            project: project.as_deref(),
            date: self.on,
        });
        let outcomes: Vec<Outcome> = match &facts {
            None => vec![Outcome::Unspecified; matchers.len()],
            Some(facts) => {
                let bindings = self.language.bind(facts);
                let outcome =
                    |matcher: &Arc<Matcher>| matcher.evaluate(self.on, &bindings, Extent::Outcome).outcome;
                matchers.iter().map(outcome).collect()
            }
        };
        for (matcher, outcome) in matchers.iter().zip(outcomes) {
            let name = matcher.policy.name();
            if self.is_match(name, pair) != (outcome == Outcome::Fits) {
                self.announce(name, pair, outcome, cause);
            }
        }
    }

    /// Whether a policy was last announced to fit: by this command, or before it.
    fn is_match(&self, policy: &Name<Policy>, pair: &Pair) -> bool {
        let announced = self.announced.get(&(policy.clone(), pair.clone()));
        announced.copied().unwrap_or_else(|| matches::is_match(self.scope.rows.read, policy, pair))
    }

    fn announce(&mut self, policy: &Name<Policy>, pair: &Pair, outcome: Outcome, cause: &str) {
        self.announced.insert((policy.clone(), pair.clone()), outcome == Outcome::Fits);
        let event_type = if outcome == Outcome::Fits { MATCHED } else { "milepost.policy.unmatched" };
        let project = pair.project.as_ref().map(ToString::to_string).unwrap_or_default();
        let portfolio = pair.project.as_ref().map(|project| project.parent().to_string()).unwrap_or_default();
        let payload = Payload::PolicyMatchChanged(PolicyMatchChanged {
            organization: pair.organization.to_string(),
            project: project.clone(),
            outcome: outcome.into(),
        });
        let change = Change::without_resource(event_type, payload);
        let change = change.concerning(policy.to_string(), portfolio, project);
        self.changes.push(change.on(Some(self.on)).caused_by(cause));
    }
}

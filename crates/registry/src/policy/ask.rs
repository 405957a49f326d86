//! Which policies fit whom on a day, and why others do not: for one organization, or for many.
//!
//! Invariants: drafts are never matched. Of projects only those are looked at that the caller may read; one that
//! is named and may not be read is refused as one that is not there. What is found depends on rows, caller and day alone.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::registry::v1::policy::State;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::{Organization, Policy, PolicyMatch, Project, policy};
use milepost_resource::{Checked, Name};
use milepost_service::access::Scopes;
use milepost_types::{Permission, Place, Rejection, limits};

use super::expression::{Expressions, Language};
use super::facts::Facts;
use super::matching::{Extent, Match, Matcher};
use crate::tables::Rows;
use crate::tables::matches::{self, Pair};

/// What binding the facts about a project costs, in looks at a policy.
const BINDING: usize = 7;

/// Whom is asked about: an organization, and those of its projects that are looked at.
pub(crate) struct Subject {
    pub(crate) organization: Checked<Organization>,
    projects: Vec<Checked<Project>>,
    /// Whether the organization is looked at itself.
    is_begun: bool,
}

/// Some of what is asked about an organization.
pub(crate) struct Slice {
    pub(crate) subject: Subject,
    /// What it costs to look at, in looks at a policy.
    pub(crate) cost: usize,
    /// The project with which the next one begins, if there is one.
    pub(crate) next: Option<Name<Project>>,
}

/// What is asked about everyone.
pub(crate) struct Question {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) on: Date,
    pub(crate) extent: Extent,
    pub(crate) explain: bool,
}

/// One answer, and where it stands among the others.
pub(crate) struct Answer {
    /// Bytes that order as the answers do.
    pub(crate) key: Vec<u8>,
    matcher: usize,
    project: Option<usize>,
    found: Match,
}

/// Matchers of these policies, without drafts.
///
/// # Errors
/// If a condition of one cannot be evaluated.
pub(crate) fn matchers(
    policies: Vec<Checked<Policy>>,
    known: &Expressions,
) -> Result<Vec<Matcher>, Rejection> {
    let asked = policies.into_iter().filter(|policy| policy.state() != State::Draft);
    asked.map(|policy| Ok(Matcher::of(policy, known)?)).collect()
}

impl Subject {
    /// The organization of this name, with its projects if they are asked about: one, or all that may be read.
    ///
    /// # Errors
    /// If the organization or the project is not there or is deleted, if the project may not be read, or if the
    /// organization is not party to it.
    pub(crate) fn find(
        rows: &Rows<'_>,
        readable: &Scopes,
        name: &Name<Organization>,
        project: Option<&Name<Project>>,
        matchers: &[Matcher],
    ) -> Result<Self, Rejection> {
        let organization = rows.find(name)?;
        if organization.is_deleted() {
            return Err(Rejection::deleted(name));
        }
        let project = project.map(|project| named(rows, readable, name, project)).transpose()?;
        match project {
            Some(project) => Ok(Self { organization, projects: vec![project], is_begun: true }),
            None => Self::of(rows, readable, organization, matchers),
        }
    }

    /// An organization with all of its projects that may be read, if a policy asks about them.
    ///
    /// # Errors
    /// If there are too many to look at, or if a row cannot be decoded.
    fn of(
        rows: &Rows<'_>,
        readable: &Scopes,
        organization: Checked<Organization>,
        matchers: &[Matcher],
    ) -> Result<Self, Rejection> {
        let asked = matchers.iter().filter(|matcher| matcher.is_of_projects()).count();
        let mut projects = Vec::new();
        if asked > 0 {
            let itself = Pair { organization: organization.name().clone(), project: None };
            for pair in matches::pairs(rows.read, Some(organization.name()), Some(&itself)) {
                let name = pair.project.filter(|name| readable.cover(Place::of(&name.to_string())));
                projects.extend(name.map(|name| rows.get(&name)).transpose()?.flatten());
                if projects.len() * asked > limits::MATCHED_PAIRS {
                    let what = "pairs of policies and projects of one organization; name a project, a programme or a filter";
                    return Err(Rejection::LimitExceeded { what, limit: limits::MATCHED_PAIRS as u64 });
                }
            }
        }
        Ok(Self { organization, projects, is_begun: true })
    }

    /// Of an organization as much as may cost so much, but at least one project: itself and then its projects that may be
    /// read, or from one of these on.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub(crate) fn slice(
        rows: &Rows<'_>,
        readable: &Scopes,
        organization: Checked<Organization>,
        matchers: &[Matcher],
        (from, room): (Option<&Name<Project>>, usize),
    ) -> Result<Slice, Rejection> {
        let asked = matchers.iter().filter(|matcher| matcher.is_of_projects()).count();
        let mut cost = if from.is_none() { BINDING + matchers.len() - asked } else { 0 };
        let (mut projects, mut next) = (Vec::new(), None);
        let after = Pair { organization: organization.name().clone(), project: from.cloned() };
        let rest = matches::pairs(rows.read, Some(organization.name()), Some(&after));
        let names = from.cloned().into_iter().chain(rest.filter_map(|pair| pair.project));
        for name in
            names.take_while(|_| asked > 0).filter(|name| readable.cover(Place::of(&name.to_string())))
        {
            if cost >= room && !projects.is_empty() {
                next = Some(name);
                break;
            }
            let project = rows.get(&name)?;
            // It may have left the one that the page before ended with.
            let project = project.filter(|project| matches::parties(project).contains(organization.name()));
            cost += BINDING + asked;
            projects.extend(project);
        }
        let subject = Self { organization, projects, is_begun: from.is_none() };
        Ok(Slice { subject, cost, next })
    }

    fn facts(&self, project: Option<usize>, on: Date) -> Facts<'_> {
        let project = project.and_then(|i| self.projects.get(i)).map(|project| &**project);
        Facts { organization: &self.organization, project, date: on }
    }
}

/// The project of this name that an organization takes part in.
fn named(
    rows: &Rows<'_>,
    readable: &Scopes,
    organization: &Name<Organization>,
    name: &Name<Project>,
) -> Result<Checked<Project>, Rejection> {
    if !readable.cover(Place::of(&name.to_string())) {
        return Err(Rejection::denied(&[Permission::ContentRead], &name.to_string()));
    }
    let project = rows.find(name)?;
    if project.is_deleted() {
        return Err(Rejection::deleted(name));
    }
    if !matches::parties(&project).contains(organization) {
        let description =
            format!("project: {organization} is not party to it; name a project that it is party to");
        return Err(Rejection::precondition("NOT_A_PARTY", name.to_string(), description));
    }
    Ok(project)
}

impl Question {
    /// How each policy stands to a subject, in no order: those whose outcomes are wanted. `keys` says of facts where answers
    /// about them stand.
    pub(crate) fn ask<K: Fn(&Matcher, &Match) -> Vec<u8>>(
        &self,
        language: &Language,
        subject: &Subject,
        is_wanted: impl Fn(Outcome) -> bool,
        keys: impl Fn(&Facts<'_>) -> K,
    ) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(self.matchers.len());
        let projects = (0..subject.projects.len()).map(Some);
        for project in subject.is_begun.then_some(None).into_iter().chain(projects) {
            let asked = self.matchers.iter().enumerate();
            let mut asked =
                asked.filter(|(_, matcher)| matcher.is_of_projects() == project.is_some()).peekable();
            if asked.peek().is_none() {
                continue;
            }
            let facts = subject.facts(project, self.on);
            let (bindings, key) = (language.bind(&facts), keys(&facts));
            answers.extend(asked.filter_map(|(i, matcher)| {
                let found = matcher.evaluate(self.on, &bindings, self.extent);
                let answer = |found| Answer { key: key(matcher, &found), matcher: i, project, found };
                is_wanted(found.outcome).then(|| answer(found))
            }));
        }
        answers
    }

    /// An answer as a message, with why if that is asked.
    pub(crate) fn message(&self, language: &Language, subject: &Subject, answer: &Answer) -> PolicyMatch {
        let matcher = &self.matchers[answer.matcher];
        let facts = subject.facts(answer.project, self.on);
        let mut message = matcher.answer(&answer.found, &facts);
        if self.explain && matches!(answer.found.outcome, Outcome::Unknown | Outcome::DoesNotFit) {
            message.unmet_conditions = matcher.explain(&answer.found, &language.bind(&facts));
        }
        message
    }
}

/// Where an answer stands: what fits first, then what is not known, what does not fit, and what is not in force; of each
/// those that the fewest conditions keep from it first; then by name.
pub(crate) fn by_outcome(facts: &Facts<'_>) -> impl Fn(&Matcher, &Match) -> Vec<u8> + use<> {
    let project = facts.project.map(|project| project.name.clone()).unwrap_or_default();
    let organization = facts.organization.name.clone();
    move |matcher, found| {
        let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes();
        let order = u8::try_from(found.outcome as i32).unwrap_or(u8::MAX);
        let counts = [count(found.failed), count(found.unknown)].concat();
        let names = [organization.as_str(), &matcher.policy.name().to_string(), &project].join("\0");
        [&[order], &counts[..], names.as_bytes()].concat()
    }
}

/// Where an answer stands among those about many: by the organization, then itself and its projects, then by the policy.
pub(crate) fn by_project(facts: &Facts<'_>) -> impl Fn(&Matcher, &Match) -> Vec<u8> + use<> {
    let project = facts.project.and_then(|project| project.name.parse().ok());
    let organization = ids(&facts.organization.name).next().unwrap_or_default();
    let place = place(organization, project.as_ref());
    move |matcher, _| [&place[..], &matcher.key].concat()
}

/// Where what is asked about an organization and a project begins, or about the organization itself: the bytes order as
/// names do, in rows and here.
pub(crate) fn place(organization: &str, project: Option<&Name<Project>>) -> Vec<u8> {
    let project = project.map_or(["", ""], |project| [project.ids()[0].as_str(), project.ids()[1].as_str()]);
    [organization, project[0], project[1]].join("\0").into_bytes()
}

/// The ids in a name.
fn ids(name: &str) -> impl Iterator<Item = &str> {
    name.split('/').skip(1).step_by(2)
}

/// The attributes that a policy asks about and that no organization has, of those that can be read.
pub(crate) fn unknown_attributes(rows: &Rows<'_>, policy: &Policy, known: &Expressions) -> Vec<String> {
    let of_projects = policy.subject() == policy::Subject::Project;
    let mut asked = BTreeSet::new();
    for condition in &policy.conditions {
        // What is published was accepted.
        let Ok(expression) = known.get(&condition.expression, of_projects) else { continue };
        asked.extend(expression.attributes().into_iter().map(str::to_owned));
    }
    let mut organizations = rows.under::<Organization>(&[], None);
    while !asked.is_empty() {
        let Some(row) = organizations.next() else { break };
        match row.and_then(|(name, row)| rows.read(&name, row)) {
            Ok(organization) if organization.is_deleted() => {}
            Ok(organization) => asked.retain(|key| !organization.attributes.contains_key(key)),
            Err(damage) => {
                tracing::error!(%damage, "an organization is left out of what a policy asks about")
            }
        }
    }
    asked.into_iter().collect()
}

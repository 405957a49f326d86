//! Pages of which policies fit whom: of one organization, and of many.
//!
//! Invariants: a page goes on after the key of the last answer, not after a count; its token is good for the same
//! question of a caller who may see the same. No answer is larger than clients take, and none about many costs more than
//! a bound, however many projects one organization has. Rows are read on one thread; what they mean for policies is found
//! on as many as there are processors, and encoded where it is found.

use std::cmp::Ordering;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::*;
use milepost_proto::resource::Resource;
use milepost_resource::{
    Checked, MALFORMED, Name, Paging, Query, Rules, date_message, enum_values, in_parts, optional_date,
    query, read_list,
};
use milepost_service::access::Scopes;
use milepost_types::filter::Schema;
use milepost_types::{Filter, Rejection, ResourceName, Room, Violations, limits, page_size};
use prost::Message;

use crate::methods::Named;
use crate::policy::ask::{self, Question, Slice, Subject};
use crate::policy::expression::{Expressions, Language};
use crate::policy::matching::{Extent, Matcher};
use crate::policy::today;
use crate::tables::{Registry, Rows};

/// The field of the request that says which organizations.
const ORGANIZATION_FILTER: &str = "organization_filter";

/// Organizations whose rows are read before they are looked at.
const ORGANIZATIONS: usize = 200;
/// Pairs of policies and organizations that are looked at in one go.
const PAIRS_AT_ONCE: usize = 1_000;
/// What one slice of an organization costs: its projects are looked at on several threads.
const SLICE: usize = 2_000;
/// What a page costs.
const PAGE: usize = 100_000;

/// What a request to match policies says, well formed.
struct MatchRequest {
    /// What a page token is good for, but for who asks.
    parts: Vec<String>,
    programme: Option<Name<PolicyProgramme>>,
    /// Which policies, or which organizations.
    filter: String,
    date: Option<Date>,
    explain: bool,
    size: usize,
    page_token: String,
}

impl MatchRequest {
    /// The pages of the request, as this caller may see them.
    fn paging(&self, method: &str, scopes: &Scopes) -> Result<Paging, Rejection> {
        let everywhere = scopes.is_everywhere();
        let parts = self.parts.iter().cloned().chain((!everywhere).then(|| scopes.to_string()));
        Paging::read(method, parts, &self.page_token)
    }

    fn question(&self, matchers: Vec<Matcher>, now: Timestamp, extent: Extent) -> Question {
        let on = self.date.unwrap_or_else(|| today(now));
        Question { matchers, on, extent, explain: self.explain }
    }
}

/// A page that was found: its matches are encoded.
struct Page {
    matches: Vec<Bytes>,
    next: Option<Vec<u8>>,
}

/// A MatchPoliciesResponse or a BatchMatchPoliciesResponse, which have the same fields: a page may have tens of thousands of
/// matches, which are encoded by then.
#[derive(Clone, PartialEq, prost::Message)]
struct MatchesMessage {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    matches: Vec<Bytes>,
    #[prost(string, tag = "2")]
    next_page_token: String,
    #[prost(string, tag = "3")]
    revision: String,
    #[prost(message, tag = "4")]
    date: Option<gtype::Date>,
}

/// A question about one organization.
struct OneOrganization {
    criteria: MatchRequest,
    organization: Name<Organization>,
    project: Option<Name<Project>>,
}

/// MatchPolicies: which policies fit an organization.
pub(super) fn of_one(known: &Arc<Expressions>) -> Named {
    let known = Arc::clone(known);
    query(
        "MatchPolicies",
        read_one,
        |request: &MatchPoliciesRequest| &request.min_revisions,
        move |of| {
            let revision = of.revision();
            let Query { rows, now, request, permit, position, .. } = of;
            let OneOrganization { criteria, organization, project } = request;
            let scopes = permit.scopes(rows.read, now);
            let policies = policies(&rows, now, &scopes, criteria.programme.as_ref(), &criteria.filter)?;
            let paging = criteria.paging("MatchPolicies", &scopes)?;
            let question = criteria.question(ask::matchers(policies, &known)?, now, Extent::All);
            let subject = Subject::find(&rows, &scopes, organization, project.as_ref(), &question.matchers)?;
            let Page { matches, next } =
                page_of_one(&question, &subject, paging.after.as_deref(), criteria.size);
            let next_page_token = paging.next(next, position.sequence);
            let date = Some(date_message(question.on));
            Ok(MatchesMessage { matches, next_page_token, revision, date })
        },
    )
}

fn read_one(request: &MatchPoliciesRequest, violations: &mut Violations) -> Option<OneOrganization> {
    let organization = violations.check("organization", request.organization.parse());
    let project = optional("project", &request.project, violations);
    let programme = optional("policy_programme", &request.policy_programme, violations);
    let date = optional_date("date", request.date, violations);
    let size = violations.check("page_size", page_size(request.page_size));
    check_filter::<Policy>("filter", &request.filter, violations);
    let MatchPoliciesRequest { filter, explain, page_token, .. } = request.clone();
    let parts = vec![
        request.organization.clone(),
        request.project.clone(),
        request.policy_programme.clone(),
        filter.clone(),
        date?.map(|date| date.to_string()).unwrap_or_default(),
        explain.to_string(),
    ];
    let criteria =
        MatchRequest { parts, programme: programme?, filter, date: date?, explain, size: size?, page_token };
    Some(OneOrganization { criteria, organization: organization?, project: project? })
}

fn page_of_one(question: &Question, subject: &Subject, after: Option<&[u8]>, size: usize) -> Page {
    let language = Language::of(question.on);
    let mut answers = question.ask(&language, subject, |_| true, ask::by_outcome);
    answers.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    let mut page = Page { matches: Vec::new(), next: None };
    let mut room = Room::page(size);
    let rest = answers.into_iter().filter(|answer| after.is_none_or(|after| answer.key.as_slice() > after));
    let mut last = None;
    for answer in rest {
        let encoded = Bytes::from(question.message(&language, subject, &answer).encode_to_vec());
        if !room.admit(encoded.len()) {
            page.next = last;
            break;
        }
        page.matches.push(encoded);
        last = Some(answer.key);
    }
    page
}

/// BatchMatchPolicies: which policies of a programme fit which organizations.
pub(super) fn of_many(known: &Arc<Expressions>) -> Named {
    let known = Arc::clone(known);
    query(
        "BatchMatchPolicies",
        read_many,
        |request: &BatchMatchPoliciesRequest| &request.min_revisions,
        move |of| {
            let revision = of.revision();
            let Query { rows, now, request: many, permit, position, .. } = of;
            let criteria = &many.criteria;
            let scopes = permit.scopes(rows.read, now);
            let policies = policies(&rows, now, &scopes, criteria.programme.as_ref(), "")?;
            // Of another order than before: a token of that is of another request.
            let paging = criteria.paging("BatchMatchPolicies by project", &scopes)?;
            let extent = if criteria.explain { Extent::All } else { Extent::Outcome };
            let question = criteria.question(ask::matchers(policies, &known)?, now, extent);
            let Page { matches, next } =
                page_of_many(&rows, now, &scopes, many, &question, paging.after.as_deref())?;
            let next_page_token = paging.next(next, position.sequence);
            let date = Some(date_message(question.on));
            Ok(MatchesMessage { matches, next_page_token, revision, date })
        },
    )
}

/// A question about many organizations.
struct ManyOrganizations {
    criteria: MatchRequest,
    /// Those that are answered with; none: all.
    outcomes: Vec<Outcome>,
}

fn read_many(request: &BatchMatchPoliciesRequest, violations: &mut Violations) -> Option<ManyOrganizations> {
    let programme = violations.check("policy_programme", request.policy_programme.parse());
    let date = optional_date("date", request.date, violations);
    let size = violations.check("page_size", page_size(request.page_size));
    let outcomes = enum_values::<Outcome>("outcomes", &request.outcomes, violations);
    check_filter::<Organization>(ORGANIZATION_FILTER, &request.organization_filter, violations);
    let BatchMatchPoliciesRequest { organization_filter: filter, explain, page_token, .. } = request.clone();
    let parts = vec![
        request.policy_programme.clone(),
        filter.clone(),
        date?.map(|date| date.to_string()).unwrap_or_default(),
        explain.to_string(),
        outcomes.iter().flatten().map(Outcome::as_str_name).collect::<Vec<_>>().join(","),
    ];
    let criteria = MatchRequest {
        parts,
        programme: Some(programme?),
        filter,
        date: date?,
        explain,
        size: size?,
        page_token,
    };
    Some(ManyOrganizations { criteria, outcomes: outcomes? })
}

/// Where a page of many organizations ended: the token of the list of organizations that it was in, and its last answer,
/// or where what was not looked at begins.
struct Mark {
    list: String,
    last: Vec<u8>,
}

impl Mark {
    fn encode(&self) -> Vec<u8> {
        [self.list.as_bytes(), b"\n", &self.last].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let at = bytes.iter().position(|byte| *byte == b'\n')?;
        let list = std::str::from_utf8(&bytes[..at]).ok()?.to_owned();
        Some(Self { list, last: bytes[at + 1..].to_vec() })
    }

    /// The organization and the project that it is at.
    fn at(&self) -> (&str, Option<Name<Project>>) {
        let mut ids =
            self.last.split(|byte| *byte == 0).map(|id| std::str::from_utf8(id).unwrap_or_default());
        let organization = ids.next().unwrap_or_default();
        let project = ids.take(2).map(|id| id.parse().ok()).collect::<Option<Vec<_>>>();
        (organization, project.and_then(Name::of))
    }

    /// With which project to go on looking at this organization; none: with itself. Nothing if it was looked at.
    fn from(&self, organization: &Name<Organization>) -> Option<Option<Name<Project>>> {
        let (last, project) = self.at();
        match organization.id().as_str().cmp(last) {
            Ordering::Less => None,
            Ordering::Equal => Some(project),
            Ordering::Greater => Some(None),
        }
    }
}

fn page_of_many(
    rows: &Rows<'_>,
    now: Timestamp,
    scopes: &Scopes,
    ManyOrganizations { criteria, outcomes }: &ManyOrganizations,
    question: &Question,
    after: Option<&[u8]>,
) -> Result<Page, Rejection> {
    let start = Mark { list: String::new(), last: Vec::new() };
    let mark = after.map_or(Some(start), Mark::decode);
    let mut mark = mark.ok_or(MALFORMED)?;
    let mut page = Page { matches: Vec::new(), next: None };
    let (mut room, mut looked_at, mut spent) = (Room::new(usize::MAX, limits::ANSWER_ITEM_BYTES), 0, 0);
    while looked_at < criteria.size {
        let size = ORGANIZATIONS.min(criteria.size - looked_at);
        let request = ListOrganizationsRequest {
            page_size: i32::try_from(size).unwrap_or(i32::MAX),
            page_token: mark.list.clone(),
            filter: criteria.filter.clone(),
            ..ListOrganizationsRequest::default()
        };
        let listed = listed::<Organization>(rows, now, scopes, &request).map_err(of_organizations);
        let (organizations, next) = listed?;
        let mut slices = Slices::of(rows, scopes, question, organizations, &mark)?;
        loop {
            let (found, cost) = found(&mut slices, outcomes, (PAGE - spent, room.bytes_left()))?;
            if add(&mut page, &mut room, &mut mark, found) {
                page.next = Some(mark.encode());
                return Ok(page);
            }
            spent += cost;
            let Some(place) = slices.place() else { break };
            if spent >= PAGE {
                page.next = Some(Mark { last: place, ..mark }.encode());
                return Ok(page);
            }
        }
        if next.is_empty() {
            return Ok(page);
        }
        looked_at += size;
        mark = Mark { list: next, last: Vec::new() };
    }
    page.next = Some(mark.encode());
    Ok(page)
}

/// Organizations that are to be looked at, slice by slice.
struct Slices<'a, 'b> {
    rows: &'a Rows<'b>,
    scopes: &'a Scopes,
    question: &'a Question,
    organizations: std::vec::IntoIter<(Name<Organization>, Bytes)>,
    /// The organization that is next, and with which of its projects; none: with itself.
    at: Option<(Checked<Organization>, Option<Name<Project>>)>,
}

impl<'a, 'b> Slices<'a, 'b> {
    /// Those that come after where a page before ended.
    fn of(
        rows: &'a Rows<'b>,
        scopes: &'a Scopes,
        question: &'a Question,
        organizations: Stored<Organization>,
        mark: &Mark,
    ) -> Result<Self, Rejection> {
        let mut organizations = organizations.into_iter();
        let first = organizations.by_ref().find_map(|(name, row)| Some((mark.from(&name)?, name, row)));
        let at = first.map(|(from, name, row)| Ok::<_, Rejection>((rows.read(&name, row)?, from)));
        Ok(Self { rows, scopes, question, organizations, at: at.transpose()? })
    }

    /// Where what is next begins; none: all were looked at.
    fn place(&self) -> Option<Vec<u8>> {
        let (organization, from) = self.at.as_ref()?;
        Some(ask::place(organization.name().id().as_str(), from.as_ref()))
    }

    /// The slice of this organization that begins with this project, or with itself.
    fn slice(
        &mut self,
        organization: Checked<Organization>,
        from: Option<&Name<Project>>,
    ) -> Result<Slice, Rejection> {
        let (rows, scopes, matchers) = (self.rows, self.scopes, &self.question.matchers);
        let slice = Subject::slice(rows, scopes, organization, matchers, (from, SLICE))?;
        self.at = match &slice.next {
            Some(next) => Some((slice.subject.organization.clone(), Some(next.clone()))),
            None => match self.organizations.next() {
                Some((name, row)) => Some((rows.read(&name, row)?, None)),
                None => None,
            },
        };
        Ok(slice)
    }
}

impl Iterator for Slices<'_, '_> {
    type Item = Result<Slice, Rejection>;

    fn next(&mut self) -> Option<Self::Item> {
        let (organization, from) = self.at.take()?;
        Some(self.slice(organization, from.as_ref()))
    }
}

/// An encoded answer, behind where it stands.
type Found = (Vec<u8>, Bytes);

/// Adds what was found to a page, but for what it answered before; whether it is full.
fn add(page: &mut Page, room: &mut Room, mark: &mut Mark, found: impl Iterator<Item = Found>) -> bool {
    for (key, encoded) in found {
        // Those that the page before ended with are answered already.
        if key <= mark.last {
            continue;
        }
        if !room.admit(encoded.len()) {
            return true;
        }
        page.matches.push(encoded);
        mark.last = key;
    }
    false
}

/// How the policies stand to those in the next slices, in order, and what they cost: as many as may cost so much, until so
/// many bytes were found. A slice is read while those before it are looked at.
fn found(
    slices: &mut Slices<'_, '_>,
    outcomes: &[Outcome],
    (most_cost, most_bytes): (usize, usize),
) -> Result<(impl Iterator<Item = Found> + use<>, usize), Rejection> {
    let question = slices.question;
    let (mut spent, bytes) = (0, AtomicUsize::new(0));
    let subjects = iter::from_fn(|| {
        if spent >= most_cost || bytes.load(Relaxed) > most_bytes {
            return None;
        }
        Some(slices.next()?.map(|Slice { subject, cost, .. }| {
            spent += cost;
            subject
        }))
    });
    let is_wanted = |outcome| outcomes.is_empty() || outcomes.contains(&outcome);
    let size = PAIRS_AT_ONCE.div_ceil(question.matchers.len().max(1));
    let parts = in_parts(subjects, size, |subjects| {
        let language = Language::of(question.on);
        // Of each, one answer for each policy, or few if few are wanted: a page may have hundreds of thousands.
        let most = subjects.len() * question.matchers.len();
        let mut found = Vec::with_capacity(if outcomes.is_empty() { most } else { 0 });
        for subject in subjects {
            let subject = subject?;
            let mut answers = question.ask(&language, &subject, is_wanted, ask::by_project);
            answers.sort_unstable_by(|one, other| one.key.cmp(&other.key));
            found.extend(answers.into_iter().map(|answer| {
                let encoded = Bytes::from(question.message(&language, &subject, &answer).encode_to_vec());
                bytes.fetch_add(encoded.len(), Relaxed);
                (answer.key, encoded)
            }));
        }
        Ok(found)
    });
    let parts = parts.into_iter().collect::<Result<Vec<_>, Rejection>>()?;
    Ok((parts.into_iter().flatten(), spent))
}

/// The policies of a programme, or of all, that a filter lets through.
fn policies(
    rows: &Rows<'_>,
    now: Timestamp,
    scopes: &Scopes,
    programme: Option<&Name<PolicyProgramme>>,
    filter: &str,
) -> Result<Vec<Checked<Policy>>, Rejection> {
    let parent = programme.map_or_else(|| "policyProgrammes/-".to_owned(), ToString::to_string);
    let page_size = i32::try_from(limits::PAGE_SIZE_MAX).unwrap_or(i32::MAX);
    let mut request = ListPoliciesRequest {
        parent,
        page_size,
        filter: filter.to_owned(),
        ..ListPoliciesRequest::default()
    };
    let mut policies = Vec::new();
    loop {
        let (page, next) = listed::<Policy>(rows, now, scopes, &request)?;
        let read = page.into_iter().map(|(name, row)| rows.read(&name, row));
        policies.append(&mut read.collect::<Result<_, _>>()?);
        if next.is_empty() {
            return Ok(policies);
        }
        request.page_token = next;
    }
}

/// Resources as they are stored, each by its name.
type Stored<R> = Vec<(Name<R>, Bytes)>;

/// A page of resources, and the token of the next.
fn listed<R: Rules<Registry>>(
    rows: &Rows<'_>,
    now: Timestamp,
    scopes: &Scopes,
    request: &R::List,
) -> Result<(Stored<R>, String), Rejection> {
    let list = read_list::<Registry, R>(request, scopes)?;
    let page = list.page::<Registry, R>(rows, now)?;
    let resources = page.names.into_iter().zip(page.resources).collect();
    Ok((resources, list.next_page_token(page.next, 0)))
}

fn optional<R: Resource>(field: &str, given: &str, violations: &mut Violations) -> Option<Option<Name<R>>> {
    violations.check_optional(field, Some(given).filter(|given| !given.is_empty()), str::parse)
}

/// Records a filter that is none of these resources, if it is not the only fault: then the list says more of it.
fn check_filter<R: Resource>(field: &'static str, given: &str, violations: &mut Violations) {
    if !violations.is_empty() {
        violations.check(field, Filter::parse(given, &Schema::new(R::FILTER)));
    }
}

/// A refusal to list organizations, as one of this method.
fn of_organizations(rejection: Rejection) -> Rejection {
    match rejection {
        Rejection::Filter { error, .. } => Rejection::Filter { field: ORGANIZATION_FILTER, error },
        other => other,
    }
}

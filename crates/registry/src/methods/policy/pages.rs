//! Pages of which policies fit whom: of one organization, and of many.
//!
//! Invariants: a page goes on after the key of the last answer, not after a count; its token is good for the same
//! question of a caller who may see the same. No answer is larger than clients take, and none about many costs more than
//! a bound, however many projects one organization has. All pages of a question are about the day of the first one.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::key::{date_of, ordered_date};
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::*;
use milepost_proto::resource::Resource;
use milepost_resource::{
    Checked, MALFORMED, Name, Paging, Query, Rules, date_message, enum_values, optional_date, query,
    read_list,
};
use milepost_service::access::Scopes;
use milepost_types::filter::Schema;
use milepost_types::{Filter, Rejection, Room, Violations, limits, page_size};
use prost::Message;

use super::slices::{Found, Mark, Slices, Stored, found};
use crate::methods::Named;
use crate::policy::ask::{self, Question, Subject};
use crate::policy::expression::{Expressions, Language};
use crate::policy::matching::{Extent, Matcher};
use crate::policy::today;
use crate::tables::{Registry, Rows};

/// The field of the request that says which organizations.
const ORGANIZATION_FILTER: &str = "organization_filter";

/// Organizations whose rows are read before they are looked at.
const ORGANIZATIONS: usize = 200;
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

    fn question(&self, matchers: Vec<Matcher>, on: Date, extent: Extent) -> Question {
        Question { matchers, on, extent, explain: self.explain }
    }

    /// The day that is asked about, which all pages have from the first one, and the key that the page before ended with.
    fn day<'a>(&self, paging: &'a Paging, now: Timestamp) -> Result<(Date, Option<&'a [u8]>), Rejection> {
        let Some(after) = &paging.after else { return Ok((self.date.unwrap_or_else(|| today(now)), None)) };
        let (day, key) = after.split_first_chunk::<4>().ok_or(MALFORMED)?;
        Ok((date_of(day).ok_or(MALFORMED)?, Some(key)))
    }
}

/// The token of the page after one about this day that ended with this key.
fn next_page_token(paging: &Paging, day: Date, key: Option<Vec<u8>>, sequence: u64) -> String {
    paging.next(key.map(|key| [&ordered_date(day)[..], &key].concat()), sequence)
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
            let (day, after) = criteria.day(&paging, now)?;
            let question = criteria.question(ask::matchers(policies, &known)?, day, Extent::All);
            let subject = Subject::find(&rows, &scopes, organization, project.as_ref(), &question.matchers)?;
            let Page { matches, next } = page_of_one(&question, &subject, after, criteria.size);
            let next_page_token = next_page_token(&paging, day, next, position.sequence);
            let date = Some(date_message(day));
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
            let (day, after) = criteria.day(&paging, now)?;
            let question = criteria.question(ask::matchers(policies, &known)?, day, extent);
            let Page { matches, next } = page_of_many(&rows, now, &scopes, many, &question, after)?;
            let next_page_token = next_page_token(&paging, day, next, position.sequence);
            let date = Some(date_message(day));
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
    while looked_at < criteria.size && spent < PAGE {
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

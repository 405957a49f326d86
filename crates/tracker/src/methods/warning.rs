//! The methods of warning policies and excuses besides the standard ones: from their requests to what is to be done, or
//! read.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::resource::Resource;
use milepost_proto::tracker::v1::*;
use milepost_resource::{
    Act, Method, Name, act, check_message, enum_value, optional_date, optional_text, query, reason_and_day,
    required_text, write, write_by_all,
};
use milepost_service::value::date;
use milepost_types::{Violations, page_size};
use tokio::sync::Notify;

use crate::decide::Tracker;
use crate::names::PortfolioName;
use crate::warning::{
    PolicyName, Recompute, ReplayRequest, Replayed, adopt, check_policy, grant, refuse, replay, retire,
};

/// The methods of policies. What is adopted is evaluated by the sweep, which is notified.
pub(crate) fn of_warning_policies(sweep: &Arc<Notify>) -> Vec<(&'static str, Method<Tracker>)> {
    let (name, own) = write("AdoptWarningPolicy", |request: AdoptWarningPolicyRequest, violations| {
        act(&request, adopt, violations, |violations| optional_date("date", request.date, violations))
    });
    let sweep = Arc::clone(sweep);
    let adopt: Method<Tracker> = Box::new(move |api, request| {
        let (answer, sweep) = (own(api, request), Arc::clone(&sweep));
        Box::pin(async move {
            let answer = answer.await;
            sweep.notify_one();
            answer
        })
    });
    vec![
        (name, adopt),
        write("RetireWarningPolicy", |request: RetireWarningPolicyRequest, violations| {
            act(&request, retire, violations, |violations| {
                decision(&request.reason, request.date, violations)
            })
        }),
        write_by_all("RecomputeWarnings", recompute),
        query(
            "ReplayWarningPolicy",
            read_replay,
            |request: &ReplayWarningPolicyRequest| &request.min_revisions,
            replay,
        ),
    ]
}

/// The methods of excuses.
pub(crate) fn of_excuses() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        write("GrantExcuse", |request: GrantExcuseRequest, violations| {
            act(&request, grant, violations, |violations| decision(&request.reason, request.date, violations))
        }),
        write("RefuseExcuse", |request: RefuseExcuseRequest, violations| {
            act(&request, refuse, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
    ]
}

/// Why, if that is said, and on which day.
fn decision(
    reason: &str,
    day: Option<gtype::Date>,
    violations: &mut Violations,
) -> Option<(String, Option<Date>)> {
    let reason = optional_text("reason", reason, violations);
    let day = optional_date("date", day, violations);
    Some((reason, day?))
}

/// A date that must be given.
fn required_date(field: &str, given: Option<gtype::Date>, violations: &mut Violations) -> Option<Date> {
    let given = violations.require(field, given)?;
    violations.check(field, date(given))
}

/// The name of a resource that is in a portfolio; none is none. Faults are recorded.
fn in_portfolio<R: Resource>(
    field: &str,
    given: &str,
    portfolio: Option<&PortfolioName>,
    violations: &mut Violations,
) -> Option<Option<Name<R>>> {
    if given.is_empty() {
        return Some(None);
    }
    let name = violations.check(field, given.parse::<Name<R>>())?;
    match portfolio.filter(|portfolio| !name.ids().starts_with(portfolio.ids())) {
        None => Some(Some(name)),
        Some(portfolio) => {
            violations.push(field, "OTHER_PARENT", format!("{name} is not in {portfolio}"));
            None
        }
    }
}

fn recompute(
    request: RecomputeWarningsRequest,
    violations: &mut Violations,
) -> Option<Box<dyn Act<Tracker>>> {
    let policy = violations.check("name", request.name.parse::<PolicyName>());
    let end = required_date("period_end", request.period_end, violations);
    let portfolio = policy.as_ref().map(PolicyName::parent);
    let project = in_portfolio("project", &request.project, portfolio.as_ref(), violations);
    let reason = required_text("reason", &request.reason, violations);
    let date = optional_date("date", request.date, violations);
    let (policy, end, project) = (policy?, end?, project?);
    Some(Box::new(Recompute { policy, end, project, reason, date: date? }))
}

fn read_replay(request: &ReplayWarningPolicyRequest, violations: &mut Violations) -> Option<ReplayRequest> {
    let portfolio = violations.check("parent", request.parent.parse::<PortfolioName>());
    let policy = replayed(request, portfolio.as_ref(), violations);
    let from = required_date("from_date", request.from_date, violations);
    let to = required_date("to_date", request.to_date, violations);
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let description = format!("{to} is before {from}, the first day; exchange them or correct one");
        violations.push("to_date", "INVALID_PERIOD", description);
    }
    let knowledge = enum_value("knowledge", request.knowledge, violations);
    let compare_with = in_portfolio("compare_with", &request.compare_with, portfolio.as_ref(), violations);
    let size = violations.check("page_size", page_size(request.page_size));
    let digest = ReplayWarningPolicyRequest {
        page_size: 0,
        page_token: String::new(),
        min_revisions: Vec::new(),
        ..request.clone()
    };
    Some(ReplayRequest {
        portfolio: portfolio?,
        policy: policy?,
        from: from?,
        to: to?,
        knowledge: knowledge?,
        compare_with: compare_with?,
        size: size?,
        page_token: request.page_token.clone(),
        digest: format!("{digest:?}"),
    })
}

/// The policy that is replayed: by its name, or as it is given.
fn replayed(
    request: &ReplayWarningPolicyRequest,
    portfolio: Option<&PortfolioName>,
    violations: &mut Violations,
) -> Option<Replayed> {
    let name = in_portfolio("policy", &request.policy, portfolio, violations)?;
    match (name, &request.warning_policy) {
        (Some(name), None) => Some(Replayed::Named(name)),
        (None, Some(given)) => {
            let mut policy = given.clone();
            let mut found = Violations::new();
            // It is called something only where it is stored.
            if policy.display_name.is_empty() {
                "-".clone_into(&mut policy.display_name);
            }
            policy.name.clear();
            check_message(&mut policy, &mut found);
            check_policy(&policy, &mut found);
            violations.nest("warning_policy", found);
            Some(Replayed::Inline(Box::new(policy)))
        }
        (Some(_), Some(_)) => {
            violations.push(
                "warning_policy",
                "TWO_POLICIES",
                "`policy` names one already; leave one of both out",
            );
            None
        }
        (None, None) => {
            let description = "say which policy: the name of one in `policy`, or one that is not stored in `warning_policy`";
            violations.push("policy", "NO_POLICY", description);
            None
        }
    }
}

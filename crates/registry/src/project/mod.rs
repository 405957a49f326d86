//! Projects: what is built.
//!
//! Invariants: a project's status changes only by the method named after the change; every amount is
//! exact and its lists add up to something that can be held; what is told of the past is not after
//! today. `status` has the machine, `references` what a project refers to.

pub(crate) mod investment;
pub(crate) mod references;
pub(crate) mod site;
pub(crate) mod status;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use milepost_types::{
    BatchName, LanguageTag, Money, OrganizationName, Period, PortfolioName, Precondition, ProjectCode,
    ProjectName, Rejection, Violations,
};

use crate::details::{Rules, details};
use crate::record::{Create, Moment, Record, Target, Update};
use investment::{AnnualPlan, CompletedInvestment, FundingSource, InvestmentItem};
use site::Site;
use status::{Stage, Status};

/// A project.
pub(crate) type Project = Record<ProjectName, Details, Standing>;

details! {
    display_name: String,
    translations: BTreeMap<LanguageTag, String>,
    codes: Vec<Code>,
    sector: String,
    level: Option<Level>,
    /// `None`: not said, which is not false.
    key: Option<bool>,
    listing: Option<Listing>,
    site: Site,
    purpose: String,
    scale: String,
    /// `None`: not said, which is not zero.
    investment: Option<Money>,
    breakdown: Vec<InvestmentItem>,
    funding: Vec<FundingSource>,
    annual_plans: Vec<AnnualPlan>,
    completed_investments: Vec<CompletedInvestment>,
    parties: Vec<Party>,
    planned_period: Period,
    actual_period: Period,
    parent_project: Option<ProjectName>,
    labels: BTreeMap<String, String>,
}

impl Rules for Details {
    const NOUN: &'static str = "project";

    fn rules(&self, violations: &mut Violations) {
        check_codes(&self.codes, violations);
        investment::rules(self, violations);
    }
}

/// The scheme whose codes have a shape.
const NATIONAL_SCHEME: &str = "GB/T 40058";

fn check_codes(codes: &[Code], violations: &mut Violations) {
    let mut seen = BTreeSet::new();
    for (i, Code { scheme, code }) in codes.iter().enumerate() {
        if !seen.insert(scheme) {
            violations.push(format!("codes[{i}].scheme"), "DUPLICATE", "a project has one code of a scheme");
        }
        if scheme == NATIONAL_SCHEME {
            violations.check(format!("codes[{i}].code"), code.parse::<ProjectCode>());
        }
    }
}

/// What only the methods of a project change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) status: Status,
    /// Why, as the last change said; empty: it did not say.
    pub(crate) status_reason: String,
    /// The batch that started it.
    pub(crate) batch: Option<BatchName>,
}

impl Default for Standing {
    /// Where every project begins.
    fn default() -> Self {
        Self { status: Status::At(Stage::Proposed), status_reason: String::new(), batch: None }
    }
}

/// A code in some register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) scheme: String,
    pub(crate) code: String,
}

/// The level of government that lists a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    National,
    Provincial,
    Municipal,
    District,
    /// One that another version knew when it was stored. It stays as it is.
    Unknown(i32),
}

/// The year's list that a project stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    Reserve,
    NewStart,
    Continued,
    Completed,
    /// One that another version knew when it was stored. It stays as it is.
    Unknown(i32),
}

/// An organization in a project, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) organization: OrganizationName,
    pub(crate) roles: Vec<String>,
}

/// What may be asked of projects.
#[derive(Debug)]
pub(crate) enum Command {
    /// Create one.
    Create(Create<PortfolioName, Details>),
    /// Create several of one portfolio, all or none.
    CreateSeveral(Vec<Create<PortfolioName, Details>>),
    /// Change fields of one.
    Update(Update<ProjectName, Patch>),
    /// Delete one softly.
    Delete(Target<ProjectName>),
    /// Take a deletion back.
    Undelete(Target<ProjectName>),
    /// Change the status of one, and say why.
    Move(Target<ProjectName>, status::Move, String),
}

/// Finds an actual period that reaches past today, in the resource at this field of the request.
pub(crate) fn check_actual_period(field: &str, period: &Period, today: Date, violations: &mut Violations) {
    for (end, date) in [("start_date", period.start()), ("end_date", period.end())] {
        if let Some(date) = date.filter(|date| *date > today) {
            violations.push(
                format!("{field}.actual_period.{end}"),
                "DATE_IN_FUTURE",
                format!("{date} is after today, {today} in the portfolio's time zone; plans belong into planned_period"),
            );
        }
    }
}

/// The project after its deletion, where `parts` are some that refer to it.
pub(crate) fn delete(
    project: &Project,
    target: &Target<ProjectName>,
    parts: Vec<ProjectName>,
    moment: &Moment,
) -> Result<Option<Project>, Rejection> {
    let Some(deleted) = project.delete(target.etag, moment)? else { return Ok(None) };
    if project.standing.status == Status::At(Stage::Construction) {
        return Err(status::wrong_state(
            project,
            "delete",
            Status::ALL.iter().copied().filter(|status| *status != project.standing.status),
        ));
    }
    if !parts.is_empty() {
        let condition = |part: ProjectName| Precondition {
            kind: "HAS_PARTS",
            subject: part.to_string(),
            description: "it names the project as its parent_project; delete or change it first".to_owned(),
        };
        return Err(Rejection::Preconditions(parts.into_iter().map(condition).collect()));
    }
    Ok(Some(deleted))
}

#[cfg(test)]
mod tests;

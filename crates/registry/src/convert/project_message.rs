//! Projects written as messages.

use milepost_proto::registry::v1 as proto;
use milepost_types::Period;
use proto::project::{Level as WireLevel, Listing as WireListing, Status as WireStatus};

use super::value;
use crate::project::investment::{AnnualPlan, CompletedInvestment, FundingSource, InvestmentItem};
use crate::project::site::Site;
use crate::project::status::{Stage, Status};
use crate::project::{Code, Level, Listing, Party, Project};
use crate::record::{Life, Record};

/// A project as a message.
pub(crate) fn message(project: &Project) -> proto::Project {
    let Record { name, details, standing, life } = project;
    let Life { create_time, update_time, delete_time, etag } = life;
    proto::Project {
        name: name.to_string(),
        display_name: details.display_name.clone(),
        translations: value::translations(&details.translations),
        codes: details.codes.iter().map(code).collect(),
        sector: details.sector.clone(),
        level: level(details.level),
        key: details.key,
        listing: listing(details.listing),
        site: site(&details.site),
        purpose: details.purpose.clone(),
        scale: details.scale.clone(),
        investment: details.investment.as_ref().map(value::money_message),
        breakdown: details.breakdown.iter().map(investment_item).collect(),
        funding: details.funding.iter().map(funding_source).collect(),
        annual_plans: details.annual_plans.iter().map(annual_plan).collect(),
        completed_investments: details.completed_investments.iter().map(completed_investment).collect(),
        parties: details.parties.iter().map(party).collect(),
        planned_period: period_message(&details.planned_period),
        actual_period: period_message(&details.actual_period),
        parent_project: details.parent_project.as_ref().map(ToString::to_string).unwrap_or_default(),
        labels: details.labels.clone(),
        status: status_message(standing.status).into(),
        suspended_status: suspended_message(standing.status).into(),
        status_reason: standing.status_reason.clone(),
        batch: standing.batch.as_ref().map(ToString::to_string).unwrap_or_default(),
        create_time: Some(value::instant_message(*create_time)),
        update_time: Some(value::instant_message(*update_time)),
        delete_time: delete_time.map(value::instant_message),
        etag: etag.to_string(),
    }
}

/// A period as a message; one that says nothing is absent.
pub(crate) fn period_message(period: &Period) -> Option<proto::Period> {
    (!period.is_empty()).then(|| proto::Period {
        start_date: period.start().map(value::date_message),
        end_date: period.end().map(value::date_message),
    })
}

fn code(code: &Code) -> proto::ProjectCode {
    proto::ProjectCode { scheme: code.scheme.clone(), code: code.code.clone() }
}

fn site(site: &Site) -> Option<proto::Site> {
    (!site.is_empty()).then(|| proto::Site {
        address: site.address.clone(),
        division_code: site.division_code.clone(),
        latitude: site.latitude,
        longitude: site.longitude,
    })
}

fn investment_item(item: &InvestmentItem) -> proto::InvestmentItem {
    proto::InvestmentItem {
        category: item.category.clone(),
        amount: Some(value::money_message(&item.amount)),
    }
}

fn funding_source(source: &FundingSource) -> proto::FundingSource {
    proto::FundingSource {
        source: source.source.clone(),
        organization: source.organization.as_ref().map(ToString::to_string).unwrap_or_default(),
        amount: source.amount.as_ref().map(value::money_message),
    }
}

fn annual_plan(plan: &AnnualPlan) -> proto::AnnualPlan {
    proto::AnnualPlan {
        year: plan.year.into(),
        investment: plan.investment.as_ref().map(value::money_message),
        content: plan.content.clone(),
    }
}

fn completed_investment(completed: &CompletedInvestment) -> proto::CompletedInvestment {
    proto::CompletedInvestment {
        period: period_message(&completed.period),
        amount: Some(value::money_message(&completed.amount)),
    }
}

fn party(party: &Party) -> proto::Party {
    proto::Party { organization: party.organization.to_string(), roles: party.roles.clone() }
}

fn level(level: Option<Level>) -> i32 {
    let known = match level {
        Some(Level::Unknown(number)) => return number,
        None => WireLevel::Unspecified,
        Some(Level::National) => WireLevel::National,
        Some(Level::Provincial) => WireLevel::Provincial,
        Some(Level::Municipal) => WireLevel::Municipal,
        Some(Level::District) => WireLevel::District,
    };
    known.into()
}

fn listing(listing: Option<Listing>) -> i32 {
    let known = match listing {
        Some(Listing::Unknown(number)) => return number,
        None => WireListing::Unspecified,
        Some(Listing::Reserve) => WireListing::Reserve,
        Some(Listing::NewStart) => WireListing::NewStart,
        Some(Listing::Continued) => WireListing::Continued,
        Some(Listing::Completed) => WireListing::Completed,
    };
    known.into()
}

/// A status as the API has it.
pub(crate) fn status_message(status: Status) -> WireStatus {
    match status {
        Status::At(stage) => stage_message(stage),
        Status::Suspended(_) => WireStatus::Suspended,
        Status::Cancelled => WireStatus::Cancelled,
    }
}

fn suspended_message(status: Status) -> WireStatus {
    status.suspended().map_or(WireStatus::Unspecified, stage_message)
}

fn stage_message(stage: Stage) -> WireStatus {
    match stage {
        Stage::Proposed => WireStatus::Proposed,
        Stage::Preparation => WireStatus::Preparation,
        Stage::Construction => WireStatus::Construction,
        Stage::Completed => WireStatus::Completed,
        Stage::InService => WireStatus::InService,
    }
}

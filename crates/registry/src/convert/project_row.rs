//! Projects read back from what was stored.
//!
//! Invariant: no rule for requests is run. A level or a listing that another version knew is kept as it is;
//! a status that is not known here cannot be, because what may be done to a project depends on it.

use milepost_proto::registry::v1 as proto;
use proto::project::{Level as WireLevel, Listing as WireListing, Status as WireStatus};

use super::project::{level, listing};
use super::{Unreadable, request, value};
use crate::project::investment::{AnnualPlan, CompletedInvestment, FundingSource, InvestmentItem};
use crate::project::site::Site;
use crate::project::status::{Stage, Status};
use crate::project::{Code, Details, Level, Listing, Party, Project, Standing};

/// The project that was stored.
pub(crate) fn stored(message: proto::Project) -> Result<Project, Unreadable> {
    request::stored(message, |mut message| {
        let standing = Standing {
            status: status(message.status, message.suspended_status)?,
            status_reason: std::mem::take(&mut message.status_reason),
            batch: value::stored_optional_name("batch", &message.batch)?,
        };
        Ok((details(message)?, standing))
    })
}

fn details(message: proto::Project) -> Result<Details, Unreadable> {
    let investment = message.investment.as_ref();
    let site = message.site.unwrap_or_default();
    Ok(Details {
        display_name: message.display_name,
        translations: value::stored_translations(message.translations),
        codes: message.codes.into_iter().map(|code| Code { scheme: code.scheme, code: code.code }).collect(),
        sector: message.sector,
        level: WireLevel::try_from(message.level).map_or(Some(Level::Unknown(message.level)), level),
        key: message.key,
        listing: WireListing::try_from(message.listing)
            .map_or(Some(Listing::Unknown(message.listing)), listing),
        site: Site {
            address: site.address,
            division_code: site.division_code,
            latitude: site.latitude,
            longitude: site.longitude,
        },
        purpose: message.purpose,
        scale: message.scale,
        investment: investment.map(|money| value::stored_money("investment", money)).transpose()?,
        breakdown: all(message.breakdown, investment_item)?,
        funding: all(message.funding, funding_source)?,
        annual_plans: all(message.annual_plans, annual_plan)?,
        completed_investments: all(message.completed_investments, completed_investment)?,
        parties: all(message.parties, party)?,
        planned_period: value::stored_period("planned_period", message.planned_period)?,
        actual_period: value::stored_period("actual_period", message.actual_period)?,
        parent_project: value::stored_optional_name("parent_project", &message.parent_project)?,
        labels: message.labels,
    })
}

fn all<M, T>(members: Vec<M>, read: impl Fn(M) -> Result<T, Unreadable>) -> Result<Vec<T>, Unreadable> {
    members.into_iter().map(read).collect()
}

fn investment_item(message: proto::InvestmentItem) -> Result<InvestmentItem, Unreadable> {
    let field = "breakdown.amount";
    let amount = value::stored(field, message.amount)?;
    Ok(InvestmentItem { category: message.category, amount: value::stored_money(field, &amount)? })
}

fn funding_source(message: proto::FundingSource) -> Result<FundingSource, Unreadable> {
    let amount = message.amount.as_ref();
    Ok(FundingSource {
        source: message.source,
        organization: value::stored_optional_name("funding.organization", &message.organization)?,
        amount: amount.map(|money| value::stored_money("funding.amount", money)).transpose()?,
    })
}

fn annual_plan(message: proto::AnnualPlan) -> Result<AnnualPlan, Unreadable> {
    let investment = message.investment.as_ref();
    Ok(AnnualPlan {
        year: i16::try_from(message.year).map_err(|error| Unreadable::of("annual_plans.year", error))?,
        investment: investment
            .map(|money| value::stored_money("annual_plans.investment", money))
            .transpose()?,
        content: message.content,
    })
}

fn completed_investment(message: proto::CompletedInvestment) -> Result<CompletedInvestment, Unreadable> {
    let field = "completed_investments.amount";
    let amount = value::stored(field, message.amount)?;
    Ok(CompletedInvestment {
        period: value::stored_period("completed_investments.period", message.period)?,
        amount: value::stored_money(field, &amount)?,
    })
}

fn party(message: proto::Party) -> Result<Party, Unreadable> {
    let organization = value::stored_name("parties.organization", &message.organization)?;
    Ok(Party { organization, roles: message.roles })
}

fn status(number: i32, suspended: i32) -> Result<Status, Unreadable> {
    let unknown = |field, number: i32| {
        Unreadable::of(field, format_args!("{number} is no status that this version knows"))
    };
    match WireStatus::try_from(number) {
        Ok(WireStatus::Cancelled) => Ok(Status::Cancelled),
        Ok(WireStatus::Suspended) => {
            let stage = WireStatus::try_from(suspended).ok().and_then(stage);
            stage.map(Status::Suspended).ok_or_else(|| unknown("suspended_status", suspended))
        }
        other => other.ok().and_then(stage).map(Status::At).ok_or_else(|| unknown("status", number)),
    }
}

fn stage(status: WireStatus) -> Option<Stage> {
    match status {
        WireStatus::Proposed => Some(Stage::Proposed),
        WireStatus::Preparation => Some(Stage::Preparation),
        WireStatus::Construction => Some(Stage::Construction),
        WireStatus::Completed => Some(Stage::Completed),
        WireStatus::InService => Some(Stage::InService),
        WireStatus::Unspecified | WireStatus::Suspended | WireStatus::Cancelled => None,
    }
}

//! What tests of plans, annual lists and reports say in few words.

use milepost_proto::figure::v1::{Figure, Knowledge};
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::query_statistics_request::Basis;
use milepost_proto::registry::v1::*;
use tonic::Status;

use super::office::{Office, named, project_name};

/// 亿: a hundred million.
pub(crate) const YI: i64 = 100_000_000;

/// A date as it is written.
pub(crate) fn date(text: &str) -> Date {
    let parts: Vec<i32> = text.split('-').map(|part| part.parse().unwrap()).collect();
    Date { year: parts[0], month: parts[1], day: parts[2] }
}

/// An amount in the currency of China, with hundredths.
pub(crate) fn fen(hundredths: i64) -> Money {
    let nanos = i32::try_from(hundredths % 100).unwrap() * 10_000_000;
    Money { currency_code: "CNY".into(), units: hundredths / 100, nanos }
}

/// So many tenths of 亿.
pub(crate) fn tenths(count: i64) -> Money {
    fen(count * YI * 10)
}

pub(crate) fn period(start: &str, end: &str) -> Option<Period> {
    Some(Period { start_date: Some(date(start)), end_date: Some(date(end)) })
}

/// Completed in a period; reported on a day, unless that is empty.
pub(crate) fn completed(start: &str, end: &str, amount: Money, reported: &str) -> CompletedInvestment {
    let reported_date = Some(reported).filter(|day| !day.is_empty()).map(date);
    CompletedInvestment { period: period(start, end), amount: Some(amount), reported_date }
}

pub(crate) fn received(start: &str, end: &str, amount: Money, reported: &str) -> ReceivedFunds {
    let reported_date = Some(reported).filter(|day| !day.is_empty()).map(date);
    ReceivedFunds { period: period(start, end), amount: Some(amount), reported_date }
}

/// The plan of 2021.
pub(crate) fn plan(investment: Money) -> AnnualPlan {
    AnnualPlan { year: 2021, investment: Some(investment), ..AnnualPlan::default() }
}

/// A project with this plan of 2021 and these reports.
pub(crate) fn planned(investment: Money, reports: Vec<CompletedInvestment>) -> Project {
    Project { annual_plans: vec![plan(investment)], completed_investments: reports, ..named("项目") }
}

/// What is asked of a report of `portfolios/wsc` on a day.
pub(crate) fn on(day: &str) -> QueryStatisticsRequest {
    QueryStatisticsRequest {
        parent: "portfolios/wsc".into(),
        date: Some(date(day)),
        ..QueryStatisticsRequest::default()
    }
}

/// The same, as it was known then.
pub(crate) fn known(day: &str, knowledge: Knowledge) -> QueryStatisticsRequest {
    QueryStatisticsRequest { knowledge: knowledge.into(), ..on(day) }
}

/// The same, of projects as split.
pub(crate) fn split(day: &str) -> QueryStatisticsRequest {
    QueryStatisticsRequest { basis: Basis::Split.into(), ..on(day) }
}

/// A figure's value, and whether it is a lower bound.
pub(crate) fn value(figure: Option<&Figure>) -> (&str, bool) {
    let figure = figure.unwrap();
    (figure.value.as_deref().unwrap_or("-"), figure.lower_bound)
}

/// What is missing in a figure: the ids of projects, and why.
pub(crate) fn missing(figure: Option<&Figure>) -> Vec<(&str, &str)> {
    let found = figure.unwrap().missing.iter();
    found.map(|missing| (missing.subject.rsplit('/').next().unwrap(), &*missing.why)).collect()
}

impl Office {
    /// A registry with `portfolios/wsc`, at noon of this day in Chongqing.
    pub(crate) async fn at(day: &str) -> Self {
        let office = Self::open().await;
        office.turn_to(day);
        office.portfolio("wsc").await;
        office
    }

    /// Turns the clock to noon of a day in Chongqing.
    pub(crate) fn turn_to(&self, day: &str) {
        self.clock.set(format!("{day}T12:00:00+08:00").parse().unwrap());
    }

    pub(crate) async fn report(
        &self,
        request: QueryStatisticsRequest,
    ) -> Result<QueryStatisticsResponse, Status> {
        Ok(self.reports().query_statistics(request).await?.into_inner())
    }

    /// What all projects come to.
    pub(crate) async fn total(&self, request: QueryStatisticsRequest) -> Statistics {
        self.report(request).await.unwrap().total.unwrap()
    }

    /// Changes what is set.
    pub(crate) async fn update(&self, id: &str, project: Project, paths: &[&str]) -> Result<Project, Status> {
        let project = Some(Project { name: project_name(id), ..project });
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let update_mask = Some(prost_types::FieldMask { paths });
        let request = UpdateProjectRequest { project, update_mask, ..UpdateProjectRequest::default() };
        Ok(self.projects().update_project(request).await?.into_inner().project.unwrap())
    }

    /// Replaces what was completed.
    pub(crate) async fn complete_with(&self, id: &str, reports: Vec<CompletedInvestment>) {
        let project = Project { completed_investments: reports, ..Project::default() };
        self.update(id, project, &["completed_investments"]).await.unwrap();
    }

    pub(crate) async fn annual_list(
        &self,
        year: &str,
        members: Vec<AnnualListMember>,
    ) -> Result<AnnualList, Status> {
        let request = CreateAnnualListRequest {
            parent: "portfolios/wsc".into(),
            annual_list_id: year.into(),
            annual_list: Some(AnnualList { members, ..AnnualList::default() }),
            ..CreateAnnualListRequest::default()
        };
        Ok(self.annual_lists().create_annual_list(request).await?.into_inner().annual_list.unwrap())
    }
}

pub(crate) fn member(id: &str, listing: project::Listing) -> AnnualListMember {
    AnnualListMember { project: project_name(id), listing: listing.into() }
}

pub(crate) fn list_name(year: &str) -> String {
    format!("portfolios/wsc/annualLists/{year}")
}

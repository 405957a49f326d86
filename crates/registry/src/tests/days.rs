//! Which day it is in a portfolio: one answer, which every rule goes by and the portfolio tells.

use jiff::SignedDuration;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;

use super::office::{Office, named, portfolio};

const fn day(day: i32) -> Option<Date> {
    Some(Date { year: 2021, month: 5, day })
}

async fn shown(office: &Office) -> Option<Date> {
    let get = GetPortfolioRequest { name: "portfolios/wsc".into(), ..GetPortfolioRequest::default() };
    let got = office.portfolios().get_portfolio(get).await.unwrap().into_inner().portfolio.unwrap();
    let listed = office.portfolios().list_portfolios(ListPortfoliosRequest::default()).await.unwrap();
    assert_eq!(listed.into_inner().portfolios, std::slice::from_ref(&got));
    got.current_date
}

async fn move_to(office: &Office, time_zone: &str) -> Portfolio {
    let portfolio =
        Portfolio { name: "portfolios/wsc".into(), time_zone: time_zone.into(), ..Portfolio::default() };
    let update = UpdatePortfolioRequest { portfolio: Some(portfolio), ..UpdatePortfolioRequest::default() };
    office.portfolios().update_portfolio(update).await.unwrap().into_inner().portfolio.unwrap()
}

#[tokio::test]
async fn a_day_does_not_come_back_when_the_time_zone_moves_west() {
    let office = Office::with_portfolio().await;
    // In Chongqing it is the 28th, in New York still the 27th.
    office.clock.advance(SignedDuration::from_hours(13));
    assert_eq!(shown(&office).await, day(28));
    assert_eq!(move_to(&office, "America/New_York").await.current_date, day(28));
    assert_eq!(shown(&office).await, day(28));

    // What is not in the future for the portfolio is not for its projects either, and today is the same day.
    office.project("a", named("a")).await;
    let started = office.start("a").await.unwrap();
    assert_eq!(started.actual_period.and_then(|period| period.start_date), day(28));

    office.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(shown(&office).await, day(28), "it is the 28th in New York, too");
    office.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(shown(&office).await, day(29));
    // A clock that goes back does not take back a day that something was written on.
    assert_eq!(move_to(&office, "Asia/Shanghai").await.current_date, day(30));
    office.clock.advance(SignedDuration::from_hours(-24));
    assert_eq!(shown(&office).await, day(30));
}

#[tokio::test]
async fn a_portfolio_that_nothing_changes_says_which_day_it_is_now() {
    let office = Office::with_portfolio().await;
    office.clock.advance(SignedDuration::from_hours(48));
    let changed = move_to(&office, &portfolio().time_zone).await;
    assert_eq!((changed.current_date, changed.etag.as_str()), (day(29), "1"));
}

#[tokio::test]
async fn today_in_a_filter_is_the_current_date_of_each_rows_portfolio() {
    let office = Office::with_portfolio().await;
    let abroad = CreatePortfolioRequest {
        portfolio_id: "abroad".into(),
        portfolio: Some(Portfolio { time_zone: "America/New_York".into(), ..portfolio() }),
        ..CreatePortfolioRequest::default()
    };
    office.portfolios().create_portfolio(abroad).await.unwrap();
    office.organization("cqu").await;
    // In Chongqing it is the 28th, in New York and in UTC still the 27th.
    office.clock.advance(SignedDuration::from_hours(13));
    for portfolio in ["wsc", "abroad"] {
        for (id, day) in [("a", 27), ("b", 28), ("c", 29)] {
            let date = Some(Date { year: 2021, month: 5, day });
            let project =
                Project { planned_period: Some(Period { start_date: date, end_date: None }), ..named(id) };
            let create = CreateProjectRequest {
                parent: format!("portfolios/{portfolio}"),
                project_id: id.into(),
                project: Some(project),
                ..CreateProjectRequest::default()
            };
            office.projects().create_project(create).await.unwrap();
        }
    }
    let listed = async |filter: &str| {
        let request = ListProjectsRequest {
            parent: "portfolios/-".into(),
            filter: filter.into(),
            ..ListProjectsRequest::default()
        };
        let projects = office.projects().list_projects(request).await.unwrap().into_inner().projects;
        projects
            .iter()
            .map(|project| project.name.replace("portfolios/", "").replace("/projects/", " "))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("planned_period.start_date = today()").await, ["abroad a", "wsc b"]);
    assert_eq!(listed("planned_period.start_date = days(1)").await, ["abroad b", "wsc c"]);
    assert_eq!(
        listed("planned_period.start_date < today() OR display_name = c").await,
        ["abroad c", "wsc a", "wsc c"]
    );
    assert_eq!(listed("create_time = today()").await.len(), 6);
    let listed = async |filter: &str| {
        let request = ListPortfoliosRequest { filter: filter.into(), ..ListPortfoliosRequest::default() };
        office.portfolios().list_portfolios(request).await.unwrap().into_inner().portfolios.len()
    };
    // Both were created on the 27th: today there, and here yesterday.
    assert_eq!(listed("create_time = today()").await, 1);
    assert_eq!(listed("create_time = (today() OR days(-1))").await, 2);
    let request = ListOrganizationsRequest { filter: "create_time = today()".into(), ..Default::default() };
    let organizations = office.organizations().list_organizations(request.clone()).await.unwrap();
    assert_eq!(organizations.into_inner().organizations.len(), 1);
    office.clock.advance(SignedDuration::from_hours(24));
    let organizations = office.organizations().list_organizations(request).await.unwrap();
    assert_eq!(organizations.into_inner().organizations.len(), 0);
}

//! Which day it is in a portfolio: one answer, which every rule goes by and the portfolio tells.

use jiff::SignedDuration;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;

use super::office::{Office, named, portfolio};

const fn day(day: i32) -> Option<Date> {
    Some(Date { year: 2021, month: 5, day })
}

async fn told(office: &Office) -> Option<Date> {
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
    assert_eq!(told(&office).await, day(28));
    assert_eq!(move_to(&office, "America/New_York").await.current_date, day(28));
    assert_eq!(told(&office).await, day(28));

    // What is not in the future for the portfolio is not for its projects either, and today is the same day.
    office.project("a", named("a")).await;
    let started = office.start("a").await.unwrap();
    assert_eq!(started.actual_period.and_then(|period| period.start_date), day(28));

    office.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(told(&office).await, day(28), "it is the 28th in New York, too");
    office.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(told(&office).await, day(29));
    // A clock that goes back does not take back a day that something was written on.
    assert_eq!(move_to(&office, "Asia/Shanghai").await.current_date, day(30));
    office.clock.advance(SignedDuration::from_hours(-24));
    assert_eq!(told(&office).await, day(30));
}

#[tokio::test]
async fn a_portfolio_that_nothing_changes_says_which_day_it_is_now() {
    let office = Office::with_portfolio().await;
    office.clock.advance(SignedDuration::from_hours(48));
    let changed = move_to(&office, &portfolio().time_zone).await;
    assert_eq!((changed.current_date, changed.etag.as_str()), (day(29), "1"));
}

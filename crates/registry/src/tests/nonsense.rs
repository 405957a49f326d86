//! Nonsense at the API is refused by its name, and changes nothing.

use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use tonic::{Code, Status};

use super::office::{
    Office, batch, cny, create_batch, create_project, faults, named, portfolio, project_name, refusal,
};

async fn refused(office: &Office, project: Project) -> Vec<(String, String)> {
    let sequence = office.sequence();
    let status = office.try_project("nonsense", project).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FIELDS".into()), "{status:?}");
    assert_eq!(office.sequence(), sequence);
    faults(&status)
}

fn fault(field: &str, reason: &str) -> (String, String) {
    (format!("project.{field}"), reason.to_owned())
}

#[tokio::test]
async fn names_that_are_none_are_refused_everywhere() {
    let office = Office::with_portfolio().await;
    let long = format!("portfolios/wsc/projects/{}", "x".repeat(10 << 20));
    for name in [
        "",
        "x",
        "projects/x",
        "portfolios/wsc/projects/",
        "portfolios/wsc/projects/-",
        "portfolios/wsc/projects/X",
        "/portfolios/wsc/projects/x",
        &long,
    ] {
        let name = name.to_owned();
        let get = GetProjectRequest { name: name.clone(), ..GetProjectRequest::default() };
        let status =
            office.projects().max_encoding_message_size(64 << 20).get_project(get).await.unwrap_err();
        assert!(status.message().len() < 1000);
        // A message as large as that is refused before it is read.
        if name.len() < 1000 {
            assert_eq!(faults(&status)[0].0, "name", "{status:?}");
        }
        let start = StartProjectRequest { name, ..StartProjectRequest::default() };
        assert!(office.projects().start_project(start).await.is_err());
    }
    let get = GetPortfolioRequest { name: "portfolios/-".into(), ..GetPortfolioRequest::default() };
    assert_eq!(faults(&office.portfolios().get_portfolio(get).await.unwrap_err())[0].0, "name");
}

#[tokio::test]
async fn what_depends_on_a_faulty_field_is_not_at_fault_for_it() {
    let office = Office::with_portfolio().await;
    let amount = |currency: &str| Some(Money { currency_code: currency.into(), units: 1, nanos: 0 });
    let item = InvestmentItem { category: "land".into(), amount: amount("USD") };
    let wrong = Project { investment: amount("usd"), breakdown: vec![item.clone()], ..named("x") };
    assert_eq!(refused(&office, wrong).await, [fault("investment.currency_code", "INVALID_CURRENCY")]);
    let other = Project { investment: amount("CNY"), breakdown: vec![item], ..named("x") };
    assert_eq!(
        refused(&office, other).await,
        [fault("breakdown[0].amount.currency_code", "MIXED_CURRENCIES")]
    );
}

#[tokio::test]
async fn what_depends_on_a_faulty_field_of_an_update_is_not_judged_by_what_is_stored() {
    let office = Office::with_portfolio().await;
    let amount = |currency: &str, units| Some(Money { currency_code: currency.into(), units, nanos: 0 });
    office.project("road", Project { investment: amount("CNY", 5), ..named("road") }).await;
    let item = InvestmentItem { category: "land".into(), amount: amount("USD", 3) };
    let project = Project {
        name: project_name("road"),
        investment: amount("USD", -5),
        breakdown: vec![item],
        level: 99,
        ..Project::default()
    };
    let paths = ["investment", "breakdown", "level"].map(str::to_owned).to_vec();
    let update_mask = Some(prost_types::FieldMask { paths });
    let request = UpdateProjectRequest { project: Some(project), update_mask, ..Default::default() };
    let status = office.projects().update_project(request).await.unwrap_err();
    let fields: Vec<_> = faults(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["project.level", "project.investment"], "{status:?}");
}

#[tokio::test]
async fn days_that_never_were_are_refused() {
    let office = Office::with_portfolio().await;
    let period = |start: (i32, i32, i32), end: (i32, i32, i32)| {
        let date = |(year, month, day)| Some(Date { year, month, day });
        Some(Period { start_date: date(start), end_date: date(end) })
    };
    let planned = |period| Project { planned_period: period, ..named("x") };
    let faults = refused(&office, planned(period((2021, 2, 30), (2021, 0, 1)))).await;
    assert_eq!(
        faults,
        [
            fault("planned_period.start_date", "INVALID_DATE"),
            fault("planned_period.end_date", "PARTIAL_DATE")
        ]
    );
    let faults = refused(&office, planned(period((2021, 2, 3), (2021, 2, 2)))).await;
    assert_eq!(faults, [fault("planned_period", "INVALID_PERIOD")]);
    let faults = refused(&office, planned(period((i32::MAX, i32::MIN, -1), (10_000, 1, 1)))).await;
    assert_eq!(faults.len(), 2);
    let status = office.batches().create_batch(create_batch("b", batch(2021, 2, 29))).await.unwrap_err();
    assert_eq!(super::office::faults(&status), [("batch.start_date".into(), "INVALID_DATE".into())]);
    let completed =
        CompletedInvestment { period: Some(Period::default()), amount: Some(cny(1)), reported_date: None };
    let faults = refused(&office, Project { completed_investments: vec![completed], ..named("x") }).await;
    assert_eq!(
        faults,
        [
            fault("completed_investments[0].period.start_date", "REQUIRED"),
            fault("completed_investments[0].period.end_date", "REQUIRED")
        ]
    );
}

#[tokio::test]
async fn money_that_is_none_is_refused() {
    let office = Office::with_portfolio().await;
    let money = |code: &str, units, nanos| Some(Money { currency_code: code.into(), units, nanos });
    for (investment, field, reason) in [
        (money("", 1, 0), "investment.currency_code", "INVALID_CURRENCY"),
        (money("cny", 1, 0), "investment.currency_code", "INVALID_CURRENCY"),
        (money("RMB", 1, 0), "investment.currency_code", "INVALID_CURRENCY"),
        (money("XXQ", 1, 0), "investment.currency_code", "INVALID_CURRENCY"),
        (money("CNY", 1, 1_000_000_000), "investment", "INVALID_MONEY"),
        (money("CNY", 1, -1), "investment", "INVALID_MONEY"),
        (money("CNY", -1, 0), "investment", "NEGATIVE"),
        (money("CNY", 0, -1), "investment", "NEGATIVE"),
    ] {
        assert_eq!(refused(&office, Project { investment, ..named("x") }).await, [fault(field, reason)]);
    }
    let reporting_currency_code = "RMB".to_owned();
    let portfolio = Some(Portfolio { reporting_currency_code, ..super::office::portfolio() });
    let request = CreatePortfolioRequest { portfolio, ..CreatePortfolioRequest::default() };
    let status = office.portfolios().create_portfolio(request).await.unwrap_err();
    let faulty = ("portfolio.reporting_currency_code".into(), "INVALID_CURRENCY".into());
    assert_eq!(super::office::faults(&status), [faulty]);
    assert!(status.message().ends_with("give CNY"), "{status:?}");
    let item = |units| InvestmentItem { category: "c".into(), amount: Some(cny(units)) };
    let breakdown = vec![item(i64::MAX), item(1)];
    assert_eq!(
        refused(&office, Project { breakdown, ..named("x") }).await,
        [fault("breakdown", "MONEY_OVERFLOW")]
    );
}

/// office.md, section 0: texts of at most 4,096 characters.
#[tokio::test]
async fn every_faulty_field_of_a_project_is_told() {
    let office = Office::with_portfolio().await;
    let project = Project {
        translations: [("zh_CN".to_owned(), "x".to_owned())].into(),
        codes: vec![ProjectCode::default(); 21],
        level: 99,
        listing: -1,
        site: Some(Site {
            division_code: "5001".into(),
            latitude: Some(f64::NAN),
            longitude: Some(181.0),
            ..Site::default()
        }),
        purpose: "x".repeat(4097),
        annual_plans: vec![AnnualPlan { year: 1899, ..AnnualPlan::default() }],
        parties: vec![Party { organization: "cqu".into(), roles: vec![String::new(); 21] }],
        funding: vec![FundingSource { source: "\u{202e}".into(), ..FundingSource::default() }],
        parent_project: "whole".into(),
        labels: [("Key".to_owned(), " v".to_owned())].into(),
        ..named("x\ny")
    };
    let expected = [
        ("display_name", "INVALID_CHARACTER"),
        ("translations[\"zh_CN\"]", "INVALID_LANGUAGE_TAG"),
        ("codes", "TOO_MANY"),
        ("level", "UNKNOWN_ENUM_VALUE"),
        ("listing", "UNKNOWN_ENUM_VALUE"),
        ("site.division_code", "INVALID_DIVISION_CODE"),
        ("site.latitude", "OUT_OF_RANGE"),
        ("site.longitude", "OUT_OF_RANGE"),
        ("purpose", "TOO_LONG"),
        ("funding[0].source", "INVALID_CHARACTER"),
        ("annual_plans[0].year", "OUT_OF_RANGE"),
        ("parties[0].organization", "INVALID_NAME"),
        ("parties[0].roles", "TOO_MANY"),
        ("parent_project", "INVALID_NAME"),
        ("labels[\"Key\"]", "INVALID_ID"),
        ("labels[\"Key\"]", "SURROUNDING_BLANK"),
    ];
    assert_eq!(refused(&office, project).await, expected.map(|(field, reason)| fault(field, reason)));
}

#[tokio::test]
async fn every_faulty_field_of_a_portfolio_is_told() {
    let office = Office::open().await;
    let day = |day| Date { year: 2021, month: 10, day };
    let calendar = WorkingCalendar {
        weekdays: vec![1, 8, 1],
        holidays: vec![day(1), day(1), day(32)],
        make_up_days: vec![day(1)],
    };
    let portfolio = Portfolio {
        time_zone: "Asia/Chongqing City".into(),
        reporting_currency_code: "yuan".into(),
        working_calendar: Some(calendar),
        ..portfolio()
    };
    let request = CreatePortfolioRequest { portfolio: Some(portfolio), ..CreatePortfolioRequest::default() };
    let status = office.portfolios().create_portfolio(request).await.unwrap_err();
    let expected = [
        ("time_zone", "INVALID_TIME_ZONE"),
        ("working_calendar.weekdays[1]", "OUT_OF_RANGE"),
        ("working_calendar.weekdays[2]", "DUPLICATE"),
        ("working_calendar.holidays[1]", "DUPLICATE"),
        ("working_calendar.holidays[2]", "INVALID_DATE"),
        ("working_calendar.make_up_days", "CONTRADICTION"),
        ("reporting_currency_code", "INVALID_CURRENCY"),
    ];
    let expected = expected.map(|(field, reason)| (format!("portfolio.{field}"), reason.to_owned()));
    assert_eq!(faults(&status), expected);
}

async fn list(office: &Office, request: ListProjectsRequest) -> Result<ListProjectsResponse, Status> {
    let parent = if request.parent.is_empty() { "portfolios/wsc".to_owned() } else { request.parent.clone() };
    let request = ListProjectsRequest { parent, ..request };
    office.projects().list_projects(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_page_token_is_good_for_its_request_only() {
    let office = Office::with_portfolio().await;
    for id in ["x", "y", "z"] {
        office.project(id, named(id)).await;
    }
    let first = ListProjectsRequest { page_size: 1, ..ListProjectsRequest::default() };
    let page_token = list(&office, first.clone()).await.unwrap().next_page_token;
    let next = ListProjectsRequest { page_token: page_token.clone(), page_size: 2, ..first.clone() };
    let rest = list(&office, next.clone()).await.unwrap();
    assert_eq!((rest.projects.len(), rest.next_page_token.as_str()), (2, ""));
    let others = [
        ListProjectsRequest { parent: "portfolios/-".into(), ..next.clone() },
        ListProjectsRequest { filter: "key = true".into(), ..next.clone() },
        ListProjectsRequest { order_by: "name desc".into(), ..next.clone() },
        ListProjectsRequest { show_deleted: true, ..next.clone() },
        ListProjectsRequest { page_token: format!("{page_token}x"), ..next.clone() },
        ListProjectsRequest { page_token: "x".repeat(1 << 20), ..next.clone() },
    ];
    for request in others {
        let status = list(&office, request).await.unwrap_err();
        assert_eq!(refusal(&status), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
    }
    // Another spelling of the same request is the same request.
    let spelled = ListProjectsRequest { order_by: " name  asc ".into(), ..next };
    assert_eq!(list(&office, spelled).await.unwrap().projects.len(), 2);
    let mut batches = office.batches();
    let request =
        ListBatchesRequest { parent: "portfolios/wsc".into(), page_token, ..ListBatchesRequest::default() };
    let status = batches.list_batches(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
}

#[tokio::test]
async fn lists_that_ask_for_nonsense_are_told_where() {
    let office = Office::with_portfolio().await;
    let bad = ListProjectsRequest {
        parent: "portfolios".into(),
        page_size: -1,
        order_by: "cost".into(),
        ..ListProjectsRequest::default()
    };
    let status = list(&office, bad).await.unwrap_err();
    let fields: Vec<_> = faults(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["parent", "page_size", "order_by"]);
    let two = ListProjectsRequest { order_by: "display_name, name".into(), ..ListProjectsRequest::default() };
    assert_eq!(faults(&list(&office, two).await.unwrap_err())[0].0, "order_by");
    for filter in ["status = DONE", "nome = 1", "key > true", "name =", "create_time = yesterday", "a OR b"] {
        let status = list(&office, ListProjectsRequest { filter: filter.into(), ..Default::default() })
            .await
            .unwrap_err();
        assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FILTER".into()), "{filter}");
    }
    let missing = ListProjectsRequest { parent: "portfolios/never".into(), ..ListProjectsRequest::default() };
    assert_eq!(list(&office, missing).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_day_is_over_when_it_is_over_in_the_portfolio() {
    let office = Office::with_portfolio().await;
    office.project("x", named("x")).await;
    let start = |day| StartProjectRequest {
        name: project_name("x"),
        start_date: Some(Date { year: 2021, month: 5, day }),
        validate_only: true,
        ..StartProjectRequest::default()
    };
    // Half past eleven at night in Chongqing, afternoon in Greenwich.
    office.clock.set("2021-05-27T15:30:00Z".parse().unwrap());
    assert!(office.projects().start_project(start(28)).await.is_err());
    office.clock.set("2021-05-27T16:30:00Z".parse().unwrap());
    office.projects().start_project(start(28)).await.unwrap();
    assert!(office.projects().start_project(start(29)).await.is_err());
    // A clock that was wrong for a while, and is right again, does not make tomorrow come.
    office.clock.set("2031-05-27T12:00:00Z".parse().unwrap());
    let request = create_project("y", named("y"));
    office.projects().create_project(request).await.unwrap();
    office.clock.set("2021-05-27T15:30:00Z".parse().unwrap());
    assert!(office.projects().start_project(start(28)).await.is_err());
    office.projects().start_project(start(27)).await.unwrap();
}

//! Reports: the rates of office.md, section 1, with its worked numbers, what is missing in them, and how projects are
//! counted.

use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::project::Listing;
use milepost_proto::registry::v1::query_statistics_request::TimeBasis;
use milepost_proto::registry::v1::*;
use milepost_types::limits;
use tonic::Code;

use super::office::{Office, cny, conditions, create_project, faults, named, project_name, refusal};
use super::reporting::*;

async fn create_all(office: &Office, projects: Vec<(String, Project)>) {
    for some in projects.chunks(300) {
        let requests = some.iter().map(|(id, project)| create_project(id, project.clone())).collect();
        let parent = "portfolios/wsc".to_owned();
        let request = BatchCreateProjectsRequest { parent, requests, ..Default::default() };
        office.projects().batch_create_projects(request).await.unwrap();
    }
}

fn months(count: i32, amount: impl Fn(i32) -> Money) -> Vec<CompletedInvestment> {
    let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = |month: i32| {
        let last = days[usize::try_from(month).unwrap() - 1];
        completed(&format!("2021-{month:02}-01"), &format!("2021-{month:02}-{last}"), amount(month), "")
    };
    (1..=count).map(month).collect()
}

fn by(time_basis: TimeBasis, request: QueryStatisticsRequest) -> QueryStatisticsRequest {
    QueryStatisticsRequest { time_basis: time_basis.into(), ..request }
}

#[tokio::test]
async fn scenario_1_is_exact_and_rounded_once_as_office_md_says() {
    let office = Office::at("2021-12-31").await;
    let reports = months(10, |month| if month == 10 { tenths(629 * 10 - 9 * 630) } else { tenths(630) });
    office.project("x", planned(tenths(6474), reports)).await;
    let total = office.total(on("2021-10-31")).await;
    assert_eq!(value(total.investment_rate.as_ref()), ("97.2", false), "629.0/647.4");
    let figure = total.investment_rate.unwrap();
    assert_eq!((&*figure.numerator, &*figure.denominator, figure.counted), ("62900000000", "64740000000", 1));
    // 97.2 − 83.3 would be 13.9.
    assert_eq!(value(total.ahead.as_ref()), ("13.8", false));
    assert_eq!(value(total.time_progress.as_ref()), ("83.3", false));
    assert_eq!(
        (total.planned_investment, total.completed_investment),
        (Some(tenths(6474)), Some(tenths(6290)))
    );

    let straddling = vec![
        completed("2021-01-01", "2021-10-14", tenths(6190), ""),
        completed("2021-10-15", "2021-11-15", tenths(100), ""),
    ];
    office.complete_with("x", straddling).await;
    let total = office.total(on("2021-10-31")).await;
    assert_eq!(value(total.investment_rate.as_ref()), ("95.6", true), "619.0/647.4");
    assert_eq!(missing(total.investment_rate.as_ref()), [("x", "STRADDLES")]);
    let (ahead, lower_bound) = value(total.ahead.as_ref());
    assert_eq!((ahead, lower_bound, total.ahead.as_ref().unwrap().missing_count), ("12.3", true, 1));
    // The period is whole by the day on which it ends.
    let total = office.total(on("2021-11-15")).await;
    assert_eq!(value(total.investment_rate.as_ref()), ("97.2", false));
}

#[tokio::test]
async fn what_was_started_of_what_was_to_start_is_80_8_percent_as_office_md_1_says() {
    let office = Office::at("2021-12-31").await;
    let start = |day: &str| Some(Period { start_date: Some(date(day)), end_date: None });
    let project = |i: i32| {
        let actual_period = match i {
            0..206 => start("2021-06-30"),
            206..230 => start("2021-11-01"),
            _ => None,
        };
        (format!("p{i}"), Project { listing: Listing::NewStart.into(), actual_period, ..named("项目") })
    };
    let mut projects: Vec<_> = (0..255).map(project).collect();
    projects.push(("other".into(), Project { actual_period: start("2021-01-01"), ..named("项目") }));
    create_all(&office, projects).await;
    let total = office.total(on("2021-10-31")).await;
    assert_eq!(value(total.start_rate.as_ref()), ("80.8", false), "206/255");
    let start = total.start_rate.as_ref().unwrap();
    assert_eq!((&*start.numerator, start.counted), ("206", 255));
    assert_eq!(
        value(total.completion_rate.as_ref()),
        ("-", false),
        "there is no list of what is to be completed"
    );
    // Of 207 that started, none is enrolled.
    assert_eq!(value(total.enrolment_rate.as_ref()), ("0.0", false));
    let enrolled = Project { enrolment_date: Some(date("2021-10-31")), ..Project::default() };
    for id in ["p0", "p1", "p250"] {
        office.update(id, enrolled.clone(), &["enrolment_date"]).await.unwrap();
    }
    let rate = office.total(on("2021-10-31")).await.enrolment_rate.unwrap();
    assert_eq!((&*rate.numerator, &*rate.denominator), ("2", "207"), "p250 did not start");
    assert_eq!(value(office.total(on("2021-10-30")).await.enrolment_rate.as_ref()), ("0.0", false));
}

#[tokio::test]
async fn a_plan_without_a_report_stays_in_the_denominator_as_office_md_1_says() {
    let office = Office::at("2021-12-31").await;
    let report = |amount| completed("2021-01-01", "2021-03-31", cny(amount), "");
    office.project("a", planned(cny(100), vec![report(50)])).await;
    office.project("b", planned(cny(100), Vec::new())).await;
    office.project("c", Project { completed_investments: vec![report(20)], ..named("项目") }).await;
    let total = office.total(on("2021-10-31")).await;
    assert_eq!(value(total.investment_rate.as_ref()), ("25.0", true), "50/200");
    assert_eq!(missing(total.investment_rate.as_ref()), [("b", "NOT_REPORTED")]);
    assert_eq!(total.investment_rate.unwrap().counted, 2);
    assert_eq!(total.unplanned_investment, Some(cny(20)));
    assert_eq!(value(total.funds_rate.as_ref()), ("-", false), "no funds are planned");
}

#[tokio::test]
async fn funds_are_those_that_were_received_of_those_that_are_planned() {
    let office = Office::at("2021-12-31").await;
    let with = |funds: Option<Money>, reports: Vec<ReceivedFunds>| Project {
        annual_plans: vec![AnnualPlan { year: 2021, funds, ..AnnualPlan::default() }],
        received_funds: reports,
        ..named("项目")
    };
    let report = |amount| vec![received("2021-01-01", "2021-03-31", cny(amount), "")];
    office.project("a", with(Some(cny(80)), report(60))).await;
    office.project("b", with(Some(cny(20)), Vec::new())).await;
    office.project("c", with(None, report(7))).await;
    let straddling = vec![received("2020-12-01", "2021-01-31", cny(5), "")];
    office.project("d", with(Some(cny(20)), straddling)).await;
    let total = office.total(on("2021-06-30")).await;
    assert_eq!(value(total.funds_rate.as_ref()), ("50.0", true), "60/120");
    assert_eq!(missing(total.funds_rate.as_ref()), [("b", "NOT_REPORTED"), ("d", "STRADDLES")]);
    let sums = (total.planned_funds, total.received_funds, total.unplanned_funds);
    assert_eq!(sums, (Some(cny(120)), Some(cny(60)), Some(cny(7))));
    assert_eq!(value(total.investment_rate.as_ref()), ("-", false));
}

#[tokio::test]
async fn what_ended_of_what_was_to_be_completed() {
    let office = Office::at("2021-12-31").await;
    let listed = |end: Option<&str>| Project {
        listing: Listing::Completed.into(),
        actual_period: Some(Period { start_date: Some(date("2020-01-01")), end_date: end.map(date) }),
        ..named("项目")
    };
    office.project("early", listed(Some("2021-03-31"))).await;
    office.project("late", listed(Some("2021-12-01"))).await;
    office.project("never", listed(None)).await;
    // It is built, and nobody knows since when.
    office.project("undated", Project { actual_period: None, ..listed(None) }).await;
    office.start("undated").await.unwrap();
    let request = CompleteProjectRequest { name: project_name("undated"), ..Default::default() };
    office.projects().complete_project(request).await.unwrap();
    office.update("undated", Project::default(), &["actual_period"]).await.unwrap();
    let total = office.total(on("2021-10-31")).await;
    assert_eq!(value(total.completion_rate.as_ref()), ("25.0", true), "1/4");
    assert_eq!(missing(total.completion_rate.as_ref()), [("undated", "NO_DATE")]);
    // Whether it started by the day is not known, so the share may be less as well.
    assert_eq!(value(total.enrolment_rate.as_ref()), ("0.0", false));
    assert_eq!(missing(total.enrolment_rate.as_ref()), [("undated", "NO_DATE")]);
}

#[tokio::test]
async fn bundles_are_counted_as_listed_or_as_split_444_and_569_as_office_md_1_says() {
    let office = Office::at("2021-12-31").await;
    // 444 on the list; 25 of them are bundles of 6 parts each: 444 − 25 + 25 × 6 = 569.
    let mut projects = Vec::new();
    for i in 0..444 {
        let project = Project { sector: "road".into(), ..planned(cny(10), Vec::new()) };
        projects.push((format!("p{i}"), project));
    }
    for i in 0..25 * 6 {
        let parent_project = project_name(&format!("p{}", i / 6));
        let project = Project { parent_project, sector: "bridge".into(), ..planned(cny(1), Vec::new()) };
        projects.push((format!("part{i}"), project));
    }
    create_all(&office, projects).await;
    let listed = office.total(on("2021-10-31")).await;
    assert_eq!((listed.listed_count, listed.split_count), (444, 569));
    assert_eq!(listed.planned_investment, Some(cny(4440)));
    let as_split = office.total(split("2021-10-31")).await;
    assert_eq!((as_split.listed_count, as_split.split_count), (444, 569));
    assert_eq!(as_split.planned_investment, Some(cny(4190 + 150)));
    // Among bridges alone, each part is listed by itself: its bundle is outside.
    let bridges = QueryStatisticsRequest { filter: "sector = bridge".into(), ..on("2021-10-31") };
    let bridges = office.total(bridges).await;
    assert_eq!((bridges.listed_count, bridges.split_count), (150, 150));
    let grouped = QueryStatisticsRequest { group_by: vec!["sector".into()], ..split("2021-10-31") };
    let grouped = office.report(grouped).await.unwrap();
    let counts = grouped.groups.iter().map(|group| {
        let statistics = group.statistics.as_ref().unwrap();
        (&*group.values[0], statistics.listed_count, statistics.split_count)
    });
    assert_eq!(counts.collect::<Vec<_>>(), [("bridge", 0, 150), ("road", 444, 419)]);
}

#[tokio::test]
async fn a_part_at_any_remove_is_a_part() {
    let office = Office::at("2021-12-31").await;
    office.project("whole", Project { sector: "s".into(), ..named("整体") }).await;
    let part = |of: &str| Project { parent_project: project_name(of), ..named("部分") };
    office.project("between", part("whole")).await;
    office.project("least", Project { sector: "s".into(), ..part("between") }).await;
    let request = QueryStatisticsRequest { filter: "sector = s".into(), ..on("2021-10-31") };
    let total = office.total(request).await;
    assert_eq!(
        (total.listed_count, total.split_count),
        (1, 1),
        "what lies between is left out by the filter"
    );
    let request = DeleteProjectRequest { name: project_name("least"), ..Default::default() };
    office.projects().delete_project(request).await.unwrap();
    let total = office.total(on("2021-10-31")).await;
    assert_eq!((total.listed_count, total.split_count), (1, 1), "what is deleted is not there");
}

#[tokio::test]
async fn the_list_of_the_year_says_what_projects_are_listed_as() {
    let office = Office::at("2021-12-31").await;
    let new = Project { listing: Listing::NewStart.into(), ..named("项目") };
    for id in ["x", "y", "z"] {
        office.project(id, new.clone()).await;
    }
    office.project("part", Project { parent_project: project_name("y"), ..named("部分") }).await;
    let start = async |request| office.total(request).await.start_rate.unwrap().counted;
    let report = office.report(on("2021-10-31")).await.unwrap();
    assert_eq!((report.annual_list.as_str(), start(on("2021-10-31")).await), ("", 3));
    let members = vec![
        member("x", Listing::Continued),
        member("y", Listing::NewStart),
        member("z", Listing::Unspecified),
    ];
    office.annual_list("2021", members).await.unwrap();
    let report = office.report(on("2021-10-31")).await.unwrap();
    assert_eq!(report.annual_list, list_name("2021"));
    assert_eq!(start(on("2021-10-31")).await, 2, "z as it says itself");
    assert_eq!(start(split("2021-10-31")).await, 2, "the part of y is listed as y is");
    assert_eq!(start(on("2020-10-31")).await, 3, "that year has no list");
    let grouped = QueryStatisticsRequest { group_by: vec!["listing".into()], ..split("2021-10-31") };
    let grouped = office.report(grouped).await.unwrap().groups;
    let groups: Vec<_> = grouped
        .iter()
        .map(|group| (&*group.values[0], group.statistics.as_ref().unwrap().split_count))
        .collect();
    assert_eq!(groups, [("LISTING_CONTINUED", 1), ("LISTING_NEW_START", 2)]);
    let request = DeleteAnnualListRequest { name: list_name("2021"), ..Default::default() };
    office.annual_lists().delete_annual_list(request).await.unwrap();
    assert_eq!(start(on("2021-10-31")).await, 3, "a list that is deleted says nothing");
}

#[tokio::test]
async fn other_currencies_are_missing_and_never_converted() {
    let office = Office::at("2021-12-31").await;
    let dollars = |units| Money { currency_code: "USD".into(), units, nanos: 0 };
    let report = |month: i32, amount| {
        completed(&format!("2021-{month:02}-01"), &format!("2021-{month:02}-28"), amount, "")
    };
    office.project("a", planned(cny(100), vec![report(1, cny(30)), report(2, dollars(5))])).await;
    office.project("b", planned(dollars(9), vec![report(1, cny(50))])).await;
    office.project("c", planned(cny(20), vec![report(3, dollars(1))])).await;
    let unplanned = vec![report(1, dollars(3)), report(2, cny(4))];
    office.project("d", Project { completed_investments: unplanned, ..named("项目") }).await;
    let total = office.total(on("2021-10-31")).await;
    assert_eq!(value(total.investment_rate.as_ref()), ("25.0", false), "30/120, and b could lower it");
    let found = ["a", "b", "c", "d"].map(|id| (id, "OTHER_CURRENCY"));
    assert_eq!(missing(total.investment_rate.as_ref()), found);
    assert_eq!(total.unplanned_investment, Some(cny(4)));
    // A plan in another currency alone leaves an exact rate of the others.
    let request =
        QueryStatisticsRequest { filter: format!("name = {:?}", project_name("b")), ..on("2021-10-31") };
    let total = office.total(request).await;
    assert_eq!(value(total.investment_rate.as_ref()), ("-", false));
    assert_eq!(missing(total.investment_rate.as_ref()), [("b", "OTHER_CURRENCY")]);
}

#[tokio::test]
async fn time_is_months_that_ended_or_days_that_passed_or_what_schedules_say() {
    let office = Office::at("2021-12-31").await;
    let step = |day: &str, amount| PlanStep { date: Some(date(day)), cumulative: Some(cny(amount)) };
    let with = |schedule| AnnualPlan { schedule, ..plan(cny(100)) };
    let reports = vec![completed("2021-01-01", "2021-06-30", cny(45), "")];
    let scheduled = Project {
        annual_plans: vec![with(vec![
            step("2021-03-31", 10),
            step("2021-06-30", 40),
            step("2021-12-31", 100),
        ])],
        completed_investments: reports.clone(),
        ..named("项目")
    };
    office.project("a", scheduled).await;
    let figures = async |request| {
        let total = office.total(request).await;
        let value =
            |figure: Option<milepost_proto::figure::v1::Figure>| figure.unwrap().value.unwrap_or_default();
        (value(total.time_progress), value(total.ahead))
    };
    let pair = |time: &str, ahead: &str| (time.to_owned(), ahead.to_owned());
    assert_eq!(figures(on("2021-07-30")).await, pair("50.0", "-5.0"));
    assert_eq!(figures(by(TimeBasis::Days, on("2021-06-30"))).await, pair("49.6", "-4.6"), "181/365");
    assert_eq!(figures(by(TimeBasis::Schedule, on("2021-07-30"))).await, pair("40.0", "5.0"));
    assert_eq!(figures(by(TimeBasis::Schedule, on("2021-06-29"))).await, pair("10.0", "-10.0"));
    assert_eq!(figures(by(TimeBasis::Schedule, on("2021-01-31"))).await, pair("0.0", "0.0"));
    // A plan without a schedule: how far it should have come is not known.
    office.project("b", planned(cny(100), reports)).await;
    let total = office.total(by(TimeBasis::Schedule, on("2021-07-30"))).await;
    assert_eq!(
        (value(total.time_progress.as_ref()), value(total.ahead.as_ref())),
        (("-", false), ("-", false))
    );
    assert_eq!(missing(total.time_progress.as_ref()), [("b", "NO_SCHEDULE")]);
    assert_eq!(value(total.investment_rate.as_ref()), ("45.0", false));
}

#[tokio::test]
async fn the_year_begins_on_its_first_day_and_ends_with_its_last() {
    let office = Office::at("2022-06-30").await;
    let reports = vec![
        completed("2020-12-01", "2020-12-31", cny(1), ""),
        completed("2021-01-01", "2021-01-31", cny(10), ""),
        completed("2021-12-01", "2021-12-31", cny(20), ""),
        completed("2022-01-01", "2022-01-31", cny(40), ""),
    ];
    office.project("x", planned(cny(100), reports)).await;
    let of = |year, day: &str| QueryStatisticsRequest { year, ..on(day) };
    let rate = async |request| {
        let total = office.total(request).await;
        let (investment, bound) = value(total.investment_rate.as_ref());
        (investment.to_owned(), bound, total.ahead.unwrap().value.unwrap_or_default())
    };
    assert_eq!(rate(of(2021, "2022-06-30")).await, ("30.0".into(), false, "-70.0".into()), "after the year");
    assert_eq!(rate(of(2021, "2021-12-31")).await, ("30.0".into(), false, "-70.0".into()));
    assert_eq!(
        rate(of(2021, "2021-12-30")).await,
        ("10.0".into(), true, "-81.7".into()),
        "December is not over"
    );
    assert_eq!(rate(of(2021, "2021-01-31")).await, ("10.0".into(), false, "1.7".into()));
    assert!(rate(of(2021, "2021-01-30")).await.1);
    // Before the year nothing has happened, and nothing can be missing.
    assert_eq!(rate(of(2021, "2020-12-31")).await, ("0.0".into(), false, "0.0".into()));
    let of_2020 = office.report(of(0, "2020-06-30")).await.unwrap();
    assert_eq!((of_2020.year, of_2020.date), (2020, Some(date("2020-06-30"))), "the year of the date");
    // A leap year has 366 days, and its February ends on the 29th.
    let leap = AnnualPlan { year: 2020, ..plan(cny(100)) };
    let project = Project { annual_plans: vec![leap], ..named("闰年") };
    office.project("leap", project).await;
    let leap = |day: &str, basis| QueryStatisticsRequest {
        filter: "display_name = 闰年".into(),
        ..by(basis, on(day))
    };
    let progress = async |request| office.total(request).await.time_progress.unwrap().numerator;
    assert_eq!(progress(leap("2020-02-28", TimeBasis::Months)).await, "1");
    assert_eq!(progress(leap("2020-02-29", TimeBasis::Months)).await, "2");
    assert_eq!(progress(leap("2020-12-31", TimeBasis::Days)).await, "366");
}

#[tokio::test]
async fn projects_are_grouped_by_fields_and_labels_and_each_is_counted_once_in_all() {
    let office = Office::at("2021-12-31").await;
    let with = |level: project::Level, owner: &str, key| Project {
        level: level.into(),
        key,
        labels: [("owner".to_owned(), owner.to_owned())].into(),
        ..planned(cny(10), vec![completed("2021-01-01", "2021-01-31", cny(5), "")])
    };
    office.project("a", with(project::Level::District, "一处", Some(true))).await;
    office.project("b", with(project::Level::District, "二处", Some(false))).await;
    office.project("c", with(project::Level::National, "一处", None)).await;
    office.project("d", named("无")).await;
    let group_by = vec!["level".to_owned(), "labels.owner".into(), "key".into()];
    let request = QueryStatisticsRequest { group_by: group_by.clone(), ..on("2021-10-31") };
    let report = office.report(request).await.unwrap();
    let groups: Vec<_> = report.groups.iter().map(|group| group.values.join("|")).collect();
    let expected = ["||", "LEVEL_DISTRICT|一处|true", "LEVEL_DISTRICT|二处|false", "LEVEL_NATIONAL|一处|"];
    assert_eq!((groups, report.group_by), (expected.map(str::to_owned).into(), group_by));
    let sums = report.groups.iter().map(|group| group.statistics.clone().unwrap().listed_count);
    assert_eq!((sums.sum::<i32>(), report.total.unwrap().listed_count), (4, 4));
    for (given, reason) in [
        (vec!["investment"], "UNKNOWN_FIELD"),
        (vec!["parties.organization"], "UNKNOWN_FIELD"),
        (vec!["labels.Owner"], "UNKNOWN_FIELD"),
        (vec!["create_time"], "UNKNOWN_FIELD"),
    ] {
        let group_by = given.iter().map(|path| (*path).to_owned()).collect();
        let request = QueryStatisticsRequest { group_by, ..on("2021-10-31") };
        let status = office.report(request).await.unwrap_err();
        assert_eq!(faults(&status), [("group_by[0]".into(), reason.into())], "{given:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_with_every_fault() {
    let office = Office::at("2021-12-31").await;
    let request = QueryStatisticsRequest {
        parent: "portfolios/-".into(),
        filter: "nome = x".into(),
        group_by: vec!["sector".into(), "sector".into()],
        year: 1899,
        date: Some(milepost_proto::google::r#type::Date { year: 2021, month: 2, day: 30 }),
        basis: 9,
        knowledge: 9,
        time_basis: -1,
        min_revisions: Vec::new(),
    };
    let found = faults(&office.report(request).await.unwrap_err());
    let expected = [
        ("parent", "INVALID_NAME"),
        ("group_by[1]", "DUPLICATE"),
        ("year", "OUT_OF_RANGE"),
        ("date", "INVALID_DATE"),
        ("basis", "UNKNOWN_ENUM_VALUE"),
        ("knowledge", "UNKNOWN_ENUM_VALUE"),
        ("time_basis", "UNKNOWN_ENUM_VALUE"),
        ("filter", "INVALID_FILTER"),
    ];
    assert_eq!(found.iter().map(|(field, reason)| (&**field, &**reason)).collect::<Vec<_>>(), expected);
    let request = QueryStatisticsRequest { filter: "nome = x".into(), ..on("2021-10-31") };
    let status = office.report(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FILTER".into()), "as lists refuse it");
    let many = vec!["sector".into(), "level".into(), "key".into(), "status".into()];
    let request = QueryStatisticsRequest { group_by: many, ..on("2021-10-31") };
    assert_eq!(faults(&office.report(request).await.unwrap_err()), [("group_by".into(), "TOO_MANY".into())]);
    let status = office.report(on("2022-01-01")).await.unwrap_err();
    assert_eq!(faults(&status), [("date".into(), "DATE_IN_FUTURE".into())]);
    let status = office.report(on("1899-12-31")).await.unwrap_err();
    assert_eq!(faults(&status), [("year".into(), "OUT_OF_RANGE".into())]);
    let request = QueryStatisticsRequest { parent: "portfolios/none".into(), ..on("2021-10-31") };
    let status = office.report(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::NotFound, "RESOURCE_NOT_FOUND".into()));
}

#[tokio::test]
async fn sums_that_cannot_be_held_are_refused() {
    let office = Office::at("2021-12-31").await;
    let most = Money { units: i64::MAX, ..cny(0) };
    for id in ["a", "b"] {
        office.project(id, planned(most.clone(), Vec::new())).await;
    }
    let overflow = [("MONEY_OVERFLOW".to_owned(), "portfolios/wsc".to_owned())];
    let status = office.report(on("2021-10-31")).await.unwrap_err();
    assert_eq!(refusal(&status).0, Code::FailedPrecondition);
    assert_eq!(conditions(&status), overflow);
    let request =
        QueryStatisticsRequest { filter: format!("name = {:?}", project_name("a")), ..on("2021-10-31") };
    assert_eq!(office.total(request).await.planned_investment, Some(most));
}

/// office.md, section 1, sums that overflow: completed investment, with a plan and without one, and received funds.
#[tokio::test]
async fn sums_of_completed_investment_and_of_funds_that_cannot_be_held_are_refused() {
    let most = || Money { units: i64::MAX, ..cny(0) };
    let reports = |amount| vec![completed("2021-01-01", "2021-01-31", amount, "")];
    let funds = |amount| vec![received("2021-01-01", "2021-01-31", amount, "")];
    let funded = |amount| Project {
        annual_plans: vec![AnnualPlan { funds: Some(cny(1)), ..plan(cny(1)) }],
        received_funds: funds(amount),
        ..named("项目")
    };
    let planned_funds = |amount| Project {
        annual_plans: vec![AnnualPlan { funds: Some(amount), ..plan(cny(1)) }],
        ..named("项目")
    };
    let unplanned = |amount| Project { completed_investments: reports(amount), ..named("项目") };
    let unplanned_funds = |amount| Project { received_funds: funds(amount), ..named("项目") };
    let overflow = [("MONEY_OVERFLOW".to_owned(), "portfolios/wsc".to_owned())];
    for (what, project) in [
        ("completed", &(|amount| planned(cny(1), reports(amount))) as &dyn Fn(Money) -> Project),
        ("completed without a plan", &unplanned),
        ("planned funds", &planned_funds),
        ("received", &funded),
        ("received without a plan", &unplanned_funds),
    ] {
        let office = Office::at("2021-12-31").await;
        office.project("a", project(most())).await;
        office.total(on("2021-10-31")).await;
        office.project("b", project(cny(1))).await;
        let status = office.report(on("2021-10-31")).await.unwrap_err();
        assert_eq!(conditions(&status), overflow, "{what}");
    }
}

#[tokio::test]
async fn groups_are_as_many_as_an_answer_holds_and_more_are_refused() {
    let office = Office::at("2021-12-31").await;
    let project = |i: usize, name: String| {
        (format!("p{i}"), Project { purpose: name.clone(), ..named(&format!("{i}")) })
    };
    let count = limits::REPORT_GROUPS;
    create_all(&office, (0..count).map(|i| project(i, "目的".repeat(2000))).collect()).await;
    let by = |path: &str| QueryStatisticsRequest { group_by: vec![path.into()], ..on("2021-10-31") };
    assert_eq!(office.report(by("display_name")).await.unwrap().groups.len(), count);
    create_all(&office, vec![project(count, String::new())]).await;
    let too_many = [("TOO_MANY_GROUPS".to_owned(), "portfolios/wsc".to_owned())];
    assert_eq!(conditions(&office.report(by("display_name")).await.unwrap_err()), too_many);
    let long = |i: usize| {
        (format!("p{i}"), Project { purpose: format!("{i}{}", "目的".repeat(2000)), ..named("x") })
    };
    create_all(&office, (2000..2900).map(long).collect()).await;
    assert_eq!(conditions(&office.report(by("purpose")).await.unwrap_err()), too_many);
}

#[tokio::test]
async fn many_projects_are_read_on_several_threads_and_come_to_the_same() {
    let office = Office::at("2021-12-31").await;
    let project = |i: usize| {
        let sector = if i.is_multiple_of(2) { "even" } else { "odd" };
        let reports = months(10, |_| cny(1));
        (format!("p{i:04}"), Project { sector: sector.into(), ..planned(cny(20), reports) })
    };
    create_all(&office, (0..2500).map(project).collect()).await;
    let total = office.total(on("2021-10-31")).await;
    assert_eq!(value(total.investment_rate.as_ref()), ("50.0", false));
    assert_eq!((total.listed_count, total.planned_investment), (2500, Some(cny(50_000))));
    let request = QueryStatisticsRequest { filter: "sector = odd".into(), ..on("2021-10-31") };
    assert_eq!(office.total(request).await.listed_count, 1250);
    // What is missing is named up to a limit, and counted.
    let none = Project { annual_plans: vec![plan(cny(1))], ..named("项目") };
    create_all(&office, (0..1100).map(|i| (format!("q{i}"), none.clone())).collect()).await;
    let rate = office.total(on("2021-10-31")).await.investment_rate.unwrap();
    assert_eq!((rate.missing.len(), rate.missing_count), (limits::MISSING_NAMED, 1100));
}

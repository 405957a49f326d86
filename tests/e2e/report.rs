//! The reference page of a portfolio, of a real server: on what the demo loaded, and on more than a page of projects.
//!
//! What it looks like is shown by the snapshots of its own tests; here it is read through the API.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use milepost_client::Client;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::campaign_criterion::Kind;
use milepost_proto::tracker::v1::{
    AdvanceDateRequest, Campaign, CampaignCriterion, CampaignMember, CreateCampaignRequest,
    OpenCampaignRequest,
};
use milepost_tests::cli::run_command;
use milepost_tests::command::{create_portfolio, create_project};
use milepost_tests::demo::{self, shell};
use milepost_tests::terminal::{self, Shown};
use milepost_tests::{Cluster, Role, past};
use milepost_types::{Clock, SystemClock};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_director_prints_what_the_demo_loaded() {
    let cluster = demo::start().await;
    let line = "milepost portfolio report western-science-city --language en --html report.html";
    let drawn = run_command(shell(&cluster, line)).await.succeeded().out;
    let page = std::fs::read_to_string(cluster.dir().join("report.html")).expect("a page");
    // What was declared and what is registered, what is not published, and the project that the city is known for.
    for part in ["Western (Chongqing) Science City", "79", "107", "not published", "2 without a figure"] {
        assert!(drawn.contains(part) && page.contains(part), "{part}\n{drawn}");
    }
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    assert!(!page.contains("<script") && !page.contains("src="), "{page}");

    let zh = "milepost portfolio report western-science-city --language zh-CN --date 2021-04-30 --html -";
    let page = run_command(shell(&cluster, zh)).await.succeeded().out;
    assert!(page.contains("<html lang=\"zh-CN\">") && page.contains("截至2021年4月30日"), "{page}");
    assert!(page.contains("<h1>西部(重庆)科学城</h1>") && page.contains("2021年4月15日"), "{page}");
    assert!(!page.contains("2021年5月27日"), "what started later is not in it: {page}");

    for columns in [40, 120] {
        let shown = terminal::run(shell(&cluster, line), columns, Shown::Output).await;
        assert_eq!(shown.code, Some(0), "{shown:?}");
        for line in shown.out.lines() {
            assert!(console::measure_text_width(line) <= columns.into(), "{columns}: {line}");
        }
        assert!(shown.out.contains('\u{1b}'), "a terminal shows colours");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_drawn_is_refused_in_words() {
    let cluster = demo::start().await;
    for (line, code, says) in [
        ("milepost portfolio report nowhere", 3, "nowhere"),
        ("milepost portfolio report western-science-city --date 2199-01-01", 2, "still to come"),
        ("milepost portfolio report western-science-city --format json", 2, "--html FILE"),
        (
            "milepost portfolio report western-science-city --html missing/report.html",
            1,
            "missing/report.html",
        ),
    ] {
        let run = run_command(shell(&cluster, line)).await.failed();
        assert_eq!(run.code, Some(code), "{line}: {run:?}");
        assert!(run.err.contains(says) && run.out.is_empty(), "{line}: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_projects_is_read() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    for batch in 0..3 {
        let request = |number: u32| registry::CreateProjectRequest {
            parent: "portfolios/p".to_owned(),
            project_id: format!("x{batch}-{number}"),
            project: Some(registry::Project { display_name: "项目".to_owned(), ..Default::default() }),
            ..Default::default()
        };
        let request = registry::BatchCreateProjectsRequest {
            parent: "portfolios/p".to_owned(),
            requests: (0..700).map(request).collect(),
            ..Default::default()
        };
        client.projects().batch_create_projects(request).await.expect("projects");
    }
    let drawn =
        run_command(shell(&cluster, "milepost portfolio report p --language en")).await.succeeded().out;
    assert!(drawn.contains("2,100 projects, 0 key projects"), "{drawn}");
}

/// The registry says which day the clock has, and the tracker as of which milestones and campaigns are: an earlier one just
/// after midnight, and until somebody confirms a date that is months ahead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_drawn_while_campaigns_stand_as_of_an_earlier_day_than_the_clock_has() {
    let mut cluster = Cluster::all(&[]);
    let now = SystemClock.now();
    let began = now - SignedDuration::from_hours(200 * 24);
    let first = began.to_zoned(TimeZone::get("Asia/Shanghai").expect("a zone")).date();
    past::write(&cluster.data(Role::All), began, async |client| {
        create_portfolio("p").once(client).await.expect("a portfolio");
        client.projects().create_project(create_project("p", "x")).await.expect("a project");
        let date =
            AdvanceDateRequest { portfolio: "portfolios/p".into(), date: day(first), ..Default::default() };
        client.milestones().advance_date(date).await.expect("its first day");
        campaign(client, "running", first).await;
        campaign(client, "coming", first.saturating_add(100.days())).await;
    })
    .await;
    cluster.start().await;
    let yesterday = first.saturating_add(199.days());
    for line in [
        "milepost portfolio report p --language en".to_owned(),
        format!("milepost portfolio report p --language en --date {yesterday}"),
    ] {
        let drawn = run_command(shell(&cluster, &line)).await.succeeded().out;
        let standings = format!("standings on {}", milepost_types::prose::date(first, "en"));
        assert!(drawn.contains("running") && drawn.contains(&standings), "{line}\n{drawn}");
        assert!(!drawn.contains("coming"), "{line}\n{drawn}");
    }
}

fn day(date: Date) -> Option<gtype::Date> {
    Some(gtype::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() })
}

/// A campaign of two hundred days that is open.
async fn campaign(client: &Client, id: &str, start: Date) {
    let criterion = CampaignCriterion {
        id: "safety".into(),
        kind: Kind::Safety.into(),
        weight_bp: 10_000,
        ..Default::default()
    };
    let member = CampaignMember { project: "portfolios/p/projects/x".into(), ..Default::default() };
    let campaign = CreateCampaignRequest {
        parent: "portfolios/p".into(),
        campaign_id: id.into(),
        campaign: Some(Campaign {
            display_name: id.into(),
            start_date: day(start),
            end_date: day(start.saturating_add(200.days())),
            members: vec![member],
            criteria: vec![criterion],
            ..Default::default()
        }),
        ..Default::default()
    };
    client.campaigns().create_campaign(campaign).await.expect("a campaign");
    let open = OpenCampaignRequest { name: format!("portfolios/p/campaigns/{id}"), ..Default::default() };
    client.campaigns().open_campaign(open).await.expect("it is open");
}

/// An office that keeps a list, a plan, a ring, indicators and their parts, and a timeline: what facts and figures there are is drawn, and
/// what is not there is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_rates_networks_indicators_and_the_timeline_are_read() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    let script = r#"
set -eu
milepost project create p avenue --display-name 科学大道 --listing new-start --key --from-file avenue.json
milepost project create p tunnel --display-name 科学城隧道 --listing new-start \
  --annual-plan 'year=2021; investment=CNY 100亿'
milepost project start p avenue --start-date 2021-03-01
milepost annual-list create p 2021 --from-file list.json
milepost annual-list add-members p 2021 --member avenue --member tunnel
milepost collection create p rings --display-name 两环 --from-file rings.json
milepost indicator create p incubators --display-name 孵化器 --kind stock --translation en=Incubators
milepost indicator create p national --display-name 国家级 --kind stock --part-of incubators
milepost indicator create p attracted --display-name 引进投资 --kind stock --unit CNY
milepost observation create p incubators a --period 2021-06-30..2021-06-30 --value 16 --source 管委会
milepost observation create p national a --period 2021-06-30..2021-06-30 --value 5 --source 管委会
milepost observation create p national b --period 2021-06-30..2021-06-30 --value 6 --source 年鉴
milepost timeline-entry create p start --date 2021-03-01 --kind milestone --headline 科学大道开工 \
  --language zh --translation 'en=Science Avenue starts' --figure 'label=投资; value=10000000000; unit=CNY; declared=true'
milepost timeline-entry publish p start
milepost observation create p attracted a --period 2021-06-30..2021-06-30 --value 177500000000 \
  --qualifier at-least --source 管委会
"#;
    let files = [
        (
            "avenue.json",
            r#"{"annual_plans": [{"year": 2021, "investment": "CNY 100亿"}], "completed_investments": [
                {"period": "2021-01-01..2021-06-30", "amount": "CNY 50亿"},
                {"period": "2021-07-01..2021-10-31", "amount": "CNY 10亿"}]}"#,
        ),
        (
            "list.json",
            r#"{"declared": [{"category": "all", "count": 343}, {"category": "key", "count": 169}]}"#,
        ),
        (
            "rings.json",
            r#"{"kind": "ring", "unit": "km", "declared": [{"group": "", "count": 2}], "elements": [
                {"id": "inner", "display_name": "内环", "planned_measure": "40", "contributions": [
                    {"project": "portfolios/p/projects/avenue", "measure": "30", "built_measure": "25"},
                    {"project": "portfolios/p/projects/tunnel", "measure": "10", "built_measure": "4"}]}]}"#,
        ),
    ];
    for (name, text) in files {
        std::fs::write(cluster.dir().join(name), text).expect("a file");
    }
    run_command(shell(&cluster, script)).await.succeeded();
    let line = "milepost portfolio report p --language en --date 2021-09-30 --html page.html";
    let drawn = run_command(shell(&cluster, line)).await.succeeded().out;
    let page = std::fs::read_to_string(cluster.dir().join("page.html")).expect("a page");
    for part in [
        // What was declared beside what is registered.
        "343",
        "169",
        // One of two new starts; 50 of 200, as one does not report and one period crosses the day (office.md, section 1).
        "50.0%",
        "1 of 2",
        "at least 25.0%",
        "not reported: 科学城隧道",
        "period crosses a bound, left out: 科学大道",
        // 29 of 40 km, of one ring of two that were declared (office.md, section 2).
        "72.5%",
        "registered 1, declared 2",
        "declared, not registered",
        // 16, and a part whose values contradict each other; over 1,775 亿.
        "Incubators",
        "of which",
        "contradicted, no current value",
        "values of one period differ",
        "年鉴",
        "over CNY 177.5 billion",
        // What readers see of the timeline, in the language of the page.
        "Science Avenue starts",
        "投资",
    ] {
        assert!(drawn.contains(part), "{part}\n{drawn}");
        assert!(page.contains(part), "{part}\n{page}");
    }
    // Of what is not kept a section says so, and nothing looks like zero.
    assert!(drawn.contains("There is no concentrated start.") && !drawn.contains("declared 0"), "{drawn}");
}

//! A policy that is replayed over five years of ten thousand projects, on a real server, while others write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::civil::Date;
use milepost_client::Client;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type::{self as gtype, Money};
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::warning_policy::Period;
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::{
    CreateMilestoneRequest, ListWarningsRequest, Milestone, ReplayWarningPolicyRequest,
    ReplayWarningPolicyResponse, WarningBand, WarningLight, WarningPolicy, WarningTest,
};
use milepost_tests::{Cluster, Role};
use prost::Message;

const PORTFOLIO: &str = "portfolios/p";
const PROJECTS: usize = 10_000;
const MONTHS: usize = 60;
const PAGE: usize = 1_000;
/// Bytes that a client takes in one answer, unless it says otherwise.
const ANSWER_BYTES: usize = 4 << 20;
/// By so much the server's memory may grow after the first page: what it keeps in its caches of rows.
const GROWTH_BYTES: u64 = 256 << 20;

/// office.md, section 4: a replay of at most 60 periods, paged by project, writes nothing. Its memory is that of a page, and it
/// holds up nobody who writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_years_of_ten_thousand_projects_are_replayed_page_by_page_while_others_write() {
    let mut cluster = Cluster::all(&[]);
    cluster.start().await;
    let client = cluster.client(2);
    create_projects(&client).await;
    // The tracker hears of the last project, and so of all.
    create_milestone(&client, PROJECTS - 1, 0).await;
    let (written, is_done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = tokio::spawn({
        let (client, written, is_done) = (client.clone(), Arc::clone(&written), Arc::clone(&is_done));
        async move {
            while !is_done.load(Ordering::Relaxed) {
                let number = 1 + written.load(Ordering::Relaxed);
                create_milestone(&client, 0, number).await;
                written.store(number, Ordering::Relaxed);
            }
        }
    });
    let pid = cluster.server(Role::All).pid();
    let (mut names, mut page_token, mut first_peak) = (BTreeSet::new(), String::new(), None);
    loop {
        let before = written.load(Ordering::Relaxed);
        let page = replay(&client, page_token).await;
        assert!(written.load(Ordering::Relaxed) > before, "somebody wrote meanwhile, and was answered");
        assert!(page.encoded_len() < ANSWER_BYTES, "{} bytes", page.encoded_len());
        check(&page);
        names.extend(page.projects.into_iter().map(|project| project.project));
        first_peak.get_or_insert_with(|| peak_bytes(pid));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let (first, last) = (first_peak.expect("a page"), peak_bytes(pid));
    assert!(last - first < GROWTH_BYTES, "from {first} to {last} bytes");
    is_done.store(true, Ordering::Relaxed);
    writer.await.expect("each was answered");
    assert_eq!(names.len(), PROJECTS, "each once");
    let all = ListWarningsRequest { parent: format!("{PORTFOLIO}/projects/-"), ..Default::default() };
    let warnings = client.warnings().list_warnings(all).await.expect("a list").into_inner().warnings;
    assert!(warnings.is_empty(), "a replay writes nothing");
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
}

/// A page has sixty lights of each of its projects: in a year in which a third is done, green at its beginning and red at its
/// end.
fn check(page: &ReplayWarningPolicyResponse) {
    let count = page.projects.len();
    assert_eq!((count, page.counts.len()), (PAGE, MONTHS));
    for project in &page.projects {
        let lights: Vec<_> = project.periods.iter().map(|period| period.light()).collect();
        let year = |year: usize| &lights[12 * year..12 * (year + 1)];
        assert_eq!((lights.len(), year(0)[0]), (MONTHS, WarningLight::Green), "{}", project.project);
        assert_eq!(year(0)[11], WarningLight::Red, "{}", project.project);
        assert!((1..5).all(|other| year(other) == year(0)), "{}: each year as the first", project.project);
    }
    for counts in &page.counts {
        let lights = counts.green_count + counts.yellow_count + counts.red_count + counts.no_light_count;
        assert_eq!(lights as usize, count, "{counts:?}");
    }
}

async fn replay(client: &Client, page_token: String) -> ReplayWarningPolicyResponse {
    let band = |light: WarningLight, low: &str, high: &str| WarningBand {
        light: light.into(),
        low: low.into(),
        low_inclusive: false,
        high: high.into(),
        high_inclusive: !high.is_empty(),
    };
    let bands = vec![
        band(WarningLight::Green, "", "10"),
        band(WarningLight::Yellow, "10", "30"),
        band(WarningLight::Red, "30", ""),
    ];
    let test =
        WarningTest { metric: Metric::Investment.into(), comparison: Comparison::PointGap.into(), bands };
    let policy = WarningPolicy {
        display_name: "进度".into(),
        period: Period::Month.into(),
        tests: vec![test],
        ..Default::default()
    };
    let request = ReplayWarningPolicyRequest {
        parent: PORTFOLIO.into(),
        warning_policy: Some(policy),
        from_date: day(2016, 1, 1),
        to_date: day(2020, 12, 31),
        knowledge: Knowledge::Then.into(),
        page_size: PAGE as i32,
        page_token,
        ..Default::default()
    };
    client.warning_policies().replay_warning_policy(request).await.expect("a page").into_inner()
}

/// Projects with a plan for each year, of which a third was completed in its first quarter.
async fn create_projects(client: &Client) {
    let portfolio = registry::CreatePortfolioRequest {
        portfolio_id: "p".into(),
        portfolio: Some(registry::Portfolio {
            display_name: "p".into(),
            time_zone: "Asia/Shanghai".into(),
            reporting_currency_code: "CNY".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    client.portfolios().create_portfolio(portfolio).await.expect("a portfolio");
    let money = |units| Some(Money { currency_code: "CNY".into(), units, nanos: 0 });
    let plan = |year| registry::AnnualPlan {
        year,
        investment: money(1_200),
        reported_date: day(year, 1, 1),
        ..Default::default()
    };
    let completed = |year| registry::CompletedInvestment {
        period: Some(registry::Period { start_date: day(year, 1, 1), end_date: day(year, 1, 31) }),
        amount: money(400),
        reported_date: day(year, 1, 31),
    };
    let request = |i: usize| registry::CreateProjectRequest {
        parent: PORTFOLIO.into(),
        project_id: format!("x{i:05}"),
        project: Some(registry::Project {
            display_name: format!("项目 {i}"),
            annual_plans: (2016..=2020).map(plan).collect(),
            completed_investments: (2016..=2020).map(completed).collect(),
            ..Default::default()
        }),
        ..Default::default()
    };
    for from in (0..PROJECTS).step_by(500) {
        let requests = (from..from + 500).map(request).collect();
        let batch =
            registry::BatchCreateProjectsRequest { parent: PORTFOLIO.into(), requests, ..Default::default() };
        client.projects().batch_create_projects(batch).await.expect("projects");
    }
}

async fn create_milestone(client: &Client, project: usize, number: u64) {
    let request = CreateMilestoneRequest {
        parent: format!("{PORTFOLIO}/projects/x{project:05}"),
        milestone_id: format!("m{number}"),
        milestone: Some(Milestone { display_name: "开工".into(), ..Default::default() }),
        ..Default::default()
    };
    client.milestones().create_milestone(request).await.expect("a milestone");
}

fn day(year: i32, month: i32, day: i32) -> Option<gtype::Date> {
    Date::new(year as i16, month as i8, day as i8).expect("a day");
    Some(gtype::Date { year, month, day })
}

/// The most memory that a process ever had.
fn peak_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

//! The data set through real services in this process: loaded once, delivered in order, drawn.
//!
//! Does not repeat what the services' own tests say of each call.

use std::path::Path;

use milepost_proto::event::v1::Event;
use milepost_proto::google::r#type::Date;
use milepost_proto::notifier::v1::ListEventsRequest;
use milepost_proto::registry::v1::{CreatePortfolioRequest, CreateProjectRequest, Portfolio, Project};
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_proto::tracker::v1::{
    ApplyTemplateRequest, CampaignStanding, GetCampaignStandingsRequest, ListRectificationOrdersRequest,
};

use super::*;

/// The words of the commands.
pub(crate) fn suggestions(endpoint: &str) -> Vec<Vec<String>> {
    // Every second part stands between quotes.
    let words = |(place, part): (usize, &str)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    };
    commands(endpoint).map(|line| line.split('\'').enumerate().flat_map(words).collect()).collect()
}

#[test]
fn the_suggestions_name_what_was_loaded() {
    let set = DataSet::western_science_city();
    let named = |word: &str| set.steps.iter().any(|step| step.name.ends_with(&format!("/{word}")));
    for words in suggestions(DEFAULT_ENDPOINT) {
        assert!(words[2..].iter().any(|word| named(word) || word == &set.portfolio.name), "{words:?}");
    }
    assert!(named("western-science-city") && named("ultra-transient-facility"));
    assert_eq!(suggestions(DEFAULT_ENDPOINT)[0][3..], ["--filter", "key = true"]);
}

#[test]
fn the_endpoint_is_named_unless_it_is_the_usual_one() {
    let text = |port: u16| {
        suggest(([127, 0, 0, 1], port).into(), Some(([127, 0, 0, 1], 7410).into()), Path::new("/tmp/x"), true)
    };
    assert!(!text(7400).contains("--endpoint"));
    assert!(text(41234).contains("--endpoint http://127.0.0.1:41234"));
    assert!(text(7400).contains("http://127.0.0.1:7410/metrics"));
}

#[test]
fn a_second_run_says_that_nothing_was_loaded() {
    let loaded = |made, present| Loaded { made, present, end: String::new() };
    assert_eq!(summary(&loaded(0, 42), 0), "Nothing was loaded: all 42 were there already.\n");
    assert!(summary(&loaded(42, 0), 47).starts_with("\n42 writes, 47 events delivered"));
    assert!(summary(&loaded(1, 41), 2).contains("41 were there already"));
}

#[test]
fn a_usual_port_that_is_taken_gives_way_and_one_that_was_asked_for_does_not() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    assert_eq!(address(None, port).port(), 0);
    assert_eq!(address(Some(port), port).port(), port);
    drop(taken);
}

async fn started(dir: &Path) -> (Running, Session) {
    let listen = ([127, 0, 0, 1], 0).into();
    let server = Server { data_dir: dir.to_owned(), listen, admin_listen: None, ..Server::default() };
    let running = Running::start(server).await.unwrap();
    let session = session(&format!("http://{}", running.grpc)).unwrap();
    (running, session)
}

/// Every event of the log, but for the days that passed: those depend on the clock.
async fn events(session: &Session) -> Vec<Event> {
    let request = ListEventsRequest { page_size: 1000, ..Default::default() };
    let mut events = session.client().events().list_events(request).await.unwrap().into_inner().events;
    events.retain(|event| event.r#type != "milepost.portfolio.date_advanced");
    events
}

/// Rank, project, total, what decided, and what is missing of the invented campaign.
const STANDINGS: [&str; 4] = [
    "1 science-valley 99.40",
    "2 pingshan-avenue 95.00 safety",
    "3 science-avenue 95.00",
    "- science-city-tunnel NO_INSPECTION",
];

async fn standings(session: &Session) -> Vec<String> {
    let name = "portfolios/western-science-city/campaigns/example-hundred-days".to_owned();
    let request = GetCampaignStandingsRequest { name, sign_off: 1, ..Default::default() };
    let answer = session.client().campaigns().get_campaign_standings(request).await.unwrap().into_inner();
    let found = answer.standings.unwrap();
    assert!(found.stored, "they are frozen");
    let line = |of: CampaignStanding| {
        let id = of.project.rsplit('/').next().unwrap();
        let figures = of.scores.iter().filter_map(|score| score.score.as_ref());
        let why = figures.flat_map(|figure| &figure.missing).map(|missing| missing.why.as_str());
        let words = [id, of.total.as_deref().unwrap_or_default(), &of.decided_by];
        let words = words.into_iter().chain(why).filter(|word| !word.is_empty());
        words.fold(of.rank.map_or("-".to_owned(), |rank| rank.to_string()), |line, word| line + " " + word)
    };
    found.standings.into_iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_loaded_once_and_effects_name_their_causes() {
    let set = DataSet::western_science_city();
    let dir = tempfile::tempdir().unwrap();
    let (running, session) = started(dir.path()).await;
    let loaded = load::load(&session, &set).await.unwrap();
    assert_eq!((loaded.made, loaded.present), (set.steps.len() as u64, 0));
    let first = events(&session).await;

    // Four projects were named in the batches: each start achieves its milestone. The other three are the round of 2020,
    // and land and certificate of the Science Valley.
    let caused: Vec<&Event> =
        first.iter().filter(|event| event.r#type == "milepost.milestone.achieved").collect();
    let by_start = caused.iter().filter(|event| !event.caused_by.is_empty()).count();
    assert_eq!((caused.len(), by_start), (7, 4));
    let count = |kind: &str| first.iter().filter(|event| event.r#type == kind).count();
    assert_eq!(count("milepost.coupling.achieved"), 1);
    // Two starts of September 2020 turn yellow, then red; that of April 2021 too; that of May yellow.
    assert_eq!((count("milepost.warning.raised"), count("milepost.warning.escalated")), (4, 3));
    for (place, event) in first.iter().enumerate().filter(|(_, event)| !event.caused_by.is_empty()) {
        let cause = first.iter().position(|cause| cause.event_id == event.caused_by);
        assert!(cause.is_some_and(|cause| cause < place), "{} stands before its cause", event.event_id);
    }
    // Orders of different lights, by different persons.
    let orders = ListRectificationOrdersRequest {
        parent: format!("{}/projects/-", set.portfolio.name),
        ..ListRectificationOrdersRequest::default()
    };
    let mut client = session.client().rectification_orders();
    let orders = client.list_rectification_orders(orders).await.unwrap().into_inner().rectification_orders;
    let lights: Vec<_> = orders.iter().map(|order| (order.state(), order.light())).collect();
    let expected =
        [(State::Issued, Light::Red), (State::Closed, Light::None), (State::Returned, Light::Yellow)];
    assert_eq!(lights, expected);
    assert_eq!(standings(&session).await, STANDINGS);
    let picture = picture::draw(&session, &set.portfolio.name, Some(80)).await.unwrap();
    assert!(picture.lines().all(|line| crate::output::width::columns(line) <= 80), "{picture}");
    for part in ["total not said", "CNY 130,000,000,000", "2 without a figure", "建成投用 (2023)", "坪山大道"]
    {
        assert!(picture.contains(part), "{part}\n{picture}");
    }
    running.shutdown().await.unwrap();

    let (running, session) = started(dir.path()).await;
    let again = load::load(&session, &set).await.unwrap();
    assert_eq!((again.made, again.present), (0, set.steps.len() as u64));
    assert_eq!(events(&session).await, first, "nothing happened twice, and nothing was lost");
    running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_has_all_of_it_by_the_end() {
    let set = DataSet::western_science_city();
    let dir = tempfile::tempdir().unwrap();
    let (running, session) = started(dir.path()).await;
    let options = WatchOptions { checkpoint_interval: Some(CHECKPOINT_INTERVAL), ..WatchOptions::default() };
    let watch = session.client().watch(Start::Earliest, Selection::default(), options);
    let mut story = Story::new(Some(80));
    let loaded = story.follow(watch, load::load(&session, &set)).await.unwrap();
    assert_eq!(loaded.made, set.steps.len() as u64);
    assert!(story.printed >= events(&session).await.len() as u64, "{}", story.printed);
    running.shutdown().await.unwrap();
}

/// Facts, practices: 三评合一 from 2020-07-01, 交地即领证 from 2021-02-03; each on its first day, and not on the day before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_template_is_applied_in_the_version_of_the_day_from_the_first_day_of_each_reform_on() {
    let dir = tempfile::tempdir().unwrap();
    let (running, session) = started(dir.path()).await;
    let set = DataSet::government_projects("portfolios/lj");
    let name = set.portfolio.name.clone();
    let request = CreatePortfolioRequest {
        portfolio_id: "lj".into(),
        portfolio: Some(Portfolio {
            display_name: "两江新区".into(),
            time_zone: "Asia/Shanghai".into(),
            reporting_currency_code: "CNY".into(),
            ..Portfolio::default()
        }),
        ..Default::default()
    };
    session.client().portfolios().create_portfolio(request).await.unwrap();
    load::load(&session, &set).await.unwrap();
    let project = Some(Project { display_name: "轨道15号线".into(), ..Project::default() });
    let request = CreateProjectRequest {
        parent: name.clone(),
        project_id: "line-15".into(),
        project,
        ..Default::default()
    };
    session.client().projects().create_project(request).await.unwrap();
    for ((year, month, day), version, ids) in [
        ((2020, 6, 30), "before-reforms", &["eia", "soil-water", "outfall"][..]),
        ((2020, 7, 1), "joint-review", &["joint-review"]),
        ((2021, 2, 2), "joint-review", &["joint-review"]),
        ((2021, 2, 3), "land-and-certificate", &["joint-review", "land-handover", "land-certificate"]),
    ] {
        let request = ApplyTemplateRequest {
            name: format!("{name}/templates/government-projects"),
            project: format!("{name}/projects/line-15"),
            application_date: Some(Date { year, month, day }),
            allow_undated: true,
            validate_only: true,
            ..Default::default()
        };
        let applied = session.client().templates().apply_template(request).await.unwrap().into_inner();
        let id = |name: &str| name.rsplit('/').next().unwrap().to_owned();
        assert_eq!(id(&applied.template_version), version, "{year}-{month}-{day}");
        // Before the reforms three are assessed each by itself; land and certificate are coupled by the second one.
        let reformed = applied.made.iter().filter(|made| match version {
            "land-and-certificate" => made.r#type == "assessment" || !made.coupling.is_empty(),
            _ => made.r#type == "assessment",
        });
        let reformed: Vec<_> = reformed.map(|made| id(&made.name)).collect();
        assert_eq!(reformed, ids, "{year}-{month}-{day}");
        assert_eq!(
            applied.made.iter().any(|made| !made.coupling.is_empty()),
            version == "land-and-certificate"
        );
    }
    running.shutdown().await.unwrap();
}

//! The reference page of a portfolio, of a real server: on what the demo loaded, and on more than a page of projects.
//!
//! What it looks like is shown by the snapshots of its own tests; here it is read through the API.

use milepost_proto::registry::v1 as registry;
use milepost_tests::Cluster;
use milepost_tests::cli::run_command;
use milepost_tests::command::create_portfolio;
use milepost_tests::demo::{self, shell};
use milepost_tests::terminal::{self, Shown};

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

//! What users read is true of what they have after `milepost demo`: README's commands, every example of the help, the
//! errors; and what they rely on when they pipe a watch into another program.

use std::process::Stdio;

use milepost_proto::registry::v1::ListProjectsRequest;
use milepost_tests::cli::{self, Run, run_command};
use milepost_tests::demo::{self, shell};
use milepost_tests::document::{self, blocks};
use milepost_tests::{Cluster, Role, binary, within};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

async fn run(cluster: &Cluster, script: &str) -> Run {
    run_command(shell(cluster, script)).await
}

/// Runs a command that a text shows: it succeeds, and answers something.
async fn shown_to_work(cluster: &Cluster, line: &str) -> String {
    let run = run(cluster, line).await;
    let says = !run.out.is_empty() || run.err.contains("nothing matches");
    assert!(run.code == Some(0) && says, "{line}\n{}{}", run.out, run.err);
    run.out
}

/// What commands of README show of the facts, by how their lines begin. Without a terminal, cells stand between tabs.
const FACTS: [(&str, &[&str]); 25] = [
    (
        "milepost project list western-science-city --filter",
        &["坪山大道\tPROPOSED\t", "科学城隧道\tPROPOSED\t", "as the day it started was not published"],
    ),
    (
        "milepost project get western-science-city ultra-transient-facility",
        &[
            "organizations/chongqing-university · roles lead",
            "two phases",
            "2023 · ",
            "first big-science facility",
        ],
    ),
    ("milepost project get western-science-city science-valley", &["2020-09-11"]),
    (
        "milepost batch list",
        &[
            "\t2020-04-03\t-\t-\t0\n",
            "\t2020-09-11\t79\tCNY 130,000,000,000\t2\n",
            "\t2021-04-15\t107\t-\t1\n",
            "\t2021-05-27\t8\tCNY 28,360,000,000\t1\n",
        ],
    ),
    ("milepost annual-list get", &["all · count 343", "key · count 169", "is PROPOSED here"]),
    ("milepost milestone get", &["The first project in Chongqing", "2021-02-03"]),
    ("milepost collection get", &["环线1 Ring 1", "环线2 Ring 2"]),
    (
        "milepost collection rollup",
        &[
            "\n六横 east–west\t6\t6\t0\t-\t-\t-\t6\n",
            "\n六纵 north–south\t6\t6\t0\t-\t-\t-\t6\n",
            "\nall\t-\t12\t0\t-\t-\t-\t12 NO_PLAN\n",
            "\new-6\tno\t-\t-\t六横 east–west\n",
        ],
    ),
    (
        "milepost indicator list",
        &[
            "市级以上研发机构\t278\t",
            "市级以上孵化器和众创空间\t16\t",
            "国家级孵化器和众创空间\t5\t",
            "高新技术企业\t195\t",
            "市级科技型企业\t876\t",
            "引进项目\t145\t",
            "引进项目总投资\t177500000000\t",
        ],
    ),
    ("milepost indicator series", &["\n2020-01-01 to 2021-06-30\t177,500,000,000\tAT_LEAST\t1\t"]),
    ("milepost observation list", &["177500000000\tAT_LEAST\t", "西部(重庆)科学城管理委员会"]),
    (
        "milepost policy-programme list",
        &[
            "金凤凰政策\tPUBLISHED\t-\t2021-03-05\t40",
            "市级下放行政权力\tDRAFT\t-\t-\t418",
            "十抓十促进\tDRAFT\t-\t-\t10",
        ],
    ),
    (
        "milepost policy-programme get golden-phoenix",
        &["talent · 人才", "innovation · 创新", "industry · 产业", "finance · 金融"],
    ),
    (
        "milepost policy-programme get two-lists",
        &["第一张清单 · en=First list · declared count 7", "第二张清单 · en=Second list · declared count 7"],
    ),
    ("milepost alliance get", &["joint organisation, shared resources, joint activities, shared training"]),
    ("milepost portfolio report", &["343", "169", "环线1 Ring 1", "六横 east–west", "1,775 亿元"]),
    ("milepost report statistics", &["projects as listed", "start rate"]),
    (
        "milepost policy match",
        &[
            "campus/grant\t",
            "企业: fails: org.kind == \"ENTERPRISE\"",
            "org.kind is UNIVERSITY",
            "百人以上: not known: num(org.attributes.employees) >= num(\"100\")",
            "to know, supply: org.attributes.employees",
        ],
    ),
    ("milepost milestone list western-science-city - --filter", &["2020-04-03", "built-and-in-use"]),
    (
        "milepost milestone list western-science-city science-valley",
        &["交地\tACHIEVED\t2021-02-03\n", "领证\tACHIEVED\t2021-02-03\n"],
    ),
    (
        "milepost milestone requirements",
        &[
            "CODE\tSATISFIED\tMILESTONE\tSATISFIED DATE\tVALID UNTIL\n",
            "eia\t-\t-\t-\t-\n",
            "land-certificate\tyes\t",
            "\t2021-02-03\t-\n",
        ],
    ),
    (
        "milepost campaign standings western-science-city example-hundred-days --sign-off 1",
        &[
            "\n1\tscience-valley\t99.40\t",
            "\n2\tpingshan-avenue\t95.00\t",
            "\tahead by safety\t",
            "\n3\tscience-avenue\t95.00\t",
            "\n-\tscience-city-tunnel\t-\t",
            "NO_INSPECTION\t",
        ],
    ),
    ("milepost campaign standings western-science-city example-hundred-days --date", &["NO_REPORT"]),
    (
        "milepost warning-policy replay",
        &[
            "\ncec-chongqing-software-park G  G  G  G  G  G  G  G  Y  R\n",
            "\nscience-avenue              -  Y  R  R  R  R  R  R  R  R\n",
            "\nscience-valley              -  Y  R  R  R  R  R  R  R  R\n",
            "\nultra-transient-facility    G  G  G  G  G  G  G  G  G  Y\n",
        ],
    ),
    ("milepost warning list", &["science-avenue/", "\t2020-10-31\tYELLOW\tYELLOW\t", "ENROLMENT_AGE"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_readme_run_as_written_and_its_filter_finds_something() {
    let cluster = demo::start().await;
    let blocks = blocks(&document::read("README.md"), "## Use it");
    let mut shown = Vec::new();
    for line in blocks.iter().flat_map(|block| block.lines()).filter(|line| line.starts_with("milepost ")) {
        shown.push((line, shown_to_work(&cluster, line).await));
    }
    assert!(shown.len() >= 40, "README shows {} commands", shown.len());
    for (start, facts) in FACTS {
        let (line, out) = shown.iter().find(|(line, _)| line.starts_with(start)).expect(start);
        for fact in facts {
            assert!(out.contains(fact), "{line} does not show {fact:?}:\n{out}");
        }
    }

    let call = blocks.iter().find(|block| block.contains("buf curl")).expect("a call by another tool");
    assert!(call.contains("/milepost.registry.v1.ProjectService/ListProjects"), "{call}");
    let body = call.split('\'').nth(1).expect("a body in quotes");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let text = |field: &str| body[field].as_str().expect("a text").to_owned();
    let request =
        ListProjectsRequest { parent: text("parent"), filter: text("filter"), ..Default::default() };
    let found = cluster.client(1).projects().list_projects(request).await.expect("an answer").into_inner();
    assert!(!found.projects.is_empty(), "the filter finds nothing: {call}");
}

/// The construction timeline of the facts, as the demo publishes it.
const CHINESE: &str = "\
2020-04-03  集中开工  2020年首批市级新项目在光大人工智能产业基地开工

2020-07-01  改革  推行“三评合一”

2020-09-11  集中开工  建设动员，科学大道、科学谷等重大项目集中开工
            项目：79 (据公布)
            总投资：1,300 亿元 (据公布)

2020-09-16  大事  国土空间规划发布

2020-11-18  政策  市级金融支持措施出台

2021-02-03  改革  推行“交地即领证”，科学谷为重庆首个项目

2021-02-05  大事  2021年工作会议召开，项目建设年启动

2021-03-05  政策  金凤凰政策发布：人才、创新、产业、金融

2021-04-15  集中开工  2021年重点项目与中电重庆软件园集中开工
            项目：107 (据公布)

2021-05-17  大事  党工委、管委会正式揭牌

2021-05-27  集中开工  超瞬态实验装置等项目集中开工
            项目：8 (据公布)
            总投资：283.6 亿元 (据公布)
";

const ENGLISH: &str = "\
2020-04-03  Concentrated start  First round of new municipal projects of 2020 starts at the Everbright Artificial Intelligence Industry Base

2020-07-01  Reform  Three reviews in one introduced

2020-09-11  Concentrated start  Mobilisation for construction; major projects start together, Science Avenue and Science Valley among them
            Projects: 79 (as announced)
            Total investment: CNY 130 billion (as announced)

2020-09-16  Event  Territorial spatial plan published

2020-11-18  Policy  Municipal measures for financial support issued

2021-02-03  Reform  Land certificate on the day of land handover introduced; Science Valley is the first project in Chongqing to have it

2021-02-05  Event  2021 work conference; the project construction year begins

2021-03-05  Policy  Golden Phoenix policies published: talent, innovation, industry, finance

2021-04-15  Concentrated start  Key projects of 2021 start together with CEC Chongqing Software Park
            Projects: 107 (as announced)

2021-05-17  Event  Working committee and administrative committee formally inaugurated

2021-05-27  Concentrated start  Ultra-transient Experimental Facility and other projects start together
            Projects: 8 (as announced)
            Total investment: CNY 28.36 billion (as announced)
";

/// office.md, section 8, acceptance, and scenario 6, on the demo: eleven entries, zh and en, no amount on 2021-04-15,
/// no figures on 2020-04-03; the rule of 2021-02-03 and the first project that had it are one entry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_timeline_of_the_demo_is_that_of_the_facts_in_both_languages() {
    let cluster = demo::start().await;
    let list = "milepost timeline list western-science-city";
    for (flags, expected) in [("", CHINESE), (" --language zh", CHINESE), (" --language en", ENGLISH)] {
        let shown = shown_to_work(&cluster, &format!("{list}{flags}")).await;
        assert_eq!(shown, expected);
        assert_eq!(shown.lines().filter(|line| line.starts_with("20")).count(), 11);
    }
    let items = shown_to_work(&cluster, &format!("{list} --language en --format json")).await;
    let items: Vec<Value> = items.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(items.iter().all(|item| item["headlineLanguage"] == "en"), "{items:?}");
    let kinds: Vec<_> = items.iter().map(|item| item["kind"].as_str().expect("a kind")).collect();
    let kinds: Vec<_> = kinds.iter().map(|kind| kind.trim_start_matches("KIND_")).collect();
    let expected = [
        "BATCH",
        "REFORM",
        "BATCH",
        "EDITORIAL",
        "POLICY",
        "REFORM",
        "EDITORIAL",
        "POLICY",
        "BATCH",
        "EDITORIAL",
        "BATCH",
    ];
    assert_eq!(kinds, expected);
    let subjects = items[5]["subjects"].as_array().expect("subjects");
    for subject in [
        "policyProgrammes/certificate-at-handover",
        "portfolios/western-science-city/projects/science-valley/milestones/land-certificate",
        "portfolios/western-science-city/projects/science-valley",
    ] {
        assert!(subjects.iter().any(|known| known == subject), "{subject}: {subjects:?}");
    }
}

/// The page for directors names rings and roads in both languages, and shows no ids of theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_the_demo_shows_names_and_no_ids() {
    let cluster = demo::start().await;
    for language in ["zh", "en"] {
        let report = "milepost portfolio report western-science-city --year 2021";
        shown_to_work(&cluster, &format!("{report} --language {language} --html page.html && echo written"))
            .await;
        let page = std::fs::read_to_string(cluster.dir().join("page.html")).expect("a page");
        for name in ["环线1 Ring 1", "横线6 East–west 6", "纵线1 North–south 1"] {
            assert!(page.contains(name), "{language}: {name}");
        }
        for id in ["ring-1", "ew-1", "ns-6", "east-west", "science-valley"] {
            assert!(!page.contains(id), "{language}: {id}");
        }
        let amount = if language == "zh" { "1,775 亿元" } else { "CNY 177.5 billion" };
        assert!(page.contains(amount), "{language}: {amount}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_for_operators_run_as_written_one_after_another() {
    let cluster = demo::start().await;
    let blocks = blocks(&document::read("README.md"), "## Operate it");
    let lines = blocks.iter().flat_map(|block| block.lines());
    for line in lines.clone() {
        if line.starts_with("milepost serve ") {
            starts_and_stops(&cluster, line).await;
        } else {
            shown_to_work(&cluster, line).await;
        }
    }
    assert!(lines.count() >= 7, "README shows too few commands");
}

#[test]
fn the_readme_says_what_every_crate_is_for() {
    let readme = document::read("README.md");
    for entry in std::fs::read_dir(binary::root().join("crates")).expect("the crates") {
        let name = entry.expect("a directory entry").file_name();
        let row = format!("\n| `crates/{}` |", name.to_string_lossy());
        assert!(readme.contains(&row), "README has no row for {name:?}");
    }
}

/// Runs a server until it is ready, and stops it in order. It takes ports that are free.
async fn starts_and_stops(cluster: &Cluster, line: &str) {
    let mut command = shell(cluster, &format!("exec {line}"));
    command.env("MILEPOST_LISTEN", "127.0.0.1:0").env("MILEPOST_ADMIN_LISTEN", "127.0.0.1:0");
    let mut server = command.stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("a shell");
    let mut log = BufReader::new(server.stderr.take().expect("it is piped")).lines();
    loop {
        let next =
            within(PATIENCE, format!("readiness of {line}"), log.next_line()).await.expect("it is read");
        if next.expect("it ended early").contains("ready=true") {
            break;
        }
    }
    let pid = server.id().expect("it runs");
    assert!(run(cluster, &format!("kill -TERM {pid}")).await.code == Some(0));
    let rest = tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    let status = within(PATIENCE, format!("the end of {line}"), server.wait()).await.expect("it ends");
    rest.await.expect("the log is read");
    assert!(status.success(), "{line}: {status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_in_the_repository_is_what_the_demo_draws_each_time() {
    let dir = tempfile::TempDir::with_prefix("milepost-demo-").expect("a directory");
    let kept = std::fs::read_to_string(binary::root().join("deploy/demo.svg")).expect("deploy/demo.svg");
    // The first run loads everything, the second one nothing.
    for run in ["first", "second"] {
        let drawn = dir.path().join(run);
        let mut command = Command::new(binary::milepost());
        command.args(["demo", "--exit", "--port", "0", "--admin-port", "0", "--svg"]).arg(&drawn);
        command.arg("--data").arg(dir.path().join("data")).env("COLUMNS", "60");
        run_command(command).await.succeeded();
        let drawn = std::fs::read_to_string(&drawn).expect("a picture");
        let renew = "cargo run -p milepost -- demo --exit --svg deploy/demo.svg";
        assert!(
            drawn == kept,
            "deploy/demo.svg is not what the {run} run drew; renew it with\n  {renew}\n{drawn}"
        );
    }
}

/// The help of a command and of all below it, each with the words that lead to it.
async fn helps() -> Vec<(String, String)> {
    let (mut found, mut left) = (Vec::new(), vec![String::new()]);
    while let Some(path) = left.pop() {
        let words = path.split_whitespace().chain(["--help"]);
        let help = cli::run(words).await.succeeded().out;
        if let Some((_, commands)) = help.split_once("\nCommands:\n") {
            let listed = commands.lines().take_while(|line| !line.is_empty());
            let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
            left.extend(
                names.filter_map(|line| line.split_whitespace().next()).map(|name| format!("{path} {name}")),
            );
        }
        found.push((path, help));
    }
    // Parents come before their children, and what is read before what is changed.
    found.sort();
    found
}

/// The examples of each command's help.
async fn examples() -> Vec<Vec<String>> {
    let examples = |help: String| -> Vec<String> {
        let lines = help.replace("\\\n", "");
        let lines = lines.lines().filter(|line| line.starts_with("  milepost "));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    helps().await.into_iter().map(|(_, help)| examples(help)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_of_the_help_runs_on_what_the_demo_loaded_whatever_ran_before() {
    let mut commands = examples().await;
    assert!(commands.concat().len() >= 50, "only {} examples were found", commands.concat().len());
    for _ in 0..2 {
        let cluster = demo::start().await;
        for line in commands.iter().flatten() {
            shown_to_work(&cluster, line).await;
        }
        commands.reverse();
    }
}

/// Reads this much of a watch's output, and then goes away.
async fn read_some(cluster: &Cluster, line: &str, enough: impl Fn(&[u8]) -> bool) -> (String, Run) {
    let mut command = shell(cluster, line);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("a shell");
    let mut out = child.stdout.take().expect("it is piped");
    let mut read = Vec::new();
    while !enough(&read) {
        let mut byte = [0];
        let length = within(PATIENCE, "output".to_owned(), out.read(&mut byte)).await.expect("it is read");
        assert_eq!(length, 1, "it ended early: {}", String::from_utf8_lossy(&read));
        read.extend(byte);
    }
    drop(out);
    let ended = within(PATIENCE, "the end".to_owned(), child.wait_with_output()).await.expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let run = Run { code: ended.status.code(), out: String::new(), err: text(&ended.stderr) };
    (text(&read), run)
}

fn event_id(line: &str) -> String {
    let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    event["eventId"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_whose_reader_goes_away_keeps_the_cursor_after_what_was_read_and_not_after_what_was_written()
{
    let cluster = demo::start().await;
    let all = run(&cluster, "milepost event list --format json --type 'milestone.*'").await.succeeded();
    let all: Vec<String> = all.out.lines().map(event_id).collect();
    assert!(all.len() > 5, "{all:?}");
    let watch = "milepost event watch --format json --type 'milestone.*' --cursor-file c";

    let first = run(&cluster, &format!("{watch} | head -1")).await.succeeded();
    let second = run(&cluster, &format!("{watch} | head -1")).await.succeeded();
    assert_eq!([event_id(first.out.trim()), event_id(second.out.trim())], all[..2]);
    for run in [&first, &second] {
        assert!(!run.err.contains("error") && !run.err.contains("pipe"), "{run:?}");
    }

    // A whole line and a part of the next: the next was not read.
    let (read, ended) = read_some(&cluster, watch, |read| {
        read.iter().position(|byte| *byte == b'\n').is_some_and(|end| read.len() > end + 20)
    })
    .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(event_id(read.lines().next().expect("a line")), all[2]);
    // Less than a line: nothing was read.
    let (_, ended) = read_some(&cluster, watch, |read| read.len() > 10).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rest = run(&cluster, &format!("{watch} --count {}", all.len() - 3)).await.succeeded();
    assert_eq!(rest.out.lines().map(event_id).collect::<Vec<_>>(), all[3..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_file_is_for_one_selection() {
    let cluster = demo::start().await;
    let watch = |flags: &str| format!("milepost event watch --cursor-file c --count 1 {flags}");
    run(&cluster, &watch("--type milestone.created")).await.succeeded();
    let refused = run(&cluster, &watch("--type project.created")).await.failed();
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{refused:?}");
    for part in ["--type milepost.milestone.created", "--type milepost.project.created", "--change-selection"]
    {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
    let changed = run(&cluster, &watch("--type milestone.achieved --change-selection")).await.succeeded();
    assert!(changed.out.contains("milestone.achieved"), "{changed:?}");
    run(&cluster, &watch("--type milestone.created")).await.failed();

    // A file of a version that kept no selection.
    let file = cluster.dir().join("c");
    let cursor = std::fs::read_to_string(&file).expect("a cursor file");
    let cursor = cursor.lines().next().expect("a cursor").to_owned();
    std::fs::write(&file, format!("{cursor}\n")).expect("it is written");
    let adopted = run(&cluster, &watch("--type milestone.achieved")).await.succeeded();
    assert!(adopted.err.contains("for which selection"), "{adopted:?}");
    run(&cluster, &watch("--type milestone.created")).await.failed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_local_and_show_their_offset_and_utc_where_it_is_asked_for() {
    let cluster = demo::start().await;
    let project = "milepost project get western-science-city science-avenue";
    let organization = "milepost organization get chongqing-university";
    let of_city = [
        project.to_owned(),
        "milepost portfolio list --columns name,update_time".to_owned(),
        "milepost event list --resource portfolios/western-science-city --limit 1".to_owned(),
        "milepost event watch --resource portfolios/western-science-city --count 1".to_owned(),
    ];
    let zoned = |line: &str| format!("TZ=America/New_York {line}");
    for line in &of_city {
        let local = run(&cluster, &zoned(line)).await.succeeded().out;
        assert!(local.contains("+08:00"), "{line}:\n{local}");
        let utc = run(&cluster, &zoned(&format!("{line} --utc"))).await.succeeded().out;
        assert!(!utc.contains("+08:00") && has_utc(&utc), "{line}:\n{utc}");
        let json = run(&cluster, &zoned(&format!("{line} --format json"))).await.succeeded().out;
        assert!(!json.contains("+08:00") && json.contains("Time\":"), "{line}:\n{json}");
    }
    let local = run(&cluster, &zoned(organization)).await.succeeded().out;
    assert!(local.contains("-05:00") || local.contains("-04:00"), "{local}");
    let milestone = "western-science-city ultra-transient-facility built-and-in-use";
    run(&cluster, &format!("milepost milestone reforecast {milestone} --forecast 2030-06-28"))
        .await
        .succeeded();
    let forecasts =
        run(&cluster, &zoned(&format!("milepost milestone forecasts {milestone}"))).await.succeeded();
    assert!(forecasts.out.contains("+08:00"), "{}", forecasts.out);
}

/// Whether a time in UTC is shown: `:05Z`.
fn has_utc(text: &str) -> bool {
    text.split_whitespace().any(|word| word.len() == 9 && word.ends_with('Z') && word.contains(':'))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_words() {
    let mut cluster = demo::start().await;
    let admin = format!("http://{}", cluster.server(Role::All).admin());
    let web = web_server().await;
    let avenue = "western-science-city science-avenue";
    for (line, code, says) in [
        (format!("milepost project prepare {avenue}"), 5, "is CONSTRUCTION; to prepare it must be PROPOSED"),
        (
            "milepost project list western-science-city --filter 'status = X'".to_owned(),
            4,
            "one of PROPOSED,",
        ),
        (format!("milepost portfolio list --timeout 1s --endpoint {admin}"), 6, "the connection was lost"),
        (format!("milepost portfolio list --timeout 1s --endpoint {web}"), 6, "no gRPC server"),
        (
            "milepost portfolio list --timeout 1s --endpoint http://nowhere.invalid:7400".to_owned(),
            6,
            "cannot be reached",
        ),
        (
            "milepost project create western-science-city x --from-file missing.json".to_owned(),
            2,
            "missing.json cannot be read",
        ),
        (
            "MILEPOST_ENDPIONT=http://a milepost portfolio list".to_owned(),
            64,
            "did you mean MILEPOST_ENDPOINT?",
        ),
        ("MILEPOST_LOG_FORMAT=json milepost serve all".to_owned(), 64, "did you mean MILEPOST_LOG__FORMAT?"),
        ("milepost serve all --config missing.toml".to_owned(), 64, "cannot read the file"),
    ] {
        let run = run(&cluster, &line).await.failed();
        assert_eq!(run.code, Some(code), "{line}: {run:?}");
        assert!(run.err.contains(says), "{line}: {says:?} is not said:\n{}", run.err);
        assert_plain(&line, &run.err);
    }
    // What the tracker says of an effect is words too; which event it came of stands in the event.
    let achieved =
        run(&cluster, &format!("milepost milestone get {avenue} construction-start")).await.succeeded();
    assert!(achieved.out.contains("the registry started the project on 2020-09-11"), "{}", achieved.out);

    let line = "milepost portfolio list --timeout 500ms".to_owned();
    let stopped = shell(&cluster, &line);
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    let run = run_command(stopped).await.failed();
    assert_eq!(run.code, Some(6), "{run:?}");
    assert!(run.err.contains("the connection was refused"), "{run:?}");
    assert_plain(&line, &run.err);
}

/// Something that answers a call, but not as a gRPC server does. Where the answer comes before the call is sent, the
/// client only knows that the connection was lost.
async fn web_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            while !has_call(&asked) && stream.read_buf(&mut asked).await.is_ok_and(|count| count > 0) {}
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    format!("http://{address}")
}

fn assert_plain(line: &str, text: &str) {
    for raw in ["os error", "STATUS_", "STATE_", "h2 ", "hyper", "transport error", "broken pipe"] {
        assert!(!text.contains(raw), "{line}: {raw:?} is shown:\n{text}");
    }
}

/// Whether a call has begun in what an HTTP/2 client sent: after the preface of 24 bytes, a frame of HEADERS.
fn has_call(sent: &[u8]) -> bool {
    let mut rest = sent.get(24..).unwrap_or_default();
    while let [a, b, c, kind, ..] = *rest {
        if kind == 1 {
            return true;
        }
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    false
}

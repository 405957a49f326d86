//! The public timeline through real servers and the command line: office.md, section 8 and its scenario 6.

use std::path::Path;

use milepost_tests::cli::{self, Run};
use milepost_tests::protected::Protected;
use milepost_tests::{Cluster, Role, store};
use serde_json::{Value, json};
use tempfile::TempDir;

const PORTFOLIO: &str = "portfolios/wsc";

/// A server, and files that the command line reads.
struct Office {
    cluster: Cluster,
    dir: TempDir,
}

impl Office {
    async fn start() -> Self {
        let mut cluster = Cluster::all(&[]);
        cluster.start().await;
        Self { cluster, dir: TempDir::with_prefix("milepost-timeline-").expect("a directory") }
    }

    /// Stops the server, makes every store anew of its journal, and starts it again.
    async fn rebuild(&mut self) {
        assert!(self.cluster.stop(Role::All).await.success(), "it stops in order");
        store::assert_equals_rebuild(&self.cluster.data(Role::All)).await;
        self.cluster.start().await;
    }

    /// Runs a command whose words hold no blanks.
    async fn does(&self, line: &str) -> Run {
        let endpoint = ["--endpoint".to_owned(), self.cluster.server(Role::All).url()];
        cli::run(endpoint.into_iter().chain(line.split_whitespace().map(str::to_owned))).await
    }

    /// The answer of a command, as JSON.
    async fn answer(&self, line: &str) -> Value {
        let run = self.does(&format!("{line} --format json")).await.succeeded();
        serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
    }

    /// Runs a command with a message of JSON from a file.
    async fn with(&self, line: &str, message: Value) -> Value {
        let file = self.dir.path().join("message.json");
        std::fs::write(&file, message.to_string()).expect("a file");
        self.answer(&format!("{line} --from-file {}", file.display())).await
    }

    /// What readers see in a language, once these revisions are there.
    async fn timeline(&self, language: &str, revision: &str) -> Vec<Value> {
        let wait = if revision.is_empty() { String::new() } else { format!("--min-revision {revision}") };
        let line = format!("timeline-entry timeline wsc --language {language} {wait} --format json");
        let run = self.does(&line).await.succeeded();
        run.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

fn date(text: &str) -> Value {
    let parts: Vec<u32> = text.split('-').map(|part| part.parse().expect("a number")).collect();
    json!({ "year": parts[0], "month": parts[1], "day": parts[2] })
}

/// The rules of the office, by their ids.
fn rules() -> [(&'static str, Value); 4] {
    let headline = |event_type: &str, filter: &str, kind: &str, key: &str| {
        json!({
            "displayName": kind, "eventType": event_type, "filter": filter, "kind": kind, "mergeKey": key,
            "headline": "{display_name}", "translations": { "en": "{display_name}" }, "autoPublish": true,
        })
    };
    let batches = json!({
        "displayName": "集中开工", "eventType": "milepost.batch.started", "kind": "KIND_BATCH", "autoPublish": true,
        "headline": "{display_name}[，{declared_count} 个项目][，总投资 {declared_investment}]",
        "translations": { "en": "{display_name}[: {declared_count} projects][, {declared_investment}]" },
        "figures": [
            { "label": "项目", "translations": { "en": "Projects" }, "field": "declared_count", "declared": true },
            {
                "label": "总投资", "translations": { "en": "Total investment" },
                "field": "declared_investment", "declared": true,
            },
        ],
    });
    // Base versions, the powers that were delegated and lists of measures have no such label, so they make none.
    let filter = "resource.labels.headline = yes";
    let reforms = headline("milepost.milestone.achieved", filter, "KIND_REFORM", "reform/{event_date}");
    let programmes = headline("milepost.policy_programme.published", filter, "KIND_POLICY", "");
    // What a batch starts makes none, and nothing starts by itself.
    let starts = headline("milepost.project.started", "", "KIND_MILESTONE", "");
    [("batches", batches), ("reforms", reforms), ("programmes", programmes), ("starts", starts)]
}

/// A batch: id, day, count, investment in yuan, names.
type BatchRow = (&'static str, &'static str, Option<u32>, Option<&'static str>, &'static str, &'static str);

/// The batches.
const BATCHES: [BatchRow; 4] = [
    (
        "b4",
        "2021-05-27",
        Some(8),
        Some("28360000000"),
        "超瞬态实验装置等集中开工",
        "Ultra-transient facility and others start",
    ),
    (
        "b1",
        "2020-04-03",
        None,
        None,
        "2020年首批市级新项目开工",
        "First round of new municipal projects starts",
    ),
    ("b3", "2021-04-15", Some(107), None, "2021年重点项目集中开工", "Key projects of 2021 start"),
    (
        "b2",
        "2020-09-11",
        Some(79),
        Some("130000000000"),
        "建设动员暨集中开工",
        "Mobilisation and concentrated start",
    ),
];

/// Milestones of reforms: project, id, whether readers hear of it, day, names.
type MilestoneRow = (&'static str, &'static str, bool, &'static str, &'static str, &'static str);

const MILESTONES: [MilestoneRow; 4] = [
    ("reforms", "joint-review", true, "2020-07-01", "三评合一实施", "Three assessments become one"),
    ("reforms", "land", true, "2021-02-03", "交地即领证实施", "Land certificate on handover"),
    (
        "science-valley",
        "land",
        true,
        "2021-02-03",
        "科学谷交地即领证",
        "Science Valley has its certificate on handover",
    ),
    ("reforms", "base", false, "2021-02-04", "基础版", "The base version"),
];

/// Programmes: id, whether readers hear of it, day, names.
type ProgrammeRow = (&'static str, bool, &'static str, &'static str, &'static str);

const PROGRAMMES: [ProgrammeRow; 4] = [
    ("finance", true, "2020-11-18", "金融支持措施印发", "Measures for financial support issued"),
    ("golden-phoenix", true, "2021-03-05", "金凤凰政策发布", "Golden Phoenix policies published"),
    ("powers", false, "2021-03-05", "下放权限清单", "The delegated powers"),
    ("lists", false, "2021-03-05", "双七正面清单", "Two lists of seven"),
];

/// Entries of editors: id, day, headlines.
type EditorialRow = (&'static str, &'static str, &'static str, &'static str);

const EDITORIALS: [EditorialRow; 3] = [
    ("plan", "2020-09-16", "国土空间规划公布", "Territorial spatial plan published"),
    ("conference", "2021-02-05", "2021年工作会召开", "Work conference of 2021"),
    ("committees", "2021-05-17", "党工委管委会揭牌", "Committees inaugurated"),
];

/// What is there before anything happens.
async fn found(office: &Office) {
    let portfolio = json!({
        "displayName": "西部（重庆）科学城", "translations": { "en": "Western (Chongqing) Science City" },
        "timeZone": "Asia/Shanghai", "reportingCurrencyCode": "CNY",
        "language": "zh-CN", "requiredLanguages": ["zh-CN", "en"],
    });
    office.with("portfolio create wsc", portfolio).await;
    for project in ["reforms", "science-valley", "facility"] {
        office.answer(&format!("project create wsc {project} --display-name {project}")).await;
    }
    let mut revision = String::new();
    for (id, rule) in rules() {
        let made = office.with(&format!("timeline-rule create wsc {id}"), rule).await;
        revision = made["revision"].as_str().expect("a revision").to_owned();
    }
    assert!(!revision.is_empty());
}

/// What happens: these batches, programmes, milestones and entries of editors.
async fn load(
    office: &Office,
    batches: &[BatchRow],
    programmes: &[ProgrammeRow],
    milestones: &[MilestoneRow],
    editorials: &[EditorialRow],
) {
    for (id, day, count, yuan, zh, en) in batches {
        let mut batch = json!({ "displayName": zh, "translations": { "en": en }, "startDate": date(day) });
        if let Some(count) = count {
            batch["declaredCount"] = json!(count);
        }
        if let Some(yuan) = yuan {
            batch["declaredInvestment"] = json!({ "currencyCode": "CNY", "units": yuan });
        }
        if *id == "b4" {
            batch["members"] = json!([format!("{PORTFOLIO}/projects/facility")]);
        }
        office.with(&format!("batch create wsc {id}"), batch).await;
        office.answer(&format!("batch start wsc {id}")).await;
    }
    let labels = |headline: bool| if headline { json!({ "headline": "yes" }) } else { json!({}) };
    for (id, headline, day, zh, en) in programmes {
        let labels = labels(*headline);
        let programme = json!({ "displayName": zh, "translations": { "en": en }, "labels": labels });
        office.with(&format!("policy-programme create {id}"), programme).await;
        office.answer(&format!("policy-programme publish {id} --publish-date {day}")).await;
    }
    for (project, id, headline, day, zh, en) in milestones {
        let milestone =
            json!({ "displayName": zh, "translations": { "en": en }, "labels": labels(*headline) });
        office.with(&format!("milestone create wsc {project} {id}"), milestone).await;
        office.answer(&format!("milestone achieve wsc {project} {id} --actual-date {day}")).await;
    }
    for (id, day, zh, en) in editorials {
        let entry = json!({
            "date": date(day), "kind": "KIND_EDITORIAL", "headline": zh, "translations": { "en": en },
        });
        office.with(&format!("timeline-entry create wsc {id}"), entry).await;
        office.answer(&format!("timeline-entry publish wsc {id}")).await;
    }
}

/// The day, the kind and the headline of each entry, in the order of the timeline.
fn told(items: &[Value]) -> Vec<String> {
    let told = |item: &Value| {
        let number = |part: &str| item["date"][part].as_i64().unwrap_or_default();
        let day = format!("{:04}-{:02}-{:02}", number("year"), number("month"), number("day"));
        let kind = item["kind"].as_str().unwrap_or_default().trim_start_matches("KIND_");
        format!("{day} {kind} {}", item["headline"].as_str().unwrap_or_default())
    };
    items.iter().map(told).collect()
}

const ENGLISH: [&str; 11] = [
    "2020-04-03 BATCH First round of new municipal projects starts",
    "2020-07-01 REFORM Three assessments become one",
    "2020-09-11 BATCH Mobilisation and concentrated start: 79 projects, CNY 130 billion",
    "2020-09-16 EDITORIAL Territorial spatial plan published",
    "2020-11-18 POLICY Measures for financial support issued",
    "2021-02-03 REFORM Land certificate on handover",
    "2021-02-05 EDITORIAL Work conference of 2021",
    "2021-03-05 POLICY Golden Phoenix policies published",
    "2021-04-15 BATCH Key projects of 2021 start: 107 projects",
    "2021-05-17 EDITORIAL Committees inaugurated",
    "2021-05-27 BATCH Ultra-transient facility and others start: 8 projects, CNY 28.36 billion",
];

const CHINESE: [&str; 11] = [
    "2020-04-03 BATCH 2020年首批市级新项目开工",
    "2020-07-01 REFORM 三评合一实施",
    "2020-09-11 BATCH 建设动员暨集中开工，79 个项目，总投资 1,300 亿元",
    "2020-09-16 EDITORIAL 国土空间规划公布",
    "2020-11-18 POLICY 金融支持措施印发",
    "2021-02-03 REFORM 交地即领证实施",
    "2021-02-05 EDITORIAL 2021年工作会召开",
    "2021-03-05 POLICY 金凤凰政策发布",
    "2021-04-15 BATCH 2021年重点项目集中开工，107 个项目",
    "2021-05-17 EDITORIAL 党工委管委会揭牌",
    "2021-05-27 BATCH 超瞬态实验装置等集中开工，8 个项目，总投资 283.6 亿元",
];

/// The entries that are there once everything was followed.
async fn settled(office: &Office) -> Vec<Value> {
    // The registry's last revision: what it said was followed then.
    let registry =
        office.answer("portfolio get wsc").await["revision"].as_str().expect("a revision").to_owned();
    office.timeline("en", &registry).await
}

fn uids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["uid"].as_str().expect("a uid").to_owned()).collect()
}

fn sequences(items: &[Value]) -> Vec<i64> {
    items.iter().map(|item| item["sequence"].as_i64().expect("a number")).collect()
}

/// The UID and the SEQUENCE of each event of the calendar, as they stand in it, sorted.
async fn calendar(office: &Office) -> (String, Vec<(String, i64)>) {
    let calendar = office.does("timeline export wsc --format icalendar").await.succeeded().out;
    let values = |name: &str| -> Vec<String> {
        calendar
            .lines()
            .filter_map(|line| line.strip_prefix(name))
            .map(|text| text.trim().to_owned())
            .collect()
    };
    let sequences = values("SEQUENCE:").into_iter().map(|text| text.parse::<i64>().expect("a number"));
    let mut events: Vec<_> = values("UID:").into_iter().zip(sequences).collect();
    events.sort();
    (calendar, events)
}

/// office.md, section 8, acceptance: the eleven entries; scenario 6: zh and en, withdraw one: ten; republish: eleven,
/// UIDs unchanged, SEQUENCE higher.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_eleven_entries_of_the_science_city_are_told_withdrawn_and_told_again() {
    let office = Office::start().await;
    found(&office).await;
    load(&office, &BATCHES, &PROGRAMMES, &MILESTONES, &EDITORIALS).await;
    let items = settled(&office).await;
    assert_eq!(told(&items), ENGLISH);
    let chinese = office.timeline("zh-CN", "").await;
    assert_eq!(told(&chinese), CHINESE);
    assert_eq!(chinese[10]["figures"][1]["displayValue"], "283.6 亿元");
    // No amount was said of 2021-04-15, and nothing at all of 2020-04-03.
    assert_eq!(chinese[8]["figures"].as_array().expect("figures").len(), 1);
    assert!(chinese[0].get("figures").is_none_or(|figures| figures == &json!([])));
    // The rule of the day, and the first project that had it.
    let subjects = items[5]["subjects"].as_array().expect("subjects");
    assert!(subjects.contains(&json!(format!("{PORTFOLIO}/projects/science-valley"))), "{subjects:?}");

    let plan = uids(&items)[3].clone();
    let (_, first) = calendar(&office).await;
    office.answer("timeline-entry withdraw wsc plan --reason 有误").await;
    let ten = office.timeline("en", "").await;
    assert_eq!(ten.len(), 10);
    let (said, withdrawn) = calendar(&office).await;
    assert_eq!(said.matches("BEGIN:VEVENT").count(), 11);
    assert_eq!(said.matches("STATUS:CANCELLED").count(), 1);
    office.answer("timeline-entry revise wsc plan").await;
    office.answer("timeline-entry publish wsc plan").await;
    let again = office.timeline("en", "").await;
    assert_eq!((told(&again), uids(&again)), (told(&items), uids(&items)));
    let (before, after) = (sequences(&items), sequences(&again));
    assert_eq!(after[3], before[3] + 2);
    assert_eq!(before.iter().sum::<i64>() + 2, after.iter().sum::<i64>());
    // The same in the calendar: eleven UIDs for ever, and of one of them another SEQUENCE each time.
    let (_, last) = calendar(&office).await;
    let mut own = uids(&items);
    own.sort();
    for (events, sequence) in [(first, 1), (withdrawn, 2), (last, 3)] {
        assert_eq!(events.iter().map(|(uid, _)| uid.clone()).collect::<Vec<_>>(), own);
        assert!(events.contains(&(plan.clone(), sequence)), "{events:?}");
    }

    exports(&office).await;
}

/// office.md, section 8, scenario 6, and the fault "a rebuild of every store in the middle of it".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_eleven_entries_stay_the_same_through_rebuilds_of_every_store_in_the_middle() {
    let mut office = Office::start().await;
    found(&office).await;
    let (batches, programmes) = (BATCHES.split_at(2), PROGRAMMES.split_at(2));
    let (milestones, editorials) = (MILESTONES.split_at(2), EDITORIALS.split_at(2));
    load(&office, batches.0, programmes.0, milestones.0, editorials.0).await;
    // Whether everything was followed by now or not.
    office.rebuild().await;
    // The second milestone of 2021-02-03 joins what the first one made.
    load(&office, batches.1, programmes.1, milestones.1, editorials.1).await;
    let items = settled(&office).await;
    assert_eq!(told(&items), ENGLISH);
    assert_eq!(told(&office.timeline("zh-CN", "").await), CHINESE);
    let subjects = items[5]["subjects"].as_array().expect("subjects");
    assert!(subjects.contains(&json!(format!("{PORTFOLIO}/projects/science-valley"))), "{subjects:?}");
    office.answer("timeline-entry withdraw wsc plan --reason 有误").await;
    office.rebuild().await;
    assert_eq!(office.timeline("en", "").await.len(), 10);
    office.answer("timeline-entry revise wsc plan").await;
    office.answer("timeline-entry publish wsc plan").await;
    let again = settled(&office).await;
    assert_eq!((told(&again), uids(&again)), (told(&items), uids(&items)));
    let mut expected = sequences(&items);
    expected[3] += 2;
    assert_eq!(sequences(&again), expected);
    office.rebuild().await;
    assert_eq!(settled(&office).await, again);
}

/// office.md, section 8: who may not publish has no rule publish either.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_publishes_takes_who_may_publish() {
    let office = Protected::start(&["ann", "bob"], &[]).await;
    office.portfolio("a").await;
    for (grant, who, role) in
        [("bob", "bob", "manager"), ("ann", "ann", "manager"), ("ann-publishes", "ann", "publisher")]
    {
        office.grant(&format!("grants/{grant}"), &format!("cert:urn:office:{who}"), role).await;
    }
    let rule = |auto_publish: bool| {
        json!({
            "displayName": "x", "eventType": "milepost.batch.started", "kind": "KIND_BATCH",
            "headline": "{display_name}", "autoPublish": auto_publish,
        })
    };
    let file = |name: &str, message: Value| {
        std::fs::write(office.path(name), message.to_string()).expect("a file");
        format!("--from-file {}", office.path(name))
    };
    let (drafts, publishes) = (file("drafts.json", rule(false)), file("publishes.json", rule(true)));
    let turned = file("turned.json", json!({ "autoPublish": true }));
    let denied = "permission publish denied";
    office.when_allowed("bob", &format!("timeline-rule create a drafts {drafts}")).await;
    office.refused("bob", &format!("timeline-rule create a publishes {publishes}"), denied).await;
    office.refused("bob", &format!("timeline-rule update a drafts {turned}"), denied).await;
    office.when_allowed("ann", &format!("timeline-rule create a publishes {publishes}")).await;
    office.refused("bob", "timeline-rule update a publishes --display-name y", denied).await;
    office.does("bob", "timeline-rule delete a publishes").await;
    office.refused("bob", "timeline-rule undelete a publishes", denied).await;
    office.does("ann", "timeline-rule undelete a publishes").await;
    office.does("ann", &format!("timeline-rule update a drafts {turned}")).await;
}

async fn exports(office: &Office) {
    let feed = office.does("timeline export wsc --format jsonfeed --language en").await.succeeded().out;
    let feed: Value = serde_json::from_str(&feed).expect("JSON");
    assert_eq!(feed["title"], "Western (Chongqing) Science City Timeline");
    assert_eq!(feed["items"].as_array().expect("items").len(), 11);
    let page: &Path = &office.dir.path().join("timeline.html");
    office.does(&format!("timeline export wsc --format html --output {}", page.display())).await.succeeded();
    let page = std::fs::read_to_string(page).expect("a page");
    assert_eq!(page.matches("<article>").count(), 11);
    assert!(page.contains("<html lang=\"zh-CN\">") && page.contains("1,300 亿元"));
    let list = office.does("timeline list wsc --language en").await.succeeded().out;
    let days: Vec<&str> =
        list.lines().filter(|line| line.starts_with("20")).map(|line| &line[..10]).collect();
    assert_eq!(days, ENGLISH.map(|entry| &entry[..10]));
    assert!(list.contains("Total investment: CNY 130 billion (as announced)"), "{list}");
    let page = office.does("timeline export wsc --format html --language EN").await.succeeded().out;
    assert!(
        page.contains("<html lang=\"en\">") && page.contains("<h1>Western (Chongqing) Science City</h1>")
    );
    assert!(!page.contains("lang=\"zh"), "{page}");
    let refused = office.does("timeline export wsc").await.failed();
    assert!(refused.err.contains("--format"), "{}", refused.err);
}

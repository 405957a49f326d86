//! What programs get: of every noun nothing but JSON on standard output and on standard error, with every
//! number of 64 bits as text; and lists as comma-separated values that lose nothing.

use std::time::Duration;

use milepost_tests::cli::{Run, assert_no_panic, run_command};
use milepost_tests::demo::{self, shell};
use milepost_tests::{Cluster, Role};
use milepost_types::{Clock, SystemClock};
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Deserializer, Value};

/// Numbers above this are not exact in every reader of JSON.
const EXACT: u64 = 1 << 53;

/// Keys of output that no schema describes, whose numbers have 64 bits.
const LONG: [&str; 6] = ["entries", "bytes", "segments", "rows", "offset", "units"];

const TITLE: &str = "双桥, \"一号\"";
const PURPOSE: &str = "过江, \"双线\"\n第二行";

/// Commands in order, the exit code of each, and the message that each value on standard output is.
const COMMANDS: [(&str, i32, &str); 102] = [
    ("portfolio list", 0, "registry.v1.Portfolio"),
    ("portfolio get CITY", 0, "registry.v1.GetPortfolioResponse"),
    ("portfolio create p --display-name 新城 --time-zone Asia/Shanghai --currency CNY", 0, ""),
    ("portfolio update p --description 说明", 0, "registry.v1.UpdatePortfolioResponse"),
    ("portfolio delete p", 0, "registry.v1.DeletePortfolioResponse"),
    ("portfolio undelete p", 0, "registry.v1.UndeletePortfolioResponse"),
    ("portfolio create p --display-name 新城 --time-zone Asia/Shanghai --currency CNY", 5, ""),
    ("organization list", 0, "registry.v1.Organization"),
    ("organization get chongqing-university", 0, "registry.v1.GetOrganizationResponse"),
    ("organization create o --display-name 设计院", 0, "registry.v1.CreateOrganizationResponse"),
    (
        "policy-programme create phoenix --display-name 金凤凰 --group 'code=talent; title=人才'",
        0,
        "registry.v1.CreatePolicyProgrammeResponse",
    ),
    ("policy-programme get phoenix", 0, "registry.v1.GetPolicyProgrammeResponse"),
    ("policy-programme publish phoenix", 0, "registry.v1.PublishPolicyProgrammeResponse"),
    (
        "policy create phoenix one --display-name 补助 --kind incentive --subject organization --condition \
         'id=kind; title=企业; expression=org.kind == \"ENTERPRISE\"'",
        0,
        "registry.v1.CreatePolicyResponse",
    ),
    ("policy create phoenix two --display-name 补助 --kind x --subject organization", 2, ""),
    ("policy publish phoenix one", 0, "registry.v1.PublishPolicyResponse"),
    ("policy match chongqing-university --explain", 0, "registry.v1.PolicyMatch"),
    ("policy batch-match phoenix", 0, "registry.v1.PolicyMatch"),
    ("policy list phoenix", 0, "registry.v1.Policy"),
    ("policy withdraw phoenix one --reason 到期", 0, "registry.v1.WithdrawPolicyResponse"),
    ("service-account create portal --display-name 门户", 0, "access.v1.CreateServiceAccountResponse"),
    ("service-account get portal", 0, "access.v1.GetServiceAccountResponse"),
    ("service-account list", 0, "access.v1.ServiceAccount"),
    ("service-account delete portal", 0, "access.v1.DeleteServiceAccountResponse"),
    ("service-account undelete portal", 0, "access.v1.UndeleteServiceAccountResponse"),
    (
        "grant create p viewer --grant-principal serviceaccount:portal --role viewer --reason 门户",
        0,
        "access.v1.CreateGrantResponse",
    ),
    ("grant get p viewer", 0, "access.v1.GetGrantResponse"),
    ("grant list p", 0, "access.v1.Grant"),
    ("grant delete p viewer", 0, "access.v1.DeleteGrantResponse"),
    ("grant create p viewer --grant-principal serviceaccount:portal --role viewer --reason 门户", 5, ""),
    (
        "api-token create t --service-account portal --expire-time EXPIRY",
        0,
        "access.v1.CreateApiTokenResponse",
    ),
    ("api-token get t", 0, "access.v1.GetApiTokenResponse"),
    ("api-token list", 0, "access.v1.ApiToken"),
    ("api-token delete t", 0, "access.v1.DeleteApiTokenResponse"),
    ("api-token create t --service-account portal --expire-time EXPIRY", 5, ""),
    ("project list CITY", 0, "registry.v1.Project"),
    ("project list CITY --filter 'key = true'", 0, "registry.v1.Project"),
    ("project list CITY --filter 'nonsense = 1'", 4, ""),
    ("project list CITY --fields", 0, ""),
    ("project list nowhere", 3, ""),
    ("project get CITY science-avenue", 0, "registry.v1.GetProjectResponse"),
    ("project get CITY nothing", 3, ""),
    ("project get CITY UPPER", 4, ""),
    (
        "project create p x --display-name 桥 --investment 'CNY 9007199254740993'",
        0,
        "registry.v1.CreateProjectResponse",
    ),
    ("project batch-get p --project portfolios/p/projects/x", 0, "registry.v1.Project"),
    ("project prepare p x", 0, "registry.v1.PrepareProjectResponse"),
    ("project suspend p x --reason 汛期", 0, "registry.v1.SuspendProjectResponse"),
    ("project resume p x --reason 汛期已过", 0, "registry.v1.ResumeProjectResponse"),
    ("project commission p x", 5, ""),
    ("phase list CITY -", 0, "registry.v1.Phase"),
    ("phase create p x one --display-name 一期 --order 1", 0, "registry.v1.CreatePhaseResponse"),
    ("phase get p x one", 0, "registry.v1.GetPhaseResponse"),
    ("batch list CITY", 0, "registry.v1.Batch"),
    ("batch get CITY start-2020-09-11", 0, "registry.v1.GetBatchResponse"),
    ("batch create p b --display-name 开工 --start-date 2021-05-27", 0, "registry.v1.CreateBatchResponse"),
    ("batch add-members p b --member portfolios/p/projects/x", 0, "registry.v1.AddBatchMembersResponse"),
    ("batch start p b", 0, "registry.v1.StartBatchResponse"),
    ("batch cancel p b --reason 推迟", 5, ""),
    (
        "collection create p c --display-name 环线 --unit km --member portfolios/p/projects/x \
         --element '{\"id\":\"ring\",\"plannedMeasure\":\"40\"}'",
        0,
        "registry.v1.CreateCollectionResponse",
    ),
    ("collection list p", 0, "registry.v1.Collection"),
    ("collection list p --filter 'members:\"portfolios/p/projects/x\"'", 0, "registry.v1.Collection"),
    ("collection rollup p c", 0, "registry.v1.GetCollectionRollupResponse"),
    ("collection remove-members p c --member x", 0, "registry.v1.RemoveCollectionMembersResponse"),
    ("collection add-members p c --member x", 0, "registry.v1.AddCollectionMembersResponse"),
    (
        "indicator create p i --display-name 机构 --kind stock --target 'year=2021; value=300' --threshold 278=目标",
        0,
        "registry.v1.CreateIndicatorResponse",
    ),
    (
        "observation create p i o --value 278 --period 2021-05-27..2021-05-27 --source 管委会",
        0,
        "registry.v1.CreateObservationResponse",
    ),
    ("observation list p i", 0, "registry.v1.Observation"),
    ("observation get p i o", 0, "registry.v1.GetObservationResponse"),
    ("observation prefer p i o --reason 核实", 0, "registry.v1.PreferObservationResponse"),
    ("indicator list p", 0, "registry.v1.Indicator"),
    ("indicator series p i --date 2021-05-27 --knowledge then", 0, "registry.v1.GetIndicatorSeriesResponse"),
    ("observation retract p i o --reason 更正", 0, "registry.v1.RetractObservationResponse"),
    (
        "project adjust-annual-plan p x --year 2021 --investment 1亿 --reason 年初下达",
        0,
        "registry.v1.AdjustAnnualPlanResponse",
    ),
    ("annual-list create p 2021 --member x=new-start", 0, "registry.v1.CreateAnnualListResponse"),
    ("annual-list create p twenty", 4, ""),
    ("annual-list remove-members p 2021 --member x", 0, "registry.v1.RemoveAnnualListMembersResponse"),
    ("annual-list add-members p 2021 --member x", 0, "registry.v1.AddAnnualListMembersResponse"),
    ("annual-list get p 2021", 0, "registry.v1.GetAnnualListResponse"),
    ("report statistics p --year 2021 --group-by status", 0, "registry.v1.QueryStatisticsResponse"),
    ("report statistics p --group-by nonsense", 4, ""),
    ("milestone list CITY -", 0, "tracker.v1.Milestone"),
    ("milestone get CITY science-avenue construction-start", 0, "tracker.v1.GetMilestoneResponse"),
    (
        "milestone create p x m --display-name 通车 --baseline 2031-06-30",
        0,
        "tracker.v1.CreateMilestoneResponse",
    ),
    ("milestone reforecast p x m --forecast 2031-07-18", 0, "tracker.v1.ReforecastMilestoneResponse"),
    ("milestone forecasts p x m", 0, "tracker.v1.Forecast"),
    ("milestone current-date p", 0, "tracker.v1.GetCurrentDateResponse"),
    ("milestone create p x n --display-name 通车 --baseline 2021-02-30", 2, ""),
    ("milestone achieve p x nothing", 3, ""),
    ("event list", 0, "event.v1.Event"),
    ("event list --reverse --limit 3", 0, "event.v1.Event"),
    ("event watch --count 3", 0, "event.v1.Event"),
    ("event watch --count 1 --after nonsense", 4, ""),
    ("event info", 0, "notifier.v1.GetLogInfoResponse"),
    ("event get nothing", 4, ""),
    ("ledger info", 0, ""),
    ("portfolio list --limit many", 2, ""),
    ("portfolio lst", 2, ""),
    ("nonsense", 2, ""),
    ("event", 2, ""),
    ("portfolio list --endpoint ftp://localhost", 2, ""),
    ("portfolio list --endpoint http://127.0.0.1:1 --timeout 300ms", 6, ""),
    ("portfolio list --context nowhere", 3, ""),
];

/// Commands on the files of a stopped server, and on contexts.
const OFFLINE: [(&str, i32); 13] = [
    ("journal verify --data-dir data", 0),
    ("journal verify --data-dir missing", 1),
    ("journal export --ledger registry --data-dir data out.export", 0),
    ("journal export --ledger registry --data-dir data missing/out.export", 1),
    ("journal import --ledger registry --data-dir restored out.export", 0),
    ("journal import --ledger registry --data-dir restored out.export", 1),
    ("store check --data-dir data", 0),
    ("store rebuild --data-dir data", 0),
    ("follower reset --data-dir data --follower tracker --source registry --sequence 1 --reason again", 0),
    ("context set office --endpoint http://127.0.0.1:7400", 0),
    ("context list", 0),
    ("context show office", 0),
    ("context delete nothing", 3),
];

/// Runs `milepost` with the format before the command, where every command takes it.
async fn run(cluster: &Cluster, format: &str, words: &str) -> Run {
    // A token must end, within 400 days.
    let expiry = SystemClock.now() + Duration::from_secs(24 * 3600);
    let words = words.replace("CITY", demo::PORTFOLIO).replace("EXPIRY", &expiry.to_string());
    let line = format!("milepost --format {format} {words}");
    let run = run_command(shell(cluster, &line)).await;
    assert_no_panic(&run.err);
    run
}

/// All values of an output; nothing but blanks is between them.
#[track_caller]
fn values(words: &str, text: &str) -> Vec<Value> {
    let values = Deserializer::from_str(text).into_iter::<Value>().collect::<Result<Vec<_>, _>>();
    values.unwrap_or_else(|error| panic!("{words}: {error}:\n{text}"))
}

/// That both outputs are JSON, and that an error is where there is one, with its exit code.
#[track_caller]
fn assert_json(words: &str, run: &Run, code: i32) -> Vec<Value> {
    assert_eq!(run.code, Some(code), "{words}: {run:?}");
    let out = values(words, &run.out);
    out.iter().for_each(|value| assert_exact(words, "", value));
    assert!(
        out.len() <= 1 || out.len() == run.out.lines().count(),
        "{words}: not a value a line: {}",
        run.out
    );
    let mut errors = Vec::new();
    for line in run.err.lines() {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{words}: {error}: {line}"));
        assert_exact(words, "", &value);
        assert!(value["note"].is_string() || value["error"]["message"].is_string(), "{words}: {line}");
        errors.extend(value["error"]["exitCode"].as_i64());
    }
    let expected: &[i64] = if code == 0 { &[] } else { &[code.into()] };
    assert_eq!(errors, expected, "{words}: {run:?}");
    out
}

/// Without a schema: no number is inexact, and those that may become so are texts.
#[track_caller]
fn assert_exact(words: &str, key: &str, value: &Value) {
    match value {
        Value::Number(number) => {
            let exact =
                number.is_f64() || number.as_i64().is_some_and(|number| number.unsigned_abs() < EXACT);
            let long = LONG.iter().any(|name| key.eq_ignore_ascii_case(name)) || key.ends_with("Sequence");
            assert!(exact && !long, "{words}: {key} is {number}, which is no text");
        }
        Value::Array(members) => members.iter().for_each(|member| assert_exact(words, key, member)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| assert_exact(words, key, value)),
        _ => {}
    }
}

/// By the schema: every key is a field, and the numbers of 64 bits are texts, the others are not.
#[track_caller]
fn assert_message(words: &str, message: &MessageDescriptor, value: &Value) {
    let Some(fields) = value.as_object() else {
        assert!(message.full_name().starts_with("google.protobuf."), "{words}: {value}");
        return;
    };
    if message.full_name().starts_with("google.protobuf.") {
        return;
    }
    for (key, value) in fields {
        let field = message.get_field_by_json_name(key);
        let field = field.unwrap_or_else(|| panic!("{words}: {} has no {key}", message.full_name()));
        match value {
            Value::Object(pairs) if field.is_map() => {
                pairs.values().for_each(|value| assert_field(words, &field, value));
            }
            Value::Array(members) if field.is_list() => {
                members.iter().for_each(|member| assert_field(words, &field, member));
            }
            value => assert_field(words, &field, value),
        }
    }
}

#[track_caller]
fn assert_field(words: &str, field: &FieldDescriptor, value: &Value) {
    let right = match field.kind() {
        Kind::Message(inner) if field.is_map() => {
            inner.map_entry_value_field().kind() != Kind::Bool || value.is_boolean()
        }
        Kind::Message(inner) => {
            assert_message(words, &inner, value);
            true
        }
        Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64 => {
            value.as_str().is_some_and(|text| text.parse::<i128>().is_ok())
        }
        Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 | Kind::Sfixed32 => value.is_number(),
        Kind::String | Kind::Bytes | Kind::Enum(_) => value.is_string(),
        Kind::Bool => value.is_boolean(),
        Kind::Double | Kind::Float => value.is_number(),
    };
    assert!(right, "{words}: {} is {value}", field.full_name());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_prints_json_and_nothing_else() {
    let cluster = demo::start().await;
    let pool = DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).expect("the schemas");
    for (words, code, message) in COMMANDS {
        let found = assert_json(words, &run(&cluster, "json", words).await, code);
        assert_eq!(found.is_empty(), code != 0, "{words}: {found:?}");
        if !message.is_empty() {
            let message = pool.get_message_by_name(&format!("milepost.{message}"));
            let message = message.unwrap_or_else(|| panic!("{words}: the schemas have no such message"));
            found.iter().for_each(|value| assert_message(words, &message, value));
        }
    }
    let x = assert_json("x", &run(&cluster, "json", "project get p x").await, 0).remove(0);
    assert_eq!(x["project"]["investment"]["units"], "9007199254740993");
    // Where the format comes of the environment, it holds for what is not understood too.
    let environment = run_command(shell(&cluster, "MILEPOST_FORMAT=json milepost portfolio lst")).await;
    assert_json("MILEPOST_FORMAT", &environment, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_and_contexts_print_json_and_nothing_else() {
    let mut cluster = demo::start().await;
    let commands = OFFLINE
        .map(|(words, code)| (words, code, shell(&cluster, &format!("milepost --format json {words}"))));
    assert!(cluster.stop(Role::All).await.success(), "it stops in order");
    for (words, code, command) in commands {
        let found = assert_json(words, &run_command(command).await, code);
        assert!(code != 0 || !found.is_empty(), "{words} prints nothing");
    }
}

/// The records of a list, each with as many values as the header has names.
#[track_caller]
fn records(words: &str, text: &str) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(false).from_reader(text.as_bytes());
    let records = reader.records().collect::<Result<Vec<_>, _>>();
    let records = records.unwrap_or_else(|error| panic!("{words}: {error}:\n{text}"));
    records.iter().map(|record| record.iter().map(str::to_owned).collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_comma_separated_values_that_lose_nothing() {
    let cluster = demo::start().await;
    let create =
        format!("milepost project create CITY bridge --display-name '{TITLE}' --purpose '{PURPOSE}'");
    run_command(shell(&cluster, &create.replace("CITY", demo::PORTFOLIO))).await.succeeded();
    for words in [
        "service-account create portal --display-name 门户",
        "grant create CITY portal --grant-principal serviceaccount:portal --role viewer --reason '门户, \"一\"'",
        "api-token create t --service-account portal --expire-time EXPIRY",
    ] {
        run(&cluster, "json", words).await.succeeded();
    }
    for words in [
        "portfolio list",
        "organization list",
        "service-account list",
        "grant list CITY",
        "api-token list",
        "project list CITY",
        "phase list CITY -",
        "batch list CITY",
        "milestone list CITY -",
        "event list",
        "ledger info",
    ] {
        let plain = run(&cluster, "csv", words).await.succeeded();
        let found = records(words, &plain.out);
        assert!(found.len() > 1, "{words}: {found:?}");
        let listed = assert_json(words, &run(&cluster, "json", words).await, 0);
        assert_eq!(found.len() - 1, listed.len(), "{words}: a row for each");
        let title = found[0].iter().position(|name| name == "display_name");
        let names = listed.iter().map(|value| &value["displayName"]);
        for (row, name) in found[1..].iter().zip(names) {
            if let (Some(title), Some(name)) = (title, name.as_str()) {
                assert_eq!(row[title], name, "{words}");
            }
        }
        if words == "ledger info" {
            // A state, which is not kept as a file for office software.
            continue;
        }
        let marked = run(&cluster, "csv", &format!("{words} --bom")).await.succeeded();
        assert_eq!(marked.out.as_bytes()[..3], [0xEF, 0xBB, 0xBF], "{words}");
        assert_eq!(marked.out[3..], plain.out, "{words}: nothing else differs");
    }
    let words = "project list CITY --columns display_name,purpose";
    let projects = records(words, &run(&cluster, "csv", words).await.succeeded().out);
    assert!(projects.contains(&vec![TITLE.to_owned(), PURPOSE.to_owned()]), "{projects:?}");
    // One resource is one row, also of what is changed.
    for words in ["project get CITY bridge", "project prepare CITY bridge"] {
        let rows = records(words, &run(&cluster, "csv", words).await.succeeded().out);
        assert_eq!((rows.len(), rows[1][1].as_str()), (2, TITLE), "{words}: {rows:?}");
    }
}

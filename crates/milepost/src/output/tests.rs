//! Golden transcripts of tables and JSON on fixed messages.
//!
//! JSON is an interface; tables are for people, and change only on purpose.

use milepost_proto::event::v1::event::{Payload, Resource as Subject};
use milepost_proto::event::v1::{DateAdvanced, Event, MilestoneReforecast};
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::journal::v1::{GetLedgerInfoResponse, Position};
use milepost_proto::notifier::v1::{GetLogInfoResponse, SourceProgress};
use milepost_proto::registry::v1::{
    AnnualPlan, Batch, GetProjectResponse, Party, Period, Project, batch, project,
};
use milepost_proto::tracker::v1::{Milestone, RequirementStatus, milestone};
use prost_types::Timestamp;

use super::*;

fn table() -> Output {
    Output { format: Format::Table, columns: Some(120), colour: false, zones: Zones::utc() }
}

impl Output {
    /// The card of a resource in a response, or the response as JSON.
    fn of_response(&self, project: &Project) -> String {
        let response = GetProjectResponse { project: Some(project.clone()), revision: "AQID".into() };
        self.one(&super::json::dynamic(&response)).unwrap()
    }

    fn of_list<M: prost::Name + Default>(&self, messages: &[M], under: &str) -> String {
        self.of_columns(messages, under, &Columns::default())
    }

    fn of_columns<M: prost::Name + Default>(&self, messages: &[M], under: &str, columns: &Columns) -> String {
        let descriptor = super::json::dynamic(&M::default()).descriptor();
        let list = self.list(&descriptor, under, columns).unwrap();
        let messages: Vec<_> = messages.iter().map(super::json::dynamic).collect();
        self.piece(&list, &messages).text
    }
}

fn json() -> Output {
    Output { format: Format::Json, ..table() }
}

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn cny(units: i64) -> Option<Money> {
    Some(Money { currency_code: "CNY".into(), units, nanos: 0 })
}

fn facility() -> Project {
    Project {
        name: "portfolios/wsc/projects/facility".into(),
        display_name: "超瞬态实验装置".into(),
        translations: [("en".to_owned(), "Ultra-transient Experimental Facility".to_owned())].into(),
        status: project::Status::Construction.into(),
        batch: "portfolios/wsc/batches/b3".into(),
        parties: vec![Party { organization: "organizations/cqu".into(), roles: vec!["lead".into()] }],
        annual_plans: vec![AnnualPlan {
            year: 2023,
            investment: None,
            content: "建成投用".into(),
            ..AnnualPlan::default()
        }],
        actual_period: Some(Period { start_date: day(2021, 5, 27), end_date: None }),
        labels: [("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())].into(),
        create_time: Some(Timestamp { seconds: 1_622_041_445, nanos: 120_000_000 }),
        etag: "12".into(),
        ..Default::default()
    }
}

fn avenue() -> Project {
    Project {
        name: "portfolios/wsc/projects/avenue".into(),
        display_name: "Science Avenue".into(),
        status: project::Status::Proposed.into(),
        key: Some(true),
        investment: cny(28_360_000_000),
        ..Default::default()
    }
}

#[test]
fn columns_line_up_whatever_the_script() {
    insta::assert_snapshot!(table().of_list(&[facility(), avenue()], ""), @r"
    PROJECT       DISPLAY NAME    STATUS        KEY          INVESTMENT  ACTUAL PERIOD
    wsc/facility  超瞬态实验装置  CONSTRUCTION  -                     -  from 2021-05-27
    wsc/avenue    Science Avenue  PROPOSED      yes  CNY 28,360,000,000  -
    ");
}

#[test]
fn a_card_has_a_line_for_what_is_there() {
    insta::assert_snapshot!(table().of_response(&facility()));
}

#[test]
fn a_narrow_terminal_wraps_within_the_columns() {
    let narrow = Output { columns: Some(60), ..table() };
    let text = narrow.of_response(&facility());
    assert!(text.lines().all(|line| width::columns(line) <= 60), "{text}");
}

#[test]
fn in_a_narrow_terminal_a_name_stays_whole_and_columns_go() {
    let narrow = Output { columns: Some(60), ..table() };
    let list = narrow.list(&super::json::dynamic(&avenue()).descriptor(), "", &Columns::default()).unwrap();
    let messages = [super::json::dynamic(&facility()), super::json::dynamic(&avenue())];
    let Rendered { text, left_out } = narrow.piece(&list, &messages);
    assert!(text.contains("超瞬态实验装置") && text.contains("Science Avenue"), "{text}");
    assert!(text.lines().all(|line| width::columns(line) <= 60), "{text}");
    assert_eq!(left_out.last().map(String::as_str), Some("ACTUAL PERIOD"));
}

#[test]
fn colours_are_only_where_they_are_shown() {
    let coloured = Output { colour: true, ..table() };
    assert!(coloured.of_list(&[facility()], "").contains("\u{1b}["));
    assert!(!table().of_list(&[facility()], "").contains('\u{1b}'));
}

#[test]
fn one_resource_is_the_response_as_json() {
    insta::assert_snapshot!(json().of_response(&facility()));
}

#[test]
fn several_resources_are_a_json_object_a_line() {
    let text = json().of_list(&[facility(), avenue()], "");
    assert_eq!(text.lines().count(), 2);
    insta::assert_snapshot!(text.lines().nth(1).unwrap(), @r#"{"name":"portfolios/wsc/projects/avenue","displayName":"Science Avenue","key":true,"investment":{"currencyCode":"CNY","units":"28360000000"},"status":"STATUS_PROPOSED"}"#);
    assert_eq!(json().of_list::<Project>(&[], ""), "");
}

#[test]
fn batches_keep_declared_and_registered_apart() {
    let first = Batch {
        name: "portfolios/wsc/batches/b1".into(),
        display_name: "2020年9月11日集中开工".into(),
        start_date: day(2020, 9, 11),
        declared_count: Some(79),
        declared_investment: cny(130_000_000_000),
        state: batch::State::Started.into(),
        registered_count: 2,
        registered_without_investment_count: 2,
        ..Default::default()
    };
    let second = Batch { declared_count: Some(107), declared_investment: None, ..first.clone() };
    insta::assert_snapshot!(table().of_list(&[first, second], "portfolios/wsc"));
}

#[test]
fn milestones_tell_their_variance_with_its_sign() {
    let milestone = |variance, state: milestone::State, outlook: milestone::Outlook| Milestone {
        name: "portfolios/wsc/projects/avenue/milestones/opening".into(),
        display_name: "通车".into(),
        state: state.into(),
        outlook: outlook.into(),
        nearness: if outlook == milestone::Outlook::AtRisk {
            Nearness::DueSoon
        } else {
            Nearness::Unspecified
        }
        .into(),
        slippage: if outlook == milestone::Outlook::AtRisk {
            Slippage::AtRisk
        } else {
            Slippage::Unspecified
        }
        .into(),
        baseline_date: day(2023, 6, 30),
        variance_working_days: variance,
        ..Default::default()
    };
    use milestone::{Nearness, Outlook, Slippage, State};
    insta::assert_snapshot!(table().of_list(
        &[
            milestone(Some(12), State::Planned, Outlook::AtRisk),
            milestone(Some(-2), State::Achieved, Outlook::Unspecified),
            milestone(None, State::Planned, Outlook::OnTrack),
        ],
        "portfolios/wsc/projects/-"
    ));
}

#[test]
fn a_requirement_names_its_milestones_by_their_ids() {
    let milestone = |id: &str| format!("portfolios/wsc/projects/science-valley/milestones/{id}");
    let requirement = RequirementStatus {
        code: "land-certificate".into(),
        satisfied: true,
        milestone: milestone("land-certificate"),
        satisfied_date: day(2021, 2, 3),
        open_milestones: vec![milestone("deed"), milestone("survey")],
        ..Default::default()
    };
    let open = RequirementStatus { code: "eia".into(), ..Default::default() };
    let (under, all) = ("portfolios/wsc/projects/science-valley", [requirement, open]);
    let narrow = Output { columns: Some(80), ..table() };
    insta::assert_snapshot!(narrow.of_list(&all, under), @r"
    CODE              SATISFIED  MILESTONE         SATISFIED DATE  VALID UNTIL
    land-certificate  yes        land-certificate  2021-02-03      -
    eia               -          -                 -               -
    ");
    let columns = ["code", "open_milestones"].map(str::to_owned).to_vec();
    let columns = Columns { columns, ..Columns::default() };
    insta::assert_snapshot!(narrow.of_columns(&all, under, &columns), @r"
    CODE              OPEN MILESTONES
    land-certificate  deed, survey
    eia               -
    ");
}

#[test]
fn what_slipped_and_is_due_soon_says_that_it_came_near() {
    use milestone::{Nearness, Outlook};
    let changed = milepost_proto::event::v1::MilestoneOutlookChanged {
        previous_outlook: Outlook::AtRisk.into(),
        outlook: Outlook::AtRisk.into(),
        previous_nearness: Nearness::Ahead.into(),
        nearness: Nearness::DueSoon.into(),
        current_date: day(2023, 6, 23),
        ..Default::default()
    };
    let event = Event { payload: Some(Payload::MilestoneOutlookChanged(changed)), ..slipped() };
    assert_eq!(super::event::detail(&super::json::dynamic(&event)), "AHEAD → DUE_SOON as of 2023-06-23");
}

fn slipped() -> Event {
    Event {
        event_id: "0198c0de-0000-7000-8000-000000000000/12/0".into(),
        source: "tracker".into(),
        sequence: 12,
        subject: "portfolios/wsc/projects/avenue/milestones/opening".into(),
        portfolio: "portfolios/wsc".into(),
        project: "portfolios/wsc/projects/avenue".into(),
        r#type: "milepost.milestone.reforecast".into(),
        commit_time: Some(Timestamp { seconds: 1_622_041_445, nanos: 0 }),
        caused_by: "0198c0de-0000-7000-8000-000000000001/7/1".into(),
        resource: Some(Subject::MilestoneResource(Milestone {
            display_name: "通车".into(),
            ..Default::default()
        })),
        payload: Some(Payload::MilestoneReforecast(MilestoneReforecast {
            previous_date: day(2023, 6, 30),
            forecast_date: day(2023, 7, 18),
            slip_working_days: Some(12),
            reason: "材料到场推迟".into(),
            previous_sequence: 3,
            reported_date: None,
        })),
        ..Default::default()
    }
}

#[test]
fn an_event_is_a_line() {
    insta::assert_snapshot!(event::line(&slipped(), &Zone::UTC), @"2021-05-26 15:04:05Z  milestone.reforecast          wsc/avenue/opening  通车  2023-06-30 → 2023-07-18, +12 working days: 材料到场推迟  (because of 0198c0de-0000-7000-8000-000000000001/7/1)");
}

#[test]
fn the_type_of_an_event_stays_in_a_narrow_table() {
    let narrow = Output { columns: Some(40), ..table() };
    let text = narrow.of_list(&[slipped()], "");
    assert_eq!(text, "TYPE                  DISPLAY NAME\nmilestone.reforecast  通车\n");
}

#[test]
fn a_change_to_the_day_of_an_event_says_the_day_once() {
    let advanced = DateAdvanced { current_date: day(2023, 6, 23), ..Default::default() };
    let payload = Some(Payload::DateAdvanced(advanced));
    let event = Event { event_date: day(2023, 6, 23), payload, ..Default::default() };
    assert_eq!(super::event::detail(&super::json::dynamic(&event)), "- → 2023-06-23, 0 due soon, 0 overdue");
}

#[test]
fn contexts_fit_a_terminal_and_are_whole_in_a_pipe() {
    let endpoint = Some("http://milepost.science-city.example:7400".to_owned());
    let (portfolio, ca) = (Some("western-science-city".to_owned()), Some("/etc/milepost/ca.pem".to_owned()));
    let settings = Settings { endpoint, portfolio, ca, ..Settings::default() };
    let all = || Contexts {
        current: Some("科学城工地".to_owned()),
        all: [("科学城工地".to_owned(), settings.clone())].into(),
    };
    let narrow = Output { columns: Some(60), ..table() };
    let Rendered { text, left_out } = narrow.contexts(all());
    assert!(text.lines().all(|line| width::columns(line) <= 60) && text.contains("科学城工地"), "{text}");
    assert_eq!(left_out, ["PORTFOLIO", "CA"], "what no context sets is not missed");
    let Rendered { text, left_out } = Output { columns: None, ..table() }.contexts(all());
    assert!(
        text.contains("\twestern-science-city\t-\t-\t-\t/etc/milepost/ca.pem\t-\t") && left_out.is_empty(),
        "{text}"
    );
}

#[test]
fn an_event_of_a_later_version_has_a_line_too() {
    let strange = Event {
        r#type: "milepost.alliance.formed".into(),
        subject: "portfolios/p".into(),
        ..Default::default()
    };
    assert_eq!(event::line(&strange, &Zone::UTC), "-  alliance.formed               p");
}

#[test]
fn an_event_is_json_with_its_typed_payload() {
    let line = super::json::line(&super::json::to_value(&slipped()));
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["milestoneReforecast"]["slipWorkingDays"], 12);
    assert_eq!(
        value["milestoneReforecast"]["forecastDate"],
        serde_json::json!({"year": 2023, "month": 7, "day": 18})
    );
    assert_eq!(value["commitTime"], "2021-05-26T15:04:05Z");
    assert_eq!(value["sequence"], "12");
}

#[test]
fn the_log_and_the_ledgers_tell_how_far_they_are() {
    let position = |sequence| Position {
        log_id: "0198c0de-0000-7000-8000-000000000000".into(),
        sequence,
        hash_prefix: vec![0xab; 8].into(),
    };
    let info = GetLogInfoResponse {
        log_id: position(0).log_id,
        earliest_cursor: "AAAA".into(),
        latest_cursor: "BBBB".into(),
        durable_sequence: 57,
        sources: vec![
            SourceProgress { source: "registry".into(), position: Some(position(24)), lag_entries: Some(0) },
            SourceProgress { source: "tracker".into(), position: None, lag_entries: None },
        ],
    };
    insta::assert_snapshot!(table().one(&super::json::dynamic(&info)).unwrap(), @r"
    Log id            0198c0de-0000-7000-8000-000000000000
    Earliest cursor   AAAA
    Latest cursor     BBBB
    Durable sequence  57
    Sources           registry to sequence 24, 0 entries behind
                      tracker to sequence 0, not reached yet
    ");
    let ledger = GetLedgerInfoResponse {
        ledger: "tracker".into(),
        tail: Some(position(33)),
        disk_bytes: 8_388_608,
        ..Default::default()
    };
    let columns = ["ledger", "tail.sequence", "last_commit_time", "disk_bytes"].map(str::to_owned).to_vec();
    let columns = Columns { columns, ..Columns::default() };
    let ledger = super::json::dynamic(&ledger);
    let list = table().list(&ledger.descriptor(), "", &columns).unwrap();
    insta::assert_snapshot!(table().piece(&list, &[ledger]).text, @r"
    LEDGER   SEQUENCE  LAST COMMIT  DISK BYTES
    tracker        33  -             8,388,608
    ");
}

#[test]
fn a_file_is_replaced_when_all_of_it_is_there_and_others_may_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("page.html");
    for document in ["one", "another"] {
        replace(&path, document).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), document);
    }
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o600, 0o600);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    assert!(replace(&dir.path().join("none/x"), "x").is_err());
}

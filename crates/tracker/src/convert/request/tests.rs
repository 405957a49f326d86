//! What is refused of requests, with which path and reason, and that what is required is asked for.

use std::collections::BTreeMap;

use jiff::civil::date;
use milepost_types::limits;
use prost::Message;

use super::*;
use crate::milestone::samples::NAME;
use crate::milestone::{Details, Draft};

const PARENT: &str = "portfolios/wsc/projects/road";

fn found(request: impl ReadCommand) -> Vec<(String, &'static str)> {
    let mut violations = Violations::new();
    let command = request.command(&mut violations);
    assert!(command.is_some() || !violations.is_empty(), "refused without a word");
    violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

fn command(request: impl ReadCommand) -> Command {
    let mut violations = Violations::new();
    request.command(&mut violations).unwrap_or_else(|| panic!("{violations}"))
}

fn day(year: i32, month: i32, day: i32) -> Option<DateMessage> {
    Some(DateMessage { year, month, day })
}

fn milestone() -> proto::Milestone {
    proto::Milestone { display_name: "开工".into(), ..proto::Milestone::default() }
}

fn create(milestone: proto::Milestone) -> proto::CreateMilestoneRequest {
    proto::CreateMilestoneRequest {
        parent: PARENT.into(),
        milestone_id: "start".into(),
        milestone: Some(milestone),
        ..Default::default()
    }
}

#[test]
fn a_creation_takes_every_field_that_callers_set() {
    let message = proto::Milestone {
        name: "ignored".into(),
        translations: BTreeMap::from([("EN-us".into(), "Start".into())]),
        r#type: "constructionStart".into(),
        code: "M-1".into(),
        weight: Some(0),
        owner: "organizations/cqu".into(),
        required_evidence: vec!["permit".into()],
        remarks: "two\nlines".into(),
        baseline_date: day(2021, 5, 27),
        forecast_date: day(2021, 6, 1),
        actual_date: day(2021, 6, 2),
        duration_working_days: 10_000,
        labels: BTreeMap::from([("ring".into(), String::new())]),
        state: 2,
        etag: "nonsense".into(),
        ..milestone()
    };
    let Command::Create { portfolio, drafts } = command(create(message)) else { panic!() };
    let [Draft { project, id, details, baseline, forecast }] = &drafts[..] else { panic!() };
    assert_eq!((portfolio.to_string().as_str(), project.to_string().as_str()), ("portfolios/wsc", PARENT));
    assert_eq!(id.as_ref().unwrap().as_str(), "start");
    assert_eq!((*baseline, *forecast), (Some(date(2021, 5, 27)), Some(date(2021, 6, 1))));
    let expected = Details {
        display_name: "开工".into(),
        translations: BTreeMap::from([("en-US".parse().unwrap(), "Start".into())]),
        kind: "constructionStart".into(),
        code: "M-1".into(),
        weight: Some(0),
        owner: Some("organizations/cqu".parse().unwrap()),
        required_evidence: vec!["permit".into()],
        remarks: "two\nlines".into(),
        duration_working_days: 10_000,
        labels: BTreeMap::from([("ring".into(), String::new())]),
    };
    assert_eq!(*details, expected);
}

#[test]
fn every_fault_of_a_creation_is_told_at_once() {
    let message = proto::Milestone {
        display_name: String::new(),
        translations: BTreeMap::from([("no tag".into(), "x".into())]),
        r#type: "x".repeat(65),
        code: "a\nb".into(),
        weight: Some(-1),
        owner: "cqu".into(),
        required_evidence: vec!["a".into(), "a".into(), String::new()],
        remarks: "x".repeat(4097),
        baseline_date: day(2021, 2, 30),
        forecast_date: day(2021, 0, 1),
        duration_working_days: 10_001,
        labels: BTreeMap::from([("No".into(), "x".into())]),
        ..proto::Milestone::default()
    };
    let request = proto::CreateMilestoneRequest {
        parent: "portfolios/wsc".into(),
        milestone_id: "Start".into(),
        ..create(message)
    };
    let found = found(request);
    let found: Vec<_> = found.iter().map(|(field, reason)| (field.as_str(), *reason)).collect();
    assert_eq!(
        found,
        [
            ("parent", "INVALID_NAME"),
            ("milestone_id", "INVALID_ID"),
            ("milestone.baseline_date", "INVALID_DATE"),
            ("milestone.forecast_date", "PARTIAL_DATE"),
            ("milestone.display_name", "REQUIRED"),
            ("milestone.translations[\"no tag\"]", "INVALID_LANGUAGE_TAG"),
            ("milestone.type", "TOO_LONG"),
            ("milestone.code", "INVALID_CHARACTER"),
            ("milestone.weight", "OUT_OF_RANGE"),
            ("milestone.owner", "INVALID_NAME"),
            ("milestone.required_evidence[1]", "DUPLICATE"),
            ("milestone.required_evidence[2]", "REQUIRED"),
            ("milestone.remarks", "TOO_LONG"),
            ("milestone.duration_working_days", "OUT_OF_RANGE"),
            ("milestone.labels[\"No\"]", "INVALID_ID"),
        ]
    );
}

#[test]
fn a_batch_tells_the_faults_of_all_its_requests() {
    let member = |parent: &str, id: &str| proto::CreateMilestoneRequest {
        parent: parent.into(),
        milestone_id: id.into(),
        ..create(milestone())
    };
    let batch = |parent: &str, requests| proto::BatchCreateMilestonesRequest {
        parent: parent.into(),
        requests,
        ..Default::default()
    };
    let in_portfolio = "portfolios/wsc/projects/-";
    let good =
        command(batch(in_portfolio, vec![member(PARENT, "a"), member(PARENT, "b"), member(PARENT, "")]));
    assert!(matches!(good, Command::Create { drafts, .. } if drafts.len() == 3));
    let inherited = command(batch(PARENT, vec![member("", "a"), member(PARENT, "b")]));
    let Command::Create { drafts, .. } = inherited else { panic!() };
    assert!(drafts.iter().all(|draft| draft.project.to_string() == PARENT));

    let faulty = vec![
        member(PARENT, "a"),
        member("portfolios/other/projects/road", "b"),
        member(PARENT, "a"),
        member("", "c"),
        proto::CreateMilestoneRequest { request_id: "r".into(), validate_only: true, ..member(PARENT, "d") },
        proto::CreateMilestoneRequest { milestone: None, ..member(PARENT, "e") },
    ];
    let found_in = |request| {
        found(request).into_iter().map(|(field, reason)| format!("{field} {reason}")).collect::<Vec<_>>()
    };
    assert_eq!(
        found_in(batch(in_portfolio, faulty)),
        [
            "requests[1].parent OTHER_PARENT",
            "requests[2].milestone_id DUPLICATE",
            "requests[3].parent REQUIRED",
            "requests[4].request_id NOT_ALLOWED",
            "requests[4].validate_only NOT_ALLOWED",
            "requests[5].milestone REQUIRED",
        ]
    );
    assert_eq!(
        found_in(batch("portfolios/-/projects/-", vec![member(PARENT, "a")])),
        ["parent INVALID_NAME"]
    );
    let many = vec![member(PARENT, ""); limits::BATCH_REQUESTS + 1];
    assert_eq!(found_in(batch(PARENT, many)), ["requests TOO_MANY"]);
}

#[test]
fn an_update_reads_what_its_mask_names() {
    let update = |paths: &[&str], milestone| proto::UpdateMilestoneRequest {
        milestone: Some(proto::Milestone { name: NAME.into(), ..milestone }),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        ..Default::default()
    };
    let patch_of = |request| match command(request) {
        Command::Act { action: Action::Update(patch), .. } => *patch,
        other => panic!("{other:?}"),
    };
    let message = proto::Milestone { code: "M-2".into(), baseline_date: day(2021, 5, 27), ..milestone() };
    let set = patch_of(update(&[], message.clone()));
    assert_eq!((set.code.as_deref(), set.kind, set.baseline), (Some("M-2"), None, Some(date(2021, 5, 27))));
    let all = patch_of(update(&["*"], message.clone()));
    assert_eq!((all.kind.as_deref(), all.weight, all.owner), (Some(""), Some(None), Some(None)));
    let named = patch_of(update(&["weight"], message));
    assert_eq!((named.code, named.weight, named.baseline), (None, Some(None), None));
    // What is not named cannot be at fault; what is named must be sound.
    let wrong = proto::Milestone { code: "a\nb".into(), ..proto::Milestone::default() };
    assert!(found(update(&["remarks"], wrong.clone())).is_empty());
    let faults = found(update(&["code", "display_name", "state"], wrong));
    assert_eq!(faults, [("update_mask.paths[2]".to_owned(), "OUTPUT_ONLY")]);
    let faults = found(update(&["display_name"], proto::Milestone::default()));
    assert_eq!(faults, [("milestone.display_name".to_owned(), "REQUIRED")]);
}

#[test]
fn dates_like_none_are_refused_everywhere() {
    let impossible = day(2021, 2, 30);
    let name = NAME.to_owned();
    let one = |field: &str| vec![(field.to_owned(), "INVALID_DATE")];
    let request = proto::ReforecastMilestoneRequest {
        name: name.clone(),
        forecast_date: impossible,
        ..Default::default()
    };
    assert_eq!(found(request), one("forecast_date"));
    let request = proto::RebaselineMilestoneRequest {
        name: name.clone(),
        baseline_date: impossible,
        reason: "r".into(),
        ..Default::default()
    };
    assert_eq!(found(request), one("baseline_date"));
    let request =
        proto::AchieveMilestoneRequest { name: name.clone(), actual_date: impossible, ..Default::default() };
    assert_eq!(found(request), one("actual_date"));
    let request = proto::PartiallyAchieveMilestoneRequest {
        name,
        actual_date: impossible,
        reason: "r".into(),
        ..Default::default()
    };
    assert_eq!(found(request), one("actual_date"));
    let request = proto::AdvanceDateRequest {
        portfolio: "portfolios/wsc".into(),
        date: impossible,
        ..Default::default()
    };
    assert_eq!(found(request), one("date"));
}

#[test]
fn nonsense_is_told_short_whatever_its_size() {
    let huge = "x".repeat(10_000_000);
    let request = proto::ReforecastMilestoneRequest {
        name: huge.clone(),
        etag: huge.clone(),
        reason: huge,
        ..Default::default()
    };
    let mut violations = Violations::new();
    assert!(request.command(&mut violations).is_none());
    assert_eq!(violations.count(), 3);
    assert!(violations.iter().all(|violation| violation.description.len() < 1000));
}

/// Every field that the schema calls REQUIRED is asked for, under its own path, when it is absent.
#[test]
fn every_required_field_is_asked_for() {
    let mut asked: BTreeMap<&str, Vec<(String, &'static str)>> = BTreeMap::new();
    asked.insert("CreateMilestoneRequest", found(proto::CreateMilestoneRequest::default()));
    asked.insert("UpdateMilestoneRequest", found(proto::UpdateMilestoneRequest::default()));
    asked.insert("DeleteMilestoneRequest", found(proto::DeleteMilestoneRequest::default()));
    asked.insert("UndeleteMilestoneRequest", found(proto::UndeleteMilestoneRequest::default()));
    asked.insert("BatchCreateMilestonesRequest", found(proto::BatchCreateMilestonesRequest::default()));
    asked.insert("ReforecastMilestoneRequest", found(proto::ReforecastMilestoneRequest::default()));
    asked.insert("RebaselineMilestoneRequest", found(proto::RebaselineMilestoneRequest::default()));
    asked.insert("AchieveMilestoneRequest", found(proto::AchieveMilestoneRequest::default()));
    asked.insert(
        "PartiallyAchieveMilestoneRequest",
        found(proto::PartiallyAchieveMilestoneRequest::default()),
    );
    asked.insert("MissMilestoneRequest", found(proto::MissMilestoneRequest::default()));
    asked.insert("CancelMilestoneRequest", found(proto::CancelMilestoneRequest::default()));
    asked.insert("ReopenMilestoneRequest", found(proto::ReopenMilestoneRequest::default()));
    asked.insert("AddMilestoneEvidenceRequest", found(proto::AddMilestoneEvidenceRequest::default()));
    asked.insert("AdvanceDateRequest", found(proto::AdvanceDateRequest::default()));
    asked.insert("GetMilestoneRequest", crate::convert::read::faults(proto::GetMilestoneRequest::default()));
    asked.insert(
        "ListMilestonesRequest",
        crate::convert::read::faults(proto::ListMilestonesRequest::default()),
    );
    asked.insert(
        "ListMilestoneForecastsRequest",
        crate::convert::read::faults(proto::ListMilestoneForecastsRequest::default()),
    );
    asked.insert(
        "GetCurrentDateRequest",
        crate::convert::read::faults(proto::GetCurrentDateRequest::default()),
    );
    // Messages within: what is asked of them stands under the field that holds them.
    let bare = proto::CreateMilestoneRequest { milestone: Some(Default::default()), ..create(milestone()) };
    asked.insert("Milestone", found(bare));
    let bare = proto::AddMilestoneEvidenceRequest {
        name: NAME.into(),
        evidence: Some(Default::default()),
        ..Default::default()
    };
    asked.insert("Evidence", found(bare));

    let set = prost_types::FileDescriptorSet::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
    let file = set.file.iter().find(|file| file.package() == "milepost.tracker.v1").unwrap();
    let mut checked = 0;
    for message in &file.message_type {
        for field in message.field.iter().filter(|field| required(message.name(), field.name())) {
            let asked =
                asked.get(message.name()).unwrap_or_else(|| panic!("{} is not asked", message.name()));
            let path = match message.name() {
                "Milestone" => format!("milestone.{}", field.name()),
                "Evidence" => format!("evidence.{}", field.name()),
                _ => field.name().to_owned(),
            };
            let wanted = (path, "REQUIRED");
            assert!(asked.contains(&wanted), "{}.{}: {asked:?}", message.name(), field.name());
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

/// Whether the schema says REQUIRED of a field.
fn required(message: &str, field: &str) -> bool {
    behaviours(message, field).contains(&2)
}

/// One word for one rule: the schema says of a field what an update that names it is refused with.
#[test]
fn what_only_the_server_sets_is_output_only_and_what_a_method_changes_is_not() {
    const OUTPUT_ONLY: i32 = 3;
    const IMMUTABLE: i32 = 5;
    const IDENTIFIER: i32 = 8;
    for (field, how) in super::fields::KNOWN.output().filter(|(field, _)| *field != "etag") {
        let said = behaviours("Milestone", field);
        assert!(said == [OUTPUT_ONLY] || said == [IDENTIFIER], "{field} ({how}): {said:?}");
    }
    for (field, method) in super::fields::KNOWN.methods {
        let said = behaviours("Milestone", field);
        assert!(!said.contains(&OUTPUT_ONLY) && !said.contains(&IMMUTABLE), "{field} ({method}): {said:?}");
        let request = proto::UpdateMilestoneRequest {
            milestone: Some(proto::Milestone { name: NAME.into(), ..milestone() }),
            update_mask: Some(prost_types::FieldMask { paths: vec![(*field).to_owned()] }),
            ..Default::default()
        };
        assert_eq!(found(request), [("update_mask.paths[0]".to_owned(), "CHANGED_BY_METHOD")]);
    }
}

/// How the schema says that a field behaves. The options are extensions, which prost drops: so they are read
/// from the bytes.
fn behaviours(message: &str, field: &str) -> Vec<i32> {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Set {
        #[prost(message, repeated, tag = "1")]
        file: Vec<File>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    struct File {
        #[prost(string, tag = "2")]
        package: String,
        #[prost(message, repeated, tag = "4")]
        message_type: Vec<Kind>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    struct Kind {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(message, repeated, tag = "2")]
        field: Vec<Member>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    struct Member {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(message, optional, tag = "8")]
        options: Option<Options>,
    }
    /// `google.api.field_behavior` is extension 1052; REQUIRED is 2.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Options {
        #[prost(int32, repeated, packed = "false", tag = "1052")]
        behavior: Vec<i32>,
    }
    static SET: std::sync::LazyLock<Set> =
        std::sync::LazyLock::new(|| Set::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap());
    SET.file
        .iter()
        .filter(|file| file.package == "milepost.tracker.v1")
        .flat_map(|file| &file.message_type)
        .filter(|kind| kind.name == message)
        .flat_map(|kind| &kind.field)
        .filter(|member| member.name == field)
        .flat_map(|member| member.options.iter().flat_map(|options| options.behavior.iter().copied()))
        .collect()
}

//! What is read of requests and what is refused of them, with which path and reason; that what is required is
//! asked for, and which methods there are.

use milepost_proto::google::r#type as gtype;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use milepost_proto::codec::SmallBuffers;
use milepost_proto::google::api::FieldBehavior;
use milepost_proto::resource::{Access, Resource as _};
use milepost_resource::{read_create, required_text};
use milepost_service::access::Permit;
use milepost_service::host::raw::{RawMethods, RawService, methods};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor};
use prost_types::FieldMask;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::*;
use crate::tests::running::reason;
use crate::tests::samples;
use crate::tests::world::{draft, kinds, name as named, running};
use crate::tests::{Registry, RegistryServer, Running, World};

const PARENT: &str = "portfolios/wsc/projects/road";
const IN_PORTFOLIO: &str = "portfolios/wsc/projects/-";
const NAME: &str = "portfolios/wsc/projects/road/milestones/start";

fn found(violations: &Violations) -> Vec<String> {
    violations.iter().map(|violation| format!("{} {}", violation.field, violation.reason)).collect()
}

/// What is wrong with a request, field by field.
fn faults<A>(read: impl FnOnce(&mut Violations) -> Option<A>) -> Vec<String> {
    let mut violations = Violations::new();
    let read = read(&mut violations);
    assert!(read.is_some() || !violations.is_empty(), "refused without a word");
    found(&violations)
}

fn create_one(
    request: CreateMilestoneRequest,
) -> impl FnOnce(&mut Violations) -> Option<Box<dyn Act<Tracker>>> {
    |violations| read_create::<Tracker, Milestone>(request, violations, Violations::new())
}

fn create_all(
    request: BatchCreateMilestonesRequest,
) -> impl FnOnce(&mut Violations) -> Option<Box<dyn Act<Tracker>>> {
    |violations| create_several(request, violations)
}

/// The command that a request is read to.
fn command(read: impl FnOnce(&mut Violations) -> Option<Box<dyn Act<Tracker>>>) -> Command {
    let mut violations = Violations::new();
    let act = read(&mut violations);
    let act = violations.finish(act).unwrap();
    Command::Resources(Arc::new(milepost_resource::Command {
        act,
        traceparent: String::new(),
        permit: Permit::of_system(),
    }))
}

fn day(year: i32, month: i32, day: i32) -> Option<gtype::Date> {
    Some(gtype::Date { year, month, day })
}

fn create(milestone: Milestone) -> CreateMilestoneRequest {
    CreateMilestoneRequest { milestone: Some(milestone), ..draft("road", Some("start"), None) }
}

/// All that callers may say of a milestone.
fn full() -> Milestone {
    Milestone {
        display_name: "开工".into(),
        translations: BTreeMap::from([("en-US".into(), "Start".into())]),
        r#type: "constructionStart".into(),
        code: "M-1".into(),
        weight: Some(0),
        owner: "organizations/cqu".into(),
        required_evidence: vec!["permit".into()],
        remarks: "two\nlines".into(),
        baseline_date: day(2021, 5, 27),
        forecast_date: day(2021, 6, 1),
        duration_working_days: 10_000,
        labels: BTreeMap::from([("ring".into(), String::new())]),
        ..Milestone::default()
    }
}

/// What an answer says that is wrong with a request, field by field.
fn refused<T: std::fmt::Debug>(answer: Result<tonic::Response<T>, Status>) -> Vec<String> {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    let details = status.get_error_details();
    let found = &details.bad_request().unwrap().field_violations;
    found.iter().map(|found| format!("{} {}", found.field, found.reason)).collect()
}

fn update(paths: &[&str], milestone: Milestone) -> UpdateMilestoneRequest {
    UpdateMilestoneRequest {
        milestone: Some(Milestone { name: NAME.into(), ..milestone }),
        update_mask: Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        ..UpdateMilestoneRequest::default()
    }
}

#[test]
fn a_creation_takes_every_field_that_callers_set_and_no_other() {
    let (mut world, _) = World::with_projects(&["road"]);
    let message = Milestone {
        name: "ignored".into(),
        translations: BTreeMap::from([("EN-us".into(), "Start".into())]),
        evidence: vec![samples::evidence("permit")],
        actual_date: day(2021, 6, 2),
        state: 2,
        state_reason: "ignored".into(),
        outlook: 99,
        nearness: 99,
        slippage: 99,
        variance_working_days: Some(99),
        forecast_sequence: 99,
        create_time: Some(prost_types::Timestamp::default()),
        update_time: Some(prost_types::Timestamp::default()),
        delete_time: Some(prost_types::Timestamp::default()),
        etag: "nonsense".into(),
        ..full()
    };
    let events = world.submit(command(create_one(create(message)))).unwrap();
    assert_eq!(kinds(&events), ["milestone.created"]);
    let created = world.milestone(&named("road", "start"));
    let now = Some(milepost_service::value::instant_message(world.now));
    let expected = Milestone {
        name: NAME.into(),
        state: milestone::State::Planned.into(),
        outlook: milestone::Outlook::AtRisk.into(),
        nearness: milestone::Nearness::Ahead.into(),
        slippage: milestone::Slippage::AtRisk.into(),
        variance_working_days: Some(3),
        forecast_sequence: 3,
        create_time: now,
        update_time: now,
        etag: "3".into(),
        ..full()
    };
    assert_eq!(created, expected);
}

#[test]
fn every_fault_of_a_creation_is_told_at_once() {
    let message = Milestone {
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
        ..Milestone::default()
    };
    let request = CreateMilestoneRequest {
        parent: "portfolios/wsc".into(),
        milestone_id: "Start".into(),
        ..create(message)
    };
    assert_eq!(
        faults(create_one(request)),
        [
            "parent INVALID_NAME",
            "milestone_id INVALID_ID",
            "milestone.baseline_date INVALID_DATE",
            "milestone.forecast_date PARTIAL_DATE",
            "milestone.display_name REQUIRED",
            "milestone.translations[\"no tag\"] INVALID_LANGUAGE_TAG",
            "milestone.type TOO_LONG",
            "milestone.code INVALID_CHARACTER",
            "milestone.weight OUT_OF_RANGE",
            "milestone.owner INVALID_NAME",
            "milestone.required_evidence[1] DUPLICATE",
            "milestone.required_evidence[2] REQUIRED",
            "milestone.remarks TOO_LONG",
            "milestone.duration_working_days OUT_OF_RANGE",
            "milestone.labels[\"No\"] INVALID_ID",
        ]
    );
}

#[test]
fn a_batch_tells_the_faults_of_all_its_requests() {
    let member = |parent: &str, id: &str| CreateMilestoneRequest {
        parent: parent.into(),
        milestone_id: id.into(),
        ..create(Milestone { display_name: "开工".into(), ..Milestone::default() })
    };
    let batch = |parent: &str, requests| BatchCreateMilestonesRequest {
        parent: parent.into(),
        requests,
        ..BatchCreateMilestonesRequest::default()
    };
    let (mut world, _) = World::with_projects(&["a", "road"]);
    let a = "portfolios/wsc/projects/a";
    let good = batch(IN_PORTFOLIO, vec![member(PARENT, "a"), member(a, "a"), member(PARENT, "")]);
    let events = world.submit(command(create_all(good))).unwrap();
    let projects: Vec<_> = events.iter().map(|event| event.project.as_str()).collect();
    assert_eq!(projects, [PARENT, a, PARENT]);
    let inherited = batch(PARENT, vec![member("", "b"), member(PARENT, "c")]);
    let events = world.submit(command(create_all(inherited))).unwrap();
    assert_eq!(events.iter().filter(|event| event.project == PARENT).count(), 2);

    let faulty = vec![
        member(PARENT, "a"),
        member("portfolios/other/projects/road", "b"),
        member(PARENT, "a"),
        member("", "c"),
        CreateMilestoneRequest { request_id: "r".into(), validate_only: true, ..member(PARENT, "d") },
        CreateMilestoneRequest { milestone: None, ..member(PARENT, "e") },
        // Of another project it is another one.
        member(a, "a"),
    ];
    assert_eq!(
        faults(create_all(batch(IN_PORTFOLIO, faulty))),
        [
            "requests[1].parent OTHER_PARENT",
            "requests[2].milestone_id DUPLICATE",
            "requests[3].parent REQUIRED",
            "requests[4].request_id NOT_ALLOWED",
            "requests[4].validate_only NOT_ALLOWED",
            "requests[5].milestone REQUIRED",
        ]
    );
    let other = batch(PARENT, vec![member(a, "x"), member("nonsense", "y")]);
    assert_eq!(
        faults(create_all(other)),
        ["requests[0].parent OTHER_PARENT", "requests[1].parent INVALID_NAME"]
    );
    let everywhere = batch("portfolios/-/projects/-", vec![member(PARENT, "a")]);
    assert_eq!(faults(create_all(everywhere)), ["parent INVALID_NAME"]);
    let many = |count| vec![member(PARENT, ""); count];
    assert!(faults(create_all(batch(PARENT, many(limits::BATCH_REQUESTS)))).is_empty());
    let more = batch(PARENT, many(limits::BATCH_REQUESTS + 1));
    assert_eq!(faults(create_all(more)), ["requests TOO_MANY"]);
}

#[test]
fn a_document_is_whole_and_its_hash_has_32_bytes() {
    let faults = |given: Evidence| faults(|violations| evidence(Some(given), violations));
    assert!(faults(samples::evidence("permit")).is_empty());
    for (sha256, reason) in
        [(vec![], "REQUIRED"), (vec![7; 31], "INVALID_LENGTH"), (vec![7; 33], "INVALID_LENGTH")]
    {
        let given = Evidence { sha256, title: " ".into(), uri: "x".repeat(2049), create_time: None };
        let expected = ["title SURROUNDING_BLANK", "uri TOO_LONG", &format!("sha256 {reason}")];
        assert_eq!(faults(given), expected.map(|fault| format!("evidence.{fault}")));
    }
    let long = Evidence { title: "名".repeat(201), ..samples::evidence("") };
    assert_eq!(faults(long), ["evidence.title TOO_LONG"]);
}

#[tokio::test]
async fn an_update_reads_what_its_mask_names() {
    let (_registry, tracker) = running().await;
    let client = &mut tracker.client.clone();
    client.create_milestone(create(Milestone { weight: Some(3), ..full() })).await.unwrap();
    let changed = |tracker: &Running| tracker.last_event().changed_fields;
    let given = Milestone { code: "M-2".into(), display_name: "开工".into(), ..Milestone::default() };
    // What is set.
    let set =
        client.update_milestone(update(&[], given.clone())).await.unwrap().into_inner().milestone.unwrap();
    assert_eq!((set.code.as_str(), set.weight, changed(&tracker)), ("M-2", Some(3), vec!["code".to_owned()]));
    // One field, also if it is not set.
    let named =
        client.update_milestone(update(&["weight"], Milestone { code: "M-3".into(), ..given.clone() }));
    let named = named.await.unwrap().into_inner().milestone.unwrap();
    assert_eq!((named.code.as_str(), named.weight), ("M-2", None));
    assert_eq!(changed(&tracker), ["weight"]);
    // All: what is not set is taken away, but for what only methods change.
    let all =
        client.update_milestone(update(&["*"], given.clone())).await.unwrap().into_inner().milestone.unwrap();
    let cleared =
        ["duration_working_days", "labels", "owner", "remarks", "required_evidence", "translations", "type"];
    assert_eq!(changed(&tracker), cleared);
    assert_eq!((all.baseline_date, all.forecast_date), (full().baseline_date, full().forecast_date));
    // What is not named cannot be at fault; what is named must be sound.
    let wrong = Milestone {
        code: "a\nb".into(),
        baseline_date: day(2021, 2, 30),
        remarks: "note".into(),
        ..Milestone::default()
    };
    client.update_milestone(update(&["remarks"], wrong.clone())).await.unwrap();
    assert_eq!(changed(&tracker), ["remarks"]);
    let faults =
        refused(client.update_milestone(update(&["code", "display_name", "state"], wrong.clone())).await);
    assert_eq!(faults, ["update_mask.paths[2] OUTPUT_ONLY"]);
    let faults = refused(client.update_milestone(update(&["code", "display_name"], wrong.clone())).await);
    assert_eq!(faults, ["milestone.display_name REQUIRED", "milestone.code INVALID_CHARACTER"]);
    let faults = refused(client.update_milestone(update(&[], wrong)).await);
    assert_eq!(faults, ["milestone.code INVALID_CHARACTER", "milestone.baseline_date INVALID_DATE"]);
    tracker.stop().await;
}

#[tokio::test]
async fn an_update_may_repeat_dates_and_changes_none() {
    let (_registry, tracker) = running().await;
    let client = &mut tracker.client.clone();
    let created = client.create_milestone(create(full())).await.unwrap().into_inner().milestone.unwrap();
    let position = tracker.service.position();
    for paths in [&[][..], &["*"]] {
        let same = client.update_milestone(update(paths, full())).await.unwrap().into_inner();
        assert_eq!(same.milestone.as_ref(), Some(&created), "{paths:?}");
        assert_eq!(tracker.service.position(), position, "{paths:?} leaves no trace");
        let dates = Milestone { baseline_date: day(2021, 6, 10), forecast_date: day(2021, 5, 27), ..full() };
        let faults = refused(client.update_milestone(update(paths, dates)).await);
        let expected =
            ["milestone.baseline_date CHANGED_BY_METHOD", "milestone.forecast_date CHANGED_BY_METHOD"];
        assert_eq!(faults, expected, "{paths:?}");
        // One that is left out is not taken away.
        let without = Milestone { baseline_date: None, forecast_date: None, ..full() };
        let same = client.update_milestone(update(paths, without)).await.unwrap().into_inner();
        assert_eq!(same.milestone.as_ref(), Some(&created), "{paths:?}");
    }
    // One that there was not is not given.
    let withdraw = ReforecastMilestoneRequest { name: NAME.into(), ..Default::default() };
    client.reforecast_milestone(withdraw).await.unwrap();
    let faults = refused(client.update_milestone(update(&[], full())).await);
    assert_eq!(faults, ["milestone.forecast_date CHANGED_BY_METHOD"]);
    tracker.stop().await;
}

#[tokio::test]
async fn each_field_is_changed_by_an_update_that_names_it_or_refused_with_what_changes_it() {
    let (_registry, tracker) = running().await;
    let client = &mut tracker.client.clone();
    let bare = Milestone { display_name: "x".into(), ..Milestone::default() };
    client.create_milestone(create(bare)).await.unwrap();
    let mut inputs = 0;
    for field in Milestone::FIELDS {
        let answer = client.update_milestone(update(&[field.name], full())).await;
        let reason = match field.access {
            Access::Input => {
                answer.unwrap();
                let changed = tracker.last_event().changed_fields;
                // There was no weight, and zero is one.
                assert_eq!(changed, [field.name]);
                inputs += 1;
                continue;
            }
            Access::Method(_) => "CHANGED_BY_METHOD",
            Access::Output(_) | Access::Meta => "OUTPUT_ONLY",
        };
        assert_eq!(refused(answer), [format!("update_mask.paths[0] {reason}")], "{}", field.name);
    }
    assert_eq!(inputs, 10);
    tracker.stop().await;
}

fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap());
    &POOL
}

/// How the schema says that a field behaves.
fn behaviours(field: &FieldDescriptor) -> Vec<i32> {
    let extension = pool().get_extension_by_name("google.api.field_behavior").unwrap();
    let options = field.options();
    let marks = options.get_extension(&extension);
    marks.as_list().unwrap().iter().filter_map(prost_reflect::Value::as_enum_number).collect()
}

fn is_required(field: &FieldDescriptor) -> bool {
    behaviours(field).contains(&(FieldBehavior::Required as i32))
}

/// One word for one rule: the schema says of a field what an update that names it is refused with.
#[test]
fn what_only_the_server_sets_is_output_only_and_what_a_method_changes_is_not() {
    let output_only = [FieldBehavior::OutputOnly as i32];
    let milestone = pool().get_message_by_name("milepost.tracker.v1.Milestone").unwrap();
    let served = methods(Milestone::SERVICE);
    assert_eq!(Milestone::FIELDS.len(), milestone.fields().len());
    for field in milestone.fields() {
        let said = behaviours(&field);
        let known = Milestone::FIELDS.iter().find(|known| known.name == field.name()).unwrap();
        match (known.access, field.name()) {
            (Access::Meta, "name") => assert_eq!(said, [FieldBehavior::Identifier as i32]),
            // It is given, to be compared.
            (Access::Meta, "etag") => assert!(said.is_empty()),
            (Access::Meta, name) => assert_eq!(said, output_only, "{name}"),
            (Access::Output(how), name) => {
                assert_eq!(said, output_only, "{name}");
                assert!(!how.is_empty(), "{name} does not say how it comes about");
            }
            (Access::Method(method), name) => {
                assert!(said.is_empty(), "{name}: {said:?}");
                assert!(served.iter().any(|served| served == method), "{name} is changed by {method}");
            }
            (Access::Input, name) => {
                let required = name == "display_name";
                assert_eq!((said.is_empty(), is_required(&field)), (!required, required), "{name}: {said:?}");
            }
        }
    }
}

#[tokio::test]
async fn dates_like_none_are_refused_everywhere() {
    let (_registry, mut tracker) = running().await;
    let client = &mut tracker.client;
    for (impossible, why) in [
        (day(2021, 2, 30), "INVALID_DATE"),
        (day(2021, 13, 1), "INVALID_DATE"),
        (day(2021, 5, 0), "PARTIAL_DATE"),
        (day(0, 0, 0), "PARTIAL_DATE"),
    ] {
        let (name, reason) = (|| NAME.to_owned(), || "r".to_owned());
        let request =
            ReforecastMilestoneRequest { name: name(), forecast_date: impossible, ..Default::default() };
        assert_eq!(refused(client.reforecast_milestone(request).await), [format!("forecast_date {why}")]);
        let request = RebaselineMilestoneRequest {
            name: name(),
            baseline_date: impossible,
            reason: reason(),
            ..Default::default()
        };
        assert_eq!(refused(client.rebaseline_milestone(request).await), [format!("baseline_date {why}")]);
        let request = AchieveMilestoneRequest { name: name(), actual_date: impossible, ..Default::default() };
        assert_eq!(refused(client.achieve_milestone(request).await), [format!("actual_date {why}")]);
        let request = PartiallyAchieveMilestoneRequest {
            name: name(),
            actual_date: impossible,
            reason: reason(),
            ..Default::default()
        };
        let partly = client.partially_achieve_milestone(request).await;
        assert_eq!(refused(partly), [format!("actual_date {why}")]);
        let request =
            AdvanceDateRequest { portfolio: "portfolios/wsc".into(), date: impossible, ..Default::default() };
        assert_eq!(refused(client.advance_date(request).await), [format!("date {why}")]);
    }
    tracker.stop().await;
}

#[test]
fn nonsense_is_told_short_whatever_its_size() {
    let huge = "x".repeat(10_000_000);
    let mut violations = Violations::new();
    let request = MissMilestoneRequest {
        name: huge.clone(),
        etag: huge.clone(),
        reason: huge.clone(),
        ..MissMilestoneRequest::default()
    };
    assert!(
        state_change(&request, (required_text, &request.reason), None, &mut violations, |_| Some(
            StateChange::Miss(None)
        ))
        .is_none()
    );
    assert_eq!(found(&violations), ["name INVALID_NAME", "etag INVALID_ETAG", "reason TOO_LONG"]);
    let milestone = Milestone {
        display_name: huge.clone(),
        owner: huge.clone(),
        labels: BTreeMap::from([(huge.clone(), huge.clone())]),
        translations: BTreeMap::from([(huge.clone(), huge.clone())]),
        ..Milestone::default()
    };
    let member =
        CreateMilestoneRequest { parent: huge.clone(), milestone_id: huge.clone(), ..create(milestone) };
    let batch = BatchCreateMilestonesRequest {
        parent: huge.clone(),
        requests: vec![member],
        ..BatchCreateMilestonesRequest::default()
    };
    assert!(create_several(batch, &mut violations).is_none());
    let evidence =
        Evidence { title: huge.clone(), uri: huge.clone(), sha256: huge.into(), create_time: None };
    self::evidence(Some(evidence), &mut violations);
    assert!(violations.count() > 10, "{}", violations.count());
    for violation in &violations {
        assert!(violation.description.len() < 1000 && violation.field.len() < 1000, "{}", violation.reason);
    }
}

/// What a call refuses for being required and not given.
async fn missing(
    tracker: &Running,
    service: &str,
    method: &str,
    request: DynamicMessage,
) -> BTreeSet<String> {
    let mut client = tonic::client::Grpc::new(tracker.channel.clone());
    client.ready().await.unwrap();
    let path = format!("/{service}/{method}").parse().unwrap();
    let codec = SmallBuffers::<DynamicMessage, ()>::default();
    let refused = refused(client.unary(tonic::Request::new(request), path, codec).await);
    refused.iter().filter_map(|fault| Some(fault.strip_suffix(" REQUIRED")?.to_owned())).collect()
}

/// The fields of a message that the schema calls REQUIRED, under this path.
fn required(message: &MessageDescriptor, under: &str) -> BTreeSet<String> {
    message.fields().filter(is_required).map(|field| format!("{under}{}", field.name())).collect()
}

/// Every field that the schema calls REQUIRED is asked for, under its own path, when it is absent.
#[tokio::test]
async fn every_required_field_is_asked_for() {
    let (_registry, tracker) = running().await;
    let services = [
        Milestone::SERVICE,
        ServiceRequest::SERVICE,
        TimelineEntry::SERVICE,
        TimelineRule::SERVICE,
        Inspection::SERVICE,
        Finding::SERVICE,
        RectificationOrder::SERVICE,
        Template::SERVICE,
        TemplateVersion::SERVICE,
        WarningPolicy::SERVICE,
        Warning::SERVICE,
        Excuse::SERVICE,
        Campaign::SERVICE,
    ];
    let (mut asked, mut checked) = (BTreeSet::new(), 0);
    for service in services {
        for method in pool().get_service_by_name(service).unwrap().methods() {
            let input = method.input();
            let expected = required(&input, "");
            let request = DynamicMessage::new(input.clone());
            assert_eq!(missing(&tracker, service, method.name(), request).await, expected);
            checked += expected.len();
            asked.insert(input.full_name().to_owned());
        }
    }
    // Messages within: what is asked of them stands under the field that holds them.
    let message = |name: &str| pool().get_message_by_name(&format!("milepost.tracker.v1.{name}")).unwrap();
    let hollow = |part: &str| prost_reflect::Value::Message(DynamicMessage::new(message(part)));
    for (service, method, field, part) in [
        (Milestone::SERVICE, "CreateMilestone", "milestone", "Milestone"),
        (Milestone::SERVICE, "AddMilestoneEvidence", "evidence", "Evidence"),
        (ServiceRequest::SERVICE, "CreateServiceRequest", "service_request", "ServiceRequest"),
        (TimelineEntry::SERVICE, "CreateTimelineEntry", "timeline_entry", "TimelineEntry"),
        (TimelineRule::SERVICE, "CreateTimelineRule", "timeline_rule", "TimelineRule"),
        (Inspection::SERVICE, "CreateInspection", "inspection", "Inspection"),
        (Finding::SERVICE, "CreateFinding", "finding", "Finding"),
        (Finding::SERVICE, "AddFindingEvidence", "evidence", "Evidence"),
        (
            RectificationOrder::SERVICE,
            "CreateRectificationOrder",
            "rectification_order",
            "RectificationOrder",
        ),
        (Template::SERVICE, "CreateTemplate", "template", "Template"),
        (TemplateVersion::SERVICE, "CreateTemplateVersion", "template_version", "TemplateVersion"),
        (WarningPolicy::SERVICE, "CreateWarningPolicy", "warning_policy", "WarningPolicy"),
        (Excuse::SERVICE, "CreateExcuse", "excuse", "Excuse"),
        (Campaign::SERVICE, "CreateCampaign", "campaign", "Campaign"),
    ] {
        let mut request = DynamicMessage::new(message(&format!("{method}Request")));
        request.set_field_by_name(field, hollow(part));
        let expected = required(&message(part), &format!("{field}."));
        let missing = missing(&tracker, service, method, request).await;
        assert!(expected.is_subset(&missing) && !expected.is_empty(), "{method}: {missing:?}");
        checked += expected.len();
        asked.insert(message(part).full_name().to_owned());
    }
    // And within lists.
    let entry = (TimelineEntry::SERVICE, "CreateTimelineEntry", "timeline_entry", "TimelineEntry");
    let rule = (TimelineRule::SERVICE, "CreateTimelineRule", "timeline_rule", "TimelineRule");
    let policy = (WarningPolicy::SERVICE, "CreateWarningPolicy", "warning_policy", "WarningPolicy");
    for ((service, method, field, of), list, part) in [
        (entry, "figures", "TimelineFigure"),
        (rule, "figures", "TimelineRuleFigure"),
        (policy, "tests", "WarningTest"),
        (policy, "steps", "WarningStep"),
    ] {
        let mut request = DynamicMessage::new(message(&format!("{method}Request")));
        let mut resource = DynamicMessage::new(message(of));
        resource.set_field_by_name(list, prost_reflect::Value::List(vec![hollow(part)]));
        request.set_field_by_name(field, prost_reflect::Value::Message(resource));
        let expected = required(&message(part), &format!("{field}.{list}[0]."));
        let missing = missing(&tracker, service, method, request).await;
        assert!(expected.is_subset(&missing) && !expected.is_empty(), "{method}: {missing:?}");
        checked += expected.len();
        asked.insert(message(part).full_name().to_owned());
    }
    // A band is in a list of a list.
    let mut test = DynamicMessage::new(message("WarningTest"));
    test.set_field_by_name("bands", prost_reflect::Value::List(vec![hollow("WarningBand")]));
    let mut resource = DynamicMessage::new(message("WarningPolicy"));
    let tests = vec![prost_reflect::Value::Message(test)];
    resource.set_field_by_name("tests", prost_reflect::Value::List(tests));
    let mut request = DynamicMessage::new(message("CreateWarningPolicyRequest"));
    request.set_field_by_name("warning_policy", prost_reflect::Value::Message(resource));
    let of_bands = missing(&tracker, WarningPolicy::SERVICE, "CreateWarningPolicy", request).await;
    let expected = required(&message("WarningBand"), "warning_policy.tests[0].bands[0].");
    assert!(expected.is_subset(&of_bands) && !expected.is_empty(), "{of_bands:?}");
    asked.insert(message("WarningBand").full_name().to_owned());
    let mut item = DynamicMessage::new(message("TemplateItem"));
    item.set_field_by_name("offset", hollow("TemplateOffset"));
    item.set_field_by_name("satisfies", prost_reflect::Value::List(vec![hollow("TemplateRequirement")]));
    let mut version = DynamicMessage::new(message("TemplateVersion"));
    version.set_field_by_name("items", prost_reflect::Value::List(vec![prost_reflect::Value::Message(item)]));
    let mut request = DynamicMessage::new(message("CreateTemplateVersionRequest"));
    request.set_field_by_name("template_version", prost_reflect::Value::Message(version));
    let missing = missing(&tracker, TemplateVersion::SERVICE, "CreateTemplateVersion", request).await;
    for (part, under) in
        [("TemplateItem", ""), ("TemplateOffset", "offset."), ("TemplateRequirement", "satisfies[0].")]
    {
        let expected = required(&message(part), &format!("template_version.items[0].{under}"));
        assert!(expected.is_subset(&missing) && !expected.is_empty(), "{part}: {missing:?}");
        checked += expected.len();
        asked.insert(message(part).full_name().to_owned());
    }
    for (field, part, is_list) in [
        ("members", "CampaignMember", true),
        ("criteria", "CampaignCriterion", true),
        ("veto", "CampaignVeto", false),
    ] {
        let mut request = DynamicMessage::new(message("CreateCampaignRequest"));
        let mut campaign = DynamicMessage::new(message("Campaign"));
        let value = if is_list { prost_reflect::Value::List(vec![hollow(part)]) } else { hollow(part) };
        campaign.set_field_by_name(field, value);
        request.set_field_by_name("campaign", prost_reflect::Value::Message(campaign));
        let at = if is_list { format!("campaign.{field}[0].") } else { format!("campaign.{field}.") };
        let expected = required(&message(part), &at);
        let missing = self::missing(&tracker, Campaign::SERVICE, "CreateCampaign", request).await;
        assert!(expected.is_subset(&missing) && !expected.is_empty(), "{part}: {missing:?}");
        asked.insert(message(part).full_name().to_owned());
    }
    let mut request = DynamicMessage::new(message("SignOffCampaignRequest"));
    request.set_field_by_name("exclusions", prost_reflect::Value::List(vec![hollow("CampaignExclusion")]));
    let expected = required(&message("CampaignExclusion"), "exclusions[0].");
    let missing = self::missing(&tracker, Campaign::SERVICE, "SignOffCampaign", request).await;
    assert!(expected.is_subset(&missing) && !expected.is_empty(), "{missing:?}");
    asked.insert(message("CampaignExclusion").full_name().to_owned());
    let package = pool().all_messages().filter(|message| message.package_name() == "milepost.tracker.v1");
    let with_required = package.filter(|message| message.fields().any(|field| is_required(&field)));
    let names = with_required.map(|message| message.full_name().to_owned());
    let unasked: Vec<_> = names.filter(|name| !asked.contains(name)).collect();
    assert!(unasked.is_empty(), "{unasked:?}");
    assert!(checked > 30, "{checked}");
    tracker.stop().await;
}

#[tokio::test]
async fn every_method_of_the_schema_is_served_and_no_other() {
    let registry = RegistryServer::running(Registry::new(3));
    let tracker = Running::idle(&registry);
    let RawService(entries) = tracker.service.serve::<TimelineEntry>(of_timeline_entries());
    let RawService(rules) = tracker.service.serve::<TimelineRule>(Vec::new());
    let request = || tonic::codegen::http::Request::new(Body::empty());
    for method in methods(TimelineEntry::SERVICE) {
        assert!(entries.answer(&method, request()).is_some(), "{method}");
    }
    for own in of_timeline_entries() {
        assert!(methods(TimelineEntry::SERVICE).iter().any(|method| method == own.0), "{}", own.0);
    }
    for method in methods(TimelineRule::SERVICE) {
        assert!(rules.answer(&method, request()).is_some(), "{method}");
    }
    let RawService(routes) = tracker.service.serve::<Milestone>(of_milestones());
    let answers = |method: &str| routes.answer(method, request()).is_some();
    let methods = methods(Milestone::SERVICE);
    assert_eq!(methods.len(), 21);
    for method in &methods {
        assert!(answers(method), "{method}");
    }
    for own in of_milestones() {
        assert!(methods.iter().any(|method| method == own.0), "{} is not in the schema", own.0);
    }
    let RawService(inspections) = tracker.service.serve::<Inspection>(of_inspections());
    let RawService(findings) = tracker.service.serve::<Finding>(of_findings());
    let RawService(orders) = tracker.service.serve::<RectificationOrder>(of_rectification_orders());
    for method in self::methods(Inspection::SERVICE) {
        assert!(inspections.answer(&method, request()).is_some(), "{method}");
    }
    for method in self::methods(Finding::SERVICE) {
        assert!(findings.answer(&method, request()).is_some(), "{method}");
    }
    for method in self::methods(RectificationOrder::SERVICE) {
        assert!(orders.answer(&method, request()).is_some(), "{method}");
    }
    let methods_of_policies = tracker.service.warning_policy_methods();
    let own_methods = methods_of_policies.iter().map(|(name, _)| (WarningPolicy::SERVICE, *name));
    for (service, own) in own_methods.chain(of_excuses().iter().map(|(name, _)| (Excuse::SERVICE, *name))) {
        assert!(self::methods(service).iter().any(|method| method == own), "{own} is not in the schema");
    }
    let RawService(warnings) = tracker.service.serve_read_only::<Warning>();
    assert_eq!(self::methods(Warning::SERVICE).len(), 2);
    for method in self::methods(Warning::SERVICE) {
        assert!(warnings.answer(&method, request()).is_some(), "{method}");
    }
    assert!(warnings.answer("CreateWarning", request()).is_none());
    for own in of_service_requests() {
        let methods = self::methods(ServiceRequest::SERVICE);
        assert!(methods.iter().any(|method| method == own.0), "{} is not in the schema", own.0);
    }
    for other in [
        "",
        "Unknown",
        "Get",
        "Milestone",
        "GetMilestones",
        "ListMilestone",
        "BatchGetMilestones",
        "GetPhase",
    ] {
        assert!(!answers(other), "{other}");
    }
    tracker.stop().await;
}

#[tokio::test]
async fn a_page_token_belongs_to_its_request() {
    let (_registry, tracker) = running().await;
    let client = &mut tracker.client.clone();
    for id in ["a", "b", "c"] {
        let forecast = Milestone { code: "a".into(), ..full() };
        let request = CreateMilestoneRequest { milestone_id: id.into(), ..create(forecast) };
        client.create_milestone(request).await.unwrap();
    }
    let first = ListMilestonesRequest {
        parent: PARENT.into(),
        filter: "code=a  AND state=STATE_PLANNED".into(),
        page_size: 1,
        ..ListMilestonesRequest::default()
    };
    let page_token = client.list_milestones(first.clone()).await.unwrap().into_inner().next_page_token;
    let again = ListMilestonesRequest {
        // The same said in another way, with another size.
        filter: "state = \"STATE_PLANNED\" code = \"a\"".into(),
        order_by: "name".into(),
        page_size: 3,
        page_token: page_token.clone(),
        ..first
    };
    let rest = client.list_milestones(again.clone()).await.unwrap().into_inner();
    let names: Vec<_> = rest.milestones.iter().map(|milestone| milestone.name.as_str()).collect();
    assert_eq!(names, ["b", "c"].map(|id| format!("{PARENT}/milestones/{id}")));
    assert_eq!(rest.next_page_token, "");
    for other in [
        ListMilestonesRequest { filter: String::new(), ..again.clone() },
        ListMilestonesRequest { show_deleted: true, ..again.clone() },
        ListMilestonesRequest { order_by: "name desc".into(), ..again.clone() },
        ListMilestonesRequest { order_by: "forecast_date".into(), ..again.clone() },
        ListMilestonesRequest { parent: IN_PORTFOLIO.into(), ..again.clone() },
    ] {
        let status = client.list_milestones(other.clone()).await.unwrap_err();
        assert_eq!(reason(&status), "PAGE_TOKEN_INVALID", "{other:?}");
    }
    let elsewhere = ListMilestoneForecastsRequest {
        name: format!("{PARENT}/milestones/a"),
        page_token,
        ..ListMilestoneForecastsRequest::default()
    };
    let status = client.list_milestone_forecasts(elsewhere).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "PAGE_TOKEN_INVALID"));
    tracker.stop().await;
}

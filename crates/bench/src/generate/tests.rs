//! What holds for every noun, found in the schemas, so that a new noun is checked without a line here.

use std::collections::{BTreeMap, HashMap, HashSet};

use milepost_proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, ReflectMessage,
    Value,
};

use super::value::{MARK, MARK_EN, day};
use super::world::{Plan, TIME_ZONE, World};
use super::{Step, steps};

pub(super) fn plan(projects: usize) -> Plan {
    Plan { seed: 7, projects, until: day(2025, 10, 31), time_zone: TIME_ZONE }
}

/// What a client may be sent in one answer.
const ANSWER_BYTES: usize = 4 << 20;

struct Schemas(DescriptorPool);

impl Schemas {
    fn new() -> Self {
        Self(DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap())
    }

    fn method(&self, path: &str) -> MethodDescriptor {
        let (service, method) = path.trim_start_matches('/').split_once('/').unwrap();
        let service = self.0.get_service_by_name(service).unwrap_or_else(|| panic!("no {service}"));
        service.methods().find(|it| it.name() == method).unwrap_or_else(|| panic!("no {path}"))
    }

    /// The pattern of a resource's names.
    fn pattern(&self, message: &MessageDescriptor) -> Option<String> {
        let extension = self.0.get_extension_by_name("google.api.resource").unwrap();
        let options = message.options();
        if !options.has_extension(&extension) {
            return None;
        }
        let resource = options.get_extension(&extension).into_owned();
        let patterns = resource.as_message().unwrap().get_field_by_name("pattern").unwrap().into_owned();
        Some(patterns.as_list().unwrap()[0].as_str().unwrap().to_owned())
    }

    /// The requests of a step, with their methods.
    fn decoded(&self, step: &Step) -> Vec<(MethodDescriptor, DynamicMessage)> {
        let decode = |request: &super::step::Request| {
            let method = self.method(request.method);
            let message = DynamicMessage::decode(method.input(), request.body.clone()).unwrap();
            assert_eq!(message.unknown_fields().count(), 0, "{}: {message}", request.method);
            (method, message)
        };
        step.requests.iter().map(decode).collect()
    }

    /// The names of the resources that a request makes.
    fn made(&self, parent: &str, request: &DynamicMessage) -> Vec<String> {
        let text = |name: &str| {
            let value = request.get_field_by_name(name).map(|value| value.as_str().unwrap().to_owned());
            value.unwrap_or_default()
        };
        let own = text("parent");
        let parent = if own.is_empty() { parent } else { &own };
        if let Some(requests) = request.get_field_by_name("requests") {
            let requests = requests.as_list().unwrap();
            return requests.iter().flat_map(|it| self.made(parent, it.as_message().unwrap())).collect();
        }
        if !request.descriptor().name().starts_with("Create") {
            return Vec::new();
        }
        let made = request.fields().filter_map(|(_, value)| {
            let pattern = self.pattern(&value.as_message()?.descriptor())?;
            let singular = request.descriptor().fields().find(|it| it.name().ends_with("_id"))?;
            let id = text(singular.name());
            let collection = pattern.rsplit('/').nth(1)?.to_owned();
            assert!(!id.is_empty(), "{request}");
            let parent = if parent.is_empty() { String::new() } else { format!("{parent}/") };
            Some(format!("{parent}{collection}/{id}"))
        });
        made.collect()
    }
}

/// Calls `see` with every value below a message, with its field.
fn walk(message: &DynamicMessage, see: &mut impl FnMut(&DynamicMessage, &FieldDescriptor, &Value)) {
    for (field, value) in message.fields() {
        let mut each = |value: &Value| {
            see(message, &field, value);
            if let Value::Message(below) = value {
                walk(below, see);
            }
        };
        match value {
            Value::List(values) => values.iter().for_each(&mut each),
            Value::Map(values) => values.values().for_each(&mut each),
            value => each(value),
        }
    }
}

fn all(projects: usize) -> (World, Vec<Step>) {
    let world = World::new(plan(projects));
    let steps = steps(&world).collect();
    (world, steps)
}

#[test]
fn the_same_plan_makes_the_same_requests_and_another_seed_makes_others() {
    let (_, first) = all(120);
    assert_eq!(first, all(120).1);
    let other: Vec<_> = steps(&World::new(Plan { seed: 8, ..plan(120) })).collect();
    assert_ne!(first, other);
}

#[test]
fn no_two_requests_have_one_request_id() {
    let (schemas, mut ids) = (Schemas::new(), HashSet::new());
    for step in all(120).1 {
        for (_, request) in schemas.decoded(&step) {
            let id = request.get_field_by_name("request_id").unwrap().as_str().unwrap().to_owned();
            assert!((1..=128).contains(&id.len()), "{id}");
            assert!(ids.insert(id.clone()), "{id} comes twice");
        }
    }
}

#[test]
fn stages_come_in_their_order() {
    let (_, steps) = all(120);
    assert!(steps.is_sorted_by_key(|step| step.stage));
}

#[test]
fn everything_that_is_named_was_made_in_an_earlier_stage_or_before_it_in_its_step() {
    let schemas = Schemas::new();
    let (mut made, mut of_stage, mut stage) = (HashSet::new(), Vec::new(), None);
    for step in all(120).1 {
        if stage.replace(step.stage) != Some(step.stage) {
            made.extend(std::mem::take(&mut of_stage));
        }
        let mut of_step = HashSet::new();
        for (method, request) in schemas.decoded(&step) {
            of_step.extend(schemas.made("", &request));
            walk(&request, &mut |message, field, value| {
                let Some(name) = value.as_str().filter(|text| is_name(text)) else { return };
                let name = name.trim_end_matches("/projects/-");
                assert!(
                    made.contains(name) || of_step.contains(name),
                    "{} names {name} in {}.{} before it is made",
                    method.full_name(),
                    message.descriptor().name(),
                    field.name()
                );
            });
        }
        of_stage.extend(of_step);
    }
}

fn is_name(text: &str) -> bool {
    ["portfolios/", "organizations/", "policyProgrammes/"].iter().any(|begin| text.starts_with(begin))
}

#[test]
fn what_people_call_something_is_marked_in_both_languages() {
    let schemas = Schemas::new();
    let mut marked: BTreeMap<String, usize> = BTreeMap::new();
    for step in all(120).1 {
        for (_, request) in schemas.decoded(&step) {
            walk(&request, &mut |message, field, value| {
                let resource = message.descriptor();
                if schemas.pattern(&resource).is_none() {
                    return;
                }
                match (field.name(), value) {
                    ("display_name" | "title" | "headline", Value::String(name)) => {
                        // In patterns of rules, brackets have a backslash before them.
                        let name = name.replace('\\', "");
                        assert!(name.starts_with(MARK), "{name}");
                        *marked.entry(resource.name().to_owned()).or_default() += 1;
                    }
                    ("translations", Value::String(name)) => {
                        let name = name.replace('\\', "");
                        assert!(name.starts_with(MARK_EN), "{name}");
                    }
                    _ => {}
                }
            });
        }
    }
    for resource in [
        "Portfolio",
        "Organization",
        "Project",
        "Phase",
        "Batch",
        "Milestone",
        "Alliance",
        "Activity",
        "Policy",
        "Collection",
        "Indicator",
        "ServiceRequest",
        "TimelineRule",
        "TimelineEntry",
    ] {
        assert!(marked.contains_key(resource), "no {resource} among {marked:?}");
    }
}

#[test]
fn there_is_as_much_as_the_plan_says() {
    let schemas = Schemas::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let (_, steps) = all(343);
    for step in &steps {
        let made: Vec<String> =
            schemas.decoded(step).iter().flat_map(|(_, request)| schemas.made("", request)).collect();
        assert!(step.resources >= made.len() as u64 || step.resources == 0, "{step:?}");
        for name in made {
            *counts.entry(name.rsplit('/').nth(1).unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(counts["portfolios"], 1);
    assert_eq!(counts["organizations"], 343);
    assert_eq!(counts["projects"], 343);
    assert_eq!(counts["milestones"], 343 * 30);
    assert!((6..=12).contains(&counts["batches"]), "{counts:?}");
    assert!(counts["phases"] > 30, "{counts:?}");
    assert_eq!((counts["policyProgrammes"], counts["policies"]), (3, 40 + 10 + 14));
    assert_eq!((counts["annualLists"], counts["timelineRules"]), (6, 1));
    assert_eq!(counts["collections"], 2 + 12, "two networks, and a valley for each district");
    assert_eq!(counts["indicators"], 6 + 5 * 8, "parts of all but the rate in eight districts");
    assert_eq!((counts["alliances"], counts["timelineEntries"]), (7, 343 / 20 + 12));
    assert!(counts["assignments"] > 200 && counts["serviceRequests"] > 300, "{counts:?}");
    assert!(counts["observations"] > 2_000 && counts["activities"] > 20, "{counts:?}");
}

#[test]
fn no_request_is_so_large_that_its_answer_would_be_refused() {
    for step in all(2_000).1 {
        for request in &step.requests {
            assert!(request.body.len() < ANSWER_BYTES * 3 / 4, "{}: {}", request.method, request.body.len());
        }
    }
}

#[test]
fn acts_on_one_thing_are_in_the_order_of_their_days() {
    let (schemas, mut acts) = (Schemas::new(), 0);
    let part = |date: &DynamicMessage, name: &str| date.get_field_by_name(name).unwrap().as_i32().unwrap();
    for step in all(120).1 {
        let mut last = HashMap::new();
        for (method, request) in schemas.decoded(&step) {
            let (Some(name), true) = (request.get_field_by_name("name"), request.has_field_by_name("date"))
            else {
                continue;
            };
            let value = request.get_field_by_name("date").unwrap();
            let date = value.as_message().unwrap();
            let day = (part(date, "year"), part(date, "month"), part(date, "day"));
            let before = last.insert(name.as_str().unwrap().to_owned(), day);
            assert!(before.is_none_or(|before| before <= day), "{}: {request}", method.name());
            acts += 1;
        }
    }
    assert!(acts > 300, "{acts}");
}

#[test]
fn periods_do_not_end_before_they_start_and_nothing_happened_after_the_last_day() {
    let schemas = Schemas::new();
    let (world, steps) = all(120);
    let part = |date: &DynamicMessage, name: &str| date.get_field_by_name(name).unwrap().as_i32().unwrap();
    let day = |value: &Value| {
        let date = value.as_message().unwrap();
        day(part(date, "year") as i16, part(date, "month") as i8, part(date, "day") as i8)
    };
    let mut acts = 0;
    for step in &steps {
        for (method, request) in schemas.decoded(step) {
            let act = !method.name().contains("Create") && !method.name().starts_with("Update");
            for field in ["start_date", "actual_date", "completion_date", "commission_date", "date"] {
                let Some(date) =
                    request.get_field_by_name(field).filter(|_| request.has_field_by_name(field))
                else {
                    continue;
                };
                acts += usize::from(act);
                assert!(!act || day(&date) <= world.plan.until, "{}: {request}", method.name());
            }
            walk(&request, &mut |message, field, value| {
                if field.name() == "reported_date" {
                    assert!(day(value) <= world.plan.until, "{message}");
                }
                if message.descriptor().name() == "Period" && field.name() == "end_date" {
                    let start = message.get_field_by_name("start_date").unwrap();
                    assert!(day(&start) <= day(value), "{message}");
                }
            });
        }
    }
    assert!(acts > 1_000, "{acts}");
}

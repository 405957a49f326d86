//! Inspections, findings and rectification orders: what may be done, by whom and when, and what days make of it.

use jiff::civil::date;
use milepost_ledger::{Actor, Authentication};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource as EventResource};
use milepost_proto::registry::v1 as registry;
use milepost_proto::resource::Creatable;
use milepost_proto::resource::Mutable;
use milepost_proto::tracker::v1::finding::{Severity, State as FindingState};
use milepost_proto::tracker::v1::inspection::{Kind, State as InspectionState};
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_proto::tracker::v1::review_rectification_order_request::Verdict;
use milepost_proto::tracker::v1::*;
use milepost_resource::{
    Custom, Name, Rules, Run, Standard, Target, date_message, read_create, read_list, read_update,
};
use milepost_service::access::Scopes;
use milepost_types::Violations;

use super::*;
use crate::command::Command;
use crate::decide::Tracker;
use crate::source::SourceEntry;
use crate::tests::registry::{Registry, deleted, portfolio, project};
use crate::tests::world::{World, command, kinds};

/// A Monday: what orders are due on, and the portfolio's current date when a world begins.
const DUE: jiff::civil::Date = date(2021, 5, 10);
const PROJECT: &str = "portfolios/wsc/projects/road";

fn name<R: Resource>(id: &str) -> Name<R> {
    format!("{PROJECT}/{}/{id}", R::TYPE.collections.last().unwrap()).parse().unwrap()
}

fn day(month: i8, day: i8) -> jiff::civil::Date {
    date(2021, month, day)
}

/// Who acts: a principal, and on whose behalf.
fn person(principal: &str, on_behalf_of: &str) -> Actor {
    Actor {
        principal: principal.into(),
        authentication: Authentication::Jwt,
        on_behalf_of: on_behalf_of.into(),
        credential: "jwt:1".into(),
    }
}

fn inspection(kind: Kind, follows: &str) -> Inspection {
    let follows = if follows.is_empty() { String::new() } else { name::<Inspection>(follows).to_string() };
    let (title, aspects) = ("巡查".into(), vec![Aspect::Quality.into(), Aspect::Safety.into()]);
    Inspection { title, kind: kind.into(), aspects, follows, ..Inspection::default() }
}

fn finding(inspection: &str, severity: Severity) -> Finding {
    Finding {
        inspection: name::<Inspection>(inspection).to_string(),
        title: "临边防护缺失".into(),
        aspect: Aspect::Safety.into(),
        severity: severity.into(),
        ..Finding::default()
    }
}

fn order(findings: &[&str], due: jiff::civil::Date) -> RectificationOrder {
    RectificationOrder {
        title: "限期整改".into(),
        findings: findings.iter().map(|id| name::<Finding>(id).to_string()).collect(),
        responsible: "organizations/builder".into(),
        due_date: Some(date_message(due)),
        issue_date: Some(date_message(day(4, 26))),
        ..RectificationOrder::default()
    }
}

fn act<R: Rules<Tracker>, A: Send + Sync + 'static>(
    id: &str,
    arguments: A,
    run: Run<Tracker, R, A>,
) -> Command {
    command(Custom::act(Target { name: name::<R>(id), etag: None }, arguments, run))
}

fn delete<R: Rules<Tracker>>(id: &str) -> Command {
    command(Box::new(Standard::<R>::Delete(Target { name: name::<R>(id), etag: None })))
}

fn undelete<R: Rules<Tracker>>(id: &str) -> Command {
    command(Box::new(Standard::<R>::Undelete(Target { name: name::<R>(id), etag: None })))
}

fn update<R: Rules<Tracker> + Mutable>(request: R::Update) -> Command {
    let mut violations = Violations::new();
    let act = read_update::<Tracker, R>(request, &mut violations);
    command(violations.finish(act).unwrap())
}

fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() })
}

fn answered(day: Option<jiff::civil::Date>) -> Command {
    let answer = Answer { text: "已整改".into(), evidence: Vec::new(), date: day };
    act("o", answer, super::answer as Run<_, _, _>)
}

fn reviewed(verdict: Verdict, day: Option<jiff::civil::Date>) -> Command {
    act("o", Review { verdict, reason: "不完整".into(), date: day }, review as Run<_, _, _>)
}

fn asked(due: jiff::civil::Date, day: Option<jiff::civil::Date>) -> Command {
    let request = ExtensionRequest { due, reason: "雨天".into(), date: day };
    act("o", request, request_extension as Run<_, _, _>)
}

fn granted(day: Option<jiff::civil::Date>) -> Command {
    act("o", ("同意".to_owned(), day), extend as Run<_, _, _>)
}

fn withdrawn(day: Option<jiff::civil::Date>) -> Command {
    act("o", ("误发".to_owned(), day), withdraw_order as Run<_, _, _>)
}

/// The kinds of the conditions that are not met.
fn unmet(refused: Result<Vec<Event>, Rejection>) -> Vec<&'static str> {
    match refused {
        Err(Rejection::Preconditions(conditions)) => {
            conditions.iter().map(|condition| condition.kind).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// The fields at fault, and how.
fn faults(refused: Result<Vec<Event>, Rejection>) -> Vec<(String, &'static str)> {
    match refused {
        Err(Rejection::Invalid(found)) => {
            found.iter().map(|fault| (fault.field.clone(), fault.reason)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn is_wrong_state(refused: &Result<Vec<Event>, Rejection>) -> bool {
    matches!(refused, Err(Rejection::WrongState { .. }))
}

/// The days on which events of a type are.
fn days_of(events: &[Event], kind: &str) -> Vec<jiff::civil::Date> {
    let of_kind = events.iter().filter(|event| event.r#type == format!("milepost.{kind}"));
    of_kind.map(|event| milepost_resource::date(event.event_date.as_ref()).unwrap()).collect()
}

impl World {
    fn create_of<R: Rules<Tracker> + Creatable>(
        &mut self,
        request: R::Create,
    ) -> Result<Vec<Event>, Rejection> {
        let mut violations = Violations::new();
        let act = read_create::<Tracker, R>(request, &mut violations, Violations::new());
        let command = violations.finish(act).map(command)?;
        self.submit(command)
    }

    fn plan(&mut self, id: &str, inspection: Inspection) -> Result<Vec<Event>, Rejection> {
        self.create_of::<Inspection>(CreateInspectionRequest {
            parent: PROJECT.into(),
            inspection_id: id.into(),
            inspection: Some(inspection),
            ..CreateInspectionRequest::default()
        })
    }

    /// Plans an inspection and completes it on a day.
    fn inspect(&mut self, id: &str, inspection: Inspection, on: jiff::civil::Date) {
        self.plan(id, inspection).unwrap();
        self.submit(act(id, (Some(on), Some(on)), complete as Run<_, _, _>)).unwrap();
    }

    fn find(&mut self, id: &str, finding: Finding) -> Result<Vec<Event>, Rejection> {
        self.create_of::<Finding>(CreateFindingRequest {
            parent: PROJECT.into(),
            finding_id: id.into(),
            finding: Some(finding),
            ..CreateFindingRequest::default()
        })
    }

    fn issue(&mut self, id: &str, order: RectificationOrder) -> Result<Vec<Event>, Rejection> {
        self.create_of::<RectificationOrder>(CreateRectificationOrderRequest {
            parent: PROJECT.into(),
            rectification_order_id: id.into(),
            rectification_order: Some(order),
            ..CreateRectificationOrderRequest::default()
        })
    }

    fn got<R: Rules<Tracker>>(&self, id: &str) -> R {
        milepost_resource::Rows::<Tracker>::new(&self.rows).get(&name::<R>(id)).unwrap().unwrap().into_inner()
    }

    fn order(&self) -> RectificationOrder {
        self.got("o")
    }

    fn state_of(&self, id: &str) -> FindingState {
        self.got::<Finding>(id).state()
    }

    fn light(&self) -> (Light, i32) {
        (self.order().light(), self.order().level)
    }

    /// Submits as somebody.
    fn by(&mut self, who: &str, command: Command) -> Result<Vec<Event>, Rejection> {
        self.actor = person(who, "");
        self.submit(command)
    }
}

/// A world on the due date, with an inspection `i` of 20 April that found `f`, and an order `o` of 26 April to put it
/// right by then.
fn ordered(severity: Severity) -> World {
    let (world, _) = followed(severity);
    world
}

/// The same, with the registry that it follows.
fn followed(severity: Severity) -> (World, Registry) {
    let (mut world, registry) = World::with_projects(&["road"]);
    world.now = "2021-04-29T04:00:00Z".parse().unwrap();
    world.advance(day(4, 29)).unwrap();
    world.actor = person("user:corp/inspector", "");
    world.inspect("i", inspection(Kind::Daily, ""), day(4, 20));
    world.find("f", finding("i", severity)).unwrap();
    world.issue("o", order(&["f"], DUE)).unwrap();
    (world, registry)
}

/// office.md, section 6: PLANNED→DONE|CANCELLED.
#[test]
fn an_inspection_is_done_or_cancelled_once_and_a_follow_up_follows_one_that_is_done() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance(day(5, 13)).unwrap();
    let planned = Inspection { planned_date: Some(date_message(day(6, 1))), ..inspection(Kind::Special, "") };
    let events = world.plan("i", planned).unwrap();
    assert_eq!(days_of(&events, "inspection.created"), [day(6, 1)]);
    let future = world.submit(act("i", (Some(day(5, 14)), None), complete as Run<_, _, _>));
    assert_eq!(faults(future), [("date".to_owned(), "DATE_IN_FUTURE")]);
    let early = world.submit(act("i", (Some(day(5, 12)), Some(day(5, 11))), complete as Run<_, _, _>));
    assert_eq!(faults(early), [("reported_date".to_owned(), "DATE_TOO_EARLY")]);
    // A follow-up of what is not done waits; of nothing, or beside another kind, it is none.
    world.plan("u", inspection(Kind::FollowUp, "i")).unwrap();
    let too_soon = world.submit(act("u", (None, None), complete as Run<_, _, _>));
    assert_eq!(unmet(too_soon), ["INSPECTION_NOT_DONE"]);
    assert_eq!(unmet(world.plan("v", inspection(Kind::FollowUp, "never"))), ["INSPECTION_NOT_FOUND"]);
    let refused = world.plan("v", inspection(Kind::FollowUp, ""));
    assert_eq!(faults(refused), [("inspection.follows".to_owned(), "REQUIRED")]);
    let refused = world.plan("v", inspection(Kind::Daily, "i"));
    assert_eq!(faults(refused), [("inspection.follows".to_owned(), "NOT_A_FOLLOW_UP")]);
    let elsewhere = "portfolios/wsc/projects/bridge/inspections/i".to_owned();
    let refused = world.plan("v", Inspection { follows: elsewhere, ..inspection(Kind::FollowUp, "i") });
    assert_eq!(faults(refused), [("inspection.follows".to_owned(), "OTHER_PARENT")]);
    let aspects = vec![2, 9, 2];
    let refused = world.plan("v", Inspection { aspects, ..inspection(Kind::Daily, "") });
    assert_eq!(
        faults(refused),
        [("inspection.aspects[1]", "UNKNOWN_ENUM_VALUE"), ("inspection.aspects[2]", "DUPLICATE")]
            .map(|(field, reason)| (field.to_owned(), reason))
    );
    let done = world.submit(act("i", (Some(day(5, 12)), None), complete as Run<_, _, _>)).unwrap();
    assert_eq!(
        (kinds(&done), days_of(&done, "inspection.done")),
        (vec!["inspection.done"], vec![day(5, 12)])
    );
    let found: Inspection = world.got("i");
    assert_eq!(found.state(), InspectionState::Done);
    let dates = (Some(date_message(day(5, 12))), Some(date_message(day(5, 13))));
    assert_eq!((found.inspection_date, found.reported_date), dates, "reported on the day of the commit");
    let before_it = world.submit(act("u", (Some(day(5, 11)), None), complete as Run<_, _, _>));
    assert_eq!(faults(before_it), [("date".to_owned(), "DATE_TOO_EARLY")]);
    let rows = world.rows.clone();
    for again in [
        act("i", (None, None), complete as Run<_, _, _>),
        act("i", ("雨".to_owned(), None), cancel as Run<_, _, _>),
        delete::<Inspection>("i"),
    ] {
        assert!(is_wrong_state(&world.submit(again)));
    }
    assert_eq!(world.rows, rows);
    let cancelled = world.submit(act("u", ("雨".to_owned(), None), cancel as Run<_, _, _>)).unwrap();
    assert_eq!(kinds(&cancelled), ["inspection.cancelled"]);
    world.submit(delete::<Inspection>("u")).unwrap();
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 6: a FOLLOW_UP follows an inspection that can be DONE before it.
#[test]
fn a_follow_up_follows_neither_itself_nor_in_a_circle_nor_what_is_cancelled() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance(day(5, 13)).unwrap();
    let follow = |id: &str, follows: &str| {
        let kind = Kind::FollowUp;
        let inspection = Inspection { name: name::<Inspection>(id).to_string(), ..inspection(kind, follows) };
        update::<Inspection>(UpdateInspectionRequest {
            inspection: Some(inspection),
            update_mask: mask(&["kind", "follows"]),
            ..UpdateInspectionRequest::default()
        })
    };
    for id in ["i", "j", "gone"] {
        world.plan(id, inspection(Kind::Daily, "")).unwrap();
    }
    world.plan("u", inspection(Kind::FollowUp, "i")).unwrap();
    world.plan("v", inspection(Kind::FollowUp, "u")).unwrap();
    world.submit(act::<Inspection, _>("gone", ("雨".to_owned(), None), cancel as Run<_, _, _>)).unwrap();
    let rows = world.rows.clone();
    assert_eq!(unmet(world.plan("w", inspection(Kind::FollowUp, "w"))), ["FOLLOWS_CYCLE"]);
    assert_eq!(unmet(world.plan("w", inspection(Kind::FollowUp, "gone"))), ["INSPECTION_CANCELLED"]);
    for (id, follows, expected) in [
        ("u", "u", "FOLLOWS_CYCLE"),
        ("u", "v", "FOLLOWS_CYCLE"),
        ("i", "v", "FOLLOWS_CYCLE"),
        ("u", "gone", "INSPECTION_CANCELLED"),
        ("u", "never", "INSPECTION_NOT_FOUND"),
    ] {
        assert_eq!(unmet(world.submit(follow(id, follows))), [expected], "{id} follows {follows}");
    }
    assert_eq!(world.rows, rows);
    // What is PLANNED may be followed, and what leads back no more, too.
    world.submit(follow("u", "j")).unwrap();
    world.submit(follow("i", "v")).unwrap();
    // What came to follow each other before this was refused stops nobody.
    for (id, follows) in [("x", "y"), ("y", "x")] {
        let mut stored: Inspection = world.got("u");
        stored.name = name::<Inspection>(id).to_string();
        stored.follows = name::<Inspection>(follows).to_string();
        let table = milepost_resource::Table::of::<Tracker, Inspection>();
        table.put(&mut world.rows, prost::Message::encode_to_vec(&stored).into()).unwrap();
    }
    world.plan("w", inspection(Kind::FollowUp, "x")).unwrap();
    // One that is CANCELLED with what it followed comes back as it was.
    for id in ["i", "v", "u", "j"] {
        world.submit(act::<Inspection, _>(id, ("雨".to_owned(), None), cancel as Run<_, _, _>)).unwrap();
    }
    world.submit(delete::<Inspection>("u")).unwrap();
    world.submit(undelete::<Inspection>("u")).unwrap();
    assert_eq!(unmet(world.plan("z", inspection(Kind::FollowUp, "u"))), ["INSPECTION_CANCELLED"]);
}

/// office.md, section 0: inspections and findings gain `reported_date` (absent: the commit day; never later).
#[test]
fn a_finding_is_of_an_inspection_that_is_done_and_its_days_follow_from_it() {
    let mut world = ordered(Severity::Minor);
    world.plan("p", inspection(Kind::Daily, "")).unwrap();
    assert_eq!(unmet(world.find("g", finding("p", Severity::Minor))), ["INSPECTION_NOT_DONE"]);
    assert_eq!(unmet(world.find("g", finding("never", Severity::Minor))), ["INSPECTION_NOT_DONE"]);
    let (found, reported) = (Some(date_message(day(4, 19))), Some(date_message(day(4, 30))));
    let refused = world
        .find("g", Finding { finding_date: found, reported_date: reported, ..finding("i", Severity::Minor) });
    assert_eq!(
        faults(refused),
        [("finding.finding_date", "DATE_TOO_EARLY"), ("finding.reported_date", "DATE_IN_FUTURE")]
            .map(|(field, reason)| (field.to_owned(), reason))
    );
    world.find("g", finding("i", Severity::Observation)).unwrap();
    let stored: Finding = world.got("g");
    assert_eq!(stored.finding_date, Some(date_message(day(4, 20))), "the day of the inspection");
    assert_eq!(stored.reported_date, Some(date_message(day(4, 29))), "the day of the commit");
    // What is OPEN may be changed, withdrawn and deleted; what is ORDERED may not.
    let change = |id: &str, severity: Severity| {
        update::<Finding>(UpdateFindingRequest {
            finding: Some(Finding {
                name: name::<Finding>(id).to_string(),
                severity: severity.into(),
                ..Finding::default()
            }),
            update_mask: mask(&["severity"]),
            ..UpdateFindingRequest::default()
        })
    };
    world.submit(change("g", Severity::Minor)).unwrap();
    assert!(is_wrong_state(&world.submit(change("f", Severity::Critical))));
    assert!(is_wrong_state(&world.submit(delete::<Finding>("f"))));
    let withdraw = |id: &str, on| act(id, ("重复".to_owned(), Some(on)), withdraw_finding as Run<_, _, _>);
    assert!(is_wrong_state(&world.submit(withdraw("f", day(4, 29)))));
    assert_eq!(faults(world.submit(withdraw("g", day(4, 19)))), [("date".to_owned(), "DATE_TOO_EARLY")]);
    let events = world.submit(withdraw("g", day(4, 21))).unwrap();
    assert_eq!(days_of(&events, "finding.withdrawn"), [day(4, 21)]);
    assert!(is_wrong_state(&world.submit(withdraw("g", day(4, 29)))));
    assert_eq!(unmet(world.issue("p", order(&["g"], DUE))), ["FINDING_NOT_OPEN"]);
    world.submit(delete::<Finding>("g")).unwrap();
    assert_eq!(unmet(world.issue("p", order(&["g"], DUE))), ["FINDING_NOT_FOUND"]);
    world.submit(undelete::<Finding>("g")).unwrap();
    assert_eq!(world.state_of("g"), FindingState::Withdrawn);
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn documents_of_findings_and_answers_are_kept_once_within_their_limits() {
    let mut world = ordered(Severity::Minor);
    let document =
        |uri: String| Evidence { title: "照片".into(), uri, sha256: vec![7; 32], create_time: None };
    let add = |uri: String| act("f", document(uri), add_evidence as Run<_, _, _>);
    assert_eq!(kinds(&world.submit(add("https://a".into())).unwrap()), ["finding.updated"]);
    assert_eq!(world.submit(add("https://a".into())).unwrap(), []);
    let too_long = world.submit(add("x".repeat(milepost_types::limits::FINDING_EVIDENCE_BYTES)));
    assert!(matches!(too_long, Err(Rejection::LimitExceeded { .. })), "{too_long:?}");
    for i in 1..20 {
        world.submit(add(format!("https://{i}"))).unwrap();
    }
    assert!(matches!(world.submit(add("https://b".into())), Err(Rejection::LimitExceeded { .. })));
    let answer = |uri: String| Answer { text: "已整改".into(), evidence: vec![document(uri)], date: None };
    let too_long = answer("x".repeat(milepost_types::limits::ORDER_EVIDENCE_BYTES));
    let too_long = world.submit(act("o", too_long, super::answer as Run<_, _, _>));
    assert!(matches!(too_long, Err(Rejection::LimitExceeded { .. })), "{too_long:?}");
    world.submit(act("o", answer("https://a".into()), super::answer as Run<_, _, _>)).unwrap();
    let stored = &world.order().answers[0].evidence;
    assert_eq!((stored.len(), stored[0].create_time.is_some()), (1, true));
}

/// office.md, section 6: ISSUED→ANSWERED→CLOSED, or RETURNED→ANSWERED; OPEN→ORDERED→CLOSED.
#[test]
fn an_order_is_answered_returned_answered_and_accepted_and_its_findings_close_with_it() {
    let mut world = ordered(Severity::Minor);
    assert_eq!(world.state_of("f"), FindingState::Ordered);
    assert_eq!(world.got::<Finding>("f").rectification_order, name::<RectificationOrder>("o").to_string());
    assert_eq!(world.light(), (Light::None, 0));
    assert_eq!(world.order().next_change_date, Some(date_message(day(5, 5))), "three working days before");
    let mut all = Vec::new();
    all.extend(world.by("user:corp/a", answered(Some(day(4, 27)))).unwrap());
    all.extend(world.by("user:corp/c", reviewed(Verdict::Return, Some(day(4, 28)))).unwrap());
    assert_eq!(world.light(), (Light::Yellow, 0));
    all.extend(world.by("user:corp/b", answered(None)).unwrap());
    all.extend(world.by("user:corp/c", reviewed(Verdict::Accept, None)).unwrap());
    let expected = [
        "rectification_order.answered",
        "rectification_order.returned",
        "rectification_order.light_changed",
        "rectification_order.answered",
        "rectification_order.light_changed",
        "rectification_order.closed",
        "finding.closed",
    ];
    assert_eq!(kinds(&all), expected);
    assert_eq!(all[2].caused_by, all[1].event_id);
    assert_eq!(all[6].caused_by, all[5].event_id);
    let closed = world.order();
    assert_eq!((closed.state(), closed.light(), closed.on_time), (State::Closed, Light::None, Some(true)));
    assert_eq!(closed.next_change_date, None);
    let [first, second] = &closed.answers[..] else { panic!("{:?}", closed.answers) };
    assert_eq!((first.return_reason.as_str(), second.return_reason.as_str()), ("不完整", ""));
    assert_eq!(second.answered_by.as_ref().unwrap().principal, "user:corp/b");
    let finding: Finding = world.got("f");
    assert_eq!((finding.state(), finding.rectification_order), (FindingState::Closed, closed.name));
    assert!(is_wrong_state(&world.submit(delete::<Finding>("f"))));
    assert_eq!(world.rebuilt(), world.rows);
}

/// What does something to the order `o`.
type Doing = fn() -> Command;

/// office.md, section 6: ISSUED→ANSWERED→CLOSED, or RETURNED→ANSWERED; WITHDRAWN.
#[test]
fn what_its_state_does_not_allow_is_refused_and_changes_nothing() {
    let acts: [(&str, &str, Doing); 7] = [
        ("answer", "user:corp/a", || answered(None)),
        ("accept", "user:corp/c", || reviewed(Verdict::Accept, None)),
        ("return", "user:corp/c", || reviewed(Verdict::Return, None)),
        ("ask", "user:corp/a", || asked(day(5, 20), None)),
        ("extend", "user:corp/c", || granted(None)),
        ("withdraw", "user:corp/i", || withdrawn(None)),
        ("delete", "user:corp/i", || delete::<RectificationOrder>("o")),
    ];
    let of = |wanted: &str| *acts.iter().find(|(verb, ..)| *verb == wanted).unwrap();
    for (way, allowed) in [
        (&[][..], &["answer", "ask", "withdraw"][..]),
        (&["ask"], &["answer", "ask", "extend", "withdraw"]),
        (&["ask", "extend"], &["answer", "withdraw"]),
        (&["ask", "answer"], &["accept", "return", "extend", "withdraw"]),
        (&["answer"], &["accept", "return", "withdraw"]),
        (&["answer", "return"], &["answer", "ask", "withdraw"]),
        (&["answer", "return", "answer"], &["accept", "return", "withdraw"]),
        (&["answer", "accept"], &[]),
        (&["withdraw"], &["delete"]),
        (&["answer", "withdraw"], &["delete"]),
    ] {
        for (verb, who, act) in acts {
            let mut world = ordered(Severity::Minor);
            for step in way {
                let (_, who, act) = of(step);
                world.by(who, act()).unwrap();
            }
            let rows = world.rows.clone();
            match world.by(who, act()) {
                Ok(_) => assert!(allowed.contains(&verb), "{verb} after {way:?}"),
                Err(Rejection::WrongState { .. } | Rejection::Preconditions(_) | Rejection::Invalid(_)) => {
                    assert!(!allowed.contains(&verb), "{verb} after {way:?}");
                    assert_eq!(world.rows, rows);
                }
                Err(other) => panic!("{verb} after {way:?}: {other}"),
            }
        }
    }
}

/// office.md, section 6: Review by another person than *any* answerer. §0: {principal, on_behalf_of} are disjoint, else
/// SAME_PERSON; an empty principal: ACTOR_UNKNOWN.
#[test]
fn nobody_who_answered_accepts_or_returns_also_not_who_answered_before() {
    let mut world = ordered(Severity::Minor);
    world.actor = Actor::default();
    assert_eq!(unmet(world.submit(answered(None))), ["ACTOR_UNKNOWN"], "nobody could review it");
    world.by("user:corp/a", answered(Some(day(4, 27)))).unwrap();
    world.by("user:corp/c", reviewed(Verdict::Return, Some(day(4, 28)))).unwrap();
    world.actor = person("user:corp/agent", "user:corp/b");
    world.submit(answered(None)).unwrap();
    let rows = world.rows.clone();
    for verdict in [Verdict::Accept, Verdict::Return] {
        for (principal, on_behalf_of, expected) in [
            ("user:corp/a", "", "SAME_PERSON"),
            ("user:corp/d", "user:corp/a", "SAME_PERSON"),
            ("user:corp/b", "", "SAME_PERSON"),
            ("user:corp/agent", "user:corp/d", "SAME_PERSON"),
            ("", "", "ACTOR_UNKNOWN"),
            ("", "user:corp/d", "ACTOR_UNKNOWN"),
        ] {
            world.actor = person(principal, on_behalf_of);
            assert_eq!(
                unmet(world.submit(reviewed(verdict, None))),
                [expected],
                "{principal} {on_behalf_of}"
            );
        }
    }
    assert_eq!(
        (world.state_of("f"), &world.rows),
        (FindingState::Ordered, &rows),
        "it is not closed by who answered"
    );
    world.by("user:corp/c", reviewed(Verdict::Accept, None)).unwrap();
    // A review of what moved on meanwhile, and an answer to what is reviewed.
    assert!(is_wrong_state(&world.by("user:corp/d", reviewed(Verdict::Return, None))));
    assert!(is_wrong_state(&world.by("user:corp/a", answered(None))));
}

/// office.md, section 6: MAJOR, CRITICAL need a later DONE follow-up: FOLLOW_UP.
#[test]
fn a_grave_finding_is_closed_after_a_follow_up_that_took_place_after_the_answer() {
    let mut world = ordered(Severity::Critical);
    world.inspect("j", inspection(Kind::Special, ""), day(4, 21));
    world.until(day(5, 13));
    world.by("user:corp/a", answered(Some(day(5, 6)))).unwrap();
    let accept = |on| reviewed(Verdict::Accept, Some(day(5, on)));
    let refuse = |world: &mut World, why: &str| {
        assert_eq!(unmet(world.by("user:corp/c", accept(12))), ["FOLLOW_UP"], "{why}");
    };
    refuse(&mut world, "there is none");
    world.inspect("same-day", inspection(Kind::FollowUp, "i"), day(5, 6));
    refuse(&mut world, "not after the answer");
    world.inspect("other", inspection(Kind::FollowUp, "j"), day(5, 7));
    refuse(&mut world, "of another inspection");
    world.inspect("special", inspection(Kind::Special, ""), day(5, 7));
    refuse(&mut world, "no follow-up");
    world.plan("planned", inspection(Kind::FollowUp, "i")).unwrap();
    refuse(&mut world, "not DONE");
    world.plan("gone", inspection(Kind::FollowUp, "i")).unwrap();
    world.submit(delete::<Inspection>("gone")).unwrap();
    world.inspect("later", inspection(Kind::FollowUp, "i"), day(5, 13));
    refuse(&mut world, "after the day of the review");
    // Both faults at once.
    assert_eq!(unmet(world.by("user:corp/a", accept(12))), ["SAME_PERSON", "FOLLOW_UP"]);
    let events = world.by("user:corp/c", accept(13)).unwrap();
    assert_eq!(days_of(&events, "finding.closed"), [day(5, 13)]);
    // Returned, it takes another one after the next answer.
    let mut world = ordered(Severity::Major);
    world.until(day(5, 13));
    world.by("user:corp/a", answered(Some(day(5, 6)))).unwrap();
    world.inspect("first", inspection(Kind::FollowUp, "i"), day(5, 7));
    world.by("user:corp/c", reviewed(Verdict::Return, Some(day(5, 7)))).unwrap();
    world.by("user:corp/a", answered(Some(day(5, 10)))).unwrap();
    assert_eq!(unmet(world.by("user:corp/c", accept(12))), ["FOLLOW_UP"]);
    world.inspect("second", inspection(Kind::FollowUp, "i"), day(5, 11));
    world.by("user:corp/c", accept(12)).unwrap();
}

/// office.md, section 6: Extend once, asked by due, granted by another person (TOO_LATE, ALREADY_EXTENDED).
#[test]
fn an_extension_is_asked_for_by_the_due_date_granted_once_by_another_person_and_moves_light_and_ladder() {
    let mut world = ordered(Severity::Minor);
    world.actor = person("user:corp/c", "");
    assert_eq!(unmet(world.submit(granted(None))), ["EXTENSION_NOT_REQUESTED"]);
    let events = world.until(day(5, 20));
    assert_eq!(days_of(&events, "rectification_order.light_changed"), [day(5, 5), day(5, 11)]);
    assert_eq!(days_of(&events, "rectification_order.escalated"), [day(5, 11), day(5, 18)]);
    assert_eq!(world.light(), (Light::Red, 2));
    assert_eq!(unmet(world.by("user:corp/a", asked(day(5, 31), None))), ["TOO_LATE"]);
    let not_later = world.by("user:corp/a", asked(DUE, Some(day(5, 7))));
    assert_eq!(faults(not_later), [("due_date".to_owned(), "DATE_TOO_EARLY")]);
    let both = faults(world.by("user:corp/a", asked(DUE, Some(day(5, 21)))));
    let expected = [("date", "DATE_IN_FUTURE"), ("due_date", "DATE_TOO_EARLY")];
    assert_eq!(both, expected.map(|(field, reason)| (field.to_owned(), reason)));
    world.actor = Actor::default();
    assert_eq!(unmet(world.submit(asked(day(5, 31), Some(DUE)))), ["ACTOR_UNKNOWN"]);
    // Asked on the due date, entered later; granted after it.
    let events = world.by("user:corp/a", asked(day(5, 24), Some(DUE))).unwrap();
    assert_eq!(kinds(&events), ["rectification_order.extension_requested"]);
    assert_eq!(world.light(), (Light::Red, 2), "it is not granted yet");
    assert_eq!(unmet(world.by("user:corp/a", granted(None))), ["SAME_PERSON"]);
    world.actor = person("", "");
    assert_eq!(unmet(world.submit(granted(None))), ["ACTOR_UNKNOWN"]);
    let events = world.by("user:corp/c", granted(None)).unwrap();
    assert_eq!(kinds(&events), ["rectification_order.extended", "rectification_order.light_changed"]);
    assert_eq!(world.light(), (Light::Blue, 0), "due on the 24th, a Monday: BLUE from the 19th on");
    assert_eq!(world.order().due_date, Some(date_message(day(5, 24))));
    assert_eq!(world.order().extension.unwrap().previous_due_date, Some(date_message(DUE)));
    // A second one is refused, whoever asks or grants, and whatever else is wrong with it.
    assert_eq!(unmet(world.by("user:corp/b", asked(day(6, 30), None))), ["ALREADY_EXTENDED"]);
    assert_eq!(unmet(world.by("user:corp/d", granted(None))), ["ALREADY_EXTENDED"]);
    let events = world.until(day(5, 28));
    assert_eq!(days_of(&events, "rectification_order.light_changed"), [day(5, 25)]);
    assert_eq!(days_of(&events, "rectification_order.escalated"), [day(5, 25)]);
    assert_eq!(unmet(world.by("user:corp/b", asked(day(6, 30), None))), ["ALREADY_EXTENDED", "TOO_LATE"]);
    assert_eq!(world.rebuilt(), world.rows);
    // In time is by the extended due date.
    world.by("user:corp/a", answered(Some(day(5, 24)))).unwrap();
    world.by("user:corp/c", reviewed(Verdict::Accept, None)).unwrap();
    assert_eq!(world.order().on_time, Some(true));
}

/// office.md, section 6: levels at +1, +6, +11 working days.
#[test]
fn days_escalate_an_order_to_three_levels_and_no_further() {
    let mut world = ordered(Severity::Minor);
    for (until, level) in
        [(day(5, 10), 0), (day(5, 11), 1), (day(5, 17), 1), (day(5, 18), 2), (day(5, 24), 2)]
    {
        world.until(until);
        assert_eq!(world.order().level, level, "{until}");
    }
    assert_eq!(world.order().next_change_date, Some(date_message(day(5, 25))));
    let events = world.until(day(5, 25));
    assert_eq!(days_of(&events, "rectification_order.escalated"), [day(5, 25)]);
    assert_eq!((world.light(), world.order().next_change_date), ((Light::Red, 3), None));
    assert_eq!(days_of(&world.until(day(12, 31)), "rectification_order.escalated"), []);
    // After downtime it is the same.
    let mut late = ordered(Severity::Minor);
    let events = late.until(day(12, 31));
    let days = [day(5, 11), day(5, 18), day(5, 25)];
    assert_eq!(
        (days_of(&events, "rectification_order.escalated"), late.light()),
        (days.to_vec(), (Light::Red, 3))
    );
    assert_eq!(late.rebuilt(), late.rows);
}

/// office.md, section 6: On time = the accepted answer came by due; waiting for review never counts.
#[test]
fn the_answer_that_is_accepted_decides_whether_it_was_in_time_however_long_the_review_takes() {
    for (answer, expected) in [(10, true), (11, false)] {
        let mut world = ordered(Severity::Minor);
        world.until(day(5, 11));
        world.by("user:corp/a", answered(Some(day(5, answer)))).unwrap();
        let events = world.until(day(6, 30));
        assert_eq!(days_of(&events, "rectification_order.escalated"), []);
        world.by("user:corp/c", reviewed(Verdict::Accept, None)).unwrap();
        assert_eq!(world.order().on_time, Some(expected), "{answer}");
    }
    // The first answer was in time, the one that is accepted was not.
    let mut world = ordered(Severity::Minor);
    world.until(day(5, 13));
    world.by("user:corp/a", answered(Some(DUE))).unwrap();
    world.by("user:corp/c", reviewed(Verdict::Return, Some(day(5, 11)))).unwrap();
    world.by("user:corp/a", answered(Some(day(5, 12)))).unwrap();
    world.by("user:corp/c", reviewed(Verdict::Accept, None)).unwrap();
    assert_eq!(world.order().on_time, Some(false));
    // While it waits for a review, a late answer may still be extended into time.
    let mut world = ordered(Severity::Minor);
    world.until(day(5, 13));
    world.by("user:corp/a", asked(day(5, 14), Some(day(5, 7)))).unwrap();
    world.by("user:corp/a", answered(Some(day(5, 12)))).unwrap();
    world.by("user:corp/c", granted(None)).unwrap();
    world.by("user:corp/c", reviewed(Verdict::Accept, None)).unwrap();
    assert_eq!(world.order().on_time, Some(true));
}

#[test]
fn days_of_acts_have_come_and_do_not_go_back_and_an_answer_dated_back_was_never_late() {
    let mut world = ordered(Severity::Minor);
    world.until(day(5, 18));
    assert_eq!(world.light(), (Light::Red, 2));
    let too_early = world.by("user:corp/a", answered(Some(day(4, 25))));
    assert_eq!(faults(too_early), [("date".to_owned(), "DATE_TOO_EARLY")]);
    let future = world.by("user:corp/a", answered(Some(day(5, 19))));
    assert_eq!(faults(future), [("date".to_owned(), "DATE_IN_FUTURE")]);
    let events = world.by("user:corp/a", answered(Some(day(5, 7)))).unwrap();
    assert_eq!(days_of(&events, "rectification_order.answered"), [day(5, 7)]);
    assert_eq!(world.light(), (Light::None, 0));
    let too_early = world.by("user:corp/c", reviewed(Verdict::Return, Some(day(5, 6))));
    assert_eq!(faults(too_early), [("date".to_owned(), "DATE_TOO_EARLY")]);
    // Returned after due: RED at once, and on the ladder as of the days that have passed since.
    let events = world.by("user:corp/c", reviewed(Verdict::Return, Some(day(5, 13)))).unwrap();
    let expected = [
        "rectification_order.returned",
        "rectification_order.light_changed",
        "rectification_order.escalated",
    ];
    assert_eq!(kinds(&events), expected);
    assert_eq!(world.light(), (Light::Red, 1), "14, 17 and 18 May count");
}

#[test]
fn an_order_that_is_issued_late_is_red_and_escalated_at_once() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance(day(5, 13)).unwrap();
    world.actor = person("user:corp/inspector", "");
    world.inspect("i", inspection(Kind::Daily, ""), day(4, 20));
    for id in ["f", "g", "h"] {
        world.find(id, finding("i", Severity::Minor)).unwrap();
    }
    let events = world.issue("o", order(&["f", "g"], day(5, 5))).unwrap();
    let expected = [
        "rectification_order.created",
        "finding.ordered",
        "finding.ordered",
        "rectification_order.light_changed",
        "rectification_order.escalated",
    ];
    assert_eq!(kinds(&events), expected);
    assert!(events[1..].iter().all(|event| event.caused_by == events[0].event_id));
    assert_eq!(days_of(&events, "finding.ordered"), [day(4, 26); 2], "the day of issue");
    let Some(Payload::RectificationOrderEscalated(escalated)) = &events[4].payload else { panic!() };
    assert_eq!(
        (escalated.previous_level, escalated.level),
        (0, 2),
        "6 May was the first working day after it"
    );
    // Every fault at once: days, findings of elsewhere, what is ordered already, twice, and not there.
    let faulty = RectificationOrder {
        findings: vec!["portfolios/wsc/projects/bridge/findings/f".into()],
        issue_date: Some(date_message(day(5, 14))),
        ..order(&[], day(5, 12))
    };
    assert_eq!(
        faults(world.issue("p", faulty)),
        [
            ("rectification_order.findings[0]", "OTHER_PARENT"),
            ("rectification_order.issue_date", "DATE_IN_FUTURE"),
            ("rectification_order.due_date", "DATE_TOO_EARLY"),
        ]
        .map(|(field, reason)| (field.to_owned(), reason))
    );
    let before_found =
        RectificationOrder { issue_date: Some(date_message(day(4, 19))), ..order(&["h"], DUE) };
    let refused = world.issue("p", before_found);
    assert_eq!(faults(refused), [("rectification_order.issue_date".to_owned(), "DATE_TOO_EARLY")]);
    let twice = world.issue("p", order(&["h", "h"], DUE));
    assert_eq!(faults(twice), [("rectification_order.findings[1]".to_owned(), "DUPLICATE")]);
    let rows = world.rows.clone();
    let refused = world.issue("p", order(&["f", "h", "never"], DUE));
    assert_eq!(
        unmet(refused),
        ["FINDING_NOT_OPEN", "FINDING_NOT_FOUND"],
        "in two live orders, and not there"
    );
    assert_eq!(world.rows, rows);
}

#[test]
fn an_order_that_is_withdrawn_frees_its_findings_for_another_one() {
    let mut world = ordered(Severity::Minor);
    world.until(day(5, 12));
    assert_eq!(world.light(), (Light::Red, 1));
    let events = world.submit(withdrawn(None)).unwrap();
    let expected = ["rectification_order.withdrawn", "finding.reopened", "rectification_order.light_changed"];
    assert_eq!(kinds(&events), expected);
    let finding: Finding = world.got("f");
    assert_eq!((finding.state(), finding.rectification_order.as_str()), (FindingState::Open, ""));
    assert_eq!(finding.state_date, Some(date_message(day(5, 12))));
    world.issue("p", RectificationOrder { issue_date: None, ..order(&["f"], day(5, 20)) }).unwrap();
    assert_eq!(world.got::<RectificationOrder>("p").issue_date, Some(date_message(day(5, 12))));
    assert_eq!(world.state_of("f"), FindingState::Ordered);
    // What is over can be deleted and come back, and touches its findings no more.
    world.submit(delete::<RectificationOrder>("o")).unwrap();
    world.submit(undelete::<RectificationOrder>("o")).unwrap();
    assert_eq!(world.state_of("f"), FindingState::Ordered);
    assert!(is_wrong_state(&world.submit(delete::<RectificationOrder>("p"))));
    let events = world.until(day(7, 1));
    assert!(events.iter().all(|event| !event.subject.ends_with("/o")), "what is withdrawn has no light");
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn findings_and_day_of_issue_of_an_order_are_fixed_and_its_due_date_moves_by_extension_alone() {
    let mut world = ordered(Severity::Minor);
    world.find("g", finding("i", Severity::Minor)).unwrap();
    let change = |order: RectificationOrder, paths: &[&str]| UpdateRectificationOrderRequest {
        rectification_order: Some(RectificationOrder {
            name: name::<RectificationOrder>("o").to_string(),
            ..order
        }),
        update_mask: mask(paths),
        ..UpdateRectificationOrderRequest::default()
    };
    let other = change(order(&["f", "g"], DUE), &["findings"]);
    let refused = world.submit(update::<RectificationOrder>(other));
    assert_eq!(faults(refused), [("rectification_order.findings".to_owned(), "FIXED")]);
    let stop =
        RectificationOrder { stop_work: true, title: "停工整改".into(), ..RectificationOrder::default() };
    let events =
        world.submit(update::<RectificationOrder>(change(stop.clone(), &["stop_work", "title"]))).unwrap();
    assert_eq!(events[0].changed_fields, ["stop_work", "title"]);
    let mut violations = Violations::new();
    let moved = change(order(&["f"], day(5, 31)), &["due_date"]);
    assert!(read_update::<Tracker, RectificationOrder>(moved, &mut violations).is_none());
    let found: Vec<_> = violations.iter().map(|fault| fault.reason).collect();
    assert_eq!(found, ["CHANGED_BY_METHOD"]);
    world.submit(withdrawn(None)).unwrap();
    let start = RectificationOrder::default();
    let refused = world.submit(update::<RectificationOrder>(change(start, &["stop_work"])));
    assert!(is_wrong_state(&refused));
    let labelled =
        RectificationOrder { labels: [("k".to_owned(), "v".to_owned())].into(), ..Default::default() };
    world.submit(update::<RectificationOrder>(change(labelled, &["labels"]))).unwrap();
}

/// The portfolio's working calendar is off on these days of May 2021 from now on.
fn recalendared(registry: &mut Registry, days: &[i8]) -> SourceEntry {
    let EventResource::PortfolioResource(portfolio) = portfolio("wsc") else { panic!() };
    let working_calendar = Some(registry::WorkingCalendar {
        holidays: days.iter().map(|of| date_message(day(5, *of))).collect(),
        ..registry::WorkingCalendar::default()
    });
    let portfolio = registry::Portfolio { working_calendar, ..portfolio };
    registry.append_events(vec![Event {
        r#type: "milepost.portfolio.updated".into(),
        changed_fields: vec!["working_calendar".into()],
        resource: Some(EventResource::PortfolioResource(portfolio)),
        ..Event::default()
    }])
}

/// office.md, section 6: BLUE ≤ 3 working days before due; levels at +1, +6, +11 working days.
#[test]
fn a_calendar_that_changes_moves_light_and_ladder_at_once_and_lowers_no_level() {
    let (mut world, mut registry) = followed(Severity::Minor);
    assert_eq!(world.order().next_change_date, Some(date_message(day(5, 5))));
    // Off on 4 to 7 May: the third working day before the 10th is 29 April, which is today.
    let events = world.ingest(recalendared(&mut registry, &[4, 5, 6, 7])).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "rectification_order.light_changed"]);
    assert_eq!(events[1].caused_by, format!("{}/{}/0", registry.log, registry.tail().sequence));
    assert_eq!(world.light(), (Light::Blue, 0));
    let events = world.ingest(recalendared(&mut registry, &[])).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "rectification_order.light_changed"]);
    assert_eq!(world.light(), (Light::None, 0));
    world.until(day(5, 18));
    assert_eq!(world.light(), (Light::Red, 2));
    // By another calendar it would be at level 1: it keeps 2, and rises when the eleventh working day comes.
    let events = world.ingest(recalendared(&mut registry, &[11, 12, 13])).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "rectification_order.updated"]);
    assert_eq!(world.light(), (Light::Red, 2));
    assert_eq!(world.order().next_change_date, Some(date_message(day(5, 28))));
    let labelled = UpdateRectificationOrderRequest {
        rectification_order: Some(RectificationOrder {
            name: name::<RectificationOrder>("o").to_string(),
            labels: [("k".to_owned(), "v".to_owned())].into(),
            ..RectificationOrder::default()
        }),
        update_mask: mask(&["labels"]),
        ..UpdateRectificationOrderRequest::default()
    };
    world.submit(update::<RectificationOrder>(labelled)).unwrap();
    assert_eq!(world.light(), (Light::Red, 2), "nor does another change lower it");
    let events = world.until(day(6, 1));
    assert_eq!(days_of(&events, "rectification_order.escalated"), [day(5, 28)]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 6: the level follows from the days on which the order waited for an answer: whatever is done, it is the
/// same if it was written on its day or later, as section 0 asks.
#[test]
fn an_order_that_is_written_after_the_fact_is_as_one_that_was_written_day_by_day() {
    type Step = (&'static str, fn(jiff::civil::Date) -> Command);
    const ANSWER: Step = ("user:corp/a", |on| answered(Some(on)));
    const RETURN: Step = ("user:corp/c", |on| reviewed(Verdict::Return, Some(on)));
    const ACCEPT: Step = ("user:corp/c", |on| reviewed(Verdict::Accept, Some(on)));
    const ASK: Step = ("user:corp/a", |on| asked(day(5, 24), Some(on)));
    const EXTEND: Step = ("user:corp/c", |on| granted(Some(on)));
    const WITHDRAW: Step = ("user:corp/i", |on| withdrawn(Some(on)));
    let written = |steps: &[(Step, jiff::civil::Date)], is_day_by_day: bool| {
        let mut world = ordered(Severity::Minor);
        let last = day(6, 30);
        world.until(if is_day_by_day { day(4, 29) } else { last });
        for ((who, command), on) in steps {
            if is_day_by_day {
                world.until(*on);
            }
            world.by(who, command(*on)).unwrap();
        }
        world.until(last);
        let order = world.order();
        (order.state(), order.light(), order.level, order.next_change_date, order.on_time)
    };
    // Before it is due, on the day, at each level, and a Saturday.
    let days =
        [(5, 4), (5, 7), (5, 10), (5, 11), (5, 15), (5, 18), (5, 26)].map(|(month, of)| day(month, of));
    let mut all = vec![Vec::new()];
    for (i, first) in days.into_iter().enumerate() {
        all.extend([vec![(ANSWER, first)], vec![(WITHDRAW, first)]]);
        if first <= DUE {
            all.push(vec![(ASK, first)]);
        }
        for second in days[i..].iter().copied() {
            all.extend([ACCEPT, RETURN, WITHDRAW].map(|next| vec![(ANSWER, first), (next, second)]));
            let again = [(ANSWER, first), (RETURN, second), (ANSWER, day(5, 27))];
            all.extend([ACCEPT, RETURN, WITHDRAW].map(|next| [&again[..], &[(next, day(5, 28))]].concat()));
            all.push(vec![(ANSWER, first), (RETURN, second), (WITHDRAW, day(5, 28))]);
            if first <= DUE {
                let extended = [(ASK, first), (EXTEND, second)];
                all.push(extended.to_vec());
                all.extend([ANSWER, WITHDRAW].map(|next| [&extended[..], &[(next, day(5, 27))]].concat()));
                all.push(vec![(ASK, first), (ANSWER, second), (EXTEND, second), (RETURN, day(5, 27))]);
            }
        }
    }
    for steps in all {
        let said: Vec<_> = steps.iter().map(|((who, _), on)| format!("{who} {on}")).collect();
        assert_eq!(written(&steps, false), written(&steps, true), "{said:?}");
    }
}

/// office.md, section 6: what was announced of the ladder is announced once, also if another calendar came in between.
#[test]
fn a_level_that_a_calendar_would_lower_is_kept_by_acts_that_take_no_day_back() {
    let steps: [(&str, &[Doing]); 4] = [
        ("returned", &[|| answered(None), || reviewed(Verdict::Return, None)]),
        ("withdrawn", &[|| withdrawn(None)]),
        ("accepted", &[|| answered(None), || reviewed(Verdict::Accept, None)]),
        ("waits for a review", &[|| answered(None)]),
    ];
    for (what, acts) in steps {
        let (mut world, mut registry) = followed(Severity::Minor);
        world.until(day(5, 18));
        world.ingest(recalendared(&mut registry, &[11, 12, 13])).unwrap();
        assert_eq!(world.light(), (Light::Red, 2), "the 18th would be the third working day");
        for (act, who) in acts.iter().zip(["user:corp/a", "user:corp/c"]) {
            let events = world.by(who, act()).unwrap();
            assert_eq!(days_of(&events, "rectification_order.escalated"), [], "{what}");
            assert_eq!(world.order().level, 2, "{what}");
        }
        // The days before the answer count again by the old calendar: what waits for nothing does not rise.
        world.ingest(recalendared(&mut registry, &[])).unwrap();
        world.ingest(recalendared(&mut registry, &[11, 12, 13])).unwrap();
        let events = world.until(day(6, 1));
        let rises = if what == "returned" { vec![day(5, 28)] } else { Vec::new() };
        assert_eq!(days_of(&events, "rectification_order.escalated"), rises, "{what}");
        assert_eq!(world.rebuilt(), world.rows);
    }
}

/// office.md, section 6: days on which it waits for a review never count, by whatever calendar they are worked.
#[test]
fn a_calendar_that_raises_the_days_before_an_answer_raises_no_level_until_it_is_returned() {
    let (mut world, mut registry) = followed(Severity::Minor);
    world.ingest(recalendared(&mut registry, &[11, 12, 13])).unwrap();
    world.until(day(5, 18));
    world.by("user:corp/a", answered(None)).unwrap();
    assert_eq!(world.order().level, 1);
    world.ingest(recalendared(&mut registry, &[])).unwrap();
    let labelled = UpdateRectificationOrderRequest {
        rectification_order: Some(RectificationOrder {
            name: name::<RectificationOrder>("o").to_string(),
            labels: [("k".to_owned(), "v".to_owned())].into(),
            ..RectificationOrder::default()
        }),
        update_mask: mask(&["labels"]),
        ..UpdateRectificationOrderRequest::default()
    };
    let events = world.submit(update::<RectificationOrder>(labelled)).unwrap();
    assert_eq!((kinds(&events), world.order().level), (vec!["rectification_order.updated"], 1));
    let events = world.by("user:corp/c", reviewed(Verdict::Return, None)).unwrap();
    assert_eq!(days_of(&events, "rectification_order.escalated"), [day(5, 18)]);
    assert_eq!(world.light(), (Light::Red, 2));
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 6: the light and the ladder, each change once, also after downtime and if a day is begun again.
#[test]
fn a_day_that_takes_several_entries_brings_everything_once_also_if_rows_are_made_anew_in_it() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.now = "2021-05-04T04:00:00Z".parse().unwrap();
    world.advance(day(5, 4)).unwrap();
    world.actor = person("user:corp/inspector", "");
    world.inspect("i", inspection(Kind::Daily, ""), day(4, 20));
    let ids: Vec<String> = (0..30).map(|i| format!("x{i:02}")).collect();
    for id in &ids {
        world.find(id, finding("i", Severity::Minor)).unwrap();
        world.issue(id, order(&[id], DUE)).unwrap();
    }
    world.domain.part_bytes = 2_000;
    world.now = "2021-05-18T04:00:00Z".parse().unwrap();
    let mut all = Vec::new();
    let before = world.entries.len();
    loop {
        let events = world.submit(crate::tests::world::advance(day(5, 18))).unwrap();
        if events.is_empty() {
            break;
        }
        // As after a server that was killed in the middle of the sweep.
        world.rows = world.rebuilt();
        all.extend(events);
    }
    assert!(world.entries.len() - before > 25, "{} entries", world.entries.len() - before);
    let of = |kind: &str, on: jiff::civil::Date| -> Vec<&str> {
        let of_day = all.iter().filter(|event| {
            event.r#type == format!("milepost.rectification_order.{kind}")
                && milepost_resource::date(event.event_date.as_ref()) == Some(on)
        });
        of_day.map(|event| event.subject.rsplit('/').next().unwrap()).collect()
    };
    assert_eq!(of("light_changed", day(5, 5)), ids, "BLUE");
    assert_eq!(of("light_changed", day(5, 11)), ids, "RED");
    assert_eq!(of("escalated", day(5, 11)), ids);
    assert_eq!(of("escalated", day(5, 18)), ids);
    let count = |kind: &str| days_of(&all, &format!("rectification_order.{kind}")).len();
    assert_eq!((count("light_changed"), count("escalated"), count("updated")), (60, 60, 0));
}

#[test]
fn what_is_in_a_deleted_project_is_not_acted_on_and_its_days_go_on() {
    let (mut world, mut registry) = followed(Severity::Minor);
    let gone = deleted(project("road"));
    world.ingest(registry.append(vec![("milepost.project.deleted", Some(gone))])).unwrap();
    let rows = world.rows.clone();
    assert!(world.by("user:corp/a", answered(None)).is_err());
    assert!(world.find("g", finding("i", Severity::Minor)).is_err());
    assert!(world.plan("j", inspection(Kind::Daily, "")).is_err());
    assert_eq!(world.rows, rows);
    let events = world.until(day(5, 11));
    assert_eq!(days_of(&events, "rectification_order.light_changed"), [day(5, 5), day(5, 11)]);
    world.ingest(registry.append(vec![("milepost.project.undeleted", Some(project("road")))])).unwrap();
    world.by("user:corp/a", answered(None)).unwrap();
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 6, lists: red; overdue by responsible; waiting for review.
#[test]
fn lists_find_what_is_red_by_who_is_responsible_and_what_waits_for_a_review() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance(day(5, 13)).unwrap();
    world.actor = person("user:corp/a", "");
    world.inspect("i", inspection(Kind::Daily, ""), day(4, 20));
    for (id, responsible, due) in
        [("p", "z", 5), ("q", "a", 12), ("r", "b", 31), ("s", "m", 6), ("t", "b", 12)]
    {
        world.find(id, finding("i", Severity::Minor)).unwrap();
        let responsible = format!("organizations/{responsible}");
        world.issue(id, RectificationOrder { responsible, ..order(&[id], day(5, due)) }).unwrap();
    }
    let answer = Answer { text: "已整改".into(), evidence: Vec::new(), date: None };
    world.submit(act("s", answer, super::answer as Run<_, _, _>)).unwrap();
    let listed = |filter: &str, order_by: &str| -> Vec<String> {
        let request = ListRectificationOrdersRequest {
            parent: "portfolios/wsc/projects/-".into(),
            filter: filter.into(),
            order_by: order_by.into(),
            ..ListRectificationOrdersRequest::default()
        };
        let list = read_list::<Tracker, RectificationOrder>(&request, &Scopes::everywhere()).unwrap();
        let rows = milepost_resource::Rows::new(&world.rows);
        let page = list.page::<Tracker, RectificationOrder>(&rows, world.now).unwrap();
        let id = |row| {
            let order: RectificationOrder = prost::Message::decode(row).unwrap();
            order.name.rsplit('/').next().unwrap().to_owned()
        };
        page.resources.into_iter().map(id).collect()
    };
    assert_eq!(listed("light = LIGHT_RED", ""), ["p", "q", "t"]);
    assert_eq!(listed("light = LIGHT_RED", "responsible"), ["q", "t", "p"]);
    assert_eq!(listed("light = LIGHT_RED", "due_date desc"), ["t", "q", "p"]);
    assert_eq!(listed("light = LIGHT_RED AND responsible = \"organizations/b\"", ""), ["t"]);
    assert_eq!(listed("state = STATE_ANSWERED", ""), ["s"]);
    assert_eq!(listed("level > 0 AND level < 2", ""), ["q", "s", "t"]);
    assert_eq!(listed(&format!("findings:\"{PROJECT}/findings/r\""), ""), ["r"]);
}

#[test]
fn an_order_that_cannot_be_read_is_named_and_stops_only_what_needs_it() {
    let (mut world, mut registry) = followed(Severity::Minor);
    world.find("g", finding("i", Severity::Minor)).unwrap();
    world.issue("p", order(&["g"], day(6, 10))).unwrap();
    let row = world.damage(&name::<RectificationOrder>("o"));
    let refused = world.by("user:corp/a", answered(None)).unwrap_err();
    assert!(refused.to_string().contains("tracker.rectification_order"), "{refused}");
    // Days begin without it, and what is due of it waits.
    let days = world.until(day(5, 5));
    assert_eq!(days_of(&days, "rectification_order.light_changed"), []);
    // The follower goes on, and names it; so does what is done to others.
    let answer = Answer { text: "已整改".into(), evidence: Vec::new(), date: None };
    world.submit(act("p", answer, super::answer as Run<_, _, _>)).unwrap();
    let events = world.ingest(recalendared(&mut registry, &[4, 5, 6, 7])).unwrap();
    assert_eq!(kinds(&events).last(), Some(&"source.skipped"));
    world.ingest(registry.project("bridge")).unwrap();
    world.put_row(&name::<RectificationOrder>("o"), row);
    let days = world.until(day(5, 6));
    assert_eq!(days_of(&days, "rectification_order.light_changed"), [day(5, 6)], "it was kept");
    assert_eq!(world.light(), (Light::Blue, 0));
    assert_eq!(world.rebuilt(), world.rows);
}

/// Whichever row of the index it is, and however many: the others have their days, and an order that can be read again has
/// its own.
#[test]
fn orders_that_cannot_be_read_keep_no_other_from_its_days() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.now = "2021-05-04T04:00:00Z".parse().unwrap();
    world.advance(day(5, 4)).unwrap();
    world.actor = person("user:corp/inspector", "");
    world.inspect("i", inspection(Kind::Daily, ""), day(4, 20));
    let ids = ["a", "b", "c", "d", "e"];
    for id in ids {
        world.find(id, finding("i", Severity::Minor)).unwrap();
        world.issue(id, order(&[id], DUE)).unwrap();
    }
    let damaged = ["a", "c", "e"].map(|id| (id, world.damage(&name::<RectificationOrder>(id))));
    let subjects = |events: &[Event], kind: &str| -> Vec<String> {
        let of_kind = events.iter().filter(|event| event.r#type.ends_with(kind));
        of_kind.map(|event| event.subject.rsplit('/').next().unwrap().to_owned()).collect()
    };
    // In many entries, too: each of them meets the rows again.
    world.domain.part_bytes = 500;
    let days = world.until(day(5, 11));
    assert_eq!(subjects(&days, "order.light_changed"), ["b", "d", "b", "d"], "BLUE, then RED");
    assert_eq!(subjects(&days, "order.escalated"), ["b", "d"]);
    assert_eq!(subjects(&days, "portfolio.date_advanced").len(), 7);
    for (id, row) in damaged {
        world.put_row(&name::<RectificationOrder>(id), row);
    }
    let days = world.until(day(5, 12));
    assert_eq!(subjects(&days, "order.light_changed"), ["a", "c", "e"], "RED at once");
    assert_eq!(subjects(&days, "order.escalated"), ["a", "c", "e"]);
    assert_eq!(world.until(day(5, 13)).len(), 1, "and nothing twice");
    assert_eq!(world.rebuilt(), world.rows);
}

/// An extension that is granted moves light and ladder once, whatever the light was, and days afterwards say nothing twice.
#[test]
fn a_due_date_that_moves_changes_the_light_once_and_the_days_go_by_the_new_one() {
    // Asked for on the 7th: granted while it is BLUE, on the day it is due, and when it is RED already.
    for granted_on in [day(5, 7), DUE, day(5, 12)] {
        let mut world = ordered(Severity::Minor);
        world.until(day(5, 7));
        world.by("user:corp/a", asked(day(5, 24), None)).unwrap();
        world.until(granted_on);
        let light_before = world.light();
        let moved = world.by("user:corp/c", granted(None)).unwrap();
        assert_eq!(days_of(&moved, "rectification_order.light_changed"), [granted_on]);
        assert_eq!(world.light(), (Light::None, 0), "{granted_on}: it was {light_before:?}");
        let after = world.until(day(6, 2));
        let lights = days_of(&after, "rectification_order.light_changed");
        assert_eq!(lights, [day(5, 19), day(5, 25)], "{granted_on}: BLUE, and RED");
        assert_eq!(days_of(&after, "rectification_order.escalated"), [day(5, 25), day(6, 1)], "{granted_on}");
        assert_eq!(world.rebuilt(), world.rows);
    }
}

/// Two people act at once: what comes second meets what the first made, and changes nothing where that does not allow it.
#[test]
fn an_answer_and_a_review_that_cross_are_decided_one_after_the_other() {
    let mut world = ordered(Severity::Minor);
    world.until(day(5, 7));
    // A review before there is an answer, and a second answer to one that waits for its review.
    assert!(is_wrong_state(&world.by("user:corp/c", reviewed(Verdict::Return, None))));
    world.by("user:corp/a", answered(None)).unwrap();
    let rows = world.rows.clone();
    assert!(is_wrong_state(&world.by("user:corp/b", answered(None))));
    assert_eq!(world.rows, rows, "the answer that is under review stays");
    // Two reviews: the first counts.
    world.by("user:corp/c", reviewed(Verdict::Return, None)).unwrap();
    assert!(is_wrong_state(&world.by("user:corp/d", reviewed(Verdict::Accept, None))));
    assert_eq!(world.order().answers[0].return_reason, "不完整");
    // Who read the order before the other acted is refused by the etag, whatever the state would allow.
    let read = world.order().etag;
    world.by("user:corp/a", answered(None)).unwrap();
    let stale = Target { name: name::<RectificationOrder>("o"), etag: Some(read.parse().unwrap()) };
    let accept = Review { verdict: Verdict::Accept, reason: String::new(), date: None };
    let refused =
        world.by("user:corp/c", command(Custom::act(stale, accept, review as Run<_, _, _>))).unwrap_err();
    assert!(matches!(refused, Rejection::StaleEtag { .. }), "{refused:?}");
    assert_eq!(world.order().state(), State::Answered);
    world.by("user:corp/c", reviewed(Verdict::Accept, None)).unwrap();
    assert!(
        is_wrong_state(&world.by("user:corp/a", answered(None))),
        "an answer that comes after the acceptance"
    );
    let order = world.order();
    assert_eq!((order.answers.len(), order.on_time), (2, Some(true)));
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 9, scenario 4, word for word but for the wire.
#[test]
fn scenario_4_order() {
    let mut world = ordered(Severity::Major);
    world.until(DUE);
    assert_eq!(world.order().due_date, Some(date_message(DUE)));
    world.by("user:corp/a", answered(None)).unwrap();
    assert_eq!(unmet(world.by("user:corp/a", reviewed(Verdict::Return, None))), ["SAME_PERSON"]);
    world.actor = person("user:corp/b", "user:corp/a");
    assert_eq!(unmet(world.submit(reviewed(Verdict::Return, None))), ["SAME_PERSON"]);
    world.actor = Actor::default();
    assert_eq!(unmet(world.submit(reviewed(Verdict::Return, None))), ["ACTOR_UNKNOWN"]);
    world.until(day(5, 11));
    let returned = world.by("user:corp/c", reviewed(Verdict::Return, None)).unwrap();
    assert_eq!(kinds(&returned), ["rectification_order.returned", "rectification_order.light_changed"]);
    assert_eq!(world.order().light(), Light::Red);
    world.by("user:corp/a", answered(None)).unwrap();
    assert_eq!(unmet(world.by("user:corp/c", reviewed(Verdict::Accept, None))), ["FOLLOW_UP"]);
}

/// What is planned to follow it could never be DONE.
#[test]
fn an_inspection_that_others_are_planned_to_follow_is_neither_cancelled_nor_deleted() {
    let mut world = ordered(Severity::Minor);
    world.plan("first", inspection(Kind::Daily, "")).unwrap();
    for id in ["a", "b", "c"] {
        world.plan(id, inspection(Kind::FollowUp, "first")).unwrap();
    }
    let cancelled = |id: &str| act(id, ("下雨".to_owned(), None), cancel as Run<_, _, _>);
    world.submit(cancelled("b")).unwrap();
    let rows = world.rows.clone();
    for command in [cancelled("first"), delete::<Inspection>("first")] {
        let Err(Rejection::Preconditions(found)) = world.submit(command) else { panic!() };
        let found: Vec<_> = found.iter().map(|found| (found.kind, found.subject.clone())).collect();
        let planned = ["a", "c"].map(|id| ("FOLLOW_UP_PLANNED", name::<Inspection>(id).to_string()));
        assert_eq!(found, planned);
    }
    assert_eq!(world.rows, rows);
    world.submit(cancelled("a")).unwrap();
    world.submit(delete::<Inspection>("c")).unwrap();
    world.submit(cancelled("first")).unwrap();
    world.submit(delete::<Inspection>("first")).unwrap();
    // What is DONE is followed by what is planned to.
    world.plan("d", inspection(Kind::FollowUp, "i")).unwrap();
    assert_eq!(world.rebuilt(), world.rows);
}

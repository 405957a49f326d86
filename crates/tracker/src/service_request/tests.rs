//! Service requests: what may be done, how the clock moves them, and who answers for them.

use jiff::ToSpan;
use jiff::civil::date;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::{
    CreateServiceRequestRequest, ListServiceRequestsRequest, ServiceRequest, UpdateServiceRequestRequest,
};
use milepost_resource::{Custom, ParentIds, Run, Standard, Target, read_create, read_list, read_update};
use milepost_service::access::Scopes;
use milepost_types::{Period, Violations};

use super::*;
use crate::command::Command;
use crate::decide::Tracker;
use crate::names::ServiceRequestName;
use crate::service_request::statistics::StatisticsRequest;
use crate::source::SourceEntry;
use crate::tests::registry::{Registry, assignment, deleted, portfolio};
use crate::tests::world::{World, command, kinds};

/// A Thursday: the portfolio's current date when a world begins.
const TODAY: Date = date(2021, 5, 13);
/// The Monday after it.
const DUE: Date = date(2021, 5, 17);
/// The day on which everything began.
const FIRST: Date = date(2021, 1, 1);

fn name(id: &str) -> ServiceRequestName {
    format!("portfolios/wsc/projects/road/serviceRequests/{id}").parse().unwrap()
}

fn draft(due: Option<Date>) -> ServiceRequest {
    ServiceRequest {
        title: "临时用电".into(),
        requester: "user:corp/unit-7".into(),
        due_date: due.map(date_message),
        ..ServiceRequest::default()
    }
}

fn creation(id: &str, request: ServiceRequest) -> Result<Command, Violations> {
    let request = CreateServiceRequestRequest {
        parent: "portfolios/wsc/projects/road".into(),
        service_request_id: id.into(),
        service_request: Some(request),
        ..CreateServiceRequestRequest::default()
    };
    let mut violations = Violations::new();
    let act = read_create::<Tracker, ServiceRequest>(request, &mut violations, Violations::new());
    violations.finish(act).map(command)
}

fn act<A: Send + Sync + 'static>(id: &str, arguments: A, run: Run<Tracker, ServiceRequest, A>) -> Command {
    command(Custom::act(Target { name: name(id), etag: None }, arguments, run))
}

fn said(text: &str, day: Option<Date>) -> (String, Option<Date>) {
    (text.to_owned(), day)
}

fn paused(day: Option<Date>) -> (String, String, Option<Date>) {
    ("等待图纸".to_owned(), "drawings".to_owned(), day)
}

fn rated(rating: i32, date: Option<Date>) -> Rating {
    Rating { rating, comment: "谢谢".into(), date }
}

/// A world with the project `road`, whose officer is `a` since the beginning.
fn world() -> (World, Registry) {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    let a = assignment("a", "user:corp/a", false, FIRST, None);
    world.ingest(registry.assign("milepost.assignment.created", &[a])).unwrap();
    world.advance(TODAY).unwrap();
    (world, registry)
}

impl World {
    fn ask(&mut self, id: &str, request: ServiceRequest) -> Result<Vec<Event>, Rejection> {
        let command = creation(id, request).map_err(Rejection::from)?;
        self.submit(command)
    }

    fn request(&self, id: &str) -> ServiceRequest {
        milepost_resource::Rows::<Tracker>::new(&self.rows).get(&name(id)).unwrap().unwrap().into_inner()
    }

    /// The days on which events of a type speak of requests, with their names' ids.
    fn announced(events: &[Event], kind: &str) -> Vec<(String, Option<Date>)> {
        let of_kind =
            events.iter().filter(|event| event.r#type == format!("milepost.service_request.{kind}"));
        let id = |event: &Event| event.subject.rsplit('/').next().unwrap_or_default().to_owned();
        of_kind.map(|event| (id(event), milepost_resource::date(event.event_date.as_ref()))).collect()
    }
}

/// The change of fields of a request.
fn update(request: ServiceRequest, paths: &[&str]) -> Command {
    let paths = paths.iter().map(ToString::to_string).collect();
    let request = UpdateServiceRequestRequest {
        service_request: Some(request),
        update_mask: Some(prost_types::FieldMask { paths }),
        ..UpdateServiceRequestRequest::default()
    };
    let mut violations = Violations::new();
    let act = read_update::<Tracker, ServiceRequest>(request, &mut violations);
    command(violations.finish(act).unwrap())
}

/// The kind and the fields of what is refused as invalid.
fn faults(rejection: Rejection) -> Vec<(String, &'static str)> {
    let Rejection::Invalid(violations) = rejection else { panic!("{rejection}") };
    violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

/// office.md, section 2: OPEN, ACCEPTED, ANSWERED, CLOSED; returned with a reason.
#[test]
fn a_request_is_accepted_answered_returned_answered_and_rated() {
    let (mut world, _) = world();
    let created = world.ask("r", draft(Some(DUE))).unwrap();
    assert_eq!(kinds(&created), ["service_request.created"]);
    let request = world.request("r");
    assert_eq!((request.state(), request.officer.as_str()), (State::Open, "user:corp/a"));
    assert_eq!(request.officer_assignment, "portfolios/wsc/projects/road/assignments/a");
    let today = Some(date_message(TODAY));
    assert_eq!((request.request_date, request.act_date, request.level), (today, today, 0));
    assert_eq!(date(request.escalation_date), DUE.tomorrow().ok(), "the day after it is due");
    let mut all = Vec::new();
    for command in [
        act("r", None, accept as Run<_, _, _>),
        act("r", said("已报装", None), answer as Run<_, _, _>),
        act("r", said("还没通电", None), return_answer as Run<_, _, _>),
        act("r", said("今天通电", None), answer as Run<_, _, _>),
        act("r", rated(5, None), rate as Run<_, _, _>),
    ] {
        all.extend(world.submit(command).unwrap());
    }
    let expected = ["accepted", "answered", "returned", "answered", "rated"];
    assert_eq!(kinds(&all), expected.map(|kind| format!("service_request.{kind}")));
    let closed = world.request("r");
    assert_eq!(
        (closed.state(), closed.rating, closed.rating_comment.as_str()),
        (State::Closed, Some(5), "谢谢")
    );
    assert_eq!((closed.rating_date, closed.escalation_date), (today, None));
    let [first, second] = &closed.answers[..] else { panic!("{:?}", closed.answers) };
    assert_eq!((first.return_date, first.return_reason.as_str()), (today, "还没通电"));
    assert_eq!(
        (second.text.as_str(), second.officer.as_str(), second.return_date),
        ("今天通电", "user:corp/a", None)
    );
    assert_eq!(world.rebuilt(), world.rows);

    fn date(message: Option<milepost_proto::google::r#type::Date>) -> Option<Date> {
        milepost_resource::date(message.as_ref())
    }
}

/// What does something to the request with an id.
type Doing = fn(&str) -> Command;

/// office.md, section 2: OPEN, ACCEPTED, ANSWERED, CLOSED; WITHDRAWN.
#[test]
fn what_its_state_does_not_allow_is_refused_and_changes_nothing() {
    let acts: [(&str, Doing); 7] = [
        ("accept", |id| act(id, None, accept as Run<_, _, _>)),
        ("answer", |id| act(id, said("a", None), answer as Run<_, _, _>)),
        ("return", |id| act(id, said("b", None), return_answer as Run<_, _, _>)),
        ("rate", |id| act(id, rated(3, None), rate as Run<_, _, _>)),
        ("withdraw", |id| act(id, said("", None), withdraw as Run<_, _, _>)),
        ("pause", |id| act(id, paused(None), pause as Run<_, _, _>)),
        ("resume", |id| act(id, None, resume as Run<_, _, _>)),
    ];
    let by_name = |wanted: &str| acts.iter().find(|(name, _)| *name == wanted).unwrap().1;
    // How a state is reached, and what it allows.
    for (way, allowed) in [
        (&[][..], &["accept", "withdraw", "pause"][..]),
        (&["pause"], &["accept", "withdraw", "resume"]),
        (&["accept"], &["answer", "withdraw", "pause"]),
        (&["accept", "pause"], &["withdraw", "resume"]),
        (&["accept", "answer"], &["return", "rate", "withdraw"]),
        (&["accept", "answer", "return"], &["answer", "withdraw", "pause"]),
        (&["accept", "answer", "rate"], &[]),
        (&["withdraw"], &[]),
        (&["pause", "withdraw"], &[]),
    ] {
        for (verb, act) in acts {
            let (mut world, _) = world();
            world.ask("r", draft(Some(DUE))).unwrap();
            way.iter().for_each(|step| drop(world.submit(by_name(step)("r")).unwrap()));
            let rows = world.rows.clone();
            match world.submit(act("r")) {
                Ok(_) => assert!(allowed.contains(&verb), "{verb} after {way:?}"),
                Err(Rejection::WrongState { action, .. }) => {
                    assert_eq!(action, verb);
                    assert!(!allowed.contains(&verb), "{verb} after {way:?}");
                    assert_eq!(world.rows, rows);
                }
                Err(other) => panic!("{verb} after {way:?}: {other}"),
            }
        }
    }
}

#[test]
fn a_day_of_an_act_has_come_and_is_not_before_the_last_act() {
    let (mut world, _) = world();
    let made = ServiceRequest { request_date: Some(date_message(date(2021, 5, 10))), ..draft(Some(DUE)) };
    world.ask("r", made).unwrap();
    let accepted = |day| act("r", Some(day), accept as Run<_, _, _>);
    let early = world.submit(accepted(date(2021, 5, 9))).unwrap_err();
    assert_eq!(faults(early), [("date".to_owned(), "DATE_TOO_EARLY")]);
    let future = world.submit(accepted(date(2021, 5, 14))).unwrap_err();
    assert_eq!(faults(future), [("date".to_owned(), "DATE_IN_FUTURE")]);
    world.submit(accepted(date(2021, 5, 12))).unwrap();
    let early =
        world.submit(act("r", said("a", Some(date(2021, 5, 11))), answer as Run<_, _, _>)).unwrap_err();
    assert_eq!(faults(early), [("date".to_owned(), "DATE_TOO_EARLY")]);
    let future = ServiceRequest { request_date: Some(date_message(date(2021, 5, 14))), ..draft(None) };
    let refused = world.ask("s", future).unwrap_err();
    assert_eq!(faults(refused), [("service_request.request_date".to_owned(), "DATE_IN_FUTURE")]);
    let nobody = ServiceRequest { requester: String::new(), ..draft(None) };
    assert_eq!(
        faults(world.ask("s", nobody).unwrap_err()),
        [("service_request.requester".to_owned(), "REQUIRED")]
    );
    let (requester, requester_organization) = (String::new(), "corp".to_owned());
    let no_name = ServiceRequest { requester, requester_organization, ..draft(None) };
    let refused = world.ask("s", no_name).unwrap_err();
    assert_eq!(faults(refused), [("service_request.requester_organization".to_owned(), "INVALID_NAME")]);
    let named = ServiceRequest { requester: "王芳".into(), ..draft(None) };
    let refused = world.ask("s", named).unwrap_err();
    assert_eq!(faults(refused), [("service_request.requester".to_owned(), "INVALID_PERSON")]);
}

/// office.md, section 2: level 1 the day after due, +1 each 5 working days, at most 3.
#[test]
fn days_escalate_a_request_one_by_one_also_after_downtime_and_a_rebuild() {
    let levels = |world: &World| (world.request("r").level, world.request("never").level);
    let (mut world, _) = world();
    world.ask("r", draft(Some(DUE))).unwrap();
    world.ask("never", draft(None)).unwrap();
    for (day, expected) in [(DUE, 0), (date(2021, 5, 18), 1), (date(2021, 5, 24), 1), (date(2021, 5, 25), 2)]
    {
        world.now = format!("{day}T04:00:00Z").parse().unwrap();
        world.advance(day).unwrap();
        assert_eq!(levels(&world), (expected, 0), "{day}");
        assert_eq!(world.rebuilt(), world.rows, "{day}");
    }
    // Nobody was there for six weeks, and the rows are made anew.
    world.rows = world.rebuilt();
    let later = date(2021, 7, 9);
    world.now = format!("{later}T04:00:00Z").parse().unwrap();
    let caught_up = world.advance(later).unwrap();
    assert_eq!(levels(&world), (3, 0));
    assert_eq!(World::announced(&caught_up, "escalated"), [("r".to_owned(), Some(date(2021, 6, 1)))]);
    assert_eq!(world.rebuilt(), world.rows);
    // The same in one go.
    let (mut other, _) = self::world();
    other.ask("r", draft(Some(DUE))).unwrap();
    other.now = world.now;
    let all = other.advance(later).unwrap();
    assert_eq!(World::announced(&all, "overdue"), [("r".to_owned(), Some(date(2021, 5, 18)))]);
    let escalated = [date(2021, 5, 25), date(2021, 6, 1)].map(|day| ("r".to_owned(), Some(day)));
    assert_eq!(World::announced(&all, "escalated"), escalated);
}

/// office.md, section 2: level 1 the day after it was due.
#[test]
fn what_is_late_when_it_is_said_is_overdue_at_once() {
    let (mut world, _) = world();
    let events = world.ask("r", draft(Some(date(2021, 5, 5)))).unwrap();
    assert_eq!(kinds(&events), ["service_request.created", "service_request.overdue"]);
    assert_eq!(events[1].caused_by, events[0].event_id);
    // The day after due is the 6th; five working days later it is the 13th.
    assert_eq!(world.request("r").level, 2);
    // Answered in time, it is not; returned after it was due, it is at once.
    world.ask("s", draft(Some(DUE))).unwrap();
    world.submit(act("s", None, accept as Run<_, _, _>)).unwrap();
    world.submit(act("s", said("a", None), answer as Run<_, _, _>)).unwrap();
    world.now = "2021-05-28T04:00:00Z".parse().unwrap();
    let days = world.advance(date(2021, 5, 28)).unwrap();
    assert!(!World::announced(&days, "overdue").iter().any(|(id, _)| id == "s"));
    let returned = world.submit(act("s", said("b", None), return_answer as Run<_, _, _>)).unwrap();
    assert_eq!(kinds(&returned), ["service_request.returned", "service_request.overdue"]);
    assert_eq!(world.request("s").level, 1);
    // A later due date takes it back.
    let later = ServiceRequest {
        name: name("s").to_string(),
        due_date: Some(date_message(date(2021, 6, 1))),
        ..Default::default()
    };
    let update = update(later, &["due_date"]);
    assert_eq!(kinds(&world.submit(update).unwrap()), ["service_request.updated"]);
    assert_eq!(world.request("s").level, 0);
}

/// A portfolio that is off from 1 to 5 May 2021 and works on Saturday, 8 May.
fn with_holidays(resource: Resource) -> Resource {
    let Resource::PortfolioResource(portfolio) = resource else { panic!() };
    let day = |day| date_message(date(2021, 5, day));
    let working_calendar = Some(registry::WorkingCalendar {
        holidays: (1..=5).map(day).collect(),
        make_up_days: vec![day(8)],
        ..registry::WorkingCalendar::default()
    });
    Resource::PortfolioResource(registry::Portfolio { working_calendar, ..portfolio })
}

/// office.md, section 2: pausing and resuming move the due date by working days, kept through a hand-over.
#[test]
fn a_pause_over_holidays_and_through_a_hand_over_moves_the_due_date_by_working_days() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    let calendar = with_holidays(portfolio("wsc"));
    world.ingest(registry.append(vec![("milepost.portfolio.updated", Some(calendar))])).unwrap();
    let a = assignment("a", "user:corp/a", true, FIRST, None);
    world.ingest(registry.assign("milepost.assignment.created", &[a])).unwrap();
    world.now = "2021-04-29T04:00:00Z".parse().unwrap();
    world.advance(date(2021, 4, 29)).unwrap();
    // Due on Friday, 30 April; paused on the Thursday before.
    world.ask("r", draft(Some(date(2021, 4, 30)))).unwrap();
    let events = world.submit(act("r", paused(None), pause as Run<_, _, _>)).unwrap();
    assert_eq!(kinds(&events), ["service_request.paused"]);
    let Some(Payload::ServiceRequestPaused(said)) = &events[0].payload else { panic!("{events:?}") };
    assert_eq!((said.reason.as_str(), said.code.as_str()), ("等待图纸", "drawings"));
    assert_eq!(events[0].event_date, Some(date_message(date(2021, 4, 29))));
    let pause_of = &world.request("r").pauses[0];
    assert_eq!((pause_of.code.as_str(), pause_of.start_date), ("drawings", events[0].event_date));
    assert_eq!(world.request("r").escalation_date, None);
    world.now = "2021-05-10T04:00:00Z".parse().unwrap();
    let days = world.advance(date(2021, 5, 10)).unwrap();
    assert_eq!(World::announced(&days, "overdue"), [], "it is paused");
    // While it is paused it passes to another officer.
    let old = assignment("a", "user:corp/a", true, FIRST, Some(date(2021, 5, 9)));
    let new = assignment("b", "user:corp/b", true, date(2021, 5, 10), None);
    let handed_over = world.ingest(registry.assign("milepost.assignment.handed_over", &[old, new])).unwrap();
    assert_eq!(kinds(&handed_over), ["source.followed", "service_request.officer_changed"]);
    assert!(matches!(
        world.submit(act("r", paused(None), pause as Run<_, _, _>)),
        Err(Rejection::WrongState { .. })
    ));
    let resumed = world.submit(act("r", None, resume as Run<_, _, _>)).unwrap();
    assert_eq!(kinds(&resumed), ["service_request.resumed"]);
    let request = world.request("r");
    // 30 April, 6, 7, 8 and 10 May are worked: five days after 30 April is Tuesday, 11 May.
    assert_eq!(request.pauses[0].working_days, 5);
    assert_eq!(request.due_date, Some(date_message(date(2021, 5, 11))));
    assert_eq!((request.officer.as_str(), request.level), ("user:corp/b", 0));
    world.now = "2021-05-12T04:00:00Z".parse().unwrap();
    let days = world.advance(date(2021, 5, 12)).unwrap();
    assert_eq!(World::announced(&days, "overdue"), [("r".to_owned(), Some(date(2021, 5, 12)))]);
    // Paused when it is overdue, it does not escalate; the second pause moves the date again.
    world.submit(act("r", paused(None), pause as Run<_, _, _>)).unwrap();
    world.now = "2021-06-30T04:00:00Z".parse().unwrap();
    assert_eq!(World::announced(&world.advance(date(2021, 6, 30)).unwrap(), "escalated"), []);
    world.submit(act("r", Some(date(2021, 5, 13)), resume as Run<_, _, _>)).unwrap();
    assert_eq!(world.request("r").due_date, Some(date_message(date(2021, 5, 12))));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_due_date_that_is_set_after_a_pause_is_overdue_without_the_days_of_the_pause() {
    for due in [None, Some(date(2021, 6, 30))] {
        let (mut world, _) = world();
        world.ask("r", draft(due)).unwrap();
        world.submit(act("r", paused(None), pause as Run<_, _, _>)).unwrap();
        world.now = "2021-05-20T04:00:00Z".parse().unwrap();
        world.advance(date(2021, 5, 20)).unwrap();
        world.submit(act("r", None, resume as Run<_, _, _>)).unwrap();
        let resumed = world.request("r");
        let pause = &resumed.pauses[0];
        assert_eq!((pause.previous_due_date, pause.due_date), (due.map(date_message), resumed.due_date));
        assert_eq!(pause.working_days, if due.is_some() { 5 } else { 0 });
        // Overdue since the day before the pause: the five working days after it bring the next level.
        let due_date = Some(date_message(date(2021, 5, 11)));
        let named = ServiceRequest { name: resumed.name, due_date, ..ServiceRequest::default() };
        world.submit(update(named, &["due_date"])).unwrap();
        let late = world.request("r");
        assert_eq!((late.level, late.escalation_date), (1, Some(date_message(date(2021, 5, 26)))), "{due:?}");
        assert_eq!(world.rebuilt(), world.rows);
    }
}

/// office.md, section 2: the officer is the lead, kept through a hand-over.
#[test]
fn a_hand_over_changes_the_officer_of_what_is_not_over_and_names_its_cause() {
    let (mut world, mut registry) = world();
    for id in ["open", "closed"] {
        world.ask(id, draft(None)).unwrap();
    }
    world.submit(act("closed", said("", None), withdraw as Run<_, _, _>)).unwrap();
    let old = assignment("a", "user:corp/a", false, FIRST, Some(date(2021, 5, 12)));
    let new = assignment("b", "user:corp/b", false, TODAY, None);
    let entry = registry.assign("milepost.assignment.handed_over", &[old, new]);
    let events = world.ingest(entry.clone()).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "service_request.officer_changed"]);
    assert_eq!(events[1].subject, name("open").to_string());
    assert_eq!(events[1].caused_by, format!("{}/{}/0", registry.log, registry.tail().sequence));
    assert_eq!(events[1].changed_fields, ["officer", "officer_assignment"]);
    assert_eq!(
        [world.request("open"), world.request("closed")].map(|request| request.officer),
        ["user:corp/b", "user:corp/a"]
    );
    assert_eq!(world.ingest(entry).unwrap(), [], "once");
    // A second officer who does not lead changes nothing; who leads does.
    let second = assignment("c", "user:corp/c", false, FIRST, None);
    let lead = assignment("b", "user:corp/b", true, TODAY, None);
    let events = world.ingest(registry.assign("milepost.assignment.updated", &[lead, second])).unwrap();
    assert_eq!(kinds(&events), ["source.followed"]);
    let gone = Resource::AssignmentResource(assignment("b", "user:corp/b", true, TODAY, None));
    let events =
        world.ingest(registry.append(vec![("milepost.assignment.deleted", Some(deleted(gone)))])).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "service_request.officer_changed"]);
    assert_eq!(world.request("open").officer, "user:corp/c", "one that is left alone leads");
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_day_changes_the_officer_where_an_assignment_ends_or_begins_by_it() {
    let (mut world, mut registry) = world();
    world.ask("r", draft(Some(date(2021, 5, 20)))).unwrap();
    let ends = assignment("a", "user:corp/a", false, FIRST, Some(date(2021, 5, 20)));
    let begins = assignment("b", "user:corp/b", false, date(2021, 5, 24), None);
    let events = world.ingest(registry.assign("milepost.assignment.updated", &[ends, begins])).unwrap();
    assert_eq!(kinds(&events), ["source.followed"], "not today");
    world.now = "2021-05-31T04:00:00Z".parse().unwrap();
    let days = world.advance(date(2021, 5, 31)).unwrap();
    let changed = [date(2021, 5, 21), date(2021, 5, 24)].map(|day| ("r".to_owned(), Some(day)));
    assert_eq!(World::announced(&days, "officer_changed"), changed);
    // On the 21st both happen: it has no officer any more, and is overdue.
    assert_eq!(World::announced(&days, "overdue"), [("r".to_owned(), Some(date(2021, 5, 21)))]);
    assert_eq!((world.request("r").officer.as_str(), world.request("r").level), ("user:corp/b", 2));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_day_that_takes_several_entries_brings_everything_once() {
    let (mut world, _) = world();
    let ids: Vec<String> = (0..40).map(|i| format!("r{i:02}")).collect();
    for id in &ids {
        world.ask(id, draft(Some(DUE))).unwrap();
    }
    for id in ["m1", "m2"] {
        world.create(id, Some(DUE));
    }
    world.domain.part_bytes = 2_000;
    world.now = "2021-05-18T04:00:00Z".parse().unwrap();
    let before = world.entries.len();
    let days = world.advance(date(2021, 5, 18)).unwrap();
    assert!(world.entries.len() - before > 10, "{} entries", world.entries.len() - before);
    let overdue = World::announced(&days, "overdue");
    let expected: Vec<_> = ids.iter().map(|id| (id.clone(), Some(date(2021, 5, 18)))).collect();
    assert_eq!(overdue, expected);
    let milestones: Vec<_> =
        days.iter().filter(|event| event.r#type == "milepost.milestone.overdue").collect();
    assert_eq!(milestones.len(), 2);
    assert_eq!(world.rebuilt(), world.rows);
    // In the midst of a day rows can be made anew, and the day goes on.
    let (mut other, _) = self::world();
    ids.iter().for_each(|id| drop(other.ask(id, draft(Some(DUE))).unwrap()));
    other.domain.part_bytes = 2_000;
    other.now = world.now;
    let mut all = Vec::new();
    loop {
        let events = other.submit(crate::tests::world::advance(date(2021, 5, 18))).unwrap();
        if events.is_empty() {
            break;
        }
        other.rows = other.rebuilt();
        all.extend(events);
    }
    assert_eq!(World::announced(&all, "overdue"), expected);
}

#[test]
fn a_hand_over_that_takes_several_entries_changes_every_request_once() {
    let (mut world, mut registry) = world();
    let ids: Vec<String> = (0..30).map(|i| format!("r{i:02}")).collect();
    for id in &ids {
        world.ask(id, draft(None)).unwrap();
    }
    world.domain.part_bytes = 2_000;
    let old = assignment("a", "user:corp/a", false, FIRST, Some(date(2021, 5, 12)));
    let new = assignment("b", "user:corp/b", false, TODAY, None);
    let before = world.entries.len();
    let events = world.ingest(registry.assign("milepost.assignment.handed_over", &[old, new])).unwrap();
    assert!(world.entries.len() - before > 5);
    let changed: Vec<_> =
        World::announced(&events, "officer_changed").into_iter().map(|(id, _)| id).collect();
    assert_eq!(changed, ids);
    assert_eq!(world.rebuilt(), world.rows);
}

/// The events of an entry as a version wrote them that kept no assignments.
fn as_written_before(world: &mut World, from: usize) {
    use milepost_proto::event::v1::event::Payload;
    use prost::Message;
    for entry in &mut world.entries[from..] {
        for bytes in &mut entry.events {
            let mut event = Event::decode(bytes.clone()).unwrap();
            if let Some(Payload::SourceFollowed(followed)) = &mut event.payload {
                followed.assignments.clear();
                followed.mirror_version = 0;
            }
            *bytes = event.encode_to_vec().into();
        }
    }
    world.rows = world.rebuilt();
}

/// office.md, section 0: a tracker with an older journal follows the registry again.
#[test]
fn what_an_earlier_version_did_not_keep_is_read_again_and_nothing_is_derived_twice() {
    use crate::tables::mirror_version;
    let (mut world, mut registry) = world();
    assert_eq!(mirror_version::get(&world.rows), mirror_version::MIRROR_VERSION);
    as_written_before(&mut world, 0);
    assert_eq!(mirror_version::get(&world.rows), 0);
    // What this version follows does not say what was not kept.
    world.ingest(registry.project("bridge")).unwrap();
    assert_eq!(mirror_version::get(&world.rows), 0);
    world.ask("r", draft(None)).unwrap();
    assert_eq!(world.request("r").officer, "");
    let position = registry.tail();
    let facts = (1..=registry.entries.len()).flat_map(|sequence| registry.source_entry(sequence).assignments);
    let upgrade = |assignments: Vec<_>, is_last| Command::UpgradeMirror {
        position,
        portfolios: std::sync::Arc::default(),
        projects: std::sync::Arc::default(),
        assignments: assignments.into(),
        is_last,
    };
    let events = world.submit(upgrade(facts.collect(), false)).unwrap();
    assert_eq!((kinds(&events), mirror_version::get(&world.rows)), (vec!["source.refollowed"], 0));
    let events = world.submit(upgrade(Vec::new(), true)).unwrap();
    assert_eq!(kinds(&events), ["source.refollowed", "service_request.officer_changed"]);
    assert_eq!(
        (world.request("r").officer.as_str(), mirror_version::get(&world.rows)),
        ("user:corp/a", mirror_version::MIRROR_VERSION)
    );
    assert_eq!(world.submit(upgrade(Vec::new(), true)).unwrap(), []);
    assert_eq!(crate::tables::source::get(&world.rows), Some(position), "the position stays");
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 2: satisfied is 4 and 5 of those who rated.
#[test]
fn statistics_are_of_a_period() {
    let (mut world, _) = world();
    for (id, rating) in [("a", 5), ("b", 4), ("c", 2)] {
        world.ask(id, draft(Some(DUE))).unwrap();
        world.submit(act(id, None, accept as Run<_, _, _>)).unwrap();
        world.submit(act(id, said("a", None), answer as Run<_, _, _>)).unwrap();
        world.submit(act(id, rated(rating, None), rate as Run<_, _, _>)).unwrap();
    }
    world.ask("unrated", draft(None)).unwrap();
    world.submit(act("unrated", None, accept as Run<_, _, _>)).unwrap();
    world.submit(act("unrated", said("a", None), answer as Run<_, _, _>)).unwrap();
    world.submit(act("unrated", said("b", None), return_answer as Run<_, _, _>)).unwrap();
    world.submit(act("unrated", said("c", None), answer as Run<_, _, _>)).unwrap();
    world.ask("late", draft(Some(date(2021, 5, 12)))).unwrap();
    world.ask("deleted", draft(Some(date(2021, 5, 12)))).unwrap();
    let delete = Standard::<ServiceRequest>::Delete(Target { name: name("deleted"), etag: None });
    world.submit(command(Box::new(delete))).unwrap();
    let of = |from, to| {
        let parent = ParentIds::read::<ServiceRequest>("portfolios/wsc/projects/-").unwrap();
        let period = Period::stored(Some(from), Some(to));
        statistics::count(&milepost_resource::Rows::new(&world.rows), &StatisticsRequest { parent, period })
            .unwrap()
    };
    let today = of(TODAY, TODAY);
    assert_eq!(
        (today.requested_count, today.answer_count, today.returned_count, today.rated_count),
        (5, 5, 1, 3)
    );
    assert_eq!((today.overdue_count, today.unrated_count), (1, 1));
    let satisfied = today.satisfied.unwrap();
    assert_eq!(satisfied.value.as_deref(), Some("66.7"));
    assert_eq!(
        (satisfied.numerator.as_str(), satisfied.denominator.as_str(), satisfied.counted),
        ("2", "3", 3)
    );
    let before = of(TODAY.saturating_sub(7.days()), TODAY.yesterday().unwrap());
    assert_eq!((before.requested_count, before.rated_count), (0, 0));
    assert_eq!(before.satisfied.unwrap().value, None);
    assert_eq!((before.overdue_count, before.unrated_count), (1, 1), "as of now");
}

/// office.md, section 2, lists: requests overdue, escalated, unrated.
#[test]
fn lists_find_what_is_overdue_escalated_or_not_rated() {
    let (mut world, _) = world();
    // Late since 13 and 18 May: five working days after the 13th is the 20th, after the 18th the 25th.
    for (id, due) in [("escalated", Some(date(2021, 5, 12))), ("overdue", Some(DUE)), ("unrated", None)] {
        world.ask(id, draft(due)).unwrap();
    }
    world.ask("open", draft(Some(date(2021, 6, 30)))).unwrap();
    world.submit(act("unrated", None, accept as Run<_, _, _>)).unwrap();
    world.submit(act("unrated", said("已报装", None), answer as Run<_, _, _>)).unwrap();
    world.now = "2021-05-20T04:00:00Z".parse().unwrap();
    world.advance(date(2021, 5, 20)).unwrap();
    let listed = |world: &World, filter: &str| -> Vec<String> {
        let request = ListServiceRequestsRequest {
            parent: "portfolios/wsc/projects/-".into(),
            filter: filter.into(),
            ..ListServiceRequestsRequest::default()
        };
        let list = read_list::<Tracker, ServiceRequest>(&request, &Scopes::everywhere()).unwrap();
        let rows = milepost_resource::Rows::new(&world.rows);
        let page = list.page::<Tracker, ServiceRequest>(&rows, world.now).unwrap();
        let id = |row| {
            let request: ServiceRequest = prost::Message::decode(row).unwrap();
            request.name.rsplit('/').next().unwrap().to_owned()
        };
        page.resources.into_iter().map(id).collect()
    };
    assert_eq!(listed(&world, "level > 0"), ["escalated", "overdue"]);
    assert_eq!(listed(&world, "level > 1"), ["escalated"]);
    assert_eq!(listed(&world, "state = STATE_ANSWERED"), ["unrated"]);
    assert_eq!(listed(&world, "level = 0 AND state = STATE_OPEN"), ["open"]);
    // What is over keeps its level, and is not overdue any more.
    world.submit(act("escalated", said("", None), withdraw as Run<_, _, _>)).unwrap();
    assert_eq!(listed(&world, "level > 0"), ["escalated", "overdue"]);
    assert_eq!(listed(&world, "level > 0 AND state = (OPEN OR ACCEPTED)"), ["overdue"]);
}

#[test]
fn what_is_over_changes_no_more_but_its_labels() {
    let (mut world, _) = world();
    world.ask("r", draft(Some(DUE))).unwrap();
    world.submit(act("r", said("", None), withdraw as Run<_, _, _>)).unwrap();
    let named = || ServiceRequest { name: name("r").to_string(), ..ServiceRequest::default() };
    let labelled = ServiceRequest { labels: [("k".to_owned(), "v".to_owned())].into(), ..named() };
    world.submit(update(labelled, &["labels"])).unwrap();
    let titled = ServiceRequest { title: "x".into(), ..named() };
    let refused = world.submit(update(titled, &["title"])).unwrap_err();
    assert!(matches!(refused, Rejection::WrongState { .. }), "{refused}");
    world.now = "2021-06-18T04:00:00Z".parse().unwrap();
    let days = world.advance(date(2021, 6, 18)).unwrap();
    assert_eq!(World::announced(&days, "overdue"), []);
}

/// What cannot be read is in nobody's way, and has its days when it can be read again.
#[test]
fn rows_that_cannot_be_read_keep_no_other_request_from_its_days() {
    use crate::tables::Table;
    let (mut world, mut registry) = world();
    for id in ["a", "b", "c"] {
        world.ask(id, draft(Some(DUE))).unwrap();
    }
    let request = world.damage(&name("a"));
    // One of another project begins on the 18th, and a key that names none is among those of that day.
    let begins = assignment("z", "user:corp/z", true, date(2021, 5, 18), None);
    world.ingest(registry.assign("milepost.assignment.created", &[begins])).unwrap();
    let no_project = [&[Table::AssignmentDay as u8][..], b"wsc\0", &[0x07, 0xe5, 5, 18], b"!"].concat();
    world.rows.0.insert(no_project.clone().into(), bytes::Bytes::new());
    world.now = "2021-05-18T04:00:00Z".parse().unwrap();
    let days = world.advance(date(2021, 5, 18)).unwrap();
    let on = |ids: &[&str], day| ids.iter().map(|id| ((*id).to_owned(), Some(day))).collect::<Vec<_>>();
    assert_eq!(World::announced(&days, "overdue"), on(&["b", "c"], date(2021, 5, 18)));
    assert_eq!(World::announced(&days, "officer_changed"), on(&["b", "c"], date(2021, 5, 18)));
    assert!(world.rows.0.contains_key(&no_project[..]), "nothing is deleted");
    world.rows.0.remove(&no_project[..]);
    world.put_row(&name("a"), request);
    world.now = "2021-05-19T04:00:00Z".parse().unwrap();
    let days = world.advance(date(2021, 5, 19)).unwrap();
    assert_eq!(World::announced(&days, "overdue"), on(&["a"], date(2021, 5, 19)));
    assert_eq!(world.request("a").officer, "user:corp/z", "the next thing that a day brings it finds it");
    assert_eq!(world.rebuilt(), world.rows);
}

/// The portfolio's working calendar is off on these days of May 2021 from now on.
fn recalendared(registry: &mut Registry, days: &[i8]) -> SourceEntry {
    let Resource::PortfolioResource(portfolio) = portfolio("wsc") else { panic!() };
    let working_calendar = Some(registry::WorkingCalendar {
        holidays: days.iter().map(|day| date_message(date(2021, 5, *day))).collect(),
        ..registry::WorkingCalendar::default()
    });
    registry.append_events(vec![Event {
        r#type: "milepost.portfolio.updated".into(),
        changed_fields: vec!["working_calendar".into()],
        resource: Some(Resource::PortfolioResource(registry::Portfolio { working_calendar, ..portfolio })),
        ..Event::default()
    }])
}

/// A change that has nothing to do with any day.
fn labelled() -> Command {
    let labels = [("k".to_owned(), "v".to_owned())].into();
    update(ServiceRequest { name: name("r").to_string(), labels, ..ServiceRequest::default() }, &["labels"])
}

/// office.md, section 2: what was announced of the levels is announced once, also if another calendar came in between.
#[test]
fn a_level_that_a_calendar_would_lower_is_kept_by_what_takes_no_day_back() {
    let (mut world, mut registry) = world();
    world.ask("r", draft(Some(DUE))).unwrap();
    world.until(date(2021, 5, 25));
    world.ingest(recalendared(&mut registry, &[19, 20, 21])).unwrap();
    let next = Some(date_message(date(2021, 6, 4)));
    let stands = |world: &World| (world.request("r").level, world.request("r").escalation_date);
    assert_eq!(stands(&world), (2, next), "the 25th would be the second working day of five");
    assert_eq!(kinds(&world.submit(labelled()).unwrap()), ["service_request.updated"]);
    assert_eq!(stands(&world), (2, next));
    for (command, what) in [
        (act("r", None, accept as Run<_, _, _>), "accepted"),
        (act("r", paused(None), pause as Run<_, _, _>), "paused"),
        (act("r", None, resume as Run<_, _, _>), "resumed"),
        (act("r", said("已报装", None), answer as Run<_, _, _>), "answered"),
        (act("r", said("还没通电", None), return_answer as Run<_, _, _>), "returned"),
    ] {
        let events = world.submit(command).unwrap();
        assert_eq!(
            (kinds(&events), world.request("r").level),
            (vec![&*format!("service_request.{what}")], 2)
        );
    }
    let events = world.until(date(2021, 6, 7));
    assert_eq!(World::announced(&events, "escalated"), [("r".to_owned(), Some(date(2021, 6, 4)))]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 2: what waits for the requester, or is paused, does not escalate, by whatever calendar.
#[test]
fn a_calendar_that_raises_the_days_before_the_clock_stopped_raises_no_level_until_it_goes_on() {
    let pausing: [Doing; 2] =
        [|id| act(id, paused(None), pause as Run<_, _, _>), |id| act(id, None, resume as Run<_, _, _>)];
    let answering: [Doing; 2] = [
        |id| act(id, said("已报装", None), answer as Run<_, _, _>),
        |id| act(id, said("还没通电", None), return_answer as Run<_, _, _>),
    ];
    for ([stop, go_on], what) in [(pausing, "resumed"), (answering, "returned")] {
        let (mut world, mut registry) = world();
        world.ingest(recalendared(&mut registry, &[19, 20, 21])).unwrap();
        world.ask("r", draft(Some(DUE))).unwrap();
        world.submit(act("r", None, accept as Run<_, _, _>)).unwrap();
        world.until(date(2021, 5, 25));
        world.submit(stop("r")).unwrap();
        assert_eq!(world.request("r").level, 1);
        let mut events = world.ingest(recalendared(&mut registry, &[])).unwrap();
        events.extend(world.submit(labelled()).unwrap());
        // A day that gives it another officer.
        let second = assignment("b", "user:corp/b", true, date(2021, 5, 26), None);
        events.extend(world.ingest(registry.assign("milepost.assignment.created", &[second])).unwrap());
        events.extend(world.until(date(2021, 5, 26)));
        let (escalated, officer) = (World::announced(&events, "escalated"), world.request("r").officer);
        assert_eq!(
            (escalated, world.request("r").level, &*officer),
            (Vec::new(), 1, "user:corp/b"),
            "{what}"
        );
        let events = world.submit(go_on("r")).unwrap();
        let what = format!("service_request.{what}");
        assert_eq!(kinds(&events), [&*what, "service_request.escalated"]);
        assert_eq!(world.request("r").level, 2);
        assert_eq!(world.rebuilt(), world.rows);
    }
}

/// office.md, section 2: the level follows from the days on which the clock ran: whatever is done, it is the same if it was
/// written on its day or later, as section 0 asks.
#[test]
fn a_request_that_is_written_after_the_fact_is_as_one_that_was_written_day_by_day() {
    type Step = (&'static str, fn(Date) -> Command);
    const ANSWER: Step = ("answer", |on| act("r", said("a", Some(on)), answer as Run<_, _, _>));
    const RETURN: Step = ("return", |on| act("r", said("b", Some(on)), return_answer as Run<_, _, _>));
    const RATE: Step = ("rate", |on| act("r", rated(5, Some(on)), rate as Run<_, _, _>));
    const PAUSE: Step = ("pause", |on| act("r", paused(Some(on)), pause as Run<_, _, _>));
    const RESUME: Step = ("resume", |on| act("r", Some(on), resume as Run<_, _, _>));
    const WITHDRAW: Step = ("withdraw", |on| act("r", said("", Some(on)), withdraw as Run<_, _, _>));
    let written = |steps: &[(Step, Date)], is_day_by_day: bool| {
        let (mut world, _) = world();
        world.ask("r", draft(Some(DUE))).unwrap();
        world.submit(act("r", None, accept as Run<_, _, _>)).unwrap();
        let last = date(2021, 7, 9);
        world.until(if is_day_by_day { TODAY } else { last });
        for ((_, command), on) in steps {
            if is_day_by_day {
                world.until(*on);
            }
            world.submit(command(*on)).unwrap();
        }
        world.until(last);
        let request = world.request("r");
        (request.state(), request.paused, request.due_date, request.level, request.escalation_date)
    };
    // Before it is due, on the day, at each level, and a Saturday.
    let days = [13, 17, 18, 22, 25, 31].map(|day| date(2021, 5, day));
    let (late, last) = (date(2021, 6, 1), date(2021, 6, 2));
    let mut all = vec![Vec::new()];
    for (i, first) in days.into_iter().enumerate() {
        all.extend([ANSWER, PAUSE, WITHDRAW].map(|step| vec![(step, first)]));
        for second in days[i..].iter().copied() {
            all.extend([RATE, RETURN, WITHDRAW].map(|next| vec![(ANSWER, first), (next, second)]));
            all.extend([RESUME, WITHDRAW].map(|next| vec![(PAUSE, first), (next, second)]));
            let returned = [(ANSWER, first), (RETURN, second)];
            all.extend([ANSWER, PAUSE, WITHDRAW].map(|next| [&returned[..], &[(next, late)]].concat()));
            all.push([&returned[..], &[(PAUSE, late), (RESUME, last)]].concat());
            let resumed = [(PAUSE, first), (RESUME, second)];
            all.extend([ANSWER, PAUSE, WITHDRAW].map(|next| [&resumed[..], &[(next, late)]].concat()));
            all.push([&resumed[..], &[(ANSWER, late), (RETURN, last)]].concat());
        }
    }
    for steps in all {
        let said: Vec<_> = steps.iter().map(|((what, _), on)| format!("{what} {on}")).collect();
        assert_eq!(written(&steps, false), written(&steps, true), "{said:?}");
    }
}

//! Steps that open rectification orders, and what is heard of steps.

use jiff::civil::{Date, date};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::{AnnualPlan, CompletedInvestment, Party, Project};
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_proto::tracker::v1::review_rectification_order_request::Verdict;
use milepost_proto::tracker::v1::{
    RectificationOrder, UpdateRectificationOrderRequest, WarningLight, WarningPolicy, WarningStep,
    warning_step,
};
use milepost_resource::{Custom, Rows, Run, Target, date_message, read_update};
use milepost_types::{Rejection, Violations};

use super::evaluations::{Office, completed, planned};
use super::published::published;
use crate::decide::Tracker;
use crate::supervision::{Answer, OrderName, Review, answer, review, withdraw_order};
use crate::tests::world::{command, kinds};
use crate::warning::{grant, retire};
use WarningLight::{Red, Yellow};

const UNIT: i128 = 1_000_000_000;
const MARCH: Date = date(2021, 3, 31);
const APRIL: Date = date(2021, 4, 30);
const MAY: Date = date(2021, 5, 31);

/// Yellow twice in a row opens an order that is due 10 working days later.
pub(super) fn opening() -> WarningPolicy {
    let step = WarningStep {
        at_light: Yellow.into(),
        consecutive: 2,
        action: warning_step::Action::OpenOrder.into(),
        due_working_days: 10,
        responsible: "organizations/office".into(),
        responsible_role: "supplier".into(),
        ..WarningStep::default()
    };
    WarningPolicy { steps: vec![step], ..published("yc-progress") }
}

/// What was completed by the end of each of these months, of a plan of 1,200.
pub(super) fn by_month(months: &[(i8, i128)]) -> Vec<CompletedInvestment> {
    let before = [0].into_iter().chain(months.iter().map(|(_, by_now)| *by_now));
    let each = months.iter().zip(before);
    each.map(|((month, by_now), before)| {
        let reported = date(2021, *month, 1).last_of_month();
        completed(*month, (by_now - before) * UNIT, Some(reported))
    })
    .collect()
}

/// 20 points behind in March, April and so on.
pub(super) fn behind(months: std::ops::RangeInclusive<i8>) -> Vec<CompletedInvestment> {
    let months: Vec<_> = months.map(|month| (month, 100 * i128::from(month) - 240)).collect();
    by_month(&months)
}

impl Office {
    pub(super) fn orders(&self, project: &str) -> Vec<RectificationOrder> {
        let rows = Rows::<Tracker>::new(&self.world.rows);
        let project = crate::tests::world::project_name(project);
        let found = rows.under::<RectificationOrder>(project.ids(), None).map(|found| {
            let (name, row) = found.unwrap();
            rows.read(&name, row).unwrap().into_inner()
        });
        found.collect()
    }

    pub(super) fn order(&self, project: &str) -> RectificationOrder {
        let mut orders = self.orders(project);
        assert_eq!(orders.len(), 1, "{orders:?}");
        orders.remove(0)
    }

    pub(super) fn act<A: Send + Sync + 'static>(
        &mut self,
        order: &RectificationOrder,
        arguments: A,
        run: Run<Tracker, RectificationOrder, A>,
    ) -> Result<Vec<Event>, Rejection> {
        let name: OrderName = order.name.parse().unwrap();
        self.world.submit(command(Custom::act(Target { name, etag: None }, arguments, run)))
    }

    pub(super) fn step_orders(&self, end: Date) -> Vec<String> {
        let steps = self.warning("w", "road", end).unwrap().steps;
        steps.into_iter().map(|step| step.order).collect()
    }
}

pub(super) fn created(events: &[Event]) -> Vec<&Event> {
    events.iter().filter(|event| event.r#type == "milepost.rectification_order.created").collect()
}

/// office.md, section 4: a step opens an order, which lives as any order does (section 6).
#[test]
fn office_4_a_step_opens_an_order_in_the_entry_of_its_warning() {
    let mut office = Office::on(date(2021, 3, 1));
    office.project("road", behind(3..=6));
    office.adopt("w", opening(), date(2021, 3, 1));
    assert!(created(&office.wait(MARCH)).is_empty());
    let events = office.wait(APRIL);
    let escalated = events.iter().find(|event| event.r#type == "milepost.warning.escalated").unwrap();
    let [opened] = created(&events)[..] else { panic!("{:?}", kinds(&events)) };
    assert_eq!((opened.sequence, &opened.caused_by), (escalated.sequence, &escalated.event_id));
    assert_eq!(
        (opened.event_date, opened.project.as_str()),
        (Some(date_message(APRIL)), "portfolios/wsc/projects/road")
    );
    let order = office.order("road");
    assert_eq!(order.title, published("yc-progress").display_name);
    assert_eq!((order.state(), order.light(), order.level), (State::Issued, Light::None, 0));
    assert_eq!((&order.findings[..], order.responsible.as_str()), (&[][..], "organizations/office"));
    // Ten working days after 30 April, Monday to Friday.
    assert_eq!(order.issue_date, Some(date_message(APRIL)));
    assert_eq!(order.due_date, Some(date_message(date(2021, 5, 14))));
    assert_eq!((&order.warning, order.warning_step), (&escalated.subject, 0));
    assert_eq!(order.warning_policy, "portfolios/wsc/warningPolicies/w");
    assert_eq!(office.step_orders(APRIL), std::slice::from_ref(&order.name));
    // Days make of it what they make of any order: 11 May is the third working day before it is due.
    let days = office.wait(date(2021, 5, 18));
    let lights: Vec<_> = days.iter().filter(|event| event.r#type.ends_with("order.light_changed")).collect();
    assert_eq!(lights.len(), 2, "{:?}", kinds(&days));
    assert_eq!((office.order("road").light(), office.order("road").level), (Light::Red, 1));
    assert!(created(&office.wait(MAY)).is_empty(), "the run goes on: the step is reached once");
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// office.md, section 6: another person than any who answered; no follow-up where there is no grave finding.
#[test]
fn office_6_an_order_of_a_warning_is_answered_and_accepted_by_another_person() {
    let mut office = Office::on(date(2021, 4, 1));
    office.project("road", behind(3..=6));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.wait(APRIL);
    let order = office.order("road");
    let reviewed = || Review { verdict: Verdict::Accept, reason: String::new(), date: None };
    office.by("user:corp/a");
    let answered = Answer { text: "已追赶".into(), evidence: Vec::new(), date: None };
    office.act(&order, answered, answer as Run<_, _, _>).unwrap();
    let refused = office.act(&order, reviewed(), review as Run<_, _, _>).unwrap_err();
    assert!(format!("{refused:?}").contains("SAME_PERSON"), "{refused:?}");
    office.by("user:corp/b");
    let events = office.act(&order, reviewed(), review as Run<_, _, _>).unwrap();
    assert_eq!(kinds(&events)[0], "rectification_order.closed");
    assert_eq!((office.order("road").state(), office.order("road").on_time), (State::Closed, Some(true)));
}

/// What an update may say of it: its title and labels; and all of it, as it was read, with no finding.
#[test]
fn an_order_of_a_warning_is_updated_as_any_order_and_stays_one_without_findings() {
    let mut office = Office::on(date(2021, 4, 1));
    office.project("road", behind(3..=6));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.wait(APRIL);
    let order = office.order("road");
    let renamed = RectificationOrder { title: "限期整改".into(), etag: String::new(), ..order.clone() };
    for paths in [vec!["title".to_owned()], vec!["*".to_owned()]] {
        let request = UpdateRectificationOrderRequest {
            rectification_order: Some(renamed.clone()),
            update_mask: Some(prost_types::FieldMask { paths }),
            ..UpdateRectificationOrderRequest::default()
        };
        let mut violations = Violations::new();
        let act = read_update::<Tracker, RectificationOrder>(request, &mut violations);
        office.world.submit(command(violations.finish(act).unwrap())).unwrap();
    }
    let after = office.order("road");
    assert_eq!((after.title.as_str(), &after.warning), ("限期整改", &order.warning));
}

/// The party of the project answers; a step that is reached again opens no other order while its own is not over.
#[test]
fn one_order_of_a_step_is_open_in_a_project_and_another_one_follows_when_it_is_over() {
    let months = [(3, 60), (4, 160), (5, 500)];
    let mut office = Office::on(date(2021, 3, 1));
    let party = |organization: &str, role: &str| Party {
        organization: format!("organizations/{organization}"),
        roles: vec![role.into()],
    };
    let plan = AnnualPlan {
        year: 2021,
        investment: Some(Money { currency_code: "CNY".into(), units: 1_200, nanos: 0 }),
        ..AnnualPlan::default()
    };
    let project = |completed_investments| Project {
        annual_plans: vec![plan.clone()],
        completed_investments,
        parties: vec![
            party("owner", "publicAuthority"),
            party("builder", "supplier"),
            party("other", "supplier"),
        ],
        ..Project::default()
    };
    office.say("road", project(by_month(&months)));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.wait(APRIL);
    let order = office.order("road");
    assert_eq!(order.responsible, "organizations/builder");
    // May is green, June not stated, July and August are yellow: the step is reached again.
    office.wait(date(2021, 7, 31));
    let events = office.wait(date(2021, 8, 31));
    assert!(created(&events).is_empty(), "{:?}", kinds(&events));
    assert_eq!(office.step_orders(date(2021, 8, 31)), std::slice::from_ref(&order.name));
    office.act(&order, ("已追上".to_owned(), None), withdraw_order as Run<_, _, _>).unwrap();
    // 1,000 is green in September and October, not stated in November, and yellow in December.
    let more = [&months[..], &[(9, 1_000), (10, 1_000), (11, 1_000)]].concat();
    let year_end = date(2021, 12, 31);
    office.say("road", project(by_month(&more)));
    office.wait(date(2021, 9, 30));
    assert_eq!(office.lights("w", "road", date(2021, 9, 30)).1, WarningLight::Green);
    office.wait(year_end);
    assert_eq!(office.orders("road").len(), 1);
    assert_eq!(office.warning("w", "road", year_end).unwrap().runs.unwrap().yellow, 1);
}

#[test]
fn a_step_that_is_reached_again_opens_another_order_once_the_first_is_over() {
    let mut office = Office::on(date(2021, 3, 1));
    office.project("road", by_month(&[(3, 60), (4, 160), (5, 500)]));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.wait(APRIL);
    let order = office.order("road");
    office.act(&order, ("已追上".to_owned(), None), withdraw_order as Run<_, _, _>).unwrap();
    office.wait(date(2021, 7, 31));
    let events = office.wait(date(2021, 8, 31));
    let [opened] = created(&events)[..] else { panic!("{:?}", kinds(&events)) };
    assert_ne!(opened.subject, order.name);
    assert_eq!(office.step_orders(date(2021, 8, 31)), std::slice::from_ref(&opened.subject));
    assert_eq!(office.orders("road").len(), 2);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// Of the past, too: issued on the day on which it is done, and due from then on.
#[test]
fn what_is_evaluated_late_opens_one_order_that_is_issued_today() {
    let today = date(2021, 7, 12);
    let mut office = Office::on(today);
    office.project("road", behind(3..=6));
    office.adopt("w", opening(), date(2021, 3, 1));
    let order = office.order("road");
    assert_eq!((order.issue_date, order.act_date), (Some(date_message(today)), Some(date_message(today))));
    assert_eq!(order.due_date, Some(date_message(date(2021, 7, 26))));
    assert_eq!(order.light(), Light::None);
    assert_eq!(office.step_orders(APRIL), [order.name]);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// Each once, in the entry of its warning, also where rows are made anew between entries.
#[test]
fn an_evaluation_that_takes_several_entries_opens_every_order_once() {
    let mut office = Office::on(date(2021, 4, 29));
    let ids: Vec<String> = (0..20).map(|i| format!("p{i:02}")).collect();
    ids.iter().for_each(|id| office.project(id, behind(3..=4)));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.world.domain.part_bytes = 4_000;
    office.world.now = "2021-04-30T04:00:00Z".parse().unwrap();
    let (mut all, mut entries) = (Vec::new(), 0);
    loop {
        let events = office.world.submit(crate::tests::world::advance(APRIL)).unwrap();
        if events.is_empty() {
            break;
        }
        entries += 1;
        office.world.rows = office.world.rebuilt();
        all.extend(events);
    }
    assert!(entries > 5, "{entries} entries");
    let opened = created(&all);
    assert_eq!(opened.len(), ids.len());
    for order in opened {
        let warning = all.iter().find(|event| event.event_id == order.caused_by).unwrap();
        assert_eq!(
            (warning.r#type.as_str(), warning.sequence),
            ("milepost.warning.escalated", order.sequence)
        );
    }
    ids.iter().for_each(|id| _ = office.order(id));
}

/// What comes late and takes the light back leaves the order, and says so.
#[test]
fn a_correction_that_takes_the_light_back_names_the_order_that_stays() {
    let mut office = Office::on(date(2021, 3, 1));
    office.project("road", behind(3..=4));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.wait(APRIL);
    let order = office.order("road");
    let late = by_month(&[(3, 60), (4, 400)]);
    office.project("road", late.clone());
    let events = office.recompute("w", APRIL).unwrap();
    assert_eq!(kinds(&events), ["warning.corrected", "warning.superseded"]);
    let Some(Payload::WarningCorrected(corrected)) = &events[0].payload else { panic!() };
    assert_eq!(corrected.orders, std::slice::from_ref(&order.name));
    assert_eq!(office.order("road"), order, "it stays as it is");
    assert_eq!(office.step_orders(APRIL), [""; 0]);
    office.act(&order, ("数据补报".to_owned(), None), withdraw_order as Run<_, _, _>).unwrap();
    assert_eq!(office.order("road").state(), State::Withdrawn);
    // The other way round the step is reached by the correction, and done then.
    office.wait(date(2021, 5, 6));
    office.project("road", behind(3..=4));
    let events = office.recompute("w", APRIL).unwrap();
    assert_eq!(kinds(&events), ["warning.corrected", "warning.superseded", "rectification_order.created"]);
    let opened = created(&events)[0];
    assert_eq!(opened.caused_by, events[0].event_id);
    let Some(Resource::RectificationOrderResource(again)) = &opened.resource else { panic!() };
    assert_eq!(again.issue_date, Some(date_message(date(2021, 5, 6))));
    assert_eq!(office.step_orders(APRIL), std::slice::from_ref(&again.name));
    assert_eq!(office.recompute("w", APRIL).unwrap(), [], "once");
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// An excuse that is granted late moves the step to the month after: the order stays that of the step.
#[test]
fn an_excuse_that_moves_a_step_to_a_later_period_opens_no_other_order() {
    let mut office = Office::on(date(2021, 6, 1));
    office.project("road", behind(3..=5));
    office.adopt("w", opening(), date(2021, 3, 1));
    let order = office.order("road");
    assert_eq!((office.step_orders(APRIL).len(), office.step_orders(MAY).len()), (1, 0));
    office.by("user:corp/a");
    office.ask_excuse("flood", "w", &[APRIL]).unwrap();
    office.by("user:corp/b");
    let events = office.decide_excuse("flood", grant).unwrap();
    assert!(created(&events).is_empty(), "{:?}", kinds(&events));
    let excused = events.iter().find(|event| event.r#type == "milepost.warning.excused").unwrap();
    let Some(Payload::WarningExcused(payload)) = &excused.payload else { panic!() };
    assert_eq!(payload.orders, [""; 0], "May reaches the step now");
    assert_eq!(office.step_orders(APRIL), [""; 0]);
    assert_eq!(office.step_orders(MAY), std::slice::from_ref(&order.name));
    // Where May is excused, too, no period reaches it.
    office.by("user:corp/a");
    office.ask_excuse("rain", "w", &[MAY]).unwrap();
    office.by("user:corp/b");
    let events = office.decide_excuse("rain", grant).unwrap();
    let excused = events.iter().find(|event| event.r#type == "milepost.warning.excused").unwrap();
    let Some(Payload::WarningExcused(payload)) = &excused.payload else { panic!() };
    assert_eq!(payload.orders, [order.name]);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// Neither warned of nor ordered: a project that is cancelled or deleted, and a policy that is retired.
#[test]
fn a_project_that_is_cancelled_half_way_and_a_policy_that_is_retired_have_no_more_warnings() {
    let mut office = Office::on(date(2021, 3, 1));
    for id in ["road", "rail"] {
        office.project(id, behind(3..=6));
    }
    office.adopt("w", opening(), date(2021, 3, 1));
    office.wait(MARCH);
    let cancelled = Project { status: Status::Cancelled.into(), ..Project::default() };
    office.say("road", cancelled);
    let events = office.wait(APRIL);
    assert_eq!(created(&events).len(), 1);
    assert_eq!((office.warning("w", "road", APRIL), office.orders("road")), (None, Vec::new()));
    // What comes back goes on: April neither counts nor ends the run.
    office.project("road", behind(3..=6));
    let events = office.wait(MAY);
    assert_eq!(created(&events).len(), 1);
    assert_eq!(office.warning("w", "road", MAY).unwrap().runs.unwrap().yellow, 2);
    let retired = super::policies::act("w", ("已有新规".to_owned(), None), retire as Run<_, _, _>);
    office.world.submit(retired).unwrap();
    let events = office.wait(date(2021, 6, 30));
    assert!(!kinds(&events).iter().any(|kind| kind.starts_with("warning")), "{:?}", kinds(&events));
    assert_eq!(office.order("rail").state(), State::Issued, "its orders stay");
}

/// The periods before it was cancelled are evaluated all the same, but nobody is to put anything right.
#[test]
fn a_project_that_was_cancelled_after_a_period_has_its_warning_without_an_order() {
    let mut office = Office::on(date(2021, 3, 1));
    for id in ["road", "rail"] {
        office.project(id, behind(3..=6));
    }
    office.adopt("w", WarningPolicy { evaluate_after_days: 20, ..opening() }, date(2021, 3, 1));
    office.wait(date(2021, 4, 20));
    office.cancel("road", planned(behind(3..=6)), date(2021, 5, 10));
    office.wait(date(2021, 5, 20));
    for (id, count) in [("road", 0), ("rail", 1)] {
        assert_eq!(office.warning("w", id, APRIL).unwrap().runs.unwrap().yellow, 2, "{id}");
        assert_eq!(office.orders(id).len(), count, "{id}");
    }
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// A role is heard of whatever becomes of the light that is shown.
#[test]
fn a_step_that_is_reached_as_the_light_becomes_better_escalates() {
    let mut office = Office::on(date(2021, 3, 1));
    // Nothing of 300 is red; 280 of 400 is yellow, and with the red before it at least yellow for the second time.
    office.project("road", by_month(&[(3, 0)]));
    let step = WarningStep {
        at_light: Yellow.into(),
        consecutive: 2,
        action: warning_step::Action::Notify.into(),
        role: "分管领导".into(),
        ..WarningStep::default()
    };
    office.adopt("w", WarningPolicy { steps: vec![step], ..published("wh-ratio") }, date(2021, 3, 1));
    office.wait(MARCH);
    assert_eq!(office.lights("w", "road", MARCH), (Red, Red));
    office.project("road", by_month(&[(3, 0), (4, 280)]));
    let events = office.wait(APRIL);
    let heard = events.iter().find(|event| event.r#type.starts_with("milepost.warning.")).unwrap();
    assert_eq!(heard.r#type, "milepost.warning.escalated");
    let Some(Payload::WarningLightChanged(changed)) = &heard.payload else { panic!() };
    assert_eq!((changed.previous_light(), changed.light()), (Red, Yellow));
    let Some(Resource::WarningResource(warning)) = &heard.resource else { panic!() };
    assert_eq!(warning.steps[0].role, "分管领导");
}

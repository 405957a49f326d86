//! Random asks about programmes and policies, liaison officers, alliances and plans, beside those of `replay`; and what the
//! rules of office.md, sections 1 to 3 promise of them together.
//!
//! Does not run them: `replay` does, with its own, and rebuilds the store.

use std::collections::BTreeMap;

use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use prost_types::FieldMask;
use tonic::Status;

use super::office::Office;
use super::policies::policy;
use super::replay::{Verb, portfolio_id, project_id, resources, verb};
use crate::policy::settle::Settle;
use crate::service::settling::settle;

/// What may be asked of a small office.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Programme(Verb, &'static str),
    PublishProgramme(&'static str),
    Policy(Verb, &'static str, &'static str, bool),
    Publish(&'static str, &'static str),
    Withdraw(&'static str, &'static str),
    Assign(Verb, Place, &'static str, bool, i32, Option<i32>),
    HandOver(Place, &'static str, i32),
    End(Place, i32),
    Alliance(Verb, &'static str, &'static str, Vec<(&'static str, bool, i32, Option<i32>)>),
    Members(&'static str, &'static str, Vec<&'static str>, Vec<&'static str>, Option<&'static str>, i32),
    Activity(Verb, Occasion, i32, Vec<&'static str>),
    Hold(bool, Occasion, i32),
    Adjust(&'static str, &'static str, i64),
    Receive(&'static str, &'static str, i32, i64),
    Settle,
}

/// An assignment: the ids of its name.
#[derive(Debug, Clone)]
pub(super) struct Place {
    portfolio: &'static str,
    project: &'static str,
    id: &'static str,
}

/// An activity: the ids of its name.
#[derive(Debug, Clone)]
pub(super) struct Occasion {
    portfolio: &'static str,
    alliance: &'static str,
    id: &'static str,
}

impl Place {
    fn parent(&self) -> String {
        format!("portfolios/{}/projects/{}", self.portfolio, self.project)
    }

    fn name(&self) -> String {
        format!("{}/assignments/{}", self.parent(), self.id)
    }
}

impl Occasion {
    fn parent(&self) -> String {
        format!("portfolios/{}/alliances/{}", self.portfolio, self.alliance)
    }

    fn name(&self) -> String {
        format!("{}/activities/{}", self.parent(), self.id)
    }
}

/// A day of May 2021, of which today is the 27th.
fn may(day: i32) -> Option<Date> {
    Some(Date { year: 2021, month: 5, day })
}

fn organization(id: &str) -> String {
    format!("organizations/{id}")
}

fn cny(units: i64) -> Option<Money> {
    Some(Money { currency_code: "CNY".into(), units, nanos: 0 })
}

pub(super) fn ask() -> impl Strategy<Value = Ask> {
    let programme = || select(vec!["g", "h"]);
    let policy = || select(vec!["y", "z"]);
    let alliance = || select(vec!["l", "m"]);
    let firm = || select(vec!["o", "q"]);
    let person = || select(vec!["u", "v"]);
    // Ends lie behind beginnings mostly.
    let days = || (1..28i32, option::of(10..32i32));
    let place = || {
        (portfolio_id(), project_id(), select(vec!["a", "b", "c"]))
            .prop_map(|(portfolio, project, id)| Place { portfolio, project, id })
    };
    let occasion =
        || {
            (portfolio_id(), alliance(), select(vec!["s", "t"]))
                .prop_map(|(portfolio, alliance, id)| Occasion { portfolio, alliance, id })
        };
    let member =
        move || (firm(), any::<bool>(), days()).prop_map(|(id, lead, (from, to))| (id, lead, from, to));
    prop_oneof![
        2 => (verb(), programme()).prop_map(|(verb, id)| Ask::Programme(verb, id)),
        1 => programme().prop_map(Ask::PublishProgramme),
        3 => (verb(), programme(), policy(), any::<bool>()).prop_map(|(verb, g, id, next)| Ask::Policy(verb, g, id, next)),
        2 => (programme(), policy()).prop_map(|(g, id)| Ask::Publish(g, id)),
        1 => (programme(), policy()).prop_map(|(g, id)| Ask::Withdraw(g, id)),
        6 => (verb(), place(), person(), any::<bool>(), days())
            .prop_map(|(verb, place, who, lead, (from, to))| Ask::Assign(verb, place, who, lead, from, to)),
        2 => (place(), person(), 1..28i32).prop_map(|(place, who, day)| Ask::HandOver(place, who, day)),
        1 => (place(), 1..28i32).prop_map(|(place, day)| Ask::End(place, day)),
        3 => (verb(), portfolio_id(), alliance(), vec(member(), 0..3))
            .prop_map(|(verb, p, id, members)| Ask::Alliance(verb, p, id, members)),
        3 => (portfolio_id(), alliance(), vec(firm(), 0..3), vec(firm(), 0..2), option::of(firm()), 1..28i32)
            .prop_map(|(p, id, joining, leaving, lead, day)| Ask::Members(p, id, joining, leaving, lead, day)),
        3 => (verb(), occasion(), 1..32i32, vec(firm(), 0..2))
            .prop_map(|(verb, of, day, firms)| Ask::Activity(verb, of, day, firms)),
        2 => (any::<bool>(), occasion(), 1..28i32).prop_map(|(held, of, day)| Ask::Hold(held, of, day)),
        2 => (portfolio_id(), project_id(), 0..3i64).prop_map(|(p, id, units)| Ask::Adjust(p, id, units)),
        1 => (portfolio_id(), project_id(), 1..5i32, 0..3i64)
            .prop_map(|(p, id, month, units)| Ask::Receive(p, id, month, units)),
        1 => Just(Ask::Settle),
    ]
}

/// Does what a verb says by one of the standard methods.
macro_rules! standard {
    ($verb:expr, $client:expr, $name:expr, $create:ident: $created:expr, $update:ident: $updated:expr, $delete:ident: $Delete:ident, $undelete:ident: $Undelete:ident) => {
        match $verb {
            Verb::Create => $client.$create($created).await.map(drop),
            Verb::Update => $client.$update($updated).await.map(drop),
            Verb::Delete => $client.$delete($Delete { name: $name, ..Default::default() }).await.map(drop),
            Verb::Undelete => {
                $client.$undelete($Undelete { name: $name, ..Default::default() }).await.map(drop)
            }
        }
    };
}

/// Does what is asked.
pub(super) async fn done(office: &Office, ask: Ask) -> Result<(), Status> {
    match ask {
        Ask::Programme(..)
        | Ask::PublishProgramme(_)
        | Ask::Policy(..)
        | Ask::Publish(..)
        | Ask::Withdraw(..) => of_policies(office, ask).await,
        Ask::Assign(..) | Ask::HandOver(..) | Ask::End(..) => of_officers(office, ask).await,
        Ask::Alliance(..) | Ask::Members(..) | Ask::Activity(..) | Ask::Hold(..) => {
            of_alliances(office, ask).await
        }
        Ask::Adjust(p, id, units) => {
            let plan = AnnualPlan { year: 2021, investment: cny(units), ..AnnualPlan::default() };
            let (name, reason) = (format!("portfolios/{p}/projects/{id}"), "调整".into());
            let request =
                AdjustAnnualPlanRequest { name, annual_plan: Some(plan), reason, ..Default::default() };
            office.projects().adjust_annual_plan(request).await.map(drop)
        }
        Ask::Receive(p, id, month, units) => {
            let day = |day| Some(Date { year: 2021, month, day });
            let period = Some(Period { start_date: day(1), end_date: day(28) });
            let funds = ReceivedFunds { period, amount: cny(units), reported_date: None };
            let project = Project {
                name: format!("portfolios/{p}/projects/{id}"),
                received_funds: vec![funds],
                ..Project::default()
            };
            let update_mask = Some(FieldMask { paths: vec!["received_funds".into()] });
            let request = UpdateProjectRequest { project: Some(project), update_mask, ..Default::default() };
            office.projects().update_project(request).await.map(drop)
        }
        Ask::Settle => {
            let part = Settle { looks: 3, events: 2, changes: 2 };
            settle(&office.service.api.ledger, part).await.unwrap();
            Ok(())
        }
    }
}

async fn of_policies(office: &Office, ask: Ask) -> Result<(), Status> {
    let programme_name = |id: &str| format!("policyProgrammes/{id}");
    let policy_name = |programme: &str, id: &str| format!("policyProgrammes/{programme}/policies/{id}");
    match ask {
        Ask::Programme(verb, id) => {
            let (mut client, name) = (office.policy_programmes(), programme_name(id));
            let group =
                PolicyGroup { code: "talent".into(), title: "人才".into(), ..PolicyGroup::default() };
            let message = PolicyProgramme {
                name: name.clone(),
                display_name: "金凤凰".into(),
                declared_count: Some(40),
                groups: vec![group],
                ..PolicyProgramme::default()
            };
            let policy_programme = Some(message);
            standard!(
                verb, client, name,
                create_policy_programme: CreatePolicyProgrammeRequest { policy_programme_id: id.into(), policy_programme, ..Default::default() },
                update_policy_programme: UpdatePolicyProgrammeRequest { policy_programme, ..Default::default() },
                delete_policy_programme: DeletePolicyProgrammeRequest,
                undelete_policy_programme: UndeletePolicyProgrammeRequest
            )
        }
        Ask::PublishProgramme(id) => {
            let request = PublishPolicyProgrammeRequest { name: programme_name(id), ..Default::default() };
            office.policy_programmes().publish_policy_programme(request).await.map(drop)
        }
        Ask::Policy(verb, programme, id, supersedes) => {
            let (mut client, name) = (office.policies(), policy_name(programme, id));
            let before = if supersedes { policy_name(programme, "y") } else { String::new() };
            let message = Policy {
                name: name.clone(),
                group: "talent".into(),
                supersedes: before,
                ..policy(&[("name", "org.name != 'organizations/q'")])
            };
            let policy = Some(message);
            let parent = programme_name(programme);
            standard!(
                verb, client, name,
                create_policy: CreatePolicyRequest { parent, policy_id: id.into(), policy, ..Default::default() },
                update_policy: UpdatePolicyRequest { policy, ..Default::default() },
                delete_policy: DeletePolicyRequest,
                undelete_policy: UndeletePolicyRequest
            )
        }
        Ask::Publish(programme, id) => {
            let request = PublishPolicyRequest { name: policy_name(programme, id), ..Default::default() };
            office.policies().publish_policy(request).await.map(drop)
        }
        Ask::Withdraw(programme, id) => {
            let (name, reason) = (policy_name(programme, id), "试".into());
            let request = WithdrawPolicyRequest { name, reason, ..Default::default() };
            office.policies().withdraw_policy(request).await.map(drop)
        }
        other => unreachable!("{other:?}"),
    }
}

async fn of_officers(office: &Office, ask: Ask) -> Result<(), Status> {
    let mut client = office.assignments();
    match ask {
        Ask::Assign(verb, place, person, lead, from, to) => {
            let name = place.name();
            let message = Assignment {
                name: name.clone(),
                person: person.into(),
                lead,
                start_date: may(from),
                end_date: to.and_then(may),
                ..Assignment::default()
            };
            let assignment = Some(message);
            let paths = ["lead", "start_date", "end_date"].map(String::from).to_vec();
            let update_mask = Some(FieldMask { paths });
            let (parent, assignment_id) = (place.parent(), place.id.into());
            standard!(
                verb, client, name,
                create_assignment: CreateAssignmentRequest { parent, assignment_id, assignment, ..Default::default() },
                update_assignment: UpdateAssignmentRequest { assignment, update_mask, ..Default::default() },
                delete_assignment: DeleteAssignmentRequest,
                undelete_assignment: UndeleteAssignmentRequest
            )
        }
        Ask::HandOver(place, person, day) => {
            let (name, person, reason) = (place.name(), person.into(), "轮岗".into());
            let request =
                HandOverAssignmentRequest { name, person, date: may(day), reason, ..Default::default() };
            client.hand_over_assignment(request).await.map(drop)
        }
        Ask::End(place, day) => {
            let (name, reason) = (place.name(), "完工".into());
            let request = EndAssignmentRequest { name, date: may(day), reason, ..Default::default() };
            client.end_assignment(request).await.map(drop)
        }
        other => unreachable!("{other:?}"),
    }
}

async fn of_alliances(office: &Office, ask: Ask) -> Result<(), Status> {
    let alliance_name = |p: &str, id: &str| format!("portfolios/{p}/alliances/{id}");
    match ask {
        Ask::Alliance(verb, p, id, members) => {
            let (mut client, name) = (office.alliances(), alliance_name(p, id));
            let member = |(id, lead, from, to): (&str, bool, i32, Option<i32>)| AllianceMember {
                organization: organization(id),
                lead,
                joined: may(from),
                left: to.and_then(may),
            };
            let is_new = matches!(verb, Verb::Create);
            let message = Alliance {
                name: name.clone(),
                display_name: "党建联盟".into(),
                members: members.into_iter().filter(|_| is_new).map(member).collect(),
                ..Alliance::default()
            };
            let alliance = Some(message);
            let (parent, alliance_id) = (format!("portfolios/{p}"), id.into());
            standard!(
                verb, client, name,
                create_alliance: CreateAllianceRequest { parent, alliance_id, alliance, ..Default::default() },
                update_alliance: UpdateAllianceRequest { alliance, ..Default::default() },
                delete_alliance: DeleteAllianceRequest,
                undelete_alliance: UndeleteAllianceRequest
            )
        }
        Ask::Members(p, id, joining, leaving, lead, day) => {
            let names = |ids: Vec<&str>| ids.into_iter().map(organization).collect();
            let request = ChangeAllianceMembersRequest {
                name: alliance_name(p, id),
                joining: names(joining),
                leaving: names(leaving),
                lead: lead.map(organization).unwrap_or_default(),
                date: may(day),
                reason: "调整".into(),
                ..Default::default()
            };
            office.alliances().change_alliance_members(request).await.map(drop)
        }
        Ask::Activity(verb, of, day, participants) => {
            let (mut client, name) = (office.activities(), of.name());
            let message = Activity {
                name: name.clone(),
                kind: activity::Kind::JointActivity.into(),
                title: "志愿服务".into(),
                date: may(day),
                participants: participants.into_iter().map(organization).collect(),
                ..Activity::default()
            };
            let activity = Some(message);
            let (parent, activity_id) = (of.parent(), of.id.into());
            standard!(
                verb, client, name,
                create_activity: CreateActivityRequest { parent, activity_id, activity, ..Default::default() },
                update_activity: UpdateActivityRequest { activity, ..Default::default() },
                delete_activity: DeleteActivityRequest,
                undelete_activity: UndeleteActivityRequest
            )
        }
        Ask::Hold(held, of, day) => {
            let (mut client, name) = (office.activities(), of.name());
            if held {
                let request = HoldActivityRequest { name, date: may(day), ..Default::default() };
                client.hold_activity(request).await.map(drop)
            } else {
                let request = CancelActivityRequest { name, reason: "下雨".into(), ..Default::default() };
                client.cancel_activity(request).await.map(drop)
            }
        }
        other => unreachable!("{other:?}"),
    }
}

/// Who is there on which days of May, and whether they lead.
struct Stay<'a> {
    who: &'a str,
    lead: bool,
    from: Option<Date>,
    to: Option<Date>,
}

/// office.md, section 2: nobody is there twice on a day, and where as many are there as `least`, exactly one of them
/// leads.
fn check_stays(of: &str, least: usize, stays: &[Stay<'_>]) {
    let number = |date: &Date| (date.year, date.month, date.day);
    for day in 1..=31 {
        let day = (2021, 5, day);
        let active: Vec<_> = stays
            .iter()
            .filter(|stay| stay.from.as_ref().is_none_or(|from| number(from) <= day))
            .filter(|stay| stay.to.as_ref().is_none_or(|to| day <= number(to)))
            .collect();
        let people: std::collections::BTreeSet<_> = active.iter().map(|stay| stay.who).collect();
        assert_eq!(people.len(), active.len(), "{of} has somebody twice on {day:?}");
        let leads = active.iter().filter(|stay| stay.lead).count();
        assert!(active.len() < least || leads == 1, "{of}: {leads} of {} lead on {day:?}", active.len());
    }
}

/// What the rules promise of all resources together.
pub(super) fn check_promises(held: &BTreeMap<Vec<u8>, bytes::Bytes>) {
    let assignments: Vec<Assignment> = resources(held, 50);
    let mut by_project = BTreeMap::<&str, Vec<Stay<'_>>>::new();
    for found in assignments.iter().filter(|found| found.delete_time.is_none()) {
        let project = found.name.split("/assignments/").next().unwrap();
        let stay = Stay { who: &found.person, lead: found.lead, from: found.start_date, to: found.end_date };
        by_project.entry(project).or_default().push(stay);
    }
    by_project.iter().for_each(|(project, stays)| check_stays(project, 2, stays));

    let alliances: Vec<Alliance> = resources(held, 52);
    for alliance in &alliances {
        let member = |member: &'_ AllianceMember| (member.lead, member.joined, member.left);
        let stays = alliance.members.iter().map(|of| {
            let (lead, from, to) = member(of);
            Stay { who: &of.organization, lead, from, to }
        });
        check_stays(&alliance.name, 1, &stays.collect::<Vec<_>>());
    }
    for activity in resources::<Activity>(held, 54).iter().filter(|found| found.delete_time.is_none()) {
        let is_of = |alliance: &&Alliance| activity.name.starts_with(&format!("{}/", alliance.name));
        let alliance = alliances.iter().find(is_of).unwrap();
        assert!(alliance.delete_time.is_none(), "{} is of a deleted alliance", activity.name);
    }

    let programmes: Vec<PolicyProgramme> = resources(held, 65);
    let policies: Vec<Policy> = resources(held, 66);
    for found in policies.iter().filter(|found| found.delete_time.is_none()) {
        let programme = found.name.split("/policies/").next().unwrap();
        let programme = programmes.iter().find(|held| held.name == programme).unwrap();
        assert!(programme.delete_time.is_none(), "{} is in a deleted programme", found.name);
    }
    let is_published = |name: &String| {
        let found = policies.iter().find(|found| found.name == *name);
        found.is_some_and(|found| found.publish_date.is_some())
    };
    for found in &policies {
        let successors = found.superseded_by.iter();
        assert!(successors.clone().all(is_published), "{} has a successor that is not published", found.name);
    }
}

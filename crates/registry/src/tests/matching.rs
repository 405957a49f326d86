//! Whom policies fit, as events say it: after a publication, a withdrawal, and any change; in several entries, over a
//! crash and a rebuild, and with two that do it at once.

mod once;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Journal, ReadLimit};
use milepost_ledger::{Entry, Options};
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{Event, PolicyMatchChanged};
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::policy::Subject;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::*;
use milepost_types::LogId;
use prost::Message;

use super::office::{Office, cny, named};
use super::policies::{policy, policy_name};
use crate::policy::settle::Settle;
use crate::service::settling::settle;
use crate::tables::matches;

/// An office and its journal.
struct World {
    office: Office,
    journal: Arc<MemoryJournal>,
}

impl World {
    async fn open() -> Self {
        let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
        let office = Office::on(journal.clone()).await;
        office.portfolio("wsc").await;
        office.programme().await;
        Self { office, journal }
    }

    /// The same journal under a store that is built anew.
    async fn rebuilt(self) -> Self {
        self.office.stopped();
        Self { office: Office::with(self.journal.clone(), Options::default()).await, journal: self.journal }
    }

    async fn settle(&self) {
        settle(&self.office.service.api.ledger, Settle::default()).await.unwrap();
    }

    /// Does one part of what is to be done, of this size.
    async fn one_part(&self, part: Settle) {
        use milepost_ledger::Submission;
        use milepost_resource::Command;
        use milepost_service::access::Permit;
        let command =
            Command { act: Box::new(part), traceparent: String::new(), permit: Permit::of_system() };
        self.office
            .service
            .api
            .ledger
            .submit(Submission::system("registry", Arc::new(command)))
            .await
            .unwrap();
    }

    fn waits(&self) -> Vec<String> {
        let view = self.office.service.api.ledger.view();
        matches::changes(&view).map(|change| change.unwrap().name).collect()
    }

    /// Every event after a sequence.
    fn events(&self, after: u64) -> Vec<Event> {
        let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
        let entries = self.journal.read_after(after, limit).unwrap();
        let events = entries.iter().flat_map(|entry| Entry::decode(entry).unwrap().events);
        events.map(|event| Event::decode(event).unwrap()).collect()
    }

    /// The matches that were announced after a sequence: type, policy, whom, and the type of the cause.
    fn announced(&self, after: u64) -> Vec<(String, String, String, String)> {
        let all = self.events(0);
        let cause =
            |id: &str| all.iter().find(|event| event.event_id == id).map(|event| event.r#type.clone());
        let changed = self.events(after).into_iter().filter_map(|event| {
            let Some(Payload::PolicyMatchChanged(PolicyMatchChanged { organization, project, .. })) =
                &event.payload
            else {
                return None;
            };
            let whom =
                if project.is_empty() { organization.clone() } else { format!("{organization} {project}") };
            let kind = event.r#type.rsplit('.').next().unwrap().to_owned();
            let id = event.subject.rsplit('/').next().unwrap().to_owned();
            Some((kind, id, whom, cause(&event.caused_by).expect("a cause that is in the journal")))
        });
        changed.collect()
    }

    /// Whom policies fit by what all events say: none is announced that was so already.
    fn fits(&self) -> BTreeSet<(String, String, String)> {
        let mut fits = BTreeSet::new();
        for event in self.events(0) {
            let Some(Payload::PolicyMatchChanged(changed)) = event.payload else { continue };
            let outcome = changed.outcome();
            let whom = (event.subject, changed.organization, changed.project);
            if event.r#type == "milepost.policy.matched" {
                assert_eq!(outcome, Outcome::Fits);
                assert!(fits.insert(whom.clone()), "{whom:?} is announced twice");
            } else {
                assert_ne!(outcome, Outcome::Fits);
                assert!(fits.remove(&whom), "{whom:?} was not matched before");
            }
        }
        fits
    }

    /// Whom policies fit by the questions that may be asked of each organization.
    async fn asked(&self, organizations: &[&str]) -> BTreeSet<(String, String, String)> {
        let mut fits = BTreeSet::new();
        for organization in organizations {
            let found = self.office.matches(organization).await.into_iter();
            let found = found.filter(|found| found.outcome() == Outcome::Fits);
            fits.extend(found.map(|found| (found.policy, found.organization, found.project)));
        }
        fits
    }
}

/// A part so small that everything takes several.
const SMALL: Settle = Settle { looks: 3, events: 2, changes: 2 };

fn said(kind: &str, policy: &str, whom: &str, cause: &str) -> (String, String, String, String) {
    (kind.into(), policy.into(), whom.into(), format!("milepost.{cause}"))
}

#[tokio::test]
async fn office_3_publication_withdrawal_and_changed_data_announce_whom_a_policy_fits() {
    let world = World::open().await;
    let office = &world.office;
    office.firm("big", &[("employees", "200")]).await;
    office.firm("small", &[("employees", "20")]).await;
    office.firm("silent", &[]).await;
    let enough = [("staff", "num(org.attributes.employees) >= num('100')")];
    office.try_policy("y", policy(&enough)).await.unwrap();
    world.settle().await;
    assert_eq!(
        (world.announced(0), world.waits()),
        (vec![], vec![]),
        "a draft fits nobody, and nothing is kept"
    );

    let mut after = office.sequence();
    let mut next = |world: &World| std::mem::replace(&mut after, world.office.sequence());
    office.publish("y").await.unwrap();
    world.settle().await;
    let expected = [said("matched", "y", "organizations/big", "policy.published")];
    assert_eq!(world.announced(next(&world)), expected);

    office.firm("small", &[("employees", "100")]).await;
    office.firm("big", &[("employees", "99")]).await;
    office.firm("silent", &[("city", "重庆")]).await;
    world.settle().await;
    let expected = [
        said("unmatched", "y", "organizations/big", "organization.updated"),
        said("matched", "y", "organizations/small", "organization.updated"),
    ];
    assert_eq!(world.announced(next(&world)), expected);

    office.firm("new", &[("employees", "100")]).await;
    world.settle().await;
    let expected = [said("matched", "y", "organizations/new", "organization.created")];
    assert_eq!(world.announced(next(&world)), expected);

    let name = "organizations/new".to_owned();
    let delete = DeleteOrganizationRequest { name: name.clone(), ..Default::default() };
    office.organizations().delete_organization(delete).await.unwrap();
    world.settle().await;
    let expected = [said("unmatched", "y", "organizations/new", "organization.deleted")];
    assert_eq!(world.announced(next(&world)), expected);
    let undelete = UndeleteOrganizationRequest { name, ..Default::default() };
    office.organizations().undelete_organization(undelete).await.unwrap();
    world.settle().await;
    let expected = [said("matched", "y", "organizations/new", "organization.undeleted")];
    assert_eq!(world.announced(next(&world)), expected);

    office.withdraw("y").await.unwrap();
    world.settle().await;
    let expected =
        ["new", "small"].map(|id| said("unmatched", "y", &format!("organizations/{id}"), "policy.withdrawn"));
    assert_eq!(world.announced(next(&world)), expected);
    assert!(world.fits().is_empty());
}

/// office.md, section 3: passing time alone emits none.
#[tokio::test]
async fn what_no_policy_depends_on_and_a_day_that_passes_announce_nothing() {
    let world = World::open().await;
    let office = &world.office;
    office.firm("firm", &[]).await;
    let until =
        Policy { valid_until: Some(Date { year: 2021, month: 5, day: 27 }), ..policy(&[("a", "true")]) };
    office.published("today", until).await;
    let from =
        Policy { valid_from: Some(Date { year: 2021, month: 5, day: 28 }), ..policy(&[("a", "true")]) };
    office.published("tomorrow", from).await;
    world.settle().await;
    assert_eq!(world.announced(0), [said("matched", "today", "organizations/firm", "policy.published")]);
    let after = office.sequence();
    let renamed =
        Organization {
            name: "organizations/firm".into(), display_name: "新名".into(), ..Default::default()
        };
    let request = UpdateOrganizationRequest { organization: Some(renamed), ..Default::default() };
    office.organizations().update_organization(request).await.unwrap();
    office.clock.advance(jiff::SignedDuration::from_hours(24));
    world.settle().await;
    assert_eq!((world.announced(after), world.waits()), (vec![], vec![]));
    assert_eq!(office.sequence(), after + 1, "nothing was to be looked at");
    // What changes after that is looked at as of the day.
    office.firm("firm", &[("a", "b")]).await;
    world.settle().await;
    let expected = [
        said("unmatched", "today", "organizations/firm", "organization.updated"),
        said("matched", "tomorrow", "organizations/firm", "organization.updated"),
    ];
    assert_eq!(world.announced(after), expected);
}

fn supplied_by(firms: &[&str]) -> Project {
    let party =
        |firm: &&str| Party { organization: format!("organizations/{firm}"), roles: vec!["supplier".into()] };
    Project { parties: firms.iter().map(party).collect(), ..named("路") }
}

#[tokio::test]
async fn office_3_changes_of_projects_announce_whom_policies_about_them_fit() {
    let world = World::open().await;
    let office = &world.office;
    for firm in ["a", "b"] {
        office.firm(firm, &[]).await;
    }
    office.project("road", supplied_by(&["a"])).await;
    let large = [("large", "project.investment >= num('1000') && 'supplier' in project.roles")];
    office.published("y", Policy { subject: Subject::Project.into(), ..policy(&large) }).await;
    office.published("z", policy(&[("a", "org.kind == 'UNIVERSITY'")])).await;
    world.settle().await;
    assert_eq!(world.announced(0), []);
    let whom = |firm: &str| format!("organizations/{firm} portfolios/wsc/projects/road");
    let update = |project: Project, paths: &[&str]| UpdateProjectRequest {
        project: Some(Project { name: "portfolios/wsc/projects/road".into(), ..project }),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|path| path.to_string()).collect(),
        }),
        ..Default::default()
    };
    let mut after = office.sequence();
    let mut next = |world: &World| std::mem::replace(&mut after, world.office.sequence());

    let costing = Project { investment: Some(cny(1_000)), ..Project::default() };
    office.projects().update_project(update(costing, &["investment"])).await.unwrap();
    world.settle().await;
    assert_eq!(world.announced(next(&world)), [said("matched", "y", &whom("a"), "project.updated")]);
    // An event of a project is for who may read that.
    let event = world.events(0).into_iter().find(|event| event.r#type == "milepost.policy.matched").unwrap();
    assert_eq!(
        (event.portfolio.as_str(), event.project.as_str()),
        ("portfolios/wsc", "portfolios/wsc/projects/road")
    );
    assert_eq!((event.subject, event.resource), (policy_name("y"), None));

    office.projects().update_project(update(supplied_by(&["b"]), &["parties"])).await.unwrap();
    world.settle().await;
    let expected = [
        said("unmatched", "y", &whom("a"), "project.updated"),
        said("matched", "y", &whom("b"), "project.updated"),
    ];
    assert_eq!(world.announced(next(&world)), expected);

    let name = "portfolios/wsc/projects/road".to_owned();
    let delete = DeleteProjectRequest { name: name.clone(), ..Default::default() };
    office.projects().delete_project(delete).await.unwrap();
    world.settle().await;
    assert_eq!(world.announced(next(&world)), [said("unmatched", "y", &whom("b"), "project.deleted")]);
    office.projects().undelete_project(UndeleteProjectRequest { name, ..Default::default() }).await.unwrap();
    world.settle().await;
    assert_eq!(world.announced(next(&world)), [said("matched", "y", &whom("b"), "project.undeleted")]);

    let delete = DeleteOrganizationRequest { name: "organizations/b".into(), ..Default::default() };
    office.organizations().delete_organization(delete).await.unwrap();
    world.settle().await;
    assert_eq!(world.announced(next(&world)), [said("unmatched", "y", &whom("b"), "organization.deleted")]);
    assert!(world.fits().is_empty());
}

/// Firms of which every second has enough employees.
async fn firms(office: &Office, count: usize) {
    for i in 0..count {
        let employees = if i % 2 == 0 { "100" } else { "99" };
        office.firm(&format!("f{i:03}"), &[("employees", employees)]).await;
    }
}

fn enough() -> Policy {
    policy(&[("staff", "num(org.attributes.employees) >= num('100')")])
}

#[tokio::test]
async fn office_3_a_policy_for_many_takes_several_entries_over_a_crash_and_a_rebuild_and_loses_and_doubles_nothing()
 {
    let mut world = World::open().await;
    firms(&world.office, 23).await;
    world.office.published("y", enough()).await;
    let mut parts = 0;
    while !world.waits().is_empty() {
        world.one_part(SMALL).await;
        parts += 1;
        if parts % 3 == 0 {
            // What was acknowledged is in the journal; the store is built anew from it.
            let before = world.office.rows();
            world = world.rebuilt().await;
            assert_eq!(world.office.rows(), before, "after {parts} parts");
        }
        assert!(parts < 50, "every part goes on");
    }
    assert!(parts >= 8, "it took {parts} parts");
    let fits: BTreeSet<_> = world.fits().into_iter().map(|(_, organization, _)| organization).collect();
    let expected: BTreeSet<_> = (0..23).step_by(2).map(|i| format!("organizations/f{i:03}")).collect();
    assert_eq!(fits, expected);
    assert!(world.announced(0).iter().all(|(.., cause)| cause == "milepost.policy.published"));
    // No entry has more than a part.
    for entry in world.journal.read_after(0, ReadLimit { entries: usize::MAX, bytes: usize::MAX }).unwrap() {
        let events = Entry::decode(&entry).unwrap().events;
        let matched = events
            .iter()
            .filter(|event| Event::decode((*event).clone()).unwrap().r#type.contains("policy.matched"));
        assert!(matched.count() <= SMALL.events);
    }
}

/// The events of `milepost.policy.matched` of every entry that has some, each entry with its size.
fn matched(journal: &MemoryJournal) -> Vec<(Vec<Event>, usize)> {
    let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
    let entries = journal.read_after(0, limit).unwrap();
    let of_entry = |stored| {
        let entry = Entry::decode(stored).unwrap();
        let bytes = entry.encode(&milepost_types::Hash::ZERO).bytes.len();
        let events = entry.events.into_iter().map(|event| Event::decode(event).unwrap());
        let events: Vec<_> = events.filter(|event| event.r#type == "milepost.policy.matched").collect();
        (events, bytes)
    };
    entries.iter().map(of_entry).filter(|(events, _)| !events.is_empty()).collect()
}

/// office.md, section 3 and the least `max_entry_bytes` that can be configured, 1 MiB: a part of matches fits it,
/// whatever their names.
#[tokio::test]
async fn office_3_a_whole_part_with_the_longest_names_is_smaller_than_any_entry_may_be() {
    let long = |letter: char, number: usize| format!("{letter}{number:062}");
    let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
    let office = Office::on(journal.clone()).await;
    let (portfolio, programme) = (long('p', 0), long('g', 0));
    office.portfolio(&portfolio).await;
    let firms: Vec<String> = (0..200).map(|number| long('f', number)).collect();
    for firm in &firms {
        office.firm(firm, &[]).await;
    }
    let all: Vec<&str> = firms.iter().map(String::as_str).collect();
    for number in 0..3 {
        let request = CreateProjectRequest {
            parent: format!("portfolios/{portfolio}"),
            project_id: long('x', number),
            project: Some(supplied_by(&all)),
            ..Default::default()
        };
        office.projects().create_project(request).await.unwrap();
    }
    let request = CreatePolicyProgrammeRequest {
        policy_programme_id: programme.clone(),
        policy_programme: Some(PolicyProgramme { display_name: "名".into(), ..Default::default() }),
        ..Default::default()
    };
    office.policy_programmes().create_policy_programme(request).await.unwrap();
    let of_projects = Policy { subject: Subject::Project.into(), ..policy(&[("a", "true")]) };
    let parent = format!("policyProgrammes/{programme}");
    let request = CreatePolicyRequest {
        parent: parent.clone(),
        policy_id: long('y', 0),
        policy: Some(of_projects),
        ..Default::default()
    };
    office.policies().create_policy(request).await.unwrap();
    let request =
        PublishPolicyRequest { name: format!("{parent}/policies/{}", long('y', 0)), ..Default::default() };
    office.policies().publish_policy(request).await.unwrap();
    let world = World { office, journal };
    world.one_part(Settle::default()).await;
    let [(events, bytes)] = &matched(&world.journal)[..] else { panic!("one part is one entry") };
    assert_eq!(events.len(), 500);
    assert!(*bytes < (1 << 20) - 4096, "{bytes}");
}

/// office.md, section 3, a policy for 10,000 organizations: in entries of at most 500, over rebuilds, each announced
/// once.
#[tokio::test]
async fn office_3_a_policy_for_ten_thousand_organizations_is_announced_once_each_in_parts() {
    const COUNT: usize = 10_000;
    let mut world = World::open().await;
    let mut creations = tokio::task::JoinSet::new();
    for worker in 0..100 {
        let mut client = world.office.organizations();
        creations.spawn(async move {
            for number in (worker..COUNT).step_by(100) {
                let organization = Organization { display_name: "企业".into(), ..Organization::default() };
                let request = CreateOrganizationRequest {
                    organization_id: format!("f{number:05}"),
                    organization: Some(organization),
                    ..Default::default()
                };
                client.create_organization(request).await.unwrap();
            }
        });
    }
    creations.join_all().await;
    world.office.published("y", policy(&[("a", "true")])).await;
    let mut parts = 0;
    while !world.waits().is_empty() {
        world.one_part(Settle::default()).await;
        parts += 1;
        if parts % 10 == 0 {
            world = world.rebuilt().await;
        }
        assert!(parts < 50, "every part goes on");
    }
    let entries = matched(&world.journal);
    assert!(entries.len() >= 20, "{} entries", entries.len());
    assert!(entries.iter().all(|(events, _)| events.len() <= 500));
    assert_eq!(entries.iter().map(|(events, _)| events.len()).sum::<usize>(), COUNT);
    // None is announced twice, so all are.
    assert_eq!(world.fits().len(), COUNT);
}

#[tokio::test]
async fn office_3_a_policy_that_is_withdrawn_while_it_is_matched_fits_nobody() {
    let world = World::open().await;
    firms(&world.office, 20).await;
    world.office.published("y", enough()).await;
    for _ in 0..3 {
        world.one_part(SMALL).await;
    }
    assert!((1..10).contains(&world.fits().len()), "it is matched in part");
    world.office.withdraw("y").await.unwrap();
    let mut parts = 0;
    while !world.waits().is_empty() {
        world.one_part(SMALL).await;
        parts += 1;
    }
    assert!(parts > 1 && world.fits().is_empty());
    let left: Vec<_> =
        world.office.rows().into_iter().filter(|(key, _)| (72..=74).contains(&key[0])).collect();
    assert_eq!(left, []);
}

/// office.md, section 3: matched and unmatched by changed data, while a policy is matched in parts.
#[tokio::test]
async fn what_changes_while_a_policy_is_matched_is_looked_at_as_it_is_then() {
    let world = World::open().await;
    firms(&world.office, 20).await;
    world.office.published("y", enough()).await;
    for _ in 0..4 {
        world.one_part(SMALL).await;
    }
    // One that was looked at, one that was not, a new one before, and one after.
    for (id, employees) in
        [("f000", "1"), ("f001", "500"), ("f018", "1"), ("f019", "500"), ("a", "500"), ("z", "500")]
    {
        world.office.firm(id, &[("employees", employees)]).await;
    }
    while !world.waits().is_empty() {
        world.one_part(SMALL).await;
    }
    let all: Vec<String> = (0..20).map(|i| format!("f{i:03}")).chain(["a".into(), "z".into()]).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(world.fits(), world.asked(&all).await);
    assert_eq!(world.fits().len(), 10 - 2 + 4);
}

/// office.md, section 3: an outcome that turns is announced once.
#[tokio::test]
async fn two_that_match_at_once_announce_everything_once() {
    let world = World::open().await;
    firms(&world.office, 20).await;
    world.office.published("y", enough()).await;
    let ledger = &world.office.service.api.ledger;
    let (one, other) = tokio::join!(settle(ledger, SMALL), settle(ledger, SMALL));
    assert_eq!((one, other), (Ok(()), Ok(())));
    assert_eq!(world.fits().len(), 10);
}

/// office.md, section 3: once per project that the organization is party to, in several entries.
#[tokio::test]
async fn a_project_with_many_parties_and_a_firm_with_many_projects_take_several_entries() {
    let world = World::open().await;
    let office = &world.office;
    let ids: Vec<String> = (0..9).map(|i| format!("f{i}")).collect();
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    for id in &all {
        office.firm(id, &[]).await;
    }
    let of_projects =
        |expression: &str| Policy { subject: Subject::Project.into(), ..policy(&[("a", expression)]) };
    office.published("key", of_projects("project.key && 'supplier' in project.roles")).await;
    office.published("rated", of_projects("org.attributes.rating == 'A'")).await;
    for id in ["p", "q", "r", "s", "t"] {
        office.project(id, Project { key: Some(true), ..supplied_by(&all) }).await;
    }
    let drain = async || {
        let mut parts = 0;
        while !world.waits().is_empty() {
            world.one_part(SMALL).await;
            parts += 1;
        }
        parts
    };
    assert!(drain().await > 10);
    assert_eq!(world.fits().len(), 9 * 5);
    office.firm("f4", &[("rating", "A")]).await;
    assert!(drain().await > 1, "one firm with five projects");
    assert_eq!(world.fits().len(), 9 * 5 + 5);
    let request = SuspendProjectRequest {
        name: "portfolios/wsc/projects/q".into(),
        reason: "试".into(),
        ..Default::default()
    };
    office.projects().suspend_project(request).await.unwrap();
    assert!(drain().await > 1, "one project with nine parties, which changes no outcome");
    assert_eq!(world.fits(), world.asked(&all).await);
    assert_eq!(world.fits().len(), 9 * 5 + 5);
}

/// office.md, section 3: whom policies fit, over a rebuild of the store.
#[tokio::test]
async fn rows_of_parties_and_matches_are_those_of_a_rebuild() {
    let world = World::open().await;
    let office = &world.office;
    for firm in ["a", "b", "c"] {
        office.firm(firm, &[("rating", "A")]).await;
    }
    office.project("road", supplied_by(&["a", "b"])).await;
    office.project("road-2", supplied_by(&["a", "c"])).await;
    let rated =
        Policy { subject: Subject::Project.into(), ..policy(&[("a", "org.attributes.rating == 'A'")]) };
    office.published("y", rated).await;
    office.published("z", policy(&[("a", "org.attributes.rating == 'A'")])).await;
    world.settle().await;
    office.firm("a", &[]).await;
    let before = office.rows();
    let count = |tag: u8| before.iter().filter(|(key, _)| key[0] == tag).count();
    assert_eq!((count(71), count(72), count(73), count(74)), (4, 7, 4, 1));
    let world = world.rebuilt().await;
    assert_eq!(world.office.rows(), before);
    world.settle().await;
    let by_policy: BTreeMap<String, usize> =
        world.fits().into_iter().fold(BTreeMap::new(), |mut counts, (policy, ..)| {
            *counts.entry(policy).or_default() += 1;
            counts
        });
    assert_eq!(by_policy, BTreeMap::from([(policy_name("y"), 2), (policy_name("z"), 2)]));
}

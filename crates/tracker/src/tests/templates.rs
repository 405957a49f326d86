//! Templates through the wire: what is made, kept and cancelled, tried first and done twice; and the scenario of the joint
//! gate.

use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::template_service_client::TemplateServiceClient;
use milepost_proto::tracker::v1::template_version_service_client::TemplateVersionServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use super::running::reason;
use super::*;

const TEMPLATE: &str = "portfolios/wsc/templates/gov";

/// The clients of a tracker.
struct Clients {
    templates: TemplateServiceClient<Channel>,
    versions: TemplateVersionServiceClient<Channel>,
}

impl Clients {
    /// Of a tracker in which the template is.
    async fn of(tracker: &Running) -> Self {
        let mut templates = TemplateServiceClient::new(tracker.channel.clone());
        let versions = TemplateVersionServiceClient::new(tracker.channel.clone());
        let template = CreateTemplateRequest {
            parent: "portfolios/wsc".into(),
            template_id: "gov".into(),
            template: Some(Template { display_name: "政府投资项目".into(), ..Template::default() }),
            ..CreateTemplateRequest::default()
        };
        templates.create_template(template).await.unwrap();
        Self { templates, versions }
    }

    /// Publishes a version that is in force from a day on.
    async fn publish(&mut self, id: &str, from: Date, items: Vec<TemplateItem>) {
        let version = CreateTemplateVersionRequest {
            parent: TEMPLATE.into(),
            template_version_id: id.into(),
            template_version: Some(TemplateVersion {
                display_name: id.into(),
                in_force_from: day(from),
                items,
                ..TemplateVersion::default()
            }),
            ..CreateTemplateVersionRequest::default()
        };
        self.versions.create_template_version(version).await.unwrap();
        let name = format!("{TEMPLATE}/versions/{id}");
        let publish = PublishTemplateVersionRequest { name, ..PublishTemplateVersionRequest::default() };
        self.versions.publish_template_version(publish).await.unwrap();
    }
}

fn item(id: &str, codes: &[&str], gate: milestone::Gate) -> TemplateItem {
    let requirement = |code: &&str| TemplateRequirement { code: code.to_string(), validity_months: 0 };
    TemplateItem {
        id: id.into(),
        display_name: id.into(),
        satisfies: codes.iter().map(requirement).collect(),
        gate: gate.into(),
        ..TemplateItem::default()
    }
}

fn apply(on: Date) -> ApplyTemplateRequest {
    ApplyTemplateRequest {
        name: TEMPLATE.into(),
        project: PROJECT.into(),
        application_date: day(on),
        ..ApplyTemplateRequest::default()
    }
}

fn upgrade(version: &str) -> UpgradeTemplateRequest {
    UpgradeTemplateRequest {
        name: TEMPLATE.into(),
        project: PROJECT.into(),
        version: format!("{TEMPLATE}/versions/{version}"),
        ..UpgradeTemplateRequest::default()
    }
}

fn name(id: &str) -> String {
    format!("{PROJECT}/milestones/{id}")
}

fn ids(milestones: &[Milestone]) -> Vec<&str> {
    milestones.iter().map(|milestone| milestone.template_item.as_str()).collect()
}

/// Which requirement is satisfied by which milestone.
async fn satisfied(tracker: &Running) -> Vec<(String, String)> {
    let list = ListRequirementsRequest { parent: PROJECT.into(), ..ListRequirementsRequest::default() };
    let answer = tracker.client.clone().list_requirements(list).await.unwrap().into_inner();
    let satisfied = answer.requirements.into_iter().filter(|found| found.satisfied);
    satisfied.map(|found| (found.code, found.milestone)).collect()
}

/// Three approvals before 1 July 2020, and one for all of them from then on.
async fn reformed(tracker: &Running) -> Clients {
    let mut clients = Clients::of(tracker).await;
    let none = milestone::Gate::Unspecified;
    let apart = ["eia", "soil-water", "outfall"].map(|code| item(code, &[code], none)).to_vec();
    clients.publish("apart", jiff::civil::date(2019, 1, 1), apart).await;
    let joint = item("joint", &["eia", "soil-water", "outfall"], milestone::Gate::Merged);
    clients.publish("joined", jiff::civil::date(2020, 7, 1), vec![joint]).await;
    clients
}

/// office.md, section 9, scenario 5, joint gate: `eia` achieved 2020-06-10 in the old version; upgrade; joint gate
/// achieved 2020-08-03 satisfies `soil-water`, `outfall` only; reopened, these two are unsatisfied, `eia` is not.
#[tokio::test]
async fn scenario_5_the_joint_gate() {
    let (_registry, mut tracker) = road().await;
    let mut clients = reformed(&tracker).await;
    let applied = clients.templates.apply_template(apply(jiff::civil::date(2020, 6, 1))).await.unwrap();
    assert_eq!(ids(&applied.into_inner().made), ["eia", "soil-water", "outfall"]);
    let achieve = |id: &str, on: Date| AchieveMilestoneRequest {
        name: name(id),
        actual_date: day(on),
        ..AchieveMilestoneRequest::default()
    };
    tracker.client.achieve_milestone(achieve("eia", jiff::civil::date(2020, 6, 10))).await.unwrap();
    let upgraded = clients.templates.upgrade_template(upgrade("joined")).await.unwrap().into_inner();
    assert_eq!(ids(&upgraded.made), ["joint"]);
    assert_eq!(upgraded.kept, [name("eia")]);
    assert_eq!(ids(&upgraded.cancelled), ["outfall", "soil-water"]);
    tracker.client.achieve_milestone(achieve("joint", jiff::civil::date(2020, 8, 3))).await.unwrap();
    let by = |code: &str, id: &str| (code.to_owned(), name(id));
    let all = [by("eia", "eia"), by("outfall", "joint"), by("soil-water", "joint")];
    assert_eq!(satisfied(&tracker).await, all);
    let reopen = ReopenMilestoneRequest {
        name: name("joint"),
        reason: "审批有误".into(),
        ..ReopenMilestoneRequest::default()
    };
    tracker.client.reopen_milestone(reopen).await.unwrap();
    assert_eq!(satisfied(&tracker).await, [by("eia", "eia")]);
    let story = tracker.story();
    let said: Vec<_> = story
        .iter()
        .flat_map(|line| line.split(' '))
        .filter(|kind| kind.starts_with("requirement."))
        .collect();
    let expected = [
        "requirement.satisfied",
        "requirement.satisfied",
        "requirement.satisfied",
        "requirement.unsatisfied",
        "requirement.unsatisfied",
    ];
    assert_eq!(said, expected);
    tracker.stop().await;
}

#[tokio::test]
async fn an_application_is_tried_first_and_is_the_same_under_the_same_request_id() {
    let (_registry, mut tracker) = road().await;
    let mut clients = reformed(&tracker).await;
    let on = jiff::civil::date(2020, 6, 1);
    let tried = ApplyTemplateRequest { validate_only: true, ..apply(on) };
    let tried = clients.templates.apply_template(tried).await.unwrap().into_inner();
    assert_eq!(ids(&tried.made), ["eia", "soil-water", "outfall"]);
    assert_eq!(tried.template_version, format!("{TEMPLATE}/versions/apart"));
    let list = ListMilestonesRequest { parent: PROJECT.into(), ..ListMilestonesRequest::default() };
    let listed = tracker.client.list_milestones(list.clone()).await.unwrap().into_inner();
    assert_eq!(listed.milestones, [], "nothing was made");
    let request = ApplyTemplateRequest { request_id: "r-1".into(), ..apply(on) };
    let first = clients.templates.apply_template(request.clone()).await.unwrap().into_inner();
    let again = clients.templates.apply_template(request).await.unwrap().into_inner();
    assert_eq!(first, again);
    let listed = tracker.client.list_milestones(list).await.unwrap().into_inner();
    assert_eq!(ids(&listed.milestones), ["eia", "outfall", "soil-water"]);
    let refused = clients.templates.apply_template(apply(on)).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "PRECONDITION_FAILED")
    );

    let tried = UpgradeTemplateRequest { validate_only: true, ..upgrade("joined") };
    let tried = clients.templates.upgrade_template(tried).await.unwrap().into_inner();
    assert_eq!((ids(&tried.made), ids(&tried.cancelled).len()), (vec!["joint"], 3));
    assert!(tried.cancelled.iter().all(|milestone| milestone.state() == State::Cancelled));
    assert_eq!(tracker.got(&name("eia")).await.state(), State::Planned);
    clients.templates.upgrade_template(upgrade("joined")).await.unwrap();
    let nothing = clients.templates.upgrade_template(upgrade("joined")).await.unwrap().into_inner();
    assert_eq!((nothing.made.len(), nothing.cancelled.len()), (0, 0));
    assert_eq!(nothing.kept.len(), 4, "what it made is there, whatever became of it");
    tracker.stop().await;
}

/// What is made is answered as it is then, tried or done.
#[tokio::test]
async fn a_start_before_the_template_is_in_its_answer() {
    let (mut registry, mut tracker) = road().await;
    let mut clients = Clients::of(&tracker).await;
    let none = milestone::Gate::Unspecified;
    let start = TemplateItem { r#type: "constructionStart".into(), ..item("start", &["started"], none) };
    clients.publish("v1", jiff::civil::date(2019, 1, 1), vec![item("other", &[], none), start]).await;
    let started = jiff::civil::date(2021, 5, 12);
    let position = registry.say(|recorded| recorded.start(&["road"], started));
    tracker.reach(position).await;
    for validate_only in [true, false] {
        let on = ApplyTemplateRequest { validate_only, ..apply(started) };
        let made = clients.templates.apply_template(on).await.unwrap().into_inner().made;
        assert_eq!(ids(&made), ["other", "start"]);
        let expected = [(State::Planned, None), (State::Achieved, day(started))];
        assert_eq!(made.iter().map(|made| (made.state(), made.actual_date)).collect::<Vec<_>>(), expected);
        if !validate_only {
            assert_eq!(tracker.got(&name("start")).await, made[1]);
        }
    }
    tracker.stop().await;
}

#[tokio::test]
async fn faults_of_applications_are_named_all_at_once() {
    let (_registry, mut tracker) = road().await;
    let mut clients = reformed(&tracker).await;
    let wrong = UpgradeTemplateRequest {
        name: TEMPLATE.into(),
        etag: "x".into(),
        project: "portfolios/other/projects/road".into(),
        version: "portfolios/wsc/templates/other/versions/v".into(),
        start_date: Some(DateMessage { year: 2021, month: 2, day: 30 }),
        ..UpgradeTemplateRequest::default()
    };
    let refused = clients.templates.upgrade_template(wrong).await.unwrap_err();
    let details = tonic_types::StatusExt::get_error_details(&refused);
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|found| found.field.as_str()).collect();
    assert_eq!(fields, ["etag", "project", "version", "start_date"]);
    let unknown = ApplyTemplateRequest {
        project: "portfolios/wsc/projects/never".into(),
        ..apply(jiff::civil::date(2020, 6, 1))
    };
    assert_eq!(clients.templates.apply_template(unknown).await.unwrap_err().code(), Code::NotFound);
    let list = ListRequirementsRequest {
        parent: "portfolios/wsc/projects/-".into(),
        page_size: -1,
        page_token: "x".into(),
        ..ListRequirementsRequest::default()
    };
    let refused = tracker.client.list_requirements(list.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_FIELDS");
    let list = ListRequirementsRequest { parent: PROJECT.into(), page_size: 0, ..list };
    let refused = tracker.client.list_requirements(list).await.unwrap_err();
    assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
    tracker.stop().await;
}

#[tokio::test]
async fn requirements_come_page_by_page() {
    let (_registry, mut tracker) = road().await;
    let mut clients = reformed(&tracker).await;
    clients.templates.apply_template(apply(jiff::civil::date(2020, 6, 1))).await.unwrap();
    let mut list = ListRequirementsRequest { parent: PROJECT.into(), page_size: 2, ..Default::default() };
    let first = tracker.client.list_requirements(list.clone()).await.unwrap().into_inner();
    let codes = |page: &ListRequirementsResponse| -> Vec<String> {
        page.requirements.iter().map(|found| found.code.clone()).collect()
    };
    assert_eq!(codes(&first), ["eia", "outfall"]);
    assert_eq!(first.requirements[0].open_milestones, [name("eia")]);
    list.page_token = first.next_page_token;
    let last = tracker.client.list_requirements(list.clone()).await.unwrap().into_inner();
    assert_eq!((codes(&last), last.next_page_token.as_str()), (vec!["soil-water".to_owned()], ""));
    list.date = day(jiff::civil::date(2020, 6, 1));
    let refused = tracker.client.list_requirements(list).await.unwrap_err();
    assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID", "it is of another day");
    tracker.stop().await;
}

/// office.md, section 7, and two who upgrade one project at once: one entry does it, and the other call finds it done,
/// or is refused; nothing is half there.
#[tokio::test]
async fn a_project_that_two_upgrade_at_once_is_upgraded_once() {
    let (_registry, mut tracker) = road().await;
    let mut clients = reformed(&tracker).await;
    let last = item("single", &["eia", "soil-water", "outfall"], milestone::Gate::Merged);
    clients.publish("last", jiff::civil::date(2021, 1, 1), vec![last]).await;
    clients.templates.apply_template(apply(jiff::civil::date(2020, 6, 1))).await.unwrap();
    let list = ListMilestonesRequest { parent: PROJECT.into(), ..ListMilestonesRequest::default() };

    // To the same version.
    let (mut one, mut other) = (clients.templates.clone(), clients.templates.clone());
    let both =
        tokio::join!(one.upgrade_template(upgrade("joined")), other.upgrade_template(upgrade("joined")));
    let both = [both.0.unwrap().into_inner(), both.1.unwrap().into_inner()];
    assert_eq!(both.iter().map(|answer| answer.made.len()).sum::<usize>(), 1);
    assert_eq!(both.iter().map(|answer| answer.cancelled.len()).sum::<usize>(), 3);
    let upgrades =
        |tracker: &Running| tracker.story().iter().filter(|line| line.contains("template.upgraded")).count();
    assert_eq!(upgrades(&tracker), 1);
    let listed = tracker.client.list_milestones(list.clone()).await.unwrap().into_inner().milestones;
    let open: Vec<_> = listed.iter().filter(|milestone| milestone.state() == State::Planned).collect();
    assert_eq!((listed.len(), open.len(), open[0].template_item.as_str()), (4, 1, "joint"));

    // To two versions: whichever comes first, the project ends with the later one.
    let both = tokio::join!(one.upgrade_template(upgrade("last")), other.upgrade_template(upgrade("joined")));
    both.0.unwrap();
    match both.1 {
        Ok(nothing) => assert_eq!(nothing.into_inner().made, []),
        Err(refused) => assert_eq!(reason(&refused), "PRECONDITION_FAILED"),
    }
    let before = tracker.rows();
    let late = clients.templates.upgrade_template(upgrade("joined")).await.unwrap_err();
    assert_eq!(reason(&late), "PRECONDITION_FAILED");
    assert_eq!(tracker.rows(), before, "what is refused changes nothing");
    assert_eq!(upgrades(&tracker), 2);
    let listed = tracker.client.list_milestones(list).await.unwrap().into_inner().milestones;
    let open: Vec<_> = listed.iter().filter(|milestone| milestone.state() == State::Planned).collect();
    assert_eq!((open.len(), open[0].template_item.as_str()), (1, "single"));
    tracker.stop().await;
}

//! What starts with a batch, through the whole house: the tracker hears of each member.

use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1 as tracker;
use milepost_tests::Cluster;
use milepost_tests::command::{Command, create_milestone, create_portfolio, create_project};

const DAY: Date = Date { year: 2020, month: 9, day: 11 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_construction_start_of_what_joins_a_started_batch_is_achieved_on_its_day() {
    let mut cluster = Cluster::apart(&[]);
    cluster.start().await;
    let client = cluster.client(1);
    create_portfolio("p").once(&client).await.expect("a portfolio");
    let (mut batches, mut milestones) = (client.batches(), client.milestones());
    let batch = registry::Batch {
        display_name: "集中开工".to_owned(),
        start_date: Some(DAY),
        declared_count: Some(79),
        ..registry::Batch::default()
    };
    let request = registry::CreateBatchRequest {
        parent: "portfolios/p".to_owned(),
        batch_id: "first".to_owned(),
        batch: Some(batch),
        ..Default::default()
    };
    batches.create_batch(request).await.expect("a batch");
    let name = "portfolios/p/batches/first".to_owned();
    let request = registry::StartBatchRequest { name: name.clone(), ..Default::default() };
    batches.start_batch(request).await.expect("its start");

    let project = "portfolios/p/projects/x";
    Command::CreateProject(Box::new(create_project("p", "x"))).once(&client).await.expect("a project");
    let mut request = create_milestone(project, "start");
    request.milestone.as_mut().expect("a milestone").r#type = "constructionStart".to_owned();
    milestones.create_milestone(request).await.expect("a milestone");
    let members = vec![project.to_owned()];
    let request = registry::AddBatchMembersRequest { name, members, ..Default::default() };
    let joined = batches.add_batch_members(request).await.expect("it joins").into_inner();
    let batch = joined.batch.expect("a batch");
    assert_eq!((batch.declared_count, batch.registered_count), (Some(79), 1));

    let request = tracker::GetMilestoneRequest {
        name: format!("{project}/milestones/start"),
        min_revisions: vec![joined.revision],
    };
    let milestone = milestones.get_milestone(request).await.expect("it is read").into_inner().milestone;
    let milestone = milestone.expect("a milestone");
    assert_eq!(milestone.state(), tracker::milestone::State::Achieved);
    assert_eq!(milestone.actual_date, Some(DAY));
}

//! Reports grouped by collection: office.md, section 1, a project in two groups counts in both and once in the total.

use milepost_proto::registry::v1::*;

use super::office::{Office, project_name};
use super::reporting::*;

#[tokio::test]
async fn office_1_a_project_in_two_collections_counts_in_both_and_once_in_the_total() {
    let office = Office::at("2021-12-31").await;
    for id in ["both", "one", "none"] {
        office.project(id, planned(tenths(10), Vec::new())).await;
    }
    for (id, members) in [("rings", vec!["both", "one"]), ("valley", vec!["both"]), ("gone", vec!["none"])] {
        let members = members.into_iter().map(project_name).collect();
        let collection = Collection { display_name: id.to_owned(), members, ..Collection::default() };
        let request = CreateCollectionRequest {
            parent: "portfolios/wsc".to_owned(),
            collection_id: id.to_owned(),
            collection: Some(collection),
            ..Default::default()
        };
        office.collections().create_collection(request).await.unwrap();
    }
    let name = "portfolios/wsc/collections/gone".to_owned();
    let request = DeleteCollectionRequest { name, ..Default::default() };
    office.collections().delete_collection(request).await.unwrap();

    let request = QueryStatisticsRequest { group_by: vec!["collection".to_owned()], ..on("2021-10-31") };
    let report = office.report(request).await.unwrap();
    let counts: Vec<_> = report
        .groups
        .iter()
        .map(|group| (group.values[0].as_str(), group.statistics.as_ref().unwrap().listed_count))
        .collect();
    let expected =
        [("", 1), ("portfolios/wsc/collections/rings", 2), ("portfolios/wsc/collections/valley", 1)];
    assert_eq!(counts, expected);
    let total = report.total.unwrap();
    assert_eq!((total.listed_count, total.planned_investment), (3, Some(tenths(30))));
}

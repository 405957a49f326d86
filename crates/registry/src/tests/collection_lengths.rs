//! What share of a network is built, where not everything is said.

use milepost_proto::registry::v1::*;

use super::collections::{created, name, of};
use super::office::{Office, named, project_name};

#[tokio::test]
async fn a_length_is_no_lower_bound_beside_an_element_without_a_plan() {
    let office = Office::with_portfolio().await;
    office.project("road", named("路")).await;
    let element = |id: &str, planned_measure: &str| CollectionElement {
        id: id.to_owned(),
        planned_measure: planned_measure.to_owned(),
        contributions: vec![CollectionContribution {
            project: project_name("road"),
            measure: "1".to_owned(),
            ..CollectionContribution::default()
        }],
        ..CollectionElement::default()
    };
    for (id, elements, expected) in
        [("c", vec![element("e", "4")], true), ("d", vec![element("e", "4"), element("f", "")], false)]
    {
        created(&office, id, of(&elements)).await.unwrap();
        let request = GetCollectionRollupRequest { name: name(id), ..Default::default() };
        let rollup = office.collections().get_collection_rollup(request).await.unwrap().into_inner().rollup;
        let length = rollup.unwrap().whole.unwrap().length.unwrap();
        assert_eq!((length.value.as_deref(), length.lower_bound), (Some("0.0"), expected), "{id}");
    }
}

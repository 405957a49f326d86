//! Investments that cannot be held together: lists and batches of them are read, changed and deleted, and grow no more.

use milepost_proto::registry::v1::*;

use super::office::{Office, batch_name, cny, conditions, costing, project_name};
use super::reporting::*;

#[tokio::test]
async fn investments_that_cannot_be_held_together_leave_lists_and_batches_readable_and_removable() {
    let office = Office::at("2021-05-27").await;
    for id in ["x", "y", "z"] {
        office.project(id, costing(1)).await;
    }
    let member = |id: &str| member(id, project::Listing::Unspecified);
    office.annual_list("2021", vec![member("x"), member("y")]).await.unwrap();
    office.batch("b", &["x", "y"]).await;
    for id in ["x", "y"] {
        let investment = Some(cny(5_000_000_000_000_000_000));
        office.update(id, Project { investment, ..Project::default() }, &["investment"]).await.unwrap();
    }
    let get = GetAnnualListRequest { name: list_name("2021"), ..Default::default() };
    let read = office.annual_lists().get_annual_list(get).await.unwrap().into_inner().annual_list.unwrap();
    assert_eq!((read.registered_count, read.registered[0].investments.len()), (2, 0));
    let list = ListAnnualListsRequest { parent: "portfolios/wsc".into(), ..Default::default() };
    assert_eq!(
        office.annual_lists().list_annual_lists(list).await.unwrap().into_inner().annual_lists.len(),
        1
    );
    let batch = office.get_batch("b").await.unwrap();
    assert_eq!((batch.registered_count, batch.registered_investments.len()), (2, 0));
    // What adds to it is refused.
    let (name, members) = (list_name("2021"), vec![project_name("z")]);
    let add =
        AddAnnualListMembersRequest { name: name.clone(), members: members.clone(), ..Default::default() };
    let refused = office.annual_lists().add_annual_list_members(add).await.unwrap_err();
    assert_eq!(conditions(&refused), [("MONEY_OVERFLOW".to_owned(), name.clone())]);
    let batch = batch_name("b");
    let add = AddBatchMembersRequest { name: batch.clone(), members, ..Default::default() };
    let refused = office.batches().add_batch_members(add).await.unwrap_err();
    assert_eq!(conditions(&refused), [("MONEY_OVERFLOW".to_owned(), batch.clone())]);
    // What takes from it is not.
    let delete = DeleteBatchRequest { name: batch, ..Default::default() };
    office.batches().delete_batch(delete).await.unwrap();
    let declared = vec![DeclaredFigure { category: "all".into(), count: Some(2), investment: None }];
    let list = AnnualList { name: name.clone(), declared, ..AnnualList::default() };
    let request = UpdateAnnualListRequest { annual_list: Some(list), ..Default::default() };
    office.annual_lists().update_annual_list(request).await.unwrap();
    let members = vec![project_name("x")];
    let remove = RemoveAnnualListMembersRequest { name, members, ..Default::default() };
    let left = office.annual_lists().remove_annual_list_members(remove).await.unwrap().into_inner();
    assert_eq!(left.annual_list.unwrap().registered[0].investments, [cny(5_000_000_000_000_000_000)]);
}

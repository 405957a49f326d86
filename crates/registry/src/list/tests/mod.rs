//! Lists against a plain model: the same resources, filtered and sorted by hand.

mod projects;
mod scans;

use milepost_proto::registry::v1 as proto;
use milepost_types::Filter;
use milepost_types::filter::Schema;
use prost::Message;

use super::*;
use crate::tables;
use crate::tests::rows::Rows;

/// A query for the first page.
fn query<F: Copy + Eq, O>(schema: &Schema<F>, filter: &str, order: O, direction: Direction) -> Query<F, O> {
    let filter = Filter::parse(filter, schema).unwrap();
    Query { filter, order, direction, show_deleted: false, size: 1000, after: None }
}

/// All pages of a list, one after another.
fn pages<M, F, O>(query: &Query<F, O>, mut list: impl FnMut(&Query<F, O>) -> Page<M>) -> Vec<M>
where
    F: Copy + Eq,
    O: Copy,
{
    let mut query = Query { filter: query.filter.clone(), after: None, ..*query };
    let mut all = Vec::new();
    loop {
        let page = list(&query);
        assert!(page.resources.len() <= query.size);
        all.extend(page.resources);
        let Some(next) = page.next else { return all };
        // A token's bytes are read back to the same place.
        query.after = Place::decode(&next.encode());
        assert_eq!(query.after, Some(next));
    }
}

fn instant(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

/// A project that was updated at these seconds of Unix time.
fn project(portfolio: &str, id: &str, display_name: &str, updated: i64) -> proto::Project {
    proto::Project {
        name: format!("portfolios/{portfolio}/projects/{id}"),
        display_name: display_name.to_owned(),
        status: proto::project::Status::Proposed.into(),
        create_time: instant(0),
        update_time: instant(updated),
        etag: "1".to_owned(),
        ..proto::Project::default()
    }
}

fn put_project(rows: &mut Rows, project: &proto::Project) {
    tables::projects::put(rows, project.encode_to_vec().into()).unwrap();
}

fn put_portfolio(rows: &mut Rows, id: &str, display_name: &str) {
    let portfolio = proto::Portfolio {
        name: format!("portfolios/{id}"),
        display_name: display_name.to_owned(),
        time_zone: "UTC".to_owned(),
        ..proto::Portfolio::default()
    };
    tables::portfolios::put(rows, portfolio.encode_to_vec().into()).unwrap();
}

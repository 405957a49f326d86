//! Reads rectification orders that are not done, by their lights, and whose are overdue.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use milepost_proto::registry::v1::{GetOrganizationRequest, GetOrganizationResponse};
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_proto::tracker::v1::{
    ListRectificationOrdersRequest, ListRectificationOrdersResponse, RectificationOrder,
};
use tonic::Code;

use super::{PAGE, Reader, there};
use crate::cli::rpc;
use crate::error::Error;
use crate::output::text;
use crate::output::value::civil_date;
use crate::reference::phrases::ORDERS;
use crate::reference::view::{Order, OrderGroup, OrderKind, Orders};

/// Orders that are neither done nor given up.
const NOT_DONE: &str = "state = STATE_ISSUED OR state = STATE_RETURNED OR state = STATE_ANSWERED";

impl Reader<'_> {
    /// The orders as they are today; nothing if there are none.
    pub(super) async fn orders(&self) -> Result<Option<Orders>, Error> {
        let (mut groups, mut overdue) =
            (BTreeMap::<OrderKind, OrderGroup>::new(), BTreeMap::<String, u64>::new());
        let request = |page_token| ListRectificationOrdersRequest {
            parent: format!("{}/projects/-", self.name),
            page_size: PAGE,
            page_token,
            filter: NOT_DONE.to_owned(),
            order_by: "due_date".to_owned(),
            ..ListRectificationOrdersRequest::default()
        };
        let split = |page: ListRectificationOrdersResponse| (page.rectification_orders, page.next_page_token);
        let each = |order: RectificationOrder| {
            let kind = kind(&order);
            if kind == OrderKind::Red {
                *overdue.entry(order.responsible.clone()).or_default() += 1;
            }
            let group = groups.entry(kind).or_insert(OrderGroup { kind, count: 0, first: Vec::new() });
            group.count += 1;
            if kind != OrderKind::Open && group.first.len() < ORDERS {
                group.first.push(self.order(&order));
            }
        };
        if there(self.list("rectification orders", request, split, each).await)?.is_none()
            || groups.is_empty()
        {
            return Ok(None);
        }
        let (overdue, more_overdue) = most(overdue);
        let mut orders = Orders { groups: groups.into_values().collect(), overdue, more_overdue };
        self.name_organizations(&mut orders).await?;
        Ok(Some(orders))
    }

    fn order(&self, order: &RectificationOrder) -> Order {
        let project = order.name.split("/rectificationOrders/").next().unwrap_or_default();
        Order {
            title: order.title.clone(),
            project: self.title_of(project),
            responsible: order.responsible.clone(),
            due: civil_date(order.due_date),
            level: order.level,
            is_stop_work: order.stop_work,
        }
    }

    /// Puts what organizations are called in the place of their names.
    async fn name_organizations(&self, orders: &mut Orders) -> Result<(), Error> {
        let mut titles = HashMap::new();
        let all =
            orders.groups.iter_mut().flat_map(|group| &mut group.first).map(|order| &mut order.responsible);
        for name in all.chain(orders.overdue.iter_mut().map(|(responsible, _)| responsible)) {
            if !titles.contains_key(name) {
                titles.insert(name.clone(), self.organization(name).await?);
            }
            name.clone_from(&titles[name]);
        }
        Ok(())
    }

    /// What an organization is called, or its id if that may not be read.
    async fn organization(&self, name: &str) -> Result<String, Error> {
        let request = GetOrganizationRequest { name: name.to_owned(), ..GetOrganizationRequest::default() };
        let answer: Result<GetOrganizationResponse, Error> = rpc::call(self.session, &request).await;
        match answer {
            Ok(answer) => {
                let found = answer.organization.unwrap_or_default();
                Ok(self.title(&found.display_name, &found.translations))
            }
            Err(error)
                if error
                    .failure()
                    .is_some_and(|call| matches!(call.code, Code::NotFound | Code::PermissionDenied)) =>
            {
                Ok(text::ids(name))
            }
            Err(error) => Err(error),
        }
    }
}

/// Those with the most overdue orders, the most first; and how many others there are, with how many orders.
fn most(overdue: BTreeMap<String, u64>) -> (Vec<(String, u64)>, (u64, u64)) {
    let mut most: Vec<(String, u64)> = overdue.into_iter().collect();
    most.sort_by_key(|(responsible, count)| (Reverse(*count), responsible.clone()));
    let rest = most.split_off(most.len().min(ORDERS));
    (most, (rest.len() as u64, rest.iter().map(|(_, count)| count).sum()))
}

fn kind(order: &RectificationOrder) -> OrderKind {
    match (order.light(), order.state()) {
        (Light::Red, _) => OrderKind::Red,
        (Light::Yellow, _) => OrderKind::Yellow,
        (Light::Blue, _) => OrderKind::Blue,
        (_, State::Answered) => OrderKind::Waiting,
        _ => OrderKind::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_with_the_most_overdue_orders_come_first_and_the_others_are_counted() {
        let overdue =
            |organizations: u64| (1..=organizations).map(|count| (format!("o{count:02}"), count)).collect();
        let (first, rest) = most(overdue(ORDERS as u64 + 2));
        assert_eq!((first.len(), first[0].clone(), rest), (ORDERS, ("o12".to_owned(), 12), (2, 3)));
        let (all, rest) = most(overdue(ORDERS as u64));
        assert_eq!((all.len(), rest), (ORDERS, (0, 0)));
    }
}

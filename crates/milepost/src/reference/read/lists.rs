//! Reads the lists of years, and the rates of one.

use std::collections::BTreeMap;

use milepost_proto::registry::v1::{
    AnnualList, DeclaredFigure, ListAnnualListsRequest, ListAnnualListsResponse, QueryStatisticsRequest,
    QueryStatisticsResponse, RegisteredFigure,
};
use milepost_service::value::date_message;

use super::{PAGE, Reader, amount, there};
use crate::cli::rpc;
use crate::error::Error;
use crate::reference::view::{List, ListRow, RateKind, Rates, Sum};

/// The categories that a list counts by itself; of one without a member it says nothing.
const COUNTED: [&str; 6] = ["all", "key", "reserve", "new start", "continued", "completed"];

impl Reader<'_> {
    /// The lists up to the year of the page, and if that is of today, those to come.
    pub(super) async fn lists(&self) -> Result<Option<Vec<List>>, Error> {
        let mut lists = Vec::new();
        let request = |page_token| ListAnnualListsRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            ..ListAnnualListsRequest::default()
        };
        let split = |page: ListAnnualListsResponse| (page.annual_lists, page.next_page_token);
        let each = |list: AnnualList| {
            let year = list.name.rsplit('/').next().unwrap_or_default().to_owned();
            if self.is_today || year.parse::<i16>().is_ok_and(|year| year <= self.date.year()) {
                lists.push(List { year, description: list.description.clone(), rows: rows(&list) });
            }
        };
        let read = self.list("annual lists", request, split, each).await;
        Ok(there(read)?.map(|()| lists))
    }

    pub(super) async fn rates(&self, year: i32) -> Result<Option<Rates>, Error> {
        self.bar.set_message("computing rates");
        let request = QueryStatisticsRequest {
            parent: self.name.clone(),
            year,
            date: Some(date_message(self.date)),
            ..QueryStatisticsRequest::default()
        };
        let answer = there(rpc::call::<_, QueryStatisticsResponse>(self.session, &request).await)?;
        let Some(answer) = answer else { return Ok(None) };
        let total = answer.total.unwrap_or_default();
        let rates = [
            (RateKind::Start, &total.start_rate),
            (RateKind::Investment, &total.investment_rate),
            (RateKind::Completion, &total.completion_rate),
            (RateKind::Funds, &total.funds_rate),
            (RateKind::Enrolment, &total.enrolment_rate),
            (RateKind::TimeProgress, &total.time_progress),
            (RateKind::Ahead, &total.ahead),
        ];
        let is_something =
            |money: &&milepost_proto::google::r#type::Money| money.units != 0 || money.nanos != 0;
        Ok(Some(Rates {
            listed_count: total.listed_count.into(),
            split_count: total.split_count.into(),
            has_list: !answer.annual_list.is_empty(),
            currency: answer.currency_code,
            rates: rates.map(|(kind, figure)| (kind, self.figure(figure.as_ref()))).into(),
            unplanned: total.unplanned_investment.as_ref().filter(is_something).map(amount),
        }))
    }
}

/// A row for each category that was declared or has members, as they stand on the list.
fn rows(list: &AnnualList) -> Vec<ListRow> {
    let declared: BTreeMap<&str, &DeclaredFigure> =
        list.declared.iter().map(|figure| (figure.category.as_str(), figure)).collect();
    let registered: BTreeMap<&str, &RegisteredFigure> =
        list.registered.iter().map(|figure| (figure.category.as_str(), figure)).collect();
    let mut categories: Vec<&str> = list.declared.iter().map(|figure| figure.category.as_str()).collect();
    let others = list.registered.iter().map(|figure| figure.category.as_str());
    categories.extend(others.filter(|category| !declared.contains_key(category)));
    let row = |category: &str| ListRow {
        category: category.to_owned(),
        declared: declared.get(category).map_or_else(Sum::default, |figure| Sum {
            count: figure.count.map(i64::from),
            amounts: figure.investment.iter().map(amount).collect(),
            without_amount: 0,
        }),
        registered: match registered.get(category) {
            Some(figure) => Sum {
                count: Some(figure.count.into()),
                amounts: figure.investments.iter().map(amount).collect(),
                without_amount: figure.without_investment_count.into(),
            },
            None => Sum { count: COUNTED.contains(&category).then_some(0), ..Sum::default() },
        },
    };
    categories.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_counts_itself_is_zero_without_members_and_what_it_does_not_count_is_absent() {
        let declared = |category: &str, count| DeclaredFigure {
            category: category.into(),
            count,
            ..DeclaredFigure::default()
        };
        let list = AnnualList {
            declared: vec![declared("all", Some(343)), declared("key", None), declared("dams", Some(2))],
            registered: vec![
                RegisteredFigure { category: "all".into(), count: 3, ..RegisteredFigure::default() },
                RegisteredFigure { category: "continued".into(), count: 1, ..RegisteredFigure::default() },
            ],
            ..AnnualList::default()
        };
        let counts: Vec<_> = rows(&list)
            .into_iter()
            .map(|row| (row.category, row.declared.count, row.registered.count))
            .collect();
        assert_eq!(
            counts,
            [
                ("all".to_owned(), Some(343), Some(3)),
                ("key".to_owned(), None, Some(0)),
                ("dams".to_owned(), Some(2), None),
                ("continued".to_owned(), None, Some(1)),
            ]
        );
    }
}

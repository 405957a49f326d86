//! Requests that read: what they ask for, with every fault found at once.
//!
//! Invariant: a page token is good only with the request that it was answered to.

use milepost_proto::tracker::v1 as proto;
use milepost_types::{
    Filter, MilestoneName, OrderBy, PageToken, PortfolioName, ProjectPattern, Rejection, RequestDigest,
    TokenError, Violations, page_size,
};

use crate::list::{Order, Query, SCHEMA};

/// The milestone that is asked for.
pub(crate) fn get(request: &proto::GetMilestoneRequest) -> Result<MilestoneName, Rejection> {
    let mut violations = Violations::new();
    let name = violations.check("name", request.name.parse());
    Ok(violations.finish(name)?)
}

/// The portfolio whose date is asked for.
pub(crate) fn current_date(request: &proto::GetCurrentDateRequest) -> Result<PortfolioName, Rejection> {
    let mut violations = Violations::new();
    let name = violations.check("portfolio", request.portfolio.parse());
    Ok(violations.finish(name)?)
}

/// A list that is asked for.
#[derive(Debug)]
pub(crate) struct List {
    /// What.
    pub(crate) query: Query,
    /// What its page tokens belong to.
    pub(crate) digest: RequestDigest,
    /// The sequence that the first page was read at, if this is a later one.
    pub(crate) begun_at: Option<u64>,
}

/// The list that is asked for.
pub(crate) fn list(request: &proto::ListMilestonesRequest) -> Result<List, Rejection> {
    let mut violations = Violations::new();
    let parent = violations.check("parent", request.parent.parse::<ProjectPattern>());
    let size = violations.check("page_size", page_size(request.page_size));
    let order = violations.check("order_by", OrderBy::parse(&request.order_by, &ORDERS));
    let order = order.and_then(|order| match order.terms() {
        [] => Some((Order::Name, false)),
        [term] => Some((term.field, term.descending)),
        _ => {
            violations.push(
                "order_by",
                "INVALID_ORDER_BY",
                "order by one field; names decide between equals",
            );
            None
        }
    });
    let filter = match Filter::parse(&request.filter, &SCHEMA) {
        Ok(filter) => Some(filter),
        Err(error) if violations.is_empty() => return Err(Rejection::Filter { field: "filter", error }),
        Err(error) => violations.check("filter", Err(error)),
    };
    let parts = || Some((parent?, size?, order?, filter?));
    let (parent, size, (order, descending), filter) = violations.finish(parts())?;
    let digest = RequestDigest::of(
        "milepost.tracker.v1.MilestoneService/ListMilestones",
        [parent.to_string(), filter.to_string(), format!("{order:?} {descending} {}", request.show_deleted)],
    );
    let token = token(&request.page_token, &digest)?;
    let show_deleted = request.show_deleted;
    Ok(List {
        begun_at: token.as_ref().map(|token| token.sequence),
        query: Query {
            parent,
            size,
            filter,
            order,
            descending,
            show_deleted,
            after: token.map(|token| token.after),
        },
        digest,
    })
}

const ORDERS: [(&str, Order); 2] = [("name", Order::Name), ("forecast_date", Order::Forecast)];

/// The forecasts that are asked for.
#[derive(Debug)]
pub(crate) struct Forecasts {
    /// Of which milestone.
    pub(crate) name: MilestoneName,
    /// How many at most.
    pub(crate) size: usize,
    /// What its page tokens belong to.
    pub(crate) digest: RequestDigest,
    /// The sequence to go on from, and the one that the first page was read at; none: from the newest.
    pub(crate) from: Option<(u64, u64)>,
}

/// The forecasts that are asked for.
pub(crate) fn forecasts(request: &proto::ListMilestoneForecastsRequest) -> Result<Forecasts, Rejection> {
    let mut violations = Violations::new();
    let name = violations.check("name", request.name.parse::<MilestoneName>());
    let size = violations.check("page_size", page_size(request.page_size));
    let parts = || Some((name?, size?));
    let (name, size) = violations.finish(parts())?;
    let method = "milepost.tracker.v1.MilestoneService/ListMilestoneForecasts";
    let digest = RequestDigest::of(method, [name.to_string()]);
    let from = match token(&request.page_token, &digest)? {
        None => None,
        Some(token) => {
            let malformed = TokenError::Malformed { expected: milepost_types::TokenKind::Page };
            let after = token.after.as_slice().try_into().map_err(|_| Rejection::PageToken(malformed))?;
            Some((u64::from_be_bytes(after), token.sequence))
        }
    };
    Ok(Forecasts { name, size, digest, from })
}

fn token(text: &str, digest: &RequestDigest) -> Result<Option<PageToken>, Rejection> {
    if text.is_empty() {
        return Ok(None);
    }
    PageToken::decode(text, digest).map(Some).map_err(Rejection::PageToken)
}

/// The faults of a request, for the test of required fields.
#[cfg(test)]
pub(crate) fn faults(request: impl Into<AnyRead>) -> Vec<(String, &'static str)> {
    let refusal = match request.into() {
        AnyRead::Get(request) => get(&request).err(),
        AnyRead::List(request) => list(&request).err(),
        AnyRead::Forecasts(request) => forecasts(&request).err(),
        AnyRead::CurrentDate(request) => current_date(&request).err(),
    };
    let Some(Rejection::Invalid(violations)) = refusal else { panic!("{refusal:?}") };
    violations.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

/// Any request that reads.
#[cfg(test)]
pub(crate) enum AnyRead {
    Get(proto::GetMilestoneRequest),
    List(proto::ListMilestonesRequest),
    Forecasts(proto::ListMilestoneForecastsRequest),
    CurrentDate(proto::GetCurrentDateRequest),
}

#[cfg(test)]
impl From<proto::GetCurrentDateRequest> for AnyRead {
    fn from(request: proto::GetCurrentDateRequest) -> Self {
        AnyRead::CurrentDate(request)
    }
}

#[cfg(test)]
impl From<proto::GetMilestoneRequest> for AnyRead {
    fn from(request: proto::GetMilestoneRequest) -> Self {
        AnyRead::Get(request)
    }
}

#[cfg(test)]
impl From<proto::ListMilestonesRequest> for AnyRead {
    fn from(request: proto::ListMilestonesRequest) -> Self {
        AnyRead::List(request)
    }
}

#[cfg(test)]
impl From<proto::ListMilestoneForecastsRequest> for AnyRead {
    fn from(request: proto::ListMilestoneForecastsRequest) -> Self {
        AnyRead::Forecasts(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> proto::ListMilestonesRequest {
        proto::ListMilestonesRequest { parent: "portfolios/wsc/projects/-".into(), ..Default::default() }
    }

    fn fault(request: &proto::ListMilestonesRequest) -> Rejection {
        list(request).unwrap_err()
    }

    #[test]
    fn a_list_is_by_name_and_fifty_at_a_time_unless_said() {
        let query = list(&request()).unwrap().query;
        assert_eq!((query.order, query.descending, query.size), (Order::Name, false, 50));
        let asked = proto::ListMilestonesRequest {
            order_by: "forecast_date desc".into(),
            page_size: 5000,
            ..request()
        };
        let query = list(&asked).unwrap().query;
        assert_eq!((query.order, query.descending, query.size), (Order::Forecast, true, 1000));
    }

    #[test]
    fn a_filter_alone_at_fault_points_at_its_column_and_with_others_is_one_of_them() {
        let wrong = proto::ListMilestonesRequest { filter: "state = NONE".into(), ..request() };
        assert!(matches!(fault(&wrong), Rejection::Filter { field: "filter", error } if error.column == 9));
        let more = proto::ListMilestonesRequest {
            parent: "portfolios/-/projects/x".into(),
            page_size: -1,
            order_by: "code".into(),
            ..wrong
        };
        let Rejection::Invalid(violations) = fault(&more) else { panic!() };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["parent", "page_size", "order_by", "filter"]);
        let twice = proto::ListMilestonesRequest { order_by: "forecast_date, name".into(), ..request() };
        assert!(matches!(fault(&twice), Rejection::Invalid(_)));
    }

    #[test]
    fn a_page_token_belongs_to_its_request() {
        let first = list(&proto::ListMilestonesRequest {
            filter: "code=a  AND state=STATE_PLANNED".into(),
            ..request()
        });
        let token =
            PageToken { request: first.unwrap().digest, sequence: 7, after: b"key".to_vec() }.encode();
        let again = proto::ListMilestonesRequest {
            // The same said in another way, with another size.
            filter: "state = \"STATE_PLANNED\" code = \"a\"".into(),
            page_size: 3,
            page_token: token.clone(),
            ..request()
        };
        let list = list(&again).unwrap();
        assert_eq!((list.begun_at, list.query.after.as_deref()), (Some(7), Some(&b"key"[..])));
        for other in [
            proto::ListMilestonesRequest { filter: String::new(), ..again.clone() },
            proto::ListMilestonesRequest { show_deleted: true, ..again.clone() },
            proto::ListMilestonesRequest { order_by: "name desc".into(), ..again.clone() },
            proto::ListMilestonesRequest { parent: "portfolios/-/projects/-".into(), ..again.clone() },
        ] {
            assert_eq!(fault(&other), Rejection::PageToken(TokenError::OtherRequest));
        }
        let name = crate::milestone::samples::NAME.to_owned();
        let elsewhere =
            proto::ListMilestoneForecastsRequest { name, page_token: token, ..Default::default() };
        assert!(matches!(forecasts(&elsewhere), Err(Rejection::PageToken(_))));
    }
}

//! The page tokens of lists of milestones, which are older than those of other lists.
//!
//! Where a page ended is the row's key; in the order of forecasts the four bytes of the due date, and the key
//! without its tag.

use milepost_ledger::Direction;
use milepost_proto::tracker::v1::Milestone;
use milepost_resource::{Listed, Rules, SortKey, TokenFormat};

use crate::decide::Tracker;

/// Bytes of a date in a key.
const DAY_BYTES: usize = 4;

/// See the module.
pub(super) struct Bare;

impl TokenFormat for Bare {
    fn list(&self, Listed { parent, filter, order, direction, show_deleted }: &Listed<'_>) -> Vec<String> {
        let order = if order.is_some() { "Forecast" } else { "Name" };
        let descending = *direction == Direction::Backward;
        vec![parent.clone(), filter.clone(), format!("{order} {descending} {show_deleted}")]
    }

    fn encode(&self, SortKey { order, key }: &SortKey) -> Vec<u8> {
        let key = if order.is_empty() { key } else { key.get(1..).unwrap_or_default() };
        [order, key].concat()
    }

    fn decode(&self, after: &[u8], ordered: bool) -> Option<SortKey> {
        if !ordered {
            return Some(SortKey { order: Vec::new(), key: after.to_vec() });
        }
        let (order, ids) = after.split_at_checked(DAY_BYTES)?;
        let key = [&[<Milestone as Rules<Tracker>>::TABLE], ids].concat();
        Some(SortKey { order: order.to_vec(), key })
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::tracker::v1::ListMilestonesRequest;
    use milepost_types::{PageToken, RequestDigest};
    use proptest::prelude::*;

    use super::*;
    use crate::tests::running::reason;
    use crate::tests::samples::BASELINE;
    use crate::tests::world::{draft, running};

    const KEY: &[u8] = b"\x01wsc\0road\0start";

    fn listed(order: Option<&'static str>, direction: Direction, show_deleted: bool) -> Listed<'static> {
        let (parent, filter) = ("portfolios/wsc/projects/-".to_owned(), "code = \"a\"".to_owned());
        Listed { parent, filter, order, direction, show_deleted }
    }

    /// Callers hold such tokens.
    #[test]
    fn the_bytes_of_where_a_page_ended_never_change() {
        let by_name = SortKey { order: Vec::new(), key: KEY.to_vec() };
        assert_eq!(Bare.encode(&by_name), KEY);
        let by_forecast = SortKey { order: vec![0x07, 0xe5, 5, 27], key: KEY.to_vec() };
        assert_eq!(Bare.encode(&by_forecast), b"\x07\xe5\x05\x1bwsc\0road\0start");
    }

    #[test]
    fn a_token_belongs_to_parent_filter_order_direction_and_whether_deleted_ones_are_shown() {
        for (order, direction, show_deleted, expected) in [
            (None, Direction::Forward, false, "Name false false"),
            (None, Direction::Backward, true, "Name true true"),
            (Some("forecast_date"), Direction::Forward, true, "Forecast false true"),
            (Some("forecast_date"), Direction::Backward, false, "Forecast true false"),
        ] {
            let said = Bare.list(&listed(order, direction, show_deleted));
            assert_eq!(said, ["portfolios/wsc/projects/-", "code = \"a\"", expected]);
        }
    }

    #[test]
    fn what_is_too_short_for_a_date_says_nothing_in_the_order_of_forecasts() {
        for short in [&b""[..], b"\x07", b"\x07\xe5\x05"] {
            assert_eq!(Bare.decode(short, true), None, "{short:?}");
        }
    }

    proptest! {
        #[test]
        fn where_a_page_ended_is_read_back(day: [u8; DAY_BYTES], ids: Vec<u8>) {
            let key = [&KEY[..1], &ids].concat();
            for order in [Vec::new(), day.to_vec()] {
                let (ordered, sort_key) = (!order.is_empty(), SortKey { order, key: key.clone() });
                prop_assert_eq!(Bare.decode(&Bare.encode(&sort_key), ordered), Some(sort_key));
            }
        }
    }

    #[tokio::test]
    async fn a_token_of_this_form_is_gone_on_after_and_nonsense_in_its_place_is_refused() {
        let (_registry, mut tracker) = running().await;
        for id in ["end", "start", "the-end"] {
            tracker.client.create_milestone(draft("road", Some(id), Some(BASELINE))).await.unwrap();
        }
        let request = |order: &str, said: &str, after: &[u8]| {
            let list = ["portfolios/wsc/projects/-", "", said].map(str::to_owned);
            let method = "milepost.tracker.v1.MilestoneService/ListMilestones";
            let token =
                PageToken { request: RequestDigest::of(method, list), sequence: 1, after: after.to_vec() };
            ListMilestonesRequest {
                parent: "portfolios/wsc/projects/-".into(),
                order_by: order.into(),
                page_token: token.encode(),
                ..ListMilestonesRequest::default()
            }
        };
        let by_name = ("", "Name false false");
        let by_forecast = ("forecast_date desc", "Forecast true false");
        let ordered = [&b"\x07\xe5\x05\x1b"[..], &KEY[1..]].concat();
        for ((order, said), after, expected) in [(by_name, KEY, "the-end"), (by_forecast, &ordered, "end")] {
            let page =
                tracker.client.list_milestones(request(order, said, after)).await.unwrap().into_inner();
            let ids: Vec<_> =
                page.milestones.iter().map(|one| one.name.rsplit('/').next().unwrap()).collect();
            assert_eq!(ids, [expected], "{said}");
        }
        for ((order, said), after) in [
            (by_name, &b""[..]),
            (by_name, b"nonsense"),
            (by_name, b"\x01wsc\0road"),
            (by_name, b"\x01wsc\0road\0start\0more"),
            (by_name, b"\x02wsc\0road\0start"),
            (by_name, &ordered),
            (by_forecast, b""),
            (by_forecast, b"\x07\xe5\x05"),
            (by_forecast, b"\x07\xe5\x05\x1b"),
            (by_forecast, b"\x07\xe5\x05\x1bwsc\0road"),
            (by_forecast, b"\x07\xe5\x05\x1bWSC\0road\0start"),
            (by_forecast, KEY),
        ] {
            let answer = tracker.client.list_milestones(request(order, said, after)).await;
            assert_eq!(reason(&answer.unwrap_err()), "PAGE_TOKEN_INVALID", "{said}, {after:?}");
        }
        tracker.stop().await;
    }
}

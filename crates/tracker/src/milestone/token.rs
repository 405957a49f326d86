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

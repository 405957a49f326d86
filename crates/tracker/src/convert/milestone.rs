//! The few fields of a milestone's row that say whether a day or a start concerns it, read without the rest.
//!
//! Invariant: what is wrong with the rest of a row is in the way of whoever needs it, and of nobody else.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::milestone::State;
use milepost_resource::{Unreadable, date};
use prost::Message;

use crate::milestone::{CONSTRUCTION_START, start_reason};

/// These fields.
#[derive(Clone, PartialEq, prost::Message)]
struct MilestoneView {
    #[prost(string, tag = "4")]
    r#type: String,
    #[prost(message, optional, tag = "13")]
    actual_date: Option<gtype::Date>,
    #[prost(int32, tag = "30")]
    state: i32,
    #[prost(string, tag = "31")]
    state_reason: String,
    #[prost(message, optional, tag = "42")]
    delete_time: Option<prost_types::Timestamp>,
}

/// Whether the milestone of a row is PLANNED and not deleted.
pub(crate) fn is_planned(row: &Bytes) -> Result<bool, Unreadable> {
    let MilestoneView { state, delete_time, .. } = MilestoneView::decode(row.clone())?;
    Ok(state == State::Planned as i32 && delete_time.is_none())
}

/// Whether the start of its project achieves the milestone of a row: a planned construction start.
pub(crate) fn awaits_start(row: &Bytes) -> Result<bool, Unreadable> {
    let is_start = MilestoneView::decode(row.clone())?.r#type == CONSTRUCTION_START;
    Ok(is_start && is_planned(row)?)
}

/// Whether the start of its project achieved the milestone of a row, on another day than this. Its stored reason says so.
pub(crate) fn has_other_start(row: &Bytes, day: Date) -> Result<bool, Unreadable> {
    let milestone = MilestoneView::decode(row.clone())?;
    let achieved = date(milestone.actual_date.as_ref()).filter(|achieved| *achieved != day);
    let by_start = achieved.is_some_and(|achieved| milestone.state_reason == start_reason(achieved));
    let is_achieved = milestone.state == State::Achieved as i32 && milestone.delete_time.is_none();
    Ok(is_achieved && by_start && milestone.r#type == CONSTRUCTION_START)
}

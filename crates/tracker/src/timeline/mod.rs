//! The public timeline of a portfolio: entries that editors write, or that rules make of events.
//!
//! `entry` and `rule` are the rules of the two resources; `content` is what readers see, in which language; `pattern` and
//! `values` write texts of the fields of an event, `selection` finds the events of a rule, `draft` and `reaction` make
//! entries of them, and `read` answers readers. Invariant: readers see what was published and nothing else; one event makes one
//! entry of a rule, or joins one, once, whatever is followed again. Which events joined an entry is not kept beside its
//! subjects: one whose subject an editor took out joins again when it is followed again.

mod content;
mod draft;
mod entry;
mod pattern;
mod reaction;
mod read;
mod rule;
mod selection;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use entry::{publish, revise, withdraw};
pub(crate) use reaction::{Reactions, identity, may_matter};
pub(crate) use read::{TimelinePage, TimelineQuery, page};

use milepost_proto::tracker::v1::{TimelineEntry, TimelineRule};
use milepost_resource::Name;

/// `portfolios/{portfolio}/timelineEntries/{timeline_entry}`
pub(crate) type EntryName = Name<TimelineEntry>;
/// `portfolios/{portfolio}/timelineRules/{timeline_rule}`
pub(crate) type RuleName = Name<TimelineRule>;

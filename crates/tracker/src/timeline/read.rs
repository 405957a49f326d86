//! What readers are answered: a page of a timeline, in one language.
//!
//! Invariants: readers see what was published, in the order of date, rank in the day and name; of what was taken from
//! them no more than that it was. A page goes on after the last one looked at, and reads no more rows than any page does.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::ordered_date;
use milepost_proto::tracker::v1::timeline_entry::State;
use milepost_proto::tracker::v1::{TimelineContent, TimelineEntry, TimelineItem, TimelineItemFigure};
use milepost_resource::{Checked, Parent, encoded_len};
use milepost_types::{Rejection, ResourceId, Room, Search, prose};

use super::EntryName;
use super::content::in_language;
use super::entry::TIMELINE;
use crate::decide::Tracker;
use crate::mirror::Portfolio;
use crate::names::PortfolioName;
use crate::parent::Followed;
use crate::tables;

type Rows<'a> = milepost_resource::Rows<'a, Tracker>;

/// Bytes of a date and a rank in a key.
const ORDER_BYTES: usize = 8;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct TimelineQuery {
    pub(crate) portfolio: PortfolioName,
    /// A BCP 47 tag; empty: the portfolio's language.
    pub(crate) language: String,
    pub(crate) start: Option<Date>,
    pub(crate) end: Option<Date>,
    /// Sorted; empty: all.
    pub(crate) kinds: Vec<i32>,
    pub(crate) show_withdrawn: bool,
    pub(crate) size: usize,
    /// Where the page before ended: a date and a rank as in keys, and an id.
    pub(crate) after: Option<Vec<u8>>,
}

impl TimelineQuery {
    /// Whether where the page before ended is a place in a timeline.
    pub(crate) fn has_sound_token(&self) -> bool {
        self.after.as_ref().is_none_or(|after| {
            let id = after.get(ORDER_BYTES..).and_then(|id| std::str::from_utf8(id).ok());
            id.is_some_and(|id| id.parse::<ResourceId>().is_ok())
        })
    }
}

/// A page of a timeline.
#[derive(Debug)]
pub(crate) struct TimelinePage {
    pub(crate) items: Vec<TimelineItem>,
    /// Where it ended, if there may be more.
    pub(crate) next: Option<Vec<u8>>,
}

/// A page of a timeline.
///
/// # Errors
/// If the portfolio is not there, or a row that is needed cannot be decoded.
pub(crate) fn page(rows: &Rows<'_>, query: &TimelineQuery) -> Result<TimelinePage, Rejection> {
    let ids = query.portfolio.ids();
    Followed::<TimelineEntry>::check_there(rows, ids)?;
    let portfolio = tables::portfolio::get(rows.read, &query.portfolio)?.unwrap_or_else(Portfolio::unknown);
    let start = query.start.map(|day| ordered_date(day).to_vec()).unwrap_or_default();
    let (from, beyond) = match &query.after {
        Some(after) if *after >= start => (after.clone(), true),
        _ => (start, false),
    };
    let end = query.end.map(ordered_date);
    let (mut room, mut search) = (Room::page(query.size), Search::default());
    let (mut items, mut last) = (Vec::new(), None);
    for (place, name) in rows.names_from::<TimelineEntry>(TIMELINE, ids, &from, beyond) {
        if end.is_some_and(|end| place.get(..end.len()).is_some_and(|day| *day > end[..])) {
            break;
        }
        let more = |last: Option<Bytes>| last.map(|place| place.to_vec());
        if room.is_full() {
            return Ok(TimelinePage { items, next: more(last) });
        }
        let row = rows.row(&name);
        if !search.count_row(row.as_ref().map_or(0, Bytes::len)) {
            return Ok(TimelinePage { items, next: more(last) });
        }
        // Index and rows are of one cut, so the row is there.
        let row = row.ok_or_else(|| name.damaged::<Tracker>("an index has it, but it is not there"))?;
        if let Some(item) = item(&rows.read(&name, row)?, &name, query, &portfolio) {
            if !room.admit(encoded_len(&item)) {
                return Ok(TimelinePage { items, next: more(last) });
            }
            items.push(item);
        }
        last = Some(place);
    }
    Ok(TimelinePage { items, next: None })
}

/// What readers see of an entry; none if they do not.
fn item(
    entry: &Checked<TimelineEntry>,
    name: &EntryName,
    query: &TimelineQuery,
    portfolio: &Portfolio,
) -> Option<TimelineItem> {
    let published = entry.published.as_ref()?;
    let item = TimelineItem {
        name: name.to_string(),
        uid: entry.uid.clone(),
        sequence: entry.sequence,
        date: published.date,
        first_publish_time: entry.first_publish_time,
        last_publish_time: entry.last_publish_time,
        ..TimelineItem::default()
    };
    let is_wanted = query.kinds.is_empty() || query.kinds.contains(&published.kind);
    if entry.state() != State::Published || entry.is_deleted() {
        return (query.show_withdrawn && is_wanted).then_some(TimelineItem { withdrawn: true, ..item });
    }
    is_wanted.then(|| told(published, item, &[&query.language, &portfolio.language]))
}

/// The item with what was published, in the first of these languages that there is.
fn told(published: &TimelineContent, item: TimelineItem, wanted: &[&str]) -> TimelineItem {
    let own = published.language.as_str();
    let (headline, headline_language) =
        in_language(&published.headline, own, &published.translations, wanted);
    let (text, text_language) = in_language(&published.text, own, &published.text_translations, wanted);
    let figures = published.figures.iter().map(|figure| {
        let (label, language) = in_language(&figure.label, own, &figure.translations, wanted);
        TimelineItemFigure {
            label: label.to_owned(),
            label_language: language.to_owned(),
            value: figure.value.clone(),
            unit: figure.unit.clone(),
            declared: figure.declared,
            display_value: prose::figure(&figure.value, &figure.unit, language),
        }
    });
    TimelineItem {
        kind: published.kind,
        headline: headline.to_owned(),
        headline_language: headline_language.to_owned(),
        text: text.to_owned(),
        text_language: if text.is_empty() { String::new() } else { text_language.to_owned() },
        figures: figures.collect(),
        subjects: published.subjects.clone(),
        ..item
    }
}

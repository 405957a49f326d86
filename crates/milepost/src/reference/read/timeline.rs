//! Reads the public timeline.

use milepost_proto::tracker::v1::{ListTimelineRequest, ListTimelineResponse, TimelineItem};
use milepost_service::value::date_message;
use milepost_types::language::serves;

use super::{PAGE, Reader, there};
use crate::error::Error;
use crate::output::value::civil_date;
use crate::reference::view::{Entry, EntryFigure};
use crate::timeline::words::Words;

impl Reader<'_> {
    /// What readers see of the timeline: all of it today, else up to the day of the page.
    pub(super) async fn timeline(&self) -> Result<Option<Vec<Entry>>, Error> {
        let mut entries = Vec::new();
        let request = |page_token| ListTimelineRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            language: self.language.clone(),
            end_date: (!self.is_today).then(|| date_message(self.date)),
            ..ListTimelineRequest::default()
        };
        let split = |page: ListTimelineResponse| (page.items, page.next_page_token);
        let words = Words::of(&self.language);
        // What is in another language than the page says so.
        let other = |tag: String| if serves(&tag, &self.language) { String::new() } else { tag };
        let each = |item: TimelineItem| {
            let kind = words.kind(item.kind()).to_owned();
            let figures = item.figures.into_iter();
            entries.push(Entry {
                date: civil_date(item.date),
                kind,
                headline: item.headline,
                headline_language: other(item.headline_language),
                text: item.text,
                text_language: other(item.text_language),
                figures: figures
                    .map(|figure| EntryFigure {
                        label: figure.label,
                        label_language: other(figure.label_language),
                        value: figure.display_value,
                        is_declared: figure.declared,
                    })
                    .collect(),
            });
        };
        let read = self.list("the timeline", request, split, each).await;
        Ok(there(read)?.map(|()| entries))
    }
}

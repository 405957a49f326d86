//! Reads the public timeline.

use milepost_proto::tracker::v1::{ListTimelineRequest, ListTimelineResponse, TimelineItem};
use milepost_service::value::date_message;

use super::{PAGE, Reader, civil, there};
use crate::error::Error;
use crate::reference::view::Entry;
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
        let each = |item: TimelineItem| {
            let kind = words.kind(item.kind()).to_owned();
            let figures = item.figures.into_iter();
            entries.push(Entry {
                date: civil(item.date),
                kind,
                headline: item.headline,
                text: item.text,
                figures: figures
                    .map(|figure| (figure.label, figure.display_value, figure.declared))
                    .collect(),
            });
        };
        let read = self.list("the timeline", request, split, each).await;
        Ok(there(read)?.map(|()| entries))
    }
}

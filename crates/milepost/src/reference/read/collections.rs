//! Reads collections, and how far each is built.

use std::collections::HashMap;

use milepost_proto::registry::v1::{
    Collection as CollectionMessage, CollectionProgress, CollectionRollup, GetCollectionRollupRequest,
    GetCollectionRollupResponse, ListCollectionsRequest, ListCollectionsResponse,
};
use milepost_service::value::date_message;

use super::{PAGE, Reader, status_of, there};
use crate::cli::rpc;
use crate::error::Error;
use crate::reference::view::{Collection, Element, Progress};

impl Reader<'_> {
    pub(super) async fn collections(&self) -> Result<Option<Vec<Collection>>, Error> {
        let mut found = Vec::new();
        let request = |page_token| ListCollectionsRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            ..ListCollectionsRequest::default()
        };
        let split = |page: ListCollectionsResponse| (page.collections, page.next_page_token);
        let read = self.list("collections", request, split, |collection| found.push(collection)).await;
        if there(read)?.is_none() {
            return Ok(None);
        }
        let mut collections = Vec::new();
        for collection in found {
            let request = GetCollectionRollupRequest {
                name: collection.name.clone(),
                date: Some(date_message(self.date)),
                ..GetCollectionRollupRequest::default()
            };
            let answer: GetCollectionRollupResponse = rpc::call(self.session, &request).await?;
            collections.push(self.collection(&collection, &answer.rollup.unwrap_or_default()));
        }
        Ok(Some(collections))
    }

    fn collection(&self, collection: &CollectionMessage, rollup: &CollectionRollup) -> Collection {
        let titles: HashMap<&str, &str> = collection
            .elements
            .iter()
            .map(|element| (element.id.as_str(), element.display_name.as_str()))
            .filter(|(_, title)| !title.is_empty())
            .collect();
        let element = |element: &milepost_proto::registry::v1::ElementProgress| Element {
            title: titles.get(&*element.id).map_or(&*element.id, |title| *title).to_owned(),
            group: element.group.clone(),
            planned: element.planned_measure.clone(),
            built: element.built_measure.clone(),
            is_complete: element.complete,
        };
        let mut whole = self.progress(rollup.whole.as_ref());
        // Elements are named by their ids.
        for missing in &mut whole.share.missing {
            missing.titles.iter_mut().for_each(|title| {
                if let Some(known) = titles.get(title.as_str()) {
                    *title = (*known).to_owned();
                }
            });
        }
        let counts = rollup.members_by_status.iter();
        let count = |count: i32| u64::try_from(count).unwrap_or(0);
        Collection {
            title: self.title(&collection.display_name, &collection.translations),
            kind: collection.kind.clone(),
            description: collection.description.clone(),
            unit: collection.unit.clone(),
            whole,
            groups: rollup.groups.iter().map(|group| self.progress(Some(group))).collect(),
            elements: rollup.elements.iter().map(element).collect(),
            member_count: rollup.member_count.into(),
            members_by_status: counts.map(|of| (status_of(of.status), count(of.count))).collect(),
        }
    }

    fn progress(&self, progress: Option<&CollectionProgress>) -> Progress {
        let Some(progress) = progress else { return Progress::default() };
        Progress {
            group: progress.group.clone(),
            registered_count: progress.element_count.into(),
            declared_count: progress.declared_count.map(i64::from),
            planned: progress.planned_measure.clone(),
            built: progress.built_measure.clone(),
            share: self.figure(progress.length.as_ref()),
            complete_count: progress.complete_count.into(),
        }
    }
}

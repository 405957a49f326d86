//! Questions of those who steer: annual lists, reports, collections, indicators.

use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::query_statistics_request::{Basis, TimeBasis};
use milepost_proto::registry::v1::{
    GetCollectionRollupRequest, GetIndicatorSeriesRequest, QueryStatisticsRequest,
};
use milepost_proto::tracker::v1::ListTimelineRequest;

use super::{LARGE, List, Query, SMALL, registry, tracker};
use crate::generate::{FIRST_GRID, World, date, first_indicator};

const LISTS: List = registry("annual lists", "/milepost.registry.v1.AnnualListService/ListAnnualLists");
const REPORTS: List = registry("reports", "/milepost.registry.v1.ReportService/QueryStatistics");
const COLLECTIONS: List = registry("collections", "/milepost.registry.v1.CollectionService/ListCollections");
const ROLLUP: List = registry("collections", "/milepost.registry.v1.CollectionService/GetCollectionRollup");
const INDICATORS: List = registry("indicators", "/milepost.registry.v1.IndicatorService/ListIndicators");
const SERIES: List = registry("indicators", "/milepost.registry.v1.IndicatorService/GetIndicatorSeries");
const OBSERVATIONS: List =
    registry("observations", "/milepost.registry.v1.ObservationService/ListObservations");

const ENTRIES: List = tracker("timeline", "/milepost.tracker.v1.TimelineEntryService/ListTimelineEntries");
const RULES: List = tracker("timeline rules", "/milepost.tracker.v1.TimelineRuleService/ListTimelineRules");
const TIMELINE: List = tracker("timeline", "/milepost.tracker.v1.TimelineEntryService/ListTimeline");

/// All of them, in the order of the table.
pub fn all(world: &World) -> Vec<Query> {
    [reports(world), collections(world), indicators(world), timeline(world)].concat()
}

fn reports(world: &World) -> Vec<Query> {
    let parent = world.portfolio();
    let report = |title: &str, groups: &[&str], knowledge: Knowledge, filter: &str| {
        let request = QueryStatisticsRequest {
            parent: parent.clone(),
            filter: filter.to_owned(),
            group_by: groups.iter().map(|group| (*group).to_owned()).collect(),
            date: Some(date(world.plan.until)),
            knowledge: knowledge.into(),
            ..Default::default()
        };
        Query::answer(REPORTS, title, &request)
    };
    let split = QueryStatisticsRequest {
        parent: parent.clone(),
        date: Some(date(world.plan.until)),
        basis: Basis::Split.into(),
        time_basis: TimeBasis::Schedule.into(),
        ..Default::default()
    };
    let three = ["sector", "level", "site.division_code"];
    vec![
        LISTS.page(&parent, "", "name desc", SMALL),
        report("all, LATEST", &[], Knowledge::Latest, ""),
        report("all, THEN", &[], Knowledge::Then, ""),
        report("all, THEN_STRICT", &[], Knowledge::ThenStrict, ""),
        report("by sector, level and district, LATEST", &three, Knowledge::Latest, ""),
        report("by sector, level and district, THEN", &three, Knowledge::Then, ""),
        report("by collection, LATEST", &["collection"], Knowledge::Latest, ""),
        report("key projects by status, LATEST", &["status"], Knowledge::Latest, "key = true"),
        Query::answer(REPORTS, "all, SPLIT, by schedule", &split),
    ]
}

fn collections(world: &World) -> Vec<Query> {
    let parent = world.portfolio();
    let rollup = |title: &str, id: &str| {
        let request = GetCollectionRollupRequest {
            name: format!("{parent}/collections/{id}"),
            date: Some(date(world.plan.until)),
            ..Default::default()
        };
        Query::answer(ROLLUP, title, &request)
    };
    let of_one = format!("members:\"{}\"", world.project_name(0));
    vec![
        COLLECTIONS.page(&parent, "", "display_name", SMALL),
        COLLECTIONS.page(&parent, "kind = ring", "", SMALL),
        COLLECTIONS.page(&parent, &of_one, "", SMALL),
        rollup("roll-up of a grid of six by six", FIRST_GRID),
    ]
}

fn indicators(world: &World) -> Vec<Query> {
    let parent = world.portfolio();
    let name = first_indicator(world);
    let series = |title: &str, knowledge: Knowledge| {
        let request = GetIndicatorSeriesRequest {
            name: name.clone(),
            date: Some(date(world.plan.until)),
            knowledge: knowledge.into(),
            ..Default::default()
        };
        Query::answer(SERIES, title, &request)
    };
    vec![
        INDICATORS.page(&parent, "", "", SMALL),
        INDICATORS.page(&parent, "contradiction_count > 0", "", SMALL),
        series("series with a sum of parts, LATEST", Knowledge::Latest),
        series("series with a sum of parts, THEN", Knowledge::Then),
        OBSERVATIONS.page(&name, "", "", SMALL),
        OBSERVATIONS.page(&format!("{parent}/indicators/-"), "qualifier = AT_LEAST", "", SMALL),
    ]
}

fn timeline(world: &World) -> Vec<Query> {
    let parent = world.portfolio();
    let year = world.plan.until.first_of_year();
    let read = |title: &str, language: &str, page_size: usize, start_date| {
        let request = ListTimelineRequest {
            parent: parent.clone(),
            language: language.to_owned(),
            page_size: page_size as i32,
            start_date,
            ..Default::default()
        };
        Query::answer(TIMELINE, title, &request)
    };
    vec![
        ENTRIES.page(&parent, "", "", SMALL),
        ENTRIES.page(&parent, "state = DRAFT", "", SMALL),
        read("what readers see, page of 50", "", SMALL, None),
        read("what readers see, page of 1000", "", LARGE, None),
        read("of the last year, in English, page of 50", "en", SMALL, Some(date(year))),
        RULES.page(&parent, "", "", SMALL),
    ]
}

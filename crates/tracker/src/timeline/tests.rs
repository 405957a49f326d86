//! Rules and entries on rows in memory: events of the registry and of the tracker come in, entries come out.

mod entries;
mod patterns;
mod reactions;
mod readers;
mod rules;

use jiff::civil::{Date, date};
use milepost_ledger::{Actor, Authentication};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::timeline_entry::Kind;
use milepost_proto::tracker::v1::*;
use milepost_resource::{Custom, Target, date_message, read_create, read_update};
use milepost_types::{Rejection, Violations};

use super::{EntryName, TimelineQuery, page, publish, revise, withdraw};
use crate::command::Command;
use crate::names::PortfolioName;
use crate::tests::{Registry, World};

/// A world of the portfolio `wsc`, written in Chinese, whose entries must also be in English.
fn world() -> (World, Registry) {
    let (mut world, mut registry) = World::with_projects(&["science-avenue", "science-valley"]);
    let said = registry.append(vec![("milepost.portfolio.updated", Some(portfolio("wsc", false)))]);
    world.ingest(said).unwrap();
    (world, registry)
}

fn portfolio(id: &str, publish_needs_another_person: bool) -> Resource {
    Resource::PortfolioResource(registry::Portfolio {
        name: format!("portfolios/{id}"),
        time_zone: "Asia/Shanghai".into(),
        language: "zh-CN".into(),
        required_languages: vec!["zh-CN".into(), "en".into()],
        publish_needs_another_person,
        ..registry::Portfolio::default()
    })
}

/// A batch of the portfolio `wsc` that starts.
fn batch(id: &str, day: Date, count: Option<i32>, yuan: Option<i64>) -> Event {
    let name = format!("portfolios/wsc/batches/{id}");
    Event {
        r#type: "milepost.batch.started".into(),
        subject: name.clone(),
        portfolio: "portfolios/wsc".into(),
        event_date: Some(date_message(day)),
        resource: Some(Resource::BatchResource(registry::Batch {
            name,
            display_name: format!("{id} 集中开工"),
            translations: [("en".to_owned(), format!("{id} starts"))].into(),
            start_date: Some(date_message(day)),
            declared_count: count,
            declared_investment: yuan.map(|units| Money { currency_code: "CNY".into(), units, nanos: 0 }),
            ..registry::Batch::default()
        })),
        ..Event::default()
    }
}

/// A programme of policies, in no portfolio, that is published on 3 February 2021.
fn programme(id: &str, headline: bool) -> Event {
    let name = format!("policyProgrammes/{id}");
    let labels =
        if headline { [("headline".to_owned(), "yes".to_owned())].into() } else { Default::default() };
    Event {
        r#type: "milepost.policy_programme.published".into(),
        subject: name.clone(),
        event_date: Some(date_message(date(2021, 2, 3))),
        resource: Some(Resource::PolicyProgrammeResource(registry::PolicyProgramme {
            name,
            display_name: "交地即领证".into(),
            translations: [("en".to_owned(), "Certificate on handover".to_owned())].into(),
            labels,
            ..registry::PolicyProgramme::default()
        })),
        ..Event::default()
    }
}

/// The rule for batches: figures where they are declared.
fn of_batches() -> TimelineRule {
    let figure = |label: &str, en: &str, field: &str, unit: &str| TimelineRuleFigure {
        label: label.into(),
        translations: [("en".to_owned(), en.to_owned())].into(),
        field: field.into(),
        unit: unit.into(),
        declared: true,
    };
    TimelineRule {
        display_name: "集中开工".into(),
        event_type: "milepost.batch.started".into(),
        kind: Kind::Batch.into(),
        headline: "{display_name}[，{declared_count} 个项目][，总投资 {declared_investment}]".into(),
        translations: [(
            "en".to_owned(),
            "{display_name}[: {declared_count} projects][, {declared_investment}]".to_owned(),
        )]
        .into(),
        figures: vec![
            figure("项目", "Projects", "declared_count", ""),
            figure("总投资", "Total investment", "declared_investment", ""),
        ],
        auto_publish: true,
        ..TimelineRule::default()
    }
}

/// An entry that an editor writes.
fn editorial(headline: &str, day: Date) -> TimelineEntry {
    TimelineEntry {
        date: Some(date_message(day)),
        kind: Kind::Editorial.into(),
        headline: headline.into(),
        translations: [("en".to_owned(), format!("{headline} (en)"))].into(),
        ..TimelineEntry::default()
    }
}

fn name(id: &str) -> EntryName {
    format!("portfolios/wsc/timelineEntries/{id}").parse().unwrap()
}

impl World {
    fn create_rule(&mut self, id: &str, rule: TimelineRule) -> Result<Vec<Event>, Rejection> {
        let request = CreateTimelineRuleRequest {
            parent: "portfolios/wsc".into(),
            timeline_rule_id: id.into(),
            timeline_rule: Some(rule),
            ..CreateTimelineRuleRequest::default()
        };
        self.read_and_submit(|violations| {
            read_create::<_, TimelineRule>(request, violations, Violations::new())
        })
    }

    fn create_entry(&mut self, id: &str, entry: TimelineEntry) -> Result<Vec<Event>, Rejection> {
        let request = CreateTimelineEntryRequest {
            parent: "portfolios/wsc".into(),
            timeline_entry_id: id.into(),
            timeline_entry: Some(entry),
            ..CreateTimelineEntryRequest::default()
        };
        self.read_and_submit(|violations| {
            read_create::<_, TimelineEntry>(request, violations, Violations::new())
        })
    }

    fn update_entry(&mut self, entry: TimelineEntry, mask: &str) -> Result<Vec<Event>, Rejection> {
        let request = UpdateTimelineEntryRequest {
            timeline_entry: Some(entry),
            update_mask: Some(mask_of(mask)),
            ..UpdateTimelineEntryRequest::default()
        };
        self.read_and_submit(|violations| read_update::<_, TimelineEntry>(request, violations))
    }

    fn update_rule(&mut self, id: &str, rule: TimelineRule, mask: &str) -> Result<Vec<Event>, Rejection> {
        let request = UpdateTimelineRuleRequest {
            timeline_rule: Some(TimelineRule { name: format!("portfolios/wsc/timelineRules/{id}"), ..rule }),
            update_mask: Some(mask_of(mask)),
            ..UpdateTimelineRuleRequest::default()
        };
        self.read_and_submit(|violations| read_update::<_, TimelineRule>(request, violations))
    }

    /// Follows a registry from its beginning again, because an operator said so.
    fn follow_again(&mut self, registry: &Registry) {
        let to = milepost_types::GoOn::after(milepost_types::Position::start(registry.log));
        self.submit(Command::ResetFollower { to, reason: "again".into() }).unwrap();
        for sequence in 1..=registry.entries.len() {
            self.ingest(registry.source_entry(sequence)).unwrap();
        }
    }

    fn publish(&mut self, name: &EntryName) -> Result<Vec<Event>, Rejection> {
        let target = Target { name: name.clone(), etag: None };
        self.read_and_submit(|_| Some(Custom::act(target, None, publish)))
    }

    fn withdraw(&mut self, name: &EntryName, reason: &str) -> Result<Vec<Event>, Rejection> {
        let target = Target { name: name.clone(), etag: None };
        self.read_and_submit(|_| Some(Custom::act(target, (reason.to_owned(), None), withdraw)))
    }

    fn revise(&mut self, name: &EntryName) -> Result<Vec<Event>, Rejection> {
        let target = Target { name: name.clone(), etag: None };
        self.read_and_submit(|_| Some(Custom::act(target, None, revise)))
    }

    fn entry(&self, name: &EntryName) -> TimelineEntry {
        milepost_resource::Rows::<crate::decide::Tracker>::new(&self.rows)
            .get(name)
            .unwrap()
            .unwrap()
            .into_inner()
    }

    /// Every entry, by name.
    fn entries(&self) -> Vec<TimelineEntry> {
        let rows = milepost_resource::Rows::<crate::decide::Tracker>::new(&self.rows);
        let portfolio: PortfolioName = "portfolios/wsc".parse().unwrap();
        let found = rows.under::<TimelineEntry>(portfolio.ids(), None);
        found.map(|found| found.and_then(|(name, row)| rows.read(&name, row)).unwrap().into_inner()).collect()
    }

    /// What readers see in a language.
    fn timeline(&self, language: &str) -> Vec<TimelineItem> {
        page(&milepost_resource::Rows::new(&self.rows), &query(language)).unwrap().items
    }

    /// The headlines that readers see in a language.
    fn headlines(&self, language: &str) -> Vec<String> {
        self.timeline(language).into_iter().map(|item| item.headline).collect()
    }
}

/// Who proved who they are.
fn person(principal: &str) -> Actor {
    Actor { principal: principal.into(), authentication: Authentication::Jwt, ..Actor::default() }
}

fn mask_of(paths: &str) -> prost_types::FieldMask {
    prost_types::FieldMask { paths: paths.split(',').map(str::to_owned).collect() }
}

fn query(language: &str) -> TimelineQuery {
    TimelineQuery {
        portfolio: "portfolios/wsc".parse().unwrap(),
        language: language.into(),
        start: None,
        end: None,
        kinds: Vec::new(),
        show_withdrawn: false,
        size: 1000,
        after: None,
    }
}

/// The kinds of the preconditions that refuse.
fn preconditions(refused: Rejection) -> Vec<&'static str> {
    match refused {
        Rejection::Preconditions(found) => found.into_iter().map(|one| one.kind).collect(),
        other => panic!("{other}"),
    }
}

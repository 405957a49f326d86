//! Events as a subscriber of the log receives them, as lines for people.
//!
//! Invariant: each event is a line, in the order of the log; an effect names its cause, which is above
//! it. Names are taken from the events themselves, without other calls.

use std::collections::HashMap;

use indicatif::ProgressBar;
use milepost_client::{Delivery, Watch};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_types::Cursor;
use tokio::sync::watch;

use crate::error::Error;
use crate::output::zone::Zones;
use crate::output::{Format, Output, event, print, reset, text, width};

const DATE_COLUMNS: usize = 10;
const KIND_COLUMNS: usize = 25;

/// The lines so far, as far as later ones refer to them.
#[derive(Debug, Default)]
pub struct Story {
    columns: Option<u16>,
    /// What resources are called, by their names.
    titles: HashMap<String, String>,
    /// What events were, by their ids.
    causes: HashMap<String, String>,
    printed: u64,
}

impl Story {
    /// A story for a terminal of so many columns; without one, lines are as long as they are.
    pub fn new(columns: Option<u16>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Prints events until the cursor in `end` is reached, and answers how many there were.
    ///
    /// # Errors
    /// If the watch cannot go on, or standard output cannot be written.
    pub async fn follow(
        &mut self,
        mut events: Watch,
        mut end: watch::Receiver<Option<String>>,
        bar: &ProgressBar,
    ) -> Result<u64, Error> {
        loop {
            let cursor = events.cursor().unwrap_or_default();
            if end.borrow().as_deref().is_some_and(|end| has_reached(cursor, end)) {
                return Ok(self.printed);
            }
            tokio::select! {
                delivery = events.next() => {
                    let Some(delivery) = delivery else { return Ok(self.printed) };
                    match delivery? {
                        Delivery::Batch(batch) => {
                            let lines: String = batch.events.iter().map(|event| self.line(event)).collect();
                            bar.suspend(|| print(&lines))?;
                        }
                        Delivery::Reset(reset) => bar.suspend(|| reset::note_text(&reset.notice, &Output::stdout(Format::Table, Zones::utc()))),
                    }
                }
                Ok(()) = end.changed() => {}
            }
        }
    }

    /// The line of an event, with its line break.
    fn line(&mut self, event: &Event) -> String {
        self.printed += 1;
        let kind = event::kind(event);
        let title = self.title(event);
        let what = format!("{kind} {title}");
        let mut line = format!(
            "{}  {}{title}",
            width::pad(
                &event.event_date.map(|date| text::date(Some(&date))).unwrap_or_default(),
                DATE_COLUMNS
            ),
            width::pad(kind, KIND_COLUMNS),
        );
        let cause = self.causes.get(&event.caused_by).cloned();
        let cause = cause.or_else(|| Some(event.caused_by.clone()).filter(|cause| !cause.is_empty()));
        let detail = match cause {
            Some(cause) => format!("← {cause}"),
            None => detail(event),
        };
        if !detail.is_empty() {
            line.push_str(&format!("  {detail}"));
        }
        self.causes.insert(event.event_id.clone(), what);
        match self.columns {
            Some(columns) => width::fit(&line, columns.into()) + "\n",
            None => line + "\n",
        }
    }

    /// What people call the resource, after its project if it is part of one.
    fn title(&mut self, event: &Event) -> String {
        let own = match (event::title(event), self.titles.get(&event.subject)) {
            (own, _) if !own.is_empty() => own,
            (_, Some(known)) => known.clone(),
            (_, None) => text::ids(&event.subject),
        };
        self.titles.insert(event.subject.clone(), own.clone());
        match self.titles.get(&event.project) {
            Some(project) if event.project != event.subject => format!("{project} · {own}"),
            _ => own,
        }
    }
}

/// What is worth telling beside the title: what is new in other words, else what changed.
fn detail(event: &Event) -> String {
    let english = |translations: &std::collections::BTreeMap<String, String>| translations.get("en").cloned();
    match (&event.payload, &event.resource) {
        (Some(Payload::Created(_)), Some(resource)) => {
            let translation = match resource {
                Resource::PortfolioResource(portfolio) => english(&portfolio.translations),
                Resource::OrganizationResource(organization) => english(&organization.translations),
                Resource::ProjectResource(project) => english(&project.translations),
                Resource::PhaseResource(phase) => english(&phase.translations),
                Resource::BatchResource(batch) => {
                    batch.declared_count.map(|count| format!("{count} declared"))
                }
                Resource::MilestoneResource(milestone) => english(&milestone.translations),
            };
            translation.unwrap_or_default()
        }
        (Some(Payload::ProjectStatusChanged(changed)), _) => {
            let code = |name: &str| text::code(name, "STATUS");
            format!(
                "{} → {}",
                code(changed.previous_status().as_str_name()),
                code(changed.status().as_str_name())
            )
        }
        (Some(Payload::MilestoneStateChanged(changed)), _) => {
            let code = |name: &str| text::code(name, "STATE");
            format!(
                "{} → {}",
                code(changed.previous_state().as_str_name()),
                code(changed.state().as_str_name())
            )
        }
        (Some(Payload::BatchStarted(started)), Some(Resource::BatchResource(batch))) => {
            let declared = batch.declared_count.map_or(text::ABSENT.to_owned(), |count| count.to_string());
            format!("{declared} declared, {} registered", started.count)
        }
        _ => event::detail(event),
    }
}

/// Whether a cursor is at another or after it. Cursors that this version cannot read are only compared.
fn has_reached(cursor: &str, end: &str) -> bool {
    match (cursor.parse::<Cursor>(), end.parse::<Cursor>()) {
        (Ok(cursor), Ok(end)) => cursor.position.log == end.position.log && cursor.next() >= end.next(),
        _ => cursor == end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_proto::event::v1::{Created, MilestoneStateChanged, ProjectStatusChanged};
    use milepost_proto::google::r#type::Date;
    use milepost_proto::registry::v1::{Project, project};
    use milepost_proto::tracker::v1::{Milestone, milestone};
    use milepost_types::{HashPrefix, LogId, Position};

    const PROJECT: &str = "portfolios/p/projects/valley";

    fn event(id: &str, kind: &str, subject: &str, resource: Resource, payload: Payload) -> Event {
        Event {
            event_id: id.into(),
            r#type: format!("milepost.{kind}"),
            subject: subject.into(),
            portfolio: "portfolios/p".into(),
            project: PROJECT.into(),
            resource: Some(resource),
            payload: Some(payload),
            ..Default::default()
        }
    }

    fn valley() -> Resource {
        let translations = [("en".to_owned(), "Science Valley".to_owned())].into();
        Resource::ProjectResource(Project {
            display_name: "科学谷".into(),
            translations,
            ..Default::default()
        })
    }

    fn start() -> Resource {
        Resource::MilestoneResource(Milestone { display_name: "开工".into(), ..Default::default() })
    }

    #[test]
    fn an_effect_names_the_cause_that_stands_above_it() {
        let mut story = Story::new(Some(80));
        let created = event("r/2/0", "project.created", PROJECT, valley(), Payload::Created(Created {}));
        let changed = ProjectStatusChanged {
            previous_status: project::Status::Proposed.into(),
            status: project::Status::Construction.into(),
            ..Default::default()
        };
        let mut started =
            event("r/3/1", "project.started", PROJECT, valley(), Payload::ProjectStatusChanged(changed));
        started.event_date = Some(Date { year: 2020, month: 9, day: 11 });
        let changed = MilestoneStateChanged {
            previous_state: milestone::State::Planned.into(),
            state: milestone::State::Achieved.into(),
            ..Default::default()
        };
        let name = format!("{PROJECT}/milestones/start");
        let mut achieved =
            event("t/5/1", "milestone.achieved", &name, start(), Payload::MilestoneStateChanged(changed));
        achieved.event_date = started.event_date;
        achieved.caused_by = "r/3/1".into();
        let lines: String = [created, started, achieved].iter().map(|event| story.line(event)).collect();
        insta::assert_snapshot!(lines, @r"
                    project.created          科学谷  Science Valley
        2020-09-11  project.started          科学谷  PROPOSED → CONSTRUCTION
        2020-09-11  milestone.achieved       科学谷 · 开工  ← project.started 科学谷
        ");
        assert_eq!(story.printed, 3);
    }

    #[test]
    fn lines_fit_the_terminal_and_an_unknown_event_still_has_one() {
        let mut story = Story::new(Some(40));
        let strange = Event {
            event_id: "x/1/0".into(),
            r#type: "milepost.alliance.formed".into(),
            subject: "portfolios/p/alliances/a-very-long-one-that-goes-on".into(),
            caused_by: "r/9/9".into(),
            ..Default::default()
        };
        let line = story.line(&strange);
        assert!(width::columns(line.trim_end_matches('\n')) <= 40, "{line}");
        assert!(line.contains("alliance.formed"), "{line}");
    }

    #[test]
    fn a_cursor_is_reached_by_itself_and_by_later_ones_of_its_log() {
        let cursor = |log: u8, sequence: u64| {
            let position = Position {
                log: LogId::from_bytes([log; 16]),
                sequence,
                hash: HashPrefix::from_bytes([0; 8]),
            };
            Cursor::after(position).to_string()
        };
        assert!(has_reached(&cursor(1, 5), &cursor(1, 5)));
        assert!(has_reached(&cursor(1, 6), &cursor(1, 5)));
        assert!(!has_reached(&cursor(1, 4), &cursor(1, 5)));
        assert!(!has_reached(&cursor(2, 6), &cursor(1, 5)));
        assert!(!has_reached("", &cursor(1, 5)));
    }
}

//! Events as a subscriber of the log receives them, as lines for people.
//!
//! Invariant: each event is a line, in the order of the log; an effect names its cause, which is above
//! it. Names are taken from the events themselves, without other calls.

use std::collections::HashMap;
use std::pin::pin;

use milepost_client::{Delivery, Watch};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_types::Cursor;

use super::load::Loaded;
use crate::error::Error;
use crate::output::{event, json, print, text, width};

const DATE_COLUMNS: usize = 10;
const KIND_COLUMNS: usize = 27;

/// The lines so far, as far as later ones refer to them.
#[derive(Debug, Default)]
pub struct Story {
    columns: usize,
    /// What resources are called, by their names.
    titles: HashMap<String, String>,
    /// What events were, by their ids.
    causes: HashMap<String, String>,
    /// How many events were printed.
    pub printed: u64,
}

impl Story {
    /// A story for a terminal of so many columns; without one, lines are as long as they are.
    pub fn new(columns: Option<u16>) -> Self {
        Self { columns: columns.map_or(usize::MAX, usize::from), ..Self::default() }
    }

    /// Prints events while something is loaded, and until all of it was printed. Answers what was loaded.
    ///
    /// # Errors
    /// Why the loading failed, or the watch; or that standard output cannot be written.
    pub async fn follow(
        &mut self,
        mut events: Watch,
        loading: impl Future<Output = Result<Loaded, Error>>,
    ) -> Result<Loaded, Error> {
        let mut loading = pin!(loading);
        let loaded = loop {
            tokio::select! {
                loaded = &mut loading => break loaded?,
                Some(delivery) = events.next() => self.print(&delivery?)?,
            }
        };
        while events.cursor().and_then(next) < next(&loaded.end)
            && let Some(delivery) = events.next().await
        {
            self.print(&delivery?)?;
        }
        Ok(loaded)
    }

    fn print(&mut self, delivery: &Delivery) -> Result<(), Error> {
        // The log of these services has no other to be reset to.
        let Delivery::Batch(batch) = delivery else { return Ok(()) };
        print(&batch.events.iter().map(|event| self.line(event)).collect::<String>())
    }

    /// The line of an event, with its line break.
    fn line(&mut self, event: &Event) -> String {
        self.printed += 1;
        let kind = event::kind(event);
        let title = self.title(event);
        let date = event.event_date.map(|date| text::date(Some(&date))).unwrap_or_default();
        let detail = match event.caused_by.as_str() {
            "" => detail(event),
            cause => format!("← {}", self.causes.get(cause).map_or(cause, String::as_str)),
        };
        let line = format!("{date:DATE_COLUMNS$}  {kind:KIND_COLUMNS$} {title}  {detail}");
        self.causes.insert(event.event_id.clone(), format!("{kind} {title}"));
        width::fit(line.trim_end(), self.columns) + "\n"
    }

    /// What the policy is called that a warning is by: it has no name of its own.
    fn policy(&self, event: &Event) -> Option<String> {
        self.titles.get(resource(event)["policy"].as_str()?).cloned()
    }

    /// What people call the resource, after its project if it is part of one.
    fn title(&mut self, event: &Event) -> String {
        let own = match (event::title(&json::dynamic(event)), self.titles.get(&event.subject)) {
            (own, _) if !own.is_empty() => own,
            (_, Some(known)) => known.clone(),
            (_, None) => self.policy(event).unwrap_or_else(|| text::ids(&event.subject)),
        };
        self.titles.insert(event.subject.clone(), own.clone());
        match self.titles.get(&event.project) {
            Some(project) if event.project != event.subject => format!("{project} · {own}"),
            _ => own,
        }
    }
}

/// The resource that an event carries; nothing where it carries none.
fn resource(event: &Event) -> serde_json::Value {
    let resource = event::carried(&json::dynamic(event), "resource");
    resource.map(|resource| json::of(&resource)).unwrap_or_default()
}

/// What is worth saying beside date and title: of what is new, its declared count or its English name.
fn detail(event: &Event) -> String {
    let resource = resource(event);
    let declared = resource["declaredCount"].as_i64().map(|count| count.to_string());
    match (&event.payload, declared) {
        (Some(Payload::Created(_)), Some(declared)) => format!("{declared} declared"),
        (Some(Payload::Created(_)), None) => {
            resource["translations"]["en"].as_str().unwrap_or_default().to_owned()
        }
        (Some(Payload::BatchStarted(started)), declared) => {
            let declared = declared.unwrap_or(text::ABSENT.to_owned());
            format!("{declared} declared, {} registered", started.count)
        }
        // The date has a column of its own.
        _ => event::detail(&json::dynamic(&Event { event_date: None, ..event.clone() })),
    }
}

/// Where a cursor of the one log is: the sequence and the index of what comes next.
fn next(cursor: &str) -> Option<(u64, u32)> {
    Some(cursor.parse::<Cursor>().ok()?.next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_proto::event::v1::event::Resource;
    use milepost_proto::event::v1::{Created, MilestoneStateChanged, ProjectStatusChanged};
    use milepost_proto::google::r#type::Date;
    use milepost_proto::registry::v1::{Project, project};
    use milepost_proto::tracker::v1::{Milestone, milestone};

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
                    project.created             科学谷  Science Valley
        2020-09-11  project.started             科学谷  PROPOSED → CONSTRUCTION
        2020-09-11  milestone.achieved          科学谷 · 开工  ← project.started 科学谷
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
}

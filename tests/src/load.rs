//! Many writers at once, each of which knows what it was promised.
//!
//! Half of them are patient: they send a command until it is answered, through every crash. The others
//! send a command once; if they do not hear what became of it they remember it, go on with another, and
//! send it again when all is over. Each writes to resources of its own, so that no refusal is expected.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use milepost_client::{Backoff, Client, Failure, Retry};
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1 as tracker;
use prost_types::FieldMask;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::command::{self, Command, Outcome, create_milestone, create_project};
use crate::wait::within;

/// How long a patient writer tries. Far longer than any crash lasts here.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the others wait at most before they try a server again that was away.
const PAUSE: Duration = Duration::from_secs(1);

/// A command and its outcome.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What was sent.
    pub command: Command,
    /// What was answered; none if nobody answered.
    pub outcome: Option<Outcome>,
}

/// Writers at work.
#[derive(Debug)]
pub struct Load {
    writers: JoinSet<Vec<Sent>>,
    stop: watch::Sender<bool>,
    acknowledged: Arc<AtomicU64>,
    progress: watch::Receiver<u64>,
}

impl Load {
    /// Starts so many writers, spread over so many portfolios, which are created first.
    ///
    /// # Panics
    /// If the portfolios cannot be created.
    pub async fn start(client: &Client, writers: usize, portfolios: usize) -> (Self, Vec<Sent>) {
        let backoff = Backoff { min: Duration::from_millis(5), max: Duration::from_millis(100) };
        let client = client.clone().with_retry(Retry { backoff, timeout: PATIENCE });
        let mut sent = Vec::new();
        for portfolio in 0..portfolios {
            let command = command::create_portfolio(&format!("p{portfolio}"));
            let outcome = command.once(&client).await.expect("a portfolio is created");
            sent.push(Sent { command, outcome: Some(outcome) });
        }
        let (stop, stopped) = watch::channel(false);
        let (counted, progress) = watch::channel(0);
        let counted = Arc::new(counted);
        let acknowledged = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for number in 0..writers {
            let writer = Writer {
                client: client.clone(),
                portfolio: format!("p{}", number % portfolios),
                number,
                patient: number % 2 == 0,
                stopped: stopped.clone(),
                acknowledged: acknowledged.clone(),
                counted: counted.clone(),
                sent: Vec::new(),
            };
            tasks.spawn(writer.run());
        }
        (Self { writers: tasks, stop, acknowledged, progress }, sent)
    }

    /// How many commands were acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until so many more commands were acknowledged.
    ///
    /// # Panics
    /// If they are not, within a minute.
    pub async fn more(&mut self, count: u64) {
        let goal = self.acknowledged() + count;
        let reached = self.progress.wait_for(|have| *have >= goal);
        drop(within(Duration::from_secs(60), format!("{count} acknowledged writes"), reached).await);
    }

    /// Ends the writers after the commands they are at; what they sent, in the order of each.
    ///
    /// # Panics
    /// If one of them was refused something, or does not end.
    pub async fn stop(mut self) -> Vec<Sent> {
        self.stop.send_replace(true);
        let mut sent = Vec::new();
        while let Some(writer) = within(PATIENCE, "end of the writers", self.writers.join_next()).await {
            sent.extend(writer.unwrap_or_else(|_| panic!("a writer failed; it said why above")));
        }
        sent
    }
}

struct Writer {
    client: Client,
    portfolio: String,
    number: usize,
    patient: bool,
    stopped: watch::Receiver<bool>,
    acknowledged: Arc<AtomicU64>,
    counted: Arc<watch::Sender<u64>>,
    sent: Vec<Sent>,
}

impl Writer {
    async fn run(mut self) -> Vec<Sent> {
        for round in 0.. {
            if *self.stopped.borrow() {
                break;
            }
            if self.patient { self.life(round).await } else { self.beginnings(round).await }
        }
        self.sent
    }

    /// Everything that a project goes through, each step known to be done before the next.
    async fn life(&mut self, round: usize) {
        let id = format!("w{}-{round}", self.number);
        let name = format!("portfolios/{}/projects/{id}", self.portfolio);
        let milestone = format!("{name}/milestones/m");
        let step = |what: &str| format!("{what}-{id}");
        let steps = [
            Command::CreateProject(Box::new(create_project(&self.portfolio, &id))),
            Command::CreateMilestone(Box::new(create_milestone(&name, "m"))),
            Command::UpdateProject(Box::new(registry::UpdateProjectRequest {
                project: Some(registry::Project {
                    name: name.clone(),
                    purpose: format!("round {round}"),
                    ..registry::Project::default()
                }),
                update_mask: Some(FieldMask { paths: vec!["purpose".to_owned()] }),
                request_id: step("update"),
                validate_only: false,
            })),
            Command::Reforecast(Box::new(tracker::ReforecastMilestoneRequest {
                name: milestone.clone(),
                request_id: step("reforecast"),
                reason: "it rains".to_owned(),
                forecast_date: Some(command::date(2026, 7, 1 + (round % 28) as i32)),
                ..Default::default()
            })),
            Command::PrepareProject(Box::new(registry::PrepareProjectRequest {
                name: name.clone(),
                request_id: step("prepare"),
                ..Default::default()
            })),
            self.batch_of_milestones(&name, round),
            Command::StartProject(Box::new(registry::StartProjectRequest {
                name: name.clone(),
                request_id: step("start"),
                start_date: Some(command::date(2026, 1, 5)),
                ..Default::default()
            })),
            Command::Achieve(Box::new(tracker::AchieveMilestoneRequest {
                name: milestone,
                request_id: step("achieve"),
                actual_date: Some(command::date(2026, 2, 3)),
                ..Default::default()
            })),
            self.batch_of_projects(round),
        ];
        for command in steps {
            if *self.stopped.borrow() {
                return;
            }
            self.send(command).await;
        }
    }

    /// Beginnings only: what became of one does not matter to the next.
    async fn beginnings(&mut self, round: usize) {
        let id = format!("w{}-{round}", self.number);
        let name = format!("portfolios/{}/projects/{id}", self.portfolio);
        let created = self.send(Command::CreateProject(Box::new(create_project(&self.portfolio, &id)))).await;
        if created {
            self.send(Command::CreateMilestone(Box::new(create_milestone(&name, "m")))).await;
            self.send(self.batch_of_milestones(&name, round)).await;
        }
        self.send(self.batch_of_projects(round)).await;
    }

    fn batch_of_milestones(&self, project: &str, round: usize) -> Command {
        let request = |number| tracker::CreateMilestoneRequest {
            request_id: String::new(),
            ..create_milestone(project, &format!("b{number}"))
        };
        let mut requests: Vec<_> = (0..4).map(request).collect();
        // The registry's start achieves this one.
        if let Some(milestone) = requests[0].milestone.as_mut() {
            milestone.r#type = "constructionStart".to_owned();
        }
        Command::CreateMilestones(Box::new(tracker::BatchCreateMilestonesRequest {
            parent: project.to_owned(),
            requests,
            request_id: format!("milestones-w{}-{round}", self.number),
            validate_only: false,
        }))
    }

    fn batch_of_projects(&self, round: usize) -> Command {
        let request = |member| registry::CreateProjectRequest {
            request_id: String::new(),
            ..create_project(&self.portfolio, &format!("w{}-{round}-{member}", self.number))
        };
        Command::CreateProjects(Box::new(registry::BatchCreateProjectsRequest {
            parent: format!("portfolios/{}", self.portfolio),
            requests: (0..5).map(request).collect(),
            request_id: format!("projects-w{}-{round}", self.number),
            validate_only: false,
        }))
    }

    /// Sends a command and remembers what was answered; whether it was acknowledged.
    async fn send(&mut self, command: Command) -> bool {
        let outcome = if self.patient {
            match command.patiently(&self.client, Instant::now() + PATIENCE).await {
                Ok(outcome) => Some(outcome),
                Err(error) => panic!("{} was refused: {error}", command.request_id()),
            }
        } else {
            match command.once(&self.client).await {
                Ok(outcome) => Some(outcome),
                Err(failure) if command::is_open(&failure) => None,
                Err(failure) => panic!("{} was refused: {}", command.request_id(), described(&failure)),
            }
        };
        let acknowledged = outcome.is_some();
        self.sent.push(Sent { command, outcome });
        if acknowledged {
            let count = self.acknowledged.fetch_add(1, Ordering::Relaxed) + 1;
            self.counted.send_replace(count);
        } else {
            // Until somebody is answered again: the patient are first to notice.
            let mut progress = self.counted.subscribe();
            let _ = tokio::time::timeout(PAUSE, progress.changed()).await;
        }
        acknowledged
    }
}

fn described(failure: &Failure) -> String {
    format!("{:?} {:?} {failure}", failure.code, failure.reason)
}

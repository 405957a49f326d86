//! After any commands: the rows are those of a rebuild, the index rows those that the resources say, and
//! what the rules promise of the whole holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Direction, KeyRange, Ledger, Options, Read, Submission, Write};
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use milepost_types::{LogId, ManualClock, Violations};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;

use super::office::portfolio;
use super::rows::Rows;
use crate::command::{Command, Wish};
use crate::convert::{self, project_request};
use crate::decide::Registry;
use crate::tables;

/// What may be asked of a small office.
#[derive(Debug, Clone)]
enum Ask {
    Portfolio(Verb, &'static str, &'static str),
    Organization(Verb, &'static str, &'static str),
    Project(Verb, &'static str, &'static str, Said),
    Move(&'static str, &'static str, u8),
    Phase(Verb, &'static str, &'static str, &'static str, i32),
    Batch(Verb, &'static str, &'static str, Vec<&'static str>),
    Members(bool, &'static str, &'static str, Vec<&'static str>),
    Start(&'static str, &'static str),
    Cancel(&'static str, &'static str),
    Wait(i64),
}

#[derive(Debug, Clone, Copy)]
enum Verb {
    Create,
    Update,
    Delete,
    Undelete,
}

/// What is said of a project.
#[derive(Debug, Clone)]
struct Said {
    display_name: &'static str,
    parent: Option<&'static str>,
    organization: Option<&'static str>,
    investment: Option<i64>,
}

fn portfolio_id() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "a", "a", "b"])
}

fn project_id() -> impl Strategy<Value = &'static str> {
    select(vec!["w", "x", "y", "z"])
}

fn verb() -> impl Strategy<Value = Verb> {
    use Verb::{Create, Delete, Undelete, Update};
    select(vec![Create, Create, Update, Update, Delete, Undelete])
}

fn said() -> impl Strategy<Value = Said> {
    let names = select(vec!["名", "n", "nn"]);
    let investments = select(vec![0, 7, i64::MAX - 3]);
    (names, option::of(project_id()), option::of(select(vec!["o", "q"])), option::of(investments)).prop_map(
        |(display_name, parent, organization, investment)| Said {
            display_name,
            parent,
            organization,
            investment,
        },
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    let name = || select(vec!["名", "n", "nn"]);
    let members = || vec(project_id(), 0..4);
    let batch_id = || select(vec!["m", "n"]);
    prop_oneof![
        2 => (verb(), portfolio_id(), name()).prop_map(|(verb, id, name)| Ask::Portfolio(verb, id, name)),
        2 => (verb(), select(vec!["o", "q"]), name()).prop_map(|(verb, id, name)| Ask::Organization(verb, id, name)),
        6 => (verb(), portfolio_id(), project_id(), said()).prop_map(|(verb, p, id, said)| Ask::Project(verb, p, id, said)),
        4 => (portfolio_id(), project_id(), 0..7u8).prop_map(|(p, id, step)| Ask::Move(p, id, step)),
        3 => (verb(), portfolio_id(), project_id(), select(vec!["f", "g"]), 1..4)
            .prop_map(|(verb, p, project, id, order)| Ask::Phase(verb, p, project, id, order)),
        2 => (verb(), portfolio_id(), batch_id(), members()).prop_map(|(verb, p, id, members)| Ask::Batch(verb, p, id, members)),
        2 => (any::<bool>(), portfolio_id(), batch_id(), members()).prop_map(|(add, p, id, members)| Ask::Members(add, p, id, members)),
        2 => (portfolio_id(), batch_id()).prop_map(|(p, id)| Ask::Start(p, id)),
        1 => (portfolio_id(), batch_id()).prop_map(|(p, id)| Ask::Cancel(p, id)),
        1 => (0i64..100_000).prop_map(Ask::Wait),
    ]
}

fn names(portfolio: &str, ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!("portfolios/{portfolio}/projects/{id}")).collect()
}

impl Said {
    fn message(&self, portfolio: &str, id: &str) -> Project {
        let organization = self.organization.map(|id| format!("organizations/{id}"));
        Project {
            name: format!("portfolios/{portfolio}/projects/{id}"),
            display_name: self.display_name.into(),
            parent_project: self
                .parent
                .map(|id| format!("portfolios/{portfolio}/projects/{id}"))
                .unwrap_or_default(),
            investment: self.investment.map(|units| Money { currency_code: "CNY".into(), units, nanos: 0 }),
            parties: organization
                .map(|organization| Party { organization, roles: vec!["r".into()] })
                .into_iter()
                .collect(),
            ..Project::default()
        }
    }
}

/// The wish that an ask is; nothing if its fields are at fault.
fn wish(ask: &Ask) -> Option<Wish> {
    let v = &mut Violations::new();
    let wish = match ask {
        Ask::Portfolio(verb, id, display_name) => {
            let name = format!("portfolios/{id}");
            let message =
                Some(Portfolio { name: name.clone(), display_name: (*display_name).into(), ..portfolio() });
            let portfolio_id = (*id).into();
            Wish::Portfolio(match verb {
                Verb::Create => convert::portfolio::create(
                    CreatePortfolioRequest { portfolio_id, portfolio: message, ..Default::default() },
                    v,
                )?,
                Verb::Update => convert::portfolio::update(
                    UpdatePortfolioRequest { portfolio: message, ..Default::default() },
                    v,
                )?,
                Verb::Delete => {
                    convert::portfolio::delete(&DeletePortfolioRequest { name, ..Default::default() }, v)?
                }
                Verb::Undelete => {
                    convert::portfolio::undelete(&UndeletePortfolioRequest { name, ..Default::default() }, v)?
                }
            })
        }
        Ask::Organization(verb, id, display_name) => {
            let name = format!("organizations/{id}");
            let message = Some(Organization {
                name: name.clone(),
                display_name: (*display_name).into(),
                ..Default::default()
            });
            let organization_id = (*id).into();
            Wish::Organization(match verb {
                Verb::Create => convert::organization::create(
                    CreateOrganizationRequest {
                        organization_id,
                        organization: message,
                        ..Default::default()
                    },
                    v,
                )?,
                Verb::Update => convert::organization::update(
                    UpdateOrganizationRequest { organization: message, ..Default::default() },
                    v,
                )?,
                Verb::Delete => convert::organization::delete(
                    &DeleteOrganizationRequest { name, ..Default::default() },
                    v,
                )?,
                Verb::Undelete => convert::organization::undelete(
                    &UndeleteOrganizationRequest { name, ..Default::default() },
                    v,
                )?,
            })
        }
        Ask::Project(verb, p, id, said) => {
            let name = format!("portfolios/{p}/projects/{id}");
            let (parent, project_id, project) =
                (format!("portfolios/{p}"), (*id).into(), Some(said.message(p, id)));
            let mask = ["display_name", "parent_project", "parties", "investment"].map(String::from).to_vec();
            let update_mask = Some(prost_types::FieldMask { paths: mask });
            Wish::Project(Box::new(match verb {
                Verb::Create => project_request::create(
                    CreateProjectRequest { parent, project_id, project, ..Default::default() },
                    v,
                )?,
                Verb::Update => project_request::update(
                    UpdateProjectRequest { project, update_mask, ..Default::default() },
                    v,
                )?,
                Verb::Delete => {
                    project_request::delete(&DeleteProjectRequest { name, ..Default::default() }, v)?
                }
                Verb::Undelete => {
                    project_request::undelete(&UndeleteProjectRequest { name, ..Default::default() }, v)?
                }
            }))
        }
        Ask::Move(p, id, step) => {
            let (name, reason) = (format!("portfolios/{p}/projects/{id}"), "因为".to_owned());
            Wish::Project(Box::new(match step {
                0 => {
                    project_request::prepare(PrepareProjectRequest { name, reason, ..Default::default() }, v)?
                }
                1 => project_request::start(StartProjectRequest { name, reason, ..Default::default() }, v)?,
                2 => project_request::complete(
                    CompleteProjectRequest { name, reason, ..Default::default() },
                    v,
                )?,
                3 => project_request::commission(
                    CommissionProjectRequest { name, reason, ..Default::default() },
                    v,
                )?,
                4 => {
                    project_request::suspend(SuspendProjectRequest { name, reason, ..Default::default() }, v)?
                }
                5 => project_request::resume(ResumeProjectRequest { name, reason, ..Default::default() }, v)?,
                _ => project_request::cancel(CancelProjectRequest { name, reason, ..Default::default() }, v)?,
            }))
        }
        Ask::Phase(verb, p, project, id, order) => {
            let parent = format!("portfolios/{p}/projects/{project}");
            let name = format!("{parent}/phases/{id}");
            let phase = Some(Phase {
                name: name.clone(),
                display_name: "f".into(),
                order: *order,
                ..Default::default()
            });
            let phase_id = (*id).into();
            Wish::Phase(match verb {
                Verb::Create => convert::phase::create(
                    CreatePhaseRequest { parent, phase_id, phase, ..Default::default() },
                    v,
                )?,
                Verb::Update => {
                    convert::phase::update(UpdatePhaseRequest { phase, ..Default::default() }, v)?
                }
                Verb::Delete => {
                    convert::phase::delete(&DeletePhaseRequest { name, ..Default::default() }, v)?
                }
                Verb::Undelete => {
                    convert::phase::undelete(&UndeletePhaseRequest { name, ..Default::default() }, v)?
                }
            })
        }
        Ask::Batch(verb, p, id, members) => {
            let (parent, name) = (format!("portfolios/{p}"), format!("portfolios/{p}/batches/{id}"));
            let start_date =
                Some(Date { year: 2021, month: 5, day: 20 + i32::try_from(members.len()).ok()? });
            let members = names(p, members);
            let batch = Some(Batch {
                name: name.clone(),
                display_name: "b".into(),
                start_date,
                members,
                ..Default::default()
            });
            let batch_id = (*id).into();
            Wish::Batch(match verb {
                Verb::Create => convert::batch::create(
                    CreateBatchRequest { parent, batch_id, batch, ..Default::default() },
                    v,
                )?,
                Verb::Update => {
                    convert::batch::update(UpdateBatchRequest { batch, ..Default::default() }, v)?
                }
                Verb::Delete => {
                    convert::batch::delete(&DeleteBatchRequest { name, ..Default::default() }, v)?
                }
                Verb::Undelete => {
                    convert::batch::undelete(&UndeleteBatchRequest { name, ..Default::default() }, v)?
                }
            })
        }
        Ask::Members(add, p, id, members) => {
            let (name, members) = (format!("portfolios/{p}/batches/{id}"), names(p, members));
            Wish::Batch(match add {
                true => {
                    convert::batch::add(&AddBatchMembersRequest { name, members, ..Default::default() }, v)?
                }
                false => convert::batch::remove(
                    &RemoveBatchMembersRequest { name, members, ..Default::default() },
                    v,
                )?,
            })
        }
        Ask::Start(p, id) => {
            let name = format!("portfolios/{p}/batches/{id}");
            Wish::Batch(convert::batch::start(&StartBatchRequest { name, ..Default::default() }, v)?)
        }
        Ask::Cancel(p, id) => {
            let (name, reason) = (format!("portfolios/{p}/batches/{id}"), "因为".into());
            Wish::Batch(convert::batch::cancel(CancelBatchRequest { name, reason, ..Default::default() }, v)?)
        }
        Ask::Wait(_) => return None,
    };
    v.is_empty().then_some(wish)
}

/// Every row but the ledger's own.
fn all_rows(rows: &dyn Read) -> BTreeMap<Vec<u8>, bytes::Bytes> {
    let range = KeyRange { start: vec![1], end: None };
    rows.scan(&range, Direction::Forward).map(|(key, value)| (key.into(), value)).collect()
}

type Put = fn(&mut dyn Write, bytes::Bytes) -> Result<(), convert::Unreadable>;

/// The rows that these resources make when each is put once.
fn made_anew(held: &BTreeMap<Vec<u8>, bytes::Bytes>) -> BTreeMap<Vec<u8>, bytes::Bytes> {
    let mut anew = Rows::default();
    let puts: [Put; 5] = [
        tables::portfolios::put,
        tables::organizations::put,
        tables::projects::put,
        tables::phases::put,
        tables::batches::put,
    ];
    for (key, row) in held {
        if let Some(put) = puts.get(usize::from(key[0]) - 1) {
            put(&mut anew, row.clone()).unwrap();
        }
    }
    anew.rows
}

fn resources<M: Message + Default>(held: &BTreeMap<Vec<u8>, bytes::Bytes>, table: u8) -> Vec<M> {
    held.range(vec![table]..vec![table + 1]).map(|(_, row)| M::decode(row.clone()).unwrap()).collect()
}

/// What the rules promise of all resources together.
fn check_promises(held: &BTreeMap<Vec<u8>, bytes::Bytes>) {
    let portfolios: Vec<Portfolio> = resources(held, 1);
    let projects: BTreeMap<String, Project> =
        resources::<Project>(held, 3).into_iter().map(|project| (project.name.clone(), project)).collect();
    for project in projects.values().filter(|project| project.delete_time.is_none()) {
        let portfolio = project.name.split("/projects/").next().unwrap();
        let portfolio = portfolios.iter().find(|held| held.name == portfolio).unwrap();
        assert!(portfolio.delete_time.is_none(), "{} is in a deleted portfolio", project.name);
        let mut at = project;
        for step in 0.. {
            assert!(step < 5, "{} is a part of itself", project.name);
            let Some(parent) = projects.get(&at.parent_project) else { break };
            assert!(parent.delete_time.is_none(), "{} is a part of what is deleted", project.name);
            at = parent;
        }
        assert!(at.parent_project.is_empty(), "{} is a part of what never was", project.name);
    }
    let mut places = BTreeMap::new();
    for phase in resources::<Phase>(held, 4).into_iter().filter(|phase| phase.delete_time.is_none()) {
        let project = phase.name.split("/phases/").next().unwrap().to_owned();
        assert_eq!(
            places.insert((project, phase.order), phase.name.clone()),
            None,
            "{} shares its place",
            phase.name
        );
    }
    for batch in resources::<Batch>(held, 5) {
        assert!(batch.members.iter().all(|member| projects.contains_key(member)));
        if batch.state() == batch::State::Started {
            assert_eq!(batch.registered_count as usize, batch.members.len());
            let began = |member: &String| projects[member].batch == batch.name;
            assert!(batch.members.iter().all(began), "{} started its members", batch.name);
        }
    }
}

struct Outcome {
    done: usize,
    refused: usize,
}

fn run(asks: &[Ask]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::new("2021-05-27T04:00:00Z".parse().unwrap()));
        let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
        // Small enough that checkpoints happen while commands come.
        let options = Options { checkpoint_rows: 16, ..Options::default() };
        let open = |dir: &tempfile::TempDir| {
            let ledger = Ledger::open(
                "registry",
                dir.path(),
                journal.clone(),
                Arc::new(Registry),
                clock.clone(),
                options.clone(),
            );
            ledger.unwrap()
        };
        let (live_dir, rebuilt_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let live = open(&live_dir);
        let mut outcome = Outcome { done: 0, refused: 0 };
        for ask in asks {
            if let Ask::Wait(seconds) = ask {
                clock.advance(SignedDuration::from_secs(*seconds));
            }
            let Some(wish) = wish(ask) else { continue };
            let command = Command { wish, traceparent: String::new() };
            match live.submit(Submission::system("test", command)).await {
                Ok(_) => outcome.done += 1,
                Err(milepost_ledger::SubmitError::Rejected(_)) => outcome.refused += 1,
                Err(other) => panic!("{ask:?}: {other}"),
            }
        }
        let rows = all_rows(&live.view());
        assert_eq!(rows, made_anew(&rows), "the index rows are those that the resources say");
        check_promises(&rows);
        let rebuilt = open(&rebuilt_dir);
        assert_eq!(all_rows(&rebuilt.view()), rows, "the rows are those of a rebuild");
        rebuilt.close();
        live.close();
        drop(live);
        let reopened = open(&live_dir);
        assert_eq!(all_rows(&reopened.view()), rows, "the rows are those of the store, opened again");
        reopened.close();
        outcome
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_are_what_the_journal_says(asks in vec(ask(), 1..120)) {
        let founded = ["a", "b"].map(|id| Ask::Portfolio(Verb::Create, id, "n"));
        let outcome = run(&[&founded[..], &asks].concat());
        prop_assert!(outcome.done >= 2);
    }
}

#[test]
fn random_asks_do_something_and_are_refused_something() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let asks = vec(ask(), 400..401).new_tree(&mut runner).unwrap().current();
    let founded = ["a", "b"].map(|id| Ask::Portfolio(Verb::Create, id, "n"));
    let outcome = run(&[&founded[..], &asks].concat());
    assert!(outcome.done > 60 && outcome.refused > 60, "{} done, {} refused", outcome.done, outcome.refused);
}

//! After any commands: the rows are those of a rebuild, the index rows those that the resources say, and
//! what the rules promise of the whole holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Direction, KeyRange, Ledger, Options, Read};
use milepost_proto::access::v1::*;
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use milepost_types::LogId;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;
use prost_types::Timestamp;

use tonic::Code;

use super::office::{Office, portfolio};
use super::replay_office;
use super::rows::Rows;
use crate::tables::{Registry, TABLES};

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
    List(Verb, &'static str, &'static str, Vec<&'static str>),
    Listed(bool, &'static str, &'static str, Vec<&'static str>),
    Start(&'static str, &'static str),
    Cancel(&'static str, &'static str),
    Collection(Verb, &'static str, &'static str, Vec<&'static str>, Vec<&'static str>),
    CollectionMembers(bool, &'static str, &'static str, Vec<&'static str>),
    Indicator(Verb, &'static str, &'static str, Option<&'static str>, bool),
    Observe(&'static str, &'static str, &'static str, i32, i32),
    Decide(bool, &'static str, &'static str, &'static str),
    Grant(bool, Vec<&'static str>, &'static str, &'static str),
    Account(Verb, &'static str),
    Token(bool, &'static str, &'static str),
    Office(replay_office::Ask),
    Wait(i64),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Verb {
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
    /// What was completed in months of 2021.
    completed: BTreeMap<i32, i64>,
}

pub(super) fn portfolio_id() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "a", "a", "b"])
}

pub(super) fn project_id() -> impl Strategy<Value = &'static str> {
    select(vec!["w", "x", "y", "z"])
}

fn account_id() -> impl Strategy<Value = &'static str> {
    select(vec!["s", "v"])
}

/// The ids of what a grant is under.
fn under() -> impl Strategy<Value = Vec<&'static str>> {
    (portfolio_id(), project_id(), 0..3usize)
        .prop_map(|(portfolio, project, count)| [portfolio, project].into_iter().take(count).collect())
}

fn principal() -> impl Strategy<Value = &'static str> {
    select(vec!["user:corp/a", "group:corp/b", "serviceaccount:s", "cert:x:y", "office"])
}

pub(super) fn verb() -> impl Strategy<Value = Verb> {
    use Verb::{Create, Delete, Undelete, Update};
    select(vec![Create, Create, Update, Update, Delete, Undelete])
}

fn said() -> impl Strategy<Value = Said> {
    let names = select(vec!["名", "n", "nn"]);
    let investments = select(vec![0, 7, i64::MAX - 3]);
    let completed = vec((1..5i32, 0..3i64), 0..4);
    let organization = option::of(select(vec!["o", "q"]));
    (names, option::of(project_id()), organization, option::of(investments), completed).prop_map(
        |(display_name, parent, organization, investment, completed)| Said {
            display_name,
            parent,
            organization,
            investment,
            completed: completed.into_iter().collect(),
        },
    )
}

fn indicator_id() -> impl Strategy<Value = &'static str> {
    select(vec!["i", "j", "k"])
}

fn observation_id() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c", "d"])
}

fn ask() -> impl Strategy<Value = Ask> {
    let name = || select(vec!["名", "n", "nn"]);
    let members = || vec(project_id(), 0..4);
    let batch_id = || select(vec!["m", "n"]);
    let year = || select(vec!["2021", "2022"]);
    prop_oneof![
        2 => (verb(), portfolio_id(), name()).prop_map(|(verb, id, name)| Ask::Portfolio(verb, id, name)),
        2 => (verb(), select(vec!["o", "q"]), name()).prop_map(|(verb, id, name)| Ask::Organization(verb, id, name)),
        6 => (verb(), portfolio_id(), project_id(), said()).prop_map(|(verb, p, id, said)| Ask::Project(verb, p, id, said)),
        4 => (portfolio_id(), project_id(), 0..7u8).prop_map(|(p, id, step)| Ask::Move(p, id, step)),
        3 => (verb(), portfolio_id(), project_id(), select(vec!["f", "g"]), 1..4)
            .prop_map(|(verb, p, project, id, order)| Ask::Phase(verb, p, project, id, order)),
        2 => (verb(), portfolio_id(), batch_id(), members()).prop_map(|(verb, p, id, members)| Ask::Batch(verb, p, id, members)),
        2 => (any::<bool>(), portfolio_id(), batch_id(), members()).prop_map(|(add, p, id, members)| Ask::Members(add, p, id, members)),
        2 => (verb(), portfolio_id(), year(), members()).prop_map(|(verb, p, year, members)| Ask::List(verb, p, year, members)),
        1 => (any::<bool>(), portfolio_id(), year(), members()).prop_map(|(add, p, year, members)| Ask::Listed(add, p, year, members)),
        2 => (portfolio_id(), batch_id()).prop_map(|(p, id)| Ask::Start(p, id)),
        1 => (portfolio_id(), batch_id()).prop_map(|(p, id)| Ask::Cancel(p, id)),
        3 => (verb(), portfolio_id(), batch_id(), members(), members())
            .prop_map(|(verb, p, id, members, builders)| Ask::Collection(verb, p, id, members, builders)),
        2 => (any::<bool>(), portfolio_id(), batch_id(), members())
            .prop_map(|(add, p, id, members)| Ask::CollectionMembers(add, p, id, members)),
        3 => (verb(), portfolio_id(), indicator_id(), option::of(indicator_id()), any::<bool>())
            .prop_map(|(verb, p, id, whole, sums)| Ask::Indicator(verb, p, id, whole, sums)),
        5 => (portfolio_id(), indicator_id(), observation_id(), 1..3, 1..3)
            .prop_map(|(p, indicator, id, value, day)| Ask::Observe(p, indicator, id, value, day)),
        4 => (any::<bool>(), portfolio_id(), indicator_id(), observation_id())
            .prop_map(|(prefer, p, indicator, id)| Ask::Decide(prefer, p, indicator, id)),
        3 => (any::<bool>(), under(), select(vec!["g", "h"]), principal())
            .prop_map(|(create, under, id, principal)| Ask::Grant(create, under, id, principal)),
        2 => (verb(), account_id()).prop_map(|(verb, id)| Ask::Account(verb, id)),
        2 => (any::<bool>(), select(vec!["t", "u"]), account_id()).prop_map(|(create, id, of)| Ask::Token(create, id, of)),
        24 => replay_office::ask().prop_map(Ask::Office),
        1 => (0i64..100_000).prop_map(Ask::Wait),
    ]
}

fn names(portfolio: &str, ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!("portfolios/{portfolio}/projects/{id}")).collect()
}

impl Said {
    fn message(&self, portfolio: &str, id: &str) -> Project {
        let organization = self.organization.map(|id| format!("organizations/{id}"));
        let money = |units| Some(Money { currency_code: "CNY".into(), units, nanos: 0 });
        let completed = |(month, units): (&i32, &i64)| {
            let day = |day| Some(Date { year: 2021, month: *month, day });
            let period = Some(Period { start_date: day(1), end_date: day(28) });
            CompletedInvestment { period, amount: money(*units), reported_date: None }
        };
        Project {
            name: format!("portfolios/{portfolio}/projects/{id}"),
            display_name: self.display_name.into(),
            parent_project: self
                .parent
                .map(|id| format!("portfolios/{portfolio}/projects/{id}"))
                .unwrap_or_default(),
            investment: self.investment.and_then(money),
            completed_investments: self.completed.iter().map(completed).collect(),
            parties: organization
                .map(|organization| Party { organization, roles: vec!["r".into()] })
                .into_iter()
                .collect(),
            ..Project::default()
        }
    }
}

/// Has done what is asked; false if it is refused.
async fn done(office: &Office, ask: &Ask) -> bool {
    let outcome = match ask.clone() {
        Ask::Portfolio(verb, id, display_name) => {
            let (mut client, name) = (office.portfolios(), format!("portfolios/{id}"));
            let message = Portfolio { name: name.clone(), display_name: display_name.into(), ..portfolio() };
            let portfolio = Some(message);
            match verb {
                Verb::Create => {
                    let portfolio_id = id.into();
                    let request = CreatePortfolioRequest { portfolio_id, portfolio, ..Default::default() };
                    client.create_portfolio(request).await.map(|_| ())
                }
                Verb::Update => {
                    let request = UpdatePortfolioRequest { portfolio, ..Default::default() };
                    client.update_portfolio(request).await.map(|_| ())
                }
                Verb::Delete => {
                    let request = DeletePortfolioRequest { name, ..Default::default() };
                    client.delete_portfolio(request).await.map(|_| ())
                }
                Verb::Undelete => {
                    let request = UndeletePortfolioRequest { name, ..Default::default() };
                    client.undelete_portfolio(request).await.map(|_| ())
                }
            }
        }
        Ask::Organization(verb, id, display_name) => {
            let (mut client, name) = (office.organizations(), format!("organizations/{id}"));
            let message =
                Organization { name: name.clone(), display_name: display_name.into(), ..Default::default() };
            let organization = Some(message);
            match verb {
                Verb::Create => {
                    let organization_id = id.into();
                    let request =
                        CreateOrganizationRequest { organization_id, organization, ..Default::default() };
                    client.create_organization(request).await.map(|_| ())
                }
                Verb::Update => {
                    let request = UpdateOrganizationRequest { organization, ..Default::default() };
                    client.update_organization(request).await.map(|_| ())
                }
                Verb::Delete => {
                    let request = DeleteOrganizationRequest { name, ..Default::default() };
                    client.delete_organization(request).await.map(|_| ())
                }
                Verb::Undelete => {
                    let request = UndeleteOrganizationRequest { name, ..Default::default() };
                    client.undelete_organization(request).await.map(|_| ())
                }
            }
        }
        Ask::Project(verb, p, id, said) => {
            let (mut client, name) = (office.projects(), format!("portfolios/{p}/projects/{id}"));
            let project = Some(said.message(p, id));
            match verb {
                Verb::Create => {
                    let (parent, project_id) = (format!("portfolios/{p}"), id.into());
                    let request = CreateProjectRequest { parent, project_id, project, ..Default::default() };
                    client.create_project(request).await.map(|_| ())
                }
                Verb::Update => {
                    let paths =
                        ["display_name", "parent_project", "parties", "investment", "completed_investments"]
                            .map(String::from);
                    let update_mask = Some(prost_types::FieldMask { paths: paths.to_vec() });
                    let request = UpdateProjectRequest { project, update_mask, ..Default::default() };
                    client.update_project(request).await.map(|_| ())
                }
                Verb::Delete => {
                    let request = DeleteProjectRequest { name, ..Default::default() };
                    client.delete_project(request).await.map(|_| ())
                }
                Verb::Undelete => {
                    let request = UndeleteProjectRequest { name, ..Default::default() };
                    client.undelete_project(request).await.map(|_| ())
                }
            }
        }
        Ask::Move(p, id, step) => {
            let (mut client, name) = (office.projects(), format!("portfolios/{p}/projects/{id}"));
            let reason = "因为".to_owned();
            macro_rules! move_by {
                ($method:ident, $request:ident) => {
                    client.$method($request { name, reason, ..Default::default() }).await.map(|_| ())
                };
            }
            match step {
                0 => move_by!(prepare_project, PrepareProjectRequest),
                1 => move_by!(start_project, StartProjectRequest),
                2 => move_by!(complete_project, CompleteProjectRequest),
                3 => move_by!(commission_project, CommissionProjectRequest),
                4 => move_by!(suspend_project, SuspendProjectRequest),
                5 => move_by!(resume_project, ResumeProjectRequest),
                _ => move_by!(cancel_project, CancelProjectRequest),
            }
        }
        Ask::Phase(verb, p, project, id, order) => {
            let parent = format!("portfolios/{p}/projects/{project}");
            let (mut client, name) = (office.phases(), format!("{parent}/phases/{id}"));
            let message = Phase { name: name.clone(), display_name: "f".into(), order, ..Default::default() };
            let phase = Some(message);
            match verb {
                Verb::Create => {
                    let request =
                        CreatePhaseRequest { parent, phase_id: id.into(), phase, ..Default::default() };
                    client.create_phase(request).await.map(|_| ())
                }
                Verb::Update => {
                    client.update_phase(UpdatePhaseRequest { phase, ..Default::default() }).await.map(|_| ())
                }
                Verb::Delete => {
                    client.delete_phase(DeletePhaseRequest { name, ..Default::default() }).await.map(|_| ())
                }
                Verb::Undelete => client
                    .undelete_phase(UndeletePhaseRequest { name, ..Default::default() })
                    .await
                    .map(|_| ()),
            }
        }
        Ask::Batch(verb, p, id, members) => {
            let (mut client, name) = (office.batches(), format!("portfolios/{p}/batches/{id}"));
            let day = 20 + i32::try_from(members.len()).unwrap();
            let message = Batch {
                name: name.clone(),
                display_name: "b".into(),
                start_date: Some(Date { year: 2021, month: 5, day }),
                members: names(p, &members),
                ..Default::default()
            };
            let batch = Some(message);
            match verb {
                Verb::Create => {
                    let (parent, batch_id) = (format!("portfolios/{p}"), id.into());
                    let request = CreateBatchRequest { parent, batch_id, batch, ..Default::default() };
                    client.create_batch(request).await.map(|_| ())
                }
                Verb::Update => {
                    client.update_batch(UpdateBatchRequest { batch, ..Default::default() }).await.map(|_| ())
                }
                Verb::Delete => {
                    client.delete_batch(DeleteBatchRequest { name, ..Default::default() }).await.map(|_| ())
                }
                Verb::Undelete => client
                    .undelete_batch(UndeleteBatchRequest { name, ..Default::default() })
                    .await
                    .map(|_| ()),
            }
        }
        Ask::Members(add, p, id, members) => {
            let (name, members) = (format!("portfolios/{p}/batches/{id}"), names(p, &members));
            let mut client = office.batches();
            if add {
                let request = AddBatchMembersRequest { name, members, ..Default::default() };
                client.add_batch_members(request).await.map(|_| ())
            } else {
                let request = RemoveBatchMembersRequest { name, members, ..Default::default() };
                client.remove_batch_members(request).await.map(|_| ())
            }
        }
        Ask::List(verb, p, year, members) => {
            let (mut client, name) = (office.annual_lists(), format!("portfolios/{p}/annualLists/{year}"));
            let member = |project| AnnualListMember { project, listing: 0 };
            let members = names(p, &members).into_iter().map(member).collect();
            let annual_list = Some(AnnualList { name: name.clone(), members, ..Default::default() });
            match verb {
                Verb::Create => {
                    let (parent, annual_list_id) = (format!("portfolios/{p}"), year.into());
                    let request =
                        CreateAnnualListRequest { parent, annual_list_id, annual_list, ..Default::default() };
                    client.create_annual_list(request).await.map(|_| ())
                }
                Verb::Update => {
                    let request = UpdateAnnualListRequest { annual_list, ..Default::default() };
                    client.update_annual_list(request).await.map(|_| ())
                }
                Verb::Delete => {
                    let request = DeleteAnnualListRequest { name, ..Default::default() };
                    client.delete_annual_list(request).await.map(|_| ())
                }
                Verb::Undelete => {
                    let request = UndeleteAnnualListRequest { name, ..Default::default() };
                    client.undelete_annual_list(request).await.map(|_| ())
                }
            }
        }
        Ask::Listed(add, p, year, members) => {
            let (name, members) = (format!("portfolios/{p}/annualLists/{year}"), names(p, &members));
            let mut client = office.annual_lists();
            if add {
                let listing = project::Listing::NewStart.into();
                let request = AddAnnualListMembersRequest { name, members, listing, ..Default::default() };
                client.add_annual_list_members(request).await.map(|_| ())
            } else {
                let request = RemoveAnnualListMembersRequest { name, members, ..Default::default() };
                client.remove_annual_list_members(request).await.map(|_| ())
            }
        }
        Ask::Start(p, id) => {
            let name = format!("portfolios/{p}/batches/{id}");
            office.batches().start_batch(StartBatchRequest { name, ..Default::default() }).await.map(|_| ())
        }
        Ask::Cancel(p, id) => {
            let (name, reason) = (format!("portfolios/{p}/batches/{id}"), "因为".into());
            let request = CancelBatchRequest { name, reason, ..Default::default() };
            office.batches().cancel_batch(request).await.map(|_| ())
        }
        Ask::Collection(verb, p, id, members, builders) => {
            let (mut client, name) = (office.collections(), format!("portfolios/{p}/collections/{id}"));
            let contribution = |project: String| CollectionContribution {
                project,
                measure: "2".into(),
                built_measure: "1.5".into(),
            };
            let mut builders = names(p, &builders);
            builders.dedup();
            let element = CollectionElement {
                id: "e".into(),
                planned_measure: "2".into(),
                contributions: builders.into_iter().map(contribution).collect(),
                ..Default::default()
            };
            let message = Collection {
                name: name.clone(),
                display_name: "c".into(),
                members: if matches!(verb, Verb::Create) { names(p, &members) } else { Vec::new() },
                elements: vec![element],
                ..Default::default()
            };
            let collection = Some(message);
            match verb {
                Verb::Create => {
                    let (parent, collection_id) = (format!("portfolios/{p}"), id.into());
                    let request =
                        CreateCollectionRequest { parent, collection_id, collection, ..Default::default() };
                    client.create_collection(request).await.map(|_| ())
                }
                Verb::Update => {
                    let request = UpdateCollectionRequest { collection, ..Default::default() };
                    client.update_collection(request).await.map(|_| ())
                }
                Verb::Delete => {
                    let request = DeleteCollectionRequest { name, ..Default::default() };
                    client.delete_collection(request).await.map(|_| ())
                }
                Verb::Undelete => {
                    let request = UndeleteCollectionRequest { name, ..Default::default() };
                    client.undelete_collection(request).await.map(|_| ())
                }
            }
        }
        Ask::CollectionMembers(add, p, id, members) => {
            let (name, members) = (format!("portfolios/{p}/collections/{id}"), names(p, &members));
            let mut client = office.collections();
            if add {
                let request = AddCollectionMembersRequest { name, members, ..Default::default() };
                client.add_collection_members(request).await.map(|_| ())
            } else {
                let request = RemoveCollectionMembersRequest { name, members, ..Default::default() };
                client.remove_collection_members(request).await.map(|_| ())
            }
        }
        Ask::Indicator(verb, p, id, whole, sums) => {
            let mut client = office.indicators();
            let name = format!("portfolios/{p}/indicators/{id}");
            let rollup = if sums { indicator::Rollup::Sum } else { indicator::Rollup::None };
            let threshold = IndicatorThreshold { value: "2".into(), label: String::new() };
            let message = Indicator {
                name: name.clone(),
                display_name: "i".into(),
                kind: indicator::Kind::Stock.into(),
                rollup: rollup.into(),
                part_of: whole.map(|id| format!("portfolios/{p}/indicators/{id}")).unwrap_or_default(),
                thresholds: vec![threshold],
                ..Default::default()
            };
            let indicator = Some(message);
            match verb {
                Verb::Create => {
                    let (parent, indicator_id) = (format!("portfolios/{p}"), id.into());
                    let request =
                        CreateIndicatorRequest { parent, indicator_id, indicator, ..Default::default() };
                    client.create_indicator(request).await.map(|_| ())
                }
                Verb::Update => {
                    let paths = ["part_of", "rollup"].map(String::from).to_vec();
                    let update_mask = Some(prost_types::FieldMask { paths });
                    let request = UpdateIndicatorRequest { indicator, update_mask, ..Default::default() };
                    client.update_indicator(request).await.map(|_| ())
                }
                Verb::Delete => {
                    let request = DeleteIndicatorRequest { name, ..Default::default() };
                    client.delete_indicator(request).await.map(|_| ())
                }
                Verb::Undelete => {
                    let request = UndeleteIndicatorRequest { name, ..Default::default() };
                    client.undelete_indicator(request).await.map(|_| ())
                }
            }
        }
        Ask::Observe(p, indicator, id, value, day) => {
            let date = Some(Date { year: 2021, month: 5, day });
            let observation = Observation {
                period: Some(Period { start_date: date, end_date: date }),
                value: value.to_string(),
                source: "s".into(),
                ..Default::default()
            };
            let request = CreateObservationRequest {
                parent: format!("portfolios/{p}/indicators/{indicator}"),
                observation_id: id.into(),
                observation: Some(observation),
                ..Default::default()
            };
            office.observations().create_observation(request).await.map(|_| ())
        }
        Ask::Decide(prefer, p, indicator, id) => {
            let name = format!("portfolios/{p}/indicators/{indicator}/observations/{id}");
            let (mut client, reason) = (office.observations(), "因为".into());
            if prefer {
                let request = PreferObservationRequest { name, reason, ..Default::default() };
                client.prefer_observation(request).await.map(|_| ())
            } else {
                let request = RetractObservationRequest { name, reason, ..Default::default() };
                client.retract_observation(request).await.map(|_| ())
            }
        }
        Ask::Grant(create, under, id, principal) => {
            let parent = ["portfolios", "projects"].iter().zip(under);
            let parent =
                parent.map(|(collection, id)| format!("{collection}/{id}")).collect::<Vec<_>>().join("/");
            if create {
                let expire_time = Some(Timestamp { seconds: 1_622_200_000, nanos: 7 });
                let (principal, reason) = (principal.into(), "因为".into());
                let role = Role::Viewer.into();
                let grant = Some(Grant { principal, role, expire_time, reason, ..Default::default() });
                let request = CreateGrantRequest { parent, grant_id: id.into(), grant, ..Default::default() };
                office.grants().create_grant(request).await.map(|_| ())
            } else {
                let name =
                    if parent.is_empty() { format!("grants/{id}") } else { format!("{parent}/grants/{id}") };
                office
                    .grants()
                    .delete_grant(DeleteGrantRequest { name, ..Default::default() })
                    .await
                    .map(|_| ())
            }
        }
        Ask::Account(verb, id) => {
            let (mut client, name) = (office.service_accounts(), format!("serviceAccounts/{id}"));
            let message =
                ServiceAccount { name: name.clone(), display_name: "程序".into(), ..Default::default() };
            let service_account = Some(message);
            match verb {
                Verb::Create => {
                    let service_account_id = id.into();
                    let request = CreateServiceAccountRequest {
                        service_account_id,
                        service_account,
                        ..Default::default()
                    };
                    client.create_service_account(request).await.map(|_| ())
                }
                Verb::Update => {
                    let request = UpdateServiceAccountRequest { service_account, ..Default::default() };
                    client.update_service_account(request).await.map(|_| ())
                }
                Verb::Delete => {
                    let request = DeleteServiceAccountRequest { name, ..Default::default() };
                    client.delete_service_account(request).await.map(|_| ())
                }
                Verb::Undelete => {
                    let request = UndeleteServiceAccountRequest { name, ..Default::default() };
                    client.undelete_service_account(request).await.map(|_| ())
                }
            }
        }
        Ask::Token(create, id, of) => {
            if create {
                let service_account = format!("serviceAccounts/{of}");
                let expire_time = Some(Timestamp { seconds: 1_622_200_000, nanos: 7 });
                let api_token = Some(ApiToken { service_account, expire_time, ..Default::default() });
                let request =
                    CreateApiTokenRequest { api_token_id: id.into(), api_token, ..Default::default() };
                office.api_tokens().create_api_token(request).await.map(|_| ())
            } else {
                let name = format!("apiTokens/{id}");
                let request = DeleteApiTokenRequest { name, ..Default::default() };
                office.api_tokens().delete_api_token(request).await.map(|_| ())
            }
        }
        Ask::Office(ask) => replay_office::done(office, ask).await,
        Ask::Wait(seconds) => {
            office.clock.advance(SignedDuration::from_secs(seconds));
            return false;
        }
    };
    if let Err(status) = &outcome {
        let refusals = [Code::InvalidArgument, Code::NotFound, Code::AlreadyExists, Code::FailedPrecondition];
        assert!(refusals.contains(&status.code()), "{ask:?}: {status}");
    }
    outcome.is_ok()
}

/// Every row but the ledger's own.
fn all_rows(rows: &dyn Read) -> BTreeMap<Vec<u8>, bytes::Bytes> {
    let range = KeyRange { start: vec![1], end: None };
    rows.scan(&range, Direction::Forward).map(|(key, value)| (key.into(), value)).collect()
}

/// The rows that these resources make when each is put once.
fn made_anew(held: &BTreeMap<Vec<u8>, bytes::Bytes>) -> BTreeMap<Vec<u8>, bytes::Bytes> {
    let mut anew = Rows::default();
    for (key, row) in held {
        if let Some(table) = TABLES.iter().find(|table| table.tag() == key[0]) {
            table.put(&mut anew, row.clone()).unwrap();
        }
    }
    anew.rows
}

/// The rows without what resources do not say: which entry of the journal was the first of a service account, what
/// projects said before, and whom policies were found to fit.
fn without_first_entries(rows: &BTreeMap<Vec<u8>, bytes::Bytes>) -> BTreeMap<Vec<u8>, bytes::Bytes> {
    const SERVICE_ACCOUNTS: u8 = 243;
    const HISTORY: u8 = 28;
    const MATCHES: std::ops::RangeInclusive<u8> = 72..=74;
    let said = |key: &[u8], row: &bytes::Bytes| {
        if key[0] == SERVICE_ACCOUNTS { row.slice(8..) } else { row.clone() }
    };
    let rows = rows.iter().filter(|(key, _)| key[0] != HISTORY && !MATCHES.contains(&key[0]));
    rows.map(|(key, row)| (key.clone(), said(key, row))).collect()
}

pub(super) fn resources<M: Message + Default>(held: &BTreeMap<Vec<u8>, bytes::Bytes>, table: u8) -> Vec<M> {
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
    for token in resources::<ApiToken>(held, 8) {
        assert_eq!(token.secret_sha256.is_empty(), token.delete_time.is_some(), "{}", token.name);
    }
    check_indicators(held);
    replay_office::check_promises(held);
    for collection in resources::<Collection>(held, 35) {
        assert!(collection.members.iter().all(|member| projects.contains_key(member)));
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

/// Of indicators: none is a part of itself, and each counts its contradictions.
fn check_indicators(held: &BTreeMap<Vec<u8>, bytes::Bytes>) {
    let indicators: BTreeMap<String, Indicator> =
        resources::<Indicator>(held, 36).into_iter().map(|one| (one.name.clone(), one)).collect();
    let mut periods = BTreeMap::<(String, i32), Vec<Observation>>::new();
    for observation in resources::<Observation>(held, 37) {
        let indicator = observation.name.split("/observations/").next().unwrap().to_owned();
        let day = observation.period.unwrap().end_date.unwrap().day;
        periods.entry((indicator, day)).or_default().push(observation);
    }
    for indicator in indicators.values() {
        let mut at = indicator;
        for step in 0.. {
            assert!(step < 4, "{} is a part of itself", indicator.name);
            let Some(whole) = indicators.get(&at.part_of) else { break };
            at = whole;
        }
        let own = periods.iter().filter(|((name, _), _)| *name == indicator.name);
        let contradicted = own.filter(|(_, of)| {
            let count = |state: observation::State| of.iter().filter(|one| one.state() == state).count();
            assert!(count(observation::State::Preferred) <= 1, "{}: one is preferred", indicator.name);
            let active = of.iter().filter(|one| one.state() == observation::State::Active);
            let values: std::collections::BTreeSet<_> = active.map(|one| &one.value).collect();
            count(observation::State::Preferred) == 0 && values.len() > 1
        });
        assert_eq!(indicator.contradiction_count as usize, contradicted.count(), "{}", indicator.name);
    }
}

struct Outcome {
    done: usize,
    refused: usize,
}

fn run(asks: &[Ask]) -> Outcome {
    // Small enough that checkpoints happen while commands come.
    let options = Options { checkpoint_rows: 16, ..Options::default() };
    let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
    let mut outcome = Outcome { done: 0, refused: 0 };
    // The runtime ends with its tasks, which hold the store open.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (rows, clock, live_dir) = runtime.block_on(async {
        let office = Office::with(journal.clone(), options.clone()).await;
        for ask in asks {
            match done(&office, ask).await {
                true => outcome.done += 1,
                false => outcome.refused += 1,
            }
        }
        let rows = all_rows(&office.service.api.ledger.view());
        let (held, anew) = (without_first_entries(&rows), without_first_entries(&made_anew(&rows)));
        assert_eq!(held, anew, "the index rows are those that the resources say");
        check_promises(&rows);
        (rows, office.clock.clone(), office.stopped())
    });
    drop(runtime);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let rebuilt_dir = tempfile::tempdir().unwrap();
    for (dir, which) in [(&rebuilt_dir, "rebuilt"), (&live_dir, "opened again")] {
        let (clock, options, rules) = (clock.clone(), options.clone(), Arc::new(Registry::default()));
        let ledger = Ledger::open("registry", dir.path(), journal.clone(), rules, clock, options).unwrap();
        assert_eq!(all_rows(&ledger.view()), rows, "the rows are those of the store, {which}");
        ledger.close();
    }
    outcome
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
    let asks = vec(ask(), 500..501).new_tree(&mut runner).unwrap().current();
    let founded = ["a", "b"].map(|id| Ask::Portfolio(Verb::Create, id, "n"));
    let outcome = run(&[&founded[..], &asks].concat());
    assert!(outcome.done > 60 && outcome.refused > 60, "{} done, {} refused", outcome.done, outcome.refused);
}

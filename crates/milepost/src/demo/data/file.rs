//! The form of the data set's file, entry by entry, and what each becomes.
//!
//! Invariant: what an entry leaves out stays absent in the resource: nothing is filled in or added up.

use std::collections::BTreeMap;

use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::organization::Kind;
use milepost_proto::registry::v1::{AnnualPlan, Batch, Organization, Party, Phase, Portfolio, Project};
use milepost_proto::tracker::v1::Milestone;
use serde::Deserialize;

use super::{Act, DataSet, Day, What};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    portfolio: PortfolioEntry,
    organizations: Vec<OrganizationEntry>,
    projects: Vec<ProjectEntry>,
    batches: Vec<BatchEntry>,
}

type Texts = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PortfolioEntry {
    id: String,
    display_name: String,
    translations: Texts,
    time_zone: String,
    reporting_currency_code: String,
    description: String,
    labels: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganizationEntry {
    id: String,
    display_name: String,
    translations: Texts,
    kind: Option<String>,
    #[serde(default)]
    attributes: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectEntry {
    id: String,
    display_name: String,
    translations: Texts,
    key: Option<bool>,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    scale: String,
    #[serde(default)]
    parties: Vec<PartyEntry>,
    #[serde(default)]
    annual_plans: Vec<AnnualPlanEntry>,
    #[serde(default)]
    labels: Texts,
    #[serde(default)]
    phases: Vec<PhaseEntry>,
    #[serde(default)]
    milestones: Vec<MilestoneEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartyEntry {
    organization: String,
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnnualPlanEntry {
    year: i32,
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhaseEntry {
    id: String,
    display_name: String,
    translations: Texts,
    order: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MilestoneEntry {
    id: String,
    display_name: String,
    translations: Texts,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    remarks: String,
    #[serde(default)]
    labels: Texts,
    achieved: Option<Day>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchEntry {
    id: String,
    display_name: String,
    translations: Texts,
    description: String,
    start_date: Day,
    declared_count: Option<i32>,
    declared_investment: Option<String>,
    members: Vec<String>,
}

impl File {
    /// The resources in it, with their names.
    pub fn data_set(self) -> Result<DataSet, String> {
        let portfolio = self.portfolio.portfolio();
        let in_portfolio = |collection: &str, id: &str| format!("{}/{collection}/{id}", portfolio.name);
        let (mut projects, mut phases, mut milestones, mut acts) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for mut entry in self.projects {
            let name = in_portfolio("projects", &entry.id);
            phases.extend(entry.phases.drain(..).map(|phase| phase.phase(&name)));
            for milestone in entry.milestones.drain(..) {
                let day = milestone.achieved;
                let milestone = milestone.milestone(&name);
                acts.extend(day.map(|day| Act { day, what: What::Achieve(milestone.name.clone()) }));
                milestones.push(milestone);
            }
            projects.push(entry.project(name));
        }
        let mut batches = Vec::new();
        for entry in self.batches {
            let name = in_portfolio("batches", &entry.id);
            acts.push(Act { day: entry.start_date, what: What::Start(name.clone()) });
            let members = entry.members.iter().map(|member| in_portfolio("projects", member)).collect();
            batches.push(entry.batch(name, members)?);
        }
        acts.sort_by_key(|act| act.day);
        let organizations =
            self.organizations.into_iter().map(OrganizationEntry::organization).collect::<Result<_, _>>()?;
        Ok(DataSet { portfolio, organizations, projects, phases, milestones, batches, acts })
    }
}

impl PortfolioEntry {
    fn portfolio(self) -> Portfolio {
        Portfolio {
            name: format!("portfolios/{}", self.id),
            display_name: self.display_name,
            translations: self.translations,
            time_zone: self.time_zone,
            reporting_currency_code: self.reporting_currency_code,
            description: self.description,
            labels: self.labels,
            ..Default::default()
        }
    }
}

impl OrganizationEntry {
    fn organization(self) -> Result<Organization, String> {
        let kind = match self.kind {
            None => Kind::Unspecified,
            Some(kind) => Kind::from_str_name(&format!("KIND_{kind}")).ok_or(format!("{kind} is no kind"))?,
        };
        Ok(Organization {
            name: format!("organizations/{}", self.id),
            display_name: self.display_name,
            translations: self.translations,
            kind: kind.into(),
            attributes: self.attributes,
            ..Default::default()
        })
    }
}

impl ProjectEntry {
    fn project(self, name: String) -> Project {
        let party = |party: PartyEntry| Party {
            organization: format!("organizations/{}", party.organization),
            roles: party.roles,
        };
        let plan =
            |plan: AnnualPlanEntry| AnnualPlan { year: plan.year, investment: None, content: plan.content };
        Project {
            name,
            display_name: self.display_name,
            translations: self.translations,
            key: self.key,
            purpose: self.purpose,
            scale: self.scale,
            parties: self.parties.into_iter().map(party).collect(),
            annual_plans: self.annual_plans.into_iter().map(plan).collect(),
            labels: self.labels,
            ..Default::default()
        }
    }
}

impl PhaseEntry {
    fn phase(self, project: &str) -> Phase {
        Phase {
            name: format!("{project}/phases/{}", self.id),
            display_name: self.display_name,
            translations: self.translations,
            order: self.order,
            ..Default::default()
        }
    }
}

impl MilestoneEntry {
    fn milestone(self, project: &str) -> Milestone {
        Milestone {
            name: format!("{project}/milestones/{}", self.id),
            display_name: self.display_name,
            translations: self.translations,
            r#type: self.r#type,
            remarks: self.remarks,
            labels: self.labels,
            ..Default::default()
        }
    }
}

impl BatchEntry {
    fn batch(self, name: String, members: Vec<String>) -> Result<Batch, String> {
        let declared_investment = match self.declared_investment {
            None => None,
            Some(text) => Some(money(&text)?),
        };
        Ok(Batch {
            name,
            display_name: self.display_name,
            translations: self.translations,
            start_date: Some(self.start_date.date()),
            declared_count: self.declared_count,
            declared_investment,
            members,
            description: self.description,
            ..Default::default()
        })
    }
}

fn money(text: &str) -> Result<Money, String> {
    let money: milepost_types::Money = text.parse().map_err(|error| format!("{error}"))?;
    Ok(Money { currency_code: money.currency().to_string(), units: money.units(), nanos: money.nanos() })
}

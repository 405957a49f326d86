//! The data set of the demo: a TOML file that is part of the binary, and the resources in it.
//!
//! Invariant: a key that no struct has is refused, so that a misspelt fact is not lost in silence; what the
//! file leaves out stays absent in the resource. The reasons for what is in the file stand in the file.

use std::collections::BTreeMap;

use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::organization::Kind;
use milepost_proto::registry::v1::{AnnualPlan, Batch, Organization, Party, Phase, Portfolio, Project};
use milepost_proto::tracker::v1::Milestone;
use serde::Deserialize;

use crate::error::Error;

const TEXT: &str = include_str!("../../data/western-science-city.toml");

/// Everything that is loaded, in the order of loading.
#[derive(Debug)]
pub struct DataSet {
    /// The portfolio; its name is set.
    pub portfolio: Portfolio,
    /// The organizations.
    pub organizations: Vec<Organization>,
    /// The projects, each before the parts of it.
    pub projects: Vec<Project>,
    /// Their phases.
    pub phases: Vec<Phase>,
    /// Their milestones, as they are created.
    pub milestones: Vec<Milestone>,
    /// The batches with their members, as they are created.
    pub batches: Vec<Batch>,
    /// What happened, by day.
    pub acts: Vec<Act>,
}

/// Something that happened on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The day.
    pub day: Day,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A milestone was achieved: its name.
    Achieve(String),
    /// A batch started: its name.
    Start(String),
}

/// A day that orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "toml::value::Datetime")]
pub struct Day(jiff::civil::Date);

impl Day {
    /// As the API has it.
    pub fn date(self) -> Date {
        Date { year: self.0.year().into(), month: self.0.month().into(), day: self.0.day().into() }
    }
}

impl TryFrom<toml::value::Datetime> for Day {
    type Error = String;

    fn try_from(text: toml::value::Datetime) -> Result<Self, String> {
        if text.time.is_some() || text.offset.is_some() {
            return Err(format!("{text} is a time, not a day"));
        }
        text.to_string().parse().map(Day).map_err(|error| format!("{text} is no day: {error}"))
    }
}

impl DataSet {
    /// The data set of the Western (Chongqing) Science City.
    ///
    /// # Errors
    /// If the file is faulty; a test reads it, so no release has a faulty one.
    pub fn western_science_city() -> Result<Self, Error> {
        Self::parse(TEXT)
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|error| Error::DataSet(error.to_string()))?;
        file.data_set().map_err(Error::DataSet)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
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
    fn data_set(self) -> Result<DataSet, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cny(units: i64) -> Option<Money> {
        Some(Money { currency_code: "CNY".into(), units, nanos: 0 })
    }

    fn set() -> DataSet {
        DataSet::western_science_city().unwrap()
    }

    #[test]
    fn the_three_batches_declare_what_was_published_and_nothing_else() {
        let set = set();
        let declared: Vec<_> = set
            .batches
            .iter()
            .map(|batch| {
                (
                    batch.start_date.unwrap(),
                    batch.declared_count,
                    batch.declared_investment.clone(),
                    batch.members.len(),
                )
            })
            .collect();
        let day = |year, month, day| Date { year, month, day };
        assert_eq!(
            declared,
            [
                (day(2020, 9, 11), Some(79), cny(130_000_000_000), 2),
                (day(2021, 4, 15), Some(107), None, 1),
                (day(2021, 5, 27), Some(8), cny(28_360_000_000), 1),
            ]
        );
        assert!(
            set.projects.iter().all(|project| project.investment.is_none()),
            "no project's investment was published"
        );
    }

    #[test]
    fn every_named_project_and_platform_is_there_in_both_languages() {
        let set = set();
        let names: Vec<&str> = set.projects.iter().map(|project| project.display_name.as_str()).collect();
        for name in [
            "科学大道",
            "科学谷",
            "坪山大道",
            "科学城隧道",
            "超瞬态实验装置",
            "光大人工智能产业基地",
            "中电重庆软件园",
            "种质创制大科学中心",
            "中国自然人群生物资源库重庆中心",
            "北京大学重庆大数据研究院",
            "中国科学院重庆科学中心",
            "通用技术集团纳米时栅",
        ] {
            assert!(names.contains(&name), "{name}");
        }
        assert_eq!(names.len(), 12);
        assert!(set.projects.iter().all(|project| project.translations.contains_key("en")));
        assert_eq!(set.projects.iter().filter(|project| project.key == Some(true)).count(), 4);
    }

    #[test]
    fn all_eleven_entries_of_the_timeline_are_held_on_their_day() {
        let set = set();
        let labels = set
            .portfolio
            .labels
            .keys()
            .filter_map(|key| key.strip_prefix("timeline-").map(ToOwned::to_owned));
        let inaugurated = set
            .organizations
            .iter()
            .filter_map(|organization| organization.attributes.get("inaugurated").cloned());
        let acts = set.acts.iter().map(|act| act.day.0.to_string());
        let mut days: Vec<String> = labels.chain(inaugurated).chain(acts).collect();
        days.sort();
        days.dedup();
        assert_eq!(
            days,
            [
                "2020-04-03",
                "2020-07-01",
                "2020-09-11",
                "2020-09-16",
                "2020-11-18",
                "2021-02-03",
                "2021-02-05",
                "2021-03-05",
                "2021-04-15",
                "2021-05-17",
                "2021-05-27",
            ]
        );
    }

    #[test]
    fn a_year_alone_becomes_no_date() {
        let set = set();
        let built = set.milestones.iter().find(|milestone| milestone.display_name == "建成投用").unwrap();
        assert_eq!((built.baseline_date, built.forecast_date, built.actual_date), (None, None, None));
        assert_eq!(built.labels["expected-year"], "2023");
        let facility = set.projects.iter().find(|project| project.display_name == "超瞬态实验装置").unwrap();
        assert_eq!(facility.annual_plans[0].year, 2023);
        assert_eq!(set.phases.iter().filter(|phase| phase.name.starts_with(&facility.name)).count(), 2);
    }

    #[test]
    fn acts_are_ordered_by_day_and_every_reference_is_there() {
        let set = set();
        assert!(set.acts.is_sorted_by_key(|act| act.day));
        assert_eq!(set.acts.len(), 5);
        for act in &set.acts {
            let there = match &act.what {
                What::Achieve(name) => set.milestones.iter().any(|milestone| &milestone.name == name),
                What::Start(name) => set.batches.iter().any(|batch| &batch.name == name),
            };
            assert!(there, "{act:?}");
        }
        for member in set.batches.iter().flat_map(|batch| &batch.members) {
            assert!(set.projects.iter().any(|project| &project.name == member), "{member}");
            let start = set
                .milestones
                .iter()
                .any(|m| m.name.starts_with(&format!("{member}/")) && m.r#type == "constructionStart");
            assert!(start, "{member} has a start to achieve");
        }
        for party in set.projects.iter().flat_map(|project| &project.parties) {
            assert!(set.organizations.iter().any(|organization| organization.name == party.organization));
        }
    }

    #[test]
    fn texts_keep_the_limits_of_the_api() {
        let set = set();
        assert!(set.portfolio.description.chars().count() <= milepost_types::limits::TEXT_CHARS);
        let labels = set.projects.iter().map(|project| &project.labels).chain([&set.portfolio.labels]);
        for (key, value) in labels.flatten() {
            assert!(key.parse::<milepost_types::ResourceId>().is_ok(), "{key}");
            assert!(value.chars().count() <= milepost_types::limits::LABEL_VALUE_CHARS, "{value}");
        }
    }

    #[test]
    fn a_misspelt_key_is_not_lost_in_silence() {
        let text = TEXT.replacen("declared_count", "declared_cuont", 1);
        let error = DataSet::parse(&text).unwrap_err().to_string();
        assert!(error.contains("declared_cuont"), "{error}");
    }
}

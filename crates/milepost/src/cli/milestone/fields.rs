//! The fields of a milestone on the command line.
//!
//! The dates are given on create only; afterwards they have verbs of their own.

use clap::Args;
use milepost_proto::google::r#type::Date;
use milepost_proto::tracker::v1::Milestone;

use crate::cli::flags::{Draft, Labels, Naming, Source};
use crate::cli::{name, value};
use crate::error::Error;

/// The fields that may be given on create and on update.
#[derive(Debug, Args)]
pub struct Fields {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    naming: Naming,
    /// What kind of milestone, an OC4IDS milestoneType code or free text; constructionStart is achieved when the project starts
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    r#type: Option<String>,
    /// A code of the office's own
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    code: Option<String>,
    /// How much it counts among the project's milestones
    #[arg(long, value_name = "N", help_heading = "Fields")]
    weight: Option<i32>,
    /// Who answers for it
    #[arg(long, value_name = "ORGANIZATION", help_heading = "Fields")]
    owner: Option<String>,
    /// What must be shown before it may be achieved, one title each; may be given often; an update replaces all that there are
    #[arg(long, value_name = "TITLE", help_heading = "Fields")]
    required_evidence: Vec<String>,
    /// Remarks
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    remarks: Option<String>,
    /// How many working days of work lead to it; 0 is a point
    #[arg(long, value_name = "DAYS", help_heading = "Fields")]
    duration_working_days: Option<i32>,
    #[command(flatten)]
    labels: Labels,
}

/// The dates of a milestone to be.
#[derive(Debug, Args)]
pub struct Dates {
    /// The approved date
    #[arg(long, visible_alias = "baseline", value_name = "DATE", value_parser = value::date, help_heading = "Fields")]
    baseline_date: Option<Date>,
    /// The expected date
    #[arg(long, visible_alias = "forecast", value_name = "DATE", value_parser = value::date, help_heading = "Fields")]
    forecast_date: Option<Date>,
}

impl Fields {
    /// The milestone in the making.
    pub async fn draft(self) -> Result<Draft<Milestone>, Error> {
        let mut draft = Draft::<Milestone>::read(&self.source).await?;
        let owner = match self.owner {
            Some(owner) if !owner.is_empty() => Some(name::ORGANIZATION.name(&[owner])?),
            owner => owner,
        };
        draft.set("display_name", self.naming.display_name, |milestone, text| milestone.display_name = text);
        draft.set_map("translations", self.naming.translation, |milestone| &mut milestone.translations);
        draft.set("type", self.r#type, |milestone, text| milestone.r#type = text);
        draft.set("code", self.code, |milestone, text| milestone.code = text);
        draft.set("weight", self.weight, |milestone, weight| milestone.weight = Some(weight));
        draft.set("owner", owner, |milestone, owner| milestone.owner = owner);
        draft.set_all("required_evidence", self.required_evidence, |milestone, titles| {
            milestone.required_evidence = titles;
        });
        draft.set("remarks", self.remarks, |milestone, text| milestone.remarks = text);
        draft.set("duration_working_days", self.duration_working_days, |milestone, days| {
            milestone.duration_working_days = days;
        });
        draft.set_map("labels", self.labels.label, |milestone| &mut milestone.labels);
        Ok(draft)
    }
}

impl Dates {
    /// Gives a milestone to be its dates.
    pub fn put(self, milestone: &mut Milestone) {
        milestone.baseline_date = self.baseline_date.or(milestone.baseline_date);
        milestone.forecast_date = self.forecast_date.or(milestone.forecast_date);
    }
}

//! `milepost milestone`: dated points of projects, with their baseline, forecast and actual dates.
//!
//! Does not check fields, dates or states: the server does, and names every faulty one.

mod fields;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use milepost_proto::google::r#type::Date;
use milepost_proto::tracker::v1::{
    AchieveMilestoneRequest, AddMilestoneEvidenceRequest, AdvanceDateRequest, BatchCreateMilestonesRequest,
    CancelMilestoneRequest, CreateMilestoneRequest, DeleteMilestoneRequest, Evidence, GetCurrentDateRequest,
    GetMilestoneRequest, ListMilestoneForecastsRequest, ListMilestonesRequest, MissMilestoneRequest,
    PartiallyAchieveMilestoneRequest, RebaselineMilestoneRequest, ReforecastMilestoneRequest,
    ReopenMilestoneRequest, UndeleteMilestoneRequest, UpdateMilestoneRequest,
};

use super::flags::{Changing, Limit, Listing, Name, NewName, On, Parent, Reading, Writing};
use super::name::{MILESTONE, PORTFOLIO, PROJECT};
use super::session::Session;
use super::{input, value};
use crate::error::Error;
use crate::output::{milestone_current_date, milestone_date_advanced};
use fields::{Dates, Fields};

/// What to do with milestones.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Creates a milestone of a project
    Create {
        #[command(flatten)]
        name: NewName,
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        dates: Dates,
        #[command(flatten)]
        writing: Writing,
    },
    /// Shows a milestone, also a deleted one
    Get {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        reading: Reading,
    },
    /// Lists the milestones of a project; with `-` as the project those of all projects of a portfolio
    #[command(after_long_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        parent: Parent,
        #[command(flatten)]
        listing: Listing,
    },
    /// Changes the fields that are given; dates and states have verbs of their own
    Update {
        #[command(flatten)]
        on: On,
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        changing: Changing,
    },
    /// Deletes a milestone softly
    Delete {
        #[command(flatten)]
        on: On,
    },
    /// Takes a deletion back
    Undelete {
        #[command(flatten)]
        on: On,
    },
    /// Creates up to 1000 milestones, all or none
    BatchCreate {
        #[command(flatten)]
        parent: Parent,
        /// The requests as proto3 JSON: {"requests": [{"parent": "…", "milestoneId": "…", "milestone": {…}}, …]}; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        from_file: PathBuf,
        #[command(flatten)]
        writing: Writing,
    },
    /// Changes the expected date, or withdraws it
    #[command(after_long_help = REFORECAST_EXAMPLES)]
    Reforecast {
        #[command(flatten)]
        on: On,
        #[command(flatten)]
        forecast: NewForecast,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Approves a new baseline date
    Rebaseline {
        #[command(flatten)]
        on: On,
        /// The date that is approved now
        #[arg(long, visible_alias = "baseline", value_name = "DATE", value_parser = value::date)]
        baseline_date: Date,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// It happened
    Achieve {
        #[command(flatten)]
        on: On,
        /// The day [default: the portfolio's current date]
        #[arg(long, visible_alias = "date", value_name = "DATE", value_parser = value::date)]
        actual_date: Option<Date>,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// It happened in part
    PartiallyAchieve {
        #[command(flatten)]
        on: On,
        /// The day [default: the portfolio's current date]
        #[arg(long, visible_alias = "date", value_name = "DATE", value_parser = value::date)]
        actual_date: Option<Date>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// It did not happen and will not as it was meant
    Miss {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// It is no longer wanted
    Cancel {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Takes an outcome back
    Reopen {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Adds a document that shows that it happened
    AddEvidence {
        #[command(flatten)]
        on: On,
        /// Which one of the required evidence, or what else it shows
        #[arg(long, value_name = "TEXT")]
        title: String,
        /// Where the document is
        #[arg(long)]
        uri: String,
        /// The SHA-256 hash of the document, 64 hexadecimal digits
        #[arg(long, value_name = "HEX", value_parser = value::sha256, required_unless_present = "document")]
        sha256: Option<value::Hash>,
        /// The document itself, to take the hash of; it is not sent
        #[arg(long, value_name = "FILE", conflicts_with = "sha256")]
        document: Option<PathBuf>,
    },
    /// Lists every forecast there was, the newest first
    Forecasts {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        limit: Limit,
        #[command(flatten)]
        reading: Reading,
    },
    /// Makes a day a portfolio's current date and tells what is due soon or overdue by it
    AdvanceDate {
        /// The portfolio
        portfolio: String,
        /// The day
        #[arg(long, value_name = "DATE", value_parser = value::date)]
        date: Date,
        #[command(flatten)]
        writing: Writing,
    },
    /// Shows which day it is in a portfolio: the one that milestones are due soon, overdue and achieved by
    CurrentDate {
        /// The portfolio
        portfolio: String,
        #[command(flatten)]
        reading: Reading,
    },
}

const LIST_EXAMPLES: &str = "\
Examples:
  milepost milestone list western-science-city - --filter 'actual_date < today()'
  milepost milestone list western-science-city science-valley --order-by 'forecast_date desc'";

const REFORECAST_EXAMPLES: &str = "\
Examples:
  milepost milestone reforecast western-science-city ultra-transient-facility built-and-in-use \\
    --forecast 2030-06-28
  milepost milestone reforecast western-science-city ultra-transient-facility built-and-in-use \\
    --withdraw --reason 'no date is published'";

/// What is expected from now on: a date, or none, which must be said.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct NewForecast {
    /// The date that is expected now
    #[arg(long, visible_alias = "forecast", value_name = "DATE", value_parser = value::date)]
    forecast_date: Option<Date>,
    /// No date is expected any more: the milestone has no forecast then
    #[arg(long)]
    withdraw: bool,
}

/// Does it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::Create { name, fields, dates, writing } => {
            let (parent, milestone_id) = MILESTONE.parent_and_id(&name.name)?;
            let mut milestone = fields.draft().await?.resource;
            dates.put(&mut milestone);
            let request = CreateMilestoneRequest {
                parent,
                milestone_id,
                milestone: Some(milestone),
                request_id: writing.request_id(),
                validate_only: writing.validate_only,
            };
            write_and_show!(session, milestones.create_milestone(request) -> milestone)
        }
        Verb::Get { name, reading } => {
            let name = MILESTONE.name(&name.name)?;
            let request = GetMilestoneRequest { name, min_revisions: reading.min_revision };
            read_and_show!(session, milestones.get_milestone(request) -> milestone)
        }
        Verb::List { parent, listing } => {
            let under = PROJECT.name(&parent.parent)?;
            let first = list!(ListMilestonesRequest, listing, parent: under.clone());
            filter_and_show!(session, &listing.limit, &under, milestones.list_milestones(first) -> milestones)
        }
        Verb::Update { on, fields, changing } => {
            let draft = fields.draft().await?;
            let request = update!(UpdateMilestoneRequest { milestone }, on, MILESTONE, draft, changing);
            write_and_show!(session, milestones.update_milestone(request) -> milestone)
        }
        Verb::Delete { on } => {
            let request = act!(DeleteMilestoneRequest, on, MILESTONE);
            write_and_show!(session, milestones.delete_milestone(request) -> milestone)
        }
        Verb::Undelete { on } => {
            let request = act!(UndeleteMilestoneRequest, on, MILESTONE);
            write_and_show!(session, milestones.undelete_milestone(request) -> milestone)
        }
        Verb::BatchCreate { parent, from_file, writing } => {
            let file: BatchCreateMilestonesRequest = input::message(&from_file).await?;
            let under = PROJECT.name(&parent.parent)?;
            let request = BatchCreateMilestonesRequest {
                parent: under.clone(),
                requests: file.requests,
                request_id: writing.request_id.unwrap_or(file.request_id),
                validate_only: writing.validate_only || file.validate_only,
            };
            let response = session
                .write(request, |client, request| async move {
                    client.milestones().batch_create_milestones(request).await
                })
                .await?;
            session.many(&response.milestones, &under).await
        }
        Verb::Reforecast { on, forecast, reason } => {
            // Without a date the server withdraws the forecast; here only `--withdraw` leads to that.
            let forecast_date = forecast.forecast_date;
            let request =
                act!(ReforecastMilestoneRequest, on, MILESTONE, forecast_date: forecast_date, reason: reason);
            write_and_show!(session, milestones.reforecast_milestone(request) -> milestone)
        }
        Verb::Rebaseline { on, baseline_date, reason } => {
            let baseline_date = Some(baseline_date);
            let request =
                act!(RebaselineMilestoneRequest, on, MILESTONE, baseline_date: baseline_date, reason: reason);
            write_and_show!(session, milestones.rebaseline_milestone(request) -> milestone)
        }
        Verb::Achieve { on, actual_date, reason } => {
            let request =
                act!(AchieveMilestoneRequest, on, MILESTONE, actual_date: actual_date, reason: reason);
            write_and_show!(session, milestones.achieve_milestone(request) -> milestone)
        }
        Verb::PartiallyAchieve { on, actual_date, reason } => {
            let request = act!(PartiallyAchieveMilestoneRequest, on, MILESTONE, actual_date: actual_date, reason: reason);
            write_and_show!(session, milestones.partially_achieve_milestone(request) -> milestone)
        }
        Verb::Miss { on, reason } => {
            let request = act!(MissMilestoneRequest, on, MILESTONE, reason: reason);
            write_and_show!(session, milestones.miss_milestone(request) -> milestone)
        }
        Verb::Cancel { on, reason } => {
            let request = act!(CancelMilestoneRequest, on, MILESTONE, reason: reason);
            write_and_show!(session, milestones.cancel_milestone(request) -> milestone)
        }
        Verb::Reopen { on, reason } => {
            let request = act!(ReopenMilestoneRequest, on, MILESTONE, reason: reason);
            write_and_show!(session, milestones.reopen_milestone(request) -> milestone)
        }
        Verb::AddEvidence { on, title, uri, sha256, document } => {
            let sha256 = match (sha256, document) {
                (Some(hash), _) => hash.0,
                (None, Some(document)) => input::sha256(&document).await?,
                (None, None) => return Err(Error::Usage("give --sha256 or --document".to_owned())),
            };
            let evidence = Some(Evidence { title, uri, sha256, create_time: None });
            let request = act!(AddMilestoneEvidenceRequest, on, MILESTONE, evidence: evidence);
            write_and_show!(session, milestones.add_milestone_evidence(request) -> milestone)
        }
        Verb::Forecasts { name, limit, reading } => {
            let under = MILESTONE.name(&name.name)?;
            let first = ListMilestoneForecastsRequest {
                name: under.clone(),
                min_revisions: reading.min_revision,
                ..Default::default()
            };
            list_and_show!(session, &limit, &under, milestones.list_milestone_forecasts(first) -> forecasts)
        }
        Verb::AdvanceDate { portfolio, date, writing } => {
            let request = AdvanceDateRequest {
                portfolio: PORTFOLIO.name(&[portfolio])?,
                date: Some(date),
                request_id: writing.request_id(),
                validate_only: writing.validate_only,
            };
            let response = session
                .write(
                    request,
                    |client, request| async move { client.milestones().advance_date(request).await },
                )
                .await?;
            session.output().answer(&response, milestone_date_advanced)
        }
        Verb::CurrentDate { portfolio, reading } => {
            let portfolio = PORTFOLIO.name(&[portfolio])?;
            let request = GetCurrentDateRequest { portfolio, min_revisions: reading.min_revision };
            let response = session
                .read(request, |client, request| async move {
                    client.milestones().get_current_date(request).await
                })
                .await?;
            session.output().answer(&response, milestone_current_date)
        }
    }
}

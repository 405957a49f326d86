//! `milepost project`: what is built, and how it goes from proposed to in service.
//!
//! Does not check fields or states: the server does, and names every faulty one.

mod fields;

use std::path::PathBuf;

use clap::Subcommand;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::{
    BatchCreateProjectsRequest, BatchGetProjectsRequest, CancelProjectRequest, CommissionProjectRequest,
    CompleteProjectRequest, CreateProjectRequest, DeleteProjectRequest, GetProjectRequest,
    ListProjectsRequest, PrepareProjectRequest, ResumeProjectRequest, StartProjectRequest,
    SuspendProjectRequest, UndeleteProjectRequest, UpdateProjectRequest,
};

use super::flags::{Changing, Listing, Name, NewName, On, Parent, Reading, Writing};
use super::name::{PORTFOLIO, PROJECT};
use super::session::Session;
use super::{input, value};
use crate::error::Error;
use fields::Fields;

/// What to do with projects.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Creates a project
    Create {
        #[command(flatten)]
        name: NewName,
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        writing: Writing,
    },
    /// Shows a project, also a deleted one
    Get {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        reading: Reading,
    },
    /// Lists the projects of a portfolio
    #[command(after_long_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        parent: Parent,
        #[command(flatten)]
        listing: Listing,
    },
    /// Changes the fields that are given
    Update {
        #[command(flatten)]
        on: On,
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        changing: Changing,
    },
    /// Deletes a project softly
    Delete {
        #[command(flatten)]
        on: On,
    },
    /// Takes a deletion back
    Undelete {
        #[command(flatten)]
        on: On,
    },
    /// Creates up to 1000 projects, all or none
    BatchCreate {
        #[command(flatten)]
        parent: Parent,
        /// The requests as proto3 JSON: {"requests": [{"projectId": "…", "project": {…}}, …]}; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        from_file: PathBuf,
        #[command(flatten)]
        writing: Writing,
    },
    /// Shows up to 1000 projects of one state of the ledger
    BatchGet {
        #[command(flatten)]
        parent: Parent,
        /// A project of the portfolio, by its id or its name; may be given often
        #[arg(long, value_name = "PROJECT", required = true)]
        project: Vec<String>,
        #[command(flatten)]
        reading: Reading,
    },
    /// Decides to prepare it: PROPOSED to PREPARATION
    Prepare {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Starts construction: PROPOSED or PREPARATION to CONSTRUCTION
    Start {
        #[command(flatten)]
        on: On,
        /// The day [default: today in the time zone of the portfolio]
        #[arg(long, visible_alias = "date", value_name = "DATE", value_parser = value::date)]
        start_date: Option<Date>,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// It is built: CONSTRUCTION to COMPLETED
    Complete {
        #[command(flatten)]
        on: On,
        /// The day [default: today in the time zone of the portfolio]
        #[arg(long, visible_alias = "date", value_name = "DATE", value_parser = value::date)]
        completion_date: Option<Date>,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// It is in use: COMPLETED to IN_SERVICE
    Commission {
        #[command(flatten)]
        on: On,
        /// The day [default: today in the time zone of the portfolio]
        #[arg(long, visible_alias = "date", value_name = "DATE", value_parser = value::date)]
        commission_date: Option<Date>,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Stops it for a time
    Suspend {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Goes on where it was suspended
    Resume {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Gives it up for good
    Cancel {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

const LIST_EXAMPLES: &str = "\
Examples:
  milepost project list western-science-city --filter 'status = CONSTRUCTION AND key = true'
  milepost project list western-science-city --filter 'status = (PREPARATION OR CONSTRUCTION)'
  milepost project list western-science-city --filter 'display_name:科学' \\
    --order-by 'update_time desc' --limit 3";

/// Does it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::Create { name, fields, writing } => {
            let (parent, project_id) = PROJECT.parent_and_id(&name.name)?;
            let request = CreateProjectRequest {
                project: Some(fields.draft_in(&parent).await?.resource),
                parent,
                project_id,
                request_id: writing.request_id(),
                validate_only: writing.validate_only,
            };
            write_and_show!(session, projects.create_project(request) -> project)
        }
        Verb::Get { name, reading } => {
            let name = PROJECT.name(&name.name)?;
            let request = GetProjectRequest { name, min_revisions: reading.min_revision };
            read_and_show!(session, projects.get_project(request) -> project)
        }
        Verb::List { parent, listing } => {
            let under = PORTFOLIO.name(&parent.parent)?;
            let first = list!(ListProjectsRequest, listing, parent: under.clone());
            filter_and_show!(session, &listing.limit, &under, projects.list_projects(first) -> projects)
        }
        Verb::Update { on, fields, changing } => {
            let (portfolio, _) = PROJECT.parent_and_id(&[on.name(&PROJECT)?])?;
            let draft = fields.draft_in(&portfolio).await?;
            let request = update!(UpdateProjectRequest { project }, on, PROJECT, draft, changing);
            write_and_show!(session, projects.update_project(request) -> project)
        }
        Verb::Delete { on } => {
            let request = act!(DeleteProjectRequest, on, PROJECT);
            write_and_show!(session, projects.delete_project(request) -> project)
        }
        Verb::Undelete { on } => {
            let request = act!(UndeleteProjectRequest, on, PROJECT);
            write_and_show!(session, projects.undelete_project(request) -> project)
        }
        Verb::BatchCreate { parent, from_file, writing } => {
            let file: BatchCreateProjectsRequest = input::message(&from_file).await?;
            let under = PORTFOLIO.name(&parent.parent)?;
            let request = BatchCreateProjectsRequest {
                parent: under.clone(),
                requests: file.requests,
                request_id: writing.request_id.unwrap_or(file.request_id),
                validate_only: writing.validate_only || file.validate_only,
            };
            let response = session
                .write(request, |client, request| async move {
                    client.projects().batch_create_projects(request).await
                })
                .await?;
            session.many(&response.projects, &under).await
        }
        Verb::BatchGet { parent, project, reading } => {
            let under = PORTFOLIO.name(&parent.parent)?;
            let names = project.iter().map(|project| PROJECT.beside(&under, project)).collect();
            let request =
                BatchGetProjectsRequest { parent: under.clone(), names, min_revisions: reading.min_revision };
            let response = session
                .read(request, |client, request| async move {
                    client.projects().batch_get_projects(request).await
                })
                .await?;
            session.many(&response.projects, &under).await
        }
        Verb::Prepare { on, reason } => {
            let request = act!(PrepareProjectRequest, on, PROJECT, reason: reason);
            write_and_show!(session, projects.prepare_project(request) -> project)
        }
        Verb::Start { on, start_date, reason } => {
            let request = act!(StartProjectRequest, on, PROJECT, start_date: start_date, reason: reason);
            write_and_show!(session, projects.start_project(request) -> project)
        }
        Verb::Complete { on, completion_date, reason } => {
            let request =
                act!(CompleteProjectRequest, on, PROJECT, completion_date: completion_date, reason: reason);
            write_and_show!(session, projects.complete_project(request) -> project)
        }
        Verb::Commission { on, commission_date, reason } => {
            let request =
                act!(CommissionProjectRequest, on, PROJECT, commission_date: commission_date, reason: reason);
            write_and_show!(session, projects.commission_project(request) -> project)
        }
        Verb::Suspend { on, reason } => {
            let request = act!(SuspendProjectRequest, on, PROJECT, reason: reason);
            write_and_show!(session, projects.suspend_project(request) -> project)
        }
        Verb::Resume { on, reason } => {
            let request = act!(ResumeProjectRequest, on, PROJECT, reason: reason);
            write_and_show!(session, projects.resume_project(request) -> project)
        }
        Verb::Cancel { on, reason } => {
            let request = act!(CancelProjectRequest, on, PROJECT, reason: reason);
            write_and_show!(session, projects.cancel_project(request) -> project)
        }
    }
}

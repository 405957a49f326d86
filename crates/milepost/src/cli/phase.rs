//! `milepost phase`: the parts in which a project is built.
//!
//! Does not check fields: the server does, and names every faulty one.

use clap::{Args, Subcommand};
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::{
    CreatePhaseRequest, DeletePhaseRequest, GetPhaseRequest, ListPhasesRequest, Period, Phase,
    UndeletePhaseRequest, UpdatePhaseRequest,
};

use super::flags::{Changing, Draft, Listing, Name, Naming, NewName, On, Parent, Reading, Source, Writing};
use super::name::{PHASE, PROJECT};
use super::session::Session;
use super::value;
use crate::error::Error;

/// What to do with phases.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Creates a phase of a project
    Create {
        #[command(flatten)]
        name: NewName,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        writing: Writing,
    },
    /// Shows a phase, also a deleted one
    Get {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        reading: Reading,
    },
    /// Lists the phases of a project
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
        fields: Fields,
        #[command(flatten)]
        changing: Changing,
    },
    /// Deletes a phase softly
    Delete {
        #[command(flatten)]
        on: On,
    },
    /// Takes a deletion back
    Undelete {
        #[command(flatten)]
        on: On,
    },
}

/// The fields of a phase.
#[derive(Debug, Args)]
pub struct Fields {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    naming: Naming,
    /// Its place among the project's phases, from 1
    #[arg(long, value_name = "N", help_heading = "Fields")]
    order: Option<i32>,
    /// When it is planned to be built; an end that is left out is open
    #[arg(long, value_name = "DATE..DATE", value_parser = value::period, help_heading = "Fields")]
    planned_period: Option<Period>,
    /// When it was built; an end that is left out is open
    #[arg(long, value_name = "DATE..DATE", value_parser = value::period, help_heading = "Fields")]
    actual_period: Option<Period>,
    /// What it costs, as in "CNY 28360000000"
    #[arg(long, value_name = "MONEY", value_parser = value::money, help_heading = "Fields")]
    investment: Option<Money>,
    /// What is built in it
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    scale: Option<String>,
}

impl Fields {
    async fn draft(self) -> Result<Draft<Phase>, Error> {
        let mut draft = Draft::<Phase>::read(&self.source).await?;
        draft.set("display_name", self.naming.display_name, |phase, text| phase.display_name = text);
        draft.set_map("translations", self.naming.translation, |phase| &mut phase.translations);
        draft.set("order", self.order, |phase, order| phase.order = order);
        draft.set("planned_period", self.planned_period, |phase, period| phase.planned_period = Some(period));
        draft.set("actual_period", self.actual_period, |phase, period| phase.actual_period = Some(period));
        draft.set("investment", self.investment, |phase, money| phase.investment = Some(money));
        draft.set("scale", self.scale, |phase, text| phase.scale = text);
        Ok(draft)
    }
}

const LIST_EXAMPLES: &str = "\
Examples:
  milepost phase list western-science-city ultra-transient-facility --filter 'order < 3' \\
    --order-by order";

/// Does it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::Create { name, fields, writing } => {
            let (parent, phase_id) = PHASE.parent_and_id(&name.name)?;
            let request = CreatePhaseRequest {
                parent,
                phase_id,
                phase: Some(fields.draft().await?.resource),
                request_id: writing.request_id(),
                validate_only: writing.validate_only,
            };
            write_and_show!(session, phases.create_phase(request) -> phase)
        }
        Verb::Get { name, reading } => {
            let name = PHASE.name(&name.name)?;
            let request = GetPhaseRequest { name, min_revisions: reading.min_revision };
            read_and_show!(session, phases.get_phase(request) -> phase)
        }
        Verb::List { parent, listing } => {
            let under = PROJECT.name(&parent.parent)?;
            let first = list!(ListPhasesRequest, listing, parent: under.clone());
            filter_and_show!(session, &listing.limit, &under, phases.list_phases(first) -> phases)
        }
        Verb::Update { on, fields, changing } => {
            let request = update!(UpdatePhaseRequest { phase }, on, PHASE, fields.draft().await?, changing);
            write_and_show!(session, phases.update_phase(request) -> phase)
        }
        Verb::Delete { on } => {
            let request = act!(DeletePhaseRequest, on, PHASE);
            write_and_show!(session, phases.delete_phase(request) -> phase)
        }
        Verb::Undelete { on } => {
            let request = act!(UndeletePhaseRequest, on, PHASE);
            write_and_show!(session, phases.undelete_phase(request) -> phase)
        }
    }
}

//! `milepost portfolio`: what one office builds, with its time zone, working calendar and currency.
//!
//! Does not check fields: the server does, and names every faulty one.

use clap::{Args, Subcommand};
use milepost_proto::registry::v1::{
    CreatePortfolioRequest, DeletePortfolioRequest, GetPortfolioRequest, ListPortfoliosRequest, Portfolio,
    UndeletePortfolioRequest, UpdatePortfolioRequest,
};

use super::flags::{Changing, Draft, Labels, Listing, Name, Naming, NewName, On, Reading, Source, Writing};
use super::name::PORTFOLIO;
use super::session::Session;
use crate::error::Error;

/// What to do with portfolios.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Creates a portfolio
    Create {
        #[command(flatten)]
        name: NewName,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        writing: Writing,
    },
    /// Shows a portfolio, also a deleted one
    Get {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        reading: Reading,
    },
    /// Lists portfolios
    #[command(after_long_help = LIST_EXAMPLES)]
    List {
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
    /// Deletes a portfolio without projects, softly
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

/// The fields of a portfolio. The working calendar comes from a file.
#[derive(Debug, Args)]
pub struct Fields {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    naming: Naming,
    /// The IANA time zone in which its days begin and end, as in Asia/Shanghai
    #[arg(long, value_name = "ZONE", help_heading = "Fields")]
    time_zone: Option<String>,
    /// The ISO 4217 code of the currency that it reports in, as in CNY
    #[arg(long, visible_alias = "currency", value_name = "CODE", help_heading = "Fields")]
    reporting_currency_code: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    description: Option<String>,
    #[command(flatten)]
    labels: Labels,
}

impl Fields {
    async fn draft(self) -> Result<Draft<Portfolio>, Error> {
        let mut draft = Draft::<Portfolio>::read(&self.source).await?;
        draft.set("display_name", self.naming.display_name, |portfolio, text| portfolio.display_name = text);
        draft.set_map("translations", self.naming.translation, |portfolio| &mut portfolio.translations);
        draft.set("time_zone", self.time_zone, |portfolio, zone| portfolio.time_zone = zone);
        draft.set("reporting_currency_code", self.reporting_currency_code, |portfolio, code| {
            portfolio.reporting_currency_code = code;
        });
        draft.set("description", self.description, |portfolio, text| portfolio.description = text);
        draft.set_map("labels", self.labels.label, |portfolio| &mut portfolio.labels);
        Ok(draft)
    }
}

const LIST_EXAMPLES: &str = "\
Examples:
  milepost portfolio list --filter 'time_zone = \"Asia/Shanghai\"' --order-by display_name";

/// Does it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::Create { name, fields, writing } => {
            let (_, portfolio_id) = PORTFOLIO.parent_and_id(&name.name)?;
            let request = CreatePortfolioRequest {
                portfolio_id,
                portfolio: Some(fields.draft().await?.resource),
                request_id: writing.request_id(),
                validate_only: writing.validate_only,
            };
            write_and_show!(session, portfolios.create_portfolio(request) -> portfolio)
        }
        Verb::Get { name, reading } => {
            let name = PORTFOLIO.name(&name.name)?;
            let request = GetPortfolioRequest { name, min_revisions: reading.min_revision };
            read_and_show!(session, portfolios.get_portfolio(request) -> portfolio)
        }
        Verb::List { listing } => {
            let first = list!(ListPortfoliosRequest, listing);
            filter_and_show!(session, &listing.limit, "", portfolios.list_portfolios(first) -> portfolios)
        }
        Verb::Update { on, fields, changing } => {
            let request =
                update!(UpdatePortfolioRequest { portfolio }, on, PORTFOLIO, fields.draft().await?, changing);
            write_and_show!(session, portfolios.update_portfolio(request) -> portfolio)
        }
        Verb::Delete { on } => {
            let request = act!(DeletePortfolioRequest, on, PORTFOLIO);
            write_and_show!(session, portfolios.delete_portfolio(request) -> portfolio)
        }
        Verb::Undelete { on } => {
            let request = act!(UndeletePortfolioRequest, on, PORTFOLIO);
            write_and_show!(session, portfolios.undelete_portfolio(request) -> portfolio)
        }
    }
}

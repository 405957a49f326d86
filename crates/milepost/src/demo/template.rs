//! `milepost template load`: the template that is part of the binary, loaded into a portfolio.
//!
//! Invariant: it loads through the public API, and nothing that is there already.

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::data::DataSet;
use super::load::{Loaded, load};
use crate::cli::name;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::print;
use crate::schema;

/// The noun whose verb it is, and the verb.
pub const NOUN: &str = "template";
pub const VERB: &str = "load";

const AFTER_HELP: &str = "\
Examples:
  milepost template load western-science-city";

/// Loads the template for government investment projects that is shipped with this program: its versions of before and
/// after the reforms of 2020 and 2021
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// The portfolio, by its full name or by its id
    #[arg(value_name = "PORTFOLIO", num_args(1..))]
    name: Vec<String>,
}

/// The command, without the flags of the client.
pub fn command() -> Command {
    LoadArgs::augment_args(Command::new(VERB)).after_long_help(AFTER_HELP)
}

/// Loads it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(matches: &ArgMatches, session: &Session) -> Result<(), Error> {
    let args = LoadArgs::from_arg_matches(matches).map_err(|error| Error::Usage(error.to_string()))?;
    let portfolio = schema::resource("portfolio").expect("the registry has portfolios");
    let portfolio = name::full(portfolio, &args.name, session.portfolio())?;
    let Loaded { made, present, .. } = load(session, &DataSet::government_projects(&portfolio)).await?;
    print(&format!("{portfolio}/templates/government-projects: {made} calls made, {present} not needed\n"))
}

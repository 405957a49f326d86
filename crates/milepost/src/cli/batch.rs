//! `milepost batch`: one act that starts many projects on a day.
//!
//! Does not check fields: the server does, and names every faulty one.

use clap::{Args, Subcommand};
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::{
    AddBatchMembersRequest, Batch, CancelBatchRequest, CreateBatchRequest, DeleteBatchRequest,
    GetBatchRequest, ListBatchesRequest, RemoveBatchMembersRequest, StartBatchRequest, UndeleteBatchRequest,
    UpdateBatchRequest,
};

use super::flags::{
    Changing, Draft, Labels, Listing, Name, Naming, NewName, On, Parent, Reading, Source, Writing,
};
use super::name::{BATCH, PORTFOLIO, PROJECT};
use super::session::Session;
use super::value;
use crate::error::Error;

/// What to do with batches.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Creates a batch
    Create {
        #[command(flatten)]
        name: NewName,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        members: Members,
        #[command(flatten)]
        writing: Writing,
    },
    /// Shows a batch, also a deleted one
    Get {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        reading: Reading,
    },
    /// Lists the batches of a portfolio
    #[command(after_long_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        parent: Parent,
        #[command(flatten)]
        listing: Listing,
    },
    /// Changes the fields that are given; members have verbs of their own
    Update {
        #[command(flatten)]
        on: On,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        changing: Changing,
    },
    /// Deletes a batch that is not started, softly
    Delete {
        #[command(flatten)]
        on: On,
    },
    /// Takes a deletion back
    Undelete {
        #[command(flatten)]
        on: On,
    },
    /// Adds projects to a planned batch, or to a started one: they start on its day, all or none
    AddMembers {
        #[command(flatten)]
        on: On,
        #[command(flatten)]
        members: Members,
    },
    /// Takes projects out of a planned batch
    RemoveMembers {
        #[command(flatten)]
        on: On,
        #[command(flatten)]
        members: Members,
    },
    /// Starts all its projects, or none and lists every one that refused
    Start {
        #[command(flatten)]
        on: On,
    },
    /// Gives a planned batch up
    Cancel {
        #[command(flatten)]
        on: On,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Projects of a batch.
#[derive(Debug, Default, Args)]
pub struct Members {
    /// A project of the portfolio, by its id or its name; may be given often
    #[arg(long, value_name = "PROJECT")]
    member: Vec<String>,
}

impl Members {
    /// The full names, in the portfolio of the batch.
    fn names(&self, batch: &str) -> Vec<String> {
        let portfolio = batch.split("/batches").next().unwrap_or_default();
        self.member.iter().map(|member| PROJECT.beside(portfolio, member)).collect()
    }
}

/// The fields of a batch.
#[derive(Debug, Args)]
pub struct Fields {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    naming: Naming,
    /// The day of the act
    #[arg(long, value_name = "DATE", value_parser = value::date, help_heading = "Fields")]
    start_date: Option<Date>,
    /// Where
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    place: Option<String>,
    /// How many projects the announcement said
    #[arg(long, value_name = "N", help_heading = "Fields")]
    declared_count: Option<i32>,
    /// What they cost in all, as the announcement said, as in "CNY 28360000000"
    #[arg(long, value_name = "MONEY", value_parser = value::money, help_heading = "Fields")]
    declared_investment: Option<Money>,
    /// What is said of it
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    description: Option<String>,
    #[command(flatten)]
    labels: Labels,
}

impl Fields {
    async fn draft(self) -> Result<Draft<Batch>, Error> {
        let mut draft = Draft::<Batch>::read(&self.source).await?;
        draft.set("display_name", self.naming.display_name, |batch, text| batch.display_name = text);
        draft.set_map("translations", self.naming.translation, |batch| &mut batch.translations);
        draft.set("start_date", self.start_date, |batch, date| batch.start_date = Some(date));
        draft.set("place", self.place, |batch, text| batch.place = text);
        draft.set("declared_count", self.declared_count, |batch, count| batch.declared_count = Some(count));
        draft.set("declared_investment", self.declared_investment, |batch, money| {
            batch.declared_investment = Some(money);
        });
        draft.set("description", self.description, |batch, text| batch.description = text);
        draft.set_map("labels", self.labels.label, |batch| &mut batch.labels);
        Ok(draft)
    }
}

const LIST_EXAMPLES: &str = "\
Examples:
  milepost batch list western-science-city --filter 'declared_count > 100'
  milepost batch list western-science-city --order-by 'start_date desc' --limit 1";

/// Does it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::Create { name, fields, members, writing } => {
            let (parent, batch_id) = BATCH.parent_and_id(&name.name)?;
            let mut batch = fields.draft().await?.resource;
            batch.members.extend(members.names(&parent));
            let request = CreateBatchRequest {
                parent,
                batch_id,
                batch: Some(batch),
                request_id: writing.request_id(),
                validate_only: writing.validate_only,
            };
            write_and_show!(session, batches.create_batch(request) -> batch)
        }
        Verb::Get { name, reading } => {
            let request =
                GetBatchRequest { name: BATCH.name(&name.name)?, min_revisions: reading.min_revision };
            read_and_show!(session, batches.get_batch(request) -> batch)
        }
        Verb::List { parent, listing } => {
            let under = PORTFOLIO.name(&parent.parent)?;
            let first = list!(ListBatchesRequest, listing, parent: under.clone());
            filter_and_show!(session, &listing.limit, &under, batches.list_batches(first) -> batches)
        }
        Verb::Update { on, fields, changing } => {
            let mut draft = fields.draft().await?;
            draft.leave_out("members");
            let request = update!(UpdateBatchRequest { batch }, on, BATCH, draft, changing);
            write_and_show!(session, batches.update_batch(request) -> batch)
        }
        Verb::Delete { on } => {
            let request = act!(DeleteBatchRequest, on, BATCH);
            write_and_show!(session, batches.delete_batch(request) -> batch)
        }
        Verb::Undelete { on } => {
            let request = act!(UndeleteBatchRequest, on, BATCH);
            write_and_show!(session, batches.undelete_batch(request) -> batch)
        }
        Verb::AddMembers { on, members } => {
            let members = members.names(&on.name(&BATCH)?);
            let request = act!(AddBatchMembersRequest, on, BATCH, members: members);
            write_and_show!(session, batches.add_batch_members(request) -> batch)
        }
        Verb::RemoveMembers { on, members } => {
            let members = members.names(&on.name(&BATCH)?);
            let request = act!(RemoveBatchMembersRequest, on, BATCH, members: members);
            write_and_show!(session, batches.remove_batch_members(request) -> batch)
        }
        Verb::Start { on } => {
            let request = act!(StartBatchRequest, on, BATCH);
            write_and_show!(session, batches.start_batch(request) -> batch)
        }
        Verb::Cancel { on, reason } => {
            let request = act!(CancelBatchRequest, on, BATCH, reason: reason);
            write_and_show!(session, batches.cancel_batch(request) -> batch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_in_the_portfolio_of_their_batch() {
        let members = Members { member: vec!["avenue".into(), "other/valley".into()] };
        assert_eq!(
            members.names("portfolios/wsc/batches/b"),
            ["portfolios/wsc/projects/avenue", "portfolios/other/projects/valley"]
        );
        assert_eq!(members.names("portfolios/wsc")[0], "portfolios/wsc/projects/avenue");
    }
}

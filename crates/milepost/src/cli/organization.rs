//! `milepost organization`: who takes part in projects.
//!
//! Does not check fields: the server does, and names every faulty one.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use milepost_proto::registry::v1::organization::Kind;
use milepost_proto::registry::v1::{
    CreateOrganizationRequest, DeleteOrganizationRequest, GetOrganizationRequest, Identifier,
    ListOrganizationsRequest, Organization, UndeleteOrganizationRequest, UpdateOrganizationRequest,
};

use super::flags::{Changing, Draft, Listing, Name, Naming, NewName, On, Reading, Source, Writing};
use super::name::ORGANIZATION;
use super::session::Session;
use super::value;
use crate::error::Error;

const KINDS: [&str; 7] =
    ["authority", "enterprise", "university", "institute", "contractor", "financial-institution", "other"];

/// What to do with organizations.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Creates an organization
    Create {
        #[command(flatten)]
        name: NewName,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        writing: Writing,
    },
    /// Shows an organization, also a deleted one
    Get {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        reading: Reading,
    },
    /// Lists organizations
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
    /// Deletes an organization softly
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

/// The fields of an organization.
#[derive(Debug, Args)]
pub struct Fields {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    naming: Naming,
    /// What it is
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS).map(|kind| super::code::<Kind>("KIND", &kind)), help_heading = "Fields")]
    kind: Option<Kind>,
    /// An identifier in a register, as in CN-USCC=12500000450000000X; may be given often; an update replaces all that there are
    #[arg(long, value_name = "SCHEME=ID", value_parser = value::identifier, help_heading = "Fields")]
    identifier: Vec<Identifier>,
    /// A free attribute; may be given often; an update replaces all that there are
    #[arg(long, value_name = "KEY=VALUE", value_parser = value::pair, help_heading = "Fields")]
    attribute: Vec<(String, String)>,
}

impl Fields {
    async fn draft(self) -> Result<Draft<Organization>, Error> {
        let mut draft = Draft::<Organization>::read(&self.source).await?;
        draft.set("display_name", self.naming.display_name, |organization, text| {
            organization.display_name = text
        });
        draft.set_map("translations", self.naming.translation, |organization| &mut organization.translations);
        draft.set("kind", self.kind, |organization, kind| organization.kind = kind.into());
        draft.set_all("identifiers", self.identifier, |organization, identifiers| {
            organization.identifiers = identifiers;
        });
        draft.set_map("attributes", self.attribute, |organization| &mut organization.attributes);
        Ok(draft)
    }
}

const LIST_EXAMPLES: &str = "\
Examples:
  milepost organization list --filter 'kind = UNIVERSITY'
  milepost organization list --order-by display_name";

/// Does it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::Create { name, fields, writing } => {
            let (_, organization_id) = ORGANIZATION.parent_and_id(&name.name)?;
            let request = CreateOrganizationRequest {
                organization_id,
                organization: Some(fields.draft().await?.resource),
                request_id: writing.request_id(),
                validate_only: writing.validate_only,
            };
            write_and_show!(session, organizations.create_organization(request) -> organization)
        }
        Verb::Get { name, reading } => {
            let name = ORGANIZATION.name(&name.name)?;
            let request = GetOrganizationRequest { name, min_revisions: reading.min_revision };
            read_and_show!(session, organizations.get_organization(request) -> organization)
        }
        Verb::List { listing } => {
            let first = list!(ListOrganizationsRequest, listing);
            filter_and_show!(session, &listing.limit, "", organizations.list_organizations(first) -> organizations)
        }
        Verb::Update { on, fields, changing } => {
            let request = update!(
                UpdateOrganizationRequest { organization },
                on,
                ORGANIZATION,
                fields.draft().await?,
                changing
            );
            write_and_show!(session, organizations.update_organization(request) -> organization)
        }
        Verb::Delete { on } => {
            let request = act!(DeleteOrganizationRequest, on, ORGANIZATION);
            write_and_show!(session, organizations.delete_organization(request) -> organization)
        }
        Verb::Undelete { on } => {
            let request = act!(UndeleteOrganizationRequest, on, ORGANIZATION);
            write_and_show!(session, organizations.undelete_organization(request) -> organization)
        }
    }
}

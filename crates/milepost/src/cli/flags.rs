//! Flags that many verbs share: what is named, how it is guarded, what is listed, what is read from a file.
//!
//! Invariant: a flag means the same everywhere.

use std::path::PathBuf;

use clap::Args;

/// Which resource.
#[derive(Debug, Clone, Args)]
pub struct Name {
    /// The resource, by its full name or by its ids, as in PORTFOLIO PROJECT or PORTFOLIO/PROJECT
    #[arg(value_name = "NAME")]
    pub name: Vec<String>,
}

/// The resource to be.
#[derive(Debug, Clone, Args)]
pub struct NewName {
    /// The resource to be, by its full name or by its ids, as in PORTFOLIO PROJECT; without its own id the server makes one
    #[arg(value_name = "NAME", id = "name")]
    pub name: Vec<String>,
}

/// What to list in.
#[derive(Debug, Clone, Args)]
pub struct Parent {
    /// The parent, by its full name or by its ids; `-` as an id reads across all
    #[arg(value_name = "PARENT", id = "name")]
    pub name: Vec<String>,
}

/// How a write is guarded.
#[derive(Debug, Clone, Default, Args)]
pub struct Writing {
    /// Makes sending the same command again safe: it answers with the first outcome [default: a new one]
    #[arg(long, value_name = "ID", help_heading = "Writing")]
    pub request_id: Option<String>,
    /// Checks everything and answers the outcome, but changes nothing
    #[arg(long, help_heading = "Writing")]
    pub validate_only: bool,
}

/// A write that goes on from what was read.
#[derive(Debug, Clone, Default, Args)]
pub struct Guard {
    /// Acts only if this is the current etag
    #[arg(long, help_heading = "Writing")]
    pub etag: Option<String>,
}

/// How a read waits.
#[derive(Debug, Clone, Default, Args)]
pub struct Reading {
    /// Waits until this revision, which a write answered, is here; may be given for each ledger
    #[arg(long, value_name = "REVISION", help_heading = "Reading")]
    pub min_revision: Vec<String>,
}

/// What is listed.
#[derive(Debug, Clone, Default, Args)]
pub struct Listing {
    /// Only those that match, as in 'key = true'; --fields lists what there is to compare, --help ends with examples
    #[arg(short = 'f', long, default_value = "", hide_default_value = true, help_heading = "Reading")]
    pub filter: String,
    /// By what to order, and `desc` after it for the other way round; --help ends with examples [default: name]
    #[arg(long, default_value = "", hide_default_value = true, help_heading = "Reading")]
    pub order_by: String,
    /// Lists deleted ones too
    #[arg(long, help_heading = "Reading")]
    pub show_deleted: bool,
    /// Lists what can be filtered by, with types and operators, and nothing else
    #[arg(long, help_heading = "Reading")]
    pub fields: bool,
}

/// How much is listed.
#[derive(Debug, Clone, Default, Args)]
pub struct Limit {
    /// How many at most; pages are followed until then [default: all]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Reading")]
    pub limit: Option<u64>,
}

/// Which columns are shown.
#[derive(Debug, Clone, Default, Args)]
pub struct Columns {
    /// Shows these fields, joined by commas, as in name,display_name [default: those that say most]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', help_heading = "Output")]
    pub columns: Vec<String>,
    /// Shows every field that has one value a row, in full width
    #[arg(short = 'w', long, conflicts_with = "columns", help_heading = "Output")]
    pub wide: bool,
    /// Begins CSV with a byte order mark, which office software needs to read Chinese
    #[arg(long, help_heading = "Output")]
    pub bom: bool,
}

/// A message from a file; flags have the last word.
#[derive(Debug, Clone, Default, Args)]
pub struct Source {
    /// Reads it from a file as proto3 JSON, as `get --format json` prints it; dates and amounts may also be as flags take them; `-` reads standard input
    #[arg(long, value_name = "FILE", help_heading = "Fields")]
    pub from_file: Option<PathBuf>,
}

/// What an update takes over.
#[derive(Debug, Clone, Default, Args)]
pub struct Changing {
    /// Empties this field; may be given often
    #[arg(long, value_name = "FIELD", help_heading = "Fields")]
    pub clear: Vec<String>,
    /// Takes over exactly these fields, joined by commas [default: those that are given]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', help_heading = "Fields")]
    pub update_mask: Vec<String>,
}

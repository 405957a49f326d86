//! Flags that many verbs share: what is named, how it is guarded, what is listed, what is read from a file.
//!
//! Invariant: a flag means the same everywhere. One that stands for a field of requests has the field's name as its id.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, value_parser};

use crate::schema::{Verb, VerbKind};

const NAME: &str =
    "The resource, by its full name or by its ids, as in PORTFOLIO PROJECT or PORTFOLIO/PROJECT";
const NEW_NAME: &str = "The resource to be, by its full name or by its ids, as in PORTFOLIO PROJECT; without its own \
    id the server makes one";
const NEW_NAME_WITH_ID: &str = "The resource to be, by its full name or by its ids, its own among them";
const PARENT: &str = "The parent, by its full name or by its ids; `-` as an id reads across all";

/// How a read waits.
#[derive(Debug, Clone, Default, Args)]
pub struct Reading {
    /// Waits until this revision, which a write answered, is here; may be given for each ledger
    #[arg(long = "min-revision", id = "min_revisions", value_name = "REVISION", help_heading = "Reading")]
    pub min_revision: Vec<String>,
}

/// How much is listed.
#[derive(Debug, Clone, Default, Args)]
pub struct Limit {
    /// How many at most; pages are followed until then [default: all]
    #[arg(short = 'n', long, value_name = "N", value_parser = value_parser!(u64).range(1..), help_heading = "Reading")]
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
    /// Deleted ones are shown too: when each was deleted is said.
    #[arg(skip)]
    pub deleted: bool,
}

/// What verbs share, in the order of the help; the values are read by the ids.
#[derive(Args)]
struct Shared {
    /// Reads it from a file as proto3 JSON, as `get --format json` prints it; dates and amounts may also be as flags take them; `-` reads standard input
    #[arg(long, value_name = "FILE", help_heading = "Fields")]
    from_file: Option<PathBuf>,
    /// Empties this field; may be given often
    #[arg(long, value_name = "FIELD", help_heading = "Fields", display_order = 100)]
    clear: Vec<String>,
    /// Takes over exactly these fields, joined by commas [default: those that are given]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', help_heading = "Fields", display_order = 100)]
    update_mask: Vec<String>,
    /// Acts only if this is the current etag
    #[arg(long, help_heading = "Writing")]
    etag: Option<String>,
    /// Makes sending the same command again safe: it answers with the first outcome [default: a new one]
    #[arg(long, value_name = "ID", help_heading = "Writing")]
    request_id: Option<String>,
    /// Checks everything and answers the outcome, but changes nothing
    #[arg(long, help_heading = "Writing")]
    validate_only: bool,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    columns: Columns,
    /// Only those that match, as in 'key = true'; --fields lists what there is to compare, --help ends with examples
    #[arg(short = 'f', long, help_heading = "Reading")]
    filter: Option<String>,
    /// By what to order, and `desc` after it for the other way round; --help ends with examples [default: name]
    #[arg(long, help_heading = "Reading")]
    order_by: Option<String>,
    /// Lists deleted ones too
    #[arg(long, help_heading = "Reading")]
    show_deleted: bool,
    /// Lists what can be filtered by, with types and operators, and nothing else
    #[arg(long, help_heading = "Reading")]
    fields: bool,
    #[command(flatten)]
    reading: Reading,
}

/// The flags that a verb shares with others, in the order of the help.
pub fn shared(verb: &Verb) -> Vec<Arg> {
    let is_for = |argument: &&Arg| match argument.get_id().as_str() {
        "from_file" => matches!(verb.kind, VerbKind::Create | VerbKind::Update | VerbKind::BatchCreate),
        "clear" | "update_mask" => verb.kind == VerbKind::Update,
        "etag" => verb.kind == VerbKind::Update || verb.takes("etag"),
        "limit" | "columns" | "wide" | "bom" => verb.kind == VerbKind::List,
        "fields" => verb.takes("filter"),
        field => verb.takes(field),
    };
    let of_several = |argument: Arg| {
        match argument.get_id() == "from_file" {
        true => argument.help(format!(
            "Reads the request from a file as proto3 JSON, as in {{\"requests\": [{{\"{0}_id\": \"a\", \"{0}\": \
             {{\"display_name\": \"A\"}}}}]}}; dates and amounts may also be as flags take them; `-` reads standard \
             input",
            verb.resource.field
        )),
        false => argument,
    }
    };
    let all = Shared::augment_args(Command::new("shared"));
    let own = all.get_arguments().filter(is_for).cloned();
    match verb.kind {
        VerbKind::BatchCreate => own.map(of_several).collect(),
        _ => own.collect(),
    }
}

/// What a verb is done with or in, if its command names it.
pub fn name(verb: &Verb) -> Option<Arg> {
    let is_in = matches!(verb.kind, VerbKind::List | VerbKind::BatchCreate | VerbKind::BatchGet);
    let (value, help) = match verb.kind {
        VerbKind::Create if verb.needs_id() => ("NAME", NEW_NAME_WITH_ID),
        VerbKind::Create => ("NAME", NEW_NAME),
        _ if is_in && verb.takes("parent") => ("PARENT", PARENT),
        _ => ("NAME", NAME),
    };
    let is_named = verb.kind == VerbKind::Create || verb.named().is_some();
    is_named.then(|| Arg::new("name").value_name(value).num_args(1..).action(ArgAction::Append).help(help))
}

/// The texts that were given for an argument, if the command has it; none if it was not given.
pub fn texts(matches: &ArgMatches, id: &str) -> Vec<String> {
    matches.try_get_many(id).ok().flatten().into_iter().flatten().cloned().collect()
}

/// The last text that was given for an argument.
pub fn text(matches: &ArgMatches, id: &str) -> Option<String> {
    texts(matches, id).pop()
}

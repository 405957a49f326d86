//! What resources have in common, written once: a resource is its schema and a page of rules.
//!
//! `rules` is what a service says of a resource; everything else acts on that and on the facts that are
//! generated from the schemas: `check` reads what callers say, `command` decides the standard methods,
//! `row` and `index` keep the tables, `list` answers pages, `event` writes changes down, `serve` answers
//! calls. Invariant: a message is a resource of the domain only as [`Checked`].

mod api;
mod check;
mod checked;
mod command;
mod content;
mod days;
mod document;
mod event;
mod filter;
mod index;
mod list;
mod mask;
mod name;
mod parallel;
mod person;
mod preview;
mod request;
mod row;
mod rules;
mod scan;
mod serve;
mod state;
mod token;
mod value;

pub use api::{Api, Caught, Metrics, Resources, Upstream};
pub use checked::Checked;
pub use command::{Act, Command, Custom, Decided, New, Run, Standard, Target, decide};
pub use content::{check_fields, check_message, person};
pub use days::Dates;
pub use document::{Document, documents, evidence, has_document};
pub use event::{Change, EventKind};
pub use filter::{FilterRow, field_number};
pub use index::{By, Index, When};
pub use list::Page;
pub use name::{Name, ParentIds};
pub use parallel::in_parts;
pub use person::{
    add_drafter, add_drafter_or_nobody, add_person, check_another_person, require_another_person,
    require_person,
};
pub use preview::Preview;
pub use request::{
    List, ReadText, act, create, enum_value, enum_values, names, optional_date, optional_text, read_create,
    read_list, read_update, reason_and_day, required_text, target,
};
pub use row::{Table, Unreadable, apply, field_numbers, read_fields};
pub use rules::{Created, Parent, Presence, PutBesides, Rows, Rules, Scope, Show, Under, Upgrade};
pub use serve::{Method, Query, ReadAct, ResourceService, call, query, read_several, write, write_by_all};
pub use state::{check_state, known_state, wrong_state};
pub use token::{Listed, MALFORMED, Paging, SortKey, TokenFormat};
pub use value::{
    date, date_message, decode, encoded_len, instant, instant_message, money, money_message, period,
};

#[cfg(test)]
mod tests;

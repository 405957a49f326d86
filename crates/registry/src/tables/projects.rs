//! The projects: key `portfolio 0 project`, value the encoded `Project`. Changed in place.

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_types::{
    DamagedRow, Money, PortfolioName, ProjectName, ProjectPattern, Rejection, ResourceId, check_batch,
};
use prost::Message;

use super::{
    Tag, decoded, parts, portfolios, projects_by_display_name, projects_by_status, projects_by_update_time,
    put as put_row, read,
};
use crate::convert::{self, Unreadable, value};
use crate::project::Project;
use crate::project::references::Presence;

/// The key of a project.
pub(crate) fn key(name: &ProjectName) -> Vec<u8> {
    Key::of(Tag::Projects).under(name.portfolio().id()).id(name.id())
}

/// The name in a key.
pub(crate) fn name(key: &[u8]) -> Option<ProjectName> {
    let mut key = Parts::of(key, Tag::Projects)?;
    let portfolio = PortfolioName::new(key.parent()?);
    Some(ProjectName::new(portfolio, key.id()?))
}

/// The projects of a portfolio whose ids begin so.
pub(crate) fn beginning(portfolio: &ResourceId, id: &str) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Projects).under(portfolio).beginning(id).done())
}

/// All projects.
pub(crate) fn all() -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Projects).done())
}

/// The project of this name.
///
/// # Errors
/// If its row cannot be decoded; so with everything here that reads rows.
pub(crate) fn get(rows: &dyn Read, name: &ProjectName) -> Result<Option<Project>, DamagedRow> {
    read(rows, Tag::Projects, &key(name), convert::project::stored)
}

/// The project of this name, as the API tells it.
///
/// # Errors
/// If there is none, or if its row cannot be decoded.
pub(crate) fn message(rows: &dyn Read, name: &ProjectName) -> Result<proto::Project, Rejection> {
    decoded(rows, Tag::Projects, &key(name))?.ok_or_else(|| Rejection::not_found(name))
}

/// Refuses to read under a project, or under all of a portfolio, that is not there; deleted ones are.
///
/// # Errors
/// If there is no such portfolio or project.
pub(crate) fn check_parent(rows: &dyn Read, parent: &ProjectPattern) -> Result<(), Rejection> {
    if let Some(portfolio) = parent.portfolio() {
        portfolios::check_parent(rows, &portfolio.clone().into())?;
    }
    match parent.project() {
        Some(project) if rows.get(&key(project)).is_none() => Err(Rejection::not_found(project)),
        _ => Ok(()),
    }
}

/// The projects of these names, as the API shows them.
///
/// # Errors
/// If one is not there, if they do not fit one answer (then none was decoded), or if a row cannot be decoded.
pub(crate) fn messages(rows: &dyn Read, names: &[ProjectName]) -> Result<Vec<proto::Project>, Rejection> {
    let row = |name| rows.get(&key(name)).ok_or_else(|| Rejection::not_found(name));
    let sizes: Vec<_> = names.iter().map(|name| Ok(row(name)?.len())).collect::<Result<_, Rejection>>()?;
    check_batch("projects", sizes)?;
    names.iter().map(|name| message(rows, name)).collect()
}

/// The part of a project's row that others ask about, so that they need not decode the rest.
#[derive(Clone, PartialEq, prost::Message)]
struct Part {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    display_name: String,
    #[prost(message, optional, tag = "12")]
    investment: Option<gtype::Money>,
    #[prost(string, tag = "20")]
    parent_project: String,
    #[prost(int32, tag = "30")]
    status: i32,
    #[prost(message, optional, tag = "41")]
    update_time: Option<prost_types::Timestamp>,
    #[prost(message, optional, tag = "42")]
    delete_time: Option<prost_types::Timestamp>,
}

impl Part {
    fn name(&self) -> Result<ProjectName, Unreadable> {
        value::stored_name("name", &self.name)
    }

    fn parent(&self) -> Result<Option<ProjectName>, Unreadable> {
        value::stored_optional_name("parent_project", &self.parent_project)
    }

    fn update_time(&self) -> Result<Timestamp, Unreadable> {
        value::stored("update_time", value::stored_instant("update_time", self.update_time)?)
    }

    /// The name of the project, and its index rows.
    fn index(&self) -> Result<(ProjectName, Vec<Vec<u8>>), Unreadable> {
        let name = self.name()?;
        let (portfolio, id) = (name.portfolio().id(), name.id());
        let mut keys = vec![
            projects_by_display_name::key(portfolio, &self.display_name, id),
            projects_by_update_time::key(portfolio, self.update_time()?, id),
        ];
        if self.delete_time.is_none() {
            keys.push(projects_by_status::key(portfolio, self.status, id));
            if let Some(parent) = self.parent()? {
                keys.push(parts::key(portfolio, parent.id(), id));
            }
        }
        Ok((name, keys))
    }
}

/// What others ask of a project.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    /// What it costs, if that is known.
    pub(crate) investment: Option<Money>,
    /// The project that it is a part of.
    pub(crate) parent: Option<ProjectName>,
    /// Whether it is there or deleted.
    pub(crate) presence: Presence,
}

impl Head {
    fn of(part: Part) -> Result<Self, Unreadable> {
        let investment = part.investment.as_ref();
        Ok(Self {
            investment: investment.map(|money| value::stored_money("investment", money)).transpose()?,
            parent: part.parent()?,
            presence: if part.delete_time.is_some() { Presence::Deleted } else { Presence::Present },
        })
    }
}

/// The head of the project of this name.
pub(crate) fn head(rows: &dyn Read, name: &ProjectName) -> Result<Option<Head>, DamagedRow> {
    read(rows, Tag::Projects, &key(name), Head::of)
}

/// Whether a project is there.
pub(crate) fn presence(rows: &dyn Read, name: &ProjectName) -> Result<Presence, DamagedRow> {
    Ok(head(rows, name)?.map_or(Presence::Missing, |head| head.presence))
}

/// A project of the portfolio that is not deleted, if it has one.
pub(crate) fn any(rows: &dyn Read, portfolio: &PortfolioName) -> Option<ProjectName> {
    let (key, _) = rows.scan(&projects_by_status::of_portfolio(portfolio.id()), Direction::Forward).next()?;
    Some(ProjectName::new(portfolio.clone(), projects_by_status::id(&key)?))
}

/// Sets a project's row, and its index rows.
///
/// # Errors
/// If the row to be, or the one before, cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) -> Result<(), Unreadable> {
    let (name, after) = Part::decode(row.clone())?.index()?;
    let key = key(&name);
    let before = read(rows, Tag::Projects, &key, |part: Part| part.index())?;
    put_row(rows, key, row, before.map(|(_, keys)| keys).unwrap_or_default(), after);
    Ok(())
}

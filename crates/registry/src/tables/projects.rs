//! The projects: key `portfolio 0 project`, value the encoded `Project`. Changed in place.

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_types::{Money, PortfolioName, ProjectName, ProjectPattern, Rejection, ResourceId, check_batch};

use super::{
    Tag, decoded, parts, portfolios, projects_by_display_name, projects_by_status, projects_by_update_time,
    put as put_row,
};
use crate::convert;
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
pub(crate) fn get(rows: &dyn Read, name: &ProjectName) -> Option<Project> {
    rows.get(&key(name)).map(|row| convert::project::stored(decoded(row, Tag::Projects)))
}

/// The project of this name, as the API tells it.
pub(crate) fn message(rows: &dyn Read, name: &ProjectName) -> Option<proto::Project> {
    rows.get(&key(name)).map(|row| decoded(row, Tag::Projects))
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
/// If one is not there, or if they do not fit one answer; then none was decoded.
pub(crate) fn messages(rows: &dyn Read, names: &[ProjectName]) -> Result<Vec<proto::Project>, Rejection> {
    let row = |name| rows.get(&key(name)).ok_or_else(|| Rejection::not_found(name));
    let sizes: Vec<_> = names.iter().map(|name| Ok(row(name)?.len())).collect::<Result<_, Rejection>>()?;
    check_batch("projects", sizes)?;
    names.iter().map(|name| Ok(decoded(row(name)?, Tag::Projects))).collect()
}

/// The part of a project that others ask about, so that they need not decode the rest.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Head {
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

impl Head {
    /// The head of a row.
    pub(crate) fn of(row: Bytes) -> Self {
        decoded(row, Tag::Projects)
    }

    /// When the project last changed.
    pub(crate) fn update_time(&self) -> Timestamp {
        convert::value::instant(self.update_time.as_ref())
    }

    /// What the project costs, if that is known.
    pub(crate) fn investment(&self) -> Option<Money> {
        self.investment.as_ref().map(convert::value::stored_money)
    }

    /// The project that it is a part of.
    pub(crate) fn parent(&self) -> Option<ProjectName> {
        self.parent_project.parse().ok()
    }

    /// Whether it is there or deleted.
    pub(crate) fn presence(&self) -> Presence {
        if self.delete_time.is_some() { Presence::Deleted } else { Presence::Present }
    }
}

/// The head of the project of this name.
pub(crate) fn head(rows: &dyn Read, name: &ProjectName) -> Option<Head> {
    rows.get(&key(name)).map(Head::of)
}

/// Whether a project is there.
pub(crate) fn presence(rows: &dyn Read, name: &ProjectName) -> Presence {
    head(rows, name).map_or(Presence::Missing, |head| head.presence())
}

/// A project of the portfolio that is not deleted, if it has one.
pub(crate) fn any(rows: &dyn Read, portfolio: &PortfolioName) -> Option<ProjectName> {
    let (key, _) = rows.scan(&projects_by_status::of_portfolio(portfolio.id()), Direction::Forward).next()?;
    Some(ProjectName::new(portfolio.clone(), projects_by_status::id(&key)?))
}

/// Sets a project's row, and its index rows.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) {
    let head = Head::of(row.clone());
    let name: ProjectName = head.name.parse().unwrap_or_else(|error| panic!("a row without a name: {error}"));
    let key = key(&name);
    let before = rows.get(&key).map(|row| index(&name, &Head::of(row))).unwrap_or_default();
    put_row(rows, key, row, before, index(&name, &head));
}

/// The index rows of a project.
fn index(name: &ProjectName, head: &Head) -> Vec<Vec<u8>> {
    let (portfolio, id) = (name.portfolio().id(), name.id());
    let mut keys = vec![
        projects_by_display_name::key(portfolio, &head.display_name, id),
        projects_by_update_time::key(portfolio, head.update_time(), id),
    ];
    if head.delete_time.is_none() {
        keys.push(projects_by_status::key(portfolio, head.status, id));
        if let Some(parent) = head.parent() {
            keys.push(parts::key(portfolio, parent.id(), id));
        }
    }
    keys
}

//! What a caller may be allowed to do, the roles that allow it, and where a role holds.
//!
//! Invariant: the table of roles and permissions stands here and nowhere else; `proto/README.md` shows it, and a test
//! compares the two. Which method needs which permission stands in the schemas.

use std::fmt;
use std::str::FromStr;

use crate::id::ResourceId;

/// What a caller may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Read content: resources and their events.
    ContentRead,
    /// Report how milestones stand.
    MilestonesReport,
    /// Edit the plan.
    PlanEdit,
    /// Approve what another person planned.
    PlanApprove,
    /// Inspect, and order what is to be put right.
    SupervisionInspect,
    /// Manage projects and what groups them.
    ProjectsManage,
    /// Publish what another person drafted.
    Publish,
    /// Have subscriptions of one's own.
    SubscriptionsOwn,
    /// Edit what belongs to no portfolio: organizations.
    DirectoryEdit,
    /// Manage access, and the settings of portfolios.
    AccessManage,
    /// Read who did what, and who was allowed to.
    AuditRead,
    /// Operate the server.
    Operate,
    /// Follow journals.
    JournalFollow,
    /// Act on behalf of others.
    ActOnBehalf,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ContentRead,
        Self::MilestonesReport,
        Self::PlanEdit,
        Self::PlanApprove,
        Self::SupervisionInspect,
        Self::ProjectsManage,
        Self::Publish,
        Self::SubscriptionsOwn,
        Self::DirectoryEdit,
        Self::AccessManage,
        Self::AuditRead,
        Self::Operate,
        Self::JournalFollow,
        Self::ActOnBehalf,
    ];

    /// As the schemas write it: `plan.edit`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentRead => "content.read",
            Self::MilestonesReport => "milestones.report",
            Self::PlanEdit => "plan.edit",
            Self::PlanApprove => "plan.approve",
            Self::SupervisionInspect => "supervision.inspect",
            Self::ProjectsManage => "projects.manage",
            Self::Publish => "publish",
            Self::SubscriptionsOwn => "subscriptions.own",
            Self::DirectoryEdit => "directory.edit",
            Self::AccessManage => "access.manage",
            Self::AuditRead => "audit.read",
            Self::Operate => "operate",
            Self::JournalFollow => "journal.follow",
            Self::ActOnBehalf => "act.on.behalf",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a grant gives: some permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads content.
    Viewer = 1,
    /// Reads, and reports how milestones stand.
    Reporter = 2,
    /// Reports, and edits the plan.
    Planner = 3,
    /// Reads, and inspects.
    Inspector = 4,
    /// Reads, and approves what others planned.
    Approver = 5,
    /// Plans, and manages projects.
    Manager = 6,
    /// Reads, and publishes.
    Publisher = 7,
    /// Manages access and the settings of portfolios.
    Admin = 8,
    /// Reads content and who did what.
    Auditor = 9,
    /// Operates the server.
    Operator = 10,
    /// Follows journals.
    Follower = 11,
    /// Acts on behalf of others.
    Delegate = 12,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Viewer,
        Self::Reporter,
        Self::Planner,
        Self::Inspector,
        Self::Approver,
        Self::Manager,
        Self::Publisher,
        Self::Admin,
        Self::Auditor,
        Self::Operator,
        Self::Follower,
        Self::Delegate,
    ];

    /// The role with this number in the schemas.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| *role as i32 == number)
    }

    /// The word for people and for the command line: `viewer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reporter => "reporter",
            Self::Planner => "planner",
            Self::Inspector => "inspector",
            Self::Approver => "approver",
            Self::Manager => "manager",
            Self::Publisher => "publisher",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Follower => "follower",
            Self::Delegate => "delegate",
        }
    }

    /// Whether it has a permission.
    pub const fn has(self, permission: Permission) -> bool {
        self.bits() & permission.bit() != 0
    }

    const fn bits(self) -> u16 {
        use Permission as P;
        const READER: u16 = P::ContentRead.bit() | P::SubscriptionsOwn.bit();
        match self {
            Self::Viewer => READER,
            Self::Reporter => READER | P::MilestonesReport.bit(),
            Self::Planner => READER | P::MilestonesReport.bit() | P::PlanEdit.bit(),
            Self::Inspector => READER | P::SupervisionInspect.bit(),
            Self::Approver => READER | P::PlanApprove.bit(),
            Self::Manager => {
                READER
                    | P::MilestonesReport.bit()
                    | P::PlanEdit.bit()
                    | P::ProjectsManage.bit()
                    | P::DirectoryEdit.bit()
            }
            Self::Publisher => READER | P::Publish.bit(),
            Self::Admin => P::AccessManage.bit(),
            Self::Auditor => P::ContentRead.bit() | P::AuditRead.bit(),
            Self::Operator => P::Operate.bit(),
            Self::Follower => P::JournalFollow.bit(),
            Self::Delegate => P::ActOnBehalf.bit(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role; the roles are {all}", all = Role::ALL.map(Role::as_str).join(", "))]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| RoleError(text.to_owned()))
    }
}

/// Where a role holds: everywhere, in a portfolio, or in a project; and in all that is under that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scope {
    portfolio: Option<ResourceId>,
    project: Option<ResourceId>,
}

impl Scope {
    /// Everywhere.
    pub const EVERYWHERE: Self = Self { portfolio: None, project: None };

    /// The scope with these ids: none, a portfolio's, or a portfolio's and a project's.
    pub fn of_ids(ids: &[ResourceId]) -> Option<Self> {
        let mut ids = ids.iter().cloned();
        let scope = Self { portfolio: ids.next(), project: ids.next() };
        ids.next().is_none().then_some(scope)
    }

    /// The ids: none, a portfolio's, or a portfolio's and a project's.
    pub fn ids(&self) -> impl Iterator<Item = &ResourceId> {
        self.portfolio.iter().chain(&self.project)
    }

    /// Where it is.
    pub fn place(&self) -> Place<'_> {
        Place {
            portfolio: self.portfolio.as_ref().map(ResourceId::as_str),
            project: self.project.as_ref().map(ResourceId::as_str),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

/// Where a resource is: in a project, in a portfolio, or in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place<'a> {
    portfolio: Option<&'a str>,
    project: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// Where the resource of this name is, or the parent that a list names. What names no portfolio is in none; of a
    /// pattern such as `portfolios/a/projects/-`, it is what the pattern is of.
    pub fn of(name: &'a str) -> Self {
        let mut segments = name.split('/');
        let mut under = |collection| {
            (segments.next() == Some(collection)).then(|| segments.next()).flatten().filter(|id| *id != "-")
        };
        let portfolio = under("portfolios");
        let project = portfolio.and_then(|_| under("projects"));
        Self { portfolio, project }
    }
}

impl Place<'_> {
    /// Whether another place is here, or is this one.
    pub fn covers(self, other: Place<'_>) -> bool {
        let same = |own: Option<&str>, other: Option<&str>| own.is_none() || own == other;
        same(self.portfolio, other.portfolio) && same(self.project, other.project)
    }

    /// The scope that is this place; none if an id of it is none.
    pub fn scope(self) -> Option<Scope> {
        let id = |id: Option<&str>| id.map(str::parse).transpose().ok();
        Some(Scope { portfolio: id(self.portfolio)?, project: id(self.project)? })
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.portfolio, self.project) {
            (None, _) => f.write_str("everything"),
            (Some(portfolio), None) => write!(f, "portfolios/{portfolio}"),
            (Some(portfolio), Some(project)) => write!(f, "portfolios/{portfolio}/projects/{project}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(ids: &[&str]) -> Scope {
        let ids: Vec<ResourceId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        Scope::of_ids(&ids).unwrap()
    }

    #[test]
    fn a_scope_covers_what_is_under_it_and_nothing_whose_name_only_begins_alike() {
        for (ids, name, covers) in [
            (&[][..], "", true),
            (&[], "portfolios/a/projects/x", true),
            (&["a"], "portfolios/a", true),
            (&["a"], "portfolios/a/batches/b", true),
            (&["a"], "portfolios/a/projects/-", true),
            (&["a"], "portfolios/ab", false),
            (&["ab"], "portfolios/a", false),
            (&["a"], "portfolios/-", false),
            (&["a"], "portfolios/-/projects/-", false),
            (&["a"], "", false),
            (&["a"], "organizations/a", false),
            (&["a", "x"], "portfolios/a/projects/x/milestones/m", true),
            (&["a", "x"], "portfolios/a/projects/xy", false),
            (&["a", "x"], "portfolios/a/projects/-", false),
            (&["a", "x"], "portfolios/a/batches/x", false),
            (&["a", "x"], "portfolios/b/projects/x", false),
        ] {
            assert_eq!(scope(ids).place().covers(Place::of(name)), covers, "{ids:?} {name}");
        }
    }

    #[test]
    fn roles_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!((role.as_str().parse(), Role::from_number(role as i32)), (Ok(role), Some(role)));
        }
        assert_eq!(Role::from_number(0), None);
        assert!("owner".parse::<Role>().unwrap_err().to_string().contains("viewer, reporter"));
    }
}

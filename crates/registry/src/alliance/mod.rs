//! Alliances: organizations that work together on projects, and their activities.
//!
//! Invariants: the stays of an organization in an alliance do not overlap; on every day with members exactly one of them
//! leads; its projects are of its portfolio. `members` changes who is a member, `activity` has what members do together.

pub(crate) mod activity;
pub(crate) mod members;

use std::collections::BTreeSet;

use milepost_proto::registry::v1::{Alliance, Organization, Portfolio, Project};
use milepost_resource::{By, Checked, Index, Name, Rules, Under};
use milepost_types::{Rejection, Violations};

use crate::reference;
use crate::tables::{Registry, Scope};

impl Rules<Registry> for Alliance {
    type Above = Under<Portfolio>;

    const TABLE: u8 = 52;
    const TABLE_NAME: &'static str = "registry.alliances";
    const ID_PREFIX: char = 'l';
    const INDEXES: &'static [Index] = &[Index {
        tag: 53,
        under: 1,
        by: &[By::Field("display_name")],
        live: false,
        when: &[],
        orders: true,
    }];

    fn check(&self, violations: &mut Violations) {
        members::check_ends(&self.members, violations);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        check_projects(after)?;
        let mut conditions = Vec::new();
        let named: BTreeSet<_> = before.iter().flat_map(|before| &before.projects).collect();
        for (i, project) in after.projects.iter().enumerate().filter(|(_, name)| !named.contains(name)) {
            reference::check::<Project>(scope, &format!("alliance.projects[{i}]"), project, &mut conditions)?;
        }
        if before.is_none() {
            let mut seen = BTreeSet::new();
            let members = after.members.iter().enumerate();
            for (i, member) in members.filter(|(_, member)| seen.insert(&member.organization)) {
                let field = format!("alliance.members[{i}].organization");
                reference::check::<Organization>(scope, &field, &member.organization, &mut conditions)?;
            }
            members::check_stays(after.name(), &after.members, &mut conditions);
        }
        Rejection::unless_met(conditions)
    }
}

/// Refuses projects of another portfolio.
fn check_projects(alliance: &Checked<Alliance>) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    let portfolio = alliance.name().parent();
    for (i, name) in alliance.projects.iter().enumerate() {
        if let Ok(name) = name.parse::<Name<Project>>() {
            let field = || format!("alliance.projects[{i}]");
            reference::check_portfolio(field, &name, &portfolio, &mut violations);
        }
    }
    Ok(violations.into_result(())?)
}

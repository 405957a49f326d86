//! `milepost audit`: what was refused and what changed access, and who could do what on a resource at a time.
//!
//! Invariant: `who` rests on grants alone, which never change and are kept when they are revoked: so it is true of any
//! time. Which principals were in a group then is known to their issuer only.

use clap::Subcommand;
use jiff::Timestamp;
use milepost_proto::access::v1::{Grant, ListGrantsRequest, ListGrantsResponse};
use milepost_proto::audit::v1::{
    AuditRecord, ListAuditRecordsRequest, ListAuditRecordsResponse, audit_record,
};
use milepost_service::value::instant_message;
use milepost_types::{Clock, Place, SystemClock};

use super::read::instant;
use super::rpc;
use super::session::Session;
use crate::error::Error;

const AFTER_HELP: &str = "\
Writes are not in the audit log: every event says who made it. Each server has a log of its own; of services
apart, that of the registry is read: give the URL of another as --endpoint.";

/// Records of one page.
const PAGE: i32 = 1000;

/// What an auditor asks.
#[derive(Debug, Subcommand)]
#[command(after_long_help = AFTER_HELP)]
pub enum Verb {
    /// Lists what was refused and what changed access, the newest first
    List {
        /// Only of this caller: its principal, for whom it acted, or its credential
        #[arg(long, default_value = "", hide_default_value = true)]
        actor: String,
        /// Only about this resource, by its full name, or what is under it
        #[arg(long, default_value = "", hide_default_value = true)]
        resource: String,
        /// Only of this kind
        #[arg(long, value_parser = ["credential-refused", "denied", "access-changed", "read", "dropped"])]
        kind: Option<String>,
        /// Only from this time on: an instant such as 2021-05-27T08:00:00+08:00, or how long ago
        #[arg(long, value_name = "TIME", value_parser = instant)]
        since: Option<Timestamp>,
        /// Only before this time
        #[arg(long, value_name = "TIME", value_parser = instant)]
        until: Option<Timestamp>,
        /// How many at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Lists the grants that held on a resource at a time: who could do what there
    Who {
        /// The resource, by its full name; it need not exist any more
        resource: String,
        /// When [default: now]
        #[arg(long, value_name = "TIME", value_parser = instant)]
        at: Option<Timestamp>,
    },
}

/// Does what a verb says.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::List { actor, resource, kind, since, until, limit } => {
            let kind = kind.map_or(0, |kind| number(&kind));
            let (start_time, end_time) = (since.map(instant_message), until.map(instant_message));
            let asked =
                ListAuditRecordsRequest { actor, resource, kind, start_time, end_time, ..Default::default() };
            let records = list(session, asked, limit as usize).await?;
            let columns = ["time", "kind", "principal", "peer", "method", "resources", "code", "count"];
            rpc::show(session, &records, &columns).await
        }
        Verb::Who { resource, at } => {
            let at = at.unwrap_or_else(|| SystemClock.now());
            let mut held = grants(session).await?;
            held.retain(|grant| holds(grant, &resource, at));
            let columns = ["role", "principal", "name", "create_time", "expire_time", "reason"];
            rpc::show(session, &held, &columns).await
        }
    }
}

async fn list(
    session: &Session,
    mut asked: ListAuditRecordsRequest,
    limit: usize,
) -> Result<Vec<AuditRecord>, Error> {
    let mut records = Vec::new();
    loop {
        asked.page_size = i32::try_from(limit - records.len()).unwrap_or(PAGE).min(PAGE);
        let page: ListAuditRecordsResponse = rpc::call(session, &asked).await?;
        records.extend(page.records);
        asked.page_token = page.next_page_token;
        if asked.page_token.is_empty() || records.len() >= limit {
            return Ok(records);
        }
    }
}

/// All grants that the caller may see, revoked ones too.
async fn grants(session: &Session) -> Result<Vec<Grant>, Error> {
    let (mut grants, mut page_token) = (Vec::new(), String::new());
    loop {
        let asked =
            ListGrantsRequest { page_size: PAGE, page_token, show_deleted: true, ..Default::default() };
        let page: ListGrantsResponse = rpc::call(session, &asked).await?;
        grants.extend(page.grants);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(grants);
        }
    }
}

/// Whether a grant held on a resource at a time.
fn holds(grant: &Grant, resource: &str, at: Timestamp) -> bool {
    let instant = |time: &prost_types::Timestamp| Timestamp::new(time.seconds, time.nanos).ok();
    let ends = [&grant.delete_time, &grant.expire_time].into_iter().flatten().filter_map(instant);
    let begins = grant.create_time.as_ref().and_then(instant);
    Place::of(&grant.name).covers(Place::of(resource))
        && begins.is_none_or(|begins| begins <= at)
        && ends.min().is_none_or(|ends| at < ends)
}

fn number(kind: &str) -> i32 {
    let name = format!("KIND_{}", kind.to_uppercase().replace('-', "_"));
    audit_record::Kind::from_str_name(&name).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_holds_from_its_creation_until_it_is_revoked_or_ends_and_below_where_it_is() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let grant = Grant {
            name: "portfolios/wsc/grants/g".into(),
            create_time: at(10),
            expire_time: at(30),
            delete_time: at(20),
            ..Grant::default()
        };
        let holds = |resource, second| holds(&grant, resource, Timestamp::from_second(second).unwrap());
        assert!(holds("portfolios/wsc", 10) && holds("portfolios/wsc/projects/x/milestones/m", 19));
        assert!(!holds("portfolios/wsc", 9) && !holds("portfolios/wsc", 20));
        assert!(!holds("portfolios/wscc", 15) && !holds("organizations/o", 15));
    }

    #[test]
    fn kinds_are_those_of_the_schema() {
        for kind in ["credential-refused", "denied", "access-changed", "read", "dropped"] {
            assert_ne!(number(kind), 0, "{kind}");
        }
    }
}

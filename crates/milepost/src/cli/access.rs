//! `milepost access`: who calls, who may do what and why, and grants in few words.
//!
//! Invariant: `grant`, `revoke` and `list` are `milepost grant create`, `delete` and `list` with the words in the order
//! in which people say them; they answer the same.

use clap::Subcommand;
use milepost_proto::access::v1::{
    ExplainAccessRequest, ExplainAccessResponse, HeldGrant, Role, WhoAmIRequest, WhoAmIResponse,
};
use milepost_types::ResourceId;

use super::session::Session;
use super::{noun, rpc, usage};
use crate::error::Error;
use crate::operate::BreakGlass;
use crate::output::{json, print};
use crate::schema::{self, Resource};

const AFTER_HELP: &str = "\
Examples:
  milepost access whoami
  milepost access grant user:corp/wang manager portfolios/western-science-city --reason 项目办
  milepost access grant group:corp/site reporter western-science-city/science-avenue --reason 工地
  milepost access explain user:corp/wang UpdateMilestone \\
    portfolios/western-science-city/projects/science-avenue
  milepost access list western-science-city";

/// What to do about access.
#[derive(Debug, Subcommand)]
#[command(after_long_help = AFTER_HELP)]
pub enum AccessCommand {
    /// Makes a principal an administrator for some hours, beside the stopped server: where nobody is left who could
    BreakGlass(BreakGlass),
    #[command(flatten)]
    Verb(Verb),
}

/// What to ask a server about access.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Says who calls, as the server has it, and the roles that caller holds
    Whoami,
    /// Says which grants let a principal do something, or what is missing
    Explain {
        /// Who, as in user:corp/wang
        #[arg(value_name = "PRINCIPAL")]
        who: String,
        /// What: a permission, as in plan.edit, or a method, as in UpdateMilestone
        action: String,
        /// On which resource, by its full name; it need not exist [default: everything]
        #[arg(default_value = "", hide_default_value = true)]
        resource: String,
        /// A group that the principal is in, as its credential says; may be repeated
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// Grants a role to a principal, everywhere or in a part
    Grant {
        /// To whom: user:ISSUER/SUBJECT, group:ISSUER/NAME, serviceaccount:ID or cert:URI
        #[arg(value_name = "PRINCIPAL")]
        who: String,
        /// Which role, as in viewer or planner
        role: String,
        /// Where: PORTFOLIO, PORTFOLIO/PROJECT, or a full name [default: everywhere]
        #[arg(default_value = "", hide_default_value = true)]
        scope: String,
        /// Why, for the record
        #[arg(long)]
        reason: String,
        /// When it ends by itself, as in 2027-06-01T00:00:00Z [default: not]
        #[arg(long, value_name = "TIME")]
        expire_time: Option<String>,
    },
    /// Revokes a grant, at once and permanently
    Revoke {
        /// The grant, by its full name
        grant: String,
    },
    /// Lists grants, those of all parts included
    List {
        /// Where: PORTFOLIO, PORTFOLIO/PROJECT, or a full name [default: everywhere]
        #[arg(default_value = "", hide_default_value = true)]
        scope: String,
    },
}

/// Does what a verb says.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    match verb {
        Verb::Whoami => {
            let answer: WhoAmIResponse = rpc::call(session, &WhoAmIRequest {}).await?;
            if session.output().is_streamed() {
                return session.one(&json::dynamic(&answer)).await;
            }
            print(&caller(&answer))?;
            grants(session, &[answer.grants, answer.grants_of_other].concat()).await
        }
        Verb::Explain { who, action, resource, groups } => {
            let request = ExplainAccessRequest { principal: who, groups, action, resource };
            let answer: ExplainAccessResponse = rpc::call(session, &request).await?;
            if session.output().is_streamed() {
                return session.one(&json::dynamic(&answer)).await;
            }
            print(&explained(&request, &answer))?;
            grants(session, if answer.allowed { &answer.grants } else { &answer.other_grants }).await
        }
        Verb::Grant { who, role, scope, reason, expire_time } => {
            let collection = under(&scope, "grants");
            let name = format!("{collection}/{}", ResourceId::generate('g'));
            let mut words = vec!["create", &name, "--grant-principal", &who, "--role", &role];
            words.extend(["--reason", &reason]);
            words.extend(expire_time.iter().flat_map(|time| ["--expire-time", time.as_str()]));
            as_noun(&words, session).await
        }
        Verb::Revoke { grant } => as_noun(&["delete", &grant], session).await,
        Verb::List { scope } => {
            let scope = under(&scope, "");
            let words = ["list", &scope];
            as_noun(if scope.is_empty() { &words[..1] } else { &words }, session).await
        }
    }
}

/// A collection in a scope, or the scope itself, by its full name: that of a portfolio may be left out.
fn under(scope: &str, collection: &str) -> String {
    let scope = match scope.split('/').collect::<Vec<_>>()[..] {
        [""] => String::new(),
        [portfolio] => format!("portfolios/{portfolio}"),
        ["portfolios", _] => scope.to_owned(),
        [portfolio, project] => format!("portfolios/{portfolio}/projects/{project}"),
        _ => scope.to_owned(),
    };
    let parts = [scope.as_str(), collection];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// Runs a verb of the noun `grant`.
async fn as_noun(words: &[&str], session: &Session) -> Result<(), Error> {
    let grant: &'static Resource = schema::resource("grant").expect("the schemas have grants");
    let words = ["grant"].iter().chain(words);
    let matches = noun::command(grant).try_get_matches_from(words).map_err(|error| usage::refusal(&error))?;
    noun::run(grant, &matches, session).await
}

/// Who calls, for people.
fn caller(answer: &WhoAmIResponse) -> String {
    let mut text = match (answer.principal.as_str(), answer.credential.as_str()) {
        ("", _) => "the server does not ask who calls: everybody may do everything\n".to_owned(),
        (principal, "") => format!("{principal}, which the server does not check\n"),
        (principal, credential) => format!("{principal}, proved by {credential}\n"),
    };
    if !answer.on_behalf_of.is_empty() {
        text += &format!("on behalf of {}\n", answer.on_behalf_of);
    }
    if !answer.groups.is_empty() {
        text += &format!("in {}\n", answer.groups.join(", "));
    }
    if answer.first_administrator {
        text += "an administrator until the first grant of the role admin, as the configuration says\n";
    }
    text
}

/// Whether somebody may do something, for people.
fn explained(request: &ExplainAccessRequest, answer: &ExplainAccessResponse) -> String {
    let place = if request.resource.is_empty() { "everything" } else { &request.resource };
    let what = format!("{} on {place}", request.action);
    let (principal, roles) = (&request.principal, roles(&answer.roles));
    match answer {
        ExplainAccessResponse { allowed: true, permissions, .. } if permissions.is_empty() => {
            format!("{principal} may do {what}: it takes no grant\n")
        }
        ExplainAccessResponse { allowed: true, first_administrator: true, .. } => {
            format!("{principal} may do {what}: it is a first administrator, as the configuration says\n")
        }
        ExplainAccessResponse { allowed: true, .. } => {
            format!("{principal} may do {what}, by these grants:\n")
        }
        ExplainAccessResponse { permissions, .. } => format!(
            "{principal} may not do {what}: it takes {}, which these roles have: {roles}; grant one there, or on what \
             that is under{}\n",
            permissions.join(" or "),
            if answer.other_grants.is_empty() { "" } else { ". It holds, or held:" },
        ),
    }
}

fn roles(numbers: &[i32]) -> String {
    let words = numbers.iter().filter_map(|number| Role::try_from(*number).ok());
    let words = words.map(|role| role.as_str_name().trim_start_matches("ROLE_").to_lowercase());
    words.collect::<Vec<_>>().join(", ")
}

/// Shows grants, if there are any.
async fn grants(session: &Session, grants: &[HeldGrant]) -> Result<(), Error> {
    if grants.is_empty() {
        return Ok(());
    }
    rpc::show(session, grants, &["role", "name", "principal", "expire_time"]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_full_name_or_ids() {
        for (scope, name) in [
            ("", "grants"),
            ("wsc", "portfolios/wsc/grants"),
            ("wsc/road", "portfolios/wsc/projects/road/grants"),
            ("portfolios/wsc", "portfolios/wsc/grants"),
            ("portfolios/wsc/projects/road", "portfolios/wsc/projects/road/grants"),
        ] {
            assert_eq!(under(scope, "grants"), name);
        }
        assert_eq!((under("", ""), under("wsc", "")), (String::new(), "portfolios/wsc".to_owned()));
    }

    #[test]
    fn an_explanation_says_what_is_missing_and_who_has_it() {
        let request = ExplainAccessRequest {
            principal: "user:corp/wang".into(),
            action: "plan.approve".into(),
            resource: "portfolios/wsc".into(),
            groups: Vec::new(),
        };
        let answer = ExplainAccessResponse {
            permissions: vec!["plan.approve".into()],
            roles: vec![Role::Approver.into()],
            ..ExplainAccessResponse::default()
        };
        assert_eq!(
            explained(&request, &answer),
            "user:corp/wang may not do plan.approve on portfolios/wsc: it takes plan.approve, which these roles have: \
             approver; grant one there, or on what that is under\n"
        );
        let allowed = ExplainAccessResponse { allowed: true, ..answer };
        assert_eq!(
            explained(&request, &allowed),
            "user:corp/wang may do plan.approve on portfolios/wsc, by these grants:\n"
        );
    }

    #[test]
    fn who_calls_is_said_with_what_proves_it() {
        let actor = |principal: &str, credential: &str| WhoAmIResponse {
            principal: principal.into(),
            credential: credential.into(),
            ..WhoAmIResponse::default()
        };
        assert!(caller(&actor("", "")).contains("does not ask"));
        assert!(caller(&actor("office", "")).contains("does not check"));
        assert_eq!(caller(&actor("user:corp/wang", "jwt:1")), "user:corp/wang, proved by jwt:1\n");
    }
}

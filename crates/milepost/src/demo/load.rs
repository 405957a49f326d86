//! Loads the data set through the public API, each resource once.
//!
//! Invariant: a resource that exists already is not created, a field that is filled is not updated, and what was done is not
//! done again. Each write carries a request id made from its content, so that a run after an interrupted one repeats no
//! write.

use std::time::{Duration, Instant};

use prost_reflect::{DynamicMessage, Value};
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::Code;

use super::data::{DataSet, Step};
use crate::cli::read::Scope;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::{json, shown};
use crate::schema::{POOL, VerbKind};

/// How long to wait before asking again whether something has come about.
const PAUSE: Duration = Duration::from_millis(10);
/// How long to go on asking.
const PATIENCE: Duration = Duration::from_secs(60);

/// What loading came to.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// How many writes were made.
    pub made: u64,
    /// How many were not needed: what they would do was done.
    pub present: u64,
    /// The cursor of the log after everything that was written.
    pub end: String,
}

/// Loads what is missing, step by step, and waits until the log has all of it, effects included.
///
/// # Errors
/// What a server refused.
pub async fn load(session: &Session, set: &DataSet) -> Result<Loaded, Error> {
    let (mut made, mut present) = (0, 0);
    for step in &set.steps {
        if is_done(session, step).await? {
            present += 1;
        } else {
            let session = match &step.principal {
                Some(principal) => &session.with_principal(principal)?,
                None => session,
            };
            session.call(&step.verb.method, identified(step)).await?;
            made += 1;
        }
        if step.verb.kind != VerbKind::Create {
            settled(session, &set.portfolio.name).await?;
        }
        if step.verb.name == "adopt" {
            evaluated(session, &step.name).await?;
        }
    }
    Ok(Loaded { made, present, end: settled(session, &set.portfolio.name).await? })
}

/// Whether what a step would do was done: the resource is there, the fields are filled, the template is applied, or the
/// resource is no longer as it was before if a step changes it.
async fn is_done(session: &Session, step: &Step) -> Result<bool, Error> {
    let get = step.verb.resource.verb("get").expect("every resource can be read");
    let is_missing = |error: &Error| error.failure().is_some_and(|call| call.code == Code::NotFound);
    let there = match ask(session, get.method.name(), json!({"name": step.name})).await {
        Err(error) if is_missing(&error) => return Ok(false),
        there => shown(&there?),
    };
    let before: &[&str] = match step.verb.name.as_str() {
        "create" => return Ok(true),
        "update" => return Ok(is_filled(&there, step)),
        "apply" => return is_applied(session, step).await,
        "answer" => &["STATE_ISSUED"],
        "review" => &["STATE_ISSUED", "STATE_ANSWERED"],
        "close" => &["STATE_DRAFT", "STATE_OPEN"],
        "sign-off" => &["STATE_DRAFT", "STATE_OPEN", "STATE_CLOSED"],
        _ => &["STATE_PLANNED", "STATE_DRAFT"],
    };
    let state = json::of(&there)["state"].take();
    Ok(!before.iter().any(|before| state == *before))
}

/// Whether a resource has all the fields that a step would update.
fn is_filled(there: &DynamicMessage, step: &Step) -> bool {
    let given = step.given().expect("an update has fields");
    given.fields().all(|(field, _)| there.has_field(&field))
}

/// Whether the template of a step made milestones in its project.
async fn is_applied(session: &Session, step: &Step) -> Result<bool, Error> {
    let (project, filter) =
        (text(&step.request, "project"), format!("template_version = \"{}/*\"", step.name));
    let request = json!({"parent": project, "filter": filter, "pageSize": 1});
    let made = json::of(&ask(session, "ListMilestones", request).await?)["milestones"].take();
    Ok(made.as_array().is_some_and(|made| !made.is_empty()))
}

/// Waits until a warning policy that was adopted has evaluated the periods that had ended.
async fn evaluated(session: &Session, policy: &str) -> Result<(), Error> {
    let (parent, _) = policy.split_once("/warningPolicies/").expect("it is a warning policy");
    let filter = format!("name = \"{policy}\" AND next_evaluation_date <= today()");
    let request = json!({"parent": parent, "filter": filter});
    let deadline = Instant::now() + PATIENCE;
    loop {
        let due = json::of(&ask(session, "ListWarningPolicies", request.clone()).await?);
        if due["warningPolicies"].as_array().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let seconds = PATIENCE.as_secs();
            let why = format!("{policy} was not evaluated within {seconds} s; the log says why");
            return Err(Error::Demo(why.into()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The request of a step with an id that is made from its content: the same request has the same id.
fn identified(step: &Step) -> DynamicMessage {
    let mut request = step.request.clone();
    let digest = Sha256::digest(format!("{} {}", step.verb.method.full_name(), json::of(&request)));
    let id: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    request.set_field_by_name("request_id", Value::String(format!("demo-{id}")));
    request
}

/// Waits until the tracker has done what follows from the changes of the registry, and the log has all of it.
/// Answers the cursor after it.
async fn settled(session: &Session, portfolio: &str) -> Result<String, Error> {
    let registry = ask(session, "GetPortfolio", json!({"name": portfolio})).await?;
    let registry = text(&registry, "revision");
    let request =
        json!({"parent": format!("{portfolio}/projects/-"), "pageSize": 1, "minRevisions": [registry]});
    let tracker = text(&ask(session, "ListMilestones", request).await?, "revision");
    ask(session, "ListEvents", json!({"pageSize": 1, "minRevisions": [registry, tracker]})).await?;
    log_end(session).await
}

/// The cursor after everything that the log has.
///
/// # Errors
/// If the notifier cannot be asked.
pub async fn log_end(session: &Session) -> Result<String, Error> {
    Ok(text(&ask(session, "GetLogInfo", json!({})).await?, "latest_cursor"))
}

/// Calls the method of this name with what is asked for in JSON, again if that is of use.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn ask(
    session: &Session,
    method: &str,
    request: serde_json::Value,
) -> Result<DynamicMessage, Error> {
    let mut methods = POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let method = methods.find(|known| known.name() == method).expect("the schemas have every method");
    let request = json::read(&method.input(), &request.to_string(), &Scope::default());
    session.call(&method, request.expect("requests are by the schemas")).await
}

/// A text of an answer.
pub fn text(answer: &DynamicMessage, field: &str) -> String {
    let text = answer.get_field_by_name(field);
    text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::data::DataSet;

    #[test]
    fn the_same_request_has_the_same_id_and_another_one_has_another() {
        let id =
            |place: usize| text(&identified(&DataSet::western_science_city().steps[place]), "request_id");
        assert_eq!(id(0), id(0));
        assert_ne!(id(0), id(1));
        assert!(id(0).parse::<milepost_types::RequestId>().is_ok());
    }
}

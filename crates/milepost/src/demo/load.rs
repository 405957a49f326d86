//! Loads the data set through the public API, each resource once.
//!
//! Invariant: a resource that exists already is not changed. Each write carries a request id made from its
//! content, so that a run after an interrupted one repeats no write.

use indicatif::ProgressBar;
use milepost_client::Client;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tonic::Code;

use super::api::{ask, text};
use super::data::{DataSet, Step};
use crate::error::Error;
use crate::output::{json, shown};
use crate::schema::VerbKind;

/// What loading came to.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// How many writes were made.
    pub made: u64,
    /// How many were not needed, because what they would do was done.
    pub present: u64,
    /// The cursor of the log up to which everything that was written is in the log.
    pub end: String,
}

/// Loads what is missing, step by step on a bar, and waits until the log has all of it, effects included.
///
/// # Errors
/// What a server refused.
pub async fn load(client: &Client, set: &DataSet, bar: &ProgressBar) -> Result<Loaded, Error> {
    let (mut made, mut present) = (0, 0);
    for step in &set.steps {
        if is_done(client, step).await? {
            present += 1;
        } else {
            ask(client, step.verb.method.name(), identified(step)).await?;
            made += 1;
        }
        if step.verb.kind != VerbKind::Create {
            settled(client, &set.portfolio.name).await?;
        }
        bar.inc(1);
    }
    Ok(Loaded { made, present, end: settled(client, &set.portfolio.name).await? })
}

/// Whether what a step would do was done: the resource is there, or is no longer planned if a step changes it.
async fn is_done(client: &Client, step: &Step) -> Result<bool, Error> {
    let get = step.verb.resource.verb("get").expect("every resource can be read");
    match ask(client, get.method.name(), json!({"name": step.name})).await {
        Ok(there) => {
            Ok(step.verb.kind == VerbKind::Create || json::of(&shown(&there))["state"] != "STATE_PLANNED")
        }
        Err(Error::Client(error))
            if error.failure().is_some_and(|failure| failure.code == Code::NotFound) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The request of a step with an id that is made from its content: the same request has the same id.
fn identified(step: &Step) -> Value {
    let mut request = json::of(&step.request);
    let digest = Sha256::digest(format!("{} {request}", step.verb.method.full_name()));
    let id: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    request["requestId"] = format!("demo-{id}").into();
    request
}

/// Waits until the tracker has done what follows from the changes of the registry, and the log has all of it.
/// Answers the cursor after it.
async fn settled(client: &Client, portfolio: &str) -> Result<String, Error> {
    let registry = ask(client, "GetPortfolio", json!({"name": portfolio})).await?;
    let registry = text(&registry, "revision");
    let request =
        json!({"parent": format!("{portfolio}/projects/-"), "pageSize": 1, "minRevisions": [registry]});
    let tracker = text(&ask(client, "ListMilestones", request).await?, "revision");
    ask(client, "ListEvents", json!({"pageSize": 1, "minRevisions": [registry, tracker]})).await?;
    log_end(client).await
}

/// The cursor after everything that the log has.
///
/// # Errors
/// If the notifier cannot be asked.
pub async fn log_end(client: &Client) -> Result<String, Error> {
    Ok(text(&ask(client, "GetLogInfo", json!({})).await?, "latest_cursor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::data::DataSet;

    #[test]
    fn the_same_request_has_the_same_id_and_another_one_has_another() {
        let id = |place: usize| {
            let set = DataSet::western_science_city().unwrap();
            identified(&set.steps[place])["requestId"].as_str().unwrap().to_owned()
        };
        assert_eq!(id(0), id(0));
        assert_ne!(id(0), id(1));
        assert!(id(0).parse::<milepost_types::RequestId>().is_ok());
    }
}

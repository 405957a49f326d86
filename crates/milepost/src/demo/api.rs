//! Calls of the public API by the schemas, as any client can make them.
//!
//! Invariant: a call has the deadline and the retries of the client. Makes no request ids: the caller of a
//! write gives one.

use bytes::Bytes;
use http::uri::PathAndQuery;
use milepost_client::Client;
use prost::Message;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};

use crate::cli::read::Scope;
use crate::error::Error;
use crate::output::{json, value};
use crate::schema::{POOL, ledger};

/// Resources on a page: as many as servers answer.
const PAGE: u32 = 1000;

/// Calls the method of this name with what is asked for in JSON, again if that is of use.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn ask(client: &Client, method: &str, request: Value) -> Result<DynamicMessage, Error> {
    let mut methods = POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let method = methods.find(|known| known.name() == method).expect("the schemas have every method");
    let request = json::read(&method.input(), &request.to_string(), &Scope::default());
    let request = request.expect("requests are by the schemas").encode_to_vec();

    let service = method.parent_service();
    let path = format!("/{}/{}", service.full_name(), method.name());
    let path = PathAndQuery::try_from(path).expect("the name of a method is a path");
    let call = |request| client.unary(ledger(service), path.clone(), request);
    let answer = client.retry().read(client.retry().deadline(), Bytes::from(request), call).await?;
    DynamicMessage::decode(method.output(), answer)
        .map_err(|_| Error::Other("the server's answer is not what the schema says".into()))
}

/// Everything that a method lists under a parent, page by page.
///
/// # Errors
/// As [`ask`].
pub async fn list<M: Message + Default>(
    client: &Client,
    method: &str,
    parent: &str,
    order_by: &str,
) -> Result<Vec<M>, Error> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let request = json!({"parent": parent, "orderBy": order_by, "pageSize": PAGE, "pageToken": token});
        let page = ask(client, method, request).await?;
        let items = page.fields().filter_map(|(_, value)| value.as_list()).flatten();
        found.extend(items.filter_map(|item| value::typed::<M>(item.as_message()?)));
        token = text(&page, "next_page_token");
        if token.is_empty() {
            return Ok(found);
        }
    }
}

/// A text of an answer.
pub fn text(answer: &DynamicMessage, field: &str) -> String {
    let text = answer.get_field_by_name(field);
    text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}

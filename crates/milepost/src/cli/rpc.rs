//! Methods that are of no resource: called with messages of their own, and what they answer shown as tables.
//!
//! Does not know nouns: [`noun`](super::noun) calls the methods of resources.

use milepost_proto::rule::AccessRequest;
use prost::Message;
use prost_reflect::{DynamicMessage, MethodDescriptor};

use super::flags::Columns;
use super::session::Session;
use crate::error::Error;
use crate::output::json;
use crate::schema;

/// Calls the method that a request is of.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn call<Q: AccessRequest, M: Message + Default>(
    session: &Session,
    request: &Q,
) -> Result<M, Error> {
    let method = method(Q::RULE.method);
    let request = DynamicMessage::decode(method.input(), &request.encode_to_vec()[..]);
    let answer = session.call(&method, request.expect("it is of this type")).await?;
    M::decode(&answer.encode_to_vec()[..])
        .map_err(|_| Error::Other("the server's answer is not what the schema says".into()))
}

/// Shows messages with these columns.
///
/// # Errors
/// If they cannot be written.
pub async fn show<M: prost::Name>(session: &Session, found: &[M], columns: &[&str]) -> Result<(), Error> {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    let found: Vec<_> = found.iter().map(json::dynamic).collect();
    session.many(&found, "", &Columns { columns, ..Columns::default() }).await
}

/// The method of this full name, `package.Service/Method`.
fn method(name: &str) -> MethodDescriptor {
    let (service, method) = name.split_once('/').expect("a method is of a service");
    let service = schema::POOL.get_service_by_name(service).expect("the schemas have the service");
    let found = service.methods().find(|found| found.name() == method);
    found.expect("the service has the method")
}

//! The data sets that are part of the binary: TOML files, and the calls that load them: that of the demo, and the template
//! that goes into any portfolio.
//!
//! Invariant: a resource or a request is read by its schema, as the command line reads files: a key that the
//! schema does not have is refused, and what a file leaves out stays absent. Comments in the files give their sources, or
//! say that there is none: inspections, campaigns and warnings are invented, and are loaded after the facts.

use milepost_proto::registry::v1::Portfolio;
use prost_reflect::DynamicMessage;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::name::parent_and_id;
use crate::cli::read::Scope;
use crate::output::{json, value};
use crate::schema::{Verb, VerbKind, resources};

const TEXT: &str = include_str!("../../../data/western-science-city.toml");
const TEMPLATE: &str = include_str!("../../../data/government-projects.toml");
/// What is invented, and says so.
const INVENTED: &str = include_str!("../../../data/invented.toml");
const OF_BINARY: &str = "the data set is part of the binary, and tests read it";

/// Everything that is loaded.
#[derive(Debug)]
pub struct DataSet {
    /// The portfolio that all of it is in.
    pub portfolio: Portfolio,
    /// The calls that load it, in their order.
    pub steps: Vec<Step>,
}

/// A call that loads something.
#[derive(Debug)]
pub struct Step {
    /// What is done.
    pub verb: Verb,
    /// The full name of the resource that it is done to.
    pub name: String,
    /// The request, without a request id.
    pub request: DynamicMessage,
    /// Who makes it, where that matters.
    pub principal: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Resources with their names, each after what it refers to.
    #[serde(default)]
    resources: Vec<Map<String, Value>>,
    /// Requests with their verbs: what happened to the resources. Without a verb: more resources.
    acts: Vec<Map<String, Value>>,
}

impl DataSet {
    /// The data set of the Western (Chongqing) Science City.
    pub fn western_science_city() -> Self {
        Self::parse(TEXT).expect(OF_BINARY)
    }

    /// The template for government investment projects, in the portfolio of this name.
    pub fn government_projects(portfolio: &str) -> Self {
        let of_demo = "name = \"portfolios/western-science-city/";
        let text = TEMPLATE.replace(of_demo, &format!("name = \"{portfolio}/"));
        let (resources, acts) = steps(&text).expect(OF_BINARY);
        let portfolio = Portfolio { name: portfolio.to_owned(), ..Portfolio::default() };
        Self { portfolio, steps: [resources, acts].into_iter().flatten().collect() }
    }

    /// The facts of this text, with the template, which acts make use of, and with what is invented.
    fn parse(text: &str) -> Result<Self, String> {
        let (facts, acts) = steps(text)?;
        let portfolio = facts.iter().find_map(Step::resource::<Portfolio>).ok_or("no portfolio is in it")?;
        let template = Self::government_projects(&portfolio.name).steps;
        let (more, invented) = steps(INVENTED)?;
        let steps = [facts, template, acts, more, invented].into_iter().flatten().collect();
        Ok(Self { portfolio, steps })
    }
}

/// The calls that a file says: those that create resources, and its acts.
fn steps(text: &str) -> Result<(Vec<Step>, Vec<Step>), String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let read = |entries: Vec<_>| entries.into_iter().map(Step::read).collect::<Result<Vec<_>, _>>();
    Ok((read(file.resources)?, read(file.acts)?))
}

impl Step {
    /// The call for an entry of the file: a resource to create, fields to update, or the request of the verb that it names.
    fn read(mut entry: Map<String, Value>) -> Result<Self, String> {
        let principal = entry.remove("principal");
        let principal = principal.as_ref().and_then(Value::as_str).map(str::to_owned);
        let verb = entry.remove("verb");
        let verb = verb.as_ref().and_then(Value::as_str).unwrap_or("create");
        let name = entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let collections: Vec<&str> = name.split('/').step_by(2).collect();
        let resource = resources().iter().find(|resource| resource.collections == collections);
        let verb = resource.and_then(|resource| resource.verb(verb));
        let verb = verb.ok_or_else(|| format!("{name:?} names nothing that has the verb of its entry"))?;
        let mut request = Value::Object(entry);
        let field = &verb.resource.field;
        if verb.kind == VerbKind::Create {
            let pieces = [name.clone()];
            let (parent, id) =
                parent_and_id(verb.resource, &pieces, None).map_err(|error| error.to_string())?;
            request = json!({ field.as_str(): request, format!("{field}_id"): id });
            if verb.takes("parent") {
                request["parent"] = parent.into();
            }
        } else if verb.kind == VerbKind::Update {
            request = json!({ field.as_str(): request });
        }
        let read = json::read(&verb.method.input(), &request.to_string(), &Scope::default());
        let request = read.map_err(|fault| format!("{name}: {fault}"))?;
        Ok(Self { verb, name, request, principal })
    }

    /// The resource that it creates, if it is of this type.
    fn resource<M: prost::Name + Default>(&self) -> Option<M> {
        let is_created = self.verb.kind == VerbKind::Create;
        (is_created && self.verb.resource.message.full_name() == M::full_name())
            .then(|| value::typed(&self.given()?))?
    }

    /// The resource that it creates, or the fields that it updates.
    pub fn given(&self) -> Option<DynamicMessage> {
        self.request.get_field(&self.verb.resource_field()?).as_message().cloned()
    }
}

#[cfg(test)]
mod tests;

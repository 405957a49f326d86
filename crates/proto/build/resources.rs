//! Writes down what the schemas say of messages that are resources, and of their standard requests:
//! implementations of the traits in `src/resource.rs`.
//!
//! Invariant: it only writes. What there is to write is read by `schema`, `fields` and `filters`.

use std::fmt::Write;

use prost_reflect::{DescriptorPool, FieldDescriptor};

use crate::answers::{self, Changes};
use crate::fields::{Rules, part};
use crate::filters::{Filter, filters};
use crate::names::{constant, ident, module, path, upper_camel};
use crate::nodes::{arms, node, table};
use crate::schema::{Resource, Schema};

/// The implementations, as code.
pub(crate) fn code(pool: &DescriptorPool) -> String {
    let schema = Schema::of(pool);
    let numbers: Vec<_> = schema.events.values().map(|(number, _)| number).collect();
    let changes: Vec<_> =
        schema.resources.iter().map(|of| answers::check(pool, &of.message, &of.plural)).collect();
    let standard = schema.resources.iter().zip(&changes).flat_map(|(resource, changes)| {
        let [created, updated, deleted, undeleted] = event_types(resource);
        match changes {
            Changes::Nothing | Changes::Create => vec![created],
            Changes::Delete => vec![created, deleted],
            Changes::All => vec![created, updated, deleted, undeleted],
        }
    });
    let standard: Vec<_> = standard.collect();
    let types: Vec<_> = schema.resources.iter().map(|resource| constant(&resource.message)).collect();
    let types = types.join(", ");
    let filter = |resource: &Resource| {
        let (name, message) = (resource.message.full_name(), path(&resource.message));
        format!("({name:?}, <{message} as crate::resource::Resource>::FILTER)")
    };
    let filters: Vec<_> = schema.resources.iter().map(filter).collect();
    let filters = filters.join(", ");
    let facts = |resource: &Resource| format!("Facts::of::<{}>()", path(&resource.message));
    let facts: Vec<_> = schema.resources.iter().map(facts).collect();
    let facts = facts.join(", ");
    let carried = |resource: &Resource| {
        let (_, field) = schema.events.get(resource.message.full_name())?;
        let (variant, message) = (upper_camel(field), path(&resource.message));
        Some(format!("event::Resource::{variant}(resource) => (Facts::of::<{message}>(), resource)"))
    };
    let carried: Vec<_> = schema.resources.iter().filter_map(carried).collect();
    let carried = carried.join(", ");
    let mut code = format!(
        "/// The numbers of the fields of an event that hold a resource.\n\
         pub const EVENT_FIELDS: &[u32] = &{numbers:?};\n\
         /// The types of the events that every resource has.\n\
         pub const STANDARD_EVENT_TYPES: &[&str] = &{standard:?};\n\
         /// The types of resources.\n\
         pub const TYPES: &[&Type] = &[{types}];\n\
         /// What resources can be filtered by, by their messages.\n\
         pub const FILTERS: &[(&str, &[filter::Field<usize>])] = &[{filters}];\n\
         /// What the schemas say of each resource.\n\
         pub const FACTS: &[Facts] = &[{facts}];\n\
         /// The resource of an event, and what the schema says of it.\n\
         pub fn carried(resource: &event::Resource) -> (Facts, &dyn Node) {{ match resource {{ {carried} }} }}\n"
    );
    for (resource, changes) in schema.resources.iter().zip(changes) {
        code += &type_of(&schema, resource);
        code += &implementation(&schema, resource);
        code += &requests(&schema, resource);
        if changes != Changes::Nothing {
            code += &creatability(&schema, resource);
        }
        if matches!(changes, Changes::Delete | Changes::All) {
            code += &deletability(resource);
        }
        if changes == Changes::All {
            code += &mutability(resource);
        }
        code += &state(resource).unwrap_or_default();
    }
    for message in schema.parts() {
        code += &node(&schema, &message);
    }
    for message in pool.all_messages().filter(|message| message.package_name().starts_with("milepost.")) {
        let has = |name| message.get_field_by_name(name).is_some();
        if message.name().ends_with("Request") && has("request_id") && has("name") && has("etag") {
            code += &format!(
                "impl TargetRequest for {} {{ fn name(&self) -> &str {{ &self.name }} \
                 fn etag(&self) -> &str {{ &self.etag }} }}\n",
                path(&message)
            );
        }
    }
    code
}

/// The types of the events that say that a resource was created, updated, deleted, and undeleted.
fn event_types(resource: &Resource) -> [String; 4] {
    ["created", "updated", "deleted", "undeleted"]
        .map(|verb| format!("milepost.{}.{verb}", resource.singular))
}

fn type_of(schema: &Schema, resource: &Resource) -> String {
    let Resource { message, type_name, singular, pattern, patterns, .. } = resource;
    let collections: Vec<_> = pattern.split('/').step_by(2).collect();
    let parent = schema.parent(resource).map(|parent| format!("Some({})", constant(&parent.message)));
    format!(
        "const {constant}: &Type = &Type {{ name: {type_name:?}, singular: {singular:?}, pattern: {all:?}, \
         collections: &{collections:?}, floats: {floats}, parent: {parent} }};\n",
        constant = constant(message),
        all = patterns.join(" or "),
        floats = resource.floats(),
        parent = parent.as_deref().unwrap_or("None"),
    )
}

fn implementation(schema: &Schema, resource: &Resource) -> String {
    let Resource { message, plural, .. } = resource;
    let (name, package) = (message.name(), message.package_name());
    let Some((number, event)) = schema.events.get(message.full_name()) else {
        panic!("{}: no event holds it; add it to milepost.event.v1.Event", message.full_name());
    };
    let (mut filter, mut paths) = (String::new(), String::new());
    for (i, Filter { path, kind, steps, leaf }) in filters(schema, resource).iter().enumerate() {
        write!(filter, "filter::Field::new({path:?}, filter::FieldType::{kind}, {i}), ").unwrap();
        write!(paths, "FilterPath {{ steps: &{steps:?}, leaf: Leaf::{leaf} }}, ").unwrap();
    }
    format!(
        "impl Resource for {path} {{
    const TYPE: &'static Type = {constant};
    const FIELDS: &'static [Field] = &{table};
    const FILTER: &'static [filter::Field<usize>] = &[{filter}];
    const FILTER_PATHS: &'static [FilterPath] = &[{paths}];
    const SERVICE: &'static str = \"{package}.{name}Service\";
    const EVENT_FIELD: u32 = {number};
    const EVENT_TYPES: [&'static str; 4] = {event_types:?};
    type Parent = {parent};
    type Get = {module}::Get{name}Request;
    type List = {module}::List{plural}Request;
    fn name(&self) -> &str {{ &self.name }}
    fn etag(&self) -> &str {{ &self.etag }}
    fn delete_time(&self) -> Option<&Timestamp> {{ self.delete_time.as_ref() }}
    fn meta(&mut self) -> Meta<'_> {{
        Meta {{ name: &mut self.name, create_time: &mut self.create_time, update_time: &mut self.update_time, delete_time: &mut self.delete_time, etag: &mut self.etag }}
    }}
    fn copy(&mut self, index: usize, from: &Self) {{ match index {{ {copy} _ => {{}} }} }}
    #[allow(unused_variables)]
    fn copy_part(&mut self, index: usize, part: usize, from: &Self) {{ match index {{ {copy_part} _ => {{}} }} }}
    fn same(&self, index: usize, other: &Self) -> bool {{ match index {{ {same} _ => true }} }}
    fn into_event(self) -> event::Resource {{ event::Resource::{variant}(self) }}
}}
",
        path = path(message),
        constant = constant(message),
        table = table(schema, message),
        event_types = event_types(resource),
        parent = schema
            .parent(resource)
            .filter(|_| !resource.floats())
            .map_or("TopLevel".to_owned(), |parent| path(&parent.message)),
        module = module(package),
        copy = arms(message, |_, ident| Some(format!("self.{ident}.clone_from(&from.{ident})"))),
        copy_part = arms(message, |field, ident| copy_part(schema, field, ident)),
        same = arms(message, |_, ident| Some(format!("self.{ident} == other.{ident}"))),
        variant = upper_camel(event),
    )
}

/// How to copy one part of a field, if its parts are changed one by one.
fn copy_part(schema: &Schema, field: &FieldDescriptor, ident: &str) -> Option<String> {
    let message = part(field).filter(|_| Rules::of(schema, field).parts)?;
    let parts = arms(&message, |_, part| {
        Some(format!(
            "to.{part} = from.{ident}.as_ref().map(|given| given.{part}.clone()).unwrap_or_default()"
        ))
    });
    Some(format!(
        "{{ let to = self.{ident}.get_or_insert_default(); \
         match part {{ {parts} _ => {{}} }} \
         if *to == Default::default() {{ self.{ident} = None; }} }}"
    ))
}

/// Whether a request says what is above.
fn has_parent(schema: &Schema, request: &str) -> bool {
    let found = schema.pool.get_message_by_name(request).unwrap_or_else(|| panic!("there is no {request}"));
    found.get_field_by_name("parent").is_some()
}

fn requests(schema: &Schema, resource: &Resource) -> String {
    let Resource { message, plural, .. } = resource;
    let (name, package) = (message.name(), message.package_name());
    let listed = has_parent(schema, &format!("{package}.List{plural}Request"));
    let parents = if listed { "Some(&self.parent)" } else { "None" };
    format!(
        "impl GetRequest for {module}::Get{name}Request {{
    fn name(&self) -> &str {{ &self.name }}
    fn min_revisions(&self) -> &[String] {{ &self.min_revisions }}
}}
impl ListRequest for {module}::List{plural}Request {{
    const METHOD: &'static str = \"{package}.{name}Service/List{plural}\";
    fn parent(&self) -> Option<&str> {{ {parents} }}
    fn page_size(&self) -> i32 {{ self.page_size }}
    fn page_token(&self) -> &str {{ &self.page_token }}
    fn filter(&self) -> &str {{ &self.filter }}
    fn order_by(&self) -> &str {{ &self.order_by }}
    fn show_deleted(&self) -> bool {{ self.show_deleted }}
    fn min_revisions(&self) -> &[String] {{ &self.min_revisions }}
}}
",
        module = module(package),
    )
}

/// The implementation of `Creatable`.
fn creatability(schema: &Schema, resource: &Resource) -> String {
    let Resource { message, singular, .. } = resource;
    let (name, package) = (message.name(), message.package_name());
    let parent = has_parent(schema, &format!("{package}.Create{name}Request"));
    let parent = if parent { "&self.parent" } else { "\"\"" };
    format!(
        "impl Creatable for {path} {{ type Create = {module}::Create{name}Request; }}
impl CreateRequest<{path}> for {module}::Create{name}Request {{
    const ID: &'static str = \"{singular}_id\";
    fn parent(&self) -> &str {{ {parent} }}
    fn id(&self) -> &str {{ &self.{singular}_id }}
    fn take_resource(&mut self) -> Option<{path}> {{ self.{resource}.take() }}
}}
",
        path = path(message),
        module = module(package),
        resource = ident(singular),
    )
}

/// The implementation of `Stateful`, for a resource with a field `state`.
fn state(resource: &Resource) -> Option<String> {
    let field = resource.message.get_field_by_name("state")?;
    let states = field.kind().as_enum()?.name().to_owned();
    let (path, module) = (path(&resource.message), module(resource.message.package_name()));
    let state = format!("{module}::{}::{states}", resource.singular);
    Some(format!(
        "impl Stateful for {path} {{
    type State = {state};
    fn state_number(&self) -> i32 {{ self.state }}
    fn state_name(state: {state}) -> &'static str {{ state.as_str_name() }}
}}
"
    ))
}

/// The implementation of `Deletable`.
fn deletability(resource: &Resource) -> String {
    let (name, path, module) =
        (resource.message.name(), path(&resource.message), module(resource.message.package_name()));
    format!("impl Deletable for {path} {{ type Delete = {module}::Delete{name}Request; }}\n")
}

/// The implementation of `Mutable`.
fn mutability(resource: &Resource) -> String {
    let Resource { message, singular, .. } = resource;
    format!(
        "impl Mutable for {path} {{
    type Update = {module}::Update{name}Request;
    type Undelete = {module}::Undelete{name}Request;
}}
impl UpdateRequest<{path}> for {module}::Update{name}Request {{
    fn take_update_mask(&mut self) -> Option<FieldMask> {{ self.update_mask.take() }}
    fn take_resource(&mut self) -> Option<{path}> {{ self.{resource}.take() }}
}}
",
        path = path(message),
        module = module(message.package_name()),
        name = message.name(),
        resource = ident(singular),
    )
}

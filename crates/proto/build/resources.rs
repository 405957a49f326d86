//! Writes down what the schemas say of messages that are resources: implementations of the traits in
//! `src/resource.rs`.
//!
//! Invariant: an option that makes no sense ends the build, with the file and the field that it stands at.

use std::collections::BTreeMap;
use std::fmt::Write;

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};

/// What resources have in common, besides their name.
const META: [&str; 5] = ["name", "create_time", "update_time", "delete_time", "etag"];

/// The implementations, as code.
pub(crate) fn code(pool: &DescriptorPool) -> String {
    let schema = Schema::of(pool);
    let numbers: Vec<_> = schema.events.values().map(|(number, _)| number).collect();
    let singulars: Vec<_> = schema.resources.iter().map(|resource| schema.descriptor(resource).1).collect();
    let standard: Vec<_> = singulars.iter().flat_map(|singular| event_types(singular)).collect();
    let mut code = format!(
        "/// The numbers of the fields of an event that hold a resource.\n\
         pub const EVENT_FIELDS: &[u32] = &{numbers:?};\n\
         /// The types of the events that every resource has.\n\
         pub const STANDARD_EVENT_TYPES: &[&str] = &{standard:?};\n\
         /// The types of resources.\n\
         pub const TYPES: &[&Type] = &[{}];\n",
        schema.resources.iter().map(constant).collect::<Vec<_>>().join(", ")
    );
    for resource in &schema.resources {
        schema.type_of(resource, &mut code);
        schema.resource(resource, &mut code);
    }
    for message in schema.parts() {
        schema.node(&message, &mut code);
    }
    for message in pool.all_messages().filter(|message| message.package_name().starts_with("milepost.")) {
        let has = |name| message.get_field_by_name(name).is_some();
        if message.name().ends_with("Request") && has("request_id") && has("name") && has("etag") {
            let path = path(&message);
            writeln!(code, "impl TargetRequest for {path} {{ fn name(&self) -> &str {{ &self.name }} fn etag(&self) -> &str {{ &self.etag }} }}").unwrap();
        }
    }
    code
}

struct Schema<'a> {
    pool: &'a DescriptorPool,
    resources: Vec<MessageDescriptor>,
    /// The number and the name of the field of an event that holds a resource, by the resource's full name.
    events: BTreeMap<String, (u32, String)>,
}

impl<'a> Schema<'a> {
    fn of(pool: &'a DescriptorPool) -> Self {
        let resource = pool.get_extension_by_name("google.api.resource").expect("google/api/resource.proto");
        let resources = pool.all_messages().filter(|message| message.options().has_extension(&resource));
        let event = pool.get_message_by_name("milepost.event.v1.Event").expect("milepost.event.v1.Event");
        let oneof = event.oneofs().find(|oneof| oneof.name() == "resource").expect("the event's resource");
        let events = oneof.fields().map(|field| match field.kind() {
            Kind::Message(message) => {
                (message.full_name().to_owned(), (field.number(), field.name().to_owned()))
            }
            _ => fail(&field, "is no resource"),
        });
        Self { pool, resources: resources.collect(), events: events.collect() }
    }

    /// The messages that resources are made of, themselves included.
    fn parts(&self) -> Vec<MessageDescriptor> {
        let mut parts: BTreeMap<String, MessageDescriptor> = BTreeMap::new();
        let mut open = self.resources.clone();
        while let Some(message) = open.pop() {
            if parts.insert(message.full_name().to_owned(), message.clone()).is_none() {
                open.extend(message.fields().filter_map(|field| part(&field)));
            }
        }
        parts.into_values().collect()
    }

    fn option(&self, options: &DynamicMessage, extension: &str) -> Option<DynamicMessage> {
        let extension = self.pool.get_extension_by_name(extension)?;
        let set = options.has_extension(&extension);
        set.then(|| options.get_extension(&extension).as_message().cloned()).flatten()
    }

    fn descriptor(&self, resource: &MessageDescriptor) -> (String, String, String, String) {
        let options = self.option(&resource.options(), "google.api.resource").expect("a resource");
        let pattern = options.get_field_by_name("pattern").and_then(|patterns| {
            let [pattern] = patterns.as_list()? else { return None };
            pattern.as_str().map(str::to_owned)
        });
        let pattern = pattern.unwrap_or_else(|| panic!("{} needs one pattern", resource.full_name()));
        let text = |name| text(&options, name);
        (text("type"), text("singular"), text("plural"), pattern)
    }

    fn by_pattern(&self, pattern: &str) -> Option<&MessageDescriptor> {
        self.resources.iter().find(|resource| self.descriptor(resource).3 == pattern)
    }

    fn by_type(&self, name: &str) -> Option<&MessageDescriptor> {
        self.resources.iter().find(|resource| self.descriptor(resource).0 == name)
    }

    fn parent(&self, resource: &MessageDescriptor) -> Option<&MessageDescriptor> {
        let (name, _, _, pattern) = self.descriptor(resource);
        let (rest, _) = pattern.rsplit_once('/')?;
        let (parent, _) = rest.rsplit_once('/')?;
        Some(
            self.by_pattern(parent)
                .unwrap_or_else(|| panic!("{name} is under {parent}, which is no resource")),
        )
    }

    fn type_of(&self, resource: &MessageDescriptor, code: &mut String) {
        let (name, singular, _, pattern) = self.descriptor(resource);
        let collections: Vec<_> = pattern.split('/').step_by(2).collect();
        let parent = self.parent(resource).map(constant);
        let parent = parent.map_or("None".to_owned(), |parent| format!("Some({parent})"));
        let constant = constant(resource);
        writeln!(
            code,
            "const {constant}: &Type = &Type {{ name: {name:?}, singular: {singular:?}, pattern: {pattern:?}, \
             collections: &{collections:?}, parent: {parent} }};"
        )
        .unwrap();
    }

    fn resource(&self, resource: &MessageDescriptor, code: &mut String) {
        let (_, singular, plural, _) = self.descriptor(resource);
        let (path, package) = (path(resource), resource.package_name());
        let (name, plural) = (resource.name(), upper_camel(&plural));
        crate::answers::check(self.pool, resource, &plural);
        let Some((number, event)) = self.events.get(resource.full_name()) else {
            panic!("{}: no event holds it; add it to milepost.event.v1.Event", resource.full_name());
        };
        for field in META {
            assert!(resource.get_field_by_name(field).is_some(), "{}: no {field}", resource.full_name());
        }
        let parent = self.parent(resource).map_or("TopLevel".to_owned(), self::path);
        let module = module(package);
        let fields: Vec<_> = resource.fields().collect();
        let arms = |arm: &dyn Fn(&FieldDescriptor, &str) -> Option<String>| {
            let arms = fields.iter().enumerate();
            let arms =
                arms.filter_map(|(i, field)| Some(format!("{i} => {},", arm(field, &ident(field.name()))?)));
            arms.collect::<String>()
        };
        let copy = arms(&|_, ident| Some(format!("self.{ident}.clone_from(&from.{ident})")));
        let same = arms(&|_, ident| Some(format!("self.{ident} == other.{ident}")));
        let copy_part = arms(&|field, ident| {
            let message = part(field).filter(|_| self.rules(field).parts)?;
            let parts = message.fields().enumerate();
            let parts = parts.map(|(i, part)| {
                let part = self::ident(part.name());
                format!("{i} => to.{part} = from.{ident}.as_ref().map(|given| given.{part}.clone()).unwrap_or_default(),")
            });
            Some(format!(
                "{{ let to = self.{ident}.get_or_insert_default(); \
                 match part {{ {} _ => {{}} }} \
                 if *to == Default::default() {{ self.{ident} = None; }} }}",
                parts.collect::<String>()
            ))
        });
        let variant = upper_camel(event);
        let mut found = Vec::new();
        self.filter(resource, "", &[], false, &mut found);
        self.ancestors(resource, &mut found);
        let (mut filter, mut paths) = (String::new(), String::new());
        for (i, (path, kind, steps, leaf)) in found.iter().enumerate() {
            write!(filter, "filter::Field::new({path:?}, filter::FieldType::{kind}, {i}), ").unwrap();
            write!(paths, "FilterPath {{ steps: &{steps:?}, leaf: Leaf::{leaf} }}, ").unwrap();
        }
        writeln!(
            code,
            "impl Resource for {path} {{
    const TYPE: &'static Type = {constant};
    const FIELDS: &'static [Field] = &{table};
    const FILTER: &'static [filter::Field<usize>] = &[{filter}];
    const FILTER_PATHS: &'static [FilterPath] = &[{paths}];
    const SERVICE: &'static str = \"{package}.{name}Service\";
    const EVENT_FIELD: u32 = {number};
    const EVENT_TYPES: [&'static str; 4] = {event_types:?};
    type Parent = {parent};
    type Create = {module}::Create{name}Request;
    type Get = {module}::Get{name}Request;
    type List = {module}::List{plural}Request;
    type Update = {module}::Update{name}Request;
    type Delete = {module}::Delete{name}Request;
    type Undelete = {module}::Undelete{name}Request;
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
}}",
            constant = constant(resource),
            event_types = event_types(&singular),
            table = self.table(resource),
        )
        .unwrap();
        self.requests(resource, &singular, &plural, code);
    }

    fn requests(&self, resource: &MessageDescriptor, singular: &str, plural: &str, code: &mut String) {
        let (path, module, name) = (path(resource), module(resource.package_name()), resource.name());
        let package = resource.package_name();
        let has_parent = |request: &str| {
            let full = format!("{package}.{request}");
            let message =
                self.pool.get_message_by_name(&full).unwrap_or_else(|| panic!("there is no {full}"));
            message.get_field_by_name("parent").is_some()
        };
        let parent = if has_parent(&format!("Create{name}Request")) { "&self.parent" } else { "\"\"" };
        let parents = if has_parent(&format!("List{plural}Request")) { "Some(&self.parent)" } else { "None" };
        let resource = ident(singular);
        writeln!(
            code,
            "impl CreateRequest<{path}> for {module}::Create{name}Request {{
    const ID: &'static str = \"{singular}_id\";
    fn parent(&self) -> &str {{ {parent} }}
    fn id(&self) -> &str {{ &self.{singular}_id }}
    fn take_resource(&mut self) -> Option<{path}> {{ self.{resource}.take() }}
}}
impl UpdateRequest<{path}> for {module}::Update{name}Request {{
    fn take_update_mask(&mut self) -> Option<FieldMask> {{ self.update_mask.take() }}
    fn take_resource(&mut self) -> Option<{path}> {{ self.{resource}.take() }}
}}
impl GetRequest for {module}::Get{name}Request {{
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
}}"
        )
        .unwrap();
    }

    fn node(&self, message: &MessageDescriptor, code: &mut String) {
        let is_resource = self.resources.contains(message);
        let table = if is_resource {
            "<Self as Resource>::FIELDS".to_owned()
        } else {
            format!("{{ const FIELDS: &[Field] = &{}; FIELDS }}", self.table(message))
        };
        let (mut values, mut slots) = (String::new(), String::new());
        for (i, field) in message.fields().enumerate() {
            let (value, slot) = access(&field);
            write!(values, "{i} => {value},").unwrap();
            if let Some(slot) = slot {
                write!(slots, "{i} => {slot},").unwrap();
            }
        }
        writeln!(
            code,
            "impl Node for {} {{
    fn fields(&self) -> &'static [Field] {{ {table} }}
    fn value(&self, index: usize) -> Value<'_> {{ match index {{ {values} _ => Value::Text(\"\") }} }}
    fn slot(&mut self, index: usize) -> Slot<'_> {{ match index {{ {slots} _ => Slot::Plain }} }}
}}",
            path(message)
        )
        .unwrap();
    }

    /// Adds what a resource is under to what it can be filtered by, after its name.
    fn ancestors(&self, resource: &MessageDescriptor, found: &mut Vec<(String, String, Vec<usize>, String)>) {
        let mut above = self.parent(resource);
        while let Some(ancestor) = above {
            let (_, singular, _, pattern) = self.descriptor(ancestor);
            let leaf = format!("Ancestor({})", pattern.split('/').count() / 2);
            if !found.iter().any(|(path, ..)| *path == singular) {
                let steps = found[0].2.clone();
                found.insert(1, (singular, "Name".to_owned(), steps, leaf));
            }
            above = self.parent(ancestor);
        }
    }

    /// Collects what a message can be filtered by: the path, its type, the way to it, and what of it. A field's
    /// path is its name, and inside a message `message.field`; of an amount, its currency and its whole units.
    fn filter(
        &self,
        message: &MessageDescriptor,
        prefix: &str,
        steps: &[usize],
        listed: bool,
        found: &mut Vec<(String, String, Vec<usize>, String)>,
    ) {
        for (i, field) in message.fields().enumerate() {
            if self.rules(&field).as_of_read {
                continue;
            }
            let path = format!("{prefix}{}", field.name());
            let steps = [steps, &[i]].concat();
            let listed = listed || field.is_list();
            let mut add = |path: String, kind: &str, leaf| {
                let kind = match kind {
                    "Text" | "Name" if listed => "List".to_owned(),
                    kind if listed => format!("Repeated(&filter::FieldType::{kind})"),
                    kind => kind.to_owned(),
                };
                found.push((path, kind, steps.clone(), String::from(leaf)));
            };
            match kind(&field) {
                "Message" => {
                    add(path.clone(), "Message", "Whole");
                    if let Some(part) = part(&field) {
                        self.filter(&part, &format!("{path}."), &steps, listed, found);
                    }
                }
                "Money" => {
                    add(path.clone(), "Money", "Whole");
                    add(format!("{path}.currency_code"), "Text", "Currency");
                    add(format!("{path}.units"), "Int", "Units");
                }
                "Text" if field.name() == "name" || self.rules(&field).reference != "None" => {
                    add(path, "Name", "Whole");
                }
                "Enum" => {
                    let Kind::Enum(values) = field.kind() else { continue };
                    add(path, &format!("Enum(&{:?})", enumeration(&values).0), "Whole");
                }
                "Instant" => add(path, "Timestamp", "Whole"),
                "Bytes" => {}
                kind => add(path, kind, "Whole"),
            }
        }
    }

    /// The table of a message's fields.
    fn table(&self, message: &MessageDescriptor) -> String {
        let fields = message.fields().map(|field| self.field(&field));
        format!("[{}]", fields.collect::<Vec<_>>().join(", "))
    }

    fn field(&self, field: &FieldDescriptor) -> String {
        let rules = self.rules(field);
        let (names, numbers) = match field.kind() {
            Kind::Enum(values) => enumeration(&values),
            _ => (Vec::new(), Vec::new()),
        };
        let fields = part(field).map_or("[]".to_owned(), |part| self.table(&part));
        let (name, number, repeated) = (field.name(), field.number(), field.is_list());
        let Rules {
            content,
            required,
            access,
            limit,
            members,
            unique,
            parts,
            missing,
            unannounced,
            reference,
            ..
        } = rules;
        let (kind, optional) = (kind(field), field.supports_presence());
        format!(
            "Field {{ name: {name:?}, number: {number}, kind: Kind::{kind}, content: Content::{content}, \
             repeated: {repeated}, optional: {optional}, required: {required}, access: {access}, limit: {limit}, members: {members}, unique: {unique:?}, \
             parts: {parts}, missing: {missing:?}, unannounced: {unannounced}, names: &{names:?}, \
             numbers: &{numbers:?}, reference: {reference}, fields: &{fields} }}"
        )
    }

    fn rules(&self, field: &FieldDescriptor) -> Rules {
        let rules = self.option(&field.options(), "milepost.options.v1.rules");
        let text = |name| rules.as_ref().map(|rules| text(rules, name)).unwrap_or_default();
        let number = |name| {
            rules.as_ref().and_then(|rules| rules.get_field_by_name(name)?.as_u32()).unwrap_or_default()
        };
        let truth = |name| {
            rules.as_ref().and_then(|rules| rules.get_field_by_name(name)?.as_bool()).unwrap_or_default()
        };
        let behaviors = behaviors(self.pool, field);
        let content = rules.as_ref().and_then(|rules| rules.get_field_by_name("content")?.as_enum_number());
        let content = content.filter(|content| *content != 0);
        let content = content.map_or_else(
            || default_content(field).to_owned(),
            |number| {
                let contents = self.pool.get_enum_by_name("milepost.options.v1.Content").expect("contents");
                let value = contents
                    .get_value(number)
                    .unwrap_or_else(|| fail(field, "has a content that there is not"));
                upper_camel(&value.name()["CONTENT_".len()..].to_lowercase())
            },
        );
        let is_resource = self.resources.contains(field.parent_message());
        let output = behaviors.contains(&3);
        let access = match (text("changed_by"), text("set_by")) {
            _ if is_resource && META.contains(&field.name()) => "Access::Meta".to_owned(),
            (method, _) if !method.is_empty() => format!("Access::Method({method:?})"),
            (_, how) if output => format!("Access::Output({how:?})"),
            (_, how) if !how.is_empty() => fail(field, "says who sets it, but is no OUTPUT_ONLY field"),
            _ => "Access::Input".to_owned(),
        };
        if truth("parts") && (part(field).is_none() || field.is_list()) {
            fail::<()>(field, "is not one message, so it has no parts to name");
        }
        // The encoder takes options without it as: not packed.
        if rules.is_some()
            && field.is_list()
            && matches!(kind(field), "Int" | "Enum" | "Bool" | "Double")
            && !packed(field)
        {
            fail::<()>(field, "needs `packed = true` beside its other options");
        }
        let required = behaviors.contains(&2);
        if truth("parts") && required {
            fail::<()>(field, "has parts that are changed one by one, so it cannot be required");
        }
        if field.is_list() && access == "Access::Input" && unchecked(field, &content) {
            fail::<()>(field, "is a list of what no rule checks yet; see `check_list` in crate resource");
        }
        if (number("members") > 0 || !text("unique").is_empty()) && !field.is_list() {
            fail::<()>(field, "is no list, so it has no members to count or to compare");
        }
        if content == "Number" && number("limit") == 0 {
            fail::<()>(field, "is a number from 0 to its limit, but has no limit");
        }
        let reference = self.option(&field.options(), "google.api.resource_reference");
        let reference = reference.map_or("None".to_owned(), |reference| {
            let name = self::text(&reference, "type");
            let resource =
                self.by_type(&name).unwrap_or_else(|| fail(field, "names a resource that there is not"));
            format!("Some({})", constant(resource))
        });
        Rules {
            content,
            required,
            access,
            limit: number("limit"),
            members: number("members"),
            unique: text("unique"),
            parts: truth("parts"),
            missing: text("missing"),
            unannounced: truth("unannounced"),
            as_of_read: truth("as_of_read"),
            reference,
        }
    }
}

struct Rules {
    content: String,
    required: bool,
    access: String,
    limit: u32,
    members: u32,
    unique: String,
    parts: bool,
    missing: String,
    unannounced: bool,
    as_of_read: bool,
    reference: String,
}

/// The types of the events that say that a resource was created, updated, deleted, and undeleted.
fn event_types(singular: &str) -> [String; 4] {
    ["created", "updated", "deleted", "undeleted"].map(|verb| format!("milepost.{singular}.{verb}"))
}

fn fail<T>(field: &FieldDescriptor, what: &str) -> T {
    panic!("{}: {} {what}", field.parent_file().name(), field.full_name())
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn packed(field: &FieldDescriptor) -> bool {
    field.field_descriptor_proto().options.as_ref().is_some_and(|options| options.packed())
}

fn behaviors(pool: &DescriptorPool, field: &FieldDescriptor) -> Vec<i32> {
    let behavior = pool.get_extension_by_name("google.api.field_behavior").expect("field behavior");
    let options = field.options();
    let marks = options.get_extension(&behavior);
    marks.as_list().into_iter().flatten().filter_map(Value::as_enum_number).collect()
}

fn default_content(field: &FieldDescriptor) -> &'static str {
    match (field.name(), kind(field)) {
        ("display_name", "Text") => "DisplayName",
        ("translations", "Map") => "Translations",
        (_, "Map") => "Labels",
        (_, "Text") => "Text",
        _ => "Unspecified",
    }
}

/// The names and the numbers of an enum's values, without the first.
fn enumeration(values: &EnumDescriptor) -> (Vec<String>, Vec<i32>) {
    let values = values.values().filter(|value| value.number() != 0);
    values.map(|value| (value.name().to_owned(), value.number())).unzip()
}

/// The message of ours that a field holds.
fn part(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !field.is_map() && message.package_name().starts_with("milepost.") => {
            Some(message)
        }
        _ => None,
    }
}

fn kind(field: &FieldDescriptor) -> &'static str {
    if field.is_map() {
        return "Map";
    }
    match field.kind() {
        Kind::String => "Text",
        Kind::Bool => "Bool",
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => "Int",
        Kind::Double => "Double",
        Kind::Bytes => "Bytes",
        Kind::Enum(_) => "Enum",
        Kind::Message(message) => match message.full_name() {
            "google.type.Date" => "Date",
            "google.type.Money" => "Money",
            "google.protobuf.Timestamp" => "Instant",
            name if name.starts_with("milepost.") => "Message",
            _ => fail(field, "has a type that resources do not have"),
        },
        _ => fail(field, "has a type that resources do not have"),
    }
}

/// Whether the members of a list are of a kind that requests are not checked for.
fn unchecked(field: &FieldDescriptor, content: &str) -> bool {
    match kind(field) {
        "Enum" | "Money" => true,
        "Int" => content != "Weekdays",
        _ => false,
    }
}

/// The expressions for a field's value, and for the value to be changed if it has more than one form.
fn access(field: &FieldDescriptor) -> (String, Option<String>) {
    let name = ident(field.name());
    let optional = field.supports_presence();
    let unsigned = matches!(field.kind(), Kind::Uint64);
    let int = |of: &str| if unsigned { format!("{of}.cast_signed()") } else { format!("i64::from({of})") };
    let value = |variant: &str, value: String| format!("Value::{variant}({value})");
    let slot = |variant: &str, value: String| Some(format!("Slot::{variant}({value})"));
    match (kind(field), field.is_list()) {
        ("Map", _) => (value("Map", format!("&self.{name}")), slot("Map", format!("&mut self.{name}"))),
        ("Text", true) => (value("Texts", format!("&self.{name}")), None),
        ("Int" | "Enum", true) => {
            (value("Ints", format!("&self.{name}")), slot("Ints", format!("&mut self.{name}")))
        }
        ("Date", true) => {
            (value("Dates", format!("&self.{name}")), slot("Dates", format!("&mut self.{name}")))
        }
        ("Money", true) => (value("Amounts", format!("&self.{name}")), None),
        ("Message", true) => {
            (value("Messages", format!("&self.{name}")), slot("Messages", format!("&mut self.{name}")))
        }
        (_, true) => fail(field, "is a list of what lists do not hold"),
        ("Text", false) => {
            (value("Text", format!("&self.{name}")), slot("Text", format!("&mut self.{name}")))
        }
        ("Bool", false) if optional => (value("Bool", format!("self.{name}")), None),
        ("Bool", false) => (value("Bool", format!("Some(self.{name})")), None),
        ("Int", false) if optional => {
            (value("Int", format!("self.{name}.map(|value| {})", int("value"))), None)
        }
        ("Int", false) => (value("Int", format!("Some({})", int(&format!("self.{name}")))), None),
        ("Double", false) if optional => {
            (value("Double", format!("self.{name}")), slot("Double", format!("&mut self.{name}")))
        }
        ("Double", false) => (value("Double", format!("Some(self.{name})")), None),
        ("Bytes", false) => (value("Bytes", format!("&self.{name}")), None),
        ("Enum", false) => (value("Enum", format!("self.{name}")), None),
        ("Message", false) => (
            value("Message", format!("self.{name}.as_ref().map(|message| message as &dyn Node)")),
            slot("Message", format!("self.{name}.as_mut().map(|message| message as &mut dyn Node)")),
        ),
        (other, false) => (value(other, format!("self.{name}.as_ref()")), None),
    }
}

/// The path of a message's Rust type.
fn path(message: &MessageDescriptor) -> String {
    format!("{}::{}", module(message.package_name()), message.name())
}

fn module(package: &str) -> String {
    format!("crate::{}", package.strip_prefix("milepost.").unwrap_or(package).replace('.', "::"))
}

fn ident(name: &str) -> String {
    if name == "type" { "r#type".to_owned() } else { name.to_owned() }
}

fn constant(message: &MessageDescriptor) -> String {
    let mut constant = String::new();
    for c in message.name().chars() {
        if c.is_uppercase() && !constant.is_empty() {
            constant.push('_');
        }
        constant.extend(c.to_uppercase());
    }
    constant
}

/// `working_calendar` as `WorkingCalendar`.
fn upper_camel(name: &str) -> String {
    let words = name.split('_');
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<String>()
    };
    words.map(word).collect()
}

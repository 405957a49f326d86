//! Writes down who may call each method, and which resources its request names, from the option
//! `milepost.access.v1.access`.
//!
//! Invariant: every method of ours has the option, and every path in it leads to a text of the request. A schema with
//! another ends the build, with the file and the method.

use std::fmt::Write;

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, MethodDescriptor};

use crate::names::{ident, path, upper_camel};
use crate::schema::{extension, option};

/// The implementations, as code.
pub(crate) fn code(pool: &DescriptorPool) -> String {
    let marker = extension(pool, "milepost.access.v1.access");
    let services = pool.services().filter(|service| service.package_name().starts_with("milepost."));
    let (mut code, mut rules) = (String::new(), String::new());
    for method in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let Some(rule) = option(&method.options(), &marker) else {
            fail(&method, "has no option (milepost.access.v1.access): say who may call it");
        };
        let request = path(&method.input());
        write!(code, "{}", implementation(&method, &rule)).unwrap();
        write!(rules, "<{request} as AccessRequest>::RULE, ").unwrap();
    }
    format!("/// Who may call each method.\npub const RULES: &[&Rule] = &[{rules}];\n{code}")
}

fn implementation(method: &MethodDescriptor, rule: &DynamicMessage) -> String {
    let (paths, permissions) = (texts(rule, "resource"), texts(rule, "permission"));
    let kind = match rule.get_field_by_name("kind").and_then(|kind| kind.as_enum_number()) {
        Some(0 | 1) => "Checked",
        Some(2) => "Filtered",
        Some(3) => "Authenticated",
        _ => "Public",
    };
    if matches!(kind, "Checked" | "Filtered") == permissions.is_empty() {
        fail(method, "asks for a permission exactly if it is CHECKED or FILTERED");
    }
    let permissions: Vec<_> = permissions
        .iter()
        .map(|permission| format!("Permission::{}", upper_camel(&permission.replace('.', "_"))))
        .collect();
    let visits: String = paths.iter().map(|path| visit(method, &paths, path)).collect();
    format!(
        "impl AccessRequest for {request} {{
    const RULE: &'static Rule = &Rule {{ method: \"{service}/{name}\", kind: RuleKind::{kind}, \
         permissions: &[{permissions}], paths: &{paths:?} }};
    #[allow(unused_variables)]
    fn visit_resources<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {{ {visits} }}
    fn is_dry_run(&self) -> bool {{ {dry_run} }}
}}
",
        dry_run = if method.input().get_field_by_name("validate_only").is_some() {
            "self.validate_only"
        } else {
            "false"
        },
        request = path(&method.input()),
        service = method.parent_service().full_name(),
        name = method.name(),
        permissions = permissions.join(", "),
    )
}

/// The code that visits the text at a path of the request.
fn visit(method: &MethodDescriptor, paths: &[String], whole: &str) -> String {
    let (steps, leaf) = whole.rsplit_once('.').map_or((None, whole), |(steps, leaf)| (Some(steps), leaf));
    let mut message: MessageDescriptor = method.input();
    let mut value = "self".to_owned();
    let (mut open, mut close, mut in_list) = (String::new(), String::new(), false);
    for step in steps.iter().flat_map(|steps| steps.split('.')) {
        let field = message.get_field_by_name(step);
        let Some((field, Kind::Message(inner))) = field.map(|field| (field.clone(), field.kind())) else {
            fail(method, &format!("names {whole}, but {step} is no message of {}", message.full_name()));
        };
        let name = ident(step);
        if field.is_list() {
            in_list = true;
            if !paths.iter().any(|path| path == "parent") {
                fail(method, &format!("names {whole} of a list, so it must name the parent of all too"));
            }
            write!(open, "for inner in &{value}.{name} {{ ").unwrap();
            close.push_str(" }");
        } else {
            // What is not there names nothing, which is everything.
            write!(open, "match &{value}.{name} {{ None => visit(\"\"), Some(inner) => {{ ").unwrap();
            close.push_str(" } }");
        }
        (value, message) = ("inner".to_owned(), inner);
    }
    let field = message.get_field_by_name(leaf);
    let Some(field) = field.filter(|field| field.kind() == Kind::String) else {
        fail(method, &format!("names {whole}, but {leaf} is no text of {}", message.full_name()));
    };
    let name = ident(leaf);
    let visit = if field.is_list() {
        format!("for name in &{value}.{name} {{ visit(name) }}")
    } else if in_list {
        // One of several that names none is under the parent of all.
        format!("if !{value}.{name}.is_empty() {{ visit(&{value}.{name}); }}")
    } else {
        format!("visit(&{value}.{name});")
    };
    format!("{open}{visit}{close} ")
}

fn texts(rule: &DynamicMessage, field: &str) -> Vec<String> {
    let values = rule.get_field_by_name(field).unwrap_or_else(|| panic!("AccessRule has no {field}"));
    let values = values.as_list().map(<[_]>::to_vec).unwrap_or_default();
    values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn fail(method: &MethodDescriptor, what: &str) -> ! {
    panic!("{}: {} {what}", method.parent_service().parent_file().name(), method.full_name())
}

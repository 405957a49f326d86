//! Checks that answers look as crate `resource` writes them: it puts a resource into an answer as the bytes
//! that are stored, without its message, so the numbers of the fields are known to it alone.
//!
//! Invariant: an answer has the resource, or the list of them, as field 1 and the revision as field 2, or field 3 of
//! a list, after the token of the next page; only the answer with one resource may have more fields, after these. A
//! schema with another ends the build, with the file and the message.

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

/// What a resource's service has besides the methods that get and list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changes {
    /// Nothing: the service itself makes the resources.
    Nothing,
    /// The method that creates: what is created stays.
    Create,
    /// Those that create and delete.
    Delete,
    /// Those that create, update, delete and undelete.
    All,
}

/// Checks the answers of a resource's standard methods, and of the others that answer with it. Returns which
/// of the methods that change something the service has.
///
/// # Panics
/// If a method is missing, or if an answer looks otherwise.
pub(crate) fn check(pool: &DescriptorPool, resource: &MessageDescriptor, plural: &str) -> Changes {
    let (package, name) = (resource.package_name(), resource.name());
    let list = format!("List{plural}");
    let one = ["Create", "Get", "Update", "Delete", "Undelete"].map(|verb| format!("{verb}{name}"));
    let service = format!("{package}.{name}Service");
    let file = resource.parent_file();
    let found = pool.get_service_by_name(&service);
    let found = found.unwrap_or_else(|| panic!("{}: there is no {service}", file.name()));
    let has = |method: &String| found.methods().any(|served| served.name() == method);
    let [create, get, update, delete, undelete] = &one;
    for method in [get, &list] {
        assert!(has(method), "{}: {service} has no {method}", file.name());
    }
    let changes = match (has(create), has(update), has(undelete), has(delete)) {
        (true, true, true, true) => Changes::All,
        (true, false, false, true) => Changes::Delete,
        (true, false, false, false) => Changes::Create,
        (false, false, false, false) => Changes::Nothing,
        _ => panic!("{}: {service} needs all of {create}, {update}, {delete} and {undelete}", file.name()),
    };
    for method in found.methods() {
        let (answer, is_list) = (method.output(), *method.name() == *list);
        // A method of another kind may answer with something else.
        if is_list || one.iter().any(|one| one == method.name()) || holds(&answer, resource) {
            check_answer(&answer, resource, is_list || method.name().starts_with("Batch"), is_list);
        }
    }
    changes
}

fn holds(answer: &MessageDescriptor, resource: &MessageDescriptor) -> bool {
    answer.fields().any(|field| field.kind().as_message() == Some(resource))
}

fn check_answer(answer: &MessageDescriptor, resource: &MessageDescriptor, several: bool, page: bool) {
    let resource = Kind::Message(resource.clone());
    let mut wanted = vec![(resource, several)];
    wanted.extend(page.then_some((Kind::String, false)));
    wanted.push((Kind::String, false));
    let fields: Vec<_> = answer.fields().map(|field| (field.kind(), field.is_list())).collect();
    let numbers = (1..).zip(answer.fields()).all(|(number, field)| field.number() == number);
    let revision = answer.fields().nth(wanted.len() - 1).is_some_and(|field| field.name() == "revision");
    let whole = if several { fields == wanted } else { fields.starts_with(&wanted) };
    assert!(
        whole && numbers && revision,
        "{}: {} must have {}, in this order and with these numbers",
        answer.parent_file().name(),
        answer.full_name(),
        match (page, several) {
            (true, _) => "the resources as 1, next_page_token as 2 and revision as 3",
            (false, true) => "the resources as 1 and revision as 2",
            (false, false) => "the resource as 1 and revision as 2",
        }
    );
}

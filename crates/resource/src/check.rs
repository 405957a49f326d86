//! What callers say of a resource, read under a mask and checked.
//!
//! Invariants: a field that the mask does not name is not looked at, so it cannot be at fault. Faults come in
//! the order of the schema: first those of single fields, then those between parts of a field, then those
//! between fields. A field that is at fault by itself counts as not given for those that come after. Fields that
//! methods of their own change are checked before the others in a creation, where they may be given, and after them
//! in an update, where they may only be repeated.

use milepost_proto::resource::{Access, Content, Field, Kind, Resource, Slot, Value};
use milepost_types::{Rejection, Violations};

use crate::content::{check, check_order};
use crate::mask::{CHANGED_BY_METHOD, Mask, changed_by, is_set};
use crate::rules::Rules;

/// Fields that a request says, checked one by one and in their canonical form.
pub struct Fields<R> {
    message: R,
    /// Those to be set.
    inputs: Vec<Input>,
    /// Those that only methods change, with their methods: an update may repeat what is there.
    repeated: Vec<(usize, &'static Field, &'static str)>,
    /// What is wrong with the others.
    faulty: Violations,
}

/// A field to be set, by its index; and those of its parts that are, if it has parts.
struct Input {
    index: usize,
    field: &'static Field,
    parts: Vec<usize>,
}

/// The resource that a message says is to be created, with all its fields that are not at fault. Adds what is wrong to what
/// was found of it before.
pub(crate) fn create<D, R: Rules<D>>(mut message: R, found: &mut Violations) -> R {
    for (i, field, _) in by_method::<R>() {
        check(&mut message, i, field, field.name, found);
    }
    let inputs = inputs(&message, &Mask::All);
    check_inputs::<D, R>(&mut message, &inputs, found);
    let mut resource = R::default();
    copy(&message, &inputs, &mut resource);
    by_method::<R>().for_each(|(i, ..)| resource.copy(i, &message));
    check_parts::<D, R>(&resource, &inputs, found);
    let nothing = R::default();
    let faulty = R::FIELDS.iter().enumerate().filter(|(_, field)| found.are_of(field.name));
    faulty.for_each(|(i, _)| resource.copy(i, &nothing));
    found.check_others(|found| resource.check(found));
    resource.begin();
    resource
}

/// Whether a date is at fault in whose place another day would be taken. What is compared with it cannot be judged then.
pub(crate) fn is_undated<R: Resource>(found: &Violations, is_replaced: impl Fn(&Field) -> bool) -> bool {
    let mut dates = R::FIELDS.iter().filter(|field| field.kind == Kind::Date && is_replaced(field));
    dates.any(|field| found.are_of(field.name))
}

/// Reads the fields of a message that the mask of an update names, but for those that are at fault.
pub(crate) fn read<D, R: Rules<D>>(mut message: R, mask: &Mask, violations: &mut Violations) -> Fields<R> {
    let mut inputs = inputs(&message, mask);
    check_inputs::<D, R>(&mut message, &inputs, violations);
    let given = !matches!(mask, Mask::Paths(_));
    // What the methods check themselves is not looked at.
    let repeated = by_method::<R>().filter(|(i, field, _)| {
        given && field.content != Content::ByMethod && is_set(message.value(*i), field)
    });
    let mut repeated: Vec<_> = repeated.collect();
    for (i, field, _) in &repeated {
        check(&mut message, *i, field, field.name, violations);
    }
    inputs.retain(|input| !violations.are_of(input.field.name));
    repeated.retain(|(_, field, _)| !violations.are_of(field.name));
    Fields { message, inputs, repeated, faulty: violations.clone() }
}

/// Takes fields over into a resource that was `before`. Refuses what only methods change and would be changed;
/// then what is wrong and was not before: what was stored by looser rules may stay as it is.
pub(crate) fn update<D, R: Rules<D>>(
    Fields { message, inputs, repeated, faulty }: &Fields<R>,
    before: &R,
    after: &mut R,
) -> Result<(), Violations> {
    let mut found = Violations::new();
    for (_, field, method) in repeated.iter().filter(|(i, ..)| !before.same(*i, message)) {
        found.push(field.name, CHANGED_BY_METHOD, changed_by(field.name, method));
    }
    if !found.is_empty() {
        return Err(found);
    }
    copy(message, inputs, after);
    let faults = |resource: &R| {
        let mut found = faulty.clone();
        found.check_others(|found| {
            check_parts::<D, R>(resource, inputs, found);
            resource.check(found);
        });
        found
    };
    let found = faults(after);
    if found.is_empty() { Ok(()) } else { found.without(&faults(before)).into_result(()) }
}

/// The fields of a message that callers may set and that the mask names.
fn inputs<R: Resource>(message: &R, mask: &Mask) -> Vec<Input> {
    let input = |(index, field): (usize, &'static Field)| {
        let value = message.value(index);
        if field.parts {
            let parts = parts(mask, value, field);
            return (!parts.is_empty()).then_some(Input { index, field, parts });
        }
        mask.takes(field.name, is_set(value, field)).then(|| Input { index, field, parts: Vec::new() })
    };
    let fields = R::FIELDS.iter().enumerate().filter(|(_, field)| field.access == Access::Input);
    fields.filter_map(input).collect()
}

/// The parts of a field that the mask names.
fn parts(mask: &Mask, value: Value<'_>, field: &Field) -> Vec<usize> {
    let is_set = |i, part| match value {
        Value::Message(Some(message)) => is_set(message.value(i), part),
        _ => false,
    };
    let parts = field.fields.iter().enumerate();
    let named = parts.filter(|(i, part)| mask.takes_part(field.name, part.name, is_set(*i, part)));
    named.map(|(i, _)| i).collect()
}

/// Checks these fields of a message, one by one.
fn check_inputs<D, R: Rules<D>>(message: &mut R, inputs: &[Input], violations: &mut Violations) {
    for Input { index, field, parts } in inputs {
        if field.parts {
            let Slot::Message(Some(node)) = message.slot(*index) else { continue };
            for i in parts {
                let part = &field.fields[*i];
                check(node, *i, part, &format!("{}.{}", field.name, part.name), violations);
            }
        } else {
            check(message, *index, field, field.name, violations);
            message.check_field(field.name, violations);
        }
    }
}

/// Copies these fields of a message.
fn copy<R: Resource>(message: &R, inputs: &[Input], to: &mut R) {
    for Input { index, field, parts } in inputs {
        if field.parts {
            parts.iter().for_each(|part| to.copy_part(*index, *part, message));
        } else {
            to.copy(*index, message);
        }
    }
}

/// Finds what is wrong between the parts of these fields, in a resource that has them.
fn check_parts<D, R: Rules<D>>(resource: &R, inputs: &[Input], violations: &mut Violations) {
    for Input { index, field, .. } in inputs.iter().filter(|input| input.field.parts) {
        if let Value::Message(Some(message)) = resource.value(*index) {
            check_order(message, field.name, violations);
        }
        resource.check_parts(field.name, violations);
    }
}

/// The fields that callers may give at creation, and the methods that change them after that.
fn by_method<R: Resource>() -> impl Iterator<Item = (usize, &'static Field, &'static str)> {
    R::FIELDS.iter().enumerate().filter_map(|(i, field)| match field.access {
        Access::Method(method) => Some((i, field, method)),
        _ => None,
    })
}

/// What a request says, if it breaks no rule of its own; else all that is wrong with it.
pub(crate) fn sound<T>(read: impl FnOnce(&mut Violations) -> Option<T>) -> Result<T, Rejection> {
    let mut violations = Violations::new();
    let value = read(&mut violations);
    Ok(violations.finish(value)?)
}

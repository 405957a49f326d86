//! What callers say of a resource, read under a mask and checked.
//!
//! Invariants: a field that the mask does not name is not looked at, so it cannot be at fault. Faults come in
//! the order of the schema: first those of single fields, then those between parts of a field, then those
//! between fields. Fields that methods of their own change are checked before the others in a creation, where
//! they may be given, and after them in an update, where they may only be repeated.

use milepost_proto::resource::{Access, Content, Field, Resource, Slot, Value};
use milepost_types::{Rejection, Violations};

use crate::content::{check, check_order};
use crate::mask::{CHANGED_BY_METHOD, Mask, changed_by, is_set};
use crate::rules::Rules;

/// Fields that a request says, checked one by one and in their canonical form.
pub struct Fields<R> {
    message: R,
    mask: Mask,
}

impl<R: Resource> Fields<R> {
    /// Reads the fields of a message to be created: all of them.
    pub(crate) fn read_new<D>(mut message: R, violations: &mut Violations) -> Self
    where
        R: Rules<D>,
    {
        for (i, field, _) in by_method::<R>() {
            check(&mut message, i, field, field.name, violations);
        }
        Self::read_inputs(message, Mask::All, violations)
    }

    /// Reads the fields of a message that the mask names.
    pub(crate) fn read<D>(message: R, mask: Mask, violations: &mut Violations) -> Self
    where
        R: Rules<D>,
    {
        let mut fields = Self::read_inputs(message, mask, violations);
        let repeated: Vec<_> = fields.repeated().collect();
        for (i, field, _) in repeated {
            check(&mut fields.message, i, field, field.name, violations);
        }
        fields
    }

    fn read_inputs<D>(mut message: R, mask: Mask, violations: &mut Violations) -> Self
    where
        R: Rules<D>,
    {
        for (i, field) in inputs::<R>() {
            if field.parts {
                let named = parts(&mask, &message, i, field);
                let Slot::Message(Some(node)) = message.slot(i) else { continue };
                for (j, part) in named {
                    check(node, j, part, &format!("{}.{}", field.name, part.name), violations);
                }
            } else if mask.takes(field.name, is_set(message.value(i), field)) {
                check(&mut message, i, field, field.name, violations);
                R::check_field(&message, field.name, violations);
            }
        }
        Self { message, mask }
    }

    /// The resource that a creation says; else what is wrong between parts, or between fields if nothing else was.
    pub(crate) fn create<D>(&self, sound: bool) -> Result<R, Violations>
    where
        R: Rules<D>,
    {
        let mut resource = R::default();
        self.copy(&mut resource);
        by_method::<R>().for_each(|(i, ..)| resource.copy(i, &self.message));
        let mut violations = Violations::new();
        self.check_parts(&resource, &mut violations);
        if sound && violations.is_empty() {
            R::check(&resource, &mut violations);
        }
        R::begin(&mut resource);
        violations.into_result(resource)
    }

    /// Takes these fields over into a resource that was `before`. Refuses what only methods change and would be
    /// changed; then what is wrong and was not before: what was stored by looser rules may stay as it is.
    pub(crate) fn update<D>(&self, before: &R, after: &mut R) -> Result<(), Violations>
    where
        R: Rules<D>,
    {
        let mut found = Violations::new();
        for (_, field, method) in self.repeated().filter(|(i, ..)| !before.same(*i, &self.message)) {
            found.push(field.name, CHANGED_BY_METHOD, changed_by(field.name, method));
        }
        if !found.is_empty() {
            return Err(found);
        }
        self.copy(after);
        self.check_parts(after, &mut found);
        R::check(after, &mut found);
        if found.is_empty() {
            return Ok(());
        }
        let mut held = Violations::new();
        self.check_parts(before, &mut held);
        R::check(before, &mut held);
        found.without(&held).into_result(())
    }

    /// The fields that an update gives though only methods change them: it may repeat what is there. What the
    /// methods check themselves is not looked at.
    fn repeated(&self) -> impl Iterator<Item = (usize, &'static Field, &'static str)> {
        let by_method = by_method::<R>().filter(|(_, field, _)| field.content != Content::ByMethod);
        let given = !matches!(self.mask, Mask::Paths(_));
        by_method.filter(move |(i, field, _)| given && is_set(self.message.value(*i), field))
    }

    fn copy(&self, to: &mut R) {
        for (i, field) in inputs::<R>() {
            if field.parts {
                for (j, _) in parts(&self.mask, &self.message, i, field) {
                    to.copy_part(i, j, &self.message);
                }
            } else if self.mask.takes(field.name, is_set(self.message.value(i), field)) {
                to.copy(i, &self.message);
            }
        }
    }

    /// Finds what is wrong between the parts of fields that the mask names, in a resource that has them.
    fn check_parts<D>(&self, resource: &R, violations: &mut Violations)
    where
        R: Rules<D>,
    {
        for (i, field) in inputs::<R>().filter(|(_, field)| field.parts) {
            if parts(&self.mask, &self.message, i, field).is_empty() {
                continue;
            }
            if let Value::Message(Some(message)) = resource.value(i) {
                check_order(message, field.name, violations);
            }
            R::check_parts(resource, field.name, violations);
        }
    }
}

/// The fields that callers may set.
fn inputs<R: Resource>() -> impl Iterator<Item = (usize, &'static Field)> {
    R::FIELDS.iter().enumerate().filter(|(_, field)| field.access == Access::Input)
}

/// The fields that callers may give at creation, and the methods that change them after that.
fn by_method<R: Resource>() -> impl Iterator<Item = (usize, &'static Field, &'static str)> {
    R::FIELDS.iter().enumerate().filter_map(|(i, field)| match field.access {
        Access::Method(method) => Some((i, field, method)),
        _ => None,
    })
}

/// The parts of a field that the mask names.
fn parts<R: Resource>(
    mask: &Mask,
    message: &R,
    index: usize,
    field: &'static Field,
) -> Vec<(usize, &'static Field)> {
    let is_set = |j, part| match message.value(index) {
        Value::Message(Some(message)) => is_set(message.value(j), part),
        _ => false,
    };
    let parts = field.fields.iter().enumerate();
    parts.filter(|(j, part)| mask.takes_part(field.name, part.name, is_set(*j, part))).collect()
}

/// What a request says, if it breaks no rule of its own; else all that is wrong with it.
pub(crate) fn sound<T>(read: impl FnOnce(&mut Violations) -> Option<T>) -> Result<T, Rejection> {
    let mut violations = Violations::new();
    let value = read(&mut violations);
    Ok(violations.finish(value)?)
}

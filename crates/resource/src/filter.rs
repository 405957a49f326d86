//! Resources as filters see them: every field of the schema can be filtered by.
//!
//! Which fields there are, and where, is generated. In lists `:` asks for a member.

use std::collections::BTreeMap;

use milepost_proto::resource::{Facts, Field, FilterPath, Kind, Leaf, Node, Resource, Value};
use milepost_types::filter::{self, CurrentDate};

use crate::value;

/// A resource, as filters see it.
pub struct FilterRow<'a> {
    paths: &'static [FilterPath],
    node: &'a dyn Node,
    current_date: &'a dyn Fn() -> Option<CurrentDate>,
}

/// The field of this path, as filters have it.
pub(crate) fn field<R: Resource>(path: &str) -> Option<usize> {
    R::FILTER.iter().position(|field| field.path() == path)
}

/// The number of the resource's field that the filter's field of this id is, or is in.
pub fn field_number<R: Resource>(id: usize) -> Option<u32> {
    let step = R::FILTER_PATHS.get(id)?.steps.first()?;
    Some(R::FIELDS.get(*step)?.number)
}

impl<'a> FilterRow<'a> {
    /// A resource, and what `today()` means for it.
    pub fn of<R: Resource>(resource: &'a R, current_date: &'a dyn Fn() -> Option<CurrentDate>) -> Self {
        Self { paths: R::FILTER_PATHS, node: resource, current_date }
    }

    /// The same, of a resource that an event carries.
    pub fn carried(
        facts: Facts,
        node: &'a dyn Node,
        current_date: &'a dyn Fn() -> Option<CurrentDate>,
    ) -> Self {
        Self { paths: facts.filter_paths, node, current_date }
    }

    /// Calls `visit` with the values at a path, more than one inside lists, until it answers true.
    fn visit(&self, field: usize, visit: &mut dyn FnMut(filter::Value<'a>) -> bool) -> bool {
        self.paths.get(field).is_some_and(|path| walk(self.node, path.steps, path.leaf, visit))
    }

    fn map(&self, field: usize) -> Option<&'a BTreeMap<String, String>> {
        let [index] = self.paths.get(field)?.steps[..] else { return None };
        match self.node.value(index) {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }
}

fn walk<'a>(
    node: &'a dyn Node,
    steps: &[usize],
    leaf: Leaf,
    visit: &mut dyn FnMut(filter::Value<'a>) -> bool,
) -> bool {
    let Some((index, rest)) = steps.split_first() else { return false };
    match node.value(*index) {
        Value::Message(Some(message)) if !rest.is_empty() => walk(message, rest, leaf, visit),
        Value::Messages(messages) => (0..messages.len()).any(|i| match messages.node(i) {
            Some(message) if !rest.is_empty() => walk(message, rest, leaf, visit),
            message => message.is_some() && visit(filter::Value::Message),
        }),
        Value::Texts(texts) => texts.iter().any(|text| visit(filter::Value::text(text))),
        Value::Ints(numbers) => {
            let field = &node.fields()[*index];
            let value = |number| match field.kind {
                Kind::Enum => scalar(Value::Enum(number), field, leaf),
                _ => i64::from(number).into(),
            };
            numbers.iter().any(|number| visit(value(*number)))
        }
        Value::Dates(dates) => dates.iter().any(|date| visit(value::date(Some(date)).into())),
        Value::Amounts(amounts) => amounts.iter().any(|amount| visit(of_money(amount, leaf))),
        value => visit(scalar(value, &node.fields()[*index], leaf)),
    }
}

/// A value that is neither a message nor a list. An enum's value that this version does not know is absent.
fn scalar<'a>(given: Value<'a>, field: &Field, leaf: Leaf) -> filter::Value<'a> {
    match given {
        Value::Text(text) => match leaf {
            Leaf::Ancestor(collections) => filter::Value::text(ancestor(text, collections)),
            _ => filter::Value::text(text),
        },
        Value::Bool(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::Enum(number) => {
            let at = field.numbers.iter().position(|known| *known == number);
            at.map(|at| field.names[at]).into()
        }
        Value::Date(date) => value::date(date).into(),
        Value::Instant(instant) => value::instant(instant).into(),
        Value::Double(value) => value.into(),
        Value::Money(Some(amount)) => of_money(amount, leaf),
        Value::Message(Some(_)) => filter::Value::Message,
        _ => filter::Value::Absent,
    }
}

/// The name of what is under so many collections, from the left; empty if the name is not under it.
fn ancestor(name: &str, collections: usize) -> &str {
    let end = name.match_indices('/').nth(2 * collections - 1);
    end.map_or("", |(end, _)| &name[..end])
}

fn of_money(amount: &milepost_proto::google::r#type::Money, leaf: Leaf) -> filter::Value<'_> {
    match leaf {
        Leaf::Whole | Leaf::Ancestor(_) => value::money(Some(amount)).into(),
        Leaf::Currency => filter::Value::text(&amount.currency_code),
        Leaf::Units => amount.units.into(),
    }
}

impl filter::Fields<usize> for FilterRow<'_> {
    fn value(&self, field: usize) -> filter::Value<'_> {
        let mut found = filter::Value::Absent;
        self.visit(field, &mut |value| {
            found = value;
            true
        });
        found
    }

    fn any_value(&self, field: usize, test: &dyn Fn(&filter::Value<'_>) -> bool) -> bool {
        match self.map(field) {
            Some(map) => map.keys().any(|key| test(&filter::Value::from(key.as_str()))),
            None => self.visit(field, &mut |value| value != filter::Value::Absent && test(&value)),
        }
    }

    fn current_date(&self) -> Option<CurrentDate> {
        (self.current_date)()
    }

    fn entry(&self, field: usize, key: &str) -> Option<&str> {
        self.map(field)?.get(key).map(String::as_str)
    }
}

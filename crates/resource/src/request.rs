//! Reading requests: names, etags, ids to be, resources, what custom methods are given, and what lists ask for.
//!
//! Invariant: reading finds every fault at once, each under the field of the request that it was found in;
//! what is read then is no more than what further faults are found by: what is at fault counts as not given.
//! Output-only fields are not read. A page token is good for the request that it was made for and no other: its digest
//! covers parent, filter, order and whether deleted ones are shown, in canonical spelling.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::Direction;
use milepost_proto::google::r#type as gtype;
use milepost_proto::resource::{
    Creatable, CreateRequest, ListRequest, Mutable, Resource, TargetRequest, UpdateRequest,
};
use milepost_service::access::Scopes;
use milepost_service::value::{date, said};
use milepost_types::filter::Schema;
use milepost_types::{
    Etag, Fault as _, Filter, OrderBy, Rejection, ResourceId, Violations, limits, page_size, text,
};

use crate::command::{Act, Custom, New, Run, Standard, Target};
use crate::days::Dates;
use crate::list::{Page, Query, list, orders};
use crate::mask::Mask;
use crate::name::{Name, ParentIds};
use crate::rules::{Rows, Rules};
use crate::token::{Listed, MALFORMED, Paging, SortKey, TokenFormat};
use crate::{check, row};

/// The ids of the parent in a request to create, which must be one and there.
pub(crate) fn parent<R: Resource>(given: &str, violations: &mut Violations) -> Option<Vec<ResourceId>> {
    violations.check("parent", R::TYPE.parent_ids(given))
}

/// What a request to create says, but for its parent, which was read.
pub fn create<D, R: Rules<D> + Creatable>(
    request: &mut R::Create,
    field: String,
    parent: Option<Vec<ResourceId>>,
    violations: &mut Violations,
) -> Option<New<R>> {
    let id = id::<R>(request, violations);
    let resource = resource::<D, R>(request, violations, Violations::new());
    Some(New { field, parent: parent?, id: id?, resource: resource? })
}

fn id<R: Creatable>(request: &R::Create, violations: &mut Violations) -> Option<Option<ResourceId>> {
    let given = Some(request.id()).filter(|id| !id.is_empty());
    let shape = R::TYPE.shape();
    if shape.is_of_year() && given.is_none() {
        return violations.require(R::Create::ID, None);
    }
    violations.check_optional(R::Create::ID, given, |id| shape.id(id))
}

/// The resource of a request to create, of which this was found already.
fn resource<D, R: Rules<D> + Creatable>(
    request: &mut R::Create,
    violations: &mut Violations,
    mut found: Violations,
) -> Option<R> {
    let resource = violations.require(R::TYPE.singular, request.take_resource())?;
    let created = check::create::<D, R>(resource, &mut found);
    // Where a day need not be given, it is today, or follows from others.
    let is_undated = check::is_undated::<R>(&found, |field| !field.required);
    violations.nest(R::TYPE.singular, found);
    (!is_undated).then_some(created)
}

/// The names of resources in a list, each with its index.
pub fn names<R: Resource>(
    field: &str,
    given: &[String],
    violations: &mut Violations,
) -> Vec<(usize, Name<R>)> {
    let mut names = Vec::with_capacity(given.len());
    for (i, name) in given.iter().enumerate() {
        match name.parse::<Name<R>>() {
            Ok(name) => names.push((i, name)),
            // Not by `check`, which would make a path for each: they may be ten thousand.
            Err(error) => error.record(format!("{field}[{i}]"), violations),
        }
    }
    names
}

/// One resource to be created; what was `found` wrong with its fields already comes before its other faults.
pub fn read_create<D, R: Rules<D> + Creatable>(
    mut request: R::Create,
    violations: &mut Violations,
    found: Violations,
) -> Option<Box<dyn Act<D>>> {
    let parent = parent::<R>(request.parent(), violations);
    let id = id::<R>(&request, violations);
    let resource = resource::<D, R>(&mut request, violations, found);
    let field = R::TYPE.singular.to_owned();
    let new = New { field, parent: parent?, id: id?, resource: resource? };
    Some(Box::new(Standard::Create { new: vec![new], answer: None }))
}

/// The fields of a resource that are to be changed.
pub fn read_update<D, R: Rules<D> + Mutable>(
    mut request: R::Update,
    violations: &mut Violations,
) -> Option<Box<dyn Act<D>>> {
    let mask = Mask::read(request.take_update_mask(), R::FIELDS, violations);
    let singular = R::TYPE.singular;
    let resource = violations.require(singular, request.take_resource())?;
    let name = violations.check(format!("{singular}.name"), resource.name().parse());
    let etag = violations.check(format!("{singular}.etag"), Etag::from_field(resource.etag()));
    let mut found = Violations::new();
    let fields = check::read::<D, R>(resource, &mask?, &mut found);
    // The stored day would be taken.
    let is_undated = check::is_undated::<R>(&found, |_| true);
    violations.nest(singular, found);
    if is_undated {
        return None;
    }
    Some(Box::new(Standard::Update(Target { name: name?, etag: etag? }, fields)))
}

/// What is to be done to the resource that a request names, with what else it says.
pub fn act<D: 'static, R: Rules<D>, A: Send + Sync + 'static>(
    request: &impl TargetRequest,
    run: Run<D, R, A>,
    violations: &mut Violations,
    read: impl FnOnce(&mut Violations) -> Option<A>,
) -> Option<Box<dyn Act<D>>> {
    let target = target::<R>(request, violations);
    let arguments = read(violations);
    Some(Custom::act(target?, arguments?, run))
}

/// A date that need not be given.
pub fn optional_date(
    field: &str,
    given: Option<gtype::Date>,
    violations: &mut Violations,
) -> Option<Option<Date>> {
    violations.check_optional(field, given, date)
}

/// How the text of a field is read: [`required_text`] or [`optional_text`].
pub type ReadText = fn(&str, &str, &mut Violations) -> String;

/// A text that must be given; of one that is at fault nothing.
pub fn required_text(field: &str, given: &str, violations: &mut Violations) -> String {
    violations.check(field, text::text(given)).unwrap_or_default()
}

/// A text that need not be given; of one that is at fault nothing.
pub fn optional_text(field: &str, given: &str, violations: &mut Violations) -> String {
    violations.check(field, said(given.to_owned(), text::text)).unwrap_or_default()
}

/// Why something is done, and on which day.
pub fn reason_and_day(
    reason: &str,
    day: Option<gtype::Date>,
    violations: &mut Violations,
) -> Option<(String, Option<Date>)> {
    let reason = required_text("reason", reason, violations);
    let day = optional_date("date", day, violations);
    Some((reason, day?))
}

/// A value of an enum, none said included.
pub fn enum_value<E: TryFrom<i32>>(field: &str, number: i32, violations: &mut Violations) -> Option<E> {
    let value = E::try_from(number).ok();
    if value.is_none() {
        unknown_value(field, number, violations);
    }
    value
}

/// Values of an enum, not too many, each of which says something.
pub fn enum_values<E: TryFrom<i32> + Default + PartialEq>(
    field: &str,
    numbers: &[i32],
    violations: &mut Violations,
) -> Option<Vec<E>> {
    if !violations.check_count(field, numbers.len(), limits::ENUM_VALUES) {
        return None;
    }
    let mut values = Vec::with_capacity(numbers.len());
    for (i, number) in numbers.iter().enumerate() {
        match E::try_from(*number) {
            Ok(value) if value != E::default() => values.push(value),
            _ => unknown_value(&format!("{field}[{i}]"), *number, violations),
        }
    }
    (values.len() == numbers.len()).then_some(values)
}

/// Records a number that is no value of its enum.
pub(crate) fn unknown_value(field: &str, number: i32, violations: &mut Violations) {
    let description = format!("there is no value {number}; give one of the schema");
    violations.push(field, "UNKNOWN_ENUM_VALUE", description);
}

/// The resource that a request is about, and the etag that it must have.
pub fn target<R: Resource>(request: &impl TargetRequest, violations: &mut Violations) -> Option<Target<R>> {
    let name = violations.check("name", request.name().parse());
    let etag = violations.check("etag", Etag::from_field(request.etag()));
    Some(Target { name: name?, etag: etag? })
}

/// A list request, read.
pub struct List {
    query: Query,
    format: &'static dyn TokenFormat,
    paging: Paging,
}

impl List {
    /// The page that it asks for, on these rows.
    ///
    /// # Errors
    /// If the parent is not there, or a row that is needed cannot be decoded.
    pub fn page<D: Dates, R: Rules<D>>(
        &self,
        rows: &Rows<'_, D>,
        now: Timestamp,
    ) -> Result<Page<R>, Rejection> {
        list::<D, R>(rows, now, &self.query)
    }

    /// The token of the page after one that was read at `sequence`; empty if there is none.
    pub fn next_page_token(&self, next: Option<SortKey>, sequence: u64) -> String {
        self.paging.next(next.map(|after| self.format.encode(&after)), sequence)
    }
}

/// Reads a list request of a caller who may see what is in these scopes.
///
/// # Errors
/// All that is wrong with it; then what is wrong with its token.
pub fn read_list<D, R: Rules<D>>(request: &R::List, scopes: &Scopes) -> Result<List, Rejection> {
    let mut violations = Violations::new();
    let parent = violations.check("parent", ParentIds::read::<R>(request.parent().unwrap_or_default()));
    let size = violations.check("page_size", page_size(request.page_size()));
    let orders = orders::<D, R>();
    let order = violations.check("order_by", OrderBy::parse(request.order_by(), &orders));
    if order.as_ref().is_some_and(|order| order.terms().len() > 1) {
        let description = "order by one field; the name decides what it leaves open";
        violations.push("order_by", "INVALID_ORDER_BY", description);
    }
    let filter = match Filter::parse(request.filter(), &Schema::new(R::FILTER)) {
        Ok(filter) => Some(filter),
        Err(error) if violations.is_empty() => return Err(Rejection::Filter { field: "filter", error }),
        Err(error) => violations.check("filter", Err(error)),
    };
    let all = || Some((parent?, size?, order?, filter?));
    let (parent, size, order, filter) = violations.finish(all())?;
    let (order, direction) = match order.terms().first() {
        Some(term) if term.descending => (term.field, Direction::Backward),
        Some(term) => (term.field, Direction::Forward),
        None => (None, Direction::Forward),
    };
    let (format, show_deleted) = (R::TOKENS, request.show_deleted());
    let (text, canonical) = (parent.text::<R>(), filter.to_string());
    let listed = Listed { parent: text, filter: canonical, order, direction, show_deleted };
    let (roots, seen) = (parent.seen::<R>(scopes), scopes.clone());
    let mut parts = format.list(&listed);
    // A token is good only for who may see the same.
    parts.extend((!parent.is_seen_whole::<R>(scopes)).then(|| scopes.to_string()));
    let paging = Paging::read(R::List::METHOD, parts, request.page_token())?;
    // What is no key of these rows is nothing to go on after.
    let is_key = |after: &SortKey| row::name::<D, R>(&after.key).is_some();
    let after = |after: &Vec<u8>| format.decode(after, order.is_some()).filter(is_key).ok_or(MALFORMED);
    let after = paging.after.as_ref().map(after).transpose()?;
    Ok(List {
        query: Query { parent, roots, seen, filter, order, direction, show_deleted, size, after },
        format,
        paging,
    })
}

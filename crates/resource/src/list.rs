//! Lists: filtered, ordered, page by page, read from the rows as they are.
//!
//! Invariants: every order is total, because the name decides last; a page goes on after the sort key of the
//! last one read, not after a count, so what comes and goes between pages neither repeats nor hides what
//! stays. A page holds no more than one answer does ([`Room`]) and reads no more rows than any page does
//! ([`Search`]): a search for few among many is cut into pages that may hold few, even none, and still have a
//! next one. What a list can be ordered by is an index; only what is under one parent may be sorted instead, if
//! the index has what is under others between it. Of what the caller may not see no row is read: where a page ends,
//! and what its token says, is as if it was not there. What that leaves of one parent is sorted for each page, however
//! many there are: that costs one who may see only a part of what an index is of, and has many thousands there.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::{Direction, KeyRange, Read};
use milepost_proto::resource::Resource;
use milepost_service::access::Scopes;
use milepost_service::merge::merged;
use milepost_types::filter::{Operand, Pattern};
use milepost_types::{DamagedRow, Filter, Rejection, ResourceId, Room, Search, limits};

use crate::days::{Dates, Days};
use crate::filter::{FilterRow, field as filter_field, field_number};
use crate::index::{self, By, Index};
use crate::name::{Name, ParentIds};
use crate::row::{self, field_numbers, read_fields};
use crate::rules::{Parent, Rows, Rules};
use crate::scan::{IndexScan, ScanItems, by_name, sorted};
use crate::token::SortKey;

/// What a list asks for.
pub(crate) struct Query {
    pub(crate) parent: ParentIds,
    /// The ids of what of it is listed, each of them the parent's or more; none is under another.
    pub(crate) roots: Vec<Vec<ResourceId>>,
    /// What the caller may see.
    pub(crate) seen: Scopes,
    pub(crate) filter: Filter<usize>,
    /// The index to order by; none for the order of names.
    pub(crate) order: Option<&'static str>,
    pub(crate) direction: Direction,
    pub(crate) show_deleted: bool,
    /// How many resources a page has at most.
    pub(crate) size: usize,
    /// Where the page before ended.
    pub(crate) after: Option<SortKey>,
}

/// A page.
pub struct Page<R: Resource> {
    /// Their names.
    pub names: Vec<Name<R>>,
    /// The encoded resources.
    pub resources: Vec<Bytes>,
    /// Where it ended, if there may be more.
    pub next: Option<SortKey>,
    /// How many rows were read for it.
    pub scanned: usize,
}

/// What lists of a resource can be ordered by besides names: the first field of each such index.
pub(crate) fn orders<D, R: Rules<D>>() -> Vec<(&'static str, Option<&'static str>)> {
    let mut orders = vec![("name", None)];
    for index in R::INDEXES.iter().filter(|index| index.orders) {
        let order = (index.first(), Some(index.first()));
        if !orders.contains(&order) {
            orders.push(order);
        }
    }
    orders
}

/// A page of resources.
pub(crate) fn list<D: Dates, R: Rules<D>>(
    rows: &Rows<'_, D>,
    now: Timestamp,
    query: &Query,
) -> Result<Page<R>, Rejection> {
    R::Above::check_there(rows, &query.parent.0)?;
    let (mut room, mut search) = (Room::page(query.size), Search::default());
    let (mut names, mut resources, mut next, mut last) = (Vec::new(), Vec::new(), None, None);
    let days = Days::new(rows, now);
    let filter_fields = filter_fields::<R>(&query.filter);
    // An index that is under fewer ids than a root has goes through those of others too.
    let roots: Vec<_> = query.roots.iter().map(|root| rows_under::<D, R>(root)).collect();
    let within = |key: &[u8]| roots.iter().any(|root| root.contains(key));
    let each = query.roots.iter().map(|root| items::<D, R>(rows.read, query, root));
    let each = each.collect::<Result<Vec<_>, DamagedRow>>()?;
    for item in merged(each, query.direction) {
        if room.is_full() {
            next = last;
            break;
        }
        let key = &item.sort_key.key;
        // Index and rows are of one cut, so the row is there.
        let missing = || row::damaged::<D, R>(key, "an index has it, but it is not there");
        let row = match item.row {
            None if within(key) => Some(rows.read.get(key).ok_or_else(missing)?),
            row => row,
        };
        if !search.count_row(row.as_ref().map_or(0, Bytes::len)) {
            next = last;
            break;
        }
        let shown =
            row.map(|row| listed::<D, R>(rows, query, &filter_fields, &days, key, row)).transpose()?;
        if let Some((name, shown)) = shown.flatten() {
            if !room.admit(shown.len()) {
                next = last;
                break;
            }
            names.push(name);
            resources.push(shown);
        }
        last = Some(item.sort_key);
    }
    days.check()?;
    Ok(Page { names, resources, next, scanned: search.rows() })
}

/// The numbers of the fields that say whether a row is listed.
fn filter_fields<R: Resource>(filter: &Filter<usize>) -> Vec<u32> {
    let mut numbers = field_numbers::<R>(&["name", "delete_time"]);
    filter.any_comparison(|comparison| {
        numbers.extend(field_number::<R>(comparison.field()));
        false
    });
    numbers
}

/// The name of a row and what the list shows of it, if it is listed.
fn listed<D: Dates, R: Rules<D>>(
    rows: &Rows<'_, D>,
    query: &Query,
    filter_fields: &[u32],
    days: &Days<'_, D>,
    key: &[u8],
    row: Bytes,
) -> Result<Option<(Name<R>, Bytes)>, Rejection> {
    let damaged = |error| row::damaged::<D, R>(key, error);
    let is_listed = |resource: &R| {
        let current_date = || days.of(resource.name());
        let is_shown = query.show_deleted || resource.delete_time().is_none();
        is_shown && query.filter.matches(&FilterRow::of(resource, &current_date))
    };
    let name = || row::name::<D, R>(key).ok_or_else(|| row::damaged::<D, R>(key, "its key is no name"));
    if R::UPGRADE.is_some() {
        let stored = row::decode::<D, R>(row).map_err(damaged)?;
        if !is_listed(&stored.resource) {
            return Ok(None);
        }
        let name = name()?;
        let shown = row::show_decoded(rows, days.now(), &name, stored)?;
        return Ok(Some((name, shown)));
    }
    // Most rows of a search are not listed: of those no more is decoded than says so.
    if !is_listed(&read_fields(&row, filter_fields).map_err(damaged)?) {
        return Ok(None);
    }
    let name = name()?;
    let shown = row::show(rows, days.now(), &name, row)?;
    Ok(Some((name, shown)))
}

fn items<'a, D, R: Rules<D>>(
    rows: &'a dyn Read,
    query: &Query,
    root: &[ResourceId],
) -> Result<ScanItems<'a>, DamagedRow> {
    let Query { direction, ref after, .. } = *query;
    if let Some(order) = query.order {
        let scan = ordered::<D, R>(query, root, order);
        if scan.index.under < root.len() {
            let range = names::<D, R>(query, root);
            // Where it has rows between that the caller may not see, it is not read, however many there are to sort.
            let above = ParentIds(root[..scan.index.under].to_vec());
            let most = above.is_seen_whole::<R>(&query.seen).then_some(limits::PAGE_ROWS);
            if let Some(items) = sorted::<D, R>(rows, &range, scan.index, direction, after.as_ref(), most)? {
                return Ok(items);
            }
        }
        return Ok(by_index::<D, R>(rows, query, root, &[scan]));
    }
    let is_one = root.len() == R::TYPE.collections.len() || one_name::<R>(query).is_some();
    Ok(match equal::<D, R>(query).filter(|_| !is_one) {
        Some(scans) => by_index::<D, R>(rows, query, root, &scans),
        None => by_name(rows, names::<D, R>(query, root), direction, after.as_ref()),
    })
}

/// Scans of one order, under each of the parents that a root leaves open, merged.
fn by_index<'a, D, R: Rules<D>>(
    rows: &'a dyn Read,
    query: &Query,
    root: &[ResourceId],
    scans: &[IndexScan],
) -> ScanItems<'a> {
    let mut each = Vec::new();
    for scan in scans {
        let below = root.get(scan.index.under..).unwrap_or_default();
        for ids in scan.prefixes(rows, root) {
            each.push(scan.items::<D, R>(rows, &ids, below, query.direction, query.after.as_ref()));
        }
    }
    Box::new(merged(each, query.direction))
}

/// The index that a query orders by: the one under as many ids as the root has, or else under the fewest.
fn ordered<D, R: Rules<D>>(query: &Query, root: &[ResourceId], order: &str) -> IndexScan {
    let indexes = || R::INDEXES.iter().filter(|index| index.orders && index.first() == order);
    let within = indexes().filter(|index| index.under <= root.len()).max_by_key(|index| index.under);
    let index = within.or_else(|| indexes().min_by_key(|index| index.under));
    let index = index.unwrap_or_else(|| panic!("{order} is an order of {}", R::TYPE.name));
    let is_text = index.ends_with_text::<R>() && index.by.len() == 1;
    let beginning =
        filter_field::<R>(order).filter(|_| is_text).and_then(|path| query.filter.prefix_on(path));
    let fields = beginning.unwrap_or_default().as_bytes().to_vec();
    IndexScan { index, fields, equal: false }
}

/// What the filter leaves of an index of whose only field it says the value, or alternatives: each is in the order
/// of names, and no resource is in two.
fn equal<D, R: Rules<D>>(query: &Query) -> Option<Vec<IndexScan>> {
    let usable = |index: &&Index| {
        let complete = index.when.is_empty() && !(index.live && query.show_deleted);
        let whole = index.under + 1 >= R::TYPE.collections.len() || R::TYPE.floats;
        complete && index.by.len() == 1 && whole
    };
    R::INDEXES.iter().filter(usable).find_map(|index| {
        let (path, operands) = match &index.by[0] {
            By::Field(name) => (std::slice::from_ref(name), query.filter.one_of(filter_field::<R>(name)?)?),
            // With two values one resource would be found twice.
            By::Path(path) => (*path, vec![query.filter.member_on(filter_field::<R>(&path.join("."))?)?]),
            _ => return None,
        };
        let field = index::field_at::<R>(path);
        let values = operands.into_iter().map(|operand| index::equal(field, operand));
        let values = values.collect::<Option<BTreeSet<_>>>()?;
        Some(values.into_iter().map(|fields| IndexScan { index, fields, equal: true }).collect())
    })
}

/// The one name that the filter leaves, as it says it.
fn one_name<R: Resource>(query: &Query) -> Option<&str> {
    match query.filter.equality_on(filter_field::<R>("name")?)? {
        Operand::Text(Pattern::Whole(name)) => Some(name),
        _ => None,
    }
}

/// The rows under a root, or the one that it names.
fn rows_under<D, R: Rules<D>>(root: &[ResourceId]) -> KeyRange {
    // What floats is listed with all that is under a root.
    match Name::<R>::of(root.to_vec()) {
        Some(name) if !R::TYPE.floats => only(row::key::<D, R>(&name)),
        _ => KeyRange::prefix(&row::key_under::<D, R>(root).done()),
    }
}

fn only(start: Vec<u8>) -> KeyRange {
    let end = Some([start.as_slice(), &[0]].concat());
    KeyRange { start, end }
}

/// The rows that a root and the filter's name leave.
fn names<D, R: Rules<D>>(query: &Query, ids: &[ResourceId]) -> KeyRange {
    let depth = R::TYPE.collections.len() - 1;
    if let Some(name) = one_name::<R>(query) {
        let name = name.parse().ok().filter(|name: &Name<R>| name.ids().starts_with(ids));
        // Nothing has the empty key.
        return only(name.map(|name| row::key::<D, R>(&name)).unwrap_or_default());
    }
    if ids.len() != depth || R::TYPE.floats {
        return rows_under::<D, R>(ids);
    }
    let key = row::key_under::<D, R>(ids);
    let segments = R::TYPE.collections.iter().zip(ids).map(|(collection, id)| format!("{collection}/{id}/"));
    let collection = format!("{}{}/", segments.collect::<String>(), R::TYPE.collections[depth]);
    let beginning = filter_field::<R>("name").and_then(|path| query.filter.prefix_on(path));
    let beginning = beginning.and_then(|name| name.strip_prefix(&collection));
    KeyRange::prefix(&key.beginning(beginning.unwrap_or_default()).done())
}

//! What a version consists of: what is wrong with it, all at once.
//!
//! Invariants: items that pass are named once, count their dates from each other without a circle, and refer to items
//! that there are; they fit a row, and what is made of them an entry. Whether dates exist is found when they are counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use milepost_proto::tracker::v1::TemplateItem;
use milepost_proto::tracker::v1::milestone::Gate;
use milepost_proto::tracker::v1::template_item::Anchor;
use milepost_proto::tracker::v1::template_offset::Unit;
use milepost_resource::encoded_len;
use milepost_types::{ResourceId, Violations, limits, quoted};

use crate::milestone::CONSTRUCTION_START;

/// Finds what is wrong with the items of a version beyond the schema.
pub(super) fn check_items(items: &[TemplateItem], violations: &mut Violations) {
    let by_id: HashMap<&str, usize> =
        items.iter().enumerate().rev().map(|(i, item)| (item.id.as_str(), i)).collect();
    let types: BTreeSet<&str> = items.iter().map(|item| item.r#type.as_str()).collect();
    for (i, item) in items.iter().enumerate() {
        let mut found = Violations::new();
        if item.id.is_empty() {
            // That it is missing is said already.
        } else if by_id.get(item.id.as_str()) != Some(&i) {
            found.push("id", "DUPLICATE", "another item of the version has this id");
        } else {
            found.check("id", item.id.parse::<ResourceId>());
        }
        check_anchor(item, &by_id, &mut found);
        check_satisfied(item, &mut found);
        check_gate(item, items, &by_id, &mut found);
        check_validity(item, &types, &mut found);
        violations.nest(&format!("items[{i}]"), found);
    }
    check_cycles(items, &by_id, violations);
    check_couplings(items, violations);
    let bytes: usize = items.iter().map(encoded_len).sum();
    if bytes > limits::TEMPLATE_ITEM_BYTES {
        let limit = limits::TEMPLATE_ITEM_BYTES;
        let description = format!("the items take {bytes} bytes, more than {limit}; shorten their texts");
        violations.push("items", "TOO_LARGE", description);
    }
}

/// Records an id that names no item.
fn check_known(path: &str, id: &str, by_id: &HashMap<&str, usize>, found: &mut Violations) {
    if !by_id.contains_key(id) {
        found.push(path, "UNKNOWN_ITEM", format!("no item of the version has the id {}", quoted(id)));
    }
}

fn check_anchor(item: &TemplateItem, by_id: &HashMap<&str, usize>, found: &mut Violations) {
    let anchor = item.anchor();
    match (anchor, item.anchor_item.as_str()) {
        (Anchor::Item, "") => {
            found.push("anchor_item", "REQUIRED", "say which item the date is counted from, by its id");
        }
        (Anchor::Item, id) => check_known("anchor_item", id, by_id, found),
        (_, "") => {}
        _ => {
            let description = "only an anchor ITEM has an item; say so in anchor, or leave this out";
            found.push("anchor_item", "NOT_ALLOWED", description);
        }
    }
    let Some(offset) = &item.offset else { return };
    if anchor == Anchor::Unspecified {
        found.push("offset", "NOT_ALLOWED", "there is no anchor to count from; give one, or leave this out");
    }
    let limit = match offset.unit() {
        Unit::Unspecified => return,
        Unit::WorkingDays | Unit::CalendarDays => limits::TEMPLATE_OFFSET_DAYS,
        Unit::Months => limits::TEMPLATE_OFFSET_MONTHS,
    };
    if !(-limit..=limit).contains(&offset.n) {
        found.push("offset.n", "OUT_OF_RANGE", format!("{} is not from -{limit} to {limit}", offset.n));
    }
}

fn check_satisfied(item: &TemplateItem, found: &mut Violations) {
    let mut codes = BTreeSet::new();
    for (i, requirement) in item.satisfies.iter().enumerate().filter(|(_, given)| !given.code.is_empty()) {
        let path = format!("satisfies[{i}].code");
        if codes.insert(&requirement.code) {
            found.check(path, requirement.code.parse::<ResourceId>());
        } else {
            found.push(path, "DUPLICATE", "the item satisfies this requirement already");
        }
    }
}

fn check_gate(
    item: &TemplateItem,
    items: &[TemplateItem],
    by_id: &HashMap<&str, usize>,
    found: &mut Violations,
) {
    let gate = item.gate();
    if gate == Gate::Merged && item.satisfies.len() < 2 {
        found.push("satisfies", "TOO_FEW", "a MERGED gate satisfies at least 2 requirements");
    }
    if gate != Gate::Bundled {
        if !item.members.is_empty() {
            found.push("members", "NOT_ALLOWED", "only a BUNDLED gate has members");
        }
        return;
    }
    if item.members.len() < 2 {
        found.push("members", "TOO_FEW", "a BUNDLED gate joins at least 2 items");
    }
    if item.r#type == CONSTRUCTION_START {
        let description = "the registry says when a project starts, whatever its milestones are; join others";
        found.push("gate", "STARTED_BY_REGISTRY", description);
    }
    for (i, member) in item.members.iter().enumerate() {
        let path = format!("members[{i}]");
        match by_id.get(member.as_str()).and_then(|index| items.get(*index)) {
            Some(joined) if joined.gate() == Gate::Bundled => {
                found.push(path, "GATE_AS_MEMBER", "a BUNDLED gate joins items that are none themselves");
            }
            _ => check_known(&path, member, by_id, found),
        }
    }
}

fn check_validity(item: &TemplateItem, types: &BTreeSet<&str>, found: &mut Violations) {
    let Some(validity) = &item.validity else { return };
    let until = validity.until_type.as_str();
    if !until.is_empty() && !types.contains(until) {
        let description =
            format!("no item of the version has the type {}, so nothing could keep it", quoted(until));
        found.push("validity.until_type", "UNKNOWN_TYPE", description);
    }
    if validity.extensions > 0 && validity.months == 0 {
        found.push("validity.months", "REQUIRED", "what does not end cannot be extended; say when it ends");
    }
    if validity.extensions > 0 && validity.extension_months == 0 {
        let description = "say by how many months an extension moves the last day at most";
        found.push("validity.extension_months", "REQUIRED", description);
    }
}

/// Records anchors that lead back to their own item. An item has one anchor, so each is in one circle at most.
fn check_cycles(items: &[TemplateItem], by_id: &HashMap<&str, usize>, violations: &mut Violations) {
    let next = |i: usize| {
        let item = items.get(i).filter(|item| item.anchor() == Anchor::Item)?;
        by_id.get(item.anchor_item.as_str()).copied()
    };
    // By which walk an item was visited.
    let mut walks = vec![None; items.len()];
    for start in 0..items.len() {
        let (mut way, mut at) = (Vec::new(), Some(start));
        while let Some(i) = at.filter(|i| walks[*i].is_none()) {
            walks[i] = Some(start);
            way.push(i);
            at = next(i);
        }
        let Some(first) = at.and_then(|end| way.iter().position(|i| *i == end)) else { continue };
        let circle: Vec<&str> = way[first..].iter().map(|i| items[*i].id.as_str()).collect();
        let description = format!(
            "{} -> {} is a circle; count one of them from something else",
            circle.join(" -> "),
            circle[0]
        );
        for i in &way[first..] {
            violations.push(format!("items[{i}].anchor_item"), "ANCHOR_CYCLE", description.clone());
        }
    }
}

/// Records couplings that cannot be achieved on one day by one act.
fn check_couplings(items: &[TemplateItem], violations: &mut Violations) {
    let mut couplings: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, item) in items.iter().enumerate().filter(|(_, item)| !item.coupling.is_empty()) {
        couplings.entry(&item.coupling).or_default().push(i);
    }
    for (coupling, coupled) in couplings {
        let first = &items[coupled[0]];
        let mut codes = BTreeSet::new();
        for i in &coupled {
            let (item, path) = (&items[*i], format!("items[{i}].coupling"));
            if coupled.len() < 2 {
                let description =
                    format!("no other item is coupled by {}; couple another one", quoted(coupling));
                violations.push(path.clone(), "TOO_FEW", description);
            }
            let day = |item: &TemplateItem| (item.anchor, item.anchor_item.clone(), item.offset);
            if day(item) != day(first) {
                let description =
                    format!("it has another date than {}; give both one anchor and one offset", first.id);
                violations.push(path.clone(), "COUPLED_APART", description);
            }
            if item.r#type == CONSTRUCTION_START {
                let description = "the registry says when a project starts, alone; couple others";
                violations.push(path.clone(), "STARTED_BY_REGISTRY", description);
            }
            for requirement in item.satisfies.iter().filter(|given| !codes.insert(given.code.as_str())) {
                let description = format!(
                    "another item of the coupling satisfies {}, too; leave one out",
                    requirement.code
                );
                violations.push(path.clone(), "DUPLICATE", description);
            }
        }
        violations.check(format!("items[{}].coupling", coupled[0]), coupling.parse::<ResourceId>());
    }
}

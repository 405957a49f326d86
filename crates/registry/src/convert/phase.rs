//! Phases, between messages and the domain.

use milepost_proto::registry::v1 as proto;
use milepost_service::fields::Fields;
use milepost_service::mask::{Known, Mask};
use milepost_types::Violations;

use super::fields::{money, period};
use super::{Unreadable, project, request, value};
use crate::details::Details as _;
use crate::phase::{Command, Details, Patch, Phase};
use crate::record::{Life, Record};

/// The fields of a phase.
pub(crate) const KNOWN: Known =
    Known { fields: Details::FIELDS, parts: &project::PERIOD_PARTS, methods: &[], output: &[] };

/// Reads what callers say of a phase.
fn patch(message: proto::Phase, mask: &Mask, violations: &mut Violations) -> Patch {
    let mut fields = Fields { mask, violations };
    Patch {
        display_name: fields.display_name(message.display_name),
        translations: fields.translations(message.translations),
        order: fields.take_with("order", message.order != 0, |violations| order(message.order, violations)),
        planned_period: period(&mut fields, "planned_period", message.planned_period),
        actual_period: period(&mut fields, "actual_period", message.actual_period),
        investment: money(&mut fields, "investment", message.investment),
        scale: fields.text("scale", message.scale),
    }
}

fn order(given: i32, violations: &mut Violations) -> Option<u32> {
    match given {
        0 => violations.require("order", None),
        1.. => Some(given.unsigned_abs()),
        _ => {
            violations.push(
                "order",
                "OUT_OF_RANGE",
                format!("{given} is no place in an order; they count from 1"),
            );
            None
        }
    }
}

/// A wish to create a phase.
pub(crate) fn create(request: proto::CreatePhaseRequest, violations: &mut Violations) -> Option<Command> {
    let parent = violations.check("parent", request.parent.parse());
    let id = request::id("phase_id", &request.phase_id, violations);
    let details = request::details(request.phase, patch, violations);
    request::create(parent, id, details).map(Command::Create)
}

/// A wish to change fields of a phase.
pub(crate) fn update(request: proto::UpdatePhaseRequest, violations: &mut Violations) -> Option<Command> {
    let update =
        request::update::<Details, _, _>(request.update_mask, &KNOWN, request.phase, patch, violations);
    update.map(Command::Update)
}

/// A wish to delete a phase.
pub(crate) fn delete(request: &proto::DeletePhaseRequest, violations: &mut Violations) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Delete)
}

/// A wish to undelete a phase.
pub(crate) fn undelete(
    request: &proto::UndeletePhaseRequest,
    violations: &mut Violations,
) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Undelete)
}

/// The phase that was stored.
pub(crate) fn stored(message: proto::Phase) -> Result<Phase, Unreadable> {
    request::stored(message, |message| {
        let investment = message.investment.as_ref();
        let details = Details {
            display_name: message.display_name,
            translations: value::stored_translations(message.translations),
            order: message.order.cast_unsigned(),
            planned_period: value::stored_period("planned_period", message.planned_period)?,
            actual_period: value::stored_period("actual_period", message.actual_period)?,
            investment: investment.map(|money| value::stored_money("investment", money)).transpose()?,
            scale: message.scale,
        };
        Ok((details, ()))
    })
}

/// A phase as a message.
pub(crate) fn message(phase: &Phase) -> proto::Phase {
    let Record { name, details, standing: (), life } = phase;
    let Life { create_time, update_time, delete_time, etag } = life;
    proto::Phase {
        name: name.to_string(),
        display_name: details.display_name.clone(),
        translations: value::translations(&details.translations),
        order: details.order.cast_signed(),
        planned_period: project::period_message(&details.planned_period),
        actual_period: project::period_message(&details.actual_period),
        investment: details.investment.as_ref().map(value::money_message),
        scale: details.scale.clone(),
        create_time: Some(value::instant_message(*create_time)),
        update_time: Some(value::instant_message(*update_time)),
        delete_time: delete_time.map(value::instant_message),
        etag: etag.to_string(),
    }
}

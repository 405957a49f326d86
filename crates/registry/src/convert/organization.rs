//! Organizations, between messages and the domain.

use milepost_proto::registry::v1 as proto;
use milepost_service::fields::Fields;
use milepost_service::mask::{Known, Mask};
use milepost_types::{Violations, limits};
use proto::organization::Kind as Wire;

use super::fields::{code, scheme};
use super::{Unreadable, request, value};
use crate::details::Details as _;
use crate::organization::{Command, Details, Identifier, Kind, Organization, Patch};
use crate::record::{Life, Record};

/// The fields of an organization.
pub(crate) const KNOWN: Known = Known { fields: Details::FIELDS, parts: &[], methods: &[], output: &[] };

/// Reads what callers say of an organization.
fn patch(message: proto::Organization, mask: &Mask, violations: &mut Violations) -> Patch {
    let mut fields = Fields { mask, violations };
    Patch {
        display_name: fields.display_name(message.display_name),
        translations: fields.translations(message.translations),
        kind: fields.take_with("kind", message.kind != 0, |violations| {
            value::choice("kind", message.kind, violations).map(kind)
        }),
        identifiers: fields.list("identifiers", message.identifiers, limits::CODES, identifier),
        attributes: fields.labels("attributes", message.attributes),
    }
}

fn identifier(message: proto::Identifier) -> Result<Identifier, Violations> {
    let mut violations = Violations::new();
    let scheme = violations.check("scheme", scheme(message.scheme));
    let id = violations.check("id", code(message.id));
    let identifier = || Some(Identifier { scheme: scheme?, id: id? });
    let identifier = identifier();
    violations.finish(identifier)
}

fn kind(kind: Wire) -> Option<Kind> {
    match kind {
        Wire::Unspecified => None,
        Wire::Authority => Some(Kind::Authority),
        Wire::Enterprise => Some(Kind::Enterprise),
        Wire::University => Some(Kind::University),
        Wire::Institute => Some(Kind::Institute),
        Wire::Contractor => Some(Kind::Contractor),
        Wire::FinancialInstitution => Some(Kind::FinancialInstitution),
        Wire::Other => Some(Kind::Other),
    }
}

fn kind_number(kind: Option<Kind>) -> i32 {
    let known = match kind {
        Some(Kind::Unknown(number)) => return number,
        None => Wire::Unspecified,
        Some(Kind::Authority) => Wire::Authority,
        Some(Kind::Enterprise) => Wire::Enterprise,
        Some(Kind::University) => Wire::University,
        Some(Kind::Institute) => Wire::Institute,
        Some(Kind::Contractor) => Wire::Contractor,
        Some(Kind::FinancialInstitution) => Wire::FinancialInstitution,
        Some(Kind::Other) => Wire::Other,
    };
    known.into()
}

/// A wish to create an organization.
pub(crate) fn create(
    request: proto::CreateOrganizationRequest,
    violations: &mut Violations,
) -> Option<Command> {
    let id = request::id("organization_id", &request.organization_id, violations);
    let details = request::details(request.organization, patch, violations);
    request::create(Some(()), id, details).map(Command::Create)
}

/// A wish to change fields of an organization.
pub(crate) fn update(
    request: proto::UpdateOrganizationRequest,
    violations: &mut Violations,
) -> Option<Command> {
    let update = request::update::<Details, _, _>(
        request.update_mask,
        &KNOWN,
        request.organization,
        patch,
        violations,
    );
    update.map(Command::Update)
}

/// A wish to delete an organization.
pub(crate) fn delete(
    request: &proto::DeleteOrganizationRequest,
    violations: &mut Violations,
) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Delete)
}

/// A wish to undelete an organization.
pub(crate) fn undelete(
    request: &proto::UndeleteOrganizationRequest,
    violations: &mut Violations,
) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Undelete)
}

/// The organization that was stored.
pub(crate) fn stored(message: proto::Organization) -> Result<Organization, Unreadable> {
    request::stored(message, |message| {
        let identifiers = message.identifiers.into_iter();
        let details = Details {
            display_name: message.display_name,
            translations: value::stored_translations(message.translations),
            kind: Wire::try_from(message.kind).map_or(Some(Kind::Unknown(message.kind)), kind),
            identifiers: identifiers
                .map(|proto::Identifier { scheme, id }| Identifier { scheme, id })
                .collect(),
            attributes: message.attributes,
        };
        Ok((details, ()))
    })
}

/// An organization as a message.
pub(crate) fn message(organization: &Organization) -> proto::Organization {
    let Record { name, details, standing: (), life } = organization;
    let Life { create_time, update_time, delete_time, etag } = life;
    let identifiers = details.identifiers.iter();
    proto::Organization {
        name: name.to_string(),
        display_name: details.display_name.clone(),
        translations: value::translations(&details.translations),
        kind: kind_number(details.kind),
        identifiers: identifiers
            .map(|Identifier { scheme, id }| proto::Identifier { scheme: scheme.clone(), id: id.clone() })
            .collect(),
        attributes: details.attributes.clone(),
        create_time: Some(value::instant_message(*create_time)),
        update_time: Some(value::instant_message(*update_time)),
        delete_time: delete_time.map(value::instant_message),
        etag: etag.to_string(),
    }
}

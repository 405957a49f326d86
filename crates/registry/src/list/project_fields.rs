//! What projects can be filtered by, and what they show to a filter.

use milepost_proto::registry::v1 as proto;
use milepost_types::filter::{Field, FieldType, Fields, Schema, Value};

use crate::convert::value;

/// What projects can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    Name,
    DisplayName,
    Translations,
    CodeScheme,
    Code,
    Sector,
    Level,
    Key,
    Listing,
    Address,
    DivisionCode,
    Purpose,
    Scale,
    InvestmentCurrency,
    InvestmentUnits,
    FundingOrganization,
    PartyOrganization,
    PlannedStart,
    PlannedEnd,
    ActualStart,
    ActualEnd,
    Parent,
    Labels,
    Status,
    SuspendedStatus,
    Batch,
    CreateTime,
    UpdateTime,
    DeleteTime,
}

pub(crate) const STATUSES: &[&str] = &[
    "STATUS_PROPOSED",
    "STATUS_PREPARATION",
    "STATUS_CONSTRUCTION",
    "STATUS_COMPLETED",
    "STATUS_IN_SERVICE",
    "STATUS_SUSPENDED",
    "STATUS_CANCELLED",
];
pub(crate) const LEVELS: &[&str] =
    &["LEVEL_NATIONAL", "LEVEL_PROVINCIAL", "LEVEL_MUNICIPAL", "LEVEL_DISTRICT"];
pub(crate) const LISTINGS: &[&str] =
    &["LISTING_RESERVE", "LISTING_NEW_START", "LISTING_CONTINUED", "LISTING_COMPLETED"];

/// The fields, by their paths in the message. Lists are asked with `:`, as in
/// `parties.organization:"organizations/cqu"`; of amounts the currency and the whole units.
pub(crate) const SCHEMA: Schema<By> = Schema::new(&[
    Field::new("name", FieldType::Name, By::Name),
    Field::new("display_name", FieldType::Text, By::DisplayName),
    Field::new("translations", FieldType::Map, By::Translations),
    Field::new("codes.scheme", FieldType::List, By::CodeScheme),
    Field::new("codes.code", FieldType::List, By::Code),
    Field::new("sector", FieldType::Text, By::Sector),
    Field::new("level", FieldType::Enum(LEVELS), By::Level),
    Field::new("key", FieldType::Bool, By::Key),
    Field::new("listing", FieldType::Enum(LISTINGS), By::Listing),
    Field::new("site.address", FieldType::Text, By::Address),
    Field::new("site.division_code", FieldType::Text, By::DivisionCode),
    Field::new("purpose", FieldType::Text, By::Purpose),
    Field::new("scale", FieldType::Text, By::Scale),
    Field::new("investment.currency_code", FieldType::Text, By::InvestmentCurrency),
    Field::new("investment.units", FieldType::Int, By::InvestmentUnits),
    Field::new("funding.organization", FieldType::List, By::FundingOrganization),
    Field::new("parties.organization", FieldType::List, By::PartyOrganization),
    Field::new("planned_period.start_date", FieldType::Date, By::PlannedStart),
    Field::new("planned_period.end_date", FieldType::Date, By::PlannedEnd),
    Field::new("actual_period.start_date", FieldType::Date, By::ActualStart),
    Field::new("actual_period.end_date", FieldType::Date, By::ActualEnd),
    Field::new("parent_project", FieldType::Name, By::Parent),
    Field::new("labels", FieldType::Map, By::Labels),
    Field::new("status", FieldType::Enum(STATUSES), By::Status),
    Field::new("suspended_status", FieldType::Enum(STATUSES), By::SuspendedStatus),
    Field::new("batch", FieldType::Name, By::Batch),
    Field::new("create_time", FieldType::Timestamp, By::CreateTime),
    Field::new("update_time", FieldType::Timestamp, By::UpdateTime),
    Field::new("delete_time", FieldType::Timestamp, By::DeleteTime),
]);

impl Fields<By> for proto::Project {
    fn value(&self, field: By) -> Value<'_> {
        match field {
            By::Name => Value::text(&self.name),
            By::DisplayName => Value::text(&self.display_name),
            By::Sector => Value::text(&self.sector),
            By::Level => value::filter_choice(self.level, self.level().as_str_name()),
            By::Key => self.key.into(),
            By::Listing => value::filter_choice(self.listing, self.listing().as_str_name()),
            By::Address => self.site.as_ref().map_or(Value::Absent, |site| Value::text(&site.address)),
            By::DivisionCode => {
                self.site.as_ref().map_or(Value::Absent, |site| Value::text(&site.division_code))
            }
            By::Purpose => Value::text(&self.purpose),
            By::Scale => Value::text(&self.scale),
            By::InvestmentCurrency => value::filter_currency(self.investment.as_ref()),
            By::InvestmentUnits => value::filter_units(self.investment.as_ref()),
            By::PlannedStart => value::filter_start(self.planned_period.as_ref()),
            By::PlannedEnd => value::filter_end(self.planned_period.as_ref()),
            By::ActualStart => value::filter_start(self.actual_period.as_ref()),
            By::ActualEnd => value::filter_end(self.actual_period.as_ref()),
            By::Parent => Value::text(&self.parent_project),
            By::Status => value::filter_choice(self.status, self.status().as_str_name()),
            By::SuspendedStatus => {
                value::filter_choice(self.suspended_status, self.suspended_status().as_str_name())
            }
            By::Batch => Value::text(&self.batch),
            By::CreateTime => value::filter_instant(self.create_time.as_ref()),
            By::UpdateTime => value::filter_instant(self.update_time.as_ref()),
            By::DeleteTime => value::filter_instant(self.delete_time.as_ref()),
            By::Translations
            | By::CodeScheme
            | By::Code
            | By::FundingOrganization
            | By::PartyOrganization
            | By::Labels => Value::Absent,
        }
    }

    fn any(&self, field: By, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            By::Translations => self.translations.keys().any(|tag| test(tag)),
            By::CodeScheme => self.codes.iter().any(|code| test(&code.scheme)),
            By::Code => self.codes.iter().any(|code| test(&code.code)),
            By::FundingOrganization => self
                .funding
                .iter()
                .any(|source| !source.organization.is_empty() && test(&source.organization)),
            By::PartyOrganization => self.parties.iter().any(|party| test(&party.organization)),
            By::Labels => self.labels.keys().any(|key| test(key)),
            _ => false,
        }
    }

    fn entry(&self, field: By, key: &str) -> Option<&str> {
        match field {
            By::Translations => self.translations.get(key).map(String::as_str),
            By::Labels => self.labels.get(key).map(String::as_str),
            _ => None,
        }
    }
}

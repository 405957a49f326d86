//! What milestones can be filtered by.
//!
//! Invariant: paths are those of the message, with `project` and `portfolio` for the names that a
//! milestone stands under. Enums have the names of the schema. Filters are kept for years: paths stay.

use milepost_proto::google::r#type::Date as DateMessage;
use milepost_proto::tracker::v1 as proto;
use milepost_proto::tracker::v1::milestone::{Outlook, State};
use milepost_types::filter::{Field as Path, FieldType, Fields, Schema, Value};

use crate::convert::values::{date_from_proto, stored_time};

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Name,
    Portfolio,
    Project,
    DisplayName,
    Type,
    Code,
    Weight,
    Owner,
    RequiredEvidence,
    Remarks,
    BaselineDate,
    ForecastDate,
    ActualDate,
    DurationWorkingDays,
    Labels,
    State,
    Outlook,
    VarianceWorkingDays,
    CreateTime,
    UpdateTime,
}

const STATES: &[&str] =
    &["STATE_PLANNED", "STATE_ACHIEVED", "STATE_PARTIALLY_ACHIEVED", "STATE_NOT_MET", "STATE_CANCELLED"];

const OUTLOOKS: &[&str] =
    &["OUTLOOK_ON_TRACK", "OUTLOOK_DUE_SOON", "OUTLOOK_AT_RISK", "OUTLOOK_LATE", "OUTLOOK_OVERDUE"];

/// The fields and their types.
pub(crate) const SCHEMA: Schema<Field> = Schema::new(&[
    Path::new("name", FieldType::Name, Field::Name),
    Path::new("portfolio", FieldType::Name, Field::Portfolio),
    Path::new("project", FieldType::Name, Field::Project),
    Path::new("display_name", FieldType::Text, Field::DisplayName),
    Path::new("type", FieldType::Text, Field::Type),
    Path::new("code", FieldType::Text, Field::Code),
    Path::new("weight", FieldType::Int, Field::Weight),
    Path::new("owner", FieldType::Name, Field::Owner),
    Path::new("required_evidence", FieldType::List, Field::RequiredEvidence),
    Path::new("remarks", FieldType::Text, Field::Remarks),
    Path::new("baseline_date", FieldType::Date, Field::BaselineDate),
    Path::new("forecast_date", FieldType::Date, Field::ForecastDate),
    Path::new("actual_date", FieldType::Date, Field::ActualDate),
    Path::new("duration_working_days", FieldType::Int, Field::DurationWorkingDays),
    Path::new("labels", FieldType::Map, Field::Labels),
    Path::new("state", FieldType::Enum(STATES), Field::State),
    Path::new("outlook", FieldType::Enum(OUTLOOKS), Field::Outlook),
    Path::new("variance_working_days", FieldType::Int, Field::VarianceWorkingDays),
    Path::new("create_time", FieldType::Timestamp, Field::CreateTime),
    Path::new("update_time", FieldType::Timestamp, Field::UpdateTime),
]);

/// A milestone as filters see it.
pub(super) struct Row<'a>(pub(super) &'a proto::Milestone);

impl Fields<Field> for Row<'_> {
    fn value(&self, field: Field) -> Value<'_> {
        let milestone = self.0;
        match field {
            Field::Name => Value::text(&milestone.name),
            Field::Portfolio => Value::text(under(&milestone.name, "/projects/")),
            Field::Project => Value::text(under(&milestone.name, "/milestones/")),
            Field::DisplayName => Value::text(&milestone.display_name),
            Field::Type => Value::text(&milestone.r#type),
            Field::Code => Value::text(&milestone.code),
            Field::Weight => milestone.weight.map(i64::from).into(),
            Field::Owner => Value::text(&milestone.owner),
            Field::Remarks => Value::text(&milestone.remarks),
            Field::BaselineDate => date(milestone.baseline_date.as_ref()),
            Field::ForecastDate => date(milestone.forecast_date.as_ref()),
            Field::ActualDate => date(milestone.actual_date.as_ref()),
            Field::DurationWorkingDays => i64::from(milestone.duration_working_days).into(),
            Field::State => State::try_from(milestone.state).ok().map(|state| state.as_str_name()).into(),
            Field::Outlook => Outlook::try_from(milestone.outlook)
                .ok()
                .filter(|outlook| *outlook != Outlook::Unspecified)
                .map(|outlook| outlook.as_str_name())
                .into(),
            Field::VarianceWorkingDays => milestone.variance_working_days.map(i64::from).into(),
            Field::CreateTime => time(milestone.create_time.as_ref()),
            Field::UpdateTime => time(milestone.update_time.as_ref()),
            Field::RequiredEvidence | Field::Labels => Value::Absent,
        }
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::RequiredEvidence => self.0.required_evidence.iter().any(|title| test(title)),
            Field::Labels => self.0.labels.keys().any(|key| test(key)),
            _ => false,
        }
    }

    fn entry(&self, field: Field, key: &str) -> Option<&str> {
        match field {
            Field::Labels => self.0.labels.get(key).map(String::as_str),
            _ => None,
        }
    }
}

/// The name up to a collection.
fn under<'a>(name: &'a str, collection: &str) -> &'a str {
    name.split_once(collection).map_or("", |(parent, _)| parent)
}

fn date(message: Option<&DateMessage>) -> Value<'static> {
    message.and_then(|date| date_from_proto(date).ok()).into()
}

fn time(message: Option<&prost_types::Timestamp>) -> Value<'static> {
    stored_time(message).ok().flatten().into()
}

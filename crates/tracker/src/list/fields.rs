//! What milestones can be filtered by.
//!
//! Invariant: paths are those of the message, with `project` and `portfolio` for the names that a
//! milestone stands under. Enums have the names of the schema. Filters are kept for years: paths stay.

use milepost_types::filter::{Field as Path, FieldType, Schema};

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
    Nearness,
    Slippage,
    VarianceWorkingDays,
    CreateTime,
    UpdateTime,
}

const STATES: &[&str] =
    &["STATE_PLANNED", "STATE_ACHIEVED", "STATE_PARTIALLY_ACHIEVED", "STATE_NOT_MET", "STATE_CANCELLED"];

const OUTLOOKS: &[&str] =
    &["OUTLOOK_ON_TRACK", "OUTLOOK_DUE_SOON", "OUTLOOK_AT_RISK", "OUTLOOK_LATE", "OUTLOOK_OVERDUE"];

const NEARNESSES: &[&str] = &["NEARNESS_AHEAD", "NEARNESS_DUE_SOON", "NEARNESS_OVERDUE"];

const SLIPPAGES: &[&str] = &["SLIPPAGE_NONE", "SLIPPAGE_AT_RISK", "SLIPPAGE_LATE"];

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
    Path::new("nearness", FieldType::Enum(NEARNESSES), Field::Nearness),
    Path::new("slippage", FieldType::Enum(SLIPPAGES), Field::Slippage),
    Path::new("variance_working_days", FieldType::Int, Field::VarianceWorkingDays),
    Path::new("create_time", FieldType::Timestamp, Field::CreateTime),
    Path::new("update_time", FieldType::Timestamp, Field::UpdateTime),
]);

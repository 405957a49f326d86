//! Rows of milestones as lists look at them and tell them.
//!
//! Invariant: a field answers with the type that the schema of filters says; what is not set is absent.

use bytes::Bytes;
use milepost_proto::google::r#type::Date as DateMessage;
use milepost_proto::tracker::v1 as proto;
use milepost_proto::tracker::v1::milestone::{Nearness, Outlook, Slippage, State};
use milepost_service::value;
use milepost_types::filter::{Fields, Value};
use prost::Message;

use super::Unreadable;
use super::milestone::complete;
use super::values::stored_time;
use crate::list::{Field, Listed};

impl Listed for proto::Milestone {
    fn read(value: Bytes) -> Result<Self, Unreadable> {
        complete(Self::decode(value)?)
    }

    fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }
}

impl Fields<Field> for proto::Milestone {
    fn value(&self, field: Field) -> Value<'_> {
        let milestone = self;
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
            Field::Nearness => Nearness::try_from(milestone.nearness)
                .ok()
                .filter(|nearness| *nearness != Nearness::Unspecified)
                .map(|nearness| nearness.as_str_name())
                .into(),
            Field::Slippage => Slippage::try_from(milestone.slippage)
                .ok()
                .filter(|slippage| *slippage != Slippage::Unspecified)
                .map(|slippage| slippage.as_str_name())
                .into(),
            Field::VarianceWorkingDays => milestone.variance_working_days.map(i64::from).into(),
            Field::CreateTime => time(milestone.create_time.as_ref()),
            Field::UpdateTime => time(milestone.update_time.as_ref()),
            Field::RequiredEvidence | Field::Labels => Value::Absent,
        }
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::RequiredEvidence => self.required_evidence.iter().any(|title| test(title)),
            Field::Labels => self.labels.keys().any(|key| test(key)),
            _ => false,
        }
    }

    fn entry(&self, field: Field, key: &str) -> Option<&str> {
        match field {
            Field::Labels => self.labels.get(key).map(String::as_str),
            _ => None,
        }
    }
}

/// The name up to a collection.
fn under<'a>(name: &'a str, collection: &str) -> &'a str {
    name.split_once(collection).map_or("", |(parent, _)| parent)
}

fn date(message: Option<&DateMessage>) -> Value<'static> {
    message.and_then(|date| value::date(*date).ok()).into()
}

fn time(message: Option<&prost_types::Timestamp>) -> Value<'static> {
    stored_time(message).ok().flatten().into()
}

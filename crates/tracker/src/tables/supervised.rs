//! Rows of tables 40 and 43: inspections and findings as far as campaigns judge by them, read from their encoded messages, as
//! standings walk over thousands of them.
//!
//! Invariant: what is read is what the full decoder reads, of the fields that are read. Rows are trusted: what is not there is
//! zero, as in the schema.

use milepost_figures::Day;
use milepost_proto::wire::{self, Value};
use milepost_resource::Unreadable;
use prost::encoding::decode_varint;

/// `milepost.tracker.v1.Inspection.delete_time`, and that of a finding.
const DELETE_TIME: u32 = 52;
/// The state of either.
const STATE: u32 = 30;

/// What is read of an inspection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct InspectionRow {
    /// Numbers of the schema.
    pub(crate) aspects: Vec<i32>,
    /// The number of the schema.
    pub(crate) state: i32,
    /// The day on which it took place.
    pub(crate) day: Day,
    /// The day of the report; none: not said.
    pub(crate) reported: Option<Day>,
    pub(crate) is_deleted: bool,
}

impl InspectionRow {
    /// Of a row.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub(crate) fn read(row: &[u8]) -> Result<Self, Unreadable> {
        let mut read = Self::default();
        for field in wire::fields(row) {
            match field? {
                (5, Value::Run(mut aspects)) => {
                    while !aspects.is_empty() {
                        read.aspects.push(decode_varint(&mut aspects)? as i32);
                    }
                }
                (5, Value::Number(aspect)) => read.aspects.push(aspect as i32),
                (STATE, Value::Number(state)) => read.state = state as i32,
                (32, Value::Run(day)) => read.day = Day::read(day)?,
                (33, Value::Run(day)) => read.reported = Some(Day::read(day)?),
                (DELETE_TIME, _) => read.is_deleted = true,
                _ => {}
            }
        }
        Ok(read)
    }
}

/// What is read of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FindingRow {
    /// The number of the schema; so with the severity and the state.
    pub(crate) aspect: i32,
    pub(crate) severity: i32,
    /// The day on which it was found.
    pub(crate) day: Day,
    /// The day of the report; none: not said.
    pub(crate) reported: Option<Day>,
    pub(crate) state: i32,
    /// The day on which it came to its state.
    pub(crate) state_day: Day,
    pub(crate) is_deleted: bool,
}

impl FindingRow {
    /// Of a row.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub(crate) fn read(row: &[u8]) -> Result<Self, Unreadable> {
        let mut read = Self::default();
        for field in wire::fields(row) {
            match field? {
                (5, Value::Number(aspect)) => read.aspect = aspect as i32,
                (6, Value::Number(severity)) => read.severity = severity as i32,
                (8, Value::Run(day)) => read.day = Day::read(day)?,
                (9, Value::Run(day)) => read.reported = Some(Day::read(day)?),
                (STATE, Value::Number(state)) => read.state = state as i32,
                (32, Value::Run(day)) => read.state_day = Day::read(day)?,
                (DELETE_TIME, _) => read.is_deleted = true,
                _ => {}
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::google::r#type::Date;
    use milepost_proto::tracker::v1::{Finding, Inspection};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn date((year, month, day): (i32, i32, i32)) -> Date {
        Date { year, month, day }
    }

    fn days() -> impl Strategy<Value = Option<(i32, i32, i32)>> {
        proptest::option::of((1..10_000_i32, 1..13_i32, 1..32_i32))
    }

    fn of(day: Option<(i32, i32, i32)>) -> Day {
        day.map(|day| Day::from(&date(day))).unwrap_or_default()
    }

    proptest! {
        #[test]
        fn an_inspection_is_read_as_it_was_written(
            aspects in proptest::collection::vec(0..300_i32, 0..4), state in 0..4_i32,
            day in days(), reported in days(), is_deleted in any::<bool>(),
        ) {
            let inspection = Inspection {
                name: "portfolios/wsc/projects/road/inspections/i".into(),
                title: "巡查".into(),
                aspects: aspects.clone(),
                state,
                planned_date: Some(date((2021, 1, 1))),
                inspection_date: day.map(date),
                reported_date: reported.map(date),
                cancel_date: Some(date((2022, 1, 1))),
                create_time: Some(prost_types::Timestamp::default()),
                delete_time: is_deleted.then(prost_types::Timestamp::default),
                ..Inspection::default()
            };
            let reported = reported.map(|day| of(Some(day)));
            let expected = InspectionRow { aspects, state, day: of(day), reported, is_deleted };
            prop_assert_eq!(InspectionRow::read(&inspection.encode_to_vec()), Ok(expected));
        }

        #[test]
        fn a_finding_is_read_as_it_was_written(
            aspect in 0..4_i32, severity in 0..6_i32, state in 0..5_i32,
            day in days(), reported in days(), state_date in days(), is_deleted in any::<bool>(),
        ) {
            let finding = Finding {
                name: "portfolios/wsc/projects/road/findings/f".into(),
                title: "问题".into(),
                aspect,
                severity,
                finding_date: day.map(date),
                reported_date: reported.map(date),
                state,
                state_reason: "wrong".into(),
                state_date: state_date.map(date),
                create_time: Some(prost_types::Timestamp::default()),
                delete_time: is_deleted.then(prost_types::Timestamp::default),
                ..Finding::default()
            };
            let reported = reported.map(|day| of(Some(day)));
            let state_day = of(state_date);
            let expected =
                FindingRow { aspect, severity, day: of(day), reported, state, state_day, is_deleted };
            prop_assert_eq!(FindingRow::read(&finding.encode_to_vec()), Ok(expected));
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        assert!(InspectionRow::read(b"\x0a\x05x").is_err());
        assert!(FindingRow::read(b"\x42\x01\x08").is_err());
    }
}

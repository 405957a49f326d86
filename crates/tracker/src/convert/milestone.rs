//! Milestones: the message that callers read, which is also what rows and events hold.
//!
//! Invariant: what is stored is read back equal, field by field.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_proto::google::r#type::Date as DateMessage;
use milepost_proto::tracker::v1 as proto;
use milepost_proto::tracker::v1::milestone::{
    Nearness as WireNearness, Outlook as WireOutlook, Slippage as WireSlippage, State as WireState,
};
use milepost_service::value;
use milepost_types::LanguageTag;
use prost::Message;

use super::Unreadable;
use super::values::{stored_date, stored_time};
use crate::milestone::{
    CONSTRUCTION_START, Details, Evidence, Milestone, Nearness, Outlook, Slippage, State, Timeliness,
};

/// The message of a milestone.
pub(crate) fn to_proto(milestone: Milestone) -> proto::Milestone {
    let outlook = outlook_to_proto(milestone.outlook()).into();
    let Milestone { details, .. } = milestone;
    proto::Milestone {
        name: milestone.name.to_string(),
        display_name: details.display_name,
        translations: details.translations.into_iter().map(|(tag, name)| (tag.to_string(), name)).collect(),
        r#type: details.kind,
        code: details.code,
        weight: details.weight,
        owner: details.owner.map(|owner| owner.to_string()).unwrap_or_default(),
        required_evidence: details.required_evidence,
        evidence: milestone.evidence.into_iter().map(evidence_to_proto).collect(),
        remarks: details.remarks,
        baseline_date: milestone.baseline.map(value::date_message),
        forecast_date: milestone.forecast.map(value::date_message),
        actual_date: milestone.actual.map(value::date_message),
        duration_working_days: details.duration_working_days,
        labels: details.labels,
        state: state_to_proto(milestone.state).into(),
        state_reason: milestone.state_reason,
        outlook,
        nearness: nearness_to_proto(milestone.timeliness.nearness).into(),
        slippage: slippage_to_proto(milestone.timeliness.slippage).into(),
        variance_working_days: milestone.variance_working_days,
        forecast_sequence: milestone.forecast_sequence,
        create_time: Some(value::instant_message(milestone.create_time)),
        update_time: Some(value::instant_message(milestone.update_time)),
        delete_time: milestone.delete_time.map(value::instant_message),
        etag: milestone.etag.to_string(),
    }
}

/// The milestone that was stored.
pub(crate) fn from_stored(bytes: &Bytes) -> Result<Milestone, Unreadable> {
    let message = proto::Milestone::decode(bytes.clone())?;
    let required = || Unreadable::new("a time is missing");
    let timeliness = stored_timeliness(&message)?;
    Ok(Milestone {
        name: message.name.parse().map_err(Unreadable::new)?,
        details: Details {
            display_name: message.display_name,
            translations: message
                .translations
                .into_iter()
                .map(|(tag, name)| (LanguageTag::stored(tag), name))
                .collect(),
            kind: message.r#type,
            code: message.code,
            weight: message.weight,
            owner: match message.owner.as_str() {
                "" => None,
                owner => Some(owner.parse().map_err(Unreadable::new)?),
            },
            required_evidence: message.required_evidence,
            remarks: message.remarks,
            duration_working_days: message.duration_working_days,
            labels: message.labels,
        },
        evidence: message.evidence.into_iter().map(stored_evidence).collect::<Result<_, _>>()?,
        baseline: stored_date(message.baseline_date.as_ref())?,
        forecast: stored_date(message.forecast_date.as_ref())?,
        actual: stored_date(message.actual_date.as_ref())?,
        state: stored_state(message.state)?,
        state_reason: message.state_reason,
        timeliness,
        variance_working_days: message.variance_working_days,
        forecast_sequence: message.forecast_sequence,
        create_time: stored_time(message.create_time.as_ref())?.ok_or_else(required)?,
        update_time: stored_time(message.update_time.as_ref())?.ok_or_else(required)?,
        delete_time: stored_time(message.delete_time.as_ref())?,
        etag: message.etag.parse().map_err(Unreadable::new)?,
    })
}

/// The message of a document.
pub(crate) fn evidence_to_proto(evidence: Evidence) -> proto::Evidence {
    proto::Evidence {
        title: evidence.title,
        uri: evidence.uri,
        sha256: evidence.sha256.to_vec(),
        create_time: Some(value::instant_message(evidence.create_time)),
    }
}

fn stored_evidence(message: proto::Evidence) -> Result<Evidence, Unreadable> {
    Ok(Evidence {
        title: message.title,
        uri: message.uri,
        sha256: message.sha256.try_into().map_err(|_| Unreadable::new("a digest is not 32 bytes"))?,
        create_time: stored_time(message.create_time.as_ref())?
            .ok_or_else(|| Unreadable::new("a document's time is missing"))?,
    })
}

/// A state as messages number it.
pub(crate) fn state_to_proto(state: State) -> WireState {
    match state {
        State::Planned => WireState::Planned,
        State::Achieved => WireState::Achieved,
        State::PartiallyAchieved => WireState::PartiallyAchieved,
        State::NotMet => WireState::NotMet,
        State::Cancelled => WireState::Cancelled,
    }
}

fn stored_state(number: i32) -> Result<State, Unreadable> {
    Ok(match WireState::try_from(number) {
        Ok(WireState::Planned) => State::Planned,
        Ok(WireState::Achieved) => State::Achieved,
        Ok(WireState::PartiallyAchieved) => State::PartiallyAchieved,
        Ok(WireState::NotMet) => State::NotMet,
        Ok(WireState::Cancelled) => State::Cancelled,
        Ok(WireState::Unspecified) | Err(_) => {
            return Err(Unreadable::new(format_args!("{number} is no state")));
        }
    })
}

/// An outlook as messages number it.
pub(crate) fn outlook_to_proto(outlook: Option<Outlook>) -> WireOutlook {
    match outlook {
        None => WireOutlook::Unspecified,
        Some(Outlook::OnTrack) => WireOutlook::OnTrack,
        Some(Outlook::DueSoon) => WireOutlook::DueSoon,
        Some(Outlook::AtRisk) => WireOutlook::AtRisk,
        Some(Outlook::Late) => WireOutlook::Late,
        Some(Outlook::Overdue) => WireOutlook::Overdue,
    }
}

/// How near a due date is, as messages number it.
pub(crate) fn nearness_to_proto(nearness: Option<Nearness>) -> WireNearness {
    match nearness {
        None => WireNearness::Unspecified,
        Some(Nearness::Ahead) => WireNearness::Ahead,
        Some(Nearness::DueSoon) => WireNearness::DueSoon,
        Some(Nearness::Overdue) => WireNearness::Overdue,
    }
}

/// How a forecast stands to its baseline, as messages number it.
pub(crate) fn slippage_to_proto(slippage: Option<Slippage>) -> WireSlippage {
    match slippage {
        None => WireSlippage::Unspecified,
        Some(Slippage::None) => WireSlippage::None,
        Some(Slippage::AtRisk) => WireSlippage::AtRisk,
        Some(Slippage::Late) => WireSlippage::Late,
    }
}

/// How a stored milestone stands to its dates. An earlier version stored the outlook alone.
fn stored_timeliness(message: &proto::Milestone) -> Result<Timeliness, Unreadable> {
    let nearness = match WireNearness::try_from(message.nearness) {
        Ok(WireNearness::Unspecified) => {
            let (baseline, forecast) = (&message.baseline_date, &message.forecast_date);
            let (baseline, forecast) = (stored_date(baseline.as_ref())?, stored_date(forecast.as_ref())?);
            return Ok(Timeliness::implied(stored_outlook(message.outlook)?, baseline, forecast));
        }
        Ok(WireNearness::Ahead) => Nearness::Ahead,
        Ok(WireNearness::DueSoon) => Nearness::DueSoon,
        Ok(WireNearness::Overdue) => Nearness::Overdue,
        Err(_) => return Err(Unreadable::new(format_args!("{} is no nearness", message.nearness))),
    };
    let slippage = match WireSlippage::try_from(message.slippage) {
        Ok(WireSlippage::Unspecified) => None,
        Ok(WireSlippage::None) => Some(Slippage::None),
        Ok(WireSlippage::AtRisk) => Some(Slippage::AtRisk),
        Ok(WireSlippage::Late) => Some(Slippage::Late),
        Err(_) => return Err(Unreadable::new(format_args!("{} is no slippage", message.slippage))),
    };
    Ok(Timeliness { nearness: Some(nearness), slippage })
}

/// Adds to a milestone that an earlier version stored what its outlook says of both facts.
pub(crate) fn complete(mut message: proto::Milestone) -> Result<proto::Milestone, Unreadable> {
    if message.nearness == 0 && message.outlook != 0 {
        let timeliness = stored_timeliness(&message)?;
        message.nearness = nearness_to_proto(timeliness.nearness).into();
        message.slippage = slippage_to_proto(timeliness.slippage).into();
    }
    Ok(message)
}

fn stored_outlook(number: i32) -> Result<Option<Outlook>, Unreadable> {
    Ok(match WireOutlook::try_from(number) {
        Ok(WireOutlook::Unspecified) => None,
        Ok(WireOutlook::OnTrack) => Some(Outlook::OnTrack),
        Ok(WireOutlook::DueSoon) => Some(Outlook::DueSoon),
        Ok(WireOutlook::AtRisk) => Some(Outlook::AtRisk),
        Ok(WireOutlook::Late) => Some(Outlook::Late),
        Ok(WireOutlook::Overdue) => Some(Outlook::Overdue),
        Err(_) => return Err(Unreadable::new(format_args!("{number} is no outlook"))),
    })
}

/// The few fields of a stored milestone that indexes are kept by: read without the rest.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MilestoneView {
    #[prost(string, tag = "4")]
    kind: String,
    #[prost(message, optional, tag = "11")]
    baseline_date: Option<DateMessage>,
    #[prost(message, optional, tag = "12")]
    forecast_date: Option<DateMessage>,
    #[prost(int32, tag = "30")]
    state: i32,
    #[prost(message, optional, tag = "42")]
    delete_time: Option<prost_types::Timestamp>,
}

impl MilestoneView {
    /// What a stored milestone shows.
    pub(crate) fn at(bytes: &Bytes) -> Result<Self, Unreadable> {
        Ok(Self::decode(bytes.clone())?)
    }

    /// The baseline.
    pub(crate) fn baseline(&self) -> Option<Date> {
        self.baseline_date.as_ref().and_then(|date| value::date(*date).ok())
    }

    /// The due date: the forecast, or the baseline where there is none.
    pub(crate) fn due(&self) -> Option<Date> {
        self.forecast_date.as_ref().and_then(|date| value::date(*date).ok()).or_else(|| self.baseline())
    }

    /// Whether it is deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }

    /// Whether it is PLANNED and not deleted.
    pub(crate) fn is_planned(&self) -> bool {
        self.state == WireState::Planned as i32 && self.delete_time.is_none()
    }

    /// Whether it is a planned construction start that is not deleted.
    pub(crate) fn awaits_start(&self) -> bool {
        self.is_planned() && self.kind == CONSTRUCTION_START
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{Timestamp, ToSpan};
    use milepost_types::Etag;
    use proptest::prelude::*;

    use super::*;
    use crate::milestone::samples::{BASELINE, evidence, milestone};

    fn stored(milestone: &Milestone) -> Bytes {
        to_proto(milestone.clone()).encode_to_vec().into()
    }

    /// Every field set.
    fn full() -> Milestone {
        let time = Timestamp::from_second(1_622_073_600).unwrap();
        let mut full = milestone();
        full.details = Details {
            display_name: "超瞬态实验装置开工".into(),
            translations: BTreeMap::from([("en".parse().unwrap(), "Start".into())]),
            kind: CONSTRUCTION_START.into(),
            code: "M-1".into(),
            weight: Some(0),
            owner: Some("organizations/cqu".parse().unwrap()),
            required_evidence: vec!["permit".into()],
            remarks: "note".into(),
            duration_working_days: 20,
            labels: BTreeMap::from([("ring".into(), "inner".into())]),
        };
        full.evidence = vec![Evidence { create_time: time, ..evidence("permit") }];
        full.forecast = Some(BASELINE.saturating_add(14.days()));
        full.actual = Some(BASELINE);
        full.state = State::Achieved;
        full.state_reason = "done".into();
        full.timeliness = Timeliness::default();
        full.variance_working_days = Some(-3);
        full.forecast_sequence = 5;
        full.delete_time = Some(time);
        full.etag = Etag(7);
        full
    }

    #[test]
    fn what_is_stored_is_read_back() {
        for milestone in [milestone(), full()] {
            assert_eq!(from_stored(&stored(&milestone)), Ok(milestone));
        }
    }

    #[test]
    fn a_full_milestone_sets_every_field_of_the_message() {
        let late = Timeliness { nearness: Some(Nearness::DueSoon), slippage: Some(Slippage::Late) };
        let message = to_proto(Milestone { timeliness: late, ..full() });
        let shown = format!("{message:?}");
        for unset in ["None", "\"\"", "[]", "{}", ": 0,"] {
            // A weight of 0 is set.
            let shown = shown.replace("Some(0)", "Some(1)").replace("nanos: 0", "nanos: 1");
            assert!(!shown.contains(unset), "{unset} in {shown}");
        }
    }

    /// Persisted: journals and stores hold these bytes.
    #[test]
    fn the_stored_bytes_never_change() {
        let hex: String = stored(&full()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN);
    }

    const GOLDEN: &str = "0a37706f7274666f6c696f732f7773632f70726f6a656374732f736369656e63652d6176656e75652f6d696c65\
        73746f6e65732f7374617274121be8b685e79eace68081e5ae9ee9aa8ce8a385e7bdaee5bc80e5b7a51a0b0a02\
        656e120553746172742211636f6e737472756374696f6e53746172742a034d2d3130003a116f7267616e697a61\
        74696f6e732f63717542067065726d69744a520a067065726d6974121e68747470733a2f2f6578616d706c652e\
        636f6d2f7065726d69742e7064661a200707070707070707070707070707070707070707070707070707070707\
        07070722060880c2bb850652046e6f74655a0708e50f1005181b620708e50f1006180a6a0708e50f1005181b70\
        147a0d0a0472696e671205696e6e6572f00102fa0104646f6e658802fdffffffffffffffff01900205c2020608\
        90d1c9ff05ca02060890d1c9ff05d202060880c2bb8506da020137";

    #[test]
    fn a_glance_sees_what_indexes_need() {
        let planned = MilestoneView::at(&stored(&milestone())).unwrap();
        assert!(planned.is_planned() && !planned.awaits_start());
        assert_eq!((planned.baseline(), planned.due()), (Some(BASELINE), Some(BASELINE)));
        let full = full();
        let view_of = MilestoneView::at(&stored(&full)).unwrap();
        assert_eq!((view_of.baseline(), view_of.due()), (Some(BASELINE), full.forecast));
        assert!(!view_of.is_planned());
        let awaiting = Milestone { state: State::Planned, delete_time: None, ..full.clone() };
        assert!(MilestoneView::at(&stored(&awaiting)).unwrap().awaits_start());
        let deleted = Milestone { state: State::Planned, ..full };
        assert!(!MilestoneView::at(&stored(&deleted)).unwrap().awaits_start());
    }

    #[test]
    fn what_was_never_stored_is_not_read() {
        let message = to_proto(milestone());
        for wrong in [
            proto::Milestone { name: "projects/x".into(), ..message.clone() },
            proto::Milestone { state: 0, ..message.clone() },
            proto::Milestone { state: 99, ..message.clone() },
            proto::Milestone { outlook: 99, nearness: 0, ..message.clone() },
            proto::Milestone { nearness: 99, ..message.clone() },
            proto::Milestone { slippage: 99, ..message.clone() },
            proto::Milestone { create_time: None, ..message.clone() },
            proto::Milestone { etag: String::new(), ..message.clone() },
            proto::Milestone { owner: "nobody".into(), ..message.clone() },
            proto::Milestone {
                baseline_date: Some(DateMessage { year: 2021, month: 2, day: 30 }),
                ..message
            },
        ] {
            assert!(from_stored(&wrong.encode_to_vec().into()).is_err(), "{wrong:?}");
        }
        assert!(from_stored(&Bytes::from_static(b"\xff")).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_milestone_is_read_back(
            state in 0usize..5, nearness in 0usize..4, slippage in 0usize..4, weight: Option<i32>, sequence: u64, days in 0i64..40_000,
            reason in ".{0,20}", seconds in 0i64..4_000_000_000, variance: Option<i32>,
        ) {
            let nearness = [Nearness::Ahead, Nearness::DueSoon, Nearness::Overdue].get(nearness).copied();
            let slippage = [Slippage::None, Slippage::AtRisk, Slippage::Late].get(slippage).copied();
            // Without a nearness there is no slippage: a baseline is a date.
            let slippage = slippage.filter(|_| nearness.is_some());
            let milestone = Milestone {
                details: Details { weight, remarks: reason.clone(), ..full().details },
                state: State::ALL[state],
                timeliness: Timeliness { nearness, slippage },
                state_reason: reason,
                forecast: Some(BASELINE.saturating_add(days.days())),
                forecast_sequence: sequence,
                variance_working_days: variance,
                update_time: Timestamp::from_second(seconds).unwrap(),
                etag: Etag(sequence.max(1)),
                ..full()
            };
            prop_assert_eq!(from_stored(&stored(&milestone)), Ok(milestone));
        }
    }
}

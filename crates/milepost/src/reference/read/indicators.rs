//! Reads indicators with their values, each part after its whole.

use std::collections::BTreeMap;

use milepost_proto::registry::v1::indicator::Flag;
use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::observation::{Qualifier as QualifierMessage, State};
use milepost_proto::registry::v1::target_verdict::Verdict as VerdictMessage;
use milepost_proto::registry::v1::{
    GetIndicatorSeriesRequest, GetIndicatorSeriesResponse, GetObservationRequest, GetObservationResponse,
    Indicator as IndicatorMessage, IndicatorContradiction, IndicatorSeries, IndicatorValue,
    ListIndicatorsRequest, ListIndicatorsResponse, ListObservationsRequest, ListObservationsResponse,
    Observation, Period,
};
use milepost_service::value::date_message;

use super::{PAGE, Reader, there};
use crate::cli::rpc;
use crate::error::Error;
use crate::output::value::civil_date;
use crate::reference::view::{Clash, Contradiction, Indicator, Qualifier, Target, Value, Verdict};

/// Contradictions of an indicator, and values of each, that are shown.
const SHOWN: usize = 3;
/// A part this deep is shown as if it were no deeper.
const DEEPEST: usize = 16;

impl Reader<'_> {
    pub(super) async fn indicators(&mut self) -> Result<Option<Vec<Indicator>>, Error> {
        let mut found = Vec::new();
        let request = |page_token| ListIndicatorsRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            ..ListIndicatorsRequest::default()
        };
        let split = |page: ListIndicatorsResponse| (page.indicators, page.next_page_token);
        let read = self.list("indicators", request, split, |indicator| found.push(indicator)).await;
        if there(read)?.is_none() {
            return Ok(None);
        }
        for indicator in &found {
            let title = self.title(&indicator.display_name, &indicator.translations);
            self.titles.insert(indicator.name.clone(), title);
        }
        let mut indicators = Vec::new();
        for (depth, indicator) in in_order(found) {
            indicators.push(self.indicator(depth, &indicator).await?);
        }
        Ok(Some(indicators))
    }

    async fn indicator(&self, depth: usize, indicator: &IndicatorMessage) -> Result<Indicator, Error> {
        let request = GetIndicatorSeriesRequest {
            name: indicator.name.clone(),
            date: Some(date_message(self.date)),
            ..GetIndicatorSeriesRequest::default()
        };
        let answer: GetIndicatorSeriesResponse = rpc::call(self.session, &request).await?;
        let series = answer.series.unwrap_or_default();
        let current = series.current.clone().unwrap_or_default();
        let sum = series.sum_of_parts.as_ref();
        let qualifier = |number| qualifier(QualifierMessage::try_from(number).unwrap_or_default());
        let mut contradictions = Vec::new();
        for contradiction in series.contradictions.iter().take(SHOWN) {
            contradictions.extend(self.contradiction(contradiction).await?);
        }
        Ok(Indicator {
            title: self.title_of(&indicator.name),
            depth,
            unit: indicator.unit.clone(),
            scope: indicator.scope.clone(),
            value: value(&current),
            sources: self.sources(&indicator.name, &current).await?,
            sum_of_parts: sum.map(|sum| (qualifier(series.sum_qualifier), self.figure(Some(sum)))),
            targets: targets(&series),
            contradictions,
            contradiction_count: series.contradiction_count.into(),
        })
    }

    /// Where a value is from.
    async fn sources(&self, indicator: &str, value: &IndicatorValue) -> Result<Vec<String>, Error> {
        if !value.observation.is_empty() {
            return Ok(vec![self.source(&value.observation).await?]);
        }
        let (false, Some(period)) = (value.value.is_empty(), &value.period) else { return Ok(Vec::new()) };
        let day = |date| civil_date(date).map(|date| date.to_string()).unwrap_or_default();
        let filter = format!(
            "period.start_date = \"{}\" AND period.end_date = \"{}\"",
            day(period.start_date),
            day(period.end_date)
        );
        let mut found = Vec::new();
        let request = |page_token| ListObservationsRequest {
            parent: indicator.to_owned(),
            page_size: PAGE,
            page_token,
            filter: filter.clone(),
            ..ListObservationsRequest::default()
        };
        let split = |page: ListObservationsResponse| (page.observations, page.next_page_token);
        let each = |observation: Observation| {
            let is_of_value = observation.state() != State::Retracted && observation.dimensions.is_empty();
            if is_of_value && !found.contains(&observation.source) {
                found.push(observation.source);
            }
        };
        self.list("observations", request, split, each).await?;
        Ok(found)
    }

    /// Where an observation is from.
    async fn source(&self, observation: &str) -> Result<String, Error> {
        let request =
            GetObservationRequest { name: observation.to_owned(), ..GetObservationRequest::default() };
        let answer: GetObservationResponse = rpc::call(self.session, &request).await?;
        Ok(answer.observation.unwrap_or_default().source)
    }

    /// What contradicts what; nothing of a kind that is newer than this program.
    async fn contradiction(
        &self,
        contradiction: &IndicatorContradiction,
    ) -> Result<Option<Contradiction>, Error> {
        let clash = match contradiction.flag() {
            Flag::Contradicted => Clash::Observations,
            Flag::ExceedsWhole => Clash::ExceedsWhole,
            Flag::ExceededByPart => Clash::ExceededByPart,
            Flag::ExceededBySum => Clash::ExceededBySum,
            Flag::Unspecified => return Ok(None),
        };
        let mut values = Vec::new();
        for value in contradiction.values.iter().take(SHOWN) {
            let whose = match self.titles.get(&value.name) {
                Some(title) => title.clone(),
                None if value.name.contains("/observations/") => self.source(&value.name).await?,
                None => self.title_of(&value.name),
            };
            values.push((whose, qualifier(value.qualifier()), value.value.clone()));
        }
        let date = contradiction.period.as_ref().and_then(|period| civil_date(period.end_date));
        let more = contradiction.values.len() - values.len();
        Ok(Some(Contradiction { clash, date, values, more }))
    }
}

/// Indicators with how deep each is, the parts of each after it. One whose whole is not there counts as none's part.
fn in_order(found: Vec<IndicatorMessage>) -> Vec<(usize, IndicatorMessage)> {
    let names: Vec<String> = found.iter().map(|indicator| indicator.name.clone()).collect();
    let mut parts = BTreeMap::<String, Vec<IndicatorMessage>>::new();
    for indicator in found {
        let whole =
            if names.contains(&indicator.part_of) { indicator.part_of.clone() } else { String::new() };
        parts.entry(whole).or_default().push(indicator);
    }
    let mut ordered = Vec::new();
    let mut left: Vec<(usize, IndicatorMessage)> = Vec::new();
    let push = |left: &mut Vec<_>, parts: Vec<IndicatorMessage>, depth: usize| {
        left.extend(parts.into_iter().rev().map(|part| (depth, part)));
    };
    push(&mut left, parts.remove("").unwrap_or_default(), 0);
    while let Some((depth, indicator)) = left.pop() {
        push(&mut left, parts.remove(&indicator.name).unwrap_or_default(), (depth + 1).min(DEEPEST));
        ordered.push((depth, indicator));
    }
    ordered
}

fn value(value: &IndicatorValue) -> Value {
    let days = |period: &Period| Some((civil_date(period.start_date)?, civil_date(period.end_date)?));
    Value {
        number: Some(value.value.clone()).filter(|number| !number.is_empty()),
        qualifier: qualifier(value.qualifier()),
        period: value.period.as_ref().and_then(days),
        is_contradicted: value.absence() == Absence::Contradicted,
    }
}

fn targets(series: &IndicatorSeries) -> Vec<Target> {
    let target = |target: &milepost_proto::registry::v1::TargetVerdict| Target {
        due: match target.year {
            0 => civil_date(target.due_date).map(|date| date.to_string()).unwrap_or_default(),
            year => year.to_string(),
        },
        number: target.value.clone(),
        verdict: match target.verdict() {
            VerdictMessage::Reached => Verdict::Reached,
            VerdictMessage::Missed => Verdict::Missed,
            VerdictMessage::Open => Verdict::Open,
            VerdictMessage::Unknown | VerdictMessage::Unspecified => Verdict::Unknown,
        },
    };
    series.targets.iter().map(target).collect()
}

fn qualifier(qualifier: QualifierMessage) -> Qualifier {
    match qualifier {
        QualifierMessage::AtLeast => Qualifier::AtLeast,
        QualifierMessage::AtMost => Qualifier::AtMost,
        QualifierMessage::About => Qualifier::About,
        QualifierMessage::Exact | QualifierMessage::Unspecified => Qualifier::Exact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_their_whole_and_what_has_none_stands_by_itself() {
        let indicator = |name: &str, part_of: &str| IndicatorMessage {
            name: name.into(),
            part_of: part_of.into(),
            ..IndicatorMessage::default()
        };
        let found = vec![
            indicator("a", ""),
            indicator("b", "d"),
            indicator("c", "a"),
            indicator("d", "a"),
            indicator("e", "gone"),
        ];
        let ordered: Vec<_> = in_order(found).into_iter().map(|(depth, part)| (depth, part.name)).collect();
        let expected = [(0, "a"), (1, "c"), (1, "d"), (2, "b"), (0, "e")];
        assert_eq!(ordered, expected.map(|(depth, name)| (depth, name.to_owned())));
    }
}

//! What the page says of its figures, for the terminal and for HTML alike.
//!
//! Invariant: a figure is never said without that it is a lower bound, or how exact it is; what is absent is said to be
//! absent.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::view::{
    Amount, Collection, Contradiction, Element, Figure, Indicator, Progress, Qualifier, RateKind, Sum,
    Target, View,
};
use super::words::Words;
use crate::output::text;

/// What stands for an absent value.
pub const ABSENT: &str = "–";
/// What is missing, and sources of a value, are named so often, and then counted.
pub const NAMED: usize = 3;
/// Elements of a collection, and projects of a wall of lights, that are listed one by one.
pub const LISTED: usize = 40;
/// Members of a campaign, periods of a warning policy, orders of one light and items of a template that are shown.
pub const MEMBERS: usize = 20;
pub const PERIODS: usize = 12;
pub const ORDERS: usize = 10;
pub const ITEMS: usize = 60;

impl Progress {
    /// Whether something is registered or declared that may be built.
    pub fn is_shown(&self) -> bool {
        self.registered_count > 0 || self.declared_count.is_some()
    }
}

impl Element {
    /// Whether something is known of how long it is.
    pub fn is_measured(&self) -> bool {
        !self.planned.is_empty() || !self.built.is_empty()
    }
}

impl View {
    /// How many projects were declared in concentrated starts that happened, by their days.
    pub fn declared_starts(&self) -> Vec<(Date, u64)> {
        let mut starts = BTreeMap::<Date, u64>::new();
        for batch in self.batches.iter().filter(|batch| batch.is_started) {
            let count = batch.declared.count.and_then(|count| u64::try_from(count).ok());
            if let (Some(date), Some(count)) = (batch.date, count) {
                *starts.entry(date).or_default() += count;
            }
        }
        starts.into_iter().collect()
    }
}

/// A count that is drawn or written beside others.
pub fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Words {
    /// Why a text stands for a value.
    pub fn absent_text(self) -> String {
        format!("{ABSENT} {}", self.absent())
    }

    /// The amounts of a sum, and how many have none.
    pub fn amounts(self, sum: &Sum) -> String {
        let amounts = sum.amounts.iter().map(|amount| self.amount(amount));
        let without = (sum.without_amount > 0).then(|| self.without_amount(sum.without_amount));
        let all: Vec<String> = amounts.chain(without).collect();
        match (all.is_empty(), sum.count) {
            (false, _) => all.join(self.comma()),
            // Of nothing there is no amount.
            (true, Some(0)) => String::new(),
            (true, _) => self.absent_text(),
        }
    }

    /// The value of a rate, or that there is none.
    pub fn figure(self, kind: RateKind, figure: &Figure) -> String {
        let Some(value) = &figure.value else { return format!("{ABSENT} {}", self.not_computable()) };
        let value = self.rate_value(kind, value);
        if figure.is_lower_bound { format!("{} {value}", self.at_least()) } else { value }
    }

    /// What is divided by what, and of how many projects; nothing of what is no plain quotient.
    pub fn rests_on(self, kind: RateKind, figure: &Figure, currency: &str) -> String {
        let number = |number: &str| match kind {
            RateKind::Investment | RateKind::Funds => {
                self.amount(&Amount { currency: currency.to_owned(), number: number.to_owned() })
            }
            _ => self.measure(number, ""),
        };
        if kind == RateKind::Ahead || figure.numerator.is_empty() || figure.denominator.is_empty() {
            return String::new();
        }
        let quotient = self.of_whole(&number(&figure.numerator), &number(&figure.denominator));
        match kind {
            RateKind::TimeProgress => quotient,
            _ => format!("{quotient} · {}", self.counted_count(figure.counted)),
        }
    }

    /// What is missing in a figure, a text for each reason.
    pub fn missing_texts(self, figure: &Figure) -> Vec<String> {
        let mut texts = Vec::new();
        let mut rest = figure.missing_count;
        for missing in &figure.missing {
            let count = i64::try_from(missing.count).unwrap_or(i64::MAX);
            rest -= count;
            let mut titles: Vec<String> = missing.titles.iter().take(NAMED).cloned().collect();
            let more = count - i64::try_from(titles.len()).unwrap_or(0);
            if more > 0 {
                titles.push(self.more(more));
            }
            texts.push(format!("{}{}{}", self.why(&missing.why), self.colon(), titles.join(self.comma())));
        }
        if rest > 0 {
            texts.push(format!("{}{}{}", self.missing(), self.colon(), text::grouped(&rest.to_string())));
        }
        texts
    }

    /// The built share of a plan.
    pub fn share(self, figure: &Figure) -> String {
        match &figure.value {
            Some(value) if figure.is_lower_bound => format!("{} {value}%", self.at_least()),
            Some(value) => format!("{value}%"),
            None => format!("{ABSENT} {}", self.not_computable()),
        }
    }

    fn measure_or_absent(self, number: &str, unit: &str) -> String {
        if number.is_empty() { self.absent_text() } else { self.measure(number, unit) }
    }

    /// What is registered, declared, planned and built of a group.
    pub fn progress_text(self, progress: &Progress, unit: &str) -> String {
        let mut parts = vec![self.parts(progress.registered_count, progress.declared_count)];
        // Of nothing there is no measure.
        if progress.registered_count > 0 {
            parts.push(self.measure_planned(&self.measure_or_absent(&progress.planned, unit)));
            parts.push(self.measure_built(&self.measure_or_absent(&progress.built, unit)));
            parts.push(self.complete_count(progress.complete_count));
        }
        parts.join(" · ")
    }

    /// What is planned and built of an element.
    pub fn element_text(self, element: &Element, unit: &str) -> String {
        let measures = [
            self.measure_planned(&self.measure_or_absent(&element.planned, unit)),
            self.measure_built(&self.measure_or_absent(&element.built, unit)),
        ];
        let complete = element.is_complete.then(|| self.complete().to_owned());
        measures.into_iter().chain(complete).collect::<Vec<_>>().join(" · ")
    }

    /// The elements of which no measure is known, in one text; nothing if there are none.
    pub fn unmeasured_text(self, elements: &[Element]) -> String {
        let unmeasured = elements.iter().filter(|element| !element.is_measured());
        let titles: Vec<&str> = unmeasured.map(|element| element.title.as_str()).collect();
        match titles.is_empty() {
            true => String::new(),
            false => format!("{}{}{}", self.without_measure(), self.colon(), titles.join(self.comma())),
        }
    }

    /// How many members a collection has, by their status.
    pub fn members_text(self, collection: &Collection) -> String {
        let status = |(status, count): &(_, u64)| self.count_of(*count, self.status(*status));
        let all: Vec<String> = collection.members_by_status.iter().map(status).collect();
        let count = text::grouped(&collection.member_count.to_string());
        format!("{}{}{count} ({})", self.members(), self.colon(), all.join(self.comma()))
    }

    /// The value of an indicator, or why there is none.
    pub fn indicator_value(self, indicator: &Indicator) -> String {
        let value = &indicator.value;
        match &value.number {
            Some(number) => self.qualified(value.qualifier, &self.measure(number, &indicator.unit)),
            None if value.is_contradicted => format!("{ABSENT} {}", self.contradicted()),
            None => self.absent_text(),
        }
    }

    /// Of what a value is, of which days, and where it is from.
    pub fn about_value(self, indicator: &Indicator) -> String {
        let mut about: Vec<String> =
            Some(indicator.scope.clone()).into_iter().filter(|scope| !scope.is_empty()).collect();
        if let Some((first, last)) = indicator.value.period {
            about.push(match first == last {
                true => self.as_of(&self.day(last)),
                false => format!("{} – {}", self.day(first), self.day(last)),
            });
        }
        if !indicator.sources.is_empty() {
            let mut sources: Vec<String> = indicator.sources.iter().take(NAMED).cloned().collect();
            let more = indicator.sources.len() - sources.len();
            sources.extend((more > 0).then(|| self.more(signed(more as u64))));
            about.push(format!("{}{}{}", self.source(), self.colon(), sources.join(self.comma())));
        }
        about.join(" · ")
    }

    /// What the parts of an indicator add up to, if that is computed.
    pub fn sum_of_parts_text(self, indicator: &Indicator) -> Option<String> {
        let (qualifier, sum) = indicator.sum_of_parts.as_ref()?;
        let value = sum.value.as_ref().map_or_else(
            || self.absent_text(),
            |value| match self.qualified(*qualifier, &self.measure(value, &indicator.unit)) {
                value if sum.is_lower_bound && *qualifier == Qualifier::Exact => {
                    format!("{} {value}", self.at_least())
                }
                value => value,
            },
        );
        let missing = self.missing_texts(sum);
        let missing = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join("; ")) };
        Some(format!("{}{}{value}{missing}", self.sum_of_parts(), self.colon()))
    }

    /// What an indicator is to come to, and whether it does.
    pub fn target_text(self, target: &Target, unit: &str) -> String {
        let value = self.measure(&target.number, unit);
        format!("{}{}{value} · {}", self.target_of(&target.due), self.colon(), self.verdict(target.verdict))
    }

    /// What contradicts something, a text for each.
    pub fn contradiction_texts(self, indicator: &Indicator) -> Vec<String> {
        let text = |contradiction: &Contradiction| {
            let value = |(whose, qualifier, number): &(String, Qualifier, String)| {
                format!("{} ({whose})", self.qualified(*qualifier, &self.measure(number, &indicator.unit)))
            };
            let more = (contradiction.more > 0).then(|| self.more(signed(contradiction.more as u64)));
            let values: Vec<String> = contradiction.values.iter().map(value).chain(more).collect();
            let date = contradiction.date.map(|date| format!(" · {}", self.day(date))).unwrap_or_default();
            format!("{}{}{}{date}", self.clash(contradiction.clash), self.colon(), values.join(self.comma()))
        };
        let mut texts: Vec<String> = indicator.contradictions.iter().map(text).collect();
        let more = indicator.contradiction_count - signed(texts.len() as u64);
        if more > 0 {
            texts.push(format!("{}{}{}", self.contradiction(), self.colon(), self.more(more)));
        }
        texts
    }
}

//! Filters: what they match, what they refuse and where, and that their text is canonical. Here are the rows
//! and the schema of these tests, which has a field of every type.

mod bounds;
mod canonical;
mod dates;
mod faults;
mod fuzz;
mod matching;
mod properties;
mod random;

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::money::Money;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum F {
    DisplayName,
    State,
    Weight,
    Latitude,
    Key,
    Start,
    Commit,
    Lead,
    Investment,
    Subject,
    Site,
    District,
    Changed,
    Parties,
    Organization,
    Levels,
    Years,
    Labels,
}

const STATES: &[&str] = &["PLANNED", "ACHIEVED", "NOT_MET"];
const LEVELS: &[&str] = &["LEVEL_NATIONAL", "LEVEL_DISTRICT"];

static SCHEMA: Schema<F> = Schema::new(&[
    Field::new("display_name", FieldType::Text, F::DisplayName),
    Field::new("state", FieldType::Enum(STATES), F::State),
    Field::new("weight", FieldType::Int, F::Weight),
    Field::new("site.latitude", FieldType::Double, F::Latitude),
    Field::new("key", FieldType::Bool, F::Key),
    Field::new("planned_period.start", FieldType::Date, F::Start),
    Field::new("commit_time", FieldType::Timestamp, F::Commit),
    Field::new("lead_time", FieldType::Duration, F::Lead),
    Field::new("investment", FieldType::Money, F::Investment),
    Field::new("subject", FieldType::Name, F::Subject),
    Field::new("site", FieldType::Message, F::Site),
    Field::new("site.district", FieldType::Text, F::District),
    Field::new("changed_fields", FieldType::List, F::Changed),
    Field::new("parties", FieldType::Repeated(&FieldType::Message), F::Parties),
    Field::new("parties.organization", FieldType::Repeated(&FieldType::Name), F::Organization),
    Field::new("levels", FieldType::Repeated(&FieldType::Enum(LEVELS)), F::Levels),
    Field::new("annual_plans.year", FieldType::Repeated(&FieldType::Int), F::Years),
    Field::new("labels", FieldType::Map, F::Labels),
]);

#[derive(Debug, Clone, Default)]
struct Row {
    display_name: String,
    state: Option<&'static str>,
    weight: Option<i64>,
    latitude: Option<f64>,
    key: bool,
    start: Option<Date>,
    commit: Option<Timestamp>,
    lead: Option<SignedDuration>,
    investment: Option<Money>,
    subject: String,
    district: Option<String>,
    changed: Vec<String>,
    /// The organizations of parties; empty: a party without one.
    parties: Vec<String>,
    levels: Vec<&'static str>,
    years: Vec<i64>,
    labels: BTreeMap<String, String>,
    today: Option<CurrentDate>,
}

impl Fields<F> for Row {
    fn value(&self, field: F) -> Value<'_> {
        match field {
            F::DisplayName => Value::text(&self.display_name),
            F::State => self.state.into(),
            F::Weight => self.weight.into(),
            F::Latitude => self.latitude.into(),
            F::Key => self.key.into(),
            F::Start => self.start.into(),
            F::Commit => self.commit.into(),
            F::Lead => self.lead.into(),
            F::Investment => self.investment.into(),
            F::Subject => Value::text(&self.subject),
            F::Site if self.latitude.is_some() || self.district.is_some() => Value::Message,
            F::Site => Value::Absent,
            F::District => self.district.as_deref().into(),
            F::Changed | F::Parties | F::Organization | F::Levels | F::Years | F::Labels => {
                unreachable!("asked by any and entry")
            }
        }
    }

    fn any(&self, field: F, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            F::Changed => self.changed.iter().any(|member| test(member)),
            F::Labels => self.labels.keys().any(|key| test(key)),
            _ => unreachable!("no texts"),
        }
    }

    fn any_value(&self, field: F, test: &dyn Fn(&Value<'_>) -> bool) -> bool {
        match field {
            F::Parties => self.parties.iter().any(|_| test(&Value::Message)),
            F::Organization => self.parties.iter().any(|name| test(&Value::text(name))),
            F::Levels => self.levels.iter().any(|name| test(&Value::from(*name))),
            F::Years => self.years.iter().any(|year| test(&Value::from(*year))),
            field => self.any(field, &|text| test(&Value::from(text))),
        }
    }

    fn entry(&self, field: F, key: &str) -> Option<&str> {
        assert_eq!(field, F::Labels);
        self.labels.get(key).map(String::as_str)
    }

    fn current_date(&self) -> Option<CurrentDate> {
        self.today.clone()
    }
}

fn avenue() -> Row {
    Row {
        display_name: "科学大道 (Science Avenue)".into(),
        state: Some("PLANNED"),
        weight: Some(42),
        latitude: Some(29.5),
        key: true,
        start: Some(date(2020, 9, 11)),
        commit: Some("2021-05-27T00:00:00Z".parse().unwrap()),
        lead: Some(SignedDuration::new(1, 200_000_000)),
        investment: Some("CNY 28360000000.50".parse().unwrap()),
        subject: "portfolios/wsc/projects/science-avenue".into(),
        changed: vec!["forecast_date".into(), "state".into()],
        parties: vec!["organizations/cqu".into(), String::new()],
        levels: vec!["LEVEL_NATIONAL"],
        years: vec![2020, 2021],
        labels: [("sector", "transport"), ("note", "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        district: None,
        today: None,
    }
}

fn parse(text: &str) -> Filter<F> {
    Filter::parse(text, &SCHEMA).unwrap_or_else(|error| panic!("{text}: {error}"))
}

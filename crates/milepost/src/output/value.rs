//! The values of fields as text for people, by what the schema says of them.
//!
//! Invariant: what is absent has no text here; the caller shows `-` or leaves it out. No amount is rounded.

use jiff::civil;
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::journal::v1::Position;
use milepost_proto::notifier::v1::SourceProgress;
use milepost_proto::options::v1::Content;
use milepost_proto::registry::v1::Period;
use milepost_types::date_from_parts;
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, MapKey, ReflectMessage, Value};
use prost_types::{Duration, Timestamp};

use super::text;
use super::zone::Zone;
use crate::schema::field::{self, Access, Shape};

/// A date that is given; none if it is no date.
pub fn civil_date(date: Option<Date>) -> Option<civil::Date> {
    let Date { year, month, day } = date?;
    date_from_parts(year, month, day).ok()
}

/// Whether a field is there. A number that the server counts always is; one that callers give is absent if it is 0 and
/// the schema does not distinguish 0 from none.
pub fn is_there(message: &DynamicMessage, of: &FieldDescriptor) -> bool {
    let counted = field::shape(of) == Shape::Whole && field::access(of) == Access::Output;
    message.has_field(of) || (counted && !of.is_list() && !of.supports_presence())
}

/// The value of a field, if it is there: a line for each member of a list.
pub fn lines(message: &DynamicMessage, of: &FieldDescriptor, zone: &Zone) -> Vec<String> {
    if !is_there(message, of) {
        return Vec::new();
    }
    match &*message.get_field(of) {
        Value::Map(pairs) => {
            let line = |(key, value)| {
                format!("{}={}", MapKey::as_str(key).unwrap_or_default(), one(of, value, zone))
            };
            let mut lines: Vec<String> = pairs.iter().map(line).collect();
            lines.sort();
            lines
        }
        Value::List(members) if field::shape(of) == Shape::Date => days(members),
        Value::List(members) => {
            let lines: Vec<String> = members.iter().map(|member| one(of, member, zone)).collect();
            if field::content(of) == Content::Weekdays { vec![lines.join(" ")] } else { lines }
        }
        value => Some(one(of, value, zone)).filter(|line| !line.is_empty()).into_iter().collect(),
    }
}

/// One value; of a list, one member.
fn one(of: &FieldDescriptor, value: &Value, zone: &Zone) -> String {
    // How far something is from something else is shown with its sign.
    let is_difference = of.name().starts_with("variance_") || of.name().starts_with("slip_");
    match (value, field::shape(of)) {
        (Value::EnumNumber(number), Shape::Enum(values)) => code(&values, *number),
        (Value::Bool(yes), _) => if *yes { "yes" } else { "no" }.to_owned(),
        (Value::Bytes(bytes), _) => hex(bytes),
        (Value::I32(day), _) if field::content(of) == Content::Weekdays => weekday(*day),
        (Value::I32(days), _) if is_difference && *days > 0 => format!("+{days}"),
        (Value::U64(bytes), _) if of.name().ends_with("_bytes") => text::grouped(&bytes.to_string()),
        (Value::F64(number), _) => number.to_string(),
        (Value::Message(inner), _) => message(inner, zone).unwrap_or_default(),
        (Value::String(text), _) => text.clone(),
        (number, _) => number.to_string(),
    }
}

/// A message on one line.
fn message(inner: &DynamicMessage, zone: &Zone) -> Option<String> {
    Some(match field::shape_of(inner.descriptor()) {
        Shape::Date => text::date(typed::<Date>(inner).as_ref()),
        Shape::Money => text::money(typed::<Money>(inner).as_ref()),
        Shape::Instant => zone.time(typed::<Timestamp>(inner).as_ref()),
        Shape::Period => period(&typed::<Period>(inner)?),
        Shape::Duration => typed::<Duration>(inner)?.to_string(),
        _ => match inner.descriptor().name() {
            "Position" => position(&typed(inner)?),
            "SourceProgress" => progress(&typed(inner)?),
            _ => parts(inner, zone),
        },
    })
}

/// `registry to sequence 24, 0 entries behind`.
fn progress(SourceProgress { source, position, lag_entries }: &SourceProgress) -> String {
    let sequence = position.as_ref().map_or(0, |position| position.sequence);
    let behind = |lag| format!("{} behind", text::count(lag, "entry", "entries"));
    let behind = lag_entries.map_or("not reached yet".to_owned(), behind);
    format!("{source} to sequence {sequence}, {behind}")
}

/// The fields of a message on one line; several of one field, and numbers that say nothing by themselves, after its name.
/// What is so is said by its name alone.
fn parts(inner: &DynamicMessage, zone: &Zone) -> String {
    let part = |of: FieldDescriptor| {
        if matches!(&*inner.get_field(&of), Value::Bool(true)) {
            return Some(field::words(of.name()));
        }
        let text = lines(inner, &of, zone).join(", ");
        let is_named = match field::content(&of) {
            Content::Year => false,
            Content::Decimal => true,
            _ => of.is_list() || matches!(field::shape(&of), Shape::Whole | Shape::Bool),
        };
        let text = if is_named && !text.is_empty() { field::words(of.name()) + " " + &text } else { text };
        Some(text).filter(|text| !text.is_empty())
    };
    inner.descriptor().fields().filter_map(part).collect::<Vec<_>>().join(" · ")
}

/// A value of an enumeration without what all its values begin with; nothing for the one that says nothing.
pub fn code(values: &EnumDescriptor, number: i32) -> String {
    let name = |number| values.get_value(number).map(|value| value.name().to_owned());
    let first = name(0).unwrap_or_default();
    match name(number) {
        _ if number == 0 => String::new(),
        Some(name) => name.trim_start_matches(first.trim_end_matches("UNSPECIFIED")).to_owned(),
        None => number.to_string(),
    }
}

/// `2021-05-27 to 2023-12-31`, `from 2021-05-27`, or `until 2023-12-31`.
pub fn period(period: &Period) -> String {
    let (start, end) = (text::date(period.start_date.as_ref()), text::date(period.end_date.as_ref()));
    match (period.start_date, period.end_date) {
        (Some(_), Some(_)) => format!("{start} to {end}"),
        (Some(_), None) => format!("from {start}"),
        (None, Some(_)) => format!("until {end}"),
        (None, None) => text::ABSENT.to_owned(),
    }
}

/// A typed copy of a message; none if it is of another type.
pub fn typed<M: prost::Message + Default>(message: &DynamicMessage) -> Option<M> {
    message.transcode_to().ok()
}

/// `{log}/{sequence}@{hash prefix}`, as errors write positions.
pub fn position(position: &Position) -> String {
    format!("{}/{}@{}", position.log_id, position.sequence, hex(&position.hash_prefix))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn weekday(day: i32) -> String {
    let name = usize::try_from(day - 1).ok().and_then(|day| text::WEEKDAYS.get(day));
    name.map_or_else(|| day.to_string(), |name| (*name).to_owned())
}

/// Days, with days in a row as one: `2026-10-01 to 2026-10-07`.
fn days(members: &[Value]) -> Vec<String> {
    let day = |member: &Value| {
        let Date { year, month, day } = typed(member.as_message()?)?;
        date_from_parts(year, month, day).ok()
    };
    let mut spans: Vec<(civil::Date, civil::Date)> = Vec::new();
    for next in members.iter().filter_map(day) {
        match spans.last_mut() {
            Some((_, last)) if last.tomorrow().ok() == Some(next) => *last = next,
            _ => spans.push((next, next)),
        }
    }
    let text = |(first, last)| if first == last { format!("{first}") } else { format!("{first} to {last}") };
    spans.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json;
    use milepost_proto::registry::v1::{
        AnnualPlan, FundingSource, Party, Portfolio, Project, ProjectCode, Site, WorkingCalendar,
    };
    use milepost_proto::tracker::v1::{WarningBand, WarningLight, WarningTest};

    fn shown<M: prost::Name>(message: &M, of: &str) -> Vec<String> {
        let dynamic = json::dynamic(message);
        let of = dynamic.descriptor().get_field_by_name(of).unwrap();
        lines(&dynamic, &of, &Zone::UTC)
    }

    fn yuan(units: i64) -> Option<Money> {
        Some(Money { currency_code: "CNY".into(), units, nanos: 0 })
    }

    #[test]
    fn a_period_may_be_open() {
        let day = Some(Date { year: 2021, month: 5, day: 27 });
        let text = |start_date, end_date| period(&Period { start_date, end_date });
        assert_eq!(text(day, day), "2021-05-27 to 2021-05-27");
        assert_eq!(text(day, None), "from 2021-05-27");
        assert_eq!(text(None, day), "until 2021-05-27");
        assert_eq!(text(None, None), "-");
    }

    #[test]
    fn numbers_and_what_is_so_are_named_within_a_line() {
        let band = WarningBand {
            light: WarningLight::Yellow.into(),
            low: "1".into(),
            low_inclusive: true,
            high: "2".into(),
            high_inclusive: false,
        };
        let test = WarningTest { bands: vec![band], ..WarningTest::default() };
        assert_eq!(shown(&test, "bands"), ["YELLOW · low 1 · low inclusive · high 2"]);
    }

    #[test]
    fn what_a_project_has_several_of_is_a_line_each() {
        let project = Project {
            key: Some(false),
            codes: vec![ProjectCode { scheme: "GB/T 40058".into(), code: "2021-1".into() }],
            site: Some(Site {
                address: "科学大道 1 号".into(),
                division_code: "500107".into(),
                latitude: Some(29.6),
                longitude: Some(106.3),
            }),
            funding: vec![FundingSource {
                source: "central budget".into(),
                organization: "organizations/cqu".into(),
                amount: yuan(5),
            }],
            annual_plans: vec![AnnualPlan {
                year: 2021,
                investment: yuan(7),
                content: "路基".into(),
                ..AnnualPlan::default()
            }],
            parties: vec![Party {
                organization: "organizations/cqu".into(),
                roles: vec!["lead".into(), "user".into()],
            }],
            ..Default::default()
        };
        assert_eq!(shown(&project, "key"), ["no"]);
        assert_eq!(shown(&project, "codes"), ["GB/T 40058 · 2021-1"]);
        assert_eq!(shown(&project, "site"), ["科学大道 1 号 · 500107 · 29.6 · 106.3"]);
        assert_eq!(shown(&project, "funding"), ["central budget · organizations/cqu · CNY 5"]);
        assert_eq!(shown(&project, "annual_plans"), ["2021 · CNY 7 · 路基"]);
        assert_eq!(shown(&project, "parties"), ["organizations/cqu · roles lead, user"]);
        assert_eq!(shown(&project, "investment"), [""; 0]);
    }

    #[test]
    fn a_calendar_shows_days_in_a_row_as_one() {
        let day = |day| Date { year: 2026, month: 10, day };
        let calendar = WorkingCalendar {
            weekdays: vec![1, 2, 3, 4, 5],
            holidays: vec![day(1), day(2), day(3), day(8)],
            make_up_days: vec![day(10)],
        };
        let portfolio = Portfolio { working_calendar: Some(calendar), ..Default::default() };
        assert_eq!(
            shown(&portfolio, "working_calendar"),
            [
                "weekdays Mon Tue Wed Thu Fri · holidays 2026-10-01 to 2026-10-03, 2026-10-08 · make up days 2026-10-10"
            ]
        );
    }
}

//! Reads the lights of adopted warning policies.

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_proto::tracker::v1::warning_policy::Period;
use milepost_proto::tracker::v1::{
    ListWarningPoliciesRequest, ListWarningPoliciesResponse, ListWarningsRequest, ListWarningsResponse,
    Warning, WarningPolicy,
};

use super::{PAGE, Reader, there};
use crate::cli::rpc;
use crate::error::Error;
use crate::output::value::civil_date;
use crate::output::wall::{Light, Wall};
use crate::reference::phrases::{LISTED, PERIODS};
use crate::reference::view::Warnings;

/// The light of a project in the period that ends on a day.
type ProjectLight = (String, Date, Light);

/// So many lights are counted: as many as a thousand projects have in all periods that are shown.
const COUNTED: usize = 1000 * PERIODS;

impl Reader<'_> {
    /// The last periods up to the day of the page of each policy that is in force.
    pub(super) async fn warnings(&self) -> Result<Vec<Warnings>, Error> {
        let mut policies = Vec::new();
        let request = |page_token| ListWarningPoliciesRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            filter: "state = STATE_ADOPTED".to_owned(),
            ..ListWarningPoliciesRequest::default()
        };
        let split = |page: ListWarningPoliciesResponse| (page.warning_policies, page.next_page_token);
        there(self.list("warning policies", request, split, |policy| policies.push(policy)).await)?;
        let mut warnings = Vec::new();
        for policy in policies {
            let mut wall = self.wall(&policy).await?;
            wall.rows.iter_mut().for_each(|row| row.title = self.title_of(&row.title));
            wall.worst_first();
            warnings.push(Warnings {
                title: self.title(&policy.display_name, &policy.translations),
                description: policy.description.clone(),
                wall,
            });
        }
        Ok(warnings)
    }

    /// The lights that are drawn: of the last periods those of all projects, which are counted, until they are many; of
    /// those before only the rows'.
    async fn wall(&self, policy: &WarningPolicy) -> Result<Wall, Error> {
        let counts = format!("policy = \"{}\" AND NOT superseded_by:*", policy.name);
        let first = first_end(policy, self.date);
        let filter = format!("{counts} AND period_end >= {first} AND period_end <= {}", self.date);
        let (mut lights, is_all) = self.lights(&format!("{}/projects/-", self.name), &filter).await?;
        let unfinished = if is_all { None } else { leave_unfinished(&mut lights) };
        let mut wall = Wall::of(lights);
        wall.worst_first();
        wall.cut(LISTED);
        if let Some(last) = unfinished {
            let filter = format!("{counts} AND period_end >= {first} AND period_end <= {last}");
            let mut earlier = Vec::new();
            for row in &wall.rows {
                earlier.extend(self.lights(&row.title, &filter).await?.0);
            }
            wall.add_earlier(earlier);
        }
        Ok(wall)
    }

    /// Lights of projects, those of the last period first, until there are enough; and whether these are all.
    async fn lights(&self, parent: &str, filter: &str) -> Result<(Vec<ProjectLight>, bool), Error> {
        self.bar.set_message("reading warnings");
        let (mut lights, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListWarningsRequest {
                parent: parent.to_owned(),
                page_size: PAGE,
                page_token,
                filter: filter.to_owned(),
                order_by: "period_end desc".to_owned(),
                ..ListWarningsRequest::default()
            };
            let page: ListWarningsResponse = rpc::call(self.session, &request).await?;
            lights.extend(page.warnings.into_iter().filter_map(light));
            self.bar.set_position(lights.len() as u64);
            page_token = page.next_page_token;
            if page_token.is_empty() || is_enough(&lights) {
                return Ok((lights, page_token.is_empty()));
            }
        }
    }
}

fn light(warning: Warning) -> Option<ProjectLight> {
    let project = warning.name.split("/warnings/").next().unwrap_or_default().to_owned();
    let light = Light { shown: warning.shown_light(), is_excused: !warning.excuse.is_empty() };
    Some((project, civil_date(warning.period_end)?, light))
}

/// Whether lights, those of the last period first, are as many as are counted, and all that there are of that period.
fn is_enough(lights: &[ProjectLight]) -> bool {
    let (first, last) = (lights.first(), lights.last());
    lights.len() >= COUNTED && first.map(|(_, period, _)| period) != last.map(|(_, period, _)| period)
}

/// Takes away the lights of the earliest period, of which there may be more; answers which one it is.
fn leave_unfinished(lights: &mut Vec<ProjectLight>) -> Option<Date> {
    let (_, unfinished, _) = *lights.last()?;
    lights.retain(|(_, period, _)| *period != unfinished);
    Some(unfinished)
}

/// The day on which the earliest period ends, or later, that is shown on a day.
fn first_end(policy: &WarningPolicy, date: Date) -> Date {
    let periods = i32::try_from(PERIODS).unwrap_or(i32::MAX);
    let back = |months: i32| date.saturating_add(1.day()).first_of_month().saturating_sub(months.months());
    match policy.period() {
        Period::Quarter => back(3 * periods),
        Period::Dates => {
            let mut dates: Vec<Date> =
                policy.dates.iter().filter_map(|date| civil_date(Some(*date))).collect();
            dates.retain(|end| *end <= date);
            dates.sort();
            dates.get(dates.len().saturating_sub(PERIODS)).copied().unwrap_or(date)
        }
        Period::Month | Period::Unspecified => back(periods),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_proto::tracker::v1::WarningLight;
    use milepost_service::value::date_message;

    use super::*;

    /// Of 10,000 projects one period is read whole, and no second one.
    #[test]
    fn lights_are_read_until_the_last_period_is_whole_and_there_are_enough() {
        let light = Light { shown: WarningLight::Green, is_excused: false };
        let of = |period: Date, count: usize| (0..count).map(move |i| (format!("p{i}"), period, light));
        let (last, before) = (date(2021, 10, 31), date(2021, 9, 30));
        let mut lights: Vec<_> = of(last, COUNTED + 1).collect();
        assert!(!is_enough(&lights[1..]) && !is_enough(&lights), "there may be more of the period");
        lights.extend(of(before, 1));
        assert!(is_enough(&lights) && !is_enough(&lights[3..]));
        assert_eq!(leave_unfinished(&mut lights), Some(before));
        assert_eq!(lights.len(), COUNTED + 1);
        assert_eq!(leave_unfinished(&mut Vec::new()), None);
    }

    #[test]
    fn as_many_periods_are_read_as_are_shown() {
        let of = |period: Period| WarningPolicy { period: period.into(), ..WarningPolicy::default() };
        for (period, day, first) in [
            (Period::Month, date(2021, 10, 31), date(2020, 11, 1)),
            (Period::Month, date(2021, 10, 30), date(2020, 10, 1)),
            (Period::Month, date(2021, 2, 28), date(2020, 3, 1)),
            (Period::Quarter, date(2021, 12, 31), date(2019, 1, 1)),
            (Period::Quarter, date(2021, 12, 30), date(2018, 12, 1)),
        ] {
            assert_eq!(first_end(&of(period), day), first, "{period:?} {day}");
        }
        let ends = (1..=28).map(|day| date_message(date(2021, 2, day))).collect();
        let policy = WarningPolicy { dates: ends, ..of(Period::Dates) };
        assert_eq!(first_end(&policy, date(2021, 2, 20)), date(2021, 2, 9));
        assert_eq!(first_end(&policy, date(2021, 2, 3)), date(2021, 2, 1));
        assert_eq!(first_end(&policy, date(2021, 1, 3)), date(2021, 1, 3));
    }
}

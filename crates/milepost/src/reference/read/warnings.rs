//! Reads the lights of adopted warning policies.

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_proto::tracker::v1::warning_policy::Period;
use milepost_proto::tracker::v1::{
    ListWarningPoliciesRequest, ListWarningPoliciesResponse, ListWarningsRequest, ListWarningsResponse,
    Warning, WarningPolicy,
};

use super::{PAGE, Reader, there};
use crate::error::Error;
use crate::output::value::civil_date;
use crate::output::wall::{Light, Wall};
use crate::reference::phrases::{LISTED, PERIODS};
use crate::reference::view::Warnings;

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
            wall.cut(LISTED);
            warnings.push(Warnings {
                title: self.title(&policy.display_name, &policy.translations),
                description: policy.description.clone(),
                wall,
            });
        }
        Ok(warnings)
    }

    async fn wall(&self, policy: &WarningPolicy) -> Result<Wall, Error> {
        let (first, last) = (first_end(policy, self.date), self.date);
        let filter = format!(
            "policy = \"{}\" AND period_end >= {first} AND period_end <= {last} AND NOT superseded_by:*",
            policy.name
        );
        let request = |page_token| ListWarningsRequest {
            parent: format!("{}/projects/-", self.name),
            page_size: PAGE,
            page_token,
            filter: filter.clone(),
            ..ListWarningsRequest::default()
        };
        let split = |page: ListWarningsResponse| (page.warnings, page.next_page_token);
        let mut lights = Vec::new();
        let each = |warning: Warning| {
            let project = warning.name.split("/warnings/").next().unwrap_or_default().to_owned();
            let light = Light { shown: warning.shown_light(), is_excused: !warning.excuse.is_empty() };
            lights.extend(civil_date(warning.period_end).map(|period| (project, period, light)));
        };
        self.list("warnings", request, split, each).await?;
        Ok(Wall::of(lights))
    }
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
    use milepost_service::value::date_message;

    use super::*;

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

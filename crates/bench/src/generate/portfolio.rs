//! The portfolio, with a calendar that has holidays and make-up working days.

use jiff::civil::Date;
use milepost_proto::registry::v1::{CreatePortfolioRequest, Portfolio, WorkingCalendar};

use super::officer;
use super::step::{Stage, Step};
use super::value::{date, day, days, english, labels, marked};
use super::world::{World, YEARS};

/// The step that makes it.
pub fn step(world: &World) -> Step {
    let mut step = Step::new(Stage::Portfolio, &world.id, "portfolio", 0);
    step.resources = 1;
    step.registry(
        "/milepost.registry.v1.PortfolioService/CreatePortfolio",
        CreatePortfolioRequest {
            portfolio_id: world.id.clone(),
            portfolio: Some(portfolio(world)),
            ..Default::default()
        },
    );
    step
}

fn portfolio(world: &World) -> Portfolio {
    let projects = world.plan.projects;
    Portfolio {
        display_name: marked(&format!("科学新城建设 {projects} 项")),
        translations: english(&format!("science town, {projects} projects")),
        time_zone: world.plan.time_zone.into(),
        reporting_currency_code: "CNY".into(),
        working_calendar: Some(calendar(world)),
        language: "zh".into(),
        required_languages: vec!["zh".into(), "en".into()],
        max_projects_per_officer: Some(officer::MOST),
        description: "由种子生成，用于测试和演示，与任何真实项目无关。".into(),
        labels: labels([("synthetic", "true"), ("seed", &world.plan.seed.to_string())]),
        ..Default::default()
    }
}

/// New Year, Labour Day and National Day are free; the Sundays before two of them are worked.
fn calendar(world: &World) -> WorkingCalendar {
    let first = world.first_day().year();
    // Planned dates go beyond the history.
    let years = first..first + YEARS + 6;
    let span = |first: Date, count: i64| (0..count).map(move |more| days(first, more));
    let free =
        |year| span(day(year, 1, 1), 1).chain(span(day(year, 5, 1), 5)).chain(span(day(year, 10, 1), 7));
    let worked = |year| [day(year, 5, 1), day(year, 10, 1)].map(sunday_before);
    WorkingCalendar {
        weekdays: Vec::new(),
        holidays: years.clone().flat_map(free).map(date).collect(),
        make_up_days: years.flat_map(worked).map(date).collect(),
    }
}

fn sunday_before(day: Date) -> Date {
    days(day, -i64::from(day.weekday().to_sunday_zero_offset().max(1)))
}

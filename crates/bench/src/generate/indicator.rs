//! Indicators: stocks, flows and rates, some of them parts of others, with observations by month.
//!
//! Of some periods there are two observations that contradict each other, which is settled or not; some are late.

use jiff::civil::Date;
use milepost_proto::registry::v1::indicator::{Kind, Rollup};
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::{
    CreateIndicatorRequest, CreateObservationRequest, Indicator, IndicatorTarget, IndicatorThreshold,
    Observation, PreferObservationRequest, RetractObservationRequest,
};

use super::draw::Draw;
use super::step::{Stage, Step};
use super::value::{date, days, english, labels, marked, next_month, period};
use super::words::DISTRICTS;
use super::world::World;

/// What is counted: its id, names, unit, kind, first value and by how much it grows a month, in hundredths.
struct Subject {
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    unit: &'static str,
    kind: Kind,
    first: i64,
    growth: (i64, i64),
}

const SUBJECTS: [Subject; 6] = [
    Subject {
        id: "institutions",
        zh: "市级以上研发机构",
        en: "research institutions",
        unit: "个",
        kind: Kind::Stock,
        first: 12_000,
        growth: (0, 900),
    },
    Subject {
        id: "enterprises",
        zh: "高新技术企业",
        en: "high-tech enterprises",
        unit: "家",
        kind: Kind::Stock,
        first: 9_000,
        growth: (-100, 700),
    },
    Subject {
        id: "incubators",
        zh: "孵化器和众创空间",
        en: "incubators",
        unit: "个",
        kind: Kind::Stock,
        first: 900,
        growth: (0, 100),
    },
    Subject {
        id: "attracted",
        zh: "招商引资额",
        en: "attracted investment",
        unit: "亿元",
        kind: Kind::Flow,
        first: 3_000,
        growth: (-900, 1_000),
    },
    Subject {
        id: "patents",
        zh: "授权专利",
        en: "patents granted",
        unit: "件",
        kind: Kind::Flow,
        first: 8_000,
        growth: (-2_000, 2_200),
    },
    Subject {
        id: "satisfaction",
        zh: "企业满意度",
        en: "satisfaction of firms",
        unit: "%",
        kind: Kind::Rate,
        first: 8_800,
        growth: (-120, 130),
    },
];

/// Districts that have parts of their own: a small world has few.
fn districts(world: &World) -> usize {
    (2 + world.projects.len() / 50).min(DISTRICTS.len())
}

/// The steps that make them: each indicator after the one that it is a part of.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    let wholes = SUBJECTS.iter().enumerate().map(|(number, subject)| step(world, number, subject, None));
    let parts = SUBJECTS.iter().enumerate().filter(|(_, subject)| subject.kind != Kind::Rate);
    let parts = parts.flat_map(move |(number, subject)| {
        (0..districts(world)).map(move |district| step(world, number, subject, Some(district)))
    });
    wholes.chain(parts)
}

/// The name of the indicator that is a sum of parts.
pub fn first(world: &World) -> String {
    name(world, &SUBJECTS[0], None)
}

fn name(world: &World, subject: &Subject, district: Option<usize>) -> String {
    format!("{}/indicators/{}", world.portfolio(), id(subject, district))
}

fn id(subject: &Subject, district: Option<usize>) -> String {
    match district {
        Some(district) => format!("{}-{}", subject.id, DISTRICTS[district].code),
        None => subject.id.to_owned(),
    }
}

fn step(world: &World, number: usize, subject: &Subject, district: Option<usize>) -> Step {
    let stage = if district.is_some() { Stage::Parts } else { Stage::Indicators };
    let place = district.map_or(number, |district| (number + 1) * 100 + district);
    let mut draw = world.draw("indicator", place);
    let mut step = Step::new(stage, &world.id, "indicators", place as u64);
    step.resources = 1;
    step.registry(
        "/milepost.registry.v1.IndicatorService/CreateIndicator",
        CreateIndicatorRequest {
            parent: world.portfolio(),
            indicator_id: id(subject, district),
            indicator: Some(indicator(world, subject, district)),
            ..Default::default()
        },
    );
    observe(world, subject, district, &mut draw, &mut step);
    step
}

fn indicator(world: &World, subject: &Subject, district: Option<usize>) -> Indicator {
    let (zh, en) = match district {
        Some(district) => {
            let district = &DISTRICTS[district];
            (format!("{}{}", district.zh, subject.zh), format!("{}, {}", subject.en, district.en))
        }
        None => (subject.zh.to_owned(), subject.en.to_owned()),
    };
    let is_sum = district.is_none() && subject.kind != Kind::Rate;
    let year = i32::from(world.plan.until.year());
    let target = |year, share: i64| IndicatorTarget {
        year,
        value: hundredths(subject.first * share),
        ..Default::default()
    };
    let whole = district.is_some().then(|| name(world, subject, None));
    Indicator {
        display_name: marked(&zh),
        translations: english(&en),
        labels: labels([("synthetic", "true")]),
        unit: subject.unit.into(),
        kind: subject.kind.into(),
        higher_is_better: Some(true),
        scope: "科学新城核心区".into(),
        part_of: whole.unwrap_or_default(),
        rollup: if is_sum { Rollup::Sum } else { Rollup::None }.into(),
        targets: if district.is_none() { vec![target(year, 2), target(year + 1, 3)] } else { Vec::new() },
        thresholds: vec![IndicatorThreshold { value: hundredths(subject.first), label: "基数".into() }],
        ..Default::default()
    }
}

/// Month by month over the history; the parts of a stock are a share of it.
fn observe(world: &World, subject: &Subject, district: Option<usize>, draw: &mut Draw, step: &mut Step) {
    let parent = name(world, subject, district);
    let share = if district.is_some() { districts(world) as i64 * 2 } else { 1 };
    let mut value = subject.first / share;
    let mut month = world.first_day();
    while month.last_of_month() < world.plan.until {
        value = (value + draw.between(subject.growth.0, subject.growth.1) / share).max(0);
        if subject.kind == Kind::Rate {
            value = value.min(10_000);
        }
        let rounded = if subject.kind == Kind::Stock { value / 100 * 100 } else { value };
        // Some months are never observed.
        if !draw.happens(4) {
            one(world, subject, &parent, month, rounded, draw, step);
        }
        month = next_month(month);
    }
}

fn one(
    world: &World,
    subject: &Subject,
    parent: &str,
    month: Date,
    value: i64,
    draw: &mut Draw,
    step: &mut Step,
) {
    let end = month.last_of_month();
    // A stock is counted on a day.
    let first = if subject.kind == Kind::Stock { end } else { month };
    let reported = days(end, draw.between(2, 40)).min(world.plan.until);
    let id = format!("o{}", month.strftime("%Y%m"));
    let qualifier = match draw.below(100) {
        0..6 => Qualifier::AtLeast,
        6..9 => Qualifier::About,
        _ => Qualifier::Exact,
    };
    let mut create = |id: &str, value: i64, source: &str| {
        let observation = Observation {
            period: Some(period(first, end)),
            value: hundredths(value),
            qualifier: qualifier.into(),
            source: source.to_owned(),
            reported_date: Some(date(reported)),
            ..Default::default()
        };
        step.resources += 1;
        step.registry(
            "/milepost.registry.v1.ObservationService/CreateObservation",
            CreateObservationRequest {
                parent: parent.to_owned(),
                observation_id: id.to_owned(),
                observation: Some(observation),
                ..Default::default()
            },
        );
    };
    create(&id, value, "统计月报");
    if !draw.happens(4) {
        return;
    }
    let other = format!("{id}-b");
    create(&other, value + 100, "部门上报");
    let (reason, day) = ("以统计月报为准".to_owned(), Some(date(world.plan.until)));
    match draw.below(3) {
        0 => step.registry(
            "/milepost.registry.v1.ObservationService/PreferObservation",
            PreferObservationRequest {
                name: format!("{parent}/observations/{id}"),
                reason,
                date: day,
                ..Default::default()
            },
        ),
        1 => step.registry(
            "/milepost.registry.v1.ObservationService/RetractObservation",
            RetractObservationRequest {
                name: format!("{parent}/observations/{other}"),
                reason,
                date: day,
                ..Default::default()
            },
        ),
        // It is not settled yet.
        _ => {}
    }
}

fn hundredths(value: i64) -> String {
    match value % 100 {
        0 => (value / 100).to_string(),
        rest => format!("{}.{rest:02}", value / 100),
    }
}

//! Portfolios to draw: one without anything, a small one, and one that has everything.
//!
//! The full one is the science city as it is published (facts), with what it does not have yet made up.

use jiff::civil::{Date, date};
use milepost_proto::registry::v1::project::Status;

use crate::reference::view::*;
use crate::reference::words::Words;

/// A portfolio that was just created.
pub fn empty(language: &str) -> View {
    View {
        words: Words::of(language),
        language: language.to_owned(),
        name: "portfolios/harbour".into(),
        title: "海港新城".into(),
        other_titles: Vec::new(),
        description: String::new(),
        time_zone: "Asia/Shanghai".into(),
        currency: "CNY".into(),
        date: date(2026, 3, 2),
        year: 2026,
        is_today: true,
        projects: Projects::default(),
        milestones: Vec::new(),
        lists: Some(Vec::new()),
        batches: Vec::new(),
        starts: Vec::new(),
        rates: None,
        collections: Some(Vec::new()),
        indicators: Some(Vec::new()),
        campaigns: Vec::new(),
        warnings: Vec::new(),
        orders: None,
        templates: Vec::new(),
        timeline: Some(Vec::new()),
    }
}

/// A portfolio with a few projects and a start to come.
pub fn small(language: &str) -> View {
    View {
        projects: Projects {
            count: 3,
            key: 0,
            by_status: vec![(Status::Proposed, 1), (Status::Construction, 2)],
        },
        milestones: vec![(MilestoneState::Achieved, 1), (MilestoneState::Late, 1)],
        batches: vec![Batch {
            title: "春季集中开工".into(),
            date: Some(date(2026, 3, 15)),
            is_started: false,
            declared: Sum::default(),
            registered: Sum { count: Some(2), amounts: vec![cny("2513000000.5")], without_amount: 0 },
        }],
        starts: vec![(date(2026, 2, 20), 2)],
        rates: Some(Rates {
            listed_count: 3,
            split_count: 3,
            has_list: false,
            currency: "CNY".into(),
            rates: vec![(RateKind::Start, Figure::default()), (RateKind::Ahead, Figure::default())],
            unplanned: None,
        }),
        ..empty(language)
    }
}

/// The science city, with everything that a page can have.
pub fn full(language: &str) -> View {
    let is_chinese = Words::of(language) == Words::of("zh");
    let (title, other) = ("西部(重庆)科学城", "Western (Chongqing) Science City");
    let (title, other) = if is_chinese { (title, other) } else { (other, title) };
    View {
        name: "portfolios/western-science-city".into(),
        title: title.into(),
        other_titles: vec![other.into()],
        description:
            "The construction projects of the city in 2021, its project construction year (项目建设年).\n\
                      Roads: two rings (两环) and a grid (六横六纵)."
                .into(),
        date: date(2021, 10, 31),
        year: 2021,
        is_today: false,
        projects: Projects {
            count: 12,
            key: 4,
            by_status: vec![(Status::Proposed, 7), (Status::Construction, 4), (Status::Suspended, 1)],
        },
        milestones: vec![
            (MilestoneState::Achieved, 6),
            (MilestoneState::Overdue, 1),
            (MilestoneState::Undated, 1),
        ],
        lists: Some(vec![list()]),
        batches: batches(),
        starts: vec![(date(2020, 9, 11), 2), (date(2021, 4, 15), 1), (date(2021, 5, 27), 1)],
        rates: Some(rates()),
        collections: Some(vec![rings(), grid(), valley()]),
        indicators: Some(indicators()),
        timeline: Some(timeline()),
        ..empty(language)
    }
}

pub fn cny(number: &str) -> Amount {
    Amount { currency: "CNY".into(), number: number.into() }
}

fn declared(count: Option<i64>, amount: Option<&str>) -> Sum {
    Sum { count, amounts: amount.map(cny).into_iter().collect(), without_amount: 0 }
}

fn registered(count: i64) -> Sum {
    Sum { count: Some(count), amounts: Vec::new(), without_amount: count }
}

/// facts: planned for the year 343, of these key projects under construction 169.
fn list() -> List {
    let row = |category: &str, count, there| ListRow {
        category: category.into(),
        declared: declared(count, None),
        registered: registered(there),
    };
    List {
        year: "2021".into(),
        description: "项目建设年".into(),
        rows: vec![row("all", Some(343), 12), row("key", Some(169), 4), row("new start", None, 0)],
    }
}

/// facts: 79 and 1,300 亿; 107, not given; 8 and 283.6 亿.
fn batches() -> Vec<Batch> {
    let batch = |date: Date, count, amount, there| Batch {
        title: format!("Concentrated start of {date}"),
        date: Some(date),
        is_started: true,
        declared: declared(Some(count), amount),
        registered: registered(there),
    };
    vec![
        batch(date(2020, 9, 11), 79, Some("130000000000"), 2),
        batch(date(2021, 4, 15), 107, None, 1),
        batch(date(2021, 5, 27), 8, Some("28360000000"), 1),
    ]
}

/// office.md, section 1: 206/255, 619.0/647.4 as a lower bound with one that straddles.
fn rates() -> Rates {
    let figure = |value: &str, numerator: &str, denominator: &str, counted| Figure {
        value: Some(value.into()),
        numerator: numerator.into(),
        denominator: denominator.into(),
        counted,
        ..Figure::default()
    };
    let titles = ["科学大道", "科学谷", "坪山大道", "科学城隧道"].map(str::to_owned).to_vec();
    let missing = vec![
        Missing { why: "STRADDLES".into(), count: 1, titles: vec!["科学大道".into()] },
        Missing { why: "NOT_REPORTED".into(), count: 4, titles },
    ];
    let investment = Figure {
        is_lower_bound: true,
        missing,
        missing_count: 9,
        ..figure("95.6", "61900000000", "64740000000", 12)
    };
    let none = Figure { numerator: "0".into(), denominator: "0".into(), ..Figure::default() };
    Rates {
        listed_count: 444,
        split_count: 569,
        has_list: true,
        currency: "CNY".into(),
        rates: vec![
            (RateKind::Start, figure("80.8", "206", "255", 255)),
            (RateKind::Investment, investment),
            (RateKind::Completion, none.clone()),
            (RateKind::Funds, figure("43.4", "4340000000", "10000000000", 3)),
            (RateKind::Enrolment, figure("0.0", "0", "4", 4)),
            (RateKind::TimeProgress, figure("83.3", "10", "12", 12)),
            (RateKind::Ahead, Figure { is_lower_bound: true, ..figure("12.3", "1", "8", 12) }),
        ],
        unplanned: Some(cny("2000000000")),
    }
}

fn element(title: &str, group: &str, planned: &str, built: &str) -> Element {
    let [title, group, planned, built] = [title, group, planned, built].map(str::to_owned);
    Element { title, group, planned, built, is_complete: false }
}

fn progress(group: &str, registered_count: i64, declared_count: Option<i64>) -> Progress {
    Progress { group: group.into(), registered_count, declared_count, ..Progress::default() }
}

/// Two rings were published; nothing of their lengths.
fn rings() -> Collection {
    let share = Figure { value: Some("62.5".into()), is_lower_bound: true, ..Figure::default() };
    let missing = vec![Missing { why: "NO_PLAN".into(), count: 1, titles: vec!["外环".into()] }];
    Collection {
        title: "两环".into(),
        kind: "ring".into(),
        unit: "km".into(),
        whole: Progress {
            planned: "40".into(),
            built: "25".into(),
            share: Figure { missing, missing_count: 1, ..share },
            ..progress("", 2, Some(2))
        },
        elements: vec![element("内环", "", "40", "25"), element("外环", "", "", "")],
        ..Collection::default()
    }
}

/// office.md, section 2: 40 km, 25 done, 4 of 10 built is 72.5 %; and lines that are planned, complete, or not
/// registered.
fn grid() -> Collection {
    let group = |name: &str, share: Option<&str>, planned: &str, built: &str| Progress {
        planned: planned.into(),
        built: built.into(),
        share: Figure { value: share.map(str::to_owned), ..Figure::default() },
        complete_count: 1,
        ..progress(name, 3, Some(6))
    };
    let whole = Element { is_complete: true, ..element("科学大道", "六横", "12", "12") };
    Collection {
        title: "六横六纵".into(),
        kind: "grid".into(),
        description: "Six trunk roads from east to west, and six from north to south.".into(),
        unit: "km".into(),
        whole: group("", Some("72.5"), "40", "29"),
        groups: vec![group("六横", Some("75.0"), "24", "18"), group("六纵", None, "", "")],
        elements: vec![
            whole,
            element("坪山大道", "六横", "12", "6"),
            element("高新大道", "六横", "", ""),
            element("科学城隧道", "六纵", "10", "4"),
            element("二纵", "六纵", "6", ""),
            element("三纵", "六纵", "", ""),
        ],
        member_count: 3,
        members_by_status: vec![(Status::Proposed, 1), (Status::Construction, 2)],
    }
}

fn valley() -> Collection {
    Collection {
        title: "科学谷".into(),
        kind: "valley".into(),
        whole: progress("", 0, None),
        member_count: 1,
        members_by_status: vec![(Status::Construction, 1)],
        ..Collection::default()
    }
}

/// facts: 16, of these 5 national; over 1,775 亿; 195.
fn indicators() -> Vec<Indicator> {
    let mid_2021 = Some((date(2021, 6, 30), date(2021, 6, 30)));
    let value = |number: &str, qualifier| Value {
        number: Some(number.into()),
        qualifier,
        period: mid_2021,
        is_contradicted: false,
    };
    let source = || vec!["Administrative Committee, mid-2021".to_owned()];
    let target =
        |due: &str, number: &str, verdict| Target { due: due.into(), number: number.into(), verdict };
    let clash = Contradiction {
        clash: Clash::Observations,
        date: Some(date(2021, 6, 30)),
        values: vec![
            ("bulletin".into(), Qualifier::Exact, "876".into()),
            ("yearbook".into(), Qualifier::About, "880".into()),
        ],
        more: 0,
    };
    vec![
        Indicator {
            title: "Incubators and makerspaces (孵化器和众创空间)".into(),
            scope: "municipal level or above".into(),
            value: value("16", Qualifier::Exact),
            sources: source(),
            sum_of_parts: Some((
                Qualifier::Exact,
                Figure { value: Some("5".into()), is_lower_bound: true, ..Figure::default() },
            )),
            targets: vec![target("2020", "20", Verdict::Missed), target("2025-06-30", "30", Verdict::Open)],
            ..Indicator::default()
        },
        Indicator {
            title: "National (国家级)".into(),
            depth: 1,
            value: value("5", Qualifier::Exact),
            sources: source(),
            ..Indicator::default()
        },
        Indicator {
            title: "Investment attracted since 2020".into(),
            unit: "CNY".into(),
            value: Value {
                period: Some((date(2020, 1, 1), date(2021, 6, 30))),
                ..value("177500000000", Qualifier::AtLeast)
            },
            sources: source(),
            ..Indicator::default()
        },
        Indicator {
            title: "科技型企业".into(),
            value: Value { is_contradicted: true, period: mid_2021, ..Value::default() },
            contradictions: vec![clash],
            contradiction_count: 3,
            ..Indicator::default()
        },
        Indicator { title: "Green area".into(), unit: "%".into(), ..Indicator::default() },
    ]
}

fn timeline() -> Vec<Entry> {
    let figure = |(label, value): &(&str, &str)| EntryFigure {
        label: (*label).into(),
        label_language: String::new(),
        value: (*value).into(),
        is_declared: true,
    };
    let entry = |date: Date, kind: &str, headline: &str, figures: &[(&str, &str)]| Entry {
        date: Some(date),
        kind: kind.into(),
        headline: headline.into(),
        headline_language: String::new(),
        text: String::new(),
        text_language: String::new(),
        figures: figures.iter().map(figure).collect(),
    };
    let first = "79 major projects start together, 科学大道 and 科学谷 among them";
    vec![
        entry(date(2020, 7, 1), "Reform", "三评合一: three assessments become one review", &[]),
        entry(
            date(2020, 9, 11),
            "Concentrated start",
            first,
            &[("Projects", "79"), ("Investment", "CNY 130 billion")],
        ),
        entry(
            date(2021, 4, 15),
            "Concentrated start",
            "Key projects of 2021 start together",
            &[("Projects", "107")],
        ),
    ]
}

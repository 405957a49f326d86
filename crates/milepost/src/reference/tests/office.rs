//! Campaigns, warnings, orders and templates to draw: all made up, and long ones.

use jiff::civil::{Date, date};
use milepost_proto::tracker::v1::campaign::State;
use milepost_proto::tracker::v1::campaign_criterion::Kind;
use milepost_proto::tracker::v1::milestone::Gate;
use milepost_proto::tracker::v1::template_item::Anchor;
use milepost_proto::tracker::v1::template_offset::Unit;
use milepost_proto::tracker::v1::{
    MilestoneValidity, TemplateItem, TemplateOffset, TemplateVersion, WarningLight,
};

use crate::output::plan::Plan;
use crate::output::standings::{Score, Standing};
use crate::output::wall::{Light, Wall};
use crate::reference::phrases::{ITEMS, LISTED, MEMBERS};
use crate::reference::view::*;

/// Puts them into a view.
pub fn add(view: &mut View) {
    view.campaigns = vec![campaign()];
    view.warnings = vec![warnings()];
    view.orders = Some(orders());
    view.templates = vec![template()];
}

/// The same with as many of everything as large portfolios have.
pub fn add_long(view: &mut View) {
    let mut campaign = campaign();
    let member = |number: i32| Standing {
        rank: Some(number),
        title: format!("第{number}标段"),
        ..campaign.standings[0].clone()
    };
    campaign.standings = (1..=20).map(member).collect();
    (campaign.more, campaign.more_unranked) = (1000 - MEMBERS, 12);
    view.campaigns = vec![campaign];
    let lights = (0..1000).flat_map(|number| {
        (1..=12_i8).map(move |month| {
            let shown = match (number + usize::from(month.unsigned_abs())) % 7 {
                0 => WarningLight::Red,
                1 | 2 => WarningLight::Yellow,
                _ => WarningLight::Green,
            };
            (
                format!("第{number}标段"),
                date(2021, month, 1).last_of_month(),
                Light { shown, is_excused: false },
            )
        })
    });
    let mut wall = Wall::of(lights);
    wall.worst_first();
    wall.cut(LISTED);
    view.warnings = vec![Warnings { wall, ..warnings() }];
    let mut orders = orders();
    orders.groups[0].count = 1234;
    orders.overdue[0].1 = 1200;
    orders.more_overdue = (21, 33);
    view.orders = Some(orders);
    let mut items = items();
    items.extend((0..80_i32).map(|number| {
        item(
            &format!("step-{number}"),
            &format!("第{number}步"),
            Anchor::ProjectStart,
            &[(number * 9, Unit::CalendarDays)],
        )
    }));
    let version = TemplateVersion { items, ..TemplateVersion::default() };
    view.templates = vec![Template { plan: plan(&version), ..template() }];
}

fn score(value: &str) -> Score {
    Score { value: Some(value.into()), ..Score::default() }
}

/// office.md, section 5, day 50: B before A by safety, C without a rank; and one that shares its rank, one that is vetoed.
fn campaign() -> Campaign {
    let member = |title: &str, rank: i32, total: &str, scores: [Score; 3]| Standing {
        rank: Some(rank).filter(|rank| *rank > 0),
        title: title.into(),
        total: Some(total.to_owned()).filter(|total| !total.is_empty()),
        scores: scores.into_iter().chain([score("50.00")]).collect(),
        member_days: 50,
        ..Standing::default()
    };
    let no_inspection = Score { why: vec!["NO_INSPECTION".into()], ..Score::default() };
    let at_least = Score { is_lower_bound: true, why: vec!["STRADDLES".into()], ..score("80.00") };
    let criterion = |id: &str, kind, weight_bp| Criterion { id: id.into(), kind, weight_bp };
    Campaign {
        title: "三比一争 百日攻坚".into(),
        description: "权重为示例。The weights are made up.".into(),
        state: State::Final,
        start: Some(date(2021, 3, 1)),
        end: Some(date(2021, 6, 8)),
        date: Some(date(2021, 6, 8)),
        sign_off: 2,
        criteria: vec![
            criterion("quality", Kind::Quality, 3000),
            criterion("safety", Kind::Safety, 3000),
            criterion("progress", Kind::Progress, 3950),
            criterion("文明施工", Kind::Quality, 50),
        ],
        standings: vec![
            Standing {
                decided_by: "safety".into(),
                is_pioneer: true,
                ..member("科学大道", 1, "91.53", [score("100.00"), score("94.00"), score("83.33")])
            },
            member("科学谷", 2, "91.53", [score("96.00"), score("92.00"), score("87.83")]),
            Standing {
                is_shared: true,
                ..member("坪山大道", 3, "70.00", [score("70.00"), score("70.00"), at_least])
            },
            Standing {
                is_shared: true,
                ..member(
                    "Tunnel of the Science City",
                    3,
                    "70.00",
                    [score("70.00"), score("0.00"), score("70.00")],
                )
            },
            Standing {
                vetoed_by: vec!["portfolios/p/projects/x/findings/fall".into()],
                veto_count: 1,
                ..member("中电重庆软件园", 5, "95.00", [score("95.00"), score("95.00"), score("95.00")])
            },
            member("超瞬态实验装置", 0, "", [score("98.00"), no_inspection, score("87.50")]),
        ],
        more: 0,
        more_unranked: 0,
    }
}

/// office.md, section 4: March and April yellow, May excused, June yellow and so red.
fn warnings() -> Warnings {
    use WarningLight::{Green, NoLight, Red, Yellow};
    let row = |title: &str, first: i8, shown: &[WarningLight], excused: i8| {
        let periods = (first..).zip(shown.to_vec());
        let light = |(month, shown): (i8, WarningLight)| {
            (
                date(2020 + i16::from((month - 1) / 12), (month - 1) % 12 + 1, 1).last_of_month(),
                Light { shown, is_excused: month == excused },
            )
        };
        periods.map(light).map(|(period, light)| (title.to_owned(), period, light)).collect::<Vec<_>>()
    };
    let mut wall = Wall::of(
        [
            row("科学大道", 11, &[Green, Green, Green, Green, Yellow, Yellow, Yellow, Red], 17),
            row("光大人工智能产业基地", 11, &[Green, Green, NoLight, Green, Green, Green, Green, Green], 0),
            row("Tunnel of the Science City", 16, &[Yellow, Yellow, Yellow], 0),
        ]
        .concat(),
    );
    wall.worst_first();
    Warnings {
        title: "投资进度预警".into(), description: "规则取自公布的办法。".into(), wall
    }
}

fn orders() -> Orders {
    let order = |title: &str, project: &str, due: Date, level: i32| Order {
        title: title.into(),
        project: project.into(),
        responsible: "重庆大学".into(),
        due: Some(due),
        level,
        is_stop_work: level == 2,
    };
    let group = |kind, count, first| OrderGroup { kind, count, first };
    Orders {
        groups: vec![
            group(
                OrderKind::Red,
                2,
                vec![
                    order("补设连墙件", "科学大道", date(2021, 10, 11), 2),
                    order(
                        "Close the gap in the fence along the whole of the eastern side",
                        "科学谷",
                        date(2021, 10, 28),
                        0,
                    ),
                ],
            ),
            group(OrderKind::Yellow, 1, vec![order("加固模板", "科学大道", date(2021, 11, 10), 0)]),
            group(OrderKind::Blue, 1, vec![order("疏通排水", "坪山大道", date(2021, 11, 2), 0)]),
            group(OrderKind::Waiting, 1, vec![order("加强养护", "科学大道", date(2021, 10, 1), 0)]),
            group(OrderKind::Open, 4, Vec::new()),
        ],
        overdue: vec![("重庆大学".into(), 2), ("China Electronics".into(), 1)],
        more_overdue: (0, 0),
    }
}

/// An item that is counted so far from an anchor; from nothing if that is empty.
fn item(id: &str, title: &str, anchor: Anchor, offset: &[(i32, Unit)]) -> TemplateItem {
    TemplateItem {
        id: id.into(),
        display_name: title.into(),
        anchor: anchor.into(),
        offset: offset.first().map(|(n, unit)| TemplateOffset { n: *n, unit: (*unit).into() }),
        ..TemplateItem::default()
    }
}

fn items() -> Vec<TemplateItem> {
    let after = |id: &str, title: &str, of: &str, offset: &[(i32, Unit)]| TemplateItem {
        anchor_item: of.into(),
        ..item(id, title, Anchor::Item, offset)
    };
    let validity = Some(MilestoneValidity { months: 24, ..MilestoneValidity::default() });
    vec![
        TemplateItem {
            validity,
            ..item("approval", "项目核准", Anchor::PlannedStart, &[(-9, Unit::Months)])
        },
        TemplateItem {
            gate: Gate::Merged.into(),
            ..after("joint", "三评合一", "approval", &[(45, Unit::WorkingDays)])
        },
        TemplateItem {
            coupling: "land".into(), ..after("handover", "交地", "joint", &[(1, Unit::Months)])
        },
        TemplateItem {
            coupling: "land".into(),
            ..after("certificate", "领证", "joint", &[(1, Unit::Months)])
        },
        TemplateItem {
            gate: Gate::Bundled.into(),
            members: vec!["joint".into(), "handover".into()],
            ..after("licence", "One licence for all (一业一证)", "certificate", &[(10, Unit::WorkingDays)])
        },
        item("start", "开工", Anchor::PlannedStart, &[]),
        item("acceptance", "竣工验收", Anchor::PlannedEnd, &[(30, Unit::CalendarDays)]),
        item("opening", "开放日", Anchor::Unspecified, &[]),
    ]
}

fn plan(version: &TemplateVersion) -> Plan {
    Plan::of(version, ITEMS, |item| item.display_name.clone())
}

fn template() -> Template {
    Template {
        title: "政府投资项目".into(),
        description: "各步骤之间的期限是示例。".into(),
        version: "改革后".into(),
        in_force_from: Some(date(2021, 2, 3)),
        plan: plan(&TemplateVersion { items: items(), ..TemplateVersion::default() }),
    }
}

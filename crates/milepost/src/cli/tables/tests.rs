//! What people see of constructed answers.

use milepost_proto::figure::v1::{Figure, MissingFigure};
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::unmet_condition::Result as ConditionResult;
use milepost_proto::registry::v1::{
    CollectionProgress, CollectionRollup, ConditionValue, ContradictingValue, ElementProgress,
    IndicatorContradiction, IndicatorSeries, IndicatorThreshold, IndicatorValue, MemberStatusCount, Period,
    TargetVerdict, ThresholdVerdict, UnmetCondition, indicator,
};
use milepost_proto::tracker::v1::milestone::Gate;
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_proto::tracker::v1::template_item::Anchor;
use milepost_proto::tracker::v1::template_offset::Unit;
use milepost_proto::tracker::v1::{
    CampaignStanding, CampaignStandings, ReplayCounts, ReplayedPeriod, TemplateItem, TemplateOffset,
    WarningLight,
};

use super::*;
use crate::output::json;
use crate::output::zone::Zones;

/// What stands below the table of a list of these.
fn below(items: &[DynamicMessage], output: &Output) -> String {
    let mut below = BelowList::new(output);
    items.chunks(1).for_each(|page| below.add(page));
    below.text()
}

fn output(columns: Option<u16>, format: Format) -> Output {
    Output { format, columns, colour: false, zones: Zones::utc() }
}

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn group(name: &str, declared_count: Option<i32>, length: Figure) -> CollectionProgress {
    CollectionProgress {
        group: name.into(),
        element_count: 6,
        declared_count,
        planned_measure: "40".into(),
        length: Some(length),
        ..CollectionProgress::default()
    }
}

#[test]
fn a_replay_is_a_wall_of_lights() {
    let period = |month, light: WarningLight, excused, differs| ReplayedPeriod {
        period_end: day(2021, month, 28),
        shown_light: light.into(),
        excused,
        differs,
        ..ReplayedPeriod::default()
    };
    let project =
        |id: &str, periods| ReplayedProject { project: format!("portfolios/wsc/projects/{id}"), periods };
    let projects = [
        project(
            "avenue",
            vec![
                period(1, WarningLight::NoLight, false, false),
                period(2, WarningLight::Yellow, false, true),
                period(3, WarningLight::Red, true, true),
            ],
        ),
        project("tunnel", vec![period(1, WarningLight::Green, false, false); 3]),
    ];
    let items = projects.map(|project| json::dynamic(&project));
    let shown = below(&items, &output(Some(80), Format::Table));
    insta::assert_snapshot!(shown);
    assert_eq!(below(&items, &output(None, Format::Json)), "");

    // Two pages, each with what it counts.
    let counts = |month, red_count, yellow_count| ReplayCounts {
        period_end: day(2021, month, 28),
        green_count: 600,
        red_count,
        yellow_count,
        ..ReplayCounts::default()
    };
    let pages = [
        vec![counts(1, 0, 2), ReplayCounts { difference_count: 2, order_count: 1, ..counts(2, 1, 0) }],
        vec![ReplayCounts { no_light_count: 3, ..counts(1, 0, 0) }, counts(2, 3, 0)],
    ];
    let counted = |format| {
        let output = output(Some(80), format);
        let mut below = BelowList::new(&output);
        below.add(&items);
        for counts in &pages {
            let page = ReplayWarningPolicyResponse { counts: counts.clone(), ..Default::default() };
            below.answered(&json::dynamic(&page));
        }
        below.text()
    };
    let expected = "\non 2021-02-28: 4 RED, 1,200 GREEN, 2 differ, 1 order would be opened\n\
                    in 2 periods: 4 RED, 2 YELLOW, 3 NO_LIGHT, 2,400 GREEN, 2 differ, 1 order would\nbe opened\n";
    assert_eq!(counted(Format::Table), shown + expected);
    assert_eq!(counted(Format::Json), "");
}

/// office.md, section 5, day 50: B before A by safety, and C without a rank, with why.
#[test]
fn standings_are_a_table_with_bars() {
    let score = |criterion: &str, value: &str, why: &str| {
        let missing = vec![MissingFigure { subject: String::new(), why: why.into() }];
        let value = Some(value.to_owned()).filter(|value| !value.is_empty());
        let missing = if value.is_none() { missing } else { Vec::new() };
        let score = Some(Figure { value, missing, ..Figure::default() });
        milepost_proto::tracker::v1::CampaignScore {
            criterion: criterion.into(),
            score,
            ..Default::default()
        }
    };
    let member =
        |id: &str, rank: Option<i32>, total: &str, decided_by: &str, safety: (&str, &str)| CampaignStanding {
            project: format!("portfolios/p/projects/{id}"),
            rank,
            total: Some(total.to_owned()).filter(|total| !total.is_empty()),
            decided_by: decided_by.into(),
            scores: vec![score("quality", "98.00", ""), score("safety", safety.0, safety.1)],
            member_days: 50,
            ..CampaignStanding::default()
        };
    let standings = CampaignStandings {
        campaign: "portfolios/p/campaigns/spring".into(),
        date: day(2021, 4, 19),
        knowledge: milepost_proto::figure::v1::Knowledge::Then.into(),
        stored: true,
        standings: vec![
            member("b", Some(1), "91.53", "safety", ("94.00", "")),
            member("a", Some(2), "91.53", "", ("92.00", "")),
            member("c", None, "", "", ("", "NO_INSPECTION")),
        ],
        ..CampaignStandings::default()
    };
    let answer = GetCampaignStandingsResponse { standings: Some(standings), ..Default::default() };
    let shown = of(&json::dynamic(&answer), &output(Some(120), Format::Table)).unwrap();
    insta::assert_snapshot!(shown.text);
    assert!(shown.left_out.is_empty());
}

/// The server names the first findings that veto a member, and counts all.
#[test]
fn what_else_vetoes_a_member_is_counted_and_a_missing_total_says_why() {
    let standing = |vetoed: usize, veto_count, why: &str| CampaignStanding {
        vetoed_by: (0..vetoed).map(|number| format!("portfolios/p/projects/a/findings/f{number}")).collect(),
        veto_count,
        total_missing: why.into(),
        ..CampaignStanding::default()
    };
    for (standing, noted) in [
        (standing(0, 0, ""), ""),
        (standing(2, 2, ""), "\tvetoed by f0, f1\t"),
        (standing(2, 17, ""), "\tvetoed by f0, f1 and 15 more\t"),
        // Of a server that does not count them.
        (standing(1, 0, ""), "\tvetoed by f0\t"),
        (standing(1, 1, "TOO_LARGE"), "\tvetoed by f0; TOO_LARGE\t"),
    ] {
        let standings = CampaignStandings { standings: vec![standing], ..CampaignStandings::default() };
        let answer = GetCampaignStandingsResponse { standings: Some(standings), ..Default::default() };
        let shown = of(&json::dynamic(&answer), &output(None, Format::Table)).unwrap().text;
        assert!(shown.contains(noted) && shown.contains("veto") != noted.is_empty(), "{noted:?} in {shown}");
    }
}

/// office.md, section 2: 40 km, 25 done, 4 of 10 built are 72.5 %; what has no plan is missing.
#[test]
fn a_rollup_is_a_table_of_groups_and_one_of_elements() {
    let missing = vec![MissingFigure { subject: "ns-1".into(), why: "NO_PLAN".into() }];
    let built = Figure { value: Some("72.5".into()), ..Figure::default() };
    let whole = Figure { lower_bound: true, missing, missing_count: 1, ..built.clone() };
    let none = Figure { missing_count: 1, ..Figure::default() };
    let element = |id: &str, group: &str, planned: &str| ElementProgress {
        id: id.into(),
        group: group.into(),
        planned_measure: planned.into(),
        ..ElementProgress::default()
    };
    let rollup = CollectionRollup {
        collection: "portfolios/p/collections/grid".into(),
        date: day(2021, 5, 27),
        unit: "km".into(),
        whole: Some(group("", None, whole)),
        groups: vec![group("六横", Some(6), built), group("六纵", None, none)],
        elements: vec![element("ew-1", "六横", "40"), element("ns-1", "六纵", "")],
        member_count: 2,
        members_by_status: vec![MemberStatusCount { status: Status::Construction.into(), count: 2 }],
        ..CollectionRollup::default()
    };
    let answer = GetCollectionRollupResponse { rollup: Some(rollup), ..Default::default() };
    let answer = json::dynamic(&answer);
    let shown = of(&answer, &output(Some(100), Format::Table)).unwrap();
    insta::assert_snapshot!(shown.text);
    assert!(shown.left_out.is_empty());
    assert!(of(&answer, &output(Some(100), Format::Json)).is_none(), "programs get the answer itself");
    let narrow = of(&answer, &output(Some(40), Format::Table)).unwrap();
    assert!(
        narrow.text.lines().all(|line| crate::output::width::columns(line) <= 40 || line.contains("as of"))
    );
    assert_eq!(narrow.left_out.last().map(String::as_str), Some("MISSING"));
}

#[test]
fn a_series_has_its_values_targets_thresholds_and_contradictions() {
    let period = Period { start_date: day(2021, 1, 1), end_date: day(2021, 6, 30) };
    let exact = IndicatorValue {
        value: "177500000000".into(),
        qualifier: Qualifier::AtLeast.into(),
        period: Some(period),
        observation: "portfolios/p/indicators/i/observations/mid-2021".into(),
        counted: 1,
        ..IndicatorValue::default()
    };
    let contradicted = IndicatorValue {
        period: Some(period),
        absence: Absence::Contradicted.into(),
        counted: 2,
        ..IndicatorValue::default()
    };
    let value = |id: &str, value: &str| ContradictingValue {
        name: format!("portfolios/p/indicators/i/observations/{id}"),
        value: value.into(),
        ..ContradictingValue::default()
    };
    let threshold = IndicatorThreshold { value: "10".into(), label: "十家".into() };
    let series = IndicatorSeries {
        indicator: "portfolios/p/indicators/i".into(),
        date: day(2021, 6, 30),
        current: Some(contradicted.clone()),
        points: vec![exact.clone(), contradicted],
        sum_of_parts: Some(Figure {
            value: Some("5".into()),
            counted: 1,
            lower_bound: true,
            missing_count: 1,
            ..Figure::default()
        }),
        targets: vec![TargetVerdict {
            year: 2023,
            value: "20".into(),
            verdict: Verdict::Open.into(),
            judged_value: Some(exact),
            ..TargetVerdict::default()
        }],
        thresholds: vec![ThresholdVerdict { threshold: Some(threshold), reached: None }],
        contradictions: vec![IndicatorContradiction {
            flag: indicator::Flag::Contradicted.into(),
            period: Some(period),
            values: vec![value("a", "16"), value("b", "17")],
        }],
        contradiction_count: 3,
        ..IndicatorSeries::default()
    };
    let answer = GetIndicatorSeriesResponse { series: Some(series), ..Default::default() };
    let shown = of(&json::dynamic(&answer), &output(Some(100), Format::Table)).unwrap();
    insta::assert_snapshot!(shown.text);
}

/// office.md, section 3: each failed condition's title, expression and values used; each UNKNOWN's absent keys.
#[test]
fn a_match_says_what_fails_with_which_values_and_what_to_supply() {
    let condition = |title: &str, expression: &str, result: ConditionResult| UnmetCondition {
        title: title.into(),
        expression: expression.into(),
        result: result.into(),
        ..UnmetCondition::default()
    };
    let used = |value: &str| ConditionValue { key: "org.attributes.employees".into(), value: value.into() };
    let staff = "num(org.attributes.employees) >= num(\"100\")";
    let found = PolicyMatch {
        policy: "policyProgrammes/campus/policies/grant".into(),
        organization: "organizations/firm".into(),
        outcome: Outcome::DoesNotFit.into(),
        unmet_conditions: vec![
            UnmetCondition { values: vec![used("99")], ..condition("百人", staff, ConditionResult::False) },
            UnmetCondition {
                absent_keys: vec!["org.attributes.rating".into()],
                alternative: "or".into(),
                ..condition("评级", "org.attributes.rating == 'A'", ConditionResult::Unknown)
            },
            UnmetCondition {
                values: vec![used("99 people")],
                error: "\"99 people\" is not a number".into(),
                ..condition("人数", staff, ConditionResult::Error)
            },
        ],
        ..PolicyMatch::default()
    };
    let fits = PolicyMatch { outcome: Outcome::Fits.into(), ..PolicyMatch::default() };
    let found = [json::dynamic(&found), json::dynamic(&fits)];
    insta::assert_snapshot!(below(&found, &output(Some(80), Format::Table)));
    assert_eq!(below(&found, &output(Some(80), Format::Csv)), "");
}

#[test]
fn warnings_are_a_wall_of_lights_for_each_policy_without_what_is_superseded() {
    let warning = |project: &str, policy: &str, month, light: WarningLight| Warning {
        name: format!("portfolios/wsc/projects/{project}/warnings/{policy}-{month}"),
        policy: format!("portfolios/wsc/warningPolicies/{policy}"),
        period_end: day(2021, month, 28),
        shown_light: light.into(),
        ..Warning::default()
    };
    let superseded =
        Warning { superseded_by: "other".into(), ..warning("avenue", "wh", 2, WarningLight::Red) };
    let excused = Warning { excuse: "there".into(), ..warning("avenue", "wh", 2, WarningLight::Yellow) };
    let warnings = [
        warning("avenue", "wh", 1, WarningLight::Green),
        superseded,
        excused,
        warning("avenue", "yc", 2, WarningLight::NoLight),
        warning("tunnel", "wh", 2, WarningLight::Red),
    ];
    let warnings = warnings.map(|warning| json::dynamic(&warning));
    insta::assert_snapshot!(below(&warnings, &output(Some(80), Format::Table)));
    assert_eq!(below(&warnings, &output(Some(80), Format::Csv)), "");
    assert_eq!(below(&[], &output(Some(80), Format::Table)), "");
}

#[test]
fn orders_are_counted_by_light_and_overdue_by_who_is_responsible() {
    let order = |light: Light, state: State, responsible: &str| RectificationOrder {
        light: light.into(),
        state: state.into(),
        responsible: format!("organizations/{responsible}"),
        ..RectificationOrder::default()
    };
    let orders = [
        order(Light::Red, State::Issued, "university"),
        order(Light::Red, State::Returned, "university"),
        order(Light::Red, State::Issued, "builder"),
        order(Light::Blue, State::Issued, "builder"),
        order(Light::None, State::Answered, "builder"),
        order(Light::None, State::Closed, "builder"),
    ];
    let orders = orders.map(|order| json::dynamic(&order));
    assert_eq!(
        below(&orders, &output(Some(80), Format::Table)),
        "\n3 RED, 1 BLUE, 1 waiting for review\noverdue: builder 1, university 2\n"
    );
    assert_eq!(below(&orders[5..], &output(Some(80), Format::Table)), "");
}

#[test]
fn a_version_of_a_template_has_its_plan_below_its_card() {
    let item = |id: &str, title: &str, anchor: Anchor, after: &str, n: i32| TemplateItem {
        id: id.into(),
        display_name: title.into(),
        anchor: anchor.into(),
        anchor_item: after.into(),
        offset: (n != 0).then(|| TemplateOffset { n, unit: Unit::WorkingDays.into() }),
        ..TemplateItem::default()
    };
    let land = |item: TemplateItem| TemplateItem { coupling: "land".into(), ..item };
    let version = TemplateVersion {
        items: vec![
            item("approval", "项目核准", Anchor::PlannedStart, "", -120),
            TemplateItem {
                gate: Gate::Merged.into(),
                ..item("joint", "三评合一", Anchor::Item, "approval", 40)
            },
            land(item("handover", "交地", Anchor::Item, "joint", 20)),
            land(item("certificate", "领证", Anchor::Item, "joint", 20)),
            item("start", "开工", Anchor::PlannedStart, "", 0),
            item("opening", "开放日", Anchor::Unspecified, "", 0),
        ],
        ..TemplateVersion::default()
    };
    let drawn = |columns| below_card(&json::dynamic(&version), &output(Some(columns), Format::Table));
    insta::assert_snapshot!(drawn(80));
    for columns in [40, 60, 80, 120] {
        let drawn = drawn(columns);
        let tables =
            drawn.lines().filter(|line| !line.contains("planned start") && !line.contains("approximate"));
        for line in tables.filter(|line| !line.contains("Counted from no day")) {
            assert!(crate::output::width::columns(line) <= columns.into(), "{columns}:\n{drawn}");
        }
    }
    assert_eq!(below_card(&json::dynamic(&version), &output(Some(80), Format::Json)), "");
    let undated = TemplateVersion { items: vec![item("a", "甲", Anchor::Unspecified, "", 0)], ..version };
    assert_eq!(below_card(&json::dynamic(&undated), &output(Some(80), Format::Table)), "");
}

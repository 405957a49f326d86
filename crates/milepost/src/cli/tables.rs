//! Answers that say more than one card or table holds, for people: how far a collection is built, the values of an
//! indicator, how members of a campaign stand, what a replay would have shown, and why policies do not fit.
//!
//! Invariant: figures are shown as the server rounded them, and a lower bound says that it is one; what was declared and
//! what is registered have columns of their own. Programs get the answers themselves: nothing here is for JSON or CSV.

use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::unmet_condition::Result as ConditionResult;
use milepost_proto::registry::v1::{
    CollectionProgress, CollectionRollup, GetCollectionRollupResponse, GetIndicatorSeriesResponse,
    IndicatorContradiction, IndicatorSeries, IndicatorValue, PolicyMatch, TargetVerdict, UnmetCondition,
    indicator,
};
use milepost_proto::tracker::v1::{
    CampaignStanding, CampaignStandings, GetCampaignStandingsResponse, ReplayedPeriod, ReplayedProject,
    WarningLight,
};
use prost::Name;
use prost_reflect::{DynamicMessage, ReflectMessage};

use crate::output::chart::bar;
use crate::output::table::{Cell, Column, Rendered, Room, card, clean, render};
use crate::output::value::{period, typed};
use crate::output::{Format, Output, text};
use crate::report::{missing, number, value};

/// An answer as tables, if it is one of those that have them.
pub fn of(answer: &DynamicMessage, output: &Output) -> Option<Rendered> {
    if output.format != Format::Table {
        return None;
    }
    let mut sheet = Sheet { output, rendered: Rendered::default() };
    match answer.descriptor().full_name() {
        name if name == GetCollectionRollupResponse::full_name() => {
            sheet.rollup(&typed::<GetCollectionRollupResponse>(answer)?.rollup?);
        }
        name if name == GetIndicatorSeriesResponse::full_name() => {
            sheet.series(&typed::<GetIndicatorSeriesResponse>(answer)?.series?);
        }
        name if name == GetCampaignStandingsResponse::full_name() => {
            sheet.standings(&typed::<GetCampaignStandingsResponse>(answer)?.standings?);
        }
        _ => return None,
    }
    Some(sheet.rendered)
}

/// What stands below the table of a page: of matches why policies do not fit, of a replay its lights. Nothing for programs,
/// and of anything else.
pub fn below(items: &[DynamicMessage], output: &Output) -> String {
    if output.format != Format::Table {
        return String::new();
    }
    let mut sheet = Sheet { output, rendered: Rendered::default() };
    let is_replayed = |item: &&DynamicMessage| item.descriptor().full_name() == ReplayedProject::full_name();
    let replayed = items.iter().filter(is_replayed).filter_map(typed::<ReplayedProject>);
    sheet.replay(&replayed.collect::<Vec<_>>());
    sheet.rendered.text + &why(items, output)
}

/// Why policies do not fit, or are not known to: the conditions of each match that explains itself.
fn why(matches: &[DynamicMessage], output: &Output) -> String {
    let is_match = |found: &&DynamicMessage| found.descriptor().full_name() == PolicyMatch::full_name();
    let matches = matches.iter().filter(is_match).filter_map(typed::<PolicyMatch>);
    let explained = matches.filter(|found| !found.unmet_conditions.is_empty()).map(|found| {
        let whom = [&found.organization, &found.project].map(|name| text::ids(name));
        let whom: Vec<_> = whom.into_iter().filter(|ids| !ids.is_empty()).collect();
        let outcome = word(found.outcome().as_str_name(), Outcome::Unspecified.as_str_name());
        let lines: Vec<_> = found.unmet_conditions.iter().map(unmet).collect();
        let conditions = card(&lines, output.columns, output.colour);
        format!("\n{} for {}: {outcome}\n{conditions}", text::ids(&found.policy), whom.join(", "))
    });
    explained.collect()
}

/// The title of a condition that does not hold, and why it does not.
fn unmet(condition: &UnmetCondition) -> (String, String) {
    let UnmetCondition { title, expression, alternative, values, absent_keys, error, .. } = condition;
    let mut lines = vec![match condition.result() {
        ConditionResult::False => format!("fails: {expression}"),
        _ if error.is_empty() => format!("not known: {expression}"),
        _ => format!("not known: {expression}: {error}"),
    }];
    lines.extend(values.iter().map(|used| format!("{} is {}", used.key, used.value)));
    if !absent_keys.is_empty() {
        lines.push(format!("to know, supply: {}", absent_keys.join(", ")));
    }
    if !alternative.is_empty() {
        lines.push(format!("one condition of the alternatives {alternative} is enough"));
    }
    (title.clone(), lines.join("\n"))
}

/// Sentences and tables under each other.
struct Sheet<'a> {
    output: &'a Output,
    rendered: Rendered,
}

impl Sheet<'_> {
    fn line(&mut self, line: &str) {
        self.rendered.text += &format!("{}\n", clean(line));
    }

    /// A table after a blank line; nothing without rows.
    fn table<T>(&mut self, rows: &[T], columns: &[Of<T>]) {
        if rows.is_empty() {
            return;
        }
        let column = |(rank, (header, room, cell)): (usize, &Of<T>)| {
            Column::new(header, *room, rank, rows.iter().map(|row| Cell::from(cell(row))))
        };
        let columns = columns.iter().enumerate().map(column).collect();
        let Rendered { text, left_out } = render(columns, self.output.columns, self.output.colour);
        self.rendered.text += &format!("\n{text}");
        self.rendered.left_out.extend(left_out);
    }

    fn rollup(&mut self, rollup: &CollectionRollup) {
        let (collection, date) = (text::ids(&rollup.collection), text::date(rollup.date.as_ref()));
        let unit = if rollup.unit.is_empty() { String::new() } else { format!(", in {}", rollup.unit) };
        self.line(&format!("{collection}, as of {date}{unit}: {}", members(rollup)));
        let rows: Vec<&CollectionProgress> = rollup.groups.iter().chain(&rollup.whole).collect();
        self.table(
            &rows,
            &[
                ("GROUP", Room::Name, |row| if row.group.is_empty() { "all" } else { &row.group }.to_owned()),
                ("DECLARED", Room::Number, |row| row.declared_count.map_or(text::ABSENT.to_owned(), counted)),
                ("REGISTERED", Room::Number, |row| counted(row.element_count)),
                ("COMPLETE", Room::Number, |row| counted(row.complete_count)),
                ("SHARE BUILT", Room::Number, |row| value(&row.length.clone().unwrap_or_default(), "%")),
                ("PLANNED", Room::Number, |row| number(&row.planned_measure)),
                ("BUILT", Room::Number, |row| number(&row.built_measure)),
                ("MISSING", Room::Text, |row| missing(&row.length.clone().unwrap_or_default())),
            ],
        );
        self.table(
            &rollup.elements,
            &[
                ("ELEMENT", Room::Name, |row| row.id.clone()),
                ("COMPLETE", Room::Whole, |row| if row.complete { "yes" } else { "no" }.to_owned()),
                ("PLANNED", Room::Number, |row| number(&row.planned_measure)),
                ("BUILT", Room::Number, |row| number(&row.built_measure)),
                ("GROUP", Room::Text, |row| text::or_absent(&row.group)),
            ],
        );
    }

    /// Ranks with totals as bars; then what each score is, and why there is none.
    fn standings(&mut self, standings: &CampaignStandings) {
        let (campaign, date) = (text::ids(&standings.campaign), text::date(standings.date.as_ref()));
        let knowledge = word(standings.knowledge().as_str_name(), "KNOWLEDGE_UNSPECIFIED");
        let kept = match (standings.sign_off, standings.stored) {
            (0, false) => String::new(),
            (0, true) => ", as found when the day had passed".to_owned(),
            (number, _) => format!(", as sign-off {number} froze them"),
        };
        self.line(&format!("{campaign} on {date}, {knowledge}{kept}"));
        self.table(
            &standings.standings,
            &[
                ("RANK", Room::Number, |row| {
                    row.rank.map_or_else(|| text::ABSENT.to_owned(), |rank| rank.to_string())
                }),
                ("PROJECT", Room::Name, |row| row.project.rsplit('/').next().unwrap_or_default().to_owned()),
                ("TOTAL", Room::Number, |row| row.total.clone().unwrap_or_else(|| text::ABSENT.to_owned())),
                ("", Room::Whole, |row| {
                    let total = row.total.as_deref().and_then(|total| total.parse().ok()).unwrap_or_default();
                    bar(total, 100.0, BAR_COLUMNS)
                }),
                ("DECIDED BY", Room::Whole, |row| text::or_absent(&row.decided_by)),
                ("SCORES", Room::Text, scores),
                ("DAYS", Room::Number, |row| counted(row.member_days)),
            ],
        );
    }

    /// The lights that a policy would have shown: a row of each project, in which each period has a letter.
    fn replay(&mut self, projects: &[ReplayedProject]) {
        let ends =
            projects.iter().flat_map(|project| &project.periods).map(|period| period.period_end.as_ref());
        let ends: Vec<_> = ends.map(text::date).collect();
        let (Some(first), Some(last)) = (ends.iter().min(), ends.iter().max()) else { return };
        self.line(&format!(
            "periods that end on {first} to {last}: G green, Y yellow, R red, {} no light, lower case excused",
            text::ABSENT
        ));
        self.table(
            projects,
            &[
                ("PROJECT", Room::Name, |row| row.project.rsplit('/').next().unwrap_or_default().to_owned()),
                ("LIGHTS", Room::Whole, |row| row.periods.iter().map(light).collect()),
                ("DIFFER", Room::Number, |row| {
                    let differ = row.periods.iter().filter(|period| period.differs).count();
                    if differ > 0 { differ.to_string() } else { text::ABSENT.to_owned() }
                }),
            ],
        );
    }

    fn series(&mut self, series: &IndicatorSeries) {
        let (indicator, date) = (text::ids(&series.indicator), text::date(series.date.as_ref()));
        let current = series.current.clone().unwrap_or_default();
        let dimensions: Vec<_> = series.dimensions.iter().map(|(key, of)| format!(", {key}={of}")).collect();
        self.line(&format!("{indicator}, as of {date}{}: {}", dimensions.concat(), said(&current)));
        if let Some(sum) = &series.sum_of_parts {
            let missing = if sum.missing_count > 0 { format!("; {}", missing(sum)) } else { String::new() };
            let counted = text::count(u64::try_from(sum.counted).unwrap_or_default(), "part", "parts");
            self.line(&format!("{counted} together: {}{missing}", value(sum, "").trim_end()));
        }
        if let Some(sum) = &series.sum_over_time {
            let span = sum.period.as_ref().map_or(text::ABSENT.to_owned(), period);
            self.line(&format!("{span} together: {}", said(sum)));
        }
        if series.has_earlier {
            self.line("there are earlier values: --date shows those up to a day");
        }
        self.table(
            &series.points,
            &[
                ("PERIOD", Room::Whole, |row| row.period.as_ref().map_or(text::ABSENT.to_owned(), period)),
                ("VALUE", Room::Number, |row| number(&row.value)),
                ("QUALIFIER", Room::Whole, |row| text::or_absent(exactness(row))),
                ("OBSERVATIONS", Room::Number, |row| counted(row.counted)),
                ("OBSERVATION", Room::Id, |row| {
                    text::or_absent(row.observation.rsplit('/').next().unwrap_or_default())
                }),
            ],
        );
        self.verdicts(series);
    }

    /// What an indicator comes to, and what contradicts it.
    fn verdicts(&mut self, series: &IndicatorSeries) {
        self.table(
            &series.targets,
            &[
                ("TARGET DUE", Room::Whole, due),
                ("TARGET", Room::Number, |row| number(&row.value)),
                ("VERDICT", Room::Whole, |row| {
                    word(row.verdict().as_str_name(), Verdict::Unspecified.as_str_name()).to_owned()
                }),
                ("JUDGED", Room::Text, |row| row.judged_value.as_ref().map_or(text::ABSENT.to_owned(), said)),
            ],
        );
        self.table(
            &series.thresholds,
            &[
                ("THRESHOLD", Room::Number, |row| number(&row.threshold.clone().unwrap_or_default().value)),
                ("REACHED", Room::Whole, |row| {
                    row.reached.map_or(text::ABSENT, |reached| if reached { "yes" } else { "no" }).to_owned()
                }),
                ("LABEL", Room::Text, |row| {
                    text::or_absent(&row.threshold.clone().unwrap_or_default().label)
                }),
            ],
        );
        self.table(
            &series.contradictions,
            &[
                ("CONTRADICTION", Room::Whole, |row| {
                    word(row.flag().as_str_name(), indicator::Flag::Unspecified.as_str_name()).to_owned()
                }),
                ("PERIOD", Room::Whole, |row| row.period.as_ref().map_or(text::ABSENT.to_owned(), period)),
                ("VALUES", Room::Text, contradicting),
            ],
        );
        let more = usize::try_from(series.contradiction_count).unwrap_or_default();
        if more > series.contradictions.len() {
            self.line(&format!("{more} contradictions in all"));
        }
    }
}

/// A column: its header, what it may lose, and what it shows of a row. What stands to the right goes first.
type Of<T> = (&'static str, Room, fn(&T) -> String);

/// The letter of a period.
fn light(period: &ReplayedPeriod) -> String {
    let letter = match period.shown_light() {
        WarningLight::Green => "G",
        WarningLight::Yellow => "Y",
        WarningLight::Red => "R",
        WarningLight::NoLight | WarningLight::Unspecified => text::ABSENT,
    };
    if period.excused { letter.to_lowercase() } else { letter.to_owned() }
}

fn counted(count: i32) -> String {
    text::grouped(&count.to_string())
}

/// Columns of the longest bar.
const BAR_COLUMNS: u16 = 20;

/// The scores of a member, or why there is none: `quality 96.00, safety NO_INSPECTION`.
fn scores(row: &CampaignStanding) -> String {
    let one = |score: &milepost_proto::tracker::v1::CampaignScore| {
        let figure = score.score.clone().unwrap_or_default();
        let why = figure.missing.first().map(|missing| missing.why.clone()).unwrap_or_default();
        let at_least = if figure.lower_bound { "≥ " } else { "" };
        format!("{} {at_least}{}", score.criterion, figure.value.unwrap_or(why))
    };
    row.scores.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How many members there are, by status: `3 members: 2 CONSTRUCTION, 1 PROPOSED`.
fn members(rollup: &CollectionRollup) -> String {
    let count = text::count(u64::try_from(rollup.member_count).unwrap_or_default(), "member", "members");
    let status = |status: Status| word(status.as_str_name(), Status::Unspecified.as_str_name());
    let of =
        rollup.members_by_status.iter().map(|of| format!("{} {}", counted(of.count), status(of.status())));
    let deleted =
        (rollup.deleted_member_count > 0).then(|| format!("{} deleted", rollup.deleted_member_count));
    let parts: Vec<_> = of.chain(deleted).collect();
    if parts.is_empty() { count } else { format!("{count} ({})", parts.join(", ")) }
}

/// A value with how exact it is, or why there is none.
fn said(found: &IndicatorValue) -> String {
    match found.value.as_str() {
        "" => format!("no value, {}", exactness(found)),
        digits => format!("{} {}", number(digits), exactness(found)),
    }
}

/// How exact a value is, or why there is none.
fn exactness(found: &IndicatorValue) -> &'static str {
    match found.absence() {
        Absence::Unspecified => word(found.qualifier().as_str_name(), Qualifier::Unspecified.as_str_name()),
        absence => word(absence.as_str_name(), Absence::Unspecified.as_str_name()),
    }
}

/// When a target is due: `2023`, or a day.
fn due(target: &TargetVerdict) -> String {
    if target.year > 0 { target.year.to_string() } else { text::date(target.due_date.as_ref()) }
}

/// What contradicts each other: `a 16, b 17`.
fn contradicting(found: &IndicatorContradiction) -> String {
    let one =
        |id: &str, digits: &str| format!("{} {}", id.rsplit('/').next().unwrap_or_default(), number(digits));
    found.values.iter().map(|of| one(&of.name, &of.value)).collect::<Vec<_>>().join(", ")
}

/// A value of an enumeration without what all its values begin with.
fn word(value: &'static str, unspecified: &'static str) -> &'static str {
    let prefix = unspecified.trim_end_matches("UNSPECIFIED");
    if value == unspecified { "" } else { value.trim_start_matches(prefix) }
}

#[cfg(test)]
mod tests {
    use milepost_proto::figure::v1::{Figure, MissingFigure};
    use milepost_proto::google::r#type::Date;
    use milepost_proto::registry::v1::{
        ConditionValue, ContradictingValue, ElementProgress, IndicatorThreshold, MemberStatusCount, Period,
        ThresholdVerdict,
    };

    use super::*;
    use crate::output::json;
    use crate::output::zone::Zones;

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
        let member = |id: &str, rank: Option<i32>, total: &str, decided_by: &str, safety: (&str, &str)| {
            CampaignStanding {
                project: format!("portfolios/p/projects/{id}"),
                rank,
                total: Some(total.to_owned()).filter(|total| !total.is_empty()),
                decided_by: decided_by.into(),
                scores: vec![score("quality", "98.00", ""), score("safety", safety.0, safety.1)],
                member_days: 50,
                vetoed_by: Vec::new(),
            }
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
            narrow
                .text
                .lines()
                .all(|line| crate::output::width::columns(line) <= 40 || line.contains("as of"))
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
        let used =
            |value: &str| ConditionValue { key: "org.attributes.employees".into(), value: value.into() };
        let staff = "num(org.attributes.employees) >= num(\"100\")";
        let found = PolicyMatch {
            policy: "policyProgrammes/campus/policies/grant".into(),
            organization: "organizations/firm".into(),
            outcome: Outcome::DoesNotFit.into(),
            unmet_conditions: vec![
                UnmetCondition {
                    values: vec![used("99")],
                    ..condition("百人", staff, ConditionResult::False)
                },
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
}

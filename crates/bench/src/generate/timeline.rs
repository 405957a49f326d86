//! The public timeline: a rule that makes entries of batches, and editorial entries, in two languages.

use milepost_proto::tracker::v1::timeline_entry::Kind;
use milepost_proto::tracker::v1::{
    CreateTimelineEntryRequest, CreateTimelineRuleRequest, PublishTimelineEntryRequest, TimelineEntry,
    TimelineFigure, TimelineRule, TimelineRuleFigure, WithdrawTimelineEntryRequest,
};

use super::draw::Draw;
use super::step::{Stage, Step};
use super::value::{MARK, MARK_EN, date, days, days_between, english, labels, marked};
use super::words::{DISTRICTS, NAMES};
use super::world::World;

/// An editorial entry for so many projects, and some more.
const EACH: usize = 20;
const MORE: usize = 12;
/// Entries of one step.
const STEP: usize = 10;
/// What editors tell, in Chinese and English.
const TOPICS: [(&str, &str); 6] = [
    ("规划公布", "plan published"),
    ("现场调度会", "meeting on site"),
    ("主干道通车", "trunk road opened"),
    ("创新平台揭牌", "platform inaugurated"),
    ("优秀建设者表彰", "builders honoured"),
    ("开放日", "open day"),
];

/// The step that makes the rule, before there is anything that it is about.
pub fn rule(world: &World) -> Step {
    let mut step = Step::new(Stage::Rules, &world.id, "rules", 0);
    // In a pattern, brackets stand around what is left out where a field is absent.
    let plain = |mark: &str| mark.replace('[', "\\[").replace(']', "\\]");
    let rule = TimelineRule {
        display_name: marked("集中开工"),
        event_type: "milepost.batch.started".into(),
        kind: Kind::Batch.into(),
        merge_key: "batch/{event_date}".into(),
        headline: format!("{} {{event_date}}集中开工", plain(MARK)),
        translations: [("en".to_owned(), format!("{} joint start on {{event_date}}", plain(MARK_EN)))].into(),
        text: "{display_name}[，宣布总投资{declared_investment}]。".into(),
        text_translations: [(
            "en".to_owned(),
            "{display_name}[, {declared_investment} announced].".to_owned(),
        )]
        .into(),
        figures: vec![TimelineRuleFigure {
            label: "宣布项目数".into(),
            translations: [("en".to_owned(), "projects announced".to_owned())].into(),
            field: "declared_count".into(),
            unit: "个".into(),
            declared: true,
        }],
        auto_publish: true,
        labels: labels([("synthetic", "true")]),
        ..Default::default()
    };
    step.resources = 1;
    step.tracker(
        "/milepost.tracker.v1.TimelineRuleService/CreateTimelineRule",
        CreateTimelineRuleRequest {
            parent: world.portfolio(),
            timeline_rule_id: "batches".into(),
            timeline_rule: Some(rule),
            ..Default::default()
        },
    );
    step
}

/// The steps that make editorial entries.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    let count = world.projects.len() / EACH + MORE;
    (0..count).step_by(STEP).map(move |first| {
        let mut step = Step::new(Stage::Entries, &world.id, "entries", first as u64);
        for number in first..count.min(first + STEP) {
            publish(world, number, &mut step);
        }
        step
    })
}

fn publish(world: &World, number: usize, step: &mut Step) {
    let mut draw = world.draw("entry", number);
    let id = format!("e{number:05}");
    let name = format!("{}/timelineEntries/{id}", world.portfolio());
    step.resources += 1;
    step.tracker(
        "/milepost.tracker.v1.TimelineEntryService/CreateTimelineEntry",
        CreateTimelineEntryRequest {
            parent: world.portfolio(),
            timeline_entry_id: id,
            timeline_entry: Some(entry(world, number, &mut draw)),
            ..Default::default()
        },
    );
    // Some stay drafts, and a few are taken back.
    if draw.happens(8) {
        return;
    }
    let request = PublishTimelineEntryRequest { name: name.clone(), ..Default::default() };
    step.tracker("/milepost.tracker.v1.TimelineEntryService/PublishTimelineEntry", request);
    if draw.happens(4) {
        let request =
            WithdrawTimelineEntryRequest { name, reason: "内容有误".into(), ..Default::default() };
        step.tracker("/milepost.tracker.v1.TimelineEntryService/WithdrawTimelineEntry", request);
    }
}

fn entry(world: &World, number: usize, draw: &mut Draw) -> TimelineEntry {
    let span = days_between(world.first_day(), world.plan.until);
    let (district, place, topic) = (draw.pick(&DISTRICTS), draw.pick(&NAMES), draw.pick(&TOPICS));
    let project = draw.below(world.projects.len() as u64) as usize;
    let (zh, en) = (
        format!("{}{}{}", district.zh, place.0, topic.0),
        format!("{} {}: {}", district.en, place.1, topic.1),
    );
    let figure = TimelineFigure {
        label: "参与单位".into(),
        translations: [("en".to_owned(), "participants".to_owned())].into(),
        value: draw.between(3, 90).to_string(),
        unit: "家".into(),
        declared: true,
    };
    TimelineEntry {
        date: Some(date(days(world.first_day(), draw.between(0, span)))),
        kind: Kind::Editorial.into(),
        headline: marked(&zh),
        text: format!("{zh}。本条由种子生成。"),
        translations: english(&en),
        text_translations: [("en".to_owned(), format!("{en}. Made from a seed."))].into(),
        figures: if draw.happens(40) { vec![figure] } else { Vec::new() },
        subjects: vec![world.project_name(project)],
        rank_in_day: number as i32 % 10,
        labels: labels([("synthetic", "true")]),
        ..Default::default()
    }
}

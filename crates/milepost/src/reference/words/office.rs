//! What the page says of campaigns, warnings, rectification orders and templates.
//!
//! Invariant: what is drawn by a colour or a shape has a word here.

use jiff::civil::Date;
use milepost_proto::tracker::v1::WarningLight;
use milepost_proto::tracker::v1::campaign::State;
use milepost_proto::tracker::v1::campaign_criterion::Kind;
use milepost_proto::tracker::v1::milestone::Gate;
use milepost_proto::tracker::v1::template_offset::Unit;

use super::{Words, grouped};
use crate::output::plan::{Chart, Item, Plan, Root, mark};
use crate::output::standings::{self, Score, Standing};
use crate::output::text;
use crate::output::wall::{LIGHTS, Letters, NOTHING};
use crate::reference::view::{Campaign, Criterion, OrderKind, Template};

words! {
    campaigns: "竞赛活动", "Campaigns";
    rank: "名次", "Rank";
    project: "项目", "Project";
    total: "总分", "Total";
    note: "说明", "Note";
    pioneer: "先锋", "pioneer";
    no_members: "当日无参赛项目。", "Nobody was a member on that day.";
    warnings: "预警", "Warnings";
    no_warnings: "尚无评估。", "Nothing was evaluated yet.";
    warnings_as_of_today: "灯色均为目前有效的评估结果。", "Lights are those that count today.";
    orders: "整改单", "Rectification orders";
    orders_as_of_today: "整改情况均为今日情况。", "Orders are as they are today.";
    responsible: "责任单位", "Responsible";
    due: "期限", "Due";
    overdue: "逾期", "Overdue";
    stop_work: "停工", "work stops";
    order: "整改事项", "Order";
    templates: "里程碑模板", "Milestone templates";
    milestone: "里程碑", "Milestone";
    distance: "时距", "Distance";
    without_day: "无起算日，日期另定", "Counted from no day: a date is given to each";
}

impl Words {
    /// What stands for lights.
    pub fn letters(self) -> Letters {
        self.choose(
            Letters { shown: ["红", "黄", "－", "绿"], excused: ["免", "免", "－", "免"] },
            Letters::ENGLISH,
        )
    }

    /// A light of a warning policy.
    pub fn light(self, light: WarningLight) -> &'static str {
        match light {
            WarningLight::Red => self.choose("红灯", "red"),
            WarningLight::Yellow => self.choose("黄灯", "yellow"),
            WarningLight::Green => self.choose("绿灯", "green"),
            WarningLight::NoLight | WarningLight::Unspecified => self.choose("无灯", "no light"),
        }
    }

    /// What the period of a light is besides.
    pub fn excused(self) -> &'static str {
        self.choose("已说明，不计", "excused")
    }

    /// What the letters of a wall stand for.
    pub fn wall_key(self) -> String {
        let letters = self.letters();
        let mut parts: Vec<String> = LIGHTS
            .iter()
            .zip(letters.shown)
            .map(|(light, letter)| format!("{letter} {}", self.light(*light)))
            .collect();
        parts.push(self.choose("免 已说明，不计", "lower case excused").to_owned());
        parts.push(format!("{NOTHING} {}", self.choose("未评估", "not evaluated")));
        parts.join(self.comma())
    }

    /// `Period to 31 October 2021: 3 red, 2 yellow`
    pub fn light_counts(self, period: Date, counts: [u64; 4]) -> String {
        let counted = LIGHTS.iter().zip(counts).filter(|(_, count)| *count > 0);
        let counted: Vec<String> =
            counted.map(|(light, count)| self.count_of(count, self.light(*light))).collect();
        let day = self.day(period);
        let head = self.choose(format!("截至{day}的一期"), format!("Period to {day}"));
        format!("{head}{}{}", self.colon(), counted.join(self.comma()))
    }

    /// What of a wall is not drawn; nothing if all is.
    pub fn not_in_wall(self, rows: usize, periods: usize) -> String {
        let rows_left = self.choose(
            format!("另{rows}个项目未列出，最差的在前"),
            format!("{rows} more projects are not listed; the worst come first"),
        );
        let periods_left = self
            .choose(format!("更早的{periods}期未列出"), format!("{periods} earlier periods are not shown"));
        let parts = [(rows, rows_left), (periods, periods_left)].into_iter();
        parts.filter(|(count, _)| *count > 0).map(|(_, text)| text).collect::<Vec<_>>().join(self.semicolon())
    }

    /// Of which periods lights are not counted; nothing if they are of all.
    pub fn not_counted(self, periods: usize) -> String {
        match periods {
            0 => String::new(),
            1 => self.choose("最早的1期未计数", "the lights of the first period are not counted").to_owned(),
            _ => self.choose(
                format!("最早的{periods}期未计数"),
                format!("the lights of the first {periods} periods are not counted"),
            ),
        }
    }

    fn semicolon(self) -> &'static str {
        self.choose("；", "; ")
    }

    /// Where a campaign stands.
    pub fn campaign_state(self, state: State) -> &'static str {
        match state {
            State::Open => self.choose("进行中", "open"),
            State::Closed => self.choose("已截止", "closed"),
            State::Final => self.choose("已定评", "signed off"),
            State::Draft | State::Unspecified => self.choose("筹备中", "in preparation"),
            State::Cancelled => self.choose("已取消", "cancelled"),
        }
    }

    /// From when to when it is, where it stands, and of which day its standings are.
    pub fn about_campaign(self, campaign: &Campaign) -> String {
        let days = match (campaign.start, campaign.end) {
            (Some(start), Some(end)) => format!("{} – {}", self.day(start), self.day(end)),
            _ => String::new(),
        };
        let day = campaign.date.map(|date| self.day(date)).unwrap_or_default();
        let of = match campaign.sign_off {
            0 => self.choose(format!("{day}的排名"), format!("standings on {day}")),
            1 => self.choose("定评排名".to_owned(), "standings as they were signed off".to_owned()),
            number => self.choose(
                format!("第{number}次定评排名"),
                format!("standings as they were signed off, revision {}", number - 1),
            ),
        };
        let state = self.campaign_state(campaign.state).to_owned();
        [days, state, of].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    /// A criterion with its weight: `quality 30%`.
    pub fn criterion(self, criterion: &Criterion) -> String {
        let weight = match (criterion.weight_bp / 100, criterion.weight_bp % 100) {
            (whole, 0) => format!("{whole}%"),
            (whole, part) => format!("{whole}.{part:02}%"),
        };
        format!("{} {weight}", self.criterion_title(criterion))
    }

    /// What a criterion is called: by its kind, or as people called it.
    pub fn criterion_title(self, criterion: &Criterion) -> String {
        match (criterion.kind, criterion.id.as_str()) {
            (Kind::Quality, "quality") => self.choose("质量", "quality").to_owned(),
            (Kind::Safety, "safety") => self.choose("安全", "safety").to_owned(),
            (Kind::Progress, "progress") => self.choose("进度", "progress").to_owned(),
            (_, id) => id.to_owned(),
        }
    }

    /// What is to be said of a member besides its scores.
    pub fn standing_note(self, campaign: &Campaign, standing: &Standing) -> String {
        let mut parts = Vec::new();
        if standing.is_pioneer {
            parts.push(self.pioneer().to_owned());
        }
        if standing.is_shared {
            parts.push(self.choose("并列", "shares its rank").to_owned());
        }
        if !standing.decided_by.is_empty() {
            let by = campaign.criteria.iter().find(|criterion| criterion.id == standing.decided_by);
            let by = by.map_or(standing.decided_by.clone(), |criterion| self.criterion_title(criterion));
            parts.push(self.choose(format!("同分，{by}占先"), format!("same total, ahead by {by}")));
        }
        if standing.veto_count > 0 {
            let findings = text::count(standing.veto_count as u64, "finding", "findings");
            let count = text::grouped(&standing.veto_count.to_string());
            parts.push(self.choose(format!("一票否决（{count}项问题）"), format!("vetoed by {findings}")));
        }
        if standing.rank.is_none() {
            parts.push(self.choose("未评定", "not ranked").to_owned());
        }
        if !standing.total_missing.is_empty() {
            parts.push(self.why(&standing.total_missing));
        }
        let evaluated = standing.scores.iter().filter(|score| score.value.is_some());
        let mut missing: Vec<String> =
            evaluated.flat_map(|score| &score.why).map(|why| self.why(why)).collect();
        missing.dedup();
        parts.extend(missing);
        parts.join(self.comma())
    }

    /// The scores of a member, each by its criterion, or why there is none.
    pub fn scores(self, campaign: &Campaign, standing: &Standing) -> String {
        let score = |(criterion, score): (&Criterion, &Score)| {
            let why = || score.why.iter().map(|why| self.why(why)).collect::<Vec<_>>().join(self.comma());
            let shown = if score.value.is_some() { standings::number(score) } else { why() };
            format!("{} {shown}", self.criterion(criterion))
        };
        campaign.criteria.iter().zip(&standing.scores).map(score).collect::<Vec<_>>().join(" · ")
    }

    /// `980 more members, 12 of them not ranked`
    pub fn more_members(self, more: usize, unranked: usize) -> String {
        let [more, unranked_count] =
            [more, unranked].map(|count| grouped(i64::try_from(count).unwrap_or(i64::MAX)));
        let text =
            self.choose(format!("另{more}个项目未列出"), format!("{more} more members are not listed"));
        if unranked == 0 {
            return text;
        }
        let of = self
            .choose(format!("其中{unranked_count}个未评定"), format!("{unranked_count} of them not ranked"));
        format!("{text}{}{of}", self.choose("，", ", "))
    }

    /// What an order is shown among.
    pub fn order_kind(self, kind: OrderKind) -> &'static str {
        match kind {
            OrderKind::Red => self.choose("红灯（逾期）", "red (overdue)"),
            OrderKind::Yellow => self.choose("黄灯（已退回）", "yellow (returned)"),
            OrderKind::Blue => {
                self.choose("蓝灯（三个工作日内到期）", "blue (due within three working days)")
            }
            OrderKind::Waiting => self.choose("待复核", "waiting for review"),
            OrderKind::Open => self.choose("未到期", "open, not due soon"),
        }
    }

    /// The letter of the light that an order is shown among.
    pub fn order_letter(self, kind: OrderKind) -> &'static str {
        match kind {
            OrderKind::Red => self.choose("红", "R"),
            OrderKind::Yellow => self.choose("黄", "Y"),
            OrderKind::Blue => self.choose("蓝", "B"),
            OrderKind::Waiting => self.choose("核", "W"),
            OrderKind::Open => self.choose("－", "-"),
        }
    }

    /// `level 2`; nothing of what did not escalate.
    pub fn level(self, level: i32) -> String {
        if level < 1 {
            String::new()
        } else {
            self.choose(format!("{level}级督办"), format!("level {level}"))
        }
    }

    /// `and 3 more, the first due come first`
    pub fn more_orders(self, count: u64) -> String {
        let count = grouped(i64::try_from(count).unwrap_or(i64::MAX));
        self.choose(
            format!("另{count}件未列出，先到期的在前"),
            format!("{count} more are not listed; those due first come first"),
        )
    }

    /// `3 more with 5 overdue in all are not listed`; nothing if all are.
    pub fn more_overdue(self, (organizations, orders): (u64, u64)) -> String {
        if organizations == 0 {
            return String::new();
        }
        let [count, overdue] = [organizations, orders].map(|count| text::grouped(&count.to_string()));
        self.choose(
            format!("另{count}个单位未列出，共逾期{overdue}件；逾期多的在前"),
            format!(
                "{count} more with {overdue} overdue in all are not listed; those with the most come first"
            ),
        )
    }

    /// `in force from 1 July 2020`
    pub fn in_force_from(self, date: Date) -> String {
        let day = self.day(date);
        self.choose(format!("{day}起施行"), format!("in force from {day}"))
    }

    /// Which version of a template it is.
    pub fn about_template(self, template: &Template) -> String {
        let from = template.in_force_from.map(|date| self.in_force_from(date));
        [Some(template.version.clone()), from].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// What the items of a chart are counted from, and in what.
    pub fn plan_heading(self, chart: &Chart) -> String {
        let root = match chart.root {
            Root::Start => self.choose("自项目开工起", "From the start of the project"),
            Root::PlannedStart => self.choose("自计划开工起", "From the planned start"),
            Root::PlannedEnd => self.choose("自计划竣工起", "From the planned end"),
        };
        let unit = match chart.axis.is_months {
            true => self.choose("单位：月", "in months"),
            false => self.choose("单位：天", "in days"),
        };
        self.choose(format!("{root}（{unit}）"), format!("{root}, {unit}"))
    }

    /// How far an item is from what it is counted from, and what else is to be known of it.
    pub fn plan_item(self, item: &Item) -> String {
        let offset = item.offset.map(|(n, unit)| (n < 0, self.offset(n.unsigned_abs(), unit)));
        let distance = match (item.after, offset) {
            (None, None) => String::new(),
            (Some(after), None) => {
                self.choose(format!("与第{after}项同日"), format!("on the day of {after}"))
            }
            (None, Some((true, far))) => self.choose(format!("{far}前"), format!("{far} before")),
            (None, Some((false, far))) => self.choose(format!("{far}后"), format!("{far} after")),
            (Some(after), Some((true, far))) => {
                self.choose(format!("第{after}项前{far}"), format!("{far} before {after}"))
            }
            (Some(after), Some((false, far))) => {
                self.choose(format!("第{after}项后{far}"), format!("{far} after {after}"))
            }
        };
        let gate = match item.gate {
            Gate::Unspecified => String::new(),
            Gate::Merged => format!("{} {}", mark(item.gate), self.choose("合并办理", "merged gate")),
            Gate::Bundled => {
                let members: Vec<String> = item.members.iter().map(usize::to_string).collect();
                let members = members.join(self.comma());
                format!(
                    "{} {}",
                    mark(item.gate),
                    self.choose(format!("联合办理第{members}项"), format!("joins {members}"))
                )
            }
        };
        let coupling = match item.coupling.as_str() {
            "" => String::new(),
            coupling => self.choose(format!("同日办结（{coupling}）"), format!("coupled ({coupling})")),
        };
        let months = item.validity_months;
        let validity = match months {
            ..1 => String::new(),
            1 => self.choose("有效期1个月".to_owned(), "holds for 1 month".to_owned()),
            _ => self.choose(format!("有效期{months}个月"), format!("holds for {months} months")),
        };
        let parts = [distance, gate, coupling, validity].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" · ")
    }

    fn offset(self, n: u32, unit: Unit) -> String {
        let several = if n == 1 { "" } else { "s" };
        match unit {
            Unit::WorkingDays => self.choose(format!("{n}个工作日"), format!("{n} working day{several}")),
            Unit::CalendarDays | Unit::Unspecified => {
                self.choose(format!("{n}天"), format!("{n} day{several}"))
            }
            Unit::Months => self.choose(format!("{n}个月"), format!("{n} month{several}")),
        }
    }

    /// What the marks of a plan stand for, and how exact their places are.
    pub fn plan_key(self, plan: &Plan) -> String {
        let all = || plan.charts.iter().flat_map(|chart| &chart.items);
        let has = |gate: Gate| all().any(|item| item.gate == gate);
        let mark = |gate: Gate, meaning: &str| has(gate).then(|| format!("{} {meaning}", mark(gate)));
        let marks = [
            mark(Gate::Unspecified, self.milestone_mark()),
            mark(Gate::Merged, self.choose("合并办理", "merged gate")),
            mark(Gate::Bundled, self.choose("联合办理", "bundled gate")),
        ];
        let is_rough = all().any(|item| matches!(item.offset, Some((_, Unit::WorkingDays))));
        let rough = is_rough.then(|| {
            let text = self.choose(
                "工作日按每周五天画出，位置为约数",
                "working days are drawn as five a week, so places are approximate",
            );
            text.to_owned()
        });
        marks.into_iter().flatten().chain(rough).collect::<Vec<_>>().join(self.semicolon())
    }

    fn milestone_mark(self) -> &'static str {
        self.choose("里程碑", "milestone")
    }

    /// `3 more items are not drawn`
    pub fn more_items(self, more: usize) -> String {
        self.choose(format!("另{more}项未列出"), format!("{more} more items are not listed"))
    }
}

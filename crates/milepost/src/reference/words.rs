//! What the page says besides what people wrote, in Chinese and in English.
//!
//! Invariant: of any other language, the words are English. What is open text to the server, such as the category of a
//! list, has a word here where it is a usual one, and stays as it is where it is not.

use jiff::civil::Date;
use milepost_proto::registry::v1::project::Status;
use milepost_types::prose;

use super::bins::Span;
use super::phrases::ABSENT;
use super::view::{Amount, Clash, MilestoneState, Qualifier, RateKind, Verdict};
use crate::output::text;

/// The words of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    is_chinese: bool,
}

/// Words that stand for themselves: Chinese, English.
macro_rules! words {
    ($($name:ident: $chinese:literal, $english:literal;)*) => {
        impl Words {
            $(pub fn $name(self) -> &'static str {
                self.choose($chinese, $english)
            })*
        }
    };
}

words! {
    reference: "项目概览", "Portfolio report";
    absent: "未公布", "not published";
    declared: "公布", "declared";
    registered: "登记", "registered";
    projects: "项目", "Projects";
    no_projects: "尚未登记项目。", "No project is registered.";
    milestones: "里程碑", "Milestones";
    as_of_today: "项目状态和里程碑均为今日情况。", "Status and milestones are as they are today.";
    lists: "年度项目清单", "Annual lists";
    no_lists: "尚无年度清单。", "No annual list is kept.";
    category: "类别", "Category";
    count: "个数", "Projects";
    investment: "投资", "Investment";
    batches: "集中开工", "Concentrated starts";
    no_batches: "尚无集中开工。", "There is no concentrated start.";
    to_come: "计划", "to come";
    date: "日期", "Date";
    starts: "开工进展", "Starts over time";
    no_starts: "尚无开工日期。", "No start has a date.";
    starts_registered: "登记项目开工", "starts of registered projects";
    starts_declared: "集中开工公布项目", "projects declared in concentrated starts";
    month: "月份", "Month";
    quarter: "季度", "Quarter";
    year: "年份", "Year";
    figures: "数据", "The figures";
    rate: "比率", "Rate";
    value: "数值", "Value";
    part_of_whole: "分子 / 分母", "Part of whole";
    missing: "缺少", "missing";
    not_computable: "无法计算", "cannot be computed";
    at_least: "至少", "at least";
    unplanned: "无年度计划的完成投资（不计入比率）", "Completed without a plan, which is in no rate";
    listed_by_list: "分类依据年度清单。", "Projects are listed as the list of the year says.";
    listed_by_project: "本年度无清单，分类依据项目登记。", "The year has no list: projects are listed as they say themselves.";
    collections: "项目集合", "Networks and collections";
    no_collections: "尚无项目集合。", "There is no collection.";
    element: "组成部分", "Part";
    elements_declared_only: "公布而未登记", "declared, not registered";
    without_measure: "长度未知", "without a measure";
    planned: "规划", "planned";
    built: "建成", "built";
    whole_collection: "合计", "whole";
    complete: "已建成", "complete";
    members: "成员项目", "Member projects";
    indicators: "指标", "Indicators";
    no_indicators: "尚无指标。", "No indicator is kept.";
    of_which: "其中", "of which";
    source: "来源", "source";
    sum_of_parts: "分项合计", "sum of parts";
    contradicted: "数据矛盾，无现值", "contradicted, no current value";
    contradiction: "矛盾", "contradiction";
    timeline: "建设时间轴", "Timeline";
    no_timeline: "时间轴尚无内容。", "Nothing was published.";
    legend: "图例", "Key";
    colon: "：", ": ";
    comma: "、", ", ";
}

mod office;

impl Words {
    /// Those of a language, by its BCP 47 tag.
    pub fn of(language: &str) -> Self {
        let primary = language.split('-').next().unwrap_or_default();
        Self { is_chinese: primary.eq_ignore_ascii_case("zh") }
    }

    /// The tag of the language that they are in.
    pub fn tag(self) -> &'static str {
        self.choose("zh", "en")
    }

    fn choose<T>(self, chinese: T, english: T) -> T {
        if self.is_chinese { chinese } else { english }
    }

    /// `Rates of 2021`
    pub fn rates_of(self, year: i32) -> String {
        self.choose(format!("{year}年指标完成率"), format!("Rates of {year}"))
    }

    /// How a day is written in a sentence.
    pub fn day(self, date: Date) -> String {
        prose::date(date, self.tag())
    }

    /// `As of 27 May 2021`
    pub fn page_of(self, date: Date) -> String {
        let day = self.day(date);
        self.choose(format!("截至{day}"), format!("As of {day}"))
    }

    /// `as of 30 June 2021`
    pub fn as_of(self, days: &str) -> String {
        self.choose(format!("截至{days}"), format!("as of {days}"))
    }

    /// `target 2025`
    pub fn target_of(self, due: &str) -> String {
        self.choose(format!("目标（{due}）"), format!("target {due}"))
    }

    /// An amount with its currency.
    pub fn amount(self, amount: &Amount) -> String {
        self.measure(&amount.number, &amount.currency)
    }

    /// A number with its unit.
    pub fn measure(self, number: &str, unit: &str) -> String {
        prose::figure(number, unit, self.tag())
    }

    /// `3 without a figure`
    pub fn without_amount(self, count: i64) -> String {
        let count = grouped(count);
        self.choose(format!("{count}个无金额"), format!("{count} without a figure"))
    }

    /// `12 projects`
    pub fn project_count(self, count: i64) -> String {
        let (number, noun) = (grouped(count), if count == 1 { "project" } else { "projects" });
        self.choose(format!("{number}个项目"), format!("{number} {noun}"))
    }

    /// `4 key projects`
    pub fn key_count(self, count: u64) -> String {
        let (number, noun) =
            (text::grouped(&count.to_string()), if count == 1 { "key project" } else { "key projects" });
        self.choose(format!("重点项目{number}个"), format!("{number} {noun}"))
    }

    /// `444 projects as listed, 569 as split`
    pub fn counted_as(self, listed: i64, split: i64) -> String {
        let (listed_projects, listed, split) = (self.project_count(listed), grouped(listed), grouped(split));
        self.choose(
            format!("按打捆计{listed}个项目，按拆分计{split}个"),
            format!("{listed_projects} as listed, {split} as split"),
        )
    }

    /// `6 parts, 6 declared`
    pub fn parts(self, registered: i64, declared: Option<i64>) -> String {
        let registered = format!("{} {}", self.registered(), grouped(registered));
        let declared = declared.map_or(ABSENT.to_owned(), grouped);
        self.choose(
            format!("公布 {declared}，{registered}"),
            format!("{registered}, {} {declared}", self.declared()),
        )
    }

    /// `2 complete`
    pub fn complete_count(self, count: i64) -> String {
        let count = grouped(count);
        self.choose(format!("全部建成{count}个"), format!("{count} complete"))
    }

    /// `and 3 more`
    pub fn more(self, count: i64) -> String {
        let count = grouped(count);
        self.choose(format!("另{count}个"), format!("and {count} more"))
    }

    /// `8 of 12`
    pub fn of_whole(self, part: &str, whole: &str) -> String {
        self.choose(format!("{part} / {whole}"), format!("{part} of {whole}"))
    }

    /// `12 counted`
    pub fn counted_count(self, count: i64) -> String {
        let count = grouped(count);
        self.choose(format!("计入{count}个"), format!("{count} counted"))
    }

    /// `planned 40 km`
    pub fn measure_planned(self, measure: &str) -> String {
        self.choose(format!("规划 {measure}"), format!("planned {measure}"))
    }

    /// `built 25 km`
    pub fn measure_built(self, measure: &str) -> String {
        self.choose(format!("建成 {measure}"), format!("built {measure}"))
    }

    /// `4 under construction`
    pub fn count_of(self, count: u64, what: &str) -> String {
        let count = text::grouped(&count.to_string());
        self.choose(format!("{what} {count}"), format!("{count} {what}"))
    }

    /// Sentences that follow each other.
    pub fn sentences(self, first: &str, second: &str) -> String {
        self.choose(format!("{first}。{second}"), format!("{first}. {second}"))
    }

    /// The status of a project.
    pub fn status(self, status: Status) -> &'static str {
        match status {
            Status::Unspecified | Status::Proposed => self.choose("拟建", "proposed"),
            Status::Preparation => self.choose("前期", "in preparation"),
            Status::Construction => self.choose("在建", "under construction"),
            Status::Completed => self.choose("完工", "completed"),
            Status::InService => self.choose("投用", "in service"),
            Status::Suspended => self.choose("停工", "suspended"),
            Status::Cancelled => self.choose("取消", "cancelled"),
        }
    }

    /// How a milestone stands.
    pub fn milestone_state(self, state: MilestoneState) -> &'static str {
        match state {
            MilestoneState::Achieved => self.choose("已实现", "achieved"),
            MilestoneState::PartiallyAchieved => self.choose("部分实现", "partially achieved"),
            MilestoneState::OnTrack => self.choose("正常", "on track"),
            MilestoneState::DueSoon => self.choose("临近", "due soon"),
            MilestoneState::AtRisk => self.choose("有风险", "at risk"),
            MilestoneState::Late => self.choose("滞后", "late"),
            MilestoneState::Overdue => self.choose("逾期", "overdue"),
            MilestoneState::Undated => self.choose("日期未公布", "without a date"),
            MilestoneState::NotMet => self.choose("未实现", "not met"),
            MilestoneState::Cancelled => self.choose("取消", "cancelled"),
        }
    }

    /// A category of an annual list.
    pub fn list_category(self, category: &str) -> &str {
        match category {
            "all" => self.choose("全部", "all"),
            "key" => self.choose("重点", "key"),
            "reserve" => self.choose("储备", "reserve"),
            "new start" => self.choose("新开工", "new start"),
            "continued" => self.choose("续建", "continued"),
            "completed" => self.choose("竣工", "completed"),
            other => other,
        }
    }

    /// The name of a rate.
    pub fn rate_name(self, rate: RateKind) -> &'static str {
        match rate {
            RateKind::Start => self.choose("开工率", "start"),
            RateKind::Investment => self.choose("投资完成率", "investment"),
            RateKind::Completion => self.choose("竣工率", "completion"),
            RateKind::Funds => self.choose("资金到位率", "funds"),
            RateKind::Enrolment => self.choose("入统率", "enrolment"),
            RateKind::TimeProgress => self.choose("时间进度", "time progress"),
            RateKind::Ahead => self.choose("超时间进度", "ahead of time"),
        }
    }

    /// What a rate divides by what.
    pub fn rate_meaning(self, rate: RateKind) -> &'static str {
        match rate {
            RateKind::Start => {
                self.choose("已开工新建项目 ÷ 新建项目", "new starts that started ÷ new starts")
            }
            RateKind::Investment => self.choose("完成投资 ÷ 计划投资", "completed ÷ planned investment"),
            RateKind::Completion => {
                self.choose("已竣工项目 ÷ 计划竣工项目", "completed ÷ projects to be completed")
            }
            RateKind::Funds => self.choose("到位资金 ÷ 计划资金", "received ÷ planned funds"),
            RateKind::Enrolment => self.choose("已入统项目 ÷ 已开工项目", "enrolled ÷ started projects"),
            RateKind::TimeProgress => self.choose("已过月份 ÷ 12", "months ended ÷ 12"),
            RateKind::Ahead => self.choose("投资完成率 − 时间进度", "investment rate − time progress"),
        }
    }

    /// `97.2%`, `+13.8 points`
    pub fn rate_value(self, rate: RateKind, value: &str) -> String {
        if rate != RateKind::Ahead {
            return format!("{value}%");
        }
        let sign = if value.starts_with('-') { "" } else { "+" };
        self.choose(format!("{sign}{value} 个百分点"), format!("{sign}{value} points"))
    }

    /// Why something is missing in a figure.
    pub fn why(self, why: &str) -> String {
        let known = match why {
            "NOT_REPORTED" => self.choose("未填报", "not reported"),
            "STRADDLES" => self.choose("跨期，不计入", "period crosses a bound, left out"),
            "OTHER_CURRENCY" => self.choose("币种不同", "in another currency"),
            "NO_DATE" => self.choose("日期未知", "date not known"),
            "NO_SCHEDULE" => self.choose("无进度计划", "without a schedule"),
            "NO_PLAN" => self.choose("规划长度未知", "planned measure not known"),
            "NO_BUILT_MEASURE" => self.choose("建成长度未知", "built measure not known"),
            "NO_OBSERVATION" => self.choose("无数据", "not observed"),
            "CONTRADICTED" => self.choose("数据矛盾", "contradicted"),
            "OTHER_PERIOD" => self.choose("期间不同", "of another period"),
            "TOO_LARGE" => self.choose("数值过大", "a number is too large"),
            "TOO_DEEP" => self.choose("层级过深", "too deep"),
            "NO_INSPECTION" => self.choose("无检查", "no inspection"),
            "NO_TARGET" => self.choose("无投资目标", "no investment target"),
            "NO_REPORT" => self.choose("无填报", "no report"),
            "SOME_WEIGHTS" => self.choose("部分里程碑无权重", "only some milestones have a weight"),
            "OVERLAPS" => self.choose("期间重叠，不计入", "reports overlap, left out"),
            other => return other.to_lowercase().replace('_', " "),
        };
        known.to_owned()
    }

    /// A value with how exact it is.
    pub fn qualified(self, qualifier: Qualifier, value: &str) -> String {
        match qualifier {
            Qualifier::Exact => value.to_owned(),
            Qualifier::AtLeast => self.choose(format!("超 {value}"), format!("over {value}")),
            Qualifier::AtMost => self.choose(format!("不超过 {value}"), format!("at most {value}")),
            Qualifier::About => self.choose(format!("约 {value}"), format!("about {value}")),
        }
    }

    /// Whether a target is reached.
    pub fn verdict(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Reached => self.choose("已达到", "reached"),
            Verdict::Missed => self.choose("未达到", "missed"),
            Verdict::Open => self.choose("进行中", "still open"),
            Verdict::Unknown => self.choose("无法判断", "cannot be judged"),
        }
    }

    /// How values contradict each other.
    pub fn clash(self, clash: Clash) -> &'static str {
        match clash {
            Clash::Observations => self.choose("同期数据不一致", "values of one period differ"),
            Clash::ExceedsWhole => self.choose("分项大于总项", "more than its whole"),
            Clash::ExceededByPart => self.choose("小于其分项", "less than its part"),
            Clash::ExceededBySum => self.choose("小于分项合计", "less than its parts together"),
        }
    }

    /// What a bin of a chart over time is.
    pub fn span(self, span: Span) -> &'static str {
        match span {
            Span::Month => self.month(),
            Span::Quarter => self.quarter(),
            Span::Year | Span::Years(_) => self.year(),
        }
    }

    /// `Others: 3` of parts that are not drawn one by one.
    pub fn not_drawn(self, count: usize) -> String {
        self.choose(
            format!("{count}个组成部分未逐一列出"),
            format!("{count} parts are not listed one by one"),
        )
    }
}

fn grouped(count: i64) -> String {
    text::grouped(&count.to_string())
}

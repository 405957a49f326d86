//! What exports say besides what people wrote, in Chinese and in English.
//!
//! Invariant: of any other language, the words are English.

use milepost_proto::tracker::v1::timeline_entry::Kind;

/// The words of a language.
pub struct Words {
    /// The language that they are in.
    pub tag: &'static str,
    /// The title of a page, after the name of the portfolio.
    pub timeline: &'static str,
    /// Beside a figure that an announcement said.
    pub declared: &'static str,
    /// Before the day of the last change.
    pub last_change: &'static str,
    /// Where there is no entry.
    pub empty: &'static str,
    /// Between a label and its figure.
    pub colon: &'static str,
    kinds: [&'static str; 5],
}

const CHINESE: Words = Words {
    tag: "zh",
    timeline: "建设时间轴",
    declared: "据公布",
    last_change: "最近更新",
    empty: "尚无内容",
    colon: "：",
    kinds: ["集中开工", "改革", "政策", "里程碑", "大事"],
};

const ENGLISH: Words = Words {
    tag: "en",
    timeline: "Timeline",
    declared: "as announced",
    last_change: "Last updated",
    empty: "There are no entries yet",
    colon: ": ",
    kinds: ["Concentrated start", "Reform", "Policy", "Milestone", "Event"],
};

impl Words {
    /// Those of a language, by its tag.
    pub fn of(language: &str) -> &'static Self {
        let primary = language.split('-').next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") { &CHINESE } else { &ENGLISH }
    }

    /// What a kind of entry is called.
    pub fn kind(&self, kind: Kind) -> &'static str {
        let index = match kind {
            Kind::Batch => 0,
            Kind::Reform => 1,
            Kind::Policy => 2,
            Kind::Milestone => 3,
            Kind::Editorial | Kind::Unspecified => 4,
        };
        self.kinds[index]
    }
}

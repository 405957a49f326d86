//! How members of a campaign stand: ranks, totals and scores, with bars.
//!
//! Invariant: totals, scores and ranks are as the server answered them; a score that could not be evaluated shows why in
//! its place, and never a bar.

use milepost_proto::tracker::v1::{CampaignScore, CampaignStandings};

use super::chart::bar;
use super::table::{Cell, Column, Room};
use super::{text, width};

/// Columns of the bar of a total, and of a score.
const TOTAL_COLUMNS: u16 = 12;
const SCORE_COLUMNS: u16 = 5;
/// What totals and scores are at most.
const MOST: f64 = 100.0;

/// A member on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Absent: it has none.
    pub rank: Option<i32>,
    /// Whether another member has the same rank.
    pub is_shared: bool,
    /// The project; until somebody says what it is called, its name.
    pub title: String,
    pub total: Option<String>,
    /// In the order of the criteria.
    pub scores: Vec<Score>,
    /// The criterion by which it is before the next one. Empty: it needed none.
    pub decided_by: String,
    /// Why it has no total though it has every score, as a code. Empty: it has one, or a score says what is missing.
    pub total_missing: String,
    /// The findings that veto it: the names of the first ones.
    pub vetoed_by: Vec<String>,
    /// How many veto it, named or not.
    pub veto_count: usize,
    pub member_days: i32,
    /// Whether a sign-off names it.
    pub is_pioneer: bool,
}

/// What a member has by a criterion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// Absent: it could not be evaluated.
    pub value: Option<String>,
    /// Whether what is missing could only make it greater.
    pub is_lower_bound: bool,
    /// Why it could not be evaluated, or what is missing in it, as codes.
    pub why: Vec<String>,
}

/// The members, in the order of the answer.
pub fn of(standings: &CampaignStandings) -> Vec<Standing> {
    let ranks: Vec<i32> = standings.standings.iter().filter_map(|standing| standing.rank).collect();
    let is_shared = |rank: Option<i32>| ranks.iter().filter(|one| Some(**one) == rank).count() > 1;
    let score = |score: &CampaignScore| {
        let figure = score.score.clone().unwrap_or_default();
        let mut why: Vec<String> = figure.missing.into_iter().map(|missing| missing.why).collect();
        why.dedup();
        Score { value: figure.value, is_lower_bound: figure.lower_bound, why }
    };
    let standing = |standing: &milepost_proto::tracker::v1::CampaignStanding| Standing {
        rank: standing.rank,
        is_shared: is_shared(standing.rank),
        title: standing.project.clone(),
        total: standing.total.clone(),
        scores: standing.scores.iter().map(score).collect(),
        decided_by: standing.decided_by.clone(),
        total_missing: standing.total_missing.clone(),
        vetoed_by: standing.vetoed_by.clone(),
        veto_count: usize::try_from(standing.veto_count).unwrap_or(0).max(standing.vetoed_by.len()),
        member_days: standing.member_days,
        is_pioneer: false,
    };
    standings.standings.iter().map(standing).collect()
}

/// How much of the whole a number is, 0 to 100, to draw by.
fn drawn(number: &str) -> f64 {
    number.parse::<f64>().ok().filter(|number| number.is_finite()).unwrap_or(0.0).clamp(0.0, MOST)
}

/// What stands above the columns.
pub struct Heads<'a> {
    pub rank: &'a str,
    pub project: &'a str,
    pub total: &'a str,
    /// One for each score.
    pub scores: Vec<String>,
    pub note: &'a str,
}

/// The columns of a table of these members; `why` says a code in words, `note` what is to be said of a member besides.
pub fn columns(
    heads: &Heads<'_>,
    standings: &[Standing],
    why: impl Fn(&str) -> String,
    note: impl Fn(&Standing) -> String,
) -> Vec<Column> {
    let cells =
        |cell: &dyn Fn(&Standing) -> String| standings.iter().map(cell).map(Cell::from).collect::<Vec<_>>();
    let total = |row: &Standing| text::or_absent(row.total.as_deref().unwrap_or_default());
    let mut columns = vec![
        Column::new(heads.rank, Room::Number, 0, cells(&rank)),
        Column::new(heads.project, Room::Name, 0, cells(&|row| row.title.clone())),
        Column::new(heads.total, Room::Number, 0, cells(&total)),
        Column::new("", Room::Whole, heads.scores.len() + 2, cells(&total_bar)),
    ];
    for (place, head) in heads.scores.iter().enumerate() {
        let scores = |row: &Standing| row.scores.get(place).cloned().unwrap_or_default();
        let widest = standings.iter().map(|row| width::columns(&number(&scores(row)))).max().unwrap_or(0);
        let cell = |row: &Standing| match scores(row) {
            Score { value: None, why: codes, .. } => {
                codes.iter().map(|code| why(code)).collect::<Vec<_>>().join(", ")
            }
            score => {
                let bar = bar(drawn(score.value.as_deref().unwrap_or_default()), MOST, SCORE_COLUMNS);
                format!("{} {bar}", width::pad(&number(&score), widest))
            }
        };
        columns.push(Column::new(head, Room::Text, 1, cells(&cell)));
    }
    if standings.iter().any(|row| !note(row).is_empty()) {
        columns.push(Column::new(heads.note, Room::Text, 1, cells(&note)));
    }
    columns
}

/// A score, as far as it is one.
pub fn number(score: &Score) -> String {
    let value = score.value.as_deref().unwrap_or_default();
    if score.is_lower_bound && !value.is_empty() { format!("≥ {value}") } else { value.to_owned() }
}

/// The bar of a total. Empty without one.
pub fn total_bar(standing: &Standing) -> String {
    standing.total.as_ref().map_or(String::new(), |total| bar(drawn(total), MOST, TOTAL_COLUMNS))
}

/// A rank: `1`, or `=2` where it is shared.
pub fn rank(standing: &Standing) -> String {
    match (standing.rank, standing.is_shared) {
        (None, _) => text::ABSENT.to_owned(),
        (Some(rank), true) => format!("={rank}"),
        (Some(rank), false) => rank.to_string(),
    }
}

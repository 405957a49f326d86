//! Random rows, random expressions in random spellings, and what they mean, worked out without the code under
//! test.

use proptest::prelude::*;

use super::*;
use crate::zone::TimeZoneId;

/// An expression, from which texts are written.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Leaf(Leaf),
}

/// An expression over the values of one comparison.
#[derive(Debug, Clone)]
pub(super) enum Values {
    All(Vec<Values>),
    Any(Vec<Values>),
    Not(Box<Values>),
    One(usize),
}

/// A comparison.
#[derive(Debug, Clone)]
pub(super) enum Leaf {
    Weight(&'static str, i64),
    Start(&'static str, DateWord),
    Commit(&'static str, i32),
    State(&'static str, usize),
    StateOf(Values),
    ChangedOf(Values),
    Named(&'static str, String),
    NameHolds(String),
    Under(String),
    HasLabel(String),
    Label(&'static str, String),
    Organization(String),
    Level(usize),
    Set(&'static str, bool),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum DateWord {
    On(i8),
    Day(i32),
}

const CHANGED: [&str; 3] = ["state", "owner", "forecast_date"];

fn compares<T: PartialOrd>(value: Option<T>, sign: &str, other: &T) -> bool {
    let Some(value) = value else { return sign == "!=" };
    match sign {
        "=" | ":" => value == *other,
        "!=" => value != *other,
        "<" => value < *other,
        "<=" => value <= *other,
        ">" => value > *other,
        ">=" => value >= *other,
        _ => unreachable!("{sign}"),
    }
}

impl Values {
    fn holds(&self, one: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Values::All(members) => members.iter().all(|member| member.holds(one)),
            Values::Any(members) => members.iter().any(|member| member.holds(one)),
            Values::Not(inner) => !inner.holds(one),
            Values::One(index) => one(*index),
        }
    }

    fn text(&self, words: &[&str], style: &mut Style) -> String {
        match self {
            Values::All(members) => {
                style.joined(members, " AND ", |one, style| one.operand(words, style, false))
            }
            Values::Any(members) => {
                style.joined(members, " OR ", |one, style| one.operand(words, style, true))
            }
            Values::Not(inner) => style.negated(|style| inner.operand(words, style, true)),
            Values::One(index) => style.quoted(words[*index]),
        }
    }

    /// In parentheses where it would be read in another way without; `tight` within what binds tighter than
    /// `AND`.
    fn operand(&self, words: &[&str], style: &mut Style, tight: bool) -> String {
        let text = self.text(words, style);
        let bare = match self {
            Values::One(_) => true,
            Values::Any(_) => !tight,
            Values::Not(_) | Values::All(_) => false,
        };
        if bare && !style.pick(4) { text } else { format!("({text})") }
    }
}

impl Expr {
    /// Whether it holds for a row.
    pub(super) fn holds(&self, row: &Row) -> bool {
        match self {
            Expr::All(members) => members.iter().all(|member| member.holds(row)),
            Expr::Any(members) => members.iter().any(|member| member.holds(row)),
            Expr::Not(inner) => !inner.holds(row),
            Expr::Leaf(leaf) => leaf.holds(row),
        }
    }

    /// The same with all members the other way round.
    pub(super) fn reversed(&self) -> Expr {
        let reversed = |members: &[Expr]| members.iter().rev().map(Expr::reversed).collect();
        match self {
            Expr::All(members) => Expr::All(reversed(members)),
            Expr::Any(members) => Expr::Any(reversed(members)),
            Expr::Not(inner) => Expr::Not(inner.reversed().into()),
            Expr::Leaf(leaf) => Expr::Leaf(leaf.clone()),
        }
    }

    /// A text that says it.
    pub(super) fn text(&self, style: &mut Style) -> String {
        match self {
            Expr::All(members) => {
                let and = if style.pick(2) { " AND " } else { "  " };
                style.joined(members, and, |one, style| one.operand(style, false))
            }
            Expr::Any(members) => style.joined(members, " OR ", |one, style| one.operand(style, true)),
            Expr::Not(inner) => style.negated(|style| inner.operand(style, true)),
            Expr::Leaf(leaf) => leaf.text(style),
        }
    }

    fn operand(&self, style: &mut Style, tight: bool) -> String {
        let text = self.text(style);
        let bare = match self {
            Expr::Leaf(_) => true,
            Expr::Any(_) => !tight,
            // Not within NOT, where it stands in parentheses.
            Expr::Not(_) | Expr::All(_) => false,
        };
        if bare && !style.pick(4) { text } else { format!("({text})") }
    }
}

impl Leaf {
    fn holds(&self, row: &Row) -> bool {
        let today = |days: i32| {
            let current = row.today.clone()?;
            Some(current.plus(days))
        };
        match self {
            Leaf::Weight(sign, number) => compares(row.weight, sign, number),
            Leaf::Start(sign, DateWord::On(day)) => compares(row.start, sign, &date(2021, 2, *day)),
            Leaf::Start(sign, DateWord::Day(days)) => match today(*days) {
                Some(day) => compares(row.start, sign, &day),
                None => *sign == "!=",
            },
            Leaf::Commit(sign, days) => match (today(*days), &row.today) {
                (Some(day), Some(today)) => compares(row.commit.map(|at| today.date_at(at)), sign, &day),
                _ => *sign == "!=",
            },
            Leaf::State(sign, state) => compares(row.state, sign, &STATES[*state]),
            Leaf::StateOf(values) => values.holds(&|state| row.state == Some(STATES[state])),
            Leaf::ChangedOf(values) => {
                values.holds(&|field| row.changed.iter().any(|one| one == CHANGED[field]))
            }
            Leaf::Named(sign, name) => compares(
                Some(row.display_name.as_str()).filter(|name| !name.is_empty()),
                sign,
                &name.as_str(),
            ),
            Leaf::NameHolds(part) => !row.display_name.is_empty() && row.display_name.contains(part),
            Leaf::Under(name) => format!("{}/", row.subject).starts_with(&format!("{name}/")),
            Leaf::HasLabel(key) => row.labels.contains_key(key),
            Leaf::Label(sign, value) => {
                compares(row.labels.get("a").map(String::as_str), sign, &value.as_str())
            }
            Leaf::Organization(name) => {
                row.parties.iter().any(|party| format!("{party}/").starts_with(&format!("{name}/")))
            }
            Leaf::Level(level) => row.levels.contains(&LEVELS[*level]),
            Leaf::Set(path, set) => {
                let is_set = match *path {
                    "weight" => row.weight.is_some(),
                    "site" => row.latitude.is_some() || row.district.is_some(),
                    "labels.a" => row.labels.contains_key("a"),
                    _ => unreachable!("{path}"),
                };
                is_set == *set
            }
        }
    }

    fn text(&self, style: &mut Style) -> String {
        match self {
            Leaf::Weight(sign, number) => style.comparison("weight", sign, &number.to_string()),
            Leaf::Start(sign, DateWord::On(day)) => {
                style.comparison("planned_period.start", sign, &format!("2021-02-{day:02}"))
            }
            Leaf::Start(sign, DateWord::Day(0)) => format!("planned_period.start {sign} today( )"),
            Leaf::Start(sign, DateWord::Day(days)) => format!("planned_period.start {sign}days({days})"),
            Leaf::Commit(sign, days) => format!("commit_time {sign} days( '{days}')"),
            Leaf::State(sign, state) => style.comparison("state", sign, STATES[*state]),
            Leaf::StateOf(values) => format!("state = ( {} )", values.text(STATES, style)),
            Leaf::ChangedOf(values) => format!("changed_fields:({})", values.text(&CHANGED, style)),
            Leaf::Named(sign, name) => style.comparison("display_name", sign, name),
            Leaf::NameHolds(part) => style.comparison("display_name", ":", part),
            Leaf::Under(name) => style.comparison("subject", ":", name),
            Leaf::HasLabel(key) if style.pick(2) => format!("labels.\"{key}\":*"),
            Leaf::HasLabel(key) => style.comparison("labels", ":", key),
            Leaf::Label(sign, value) => style.comparison("labels.a", sign, value),
            Leaf::Organization(name) => style.comparison("parties.organization", ":", name),
            Leaf::Level(level) => {
                let name = LEVELS[*level];
                let short = name.strip_prefix("LEVEL_").filter(|_| style.pick(2));
                style.comparison("levels", ":", short.unwrap_or(name))
            }
            Leaf::Set(path, true) => format!("{path}:*"),
            Leaf::Set(path, false) => format!("{path} != '*'"),
        }
    }
}

/// How what may be written in several ways is written.
#[derive(Debug, Clone)]
pub(super) struct Style {
    choices: Vec<u8>,
    next: usize,
}

impl Style {
    pub(super) fn any() -> impl Strategy<Value = Style> {
        prop::collection::vec(any::<u8>(), 1..40).prop_map(|choices| Style { choices, next: 0 })
    }

    /// True once in so many times.
    fn pick(&mut self, of: u8) -> bool {
        self.next += 1;
        self.choices[self.next % self.choices.len()].is_multiple_of(of)
    }

    fn joined<T>(&mut self, members: &[T], word: &str, text: impl Fn(&T, &mut Self) -> String) -> String {
        let texts: Vec<_> = members.iter().map(|member| text(member, self)).collect();
        texts.join(word)
    }

    fn negated(&mut self, inner: impl Fn(&mut Self) -> String) -> String {
        let sign = if self.pick(2) { "NOT " } else { "-" };
        format!("{sign}{}", inner(self))
    }

    fn comparison(&mut self, path: &str, sign: &str, value: &str) -> String {
        let blank = if self.pick(2) { " " } else { "" };
        format!("{path}{blank}{sign}{blank}{}", self.quoted(value))
    }

    fn quoted(&mut self, value: &str) -> String {
        if value.is_empty() || self.pick(3) { format!("\"{value}\"") } else { value.to_owned() }
    }
}

fn ordered() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["=", "!=", "<", "<=", ">", ">=", ":"][..])
}

fn texts() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["=", "!=", "<", "<=", ">", ">="][..])
}

fn equality() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["=", "!=", ":"][..])
}

fn values() -> impl Strategy<Value = Values> {
    (0..3_usize).prop_map(Values::One).prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Values::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Values::Any),
            inner.prop_map(|inner| Values::Not(inner.into())),
        ]
    })
}

fn leaves() -> impl Strategy<Value = Leaf> {
    let name = || "[ab]{1,2}(/[ab]{1,2}){0,2}";
    let set = prop::sample::select(&["weight", "site", "labels.a"][..]);
    prop_oneof![
        (ordered(), -2..3_i64).prop_map(|(sign, number)| Leaf::Weight(sign, number)),
        (ordered(), 1..5_i8).prop_map(|(sign, day)| Leaf::Start(sign, DateWord::On(day))),
        (ordered(), -2..3).prop_map(|(sign, days)| Leaf::Start(sign, DateWord::Day(days))),
        (ordered(), -2..3).prop_map(|(sign, days)| Leaf::Commit(sign, days)),
        (equality(), 0..3_usize).prop_map(|(sign, state)| Leaf::State(sign, state)),
        values().prop_map(Leaf::StateOf),
        values().prop_map(Leaf::ChangedOf),
        (texts(), "[ab科]{0,2}").prop_map(|(sign, name)| Leaf::Named(sign, name)),
        "[ab科]{0,2}".prop_map(Leaf::NameHolds),
        name().prop_map(Leaf::Under),
        "[ab]".prop_map(Leaf::HasLabel),
        (texts(), "[ab]{0,1}").prop_map(|(sign, value)| Leaf::Label(sign, value)),
        name().prop_map(Leaf::Organization),
        (0..2_usize).prop_map(Leaf::Level),
        (set, any::<bool>()).prop_map(|(path, set)| Leaf::Set(path, set)),
    ]
}

/// Expressions of at most some forty comparisons.
pub(super) fn expressions() -> impl Strategy<Value = Expr> {
    leaves().prop_map(Expr::Leaf).prop_recursive(5, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::Any),
            inner.prop_map(|inner| Expr::Not(inner.into())),
        ]
    })
}

/// Rows with values that the expressions ask for.
pub(super) fn rows() -> impl Strategy<Value = Row> {
    let text = || "[ab科]{0,2}";
    let name = || "[ab]{1,2}(/[ab]{1,2}){0,2}";
    let scalars = (
        text(),
        prop::option::of(prop::sample::select(STATES)),
        prop::option::of(-2..3_i64),
        prop::option::of(1..5_i8),
        prop::option::of(0..60_i64),
        name(),
        prop::option::of(text()),
    );
    let lists = (
        prop::collection::vec(prop::sample::select(&CHANGED[..]), 0..3),
        prop::collection::vec(name(), 0..3),
        prop::collection::vec(prop::sample::select(LEVELS), 0..2),
        prop::collection::btree_map("[ab]", "[ab]{0,1}", 0..3),
        prop::option::of((1..5_i8, any::<bool>())),
    );
    (scalars, lists).prop_map(|(scalars, lists)| {
        let (display_name, state, weight, start, hours, subject, district) = scalars;
        let (changed, parties, levels, labels, today) = lists;
        let february = Timestamp::new(1_612_137_600, 0).unwrap();
        let zone = |east| if east { "Asia/Shanghai".parse().unwrap() } else { TimeZoneId::UTC };
        Row {
            display_name,
            state,
            weight,
            start: start.map(|day| date(2021, 2, day)),
            commit: hours.map(|hours| february + SignedDuration::from_hours(hours)),
            subject,
            district,
            changed: changed.into_iter().map(str::to_owned).collect(),
            parties,
            levels,
            labels,
            today: today.map(|(day, east)| CurrentDate::new(date(2021, 2, day), &zone(east))),
            ..Row::default()
        }
    })
}

//! Walls of lights: a row of each project, with a light of each period.
//!
//! Invariants: a light is a letter besides a colour. No wall is wider than asked for: where periods have no room, the
//! earliest are not drawn, and how many is said. Lights are as the server answered them: nothing is judged here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anstyle::{AnsiColor, Style};
use jiff::civil::Date;
use milepost_proto::tracker::v1::WarningLight;

use super::chart::{FAINT, painted};
use super::table::clean;
use super::width;

/// Columns that titles take at most.
const TITLE_COLUMNS: usize = 24;
/// Columns of a period where there is room: two digits and a gap.
const PERIOD_COLUMNS: usize = 3;
/// What stands where a project has no light of a period, not even none.
pub const NOTHING: &str = "·";

/// The light of a project in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Light {
    pub shown: WarningLight,
    /// Whether the period is excused.
    pub is_excused: bool,
}

/// The lights of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What the project is called; until somebody says so, its name.
    pub title: String,
    /// One for each period of the wall.
    pub lights: Vec<Option<Light>>,
    /// What stands beside them.
    pub note: String,
}

/// Lights of projects in periods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wall {
    /// The last days of the periods, in order.
    pub periods: Vec<Date>,
    pub rows: Vec<Row>,
    /// How many projects have which light, in the order of [`LIGHTS`], in each of the last periods. Earlier ones are not
    /// counted: of them only the lights of the rows are here.
    pub counts: Vec<[u64; 4]>,
    /// How many further projects there are that have no row.
    pub more_rows: usize,
}

/// The lights, the worst first.
pub const LIGHTS: [WarningLight; 4] =
    [WarningLight::Red, WarningLight::Yellow, WarningLight::NoLight, WarningLight::Green];

/// The place of a light in [`LIGHTS`].
pub fn place(light: WarningLight) -> usize {
    LIGHTS.iter().position(|one| *one == light).unwrap_or(2)
}

/// What stands for lights, in the order of [`LIGHTS`].
#[derive(Debug, Clone, Copy)]
pub struct Letters {
    pub shown: [&'static str; 4],
    /// The same where the period is excused.
    pub excused: [&'static str; 4],
}

impl Letters {
    /// English ones.
    pub const ENGLISH: Self = Self { shown: ["R", "Y", "-", "G"], excused: ["r", "y", "-", "g"] };

    /// That of a light.
    pub fn of(&self, light: Option<Light>) -> &'static str {
        match light {
            None => NOTHING,
            Some(light) if light.is_excused => self.excused[place(light.shown)],
            Some(light) => self.shown[place(light.shown)],
        }
    }
}

impl Wall {
    /// The wall of these lights: by project and period.
    pub fn of(lights: impl IntoIterator<Item = (String, Date, Light)>) -> Self {
        let mut rows: BTreeMap<String, BTreeMap<Date, Light>> = BTreeMap::new();
        let mut periods = BTreeSet::new();
        for (project, period, light) in lights {
            periods.insert(period);
            rows.entry(project).or_default().insert(period, light);
        }
        let periods: Vec<Date> = periods.into_iter().collect();
        let row = |(title, lights): (String, BTreeMap<Date, Light>)| Row {
            title,
            lights: periods.iter().map(|period| lights.get(period).copied()).collect(),
            note: String::new(),
        };
        let rows: Vec<Row> = rows.into_iter().map(row).collect();
        let mut counts = vec![[0; 4]; periods.len()];
        for (count, light) in rows.iter().flat_map(|row| counts_of(&row.lights)) {
            counts[count][light] += 1;
        }
        Self { periods, rows, counts, more_rows: 0 }
    }

    /// Puts those first whose light is the worst in the last period, of equals those with more bad ones.
    pub fn worst_first(&mut self) {
        let worse = |row: &Row| {
            let last = row.lights.last().copied().flatten().map_or(LIGHTS.len(), |light| place(light.shown));
            let mut with = [0_usize; 4];
            row.lights.iter().flatten().for_each(|light| with[place(light.shown)] += 1);
            (last, Reverse(with[0]), Reverse(with[1]))
        };
        self.rows.sort_by_cached_key(|row| (worse(row), row.title.clone()));
    }

    /// Keeps so many rows.
    pub fn cut(&mut self, rows: usize) {
        self.more_rows += self.rows.len().saturating_sub(rows);
        self.rows.truncate(rows);
    }

    /// Adds lights of the rows in periods before those that are here.
    pub fn add_earlier(&mut self, lights: impl IntoIterator<Item = (String, Date, Light)>) {
        let mut earlier = Self::of(lights);
        for row in &mut self.rows {
            let found = earlier.rows.iter().find(|found| found.title == row.title);
            let before = found.map_or(vec![None; earlier.periods.len()], |found| found.lights.clone());
            row.lights.splice(0..0, before);
        }
        earlier.periods.append(&mut self.periods);
        self.periods = earlier.periods;
    }

    /// How many of the earliest periods are not counted.
    pub fn uncounted(&self) -> usize {
        self.periods.len() - self.counts.len()
    }

    /// Runs of periods of one year, in order: how many, and the year.
    pub fn years(&self) -> Vec<(usize, i16)> {
        let runs = self.periods.chunk_by(|one, next| one.year() == next.year());
        runs.map(|run| (run.len(), run[0].year())).collect()
    }

    /// The month of each period; of several that end in one month, of the first.
    pub fn months(&self) -> Vec<Option<i8>> {
        let month = |place: usize| {
            let before = place.checked_sub(1).map(|before| self.periods[before].first_of_month());
            let own = self.periods[place];
            (before != Some(own.first_of_month())).then(|| own.month())
        };
        (0..self.periods.len()).map(month).collect()
    }

    /// The wall in so many columns, and how many of the earliest periods have no room. Without a terminal there is room
    /// for all.
    pub fn draw(&self, letters: Letters, columns: Option<u16>, colour: bool) -> (String, usize) {
        let columns = columns.map_or(usize::MAX, usize::from);
        let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let titles: Vec<String> = self.rows.iter().map(|row| clean(&row.title)).collect();
        let title = widest(&mut titles.iter().map(|title| width::columns(title)));
        let note = widest(&mut self.rows.iter().map(|row| width::columns(&row.note)));
        let note = if note > 0 { note + 1 } else { 0 };
        let spare = columns.saturating_sub(1 + note + self.periods.len() * PERIOD_COLUMNS);
        let title = title.min(TITLE_COLUMNS.min(columns / 3).max(spare));
        let room = columns.saturating_sub(title + 1 + note);
        let every = letters.shown.iter().chain(&letters.excused).map(|letter| width::columns(letter));
        let letter = widest(&mut every.into_iter());
        let fits = |each: &usize| self.periods.len().saturating_mul(*each) <= room.saturating_add(1);
        let each = [PERIOD_COLUMNS, 2].into_iter().filter(|each| *each > letter).find(fits).unwrap_or(letter);
        let hidden = self.periods.len().saturating_sub((room.saturating_add(each - letter) / each).max(1));
        let line = |label: &str, cells: &str, note: &str| {
            let line = format!("{} {cells}", width::exactly(label, title));
            let cells = (self.periods.len() - hidden) * each;
            let line = if note.is_empty() { line } else { width::pad(&line, title + 1 + cells) + note };
            line.trim_end().to_owned() + "\n"
        };
        let faint = |text: String| match (colour, text.trim_end()) {
            (true, shown) if !shown.is_empty() => painted(FAINT, shown),
            (_, shown) => shown.to_owned(),
        };
        let mut out = String::new();
        let (years, months) = self.labels(hidden, each);
        let heads = [Some(years), months].into_iter().flatten().filter(|head| !head.trim().is_empty());
        heads.for_each(|head| out += &line("", &faint(head), ""));
        for (row, title) in self.rows.iter().zip(&titles) {
            let cell = |light: &Option<Light>| {
                let (text, style) = (letters.of(*light), style(*light));
                let text = if colour { painted(style, text) } else { text.to_owned() };
                width::pad(&text, each)
            };
            out += &line(title, &row.lights[hidden..].iter().map(cell).collect::<String>(), &row.note);
        }
        (out, hidden)
    }

    /// What stands above the periods from one on: the years, and the months if each has room for its number.
    fn labels(&self, from: usize, each: usize) -> (String, Option<String>) {
        let mut years = String::new();
        let places = self.periods.iter().enumerate().skip(from);
        for (place, period) in
            places.filter(|(place, period)| *place == from || self.periods[place - 1].year() != period.year())
        {
            let column = (place - from) * each;
            if years.is_empty() || width::columns(&years) < column {
                years = width::pad(&years, column) + &format!("{:04}", period.year());
            }
        }
        let room = (self.periods.len() - from) * each;
        let years =
            if width::columns(&years) <= room.max(4) { years } else { years[..years.len() - 4].to_owned() };
        let number =
            |month: Option<i8>| width::pad(&month.map_or(String::new(), |month| month.to_string()), each);
        let months =
            (each >= PERIOD_COLUMNS).then(|| self.months().into_iter().skip(from).map(number).collect());
        (years, months)
    }
}

/// The places of the lights of a row, each with that of its light in [`LIGHTS`].
fn counts_of(lights: &[Option<Light>]) -> impl Iterator<Item = (usize, usize)> {
    lights.iter().enumerate().filter_map(|(period, light)| Some((period, place((*light)?.shown))))
}

/// How the letter of a light looks in a terminal with colours.
pub fn style(light: Option<Light>) -> Style {
    let Some(light) = light.filter(|light| !light.is_excused) else { return FAINT };
    match light.shown {
        WarningLight::Red => AnsiColor::Red.on_default().bold(),
        WarningLight::Yellow => AnsiColor::Yellow.on_default(),
        WarningLight::Green => AnsiColor::Green.on_default(),
        WarningLight::NoLight | WarningLight::Unspecified => FAINT,
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use jiff::civil::date;

    use super::*;

    const CHINESE: Letters = Letters { shown: ["红", "黄", "－", "绿"], excused: ["免"; 4] };

    fn light(shown: WarningLight) -> Light {
        Light { shown, is_excused: false }
    }

    /// Twelve months, a project whose lights get worse, one that is excused once, and one that came late.
    fn wall() -> Wall {
        let mut lights = Vec::new();
        for month in 1..=12_i8 {
            let period = date(2020 + i16::from(month > 6), month, 1).last_of_month();
            let worse = if month < 6 { WarningLight::Green } else { WarningLight::Red };
            lights.push(("光大人工智能产业基地".to_owned(), period, light(worse)));
            let excused = Light { shown: WarningLight::Yellow, is_excused: month == 3 };
            lights.push(("tunnel".to_owned(), period, excused));
            if month > 10 {
                lights.push(("avenue".to_owned(), period, light(WarningLight::NoLight)));
            }
        }
        Wall::of(lights)
    }

    #[test]
    fn each_period_of_each_project_has_its_letter_under_its_month() {
        let (drawn, hidden) = wall().draw(Letters::ENGLISH, Some(80), false);
        assert_eq!(hidden, 0);
        insta::assert_snapshot!(drawn, @r"
                             2020              2021
                             1  2  3  4  5  6  7  8  9  10 11 12
        avenue               ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  -  -
        tunnel               Y  Y  y  Y  Y  Y  Y  Y  Y  Y  Y  Y
        光大人工智能产业基地 G  G  G  G  G  R  R  R  R  R  R  R
        ");
        let (drawn, _) = wall().draw(CHINESE, Some(60), false);
        insta::assert_snapshot!(drawn, @r"
                             2020              2021
                             1  2  3  4  5  6  7  8  9  10 11 12
        avenue               ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  － －
        tunnel               黄 黄 免 黄 黄 黄 黄 黄 黄 黄 黄 黄
        光大人工智能产业基地 绿 绿 绿 绿 绿 红 红 红 红 红 红 红
        ");
    }

    #[test]
    fn the_worst_come_first_and_what_is_cut_is_counted() {
        let mut wall = wall();
        wall.worst_first();
        let titles: Vec<&str> = wall.rows.iter().map(|row| row.title.as_str()).collect();
        assert_eq!(titles, ["光大人工智能产业基地", "tunnel", "avenue"]);
        assert_eq!(wall.counts[11], [1, 1, 1, 0]);
        wall.cut(1);
        assert_eq!((wall.rows.len(), wall.more_rows), (1, 2));
        assert_eq!(wall.counts[11], [1, 1, 1, 0], "counts are of all");
    }

    #[test]
    fn earlier_lights_of_the_rows_stand_before_the_others_and_are_not_counted() {
        let green = light(WarningLight::Green);
        let of = |project: &str, month| (project.to_owned(), date(2021, month, 28), green);
        let mut wall = Wall::of([of("a", 3), of("b", 3), of("c", 3)]);
        wall.cut(2);
        wall.add_earlier([of("b", 2), of("a", 1), of("b", 1)]);
        assert_eq!(wall.months(), [Some(1), Some(2), Some(3)]);
        assert_eq!(wall.rows[0].lights, [Some(green), None, Some(green)]);
        assert_eq!(wall.rows[1].lights, [Some(green); 3]);
        assert_eq!((wall.counts.clone(), wall.uncounted(), wall.more_rows), (vec![[0, 0, 0, 3]], 2, 1));
    }

    #[test]
    fn no_wall_is_wider_than_asked_for_and_says_what_has_no_room() {
        let mut wall = wall();
        wall.rows[0].note = "2 differ".to_owned();
        for letters in [Letters::ENGLISH, CHINESE] {
            for columns in [20, 24, 30, 40, 57, 80, 120] {
                let (drawn, hidden) = wall.draw(letters, Some(columns), false);
                for line in drawn.lines() {
                    assert!(width::columns(line) <= columns.into(), "{columns} columns:\n{drawn}");
                }
                let (painted, _) = wall.draw(letters, Some(columns), true);
                assert_eq!(strip_str(&painted).to_string(), drawn);
                let row = drawn.lines().find(|line| line.starts_with("tunnel")).unwrap();
                let shown = row.chars().filter(|letter| "Yy黄免".contains(*letter)).count();
                assert_eq!(
                    shown - usize::from(row.contains("tunnely")) + hidden,
                    12,
                    "{columns} columns:\n{drawn}"
                );
            }
        }
        let (all, hidden) = wall.draw(Letters::ENGLISH, None, false);
        assert!(hidden == 0 && all.contains("2 differ"), "{all}");
    }

    #[test]
    fn a_wall_without_lights_is_empty() {
        assert_eq!(Wall::of([]).draw(Letters::ENGLISH, Some(80), false), (String::new(), 0));
    }

    /// Several periods may end in one month.
    #[test]
    fn a_month_is_named_once() {
        let of = |day| ("a".to_owned(), date(2021, 3, day), light(WarningLight::Green));
        let wall = Wall::of([of(10), of(20), of(31)]);
        assert_eq!(wall.months(), [Some(3), None, None]);
        assert_eq!(wall.years(), [(3, 2021)]);
    }
}

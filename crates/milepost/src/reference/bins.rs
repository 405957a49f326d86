//! Days counted by month, by quarter or by year: what a chart over time draws.
//!
//! Invariant: between the first and the last bin there is one for every span of time, also where nothing happened.
//! There are at most [`MOST`], unless that many years do not suffice.

use jiff::civil::Date;

/// Bins of a chart: each has a column of a narrow terminal.
const MOST: i32 = 32;

/// How long a bin is, in months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Month,
    Quarter,
    Year,
    /// So many years, where single ones would be too many.
    Years(i32),
}

impl Span {
    fn months(self) -> i32 {
        match self {
            Span::Month => 1,
            Span::Quarter => 3,
            Span::Year => 12,
            Span::Years(years) => 12 * years,
        }
    }
}

/// Spans of time that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bins {
    pub span: Span,
    /// The number of the first, counted in spans from the year 0.
    first: i32,
    /// How many there are.
    pub count: usize,
}

impl Bins {
    /// The bins that hold all of these days; none of no days.
    pub fn of(days: impl Iterator<Item = Date> + Clone) -> Option<Self> {
        let (first, last) = (month(days.clone().min()?), month(days.max()?));
        let count = |span: Span| last.div_euclid(span.months()) - first.div_euclid(span.months()) + 1;
        let spans = [Span::Month, Span::Quarter, Span::Year];
        let span = spans.into_iter().find(|span| count(*span) <= MOST);
        let span = span.unwrap_or_else(|| Span::Years((count(Span::Year) / MOST + 1).max(2)));
        Some(Self {
            span,
            first: first.div_euclid(span.months()),
            count: usize::try_from(count(span)).unwrap_or(1),
        })
    }

    /// How many of counted days fall in each.
    pub fn counts(&self, days: impl Iterator<Item = (Date, u64)>) -> Vec<u64> {
        let mut counts = vec![0; self.count];
        for (day, count) in days {
            let bin = month(day).div_euclid(self.span.months()) - self.first;
            if let Some(there) = usize::try_from(bin).ok().and_then(|bin| counts.get_mut(bin)) {
                *there += count;
            }
        }
        counts
    }

    /// The year of each, where it begins with one or is the first.
    pub fn years(&self) -> Vec<Option<String>> {
        let month = |bin: usize| (self.first + i32::try_from(bin).unwrap_or(0)) * self.span.months();
        let is_shown = |bin: usize| bin == 0 || month(bin) % 12 == 0;
        (0..self.count).map(|bin| is_shown(bin).then(|| format!("{}", month(bin).div_euclid(12)))).collect()
    }

    /// What each is called within its year: the number of the month, of the quarter; nothing of years.
    pub fn parts(&self) -> Vec<String> {
        let part = |bin: usize| {
            let place = self.first + i32::try_from(bin).unwrap_or(0);
            match self.span {
                Span::Month => (place.rem_euclid(12) + 1).to_string(),
                Span::Quarter => format!("Q{}", place.rem_euclid(4) + 1),
                Span::Year | Span::Years(_) => String::new(),
            }
        };
        (0..self.count).map(part).collect()
    }

    /// The name of one: `2021-05`, `2021 Q2`, `2021`.
    pub fn name(&self, bin: usize) -> String {
        let months = (self.first + i32::try_from(bin).unwrap_or(0)) * self.span.months();
        let year = months.div_euclid(12);
        match self.span {
            Span::Month => format!("{year}-{:02}", months.rem_euclid(12) + 1),
            Span::Quarter => format!("{year} Q{}", months.rem_euclid(12) / 3 + 1),
            Span::Year => year.to_string(),
            Span::Years(years) => format!("{year}–{}", year + years - 1),
        }
    }
}

/// Months since the year 0.
fn month(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month()) - 1
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_chart_has_a_bin_for_every_month_also_where_nothing_happened() {
        let days = [(date(2020, 9, 11), 2), (date(2021, 4, 15), 1), (date(2021, 5, 27), 1)];
        let bins = Bins::of(days.iter().map(|(day, _)| *day)).unwrap();
        assert_eq!((bins.span, bins.count), (Span::Month, 9));
        assert_eq!(bins.counts(days.into_iter()), [2, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(bins.parts(), ["9", "10", "11", "12", "1", "2", "3", "4", "5"]);
        assert_eq!((bins.years()[0].as_deref(), bins.years()[4].as_deref()), (Some("2020"), Some("2021")));
        assert_eq!((bins.years()[3].as_deref(), bins.name(8).as_str()), (None, "2021-05"));
    }

    #[test]
    fn a_longer_time_has_longer_bins_and_never_more_of_them() {
        for (first, last, span, count) in [
            (date(2021, 1, 1), date(2021, 1, 31), Span::Month, 1),
            (date(2020, 1, 1), date(2022, 8, 31), Span::Month, 32),
            (date(2020, 1, 1), date(2022, 9, 1), Span::Quarter, 11),
            (date(2019, 2, 1), date(2027, 1, 1), Span::Year, 9),
            (date(1900, 1, 1), date(2200, 12, 31), Span::Years(10), 31),
        ] {
            let bins = Bins::of([first, last].into_iter()).unwrap();
            assert_eq!((bins.span, bins.count), (span, count), "{first} {last}");
            let counts = bins.counts([(first, 1), (last, 1)].into_iter());
            assert_eq!(counts.iter().sum::<u64>(), 2, "both ends are in a bin");
            assert_eq!((bins.years().len(), bins.parts().len()), (count, count));
        }
        let quarters = Bins::of([date(2020, 1, 1), date(2022, 9, 1)].into_iter()).unwrap();
        assert_eq!((quarters.name(10), quarters.parts()[2].as_str()), ("2022 Q3".to_owned(), "Q3"));
        let decades = Bins::of([date(1900, 1, 1), date(2200, 12, 31)].into_iter()).unwrap();
        assert_eq!(decades.name(0), "1900–1909");
        assert!(Bins::of(std::iter::empty()).is_none());
    }
}

//! What is measured of a project for a period, and what comes of comparing it: an exact value, or why there is none.
//!
//! Invariants: nothing is rounded; a project that misses something says what, and never counts as zero. Only plain
//! values come in here: where they are from, and which of them are known by when, is not known here.

use jiff::civil::Date;
use milepost_proto::tracker::v1::warning_test::Comparison;
use milepost_types::Fraction;

use super::band::{Band, Value, light_of};
use super::light::Light;

/// Why there is no value, or no light; or what is missing in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Why {
    /// The value is in no band.
    NotStated,
    /// Nothing is planned for the year.
    NoPlan,
    /// The plan has no schedule.
    NoSchedule,
    /// Nothing was reported of the days.
    NotReported,
    /// A report crosses the first or the last day, and is left out.
    Straddles,
    /// A plan or a report is in another currency than the plan of the investment.
    OtherCurrency,
    /// Two reports have a day in common, and one is left out.
    Overlaps,
    /// Nothing is expected yet, so there is no ratio to it.
    NothingExpected,
    /// Nothing was completed in the year before.
    NoBase,
    /// There are no milestones.
    NoMilestones,
    /// It is not said when the project is to start.
    NoPlannedStart,
    /// The project has started, and it is not said when.
    NoDate,
    /// No value of another project can be compared.
    NoPeers,
    /// It is not known in which currency the portfolio reports.
    NoCurrency,
    /// A number is beyond what can be held.
    TooLarge,
    /// What was waited for is done: the light is green.
    Done,
    /// What is waited for is not due: the light is green.
    NotDue,
    /// There is no value, and the light is that of the period before.
    Held,
}

impl Why {
    /// As messages say it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotStated => "NOT_STATED",
            Self::NoPlan => "NO_PLAN",
            Self::NoSchedule => "NO_SCHEDULE",
            Self::NotReported => "NOT_REPORTED",
            Self::Straddles => "STRADDLES",
            Self::OtherCurrency => "OTHER_CURRENCY",
            Self::Overlaps => "OVERLAPS",
            Self::NothingExpected => "NOTHING_EXPECTED",
            Self::NoBase => "NO_BASE",
            Self::NoMilestones => "NO_MILESTONES",
            Self::NoPlannedStart => "NO_PLANNED_START",
            Self::NoDate => "NO_DATE",
            Self::NoPeers => "NO_PEERS",
            Self::NoCurrency => "NO_CURRENCY",
            Self::TooLarge => "TOO_LARGE",
            Self::Done => "DONE",
            Self::NotDue => "NOT_DUE",
            Self::Held => "HELD",
        }
    }
}

/// What is expected of a rate by the end of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// This part of the whole, such as how far the year has come.
    Share(Fraction),
    /// So much, as what is actual is given.
    Amount(i128),
}

/// What is measured of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measured {
    /// A part of a whole, which is more than nothing; and what of it is expected.
    Rate { actual: i128, whole: i128, expected: Result<Expected, Why> },
    /// Nothing was reported of this whole.
    Unreported { whole: i128 },
    /// So much now, and so much, which is more than nothing, in the year before.
    Growth { now: i128, before: i128 },
    /// What is waited for since a day, up to another.
    Waiting { since: Date, until: Date },
    /// Nothing is waited for.
    Settled(Why),
}

/// What projects together have of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Peers {
    actual: i128,
    whole: i128,
    too_large: bool,
}

impl Peers {
    /// Adds a project's.
    pub(crate) fn add(&mut self, actual: i128, whole: i128) {
        match (self.actual.checked_add(actual), self.whole.checked_add(whole)) {
            (Some(actual), Some(whole)) => (self.actual, self.whole) = (actual, whole),
            _ => self.too_large = true,
        }
    }

    /// As results say it: what they have, and of what whole; none if a number is beyond what can be held.
    pub(crate) fn parts(&self) -> Option<(i128, i128)> {
        (!self.too_large).then_some((self.actual, self.whole))
    }

    /// What [`parts`](Self::parts) said.
    pub(crate) fn of_parts(actual: i128, whole: i128) -> Self {
        Self { actual, whole, too_large: false }
    }

    /// How many bytes it takes in a page token.
    pub(crate) const BYTES: usize = 33;

    /// As a page token has it.
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.actual.to_be_bytes());
        bytes[16..32].copy_from_slice(&self.whole.to_be_bytes());
        bytes[32] = self.too_large.into();
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) made of it.
    pub(crate) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let number = |at: usize| bytes[at..at + 16].try_into().map(i128::from_be_bytes).unwrap_or_default();
        Self { actual: number(0), whole: number(16), too_large: bytes[32] != 0 }
    }

    fn rate(&self) -> Result<Fraction, Why> {
        if self.too_large {
            return Err(Why::TooLarge);
        }
        if self.whole == 0 {
            return Err(Why::NoPeers);
        }
        Fraction::new(self.actual, self.whole).ok_or(Why::TooLarge)
    }
}

/// The value that is compared with the bounds of bands.
pub(crate) fn compare(
    comparison: Comparison,
    measured: &Measured,
    peers: Option<&Peers>,
) -> Result<Value, Why> {
    let share = |above: Option<i128>, below: Option<i128>| {
        let fraction = Fraction::new(above.ok_or(Why::TooLarge)?, below.ok_or(Why::TooLarge)?);
        fraction.map(Value::Share).ok_or(Why::TooLarge)
    };
    match *measured {
        Measured::Settled(why) => Err(why),
        Measured::Unreported { .. } => Err(Why::NotReported),
        Measured::Waiting { since, until } => Ok(Value::Age { since, until }),
        Measured::Growth { now, before } => share(now.checked_sub(before), Some(before)),
        Measured::Rate { actual, whole, expected } => match comparison {
            Comparison::PeerGap => {
                let own = Fraction::new(actual, whole).ok_or(Why::TooLarge)?;
                let all = peers.ok_or(Why::NoPeers)?.rate()?;
                all.checked_sub(own).map(Value::Share).ok_or(Why::TooLarge)
            }
            Comparison::PointGap | Comparison::Ratio | Comparison::RelativeShortfall => {
                // Both times the denominator of what is expected, so that they are whole numbers.
                let (actual, expected, whole) = match expected? {
                    Expected::Amount(expected) => (Some(actual), Some(expected), Some(whole)),
                    Expected::Share(share) => (
                        actual.checked_mul(share.denominator()),
                        whole.checked_mul(share.numerator()),
                        whole.checked_mul(share.denominator()),
                    ),
                };
                let gap = expected.zip(actual).and_then(|(expected, actual)| expected.checked_sub(actual));
                match comparison {
                    Comparison::PointGap => share(gap, whole),
                    _ if expected == Some(0) => Err(Why::NothingExpected),
                    Comparison::Ratio => share(actual, expected),
                    _ => share(gap, expected),
                }
            }
            _ => share(Some(actual), Some(whole)),
        },
    }
}

/// What becomes of a test whose value cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    NoLight,
    Hold,
    Light(Light),
}

/// What a test finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) light: Option<Light>,
    pub(crate) value: Option<Value>,
    pub(crate) why: Option<Why>,
    /// Whether the light is that of the period before.
    pub(crate) held: bool,
}

/// The light of a value by these bands, or what comes of there being none, where the period before had this light.
pub(crate) fn find(
    bands: &[Band],
    value: Result<Value, Why>,
    missing: Missing,
    before: Option<Light>,
) -> Found {
    let without = |why, light| Found { light, value: None, why: Some(why), held: false };
    match value {
        Ok(value) => {
            let light = light_of(bands, value);
            let why = light.is_none().then_some(Why::NotStated);
            Found { light, value: Some(value), why, held: false }
        }
        Err(why @ (Why::Done | Why::NotDue)) => without(why, Some(Light::Green)),
        Err(why) => match missing {
            Missing::NoLight => without(why, None),
            Missing::Hold => Found { held: before.is_some(), ..without(why, before) },
            Missing::Light(light) => without(why, Some(light)),
        },
    }
}

/// The worst of lights; none if there is none.
pub(crate) fn worst(lights: impl IntoIterator<Item = Option<Light>>) -> Option<Light> {
    lights.into_iter().flatten().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warning::light::Light::{Green, Red, Yellow};
    use crate::warning::tests::bands;

    /// Billionths of so many units.
    fn nanos(units: i128) -> i128 {
        units * 1_000_000_000
    }

    /// Completed of a plan on 31 October, by months.
    fn october(plan: i128, completed: i128) -> Measured {
        let expected = Fraction::new(10, 12).map(Expected::Share).ok_or(Why::NothingExpected);
        Measured::Rate { actual: completed, whole: plan, expected }
    }

    fn value(comparison: Comparison, measured: &Measured) -> Value {
        compare(comparison, measured, None).unwrap()
    }

    fn light(bands: &[Band], comparison: Comparison, measured: &Measured) -> Option<Light> {
        find(bands, compare(comparison, measured, None), Missing::NoLight, None).light
    }

    fn shown(value: Value) -> String {
        let Value::Share(value) = value else { panic!("{value:?}") };
        value.rounded(100, 1)
    }

    /// office.md, section 4: plan 1,200 on 10-31: completed 500 → gap 41.7 red, ratio 50 red, shortfall 50 yellow;
    /// 640 → gap 30 yellow; 880 → gap 10 yellow; 800 → ratio 80 green; 600 → 60 yellow.
    #[test]
    fn office_4_the_lights_of_a_plan_of_1_200_on_31_october() {
        let yc = bands(&["green ..0]", "yellow [10..30]", "red (30.."]);
        let wh = bands(&["green [80..", "yellow [60..80)", "red ..60)"]);
        let sy = bands(&["green ..0]", "yellow (0..50]", "red (50.."]);
        let on = |completed| october(nanos(1_200), nanos(completed));
        let (gap, ratio, shortfall) =
            (Comparison::PointGap, Comparison::Ratio, Comparison::RelativeShortfall);
        for (bands, comparison, completed, expected, expected_light) in [
            (&yc, gap, 500, "41.7", Red),
            (&wh, ratio, 500, "50.0", Red),
            (&sy, shortfall, 500, "50.0", Yellow),
            (&yc, gap, 640, "30.0", Yellow),
            (&yc, gap, 880, "10.0", Yellow),
            (&wh, ratio, 800, "80.0", Green),
            (&wh, ratio, 600, "60.0", Yellow),
        ] {
            let measured = on(completed);
            assert_eq!(shown(value(comparison, &measured)), expected, "{completed}");
            assert_eq!(light(bands, comparison, &measured), Some(expected_light), "{completed}");
        }
    }

    /// office.md, section 9, scenario 2: one fen less than 640 turns YC red; and the other bounds hold by one fen, too.
    #[test]
    fn office_scenario_2_one_fen_decides() {
        let fen = 10_000_000;
        let yc = bands(&["green ..0]", "yellow [10..30]", "red (30.."]);
        let wh = bands(&["green [80..", "yellow [60..80)", "red ..60)"]);
        let sy = bands(&["green ..0]", "yellow (0..50]", "red (50.."]);
        // 12 yi: the plan of the scenario, in yuan.
        for unit in [1, 1_000_000, 100_000_000] {
            let on =
                |completed: i128, more: i128| october(nanos(1_200 * unit), nanos(completed * unit) + more);
            let (gap, ratio, shortfall) =
                (Comparison::PointGap, Comparison::Ratio, Comparison::RelativeShortfall);
            for (bands, comparison, completed, more, expected) in [
                (&yc, gap, 640, 0, Some(Yellow)),
                (&yc, gap, 640, -fen, Some(Red)),
                (&yc, gap, 880, 0, Some(Yellow)),
                (&yc, gap, 880, fen, None),
                (&yc, gap, 1_000, 0, Some(Green)),
                (&yc, gap, 1_000, -fen, None),
                (&wh, ratio, 800, 0, Some(Green)),
                (&wh, ratio, 800, -fen, Some(Yellow)),
                (&wh, ratio, 600, 0, Some(Yellow)),
                (&wh, ratio, 600, -fen, Some(Red)),
                (&sy, shortfall, 500, 0, Some(Yellow)),
                (&sy, shortfall, 500, -fen, Some(Red)),
                (&sy, shortfall, 1_000, 0, Some(Green)),
                (&sy, shortfall, 1_000, -fen, Some(Yellow)),
            ] {
                assert_eq!(
                    light(bands, comparison, &on(completed, more)),
                    expected,
                    "{completed} {more} × {unit}"
                );
            }
        }
    }

    /// office.md, section 4, [TJ]: growth < 0 red, gap > 0 yellow, peer gap > 0 yellow: the worst of them.
    #[test]
    fn office_4_the_worst_of_growth_gap_and_peer_gap() {
        let lights = |completed: i128, before: i128, peers: &[(i128, i128)]| {
            let mut all = Peers::default();
            peers.iter().for_each(|(actual, whole)| all.add(*actual, *whole));
            let rate = october(1_200, completed);
            let peer = compare(Comparison::PeerGap, &rate, Some(&all));
            let growth = Measured::Growth { now: completed, before };
            [
                find(
                    &bands(&["red ..0)"]),
                    compare(Comparison::Value, &growth, None),
                    Missing::NoLight,
                    None,
                )
                .light,
                light(&bands(&["yellow (0.."]), Comparison::PointGap, &rate),
                find(&bands(&["yellow (0.."]), peer, Missing::NoLight, None).light,
            ]
        };
        // 1,000 are expected; all together have 1,500 of 2,400, 62.5 %.
        let peers = [(900, 1_200), (600, 1_200)];
        assert_eq!(lights(1_000, 1_000, &peers), [None, None, None]);
        assert_eq!(worst(lights(1_000, 1_001, &peers)), Some(Red));
        assert_eq!(lights(999, 999, &peers), [None, Some(Yellow), None]);
        assert_eq!(lights(750, 750, &peers), [None, Some(Yellow), None], "62.5 % is not behind");
        assert_eq!(lights(749, 749, &peers), [None, Some(Yellow), Some(Yellow)]);
        assert_eq!(worst(lights(749, 750, &peers)), Some(Red));
        assert_eq!(worst([None, None]), None);
    }

    /// office.md, section 4, [YC] start: the planned month has ended, not started: yellow.
    #[test]
    fn office_4_a_start_is_late_from_the_end_of_its_month_on() {
        use jiff::civil::date;
        let yellow = bands(&["yellow [0.."]);
        let since = date(2021, 3, 31);
        let waiting = |until| Measured::Waiting { since, until };
        assert_eq!(light(&yellow, Comparison::Age, &waiting(since)), Some(Yellow));
        for settled in [Why::Done, Why::NotDue] {
            let found = find(
                &yellow,
                compare(Comparison::Age, &Measured::Settled(settled), None),
                Missing::Hold,
                Some(Red),
            );
            assert_eq!((found.light, found.why), (Some(Green), Some(settled)));
        }
    }

    #[test]
    fn what_cannot_be_computed_says_why_and_is_what_the_policy_makes_of_it() {
        let expected = Fraction::new(0, 12).map(Expected::Share).ok_or(Why::NothingExpected);
        let january = Measured::Rate { actual: 1, whole: 10, expected };
        assert_eq!(compare(Comparison::Ratio, &january, None), Err(Why::NothingExpected));
        assert_eq!(compare(Comparison::RelativeShortfall, &january, None), Err(Why::NothingExpected));
        assert_eq!(shown(value(Comparison::PointGap, &january)), "-10.0");
        let unscheduled = Measured::Rate { actual: 1, whole: 10, expected: Err(Why::NoSchedule) };
        assert_eq!(compare(Comparison::PointGap, &unscheduled, None), Err(Why::NoSchedule));
        assert_eq!(shown(value(Comparison::Value, &unscheduled)), "10.0");
        assert_eq!(compare(Comparison::PeerGap, &unscheduled, Some(&Peers::default())), Err(Why::NoPeers));
        let huge = Measured::Rate { actual: i128::MAX, whole: 7, expected: Err(Why::NoSchedule) };
        assert_eq!(compare(Comparison::Value, &huge, None), Err(Why::TooLarge));
        let mut all = Peers::default();
        all.add(i128::MAX, 1);
        all.add(1, 1);
        assert_eq!(compare(Comparison::PeerGap, &unscheduled, Some(&all)), Err(Why::TooLarge));
        let found = |missing, before| {
            let found = find(&bands(&["red .."]), Err(Why::NotReported), missing, before);
            (found.light, found.why)
        };
        assert_eq!(found(Missing::NoLight, Some(Red)), (None, Some(Why::NotReported)));
        assert_eq!(found(Missing::Hold, Some(Yellow)), (Some(Yellow), Some(Why::NotReported)));
        let hold = |before| find(&bands(&["red .."]), Err(Why::NotReported), Missing::Hold, before).held;
        assert_eq!([Some(Yellow), None].map(hold), [true, false]);
        assert_eq!(found(Missing::Hold, None), (None, Some(Why::NotReported)));
        assert_eq!(found(Missing::Light(Red), None), (Some(Red), Some(Why::NotReported)));
    }

    /// What is expected by a schedule is an amount of the same plan: no numbers are multiplied.
    #[test]
    fn amounts_that_are_expected_are_compared_without_multiplying() {
        let whole = 9_000_000_000_000_000_000_000_000_007;
        let measured = Measured::Rate { actual: 1, whole, expected: Ok(Expected::Amount(whole - 1)) };
        let Value::Share(gap) = value(Comparison::PointGap, &measured) else { panic!() };
        assert_eq!((gap.numerator(), gap.denominator()), (whole - 2, whole));
        assert_eq!(shown(value(Comparison::RelativeShortfall, &measured)), "100.0");
    }
}

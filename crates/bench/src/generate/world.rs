//! The world that a plan describes: what is true of every project, before anything is said of it.
//!
//! Invariants: a world depends on its plan and on nothing else. Nothing in it happened after the day up to which it
//! goes. A part comes after its bundle, and the investment of a bundle is that of its parts.

use std::ops::Range;

use jiff::civil::Date;

use super::draw::Draw;
use super::value::{day, days, days_between};
use super::words::{DISTRICTS, District, SECTORS, Sector};

/// What is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    /// How many projects.
    pub projects: usize,
    /// The last day on which anything happened.
    pub until: Date,
    /// Where the portfolio is: an IANA id.
    pub time_zone: &'static str,
}

/// Where portfolios are unless something else is said.
pub const TIME_ZONE: &str = "Asia/Shanghai";

/// How many years of history there are, the last one included.
pub const YEARS: i16 = 6;
/// One in so many projects is a bundle.
const BUNDLES: usize = 40;
/// Projects for each wave of a batch.
const WAVE: usize = 2000;
/// The days of the year on which many projects start together.
const BATCH_DAYS: [(i8, i8); 2] = [(4, 15), (9, 11)];

/// A plan, and what follows from it.
#[derive(Debug)]
pub struct World {
    pub plan: Plan,
    /// The id of the portfolio, and the beginning of all ids outside it.
    pub id: String,
    pub projects: Vec<Project>,
    /// How many organizations there are.
    pub organizations: usize,
}

/// What is true of a project.
#[derive(Debug, Clone)]
pub struct Project {
    pub number: usize,
    pub sector: &'static Sector,
    pub district: &'static District,
    /// In 10,000 CNY. Absent: nobody said it.
    pub investment: Option<i64>,
    /// As it was approved.
    pub planned: Range<Date>,
    /// As it happened, or is going to.
    pub expected: Range<Date>,
    pub outcome: Outcome,
    /// In use from this day on.
    pub commissioned: Option<Date>,
    /// Which batch it started in.
    pub batch: Option<usize>,
    /// The bundle that it is a part of.
    pub bundle: Option<usize>,
    /// The parts of a bundle.
    pub parts: Range<usize>,
}

/// Where a project stands on the last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Proposed,
    Preparation,
    Construction,
    Suspended,
    Cancelled,
    Completed,
    InService,
}

impl World {
    /// The world of a plan.
    pub fn new(plan: Plan) -> Self {
        let id = format!("synthetic-{}-{}-{}", plan.projects, plan.seed, plan.until.strftime("%Y%m%d"));
        let organizations = plan.projects.max(20);
        let mut world = Self { plan, id, projects: Vec::new(), organizations };
        world.projects = (0..world.plan.projects).map(|number| world.project(number)).collect();
        for number in (0..world.projects.len()).step_by(BUNDLES) {
            let parts = world.projects[number].parts.clone();
            if !parts.is_empty() {
                let (bundle, parts) = world.projects[number..parts.end].split_at_mut(1);
                bundle[0].follow(parts);
            }
        }
        world
    }

    /// Draws for the thing with this number.
    pub fn draw(&self, purpose: &str, number: usize) -> Draw {
        Draw::of(self.plan.seed, purpose, number as u64)
    }

    /// The name of the portfolio.
    pub fn portfolio(&self) -> String {
        format!("portfolios/{}", self.id)
    }

    /// The name of a project.
    pub fn project_name(&self, number: usize) -> String {
        format!("{}/projects/{}", self.portfolio(), project_id(number))
    }

    /// The name of an organization.
    pub fn organization_name(&self, number: usize) -> String {
        format!("organizations/{}", self.organization_id(number))
    }

    /// The id of an organization.
    pub fn organization_id(&self, number: usize) -> String {
        format!("{}-o{number:06}", self.id)
    }

    /// The first day of the history.
    pub fn first_day(&self) -> Date {
        day(self.plan.until.year() - YEARS + 1, 1, 1)
    }

    /// How many groups start on each of the days of batches.
    fn waves(&self) -> usize {
        1 + self.plan.projects / WAVE
    }

    /// The day of a batch; there is one for each wave, and each of the days of batches.
    pub fn batch_day(&self, batch: usize) -> Date {
        let place = batch / self.waves();
        let (month, date) = BATCH_DAYS[place % BATCH_DAYS.len()];
        day(self.first_day().year() + (place / BATCH_DAYS.len()) as i16, month, date)
    }

    /// The first batch on or after a day, if its day has come.
    fn next_batch(&self, from: Date, number: usize) -> Option<usize> {
        let places = 0..YEARS as usize * BATCH_DAYS.len();
        let mut batches = places.map(|place| place * self.waves() + number % self.waves());
        batches
            .find(|batch| self.batch_day(*batch) >= from)
            .filter(|it| self.batch_day(*it) <= self.plan.until)
    }

    /// How many batches there may be.
    pub fn batches(&self) -> usize {
        YEARS as usize * BATCH_DAYS.len() * self.waves()
    }

    fn parts(&self, bundle: usize) -> Range<usize> {
        let count = self.draw("parts", bundle).between(3, 6) as usize;
        let parts = bundle + 1..bundle + 1 + count;
        if parts.end > self.plan.projects { 0..0 } else { parts }
    }

    fn project(&self, number: usize) -> Project {
        let bundle = number / BUNDLES * BUNDLES;
        let siblings = self.parts(bundle);
        let mut draw = self.draw("project", number);
        let (investment, span) = investment(&mut draw);
        let planned = self.planned(&mut draw, span);
        // Parts are of the kind of their bundle.
        let bundle = siblings.contains(&number).then_some(bundle);
        let mut kind = self.draw("kind", bundle.unwrap_or(number));
        let mut project = Project {
            number,
            sector: sector(&mut kind),
            district: &DISTRICTS[kind.below(DISTRICTS.len() as u64) as usize],
            investment: (!draw.happens(5)).then_some(investment),
            expected: planned.clone(),
            planned,
            outcome: Outcome::Proposed,
            commissioned: None,
            batch: None,
            bundle,
            parts: if number.is_multiple_of(BUNDLES) { siblings } else { 0..0 },
        };
        self.happen(&mut draw, &mut project);
        project
    }

    /// Starts are spread over the history, and a year and a half after it.
    fn planned(&self, draw: &mut Draw, span: i64) -> Range<Date> {
        let last = days_between(self.first_day(), self.plan.until) + 540;
        let start = days(self.first_day(), draw.between(0, last));
        start..days(start, span)
    }

    fn happen(&self, draw: &mut Draw, project: &mut Project) {
        let late = if draw.happens(55) { 0 } else { draw.between(5, 120) };
        let start = days(project.planned.start, late);
        project.batch = draw.happens(40).then(|| self.next_batch(start, project.number)).flatten();
        let start = project.batch.map_or(start, |batch| self.batch_day(batch));
        let span = days_between(project.planned.start, project.planned.end);
        let longer = span * draw.between(0, 40) / 100;
        let end = days(start, span + if draw.happens(35) { 0 } else { longer });
        project.expected = start..end;
        let in_use = days(end, draw.between(30, 180));
        let until = self.plan.until;
        project.outcome = match () {
            () if in_use <= until => Outcome::InService,
            () if end <= until => Outcome::Completed,
            () if start <= until && draw.happens(2) => Outcome::Cancelled,
            () if start <= until && draw.happens(3) => Outcome::Suspended,
            () if start <= until => Outcome::Construction,
            () if start <= days(until, 270) => Outcome::Preparation,
            () => Outcome::Proposed,
        };
        project.commissioned = (project.outcome == Outcome::InService).then_some(in_use);
    }
}

impl Project {
    /// Whether it is large enough to be a key project.
    pub fn is_large(&self) -> bool {
        self.investment.is_some_and(|wan| wan >= 50_000)
    }

    /// Whether construction began.
    pub fn is_started(&self) -> bool {
        !matches!(self.outcome, Outcome::Proposed | Outcome::Preparation)
    }

    /// Whether it is built.
    pub fn is_built(&self) -> bool {
        matches!(self.outcome, Outcome::Completed | Outcome::InService)
    }

    /// Of a bundle: costs what its parts cost, begins with the first of them and ends with the last.
    fn follow(&mut self, parts: &[Self]) {
        let span = |span: fn(&Self) -> &Range<Date>| {
            let starts = parts.iter().map(|part| span(part).start);
            let ends = parts.iter().map(|part| span(part).end);
            starts.min().unwrap_or(span(self).start)..ends.max().unwrap_or(span(self).end)
        };
        (self.planned, self.expected) = (span(|part| &part.planned), span(|part| &part.expected));
        self.investment = Some(parts.iter().filter_map(|part| part.investment).sum());
        self.batch = None;
        let all = |is: fn(&Self) -> bool| parts.iter().all(is);
        self.outcome = match () {
            () if all(|part| part.outcome == Outcome::InService) => Outcome::InService,
            () if all(Self::is_built) => Outcome::Completed,
            () if !all(|part| !part.is_started()) => Outcome::Construction,
            () if all(|part| part.outcome == Outcome::Proposed) => Outcome::Proposed,
            () => Outcome::Preparation,
        };
        let in_use = parts.iter().filter_map(|part| part.commissioned).max();
        self.commissioned = in_use.filter(|_| self.outcome == Outcome::InService);
    }
}

/// The id of a project.
pub fn project_id(number: usize) -> String {
    format!("p{number:06}")
}

/// An investment in 10,000 CNY, and how many days it takes: few are very large.
fn investment(draw: &mut Draw) -> (i64, i64) {
    let (amount, span) = match draw.below(100) {
        0..35 => (draw.between(2_000, 10_000), draw.between(240, 540)),
        35..70 => (draw.between(10_000, 50_000), draw.between(360, 800)),
        70..90 => (draw.between(50_000, 200_000), draw.between(540, 1_100)),
        90..98 => (draw.between(200_000, 800_000), draw.between(720, 1_500)),
        _ => (draw.between(800_000, 3_000_000), draw.between(900, 1_800)),
    };
    (amount / 100 * 100, span)
}

fn sector(draw: &mut Draw) -> &'static Sector {
    let mut left = draw.below(SECTORS.iter().map(|sector| sector.share).sum());
    for sector in &SECTORS {
        match left.checked_sub(sector.share) {
            Some(rest) => left = rest,
            None => return sector,
        }
    }
    &SECTORS[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::plan;

    #[test]
    fn investments_are_skewed_and_a_bundle_costs_what_its_parts_cost() {
        let world = World::new(plan(2_000));
        let mut amounts: Vec<i64> = world.projects.iter().filter_map(|project| project.investment).collect();
        amounts.sort_unstable();
        let mean = amounts.iter().sum::<i64>() / amounts.len() as i64;
        let median = amounts[amounts.len() / 2];
        assert!(median * 2 < mean, "median {median}, mean {mean}");
        assert!(amounts.len() < world.projects.len(), "some investments are not said");
        let bundles: Vec<_> = world.projects.iter().filter(|project| !project.parts.is_empty()).collect();
        assert!(bundles.len() > 40, "{}", bundles.len());
        for bundle in bundles {
            let parts = &world.projects[bundle.parts.clone()];
            let sum: i64 = parts.iter().filter_map(|part| part.investment).sum();
            assert_eq!(bundle.investment, Some(sum));
            assert!(parts.iter().all(|part| bundle.expected.start <= part.expected.start));
            assert_eq!(bundle.is_started(), parts.iter().any(Project::is_started));
            assert!(parts.iter().all(|part| part.bundle == Some(bundle.number)));
        }
    }

    #[test]
    fn projects_stand_everywhere_between_proposal_and_use_and_nothing_happened_after_the_last_day() {
        let world = World::new(plan(1_000));
        let count = |outcome| world.projects.iter().filter(|project| project.outcome == outcome).count();
        for outcome in [
            Outcome::Proposed,
            Outcome::Preparation,
            Outcome::Construction,
            Outcome::Suspended,
            Outcome::Cancelled,
            Outcome::Completed,
            Outcome::InService,
        ] {
            assert!(count(outcome) > 0, "{outcome:?}");
        }
        for project in &world.projects {
            let until = world.plan.until;
            assert!(!project.is_started() || project.expected.start <= until, "{project:?}");
            assert!(!project.is_built() || project.expected.end <= until, "{project:?}");
            assert!(project.commissioned.is_none_or(|day| project.expected.end <= day && day <= until));
            assert!(project.expected.start >= project.planned.start, "{project:?}");
            assert!(project.expected.start < project.expected.end, "{project:?}");
        }
    }

    #[test]
    fn batches_of_a_large_world_stay_far_below_their_limit_of_10_000_members() {
        let world = World::new(plan(100_000));
        let mut members = vec![0; world.batches()];
        for batch in world.projects.iter().filter_map(|project| project.batch) {
            members[batch] += 1;
        }
        let most = members.iter().max().copied().unwrap_or_default();
        assert!((10..1_000).contains(&most), "{most}");
    }

    #[test]
    fn the_members_of_a_batch_start_on_its_day() {
        let world = World::new(plan(343));
        let members: Vec<_> = world.projects.iter().filter(|project| project.batch.is_some()).collect();
        assert!(members.len() > 50, "{}", members.len());
        for project in members {
            assert_eq!(project.batch.map(|batch| world.batch_day(batch)), Some(project.expected.start));
            assert!(project.is_started(), "{project:?}");
        }
    }
}

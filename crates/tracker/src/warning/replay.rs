//! Replaying a policy over the past: which lights it would have shown, before it is adopted.
//!
//! Invariants: nothing is written and nothing is announced. A page is of one state of the rows and holds whole projects;
//! memory is that of one page, however many projects there are. What projects together have, which tests compare with,
//! is found once, for the first page, and carried by the tokens of the pages after it, with the day of the first: they are
//! as of the same days.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::key::{date_of, ordered_date};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::warning_step::Action;
use milepost_proto::tracker::v1::{
    ReplayCounts, ReplayWarningPolicyResponse, ReplayedPeriod, ReplayedProject, Warning, WarningLight,
    WarningPolicy,
};
use milepost_resource::{Checked, MALFORMED, Paging, Query, Rows, date_message};
use milepost_types::filter::CurrentDate;
use milepost_types::{DamagedRow, Rejection, Violations, limits};

use super::PolicyName;
use super::days::Excuses;
use super::evaluation::{Candidate, Evaluator, Occasion};
use super::known::AsOf;
use super::light::{Carried, Light};
use super::measure::{Peers, worst};
use super::outcome::{counted, of_period};
use super::policy::{evaluation_date, rule_of};
use super::rule::{self, Rule};
use crate::decide::{Today, Tracker};
use crate::names::{PortfolioName, ProjectName};
use crate::parent::incomplete;
use crate::tables;

/// The full name of the method.
const METHOD: &str = "milepost.tracker.v1.WarningPolicyService/ReplayWarningPolicy";

/// What is replayed.
pub(crate) enum Replayed {
    Named(PolicyName),
    Inline(Box<WarningPolicy>),
}

/// A request for a page of a replay.
pub(crate) struct ReplayRequest {
    pub(crate) portfolio: PortfolioName,
    pub(crate) policy: Replayed,
    pub(crate) from: Date,
    pub(crate) to: Date,
    pub(crate) knowledge: Knowledge,
    /// The adopted policy that it is compared with; none: with none, or with itself.
    pub(crate) compare_with: Option<PolicyName>,
    pub(crate) size: usize,
    pub(crate) page_token: String,
    /// What a token is good for: all of the request that decides what pages hold.
    pub(crate) digest: String,
}

/// The periods of a replay, with what decides them.
struct Replay<'a> {
    evaluator: Evaluator<'a>,
    occasions: Vec<Occasion>,
    /// By period: what `today()` means in the filter.
    todays: Vec<CurrentDate>,
    /// By period: the excuses of the policy, if it has a name.
    excuses: Vec<Excuses>,
    compared: Option<PolicyName>,
    /// By step, whether it opens an order.
    opens: Vec<bool>,
    /// By period.
    peers: Vec<Vec<Peers>>,
    /// The day on which the first page was asked for.
    today: Date,
}

/// Where a page ended, as the token of the next one says it.
struct Token<'a> {
    /// The id of the last project.
    project: &'a str,
    /// The day on which the first page was asked for.
    today: Date,
    /// What all projects together have, period by period and test by test.
    peers: &'a [u8],
}

impl<'a> Token<'a> {
    fn of(replay: &Replay<'_>, project: &str) -> Vec<u8> {
        let id = project.rsplit('/').next().unwrap_or_default();
        let mut token = [id.as_bytes(), &[0], &ordered_date(replay.today)].concat();
        for peers in replay.peers.iter().flatten() {
            token.extend_from_slice(&peers.to_bytes());
        }
        token
    }

    /// What a token says; none if it is none.
    fn read(token: &'a [u8]) -> Option<Self> {
        let end = token.iter().position(|byte| *byte == 0)?;
        let (day, peers) = token[end + 1..].split_first_chunk::<4>()?;
        Some(Self { project: std::str::from_utf8(&token[..end]).ok()?, today: date_of(day)?, peers })
    }
}

/// The answer to a request.
pub(crate) fn answer(
    query: Query<'_, Tracker, ReplayRequest>,
) -> Result<ReplayWarningPolicyResponse, Rejection> {
    let page = page(&query.rows, (query.now, query.position.sequence), query.request)?;
    Ok(ReplayWarningPolicyResponse { revision: query.revision(), ..page })
}

/// A page, of rows as they are at a time and at a sequence.
pub(super) fn page(
    rows: &Rows<'_, Tracker>,
    (now, sequence): (Timestamp, u64),
    request: &ReplayRequest,
) -> Result<ReplayWarningPolicyResponse, Rejection> {
    let paging = Paging::read(METHOD, [request.digest.clone()], &request.page_token)?;
    let token = paging.after.as_deref().map(Token::read);
    let token = token.map(|token| token.ok_or(MALFORMED)).transpose()?;
    let mut replay = Replay::of(rows, now, request, token.as_ref().map(|token| token.today))?;
    let after = match &token {
        None => {
            replay.find_peers();
            None
        }
        Some(token) => Some(replay.resume(&request.portfolio, token).ok_or(MALFORMED)?),
    };
    let mut answer = ReplayWarningPolicyResponse {
        counts: replay.occasions.iter().map(counts_of).collect(),
        ..ReplayWarningPolicyResponse::default()
    };
    let pass_over = |row: DamagedRow| {
        let portfolio = &request.portfolio;
        tracing::error!(%portfolio, %row, "a replay goes on without what needs a row that cannot be decoded");
    };
    let mut next = None;
    for candidate in replay.evaluator.candidates(after.as_ref()) {
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(row) => {
                pass_over(row);
                continue;
            }
        };
        let fits =
            |(occasion, today): (&Occasion, _)| replay.evaluator.fits(&candidate, occasion.period, today);
        let fits: Vec<_> = replay.occasions.iter().zip(&replay.todays).map(fits).collect();
        if !fits.contains(&true) {
            continue;
        }
        if answer.projects.len() == request.size {
            next = answer.projects.last().map(|last| Token::of(&replay, &last.project));
            break;
        }
        match replay.project(&candidate, &fits) {
            Ok(project) => {
                replay.count(&project, &mut answer.counts);
                answer.projects.push(project);
            }
            Err(row) => pass_over(row),
        }
    }
    answer.next_page_token = paging.next(next, sequence);
    Ok(answer)
}

fn counts_of(occasion: &Occasion) -> ReplayCounts {
    ReplayCounts { period_end: Some(date_message(occasion.period.end)), ..ReplayCounts::default() }
}

impl<'a> Replay<'a> {
    /// As of a day; none: the portfolio's current date.
    fn of(
        rows: &Rows<'a, Tracker>,
        now: Timestamp,
        request: &ReplayRequest,
        today: Option<Date>,
    ) -> Result<Self, Rejection> {
        let portfolio = &request.portfolio;
        let known =
            tables::portfolio::get(rows.read, portfolio)?.ok_or_else(|| Rejection::not_found(portfolio))?;
        Rejection::unless_met(incomplete(rows.read, portfolio).into_iter().collect())?;
        let (rule, policy) = request.policy(rows)?;
        let current = Today::of(rows.read, portfolio, &known, now)?.current;
        let today = today.unwrap_or(current);
        if let Some(compared) = &request.compare_with {
            rows.find(compared)?;
        }
        let mut violations = Violations::new();
        if request.to > today {
            let description = format!("{} is after {today}, the portfolio's current date", request.to);
            violations.push("to_date", "DATE_IN_FUTURE", description);
        }
        check_count(&rule, request, &mut violations);
        violations.into_result(())?;
        let occasions = occasions(&rule, &policy, request, today);
        let name = match &request.policy {
            Replayed::Named(name) => Some(name.clone()),
            Replayed::Inline(_) => None,
        };
        let excuses = |occasion: &Occasion| {
            let of_policy = |name| Excuses::of(rows, (name, &policy), occasion.period.end);
            name.as_ref().map(of_policy).unwrap_or_default()
        };
        let excuses = occasions.iter().map(excuses).collect();
        let evaluator = Evaluator::new(rows.read, rule, portfolio.clone(), Arc::new(known));
        let compared = request.compare_with.clone().or(name);
        let opens = policy.steps.iter().map(|step| step.action() == Action::OpenOrder).collect();
        let todays = occasions.iter().map(|occasion| evaluator.current_date(occasion.as_of.day)).collect();
        Ok(Self { evaluator, occasions, todays, excuses, compared, opens, peers: Vec::new(), today })
    }

    fn find_peers(&mut self) {
        self.peers = self.occasions.iter().map(|occasion| self.evaluator.peers(*occasion)).collect();
    }

    /// What a project would have been shown in each period in which the filter finds it.
    fn project(&self, candidate: &Candidate, fits: &[bool]) -> Result<ReplayedProject, DamagedRow> {
        let (mut carried, mut tests) = (Carried::default(), Vec::new());
        let mut periods = Vec::with_capacity(self.occasions.len());
        for (i, occasion) in self.occasions.iter().enumerate().filter(|(i, _)| fits.get(*i) == Some(&true)) {
            let peers = self.peers.get(i).map(|peers| &peers[..]).unwrap_or_default();
            let found = self.evaluator.evaluate(candidate, *occasion, peers, &tests)?;
            let light = worst(found.iter().map(|test| Light::of(test.light)));
            let excuse =
                self.excuses.get(i).map(|excuses| excuses.of_project(&candidate.name)).transpose()?;
            let excuse = excuse.unwrap_or_default();
            let counted = counted(&found, &excuse);
            let (after, reached) = self.evaluator.rule.progression.follow(&carried, counted);
            (carried, tests) = (after, found);
            let end = occasion.period.end;
            let compared = self.compared.as_ref();
            let adopted =
                compared.map(|policy| of_period(&self.evaluator.rows, &candidate.name, policy, end));
            let adopted: Option<Warning> = adopted.transpose()?.flatten().map(Checked::into_inner);
            let shown = Light::message(carried.shown);
            let differs = adopted.as_ref().is_some_and(|adopted| adopted.shown_light != shown);
            periods.push(ReplayedPeriod {
                period_end: Some(date_message(end)),
                light: Light::message(light),
                shown_light: shown,
                excused: !excuse.is_empty(),
                steps: reached.iter().filter_map(|step| i32::try_from(*step).ok()).collect(),
                adopted_light: adopted
                    .map_or(WarningLight::Unspecified.into(), |adopted| adopted.shown_light),
                differs,
            });
        }
        Ok(ReplayedProject { project: candidate.name.to_string(), periods })
    }

    /// Adds a project to the counts of its periods.
    fn count(&self, project: &ReplayedProject, counts: &mut [ReplayCounts]) {
        for period in &project.periods {
            let Some(counts) = counts.iter_mut().find(|counts| counts.period_end == period.period_end) else {
                continue;
            };
            match Light::of(period.shown_light) {
                None => counts.no_light_count += 1,
                Some(Light::Green) => counts.green_count += 1,
                Some(Light::Yellow) => counts.yellow_count += 1,
                Some(Light::Red) => counts.red_count += 1,
            }
            counts.difference_count += i32::from(period.differs);
            let opens =
                |step: &i32| usize::try_from(*step).is_ok_and(|step| self.opens.get(step) == Some(&true));
            counts.order_count += period.steps.iter().map(|step| i32::from(opens(step))).sum::<i32>();
        }
    }

    /// Goes on where a page ended; none if the token says nothing such.
    fn resume(&mut self, portfolio: &PortfolioName, token: &Token<'_>) -> Option<ProjectName> {
        let id = token.project.parse().ok()?;
        let (parts, rest) = token.peers.as_chunks::<{ Peers::BYTES }>();
        let tests = self.evaluator.rule.tests.len();
        if !rest.is_empty() || parts.len() != tests * self.occasions.len() {
            return None;
        }
        let peers: Vec<_> = parts.iter().map(Peers::from_bytes).collect();
        self.peers = peers.chunks(tests.max(1)).map(<[_]>::to_vec).collect();
        Some(ProjectName::under(portfolio.ids(), id))
    }
}

impl ReplayRequest {
    /// The policy, and what it says.
    fn policy(&self, rows: &Rows<'_, Tracker>) -> Result<(Rule, WarningPolicy), Rejection> {
        match &self.policy {
            Replayed::Named(name) => {
                let policy = rows.find(name)?;
                Ok((rule_of(&policy)?, policy.into_inner()))
            }
            Replayed::Inline(policy) => {
                let mut violations = Violations::new();
                let rule = rule::read(policy, &mut violations);
                Ok((violations.finish(rule)?, WarningPolicy::clone(policy)))
            }
        }
    }
}

/// Records that more periods end between the days than are replayed.
fn check_count(rule: &Rule, request: &ReplayRequest, violations: &mut Violations) {
    if let Some(first) = rule.periods.first_of(limits::WARNING_PERIODS, request.from, request.to) {
        let description = format!(
            "more than {} periods end between the days; give {first} or a later day, and replay what is before it by itself",
            limits::WARNING_PERIODS
        );
        violations.push("from_date", "TOO_MANY_PERIODS", description);
    }
}

/// The periods that end between the days, each as of the day on which it is evaluated, or of today if that is sooner.
fn occasions(rule: &Rule, policy: &WarningPolicy, request: &ReplayRequest, today: Date) -> Vec<Occasion> {
    let as_of =
        |period| AsOf { day: evaluation_date(policy, period).min(today), knowledge: request.knowledge };
    let periods = rule.periods.between(request.from, request.to);
    periods.map(|period| Occasion { period, as_of: as_of(period) }).collect()
}

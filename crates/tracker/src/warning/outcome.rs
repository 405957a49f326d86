//! Warnings: what a policy found of a project in a period.
//!
//! Invariants: the name of a warning follows from its policy, its period and its revision, so that none is made twice; of
//! the revisions of a period the last counts. Only the server makes them, and of a stored one only changes that another
//! is in its place.

use jiff::civil::Date;
use milepost_ledger::key::ordered_date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::warning_test::Comparison;
use milepost_proto::tracker::v1::{ReachedStep, Warning, WarningResult, WarningRuns};
use milepost_resource::{By, Change, Checked, EventKind, Index, Rows, Rules, Unreadable, date, date_message};
use milepost_types::{DamagedRow, ResourceId, ResourceName as _};
use sha2::{Digest, Sha256};

use super::band::Value;
use super::evaluation::Occasion;
use super::light::{Carried, Light, Progression, Runs};
use super::measure::{Found, Peers, Why, worst};
use super::rule::Test;
use super::{PolicyName, WarningName};
use crate::decide::{Scope, Tracker};
use crate::names::ProjectName;
use crate::parent::Followed;
use crate::tables;

/// The warnings of each project by policy and period, the revisions of a period one after another.
pub(crate) const BY_PERIOD: Index = Index {
    tag: 88,
    under: 2,
    by: &[By::Field("policy"), By::Field("period_end"), By::Field("revision")],
    live: false,
    when: &[],
    orders: false,
};

/// The warnings of each portfolio by the end of their period.
const BY_END: Index =
    Index { tag: 89, under: 1, by: &[By::Field("period_end")], live: false, when: &[], orders: true };

impl Rules<Tracker> for Warning {
    type Above = Followed<Self>;

    const TABLE: u8 = 87;
    const TABLE_NAME: &'static str = "tracker.warning";
    const ID_PREFIX: char = 'm';
    const INDEXES: &'static [Index] = &[BY_PERIOD, BY_END];

    /// What follows from it depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        match date(self.period_end.as_ref()) {
            None => Err(Unreadable::of("period_end", "is no date")),
            Some(_) if self.runs.is_none() => Err(Unreadable::of("runs", "are missing")),
            Some(_) => Ok(()),
        }
    }
}

/// The name of a revision of the warning of a project in a period.
pub(super) fn name_of(project: &ProjectName, policy: &PolicyName, end: Date, revision: i32) -> WarningName {
    let mut digest = Sha256::new();
    digest.update(policy.id().as_str().as_bytes());
    digest.update([0]);
    digest.update(ordered_date(end));
    digest.update(revision.to_be_bytes());
    let digest: [u8; 32] = digest.finalize().into();
    let mut seed = [0; 16];
    seed.copy_from_slice(&digest[..16]);
    let prefix = <Warning as Rules<Tracker>>::ID_PREFIX;
    WarningName::under(project.ids(), ResourceId::from_seed(prefix, seed))
}

/// How the keys of a policy's warnings begin in [`BY_PERIOD`], after the project.
fn of_policy(policy: &PolicyName) -> Vec<u8> {
    [policy.id().as_str().as_bytes(), &[0]].concat()
}

/// The warning that counts of the last period of a policy that ends before a day.
///
/// # Errors
/// If it cannot be decoded; so with all that reads.
pub(super) fn before(
    rows: &Rows<'_, Tracker>,
    project: &ProjectName,
    policy: &PolicyName,
    end: Date,
) -> Result<Option<Checked<Warning>>, DamagedRow> {
    let Ok(last) = end.yesterday() else { return Ok(None) };
    let mut names =
        rows.names_from_last::<Warning>(BY_PERIOD, project.ids(), &of_policy(policy), &ordered_date(last));
    names.next().map(|name| rows.get(&name)).transpose().map(Option::flatten)
}

/// Whether a project has a warning of a period of a policy, also one that cannot be decoded.
pub(super) fn is_evaluated(
    rows: &Rows<'_, Tracker>,
    project: &ProjectName,
    policy: &PolicyName,
    end: Date,
) -> bool {
    let fields = [of_policy(policy), ordered_date(end).to_vec()].concat();
    rows.names::<Warning>(BY_PERIOD, project.ids(), &fields).next().is_some()
}

/// The warning that counts of a period of a policy.
pub(super) fn of_period(
    rows: &Rows<'_, Tracker>,
    project: &ProjectName,
    policy: &PolicyName,
    end: Date,
) -> Result<Option<Checked<Warning>>, DamagedRow> {
    let fields = [of_policy(policy), ordered_date(end).to_vec()].concat();
    let last = rows.names::<Warning>(BY_PERIOD, project.ids(), &fields).last();
    last.map(|name| rows.get(&name)).transpose().map(Option::flatten)
}

/// The warnings that count of a policy's periods from the one that ends on a day on, the earliest first.
pub(super) fn from(
    rows: &Rows<'_, Tracker>,
    project: &ProjectName,
    policy: &PolicyName,
    end: Date,
) -> Result<Vec<Checked<Warning>>, DamagedRow> {
    let own = of_policy(policy);
    let start = [&own[..], &ordered_date(end)].concat();
    let names = rows.names_from::<Warning>(BY_PERIOD, project.ids(), &start, false);
    let names = names.take_while(|(fields, _)| fields.starts_with(&own)).map(|(_, name)| name);
    let mut found: Vec<Checked<Warning>> = Vec::new();
    for name in names.collect::<Vec<_>>() {
        let Some(warning) = rows.get(&name)? else { continue };
        // Of a period the last revision comes last.
        if found.last().is_some_and(|last| last.period_end == warning.period_end) {
            found.pop();
        }
        found.push(warning);
    }
    Ok(found)
}

/// What the evaluation after a warning takes over from it.
pub(super) fn carried(before: Option<&Warning>) -> Carried {
    let shown = before.and_then(|before| Light::of(before.shown_light));
    let WarningRuns { yellow, red, green, not_red } =
        before.and_then(|before| before.runs).unwrap_or_default();
    Carried { shown, runs: Runs { yellow, red, green, not_red } }
}

/// The first warning of a period, of which tests found this as it was evaluated, without what follows from the periods
/// before it.
pub(super) fn first(
    policy: &PolicyName,
    Occasion { period, as_of }: Occasion,
    tests: Vec<WarningResult>,
    excuse: String,
) -> Warning {
    Warning {
        policy: policy.to_string(),
        period_start: Some(date_message(period.start)),
        period_end: Some(date_message(period.end)),
        evaluation_date: Some(date_message(as_of.day)),
        tests,
        excuse,
        revision: 1,
        ..Warning::default()
    }
}

/// Has a warning, of which is said what the tests found and whether it is excused, say what follows after the one before;
/// says the steps that it reaches, by their places.
pub(super) fn follow(
    warning: &mut Warning,
    progression: &Progression,
    before: Option<&Warning>,
) -> Vec<usize> {
    let counted = counted(&warning.tests, &warning.excuse);
    let (Carried { shown, runs }, reached) = progression.follow(&carried(before), counted);
    warning.light = Light::message(worst(warning.tests.iter().map(|test| Light::of(test.light))));
    warning.shown_light = Light::message(shown);
    let Runs { yellow, red, green, not_red } = runs;
    warning.runs = Some(WarningRuns { yellow, red, green, not_red });
    reached
}

/// Has a warning say the steps that it reaches.
pub(super) fn set_steps(warning: &mut Warning, steps: Vec<ReachedStep>) {
    warning.review_date = steps.iter().find_map(|step| step.review_date);
    warning.steps = steps;
}

/// What a test found, as warnings say it, with the peers that it compares with.
pub(super) fn result(
    test: &Test,
    found: &Found,
    peers: Option<&Peers>,
    (lower_bound, missing): (bool, &[Why]),
) -> WarningResult {
    let (numerator, denominator, value, since) = match found.value {
        None => (String::new(), String::new(), String::new(), None),
        Some(Value::Share(share)) => {
            let [above, below] = [share.numerator(), share.denominator()].map(|number| number.to_string());
            (above, below, share.rounded(100, 1), None)
        }
        Some(Value::Age { since, until }) => {
            let months = Value::whole_months(since, until).to_string();
            (months.clone(), "1".to_owned(), months, Some(date_message(since)))
        }
    };
    let (peers_numerator, peers_denominator) = match peers.and_then(Peers::parts) {
        Some((actual, whole)) => (actual.to_string(), whole.to_string()),
        None => (String::new(), String::new()),
    };
    let missing = missing.iter().filter(|why| Some(**why) != found.why);
    let why = found.held.then_some(&Why::Held).into_iter().chain(found.why.iter()).chain(missing);
    WarningResult {
        metric: test.metric.into(),
        comparison: test.comparison.into(),
        light: Light::message(found.light),
        numerator,
        denominator,
        value,
        lower_bound,
        why: why.map(|why| why.as_str().to_owned()).collect(),
        since_date: since,
        peers_numerator,
        peers_denominator,
    }
}

/// The peers that the projects of a period of a policy were compared with, as the first warning of it says them; none if
/// there is none that says all of them.
pub(super) fn peers_of(
    rows: &Rows<'_, Tracker>,
    policy: &PolicyName,
    end: Date,
    tests: &[Test],
) -> Option<Vec<Peers>> {
    let projects = tables::project::names(rows.read, &policy.parent()).into_iter().flatten();
    let mut warnings =
        projects.filter_map(|project| rows.get(&name_of(&project, policy, end, 1)).ok().flatten());
    let warning: Checked<Warning> = warnings.next()?;
    let said = |(test, found): (&Test, &WarningResult)| match test.comparison {
        Comparison::PeerGap => {
            let [actual, whole] = [&found.peers_numerator, &found.peers_denominator].map(|part| part.parse());
            Some(Peers::of_parts(actual.ok()?, whole.ok()?))
        }
        _ => Some(Peers::default()),
    };
    tests.iter().zip(&warning.tests).map(said).collect()
}

/// What a test found, to be compared with what it found before: if the peers alone differ, which an older version did not
/// say, those of before.
pub(super) fn as_said(found: &WarningResult, before: Option<&WarningResult>) -> WarningResult {
    let Some(before) = before else { return found.clone() };
    let with_peers_of_before = WarningResult {
        peers_numerator: before.peers_numerator.clone(),
        peers_denominator: before.peers_denominator.clone(),
        ..found.clone()
    };
    if with_peers_of_before == *before { with_peers_of_before } else { found.clone() }
}

/// The light of a period that counts for runs: the worst that tests found, unless the period is excused, or no test has a
/// light but one that it kept.
pub(super) fn counted(tests: &[WarningResult], excuse: &str) -> Option<Light> {
    let light = |test: &WarningResult| Light::of(test.light);
    let is_found = |test: &WarningResult| light(test).is_some() && !is_held(test);
    let counts = excuse.is_empty() && tests.iter().any(is_found);
    worst(tests.iter().map(light)).filter(|_| counts)
}

/// Whether the light of a test is that of the period before.
fn is_held(test: &WarningResult) -> bool {
    test.why.iter().any(|why| why == Why::Held.as_str())
}

/// What a test found, where what is kept if there is no value is this. What an older version kept stays as it was found: it
/// did not say that it was kept, and counted it.
pub(super) fn held_again(test: &mut WarningResult, kept: Option<Light>) {
    let is_settled =
        [Why::Done, Why::NotDue].map(Why::as_str).iter().any(|why| test.why.iter().any(|own| own == why));
    let is_of_older_version = Light::of(test.light).is_some() && !is_held(test);
    if !test.denominator.is_empty() || is_settled || is_of_older_version {
        return;
    }
    test.light = Light::message(kept);
    test.why.retain(|why| why != Why::Held.as_str());
    if kept.is_some() {
        test.why.insert(0, Why::Held.as_str().to_owned());
    }
}

/// The event of a warning, whose period had before it what this was shown: what happened to what is shown. A step that is
/// reached raises or escalates it, also where a better light is shown.
pub(super) fn kind(shown_before: Option<Light>, warning: &Warning) -> EventKind {
    if !warning.excuse.is_empty() {
        let payload = event::WarningExcused { excuse: warning.excuse.clone(), orders: Vec::new() };
        return EventKind::custom("milepost.warning.excused", Payload::WarningExcused(payload));
    }
    let shown = Light::of(warning.shown_light);
    let was_behind = shown_before >= Some(Light::Yellow);
    let event_type = match shown.cmp(&shown_before) {
        std::cmp::Ordering::Less if warning.steps.is_empty() => "milepost.warning.cleared",
        std::cmp::Ordering::Greater if was_behind => "milepost.warning.escalated",
        std::cmp::Ordering::Greater if shown >= Some(Light::Yellow) => "milepost.warning.raised",
        _ if !warning.steps.is_empty() => "milepost.warning.escalated",
        _ => return EventKind::Created,
    };
    let payload = event::WarningLightChanged {
        previous_light: Light::message(shown_before),
        light: Light::message(shown),
    };
    EventKind::custom(event_type, Payload::WarningLightChanged(payload))
}

/// A warning that is made, on a day.
pub(super) fn made(
    scope: &Scope<'_>,
    name: WarningName,
    warning: &Warning,
    kind: EventKind,
    day: Date,
) -> Change {
    Change::of(kind, None, Checked::created(name, warning, scope)).on(Some(day))
}

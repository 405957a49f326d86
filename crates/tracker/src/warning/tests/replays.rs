//! Replays: what a policy would have shown, page by page, and how it differs from the one in force.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::civil::{Date, date};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::{AnnualPlan, Period, Project, project};
use milepost_proto::tracker::v1::{
    ReplayCounts, ReplayWarningPolicyResponse, ReplayedProject, WarningLight, WarningPolicy, WarningStep,
    warning_step,
};
use milepost_resource::{Rows, date_message};
use milepost_types::Rejection;

use super::evaluations::{Office, UNIT, cny, completed, three_times, twenty_points_behind};
use super::policies::{faults, name};
use super::published::published;
use crate::warning::replay::page;
use crate::warning::{ReplayRequest, Replayed};

fn request(policy: Replayed) -> ReplayRequest {
    ReplayRequest {
        portfolio: "portfolios/wsc".parse().unwrap(),
        policy,
        from: date(2021, 1, 1),
        to: date(2021, 10, 31),
        knowledge: Knowledge::Then,
        compare_with: None,
        size: 1_000,
        page_token: String::new(),
        digest: "a".into(),
    }
}

impl Office {
    fn replay(&self, request: &ReplayRequest) -> Result<ReplayWarningPolicyResponse, Rejection> {
        page(&Rows::new(&self.world.rows), (self.world.now, 7), request)
    }

    /// What a stored policy would have shown in periods that end from one day to another.
    pub(super) fn replay_policy(&self, policy: &str, from: Date, to: Date) -> ReplayWarningPolicyResponse {
        self.replay(&ReplayRequest { from, to, ..request(Replayed::Named(name(policy))) }).unwrap()
    }
}

fn office() -> Office {
    let mut office = Office::on(date(2021, 11, 1));
    for (id, units) in [("a", 500), ("b", 640), ("c", 880), ("d", 800), ("e", 600)] {
        let reported = |month| completed(month, units * UNIT / 2, Some(date(2021, month, 1).last_of_month()));
        office.project(id, vec![reported(5), reported(10)]);
    }
    office.say("bare", Project::default());
    office
}

fn sum(counts: &[ReplayCounts]) -> [i32; 5] {
    let mut sum = [0; 5];
    for counts in counts {
        let ReplayCounts { green_count, yellow_count, red_count, no_light_count, difference_count, .. } =
            counts;
        for (sum, count) in
            sum.iter_mut().zip([green_count, yellow_count, red_count, no_light_count, difference_count])
        {
            *sum += count;
        }
    }
    sum
}

/// office.md, section 4: a replay of what was adopted shows what was shown, and writes nothing.
#[test]
fn office_4_a_replay_of_an_adopted_policy_differs_in_nothing() {
    for id in ["yc-progress", "wh-ratio", "sy-shortfall", "tj-worst"] {
        let mut office = office();
        office.adopt("w", published(id), date(2021, 1, 1));
        let rows = office.world.rows.clone();
        let answer = office.replay(&request(Replayed::Named(name("w")))).unwrap();
        assert_eq!(office.world.rows, rows);
        assert_eq!((answer.projects.len(), answer.counts.len()), (6, 10));
        for replayed in &answer.projects {
            let project = replayed.project.rsplit('/').next().unwrap();
            for period in &replayed.periods {
                let end = milepost_resource::date(period.period_end.as_ref()).unwrap();
                let (light, shown) = office.lights("w", project, end);
                assert_eq!((period.light(), period.shown_light()), (light, shown), "{id} {project} {end}");
                assert_eq!((period.adopted_light(), period.differs), (shown, false));
            }
        }
        let [green, yellow, red, none, differences] = sum(&answer.counts);
        assert_eq!((green + yellow + red + none, differences), (60, 0), "{id}");
    }
}

#[test]
fn a_policy_that_is_not_stored_is_compared_with_the_one_in_force() {
    let mut office = office();
    office.adopt("w", published("yc-progress"), date(2021, 1, 1));
    let stricter = Replayed::Inline(Box::new(published("wh-ratio")));
    let replayed =
        office.replay(&ReplayRequest { compare_with: Some(name("w")), ..request(stricter) }).unwrap();
    let october = |answer: &ReplayWarningPolicyResponse, at: usize| answer.projects[at].periods[9].clone();
    // 640: yellow by points, yellow by ratio; 880: yellow by points, green by ratio.
    let (b, c) = (october(&replayed, 1), october(&replayed, 3));
    assert_eq!(
        (b.shown_light(), b.adopted_light(), b.differs),
        (WarningLight::Yellow, WarningLight::Yellow, false)
    );
    assert_eq!(
        (c.shown_light(), c.adopted_light(), c.differs),
        (WarningLight::Green, WarningLight::Yellow, true)
    );
    assert!(replayed.counts[9].difference_count > 0);
    let alone = office.replay(&request(Replayed::Inline(Box::new(published("wh-ratio"))))).unwrap();
    assert_eq!(sum(&alone.counts)[4], 0);
    assert_eq!(october(&alone, 3).adopted_light(), WarningLight::Unspecified);
}

/// Pages go on where the one before ended, and all together are the whole.
#[test]
fn pages_together_are_the_whole_and_compare_with_the_same_peers() {
    let office = office();
    let inline = || Replayed::Inline(Box::new(published("tj-worst")));
    let whole = office.replay(&request(inline())).unwrap();
    assert_eq!(whole.next_page_token, "");
    let (mut projects, mut counts, mut page_token) = (Vec::new(), Vec::new(), String::new());
    for page in 0.. {
        assert!(page < 4);
        let answer = office.replay(&ReplayRequest { size: 2, page_token, ..request(inline()) }).unwrap();
        projects.extend(answer.projects);
        counts.extend(answer.counts);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(projects, whole.projects);
    assert_eq!(sum(&counts), sum(&whole.counts));
    let first = office.replay(&ReplayRequest { size: 2, ..request(inline()) }).unwrap();
    let other = ReplayRequest { digest: "b".into(), page_token: first.next_page_token, ..request(inline()) };
    assert!(matches!(office.replay(&other), Err(Rejection::PageToken(_))));
}

/// office.md, section 4: a replay writes and emits nothing; it counts the orders that steps would open.
#[test]
fn office_4_a_replay_counts_the_orders_that_steps_would_open() {
    let office = office();
    let step = WarningStep {
        at_light: WarningLight::Yellow.into(),
        action: warning_step::Action::OpenOrder.into(),
        due_working_days: 5,
        responsible: "organizations/office".into(),
        ..WarningStep::default()
    };
    let notify = WarningStep {
        at_light: WarningLight::Yellow.into(),
        action: warning_step::Action::Notify.into(),
        role: "分管领导".into(),
        ..WarningStep::default()
    };
    let policy = WarningPolicy { steps: vec![notify, step], ..published("wh-ratio") };
    let (rows, entries) = (office.world.rows.clone(), office.world.entries.len());
    let replayed = office.replay(&request(Replayed::Inline(Box::new(policy)))).unwrap();
    let orders: Vec<_> = replayed.counts.iter().map(|counts| counts.order_count).collect();
    let reached = |period: usize| {
        let steps = replayed.projects.iter().map(|project| project.periods[period].steps.len());
        i32::try_from(steps.sum::<usize>()).unwrap() / 2
    };
    assert_eq!(orders, (0..10).map(reached).collect::<Vec<_>>());
    // In May 250, 320, 440, 400 and 300 of 500 were completed: 50, 64, 88, 80 and 60 %. In June the other two are of 600.
    assert_eq!(orders, [0, 0, 0, 0, 3, 2, 0, 0, 0, 0]);
    assert_eq!((&office.world.rows, office.world.entries.len()), (&rows, entries));
}

#[test]
fn days_to_come_and_too_many_periods_are_refused() {
    let office = office();
    let inline = || Replayed::Inline(Box::new(published("wh-ratio")));
    let future = ReplayRequest { to: date(2021, 11, 2), ..request(inline()) };
    assert_eq!(faults(office.replay(&future).unwrap_err()), [("to_date".to_owned(), "DATE_IN_FUTURE")]);
    let long = ReplayRequest { from: date(2016, 10, 31), ..request(inline()) };
    assert_eq!(faults(office.replay(&long).unwrap_err()), [("from_date".to_owned(), "TOO_MANY_PERIODS")]);
    let both = ReplayRequest { from: date(2016, 10, 31), to: date(2021, 11, 2), ..request(inline()) };
    let found = [("to_date", "DATE_IN_FUTURE"), ("from_date", "TOO_MANY_PERIODS")];
    assert_eq!(faults(office.replay(&both).unwrap_err()), found.map(|(field, why)| (field.to_owned(), why)));
    let sixty = ReplayRequest { from: date(2016, 11, 1), ..request(inline()) };
    assert_eq!(office.replay(&sixty).unwrap().counts.len(), 60);
    let never = ReplayRequest { compare_with: Some(name("never")), ..request(inline()) };
    for missing in [request(Replayed::Named(name("never"))), never] {
        let missing = office.replay(&missing).unwrap_err();
        assert!(matches!(missing, Rejection::NotFound { .. }), "{missing}");
    }
    let policy = WarningPolicy { filter: "nothing = 1".into(), ..published("wh-ratio") };
    let faulty = office.replay(&request(Replayed::Inline(Box::new(policy)))).unwrap_err();
    assert!(matches!(faulty, Rejection::Invalid(_)), "{faulty}");
}

/// Projects that were not followed yet would be missed.
#[test]
fn nothing_is_replayed_while_the_registry_is_followed_anew() {
    let mut office = office();
    let inline = request(Replayed::Inline(Box::new(published("wh-ratio"))));
    crate::tables::mirror_version::put(&mut office.world.rows, 2);
    let refused = office.replay(&inline).unwrap_err();
    assert!(format!("{refused:?}").contains("REGISTRY_INCOMPLETE"), "{refused}");
}

/// office.md, section 4: in each period a project is replayed if the filter finds it on the day of the evaluation.
#[test]
fn office_4_a_filter_finds_projects_by_the_day_of_each_evaluation() {
    let mut office = Office::on(date(2021, 11, 1));
    let planned = |from: Date, to: Date| {
        let period = Period { start_date: Some(date_message(from)), end_date: Some(date_message(to)) };
        let plan = AnnualPlan { year: 2021, investment: cny(1_200 * UNIT), ..AnnualPlan::default() };
        Project { planned_period: Some(period), annual_plans: vec![plan], ..Project::default() }
    };
    office.say("a", planned(date(2021, 8, 15), date(2022, 12, 31)));
    office.say("b", planned(date(2021, 1, 1), date(2021, 3, 31)));
    office.say("c", planned(date(2022, 1, 1), date(2022, 12, 31)));
    let filter = "planned_period.start_date <= today() AND planned_period.end_date > today()";
    let policy = WarningPolicy { filter: filter.into(), ..published("wh-ratio") };
    let inline = Replayed::Inline(Box::new(policy.clone()));
    let replayed = office.replay(&ReplayRequest { size: 2, ..request(inline) }).unwrap();
    let months = |project: &ReplayedProject| -> Vec<i32> {
        project.periods.iter().map(|period| period.period_end.unwrap().month).collect()
    };
    let found: Vec<_> =
        replayed.projects.iter().map(|project| (&project.project[24..], months(project))).collect();
    assert_eq!(found, [("a", vec![8, 9, 10]), ("b", vec![1, 2])]);
    assert_eq!(replayed.next_page_token, "", "the third is in no period");
    let counted: Vec<_> = replayed.counts.iter().map(|counts| counts.no_light_count).collect();
    assert_eq!(counted, [1, 1, 0, 0, 0, 0, 0, 1, 1, 1]);
    // As it was shown.
    office.adopt("w", policy, date(2021, 1, 1));
    let has = |id: &str, month| office.warning("w", id, date(2021, month, 1).last_of_month()).is_some();
    let shown = |id: &str| -> Vec<i32> { (1..=10).filter(|month| has(id, *month)).map(i32::from).collect() };
    assert_eq!([shown("a"), shown("b"), shown("c")], [vec![8, 9, 10], vec![1, 2], vec![]]);
}

/// A period in which a project is not found neither counts for a run nor ends it.
#[test]
fn what_is_shown_stays_over_the_periods_in_which_a_project_is_not_found() {
    let mut office = Office::on(date(2021, 7, 10));
    let plan = AnnualPlan {
        year: 2021,
        investment: cny(1_200 * UNIT),
        reported_date: Some(date_message(date(2021, 1, 1))),
        ..AnnualPlan::default()
    };
    let planned = Period { start_date: Some(date_message(date(2021, 4, 15))), end_date: None };
    let road = Project {
        annual_plans: vec![plan],
        completed_investments: twenty_points_behind(&[3, 4, 5, 6]),
        planned_period: Some(planned),
        ..Project::default()
    };
    office.say("road", road);
    // Not on 31 May.
    let filter = "planned_period.start_date > days(-31) OR planned_period.start_date < days(-60)";
    let policy = WarningPolicy { filter: filter.into(), ..three_times(published("yc-progress")) };
    let inline = Replayed::Inline(Box::new(policy));
    let from = date(2021, 3, 1);
    let replayed = office.replay(&ReplayRequest { from, to: date(2021, 6, 30), ..request(inline) }).unwrap();
    let shown: Vec<_> = replayed.projects[0]
        .periods
        .iter()
        .map(|period| (period.period_end.unwrap().month, period.shown_light()))
        .collect();
    assert_eq!(shown, [(3, WarningLight::Yellow), (4, WarningLight::Yellow), (6, WarningLight::Red)]);
}

/// What cannot be read is in no other project's way, nor does it count where all are compared with.
#[test]
fn a_project_that_cannot_be_read_is_passed_over() {
    let mut office = office();
    office.damage("b");
    let ids = |office: &Office, id: &str| {
        let answer = office.replay(&request(Replayed::Inline(Box::new(published(id)))));
        answer.map(|answer| -> Vec<String> {
            answer.projects.iter().map(|project| project.project[24..].to_owned()).collect()
        })
    };
    for policy in ["wh-ratio", "tj-worst"] {
        assert_eq!(ids(&office, policy).unwrap(), ["a", "bare", "c", "d", "e"], "{policy}");
    }
    let without = office.replay(&request(Replayed::Inline(Box::new(published("tj-worst"))))).unwrap();
    let mut other = self::office();
    other.say("b", Project { status: project::Status::Cancelled.into(), ..Project::default() });
    let inline = Replayed::Inline(Box::new(published("tj-worst")));
    assert_eq!(other.replay(&request(inline)).unwrap(), without, "as if it was not there");
}

/// A page shows what was known on the day of the first one, also after midnight.
#[test]
fn all_pages_of_a_replay_are_as_of_the_day_of_the_first() {
    let mut office = office();
    let policy = WarningPolicy { evaluate_after_days: 31, ..published("tj-worst") };
    let inline = || Replayed::Inline(Box::new(policy.clone()));
    let whole = office.replay(&request(inline())).unwrap();
    let first = office.replay(&ReplayRequest { size: 2, ..request(inline()) }).unwrap();
    // What is reported on the next day is known on that day.
    office.wait(date(2021, 11, 2));
    let reported = |month, on| completed(month, 440 * UNIT, Some(on));
    let more = vec![reported(5, date(2021, 5, 31)), reported(10, date(2021, 10, 31))];
    let late = completed(9, 900 * UNIT, Some(date(2021, 11, 2)));
    office.project("c", [more, vec![late]].concat());
    let page_token = first.next_page_token.clone();
    let rest = office.replay(&ReplayRequest { page_token, ..request(inline()) }).unwrap();
    assert_eq!([first.projects, rest.projects].concat(), whole.projects);
    let again = office.replay(&request(inline())).unwrap();
    assert_ne!(again.projects, whole.projects, "by now it is known");
}

/// Rows that are counted as they are read, and of which the first that is scanned in vain waits for something.
struct Watched<'a> {
    rows: &'a dyn milepost_ledger::Read,
    projects: AtomicUsize,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send + 'a>>>,
}

impl milepost_ledger::Read for Watched<'_> {
    fn get(&self, key: &[u8]) -> Option<bytes::Bytes> {
        self.rows.get(key)
    }

    fn scan<'a>(
        &'a self,
        range: &milepost_ledger::KeyRange,
        direction: milepost_ledger::Direction,
    ) -> milepost_ledger::RowIter<'a> {
        Box::new(self.rows.scan(range, direction).inspect(|(key, _)| {
            if key.first() == Some(&(crate::tables::Table::Project as u8)) {
                self.projects.fetch_add(1, Ordering::Relaxed);
                if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
                    meanwhile();
                }
            }
        }))
    }
}

/// Memory and time of a page are those of its own projects: of others it reads nothing.
#[test]
fn a_page_reads_the_projects_that_it_shows_and_one_more() {
    let mut office = Office::on(date(2021, 11, 1));
    for i in 0..40 {
        office.project(&format!("x{i:02}"), vec![completed(10, 500 * UNIT, None)]);
    }
    let inline = || Replayed::Inline(Box::new(published("tj-worst")));
    let read = |page_token: String| {
        let (projects, meanwhile) = Default::default();
        let watched = Watched { rows: &office.world.rows, projects, meanwhile };
        let request = ReplayRequest { size: 5, page_token, ..request(inline()) };
        let answer = page(&Rows::new(&watched), (office.world.now, 7), &request).unwrap();
        (answer.next_page_token, watched.projects.into_inner())
    };
    // The first page finds what all projects together have, period by period; the others carry it.
    let (mut page_token, first) = read(String::new());
    assert_eq!(first, 10 * 40 + 6);
    for _ in 1..7 {
        let (next, read) = read(page_token);
        assert_eq!(read, 6);
        page_token = next;
    }
    assert_eq!(read(page_token), (String::new(), 5));
}

/// A page is of one state of the rows: who writes while it is found is answered before it, and does not change it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_while_a_page_is_found_is_answered_before_it_and_is_not_in_it() {
    use milepost_proto::tracker::v1::CreateMilestoneRequest;
    let (mut registry, tracker) = crate::tests::world::running().await;
    tracker.clock.set("2021-11-01T04:00:00Z".parse().unwrap());
    let more = registry.say(|recorded| recorded.project("second"));
    tracker.reach(more).await;
    let (handle, client) = (tokio::runtime::Handle::current(), tracker.client.clone());
    let (upstream, ledger) = (tracker.service.upstream.clone(), tracker.service.api.ledger.clone());
    let (now, before) = (milepost_types::Clock::now(&*tracker.clock), tracker.service.position());
    let found = tokio::task::spawn_blocking(move || {
        let view = ledger.view();
        // Another caller, and the follower: both are done when the page goes on.
        let write = || {
            let (done, written) = std::sync::mpsc::channel();
            handle.spawn(async move {
                let request = CreateMilestoneRequest {
                    parent: "portfolios/wsc/projects/road".into(),
                    milestone_id: "meanwhile".into(),
                    milestone: Some(milepost_proto::tracker::v1::Milestone {
                        display_name: "开工".into(),
                        ..Default::default()
                    }),
                    ..Default::default()
                };
                client.clone().create_milestone(request).await.unwrap();
                let tail = registry.say(|recorded| recorded.project("third"));
                let deadline = std::time::Instant::now() + crate::tests::running::PATIENCE;
                upstream.follow_to(tail, deadline).await.unwrap();
                done.send(()).unwrap();
            });
            written.recv_timeout(crate::tests::running::PATIENCE).expect("they are answered");
        };
        let meanwhile = Mutex::new(Some(Box::new(write) as Box<dyn FnOnce() + Send>));
        let watched = Watched { rows: &view, projects: Default::default(), meanwhile };
        let request = request(Replayed::Inline(Box::new(published("tj-worst"))));
        let answer = page(&Rows::new(&watched), (now, before.sequence), &request).unwrap();
        assert!(watched.meanwhile.lock().unwrap().is_none(), "somebody wrote");
        answer.projects.into_iter().map(|project| project.project).collect::<Vec<_>>()
    });
    let found = found.await.unwrap();
    assert_eq!(found, ["road", "second"].map(|id| format!("portfolios/wsc/projects/{id}")));
    assert!(tracker.service.position().sequence >= before.sequence + 2, "the milestone and the project");
    tracker.stop().await;
}

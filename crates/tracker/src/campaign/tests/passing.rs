//! The days of a campaign that pass: each is found once, in its order, and nothing is closed before its last one.

use milepost_types::{GoOn, Position};

use super::*;
use crate::tables::mirror_version;

/// The days of the standings, and the ends, among these events.
fn passed(events: &[Event]) -> Vec<String> {
    use milepost_proto::event::v1::event::Payload;
    let line = |event: &Event| match event.payload.as_ref()? {
        Payload::CampaignStandingsComputed(found) => {
            Some(milepost_resource::date(found.standings.as_ref()?.date.as_ref())?.to_string())
        }
        Payload::CampaignClosed(_) => Some("closed".to_owned()),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

impl World {
    /// Has the day begin at noon.
    fn begin(&mut self, day: Date) -> Vec<String> {
        self.now = format!("{day}T04:00:00Z").parse().unwrap();
        passed(&self.advance(day).unwrap())
    }
}

/// office.md, section 5: a campaign of three days from the current date on.
fn short(world: &mut World) {
    let mut given = campaign(members());
    given.end_date = Some(date_message(date(2021, 5, 15)));
    world.advance(TODAY).unwrap();
    world.opened(given);
}

#[test]
fn days_on_which_not_all_was_known_are_found_later_each_by_itself_and_then_it_is_closed() {
    let (mut world, _) = world();
    short(&mut world);
    let version = mirror_version::get(&world.rows);
    mirror_version::put(&mut world.rows, version - 1);
    for day in 14..=17 {
        assert_eq!(world.begin(date(2021, 5, day)), [""; 0], "{day}");
    }
    mirror_version::put(&mut world.rows, version);
    assert_eq!(world.begin(date(2021, 5, 18)), ["2021-05-13", "2021-05-14", "2021-05-15", "closed"]);
    assert_eq!(world.begin(date(2021, 5, 19)), [""; 0]);
}

/// Each of several that are found in one entry is compared with the one before it.
#[test]
fn who_leads_is_compared_day_by_day() {
    let (mut world, _) = world();
    world.advance(TODAY).unwrap();
    let mut given = campaign(vec![member("a", 1), member("b", 150)]);
    given.members[0].leave_date = Some(date_message(date(2021, 5, 15)));
    world.opened(given);
    let version = mirror_version::get(&world.rows);
    mirror_version::put(&mut world.rows, version - 1);
    (14..=16).for_each(|day| assert_eq!(world.begin(date(2021, 5, day)), [""; 0]));
    mirror_version::put(&mut world.rows, version);
    world.now = "2021-05-17T04:00:00Z".parse().unwrap();
    let events = world.advance(date(2021, 5, 17)).unwrap();
    let of_campaign: Vec<_> =
        kinds(&events).into_iter().filter_map(|kind| kind.strip_prefix("campaign.")).collect();
    let computed = "standings_computed";
    assert_eq!(of_campaign, [computed, computed, computed, "lead_changed", computed]);
}

/// A large portfolio's day takes several entries.
#[test]
fn days_that_do_not_fit_one_entry_are_found_once_in_several() {
    let (mut world, _) = world();
    short(&mut world);
    let version = mirror_version::get(&world.rows);
    mirror_version::put(&mut world.rows, version - 1);
    (14..=17).for_each(|day| assert_eq!(world.begin(date(2021, 5, day)), [""; 0]));
    mirror_version::put(&mut world.rows, version);
    world.domain.part_bytes = 1;
    let entries = world.entries.len();
    assert_eq!(world.begin(date(2021, 5, 18)), ["2021-05-13", "2021-05-14", "2021-05-15", "closed"]);
    assert!(world.entries.len() >= entries + 4);
}

#[test]
fn a_campaign_whose_days_cannot_be_found_is_not_closed_and_other_days_begin() {
    let (mut world, _) = world();
    let before: Vec<_> = world.rows.0.keys().cloned().collect();
    found(&mut world, "a", "f", (Aspect::Quality, finding::Severity::Minor), (finding::State::Open, START));
    let key = world.rows.0.keys().find(|key| !before.contains(key)).unwrap().clone();
    short(&mut world);
    let sound = world.rows.0.insert(key.clone(), bytes::Bytes::from_static(b"\x0a\x05x")).unwrap();
    for day in 14..=17 {
        assert_eq!(world.begin(date(2021, 5, day)), [""; 0], "{day}");
        assert_eq!(world.today().current, date(2021, 5, day));
    }
    let refused = world.act_on(None, close as Run<_, _, _>);
    assert!(matches!(refused, Err(Rejection::DamagedRow(_))), "{refused:?}");
    world.rows.0.insert(key, sound);
    assert_eq!(world.begin(date(2021, 5, 18)), ["2021-05-13", "2021-05-14", "2021-05-15", "closed"]);
}

/// Of one that is opened after its last day, nothing passes but that.
#[test]
fn who_closes_a_campaign_by_hand_has_its_last_day_found_first() {
    let (mut world, _) = world();
    let mut given = campaign(members());
    given.end_date = Some(date_message(DAY_50));
    world.opened(given);
    // However large it is.
    world.domain.part_bytes = 1;
    let events = world.act_on(None, close as Run<_, _, _>).unwrap();
    assert_eq!(passed(&events), ["2021-04-19", "closed"]);
    let then = world.standings(DAY_50, Knowledge::Then);
    assert!(then.stored && then.standings[0].rank == Some(1));
    assert_eq!(world.begin(TODAY), [""; 0]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// As where not all was known on days that began: nothing is lost, whoever comes first.
#[test]
fn who_closes_a_campaign_by_hand_has_all_days_found_that_none_found() {
    let passed_over = |part_bytes: Option<usize>| {
        let (mut world, _) = world();
        short(&mut world);
        assert_eq!(world.begin(date(2021, 5, 14)), ["2021-05-13"]);
        let version = mirror_version::get(&world.rows);
        mirror_version::put(&mut world.rows, version - 1);
        (15..=17).for_each(|day| assert_eq!(world.begin(date(2021, 5, day)), [""; 0]));
        let refused = world.act_on(None, close as Run<_, _, _>);
        assert_eq!(violations_of(refused)[0].0, "REGISTRY_INCOMPLETE");
        mirror_version::put(&mut world.rows, version);
        world.domain.part_bytes = part_bytes.unwrap_or(world.domain.part_bytes);
        world
    };
    let mut world = passed_over(None);
    let events = world.act_on(None, close as Run<_, _, _>).unwrap();
    assert_eq!(passed(&events), ["2021-05-14", "2021-05-15", "closed"]);
    assert_eq!(world.begin(date(2021, 5, 18)), [""; 0]);
    assert!([13, 14, 15].iter().all(|day| world.standings(date(2021, 5, *day), Knowledge::Then).stored));
    assert_eq!(world.rebuilt(), world.rows);
    // What is too much for one request is left to the next day.
    let mut world = passed_over(Some(1));
    let rows = world.rows.clone();
    let refused = world.act_on(None, close as Run<_, _, _>);
    assert_eq!(violations_of(refused), [("STANDINGS_MISSING", "spring".to_owned())]);
    assert_eq!(world.rows, rows);
    assert_eq!(world.begin(date(2021, 5, 18)), ["2021-05-14", "2021-05-15", "closed"]);
}

/// Rows of projects are dropped then: what would be found, or frozen, would stay for ever.
#[test]
fn after_a_reset_to_the_beginning_nothing_is_kept_until_all_was_followed_again() {
    let (mut world, registry) = world();
    short(&mut world);
    let to = GoOn::after(Position::start(registry.log));
    world.submit(Command::ResetFollower { to, reason: "restored".into() }).unwrap();
    // The portfolio and its first project, and not what they reported.
    for sequence in 1..=2 {
        world.ingest(registry.source_entry(sequence)).unwrap();
    }
    (14..=17).for_each(|day| assert_eq!(world.begin(date(2021, 5, day)), [""; 0]));
    let refused = world.act_on(None, close as Run<_, _, _>);
    assert_eq!(violations_of(refused)[0].0, "REGISTRY_INCOMPLETE");
    let refused = world.try_standings(&at(date(2021, 5, 14))).map(|_| Vec::new());
    assert_eq!(violations_of(refused)[0].0, "REGISTRY_INCOMPLETE");
    for sequence in 3..=registry.entries.len() {
        world.ingest(registry.source_entry(sequence)).unwrap();
    }
    let complete = Command::UpgradeMirror {
        position: registry.tail(),
        portfolios: Default::default(),
        projects: Default::default(),
        assignments: Default::default(),
        is_last: true,
    };
    world.submit(complete).unwrap();
    assert_eq!(world.begin(date(2021, 5, 18)), ["2021-05-13", "2021-05-14", "2021-05-15", "closed"]);
    assert_eq!(world.standings(TODAY, Knowledge::Then).standings[0].rank, Some(1));
    assert_eq!(world.rebuilt(), world.rows);
}

//! Projects that were cancelled, or deleted, after a period had ended.

use jiff::civil::{Date, date};
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::{CompletedInvestment, Project};
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::{WarningLight, WarningPolicy, WarningTest};
use milepost_types::Rejection;

use super::band;
use super::evaluations::{Office, UNIT, completed, peers, planned};
use super::policies::faults;
use super::published::published;
use crate::tests::registry::{deleted, project};
use crate::tests::world::kinds;
use WarningLight::{Green, Yellow};

const OCTOBER: Date = date(2021, 10, 31);
const CANCELLED: Date = date(2021, 11, 15);

/// Behind its peers is yellow.
fn behind_peers() -> WarningPolicy {
    let test = WarningTest {
        metric: Metric::Investment.into(),
        comparison: Comparison::PeerGap.into(),
        bands: vec![band("green ..0]"), band("yellow (0..")],
    };
    WarningPolicy { tests: vec![test], ..published("wh-ratio") }
}

/// Completed in October.
fn of(units: i128) -> Vec<CompletedInvestment> {
    vec![completed(10, units * UNIT, Some(OCTOBER))]
}

/// `a` and `b` were evaluated, of which `b` had not reported what it completed.
fn evaluated() -> Office {
    let mut office = Office::on(date(2021, 11, 10));
    office.project("a", of(600));
    office.project("b", of(0));
    office.adopt("w", behind_peers(), OCTOBER);
    assert_eq!((office.lights("w", "a", OCTOBER).0, office.lights("w", "b", OCTOBER).0), (Green, Yellow));
    office.wait(date(2021, 11, 20));
    office
}

fn has_peers(office: &Office, id: &str, completed: i128, plan: i128) {
    let warning = office.warning("w", id, OCTOBER).unwrap();
    assert_eq!(peers(&warning), [(&*(completed * UNIT).to_string(), &*(plan * UNIT).to_string())], "{id}");
}

/// office.md, section 4: PEER_GAP compares with all that were evaluated.
#[test]
fn office_4_what_was_cancelled_since_is_computed_again_and_compared_with() {
    let corrected = ["warning.corrected", "warning.superseded"];
    for named in [None, Some("b")] {
        let mut office = evaluated();
        office.cancel("b", planned(of(1_080)), CANCELLED);
        let events = office.recompute_of("w", OCTOBER, named, None).unwrap();
        if named.is_none() {
            assert_eq!(kinds(&events), [corrected, corrected].concat(), "that of a and that of b");
            assert_eq!(office.lights("w", "a", OCTOBER).0, Yellow, "20 points");
            has_peers(&office, "a", 1_680, 2_400);
        } else {
            assert_eq!(kinds(&events), corrected);
        }
        assert_eq!(office.lights("w", "b", OCTOBER).0, Green);
        has_peers(&office, "b", 1_680, 2_400);
        assert_eq!(office.world.rebuilt(), office.world.rows);
    }
}

/// Whatever was evaluated is computed again, also where it is not known when it was cancelled, or where that was earlier.
#[test]
fn what_has_a_warning_is_computed_again_whenever_it_was_cancelled() {
    let cancelled = Project { status: Status::Cancelled.into(), ..planned(of(1_080)) };
    let mut unknown = evaluated();
    unknown.say("b", cancelled.clone());
    let mut earlier = evaluated();
    earlier.cancel("b", cancelled, date(2021, 10, 1));
    for mut office in [unknown, earlier] {
        office.recompute("w", OCTOBER).unwrap();
        assert_eq!(office.lights("w", "b", OCTOBER).0, Green);
        has_peers(&office, "a", 1_680, 2_400);
    }
}

/// As in reports: what is deleted counts for nothing.
#[test]
fn what_is_deleted_is_refused_by_name_and_compared_with_nothing() {
    let mut office = evaluated();
    let gone = deleted(project("b"));
    office.world.ingest(office.registry.append(vec![("milepost.project.deleted", Some(gone))])).unwrap();
    let refused = office.recompute_of("w", OCTOBER, Some("b"), None).unwrap_err();
    assert!(matches!(refused, Rejection::Deleted { .. }), "{refused}");
    let before = office.warning("w", "b", OCTOBER).unwrap();
    let events = office.recompute("w", OCTOBER).unwrap();
    assert_eq!(kinds(&events), ["warning.corrected", "warning.superseded"]);
    has_peers(&office, "a", 600, 1_200);
    assert_eq!(office.warning("w", "b", OCTOBER).unwrap(), before);
}

/// office.md, section 4: a past period is evaluated as it would have been on its day.
#[test]
fn office_4_a_period_that_ended_before_a_project_was_cancelled_is_evaluated_whenever_that_is() {
    let mut office = Office::on(date(2021, 11, 20));
    office.project("a", of(600));
    office.project("b", of(1_080));
    office.cancel("b", planned(of(1_080)), CANCELLED);
    let on_the_last_day = Project { display_name: "c".into(), ..planned(of(1_080)) };
    office.cancel("c", on_the_last_day, OCTOBER);
    // What is said of it later does not say again when it was cancelled.
    let later = Project { status: Status::Cancelled.into(), key: Some(true), ..planned(of(1_080)) };
    office.say("b", later.clone());
    office.say("d", later);
    office.adopt("w", behind_peers(), OCTOBER);
    assert_eq!((office.lights("w", "a", OCTOBER).0, office.lights("w", "b", OCTOBER).0), (Yellow, Green));
    has_peers(&office, "a", 1_680, 2_400);
    for id in ["c", "d"] {
        assert_eq!(office.warning("w", id, OCTOBER), None, "{id}");
        let refused = office.recompute_of("w", OCTOBER, Some(id), None).unwrap_err();
        assert_eq!(faults(refused), [("project".to_owned(), "NO_WARNING")], "{id}");
    }
    let replayed = office.replay_policy("w", OCTOBER, OCTOBER);
    let ids: Vec<_> = replayed.projects.iter().map(|project| &project.project[24..]).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(replayed.counts.iter().all(|counts| counts.difference_count == 0), "{replayed:?}");
    // November ends after it was cancelled.
    office.wait(date(2021, 11, 30));
    let has = |id| office.warning("w", id, date(2021, 11, 30)).is_some();
    assert_eq!([has("a"), has("b")], [true, false]);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

//! Bounds of the published rules, one fen to either side: by what projects completed, and not by shares.

use jiff::civil::{Date, date};
use milepost_proto::tracker::v1::WarningLight::{self, Green, NoLight, Red, Yellow};

use super::evaluations::{FEN, Office, UNIT, completed};
use super::published::published;

const OCTOBER: Date = date(2021, 10, 31);

/// office.md, sections 4 and 9, scenario 2: plan 1,200 on 10-31, of which 1,000 are expected. YC: gap ≤ 0 green, 10–30
/// inclusive yellow, > 30 red, 0–10 not stated. WH: ratio < 80 yellow, < 60 red. SY: shortfall ≤ 0 green, ≤ 50 yellow, > 50
/// red.
#[test]
fn office_scenario_2_one_fen_less_or_more_at_every_bound_of_the_three_rules() {
    let projects: [(&str, i128, [WarningLight; 3]); 14] = [
        ("p1000-more", 1_000 * UNIT + FEN, [Green, Green, Green]),
        ("p1000", 1_000 * UNIT, [Green, Green, Green]),
        ("p1000-less", 1_000 * UNIT - FEN, [NoLight, Green, Yellow]),
        ("p880-more", 880 * UNIT + FEN, [NoLight, Green, Yellow]),
        ("p880", 880 * UNIT, [Yellow, Green, Yellow]),
        ("p800", 800 * UNIT, [Yellow, Green, Yellow]),
        ("p800-less", 800 * UNIT - FEN, [Yellow, Yellow, Yellow]),
        ("p640", 640 * UNIT, [Yellow, Yellow, Yellow]),
        ("p640-less", 640 * UNIT - FEN, [Red, Yellow, Yellow]),
        ("p600", 600 * UNIT, [Red, Yellow, Yellow]),
        ("p600-less", 600 * UNIT - FEN, [Red, Red, Yellow]),
        ("p500", 500 * UNIT, [Red, Red, Yellow]),
        ("p500-less", 500 * UNIT - FEN, [Red, Red, Red]),
        ("p0", 0, [Red, Red, Red]),
    ];
    let mut office = Office::on(date(2021, 10, 1));
    for (id, nanos, _) in &projects {
        office.project(id, vec![completed(10, *nanos, None)]);
    }
    let rules = ["yc-progress", "wh-ratio", "sy-shortfall"];
    for id in rules {
        office.adopt(id, published(id), date(2021, 10, 1));
    }
    office.wait(OCTOBER);
    for (id, _, expected) in projects {
        let found = rules.map(|rule| {
            let warning = office.warning(rule, id, OCTOBER).unwrap();
            assert_eq!(warning.tests[0].light(), warning.light(), "{id} under {rule}");
            warning.light()
        });
        assert_eq!(found, expected, "{id} under {rules:?}");
    }
    let nothing = office.warning("yc-progress", "p880-more", OCTOBER).unwrap();
    assert_eq!(nothing.tests[0].why, ["NOT_STATED"]);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

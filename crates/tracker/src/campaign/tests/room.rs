//! Standings of a day, and a campaign at its limits, fit one answer and one event.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::{CampaignMilestone, CampaignTarget, CampaignVersion};
use prost::Message as _;

use super::*;
use crate::campaign::room::{check, longest};

/// An id as long as one may be.
fn long(first: char, number: usize) -> String {
    format!("{first}{number:062}")
}

/// A text of so many characters of four bytes.
fn text(characters: usize) -> String {
    "𠮷".repeat(characters)
}

/// A campaign of so many members, each of whose names has so many characters, that is judged by so many criteria, of which so
/// many are of PROGRESS.
fn sized(members: usize, characters: usize, (criteria, progress): (usize, usize)) -> Campaign {
    let name = |i: usize| format!("portfolios/wsc/projects/p{i:0width$}", width = characters - 25);
    let members = (0..members).map(|i| CampaignMember { project: name(i), ..CampaignMember::default() });
    let kind = |i: usize| if i < progress { Kind::Progress } else { Kind::Quality };
    let criteria: Vec<_> = (0..criteria).map(|i| criterion(&long('c', i), kind(i), 1_000)).collect();
    Campaign {
        tie_breakers: criteria.iter().map(|criterion| criterion.id.clone()).collect(),
        criteria,
        veto: Some(CampaignVeto::default()),
        ..campaign(members.collect())
    }
}

#[test]
fn what_standings_may_take_is_bounded_where_a_campaign_is_opened() {
    let fits = |campaign: &Campaign| match check(&name(), campaign) {
        Ok(()) => true,
        Err(Rejection::LimitExceeded { what: "bytes that the standings of one day may take", .. }) => false,
        Err(other) => panic!("{other:?}"),
    };
    assert!(fits(&sized(1_000, 40, (10, 1))));
    assert!(fits(&sized(1_000, 85, (3, 1))));
    assert!(!fits(&sized(1_000, 85, (10, 1))));
    assert!(!fits(&sized(1_000, 40, (10, 10))));
    let most = (1..=1_000).rev().find(|count| fits(&sized(*count, 85, (10, 1)))).unwrap();
    assert!(
        longest(&name(), &sized(most, 85, (10, 1))) > limits::CAMPAIGN_STANDINGS_BYTES - 10_000,
        "{most}"
    );
}

/// Whatever a member has, what it takes is no more than what is reckoned with, and little less.
#[test]
fn the_longest_standing_of_a_member_is_no_longer_than_what_is_reckoned_with() {
    let (mut world, mut registry) = World::with_projects(&["a"]);
    for (id, weight) in [("weighted", 1_000_000), ("unweighted", 0)] {
        world.add_milestone("a", id, weight, date(2021, 4, 1), None);
    }
    let elsewhere = |day: Date| CompletedInvestment {
        amount: Some(Money { currency_code: "USD".into(), units: 1, nanos: 0 }),
        ..completed(day, day, (1, 0), Some(DAY_50))
    };
    let reports = vec![
        completed(date(2021, 3, 2), date(2021, 4, 10), (50, 0), Some(DAY_50)),
        completed(date(2021, 4, 5), date(2021, 4, 12), (1, 0), Some(DAY_50)),
        completed(date(2021, 2, 1), START, (1, 0), Some(DAY_50)),
        elsewhere(date(2021, 4, 18)),
    ];
    world.completes(&mut registry, "a", reports);
    for i in 0..limits::STANDING_VETOES {
        let grave = (Aspect::Safety, finding::Severity::Critical);
        found(&mut world, "a", &long('f', i), grave, (finding::State::Open, START));
    }
    let mut given = campaign(vec![member("a", 200)]);
    given.criteria = vec![criterion("p", Kind::Progress, 10_000), criterion("q", Kind::Quality, 0)];
    given.veto = Some(CampaignVeto { min_severity: finding::Severity::Critical.into(), aspects: Vec::new() });
    world.opened(given);
    let standings = world.standings(DAY_50, Knowledge::Latest);
    let progress = standings.standings[0].scores[0].score.clone().unwrap();
    let why: Vec<_> = progress.missing.iter().map(|missing| missing.why.as_str()).collect();
    assert_eq!(why, ["SOME_WEIGHTS", "STRADDLES", "OVERLAPS", "OTHER_CURRENCY"]);
    let (takes, most) = (standings.encoded_len(), longest(&name(), &world.campaign()));
    assert!(takes <= most && most <= takes + 300, "{takes} of {most}");
}

/// What else an event or an answer says beside the standings.
#[test]
fn standings_as_large_as_they_may_be_fit_an_event_and_an_answer() {
    let (mut world, _) = world();
    let mut given = campaign(members());
    given.end_date = Some(date_message(DAY_50));
    world.opened(given);
    let events = world.act_on(None, close as Run<_, _, _>).unwrap();
    let Some(Payload::CampaignStandingsComputed(computed)) = &events[0].payload else { panic!("{events:?}") };
    let beside = events[0].encoded_len() - computed.standings.as_ref().unwrap().encoded_len();
    assert!(beside < 1_000, "{beside}");
    const { assert!(limits::CAMPAIGN_STANDINGS_BYTES + 10_000 <= limits::ANSWER_ITEM_BYTES) };
}

/// A campaign is in every event of it, and a sign-off says what it froze once more.
#[test]
fn a_campaign_at_all_its_limits_fits_one_answer() {
    let ids: Vec<_> = (0..limits::CAMPAIGN_MEMBERS).map(|i| long('p', i)).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (mut world, _) = World::with_projects(&ids);
    world.opened(campaign(ids.iter().map(|id| member(id, i64::MAX)).collect()));
    let mut full = world.campaign();
    let tag = |i| format!("x-aaaaaaaa-aaaaaaaa-aaaaaaaa-{i:06}");
    full.display_name = text(limits::DISPLAY_NAME_CHARS);
    full.translations =
        (0..limits::TRANSLATIONS).map(|i| (tag(i), text(limits::DISPLAY_NAME_CHARS))).collect();
    full.description = text(limits::TEXT_CHARS);
    full.labels = (0..limits::LABELS).map(|i| (long('k', i), text(limits::LABEL_VALUE_CHARS))).collect();
    let days = (Some(date_message(START)), Some(date_message(date(2021, 6, 9))));
    for stay in &mut full.members {
        (stay.join_date, stay.leave_date) = days;
    }
    let milestone = |i| CampaignMilestone {
        id: long('m', i),
        due_date: Some(date_message(date(2021, 12, 31))),
        weight: Some(1_000_000),
    };
    let target = |(i, id): (usize, &&str)| CampaignTarget {
        project: project(id),
        join_date: days.0,
        milestones: (10 * i..10 * (i + 1)).map(milestone).collect(),
    };
    full.targets = ids.iter().enumerate().map(target).collect();
    full.criteria = sized(1, 40, (limits::CAMPAIGN_CRITERIA, 1)).criteria;
    let version = CampaignVersion {
        start_date: days.0,
        criteria: full.criteria.clone(),
        tie_breakers: full.criteria.iter().map(|criterion| criterion.id.clone()).collect(),
        reason: String::new(),
    };
    full.tie_breakers.clone_from(&version.tie_breakers);
    let room = limits::CAMPAIGN_VERSION_BYTES / limits::CAMPAIGN_VERSIONS - version.encoded_len() - 8;
    let reason = text(room / 4);
    full.versions = vec![CampaignVersion { reason, ..version }; limits::CAMPAIGN_VERSIONS];
    full.set_state(State::Closed);
    store(&mut world, &full);
    world.actor = person(&"s".repeat(limits::PRINCIPAL_CHARS));
    let said = limits::CAMPAIGN_SIGN_OFF_BYTES / ids.len() - project(ids[0]).len() - 20;
    let exclusion = |id: &&str| CampaignExclusion { project: project(id), reason: text(said / 4) };
    let given = SignOff { exclusions: ids.iter().map(exclusion).collect(), ..signed(&[], &[]) };
    let events = world.act_on(given, sign_off as Run<_, _, _>).unwrap();
    // Room for a longer portfolio id in all names of members, and for a caller with a name and an id.
    let spare = 60 * 4 * limits::CAMPAIGN_MEMBERS + 2_000;
    let takes = events[0].encoded_len();
    assert!(takes + spare <= limits::ANSWER_ITEM_BYTES, "{takes}");
    let Some(Resource::CampaignResource(campaign)) = &events[0].resource else { panic!("{:?}", events[0]) };
    let sizes = [campaign.versions.len(), campaign.targets.len(), campaign.sign_offs.len()];
    assert_eq!(sizes, [limits::CAMPAIGN_VERSIONS, limits::CAMPAIGN_MEMBERS, 1]);
}

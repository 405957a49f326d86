//! Who may open a campaign, who is a member of it when, and that all that is wrong is named at once.

use super::*;

fn amendment(add: &[&str], removed: &[&str], day: Date) -> Amendment {
    Amendment {
        reason: "调整".into(),
        date: Some(day),
        add: add.iter().map(|id| member(id, 100)).collect(),
        remove: removed.iter().map(|id| project(id)).collect(),
        criteria: Vec::new(),
        tie_breakers: Vec::new(),
    }
}

fn joins(id: &str, day: Date) -> CampaignMember {
    CampaignMember { join_date: Some(date_message(day)), ..member(id, 100) }
}

/// A joins on 20 April, B is a member from the first day on.
fn opened() -> World {
    let (mut world, _) = world();
    world.plan_campaign(campaign(vec![joins("a", date(2021, 4, 20)), member("b", 150)])).unwrap();
    world.actor = person("user:corp/opener");
    world.act_on(Some(START), open as Run<_, _, _>).unwrap();
    world
}

/// The reasons of a refusal, in their order, each with its field or subject.
fn reasons(refused: Rejection) -> Vec<String> {
    match refused {
        Rejection::Invalid(found) => {
            found.iter().map(|found| format!("{} {}", found.field, found.reason)).collect()
        }
        Rejection::Preconditions(found) => {
            let subject = |subject: &str| subject.rsplit('/').next().unwrap_or_default().to_owned();
            found.iter().map(|found| format!("{} {}", subject(&found.subject), found.kind)).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// office.md, section 5: a project is a member once on any day, be it one that is to come.
#[test]
fn who_joins_later_is_not_added_before() {
    let mut world = opened();
    let rows = world.rows.clone();
    for day in [date(2021, 3, 10), date(2021, 4, 18), date(2021, 4, 25)] {
        let refused = world.act_on(amendment(&["a"], &[], day), amend as Run<_, _, _>).unwrap_err();
        assert_eq!(reasons(refused), ["add_members[0].project OVERLAP"], "{day}");
    }
    assert_eq!(world.rows, rows);
}

/// What never was, is not left behind as a member of no day; targets stay beside their members.
#[test]
fn who_joins_later_can_be_removed_before_and_be_added_again() {
    let mut world = opened();
    world.act_on(amendment(&["c"], &["a"], date(2021, 3, 10)), amend as Run<_, _, _>).unwrap();
    let ids = |world: &World| {
        let campaign = world.campaign();
        let of = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let members: Vec<_> = campaign.members.iter().map(|member| of(&member.project)).collect();
        let targets: Vec<_> = campaign.targets.iter().map(|target| of(&target.project)).collect();
        assert_eq!(members, targets);
        members
    };
    assert_eq!(ids(&world), ["b", "c"]);
    // C was to join on the day after.
    world.act_on(amendment(&["a"], &["c", "b"], date(2021, 3, 10)), amend as Run<_, _, _>).unwrap();
    assert_eq!(ids(&world), ["b", "a"]);
    let leaving: Vec<_> = world.campaign().members.iter().map(|member| member.leave_date).collect();
    assert_eq!(leaving, [Some(date_message(date(2021, 3, 11))), None]);
    assert_eq!(world.standings(DAY_50, Knowledge::Latest).standings.len(), 1);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 5: an amendment holds from tomorrow; what was found of days that passed stays.
#[test]
fn who_stood_in_standings_that_were_found_stays_a_member_of_no_day() {
    let mut world = opened();
    // The standings of 13 May are the first that are found.
    world.until(date(2021, 5, 15));
    let stored = world.standings(TODAY, Knowledge::Then);
    assert_eq!((stored.stored, stored.standings.len()), (true, 2));
    world.act_on(amendment(&[], &["a"], date(2021, 3, 10)), amend as Run<_, _, _>).unwrap();
    let stays = |world: &World| {
        let campaign = world.campaign();
        assert_eq!(campaign.members.len(), campaign.targets.len());
        let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let day = |day: &Option<_>| milepost_resource::date(Option::as_ref(day));
        let stay = |of: &CampaignMember| (id(&of.project), day(&of.join_date), day(&of.leave_date));
        campaign.members.iter().map(stay).collect::<Vec<_>>()
    };
    let joined = Some(date(2021, 4, 20));
    let of_b = ("b".to_owned(), None, None);
    assert_eq!(stays(&world), [("a".to_owned(), joined, joined), of_b.clone()]);
    assert_eq!(world.standings(TODAY, Knowledge::Then), stored);
    assert_eq!(table(&world.standings(TODAY, Knowledge::Latest)).len(), 1);
    // It is none any more, and may join again.
    let refused = world.act_on(amendment(&[], &["a"], date(2021, 3, 10)), amend as Run<_, _, _>).unwrap_err();
    assert_eq!(reasons(refused), ["remove_members[0] NOT_MEMBER"]);
    world.act_on(amendment(&["a"], &[], date(2021, 3, 10)), amend as Run<_, _, _>).unwrap();
    let again = ("a".to_owned(), Some(date(2021, 3, 11)), None);
    assert_eq!(stays(&world), [("a".to_owned(), joined, joined), of_b, again]);
    assert_eq!(table(&world.standings(TODAY, Knowledge::Latest)).len(), 2);
    assert_eq!(world.rebuilt(), world.rows);
}

/// The same day: it takes part on none, so that on none it is a member twice.
#[test]
fn who_joins_and_leaves_on_one_day_takes_part_on_none() {
    let (mut world, _) = world();
    let none = CampaignMember { leave_date: Some(date_message(DAY_50)), ..joins("a", DAY_50) };
    world.plan_campaign(campaign(vec![none, member("a", 100), member("b", 150)])).unwrap();
    world.actor = person("user:corp/opener");
    world.act_on(Some(START), open as Run<_, _, _>).unwrap();
    assert_eq!(table(&world.standings(DAY_50, Knowledge::Latest)).len(), 2);
}

#[test]
fn all_that_is_wrong_with_an_amendment_is_named_at_once() {
    let mut world = opened();
    let mut given = amendment(&["b", "d", "d"], &["c"], date(2021, 3, 10));
    given.add[1].project = "portfolios/lj/projects/d".into();
    let refused = world.act_on(given, amend as Run<_, _, _>).unwrap_err();
    let expected = [
        "add_members[1].project OTHER_PARENT",
        "remove_members[0] NOT_MEMBER",
        "add_members[0].project OVERLAP",
    ];
    assert_eq!(reasons(refused), expected);
    let mut given = amendment(&["d"], &["c"], END);
    given.add[0].project = "portfolios/lj/projects/d".into();
    let refused = world.act_on(given, amend as Run<_, _, _>).unwrap_err();
    let expected =
        ["date DATE_IN_FUTURE", "add_members[0].project OTHER_PARENT", "remove_members[0] NOT_MEMBER"];
    assert_eq!(reasons(refused), expected);
    let given = amendment(&["x", "y"], &[], date(2021, 3, 10));
    let refused = world.act_on(given, amend as Run<_, _, _>).unwrap_err();
    assert!(crate::parent::is_missing(&refused), "the registry is asked before it is answered");
    assert_eq!(reasons(refused), ["x MEMBER_NOT_FOUND", "y MEMBER_NOT_FOUND"]);
}

/// Else nobody could sign it off: that takes another person than opened it.
#[test]
fn a_campaign_is_opened_by_somebody() {
    let (mut world, _) = world();
    world.plan_campaign(campaign(members())).unwrap();
    let system = Actor { authentication: Authentication::System, ..person("tracker") };
    for nobody in [Actor::default(), person(""), system] {
        world.actor = nobody;
        let refused = world.act_on(None, open as Run<_, _, _>).unwrap_err();
        assert_eq!(reasons(refused), ["spring ACTOR_UNKNOWN"]);
    }
    world.actor = person("user:corp/opener");
    world.act_on(None, open as Run<_, _, _>).unwrap();
    assert_eq!(world.campaign().opened_by.len(), 1);
}

/// Members were there when it was planned, and may be gone.
#[test]
fn a_campaign_is_opened_with_members_that_are_there() {
    let (mut world, mut registry) = world();
    world.plan_campaign(campaign(members())).unwrap();
    for id in ["a", "c"] {
        let project = crate::tests::registry::project(id);
        let gone = vec![("milepost.project.deleted", Some(crate::tests::registry::deleted(project)))];
        world.ingest(registry.append(gone)).unwrap();
    }
    let refused = world.act_on(None, open as Run<_, _, _>).unwrap_err();
    assert!(crate::parent::is_missing(&refused), "the registry is asked before it is answered");
    assert_eq!(reasons(refused), ["spring ACTOR_UNKNOWN", "a MEMBER_DELETED", "c MEMBER_DELETED"]);
}

/// office.md, section 5: from tomorrow; the campaign has no day after its last one.
#[test]
fn all_that_is_wrong_with_an_amendment_on_the_last_day_is_named_at_once() {
    let mut world = opened();
    world.now = "2021-06-20T04:00:00Z".parse().unwrap();
    let mut given = amendment(&["d", "b"], &["c"], END);
    given.add[0].project = "portfolios/lj/projects/d".into();
    let refused = world.act_on(given, amend as Run<_, _, _>).unwrap_err();
    let expected = [
        "date DATE_TOO_LATE",
        "add_members[0].project OTHER_PARENT",
        "remove_members[0] NOT_MEMBER",
        "add_members[1].project OVERLAP",
    ];
    assert_eq!(reasons(refused), expected);
}

/// A campaign of A, B, C and D that is closed, whose D cannot be evaluated.
fn closed() -> World {
    let (mut world, _) = world();
    world.opened(campaign([members(), vec![member("d", 10)]].concat()));
    world.now = "2021-06-20T04:00:00Z".parse().unwrap();
    world.act_on(None, close as Run<_, _, _>).unwrap();
    world
}

#[test]
fn all_that_is_wrong_with_a_sign_off_is_named_at_once() {
    let mut world = closed();
    let refused = world.act_on(signed(&["d"], &["a"]), sign_off as Run<_, _, _>).unwrap_err();
    let expected = ["spring SAME_PERSON", "d NOT_ELIGIBLE", "a HAS_RANK", "d NOT_EVALUATED"];
    assert_eq!(reasons(refused), expected);
}

/// A campaign is in every event of it, and in every answer.
#[test]
fn what_sign_offs_say_is_bounded() {
    let mut world = closed();
    world.actor = person("user:corp/signer");
    let said = |bytes: usize| {
        let mut given = signed(&[], &["d"]);
        given.exclusions[0].reason = "理".repeat(bytes / 3);
        given
    };
    world.act_on(said(limits::CAMPAIGN_SIGN_OFF_BYTES / 2), sign_off as Run<_, _, _>).unwrap();
    let refused = world.act_on(said(limits::CAMPAIGN_SIGN_OFF_BYTES / 2), revise as Run<_, _, _>);
    assert!(matches!(refused, Err(Rejection::LimitExceeded { .. })), "{refused:?}");
    world.act_on(said(3), revise as Run<_, _, _>).unwrap();
}

//! Who signs a campaign off, and revises that: nobody who opened it, or for whom it was opened, acts for anybody in it.

use super::*;

fn on_behalf(principal: &str, other: &str) -> Actor {
    let authentication = Authentication::Jwt;
    Actor { on_behalf_of: other.into(), authentication, ..person(principal) }
}

/// office.md, sections 0 and 5: SignOffCampaign is of another person than opened it, and so is what revises it; principal and
/// whom it acts for are disjoint, else `SAME_PERSON`.
#[test]
fn whoever_opened_a_campaign_neither_signs_it_off_nor_revises_it_also_not_through_others() {
    const OPENER: &str = "user:corp/opener";
    const BEHIND: &str = "user:corp/behind";
    const SIGNER: &str = "user:corp/signer";
    const OTHER: &str = "user:corp/other";
    let (mut world, _) = world();
    world.plan_campaign(campaign(members())).unwrap();
    world.actor = on_behalf(OPENER, BEHIND);
    world.act_on(None, open as Run<_, _, _>).unwrap();
    world.now = "2021-06-20T04:00:00Z".parse().unwrap();
    world.act_on(None, close as Run<_, _, _>).unwrap();
    let same = [
        on_behalf(OPENER, ""),
        on_behalf(BEHIND, ""),
        on_behalf(OPENER, BEHIND),
        on_behalf(OPENER, OTHER),
        on_behalf(BEHIND, OTHER),
        on_behalf(SIGNER, OPENER),
        on_behalf(SIGNER, BEHIND),
    ];
    let refused = |world: &mut World, run: Run<Tracker, Campaign, SignOff>| {
        let rows = world.rows.clone();
        for actor in &same {
            world.actor = actor.clone();
            let refused = world.act_on(signed(&["a"], &[]), run);
            assert_eq!(violations_of(refused), [("SAME_PERSON", "spring".to_owned())], "{actor:?}");
        }
        for nobody in [Actor::default(), person("")] {
            world.actor = nobody;
            let refused = world.act_on(signed(&["a"], &[]), run);
            assert_eq!(violations_of(refused), [("ACTOR_UNKNOWN", "spring".to_owned())]);
        }
        assert_eq!(world.rows, rows);
    };
    refused(&mut world, sign_off as Run<_, _, _>);
    world.actor = on_behalf(SIGNER, OTHER);
    world.act_on(signed(&["a"], &[]), sign_off as Run<_, _, _>).unwrap();
    refused(&mut world, revise as Run<_, _, _>);
    // Who signed it off may revise that.
    world.actor = on_behalf(SIGNER, OTHER);
    world.act_on(signed(&["c"], &[]), revise as Run<_, _, _>).unwrap();
    let pioneers: Vec<_> = world.campaign().sign_offs.into_iter().map(|sign_off| sign_off.pioneers).collect();
    assert_eq!(pioneers, [[project("a")], [project("c")]]);
    assert_eq!(world.rebuilt(), world.rows);
}

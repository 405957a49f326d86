//! Sign-offs: who may be named a pioneer, each condition where all others hold.

use super::*;

/// 60 days before the campaign is over, and 59.
const SIXTY: Date = date(2021, 4, 10);
const FIFTY_NINE: Date = date(2021, 4, 11);

/// A campaign that is closed, with members that meet every condition of its pioneers but one, or all of them barely.
async fn closed() -> Office {
    let ids = ["barely", "best", "fine", "grave", "low", "short"];
    let mut office = Office::with(&ids).await;
    let joins = |id| match id {
        "barely" => SIXTY,
        "short" => FIFTY_NINE,
        _ => START,
    };
    let member = |id| CampaignMember { join_date: day(joins(id)), ..member(id, 100) };
    let mut given = campaign(ids.map(member).to_vec(), vec![criterion(Kind::Progress, 10_000)]);
    given.pioneer_rule = Some(CampaignPioneerRule { max: 2, min_score: "85".into(), min_days: 60 });
    given.veto = Some(CampaignVeto { min_severity: Severity::Critical.into(), aspects: Vec::new() });
    office.open(given).await;
    office.begin(FOUND).await;
    office.inspect("grave", "i", &BOTH, FOUND).await;
    office.find("grave", "f", Aspect::Safety, Severity::Critical).await;
    office.begin(END.tomorrow().unwrap()).await;
    for (id, fen) in [
        ("barely", 8_500),
        ("best", 9_900),
        ("fine", 9_000),
        ("grave", 10_000),
        ("low", 8_499),
        ("short", 10_000),
    ] {
        office.reports(id, (joins(id), END), fen).await;
    }
    office
}

async fn sign(office: &Office, principal: &str, pioneers: &[&str]) -> Result<Campaign, Status> {
    let pioneers = pioneers.iter().map(|id| project(id)).collect();
    let request = SignOffCampaignRequest { name: CAMPAIGN.into(), pioneers, ..Default::default() };
    let answer = office.campaigns().sign_off_campaign(by(principal, request)).await?;
    Ok(answer.into_inner().campaign.unwrap())
}

/// office.md, section 5: `NOT_ELIGIBLE` (vetoed, unranked, < min_days), and by min_score; at most so many pioneers.
#[tokio::test]
async fn a_pioneer_meets_every_condition_and_which_one_it_does_not_is_said() {
    let office = closed().await;
    let found = office.latest(END).await;
    let expected = [
        ("short", 1, "100.00", ""),
        ("best", 2, "99.00", ""),
        ("fine", 3, "90.00", ""),
        ("barely", 4, "85.00", ""),
        ("low", 5, "84.99", ""),
        ("grave", 6, "100.00", ""),
    ];
    assert_eq!(table(&found), expected);
    let finding = format!("it is vetoed by {}/findings/f", project("grave"));
    for (pioneer, why) in [
        ("grave", finding.as_str()),
        ("short", "it was a member for 59 days, and 60 at least are asked for"),
        ("low", "its total is 84.99, and 85 at least is asked for"),
    ] {
        for pioneers in [vec![pioneer], vec!["best", pioneer]] {
            let refused = sign(&office, "user:corp/signer", &pioneers).await.unwrap_err();
            assert_eq!(unmet(&refused), [("NOT_ELIGIBLE".into(), pioneer.into(), why.to_owned())]);
        }
    }
    let refused = sign(&office, "user:corp/signer", &["best", "fine", "barely"]).await.unwrap_err();
    let why = "3 are named, and 2 at most may be".to_owned();
    assert_eq!(unmet(&refused), [("TOO_MANY_PIONEERS".into(), "spring".into(), why)]);
    let refused = sign(&office, "user:corp/opener", &["best", "barely"]).await.unwrap_err();
    assert_eq!(unmet(&refused)[..].iter().map(|found| found.0.as_str()).collect::<Vec<_>>(), ["SAME_PERSON"]);
    // Who barely meets them all does.
    let signed = sign(&office, "user:corp/signer", &["best", "barely"]).await.unwrap();
    assert_eq!(signed.state(), campaign::State::Final);
    assert_eq!(signed.sign_offs[0].pioneers, [project("best"), project("barely")]);

    // Nor is it another person that revises it, if that opened it.
    let request =
        ReviseCampaignRequest { name: CAMPAIGN.into(), reason: "补报".into(), ..Default::default() };
    let revise = |principal| by(principal, request.clone());
    let refused = office.campaigns().revise_campaign(revise("user:corp/opener")).await.unwrap_err();
    assert_eq!(unmet(&refused)[0].0, "SAME_PERSON");
    office.campaigns().revise_campaign(revise("user:corp/signer")).await.unwrap();
    office.stop().await;
}

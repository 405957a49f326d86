//! Policies and programmes: the limits and the figures that office.md, section 3 names, in numbers; and the events of a
//! policy that takes the place of another.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::*;
use tonic::Code;
use tonic_types::StatusExt;

use super::events::events_after;
use super::office::{Office, faults, refusal};
use super::policies::{all_pages, policy, policy_name};

/// A policy with so many conditions.
fn with_conditions(count: usize) -> Policy {
    let ids: Vec<String> = (0..count).map(|i| format!("c{i}")).collect();
    policy(&ids.iter().map(|id| (id.as_str(), "true")).collect::<Vec<_>>())
}

#[tokio::test]
async fn office_3_a_policy_has_at_most_twenty_conditions() {
    let office = Office::open().await;
    office.programme().await;
    let created = office.try_policy("y", with_conditions(20)).await.unwrap();
    assert_eq!(created.conditions.len(), 20);
    let status = office.try_policy("z", with_conditions(21)).await.unwrap_err();
    assert_eq!(faults(&status), [("policy.conditions".into(), "TOO_MANY".into())]);
}

/// office.md, section 9, scenario 3: `x.all(…)` and 200 parentheses are refused with the column, and the server still
/// answers.
#[tokio::test]
async fn office_3_scenario_3_macros_and_200_parentheses_are_refused_with_their_columns() {
    let office = Office::open().await;
    office.programme().await;
    let deep = "(".repeat(200) + "true" + &")".repeat(200);
    let wrong = policy(&[("all", "org.attributes.all(x, x == 'a')"), ("deep", &deep)]);
    let status = office.try_policy("y", wrong).await.unwrap_err();
    let found = status.get_details_bad_request().unwrap().field_violations;
    let mut columns: Vec<(&str, &str)> = found
        .iter()
        .map(|fault| {
            let field = fault.field.trim_start_matches("policy.").trim_end_matches(".expression");
            (field, fault.description.split(':').next().unwrap())
        })
        .collect();
    columns.sort_unstable();
    let [of_all, of_deep] = ["conditions[0]", "conditions[1]"];
    let expected =
        [(of_all, "column 16"), (of_all, "column 20"), (of_all, "column 23"), (of_deep, "column 10")];
    assert_eq!(columns, expected);
    office.try_policy("y", policy(&[])).await.unwrap();
}

/// office.md, section 3: `milepost.policy.superseded` is in the entry of the successor's publication, and names it as
/// its cause.
#[tokio::test]
async fn office_3_a_publication_says_what_it_supersedes_in_one_entry() {
    let office = Office::open().await;
    office.programme().await;
    office.published("old", policy(&[])).await;
    office.try_policy("new", Policy { supersedes: policy_name("old"), ..policy(&[]) }).await.unwrap();
    let sequence = office.sequence();
    office.publish("new").await.unwrap();
    assert_eq!(office.sequence(), sequence + 1);
    let events = events_after(&office, sequence).await;
    let said: Vec<_> = events.iter().map(|event| (event.r#type.as_str(), event.subject.clone())).collect();
    let expected = [
        ("milepost.policy.published", policy_name("new")),
        ("milepost.policy.superseded", policy_name("old")),
    ];
    assert_eq!(said, expected);
    assert_eq!((events[0].caused_by.as_str(), &events[1].caused_by), ("", &events[0].event_id));
    let Some(Payload::PolicySuperseded(payload)) = &events[1].payload else { panic!("{:?}", events[1]) };
    assert_eq!(payload.superseded_by, policy_name("new"));
}

/// office.md, section 3: declared_count 40; 418; 10; two lists of seven, whose counts are said.
#[tokio::test]
async fn office_3_programmes_keep_the_counts_that_were_declared() {
    let office = Office::open().await;
    let list = |code: &str| PolicyGroup {
        code: code.into(),
        title: format!("清单 {code}"),
        declared_count: Some(7),
        ..PolicyGroup::default()
    };
    for (id, declared_count, groups) in [
        ("golden-phoenix", Some(40), Vec::new()),
        ("delegated-powers", Some(418), Vec::new()),
        ("ten-measures", Some(10), Vec::new()),
        ("two-lists", None, vec![list("officials"), list("firms")]),
    ] {
        let programme = PolicyProgramme {
            display_name: id.into(),
            declared_count,
            groups: groups.clone(),
            ..Default::default()
        };
        let request = CreatePolicyProgrammeRequest {
            policy_programme_id: id.into(),
            policy_programme: Some(programme),
            ..Default::default()
        };
        office.policy_programmes().create_policy_programme(request).await.unwrap();
        let request =
            GetPolicyProgrammeRequest { name: format!("policyProgrammes/{id}"), ..Default::default() };
        let read = office.policy_programmes().get_policy_programme(request).await.unwrap().into_inner();
        let read = read.policy_programme.unwrap();
        assert_eq!((read.declared_count, read.groups), (declared_count, groups), "{id}");
    }
}

/// office.md, section 3: a look at a policy stops at the first FALSE unless it explains.
#[tokio::test]
async fn office_3_a_batch_stops_at_the_first_condition_that_fails_unless_it_explains() {
    let office = Office::open().await;
    office.programme().await;
    office.firm("firm", &[("rating", "A")]).await;
    let fails = "org.attributes.rating == 'B'";
    office
        .published("y", policy(&[("one", fails), ("two", fails), ("three", "org.attributes.x == 'x'")]))
        .await;
    for (explain, counts, unmet) in [(false, (1, 0), 0), (true, (2, 1), 3)] {
        let request = BatchMatchPoliciesRequest {
            policy_programme: "policyProgrammes/golden-phoenix".into(),
            explain,
            ..Default::default()
        };
        let answer = office.policies().batch_match_policies(request).await.unwrap().into_inner();
        let [found] = &answer.matches[..] else { panic!("{answer:?}") };
        assert_eq!(found.outcome(), Outcome::DoesNotFit);
        assert_eq!((found.failed_count, found.unknown_count), counts, "explain: {explain}");
        assert_eq!(found.unmet_conditions.len(), unmet, "explain: {explain}");
    }
}

/// office.md, section 3: DRAFT, PUBLISHED: once.
#[tokio::test]
async fn two_who_publish_at_once_publish_once() {
    let office = Office::open().await;
    office.programme().await;
    office.try_policy("y", policy(&[])).await.unwrap();
    let (one, other) = tokio::join!(office.publish("y"), office.publish("y"));
    let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refusal(&refused[0]), (Code::FailedPrecondition, "WRONG_STATE".into()));
}

#[tokio::test]
async fn all_pages_are_about_the_day_of_the_first_though_midnight_comes_between() {
    let office = Office::open().await;
    office.programme().await;
    office.firm("firm", &[]).await;
    let [today, tomorrow] = [27, 28].map(|day| Some(Date { year: 2021, month: 5, day }));
    for (id, from, until) in [("a", None, None), ("b", None, today), ("c", tomorrow, None)] {
        office.published(id, Policy { valid_from: from, valid_until: until, ..policy(&[]) }).await;
    }
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let request = MatchPoliciesRequest {
            organization: "organizations/firm".into(),
            page_size: 1,
            page_token: token,
            ..Default::default()
        };
        let answer = office.matched(request).await.unwrap();
        assert_eq!(answer.date, today);
        pages.extend(answer.matches.into_iter().map(|found| (found.policy.clone(), found.outcome())));
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
        office.clock.advance(std::time::Duration::from_secs(86_400).try_into().unwrap());
    }
    let expected = [("a", Outcome::Unknown), ("b", Outcome::Unknown), ("c", Outcome::NotInForce)];
    assert_eq!(pages, expected.map(|(id, outcome)| (policy_name(id), outcome)));
}

/// A page costs no more than a bound: the next one goes on where it ends, also between two reads of organizations.
#[tokio::test]
async fn a_page_about_many_ends_with_what_it_costs_though_nothing_was_found() {
    let office = Office::open().await;
    office.programme().await;
    let (policies, firms) = (494, 205);
    for i in 0..policies {
        office.published(&format!("y{i:03}"), policy(&[("never", "false")])).await;
    }
    for i in 0..firms {
        office.firm(&format!("f{i:03}"), &[]).await;
    }
    office.published("last", policy(&[("one", "org.name == 'organizations/f204'")])).await;
    let request = BatchMatchPoliciesRequest {
        policy_programme: "policyProgrammes/golden-phoenix".into(),
        outcomes: vec![Outcome::Fits.into()],
        page_size: 1_000,
        ..Default::default()
    };
    let (found, pages) = all_pages(&office, request).await;
    let found: Vec<_> = found.iter().map(|found| (&*found.organization, &*found.policy)).collect();
    assert_eq!((found, pages), (vec![("organizations/f204", &*policy_name("last"))], 2));
}

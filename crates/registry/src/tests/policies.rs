//! Policy programmes and policies: what is checked, how they are published and taken back, and which policies fit whom.

use std::collections::BTreeMap;

use milepost_ledger::{Actor, Authentication, CommandId, Context};
use milepost_proto::access::v1::Person;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::policy::{Kind, Subject};
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::unmet_condition::Result as ConditionResult;
use milepost_proto::registry::v1::*;
use milepost_resource::{Custom, Table, Target};
use milepost_service::access::Permit;
use milepost_types::{LogId, Rejection};
use prost::Message;
use tonic::{Code, Status};

use super::office::{Office, conditions, faults, named, refusal};
use super::rows::Rows;
use crate::policy::{programme, rules};
use crate::tables::{Registry, Scope};

/// The day of the office.
const TODAY: Date = Date { year: 2021, month: 5, day: 27 };

fn on(month: i32, day: i32) -> Option<Date> {
    Some(Date { year: 2021, month, day })
}

/// A policy about organizations with these conditions, each with its id.
pub(super) fn policy(conditions: &[(&str, &str)]) -> Policy {
    let condition = |(id, expression): &(&str, &str)| PolicyCondition {
        id: id.to_string(),
        title: format!("条件 {id}"),
        expression: expression.to_string(),
        alternative: String::new(),
    };
    Policy {
        display_name: "研发补助".into(),
        kind: Kind::Incentive.into(),
        subject: Subject::Organization.into(),
        conditions: conditions.iter().map(condition).collect(),
        ..Policy::default()
    }
}

pub(super) fn policy_name(id: &str) -> String {
    format!("policyProgrammes/golden-phoenix/policies/{id}")
}

/// Four fields, whose counts were not said.
fn golden_phoenix() -> PolicyProgramme {
    let group = |(code, title): (&str, &str)| PolicyGroup {
        code: code.into(),
        title: title.into(),
        ..PolicyGroup::default()
    };
    let fields = [("talent", "人才"), ("innovation", "创新"), ("industry", "产业"), ("finance", "金融")];
    PolicyProgramme {
        display_name: "金凤凰".into(),
        issuer: "科学城管委会".into(),
        declared_count: Some(40),
        groups: fields.map(group).to_vec(),
        ..PolicyProgramme::default()
    }
}

impl Office {
    pub(super) async fn programme(&self) -> PolicyProgramme {
        let request = CreatePolicyProgrammeRequest {
            policy_programme_id: "golden-phoenix".into(),
            policy_programme: Some(golden_phoenix()),
            ..Default::default()
        };
        let created = self.policy_programmes().create_policy_programme(request).await.unwrap();
        created.into_inner().policy_programme.unwrap()
    }

    pub(super) async fn try_policy(&self, id: &str, policy: Policy) -> Result<Policy, Status> {
        let request = CreatePolicyRequest {
            parent: "policyProgrammes/golden-phoenix".into(),
            policy_id: id.into(),
            policy: Some(policy),
            ..Default::default()
        };
        Ok(self.policies().create_policy(request).await?.into_inner().policy.unwrap())
    }

    pub(super) async fn publish(&self, id: &str) -> Result<PublishPolicyResponse, Status> {
        let request = PublishPolicyRequest { name: policy_name(id), ..Default::default() };
        Ok(self.policies().publish_policy(request).await?.into_inner())
    }

    /// A policy that is published.
    pub(super) async fn published(&self, id: &str, policy: Policy) -> Policy {
        self.try_policy(id, policy).await.unwrap();
        self.publish(id).await.unwrap().policy.unwrap()
    }

    pub(super) async fn withdraw(&self, id: &str) -> Result<Policy, Status> {
        let request =
            WithdrawPolicyRequest { name: policy_name(id), reason: "试".into(), ..Default::default() };
        Ok(self.policies().withdraw_policy(request).await?.into_inner().policy.unwrap())
    }

    /// An organization with these attributes; one that is there has them from now on.
    pub(super) async fn firm(&self, id: &str, attributes: &[(&str, &str)]) {
        let attributes: BTreeMap<_, _> =
            attributes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let organization = Organization {
            name: format!("organizations/{id}"),
            display_name: id.into(),
            kind: organization::Kind::Enterprise.into(),
            attributes,
            ..Organization::default()
        };
        let organization = Some(organization);
        let request = CreateOrganizationRequest {
            organization_id: id.into(),
            organization: organization.clone(),
            ..Default::default()
        };
        if self.organizations().create_organization(request).await.is_err() {
            let mask = prost_types::FieldMask { paths: vec!["attributes".into()] };
            let request =
                UpdateOrganizationRequest { organization, update_mask: Some(mask), ..Default::default() };
            self.organizations().update_organization(request).await.unwrap();
        }
    }

    /// How all policies stand to an organization, with why.
    pub(super) async fn matches(&self, organization: &str) -> Vec<PolicyMatch> {
        self.matched(MatchPoliciesRequest {
            organization: format!("organizations/{organization}"),
            explain: true,
            ..Default::default()
        })
        .await
        .unwrap()
        .matches
    }

    pub(super) async fn matched(
        &self,
        request: MatchPoliciesRequest,
    ) -> Result<MatchPoliciesResponse, Status> {
        Ok(self.policies().match_policies(request).await?.into_inner())
    }
}

/// The id of a policy and its outcome, of each match.
fn outcomes(matches: &[PolicyMatch]) -> Vec<(&str, Outcome)> {
    matches.iter().map(|found| (found.policy.rsplit('/').next().unwrap(), found.outcome())).collect()
}

#[tokio::test]
async fn office_3_a_programme_keeps_what_was_declared_and_is_published_once() {
    let office = Office::open().await;
    let created = office.programme().await;
    assert_eq!(
        (created.state(), created.declared_count, created.publish_date),
        (policy_programme::State::Draft, Some(40), None)
    );
    assert!(created.groups.iter().all(|group| group.declared_count.is_none()), "absent is not zero");

    let mut client = office.policy_programmes();
    let request = |publish_date| PublishPolicyProgrammeRequest {
        name: created.name.clone(),
        publish_date,
        ..Default::default()
    };
    // In UTC it is four o'clock, so that somewhere the next day has begun, but not the one after.
    let status = client.publish_policy_programme(request(on(5, 29))).await.unwrap_err();
    assert_eq!(faults(&status), [("publish_date".into(), "DATE_IN_FUTURE".into())]);
    let published = client.publish_policy_programme(request(on(3, 5))).await.unwrap().into_inner();
    let published = published.policy_programme.unwrap();
    assert_eq!((published.state(), published.publish_date), (policy_programme::State::Published, on(3, 5)));
    assert_eq!(published.groups, created.groups);
    let status = client.publish_policy_programme(request(None)).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
}

/// office.md, sections 0 and 3: an act without a day is today; policies are in no portfolio, so in UTC.
#[tokio::test]
async fn a_day_that_is_not_given_is_today_in_utc_and_one_that_has_begun_somewhere_may_be_given() {
    let office = Office::open().await;
    office.programme().await;
    for (id, given, publish_date) in
        [("a", None, Some(TODAY)), ("b", on(5, 27), on(5, 27)), ("c", on(1, 1), on(1, 1))]
    {
        office.try_policy(id, policy(&[])).await.unwrap();
        let request =
            PublishPolicyRequest { name: policy_name(id), publish_date: given, ..Default::default() };
        let published = office.policies().publish_policy(request).await.unwrap().into_inner().policy.unwrap();
        assert_eq!(published.publish_date, publish_date);
    }
    // At 11:00 UTC the 28th has begun on the islands that are 14 hours ahead.
    office.clock.advance(std::time::Duration::from_secs(7 * 3_600).try_into().unwrap());
    office.try_policy("d", policy(&[])).await.unwrap();
    let request =
        PublishPolicyRequest { name: policy_name("d"), publish_date: on(5, 28), ..Default::default() };
    office.policies().publish_policy(request).await.unwrap();
}

#[tokio::test]
async fn groups_that_policies_are_in_and_programmes_that_have_policies_stay() {
    let office = Office::open().await;
    let created = office.programme().await;
    office.try_policy("y", Policy { group: "talent".into(), ..policy(&[]) }).await.unwrap();
    let mut client = office.policy_programmes();
    let without = |codes: &[&str]| {
        let groups =
            golden_phoenix().groups.into_iter().filter(|group| !codes.contains(&group.code.as_str()));
        let programme =
            PolicyProgramme { name: created.name.clone(), groups: groups.collect(), ..Default::default() };
        UpdatePolicyProgrammeRequest { policy_programme: Some(programme), ..Default::default() }
    };
    let status = client.update_policy_programme(without(&["talent", "finance"])).await.unwrap_err();
    assert_eq!(conditions(&status), [("GROUP_IN_USE".into(), policy_name("y"))]);
    client.update_policy_programme(without(&["finance"])).await.unwrap();
    let delete = DeletePolicyProgrammeRequest { name: created.name.clone(), ..Default::default() };
    let status = client.delete_policy_programme(delete.clone()).await.unwrap_err();
    assert_eq!(conditions(&status), [("HAS_POLICIES".into(), policy_name("y"))]);
    let request = DeletePolicyRequest { name: policy_name("y"), ..Default::default() };
    office.policies().delete_policy(request).await.unwrap();
    client.delete_policy_programme(delete).await.unwrap();
    let status = office.try_policy("z", policy(&[])).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "RESOURCE_DELETED".into()));
    let request = UndeletePolicyRequest { name: policy_name("y"), ..Default::default() };
    let status = office.policies().undelete_policy(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "RESOURCE_DELETED".into()));
}

#[tokio::test]
async fn every_fault_of_a_programme_is_named_at_once() {
    let office = Office::open().await;
    let group = |code: &str, count| PolicyGroup {
        code: code.into(),
        title: "组".into(),
        declared_count: count,
        ..Default::default()
    };
    let programme = PolicyProgramme {
        groups: vec![group("a", Some(-1)), group("a", None), group("A b", None), PolicyGroup::default()],
        declared_count: Some(-1),
        ..PolicyProgramme::default()
    };
    let request = CreatePolicyProgrammeRequest { policy_programme: Some(programme), ..Default::default() };
    let status = office.policy_programmes().create_policy_programme(request).await.unwrap_err();
    let mut found = faults(&status);
    found.sort();
    let expected = [
        ("declared_count", "OUT_OF_RANGE"),
        ("display_name", "REQUIRED"),
        ("groups[0].declared_count", "OUT_OF_RANGE"),
        ("groups[1].code", "DUPLICATE"),
        ("groups[2].code", "INVALID_ID"),
        ("groups[3].code", "REQUIRED"),
        ("groups[3].title", "REQUIRED"),
    ];
    let expected = expected.map(|(field, reason)| (format!("policy_programme.{field}"), reason.to_owned()));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn office_3_every_fault_of_a_policy_is_named_at_once_with_its_column_and_the_server_still_answers() {
    let office = Office::open().await;
    office.programme().await;
    let deep = "(".repeat(200) + "true" + &")".repeat(200);
    let mut wrong = policy(&[
        ("all", "org.attributes.all(x, x == 'a')"),
        ("deep", &deep),
        ("chain", &"1+".repeat(1_600)),
        ("all", "org.nme == 'x' && 1"),
        ("Not An Id", ""),
    ]);
    wrong.display_name.clear();
    wrong.conditions[0].alternative = "Or".into();
    wrong.kind = 0;
    wrong.group = "-".into();
    let status = office.try_policy("y", wrong).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FIELDS".into()));
    let mut found = faults(&status);
    found.sort();
    let expected = [
        ("conditions[0].alternative", "INVALID_ID"),
        ("conditions[0].expression", "EXPRESSION_NOT_SUPPORTED"),
        ("conditions[0].expression", "EXPRESSION_UNKNOWN_NAME"),
        ("conditions[0].expression", "EXPRESSION_UNKNOWN_NAME"),
        ("conditions[1].expression", "EXPRESSION_TOO_LARGE"),
        ("conditions[2].expression", "EXPRESSION_TOO_LARGE"),
        ("conditions[3].expression", "EXPRESSION_UNKNOWN_NAME"),
        ("conditions[3].expression", "EXPRESSION_WRONG_TYPE"),
        ("conditions[3].id", "DUPLICATE"),
        ("conditions[4].expression", "REQUIRED"),
        ("conditions[4].id", "INVALID_ID"),
        ("display_name", "REQUIRED"),
        ("group", "INVALID_ID"),
        ("kind", "REQUIRED"),
    ];
    let expected = expected.map(|(field, reason)| (format!("policy.{field}"), reason.to_owned()));
    assert_eq!(found, expected);
    assert!(
        status.message().contains("column 16") || format!("{status:?}").contains("column 16"),
        "{status:?}"
    );
    assert_eq!(office.sequence(), 1);
    office.try_policy("y", policy(&[])).await.unwrap();
}

#[tokio::test]
async fn what_a_policy_may_ask_about_depends_on_its_subject() {
    let office = Office::open().await;
    office.programme().await;
    let about_projects = policy(&[("key", "project.key")]);
    let status = office.try_policy("y", about_projects.clone()).await.unwrap_err();
    assert_eq!(
        faults(&status),
        [("policy.conditions[0].expression".into(), "EXPRESSION_UNKNOWN_NAME".into())]
    );
    let about_projects = Policy { subject: Subject::Project.into(), ..about_projects };
    office.try_policy("y", about_projects.clone()).await.unwrap();
    // An update of the one or of the other must fit what there is.
    let update = |policy: Policy, path: &str| UpdatePolicyRequest {
        policy: Some(Policy { name: policy_name("y"), ..policy }),
        update_mask: Some(prost_types::FieldMask { paths: vec![path.into()] }),
        ..Default::default()
    };
    let request = update(policy(&[]), "subject");
    let status = office.policies().update_policy(request).await.unwrap_err();
    assert_eq!(
        faults(&status),
        [("policy.conditions[0].expression".into(), "EXPRESSION_UNKNOWN_NAME".into())]
    );
    let mut new = policy(&[("ring", "project.labels.ring == 'inner'")]);
    new.subject = 0;
    let updated = office.policies().update_policy(update(new, "conditions")).await.unwrap().into_inner();
    assert_eq!(updated.policy.unwrap().conditions[0].id, "ring");
}

/// office.md, section 3: group, `supersedes`, valid from and until.
#[tokio::test]
async fn references_of_a_policy_are_checked() {
    let office = Office::open().await;
    office.programme().await;
    let status = office.try_policy("y", Policy { group: "sport".into(), ..policy(&[]) }).await.unwrap_err();
    assert_eq!(faults(&status), [("policy.group".into(), "UNKNOWN_GROUP".into())]);
    let superseding = |id: &str| Policy { supersedes: policy_name(id), ..policy(&[]) };
    let status = office.try_policy("y", superseding("y")).await.unwrap_err();
    assert_eq!(faults(&status), [("policy.supersedes".into(), "SUPERSEDES_ITSELF".into())]);
    let status = office.try_policy("y", superseding("x")).await.unwrap_err();
    assert_eq!(conditions(&status), [("REFERENCE_NOT_FOUND".into(), policy_name("x"))]);
    let backwards = Policy { valid_from: on(3, 5), valid_until: on(3, 4), ..policy(&[]) };
    let status = office.try_policy("y", backwards).await.unwrap_err();
    assert_eq!(faults(&status)[0].0, "policy.valid_until");
}

#[tokio::test]
async fn office_3_a_policy_is_fixed_once_published_and_is_withdrawn_once() {
    let office = Office::open().await;
    office.programme().await;
    office.try_policy("y", policy(&[])).await.unwrap();
    let status = office.withdraw("y").await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let published = office.publish("y").await.unwrap().policy.unwrap();
    assert_eq!((published.state(), published.publish_date), (policy::State::Published, Some(TODAY)));
    let update = UpdatePolicyRequest {
        policy: Some(Policy { name: policy_name("y"), description: "新".into(), ..Policy::default() }),
        ..Default::default()
    };
    let delete = DeletePolicyRequest { name: policy_name("y"), ..Default::default() };
    for status in [
        office.publish("y").await.unwrap_err(),
        office.policies().update_policy(update.clone()).await.unwrap_err(),
        office.policies().delete_policy(delete.clone()).await.unwrap_err(),
    ] {
        assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
    }
    let request =
        WithdrawPolicyRequest { name: policy_name("y"), withdrawal_date: on(5, 30), ..Default::default() };
    let status = office.policies().withdraw_policy(request).await.unwrap_err();
    let both = [("reason", "REQUIRED"), ("withdrawal_date", "DATE_IN_FUTURE")];
    assert_eq!(faults(&status), both.map(|(field, why)| (field.to_owned(), why.to_owned())));
    let withdrawn = office.withdraw("y").await.unwrap();
    assert_eq!((withdrawn.state(), withdrawn.withdrawal_date), (policy::State::Withdrawn, Some(TODAY)));
    assert_eq!(withdrawn.withdrawal_reason, "试");
    for status in
        [office.withdraw("y").await.unwrap_err(), office.policies().update_policy(update).await.unwrap_err()]
    {
        assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
    }
    office.policies().delete_policy(delete).await.unwrap();
}

#[tokio::test]
async fn office_3_publishing_a_successor_is_told_to_the_one_before() {
    let office = Office::open().await;
    office.programme().await;
    office.try_policy("old", policy(&[])).await.unwrap();
    office.try_policy("new", Policy { supersedes: policy_name("old"), ..policy(&[]) }).await.unwrap();
    let status = office.publish("new").await.unwrap_err();
    assert_eq!(conditions(&status), [("NOT_PUBLISHED".into(), policy_name("old"))]);
    office.publish("old").await.unwrap();
    office.publish("new").await.unwrap();
    let request = GetPolicyRequest { name: policy_name("old"), ..Default::default() };
    let old = office.policies().get_policy(request).await.unwrap().into_inner().policy.unwrap();
    assert_eq!(
        (old.state(), old.superseded_by.as_slice()),
        (policy::State::Published, &[policy_name("new")][..])
    );
}

#[tokio::test]
async fn office_3_publishing_answers_with_attributes_that_no_organization_has() {
    let office = Office::open().await;
    office.programme().await;
    office.firm("a", &[("employees", "9")]).await;
    office.firm("gone", &[("patents", "1")]).await;
    let delete = DeleteOrganizationRequest { name: "organizations/gone".into(), ..Default::default() };
    office.organizations().delete_organization(delete).await.unwrap();
    let conditions = [
        ("a", "org.attributes.employees != '' && has(org.attributes.patents)"),
        ("b", "org.attributes[\"r-and-d\"] == '' || org.identifiers.uscc == '' || 'x' in org.attributes"),
    ];
    office.try_policy("y", policy(&conditions)).await.unwrap();
    let request =
        PublishPolicyRequest { name: policy_name("y"), request_id: "r".into(), ..Default::default() };
    let tried = PublishPolicyRequest { validate_only: true, request_id: String::new(), ..request.clone() };
    for request in [tried, request.clone(), request] {
        let answer = office.policies().publish_policy(request).await.unwrap().into_inner();
        assert_eq!(answer.unknown_attributes, ["patents", "r-and-d", "x"]);
        assert_eq!(answer.policy.unwrap().state(), policy::State::Published);
    }
}

#[tokio::test]
async fn office_3_scenario_3_employees_are_absent_too_few_or_not_a_number() {
    let office = Office::open().await;
    office.programme().await;
    let enough = ("staff", "num(org.attributes.employees) >= num(\"100\")");
    office.published("y", policy(&[enough])).await;
    office.published("z", policy(&[enough, ("kind", "org.kind == 'UNIVERSITY'")])).await;
    for (employees, outcome, result, value, absent, error) in [
        (None, Outcome::Unknown, ConditionResult::Unknown, None, &["org.attributes.employees"][..], ""),
        (Some("99"), Outcome::DoesNotFit, ConditionResult::False, Some("99"), &[], ""),
        (
            Some("99 people"),
            Outcome::Unknown,
            ConditionResult::Error,
            Some("99 people"),
            &[],
            "\"99 people\" is not a number",
        ),
    ] {
        let attributes: Vec<_> = employees.map(|employees| ("employees", employees)).into_iter().collect();
        office.firm("firm", &attributes).await;
        let found = office.matches("firm").await;
        assert_eq!(outcomes(&found), [("y", outcome), ("z", Outcome::DoesNotFit)], "{employees:?}");
        let [unmet] = &found[0].unmet_conditions[..] else { panic!("{found:?}") };
        assert_eq!(
            (unmet.id.as_str(), unmet.title.as_str(), unmet.result()),
            ("staff", "条件 staff", result)
        );
        assert_eq!(unmet.expression, enough.1);
        assert_eq!(unmet.absent_keys, absent);
        assert!(
            unmet.error.starts_with(error) && unmet.error.is_empty() == error.is_empty(),
            "{}",
            unmet.error
        );
        let values: Vec<_> =
            unmet.values.iter().map(|value| (value.key.as_str(), value.value.as_str())).collect();
        assert_eq!(
            values,
            value.map(|value| ("org.attributes.employees", value)).into_iter().collect::<Vec<_>>()
        );
        // What fails comes before what is not known.
        let ids = found[1].unmet_conditions.iter().map(|unmet| unmet.id.as_str());
        let ids: Vec<_> = ids.collect();
        assert_eq!(ids, if employees == Some("99") { ["staff", "kind"] } else { ["kind", "staff"] });
    }
    office.firm("firm", &[("employees", "100")]).await;
    assert_eq!(outcomes(&office.matches("firm").await)[0], ("y", Outcome::Fits));
}

#[tokio::test]
async fn office_3_a_policy_is_in_force_from_its_first_day_to_its_last_and_before_its_withdrawal() {
    let office = Office::open().await;
    office.programme().await;
    office.firm("firm", &[]).await;
    let valid = Policy { valid_from: on(3, 5), valid_until: on(4, 30), ..policy(&[("a", "true")]) };
    office.published("ends", valid.clone()).await;
    office.published("withdrawn", valid).await;
    office.published("open", policy(&[("a", "true")])).await;
    office.try_policy("draft", policy(&[("a", "true")])).await.unwrap();
    let request = WithdrawPolicyRequest {
        name: policy_name("withdrawn"),
        reason: "试".into(),
        withdrawal_date: on(4, 1),
        ..Default::default()
    };
    office.policies().withdraw_policy(request).await.unwrap();
    for (date, in_force) in [
        (on(3, 4), &["open"][..]),
        (on(3, 5), &["ends", "open", "withdrawn"]),
        (on(3, 31), &["ends", "open", "withdrawn"]),
        (on(4, 1), &["ends", "open"]),
        (on(4, 30), &["ends", "open"]),
        (on(5, 1), &["open"]),
        (on(12, 31), &["open"]),
    ] {
        let request =
            MatchPoliciesRequest { organization: "organizations/firm".into(), date, ..Default::default() };
        let answer = office.matched(request).await.unwrap();
        assert_eq!((answer.date, answer.matches.len()), (date, 3));
        let fits = answer.matches.iter().filter(|found| found.outcome() == Outcome::Fits);
        let fits: Vec<_> = fits.map(|found| found.policy.rsplit('/').next().unwrap()).collect();
        assert_eq!(fits, in_force, "{date:?}");
        let rest = answer.matches.iter().skip(in_force.len());
        assert!(
            rest.clone().all(|found| found.outcome() == Outcome::NotInForce && found.failed_count == 0),
            "{date:?}"
        );
    }
    let request = MatchPoliciesRequest { organization: "organizations/firm".into(), ..Default::default() };
    assert_eq!(office.matched(request).await.unwrap().date, Some(TODAY));
}

#[tokio::test]
async fn office_3_conditions_make_one_outcome_and_alternatives_are_one_condition() {
    let office = Office::open().await;
    office.programme().await;
    office.firm("firm", &[("rating", "A")]).await;
    let (holds, fails, unknown) =
        ("org.attributes.rating == 'A'", "org.attributes.rating == 'B'", "org.attributes.x == 'x'");
    for (id, conditions, outcome, counts) in [
        ("none", &[][..], Outcome::Unknown, (0, 0)),
        ("all", &[("", holds), ("", holds)], Outcome::Fits, (0, 0)),
        ("fails", &[("", holds), ("", fails)], Outcome::DoesNotFit, (1, 0)),
        ("unknown", &[("", holds), ("", unknown)], Outcome::Unknown, (0, 1)),
        ("both", &[("", unknown), ("", fails), ("", fails)], Outcome::DoesNotFit, (2, 1)),
        ("or", &[("o", fails), ("", holds), ("o", holds)], Outcome::Fits, (0, 0)),
        ("or-unknown", &[("o", fails), ("o", unknown)], Outcome::Unknown, (0, 1)),
        ("or-holds", &[("o", unknown), ("o", holds)], Outcome::Fits, (0, 0)),
        ("or-fails", &[("o", fails), ("o", fails), ("p", holds)], Outcome::DoesNotFit, (1, 0)),
        ("two-ors", &[("o", fails), ("p", fails), ("o", holds), ("p", unknown)], Outcome::Unknown, (0, 1)),
    ] {
        let mut policy = policy(&[]);
        for (i, (alternative, expression)) in conditions.iter().enumerate() {
            policy.conditions.push(PolicyCondition {
                id: format!("c{i}"),
                title: "条件".into(),
                expression: expression.to_string(),
                alternative: alternative.to_string(),
            });
        }
        office.published(id, policy).await;
        let found = office.matches("firm").await;
        let found = found.iter().find(|found| found.policy == policy_name(id)).unwrap();
        assert_eq!((found.outcome(), (found.failed_count, found.unknown_count)), (outcome, counts), "{id}");
        let explained = !found.unmet_conditions.is_empty();
        assert_eq!(explained, counts != (0, 0), "{id}: what holds, or has no conditions, needs no why");
    }
    let found = office.matches("firm").await;
    let order: Vec<_> = outcomes(&found).into_iter().map(|(id, _)| id).collect();
    let expected =
        ["all", "or", "or-holds", "none", "or-unknown", "two-ors", "unknown", "fails", "or-fails", "both"];
    assert_eq!(
        order, expected,
        "what fits, then the fewest that fail, then the fewest that are not known, then by name"
    );
}

#[tokio::test]
async fn office_3_policies_about_projects_are_asked_once_for_each() {
    let office = Office::with_portfolio().await;
    office.programme().await;
    office.firm("firm", &[]).await;
    office.firm("other", &[]).await;
    let party = |id: &str, role: &str| Party {
        organization: format!("organizations/{id}"),
        roles: vec![role.into()],
    };
    for (id, parties) in [
        ("road", vec![party("firm", "supplier"), party("other", "funder")]),
        ("bridge", vec![party("firm", "funder")]),
        ("tunnel", vec![party("other", "supplier")]),
    ] {
        office.project(id, Project { parties, ..named(id) }).await;
    }
    let supplies =
        Policy { subject: Subject::Project.into(), ..policy(&[("role", "'supplier' in project.roles")]) };
    office.published("supplies", supplies).await;
    office.published("firms", policy(&[("kind", "org.kind == 'ENTERPRISE'")])).await;
    let found = office.matches("firm").await;
    let found: Vec<_> =
        found.iter().map(|found| (found.project.rsplit('/').next().unwrap(), found.outcome())).collect();
    assert_eq!(found, [("", Outcome::Fits), ("road", Outcome::Fits), ("bridge", Outcome::DoesNotFit)]);

    let named = |organization: &str, project: &str| MatchPoliciesRequest {
        organization: format!("organizations/{organization}"),
        project: format!("portfolios/wsc/projects/{project}"),
        ..Default::default()
    };
    let answer = office.matched(named("firm", "road")).await.unwrap();
    assert_eq!(answer.matches.len(), 2);
    let status = office.matched(named("firm", "tunnel")).await.unwrap_err();
    assert_eq!(conditions(&status), [("NOT_A_PARTY".into(), "portfolios/wsc/projects/tunnel".into())]);
    let status = office.matched(named("firm", "none")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::NotFound, "RESOURCE_NOT_FOUND".into()));
    let status = office.matched(named("nobody", "road")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::NotFound, "RESOURCE_NOT_FOUND".into()));
    let delete = DeleteProjectRequest { name: "portfolios/wsc/projects/bridge".into(), ..Default::default() };
    office.projects().delete_project(delete).await.unwrap();
    assert_eq!(office.matches("firm").await.len(), 2, "what is deleted is not looked at");
    let status = office.matched(named("firm", "bridge")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "RESOURCE_DELETED".into()));
}

/// office.md, section 3: fewest failures first, paged.
#[tokio::test]
async fn pages_of_matches_are_in_one_order_and_their_tokens_are_of_one_question() {
    let office = Office::open().await;
    office.programme().await;
    office.firm("firm", &[]).await;
    for i in 0..7 {
        let conditions = [("a", "true"), ("b", "false"), ("c", "false")];
        let policy = Policy { number: i.to_string(), ..policy(&conditions[..1 + i % 3]) };
        office.published(&format!("y{i}"), policy).await;
    }
    let request = MatchPoliciesRequest {
        organization: "organizations/firm".into(),
        page_size: 3,
        ..Default::default()
    };
    let (mut request, mut ids, mut pages) = (request, Vec::new(), 0);
    loop {
        let answer = office.matched(request.clone()).await.unwrap();
        ids.extend(answer.matches.iter().map(|found| found.policy.rsplit('/').next().unwrap().to_owned()));
        pages += 1;
        if answer.next_page_token.is_empty() {
            break;
        }
        request.page_token = answer.next_page_token;
    }
    assert_eq!((pages, ids), (3, ["y0", "y3", "y6", "y1", "y4", "y2", "y5"].map(str::to_owned).to_vec()));
    let other = MatchPoliciesRequest { explain: true, ..request };
    let status = office.matched(other).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);

    let filtered = MatchPoliciesRequest {
        organization: "organizations/firm".into(),
        filter: "number = \"2\" OR number = \"5\"".into(),
        policy_programme: "policyProgrammes/golden-phoenix".into(),
        ..Default::default()
    };
    assert_eq!(office.matched(filtered.clone()).await.unwrap().matches.len(), 2);
    let wrong = MatchPoliciesRequest { filter: "colour = 1".into(), ..filtered.clone() };
    assert_eq!(
        refusal(&office.matched(wrong).await.unwrap_err()),
        (Code::InvalidArgument, "INVALID_FILTER".into())
    );
    let wrong = MatchPoliciesRequest { policy_programme: "policyProgrammes/none".into(), ..filtered };
    assert_eq!(
        refusal(&office.matched(wrong).await.unwrap_err()),
        (Code::NotFound, "RESOURCE_NOT_FOUND".into())
    );
    let wrong = MatchPoliciesRequest {
        organization: "firm".into(),
        project: "road".into(),
        policy_programme: "x".into(),
        date: on(2, 30),
        page_size: -1,
        filter: "((".into(),
        ..Default::default()
    };
    let mut fields: Vec<_> =
        faults(&office.matched(wrong).await.unwrap_err()).into_iter().map(|fault| fault.0).collect();
    fields.sort();
    assert_eq!(fields, ["date", "filter", "organization", "page_size", "policy_programme", "project"]);
}

fn batch() -> BatchMatchPoliciesRequest {
    BatchMatchPoliciesRequest {
        policy_programme: "policyProgrammes/golden-phoenix".into(),
        ..Default::default()
    }
}

/// Everything that a request answers, page by page, and how many pages there were.
pub(super) async fn all_pages(
    office: &Office,
    mut request: BatchMatchPoliciesRequest,
) -> (Vec<PolicyMatch>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let answer = office.policies().batch_match_policies(request.clone()).await.unwrap().into_inner();
        assert!(answer.encoded_len() <= 4 << 20);
        found.extend(answer.matches);
        pages += 1;
        if answer.next_page_token.is_empty() {
            return (found, pages);
        }
        request.page_token = answer.next_page_token;
    }
}

#[tokio::test]
async fn office_3_a_batch_answers_for_each_organization_as_a_question_for_one_does() {
    let office = Office::open().await;
    office.programme().await;
    for i in 0..23 {
        let employees = (i * 10).to_string();
        let attributes = [("employees", employees.as_str()), ("city", "重庆")];
        office.firm(&format!("f{i:02}"), if i % 5 == 0 { &attributes[1..] } else { &attributes }).await;
    }
    for least in [50, 100, 150] {
        let expression = format!("num(org.attributes.employees) >= num('{least}')");
        office
            .published(
                &format!("y{least}"),
                policy(&[("staff", &expression), ("kind", "org.kind != 'OTHER'")]),
            )
            .await;
    }
    let mut by_one = Vec::new();
    for i in 0..23 {
        let mut found = office.matches(&format!("f{i:02}")).await;
        found.sort_by(|one, other| one.policy.cmp(&other.policy));
        by_one.extend(found);
    }
    for size in [1, 7, 23, 1_000] {
        let request = BatchMatchPoliciesRequest { page_size: size, explain: true, ..batch() };
        let (found, pages) = all_pages(&office, request).await;
        assert_eq!(found, by_one);
        assert_eq!(pages, 23_usize.div_ceil(size as usize), "{size}");
    }
    let fits = |found: &PolicyMatch| found.outcome() == Outcome::Fits;
    let request = BatchMatchPoliciesRequest { outcomes: vec![Outcome::Fits.into()], page_size: 5, ..batch() };
    let (found, _) = all_pages(&office, request).await;
    let expected: Vec<_> = by_one.iter().filter(|found| fits(found)).cloned().collect();
    assert_eq!(found, expected);
    assert!(!found.is_empty() && found.len() < by_one.len());
    let request =
        BatchMatchPoliciesRequest { organization_filter: "attributes.employees = \"60\"".into(), ..batch() };
    assert_eq!(all_pages(&office, request).await.0.len(), 3);
}

#[tokio::test]
async fn a_batch_that_fills_several_answers_leaves_out_nothing_and_answers_nothing_twice() {
    let office = Office::open().await;
    office.programme().await;
    let (firms, policies) = (150, 60);
    for i in 0..firms {
        office.firm(&format!("f{i:03}"), &[]).await;
    }
    for i in 0..policies {
        let long = Policy { display_name: "策".repeat(200), ..policy(&[]) };
        office.published(&format!("y{i:02}"), long).await;
    }
    let (found, pages) = all_pages(&office, BatchMatchPoliciesRequest { page_size: 1_000, ..batch() }).await;
    let found = found.into_iter().map(|found| (found.organization, found.policy));
    let firms = (0..firms).map(|i| format!("organizations/f{i:03}"));
    let all =
        firms.flat_map(|firm| (0..policies).map(move |i| (firm.clone(), policy_name(&format!("y{i:02}")))));
    assert!(found.eq(all));
    assert_eq!(pages, 2, "each is filled");
}

#[tokio::test]
async fn a_batch_names_every_fault_and_its_tokens_are_its_own() {
    let office = Office::open().await;
    office.programme().await;
    for id in ["a", "b"] {
        office.firm(id, &[]).await;
    }
    office.published("y", policy(&[])).await;
    let wrong = BatchMatchPoliciesRequest {
        policy_programme: "golden-phoenix".into(),
        organization_filter: "colour = 1".into(),
        outcomes: vec![9, 0],
        page_size: -1,
        date: on(2, 30),
        ..Default::default()
    };
    let status = office.policies().batch_match_policies(wrong).await.unwrap_err();
    let mut fields: Vec<_> = faults(&status).into_iter().map(|fault| fault.0).collect();
    fields.sort();
    let expected =
        ["date", "organization_filter", "outcomes[0]", "outcomes[1]", "page_size", "policy_programme"];
    assert_eq!(fields, expected);
    let request = BatchMatchPoliciesRequest { page_size: 1, ..batch() };
    let answer = office.policies().batch_match_policies(request.clone()).await.unwrap().into_inner();
    let other = BatchMatchPoliciesRequest { page_token: answer.next_page_token, explain: true, ..request };
    let status = office.policies().batch_match_policies(other).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let list = ListOrganizationsRequest { page_size: 1, ..Default::default() };
    let token = office.organizations().list_organizations(list).await.unwrap().into_inner().next_page_token;
    let other = BatchMatchPoliciesRequest { page_token: token, page_size: 1, ..batch() };
    let status = office.policies().batch_match_policies(other).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

/// Whether a policy and a programme that these drafted are published by this actor.
fn published_by(actor: &Actor, drafters: &[&str]) -> [Result<(), Rejection>; 2] {
    let person = |principal: &&str| Person { principal: principal.to_string(), on_behalf_of: String::new() };
    let drafters: Vec<_> = drafters.iter().map(person).collect();
    let (programme, name) = ("policyProgrammes/golden-phoenix".to_owned(), policy_name("y"));
    let programme = PolicyProgramme {
        name: programme,
        drafters: drafters.clone(),
        state: policy_programme::State::Draft.into(),
        ..golden_phoenix()
    };
    let policy = Policy { name, drafters, state: policy::State::Draft.into(), ..policy(&[]) };
    let mut rows = Rows::default();
    Table::of::<Registry, PolicyProgramme>().put(&mut rows, programme.encode_to_vec().into()).unwrap();
    Table::of::<Registry, Policy>().put(&mut rows, policy.encode_to_vec().into()).unwrap();
    let now = "2021-05-27T04:00:00Z".parse().unwrap();
    let (log, command_id) = (LogId::from_bytes([7; 16]), CommandId::Server("s".to_owned()));
    let context =
        Context { log, sequence: 2, commit_time: now, now, actor: actor.clone(), command_id, seed: 1 };
    let (service, permit) = (Registry::default(), Permit::of_system());
    let rows = milepost_resource::Rows::new(&rows);
    let scope = Scope { service: &service, rows, context: &context, permit: &permit };
    let act = Custom::act(
        Target { name: policy.name.parse().unwrap(), etag: None },
        None,
        |scope: &Scope<'_>, policy: &_, date| rules::publish(scope, policy, date),
    );
    let other = Custom::act(
        Target { name: programme.name.parse().unwrap(), etag: None },
        None,
        |scope: &Scope<'_>, of: &_, date| programme::publish(scope, of, date),
    );
    [act.decide(&scope).map(|_| ()), other.decide(&scope).map(|_| ())]
}

#[test]
fn office_3_who_drafted_does_not_publish() {
    let actor = |principal: &str, on_behalf_of: &str, authentication| Actor {
        principal: principal.to_owned(),
        on_behalf_of: on_behalf_of.to_owned(),
        authentication,
        ..Actor::default()
    };
    let (a, b) = ("user:corp/a", "user:corp/b");
    for (same, kind) in [
        (actor(a, "", Authentication::Jwt), "SAME_PERSON"),
        (actor(a, "", Authentication::Claimed), "SAME_PERSON"),
        (actor(b, a, Authentication::ApiToken), "SAME_PERSON"),
        (Actor::default(), "ACTOR_UNKNOWN"),
    ] {
        for decided in published_by(&same, &[a]) {
            let Err(Rejection::Preconditions(found)) = decided else { panic!("published by who drafted it") };
            assert_eq!(found[0].kind, kind);
        }
    }
    assert_eq!(published_by(&actor(b, "", Authentication::Jwt), &[a]), [Ok(()), Ok(())]);
    assert_eq!(published_by(&Actor::default(), &[]), [Ok(()), Ok(())], "where nobody says who they are");
}

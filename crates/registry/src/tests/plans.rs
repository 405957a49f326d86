//! Plans and reports of a project: what is refused, and how plans are adjusted.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use milepost_types::limits;
use tonic::{Code, Status};

use super::events::last_event;
use super::office::{Office, cny, faults, named, project_name, refusal};
use super::reporting::{completed, date, fen, plan, planned, received};

fn fault(field: &str, reason: &str) -> (String, String) {
    (format!("project.{field}"), reason.to_owned())
}

async fn refused(office: &Office, project: Project) -> Vec<(String, String)> {
    faults(&office.try_project("x", project).await.unwrap_err())
}

/// office.md, section 1: completed periods MUST NOT overlap.
#[tokio::test]
async fn periods_of_reports_have_no_day_in_common_and_the_fault_names_both() {
    let office = Office::at("2021-12-31").await;
    let reports = vec![
        completed("2021-03-01", "2021-03-31", cny(1), ""),
        completed("2021-01-01", "2021-01-31", cny(1), ""),
        completed("2021-03-31", "2021-04-30", cny(1), ""),
        completed("2021-02-01", "2021-02-28", cny(1), ""),
        completed("2021-04-15", "2021-04-15", cny(1), ""),
    ];
    let funds = vec![
        received("2021-01-01", "2021-12-31", cny(1), ""),
        received("2021-02-01", "2021-02-28", cny(1), ""),
        received("2022-01-01", "2022-01-31", cny(1), ""),
    ];
    let project =
        Project { completed_investments: reports.clone(), received_funds: funds, ..named("项目") };
    let status = office.try_project("x", project).await.unwrap_err();
    let expected = [
        fault("completed_investments[2].period", "OVERLAP"),
        fault("completed_investments[4].period", "OVERLAP"),
        fault("received_funds[1].period", "OVERLAP"),
    ];
    assert_eq!(faults(&status), expected);
    let both = "2021-03-31 to 2021-04-30 has days in common with 2021-03-01 to 2021-03-31 of completed_investments[0]";
    assert!(format!("{status:?}").contains(both), "{status:?}");
    let sound = vec![reports[0].clone(), reports[1].clone(), reports[3].clone()];
    office.project("x", Project { completed_investments: sound, ..named("项目") }).await;
    let sequence = office.sequence();
    let project = Project { completed_investments: reports, ..Project::default() };
    let status = office.update("x", project, &["completed_investments"]).await.unwrap_err();
    assert_eq!(faults(&status), expected[..2]);
    assert_eq!(office.sequence(), sequence, "nothing changed");
}

/// office.md, section 1: the steps of a schedule rise.
#[tokio::test]
async fn steps_of_a_schedule_rise_within_the_year_up_to_the_plan() {
    let office = Office::at("2021-12-31").await;
    let step = |day: &str, amount: Money| PlanStep { date: Some(date(day)), cumulative: Some(amount) };
    let dollars = Money { currency_code: "USD".into(), units: 6, nanos: 0 };
    let faulty = AnnualPlan {
        schedule: vec![
            step("2020-12-31", cny(1)),
            step("2021-06-30", cny(5)),
            step("2021-06-30", cny(4)),
            step("2021-09-30", dollars),
            step("2021-12-31", fen(1001)),
        ],
        ..plan(cny(10))
    };
    let project = Project { annual_plans: vec![faulty], ..named("项目") };
    let at = |step: usize, field: &str| format!("annual_plans[0].schedule[{step}].{field}");
    let expected = [
        fault(&at(0, "date"), "OUT_OF_RANGE"),
        fault(&at(2, "date"), "NOT_RISING"),
        fault(&at(2, "cumulative"), "NOT_RISING"),
        fault(&at(3, "cumulative.currency_code"), "MIXED_CURRENCIES"),
        fault(&at(4, "cumulative"), "ABOVE_PLAN"),
    ];
    assert_eq!(refused(&office, project).await, expected);
    let sound = vec![step("2021-06-30", cny(5)), step("2021-12-30", cny(5)), step("2021-12-31", cny(10))];
    let sound = AnnualPlan { schedule: sound, funds: Some(cny(3)), ..plan(cny(10)) };
    let project = office.project("x", Project { annual_plans: vec![sound.clone()], ..named("项目") }).await;
    assert_eq!(project.annual_plans, [sound]);
}

/// office.md, section 1: a schedule has at most 24 steps, which rise.
#[tokio::test]
async fn a_schedule_has_at_most_24_steps() {
    let office = Office::at("2021-12-31").await;
    let rising = |count: i32| {
        let step = |number: i32| PlanStep {
            date: Some(Date { year: 2021, month: 1 + number / 3, day: 1 + number % 3 }),
            cumulative: Some(cny(number.into())),
        };
        let schedule = (0..count).map(step).collect();
        Project { annual_plans: vec![AnnualPlan { schedule, ..plan(cny(100)) }], ..named("项目") }
    };
    assert_eq!(refused(&office, rising(25)).await, [fault("annual_plans[0].schedule", "TOO_MANY")]);
    let project = office.project("x", rising(24)).await;
    assert_eq!(project.annual_plans[0].schedule.len(), 24);
}

/// office.md, sections 0 and 1: a reported date and an enrolment are never later than today.
#[tokio::test]
async fn nothing_is_reported_or_enrolled_after_today() {
    let office = Office::at("2021-05-27").await;
    let late = "2021-05-28";
    let project = Project {
        annual_plans: vec![AnnualPlan { reported_date: Some(date(late)), ..plan(cny(1)) }],
        completed_investments: vec![completed("2021-04-01", "2021-04-30", cny(1), late)],
        received_funds: vec![received("2021-04-01", "2021-04-30", cny(1), late)],
        enrolment_date: Some(date(late)),
        actual_period: Some(Period { start_date: Some(date(late)), end_date: None }),
        ..named("项目")
    };
    let days = [
        "actual_period.start_date",
        "annual_plans[0].reported_date",
        "completed_investments[0].reported_date",
        "received_funds[0].reported_date",
        "enrolment_date",
    ];
    let expected = days.map(|day| fault(day, "DATE_IN_FUTURE"));
    assert_eq!(refused(&office, project.clone()).await, expected);
    office.project("x", named("项目")).await;
    let paths =
        ["annual_plans", "completed_investments", "received_funds", "enrolment_date", "actual_period"];
    let status = office.update("x", project.clone(), &paths).await.unwrap_err();
    assert_eq!(faults(&status), expected);
    office.turn_to(late);
    office.update("x", project, &paths).await.unwrap();
    // It stays as it is when other fields change.
    office.update("x", named("别名"), &["display_name"]).await.unwrap();
}

async fn adjust(office: &Office, request: AdjustAnnualPlanRequest) -> Result<Project, Status> {
    let request = AdjustAnnualPlanRequest { name: project_name("x"), ..request };
    Ok(office.projects().adjust_annual_plan(request).await?.into_inner().project.unwrap())
}

fn to(plan: AnnualPlan) -> AdjustAnnualPlanRequest {
    AdjustAnnualPlanRequest { annual_plan: Some(plan), reason: "投资调整".into(), ..Default::default() }
}

/// office.md, section 1: AdjustAnnualPlan, `milepost.project.plan_adjusted`.
#[tokio::test]
async fn an_adjustment_replaces_the_plan_of_one_year_and_its_event_says_what_it_was() {
    let office = Office::at("2021-05-27").await;
    let next = AnnualPlan { year: 2022, ..plan(cny(300)) };
    let first = AnnualPlan { content: "土建".into(), ..plan(cny(100)) };
    office.project("x", Project { annual_plans: vec![next.clone(), first.clone()], ..named("项目") }).await;
    let adjusted = AnnualPlan { reported_date: Some(date("2021-05-20")), ..plan(cny(80)) };
    let request = AdjustAnnualPlanRequest { date: Some(date("2021-05-21")), ..to(adjusted.clone()) };
    let project = adjust(&office, request.clone()).await.unwrap();
    assert_eq!(project.annual_plans, [next.clone(), adjusted.clone()]);
    let event = last_event(&office).await;
    assert_eq!(event.r#type, "milepost.project.plan_adjusted");
    assert_eq!(
        (event.event_date, &event.changed_fields[..]),
        (Some(date("2021-05-21")), &["annual_plans".to_owned()][..])
    );
    let Some(Payload::ProjectPlanAdjusted(said)) = &event.payload else { panic!("{event:?}") };
    assert_eq!((said.previous_plan.as_ref(), said.plan.as_ref()), (Some(&first), Some(&adjusted)));
    assert_eq!(said.reason, "投资调整");

    let sequence = office.sequence();
    assert_eq!(adjust(&office, request).await.unwrap(), project);
    assert_eq!(office.sequence(), sequence, "nothing changed");

    let added = AnnualPlan { year: 2023, ..plan(cny(1)) };
    let project = adjust(&office, to(added.clone())).await.unwrap();
    assert_eq!(project.annual_plans, [next, adjusted, added.clone()]);
    let event = last_event(&office).await;
    assert_eq!(event.event_date, Some(date("2021-05-27")), "today, as it was not said");
    let Some(Payload::ProjectPlanAdjusted(said)) = &event.payload else { panic!("{event:?}") };
    assert_eq!((said.previous_plan.as_ref(), said.plan.as_ref()), (None, Some(&added)));
}

/// office.md, section 1: AdjustAnnualPlan requires a reason.
#[tokio::test]
async fn an_adjustment_names_every_fault_and_changes_nothing() {
    let office = Office::at("2021-05-27").await;
    office.project("x", planned(cny(100), Vec::new())).await;
    let sequence = office.sequence();
    let request = AdjustAnnualPlanRequest { name: project_name("x"), ..Default::default() };
    let status = office.projects().adjust_annual_plan(request).await.unwrap_err();
    let missing = |field: &str| (field.to_owned(), "REQUIRED".to_owned());
    assert_eq!(faults(&status), [missing("reason"), missing("annual_plan")]);

    let step = PlanStep { date: Some(date("2022-01-01")), cumulative: Some(cny(9)) };
    let faulty = AnnualPlan { schedule: vec![step], ..plan(cny(1)) };
    let bad = Some(Date { year: 2021, month: 2, day: 30 });
    let request = AdjustAnnualPlanRequest { date: bad, ..to(faulty) };
    let expected = [
        ("annual_plan.schedule[0].date", "OUT_OF_RANGE"),
        ("annual_plan.schedule[0].cumulative", "ABOVE_PLAN"),
        ("date", "INVALID_DATE"),
    ];
    let named = |faults: &[(&str, &str)]| -> Vec<(String, String)> {
        faults.iter().map(|(field, reason)| ((*field).to_owned(), (*reason).to_owned())).collect()
    };
    assert_eq!(faults(&adjust(&office, request).await.unwrap_err()), named(&expected));

    let late = Some(date("2021-05-28"));
    let most = Money { units: i64::MAX, ..cny(0) };
    let huge = AnnualPlan { year: 2022, reported_date: late, funds: Some(most.clone()), ..plan(most) };
    let status = adjust(&office, AdjustAnnualPlanRequest { date: late, ..to(huge) }).await.unwrap_err();
    let expected = [
        ("date", "DATE_IN_FUTURE"),
        ("annual_plan.reported_date", "DATE_IN_FUTURE"),
        ("annual_plan.investment", "MONEY_OVERFLOW"),
    ];
    assert_eq!(faults(&status), named(&expected));

    let years = (1950..).take(limits::ANNUAL_PLANS - 1);
    let plans = years.map(|year| AnnualPlan { year, ..AnnualPlan::default() });
    let plans = plans.chain([plan(cny(100))]).collect();
    let full = Project { annual_plans: plans, ..Project::default() };
    office.update("x", full, &["annual_plans"]).await.unwrap();
    let more = AnnualPlan { year: 2100, ..plan(cny(1)) };
    let status = adjust(&office, to(more)).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::ResourceExhausted, "LIMIT_EXCEEDED".to_owned()));
    assert_eq!(office.sequence(), sequence + 1);
}

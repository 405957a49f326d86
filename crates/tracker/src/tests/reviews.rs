//! Rectification orders that several answer and review at once: whatever comes of it, they could have done it one after
//! another, and nobody reviews what they answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use milepost_proto::tracker::v1::finding::Severity;
use milepost_proto::tracker::v1::finding_service_client::FindingServiceClient;
use milepost_proto::tracker::v1::rectification_order::State;
use milepost_proto::tracker::v1::rectification_order_service_client::RectificationOrderServiceClient;
use milepost_proto::tracker::v1::review_rectification_order_request::Verdict;
use tokio::sync::Barrier;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use super::running::reason;
use super::*;

const ROUNDS: usize = 100;

/// What somebody does to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Answer(&'static str),
    Review(&'static str, Verdict),
}

/// All that is done to each order at once: A and B answer, both of them and C review.
const CALLS: [Call; 5] = [
    Call::Answer("user:corp/a"),
    Call::Answer("user:corp/b"),
    Call::Review("user:corp/a", Verdict::Accept),
    Call::Review("user:corp/b", Verdict::Return),
    Call::Review("user:corp/c", Verdict::Return),
];

/// What comes of an order: its state, who answered it, and what each call was answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    state: i32,
    answered_by: Vec<String>,
    answers: Vec<String>,
}

/// The rules of office.md, section 6, of calls one after another in this order.
fn one_after_another(order: &[usize]) -> Outcome {
    let (mut state, mut answered_by) = (State::Issued, Vec::new());
    let mut answers = vec![String::new(); CALLS.len()];
    for at in order {
        answers[*at] = match (CALLS[*at], state) {
            (Call::Answer(who), State::Issued | State::Returned) => {
                answered_by.push(who.to_owned());
                state = State::Answered;
                "done"
            }
            (Call::Review(who, _), State::Answered) if answered_by.iter().any(|other| other == who) => {
                "SAME_PERSON"
            }
            (Call::Review(_, verdict), State::Answered) => {
                state = if verdict == Verdict::Accept { State::Closed } else { State::Returned };
                "done"
            }
            _ => "WRONG_STATE",
        }
        .to_owned();
    }
    Outcome { state: state.into(), answered_by, answers }
}

/// What may come of all orders in which the calls are made.
fn outcomes() -> BTreeSet<Outcome> {
    fn continued(order: &mut Vec<usize>, outcomes: &mut BTreeSet<Outcome>) {
        if order.len() == CALLS.len() {
            outcomes.insert(one_after_another(order));
        }
        for next in 0..CALLS.len() {
            if !order.contains(&next) {
                order.push(next);
                continued(order, outcomes);
                order.pop();
            }
        }
    }
    let mut outcomes = BTreeSet::new();
    continued(&mut Vec::new(), &mut outcomes);
    outcomes
}

fn by<M>(principal: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-milepost-principal", principal.parse().unwrap());
    request
}

/// Makes a call, and says what it was answered.
async fn made(channel: Channel, call: Call, name: String) -> String {
    let mut orders = RectificationOrderServiceClient::new(channel);
    let answer: Result<(), Status> = match call {
        Call::Answer(who) => {
            let request =
                AnswerRectificationOrderRequest { name, text: "已整改".into(), ..Default::default() };
            orders.answer_rectification_order(by(who, request)).await.map(drop)
        }
        Call::Review(who, verdict) => {
            let (verdict, reason) = (verdict.into(), "复查".to_owned());
            let request = ReviewRectificationOrderRequest { name, verdict, reason, ..Default::default() };
            orders.review_rectification_order(by(who, request)).await.map(drop)
        }
    };
    let Err(status) = answer else { return "done".to_owned() };
    let details = status.get_error_details();
    match details.precondition_failure().map(|failure| &failure.violations[..]) {
        Some([violation]) if reason(&status) == "PRECONDITION_FAILED" => violation.r#type.clone(),
        _ => reason(&status),
    }
}

/// Issues an order of a minor finding, which takes no follow-up; says its name.
async fn issued(channel: &Channel, round: usize) -> String {
    let finding = Finding {
        inspection: format!("{PROJECT}/inspections/walk"),
        title: "护栏缺失".into(),
        aspect: Aspect::Safety.into(),
        severity: Severity::Minor.into(),
        ..Finding::default()
    };
    let request =
        CreateFindingRequest { parent: PROJECT.into(), finding: Some(finding), ..Default::default() };
    let created = FindingServiceClient::new(channel.clone()).create_finding(request).await.unwrap();
    let order = RectificationOrder {
        title: "补设护栏".into(),
        findings: vec![created.into_inner().finding.unwrap().name],
        responsible: "organizations/builder".into(),
        due_date: day(BASELINE),
        ..RectificationOrder::default()
    };
    let request = CreateRectificationOrderRequest {
        parent: PROJECT.into(),
        rectification_order_id: format!("order{round}"),
        rectification_order: Some(order),
        ..Default::default()
    };
    let mut orders = RectificationOrderServiceClient::new(channel.clone());
    let created = orders.create_rectification_order(request).await.unwrap().into_inner();
    created.rectification_order.unwrap().name
}

/// office.md, section 6: ISSUED→ANSWERED→CLOSED, or RETURNED→ANSWERED; review by another person than any answerer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_several_do_to_an_order_at_once_they_could_have_done_one_after_another() {
    let (registry, tracker) = road().await;
    tracker.inspect(PROJECT, "walk").await;
    let possible = outcomes();
    let mut orders = RectificationOrderServiceClient::new(tracker.channel.clone());
    for round in 0..ROUNDS {
        let name = issued(&tracker.channel, round).await;
        let together = Arc::new(Barrier::new(CALLS.len()));
        // Whoever is the first to be asked for is another one in each round.
        let calls = (0..CALLS.len()).map(|i| {
            let at = (i + round) % CALLS.len();
            let (channel, name, together) = (tracker.channel.clone(), name.clone(), Arc::clone(&together));
            let call = async move {
                together.wait().await;
                (at, made(channel, CALLS[at], name).await)
            };
            tokio::spawn(call)
        });
        let mut answers = vec![String::new(); CALLS.len()];
        for call in calls.collect::<Vec<_>>() {
            let (at, what) = call.await.unwrap();
            answers[at] = what;
        }
        let request = GetRectificationOrderRequest { name, ..Default::default() };
        let found = orders.get_rectification_order(request).await.unwrap().into_inner();
        let found = found.rectification_order.unwrap();
        let answered_by = found.answers.iter().map(|answer| answer.answered_by.clone().unwrap().principal);
        let outcome = Outcome { state: found.state, answered_by: answered_by.collect(), answers };
        assert!(possible.contains(&outcome), "round {round}: {outcome:?}");
        for (call, answer) in CALLS.iter().zip(&outcome.answers) {
            let Call::Review(who, _) = call else { continue };
            // Whoever answered first had answered before every review.
            let is_first = outcome.answered_by.first().is_some_and(|first| first == who);
            assert!(!(is_first && answer == "done"), "round {round}: {outcome:?}");
            let has_answered = outcome.answered_by.iter().any(|other| other == who);
            assert!(has_answered || answer != "SAME_PERSON", "round {round}: {outcome:?}");
        }
    }
    drop(registry);
    tracker.stop().await;
}

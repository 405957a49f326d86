//! The machine of statuses: every move from every status.

use jiff::civil::date;
use milepost_types::Rejection;

use super::super::status::{Move, Moved, Stage, Status, advance, start_in_batch};
use super::*;

const TODAY: jiff::civil::Date = date(2021, 5, 27);

fn at(status: Status) -> Project {
    let mut project = project("x");
    project.standing.status = status;
    project
}

fn go(from: Status, step: Move) -> Result<Moved, Rejection> {
    let project = at(from);
    advance(&project, &target(&project), step, "因为", TODAY, &moment())
}

#[test]
fn each_move_leads_from_these_statuses_to_that_one_and_from_no_other() {
    use Stage::{Completed, Construction, InService, Preparation, Proposed};
    let moves: [(Move, &[(Status, Status)]); 7] = [
        (Move::Prepare, &[(Status::At(Proposed), Status::At(Preparation))]),
        (
            Move::Start(None),
            &[
                (Status::At(Proposed), Status::At(Construction)),
                (Status::At(Preparation), Status::At(Construction)),
            ],
        ),
        (Move::Complete(None), &[(Status::At(Construction), Status::At(Completed))]),
        (Move::Commission(None), &[(Status::At(Completed), Status::At(InService))]),
        (
            Move::Suspend,
            &[
                (Status::At(Proposed), Status::Suspended(Proposed)),
                (Status::At(Preparation), Status::Suspended(Preparation)),
                (Status::At(Construction), Status::Suspended(Construction)),
            ],
        ),
        (Move::Resume, &[(Status::Suspended(Proposed), Status::At(Proposed))]),
        (
            Move::Cancel,
            &[
                (Status::At(Proposed), Status::Cancelled),
                (Status::At(Preparation), Status::Cancelled),
                (Status::At(Construction), Status::Cancelled),
                (Status::Suspended(Proposed), Status::Cancelled),
            ],
        ),
    ];
    for (step, ways) in moves {
        for from in Status::ALL {
            let to = ways.iter().find(|(start, _)| *start == from).map(|(_, end)| *end);
            match (go(from, step), to) {
                (Ok(moved), Some(to)) => {
                    assert_eq!((moved.previous, moved.project.standing.status), (from, to), "{step:?}");
                    assert_eq!(moved.project.standing.status_reason, "因为");
                }
                (Err(Rejection::WrongState { state, allowed, .. }), None) => {
                    assert_eq!(state, from.as_str());
                    assert_eq!(allowed.len(), ways.len());
                }
                (outcome, to) => panic!("{step:?} from {from:?}: {outcome:?} and not {to:?}"),
            }
        }
    }
}

#[test]
fn a_suspended_project_resumes_where_it_was() {
    for stage in [Stage::Proposed, Stage::Preparation, Stage::Construction] {
        let suspended = go(Status::At(stage), Move::Suspend).unwrap();
        assert_eq!(suspended.project.standing.status, Status::Suspended(stage));
        assert_eq!(suspended.changed, ["status", "status_reason", "suspended_status"]);
        let target = target(&suspended.project);
        let resumed = advance(&suspended.project, &target, Move::Resume, "", TODAY, &moment()).unwrap();
        assert_eq!(resumed.project.standing.status, Status::At(stage));
    }
}

#[test]
fn start_and_completion_are_the_actual_period() {
    let started = go(Status::At(Stage::Proposed), Move::Start(None)).unwrap();
    assert_eq!(started.project.details.actual_period.start(), Some(TODAY));
    assert_eq!(started.date, Some(TODAY));
    assert_eq!(started.changed, ["actual_period", "status", "status_reason"]);
    let complete = |date| {
        let step = Move::Complete(Some(date));
        advance(&started.project, &target(&started.project), step, "", date.max(TODAY), &moment())
    };
    let done = complete(date(2023, 6, 1)).unwrap();
    let period = done.project.details.actual_period;
    assert_eq!((period.start(), period.end()), (Some(TODAY), Some(date(2023, 6, 1))));
    let Err(Rejection::Invalid(violations)) = complete(date(2021, 5, 26)) else {
        panic!("ends before it began")
    };
    assert_eq!(found(&violations), [("completion_date", "INVALID_PERIOD")]);
}

#[test]
fn no_move_tells_of_tomorrow() {
    let tomorrow = Some(date(2021, 5, 28));
    let cases = [
        (Status::At(Stage::Proposed), Move::Start(tomorrow), "start_date"),
        (Status::At(Stage::Construction), Move::Complete(tomorrow), "completion_date"),
        (Status::At(Stage::Completed), Move::Commission(tomorrow), "commission_date"),
    ];
    for (from, step, field) in cases {
        let Err(Rejection::Invalid(violations)) = go(from, step) else { panic!("{step:?}") };
        assert_eq!(found(&violations), [(field, "DATE_IN_FUTURE")]);
    }
}

#[test]
fn a_batch_starts_what_can_start_and_says_why_not() {
    let batch = "portfolios/p/batches/b".parse().unwrap();
    let day = date(2021, 5, 20);
    let moved = start_in_batch(&project("x"), &batch, day, &moment()).unwrap();
    assert_eq!(moved.project.standing.batch.as_ref(), Some(&batch));
    assert_eq!(moved.project.details.actual_period.start(), Some(day));
    assert_eq!(moved.changed, ["actual_period", "batch", "status"]);
    let refuse = |project: &Project| start_in_batch(project, &batch, day, &moment()).unwrap_err().kind;
    assert_eq!(refuse(&at(Status::Cancelled)), "MEMBER_IN_WRONG_STATE");
    let cancelled = start_in_batch(&at(Status::Cancelled), &batch, day, &moment()).unwrap_err();
    assert!(cancelled.description.starts_with("the project is CANCELLED;"), "{}", cancelled.description);
    assert_eq!(refuse(&project("x").delete(None, &moment()).unwrap().unwrap()), "MEMBER_DELETED");
    let mut over = project("x");
    over.details.actual_period = Period::new(None, Some(date(2021, 5, 19))).unwrap();
    assert_eq!(refuse(&over), "MEMBER_ENDS_BEFORE_START");
}

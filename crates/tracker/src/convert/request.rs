//! Requests: what a caller sent, as a command, with every fault of it found at once.
//!
//! Invariants: a fault is reported with the path of its field in the request; a command is good only if there
//! was none. Output-only fields are not read.

use jiff::civil::Date;
use milepost_proto::WriteRequest;
use milepost_proto::google::r#type::Date as DateMessage;
use milepost_proto::tracker::v1 as proto;
use milepost_service::mask::Mask;
use milepost_service::value;
use milepost_types::{Etag, GoOn, Violations, text};

use super::fields;
use crate::command::Command;
use crate::milestone::Action;

/// A request that is read to a command.
pub(crate) trait ReadCommand: WriteRequest {
    /// What is asked; good only if no violation was recorded.
    fn command(self, violations: &mut Violations) -> Option<Command>;
}

/// Implements [`ReadCommand`] by a function that reads the command.
macro_rules! commands {
    ($($request:ident => $read:expr),* $(,)?) => {$(
        impl ReadCommand for proto::$request {
            fn command(self, violations: &mut Violations) -> Option<Command> {
                $read(self, violations)
            }
        }
    )*};
}

commands! {
    CreateMilestoneRequest => super::creation::create,
    BatchCreateMilestonesRequest => super::creation::batch,
    UpdateMilestoneRequest => update,
    DeleteMilestoneRequest => |request: proto::DeleteMilestoneRequest, violations: &mut Violations| {
        act(&request.name, &request.etag, violations, |_| Some(Action::Delete))
    },
    UndeleteMilestoneRequest => |request: proto::UndeleteMilestoneRequest, violations: &mut Violations| {
        act(&request.name, &request.etag, violations, |_| Some(Action::Undelete))
    },
    ReforecastMilestoneRequest => reforecast,
    RebaselineMilestoneRequest => rebaseline,
    AchieveMilestoneRequest => achieve,
    PartiallyAchieveMilestoneRequest => partially_achieve,
    MissMilestoneRequest => |request: proto::MissMilestoneRequest, violations: &mut Violations| {
        act(&request.name, &request.etag, violations, |violations| {
            Some(Action::Miss { reason: reason(request.reason, violations)? })
        })
    },
    CancelMilestoneRequest => |request: proto::CancelMilestoneRequest, violations: &mut Violations| {
        act(&request.name, &request.etag, violations, |violations| {
            Some(Action::Cancel { reason: reason(request.reason, violations)? })
        })
    },
    ReopenMilestoneRequest => |request: proto::ReopenMilestoneRequest, violations: &mut Violations| {
        act(&request.name, &request.etag, violations, |violations| {
            Some(Action::Reopen { reason: reason(request.reason, violations)? })
        })
    },
    AddMilestoneEvidenceRequest => add_evidence,
    AdvanceDateRequest => advance_date,
}

/// What is to be done to the milestone with this name.
fn act(
    name: &str,
    etag: &str,
    violations: &mut Violations,
    action: impl FnOnce(&mut Violations) -> Option<Action>,
) -> Option<Command> {
    let name = violations.check("name", name.parse());
    let etag = violations.check("etag", Etag::from_field(etag));
    let action = action(violations);
    Some(Command::Act { name: name?, etag: etag?, action: action? })
}

fn update(request: proto::UpdateMilestoneRequest, violations: &mut Violations) -> Option<Command> {
    let mask = Mask::read(request.update_mask, &fields::KNOWN, violations);
    let milestone = violations.require("milestone", request.milestone)?;
    let name = violations.check("milestone.name", milestone.name.parse());
    let etag = violations.check("milestone.etag", Etag::from_field(&milestone.etag));
    let mut found = Violations::new();
    let patch = fields::patch(milestone, &mask?, &mut found);
    violations.nest("milestone", found);
    Some(Command::Act { name: name?, etag: etag?, action: Action::Update(Box::new(patch)) })
}

fn reforecast(request: proto::ReforecastMilestoneRequest, violations: &mut Violations) -> Option<Command> {
    act(&request.name, &request.etag, violations, |violations| {
        let reason = violations.check("reason", value::said(request.reason, text::text));
        let forecast = optional_date("forecast_date", request.forecast_date, violations);
        Some(Action::Reforecast { forecast: forecast?, reason: reason? })
    })
}

fn rebaseline(request: proto::RebaselineMilestoneRequest, violations: &mut Violations) -> Option<Command> {
    act(&request.name, &request.etag, violations, |violations| {
        let reason = reason(request.reason, violations);
        let baseline = required_date("baseline_date", request.baseline_date, violations);
        Some(Action::Rebaseline { baseline: baseline?, reason: reason? })
    })
}

fn achieve(request: proto::AchieveMilestoneRequest, violations: &mut Violations) -> Option<Command> {
    act(&request.name, &request.etag, violations, |violations| {
        let reason = violations.check("reason", value::said(request.reason, text::text));
        let actual = optional_date("actual_date", request.actual_date, violations);
        Some(Action::Achieve { actual: actual?, reason: reason? })
    })
}

fn partially_achieve(
    request: proto::PartiallyAchieveMilestoneRequest,
    violations: &mut Violations,
) -> Option<Command> {
    act(&request.name, &request.etag, violations, |violations| {
        let reason = reason(request.reason, violations);
        let actual = optional_date("actual_date", request.actual_date, violations);
        Some(Action::PartiallyAchieve { actual: actual?, reason: reason? })
    })
}

fn add_evidence(request: proto::AddMilestoneEvidenceRequest, violations: &mut Violations) -> Option<Command> {
    act(&request.name, &request.etag, violations, |violations| {
        let evidence = violations.require("evidence", request.evidence)?;
        fields::evidence("evidence", evidence, violations).map(Action::AddEvidence)
    })
}

fn advance_date(request: proto::AdvanceDateRequest, violations: &mut Violations) -> Option<Command> {
    let portfolio = violations.check("portfolio", request.portfolio.parse());
    let date = required_date("date", request.date, violations);
    Some(Command::AdvanceDate { portfolio: portfolio?, date: date?, preview: request.validate_only })
}

/// The command to follow the registry from another position on.
pub(crate) fn reset_follower(to: GoOn, why: &str, violations: &mut Violations) -> Option<Command> {
    Some(Command::ResetFollower { to, reason: reason(why.to_owned(), violations)? })
}

fn reason(given: String, violations: &mut Violations) -> Option<String> {
    violations.check("reason", text::text(given))
}

/// A date that may be absent.
pub(super) fn optional_date(
    field: &str,
    given: Option<DateMessage>,
    violations: &mut Violations,
) -> Option<Option<Date>> {
    violations.check_optional(field, given, value::date)
}

fn required_date(field: &str, given: Option<DateMessage>, violations: &mut Violations) -> Option<Date> {
    let given = violations.require(field, given)?;
    violations.check(field, value::date(given))
}

#[cfg(test)]
mod tests;

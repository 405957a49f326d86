//! Batches, between messages and the domain.

use std::collections::HashSet;

use milepost_proto::registry::v1 as proto;
use milepost_service::fields::Fields;
use milepost_service::mask::{Known, Mask};
use milepost_types::{PortfolioName, ProjectName, Violations, limits, text};
use proto::batch::State as WireState;

use super::fields::money;
use super::{Unreadable, request, value};
use crate::batch::figures::Figures;
use crate::batch::{Batch, Command, Details, Patch, Standing, State};
use crate::details::Details as _;
use crate::record::{Life, Record};

/// The fields of a batch. Members have methods of their own.
pub(crate) const KNOWN: Known = Known {
    fields: Details::FIELDS,
    parts: &[],
    methods: &[("members", "AddBatchMembers or RemoveBatchMembers")],
    output: &[
        ("state", "use StartBatch and CancelBatch"),
        ("registered_count", "the server finds it"),
        ("registered_investments", "the server finds it"),
        ("registered_without_investment_count", "the server finds it"),
    ],
};

/// Reads what callers say of a batch, but for its members.
fn patch(message: proto::Batch, mask: &Mask, violations: &mut Violations) -> Patch {
    let mut fields = Fields { mask, violations };
    Patch {
        display_name: fields.display_name(message.display_name),
        translations: fields.translations(message.translations),
        start_date: fields.take_with("start_date", message.start_date.is_some(), |violations| {
            let date = violations.require("start_date", message.start_date)?;
            violations.check("start_date", value::date(date))
        }),
        place: fields.line("place", message.place, limits::LINE_CHARS),
        declared_count: fields.take_with("declared_count", message.declared_count.is_some(), |violations| {
            declared_count(message.declared_count, violations)
        }),
        declared_investment: money(&mut fields, "declared_investment", message.declared_investment),
        description: fields.text("description", message.description),
        labels: fields.labels("labels", message.labels),
    }
}

fn declared_count(given: Option<i32>, violations: &mut Violations) -> Option<Option<u32>> {
    let count = given.map(u32::try_from).transpose().ok();
    if count.is_none() {
        violations.push(
            "declared_count",
            "OUT_OF_RANGE",
            "the count is less than zero; give zero or more, or leave it out",
        );
    }
    count
}

/// A wish to create a batch.
pub(crate) fn create(request: proto::CreateBatchRequest, violations: &mut Violations) -> Option<Command> {
    let parent: Option<PortfolioName> = violations.check("parent", request.parent.parse());
    let id = request::id("batch_id", &request.batch_id, violations);
    let mut message = request.batch;
    let given = message.as_mut().map(|message| std::mem::take(&mut message.members)).unwrap_or_default();
    let members = members("batch.members", &given, parent.as_ref(), violations);
    let mut seen = HashSet::new();
    for (i, twice) in members.iter().filter(|(_, member)| !seen.insert(member)) {
        violations.push(format!("batch.members[{i}]"), "DUPLICATE", format!("{twice} is a member already"));
    }
    let members = without_indices(members);
    let details = request::details(message, patch, violations);
    request::create(parent, id, details).map(|create| Command::Create(create, members))
}

/// A wish to change fields of a batch. Members are not read: a batch may be sent back as it was read.
pub(crate) fn update(request: proto::UpdateBatchRequest, violations: &mut Violations) -> Option<Command> {
    let update =
        request::update::<Details, _, _>(request.update_mask, &KNOWN, request.batch, patch, violations);
    update.map(Command::Update)
}

/// A wish to delete a batch.
pub(crate) fn delete(request: &proto::DeleteBatchRequest, violations: &mut Violations) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Delete)
}

/// A wish to undelete a batch.
pub(crate) fn undelete(
    request: &proto::UndeleteBatchRequest,
    violations: &mut Violations,
) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Undelete)
}

/// A wish to add members to a batch.
pub(crate) fn add(request: &proto::AddBatchMembersRequest, violations: &mut Violations) -> Option<Command> {
    let target = request::target::<milepost_types::BatchName>(&request.name, &request.etag, violations);
    let portfolio = target.as_ref().map(|target| target.name.portfolio());
    let members = some_members(&request.members, portfolio, violations);
    Some(Command::Add(target?, members))
}

/// A wish to take members out of a batch.
pub(crate) fn remove(
    request: &proto::RemoveBatchMembersRequest,
    violations: &mut Violations,
) -> Option<Command> {
    let target = request::target::<milepost_types::BatchName>(&request.name, &request.etag, violations);
    let portfolio = target.as_ref().map(|target| target.name.portfolio());
    let members = some_members(&request.members, portfolio, violations);
    Some(Command::Remove(target?, members))
}

/// A wish to start a batch.
pub(crate) fn start(request: &proto::StartBatchRequest, violations: &mut Violations) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Start)
}

/// A wish to give a batch up.
pub(crate) fn cancel(request: proto::CancelBatchRequest, violations: &mut Violations) -> Option<Command> {
    let target = request::target(&request.name, &request.etag, violations);
    let reason = violations.check("reason", text::text(request.reason));
    Some(Command::Cancel(target?, reason?))
}

fn some_members(
    given: &[String],
    portfolio: Option<&PortfolioName>,
    violations: &mut Violations,
) -> Vec<ProjectName> {
    if given.is_empty() {
        violations.push("members", "REQUIRED", "give at least one project");
    }
    without_indices(members("members", given, portfolio, violations))
}

fn members(
    field: &str,
    given: &[String],
    portfolio: Option<&PortfolioName>,
    violations: &mut Violations,
) -> Vec<(usize, ProjectName)> {
    if !violations.check_count(field, given.len(), limits::BATCH_MEMBERS) {
        return Vec::new();
    }
    let members = value::project_names(field, given, violations);
    let elsewhere = |member: &ProjectName| portfolio.is_some_and(|portfolio| portfolio != member.portfolio());
    for (i, member) in members.iter().filter(|(_, member)| elsewhere(member)) {
        let description = format!("{member} is in another portfolio than the batch");
        violations.push(format!("{field}[{i}]"), "OTHER_PORTFOLIO", description);
    }
    members
}

fn without_indices(members: Vec<(usize, ProjectName)>) -> Vec<ProjectName> {
    members.into_iter().map(|(_, member)| member).collect()
}

/// The batch that was stored.
pub(crate) fn stored(message: proto::Batch) -> Result<Batch, Unreadable> {
    request::stored(message, |message| {
        let standing = Standing {
            state: state(message.state)?,
            members: stored_members(&message)?,
            registered: stored_figures(&message)?,
        };
        let declared = message.declared_investment.as_ref();
        let details = Details {
            display_name: message.display_name,
            translations: value::stored_translations(message.translations),
            start_date: value::stored("start_date", value::stored_date("start_date", message.start_date)?)?,
            place: message.place,
            declared_count: message.declared_count.map(i32::cast_unsigned),
            declared_investment: declared
                .map(|money| value::stored_money("declared_investment", money))
                .transpose()?,
            description: message.description,
            labels: message.labels,
        };
        Ok((details, standing))
    })
}

/// The members of a batch that was stored.
pub(crate) fn stored_members(message: &proto::Batch) -> Result<Vec<ProjectName>, Unreadable> {
    message.members.iter().map(|member| value::stored_name("members", member)).collect()
}

fn stored_figures(message: &proto::Batch) -> Result<Figures, Unreadable> {
    let field = "registered_investments";
    let investments = message.registered_investments.iter();
    Ok(Figures {
        count: message.registered_count.cast_unsigned(),
        investments: investments.map(|money| value::stored_money(field, money)).collect::<Result<_, _>>()?,
        without_investment: message.registered_without_investment_count.cast_unsigned(),
    })
}

/// What may be done to a batch depends on its state, so one that is not known here cannot be kept.
fn state(number: i32) -> Result<State, Unreadable> {
    match WireState::try_from(number) {
        Ok(WireState::Planned) => Ok(State::Planned),
        Ok(WireState::Started) => Ok(State::Started),
        Ok(WireState::Cancelled) => Ok(State::Cancelled),
        Ok(WireState::Unspecified) | Err(_) => {
            Err(Unreadable::of("state", format_args!("{number} is no state that this version knows")))
        }
    }
}

/// A batch as a message.
pub(crate) fn message(batch: &Batch) -> proto::Batch {
    let Record { name, details, standing, life } = batch;
    let Life { create_time, update_time, delete_time, etag } = life;
    let mut message = proto::Batch {
        name: name.to_string(),
        display_name: details.display_name.clone(),
        translations: value::translations(&details.translations),
        start_date: Some(value::date_message(details.start_date)),
        place: details.place.clone(),
        declared_count: details.declared_count.map(u32::cast_signed),
        declared_investment: details.declared_investment.as_ref().map(value::money_message),
        members: standing.members.iter().map(ToString::to_string).collect(),
        description: details.description.clone(),
        labels: details.labels.clone(),
        state: state_message(standing.state).into(),
        create_time: Some(value::instant_message(*create_time)),
        update_time: Some(value::instant_message(*update_time)),
        delete_time: delete_time.map(value::instant_message),
        etag: etag.to_string(),
        ..proto::Batch::default()
    };
    set_figures(&mut message, &standing.registered);
    message
}

/// Tells these figures as the registered ones.
pub(crate) fn set_figures(message: &mut proto::Batch, figures: &Figures) {
    message.registered_count = figures.count.cast_signed();
    message.registered_investments = figures.investments.iter().map(value::money_message).collect();
    message.registered_without_investment_count = figures.without_investment.cast_signed();
}

fn state_message(state: State) -> WireState {
    match state {
        State::Planned => WireState::Planned,
        State::Started => WireState::Started,
        State::Cancelled => WireState::Cancelled,
    }
}

//! The standard methods, decided; and how a service decides any command.
//!
//! Invariant: the rules that every resource shares stand here and nowhere else: what it is under must be
//! there, a stale etag is refused, a deleted resource can only be undeleted, and what changes nothing is
//! accepted without a trace.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::{Context, Decision, Read};
use milepost_proto::resource::{Resource, STANDARD_EVENT_TYPES};
use milepost_service::access::Permit;
use milepost_types::{Etag, LedgerKind, Rejection, ResourceId, Violations, check_batch};

use crate::check::{self, Fields};
use crate::event::{Change, EventKind, resource_named, resource_of, resources_as_left, resources_of};
use crate::rules::{Created, Parent, Presence, Rows, Rules, Scope};
use crate::{Checked, Name, row};

/// What a caller asks to be done, already well formed: nothing in it needs rows to be known to be nonsense.
pub trait Act<D>: Send + Sync {
    /// What is to happen.
    fn decide(&self, scope: &Scope<'_, D>) -> Result<Decided, Rejection>;

    /// What it is about, as a read shows it: the answer if nothing changed. None for what is created.
    fn subject(&self, rows: &Rows<'_, D>, now: Timestamp) -> Result<Option<Bytes>, Rejection>;

    /// What the answer holds, in the plural, if it holds the resource of every event and not one alone.
    fn answers_with_all(&self) -> Option<&'static str> {
        None
    }

    /// The resources that the answer holds, of the events of its entry: that of the first, or all. None: what it is about.
    fn answer(&self, events: &[Bytes]) -> Vec<Bytes> {
        match self.answers_with_all() {
            Some(_) => resources_of(events),
            None => events.iter().take(1).map(resource_of).collect(),
        }
    }
}

/// What is asked, and the trace it is part of.
pub struct Command<D> {
    /// What is asked.
    pub act: Box<dyn Act<D>>,
    /// The W3C trace context of the request; empty: none was given.
    pub traceparent: String,
    /// What its caller may do.
    pub permit: Permit,
}

// Not derived: acts are not printed, but the commands that a service has besides are.
impl<D> fmt::Debug for Command<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").finish_non_exhaustive()
    }
}

/// What a decision says.
pub struct Decided {
    /// The id of the portfolio that the first of the changes is in; empty for none.
    pub portfolio: String,
    /// What changes.
    pub changes: Vec<Change>,
}

impl From<Vec<Change>> for Decided {
    fn from(changes: Vec<Change>) -> Self {
        let portfolio = changes.first().map(Change::portfolio_id).unwrap_or_default();
        Self { portfolio: portfolio.to_owned(), changes }
    }
}

/// Decides a command of this ledger.
pub fn decide<D>(
    service: &D,
    ledger: LedgerKind,
    rows: &dyn Read,
    command: &Command<D>,
    context: &Context,
) -> Result<Decision, Rejection> {
    command.permit.check(rows, context.now)?;
    let scope = Scope { service, rows: Rows::new(rows), context, permit: &command.permit };
    let Decided { portfolio, changes } = command.act.decide(&scope)?;
    let mut events = Vec::with_capacity(changes.len());
    changes.into_iter().for_each(|change| change.add_to(&mut events, ledger, context, &command.traceparent));
    if let Some(what) = command.act.answers_with_all() {
        check_batch(what, command.act.answer(&events).iter().map(Bytes::len))?;
    }
    Ok(Decision { portfolio, decided_on: Vec::new(), events })
}

/// A resource to be created.
pub struct New<R> {
    /// The field of the request that says it.
    pub(crate) field: String,
    /// The ids of what it is to be under.
    pub(crate) parent: Vec<ResourceId>,
    /// The id to be; none: one is made.
    pub(crate) id: Option<ResourceId>,
    /// Its fields.
    pub(crate) resource: R,
}

impl<R> New<R> {
    /// The same with what a method of its own sets by its id, which is made here if none is given.
    #[must_use]
    pub fn with_id(mut self, prefix: char, set: impl FnOnce(&ResourceId, &mut R)) -> Self {
        let id = self.id.unwrap_or_else(|| ResourceId::generate(prefix));
        set(&id, &mut self.resource);
        Self { id: Some(id), ..self }
    }
}

/// The resource that a request is about, and the etag that it must have.
pub struct Target<R: Resource> {
    /// Its name.
    pub name: Name<R>,
    /// None: any.
    pub etag: Option<Etag>,
}

/// A standard method.
pub enum Standard<R: Resource> {
    /// Create one, or several in one portfolio, all or none.
    Create {
        /// What is to be created.
        new: Vec<New<R>>,
        /// What the answer holds, if that is a list.
        answer: Option<&'static str>,
    },
    /// Change fields of one.
    Update(Target<R>, Fields<R>),
    /// Delete one softly.
    Delete(Target<R>),
    /// Take a deletion back.
    Undelete(Target<R>),
}

impl<D, R: Rules<D>> Act<D> for Standard<R> {
    fn decide(&self, scope: &Scope<'_, D>) -> Result<Decided, Rejection> {
        match self {
            Standard::Create { new, .. } => Ok(create(scope, new)?.into()),
            Standard::Update(target, fields) => {
                on(scope, target, |before| update(scope, before, target, fields))
            }
            Standard::Delete(target) => on(scope, target, |before| delete(scope, before, target)),
            Standard::Undelete(target) => on(scope, target, |before| undelete(scope, before, target)),
        }
    }

    fn subject(&self, rows: &Rows<'_, D>, now: Timestamp) -> Result<Option<Bytes>, Rejection> {
        match self {
            Standard::Create { .. } => Ok(None),
            Standard::Update(target, _) | Standard::Delete(target) | Standard::Undelete(target) => {
                shown(rows, now, &target.name)
            }
        }
    }

    fn answers_with_all(&self) -> Option<&'static str> {
        match self {
            Standard::Create { answer, .. } => *answer,
            _ => None,
        }
    }

    /// As the entry leaves it: what follows from a change may change the same resource again.
    fn answer(&self, events: &[Bytes]) -> Vec<Bytes> {
        match self {
            Standard::Create { answer, .. } => {
                let mut created = resources_as_left::<R>(events);
                if answer.is_none() {
                    created.truncate(1);
                }
                created
            }
            Standard::Update(target, _) | Standard::Delete(target) | Standard::Undelete(target) => {
                resource_named(events, &target.name).into_iter().collect()
            }
        }
    }
}

/// The row of a resource as a read shows it, if there is one.
pub(crate) fn shown<D, R: Rules<D>>(
    rows: &Rows<'_, D>,
    now: Timestamp,
    name: &Name<R>,
) -> Result<Option<Bytes>, Rejection> {
    let Some(row) = rows.row(name) else { return Ok(None) };
    Ok(Some(row::show(rows, now, name, row)?))
}

/// What changes of a resource that is there, under what is there and not deleted.
fn on<D, R: Rules<D>>(
    scope: &Scope<'_, D>,
    target: &Target<R>,
    decide: impl FnOnce(&Checked<R>) -> Result<Vec<Change>, Rejection>,
) -> Result<Decided, Rejection> {
    let before = scope.rows.find(&target.name)?;
    R::Above::check_open(&scope.rows, target.name.parent_ids())?;
    Ok(decide(&before)?.into())
}

fn create<D, R: Rules<D>>(scope: &Scope<'_, D>, new: &[New<R>]) -> Result<Vec<Change>, Rejection> {
    for parent in new.chunk_by(|one, next| one.parent == next.parent).filter_map(<[_]>::first) {
        R::Above::check_open(&scope.rows, &parent.parent)?;
    }
    // Without these events, there are no such methods.
    let [_, updated, _, undeleted] = R::EVENT_TYPES;
    let is_fixed = ![updated, undeleted].iter().any(|event| STANDARD_EVENT_TYPES.contains(event));
    let mut created = Vec::with_capacity(new.len());
    for (i, New { field, parent, id, resource }) in (0..).zip(new) {
        // The same when the command is decided again.
        let seed = || scope.context.seed.wrapping_add(i).to_be_bytes();
        let id = id.clone().unwrap_or_else(|| ResourceId::from_seed(R::ID_PREFIX, seed()));
        let name = Name::under(parent, id);
        let there = scope.rows.presence(&name)?;
        if there != Presence::Missing {
            let deleted = there == Presence::Deleted;
            return Err(match is_fixed {
                false => Rejection::already_exists(&name, deleted),
                true => Rejection::already_exists_fixed(&name, deleted),
            });
        }
        created.push(Created { field: field.clone(), resource: Checked::created(name, resource, scope) });
    }
    R::admit_created(scope, &created)?;
    let created = created.into_iter().map(|created| created.resource);
    created.map(|resource| Change::new(scope, EventKind::Created, None, resource)).collect()
}

fn update<D, R: Rules<D>>(
    scope: &Scope<'_, D>,
    before: &Checked<R>,
    target: &Target<R>,
    fields: &Fields<R>,
) -> Result<Vec<Change>, Rejection> {
    before.check_changeable(target.etag)?;
    let mut found = Ok(());
    let after = before.changed(scope, |resource| found = check::update::<D, R>(fields, before, resource));
    found.map_err(invalid::<R>)?;
    if after.differing(before).is_empty() {
        return Ok(Vec::new());
    }
    R::admit(scope, Some(before), &after)?;
    Ok(vec![Change::new(scope, EventKind::Updated, Some(before), after)?])
}

fn delete<D, R: Rules<D>>(
    scope: &Scope<'_, D>,
    before: &Checked<R>,
    target: &Target<R>,
) -> Result<Vec<Change>, Rejection> {
    before.check_etag(target.etag)?;
    if before.is_deleted() {
        return Ok(Vec::new());
    }
    R::release(scope, before)?;
    let after = before.with_delete_time(scope, Some(scope.context.commit_time));
    Ok(vec![Change::new(scope, EventKind::Deleted, Some(before), after)?])
}

/// Refuses what is not deleted (AIP-164).
fn undelete<D, R: Rules<D>>(
    scope: &Scope<'_, D>,
    before: &Checked<R>,
    target: &Target<R>,
) -> Result<Vec<Change>, Rejection> {
    before.check_etag(target.etag)?;
    if !before.is_deleted() {
        return Err(Rejection::not_deleted(&target.name));
    }
    let after = before.with_delete_time(scope, None);
    R::admit(scope, Some(before), &after)?;
    Ok(vec![Change::new(scope, EventKind::Undeleted, Some(before), after)?])
}

/// Violations in a resource, as violations in the request that holds it.
pub(crate) fn invalid<R: Resource>(found: Violations) -> Rejection {
    let mut violations = Violations::new();
    violations.nest(R::TYPE.singular, found);
    Rejection::Invalid(violations)
}

/// What a method does to a resource that it may change: with what its request says besides the name.
pub type Run<D, R, A> = fn(&Scope<'_, D>, &Checked<R>, &A) -> Result<Vec<Change>, Rejection>;

/// A method of a resource's own.
pub struct Custom<D, R: Resource, A> {
    target: Target<R>,
    arguments: A,
    run: Run<D, R, A>,
}

impl<D: 'static, R: Rules<D>, A: Send + Sync + 'static> Custom<D, R, A> {
    /// The method that does this to its target.
    pub fn act(target: Target<R>, arguments: A, run: Run<D, R, A>) -> Box<dyn Act<D>> {
        Box::new(Self { target, arguments, run })
    }
}

impl<D, R: Rules<D>, A: Send + Sync> Act<D> for Custom<D, R, A> {
    fn decide(&self, scope: &Scope<'_, D>) -> Result<Decided, Rejection> {
        on(scope, &self.target, |before| {
            before.check_changeable(self.target.etag)?;
            (self.run)(scope, before, &self.arguments)
        })
    }

    fn subject(&self, rows: &Rows<'_, D>, now: Timestamp) -> Result<Option<Bytes>, Rejection> {
        shown(rows, now, &self.target.name)
    }

    /// Its target as the entry leaves it: several events may be of it, and the first of another resource.
    fn answer(&self, events: &[Bytes]) -> Vec<Bytes> {
        resource_named(events, &self.target.name).into_iter().collect()
    }
}

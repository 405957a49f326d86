//! Serving a resource: from a call to a command or a read, and from what came of it to the answer.
//!
//! Answers hold resources as the bytes that they are stored as: in every answer the resource, or the list of
//! them, is field 1 and the revision field 2 (of a list 3), which the build checks. Invariant: what a write
//! answers is built from the events of its entry, so that the same request id answers the same again; only
//! what changed nothing is answered from the rows. No rule of the domain is here.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::Request as HttpRequest;
use jiff::Timestamp;
use milepost_ledger::{Domain, View};
use milepost_proto::WriteRequest;
use milepost_proto::resource::{Creatable, Deletable, GetRequest, ListRequest, Mutable};
use milepost_proto::rule::AccessRequest;
use milepost_service::access::{Permit, Permitted};
use milepost_service::host::raw::{RawMethods, ResponseFuture, unary};
use milepost_service::request::Caller;
use milepost_types::{LedgerKind, Position, Rejection, Revision, Violations};
use tonic::body::Body;
use tonic::{Response, Status};

use crate::Name;
use crate::api::{Api, Resources, refused};
use crate::check::sound;
use crate::command::{Act, Command, Standard, shown};
use crate::request::{read_create, read_list, read_update, target};
use crate::rules::{Rows, Rules};

/// What is answered: the resource, or several.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resources: Vec<Bytes>,
    #[prost(string, tag = "2")]
    revision: String,
}

/// A page.
#[derive(Clone, PartialEq, prost::Message)]
struct PageMessage {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resources: Vec<Bytes>,
    #[prost(string, tag = "2")]
    next_page_token: String,
    #[prost(string, tag = "3")]
    revision: String,
}

/// Reads a request; none if it is at fault.
pub type ReadAct<D, Q> = fn(Q, &mut Violations) -> Option<Box<dyn Act<D>>>;

impl<D: Resources> Api<D> {
    /// Submits what a request is read to. The answer has what its act says of the events; if that is nothing, what the
    /// request is about.
    async fn write<Q: WriteRequest + 'static>(
        self: Arc<Self>,
        request: Permitted<Q>,
        read: ReadAct<D, Q>,
        catches_up: bool,
    ) -> Result<Response<Answer>, Status> {
        let caller = Caller::of_permitted(&request).map_err(refused)?;
        let permit = request.permit().clone();
        let mut command = None;
        let submission = self.submission(&caller, request.into_inner(), |body, violations| {
            let act = read(body, violations)?;
            let traceparent = caller.traceparent.clone();
            let own = command.insert(Arc::new(Command { act, traceparent, permit }));
            Some(D::Command::from(Arc::clone(own)))
        });
        let submission = submission.await?;
        if catches_up {
            self.catch_up(caller.deadline).await?;
        }
        let receipt = self.submit(submission, caller.deadline).await?;
        let answered = |command: &Arc<Command<D>>| command.act.answer(&receipt.events);
        let mut resources = command.as_ref().map(answered).unwrap_or_default();
        if let Some(command) = command.filter(|_| resources.is_empty()) {
            let now = self.clock.now();
            let subject = self.read_blocking(move |view| command.act.subject(&Rows::new(view), now)).await?;
            resources.extend(subject.map_err(refused)?);
        }
        Ok(self.answer(resources, receipt.position))
    }

    fn answer(&self, resources: Vec<Bytes>, position: Position) -> Response<Answer> {
        Response::new(Answer { resources, revision: self.revision(position) })
    }

    async fn get<R: Rules<D>>(
        self: Arc<Self>,
        request: Permitted<R::Get>,
    ) -> Result<Response<Answer>, Status> {
        let name = sound(|violations| violations.check("name", request.get_ref().name().parse()));
        let name: Name<R> = name.map_err(refused)?;
        self.wait_for_revisions(&request, request.get_ref().min_revisions()).await?;
        let now = self.clock.now();
        let read = move |view: &View<'_>| {
            let resource =
                shown::<D, R>(&Rows::new(view), now, &name)?.ok_or_else(|| Rejection::not_found(&name))?;
            Ok((resource, view.position()))
        };
        let (resource, position) = if R::READS_OTHERS {
            self.read_blocking(read).await?.map_err(refused)?
        } else {
            read(&self.ledger.view()).map_err(refused)?
        };
        Ok(self.answer(vec![resource], position))
    }

    async fn list<R: Rules<D>>(
        self: Arc<Self>,
        request: Permitted<R::List>,
    ) -> Result<Response<PageMessage>, Status> {
        let scopes = request.permit().scopes(&self.ledger.view(), self.clock.now());
        let list = Arc::new(read_list::<D, R>(request.get_ref(), &scopes).map_err(refused)?);
        self.wait_for_revisions(&request, request.get_ref().min_revisions()).await?;
        let (now, asked) = (self.clock.now(), Arc::clone(&list));
        let read = move |view: &View<'_>| Ok((asked.page::<D, R>(&Rows::new(view), now)?, view.position()));
        let deadline = Caller::of_permitted(&request).map_err(refused)?.deadline;
        let (page, position) = self.read_settled(deadline, read).await?;
        self.metrics.scanned.inc_by(page.scanned as u64);
        self.metrics.returned.inc_by(page.resources.len() as u64);
        Ok(Response::new(PageMessage {
            resources: page.resources,
            next_page_token: list.next_page_token(page.next, position.sequence),
            revision: self.revision(position),
        }))
    }

    /// Answers a write.
    fn answer_write<Q: WriteRequest + AccessRequest + 'static>(
        self: &Arc<Self>,
        request: HttpRequest<Body>,
        read: ReadAct<D, Q>,
        catches_up: bool,
    ) -> ResponseFuture {
        self.answer_call(request, move |api, request| api.write(request, read, catches_up))
    }

    /// Answers a call whose request is decoded and whose answer is encoded here.
    fn answer_call<Q, T, Fut>(
        self: &Arc<Self>,
        request: HttpRequest<Body>,
        call: impl Fn(Arc<Self>, Permitted<Q>) -> Fut + Send + 'static,
    ) -> ResponseFuture
    where
        Q: AccessRequest + Default + 'static,
        T: prost::Message + Send + 'static,
        Fut: Future<Output = Result<Response<T>, Status>> + Send + 'static,
    {
        unary(self, &self.calls, request, call)
    }
}

/// Answers a method of a resource's own.
pub type Method<D> = Box<dyn Fn(&Arc<Api<D>>, HttpRequest<Body>) -> ResponseFuture + Send + Sync>;

/// A method of this name that does what its request is read to.
pub fn write<D: Resources, Q: WriteRequest + AccessRequest + 'static>(
    name: &'static str,
    read: ReadAct<D, Q>,
) -> (&'static str, Method<D>) {
    (name, Box::new(move |api, request| api.answer_write(request, read, false)))
}

/// The same, of what goes by all that the upstream knows when it is called, and does not correct itself later: it waits
/// until that was followed.
pub fn write_by_all<D: Resources, Q: WriteRequest + AccessRequest + 'static>(
    name: &'static str,
    read: ReadAct<D, Q>,
) -> (&'static str, Method<D>) {
    (name, Box::new(move |api, request| api.answer_write(request, read, true)))
}

/// A method of this name that reads several resources: `rows` finds what `read` read of the request, once the
/// ledger is at `min_revisions`.
pub fn read_several<D: Resources, Q: AccessRequest + Default + 'static, T: Send + 'static>(
    name: &'static str,
    read: fn(&Q, &mut Violations) -> Option<T>,
    min_revisions: fn(&Q) -> &[String],
    rows: fn(&Rows<'_, D>, T) -> Result<Vec<Bytes>, Rejection>,
) -> (&'static str, Method<D>) {
    call(name, move |api: Arc<Api<D>>, request: Permitted<Q>| async move {
        let asked = sound(|violations| read(request.get_ref(), violations)).map_err(refused)?;
        api.wait_for_revisions(&request, min_revisions(request.get_ref())).await?;
        let read = move |view: &View<'_>| Ok((rows(&Rows::new(view), asked)?, view.position()));
        let (resources, position) = api.read_blocking(read).await?.map_err(refused)?;
        Ok(api.answer(resources, position))
    })
}

/// What an answer is computed from.
pub struct Query<'a, D, T> {
    /// The rows.
    pub rows: Rows<'a, D>,
    /// When.
    pub now: Timestamp,
    /// What was asked.
    pub request: &'a T,
    /// What the caller may do.
    pub permit: &'a Permit,
    /// The position that the rows are of.
    pub position: Position,
    /// The ledger that they are of.
    ledger: LedgerKind,
}

impl<D, T> Query<'_, D, T> {
    /// The revision that the answer is of.
    pub fn revision(&self) -> String {
        Revision { ledger: self.ledger, position: self.position }.to_string()
    }
}

/// A method of this name that computes its answer: `read` reads the request and finds every fault of it, and `answer`
/// computes from one state of the rows, once the ledger is at `min_revisions`, on a thread that may block.
pub fn query<D, Q, T, A>(
    name: &'static str,
    read: fn(&Q, &mut Violations) -> Option<T>,
    min_revisions: fn(&Q) -> &[String],
    answer: impl Fn(Query<'_, D, T>) -> Result<A, Rejection> + Clone + Send + Sync + 'static,
) -> (&'static str, Method<D>)
where
    D: Resources,
    Q: AccessRequest + Default + 'static,
    T: Send + Sync + 'static,
    A: prost::Message + 'static,
{
    call(name, move |api: Arc<Api<D>>, request: Permitted<Q>| {
        let answer = answer.clone();
        async move {
            let asked = Arc::new(sound(|violations| read(request.get_ref(), violations)).map_err(refused)?);
            api.wait_for_revisions(&request, min_revisions(request.get_ref())).await?;
            let (now, permit, ledger) = (api.clock.now(), request.permit().clone(), api.kind);
            let compute = move |view: &View<'_>| {
                let (rows, position) = (Rows::new(view), view.position());
                answer(Query { rows, now, request: &asked, permit: &permit, position, ledger })
            };
            let deadline = Caller::of_permitted(&request).map_err(refused)?.deadline;
            Ok(Response::new(api.read_settled(deadline, compute).await?))
        }
    })
}

/// A method of this name that a function of the service's own answers.
pub fn call<D, Q, T, Fut>(
    name: &'static str,
    call: impl Fn(Arc<Api<D>>, Permitted<Q>) -> Fut + Clone + Send + Sync + 'static,
) -> (&'static str, Method<D>)
where
    D: Resources,
    Q: AccessRequest + Default + 'static,
    T: prost::Message + 'static,
    Fut: Future<Output = Result<Response<T>, Status>> + Send + 'static,
{
    (name, Box::new(move |api, request| api.answer_call(request, call.clone())))
}

/// The service of a resource: the standard methods, and its own.
#[derive(Clone)]
pub struct ResourceService<D: Domain, R> {
    api: Arc<Api<D>>,
    methods: Arc<HashMap<&'static str, Method<D>>>,
    resource: std::marker::PhantomData<fn() -> R>,
}

impl<D: Resources, R: Rules<D>> ResourceService<D, R> {
    /// The service of what it makes itself, with these methods besides those that get and list.
    pub fn read_only(api: Arc<Api<D>>, methods: Vec<(&'static str, Method<D>)>) -> Self {
        Self { api, methods: Arc::new(methods.into_iter().collect()), resource: std::marker::PhantomData }
    }

    /// The service of what is neither updated nor deleted, with these methods besides the standard ones that it has.
    pub fn permanent(api: Arc<Api<D>>, mut methods: Vec<(&'static str, Method<D>)>) -> Self
    where
        R: Creatable,
    {
        let create = method::<R::Create>();
        // A method of the service's own may create in another way.
        if methods.iter().all(|(own, _)| *own != create) {
            methods.push(write(create, |request: R::Create, violations| {
                read_create::<D, R>(request, violations, Violations::new())
            }));
        }
        Self::read_only(api, methods)
    }

    /// The service of what is not updated, with these methods besides the standard ones that it has.
    pub fn immutable(api: Arc<Api<D>>, mut methods: Vec<(&'static str, Method<D>)>) -> Self
    where
        R: Deletable,
    {
        methods.push(write(method::<R::Delete>(), |request: R::Delete, violations| {
            Some(Box::new(Standard::<R>::Delete(target(&request, violations)?)))
        }));
        Self::permanent(api, methods)
    }

    /// The service with these methods besides the standard ones.
    pub fn new(api: Arc<Api<D>>, mut methods: Vec<(&'static str, Method<D>)>) -> Self
    where
        R: Mutable,
    {
        methods.push(write(method::<R::Update>(), read_update::<D, R>));
        methods.push(write(method::<R::Undelete>(), |request: R::Undelete, violations| {
            Some(Box::new(Standard::<R>::Undelete(target(&request, violations)?)))
        }));
        Self::immutable(api, methods)
    }
}

/// The name of the method that takes a request.
fn method<Q: AccessRequest>() -> &'static str {
    Q::RULE.method.rsplit('/').next().unwrap_or_default()
}

impl<D: Resources, R: Rules<D>> RawMethods for ResourceService<D, R> {
    const NAME: &'static str = R::SERVICE;

    fn answer(&self, method: &str, request: HttpRequest<Body>) -> Option<ResponseFuture> {
        let api = &self.api;
        if let Some(own) = self.methods.get(method) {
            return Some(own(api, request));
        }
        if R::List::METHOD.rsplit('/').next() == Some(method) {
            return Some(api.answer_call(request, Api::list::<R>));
        }
        let service = R::SERVICE.rsplit('.').next().and_then(|name| name.strip_suffix("Service"));
        (method.strip_suffix(service?)? == "Get").then(|| api.answer_call(request, Api::get::<R>))
    }
}

//! What every resource refuses alike.

use serde_json::{Value, json};

use super::{Subject, Transcript, full, request};

/// A resource, and what its methods are called after.
pub(crate) struct Noun {
    /// `Phase`
    pub(crate) singular: &'static str,
    /// `Phases`
    pub(crate) plural: &'static str,
    /// The field of requests that holds one: `phase`.
    pub(crate) field: &'static str,
}

/// Filters that no list takes.
const FILTERS: [&str; 8] = [
    "nome = \"x\"",
    "name =",
    "name > \"x\"",
    "display_name = x y",
    "create_time > \"yesterday\"",
    "(name = \"x\"",
    "name = \"x\" OR create_time = 7",
    "NOT",
];
/// Orders that no list takes.
const ORDERS: [&str; 5] = ["nome", "name,", "name descending", "name desc desc", "name, name desc"];
/// A page token of another request, and one that is none.
const PAGE_TOKENS: [&str; 2] =
    ["nonsense", "UAFLMfbxkxU37mMgI0ZIrMq3AAAAAAAAEmcCd3NjAHNjaWVuY2UtYXZlbnVlSY2ZjQ"];

impl Noun {
    /// `PhaseService/UpdatePhase`
    pub(crate) fn method(&self, verb: &str) -> String {
        let Self { singular, plural, .. } = self;
        let noun = if verb == "List" { plural } else { singular };
        format!("{singular}Service/{verb}{noun}")
    }

    /// Whether there is a method for a verb: what never changes has none for some.
    pub(super) fn has<S: Subject>(&self, verb: &str) -> bool {
        request::is_there(&full::<S>(&self.method(verb)))
    }

    /// An update with a mask.
    pub(crate) fn update(&self, mask: &str, resource: Value) -> Value {
        json!({ self.field: resource, "update_mask": mask })
    }

    /// An update of what is set.
    pub(crate) fn set(&self, resource: Value) -> Value {
        json!({ self.field: resource })
    }
}

impl<S: Subject> Transcript<S> {
    /// Calls the method of a resource that is named after a verb.
    pub(crate) async fn ask(&mut self, noun: &Noun, verb: &str, what: &str, request: Value) {
        self.call(what, &noun.method(verb), request).await;
    }

    /// Requests with a name that are wrong in every way at once; `good` is the name of one that is there.
    pub(crate) async fn target_faults(&mut self, noun: &Noun, good: &str) {
        for verb in ["Delete", "Undelete"].into_iter().filter(|verb| noun.has::<S>(verb)) {
            let everything = json!({ "name": "x", "etag": "x", "request_id": " " });
            self.ask(noun, verb, "everything", everything).await;
            self.ask(noun, verb, "nothing", json!({})).await;
        }
        self.ask(noun, "Get", "no name", json!({})).await;
        let dash = format!("{}-", &good[..good.rfind('/').unwrap() + 1]);
        self.ask(noun, "Get", "a name that is none", json!({ "name": dash })).await;
        self.min_revisions(&noun.method("Get"), &json!({ "name": good })).await;
    }

    /// What is refused by the names and the etags alone; `deleted` is the name of one that is deleted, and
    /// `change` is a change of any.
    pub(crate) async fn standard_refusals(
        &mut self,
        noun: &Noun,
        there: &str,
        deleted: &str,
        change: &Value,
    ) {
        let none = format!("{}none", &there[..there.rfind('/').unwrap() + 1]);
        let changed = |name: &str, etag: &str| {
            let mut change = change.clone();
            change["name"] = json!(name);
            change["etag"] = json!(etag);
            noun.set(change)
        };
        let stale = |name: &str| json!({ "name": name, "etag": "1" });
        for (verb, what, request) in [
            ("Get", "none", json!({ "name": none })),
            ("Update", "none", changed(&none, "")),
            ("Delete", "none", json!({ "name": none })),
            ("Undelete", "none", json!({ "name": none })),
            ("Update", "a stale etag", changed(there, "1")),
            ("Delete", "a stale etag", stale(there)),
            ("Undelete", "a stale etag", stale(deleted)),
            ("Update", "a deleted one", changed(deleted, "")),
            ("Undelete", "one that is not deleted", json!({ "name": there })),
        ] {
            if noun.has::<S>(verb) {
                self.ask(noun, verb, what, request).await;
            }
        }
    }

    /// A creation that is sent again under its request id, and another under the same.
    pub(crate) async fn again(&mut self, noun: &Noun, mut request: Value) {
        request["request_id"] = json!("once");
        self.ask(noun, "Create", "under a request id", request.clone()).await;
        self.ask(noun, "Create", "the same again, which is answered the same", request.clone()).await;
        request[noun.field]["display_name"] = json!("别的");
        self.ask(noun, "Create", "another under the same request id", request).await;
    }

    /// Pages in every order, both ways, and of a filter; `parents` has an empty text for a list of all there are.
    pub(crate) async fn all_pages(&mut self, noun: &Noun, parents: &[&str], orders: &[&str], filter: &str) {
        let method = noun.method("List");
        for parent in parents {
            let mut request = json!({ "order_by": "" });
            if !parent.is_empty() {
                request["parent"] = json!(parent);
            }
            self.pages(&method, request.clone()).await;
            for order in orders {
                for order_by in [(*order).to_owned(), format!("{order} desc")] {
                    request["order_by"] = json!(order_by);
                    self.pages(&method, request.clone()).await;
                }
            }
            request["filter"] = json!(filter);
            request["show_deleted"] = json!(true);
            self.pages(&method, request).await;
        }
    }

    /// The refusals of a list that do not depend on what is listed; `request` is one that is not refused.
    pub(crate) async fn list_refusals(&mut self, noun: &Noun, request: &Value, two_orders: &str) {
        let list = noun.method("List");
        let with = |field: &str, value: &str| {
            let mut request = request.clone();
            request[field] = json!(value);
            request
        };
        for order_by in ORDERS.into_iter().chain([two_orders]) {
            self.call(&format!("order_by {order_by}"), &list, with("order_by", order_by)).await;
        }
        for filter in FILTERS {
            self.call(&format!("filter {filter}"), &list, with("filter", filter)).await;
        }
        for token in PAGE_TOKENS {
            self.call(&format!("page token {token}"), &list, with("page_token", token)).await;
        }
        let mut nonsense = with("order_by", "nome");
        nonsense["page_size"] = json!(-1);
        self.call("a negative page size and no such order", &list, nonsense).await;
        self.min_revisions(&list, request).await;
    }

    /// The refusals of a read for the revisions that it is to wait for.
    async fn min_revisions(&mut self, method: &str, request: &Value) {
        let notifier = "UgEDAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze-FTCnr";
        for (what, revisions) in [
            ("a revision that is none", json!(["nonsense"])),
            ("a revision of another ledger", json!([notifier])),
            ("a revision of another log", json!([S::REVISION_OF_ANOTHER_LOG])),
            ("too many revisions", json!(["", "", "", ""])),
        ] {
            let mut request = request.clone();
            request["min_revisions"] = revisions;
            self.call(what, method, request).await;
        }
    }
}

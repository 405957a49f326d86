//! What each field of a resource may be asked for: every path of the schema in every form of a filter, as an order,
//! and in an update's mask, what that finds or why it is refused, one line each.

use prost::Message;
use serde_json::{Value, json};

use super::noun::Noun;
use super::request::{self, paths};
use super::{Named, Page, Subject, Transcript, full};

/// What may follow a path in a filter.
const FORMS: [&str; 12] = [
    " = \"x\"",
    " = 1",
    " = true",
    " = X",
    " = \"2021-05-27\"",
    " != \"x\"",
    " != 1",
    " != false",
    " > \"2021-01-01T00:00:00Z\"",
    ":\"x\"",
    ":*",
    ".a = \"x\"",
];

impl<S: Subject> Transcript<S> {
    /// Asks for every field in every way; `list` lists what there is, `name` is one that is not deleted.
    pub(crate) async fn every_field(&mut self, noun: &Noun, list: &Value, name: &str) {
        self.chapter("What every field may be asked for");
        let method = full::<S>(&noun.method("Create"));
        let paths = paths(&request::field(&method, noun.field));
        self.text.step("filters");
        let mut all = list.clone();
        all["show_deleted"] = json!(true);
        for path in &paths {
            for (i, form) in FORMS.iter().enumerate() {
                let answer = self.taken(noun, "List", &all, "filter", &format!("{path}{form}")).await;
                // That there is no such field is the same in every form.
                if i == 0 && answer.contains("there is no field") {
                    self.text.line(&format!("{path}: {answer}"));
                    break;
                }
                self.text.line(&format!("{path}{form}: {answer}"));
            }
        }
        self.text.step("orders");
        for path in &paths {
            let answer = self.taken(noun, "List", list, "order_by", path).await;
            self.text.line(&format!("{path}: {answer}"));
        }
        if !noun.has::<S>("Update") {
            return;
        }
        self.text.step("masks of an update that says nothing else");
        let update = json!({ noun.field: { "name": name }, "validate_only": true });
        for path in &paths {
            let answer = self.taken(noun, "Update", &update, "update_mask", path).await;
            self.text.line(&format!("{path}: {}", answer.replace("finds", "answers")));
        }
    }

    /// What a request finds or changes with this field, or why it is refused.
    async fn taken(&mut self, noun: &Noun, verb: &str, request: &Value, field: &str, value: &str) -> String {
        let mut request = request.clone();
        request[field] = json!(value);
        match self.send(&noun.method(verb), request, false).await {
            Ok(answer) => {
                let resources = Page::decode(answer).unwrap().resources.into_iter();
                let names = resources.map(|resource| Named::decode(resource).unwrap().name);
                let ids: Vec<_> = names.map(|name| name.rsplit('/').next().unwrap().to_owned()).collect();
                format!("finds {}", if ids.is_empty() { "none".to_owned() } else { ids.join(", ") })
            }
            Err(status) => status.message().to_owned(),
        }
    }
}

//! Reads templates, and the version of each that is in force on the day of the page.

use std::collections::BTreeMap;

use milepost_proto::tracker::v1::{
    ListTemplateVersionsRequest, ListTemplateVersionsResponse, ListTemplatesRequest, ListTemplatesResponse,
    Template as TemplateMessage, TemplateVersion,
};

use super::{PAGE, Reader, there};
use crate::error::Error;
use crate::output::plan::Plan;
use crate::output::value::civil_date;
use crate::reference::phrases::ITEMS;
use crate::reference::view::Template;

impl Reader<'_> {
    /// Those with a version in force, by name.
    pub(super) async fn templates(&self) -> Result<Vec<Template>, Error> {
        let mut found = Vec::new();
        let request = |page_token| ListTemplatesRequest {
            parent: self.name.clone(),
            page_size: PAGE,
            page_token,
            ..ListTemplatesRequest::default()
        };
        let split = |page: ListTemplatesResponse| (page.templates, page.next_page_token);
        if there(self.list("templates", request, split, |template| found.push(template)).await)?.is_none() {
            return Ok(Vec::new());
        }
        // In force is the last one that has begun: they come in the order of their days.
        let mut in_force = BTreeMap::<String, TemplateVersion>::new();
        let request = |page_token| ListTemplateVersionsRequest {
            parent: format!("{}/templates/-", self.name),
            page_size: PAGE,
            page_token,
            filter: format!("state = STATE_PUBLISHED AND in_force_from <= {}", self.date),
            order_by: "in_force_from".to_owned(),
            ..ListTemplateVersionsRequest::default()
        };
        let split = |page: ListTemplateVersionsResponse| (page.template_versions, page.next_page_token);
        let each = |version: TemplateVersion| {
            let template = version.name.split("/versions/").next().unwrap_or_default().to_owned();
            in_force.insert(template, version);
        };
        self.list("versions of templates", request, split, each).await?;
        let templates = found.iter().filter_map(|template| {
            let version = in_force.get(&template.name)?;
            Some(self.template(template, version))
        });
        Ok(templates.collect())
    }

    fn template(&self, template: &TemplateMessage, version: &TemplateVersion) -> Template {
        Template {
            title: self.title(&template.display_name, &template.translations),
            description: template.description.clone(),
            version: self.title(&version.display_name, &version.translations),
            in_force_from: civil_date(version.in_force_from),
            plan: Plan::of(version, ITEMS, |item| self.title(&item.display_name, &item.translations)),
        }
    }
}

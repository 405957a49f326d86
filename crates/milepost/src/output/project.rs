//! How a project is shown.
//!
//! Does not add anything up: amounts are shown as they were given.

use comfy_table::Cell;
use milepost_proto::registry::v1::{AnnualPlan, FundingSource, Project, Site};

use super::card::{self, Card};
use super::resource::Resource;
use super::zone::{Place, Zone};
use super::{table, text};

impl Resource for Project {
    const FIELD: &'static str = "project";
    const COLUMNS: &'static [&'static str] =
        &["PROJECT", "DISPLAY NAME", "STATUS", "KEY", "INVESTMENT", "STARTED", "COMPLETED"];

    fn place(&self) -> Place<'_> {
        Place::of(&self.name)
    }

    fn row(&self, under: &str, _zone: &Zone) -> Vec<Cell> {
        let actual = self.actual_period.unwrap_or_default();
        vec![
            Cell::new(text::ids_under(&self.name, under)),
            Cell::new(&self.display_name),
            table::state(&text::code(self.status().as_str_name(), "STATUS")),
            Cell::new(self.key.map_or(text::ABSENT, yes)),
            table::number(text::money(self.investment.as_ref())),
            Cell::new(text::date(actual.start_date.as_ref())),
            Cell::new(text::date(actual.end_date.as_ref())),
        ]
    }

    fn card(&self, card: &mut Card) {
        let amount = |what: &str, money| format!("{what}: {}", text::money(money));
        card.text("Name", &self.name)
            .text("Display name", &self.display_name)
            .map("Translations", &self.translations)
            .text("Status", text::code(self.status().as_str_name(), "STATUS"))
            .text("Resumes as", text::code(self.suspended_status().as_str_name(), "STATUS"))
            .text("Status reason", &self.status_reason)
            .text("Started by", &self.batch)
            .lines("Codes", self.codes.iter().map(|code| format!("{}={}", code.scheme, code.code)))
            .text("Sector", &self.sector)
            .text("Level", text::code(self.level().as_str_name(), "LEVEL"))
            .known("Key project", self.key.map(yes))
            .text("Listing", text::code(self.listing().as_str_name(), "LISTING"))
            .known("Site", self.site.as_ref().map(site))
            .text("Purpose", &self.purpose)
            .text("Scale", &self.scale)
            .money("Investment", self.investment.as_ref())
            .lines(
                "Breakdown",
                self.breakdown.iter().map(|item| amount(&item.category, item.amount.as_ref())),
            )
            .lines("Funding", self.funding.iter().map(funding))
            .lines("Annual plans", self.annual_plans.iter().map(annual_plan))
            .lines(
                "Completed investments",
                self.completed_investments.iter().map(|completed| {
                    amount(
                        &completed.period.as_ref().map(card::period).unwrap_or_default(),
                        completed.amount.as_ref(),
                    )
                }),
            )
            .lines(
                "Parties",
                self.parties
                    .iter()
                    .map(|party| format!("{}: {}", party.organization, party.roles.join(", "))),
            )
            .period("Planned period", self.planned_period.as_ref())
            .period("Actual period", self.actual_period.as_ref())
            .text("Part of", &self.parent_project)
            .map("Labels", &self.labels)
            .history(
                self.create_time.as_ref(),
                self.update_time.as_ref(),
                self.delete_time.as_ref(),
                &self.etag,
            );
    }
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn site(site: &Site) -> String {
    let mut parts = vec![site.address.clone(), site.division_code.clone()];
    if let (Some(latitude), Some(longitude)) = (site.latitude, site.longitude) {
        parts.push(format!("{latitude}, {longitude}"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

fn funding(source: &FundingSource) -> String {
    let from =
        if source.organization.is_empty() { String::new() } else { format!(" ({})", source.organization) };
    format!("{}{from}: {}", source.source, text::money(source.amount.as_ref()))
}

fn annual_plan(plan: &AnnualPlan) -> String {
    let mut parts = Vec::new();
    if plan.investment.is_some() {
        parts.push(text::money(plan.investment.as_ref()));
    }
    if !plan.content.is_empty() {
        parts.push(plan.content.clone());
    }
    format!("{}: {}", plan.year, parts.join(" · "))
}

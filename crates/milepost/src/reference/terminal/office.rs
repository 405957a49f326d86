//! Campaigns, warnings, rectification orders and templates.

use anstyle::{AnsiColor, Style};

use super::{BOLD, REGISTERED, WARNING, Writer};
use crate::output::chart::FAINT;
use crate::output::plan::{self, Chart};
use crate::output::standings::{self, Heads, Standing};
use crate::output::table::{Cell, Column, Room, clean, render};
use crate::output::text;
use crate::reference::phrases::{ABSENT, signed};
use crate::reference::view::{Campaign, Order, OrderGroup, OrderKind, Template, Warnings};

impl Writer<'_> {
    pub(super) fn campaigns(&self) -> String {
        if self.view.campaigns.is_empty() {
            return String::new();
        }
        let all: Vec<String> = self.view.campaigns.iter().map(|campaign| self.campaign(campaign)).collect();
        self.heading(self.words.campaigns()) + &all.join("\n")
    }

    fn campaign(&self, campaign: &Campaign) -> String {
        let words = self.words;
        let mut out = self.block(BOLD, &campaign.title, 0);
        out += &self.block(FAINT, &words.about_campaign(campaign), 0);
        out += &self.some(FAINT, &campaign.description, 0);
        if campaign.standings.is_empty() {
            return out + &self.nothing(words.no_members());
        }
        let heads = Heads {
            rank: words.rank(),
            project: words.project(),
            total: words.total(),
            scores: campaign.criteria.iter().map(|criterion| words.criterion(criterion)).collect(),
            note: words.note(),
        };
        let note = |standing: &_| words.standing_note(campaign, standing);
        let columns = standings::columns(&heads, &campaign.standings, |why| words.why(why), note);
        let table = render(columns, u16::try_from(self.columns).ok(), self.colour);
        // What is not a bar is not left out.
        out += &match table.left_out.iter().all(String::is_empty) {
            true => table.text,
            false => campaign.standings.iter().map(|standing| self.standing(campaign, standing)).collect(),
        };
        if campaign.more > 0 {
            out += &self.block(FAINT, &words.more_members(campaign.more, campaign.more_unranked), 0);
        }
        out
    }

    /// A member on lines of its own.
    fn standing(&self, campaign: &Campaign, standing: &Standing) -> String {
        let words = self.words;
        let rank = format!("{:>4}", standings::rank(standing));
        let total = clean(standing.total.as_deref().unwrap_or(ABSENT));
        let bar = self.paint(REGISTERED, &standings::total_bar(standing));
        let mut out = self.hanging(&rank, 6, BOLD, &standing.title);
        out += format!("{:6}{total:>6} {bar}", "").trim_end();
        out += "\n";
        out += &self.block(FAINT, &words.scores(campaign, standing), 6);
        out + &self.some(Style::new(), &words.standing_note(campaign, standing), 6)
    }

    pub(super) fn warnings(&self) -> String {
        if self.view.warnings.is_empty() {
            return String::new();
        }
        let words = self.words;
        let all: Vec<String> = self.view.warnings.iter().map(|warnings| self.wall(warnings)).collect();
        let mut out = self.heading(words.warnings()) + &all.join("\n");
        if !self.view.is_today {
            out += &self.nothing(words.warnings_as_of_today());
        }
        out
    }

    fn wall(&self, Warnings { title, description, wall }: &Warnings) -> String {
        let words = self.words;
        let mut out = self.block(BOLD, title, 0) + &self.some(FAINT, description, 0);
        let (Some(last), Some(counts)) = (wall.periods.last(), wall.counts.last()) else {
            return out + &self.nothing(words.no_warnings());
        };
        out += &self.block(Style::new(), &words.light_counts(*last, *counts), 0);
        let columns = u16::try_from(self.columns).unwrap_or(u16::MAX);
        let (drawn, hidden) = wall.draw(words.letters(), Some(columns), self.colour);
        out += &drawn;
        out += &self.block(FAINT, &words.wall_key(), 0);
        out + &self.some(FAINT, &words.not_in_wall(wall.more_rows, hidden), 0)
    }

    pub(super) fn orders(&self) -> String {
        let words = self.words;
        let Some(orders) = &self.view.orders else { return String::new() };
        let mut out = self.heading(words.orders());
        let groups: Vec<String> = orders.groups.iter().map(|group| self.order_group(group)).collect();
        out += &groups.concat();
        if !orders.overdue.is_empty() {
            let most = orders.overdue.iter().map(|(_, count)| *count).max().unwrap_or(0);
            let rows = || orders.overdue.iter();
            let bar = |count: u64| self.bar(signed(count), signed(most));
            out += "\n";
            out += &self.table(vec![
                Column::new(
                    words.responsible(),
                    Room::Name,
                    0,
                    rows().map(|(whose, _)| whose.clone().into()),
                ),
                Column::new(
                    words.overdue(),
                    Room::Number,
                    0,
                    rows().map(|(_, count)| text::grouped(&count.to_string()).into()),
                ),
                Column::new(
                    "",
                    Room::Whole,
                    1,
                    rows().map(|(_, count)| Cell { text: bar(*count), style: WARNING }),
                ),
            ]);
            out += &self.some(FAINT, &words.more_overdue(orders.more_overdue), 0);
        }
        if !self.view.is_today {
            out += &self.nothing(words.orders_as_of_today());
        }
        out
    }

    fn order_group(&self, group: &OrderGroup) -> String {
        let words = self.words;
        let letter = words.order_letter(group.kind);
        let lamp = self.paint(order_style(group.kind), letter);
        let count = text::grouped(&group.count.to_string());
        let label = crate::output::width::columns(letter) + 1;
        let head = format!("{}{}{count}", words.order_kind(group.kind), words.colon());
        let mut out = self.hanging(&lamp, label, BOLD, &head);
        for order in &group.first {
            out += &self.block(Style::new(), &order.title, label);
            out += &self.block(FAINT, &self.about_order(order), label);
        }
        let more = group.count.saturating_sub(group.first.len() as u64);
        if more > 0 && !group.first.is_empty() {
            out += &self.block(FAINT, &words.more_orders(more), label);
        }
        out
    }

    fn about_order(&self, order: &Order) -> String {
        let words = self.words;
        let due = order.due.map_or(ABSENT.to_owned(), |due| words.day(due));
        let parts = [
            order.project.clone(),
            order.responsible.clone(),
            format!("{}{}{due}", words.due(), words.colon()),
            words.level(order.level),
            if order.is_stop_work { words.stop_work().to_owned() } else { String::new() },
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    pub(super) fn templates(&self) -> String {
        if self.view.templates.is_empty() {
            return String::new();
        }
        let all: Vec<String> = self.view.templates.iter().map(|template| self.template(template)).collect();
        self.heading(self.words.templates()) + &all.join("\n")
    }

    fn template(&self, template: &Template) -> String {
        let (words, plan) = (self.words, &template.plan);
        let heads = plan::Heads { item: words.milestone(), text: words.distance() };
        let mut out = self.block(BOLD, &template.title, 0);
        out += &self.block(FAINT, &words.about_template(template), 0);
        out += &self.some(FAINT, &template.description, 0);
        for chart in &plan.charts {
            out += &self.chart(chart, &heads);
        }
        if !plan.undated.is_empty() {
            out += &self.block(Style::new(), words.without_day(), 0);
            let heads = plan::Heads { item: "", text: "" };
            out += self
                .table(plan::listed(&plan.undated, &heads, |item| words.plan_item(item)))
                .trim_start_matches('\n');
        }
        if plan.more > 0 {
            out += &self.block(FAINT, &words.more_items(plan.more), 0);
        }
        out + &self.some(FAINT, &words.plan_key(plan), 0)
    }

    fn chart(&self, chart: &Chart, heads: &plan::Heads<'_>) -> String {
        let drawn = plan::columns(chart, self.columns, heads, |item| self.words.plan_item(item));
        self.block(Style::new(), &self.words.plan_heading(chart), 0) + &self.table(drawn)
    }
}

/// How the letter of a kind of orders looks in a terminal with colours.
fn order_style(kind: OrderKind) -> Style {
    match kind {
        OrderKind::Red => AnsiColor::Red.on_default().bold(),
        OrderKind::Yellow => AnsiColor::Yellow.on_default(),
        OrderKind::Blue => AnsiColor::Blue.on_default(),
        OrderKind::Waiting | OrderKind::Open => FAINT,
    }
}

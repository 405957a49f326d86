//! Rectification orders by light, and whose are overdue.

use super::{BAR, Writer, paragraph, table};
use crate::output::markup::escaped;
use crate::output::text;
use crate::reference::phrases::{ABSENT, signed};
use crate::reference::view::{Order, OrderGroup, OrderKind};

impl Writer<'_> {
    pub(super) fn orders(&self) -> String {
        let words = self.words;
        let Some(orders) = &self.view.orders else { return String::new() };
        let count = |group: &OrderGroup| {
            format!(
                "<div><dt>{} {}</dt><dd>{}</dd></div>\n",
                self.lamp(group.kind),
                words.order_kind(group.kind),
                text::grouped(&group.count.to_string())
            )
        };
        let counts: String = orders.groups.iter().map(count).collect();
        let mut content = format!("<dl class=\"numbers\">\n{counts}</dl>\n");
        let listed: Vec<String> = orders.groups.iter().flat_map(|group| self.order_rows(group)).collect();
        if !listed.is_empty() {
            let heads = ["", words.order(), words.responsible(), words.due()];
            content += &table("orders", words.orders(), &heads, &listed);
        }
        if !orders.overdue.is_empty() {
            let most = orders.overdue.iter().map(|(_, count)| *count).max().unwrap_or(0);
            let row = |(whose, count): &(String, u64)| {
                format!(
                    "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"bar\">{}</td></tr>\n",
                    escaped(whose),
                    text::grouped(&count.to_string()),
                    self.bar("overdue", signed(*count), signed(most)),
                )
            };
            let rows: Vec<String> = orders.overdue.iter().map(row).collect();
            let heads = [words.responsible(), &format!("#{}", words.overdue()), BAR];
            content += &format!("<h3>{}</h3>\n", words.overdue());
            content += &table("bars", words.overdue(), &heads, &rows);
            content += &paragraph("note", &words.more_overdue(orders.more_overdue));
        }
        if !self.view.is_today {
            content += &self.nothing(words.orders_as_of_today());
        }
        self.section("orders", words.orders(), &content)
    }

    /// The first orders of a kind, and how many there are besides.
    fn order_rows(&self, group: &OrderGroup) -> Vec<String> {
        let mut rows: Vec<String> = group.first.iter().map(|order| self.order(group.kind, order)).collect();
        let more = group.count.saturating_sub(rows.len() as u64);
        if more > 0 && !rows.is_empty() {
            let text = escaped(&self.words.more_orders(more));
            rows.push(format!(
                "<tr><td>{}</td><td colspan=\"3\"><small>{text}</small></td></tr>\n",
                self.lamp(group.kind)
            ));
        }
        rows
    }

    fn order(&self, kind: OrderKind, order: &Order) -> String {
        let words = self.words;
        let due = order.due.map_or(self.absent(ABSENT), |due| {
            format!("<time datetime=\"{due}\">{}</time>", escaped(&words.day(due)))
        });
        let stop = if order.is_stop_work { words.stop_work().to_owned() } else { String::new() };
        let besides: Vec<String> =
            [words.level(order.level), stop].into_iter().filter(|text| !text.is_empty()).collect();
        let besides = match besides.is_empty() {
            true => String::new(),
            false => format!("<br/><small class=\"warning\">{}</small>", besides.join(words.comma())),
        };
        format!(
            "<tr><td>{}</td><th scope=\"row\">{}<br/><small>{}</small></th><td>{}</td><td>{due}{besides}</td></tr>\n",
            self.lamp(kind),
            escaped(&order.title),
            escaped(&order.project),
            escaped(&order.responsible),
        )
    }

    /// The light of a kind of orders: a letter besides a colour.
    fn lamp(&self, kind: OrderKind) -> String {
        let class = match kind {
            OrderKind::Red => "red",
            OrderKind::Yellow => "yellow",
            OrderKind::Blue => "blue",
            OrderKind::Waiting | OrderKind::Open => "none",
        };
        let words = self.words;
        format!(
            "<span class=\"light {class}\" title=\"{}\">{}</span>",
            words.order_kind(kind),
            words.order_letter(kind)
        )
    }
}

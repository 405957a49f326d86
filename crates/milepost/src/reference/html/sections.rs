//! The sections of the page that are text and tables.

use super::{BAR, Writer, paragraph, table};
use crate::output::markup::escaped;
use crate::output::text;
use crate::reference::phrases::{ABSENT, signed};
use crate::reference::view::{Batch, Entry, EntryFigure, Figure, Indicator, RateKind, Rates, Sum};

impl Writer<'_> {
    pub(super) fn head(&self) -> String {
        let (view, words) = (self.view, self.words);
        let others = paragraph("others", &view.other_titles.join(" · "));
        let facts = [view.time_zone.as_str(), &view.currency].join(" · ");
        format!(
            "<header>\n<p class=\"over\">{}</p>\n<h1>{}</h1>\n{others}<p class=\"facts\"><strong><time datetime=\"{}\">{}\
             </time></strong> · {}</p>\n{}</header>\n",
            escaped(words.reference()),
            escaped(&view.title),
            view.date,
            escaped(&words.page_of(view.date)),
            escaped(&facts),
            paragraph("text", &view.description),
        )
    }

    pub(super) fn foot(&self) -> String {
        let name = escaped(&self.view.name);
        format!("<footer>\n<p>{name} · {ABSENT} {}</p>\n</footer>\n", escaped(self.words.absent()))
    }

    pub(super) fn projects(&self) -> String {
        let (words, projects) = (self.words, &self.view.projects);
        let mut content = String::new();
        if projects.count == 0 {
            content += &self.nothing(words.no_projects());
        } else {
            let most = projects.by_status.iter().map(|(_, count)| *count).max().unwrap_or(0);
            content += &paragraph(
                "lead",
                &format!(
                    "{}{}{}",
                    words.project_count(signed(projects.count)),
                    words.comma(),
                    words.key_count(projects.key)
                ),
            );
            let row = |(status, count): &(_, u64)| {
                let number = text::grouped(&count.to_string());
                format!(
                    "<tr><th scope=\"row\">{}</th><td class=\"number\">{number}</td><td class=\"bar\">{}</td></tr>\n",
                    words.status(*status),
                    self.bar("registered", signed(*count), signed(most)),
                )
            };
            let rows: Vec<String> = projects.by_status.iter().map(row).collect();
            content += &table("bars", words.projects(), &["", &format!("#{}", words.count()), BAR], &rows);
        }
        if !self.view.milestones.is_empty() {
            let item = |(state, count): &(_, u64)| {
                let count = text::grouped(&count.to_string());
                format!("<div><dt>{}</dt><dd>{count}</dd></div>\n", words.milestone_state(*state))
            };
            let items: String = self.view.milestones.iter().map(item).collect();
            content += &format!("<h3>{}</h3>\n<dl class=\"numbers\">\n{items}</dl>\n", words.milestones());
        }
        if !self.view.is_today && (projects.count > 0 || !self.view.milestones.is_empty()) {
            content += &self.nothing(words.as_of_today());
        }
        self.section("projects", words.projects(), &content)
    }

    pub(super) fn lists(&self) -> String {
        let words = self.words;
        let Some(lists) = &self.view.lists else { return String::new() };
        let mut content = String::new();
        if lists.is_empty() {
            content += &self.nothing(words.no_lists());
        }
        for list in lists {
            let row = |row: &crate::reference::view::ListRow| {
                (escaped(words.list_category(&row.category)), row.declared.clone(), row.registered.clone())
            };
            let rows: Vec<_> = list.rows.iter().map(row).collect();
            let caption = format!("{} {}", words.lists(), list.year);
            content += &format!("<h3>{}</h3>\n{}", escaped(&list.year), paragraph("text", &list.description));
            content += &self.pairs(&caption, words.category(), &rows);
        }
        self.section("lists", words.lists(), &content)
    }

    pub(super) fn batches(&self) -> String {
        let words = self.words;
        let content = if self.view.batches.is_empty() {
            self.nothing(words.no_batches())
        } else {
            let row = |batch: &Batch| {
                let date = batch.date.map_or(self.absent(ABSENT), |date| {
                    format!("<time datetime=\"{date}\">{}</time>", escaped(&words.day(date)))
                });
                let to_come = if batch.is_started {
                    String::new()
                } else {
                    format!(" <small>{}</small>", words.to_come())
                };
                let title = format!("{date}{to_come}<br/><small>{}</small>", escaped(&batch.title));
                (title, batch.declared.clone(), batch.registered.clone())
            };
            let rows: Vec<_> = self.view.batches.iter().map(row).collect();
            self.pairs(words.batches(), words.date(), &rows)
        };
        self.section("batches", words.batches(), &content)
    }

    /// A table with two rows for each thing, whose title is markup: what was declared, and what is registered.
    fn pairs(&self, caption: &str, head: &str, rows: &[(String, Sum, Sum)]) -> String {
        let words = self.words;
        let counts = rows.iter().flat_map(|(_, declared, registered)| [declared.count, registered.count]);
        let most = counts.flatten().max().unwrap_or(0);
        let cells = |class: &str, what: &str, sum: &Sum| {
            format!(
                "<td>{what}</td><td class=\"number\">{}</td><td class=\"bar\">{}</td><td class=\"amount\">{}</td>",
                self.count(sum),
                self.bar(class, sum.count.unwrap_or(0), most),
                self.amounts(sum),
            )
        };
        let row = |(title, declared, registered): &(String, Sum, Sum)| {
            format!(
                "<tr class=\"declared\"><th scope=\"rowgroup\" rowspan=\"2\">{title}</th>{}</tr>\n<tr>{}</tr>\n",
                cells("declared", words.declared(), declared),
                cells("registered", words.registered(), registered),
            )
        };
        let rows: Vec<String> = rows.iter().map(row).collect();
        table("pairs", caption, &[head, "", &format!("#{}", words.count()), BAR, words.investment()], &rows)
    }

    pub(super) fn rates(&self) -> String {
        let words = self.words;
        let heading = words.rates_of(self.view.year);
        let Some(rates) = &self.view.rates else { return String::new() };
        let listed = if rates.has_list { words.listed_by_list() } else { words.listed_by_project() };
        let counted = words.counted_as(rates.listed_count, rates.split_count);
        let mut content = paragraph("note", &words.sentences(&counted, listed));
        let rows: Vec<String> =
            rates.rates.iter().map(|(kind, figure)| self.rate(*kind, figure, rates)).collect();
        let value = format!("#{}", words.value());
        content += &table("rates", &heading, &[words.rate(), &value, BAR, words.part_of_whole()], &rows);
        if let Some(unplanned) = &rates.unplanned {
            content += &paragraph(
                "note",
                &format!("{}{}{}", words.unplanned(), words.colon(), words.amount(unplanned)),
            );
        }
        self.section("rates", &heading, &content)
    }

    /// The row of a rate, and one for what is missing in it.
    fn rate(&self, kind: RateKind, figure: &Figure, rates: &Rates) -> String {
        let words = self.words;
        let value = match figure.value {
            Some(_) => format!("<strong>{}</strong>", escaped(&words.figure(kind, figure))),
            None => self.absent(&words.figure(kind, figure)),
        };
        let bar =
            figure.value.as_ref().filter(|_| kind != RateKind::Ahead).map(|value| self.share_bar(value));
        let mut row = format!(
            "<tr><th scope=\"row\">{}<br/><small>{}</small></th><td class=\"number\">{value}</td>\
             <td class=\"bar\">{}</td><td>{}</td></tr>\n",
            words.rate_name(kind),
            escaped(words.rate_meaning(kind)),
            bar.unwrap_or_default(),
            escaped(&words.rests_on(kind, figure, &rates.currency)),
        );
        for missing in words.missing_texts(figure) {
            row += &format!(
                "<tr class=\"missing\"><td></td><td colspan=\"3\">{}</td></tr>\n",
                escaped(&missing)
            );
        }
        row
    }

    pub(super) fn indicators(&self) -> String {
        let words = self.words;
        let Some(indicators) = &self.view.indicators else { return String::new() };
        if indicators.is_empty() {
            return self.section("indicators", words.indicators(), &self.nothing(words.no_indicators()));
        }
        let items: String = indicators.iter().map(|indicator| self.indicator(indicator)).collect();
        let content = format!("<dl class=\"indicators\">\n{items}</dl>\n");
        self.section("indicators", words.indicators(), &content)
    }

    fn indicator(&self, indicator: &Indicator) -> String {
        let words = self.words;
        let of_which = match indicator.depth {
            0 => String::new(),
            _ => format!("<small>{}</small> ", words.of_which()),
        };
        let value = words.indicator_value(indicator);
        let value = match &indicator.value {
            shown if shown.number.is_some() => format!("<strong>{}</strong>", escaped(&value)),
            shown if shown.is_contradicted => format!("<span class=\"warning\">{}</span>", escaped(&value)),
            _ => self.absent(&value),
        };
        let line = |class: &str, text: String| match text.is_empty() {
            true => String::new(),
            false => format!("<dd class=\"{class}\">{}</dd>\n", escaped(&text)),
        };
        let targets =
            indicator.targets.iter().map(|target| line("about", words.target_text(target, &indicator.unit)));
        let clashes = words.contradiction_texts(indicator).into_iter().map(|text| line("warning", text));
        format!(
            "<div class=\"depth-{}\">\n<dt>{of_which}{}</dt>\n<dd class=\"value\">{value}</dd>\n{}{}{}{}</div>\n",
            indicator.depth.min(4),
            escaped(&indicator.title),
            line("about", words.about_value(indicator)),
            line("about", words.sum_of_parts_text(indicator).unwrap_or_default()),
            targets.collect::<String>(),
            clashes.collect::<String>(),
        )
    }

    pub(super) fn timeline(&self) -> String {
        let words = self.words;
        let Some(entries) = &self.view.timeline else { return String::new() };
        if entries.is_empty() {
            return self.section("timeline", words.timeline(), &self.nothing(words.no_timeline()));
        }
        let items: String = entries.iter().map(|entry| self.entry(entry)).collect();
        self.section("timeline", words.timeline(), &format!("<ol class=\"timeline\">\n{items}</ol>\n"))
    }

    fn entry(&self, entry: &Entry) -> String {
        let date = entry.date.map_or(self.absent(ABSENT), |date| {
            format!("<time datetime=\"{date}\">{}</time>", escaped(&self.words.day(date)))
        });
        let figure = |EntryFigure { label, label_language, value, is_declared }: &EntryFigure| {
            let declared = if *is_declared {
                format!(" <small>{}</small>", self.words.declared())
            } else {
                String::new()
            };
            format!(
                "<div{}><dt>{}</dt><dd>{}{declared}</dd></div>\n",
                lang(label_language),
                escaped(label),
                escaped(value)
            )
        };
        let figures: String = entry.figures.iter().map(figure).collect();
        let figures =
            if figures.is_empty() { figures } else { format!("<dl class=\"numbers\">\n{figures}</dl>\n") };
        let text = paragraph("text", &entry.text);
        let text = text.replacen("<p", &format!("<p{}", lang(&entry.text_language)), 1);
        format!(
            "<li>\n<p class=\"when\">{date} · {}</p>\n<h3{}>{}</h3>\n{}{figures}</li>\n",
            escaped(&entry.kind),
            lang(&entry.headline_language),
            escaped(&entry.headline),
            text,
        )
    }
}

/// The attribute that says a language, if there is one to say.
fn lang(tag: &str) -> String {
    if tag.is_empty() { String::new() } else { format!(" lang=\"{}\"", escaped(tag)) }
}

//! The page as one file of HTML: for a screen, a phone and paper, bright and dark, without a script.
//!
//! Invariants: nothing is loaded from elsewhere, which the page itself forbids; every text is escaped; it is also
//! well-formed XML. What a picture shows is said in words beside it.

mod campaigns;
mod charts;
mod networks;
mod orders;
mod plans;
mod sections;
mod walls;

use super::phrases::ABSENT;
use super::view::{Sum, View};
use super::words::Words;
use crate::output::markup::escaped;
use crate::output::text;

pub const STYLE: &str = include_str!("style.css");

/// The document.
pub fn document(view: &View) -> String {
    let writer = Writer { view, words: view.words };
    let language = if view.language.is_empty() { view.words.tag() } else { &view.language };
    let title = escaped(&view.title);
    let body = [
        writer.head(),
        "<main>\n".to_owned(),
        writer.projects(),
        writer.lists(),
        writer.batches(),
        writer.starts(),
        writer.rates(),
        writer.campaigns(),
        writer.warnings(),
        writer.orders(),
        writer.collections(),
        writer.indicators(),
        writer.templates(),
        writer.timeline(),
        "</main>\n".to_owned(),
        writer.foot(),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{title} · {reference}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        language = escaped(language),
        reference = view.words.reference(),
        body = body.concat(),
    )
}

/// What writes.
#[derive(Clone, Copy)]
struct Writer<'a> {
    view: &'a View,
    words: Words,
}

impl Writer<'_> {
    /// A section with its heading; the id is for links to it.
    fn section(&self, id: &str, heading: &str, content: &str) -> String {
        format!(
            "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n{content}</section>\n",
            escaped(heading)
        )
    }

    /// What is said where a section has nothing.
    fn nothing(&self, text: &str) -> String {
        paragraph("absent", text)
    }

    /// The count of a sum, or that there is none.
    fn count(&self, sum: &Sum) -> String {
        match sum.count {
            Some(count) => text::grouped(&count.to_string()),
            None => self.absent(ABSENT),
        }
    }

    /// What stands for an absent value, said in full to those who do not see the dash.
    fn absent(&self, shown: &str) -> String {
        match shown {
            ABSENT => {
                let absent = self.words.absent();
                format!("<span class=\"absent\">{ABSENT}<span class=\"unseen\"> {absent}</span></span>")
            }
            shown => format!("<span class=\"absent\">{}</span>", escaped(shown)),
        }
    }

    /// The amounts of a sum, or that there are none.
    fn amounts(&self, sum: &Sum) -> String {
        let amounts = self.words.amounts(sum);
        if sum.amounts.is_empty() { self.absent(&amounts) } else { escaped(&amounts) }
    }
}

/// A paragraph of this class; without one if it is empty. Nothing without a text.
fn paragraph(class: &str, text: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    match text.trim() {
        "" => String::new(),
        text => format!("<p{class}>{}</p>\n", escaped(text)),
    }
}

/// The head of a column of bars.
const BAR: &str = "|";

/// A table with a caption, the heads of its columns and its rows; a column of numbers has `#` before its head.
fn table(class: &str, caption: &str, heads: &[&str], rows: &[String]) -> String {
    let head = |head: &&str| match head.strip_prefix('#') {
        None if *head == BAR => "<td class=\"bar\"></td>".to_owned(),
        None if head.is_empty() => "<td></td>".to_owned(),
        Some(head) => format!("<th scope=\"col\" class=\"number\">{}</th>", escaped(head)),
        None => format!("<th scope=\"col\">{}</th>", escaped(head)),
    };
    let heads: String = heads.iter().map(head).collect();
    framed(class, caption, &format!("<tr>{heads}</tr>"), &format!("<tbody>\n{}</tbody>\n", rows.concat()))
}

/// A table that scrolls where it is wider than the page, of the rows of its head and its bodies, which are markup.
fn framed(class: &str, caption: &str, head: &str, bodies: &str) -> String {
    format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n<table class=\"{class}\">\n\
         <caption class=\"unseen\">{caption}</caption>\n<thead>{head}</thead>\n{bodies}</table>\n</div>\n",
        caption = escaped(caption),
    )
}

//! One page of HTML that stands alone: for a screen, a phone and paper, bright and dark, without a script.
//!
//! Invariants: nothing is loaded from elsewhere, which the page itself forbids; every text is escaped; what is in another
//! language than the page says so.

use std::fmt::Write;

use jiff::tz::TimeZone;
use milepost_proto::tracker::v1::TimelineItem;
use milepost_types::language::serves;
use milepost_types::prose;

use super::list::day_in_words;
use super::words::Words;
use super::{Timeline, day};
use crate::output::markup::escaped;

const STYLE: &str = include_str!("page.css");

/// The document.
pub(super) fn document(timeline: &Timeline) -> String {
    let words = Words::of(&timeline.language);
    let language = if timeline.language.is_empty() { words.tag } else { &timeline.language };
    let (title, title_language) = timeline.title();
    let mut page = String::new();
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title{title_lang}>{title} · {timeline}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<p{words_lang}>{timeline}</p>\n<h1{title_lang}>{title}</h1>\n</header>\n<main>\n",
        language = escaped(language),
        title = escaped(title),
        timeline = escaped(words.timeline),
        title_lang = other_language(title_language, language),
        words_lang = of_words(words, language),
    );
    let items: Vec<_> = timeline.visible().collect();
    if items.is_empty() {
        let _ = writeln!(page, "<p{}>{}</p>", of_words(words, language), escaped(words.empty));
    }
    for year in items.chunk_by(|one, next| year(one) == year(next)) {
        let number = year.first().and_then(|item| self::year(item)).unwrap_or_default();
        let _ = writeln!(
            page,
            "<section aria-labelledby=\"y{number}\">\n<h2 id=\"y{number}\">{number}</h2>\n<ol>"
        );
        year.iter().for_each(|item| entry(&mut page, item, language));
        page.push_str("</ol>\n</section>\n");
    }
    page.push_str("</main>\n");
    if let Some(change) = timeline.last_change() {
        let zone = TimeZone::get(&timeline.portfolio.time_zone).unwrap_or(TimeZone::UTC);
        let date = change.to_zoned(zone).date();
        let _ = writeln!(
            page,
            "<footer><p{}>{}{}<time datetime=\"{date}\">{}</time></p></footer>",
            of_words(words, language),
            escaped(words.last_change),
            words.colon,
            prose::date(date, words.tag)
        );
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn year(item: &TimelineItem) -> Option<i16> {
    day(item).map(|day| day.year())
}

fn entry(page: &mut String, item: &TimelineItem, language: &str) {
    let words = Words::of(language);
    let date = day(item).map(|day| day.to_string()).unwrap_or_default();
    let kind = item.kind().as_str_name().trim_start_matches("KIND_").to_lowercase();
    let _ = write!(
        page,
        "<li class=\"{kind}\" id=\"{uid}\">\n<article>\n<p class=\"when\"><time datetime=\"{date}\">{day}</time> \
         <span class=\"kind\"{words_lang}>{name}</span></p>\n<h3{lang}>{headline}</h3>\n",
        uid = escaped(&item.uid),
        day = escaped(&day_in_words(item, language)),
        name = escaped(words.kind(item.kind())),
        words_lang = of_words(words, language),
        lang = other_language(&item.headline_language, language),
        headline = escaped(&item.headline),
    );
    if !item.text.is_empty() {
        let lang = other_language(&item.text_language, language);
        let _ = writeln!(page, "<p class=\"text\"{lang}>{}</p>", escaped(&item.text));
    }
    if !item.figures.is_empty() {
        page.push_str("<dl>\n");
        for figure in &item.figures {
            let lang = other_language(&figure.label_language, language);
            let declared = if figure.declared {
                format!(
                    " <small{}>{}</small>",
                    of_words(words, &figure.label_language),
                    escaped(words.declared)
                )
            } else {
                String::new()
            };
            let _ = writeln!(
                page,
                "<div{lang}><dt>{}</dt><dd>{}{declared}</dd></div>",
                escaped(&figure.label),
                escaped(&figure.display_value)
            );
        }
        page.push_str("</dl>\n");
    }
    page.push_str("</article>\n</li>\n");
}

/// The attribute that says a language, if it is another than the page's.
fn other_language(tag: &str, page: &str) -> String {
    if tag.is_empty() || tag == page { String::new() } else { format!(" lang=\"{}\"", escaped(tag)) }
}

/// The same for words that stand around what people wrote, in text of this language.
fn of_words(words: &Words, around: &str) -> String {
    if serves(words.tag, around) { String::new() } else { other_language(words.tag, around) }
}

//! The page of an empty, a small and a full portfolio, in the terminal and in HTML.
//!
//! The snapshots are what people see; whoever changes one looks at it as they would.

mod office;
mod sample;

use anstream::adapter::strip_str;
use jiff::civil::date;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::view::View;
use super::{html, terminal};
use crate::output::width;

const MARKUP: &str =
    "</p><script>alert(\"1\")</script><img src=\"http://x/\" onerror='a'/> & \u{1b}[31m\u{202e}";

/// A view whose texts would all be markup, if they were not escaped; also what is a number, but for what is drawn.
fn hostile(language: &str) -> View {
    let mut view = sample::full(language);
    office::add(&mut view);
    let put = |text: &mut String| {
        if !text.is_empty() {
            text.insert_str(0, MARKUP);
        }
    };
    for text in
        [&mut view.name, &mut view.title, &mut view.description, &mut view.time_zone, &mut view.currency]
    {
        put(text);
    }
    view.other_titles.iter_mut().for_each(put);
    for list in view.lists.iter_mut().flatten() {
        [&mut list.year, &mut list.description].into_iter().for_each(put);
        list.rows.iter_mut().for_each(|row| put(&mut row.category));
    }
    for batch in &mut view.batches {
        put(&mut batch.title);
        batch.declared.amounts.iter_mut().for_each(|amount| put(&mut amount.currency));
    }
    let rates = view.rates.as_mut().unwrap();
    put(&mut rates.currency);
    for (_, figure) in &mut rates.rates {
        [&mut figure.numerator, &mut figure.denominator].into_iter().for_each(put);
        for missing in &mut figure.missing {
            put(&mut missing.why);
            missing.titles.iter_mut().for_each(put);
        }
    }
    for collection in view.collections.iter_mut().flatten() {
        for text in
            [&mut collection.title, &mut collection.kind, &mut collection.unit, &mut collection.description]
        {
            put(text);
        }
        for element in &mut collection.elements {
            put(&mut element.title);
        }
        for group in &mut collection.groups {
            [&mut group.planned, &mut group.built].into_iter().for_each(put);
        }
    }
    for indicator in view.indicators.iter_mut().flatten() {
        [&mut indicator.title, &mut indicator.unit, &mut indicator.scope].into_iter().for_each(put);
        indicator.value.number.iter_mut().for_each(put);
        indicator.sources.iter_mut().for_each(put);
        for target in &mut indicator.targets {
            [&mut target.due, &mut target.number].into_iter().for_each(put);
        }
        for clash in &mut indicator.contradictions {
            clash.values.iter_mut().for_each(|(whose, _, number)| [whose, number].into_iter().for_each(put));
        }
    }
    for campaign in &mut view.campaigns {
        [&mut campaign.title, &mut campaign.description].into_iter().for_each(put);
        campaign.criteria.iter_mut().for_each(|criterion| put(&mut criterion.id));
        for standing in &mut campaign.standings {
            [&mut standing.title, &mut standing.decided_by].into_iter().for_each(put);
            standing.scores.iter_mut().flat_map(|score| &mut score.why).for_each(put);
        }
    }
    for warnings in &mut view.warnings {
        [&mut warnings.title, &mut warnings.description].into_iter().for_each(put);
        warnings.wall.rows.iter_mut().for_each(|row| put(&mut row.title));
    }
    let orders = view.orders.as_mut().unwrap();
    for order in orders.groups.iter_mut().flat_map(|group| &mut group.first) {
        [&mut order.title, &mut order.project, &mut order.responsible].into_iter().for_each(put);
    }
    orders.overdue.iter_mut().for_each(|(whose, _)| put(whose));
    for template in &mut view.templates {
        [&mut template.title, &mut template.description, &mut template.version].into_iter().for_each(put);
        let items = template.plan.charts.iter_mut().flat_map(|chart| &mut chart.items);
        for item in items.chain(&mut template.plan.undated) {
            [&mut item.title, &mut item.coupling].into_iter().for_each(put);
        }
    }
    for entry in view.timeline.iter_mut().flatten() {
        [&mut entry.kind, &mut entry.headline, &mut entry.text].into_iter().for_each(put);
        [&mut entry.headline_language, &mut entry.text_language].into_iter().for_each(put);
        for figure in &mut entry.figures {
            [&mut figure.label, &mut figure.label_language, &mut figure.value].into_iter().for_each(put);
        }
    }
    view
}

/// A portfolio with campaigns, warnings, orders and templates, and little else.
fn office(language: &str) -> View {
    let mut view = View { date: date(2021, 10, 31), is_today: false, ..sample::empty(language) };
    office::add(&mut view);
    view
}

fn views() -> Vec<(String, View)> {
    let mut views = Vec::new();
    for language in ["en", "zh"] {
        views.push((format!("empty_{language}"), sample::empty(language)));
        views.push((format!("small_{language}"), sample::small(language)));
        views.push((format!("full_{language}"), sample::full(language)));
        views.push((format!("office_{language}"), office(language)));
    }
    let mut long = sample::empty("zh");
    office::add_long(&mut long);
    views.push(("long_zh".to_owned(), long));
    views
}

#[test]
fn the_page_in_a_terminal() {
    for (name, view) in
        views().into_iter().filter(|(name, _)| !name.starts_with("office") && name != "long_zh")
    {
        insta::assert_snapshot!(format!("terminal_{name}"), terminal::draw(&view, 80, false));
    }
    for columns in [40, 120] {
        let drawn = terminal::draw(&sample::full("en"), columns, false);
        insta::assert_snapshot!(format!("terminal_full_en_{columns}"), drawn);
    }
    insta::assert_snapshot!("terminal_office_zh_120", terminal::draw(&office("zh"), 120, false));
}

#[test]
fn no_line_is_wider_than_the_terminal_and_colours_take_no_room() {
    for (name, view) in views().into_iter().chain([("hostile".to_owned(), hostile("en"))]) {
        for columns in [40, 57, 80, 120] {
            let plain = terminal::draw(&view, columns, false);
            for line in plain.lines() {
                let taken = width::columns(line);
                assert!(taken <= columns.into(), "{name}: {taken} of {columns} columns:\n{line}");
                assert_eq!(line.trim_end(), line, "{name}");
            }
            let painted = terminal::draw(&view, columns, true);
            let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
            assert_eq!(lines(&strip_str(&painted).to_string()), lines(&plain), "{name} in {columns} columns");
        }
    }
}

#[test]
fn a_section_that_the_server_does_not_have_is_left_out() {
    let mut view = sample::full("en");
    (view.lists, view.rates, view.collections, view.indicators, view.timeline) =
        (None, None, None, None, None);
    for page in [terminal::draw(&view, 80, false), html::document(&view)] {
        let words = view.words;
        for heading in [words.lists(), words.collections(), words.indicators(), words.timeline()] {
            assert!(!page.contains(heading), "{heading}:\n{page}");
        }
        assert!(page.contains(words.batches()) && !page.contains("\n\n\n"), "{page}");
    }
}

/// office.md, section 8: language falls back, and says so.
#[test]
fn what_of_the_timeline_is_in_another_language_says_so() {
    let mut view = sample::full("en");
    let entry = &mut view.timeline.as_mut().unwrap()[1];
    entry.text = "建设动员".into();
    [&mut entry.headline_language, &mut entry.text_language, &mut entry.figures[0].label_language]
        .into_iter()
        .for_each(|language| *language = "zh-CN".into());
    let page = html::document(&view);
    for expected in [
        "<h3 lang=\"zh-CN\">79 major",
        "<p lang=\"zh-CN\" class=\"text\">建设动员",
        "<div lang=\"zh-CN\"><dt>Projects",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    assert_eq!(page.matches("lang=\"zh-CN\"").count(), 3);
    let drawn = terminal::draw(&view, 120, false);
    assert_eq!(drawn.matches("(zh-CN)").count(), 2, "{drawn}");
}

#[test]
fn no_text_controls_the_terminal() {
    let drawn = terminal::draw(&hostile("zh"), 80, false);
    assert!(!drawn.contains(['\u{1b}', '\u{202e}']), "{drawn}");
}

#[test]
fn sources_and_contradicting_values_that_are_not_named_are_counted() {
    let mut view = sample::full("en");
    let indicators = view.indicators.as_mut().unwrap();
    indicators[0].sources = (1..=5).map(|number| format!("bulletin {number}")).collect();
    let contradicted = indicators.iter_mut().find(|indicator| !indicator.contradictions.is_empty()).unwrap();
    contradicted.contradictions[0].more = 7;
    for page in [terminal::draw(&view, 120, false), html::document(&view)] {
        assert!(page.contains("bulletin 3, and 2 more") && !page.contains("bulletin 4"), "{page}");
        assert!(page.contains("(yearbook), and 7 more"), "{page}");
    }
}

#[test]
fn absent_is_said_and_is_never_zero() {
    for language in ["en", "zh"] {
        let mut view = sample::small(language);
        view.batches[0].declared.count = None;
        for page in [terminal::draw(&view, 120, false), html::document(&view)] {
            assert!(page.contains('–') && page.contains(view.words.absent()), "{page}");
            assert!(page.contains(view.words.not_computable()), "{page}");
        }
        let row = |page: &str, what: &str| page.lines().find(|line| line.contains(what)).unwrap().to_owned();
        let line = row(&terminal::draw(&view, 120, false), &format!(" {} ", view.words.declared()));
        assert!(!line.contains('0') || line.contains("2026"), "{line}");
    }
}

/// The elements of a page; panics if it is no well-formed XML.
fn elements(page: &str) -> Vec<BytesStart<'static>> {
    let mut reader = Reader::from_str(page);
    let config = reader.config_mut();
    (config.check_end_names, config.check_comments) = (true, true);
    let (mut found, mut depth) = (Vec::new(), 0_u32);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} at {}", reader.error_position())) {
            Event::Start(element) => {
                depth += 1;
                found.push(element.into_owned());
            }
            Event::Empty(element) => found.push(element.into_owned()),
            Event::End(_) => depth -= 1,
            Event::GeneralRef(reference) => {
                let name = reference.decode().unwrap();
                assert!(["amp", "lt", "gt", "quot", "#39"].contains(&&*name), "&{name};");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "every element ends");
    found
}

#[test]
fn the_page_in_html() {
    // Of the long one the terminal shows what is listed.
    for (name, view) in views().into_iter().filter(|(name, _)| name != "long_zh") {
        insta::assert_snapshot!(format!("html_{name}"), html::document(&view).replace(html::STYLE, "…\n"));
    }
}

#[test]
fn a_page_is_well_formed_refers_to_nothing_and_has_every_id_once() {
    for (name, view) in views().into_iter().chain([("hostile".to_owned(), hostile("zh"))]) {
        let page = html::document(&view);
        let (mut ids, mut references) = (Vec::new(), Vec::new());
        for element in elements(&page) {
            let tag = String::from_utf8_lossy(element.name().as_ref()).into_owned();
            let forbidden =
                ["script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image", "a"];
            assert!(!forbidden.contains(&&*tag), "{name}: <{tag}>");
            for attribute in element.attributes() {
                let attribute = attribute.unwrap_or_else(|error| panic!("{name}: <{tag}>: {error}"));
                let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
                let value = String::from_utf8_lossy(&attribute.value).into_owned();
                assert!(!key.starts_with("on"), "{name}: <{tag} {key}>");
                assert!(
                    !["src", "href", "xlink:href", "data", "action", "style"].contains(&&*key),
                    "{name}: <{tag} {key}>"
                );
                match &*key {
                    "id" => ids.push(value),
                    "aria-labelledby" => references.extend(value.split(' ').map(str::to_owned)),
                    _ => {}
                }
            }
        }
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: an id is there twice");
        assert!(references.iter().all(|id| ids.contains(id)), "{name}: {references:?} of {ids:?}");
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(!style.contains("url(") && !style.contains("@import") && !style.contains('<'), "{name}");
    }
}

#[test]
fn a_light_is_a_letter_and_a_word_besides_its_colour() {
    for language in ["en", "zh"] {
        let view = office(language);
        let page = html::document(&view);
        for (place, letter) in view.words.letters().shown.iter().enumerate() {
            let light = crate::output::wall::LIGHTS[place];
            let word = view.words.light(light);
            assert!(page.contains(&format!(": {word}\">{letter}</td>")), "{language}: {word}");
        }
        for group in &view.orders.as_ref().unwrap().groups {
            let (word, letter) = (view.words.order_kind(group.kind), view.words.order_letter(group.kind));
            assert!(page.contains(&format!("title=\"{word}\">{letter}</span>")), "{language}: {word}");
        }
    }
}

/// Of a long portfolio only the last periods are counted, and earlier lights are those of the projects that are listed.
#[test]
fn periods_that_are_not_counted_say_so() {
    let mut view = sample::empty("en");
    office::add_long(&mut view);
    let page = html::document(&view);
    assert!(!page.contains("are not counted"), "{page}");
    let wall = &mut view.warnings[0].wall;
    wall.counts.drain(..10);
    let page = html::document(&view);
    assert!(page.contains("the lights of the first 10 periods are not counted"), "{page}");
    let counts = page.split("<tbody class=\"counts\">").nth(1).unwrap();
    let red = counts.lines().find(|line| line.contains(">red<")).unwrap();
    assert!(red.contains(&format!("</th>{}<td>1", "<td></td>".repeat(10))), "{red}");
    assert_eq!(red.matches("<td>").count(), 12, "{red}");
}

#[test]
fn what_is_not_listed_is_counted() {
    let mut view = sample::empty("en");
    office::add_long(&mut view);
    for page in [terminal::draw(&view, 120, false), html::document(&view)] {
        for expected in [
            "980 more members are not listed, 12 of them not ranked",
            "960 more projects are not listed",
            "1,232 more are not listed",
            "21 more with 33 overdue in all are not listed",
            "28 more items are not listed",
        ] {
            assert!(page.contains(expected), "{expected}:\n{page}");
        }
    }
}

/// The server names the first findings that veto a member, and counts all; it says why a total is not there.
#[test]
fn all_findings_that_veto_a_member_are_counted_and_a_missing_total_says_why() {
    for (language, vetoed, missing) in [
        ("en", "vetoed by 1,025 findings", "a number is too large"),
        ("zh", "一票否决（1,025项问题）", "数值过大"),
    ] {
        let mut view = office(language);
        let standing = &mut view.campaigns[0].standings[4];
        standing.veto_count = 1025;
        standing.total_missing = "TOO_LARGE".into();
        let note = view.words.standing_note(&view.campaigns[0], &view.campaigns[0].standings[4]);
        assert!(note.contains(vetoed) && note.contains(missing), "{note}");
    }
}

#[test]
fn text_with_markup_stays_text() {
    let page = html::document(&hostile("en"));
    let mut plain = sample::full("en");
    office::add(&mut plain);
    let plain = html::document(&plain);
    let names = |page: &str| -> Vec<Vec<u8>> {
        elements(page).iter().map(|element| element.name().as_ref().to_vec()).collect()
    };
    // What a text says changes which bars are drawn, and nothing else.
    let of = |page: &str, tag: &[u8]| names(page).iter().filter(|name| *name == tag).count();
    for tag in [&b"p"[..], b"section", b"td", b"h3", b"dd", b"li", b"text", b"title"] {
        assert_eq!(of(&page, tag), of(&plain, tag), "{}", String::from_utf8_lossy(tag));
    }
    assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)"), "{page}");
    assert!(!page.contains("<script") && !page.contains('\u{1b}') && !page.contains('\u{202e}'));
}

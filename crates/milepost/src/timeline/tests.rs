//! Exports of a timeline with everything that could go wrong in one: markup, separators, long Chinese lines.

use milepost_proto::google::r#type::Date as DateMessage;
use milepost_proto::tracker::v1::TimelineItemFigure;
use milepost_proto::tracker::v1::timeline_entry::Kind;
use serde_json::{Value, json};

use super::*;

/// A text that is markup in HTML, has what iCalendar separates by, and ends what JSON quotes.
const MARKUP: &str = "<script>alert('a')</script> & \"b\"; c, d\\n]]>";

fn item(id: &str, day: i32, headline: &str) -> TimelineItem {
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    TimelineItem {
        name: format!("portfolios/wsc/timelineEntries/{id}"),
        uid: format!("e-{id}"),
        sequence: 3,
        date: Some(DateMessage { year: 2021, month: 5, day }),
        kind: Kind::Batch.into(),
        headline: headline.into(),
        headline_language: "zh-CN".into(),
        first_publish_time: time(1_622_100_000),
        last_publish_time: time(1_622_200_000),
        ..TimelineItem::default()
    }
}

fn timeline(language: &str) -> Timeline {
    let figures = vec![TimelineItemFigure {
        label: "总投资".into(),
        label_language: "zh-CN".into(),
        value: "28360000000".into(),
        unit: "CNY".into(),
        declared: true,
        display_value: "283.6 亿元".into(),
    }];
    let withdrawn = TimelineItem {
        withdrawn: true,
        kind: 0,
        headline: String::new(),
        headline_language: String::new(),
        ..item("gone", 17, "")
    };
    let marked = TimelineItem {
        text: format!("{MARKUP}\n第二行"),
        text_language: "en".into(),
        figures,
        ..item("marked", 27, MARKUP)
    };
    let long = item("long", 27, &"超瞬态实验装置等八个项目集中开工".repeat(12));
    Timeline {
        portfolio: Portfolio {
            name: "portfolios/wsc".into(),
            display_name: "西部（重庆）科学城".into(),
            translations: [("en".to_owned(), "Science City <of> the West".to_owned())].into(),
            language: "zh-CN".into(),
            ..Portfolio::default()
        },
        language: language.into(),
        items: vec![withdrawn, marked, long],
    }
}

/// office.md, section 8: JSON Feed 1.1.
#[test]
fn a_json_feed_has_what_version_1_1_asks_for() {
    let text = json_feed::document(&timeline("en"));
    let feed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(feed["title"], "Science City <of> the West Timeline");
    assert_eq!(feed["language"], "en");
    let items = feed["items"].as_array().unwrap();
    let ids: Vec<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["e-long", "e-marked"], "the newest first, and nothing that was withdrawn");
    for item in items {
        assert!(item["content_text"].as_str().is_some_and(|text| !text.is_empty()));
        for time in ["date_published", "date_modified"] {
            item[time].as_str().unwrap().parse::<Timestamp>().unwrap();
        }
        // Fields that the format does not know begin with an underscore.
        let known = ["id", "title", "content_text", "date_published", "date_modified", "tags", "language"];
        let own = item.as_object().unwrap().keys().filter(|key| !known.contains(&key.as_str()));
        assert_eq!(own.collect::<Vec<_>>(), ["_milepost"]);
    }
    let marked = &items[1];
    assert_eq!(marked["title"], MARKUP);
    assert_eq!(marked["content_text"], format!("{MARKUP}\n第二行\n总投资：283.6 亿元 (据公布)"));
    assert_eq!(marked["_milepost"]["figures"][0]["value"], "28360000000");
    assert_eq!(marked["_milepost"]["date"], "2021-05-27");
    // What is in another language than the title says so.
    assert_eq!((&marked["language"], &marked["_milepost"]["text_language"]), (&json!("zh-CN"), &json!("en")));
    assert_eq!(marked["_milepost"]["figures"][0].get("language"), None);
    let mut other = timeline("en");
    other.items[1].figures[0].label_language = "en".into();
    let feed: Value = serde_json::from_str(&json_feed::document(&other)).unwrap();
    assert_eq!(feed["items"][1]["_milepost"]["figures"][0]["language"], "en");
    assert_eq!(items[0]["_milepost"].get("text_language"), None, "it has no text");
}

/// Reads a calendar as RFC 5545 has it: lines, unfolded; each as name, parameters, value.
fn lines(text: &str) -> Vec<(String, String, String)> {
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
    for line in text.split("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
    }
    let unfolded = text.replace("\r\n ", "");
    let line = |line: &str| {
        let (head, value) = line.split_once(':').unwrap_or_else(|| panic!("no value: {line}"));
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        (name.to_owned(), parameters.to_owned(), value.to_owned())
    };
    unfolded.trim_end().split("\r\n").map(line).collect()
}

fn unescaped(value: &str) -> String {
    let (mut out, mut characters) = (String::new(), value.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other @ ('\\' | ';' | ',')) => out.push(other),
                other => panic!("an escape that is none: {other:?}"),
            },
            ';' | ',' => panic!("a separator in a text: {value}"),
            other => out.push(other),
        }
    }
    out
}

/// office.md, section 8: all-day iCalendar, stable UID, SEQUENCE.
#[test]
fn a_calendar_is_read_back_as_it_was_told() {
    let read = lines(&icalendar::document(&timeline("zh-CN")));
    let value = |name: &str| read.iter().find(|(own, ..)| own == name).map(|(.., value)| value.clone());
    assert_eq!(read[0].2, "VCALENDAR");
    assert_eq!(read.last().unwrap().0, "END");
    assert_eq!((value("VERSION").as_deref(), value("PRODID").is_some()), (Some("2.0"), true));
    let events: Vec<_> =
        read.split(|(name, _, value)| name == "BEGIN" && value == "VEVENT").skip(1).collect();
    assert_eq!(events.len(), 3);
    for event in &events {
        for once in ["UID", "DTSTAMP", "DTSTART", "SEQUENCE", "STATUS"] {
            assert_eq!(event.iter().filter(|(name, ..)| name == once).count(), 1, "{once}");
        }
    }
    let of = |event: &[(String, String, String)], name: &str| {
        let found = event.iter().find(|(own, ..)| own == name);
        found.map(|(_, parameters, value)| (parameters.clone(), unescaped(value)))
    };
    // What was withdrawn is cancelled and says nothing else.
    assert_eq!(of(events[0], "STATUS").unwrap().1, "CANCELLED");
    assert!(of(events[0], "SUMMARY").is_none() && of(events[0], "DESCRIPTION").is_none());
    assert_eq!(of(events[1], "STATUS").unwrap().1, "CONFIRMED");
    assert_eq!(of(events[1], "UID").unwrap().1, "e-marked");
    assert_eq!(of(events[1], "SEQUENCE").unwrap().1, "3");
    assert_eq!(of(events[1], "DTSTART").unwrap(), ("VALUE=DATE".into(), "20210527".into()));
    assert_eq!(of(events[1], "SUMMARY").unwrap(), ("LANGUAGE=zh-CN".into(), MARKUP.into()));
    let description = format!("{MARKUP}\n第二行\n总投资：283.6 亿元 (据公布)");
    assert_eq!(of(events[1], "DESCRIPTION").unwrap(), ("LANGUAGE=en".into(), description));
    assert_eq!(of(events[1], "CATEGORIES").unwrap().1, "集中开工");
    assert_eq!(of(events[2], "SUMMARY").unwrap().1, "超瞬态实验装置等八个项目集中开工".repeat(12));
}

/// RFC 5545, 3.4 and 3.6: a calendar has at least one component.
#[test]
fn a_calendar_without_entries_is_one_all_the_same() {
    let empty = Timeline { items: Vec::new(), ..timeline("en") };
    let read = lines(&icalendar::document(&empty));
    let part = |name: &str| -> Vec<String> {
        read.iter().filter(|(own, ..)| own == name).map(|(.., value)| value.clone()).collect()
    };
    assert_eq!(part("BEGIN"), ["VCALENDAR", "VTIMEZONE", "STANDARD"]);
    assert_eq!(part("END"), ["STANDARD", "VTIMEZONE", "VCALENDAR"]);
    for once in ["TZID", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO"] {
        assert_eq!(part(once).len(), 1, "{once}");
    }
    assert!(!icalendar::document(&timeline("en")).contains("VTIMEZONE"));
}

/// The tags of a page, each closed by its own kind; panics where one is not.
fn tags(page: &str) -> Vec<String> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').map(|end| start + end).expect("a tag that is not closed");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else if !tag.starts_with('!') {
            let name = tag.split_whitespace().next().unwrap().to_owned();
            all.push(name.clone());
            if name != "meta" {
                open.push(name);
            }
        }
    }
    assert_eq!(open, [""; 0]);
    all
}

/// office.md, section 8: HTML.
#[test]
fn a_page_stands_alone_and_escapes_everything_that_people_wrote() {
    for (language, own, title) in
        [("zh-CN", "zh-CN", "西部（重庆）科学城"), ("en", "en", "Science City &lt;of&gt; the West")]
    {
        let page = html::document(&timeline(language));
        let tags = tags(&page);
        assert!(page.starts_with(&format!("<!DOCTYPE html>\n<html lang=\"{own}\">")));
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{language}");
        for tag in &tags {
            assert!(!["script", "img", "link", "iframe", "object"].contains(&tag.as_str()), "{tag}");
        }
        assert_eq!(tags.iter().filter(|tag| *tag == "article").count(), 2, "nothing that was withdrawn");
        assert!(!page.contains("url(") && !page.contains("@import") && !page.contains("http://"));
        assert!(
            page.contains(
                "&lt;script&gt;alert(&#39;a&#39;)&lt;/script&gt; &amp; &quot;b&quot;; c, d\\n]]&gt;"
            )
        );
        assert!(page.contains("<time datetime=\"2021-05-27\">"));
        assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    }
    let english = html::document(&timeline("en"));
    assert!(english.contains("<h3 lang=\"zh-CN\">") && english.contains("as announced"));
    let empty = Timeline { items: Vec::new(), ..timeline("en") };
    assert!(html::document(&empty).contains("There are no entries yet"));
    tags(&html::document(&empty));
}

/// office.md, section 8: language falls back, and says so; also what the program says around the entries.
#[test]
fn a_page_in_a_language_that_little_is_there_in_says_what_is_in_another_one() {
    let page = html::document(&timeline("fr"));
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"fr\">"));
    for expected in [
        "<h1 lang=\"zh-CN\">西部（重庆）科学城</h1>",
        "<p lang=\"en\">Timeline</p>",
        "<span class=\"kind\" lang=\"en\">Concentrated start</span>",
        "<h3 lang=\"zh-CN\">",
        "<p class=\"text\" lang=\"en\">",
        "<small lang=\"en\">as announced</small>",
        "<footer><p lang=\"en\">Last updated",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    let empty = html::document(&Timeline { items: Vec::new(), ..timeline("fr") });
    assert!(empty.contains("<p lang=\"en\">There are no entries yet</p>"), "{empty}");
    let chinese = html::document(&timeline("zh-CN"));
    assert!(!chinese.contains("lang=\"zh\""), "{chinese}");
    assert_eq!(timeline("en").title(), ("Science City <of> the West", "en"));
    // An exact translation comes before an own language that is only near.
    let mut taiwan = timeline("zh-TW");
    taiwan.portfolio.language = "zh".into();
    taiwan.portfolio.translations.insert("zh-TW".into(), "科學城".into());
    assert_eq!(taiwan.title(), ("科學城", "zh-TW"));
}

#[test]
fn the_last_change_is_the_newest_publication_or_withdrawal_in_the_zone_of_the_portfolio() {
    let mut timeline = timeline("en");
    timeline.portfolio.time_zone = "Asia/Shanghai".into();
    // 2021-05-29 07:00 in Shanghai is the day before in UTC.
    let time = "2021-05-28T23:00:00Z".parse::<Timestamp>().unwrap().as_second();
    timeline.items[0].last_publish_time = Some(prost_types::Timestamp { seconds: time, nanos: 0 });
    let page = html::document(&timeline);
    assert!(timeline.items[0].withdrawn && !page.contains("e-gone"));
    assert!(page.contains("Last updated: <time datetime=\"2021-05-29\">29 May 2021</time>"), "{page}");
}

#[test]
fn a_language_is_taken_in_its_conventional_case_and_no_nonsense() {
    let read = |language: &str| {
        let command = What::augment_args(clap::Command::new("x"));
        let matches = command.try_get_matches_from(["x", "wsc", "--language", language]).ok()?;
        <What as clap::FromArgMatches>::from_arg_matches(&matches).ok()?.language
    };
    assert_eq!(read("EN").as_deref(), Some("en"));
    assert_eq!(read("zh-cn").as_deref(), Some("zh-CN"));
    assert_eq!(read("english!"), None);
}

/// What a server answers page by page: the revision, and the ids of the page.
async fn read_pages(pages: &[(&str, &[&str], bool)]) -> (Result<Vec<String>, String>, usize) {
    let asked = std::cell::Cell::new(0);
    let read = one_cut(async |token: String| {
        let (revision, ids, is_last) = pages[asked.get() % pages.len()];
        assert_eq!(token.is_empty(), asked.get() == 0 || pages[(asked.get() - 1) % pages.len()].2);
        asked.set(asked.get() + 1);
        Ok(ListTimelineResponse {
            items: ids.iter().map(|id| item(id, 1, id)).collect(),
            next_page_token: if is_last { String::new() } else { "more".into() },
            revision: revision.into(),
        })
    });
    let read = read.await.map_err(|error| error.to_string());
    (read.map(|items| items.into_iter().map(|item| item.uid).collect()), asked.get())
}

#[tokio::test]
async fn an_export_of_several_pages_is_of_one_time() {
    let ids = |ids: &[&str]| Ok(ids.iter().map(|id| format!("e-{id}")).collect::<Vec<_>>());
    let whole: [(&str, &[&str], bool); 2] = [("r1", &["a", "b"], false), ("r1", &["c"], true)];
    assert_eq!(read_pages(&whole).await, (ids(&["a", "b", "c"]), 2), "of one revision");
    // `b` is published under another day between two pages: it would stand twice.
    let moved: [(&str, &[&str], bool); 4] = [
        ("r1", &["a", "b"], false),
        ("r2", &["c", "b"], true),
        ("r3", &["a", "c"], false),
        ("r3", &["b"], true),
    ];
    assert_eq!(read_pages(&moved).await, (ids(&["a", "c", "b"]), 4));
    // Where other things change all the time, what is read twice is true.
    let busy: [(&str, &[&str], bool); 4] =
        [("r1", &["a", "b"], false), ("r2", &["c"], true), ("r3", &["a", "b"], false), ("r4", &["c"], true)];
    assert_eq!(read_pages(&busy).await, (ids(&["a", "b", "c"]), 4));
    let restless: [(&str, &[&str], bool); 4] =
        [("r1", &["a"], false), ("r2", &["c"], true), ("r3", &["b"], false), ("r4", &["c"], true)];
    let (refused, asked) = read_pages(&restless).await;
    assert!(refused.unwrap_err().contains("try again"));
    assert_eq!(asked, 2 * READINGS);
}

/// office.md, section 8: order; language falls back, and says so.
#[test]
fn a_list_shows_entries_in_order_with_their_figures() {
    let shown = list::text(&timeline("zh-CN"), None);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], format!("2021-05-27  集中开工  {MARKUP}"));
    assert_eq!(lines[1], "            总投资：283.6 亿元 (据公布)");
    let english = list::text(&timeline("en"), None);
    assert!(english.lines().next().unwrap().ends_with("(zh-CN)"), "{english}");
}

//! What readers are answered: order, languages, days, pages.

use jiff::civil::date;

use super::*;

fn publish_all(world: &mut World, entries: Vec<(&str, TimelineEntry)>) {
    for (id, entry) in entries {
        world.create_entry(id, entry).unwrap();
        world.publish(&name(id)).unwrap();
    }
}

/// office.md, section 8: order: date, rank_in_day, name.
#[test]
fn entries_are_in_the_order_of_day_rank_and_name() {
    let (mut world, _) = world();
    let ranked = |rank| TimelineEntry { rank_in_day: rank, ..editorial("x", date(2021, 2, 5)) };
    publish_all(
        &mut world,
        vec![
            ("d", ranked(2)),
            ("c", ranked(1)),
            ("b", ranked(1)),
            ("a", editorial("x", date(2021, 5, 17))),
            ("e", editorial("x", date(2020, 9, 16))),
        ],
    );
    let ids = |items: &[TimelineItem]| -> Vec<String> {
        items.iter().map(|item| item.name.rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&world.timeline("")), ["e", "b", "c", "d", "a"]);
    let rows = milepost_resource::Rows::new(&world.rows);
    let within = TimelineQuery { start: Some(date(2021, 2, 5)), end: Some(date(2021, 2, 5)), ..query("") };
    assert_eq!(ids(&page(&rows, &within).unwrap().items), ["b", "c", "d"]);
    let kinds = TimelineQuery { kinds: vec![Kind::Batch.into()], ..query("") };
    assert_eq!(ids(&page(&rows, &kinds).unwrap().items), [""; 0]);

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let query = TimelineQuery { size: 2, after, ..query("") };
        assert!(query.has_sound_token());
        let page = page(&rows, &query).unwrap();
        found.extend(ids(&page.items));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, ["e", "b", "c", "d", "a"]);
    for nonsense in [&b""[..], b"1234567", b"12345678", b"12345678NO"] {
        let query = TimelineQuery { after: Some(nonsense.to_vec()), ..query("") };
        assert!(!query.has_sound_token());
    }
}

/// office.md, section 8: language falls back tag → prefix → portfolio, and says so.
#[test]
fn a_text_is_told_in_the_nearest_language_which_is_said() {
    let (mut world, _) = world();
    let entry = TimelineEntry {
        text: "正文".into(),
        text_translations: [("en".to_owned(), "Text".to_owned()), ("pt-BR".to_owned(), "Texto".to_owned())]
            .into(),
        figures: vec![TimelineFigure {
            label: "总投资".into(),
            translations: [("en".to_owned(), "Total".to_owned())].into(),
            value: "28360000000".into(),
            unit: "CNY".into(),
            declared: true,
        }],
        ..editorial("规划公布", date(2020, 9, 16))
    };
    publish_all(&mut world, vec![("plan", entry)]);
    for (wanted, headline, headline_language, text_language, figure) in [
        ("", "规划公布", "zh-CN", "zh-CN", "283.6 亿元"),
        ("zh", "规划公布", "zh-CN", "zh-CN", "283.6 亿元"),
        ("en-GB", "规划公布 (en)", "en", "en", "CNY 28.36 billion"),
        // Neither the headline nor the label is there in Portuguese: the portfolio's language stands in.
        ("pt", "规划公布", "zh-CN", "pt-BR", "283.6 亿元"),
        ("fr", "规划公布", "zh-CN", "zh-CN", "283.6 亿元"),
    ] {
        let item = world.timeline(wanted).remove(0);
        assert_eq!((item.headline.as_str(), item.headline_language.as_str()), (headline, headline_language));
        assert_eq!(item.text_language, text_language, "{wanted}");
        assert_eq!(item.figures[0].display_value, figure, "{wanted}");
    }
}

#[test]
fn a_portfolio_that_is_not_there_has_no_timeline_and_one_without_entries_an_empty_one() {
    let (world, _) = world();
    let rows = milepost_resource::Rows::new(&world.rows);
    let none = TimelineQuery { portfolio: "portfolios/none".parse().unwrap(), ..query("") };
    assert!(matches!(page(&rows, &none), Err(Rejection::NotFound { .. })));
    assert_eq!(world.timeline("").len(), 0);
}

//! Texts: Chinese counts by characters, nothing invisible gets in.

use super::*;

#[test]
fn characters_are_counted_not_bytes() {
    assert!(display_name("超瞬态实验装置").is_ok());
    assert!(display_name("科".repeat(200)).is_ok());
    assert_eq!(display_name("科".repeat(201)), Err(TextError::TooLong { limit: 200 }));
    assert!(text("科".repeat(4_096)).is_ok());
    assert!(text("科".repeat(4_097)).is_err());
    assert_eq!(display_name("a".repeat(10_000_000)), Err(TextError::TooLong { limit: 200 }));
}

#[test]
fn nothing_invisible_gets_in() {
    assert_eq!(display_name(""), Err(TextError::Empty));
    for name in [" a", "a ", "\u{3000}科学", "a\u{a0}", "\u{200b}", "a\u{feff}"] {
        assert_eq!(display_name(name), Err(TextError::Blank), "{name:?}");
    }
    for (name, character, place) in [
        ("a\nb", '\n', 2),
        ("\tb", '\t', 1),
        ("科学\0城", '\0', 3),
        ("a\u{85}", '\u{85}', 2),
        ("a\u{202e}b", '\u{202e}', 2),
        ("a\u{2028}b", '\u{2028}', 2),
        ("\u{2067}a", '\u{2067}', 1),
    ] {
        assert_eq!(display_name(name), Err(TextError::Character { character, place }), "{name:?}");
    }
    // Joiners are part of words and of emoji.
    assert!(display_name("👩\u{200d}🔬 क\u{94d}\u{200d}ष").is_ok());
    assert_eq!(
        display_name("a\u{202e}b").unwrap_err().to_string(),
        "the text has the character U+202E at place 2, which is not allowed; remove it"
    );
}

#[test]
fn lines_may_break_where_there_are_lines() {
    assert_eq!(text("第一期\r\n\t第二期").unwrap(), "第一期\r\n\t第二期");
    assert!(text("a\u{b}b").is_err());
    assert_eq!(text("a\n"), Err(TextError::Blank));
}

#[test]
fn every_faulty_label_is_named() {
    let kept = labels([("sector", "transport"), ("district", "高新区"), ("empty", "")]).unwrap();
    assert_eq!(kept.len(), 3);
    assert_eq!(kept["empty"], "");
    let faults = labels([("Sector", "a"), ("ok", "b"), ("x", " "), ("", "y")]).unwrap_err();
    let fields: Vec<_> = faults.iter().map(|v| (v.field.as_str(), v.reason)).collect();
    assert_eq!(
        fields,
        [("[\"Sector\"]", "INVALID_ID"), ("[\"x\"]", "SURROUNDING_BLANK"), ("[\"\"]", "REQUIRED"),]
    );
    assert!(labels((0..64).map(|i| (format!("k{i}"), "v"))).is_ok());
    let faults = labels((0..10_000).map(|i| (format!("k{i}"), "v"))).unwrap_err();
    assert_eq!(faults.count(), 1);
    assert!(labels([("k", "科".repeat(200))]).is_ok());
    assert!(labels([("k", "科".repeat(201))]).is_err());
}

#[test]
fn a_faulty_label_nests_under_its_field() {
    let mut violations = Violations::new();
    violations.check("project.labels", labels([("Sector", "a")]));
    assert_eq!(violations.iter().next().unwrap().field, "project.labels[\"Sector\"]");
}

#[test]
fn translations_are_by_language() {
    let kept = translations([("zh-cn", "科学谷"), ("en", "Science Valley")]).unwrap();
    let tags: Vec<_> = kept.keys().map(LanguageTag::as_str).collect();
    assert_eq!(tags, ["en", "zh-CN"]);
    let faults =
        translations([("zh-cn", "科学谷"), ("zh-CN", "科学谷"), ("中文", ""), ("de", "Tal")]).unwrap_err();
    let found: Vec<_> = faults.iter().map(|v| (v.field.as_str(), v.reason)).collect();
    assert_eq!(
        found,
        [("[\"zh-CN\"]", "DUPLICATE"), ("[\"中文\"]", "REQUIRED"), ("[\"中文\"]", "INVALID_LANGUAGE_TAG"),]
    );
    let many = (0..51).map(|i| (format!("x-{i}"), "name"));
    assert_eq!(translations(many).unwrap_err().count(), 1);
}

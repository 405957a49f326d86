//! What filters match.

use super::*;

#[test]
fn what_matches_the_avenue() {
    let row = avenue();
    for text in [
        "",
        "  \t\u{3000}",
        "state = PLANNED",
        "state=PLANNED",
        "state:PLANNED",
        "state = \"PLANNED\" AND key = true",
        "state != ACHIEVED weight >= 42",
        "weight = 42 AND weight < 43 weight<=42 weight>41 weight != -42",
        "key:true",
        "key != false",
        "display_name = \"科学*\"",
        "display_name = 科学*",
        "display_name = '*Avenue)'",
        "display_name = \"*大道*\"",
        "display_name:大道",
        "display_name:\"Science\"",
        "display_name != \"科学\"",
        "display_name != \"*隧道\"",
        "display_name > 科",
        "display_name = \"*\"",
        "planned_period.start = 2020-09-11",
        "planned_period.start >= \"2020-09-11\"",
        "planned_period.start < 2020-09-12",
        "commit_time = 2021-05-27T00:00:00Z",
        "commit_time = \"2021-05-27T08:00:00+08:00\"",
        "commit_time = 2021-05-27T08:00:00+08:00",
        "commit_time > 2021-05-26T23:59:59.999999999Z",
        "subject:\"portfolios/wsc\"",
        "subject:portfolios/wsc/projects/science-avenue",
        "subject = \"portfolios/wsc/*\"",
        "changed_fields:forecast_date",
        "changed_fields:\"forecast*\"",
        "changed_fields:*",
        "labels.sector = transport",
        "labels.sector:transport",
        "labels.\"sector\" = \"trans*\"",
        "labels:sector AND labels:'note'",
        "labels.note:*",
        "labels.note = ''",
        "labels.note != x",
        "labels:*",
        "state:* AND weight:*",
        // Absent equals nothing.
        "site.district != 高新区",
        "site.district != \"*区\"",
        "site.district != *",
        "labels.owner != me",
    ] {
        assert!(parse(text).matches(&row), "{text}");
    }
}

#[test]
fn what_does_not_match_the_avenue() {
    let row = avenue();
    for text in [
        "state = ACHIEVED",
        "state != PLANNED",
        "state = PLANNED AND key = false",
        "weight = 41",
        "weight > 42",
        "display_name = 科学大道",
        "display_name = \"*大道\"",
        "display_name = \"Science*\"",
        "display_name != \"科学*\"",
        "display_name:science",
        "planned_period.start < 2020-09-11",
        "commit_time != 2021-05-27T08:00:00+08:00",
        "subject:\"portfolios/ws\"",
        "subject:\"portfolios/wsc/projects/science\"",
        "subject = portfolios/wsc",
        "changed_fields:forecast",
        "changed_fields:\"*time\"",
        "labels.sector = trans",
        "labels:owner",
        "labels.owner:*",
        "labels.sector != transport",
        // Absent matches no order and no equality, not even of the empty text.
        "site.district = \"\"",
        "site.district = \"*\"",
        "site.district < z",
        "site.district >= \"\"",
        "site.district:\"\"",
        "labels.owner = \"\"",
        "labels.owner < z",
    ] {
        assert!(!parse(text).matches(&row), "{text}");
    }
    let nothing = Row::default();
    for text in
        ["weight < 0", "weight >= 0", "planned_period.start > 0001-01-01", "changed_fields:*", "labels:*"]
    {
        assert!(!parse(text).matches(&nothing), "{text}");
    }
    assert!(parse("weight != 0 AND commit_time != 2021-05-27T00:00:00Z state != PLANNED").matches(&nothing));
}

#[test]
fn escapes_are_read() {
    let named = |name: &str| Row { display_name: name.into(), ..Row::default() };
    for (text, name) in [
        (r#"display_name = "a\"b""#, "a\"b"),
        (r#"display_name = 'a"b'"#, "a\"b"),
        (r"display_name = 'a\'b'", "a'b"),
        (r#"display_name = "a\\b""#, r"a\b"),
        (r#"display_name = "\*""#, "*"),
        (r#"display_name = "\*\*""#, "**"),
        (r#"display_name = "a\*b""#, "a*b"),
        (r#"display_name = "a\n\r\tb""#, "a\n\r\tb"),
        ("display_name = \"a\nb\"", "a\nb"),
        (r#"display_name = "AND""#, "AND"),
        (r#"display_name = "a AND (b OR c)""#, "a AND (b OR c)"),
    ] {
        let filter = parse(text);
        assert!(filter.matches(&named(name)), "{text}");
        assert!(!filter.matches(&named("other")), "{text}");
        assert_eq!(parse(&filter.to_string()), filter);
    }
    assert!(parse(r#"display_name = "\**""#).matches(&named("*x")));
    assert!(!parse(r#"display_name = "\**""#).matches(&named("x")));
    assert!(parse("display_name = **").matches(&named("x")));
}

#[test]
fn fields_of_every_type_are_compared() {
    let row = avenue();
    for (text, matches) in [
        ("site.latitude = 29.5", true),
        ("site.latitude > 29 AND site.latitude < 2.96e1", true),
        ("site.latitude != 29.5", false),
        ("lead_time = 1.2s", true),
        ("lead_time:1.20s AND lead_time > -3s AND lead_time < 2s", true),
        ("lead_time >= 1.200000001s", false),
        ("investment > 28360000000 AND investment < 28360000000.500000001", true),
        ("investment = \"CNY 28360000000.5\"", true),
        ("investment >= \"CNY 28360000001\"", false),
        // Of another currency: neither equal nor less nor more.
        ("investment != \"USD 28360000000.5\"", true),
        ("investment > \"USD 1\"", false),
        ("investment < \"USD 1\"", false),
        ("NOT investment > \"USD 1\"", true),
        ("investment:*", true),
        ("site:*", true),
        ("site != *", false),
        ("NOT site:*", false),
        ("parties:*", true),
        ("parties.organization:organizations/cqu", true),
        ("parties.organization:organizations", true),
        ("parties.organization:organizations/cq", false),
        ("parties.organization:\"organizations/c*\"", true),
        ("NOT parties.organization:organizations/cqu", false),
        ("levels:NATIONAL", true),
        ("levels:LEVEL_DISTRICT", false),
        ("annual_plans.year:2021", true),
        ("annual_plans.year:(2019 OR 2021)", true),
        ("annual_plans.year:(2019 AND 2021)", false),
        ("annual_plans.year:*", true),
    ] {
        assert_eq!(parse(text).matches(&row), matches, "{text}");
    }
    let nothing = Row::default();
    for text in ["site:*", "parties:*", "levels:*", "investment > 0", "lead_time < 1s", "site.latitude < 90"]
    {
        assert!(!parse(text).matches(&nothing), "{text}");
        assert!(parse(&format!("NOT {text}")).matches(&nothing), "{text}");
    }
    assert!(parse("investment != 0 site.latitude != 1 site != *").matches(&nothing));
    let nowhere = Row { latitude: Some(f64::NAN), ..Row::default() };
    assert!(
        parse("site.latitude != 1 AND NOT site.latitude < 1 AND NOT site.latitude >= 1").matches(&nowhere)
    );
}

#[test]
fn or_binds_tighter_than_and_and_not_tightest() {
    let row = avenue();
    let (t, f) = ("key = true", "key = false");
    for (text, matches) in [
        // Would be true if AND bound tighter.
        (format!("{t} OR {t} AND {f}"), false),
        (format!("{f} AND {f} OR {t}"), false),
        (format!("({f} AND {f}) OR {t}"), true),
        // Side by side binds looser than OR, and means AND.
        (format!("{t} {f} OR {t}"), true),
        (format!("{f} {t} OR {t}"), false),
        (format!("{t} OR {f} {t} OR {f}"), true),
        (format!("{t} OR {t} {f} AND {t}"), false),
        (format!("NOT {f} AND {t}"), true),
        (format!("NOT {t} OR {t}"), true),
        (format!("NOT ({t} OR {t})"), false),
        (format!("-{f} -{f}"), true),
        (format!("-({t} AND {f})"), true),
        (format!("NOT (NOT {t})"), true),
        (format!("-(-({t}))"), true),
        (format!("( {f} OR\n{t} )\tAND(key = true)").replace("AND(", "AND ("), true),
        (format!("(({t}))"), true),
    ] {
        assert_eq!(parse(&text).matches(&row), matches, "{text}");
    }
}

#[test]
fn several_values_share_field_and_operator() {
    let row = avenue();
    for (text, matches) in [
        ("state = (ACHIEVED OR PLANNED)", true),
        ("state = (ACHIEVED OR NOT_MET)", false),
        ("state=(PLANNED)", true),
        ("NOT state = (ACHIEVED OR NOT_MET)", true),
        ("state = (NOT ACHIEVED)", true),
        ("state = (-PLANNED)", false),
        ("state != (ACHIEVED AND NOT_MET)", true),
        ("state != (ACHIEVED NOT_MET)", true),
        ("changed_fields:(forecast_date AND state)", true),
        ("changed_fields:(forecast_date state)", true),
        ("changed_fields:(forecast_date AND owner)", false),
        ("changed_fields:(forecast_date AND -owner)", true),
        ("changed_fields:((owner OR state) AND (NOT owner))", true),
        ("labels:(owner OR sector)", true),
        ("labels.sector = (water OR \"trans*\")", true),
        ("weight = (-42 OR 42)", true),
        ("weight < (-5 OR -6)", false),
        ("weight > (-5 AND 41)", true),
        ("display_name = (\"*)\" AND \"科学*\")", true),
    ] {
        assert_eq!(parse(text).matches(&row), matches, "{text}");
    }
}

#[test]
fn what_is_absent_is_found_by_the_opposite_of_what_does_not_find_it() {
    let nothing = Row::default();
    for text in
        ["weight < 0", "weight >= 0", "weight = 0", "subject:portfolios/p", "labels.a < b", "labels:a"]
    {
        assert!(!parse(text).matches(&nothing), "{text}");
        assert!(parse(&format!("NOT {text}")).matches(&nothing), "{text}");
        assert!(!parse(&format!("NOT (NOT {text})")).matches(&nothing), "{text}");
    }
    assert!(parse("weight != 0").matches(&nothing) && !parse("NOT weight != 0").matches(&nothing));
}

//! Names, ids and parents: what is read, what is refused, and with which text.

use proptest::prelude::*;

use super::*;
use crate::parent::parent_ids;

const PORTFOLIO: NameShape = NameShape {
    kind: ResourceKind::new("milepost.dev/Portfolio", "portfolio"),
    pattern: "portfolios/{portfolio}",
    collections: &["portfolios"],
    floats: false,
};
const PROJECT: NameShape = NameShape {
    kind: ResourceKind::new("milepost.dev/Project", "project"),
    pattern: "portfolios/{portfolio}/projects/{project}",
    collections: &["portfolios", "projects"],
    floats: false,
};

const ID: &str = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?";

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

#[test]
fn ids_at_their_limits() {
    for text in ["a", "z9", "a-b", "a--b", "science-avenue", &"a".repeat(63)] {
        assert_eq!(id(text).as_str(), text);
    }
    for (text, error) in [
        ("", IdError::Empty),
        ("-", IdError::Dash),
        ("-a", IdError::Start("-a".into())),
        ("9a", IdError::Start("9a".into())),
        ("a-", IdError::End("a-".into())),
        ("aB", IdError::Character { id: "aB".into(), character: 'B' }),
        ("a b", IdError::Character { id: "a b".into(), character: ' ' }),
        ("科学", IdError::Character { id: "科学".into(), character: '科' }),
    ] {
        assert_eq!(text.parse::<ResourceId>(), Err(error), "{text}");
    }
    assert!(matches!("a".repeat(64).parse::<ResourceId>(), Err(IdError::TooLong(_))));
}

#[test]
fn the_id_of_what_there_is_one_of_a_year_is_the_year_and_no_other_id_is_one() {
    let list = NameShape {
        kind: ResourceKind::new("milepost.dev/AnnualList", "annual_list"),
        pattern: "portfolios/{portfolio}/annualLists/{year}",
        collections: &["portfolios", "annualLists"],
        floats: false,
    };
    for year in ["1900", "2021", "2200"] {
        let ids = list.ids(&format!("portfolios/wsc/annualLists/{year}")).unwrap();
        assert_eq!((ids[1].as_str(), ResourceId::stored(year)), (year, Some(ids[1].clone())));
        assert_eq!(year.parse::<ResourceId>(), Err(IdError::Start(year.into())));
        assert!(PROJECT.ids(&format!("portfolios/wsc/projects/{year}")).is_err());
    }
    for none in ["1899", "2201", "202", "02021", "+202", "y2021", "", "-", "２０２１"] {
        assert_eq!(list.id(none), Err(IdError::Year(none.into())), "{none}");
        assert!(list.ids(&format!("portfolios/wsc/annualLists/{none}")).is_err());
    }
    assert!(
        list.ids("portfolios/2021/annualLists/2021").is_err(),
        "what it is under has an id of its own kind"
    );
    assert_eq!(ResourceId::stored("science-avenue"), Some(id("science-avenue")));
    assert_eq!(ResourceId::stored("Ä"), None);
}

#[test]
fn an_error_about_ten_megabytes_is_short() {
    let huge = "科".repeat(3_500_000);
    assert!(huge.parse::<ResourceId>().unwrap_err().to_string().chars().count() < 200);
    assert!(PROJECT.ids(&huge).unwrap_err().to_string().chars().count() < 300);
    let name = format!("portfolios/{}", "a".repeat(10_000_000));
    let error = PORTFOLIO.ids(&name).unwrap_err().to_string();
    assert!(error.contains("too long") && error.chars().count() < 300, "{error}");
}

#[test]
fn generated_ids_follow_their_seed() {
    let one = ResourceId::from_seed('p', [7; 16]);
    assert_eq!(one, ResourceId::from_seed('p', [7; 16]));
    assert_ne!(one, ResourceId::from_seed('p', [8; 16]));
    assert_eq!(one.as_str().parse(), Ok(one.clone()));
    assert!(one.as_str().starts_with("p-") && one.as_str().len() == 34);
    // What is no letter must not make an id that is none.
    assert!(ResourceId::from_seed('学', [0; 16]).as_str().parse::<ResourceId>().is_ok());
    assert_ne!(ResourceId::generate('p'), ResourceId::generate('p'));
}

#[test]
fn a_name_has_an_id_for_each_collection() {
    assert_eq!(PROJECT.ids("portfolios/wsc/projects/avenue"), Ok(vec![id("wsc"), id("avenue")]));
    assert_eq!(PORTFOLIO.ids("portfolios/wsc"), Ok(vec![id("wsc")]));
    assert_eq!(PROJECT.ids("avenue").unwrap_err().kind(), PROJECT.kind);
}

#[test]
fn a_name_that_floats_has_an_id_for_each_collection_above_that_it_says() {
    let floating = NameShape { floats: true, ..PROJECT };
    assert_eq!(floating.ids("portfolios/wsc/projects/avenue"), Ok(vec![id("wsc"), id("avenue")]));
    assert_eq!(floating.ids("projects/avenue"), Ok(vec![id("avenue")]));
    for text in [
        "",
        "/projects/avenue",
        "projects",
        "projects/",
        "portfolios/wsc",
        "batches/wsc/projects/avenue",
        "portfolios//projects/avenue",
        "portfolios/wsc/projects/avenue/projects/avenue",
        "portfolios/wsc/portfolios/wsc/projects/avenue",
    ] {
        assert!(floating.ids(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    for text in [
        "",
        "/",
        "wsc",
        "portfolios",
        "portfolios/",
        "portfolios/wsc",
        "/portfolios/wsc/projects/x",
        "portfolios/wsc/projects/x/",
        "portfolios/wsc//projects/x",
        "portfolios/wsc/projects",
        "portfolios/wsc/project/x",
        "portfolios/wsc/xprojects/x",
        "xportfolios/wsc/projects/x",
        "projects/x",
        "/projects/x",
        "portfolios/wsc/projects/X",
        "portfolios/-/projects/x",
        "portfolios/wsc/projects/-",
        "portfolios/wsc/projects/x/milestones/m",
        "portfolios/科学城/projects/x",
        "portfolios/wsc/projects/x ",
    ] {
        assert!(PROJECT.ids(text).is_err(), "{text}");
    }
    assert!(PORTFOLIO.ids("portfolios/wsc/portfolios/x").is_err());
}

#[test]
fn errors_say_what_is_expected() {
    let error = PROJECT.ids("portfolios/wsc/projects/Science").unwrap_err();
    assert_eq!(error.reason(), "INVALID_NAME");
    assert_eq!(
        error.to_string(),
        "\"portfolios/wsc/projects/Science\" is not the name of a project: the id \"Science\" has the \
         character 'S'; use only a to z, 0 to 9 and hyphen; the shape is portfolios/{portfolio}/projects/{project}"
    );
    assert_eq!(PROJECT.ids("").unwrap_err().reason(), "REQUIRED");
    assert_eq!(
        PROJECT.ids("projects/x").unwrap_err().to_string(),
        "\"projects/x\" is not the name of a project: its segments do not match \
         `portfolios/{portfolio}/projects/{project}`"
    );
}

#[test]
fn a_dash_reads_across_from_the_right() {
    let parent = |text: &str| parent_ids(text, &[PORTFOLIO, PROJECT]);
    assert_eq!(parent("portfolios/wsc/projects/x"), Ok(vec![id("wsc"), id("x")]));
    assert_eq!(parent("portfolios/wsc/projects/-"), Ok(vec![id("wsc")]));
    assert_eq!(parent("portfolios/-/projects/-"), Ok(Vec::new()));
    assert_eq!(parent_ids("portfolios/-", &[PORTFOLIO]), Ok(Vec::new()));
    let error = parent("portfolios/-/projects/x").unwrap_err().to_string();
    assert!(error.contains("portfolios/-/projects/-"), "{error}");
    for text in
        ["-", "portfolios/--", "portfolios/-/", "portfolios/*", "organizations/-", "portfolios/-/projects/-"]
    {
        assert!(parent_ids(text, &[PORTFOLIO]).is_err(), "{text}");
    }
    for text in [
        "portfolios/-",
        "portfolios/-/projects",
        "portfolios/-/batches/-",
        "-/-",
        "projects/-",
        "/projects/-",
    ] {
        assert!(parent(text).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn names_are_read_whatever_their_ids(p in ID, x in ID) {
        prop_assert_eq!(PROJECT.ids(&format!("portfolios/{p}/projects/{x}")), Ok(vec![id(&p), id(&x)]));
    }

    #[test]
    fn an_id_is_what_the_expression_says(text in "[a-z0-9A-Z_é-]{0,4}") {
        let bytes = text.as_bytes();
        let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let good = !bytes.is_empty()
            && bytes[0].is_ascii_lowercase()
            && bytes.iter().all(|b| inner(b) || *b == b'-')
            && bytes.last().is_some_and(inner);
        prop_assert_eq!(text.parse::<ResourceId>().is_ok(), good);
    }

    #[test]
    fn nonsense_never_panics(text in "(portfolios|projects|milestones|/|-|[a-z]|.){0,12}") {
        if let Ok(ids) = PROJECT.ids(&text) {
            prop_assert_eq!(format!("portfolios/{}/projects/{}", ids[0], ids[1]), text.clone());
        }
        let _ = parent_ids(&text, &[PORTFOLIO, PROJECT]);
    }
}

//! Names, ids and parents: what is read back, what is refused, and with which text.

use proptest::prelude::*;

use super::*;
use crate::parent::{MilestoneParent, PortfolioPattern, ProjectParent, ProjectPattern};

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
fn an_error_about_ten_megabytes_is_short() {
    let huge = "科".repeat(3_500_000);
    assert!(huge.parse::<ResourceId>().unwrap_err().to_string().chars().count() < 200);
    assert!(huge.parse::<MilestoneName>().unwrap_err().to_string().chars().count() < 300);
    let name = format!("portfolios/{}", "a".repeat(10_000_000));
    let error = name.parse::<PortfolioName>().unwrap_err().to_string();
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
fn names_tell_their_parents() {
    let text = "portfolios/wsc/projects/science-avenue/milestones/land-handover";
    let milestone: MilestoneName = text.parse().unwrap();
    assert_eq!(milestone.to_string(), text);
    assert_eq!(milestone.id().as_str(), "land-handover");
    assert_eq!(milestone.project().to_string(), "portfolios/wsc/projects/science-avenue");
    assert_eq!(milestone.parent(), milestone.project());
    assert_eq!(milestone.project().id().as_str(), "science-avenue");
    assert_eq!(milestone.portfolio().to_string(), "portfolios/wsc");
    assert_eq!(milestone.portfolio().id().as_str(), "wsc");

    let portfolio = PortfolioName::new(id("wsc"));
    let project = ProjectName::new(portfolio.clone(), id("science-avenue"));
    assert_eq!(milestone, MilestoneName::new(project.clone(), id("land-handover")));
    assert_eq!(
        PhaseName::new(project, id("first")).to_string(),
        "portfolios/wsc/projects/science-avenue/phases/first"
    );
    assert_eq!(
        BatchName::new(portfolio, id("y2020-09-11")).to_string(),
        "portfolios/wsc/batches/y2020-09-11"
    );
    assert_eq!(OrganizationName::new(id("cqu")).to_string(), "organizations/cqu");
}

#[test]
fn patterns_and_kinds() {
    assert_eq!(PortfolioName::PATTERN, "portfolios/{portfolio}");
    assert_eq!(OrganizationName::PATTERN, "organizations/{organization}");
    assert_eq!(MilestoneName::PATTERN, "portfolios/{portfolio}/projects/{project}/milestones/{milestone}");
    assert_eq!(<BatchName as ResourceName>::KIND.type_name(), "milepost.dev/Batch");
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
        assert!(text.parse::<ProjectName>().is_err(), "{text}");
    }
    assert!("portfolios/wsc/portfolios/x".parse::<PortfolioName>().is_err());
}

#[test]
fn errors_say_what_is_expected() {
    let error = "portfolios/wsc/projects/Science".parse::<ProjectName>().unwrap_err();
    assert_eq!(error.reason(), "INVALID_NAME");
    assert_eq!(
        error.to_string(),
        "\"portfolios/wsc/projects/Science\" is not the name of a project: the id \"Science\" has the \
         character 'S'; use only a to z, 0 to 9 and hyphen; the shape is portfolios/{portfolio}/projects/{project}"
    );
    assert_eq!("".parse::<ProjectName>().unwrap_err().reason(), "REQUIRED");
    assert_eq!(
        "projects/x".parse::<ProjectName>().unwrap_err().to_string(),
        "\"projects/x\" is not the name of a project: its segments do not match \
         `portfolios/{portfolio}/projects/{project}`"
    );
}

#[test]
fn names_order_by_their_ids_from_the_left() {
    // As text, "a-b/…" stands before "a/…", because '-' is before '/'.
    let a: ProjectName = "portfolios/a/projects/z".parse().unwrap();
    let b: ProjectName = "portfolios/a-b/projects/a".parse().unwrap();
    assert!(a < b && a.to_string() > b.to_string());
}

#[test]
fn a_dash_reads_across() {
    let one: ProjectName = "portfolios/wsc/projects/x".parse().unwrap();
    let sibling: ProjectName = "portfolios/wsc/projects/y".parse().unwrap();
    let stranger: ProjectName = "portfolios/ws/projects/x".parse().unwrap();
    for (text, matched) in [
        ("portfolios/wsc/projects/x", [true, false, false]),
        ("portfolios/wsc/projects/-", [true, true, false]),
        ("portfolios/-/projects/-", [true, true, true]),
    ] {
        let parent: MilestoneParent = text.parse().unwrap();
        assert_eq!(parent.to_string(), text);
        assert_eq!([&one, &sibling, &stranger].map(|name| parent.matches(name)), matched, "{text}");
        assert_eq!(parent.portfolio().is_some(), !matched[2]);
        assert_eq!(parent.project().is_some(), !matched[1]);
    }
    for (text, matched) in [("portfolios/wsc", [true, false]), ("portfolios/-", [true, true])] {
        let parent: ProjectParent = text.parse().unwrap();
        assert_eq!(parent.to_string(), text);
        assert_eq!([&one, &stranger].map(|name| parent.matches(name.portfolio())), matched, "{text}");
        assert_eq!(parent.portfolio().is_some(), !matched[1]);
    }
}

#[test]
fn a_dash_elsewhere_is_refused() {
    let error = "portfolios/-/projects/x".parse::<ProjectPattern>().unwrap_err().to_string();
    assert!(error.contains("portfolios/-/projects/-"), "{error}");
    for text in
        ["-", "portfolios/--", "portfolios/-/", "portfolios/*", "organizations/-", "portfolios/-/projects/-"]
    {
        assert!(text.parse::<PortfolioPattern>().is_err(), "{text}");
    }
    for text in [
        "portfolios/-",
        "portfolios/-/projects",
        "portfolios/-/batches/-",
        "-/-",
        "projects/-",
        "/projects/-",
    ] {
        assert!(text.parse::<ProjectPattern>().is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn names_are_read_back(p in ID, x in ID, m in ID) {
        let project = ProjectName::new(PortfolioName::new(id(&p)), id(&x));
        prop_assert_eq!(project.to_string(), format!("portfolios/{p}/projects/{x}"));
        prop_assert_eq!(project.to_string().parse(), Ok(project.clone()));
        let milestone = MilestoneName::new(project.clone(), id(&m));
        prop_assert_eq!(milestone.to_string().parse(), Ok(milestone));
        let phase = PhaseName::new(project.clone(), id(&m));
        prop_assert_eq!(phase.to_string().parse(), Ok(phase));
        let batch = BatchName::new(project.portfolio().clone(), id(&m));
        prop_assert_eq!(batch.to_string().parse(), Ok(batch));
        let parent = ProjectPattern::from(project.clone());
        prop_assert_eq!(parent.to_string().parse(), Ok(parent.clone()));
        prop_assert!(parent.matches(&project));
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
        if let Ok(name) = text.parse::<MilestoneName>() {
            prop_assert_eq!(name.to_string(), text.clone());
        }
        if let Ok(parent) = text.parse::<ProjectPattern>() {
            prop_assert_eq!(parent.to_string(), text);
        }
    }
}

//! What the data set holds, against what was published.
//!
//! A figure that changes here changes what the first portfolio says: look at the source first.

use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::{
    AnnualList, Batch, Collection, Indicator, Observation, Phase, PolicyProgramme, Project,
    PublishPolicyProgrammeRequest,
};
use milepost_proto::tracker::v1::{AchieveMilestoneRequest, Milestone, TimelineEntry};

use super::*;

/// The resources of a type that are created, with their names.
fn all<M: prost::Name + Default>(set: &DataSet) -> Vec<M> {
    set.steps.iter().filter_map(Step::resource).collect()
}

/// The verbs that follow the creations, with the names of what they are done to and their days.
fn acts(set: &DataSet) -> Vec<(&str, &str, Date)> {
    let act = |step: &'_ Step| -> Option<Date> {
        let batch = || all::<Batch>(set).into_iter().find(|batch| batch.name == step.name);
        let entry = || all::<TimelineEntry>(set).into_iter().find(|entry| entry.name == step.name);
        match step.verb.name.as_str() {
            "achieve" => value::typed::<AchieveMilestoneRequest>(&step.request).unwrap().actual_date,
            "start" => batch().unwrap().start_date,
            "publish" if step.name.starts_with("policyProgrammes/") => {
                value::typed::<PublishPolicyProgrammeRequest>(&step.request).unwrap().publish_date
            }
            "publish" => entry().unwrap().date,
            _ => None,
        }
    };
    let acts =
        set.steps.iter().filter_map(|step| Some((step.verb.name.as_str(), step.name.as_str(), act(step)?)));
    acts.collect()
}

fn cny(units: i64) -> Option<Money> {
    Some(Money { currency_code: "CNY".into(), units, nanos: 0 })
}

fn set() -> DataSet {
    DataSet::western_science_city()
}

#[test]
fn the_batches_declare_what_was_published_and_nothing_else() {
    let set = set();
    let declared: Vec<_> = all::<Batch>(&set)
        .iter()
        .map(|batch| {
            (
                batch.start_date.unwrap(),
                batch.declared_count,
                batch.declared_investment.clone(),
                batch.members.len(),
            )
        })
        .collect();
    let day = |year, month, day| Date { year, month, day };
    assert_eq!(
        declared,
        [
            (day(2020, 4, 3), None, None, 0),
            (day(2020, 9, 11), Some(79), cny(130_000_000_000), 2),
            (day(2021, 4, 15), Some(107), None, 1),
            (day(2021, 5, 27), Some(8), cny(28_360_000_000), 1),
        ]
    );
    assert!(
        all::<Project>(&set).iter().all(|project| project.investment.is_none()),
        "no project's investment was published"
    );
}

#[test]
fn every_named_project_and_platform_is_there_in_both_languages() {
    let set = set();
    let projects = all::<Project>(&set);
    let names: Vec<&str> = projects.iter().map(|project| project.display_name.as_str()).collect();
    for name in [
        "科学大道",
        "科学谷",
        "坪山大道",
        "科学城隧道",
        "超瞬态实验装置",
        "光大人工智能产业基地",
        "中电重庆软件园",
        "种质创制大科学中心",
        "中国自然人群生物资源库重庆中心",
        "北京大学重庆大数据研究院",
        "中国科学院重庆科学中心",
        "通用技术集团纳米时栅",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(names.len(), 12);
    assert!(projects.iter().all(|project| project.translations.contains_key("en")));
    assert_eq!(projects.iter().filter(|project| project.key == Some(true)).count(), 4);
}

#[test]
fn all_eleven_entries_of_the_timeline_are_held_on_their_day() {
    let set = set();
    let mut days: Vec<String> =
        acts(&set).into_iter().map(|(_, _, day)| crate::output::text::date(Some(&day))).collect();
    days.dedup();
    assert_eq!(
        days,
        [
            "2020-04-03",
            "2020-07-01",
            "2020-09-11",
            "2020-09-16",
            "2020-11-18",
            "2021-02-03",
            "2021-02-05",
            "2021-03-05",
            "2021-04-15",
            "2021-05-17",
            "2021-05-27",
        ]
    );
}

#[test]
fn the_list_of_2021_declares_what_was_published_and_registers_what_was_named() {
    let lists = all::<AnnualList>(&set());
    let [list] = &lists[..] else { panic!("{lists:?}") };
    let declared: Vec<_> =
        list.declared.iter().map(|figure| (figure.category.as_str(), figure.count)).collect();
    assert_eq!(declared, [("all", Some(343)), ("key", Some(169))]);
    assert!(list.declared.iter().all(|figure| figure.investment.is_none()));
    assert_eq!(list.members.len(), 4);
}

#[test]
fn indicators_say_what_was_published_word_for_word() {
    let set = set();
    let observed: Vec<_> = all::<Observation>(&set)
        .into_iter()
        .map(|found| {
            (found.name.split('/').nth(3).unwrap().to_owned(), found.value.clone(), found.qualifier())
        })
        .collect();
    let exact = |id: &str, value: &str| (id.to_owned(), value.to_owned(), Qualifier::Unspecified);
    assert_eq!(
        observed,
        [
            exact("research-institutions", "278"),
            exact("incubators", "16"),
            exact("national-incubators", "5"),
            exact("high-tech-enterprises", "195"),
            exact("technology-enterprises", "876"),
            exact("attracted-projects", "145"),
            ("attracted-investment".to_owned(), "1775".to_owned(), Qualifier::AtLeast),
        ]
    );
    let parts = all::<Indicator>(&set).into_iter().filter(|found| !found.part_of.is_empty());
    let parts: Vec<_> = parts.map(|part| (part.display_name, part.part_of)).collect();
    let whole = "portfolios/western-science-city/indicators/incubators".to_owned();
    assert_eq!(parts, [("国家级孵化器和众创空间".to_owned(), whole)]);
}

#[test]
fn the_road_plan_has_its_elements_and_no_measure() {
    let networks = all::<Collection>(&set());
    let counts: Vec<_> = networks.iter().map(|network| network.elements.len()).collect();
    assert_eq!(counts, [2, 12]);
    let elements = networks.iter().flat_map(|network| &network.elements);
    assert!(elements.clone().all(|of| of.planned_measure.is_empty() && of.contributions.is_empty()));
}

#[test]
fn programmes_declare_what_was_published() {
    let programmes = all::<PolicyProgramme>(&set());
    let counts: Vec<_> = programmes
        .iter()
        .filter_map(|found| Some((found.display_name.as_str(), found.declared_count?, found.groups.len())))
        .collect();
    assert_eq!(counts, [("金凤凰政策", 40, 4), ("市级下放行政权力", 418, 0), ("十抓十促进", 10, 0)]);
    let lists = programmes.iter().find(|found| found.display_name == "双七正面清单").unwrap();
    assert!(lists.groups.len() == 2 && lists.groups.iter().all(|list| list.declared_count == Some(7)));
}

#[test]
fn a_year_alone_becomes_no_date() {
    let set = set();
    let built = all::<Milestone>(&set).into_iter().find(|found| found.display_name == "建成投用").unwrap();
    assert_eq!((built.baseline_date, built.forecast_date, built.actual_date), (None, None, None));
    assert_eq!(built.labels["expected-year"], "2023");
    let facility =
        all::<Project>(&set).into_iter().find(|found| found.display_name == "超瞬态实验装置").unwrap();
    assert_eq!(facility.annual_plans[0].year, 2023);
    assert_eq!(all::<Phase>(&set).iter().filter(|phase| phase.name.starts_with(&facility.name)).count(), 2);
}

#[test]
fn acts_are_ordered_by_day_and_every_reference_is_there() {
    let set = set();
    let acts = acts(&set);
    let day = |date: &Date| (date.year, date.month, date.day);
    assert!(acts.is_sorted_by_key(|(_, _, date)| day(date)));
    assert_eq!(acts.len(), 13);
    let created = |name: &str| set.steps.iter().any(|step| step.verb.name == "create" && step.name == name);
    assert!(acts.iter().all(|(_, name, _)| created(name)), "{acts:?}");
    let milestones = all::<Milestone>(&set);
    for member in all::<Batch>(&set).iter().flat_map(|batch| &batch.members) {
        assert!(created(member), "{member}");
        let start = milestones
            .iter()
            .any(|m| m.name.starts_with(&format!("{member}/")) && m.r#type == "constructionStart");
        assert!(start, "{member} has a start to achieve");
    }
    for party in all::<Project>(&set).iter().flat_map(|project| &project.parties) {
        assert!(created(&party.organization), "{}", party.organization);
    }
}

#[test]
fn texts_keep_the_limits_of_the_api() {
    let set = set();
    assert!(set.portfolio.description.chars().count() <= milepost_types::limits::TEXT_CHARS);
    let projects = all::<Project>(&set);
    let labels = projects.iter().map(|project| &project.labels).chain([&set.portfolio.labels]);
    for (key, value) in labels.flatten() {
        assert!(key.parse::<milepost_types::ResourceId>().is_ok(), "{key}");
        assert!(value.chars().count() <= milepost_types::limits::LABEL_VALUE_CHARS, "{value}");
    }
}

#[test]
fn a_misspelt_key_is_not_lost_in_silence() {
    let text = TEXT.replacen("declared_count", "declared_cuont", 1);
    let error = DataSet::parse(&text).unwrap_err();
    assert!(error.contains("declared_cuont"), "{error}");
}

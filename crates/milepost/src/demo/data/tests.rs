//! What the data set holds, against what was published: the facts of the Western (Chongqing) Science City,
//! `facts/western-science-city.md`, table by table.
//!
//! A figure that changes here changes what the first portfolio says: look at the source first.

use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::{
    Alliance, AnnualList, Batch, Collection, Indicator, Observation, Organization, Phase, PolicyProgramme,
    Project, PublishPolicyProgrammeRequest, indicator,
};
use milepost_proto::tracker::v1::milestone::Gate;
use milepost_proto::tracker::v1::{
    AchieveCoupledMilestonesRequest, AchieveMilestoneRequest, ApplyTemplateRequest, Campaign, Finding,
    Inspection, Milestone, RectificationOrder, SignOffCampaignRequest, TemplateVersion, TimelineEntry,
    WarningPolicy,
};

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
            "achieve-coupled" => {
                value::typed::<AchieveCoupledMilestonesRequest>(&step.request).unwrap().actual_date
            }
            "start" => batch().unwrap().start_date,
            "publish" if step.name.starts_with("policyProgrammes/") => {
                value::typed::<PublishPolicyProgrammeRequest>(&step.request).unwrap().publish_date
            }
            "publish" if step.name.contains("/templates/") => None,
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

/// The last ids of names.
fn ids<T: AsRef<str>>(names: &[T]) -> Vec<&str> {
    names.iter().map(|name| id(name.as_ref())).collect()
}

/// The last id of a name.
fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap()
}

const fn day(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

/// The four of which it was published that they are key projects.
const KEY_PROJECTS: [&str; 4] =
    ["science-avenue", "science-valley", "pingshan-avenue", "science-city-tunnel"];

/// Facts, table 3 (concentrated starts) and the timeline's first entry, the round of 2020-04-03.
#[test]
fn the_batches_declare_what_was_published_and_nothing_else() {
    let set = set();
    let batches = all::<Batch>(&set);
    let declared: Vec<_> = batches
        .iter()
        .map(|batch| (batch.start_date.unwrap(), batch.declared_count, batch.declared_investment.clone()))
        .collect();
    assert_eq!(
        declared,
        [
            (day(2020, 4, 3), None, None),
            (day(2020, 9, 11), Some(79), cny(130_000_000_000)),
            (day(2021, 4, 15), Some(107), None),
            (day(2021, 5, 27), Some(8), cny(28_360_000_000)),
        ]
    );
    let members: Vec<_> = batches.iter().map(|batch| ids(&batch.members)).collect();
    assert_eq!(
        members,
        [
            &[][..],
            &["science-avenue", "science-valley"],
            &["cec-chongqing-software-park"],
            &["ultra-transient-facility"]
        ]
    );
    let places: Vec<_> = batches.iter().map(|batch| batch.place.as_str()).collect();
    assert_eq!(places, ["光大人工智能产业基地", "", "", ""]);
    assert!(
        all::<Project>(&set).iter().all(|project| project.investment.is_none()),
        "no project's investment was published"
    );
}

/// Facts, tables 1 and 2.
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
    let key = projects.iter().filter(|project| project.key == Some(true));
    let key: Vec<_> = key.map(|project| project.name.as_str()).collect();
    assert_eq!(ids(&key), KEY_PROJECTS);
    assert!(
        projects.iter().all(|project| project.key != Some(false)),
        "of no other it was said that it is none"
    );
}

/// Facts, tables 1 and 2: what was published of a project's status, where there is no day to give it.
#[test]
fn what_has_a_status_but_no_day_says_so_to_readers() {
    let set = set();
    let said = all::<Project>(&set).into_iter().filter_map(|project| {
        let status = project.labels.get("published-status")?.clone();
        Some((id(&project.name).to_owned(), status))
    });
    let said: Vec<_> = said.collect();
    for (id, status) in [
        (
            "pingshan-avenue",
            "under construction in 2021; PROPOSED here, as the day it started was not published",
        ),
        (
            "science-city-tunnel",
            "under construction in 2021; PROPOSED here, as the day it started was not published",
        ),
        ("genertec-nano-time-grating", "attracted since 2020"),
        ("germplasm-creation-center", "brought in"),
        ("natural-population-biobank", "brought in"),
        ("peking-university-big-data", "brought in"),
        ("cas-chongqing-science-center", "being built up"),
    ] {
        assert!(said.iter().any(|(known, text)| known == id && text.ends_with(status)), "{id}: {said:?}");
    }
    assert_eq!(said.len(), 7);
    let lists = all::<AnnualList>(&set);
    for text in [&set.portfolio.description, &lists[0].description] {
        assert!(text.contains("PROPOSED") && text.contains("坪山大道、科学城隧道"), "{text}");
    }
}

/// Facts, the construction timeline; office.md, section 8, acceptance.
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

/// Facts, table 4 (how the office runs its projects) and the timeline: which programme was published on which day. Of the
/// others no day was published: they stay drafts.
#[test]
fn a_programme_is_published_on_its_day_and_without_a_day_stays_a_draft() {
    let set = set();
    let acts = acts(&set);
    let published =
        acts.iter().filter(|(verb, name, _)| *verb == "publish" && name.starts_with("policyProgrammes/"));
    let published: Vec<_> = published.map(|(_, name, day)| (id(name), *day)).collect();
    assert_eq!(
        published,
        [
            ("three-reviews-in-one", day(2020, 7, 1)),
            ("financial-support", day(2020, 11, 18)),
            ("certificate-at-handover", day(2021, 2, 3)),
            ("golden-phoenix", day(2021, 3, 5)),
        ]
    );
    let programmes = all::<PolicyProgramme>(&set);
    let drafts =
        programmes.iter().filter(|programme| acts.iter().all(|(_, name, _)| *name != programme.name));
    let drafts: Vec<_> = drafts.map(|programme| programme.display_name.as_str()).collect();
    assert_eq!(drafts, ["市级下放行政权力", "十抓十促进", "双七正面清单", "一业一证", "一科三高"]);
}

/// Facts, table 1; office.md, section 1: 343, 169.
#[test]
fn the_list_of_2021_declares_what_was_published_and_registers_what_was_named() {
    let lists = all::<AnnualList>(&set());
    let [list] = &lists[..] else { panic!("{lists:?}") };
    let declared: Vec<_> =
        list.declared.iter().map(|figure| (figure.category.as_str(), figure.count)).collect();
    assert_eq!(declared, [("all", Some(343)), ("key", Some(169))]);
    assert!(list.declared.iter().all(|figure| figure.investment.is_none()));
    let members: Vec<_> = list.members.iter().map(|member| member.project.as_str()).collect();
    assert_eq!(ids(&members), KEY_PROJECTS);
    assert!(
        list.members.iter().all(|member| member.listing == 0),
        "on which list they are was not published"
    );
}

/// Facts, table 1.
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
            ("attracted-investment".to_owned(), "177500000000".to_owned(), Qualifier::AtLeast),
        ]
    );
    let indicators = all::<Indicator>(&set);
    let said: Vec<_> = indicators
        .iter()
        .map(|found| {
            let english = found.scope.split_once(' ').map_or("", |(_, english)| english);
            (id(&found.name), found.kind(), found.unit.as_str(), english)
        })
        .collect();
    let (stock, flow) = (indicator::Kind::Stock, indicator::Kind::Flow);
    assert_eq!(
        said,
        [
            ("research-institutions", stock, "", "core area, municipal level or above"),
            ("incubators", stock, "", "municipal level or above"),
            ("national-incubators", stock, "", "national level"),
            ("high-tech-enterprises", stock, "", "core area"),
            ("technology-enterprises", stock, "", "core area"),
            ("attracted-projects", flow, "", "since 2020"),
            ("attracted-investment", flow, "CNY", "since 2020"),
        ]
    );
    let parts = indicators.into_iter().filter(|found| !found.part_of.is_empty());
    let parts: Vec<_> = parts.map(|part| (part.display_name, part.part_of)).collect();
    let whole = "portfolios/western-science-city/indicators/incubators".to_owned();
    assert_eq!(parts, [("国家级孵化器和众创空间".to_owned(), whole)]);
}

/// Facts: the figures were published in mid-2021, without a day; what was attracted, since 2020.
#[test]
fn an_observation_says_which_of_its_days_was_not_published() {
    for observation in all::<Observation>(&set()) {
        let period = observation.period.unwrap();
        let since = if observation.name.contains("/attracted-") { day(2020, 1, 1) } else { day(2021, 1, 1) };
        let days = (period.start_date, period.end_date);
        assert_eq!(days, (Some(since), Some(day(2021, 6, 30))), "{}", observation.name);
        assert!(observation.note.contains("without a day"), "{}: {}", observation.name, observation.note);
        assert!(observation.source.contains("mid-2021"), "{}", observation.source);
    }
}

/// Facts, table 1: two rings; six east–west and six north–south trunk roads.
#[test]
fn the_road_plan_has_its_elements_and_no_measure() {
    let networks = all::<Collection>(&set());
    let declared: Vec<_> = networks
        .iter()
        .map(|network| network.declared.iter().map(|of| (of.group.as_str(), of.count)).collect::<Vec<_>>())
        .collect();
    let (across, down) = ("六横 east–west", "六纵 north–south");
    assert_eq!(declared, [&[("", Some(2))][..], &[(across, Some(6)), (down, Some(6))]]);
    let in_group = |network: usize, group: &str| {
        networks[network].elements.iter().filter(|element| element.group == group).count()
    };
    assert_eq!([in_group(0, ""), in_group(1, across), in_group(1, down)], [2, 6, 6]);
    let elements: Vec<_> = networks.iter().flat_map(|network| &network.elements).collect();
    assert_eq!(elements.len(), 14);
    assert!(elements.iter().all(|of| of.planned_measure.is_empty() && of.contributions.is_empty()));
    // Readers see names in both languages and no ids.
    let is_named =
        |name: &str| name.contains("线") && name.contains(|letter: char| letter.is_ascii_alphabetic());
    assert!(elements.iter().all(|of| is_named(&of.display_name)), "{elements:?}");
}

/// Facts, table 2: who the alliance of the Science Avenue is was not published, only what it does.
#[test]
fn the_alliance_of_the_science_avenue_has_no_members_that_were_not_named() {
    let set = set();
    let alliances = all::<Alliance>(&set);
    let [alliance] = &alliances[..] else { panic!("{alliances:?}") };
    assert_eq!(alliance.display_name, "科学大道党建联盟");
    assert_eq!(ids(&alliance.projects), ["science-avenue"]);
    assert!(alliance.members.is_empty() && alliance.shared_resources.is_empty());
    for practice in ["joint organisation", "shared resources", "joint activities", "shared training"] {
        assert!(alliance.description.contains(practice), "{}", alliance.description);
    }
    let organizations = all::<Organization>(&set);
    let names: Vec<_> = organizations.iter().map(|organization| organization.name.as_str()).collect();
    let named =
        ["chongqing-university", "science-city-administrative-committee", "science-city-working-committee"];
    assert_eq!(ids(&names), named);
}

/// Facts, tables 1 and 4; office.md, section 3: 40; 418; 10; four fields, counts absent; two lists of seven.
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
    assert!(lists.description.contains("the numbers are ours"), "{}", lists.description);
    let phoenix = programmes.iter().find(|found| found.display_name == "金凤凰政策").unwrap();
    let fields: Vec<_> =
        phoenix.groups.iter().map(|field| (field.code.as_str(), field.declared_count)).collect();
    let expected = ["talent", "innovation", "industry", "finance"].map(|code| (code, None));
    assert_eq!(fields, expected, "how many policies each field has was not published");
}

/// Facts, table 2: the ultra-transient facility, expected to be built and in use in 2023.
#[test]
fn a_year_alone_becomes_no_date() {
    let set = set();
    let built = all::<Milestone>(&set).into_iter().find(|found| found.display_name == "建成投用").unwrap();
    assert_eq!((built.baseline_date, built.forecast_date, built.actual_date), (None, None, None));
    assert_eq!(built.labels["expected-year"], "2023");
    let facility =
        all::<Project>(&set).into_iter().find(|found| found.display_name == "超瞬态实验装置").unwrap();
    assert_eq!(facility.annual_plans[0].year, 2023);
    let parties: Vec<_> =
        facility.parties.iter().map(|of| (of.organization.as_str(), of.roles.clone())).collect();
    assert_eq!(parties, [("organizations/chongqing-university", vec!["lead".to_owned()])]);
    assert!(facility.purpose.contains("first big-science facility") && facility.scale.contains("two phases"));
    assert_eq!(all::<Phase>(&set).iter().filter(|phase| phase.name.starts_with(&facility.name)).count(), 2);
}

#[test]
fn acts_are_ordered_by_day_and_every_reference_is_there() {
    let set = set();
    let acts = acts(&set);
    assert!(acts.is_sorted_by_key(|(_, _, date)| (date.year, date.month, date.day)));
    assert_eq!(acts.len(), 13);
    let created = |name: &str| set.steps.iter().any(|step| step.verb.name == "create" && step.name == name);
    let made = |name: &str| created(name) || name == format!("{VALLEY}/milestones/land-certificate");
    assert!(acts.iter().all(|(_, name, _)| made(name)), "{acts:?}");
    let milestones = all::<Milestone>(&set);
    for member in all::<Batch>(&set).iter().flat_map(|batch| &batch.members) {
        assert!(created(member), "{member}");
        let start = milestones
            .iter()
            .any(|m| m.name.starts_with(&format!("{member}/")) && m.r#type == "constructionStart");
        assert!(start || member == VALLEY, "{member} has a start to achieve");
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

const VALLEY: &str = "portfolios/western-science-city/projects/science-valley";

/// Facts, table 2 and practices: 科学谷 is the first project with 交地即领证, on 2021-02-03.
#[test]
fn the_science_valley_has_the_template_of_the_reform_and_its_land_and_certificate_on_the_day_of_the_facts() {
    let set = set();
    let step = |verb: &str| {
        let mut found = set.steps.iter().filter(|step| step.verb.name == verb);
        (found.next().unwrap(), found.count())
    };
    let (applied, others) = step("apply");
    assert_eq!(others, 0);
    let request = value::typed::<ApplyTemplateRequest>(&applied.request).unwrap();
    assert_eq!((request.project.as_str(), request.application_date), (VALLEY, Some(day(2021, 2, 3))));
    assert!(request.allow_undated, "when it was planned to start and to end was not published");
    let given = [request.start_date, request.planned_start_date, request.planned_end_date];
    assert_eq!(given, [None, None, None]);
    let (achieved, others) = step("achieve-coupled");
    assert_eq!((achieved.name.strip_prefix(VALLEY), others), (Some("/milestones/land-certificate"), 0));
    let request = value::typed::<AchieveCoupledMilestonesRequest>(&achieved.request).unwrap();
    assert_eq!(request.actual_date, Some(day(2021, 2, 3)));
    assert!(request.reason.contains("The first project in Chongqing"), "{}", request.reason);
}

/// Facts, practices: 三评合一 from 2020-07-01, 交地即领证 from 2021-02-03; and the validities of office.md, section 7.
#[test]
fn the_template_of_government_projects_says_what_was_published_and_no_time_between_steps() {
    let versions = all::<TemplateVersion>(&set());
    let days: Vec<_> = versions.iter().map(|version| version.in_force_from.unwrap()).collect();
    assert_eq!(days[1..], [day(2020, 7, 1), day(2021, 2, 3)]);
    let codes = |version: &TemplateVersion, id: &str| -> Vec<(String, i32)> {
        let item = version.items.iter().find(|item| item.id == id);
        let satisfies = item.map(|item| item.satisfies.clone()).unwrap_or_default();
        satisfies.into_iter().map(|satisfied| (satisfied.code, satisfied.validity_months)).collect()
    };
    assert_eq!(codes(&versions[0], "eia"), [("eia".to_owned(), 60)]);
    assert_eq!(codes(&versions[0], "soil-water"), [("soil-water".to_owned(), 36)]);
    for version in &versions[1..] {
        let joint = version.items.iter().find(|item| item.id == "joint-review").unwrap();
        assert_eq!(joint.gate(), Gate::Merged);
        let both = [("eia".to_owned(), 60), ("soil-water".to_owned(), 36), ("outfall".to_owned(), 0)];
        assert_eq!(codes(version, "joint-review"), both);
    }
    for version in &versions {
        let approval = version.items.iter().find(|item| item.id == "approval").unwrap();
        let validity = approval.validity.clone().unwrap();
        assert_eq!((validity.months, validity.until_type.as_str()), (24, "constructionStart"));
        let extension = (validity.extensions, validity.extension_months, validity.file_before_working_days);
        assert_eq!(extension, (1, 12, 30));
        assert!(
            version.items.iter().all(|item| item.offset.is_none()),
            "no time between steps was published"
        );
    }
    let coupled = |version: &TemplateVersion| -> Vec<String> {
        let coupled = version.items.iter().filter(|item| item.coupling == "land");
        coupled.map(|item| item.id.clone()).collect()
    };
    assert_eq!(coupled(&versions[1]), [""; 0]);
    assert_eq!(coupled(&versions[2]), ["land-handover", "land-certificate"]);
}

#[test]
fn the_template_goes_into_any_portfolio() {
    let set = DataSet::government_projects("portfolios/lj");
    assert!(set.steps.iter().all(|step| step.name.starts_with("portfolios/lj/templates/")));
    assert_eq!(set.steps.len(), 7);
}

/// The facts give neither days nor members, weights, investment or results of a campaign, and no warning policy: what
/// there is of them is invented, and says so to every reader. The rule is one that a city published.
#[test]
fn campaign_and_warning_policy_are_invented_and_say_so() {
    let set = set();
    let (campaigns, policies) = (all::<Campaign>(&set), all::<WarningPolicy>(&set));
    let ([campaign], [policy]) = (&campaigns[..], &policies[..]) else { panic!("one of each") };
    let said = [
        (
            &campaign.name,
            &campaign.display_name,
            &campaign.translations,
            &campaign.description,
            &campaign.labels,
        ),
        (&policy.name, &policy.display_name, &policy.translations, &policy.description, &policy.labels),
    ];
    for (name, title, translations, text, labels) in said {
        assert!(name.rsplit('/').next().unwrap().starts_with("example-"), "{name}");
        assert!(title.starts_with("[示例 example]") && translations["en"].starts_with("[示例 example]"));
        assert!(text.contains("Invented for the demo") && labels["invented"] == "yes", "{name}");
    }
    // 100 days, as the practice is called.
    assert_eq!((campaign.start_date, campaign.end_date), (Some(day(2021, 3, 1)), Some(day(2021, 6, 8))));
    let members: Vec<_> = campaign.members.iter().map(|member| member.project.as_str()).collect();
    assert_eq!(ids(&members), KEY_PROJECTS);
    let published = include_str!("../../../data/warning-policies/yc-enrolment.json");
    let message = policies_message(&set);
    let published = json::read(&message, published, &Scope::default()).unwrap();
    let published = value::typed::<WarningPolicy>(&published).unwrap();
    assert_eq!((&policy.tests, policy.excusable), (&published.tests, published.excusable));
}

fn policies_message(set: &DataSet) -> prost_reflect::MessageDescriptor {
    let of_policies = |step: &&Step| step.verb.resource.noun == "warning-policy";
    set.steps.iter().find(of_policies).unwrap().verb.resource.message.clone()
}

/// No investment was published: what is there of it is in XTS, the code that ISO 4217 keeps for tests, and its project
/// says so.
#[test]
fn investment_is_invented_and_in_no_currency_that_anybody_pays_in() {
    let set = set();
    let projects = all::<Project>(&set);
    assert!(projects.iter().all(|project| project.completed_investments.is_empty()));
    let updates: Vec<Project> = set
        .steps
        .iter()
        .filter(|step| step.verb.kind == VerbKind::Update)
        .map(|step| value::typed(&step.given().unwrap()).unwrap())
        .collect();
    let names: Vec<_> = updates.iter().map(|update| update.name.as_str()).collect();
    assert_eq!(ids(&names), KEY_PROJECTS);
    for update in updates {
        let only = Project {
            name: update.name.clone(),
            completed_investments: update.completed_investments.clone(),
            ..Project::default()
        };
        assert_eq!(update, only, "nothing else is changed");
        let currency = |money: &Option<Money>| money.as_ref().unwrap().currency_code.clone();
        assert!(update.completed_investments.iter().all(|completed| currency(&completed.amount) == "XTS"));
        let project = projects.iter().find(|project| project.name == update.name).unwrap();
        assert_eq!(project.labels["invented"], "completed_investments", "{}", update.name);
    }
    let campaign = all::<Campaign>(&set).remove(0);
    let targets = campaign.members.iter().map(|member| member.investment_target.as_ref().unwrap());
    assert!(targets.into_iter().all(|target| target.currency_code == "XTS"));
}

#[test]
fn who_opens_the_campaign_is_not_who_signs_it_off() {
    let set = set();
    let by = |verb: &str| {
        let step = set.steps.iter().find(|step| step.verb.name == verb).unwrap();
        (step.principal.clone().unwrap(), step)
    };
    let ((opener, _), (signer, signed)) = (by("open"), by("sign-off"));
    assert_ne!(opener, signer);
    let request = value::typed::<SignOffCampaignRequest>(&signed.request).unwrap();
    assert_eq!(ids(&request.pioneers), ["science-valley"]);
    let exclusions = request.exclusions.iter();
    assert!(exclusions.into_iter().all(|excluded| excluded.reason.contains("Invented")));
}

/// The facts give no inspections: what there is of them is invented, and says so to every reader.
#[test]
fn inspections_are_invented_say_so_and_are_of_real_projects() {
    let set = set();
    let projects: Vec<_> = all::<Project>(&set).into_iter().map(|project| project.name).collect();
    let (inspections, findings) = (all::<Inspection>(&set), all::<Finding>(&set));
    let orders = all::<RectificationOrder>(&set);
    assert!(inspections.len() >= 2 && findings.len() >= 2 && orders.len() >= 2);
    let inspections = inspections.iter().map(|it| (&it.name, &it.title, &it.text, &it.labels));
    let findings = findings.iter().map(|it| (&it.name, &it.title, &it.text, &it.labels));
    let orders = orders.iter().map(|it| (&it.name, &it.title, &it.text, &it.labels));
    for (name, title, text, labels) in inspections.chain(findings).chain(orders) {
        assert!(title.starts_with("[示例 example]") && text.contains("Invented for the demo"), "{name}");
        assert_eq!(labels.get("invented").map(String::as_str), Some("yes"), "{name}");
        assert!(projects.iter().any(|project| name.starts_with(&format!("{project}/"))), "{name}");
    }
    let is_supervision = |step: &&Step| {
        let nouns = ["inspection", "finding", "rectification-order", "campaign", "warning-policy"];
        nouns.contains(&step.verb.resource.noun.as_str())
    };
    let (resources, acts) = steps(TEXT).unwrap();
    assert_eq!(resources.iter().chain(&acts).filter(is_supervision).count(), 0, "the facts have none");
}

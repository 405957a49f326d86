//! Organizations: authorities, firms, universities, institutes, with attributes that policies ask about.
//!
//! Not every attribute of every organization is there, and a few are not as they should be, as in a register that people
//! keep.

use std::collections::BTreeMap;

use milepost_proto::registry::v1::organization::Kind;
use milepost_proto::registry::v1::{CreateOrganizationRequest, Identifier, Organization};

use super::draw::Draw;
use super::step::{Stage, Step};
use super::value::{days, english, marked};
use super::words::{DISTRICTS, NAMES};
use super::world::World;

/// Organizations of one step.
const EACH: usize = 10;

/// What the second half of a name may be, in Chinese and English.
type Endings = [(&'static str, &'static str); 4];

/// Kinds of organizations, how often of a hundred, and how their names end.
const KINDS: [(Kind, u64, Endings); 6] = [
    (
        Kind::Authority,
        4,
        [
            ("住房和城乡建设委员会", "Housing Commission"),
            ("交通局", "Transport Bureau"),
            ("水利局", "Water Bureau"),
            ("教育委员会", "Education Commission"),
        ],
    ),
    (
        Kind::Contractor,
        26,
        [
            ("建设工程有限公司", "Construction Co."),
            ("路桥有限公司", "Road and Bridge Co."),
            ("设计研究院", "Design Institute"),
            ("工程监理有限公司", "Supervision Co."),
        ],
    ),
    (
        Kind::University,
        3,
        [
            ("理工大学", "University of Technology"),
            ("师范大学", "Normal University"),
            ("职业学院", "Vocational College"),
            ("医科大学", "Medical University"),
        ],
    ),
    (
        Kind::Institute,
        6,
        [
            ("新材料研究院", "Institute of Materials"),
            ("生物技术研究所", "Institute of Biotechnology"),
            ("智能技术研究院", "Institute of Intelligent Technology"),
            ("测绘研究院", "Institute of Surveying"),
        ],
    ),
    (
        Kind::FinancialInstitution,
        3,
        [
            ("农村商业银行", "Rural Bank"),
            ("产业基金", "Industry Fund"),
            ("融资担保公司", "Guarantee Co."),
            ("信托公司", "Trust Co."),
        ],
    ),
    (
        Kind::Enterprise,
        58,
        [
            ("科技有限公司", "Technology Co."),
            ("生物医药有限公司", "Biomedical Co."),
            ("智能制造有限公司", "Smart Manufacturing Co."),
            ("软件有限公司", "Software Co."),
        ],
    ),
];

const FIELDS: [&str; 6] =
    ["integrated-circuits", "biomedicine", "new-materials", "software", "green-energy", "smart-vehicles"];

/// The steps that make them.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    (0..world.organizations).step_by(EACH).map(|first| {
        let mut step = Step::new(Stage::Organizations, &world.id, "organizations", first as u64);
        for number in first..world.organizations.min(first + EACH) {
            step.resources += 1;
            step.registry(
                "/milepost.registry.v1.OrganizationService/CreateOrganization",
                CreateOrganizationRequest {
                    organization_id: world.organization_id(number),
                    organization: Some(organization(world, number)),
                    ..Default::default()
                },
            );
        }
        step
    })
}

fn organization(world: &World, number: usize) -> Organization {
    let mut draw = world.draw("organization", number);
    let (kind, names) = kind(number, &mut draw);
    let ((zh, en), (kind_zh, kind_en)) = (draw.pick(&NAMES), draw.pick(&names));
    let district = draw.pick(&DISTRICTS);
    let mut attributes = BTreeMap::new();
    attributes.insert("district".to_owned(), district.code.to_owned());
    if matches!(kind, Kind::Enterprise | Kind::Contractor) {
        describe(world, &mut draw, &mut attributes);
    }
    Organization {
        display_name: marked(&format!("{}{zh}{kind_zh}", district.zh.trim_end_matches('区'))),
        translations: english(&format!("{} {en} {kind_en}", district.en)),
        kind: kind.into(),
        identifiers: vec![Identifier { scheme: "CN-USCC".into(), id: uscc(district.code, number) }],
        attributes,
        ..Default::default()
    }
}

/// The first ones are of every kind, so that a small world has them all.
fn kind(number: usize, draw: &mut Draw) -> (Kind, Endings) {
    if let Some((kind, _, names)) = KINDS.get(number) {
        return (*kind, *names);
    }
    let mut left = draw.below(100);
    for (kind, share, names) in KINDS {
        match left.checked_sub(share) {
            Some(rest) => left = rest,
            None => return (kind, names),
        }
    }
    (Kind::Other, KINDS[0].2)
}

/// What an office knows of a firm.
fn describe(world: &World, draw: &mut Draw, attributes: &mut BTreeMap<String, String>) {
    let size = draw.between(0, 4);
    let employees = draw.between(3, 12) * 5_i64.pow(size as u32);
    let mut set = |known: bool, key: &str, value: String| {
        if known {
            attributes.insert(key.to_owned(), value);
        }
    };
    // Some write a word behind the number, which no condition can use.
    let unit = if draw.happens(2) { " people" } else { "" };
    set(draw.happens(85), "employees", format!("{employees}{unit}"));
    set(draw.happens(80), "revenue", (employees * draw.between(20, 160)).to_string());
    set(draw.happens(75), "capital", (draw.between(1, 200) * 100).to_string());
    set(draw.happens(60), "research", format!("{}.{}", draw.between(0, 15), draw.between(0, 9)));
    let founded = days(world.plan.until, -draw.between(200, 9_000));
    set(draw.happens(90), "founded", founded.to_string());
    set(draw.happens(70), "field", draw.pick(&FIELDS).to_owned());
    set(draw.happens(50), "patents", draw.between(0, 60).to_string());
    set(true, "hightech", draw.happens(22).to_string());
    set(draw.happens(30), "listed", draw.happens(6).to_string());
}

/// In the shape of a unified social credit code; its check character is not computed, so that it is nobody's.
fn uscc(division: &str, number: usize) -> String {
    format!("91{division}SYN{number:06}X")
}

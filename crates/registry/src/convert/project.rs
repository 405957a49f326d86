//! What callers say of a project, read from messages.

use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_service::fields::Fields;
use milepost_service::mask::{Known, Mask};
use milepost_types::{Fault, OrganizationName, Period, Violations, limits, text};
use proto::project::{Level as WireLevel, Listing as WireListing};

use super::fields::{code, money, period, scheme};
pub(crate) use super::project_message::{message, period_message, status_message};
pub(crate) use super::project_row::stored;
use super::value;
use crate::details::Details as _;
use crate::project::investment::{AnnualPlan, CompletedInvestment, FundingSource, InvestmentItem};
use crate::project::site::SitePatch;
use crate::project::{Code, Details, Level, Listing, Party, Patch};

/// The ends of periods, which an update may name by themselves.
pub(crate) const PERIOD_PARTS: [&str; 4] = [
    "planned_period.start_date",
    "planned_period.end_date",
    "actual_period.start_date",
    "actual_period.end_date",
];

/// The fields of a project.
pub(crate) const KNOWN: Known = Known {
    fields: Details::FIELDS,
    parts: &[
        "site.address",
        "site.division_code",
        "site.latitude",
        "site.longitude",
        PERIOD_PARTS[0],
        PERIOD_PARTS[1],
        PERIOD_PARTS[2],
        PERIOD_PARTS[3],
    ],
    methods: &[],
    output: &[
        ("status", "use the methods that are named after the change"),
        ("suspended_status", "use SuspendProject and ResumeProject"),
        ("status_reason", "use the methods that are named after the change"),
        ("batch", "StartBatch sets it"),
    ],
};

/// Years that a plan may be for.
const PLAN_YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// Reads what callers say of a project.
pub(crate) fn patch(message: proto::Project, mask: &Mask, violations: &mut Violations) -> Patch {
    let mut fields = Fields { mask, violations };
    Patch {
        display_name: fields.display_name(message.display_name),
        translations: fields.translations(message.translations),
        codes: fields.list("codes", message.codes, limits::CODES, project_code),
        sector: fields.line("sector", message.sector, limits::CODE_CHARS),
        level: fields.take_with("level", message.level != 0, |violations| {
            value::choice("level", message.level, violations).map(level)
        }),
        key: fields.take_with("key", message.key.is_some(), |_| Some(message.key)),
        listing: fields.take_with("listing", message.listing != 0, |violations| {
            value::choice("listing", message.listing, violations).map(listing)
        }),
        site: site(&mut fields, message.site),
        purpose: fields.text("purpose", message.purpose),
        scale: fields.text("scale", message.scale),
        investment: money(&mut fields, "investment", message.investment),
        breakdown: fields.list("breakdown", message.breakdown, limits::BREAKDOWN_ITEMS, investment_item),
        funding: fields.list("funding", message.funding, limits::FUNDING_SOURCES, funding_source),
        annual_plans: fields.list("annual_plans", message.annual_plans, limits::ANNUAL_PLANS, annual_plan),
        completed_investments: fields.list(
            "completed_investments",
            message.completed_investments,
            limits::COMPLETED_INVESTMENTS,
            completed_investment,
        ),
        parties: fields.list("parties", message.parties, limits::PARTIES, party),
        planned_period: period(&mut fields, "planned_period", message.planned_period),
        actual_period: period(&mut fields, "actual_period", message.actual_period),
        parent_project: fields.take("parent_project", !message.parent_project.is_empty(), || {
            let given = Some(message.parent_project).filter(|name| !name.is_empty());
            given.map(|name| name.parse()).transpose()
        }),
        labels: fields.labels("labels", message.labels),
    }
}

fn project_code(message: proto::ProjectCode) -> Result<Code, Violations> {
    let mut violations = Violations::new();
    let scheme = violations.check("scheme", scheme(message.scheme));
    let code = violations.check("code", code(message.code));
    let read = (|| Some(Code { scheme: scheme?, code: code? }))();
    violations.finish(read)
}

fn site(fields: &mut Fields<'_>, message: Option<proto::Site>) -> Option<SitePatch> {
    let given = message.unwrap_or_default();
    let (latitude, longitude) = (given.latitude, given.longitude);
    let patch = SitePatch {
        address: fields.take_part("site", "address", !given.address.is_empty(), || {
            value::said(given.address, |address| text::line(address, limits::LINE_CHARS))
        }),
        division_code: fields.take_part("site", "division_code", !given.division_code.is_empty(), || {
            value::said(given.division_code, division_code)
        }),
        latitude: fields.take_part("site", "latitude", latitude.is_some(), || degrees(latitude, 90.0)),
        longitude: fields.take_part("site", "longitude", longitude.is_some(), || degrees(longitude, 180.0)),
    };
    (patch != SitePatch::default()).then_some(patch)
}

/// What is wrong with a part of a site.
#[derive(Debug, thiserror::Error)]
enum SiteError {
    #[error("a division code of GB/T 2260 has 6 digits, such as 500107")]
    DivisionCode,
    #[error("{0} is no such coordinate; give degrees from -{1} to {1}")]
    Degrees(f64, f64),
}

impl Fault for SiteError {
    fn reason(&self) -> &'static str {
        match self {
            SiteError::DivisionCode => "INVALID_DIVISION_CODE",
            SiteError::Degrees(..) => "OUT_OF_RANGE",
        }
    }
}

fn division_code(given: String) -> Result<String, SiteError> {
    let shaped = given.len() == 6 && given.bytes().all(|byte| byte.is_ascii_digit());
    if shaped { Ok(given) } else { Err(SiteError::DivisionCode) }
}

/// Degrees up to a bound; not a number is within no bounds.
fn degrees(given: Option<f64>, bound: f64) -> Result<Option<f64>, SiteError> {
    match given {
        Some(degrees) if !(-bound..=bound).contains(&degrees) => Err(SiteError::Degrees(degrees, bound)),
        // There is one zero.
        given => Ok(given.map(|degrees| degrees + 0.0)),
    }
}

fn investment_item(message: proto::InvestmentItem) -> Result<InvestmentItem, Violations> {
    let mut violations = Violations::new();
    let category = violations.check("category", code(message.category));
    let amount = required_money("amount", message.amount, &mut violations);
    let read = (|| Some(InvestmentItem { category: category?, amount: amount? }))();
    violations.finish(read)
}

fn funding_source(message: proto::FundingSource) -> Result<FundingSource, Violations> {
    let mut violations = Violations::new();
    let source = violations.check("source", code(message.source));
    let organization = Some(message.organization).filter(|name| !name.is_empty());
    let organization = violations
        .check_optional("organization", organization, |name: String| name.parse::<OrganizationName>());
    let amount = violations.check_optional("amount", message.amount, value::money);
    let read = (|| Some(FundingSource { source: source?, organization: organization?, amount: amount? }))();
    violations.finish(read)
}

fn annual_plan(message: proto::AnnualPlan) -> Result<AnnualPlan, Violations> {
    let mut violations = Violations::new();
    let year = match message.year {
        0 => violations.require("year", None),
        year => {
            let known = i16::try_from(year).ok().filter(|year| PLAN_YEARS.contains(year));
            if known.is_none() {
                violations.push("year", "OUT_OF_RANGE", format!("{year} is not from 1900 to 2200"));
            }
            known
        }
    };
    let investment = violations.check_optional("investment", message.investment, value::money);
    let content = violations.check("content", value::said(message.content, text::text));
    let read = (|| Some(AnnualPlan { year: year?, investment: investment?, content: content? }))();
    violations.finish(read)
}

fn completed_investment(message: proto::CompletedInvestment) -> Result<CompletedInvestment, Violations> {
    let mut violations = Violations::new();
    let period = violations.require("period", message.period).unwrap_or_default();
    let mut end = |field: &str, given: Option<gtype::Date>| {
        let given = violations.require(field, given)?;
        violations.check(field, value::date(given))
    };
    let ends = (end("period.start_date", period.start_date), end("period.end_date", period.end_date));
    let period = match ends {
        (Some(start), Some(end)) => violations.check("period", Period::new(Some(start), Some(end))),
        _ => None,
    };
    let amount = required_money("amount", message.amount, &mut violations);
    let read = (|| Some(CompletedInvestment { period: period?, amount: amount? }))();
    violations.finish(read)
}

fn party(message: proto::Party) -> Result<Party, Violations> {
    let mut violations = Violations::new();
    let organization = violations.check("organization", message.organization.parse());
    let count = message.roles.len();
    if count == 0 {
        violations.push("roles", "REQUIRED", "a party takes part as something; give at least one role");
    }
    let mut roles = Vec::new();
    if violations.check_count("roles", count, limits::PARTY_ROLES) {
        for (i, role) in message.roles.into_iter().enumerate() {
            roles.extend(violations.check(format!("roles[{i}]"), scheme(role)));
        }
    }
    let read = organization.map(|organization| Party { organization, roles });
    violations.finish(read)
}

fn required_money(
    field: &str,
    given: Option<gtype::Money>,
    violations: &mut Violations,
) -> Option<milepost_types::Money> {
    let given = violations.require(field, given)?;
    violations.check(field, value::money(given))
}

pub(super) fn level(level: WireLevel) -> Option<Level> {
    match level {
        WireLevel::Unspecified => None,
        WireLevel::National => Some(Level::National),
        WireLevel::Provincial => Some(Level::Provincial),
        WireLevel::Municipal => Some(Level::Municipal),
        WireLevel::District => Some(Level::District),
    }
}

pub(super) fn listing(listing: WireListing) -> Option<Listing> {
    match listing {
        WireListing::Unspecified => None,
        WireListing::Reserve => Some(Listing::Reserve),
        WireListing::NewStart => Some(Listing::NewStart),
        WireListing::Continued => Some(Listing::Continued),
        WireListing::Completed => Some(Listing::Completed),
    }
}

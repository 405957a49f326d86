//! Resources as they may be, for property tests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_types::{
    BatchName, CurrencyCode, Etag, LanguageTag, Money, OrganizationName, Period, PhaseName, PortfolioName,
    ProjectName, ResourceId,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use crate::batch::figures::Figures;
use crate::batch::{self, Batch};
use crate::organization::{self, Organization};
use crate::phase::{self, Phase};
use crate::portfolio::{self, Portfolio, WorkingCalendar};
use crate::project::investment::{AnnualPlan, CompletedInvestment, FundingSource, InvestmentItem};
use crate::project::site::Site;
use crate::project::status::{Stage, Status};
use crate::project::{self, Code, Level, Listing, Party, Project};
use crate::record::{Life, Record};

pub(crate) fn id() -> impl Strategy<Value = ResourceId> {
    "[a-c]([a-z0-9-]{0,5}[a-z0-9])?".prop_map(|id| id.parse().unwrap())
}

pub(crate) fn portfolio_name() -> impl Strategy<Value = PortfolioName> {
    id().prop_map(PortfolioName::new)
}

pub(crate) fn project_name() -> impl Strategy<Value = ProjectName> {
    (portfolio_name(), id()).prop_map(|(portfolio, id)| ProjectName::new(portfolio, id))
}

pub(crate) fn phase_name() -> impl Strategy<Value = PhaseName> {
    (project_name(), id()).prop_map(|(project, id)| PhaseName::new(project, id))
}

pub(crate) fn batch_name() -> impl Strategy<Value = BatchName> {
    (portfolio_name(), id()).prop_map(|(portfolio, id)| BatchName::new(portfolio, id))
}

fn organization_name() -> impl Strategy<Value = OrganizationName> {
    id().prop_map(OrganizationName::new)
}

/// A line with something in it.
pub(crate) fn line() -> impl Strategy<Value = String> {
    "[a-z科学][a-z 科学,/\u{1f600}]{0,8}[a-z城]"
}

/// A line, or nothing.
fn said() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), line()]
}

fn translations() -> impl Strategy<Value = BTreeMap<LanguageTag, String>> {
    let tag = prop::sample::select(vec!["zh-CN", "en", "de-DE"]).prop_map(|tag| tag.parse().unwrap());
    btree_map(tag, line(), 0..3)
}

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(id().prop_map(|id| id.to_string()), said(), 0..3)
}

pub(crate) fn date() -> impl Strategy<Value = Date> {
    (1i16..=9999, 1i8..=12, 1i8..=28).prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

fn period() -> impl Strategy<Value = Period> {
    (option::of(date()), option::of(date())).prop_map(|(a, b)| match (a, b) {
        (Some(a), Some(b)) => Period::new(Some(a.min(b)), Some(a.max(b))).unwrap(),
        (start, end) => Period::new(start, end).unwrap(),
    })
}

fn currency() -> impl Strategy<Value = CurrencyCode> {
    prop::sample::select(vec!["CNY", "USD", "EUR"]).prop_map(|code| code.parse().unwrap())
}

/// An amount of which a hundred can be added.
pub(crate) fn money() -> impl Strategy<Value = Money> {
    currency().prop_flat_map(money_in)
}

fn money_in(currency: CurrencyCode) -> impl Strategy<Value = Money> {
    (0..i64::MAX / 128, 0..1_000_000_000)
        .prop_map(move |(units, nanos)| Money::new(currency, units, nanos).unwrap())
}

pub(crate) fn instant() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800i64..=253_402_207_199, 0..1_000_000_000)
        .prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos).unwrap())
}

fn life() -> impl Strategy<Value = Life> {
    (instant(), instant(), option::of(instant()), 1u64..).prop_map(
        |(create_time, update_time, delete_time, etag)| Life {
            create_time,
            update_time,
            delete_time,
            etag: Etag(etag),
        },
    )
}

fn record<N, D, S>(
    name: impl Strategy<Value = N>,
    details: impl Strategy<Value = D>,
    standing: impl Strategy<Value = S>,
) -> impl Strategy<Value = Record<N, D, S>>
where
    N: std::fmt::Debug,
    D: std::fmt::Debug,
    S: std::fmt::Debug,
{
    (name, details, standing, life()).prop_map(|(name, details, standing, life)| Record {
        name,
        details,
        standing,
        life,
    })
}

pub(crate) fn portfolio() -> impl Strategy<Value = Portfolio> {
    let calendar = (btree_set(1u8..=7, 0..7), btree_set(date(), 0..4), btree_set(date(), 0..4)).prop_map(
        |(weekdays, holidays, make_up_days)| WorkingCalendar {
            weekdays,
            make_up_days: make_up_days.difference(&holidays).copied().collect(),
            holidays,
        },
    );
    let zone = prop::sample::select(vec!["Asia/Shanghai", "UTC", "America/New_York"]);
    let details = (line(), translations(), zone, option::of(calendar), currency(), said(), labels())
        .prop_map(
            |(
                display_name,
                translations,
                zone,
                working_calendar,
                reporting_currency_code,
                description,
                labels,
            )| {
                portfolio::Details {
                    display_name,
                    translations,
                    time_zone: zone.parse().unwrap(),
                    working_calendar,
                    reporting_currency_code,
                    description,
                    labels,
                }
            },
        );
    record(portfolio_name(), details, option::of(date()))
}

pub(crate) fn organization() -> impl Strategy<Value = Organization> {
    use organization::{Details, Identifier, Kind};
    let kinds = [
        Kind::Authority,
        Kind::Enterprise,
        Kind::University,
        Kind::Institute,
        Kind::Contractor,
        Kind::FinancialInstitution,
        Kind::Other,
    ];
    let identifier = (line(), line()).prop_map(|(scheme, id)| Identifier { scheme, id });
    let kind = option::of(prop::sample::select(kinds.to_vec()));
    let details = (line(), translations(), kind, vec(identifier, 0..3), labels()).prop_map(
        |(display_name, translations, kind, identifiers, attributes)| Details {
            display_name,
            translations,
            kind,
            identifiers,
            attributes,
        },
    );
    record(organization_name(), details, Just(()))
}

pub(crate) fn phase() -> impl Strategy<Value = Phase> {
    let order = 1u32..=i32::MAX as u32;
    let details = (line(), translations(), order, period(), period(), option::of(money()), said()).prop_map(
        |(display_name, translations, order, planned_period, actual_period, investment, scale)| {
            phase::Details {
                display_name,
                translations,
                order,
                planned_period,
                actual_period,
                investment,
                scale,
            }
        },
    );
    record(phase_name(), details, Just(()))
}

pub(crate) fn batch() -> impl Strategy<Value = Batch> {
    let state =
        prop::sample::select(vec![batch::State::Planned, batch::State::Started, batch::State::Cancelled]);
    let figures = (0u32..10_000, vec(money(), 0..3), 0u32..10_000).prop_map(
        |(count, investments, without_investment)| Figures { count, investments, without_investment },
    );
    let members = vec(project_name(), 0..4);
    let standing = (state, members, figures).prop_map(|(state, members, registered)| batch::Standing {
        state,
        members,
        registered,
    });
    let count = option::of(0u32..=i32::MAX as u32);
    let details = (line(), translations(), date(), said(), count, option::of(money()), said(), labels())
        .prop_map(
            |(
                display_name,
                translations,
                start_date,
                place,
                declared_count,
                declared_investment,
                description,
                labels,
            )| {
                batch::Details {
                    display_name,
                    translations,
                    start_date,
                    place,
                    declared_count,
                    declared_investment,
                    description,
                    labels,
                }
            },
        );
    record(batch_name(), details, standing)
}

fn status() -> impl Strategy<Value = Status> {
    let stages =
        [Stage::Proposed, Stage::Preparation, Stage::Construction, Stage::Completed, Stage::InService];
    let stage = move || prop::sample::select(stages.to_vec());
    prop_oneof![stage().prop_map(Status::At), stage().prop_map(Status::Suspended), Just(Status::Cancelled),]
}

pub(crate) fn project() -> impl Strategy<Value = Project> {
    let standing = (status(), said(), option::of(batch_name()))
        .prop_map(|(status, status_reason, batch)| project::Standing { status, status_reason, batch });
    record(project_name(), details(), standing)
}

/// What callers say of a project.
pub(crate) fn details() -> impl Strategy<Value = project::Details> {
    let levels = vec![Level::National, Level::Provincial, Level::Municipal, Level::District];
    let listings = vec![Listing::Reserve, Listing::NewStart, Listing::Continued, Listing::Completed];
    let what = (
        line(),
        translations(),
        codes(),
        said(),
        option::of(prop::sample::select(levels)),
        option::of(any::<bool>()),
        option::of(prop::sample::select(listings)),
        site(),
        said(),
        said(),
    );
    let party = (organization_name(), vec(line(), 1..3))
        .prop_map(|(organization, roles)| Party { organization, roles });
    let rest = (vec(party, 0..3), period(), period(), option::of(project_name()), labels());
    (what, amounts(), rest).prop_map(|(what, amounts, rest)| {
        let (display_name, translations, codes, sector, level, key, listing, site, purpose, scale) = what;
        let (investment, breakdown, funding, annual_plans, completed_investments) = amounts;
        let (parties, planned_period, actual_period, parent_project, labels) = rest;
        project::Details {
            display_name,
            translations,
            codes,
            sector,
            level,
            key,
            listing,
            site,
            purpose,
            scale,
            investment,
            breakdown,
            funding,
            annual_plans,
            completed_investments,
            parties,
            planned_period,
            actual_period,
            parent_project,
            labels,
        }
    })
}

fn codes() -> impl Strategy<Value = Vec<Code>> {
    let national = "20[0-9]{2}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{5}[0-9X]";
    (option::of(national), btree_map("[a-z]{1,9}", line(), 0..3)).prop_map(|(national, others)| {
        let national = national.map(|code| Code { scheme: "GB/T 40058".to_owned(), code });
        national.into_iter().chain(others.into_iter().map(|(scheme, code)| Code { scheme, code })).collect()
    })
}

fn site() -> impl Strategy<Value = Site> {
    let coordinates = option::of((-90.0..=90.0f64, -180.0..=180.0f64));
    (said(), prop_oneof![Just(String::new()), "[0-9]{6}"], coordinates).prop_map(
        |(address, division_code, coordinates)| Site {
            address,
            division_code,
            latitude: coordinates.map(|(latitude, _)| latitude),
            longitude: coordinates.map(|(_, longitude)| longitude),
        },
    )
}

type Amounts =
    (Option<Money>, Vec<InvestmentItem>, Vec<FundingSource>, Vec<AnnualPlan>, Vec<CompletedInvestment>);

fn amounts() -> impl Strategy<Value = Amounts> {
    let investment = currency().prop_flat_map(|currency| {
        let item =
            (line(), money_in(currency)).prop_map(|(category, amount)| InvestmentItem { category, amount });
        (option::of(money_in(currency)), vec(item, 0..3))
    });
    let source = (line(), option::of(organization_name()), option::of(money()))
        .prop_map(|(source, organization, amount)| FundingSource { source, organization, amount });
    let plans = btree_map(1900i16..=2200, (option::of(money()), said()), 0..3).prop_map(|plans| {
        let plan = |(year, (investment, content))| AnnualPlan { year, investment, content };
        plans.into_iter().map(plan).collect()
    });
    let completed = (date(), date(), money()).prop_map(|(a, b, amount)| CompletedInvestment {
        period: Period::new(Some(a.min(b)), Some(a.max(b))).unwrap(),
        amount,
    });
    (investment, vec(source, 0..3), plans, vec(completed, 0..3)).prop_map(
        |((investment, breakdown), funding, plans, completed)| {
            (investment, breakdown, funding, plans, completed)
        },
    )
}

//! The rules of projects, one by one.

mod references;
mod status;

use jiff::civil::date;
use milepost_types::{Etag, Money, Rejection};

use super::*;
use crate::details::Details as _;
use crate::project::site::SitePatch;

/// A moment at noon of 2021-05-27 UTC.
pub(super) fn moment() -> Moment {
    let time = "2021-05-27T12:00:00Z".parse().unwrap();
    Moment { time, etag: Etag(9), now: time }
}

/// What a creation that says only this makes.
fn details(patch: Patch) -> Result<Details, Violations> {
    Details::create(Patch { display_name: Some("p".to_owned()), ..patch }.or_nothing()).map(Option::unwrap)
}

impl Patch {
    /// The patch, where what is not named is said to be nothing.
    fn or_nothing(self) -> Self {
        Self {
            display_name: self.display_name,
            translations: self.translations.or_else(|| Some(BTreeMap::new())),
            codes: self.codes.or_else(|| Some(Vec::new())),
            sector: self.sector.or_else(|| Some(String::new())),
            level: self.level.or(Some(None)),
            key: self.key.or(Some(None)),
            listing: self.listing.or(Some(None)),
            site: self.site.or_else(|| Some(SitePatch::default())),
            purpose: self.purpose.or_else(|| Some(String::new())),
            scale: self.scale.or_else(|| Some(String::new())),
            investment: self.investment.or(Some(None)),
            breakdown: self.breakdown.or_else(|| Some(Vec::new())),
            funding: self.funding.or_else(|| Some(Vec::new())),
            annual_plans: self.annual_plans.or_else(|| Some(Vec::new())),
            completed_investments: self.completed_investments.or_else(|| Some(Vec::new())),
            parties: self.parties.or_else(|| Some(Vec::new())),
            planned_period: self.planned_period.or_else(|| Some(Default::default())),
            actual_period: self.actual_period.or_else(|| Some(Default::default())),
            parent_project: self.parent_project.or(Some(None)),
            labels: self.labels.or_else(|| Some(BTreeMap::new())),
        }
    }
}

/// A proposed project of `portfolios/p`.
pub(super) fn project(id: &str) -> Project {
    let name = format!("portfolios/p/projects/{id}").parse().unwrap();
    let moment = Moment { etag: Etag(3), ..moment() };
    Project::create(name, details(Patch::default()).unwrap(), Standing::default(), &moment)
}

fn money(code: &str, units: i64) -> Money {
    Money::new(code.parse().unwrap(), units, 0).unwrap()
}

fn found(violations: &Violations) -> Vec<(&str, &str)> {
    violations.iter().map(|found| (found.field.as_str(), found.reason)).collect()
}

fn target(project: &Project) -> Target<ProjectName> {
    Target { name: project.name.clone(), etag: None }
}

#[test]
fn a_scheme_has_one_code_and_the_national_one_a_shape() {
    let code = |scheme: &str, code: &str| Code { scheme: scheme.to_owned(), code: code.to_owned() };
    let good = vec![code("GB/T 40058", "2019-500107-73-03-066118"), code("own", "17")];
    assert!(details(Patch { codes: Some(good), ..Patch::default() }).is_ok());
    let bad = vec![code("own", "17"), code("GB/T 40058", "2019-500107-73-03"), code("own", "18")];
    let violations = details(Patch { codes: Some(bad), ..Patch::default() }).unwrap_err();
    assert_eq!(
        found(&violations),
        [("codes[1].code", "INVALID_PROJECT_CODE"), ("codes[2].scheme", "DUPLICATE")]
    );
}

#[test]
fn a_breakdown_is_in_the_currency_of_the_investment() {
    let item = |code| InvestmentItem { category: "equipment".to_owned(), amount: money(code, 5) };
    let with = |investment: Option<Money>, items: Vec<InvestmentItem>| {
        details(Patch { investment: Some(investment), breakdown: Some(items), ..Patch::default() })
    };
    assert!(with(Some(money("CNY", 5)), vec![item("CNY"), item("CNY")]).is_ok());
    let violations = with(Some(money("CNY", 5)), vec![item("CNY"), item("USD")]).unwrap_err();
    assert_eq!(found(&violations), [("breakdown[1].amount.currency_code", "MIXED_CURRENCIES")]);
    assert!(with(None, vec![item("USD"), item("USD")]).is_ok());
    assert!(with(None, vec![item("USD"), item("CNY")]).is_err());
}

#[test]
fn lists_of_amounts_that_add_up_to_too_much_are_refused() {
    let source = |amount| FundingSource { source: "s".to_owned(), organization: None, amount };
    let huge = Some(money("CNY", i64::MAX));
    let funding = vec![source(huge), source(None), source(Some(money("USD", 1)))];
    assert!(details(Patch { funding: Some(funding.clone()), ..Patch::default() }).is_ok());
    let funding = [funding, vec![source(Some(money("CNY", 1)))]].concat();
    let violations = details(Patch { funding: Some(funding), ..Patch::default() }).unwrap_err();
    assert_eq!(found(&violations), [("funding", "MONEY_OVERFLOW")]);
}

#[test]
fn a_year_has_one_plan() {
    let plan = |year| AnnualPlan { year, investment: None, content: String::new() };
    let plans = vec![plan(2021), plan(2022), plan(2021)];
    let violations = details(Patch { annual_plans: Some(plans), ..Patch::default() }).unwrap_err();
    assert_eq!(found(&violations), [("annual_plans[2].year", "DUPLICATE")]);
}

#[test]
fn an_update_of_one_field_is_held_against_the_others() {
    let mut held = details(Patch {
        investment: Some(Some(money("CNY", 5))),
        breakdown: Some(vec![InvestmentItem { category: "c".to_owned(), amount: money("CNY", 5) }]),
        ..Patch::default()
    })
    .unwrap();
    let patch = Patch { investment: Some(Some(money("USD", 5))), ..Patch::default() };
    let violations = held.apply(&patch).unwrap_err();
    assert_eq!(found(&violations), [("breakdown[0].amount.currency_code", "MIXED_CURRENCIES")]);
}

#[test]
fn a_site_has_both_coordinates_or_neither() {
    let mut held = details(Patch::default()).unwrap();
    let site = |latitude, longitude| {
        let site = SitePatch { latitude, longitude, ..SitePatch::default() };
        Patch { site: Some(site), ..Patch::default() }
    };
    let violations = held.clone().apply(&site(Some(Some(29.6)), None)).unwrap_err();
    assert_eq!(found(&violations), [("site.longitude", "REQUIRED")]);
    held.apply(&site(Some(Some(29.6)), Some(Some(106.3)))).unwrap();
    held.apply(&site(Some(Some(29.7)), None)).unwrap();
    assert_eq!((held.site.latitude, held.site.longitude), (Some(29.7), Some(106.3)));
    let violations = held.apply(&site(None, Some(None))).unwrap_err();
    assert_eq!(found(&violations), [("site.longitude", "REQUIRED")]);
}

#[test]
fn the_past_ends_today() {
    let check = |start, end| {
        let mut violations = Violations::new();
        let period = Period::new(start, end).unwrap();
        check_actual_period("project", &period, date(2021, 5, 27), &mut violations);
        violations
    };
    assert!(check(Some(date(2021, 5, 1)), Some(date(2021, 5, 27))).is_empty());
    let violations = check(Some(date(2021, 5, 28)), Some(date(2021, 6, 1)));
    let fields = ["project.actual_period.start_date", "project.actual_period.end_date"];
    assert_eq!(found(&violations), fields.map(|field| (field, "DATE_IN_FUTURE")));
}

#[test]
fn what_is_under_construction_or_has_parts_is_not_deleted() {
    let mut building = project("x");
    building.standing.status = Status::At(Stage::Construction);
    let refused = delete(&building, &target(&building), Vec::new(), &moment()).unwrap_err();
    assert!(matches!(refused, Rejection::WrongState { allowed, .. } if allowed.len() == 6));
    let whole = project("x");
    let part: ProjectName = "portfolios/p/projects/part".parse().unwrap();
    let refused = delete(&whole, &target(&whole), vec![part.clone()], &moment()).unwrap_err();
    let Rejection::Preconditions(conditions) = refused else { panic!("{refused}") };
    assert_eq!((conditions[0].kind, conditions[0].subject.clone()), ("HAS_PARTS", part.to_string()));
    let deleted = delete(&whole, &target(&whole), Vec::new(), &moment()).unwrap().unwrap();
    assert_eq!((deleted.life.delete_time, deleted.life.etag), (Some(moment().time), Etag(9)));
    assert_eq!(delete(&deleted, &target(&whole), vec![part], &moment()), Ok(None));
}

#[test]
fn a_deleted_project_is_only_undeleted() {
    let whole = project("x");
    let deleted = whole.delete(None, &moment()).unwrap().unwrap();
    let update = Update { name: whole.name.clone(), etag: None, patch: Patch::default() };
    assert_eq!(deleted.update(&update, &moment()).err(), Some(Rejection::deleted(&whole.name)));
    let back = deleted.undelete(None, &moment()).unwrap();
    assert_eq!(back.life.delete_time, None);
    assert_eq!(back.undelete(None, &moment()), Err(Rejection::not_deleted(&whole.name)));
}

#[test]
fn a_stale_etag_is_refused_and_an_update_to_the_same_changes_nothing() {
    let whole = project("x");
    let update = |etag, patch| {
        let update = Update { name: whole.name.clone(), etag, patch };
        whole
            .update(&update, &moment())
            .map(|updated| updated.map(|updated| (updated.record, updated.changed)))
    };
    let same = Patch { display_name: Some("p".to_owned()), ..Patch::default() };
    let other = Patch { display_name: Some("q".to_owned()), key: Some(Some(true)), ..Patch::default() };
    assert_eq!(update(Some(Etag(3)), same), Ok(None));
    let stale = Rejection::check_etag(&whole.name, Some(Etag(2)), Etag(3)).unwrap_err();
    assert_eq!(update(Some(Etag(2)), other.clone()), Err(stale));
    let (record, changed) = update(Some(Etag(3)), other).unwrap().unwrap();
    assert_eq!(changed, ["display_name", "key"]);
    assert_eq!((record.life.etag, record.life.create_time), (Etag(9), whole.life.create_time));
}

//! In which zone an instant is shown: the portfolio's where there is one, else the system's; or UTC.
//!
//! Invariant: the offset from UTC is part of every shown instant, so that it is exact in any zone.
//! Nothing is fetched here: `cli` fetches the zones of portfolios before it shows their resources.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::tz::{Offset, TimeZone};
use prost_reflect::DynamicMessage;
use prost_types::Timestamp;

use super::text;

/// What a name begins with: `portfolios/p` of `portfolios/p/projects/x`; none across portfolios.
pub fn portfolio_of(name: &str) -> Option<&str> {
    let id = name.strip_prefix("portfolios/")?;
    let id = id.split('/').next().filter(|id| !id.is_empty() && *id != "-")?;
    Some(&name[.."portfolios/".len() + id.len()])
}

/// The zones that are known; clones share them.
#[derive(Debug, Clone)]
pub struct Zones {
    /// None: everything is in UTC.
    system: Option<TimeZone>,
    /// By the portfolio's name; the system's for a portfolio whose zone could not be learnt.
    known: Rc<RefCell<BTreeMap<String, TimeZone>>>,
}

impl Zones {
    /// Everything in UTC.
    pub fn utc() -> Self {
        Self { system: None, known: Rc::default() }
    }

    /// Portfolios in their zones, everything else in this one.
    pub fn local(system: TimeZone) -> Self {
        Self { system: Some(system), known: Rc::default() }
    }

    /// Whether a portfolio's zone must still be learnt before its resources are shown.
    pub fn lacks(&self, portfolio: &str) -> bool {
        self.system.is_some() && !self.known.borrow().contains_key(portfolio)
    }

    /// Takes over a portfolio's zone; an unknown or no IANA name stands for the system's.
    pub fn learn(&self, portfolio: &str, zone: &str) {
        if let Some(system) = &self.system {
            let zone = TimeZone::get(zone).unwrap_or_else(|_| system.clone());
            self.known.borrow_mut().insert(portfolio.to_owned(), zone);
        }
    }

    /// The portfolio in whose zone the times of a message are shown, which is listed under a parent. The zone
    /// of a message that is a portfolio is taken over.
    pub fn portfolio(&self, message: &DynamicMessage, under: &str) -> Option<String> {
        let text = |field: &str| Some(message.get_field_by_name(field)?.as_str()?.to_owned());
        let name = text("portfolio").or_else(|| text("name")).unwrap_or_else(|| under.to_owned());
        let portfolio = portfolio_of(&name)?;
        if let Some(zone) = text("time_zone") {
            self.learn(portfolio, &zone);
        }
        Some(portfolio.to_owned())
    }

    /// The zone of a portfolio, or of none.
    pub fn zone(&self, portfolio: Option<&str>) -> Zone {
        let known = portfolio.and_then(|portfolio| self.known.borrow().get(portfolio).cloned());
        Zone(known.or_else(|| self.system.clone()).unwrap_or(TimeZone::UTC))
    }
}

/// The zone that a resource's times are shown in.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC, as programs read it.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// `2021-05-27 11:04:05+08:00`: to the second, with the offset from UTC, `Z` where there is none; or `-`.
    pub fn time(&self, time: Option<&Timestamp>) -> String {
        let known = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
        let Some(time) = known else { return text::ABSENT.to_owned() };
        let time = time.to_zoned(self.0.clone());
        let offset = if time.offset() == Offset::UTC { "Z" } else { "%:z" };
        time.strftime(&format!("%Y-%m-%d %H:%M:%S{offset}")).to_string()
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::registry::v1::{Organization, Portfolio, Project};

    use super::*;
    use crate::output::json;

    const TIME: Timestamp = Timestamp { seconds: 1_622_041_445, nanos: 999 };
    const HERE: &str = "2021-05-26 11:04:05-04:00";
    const THERE: &str = "2021-05-26 23:04:05+08:00";

    fn shown<M: prost::Name>(zones: &Zones, message: &M, under: &str) -> String {
        zones.zone(zones.portfolio(&json::dynamic(message), under).as_deref()).time(Some(&TIME))
    }

    fn project(portfolio: &str) -> Project {
        Project { name: format!("portfolios/{portfolio}/projects/avenue"), ..Default::default() }
    }

    #[test]
    fn a_time_is_shown_where_it_belongs_and_with_its_offset() {
        let zones = Zones::local(TimeZone::get("America/New_York").unwrap());
        assert!(zones.lacks("portfolios/wsc"));
        zones.learn("portfolios/wsc", "Asia/Shanghai");
        assert!(!zones.lacks("portfolios/wsc"));
        assert_eq!(shown(&zones, &project("wsc"), ""), THERE);
        assert_eq!(shown(&zones, &TIME, "portfolios/wsc/projects/avenue/milestones/m"), THERE);
        assert_eq!(shown(&zones, &TIME, "portfolios/-/projects/-"), HERE);
        assert_eq!(shown(&zones, &project("other"), "portfolios/wsc"), HERE);
        let organization = Organization { name: "organizations/cqu".into(), ..Default::default() };
        assert_eq!(shown(&zones, &organization, "portfolios/wsc"), HERE);
    }

    #[test]
    fn a_portfolio_is_shown_in_the_zone_that_it_has_itself() {
        let zones = Zones::local(TimeZone::get("America/New_York").unwrap());
        let portfolio = |id: &str, zone: &str| Portfolio {
            name: format!("portfolios/{id}"),
            time_zone: zone.into(),
            ..Default::default()
        };
        assert_eq!(shown(&zones, &portfolio("wsc", "Asia/Shanghai"), ""), THERE);
        assert_eq!(shown(&zones, &portfolio("odd", "Nowhere/Land"), ""), HERE);
        assert!(!zones.lacks("portfolios/wsc"));
    }

    #[test]
    fn in_utc_nothing_else_counts_and_nothing_must_be_learnt() {
        let zones = Zones::utc();
        assert!(!zones.lacks("portfolios/wsc"));
        zones.learn("portfolios/wsc", "Asia/Shanghai");
        assert_eq!(shown(&zones, &project("wsc"), ""), "2021-05-26 15:04:05Z");
    }

    #[test]
    fn a_name_is_in_the_portfolio_that_it_begins_with() {
        assert_eq!(portfolio_of("portfolios/p/projects/x"), Some("portfolios/p"));
        assert_eq!(portfolio_of("portfolios/p"), Some("portfolios/p"));
        for name in ["portfolios/-/projects/-", "portfolios/", "sources/registry", ""] {
            assert_eq!(portfolio_of(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_no_time_is_absent() {
        assert_eq!(Zone::UTC.time(None), "-");
        assert_eq!(Zone::UTC.time(Some(&Timestamp { seconds: i64::MAX, nanos: 0 })), "-");
    }
}

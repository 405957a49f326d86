//! In which zone an instant is shown: the portfolio's where there is one, else the system's; or UTC.
//!
//! Invariant: the offset from UTC is part of every shown instant, so that it is exact in whatever zone it is shown.
//! Nothing is fetched here: `cli` fetches the zones of portfolios before it shows their resources.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::tz::{Offset, TimeZone};
use prost_types::Timestamp;

use super::text;

/// Where a resource belongs, as far as its times are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To no portfolio: times are shown in the system's zone.
    Nowhere,
    /// To the portfolio of this name.
    Portfolio(String),
    /// It has a zone itself: a portfolio's IANA name.
    Zone(String),
    /// To the portfolio of the parent that it is listed under.
    Parent,
}

impl Place {
    /// The place of a resource with this name: the portfolio that the name begins with, if it begins with one.
    pub fn of(name: &str) -> Self {
        match portfolio_of(name) {
            Some(portfolio) => Place::Portfolio(portfolio.to_owned()),
            None => Place::Nowhere,
        }
    }

    /// The portfolio whose zone must be known to show what is here, listed under a parent.
    pub fn portfolio<'a>(&'a self, under: &'a str) -> Option<&'a str> {
        match self {
            Place::Portfolio(portfolio) => Some(portfolio),
            Place::Parent => portfolio_of(under),
            Place::Nowhere | Place::Zone(_) => None,
        }
    }
}

/// `portfolios/p` of `portfolios/p/projects/x`; none across portfolios.
fn portfolio_of(name: &str) -> Option<&str> {
    let id = name.strip_prefix("portfolios/")?;
    let id = id.split('/').next().filter(|id| !id.is_empty() && *id != "-")?;
    Some(&name[.."portfolios/".len() + id.len()])
}

/// The zones that are known; clones share them.
#[derive(Debug, Clone)]
pub struct Zones {
    utc: bool,
    system: TimeZone,
    /// By the portfolio's name; the system's for a portfolio whose zone could not be learnt.
    known: Rc<RefCell<BTreeMap<String, TimeZone>>>,
}

impl Zones {
    /// Everything in UTC.
    pub fn utc() -> Self {
        Self { utc: true, system: TimeZone::UTC, known: Rc::default() }
    }

    /// Portfolios in their zones, everything else in this one.
    pub fn local(system: TimeZone) -> Self {
        Self { utc: false, system, known: Rc::default() }
    }

    /// Whether a portfolio's zone must still be learnt before its resources are shown.
    pub fn lacks(&self, portfolio: &str) -> bool {
        !self.utc && !self.known.borrow().contains_key(portfolio)
    }

    /// Takes over a portfolio's zone; an unknown or no IANA name stands for the system's.
    pub fn learn(&self, portfolio: &str, zone: &str) {
        let zone = self.named(zone);
        self.known.borrow_mut().insert(portfolio.to_owned(), zone);
    }

    /// The zone of what is in a place, listed under a parent.
    pub fn zone(&self, place: &Place, under: &str) -> Zone {
        Zone(match place {
            _ if self.utc => TimeZone::UTC,
            Place::Zone(name) => self.named(name),
            place => place
                .portfolio(under)
                .and_then(|portfolio| self.known.borrow().get(portfolio).cloned())
                .unwrap_or_else(|| self.system.clone()),
        })
    }

    fn named(&self, zone: &str) -> TimeZone {
        TimeZone::get(zone).unwrap_or_else(|_| self.system.clone())
    }
}

/// The zone that a resource's times are shown in.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// `2021-05-27 11:04:05+08:00`: to the second, with the offset from UTC, `Z` where there is none; or `-`.
    pub fn time(&self, time: Option<&Timestamp>) -> String {
        let known = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
        let Some(time) = known else { return text::ABSENT.to_owned() };
        let time = time.to_zoned(self.0.clone());
        if time.offset() == Offset::UTC {
            return time.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        }
        time.strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Timestamp = Timestamp { seconds: 1_622_041_445, nanos: 999 };

    fn shown(zones: &Zones, place: Place, under: &str) -> String {
        zones.zone(&place, under).time(Some(&TIME))
    }

    #[test]
    fn a_time_is_shown_where_it_belongs_and_with_its_offset() {
        let zones = Zones::local(TimeZone::get("America/New_York").unwrap());
        let project = Place::of("portfolios/wsc/projects/avenue");
        assert_eq!(project, Place::Portfolio("portfolios/wsc".into()));
        assert!(zones.lacks("portfolios/wsc"));
        zones.learn("portfolios/wsc", "Asia/Shanghai");
        assert!(!zones.lacks("portfolios/wsc"));
        let (here, there) = ("2021-05-26 11:04:05-04:00", "2021-05-26 23:04:05+08:00");
        assert_eq!(shown(&zones, project.clone(), ""), there);
        assert_eq!(shown(&zones, Place::Parent, "portfolios/wsc/projects/avenue/milestones/m"), there);
        assert_eq!(shown(&zones, Place::Zone("Asia/Shanghai".into()), ""), there);
        assert_eq!(shown(&zones, Place::of("organizations/cqu"), "portfolios/wsc"), here);
        assert_eq!(shown(&zones, Place::of("portfolios/other"), ""), here);
        assert_eq!(shown(&zones, Place::Zone("Nowhere/Land".into()), ""), here);
    }

    #[test]
    fn in_utc_nothing_else_counts_and_nothing_must_be_learnt() {
        let zones = Zones::utc();
        assert!(!zones.lacks("portfolios/wsc"));
        zones.learn("portfolios/wsc", "Asia/Shanghai");
        assert_eq!(shown(&zones, Place::Portfolio("portfolios/wsc".into()), ""), "2021-05-26 15:04:05Z");
        assert_eq!(shown(&zones, Place::Zone("Asia/Shanghai".into()), ""), "2021-05-26 15:04:05Z");
    }

    #[test]
    fn what_is_listed_across_portfolios_has_the_zone_of_none() {
        assert_eq!(Place::Parent.portfolio("portfolios/-/projects/-"), None);
        assert_eq!(Place::of("portfolios/"), Place::Nowhere);
        assert_eq!(Place::of("sources/registry"), Place::Nowhere);
        assert_eq!(Place::of("portfolios/p"), Place::Portfolio("portfolios/p".into()));
    }

    #[test]
    fn what_is_no_time_is_absent() {
        let zone = Zones::utc().zone(&Place::Nowhere, "");
        assert_eq!(zone.time(None), "-");
        assert_eq!(zone.time(Some(&Timestamp { seconds: i64::MAX, nanos: 0 })), "-");
    }
}

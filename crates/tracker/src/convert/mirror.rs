//! What is kept of portfolios, projects and assignments: out of the registry's resources, and as it is stored.
//!
//! Invariant: what is stored is the message in the event that took it over.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_proto::access::v1::{ApiToken, Grant, ServiceAccount};
use milepost_proto::event::v1 as event;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as registry;
use milepost_resource::Unreadable;
use milepost_service::value;
use prost::Message;

use crate::mirror::{AssignmentFact, PortfolioFact, ProjectFact, WorkingDays};

/// Grants, service accounts and API tokens as an entry left them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AccessFacts {
    pub(crate) grants: Vec<Grant>,
    pub(crate) service_accounts: Vec<ServiceAccount>,
    pub(crate) api_tokens: Vec<ApiToken>,
}

/// What is kept of a portfolio of the registry.
pub(crate) fn of_portfolio(resource: registry::Portfolio) -> Result<PortfolioFact, Unreadable> {
    portfolio(event::FollowedPortfolio {
        name: resource.name,
        time_zone: resource.time_zone,
        working_calendar: resource.working_calendar,
        deleted: resource.delete_time.is_some(),
        language: resource.language,
        required_languages: resource.required_languages,
        publish_needs_another_person: resource.publish_needs_another_person,
        reporting_currency_code: resource.reporting_currency_code,
    })
}

/// What is kept of a project of the registry, which an entry cancelled on a day if it did.
pub(crate) fn of_project(
    resource: &registry::Project,
    cancelled: Option<Date>,
) -> Result<ProjectFact, Unreadable> {
    Ok(ProjectFact {
        name: resource.name.parse().map_err(Unreadable::new)?,
        status: resource.status,
        deleted: resource.delete_time.is_some(),
        project: Some(without_long_texts(resource).encode_to_vec().into()),
        cancelled,
    })
}

/// A project without its long texts, which nothing is computed of.
fn without_long_texts(project: &registry::Project) -> registry::Project {
    let mut kept = registry::Project {
        purpose: String::new(),
        scale: String::new(),
        status_reason: String::new(),
        ..project.clone()
    };
    kept.annual_plans.iter_mut().for_each(|plan| plan.content.clear());
    kept
}

/// The message of a portfolio's fact.
pub(crate) fn portfolio_to_proto(fact: &PortfolioFact) -> event::FollowedPortfolio {
    let dates = |dates: &[jiff::civil::Date]| dates.iter().map(|date| value::date_message(*date)).collect();
    event::FollowedPortfolio {
        name: fact.name.to_string(),
        time_zone: fact.time_zone.clone(),
        working_calendar: fact.working_days.as_ref().map(|days| registry::WorkingCalendar {
            weekdays: days.weekdays.clone(),
            holidays: dates(&days.holidays),
            make_up_days: dates(&days.make_up_days),
        }),
        deleted: fact.deleted,
        language: fact.language.clone(),
        required_languages: fact.required_languages.clone(),
        publish_needs_another_person: fact.publish_needs_another_person,
        reporting_currency_code: fact.reporting_currency.clone(),
    }
}

/// The message of a project's fact.
pub(crate) fn project_to_proto(fact: &ProjectFact) -> event::FollowedProject {
    // It is the encoding of a message.
    let project = fact.project.as_ref().and_then(|project| registry::Project::decode(project.clone()).ok());
    event::FollowedProject {
        name: fact.name.to_string(),
        status: fact.status,
        deleted: fact.deleted,
        project,
        cancelled_date: fact.cancelled.map(value::date_message),
    }
}

/// What is kept of an assignment of the registry.
pub(crate) fn of_assignment(resource: registry::Assignment) -> Result<AssignmentFact, Unreadable> {
    assignment(event::FollowedAssignment {
        name: resource.name,
        person: resource.person,
        lead: resource.lead,
        start_date: resource.start_date,
        end_date: resource.end_date,
        deleted: resource.delete_time.is_some(),
    })
}

/// The message of an assignment's fact.
pub(crate) fn assignment_to_proto(fact: &AssignmentFact) -> event::FollowedAssignment {
    event::FollowedAssignment {
        name: fact.name.to_string(),
        person: fact.person.clone(),
        lead: fact.lead,
        start_date: Some(value::date_message(fact.start)),
        end_date: fact.end.map(value::date_message),
        deleted: fact.deleted,
    }
}

/// The assignment's fact that was stored.
pub(crate) fn assignment_from_stored(bytes: &Bytes) -> Result<AssignmentFact, Unreadable> {
    assignment(event::FollowedAssignment::decode(bytes.clone())?)
}

fn assignment(message: event::FollowedAssignment) -> Result<AssignmentFact, Unreadable> {
    let start = message.start_date.ok_or_else(|| Unreadable::of("start_date", "is missing"))?;
    Ok(AssignmentFact {
        name: message.name.parse().map_err(Unreadable::new)?,
        person: message.person,
        lead: message.lead,
        start: value::date(start).map_err(Unreadable::new)?,
        end: message.end_date.map(value::date).transpose().map_err(Unreadable::new)?,
        deleted: message.deleted,
    })
}

/// Bytes that an assignment's fact takes in an event.
pub(crate) fn assignment_bytes(fact: &AssignmentFact) -> usize {
    in_event(assignment_to_proto(fact).encoded_len())
}

/// Bytes that a portfolio's fact takes in an event.
pub(crate) fn portfolio_bytes(fact: &PortfolioFact) -> usize {
    in_event(portfolio_to_proto(fact).encoded_len())
}

/// Bytes that a project's fact takes in an event.
pub(crate) fn project_bytes(fact: &ProjectFact) -> usize {
    let bare = ProjectFact { project: None, ..fact.clone() };
    let project = fact.project.as_ref().map_or(0, |project| in_event(project.len()));
    in_event(project_to_proto(&bare).encoded_len() + project)
}

fn in_event(message: usize) -> usize {
    /// The tag of the field and the length of the message.
    const PRECEDING: usize = 6;
    message + PRECEDING
}

/// The portfolio's fact that was stored.
pub(crate) fn portfolio_from_stored(bytes: &Bytes) -> Result<PortfolioFact, Unreadable> {
    portfolio(event::FollowedPortfolio::decode(bytes.clone())?)
}

fn portfolio(message: event::FollowedPortfolio) -> Result<PortfolioFact, Unreadable> {
    Ok(PortfolioFact {
        name: message.name.parse().map_err(Unreadable::new)?,
        time_zone: message.time_zone,
        working_days: message.working_calendar.map(working_days).transpose()?,
        deleted: message.deleted,
        language: message.language,
        required_languages: message.required_languages,
        publish_needs_another_person: message.publish_needs_another_person,
        reporting_currency: message.reporting_currency_code,
    })
}

/// A `FollowedProject` whose project stays the bytes that were written.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StoredProject {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(int32, tag = "2")]
    pub(crate) status: i32,
    #[prost(bool, tag = "3")]
    pub(crate) deleted: bool,
    /// None: it was not kept by the version that took it over.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub(crate) project: Option<Bytes>,
    #[prost(message, optional, tag = "5")]
    pub(crate) cancelled_date: Option<gtype::Date>,
}

/// Whether the project whose fact was stored is deleted.
pub(crate) fn project_is_deleted(bytes: &Bytes) -> Result<bool, Unreadable> {
    Ok(Deleted::decode(bytes.clone())?.deleted)
}

/// The one field of a `FollowedProject` that rules ask for.
#[derive(Clone, PartialEq, prost::Message)]
struct Deleted {
    #[prost(bool, tag = "3")]
    deleted: bool,
}

/// Whether the portfolio whose fact was stored is deleted: its calendar, which may be long, is not read.
pub(crate) fn portfolio_is_deleted(bytes: &Bytes) -> Result<bool, Unreadable> {
    Ok(DeletedPortfolio::decode(bytes.clone())?.deleted)
}

/// The one field of a `FollowedPortfolio` that most rules ask for.
#[derive(Clone, PartialEq, prost::Message)]
struct DeletedPortfolio {
    #[prost(bool, tag = "4")]
    deleted: bool,
}

fn working_days(calendar: registry::WorkingCalendar) -> Result<WorkingDays, Unreadable> {
    let dates = |dates: &[milepost_proto::google::r#type::Date]| {
        dates.iter().copied().map(value::date).collect::<Result<Vec<_>, _>>().map_err(Unreadable::new)
    };
    Ok(WorkingDays {
        holidays: dates(&calendar.holidays)?,
        make_up_days: dates(&calendar.make_up_days)?,
        weekdays: calendar.weekdays,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_proto::google::r#type::Date as DateMessage;

    use super::*;

    fn portfolio() -> PortfolioFact {
        PortfolioFact {
            name: "portfolios/wsc".parse().unwrap(),
            time_zone: "Asia/Shanghai".into(),
            working_days: Some(WorkingDays {
                weekdays: vec![1, 2, 3, 4, 5],
                holidays: vec![date(2021, 5, 3)],
                make_up_days: vec![date(2021, 5, 8)],
            }),
            deleted: true,
            language: String::new(),
            required_languages: Vec::new(),
            publish_needs_another_person: false,
            reporting_currency: String::new(),
        }
    }

    /// With what its timeline asks for.
    fn of_two_languages() -> PortfolioFact {
        PortfolioFact {
            language: "zh-CN".into(),
            required_languages: vec!["zh-CN".into(), "en".into()],
            publish_needs_another_person: true,
            reporting_currency: "CNY".into(),
            ..portfolio()
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn facts_are_read_back() {
        let bare = PortfolioFact { working_days: None, deleted: false, ..portfolio() };
        for fact in [portfolio(), bare, of_two_languages()] {
            let bytes = Bytes::from(portfolio_to_proto(&fact).encode_to_vec());
            assert_eq!(portfolio_from_stored(&bytes), Ok(fact));
        }
        for deleted in [true, false] {
            let name = "portfolios/wsc/projects/road".parse().unwrap();
            let fact = ProjectFact { name, status: 3, deleted, project: None, cancelled: None };
            let bytes = Bytes::from(project_to_proto(&fact).encode_to_vec());
            assert_eq!(project_is_deleted(&bytes), Ok(deleted));
        }
    }

    fn an_assignment() -> AssignmentFact {
        AssignmentFact {
            name: "portfolios/wsc/projects/road/assignments/a".parse().unwrap(),
            person: "user:corp/u".into(),
            lead: true,
            start: date(2021, 5, 3),
            end: Some(date(2021, 5, 8)),
            deleted: true,
        }
    }

    #[test]
    fn an_assignment_is_read_back_and_active_from_its_first_to_its_last_day() {
        let fact = AssignmentFact { deleted: false, ..an_assignment() };
        let open = AssignmentFact { end: None, lead: false, ..fact.clone() };
        for fact in [&fact, &open, &an_assignment()] {
            let bytes = Bytes::from(assignment_to_proto(fact).encode_to_vec());
            assert_eq!(assignment_from_stored(&bytes).as_ref(), Ok(fact));
        }
        let active = |fact: &AssignmentFact| [2, 3, 8, 9].map(|day| fact.is_active(date(2021, 5, day)));
        assert_eq!(active(&fact), [false, true, true, false]);
        assert_eq!(active(&open), [false, true, true, true]);
        assert_eq!(active(&an_assignment()), [false; 4], "it is deleted");
        assert!(of_assignment(registry::Assignment { start_date: None, ..Default::default() }).is_err());
    }

    /// Persisted: journals and stores hold these bytes.
    #[test]
    fn the_stored_bytes_never_change() {
        assert_eq!(hex(&assignment_to_proto(&an_assignment()).encode_to_vec()), GOLDEN_ASSIGNMENT);
        assert_eq!(hex(&portfolio_to_proto(&portfolio()).encode_to_vec()), GOLDEN_PORTFOLIO);
        let languages = hex(&portfolio_to_proto(&of_two_languages()).encode_to_vec());
        assert_eq!(
            languages,
            [GOLDEN_PORTFOLIO, "62057a682d434e6a057a682d434e6a02656e70017a03434e59"].concat()
        );
        let name = "portfolios/wsc/projects/road".parse().unwrap();
        let project = ProjectFact { name, status: 3, deleted: true, project: None, cancelled: None };
        assert_eq!(hex(&project_to_proto(&project).encode_to_vec()), GOLDEN_PROJECT);
        let cancelled = ProjectFact { cancelled: Some(date(2021, 5, 8)), ..project };
        let cancelled = hex(&project_to_proto(&cancelled).encode_to_vec());
        assert_eq!(cancelled, [GOLDEN_PROJECT, "2a0708e50f10051808"].concat());
    }

    const GOLDEN_PORTFOLIO: &str = "0a0e706f7274666f6c696f732f777363120d417369612f5368616e676861691a190a050102030405\
        120708e50f100518031a0708e50f100518082001";
    const GOLDEN_ASSIGNMENT: &str = "0a2a706f7274666f6c696f732f7773632f70726f6a656374732f726f61642f61737369676e6d\
        656e74732f61120b757365723a636f72702f7518012207\
        08e50f100518032a0708e50f100518083001";
    const GOLDEN_PROJECT: &str = "0a1c706f7274666f6c696f732f7773632f70726f6a656374732f726f616410031801";

    #[test]
    fn a_resource_with_a_name_or_a_date_that_is_none_is_unreadable() {
        let nameless = registry::Portfolio { name: "wsc".into(), ..registry::Portfolio::default() };
        assert!(of_portfolio(nameless).is_err());
        let calendar = registry::WorkingCalendar {
            holidays: vec![DateMessage { year: 2021, month: 2, day: 30 }],
            ..registry::WorkingCalendar::default()
        };
        let impossible = registry::Portfolio {
            name: "portfolios/wsc".into(),
            working_calendar: Some(calendar),
            ..registry::Portfolio::default()
        };
        assert!(of_portfolio(impossible).is_err());
        assert!(of_project(&registry::Project::default(), None).is_err());
    }
}

//! The data set of the demo: a TOML file that is part of the binary, and the resources in it.
//!
//! Invariant: a key that no struct has is refused, so that a misspelt key is not ignored; what the
//! file leaves out stays absent in the resource. Comments in the file give its sources.

mod file;

use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::{Batch, Organization, Phase, Portfolio, Project};
use milepost_proto::tracker::v1::Milestone;
use serde::Deserialize;

use crate::error::Error;
use file::File;

const TEXT: &str = include_str!("../../../data/western-science-city.toml");

/// Everything that is loaded, in the order of loading.
#[derive(Debug)]
pub struct DataSet {
    /// The portfolio; its name is set.
    pub portfolio: Portfolio,
    /// The organizations.
    pub organizations: Vec<Organization>,
    /// The projects, each before the parts of it.
    pub projects: Vec<Project>,
    /// Their phases.
    pub phases: Vec<Phase>,
    /// Their milestones, as they are created.
    pub milestones: Vec<Milestone>,
    /// The batches with their members, as they are created.
    pub batches: Vec<Batch>,
    /// What happened, by day.
    pub acts: Vec<Act>,
}

/// Something that happened on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The day.
    pub day: Day,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A milestone was achieved: its name.
    Achieve(String),
    /// A batch started: its name.
    Start(String),
}

/// A day that orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "toml::value::Datetime")]
pub struct Day(jiff::civil::Date);

impl Day {
    /// As the API has it.
    pub fn date(self) -> Date {
        Date { year: self.0.year().into(), month: self.0.month().into(), day: self.0.day().into() }
    }
}

impl TryFrom<toml::value::Datetime> for Day {
    type Error = String;

    fn try_from(text: toml::value::Datetime) -> Result<Self, String> {
        if text.time.is_some() || text.offset.is_some() {
            return Err(format!("{text} is a time, not a day"));
        }
        text.to_string().parse().map(Day).map_err(|error| format!("{text} is no day: {error}"))
    }
}

impl DataSet {
    /// The data set of the Western (Chongqing) Science City.
    ///
    /// # Errors
    /// If the file is faulty; a test reads it, so no release has a faulty one.
    pub fn western_science_city() -> Result<Self, Error> {
        Self::parse(TEXT)
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|error| Error::DataSet(error.to_string()))?;
        file.data_set().map_err(Error::DataSet)
    }
}

#[cfg(test)]
mod tests;

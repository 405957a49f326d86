//! The fields of a project on the command line.
//!
//! Breakdown, funding, annual plans and completed investments are too rich for flags: they come from a
//! file. Of the site those parts are changed that are given.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::project::{Level, Listing};
use milepost_proto::registry::v1::{Party, Period, Project, ProjectCode, Site};

use crate::cli::flags::{Draft, Labels, Naming, Source};
use crate::cli::{self, name, value};
use crate::error::Error;

const LEVELS: [&str; 4] = ["national", "provincial", "municipal", "district"];
const LISTINGS: [&str; 4] = ["reserve", "new-start", "continued", "completed"];

/// The fields of a project. Breakdown, funding, annual plans and completed investments come from a file.
#[derive(Debug, Args)]
pub struct Fields {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    naming: Naming,
    /// A code in a register, as in "GB/T 40058=2021-500107-54-01-123456"; may be given often; an update replaces all that there are
    #[arg(long, value_name = "SCHEME=CODE", value_parser = value::project_code, help_heading = "Fields")]
    code: Vec<ProjectCode>,
    /// The sector, an OC4IDS projectSector code or free text, as in transport.road
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    sector: Option<String>,
    /// The level of government that lists it
    #[arg(long, value_parser = PossibleValuesParser::new(LEVELS).map(|level| cli::code::<Level>("LEVEL", &level)), help_heading = "Fields")]
    level: Option<Level>,
    /// Whether it is a key project
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Fields")]
    key: Option<bool>,
    /// Which of the year's lists it stands on
    #[arg(long, value_parser = PossibleValuesParser::new(LISTINGS).map(|listing| cli::code::<Listing>("LISTING", &listing)), help_heading = "Fields")]
    listing: Option<Listing>,
    #[command(flatten)]
    site: SiteFields,
    /// What it is for
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    purpose: Option<String>,
    /// What is built, and how much
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    scale: Option<String>,
    /// The total investment, as in "CNY 28360000000"
    #[arg(long, value_name = "MONEY", value_parser = value::money, help_heading = "Fields")]
    investment: Option<Money>,
    /// Who takes part and as what, as in chongqing-university=lead; roles are joined by commas; may be given often; an update replaces all that there are
    #[arg(long, value_name = "ORGANIZATION=ROLES", value_parser = value::party, help_heading = "Fields")]
    party: Vec<Party>,
    /// When it is planned to be built; an end that is left out is open
    #[arg(long, value_name = "DATE..DATE", value_parser = value::period, help_heading = "Fields")]
    planned_period: Option<Period>,
    /// When it was built; `start` and `complete` set it otherwise
    #[arg(long, value_name = "DATE..DATE", value_parser = value::period, help_heading = "Fields")]
    actual_period: Option<Period>,
    /// The project that this is a part of
    #[arg(long, value_name = "PROJECT", help_heading = "Fields")]
    parent_project: Option<String>,
    #[command(flatten)]
    labels: Labels,
}

/// Where a project is built.
#[derive(Debug, Args)]
struct SiteFields {
    /// Where it is built, in words
    #[arg(long, value_name = "TEXT", help_heading = "Fields")]
    site_address: Option<String>,
    /// The administrative division where it is built, a GB/T 2260 code of 6 digits
    #[arg(long, value_name = "CODE", help_heading = "Fields")]
    site_division_code: Option<String>,
    /// Where it is built, in degrees north and east (WGS 84), as in 29.6,106.3
    #[arg(long, value_name = "LATITUDE,LONGITUDE", value_parser = value::coordinates, allow_hyphen_values = true, help_heading = "Fields")]
    site_coordinates: Option<Site>,
}

impl SiteFields {
    /// Each part by itself: what is not given of a site stays as it is.
    fn put(self, draft: &mut Draft<Project>) {
        fn site(project: &mut Project) -> &mut Site {
            project.site.get_or_insert_default()
        }
        let (latitude, longitude) =
            self.site_coordinates.map_or((None, None), |given| (given.latitude, given.longitude));
        draft.set("site.address", self.site_address, |project, text| site(project).address = text);
        draft.set("site.division_code", self.site_division_code, |project, code| {
            site(project).division_code = code;
        });
        draft.set("site.latitude", latitude, |project, degrees| site(project).latitude = Some(degrees));
        draft.set("site.longitude", longitude, |project, degrees| site(project).longitude = Some(degrees));
    }
}

impl Fields {
    /// The project in the making, in a portfolio given by its name.
    pub async fn draft_in(self, portfolio: &str) -> Result<Draft<Project>, Error> {
        let mut draft = Draft::<Project>::read(&self.source).await?;
        let parent_project = self.parent_project.map(|parent| match parent.as_str() {
            "" => parent,
            _ => name::PROJECT.beside(portfolio, &parent),
        });
        draft.set("display_name", self.naming.display_name, |project, text| project.display_name = text);
        draft.set_map("translations", self.naming.translation, |project| &mut project.translations);
        draft.set_all("codes", self.code, |project, codes| project.codes = codes);
        draft.set("sector", self.sector, |project, text| project.sector = text);
        draft.set("level", self.level, |project, level| project.level = level.into());
        draft.set("key", self.key, |project, key| project.key = Some(key));
        draft.set("listing", self.listing, |project, listing| project.listing = listing.into());
        self.site.put(&mut draft);
        draft.set("purpose", self.purpose, |project, text| project.purpose = text);
        draft.set("scale", self.scale, |project, text| project.scale = text);
        draft.set("investment", self.investment, |project, money| project.investment = Some(money));
        draft.set_all("parties", self.party, |project, parties| project.parties = parties);
        draft.set("planned_period", self.planned_period, |project, period| {
            project.planned_period = Some(period)
        });
        draft
            .set("actual_period", self.actual_period, |project, period| project.actual_period = Some(period));
        draft.set("parent_project", parent_project, |project, parent| project.parent_project = parent);
        draft.set_map("labels", self.labels.label, |project| &mut project.labels);
        Ok(draft)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::flags::Changing;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        fields: Fields,
    }

    #[tokio::test]
    async fn a_part_of_the_site_that_is_not_given_is_not_touched() {
        let draft = async |flags: &[&str]| {
            let line = Line::try_parse_from([&["x"], flags].concat()).unwrap();
            line.fields.draft_in("portfolios/wsc").await.unwrap()
        };
        let changed = draft(&["--site-address", "Science Avenue 1"]).await;
        assert_eq!(changed.mask(&Changing::default()).unwrap().paths, ["site.address"]);
        let changed = draft(&["--site-coordinates", "29.6,106.3"]).await;
        assert_eq!(changed.mask(&Changing::default()).unwrap().paths, ["site.latitude", "site.longitude"]);
        assert_eq!(changed.resource.site.unwrap().latitude, Some(29.6));
        // With a file that has a site the whole site is taken over, parts of the flags among it.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"site": {"address": "a", "divisionCode": "500107"}}"#).unwrap();
        let path = file.path().to_str().unwrap();
        let changed = draft(&["--from-file", path, "--site-address", "b"]).await;
        assert_eq!(changed.mask(&Changing::default()).unwrap().paths, ["site"]);
        let site = changed.resource.site.as_ref().unwrap();
        assert_eq!((site.address.as_str(), site.division_code.as_str()), ("b", "500107"));
        let both = Changing { clear: vec!["site".to_owned()], ..Changing::default() };
        assert!(draft(&["--site-address", "b"]).await.mask(&both).is_err(), "given and cleared");
    }
}

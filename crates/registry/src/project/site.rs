//! Sites: where a project is built.
//!
//! Invariant: both coordinates or neither.

use milepost_types::Violations;

use crate::details::Field;

/// A place. One that says nothing is the same as none.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Site {
    /// In words; empty: not said.
    pub(crate) address: String,
    /// A GB/T 2260 code of 6 digits; empty: not said.
    pub(crate) division_code: String,
    /// Degrees north, WGS 84.
    pub(crate) latitude: Option<f64>,
    /// Degrees east, WGS 84.
    pub(crate) longitude: Option<f64>,
}

impl Site {
    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which parts of a site an update names, and to what it sets them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SitePatch {
    pub(crate) address: Option<String>,
    pub(crate) division_code: Option<String>,
    pub(crate) latitude: Option<Option<f64>>,
    pub(crate) longitude: Option<Option<f64>>,
}

impl Field for Site {
    type Patch = SitePatch;

    fn create(patch: SitePatch) -> Result<Self, Violations> {
        let mut site = Self::default();
        site.apply(&patch).map(|()| site)
    }

    fn apply(&mut self, patch: &SitePatch) -> Result<(), Violations> {
        let given = patch.clone();
        self.address = given.address.unwrap_or(std::mem::take(&mut self.address));
        self.division_code = given.division_code.unwrap_or(std::mem::take(&mut self.division_code));
        self.latitude = given.latitude.unwrap_or(self.latitude);
        self.longitude = given.longitude.unwrap_or(self.longitude);
        if patch.latitude.is_none() && patch.longitude.is_none() {
            return Ok(());
        }
        match (self.latitude, self.longitude) {
            (Some(_), None) => Err(missing("longitude")),
            (None, Some(_)) => Err(missing("latitude")),
            _ => Ok(()),
        }
    }
}

fn missing(coordinate: &str) -> Violations {
    Violations::one(coordinate, "REQUIRED", "give both coordinates or neither")
}

//! Warning policies: their arithmetic, their life, and the published rules.

mod cancelled;
mod corrections;
mod evaluations;
mod excuses;
mod fen;
mod metrics;
mod orders;
pub(crate) mod policies;
pub(crate) mod published;
mod replays;

use milepost_proto::tracker::v1::{WarningBand, WarningLight};
use milepost_types::Violations;

use super::band::{self, Band};

/// A band as people write it: `yellow [10..30]`, `red (30..`, `green ..0]`.
pub(super) fn band(text: &str) -> WarningBand {
    let (light, ends) = text.split_once(' ').unwrap();
    let (low, high) = ends.split_once("..").unwrap();
    let light = match light {
        "green" => WarningLight::Green,
        "yellow" => WarningLight::Yellow,
        _ => WarningLight::Red,
    };
    WarningBand {
        light: light.into(),
        low: low.trim_start_matches(['[', '(']).to_owned(),
        low_inclusive: low.starts_with('['),
        high: high.trim_end_matches([']', ')']).to_owned(),
        high_inclusive: high.ends_with(']'),
    }
}

/// Bands, read.
pub(super) fn bands(texts: &[&str]) -> Vec<Band> {
    let bands: Vec<_> = texts.iter().map(|text| band(text)).collect();
    let mut violations = Violations::new();
    let read = band::read(&bands, false, None, &mut violations);
    assert_eq!(violations, Violations::new());
    read.unwrap()
}

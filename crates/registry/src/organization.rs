//! Organizations: who takes part in projects. They belong to no portfolio.
//!
//! Invariant: an organization is never lost: projects refer to it softly, so it may be deleted softly
//! at any time, and what refers to it stays readable.

use crate::tables::Registry;
use milepost_proto::registry::v1::Organization;
use milepost_proto::resource::TopLevel;
use milepost_resource::{By, Index, Rules};

impl Rules<Registry> for Organization {
    type Above = TopLevel;

    const TABLE: u8 = 2;
    const TABLE_NAME: &'static str = "registry.organizations";
    const ID_PREFIX: char = 'o';
    const INDEXES: &'static [Index] = &[Index {
        tag: 17,
        under: 0,
        by: &[By::Field("display_name")],
        live: false,
        when: &[],
        orders: true,
    }];
}

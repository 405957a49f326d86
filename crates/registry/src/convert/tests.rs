//! What is written is read back, and the masks and enums here are those of the schema.

use std::collections::BTreeSet;

use milepost_proto::registry::v1 as proto;
use milepost_service::mask::Known;
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::{arbitrary, batch, organization, phase, portfolio, project};
use crate::batch::State;
use crate::list;
use crate::project::status::Status;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_portfolio_is_read_back(held in arbitrary::portfolio()) {
        let row = portfolio::message(&held).encode_to_vec();
        prop_assert_eq!(portfolio::stored(proto::Portfolio::decode(row.as_slice()).unwrap()), Ok(held));
    }

    #[test]
    fn an_organization_is_read_back(held in arbitrary::organization()) {
        let row = organization::message(&held).encode_to_vec();
        prop_assert_eq!(organization::stored(proto::Organization::decode(row.as_slice()).unwrap()), Ok(held));
    }

    #[test]
    fn a_project_is_read_back(held in arbitrary::project()) {
        let row = project::message(&held).encode_to_vec();
        prop_assert_eq!(project::stored(proto::Project::decode(row.as_slice()).unwrap()), Ok(held));
    }

    #[test]
    fn a_phase_is_read_back(held in arbitrary::phase()) {
        let row = phase::message(&held).encode_to_vec();
        prop_assert_eq!(phase::stored(proto::Phase::decode(row.as_slice()).unwrap()), Ok(held));
    }

    #[test]
    fn a_batch_is_read_back(held in arbitrary::batch()) {
        let row = batch::message(&held).encode_to_vec();
        prop_assert_eq!(batch::stored(proto::Batch::decode(row.as_slice()).unwrap()), Ok(held));
    }
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap()
}

fn described(message: &str) -> MessageDescriptor {
    pool().get_message_by_name(&format!("milepost.registry.v1.{message}")).unwrap()
}

#[test]
fn masks_know_every_field_of_the_schema_and_no_other() {
    let all: [(&str, &Known); 5] = [
        ("Portfolio", &portfolio::KNOWN),
        ("Organization", &organization::KNOWN),
        ("Project", &project::KNOWN),
        ("Phase", &phase::KNOWN),
        ("Batch", &batch::KNOWN),
    ];
    for (noun, known) in all {
        let descriptor = described(noun);
        let schema: BTreeSet<_> = descriptor.fields().map(|field| field.name().to_owned()).collect();
        let output = known.output().map(|(field, _)| field);
        let by_method = known.methods.iter().map(|(field, _)| *field);
        let held = known.fields.iter().copied().chain(output).chain(by_method).map(str::to_owned).collect();
        assert_eq!(schema, held, "{noun}");
        for part in known.parts {
            let (field, part) = part.split_once('.').unwrap();
            let kind = descriptor.get_field_by_name(field).unwrap().kind();
            assert!(kind.as_message().unwrap().get_field_by_name(part).is_some(), "{noun}.{field}.{part}");
        }
        let site = ["site", "planned_period", "actual_period"];
        for field in site.iter().filter_map(|field| descriptor.get_field_by_name(field)) {
            for part in field.kind().as_message().unwrap().fields() {
                let path = format!("{}.{}", field.name(), part.name());
                assert!(known.parts.contains(&path.as_str()), "{noun}.{path}");
            }
        }
    }
}

#[test]
fn filters_know_only_fields_of_the_schema() {
    fn check(noun: &str, paths: impl Iterator<Item = &'static str>) {
        for path in paths {
            let mut descriptor = Some(described(noun));
            for part in path.split('.') {
                let field = descriptor.take().and_then(|message| message.get_field_by_name(part));
                let field = field.unwrap_or_else(|| panic!("{noun} has no {path}"));
                descriptor = field.kind().as_message().cloned();
            }
        }
    }
    check("Portfolio", list::portfolios::SCHEMA.paths());
    check("Organization", list::organizations::SCHEMA.paths());
    check("Project", list::projects::SCHEMA.paths());
    check("Phase", list::phases::SCHEMA.paths());
    check("Batch", list::batches::SCHEMA.paths());
}

#[test]
fn filters_know_every_value_of_an_enum_that_says_something() {
    let enums = [
        ("Project.Status", list::projects::STATUSES),
        ("Project.Level", list::projects::LEVELS),
        ("Project.Listing", list::projects::LISTINGS),
        ("Organization.Kind", list::organizations::KINDS),
        ("Batch.State", list::batches::STATES),
    ];
    for (name, known) in enums {
        let described = pool().get_enum_by_name(&format!("milepost.registry.v1.{name}")).unwrap();
        let names: Vec<_> = described.values().skip(1).map(|value| value.name().to_owned()).collect();
        assert_eq!(names, known);
    }
}

#[test]
fn states_are_called_what_the_schema_calls_them() {
    for status in Status::ALL {
        assert_eq!(status.as_str(), project::status_message(status).as_str_name());
    }
    for state in [State::Planned, State::Started, State::Cancelled] {
        assert!(proto::batch::State::from_str_name(state.as_str()).is_some());
    }
}

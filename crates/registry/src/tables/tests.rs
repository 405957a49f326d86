//! Keys are taken apart to what they were put together from, order as names do, and are these bytes.

use jiff::civil::date;
use milepost_ledger::key;
use milepost_types::{OrganizationName, PhaseName, PortfolioName, ProjectName, ResourceId};
use proptest::prelude::*;

use super::*;
use crate::convert::arbitrary;

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

fn project() -> ProjectName {
    "portfolios/wsc/projects/x".parse().unwrap()
}

#[test]
fn keys_are_these_bytes_for_ever() {
    let (portfolio, phase): (PortfolioName, PhaseName) =
        ("portfolios/wsc".parse().unwrap(), "portfolios/wsc/projects/x/phases/one".parse().unwrap());
    let organization: OrganizationName = "organizations/cqu".parse().unwrap();
    let time = "1970-01-01T00:04:18.000000003Z".parse().unwrap();
    let golden: [(Vec<u8>, &[u8]); 14] = [
        (portfolios::key(&portfolio), b"\x01wsc"),
        (organizations::key(&organization), b"\x02cqu"),
        (projects::key(&project()), b"\x03wsc\0x"),
        (phases::key(&phase), b"\x04wsc\0x\0one"),
        (batches::key(&"portfolios/wsc/batches/b".parse().unwrap()), b"\x05wsc\0b"),
        (portfolios_by_display_name::key("城", &id("wsc")), b"\x10\xe5\x9f\x8e\0wsc"),
        (organizations_by_display_name::key("a", &id("cqu")), b"\x11a\0cqu"),
        (projects_by_display_name::key(&id("wsc"), "a", &id("x")), b"\x12wsc\0a\0x"),
        (projects_by_status::key(&id("wsc"), 3, &id("x")), b"\x14wsc\0\x03x"),
        (parts::key(&id("wsc"), &id("whole"), &id("x")), b"\x15wsc\0whole\0x"),
        (phases_by_order::key(&phase, 2, true), b"\x16wsc\0x\0\x00\x00\x00\x02\x01one"),
        (batches_by_start_date::key(&id("wsc"), date(2021, 5, 27), &id("b")), b"\x17wsc\0\x07\xe5\x05\x1bb"),
        (
            projects_by_update_time::key(&id("wsc"), time, &id("x")),
            b"\x18wsc\0\x80\0\0\0\0\0\x01\x02\0\0\0\x03x",
        ),
        (phases_by_order_across::key(&phase, 2, true), b"\x19wsc\0\x00\x00\x00\x02\x01x\0one"),
    ];
    for (key, bytes) in golden {
        assert_eq!(key, bytes, "{}", String::from_utf8_lossy(bytes));
    }
}

proptest! {
    #[test]
    fn names_are_read_back_from_keys(phase in arbitrary::phase_name(), batch in arbitrary::batch_name()) {
        let project = phase.project().clone();
        let portfolio = project.portfolio().clone();
        prop_assert_eq!(portfolios::name(&portfolios::key(&portfolio)), Some(portfolio));
        prop_assert_eq!(projects::name(&projects::key(&project)), Some(project));
        prop_assert_eq!(phases::name(&phases::key(&phase)), Some(phase));
        prop_assert_eq!(batches::name(&batches::key(&batch)), Some(batch));
    }

    #[test]
    fn keys_order_as_names_do(a in arbitrary::phase_name(), b in arbitrary::phase_name()) {
        prop_assert_eq!(phases::key(&a).cmp(&phases::key(&b)), a.cmp(&b));
        let (a, b) = (a.project(), b.project());
        prop_assert_eq!(projects::key(a).cmp(&projects::key(b)), a.cmp(b));
    }

    #[test]
    fn index_keys_are_taken_apart(
        name in arbitrary::project_name(),
        text in arbitrary::line(),
        time in arbitrary::instant(),
        status in 1..8,
        order: u32,
        deleted: bool,
        date in arbitrary::date(),
    ) {
        let (portfolio, id) = (name.portfolio().id(), name.id());
        let key = projects_by_display_name::key(portfolio, &text, id);
        prop_assert_eq!(projects_by_display_name::parts(&key), Some((text.as_str(), id.clone())));
        let key = projects_by_update_time::key(portfolio, time, id);
        let ordered = key::ordered_instant(time);
        prop_assert_eq!(projects_by_update_time::parts(&key), Some((&ordered[..], id.clone())));
        prop_assert_eq!(projects_by_status::id(&projects_by_status::key(portfolio, status, id)), Some(id.clone()));
        prop_assert_eq!(parts::id(&parts::key(portfolio, portfolio, id)), Some(id.clone()));
        let phase = PhaseName::new(name.clone(), id.clone());
        let key = phases_by_order::key(&phase, order, deleted);
        let ordered = phases_by_order::ordered(order, deleted);
        prop_assert_eq!(phases_by_order::parts(&key), Some((&ordered[..], id.clone())));
        let key = phases_by_order_across::key(&phase, order, deleted);
        prop_assert_eq!(phases_by_order_across::parts(&key), Some((&ordered[..], phase)));
        let key = batches_by_start_date::key(portfolio, date, id);
        prop_assert_eq!(batches_by_start_date::parts(&key).map(|(_, id)| id), Some(id.clone()));
    }

    #[test]
    fn numbers_dates_and_instants_order_as_their_bytes(
        a: i64,
        b: i64,
        x in arbitrary::instant(),
        y in arbitrary::instant(),
        d in arbitrary::date(),
        e in arbitrary::date(),
    ) {
        prop_assert_eq!(key::ordered_i64(a).cmp(&key::ordered_i64(b)), a.cmp(&b));
        prop_assert_eq!(key::ordered_instant(x).cmp(&key::ordered_instant(y)), x.cmp(&y));
        prop_assert_eq!(key::instant_of(&key::ordered_instant(x)), Some(x));
        let by_date = |date| batches_by_start_date::key(&id("p"), date, &id("b"));
        prop_assert_eq!(by_date(d).cmp(&by_date(e)), d.cmp(&e));
    }
}

#[test]
fn a_row_is_these_bytes_for_ever() {
    use milepost_proto::registry::v1::Project;
    let message = Project {
        name: project().to_string(),
        display_name: "x".to_owned(),
        key: Some(false),
        status: 3,
        etag: "7".to_owned(),
        ..Project::default()
    };
    let golden = b"\x0a\x19portfolios/wsc/projects/x\x12\x01x\x38\x00\xf0\x01\x03\xda\x02\x017";
    assert_eq!(message.encode_to_vec(), golden);
}

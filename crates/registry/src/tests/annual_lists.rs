//! Annual lists: one of a year, whose members come and go, and are counted as they are listed.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::project::Listing;
use milepost_proto::registry::v1::*;
use milepost_types::limits;
use tonic::{Code, Status};

use super::events::last_event;
use super::office::{Office, cny, conditions, costing, faults, named, project_name, refusal};
use super::reporting::{list_name, member};

async fn add(office: &Office, ids: &[&str], listing: Listing, etag: &str) -> Result<AnnualList, Status> {
    let (name, members) = (list_name("2021"), ids.iter().map(|id| project_name(id)).collect());
    let (listing, etag) = (listing.into(), etag.to_owned());
    let request = AddAnnualListMembersRequest { name, members, listing, etag, ..Default::default() };
    Ok(office.annual_lists().add_annual_list_members(request).await?.into_inner().annual_list.unwrap())
}

async fn remove(office: &Office, ids: &[&str]) -> Result<AnnualList, Status> {
    let (name, members) = (list_name("2021"), ids.iter().map(|id| project_name(id)).collect());
    let request = RemoveAnnualListMembersRequest { name, members, ..Default::default() };
    Ok(office.annual_lists().remove_annual_list_members(request).await?.into_inner().annual_list.unwrap())
}

async fn get(office: &Office, year: &str) -> Result<AnnualList, Status> {
    let request = GetAnnualListRequest { name: list_name(year), ..Default::default() };
    Ok(office.annual_lists().get_annual_list(request).await?.into_inner().annual_list.unwrap())
}

fn registered(list: &AnnualList) -> Vec<(&str, i32, i32)> {
    let figures = list.registered.iter();
    figures.map(|figure| (&*figure.category, figure.count, figure.without_investment_count)).collect()
}

#[tokio::test]
async fn what_was_declared_stands_beside_what_is_registered_as_office_md_1_says() {
    let office = Office::with_portfolio().await;
    office.project("avenue", Project { key: Some(true), ..costing(5) }).await;
    office.project("valley", Project { listing: Listing::NewStart.into(), ..costing(7) }).await;
    office.project("tunnel", named("科学城隧道")).await;
    let declared = |category: &str, count| DeclaredFigure {
        category: category.into(),
        count: Some(count),
        investment: None,
    };
    let list = AnnualList {
        declared: vec![declared("all", 343), declared("key", 169)],
        members: vec![
            member("avenue", Listing::Continued),
            member("valley", Listing::Unspecified),
            member("tunnel", Listing::NewStart),
        ],
        ..AnnualList::default()
    };
    let request = CreateAnnualListRequest {
        parent: "portfolios/wsc".into(),
        annual_list_id: "2021".into(),
        annual_list: Some(list.clone()),
        ..Default::default()
    };
    let created = office.annual_lists().create_annual_list(request).await.unwrap();
    let created = created.into_inner().annual_list.unwrap();
    assert_eq!((created.name.as_str(), created.registered_count), (&*list_name("2021"), 3));
    assert_eq!((&created.declared, &created.members), (&list.declared, &list.members));
    assert_eq!(
        registered(&created),
        [("all", 3, 1), ("key", 1, 0), ("new start", 2, 1), ("continued", 1, 0)]
    );
    assert_eq!(created.registered[0].investments, [cny(12)]);
    assert_eq!(get(&office, "2021").await.unwrap(), created);

    // As of the read: what is deleted is not counted.
    let request = DeleteProjectRequest { name: project_name("valley"), ..Default::default() };
    office.projects().delete_project(request).await.unwrap();
    let read = get(&office, "2021").await.unwrap();
    assert_eq!((read.registered_count, read.members.len()), (2, 3));
    assert_eq!(registered(&read), [("all", 2, 1), ("key", 1, 0), ("new start", 1, 1), ("continued", 1, 0)]);
    assert_eq!(read.declared, list.declared);
}

/// office.md, section 1, sums that overflow: the registered investments of a list. It can still be corrected.
#[tokio::test]
async fn what_the_members_of_a_list_add_up_to_may_be_too_much_to_hold() {
    let office = Office::with_portfolio().await;
    office.project("x", costing(i64::MAX)).await;
    office.project("y", costing(1)).await;
    let list = office.annual_list("2021", vec![member("x", Listing::NewStart)]).await.unwrap();
    assert_eq!(list.registered[0].investments, [cny(i64::MAX)]);
    let overflow = [("MONEY_OVERFLOW".to_owned(), list_name("2021"))];
    let sequence = office.sequence();
    let status = add(&office, &["y"], Listing::NewStart, "").await.unwrap_err();
    assert_eq!(conditions(&status), overflow);
    assert_eq!((office.sequence(), get(&office, "2021").await.unwrap()), (sequence, list), "nothing changed");

    // A member that comes to cost more than the list can say.
    office.update("y", costing(0), &["investment"]).await.unwrap();
    add(&office, &["y"], Listing::NewStart, "").await.unwrap();
    office.update("y", costing(1), &["investment"]).await.unwrap();
    let shown = get(&office, "2021").await.unwrap();
    assert_eq!((shown.registered[0].count, &shown.registered[0].investments[..]), (2, &[][..]), "not shown");
    let corrected = remove(&office, &["y"]).await.unwrap();
    assert_eq!(corrected.registered[0].investments, [cny(i64::MAX)]);
    assert_eq!(get(&office, "2021").await.unwrap(), corrected);
}

#[tokio::test]
async fn the_id_of_a_list_is_its_year() {
    let office = Office::with_portfolio().await;
    for (id, reason) in [
        ("", "REQUIRED"),
        ("y2021", "INVALID_ID"),
        ("21", "INVALID_ID"),
        ("1899", "INVALID_ID"),
        ("2201", "INVALID_ID"),
        ("+021", "INVALID_ID"),
        ("20210", "INVALID_ID"),
        ("２０２１", "INVALID_ID"),
    ] {
        let status = office.annual_list(id, Vec::new()).await.unwrap_err();
        assert_eq!(faults(&status), [("annual_list_id".into(), reason.into())], "{id}");
    }
    for year in ["2200", "1900", "2021"] {
        office.annual_list(year, Vec::new()).await.unwrap();
    }
    let status = office.annual_list("2021", Vec::new()).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::AlreadyExists, "RESOURCE_ALREADY_EXISTS".into()));
    let request = ListAnnualListsRequest { parent: "portfolios/-".into(), ..Default::default() };
    let listed = office.annual_lists().list_annual_lists(request).await.unwrap().into_inner().annual_lists;
    let years: Vec<_> = listed.iter().map(|list| list.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(years, ["1900", "2021", "2200"], "by year");
    let status = get(&office, "nonsense").await.unwrap_err();
    assert_eq!(faults(&status), [("name".into(), "INVALID_NAME".into())]);
    // And no other resource has such an id.
    let status = office.try_project("2021", named("x")).await.unwrap_err();
    assert_eq!(faults(&status), [("project_id".into(), "INVALID_ID".into())]);
}

#[tokio::test]
async fn members_come_and_go_once_keep_their_order_and_are_listed_anew() {
    let office = Office::with_portfolio().await;
    for id in ["x", "y", "z"] {
        office.project(id, named(id)).await;
    }
    office.annual_list("2021", vec![member("x", Listing::Reserve)]).await.unwrap();
    let added = add(&office, &["z", "x", "y", "z"], Listing::NewStart, "").await.unwrap();
    let expected = [("x", Listing::NewStart), ("z", Listing::NewStart), ("y", Listing::NewStart)];
    assert_eq!(added.members, expected.map(|(id, listing)| member(id, listing)));
    let event = last_event(&office).await;
    assert_eq!(event.r#type, "milepost.annual_list.members_changed");
    assert_eq!((event.subject.as_str(), event.portfolio.as_str()), (&*list_name("2021"), "portfolios/wsc"));
    let Some(Payload::AnnualListMembersChanged(changed)) = event.payload else {
        panic!("{:?}", event.payload)
    };
    assert_eq!(
        (changed.added, changed.relisted),
        (vec![project_name("z"), project_name("y")], vec![project_name("x")])
    );
    assert_eq!((changed.listing, changed.removed), (Listing::NewStart.into(), Vec::new()));

    let sequence = office.sequence();
    assert_eq!(add(&office, &["x", "z"], Listing::NewStart, "").await.unwrap(), added);
    assert_eq!(add(&office, &["x", "z"], Listing::Unspecified, "").await.unwrap(), added);
    assert_eq!(remove(&office, &["never"]).await.unwrap(), added);
    assert_eq!(office.sequence(), sequence, "nothing changed");
    let removed = remove(&office, &["never", "z", "z"]).await.unwrap();
    assert_eq!((removed.members.len(), removed.registered_count), (2, 2));
    let event = last_event(&office).await;
    let Some(Payload::AnnualListMembersChanged(changed)) = event.payload else {
        panic!("{:?}", event.payload)
    };
    assert_eq!((changed.added, changed.removed), (Vec::new(), vec![project_name("z")]));
}

#[tokio::test]
async fn members_that_are_not_there_are_named_all_of_them() {
    let office = Office::with_portfolio().await;
    for id in ["x", "gone"] {
        office.project(id, named(id)).await;
    }
    let request = DeleteProjectRequest { name: project_name("gone"), ..Default::default() };
    office.projects().delete_project(request).await.unwrap();
    let missing = [
        ("MEMBER_DELETED".to_owned(), project_name("gone")),
        ("MEMBER_NOT_FOUND".to_owned(), project_name("never")),
    ];
    let members = ["x", "gone", "never"].map(|id| member(id, Listing::NewStart)).to_vec();
    let status = office.annual_list("2021", members).await.unwrap_err();
    assert_eq!(conditions(&status), missing);
    office.annual_list("2021", vec![member("x", Listing::NewStart)]).await.unwrap();
    let status = add(&office, &["gone", "x", "never"], Listing::Reserve, "").await.unwrap_err();
    assert_eq!(conditions(&status), missing);
    let list = get(&office, "2021").await.unwrap();
    assert_eq!(list.members, [member("x", Listing::NewStart)], "nothing changed");

    let elsewhere = "portfolios/other/projects/x".to_owned();
    let faulty = vec![
        member("x", Listing::Reserve),
        AnnualListMember { project: elsewhere.clone(), listing: 0 },
        AnnualListMember { project: "x".into(), listing: 99 },
        member("x", Listing::Reserve),
        AnnualListMember::default(),
    ];
    let figures =
        vec![DeclaredFigure { category: "all".into(), count: Some(-1), investment: Some(cny(-1)) }; 2];
    let request = CreateAnnualListRequest {
        parent: "portfolios/wsc".into(),
        annual_list_id: "2022".into(),
        annual_list: Some(AnnualList { members: faulty, declared: figures, ..Default::default() }),
        ..Default::default()
    };
    let status = office.annual_lists().create_annual_list(request).await.unwrap_err();
    let mut found = faults(&status);
    found.sort();
    let mut expected: Vec<(String, String)> = [
        ("annual_list.members[1].project", "OTHER_PORTFOLIO"),
        ("annual_list.members[2].listing", "UNKNOWN_ENUM_VALUE"),
        ("annual_list.members[2].project", "INVALID_NAME"),
        ("annual_list.members[3].project", "DUPLICATE"),
        ("annual_list.members[4].project", "REQUIRED"),
        ("annual_list.declared[0].count", "OUT_OF_RANGE"),
        ("annual_list.declared[0].investment", "NEGATIVE"),
        ("annual_list.declared[1].count", "OUT_OF_RANGE"),
        ("annual_list.declared[1].investment", "NEGATIVE"),
    ]
    .map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    .into();
    expected.sort();
    assert_eq!(found, expected);

    let request = AddAnnualListMembersRequest {
        name: list_name("2021"),
        members: vec![elsewhere, "nonsense".into()],
        listing: 99,
        ..Default::default()
    };
    let status = office.annual_lists().add_annual_list_members(request).await.unwrap_err();
    let mut found = faults(&status);
    found.sort();
    let expected = [
        ("listing", "UNKNOWN_ENUM_VALUE"),
        ("members[0]", "OTHER_PORTFOLIO"),
        ("members[1]", "INVALID_NAME"),
    ];
    assert_eq!(found, expected.map(|(field, reason)| (field.to_owned(), reason.to_owned())));
}

/// office.md, section 1: at most 10,000 members.
#[tokio::test]
async fn ten_thousand_members_are_changed_by_two_writers_and_neither_change_is_lost() {
    let office = Office::with_portfolio().await;
    let ids: Vec<String> = (0..limits::ANNUAL_LIST_MEMBERS + 1).map(|i| format!("p{i}")).collect();
    for some in ids.chunks(1000) {
        let requests = some.iter().map(|id| super::office::create_project(id, named("x"))).collect();
        let request = BatchCreateProjectsRequest {
            parent: "portfolios/wsc".into(),
            requests,
            ..BatchCreateProjectsRequest::default()
        };
        office.projects().batch_create_projects(request).await.unwrap();
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (first, rest) = ids.split_at(limits::ANNUAL_LIST_MEMBERS - 2);
    let members = first.iter().map(|id| member(id, Listing::Reserve)).collect();
    let list = office.annual_list("2021", members).await.unwrap();
    assert_eq!(list.registered_count, 9_998);

    // Both add at once; without an etag, each is added to what the other left.
    let (one, other) = (&rest[..1], &rest[1..2]);
    let added =
        tokio::join!(add(&office, one, Listing::NewStart, ""), add(&office, other, Listing::Continued, ""),);
    let (one, other) = (added.0.unwrap(), added.1.unwrap());
    let mut counts = [one.members.len(), other.members.len()];
    counts.sort_unstable();
    assert_eq!(counts, [9_999, 10_000]);
    let full = get(&office, "2021").await.unwrap();
    assert_eq!(full.registered_count, 10_000);

    // With the etag that both read, the second is refused, and takes the first one's change for its own.
    let relisted = add(&office, &ids[..1], Listing::NewStart, &full.etag).await.unwrap();
    let status = add(&office, &ids[1..2], Listing::NewStart, &full.etag).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::Aborted, "ETAG_MISMATCH".into()));
    let status = add(&office, &ids[10_000..], Listing::NewStart, "").await.unwrap_err();
    assert_eq!(refusal(&status), (Code::ResourceExhausted, "LIMIT_EXCEEDED".into()));
    assert_eq!(get(&office, "2021").await.unwrap(), relisted);
}

//! How many assignments a project may have: each further one is held against all of them.

use milepost_resource::Table;
use milepost_types::limits;

use super::*;

#[test]
fn a_project_has_so_many_assignments_that_are_not_deleted() {
    let mut world = World::with_projects(1);
    // One after another: nobody serves with somebody else.
    let day = |i: usize| {
        let days = jiff::Span::new().days(i64::try_from(i).unwrap());
        Some(milepost_resource::date_message(jiff::civil::date(2010, 1, 1).saturating_add(days)))
    };
    let parent = project_name("p0");
    let assignment = |i: usize| Assignment {
        name: format!("{parent}/assignments/a{i}"),
        person: "user:corp/u".to_owned(),
        start_date: day(i),
        end_date: day(i),
        state: assignment::State::Assigned.into(),
        ..Assignment::default()
    };
    let create = |world: &mut World, i| {
        let request = CreateAssignmentRequest {
            parent: parent.clone(),
            assignment_id: format!("a{i}"),
            assignment: Some(Assignment { name: String::new(), ..assignment(i) }),
            ..CreateAssignmentRequest::default()
        };
        let act = read_create::<Registry, Assignment>(request, &mut Violations::new(), Violations::new());
        world.ask(act.unwrap())
    };
    let table = Table::of::<Registry, Assignment>();
    for i in 1..limits::PROJECT_ASSIGNMENTS {
        table.put(&mut world.rows, assignment(i).encode_to_vec().into()).unwrap();
    }
    create(&mut world, 0).unwrap();
    let refused = create(&mut world, limits::PROJECT_ASSIGNMENTS).unwrap_err();
    assert!(matches!(refused, Rejection::LimitExceeded { limit: 1_000, .. }), "{refused}");
    let delete = Standard::Delete(target::<Assignment>(&assignment(0).name));
    world.ask(Box::new(delete)).unwrap();
    create(&mut world, limits::PROJECT_ASSIGNMENTS).unwrap();
}

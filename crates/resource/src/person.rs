//! Another person: what one does, someone else approves.
//!
//! Invariant: two are the same person if they share an id, be it the one who acts or the one that is acted for. A
//! caller without a principal is not a person, so it can never count as another person.

use milepost_ledger::{Actor, Authentication};
use milepost_proto::access::v1::Person;
use milepost_types::{Rejection, limits};

/// Who acts, if that is a person: who has proved it, or says so where nothing has to be proved.
fn acting(actor: &Actor) -> Option<Person> {
    let Actor { principal, on_behalf_of, authentication, .. } = actor;
    let is_person = *authentication != Authentication::System && !principal.is_empty();
    is_person.then(|| Person { principal: principal.clone(), on_behalf_of: on_behalf_of.clone() })
}

/// Who acts on this resource, where another person is to approve it: `approve` says what that one will do.
///
/// # Errors
/// A precondition `ACTOR_UNKNOWN` if who acts is nobody: then nobody could.
pub fn require_person(subject: &str, actor: &Actor, approve: &str) -> Result<Person, Rejection> {
    acting(actor).ok_or_else(|| {
        let description = format!("another person is to {approve}, so say who you are");
        Rejection::precondition("ACTOR_UNKNOWN", subject, description)
    })
}

/// Adds who acts to those who did the same before, as the last of them.
pub fn add_person(persons: &mut Vec<Person>, actor: &Actor) {
    if let Some(person) = acting(actor) {
        add(persons, person);
    }
}

/// The same where two persons are required, and all of them stay: that nobody did it is remembered as a person without a
/// name, until somebody who has one does it again.
///
/// # Errors
/// If there are too many with this one.
pub fn add_drafter_or_nobody(persons: &mut Vec<Person>, actor: &Actor) -> Result<(), Rejection> {
    let person = acting(actor).unwrap_or_default();
    check_room(persons, &person)?;
    add(persons, person);
    Ok(())
}

fn add(persons: &mut Vec<Person>, person: Person) {
    persons.retain(|other| *other != person && *other != Person::default());
    persons.push(person);
    let excess = persons.len().saturating_sub(limits::PERSONS);
    persons.drain(..excess);
}

/// The same where all of them stay: who comes after as many as are remembered is refused.
///
/// # Errors
/// If there are too many with this one.
pub fn add_drafter(persons: &mut Vec<Person>, actor: &Actor) -> Result<(), Rejection> {
    if let Some(person) = acting(actor) {
        check_room(persons, &person)?;
        add(persons, person);
    }
    Ok(())
}

/// Refuses a person more than are remembered.
fn check_room(persons: &[Person], person: &Person) -> Result<(), Rejection> {
    let others = persons.iter().filter(|other| *other != person && **other != Person::default());
    if others.count() < limits::PERSONS {
        return Ok(());
    }
    let limit = limits::PERSONS as u64;
    Err(Rejection::LimitExceeded { what: "persons who drafted one resource", limit })
}

/// Refuses who acts on this resource if one of these is the same person: `did` says what they did. If none of them is
/// known, as where nobody says who they are, the rule holds nothing.
///
/// # Errors
/// A precondition `SAME_PERSON`, or `ACTOR_UNKNOWN` if who acts is nobody.
pub fn check_another_person(
    subject: &str,
    actor: &Actor,
    persons: &[Person],
    did: &str,
) -> Result<(), Rejection> {
    if persons.is_empty() {
        return Ok(());
    }
    require_another_person(subject, actor, persons, did)
}

/// The same where two persons are required: nobody, on either side, is refused. If there are no persons, as of what no
/// person did, everybody who has a name is another one.
///
/// # Errors
/// As [`check_another_person`]; `ACTOR_UNKNOWN` also if it is not known who did it.
pub fn require_another_person(
    subject: &str,
    actor: &Actor,
    persons: &[Person],
    did: &str,
) -> Result<(), Rejection> {
    let unknown = |description: String| Err(Rejection::precondition("ACTOR_UNKNOWN", subject, description));
    let Some(person) = acting(actor) else {
        return unknown(format!("this takes another person than the one who {did}; say who you are"));
    };
    if persons.contains(&Person::default()) {
        return unknown(format!(
            "this takes another person than the one who {did}, which is not known; have that done again by someone who says \
             who they are"
        ));
    }
    let Some(same) = ids(&person).find(|id| persons.iter().any(|other| ids(other).any(|other| other == *id)))
    else {
        return Ok(());
    };
    let description = format!("{same} {did}, so it takes another person to approve that");
    Err(Rejection::precondition("SAME_PERSON", subject, description))
}

fn ids(person: &Person) -> impl Iterator<Item = &str> {
    [&person.principal, &person.on_behalf_of].into_iter().map(String::as_str).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(principal: &str, on_behalf_of: &str) -> Actor {
        Actor {
            principal: principal.into(),
            authentication: Authentication::Jwt,
            on_behalf_of: on_behalf_of.into(),
            credential: "jwt:1".into(),
        }
    }

    /// office.md, section 0, another person: the ids of the two acts are disjoint, else SAME_PERSON.
    #[test]
    fn whoever_shares_an_id_with_one_of_them_is_the_same_person() {
        let mut persons = Vec::new();
        add_person(&mut persons, &actor("user:corp/a", ""));
        add_person(&mut persons, &actor("user:corp/b", "user:corp/c"));
        for (principal, on_behalf_of, same) in [
            ("user:corp/a", "", Some("user:corp/a")),
            ("user:corp/d", "user:corp/a", Some("user:corp/a")),
            ("user:corp/a", "user:corp/d", Some("user:corp/a")),
            ("user:corp/c", "", Some("user:corp/c")),
            ("user:corp/d", "user:corp/b", Some("user:corp/b")),
            ("user:corp/d", "", None),
            ("user:corp/d", "user:corp/e", None),
        ] {
            let checked = check_another_person("x", &actor(principal, on_behalf_of), &persons, "wrote it");
            match (checked, same) {
                (Ok(()), None) => {}
                (Err(Rejection::Preconditions(found)), Some(same)) => {
                    assert_eq!((found[0].kind, found[0].subject.as_str()), ("SAME_PERSON", "x"));
                    assert!(found[0].description.starts_with(&format!("{same} wrote it")), "{found:?}");
                }
                (checked, _) => panic!("{principal} for {on_behalf_of}: {checked:?}"),
            }
        }
    }

    /// office.md, section 0, another person: an empty principal is ACTOR_UNKNOWN.
    #[test]
    fn who_says_who_they_are_is_a_person_and_nobody_and_the_system_are_none() {
        let kind = |checked: Result<(), Rejection>| match checked {
            Err(Rejection::Preconditions(found)) => found[0].kind,
            Ok(()) => "",
            other => panic!("{other:?}"),
        };
        let claimed =
            |principal: &str| Actor { authentication: Authentication::Claimed, ..actor(principal, "") };
        let system = Actor { authentication: Authentication::System, ..actor("tracker", "") };
        let mut persons = Vec::new();
        for none in [claimed(""), system.clone()] {
            add_person(&mut persons, &none);
            assert_eq!(persons, []);
        }
        assert_eq!(check_another_person("x", &claimed(""), &[], "wrote it"), Ok(()));
        assert_eq!(
            kind(require_another_person("x", &claimed("ann"), &[], "wrote it")),
            "",
            "no person wrote it"
        );
        assert_eq!(kind(require_another_person("x", &claimed(""), &[], "wrote it")), "ACTOR_UNKNOWN");
        add_person(&mut persons, &claimed("ann"));
        for check in [check_another_person, require_another_person] {
            assert_eq!(kind(check("x", &claimed("ann"), &persons, "wrote it")), "SAME_PERSON");
            assert_eq!(kind(check("x", &claimed("bob"), &persons, "wrote it")), "");
            assert_eq!(kind(check("x", &claimed(""), &persons, "wrote it")), "ACTOR_UNKNOWN");
            assert_eq!(kind(check("x", &system, &persons, "wrote it")), "ACTOR_UNKNOWN");
        }
    }

    /// Else the first of them could approve what they wrote.
    #[test]
    fn of_those_who_draft_all_are_kept_and_no_more_are_let_in() {
        let drafted = |persons: &mut Vec<Person>, i: usize| {
            add_drafter(persons, &actor("user:corp/delegate", &format!("user:corp/{i}")))
        };
        let mut persons = Vec::new();
        assert_eq!(add_drafter(&mut persons, &actor("user:corp/first", "")), Ok(()));
        for i in 1..limits::PERSONS {
            assert_eq!(drafted(&mut persons, i), Ok(()));
        }
        assert!(matches!(drafted(&mut persons, 0), Err(Rejection::LimitExceeded { .. })));
        assert_eq!(drafted(&mut persons, 1), Ok(()), "one who drafted before may go on");
        let refused = check_another_person("x", &actor("user:corp/first", ""), &persons, "wrote it");
        assert!(refused.is_err());
    }

    #[test]
    fn where_two_persons_are_required_nobody_is_remembered_until_somebody_does_it_again() {
        let kind =
            |persons: &[Person]| match require_another_person("x", &actor("bob", ""), persons, "did it") {
                Err(Rejection::Preconditions(found)) => found[0].kind,
                Ok(()) => "",
                other => panic!("{other:?}"),
            };
        let system = Actor { authentication: Authentication::System, ..actor("tracker", "") };
        let mut persons = Vec::new();
        for (by, remembered, refused) in [
            (actor("ann", ""), 1, ""),
            (actor("", ""), 2, "ACTOR_UNKNOWN"),
            (system, 2, "ACTOR_UNKNOWN"),
            (actor("cid", ""), 2, ""),
        ] {
            add_drafter_or_nobody(&mut persons, &by).unwrap();
            assert_eq!((persons.len(), kind(&persons)), (remembered, refused), "{by:?}");
        }
    }

    #[test]
    fn of_those_who_drafted_none_is_forgotten_but_one_more_refused() {
        let people = (0..limits::PERSONS).map(|i| actor(&format!("p{i}"), ""));
        for add in [add_drafter, add_drafter_or_nobody] {
            let mut persons = Vec::new();
            people.clone().for_each(|person| add(&mut persons, &person).unwrap());
            add(&mut persons, &actor("p0", "")).unwrap();
            let refused = add(&mut persons, &actor("one-more", ""));
            assert!(matches!(refused, Err(Rejection::LimitExceeded { .. })), "{refused:?}");
            assert_eq!((persons.len(), persons[0].principal.as_str()), (limits::PERSONS, "p1"));
        }
    }

    #[test]
    fn each_is_kept_once_and_of_many_the_last() {
        let mut persons = Vec::new();
        for i in 0..limits::PERSONS + 2 {
            add_person(&mut persons, &actor(&format!("user:corp/{i}"), ""));
            add_person(&mut persons, &actor("user:corp/often", ""));
        }
        assert_eq!(persons.len(), limits::PERSONS);
        assert_eq!(persons.iter().filter(|person| person.principal == "user:corp/often").count(), 1);
        assert_eq!(persons[0].principal, "user:corp/3");
    }
}

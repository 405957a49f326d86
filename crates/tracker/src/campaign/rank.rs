//! Ranks: by the rounded total, then by tie-breakers, then shared.
//!
//! Invariants: every tie is in the open: where a tie-breaker decides, it is named; where nothing decides, members share a
//! rank and the next one has as many more (1, 2, 2, 4). Who has no total has no rank. Names order what is shown, and never
//! decide.

/// What a member is ranked by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranked {
    pub(super) project: String,
    /// In hundredths; none: it could not be evaluated.
    pub(super) total: Option<i64>,
    /// Whether it comes after all others.
    pub(super) is_vetoed: bool,
    /// What decides between equal totals, in hundredths, the first first.
    pub(super) tie_breakers: Vec<i64>,
}

/// The place of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Which of the members.
    pub(super) index: usize,
    /// From 1; none: it has no total.
    pub(super) rank: Option<u32>,
    /// Which of the tie-breakers puts it before the next one.
    pub(super) decided_by: Option<usize>,
}

/// The places of members, in order.
pub(super) fn places(members: &[Ranked]) -> Vec<Place> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&members[*a], &members[*b]);
        let of = |member: &Ranked| (member.total.is_none(), member.is_vetoed);
        let scores = || (b.total, &b.tie_breakers).cmp(&(a.total, &a.tie_breakers));
        let is_ranked = a.total.is_some();
        let by_score = if is_ranked { scores() } else { std::cmp::Ordering::Equal };
        of(a).cmp(&of(b)).then(by_score).then_with(|| a.project.cmp(&b.project))
    });
    let mut places: Vec<Place> = Vec::with_capacity(order.len());
    let mut number = 0;
    for index in order {
        number += 1;
        let member = &members[index];
        let before = places.last().map(|place| (*place, &members[place.index]));
        let shared = before.filter(|(_, other)| {
            (other.total, other.is_vetoed, &other.tie_breakers)
                == (member.total, member.is_vetoed, &member.tie_breakers)
        });
        let rank = match (member.total, shared) {
            (None, _) => None,
            (Some(_), Some((place, _))) => place.rank,
            (Some(_), None) => Some(number),
        };
        places.push(Place { index, rank, decided_by: None });
    }
    decide(members, &mut places);
    places
}

/// Names what decides between those who have one total.
fn decide(members: &[Ranked], places: &mut [Place]) {
    let mut next: Option<Place> = None;
    let mut decided = None;
    for place in places.iter_mut().rev() {
        if let Some(below) = next.filter(|below| below.rank != place.rank || below.rank.is_none()) {
            let (above, below) = (&members[place.index], &members[below.index]);
            let is_tie =
                above.total.is_some() && (above.total, above.is_vetoed) == (below.total, below.is_vetoed);
            let differing = above.tie_breakers.iter().zip(&below.tie_breakers);
            decided = differing.enumerate().find(|(_, (a, b))| is_tie && a != b).map(|(i, _)| i);
        }
        place.decided_by = decided.filter(|_| place.rank.is_some());
        next = Some(*place);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(project: &str, total: Option<i64>, tie_breakers: &[i64]) -> Ranked {
        Ranked { project: project.into(), total, is_vetoed: false, tie_breakers: tie_breakers.to_vec() }
    }

    type Line<'a> = (&'a str, Option<u32>, Option<usize>);

    fn lines(members: &[Ranked]) -> Vec<Line<'_>> {
        let line = |place: Place| (members[place.index].project.as_str(), place.rank, place.decided_by);
        places(members).into_iter().map(line).collect()
    }

    /// office.md, section 5, day 50: B before A by safety, C unranked.
    #[test]
    fn the_day_50_of_the_specification() {
        let members =
            [member("a", Some(9_153), &[9_200]), member("b", Some(9_153), &[9_400]), member("c", None, &[0])];
        assert_eq!(lines(&members), [("b", Some(1), Some(0)), ("a", Some(2), None), ("c", None, None)]);
    }

    /// office.md, section 5: tie-breakers named in `decided_by`, then shared: 1, 2, 2, 4.
    #[test]
    fn equal_members_share_a_rank_and_the_next_has_as_many_more() {
        let members = [
            member("d", Some(80), &[1]),
            member("c", Some(90), &[5]),
            member("b", Some(90), &[5]),
            member("a", Some(95), &[0]),
        ];
        let expected =
            [("a", Some(1), None), ("b", Some(2), None), ("c", Some(2), None), ("d", Some(4), None)];
        assert_eq!(lines(&members), expected);
        let members = [
            member("a", Some(90), &[5, 1]),
            member("b", Some(90), &[5, 1]),
            member("c", Some(90), &[5, 0]),
            member("d", Some(90), &[4, 9]),
        ];
        let expected =
            [("a", Some(1), Some(1)), ("b", Some(1), Some(1)), ("c", Some(3), Some(0)), ("d", Some(4), None)];
        assert_eq!(lines(&members), expected);
    }

    /// office.md, section 5: vetoed after all others; any NOT_EVALUATED: unranked.
    #[test]
    fn the_vetoed_come_after_all_others_and_who_has_no_total_has_no_rank() {
        let vetoed = |member: Ranked| Ranked { is_vetoed: true, ..member };
        let members = [
            vetoed(member("best", Some(100), &[])),
            vetoed(member("unknown", None, &[])),
            member("worst", Some(10), &[]),
            member("equal", Some(100), &[]),
        ];
        let expected = [
            ("equal", Some(1), None),
            ("worst", Some(2), None),
            ("best", Some(3), None),
            ("unknown", None, None),
        ];
        assert_eq!(lines(&members), expected);
    }

    proptest! {
        /// Whoever has more is before whoever has less, whatever the order in which they are given.
        #[test]
        fn the_order_in_which_members_are_given_decides_nothing(
            given in proptest::collection::vec((proptest::option::of(0..4_i64), 0..3_i64, any::<bool>()), 0..12),
        ) {
            let named = |(i, (total, tie, is_vetoed)): (usize, &(Option<i64>, i64, bool))| Ranked {
                is_vetoed: *is_vetoed,
                ..member(&format!("p{i:02}"), *total, &[*tie])
            };
            let members: Vec<_> = given.iter().enumerate().map(named).collect();
            let mut reversed = members.clone();
            reversed.reverse();
            prop_assert_eq!(lines(&members), lines(&reversed));
            for place in places(&members) {
                let own = &members[place.index];
                let is_before = |other: &&Ranked| {
                    let key = |member: &Ranked| (!member.is_vetoed, member.total, member.tie_breakers.clone());
                    other.total.is_some() && key(other) > key(own)
                };
                let better = members.iter().filter(is_before).count();
                prop_assert_eq!(place.rank.map(|rank| rank as usize), own.total.map(|_| better + 1));
            }
        }
    }
}

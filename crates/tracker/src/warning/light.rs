//! Lights, and what becomes of them over evaluations: runs, steps, and the light that is shown.
//!
//! Invariants: what is excused, and what has no light, neither counts nor ends a run, and changes nothing that is shown.
//! The light that is shown becomes worse after `raise_after` evaluations in a row that are worse, and better after
//! `clear_after` that are better, but as bad as a step raises it at once. Nothing here knows dates, or how a light came
//! about.

use milepost_proto::tracker::v1::WarningLight;

/// A light: the greater one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Light {
    Green,
    Yellow,
    Red,
}

impl Light {
    /// The light that a message says; none if it is none of the three.
    pub(crate) fn of(number: i32) -> Option<Self> {
        match WarningLight::try_from(number) {
            Ok(WarningLight::Green) => Some(Self::Green),
            Ok(WarningLight::Yellow) => Some(Self::Yellow),
            Ok(WarningLight::Red) => Some(Self::Red),
            _ => None,
        }
    }

    /// As messages say it.
    pub(crate) fn message(light: Option<Self>) -> i32 {
        let light = match light {
            None => WarningLight::NoLight,
            Some(Self::Green) => WarningLight::Green,
            Some(Self::Yellow) => WarningLight::Yellow,
            Some(Self::Red) => WarningLight::Red,
        };
        light.into()
    }
}

/// What follows from lights that last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) at_light: Light,
    pub(crate) consecutive: i32,
    pub(crate) raise_to: Option<Light>,
}

/// How a policy goes from one evaluation to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progression {
    pub(crate) raise_after: i32,
    pub(crate) clear_after: i32,
    pub(crate) steps: Vec<Step>,
}

/// How many evaluations in a row had which lights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Runs {
    /// Yellow or red.
    pub(crate) yellow: i32,
    pub(crate) red: i32,
    /// Green, and not raised by a step.
    pub(crate) green: i32,
    /// Green or yellow, and not raised to red by a step.
    pub(crate) not_red: i32,
}

/// What an evaluation takes over from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carried {
    /// The light that is shown; none until there is one.
    pub(crate) shown: Option<Light>,
    pub(crate) runs: Runs,
}

impl Progression {
    /// What one more evaluation with this light makes of it, and the steps that it reaches, by their places. No light:
    /// it has none, or is excused.
    pub(crate) fn follow(&self, before: &Carried, light: Option<Light>) -> (Carried, Vec<usize>) {
        let Some(light) = light else { return (*before, Vec::new()) };
        let longer = |run: i32, goes_on: bool| if goes_on { run.saturating_add(1) } else { 0 };
        let (yellow, red) = (light >= Light::Yellow, light == Light::Red);
        let mut runs = Runs {
            yellow: longer(before.runs.yellow, yellow),
            red: longer(before.runs.red, red),
            ..before.runs
        };
        let run = |at: Light| if at == Light::Red { runs.red } else { runs.yellow };
        let raising = self.steps.iter().filter(|step| run(step.at_light) >= step.consecutive);
        let raised = raising.filter_map(|step| step.raise_to).max();
        let reached =
            self.steps.iter().enumerate().filter(|(_, step)| run(step.at_light) == step.consecutive);
        let reached = reached.map(|(place, _)| place).collect();
        let counted = raised.map_or(light, |raised| raised.max(light));
        runs.green = longer(before.runs.green, counted == Light::Green);
        runs.not_red = longer(before.runs.not_red, counted <= Light::Yellow);
        let shown = before.shown.map_or(counted, |shown| self.shown(shown, &runs));
        let shown = raised.map_or(shown, |raised| raised.max(shown));
        (Carried { shown: Some(shown), runs }, reached)
    }

    fn shown(&self, before: Light, runs: &Runs) -> Light {
        let worst = [(runs.red, Light::Red), (runs.yellow, Light::Yellow)];
        let worse = worst.into_iter().find(|(run, _)| *run >= self.raise_after).map(|(_, light)| light);
        if let Some(worse) = worse.filter(|worse| *worse > before) {
            return worse;
        }
        let best = [(runs.green, Light::Green), (runs.not_red, Light::Yellow)];
        let better = best.into_iter().find(|(run, _)| *run >= self.clear_after).map(|(_, light)| light);
        better.map_or(before, |better| better.min(before))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Light::{Green as G, Red as R, Yellow as Y};
    use super::*;

    fn progression(after: i32, steps: &[Step]) -> Progression {
        Progression { raise_after: after, clear_after: after, steps: steps.to_vec() }
    }

    /// What is shown after each of these, and the steps that each reaches.
    fn shown(progression: &Progression, lights: &[Option<Light>]) -> Vec<(Option<Light>, Vec<usize>)> {
        let mut carried = Carried::default();
        let each = lights.iter().map(|light| {
            let (after, reached) = progression.follow(&carried, *light);
            carried = after;
            (carried.shown, reached)
        });
        each.collect()
    }

    const YELLOW_THREE_TIMES: Step = Step { at_light: Y, consecutive: 3, raise_to: Some(R) };

    /// office.md, section 4: March and April yellow, May excused, June yellow: run 3, so red.
    #[test]
    fn office_4_an_excused_period_neither_counts_nor_resets_so_the_third_yellow_is_red() {
        let progression = progression(1, &[YELLOW_THREE_TIMES]);
        let months = shown(&progression, &[Some(Y), Some(Y), None, Some(Y)]);
        let expected = [(Some(Y), vec![]), (Some(Y), vec![]), (Some(Y), vec![]), (Some(R), vec![0])];
        assert_eq!(months, expected);
        // A better light resets, and the next one that is yellow is the first again.
        let reset = shown(&progression, &[Some(Y), Some(Y), Some(G), Some(Y), Some(Y), Some(Y), Some(Y)]);
        let lights: Vec<_> = reset.iter().map(|(light, _)| light.unwrap()).collect();
        assert_eq!(lights, [Y, Y, G, Y, Y, R, R]);
        // A step is reached once a run.
        assert_eq!(reset.iter().filter(|(_, reached)| !reached.is_empty()).count(), 1);
    }

    /// office.md, section 4: hysteresis with 2: Y, G, G is shown as Y, Y, G.
    #[test]
    fn office_4_with_2_one_green_alone_does_not_clear() {
        let two = progression(2, &[]);
        let lights = |given: &[Light]| -> Vec<Light> {
            let given: Vec<_> = given.iter().copied().map(Some).collect();
            shown(&two, &given).into_iter().filter_map(|(light, _)| light).collect()
        };
        assert_eq!(lights(&[Y, G, G]), [Y, Y, G]);
        assert_eq!(lights(&[Y, G, Y, G, G]), [Y, Y, Y, Y, G]);
        assert_eq!(lights(&[G, Y, G, Y, Y]), [G, G, G, G, Y]);
        assert_eq!(lights(&[G, Y, R, R]), [G, G, Y, R], "as bad as both of them are");
        assert_eq!(lights(&[R, G, Y, G, G]), [R, R, Y, Y, G], "as good as both of them are");
        let with_gap = shown(&two, &[Some(Y), Some(G), None, Some(G)]);
        assert_eq!(with_gap.last().unwrap().0, Some(G), "no light neither counts nor ends it");
    }

    /// office.md, section 4, [SY]: yellow twice: deputy mayor; red: city leader.
    #[test]
    fn office_4_a_red_light_counts_as_yellow_too() {
        let steps = [
            Step { at_light: Y, consecutive: 2, raise_to: None },
            Step { at_light: R, consecutive: 1, raise_to: None },
        ];
        let reached = |lights: &[Light]| -> Vec<Vec<usize>> {
            let lights: Vec<_> = lights.iter().copied().map(Some).collect();
            shown(&progression(1, &steps), &lights).into_iter().map(|(_, reached)| reached).collect()
        };
        assert_eq!(reached(&[Y, R, R, Y]), [vec![], vec![0, 1], vec![], vec![]]);
        assert_eq!(reached(&[R, G, R]), [vec![1], vec![], vec![1]]);
    }

    #[test]
    fn what_a_step_raised_clears_as_slowly_as_anything() {
        let progression = Progression { raise_after: 1, clear_after: 2, steps: vec![YELLOW_THREE_TIMES] };
        let given = [Y, Y, Y, G, G].map(Some);
        let lights: Vec<_> = shown(&progression, &given).into_iter().filter_map(|(light, _)| light).collect();
        assert_eq!(lights, [Y, Y, R, R, G]);
    }

    fn any_light() -> impl Strategy<Value = Option<Light>> {
        prop_oneof![Just(None), Just(Some(G)), Just(Some(Y)), Just(Some(R))]
    }

    proptest! {
        #[test]
        fn without_steps_and_with_1_what_is_shown_is_the_last_light(
            lights in prop::collection::vec(any_light(), 1..20),
        ) {
            let after = shown(&progression(1, &[]), &lights);
            let last = lights.iter().rev().find_map(|light| *light);
            prop_assert_eq!(after.last().unwrap().0, last);
        }

        #[test]
        fn what_has_no_light_may_as_well_not_be_there(lights in prop::collection::vec(any_light(), 1..20), after in 1..4) {
            let progression = progression(after, &[YELLOW_THREE_TIMES]);
            let counted: Vec<_> = lights.iter().copied().filter(Option::is_some).collect();
            let all = shown(&progression, &lights).last().unwrap().0;
            let alone = shown(&progression, &counted).last().and_then(|last| last.0);
            prop_assert_eq!(all, alone);
        }

        #[test]
        fn what_is_shown_is_never_worse_than_the_worst_nor_better_than_the_best(
            lights in prop::collection::vec(any_light(), 1..20),
            after in 1..4,
        ) {
            let given: Vec<_> = lights.iter().filter_map(|light| *light).collect();
            for (light, _) in shown(&progression(after, &[]), &lights) {
                if let Some(light) = light {
                    prop_assert!(given.iter().max() >= Some(&light) && given.iter().min() <= Some(&light));
                }
            }
        }
    }
}

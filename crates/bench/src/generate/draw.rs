//! Draws: numbers that look random and are always the same for a seed, a purpose and a number.
//!
//! Invariant: each thing has draws of its own, so that what is drawn for one does not change when another is
//! added. The generator is SplitMix64 (Steele, Lea, Flood 2014).

/// The draws of one thing.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// The draws of the thing with this number, for this purpose.
    pub fn of(seed: u64, purpose: &str, number: u64) -> Self {
        let mut state = seed;
        for byte in purpose.bytes() {
            state = mixed(state ^ u64::from(byte));
        }
        Self(mixed(state ^ mixed(number)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(end);
        (wide >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high.abs_diff(low) + 1) as i64
    }

    /// Whether something happens that does in so many of a hundred cases.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<T: Copy, const N: usize>(&mut self, from: &[T; N]) -> T {
        const { assert!(N > 0, "there is nothing to pick from") };
        from[self.below(N as u64) as usize]
    }

    /// 32 bytes, as a hash has.
    pub fn hash(&mut self) -> Vec<u8> {
        (0..4).flat_map(|_| self.next().to_be_bytes()).collect()
    }
}

fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_purpose_and_number_and_on_nothing_else() {
        let first = |seed, purpose, number| Draw::of(seed, purpose, number).next();
        assert_eq!(first(1, "project", 7), first(1, "project", 7));
        assert_ne!(first(1, "project", 7), first(2, "project", 7));
        assert_ne!(first(1, "project", 7), first(1, "phase", 7));
        assert_ne!(first(1, "project", 7), first(1, "project", 8));
    }

    #[test]
    fn draws_stay_within_their_bounds_and_reach_them() {
        let mut draw = Draw::of(1, "test", 0);
        let drawn: std::collections::BTreeSet<i64> = (0..1000).map(|_| draw.between(-2, 2)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2]);
        assert_eq!(draw.below(0), 0);
        let happened = (0..10_000).filter(|_| draw.happens(30)).count();
        assert!((2700..3300).contains(&happened), "{happened} of 10,000 at 30 %");
    }
}

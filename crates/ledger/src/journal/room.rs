//! Space on a journal's disk: what is free, what must stay free, and what the next append takes.
//!
//! Invariant: one sentence describes it to people, the same in every error, log line and readiness check, and it
//! never contradicts its own figures. Exact bytes are for programs. Nothing is measured here.

use std::fmt;

/// Space on the disk of a journal, in bytes, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskRoom {
    /// Free on the file system.
    pub free_bytes: u64,
    /// What must stay free: the configured `min_free_bytes`.
    pub floor_bytes: u64,
    /// What the append needs above the floor: for a new segment, or where nothing was reserved. 0: it fits
    /// into the reserved space.
    pub needed_bytes: u64,
}

impl DiskRoom {
    /// Whether there is enough.
    pub fn suffices(&self) -> bool {
        self.free_bytes >= self.floor_bytes.saturating_add(self.needed_bytes)
    }

    /// The largest size that a new segment may have.
    pub(super) fn above_floor(&self) -> u64 {
        self.free_bytes.saturating_sub(self.floor_bytes)
    }
}

impl fmt::Display for DiskRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (free, floor) = (Size(self.free_bytes), Size(self.floor_bytes));
        if self.suffices() {
            // A quota, or space reserved for others, which the system does not report.
            return write!(
                f,
                "the journal's disk accepts no more data: a quota is reached, or it is full ({free} free)"
            );
        }
        write!(f, "{free} free on the journal's disk, ")?;
        match self.needed_bytes {
            0 => write!(f, "below the floor of {floor}"),
            needed => write!(f, "but a write needs {} above the floor of {floor}", Size(needed)),
        }
    }
}

/// The shortage for which writes are refused, if there is one: from the space at the last refused append, and
/// the space measured now.
///
/// If the disk refused although the system reported enough space, only a successful append shows that this is
/// over: then `refused` is `None`.
pub(crate) fn shortage(refused: Option<DiskRoom>, now: DiskRoom) -> Option<DiskRoom> {
    match refused {
        Some(refused) if refused.suffices() => Some(DiskRoom { free_bytes: now.free_bytes, ..refused }),
        refused => {
            let needed_bytes = now.needed_bytes.max(refused.map_or(0, |refused| refused.needed_bytes));
            let room = DiskRoom { needed_bytes, ..now };
            (!room.suffices()).then_some(room)
        }
    }
}

/// A number of bytes in a readable form: rounded down to a tenth of the largest unit below it.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
        match units.into_iter().find(|(_, bits)| self.0 >> bits > 0) {
            None => write!(f, "{} bytes", self.0),
            Some((unit, bits)) => {
                let tenths = ((u128::from(self.0) * 10) >> bits) as u64;
                match tenths % 10 {
                    0 => write!(f, "{} {unit}", tenths / 10),
                    tenth => write!(f, "{}.{tenth} {unit}", tenths / 10),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn room(free_bytes: u64, floor_bytes: u64, needed_bytes: u64) -> DiskRoom {
        DiskRoom { free_bytes, floor_bytes, needed_bytes }
    }

    #[test]
    fn sizes_are_shown_in_the_largest_unit() {
        let sizes = [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (8192, "8 KiB"),
            (46_088_192, "43.9 MiB"),
            (MIB - 1, "1023.9 KiB"),
            (5 << 29, "2.5 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn the_text_of_a_shortage_agrees_with_its_figures() {
        let below = room(MIB - 1, MIB, 0);
        assert!(!below.suffices());
        assert_eq!(below.to_string(), "1023.9 KiB free on the journal's disk, below the floor of 1 MiB");
        let segment = room(46_088_192, MIB, 64 * MIB);
        assert!(!segment.suffices());
        assert_eq!(
            segment.to_string(),
            "43.9 MiB free on the journal's disk, but a write needs 64 MiB above the floor of 1 MiB"
        );
        let quota = room(46_088_192, MIB, 8192);
        assert!(quota.suffices());
        assert!(!quota.to_string().contains("floor"), "{quota}");
    }

    #[test]
    fn a_shortage_lasts_until_there_is_space_for_the_refused_append() {
        let enough = room(10 * MIB, MIB, 0);
        assert_eq!(shortage(None, enough), None);
        assert_eq!(shortage(None, room(MIB - 1, MIB, 0)), Some(room(MIB - 1, MIB, 0)), "before any write");
        let refused = room(10 * MIB, MIB, 60 * MIB);
        assert_eq!(shortage(Some(refused), enough), Some(refused), "a smaller write might still pass");
        assert_eq!(shortage(Some(refused), room(61 * MIB, MIB, 0)), None);
        assert_eq!(shortage(Some(refused), room(61 * MIB - 1, MIB, 0)).unwrap().needed_bytes, 60 * MIB);
        let quota = room(10 * MIB, MIB, 8192);
        assert_eq!(shortage(Some(quota), room(90 * MIB, MIB, 0)), Some(room(90 * MIB, MIB, 8192)));
    }
}

//! A domain of numbered cells: every command is one line of arithmetic, so a test can compute the expected rows.
//!
//! Rows: `[1, cell]` → value u64; `[2]` → the sum of all cells, so that a torn state is detected; `[3]` from
//! version 2 on, so that a store of another version is detected.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use milepost_ledger::journal::Journal;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{
    Actor, CommandId, Context, Decision, Digest, Direction, Domain, Entry, KeyRange, Ledger, Options, Read,
    Submission, Unusable, Write,
};
use milepost_types::{Hash, LogId, ManualClock, Position};

/// What may be asked.
#[derive(Debug, Clone)]
pub enum Command {
    /// Adds to a cell; refused if the cell would pass 1,000,000.
    Add { cell: u8, amount: u64 },
    /// Empties a cell; nothing changes if it is empty.
    Clear { cell: u8 },
    /// Adds one to every cell from 0 to here.
    AddToAll { cells: u8 },
    /// Panics while it is decided.
    PanicInDecide,
    /// Panics while it is applied, after it has put a row.
    PanicInApply,
    /// Decides what cannot be applied, after it has put a row.
    Unusable,
    /// An entry of about this many bytes.
    Large { bytes: usize },
}

/// The cell's value that spoke against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooMuch(pub u64);

/// Cells; the store version can be chosen.
pub struct Cells<const VERSION: u32 = 1>;

const CELL: u8 = 1;
const SUM: &[u8] = &[2];
/// A row that later versions have, and no use for.
const NEWER: &[u8] = &[3];

pub fn cell(rows: &dyn Read, cell: u8) -> u64 {
    number(rows.get(&[CELL, cell]))
}

pub fn sum(rows: &dyn Read) -> u64 {
    number(rows.get(SUM))
}

pub fn cells(rows: &dyn Read) -> Vec<(u8, u64)> {
    rows.scan(&KeyRange::prefix(&[CELL]), Direction::Forward)
        .map(|(key, value)| (key[1], number(Some(value))))
        .collect()
}

fn number(value: Option<Bytes>) -> u64 {
    value.map_or(0, |value| u64::from_be_bytes(value.as_ref().try_into().unwrap()))
}

fn set(cell: u8, value: u64) -> Bytes {
    let mut event = vec![cell];
    event.extend(value.to_be_bytes());
    Bytes::from(event)
}

impl<const VERSION: u32> Domain for Cells<VERSION> {
    type Command = Command;
    type Rejection = TooMuch;
    const STORE_VERSION: u32 = VERSION;

    fn decide(&self, rows: &dyn Read, command: &Command, _: &Context) -> Result<Decision, TooMuch> {
        let events = match *command {
            Command::Add { cell: at, amount } => {
                let value = cell(rows, at);
                if value + amount > 1_000_000 {
                    return Err(TooMuch(value));
                }
                vec![set(at, value + amount)]
            }
            Command::Clear { cell: at } if cell(rows, at) == 0 => vec![],
            Command::Clear { cell } => vec![set(cell, 0)],
            Command::AddToAll { cells } => (0..cells).map(|at| set(at, cell(rows, at) + 1)).collect(),
            Command::PanicInDecide => panic!("in decide"),
            Command::PanicInApply => vec![set(0, 77), Bytes::from_static(b"!")],
            Command::Unusable => vec![set(0, 77), Bytes::from_static(b"?")],
            Command::Large { bytes } => vec![set(255, bytes as u64), Bytes::from(vec![b'x'; bytes])],
        };
        Ok(Decision { portfolio: "cells".into(), decided_on: vec![], events })
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        for event in &entry.events {
            match (event.len(), event[0]) {
                (9, at) => {
                    let (old, new) = (cell(rows, at), number(Some(event.slice(1..))));
                    let total = sum(rows) - old + new;
                    rows.put(SUM.to_vec(), Bytes::copy_from_slice(&total.to_be_bytes()));
                    if new == 0 {
                        rows.delete(&[CELL, at]);
                    } else {
                        rows.put(vec![CELL, at], event.slice(1..));
                    }
                    if VERSION > 1 {
                        rows.put(NEWER.to_vec(), Bytes::new());
                    }
                }
                (1, b'!') => panic!("in apply"),
                (1, b'?') => return Err(Unusable::new("a question")),
                _ => {}
            }
        }
        Ok(())
    }
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2021-05-27T08:00:00Z".parse().unwrap()))
}

/// Small bounds, so that checkpoints come often.
pub fn options() -> Options {
    Options { checkpoint_rows: 10, ..Options::default() }
}

pub fn memory() -> Arc<MemoryJournal> {
    Arc::new(MemoryJournal::new(LogId::generate()))
}

pub fn open(dir: &Path, journal: Arc<dyn Journal>) -> Ledger<Cells> {
    open_with(dir, journal, options())
}

pub fn open_with(dir: &Path, journal: Arc<dyn Journal>, options: Options) -> Ledger<Cells> {
    Ledger::open("cells", dir, journal, Arc::new(Cells), clock(), options).unwrap()
}

/// Closes a ledger and lets go of its store.
pub fn shut<D: Domain>(ledger: Ledger<D>) {
    ledger.close();
}

pub fn add(cell: u8, amount: u64) -> Submission<Command> {
    Submission::system("test", Command::Add { cell, amount })
}

/// The same, under a request id of a principal.
pub fn asked(principal: &str, id: &str, command: Command) -> Submission<Command> {
    let body = milepost_ledger::chain(&Hash::ZERO, format!("{command:?}").as_bytes());
    Submission {
        actor: Actor { principal: principal.into(), ..Actor::default() },
        command_id: Some(CommandId::Request { id: id.into(), body }),
        ..Submission::system("test", command)
    }
}

/// Builds the store anew from the journal, elsewhere.
pub fn rebuilt(journal: &dyn Journal) -> (Position, Digest) {
    let dir = tempfile::tempdir().unwrap();
    milepost_ledger::rebuild(dir.path(), journal, &Cells::<1>, &options()).unwrap()
}

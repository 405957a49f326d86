//! A long history: how long Milepost takes to reopen it and to rebuild its stores, and how large it is.

use std::path::Path;
use std::time::Duration;

use crate::figure::{Figure, Unit};
use crate::system::{Error, Milepost, Mode, Setting, System, disk_bytes, journal_bytes};

/// After this long, checkpoints are written and what a burst used is given back.
const SETTLES: Duration = Duration::from_secs(8);

/// Measures with so many entries; reopens and rebuilds so often.
pub async fn measure(setting: &Setting, entries: u64, rounds: usize) -> Result<Vec<Figure>, Error> {
    let milepost = Milepost::start(setting, Mode::Open).await?;
    milepost.fill(entries).await?;
    tokio::time::sleep(SETTLES).await;
    let memory = milepost.memory_bytes();
    let mut figures = vec![
        Figure::new(Unit::EventBytes, setting.payload_bytes as f64),
        Figure::new(Unit::MemoryMebibytes, memory as f64 / f64::from(1 << 20)),
    ];
    let mut server = milepost.into_server();
    for _ in 0..rounds {
        let (again, took) = server.restart(|_| Ok(())).await?;
        server = again;
        figures.push(Figure::new(Unit::ReopenSeconds, took.as_secs_f64()));
    }
    for _ in 0..rounds {
        let (again, took) = server.restart(without_stores).await?;
        server = again;
        figures.push(Figure::new(Unit::RebuildSeconds, took.as_secs_f64()));
    }
    tokio::time::sleep(SETTLES).await;
    let data = server.data();
    let program = server.program().to_owned();
    server.stop().await?;
    for (kind, journal, store) in [
        ("tracker", Unit::JournalBytes, Unit::StoreBytes),
        ("notifier", Unit::CopyBytes, Unit::CopyStoreBytes),
    ] {
        let (count, bytes) = journal_bytes(&program, &data, kind)?;
        let count = count.max(1) as f64;
        let each = bytes as f64 / count;
        figures.push(Figure::new(journal, each));
        if journal == Unit::JournalBytes {
            figures.push(Figure::new(Unit::OverheadBytes, each - setting.payload_bytes as f64));
        }
        figures.push(Figure::new(store, disk_bytes(&data.join(kind).join("store")) as f64 / count));
    }
    Ok(figures)
}

fn without_stores(data: &Path) -> Result<(), Error> {
    for kind in ["registry", "tracker", "notifier"] {
        std::fs::remove_dir_all(data.join(kind).join("store"))?;
    }
    Ok(())
}

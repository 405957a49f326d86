//! The run: in every round each system is started afresh, loaded, measured and stopped.
//!
//! Invariant: whatever happens, every process that was started has ended when `run` returns, and its
//! directory is gone. A work that fails is reported and does not stop the others.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::figure::{Figure, Unit};
use crate::progress::bar;
use crate::system::{Error, Kind, Milepost, Programs, Setting};
use crate::work::{Bench, Work, measure_million};

/// What is measured, and how.
pub struct Plan {
    pub systems: Vec<Kind>,
    pub works: Vec<Work>,
    pub rounds: usize,
    pub warm_up: Duration,
    pub measure: Duration,
    pub subjects: usize,
    pub connections: usize,
    pub programs: Programs,
}

/// What came of it.
pub struct Outcome {
    /// Which systems were measured, in which version.
    pub versions: Vec<(Kind, String)>,
    /// Which were not, and why.
    pub missing: Vec<(Kind, String)>,
    pub payload_bytes: usize,
    pub figures: Figures,
    /// What failed.
    pub failures: Vec<String>,
}

/// The values of each round, by place of the work, unit and system.
pub type Figures = BTreeMap<(usize, Unit), BTreeMap<Kind, Vec<f64>>>;

/// Without Milepost to ask: about what its event takes.
const PAYLOAD_BYTES: usize = 480;

/// Measures.
pub async fn run(plan: &Plan) -> Result<Outcome, Error> {
    let (mut versions, mut missing) = (Vec::new(), Vec::new());
    for kind in &plan.systems {
        match kind.version(&plan.programs) {
            Ok(version) => versions.push((*kind, version)),
            Err(why) => missing.push((*kind, why)),
        }
    }
    let kinds: Vec<Kind> = versions.iter().map(|(kind, _)| *kind).collect();
    let dir = tempfile::Builder::new().prefix("milepost-bench-").tempdir()?;
    // Systems that do not run as root have their own directories below it.
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let setting = |name: &str, payload_bytes| {
        let dir = dir.path().join(name);
        std::fs::create_dir(&dir)?;
        let (subjects, connections) = (plan.subjects, plan.connections);
        Ok::<_, Error>(Setting { dir, payload_bytes, subjects, connections, programs: plan.programs.clone() })
    };
    let payload_bytes = match kinds.contains(&Kind::Milepost) {
        true => Milepost::event_bytes(&setting("event", PAYLOAD_BYTES)?).await?,
        false => PAYLOAD_BYTES,
    };

    let mut outcome =
        Outcome { versions, missing, payload_bytes, figures: Figures::new(), failures: Vec::new() };
    let progress = progress(plan, &kinds);
    for round in 0..plan.rounds {
        for kind in &kinds {
            progress.set_message(format!("round {}: starting {kind}", round + 1));
            let setting = setting(&format!("{round}-{kind:?}"), payload_bytes)?;
            let turn = turn(plan, *kind, &setting, round, &progress, &mut outcome).await;
            if let Err(error) = turn {
                outcome.failures.push(format!("round {}, {kind}: {error}", round + 1));
            }
            // A leftover costs disk, not truth.
            let _ = std::fs::remove_dir_all(&setting.dir);
        }
    }
    if kinds.contains(&Kind::Milepost) {
        for (place, work) in plan.works.iter().enumerate() {
            let Work::Million { entries } = *work else { continue };
            progress.set_message(work.title());
            let setting = setting("million", payload_bytes)?;
            match measure_million(&setting, entries, plan.rounds).await {
                Ok(figures) => record(&mut outcome.figures, place, Kind::Milepost, figures),
                Err(error) => outcome.failures.push(format!("{}: {error}", work.title())),
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    Ok(outcome)
}

/// All works of one system, one after another.
async fn turn(
    plan: &Plan,
    kind: Kind,
    setting: &Setting,
    round: usize,
    progress: &ProgressBar,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    if each_round(plan, kind).next().is_none() {
        return Ok(());
    }
    let system = kind.start(setting).await?;
    let bench = Bench {
        system: system.as_ref(),
        warm_up: plan.warm_up,
        measure: plan.measure,
        next: AtomicU64::new(0),
    };
    for (place, work) in each_round(plan, kind) {
        progress.set_message(format!("round {}: {kind}: {}", round + 1, work.title()));
        match work.measure(&bench).await {
            Ok(figures) => record(&mut outcome.figures, place, kind, figures),
            Err(error) => {
                outcome.failures.push(format!("round {}, {kind}, {}: {error}", round + 1, work.title()));
            }
        }
        progress.inc(1);
    }
    Ok(())
}

/// What a system does in each round, with its place; the million is done once, at the end.
fn each_round(plan: &Plan, kind: Kind) -> impl Iterator<Item = (usize, Work)> {
    let works = plan.works.iter().copied().enumerate();
    works.filter(move |(_, work)| work.suits(kind) && !matches!(work, Work::Million { .. }))
}

fn record(figures: &mut Figures, place: usize, kind: Kind, new: Vec<Figure>) {
    for Figure { unit, value } in new {
        figures.entry((place, unit)).or_default().entry(kind).or_default().push(value);
    }
}

fn progress(plan: &Plan, kinds: &[Kind]) -> ProgressBar {
    let each: usize = kinds.iter().map(|kind| each_round(plan, *kind).count()).sum();
    let million = |work: &&Work| matches!(work, Work::Million { .. }) && kinds.contains(&Kind::Milepost);
    let once = plan.works.iter().filter(million).count();
    bar((each * plan.rounds + once) as u64)
}

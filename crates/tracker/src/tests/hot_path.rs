//! What a reforecast costs the writer. A measurement: run by hand, in a release build.

use std::sync::Arc;

use jiff::ToSpan;
use milepost_ledger::{Actor, CommandId, Submission};

use super::*;
use crate::command::{Command, Wish};
use crate::milestone::Action;

/// Milestones in the ledger.
const MILESTONES: usize = 10_000;
/// Commands that are measured.
const COMMANDS: usize = 50_000;
/// What one may take: deciding, encoding, hashing, applying.
const MICROSECONDS: f64 = 15.0;

#[tokio::test]
#[ignore = "a measurement, for release builds: cargo test --release -p milepost-tracker hot_path -- --ignored --nocapture"]
async fn a_reforecast_is_lean() {
    let (_registry, mut tracker) = road().await;
    for thousand in 0..MILESTONES / 1000 {
        let one = |i: usize| {
            let mut request = create(&format!("m{:05}", thousand * 1000 + i));
            let milestone = request.milestone.as_mut().unwrap();
            milestone.r#type = "designApproval".into();
            milestone.owner = "organizations/cqu".into();
            milestone.translations.insert("en".into(), "Design approval".into());
            milestone.labels.insert("ring".into(), "inner".into());
            request
        };
        let batch = BatchCreateMilestonesRequest {
            parent: PROJECT.into(),
            requests: (0..1000).map(one).collect(),
            ..Default::default()
        };
        tracker.client.batch_create_milestones(batch).await.unwrap();
    }
    let ledger = tracker.service.api.ledger.clone();
    let submission = |i: usize| {
        let name = format!("{PROJECT}/milestones/m{:05}", i * 7919 % MILESTONES);
        let forecast = Some(BASELINE.saturating_add(((i / 100 % 300) as i64 + 1).days()));
        let wish = Wish::Act {
            name: name.parse().unwrap(),
            etag: None,
            action: Action::Reforecast { forecast, reason: "reported by the site".into() },
        };
        Submission {
            command: Arc::new(Command::from(wish)),
            actor: Actor::default(),
            command_id: Some(CommandId::Request {
                id: format!("0195f3a0-7c1e-4b6e-9d55-{i:012}"),
                body: milepost_types::Hash::ZERO,
            }),
            validate_only: false,
            deadline: None,
        }
    };
    let (decided, entries) = (ledger.stats().decide_time(), ledger.stats().entries());
    for start in (0..COMMANDS).step_by(1000) {
        let answers = ledger.submit_all((start..start + 1000).map(submission).collect()).await;
        assert!(answers.iter().all(Result::is_ok));
    }
    let entries = ledger.stats().entries() - entries;
    let each = (ledger.stats().decide_time() - decided).as_secs_f64() * 1e6 / entries as f64;
    println!("{entries} reforecasts: {each:.2} µs of the writer each");
    assert!(each < MICROSECONDS, "{each:.2} µs");
    tracker.stop().await;
}

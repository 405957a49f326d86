//! No flush is lost: every message of every stream arrives although nothing is sent after it.

use super::*;
use milepost_proto::journal::v1::EntryFragment;

const STREAMS: usize = 40;
const ROUNDS: usize = 300;

/// A message that says its round; its size varies from nothing to more than a frame.
fn numbered(round: usize, size: usize) -> FollowResponse {
    let data = vec![b'x'; size].into();
    let fragment = EntryFragment { sequence: u64::try_from(round).unwrap(), data, ..Default::default() };
    FollowResponse { fragments: vec![fragment], tail: None, lineage: vec![], elapsed: None }
}

async fn every_message_arrives(connections: usize) {
    let server = Running::start(Config::default()).await;
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(server.client().await);
    }
    let mut received = Vec::new();
    for i in 0..STREAMS {
        let answer = soon(clients[i % connections].follow(follow("scripted"))).await.unwrap();
        received.push(answer.into_inner());
    }
    let senders = server.streams.lock().clone();
    assert_eq!(senders.len(), STREAMS);
    let mut random = 7_usize;
    for round in 0..ROUNDS {
        // Which streams speak, and how much, differs from round to round; then all is silent until
        // everything has arrived, so that a flush that was lost is not made good by a later one.
        let mut speaking = Vec::new();
        for (i, sender) in senders.iter().enumerate() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if (random >> 33).is_multiple_of(if round.is_multiple_of(3) { 20 } else { 2 }) {
                let size = [0, 10, 300, 2_000, 20_000, 90_000][(random >> 40) % 6];
                sender.send(Ok(numbered(round, size))).unwrap();
                speaking.push(i);
            }
        }
        for i in speaking {
            let message = soon(received[i].message()).await.unwrap().unwrap();
            assert_eq!(message.fragments[0].sequence, u64::try_from(round).unwrap());
        }
    }
    drop(senders);
    server.streams.lock().clear();
    for mut stream in received {
        assert!(soon(stream.message()).await.unwrap().is_none());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn on_one_connection_and_one_thread() {
    every_message_arrives(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_connections_and_threads() {
    every_message_arrives(4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_connection_for_each() {
    every_message_arrives(STREAMS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_call_is_answered_without_anything_after_it() {
    let server = Running::start(Config::default()).await;
    let mut client = server.client().await;
    for _ in 0..500 {
        soon(client.get_ledger_info(info("x"))).await.unwrap();
    }
    server.stop().await.unwrap();
}

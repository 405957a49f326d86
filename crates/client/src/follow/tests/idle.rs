//! Responses without entries: that there is nothing new, and as of when.

use super::*;

#[tokio::test]
async fn an_idle_server_is_heard_each_time_it_says_that_there_is_nothing_new() {
    let entries = log(&[10; 2]);
    let end = tail(&entries);
    let idle = || Ok(response(Vec::new(), end));
    let script = vec![Ok(response(fragments(&entries, 1000), end)), idle(), idle(), idle()];
    let server = Server::new(entries.clone(), 1000, vec![script]);
    let mut follower = follower(&server, None).await;
    assert_eq!(collect(&mut follower, 2).await, entries);
    for _ in 0..3 {
        let heard = follower.next().await.unwrap();
        assert_eq!((heard.entries.len(), heard.tail), (0, end));
    }
}

#[tokio::test]
async fn what_is_read_late_is_as_of_when_it_was_sent() {
    let entries = log(&[10]);
    let at = |seconds| {
        let elapsed = Some(prost_types::Duration { seconds, nanos: 0 });
        Ok(FollowResponse { elapsed, ..response(Vec::new(), tail(&entries)) })
    };
    let unsaid = Ok(response(Vec::new(), tail(&entries)));
    let server = Server::new(entries.clone(), 1000, vec![vec![at(0), at(100), at(200), unsaid]]);
    let before = Instant::now();
    let mut follower = follower(&server, Some(tail(&entries))).await;
    let mut as_of = Vec::new();
    for _ in 0..4 {
        as_of.push(follower.next().await.unwrap().as_of);
    }
    let apart = [as_of[1] - as_of[0], as_of[2] - as_of[0]].map(|apart| apart.as_secs());
    assert_eq!(apart, [100, 200]);
    assert!(as_of[0] >= before && as_of[0] <= Instant::now() && as_of[3] <= Instant::now());
}

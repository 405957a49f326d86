//! How long an event takes through the hub to its watchers: `cargo bench -p milepost-notifier`.

use divan::Bencher;
use divan::counter::ItemsCount;
use milepost_notifier::FanOut;

fn main() {
    divan::main();
}

/// One event, taken by all.
#[divan::bench(args = [1, 100, 10_000])]
fn fan_out(bencher: Bencher, watchers: usize) {
    let mut fan_out = FanOut::new(watchers, false);
    assert_eq!(fan_out.round(), watchers, "every watcher gets it");
    bencher.counter(ItemsCount::new(watchers)).bench_local(|| fan_out.round());
}

/// One event, which one of many selections matches.
#[divan::bench(args = [100, 10_000])]
fn selections_apart(bencher: Bencher, watchers: usize) {
    let mut fan_out = FanOut::new(watchers, true);
    assert_eq!(fan_out.round(), 1, "one watcher gets it");
    bencher.bench_local(|| fan_out.round());
}

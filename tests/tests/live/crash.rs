//! A host that dies at any write leaves nothing stranded: the next one goes on where it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_core::journal::Entry;
use tidegate_core::lifecycle::Stage;
use tidegate_core::{CommandId, Controller, ServerId, Span, StepName};
use tidegate_driver::clock::Clock;
use tidegate_driver::ports::PowerChange;
use tidegate_driver::store::SqliteStore;

use crate::day::{Day, Deadly, GROUP, minute};

const STANDBY: ServerId = ServerId(1);
const END: i64 = 10;

/// A rise and a fall, in order, and under the first seven ids.
const SEQUENCE: [StepName; 7] = [
    StepName::PowerOn,
    StepName::StartServices,
    StepName::Join,
    StepName::Drain,
    StepName::QuiesceJobs,
    StepName::StopServices,
    StepName::PowerOff,
];

/// A day whose first host dies at that write; how many writes it came to.
async fn dies_at(write: usize, written: bool) -> (Day, usize) {
    dies_in(Day::new(), write, written).await
}

async fn dies_in(day: Day, write: usize, written: bool) -> (Day, usize) {
    let deadly = Arc::new(Deadly::new(day.store.clone(), write, written));
    let host = day.host(deadly.clone()).await;
    tokio::select! {
        biased;
        () = deadly.died() => {}
        ended = host.run() => panic!("the host ended: {ended:?}"),
        () = day.clock.run_until(minute(END)) => {}
    }
    let writes = deadly.writes();
    let stored = issued(&day.journal().await);
    let known = day.servers.applied().iter().all(|one| stored.contains_key(&one.id));
    assert!(known, "write {write}: what was done is on disk");
    day.unattended(Span::from_secs(20)).await;
    day.hosted_until(minute(END + 2)).await;
    (day, writes)
}

/// What each command was, which must not change from one time that it is issued to the next.
fn issued(journal: &[Entry]) -> BTreeMap<CommandId, StepName> {
    let mut issued = BTreeMap::new();
    for command in journal.iter().flat_map(|entry| &entry.commands) {
        let step = command.kind.step();
        assert_eq!(command.server, STANDBY);
        assert_eq!(*issued.entry(command.id).or_insert(step), step, "{:?}", command.id);
    }
    issued
}

/// How often one writer is violated by what was done to the servers.
fn second_writers(day: &Day, journal: &[Entry]) -> u64 {
    let writers = day.servers.one_writer(journal).unwrap();
    assert!(writers.checked >= 7, "the commands were judged");
    writers.violated
}

/// Whatever happened to its hosts, a day comes to this.
async fn came_to_its_end(day: &Day, case: &str) {
    let journal = day.journal().await;
    let expected: BTreeMap<_, _> = (0..).map(CommandId).zip(SEQUENCE).collect();
    assert_eq!(issued(&journal), expected, "{case}");
    let mut effects: Vec<_> = day.servers.applied().iter().map(|one| (one.id, one.step)).collect();
    effects.dedup();
    assert_eq!(effects, expected.into_iter().collect::<Vec<_>>(), "{case}");
    assert_eq!(day.servers.harm(), Vec::<String>::new(), "{case}");
    assert_eq!(second_writers(day, &journal), 0, "{case}");
    let first = |step| day.servers.applied().into_iter().find(|one| one.step == step).unwrap().at;
    let stop = tidegate_driver::fakes::Times::default().stop;
    let power = [
        PowerChange { server: STANDBY, on: true, at: first(StepName::PowerOn) },
        PowerChange { server: STANDBY, on: false, at: first(StepName::PowerOff) + stop },
    ];
    assert_eq!(day.servers.power_record(), power, "{case}");
    let stored = day.store.load(GROUP).await.unwrap().unwrap();
    assert_eq!(stored.tail.len(), 0, "{case}: a graceful stop leaves a checkpoint");
    let controller = Controller::restore(stored.checkpoint.snapshot).unwrap();
    assert_eq!(controller.stage(STANDBY), Stage::Standby, "{case}");
    assert_eq!(controller.unfinished().count(), 0, "{case}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_dies_at_any_write_strands_nothing() {
    let (day, writes) = dies_at(usize::MAX, false).await;
    came_to_its_end(&day, "no death").await;
    assert!(writes > 60, "a rise and a fall take more writes than {writes}");
    for write in 1..=writes {
        for written in [false, true] {
            let (day, _) = dies_at(write, written).await;
            came_to_its_end(&day, &format!("write {write}, written: {written}")).await;
        }
    }
}

/// The same with the store that ships, whose writes are on other threads and go to disk.
#[tokio::test(start_paused = true)]
async fn what_is_on_disk_suffices() {
    let name = format!("tidegate-crash-{}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    for write in [1, 2, 20, 40, 60] {
        let file = directory.join(format!("{write}.db"));
        let store = SqliteStore::open(&file, None).await.unwrap();
        let (day, _) = dies_in(Day::stored_in(Arc::new(store)), write, write % 2 == 0).await;
        came_to_its_end(&day, &format!("write {write} on disk")).await;
    }
    std::fs::remove_dir_all(directory).unwrap();
}

/// A day whose hosts each last so long, and follow one another.
async fn hosts_that_last(first: Span, others: Span) -> Day {
    let day = Day::new();
    let mut life = first;
    while day.clock.now() < minute(END) {
        let host = day.host(day.store.clone()).await;
        tokio::select! {
            biased;
            ended = host.run() => panic!("the host ended: {ended:?}"),
            () = day.clock.run_until((day.clock.now() + life).min(minute(END))) => {}
        }
        day.unattended(Span::from_secs(3)).await;
        life = others;
    }
    day.hosted_until(minute(END + 2)).await;
    day
}

#[tokio::test(start_paused = true)]
async fn a_host_that_dies_at_any_moment_strands_nothing() {
    // Between an order's effect and its answer too.
    for half in 0..END * 120 {
        let day = hosts_that_last(Span::from_millis(half * 500), Span::MAX).await;
        came_to_its_end(&day, &format!("after {half} half seconds")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_that_die_one_after_another_come_to_an_end_together() {
    for seconds in 10..60 {
        let life = Span::from_secs(seconds);
        let day = hosts_that_last(life, life).await;
        came_to_its_end(&day, &format!("{seconds} s each")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_know_that_it_was_taken_over_ends_and_acts_no_more() {
    let day = Day::new();
    let first = tokio::spawn(day.host(day.store.clone()).await.run());
    day.clock.run_until(minute(2)).await;
    day.hosted_until(minute(END + 2)).await;
    let ended = first.await.unwrap().unwrap_err();
    assert!(ended.to_string().contains("failed to store"), "{ended}");
    came_to_its_end(&day, "two hosts").await;
}

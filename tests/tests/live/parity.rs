//! The runtime, given what a simulated controller was given, writes what that one wrote.

use std::path::Path;
use std::sync::Arc;

use tidegate_core::journal::Entry;
use tidegate_core::{Failure, Input, Outcome, Span, Timestamp};
use tidegate_driver::fakes::{MemoryStore, VirtualClock};
use tidegate_driver::runtime::{Deaf, Group, Host, Limits, Mode, Setup};
use tidegate_driver::store::Store;
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, read};

use crate::replayed::Replayed;

const GROUP: &str = "group";

/// The ports say when something is seen; nothing is given up before they do.
const LIMITS: Limits = Limits {
    look: Span::ZERO,
    look_moving: Span::ZERO,
    patience: Span::MAX,
    answer: Span::MAX,
    poll: Span::from_secs(1),
    grace: Span::MAX,
};

fn simulated(name: &str) -> (Model, Vec<u8>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name);
    let model = read(&path, &Overrides::default()).unwrap();
    let mut journal = Vec::new();
    tidegate_sim::run::run(&model, &mut journal, &mut |_| {}).unwrap();
    (model, journal)
}

/// What the runtime writes upon the same inputs.
async fn live(model: &Model, entries: &[Entry]) -> Vec<u8> {
    let clock = VirtualClock::new(model.start);
    let store = MemoryStore::default();
    let replayed = Replayed::new(clock.clone(), entries);
    let setup = Setup {
        store: Arc::new(store.clone()),
        clock: Arc::new(clock.clone()),
        listener: Arc::new(Deaf),
        limits: LIMITS,
        mode: Mode::Act,
    };
    let group =
        Group { name: GROUP.to_owned(), config: model.group.clone(), ports: replayed.ports() };
    let host = Host::start(&setup, vec![group]).await.unwrap();
    let end: Timestamp = model.start + model.duration;
    let last = clock.sleep_in_turn(end, u64::from(u32::MAX));
    let stop = host.handle();
    tokio::spawn(async move {
        last.await;
        stop.stop();
    });
    let people = host.handle();
    tokio::spawn(async move {
        while let Some(request) = replayed.request().await {
            people.request(GROUP, "a person", request).await.unwrap();
        }
    });
    let (ended, ()) = tokio::join!(host.run(), clock.run_until(end));
    ended.unwrap();
    store.journal(GROUP, 1).await.unwrap().concat()
}

async fn agree(name: &str) -> Vec<Entry> {
    let (model, simulated) = simulated(name);
    let text = String::from_utf8(simulated).unwrap();
    let entries: Vec<_> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let live = String::from_utf8(live(&model, &entries).await).unwrap();
    for (number, (live, simulated)) in live.lines().zip(text.lines()).enumerate() {
        assert_eq!(live, simulated, "{name}: line {} differs", number + 1);
    }
    assert_eq!(live.lines().count(), text.lines().count(), "{name}");
    assert_eq!(live, text, "{name}");
    entries
}

fn commands(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.commands.len()).sum()
}

#[tokio::test(start_paused = true)]
async fn a_day_that_scales_gives_the_same_journal_live() {
    let entries = agree("exam-day.toml").await;
    assert!(commands(&entries) >= 7, "a rise and a fall take seven commands");
}

#[tokio::test(start_paused = true)]
async fn machines_that_boot_too_late_give_the_same_journal_live() {
    let entries = agree("slow-boot.toml").await;
    let fenced = Outcome::Failed(Failure::Fenced);
    let late =
        |entry: &Entry| matches!(entry.input, Input::Complete { outcome, .. } if outcome == fenced);
    assert!(entries.iter().any(late), "a start that was given up comes true later, and is fenced");
}

#[tokio::test(start_paused = true)]
async fn a_day_of_alerts_gives_the_same_journal_live() {
    let entries = agree("alerted.toml").await;
    assert!(commands(&entries) >= 14, "two rises and two falls");
}

#[tokio::test(start_paused = true)]
async fn what_people_ask_for_gives_the_same_journal_live() {
    let entries = agree("hazards/frappe-beta.toml").await;
    assert!(entries.iter().any(|entry| matches!(entry.input, Input::Request(_))));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_gives_another_journal() {
    let (model, simulated) = simulated("exam-day.toml");
    let text = String::from_utf8(simulated).unwrap();
    let entries = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let kept = entries.filter(|entry: &Entry| !matches!(entry.input, Input::Complete { .. }));
    let live = live(&model, &kept.collect::<Vec<_>>()).await;
    assert_ne!(String::from_utf8(live).unwrap(), text);
}

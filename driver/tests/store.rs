//! What the embedded store keeps, and whom it refuses.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::PathBuf;

use tidegate_core::journal::Line;
use tidegate_core::policy::Policy;
use tidegate_core::{Controller, GroupConfig, Input, OperatorRequest, Span, Timestamp};
use tidegate_driver::store::{Asked, Checkpoint, Mark, Record, SqliteStore, Store, StoreError};

/// A file that is gone with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("tidegate-store-{name}-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn file(&self) -> PathBuf {
        self.0.join("state.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(0) + Span::from_secs(seconds)
}

fn group() -> GroupConfig {
    GroupConfig {
        standbys: 1,
        primary_weight: 1,
        standby_weight: 1,
        policy: Policy::default(),
        defects: tidegate_core::Defects::default(),
    }
}

/// The line that a wake gives, and the controller after it every third time.
fn record(controller: &mut Controller, number: u64) -> Record {
    let now = at(number.cast_signed());
    let step = controller.step(now, Input::Wake);
    let mut line = serde_json::to_vec(&Line::after(None, now, &Input::Wake, &step)).unwrap();
    line.push(b'\n');
    let snapshot = controller.snapshot();
    let last = Some(step.decision);
    let checkpoint =
        (number % 3 == 1).then(|| Box::new(Checkpoint { number, at: now, snapshot, last }));
    Record { number, at: now, line, notes: Vec::new(), checkpoint, asked: None }
}

#[tokio::test]
async fn what_was_appended_is_there_when_the_file_is_opened_again() {
    let scratch = Scratch::new("again");
    let mut controller = Controller::new(group(), at(0));
    let store = SqliteStore::open(&scratch.file(), None).await.unwrap();
    assert_eq!(store.begin_term().await, Ok(0));
    assert!(store.load("a").await.unwrap().is_none());
    let mut lines = Vec::new();
    for number in 1..=5 {
        let record = record(&mut controller, number);
        lines.push(record.line.clone());
        store.append(0, "a", record).await.unwrap();
    }
    drop(store);
    let store = SqliteStore::open(&scratch.file(), None).await.unwrap();
    assert_eq!(store.begin_term().await, Ok(1));
    assert!(store.load("b").await.unwrap().is_none());
    let stored = store.load("a").await.unwrap().unwrap();
    assert_eq!(stored.checkpoint.number, 4);
    assert_eq!(stored.tail, lines[4..]);
    assert_eq!(store.journal("a", 1).await.unwrap(), lines);
}

#[tokio::test]
async fn a_host_that_was_taken_over_writes_nothing() {
    let scratch = Scratch::new("fenced");
    let mut controller = Controller::new(group(), at(0));
    let first = SqliteStore::open(&scratch.file(), None).await.unwrap();
    let ours = first.begin_term().await.unwrap();
    first.append(ours, "a", record(&mut controller, 1)).await.unwrap();
    let second = SqliteStore::open(&scratch.file(), None).await.unwrap();
    let now = second.begin_term().await.unwrap();
    assert!(now > ours);
    let refused = first.append(ours, "a", record(&mut controller, 2)).await;
    assert_eq!(refused, Err(StoreError::Fenced { ours, now }));
    assert_eq!(second.journal("a", 2).await.unwrap(), Vec::<Vec<u8>>::new());
    second.append(now, "a", record(&mut controller, 2)).await.unwrap();
}

#[tokio::test]
async fn lines_that_are_old_and_behind_a_checkpoint_are_removed() {
    let scratch = Scratch::new("keep");
    let mut controller = Controller::new(group(), at(0));
    let store = SqliteStore::open(&scratch.file(), Some(Span::from_secs(4))).await.unwrap();
    let term = store.begin_term().await.unwrap();
    for number in 1..=8 {
        store.append(term, "a", record(&mut controller, number)).await.unwrap();
    }
    // That of the seventh removed what came before the last that is more than four seconds older.
    assert_eq!(store.journal("a", 1).await.unwrap().len(), 7);
    let past = store.past("a", Timestamp::default()).await.unwrap().unwrap();
    assert_eq!((past.checkpoint.number, past.lines.len()), (1, 7));
    let later = store.past("a", at(5)).await.unwrap().unwrap();
    assert_eq!((later.checkpoint.number, later.lines.len()), (4, 4));
    assert!(store.past("b", at(5)).await.unwrap().is_none());
}

#[tokio::test]
async fn what_people_asked_stays_when_its_lines_are_removed() {
    let scratch = Scratch::new("asked");
    let mut controller = Controller::new(group(), at(0));
    let store = SqliteStore::open(&scratch.file(), Some(Span::ZERO)).await.unwrap();
    let term = store.begin_term().await.unwrap();
    let requests = [
        OperatorRequest::ScaleUp { by: 1, hold: Some(Span::from_mins(5)) },
        OperatorRequest::PauseUntil(at(9)),
        OperatorRequest::Resume,
    ];
    let mut asked = Vec::new();
    for (number, request) in (1..).zip(requests) {
        let one = Asked { at: at(number), who: format!("person {number}"), request };
        asked.insert(0, one.clone());
        let record = record(&mut controller, number.cast_unsigned());
        store.append(term, "a", Record { asked: Some(one), ..record }).await.unwrap();
    }
    store.append(term, "a", record(&mut controller, 4)).await.unwrap();
    assert_eq!(store.journal("a", 1).await.unwrap().len(), 1);
    drop(store);
    let store = SqliteStore::open(&scratch.file(), None).await.unwrap();
    assert_eq!(store.asked("a", 9).await.unwrap(), asked);
    assert_eq!(store.asked("a", 2).await.unwrap(), asked[..2]);
    assert_eq!(store.asked("b", 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_store_of_a_newer_program_and_a_file_that_is_none_are_refused() {
    let scratch = Scratch::new("newer");
    let file = rusqlite::Connection::open(scratch.file()).unwrap();
    file.pragma_update(None, "user_version", 3).unwrap();
    drop(file);
    let refused = SqliteStore::open(&scratch.file(), None).await.unwrap_err();
    assert_eq!(refused, StoreError::Newer(3));
    let text = scratch.0.join("text");
    std::fs::write(&text, "this is no database, and long enough to be seen as none".repeat(20))
        .unwrap();
    let refused = SqliteStore::open(&text, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Broken(_)), "{refused}");
}

#[tokio::test]
async fn how_far_a_set_up_has_come_is_kept_and_a_host_of_before_does_not_change_it() {
    let scratch = Scratch::new("marks");
    let mark = |step: &str| Mark { step: step.to_owned(), at: at(1) };
    let store = SqliteStore::open(&scratch.file(), None).await.unwrap();
    assert_eq!(store.marks("a").await, Ok(Vec::new()));
    let before = store.begin_term().await.unwrap();
    let term = store.begin_term().await.unwrap();
    store.mark(term, "a", &[mark("one"), mark("two")]).await.unwrap();
    let late = store.mark(before, "a", &[]).await;
    assert_eq!(late, Err(StoreError::Fenced { ours: before, now: term }));
    drop(store);
    let store = SqliteStore::look(&scratch.file()).await.unwrap();
    assert_eq!(store.marks("a").await, Ok(vec![mark("one"), mark("two")]));
    assert!(store.begin_term().await.is_err(), "it is read alone");
}

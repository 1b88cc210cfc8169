mod encrypted;
mod hosts;
mod postgres;
mod server;
mod sqlite;

use tidegate_core::journal::Line;
use tidegate_core::policy::Policy;
use tidegate_core::{Controller, GroupConfig, Input, OperatorRequest, ServerId, Span, Timestamp};
use tidegate_driver::store::{Asked, Checkpoint, Mark, Note, Noted, Place, Record, StoreError};

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

async fn what_was_appended_is_there_when_it_is_opened_again(place: &Place) {
    let mut controller = Controller::new(group(), at(0));
    let store = place.open(None).await.unwrap();
    assert_eq!(store.begin_term().await, Ok(0));
    assert!(store.load("a").await.unwrap().is_none());
    let mut lines = Vec::new();
    for number in 1..=5 {
        let record = record(&mut controller, number);
        lines.push(record.line.clone());
        store.append(0, "a", record).await.unwrap();
    }
    drop(store);
    let store = place.open(None).await.unwrap();
    assert_eq!(store.begin_term().await, Ok(1));
    assert!(store.load("b").await.unwrap().is_none());
    let stored = store.load("a").await.unwrap().unwrap();
    assert_eq!(stored.checkpoint.number, 4);
    assert_eq!(stored.tail, lines[4..]);
    assert_eq!(store.journal("a", 1).await.unwrap(), lines);
    let snapshot = controller.snapshot();
    let checkpoint = Checkpoint { number: 5, at: at(9), snapshot, last: None };
    store.checkpoint(1, "a", checkpoint.clone()).await.unwrap();
    let stored = place.read().await.unwrap().load("a").await.unwrap().unwrap();
    assert_eq!((stored.checkpoint, stored.tail.len()), (checkpoint, 0));
}

async fn a_host_that_was_taken_over_writes_nothing(place: &Place) {
    let mut controller = Controller::new(group(), at(0));
    let first = place.open(None).await.unwrap();
    let ours = first.begin_term().await.unwrap();
    first.append(ours, "a", record(&mut controller, 1)).await.unwrap();
    let second = place.open(None).await.unwrap();
    let now = second.begin_term().await.unwrap();
    assert!(now > ours);
    let fenced = Err(StoreError::Fenced { ours, now });
    let refused = first.append(ours, "a", record(&mut controller, 2)).await;
    assert_eq!(refused, fenced);
    let snapshot = controller.snapshot();
    let checkpoint = Checkpoint { number: 2, at: at(2), snapshot, last: None };
    assert_eq!(first.checkpoint(ours, "a", checkpoint).await, fenced);
    assert_eq!(second.journal("a", 2).await.unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(second.load("a").await.unwrap().unwrap().checkpoint.number, 1);
    second.append(now, "a", record(&mut controller, 2)).await.unwrap();
}

async fn lines_that_are_old_and_behind_a_checkpoint_are_removed(place: &Place) {
    let mut controller = Controller::new(group(), at(0));
    let store = place.open(Some(Span::from_secs(4))).await.unwrap();
    let term = store.begin_term().await.unwrap();
    let what = Noted::Power { server: ServerId(1), on: true };
    let note = |seconds| Note { at: at(seconds), what };
    for number in 1..=8 {
        let mut record = record(&mut controller, number);
        record.notes = vec![note(number.cast_signed()), note(2)];
        store.append(term, "a", record).await.unwrap();
    }
    // That of the seventh removed what came before the last that is more than four seconds older.
    assert_eq!(store.journal("a", 1).await.unwrap().len(), 7);
    let past = store.past("a", Timestamp::default()).await.unwrap().unwrap();
    assert_eq!((past.checkpoint.number, past.lines.len()), (1, 7));
    assert_eq!(past.notes, (1..=8).map(note).collect::<Vec<_>>(), "each once");
    let later = store.past("a", at(5)).await.unwrap().unwrap();
    assert_eq!((later.checkpoint.number, later.lines.len()), (4, 4));
    assert!(store.past("b", at(5)).await.unwrap().is_none());
    for number in 9..=12 {
        store.append(term, "a", record(&mut controller, number)).await.unwrap();
    }
    let past = store.past("a", Timestamp::default()).await.unwrap().unwrap();
    assert_eq!((past.checkpoint.number, past.lines.len()), (4, 8));
    assert_eq!(past.notes, (4..=8).map(note).collect::<Vec<_>>());
}

async fn what_many_append_and_people_ask_is_kept(place: &Place) {
    let store = place.open(None).await.unwrap();
    let term = store.begin_term().await.unwrap();
    let groups: Vec<_> = (0..40).map(|number| format!("group-{number}")).collect();
    let appended = groups.iter().map(async |group: &String| {
        let mut controller = Controller::new(self::group(), at(0));
        for number in 1..=3 {
            let mut record = record(&mut controller, number);
            let (who, request) = (format!("{group} {number}"), OperatorRequest::Resume);
            record.asked = Some(Asked { at: at(0), who, request });
            store.append(term, group, record).await.unwrap();
        }
    });
    futures_util::future::join_all(appended).await;
    for group in &groups {
        assert_eq!(store.journal(group, 1).await.unwrap().len(), 3);
        let asked = store.asked(group, 2).await.unwrap();
        let who: Vec<_> = asked.into_iter().map(|asked| asked.who).collect();
        assert_eq!(who, [format!("{group} 3"), format!("{group} 2")]);
    }
}

async fn what_people_asked_stays_when_its_lines_are_removed(place: &Place) {
    let mut controller = Controller::new(group(), at(0));
    let store = place.open(Some(Span::ZERO)).await.unwrap();
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
    for number in 4..=7 {
        store.append(term, "a", record(&mut controller, number)).await.unwrap();
    }
    assert_eq!(store.journal("a", 1).await.unwrap().len(), 3, "from the fifth on");
    drop(store);
    let store = place.open(None).await.unwrap();
    assert_eq!(store.asked("a", 9).await.unwrap(), asked);
    assert_eq!(store.asked("a", 2).await.unwrap(), asked[..2]);
    assert_eq!(store.asked("b", 9).await.unwrap(), []);
}

async fn how_far_a_set_up_has_come_is_kept_and_a_host_of_before_does_not_change_it(place: &Place) {
    let mark = |step: &str| Mark { step: step.to_owned(), at: at(1) };
    let store = place.open(None).await.unwrap();
    assert_eq!(store.marks("a").await, Ok(Vec::new()));
    let before = store.begin_term().await.unwrap();
    let term = store.begin_term().await.unwrap();
    store.mark(term, "a", &[mark("one"), mark("two")]).await.unwrap();
    let late = store.mark(before, "a", &[]).await;
    assert_eq!(late, Err(StoreError::Fenced { ours: before, now: term }));
    drop(store);
    let store = place.look().await.unwrap().unwrap();
    assert_eq!(store.marks("a").await, Ok(vec![mark("one"), mark("two")]));
}

//! The journal of a run is enough: its inputs give every step again, and a restart loses nothing.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::path::Path;

use tidegate_core::journal::Entry;
use tidegate_core::{
    Command, CommandId, Controller, Decision, GroupConfig, Input, Snapshot, Step, Timestamp,
};
use tidegate_sim::scenario::{Overrides, read};

/// What a run was given and what it wrote.
struct Journal {
    group: GroupConfig,
    start: Timestamp,
    entries: Vec<Entry>,
}

impl Journal {
    fn of(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name);
        let model = read(&path, &Overrides::default()).unwrap();
        let mut bytes = Vec::new();
        tidegate_sim::run::run(&model, &mut bytes, &mut |_| {}).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let entries = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { group: model.group, start: model.start, entries }
    }

    fn controller(&self) -> Controller {
        Controller::new(self.group.clone(), self.start)
    }

    /// Commands that were issued and not answered within the first `count` entries, by server.
    fn open(&self, count: usize) -> Vec<Command> {
        let mut open = BTreeMap::<CommandId, Command>::new();
        for entry in &self.entries[..count] {
            if let Input::Complete { id, .. } = entry.input {
                open.remove(&id);
            }
            open.extend(entry.commands.iter().map(|command| (command.id, *command)));
        }
        sorted(open.into_values())
    }

    /// After how many entries to stop: at every command that is open, and now and then between.
    fn cuts(&self) -> Vec<usize> {
        let busy = |count: &usize| !self.open(*count).is_empty() || count.is_multiple_of(97);
        (0..=self.entries.len()).filter(busy).collect()
    }
}

fn sorted(commands: impl Iterator<Item = Command>) -> Vec<Command> {
    let mut commands: Vec<_> = commands.collect();
    commands.sort_by_key(|command| (command.server, command.id));
    commands
}

fn steps(controller: &mut Controller, entries: &[Entry]) -> Vec<Step> {
    entries.iter().map(|entry| controller.step(entry.at, entry.input.clone())).collect()
}

/// As it lies on disk.
fn stored(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

/// Steps a new controller through the journal; returns the commands and the decisions written.
fn replays(name: &str) -> (usize, usize) {
    let journal = Journal::of(name);
    let taken = steps(&mut journal.controller(), &journal.entries);
    let (mut commands, mut decisions) = (0, 0);
    let mut last: Option<Decision> = None;
    for (entry, step) in journal.entries.iter().zip(&taken) {
        assert_eq!(entry.commands, step.commands, "{name} at {:?}", entry.at);
        match entry.decision {
            Some(written) => assert_eq!(written, step.decision, "{name} at {:?}", entry.at),
            None => assert!(last.is_some_and(|last| last.reads_like(&step.decision))),
        }
        commands += entry.commands.len();
        decisions += usize::from(entry.decision.is_some());
        last = Some(step.decision);
    }
    (commands, decisions)
}

#[test]
fn a_day_that_scaled_comes_out_of_its_inputs() {
    let (commands, decisions) = replays("exam-day.toml");
    assert!(commands >= 7, "a rise and a fall take seven commands, not {commands}");
    assert!(decisions >= 7, "{decisions}");
}

#[test]
fn a_day_of_alerts_comes_out_of_its_inputs() {
    let (commands, decisions) = replays("alerted.toml");
    assert!(commands >= 14, "two rises and two falls take fourteen commands, not {commands}");
    assert!(decisions >= 14, "{decisions}");
}

#[test]
fn a_day_that_did_not_scale_comes_out_of_its_inputs() {
    let (commands, decisions) = replays("short-burst.toml");
    assert_eq!(commands, 0);
    assert!(decisions >= 3, "the burst changes the decision, {decisions} is too few");
}

#[test]
fn a_journal_that_lacks_an_input_gives_other_steps() {
    let mut journal = Journal::of("exam-day.toml");
    let whole = steps(&mut journal.controller(), &journal.entries);
    let completion = |entry: &Entry| matches!(entry.input, Input::Complete { .. });
    let lost = journal.entries.iter().position(completion).unwrap();
    journal.entries.remove(lost);
    let rest = steps(&mut journal.controller(), &journal.entries);
    assert_ne!(whole[lost + 1..], rest[lost..]);
}

#[test]
fn a_snapshot_and_the_tail_of_the_journal_give_the_same_steps() {
    for name in ["exam-day.toml", "alerted.toml"] {
        restores(name);
    }
}

fn restores(name: &str) {
    let journal = Journal::of(name);
    let whole = steps(&mut journal.controller(), &journal.entries);
    let mut first = journal.controller();
    let mut done = 0;
    for cut in journal.cuts() {
        steps(&mut first, &journal.entries[done..cut]);
        done = cut;
        let mut restored = Controller::restore(stored(&first.snapshot())).unwrap();
        let tail = steps(&mut restored, &journal.entries[cut..]);
        assert_eq!(tail, whole[cut..], "{name} restored after {cut} entries");
    }
}

#[test]
fn a_restart_knows_the_commands_that_had_no_completion() {
    let journal = Journal::of("exam-day.toml");
    let first = stored(&journal.controller().snapshot());
    let mut seen = 0;
    for cut in journal.cuts() {
        let mut restored = Controller::restore(first.clone()).unwrap();
        steps(&mut restored, &journal.entries[..cut]);
        let open = journal.open(cut);
        assert_eq!(sorted(restored.unfinished()), open, "stopped after {cut} entries");
        let again = Controller::restore(stored(&restored.snapshot())).unwrap();
        assert_eq!(sorted(again.unfinished()), open, "stopped twice after {cut} entries");
        seen += open.len();
    }
    assert!(seen > 0, "no cut lies within a command");
}

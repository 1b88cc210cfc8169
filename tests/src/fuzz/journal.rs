//! A journal, read line by line and stepped through.

use serde::Deserialize;
use tidegate_core::policy::Policy;
use tidegate_core::{
    Command, Controller, Decision, Defects, GroupConfig, Input, Snapshot, Timestamp,
};

/// Entries that are stepped through at most.
const ENTRIES: usize = 1_000;

/// A line of a journal.
#[derive(Debug, Deserialize)]
struct Entry {
    at: Timestamp,
    input: Input,
    #[serde(default, rename = "commands")]
    _commands: Vec<Command>,
    #[serde(rename = "decision")]
    _decision: Option<Decision>,
}

/// A journal whose first line may be the group that it is of. Lines that are none are left out; all
/// others are stepped through, and at the end what is stored is taken up again.
pub fn journal(text: &str) {
    let group = text.lines().next().and_then(|line| serde_json::from_str(line).ok());
    let group = group.filter(is_valid).unwrap_or_else(plain);
    let mut controller = Controller::new(group, Timestamp::default());
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    for entry in entries.take(ENTRIES) {
        let step = controller.step(entry.at, entry.input);
        assert!(step.wake_at.is_none_or(|at| at > entry.at), "{step:?}");
        assert!(step.commands.iter().all(|command| command.server.0 > 0), "{step:?}");
    }
    restores(&controller);
}

/// As many standbys as a group may have in a scenario, and a policy that passes its check.
fn is_valid(group: &GroupConfig) -> bool {
    group.standbys <= 64 && group.policy.check(group.standbys).is_ok()
}

fn plain() -> GroupConfig {
    GroupConfig {
        standbys: 2,
        primary_weight: 1,
        standby_weight: 1,
        policy: Policy::default(),
        defects: Defects::NONE,
    }
}

fn restores(controller: &Controller) {
    let snapshot = controller.snapshot();
    let text = serde_json::to_string(&snapshot).unwrap();
    let read: Snapshot = serde_json::from_str(&text).unwrap();
    assert_eq!(read, snapshot);
    assert_eq!(Controller::restore(read).unwrap().snapshot(), snapshot);
}

//! When machines were seen to go on and off: a cloud tells how they are, and keeps no record of how
//! they were that would last.
//!
//! What is seen waits in memory until somebody asks for the changes, so that a mere look at a group
//! writes nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tidegate_core::{ServerId, Timestamp};

use crate::adapters::lines::Lines;
use crate::ports::{PortError, PowerChange};

/// A look at a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    pub server: ServerId,
    /// Whether it is billed.
    pub on: bool,
    /// When the cloud was asked.
    pub asked: Timestamp,
    /// Since when it is so, where the cloud tells.
    pub since: Option<Timestamp>,
}

/// A line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    server: ServerId,
    on: bool,
    at: Timestamp,
}

#[derive(Debug, Default)]
struct Waiting {
    /// The last sighting of each machine.
    last: BTreeMap<ServerId, Sighting>,
    /// Those that differed from the one before, and are not in the file yet.
    new: Vec<Sighting>,
}

#[derive(Debug)]
pub(super) struct Billed {
    file: Lines<Line>,
    waiting: Mutex<Waiting>,
}

impl Billed {
    pub fn new(path: PathBuf) -> Self {
        Self { file: Lines::new(path, "the file of power"), waiting: Mutex::default() }
    }

    /// An answer to a question that was put before another one's counts no more.
    pub fn saw(&self, sighting: Sighting) {
        let mut waiting = self.waiting();
        let last = waiting.last.get(&sighting.server);
        if last.is_some_and(|last| sighting.asked < last.asked) {
            return;
        }
        if last.is_none_or(|last| last.on != sighting.on) {
            waiting.new.push(sighting);
        }
        waiting.last.insert(sighting.server, sighting);
    }

    /// All changes. A machine that was never seen before was off.
    pub fn changes(&self) -> Result<Vec<PowerChange>, PortError> {
        let new = std::mem::take(&mut self.waiting().new);
        let written = self.write(&new);
        if written.is_err() {
            self.waiting().new.splice(0..0, new);
        }
        written
    }

    fn write(&self, new: &[Sighting]) -> Result<Vec<PowerChange>, PortError> {
        let mut file = self.file.open()?;
        for Sighting { server, on, asked, since } in new {
            let last = file.lines().iter().rfind(|line| line.server == *server).copied();
            if last.is_some_and(|last| last.on) == *on {
                continue;
            }
            let is_later = |at: &Timestamp| last.is_none_or(|last| *at > last.at) && at <= asked;
            let at = since.filter(is_later).unwrap_or(*asked);
            file.append(Line { server: *server, on: *on, at })?;
        }
        let change = |line: &Line| PowerChange { server: line.server, on: line.on, at: line.at };
        let mut changes: Vec<_> = file.lines().iter().map(change).collect();
        changes.sort_by_key(|change| change.at);
        Ok(changes)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: ServerId = ServerId(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn seen(on: bool, asked: i64, since: Option<i64>) -> Sighting {
        Sighting { server: SERVER, on, asked: at(asked), since: since.map(at) }
    }

    /// What the changes are after these sightings, by somebody new to it for each list.
    fn changes(seen: &[&[Sighting]]) -> Vec<(bool, i64)> {
        let name = format!("tidegate-billed-{:?}", std::thread::current().id());
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let mut changes = Vec::new();
        for seen in seen {
            let billed = Billed::new(path.clone());
            for sighting in *seen {
                billed.saw(*sighting);
            }
            changes = billed.changes().unwrap();
            assert_eq!(billed.changes().unwrap(), changes);
        }
        std::fs::remove_file(path).unwrap();
        changes.iter().map(|one| (one.on, one.at.as_nanos() / 1_000_000_000)).collect()
    }

    #[test]
    fn a_change_is_dated_by_the_cloud_or_by_the_question_and_told_once() {
        let one = [seen(false, 1, None), seen(true, 5, None), seen(true, 9, None)];
        assert_eq!(changes(&[&one]), [(true, 5)]);
        let two = [seen(true, 12, Some(3)), seen(false, 20, Some(15))];
        assert_eq!(changes(&[&one, &two]), [(true, 5), (false, 15)]);
        let stale = [seen(true, 9, None), seen(false, 7, None)];
        assert_eq!(changes(&[&stale]), [(true, 9)], "it was asked before");
        let again = [seen(true, 9, Some(2)), seen(false, 12, Some(4)), seen(true, 20, Some(2))];
        let none_runs_back = [(true, 2), (false, 4), (true, 20)];
        assert_eq!(changes(&[&again]), none_runs_back, "the cloud tells of an earlier start");
    }
}

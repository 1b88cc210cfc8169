//! What is learned of the world that the controller need not know, and a record of the run does:
//! what the proxy counted, and when machines were billed.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::{ServerId, Timestamp};

use crate::ports::{PowerChange, Routing, Traffic};
use crate::store::{Note, Noted};

/// Notes that are not stored yet.
#[derive(Debug, Default)]
pub(super) struct Notes {
    waiting: Vec<Note>,
    counts: BTreeMap<ServerId, Traffic>,
    /// The provider's changes of the latest time that is known: it is asked for those again, since
    /// another may have come at the same time.
    latest: BTreeSet<Note>,
}

impl Notes {
    /// From when on the provider is asked for changes.
    pub fn known_until(&self) -> Timestamp {
        self.latest.first().map_or_else(Timestamp::default, |note| note.at)
    }

    /// The proxy had counted so much when it was asked.
    pub fn traffic(&mut self, at: Timestamp, states: &[Routing]) {
        for count in states.iter().filter_map(|state| state.counted) {
            if self.counts.insert(count.server, count) != Some(count) {
                self.waiting.push(Note { at, what: Noted::Traffic(count) });
            }
        }
    }

    /// The provider's own record.
    pub fn power(&mut self, changes: &[PowerChange]) {
        for PowerChange { server, on, at } in changes.iter().copied() {
            let note = Note { at, what: Noted::Power { server, on } };
            if at < self.known_until() || self.latest.contains(&note) {
                continue;
            }
            if at > self.known_until() {
                self.latest.clear();
            }
            self.latest.insert(note);
            self.waiting.push(note);
        }
    }

    /// Those that have come since this was last called.
    pub fn take(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn what_was_noted_is_not_noted_again_and_what_came_at_the_same_time_is() {
        let mut notes = Notes::default();
        let change =
            |server, on, seconds| PowerChange { server: ServerId(server), on, at: at(seconds) };
        notes.power(&[change(1, true, 5)]);
        assert_eq!((notes.take().len(), notes.known_until()), (1, at(5)));
        notes.power(&[change(1, true, 5), change(2, true, 5), change(1, false, 9)]);
        assert_eq!((notes.take().len(), notes.known_until()), (2, at(9)));
        let count = Traffic { server: ServerId(0), routed: 3, served: 2, failed: 0 };
        let counted = Some(count);
        let state = Routing { server: count.server, routed: None, in_flight: None, counted };
        notes.traffic(at(1), &[state]);
        notes.traffic(at(2), &[state]);
        assert_eq!(notes.take(), [Note { at: at(1), what: Noted::Traffic(count) }]);
    }
}

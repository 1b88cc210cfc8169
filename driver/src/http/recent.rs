//! What happened last in each group, for people who look.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_core::Timestamp;

use crate::runtime::{Event, HostEvent, Listener};
use crate::words;

/// Lines that are kept of a group.
const LINES: usize = 32;

type Lines = VecDeque<(Timestamp, String)>;

/// Keeps the last lines of each group, and tells another listener all that it is told.
pub struct Recent {
    lines: Mutex<BTreeMap<String, Lines>>,
    next: Arc<dyn Listener>,
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

impl Recent {
    /// Nothing has happened yet.
    pub fn new(next: Arc<dyn Listener>) -> Self {
        Self { lines: Mutex::default(), next }
    }

    /// What happened last in a group, the latest first.
    pub fn of(&self, group: &str) -> Vec<(Timestamp, String)> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(group).into_iter().flat_map(|lines| lines.iter().rev().cloned()).collect()
    }
}

impl Listener for Recent {
    fn tell_of_host(&self, at: Timestamp, event: &HostEvent<'_>) {
        self.next.tell_of_host(at, event);
    }

    fn tell(&self, at: Timestamp, group: &str, event: &Event<'_>) {
        self.next.tell(at, group, event);
        let news = words::lines(event);
        if news.is_empty() {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = match lines.get_mut(group) {
            Some(lines) => lines,
            None => lines.entry(group.to_owned()).or_default(),
        };
        lines.extend(news.into_iter().map(|line| (at, line)));
        lines.drain(..lines.len().saturating_sub(LINES));
    }
}

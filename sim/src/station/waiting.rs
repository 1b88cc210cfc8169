//! Those who wait at a station, where only so many may.

use std::collections::VecDeque;

/// When those who wait will be served: in the order in which they came.
#[derive(Debug)]
pub(super) struct Waiting {
    starts: VecDeque<u64>,
    most: usize,
}

impl Waiting {
    pub const fn new(most: u32) -> Self {
        Self { starts: VecDeque::new(), most: most as usize }
    }

    /// Whether one who comes at `now` and would be served from `start` on may stay.
    #[cold]
    pub fn admits(&mut self, now: u64, start: u64) -> bool {
        if start <= now {
            return true;
        }
        while self.starts.front().is_some_and(|&first| first <= now) {
            self.starts.pop_front();
        }
        let admits = self.starts.len() < self.most;
        if admits {
            self.starts.push_back(start);
        }
        admits
    }
}

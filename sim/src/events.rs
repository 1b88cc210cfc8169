//! The event list: one integer an event, so that the order is total and the same everywhere.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const SEQUENCE_BITS: u32 = 40;
const PAYLOAD_BITS: u32 = 32;
const TIME_LIMIT: u64 = 1 << 56;

/// Pending events, earliest first; at equal times the one that was added first.
///
/// An entry packs 56 bits of time (2.2 years in nanoseconds), 40 bits of sequence and 32 bits of
/// payload into one `u128`.
///
/// An entry that was taken stays on top until the next one is pushed, which overwrites it and
/// sinks: most events beget another, and one sift is cheaper than two.
#[derive(Debug)]
pub struct EventList {
    heap: BinaryHeap<Reverse<u128>>,
    sequence: u64,
    /// The top was taken.
    taken: bool,
    /// When the top is due, if it was not taken.
    next: u64,
}

impl Default for EventList {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0, taken: false, next: u64::MAX }
    }
}

impl EventList {
    /// Adds an event at `time` (nanoseconds from the start of the run). What lies past the limit of
    /// the list never comes.
    #[inline]
    pub fn push(&mut self, time: u64, payload: u32) {
        if time >= TIME_LIMIT {
            return;
        }
        debug_assert!(self.sequence < 1 << SEQUENCE_BITS);
        let order = (u128::from(time) << SEQUENCE_BITS) | u128::from(self.sequence);
        self.sequence += 1;
        let entry = Reverse((order << PAYLOAD_BITS) | u128::from(payload));
        if std::mem::take(&mut self.taken) {
            if let Some(mut top) = self.heap.peek_mut() {
                *top = entry;
            }
            self.look();
        } else {
            self.heap.push(entry);
            self.next = self.next.min(time);
        }
    }

    /// When the next event is due.
    #[inline]
    pub fn next_time(&mut self) -> u64 {
        if self.taken {
            self.drop_taken();
        }
        self.next
    }

    /// Takes the next event's payload.
    #[inline]
    pub fn pop(&mut self) -> Option<u32> {
        if self.taken {
            self.drop_taken();
        }
        let payload = self.heap.peek()?.0 as u32;
        self.taken = true;
        Some(payload)
    }

    fn drop_taken(&mut self) {
        self.heap.pop();
        self.taken = false;
        self.look();
    }

    fn look(&mut self) {
        let time = |entry: &Reverse<u128>| (entry.0 >> (SEQUENCE_BITS + PAYLOAD_BITS)) as u64;
        self.next = self.heap.peek().map_or(u64::MAX, time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_leave_by_time_and_then_by_the_order_in_which_they_came() {
        let mut list = EventList::default();
        for (time, payload) in [(5, 50), (3, 30), (5, 51), (3, 31), (TIME_LIMIT, 99)] {
            list.push(time, payload);
        }
        let order: Vec<u32> = std::iter::from_fn(|| list.pop()).collect();
        assert_eq!(order, [30, 31, 50, 51]);
        assert_eq!(list.next_time(), u64::MAX);
    }

    #[test]
    fn an_event_that_is_pushed_after_one_was_taken_takes_its_place_in_the_order() {
        let mut list = EventList::default();
        for time in [1, 4, 2] {
            list.push(time, time as u32);
        }
        assert_eq!(list.pop(), Some(1));
        list.push(3, 3);
        list.push(5, 5);
        assert_eq!(list.next_time(), 2);
        assert_eq!((list.pop(), list.pop(), list.next_time()), (Some(2), Some(3), 4));
        list.push(0, 0);
        assert_eq!(
            (list.pop(), list.pop(), list.pop(), list.pop()),
            (Some(0), Some(4), Some(5), None)
        );
    }
}

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
/// sinks: most events beget another, and one sift is cheaper than two. What is due next is then one
/// of the two entries below the top.
#[derive(Debug)]
pub struct EventList {
    heap: BinaryHeap<Reverse<u128>>,
    sequence: u64,
    /// The top was taken.
    taken: bool,
    /// When the first entry that was not taken is due.
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
            self.next = self.due(0);
        } else {
            self.heap.push(entry);
            self.next = self.next.min(time);
        }
    }

    /// When the next event is due.
    #[inline]
    pub const fn next_time(&self) -> u64 {
        self.next
    }

    /// Takes the next event's payload.
    #[inline]
    pub fn pop(&mut self) -> Option<u32> {
        if std::mem::take(&mut self.taken) {
            self.heap.pop();
        }
        let payload = self.heap.peek()?.0 as u32;
        self.taken = true;
        self.next = self.due(1).min(self.due(2));
        Some(payload)
    }

    /// When the entry at a place of the heap is due.
    fn due(&self, place: usize) -> u64 {
        let time = |entry: &Reverse<u128>| (entry.0 >> (SEQUENCE_BITS + PAYLOAD_BITS)) as u64;
        self.heap.as_slice().get(place).map_or(u64::MAX, time)
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
    fn in_any_order_of_pushing_and_taking_the_earliest_is_next() {
        let (mut list, mut expected) = (EventList::default(), std::collections::BTreeSet::new());
        let mut random = 1u64;
        for payload in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if random >> 63 == 0 {
                let time = random >> 32 & 0xFFF;
                list.push(time, payload);
                expected.insert((time, payload));
            } else {
                assert_eq!(list.pop(), expected.pop_first().map(|(_, payload)| payload));
            }
            assert_eq!(list.next_time(), expected.first().map_or(u64::MAX, |first| first.0));
        }
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

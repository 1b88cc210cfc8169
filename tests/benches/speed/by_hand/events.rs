//! The best event list at hand for tens of pending events.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

const SEQUENCE_BITS: u32 = 40;
const PAYLOAD_BITS: u32 = 24;

/// Time, sequence and payload of each event in one integer, in the standard library's heap. A taken
/// event stays on top until the next one overwrites it: one sift, not two.
pub(super) struct Events {
    heap: BinaryHeap<Reverse<u128>>,
    sequence: u64,
    taken: bool,
}

impl Events {
    pub fn new() -> Self {
        Self { heap: BinaryHeap::with_capacity(1_024), sequence: 0, taken: false }
    }

    #[inline]
    pub fn push(&mut self, time: u64, payload: u32) {
        let order = (u128::from(time) << SEQUENCE_BITS) | u128::from(self.sequence);
        self.sequence += 1;
        let entry = Reverse((order << PAYLOAD_BITS) | u128::from(payload));
        if std::mem::take(&mut self.taken)
            && let Some(mut top) = self.heap.peek_mut()
        {
            *top = entry;
        } else {
            self.heap.push(entry);
        }
    }

    /// When the next event is due.
    #[inline]
    pub fn next_time(&mut self) -> u64 {
        if std::mem::take(&mut self.taken)
            && let Some(top) = self.heap.peek_mut()
        {
            PeekMut::pop(top);
        }
        let next = self.heap.peek();
        next.map_or(u64::MAX, |entry| (entry.0 >> (SEQUENCE_BITS + PAYLOAD_BITS)) as u64)
    }

    /// Takes the payload of the next event, after [`Self::next_time`].
    #[inline]
    pub fn take(&mut self) -> u32 {
        self.taken = true;
        let payload = self.heap.peek().map_or(0, |entry| entry.0 as u32);
        payload & ((1 << PAYLOAD_BITS) - 1)
    }
}

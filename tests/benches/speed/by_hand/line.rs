//! Recycled records, and lines of them that are linked through the records.

const NONE: u32 = u32::MAX;

/// A customer or a request in flight.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub arrived: u64,
    /// It needs the shared storage.
    pub stores: bool,
    next: u32,
}

/// All records in flight.
pub(super) struct Records {
    all: Vec<Record>,
    free: u32,
}

impl Records {
    pub const fn new() -> Self {
        Self { all: Vec::new(), free: NONE }
    }

    #[inline]
    pub fn insert(&mut self, arrived: u64, stores: bool) -> u32 {
        let record = Record { arrived, stores, next: NONE };
        if self.free == NONE {
            self.all.push(record);
            return (self.all.len() - 1) as u32;
        }
        let slot = self.free;
        self.free = self.all[slot as usize].next;
        self.all[slot as usize] = record;
        slot
    }

    #[inline]
    pub fn remove(&mut self, slot: u32) {
        self.all[slot as usize].next = self.free;
        self.free = slot;
    }

    #[inline]
    pub fn get(&self, slot: u32) -> Record {
        self.all[slot as usize]
    }
}

/// Who waits, first come, first served.
pub(super) struct Line {
    first: u32,
    last: u32,
}

impl Line {
    pub const fn new() -> Self {
        Self { first: NONE, last: NONE }
    }

    #[inline]
    pub fn push(&mut self, records: &mut Records, slot: u32) {
        if self.first == NONE {
            self.first = slot;
        } else {
            records.all[self.last as usize].next = slot;
        }
        self.last = slot;
    }

    #[inline]
    pub fn pop(&mut self, records: &mut Records) -> Option<u32> {
        let slot = self.first;
        if slot == NONE {
            return None;
        }
        self.first = std::mem::replace(&mut records.all[slot as usize].next, NONE);
        Some(slot)
    }
}

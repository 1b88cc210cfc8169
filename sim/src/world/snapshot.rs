//! Redis saves what it keeps, or writes its file anew: a fork that holds its thread, and a child
//! that writes.

use tidegate_core::fact::FactSink;

use crate::model::{Host, Place, Snapshot};

use super::{Event, World};

/// Marks the cores' task that writes. It is no record's number.
pub(super) const SAVE: u32 = u32::MAX;

impl<S: FactSink> World<S> {
    fn snapshots(&self) -> [Option<Snapshot>; 2] {
        [self.model.snapshot, self.model.append.as_ref().and_then(|append| append.rewrite)]
    }

    pub(super) fn open_snapshots(&mut self) {
        for (index, snapshot) in self.snapshots().into_iter().enumerate() {
            if let Some(snapshot) = snapshot {
                let first = snapshot.every.as_nanos().cast_unsigned();
                self.at(first, Event::Snapshot, index as u32);
            }
        }
    }

    /// A visit of Redis that nobody waits for: the thread forks, first come, first served. On the
    /// primary, the child takes its share of the cores meanwhile.
    pub(super) fn snapshot(&mut self, index: usize) {
        let Some(snapshot) = self.snapshots()[index] else { return };
        let next = self.now + snapshot.every.as_nanos().cast_unsigned();
        self.at(next, Event::Snapshot, index as u32);
        self.hold_redis(Place::Redis, snapshot.fork.as_nanos().cast_unsigned());
        if self.model.redis.host == Host::Primary && self.servers[0].ready {
            self.enter_cpu(0, snapshot.save.as_nanos().cast_unsigned(), SAVE);
        }
    }
}

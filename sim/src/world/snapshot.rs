//! Redis saves what it keeps: a fork that holds its thread, and a child that writes.

use tidegate_core::fact::FactSink;

use crate::model::{Dist, Host, Model, Phase, Place};
use crate::slab::{Kind, Task};

use super::{Event, World};

/// Marks the cores' task that writes. It is no record's number.
pub(super) const SAVE: u32 = u32::MAX;

/// The steps of a fork, as those of a kind of task.
pub(super) fn phases(model: &Model) -> Option<Vec<Phase>> {
    let demand = Dist::Constant(model.snapshot?.fork);
    Some(vec![Phase { place: Place::Redis, demand }])
}

impl<S: FactSink> World<S> {
    /// A visit of Redis that nobody waits for: the thread forks, first come, first served. On the
    /// primary, the child takes its share of the cores meanwhile.
    pub(super) fn snapshot(&mut self) {
        let Some(snapshot) = self.model.snapshot else { return };
        self.at(self.now + snapshot.every.as_nanos().cast_unsigned(), Event::Snapshot, 0);
        let class = (self.classes.len() - 1) as u16;
        let slot = self.tasks.insert(Task::new(Kind::Abandoned, class, 0, self.now));
        self.draw_demands(slot, class);
        let task = *self.tasks.get(slot);
        self.begin(slot, task);
        if self.model.redis.host == Host::Primary && self.servers[0].ready {
            self.enter_cpu(0, snapshot.save.as_nanos().cast_unsigned(), SAVE);
        }
    }
}

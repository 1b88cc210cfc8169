//! Redis appends what is written to a file, and has the disk keep it.
//!
//! With `always` a write is answered after an fsync, which holds the thread. It begins when no
//! visit is left to serve, and all that wait by then share it. With `everysec` another thread does
//! it each second. A write that comes while an fsync runs is put off, and holds the thread until
//! the fsync is over once it has waited for two seconds.

use tidegate_core::fact::FactSink;

use crate::chance::Draws;
use crate::model::{Dist, Fsync, Host, Model, Phase, Place};
use crate::slab::{Kind, Task};

use super::hosted::Service;
use super::{Event, World};

const SECOND: u64 = 1_000_000_000;
/// How long a write may be put off.
const PATIENCE: u64 = 2 * SECOND;

/// What was appended and is not kept by the disk yet.
#[derive(Debug)]
pub(super) struct Append {
    takes: Draws,
    /// When the first write came that no fsync covers, if each second has one.
    unsynced: Option<u64>,
    /// When the fsync ends that began last.
    until: u64,
    /// Those that wait for the next fsync.
    pub waiting: Vec<u32>,
}

impl Append {
    pub fn new(model: &Model) -> Option<Self> {
        let takes = Draws::new(&model.append.as_ref()?.takes, model.seed, "redis/fsync");
        Some(Self { takes, unsynced: None, until: 0, waiting: Vec::new() })
    }
}

/// The steps of what holds the thread: a fork, and an fsync that nobody waits for.
pub(super) fn phases(model: &Model) -> Option<[Vec<Phase>; 2]> {
    let demand = Dist::Constant(tidegate_core::Span::ZERO);
    let one = |place| vec![Phase { place, demand: demand.clone() }];
    let any = model.snapshot.is_some() || model.append.is_some();
    any.then(|| [one(Place::Redis), one(Place::Sync)])
}

impl<S: FactSink> World<S> {
    fn fsync(&self) -> Option<Fsync> {
        self.model.append.as_ref().map(|append| append.fsync)
    }

    pub(super) fn open_append(&mut self) {
        if self.fsync() == Some(Fsync::EverySecond) {
            self.at(SECOND, Event::Fsync, 0);
        }
    }

    /// A visit of Redis for so long, in its turn, that nobody waits for.
    pub(super) fn hold_redis(&mut self, place: Place, length: u64) {
        let number = usize::from(place == Place::Sync);
        let class = (self.model.requests.len() + self.model.jobs.len() + number) as u16;
        let task = Task::new(Kind::Abandoned, class, 0, self.now);
        let slot = self.tasks.insert(task);
        self.tasks.demands_mut(slot)[0] = length;
        self.begin(slot, task);
    }

    /// Another second is over, and the last fsync too.
    pub(super) fn fsync_due(&mut self) {
        let now = self.now;
        let Some(append) = &mut self.append else { return };
        let length = append.unsynced.take().map_or(0, |_| append.takes.draw());
        append.until = now.saturating_add(length);
        self.at(now.saturating_add(length.max(SECOND)), Event::Fsync, 0);
    }

    /// Something was written.
    pub(super) fn appended(&mut self) {
        let (now, every_second) = (self.now, self.fsync() == Some(Fsync::EverySecond));
        let Some(append) = self.append.as_mut().filter(|_| every_second) else { return };
        if append.unsynced.is_none() {
            append.unsynced = Some(now);
            if now + PATIENCE < append.until {
                self.at(now + PATIENCE, Event::PutOff, 0);
            }
        }
    }

    /// A write was put off for as long as may be: the thread waits for the disk.
    pub(super) fn put_off(&mut self) {
        let down = self.model.redis.host == Host::Primary && !self.servers[0].ready;
        let until = self.append.as_ref().map_or(0, |append| append.until);
        if !down {
            self.hold_redis(Place::Sync, until.saturating_sub(self.now));
        }
    }

    /// A request or job waits for what it wrote to be kept.
    #[inline(never)]
    pub(super) fn sync_step(&mut self, slot: u32) {
        let Task { class, phase, .. } = *self.tasks.get(slot);
        if self.enqueues_after_sync(class) {
            let enqueues = self.draw_job(class).is_some();
            let demand = &mut self.tasks.demands_mut(slot)[usize::from(phase)];
            *demand = if enqueues { (*demand).max(1) } else { 0 };
            if !enqueues {
                return self.next_phase(slot);
            }
        }
        let Some(append) = &mut self.append else { return };
        append.waiting.push(slot);
        if append.waiting.len() == 1 {
            self.begin_sync();
        }
    }

    /// An fsync for all who wait for one, as soon as the thread has no visit to serve.
    pub(super) fn begin_sync(&mut self) {
        let (now, up) = (self.now, self.servers[0].ready);
        let waiting = self.append.as_ref().and_then(|append| append.waiting.first());
        let Some(&first) = waiting else { return };
        let demand = self.tasks.demand(first, self.tasks.get(first).phase);
        match &mut self.redis {
            Service::Own(station) if station.free_at() > now => {
                let free = station.free_at();
                self.at(free, Event::Synced, 0);
            }
            Service::Own(station) => {
                let (Ok(done) | Err(done)) = station.enter(now, demand);
                for slot in self.take_unsynced() {
                    self.at(done, Event::PhaseDone, slot);
                }
            }
            Service::Hosted(hosted) if up && hosted.is_idle() => {
                let ends = now.saturating_add(demand);
                let together = self.take_unsynced();
                self.hold_hosted(together, ends);
            }
            Service::Hosted(_) => {}
        }
    }

    /// The disk is done, or the thread.
    pub(super) fn synced(&mut self) {
        match self.redis {
            Service::Own(_) => self.begin_sync(),
            Service::Hosted(_) => self.synced_hosted(),
        }
    }

    fn take_unsynced(&mut self) -> Vec<u32> {
        self.append.as_mut().map_or_else(Vec::new, |append| std::mem::take(&mut append.waiting))
    }

    /// Whether a task waits for what it wrote to be kept.
    pub(super) fn syncs(&self, slot: u32) -> bool {
        let Task { class, phase, .. } = *self.tasks.get(slot);
        let phase = self.classes[usize::from(class)].phases.get(usize::from(phase));
        phase.is_some_and(|phase| phase.place == Place::Sync)
    }

    /// Whether requests of `class` wait for an fsync if they enqueue a job, and only then.
    pub(super) fn enqueues_after_sync(&self, class: u16) -> bool {
        let request = self.model.requests.get(usize::from(class));
        self.fsync() == Some(Fsync::Always)
            && request.is_some_and(|request| request.writes.is_none())
    }
}

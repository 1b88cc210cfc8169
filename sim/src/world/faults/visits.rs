//! Visits to shared services while faults are on: held, slowed or answered with an error.

use tidegate_core::ServerId;
use tidegate_core::fact::{FactSink, FailureCause};

use crate::model::{FaultKind, Injection, Part, Place, SharedService};
use crate::world::{Event, World};

/// How long an error takes.
const ERROR: u64 = 1_000_000;

impl<S: FactSink> World<S> {
    /// Whether a fault that is on may befall visits or what goes to servers.
    pub(super) fn impedes(&self) -> bool {
        self.active(|one| {
            matches!(
                one.kind,
                FaultKind::ServerFrozen
                    | FaultKind::Slow
                    | FaultKind::Stalled
                    | FaultKind::Errors
                    | FaultKind::StorageFull
                    | FaultKind::RedisRestarts
                    | FaultKind::Cut
                    | FaultKind::SlowLink
            )
        })
        .is_some()
    }

    /// Whether faults keep a task from its visit now. It is then begun anew, delayed or refused.
    #[cold]
    #[inline(never)]
    pub(in crate::world) fn impede(&mut self, slot: u32, place: Place) -> bool {
        let Some(shared) = service_of(place) else { return false };
        let server = ServerId(self.tasks.get(slot).server);
        let part = part_of(shared);
        let stalls = |one: &Injection| {
            one.kind == FaultKind::Stalled && one.service == shared
                || one.kind == FaultKind::RedisRestarts && shared == SharedService::Redis
                || super::cuts(one, part, server)
        };
        if let Some(active) = self.befalls(stalls) {
            self.at(active.until, Event::Held, slot);
            return true;
        }
        let fails = |one: &Injection| {
            one.kind == FaultKind::Errors && one.service == shared
                || one.kind == FaultKind::StorageFull && place == Place::Commit
        };
        if self.befalls(fails).is_some() {
            self.at(self.now + ERROR, Event::Unavailable, slot);
            return true;
        }
        let slows = |one: &Injection| one.kind == FaultKind::Slow && one.service == shared;
        if let Some(active) = self.befalls(slows) {
            let factor = self.model.faults[usize::from(active.fault)].factor;
            let phase = self.tasks.get(slot).phase;
            let demand = &mut self.tasks.demands_mut(slot)[usize::from(phase)];
            *demand = (*demand as f64 * factor) as u64;
        }
        let far = |one: &Injection| {
            one.kind == FaultKind::SlowLink && super::lies_between(one, part, server)
        };
        if let Some(active) = self.befalls(far) {
            let by = self.model.faults[usize::from(active.fault)].by.as_nanos().cast_unsigned();
            self.at(self.now.saturating_add(by), Event::Linked, slot);
            return true;
        }
        false
    }

    /// A task that was held tries its visit again; it may have been killed in between.
    pub(in crate::world) fn held(&mut self, slot: u32, impeded: bool) {
        let task = *self.tasks.get(slot);
        if task.server == u16::MAX {
            self.tasks.remove(slot);
        } else if impeded {
            self.begin(slot, task);
        } else {
            self.begin_unimpeded(slot, task);
        }
    }

    /// Whether Redis would have to keep what the request writes or enqueues, and cannot.
    pub(in crate::world) fn finds_redis_full(&mut self, class: u16, job: Option<usize>) -> bool {
        let writes = self.model.requests[usize::from(class)].writes.is_some();
        (writes || job.is_some()) && self.is_on(FaultKind::RedisFull)
    }

    /// A service gave a visit an error.
    pub(in crate::world) fn unavailable(&mut self, slot: u32) {
        self.visit_failed(slot, FailureCause::Unavailable);
    }
}

const fn service_of(place: Place) -> Option<SharedService> {
    match place.host() {
        Place::Redis => Some(SharedService::Redis),
        Place::Nfs => Some(SharedService::Nfs),
        Place::Database => Some(SharedService::Database),
        Place::Cpu
        | Place::Sync
        | Place::Wait
        | Place::Miss
        | Place::Open
        | Place::Fetch
        | Place::Transfer
        | Place::Commit
        | Place::Close => None,
    }
}

const fn part_of(service: SharedService) -> Part {
    match service {
        SharedService::Redis => Part::Redis,
        SharedService::Nfs => Part::Nfs,
        SharedService::Database => Part::Database,
    }
}

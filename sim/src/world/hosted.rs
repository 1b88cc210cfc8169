//! Redis and storage on the primary: first come, first served, by tasks on the primary's cores.

use std::collections::VecDeque;

use tidegate_core::fact::FactSink;

use crate::model::{Host, Model, Place, Station as Config};
use crate::station::Station;

use super::snapshot::SAVE;
use super::{Event, World};

/// Marks of the cores' tasks that serve a visit. They lie above the numbers of all records.
const REDIS: u32 = 1 << 30;
const NFS: u32 = 1 << 31;

/// A shared service.
#[derive(Debug)]
pub(super) enum Service {
    /// On a host of its own.
    Own(Station),
    /// On the primary.
    Hosted(Hosted),
}

impl Service {
    pub fn new(config: Config) -> Self {
        match config.host {
            Host::Own => Self::Own(Station::new(config)),
            Host::Primary => Self::Hosted(Hosted {
                servers: config.servers as usize,
                latency: config.latency.as_nanos().cast_unsigned(),
                queue: config.queue.map_or(usize::MAX, |queue| queue as usize),
                served: Vec::new(),
                waiting: VecDeque::new(),
                synced: u64::MAX,
                answers: VecDeque::new(),
            }),
        }
    }

    /// The service on the primary, if it is there.
    const fn hosted(&mut self) -> Option<&mut Hosted> {
        match self {
            Self::Own(_) => None,
            Self::Hosted(hosted) => Some(hosted),
        }
    }
}

/// The visits to a service on the primary.
#[derive(Debug)]
pub(super) struct Hosted {
    servers: usize,
    latency: u64,
    /// Visits that may wait.
    queue: usize,
    /// Those that are served, in the order in which they began.
    served: Vec<u32>,
    waiting: VecDeque<u32>,
    /// When the fsync ends that those who are served wait for.
    synced: u64,
    /// Answers on their way and when they arrive. All take equally long, so they come in the order
    /// in which they were sent.
    answers: VecDeque<(u64, u32)>,
}

impl Hosted {
    pub const fn is_idle(&self) -> bool {
        self.served.is_empty()
    }
}

/// How many clocks the services on the primary and the storage's link need.
pub(super) fn clocks(model: &Model) -> usize {
    let hosted = |station: &Config| station.host == Host::Primary;
    let linked = model.files.as_ref().is_some_and(|files| files.linked);
    if hosted(&model.redis) || hosted(&model.nfs) || linked { 3 } else { 0 }
}

impl<S: FactSink> World<S> {
    /// A visit begins; it waits while the servers are busy or the primary is down, and is refused
    /// if no more may wait.
    #[inline(never)]
    pub(super) fn visit(&mut self, place: Place, slot: u32) {
        let (now, up) = (self.now, self.servers[0].ready);
        let Some(hosted) = self.service(place).hosted() else { return };
        if up && hosted.served.len() < hosted.servers {
            self.serve_visit(place, slot);
        } else if hosted.waiting.len() < hosted.queue {
            hosted.waiting.push_back(slot);
        } else {
            let refused = now.saturating_add(hosted.latency);
            self.at(refused, Event::Overloaded, slot);
        }
    }

    const fn service(&mut self, place: Place) -> &mut Service {
        if matches!(place, Place::Redis) { &mut self.redis } else { &mut self.nfs }
    }

    fn serve_visit(&mut self, place: Place, slot: u32) {
        let Some(hosted) = self.service(place).hosted() else { return };
        hosted.served.push(slot);
        let mark = if place == Place::Redis { REDIS } else { NFS };
        let demand = self.tasks.demand(slot, self.tasks.get(slot).phase);
        self.enter_cpu(0, demand, slot | mark);
    }

    /// Cores are done with a task: a step of a request or job, or a visit.
    pub(super) fn task_done(&mut self, task: u32) {
        if task < REDIS {
            self.next_phase(task);
        } else if task < NFS {
            self.visit_served(Place::Redis, task - REDIS);
        } else if task != SAVE {
            self.visit_served(Place::Nfs, task - NFS);
        }
    }

    /// The disk works until `ends`, and no core.
    pub(super) fn hold_hosted(&mut self, together: Vec<u32>, ends: u64) {
        let Some(hosted) = self.redis.hosted() else { return };
        (hosted.served, hosted.synced) = (together, ends);
        self.at(ends, Event::Synced, 0);
    }

    /// The disk is done, unless the primary went down meanwhile.
    pub(super) fn synced_hosted(&mut self) {
        let now = self.now;
        let Some(hosted) = self.redis.hosted().filter(|hosted| hosted.synced == now) else {
            return;
        };
        hosted.synced = u64::MAX;
        for slot in std::mem::take(&mut hosted.served) {
            self.answer_visit(Place::Redis, slot);
        }
        self.serve_next(Place::Redis);
    }

    fn visit_served(&mut self, place: Place, slot: u32) {
        let Some(hosted) = self.service(place).hosted() else { return };
        hosted.served.retain(|&other| other != slot);
        self.answer_visit(place, slot);
        self.serve_next(place);
    }

    fn answer_visit(&mut self, place: Place, slot: u32) {
        let now = self.now;
        let Some(hosted) = self.service(place).hosted() else { return };
        let arrives = now.saturating_add(hosted.latency);
        hosted.answers.push_back((arrives, slot));
        if hosted.answers.len() == 1 {
            self.set_clock(self.clock_of(place), arrives);
        }
    }

    fn serve_next(&mut self, place: Place) {
        let next = self.service(place).hosted().and_then(|hosted| hosted.waiting.pop_front());
        match next {
            Some(next) => self.serve_visit(place, next),
            None if place == Place::Redis => self.begin_sync(),
            None => {}
        }
    }

    /// Where the next answer of a service on the primary stands among the clocks.
    const fn clock_of(&self, place: Place) -> usize {
        self.servers.len() + if matches!(place, Place::Redis) { 0 } else { 1 }
    }

    /// Where the next transfer to end stands among the clocks.
    pub(super) const fn link_clock(&self) -> usize {
        self.servers.len() + 2
    }

    /// A clock that no server's cores keep is due.
    pub(super) fn clock_due(&mut self, clock: usize) {
        if clock == self.link_clock() {
            return self.transferred();
        }
        let redis = clock == self.clock_of(Place::Redis);
        let place = if redis { Place::Redis } else { Place::Nfs };
        let Some(hosted) = self.service(place).hosted() else { return };
        let answer = hosted.answers.pop_front();
        let next = hosted.answers.front().map_or(u64::MAX, |&(arrives, _)| arrives);
        self.set_clock(clock, next);
        if let Some((_, slot)) = answer {
            self.phase_done(slot);
        }
    }

    /// The primary goes down: visits that are served are begun anew when it is back, before those
    /// that wait. Whoever was killed with the primary does not come again.
    pub(super) fn interrupt_services(&mut self) {
        if matches!(self.nfs, Service::Hosted(_)) {
            self.set_link(false);
        }
        for place in [Place::Redis, Place::Nfs] {
            let Some(hosted) = self.service(place).hosted() else { continue };
            hosted.synced = u64::MAX;
            let mut visits: VecDeque<u32> = hosted.served.drain(..).collect();
            visits.append(&mut hosted.waiting);
            visits.retain(|&slot| {
                let alive = self.tasks.get(slot).server != u16::MAX;
                if !alive {
                    self.tasks.remove(slot);
                }
                alive
            });
            let (unsynced, visits): (VecDeque<u32>, VecDeque<u32>) =
                visits.into_iter().partition(|&slot| self.syncs(slot));
            if let Some(append) = &mut self.append {
                append.waiting.splice(..0, unsynced);
            }
            if let Some(hosted) = self.service(place).hosted() {
                hosted.waiting = visits;
            }
        }
    }

    /// The primary is back.
    pub(super) fn resume_services(&mut self) {
        self.set_link(true);
        for place in [Place::Redis, Place::Nfs] {
            let Some(hosted) = self.service(place).hosted() else { continue };
            for _ in 0..hosted.servers.min(hosted.waiting.len()).max(1) {
                self.serve_next(place);
            }
        }
    }
}
